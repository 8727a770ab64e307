# The story: nginx ends and starts again, its file of windows is whole, cut,
# changed or that of another zone; a reload comes in between; workers are killed
# with -9 while every one of them is at the windows.
#
# Unseen without it: a resend that is counted twice behind every restart, a
# damaged file that makes new messages duplicates, which loses them, and a lock
# that nobody opens any more.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;
use JSON::PP;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $g = GatewayChaos->new(workers => 2,
                          gateway => 'zone state 4m; dedup state=dedup.state;',
                          location => 'gateway_timeout 60s;');
my $state = "$g->{prefix}/dedup.state";

$g->start;

sub results {
    my ($first, $last, $device) = @_;

    $device //= 'd';

    my $r = $g->post(encode_json([ map {
                { device => $device, seq => $_, data => $_ }
            } $first .. $last ]), 'content-type' => 'application/json');
    my $said = decode_json($r->{content});

    return join ' ', map { "$_:$said->{$_}" }
           grep { $said->{$_} } qw( delivered duplicate failed invalid );
}

# a graceful end and the next start

sub restart {
    my ($between) = @_;

    my $from = length $g->error_log;

    $g->signal('QUIT');
    $g->wait_exit(40);

    $between->() if $between;

    $g->start_nginx;

    return substr $g->error_log, $from;
}

sub bytes {
    open my $file, '<:raw', $state or die "$state: $!";
    local $/;
    return <$file>;
}

sub write_bytes {
    open my $file, '>:raw', $state or die "$state: $!";
    print $file $_[0];
    close $file;
}

is(results(1, 20), 'delivered:20', 'twenty messages');
is(results(1, 20), 'duplicate:20', 'and again');

unlike(restart(), qr/begins without/, 'the windows are read at the next start');
is((stat $state)[2] & 0777, 0600, 'their file is for its owner');
is(results(1, 25), 'delivered:5 duplicate:20', 'what was there is known');

my %old = map { $_ => 1 } $g->workers_of;

$g->signal('HUP');
$g->wait_for(40, 'new workers', sub {
    my @now = $g->workers_of;
    @now == 2 && !grep { $old{$_} } @now;
});
is(results(21, 26), 'delivered:1 duplicate:5', 'over a reload as well');

# what cannot be trusted is not used: better twice than not at all

my $whole;
my $n = 100;

for my $case (
    [ 'a file that was cut', sub { write_bytes(substr $whole, 0, 5000) } ],
    [ 'a file of which a bit is another', sub {
        write_bytes(substr($whole, 0, 70000)
                    . chr(ord(substr $whole, 70000, 1) ^ 1)
                    . substr $whole, 70001);
    } ],
    [ 'that of another gateway', sub {
        write_bytes(substr($whole, 0, 24)
                    . chr(ord(substr $whole, 24, 1) ^ 1)
                    . substr $whole, 25);
    } ],
    [ 'an empty file', sub { write_bytes('') } ],
    [ 'a file of something else', sub { write_bytes('x' x 100000) } ],
    [ 'that of another zone', sub { $g->{gateway} =~ s/4m/5m/ } ])
{
    my ($what, $do) = @$case;

    is(results($n, $n + 5), 'delivered:6', "before $what: new ones");

    my $log = restart(sub { $whole = bytes(); $do->() });

    like($log, qr/\[(?:warn|error)\].* begins without its dedup windows/,
         "$what is said");
    is(results($n, $n + 5), 'delivered:6', '... and nothing rests on it');
    is(results($n, $n + 5), 'duplicate:6', '... but on what came since');
    $n += 100;
}

like(restart(sub { unlink $state; mkdir $state; }), qr/begins without/,
     'what is no file is said as well');
rmdir $state;

# each kill hits workers in the midst of begin() and done(), again and again

my $load = $g->load(connections => 32, rate => 1500);

for my $i (1 .. 12) {
    my $before = $load->answered(200);
    $g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 100 });

    my @workers = $g->workers_of;
    kill 'KILL', @workers;

    $g->wait_for(20, 'new workers', sub {
        my %old = map { $_ => 1 } @workers;
        my @now = $g->workers_of;
        @now == 2 && !grep { $old{$_} } @now;
    });
}

my $before = $load->answered(200);
$g->wait_for(30, 'answers', sub { $load->answered(200) > $before + 500 });

my $sent = $load->stop;

$g->wait_for(30, 'the end of what waits', sub {
    !$g->status->{classes}{telemetry}{waiting};
});

my $held = $g->records;
my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @$sent;

is(scalar @lost, 0, 'nothing acknowledged is missing behind 24 kills');
is($g->books, '', 'the books balance');
is(results(1, 3, 'new'), 'delivered:3', 'the windows are still of use');
is(results(1, 3, 'new'), 'duplicate:3', '... to both workers') for 1 .. 4;

$g->wait_for(20, 'flights of the dead', sub {
    $g->get('/metrics')->{content} =~ /^nginx_gateway_dedup_inflight\w* 0$/m
    || $g->get('/metrics')->{content}
       =~ /^nginx_gateway_dedup_inflight\w*\{[^}]*\} 0$/m;
});
pass('no number is in flight for ever');

$g->signal('QUIT');
$g->wait_exit(40);
unlike(substr($g->error_log, rindex($g->error_log, 'gracefully')),
       qr/\[(?:alert|emerg)\]/, 'and nginx ends as it should');

done_testing();
