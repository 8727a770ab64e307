package Bench::Load;

# Bench::Load - runs the load generator of t/ledger, by default on the core of
# the worker, and reads its last line.  It is built here when its source is
# newer, so that no figure is measured with a generator of another day.

use strict;
use warnings;

use Bench::Case;


sub build {
    my ($build) = @_;

    my @sources = (glob('t/ledger/load*.c'), 't/ledger/bodies.c');
    my $binary = "$build/bench/load";

    my ($newest) = sort { $a <=> $b } map { -M $_ // die "no $_\n" }
                   @sources, glob('t/ledger/*.h');

    if (!-x $binary || -M $binary > $newest) {
        system($ENV{CC} || 'gcc', qw( -std=gnu99 -O2 -o ), $binary,
               @sources, '-lm') == 0
            or die "the load generator cannot be built\n";
    }

    return $binary;
}


# $count messages; %args: connections, batch, form, rate (messages a second,
# 0: a connection sends when it was answered), on top of what the case says;
# core: where the load runs; under: a command that runs it.
# The answer is decided by the location, so nothing is asked for in a header:
# the bytes of the requests are the same in every case.  Each run of an
# instance has devices or numbers of its own: a message that was sent before is
# a duplicate, which costs less and never reaches Kafka.
#
# { requests, messages, seconds, acked, queued, p50_us, p99_us, .. }

sub run {
    my ($rig, $instance, $count, %args) = @_;

    my %o = (connections => 64, rate => 0,
             %{$instance->{case}{load} || {}},
             %args);

    my @under = @{delete $o{under} || []};
    my $core = delete $o{core} || 0;

    my $case = $instance->{case};
    my $run = ++$instance->{runs};
    my @replay = ($rig->{replay}, '--requests', "$instance->{dir}/requests");

    # who has credentials sends what was made with them
    my @tool = $case->{auth} ? @replay
        : $case->{requests} ? (@replay, '--first', $run * 1_000_000)
        : ($rig->{load}, qw( --protocol http --plain --classes telemetry=1 ),
           '--seed', $run, '--uri', $Bench::Case::PATH);

    my @command = (@under, 'taskset', '-c', $core, @tool,
                   '--address', "127.0.0.1:$instance->{port}",
                   '--count', $count,
                   map { ("--$_", $o{$_} // ()) } sort keys %o);

    open my $f, '-|', @command or die "$tool[0]: $!\n";
    my @said = <$f>;

    close $f or die "the load ended with $?: @said\n";

    my (undef, %r) = split ' ', $said[-1] || '';

    die "the load said no result: @said\n" unless $r{messages};

    # a 503 is cheap, a message that costs nothing flatters the mean
    my $good = $instance->{case}{gateway} && $instance->{case}{load}
               ? $r{acked} + $r{queued} : $r{messages};

    $r{bad} = $r{messages} - $good;

    return \%r;
}

1;
