package GatewayTest;

# GatewayTest - Test::Nginx (CPAN's) for the gateway's pages of the manual.
#
#   use lib 't/lib';
#   use GatewayTest 'no_plan';
#   run_tests();
#   __DATA__
#
# Sections beside those of Test::Nginx::Socket:
#
#   --- gateway          the words inside "gateway { }" of the block; brokers
#                        is added where it is missing.  Without the section
#                        there is a gateway with the topics of the block,
#                        unless main_config declares one itself
#   --- mqtt             the words of a server of stream that speaks MQTT to
#                        the gateway, at the port of mqtt(); it listens
#   --- lines            the same of one that speaks lines, at lines_port()
#   --- topics           topics to be created in the real Kafka before nginx
#                        starts, one a line: NAME [PARTITIONS [config=value]].
#                        Default: those of the default gateway
#   --- mock             a librdkafka mock cluster instead of the real Kafka;
#                        its lines are commands given before nginx starts
#                        (see t/kafka/mock.c)
#   --- no_kafka         the block needs no Kafka at all
#   --- modules          what is loaded instead of all modules, in this order:
#                        names of files without "ngx_" and "_module.so"
#   --- records          what a topic must hold once the block has run: a line
#                        TOPIC [COUNT], then one regular expression a record,
#                        in any order; a second topic begins behind an empty
#                        line.  COUNT is by default the number of expressions.
#                        They are matched against "KEY VALUE NAME=VALUE...",
#                        the headers sorted by name
#   --- metrics          lines NAME{LABEL="VALUE",...} NUMBER, what /metrics
#                        must say: the sum of all series with these labels,
#                        "nginx_gateway_" left out.  A gauge is waited for
#   --- no_books         nginx is not there any more when the block ends
#   --- then             Perl that runs behind the request and before records
#                        and metrics are looked at, with the functions exported
#                        below
#
# In every section $T is a prefix of its own for this block: topics named
# $T.telemetry, $T.control and $T.heartbeat exist by default.  $KAFKA is the
# address of the Kafka of the block.
#
# Where no section says so, a block is POSTed nothing: it gets /live.  Behind
# each block the books of /metrics must balance, and any [alert] or sanitizer
# line in error.log fails it, up to the end of nginx.
#
# A block that wants the real Kafka is skipped, and counted as skipped, where
# none runs.
#
# A file of configurations only ends in run_config_tests(): each of them goes
# through "nginx -t".  The sections of its blocks are
#
#   --- accepted         a configuration a line
#   --- refused          unindented lines are a configuration, the indented
#                        ones that follow what nginx must say of it, with file
#                        and line.  Where the line is not the first of the
#                        configuration "-> TEXT" ends the message, and the
#                        line must hold TEXT; /.../ is a regular expression
#   --- around           what stands around it, %s is its place.  Default: a
#                        gateway block
#   --- modules          as above
#   --- optional         the block is skipped where one of them was not built
#   --- user_files       as Test::Nginx has it; $DIR is where they are
#   --- never            what no message may say

use strict;
use warnings;

use Test::Nginx::Socket -Base;
use Test::More ();
use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes ();

our @EXPORT = qw( answer block_prefix client config_test http logged
                  master_pid metric metrics mock_command modules mqtt
                  lines_port mqtt_port port problem
                  records_are run_config_tests tap topic_records until_true );

repeat_each(1);
no_shuffle();
no_long_string();
no_root_location();
log_level('info');
workers(1);
master_on();

my $build = $ENV{BUILD} || 'build';
my $kafka = $ENV{GATEWAY_KAFKA};
my $load = $Test::Nginx::Util::LoadModules;
my $number = 0;
my $current;
my %mock;

# ours alone decide what a page says
delete $ENV{$_} for grep { /^http_proxy$|^all_proxy$/i } keys %ENV;


# the prefix of the topics of this block

sub block_prefix() {
    return $current->{gw};
}


sub master_pid() {
    open(my $in, '<', $Test::Nginx::Util::PidFile)
        or Test::Nginx::Util::bail_out("no pid file: $!");
    chomp(my $pid = <$in>);
    return $pid;
}


sub port() {
    return $Test::Nginx::Util::ServerPortForClient;
}


# of the server of --- mqtt

sub mqtt_port() {
    return port() + 1;
}


sub lines_port() {
    return port() + 2;
}


# a client of MQTT, see GatewayMqtt; it is not signed in yet

sub mqtt(%) {
    my (%args) = @_;

    require GatewayMqtt;

    return GatewayMqtt->new(port => mqtt_port(), %args);
}


# the files that can be loaded, by the names that --- modules has for them

sub modules() {
    my %file;

    for my $file (split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '') {
        my ($name) = $file =~ m{([^/]+)\.so$} or next;
        $name =~ s/^ngx_//;
        $name =~ s/_module$//;
        $file{$name} = $file;
    }

    return %file;
}


# one request to nginx beside that of the block: an answer of HTTP::Tiny

sub http($$;$%) {
    my ($method, $path, $body, %headers) = @_;

    $headers{'Content-Type'} = 'application/json'
        if defined $body && !exists $headers{'Content-Type'};
    delete $headers{'Content-Type'} unless defined $headers{'Content-Type'};

    my %options = (headers => \%headers);
    $options{content} = $body if defined $body;

    return HTTP::Tiny->new(timeout => 30)
                     ->request($method, 'http://127.0.0.1:' . port() . $path,
                               \%options);
}


# a connection to nginx on which these bytes were sent

sub client($) {
    my ($bytes) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => port(), Timeout => 10)
        or Test::Nginx::Util::bail_out("no connection to nginx: $!");

    $socket->autoflush(1);
    $socket->print($bytes);

    return $socket;
}


# what arrives on it until it ends, or until that matches

sub answer($;$) {
    my ($socket, $until) = @_;

    my $text = '';
    my $end = Time::HiRes::time() + 20;

    while (!defined $until || $text !~ $until) {
        my $set = '';
        vec($set, fileno($socket), 1) = 1;

        last unless select($set, undef, undef, $end - Time::HiRes::time());
        last unless sysread($socket, $text, 65536, length $text);
    }

    return $text;
}


# status, reason and detail of a refusal, as one line

sub problem($) {
    my ($answer) = @_;

    my $p = eval { decode_json($answer->{content}) } || {};

    return join ' ', $answer->{status}, grep { defined }
                     @$p{qw( reason detail )};
}


# true once the condition is met, at most that many seconds later

sub until_true(&;$) {
    my ($condition, $seconds) = @_;

    my $end = Time::HiRes::time() + ($seconds || 10);

    while (Time::HiRes::time() < $end) {
        my $value = $condition->();
        return $value if $value;
        Time::HiRes::sleep(0.02);
    }

    return $condition->();
}


# a test: a line like that comes into a file of logs/

sub logged($;$) {
    my ($pattern, $file) = @_;

    my $path = "$Test::Nginx::Util::LogDir/" . ($file || 'error.log');
    my $found = until_true {
        open(my $in, '<', $path) or return 0;
        scalar grep { $_ =~ $pattern } <$in>;
    };

    Test::More::ok($found, "logged: $pattern");
}


# the tap reads the topics of the real Kafka; it is not librdkafka

sub tap($$;$) {
    my ($method, $path, $timeout) = @_;

    my ($port) = $kafka =~ /:(\d+)$/;
    my $r = HTTP::Tiny->new(timeout => $timeout || 60)
                      ->request($method, 'http://127.0.0.1:' . ($port + 2)
                                         . $path);

    Test::Nginx::Util::bail_out("tap: $method $path: $r->{status} "
                                . $r->{content})
        unless $r->{success};

    return $r->{content};
}


# at least $count records of the topic, waited for

sub topic_records($;$) {
    my ($topic, $count) = @_;

    $topic =~ s/\$T\b/block_prefix()/e;

    my $text = tap('GET', "/topics/$topic/records?count=" . ($count || 0)
                          . '&timeout_ms=20000');

    return map { decode_json($_) } grep { /\S/ } split /\n/, $text;
}


# what is not UTF-8 comes as base64; a header that is given twice as an array

sub record_line($) {
    my ($record) = @_;

    my $text = sub {
        my ($value) = @_;
        return !defined $value ? 'null'
               : ref $value ? "base64:$value->{base64}" : $value;
    };

    my $member = sub {
        my ($name) = @_;
        my $coded = $record->{"${name}_base64"};
        return defined $coded ? "base64:$coded" : $text->($record->{$name});
    };

    my $headers = $record->{headers};

    return join ' ', $member->('key'), $member->('value'), map {
        my $name = $_;
        my $value = $headers->{$name};
        map { "$name=" . $text->($_) }
            ref $value eq 'ARRAY' ? @$value : $value;
    } sort keys %$headers;
}


# a test: the topic holds these records and no other, in any order

sub records_are($$;$$) {
    my ($topic, $wanted, $count, $name) = @_;

    my @wanted = @$wanted;
    my @lines = map { record_line($_) }
                    topic_records($topic, defined $count ? $count : @wanted);
    my @left = @lines;

    # a number alone: so many, whatever they are
    return Test::More::is(scalar @lines, $count,
                          $name || "the number of records of $topic")
        if $count && !@wanted;

    for my $i (reverse 0 .. $#wanted) {
        my ($hit) = grep { $left[$_] =~ /$wanted[$i]/ } 0 .. $#left;
        next unless defined $hit;
        splice @left, $hit, 1;
        splice @wanted, $i, 1;
    }

    Test::More::ok(!@left && !@wanted,
                   $name || "the records of $topic are those wanted")
        or Test::More::diag(join "\n", "topic $topic holds", @lines,
                            'not found', @wanted, 'not wanted', @left);
}


# the Prometheus page as a list of [ name, labels, value ]

sub metrics(;$) {
    my ($path) = @_;

    my $answer = http('GET', $path || '/metrics');
    my @series;

    for (split /\n/, $answer->{content}) {
        my ($name, $labels, $value) = /^(\w+)(?:\{(.*)\})? (\S+)$/ or next;
        my %labels = ($labels || '') =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;

        $name =~ s/^nginx_gateway_//;
        push @series, [ $name, \%labels, $value ];
    }

    return @series;
}


# the sum of the series with that name and at least these labels; undef where
# there is none

sub metric($@) {
    my ($wanted, @series) = @_;

    my ($name, $labels) = $wanted =~ /^(\w+)(?:\{(.*)\})?$/
        or Test::Nginx::Util::bail_out("no name of a metric: $wanted");
    my %labels = ($labels || '') =~ /(\w+)="([^"]*)"/g;
    my $sum;

    @series = metrics() unless @series;

    SERIES: for (@series) {
        next if $_->[0] ne $name;

        for my $label (keys %labels) {
            next SERIES if !defined $_->[1]{$label}
                           || $_->[1]{$label} ne $labels{$label};
        }

        $sum += $_->[2];
    }

    return $sum;
}


sub books_balance($) {
    my ($name) = @_;

    my @series = metrics();
    my %sum;

    for (@series) {
        $sum{$_->[1]{gateway}}{$_->[0]} += $_->[2]
            if defined $_->[1]{gateway};
    }

    Test::More::ok(scalar(keys %sum), "$name - /metrics keeps books");

    for my $gateway (sort keys %sum) {
        my %m = map { my $n = $_; $n =~ s/_messages(?:_total)?$//r
                      => $sum{$gateway}{$_} } keys %{$sum{$gateway}};

        $_ ||= 0 for @m{qw( received rejected duplicate shed shed_at_entry
                            accepted delivered dead_lettered failed lost
                            waiting )};

        my $shed = $m{shed} - $m{shed_at_entry};

        Test::More::is($m{rejected} + $m{duplicate} + $m{shed_at_entry}
                       + $m{accepted}, $m{received},
                       "$name - what was received was refused or accepted");
        Test::More::is($m{delivered} + $m{dead_lettered} + $m{failed} + $shed
                       + $m{lost} + $m{waiting}, $m{accepted},
                       "$name - what was accepted ended or waits");
    }
}


sub start_mock($$) {
    my ($block, $lines) = @_;

    my $binary = "$build/mock";
    my $t = $block->{gw};

    my $pid = open(my $out, '-|',
                   $binary, '--max-seconds', '300', "$t.telemetry:4",
                   "$t.control:4", "$t.heartbeat:4", "$t.dead:1")
        or Test::Nginx::Util::bail_out("mock: $binary: $!");

    chomp(my $address = <$out> // '');
    chomp(my $control = <$out> // '');

    my ($port) = $control =~ /(\d+)$/;

    Test::Nginx::Util::bail_out("mock: $binary does not start: $address")
        unless $port;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port)
        or Test::Nginx::Util::bail_out("mock: no control: $!");

    %mock = (pid => $pid, out => $out, control => $socket);

    mock_command($_) for grep { /\S/ } split /\n/, $lines;

    return $address;
}


sub mock_command($) {
    my ($line) = @_;

    $line =~ s/\$T\b/block_prefix()/ge;
    $mock{control}->print("$line\n");

    my $answer = $mock{control}->getline() // 'it is gone';

    Test::Nginx::Util::bail_out("mock: $line: $answer")
        unless $answer =~ /^ok/;

    return $answer;
}


sub stop_mock() {
    return unless $mock{pid};

    $mock{control}->print("quit\n");
    close $mock{control};
    close $mock{out};
    %mock = ();
}


# behind the last answer of a block

sub check_block($) {
    my ($block) = @_;

    my $name = $block->name;

    if (defined $block->then) {
        eval 'package main; use strict; use warnings; ' . $block->then;
        Test::More::is($@, '', "$name - its steps can be taken");
    }

    if (defined $block->records) {
        for my $part (split /\n\s*\n/, $block->records) {
            my ($first, @wanted) = grep { /\S/ } split /\n/, $part;
            my ($topic, $count) = split ' ', $first;

            records_are($topic, \@wanted, $count,
                        "$name - $topic holds what was sent");
        }
    }

    if (defined $block->metrics) {
        for (grep { /\S/ } split /\n/, $block->metrics) {
            my ($series, $wanted) = /^\s*(\S.*?)\s+(\S+)$/;
            my $value;

            until_true {
                $value = metric($series);
                defined $value ? $value == $wanted : $wanted eq 'none';
            } 5;

            Test::More::is(defined $value ? $value : 'none', $wanted,
                           "$name - $series");
        }
    }

    books_balance($name) unless defined $block->no_books;
}


# "nginx -t" on a whole configuration: its exit code, the lines that it said

sub config_test($$;$) {
    my ($dir, $text, $load_modules) = @_;

    my $lines = join '', map { "load_module $_;\n" }
                             split ' ', defined $load_modules
                                        ? $load_modules : $load;

    open(my $file, '>', "$dir/nginx.conf") or die "$dir/nginx.conf: $!\n";
    print $file "${lines}pid $dir/nginx.pid;\nevents { }\n$text\n";
    close($file);

    open(my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh',
         $ENV{TEST_NGINX_BINARY} || 'nginx', '-t', '-p', $dir, '-c',
         "$dir/nginx.conf", '-e', 'stderr') or die "nginx: $!\n";

    my @said = <$out>;
    close($out);

    return ($? >> 8, @said);
}


sub run_config_tests() {
    for my $block (Test::Base::blocks()) {
        my $name = $block->name;
        my $dir = File::Temp->newdir();
        my %file = modules();
        my $use = defined $block->modules
                  ? join ' ', map { $file{$_} || "missing/$_.so" }
                                  split ' ', $block->modules
                  : undef;

        if (defined $block->optional && $use =~ /missing/) {
            SKIP: {
                Test::More::skip("$name - was not built", 1);
            }
            next;
        }

        my $around = defined $block->around ? $block->around : '';
        my $files = defined $block->user_files ? $block->user_files : '';

        while ($files =~ /^>>> (\S+)\n((?:(?!>>> ).*\n?)*)/mg) {
            open(my $out, '>', "$dir/$1") or die "$dir/$1: $!\n";
            print $out $2;
            close($out);
        }

        my $whole = sub {
            my ($text) = @_;

            my $frame = $around;

            if ($frame eq '') {
                $frame = "gateway {\n%s\n}\nhttp { }\n";
                $frame =~ s/%s/brokers 127.0.0.1:1;\n%s/
                    unless $text =~ /^\s*brokers\b/m;
                $frame =~ s/%s/topic telemetry;\n%s/
                    unless $text =~ /^\s*topic\b/m;
            }

            $frame =~ s/%s/$text/;
            $frame =~ s/\$DIR\b/$dir/g;

            return $frame;
        };

        for my $text (split /\n/, $block->accepted // '') {
            next unless $text =~ /\S/;

            my ($code, @said) = config_test($dir, $whole->($text), $use);

            Test::More::is($code, 0, "$name - accepted: $text")
                or Test::More::diag(@said);
        }

        my $refused = $block->refused // '';

        while ($refused =~ /((?:^\S.*\n)+)((?:^\s+\S.*(?:\n|\z))+)/mg) {
            my ($text, $message) = ($1, $2);

            my ($at) = $message =~ s/\s*->\s*(.*\S)\s*\z// ? $1
                       : $text =~ /(.*)/;
            my ($code, @said) = config_test($dir, $whole->($text), $use);

            s/\$DIR\b/$dir/g for $message, $at;
            $message = join ' ', split ' ', $message;
            (my $title = "$name - refused: $text") =~ s/\s+/ /g;

            Test::More::is($code, 1, $title);

            Test::More::ok(!(grep { index($_, $block->never) >= 0 } @said),
                           '... and nothing said of ' . $block->never)
                if defined $block->never;

            my $pattern = $message =~ m{^/(.*)/$} ? qr/$1/ : qr/\Q$message/;
            my ($line) = grep { $_ =~ $pattern } @said;

            Test::More::ok(defined $line, "... with \"$message\"")
                or Test::More::diag(@said);

            next if !defined $line || $at eq 'nowhere';

            my ($path, $n) = $line =~ / in (\S+):(\d+)$/;

            if (!Test::More::ok($n, '... and its place')) {
                Test::More::diag($line);
                next;
            }

            open(my $in, '<', $path) or die "$path: $!\n";
            my @lines = <$in>;
            close($in);

            Test::More::ok(index($lines[$n - 1] // '', $at) >= 0,
                           "... which is the line of \"$at\"")
                or Test::More::diag("line $n is: " . ($lines[$n - 1] // ''));
        }
    }
}


add_block_preprocessor(sub {
    my ($block) = @_;

    stop_mock();

    # a process id comes again, and a Kafka may outlive it
    my $t = sprintf 't%d-%d-%d', $^T, $$, ++$number;

    $current = $block;
    $block->{gw} = $t;

    $Test::Nginx::Util::LoadModules = $load;

    if (defined $block->modules) {
        my %file = modules();
        $Test::Nginx::Util::LoadModules
            = join ' ', map { $file{$_} || "missing/$_.so" }
                            split ' ', $block->modules;
    }

    my $gateway = $block->gateway;
    my $main = defined $block->main_config ? $block->main_config : '';
    my $address = $kafka || '127.0.0.1:1';
    my $dies = defined $block->must_die;
    my $alone = $dies || defined $block->no_kafka;

    if (defined $block->mock) {
        $address = start_mock($block, $block->mock);

    } elsif (!$alone && !$kafka) {
        $block->set_value('skip_nginx', '1: > 0.0.1: no real Kafka runs');
        $block->set_value('request', 'GET /live');

    } elsif (!$alone) {
        my $topics = $block->topics;
        $topics = "\$T.telemetry 4\n\$T.control 4\n\$T.heartbeat 4\n"
            unless defined $topics;
        $topics =~ s/\$T\b/$t/g;

        for (split /\n/, $topics) {
            my ($topic, $partitions, @config) = split;
            next unless defined $topic;

            tap('PUT', "/topics/$topic?partitions=" . ($partitions || 1)
                       . join '', map { "&config.$_" } @config);
        }
    }

    if (defined $gateway || $main !~ /^\s*gateway\b/m) {
        $gateway = '' unless defined $gateway;
        $gateway = "brokers \$KAFKA;\n" . $gateway
            unless $gateway =~ /^\s*brokers\b/m;
        $gateway .= "topic \$T.telemetry;\n"
                    . "class control topic=\$T.control;\n"
                    . "class heartbeat topic=\$T.heartbeat;\n"
                    . "class telemetry;\n"
            unless $gateway =~ /^\s*(?:topic|class)\b/m;

        $block->set_value('main_config', "$main\ngateway {\n$gateway}\n")
            unless defined $block->modules;
    }

    my $servers = join '', map {
        my ($protocol, $at, $text) = @$_;
        defined $text ? "server {\nlisten 127.0.0.1:$at;\n"
                        . "gateway_pass protocol=$protocol;\n$text}\n" : ();
    } [ 'mqtt', mqtt_port(), $block->mqtt ],
      [ 'lines', lines_port(), $block->lines ];

    $block->set_value('main_config', $block->main_config
                                     . "stream {\n$servers}\n") if $servers;

    my $config = $block->config;

    $config = "location /t { gateway_pass; }\n"
        unless defined $config || $dies;
    $config = '' unless defined $config;

    if (defined $block->response_body_like
        && !ref $block->response_body_like)
    {
        (my $like = $block->response_body_like) =~ s/\n\z//;
        $block->set_value('response_body_like', $like);
    }

    if (!$dies) {
        $config .= "\nlocation = /metrics { gateway_status prometheus; }\n"
                   . "location = /status { gateway_status; }\n"
                   . "location = /live { gateway_status live; }\n";

        $block->set_value('no_error_log', "[alert]\nSanitizer")
            unless defined $block->no_error_log;
        $block->set_value('no_shutdown_error_log', "[alert]\nSanitizer")
            unless defined $block->no_shutdown_error_log
                   || defined $block->shutdown_error_log
                   || defined $block->skip_nginx;
        $block->set_value('request', 'GET /live')
            unless defined $block->request || defined $block->raw_request
                   || defined $block->pipelined_requests;

        my ($requests) = grep { ref } $block->request,
                                      $block->pipelined_requests;
        $block->{gw_left} = $requests ? @$requests : 1;
    }

    $block->set_value('config', $config);

    my $expand = sub {
        $_[0] =~ s/\$T\b/$t/g;
        $_[0] =~ s/\$KAFKA\b/$address/g;
    };

    for my $section (qw( main_config config http_config error_log request
                         raw_request more_headers access_log user_files
                         no_error_log response_body response_body_like
                         records then ))
    {
        my $value = $block->$section;
        next unless defined $value;

        if (ref $value eq 'ARRAY') {
            for my $item (@$value) {
                $expand->($item) unless ref $item;
            }

        } elsif (!ref $value) {
            $expand->($value);
            $block->set_value($section, $value);
        }
    }
});


add_response_body_check(sub {
    my ($block, $body, $req_idx, $repeated_req_idx, $dry_run) = @_;

    check_block($block) if !$dry_run && --$block->{gw_left} == 0;
});


add_cleanup_handler(sub { stop_mock() });

1;
