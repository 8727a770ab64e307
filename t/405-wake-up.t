# librdkafka wakes a worker up when its queue was empty.  What is in the queue
# before it is told whom to wake, a log line or a refused connection, must not
# keep the worker from ever hearing of Kafka again: it would take messages and
# answer none, until somebody restarts it.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a producer that talks before it is listened to is heard
--- mock
--- gateway
topic $T.telemetry;
property debug all;
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- timeout: 15
--- error_code: 200
--- metrics
delivered_messages_total 1
kafka_up 1
