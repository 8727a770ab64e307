# The words of a server of stream, and what nginx -t says of the rest.  Without
# this page a listener that speaks no protocol, or lets anybody in, could be
# configured without a word.

use lib 't/lib';
use GatewayTest 'no_plan';

run_config_tests();

__DATA__

=== gateway_pass names a protocol, and perhaps a gateway
--- modules: stream gateway stream_gateway
--- optional
--- around
gateway { brokers x; topic t; }
stream { server { listen 127.0.0.1:1; gateway_auth off;
%s
} }
http { }
--- accepted
gateway_pass protocol=mqtt;
gateway_pass default protocol=mqtt;
gateway_pass protocol=lines;
--- refused
gateway_pass;
    invalid number of arguments in "gateway_pass" directive
gateway_pass default;
    invalid parameter "default", it must be "protocol=mqtt" or "protocol=lines"
gateway_pass protocol=amqp;
    invalid parameter "protocol=amqp", it must be "protocol=mqtt" or
gateway_pass protocol=mqtt protocol=mqtt;
    invalid name of a gateway "protocol=mqtt"
gateway_pass protocol=mqtt; gateway_pass protocol=lines;
    "gateway_pass" directive is duplicate



=== and stands in a server only
--- modules: stream gateway stream_gateway
--- optional
--- around
stream {
%s
}
http { }
--- refused
gateway_pass protocol=mqtt;
    "gateway_pass" directive is not allowed here



=== hmac signs requests, and there are none
--- modules: stream gateway stream_gateway
--- optional
--- around
gateway { brokers x; topic t; }
stream { server { listen 127.0.0.1:1; gateway_pass protocol=mqtt;
%s
} }
http { }
--- refused
gateway_auth hmac devices.db;
    "gateway_auth hmac" signs requests of HTTP, a server of stream has none



=== the other words have these forms
--- modules: stream gateway stream_gateway
--- optional
--- around
gateway { brokers x; topic t; }
stream { server { listen 127.0.0.1:1; gateway_pass protocol=mqtt;
%s
} }
http { }
--- accepted
gateway_auth off; gateway_class control; gateway_format raw;
gateway_auth off; gateway_ack queued; gateway_timeout 1s;
gateway_device $remote_addr;
gateway_auth off; gateway_max_message_size 1k; gateway_send_timeout 1s;
gateway_auth off; gateway_connect_timeout 1s; gateway_packet_timeout 1s;
gateway_auth off; gateway_idle_timeout 1s; gateway_mqtt_keep_alive 0;
gateway_auth off; gateway_mqtt_receive_maximum 65535;
gateway_auth off; gateway_mqtt_topic_aliases 0;
gateway_auth off; gateway_mqtt_server_reference a:1;
--- refused
gateway_auth off; gateway_class none;
    unknown class "none" of gateway "default" -> gateway_class
gateway_auth off; gateway_format json;
    invalid value "json"
gateway_auth off; gateway_max_message_size 1023;
    "gateway_max_message_size" must be from 1k to 256m -> nowhere
gateway_auth off; gateway_mqtt_keep_alive 65536s;
    "gateway_mqtt_keep_alive" must be at most 65535s -> nowhere
gateway_auth off; gateway_mqtt_receive_maximum 0;
    value must be between 1 and 65535
gateway_auth off; gateway_mqtt_topic_aliases 65536;
    value must be between 0 and 65535



=== topics of the gateway block
--- accepted
mqtt_topic a class=control;
mqtt_topic a/+/%u/%c/# class=control format=raw;
mqtt_topic "#" class=telemetry format=envelope;
--- refused
mqtt_topic a;
    invalid number of arguments in "mqtt_topic" directive
mqtt_topic a class=none;
    unknown class "none" in "mqtt_topic" of gateway "default" -> nowhere
mqtt_topic a format=raw;
    "mqtt_topic a" has no "class="
mqtt_topic a/b# class=control;
    invalid pattern "a/b#" of "mqtt_topic"
mqtt_topic a class=control format=json;
    invalid parameter "format=json" of "mqtt_topic"
