# MQTT over WebSocket: the session of the other pages in frames of RFC 6455.
# Without this page a browser could be shut out, or a frame taken apart wrongly
# could become another message.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

sub ws {
    return mqtt(port => port(), ws => '/ws', @_);
}

# signed in, without auth

sub in {
    my ($version, %args) = @_;

    my $c = ws(version => $version, %args);
    $c->login(client_id => 'd');

    return $c;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    my $words = $block->ws // "gateway_auth off;\n";

    $block->set_value('config', ($block->config // '')
                                . "location = /ws {\n"
                                . "gateway_pass protocol=mqtt;\n$words}\n");
});

run_tests();

__DATA__

=== a session, whole and cut into frames of any size
--- then
for my $version (4, 5) {
    for my $split (0, 1, 7) {
        my $c = main::ws(version => $version, ws_split => $split);
        is(main::said($c->login(client_id => 'd')), 'CONNACK 0', 'in');
        $c->publish(topic => 'a', payload => '{"seq":1,"data":0}');
        for my $qos (1, 2) {
            is(main::said($c->deliver(topic => 'a', qos => $qos,
                          payload => qq({"data":"$version $split $qos"}))),
               ($qos == 1 ? 'PUBACK 1' : 'PUBCOMP 2') . ' 0', "QoS $qos");
        }
        $c->pingreq;
        is(main::said($c->read_packet), 'PINGRESP 0', 'ping');
        $c->disconnect;
        is(main::said($c->read_packet), 'end', 'gone');
        is($c->ws_close->{code}, 1000, 'as is normal');
    }
}
--- records
$T.telemetry
^d .*"data":0
^d .*"data":"4 0 1"
^d .*"data":"4 0 2"
^d .*"data":"4 1 1"
^d .*"data":"4 1 2"
^d .*"data":"4 7 1"
^d .*"data":"4 7 2"
^d .*"data":"5 0 1"
^d .*"data":"5 0 2"
^d .*"data":"5 1 1"
^d .*"data":"5 1 2"
^d .*"data":"5 7 1"
^d .*"data":"5 7 2"
--- metrics
disconnects_total{protocol="ws",reason="client"} 6
connections{protocol="ws"} 0
accepted_messages_total 13
duplicate_messages_total 5



=== the handshake asks for what the standards ask for
--- then
for my $case ([ 426, ws_without => [ 'upgrade' ] ],
              [ 426, ws_without => [ 'connection' ] ],
              [ 426, ws_without => [ 'sec-websocket-version' ] ],
              [ 400, ws_without => [ 'sec-websocket-key' ] ],
              [ 400, ws_protocol => undef ],
              [ 400, ws_protocol => 'xmpp, MQTT' ])
{
    my ($status, @args) = @$case;
    my $c = main::ws(@args);
    is($c->response->{status}, $status, "$args[0]");
    is($c->response->{headers}{'sec-websocket-version'},
       $status == 426 ? 13 : undef, '... and which version is known');
}
is(main::in(5, ws_protocol => 'xmpp, mqtt')->response->{status}, 101,
   'one of several');
is(http('GET', '/ws')->{status}, 426, 'a request without');
is(http('POST', '/ws', 'x')->{status}, 405, 'another method');
--- metrics
disconnects_total{protocol="ws",reason="protocol"} 7



=== pings are answered within a message, a close is, and faults are told
--- then
my $c = main::in(5);
$c->ws_frame(2, "\xc0", fin => 0);
$c->ws_frame(9, 'still there');
my $f = $c->read_frame;
is("$f->{opcode} $f->{payload}", '10 still there', 'pong');
$c->ws_frame(0, "\x00");
is(main::said($c->read_packet), 'PINGRESP 0', 'the message went on');
$c->ws_frame(8, pack('n', 1000) . 'bye');
$f = $c->read_frame;
is($f->{opcode}, 8, 'closed');
is($c->ws_close->{code}, 1000, '... as it was asked');
is($c->read_frame, undef, '... and gone');
for my $case ([ 1002, 2, 'x', mask => '' ], [ 1002, 2, 'x', rsv => 1 ],
              [ 1002, 0, 'x' ], [ 1002, 3, 'x' ],
              [ 1003, 1, 'x' ], [ 1002, 9, 'x' x 126 ],
              [ 1002, 8, 'x' ], [ 1009, 2, 'x', len => 2 ** 33 ])
{
    my ($code, @frame) = @$case;
    $c = main::in(5);
    $c->ws_frame(@frame);
    like(main::said($c->read_packet), qr/^DISCONNECT 1(?:30|49)$/, "$code");
    is(main::said($c->read_packet), 'end', '... the end');
    is($c->ws_close->{code}, $code, '... with the code');
}
--- metrics
disconnects_total{protocol="ws",reason="closed"} 1
disconnects_total{protocol="ws",reason="protocol"} 7
disconnects_total{protocol="ws",reason="too_large"} 1



=== what MQTT forbids ends the WebSocket too
--- ws
gateway_auth off;
gateway_max_message_size 1k;
gateway_connect_timeout 1s;
gateway_packet_timeout 1s;
gateway_mqtt_keep_alive 1s;
--- then
my $c = main::in(5);
$c->publish(topic => 'a', payload => 'x' x 1024, qos => 1);
is(main::said($c->read_packet), 'DISCONNECT 149', 'too large');
is(main::said($c->read_packet), 'end', '... and closed');
is($c->ws_close->{code}, 1009, '... with the code');
$c = main::ws(version => 5);
is(main::said($c->read_packet), 'end', 'silent');
$c = main::in(5);
is(main::said($c->read_packet), 'DISCONNECT 141', 'no keep alive');
is($c->read_packet, undef, '... and closed');
$c = main::ws(version => 5, ws_split => 1);
$c->login(client_id => 'd', keep_alive => 60);
my $e = main::ws(version => 5);
my $head = "\x32\xff\x01";
for my $byte (split //, $head . "\0" x 200) {
    last if $c->read_frame(0.1) ne 'timeout';
    $c->ws_frame(2, $byte);
}
--- metrics
disconnects_total{protocol="ws",reason="too_large"} 1
disconnects_total{protocol="ws",reason="connect_timeout"} 2
disconnects_total{protocol="ws",reason="keep_alive"} 1
disconnects_total{protocol="ws",reason="packet_timeout"} 1



=== who connects is judged as anywhere
--- devices
pump-7
--- ws
gateway_auth devices $AUTH/devices.db;
--- then
my $c = main::ws(version => 5);
is(main::said($c->login(client_id => 'c', user => 'pump-7',
                        password => token('pump-7'))), 'CONNACK 0', 'good');
is(main::said($c->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'may send');
my $bad = main::ws(version => 5);
is(main::said($bad->login(client_id => 'c', user => 'pump-7',
                          password => 'x')), 'CONNACK 134', 'bad');
is(main::said($bad->read_packet), 'end', '... and closed');
sql("UPDATE device SET not_after = 1 WHERE device = 'pump-7';");
is(main::said($c->read_packet), 'DISCONNECT 135', 'revoked');
--- records
$T.telemetry
^pump-7 .*"data":1
--- metrics
disconnects_total{protocol="ws",reason="unauthenticated"} 1
disconnects_total{protocol="ws",reason="revoked"} 1



=== a WebSocket that does not stop sending waits for its fates
--- mock
down
--- then
my $c = main::ws(version => 5, ws_split => 1000, receive_maximum => 10);
is(main::said($c->login(client_id => 'd')), 'CONNACK 0', 'in');
$c->publish(topic => 'a', payload => qq({"data":$_}), qos => 1, id => $_)
    for 1 .. 64;
$c->pingreq;
ok((until_true { metric('accepted_messages_total') == 64 }), 'all are read');
mock_command('up');
is(main::said($c->read_packet), 'PINGRESP 0', 'ping');
is(main::said($c->read_packet), "PUBACK $_ 0", "of $_") for 1 .. 64;
--- metrics
delivered_messages_total 64



=== drain: an idle one is told to go, with the code of it
--- gateway
drain_timeout 2s;
--- then
my $c = main::in(5);
kill 'QUIT', master_pid();
is(main::said($c->read_packet), 'DISCONNECT 139', 'told');
is(main::said($c->read_packet), 'end', '... and closed');
is($c->ws_close->{code}, 1001, '... as going away');
--- no_books
