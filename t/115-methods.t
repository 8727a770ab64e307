# Messages are sent with POST or PUT, pages are read with GET or HEAD.
# Without this page a GET could be counted as a message, or a probe refused.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== other methods are answered 405 with those that are allowed
--- then
for (qw( GET DELETE PATCH OPTIONS )) {
    my $answer = http($_, '/t');
    is($answer->{status}, 405, $_);
    is($answer->{headers}{allow}, 'POST, PUT', '... what is allowed');
    like($answer->{content}, qr/"status":405,"detail":"messages are sent with/,
         '... and how to do it');
}
--- metrics
received_messages_total 0
rejected_messages_total 0



=== HEAD is no message and has no body
--- request
HEAD /t
--- error_code: 405
--- response_body:



=== limit_except of nginx works inside
--- config
location /t {
    gateway_pass;
    limit_except POST { deny all; }
}
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "PUT /t\n{\"device\":\"b\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 403 ]
--- records
$T.telemetry
^a



=== what limit_except lets through is taken as outside of it
--- config
location /t {
    gateway_pass;
    limit_except POST { allow 127.0.0.1; deny all; }
}
--- request
PUT /t
{"device":"b","data":2}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^b



=== "if" may send some requests to another gateway
--- main_config
gateway other {
    brokers $KAFKA;
    topic $T.control;
}
gateway {
    brokers $KAFKA;
    topic $T.telemetry;
}
--- config
location /t {
    gateway_pass;
    if ($arg_other) { gateway_pass other; }
}
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "POST /t?other=1\n{\"device\":\"b\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.telemetry
^a

$T.control
^b
--- metrics
delivered_messages_total{gateway="default"} 1
delivered_messages_total{gateway="other"} 1



=== an "if" that does something else leaves the gateway where it was
--- config
location /t {
    gateway_pass;
    if ($arg_a) { set $b 1; }
}
--- request
POST /t?a=1
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^a



=== status pages are read with GET and HEAD
--- no_kafka
--- then
is(http('GET', $_)->{status}, 200, "GET $_")
    for qw( /live /metrics /status );
is(http('HEAD', $_)->{status}, 200, "HEAD $_")
    for qw( /live /metrics /status );
is(http('POST', $_, 'x')->{status}, 405, "POST $_")
    for qw( /live /metrics /status );
