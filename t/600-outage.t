# The story: devices send on while Kafka is killed and restarted, then hangs
# for 20 seconds, and nginx is reloaded in the middle of that.  Whatever was
# answered 200 must be in Kafka, once; the workers must never stall and must
# recover by themselves.
#
# Unseen without it: an acknowledgement on enqueue, a producer that gives up
# after an outage, a report handler that blocks, a retry that writes twice.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $g = GatewayChaos->new(workers  => 2,
                          gateway  => 'drain_timeout 60s;',
                          location => 'gateway_timeout 120s;');
$g->start;

my $load = $g->load(connections => 64, rate => 400,
                    classes => [qw( telemetry control telemetry heartbeat )]);

$g->wait_for(30, 'first answers', sub { $load->answered(200) > 500 });

$g->kafka('kill');
$g->lasting(5);
$g->kafka('restart');

my $before = $load->answered(200);

ok($g->wait_for(60, 'answers after the restart',
                sub { $load->answered(200) > $before + 500 }),
   'answers come again after Kafka was killed and restarted');

is($g->books, '', 'the books balance after the restart');

$g->kafka('freeze');
$g->lasting(5);

my $lag = $g->status->{loop_lag_max};

$g->signal('HUP');
$g->lasting(15);

is($g->books, '', 'the books balance while Kafka hangs');

$g->kafka('thaw');

$before = $load->answered(200);

ok($g->wait_for(60, 'answers after the freeze',
                sub { $load->answered(200) > $before + 500 }),
   'answers come again after Kafka hung for 20 s, with a reload meanwhile');

my $sent = $load->stop;
my %told = map { $_->{id} => $_->{status} } @$sent;

$g->wait_for(60, 'the end of what waits', sub {
    my $s = $g->status;
    my $waiting = 0;
    $waiting += $_->{waiting} for values %{$s->{classes}};
    !$waiting;
});

my $held = $g->records;
my $status = $g->status;

my @acked = grep { $told{$_} == 200 } keys %told;
my @lost = grep { !$held->{$_} } @acked;
my $copies = 0;
$copies += $_ - 1 for values %$held;
my @invented = grep { !exists $told{$_} } keys %$held;
my @refused = grep { $told{$_} >= 400 && $told{$_} != 503 } keys %told;

cmp_ok(scalar @acked, '>', 1000, 'there was load: ' . @acked . ' of '
       . @$sent . ' messages were acknowledged');
is(scalar @lost, 0, 'everything acknowledged is in Kafka');
cmp_ok($copies, '<=', $status->{kafka}{possible_duplicates},
       'nothing is in Kafka twice but what was counted as possible');
is(scalar @invented, 0, 'nothing is in Kafka that nobody sent');
is(scalar @refused, 0, 'nothing was refused for good');

is($g->books, '', 'the books balance at the end');
is($status->{classes}{control}{lost}, 0, 'no control message was lost');

$lag = $status->{loop_lag_max} if $status->{loop_lag_max} > $lag;

# what blocks waits for a broker, which is seconds; what others do on the
# machine takes some tenths at times
cmp_ok($lag, '<', $ENV{GATEWAY_SANITIZED} ? 2 : 1, 'no worker stalled: '
       . "the loop was late by at most $lag s");

my $answer = $g->post('{"device":"last","seq":1,"data":1}');

is($answer->{status}, 200, 'the next message is delivered, nothing was '
   . 'restarted');

unlike($g->error_log, qr/\[(?:alert|emerg)\]/, 'no alert in the error log');
like($g->error_log, qr/gateway "fleet" drained in \d+ ms: .* lost=0 /,
     'the workers of the old configuration lost nothing');

done_testing();
