package Bench::Callgrind;

# Bench::Callgrind - user instructions of a worker, counted by callgrind.
#
# callgrind runs nginx and its worker; the counters are set to zero when the
# worker has been warmed up and are dumped after the requests, so that the
# start of the process and its first requests are no part of the result.
# Without that a change of the start would pass for a change of the path.
#
# Every thread has a file of its own: threads of librdkafka are told apart
# from the one of the event loop.

use strict;
use warnings;

# What is driven by a clock happens as often a second here as it does
# natively, while requests take that many times longer.  The rig multiplies
# the times it can set, so that a batch of librdkafka has as many messages as
# it natively has.

our $SLOWER = 50;


sub command {
    my ($dir) = @_;

    # without trace-children a forked worker has no gdbserver
    return ('valgrind', '--quiet', '--tool=callgrind',
            '--trace-children=yes', '--separate-threads=yes',
            "--callgrind-out-file=$dir/cg.%p");
}


sub available {
    return system('valgrind --version > /dev/null 2>&1') == 0;
}


# The process may be asleep in epoll_wait: valgrind's gdbserver is reached by
# ptrace then, which wants no more than the same user.

sub control {
    my ($verb, $pid) = @_;

    my $said = `vgdb --pid=$pid --wait=10 $verb 2>&1`;

    die "vgdb --pid=$pid $verb: $said\n" if $?;
}


sub zero {
    my ($pid) = @_;

    control('zero', $pid);
}


# { threads => [n, ..], functions => { name => n }, objects => { name => n } }

sub dump {
    my ($dir, $pid) = @_;

    my %before = map { $_ => 1 } glob "$dir/cg.$pid.*";

    control('dump', $pid);

    my @files = grep { !$before{$_} } glob "$dir/cg.$pid.*-*";
    die "callgrind wrote nothing into $dir\n" unless @files;

    my $sum = { threads => [], functions => {}, objects => {} };

    for my $file (@files) {
        my $n = parse($file, $sum);
        push @{$sum->{threads}}, $n if $n;
    }

    return $sum;
}


# Self cost of every function, of one file, added to %$sum.  A name is written
# once and is a number from there on; the line behind "calls=" is what the
# callee took, which stands with the callee already.

sub parse {
    my ($file, $sum) = @_;

    my (%object, %function, $object, $function, $callee);
    my $total = 0;

    open my $f, '<', $file or die "$file: $!\n";

    while (my $line = <$f>) {

        if ($line =~ /^(?:[+-]?\d+|\*) (\d+)$/) {

            if ($callee) {
                $callee = 0;
                next;
            }

            $total += $1;
            $sum->{functions}{"$function [$object]"} += $1;
            $sum->{objects}{$object} += $1;

        } elsif ($line =~ /^calls=/) {
            $callee = 1;

        } elsif ($line =~ /^(c?)(ob|fn)=\((\d+)\)(?: (.*))?$/) {
            my ($called, $kind, $id, $name) = ($1, $2, $3, $4);
            my $names = $kind eq 'ob' ? \%object : \%function;

            if (defined $name) {
                $name =~ s{.*/}{} if $kind eq 'ob';
                $name =~ s/'\d+$//;
                $names->{$id} = $name;
            }

            next if $called;

            if ($kind eq 'ob') {
                $object = $names->{$id};
            } else {
                $function = $names->{$id};
            }
        }
    }

    close $f;

    return $total;
}

1;
