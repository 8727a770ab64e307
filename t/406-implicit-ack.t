# Two requests are on their way; Kafka refuses the first, for it does not lead
# just now, and takes the second.  librdkafka would then report the first as
# delivered too, on the belief that sequence numbers had kept the second out:
# brokers do not check those of the first batch of a new producer.  The ledger
# saw such a message once: answered 200, after Kafka had hung, and in no topic.

use lib 't/lib';
use GatewayTest 'no_plan';

run_tests();

__DATA__

=== a message that Kafka refused is not delivered by the next one
--- mock
--- gateway
topic $T.telemetry;
property linger.ms 0;
--- then
my $post = sub {
    my ($seq) = @_;
    my $body = "{\"device\":\"a\",\"seq\":$seq,\"data\":$seq}";
    return client("POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  . "Content-Type: application/json\r\nContent-Length: "
                  . length($body) . "\r\n\r\n$body");
};
like(answer($post->(1)), qr/^HTTP\/1.1 200 /, 'it runs');
mock_command('rtt 300');
mock_command('push NOT_LEADER_FOR_PARTITION 1');
my $first = $post->(2);
until_true { metric('inflight_messages{class="telemetry"}') };
my $second = $post->(3);
like(answer($first), qr/^HTTP\/1.1 200 /, 'the first is delivered');
like(answer($second), qr/^HTTP\/1.1 200 /, 'and the second');
mock_command('rtt 0');
SKIP: {
    skip 'no kcat', 1 unless grep { -x "$_/kcat" } split /:/, $ENV{PATH};
    my $held = `kcat -C -b $KAFKA -t $T.telemetry -e -q -o beginning 2>&1`;
    my @seqs = $held =~ /"seq":(\d+)/g;
    is("@seqs", '1 2 3', 'all of them are in Kafka, in their order')
        or diag($held);
}
--- metrics
delivered_messages_total 3
