# The ways in which nginx hands a body over: in one buffer, in several, in a
# file, in chunks, in frames of HTTP/2, late or never.  Without this page a
# message could lose its middle as soon as it is larger than a buffer.

use lib 't/lib';
use GatewayTest 'no_plan';

sub large {
    my ($size) = @_;
    my $data = join ' ', map { $_ * 7919 } 1 .. $size / 7;
    return "{\"device\":\"large\",\"data\":\"$data\"}";
}

sub chunked {
    my (@chunks) = @_;
    return answer(client("POST /t HTTP/1.1\r\nHost: a\r\n"
                         . "Content-Type: application/json\r\n"
                         . "Transfer-Encoding: chunked\r\n"
                         . "Connection: close\r\n\r\n"
                         . join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                                        @chunks) . "0\r\n\r\n"));
}

sub holds_large {
    my ($topic, $size) = @_;
    my ($r) = topic_records($topic, 1);
    my ($data) = $r->{value} =~ /"data":(.*)\}$/;
    ok(main::large($size) eq "{\"device\":\"large\",\"data\":$data}",
       "all $size bytes of it arrived");
}

run_tests();

__DATA__

=== a body may be chunked
--- then
like(main::chunked('{"device":"a",', '"data":', '{"x":1}}'),
     qr/^HTTP\/1.1 200 /, 'it is taken');
--- records
$T.telemetry
^a .*"data":\{"x":1\}\}



=== a body may fill a buffer many times over
--- config
location /t { gateway_pass; client_body_buffer_size 1m; }
--- request eval
"POST /t\n" . main::large(300000)
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
main::holds_large('$T.telemetry', 300000);



=== a body may lie in a temporary file
--- config
location /t { gateway_pass; client_body_buffer_size 1k; }
--- request eval
"POST /t\n" . main::large(100000)
--- more_headers
Content-Type: application/json
--- error_code: 200
--- error_log
a client request body is buffered to a temporary file
--- then
main::holds_large('$T.telemetry', 100000);



=== a chunked body may lie in a temporary file
--- config
location /t { gateway_pass; client_body_buffer_size 1k; }
--- then
like(main::chunked(main::large(40000) =~ /(.{1,777})/g),
     qr/^HTTP\/1.1 200 /, 'it is taken');
main::holds_large('$T.telemetry', 40000);



=== a body always in a file is read too
--- config
location /t { gateway_pass; client_body_in_file_only clean; }
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- records
$T.telemetry
^a .*"data":1\}



=== a body that comes in pieces is waited for
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n{\"dev");
until_true { (metric('connections{protocol="http"}') || 0) == 1 };
$client->print('ice":"a","da');
is(metric('received_messages_total'), 0, 'nothing counts before its end');
$client->print('ta":1}');
like(answer($client), qr/^HTTP\/1.1 200 /, 'then it is taken');
--- records
$T.telemetry
^a .*"data":1\}



=== HTTP/2 with prior knowledge is taken as HTTP/1.1 is
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
    location /t { gateway_pass; client_body_buffer_size 1k; }
    location = /port { return 200 $server_port; }
}
--- config
location /t { gateway_pass; }
location = /port { return 200 $TEST_NGINX_RAND_PORT_1; }
--- then
my $port = http('GET', '/port')->{content};
my $file = "$ENV{TEST_NGINX_SERVROOT}/body.json";
open(my $out, '>', $file) or die "$file: $!\n";
print $out main::large(50000);
close($out);
my @curl = ('curl', '-s', '--http2-prior-knowledge', '-o', '-',
            '-w', '%{http_version} %{http_code}', '-H',
            'Content-Type: application/json', '--data-binary', "\@$file",
            "http://127.0.0.1:$port/t");
open(my $in, '-|', @curl) or die "curl: $!\n";
is(join('', <$in>), '2 200', 'over HTTP/2');
unlink $file;
main::holds_large('$T.telemetry', 50000);



=== Expect: 100-continue is answered before the body is asked for
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Expect: 100-continue\r\nContent-Length: 23\r\n\r\n");
like(answer($client, qr/\r\n\r\n/), qr/^HTTP\/1.1 100 /, 'go on');
$client->print('{"device":"a","data":1}');
like(answer($client), qr/^HTTP\/1.1 200 /, 'and taken');



=== a refusal that needs no body does not ask for it
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    . "Content-Type: text/plain\r\n"
                    . "Expect: 100-continue\r\nContent-Length: 23\r\n\r\n");
like(answer($client), qr/^HTTP\/1.1 415 /, 'no 100 comes first');



=== the next request of a connection is not taken for a refused body
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\n"
                    . "Content-Type: text/plain\r\n"
                    . "Content-Length: 23\r\n\r\n{\"device\":\"a\",\"data\":1}"
                    . "GET /live HTTP/1.1\r\nHost: a\r\n"
                    . "Connection: close\r\n\r\n");
like(answer($client), qr/^HTTP\/1.1 415 .*HTTP\/1.1 200 .*live\n$/s,
     'both are answered');



=== a body that does not arrive within gateway_body_timeout is answered 408
--- config
location /t { gateway_pass; gateway_body_timeout 200ms; }
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n{\"device\"");
my $answer = answer($client);
like($answer, qr/^HTTP\/1.1 408 /, 'with its own status');
like($answer, qr/Connection: close/, 'and the end of the connection');
like($answer, qr/"reason":"body_timeout"/, 'and reason');
--- error_log
the body did not arrive within gateway_body_timeout
gateway message refused: body_timeout
--- records
$T.telemetry
--- metrics
rejected_messages_total{reason="body_timeout"} 1
connections 0



=== a client that leaves in the middle of its body is counted as malformed
--- then
my $client = client("POST /t HTTP/1.1\r\nHost: a\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 23\r\n\r\n{\"device\"");
until_true { (metric('connections{protocol="http"}') || 0) == 1 };
close $client;
until_true { metric('rejected_messages_total') };
is(metric('rejected_messages_total{reason="malformed"}'), 1, 'once');
is(metric('connections'), 0, 'nothing of it is left');



=== an empty body is refused
--- request eval
[ "POST /t", "PUT /t\n" ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ 400, 400 ]
--- response_body_like eval
[ (qr/"reason":"malformed"/) x 2 ]
--- metrics
rejected_messages_total{reason="malformed"} 2



=== nginx's own 413 is in the books
--- config
location /t { gateway_pass; client_max_body_size 20; }
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 413
--- error_log
client intended to send too large body
--- records
$T.telemetry
--- metrics
received_messages_total 1
rejected_messages_total{reason="too_large"} 1
messages_total{outcome="invalid"} 1



=== a chunked body above client_max_body_size is in the books too
--- config
location /t { gateway_pass; client_max_body_size 20; }
--- then
like(main::chunked('{"device":"a","data":"', 'x' x 100, '"}'),
     qr/^HTTP\/1.1 413 /, 'nginx refuses it');
--- metrics
received_messages_total 1
rejected_messages_total{reason="too_large"} 1



=== a message larger than Kafka would take is refused with 413 at once
--- config
location /t { gateway_pass; client_body_buffer_size 2m; }
--- request eval
"POST /t\n{\"device\":\"a\",\"data\":\"" . ('x' x 1100000) . '"}'
--- more_headers
Content-Type: application/json
--- error_code: 413
--- response_body_like
"detail":"the message is larger than Kafka or its class would ever take"
--- metrics
rejected_messages_total{reason="too_large"} 1
accepted_messages_total 0



=== a body that NGINX refused while it was read is not answered a second time
--- config
location /t {
    gateway_pass;
    gateway_body_timeout 300ms;
    client_max_body_size 100;
    error_page 413 /slow;
}
location = /slow {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/metrics;
    limit_rate 20k;
}
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
. "Content-Type: application/json\r\n\r\nc8\r\n" . ('x' x 200) . "\r\n0\r\n\r\n"
--- timeout: 10
--- error_code: 413
--- metrics
rejected_messages_total{protocol="http",reason="too_large"} 1
rejected_messages_total{protocol="http",reason="body_timeout"} 0
