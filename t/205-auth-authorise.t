# What an identity may send: its classes, the devices it speaks for, the topics
# it is granted; and that all else is refused, item by item in a batch.  Without
# this page a pump could switch off another one's valve.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

our $log = <<'END';
log_format auth '$uri $status [$gateway_device] [$gateway_tenant]'
                ' [$gateway_auth] [$gateway_reason]';
access_log logs/access.log auth;
END

# status and reason, without the sentence behind them

sub verdict {
    return (problem($_[0]) =~ /^(\d+(?: \w+)?)/)[0];
}


add_block_preprocessor(sub {
    my ($block) = @_;

    my $http = $block->http_config;
    $block->set_value('http_config', $log . (defined $http ? $http : ''));
});

run_tests();

__DATA__

=== the classes of a device, wherever the class is named
--- devices
pump-7 classes=telemetry tenant=acme
pump-8 classes=
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
location /control {
    gateway_auth devices $AUTH/devices.db;
    gateway_class control;
    gateway_pass;
}
--- then
my $as = basic('pump-7');
is(main::verdict(post($as)), '200', 'the default class is one of its');
is(main::verdict(post($as, '{"class":"telemetry","data":2}')), '200', 'it is named');
is(main::verdict(post($as, '{"class":"control","data":3}')), '403 forbidden',
   'a member names another');
is(main::verdict(post($as, '{"data":4}', 'Gateway-Class' => 'control')),
   '403 forbidden', 'so does a header');
is(main::verdict(post($as, '{"data":5}', path => '/control')), '403 forbidden',
   'and so does the location');
my $items = post($as, '[{"data":6},{"class":"control","data":7}]')->{content};
like($items, qr/"delivered":1,.*"failed":1,/, 'each item is judged');
like($items, qr/"index":1,"error":"forbidden"/, 'for itself');
is(main::verdict(post(basic('pump-8'))), '403 forbidden', 'of no class: nothing');
is(main::verdict(post(basic('pump-7', 'x'))), '401 unauthenticated', 'a stranger');
logged(qr{^/t 200 \[pump-7\] \[acme\] \[devices\] \[-?\]}, 'access.log');
logged(qr{^/t 403 \[pump-7\] \[acme\] \[devices\] \[forbidden\]},
       'access.log');
logged(qr{^/t 401 \[-?\] \[-?\] \[-?\] \[unauthenticated\]}, 'access.log');
--- records
$T.telemetry
"data":1\}
"data":2\}
"data":6\}
--- metrics
rejected_messages_total{reason="forbidden"} 5
rejected_messages_total{reason="unauthenticated"} 1
auth_failures_total{method="devices",reason="unauthenticated"} 1



=== it is itself, or one that it speaks for
--- devices
gate-1 speaks_for=pump-7,shed.*
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_pass;
}
--- then
my $as = basic('gate-1');
my $from = sub { main::verdict(post($as, qq({"device":"$_[0]","data":1}))) };
is($from->('gate-1'), '200', 'itself');
is($from->('pump-7'), '200', 'one of the list');
is($from->('shed.a'), '200', 'one that begins so');
is($from->('shed'), '403 forbidden', 'not what the pattern lacks');
is($from->('pump-70'), '403 forbidden', 'not one that is longer');
is($from->('pump-'), '403 forbidden', 'nor shorter');
like(post($as, qq({"device":"shed.b","data":1}\n{"device":"x","data":1}\n),
          'Content-Type' => 'application/x-ndjson')->{content},
     qr/"delivered":1,.*"index":1,"error":"forbidden"/, 'line by line');
--- records
$T.telemetry
^gate-1
^pump-7
^shed\.a
^shed\.b



=== gateway_device says for whom a request speaks, and does not entitle to it
--- devices
gate-1 speaks_for=pump-*,pump.*
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_device $http_x_device;
    gateway_pass;
}
--- then
my $as = basic('gate-1');
is(main::verdict(post($as)), '200', 'empty: itself');
is(main::verdict(post($as, undef, 'X-Device' => 'pump.7')), '200',
   'one that it speaks for');
is(main::verdict(post($as, undef, 'X-Device' => 'valve-1')), '403 forbidden',
   'one that it does not speak for');
is(main::verdict(post($as, '{"device":"gate-1","data":1}', 'X-Device' => 'pump.7')),
   '403 forbidden', 'a message that names another than the request');
is(main::verdict(post($as, undef, 'X-Device' => 'a"b')), '403 forbidden',
   'what is no name');
--- records
$T.telemetry
^gate-1
^pump\.7



=== without gateway_auth it is the identity
--- config
location /t {
    gateway_auth off;
    gateway_device $http_x_device;
    gateway_pass;
}
--- then
is(main::verdict(post(undef, undef, 'X-Device' => 'pump-7')), '200', 'taken');
is(main::verdict(post(undef)), '401 unauthenticated', 'none, none');
is(main::verdict(post(undef, '{"device":"pump-8","data":1}',
                'X-Device' => 'pump-7')), '403 forbidden', 'another');
--- records
$T.telemetry
^pump-7



=== a topic of variables must be among the granted ones, a constant one need not
--- topics
$T.a.one
$T.b
--- devices
pump-7
--- config
location ~ ^/topic/(?<topic>.+)$ {
    gateway_auth devices $AUTH/devices.db;
    gateway_topic $T.$topic;
    gateway_pass;
}
location /b {
    gateway_auth devices $AUTH/devices.db;
    gateway_topic $T.b;
    gateway_pass;
}
--- then
my $to = sub { main::verdict(post(basic('pump-7'), undef, path => $_[0])) };
sql(row('pump-7', 'topics=$T.a.*'));
ok((until_true { $to->('/topic/a.one') eq '200' }), 'granted');
is($to->('/topic/b'), '403 forbidden', 'not granted');
is($to->('/b'), '200', 'what the configuration says is granted');
--- records
$T.a.one 1

$T.b 1



=== a raw body is from the identity
--- devices
pump-7 tenant=acme
--- config
location /t {
    gateway_auth devices $AUTH/devices.db;
    gateway_format raw;
    gateway_pass;
}
--- then
is(main::verdict(post(basic('pump-7'), '21.5', 'Gateway-Class' => 'heartbeat')),
   '200', 'taken');
logged(qr{^/t 200 \[pump-7\] \[acme\] \[devices\]}, 'access.log');
--- records
$T.heartbeat
^pump-7 \{"device":"pump-7",.*"data":21\.5\}
