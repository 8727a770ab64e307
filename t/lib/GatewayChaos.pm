package GatewayChaos;

# GatewayChaos - an nginx of its own, a Kafka of its own, steady load, faults,
# and the account: what the devices were told against what the topics hold.
#
#   my $g = GatewayChaos->new(gateway => 'buffer 8m;', http => '');
#   $g->start;
#   my $load = $g->load(connections => 16, rate => 200);
#   $g->kafka('kill'); ... $g->kafka('restart');
#   my $sent = $load->stop;                # every message and its answer
#   my $held = $g->records;                # what Kafka holds, by "device/seq"
#
# Traffic goes to loopback only; every process started is ended by pid.  All
# waiting is for events, with a bound; where a fault is to last some time the
# time is the fault's own.

use strict;
use warnings;

use Cwd ();
use Errno qw( EAGAIN EWOULDBLOCK EINPROGRESS );
use File::Path ();
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Time::HiRes ();

my $top = Cwd::getcwd();
my $number = 0;


# the real Kafka of these tests: not the one that the other files share, for
# it is killed and frozen here

sub have_kafka {
    return defined $ENV{GATEWAY_KAFKA};
}


sub new {
    my ($class, %args) = @_;

    my $build = $ENV{BUILD} || "$top/build";

    my $self = bless {
        kafka_port => 21092,
        port       => 18300 + ($$ + $number * 7) % 500,
        prefix     => "$build/chaos-$$-" . $number++,
        workers    => 1,
        main       => '',
        gateway    => '',
        http       => '',
        location   => '',
        clients    => 2048,
        classes    => "class control topic=fleet.control;\n"
                      . "class heartbeat topic=fleet.heartbeat;\n"
                      . "class telemetry;",
        topics     => [qw( fleet.telemetry fleet.control fleet.heartbeat )],
        owner      => $$,
        %args,
    }, $class;

    $self->{error_log} ||= "$self->{prefix}/logs/error.log";
    $self->{tap} = 'http://127.0.0.1:' . ($self->{kafka_port} + 2);
    $self->{brokers} = "127.0.0.1:$self->{kafka_port}";

    return $self;
}


sub kafka {
    my ($self, $verb) = @_;

    local $ENV{KAFKA_PORT} = $self->{kafka_port};

    my $command = $verb =~ /^(?:start|stop)$/ ? "t/kafka/$verb"
                                              : "t/kafka/ctl $verb";

    # also when the start is broken off there is something to stop
    $self->{kafka_started} = 1 if $verb eq 'start';

    system("$command > $self->{prefix}.kafka.log 2>&1 < /dev/null") == 0
        or die "$command failed: see $self->{prefix}.kafka.log\n";

    $self->{kafka_started} = 0 if $verb eq 'stop';
}


sub tap {
    my ($self, $method, $path) = @_;

    my $r = HTTP::Tiny->new(timeout => 120)
                      ->request($method, "$self->{tap}$path");

    die "tap: $method $path: $r->{status} $r->{content}\n"
        unless $r->{success};

    return $r->{content};
}


sub start {
    my ($self) = @_;

    my $p = $self->{prefix};
    File::Path::make_path("$p/logs");

    $self->kafka('start');

    for (@{$self->{topics}}) {
        $self->tap('PUT', "/topics/$_?partitions=4");
    }

    $self->start_nginx;
}


sub binary {
    return $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
}


sub start_nginx {
    my ($self) = @_;

    my $p = $self->{prefix};

    $self->write_conf;

    my $binary = binary();

    system("$binary -p $p -c $p/nginx.conf > $p/start.log 2>&1 "
           . "< /dev/null") == 0
        or die "nginx does not start: " . `cat $p/start.log`;

    $self->{master} = $self->wait_for(10, 'a pid file', sub {
        $self->master_of_file;
    });

    $self->wait_for(10, 'an answer', sub {
        $self->get('/live')->{status} == 200;
    });
}


sub master_of_file {
    my ($self) = @_;

    open my $f, '<', "$self->{prefix}/nginx.pid" or return;
    my ($pid) = (<$f> // '') =~ /^(\d+)/;
    return $pid;
}


# load_module lines: of the folder "modules" when one is given

sub load_modules {
    my ($self) = @_;

    my @files = split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

    @files = map { "$self->{modules}/$_" }
                 qw( ngx_gateway_module.so ngx_http_gateway_module.so )
        if $self->{modules};

    return join '', map { "load_module $_;\n" }
                    grep { /gateway_module\.so$/ && !/stream/ } @files;
}


sub write_conf {
    my ($self) = @_;

    my $p = $self->{prefix};
    my $load = $self->load_modules;

    open my $f, '>', "$p/nginx.conf" or die "$p/nginx.conf: $!";

    print $f <<"END";
$load
worker_processes  $self->{workers};
error_log  $self->{error_log} info;
pid        $p/nginx.pid;
$self->{main}
events { worker_connections $self->{clients}; }
gateway fleet {
    brokers    $self->{brokers};
    topic      fleet.telemetry;
    $self->{classes}
    $self->{gateway}
}
http {
    access_log off;
    client_body_temp_path $p/body;
    proxy_temp_path $p/proxy;
    fastcgi_temp_path $p/fastcgi;
    uwsgi_temp_path $p/uwsgi;
    scgi_temp_path $p/scgi;
    keepalive_requests 1000000;
    $self->{http}
    server {
        listen 127.0.0.1:$self->{port} backlog=4096;
        location /v1/messages { gateway_pass fleet; $self->{location} }
        location /status  { gateway_status; }
        location /metrics { gateway_status prometheus; }
        location /ready   { gateway_status ready; }
        location /live    { gateway_status live; }
    }
}
END

    close $f;
}


sub get {
    my ($self, $path) = @_;

    return HTTP::Tiny->new(timeout => 20)
                     ->get("http://127.0.0.1:$self->{port}$path");
}


sub status {
    my ($self) = @_;

    my $r = $self->get('/status');
    die "status: $r->{status}\n" unless $r->{success};

    return decode_json($r->{content})->{gateways}[0];
}


# resident memory of the workers, in bytes, without what they share: the zone is
# a budget of its own, and is resident where it was written to

sub memory {
    my ($self) = @_;

    my $sum = 0;

    for ($self->workers_of) {
        open my $f, '<', "/proc/$_/statm" or next;
        my (undef, $resident, $shared) = split ' ', <$f>;
        $sum += ($resident - $shared) * 4096;
    }

    return $sum;
}


sub post {
    my ($self, $body, %headers) = @_;

    return HTTP::Tiny->new(timeout => 60)->post(
        "http://127.0.0.1:$self->{port}/v1/messages",
        { content => $body,
          headers => { 'content-type' => 'application/json', %headers } });
}


sub signal {
    my ($self, $name) = @_;

    kill $name, $self->{master} or die "kill $name $self->{master}: $!";
}


sub workers_of {
    my ($self) = @_;

    return split ' ', `pgrep -P $self->{master} 2>/dev/null` || '';
}


sub wait_exit {
    my ($self, $seconds) = @_;

    $self->wait_for($seconds, 'the end of nginx', sub {
        !kill 0, $self->{master};
    });

    delete $self->{master};
}


# calls $check until it is true; a time is only the bound of the waiting

sub wait_for {
    my ($self, $seconds, $what, $check) = @_;

    my $end = Time::HiRes::time() + $seconds;

    for ( ;; ) {
        my $value = eval { $check->() };
        return $value if $value;

        die "no $what within $seconds s\n" if Time::HiRes::time() > $end;

        select undef, undef, undef, 0.02;
    }
}


# how long a fault lasts

sub lasting {
    my ($self, $seconds) = @_;

    select undef, undef, undef, $seconds;
}


sub error_log {
    my ($self) = @_;

    open my $f, '<', $self->{error_log} or return '';
    local $/;
    return scalar <$f>;
}


# { "device/seq" => number of records } over the topics

sub records {
    my ($self, @topics) = @_;

    my %held;

    for my $topic (@topics ? @topics : @{$self->{topics}}) {
        for (split /\n/, $self->tap('GET', "/topics/$topic/records")) {
            my $r = decode_json($_);
            # characters already, not bytes
            my $v = JSON::PP->new->decode($r->{value});

            die "key $r->{key} of device $v->{device}\n"
                unless $r->{key} eq $v->{device};

            $held{"$v->{device}/$v->{seq}"}++;
        }
    }

    return \%held;
}


# what the tap answers goes into a file, however much it is

sub tap_into {
    my ($self, $path, $file) = @_;

    open my $f, '>', $file or die "$file: $!\n";
    my $tap = HTTP::Tiny->new(timeout => 120);

    my $r = $tap->get("$self->{tap}$path", {
        data_callback => sub { print $f $_[0] or die "$file: $!\n" } });

    close $f or die "$file: $!\n";

    die "tap: GET $path: $r->{status} $r->{content}\n" unless $r->{success};
}


# empty when the books of the gateway balance, else what does not

sub books {
    my ($self) = @_;

    my $s = $self->status;
    my @wrong;

    for my $name (sort keys %{$s->{protocols}}) {
        my $p = $s->{protocols}{$name};
        my $rejected = 0;
        $rejected += $_ for values %{$p->{rejected}};

        my $in = $rejected + $p->{duplicate} + $p->{shed_entry}
                 + $p->{accepted};
        push @wrong, "$name: received $p->{received}, accounted $in"
            unless $in == $p->{received};

        my $out = $p->{delivered} + $p->{dead_lettered} + $p->{failed}
                  + $p->{shed} + $p->{lost} + $p->{waiting};
        push @wrong, "$name: accepted $p->{accepted}, accounted $out"
            unless $out == $p->{accepted};
    }

    return join '; ', @wrong;
}


# Steady load from a process of its own: connections send one message at a
# time and the next when it is answered, or on a new connection when theirs
# broke.  Every attempt is a message of its own, so that a record more than
# sent once is a duplicate of the gateway's making.

sub load {
    my ($self, %args) = @_;

    return GatewayChaos::Load->new($self, connections => 8, rate => 200,
                                   pad => 100, classes => ['telemetry'],
                                   name => 'd', %args);
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    local ($?, $@, $!);

    if ($self->{master}) {
        kill 'TERM', $self->{master};
        eval { $self->wait_exit(5) };
    }

    eval { $self->kafka('thaw') } if $self->{kafka_started};
    eval { $self->kafka('stop') } if $self->{kafka_started};
}


package GatewayChaos::Load;

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;
use Time::HiRes ();


sub new {
    my ($class, $gateway, %args) = @_;

    my $file = "$gateway->{prefix}/load-" . ++$gateway->{loads};

    $args{parent} = $$;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        my $stop = 0;
        $SIG{TERM} = sub { $stop = 1 };
        $SIG{PIPE} = 'IGNORE';

        # who reads our parent's output shall not wait for us
        open STDOUT, '>', '/dev/null';

        eval { run($gateway, $file, \%args, \$stop) };
        print STDERR "# load: $@" if $@;

        POSIX::_exit($@ ? 1 : 0);
    }

    return bless { pid => $pid, file => $file, owner => $$ }, $class;
}


# lines of "device seq class status", status 0: no answer

sub run {
    my ($gateway, $file, $args, $stop) = @_;

    open my $log, '>', $file or die "$file: $!";
    $log->autoflush(1);

    my (@idle, %busy);
    my $select = IO::Select->new;
    my $n = 0;
    my $start = Time::HiRes::time();
    my $pad = 'x' x $args->{pad};
    my $deadline = $start + 300;

    my $ended = sub {
        my ($c, $status) = @_;
        print $log "$c->{device} $c->{seq} $c->{class} $status\n";
    };

    my @conns = map { { id => $_, seq => 0 } } 1 .. $args->{connections};
    @idle = @conns;

    while (!$$stop || %busy) {
        my $now = Time::HiRes::time();
        last if $now > $deadline || getppid() != $args->{parent};

        # a select on nothing would not wait
        select undef, undef, undef, 0.01 unless %busy;

        while (!$$stop && @idle && $n < ($now - $start) * $args->{rate}) {
            my $c = shift @idle;

            if (!$c->{sock}) {
                $c->{sock} = IO::Socket::INET->new(
                    PeerAddr => '127.0.0.1', PeerPort => $gateway->{port},
                    Proto => 'tcp');

                if (!$c->{sock}) {
                    # nobody listens just now: not a message
                    push @idle, $c;
                    last;
                }
            }

            $n++;
            $c->{seq}++;
            $c->{device} = "$args->{name}$c->{id}";
            $c->{class} = $args->{classes}[$n % @{$args->{classes}}];
            $c->{in} = '';

            my $body = qq({"device":"$c->{device}","seq":$c->{seq},)
                       . qq("class":"$c->{class}","data":{"n":$n,)
                       . qq("pad":"$pad"}});

            my $ok = $c->{sock}->syswrite(
                "POST /v1/messages HTTP/1.1\r\nHost: t\r\n"
                . "Content-Type: application/json\r\n"
                . "Content-Length: " . length($body) . "\r\n\r\n" . $body);

            if (!$ok) {
                $ended->($c, 0);
                delete $c->{sock};
                push @idle, $c;
                next;
            }

            $busy{fileno $c->{sock}} = $c;
            $select->add($c->{sock});
        }

        for my $sock ($select->can_read(0.01)) {
            my $fd = fileno $sock;
            my $c = $busy{$fd};
            my $got = $sock->sysread($c->{in}, 65536, length $c->{in});
            my $done;

            if (!$got) {
                $done = 0;

            } elsif ($c->{in} =~ /\r\n\r\n/) {
                my ($length) = $c->{in} =~ /^content-length: (\d+)/im;
                my $head = index($c->{in}, "\r\n\r\n") + 4;

                ($done) = $c->{in} =~ m{^HTTP/1.1 (\d+)}
                    if defined $length
                       && length($c->{in}) >= $head + $length;
            }

            next unless defined $done;

            $ended->($c, $done);
            delete $busy{$fd};
            $select->remove($sock);

            if (!$done || $c->{in} =~ /^connection: close/im) {
                delete $c->{sock};
            }

            push @idle, $c;
        }
    }

    for my $c (values %busy) {
        $ended->($c, 0);
    }

    close $log;
}


# how many messages were answered with that status so far

sub answered {
    my ($self, $status) = @_;

    open my $f, '<', $self->{file} or return 0;
    my $n = 0;

    while (<$f>) {
        $n++ if / $status$/;
    }

    return $n;
}


# ends the load, waits for the answers; [{ id, class, status }]

sub stop {
    my ($self) = @_;

    kill 'TERM', $self->{pid};
    waitpid delete $self->{pid}, 0;

    open my $f, '<', $self->{file} or die "$self->{file}: $!";

    my @sent;

    while (<$f>) {
        my ($device, $seq, $class, $status) = split;
        push @sent, { id => "$device/$seq", class => $class,
                      status => $status };
    }

    return \@sent;
}


# a test that died must not leave its load behind

sub DESTROY {
    my ($self) = @_;

    return unless $self->{pid} && $self->{owner} == $$;

    local ($?, $!);

    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
