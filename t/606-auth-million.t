# The story: a fleet of a million devices stands in one registry.  It costs a
# worker no memory that grows with it, no start that lasts, and a token that
# is changed by a plain sqlite3 is changed for every worker within a second.
#
# Unseen without it: a registry that is read into memory or scanned, a cache
# without a bound, a worker that goes on with what it once read.  All of them
# pass with the three devices of the other pages.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use File::Path ();
use HTTP::Tiny;
use List::Util qw( max );
use Time::HiRes ();
use GatewayAuth;
use GatewayAuthScale;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $devices = 1_000_000;
my $asking = 20_000;
my $cached = 2000;           # identities a worker keeps
my $starts = 7;              # of each kind

# the same requests come again and again, which is not what is asked here
my $g = GatewayChaos->new(workers => 2,
                          gateway => "auth_cache $cached; dedup off;");
my $dir = $g->{prefix};

File::Path::make_path($dir);

# the file, its log while it is written, what is copied when that ends
my $room = (split ' ', (split /\n/, `df -Pk $dir`)[1])[3];

plan skip_all => "no room for a million devices: $room KiB in $dir"
    if $room < 1_000_000;

my $registry = "$dir/devices.db";
my $replay = replay_binary($dir);


# the registry

my $started = Time::HiRes::time();
my $token = many_devices($registry, $devices, $asking);
my $took = Time::HiRes::time() - $started;

note sprintf '%d devices made in %.1f s, %.0f MB', $devices, $took,
             (-s $registry) / 1e6;

is(sql('SELECT count(*) FROM device;', $registry), "$devices\n",
   'a million devices are registered');
cmp_ok($took, '<', $ENV{GATEWAY_SANITIZED} ? 120 : 60,
       'within a minute');

my $name = sub { sprintf 'dev-%07d', $_[0] };

my @requests = map {
    request(basic($name->($_), $token->($_)), envelope($name->($_), 1));
} 0 .. $asking - 1;

write_requests("$dir/all", @requests);
write_requests("$dir/one", $requests[0]);


# memory: warm by one device, then as many as ten caches would hold

my $auth = "gateway_ack queued; add_header X-Worker \$pid always;"
           . " gateway_auth devices $registry;";

$g->{location} = $auth;
$g->start;

# while the time of a file cannot tell two changes apart it is looked at anew
$g->wait_for(20, 'files that are some seconds old', sub {
    !grep { time() - (stat $_)[9] < 4 } glob "$registry*";
});

my $warm = ask('one', $asking);
is($warm->{queued}, $asking, 'one device is taken again and again');

my @workers = $g->workers_of;
my $generation = generation();
my %before = map { $_ => rss($_) } @workers;

is(ask('all', $asking)->{queued}, $asking,
   "$asking different devices are taken");

my %first = map { $_ => rss($_) } @workers;

is(ask('all', 2 * $asking)->{queued}, 2 * $asking, 'and twice again');

my %then = map { $_ => rss($_) } @workers;

note "memory of worker $_: $before{$_}, $first{$_}, $then{$_}" for @workers;

# What gw_auth_cache.h says of an entry of each kind, the 2 MiB of pages that
# a registry keeps, and a MiB for the messages that are on their way.
my $bound = $cached * (1180 + 54) + 3 * 1024 * 1024;

SKIP: {
    skip 'a sanitizer keeps what was freed', 2 if $ENV{GATEWAY_SANITIZED};

    my $grew = max map { $first{$_} - $before{$_} } @workers;
    cmp_ok($grew, '<', $bound,
           "a worker grew by no more than its cache and pages ($bound)");

    $grew = max map { $then{$_} - $first{$_} } @workers;
    cmp_ok($grew, '<', 1024 * 1024, 'and by nothing afterwards');
}

my %m;

# a worker brings its counts forward once in a while
$g->wait_for(10, 'all look-ups in the counters', sub {
    %m = metrics_of();
    $m{'auth_cache_lookups_total{result="hit"}'}
        + $m{'auth_cache_lookups_total{result="miss"}'} >= 4 * $asking;
});

is($m{'auth_cache_lookups_total{result="hit"}'}
   + $m{'auth_cache_lookups_total{result="miss"}'}, 4 * $asking,
   'each request was one look-up');
cmp_ok($m{'auth_cache_lookups_total{result="miss"}'}, '>', 2 * $asking,
       'most devices were asked for anew: the cache is smaller than they are');
cmp_ok($m{'auth_cache_entries{kind="positive"}'}, '<=',
       2 * ($cached + $cached / 8 + 8), 'and keeps its bound');


is(generation(), $generation,
   'nobody changed the file, and no worker thought so');


# a token is changed, by a program that knows nothing of nginx

my %client = clients();

is(scalar keys %client, 2, 'a connection to each worker');

my $old = basic($name->(1), $token->(1));
my $new = basic($name->(1), token($name->(1)));

is(status_of($client{$_}, $old), 202, "worker $_ takes the token")
    for sort keys %client;

sql(row($name->(1)), $registry);
my $committed = Time::HiRes::time();
my %seen;

for my $pid (sort keys %client) {
    $g->wait_for(10, 'end of the old token', sub {
        status_of($client{$pid}, $old) == 401;
    });

    $seen{$pid} = Time::HiRes::time() - $committed;
}

for my $pid (sort keys %client) {
    note sprintf 'worker %d refused the old token after %.3f s', $pid,
                 $seen{$pid};
    cmp_ok($seen{$pid}, '<', 3, 'the change is seen soon');
    is(status_of($client{$pid}, $new), 202, 'the new token is taken');
}

is(join(' ', sort $g->workers_of), join(' ', sort @workers),
   'without a reload');


# The first request after a start, with the registry and without: the worker
# is the only one and is ready, the connection is open.  Its file is in the
# page cache; what is left is what the module does.  The median of some starts,
# in turn, for any one of them may meet a busy moment; of up to three such sets,
# for a machine may be busy for longer.

my $most = $ENV{GATEWAY_SANITIZED} ? 10 : 1;
my $more;

stop();
$g->{workers} = 1;

for my $set (1 .. 3) {
    my (@with, @without);

    for (1 .. $starts) {
        push @with, first_request($auth);
        push @without, first_request('gateway_ack queued;');
    }

    $more = median(@with) - median(@without);

    note sprintf 'first request: %.3f ms, without a registry %.3f ms',
                 median(@with), median(@without);

    last if $more < $most;
}

cmp_ok($more, '<', $most,
       sprintf 'the first request takes %.3f ms more with a million devices',
               $more);

is(join("\n", $g->error_log =~ /^.*\[(?:alert|emerg|crit|error)\].*$/mg), '',
   'nothing of note in the error log');

unlink $registry, glob "$registry-*";

done_testing();


sub ask {
    my ($what, $count) = @_;

    my $r = replay($replay, address => "127.0.0.1:$g->{port}",
                   requests => "$dir/$what", count => $count,
                   connections => 32);

    # so that no message that waits is counted as memory of the registry
    $g->wait_for(60, 'end of what waits', sub {
        !$g->status->{classes}{telemetry}{waiting};
    });

    return $r;
}


sub metrics_of {
    return map { /^nginx_gateway_(\S+?)(?:\{gateway="fleet",?|\b)(.*) (\S+)$/
                 ? ("$1" . (length $2 ? '{' . ($2 =~ s/^\{//r) : ''), $3)
                 : () }
           split /\n/, $g->get('/metrics')->{content};
}


# of the registry, as each worker has it

sub generation {
    my @of = $g->get('/metrics')->{content}
             =~ /^nginx_gateway_auth_generation\{.*\} (\d+)/mg;

    return "@of";
}


# one that keeps its connection, for each worker

sub clients {
    my %of;

    for (1 .. 200) {
        my $http = HTTP::Tiny->new(timeout => 20);
        my $r = send_by($http, basic($name->(0), $token->(0)));

        $of{$r->{headers}{'x-worker'}} ||= $http;
        last if keys %of == $g->{workers};
    }

    return %of;
}


sub send_by {
    my ($http, $authorization) = @_;

    return $http->post("http://127.0.0.1:$g->{port}/v1/messages", {
        content => '{"data":1}',
        headers => { 'content-type' => 'application/json',
                     authorization => $authorization } });
}


sub status_of {
    my ($http, $authorization) = @_;

    return send_by($http, $authorization)->{status};
}


# ms

sub first_request {
    my ($location) = @_;

    $g->{location} = $location;
    $g->start_nginx;

    $g->wait_for(20, 'a Kafka that is reached', sub {
        $g->get('/ready')->{status} == 200;
    });

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $g->{port})
        or die "connect: $!\n";

    my $start = Time::HiRes::time();

    $socket->syswrite($requests[7]);
    $socket->sysread(my $answer, 4096);

    my $ms = 1000 * (Time::HiRes::time() - $start);

    die "answer: $answer\n" unless $answer =~ m{^HTTP/1.1 202 };

    close $socket;
    stop();

    return $ms;
}


sub stop {
    $g->signal('QUIT');
    $g->wait_exit(30);
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[@sorted / 2];
}
