# The story: nginx is reloaded fifty times under load, as a host does whose
# certificates or maps are written anew all day.  Behind the tenth reload
# nothing may grow any more: memory, descriptors, pages of the zone; nobody is
# refused, nothing acknowledged is lost, no process is left over.
#
# Unseen without it: what one reload leaves behind is too small for any other
# page, and a fleet's gateway dies of it after a month.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use GatewayChaos;

plan skip_all => 'no real Kafka runs' unless GatewayChaos::have_kafka();

my $workers = 2;

my $g = GatewayChaos->new(workers  => $workers,
                          gateway  => 'drain_timeout 20s;',
                          location => 'gateway_timeout 60s;');
$g->start;

my %seen = map { $_ => 1 } $g->workers_of;
my @sent;


# The first ten show what all code paths take once: pools of the allocator,
# libraries that are loaded late, the last size of each table.

my %calm = reloads(10, 'a');
my %then = reloads(40, 'b');


# A pool of nginx, the least that a cycle can leave, has 16 KiB.  The bound of
# a worker is that of the master and what two runs of the same worker differ
# by: it has lived for a second, its threads may have one arena less or more.

my $pools = 40 * 16 * 1024;

SKIP: {
    skip 'a sanitizer keeps what was freed', 2 if $ENV{GATEWAY_SANITIZED};

    cmp_ok($then{master_memory} - $calm{master_memory}, '<', $pools,
           "the master grew by less than a pool a reload (from "
           . "$calm{master_memory} to $then{master_memory} bytes)");
    cmp_ok($then{worker_memory} - $calm{worker_memory}, '<', 1.5 * $pools,
           "a worker is as large as one of 40 reloads before (from "
           . "$calm{worker_memory} to $then{worker_memory} bytes)");
}

is($then{master_fds}, $calm{master_fds}, 'descriptors of the master');
is($then{worker_fds}, $calm{worker_fds}, 'descriptors of the workers');
is($then{threads}, 1, 'the master has no thread but its own');
cmp_ok($calm{mapped}, '>=', 1024 * 1024, 'the zone was found');
is($then{mapped}, $calm{mapped}, 'bytes of shared memory that are mapped');

SKIP: {
    skip 'the memory of nginx is not to be read here', 1
        unless defined $calm{zone_pages};

    is($then{zone_pages}, $calm{zone_pages}, 'free pages of the zone');
}

my $status = $g->status;
is(scalar @{$status->{workers}}, $workers, 'slots of the zone in use');

$g->wait_for(30, 'the end of what waits', sub {
    !grep { $_->{waiting} } values %{$g->status->{classes}};
});

my $held = $g->records;
my @lost = grep { $_->{status} == 200 && !$held->{$_->{id}} } @sent;
my @twice = grep { $held->{$_} > 1 } keys %$held;
my @refused = grep { $_->{status} && $_->{status} != 200 } @sent;

cmp_ok(scalar @sent, '>', 1000, scalar @sent . ' messages were sent');
is(scalar @lost, 0, 'everything acknowledged is in Kafka');
is(scalar @twice, 0, 'nothing is in Kafka twice');
is(scalar @refused, 0, 'nobody was refused');
is($g->books, '', 'the books balance');

my @drained = $g->error_log =~ /drained in \d+ ms: .* lost=(\d+) /g;

is(scalar @drained, 50 * $workers, 'each worker that left said so');
is(scalar(grep { $_ } @drained), 0, 'and lost nothing');

$g->signal('QUIT');
$g->wait_exit(30);

is(join(' ', grep { is_nginx($_) } sort keys %seen), '',
   'no worker is left of ' . keys %seen);
unlike($g->error_log, qr/\[(?:alert|emerg|crit)\]/,
       'nothing worse than an error in the error log');

done_testing();


# that many reloads under load, then what nginx takes

sub reloads {
    my ($n, $name) = @_;

    my $load = $g->load(connections => 16, rate => 300, name => $name,
                        classes => [qw( telemetry control )]);

    answers($load, 300);

    for (1 .. $n) {
        my %had = map { $_ => 1 } $g->workers_of;

        $g->signal('HUP');

        my @now;

        $g->wait_for(40, 'workers of the new configuration only', sub {
            @now = $g->workers_of;
            @now == $workers && !grep { $had{$_} } @now;
        });

        @seen{@now} = ();
    }

    answers($load, 300);
    push @sent, @{$load->stop};

    # a device that has gone is no descriptor of ours any more
    $g->wait_for(20, 'the end of the connections', sub { !connections() });

    my @pids = $g->workers_of;
    my %took;

    $took{master_memory} = memory($g->{master});
    $took{master_fds} = fds($g->{master});
    $took{threads} = () = glob "/proc/$g->{master}/task/*";
    $took{mapped} = 0;

    for (zones()) {
        $took{mapped} += $_->{size};
        my $free = free_pages($_);
        $took{zone_pages} += $free if defined $free;
    }

    for (@pids) {
        $took{worker_memory} += memory($_) / @pids;
        $took{worker_fds} += fds($_);
    }

    return %took;
}


sub answers {
    my ($load, $n) = @_;

    my $before = $load->answered(200);

    $g->wait_for(30, 'answers', sub { $load->answered(200) > $before + $n });
}


# memory that is the process's own, in bytes

sub memory {
    my ($pid) = @_;

    return slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m
           ? $1 * 1024 : die "no memory of $pid\n";
}


sub fds {
    my ($pid) = @_;

    my @fds = glob "/proc/$pid/fd/*";
    return scalar @fds;
}


# established connections of clients

sub connections {
    my $port = sprintf ':%04X', $g->{port};

    return scalar grep { (split)[1] =~ /$port$/ && (split)[3] eq '01' }
                  split /\n/, slurp('/proc/net/tcp');
}


# what nginx shares with its workers: anonymous shared memory

sub zones {
    no warnings 'portable';
    my @zones;

    for (split /\n/, slurp("/proc/$g->{master}/maps")) {
        my ($start, $end) = m{^(\w+)-(\w+) rw-s .* /dev/zero} or next;
        push @zones, { start => hex $start, size => hex($end) - hex $start };
    }

    return @zones;
}


# The counter "pfree" of ngx_slab_pool_t, read in the memory of the master;
# undef where that is not allowed, or the mapping is no slab pool: "end" of the
# pool must be the end of the mapping.

sub free_pages {
    my ($zone) = @_;

    open my $f, '<:raw', "/proc/$g->{master}/mem" or return;
    sysseek $f, $zone->{start}, 0 or return;
    sysread($f, my $pool, 13 * 8) == 13 * 8 or return;

    my ($pfree, $end) = (unpack 'Q13', $pool)[10, 12];

    return $end == $zone->{start} + $zone->{size} ? $pfree : undef;
}


sub is_nginx {
    my ($pid) = @_;

    return -d "/proc/$pid" && slurp("/proc/$pid/comm") =~ /^nginx/;
}


sub slurp {
    my ($file) = @_;

    open my $f, '<', $file or return '';
    local $/;
    return scalar <$f> // '';
}
