# One message in one request: what is sent, what the device is told, what
# Kafka then holds.  This is the promise of the gateway; without this page a
# message could be acknowledged and not be there, or be there in another form.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a message that Kafka has is answered 200 and "delivered", with no body
--- request
POST /t
{"device": "pump-7", "seq": 1, "data": {"temp": 21.5}}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- response_headers
Gateway-Result: delivered
Content-Length: 0
--- response_body:
--- records
$T.telemetry
^pump-7 \{"device":"pump-7","epoch":"","seq":1,"class":"telemetry","ts":\d{13},"received_at":\d{13},"data":\{"temp": 21\.5\}\} traceparent=00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$
--- metrics
received_messages_total{protocol="http"} 1
accepted_messages_total{class="telemetry"} 1
delivered_messages_total{class="telemetry"} 1
messages_total{protocol="http",outcome="delivered"} 1
received_bytes_total{protocol="http"} 54
rejected_messages_total 0
waiting_messages 0
kafka_reports_total{outcome="persisted"} 1
kafka_errors_total 0
--- no_error_log
[alert]
[error]
refused



=== a device that gives all members finds all of them in the record
--- request
POST /t
{"data":[1,"x",null],"ts":1700000000,"class":"control","seq":0,"epoch":"b1","device":"a:b@c_d.e-f"}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.control
^a:b\@c_d\.e-f \{"device":"a:b\@c_d\.e-f","epoch":"b1","seq":0,"class":"control","ts":1700000000000,"received_at":\d{13},"data":\[1,"x",null\]\} traceparent=\S+$

$T.telemetry
--- metrics
delivered_messages_total{class="control"} 1
delivered_messages_total{class="telemetry"} 0



=== a message without a class belongs to the last one
--- gateway
topic $T.control;
class first;
class second topic=$T.telemetry;
--- request
POST /t
{"device":"d","data":0}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^d \{"device":"d","epoch":"","class":"second","ts":(\d+),"received_at":\1,"data":0\} traceparent=\S+$



=== PUT is taken as POST is
--- request
PUT /t
{"device":"d","data":0}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^d .*"data":0\}



=== the media type may have parameters and any case
--- request
POST /t
{"device":"d","data":0}
--- more_headers
Content-Type: Application/JSON; charset=utf-8
--- error_code: 200
--- records
$T.telemetry
^d .*"data":0\}



=== another media type is refused with 415 before the body is read
--- request eval
[ map { "POST /t\n{\"device\":\"d\",\"data\":0}" } 1 .. 4 ]
--- more_headers eval
[ "Content-Type: text/plain", "Content-Type: application/jsonx",
  "Content-Type: application/event+json", "X: no type at all" ]
--- error_code eval
[ 415, 415, 415, 415 ]
--- response_body_like eval
[ (qr/"reason":"unsupported"/) x 4 ]
--- error_log
gateway message refused: unsupported, Content-Type must be application/json, application/x-ndjson or that of CloudEvents in JSON
--- metrics
received_messages_total 4
rejected_messages_total{reason="unsupported"} 4
messages_total{outcome="invalid"} 4
received_bytes_total 0



=== requests of one connection are answered one by one
--- pipelined_requests eval
[ map { "POST /t\n{\"device\":\"d\",\"seq\":$_,\"data\":0}" } 1 .. 3 ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200, 200 ]
--- response_body eval
[ '', '', '' ]
--- records
$T.telemetry
"seq":1,
"seq":2,
"seq":3,
--- metrics
delivered_messages_total 3



=== one device's messages are in one partition, in their order
--- request eval
[ map { "POST /t\n{\"device\":\"d\",\"seq\":$_,\"data\":0}" } 1 .. 5 ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (200) x 5 ]
--- then
my @r = topic_records('$T.telemetry', 5);
is(scalar(@r), 5, 'all of them are there');
my %partitions = map { $_->{partition} => 1 } @r;
is(scalar(keys %partitions), 1, 'in one partition');
is(join(' ', map { $_->{value} =~ /"seq":(\d+)/ }
             sort { $a->{offset} <=> $b->{offset} } @r),
   '1 2 3 4 5', 'in their order');



=== partitions are those of the Java client
--- topics
$T.telemetry 8
--- request eval
[ map { "POST /t\n{\"device\":\"$_\",\"data\":0}" } qw( 21 foobar a ) ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (200) x 3 ]
--- gateway
topic $T.telemetry;
--- then
# toPositive(Utils.murmur2(key)) % 8, the hashes as in Kafka's own UtilsTest:
# "21" -973932308, "foobar" -790332482, "a" -1563381124
my %hash = (21 => -973932308, foobar => -790332482, a => -1563381124);
my %got = map { $_->{key} => $_->{partition} }
              topic_records('$T.telemetry', 3);
is($got{$_}, ($hash{$_} & 0x7fffffff) % 8, "the partition of \"$_\"")
    for sort keys %hash;



=== the record's time is that of receipt
--- request
POST /t
{"device":"d","ts":"2001-02-03T04:05:06Z","data":0}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
my ($r) = topic_records('$T.telemetry', 1);
my ($received) = $r->{value} =~ /"received_at":(\d+)/;
is($r->{timestamp}, $received, 'timestamp and received_at are one');
cmp_ok(abs($received / 1000 - time()), '<', 60, 'and it is now');



=== a body that is not JSON is refused with the place of the fault
--- request eval
[ map { "POST /t\n$_" } '{"device":"d","data":1', '', 'null',
                        '{"device":"d","data":1}}', "{\"device\":\"\xff\"}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (400) x 5 ]
--- response_body_like eval
[ qr/"reason":"malformed"/, qr/"reason":"malformed"/, qr/not an object/,
  qr/ at byte 2[34]"/, qr/UTF-8.* at byte 1[01]"/ ]
--- metrics
rejected_messages_total{reason="malformed"} 5
accepted_messages_total 0
--- records
$T.telemetry



=== a client that leaves before the answer has still sent its message
--- gateway
topic $T.telemetry;
property linger.ms 500;
--- then
my $body = '{"device":"d","data":0}';
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\n"
                    . "Content-Type: application/json\r\n"
                    . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
until_true { metric('accepted_messages_total') };
close $client;
records_are('$T.telemetry', [ '^d .*"data":0}' ]);
is(metric('clients_gone_total{protocol="http"}'), 1, 'it is counted as gone');
is(metric('delivered_messages_total'), 1, 'its message as delivered');
is(metric('connections{protocol="http"}'), 0, 'nothing of it is left');
--- error_log
client prematurely closed connection while waiting for delivery
