# Trace context (W3C): a valid traceparent of the device goes on unchanged,
# everything else is replaced.  Without this page a trace would end at the
# gateway, or be joined to one that never was.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a valid traceparent and its tracestate are passed on
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE
--- error_code: 200
--- records
$T.telemetry
^a \S+ traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 tracestate=rojo=00f067aa0ba902b7,congo=t61rcWkgMzE$



=== all messages of a batch carry the traceparent of the request
--- request
POST /t
[{"device":"a","data":1},{"device":"b","data":2}]
--- more_headers
Content-Type: application/json
Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
--- error_code: 200
--- records
$T.telemetry
^a \S+ traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00$
^b \S+ traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00$



=== an invalid traceparent is replaced, its tracestate dropped
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":$_}" } 1 .. 7 ]
--- more_headers eval
[ map { "Content-Type: application/json\ntracestate: a=b\ntraceparent: $_" }
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331',
  'x' ]
--- error_code eval
[ (200) x 7 ]
--- then
my %seen;
for (topic_records('$T.telemetry', 7)) {
    my $traceparent = $_->{headers}{traceparent};
    like($traceparent, qr/^00-(?!0af765)[0-9a-f]{32}-(?!b7ad)[0-9a-f]{16}-00$/i,
         'a new one');
    is($_->{headers}{tracestate}, undef, 'without the state of the old');
    $seen{$traceparent}++;
}
is(scalar(keys %seen), 7, 'and all are different');



=== of a later version what version 00 has is taken
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
traceparent: 01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like
--- error_code: 200
--- records
$T.telemetry
traceparent=0[01]-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$



=== a tracestate that is none is dropped, the traceparent is not
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":$_}" } 1 .. 2 ]
--- more_headers eval
[ map { "Content-Type: application/json\ntracestate: $_\n"
        . 'traceparent: '
        . '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  'x' x 600, "a=\xff" ]
--- error_code eval
[ 200, 200 ]
--- records
$T.telemetry
"data":1\} traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$
"data":2\} traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$
