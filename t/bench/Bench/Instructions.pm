package Bench::Instructions;

# Bench::Instructions - instructions of a case a request, by perf or, where
# perf cannot count, by callgrind.  They repeat within a percent or two where
# times do not, so it is these that gates are about.

use strict;
use warnings;

use List::Util qw( sum );

use Bench::Callgrind;
use Bench::Case;
use Bench::Load;
use Bench::Perf;


# { method, requests, messages, user, kernel, sum }, user and kernel for one
# request; sum is callgrind's

sub of {
    my ($rig, $case, $messages, $method) = @_;

    my $i = $rig->start($case, callgrind => $method eq 'callgrind');
    my $c = { method => $method };

    # How many requests a turn of the event loop serves must not be chance.
    # Beside a worker under callgrind a load on the other core is so fast that
    # every connection has its next request there at each turn.
    my %args = (core => $method eq 'callgrind' ? 1 : 0);

    $rig->load($i, int($messages / 4), %args);

    my @under;

    if ($method eq 'perf') {
        @under = Bench::Perf::command($i->{worker}, "$i->{dir}/perf");
    } else {
        Bench::Callgrind::zero($i->{worker});
    }

    my $r = $rig->load($i, $messages, %args, under => \@under);

    # refused, or a duplicate: cheaper than what is to be counted
    die "$case->{name}: $r->{bad} of $r->{messages} were not accepted\n"
        if $r->{bad};

    if ($method eq 'perf') {
        @$c{qw( user kernel )} = map { $_ / $r->{requests} }
                                 Bench::Perf::counted("$i->{dir}/perf");

    } else {
        $c->{sum} = Bench::Callgrind::dump($i->{dir}, $i->{worker});
        $c->{user} = sum(@{$c->{sum}{threads}}) / $r->{requests};
        $c->{kernel} = $Bench::Perf::KERNEL;
    }

    @$c{qw( requests messages )} = @$r{qw( requests messages )};

    $rig->stop($i);

    return $c;
}


sub method {
    return 'perf' if Bench::Perf::available();
    return 'callgrind' if Bench::Callgrind::available();
    return;
}


# of a request, to a request of another case

sub ratio {
    my ($one, $other) = @_;

    return ($one->{user} + $one->{kernel})
           / ($other->{user} + $other->{kernel});
}

1;
