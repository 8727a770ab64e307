# A message that was delivered before is not sent again: by its device, epoch
# and sequence number, or by its Idempotency-Key.  Without this page a resend
# after a lost answer would be counted twice, or a new message taken for one.

use lib 't/lib';
use GatewayTest 'no_plan';

sub result {
    my ($answer) = @_;

    return $answer->{headers}{'gateway-result'}
           || (problem($answer) =~ /^(\d+ \w+)/)[0] || $answer->{status};
}

# members in their order, as text
sub m1 {
    my ($members, $path, %headers) = @_;

    return result(http('POST', $path || '/t', "{$members}",
                       'Content-Type' => 'application/json', %headers));
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('config', <<'END') unless defined $block->config;
location /t { gateway_auth off; gateway_pass; }
location /q { gateway_auth off; gateway_ack queued; gateway_pass; }
END
});

run_tests();

__DATA__

=== a resend of what was delivered is a duplicate, and says so
--- then
my $m = '"device":"pump-7","epoch":"e1","seq":1,"data":{"temp":21.5}';
is(main::m1($m), 'delivered', 'the first');
is(main::m1($m), 'duplicate', 'the second') for 1 .. 3;
is(main::m1('"device":"pump-7","epoch":"e2","seq":1,"data":1'), 'delivered',
   'another epoch');
is(main::m1('"device":"pump-8","epoch":"e1","seq":1,"data":1'), 'delivered',
   'another device');
is(main::m1('"device":"pump-7","epoch":"e1","seq":2,"data":1'), 'delivered',
   'another number');
is(main::m1('"device":"pump-7","seq":1,"data":1'), 'delivered',
   'no epoch is an epoch');
is(main::m1('"device":"pump-7","data":1'), 'delivered',
   'without a number') for 1 .. 2;
--- records
$T.telemetry 7
--- metrics
duplicate_messages_total{class="telemetry"} 3
messages_total{outcome="duplicate"} 3
dedup_entries 4
dedup_inflight_messages 0



=== another payload under the same number is a conflict
--- then
is(main::m1('"device":"a","seq":7,"data":1'), 'delivered', 'one');
is(main::m1('"device":"a","seq":7,"data":2'), '422 conflict', 'two');
is(main::m1('"device":"a","seq":7,"data":1'), 'duplicate', 'one, again');
--- records
$T.telemetry
"data":1\}
--- metrics
rejected_messages_total{reason="conflict"} 1



=== numbers may come in any order inside of the window
--- then
is(main::m1(qq("device":"a","seq":$_,"data":$_)), 'delivered', "$_ is new")
    for 50, 3, 49, 0, 10;
is(main::m1(qq("device":"a","seq":$_,"data":$_)), 'duplicate', "$_ is not")
    for 0, 3, 10, 49, 50;
--- records
$T.telemetry 5



=== below the window nobody knows: it is let in, and counted
--- then
is(main::m1('"device":"a","seq":1000,"data":1'), 'delivered', 'far up');
is(main::m1('"device":"a","seq":936,"data":1'), 'delivered', 'below it');
is(main::m1('"device":"a","seq":937,"data":1'), 'delivered', 'its lowest');
is(main::m1('"device":"a","seq":937,"data":1'), 'duplicate', 'is known');
--- records
$T.telemetry 3
--- metrics
dedup_passed_messages_total{why="below"} 1



=== or it is refused
--- gateway
dedup stale=refuse;
--- then
is(main::m1('"device":"a","seq":1000,"data":1'), 'delivered', 'far up');
is(main::m1('"device":"a","seq":936,"data":1'), '409 stale', 'below it');
--- records
$T.telemetry 1
--- metrics
rejected_messages_total{reason="stale"} 1
dedup_passed_messages_total{why="below"} 0



=== a number far above cannot blind a device
--- gateway
dedup stale=refuse;
--- then
is(main::m1('"device":"a","seq":5,"data":1'), 'delivered', 'here it is');
is(main::m1('"device":"a","seq":9007199254740991,"data":1'), 'delivered',
   'a number out of nowhere');
is(main::m1('"device":"a","seq":6,"data":1'), 'delivered', 'it goes on');
is(main::m1('"device":"a","seq":6,"data":1'), 'duplicate', 'as before');
--- metrics
dedup_passed_messages_total{why="jumped"} 1



=== a window as wide as a batch
--- gateway
dedup window=1024;
--- then
my $lines = join '', map { qq({"device":"a","seq":$_,"data":$_}\n) } 1 .. 1000;
my $batch = sub {
    http('POST', '/t', $lines,
         'Content-Type' => 'application/x-ndjson')->{content};
};
like($batch->(), qr/"delivered":1000,.*"duplicate":0,"failed":0/, 'all new');
like($batch->(), qr/"delivered":0,.*"duplicate":1000,"failed":0/, 'all known');
--- records
$T.telemetry 1000



=== twice in one batch is once
--- then
my $answer = http('POST', '/t', '[{"device":"a","seq":1,"data":1},'
                  . '{"device":"a","seq":1,"data":1}]',
                  'Content-Type' => 'application/json');
like($answer->{content}, qr/"delivered":1,.*"duplicate":1,"failed":0/, 'so');
--- records
$T.telemetry 1



=== an Idempotency-Key in place of a number
--- then
my @k = ('/t', 'Idempotency-Key' => '"8e03978e-40d5"');
is(main::m1('"device":"a","data":1', @k), 'delivered', 'the first');
is(main::m1('"device":"a","data":1', @k), 'duplicate', 'the second');
is(main::m1('"device":"a","data":1', '/t', 'Idempotency-Key' =>
            '8e03978e-40d5'), 'duplicate', 'without quotes');
is(main::m1('"device":"a","data":2', @k), '422 conflict', 'another payload');
is(main::m1('"device":"b","data":1', @k), 'delivered', 'another device');
is(main::m1('"device":"a","seq":1,"data":1', @k), 'delivered',
   'a number is more than a key');
is(main::m1('"device":"a","data":1', '/t', 'Idempotency-Key' => ''),
   '400 malformed', 'an empty one is none');
is(main::m1('"device":"a","data":1', '/t', 'Idempotency-Key' => 'x' x 256),
   '400 malformed', 'one that is too long');
like(problem(http('POST', '/t', '[{"device":"a","data":1}]',
                  'Content-Type' => 'application/json',
                  'Idempotency-Key' => 'x')), qr/^400 malformed.*single/,
     'a batch has none');
--- records
$T.telemetry 3



=== who is told "queued" is told no more by a resend
--- then
my $m = '"device":"a","seq":1,"data":1';
is(main::m1($m, '/q'), 'queued', 'it is in memory');
ok((until_true { main::m1($m, '/q') eq 'duplicate' }), 'and then in Kafka');
--- records
$T.telemetry 1



=== a message that was refused was not there
--- gateway
class telemetry topic=$T.telemetry;
--- config
location /t { gateway_auth off; gateway_pass; }
location /small {
    gateway_auth off;
    gateway_topic $arg_topic;
    gateway_pass;
}
--- then
my $m = '"device":"a","seq":1,"data":1';
is(main::m1($m, '/small?topic=/'), '403 forbidden', 'refused');
is(main::m1($m), 'delivered', 'and taken');
--- records
$T.telemetry 1



=== without dedup all is as before
--- gateway
dedup off;
--- then
is(main::m1('"device":"a","seq":1,"data":1'), 'delivered', 'any time')
    for 1 .. 3;
--- records
$T.telemetry 3
--- metrics
dedup_entries none



=== resends that wait do not take the room of what is new
--- mock
down
--- gateway
buffer 2m;
--- then
my $large = '{"device":"a","seq":1,"data":"' . ('x' x 60000) . '"}';
my $start = sub {
    client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
           . "Content-Type: application/json\r\nContent-Length: "
           . length($large) . "\r\n\r\n$large");
};
my @clients = $start->();
ok((until_true { metric('dedup_inflight_messages') == 1 }), 'under way');
push @clients, $start->() for 1 .. 10;
ok((until_true { (metric('shed_at_entry_messages_total') || 0) == 6 }),
   'four wait, an eighth of the buffer');
mock_command('up');
my %told;
$told{(/^HTTP\/1\.1 (\d+)/)[0]}++ for map { answer($_) } @clients;
is_deeply(\%told, { 200 => 5, 503 => 6 }, 'all are answered');
--- metrics
delivered_messages_total 1
duplicate_messages_total 4
