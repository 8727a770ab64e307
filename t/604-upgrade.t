# The story: the binary is upgraded under load (USR2, then QUIT to the old
# master), then nginx is reloaded several times.  Both generations produce for
# the same devices meanwhile; nothing acknowledged may be lost, nobody is
# refused, and nothing is left behind: descriptors, threads and slots are as
# many as before.
#
# Unseen without it: a producer that outlives its worker, a descriptor leaked a
# reload, a zone that fills up, a worker that answers 503 because another
# drains.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $g = GatewayChaos->new(workers  => 2, gateway => 'drain_timeout 20s;',
                          location => 'gateway_timeout 60s;');
$g->start;

my $load = $g->load(connections => 32, rate => 400,
                    classes => [qw( telemetry control )]);

$g->wait_for(30, 'first answers', sub { $load->answered(200) > 200 });


# the upgrade

my $old = $g->{master};

$g->signal('USR2');

$g->{master} = $g->wait_for(20, 'a new master', sub {
    open my $f, '<', "$g->{prefix}/nginx.pid" or return;
    my ($pid) = (<$f> // '') =~ /(\d+)/;
    return $pid && $pid != $old ? $pid : undef;
});

$g->wait_for(20, 'its workers', sub { $g->workers_of == 2 });

kill 'QUIT', $old;
$g->wait_for(30, 'the end of the old master', sub { !kill 0, $old });

my $before = $load->answered(200);
$g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 300 });


# the reloads

my %calm = footprint($g);

for my $i (1 .. 8) {
    my %had = map { $_ => 1 } $g->workers_of;

    $g->signal('HUP');

    $g->wait_for(40, 'workers of the new configuration only', sub {
        my @now = $g->workers_of;
        @now == 2 && !grep { $had{$_} } @now;
    });
}

$before = $load->answered(200);
$g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 300 });

my %then = footprint($g);

my $sent = $load->stop;

$g->wait_for(30, 'the end of what waits', sub {
    my $s = $g->status;
    !$s->{classes}{telemetry}{waiting} && !$s->{classes}{control}{waiting};
});

my $held = $g->records;
my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @$sent;
my @twice = grep { $held->{$_} > 1 } keys %$held;
my @refused = grep { $_->{status} && $_->{status} != 200 } @$sent;

cmp_ok(scalar @$sent, '>', 1000, scalar @$sent . ' messages were sent');
is(scalar @lost, 0, 'everything acknowledged is in Kafka');
is(scalar @twice, 0, 'nothing is in Kafka twice');
is(scalar @refused, 0, 'nobody was refused');
is($g->books, '', 'the books balance');
is(scalar @{$g->status->{workers}}, 2, 'two slots are in use');
is($g->status->{classes}{telemetry}{lost}, 0, 'no message was lost');

is($then{fds}, $calm{fds}, 'no descriptor of the master was left behind');
is($then{threads}, 1, 'the master has no thread but its own');

my @drained = $g->error_log =~ /drained in \d+ ms: .* lost=(\d+) /g;

is(scalar @drained, 2 + 8 * 2, 'each worker that left said so');
is(scalar(grep { $_ } @drained), 0, 'and lost nothing');
unlike($g->error_log, qr/\[(?:alert|emerg)\]/, 'no alert in the error log');

done_testing();


sub footprint {
    my ($g) = @_;

    my @fds = glob "/proc/$g->{master}/fd/*";
    my @threads = glob "/proc/$g->{master}/task/*";

    return (fds => scalar @fds, threads => scalar @threads);
}
