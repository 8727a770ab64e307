# Every file of conf-examples runs as it is, but for its addresses: nginx
# starts with it and one message comes through to Kafka.  nginx -t alone
# (.ci/examples) takes a file whose locations lead nowhere.

use strict;
use warnings;

use Cwd ();
use HTTP::Tiny;
use JSON::PP;
use Test::More;

use lib 't/lib';
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $top = Cwd::getcwd();
my $build = $ENV{BUILD} || "$top/build";
my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my $port = ($ENV{TEST_NGINX_PORT} || 1984) + 7;
my ($host, $kafka_port) = $ENV{GATEWAY_KAFKA} =~ /^(.*):(\d+)$/;
my $tap = "http://$host:" . ($kafka_port + 2);
my $http = HTTP::Tiny->new(timeout => 30);
my @examples = grep { !/identity/ } glob('conf-examples/*.conf');

ok(scalar @examples, 'there are examples');

for (qw( fleet.telemetry fleet.control fleet.heartbeat )) {
    is($http->request('PUT', "$tap/topics/$_?partitions=4")->{success}, 1,
       "topic $_ is there");
}

my $number = 0;

for my $example (@examples) {
    my $prefix = "$build/example-" . $number++;

    system('.ci/prefix', $prefix) == 0 or die ".ci/prefix $prefix failed\n";

    open my $in, '<', $example or die "$example: $!";
    my $conf = do { local $/; <$in> };

    $conf =~ s/(brokers\s+)\S+;/$1$ENV{GATEWAY_KAFKA};/;
    $conf =~ s/(listen\s+)8080;/${1}127.0.0.1:$port;/;
    $conf =~ s/(listen\s+)188(\d);/"${1}127.0.0.1:" . ($port + $2) . ';'/ge;

    # the memory of one worker a core is not what is tested here
    $conf =~ s/(worker_processes\s+)auto;/${1}1;/;

    open my $out, '>', "$prefix/nginx.conf" or die "$prefix: $!";
    print $out "pid $prefix/nginx.pid;\n$conf";
    close $out;

    my $said = `$nginx -p $prefix/ -c nginx.conf -e $prefix/error.log \\
                       2>&1 < /dev/null`;

    is($?, 0, "$example: nginx starts") or diag $said;

    my $device = "example-$$-$number";
    my $answer = answer($device, 'control');

    is($answer->{status}, 200, "$example: a message is taken");
    is($answer->{headers}{'gateway-result'}, 'delivered',
       "$example: and delivered");

    my ($record) = grep { ($_->{key} // '') eq $device }
                   map { decode_json($_) } split /\n/,
                   $http->get("$tap/topics/fleet.control/records")->{content};

    like($record->{value}, qr/"device":"$device".*"data":\{"on":true\}/,
         "$example: it is in the topic of its class");

    for my $page (qw( status metrics ready )) {
        is($http->get("http://127.0.0.1:$port/$page")->{status}, 200,
           "$example: /$page answers");
    }

    stop("$prefix/nginx.pid");
}

# devices that prove who they are: what the file names is made for it

my $example = 'conf-examples/identity.conf';
my $prefix = "$build/example-identity";
my $etc = "$prefix/etc";

system('.ci/prefix', $prefix) == 0 or die ".ci/prefix $prefix failed\n";
system('.ci/example-files', $etc) == 0 or die ".ci/example-files failed\n";

open my $in, '<', $example or die "$example: $!";
my $conf = do { local $/; <$in> };

$conf =~ s/(brokers\s+)\S+;/$1$ENV{GATEWAY_KAFKA};/;
$conf =~ s{/etc/nginx/|/var/lib/gateway/}{$etc/}g;
$conf =~ s/(listen\s+)8443 ssl;/${1}127.0.0.1:$port ssl;/;
$conf =~ s/(listen\s+)8444 ssl;/$1 . '127.0.0.1:' . ($port + 1) . ' ssl;'/e;

open my $out, '>', "$prefix/nginx.conf" or die "$prefix: $!";
print $out "pid $prefix/nginx.pid;\n$conf";
close $out;

my $said = `$nginx -p $prefix/ -c nginx.conf -e $prefix/error.log \
                   2>&1 < /dev/null`;

is($?, 0, "$example: nginx starts") or diag $said;

open $in, '<', "$etc/pump-7.token" or die "pump-7.token: $!";
chomp(my $token = <$in>);

is(signed_in($port, "pump-7:$token"), 200, "$example: a device is let in");
is(signed_in($port, 'pump-7:' . 'x' x 43), 401, "$example: a stranger is not");
is(signed_in($port + 1, "pump-7:$token"), 400,
   "$example: who must show a certificate is not let in without");

stop("$prefix/nginx.pid");

done_testing();


# the status that a device with this name and token is answered

sub signed_in {
    my ($port, $user) = @_;

    open my $curl, '-|', 'curl', '-s', '-k', '-m', 30, '-o', '/dev/null', '-w',
         '%{http_code}', '-u', $user, '-H', 'Content-Type: application/json',
         '-d', '{"class":"control","data":1}',
         "https://127.0.0.1:$port/v1/messages" or die "curl: $!";

    return do { local $/; <$curl> };
}


# nginx listens before its worker has Kafka: the message just waits

sub answer {
    my ($device, $class) = @_;

    return $http->post("http://127.0.0.1:$port/v1/messages", {
        headers => { 'content-type' => 'application/json' },
        content => qq({"device":"$device","class":"$class",)
                   . '"data":{"on":true}}' });
}


sub stop {
    my ($file) = @_;

    open my $in, '<', $file or return;
    my $pid = <$in> + 0;
    close $in;

    kill 'QUIT', $pid;

    ok(GatewayChaos->wait_for(20, 'end of nginx', sub { !kill 0, $pid }),
       'nginx ends');
}
