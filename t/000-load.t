# The modules are four files, and the order in which they are loaded is part
# of their interface: each finds the symbols of the one before it.  Without
# this page a build could come to need another order, or a module that is
# never asked for, and only an operator's "nginx -t" would tell.

use lib 't/lib';
use GatewayTest 'no_plan';

my %file = modules();

ok($file{$_}, "a module \"$_\" was built")
    for qw( gateway http_gateway stream_gateway );

run_config_tests();

__DATA__

=== the core and the HTTP module need no other
--- modules: gateway http_gateway
--- around
%s
--- accepted
http { server { location / { gateway_pass; } } } gateway { brokers a; topic b; }
http { server { location / { gateway_status; } } }
http { }



=== the core loads alone, and a gateway nobody sends to is no fault
--- modules: gateway
--- around
%s
http { }
--- accepted
gateway { brokers a; topic b; }
gateway tenant { brokers a; topic b; }



=== the stream module loads behind stream and the core
--- modules: stream gateway stream_gateway
--- around
%s
--- accepted
stream { }



=== the core need not stand behind stream
--- modules: gateway stream stream_gateway http_gateway
--- around
%s
--- accepted
http { }



=== the HTTP module before the core is refused with the symbol it misses
--- modules: http_gateway gateway
--- around
%s
--- refused
http { }
    /undefined symbol: (ngx_gateway|gw)_/
    -> http_gateway_module.so



=== the set module loads behind ngx_devel_kit and the core
--- modules: ndk_http gateway http_gateway http_gateway_set
--- optional
--- around
%s
--- accepted
http { server { set_gateway_trace_id $id; } }



=== the set module before ngx_devel_kit is refused with the symbol it misses
--- modules: gateway http_gateway http_gateway_set ndk_http
--- optional
--- around
%s
--- refused
http { }
    undefined symbol: ndk_set_var
    -> http_gateway_set_module.so



=== the core twice is refused
--- modules: gateway gateway
--- around
%s
--- refused
http { }
    module "ngx_gateway_module" is already loaded
    -> ngx_gateway_module.so



=== without the core nobody knows the word "gateway"
--- modules: stream
--- around
%s
--- refused
gateway { brokers a; topic b; }
    unknown directive "gateway"
