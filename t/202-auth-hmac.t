# "gateway_auth hmac": a request signed with the key of its device.  Without
# this page a request could be changed on its way, or be sent again for ever,
# and still be taken for the device's.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

run_tests();

__DATA__

=== a signed request is taken, and the log shows who sent it
--- devices
pump-7 hmac tenant=acme
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
    access_log logs/access.log auth;
}
--- then
is(problem(post_signed('pump-7', '{"data":1}')), '200', 'taken');
logged(qr/^200 \[pump-7\] \[acme\] \[hmac\]$/, 'access.log');
is(problem(post_signed('pump-7', '[{"data":2},{"device":"pump-7","data":3}]',
                       path => '/t?a=b%20c&d')), '200', 'a batch');
is(problem(post_signed('pump-7', '', path => '/t'))  =~ s/ .*//r, '400',
   'nothing is signed well and no message');
is(problem(post_signed('pump-7', '{"data":"' . 'x' x 100000 . '"}')), '200',
   'a body that does not come at once');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",.*"data":1\}
^pump-7 \{"device":"pump-7",.*"data":2\}
^pump-7 \{"device":"pump-7",.*"data":3\}
^pump-7 \{"device":"pump-7",.*"data":"x{30000}x+"\}
--- metrics
auth_failures_total{method="hmac",reason="unauthenticated"} 0
auth_cache_entries{kind="positive"} 0



=== what the gateway acts on cannot be changed on the way
--- devices
pump-7 hmac
pump-8 hmac
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
location /raw {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
    gateway_format raw;
}
--- then
my $now = time();
my $at = '2023-11-14T22:13:20Z';
my %raw = (path => '/raw', headers => { 'Gateway-Epoch' => 'b1',
           'Gateway-Seq' => 5, 'Gateway-Class' => 'control',
           'Gateway-Timestamp' => $at });
is(problem(post_signed('pump-7', '1', %raw)), '200', 'as it was signed');
for ([ 'the body', body => '2' ], [ 'the length', body => '1 ' ],
     [ 'the target', path => '/raw?x' ], [ 'the place', path => '/t' ],
     [ 'the device', device => 'pump-8' ], [ 'its case', device => 'Pump-7' ],
     [ 'the time', time => $now + 1 ],
     [ 'Gateway-Epoch', headers => { 'Gateway-Epoch' => 'b2' } ],
     [ 'Gateway-Seq', headers => { 'Gateway-Seq' => 6 } ],
     [ 'no Gateway-Seq', headers => { 'Gateway-Seq' => undef } ],
     [ 'Gateway-Class', headers => { 'Gateway-Class' => 'telemetry' } ],
     [ 'no Gateway-Class', headers => { 'Gateway-Class' => undef } ],
     [ 'Gateway-Timestamp',
       headers => { 'Gateway-Timestamp' => '2024-11-14T22:13:20Z' } ],
     [ 'Content-Type', headers => { 'Content-Type' => 'text/plain' } ])
{
    my ($what, %but) = @$_;
    like(problem(post_signed('pump-7', '1', time => $now, %raw,
                             but => \%but)),
         qr/^401 unauthenticated/, "changed: $what");
}
like(problem(post_signed('pump-7', '{"data":1}',
                         but => { headers => { 'Gateway-Seq' => 5 } })),
     qr/^401 unauth/, 'a header that was put in');
--- records
$T.control
^pump-7 \{"device":"pump-7","epoch":"b1","seq":5,"class":"control",

$T.telemetry 0
--- metrics
auth_failures_total{method="hmac",reason="unauthenticated"} 15



=== a header that is not signed and acted on is refused
--- devices
pump-7 hmac
--- config
location /t { gateway_auth hmac $AUTH/devices.db; gateway_pass; }
--- then
my $with = sub {
    return problem(post_signed('pump-7', $_[0], headers => $_[1]));
};
like($with->('{"data":1}', { 'Idempotency-Key' => 'k' }),
     qr/^400 malformed a signature does not cover/, 'Idempotency-Key');
like($with->('{"data":1}', { 'Ce-Specversion' => '1.0', 'Ce-Id' => 1,
                             'Ce-Source' => '/a', 'Ce-Type' => 't' }),
     qr/^400 malformed a signature does not cover/, 'an event in headers');
is($with->('{"specversion":"1.0","id":"1","source":"/p/pump-7","type":"t",'
           . '"data":1}',
           { 'Content-Type' => 'application/cloudevents+json' }), '200',
   'an event in the body is signed');
--- records
$T.telemetry
^pump-7 \{.*"seq":1,.*ce_id=1



=== the signature is over the body as it was sent, before it is inflated
--- devices
pump-7 hmac
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
my $zip = gzipped('{"data":1}');
my %gzip = (headers => { 'Content-Encoding' => 'gzip' });
is(problem(post_signed('pump-7', $zip, %gzip)), '200', 'taken');
like(problem(post_signed('pump-7', '{"data":2}', %gzip,
                         but => { body => gzipped('{"data":2}') })),
     qr/^401 unauth/, 'not over what it inflates to');
like(problem(post_signed('pump-7', '{"data":3}',
                         but => { headers => { 'Content-Encoding' => 'gzip' },
                                  body => gzipped('{"data":3}') })),
     qr/^401 unauth/, 'nor with another encoding');
like(problem(post_signed('pump-7', 'no gzip', %gzip,
                         but => { body => 'no gzip at all' })),
     qr/^401 unauth/, 'the signature is looked at first');
like(problem(post_signed('pump-7', 'no gzip', %gzip)), qr/^400 malformed/,
     'then what is inside');
--- records
$T.telemetry
^pump-7 .*"data":1\}



=== a device that is not known, or has no key, or another one: one text
--- devices
pump-7 hmac
pump-8 hmac
keyless
disabled hmac enabled=0
late hmac not_after=-60
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
my %body;
my $wrong = 'k' x 32;
for ([ 'unknown device', 'pump-6', $wrong ],
     [ 'wrong key', 'pump-7', $wrong ],
     [ "another device's key", 'pump-7', hmac_key('pump-8') ],
     [ 'half of the key', 'pump-7', substr(hmac_key('pump-7'), 0, 16) ],
     [ 'no key', 'pump-7', '' ],
     [ 'a device without a key', 'keyless', '' ],
     [ 'a device without a key, zeros', 'keyless', "\0" x 32 ],
     [ 'unknown device, zeros', 'pump-6', "\0" x 32 ],
     [ 'a disabled device, wrong key', 'disabled', $wrong ],
     [ 'a disabled device, zeros', 'disabled', "\0" x 32 ],
     [ 'a late device, wrong key', 'late', $wrong ])
{
    my ($what, $device, $key) = @$_;
    my $answer = post_signed($device, '{"data":1}', key => $key);
    is($answer->{status}, 401, "refused: $what");
    is(challenges($answer), 'Gateway-HMAC-SHA256 realm="gateway"',
       '... with one challenge');
    $body{$answer->{content}}++;
}
is(scalar(keys %body), 1, 'nobody can tell one from another')
    or diag(keys %body);
--- records
$T.telemetry
--- metrics
auth_failures_total{method="hmac",reason="unauthenticated"} 11
auth_failures_total{method="hmac",reason="revoked"} 0



=== a right signature of a device that is shut out is answered "revoked"
--- devices
disabled hmac enabled=0
early hmac not_before=3600
late hmac not_after=-60
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
for (qw( disabled early late )) {
    like(problem(post_signed($_, '{"data":1}')), qr/^403 revoked/, $_);
}
--- records
$T.telemetry
--- metrics
auth_failures_total{method="hmac",reason="revoked"} 3



=== a signature has its time, window= before and behind now
--- devices
pump-7 hmac
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
location /short {
    gateway_auth hmac $AUTH/devices.db window=10s;
    gateway_pass;
}
--- then
my $now = time();
my $try = sub {
    my ($path, $time) = @_;
    return post_signed('pump-7', '{"data":1}', path => $path,
                       time => $time)->{status};
};
is($try->('/t', $now - 295), 200, 'default: 5m before');
is($try->('/t', $now + 295), 200, 'and behind');
is($try->('/t', $now - 302), 401, 'not more before');
is($try->('/t', $now + 330), 401, 'nor behind');
is($try->('/short', $now - 3), 200, 'window=10s');
is($try->('/short', $now - 12), 401, 'has passed');
is($try->('/short', $now + 40), 401, 'is to come');
is($try->('/t', "0$now"), 401, 'a leading zero');
is($try->('/t', "$now.0"), 401, 'a fraction');
is($try->('/t', '-5'), 401, 'below zero');
is($try->('/t', ''), 401, 'none');
is($try->('/t', '9' x 15), 401, 'a far one');
is($try->('/t', '9' x 30), 401, 'no number of ours');
is($try->('/t', '2026-11-23T00:00:00Z'), 401, 'a date');
--- records
$T.telemetry 3
--- metrics
auth_failures_total{method="hmac",reason="unauthenticated"} 11



=== the parameters are those of RFC 9110, each of them once
--- devices
pump-7 hmac
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
my $now = time();
my ($path, $body, %headers) = signed('pump-7', '{"data":1}', time => $now);
my ($sig) = $headers{Authorization} =~ /signature="(.*)"/;
my $try = sub { post("Gateway-HMAC-SHA256 $_[0]")->{status} };
for (qq(device="pump-7", timestamp="$now", signature="$sig"),
     qq(signature="$sig",device="pump-7",timestamp="$now"),
     qq(device=pump-7, timestamp=$now, signature=$sig),
     qq(DEVICE="pump-7" , Timestamp="$now" , SIGNATURE="$sig"))
{
    is($try->($_), 200, 'taken: ' . s/\Q$sig\E/S/r);
}
is(post("gateway-hmac-sha256 device=pump-7, timestamp=$now, signature=$sig")
   ->{status}, 200, 'taken: the scheme in any case');
for (qq(device="pump-7", timestamp="$now"),
     qq(device="pump-7", signature="$sig"),
     qq(timestamp="$now", signature="$sig"),
     qq(device="pump-7", timestamp="$now", signature="$sig", nonce="1"),
     qq(device="pump-7", timestamp="$now", signature="$sig", device="pump-7"),
     qq(device="pump-7", timestamp="$now", signature="$sig="),
     qq(device="pump-7", timestamp="$now", signature="") ,
     qq(device="", timestamp="$now", signature="$sig"),
     qq(device="pump-7" timestamp="$now" signature="$sig"),
     qq(device="pump-7", timestamp="$now", signature="$sig),
     qq(device='pump-7', timestamp="$now", signature="$sig"),
     qq(device="pump\\-7", timestamp="$now", signature="$sig"),
     qq(device=, timestamp=$now, signature=$sig), 'x', '')
{
    is($try->($_), 401, 'refused: ' . s/\Q$sig\E/S/r);
}
--- records
$T.telemetry 5



=== a new key of a device takes the place of its old one
--- devices
pump-7 hmac
--- config
location /t {
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
my $new = 'n' x 64;
is(problem(post_signed('pump-7', '{"data":1}')), '200', 'the old one');
sql("UPDATE device SET hmac_key = x'" . unpack('H*', $new) . q(';));
ok(until_true {
       post_signed('pump-7', '{"data":2}')->{status} == 401;
   }, 'is not taken any more');
is(problem(post_signed('pump-7', '{"data":3}', key => $new)), '200',
   'the new one is');
--- records
$T.telemetry
^pump-7 .*"data":1\}
^pump-7 .*"data":3\}
