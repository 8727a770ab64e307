# Guessing is cheap to refuse: a bucket for each source, refusals that are
# remembered, log lines that are few and hold no secret, and counters that tell
# how much of it there is.  Without this page a storm of wrong tokens could take
# the CPU from devices that are what they say, or fill the disk.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

# of one request each: different tokens, so that none is remembered

sub guess {
    my ($n, %headers) = @_;

    my %seen;

    $seen{post(basic('pump-7', b64url(pack 'x24 N Q', $_, rand 2 ** 40)),
               undef, %headers)->{status}}++ for 1 .. $n;

    return join ' ', map { "$_:$seen{$_}" } sort keys %seen;
}


add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', <<'END');
set_real_ip_from 127.0.0.1;
real_ip_header X-Real-IP;
END
});

run_tests();

__DATA__

=== who fails too often is not heard for a while
--- gateway
auth_failures 1r/s burst=5;
--- devices
pump-7
pump-8
pump-9
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $known = basic('pump-7');
is(problem(post($known)), '200', 'a device that is known');
is(main::guess(5), '401:5', 'guesses are heard, so many at once');
my $answer = post(basic('pump-7', b64url('x' x 32)));
like(problem($answer), qr/^429 rate_limited/, 'and then no more');
like($answer->{headers}{'retry-after'}, qr/^[1-5]$/, 'for some seconds');
is($answer->{headers}{'www-authenticate'}, undef, 'nobody is asked to sign in');
is(problem(post($known)), '200', 'the known one still gets in');
is(post(basic('pump-8'))->{status}, 429, 'one that is not known has to wait');
is(problem(post(basic('pump-8'), undef, 'X-Real-IP' => '192.0.2.1')), '200',
   'from another address it need not');
ok((until_true { post(basic('pump-9'))->{status} == 200 } 9),
   'time gives the source another try');
--- metrics
auth_failures_total{method="devices",reason="unauthenticated"} 5
rejected_messages_total{reason="unauthenticated"} 5



=== a network of IPv6 is one source
--- gateway
auth_failures 1r/s burst=3;
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $from = sub { ('X-Real-IP' => $_[0]) };
is(main::guess(3, $from->('2001:db8:1:1::1')), '401:3', 'of one address');
is(main::guess(1, $from->('2001:db8:1:1:ffff::2')), '429:1',
   'another address of the /64');
is(main::guess(1, $from->('2001:db8:1:2::1')), '401:1', 'another /64');
is(main::guess(3, $from->('::ffff:192.0.2.7')), '401:3',
   'IPv4 in the clothes of IPv6');
is(main::guess(1, $from->('::ffff:192.0.2.8')), '401:1',
   'is told apart by its IPv4');
is(main::guess(1, $from->('192.0.2.7')), '429:1', 'and is the same as without');



=== no bound is a bound that is written
--- gateway
auth_failures off;
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
is(main::guess(200), '401:200', 'all are heard');
--- metrics
auth_failures_total{method="devices",reason="rate_limited"} 0
auth_failures_total{method="devices",reason="unauthenticated"} 200



=== what was refused is remembered, too
--- devices
pump-7
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $wrong = basic('pump-7', b64url('y' x 32));
is(post($wrong)->{status}, 401, 'refused') for 1 .. 4;
is(post(basic('pump-7'))->{status}, 200, 'taken') for 1 .. 3;
my $auth = JSON::PP::decode_json(http('GET', '/status')->{content});
($auth) = map { $_->{auth} } values %{$auth->{gateways}}
    if ref $auth->{gateways} eq 'HASH';
($auth) = map { $_->{auth} } @{$auth->{gateways}}
    if ref $auth->{gateways} eq 'ARRAY';
is_deeply($auth, { failures => { none => {}, devices =>
                                 { unauthenticated => 4 } },
                   cache => { hits => 2, negative_hits => 3, misses => 2,
                              positive => 1, negative => 1 } },
          'the status page has the same');
--- metrics
auth_failures_total{method="devices",reason="unauthenticated"} 4
auth_cache_lookups_total{result="hit"} 2
auth_cache_lookups_total{result="negative_hit"} 3
auth_cache_lookups_total{result="miss"} 2
auth_cache_entries{kind="positive"} 1
auth_cache_entries{kind="negative"} 1
auth_generation 1



=== log lines are few, and hold no credential
--- gateway
auth_failures off;
--- devices
pump-7 hmac
--- keys: p256
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_auth jwt keys=$AUTH/keys.json;
    gateway_auth hmac $AUTH/devices.db;
    gateway_pass;
}
--- then
my $wrong = b64url('z' x 32);
my $token = bearer('ES256', 'p256', sub => 'another', exp => 1);
my $good = bearer('ES256', 'p256');

is(post(basic('pump-7', $wrong))->{status}, 401, 'a wrong token');
is(post($token)->{status}, 401, 'one that has expired');
is(post($good)->{status}, 200, 'a good one');
is(post(basic('pump-7'))->{status}, 200, 'another');
is(post_signed('pump-7', '{"data":1}')->{status}, 200, 'a signature');
is(post_signed('pump-7', '{"data":1}', key => 'k' x 32)->{status}, 401,
   'a wrong one');
is(main::guess(300), '401:300', 'hundreds of guesses');

# the next second says how many were not told of
ok((until_true {
        post('Bearer x');
        open(my $in, '<', "$Test::Nginx::Util::LogDir/error.log") or die $!;
        scalar grep { /\[notice\] .*\d+ more failures .* not logged/ } <$in>;
    }), 'the rest is told as a number');

open(my $in, '<', "$Test::Nginx::Util::LogDir/error.log") or die $!;
my @lines = <$in>;
my %second;
/^(\S+ \S+) .*(?:refused: unauthenticated|a token was refused)/
    and $second{$1}++ for @lines;
my ($most) = sort { $b <=> $a } values %second;

# a second of ours may hold the ends of two of nginx's
cmp_ok($most, '<=', 20, 'a second has a few of them');

my $text = join '', @lines;
for my $secret ($wrong, token('pump-7'), basic('pump-7') =~ /(\S+)$/,
                basic('pump-7', $wrong) =~ /(\S+)$/,
                (map { /\.([^.]+)$/ } $token, $good),
                b64url(hmac_key('pump-7')), 'z' x 32)
{
    ok(index($text, $secret) < 0, 'no secret in the log');
}
--- metrics
auth_failures_total{method="hmac",reason="unauthenticated"} 1
