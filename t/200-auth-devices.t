# "gateway_auth devices": a device signs in with its name and its token, which
# the registry knows as a salted hash.  Without this page a guess, a name alone
# or a device that was shut out could be taken for a sender.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

run_tests();

__DATA__

=== name and token are the identity, which the log shows
--- devices
pump-7 tenant=acme
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
    access_log logs/access.log auth;
}
--- then
my $answer = post(basic('pump-7'));
is(problem($answer), '200', 'taken');
is(challenges($answer), '', 'and nothing asked for');
is(post(basic('pump-7'), '{"device":"pump-7","data":2}')->{status}, 200,
   'the envelope may name it too');
logged(qr/^200 \[pump-7\] \[acme\] \[devices\]$/, 'access.log');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",.*"data":1\}
^pump-7 \{"device":"pump-7",.*"data":2\}
--- metrics
auth_failures_total{method="devices",reason="unauthenticated"} 0
auth_cache_lookups_total{result="miss"} 1
auth_cache_lookups_total{result="hit"} 1
auth_cache_entries{kind="positive"} 1
auth_cache_entries{kind="negative"} 0



=== without a token a request is refused with 401, its body not read
--- devices
pump-7
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
    access_log logs/access.log auth;
}
--- then
my $answer = post(undef, '{"device":"pump-7","data":1}');
is($answer->{status}, 401, 'refused');
is($answer->{headers}{'content-type'}, 'application/problem+json',
   'as a problem');
like($answer->{content}, qr/"reason":"unauthenticated"/, 'with a reason');
is(challenges($answer), 'Basic realm="gateway", charset="UTF-8"',
   'and the way to sign in');
logged(qr/^401 \[-?\] \[-?\] \[-?\]$/, 'access.log');
--- records
$T.telemetry
--- metrics
received_bytes_total 0
rejected_messages_total{reason="unauthenticated"} 1
auth_failures_total{method="none",reason="unauthenticated"} 1
messages_total{outcome="denied"} 1



=== an unknown device and a bad token are answered in one text
--- devices
pump-7
pump-8
pump-9 tokenless
pump-10 enabled=0
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my %body;
my $wrong = token('nobody');
for ([ 'unknown device', 'pump-6', $wrong ],
     [ 'bad token', 'pump-7', $wrong ],
     [ "another device's token", 'pump-7', token('pump-8') ],
     [ 'device without a token', 'pump-9', token('pump-9') ],
     [ 'the same with none', 'pump-9', '' ],
     [ 'shut out, bad token', 'pump-10', $wrong ],
     [ 'no token', 'pump-7', '' ],
     [ 'token cut', 'pump-7', substr(token('pump-7'), 0, 42) ],
     [ 'token and more', 'pump-7', token('pump-7') . 'A' ],
     [ 'token padded', 'pump-7', token('pump-7') . '=' ],
     [ 'token in other case', 'pump-7', token('pump-7') =~ tr/a-zA-Z/A-Za-z/r ],
     [ 'name in other case', 'Pump-7', token('pump-7') ],
     [ 'name and more', 'pump-77', token('pump-7') ],
     [ 'no name', '', token('pump-7') ],
     [ 'pattern for a name', 'pump-%', token('pump-7') ],
     [ 'statement for a name', q(' OR '1'='1), token('pump-7') ],
     [ 'name with a NUL', "pump-7\0", token('pump-7') ],
     [ 'name of 129 bytes', 'x' x 129, $wrong ],
     [ 'token of 5000 bytes', 'pump-7', 'x' x 5000 ])
{
    my ($what, $device, $secret) = @$_;
    my $answer = post(basic($device, $secret));
    is($answer->{status}, 401, "refused: $what");
    is(challenges($answer), 'Basic realm="gateway", charset="UTF-8"',
       '... with one challenge');
    $body{$answer->{content}}++;
}
is(scalar(keys %body), 1, 'nobody can tell one from another')
    or diag(keys %body);
is(problem(post(basic('pump-7'))), '200', 'the right one passes');
--- records
$T.telemetry
^pump-7
--- metrics
auth_failures_total{method="devices",reason="unauthenticated"} 19
auth_failures_total{method="devices",reason="revoked"} 0



=== what is no Basic of name and token is refused as unknown
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $good = basic('pump-7');
$good =~ s/^Basic //;
my %refused = (
    'no base64' => 'Basic %%%%', 'no colon' => 'Basic cHVtcC03',
    'nothing' => 'Basic ', 'a blank inside' => 'Basic ' . $good =~ s/^(.{8})/$1 /r,
    'more behind' => "Basic $good x", 'two values' => "Basic $good, Basic $good",
    'base64url' => 'Basic _-8_', 'the value alone' => $good);
for (sort keys %refused) {
    is(post($refused{$_})->{status}, 401, "refused: $_");
}
for ("basic $good", "BASIC $good", "Basic   $good") {
    is(post($_)->{status}, 200, 'taken: ' . s/ .*/ .../r);
}
--- records
$T.telemetry 3
^pump-7
^pump-7
^pump-7



=== other schemes are not those of a device with a token
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $token = token('pump-7');
for ("Bearer $token", 'Digest username="pump-7"', "Basically $token",
     'Gateway-HMAC-SHA256 device="pump-7"')
{
    is(post($_)->{status}, 401, 'refused: ' . s/ .*/ .../r);
}
--- records
$T.telemetry
--- metrics
auth_failures_total{method="none",reason="unauthenticated"} 4
auth_failures_total{method="devices",reason="unauthenticated"} 0



=== a right token of a device that is shut out is answered 403 "revoked"
--- devices
disabled enabled=0
early not_before=3600
late not_after=-3600
now not_before=-3600 not_after=3600
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
for my $device (qw( disabled early late )) {
    for (1, 2) {
        my $answer = post(basic($device));
        like(problem($answer), qr/^403 revoked/, "refused: $device");
        is(challenges($answer), '', '... for signing in again is no use');
    }
}
is(problem(post(basic('now'))), '200', 'inside of its time it is taken');
--- records
$T.telemetry
^now
--- metrics
auth_failures_total{method="devices",reason="revoked"} 6
rejected_messages_total{reason="revoked"} 6
auth_cache_lookups_total{result="negative_hit"} 3
auth_cache_entries{kind="negative"} 3



=== the time of a device ends while its identity is cached
--- devices
pump-7 not_after=3
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
is(problem(post(basic('pump-7'))), '200', 'before');
my $answer;
ok(until_true { ($answer = post(basic('pump-7')))->{status} != 200 },
   'it ends');
like(problem($answer), qr/^403 revoked/, 'as if it was revoked');
is(metric('auth_generation'), 1, 'and nothing was changed for it');
--- metrics
rejected_messages_total{reason="revoked"} 1
rejected_messages_total 1



=== a name may have any byte that the registry lets in, colons too
--- devices
a
gw:1:2
A.b_c@d-e
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
for ('a', 'gw:1:2', 'A.b_c@d-e', 'x' x 128) {
    is(problem(post(basic($_))), '200', "taken: $_");
}
--- records
$T.telemetry
^a \{"device":"a",
^gw:1:2 \{"device":"gw:1:2",
^A\.b_c@d-e \{"device":"A\.b_c@d-e",
^x{128} \{"device":"x{128}",



=== a registry that cannot be read lets nobody in, and says so
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
is(problem(post(basic('pump-7'))), '200', 'well');
sql('ALTER TABLE device RENAME TO other;');
my $answer;
ok(until_true { ($answer = post(basic('pump-7')))->{status} != 200 },
   'until its table is gone');
like(problem($answer), qr/^500 internal/, 'then it is the fault of nobody');
is(challenges($answer), '', 'who asks');
sql('ALTER TABLE other RENAME TO device;');
ok(until_true { post(basic('pump-7'))->{status} == 200 },
   'and well again with the table');
--- metrics
auth_failures_total{method="devices",reason="unauthenticated"} 0



=== a registry need not be in WAL mode
--- devices
pump-7
--- before
GatewayAuth::sql('PRAGMA journal_mode = DELETE;');
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
is(problem(post(basic('pump-7'))), '200', 'taken');
sql(q{UPDATE device SET enabled = 0;});
ok(until_true { post(basic('pump-7'))->{status} == 403 }, 'a change is seen');



=== of a batch there is one identity
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
like(post(basic('pump-7'), '[{"data":1},{"data":2}]')->{content},
     qr/"delivered":2/, 'both');
like(post(basic('pump-7'), qq({"data":3}\n{"data":4}\n),
          'Content-Type' => 'application/x-ndjson')->{content},
     qr/"delivered":2/, 'both');
is(post(basic('pump-7', token('x')), '[{"data":5},{"data":6}]')->{status},
   401, 'neither');
--- records
$T.telemetry
^pump-7 .*"data":1\}
^pump-7 .*"data":2\}
^pump-7 .*"data":3\}
^pump-7 .*"data":4\}
--- metrics
auth_cache_lookups_total{result="miss"} 2
