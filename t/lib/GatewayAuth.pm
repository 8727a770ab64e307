package GatewayAuth;

# GatewayAuth - credentials for the pages of gateway_auth: a registry, keys,
# tokens, signatures and certificates, made anew by the sqlite3 and openssl
# commands in a folder that ends with the test.  None of the module's code has
# a part in them, so a mistake that both sides of it share would show.
#
#   use lib 't/lib';
#   use GatewayTest 'no_plan';
#   use GatewayAuth;
#
# Each block has a folder, $AUTH in its sections, and may have
#
#   --- devices          a registry $AUTH/devices.db with a row a line:
#                        NAME COLUMN=VALUE...  Every device has a token, but
#                        for those with the word "tokenless", and those with
#                        the word "hmac" have a key.  The values of not_before
#                        and not_after are seconds from now; $CLASSES stands
#                        for "telemetry,control"
#   --- keys             a key set $AUTH/keys.json: names of keys, see key()
#   --- before           Perl that runs before nginx reads its configuration,
#                        with the functions below
#
# $PORT2 is a free port, port2() in the steps.

use strict;
use warnings;

use Digest::SHA ();
use Exporter 'import';
use Fcntl ();
use File::Temp ();
use GatewayTest ();
use HTTP::Tiny;
use IO::Compress::Gzip ();
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 ();
use Test::Nginx::Util ();

our @EXPORT = qw( auth_path b64url basic bearer certificate challenges claims
                  crl curl expand_blocks gzipped hmac_key jwk jwt jwt_of
                  key_file key_set new_token port2 post post_signed put_file
                  registry row signed signature sql token );

my $base = File::Temp->newdir('gatewayXXXXXX', TMPDIR => 1);
my $dir = "$base";
my $number = 0;
my $port2;
my (%token, %hmac, %secret, %made);
my $json = JSON::PP->new->canonical;

# workers of another user than ours read here
chmod 0755, $dir;


sub auth_path {
    my ($name) = @_;

    return "$dir/$name";
}


sub port2 {
    return $port2;
}


sub random_bytes {
    my ($n) = @_;

    open(my $in, '<:raw', '/dev/urandom') or die "/dev/urandom: $!\n";
    read($in, my $bytes, $n) == $n or die "/dev/urandom: $!\n";

    return $bytes;
}


sub b64url {
    my ($bytes) = @_;

    my $text = MIME::Base64::encode_base64($bytes, '');
    $text =~ tr{+/=}{-_}d;

    return $text;
}


# whole or not at all, as a careful administrator does it

sub put_file {
    my ($name, $text) = @_;

    my $path = $name =~ m{^/} ? $name : auth_path($name);

    open(my $out, '>:raw', "$path.new") or die "$path: $!\n";
    print $out $text;
    close($out) or die "$path: $!\n";
    rename "$path.new", $path or die "$path: $!\n";

    return $path;
}


# what it says; a failure ends the steps of the block

sub run {
    my (@command) = @_;

    # the child inherits nothing of the test's sockets
    local $^F = 2;

    open(my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command)
        or die "$command[0]: $!\n";
    binmode $out;
    my $said = do { local $/; <$out> };
    close($out) or die "@command: $said\n";

    return $said;
}


# the registry

sub sql {
    my ($statements, $file) = @_;

    $file = auth_path('devices.db') unless defined $file;

    my $script = "$base/sql";
    open(my $out, '>', $script) or die "$script: $!\n";
    print $out ".bail on\n.timeout 5000\n$statements\n";
    close($out);

    return run('sqlite3', '-batch', '-init', '/dev/null', $file,
               ".read $script");
}


# a token of a device is the same until a new one is asked for

sub token {
    my ($device) = @_;

    return $token{$device} ||= b64url(random_bytes(32));
}


sub new_token {
    my ($device) = @_;

    delete $token{$device};

    return token($device);
}


sub hmac_key {
    my ($device) = @_;

    return $hmac{$device} ||= random_bytes(32);
}


# the statement that gives a device its row, whatever it had

sub row {
    my ($device, @words) = @_;

    my %column = (device => "'$device'", classes => "'*'");
    my $salt = random_bytes(16);
    my $raw = token($device);

    $raw =~ tr{-_}{+/};
    $raw = MIME::Base64::decode_base64("$raw=");

    $column{salt} = "x'" . unpack('H*', $salt) . "'";
    $column{secret} = "x'" . Digest::SHA::sha256_hex($salt . $raw) . "'";

    for (@words) {
        if ($_ eq 'tokenless') {
            delete @column{qw( salt secret )};

        } elsif ($_ eq 'hmac') {
            $column{hmac_key} = "x'" . unpack('H*', hmac_key($device)) . "'";

        } elsif (/^(not_before|not_after)=(.+)/) {
            $column{$1} = time() + $2;

        } elsif (/^(\w+)=(.*)/) {
            my ($name, $value) = ($1, $2);
            $value =~ s/\$CLASSES/telemetry,control/;
            $column{$name} = "'$value'";

        } else {
            die "devices: $_\n";
        }
    }

    my @names = sort keys %column;

    return 'INSERT OR REPLACE INTO device (' . join(', ', @names)
           . ') VALUES (' . join(', ', @column{@names}) . ");\n";
}


# rows: lines as of --- devices

sub registry {
    my ($file, $rows) = @_;

    $file = auth_path($file) unless $file =~ m{^/};

    my $schema = 'ngx_gateway_module/auth/registry.sql';
    open(my $in, '<', $schema) or die "$schema: $!\n";
    my $text = do { local $/; <$in> };

    sql($text . join('', map { row(split) } grep { /\S/ } split /\n/, $rows),
        $file);
    chmod 0640, $file;

    return $file;
}


sub basic {
    my ($device, $secret) = @_;

    $secret = token($device) unless defined $secret;

    return 'Basic ' . MIME::Base64::encode_base64("$device:$secret", '');
}


# Keys for tokens: "rsa", "p256", "p384", "p521", "ed25519", "ed448" and "hs";
# what follows a "-" makes it another one of the kind.

my %genpkey = (
    rsa     => [qw( -algorithm RSA -pkeyopt rsa_keygen_bits:2048 )],
    rsa1024 => [qw( -algorithm RSA -pkeyopt rsa_keygen_bits:1024 )],
    p256    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-256 )],
    p384    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-384 )],
    p521    => [qw( -algorithm EC -pkeyopt ec_paramgen_curve:P-521 )],
    ed25519 => [qw( -algorithm ED25519 )],
    ed448   => [qw( -algorithm ED448 )],
);

my %curve = (p256 => [ 'P-256', 32 ], p384 => [ 'P-384', 48 ],
             p521 => [ 'P-521', 66 ], ed25519 => [ 'Ed25519', 32 ],
             ed448 => [ 'Ed448', 57 ]);


sub kind {
    my ($name) = @_;

    return $name =~ /^(\w+)/ ? $1 : die "key: $name\n";
}


sub key_file {
    my ($name) = @_;

    my $path = "$base/$name.key";

    run('openssl', 'genpkey', @{$genpkey{kind($name)}}, '-out', $path)
        unless $made{$path}++;

    return $path;
}


sub public_key {
    my ($name) = @_;

    return run('openssl', 'pkey', '-in', key_file($name), '-pubout');
}


sub jwk {
    my ($name, %members) = @_;

    my $kind = kind($name);
    my %jwk = (kid => $name, use => 'sig');

    if ($kind eq 'hs') {
        $secret{$name} ||= random_bytes(64);
        @jwk{qw( kty k )} = ('oct', b64url($secret{$name}));

    } elsif ($kind =~ /^rsa/) {
        my ($n) = run('openssl', 'rsa', '-in', key_file($name), '-noout',
                      '-modulus') =~ /Modulus=(\w+)/;
        @jwk{qw( kty n e )} = ('RSA', b64url(pack 'H*', $n), 'AQAB');

    } else {
        my ($crv, $size) = @{$curve{$kind}};
        my $der = MIME::Base64::decode_base64(
            join '', grep { !/^-/ } split /\n/, public_key($name));

        if ($kind =~ /^p/) {
            @jwk{qw( kty crv x y )}
                = ('EC', $crv, b64url(substr $der, -2 * $size, $size),
                   b64url(substr $der, -$size));
        } else {
            @jwk{qw( kty crv x )} = ('OKP', $crv, b64url(substr $der, -$size));
        }
    }

    return { %jwk, %members };
}


# keys: names, or what jwk() gave

sub key_set {
    my ($file, @keys) = @_;

    return put_file($file, $json->encode({
        keys => [ map { ref $_ ? $_ : jwk($_) } @keys ] }));
}


# ECDSA: R || S of fixed length out of the DER that openssl writes

sub fixed_length {
    my ($der, $size) = @_;

    my ($r, $s) = $der =~ /^\x30(?:[\x00-\x7f]|\x81.)\x02(.)(.*)/s
                  ? do {
                        my ($n, $rest) = (ord $1, $2);
                        (substr($rest, 0, $n), substr $rest, $n + 2);
                    }
                  : die "no signature of ECDSA\n";

    for ($r, $s) {
        s/^\x00+//;
        $_ = ("\x00" x ($size - length)) . $_;
    }

    return $r . $s;
}


sub signature {
    my ($alg, $name, $text) = @_;

    my ($bits) = $alg =~ /(\d+)$/;

    return '' if lc $alg eq 'none';

    if ($alg =~ /^HS/) {
        $secret{$name} ||= random_bytes(64);
        return Digest::SHA->can("hmac_sha$bits")->($text, $secret{$name});
    }

    my $in = "$base/to-sign";
    open(my $out, '>:raw', $in) or die "$in: $!\n";
    print $out $text;
    close($out);

    my @key = key_file($name);

    return run('openssl', 'pkeyutl', '-sign', '-rawin', '-in', $in, '-inkey',
               @key) if $alg eq 'EdDSA';

    my @pss = $alg =~ /^PS/ ? qw( -sigopt rsa_padding_mode:pss
                                  -sigopt rsa_pss_saltlen:-1 ) : ();
    my $sig = run('openssl', 'dgst', "-sha$bits", @pss, '-sign', @key, $in);

    return $alg =~ /^ES/ ? fixed_length($sig, $curve{kind($name)}[1]) : $sig;
}


# a claim that is undef is left out

sub claims {
    my (%claims) = @_;

    %claims = (sub => 'pump-7', exp => time() + 300, gateway_classes => '*',
               %claims);
    delete $claims{$_} for grep { !defined $claims{$_} } keys %claims;

    return \%claims;
}


# of texts, so that they may be wrong in every way

sub jwt_of {
    my ($alg, $name, $header, $payload) = @_;

    my $text = b64url($header) . '.' . b64url($payload);

    return "$text." . b64url(signature($alg, $name, $text));
}


sub jwt {
    my ($alg, $name, $claims, %header) = @_;

    my %all = (alg => $alg, typ => 'JWT', kid => $name, %header);
    delete $all{$_} for grep { !defined $all{$_} } keys %all;

    return jwt_of($alg, $name, $json->encode(\%all),
                  $json->encode($claims || claims()));
}


# the header of a token of these claims

sub bearer {
    my ($alg, $name, %claims) = @_;

    return 'Bearer ' . jwt($alg, $name, claims(%claims));
}


sub gzipped {
    my ($text) = @_;

    IO::Compress::Gzip::gzip(\$text, \my $out) or die "gzip\n";

    return $out;
}


# What the device signs, and what is sent: %o may have path, time, key (of
# another device), headers; and, under "but", the same to be changed on the
# way.  Returns (path, body, headers).

sub signed {
    my ($device, $body, %o) = @_;

    my $but = $o{but} || {};
    my $path = defined $o{path} ? $o{path} : '/t';
    my $time = defined $o{time} ? $o{time} : time();
    my %headers = ('Content-Type' => 'application/json', %{$o{headers} || {}});

    my $value = sub { defined $headers{$_[0]} ? $headers{$_[0]} : '' };

    my $text = join '', map { "$_\n" }
        'Gateway-HMAC-SHA256', $o{method} || 'POST', $path, $device, $time,
        (map { $value->("Gateway-$_") } qw( Epoch Seq Class Timestamp )),
        $value->('Content-Type'), $value->('Content-Encoding');

    my $key = defined $o{key} ? $o{key} : hmac_key($device);
    my $sig = b64url(Digest::SHA::hmac_sha256($text . $body, $key));
    my $shown = defined $but->{time} ? $but->{time} : $time;
    my $name = defined $but->{device} ? $but->{device} : $device;

    %headers = (%headers, %{$but->{headers} || {}});
    delete $headers{$_} for grep { !defined $headers{$_} } keys %headers;

    $headers{Authorization}
        = qq(Gateway-HMAC-SHA256 device="$name", timestamp="$shown", )
        . qq(signature="$sig");

    return (defined $but->{path} ? $but->{path} : $path,
            defined $but->{body} ? $but->{body} : $body, %headers);
}


sub post_signed {
    my ($device, $body, %o) = @_;

    my ($path, $sent, %headers) = signed($device, $body, %o);
    my $type = delete $headers{'Content-Type'};

    return GatewayTest::http('POST', $path, $sent, 'Content-Type' => $type,
                             %headers);
}


# a message with this header Authorization (undef: none) to /t, or to the path
# in $headers{path}; on the second port where port is given

sub post {
    my ($authorization, $body, %headers) = @_;

    my $path = delete $headers{path};
    my $port = delete $headers{port};

    $body = '{"data":1}' unless defined $body;
    $headers{Authorization} = $authorization if defined $authorization;
    $path = '/t' unless defined $path;

    return GatewayTest::http('POST', $path, $body, %headers) unless $port;

    return HTTP::Tiny->new(timeout => 30)->post(
        "http://127.0.0.1:$port$path",
        { content => $body,
          headers => { 'Content-Type' => 'application/json', %headers } });
}


# the schemes that a 401 offers, in the order of the answer

sub challenges {
    my ($answer) = @_;

    my $all = $answer->{headers}{'www-authenticate'};

    return join ' | ', !defined $all ? () : ref $all ? @$all : $all;
}


# Certificates: "ca" and "ca-..." sign themselves; %o: ca (default "ca"), san,
# cn, days, args (of openssl x509).  Returns the paths of certificate and key.

sub certificate {
    my ($name, %o) = @_;

    my ($pem, $key) = ("$base/$name.pem", "$base/$name.pem.key");

    return ($pem, $key) if $made{$pem}++;

    my $subject = '/CN=' . (defined $o{cn} ? $o{cn} : $name);
    my @new = (qw( req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
                   -keyout ), $key, '-subj',
               defined $o{subject} ? $o{subject} : $subject);

    if ($name =~ /^ca\b/) {
        run('openssl', @new, '-x509', '-days', 2, '-out', $pem, '-addext',
            'keyUsage=critical,keyCertSign,cRLSign');
        return ($pem, $key);
    }

    my ($ca, $ca_key) = certificate($o{ca} || 'ca');

    put_file("$pem.ext", "basicConstraints = CA:false\n"
             . (defined $o{san} ? "subjectAltName = $o{san}\n" : ''));

    run('openssl', @new, '-new', '-out', "$pem.req");
    run('openssl', 'x509', '-req', '-in', "$pem.req", '-CA', $ca, '-CAkey',
        $ca_key, '-set_serial', '0x' . unpack('H*', random_bytes(8)),
        '-days', defined $o{days} ? $o{days} : 2, '-extfile', "$pem.ext",
        @{$o{args} || []}, '-out', $pem);

    return ($pem, $key);
}


# the revocation list of "ca" with these certificates

sub crl {
    my (@names) = @_;

    my ($ca, $ca_key) = certificate('ca');
    my $conf = put_file("$base/ca.conf", <<"END");
[ca]
default_ca = a
[a]
database = $base/ca.index
default_md = sha256
default_crl_days = 2
END

    put_file("$base/ca.index", '');

    my @ca = ('openssl', 'ca', '-config', $conf, '-cert', $ca, '-keyfile',
              $ca_key);

    run(@ca, '-revoke', (certificate($_))[0]) for @names;
    run(@ca, '-gencrl', '-out', "$base/ca.crl");

    return "$base/ca.crl";
}


# a request over TLS, by curl, to a server on the socket $AUTH/tls.sock; the
# certificate named (undef: none).  An answer as of http(), status 0: none

sub curl {
    my ($certificate, $body, %headers) = @_;

    my $path = delete $headers{path};
    my $socket = delete $headers{socket};
    my $head = "$base/head";

    %headers = ('Content-Type' => 'application/json', %headers);

    my @certificate = defined $certificate
        ? do {
              my ($pem, $key) = certificate($certificate);
              ('--cert', $pem, '--key', $key);
          }
        : ();

    unlink $head;

    open(my $out, '-|', 'curl', '-sS', '-k', '-m', 20, '-D', $head,
         '--unix-socket', auth_path($socket || 'tls.sock'), @certificate,
         (map { ('-H', "$_: $headers{$_}") } keys %headers), '--data-binary',
         defined $body ? $body : '{"data":1}',
         'https://localhost' . ($path || '/t')) or die "curl: $!\n";

    my $content = do { local $/; <$out> };
    close($out);

    my %answer = (status => 0, headers => {},
                  content => defined $content ? $content : '');

    if (open(my $in, '<', $head)) {
        while (my $line = <$in>) {
            $answer{status} = $1 if $line =~ m{^HTTP/\S+ (\d+)};
            push @{$answer{headers}{lc $1}}, $2
                if $line =~ /^([\w-]+): (.*?)\r?\n/;
        }
    }

    return \%answer;
}


sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $!\n";

    return $socket->sockport;
}


sub expand {
    my ($block, @sections) = @_;

    for my $section (@sections) {
        my $value = $block->$section;

        next if !defined $value || ref $value;

        $value =~ s/\$AUTH\b/$dir/g;
        $value =~ s/\$PORT2\b/$port2/g;

        $block->set_value($section, $value);
    }
}


# for a page of configurations: one folder, $AUTH in what its blocks say

sub expand_blocks {
    $port2 = free_port();

    expand($_, qw( around accepted refused )) for Test::Base::blocks();
}


Test::Nginx::Util::add_block_preprocessor(sub {
    my ($block) = @_;

    $dir = "$base/" . ++$number;
    mkdir $dir or die "$dir: $!\n";
    $port2 = free_port();

    registry('devices.db', $block->devices) if defined $block->devices;
    key_set('keys.json', split ' ', $block->keys) if defined $block->keys;

    if (defined $block->before) {
        eval $block->before;
        die $@ if $@;
    }

    expand($block, qw( main_config mqtt lines http_config config then ));
});

1;
