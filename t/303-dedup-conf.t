# The words "dedup", "schema" and "gateway_schema": their forms, and what
# "nginx -t" says of the rest.  Without this page a schema with a misspelled
# keyword would check nothing, and nobody would know.

use lib 't/lib';
use GatewayTest 'no_plan';

run_config_tests();

__DATA__

=== dedup has these forms
--- accepted
dedup on;
dedup off;
dedup window=64;
dedup on window=4096 keep=1d full=pass stale=accept;
dedup full=refuse stale=refuse;
dedup state=$DIR/dedup.state;
--- refused
dedup;
    invalid number of arguments in "dedup" directive
dedup yes;
    invalid parameter "yes" of "dedup"
dedup off window=64;
    invalid parameter "window=64", "dedup off" has none
dedup window=0;
    invalid "window=0", it must be a multiple of 64 from 64 to 4096
dedup window=65;
    invalid "window=65", it must be a multiple of 64
dedup window=8192;
    invalid "window=8192", it must be a multiple of 64
dedup keep=0;
    invalid "keep=0", it must be a time of 1s to 365d
dedup keep=2y;
    invalid "keep=2y", it must be a time of 1s to 365d
dedup full=drop;
    invalid "full=drop", it must be "pass" or "refuse"
dedup stale=drop;
    invalid "stale=drop", it must be "accept" or "refuse"
dedup window=64 window=128;
    parameter "window=128" of "dedup" is duplicate
dedup window=64 depth=5;
    invalid parameter "depth=5" of "dedup"
dedup on; dedup off;
    "dedup" directive is duplicate



=== two gateways cannot share a file of windows
--- around
gateway a { brokers x; topic t; dedup state=a.state; }
gateway b { brokers x; topic t; %s }
--- accepted
dedup state=b.state;
dedup on;
--- refused
dedup state=a.state;
    "state=a.state" is the file of gateway "a" already



=== a zone must have room for it
--- accepted
zone a 1m;
zone a 64m;
dedup off; zone a 128k;
--- refused
zone a 192k;
    zone "a" is too small for "dedup"
    -> nowhere



=== gateway_schema takes what it can check, and nothing else
--- user_files
>>> good.json
{ "type": "object", "properties": { "t": { "type": "number" } } }
>>> text.json
no JSON
>>> keyword.json
{ "type": "object", "propertys": {} }
>>> remote.json
{ "properties": { "t": { "$ref": "https://example.com/t.json" } } }
>>> dynamic.json
{ "$dynamicRef": "#a" }
>>> unevaluated.json
{ "unevaluatedProperties": false }
>>> pattern.json
{ "properties": { "t": { "pattern": "(" } } }
>>> draft7.json
{ "$schema": "http://json-schema.org/draft-07/schema#" }
>>> format.json
{ "format": "hostname" }
--- around
gateway { brokers x; topic t; }
http { server { location / { gateway_pass; gateway_auth off;
%s
} } }
--- accepted
gateway_schema off;
gateway_schema $DIR/good.json;
gateway_schema $DIR/good.json formats=on;
gateway_schema $DIR/format.json formats=off;
--- refused
gateway_schema;
    invalid number of arguments in "gateway_schema" directive
gateway_schema $DIR/no.json;
    no.json" failed (2: No such file or directory) in
gateway_schema $DIR;
    is no file in
gateway_schema $DIR/good.json formats=yes;
    invalid parameter "formats=yes", it must be "formats=on" or "formats=off"
gateway_schema off formats=on;
    "gateway_schema" directive is "off" with a parameter
gateway_schema $DIR/good.json; gateway_schema off;
    "gateway_schema" directive is duplicate
gateway_schema $DIR/text.json;
    schema "$DIR/text.json":
gateway_schema $DIR/keyword.json;
    propertys
gateway_schema $DIR/remote.json;
    $ref
gateway_schema $DIR/dynamic.json;
    $dynamicRef
gateway_schema $DIR/unevaluated.json;
    unevaluatedProperties
gateway_schema $DIR/pattern.json;
    pattern
gateway_schema $DIR/draft7.json;
    $schema
gateway_schema $DIR/format.json formats=on;
    format



=== a class has a schema, unless nobody can look into it
--- user_files
>>> good.json
{ "type": "object" }
--- accepted
class telemetry schema=$DIR/good.json;
--- refused
class telemetry schema=$DIR/no.json;
    no.json" failed (2: No such file or directory) in
class telemetry opaque schema=$DIR/good.json;
    class "telemetry" is opaque and has a schema, which could not be checked
