# A topic that does not exist: its class waits for it, the others go on.
# Without this page an operator who forgets one topic would stop all, or lose
# what was sent until he saw it.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== messages wait until their topic is made
--- topics
$T.control 1
--- gateway
topic $T.control;
class control;
class telemetry topic=$T.telemetry;
retry 50ms 200ms;
property topic.metadata.propagation.max.ms 200;
--- config
location /t { gateway_pass; gateway_timeout 20s; }
--- then
my $body = '{"device":"a","data":1}';
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n$body");
until_true { metric('kafka_retries_total') };
is(metric('waiting_messages{class="telemetry"}'), 1, 'the message waits');
is(http('POST', '/t', '{"device":"a","class":"control","data":2}')->{status},
   200, 'another class is not held up');
tap('PUT', '/topics/$T.telemetry?partitions=1');
like(answer($client), qr/^HTTP\/1.1 200 /, 'then it is delivered');
--- records
$T.telemetry
^a .*"data":1\}

$T.control
^a .*"data":2\}
--- metrics
delivered_messages_total{class="telemetry"} 1
delivered_messages_total{class="control"} 1
failed_messages_total 0



=== the gateway does not make topics
--- topics
$T.control 1
--- gateway
topic $T.telemetry;
drain_timeout 100ms;
property topic.metadata.propagation.max.ms 200;
--- config
location /t { gateway_pass; gateway_timeout 700ms; }
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 503
--- response_body_like
"reason":"timeout"
--- then
my $r = HTTP::Tiny->new->get("http://127.0.0.1:"
            . (($ENV{GATEWAY_KAFKA} =~ /:(\d+)$/)[0] + 2)
            . '/topics/$T.telemetry/end');
isnt($r->{status}, 200, 'there is still none');
--- shutdown_error_log
gateway "default" gives up draining after
delivered=0 spooled=0 lost=1
