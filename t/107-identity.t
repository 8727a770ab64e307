# Who sends: "gateway_device" takes the identity from any variable that nginx
# has, and the envelope must not name another.  Without this page one device
# could speak for another, and the key of a record would prove nothing.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== the identity is the device of an envelope that names none
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request
POST /t
{"data":1}
--- more_headers
Content-Type: application/json
X-Device: pump-7
--- error_code: 200
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",



=== an envelope may name the identity
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request
POST /t
{"device":"pump-7","data":1}
--- more_headers
Content-Type: application/json
X-Device: pump-7
--- error_code: 200
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",



=== an envelope that names another device is refused with 403
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request eval
[ map { "POST /t\n{\"device\":\"$_\",\"data\":1}" }
      qw( pump-8 pump-77 pump- Pump-7 ) ]
--- more_headers
Content-Type: application/json
X-Device: pump-7
--- error_code eval
[ (403) x 4 ]
--- response_body_like eval
[ (qr/"detail":"member \\"device\\" is not the device of the sender","reason":"forbidden"/) x 4 ]
--- records
$T.telemetry
--- metrics
rejected_messages_total{reason="forbidden"} 4
messages_total{outcome="denied"} 4



=== of a batch only the messages that name another device are refused
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request
POST /t
[{"data":1},{"device":"b","data":2},{"device":"a","data":3}]
--- more_headers
Content-Type: application/json
X-Device: a
--- error_code: 207
--- response_body_like
"delivered":2,.*"errors":\[\{"index":1,"error":"forbidden",
--- records
$T.telemetry
^a .*"data":1
^a .*"data":3
--- metrics
rejected_messages_total{reason="forbidden"} 1



=== a request without an identity is refused with 401, its body not read
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request
POST /t
{"device":"pump-7","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 401
--- response_body_like
"status":401,"detail":"the request has no identity","reason":"unauthenticated"
--- records
$T.telemetry
--- metrics
rejected_messages_total{reason="unauthenticated"} 1
received_bytes_total 0



=== an identity may have any printable byte but quote and backslash
--- config
location /t { gateway_pass; gateway_device $http_x_device; }
--- request eval
[ map { "POST /t\n{\"data\":$_}" } 1 .. 7 ]
--- more_headers eval
[ map { "Content-Type: application/json\nX-Device: $_" }
  'CN=pump 7,O=A/B', 'x' x 128, 'x' x 129, 'a"b', 'a\\b', "a\tb", "a\xffb" ]
--- error_code eval
[ 200, 200, (403) x 5 ]
--- response_body_like eval
[ qr/^$/, qr/^$/,
  (qr/"detail":"the identity is longer than 128 bytes or has bytes that a/)
  x 5 ]
--- records
$T.telemetry
^CN=pump 7,O=A/B \{"device":"CN=pump 7,O=A/B",
^x{128} \{"device":"x{128}",
--- metrics
rejected_messages_total{reason="forbidden"} 5



=== the identity may come from a module of nginx
--- config
location /t {
    auth_basic devices;
    auth_basic_user_file ../html/users;
    gateway_pass;
    gateway_device $remote_user;
}
--- user_files
>>> users
pump:{PLAIN}secret
--- request eval
[ "POST /t\n{\"data\":1}", "POST /t\n{\"data\":2}" ]
--- more_headers eval
[ "Content-Type: application/json\nAuthorization: Basic cHVtcDpzZWNyZXQ=",
  "Content-Type: application/json" ]
--- error_code eval
[ 200, 401 ]
--- records
$T.telemetry
^pump .*"data":1



=== an identity of a level above is inherited, and replaced below
--- http_config
gateway_device above;
--- config
location /t { gateway_pass; }
location /u { gateway_pass; gateway_device below; }
--- request eval
[ "POST /t\n{\"data\":1}", "POST /u\n{\"data\":2}" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 200, 200 ]
--- records
$T.telemetry
^above .*"data":1
^below .*"data":2
