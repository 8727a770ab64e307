# Threads of librdkafka begin in the workers, after fork.  Without this page a
# handle made while the configuration is read would be copied into workers
# without its threads, and hang there.

use lib 't/lib';
use GatewayTest 'no_plan';

sub tasks {
    my ($pid) = @_;
    opendir(my $dir, "/proc/$pid/task") or die "/proc/$pid/task: $!\n";
    return scalar grep { /^\d+$/ } readdir $dir;
}

sub workers_of {
    my ($master) = @_;
    open(my $in, '<', "/proc/$master/task/$master/children")
        or die "children: $!\n";
    return split ' ', join '', <$in>;
}

run_tests();

__DATA__

=== the master has one thread, its worker those of librdkafka
--- no_kafka
--- then
is(main::tasks(master_pid()), 1, 'the master');
my @workers = main::workers_of(master_pid());
is(scalar(@workers), 1, 'one worker');
cmp_ok(main::tasks($workers[0]), '>', 1, 'has more');



=== after a reload the master has still one, and the old worker is gone
--- no_kafka
--- then
my ($old) = main::workers_of(master_pid());
kill 'HUP', master_pid();
ok(until_true { my ($new) = main::workers_of(master_pid());
                defined $new && $new != $old }, 'a new worker');
is(main::tasks(master_pid()), 1, 'the master');
ok(until_true { !-d "/proc/$old" }, 'the old one ends');
is(metric('config_generation'), 2, 'the page tells');



=== counters survive a reload
--- request
POST /t
{"device":"a","data":1}
--- more_headers
Content-Type: application/json
--- error_code: 200
--- then
my ($old) = main::workers_of(master_pid());
kill 'HUP', master_pid();
ok(until_true { !-d "/proc/$old" }, 'the old worker ends');
is(http('POST', '/t', '{"device":"b","data":1}')->{status}, 200, 'a new one');
--- metrics
delivered_messages_total 2
lost_messages_total 0
waiting_messages 0
--- records
$T.telemetry
^a
^b
