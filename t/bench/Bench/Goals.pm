package Bench::Goals;

# Bench::Goals - what is aimed at, and whether the figures of a run hold it.

use strict;
use warnings;

# id, what it is of, ambitious, acceptable, sign: 1 where less is better;
# "time" where a busy machine has the last word
# The goals were set with what does not compress; lz4 is our default, and the
# work of it is told beside.
our @ALL = (
    ['P1', 'instructions, ack queued, no compression, to return 204',
     1.75, 2.2, 1],
    ['P1z', 'the same with lz4, the default', 1.75, 2.2, 1],
    ['P1s', 'P1 with a schema of the 20 values', 1.75, 2.2, 1],
    ['P1sz', 'the same with lz4', 1.75, 2.2, 1],
    ['P2', 'P1 in CPU time', 1.65, 2.2, 1, 'time'],
    ['P2z', 'P1z in CPU time', 1.65, 2.2, 1, 'time'],
    ['P3', 'instructions, ack delivered, 512 connections, no compression',
     1.9, 2.4, 1],
    ['P3z', 'the same with lz4, the default', 1.9, 2.4, 1],
    ['P4', 'P3 in CPU time', 3.0, 4, 1, 'time'],
    ['P4z', 'P3z in CPU time', 3.0, 4, 1, 'time'],
    ['P9a', 'messages a core-second, array of 40 to one message', 2.8, 2, -1,
     'time'],
    ['P9n', 'the same, NDJSON of 100', 2.8, 2, -1, 'time'],
    ['P13', 'ns to scan a message of 255 bytes', 200, 500, 1, 'time'],
    ['P13a', 'us to scan an array of 10 KB', 6, 18, 1, 'time'],
    ['P14k', 'us of a credential of the registry, seen before', 0.15, 0.3, 1,
     'time'],
    ['P14r', 'us of one looked up in the registry, in SQLite', 0.15, 0.3, 1,
     'time'],
    ['P14h', 'us of a token, HS256, first use', 0.7, 1.4, 1, 'time'],
    ['P14e', 'us of a token, ES256, first use', 50, 100, 1, 'time'],
    ['P14t', 'us of a token seen before', 0.25, 0.5, 1, 'time'],
    ['P15', 'ns of dedup a message, a million devices, with its lock', 100,
     250, 1, 'time'],
    ['P15b', 'bytes a device', 48, 96, 1],
    ['authk', 'instructions, registry asked, cached, to the same not asked',
     1.05, 1.05, 1],
    ['autht', 'the same, a token of ES256', 1.05, 1.05, 1],
    ['P18', 'p99 at half load, ack queued to return 204', 2, 4, 1, 'time'],
    ['P19', 'p50 of ack delivered above linger, ms', 1, 3, 1, 'time'],
    ['P21', 'instructions, module loaded, no gateway', 1.005, 1.01, 1],
    ['P21g', 'the same, a gateway elsewhere', 1.005, 1.01, 1],
);


sub judge {
    my ($value, $ambitious, $acceptable, $sign) = @_;

    return 'not measured' unless defined $value;
    return 'yes' if $value * $sign <= $ambitious * $sign;
    return 'acceptable' if $value * $sign <= $acceptable * $sign;
    return 'NO';
}


# rows of a table; %$measured: id => value; $quiet: times mean something

sub rows {
    my ($measured, $quiet) = @_;

    return map {
        my ($id, $what, @bounds) = @$_;
        my $time = @bounds > 3 && pop @bounds;
        my $value = $measured->{$id};

        [$id, $what, defined $value ? sprintf('%.4g', $value) : '-',
         @bounds[0, 1],
         $time && !$quiet ? 'not judged' : judge($value, @bounds)];
    } @ALL;
}

1;
