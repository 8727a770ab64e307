package Bench::Rig;

# Bench::Rig - the processes of a measurement: a Kafka on core 1, an nginx a
# case on core 0.  Two parties on two cores that talk to each other cost a
# machine of virtual cores an unsteady number of cycles; worker and load on
# one core, the broker on the other, is the regime that repeats.
#
# Every process started is ended by its pid.

use strict;
use warnings;

use Cwd ();
use File::Path ();
use HTTP::Tiny;
use POSIX ();
use Time::HiRes ();

use Bench::Auth;
use Bench::Callgrind;
use Bench::Case;
use Bench::Fields;
use Bench::Load;


sub new {
    my ($class) = @_;

    my $build = Cwd::abs_path($ENV{BUILD} || 'build');
    my @modules = grep { m{/ngx_gateway_module\.so$} }
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

    my $modules = @modules ? $modules[0] =~ s{/[^/]*$}{}r
                           : "$build/modules";

    -e "$modules/ngx_http_gateway_module.so"
        or die "no modules in $modules: run make\n";

    my $self = bless {
        build      => $build,
        modules    => $modules,
        dir        => "$build/bench",
        nginx      => $ENV{NGINX_BINARY} || '/usr/sbin/nginx',
        kafka_port => $ENV{BENCH_KAFKA_PORT} || 24092,
        owner      => $$,
        running    => {},
    }, $class;

    File::Path::make_path($self->{dir});
    $self->{load} = Bench::Load::build($build);
    $self->{replay} = GatewayAuthScale::replay_binary($self->{dir});

    return $self;
}


# the exit code of t/kafka/$verb

sub kafka {
    my ($self, $verb) = @_;

    local $ENV{KAFKA_PORT} = $self->{kafka_port};

    return system("taskset -c 1 t/kafka/$verb > $self->{dir}/kafka.log 2>&1"
                  . ' < /dev/null') >> 8;
}


# false: there is none to be had here

sub start_kafka {
    my ($self) = @_;

    my $code = $self->kafka('start');

    return if $code == 3;
    die "t/kafka/start: see $self->{dir}/kafka.log\n" if $code;

    $self->{kafka_started} = 1;
    $self->topic('PUT', '?partitions=4');

    return 1;
}


sub topic {
    my ($self, $method, $rest) = @_;

    my $tap = 'http://127.0.0.1:' . ($self->{kafka_port} + 2);
    my $r = HTTP::Tiny->new(timeout => 120)
                ->request($method, "$tap/topics/$Bench::Case::TOPIC$rest");

    die "tap: $method: $r->{status} $r->{content}\n" unless $r->{success};

    return $r->{content};
}


# the instance of a case: { case, dir, master, worker, port }

sub start {
    my ($self, $case, %args) = @_;

    my $dir = "$self->{dir}/$case->{name}";
    File::Path::remove_tree($dir);
    File::Path::make_path($dir);

    open my $f, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!\n";
    print $f Bench::Case::conf($case, $dir, $self->{modules},
                               "127.0.0.1:$self->{kafka_port}",
                               $args{callgrind});
    close $f;

    Bench::Auth::make($case, $dir) if $case->{auth};
    Bench::Fields::make($case, $dir);

    my @command = ('taskset', '-c', '0',
                   $args{callgrind} ? Bench::Callgrind::command($dir) : (),
                   $self->{nginx}, '-p', $dir, '-c', "$dir/nginx.conf");

    my $pid = fork();
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/out";
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }

    my $i = { case => $case, dir => $dir, master => $pid,
              port => $case->{port} };

    $self->{running}{$pid} = $i;

    wait_for(60, "an answer of $case->{name}", sub {
        my $gone = waitpid $pid, POSIX::WNOHANG();
        die "nginx has ended: " . slurp("$dir/out") if $gone == $pid;

        my $url = "http://127.0.0.1:$i->{port}";
        my $r = HTTP::Tiny->new(timeout => 20)->get("$url/pid");
        return unless $r->{success};

        # nginx may have children that are no workers
        $i->{worker} = $r->{content};

        return HTTP::Tiny->new(timeout => 20)->post("$url/warm",
            { content => '{"device":"warm","seq":1,"data":1}',
              headers => { 'content-type' => 'application/json' } }
            )->{success};
    });

    return $i;
}


# Sends, and waits until Kafka holds all of it: what is still on its way when
# a counter is read would be missing from it.

sub load {
    my ($self, $i, $count, %args) = @_;

    my $before = $self->held;
    my $r = Bench::Load::run($self, $i, $count, %args);

    if ($i->{case}{load}) {
        my $wanted = $before + $r->{messages} - $r->{bad};

        wait_for(60, "end of what $i->{case}{name} sent", sub {
            return $self->held >= $wanted;
        });
    }

    return $r;
}


# records of the topic

sub held {
    my ($self) = @_;

    my ($n) = $self->topic('GET', '/end') =~ /"records":(\d+)/
        or die "the tap does not say how many records there are\n";

    return $n;
}


sub stop {
    my ($self, $i) = @_;

    kill 'TERM', $i->{master};
    waitpid $i->{master}, 0;
    delete $self->{running}{$i->{master}};
}


# calls $check until it is true; the time is only a bound

sub wait_for {
    my ($seconds, $what, $check) = @_;

    my $end = Time::HiRes::time() + $seconds;

    for ( ;; ) {
        my $value = $check->();
        return $value if $value;

        die "no $what within $seconds s\n" if Time::HiRes::time() > $end;

        select undef, undef, undef, 0.02;
    }
}


sub slurp {
    my ($file) = @_;

    open my $f, '<', $file or return '';
    local $/;
    return <$f> // '';
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    local ($?, $@, $!);

    $self->stop($_) for values %{$self->{running}};

    $self->kafka('stop') if $self->{kafka_started};
}

1;
