# The directives of HTTP: the forms that they have, where they may stand, what
# they inherit, and what "nginx -t" says of the rest.  Without this page a
# location could take messages for a gateway, a class or an acknowledgement
# level that nobody meant.

use lib 't/lib';
use GatewayTest 'no_plan';

run_config_tests();

__DATA__

=== gateway_pass stands in a location and names a gateway
--- around
gateway { brokers x; topic t; }
gateway fleet { brokers x; topic t; }
http { server { location / {
%s
} } }
--- accepted
gateway_pass;
gateway_pass default;
gateway_pass fleet;
if ($arg_a) { gateway_pass fleet; }
limit_except POST { deny all; } gateway_pass fleet;
gateway_pass protocol=http;
gateway_pass fleet protocol=http;
gateway_pass protocol=mqtt;
gateway_pass fleet protocol=mqtt;
if ($arg_a) { gateway_pass fleet protocol=mqtt; }
gateway_pass protocol=mqtt; gateway_class control;
gateway_pass protocol=mqtt; gateway_max_message_size 1k; gateway_mqtt_keep_alive 65535s;
--- refused
gateway_pass a b protocol=mqtt;
    invalid number of arguments in "gateway_pass" directive
gateway_pass protocol=lines;
    invalid parameter "protocol=lines", it must be "protocol=http" or
gateway_pass fleet x;
    invalid name of a gateway or parameter "x"
gateway_pass protocol=mqtt protocol=mqtt;
    invalid name of a gateway or parameter "protocol=mqtt"
gateway_pass protocol=mqtt; gateway_class $arg_class;
    "gateway_class" of a location with "protocol=mqtt" cannot have variables -> nowhere
gateway_pass protocol=mqtt; gateway_max_message_size 1;
    "gateway_max_message_size" must be from 1k to 256m -> nowhere
gateway_pass protocol=mqtt; gateway_mqtt_keep_alive 65536s;
    "gateway_mqtt_keep_alive" must be at most 65535s -> nowhere
gateway_pass protocol=mqtt; gateway_auth hmac devices.db;
    "gateway_auth hmac" signs requests, a location with "protocol=mqtt" has none -> nowhere
gateway_pass a;
gateway_pass b;
    "gateway_pass" directive is duplicate
    -> gateway_pass b;



=== only gateway_status and what is inherited may stand outside of a location
--- around
gateway { brokers x; topic t; }
http {
%s
}
--- accepted
gateway_device $remote_user;
gateway_class $arg_class;
gateway_topic $arg_topic;
gateway_key $arg_key;
gateway_header a $arg_a;
gateway_format envelope;
gateway_ack queued;
gateway_timeout 1s;
gateway_body_timeout 1s;
gateway_max_batch 5;
gateway_max_inflated_size 2m;
gateway_overload_status 429;
gateway_log_level warn;
server { gateway_status; }
--- refused
gateway_pass;
    "gateway_pass" directive is not allowed here
server { gateway_pass; }
    "gateway_pass" directive is not allowed here
gateway_status;
    "gateway_status" directive is not allowed here



=== gateway_format is envelope, or raw where the sender is known
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass;
%s
} } }
--- accepted
gateway_format envelope;
gateway_format raw; gateway_device $remote_user;
--- refused
gateway_format json;
    invalid value "json"
gateway_format raw;
    "gateway_format raw" needs "gateway_auth" or "gateway_device": a raw body
    does not say who sent it
    -> }
gateway_format raw; gateway_format raw;
    "gateway_format" directive is duplicate



=== "gateway_format raw" takes the identity of a level above
--- around
gateway { brokers x; topic t; }
http {
%s
}
--- accepted
gateway_device $http_x; server { location / { gateway_pass; gateway_format raw; } }
gateway_format raw; server { gateway_device $http_x; location / { gateway_pass; } }
gateway_format raw; server { location / { gateway_status; } }
--- refused
gateway_format raw; server { location / { gateway_pass; } }
    "gateway_format raw" needs "gateway_auth" or "gateway_device"
    -> }



=== values of the other directives are checked
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass;
%s
} } }
--- accepted
gateway_ack delivered;
gateway_ack queued;
gateway_overload_status 429;
gateway_overload_status 503;
gateway_log_level info;
gateway_log_level notice;
gateway_log_level warn;
gateway_log_level error;
gateway_device "$remote_user:$arg_b";
gateway_key constant;
gateway_topic other;
--- refused
gateway_ack spooled;
    invalid value "spooled"
gateway_ack queued; gateway_ack queued;
    "gateway_ack" directive is duplicate
gateway_timeout soon;
    "gateway_timeout" directive invalid value
gateway_body_timeout soon;
    "gateway_body_timeout" directive invalid value
gateway_max_batch many;
    "gateway_max_batch" directive invalid number
gateway_max_batch 0;
    value must be between 1 and 2147483647
gateway_topic a/b;
    invalid topic "a/b", it must be 1 to 249 characters of [A-Za-z0-9._-]
gateway_max_inflated_size big;
    "gateway_max_inflated_size" directive invalid value
gateway_overload_status 500;
    invalid value "500"
gateway_log_level debug;
    invalid value "debug"
gateway_device $unknown_variable;
    unknown "unknown_variable" variable
    -> nowhere
gateway_device;
    invalid number of arguments in "gateway_device" directive
gateway_class;
    invalid number of arguments in "gateway_class" directive
gateway_class a; gateway_class b;
    "gateway_class" directive is duplicate
gateway_topic a; gateway_topic b;
    "gateway_topic" directive is duplicate
gateway_key a; gateway_key b;
    "gateway_key" directive is duplicate



=== a record header has a name that the gateway does not set itself
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass;
%s
} } }
--- accepted
gateway_header region $arg_region;
gateway_header a 1; gateway_header a 2;
gateway_header x.y_z-1 "";
--- refused
gateway_header a;
    invalid number of arguments in "gateway_header" directive
gateway_header "a b" 1;
    invalid record header "a b", it must be of [A-Za-z0-9._-] and not one
    that the gateway sets
gateway_header "" 1;
    invalid record header ""
gateway_header traceparent 1;
    invalid record header "traceparent"
gateway_header TraceState 1;
    invalid record header "TraceState"
gateway_header Gateway-Seq 1;
    invalid record header "Gateway-Seq"
gateway_header a $nothing_like_that;
    unknown "nothing_like_that" variable
    -> nowhere



=== the class of a location is one of its gateway, wherever that is declared
--- around
http { server {
%s
} }
gateway { brokers x; topic t; class one; class two; }
--- accepted
location / { gateway_pass; gateway_class two; }
gateway_class one; location / { gateway_pass; }
gateway_class three; location / { return 200; }
location / { gateway_pass; gateway_class "${arg_a}three"; }
--- refused
location / { gateway_pass; if ($arg_a) { gateway_class two; } }
    "gateway_class" directive is not allowed here
location / { gateway_pass; gateway_class three; }
    unknown class "three" of gateway "default"
gateway_class three;
location / { gateway_pass; }
    unknown class "three" of gateway "default"
    -> gateway_class three;



=== gateway_status has four formats
--- around
http { server { location / {
%s
} } }
--- accepted
gateway_status;
gateway_status json;
gateway_status prometheus;
gateway_status ready;
gateway_status live;
--- refused
gateway_status html;
    invalid format "html", it must be "json", "prometheus", "ready" or "live"
gateway_status json x;
    invalid number of arguments in "gateway_status" directive
gateway_status; gateway_status;
    "gateway_status" directive is duplicate
