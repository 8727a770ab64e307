package Bench::Fields;

# Bench::Fields - what a message costs that is counted once and checked: the
# cases with dedup and schemas.
#
# The goal of P1 is about the usual message of some 255 bytes: "usual" is a
# schema of all its 20 values, data itself included.  "flat" is a message of
# its own, 20 members and some 400 bytes: its row without schema says what the
# longer body costs, so that the schema is not blamed for it.

use strict;
use warnings;

use lib 't/lib';

use GatewayAuthScale ();
use JSON::PP ();

our $DEVICES = 64;

# names, schema and spelling of the members of the flat message: "#" is a digit
my @flat = (
    [temperature => between(-40, 85), '2#.##'],
    [humidity    => between(0, 100), '4#.#'],
    [pressure    => whole(300, 1100), '1013'],
    [latitude    => between(-90, 90), '52.5####'],
    [longitude   => between(-180, 180), '13.4####'],
    [altitude    => between(-500, 9000), '3#.#'],
    [speed       => between(0, 400), '1#.##'],
    [heading     => whole(0, 359), '17#'],
    [battery     => between(0, 5), '3.##'],
    [charge      => whole(0, 100), '8#'],
    [rssi        => whole(-140, 0), '-6#'],
    [uptime      => whole(0), '48####'],
    [restarts    => whole(0, 65535), '1#'],
    [errors      => whole(0), '0'],
    [alarm       => { type => 'boolean' }, 'false'],
    [door        => { type => 'boolean' }, 'true'],
    [mode        => { enum => [qw( eco auto boost off )] }, '"auto"'],
    [firmware    => text(1, 16), '"1.4.2"'],
    [serial      => text(8, 32), '"A7-0042-9#81"'],
    [operator    => text(1, 8), '"eu-1"'],
);

# those of the usual one, t/ledger/bodies.c
my @usual = (
    [t    => between(-40, 85)],
    [hum  => between(0, 100)],
    [hpa  => whole(300, 1100)],
    [lat  => between(-90, 90)],
    [lon  => between(-180, 180)],
    [batt => between(0, 5)],
    [rssi => whole(-140, 0)],
    [up   => whole(0)],
    [err  => whole(0, 255)],
    [ok   => { type => 'boolean' }],
    [fw   => text(1, 16)],
    [md   => { enum => [qw( eco auto boost off )] }],
    [acc  => { type => 'array', minItems => 3, maxItems => 3,
               items => between(-16, 16) }],
    [net  => object([op => text(1, 8)], [cell => whole(0, 65535)])],
);

my %schema = (usual => object(@usual), flat => object(@flat));


sub between {
    my ($least, $most) = @_;

    return { type => 'number', minimum => $least, maximum => $most };
}


sub whole {
    my ($least, $most) = @_;

    return { type => 'integer', minimum => $least,
             defined $most ? (maximum => $most) : () };
}


sub text {
    my ($least, $most) = @_;

    return { type => 'string', minLength => $least, maxLength => $most };
}


# all members asked for, and no others

sub object {
    my (@members) = @_;

    return { type => 'object',
             properties => { map { $_->[0] => $_->[1] } @members },
             required => [ map { $_->[0] } @members ],
             additionalProperties => JSON::PP::false };
}


# cases of Bench::Case, ports from the one given

sub cases {
    my ($port) = @_;

    my $pass = 'gateway_pass bench; gateway_ack queued;';
    my $base = { module => 1, gateway => 1, load => {}, fill => 250,
                 location => $pass };
    my $plain = { %$base, set => { 'compression.type' => 'none' } };
    my $schema = "$pass gateway_schema SCHEMA;";

    my @cases = (
        { %$plain, name => 'nodedup', dedup => 'off',
          say => 'one message, ack queued, no compression, dedup off' },
        { %$plain, name => 'schema', schema => 'usual', location => $schema,
          say => 'the same, dedup on, schema of its 20 values' },
        { %$base, name => 'schemalz4', schema => 'usual',
          location => $schema, say => 'the same, schema, lz4' },
        { %$plain, name => 'flat', requests => 'flat',
          say => 'message of 20 flat members, dedup on' },
        { %$plain, name => 'flatschema', requests => 'flat',
          schema => 'flat', location => $schema,
          say => 'the same, schema of these 20' },
    );

    $_->{port} = $port++ for @cases;

    return @cases;
}


# the files of a case, in its folder

sub make {
    my ($case, $dir) = @_;

    if ($case->{schema}) {
        open my $f, '>', "$dir/schema.json" or die "$dir/schema.json: $!\n";
        print $f JSON::PP->new->canonical->encode($schema{$case->{schema}});
        close $f or die "$dir/schema.json: $!\n";
    }

    GatewayAuthScale::write_requests("$dir/requests", map {
        GatewayAuthScale::request(undef, flat($_))
    } 1 .. $DEVICES) if $case->{requests};
}


# one that a number is still to be put into: see --first of t/bench/replay.c

sub flat {
    my ($device) = @_;

    my $n = $device;
    my $data = join ',', map {
        my ($name, undef, $value) = @$_;
        $value =~ s/#/($n = ($n * 7919 + 17) % 9973) % 10/ge;
        "\"$name\":$value";
    } @flat;

    return sprintf '{"device":"pump-%04d","seq":1########,'
                   . '"class":"telemetry","ts":%d,"data":{%s}}',
                   $device, 1718000000123 + $device * 997, $data;
}

1;
