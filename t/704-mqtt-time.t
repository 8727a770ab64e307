# Silent, slow and hostile clients are cut by deadlines, each for a reason of
# its own; and what a device left to be said is said when it is gone, and only
# then.  Without this page a connection could be held open for nothing, or a
# device be called dead by a reload.

use lib 't/lib';
use GatewayTest 'no_plan';

use Time::HiRes ();

master_on();

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

# what comes within its time, and how long that took

sub after {
    my ($c, $from, $to, $answer, $name) = @_;

    my $start = Time::HiRes::time();
    my $said = said($c->read_packet($to + 5));
    my $took = Time::HiRes::time() - $start;

    is($said, $answer, $name);
    cmp_ok($took, '>', $from, '... not too early');
}

sub will {
    my ($c, $n, %more) = @_;

    return said($c->login(client_id => "d$n", will => { topic => 'w',
                          payload => qq({"seq":$n,"data":"gone"}), %more },
                          props => delete $more{connect} || {}));
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('mqtt', "gateway_auth off;\n")
        unless defined $block->mqtt;
});

run_tests();

__DATA__

=== who says nothing is cut, and who stops in the middle of it
--- mqtt
gateway_auth off;
gateway_connect_timeout 1s;
gateway_packet_timeout 1s;
--- then
my $c = mqtt();
main::after($c, 0.8, 1, 'end', 'no CONNECT');
$c = mqtt();
$c->send("\x10\x20\x00\x04MQTT");
main::after($c, 0.8, 1, 'end', 'half a CONNECT');
$c = mqtt(version => 5);
$c->login(client_id => 'd');
$c->send("\x32\x20\x00\x01a");
main::after($c, 0.8, 1, 'DISCONNECT 128', 'half a PUBLISH');
--- metrics
disconnects_total{reason="connect_timeout"} 2
disconnects_total{reason="packet_timeout"} 1



=== one and a half times the keep alive, after the last whole packet
--- then
my $c = mqtt(version => 5);
is($c->login(client_id => 'd', keep_alive => 1)->{props}{server_keep_alive}, 1,
   'its own is kept');
for (1 .. 3) {
    is($c->read_packet(0.8), 'timeout', 'silent for less than that');
    $c->pingreq;
    is($c->read_packet->{type}, 'PINGRESP', 'there');
}
main::after($c, 1.2, 1.5, 'DISCONNECT 141', 'and then not');
--- metrics
disconnects_total{reason="keep_alive"} 1



=== a message without a fate ends the connection, and is not acknowledged
--- mock
down
--- mqtt
gateway_auth off;
gateway_timeout 1s;
--- then
my @c = map { mqtt(version => $_) } 4, 5;
for my $c (@c) {
    $c->login(client_id => "d$c->{version}");
    $c->publish(topic => 'a', payload => '{"seq":1,"data":1}', qos => 1);
}
main::after($c[0], 0.5, 1, 'end', '3.1.1');
is(main::said($c[1]->read_packet), 'DISCONNECT 128', '5.0');
mock_command('up');
my $c = mqtt();
$c->login(client_id => 'd4');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":1,"data":1}', qos => 1)),
   'PUBACK 1 0', 'its resend is');
--- metrics
disconnects_total{reason="unsettled"} 2
timeouts_total{protocol="mqtt"} 2
delivered_messages_total 2



=== a will is published when its device is gone, and not when it leaves
--- mqtt
gateway_auth off;
gateway_max_message_size 64k;
--- then
my @c = map { mqtt(version => $_ % 2 ? 5 : 4) } 0 .. 5;
is(main::will($c[$_], $_), 'CONNACK 0', "client $_") for 0 .. 5;
$c[0]->disconnect;
$c[1]->disconnect;
$c[2]->close;
$c[3]->reset;
$c[4]->send_raw("\xf0\x00");
$c[5]->disconnect(reason => 4);
ok((until_true { metric('connections{protocol="mqtt"}') == 0 }), 'all have gone');
--- records
$T.telemetry 4
^d2 .*"gone"
^d3 .*"gone"
^d4 .*"gone"
^d5 .*"gone"



=== it may wait, but not longer than its session
--- then
my @c = map { mqtt(version => 5) } 0 .. 2;
main::will($c[0], 0, props => { will_delay => 2 },
           connect => { session_expiry => 60 });
main::will($c[1], 1, props => { will_delay => 60 },
           connect => { session_expiry => 2 });
main::will($c[2], 2, props => { will_delay => 60 });
$_->close for @c;
ok((until_true { metric('delivered_messages_total') == 1 }), 'one has no session');
is(metric('delivered_messages_total'), 1, '... and the others wait');
ok((until_true { metric('delivered_messages_total') == 3 } 8), 'for a while');
--- records
$T.telemetry 3



=== a will that may not be sent is refused with its CONNECT
--- gateway
class control;
class telemetry;
topic $T.telemetry;
mqtt_topic a class=telemetry;
--- then
my $c = mqtt(version => 5);
is(main::will($c, 1), 'CONNACK 135', 'no class is of its topic');
$c = mqtt(version => 5);
is(main::will($c, 1, topic => 'a'), 'CONNACK 0', 'of another it is');
$c->disconnect;
--- metrics
disconnects_total{reason="forbidden"} 1



=== a reload says when it goes, and is nobody's death
--- gateway
drain_timeout 4s;
--- mqtt
gateway_auth off;
gateway_mqtt_server_reference other.example:1883;
--- then
my @c = map { mqtt(version => $_ % 2 ? 5 : 4) } 0 .. 9;
is(main::will($c[$_], $_), 'CONNACK 0', "client $_") for 0 .. 9;
kill 'HUP', master_pid();
is(main::said($c[0]->deliver(topic => 'a', payload => '{"seq":1,"data":1}',
                             qos => 1)), 'PUBACK 1 0', 'the old one serves still');
my %seen;
for my $c (@c) {
    my $p = $c->read_packet(10);
    $seen{main::said($p)}++;
    is($p->{props}{server_reference}, 'other.example:1883', 'where to') if ref $p;
}
is_deeply(\%seen, { 'end' => 5, 'DISCONNECT 156' => 5 }, 'all were told');
--- metrics
disconnects_total{reason="draining"} 10
delivered_messages_total 1
--- no_books
