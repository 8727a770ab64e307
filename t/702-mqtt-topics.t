# A topic says of which class a message is, and what its payload is: an
# envelope, JSON as it is, or bytes.  User properties of 5.0 are its metadata
# and the headers of its record.  Without this page a device could give itself
# a class that is not its own by what it calls itself.

use lib 't/lib';
use GatewayTest 'no_plan';

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

# a message of 5.0: its reason code, or how the connection ended

sub sent {
    my ($c, $topic, $payload, @user) = @_;

    my $p = $c->deliver(topic => $topic, payload => $payload, qos => 1,
                        @user ? (props => { user => \@user }) : ());

    return ref $p && $p->{type} eq 'PUBACK' ? $p->{reason} : main::said($p);
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('mqtt', "gateway_auth off;\n")
        unless defined $block->mqtt;
});

run_tests();

__DATA__

=== the first pattern that matches gives the class
--- topics
$T.telemetry
$T.control
$T.blob
--- gateway
class control topic=$T.control;
class blob topic=$T.blob opaque;
class telemetry topic=$T.telemetry;
mqtt_topic devices/%u/control class=control;
mqtt_topic devices/%c/blob/# class=blob;
mqtt_topic raw/+ class=telemetry format=raw;
mqtt_topic devices/# class=telemetry;
--- then
my $c = mqtt(version => 5);
$c->login(client_id => 'pump-7');
is(main::sent($c, 'devices/pump-7/control', '{"data":1}'), 0, 'control');
is(main::sent($c, 'devices/pump-8/control', '{"data":2}'), 0, 'of another');
is(main::sent($c, 'devices', '{"data":3}'), 0, 'a parent is matched too');
is(main::sent($c, 'devices/pump-7/blob', "\x00\xff"), 0, 'bytes');
is(main::sent($c, 'raw/x', '[4]'), 0, 'JSON as it is');
is(main::sent($c, 'raw/x/y', '[5]'), 135, 'nobody has this one');
is(main::sent($c, 'devices/pump-7/x', '[6]'), 153, 'no envelope');
is(main::sent($c, 'devices/pump-7/control', '{"class":"telemetry","data":7}'),
   0, 'an envelope may name a class');
my $all = mqtt();
is(main::said($all->login(client_id => '#')), 'CONNACK 2', 'no name of a device');
--- records
$T.control 1
^pump-7 .*"class":"control",.*"data":1

$T.blob
^pump-7 base64:AP8=\s

$T.telemetry
^pump-7 .*"data":2\}
^pump-7 .*"data":3\}
^pump-7 .*"data":\[4\]\}
^pump-7 .*"data":7\}
--- metrics
rejected_messages_total{protocol="mqtt",reason="forbidden"} 1



=== of a raw payload user properties are the metadata
--- mqtt
gateway_auth off;
gateway_format raw;
gateway_class control;
--- then
my $c = mqtt(version => 5);
$c->login(client_id => 'pump-7');
my @id = ([ 'Epoch', 'e1' ], [ 'SEQ', '5' ], [ 'timestamp', '1000000000' ]);
is(main::sent($c, 'a', '{"t":1}', @id, [ 'site', 'north' ], [ 'a b', 'x' ],
              [ 'gateway-x', 'y' ], [ 'traceparent',
                '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' ]), 0,
   'all of it');
is(main::sent($c, 'a', '{"t":1}', @id), 0, 'its resend');
is(main::sent($c, 'a', '{"t":2}', @id), 153, 'a conflict');
is(main::sent($c, 'a', '1', [ 'seq', '-1' ]), 153, 'no number');
is(main::sent($c, 'a', '1', [ 'epoch', 'a b' ]), 153, 'no epoch');
is(main::sent($c, 'a', '1', [ 'class', 'telemetry' ]), 0, 'another class');
is(main::sent($c, 'a', '1', [ 'class', 'none' ]), 153, 'that is none');
--- records
$T.control 1
^pump-7 \{"device":"pump-7","epoch":"e1","seq":5,"class":"control","ts":1000000000000,"received_at":\d+,"data":\{"t":1\}\} site=north traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$

$T.telemetry 1
--- metrics
duplicate_messages_total 1



=== an alias stands for its topic
--- gateway
mqtt_topic a/# class=control;
mqtt_topic "#" class=telemetry;
--- then
my $c = mqtt(version => 5);
$c->login(client_id => 'd');
my $send = sub {
    my ($topic, $alias, $n) = @_;
    return main::said($c->deliver(topic => $topic, qos => 1,
                                  payload => qq({"data":$n}),
                                  props => { topic_alias => $alias }));
};
is($send->('a/1', 1, 1), 'PUBACK 1 0', 'set');
is($send->('', 1, 2), 'PUBACK 2 0', 'used');
is($send->('b', 1, 3), 'PUBACK 3 0', 'set anew');
is($send->('', 1, 4), 'PUBACK 4 0', 'used');
is($send->('c', 16, 5), 'PUBACK 5 0', 'the last one');
is($send->('', 2, 6), 'DISCONNECT 130', 'never set');
for my $alias (0, 17) {
    $c = mqtt(version => 5);
    $c->login(client_id => 'd');
    is($send->('a', $alias, 7), 'DISCONNECT 148', "alias $alias");
}
--- records
$T.control
"data":1\}
"data":2\}

$T.telemetry
"data":3\}
"data":4\}
"data":5\}




=== a schema speaks of the data here as well
--- user_files
>>> t.json
{"type":"number"}
--- mqtt
gateway_auth off;
gateway_schema $TEST_NGINX_SERVER_ROOT/html/t.json;
--- then
my $c = mqtt(version => 5);
$c->login(client_id => 'd');
is(main::sent($c, 'a', '{"data":1}'), 0, 'a number');
is(main::sent($c, 'a', '{"data":"1"}'), 153, 'none');
my $old = mqtt();
$old->login(client_id => 'e');
is(main::said($old->deliver(topic => 'a', payload => '{"data":"1"}', qos => 1)),
   'PUBACK 1 0', '3.1.1 would send it for ever, and is told that it arrived');
--- records
$T.telemetry 1
--- metrics
rejected_messages_total{protocol="mqtt",reason="schema"} 2
schema_failures_total 2
