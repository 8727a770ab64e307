# "gateway_auth jwt": a token signed by a key of the key set says who sends.
# The tokens of this page are made by the openssl command and by Perl, the
# forged ones too.  Without this page a token could choose its own key or
# algorithm, outlive its time, or be good for somebody else's gateway.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

our $invalid = 'Bearer realm="gateway", error="invalid_token"';

# each of them is answered alike: nobody learns what was wrong with it

sub refused {
    my (@tokens) = @_;

    my %body;

    while (my ($what, $token) = splice @tokens, 0, 2) {
        my $answer = post("Bearer $token");
        is($answer->{status}, 401, "refused: $what");
        is(challenges($answer), $main::invalid, '... as invalid');
        $body{$answer->{content}}++;
    }

    is(scalar(keys %body), 1, 'all in one text') or diag(keys %body);
}


sub taken {
    my (@tokens) = @_;

    while (my ($what, $token) = splice @tokens, 0, 2) {
        is(problem(post("Bearer $token")), '200', "taken: $what");
    }
}

run_tests();

__DATA__

=== a token of every algorithm is taken by the key of its kind
--- keys: rsa p256 p384 p521 ed25519 ed448 hs
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my %key = (ES256 => 'p256', ES384 => 'p384', ES512 => 'p521');
for my $alg (qw( HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256
                 ES384 ES512 ))
{
    my $key = $key{$alg} || ($alg =~ /^HS/ ? 'hs' : 'rsa');
    is(problem(post(bearer($alg, $key, sub => $alg))), '200', "taken: $alg");
}
for my $key (qw( ed25519 ed448 )) {
    is(problem(post(bearer('EdDSA', $key, sub => $key))), '200',
       "taken: EdDSA, $key");
}
--- records
$T.telemetry
^HS256 \{"device":"HS256",
^HS384
^HS512
^RS256
^RS384
^RS512
^PS256
^PS384
^PS512
^ES256
^ES384
^ES512
^ed25519
^ed448
--- metrics
auth_failures_total{method="jwt",reason="unauthenticated"} 0
auth_cache_lookups_total{result="miss"} 14



=== the variables say who it is; a token is verified once
--- keys: p256
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
    access_log logs/access.log auth;
}
--- then
my $token = bearer('ES256', 'p256', tenant => 'acme');
for (1 .. 5) {
    is(problem(post($token)), '200', "taken, time $_");
}
is(problem(post($token =~ s/^Bearer/bEaReR /r)), '200',
   'the scheme in any case');
logged(qr/^200 \[pump-7\] \[acme\] \[jwt\]$/, 'access.log');
--- metrics
auth_cache_lookups_total{result="miss"} 1
auth_cache_lookups_total{result="hit"} 5
auth_cache_entries{kind="positive"} 1



=== without a token the challenge names no error
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $answer = post(undef);
like(problem($answer), qr/^401 unauthenticated/, 'refused');
is(challenges($answer), 'Bearer realm="gateway"', 'RFC 6750 section 3.1');
is(post('Bearer')->{status}, 401, 'the scheme alone');
is(challenges(post('Basic cHVtcC03Ong=')), 'Bearer realm="gateway"',
   'another scheme');
--- records
$T.telemetry
--- metrics
auth_failures_total{method="none",reason="unauthenticated"} 3
auth_failures_total{method="jwt",reason="unauthenticated"} 0
received_bytes_total 0



=== a token that is no token is refused
--- keys: p256
--- http_config
large_client_header_buffers 4 32k;
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $good = jwt('ES256', 'p256');
my ($header, $payload, $signature) = split /\./, $good;
my $flip = sub { my $s = shift; substr($s, 9, 1) =~ tr/A-Za-z0-9_-/B-ZAb-za1-90-_/; $s };
main::refused(
    'two segments' => "$header.$payload",
    'one segment' => $header,
    'four segments' => "$good.$signature",
    'five segments' => "$good.$payload.$signature",
    'no signature' => "$header.$payload.",
    'no payload' => "$header..$signature",
    'no header' => ".$payload.$signature",
    'points' => '..',
    'padding' => "$good=",
    'another signature' => "$header.$payload." . $flip->($signature),
    'another payload' => "$header." . $flip->($payload) . ".$signature",
    'another header' => $flip->($header) . ".$payload.$signature",
    'a plus sign' => "$header.$payload." . ($signature =~ s/.$/+/r),
    'a blank in it' => "$header .$payload.$signature",
    'more than 8192 bytes'
        => jwt('ES256', 'p256', claims(pad => 'x' x 8192)) =~ s/^//r,
    'words' => 'let me in',
    'a payload that is no JSON'
        => jwt_of('ES256', 'p256', '{"alg":"ES256"}', 'sub=pump-7'),
    'a payload that is no object'
        => jwt_of('ES256', 'p256', '{"alg":"ES256"}', '[1]'),
    'a header that is no JSON'
        => jwt_of('ES256', 'p256', 'alg=ES256', '{"sub":"pump-7"}'));
main::taken('the whole' => $good);
--- records
$T.telemetry
^pump-7
--- metrics
auth_failures_total{method="jwt",reason="unauthenticated"} 19



=== the key chooses the algorithm, not the token
--- keys: rsa p256 p384 ed25519 hs
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $claims = JSON::PP->new->encode(claims());
my $public = GatewayAuth::public_key('rsa');
my $as_secret = sub {
    my ($key) = @_;
    my $text = b64url(qq({"alg":"HS256","kid":"$key"})) . '.' . b64url($claims);
    return "$text."
           . b64url(Digest::SHA::hmac_sha256($text,
                                             GatewayAuth::public_key($key)));
};
my $der = do {
    no warnings 'redefine';
    local *GatewayAuth::fixed_length = sub { $_[0] };
    jwt('ES256', 'p256');
};
main::refused(
    (map { ("alg $_", jwt_of('none', 'p256',
                             qq({"alg":"$_","kid":"p256"}), $claims)) }
         qw( none None NONE nOnE ), '', ' none', 'null'),
    'no alg at all' => jwt_of('ES256', 'p256', '{"kid":"p256"}', $claims),
    'alg null' => jwt_of('ES256', 'p256', '{"alg":null}', $claims),
    'two algs' => jwt_of('ES256', 'p256', '{"alg":"none","alg":"ES256"}',
                         $claims),
    'alg in other case' => jwt_of('ES256', 'p256', '{"alg":"es256"}', $claims),
    'HS256 over the public RSA key' => $as_secret->('rsa'),
    'HS256 over the public EC key' => $as_secret->('p256'),
    'PS256 said, RS256 signed' => jwt_of('RS256', 'rsa',
        '{"alg":"PS256","kid":"rsa"}', $claims),
    'ES384 said, ES256 signed' => jwt_of('ES256', 'p256',
        '{"alg":"ES384","kid":"p256"}', $claims),
    'another kid' => jwt('ES256', 'p256', undef, kid => 'p384'),
    'a kid of nobody' => jwt('ES256', 'p256', undef, kid => 'other'),
    'a kid that is a path' => jwt('ES256', 'p256', undef,
                                  kid => '../../../dev/null'),
    'a kid that is a number' => jwt('ES256', 'p256', undef, kid => 7),
    "somebody's key" => jwt('ES256', 'p256-theirs', undef, kid => 'p256'),
    "somebody's secret" => jwt('HS256', 'hs-theirs', undef, kid => 'hs'),
    'a signature in DER' => $der,
    'r and s zero' => jwt_of('none', 'p256', '{"alg":"ES256","kid":"p256"}',
                             $claims) . b64url("\0" x 64));
main::taken('the honest one' => jwt('ES256', 'p256'),
            'the honest one without kid' => jwt('ES256', 'p256', undef,
                                                kid => undef));
--- records
$T.telemetry
^pump-7
^pump-7



=== a token cannot bring its own key
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $mine = jwk('p256-mine');
main::refused(
    'jwk' => jwt('ES256', 'p256-mine', undef, kid => undef, jwk => $mine),
    'jwk beside the kid of the set' =>
        jwt('ES256', 'p256-mine', undef, kid => 'p256', jwk => $mine),
    'jwk, signed well' => jwt('ES256', 'p256', undef, jwk => $mine),
    'jku' => jwt('ES256', 'p256', undef,
                 jku => 'http://127.0.0.1:' . port() . '/keys'),
    'x5u' => jwt('ES256', 'p256', undef, x5u => 'http://127.0.0.1/'),
    'x5c' => jwt('ES256', 'p256', undef, x5c => [ 'MIIB' ]),
    'crit' => jwt('ES256', 'p256', undef, crit => [ 'exp' ]),
    'an empty crit' => jwt('ES256', 'p256', undef, crit => []),
    'b64' => jwt('ES256', 'p256', undef, b64 => JSON::PP::false),
    'zip' => jwt('ES256', 'p256', undef, zip => 'DEF'));
main::taken('typ and unknown words' => jwt('ES256', 'p256', undef,
                                           typ => 'at+jwt', foo => 1));
--- records
$T.telemetry
^pump-7



=== without kid the one key that fits is used, of several none
--- keys: p256 p256-b ed25519
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
main::refused('which of the two?' => jwt('ES256', 'p256', undef,
                                         kid => undef));
main::taken('one fits' => jwt('EdDSA', 'ed25519', undef, kid => undef),
            'the second by name' => jwt('ES256', 'p256-b'));
--- records
$T.telemetry
^pump-7
^pump-7



=== a token has its time, and both clocks a leeway of at most a minute
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
location /exact {
    gateway_auth jwt keys=$AUTH/keys.json leeway=0s;
    gateway_pass;
}
--- then
my $now = time();
my $t = sub { jwt('ES256', 'p256', claims(@_)) };
main::refused(
    'no exp' => $t->(exp => undef),
    'exp long ago' => $t->(exp => $now - 3600),
    'exp beyond the leeway' => $t->(exp => $now - 62),
    'exp a text' => $t->(exp => '' . ($now + 300)),
    'exp null' => jwt_of('ES256', 'p256', '{"alg":"ES256"}',
                         '{"sub":"pump-7","gateway_classes":"*","exp":null}'),
    'exp without bound' => jwt_of('ES256', 'p256', '{"alg":"ES256"}',
                    '{"sub":"pump-7","gateway_classes":"*","exp":1e999}'),
    'exp below zero' => $t->(exp => -1),
    'two exps' => jwt_of('ES256', 'p256', '{"alg":"ES256"}',
                         '{"sub":"pump-7","gateway_classes":"*","exp":1,"exp":'
                         . ($now + 300) . '}'),
    'nbf in an hour' => $t->(nbf => $now + 3600),
    'nbf beyond the leeway' => $t->(nbf => $now + 75),
    'nbf a text' => $t->(nbf => 'now'),
    'iat in an hour' => $t->(iat => $now + 3600));
main::taken(
    'exp in a while' => $t->(exp => $now + 300),
    'exp within the leeway' => $t->(exp => $now - 30),
    'exp with a fraction' => $t->(exp => $now + 300.5),
    'nbf within the leeway' => $t->(nbf => $now + 30),
    'nbf and iat past' => $t->(nbf => $now - 5, iat => $now - 5));
like(problem(post('Bearer ' . $t->(exp => $now - 2), undef,
                  path => '/exact')), qr/^401 unauth/, 'no leeway: exp');
like(problem(post('Bearer ' . $t->(nbf => $now + 30), undef,
                  path => '/exact')), qr/^401 unauth/, 'no leeway: nbf');
is(problem(post('Bearer ' . $t->(nbf => $now), undef, path => '/exact')),
   '200', 'no leeway: now');
--- records
$T.telemetry 6



=== a token that was verified is refused from its exp on
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json leeway=0s;
    gateway_pass;
}
--- then
my $token = bearer('ES256', 'p256', exp => time() + 3);
is(problem(post($token)), '200', 'before');
my $answer;
ok(until_true { ($answer = post($token))->{status} != 200 }, 'it ends');
like(problem($answer), qr/^401 unauthenticated/, 'as any other');
is(challenges($answer), $main::invalid, 'and the device must get a new one');
--- metrics
auth_cache_lookups_total{result="miss"} 1
rejected_messages_total 1



=== a token that is early is taken as soon as its time has come
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json leeway=0s;
    gateway_pass;
}
--- then
my $token = bearer('ES256', 'p256', nbf => time() + 3);
is(post($token)->{status}, 401, 'before');
ok((until_true { post($token)->{status} == 200 } 9), 'not cached as bad');



=== issuer and audience must be those of the configuration
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json issuer=https://id.example
                     audience=gateway;
    gateway_pass;
}
location /any {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $t = sub {
    jwt('ES256', 'p256', claims(iss => 'https://id.example',
                                aud => 'gateway', @_));
};
main::refused(
    'another issuer' => $t->(iss => 'https://evil.example'),
    'issuer and more' => $t->(iss => 'https://id.example/'),
    'no issuer' => $t->(iss => undef),
    'issuer in an array' => $t->(iss => [ 'https://id.example' ]),
    'another audience' => $t->(aud => 'shop'),
    'no audience' => $t->(aud => undef),
    'audience with others only' => $t->(aud => [ 'shop', 'gatewa' ]),
    'no audience in the array' => $t->(aud => []),
    'audience in an object' => $t->(aud => { gateway => 1 }));
main::taken(
    'both' => $t->(),
    'audience among others' => $t->(aud => [ 'shop', 'gateway' ]));
is(problem(post(bearer('ES256', 'p256', iss => 'x', aud => 'y'), undef,
                path => '/any')), '200', 'not asked for, not looked at');
--- records
$T.telemetry 3



=== claims name the device, its tenant and its classes
--- keys: p256
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant]';
access_log logs/access.log auth;
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
location /named {
    gateway_auth jwt keys=$AUTH/keys.json device_claim=dev
                     classes_claim=scope tenant_claim=org;
    gateway_pass;
}
--- then
my $t = sub { jwt('ES256', 'p256', claims(@_)) };
main::refused(
    'no sub' => $t->(sub => undef),
    'an empty sub' => $t->(sub => ''),
    'sub a number' => $t->(sub => 7),
    'sub of 129 bytes' => $t->(sub => 'x' x 129),
    'a quote in sub' => $t->(sub => 'a"b'),
    'a line in sub' => $t->(sub => "a\nb"));
is(problem(post(bearer('ES256', 'p256', sub => 'other', dev => 'pump-9',
                       scope => 'telemetry', org => 'acme',
                       gateway_classes => undef),
                undef, path => '/named')), '200', 'names of the configuration');
logged(qr/^200 \[pump-9\] \[acme\]$/, 'access.log');
is(post(bearer('ES256', 'p256', sub => 'pump-9', scope => '*'), undef,
        path => '/named')->{status}, 401, 'then the others are not looked at');
--- records
$T.telemetry
^pump-9 \{"device":"pump-9",



=== classes come as words or as an array, or from the configuration
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
location /given {
    gateway_auth jwt keys=$AUTH/keys.json classes=telemetry,heartbeat;
    gateway_pass;
}
--- then
my $may = sub {
    my ($path, $claim) = @_;
    my $token = bearer('ES256', 'p256', gateway_classes => $claim);
    return join ' ', grep {
        post($token, qq({"class":"$_","data":1}), path => $path)->{status}
            == 200;
    } qw( control heartbeat telemetry );
};
is($may->('/t', 'telemetry'), 'telemetry', 'one');
is($may->('/t', 'telemetry control'), 'control telemetry', 'words');
is($may->('/t', [ 'control', 'heartbeat' ]), 'control heartbeat', 'an array');
is($may->('/t', '*'), 'control heartbeat telemetry', 'all');
is($may->('/t', 'spare'), '', 'one that the gateway has not');
is($may->('/t', ''), '', 'empty');
is($may->('/t', []), '', 'empty array');
is($may->('/t', undef), '', 'none');
is($may->('/given', undef), 'heartbeat telemetry', 'classes=');
is($may->('/given', 'control'), 'control', 'the claim goes before classes=');
is($may->('/given', []), '', 'also when it is empty');
is(post(bearer('ES256', 'p256', gateway_classes => 7))->{status}, 401,
   'a number for classes is no token');
--- metrics
auth_failures_total{method="jwt",reason="unauthenticated"} 1
rejected_messages_total{reason="forbidden"} 22



=== a bad token is looked at once, a changed key set is asked anew
--- keys: p256
--- config
location /t {
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_pass;
}
--- then
my $token = bearer('ES256', 'p256-later');
is(post($token)->{status}, 401, "refused, time $_") for 1 .. 4;
key_set('keys.json', 'p256', 'p256-later');
ok(until_true { post($token)->{status} == 200 }, 'taken with its key');
--- metrics
auth_cache_lookups_total{result="miss"} 2
