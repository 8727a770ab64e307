package Bench::Auth;

# Bench::Auth - what a case of authentication needs: 64 devices, each with a
# credential of its own, and their requests as bytes.  The requests of one kind
# are the same bytes in all its cases, whether the credential is asked for or
# not: what NGINX takes to read a header is no cost of ours, and is shown apart.
#
# They are sent again and again, so dedup is off: a duplicate is no message.
#
# "cold": the cache has eight places, and the devices come in turn, so none is
# ever found there.

use strict;
use warnings;

use lib 't/lib';

use File::Copy ();
use File::Path ();
use GatewayAuth ();
use GatewayAuthScale ();

our $DEVICES = 64;

my %alg = (hs256 => ['HS256', 'hs'], es256 => ['ES256', 'p256'],
           rs256 => ['RS256', 'rsa']);


# cases of Bench::Case, ports from the one given

sub cases {
    my ($port) = @_;

    my $base = { module => 1, gateway => 1, fill => 250, load => {},
                 dedup => 'off', set => { 'compression.type' => 'none' } };

    my %say = (sent => 'credential sent, not asked for',
               cold => 'each credential new', cached => 'credentials known');
    my @cases = ({ %$base, name => 'noauth', port => $port++, auth => 'none',
                   say => 'auth: no credential sent' });

    for my $kind (qw( devices hs256 es256 rs256 hmac )) {
        for my $way ('sent', 'cold', $kind eq 'hmac' ? () : 'cached') {
            push @cases, {
                %$base, name => "$kind$way", port => $port++, auth => $kind,
                asked => $way ne 'sent', cold => $way eq 'cold',
                say => "auth, $kind: $say{$way}",
            };
        }
    }

    $_->{location} = location($_) for @cases;

    return @cases;
}


# AUTH stands for the folder of the case

sub location {
    my ($case) = @_;

    my $kind = $case->{auth};
    my $auth = !$case->{asked} ? ''
               : $kind eq 'devices' ? 'gateway_auth devices AUTH/devices.db;'
               : $kind eq 'hmac'
                 ? 'gateway_auth hmac AUTH/devices.db window=1d;'
                 : 'gateway_auth jwt keys=AUTH/keys.json;';

    return "gateway_pass bench; gateway_ack queued; $auth";
}


# lines of the gateway block

sub gateway {
    my ($case) = @_;

    return $case->{asked} && $case->{cold} ? "    auth_cache 1;\n" : '';
}


# the files of a case, in its folder

sub make {
    my ($case, $dir) = @_;

    my $kind = $case->{auth};
    my @devices = map { sprintf 'pump-%04d', $_ } 1 .. $DEVICES;

    if ($kind =~ /^(?:devices|hmac)$/) {
        GatewayAuth::registry("$dir/devices.db", join '', map {
            "$_ tenant=acme classes=telemetry"
            . ($kind eq 'hmac' ? " hmac\n" : "\n")
        } @devices);

    } elsif ($alg{$kind}) {
        GatewayAuth::key_set("$dir/keys.json", $alg{$kind}[1]);
    }

    my $seq = 0;

    GatewayAuthScale::write_requests("$dir/requests", map {
        my $body = GatewayAuthScale::envelope($_, 1000000 + $seq++);
        my $sent = credential($kind, $_, $body);
        GatewayAuthScale::request($sent, $body);
    } @devices);
}


sub credential {
    my ($kind, $device, $body) = @_;

    return if $kind eq 'none';
    return GatewayAuth::basic($device) if $kind eq 'devices';

    if ($kind eq 'hmac') {
        my (undef, undef, %headers) =
            GatewayAuth::signed($device, $body, path => '/v1/messages');
        return $headers{Authorization};
    }

    return GatewayAuth::bearer(@{$alg{$kind}}, sub => $device,
        exp => time() + 86400, iss => 'https://issuer.example',
        tenant => 'acme', gateway_classes => 'telemetry');
}


# what t/bench/auth.c reads: a registry large enough that its pages are not
# one, and 64 credentials of each kind

sub folder {
    my ($dir) = @_;

    File::Path::remove_tree($dir);
    File::Path::make_path($dir);

    my $token = GatewayAuthScale::many_devices("$dir/devices.db", 100_000,
                                               $DEVICES);
    my @devices = map { sprintf 'dev-%07d', $_ } 0 .. $DEVICES - 1;

    lines("$dir/devices", map { "$devices[$_] " . $token->($_) }
                              0 .. $#devices);

    for my $kind (sort keys %alg) {
        lines("$dir/$kind", map { credential($kind, $_) =~ s/^Bearer //r }
                                @devices);
    }

    GatewayAuth::key_set("$dir/keys.json", map { $_->[1] } values %alg);

    my ($pem) = GatewayAuth::certificate('pump-7',
        san => 'URI:spiffe://fleet.example/device/pump-7');

    File::Copy::copy($pem, "$dir/certificate.pem")
        or die "$dir/certificate.pem: $!\n";

    return $dir;
}


sub lines {
    my ($file, @lines) = @_;

    open my $f, '>', $file or die "$file: $!\n";
    print $f "$_\n" for @lines;
    close $f or die "$file: $!\n";
}

1;
