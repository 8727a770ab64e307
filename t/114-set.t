# Variables of the rewrite phase (ngx_devel_kit): a trace id and a hash of the
# device.  The hash is meant for balancers, so it must be the same everywhere;
# without this page a new library could move every device to another gateway.

use lib 't/lib';
use GatewayTest 'no_plan';

my %file = modules();

if (!$file{http_gateway_set}) {
    SKIP: { skip 'the set module was not built', 1 };
    exit 0;
}

run_tests();

__DATA__

=== the trace id is that of a valid traceparent
--- config
location /t {
    set_gateway_trace_id $id;
    return 200 $id;
}
--- no_kafka
--- request
GET /t
--- more_headers
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
--- error_code: 200
--- response_body chomp
0af7651916cd43dd8448eb211c80319c



=== without a valid traceparent the trace id is a new one
--- config
location /t {
    set_gateway_trace_id $id;
    return 200 $id;
}
--- no_kafka
--- request eval
[ "GET /t", "GET /t" ]
--- more_headers eval
[ "X: y", "traceparent: 00-x" ]
--- error_code eval
[ 200, 200 ]
--- response_body_like eval
[ (qr/^(?!0{32})[0-9a-f]{32}$/) x 2 ]



=== the hash of a device is XXH3 of its bytes
--- config
location /t {
    set_gateway_device_hash $hash $arg_d;
    return 200 $hash;
}
--- no_kafka
--- request eval
[ map { "GET /t?d=$_" } '', 'pump-7', 'pump-7' ]
--- error_code eval
[ (200) x 3 ]
--- response_body eval
[ '2d06800538d394c2', 'aa1a5db82961abad', 'aa1a5db82961abad' ]



=== "if" and "set" see the variables in their order
--- config
location /t {
    set $a 1;
    set_gateway_device_hash $hash $arg_d;
    if ($hash = 2d06800538d394c2) { set $a "${a}2"; }
    return 200 $a;
}
--- no_kafka
--- request
GET /t
--- error_code: 200
--- response_body chomp
12
