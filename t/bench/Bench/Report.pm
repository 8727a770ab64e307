package Bench::Report;

# Bench::Report - the figures as text for people.

use strict;
use warnings;

use List::Util qw( max min sum );
use POSIX ();

use Bench::Callgrind;
use Bench::Case;
use Bench::Cpu;
use Bench::Dedup;
use Bench::Goals;
use Bench::Perf;
use Bench::Table;


# where the instructions come from, in sentences

sub method {
    my ($method) = @_;

    return 'user and kernel instructions counted by perf'
        if $method eq 'perf';

    return ('user instructions counted by callgrind, times of the gateway '
            . "$Bench::Callgrind::SLOWER-fold",
            "kernel instructions of a request ASSUMED to be "
            . "$Bench::Perf::KERNEL in every case: no counter here");
}


sub text {
    my ($result) = @_;

    my @rows;

    for my $case (@Bench::Case::ALL) {
        my $name = $case->{name};
        my $i = $result->{instructions}{$name};
        my $cpu = $result->{cpu}{$name};
        my $batch = $i->{messages} / $i->{requests};
        my $ratio = $i->{ratio};
        my $ticks = max($cpu->{user} + $cpu->{sys}, 1);

        push @rows, [
            $case->{say},
            spread('%.2f', @{$cpu->{us}}),
            sprintf('%d/%d', 100 * $cpu->{user} / $ticks,
                    100 * $cpu->{sys} / $ticks),
            sprintf('%.2f', Bench::Cpu::median(@{$cpu->{ratio}})),
            sprintf('%.0f', $i->{user}),
            sprintf('%.3f', $ratio),
            sprintf('%.0f', $i->{user} / $batch),
            sprintf('%.3f', $ratio / $batch),
            sprintf('%.1f', Bench::Cpu::median(@{$cpu->{rate}}) / 1000),
            sprintf('%.2f', Bench::Cpu::median(@{$cpu->{p50}}) / 1000),
            $cpu->{bad},
        ];
    }

    return Bench::Table::text(
        ['case', 'CPU us a message', 'user/sys %', 'x204',
         'user instr. a request', 'x204 instr.', 'a message',
         'x204 a message', 'k messages/s', 'p50 ms', 'bad'], @rows)
        . "\n"
        . Bench::Table::text(
            ['goal', 'what', 'measured', 'ambitious', 'acceptable', 'holds'],
            Bench::Goals::rows(measured($result), quiet($result)))
        . "\nP20 (nothing acknowledged is lost, memory and event loop stay "
        . "within their\nbounds while the broker is gone) is judged by "
        . "t/600-outage.t and the ledger.\n\n"
        . Bench::Table::text(
            ['part', 'bytes', 'ns', 'fastest block', 'GB/s'],
            map { [$_->{name}, $_->{bytes} || '-', $_->{ns}, $_->{best},
                   $_->{bytes} ? sprintf('%.2f', $_->{bytes} / $_->{ns})
                               : '-'] } @{$result->{pure}})
        . "\n" . Bench::Dedup::text($result->{dedup});
}


# the figures that goals are about

sub measured {
    my ($result) = @_;

    my $i = $result->{instructions};
    my $cpu = $result->{cpu};
    my %pure = map { $_->{name} => $_ } @{$result->{pure}};

    my %x = map { $_ => $i->{$_}{ratio} } keys %$i;
    my %us = map { $_ => Bench::Cpu::median(@{$cpu->{$_}{us}}) } keys %$cpu;
    my %c = map { $_ => Bench::Cpu::median(@{$cpu->{$_}{ratio}}) }
            keys %$cpu;

    return {
        P1 => $x{queuednone},
        P1z => $x{queued},
        P1s => $x{schema},
        P1sz => $x{schemalz4},
        P2 => $c{queuednone},
        P2z => $c{queued},
        P3 => $x{delivered512none},
        P3z => $x{delivered512},
        P4 => $c{delivered512none},
        P4z => $c{delivered512},
        P9a => $us{queued} / $us{array},
        P9n => $us{queued} / $us{ndjson},
        P13 => $pure{json}{ns},
        P13a => $pure{'json, array'}{ns} / 1000,
        P14k => $pure{'auth, registry, seen before'}{ns} / 1000,
        P14r => $pure{'auth, registry, new'}{ns} / 1000,
        P14h => $pure{'auth, HS256, new'}{ns} / 1000,
        P14e => $pure{'auth, ES256, new'}{ns} / 1000,
        P14t => $pure{'auth, token seen before'}{ns} / 1000,
        P15 => Bench::Dedup::row($result->{dedup}, $Bench::Dedup::MESSAGE)
                   ->{ns},
        P15b => $result->{dedup}{bytes},
        authk => $x{devicescached} / $x{devicessent},
        autht => $x{es256cached} / $x{es256sent},
        P18 => $result->{half}{queued} / $result->{half}{204},
        P19 => Bench::Cpu::median(@{$cpu->{delivered}{p50}}) / 1000
               - $Bench::Case::LINGER,
        P21 => $x{loaded},
        P21g => $x{off},
    };
}


sub spread {
    my ($format, @values) = @_;

    return sprintf "$format [$format..$format]",
                   Bench::Cpu::median(@values), min(@values), max(@values);
}


# the measurement itself keeps some two threads busy

sub quiet {
    my ($result) = @_;

    return $result->{load} < 3;
}


# what stands above the tables in the file

sub head {
    my ($result) = @_;

    my (undef, undef, $kernel, undef, $machine) = POSIX::uname();
    my $cores = () = slurp('/proc/cpuinfo') =~ /^processor/mg;
    my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)/m;
    my $nginx = $ENV{NGINX_BINARY} || '/usr/sbin/nginx';
    my ($version) = `$nginx -v 2>&1` =~ m{nginx/(\S+)};
    my $rdkafka = `pkg-config --modversion rdkafka 2>/dev/null` || '?';
    chomp $rdkafka;

    my $date = POSIX::strftime('%Y-%m-%d', gmtime);
    my @method = method($result->{method});
    my $method = join '', map { "- $_.\n" } map { ucfirst } @method;

    my $quiet = quiet($result) ? ''
        : "\n**The machine was not quiet**: the load average was "
          . "$result->{load}.  Instructions\nhold; CPU times and latencies "
          . "say nothing, goals about them are not judged.\n";

    return <<"END";
# What a message costs

Written by `.ci/bench` on $date; do not edit.  Read the ratios, not the
microseconds.
$quiet
- Machine: $cores cores of $machine, @{[ $model || 'CPU unknown' ]}; Linux
  $kernel; nginx $version; librdkafka $rdkafka.
- One worker and the load generator on core 0, a Kafka of one node on core 1,
  all on loopback; an nginx of its own for each case, `access_log off`,
  connections kept, @{[ $Bench::Case::LINGER ]} ms linger.  64 connections
  where nothing else is said, one request outstanding on each; envelopes of
  some 255 bytes that vary.
- CPU time is that of all threads of the worker, librdkafka's included, until
  Kafka held every message; median [least..most] of $result->{rounds} rounds
  of $result->{seconds} s, interleaved; "x204" is the median of the ratios to
  `return 204` within each round.
$method- Messages a second are shared with the generator on the same core; the
  capacity of a core is 1,000,000 divided by the CPU us.
- "bad" counts messages that were refused: they are cheap, the row with them
  flatters.
- "auth": 64 devices in turn, no compression.  "not asked for" are the same
  bytes to a gateway without "gateway_auth": what NGINX takes to read them.
  "new": a cache of eight places, in which nobody is ever found.  Crypto under
  callgrind is dearer than it is: some instructions of the CPU are hidden.
- Dedup is on where nothing else is said, every message with a number of its
  own; of "auth", whose requests are sent again and again, it is off.
- P18: each at half of the rate that it reached, p99 of one to the other.

END
}


sub slurp {
    return Bench::Rig::slurp(@_);
}


sub profile {
    my ($case, $c, $lines) = @_;

    my $sum = $c->{sum};
    my $n = $c->{messages};

    my $text = sprintf "\n%s: user instructions a message, %d messages\n"
                       . "%9.1f  all; threads: %s\n", $case->{say}, $n,
                       sum(@{$sum->{threads}}) / $n,
                       join ' ', map { sprintf '%.1f', $_ / $n }
                                 @{$sum->{threads}};

    for my $kind ([objects => 99], [functions => $lines]) {
        my $of = $sum->{$kind->[0]};
        my @top = sort { $of->{$b} <=> $of->{$a} } keys %$of;

        $text .= "\n";
        $text .= sprintf "%9.1f  %s\n", $of->{$_} / $n, $_
            for splice @top, 0, $kind->[1];
    }

    return $text;
}

1;
