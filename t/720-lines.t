# Lines of JSON over TCP: an envelope a line, a reply a line, in order.
# Without this page a bad line could take its neighbours with it, or a line
# that was cut off be taken for one.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

use IO::Select;
use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVBUF);

sub open_lines {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => lines_port()) or die $!;
    $socket->autoflush(1);

    return $socket;
}

# the next n replies, or "end"

sub replies {
    my ($socket, $n) = @_;

    my @seen;

    while (@seen < $n) {
        my $line = <$socket>;
        push @seen, defined $line ? $line =~ s/\n//r : 'end';
        last if !defined $line;
    }

    return join ', ', @seen;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('lines', "gateway_auth off;\n")
        unless defined $block->lines;
});

run_tests();

__DATA__

=== each line has its reply, in order
--- user_files
>>> t.json
{"not":{"const":"no"}}
--- lines
gateway_auth off;
gateway_schema $TEST_NGINX_SERVER_ROOT/html/t.json;
--- then
my $s = main::open_lines();
print $s qq({"device":"a","seq":1,"data":1}\n),
         qq({"device":"a","seq":1,"data":1}\r\n\r\n\n),
         qq({"device":"a","seq":1,"data":2}\n), qq({"device":"a",\n),
         qq({"device":"a","data":"no"}\n), qq({"data":1}\n),
         qq({"device":"a","class":"x","data":1}\n),
         qq({"device":"a","seq":2,"class":"control","data":3}\n);
is(main::replies($s, 8),
   'ok, ok duplicate, bad conflict, bad malformed, bad schema, '
   . 'bad malformed, bad malformed, ok', 'as it should be');
print $s qq({"device":"a","seq":3,"data":1});
close($s);
ok((until_true { metric('connections{protocol="lines"}') == 0 }), 'it has gone');
--- records
$T.telemetry 1
^a .*"seq":1

$T.control 1
^a .*"seq":2
--- metrics
received_messages_total{protocol="lines"} 8
rejected_messages_total{protocol="lines",reason="malformed"} 3
disconnects_total{protocol="lines",reason="closed"} 1



=== a reply waits for those before it, and many lines are one write
--- mock
down
--- then
my $s = main::open_lines();
print $s join '', map { qq({"device":"d","seq":$_,"data":1}\n) } 1 .. 3000;
ok((until_true { metric('accepted_messages_total') >= 1024 }), 'so many are read');
is(metric('accepted_messages_total'), 1024, '... and no more');
ok(!IO::Select->new($s)->can_read(0.3), 'and nothing is said');
mock_command('up');
is(main::replies($s, 3000), join(', ', ('ok') x 3000), 'then everything');
--- metrics
delivered_messages_total 3000



=== the first line signs in
--- devices
pump-7
--- keys: p256
--- lines
gateway_auth devices $AUTH/devices.db;
gateway_auth jwt keys=$AUTH/keys.json;
--- then
my $token = token('pump-7');
my $s = main::open_lines();
print $s qq({"device":"pump-7","token":"$token"}\n{"data":1}\n),
         qq({"device":"pump-8","data":2}\n);
is(main::replies($s, 3), 'ok, ok, denied forbidden', 'a device');
$s = main::open_lines();
my $jwt = jwt('ES256', 'p256', claims(sub => 'pump-9'));
print $s qq({"token":"$jwt"}\n{"data":3}\n);
is(main::replies($s, 2), 'ok, ok', 'a token');
for my $line (qq({"device":"pump-8","token":"$token"}), '{"data":1}', 'x',
              '{"token":"ey.x.y"}', '{"device":"pump-7","token":"x"}')
{
    $s = main::open_lines();
    print $s "$line\n{\"data\":4}\n";
    is(main::replies($s, 2), 'denied unauthenticated, end', "not: $line");
}
--- records
$T.telemetry
^pump-7 .*"data":1
^pump-9 .*"data":3
--- metrics
disconnects_total{reason="unauthenticated"} 5



=== a line that is too long, or never ends, ends the connection
--- lines
gateway_auth off;
gateway_max_message_size 1k;
gateway_packet_timeout 1s;
gateway_connect_timeout 1s;
--- then
my $s = main::open_lines();
print $s qq({"device":"a","data":1}\n), '{"device":"a","data":"', 'x' x 2000;
is(main::replies($s, 3), 'ok, bad too_large, end', 'too long');
$s = main::open_lines();
print $s qq({"device":"a","data":2}\n{"device":"a",);
is(main::replies($s, 2), 'ok, end', 'never ends');
$s = main::open_lines();
is(main::replies($s, 1), 'end', 'nothing at all');
--- metrics
disconnects_total{reason="too_large"} 1
disconnects_total{reason="packet_timeout"} 1
disconnects_total{reason="connect_timeout"} 1



=== a device that is shut out has its next line refused
--- devices
pump-7
--- lines
gateway_auth devices $AUTH/devices.db;
--- then
my $token = token('pump-7');
my $s = main::open_lines();
print $s qq({"device":"pump-7","token":"$token"}\n{"data":1}\n);
is(main::replies($s, 2), 'ok, ok', 'taken');
sql("UPDATE device SET not_after = 1 WHERE device = 'pump-7';");
ok((until_true {
    print $s qq({"data":2}\n);
    main::replies($s, 1) =~ /^denied/;
}), 'refused');
is(main::replies($s, 1), 'end', '... and cut');
--- metrics
disconnects_total{protocol="lines",reason="revoked"} 1
rejected_messages_total{protocol="lines",reason="revoked"} 1



=== who sends everything and reads late has every reply
--- lines
gateway_auth off;
gateway_timeout 1s;
--- mock
up
--- then
my $s = main::open_lines();
my $n = 400000;
setsockopt($s, SOL_SOCKET, SO_RCVBUF, pack('i', 65536));
my $pid = fork // die $!;
if (!$pid) {
    print $s "x\n" x $n;
    POSIX::_exit(0);
}
ok((until_true { metric('rejected_messages_total') > 1000 }), 'some are read');
my $last = -1;
ok((until_true {
    my $now = metric('rejected_messages_total');
    my $same = $now == $last;
    $last = $now;
    $same;
}), 'then no more');
cmp_ok($last, '<', $n, '... not all');
is(metric('timeouts_total{protocol="lines"}'), 0, 'no fate is awaited');
my %seen;
for (1 .. $n) {
    my $line = <$s> // last;
    $seen{$line}++;
}
is_deeply(\%seen, { "bad malformed\n" => $n }, 'every reply');
waitpid($pid, 0);
--- metrics
timeouts_total{protocol="lines"} 0



=== what is not known in time is said to be so
--- mock
down
--- lines
gateway_auth off;
gateway_timeout 1s;
--- then
my $s = main::open_lines();
print $s qq({"device":"a","seq":1,"data":1}\nx\n);
is(main::replies($s, 2), 'retry timeout, bad malformed', 'after a second');
mock_command('up');
print $s qq({"device":"a","seq":1,"data":1}\n);
like(main::replies($s, 1), qr/^ok/, 'its resend is taken');
--- metrics
delivered_messages_total 1
timeouts_total{protocol="lines"} 1
