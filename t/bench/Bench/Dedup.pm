package Bench::Dedup;

# Bench::Dedup - builds and runs t/bench/micro_dedup.c: dedup over a million
# devices, in nanoseconds and in cold reads of the same memory in the same run.
# The nanoseconds are those of this machine's memory, the ratio is the code's.

use strict;
use warnings;

use Bench::Table;

# as the program names them
our $MESSAGE = 'new message, begin and done';
our $COLD = 'one read';


# { devices, lost, bytes, rows => [{ name, ns, cold }, ..] }

sub run {
    my ($rig) = @_;

    my $binary = "$rig->{dir}/micro_dedup";
    my $pure = 'ngx_gateway_module/pure';

    system($ENV{CC} || 'gcc', qw( -std=gnu99 -O2 -I ), $pure, '-o', $binary,
           't/bench/micro_dedup.c', glob("$pure/gw_dedup*.c"),
           "$pure/gw_lock.c", '-lpthread') == 0
        or die "t/bench/micro_dedup.c cannot be built\n";

    my @lines = map { chomp; [split /\t/] } `taskset -c 0 $binary`;
    die "$binary ended with $?\n" if $? || @lines < 2;

    my (undef, $devices, $lost, $bytes) = @{shift @lines};
    my %ns = map { @$_[0, 1] } @lines;

    return { devices => $devices, lost => $lost, bytes => $bytes,
             rows => [ map { { name => $_->[0], ns => $_->[1],
                               cold => $_->[1] / $ns{$COLD} } } @lines ] };
}


sub row {
    my ($dedup, $name) = @_;

    my ($row) = grep { $_->{name} eq $name } @{$dedup->{rows}};

    return $row || die "micro_dedup says nothing of \"$name\"\n";
}


sub text {
    my ($dedup) = @_;

    return "Dedup, $dedup->{devices} devices in random order, in shared "
        . "memory with its lock:\n$dedup->{bytes} bytes each, "
        . "$dedup->{lost} without a place.\n\n"
        . Bench::Table::text(
            ['dedup', 'ns', 'cold reads'],
            map { [$_->{name}, $_->{ns}, sprintf('%.2f', $_->{cold})] }
            @{$dedup->{rows}});
}

1;
