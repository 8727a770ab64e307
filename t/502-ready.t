# The answers for load balancers.  Without this page a gateway that cannot
# take messages would still be sent them, or one that can would be left out.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a gateway that takes messages is ready and live
--- config
location = /ready { gateway_status ready; }
--- no_kafka
--- request eval
[ "GET /ready", "GET /live" ]
--- error_code eval
[ 200, 200 ]
--- response_headers eval
[ "Content-Type: text/plain\nCache-Control: no-store",
  "Content-Type: text/plain\nCache-Control: no-store" ]
--- response_body eval
[ "ready\n", "live\n" ]



=== above the high mark with Kafka away it is not ready, but live
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
buffer 2m;
pressure high=50% low=40%;
drain_timeout 100ms;
ack queued;
--- config
location /t { gateway_pass; }
location = /ready { gateway_status ready; }
--- no_kafka
--- then
my $body = '{"device":"d","class":"control","data":"' . ('x' x 20000) . '"}';
is(http('GET', '/ready')->{status}, 200, 'ready, though Kafka is away');
ok(until_true {
    http('POST', '/t', $body);
    http('GET', '/ready')->{status} == 503;
}, 'not ready once it is full');
is(http('GET', '/ready')->{content},
   "above the high mark and Kafka does not answer\n", 'it says why');
is(http('GET', '/live')->{status}, 200, 'live');
is(http('GET', $_)->{status}, 200, "$_ is never refused")
    for qw( /status /metrics );
logged(qr/\[warn\] .* gateway "default" is above its high mark: /);
--- metrics
pressure 1
kafka_up 0



=== above the high mark the lowest class is refused before its body is read
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
buffer 2m;
pressure high=50% low=40%;
drain_timeout 100ms;
ack queued;
--- config
location /t { gateway_pass; }
location /u { gateway_pass; gateway_overload_status 429; }
--- no_kafka
--- then
my $body = '{"device":"d","class":"control","data":"' . ('x' x 20000) . '"}';
ok(until_true { http('POST', '/t', $body); metric('pressure') }, 'it is full');
my $answer = http('POST', '/t', '{"device":"d","data":1}',
                  'Gateway-Class' => 'telemetry');
is(problem($answer), '503 pressure', 'refused for pressure');
like($answer->{headers}{'retry-after'}, qr/^[1-5]$/, 'to come again');
is(http('POST', '/u', '{"device":"d","data":1}',
        'Gateway-Class' => 'telemetry')->{status}, 429, 'or with 429');
is(http('POST', '/t', '{"device":"d","class":"control","data":1}',
        'Gateway-Class' => 'control')->{status}, 202,
   'a higher class is still taken');
--- metrics
shed_at_entry_messages_total{class="telemetry",reason="pressure"} 2
shed_messages_total{class="telemetry",reason="pressure"} 2
messages_total{outcome="shed"} 2



=== while it drains it is not ready
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
drain_timeout 3s;
ack queued;
--- config
location /t { gateway_pass; }
location = /ready { gateway_status ready; }
--- no_kafka
--- no_books
--- then
is(http('POST', '/t', '{"device":"d","data":1}')->{status}, 202, 'one waits');
my $client = client("GET /ready HTTP/1.1\r\nHost: a\r\n");
ok(until_true { http('GET', '/live')->{status} == 200 }, 'it runs');
kill 'QUIT', master_pid();
ok(until_true { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => port()) },
   'it accepts no more');
$client->print("\r\n");
like(answer($client), qr/^HTTP\/1.1 503 .*\r\n\r\ndraining\n$/s, 'and says so');
--- shutdown_error_log
lost=1
