# The story: an operator brings a fleet, thousands of devices in a CSV file
# that a spreadsheet or a factory wrote.  Unseen without it: half a fleet after
# an error in line 5000, a value under the wrong column, an error nobody can
# find in the file, a secret in a log.

use strict;
use warnings;

use lib 't/tool/lib';
use GatewayDevices;

use Test::More;

my $dir = folder();
my $db = "$dir/devices.db";
my $secret = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY';
my ($status, $out, $err);

devices($db, 'create');
my $worker = worker($db);
is($worker->{said}, 'open', 'a worker reads');


# a file as a spreadsheet saves it

($status, $out, $err) = import_text(
    "\xef\xbb\xbf\"classes\",device,tenant,enabled,not_after\r\n"
    . "\"control,telemetry\",pump-1,\"acme, inc\",,\r\n"
    . "\r\n"
    . "*,pump-2,,0,2020-01-01T00:00:00Z\r\n"
    . "heartbeat,pump-3,,true,");
is("$status $err", '0 ', 'a mark, CRLF, quotes and columns in any order');

my %token = $out =~ /^(pump-\d),([A-Za-z0-9_-]{43})$/mg;
is($out, "device,token\n" . join('', map { "$_,$token{$_}\n" }
                                     qw/ pump-1 pump-2 pump-3 /),
   'the answer is CSV: the tokens made, in the order of the file');

is(ask($worker, "sign pump-1 $token{'pump-1'}"),
   'ok pump-1 tenant=acme, inc classes=5 topics= speaks_for=',
   'a device is as its line says');
is(ask($worker, "sign pump-2 $token{'pump-2'}"), 'revoked',
   'also disabled');
is(ask($worker, "sign pump-3 $token{'pump-3'}"),
   'ok pump-3 tenant= classes=2 topics= speaks_for=',
   'also from a last line without an end');


# secrets that are there already

my $key = 'a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s';

($status, $out, $err) = import_text("device,secret,hmac_key\n"
                               . "own,$secret,\nsame,$secret,\n"
                               . "both,$secret,$key\nsigner,,$key\nnew,,\n");
is($status, 0, 'a device may bring its secret');
like($out, qr/\Adevice,token\nnew,\S{43}\n\z/, 'only what is made is shown');
like(ask($worker, "sign $_ $secret"), qr/^ok/, "$_ has its own token")
    for qw/ own same both /;
is(ask($worker, "key $_"), "ok $key", "$_ has its key") for qw/ both signer /;
is(ask($worker, "sign signer $secret"), 'unauthenticated',
   'a device with a key alone gets no token');

my $fresh = "$dir/fresh.db";
devices($fresh, 'create');
devices({ stdin => "device,secret\none,$secret\ntwo,$secret\n" }, $fresh,
        'import', '-');
my $bytes = slurp($fresh);
my ($twice, %seen) = (0);

# salt and hash stand side by side; text that comes twice is of the schema
for (0 .. length($bytes) - 48) {
    my $part = substr($bytes, $_, 48);
    $twice++ if $part =~ tr/\x80-\xff// > 8 && $seen{$part}++;
}

ok($bytes =~ /one/ && $bytes =~ /two/, 'two devices have one secret');
is($twice, 0, 'which nobody sees in the registry');
ok(index($bytes . slurp("$fresh-wal"), '0123456789abcdef' x 2) < 0,
   'nor is it kept in plain');

chmod 0644, $db;
($status, $out, $err) = import_text("device,hmac_key\nx,$key\n");
is("$status $out", '1 ', 'a key is not brought where others may read');
like($err, qr/line 2, column hmac_key: .*chmod/, 'which is said');
chmod 0600, $db;


# all or nothing

for my $case (
    [ "", qr/line 1: no header/, 'an empty file' ],
    [ "\n\n", qr/line 1: no header/, 'a file of empty lines' ],
    [ "classes\na\n", qr/line 1: no column is named device/, 'no ids' ],
    [ "device,color\na,b\n", qr/line 1: the name of column 2 is none of/,
      'an unknown column' ],
    [ "device,Tenant\na,b\n", qr/line 1: the name of column 2 is none of/,
      'a column in capitals' ],
    [ "device,tenant,device\na,b,c\n", qr/line 1: the name of column 3 is dup/,
      'a column twice' ],
    [ "device,tenant\na,b\nc\n", qr/line 3: 1 fields where the header has 2/,
      'a line that is short' ],
    [ "device,tenant\na,b,c\n", qr/line 2: 3 fields where the header has 2/,
      'a line that is long' ],
    [ "device\na\nb\nb c\n", qr/line 4, column device: must be/,
      'an id that is none' ],
    [ "tenant,device\na,\n", qr/line 2, column device: must be/, 'no id' ],
    [ "device,classes\na,b\nc,d;e\n", qr/line 3, column classes: must be/,
      'classes parted by semicolons' ],
    [ "device,classes\na,\"*,b\"\n", qr/line 2, column classes: must be/,
      'all classes and one' ],
    [ "device,tenant\na,b\\c\n", qr/line 2, column tenant: must be/,
      'a tenant that is none' ],
    [ "device,tenant\na,\"b\nc\"\n", qr/line 2, column tenant: must be/,
      'a tenant of two lines' ],
    [ "device,topics\na,b*c\n", qr/line 2, column topics: must be/,
      'a star in the middle' ],
    [ "device,speaks_for\na,\"b,\"\n", qr/line 2, column speaks_for: must be/,
      'an empty entry' ],
    [ "device,enabled\na,yes\n", qr/line 2, column enabled: must be/,
      'neither true nor false' ],
    [ "device,not_before\na,1800000000000\n",
      qr/line 2, column not_before: must be in seconds/, 'milliseconds' ],
    [ "device,not_after,not_before\na,5,5\n",
      qr/line 2, column not_before: not_before must be before/,
      'an end at the beginning' ],
    [ "device,secret\na,$secret=\n", qr/line 2, column secret: must be/,
      'a secret with padding' ],
    [ "device,secret\na," . substr($secret, 1) . "\n",
      qr/line 2, column secret: must be/, 'a secret that is short' ],
    [ "device,hmac_key\na," . substr($secret, 0, 42) . "\n",
      qr/line 2, column hmac_key: must be/, 'a key that is short' ],
    [ "device,hmac_key\na," . 'A' x 90 . "\n",
      qr/line 2, column hmac_key: must be/, 'a key that is long' ],
    [ "device\nnew-1\npump-1\n", qr/line 3, column device: exists already/,
      'a device that is there' ],
    [ "device\nnew-1\nnew-2\nnew-1\n",
      qr/line 4, column device: exists already/, 'a device twice' ],
    [ "credentials,device\n\"x\n\"\"y\",new-1\nz,bad id\n",
      qr/line 4, column device: must be/, 'a line behind one in quotes' ],
    [ "device,tenant\r\nnew-1,b\"\r\n", qr/line 2, column tenant: a quote/,
      'a quote in a plain field' ],
    [ "device,tenant\nnew-1,\"b\"c\n", qr/line 2, column tenant: bytes behind/,
      'bytes behind a quote' ],
    [ "device,tenant\nnew-1,\"b\n\n", qr/line 2, column tenant: .* no end/,
      'a quote that does not end' ],
    [ "device,tenant\nnew-1,b\rnew-2,c\r", qr/line 2, .*carriage return/,
      'lines that CR ends' ],
    [ "d\0e\0", qr/line 1, field 1: a NUL byte/, 'a file in UTF-16' ],
    [ "device,tenant\nnew-1," . 'a' x 20000 . "\n",
      qr/line 2, column tenant: a record of more/, 'a line without end' ],
    [ "$secret,$key\n", qr/line 1: the name of column 1/,
      'secrets without a header' ],
    [ "device,tenant,secret\na,$secret,b\"$secret\n", qr/line 2, column sec/,
      'a secret that is quoted badly' ],
) {
    my ($text, $want, $name) = @$case;
    my $before = (devices($db, 'list', '--csv'))[1];

    ($status, $out, $err) = import_text($text);
    is("$status $out", '1 ', "refused: $name");
    like($err, $want, 'with its place');
    unlike($err, qr/Njc4OWFi|a2tra2|AAAA|color/, 'without its text');
    is((devices($db, 'list', '--csv'))[1], $before, 'and nothing has come in');
}


for my $case ([ "$dir/none.csv", qr/cannot open .*No such file/, 'be there' ],
              [ $dir, qr/cannot read/, 'be a file' ])
{
    my ($file, $want, $name) = @$case;

    ($status, $out, $err) = devices($db, 'import', $file);
    is("$status $out", '1 ', "what is imported must $name");
    like($err, $want, 'which is said');
}

is_deeply([ import_text("device\n") ], [ 0, "device,token\n", '' ],
          'a header alone is no fault');

SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';

    ($status) = devices({ stdin => "device\nunseen\n", stdout => '/dev/full' },
                        $db, 'import', '-');
    is($status, 1, 'an import fails where its tokens have no place');
    unlike((devices($db, 'list', '--csv'))[1], qr/unseen/, 'and does nothing');
}


# out of one registry, into another

my $other = "$dir/other.db";
devices($other, 'create');
devices($db, 'set', 'pump-3', '--speaks-for=a,b*', '--topics=x.*',
        '--not-before=2001-02-03T04:05:06Z');

my $list = (devices($db, 'list', '--csv', 'pump'))[1];
spew("$dir/list.csv", $list);
is((devices($other, 'import', "$dir/list.csv"))[0], 0,
   'what list --csv prints can be imported');
is((devices($other, 'list', '--csv'))[1], $list, 'and is the same there');


# a million

my $million = "$dir/million.csv";
my $rows = 1000000;
my $command = ($ENV{BUILD} || 'build') . '/gateway-devices';

open(my $fh, '>', $million) or die "$million: $!\n";
print $fh "device,classes,tenant\n";
printf $fh "dev-%08x,\"control,telemetry\",tenant-%d\n",
       $_ * 2654435761 % 4294967296, $_ % 100
    for 1 .. $rows;
close($fh) or die "$million: $!\n";

devices("$dir/million.db", 'create');

# KiB of address space: the file is read as a stream, and little is kept

my @before = times;
($status, $out, $err) = devices({ command => '/bin/sh' }, '-c',
                                'ulimit -v 180000; exec "$@"', 'sh', $command,
                                "$dir/million.db", 'import', $million);
my @after = times;
my $took = $after[2] + $after[3] - $before[2] - $before[3];

is("$status $err", '0 ', 'a million devices are imported, in 180 MB');
is($out =~ tr/\n//, $rows + 1, 'each has its token');
cmp_ok($took, '<', 60, 'within a minute of a processor');
diag(sprintf('%d devices in %.1f s of a processor, the registry'
             . ' has %.0f MB', $rows, $took, (-s "$dir/million.db") / 1e6));
cmp_ok(-s "$dir/million.db-wal", '<', 1e6, 'the log is small again');

my ($id, $token) = substr($out, length($out) / 2) =~ /\n(.*),(.*)\n/;
my $reader = worker("$dir/million.db");
is(ask($reader, "sign $id $token") =~ s/tenant-\d+/T/r,
   "ok $id tenant=T classes=5 topics= speaks_for=",
   'one from the middle is let in');

done_testing();


sub import_text {
    my ($text) = @_;

    return devices({ stdin => $text }, $db, 'import', '-');
}
