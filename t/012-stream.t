# The stream module speaks no protocol yet.  What is tested is that it says
# so: a listener that took connections and answered none would look like a
# broker that hangs.

use lib 't/lib';
use GatewayTest 'no_plan';

run_config_tests();

__DATA__

=== gateway_pass in stream is refused with the reason
--- modules: stream gateway stream_gateway
--- optional
--- around
gateway { brokers x; topic t; }
stream { server { listen 127.0.0.1:1;
%s
} }
http { }
--- refused
gateway_pass;
    /"gateway_pass" in stream: version [0-9.]+ of the gateway speaks neither
    mqtt nor lines, only HTTP/
gateway_pass default protocol=mqtt;
    /speaks neither mqtt nor lines, only HTTP in /
gateway_pass protocol=lines;
    /speaks neither mqtt nor lines, only HTTP in /



=== gateway_pass stands in a server of stream only
--- modules: stream gateway stream_gateway
--- optional
--- around
stream {
%s
}
http { }
--- refused
gateway_pass;
    "gateway_pass" directive is not allowed here
