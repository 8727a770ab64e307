package Bench::Pure;

# Bench::Pure - builds and runs t/bench/pure.c: nanoseconds of each part.

use strict;
use warnings;


# [{ name, bytes, ns, best }, ..]

sub run {
    my ($build) = @_;

    my $pure = 'ngx_gateway_module/pure';
    my $binary = "$build/bench/pure";

    system($ENV{CC} || 'gcc', qw( -std=gnu99 -O2 -I ), $pure, '-o', $binary,
           't/bench/pure.c', glob("$pure/gw*.c"),
           qw( -ljansson -lz -lm )) == 0
        or die "t/bench/pure.c cannot be built\n";

    my @lines = `taskset -c 0 $binary`;
    die "$binary ended with $?\n" if $?;

    return [ map {
        chomp;
        my %part;
        @part{qw( name bytes ns best )} = split /\t/;
        \%part;
    } @lines ];
}

1;
