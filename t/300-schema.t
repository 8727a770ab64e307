# Data is held to a JSON Schema: what does not match is refused at once, with
# the place and the keyword, and nothing of it reaches its topic; with a dead
# letter topic it is kept there as it came.  Without this page a sensor that
# went mad could fill a table with numbers that no consumer can read.

use lib 't/lib';
use GatewayTest 'no_plan';

our $schema = <<'END';
{ "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
      "temp": { "type": "number", "minimum": -40, "maximum": 125 },
      "unit": { "enum": [ "C", "F" ] },
      "at": { "type": "string", "format": "date-time" },
      "list": { "type": "array", "items": { "type": "integer" } } },
  "required": [ "temp" ],
  "additionalProperties": false }
END

add_block_preprocessor(sub {
    my ($block) = @_;

    my $dir = File::Temp::tempdir(CLEANUP => 1);

    chmod 0755, $dir;
    open(my $out, '>', "$dir/t.json") or die $!;
    print $out $main::schema;
    close($out);

    for my $section (qw( config gateway )) {
        my $value = $block->$section;
        next unless defined $value;
        $value =~ s/\$SCHEMA\b/$dir\/t.json/g;
        $block->set_value($section, $value);
    }
});

sub send_json {
    my ($path, $text, %headers) = @_;

    return http('POST', $path, $text, 'Content-Type' => 'application/json',
                %headers);
}

run_tests();

__DATA__

=== data that matches is taken, other data is refused with its place
--- config
location /t {
    gateway_auth off;
    gateway_schema $SCHEMA;
    gateway_pass;
}
--- then
my $t = sub { send_json('/t', qq({"device":"pump-7","data":$_[0]})) };
is($t->('{"temp":21.5,"unit":"C"}')->{status}, 200, 'it matches');
my @bad = (
    [ '{"temp":126}', '/temp', 'maximum' ],
    [ '{"temp":"21"}', '/temp', 'type' ],
    [ '{}', '', 'required' ],
    [ '{"temp":1,"unit":"K"}', '/unit', 'enum' ],
    [ '{"temp":1,"list":[1,2,"3"]}', '/list/2', 'type' ],
    [ '{"temp":1,"a/b~c":1}', '/a~1b~0c', 'additionalProperties' ],
    [ '{"temp":1,"say \"hi\"":1}', '/say "hi"', 'additionalProperties' ],
    [ '21.5', '', 'type' ],
);
for (@bad) {
    my ($data, $pointer, $keyword) = @$_;
    my $answer = $t->($data);
    my $problem = JSON::PP::decode_json($answer->{content});
    is($answer->{status}, 422, "refused: $data");
    is($problem->{reason}, 'schema', '... for its schema');
    is($problem->{pointer}, $pointer, '... at its place');
    is($problem->{keyword}, $keyword, '... by its keyword');
}
is($t->('{"temp":1,"at":"yesterday"}')->{status}, 200,
   'a format is an annotation');
--- records
$T.telemetry
"temp":21\.5
"at":"yesterday"
--- metrics
rejected_messages_total{reason="schema"} 8
schema_failures_total{class="telemetry"} 8
schema_failures_total{class="control"} 0



=== formats are checked where that is asked for
--- config
location /t {
    gateway_auth off;
    gateway_schema $SCHEMA formats=on;
    gateway_pass;
}
--- then
my $t = sub { send_json('/t', qq({"device":"pump-7","data":$_[0]}))->{status} };
is($t->('{"temp":1,"at":"yesterday"}'), 422, 'no date');
is($t->('{"temp":1,"at":"2026-11-23T10:00:00Z"}'), 200, 'a date');



=== each message of a batch is judged for itself
--- config
location /t {
    gateway_auth off;
    gateway_schema $SCHEMA;
    gateway_pass;
}
--- then
my $batch = '[{"device":"a","data":{"temp":1}},{"device":"a","data":{"temp":999}}'
            . ',{"device":"b","data":{"temp":2}},{"device":"b","data":{}}]';
my $answer = send_json('/t', $batch);
is($answer->{status}, 207, 'some are refused');
my $said = JSON::PP::decode_json($answer->{content});
is($said->{delivered}, 2, 'two are taken');
is_deeply([ map { [ @$_{qw( index error pointer keyword )} ] }
            @{$said->{errors}} ],
          [ [ 1, 'schema', '/temp', 'maximum' ],
            [ 3, 'schema', '', 'required' ] ], 'and two have their places');
my $lines = qq({"device":"a","data":{"temp":3}}\n{"device":"a","data":[]}\n);
$answer = http('POST', '/t', $lines, 'Content-Type' => 'application/x-ndjson');
like($answer->{content}, qr/"index":1,"error":"schema",.*"keyword":"type"/,
     'line by line');
--- records
$T.telemetry 3



=== the schema of a class, and of a location that has its own or none
--- gateway
class control topic=$T.control;
class telemetry topic=$T.telemetry schema=$SCHEMA;
--- config
location /t { gateway_auth off; gateway_pass; }
location /off { gateway_auth off; gateway_schema off; gateway_pass; }
location /own {
    gateway_auth off;
    gateway_schema $SCHEMA;
    gateway_pass;
}
--- then
my $t = sub {
    my ($path, $class) = @_;
    send_json($path, qq({"device":"a","class":"$class","data":1}))->{status};
};
is($t->('/t', 'telemetry'), 422, 'its class has one');
is($t->('/t', 'control'), 200, 'another has none');
is($t->('/off', 'telemetry'), 200, 'switched off');
is($t->('/own', 'control'), 422, 'the location has one for all');



=== with a dead letter topic it is kept as it came
--- topics
$T.dead
$T.telemetry
--- gateway
dead_letter $T.dead;
--- config
location /t { gateway_auth off; gateway_schema $SCHEMA; gateway_pass; }
location /q {
    gateway_auth off;
    gateway_schema $SCHEMA;
    gateway_ack queued;
    gateway_pass;
}
location /raw {
    gateway_auth off;
    gateway_device pump-9;
    gateway_format raw;
    gateway_schema $SCHEMA;
    gateway_pass;
}
--- then
my $bad = '{ "device": "pump-7",  "data": {"temp": 1000} }';
my $answer = send_json('/t', $bad);
is($answer->{status}, 422, 'refused all the same');
like($answer->{content}, qr/dead letter topic.*"pointer":"\/temp"/, 'with both');
is(send_json('/q', '{"device":"pump-8","data":{}}')->{status}, 422,
   'nobody is told "queued" of it');
is(send_json('/raw', '[1]')->{status}, 422, 'a payload of its own');
--- records
$T.dead
^pump-7 \{ "device": "pump-7",  "data": \{"temp": 1000\} \} .*gateway-keyword=maximum gateway-pointer=/temp gateway-reason=schema
^pump-8 \{"device":"pump-8","data":\{\}\} .*gateway-keyword=required .*gateway-reason=schema
^pump-9 \[1\] .*gateway-keyword=type

$T.telemetry 0
--- metrics
schema_failures_total{class="telemetry"} 3
dead_lettered_messages_total{class="telemetry"} 3
rejected_messages_total{reason="schema"} 0
