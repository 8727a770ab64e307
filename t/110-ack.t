# What a success means: "delivered" is 200 and Kafka has it, "queued" is 202
# and it is in memory.  Without this page a 200 could be given for less.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== "ack queued" is answered 202 and "queued"
--- gateway
topic $T.telemetry;
ack queued;
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 202
--- response_headers
Gateway-Result: queued
Content-Length: 0
--- records
$T.telemetry
^a .*"data":1\}
--- metrics
accepted_messages_total 1
delivered_messages_total 1



=== a queued batch is answered 200 with its counts
--- gateway
topic $T.telemetry;
ack queued;
--- request
POST /t
[{"device":"a","data":1},{"device":"b","data":2}]
--- more_headers
Content-Type: application/json
--- error_code: 200
--- response_body_like
^\{"messages":2,"delivered":0,"spooled":0,"queued":2,"duplicate":0,"failed":0,"errors":\[\]\}$
--- records
$T.telemetry
^a
^b



=== a class may have its own level
--- gateway
topic $T.telemetry;
class control;
class telemetry ack=queued;
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"class\":\"$_\",\"data\":1}" }
      qw( control telemetry ) ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 202 ]



=== a location has the last word of the configuration
--- gateway
topic $T.telemetry;
ack queued;
class control ack=delivered;
class telemetry;
--- config
location /queued { gateway_pass; gateway_ack queued; }
location /delivered { gateway_pass; gateway_ack delivered; }
--- request eval
[ map { my $uri = $_;
        map { "POST $uri\n{\"device\":\"a\",\"class\":\"$_\",\"data\":1}" }
            qw( control telemetry ) } qw( /queued /delivered ) ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 202, 202, 200, 200 ]



=== a sender may ask for more, and never for less
--- config
location /queued { gateway_pass; gateway_ack queued; }
location /delivered { gateway_pass; }
--- request eval
[ map { "POST $_\n{\"device\":\"a\",\"data\":1}" }
      qw( /queued /queued /queued /delivered /queued ) ]
--- more_headers eval
[ map { "Content-Type: application/json\nPrefer: $_" }
      'gateway-ack=delivered', 'respond-async, Gateway-Ack=Delivered',
      'wait=5', 'gateway-ack=queued', 'gateway-ack=queued' ]
--- error_code eval
[ 200, 200, 202, 200, 202 ]



=== a message that is not delivered in gateway_timeout is answered 503
--- gateway
topic $T.telemetry;
property linger.ms 1500;
--- config
location /t { gateway_pass; gateway_timeout 100ms; }
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 503
--- response_headers_like
Retry-After: [1-5]
--- response_body_like
"reason":"timeout"
--- error_log
gateway message refused: timeout, not delivered within gateway_timeout, the outcome is unknown
--- records
$T.telemetry
^a .*"data":1\}
--- metrics
timeouts_total{protocol="http"} 1
delivered_messages_total 1



=== of a batch, what is not delivered in gateway_timeout is said to be unknown
--- gateway
topic $T.telemetry;
property linger.ms 1500;
--- config
location /t { gateway_pass; gateway_timeout 100ms; }
--- request
POST /t
[{"device":"a","data":1},7,{"device":"b","data":2}]
--- more_headers
Content-Type: application/json
--- error_code: 207
--- response_headers_like
Retry-After: [1-5]
--- response_body_like
"failed":3,"errors":\[\{"index":0,"error":"timeout",.*"index":1,"error":"malformed",.*"index":2,"error":"timeout",
--- records
$T.telemetry
^a
^b
--- metrics
timeouts_total 1
delivered_messages_total 2
rejected_messages_total 1
