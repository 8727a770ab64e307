# A chain: "gateway_auth" several times, the first whose credential is there
# decides; what a level inherits, what "off" means, and what "gateway_device"
# adds.  Without this page a location could be open that nobody opened, or a
# bad credential be passed over for a better one.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

# who sent it: the device of the record and the method, as the log has them

our $log = <<'END';
log_format auth '$uri $status [$gateway_device] [$gateway_auth]';
access_log logs/access.log auth;
END

add_block_preprocessor(sub {
    my ($block) = @_;

    my $http = $block->http_config;
    $block->set_value('http_config', $log . (defined $http ? $http : ''));
});

run_tests();

__DATA__

=== each credential has its method, whatever the order of the lines
--- devices
pump-7 hmac
--- keys: p256
--- config
location /a {
    gateway_auth devices $AUTH/devices.db;
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
location /b {
    gateway_auth hmac $AUTH/devices.db;
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
for my $path (qw( /a /b )) {
    is(problem(post(basic('pump-7'), undef, path => $path)), '200', 'token');
    is(problem(post(bearer('ES256', 'p256', sub => 'pump-8'), undef,
                    path => $path)), '200', 'JWT');
    is(problem(post_signed('pump-7', '{"data":1}', path => $path)), '200',
       'signature');
    logged(qr/^$path 200 \[pump-7\] \[devices\]$/, 'access.log');
    logged(qr/^$path 200 \[pump-8\] \[jwt\]$/, 'access.log');
    logged(qr/^$path 200 \[pump-7\] \[hmac\]$/, 'access.log');
}
--- records
$T.telemetry
^pump-7
^pump-7
^pump-7
^pump-7
^pump-8
^pump-8



=== a 401 offers each way of the chain, once
--- devices
pump-7 hmac
--- keys: p256
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_auth hmac $AUTH/devices.db;
    gateway_auth tls classes=*;
    gateway_pass;
}
--- then
my @ways = ('Basic realm="gateway", charset="UTF-8"',
            'Bearer realm="gateway"', 'Gateway-HMAC-SHA256 realm="gateway"');
is(join(' | ', sort split / \| /, challenges(post(undef))),
   join(' | ', @ways), 'nothing sent');
is(join(' | ', sort split / \| /, challenges(post(basic('x')))),
   join(' | ', @ways), 'a bad token');
$ways[1] .= ', error="invalid_token"';
is(join(' | ', sort split / \| /, challenges(post('Bearer x'))),
   join(' | ', @ways), 'a bad JWT');
is(post(undef)->{content}, post('Bearer x')->{content}, 'one text');
--- metrics
auth_failures_total{method="none",reason="unauthenticated"} 2
auth_failures_total{method="devices",reason="unauthenticated"} 1
auth_failures_total{method="jwt",reason="unauthenticated"} 2



=== a bad credential is not passed over for a good one
--- devices
spiffe:pump-7
--- http_config eval
my ($ca) = GatewayAuth::certificate('ca');
my ($pem, $key) = GatewayAuth::certificate('server', san => 'DNS:localhost');
GatewayAuth::certificate('pump-7', san => 'URI:spiffe:pump-7');
join '', map { my ($name, @chain) = @$_; "server {
    listen unix:\$AUTH/$name.sock ssl;
    ssl_certificate $pem;
    ssl_certificate_key $key;
    ssl_client_certificate $ca;
    ssl_verify_client on;
    location /t { " . join('', map { "gateway_auth $_;" } @chain) . "
        gateway_pass; }
}
" } [ 'first', 'devices $AUTH/devices.db', 'tls classes=*' ],
    [ 'last', 'tls classes=*', 'devices $AUTH/devices.db' ];
--- then
my %first = (socket => 'first.sock');
my %last = (socket => 'last.sock');
is(problem(curl('pump-7', undef, %first, Authorization => 'Basic eDp5'))
   =~ s/ .*//r, 401, 'token first: the bad token decides');
is(problem(curl('pump-7', undef, %last, Authorization => 'Basic eDp5')),
   '200', 'certificate first: it decides');
is(problem(curl('pump-7', undef, %first)), '200',
   'token first: without one the certificate');
is(problem(curl('pump-7', undef, %first,
                Authorization => basic('spiffe:pump-7'))), '200', 'and with');
logged(qr/^\/t 401 \[-?\]/, 'access.log');
logged(qr/^\/t 200 \[spiffe:pump-7\] \[tls\]$/, 'access.log');
logged(qr/^\/t 200 \[spiffe:pump-7\] \[devices\]$/, 'access.log');
--- records
$T.telemetry 3
^spiffe:pump-7
^spiffe:pump-7
^spiffe:pump-7



=== a level that has no line of its own takes the chain above
--- devices
pump-7
--- keys: p256
--- http_config
gateway_auth devices $AUTH/devices.db;
--- config
gateway_auth jwt keys=$AUTH/keys.json;
location /server { gateway_pass; }
location /outer {
    gateway_auth devices $AUTH/devices.db;
    location /outer/inner { gateway_pass; }
    location /outer/own {
        gateway_auth jwt keys=$AUTH/keys.json;
        gateway_pass;
    }
    location /outer/off {
        gateway_auth off;
        gateway_pass;
        location /outer/off/inner { gateway_pass; }
        location /outer/off/on {
            gateway_auth devices $AUTH/devices.db;
            gateway_pass;
        }
    }
}
--- then
my $token = basic('pump-7');
my $jwt = bearer('ES256', 'p256');
my $body = '{"device":"pump-7","data":1}';
my $say = sub {
    my ($path) = @_;
    return join ' ', map { post($_, $body, path => $path)->{status} }
                         $token, $jwt, undef;
};
is($say->('/server'), '401 200 401', "the server's, not that of http too");
is($say->('/outer/inner'), '200 401 401', "the outer location's");
is($say->('/outer/own'), '401 200 401', 'its own');
is($say->('/outer/off'), '200 200 200', 'off');
is($say->('/outer/off/inner'), '200 200 200', 'off, inherited');
is($say->('/outer/off/on'), '200 401 401', 'on again');



=== several servers, each with a registry of its own
--- devices
pump-7
both
--- before
GatewayAuth::registry('other.db', "pump-8\n");
GatewayAuth::new_token('both');
GatewayAuth::sql(GatewayAuth::row('both'), GatewayAuth::auth_path('other.db'));
--- http_config
gateway_auth devices $AUTH/devices.db;
server {
    listen 127.0.0.1:$PORT2;
    gateway_auth devices $AUTH/other.db;
    location /t { gateway_pass; }
}
--- config
location /t { gateway_pass; }
--- then
my $say = sub {
    my ($device) = @_;
    return join ' ', map { post(basic($device), undef, port => $_)->{status} }
                         0, port2(), 0, port2();
};
is($say->('pump-7'), '200 401 200 401', 'of the first');
is($say->('pump-8'), '401 200 401 200', 'of the second');
is($say->('both'), '401 200 401 200', 'of both, by the token of the second');
--- metrics
auth_failures_total{reason="unauthenticated"} 6



=== two gateways number their classes each for itself
--- devices
pump-7 classes=control
--- main_config
gateway one { brokers $KAFKA; topic $T.telemetry; class control; class data; }
gateway two { brokers $KAFKA; topic $T.telemetry; class data; class control; }
--- config
location /one {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass one;
}
location /two {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass two;
}
--- then
for my $path (qw( /one /two )) {
    is(problem(post(basic('pump-7'), qq({"class":"$_","data":1}),
                    path => $path)) =~ s/ .*//r,
       $_ eq 'control' ? 200 : 403, "$path: $_") for qw( control data control );
}



=== gateway_device says for whom the sender speaks
--- devices
gw-1 speaks_for=pump-*,valve
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_device $http_x_device;
    gateway_pass;
}
--- then
my $try = sub {
    my ($device, $body) = @_;
    return problem(post(basic('gw-1'), $body,
                        defined $device ? ('X-Device' => $device) : ()))
           =~ s/^(\d+ ?\w*).*/$1/r;
};
is($try->('pump-7', '{"data":1}'), '200', 'one of its list');
is($try->('valve', '{"data":2}'), '200', 'another');
is($try->('gw-1', '{"data":3}'), '200', 'itself');
is($try->(undef, '{"data":4}'), '200', 'empty: itself');
is($try->(undef, '{"device":"pump-8","data":5}'), '200',
   'empty: the envelope may say');
is($try->('pump-7', '{"device":"pump-7","data":6}'), '200', 'both the same');
is($try->('pump-7', '{"device":"valve","data":7}'), '403 forbidden',
   'both, and not the same');
is($try->('valve-2', '{"data":8}'), '403 forbidden', 'not of its list');
is($try->('x' x 129, '{"data":8}'), '403 forbidden', 'no name of a device');
is(post(undef, '{"data":9}', 'X-Device' => 'pump-7')->{status}, 401,
   'without the token');
logged(qr/^\/t 200 \[(?:pump-7|gw-1)\] \[devices\]$/, 'access.log');
--- records
$T.telemetry
^pump-7 .*"data":1\}
^valve .*"data":2\}
^gw-1 .*"data":3\}
^gw-1 .*"data":4\}
^pump-8 .*"data":5\}
^pump-7 .*"data":6\}



=== without gateway_auth, gateway_device alone is the identity
--- devices
pump-7
--- http_config
gateway_auth devices $AUTH/devices.db;
--- config
location /t {
    gateway_auth off;
    gateway_device $http_x_device;
    gateway_pass;
}
--- then
is(problem(post(undef, undef, 'X-Device' => 'anybody')), '200', 'taken');
my $answer = post(undef);
like(problem($answer), qr/^401 unauth/, 'none');
is(challenges($answer), '', 'we cannot say how to sign in');
logged(qr/^\/t 200 \[anybody\] \[-?\]$/, 'access.log');
--- records
$T.telemetry
^anybody
--- metrics
rejected_messages_total{reason="unauthenticated"} 1



=== auth_basic and auth_request of nginx give the identity
--- user_files
>>> users
pump-7:{PLAIN}secret
--- config
location /basic {
    auth_basic devices;
    auth_basic_user_file ../html/users;
    gateway_device $remote_user;
    gateway_pass;
}
location /asked {
    auth_request /ask;
    auth_request_set $who $upstream_http_x_who;
    gateway_device $who;
    gateway_pass;
}
location = /ask {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/judge;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
}
location = /judge {
    if ($http_x_ticket != "good") { return 401; }
    add_header X-Who pump-9;
    return 204;
}
--- then
my $in = 'Basic cHVtcC03OnNlY3JldA==';
is(problem(post($in, undef, path => '/basic')), '200', 'auth_basic');
is(post('Basic cHVtcC03Ong=', undef, path => '/basic')->{status}, 401,
   'refused there');
is(problem(post(undef, undef, path => '/asked', 'X-Ticket' => 'good')), '200',
   'auth_request');
is(post(undef, undef, path => '/asked', 'X-Ticket' => 'bad')->{status}, 401,
   'refused there');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",
^pump-9 \{"device":"pump-9",



=== an access module and gateway_auth must both agree
--- devices
pump-7 speaks_for=pump-9
--- config
location /t {
    auth_request /ask;
    auth_request_set $who $upstream_http_x_who;
    gateway_auth devices $AUTH/devices.db;
    gateway_device $who;
    gateway_pass;
}
location = /ask {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/judge;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
}
location = /judge {
    if ($http_x_ticket = "") { return 403; }
    add_header X-Who $http_x_ticket;
    return 204;
}
--- then
my $token = basic('pump-7');
is(problem(post($token, undef, 'X-Ticket' => 'pump-9')), '200', 'both');
is(post($token)->{status}, 403, 'the token alone');
is(post(undef, undef, 'X-Ticket' => 'pump-9')->{status}, 401,
   'the ticket alone');
is(post($token, undef, 'X-Ticket' => 'pump-8')->{status}, 403,
   'a ticket of another device');
--- records
$T.telemetry
^pump-9 \{"device":"pump-9",



=== raw bodies are those of the identity
--- devices
pump-7
gw-1 speaks_for=pump-*
--- config
location /raw {
    gateway_auth devices $AUTH/devices.db;
    gateway_format raw;
    gateway_pass;
}
location /for {
    gateway_auth devices $AUTH/devices.db;
    gateway_format raw;
    gateway_device $arg_d;
    gateway_pass;
}
--- then
is(problem(post(basic('pump-7'), '{"device":"x"}', path => '/raw')), '200',
   'the identity');
is(problem(post(basic('gw-1'), '2', path => '/for?d=pump-8')), '200',
   'one that it speaks for');
is(problem(post(basic('gw-1'), '3', path => '/for')), '200', 'itself');
is(post(basic('pump-7'), '4', path => '/for?d=pump-8')->{status}, 403,
   'one that it does not speak for');
is(post(undef, '5', path => '/for?d=pump-8')->{status}, 401, 'nobody');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",.*"data":\{"device":"x"\}\}
^pump-8 .*"data":2\}
^gw-1 .*"data":3\}
