# Every word of the gateway block: the forms that it has, and what "nginx -t"
# says of one that it has not, with file and line.  Without this page a
# mistake in a configuration would show at the first message, or never.

use lib 't/lib';
use GatewayTest 'no_plan';

run_config_tests();

__DATA__

=== brokers are host, host:port or [v6]:port
--- accepted
brokers kafka;
brokers kafka:9092;
brokers kafka-1:9092 kafka-2:9092 kafka-3:65535;
brokers 127.0.0.1:1;
brokers [::1]:9092;
--- refused
brokers;
    invalid number of arguments in "brokers" directive
brokers kafka:0;
    invalid broker "kafka:0", it must be host:port
brokers kafka:65536;
    invalid broker "kafka:65536", it must be host:port
brokers kafka:;
    invalid broker "kafka:", it must be host:port
brokers kafka:port;
    invalid broker "kafka:port", it must be host:port
brokers :9092;
    invalid broker ":9092", it must be host:port
brokers a:1,b:1;
    invalid broker "a:1,b:1", it must be host:port
brokers a,b;
    invalid broker "a,b", it must be host:port
brokers kafka://a:9092;
    invalid broker "kafka://a:9092", it must be host:port
brokers [::1:9092;
    invalid broker "[::1:9092", it must be host:port
brokers "";
    invalid broker "", it must be host:port
brokers a;
brokers b;
    "brokers" directive is duplicate
    -> brokers b;



=== a gateway must have brokers
--- around
gateway fleet {
    %s
}
http { }
--- refused
topic a;
    gateway "fleet" must have "brokers"
    -> }



=== a topic has 1 to 249 characters of [A-Za-z0-9._-]
--- accepted
topic fleet.telemetry_2-A;
topic ...;
dead_letter fleet.dead;
--- refused
topic;
    invalid number of arguments in "topic" directive
topic "";
    invalid topic "", it must be 1 to 249 characters of [A-Za-z0-9._-]
topic .;
    invalid topic "."
topic ..;
    invalid topic ".."
topic fleet/telemetry;
    invalid topic "fleet/telemetry"
topic "a b";
    invalid topic "a b"
topic $topic;
    invalid topic "$topic"
dead_letter a#b;
    invalid topic "a#b"
topic a;
topic b;
    "topic" directive is duplicate
    -> topic b;
dead_letter a;
dead_letter b;
    "dead_letter" directive is duplicate
    -> dead_letter b;



=== each class must have a topic, its own or that of the gateway
--- around
gateway fleet {
    brokers a;
    %s
}
http { }
--- accepted
topic a;
class one topic=a; class two topic=b;
class one; topic b;
--- refused
class one topic=a; class two;
    class "two" of gateway "fleet" has no topic: set "topic" or "topic="
    -> }
buffer 1m;
    class "control" of gateway "fleet" has no topic: set "topic" or "topic="
    -> }



=== a class has a name and parameters
--- accepted
class telemetry;
class telemetry topic=other;
class telemetry share=1%;
class telemetry share=100%;
class telemetry share=50;
class telemetry max_age=1ms;
class telemetry max_age=1d;
class telemetry overflow=drop_oldest;
class telemetry overflow=reject;
class telemetry ack=queued;
class telemetry ack=delivered;
class telemetry opaque;
class t share=5% max_age=1h overflow=reject ack=queued opaque topic=x;
class a; class b; class c; class d; class e; class f; class g; class h;
--- refused
class;
    invalid number of arguments in "class" directive
class "a b";
    invalid class "a b", it must be 1 to 32 characters of [A-Za-z0-9._-]
class "";
    invalid class ""
class abcdefghijklmnopqrstuvwxyz0123456;
    invalid class "abcdefghijklmnopqrstuvwxyz0123456"
class a;
class a;
    class "a" is duplicate
class a; class b; class c; class d; class e; class f; class g; class h;
class i;
    a gateway has at most 8 classes
    -> class i;
class a topic=;
    invalid parameter "topic=" of class "a"; known are topic=,
    share=1%..100%, max_age=, overflow=drop_oldest|reject,
    ack=delivered|queued, schema=, opaque
class a topic=x/y;
    invalid parameter "topic=x/y" of class "a"
class a share=0%;
    invalid parameter "share=0%" of class "a"
class a share=101%;
    invalid parameter "share=101%" of class "a"
class a share=%;
    invalid parameter "share=%" of class "a"
class a share=-1%;
    invalid parameter "share=-1%" of class "a"
class a max_age=0;
    invalid parameter "max_age=0" of class "a"
class a max_age=soon;
    invalid parameter "max_age=soon" of class "a"
class a overflow=spool;
    invalid parameter "overflow=spool" of class "a"
class a ack=spooled;
    invalid parameter "ack=spooled" of class "a"
class a opaque=on;
    invalid parameter "opaque=on" of class "a"
class a whatever;
    invalid parameter "whatever" of class "a"



=== a buffer is large enough for its lanes, and no larger than 1t
--- accepted
buffer 2m;
buffer 1024m;
--- refused
buffer;
    invalid number of arguments in "buffer" directive
buffer many;
    "buffer" directive invalid value
buffer 1m;
buffer 1m;
    "buffer" directive is duplicate
buffer 8796093022207m;
    /"buffer" \d+ of gateway "default" is too large, it must be at most 1t/
    -> }
buffer 1023k;
    /"buffer" 1047552 of gateway "default" is too small, it must be at least/
    -> }



=== a window is 64k up to half of the buffer
--- accepted
window 64k;
window 1m messages=4;
window 1m messages=1000000;
buffer 8m; window 4m;
--- refused
window 65535;
    invalid "window" size "65535", it must be at least 64k
window large;
    invalid "window" size "large"
window 1m 100;
    invalid parameter "100", it must be messages=4..1000000
window 1m messages=3;
    invalid parameter "messages=3", it must be messages=4..1000000
window 1m messages=1000001;
    invalid parameter "messages=1000001"
window 1m messages=;
    invalid parameter "messages="
window 1m messages=5 6;
    invalid number of arguments in "window" directive
window 1m;
window 1m;
    "window" directive is duplicate
buffer 8m; window 5m;
    "window" 5242880 must be at most half of "buffer" 8388608
    -> }



=== pressure has a high and a low mark
--- accepted
pressure high=90%;
pressure low=10%;
pressure high=70 low=70;
pressure low=1% high=100%;
--- refused
pressure;
    invalid number of arguments in "pressure" directive
pressure high=0%;
    invalid parameter "high=0%", it must be high=1%..100% or low=1%..100%
pressure high=101%;
    invalid parameter "high=101%"
pressure low=;
    invalid parameter "low="
pressure medium=5%;
    invalid parameter "medium=5%"
pressure high=50%;
    "pressure" low 60% is above high 50%
pressure high=50% low=60%;
    "pressure" low 60% is above high 50%
pressure high=90%;
pressure high=90%;
    "pressure" directive is duplicate



=== a floor is a number
--- accepted
floor 0;
floor 1;
floor 1000;
--- refused
floor;
    invalid number of arguments in "floor" directive
floor low;
    "floor" directive invalid number
floor -1;
    "floor" directive invalid number
floor 1000001;
    value must be between 0 and 1000000
floor 4294967296;
    value must be between 0 and 1000000
floor 1;
floor 1;
    "floor" directive is duplicate



=== retry has two times, the first not above the second
--- accepted
retry 1ms 1ms;
retry 100ms 1m;
--- refused
retry 1s;
    invalid number of arguments in "retry" directive
retry 0 1s;
    invalid "retry" times "0" and "1s", the first must not be 0 nor above
    the second
retry 2s 1s;
    invalid "retry" times "2s" and "1s"
retry soon later;
    invalid "retry" times "soon" and "later"
retry 1s 1s;
retry 1s 1s;
    "retry" directive is duplicate



=== ack is delivered or queued
--- accepted
ack delivered;
ack queued;
--- refused
ack;
    invalid number of arguments in "ack" directive
ack spooled;
    invalid "ack" level "spooled", it must be "delivered" or "queued"
ack delivered;
ack delivered;
    "ack" directive is duplicate



=== drain_timeout is a time
--- accepted
drain_timeout 0;
drain_timeout 5m;
--- refused
drain_timeout;
    invalid number of arguments in "drain_timeout" directive
drain_timeout forever;
    "drain_timeout" directive invalid value
drain_timeout 1s;
drain_timeout 1s;
    "drain_timeout" directive is duplicate



=== output names what the value of a record is
--- accepted
output envelope;
output cloudevents;
output cloudevents type=com.example;
--- refused
output;
    invalid number of arguments in "output" directive
output json;
    invalid "output" "json", it must be "envelope" or "cloudevents"
output envelope type=x;
    invalid parameter "type=x"; "output cloudevents" knows type=
output cloudevents types=x;
    invalid parameter "types=x"; "output cloudevents" knows type=
output cloudevents type=;
    invalid parameter "type=", type= must be 1 to 128 printable characters
output cloudevents; output envelope;
    "output" directive is duplicate



=== a zone has a name and a size
--- accepted
zone fleet 1m;
zone fleet 512k;
--- refused
zone fleet;
    invalid number of arguments in "zone" directive
zone fleet large;
    invalid "zone" size "large"
zone "" 1m;
    invalid "zone" name
zone fleet 8k;
    zone "fleet" is too small, it needs at least
zone one 1m;
zone two 1m;
    "zone" directive is duplicate
    -> zone two



=== two gateways cannot share a zone
--- around
%s
http { }
--- accepted
gateway a { brokers x; topic t; } gateway b { brokers x; topic t; }
--- refused
gateway a { brokers x; topic t; zone z 1m; }
gateway b { brokers x; topic t; zone z 1m; }
    zone "z" is already used by gateway "a"
    -> gateway b
gateway a { brokers x; topic t; zone z 1m; }
gateway b { brokers x; topic t; zone z 2m; }
    the size 2097152 of shared memory zone "z" conflicts with already
    declared size 1048576
    -> gateway b
gateway a { brokers x; topic t; zone z 1m; }
http { limit_req_zone $uri zone=z:1m rate=1r/s; }
    the shared memory zone "z" is already declared for a different use
    -> limit_req_zone



=== a gateway has one name and one block
--- around
%s
http { }
--- accepted
gateway { brokers x; topic t; }
gateway default { brokers x; topic t; }
gateway a { brokers x; topic t; } gateway { brokers x; topic t; }
--- refused
gateway a { brokers x; topic t; }
gateway a { brokers x; topic t; }
    gateway "a" is duplicate
    -> gateway a
gateway { brokers x; topic t; }
gateway default { brokers x; topic t; }
    gateway "default" is duplicate
    -> gateway default
gateway "" { brokers x; topic t; }
    "gateway" directive has an empty name
gateway a b { brokers x; topic t; }
    invalid number of arguments in "gateway" directive
gateway a;
    directive "gateway" has no opening "{"
http { gateway a { brokers x; topic t; } }
    "gateway" directive is not allowed here



=== what is not of the block is refused in it, and its words outside
--- refused
listen 80;
    "listen" directive is not allowed here
whatever;
    unknown directive "whatever"
gateway { brokers x; topic t; }
    "gateway" directive is not allowed here
} topic t;
    "topic" directive is not allowed here



=== the block may stand before or behind http
--- around
%s
--- accepted
gateway { brokers x; topic t; } http { server { location / { gateway_pass; } } }
http { server { location / { gateway_pass; } } } gateway { brokers x; topic t; }



=== include works inside the block
--- user_files
>>> brokers.inc
brokers kafka:9092;
>>> classes.inc
topic t;
class a;
class a;
--- around
gateway {
    %s
}
http { }
--- accepted
include $DIR/brokers.inc; topic t;
include $DIR/brok*.inc; topic t;
--- refused
brokers kafka;
include $DIR/classes.inc;
    class "a" is duplicate in $DIR/classes.inc:3
    -> class a
brokers kafka;
include $DIR/missing.inc;
    "$DIR/missing.inc" failed (2: No such file or directory)
    -> missing.inc



=== any property of librdkafka passes through
--- accepted
property linger.ms 0;
property compression.type zstd;
property compression.codec none;
property message.max.bytes 2000000;
property client.id "a b";
property security.protocol ssl;
property batch.num.messages 100;
property max.in.flight 1;
property message.timeout.ms 5000;
property debug broker,topic;
--- refused
property linger.ms;
    invalid number of arguments in "property" directive
property linger_ms 1;
    unknown property "linger_ms" (librdkafka
property "" 1;
    unknown property "" (librdkafka



=== the value of a property is checked, and never repeated
--- refused
property linger.ms s3cret;
    /invalid value of property "linger.ms" .librdkafka [0-9.]+. in /
property compression.type s3cret;
    /invalid value of property "compression.type" .librdkafka [0-9.]+. in /
property message.max.bytes 1;
    /invalid value of property "message.max.bytes" .librdkafka [0-9.]+. in /
--- never: s3cret



=== what the promises rest on is the gateway's own
--- accepted
property enable.idempotence true;
property acks all;
property acks -1;
property request.required.acks all;
property partitioner murmur2_random;
--- refused
property bootstrap.servers a:9092;
    property "bootstrap.servers" is set by the gateway: use the directive
    "brokers"
property metadata.broker.list a:9092;
    property "metadata.broker.list" is set by the gateway: use the directive
    "brokers"
property enable.idempotence false;
    property "enable.idempotence" is set by the gateway: a retry inside
    librdkafka must not make a duplicate
property acks 1;
    property "acks" is set by the gateway: an acknowledged message must
    survive a broker
property acks al;
    property "acks" is set by the gateway
property request.required.acks 0;
    property "request.required.acks" is set by the gateway: an acknowledged
    message must survive a broker
property partitioner random;
    property "partitioner" is set by the gateway: other producers and stream
    joins hash keys as the Java client does
property delivery.report.only.error true;
    property "delivery.report.only.error" is set by the gateway: every
    message is answered on its delivery report
property log.queue false;
    property "log.queue" is set by the gateway: logs are served on the event
    loop
property queuing.strategy lifo;
    property "queuing.strategy" is set by the gateway: the order of a device
    must hold
property enable.gapless.guarantee true;
    property "enable.gapless.guarantee" is set by the gateway: a message that
    timed out is sent again by the gateway
property transactional.id x;
    property "transactional.id" is set by the gateway: the gateway uses no
    transactions
property queue.buffering.max.messages 10;
    property "queue.buffering.max.messages" is set by the gateway: use the
    directives "buffer" and "window"
property queue.buffering.max.kbytes 10;
    property "queue.buffering.max.kbytes" is set by the gateway
property internal.termination.signal 10;
    property "internal.termination.signal" is set by the gateway: signals
    belong to nginx
property test.mock.num.brokers 3;
    property "test.mock.num.brokers" is set by the gateway: each worker would
    have a cluster of its own
property max.in.flight 5;
    property "max.in.flight" is set by the gateway: with more, a message that
    Kafka refused may be reported as delivered
property max.in.flight 0x10;
    property "max.in.flight" is set by the gateway
property max.in.flight.requests.per.connection 2;
    property "max.in.flight.requests.per.connection" is set by the gateway



=== properties that no producer can be made of together are refused
--- refused
property linger.ms 1000; property message.timeout.ms 100;
    message.timeout.ms
    -> }
property retries 0;
    retries
    -> }
property reconnect.backoff.ms 5000;
    reconnect
    -> }



=== a file of properties has lines of name=value
--- user_files
>>> good.properties
# a comment
linger.ms=1

  compression.type = gzip
sasl.password= s3cret
client.id=a=b
>>> empty.properties
>>> noequals.properties
linger.ms=1
s3cret
>>> unknown.properties
linger.ms=1
client.id=x
linger=s3cret
>>> invalid.properties
linger.ms=s3cret
>>> owned.properties
#
acks=0
--- accepted
properties $DIR/good.properties;
properties $DIR/empty.properties;
properties $DIR/good.properties; property linger.ms 2;
--- refused
properties;
    invalid number of arguments in "properties" directive
properties $DIR/missing.properties;
    open() "$DIR/missing.properties" failed (2: No such file or directory)
properties $DIR/noequals.properties;
    line 2 of "$DIR/noequals.properties" is not name=value
properties $DIR/unknown.properties;
    in line 3 of "$DIR/unknown.properties"
properties $DIR/unknown.properties;
    unknown property "linger" (librdkafka
properties $DIR/invalid.properties;
    invalid value of property "linger.ms" (librdkafka
properties $DIR/invalid.properties;
    in line 1 of "$DIR/invalid.properties"
properties $DIR/owned.properties;
    property "acks" is set by the gateway
properties $DIR;
    "$DIR" failed
--- never: s3cret



=== a gateway that is named must be declared
--- around
gateway fleet { brokers x; topic t; class a; class b; }
http {
    server {
        location / {
            %s
        }
    }
}
--- accepted
gateway_pass fleet;
gateway_pass fleet; gateway_class a;
gateway_pass fleet; gateway_class $arg_class;
gateway_class whatever;
--- refused
gateway_pass fleets;
    unknown gateway "fleets"
gateway_pass;
    unknown gateway "default"
gateway_pass fleet;
gateway_class c;
    unknown class "c" of gateway "fleet"
    -> gateway_class c;
