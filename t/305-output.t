# "output cloudevents": every record is a CloudEvent of the Kafka binding in
# binary mode, whatever it came as.  Without this page a consumer that speaks
# CloudEvents would find our envelope in place of its data.

use lib 't/lib';
use File::Temp;
use IO::Socket::INET;
use GatewayTest 'no_plan';

sub send_json {
    my ($text, %headers) = @_;

    return http('POST', '/t', $text, 'Content-Type' => 'application/json',
                %headers)->{headers}{'gateway-result'};
}

sub event {
    my ($members) = @_;

    return send_json(qq({"specversion":"1.0","source":"/p/a","type":"t",)
                     . qq("id":"1",$members}),
                     'Content-Type' => 'application/cloudevents+json');
}

my $dir = File::Temp->newdir;

open my $file, '>', "$dir/t.json" or die "$dir/t.json: $!";
print $file '{"type":"string"}';
close $file;

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('gateway', <<'END') unless defined $block->gateway;
output cloudevents;
topic $T.telemetry;
END

    $block->set_value('config', <<'END') unless defined $block->config;
location /t { gateway_auth off; gateway_pass; }
END

    my $config = $block->config;
    $config =~ s/\$SCHEMA\b/$dir\/t.json/g;
    $block->set_value('config', $config);
});

run_tests();

__DATA__

=== an envelope becomes an event
--- then
is(main::send_json('{"device":"pump-7","epoch":"e1","seq":5,'
                   . '"ts":"2026-11-23T10:00:00.5+01:00","data":{ "t" : 1 }}'),
   'delivered', 'with epoch and number');
is(main::send_json('{"device":"a","seq":6,"ts":"1970-01-01T00:00:00.001Z",'
                   . '"data":"x"}'), 'delivered',
   'with a number');
is(main::send_json('{"device":"b","data":[]}', 'Idempotency-Key' => '"k-1"'),
   'delivered', 'with a key');
is(main::send_json('{"device":"c","data":null}'), 'delivered', 'with neither');
--- records
$T.telemetry
^pump-7 \{ "t" : 1 \} ce_class=telemetry ce_deviceid=pump-7 ce_epoch=e1 ce_id=e1/5 ce_recordedtime=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ce_sequence=5 ce_source=/devices/pump-7 ce_specversion=1\.0 ce_time=2026-11-23T09:00:00\.500Z ce_type=device\.telemetry content-type=application/json traceparent=\S+$
^a "x" ce_class=telemetry ce_deviceid=a ce_id=6 .*ce_time=1970-01-01T00:00:00\.001Z
^b \[\] .*ce_id=k-1
^c null .*ce_id=[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} ce_rec



=== an event stays what it is
--- then
is(main::event('"deviceid":"a","data":{"t":1}'), 'delivered', 'of JSON');
is(main::event('"deviceid":"b","datacontenttype":"text/plain",'
               . '"data":"l\u00fcm\n"'), 'delivered', 'of text');
is(main::event('"deviceid":"c","datacontenttype":"image/x","data_base64":'
               . '"\/+4AAQ=="'), 'delivered', 'of bytes');
is(main::event('"deviceid":"d","data":"text"'), 'delivered',
   'of a string of JSON');
is(http('POST', '/t', 'as it "is"', 'Ce-Specversion' => '1.0', 'ce-id' => 'x',
        'ce-source' => 's', 'ce-type' => 't', 'ce-traceparent' => 'theirs',
        'Content-Type' => 'text/plain')->{status}, 200, 'of a body');
my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port());
print $client "POST /t HTTP/1.0\r\nContent-Length: 11\r\nce-specversion: 1.0\r\n"
              . "ce-id: y\r\nce-source: s\r\nce-type: t\r\n\r\n\"in quotes\"";
like(scalar <$client>, qr/ 200 /, 'of a body that does not say what it is');
--- records
$T.telemetry
^a \{"t":1\} ce_class=telemetry ce_deviceid=a ce_id=1 ce_recordedtime=\S+ ce_source=/p/a ce_specversion=1\.0 ce_type=t content-type=application/json traceparent=\S+$
^b l\xfcm\s+ce_.*content-type=text/plain
^c base64:/\+4AAQ== .*content-type=image/x
^d "text" .*content-type=application/json
^s "in quotes" ce_class=telemetry .*ce_type=t traceparent=
^s as it "is" .*ce_traceparent=theirs ce_type=t content-type=text/plain traceparent=00-



=== an event cannot name another device than was authorised
--- config
location /t { gateway_auth off; gateway_device pump-1; gateway_pass; }
--- then
is(main::event('"deviceid":"no name/","class":"telemetry",'
               . '"recordedtime":"yesterday","data":1'), 'delivered', 'event');
--- records
$T.telemetry
^pump-1 1 ce_class=telemetry ce_deviceid=pump-1 ce_id=1 ce_recordedtime=20\d\d-\S+Z ce_source=/p/a ce_specversion=1\.0 ce_type=t content-type=



=== it cannot beside an envelope either
--- gateway
topic $T.telemetry;
--- config
location /t { gateway_auth off; gateway_device pump-1; gateway_pass; }
--- then
is(main::event('"deviceid":"no name/","data":1'), 'delivered', 'event');
--- records
$T.telemetry
^pump-1 \{"device":"pump-1".* ce_deviceid=pump-1 ce_id=1 ce_source=/p/a



=== a batch of events, and what is opaque
--- gateway
output cloudevents type=io.example;
topic $T.telemetry;
class control topic=$T.control opaque;
class telemetry;
--- config
location /t { gateway_auth off; gateway_pass; }
location /raw {
    gateway_auth off;
    gateway_device "pump 7";
    gateway_class control;
    gateway_format raw;
    gateway_pass;
}
--- then
is(http('POST', '/t', '[' . join(',', map {
            qq({"specversion":"1.0","id":"$_","source":"p","type":"t",)
            . qq("data":$_})
        } 1 .. 5) . ']',
        'Content-Type' => 'application/cloudevents-batch+json')->{status}, 200,
   'a batch');
is(http('POST', '/raw', "\x00\xff", 'Gateway-Seq' => 3)->{status}, 200, 'bytes');
--- records
$T.telemetry 5

$T.control
^pump 7 base64:AP8= ce_class=control ce_deviceid=pump 7 ce_id=3 .*ce_sequence=3 ce_source=/devices/pump%207 ce_specversion=1\.0 ce_time=\S+ ce_type=io\.example\.control content-type=application/octet-stream gateway-received-at=\d+ gateway-seq=3



=== what a schema refuses is kept as it came, and is no event then
--- topics
$T.telemetry
$T.dead
--- gateway
output cloudevents;
topic $T.telemetry;
dead_letter $T.dead;
--- config
location /t { gateway_auth off; gateway_schema $SCHEMA; gateway_pass; }
--- then
is(main::event('"deviceid":"a","data":{"t":1}'), undef, 'refused');
is(main::send_json('{"device":"b","data":1}'), undef, 'refused');
--- records
$T.dead
^a \{"specversion":"1\.0",.*\} ce_deviceid=a ce_id=1 ce_source=/p/a ce_type=t gateway-keyword=type .*gateway-reason=schema
^b \{"device":"b","data":1\} gateway-keyword
