package Bench::Pure;

# Bench::Pure - builds and runs t/bench/pure.c and auth.c: nanoseconds of each
# part.

use strict;
use warnings;

use Bench::Auth;


# [{ name, bytes, ns, best }, ..]

sub run {
    my ($rig) = @_;

    return [ parts($rig, 'pure', [], []),
             parts($rig, 'auth', [qw( -lsqlite3 -lcrypto )],
                   [Bench::Auth::folder("$rig->{dir}/auth-parts")]) ];
}


sub parts {
    my ($rig, $name, $libs, $args) = @_;

    my %folder = map { $_ => "ngx_gateway_module/$_" } qw( pure auth );
    my $binary = "$rig->{dir}/$name";
    my @sources = map { glob "$folder{$_}/gw*.c" }
                      $name eq 'pure' ? 'pure' : qw( pure auth );

    system($ENV{CC} || 'gcc', qw( -std=gnu99 -O2 ),
           (map { ('-I', $_) } values %folder), '-o', $binary,
           "t/bench/$name.c", @sources, qw( -ljansson -lz -lm ), @$libs) == 0
        or die "t/bench/$name.c cannot be built\n";

    my @lines = `taskset -c 0 $binary @$args`;
    die "$binary ended with $?\n" if $?;

    return map {
        chomp;
        my %part;
        @part{qw( name bytes ns best )} = split /\t/;
        \%part;
    } @lines;
}

1;
