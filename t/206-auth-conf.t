# What "nginx -t" takes of gateway_auth, auth_cache and auth_failures, and what
# it says of the rest.  Without this page a line that was mistyped could leave
# a location open, or a file that no worker can use would be found out by the
# first device of the morning.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

registry(auth_path('devices.db'), "pump-7 hmac\n");
registry(auth_path('open.db'), "pump-7 hmac\n");
chmod 0644, auth_path('open.db');
registry(auth_path('group.db'), "pump-7 hmac\n");
chmod 0660, auth_path('group.db');
mkdir auth_path('folder');
put_file(auth_path('text.db'), "no database\n");
put_file(auth_path('empty.db'), '');
sql('CREATE TABLE other (a)', auth_path('other.db'));

key_set(auth_path('keys.json'), 'p256', 'hs');
put_file(auth_path('text.json'), 'no JSON');
put_file(auth_path('list.json'), '[]');
key_set(auth_path('none.json'));
key_set(auth_path('weak.json'), 'rsa1024');
key_set(auth_path('twice.json'), 'p256', 'p256');
put_file(auth_path('large.json'), ' ' x (1024 * 1024 + 1));

expand_blocks();
run_config_tests();

__DATA__

=== the methods have these forms
--- around
gateway { brokers x; topic t; class control; class telemetry; }
http { server { location / { gateway_pass;
%s
} } }
--- accepted
gateway_auth off;
gateway_auth devices $AUTH/devices.db;
gateway_auth hmac $AUTH/devices.db;
gateway_auth hmac $AUTH/devices.db window=1s;
gateway_auth hmac $AUTH/devices.db window=1d;
gateway_auth jwt keys=$AUTH/keys.json;
gateway_auth jwt keys=$AUTH/keys.json leeway=0;
gateway_auth jwt keys=$AUTH/keys.json leeway=60s issuer=a audience=b classes=control,telemetry;
gateway_auth jwt keys=$AUTH/keys.json device_claim=d classes_claim=c tenant_claim=t topics_claim=o classes=*;
gateway_auth tls classes=*;
gateway_auth tls classes=telemetry name=uri;
gateway_auth tls classes=telemetry name=dns prefix=gw-;
gateway_auth tls devices=$AUTH/devices.db name=cn;
--- refused
gateway_auth;
    invalid number of arguments in "gateway_auth" directive
gateway_auth on;
    invalid method "on" of "gateway_auth", it must be "devices", "jwt", "hmac", "tls" or "off"
gateway_auth off devices;
    invalid parameter "devices", "gateway_auth off" has none
gateway_auth devices;
    "gateway_auth devices" needs the file of a registry
gateway_auth hmac;
    "gateway_auth hmac" needs the file of a registry
gateway_auth devices $AUTH/devices.db window=5m;
    invalid parameter "window=5m" of "gateway_auth devices"
gateway_auth devices $AUTH/devices.db on;
    invalid parameter "on" of "gateway_auth devices"
gateway_auth hmac $AUTH/devices.db leeway=5s;
    invalid parameter "leeway=5s" of "gateway_auth hmac"
gateway_auth jwt;
    "gateway_auth jwt" needs "keys=", the file of a JSON Web Key Set
gateway_auth jwt keys=;
    parameter "keys=" of "gateway_auth jwt" is empty
gateway_auth jwt $AUTH/keys.json;
    invalid parameter "
gateway_auth jwt keys=$AUTH/keys.json key=a;
    invalid parameter "key=a" of "gateway_auth jwt"
gateway_auth jwt keys=$AUTH/keys.json =a;
    invalid parameter "=a" of "gateway_auth jwt"
gateway_auth jwt keys=$AUTH/keys.json a_name_longer_than_any=a;
    invalid parameter "a_name_longer_than_any=a" of "gateway_auth jwt"
gateway_auth jwt keys=$AUTH/keys.json issuer=a issuer=b;
    parameter "issuer=b" of "gateway_auth jwt" is duplicate
gateway_auth jwt keys=$AUTH/keys.json leeway=61s;
    invalid "leeway=61s", it must be a time of at most 60s
gateway_auth jwt keys=$AUTH/keys.json leeway=x;
    invalid "leeway=x", it must be a time of at most 60s
gateway_auth hmac $AUTH/devices.db window=0;
    invalid "window=0", it must be a time of 1s to 1d
gateway_auth hmac $AUTH/devices.db window=2d;
    invalid "window=2d", it must be a time of 1s to 1d
gateway_auth tls;
    "gateway_auth tls" needs one of "classes=" and "devices=": a certificate says who it is, not what it may send
gateway_auth tls classes=* devices=$AUTH/devices.db;
    "gateway_auth tls" needs one of "classes=" and "devices="
gateway_auth tls classes=* name=email;
    invalid "name=email", it must be "uri", "dns" or "cn"
gateway_auth tls classes=* keys=a;
    invalid parameter "keys=a" of "gateway_auth tls"
gateway_auth tls classes=critical;
    "classes=critical" of "gateway_auth" names what is no class of gateway "default"
gateway_auth jwt keys=$AUTH/keys.json classes=control,critical;
    "classes=control,critical" of "gateway_auth" names what is no class of gateway "default"



=== a chain names a method once, and "off" stands alone
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass;
%s
} } }
--- accepted
gateway_auth devices $AUTH/devices.db; gateway_auth jwt keys=$AUTH/keys.json; gateway_auth hmac $AUTH/devices.db; gateway_auth tls classes=*;
--- refused
gateway_auth off;
gateway_auth off;
    "gateway_auth" directive stands beside "gateway_auth off"
    -> gateway_auth off;
gateway_auth off;
gateway_auth tls classes=*;
    "gateway_auth" directive stands beside "gateway_auth off"
    -> gateway_auth tls classes=*;
gateway_auth tls classes=*;
gateway_auth off;
    "gateway_auth" directive is "off" beside other methods
    -> gateway_auth off;
gateway_auth devices $AUTH/devices.db;
gateway_auth devices $AUTH/devices.db;
    method "devices" of "gateway_auth" is duplicate, the first would always decide



=== it may stand on each level of http
--- around
gateway { brokers x; topic t; }
http {
%s
}
--- accepted
gateway_auth off; server { location / { gateway_pass; } }
server { gateway_auth tls classes=*; location / { gateway_pass; } }
server { gateway_auth tls classes=*; location / { gateway_auth off; gateway_pass; } }
server { location / { gateway_pass; gateway_auth tls classes=*; limit_except POST { deny all; } } }
--- refused
server { location / { gateway_pass; if ($arg_a) { gateway_auth off; } } }
    "gateway_auth" directive is not allowed here



=== raw needs to know who sends
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass; gateway_format raw;
%s
} } }
--- accepted
gateway_auth devices $AUTH/devices.db;
gateway_auth off; gateway_device $arg_d;
--- refused
gateway_auth off;
    "gateway_format raw" needs "gateway_auth" or "gateway_device": a raw body does not say who sent it
    -> } } }



=== a file that cannot serve is refused
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass;
%s
} } }
--- refused
gateway_auth devices $AUTH/no.db;
    no.db" failed (2: No such file or directory) in
gateway_auth devices $AUTH/folder;
    folder" is no file in
gateway_auth devices $AUTH/text.db;
    text.db
gateway_auth devices $AUTH/empty.db;
    empty.db
gateway_auth devices $AUTH/other.db;
    other.db
gateway_auth tls devices=$AUTH/no.db;
    no.db" failed (2: No such file or directory) in
gateway_auth hmac $AUTH/open.db;
    open.db" holds the keys of "gateway_auth hmac" and has mode 0644, it must be 0600 or 0640 in
gateway_auth hmac $AUTH/group.db;
    group.db" holds the keys of "gateway_auth hmac" and has mode 0660, it must be 0600 or 0640 in
gateway_auth devices $AUTH/open.db; gateway_auth hmac $AUTH/open.db;
    open.db" holds the keys of "gateway_auth hmac" and has mode 0644
gateway_auth jwt keys=$AUTH/no.json;
    no.json" failed (2: No such file or directory) in
gateway_auth jwt keys=$AUTH/folder;
    folder" is no file in
gateway_auth jwt keys=$AUTH/text.json;
    text.json": not JSON, line 1 column
gateway_auth jwt keys=$AUTH/list.json;
    list.json": no member "keys" that is an array in
gateway_auth jwt keys=$AUTH/none.json;
    none.json": no key that could verify a token in
gateway_auth jwt keys=$AUTH/weak.json;
    weak.json": key 0 (kid "rsa1024"):
gateway_auth jwt keys=$AUTH/twice.json;
    twice.json": key 1 (kid "p256"):
gateway_auth jwt keys=$AUTH/large.json;
    large.json" is larger than 1m in



=== auth_cache and auth_failures are words of the gateway block
--- around
http { server { location / { gateway_pass; gateway_auth off; } } }
gateway { brokers x; topic t;
%s
}
--- accepted
auth_cache 1;
auth_cache 10000000;
auth_failures off;
auth_failures 1r/s;
auth_failures 100r/s burst=1;
--- refused
auth_cache 0;
    value must be between 1 and 10000000
auth_cache 10000001;
    value must be between 1 and 10000000
auth_cache off;
    invalid number
auth_cache 5; auth_cache 5;
    "auth_cache" directive is duplicate
auth_failures 10;
    invalid rate "10", it must be "off" or from 1r/s to 1000000r/s
auth_failures 0r/s;
    invalid rate "0r/s", it must be
auth_failures 10r/m;
    invalid rate "10r/m", it must be
auth_failures 10r/s burst=0;
    "burst=0"
auth_failures 10r/s 5;
    "5"
auth_failures off burst=5;
    invalid rate "off", it must be
auth_failures 1r/s; auth_failures 1r/s;
    "auth_failures" directive is duplicate



=== a location that says nothing is warned of
--- around
gateway { brokers x; topic t; }
http { server { location /v1 { gateway_pass;
%s
} } }
--- accepted
gateway_auth off;
gateway_device $remote_user;
