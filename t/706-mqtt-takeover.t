# Of two connections with one client id the older one ends, in whichever worker
# it is.  Without this page a device whose old connection hangs, as that of a
# modem does after each loss of the network, would be two devices to us, and
# its old half be acknowledged, or be called dead while the new one sends.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

workers(2);
master_on();

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

# connections of one client id, spread over the workers by the kernel

sub one {
    my (%args) = @_;

    return mqtt(port => mqtt_port() + 7, %args);
}

sub will {
    my ($c, $seq, %more) = @_;

    return said($c->login(client_id => 'd', clean => $more{clean} // 1,
                          will => { topic => 'w', props => $more{props} || {},
                                    payload => qq({"seq":$seq,"data":"gone"}) },
                          props => $more{connect} || {}));
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('mqtt', ($block->mqtt // "gateway_auth off;\n")
                      . 'listen 127.0.0.1:' . (mqtt_port() + 7)
                      . " reuseport;\n");
});

run_tests();

__DATA__

=== the older one is told why, and the newer one stays
--- then
my $last;
for my $n (1 .. 24) {
    my $c = main::one(version => 4 + $n % 2);
    is(main::said($c->login(client_id => 'd')), 'CONNACK 0', "connection $n");
    is(main::said($last->read_packet),
       $last->{version} == 5 ? 'DISCONNECT 142' : 'end', '... ends the one before')
        if $last;
    is($last->read_packet, undef, '... whose socket is closed')
        if $last && $last->{version} == 5;
    $last = $c;
}
is(main::said($last->deliver(topic => 'a', payload => '{"seq":1,"data":1}', qos => 1)),
   'PUBACK 1 0', 'the last one is served');
ok((until_true { metric('connections{protocol="mqtt"}') == 1 }), 'and is the only one');
--- metrics
disconnects_total{reason="taken_over"} 23
--- records
$T.telemetry 1



=== what the older one sent before counts, and is acknowledged to nobody
--- mock
down
--- then
my $old = main::one();
$old->login(client_id => 'd');
$old->publish(topic => 'a', payload => '{"seq":1,"data":1}', qos => 1);
ok((until_true { metric('queue_messages') + metric('inflight_messages') == 1 }),
   'a message waits');
my $new = main::one();
$new->login(client_id => 'd');
is($old->read_packet, undef, 'its connection is over');
mock_command('up');
is(main::said($new->deliver(topic => 'a', payload => '{"seq":1,"data":1}', qos => 1)),
   'PUBACK 1 0', 'the resend over the new one is acknowledged');
--- metrics
delivered_messages_total 1
duplicate_messages_total 1
disconnects_total{reason="taken_over"} 1



=== its will is said at once
--- then
my @c = map { main::one(version => $_) } 4, 5, 5;
is(main::will($c[0], 1), 'CONNACK 0', 'the first');
is(main::will($c[1], 2), 'CONNACK 0', 'the second');
is(main::said($c[0]->read_packet), 'end', 'the first is over');
ok((until_true { metric('delivered_messages_total') == 1 }), 'and its will is said');
is(main::said($c[2]->login(client_id => 'd')), 'CONNACK 0', 'the third');
is(main::said($c[1]->read_packet), 'DISCONNECT 142', 'the second is over');
ok((until_true { metric('delivered_messages_total') == 2 }), 'so is its will');
--- records
$T.telemetry 2
^d .*"seq":1,.*"gone"
^d .*"seq":2,.*"gone"



=== one that waits is not, where its device goes on
--- then
my %wait = (props => { will_delay => 2 }, connect => { session_expiry => 60 });
my @c = main::one(version => 5);
main::will($c[0], 1, %wait);
$c[0]->close;
ok((until_true { metric('disconnects_total{reason="closed"}') == 1 }), 'one has gone');
push @c, main::one(version => 5);
main::will($c[1], 2, %wait, clean => 0);
push @c, main::one(version => 5);
main::will($c[2], 3, %wait, clean => 0);
is(main::said($c[1]->read_packet), 'DISCONNECT 142', 'another is taken over');
my $other = mqtt(version => 5);
$other->login(client_id => 'e', will => { topic => 'w', props => { will_delay => 3 },
              payload => '{"seq":1,"data":"gone"}' }, props => { session_expiry => 60 });
$other->close;
ok((until_true { metric('delivered_messages_total') == 1 } 15), 'that of a third one came');
push @c, main::one(version => 5);
main::will($c[3], 4, %wait);
is(main::said($c[2]->read_packet), 'DISCONNECT 142', 'one that begins anew');
ok((until_true { metric('delivered_messages_total') == 2 }), 'ends the session, so it is said');
$c[3]->disconnect;
--- records
$T.telemetry 2
^d .*"seq":3,.*"gone"
^e .*"gone"



=== nobody ends the connection of another device by its client id
--- devices
pump-7
pump-8
--- mqtt
gateway_auth devices $AUTH/devices.db;
--- then
my @c = map { main::one(version => 5) } 0 .. 2;
is(main::said($c[0]->login(client_id => 'c', user => 'pump-7',
                           password => token('pump-7'))), 'CONNACK 0', 'one');
is(main::said($c[1]->login(client_id => 'c', user => 'pump-8',
                           password => token('pump-8'))), 'CONNACK 0', 'another');
is(main::said($c[2]->login(client_id => 'c', user => 'pump-8',
                           password => token('pump-8'))), 'CONNACK 0', 'and again');
is(main::said($c[1]->read_packet), 'DISCONNECT 142', 'which ends its own');
is(main::said($c[0]->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'and nobody else\'s');
--- metrics
disconnects_total{reason="taken_over"} 1



=== a client id that was made is nobody else's
--- mqtt
gateway_auth off;
--- then
my @c = map { main::one(version => 5) } 0 .. 9;
my %id;
$id{$_->login->{props}{assigned_client_id}}++ for @c;
is(scalar keys %id, 10, 'ten of them');
ok((until_true { metric('connections{protocol="mqtt"}') == 10 }), 'and ten connections');
$_->disconnect for @c;



=== a worker that is killed leaves its client ids to the next one
--- then
my @c = map { main::one(version => 5) } 0 .. 9;
$c[$_]->login(client_id => "d$_") for 0 .. 9;
my %old = map { $_ => 1 } `pgrep -P ${\ master_pid()}` =~ /\d+/g;
kill 'KILL', keys %old;
is($_->read_packet, undef, 'the connection is gone') for @c;
ok((until_true { my @now = `pgrep -P ${\ master_pid()}` =~ /\d+/g;
                 @now == 2 && !grep { $old{$_} } @now }), 'others have begun');
my @d;
ok((until_true { @d = eval { map { main::one(version => 5) } 0 .. 9 } }), 'and listen');
is(main::said($d[$_]->login(client_id => "d$_")), 'CONNACK 0', "d$_ again") for 0 .. 9;
is(main::said($d[0]->deliver(topic => 'a', payload => '{"device":"d0","seq":1,"data":1}',
                             qos => 1)), 'PUBACK 1 0', 'it is served');
ok((until_true { metric('connections{protocol="mqtt"}') == 10 }), 'all of them are');
--- error_log
exited on signal 9
--- no_error_log
--- no_books
