package Ledger::Faults;

# Ledger::Faults - the scripts of t/ledger/faults, begun at their times, and
# what they did as lines of "faults".
#
# A fault runs beside everything else; the first line that it says is what it
# hit.  One that fails makes the run void: a broker that was not killed
# proves nothing.

use strict;
use warnings;

use POSIX ();

my $folder = 't/ledger/faults';


sub known {
    my ($name) = @_;

    return $name =~ /^[a-z][a-z-]*$/ && -x "$folder/$name";
}


sub new {
    my ($class, %args) = @_;

    open my $log, '>', "$args{run}/faults" or die "$args{run}/faults: $!\n";
    $log->autoflush(1);

    # scraper, scenario, run, environment
    return bless { %args, log => $log, running => [], owner => $$,
                   left => [ @{$args{scenario}{faults}} ] }, $class;
}


# their times count from here

sub started {
    my ($self) = @_;

    $self->{start} //= $self->{scraper}->now;
}


sub idle {
    my ($self) = @_;

    my $next = $self->{left}[0];

    return 3600 unless defined $self->{start} && $next;

    my $from = $self->{start};

    if ($next->{when} eq 'after') {
        return 3600 unless defined $self->{last}{ended};
        $from = $self->{last}{ended};
    }

    my $wait = $from + $next->{seconds} - $self->{scraper}->now;
    return $wait < 0 ? 0 : $wait;
}


sub tick {
    my ($self) = @_;

    while (@{$self->{left}} && $self->idle == 0) {
        $self->{last} = shift @{$self->{left}};
        $self->begin($self->{last});
    }
}


sub done {
    my ($self) = @_;

    return !@{$self->{left}} && !@{$self->{running}};
}


sub names {
    my ($self) = @_;

    return map { join ' ', $_->{name}, @{$_->{args}} } @{$self->{running}};
}


sub handles {
    my ($self) = @_;

    return map { $_->{out} } @{$self->{running}};
}


sub begin {
    my ($self, $fault) = @_;

    $fault->{begun} = $self->{scraper}->microseconds;

    # what each worker held just before: who is hit, is not known yet
    $fault->{gateway} = $self->{scraper}->gateway
        if $fault->{name} eq 'worker-kill';

    pipe my $out, my $in or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        # a group of its own, so that all of it can be ended
        POSIX::setpgid(0, 0);

        %ENV = (%ENV, %{$self->{environment}->()},
                SEED => $self->{scenario}->get('seed') + $self->{begun}++);

        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $in;
        open STDERR, '>>', "$self->{run}/faults.log";
        exec "$folder/$fault->{name}", @{$fault->{args}}
            or POSIX::_exit(127);
    }

    $self->{begun}++;
    close $in;

    $fault->{pid} = $pid;
    $fault->{out} = $out;
    $fault->{said} = '';

    push @{$self->{running}}, $fault;
}


# when one of handles() can be read

sub readable {
    my ($self, $out) = @_;

    my ($fault) = grep { $_->{out} == $out } @{$self->{running}};
    my $got = sysread $out, $fault->{said}, 4096, length $fault->{said};

    if ($got) {
        $self->hit($fault) if $fault->{said} =~ /\n/;
        return;
    }

    waitpid $fault->{pid}, 0;
    my $status = $?;

    $self->hit($fault);
    $self->note($fault, 'end', $self->{scraper}->microseconds);
    $self->{running} = [ grep { $_ != $fault } @{$self->{running}} ];

    die "fault $fault->{name} failed: see $self->{run}/faults.log\n"
        if $status;

    $fault->{ended} = $self->{scraper}->now;
    $self->{ended}->($fault->{name});
}


sub hit {
    my ($self, $fault) = @_;

    return if $fault->{what};

    my ($first) = split /\n/, $fault->{said};
    $fault->{what} = join ' ', @{$fault->{args}};

    if ($fault->{name} eq 'worker-kill') {
        my $pid = $first // 0;
        my ($worker) = grep { $_->{pid} == $pid }
                            @{$fault->{gateway}{workers} || []};

        $fault->{what} = "$pid " . ($worker ? $worker->{waiting} : 0);
    }

    $fault->{what} = '-' if $fault->{what} eq '';

    $self->note($fault, 'begin', $fault->{begun});
}


sub note {
    my ($self, $fault, $when, $time) = @_;

    print {$self->{log}} join("\t", $time, $fault->{name}, $when,
                              $fault->{what}), "\n";
}


# a run that was broken off must not leave a script that kills later

sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};

    local ($?, $!, $@);

    for (@{$self->{running}}) {
        kill 'KILL', -$_->{pid};
        waitpid $_->{pid}, 0;
    }
}

1;
