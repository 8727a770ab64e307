# The story: nginx is told to end while devices send.  QUIT drains within
# drain_timeout, says in one line what was delivered and lost, and loses
# nothing; with Kafka away it gives up at the timeout and says what was lost,
# and nobody was told that it was safe.  TERM has one second.
#
# Unseen without it: a worker that leaves with messages in flight, one that
# never leaves, a loss that nobody is told of.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use Time::HiRes ();
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

# seconds beyond the deadline; a sanitizer takes its time
my $slack = $ENV{GATEWAY_SANITIZED} ? 5 : 4;

my $g = GatewayChaos->new(gateway  => 'drain_timeout 5s;',
                          location => 'gateway_timeout 60s;');
$g->start;


# QUIT under load

my $load = $g->load(connections => 32, rate => 500);
$g->wait_for(30, 'first answers', sub { $load->answered(200) > 200 });

my $started = Time::HiRes::time();
$g->signal('QUIT');
$g->wait_exit(20);

cmp_ok(Time::HiRes::time() - $started, '<', 5 + $slack,
       'QUIT under load ends inside drain_timeout');

my $sent = $load->stop;
my $held = $g->records;
my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @$sent;

is(scalar @lost, 0, 'everything acknowledged is in Kafka');

my @lines = $g->error_log =~ /(gateway "fleet" drained in .*)/g;

is(scalar @lines, 1, 'one line says what came of it');
like($lines[0], qr/delivered=\d+ spooled=0 lost=0 \(control /,
     'and nothing was lost');
unlike($g->error_log, qr/\[alert\]/, 'no alert: no socket was left open');


# messages that wait in memory when QUIT comes

unlink "$g->{prefix}/logs/error.log";
$g->{location} = 'gateway_ack queued;';
$g->start_nginx;

my $n = 0;

for (1 .. 20) {
    my $r = $g->post(join("\n", map {
        $n++;
        qq({"device":"q","seq":$n,"data":"$_"})
    } 1 .. 500), 'content-type' => 'application/x-ndjson');

    die "batch: $r->{status}" unless $r->{status} == 200;
}

$g->signal('QUIT');
$g->wait_exit(20);

$held = $g->records('fleet.telemetry');
is(scalar(grep { !$held->{"q/$_"} } 1 .. $n), 0,
   "all of $n messages that were only queued are in Kafka after QUIT");
like($g->error_log, qr/drained in \d+ ms: .* lost=0 /, 'and the line says so');


# QUIT with Kafka away

unlink "$g->{prefix}/logs/error.log";
$g->{location} = 'gateway_timeout 60s;';
$g->start_nginx;

is($g->post('{"device":"ok","seq":1,"data":1}')->{status}, 200,
   'a message is delivered before Kafka hangs');

$g->kafka('freeze');

$load = $g->load(name => 'a', connections => 8, rate => 100,
                 classes => ['control']);

$g->wait_for(20, 'messages that wait', sub {
    $g->status->{classes}{control}{waiting} == 8;
});

$started = Time::HiRes::time();
$g->signal('QUIT');
$g->wait_exit(20);
my $took = Time::HiRes::time() - $started;

cmp_ok($took, '>', 4, 'QUIT with Kafka away waits for drain_timeout');
cmp_ok($took, '<', 5 + $slack, 'and not much longer');

$sent = $load->stop;

is(scalar(grep { $_->{status} == 200 } @$sent), 0,
   'nobody was told that his message is safe');
is(scalar(grep { $_->{status} == 503 } @$sent), 8,
   'each sender was told that it is not');
like($g->error_log, qr/\[error\].*drained in .*\(control delivered=0 lost=8,/,
     'the line counts the loss by class, as an error');
unlike($g->error_log, qr/\[alert\]/, 'no alert');


# TERM with Kafka away, then with Kafka there

unlink "$g->{prefix}/logs/error.log";
$g->{location} = 'gateway_ack queued;';
$g->start_nginx;

is($g->post('{"device":"t","seq":1,"class":"control","data":1}')->{status},
   202, 'a message is queued while Kafka hangs');

$g->signal('TERM');
$g->wait_exit(20);

my ($ms, $lost) = $g->error_log =~ /drained in (\d+) ms: .* lost=(\d+) /;

cmp_ok($ms, '<', 1400, 'TERM ends before the master would kill');
is($lost, 1, 'and says what was lost');
unlike($g->error_log, qr/exited on signal/, 'the worker was not killed');

$g->kafka('thaw');

unlink "$g->{prefix}/logs/error.log";
$g->start_nginx;

# a node that hung is without leaders for a while after it: not a second of
# the drain's
is($g->post('{"device":"t","seq":2,"class":"control","data":1}',
            prefer => 'gateway-ack=delivered')->{status},
   200, 'Kafka answers again');

is($g->post('{"device":"t","seq":3,"class":"control","data":1}')->{status},
   202, 'a message is queued while Kafka answers');

$g->signal('TERM');
$g->wait_exit(20);

like($g->error_log, qr/drained in \d+ ms: delivered=1 spooled=0 lost=0 /,
     'TERM delivers what it can in its second');

$held = $g->records('fleet.control');
is($held->{'t/3'}, 1, 'and it is in Kafka');
unlike($g->error_log, qr/\[alert\]/, 'no alert');

done_testing();
