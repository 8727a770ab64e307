# A worker that has no producer: it says so once, keeps what it is sent within
# its buffer, and tries again.  Without this page such a worker would look like
# one whose Kafka is slow.

use lib 't/lib';
use File::Copy;
use File::Spec;
use File::Temp;
use GatewayTest 'no_plan';

# "nginx -t" made sure that there can be a producer, where it was run; the
# worker looks for the relative name in its own working directory

my $dir = File::Temp->newdir(DIR => $ENV{BUILD} || 'build');

copy('/etc/ssl/certs/ca-certificates.crt', "$dir/ca.pem");

$ENV{TEST_NGINX_CA} = File::Spec->abs2rel("$dir/ca.pem");

run_tests();

__DATA__

=== a worker whose producer cannot be made says so and waits
--- main_config
working_directory $TEST_NGINX_SERVROOT;
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
drain_timeout 100ms;
property security.protocol ssl;
property ssl.ca.location $TEST_NGINX_CA;
--- config
location /t { gateway_pass; gateway_timeout 200ms; }
--- no_kafka
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 503
--- response_body_like
"reason":"timeout"
--- error_log
[crit]
rd_kafka_new() failed: ssl.ca.location failed
gateway "default" has no producer, messages wait in memory until there is one
--- metrics
waiting_messages 1
kafka_up 0
--- shutdown_error_log
lost=1



=== a Kafka that is away is said once, and once that it is back
--- mock
--- then
is(http('POST', '/t', '{"device":"a","data":1}')->{status}, 200, 'it is there');
logged(qr/\[notice\] .* gateway "default": Kafka answers/);
mock_command('down');
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n{\"device\":\"a\",\"data\":1}");
logged(qr/\[warn\] .* gateway "default": Kafka does not answer: \d+ messages/);
ok(until_true { metric('kafka_up') == 0 }, 'the page tells');
mock_command('up');
like(answer($client), qr/^HTTP\/1.1 200 /, 'what waited is delivered');
ok(until_true { metric('kafka_up') == 1 }, 'the page tells');
--- metrics
delivered_messages_total 2
