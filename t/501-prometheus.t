# The Prometheus page: text that promtool takes, families that README has, and
# books that balance after every way in which a message can end.  Without this
# page an alert could rest on a figure that leaves a loss out.

use lib 't/lib';
use GatewayTest 'no_plan';

# the names of the table in README, and those that are there by broker only

sub readme_families {
    open(my $in, '<', 'README.md') or die "README.md: $!\n";
    my ($in_metrics, %family);

    while (<$in>) {
        $in_metrics = /^## Metrics/ if /^## /;
        next unless $in_metrics && /^\| (`[^|]+) \|/;
        $family{$_} = 1 for $1 =~ /`(\w+)`/g;
    }

    return %family;
}

run_tests();

__DATA__

=== promtool has nothing to say
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
until_true { metric('kafka_broker_up') };
my $page = http('GET', '/metrics')->{content};
if (grep { -x "$_/promtool" } split /:/, $ENV{PATH}) {
    my $file = "$ENV{TEST_NGINX_SERVROOT}/metrics.txt";
    open(my $out, '>', $file) or die "$file: $!\n";
    print $out $page;
    close($out);
    my $said = `promtool check metrics < '$file' 2>&1`;
    unlink $file;
    is($? >> 8, 0, 'promtool takes the page');
    is($said, '', 'and finds no fault');
} else {
    SKIP: { skip 'no promtool', 2 };
}



=== each family of the page is in README, and each of README on the page
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
until_true { metric('kafka_broker_up') };
my %readme = main::readme_families();
my $page = http('GET', '/metrics')->{content};
my %page = map { $_ => 1 } $page =~ /^# TYPE nginx_gateway_(\w+) /mg;
cmp_ok(scalar(keys %readme), '>', 30, 'README has a table');
is(join(' ', sort grep { !$readme{$_} } keys %page), '',
   'nothing is missing in README');
is(join(' ', sort grep { !$page{$_} } keys %readme), '',
   'nothing is missing on the page');



=== HELP and TYPE stand once and before their series
--- no_kafka
--- then
my (%type, %help, @bad);
for (split /\n/, http('GET', '/metrics')->{content}) {
    if (/^# HELP (\w+) \S/) {
        push @bad, $_ if $help{$1}++;
    } elsif (/^# TYPE (\w+) (\w+)$/) {
        push @bad, $_ if $type{$1} || !$help{$1};
        $type{$1} = $2;
        push @bad, $_ if ($2 eq 'counter') != ($1 =~ /_total$/ ? 1 : 0);
    } elsif (/^(\w+?)(?:_bucket|_sum|_count)?(?:\{[^{}]*\})? -?[0-9.e+-]+$/) {
        my $base = $1;
        my ($name) = /^(\w+)/;
        push @bad, $_ unless $type{$name}
                             || ($type{$base} || '') eq 'histogram';
        push @bad, $_ unless /^nginx_gateway_/;
    } else {
        push @bad, $_;
    }
}
is(join("\n", @bad), '', 'every line is as it should be');



=== the books balance after a mix of outcomes
--- mock
--- gateway
topic $T.telemetry;
class control ack=queued;
class telemetry;
dead_letter $T.dead;
property linger.ms 0;
--- config
location /t { gateway_pass; }
location /id { gateway_pass; gateway_device $http_x; }
location /small { gateway_pass; client_max_body_size 5; }
--- then
my $ok = '{"device":"a","data":1}';
my $control = '{"device":"a","class":"control","data":1}';
is(http('POST', '/t', $ok)->{status}, 200, 'delivered');
is(http('POST', '/t', $control)->{status}, 202, 'queued');
is(http('POST', '/t', '{')->{status}, 400, 'malformed');
is(http('POST', '/t', "[$ok,7,$control]")->{status}, 207, 'a batch');
is(http('POST', '/t', "[$ok,7")->{status}, 400, 'a broken batch');
is(http('POST', '/id', $ok)->{status}, 401, 'unauthenticated');
is(http('POST', '/id', $ok, 'X' => 'b')->{status}, 403, 'forbidden');
is(http('POST', '/small', $ok)->{status}, 413, 'too large');
is(http('POST', '/t', $ok, 'Content-Type' => 'text/plain')->{status}, 415,
   'unsupported');
mock_command('push POLICY_VIOLATION 2');
is(http('POST', '/t', $ok)->{status}, 502, 'dead-lettered');
--- metrics
received_messages_total 12
accepted_messages_total 5
delivered_messages_total 4
dead_lettered_messages_total 1
rejected_messages_total 7
rejected_messages_total{reason="malformed"} 3
rejected_messages_total{reason="too_large"} 1
rejected_messages_total{reason="unsupported"} 1
rejected_messages_total{reason="unauthenticated"} 1
rejected_messages_total{reason="forbidden"} 1
messages_total{outcome="delivered"} 4
messages_total{outcome="invalid"} 5
messages_total{outcome="denied"} 2
messages_total{outcome="failed"} 1
waiting_messages 0
connections 0



=== what was shed is in the books by class and reason
--- gateway
brokers 127.0.0.1:1;
topic $T.telemetry;
buffer 2m;
drain_timeout 100ms;
ack queued;
--- no_kafka
--- then
my $body = '{"device":"d","data":"' . ('x' x 20000) . '"}';
my %status;
for (1 .. 150) {
    $body =~ s/"device":"[^"]*"/"device":"d$_"/;
    $status{http('POST', '/t', $body)->{status}}++;
}
cmp_ok($status{202}, '>', 50, 'some are taken');
my @m = metrics();
cmp_ok(metric('shed_messages_total{class="telemetry"}', @m), '>', 10,
       'what there is no room for is counted');
cmp_ok(metric('buffer_charged_bytes', @m), '<=',
       metric('queue_capacity_bytes', @m), 'and the bound holds');
is(metric('queue_capacity_bytes', @m), 2 * 1024 * 1024, 'which is "buffer"');



=== a histogram counts what its counter counts
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":$_}" } 1 .. 5 ]
--- more_headers
Content-Type: application/json
--- error_code eval
[ (200) x 5 ]
--- metrics
ingest_duration_seconds_count{protocol="http"} 5
ingest_duration_seconds_bucket{protocol="http",le="+Inf"} 5
queue_duration_seconds_count{class="telemetry"} 5
delivery_duration_seconds_count{class="telemetry"} 5



=== no label comes from what a client sent
--- request eval
[ "POST /t\n{\"device\":\"evil\",\"class\":\"evil\",\"data\":1}",
  "POST /t?evil\n{\"device\":\"evil\",\"data\":1}", "EVIL /t" ]
--- more_headers
Content-Type: application/json
Gateway-Class: telemetry
--- error_code eval
[ 400, 200, 405 ]
--- then
unlike(http('GET', '/metrics')->{content}, qr/evil/, 'not there');
--- no_error_log
[alert]
