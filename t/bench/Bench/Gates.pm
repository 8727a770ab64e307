package Bench::Gates;

# Bench::Gates - the file t/bench/gates: "name bound" a line, the most that a
# request of the case may cost, in instructions of a "return 204".

use strict;
use warnings;


sub read {
    my ($file) = @_;

    my @gates;

    open my $f, '<', $file or die "$file: $!\n";

    while (<$f>) {
        s/#.*//;
        next unless /\S/;

        /^\s*([a-z0-9]+)\s+(\d+(?:\.\d+)?)\s*$/
            or die "$file:$.: not \"name bound\": $_";

        push @gates, [$1, $2];
    }

    die "$file: no gate in it\n" unless @gates;

    return @gates;
}


# one line of TAP

sub line {
    my ($n, $name, $bound, $ratio) = @_;

    return sprintf "%s %d - %s costs %.4f of a return 204, at most %s\n",
                   $ratio <= $bound ? 'ok' : 'not ok', $n, $name, $ratio,
                   $bound;
}

1;
