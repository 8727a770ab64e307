#!/usr/bin/perl

# t/bench/run.pl - what a message costs, as ratios to a plain "return 204" of
# the same run.  Called by .ci/bench, from the top of the tree.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Bench::Callgrind;
use Bench::Case;
use Bench::Cpu;
use Bench::Dedup;
use Bench::Gates;
use Bench::Instructions;
use Bench::Perf;
use Bench::Pure;
use Bench::Report;
use Bench::Rig;

# so that what was started is ended
$SIG{INT} = $SIG{TERM} = sub { exit 130 };
$SIG{PIPE} = 'IGNORE';
$| = 1;

my $rounds = $ENV{BENCH_ROUNDS} || 5;
my $seconds = $ENV{BENCH_SECONDS} || 2;

my %modes = (full => \&full, short => \&short, profile => \&profile,
             dedup => \&dedup);
my $mode = shift @ARGV || 'full';

$modes{$mode}
    or die "usage: .ci/bench [full|short [GATES]|profile [CASE...]|dedup]\n";

$modes{$mode}->(@ARGV);


# How many are counted: enough for the connections to be a percent of it, in
# batches for as much work.

sub messages {
    my ($case) = @_;

    my $batch = Bench::Case::batch($case);
    my $connections = ($case->{load} || {})->{connections} || 64;

    return $batch > 1 ? $batch * 400 : $connections > 64 ? 24000 : 6000;
}


# counts the case, and the named one it is held against the first time, which
# is kept in %$base: { .., ratio }

sub count {
    my ($rig, $case, $method, $base, $name) = @_;

    my $of = sub {
        return Bench::Instructions::of($rig, $_[0], messages($_[0]), $method);
    };

    $base->{$name} ||= $of->(Bench::Case::named($name));

    my $c = $case->{name} eq $name ? $base->{$name} : $of->($case);

    $c->{ratio} = Bench::Instructions::ratio($c, $base->{$name});

    return $c;
}


sub short {
    my ($file) = @_;

    my @gates = Bench::Gates::read($file || 't/bench/gates');
    my $method = Bench::Instructions::method();

    if (!$method) {
        print "1..0 # SKIP neither perf nor valgrind counts here\n";
        return;
    }

    my $rig = Bench::Rig->new;

    if (!$rig->start_kafka) {
        print "1..0 # SKIP no Kafka to be had here\n";
        return;
    }

    printf "1..%d\n", scalar @gates;
    print "# $_\n" for Bench::Report::method($method);

    my %base;
    my $n = 0;
    my $bad = 0;

    for my $gate (@gates) {
        my ($name, $bound, $of) = @$gate{qw( name bound of )};

        my $c = count($rig, Bench::Case::named($name), $method, \%base, $of);

        if ($c->{ratio} > $bound) {
            # how requests fall together is chance; what costs more costs
            # more twice
            delete $base{$of};
            $c = count($rig, Bench::Case::named($name), $method, \%base, $of);
        }

        $bad++ if $c->{ratio} > $bound;

        printf "# %s: %.0f user + %.0f kernel, %s: %.0f + %.0f\n", $name,
               @$c{qw( user kernel )}, $of, @{$base{$of}}{qw( user kernel )};
        print Bench::Gates::line(++$n, $gate, $c->{ratio});
    }

    exit 1 if $bad;
}


sub profile {
    my (@names) = @_;

    @names = qw( queued delivered ) unless @names;

    my $rig = Bench::Rig->new;
    $rig->start_kafka or die "no Kafka to be had here\n";

    for my $case (Bench::Case::named(@names)) {
        my $c = Bench::Instructions::of($rig, $case, messages($case),
                                        'callgrind');

        print Bench::Report::profile($case, $c, 40);
    }
}


sub dedup {
    print Bench::Dedup::text(Bench::Dedup::run(Bench::Rig->new));
}


sub full {
    my $method = Bench::Instructions::method()
        or die "neither perf nor valgrind counts here\n";

    my $rig = Bench::Rig->new;
    $rig->start_kafka or die "no Kafka to be had here\n";

    my %result = (method => $method, rounds => $rounds,
                  seconds => $seconds);
    my %base;

    $result{pure} = Bench::Pure::run($rig);
    $result{dedup} = Bench::Dedup::run($rig);

    for my $case (@Bench::Case::ALL) {
        print STDERR "# instructions: $case->{say}\n";

        $result{instructions}{$case->{name}} =
            count($rig, $case, $method, \%base, '204');
    }

    my @instances = map { $rig->start($_) } @Bench::Case::ALL;

    print STDERR "# CPU time: $rounds rounds\n";
    $result{cpu} = Bench::Cpu::rounds($rig, $rounds, $seconds, @instances);

    print STDERR "# latency\n";
    $result{half} = half_load($rig, $result{cpu},
                              grep { $_->{case}{name} =~ /^(204|queued)$/ }
                              @instances);

    # of the last five minutes
    $result{load} = (split ' ', Bench::Rig::slurp('/proc/loadavg'))[1];

    my $text = Bench::Report::text(\%result);
    print Bench::Report::head(\%result), $text;

    open my $f, '>', 't/bench/RESULTS.md' or die "t/bench/RESULTS.md: $!\n";
    print $f Bench::Report::head(\%result), $text;
    close $f or die "t/bench/RESULTS.md: $!\n";
}


# p99 of each at half the rate that it reached; median of the rounds

sub half_load {
    my ($rig, $cpu, @instances) = @_;

    my %p99;

    for (1 .. $rounds) {
        for my $i (@instances) {
            my $name = $i->{case}{name};
            my $rate = int(Bench::Cpu::median(@{$cpu->{$name}{rate}}) / 2);

            my $r = $rig->load($i, int($rate * $seconds), rate => $rate);

            push @{$p99{$name}}, $r->{p99_us};
        }
    }

    return { map { $_ => Bench::Cpu::median(@{$p99{$_}}) } keys %p99 };
}
