# The story: Kafka hangs and ten times the buffer arrives.  Memory stays inside
# its budget, only telemetry is shed, and each control message that arrived
# meanwhile is served when Kafka returns.
#
# Unseen without it: a byte that no account has, control that is shed or waits
# behind telemetry, a shed message that is answered as a success.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $buffer = 4 * 1024 * 1024;

my $g = GatewayChaos->new(
    gateway  => "buffer 4m;",
    classes  => "class control topic=fleet.control;\n"
                . "class heartbeat topic=fleet.heartbeat;\n"
                . "class telemetry ack=queued;",
    location => 'gateway_timeout 120s; client_body_buffer_size 1m;');

$g->start;

# memory is compared with that of a worker which has seen all its code once

my $warm = $g->post(batch('warm', 500), 'content-type'
                                        => 'application/x-ndjson');
is($warm->{status}, 200, 'a batch of telemetry is taken');

$g->wait_for(30, 'delivery of it', sub {
    $g->status->{classes}{telemetry}{delivered} == 500;
});

my $calm = $g->memory;

$g->kafka('freeze');

my $control = $g->load(name => 'c', connections => 16, rate => 50,
                       classes => [qw( control heartbeat )]);

my ($over, $peak, $queued, $shed) = (0, 0, 0, 0);
my $sent = 500;

for my $i (1 .. 160) {
    my $r = $g->post(batch("b$i", 250), 'content-type'
                                        => 'application/x-ndjson');

    $sent += 250;

    # every message is 1 kB: the burst is ten times the buffer

    $queued++ if $r->{status} == 200;
    $shed++ if $r->{status} =~ /^(?:207|503)$/;

    my $s = $g->status;
    $over++ if $s->{buffer}{charged} > $s->{buffer}{capacity};

    my $memory = $g->memory;
    $peak = $memory if $memory > $peak;
}

is($queued + $shed, 160, 'each batch was answered');
is($over, 0, 'the charge was never above the buffer');

SKIP: {
    skip 'a sanitizer adds its own to each allocation', 1
        if $ENV{GATEWAY_SANITIZED};

    cmp_ok($peak - $calm, '<', $buffer + 4 * 1024 * 1024,
           'memory grew by ' . int(($peak - $calm) / 1024) . ' kB with a '
           . 'buffer of ' . $buffer / 1024 . ' kB');
}

my $s = $g->status;

cmp_ok($s->{classes}{telemetry}{shed}{full}, '>', 10000,
       'telemetry was shed, and counted');

for my $class (qw( control heartbeat )) {
    my $n = 0;

    for my $kind (qw( shed shed_entry )) {
        $n += $_ for values %{$s->{classes}{$class}{$kind}};
    }

    is($n, 0, "no $class message was shed");
}

is($g->books, '', 'the books balance in the middle of it');

$g->kafka('thaw');

my $answers = $control->stop;
my @bad = grep { $_->{status} != 200 } @$answers;

cmp_ok(scalar @$answers, '>', 10, scalar @$answers
       . ' control messages and heartbeats were sent meanwhile');
is(scalar @bad, 0, 'each of them was delivered when Kafka returned');

$g->wait_for(60, 'the end of what waits', sub {
    !$g->status->{classes}{telemetry}{waiting};
});

$s = $g->status->{classes}{telemetry};

my $dropped = 0;

for my $kind (qw( shed shed_entry )) {
    $dropped += $_ for values %{$s->{$kind}};
}

is($s->{delivered} + $dropped, $sent, 'each telemetry message was delivered '
   . 'or is counted as shed');

my $held = $g->records;
my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @$answers;

is(scalar @lost, 0, 'everything acknowledged as delivered is in Kafka');
is($g->books, '', 'the books balance at the end');
is($g->post('{"device":"last","data":1}')->{status}, 202,
   'telemetry is taken again');
unlike($g->error_log, qr/\[(?:alert|emerg)\]/, 'no alert in the error log');

done_testing();


sub batch {
    my ($name, $n) = @_;

    return join '', map {
        qq({"device":"$name-) . $_ % 10 . qq(","seq":$_,"data":")
        . 'x' x 700 . qq("}\n)
    } 1 .. $n;
}
