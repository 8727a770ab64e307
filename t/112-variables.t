# The variables: with them log_format is the audit trail.  Without this page
# an operator could not tell from the access log what became of a message.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== of a delivered message the log says all
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_reason] '
                   '[$gateway_device] [$gateway_class] [$gateway_messages] '
                   '[$gateway_delivery_time]';
--- config
location /t { gateway_pass; access_log logs/access.log gateway; }
--- request
POST /t
{"device":"pump-7","class":"control","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- access_log eval
qr/^200 \[DELIVERED\] \[-\] \[pump-7\] \[control\] \[1\] \[0\.\d{3}\]$/



=== of a queued message there is no time of delivery
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_reason] '
                   '[$gateway_delivery_time]';
--- config
location /t {
    gateway_pass;
    gateway_ack queued;
    access_log logs/access.log gateway;
}
--- request
POST /t
{"device":"pump-7","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 202
--- access_log
202 [QUEUED] [-] [-]



=== of a refused message the log says why
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_reason] '
                   '[$gateway_messages]';
--- config
location /t {
    gateway_pass;
    gateway_device $arg_d;
    access_log logs/access.log gateway;
}
--- request eval
[ map { "POST /t?d=$_\n{\"device\":\"a\",\"data\":1}" } 'b', '' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 403, 401 ]
--- then
logged(qr/^403 \[DENIED\] \[forbidden\] \[1\]$/, 'access.log');
logged(qr/^401 \[DENIED\] \[unauthenticated\] \[1\]$/, 'access.log');



=== of a batch the log tells of the first that did not end well
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_reason] '
                   '[$gateway_messages]';
--- config
location /t { gateway_pass; access_log logs/access.log gateway; }
--- request
POST /t
[{"device":"a","data":1},{"device":"a"},{"device":"c","data":1}]
--- more_headers
Content-Type: application/json
--- error_code: 207
--- access_log
207 [INVALID] [malformed] [3]



=== nginx's own refusal of a body is told by the variables too
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_reason]';
--- config
location /t {
    gateway_pass;
    client_max_body_size 5;
    access_log logs/access.log gateway;
}
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 413
--- access_log
413 [INVALID] [too_large]



=== outside of gateway_pass the variables are empty
--- config
location /t {
    return 200 "[$gateway_status$gateway_reason$gateway_device$gateway_class$gateway_messages$gateway_delivery_time]";
}
--- no_kafka
--- request
GET /t
--- error_code: 200
--- response_body chomp
[]



=== of a client that left before its answer nothing is said to be delivered
--- mock
rtt 3000
--- http_config
log_format gateway '$status [$gateway_status] [$gateway_messages]';
--- config
location /t { gateway_pass; access_log logs/access.log gateway; }
--- request
POST /t
{"device":"pump-7","data":1}
--- more_headers
Content-Type: application/json
--- timeout: 1
--- abort
--- ignore_response
--- access_log eval
qr/^499 \[-\] \[1\]$/
