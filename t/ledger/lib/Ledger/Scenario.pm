package Ledger::Scenario;

# Ledger::Scenario - the few readable lines of t/ledger/scenarios/NAME.
#
#   KEY VALUE              see %keys
#   at SECONDS FAULT ...     after the first acknowledged message
#   after SECONDS FAULT ...  after the fault before has ended
#   # a comment
#
# How long a broker takes to come back is the machine's to say: "after" keeps
# faults apart, "at" lets them overlap.
#
# Every line is checked before anything starts: a misspelled key that were
# passed over would be a run that proves something else than it says.

use strict;
use warnings;

my @classes = qw( control heartbeat telemetry );

my $count = sub {
    my ($low, $high) = @_;

    return sub {
        return $_[0] if $_[0] =~ /^\d{1,9}$/ && $_[0] >= $low
                        && $_[0] <= $high;
        die "must be a number from $low to $high\n";
    };
};

my $one_of = sub {
    my (@words) = @_;

    return sub {
        return $_[0] if grep { $_ eq $_[0] } @words;
        die 'must be one of ' . join(', ', @words) . "\n";
    };
};

# a directive, as nginx will read it

my $directive = sub {
    return $_[0] if $_[0] =~ /^[a-z_]+( [^{};]+)?;$/;
    die "must be one directive with its semicolon\n";
};

my $size = sub {
    my ($n, $unit) = $_[0] =~ /^(\d{1,9})([km]?)$/
        or die "must be a size: a number, or with k or m\n";

    return $n * { '' => 1, k => 1024, m => 1024 * 1024 }->{$unit};
};

my $pattern = sub {
    return $_[0] if eval { qr/$_[0]/ };
    die "must be a regular expression\n";
};

my $name = sub {
    return $_[0] if $_[0] =~ /^[A-Za-z0-9._-]{1,100}$/;
    die "must be the name of a topic\n";
};

my $shares = sub {
    my %seen;

    for (split /,/, $_[0], -1) {
        my ($class, $share) = /^([a-z]+)=(\d{1,4})$/
            or die "must be CLASS=SHARE,...\n";
        die "class \"$class\" is none of @classes\n"
            unless grep { $_ eq $class } @classes;
        die "class \"$class\" is there twice\n" if $seen{$class}++;
    }

    die "must be CLASS=SHARE,...\n" unless %seen;
    return $_[0];
};

my $topic = sub {
    my ($class, $topic) = $_[0] =~ /^(\S+) (\S+)$/
        or die "must be CLASS NAME\n";
    die "class \"$class\" is none of @classes\n"
        unless grep { $_ eq $class } @classes;
    $name->($topic);
    return $_[0];
};

# its check, its default (undef: none), whether it may come several times;
# a process has at most 20,000 descriptors, so the devices have fewer

my %keys = (
    messages      => [ $count->(1, 10_000_000) ],
    connections   => [ $count->(1, 19_000) ],
    rate          => [ $count->(1, 1_000_000) ],
    workers       => [ $count->(1, 64), 2 ],
    batch         => [ $count->(1, 10_000), 1 ],
    form          => [ $one_of->(qw( array ndjson )), 'array' ],
    classes       => [ $shares, 'telemetry=70,heartbeat=20,control=10' ],
    ack           => [ $one_of->(qw( delivered queued )), 'delivered' ],
    pad           => [ $count->(64, 1_000_000) ],
    retry         => [ $one_of->(qw( none refused )), 'none' ],
    'reset-every' => [ $count->(0, 1_000_000_000), 0 ],
    resend        => [ $count->(0, 90), 0 ],
    'resend-other' => [ $count->(0, 100), 0 ],
    'resend-depth' => [ $count->(1, 65_536), 48 ],
    sources       => [ $count->(1, 250), 1 ],
    seed          => [ $count->(0, 999_999_999), 1 ],
    grace         => [ $count->(1, 600), 60 ],
    max_seconds   => [ $count->(1, 3600), 300 ],
    rss_budget    => [ $size ],
    recovery_s    => [ $count->(1, 600) ],
    dead_letter   => [ $name ],
    gateway       => [ $directive, undef, 'many' ],
    location      => [ $directive, undef, 'many' ],
    http          => [ $directive, undef, 'many' ],
    allow_log     => [ $pattern, undef, 'many' ],
    topic         => [ $topic, undef, 'many' ],
);

my @needed = qw( messages connections rate );


# dies with FILE:LINE; $is_fault->(NAME) tells which faults there are

sub new {
    my ($class, $file, $is_fault) = @_;

    open my $f, '<', $file or die "$file: $!\n";

    my $self = bless { file => $file, value => {}, faults => [] }, $class;

    while (my $line = <$f>) {
        $line =~ s/(^|\s)#.*//s;
        $line =~ s/^\s+|\s+$//g;
        next if $line eq '';

        eval { $self->line($line, $is_fault); 1 }
            or die "$file:$.: $@";
    }

    for (@needed) {
        die "$file: no \"$_\"\n" unless defined $self->{value}{$_};
    }

    for (keys %keys) {
        $self->{value}{$_} //= $keys{$_}[1] if defined $keys{$_}[1];
    }

    $self->check_faults;

    return $self;
}


sub line {
    my ($self, $line, $is_fault) = @_;

    my ($key, $value) = split ' ', $line, 2;

    return $self->fault($key, $value // '', $is_fault)
        if $key eq 'at' || $key eq 'after';

    my ($check, undef, $many) = @{$keys{$key} || []}
        or die "unknown key \"$key\"\n";

    die "\"$key\" has no value\n" unless defined $value;

    $value = eval { $check->($value) } // die "\"$key\" $@";

    if ($many) {
        push @{$self->{value}{$key}}, $value;
        return;
    }

    die "\"$key\" is there twice\n" if defined $self->{value}{$key};
    $self->{value}{$key} = $value;
}


sub fault {
    my ($self, $when, $text, $is_fault) = @_;

    my ($seconds, $fault, @args) = split ' ', $text;

    die "must be \"$when SECONDS FAULT [ARGUMENT...]\"\n"
        unless defined $fault && $seconds =~ /^\d+(\.\d+)?$/;

    die "unknown fault \"$fault\"\n" unless $is_fault->($fault);

    for (@args) {
        die "invalid argument \"$_\"\n" unless /^[A-Za-z0-9._-]+$/;
    }

    my $last = $self->{faults}[-1];

    if ($when eq 'after') {
        die "there is no fault before\n" unless $last;

    } else {
        die "faults must be in the order of their times\n"
            if $last && $last->{when} eq 'at' && $last->{seconds} > $seconds;
    }

    push @{$self->{faults}}, { when => $when, seconds => $seconds,
                               name => $fault, args => \@args };
}


# a fault that comes when the devices have ended hits nothing

sub check_faults {
    my ($self) = @_;

    my $lasts = $self->get('messages') / $self->get('rate');

    for (grep { $_->{when} eq 'at' } @{$self->{faults}}) {
        die sprintf "%s: fault \"%s\" at %s s, but the devices may send "
                    . "for %.0f s only\n",
                    $self->{file}, $_->{name}, $_->{seconds}, $lasts
            if $_->{seconds} >= $lasts;
    }
}


sub get {
    my ($self, $key) = @_;

    my $value = $self->{value}{$key};

    return @{$value || []} if $keys{$key}[2];
    return $value;
}


# { CLASS => TOPIC }

sub topics {
    my ($self) = @_;

    return { (map { $_ => "fleet.$_" } @classes),
             (map { split ' ' } $self->get('topic')) };
}


# the class directives: highest first

sub classes {
    my ($self) = @_;

    my $topics = $self->topics;

    return map { "class $_ topic=$topics->{$_};" } @classes;
}


# as t/ledger/README.md says; sizes in bytes, defaults filled in

sub plan {
    my ($self) = @_;

    my @lines;
    my $topics = $self->topics;

    for my $key (sort keys %keys) {
        next if $key eq 'topic';
        push @lines, map { "$key $_" } grep { defined } $self->get($key);
    }

    push @lines, map { "topic $_ $topics->{$_}" } @classes;
    push @lines, map { join ' ', @{$_}{qw( when seconds name )},
                           @{$_->{args}} } @{$self->{faults}};

    return join '', map { "$_\n" } @lines;
}

1;
