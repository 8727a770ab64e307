package Bench::Perf;

# Bench::Perf - user and kernel instructions of a worker, where the machine
# lets them be counted.  Many a virtual machine does not: then the kernel's
# share of a request is assumed, and every output says so.

use strict;
use warnings;

use Bench::Rig;

# kernel instructions of a 255-byte POST that is answered by 204, on Linux 6,
# over loopback: measured where perf works
our $KERNEL = $ENV{BENCH_KERNEL} || 11900;


sub available {
    my $said = `perf stat -x, -e instructions:u,instructions:k true 2>&1`;

    return $? == 0 && $said =~ /^\d+,+instructions:u/m
           && $said =~ /^\d+,+instructions:k/m;
}


# what counts a process while a command runs

sub command {
    my ($pid, $file) = @_;

    return ('perf', 'stat', '-x,', '-o', $file,
            '-e', 'instructions:u,instructions:k', '-p', $pid, '--');
}


# (user, kernel)

sub counted {
    my ($file) = @_;

    my $said = Bench::Rig::slurp($file);
    my ($user) = $said =~ /^(\d+),+instructions:u/m;
    my ($kernel) = $said =~ /^(\d+),+instructions:k/m;

    die "perf counted nothing: $said\n" unless $user && $kernel;

    return ($user, $kernel);
}

1;
