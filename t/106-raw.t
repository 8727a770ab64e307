# "gateway_format raw": the body is the payload, headers say the rest.
# Without this page a header could be taken at its word where a member of the
# envelope would be refused.

use lib 't/lib';
use GatewayTest 'no_plan';

sub refusals {
    my ($header, $detail, @values) = @_;

    for my $value (@values) {
        is(problem(http('POST', '/t', '1', $header => $value)),
           "400 malformed $detail", "refused: $header: $value");
    }
}

run_tests();

__DATA__

=== the body is the payload, headers carry the rest
--- config
location /t { gateway_pass; gateway_format raw; gateway_device $arg_d; }
--- request
POST /t?d=pump-7
{"device": "not me", "seq": [1.50]}
--- more_headers
Gateway-Seq: 5
Gateway-Epoch: b1
Gateway-Class: control
Gateway-Timestamp: 2023-11-14T22:13:20Z
--- error_code: 200
--- response_headers
Gateway-Result: delivered
--- records
$T.control
^pump-7 \{"device":"pump-7","epoch":"b1","seq":5,"class":"control","ts":1700000000000,"received_at":\d{13},"data":\{"device": "not me", "seq": \[1\.50\]\}\} traceparent=\S+$
--- metrics
delivered_messages_total{class="control"} 1



=== nothing but the body and the identity is needed
--- config
location /t { gateway_pass; gateway_format raw; gateway_device $arg_d; }
--- request
POST /t?d=a
21.5
--- error_code: 200
--- records
$T.telemetry
^a \{"device":"a","epoch":"","class":"telemetry","ts":(\d{13}),"received_at":\1,"data":21\.5\} traceparent=\S+$



=== an array is one payload and no batch
--- config
location /t { gateway_pass; gateway_format raw; gateway_device $arg_d; }
--- request eval
"POST /t?d=a\n[1,\n2,\"x\"]"
--- error_code: 200
--- response_body:
--- records
$T.telemetry
"data":\[1,2,"x"\]\} traceparent
--- metrics
received_messages_total 1



=== the media type does not matter, the encoding does
--- config
location /t { gateway_pass; gateway_format raw; gateway_device $arg_d; }
--- request eval
[ "POST /t?d=a\n1", "POST /t?d=a\n1" ]
--- more_headers eval
[ "Content-Type: text/plain", "Content-Encoding: br" ]
--- error_code eval
[ 200, 415 ]



=== a payload that is not JSON is refused
--- config
location /t { gateway_pass; gateway_format raw; gateway_device $arg_d; }
--- request eval
[ map { "POST /t?d=a\n$_" } 'hello', '1 2', '{', '' ]
--- error_code eval
[ (400) x 4 ]
--- response_body_like eval
[ (qr/"reason":"malformed"/) x 4 ]
--- records
$T.telemetry



=== the headers are held to the rules of the members
--- config
location /t { gateway_pass; gateway_format raw; gateway_device a; }
--- then
main::refusals('Gateway-Seq', 'header "Gateway-Seq" must be an integer from 0 '
               . 'to 9007199254740991', '-1', '01', '1.5', '1 2', 'x',
               '9007199254740992', '0x10');
main::refusals('Gateway-Epoch', 'header "Gateway-Epoch" must be 1 to 32 '
               . 'characters of [A-Za-z0-9._:@-]', 'a b', 'e' x 33, 'a"b');
main::refusals('Gateway-Timestamp', 'header "Gateway-Timestamp" must be an '
               . 'RFC 3339 time or epoch seconds or milliseconds', 'now',
               '2023-11-14', '-1', '2023-02-30T00:00:00Z');
main::refusals('Gateway-Class', 'header "Gateway-Class" names no class of the '
               . 'gateway', 'Telemetry', 'none', 'x' x 40);
for ('0', '9007199254740991') {
    is(http('POST', '/t', '1', 'Gateway-Seq' => $_)->{status}, 200,
       "taken: Gateway-Seq: $_");
}
for ('1700000000', '1700000000123', '1700000000.5') {
    is(http('POST', '/t', '1', 'Gateway-Timestamp' => $_)->{status}, 200,
       "taken: Gateway-Timestamp: $_");
}
--- metrics
rejected_messages_total{reason="malformed"} 17
delivered_messages_total 5



=== a header that is there and empty is no sequence number
--- config
location /t { gateway_pass; gateway_format raw; gateway_device a; }
--- request
POST /t
1
--- more_headers
Gateway-Seq:
--- error_code: 400
--- response_body_like
Gateway-Seq
