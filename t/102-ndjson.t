# A batch of JSON lines: each stands alone.  Without this page one bad line of
# a device's backlog could take good ones with it, or hide among them.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== each line is a message
--- request eval
"POST /t\n" . CORE::join "\n", '{"device":"a","data":1}', '{"device":"b","data":2}'
--- more_headers
Content-Type: application/x-ndjson
--- error_code: 200
--- response_body chomp
{"messages":2,"delivered":2,"spooled":0,"queued":0,"duplicate":0,"failed":0,"errors":[]}
--- records
$T.telemetry
^a .*"data":1\}
^b .*"data":2\}
--- metrics
received_messages_total 2
delivered_messages_total 2



=== a bad line takes no other with it
--- request eval
"POST /t\n" . CORE::join "\n", '{"device":"a","data":1}', '{"device":"b","data":2',
                         'x', '{"device":"c","data":3}', '[]', '{}'
--- more_headers
Content-Type: application/x-ndjson
--- error_code: 207
--- response_body_like
^\{"messages":6,"delivered":2,.*"failed":4,"errors":\[\{"index":1,"error":"malformed",.*\{"index":2,"error":"malformed",.*\{"index":4,"error":"malformed","detail":"not an object"\},\{"index":5,"error":"malformed","detail":"member \\"data\\" is missing"\}\]\}$
--- error_log
gateway refused 4 of 6 messages, the first: malformed
--- records
$T.telemetry
^a .*"data":1\}
^c .*"data":3\}
--- metrics
received_messages_total 6
delivered_messages_total 2
rejected_messages_total{reason="malformed"} 4



=== empty lines, carriage returns and a last line break are no messages
--- request eval
"POST /t\n\n\r\n{\"device\":\"a\",\"data\":1}\r\n\r\n\n  \n"
. "{\"device\":\"b\",\"data\":2}\n"
--- more_headers
Content-Type: application/ndjson
--- error_code: 200
--- response_body_like
"messages":2,"delivered":2
--- records
$T.telemetry
^a .*"data":1\} traceparent=\S+$
^b .*"data":2\} traceparent=\S+$



=== one line is still a batch
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/x-ndjson; charset=utf-8
--- error_code: 200
--- response_body_like
"messages":1,"delivered":1



=== a body without any line is refused
--- request eval
[ "POST /t", "POST /t\n\n\n" ]
--- more_headers
Content-Type: application/x-ndjson
--- error_code eval
[ 400, 400 ]
--- response_body_like eval
[ (qr/"detail":"the batch is empty"/) x 2 ]



=== lines above gateway_max_batch are refused whole
--- config
location /t { gateway_pass; gateway_max_batch 2; }
--- request eval
"POST /t\n" . CORE::join "\n", ('{"device":"a","data":1}') x 3
--- more_headers
Content-Type: application/x-ndjson
--- error_code: 413
--- response_body_like
"reason":"too_large"
--- records
$T.telemetry



=== an array in a line is one message that is no object
--- request
POST /t
[{"device":"a","data":1}]
--- more_headers
Content-Type: application/x-ndjson
--- error_code: 207
--- response_body_like
"errors":\[\{"index":0,"error":"malformed","detail":"not an object"\}\]
--- records
$T.telemetry
