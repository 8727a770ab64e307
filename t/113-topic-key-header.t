# Topic, key and headers of the record may be values with variables.  Without
# this page what a client sends could choose a topic that nobody meant.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== the topic may be a variable, and is the class's where that is empty
--- config
location /t { gateway_pass; gateway_topic $arg_topic; }
--- request eval
[ map { "POST /t?topic=$_\n{\"device\":\"a\",\"data\":1}" }
      '$T.control', '' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.control
"class":"telemetry"

$T.telemetry
"class":"telemetry"



=== a value that is no topic is refused with 403
--- config
location /t { gateway_pass; gateway_topic $arg_topic; }
--- request eval
[ map { "POST /t?topic=$_\n{\"device\":\"a\",\"data\":1}" }
      '..', 'a/b', 'x' x 250, '%41' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (403) x 4 ]
--- response_body_like eval
[ (qr/"detail":"the topic is not valid or one too many","reason":"forb/) x 4 ]
--- metrics
rejected_messages_total{reason="forbidden"} 4



=== 64 distinct topics and some are taken, no more, and the others go on
--- gateway
topic $T.telemetry;
drain_timeout 100ms;
retry 10s 10s;
--- config
location /t { gateway_pass; gateway_topic $arg_topic; gateway_ack queued; }
--- then
my %status;
for (1 .. 80) {
    my $answer = http('POST', "/t?topic=$T.none-$_",
                      '{"device":"a","data":1}');
    $status{$answer->{status}}++;
}
cmp_ok($status{403} || 0, '>', 0, 'those above the bound are refused');
cmp_ok($status{202} || 0, '>=', 64, 'those below are taken');
is($status{202} + $status{403}, 80, 'there is no other answer');
is(http('POST', '/t', '{"device":"a","data":1}')->{status}, 202,
   'the topic of the class is still there');



=== the key may be a variable, and is the device where that is empty
--- config
location /t { gateway_pass; gateway_key $arg_key; }
--- request eval
[ "POST /t?key=site-1\n{\"device\":\"a\",\"data\":1}",
  "POST /t\n{\"device\":\"b\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.telemetry
^site-1 \{"device":"a",
^b \{"device":"b",



=== headers are added to those of the gateway, and left out where empty
--- config
location /t {
    gateway_pass;
    gateway_header region $arg_region;
    gateway_header tag one;
    gateway_header tag two;
    gateway_header none $arg_none;
}
--- request
POST /t?region=eu
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^a \S+ region=eu tag=one tag=two traceparent=00-\S+$



=== headers are inherited if and only if the level has none
--- config
gateway_header level server;
location /t { gateway_pass; }
location /u { gateway_pass; gateway_header own location; }
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "POST /u\n{\"device\":\"b\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.telemetry
^a \S+ level=server traceparent=\S+$
^b \S+ own=location traceparent=\S+$
