package Bench::Gates;

# Bench::Gates - the file t/bench/gates: "name bound" a line, the most that a
# request of the case may cost, in instructions of a "return 204"; or "name
# bound of other", in those of a request of another case.

use strict;
use warnings;


sub read {
    my ($file) = @_;

    my @gates;

    open my $f, '<', $file or die "$file: $!\n";

    while (<$f>) {
        s/#.*//;
        next unless /\S/;

        /^\s*([a-z0-9]+)\s+(\d+(?:\.\d+)?)(?:\s+of\s+([a-z0-9]+))?\s*$/
            or die "$file:$.: not \"name bound [of name]\": $_";

        push @gates, { name => $1, bound => $2, of => $3 || '204' };
    }

    die "$file: no gate in it\n" unless @gates;

    return @gates;
}


# one line of TAP

sub line {
    my ($n, $gate, $ratio) = @_;

    return sprintf "%s %d - %s costs %.4f of %s, at most %s\n",
                   $ratio <= $gate->{bound} ? 'ok' : 'not ok', $n,
                   $gate->{name}, $ratio,
                   $gate->{of} eq '204' ? 'a return 204' : $gate->{of},
                   $gate->{bound};
}

1;
