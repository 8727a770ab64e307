package Bench::Cpu;

# Bench::Cpu - CPU time of a worker a message: all its threads, the kernel's
# part included.  Rounds are interleaved, each case once in each, and ratios
# are taken inside a round: the machine is slower in some minutes than in
# others, and that must not look like a difference between cases.

use strict;
use warnings;

use POSIX ();

use Bench::Case;
use Bench::Rig;

# Of one run: a worker accepts batches faster than one broker stores them, and
# what waits must fit into its buffer.
our $MOST = 150_000;


# nanoseconds that the threads of a process have run

sub spent {
    my ($pid) = @_;

    my $ns = 0;

    for (glob "/proc/$pid/task/*/schedstat") {
        $ns += (split ' ', Bench::Rig::slurp($_))[0] || 0;
    }

    return $ns;
}


# ticks in user and kernel mode

sub modes {
    my ($pid) = @_;

    my @sum = (0, 0);

    for (glob "/proc/$pid/task/*/stat") {
        my @of = split ' ', (Bench::Rig::slurp($_) =~ s/^.*\) //r);

        $sum[0] += $of[11] || 0;
        $sum[1] += $of[12] || 0;
    }

    return @sum;
}


# { name => { us => [..], ratio => [..], rate => [messages/s, ..], p50, p99,
# user => ticks, sys => ticks, bad => n } }; case is what
# the others are held against

sub rounds {
    my ($rig, $rounds, $seconds, @instances) = @_;

    my (%result, %count);

    for my $i (@instances) {
        my $r = $rig->load($i, 8000);
        my $n = int($r->{messages} / $r->{seconds} * $seconds);

        $count{$i->{port}} = $n > $MOST && $i->{case}{load} ? $MOST : $n;
    }

    for my $round (1 .. $rounds) {
        my $base;

        for my $i (@instances) {
            my $of = $result{$i->{case}{name}} ||= { user => 0, sys => 0,
                                                     bad => 0 };
            my @modes = modes($i->{worker});
            my $spent = spent($i->{worker});

            my $r = $rig->load($i, $count{$i->{port}});

            $spent = spent($i->{worker}) - $spent;
            my @after = modes($i->{worker});

            my $us = $spent / 1000 / $r->{messages};
            $base //= $us;

            push @{$of->{us}}, $us;
            push @{$of->{ratio}}, $us / $base;
            push @{$of->{rate}}, $r->{messages} / $r->{seconds};
            push @{$of->{p50}}, $r->{p50_us};
            push @{$of->{p99}}, $r->{p99_us};

            $of->{bad} += $r->{bad};
            $of->{user} += $after[0] - $modes[0];
            $of->{sys} += $after[1] - $modes[1];
        }
    }

    return \%result;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[@sorted / 2] if @sorted % 2;
    return ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

1;
