# What a client may not do, in the words of the standard, and what it is told
# of that.  Without this page a client that breaks a rule could take more than
# its share, or a right one could be punished.

use lib 't/lib';
use GatewayTest 'no_plan';

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

sub in {
    my ($version, %connect) = @_;

    my $c = mqtt(version => $version);
    $c->login(client_id => 'd', %connect);

    return $c;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('mqtt', "gateway_auth off;\n")
        unless defined $block->mqtt;
});

run_tests();

__DATA__

=== a second CONNECT, AUTH, retain and an answer to nothing end 5.0
--- then
for my $case ([ 'connect', [ client_id => 'd' ], 'DISCONNECT 130' ],
              [ 'auth', [ reason => 0x18, props => { auth_method => 'x' } ],
                'DISCONNECT 130' ],
              [ 'puback', [ id => 1 ], 'DISCONNECT 130' ],
              [ 'publish', [ topic => 'a', payload => '{"data":1}', retain => 1,
                             qos => 1 ], 'DISCONNECT 154' ],
              [ 'publish', [ topic => 'a/+', payload => '{}' ],
                'DISCONNECT 144' ],
              [ 'subscribe', [ filters => [ [ 'a#', 0 ] ] ],
                'DISCONNECT 129' ])
{
    my ($verb, $args, $answer) = @$case;
    my $c = main::in(5);
    $c->$verb(@$args);
    is(main::said($c->read_packet), $answer, $verb);
    is(main::said($c->read_packet), 'end', '... and closed');
}
--- metrics
disconnects_total{reason="protocol"} 5
disconnects_total{reason="malformed"} 1



=== 3.1.1 is closed without a word, but may retain
--- then
my $c = main::in(4);
is(main::said($c->deliver(topic => 'a', payload => '{"data":1}', qos => 1,
                          retain => 1)), 'PUBACK 1 0', 'retain');
$c->connect(client_id => 'd');
is(main::said($c->read_packet), 'end', 'a second CONNECT');
--- metrics
disconnects_total{reason="protocol"} 1



=== enhanced authentication is refused, a will that is retained too
--- then
my $c = mqtt(version => 5);
is(main::said($c->login(client_id => 'd', props => { auth_method => 'SCRAM' })),
   'CONNACK 140', 'a method');
$c = mqtt(version => 5);
is(main::said($c->login(client_id => 'd', will => { topic => 'a', retain => 1,
                                                    payload => '{}' })),
   'CONNACK 154', 'a retained will');
$c = mqtt(version => 4);
is(main::said($c->login(client_id => '', clean => 0)), 'CONNACK 2',
   '3.1.1 with a session and no name');



=== a subscription is answered, a ping too
--- then
for my $version (4, 5) {
    my $c = main::in($version);
    $c->subscribe(filters => [ [ 'a/#', 1 ], [ '+', 0 ] ]);
    my $p = $c->read_packet;
    is($p->{type}, 'SUBACK', "subscribed, $version");
    is(join(' ', @{$p->{reasons}}), '128 128', 'to nothing');
    $c->unsubscribe(filters => [ 'a/#' ]);
    is(($p = $c->read_packet)->{type}, 'UNSUBACK', 'unsubscribed');
    is(join(' ', @{$p->{reasons}}), '17', 'from nothing') if $version == 5;
    $c->pingreq;
    is($c->read_packet->{type}, 'PINGRESP', 'there');
}



=== no more messages at a time than were agreed upon
--- mock
down
--- mqtt
gateway_auth off;
gateway_mqtt_receive_maximum 3;
--- then
my $c = main::in(5);
$c->publish(topic => 'a', payload => qq({"seq":$_,"data":1}), qos => 1 + $_ % 2)
    for 1 .. 4;
is(main::said($c->read_packet), 'DISCONNECT 147', '5.0 is cut');
my $old = main::in(4, client_id => 'e');
$old->publish(topic => 'a', payload => qq({"seq":$_,"data":1}), qos => 1)
    for 1 .. 40;
ok((until_true { metric('accepted_messages_total') == 6 }), '3.1.1 waits');
mock_command('up');
is(join(' ', map { main::said($old->read_packet) } 1 .. 40),
   join(' ', map { "PUBACK $_ 0" } 1 .. 40), 'and has all of them');



=== an identifier that is in use is no second message
--- mock
down
--- then
my $c = main::in(4);
my @message = (topic => 'a', payload => '{"seq":1,"data":1}');
$c->publish(@message, qos => 1, id => 7);
$c->publish(@message, qos => 1, id => 7, dup => 1);
$c->publish(@message, qos => 2, id => 8);
ok((until_true { metric('dedup_held_messages') == 1 }), 'two, one of them held');
mock_command('up');
is(main::said($c->read_packet), 'PUBACK 7 0', 'one answer for both');
is(main::said($c->read_packet), 'PUBREC 8 0', 'and that of QoS 2');
$c->publish(topic => 'a', payload => '{"seq":2,"data":1}', qos => 2, id => 8,
            dup => 1);
is(main::said($c->read_packet), 'PUBREC 8 0', 'again before PUBREL');
$c->pubrel(id => 8);
is(main::said($c->read_packet), 'PUBCOMP 8 0', 'released');
$c->pubrel(id => 8);
is(main::said($c->read_packet), 'PUBCOMP 8 0', 'once more');
$c->publish(topic => 'a', payload => '{"seq":3,"data":1}', qos => 2, id => 8);
is(main::said($c->read_packet), 'PUBREC 8 0', 'free for another');
$c->publish(topic => 'a', payload => '{"seq":4,"data":1}', qos => 1, id => 8);
is(main::said($c->read_packet), 'end', 'but not at the same time');
--- metrics
delivered_messages_total 2
duplicate_messages_total 1



=== what is too large is refused before it has come
--- mqtt
gateway_auth off;
gateway_max_message_size 4k;
--- then
my $c = main::in(5);
$c->send("\x32\x80\x20");
is(main::said($c->read_packet), 'DISCONNECT 149', 'by its length');
$c = mqtt(version => 5);
$c->send("\x10\xff\x7f");
is(main::said($c->read_packet), 'end', 'a CONNECT too');
--- metrics
disconnects_total{reason="too_large"} 2
