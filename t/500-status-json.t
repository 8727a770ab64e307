# The status page as JSON, for people with curl and for programs.  Without
# this page its figures could differ from those of /metrics.

use lib 't/lib';
use GatewayTest 'no_plan';

sub status {
    my $answer = http('GET', '/status');
    is($answer->{status}, 200, 'the page is there');
    return JSON::PP::decode_json($answer->{content});
}

run_tests();

__DATA__

=== the page is JSON that no cache keeps
--- no_kafka
--- request
GET /status
--- error_code: 200
--- response_headers
Content-Type: application/json
Cache-Control: no-store



=== the page has versions, gateways, protocols, classes and workers
--- request
POST /t
[{"device":"a","data":1},{"device":"b","class":"control","data":1},7]
--- more_headers
Content-Type: application/json
--- error_code: 207
--- then
my $s = main::status();
like($s->{$_}, qr/^\d+\.\d+/, $_) for qw( version nginx librdkafka jansson );
is($s->{workers}, 1, 'one worker is configured');
is(scalar @{$s->{gateways}}, 1, 'one gateway');
my $g = $s->{gateways}[0];
is($g->{name}, 'default', 'its name');
my $http = $g->{protocols}{http};
is($http->{received}, 3, 'received');
is($http->{accepted}, 2, 'accepted');
is($http->{delivered}, 2, 'delivered');
is($http->{rejected}{malformed}, 1, 'rejected');
is($http->{ingest}{count}, 1, 'one answer was timed');
is(join(' ', sort keys %{$g->{classes}}), 'control heartbeat telemetry',
   'the classes');
is($g->{classes}{control}{delivered}, 1, 'one of control');
is($g->{classes}{telemetry}{delivered}, 1, 'one of telemetry');
is($g->{kafka}{reports}{persisted}, 2, 'two reports');
is(scalar @{$g->{workers}}, 1, 'one worker');
is($g->{workers}[0]{delivered}, 2, 'which did it');



=== the page and /metrics agree
--- config
location /t { gateway_pass; }
location /u { gateway_pass; gateway_device $http_x; }
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}", "POST /t\n{",
  "POST /u\n{\"device\":\"a\",\"data\":1}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 400, 401 ]
--- then
my $http = main::status()->{gateways}[0]{protocols}{http};
my @m = metrics();
is($http->{received}, metric('received_messages_total', @m), 'received');
is($http->{delivered}, metric('delivered_messages_total', @m), 'delivered');
is($http->{rejected}{$_}, metric("rejected_messages_total{reason=\"$_\"}", @m),
   $_) for qw( malformed unauthenticated );
is($http->{received_bytes}, metric('received_bytes_total', @m), 'bytes');



=== Kafka is up once it has answered, and its broker is named
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
my $kafka = $ENV{GATEWAY_KAFKA};
ok(until_true {
    my $g = JSON::PP::decode_json(http('GET', '/status')->{content})
                ->{gateways}[0];
    $g->{state}{kafka} eq 'up'
    && grep { $_->{name} eq $kafka && $_->{up} } @{$g->{kafka}{brokers}};
}, 'up, with its address');
--- metrics
kafka_up 1



=== several gateways stand side by side
--- main_config
gateway one {
    brokers $KAFKA;
    topic $T.telemetry;
}
gateway two {
    brokers $KAFKA;
    topic $T.control;
    class only;
}
--- config
location /t { gateway_pass one; }
location /u { gateway_pass two; }
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "POST /u\n{\"device\":\"b\",\"data\":1}",
  "POST /u\n{\"device\":\"c\",\"data\":1}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (200) x 3 ]
--- then
my %g = map { $_->{name} => $_ } @{main::status()->{gateways}};
is(join(' ', sort keys %g), 'one two', 'both are named');
is($g{one}{protocols}{http}{delivered}, 1, 'the first');
is($g{two}{classes}{only}{delivered}, 2, 'the second');
--- metrics
delivered_messages_total{gateway="one"} 1
delivered_messages_total{gateway="two",class="only"} 2



=== the page takes ?format=prometheus
--- no_kafka
--- request
GET /status?format=prometheus
--- error_code: 200
--- response_headers
Content-Type: text/plain; version=0.0.4
--- response_body_like
# TYPE nginx_gateway_build_info gauge



=== a page without any gateway is still a page
--- main_config
# no gateway here
--- modules: stream ndk_http gateway http_gateway
--- config
location /x { return 200; }
--- no_kafka
--- no_books
--- request
GET /status
--- error_code: 200
--- response_body_like
"gateways":\[\]
