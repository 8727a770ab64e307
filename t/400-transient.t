# Errors of Kafka that pass: the sender just waits, and the message is there
# in the end.  Without this page an election of a leader would be answered
# with 502, and a fleet would send all again.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== NOT_LEADER_FOR_PARTITION three times is no fault of the sender
--- mock
push NOT_LEADER_FOR_PARTITION 3
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 200
--- metrics
delivered_messages_total 1
failed_messages_total 0
kafka_reports_total{outcome="persisted"} 1



=== REQUEST_TIMED_OUT three times is no fault of the sender
--- mock
push REQUEST_TIMED_OUT 3
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 200
--- metrics
delivered_messages_total 1
failed_messages_total 0



=== NOT_ENOUGH_REPLICAS three times is no fault of the sender
--- mock
push NOT_ENOUGH_REPLICAS 3
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 200
--- metrics
delivered_messages_total 1
failed_messages_total 0



=== a whole batch is waited for
--- mock
push NOT_ENOUGH_REPLICAS 2
push REQUEST_TIMED_OUT 1
--- request eval
"POST /t\n[" . CORE::join(',', map { "{\"device\":\"d$_\",\"data\":1}" }
                                   1 .. 100) . ']'
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 200
--- response_body_like
"messages":100,"delivered":100,
--- metrics
delivered_messages_total 100
waiting_messages 0



=== an error that librdkafka does not repeat itself is repeated by the gateway
--- mock
--- gateway
topic $T.telemetry;
retry 10ms 100ms;
property retries 1;
--- then
mock_command('push NOT_ENOUGH_REPLICAS 6');
is(http('POST', '/t', '{"device":"a","data":1}')->{status}, 200,
   'the sender waits');
--- error_log
it is sent again
--- metrics
delivered_messages_total 1
failed_messages_total 0
kafka_errors_total{class="permanent"} 0
--- timeout: 20



=== a broker that comes back finds the message waiting
--- mock
--- then
mock_command('down');
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n{\"device\":\"a\",\"data\":1}");
until_true { metric('accepted_messages_total') };
is(metric('waiting_messages'), 1, 'the message waits');
mock_command('up');
like(answer($client), qr/^HTTP\/1.1 200 /, 'and is delivered');
--- metrics
delivered_messages_total 1
kafka_up 1
