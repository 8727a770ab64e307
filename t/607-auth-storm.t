# The story: ten thousand wrong credentials a second fall on a gateway, from
# several addresses, some of which are those of good devices as well: tokens
# that were never given out, signatures that do not hold, garbage.  The good
# devices do not notice.
#
# Unseen without it: a signature checked for every guess, a line in the log for
# each of them, a cache of refusals that grows, a bucket that shuts out the
# devices behind the same address, a failure that no counter tells of.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use File::Path ();
use List::Util qw( max min sum );
use GatewayAuth;
use GatewayAuthScale;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

# a sanitizer takes its time, and times are not judged under it
my $slow = $ENV{GATEWAY_SANITIZED};

my $rate = $slow ? 500 : 10_000;
my $rounds = 5;
my $seconds = 2;             # each phase of a round
my $sources = 16;            # of the storm
my $good = 100;              # devices, half of them with a JWT
my $good_rate = 300;         # of each kind

# what a device waits for: by default, and where the gateway alone decides
my @acks = qw( delivered queued );

# the good devices send the same again and again: every one is to be delivered
my $g = GatewayChaos->new(workers => 2, gateway => 'dedup off;');
my $dir = $g->{prefix};
my $bare = $g->{port} + 600;

File::Path::make_path($dir);

my $replay = replay_binary($dir);
my @names = map { "pump-$_" } 1 .. $good;

# for workers of another user, who sign in nobody by a key
chmod 0644, registry("$dir/devices.db", join "\n", @names);
key_set("$dir/keys.json", 'hs', 'p256');

my @credentials = map {
    $_ % 2 ? basic($names[$_])
           : bearer('HS256', 'hs', sub => $names[$_], exp => time() + 3600)
} 0 .. $#names;

for my $ack (@acks) {
    write_requests("$dir/$ack", map {
        request($credentials[$_], envelope($names[$_], $_),
                Prefer => "gateway-ack=$ack");
    } 0 .. $#names);
}


# The storm.  Every guess is another one, or most would be refused as known.
# The signature of a token has the right form, so that it must be computed to
# be found wrong.

srand 1;

my %kind = (basic => \&wrong_basic, hs256 => sub { wrong_token('HS256', 32) },
            es256 => sub { wrong_token('ES256', 64) }, garbage => \&garbage);
my @kinds = sort keys %kind;

for my $round (0 .. $rounds - 1) {
    write_requests("$dir/storm-$round", map {
        request($kind{$kinds[$_ % @kinds]}->(), envelope('pump-1', $_));
    } 1 .. $rate * $seconds);
}

write_requests("$dir/es256", map {
    request(wrong_token('ES256', 64), envelope('pump-1', $_));
} 1 .. ($slow ? 500 : 30_000));


# beside the gateway a server that refuses without asking: what a refusal
# takes that is NGINX's and the kernel's

# "Prefer" asks for more than that, never for less
$g->{location} = "gateway_ack queued; gateway_auth devices $dir/devices.db;"
                 . " gateway_auth jwt keys=$dir/keys.json;";
$g->{http} = "server { listen 127.0.0.1:$bare; "
             . "location / { return 401; } }";
$g->start;

my @workers = $g->workers_of;


# each worker knows each device before it blows: who is new to a worker is
# not told from a guess, wherever he comes from

$g->wait_for(60, 'devices known to all workers', sub {
    devices($seconds);
    metric('auth_cache_entries', 'kind="positive"') == $good * @workers;
});


# Rounds of calm and storm, so that what else the machine does falls on both;
# and as many of a storm that NGINX refuses without us, to tell what of the
# difference is ours.  The load of the storm takes what the others leave: it
# stands for machines that are not this one.  Where a set of rounds says that
# devices are harmed another one is asked: two cores have worse moments, and
# what really costs costs again.

my (@good, @refused);
my ($lines, $closed) = (0, 0);
my %rss = map { $_ => rss($_) } @workers;
my $sets = 0;
my (%p50, %p99);

do {
    rounds();
    $sets++;
} until $slow || $sets == 3
        || ($p99{delivered}{storm} < 2 * $p99{delivered}{calm}
            && $p50{queued}{storm} < 2 * max(@{$p50{queued}}{qw( calm bare )}));

my %grew = map { $_ => rss($_) - $rss{$_} } @workers;


# what the good devices saw

my $all = total('requests', @good);

is(total('acked', @good) + total('queued', @good), $all,
   "all of $all good messages were accepted");
is(total('broken', @good, @refused), 0, 'no connection was broken');

my $reached = total('requests', @refused) / total('seconds', @refused);

SKIP: {
    skip 'a sanitizer has times of its own', 3 if $slow;

    # what a busy machine leaves to it is less than was asked for
    cmp_ok($reached, '>', $rate / 2,
           sprintf 'the storm had %.0f a second', $reached);
    cmp_ok($p99{delivered}{storm}, '<', 2 * $p99{delivered}{calm},
           'p99 of the good devices in the storm is within twice the calm');

    # a tenth of a millisecond: the load alone may double it, so the storm that
    # NGINX refuses counts too; signatures would make it ten times as long
    cmp_ok($p50{queued}{storm}, '<',
           2 * max(@{$p50{queued}}{qw( calm bare )}),
           'so is the median of those that do not wait for Kafka');
}


# what the guesses got

my %told = map { $_ => total("status_$_", @refused) } 401, 429;

my $storm = total('requests', @refused);

is($told{401} + $told{429}, $storm,
   "each of $storm guesses was refused by 401 or 429");
cmp_ok($told{429}, '>', $storm / 2,
       "most were not heard ($told{429} of $storm)");

my %reason;

eval {
    $g->wait_for(10, 'all failures in the counters', sub {
        %reason = failures();
        sum(values %reason, 0) >= $storm;
    });
};

is($reason{unauthenticated}, $told{401},
   'failures counted as unauthenticated are the answers of 401');
is($reason{rate_limited}, $told{429},
   'those counted as rate_limited the answers of 429');
is(sum(values %reason), $storm, 'and there is no other');
is($g->books, '', 'the books balance');


# Ten lines a second and a worker, and one that tells how many more there
# were; a storm of two seconds is in three.

my $bound = @workers * 11 * sum map { int($_->{seconds}) + 2 } @refused;

cmp_ok($lines, '<=', $bound, "the storm left $lines lines in the log, and "
       . "NGINX $closed of connections that were closed");

SKIP: {
    skip 'a sanitizer keeps what was freed', 1 if $slow;

    # 10000 refusals that are kept, buckets, and a MiB of the allocator's
    my $grew = max values %grew;
    cmp_ok($grew, '<', 10_000 * 54 + 2 * 1024 * 1024,
           "a worker grew by no more than what it keeps of them ($grew)");
}


# What a guess takes of a worker's time, beyond what it takes NGINX to refuse:
# from a source that is known to guess, and where each signature is checked.
# What others do on the machine only adds to such times, so the least of some
# counts; if each signature were checked, the two would be the same.

my ($unheard, @unheard) = beyond_nginx();

$g->signal('QUIT');
$g->wait_exit(30);
$g->{gateway} = 'auth_failures off;';
$g->start_nginx;
@workers = $g->workers_of;

my ($heard, @heard) = beyond_nginx();

note sprintf 'us of CPU a guess, beyond NGINX: unheard %.1f (%s), '
             . 'ES256 checked %.1f (%s)', $unheard, "@unheard", $heard,
             "@heard";

SKIP: {
    skip 'a sanitizer has times of its own', 1 if $slow;

    cmp_ok($unheard, '<', $heard / 2,
           'a guess that is not heard is far below a signature');
}

is(join("\n", $g->error_log =~ /^.*\[(?:alert|emerg|crit|error)\].*$/mg), '',
   'nothing of note in the error log');

done_testing();


sub rounds {
    my %phase;

    for my $round (0 .. $rounds - 1) {
        push @{$phase{calm}}, devices($seconds);
        push @{$phase{bare}}, under_storm($bare, $round)->[0];

        my @before = log_lines();
        my $r = under_storm($g->{port}, $round);
        my @after = log_lines();

        push @{$phase{storm}}, $r->[0];
        push @refused, $r->[1];
        $lines += $after[0] - $before[0];
        $closed += $after[1] - $before[1];
    }

    for my $ack (@acks) {
        for my $name (qw( calm bare storm )) {
            my @of = map { $_->{$ack} } @{$phase{$name}};

            push @good, @of;
            $p50{$ack}{$name} = median('p50_us', @of);
            $p99{$ack}{$name} = median('p99_us', @of);
            note sprintf '%-9s %-5s p50 %5d, p99 %5d us; rounds: %s', $ack,
                         $name, $p50{$ack}{$name}, $p99{$ack}{$name},
                         join ' ', map { $_->{p99_us} } @of;
        }

        note sprintf '%-9s p99 in the storm is %.2f of the calm, %.2f of that '
                     . 'in a storm that NGINX refuses', $ack,
                     map { $p99{$ack}{storm} / $p99{$ack}{$_} }
                     qw( calm bare );
    }
}


# the result of the good devices and the one of the storm

sub under_storm {
    my ($port, $round) = @_;

    my $wind = replay_start($replay, address => "127.0.0.1:$port",
                            requests => "$dir/storm-$round", rate => $rate,
                            count => $rate * $seconds, connections => 64,
                            source => '127.9.0.1', sources => $sources,
                            under => [qw( chrt -i 0 )]);

    return [ devices($seconds), replay_end($wind) ];
}


sub total {
    my ($name, @results) = @_;

    return sum map { $_->{$name} || 0 } @results;
}


sub median {
    my ($name, @results) = @_;

    return (sort { $a <=> $b } map { $_->{$name} } @results)[@results / 2];
}


# { ack => result }; some behind the addresses of the storm, some behind others

sub devices {
    my ($for) = @_;

    my %run = map { $_ => replay_start($replay,
        address => "127.0.0.1:$g->{port}", requests => "$dir/$_",
        rate => $good_rate, count => $good_rate * $for, connections => 33,
        source => '127.9.0.9', sources => 2 * $sources) } @acks;

    return { map { $_ => replay_end($run{$_}) } @acks };
}


# us of the workers' time for a guess, less that of a refusal by NGINX: the
# least of some rounds of both; and what each round took

sub beyond_nginx {
    my (@nginx, @ours);

    for my $round (1 .. $slow ? 1 : 5) {
        push @nginx, spent($bare);
        push @ours, spent($g->{port});
    }

    return (min(@ours) - min(@nginx),
            map { sprintf '%.1f-%.1f', $ours[$_], $nginx[$_] } 0 .. $#ours);
}


# us of the workers' time for each of some thousand guesses at a steady rate

sub spent {
    my ($port) = @_;

    my %load = (address => "127.0.0.1:$port", connections => 64,
                rate => $slow ? 200 : 4000, requests => "$dir/es256",
                source => '127.8.0.1', sources => 2);

    replay($replay, %load, count => $slow ? 100 : 1000);

    my $count = $slow ? 300 : 4000;
    my $start = cpu_ns(@workers);

    replay($replay, %load, count => $count);

    return (cpu_ns(@workers) - $start) / 1000 / $count;
}


# of ours, and of NGINX about connections

sub log_lines {
    my @lines = split /\n/, $g->error_log;
    my $closed = grep { / client .*closed .*connection/ } @lines;

    return (@lines - $closed, $closed);
}


# by reason, whatever the method

sub failures {
    return map { $_ => metric('auth_failures_total', qq(reason="$_")) }
           qw( unauthenticated rate_limited forbidden revoked internal );
}


# the sum of what has such a label

sub metric {
    my ($name, $label) = @_;

    my $text = $g->get('/metrics')->{content};

    return sum 0, $text =~ /^nginx_gateway_$name\{.*\Q$label\E.*\} (\d+)/mg;
}


sub random_bytes {
    my ($n) = @_;

    return join '', map { chr int rand 256 } 1 .. $n;
}


sub wrong_basic {
    return basic($names[rand @names], b64url(random_bytes(32)));
}


sub wrong_token {
    my ($alg, $len) = @_;

    my $key = $alg eq 'HS256' ? 'hs' : 'p256';
    my $name = $names[rand @names];

    # below the order of the curve, or it would be refused by its size
    my $sig = random_bytes($len);
    substr($sig, $_, 1) = "\x7f" for 0, 32 % $len;

    return 'Bearer ' . join '.', map { b64url($_) }
        qq({"alg":"$alg","kid":"$key","typ":"JWT"}),
        sprintf('{"exp":%d,"gateway_classes":"*","sub":"%s","jti":"%08x"}',
                time() + 3600, $name, int rand 2**32), $sig;
}


sub garbage {
    return ('Basic !!!', 'Basic ' . b64url(random_bytes(20)), 'Bearer a.b',
            'Bearer ' . b64url(random_bytes(60)), 'Digest username="x"',
            'Bearer e30.e30.' . b64url(random_bytes(6)))[rand 6];
}
