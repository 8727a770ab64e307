package Bench::Case;

# Bench::Case - what is measured: the cases, and the nginx.conf of each.
#
# A case is an nginx of its own, so that no case pays for what another one
# loads; all differ in their location and in nothing else.

use strict;
use warnings;

use Bench::Auth;
use Bench::Callgrind;
use Bench::Fields;

our $PATH = '/v1/messages';
our $TOPIC = 'bench.telemetry';
our $LINGER = 5;             # ms

# name, port, modules loaded, gateway block, the location, what is sent,
# messages of a batch of librdkafka under callgrind (fill), properties (set),
# what stands behind "dedup", which is on where nothing does
our @ALL = (
    { name => '204', port => 24120, say => 'return 204',
      location => 'return 204;' },
    { name => 'loaded', port => 24121, module => 1,
      say => 'return 204, module loaded, no gateway',
      location => 'return 204;' },
    { name => 'off', port => 24122, module => 1, gateway => 1,
      say => 'return 204, gateway in the file, not here',
      location => 'return 204;' },
    { name => 'queued', port => 24123, module => 1, gateway => 1,
      say => 'one message, ack queued',
      location => 'gateway_pass bench; gateway_ack queued;',
      load => {}, fill => 250 },
    { name => 'delivered', port => 24124, module => 1, gateway => 1,
      say => 'one message, ack delivered, 64 connections',
      location => 'gateway_pass bench; gateway_ack delivered;',
      load => {} },
    { name => 'delivered512', port => 24125, module => 1, gateway => 1,
      say => 'one message, ack delivered, 512 connections',
      location => 'gateway_pass bench; gateway_ack delivered;',
      load => { connections => 512 } },
    { name => 'queuednone', port => 24128, module => 1, gateway => 1,
      say => 'one message, ack queued, no compression',
      location => 'gateway_pass bench; gateway_ack queued;',
      load => {}, fill => 250, set => { 'compression.type' => 'none' } },
    { name => 'delivered512none', port => 24129, module => 1, gateway => 1,
      say => 'one message, ack delivered, 512, no compression',
      location => 'gateway_pass bench; gateway_ack delivered;',
      load => { connections => 512 },
      set => { 'compression.type' => 'none' } },
    { name => 'array', port => 24126, module => 1, gateway => 1,
      say => 'array of 40, ack queued',
      location => 'gateway_pass bench; gateway_ack queued;',
      load => { batch => 40, form => 'array' }, fill => 1000 },
    { name => 'ndjson', port => 24127, module => 1, gateway => 1,
      say => 'NDJSON of 100, ack queued',
      location => 'gateway_pass bench; gateway_ack queued;',
      load => { batch => 100, form => 'ndjson' }, fill => 1000 },
    Bench::Fields::cases(24110),
    Bench::Auth::cases(24130),
);


sub named {
    my (@names) = @_;

    my %by = map { $_->{name} => $_ } @ALL;

    return map { $by{$_} || die "no case \"$_\"\n" } @names;
}


sub batch {
    my ($case) = @_;

    return ($case->{load} || {})->{batch} || 1;
}


# Under callgrind requests come more slowly and the clock does not: times are
# made longer.  Where answers do not wait for Kafka the size of librdkafka's
# batches would still follow the speed of the machine; there it is fixed, at
# what 5 ms of a busy worker fill for each of four partitions: 200,000 single
# messages a second, or 800,000 in batches.

sub properties {
    my ($case, $callgrind) = @_;

    my $times = $callgrind ? $Bench::Callgrind::SLOWER : 1;
    my %of = ('linger.ms' => $LINGER * $times,
              'statistics.interval.ms' => 1000 * $times,
              %{$case->{set} || {}});

    if ($callgrind && $case->{fill}) {
        $of{'linger.ms'} = 2000;
        $of{'batch.num.messages'} = $case->{fill};
    }

    return join '', map { "    property  $_ $of{$_};\n" } sort keys %of;
}


sub conf {
    my ($case, $dir, $modules, $brokers, $callgrind) = @_;

    my $load = '';
    my $gateway = '';

    if ($case->{module}) {
        $load = join '', map { "load_module $modules/$_.so;\n" }
                         qw( ngx_gateway_module ngx_http_gateway_module );
    }

    # what was accepted is to arrive: a message that is shed costs nothing at
    # Kafka and would flatter the mean

    if ($case->{gateway}) {
        my $properties = Bench::Auth::gateway($case)
                         . properties($case, $callgrind);

        $properties .= "    dedup     $case->{dedup};\n" if $case->{dedup};

        $gateway = <<"END";
gateway bench {
    brokers   $brokers;
    topic     $TOPIC;
    class     telemetry overflow=reject;
    buffer    256m;
$properties}
END
    }

    # for the rig: who works, and is Kafka reached
    my $warm = $case->{gateway} ? 'gateway_pass bench;' : 'return 204;';

    my $location = $case->{location} =~ s/\bAUTH\b/$dir/gr
                                     =~ s/\bSCHEMA\b/$dir\/schema.json/gr;

    # who traces a worker must be its user
    my $user = $> == 0 ? 'user root;' : '';

    return <<"END";
${load}daemon off;
$user
worker_processes 1;
worker_cpu_affinity 01;
pid $dir/nginx.pid;
error_log $dir/error.log warn;
events { worker_connections 2048; }
${gateway}http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    client_body_buffer_size 256k;
    server {
        listen 127.0.0.1:$case->{port} backlog=4096;
        location $PATH { $location }
        location /warm { $warm }
        location /pid { return 200 \$pid; }
    }
}
END
}

1;
