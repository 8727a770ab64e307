# Errors that would come again however often the message is sent: refused with
# 502, counted, and kept in the dead letter topic where there is one.  Without
# this page one bad message could block its class for ever, or take the good
# ones of its batch with it.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== TOPIC_AUTHORIZATION_FAILED is answered 502
--- mock
push TOPIC_AUTHORIZATION_FAILED 1
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 502
--- response_headers
! Retry-After
--- response_body_like
"status":502,.*"reason":"upstream_rejected"
--- error_log eval
qr/\[error\] .* Kafka refused a message of class "telemetry" for good \(TOPIC_AUTHORIZATION_FAILED\)/
--- metrics
failed_messages_total{class="telemetry"} 1
kafka_errors_total{class="permanent"} 1
messages_total{outcome="failed"} 1
waiting_messages 0



=== a right to write that is given back is noticed
--- mock
push TOPIC_AUTHORIZATION_FAILED 1
--- then
my $body = '{"device":"a","data":1}';
is(http('POST', '/t', $body)->{status}, 502, 'none yet');
ok(until_true { http('POST', '/t', $body)->{status} == 200 }, 'and then');



=== the next message of the class is not held up
--- mock
push POLICY_VIOLATION 2
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":$_}" } 1 .. 2 ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 502, 200 ]
--- metrics
failed_messages_total 1
delivered_messages_total 1



=== MSG_SIZE_TOO_LARGE is tried alone before it is believed
--- mock
push MSG_SIZE_TOO_LARGE 1
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- metrics
delivered_messages_total 1
failed_messages_total 0



=== a message that Kafka finds too large is answered 502, its batch is stored
--- topics
$T.telemetry 1 max.message.bytes=1000
--- gateway
topic $T.telemetry;
property compression.type none;
property linger.ms 100;
--- request eval
"POST /t\n[" . CORE::join(',',
    map { "{\"device\":\"d$_\",\"data\":\"" . ($_ == 3 ? 'x' x 3000 : 'y')
          . "\"}" } 1 .. 5) . ']'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 207
--- response_body_like
"messages":5,"delivered":4,.*"failed":1,"errors":\[\{"index":2,"error":"upstream_rejected",
--- records
$T.telemetry
^d1
^d2
^d4
^d5
--- metrics
delivered_messages_total 4
failed_messages_total 1
kafka_errors_total{class="permanent"} 6



=== with dead_letter the message is kept, with what happened in its headers
--- topics
$T.telemetry 1 max.message.bytes=1000
$T.dead 1
--- gateway
topic $T.telemetry;
dead_letter $T.dead;
property compression.type none;
--- config
location /t { gateway_pass; gateway_header region eu; }
--- request eval
"POST /t\n{\"device\":\"a\",\"seq\":5,\"data\":\"" . ('x' x 3000) . '"}'
--- more_headers
Content-Type: application/json
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
--- timeout: 15
--- error_code: 502
--- response_body_like
"detail":"the message is in the dead letter topic","reason":"upstream_rejected"
--- error_log
for good (MSG_SIZE_TOO_LARGE), it is dead-lettered
--- records
$T.dead
^a \{"device":"a",.*"seq":5,.*"data":"x{3000}"\} gateway-error=MSG_SIZE_TOO_LARGE gateway-reason=upstream_rejected gateway-topic=$T.telemetry region=eu traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$

$T.telemetry
--- metrics
dead_lettered_messages_total{class="telemetry"} 1
failed_messages_total 0
delivered_messages_total 0



=== a batch with a dead letter loses nothing
--- topics
$T.telemetry 1 max.message.bytes=1000
$T.dead 1
--- gateway
topic $T.telemetry;
dead_letter $T.dead;
property compression.type none;
property linger.ms 100;
--- request eval
"POST /t\n[" . CORE::join(',',
    map { "{\"device\":\"d$_\",\"data\":\"" . ($_ == 3 ? 'x' x 3000 : 'y')
          . "\"}" } 1 .. 5) . ']'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 207
--- records
$T.telemetry
^d1
^d2
^d4
^d5

$T.dead
^d3
--- metrics
delivered_messages_total 4
dead_lettered_messages_total 1



=== a message that the dead letter topic refuses too has failed
--- topics
$T.telemetry 1 max.message.bytes=1000
$T.dead 1 max.message.bytes=1000
--- gateway
topic $T.telemetry;
dead_letter $T.dead;
property compression.type none;
--- request eval
"POST /t\n{\"device\":\"a\",\"data\":\"" . ('x' x 3000) . '"}'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 502
--- error_log
in the dead letter topic too
--- records
$T.dead
--- metrics
failed_messages_total 1
dead_lettered_messages_total 0
waiting_messages 0



=== what waits behind a refused message keeps its order
--- topics
$T.telemetry 1 max.message.bytes=1000
--- gateway
topic $T.telemetry;
property compression.type none;
property linger.ms 50;
--- request eval
"POST /t\n[" . CORE::join(',',
    map { "{\"device\":\"a\",\"seq\":$_,\"data\":\""
          . ($_ % 7 == 3 ? 'x' x 3000 : 'y') . "\"}" } 1 .. 20) . ']'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 207
--- then
my @seq = map { $_->{value} =~ /"seq":(\d+)/ }
              sort { $a->{offset} <=> $b->{offset} }
                   topic_records('$T.telemetry', 17);
is("@seq", join(' ', grep { $_ % 7 != 3 } 1 .. 20), 'the good ones, in order');



=== classes that share a topic: the innocent of another class is stored too
--- topics
$T.telemetry 1 max.message.bytes=1000
--- gateway
topic $T.telemetry;
property compression.type none;
property linger.ms 100;
--- request eval
"POST /t\n[" . CORE::join(',',
    map { "{\"device\":\"d$_\",\"class\":\""
          . ($_ < 3 ? 'control' : 'telemetry') . "\",\"data\":\""
          . ($_ == 3 ? 'x' x 3000 : 'y') . "\"}" } 1 .. 5) . ']'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 207
--- response_body_like
"messages":5,"delivered":4,.*"failed":1,"errors":\[\{"index":2,"error":"upstream_rejected",
--- records
$T.telemetry
^d1
^d2
^d4
^d5



=== a dead letter topic that is missing does not hold up the class
--- topics
$T.telemetry 1 max.message.bytes=1000
--- gateway
topic $T.telemetry;
dead_letter $T.missing;
property compression.type none;
property topic.metadata.propagation.max.ms 500;
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":\"" . ('x' x 3000) . '"}',
  "POST /t\n{\"device\":\"b\",\"data\":1}" ]
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code eval
[ 502, 200 ]
--- records
$T.telemetry
^b
--- metrics
failed_messages_total{class="telemetry"} 1
