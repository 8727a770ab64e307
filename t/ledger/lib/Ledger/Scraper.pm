package Ledger::Scraper;

# Ledger::Scraper - the status page and the workers' memory, every 100 ms,
# as lines of "scrapes".
#
# One connection that is kept, never blocking: the loop that owns it has
# faults to begin on time.  Where nobody answers the line says null: a gap
# that were passed over could hide a budget that was broken.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

use constant EVERY => 0.1;
use constant PATIENCE => 2;

my $page = POSIX::sysconf(&POSIX::_SC_PAGESIZE);


sub new {
    my ($class, %args) = @_;

    open my $log, '>', $args{file} or die "$args{file}: $!\n";
    $log->autoflush(1);

    # address and pid_file of the nginx that is watched
    return bless { %args, log => $log, next => 0, masters => {} }, $class;
}


sub now {
    return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
}


sub microseconds {
    return sprintf '%.0f', now() * 1e6;
}


sub handle {
    my ($self) = @_;

    return $self->{asked} ? $self->{sock} : undef;
}


# seconds until tick() has something to do

sub idle {
    my ($self) = @_;

    my $wait = ($self->{asked} ? $self->{asked} + PATIENCE : $self->{next})
               - now();

    return $wait < 0 ? 0 : $wait;
}


sub tick {
    my ($self) = @_;

    my $now = now();

    if ($self->{asked}) {
        $self->give_up if $now >= $self->{asked} + PATIENCE;
        return;
    }

    return if $now < $self->{next};

    $self->{next} += EVERY;
    $self->{next} = $now + EVERY if $self->{next} <= $now;
    $self->{fresh} = 0;

    $self->ask($now);
}


# a connection that was kept may have been closed by a worker that left: then
# a fresh one is tried, once

sub ask {
    my ($self, $now) = @_;

    $self->{asked} = $now;
    $self->{in} = '';

    if (!$self->{sock}) {
        $self->{fresh} = 1;
        $self->{sock} = IO::Socket::INET->new(PeerAddr => $self->{address},
                                              Proto => 'tcp',
                                              Timeout => 0.5);
        return $self->give_up unless $self->{sock};

        $self->{sock}->blocking(0);
    }

    my $request = "GET /status HTTP/1.1\r\nHost: ledger\r\n\r\n";
    my $n = $self->{sock}->syswrite($request);

    $self->broken unless defined $n && $n == length $request;
}


sub broken {
    my ($self) = @_;

    my $fresh = $self->{fresh};

    $self->drop;

    return $self->give_up if $fresh;

    $self->ask(now());
}


sub give_up {
    my ($self) = @_;

    $self->drop;
    $self->note(undef);
}


sub drop {
    my ($self) = @_;

    delete $self->{sock};
    delete $self->{asked};
}


# when handle() can be read

sub readable {
    my ($self) = @_;

    my $got = $self->{sock}->sysread($self->{in}, 262144, length $self->{in});

    if (!defined $got) {
        return if $!{EAGAIN} || $!{EINTR};
        return $self->broken;
    }

    return $self->broken if $got == 0;

    my $head = index $self->{in}, "\r\n\r\n";
    return if $head < 0;

    my ($status) = $self->{in} =~ m{^HTTP/1.1 (\d+)};
    my ($length) = substr($self->{in}, 0, $head + 2)
                   =~ /^content-length: (\d+)\r/im;

    if (!defined $length || ($status // 0) != 200) {
        return $self->give_up;
    }

    return if length($self->{in}) < $head + 4 + $length;

    my $body = substr $self->{in}, $head + 4, $length;

    delete $self->{sock} if $self->{in} =~ /^connection: close\r/im;
    delete $self->{asked};

    $self->note($body);
}


sub note {
    my ($self, $status) = @_;

    # line feeds of a JSON text stand between tokens only
    $status =~ tr/\n//d if defined $status;

    $self->{line} = sprintf '{"t":%s,"rss":%.0f,"status":%s}',
                            microseconds(), $self->memory, $status // 'null';
    $self->{status} = $status;
    $self->{lines}++;

    print {$self->{log}} "$self->{line}\n";
}


# what the last scrape said: the gateway, or undef

sub gateway {
    my ($self) = @_;

    return undef unless defined $self->{status};

    my $status = eval { JSON::PP::decode_json($self->{status}) };
    return $status && $status->{gateways}[0];
}


# resident bytes of all workers: those that drain and, in an upgrade, those
# of both masters included

sub memory {
    my ($self) = @_;

    for my $file ($self->{pid_file}, "$self->{pid_file}.oldbin") {
        open my $f, '<', $file or next;
        my ($pid) = (<$f> // '') =~ /^(\d+)/ or next;
        $self->{masters}{$pid} = 1;
    }

    my $sum = 0;
    my %seen;
    my @pids = keys %{$self->{masters}};

    while (defined(my $pid = shift @pids)) {
        next if $seen{$pid}++;

        open my $c, '<', "/proc/$pid/task/$pid/children" or do {
            delete $self->{masters}{$pid};
            next;
        };

        push @pids, split ' ', <$c> // '';

        next if $self->{masters}{$pid};

        open my $m, '<', "/proc/$pid/statm" or next;
        $sum += ((split ' ', <$m> // '')[1] // 0) * $page;
    }

    return $sum;
}

1;
