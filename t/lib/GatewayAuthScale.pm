package GatewayAuthScale;

# GatewayAuthScale - requests by the ten thousand, made beforehand and sent by
# t/bench/replay.c, and a registry of a million devices: what the pages and
# the bench about the cost of authentication share.  Credentials themselves
# are GatewayAuth's.
#
#   my $replay = replay_binary("$build/scale");
#   write_requests($file, request(basic('pump-7'), $body), ...);
#   my $r = replay($replay, address => '127.0.0.1:80', requests => $file,
#                  count => 20000, connections => 8);
#   $r->{status_401}, $r->{p99_us}, ...

use strict;
use warnings;

use Digest::SHA ();
use Exporter 'import';
use File::Path ();
use MIME::Base64 ();

our @EXPORT = qw( cpu_ns envelope many_devices replay replay_binary
                  replay_end replay_start request rss write_requests );


# built when its source is newer

sub replay_binary {
    my ($dir) = @_;

    my $source = 't/bench/replay.c';
    my $binary = "$dir/replay";

    File::Path::make_path($dir);

    if (!-x $binary || -M $binary > -M $source) {
        system($ENV{CC} || 'gcc', qw( -std=gnu99 -O2 -Wall -Wextra -Werror -o ),
               $binary, $source) == 0
            or die "$source cannot be built\n";
    }

    return $binary;
}


# some 255 bytes of telemetry, in the same words as the bodies of the ledger

sub envelope {
    my ($device, $seq) = @_;

    my $i = $seq * 7919 + length $device;
    my $text = sprintf '{"device":"%s","seq":%d,"class":"telemetry",'
        . '"ts":%d,"data":{"temp":%d.%03d,"hum":%d.%d,"pres":10%02d.%02d,'
        . '"batt":3.%d,"rssi":-%d,"fw":"2.14.%d","valve":true,"err":null,'
        . '"mode":"auto-econ","up":%d,"vib":[0.%02d,-0.%02d,0.98],"n":"',
        $device, $seq, 1718000000123 + $i * 997, $i % 40, $i * 37 % 1000,
        $i * 13 % 100, $i % 10, $i % 60, $i * 7 % 100, $i % 100, $i % 120,
        $i % 12, 864 * ($i % 9999), $i % 100, $i * 3 % 100;

    my $room = 252 - length $text;

    return $text . ('x' x ($room > 0 ? $room : 0)) . '"}}';
}


# $authorization: undef for none

sub request {
    my ($authorization, $body, %headers) = @_;

    $headers{Authorization} = $authorization if defined $authorization;

    return "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
           . "Content-Type: application/json\r\n"
           . join('', map { "$_: $headers{$_}\r\n" } sort keys %headers)
           . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}


sub write_requests {
    my ($file, @requests) = @_;

    open my $f, '>:raw', $file or die "$file: $!\n";
    print $f length($_), "\n", $_ for @requests;
    close $f or die "$file: $!\n";

    return $file;
}


# %o: options of replay by their names; under: a command that runs it

sub replay_start {
    my ($binary, %o) = @_;

    my @under = @{delete $o{under} || []};
    my @command = (@under, $binary, map { ("--$_", $o{$_}) } sort keys %o);

    my $pid = open my $f, '-|', @command;
    die "$binary: $!\n" unless $pid;

    return { pid => $pid, out => $f };
}


sub replay_end {
    my ($run) = @_;

    my $f = $run->{out};
    my @said = <$f>;

    close $f or die "replay ended with $?: @said\n";

    my (undef, %r) = split ' ', $said[-1] || '';
    die "replay said no result: @said\n" unless $r{requests};

    return \%r;
}


sub replay {
    return replay_end(replay_start(@_));
}


# nanoseconds that all threads of these processes have run

sub cpu_ns {
    my (@pids) = @_;

    my $ns = 0;

    for (map { glob "/proc/$_/task/*/schedstat" } @pids) {
        open my $f, '<', $_ or next;
        $ns += (split ' ', <$f> // '')[0] || 0;
    }

    return $ns;
}


# bytes of memory that are the process's own

sub rss {
    my ($pid) = @_;

    open my $f, '<', "/proc/$pid/status" or die "/proc/$pid/status: $!\n";
    my ($kb) = join('', <$f>) =~ /^RssAnon:\s+(\d+) kB/m;

    return $kb * 1024;
}


# A registry of $n devices "dev-0000000" and on.  Tokens of the first $known
# are known to who asks: token($i) of what is returned; the others have one
# that nobody knows.

sub many_devices {
    my ($file, $n, $known) = @_;

    my $seed = Digest::SHA::sha256("$file $$ " . time);
    my $secret = sub { return Digest::SHA::sha256($seed . pack 'N', $_[0]) };

    open my $schema, '<', 'ngx_gateway_module/auth/registry.sql'
        or die "registry.sql: $!\n";

    open my $sql, '>', "$file.sql" or die "$file.sql: $!\n";
    print $sql ".bail on\n", <$schema>, <<"END";
PRAGMA synchronous = OFF;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT $known UNION ALL
                        SELECT i + 1 FROM n WHERE i < $n - 1)
INSERT INTO device (device, salt, secret, tenant, classes)
SELECT printf('dev-%07d', i), randomblob(16), randomblob(32),
       'tenant-' || (i % 100), '*' FROM n;
END

    for my $i (0 .. $known - 1) {
        my $salt = substr Digest::SHA::sha256("salt $seed $i"), 0, 16;

        printf $sql "INSERT INTO device (device, salt, secret, classes) "
                    . "VALUES ('dev-%07d', x'%s', x'%s', '*');\n", $i,
               unpack('H*', $salt),
               Digest::SHA::sha256_hex($salt . $secret->($i));
    }

    print $sql "COMMIT;\n";
    close $sql or die "$file.sql: $!\n";

    # it says the mode of the journal, which is no line of a test
    open my $said, '-|', qw( sqlite3 -batch -init /dev/null ), $file,
        ".read $file.sql" or die "sqlite3: $!\n";
    my @said = <$said>;
    close $said or die "sqlite3 cannot make $file: @said\n";

    unlink "$file.sql";

    return sub {
        my $text = MIME::Base64::encode_base64($secret->($_[0]), '');
        $text =~ tr{+/=}{-_}d;

        return $text;
    };
}

1;
