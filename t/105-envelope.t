# The envelope, member by member: what is taken, what is refused and with
# which words, and that nothing a device wrote is changed on its way.  Without
# this page a wrong type could pass into the topic, where every consumer would
# have to deal with it, or a digit could be lost.

use lib 't/lib';
use GatewayTest 'no_plan';

# each line of the text is "ENVELOPE => what the answer must say"

sub refusals {
    my ($text) = @_;

    for (split /\n/, $text) {
        my ($body, $detail) = /^(.*?) => (.*)$/ or next;
        my $said = problem(http('POST', '/t', $body));
        my $wanted = "400 malformed $detail";

        is(substr($said, 0, length $wanted), $wanted, "refused: $body");
    }
}

# and "ENVELOPE => regular expression of the record"

sub taken {
    my ($topic, $text) = @_;

    my @wanted;

    for (split /\n/, $text) {
        my ($body, $record) = /^(.*?) => (.*)$/ or next;
        my $answer = http('POST', '/t', $body);

        is($answer->{status}, 200, "taken: $body")
            or diag($answer->{content});
        push @wanted, $record;
    }

    records_are($topic, \@wanted);
}

run_tests();

__DATA__

=== a device is a string of 1 to 128 bytes of [A-Za-z0-9._:@-]
--- then
my $max = 'd' x 128;
main::taken('$T.telemetry', <<END);
{"device":"a","data":0} => ^a \\{"device":"a",
{"device":"AZaz09._:\@-","data":0} => ^AZaz09\\._:.- \\{"device":"AZaz09\\._:.-",
{"device":"\\u0070ump","data":0} => ^pump \\{"device":"pump",
{"device":"$max","data":0} => ^$max \\{"device":"$max",
END
my $detail = 'member "device" must be a string of 1 to 128 bytes of '
             . '[A-Za-z0-9._:@-]';
main::refusals(<<END);
{"device":"","data":0} => $detail
{"device":"${max}d","data":0} => $detail
{"device":"a b","data":0} => $detail
{"device":"a/b","data":0} => $detail
{"device":"a\\u0000","data":0} => $detail
{"device":"\\u00e9","data":0} => $detail
{"device":7,"data":0} => $detail
{"device":null,"data":0} => $detail
{"device":["a"],"data":0} => $detail
{"data":0} => member "device" is missing
END



=== an epoch is a string of 1 to 32 of the same bytes
--- then
my $max = 'e' x 32;
main::taken('$T.telemetry', <<END);
{"device":"a","epoch":"b","data":0} => "epoch":"b"
{"device":"a","epoch":"$max","data":0} => "epoch":"$max"
{"device":"a","data":0} => "epoch":""
END
my $detail = 'member "epoch" must be a string of 1 to 32 bytes of '
             . '[A-Za-z0-9._:@-]';
main::refusals(<<END);
{"device":"a","epoch":"","data":0} => $detail
{"device":"a","epoch":"${max}e","data":0} => $detail
{"device":"a","epoch":1,"data":0} => $detail
{"device":"a","epoch":null,"data":0} => $detail
END



=== a sequence number is an integer from 0 to 2^53-1
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","seq":0,"data":0} => "seq":0,
{"device":"a","seq":9007199254740991,"data":0} => "seq":9007199254740991,
{"device":"a","data":0} => "epoch":"","class"
END
my $detail = 'member "seq" must be an integer from 0 to 9007199254740991';
main::refusals(<<END);
{"device":"a","seq":9007199254740992,"data":0} => $detail
{"device":"a","seq":99999999999999999999999,"data":0} => $detail
{"device":"a","seq":-1,"data":0} => $detail
{"device":"a","seq":-0,"data":0} => $detail
{"device":"a","seq":1.0,"data":0} => $detail
{"device":"a","seq":1e2,"data":0} => $detail
{"device":"a","seq":"1","data":0} => $detail
{"device":"a","seq":null,"data":0} => $detail
{"device":"a","seq":true,"data":0} => $detail
END



=== a class is the name of one of the gateway
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","class":"telemetry","data":0} => "class":"telemetry"
{"device":"a","class":"tele\u006detry","data":0} => "class":"telemetry"
END
main::taken('$T.heartbeat', <<'END');
{"device":"a","class":"heartbeat","data":0} => "class":"heartbeat"
END
my $bytes = 'member "class" must be a string of 1 to 32 bytes of '
            . '[A-Za-z0-9._:@-]';
my $none = 'member "class" names no class of the gateway';
main::refusals(<<END);
{"device":"a","class":"Telemetry","data":0} => $none
{"device":"a","class":"tele","data":0} => $none
{"device":"a","class":"","data":0} => $bytes
{"device":"a","class":1,"data":0} => $bytes
{"device":"a","class":null,"data":0} => $bytes
END



=== a time is RFC 3339, epoch seconds or epoch milliseconds
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","ts":"2023-11-14T22:13:20Z","data":0} => "ts":1700000000000,
{"device":"a","ts":"2023-11-14t22:13:20.5z","data":0} => "ts":1700000000500,
{"device":"a","ts":"2023-11-14T22:13:20.123456789Z","data":0} => "ts":1700000000123,
{"device":"a","ts":"2023-11-15T03:43:20+05:30","data":0} => "ts":1700000000000,
{"device":"a","ts":"1970-01-01T00:00:00Z","data":0} => "ts":0,
{"device":"a","ts":"9999-12-31T23:59:59.999Z","data":0} => "ts":253402300799999,
{"device":"a","ts":1700000000,"data":0} => "ts":1700000000000,
{"device":"a","ts":1700000000123,"data":0} => "ts":1700000000123,
{"device":"a","ts":1700000000.25,"data":0} => "ts":1700000000250,
{"device":"a","ts":0,"data":0} => "ts":0,
{"device":"a","data":0} => "ts":(\d{13}),"received_at":\1,
END
my $detail = 'member "ts" must be an RFC 3339 date-time or epoch seconds or '
             . 'milliseconds, 1970 to 9999';
main::refusals(<<END);
{"device":"a","ts":"2023-11-14","data":0} => $detail
{"device":"a","ts":"2023-11-14T22:13:20","data":0} => $detail
{"device":"a","ts":"2023-02-29T00:00:00Z","data":0} => $detail
{"device":"a","ts":"2023-11-14T24:00:00Z","data":0} => $detail
{"device":"a","ts":"1969-12-31T23:59:59Z","data":0} => $detail
{"device":"a","ts":"1700000000","data":0} => $detail
{"device":"a","ts":"yesterday","data":0} => $detail
{"device":"a","ts":-1,"data":0} => $detail
{"device":"a","ts":1e30,"data":0} => $detail
{"device":"a","ts":null,"data":0} => $detail
{"device":"a","ts":{},"data":0} => $detail
END



=== data is any JSON value, and there is one
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","data":null} => "data":null\} traceparent
{"device":"a","data":false} => "data":false\} traceparent
{"device":"a","data":""} => "data":""\} traceparent
{"device":"a","data":"x\ty"} => "data":"x\\ty"\} traceparent
{"device":"a","data":{}} => "data":\{\}\} traceparent
{"device":"a","data":[ ]} => "data":\[ \]\} traceparent
{"device":"a","data":{"data":{"device":"b"}}} => ^a .*"data":\{"data":\{"device":"b"\}\}\} traceparent
END
main::refusals(<<'END');
{"device":"a"} => member "data" is missing
{} => member "data" is missing
END



=== numbers keep every digit, strings every escape
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","data":[0.10,1E+2,-0,1.0000000000000000000001]} => "data":\[0\.10,1E\+2,-0,1\.0000000000000000000001\]\}
{"device":"a","data":123456789012345678901234567890} => "data":123456789012345678901234567890\}
{"device":"a","data":"\u00e9\/\ud83d\ude00"} => "data":"\\u00e9\\/\\ud83d\\ude00"\}
END



=== data that spans lines becomes one line, and nothing else changes
--- request eval
"POST /t\n{\r\n  \"device\": \"a\",\n  \"data\": {\r\n    \"x\": [1,\n2],"
. "\n\t\"y\": \"a\\nb\"\r\n  }\n}\n"
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
"data":\{    "x": \[1,2\],\t"y": "a\\nb"  \}\} traceparent



=== any other member is refused, at the top only
--- then
main::taken('$T.telemetry', <<'END');
{"device":"a","data":{"unknown":1}} => "data":\{"unknown":1\}\}
END
main::refusals(<<'END');
{"device":"a","data":0,"x":1} => unknown member
{"device":"a","data":0,"Device":"a"} => unknown member
{"device":"a","data":0,"received_at":1} => unknown member
{"device":"a","data":0,"":1} => unknown member
END



=== a name may not be given twice, at any depth and however it is written
--- request eval
[ map { "POST /t\n$_" }
  '{"device":"a","device":"a","data":0}',
  '{"device":"a","data":{"x":1,"x":1}}',
  '{"device":"a","data":[{"x":{"\u0061":1,"a":1}}]}' ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (400) x 3 ]
--- response_body_like eval
[ (qr/"reason":"malformed"/) x 3 ]
--- records
$T.telemetry



=== what is no UTF-8, or a control character, is refused
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":\"$_\"}" }
  "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\0", "\x1f", "\t", "\n" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (400) x 8 ]
--- response_body_like eval
[ (qr/"reason":"malformed"/) x 8 ]
--- records
$T.telemetry



=== UTF-8 arrives as it was sent
--- request eval
"POST /t\n{\"device\":\"a\",\"data\":\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"}"
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records eval
"\$T.telemetry\n\"data\":\"gr\x{fc}\x{df} \x{1f600}\"\\}\n"



=== the limits of one message are those of README
--- then
my %over = (
    'levels' => '[' x 33 . ']' x 33,
    'members' => '{' . join(',', map { "\"$_\":0" } 1 .. 1025) . '}',
    'values' => '[' . join(',', (0) x 16385) . ']',
    'bytes of a number' => '1' x 1025,
);
my %within = (
    'levels' => '[' x 31 . ']' x 31,
    'members' => '{' . join(',', map { "\"$_\":0" } 1 .. 1024) . '}',
    'values' => '[' . join(',', (0) x 16300) . ']',
    'bytes of a number' => '1' x 1024,
);
for (sort keys %over) {
    my ($over, $within)
        = map { http('POST', '/t', "{\"device\":\"a\",\"data\":$_}") }
              $over{$_}, $within{$_};
    is($over->{status}, 400, "too many $_");
    is($within->{status}, 200, "just enough $_");
}
