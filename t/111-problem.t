# Refusals of whole requests are RFC 9457 problem details, stable enough for a
# program; those that a device may try again say when.  Without this page a
# fleet would come back as one, or a client would parse prose.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a problem has type, title, status, detail and reason
--- request
POST /t
{"device":"a"}
--- more_headers
Content-Type: application/json
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
! Retry-After
! Gateway-Result
--- response_body_like
^\{"type":"urn:nginx-gateway:problem:malformed","title":"[A-Z][^"]+","status":400,"detail":"member \\"data\\" is missing","reason":"malformed"\}$
--- error_log
gateway message refused: malformed, member "data" is missing



=== each reason has a type and a title of its own
--- config
location /t { gateway_pass; gateway_device $http_x; }
location /u { gateway_pass; client_max_body_size 1k; gateway_max_batch 1; }
--- then
my $ok = '{"device":"a","data":1}';
my %answer = (
    malformed => http('POST', '/u', '{'),
    too_large => http('POST', '/u', "[$ok,$ok]"),
    unsupported => http('POST', '/u', $ok, 'Content-Type' => 'text/plain'),
    unauthenticated => http('POST', '/t', $ok),
    forbidden => http('POST', '/t', $ok, 'X' => 'b'),
);
my %status = (malformed => 400, too_large => 413, unsupported => 415,
              unauthenticated => 401, forbidden => 403);
my %titles;
for (sort keys %answer) {
    my $p = JSON::PP::decode_json($answer{$_}{content});
    is($p->{reason}, $_, "reason $_");
    is($p->{type}, "urn:nginx-gateway:problem:$_", '... its type');
    is($p->{status}, $status{$_}, '... its status in the body');
    is($answer{$_}{status}, $status{$_}, '... and of the answer');
    is($answer{$_}{headers}{'content-type'}, 'application/problem+json',
       '... and media type');
    $titles{$p->{title}} = 1;
}
is(scalar(keys %titles), 5, 'the titles are different');



=== no answer and no log line repeats what was sent
--- config
location /t { gateway_pass; gateway_log_level error; }
--- then
for ('{"device":"s3cret"', '{"device":"s3 cret","data":1}',
     '{"device":"a","s3cret":1,"data":1}', 's3cret',
     '{"device":"a","class":"s3cret","data":1}', '[{"device":"s3 cret"}]')
{
    unlike(http('POST', '/t', $_)->{content}, qr/s3.?cret/, "not of $_");
}
--- error_log
gateway message refused: malformed
--- no_error_log
s3cret
s3 cret



=== gateway_log_level is the level of lines on refused messages
--- config
location /t { gateway_pass; gateway_log_level error; }
--- request
POST /t
{}
--- more_headers
Content-Type: application/json
--- error_code: 400
--- error_log eval
qr/\[error\] \S+ \*\d+ gateway message refused: malformed, member "data" is/



=== Retry-After of a 503 is 1 to 5, and not always the same
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
drain_timeout 100ms;
--- config
location /t { gateway_pass; gateway_timeout 1ms; }
--- no_kafka
--- then
my %seen;
for (1 .. 40) {
    my $answer = http('POST', '/t', '{"device":"a","data":1}');
    is($answer->{status}, 503, 'no Kafka, no 200') unless $_ > 1;
    $seen{$answer->{headers}{'retry-after'} || 'none'}++;
}
is(join(' ', grep { !/^[1-5]$/ } keys %seen), '', 'all are 1 to 5');
cmp_ok(scalar(keys %seen), '>', 1, 'and they differ');
--- metrics
timeouts_total{protocol="http"} 40
waiting_messages 40



=== error_page cannot turn a refusal into a success by accident
--- config
location /t { gateway_pass; }
error_page 400 = /live;
--- request
POST /t
{}
--- more_headers
Content-Type: application/json
--- error_code: 400
--- response_body_like
"reason":"malformed"
