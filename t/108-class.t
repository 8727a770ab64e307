# The class of a message: from the envelope, a header, the location or the
# gateway, in this order.  It decides on topic, priority and loss; without
# this page an alarm could travel as telemetry.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== the location may say the class of messages that name none
--- config
location /t { gateway_pass; gateway_class heartbeat; }
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "POST /t\n{\"device\":\"a\",\"class\":\"control\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.heartbeat
"class":"heartbeat",.*"data":1\}

$T.control
"class":"control",.*"data":2\}



=== the class of a location may be a variable
--- config
location /t { gateway_pass; gateway_class $arg_class; }
--- request eval
[ map { "POST /t?class=$_\n{\"device\":\"a\",\"data\":1}" }
      'control', '', 'none' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200, 400 ]
--- response_body_like eval
[ qr/^$/, qr/^$/,
  qr/"detail":"the class of the request is no class of the gateway"/ ]
--- records
$T.control
"class":"control"

$T.telemetry
"class":"telemetry"
--- metrics
rejected_messages_total{reason="malformed"} 1



=== a location inherits the class of its server, or has its own
--- config
gateway_class heartbeat;
location /t { gateway_pass; }
location /u { gateway_pass; gateway_class control; }
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}",
  "POST /u\n{\"device\":\"a\",\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.heartbeat
"data":1\}

$T.control
"data":2\}



=== the header Gateway-Class fixes the class of all messages of a request
--- config
location /t { gateway_pass; gateway_class heartbeat; }
--- request
POST /t
[{"device":"a","data":1},{"device":"a","class":"control","data":2},{"device":"a","class":"telemetry","data":3}]
--- more_headers
Content-Type: application/json
Gateway-Class: control
--- error_code: 207
--- response_body_like
"delivered":2,.*"index":2,"error":"malformed","detail":"member \\"class\\" differs from the class of the request"
--- records
$T.control
"data":1\}
"data":2\}



=== a Gateway-Class that names no class is refused before the body is read
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
Gateway-Class: alarm
--- error_code: 400
--- response_body_like
"detail":"header \\"Gateway-Class\\" names no class of the gateway"
--- metrics
received_bytes_total 0
rejected_messages_total{reason="malformed"} 1



=== an opaque class takes any bytes, the metadata travels in headers
--- gateway
topic $T.telemetry;
class blob opaque topic=$T.control;
class telemetry;
--- config
location /t {
    gateway_pass;
    gateway_format raw;
    gateway_device pump;
    gateway_class blob;
}
--- request eval
"POST /t\n\x00\xff{\"\n"
--- more_headers
Gateway-Seq: 9
Gateway-Epoch: b
Gateway-Timestamp: 1700000000
--- error_code: 200
--- records
$T.control
^pump base64:AP97Ig== gateway-epoch=b gateway-received-at=\d{13} gateway-seq=9 gateway-timestamp=1700000000000 traceparent=00-\S+$
--- metrics
delivered_messages_total{class="blob"} 1



=== an opaque message may have no byte and no metadata at all
--- gateway
topic $T.telemetry;
class blob opaque;
--- config
location /t { gateway_pass; gateway_format raw; gateway_device pump; }
--- request
POST /t
--- error_code: 200
--- records
$T.telemetry
^pump  gateway-received-at=\d{13} traceparent=00-\S+$



=== an envelope for an opaque class is an envelope
--- gateway
topic $T.telemetry;
class blob opaque;
--- request eval
[ "POST /t\n{\"device\":\"a\",\"data\":1}", "POST /t\nhello" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 400 ]
--- records
$T.telemetry
^a \{"device":"a",.*"class":"blob",.*"data":1\} traceparent=\S+$
