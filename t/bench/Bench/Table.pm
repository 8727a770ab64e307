package Bench::Table;

# Bench::Table - a table of Markdown that people can read as it is.

use strict;
use warnings;

use List::Util qw( max );


sub text {
    my ($head, @rows) = @_;

    my @width = map {
        my $column = $_;
        max map { length $_->[$column] } $head, @rows;
    } 0 .. $#$head;

    my $line = sub {
        my ($row) = @_;

        return '| ' . join(' | ', map {
            sprintf '%-*s', $width[$_], $row->[$_]
        } 0 .. $#$head) . " |\n";
    };

    return join '', $line->($head),
                '|' . join('|', map { '-' x ($_ + 2) } @width) . "|\n",
                map { $line->($_) } @rows;
}

1;
