# A batch as a JSON array: one answer that counts what ended well and names
# what did not.  An array that breaks off has no place to go on from, so it is
# all or nothing there; without this page half of such an array could be
# stored and the sender told that none was.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== an array that ends well is answered 200 with its counts
--- request
POST /t
[{"device":"a","seq":1,"data":1},{"device":"b","class":"control","data":2}]
--- more_headers
Content-Type: application/json
--- error_code: 200
--- response_headers
Content-Type: application/json
--- response_body chomp
{"messages":2,"delivered":2,"spooled":0,"queued":0,"duplicate":0,"failed":0,"errors":[]}
--- records
$T.telemetry
^a .*"seq":1,"class":"telemetry",.*"data":1\}

$T.control
^b .*"class":"control",.*"data":2\}
--- metrics
received_messages_total 2
delivered_messages_total{class="telemetry"} 1
delivered_messages_total{class="control"} 1



=== an array of which some fail is answered 207, and the others are stored
--- request
POST /t
[{"device":"a","data":1},7,{"device":"b"},{"device":"c","data":3,"x":1},{"device":"d","data":4,"class":"none"},{"device":"e","data":5}]
--- more_headers
Content-Type: application/json
--- error_code: 207
--- response_body chomp
{"messages":6,"delivered":2,"spooled":0,"queued":0,"duplicate":0,"failed":4,"errors":[{"index":1,"error":"malformed","detail":"not an object"},{"index":2,"error":"malformed","detail":"member \"data\" is missing"},{"index":3,"error":"malformed","detail":"unknown member"},{"index":4,"error":"malformed","detail":"member \"class\" names no class of the gateway"}]}
--- error_log
gateway refused 4 of 6 messages, the first: malformed, not an object
--- records
$T.telemetry
^a .*"data":1\}
^e .*"data":5\}
--- metrics
received_messages_total 6
delivered_messages_total 2
rejected_messages_total{reason="malformed"} 4



=== an array that is not JSON to its end is refused whole
--- request eval
[ map { "POST /t\n" . $_ } '[{"device":"a","data":1},{"device":"b","data":2}',
    '[{"device":"a","data":1},]', '[{"device":"a","data":1}]]',
    '[{"device":"a","data":1} {"device":"b","data":2}]',
    '[{"device":"a","data":1},{"device":"b","data":tru}]' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (400) x 5 ]
--- response_body_like eval
[ (qr/^\{"type":"urn:nginx-gateway:problem:malformed",.* at byte \d+"/) x 5 ]
--- records
$T.telemetry
--- metrics
received_messages_total 5
rejected_messages_total{reason="malformed"} 5
accepted_messages_total 0



=== an empty array is refused
--- request eval
[ "POST /t\n[]", "POST /t\n [ ] " ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 400, 400 ]
--- response_body_like eval
[ (qr/"detail":"the batch is empty"/) x 2 ]
--- metrics
rejected_messages_total{reason="malformed"} 2



=== a batch above gateway_max_batch is refused whole with 413
--- config
location /t { gateway_pass; gateway_max_batch 2; }
--- request eval
[ map { "POST /t\n[" . CORE::join(',', ('{"device":"a","data":1}') x $_) . ']' }
      2, 3 ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 413 ]
--- response_body_like eval
[ qr/"delivered":2/, qr/more messages than gateway_max_batch/ ]
--- records
$T.telemetry
^a
^a
--- metrics
received_messages_total 3
rejected_messages_total{reason="too_large"} 1



=== the messages of one device keep the order of their array
--- request eval
"POST /t\n[" . CORE::join(',', map { "{\"device\":\"a\",\"seq\":$_,\"data\":0}" }
                             1 .. 500) . ']'
--- more_headers
Content-Type: application/json
--- error_code: 200
--- response_body_like
"messages":500,"delivered":500
--- then
my @seq = map { $_->{value} =~ /"seq":(\d+)/ }
              sort { $a->{offset} <=> $b->{offset} }
                   topic_records('$T.telemetry', 500);
is("@seq", CORE::join(' ', 1 .. 500), 'in order');



=== white space around an array makes no difference
--- request eval
"POST /t\n \r\n\t[\n{\"device\":\"a\",\"data\":1}\n,\n"
. "{\"device\":\"b\",\"data\":[1,\n2]}\r\n]\r\n "
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^a .*"data":1\}
^b .*"data":\[1,2\]\}



=== the limits on one message hold for an item of an array
--- request eval
"POST /t\n[{\"device\":\"a\",\"data\":" . ('[' x 40) . (']' x 40) . "}]"
--- more_headers
Content-Type: application/json
--- error_code: 400
--- response_body_like
"reason":"malformed"
--- records
$T.telemetry
