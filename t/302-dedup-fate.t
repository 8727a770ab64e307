# A resend of a message that is under way is neither acknowledged nor sent: it
# waits for the fate of the first one, in whichever worker that is.  Without
# this page a resend could be told "duplicate" of a message that is lost a
# moment later, or both could be sent.

use lib 't/lib';
use GatewayTest 'no_plan';

workers(2);
master_on();

my $body = '{"device":"a","seq":1,"data":1}';

sub start {
    my ($text) = @_;

    $text = $body unless defined $text;

    return client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  . "Content-Type: application/json\r\nContent-Length: "
                  . length($text) . "\r\n\r\n$text");
}

# what each of them was told

sub told {
    my %seen;

    for (@_) {
        my $text = answer($_);
        $seen{$text =~ /^Gateway-Result: (\w+)/m ? $1
              : $text =~ /^HTTP\/1\.1 (\d+)/ ? $1 : 'nothing'}++;
    }

    return join ' ', map { "$_:$seen{$_}" } sort keys %seen;
}

# the first is under way, n more of it wait

sub under_way {
    my ($n) = @_;

    my @clients = start();

    ok((until_true { metric('dedup_inflight_messages') == 1 }), 'under way');
    push @clients, start() for 1 .. $n;
    ok((until_true { metric('dedup_held_messages') == $n }), "$n wait");

    return @clients;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('config', 'location /t { gateway_auth off;'
                      . ' gateway_timeout 30s; gateway_pass; }'
                      . ' location /queued { gateway_auth off;'
                      . ' gateway_ack queued; gateway_pass; }');
});

run_tests();

__DATA__

=== resends wait, in each worker, and are duplicates when the first is safe
--- mock
down
--- then
my @clients = main::under_way(10);
mock_command('up');
is(main::told(@clients), 'delivered:1 duplicate:10', 'one was sent');
--- metrics
delivered_messages_total 1
duplicate_messages_total{class="telemetry"} 10
dedup_held_messages 0
dedup_inflight_messages 0



=== another payload need not wait to be a conflict
--- mock
down
--- then
my @clients = main::under_way(1);
is(main::told(main::start('{"device":"a","seq":1,"data":2}')), '422:1',
   'refused at once');
mock_command('up');
is(main::told(@clients), 'delivered:1 duplicate:1', 'the others go on');



=== where the first one fails a resend takes its place
--- mock
down
--- then
my @clients = main::under_way(3);
mock_command('push MSG_SIZE_TOO_LARGE 2');
mock_command('up');
is(main::told(@clients), '502:1 delivered:1 duplicate:2', 'one was sent');
--- metrics
delivered_messages_total 1
failed_messages_total 1



=== a client that left does not wait any more
--- mock
down
--- then
my @clients = main::under_way(4);
close($_) for splice @clients, 1;
ok((until_true { metric('dedup_held_messages') == 0 }),
   'nobody waits, though the first has no end yet');
mock_command('up');
is(main::told(@clients), 'delivered:1', 'the first is there');
--- metrics
delivered_messages_total 1
rejected_messages_total{reason="timeout"} 4



=== a worker that dies lets go of what it had under way
--- mock
down
--- then
my $first = main::start();
ok((until_true { metric('dedup_inflight_messages') == 1 }), 'under way');
my $master = master_pid();
my @workers = grep { /\S/ } split /\n/, `pgrep -P $master`;
kill 'KILL', @workers;
ok((until_true {
        my @now = split /\n/, `pgrep -P $master`;
        @now == 2 && !grep { my $pid = $_; grep { $_ == $pid } @workers } @now
    }), 'there are new ones');
mock_command('up');
is(main::told(main::start()), 'delivered:1', 'the resend is taken');
is(main::told(main::start()), 'duplicate:1', 'and the next one known');
--- error_log
exited on signal 9
--- no_error_log
Sanitizer
--- no_shutdown_error_log
Sanitizer
--- no_books



=== a worker that dies while it drains lets go of it as well
--- mock
down
--- then
my $first = main::start();
ok((until_true { metric('dedup_inflight_messages') == 1 }), 'under way');
my $master = master_pid();
my %old = map { $_ => 1 } grep { /\S/ } split /\n/, `pgrep -P $master`;
kill 'HUP', $master;
my $now = sub { grep { /\S/ } split /\n/, `pgrep -P $master` };
ok((until_true { (grep { !$old{$_} } $now->()) == 2 }), 'there are new ones');
ok((until_true { (grep { $old{$_} } $now->()) == 1 }), 'one of the old drains');
kill 'KILL', grep { $old{$_} } $now->();
ok((until_true { !grep { $old{$_} } $now->() }), 'and dies, and is not replaced');
my $accepted = metric('accepted_messages_total') // 0;
my $answer = http('POST', '/queued', '{"device":"a","seq":1,"data":1}');
is($answer->{status}, 202, 'at once one that does not wait');
is(metric('accepted_messages_total'), $accepted + 1, '... is not said of the dead');
mock_command('up');
is(main::told(main::start()), 'duplicate:1', 'the next one knows it');
--- error_log
exited on signal 9
--- no_error_log
Sanitizer
--- no_shutdown_error_log
Sanitizer
--- no_books
