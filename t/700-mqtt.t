# A device signs in over MQTT, publishes and leaves: what it is told, and what
# is in Kafka then.  Without this page an acknowledgement could go out before
# its message is safe, or in another order than the messages came.

use lib 't/lib';
use GatewayTest 'no_plan';

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('mqtt', "gateway_auth off;\n")
        unless defined $block->mqtt;
});

run_tests();

__DATA__

=== QoS 0, 1 and 2 of 3.1.1 arrive
--- then
my $c = mqtt();
is(main::said($c->login(client_id => 'pump-7')), 'CONNACK 0', 'signed in');
$c->publish(topic => 'a', payload => '{"seq":1,"data":{"t":1}}');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":2,"data":2}',
                          qos => 1)), 'PUBACK 1 0', 'QoS 1');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":3,"data":3}',
                          qos => 2)), 'PUBCOMP 2 0', 'QoS 2');
is(metric('connections{protocol="mqtt"}'), 1, 'one is there');
$c->disconnect;
is(main::said($c->read_packet), 'end', 'it is closed');
--- records
$T.telemetry 3
^pump-7 \{"device":"pump-7","epoch":"","seq":1,"class":"telemetry","ts":\d+,"received_at":\d+,"data":\{"t":1\}\} traceparent=00-
^pump-7 \{"device":"pump-7","epoch":"","seq":2,
^pump-7 \{"device":"pump-7","epoch":"","seq":3,
--- metrics
received_messages_total{protocol="mqtt"} 3
delivered_messages_total 3
disconnects_total{protocol="mqtt",reason="client"} 1
connections 0



=== and of 5.0, which is told more
--- then
my $c = mqtt(version => 5);
my $p = $c->login(client_id => '', keep_alive => 600);
is(main::said($p), 'CONNACK 0', 'signed in');
like(delete $p->{props}{assigned_client_id}, qr/^gw-[0-9a-f]{16}$/, 'a name');
is_deeply($p->{props},
          { receive_maximum => 64, retain_available => 0,
            maximum_packet_size => 262144, topic_alias_maximum => 16,
            wildcard_available => 0, subscription_ids_available => 0,
            shared_available => 0, server_keep_alive => 60 }, 'what is there');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":1,"data":1}',
                          qos => 1)), 'PUBACK 1 0', 'QoS 1');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":1,"data":1}',
                          qos => 2)), 'PUBCOMP 2 0', 'its resend, QoS 2');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":1,', qos => 1)),
   'PUBACK 3 153', 'what is no envelope');
is(main::said($c->deliver(topic => 'a', payload => '{"seq":1,"data":2}',
                          qos => 1)), 'PUBACK 4 153', 'another payload');
is(main::said($c->deliver(topic => '$SYS/a', payload => '{"data":1}',
                          qos => 1)), 'PUBACK 5 135', 'a topic of the server');
--- records
$T.telemetry 1
--- metrics
received_messages_total{protocol="mqtt"} 5
duplicate_messages_total 1
rejected_messages_total{protocol="mqtt",reason="malformed"} 1
rejected_messages_total{protocol="mqtt",reason="conflict"} 1
rejected_messages_total{protocol="mqtt",reason="forbidden"} 1



=== nothing is acknowledged that Kafka has not, and then in order
--- mock
down
--- then
my $c = mqtt();
$c->login(client_id => 'd');
$c->publish(topic => 'a', payload => qq({"seq":$_,"data":1}), qos => 1 + $_ % 2)
    for 1 .. 20;
ok((until_true { metric('accepted_messages_total') == 20 }), 'all are taken');
is(main::said($c->read_packet(1)), 'timeout', 'and none acknowledged');
mock_command('up');
is(join(' ', map { main::said($c->read_packet) } 1 .. 20),
   join(' ', map { ($_ % 2 ? 'PUBREC' : 'PUBACK') . " $_ 0" } 1 .. 20),
   'then all, in order');
is(main::said($c->read_packet(1)), 'timeout', 'and once');



=== packets in one read, and one in many
--- then
my $c = mqtt();
$c->send(join '', GatewayMqtt::packet('connect', version => 4,
                                      client_id => 'd', clean => 1),
         map { GatewayMqtt::packet('publish', version => 4, topic => 'a',
                                   payload => qq({"seq":$_,"data":1}),
                                   qos => 1, id => $_) } 1 .. 5);
is(join(' ', map { main::said($c->read_packet) } 0 .. 5),
   'CONNACK 0 PUBACK 1 0 PUBACK 2 0 PUBACK 3 0 PUBACK 4 0 PUBACK 5 0',
   'behind CONNECT');
my $bytes = GatewayMqtt::packet('publish', version => 4, topic => 'a', qos => 1,
                                payload => '{"seq":6,"data":"' . 'x' x 40 . '"}',
                                id => 6);
$c->send($_) for split //, $bytes;
is(main::said($c->read_packet), 'PUBACK 6 0', 'byte by byte');
my $large = '{"seq":7,"data":"' . ('x' x 200000) . '"}';
is(main::said($c->deliver(topic => 'a', payload => $large, qos => 1, id => 7)),
   'PUBACK 7 0', 'larger than what is read at once');
--- records
$T.telemetry 7



=== what is no MQTT is cut
--- then
for my $case (
    [ 'something else', "GET / HTTP/1.1\r\n\r\n", 'end' ],
    [ 'no CONNECT', "\xc0\x00", 'end' ],
    [ 'a length that is none', "\x10\xff\xff\xff\xff\x01", 'end' ],
    [ 'a CONNECT of 256 MB', "\x10\xff\xff\xff\x7f", 'end' ],
    [ '3.1', "\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02ab",
      'CONNACK 1' ],
    [ 'version 6', "\x10\x0d\x00\x04MQTT\x06\x02\x00\x3c\x00\x01a",
      'CONNACK 1' ])
{
    my ($what, $bytes, $answer) = @$case;

    my $c = mqtt();
    $c->send($bytes);
    is(main::said($c->read_packet), $answer, $what);
    is(main::said($c->read_packet), 'end', '... and closed')
        if $answer ne 'end';
}
--- metrics
disconnects_total{reason="protocol"} 4
disconnects_total{reason="malformed"} 1
disconnects_total{reason="too_large"} 1
connections 0
