# The story: a worker is killed with -9 while devices send.  What it held is
# gone, but nobody was told that it was safe; the next worker counts it as
# lost and the books balance on.
#
# Unseen without it: counters that die with their worker, a zone that stays
# locked, an acknowledgement for what was only in memory.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $g = GatewayChaos->new(workers  => 2, location => 'gateway_timeout 60s;');
$g->start;

my $load = $g->load(connections => 32, rate => 400);

for my $i (1 .. 5) {
    my $before = $load->answered(200);
    $g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 200 });

    my @workers = $g->workers_of;
    kill 'KILL', $workers[$i % @workers];

    $g->wait_for(20, 'a new worker', sub {
        my @now = $g->workers_of;
        @now == 2 && !grep { $_ == $workers[$i % @workers] } @now;
    });
}

my $before = $load->answered(200);
$g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 200 });

my $sent = $load->stop;

$g->wait_for(30, 'the end of what waits', sub {
    !$g->status->{classes}{telemetry}{waiting};
});

my $held = $g->records;
my $status = $g->status;

my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @$sent;
my @twice = grep { $held->{$_} > 1 } keys %$held;

is(scalar @lost, 0, 'everything acknowledged is in Kafka after five workers '
   . 'were killed');
is(scalar @twice, 0, 'nothing is in Kafka twice');
is($g->books, '', 'the books balance');

my $lost = $status->{classes}{telemetry}{lost};
my $unknown = grep { $_->{status} == 0 } @$sent;

cmp_ok($lost, '<=', $unknown, "what is counted as lost ($lost) is no more "
       . "than what got no answer ($unknown)");
is(scalar @{$status->{workers}}, 2, 'the slots of the dead were taken over');

# killed workers are an alert of nginx's own; there must be no other

my $log = $g->error_log;
$log =~ s/^.*exited on signal 9.*$//mg;
unlike($log, qr/\[(?:alert|emerg)\]/, 'no other alert in the error log');

done_testing();
