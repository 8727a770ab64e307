# Who connects over MQTT is found out as over HTTP, by the same words: a device
# and its token as user name and password, a JWT as the password, a
# certificate.  Without this page a client could publish as somebody else, or
# go on for days after it was shut out.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

sub said {
    my ($p) = @_;

    return !defined $p ? 'end' : !ref $p ? $p
           : join ' ', $p->{type}, grep { defined } $p->{id}, $p->{reason};
}

# the answer to CONNECT in 3.1.1 and 5.0

sub login {
    my (%args) = @_;

    return join ', ', map {
        main::said(mqtt(version => $_)->login(client_id => 'c', %args))
    } 4, 5;
}

run_tests();

__DATA__

=== user name and password are a device and its token
--- devices
pump-7 tenant=acme
pump-8 not_after=-10
--- mqtt
gateway_auth devices $AUTH/devices.db;
--- then
my $c = mqtt(version => 5);
is(main::said($c->login(client_id => 'any', user => 'pump-7',
                        password => token('pump-7'))), 'CONNACK 0', 'known');
is(main::said($c->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'may send');
is(main::said($c->deliver(topic => 'a', payload => '{"device":"pump-7","data":2}',
                          qos => 1)), 'PUBACK 2 0', 'and name itself');
is(main::said($c->deliver(topic => 'a', payload => '{"device":"pump-8","data":3}',
                          qos => 1)), 'PUBACK 3 135', 'but nobody else');
my $old = mqtt();
is(main::said($old->login(client_id => 'old', user => 'pump-7',
                          password => token('pump-7'))), 'CONNACK 0', '3.1.1');
$old->publish(topic => 'a', payload => '{"device":"pump-8","data":3}', qos => 1);
is(main::said($old->read_packet), 'end', 'which has no word for it');
is(main::login(user => 'pump-7', password => 'x' x 43),
   'CONNACK 4, CONNACK 134', 'another token');
is(main::login(user => 'pump-9', password => token('pump-7')),
   'CONNACK 4, CONNACK 134', 'another device');
is(main::login(user => 'pump-8', password => token('pump-8')),
   'CONNACK 5, CONNACK 135', 'one whose time is over');
is(main::login(user => 'pump-7'), 'CONNACK 4, CONNACK 134', 'no token');
is(main::login(), 'CONNACK 4, CONNACK 134', 'nothing');
is(main::login(user => 'u' x 500, password => 'p' x 3000),
   'CONNACK 4, CONNACK 134', 'far too much');
--- records
$T.telemetry 2
^pump-7 .*"data":1
^pump-7 .*"data":2
--- metrics
auth_failures_total{method="devices",reason="revoked"} 2
disconnects_total{reason="unauthenticated"} 10
disconnects_total{reason="forbidden"} 3



=== a device that is shut out loses its connection
--- devices
pump-7
pump-8
--- mqtt
gateway_auth devices $AUTH/devices.db;
--- then
my ($c, $d) = map { mqtt(version => 5) } 1, 2;
is(main::said($c->login(client_id => 'c', user => 'pump-7',
                        password => token('pump-7'))), 'CONNACK 0', 'one');
is(main::said($d->login(client_id => 'd', user => 'pump-8',
                        password => token('pump-8'))), 'CONNACK 0', 'two');
sql("UPDATE device SET not_after = 1 WHERE device = 'pump-7';");
is(main::said($c->read_packet(5)), 'DISCONNECT 135', 'it is told');
is(main::said($c->read_packet), 'end', 'and cut');
is(main::said($d->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'the other goes on');
--- metrics
disconnects_total{reason="revoked"} 1



=== a token is a password, until it runs out
--- keys: p256
--- mqtt
gateway_auth jwt keys=$AUTH/keys.json leeway=0s;
--- then
my $c = mqtt(version => 5);
is(main::said($c->login(client_id => 'c', user => 'whoever',
                        password => jwt('ES256', 'p256', claims(exp => time + 2)))),
   'CONNACK 0', 'taken');
is(main::said($c->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'may send');
is(main::said($c->read_packet(6)), 'DISCONNECT 135', 'until it has run out');
is(main::login(user => 'x', password => jwt('ES256', 'p256',
                                            claims(exp => time - 60))),
   'CONNACK 4, CONNACK 134', 'which another has already');
--- records
$T.telemetry
^pump-7



=== without gateway_auth the client id is the device
--- mqtt
gateway_auth off;
--- then
my $c = mqtt();
is(main::said($c->login(client_id => 'pump:7@x')), 'CONNACK 0', 'a name');
is(main::said($c->deliver(topic => 'a', payload => '{"data":1}', qos => 1)),
   'PUBACK 1 0', 'may send');
is(main::login(client_id => 'pump 7'), 'CONNACK 2, CONNACK 133', 'no name');
--- records
$T.telemetry
^pump:7@x
