# CloudEvents 1.0 come in over HTTP in all three modes and become the same
# record, with their attributes beside it.  Without this page a type would get
# lost, a batch be taken for one event, or two events of one source for one.

use lib 't/lib';
use File::Temp;
use GatewayTest 'no_plan';

my $structured = 'application/cloudevents+json';

# status and result, or reason

sub said {
    my ($answer) = @_;

    return "$answer->{status} " . ($answer->{headers}{'gateway-result'}
           || (problem($answer) =~ /^\d+ (\w+)/)[0] || '-');
}

sub event {
    my ($members, %headers) = @_;

    return http('POST', '/t', qq({"specversion":"1.0",$members}),
                'Content-Type' => $structured, %headers);
}

sub binary {
    my ($body, %headers) = @_;

    return http('POST', '/t', $body, 'Ce-Specversion' => '1.0',
                'Content-Type' => 'application/json', %headers);
}

my $dir = File::Temp->newdir;

open my $file, '>', "$dir/t.json" or die "$dir/t.json: $!";
print $file '{"type":"object","required":["temp"]}';
close $file;

add_block_preprocessor(sub {
    my ($block) = @_;

    my $schema = $block->name =~ /schema/ ? "$dir/t.json" : 'off';

    $block->set_value('config', <<"END");
location /t { gateway_auth off; gateway_schema $schema; gateway_pass; }
END
});

run_tests();

__DATA__

=== an event in a document of its own
--- then
my $answer = main::event('"id":"17","source":"https://example.com/pumps/pump-7"'
                         . ',"type":"io.example.reading"'
                         . ',"time":"2026-11-23T10:00:00.250Z"'
                         . ',"subject":"inlet","dataschema":"urn:x:y"'
                         . ',"epoch":"boot-3","colour":"red"'
                         . ',"data":{"temp":21.50}');
is(main::said($answer), '200 delivered', 'it is taken');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7","epoch":"boot-3","seq":17,"class":"telemetry","ts":1795428000250,"received_at":\d+,"data":\{"temp":21\.50\}\} ce_colour=red ce_dataschema=urn:x:y ce_epoch=boot-3 ce_id=17 ce_source=https://example\.com/pumps/pump-7 ce_subject=inlet ce_time=2026-11-23T10:00:00\.250Z ce_type=io\.example\.reading traceparent=\S+$



=== an event in headers, its body is the data
--- then
my $answer = main::binary('{ "temp": 21.50 }', 'ce-id' => '18',
                          'CE-Source' => '/pumps/pump-7',
                          'ce-type' => 'io.example.reading',
                          'ce-class' => 'control',
                          'ce-subject' => 'Z%C3%BCrich%20%22Nord%22');
is(main::said($answer), '200 delivered', 'it is taken');
$answer = main::binary('low %', 'ce-id' => 'a', 'ce-source' => '/pumps/pump-8',
                       'ce-type' => 't',
                       'Content-Type' => 'text/plain; charset=utf-8');
is(main::said($answer), '200 delivered', 'text is a string of JSON');
--- records
$T.control
^pump-7 \{.*"seq":18,"class":"control",.*"data":\{ "temp": 21\.50 \}\} ce_class=control .*ce_subject=Z\xfcrich "Nord" ce_type=io

$T.telemetry
^pump-8 \{"device":"pump-8",.*"data":"low %"\} ce_id=a



=== a batch of events
--- then
my $batch = '[{"specversion":"1.0","id":"1","source":"/p/a","type":"t","data":1},'
            . '{"specversion":"1.0","id":"2","source":"/p/a","type":"t","data":2},'
            . '{"specversion":"1.0","id":"3","source":"/p/a","data":3},'
            . '{"specversion":"1.0","id":"2","source":"/p/a","type":"t","data":2}]';
my $answer = http('POST', '/t', $batch, 'Content-Type'
                  => 'application/cloudevents-batch+json; charset=utf-8');
is($answer->{status}, 207, 'each has its end');
my $said = JSON::PP::decode_json($answer->{content});
is($said->{delivered}, 2, 'two are delivered');
is($said->{duplicate}, 1, 'one was there twice');
is($said->{errors}[0]{index}, 2, 'one is none');
like($said->{errors}[0]{detail}, qr/"type"/, '... as it has no type');
--- records
$T.telemetry
"seq":1,.*ce_id=1
"seq":2,.*ce_id=2



=== what tells events apart is source and id
--- then
my $e = sub {
    main::said(main::event(qq("type":"t","deviceid":"d",$_[0])));
};
is($e->('"source":"/a","id":"1","data":1'), '200 delivered', 'a, 1');
is($e->('"source":"/b","id":"1","data":2'), '200 delivered', 'b, 1');
is($e->('"source":"/a","id":"1","data":1'), '200 duplicate', 'a, 1 again');
is($e->('"source":"/b","id":"1","data":2'), '200 duplicate', 'b, 1 again');
is($e->('"source":"/a","id":"1","data":3'), '422 conflict', 'a, 1 anew');
is($e->('"source":"/a","id":"u-1","data":1'), '200 delivered', 'a, u-1');
is($e->('"source":"/a","id":"u-1","data":1'), '200 duplicate', '... again');
is($e->('"source":"/a","id":"u-2","data":1'), '200 delivered', 'a, u-2');
is($e->('"source":"/a","id":"u-3","sequence":"7","data":1'), '200 delivered',
   'a place in a sequence');
is($e->('"source":"/a","id":"u-4","sequence":"7","data":4'), '200 delivered',
   '... is no name');
is(main::said(http('POST', '/t', '{"device":"d","seq":1,"data":9}',
                   'Content-Type' => 'application/json')), '200 delivered',
   'nor are numbers of envelopes those of a source');
--- records
$T.telemetry 7



=== what is no CloudEvent is told what it lacks
--- then
my $e = sub { my $a = main::event($_[0]); main::said($a) . " $a->{content}" };
like($e->('"id":"1","source":"/a","type":"t"'), qr/^400 malformed.*data/,
     'no data');
like($e->('"source":"/a","type":"t","data":1'), qr/^400 malformed.*id/, 'no id');
like($e->('"id":"1","source":"/a","type":"t","data":1,"x":{}'),
     qr/^400 malformed/, 'an extension that has a structure');
my $b = sub {
    my $a = main::binary('1', 'ce-id' => 1, 'ce-source' => '/a',
                         'ce-type' => 't', @_);
    main::said($a) . " $a->{content}";
};
like($b->('ce-datacontenttype' => 'text/plain'), qr/^400 malformed/,
     'the content type is a header of its own');
like($b->('ce-subject' => '%ff'), qr/^400 malformed/, 'what is not UTF-8');
like($b->('ce-my-name' => 'x'), qr/^400 malformed/, 'a name with a dash');
like($b->('Ce-Specversion' => '0.3'), qr/^400 malformed/, 'another version');
like($b->('Content-Type' => 'application/cloudevents+avro'),
     qr/^415 unsupported/, 'another format');
my $a = main::binary('', 'ce-id' => 1, 'ce-source' => '/a', 'ce-type' => 't');
is(main::said($a), '400 malformed', 'a tombstone');
$a = main::binary("\xff", 'ce-id' => 1, 'ce-source' => '/a', 'ce-type' => 't',
                  'Content-Type' => 'text/plain');
is(main::said($a), '400 malformed', 'bytes that are no text');
$a = main::binary('{"a":', 'ce-id' => 1, 'ce-source' => '/a', 'ce-type' => 't');
like($a->{content}, qr/at byte 5/, 'and where JSON ends');
--- records
$T.telemetry 0
--- metrics
rejected_messages_total{reason="malformed"} 10
rejected_messages_total{reason="unsupported"} 1



=== a schema is of the data
--- then
is(main::said(main::event('"id":"1","source":"a","type":"t","data":{}')),
   '422 schema', 'of a document');
is(main::said(main::event('"id":"2","source":"a","type":"t"'
                          . ',"data":{"temp":1}')), '200 delivered', '... good');
is(main::said(main::binary('{}', 'ce-id' => 3, 'ce-source' => 'a',
                           'ce-type' => 't')), '422 schema', 'of a body');
is(main::said(main::binary('{"temp":1}', 'ce-id' => 4, 'ce-source' => 'a',
                           'ce-type' => 't')), '200 delivered', '... good');
--- records
$T.telemetry 2
