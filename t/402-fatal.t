# An idempotent producer can fail for good; librdkafka then takes no message
# any more.  The gateway makes a new one and sends what was not written.
# Without this page a worker would answer 503 until somebody restarts it.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== after a fatal error a new producer takes over, and nothing is lost
--- mock
--- gateway
topic $T.telemetry;
retry 10ms 100ms;
--- then
is(http('POST', '/t', '{"device":"a","seq":1,"data":1}')->{status}, 200,
   'the first is delivered');
mock_command('push OUT_OF_ORDER_SEQUENCE_NUMBER 1');
is(http('POST', '/t', '{"device":"a","seq":2,"data":1}')->{status}, 200,
   'the one that met the error is delivered');
is(http('POST', '/t', '{"device":"a","seq":3,"data":1}')->{status}, 200,
   'and so is the next');
--- metrics
delivered_messages_total 3
failed_messages_total 0
lost_messages_total 0
waiting_messages 0
kafka_fatal_errors_total 1
kafka_possible_duplicates_total 1
kafka_up 1
--- error_log
the producer failed for good (OUT_OF_ORDER_SEQUENCE_NUMBER
--- timeout: 20



=== many messages that are out when it happens are all delivered
--- mock
--- gateway
topic $T.telemetry;
retry 10ms 100ms;
property linger.ms 20;
--- then
is(http('POST', '/t', '{"device":"a","data":1}')->{status}, 200, 'it runs');
mock_command('push OUT_OF_ORDER_SEQUENCE_NUMBER 1');
my $answer = http('POST', '/t', '[' . join(',', map
                  { "{\"device\":\"d$_\",\"data\":1}" } 1 .. 200) . ']');
like($answer->{content}, qr/^\{"messages":200,"delivered":200,/, 'all of them')
    or diag($answer->{content});
my ($retries, $possible) = http('GET', '/status')->{content}
                           =~ /"retries":(\d+),"possible_duplicates":(\d+)/;
is($possible, $retries, 'what a failed producer calls "not written" may have '
   . 'been written: all that is sent again counts as a possible duplicate');
cmp_ok($retries, '>', 0, 'and some were sent again');
--- metrics
delivered_messages_total 201
lost_messages_total 0
waiting_messages 0
--- error_log
a new one takes over
