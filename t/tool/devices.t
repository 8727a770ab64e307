# The story: an operator makes a registry, adds, changes, disables and rotates
# devices, while workers read it.  Unseen without it: a token that was shown
# and that no worker accepts, a revocation that does not reach them, a registry
# that everybody may read, a value that is stored and never matches.

use strict;
use warnings;

use lib 't/tool/lib';
use GatewayDevices;

use JSON::PP;
use MIME::Base64 qw/ decode_base64url /;
use Test::More;

my $now = 1800000000;
my $dir = folder();
my ($status, $out, $err);


# the file

for my $umask (0000, 0777) {
    my $name = sprintf('%s/umask-%04o.db', $dir, $umask);

    ($status) = devices({ umask => $umask }, $name, 'create');
    is($status, 0, sprintf('a registry is made under umask %04o', $umask));
    is(mode($name), '0600', 'for its owner only');
    is(mode("$name$_"), '0600', "so is its file $_") for '-wal', '-shm';
}

my $db = "$dir/devices.db";

($status, $out, $err) = devices($db, 'add', 'pump-7');
is($status, 1, 'a device cannot be added where no registry is');
like($err, qr/No such file.*create/, 'which is said, and what makes one');
ok(!-e $db, 'and none has come to be');

is((devices($db, 'create'))[0], 0, 'a registry is made');
is(substr(slurp($db), 18, 2), "\2\2", 'in WAL mode');

my $token = token($db, 'add', 'pump-7', '--classes=telemetry,control',
                  '--tenant=acme', '--topics=a.*,b', '--speaks-for=gauge-*');
ok($token, 'add prints a token and nothing else');

($status, $out, $err) = devices($db, 'create');
is($status, 1, 'a registry that is there is not made again');

symlink("$dir/nowhere", "$dir/link.db");
is((devices("$dir/link.db", 'create'))[0], 1, 'nor is what a link points to');
is((devices("$dir/no/devices.db", 'create'))[0], 1,
   'nor one in a folder that is not there');


# what a worker makes of it

my $worker = worker($db);
is($worker->{said}, 'open', 'a worker opens it');
is(ask($worker, "sign pump-7 $token"),
   'ok pump-7 tenant=acme classes=5 topics=a.*,b speaks_for=gauge-*',
   'the token is good for what was said');
is(ask($worker, 'changed'), 0, 'nothing has changed since');

($status, $out, $err) = devices($db, 'add', 'pump-7');
is($status, 1, 'a device that is there is not added again');
is($out, '', 'and no token is shown');
like($err, qr/"pump-7" exists already/, 'but the reason');
like(ask($worker, "sign pump-7 $token"), qr/^ok/, 'its own still holds');

my $new = token($db, 'rotate', 'pump-7');
ok($new && $new ne $token, 'rotate prints another token');
is(ask($worker, 'changed'), 1, 'of which the worker hears');
is(ask($worker, "sign pump-7 $token"), 'unauthenticated', 'the old one ends');
is(ask($worker, "sign pump-7 $new"),
   'ok pump-7 tenant=acme classes=5 topics=a.*,b speaks_for=gauge-*',
   'the new one holds, for the same');

is_deeply([ devices($db, 'disable', 'pump-7') ], [ 0, '', '' ],
          'a device is disabled in silence');
is(ask($worker, "sign pump-7 $new"), 'revoked', 'and refused');
is((devices($db, 'enable', 'pump-7'))[0], 0, 'it is enabled');
like(ask($worker, "sign pump-7 $new"), qr/^ok/, 'and let in again');

is((devices($db, 'set', 'pump-7', '--tenant=', '--classes=*'))[0], 0,
   'set changes what it names');
is(ask($worker, "sign pump-7 $new"),
   'ok pump-7 tenant= classes=7 topics=a.*,b speaks_for=gauge-*',
   'and nothing else; an empty value is none');

for my $command (qw/ set disable enable rotate remove /) {
    my @setting = $command eq 'set' ? '--tenant=a' : ();

    ($status, $out, $err) = devices($db, $command, 'pump-8', @setting);
    is("$status $out", '1 ', "$command wants a device that is there");
    like($err, qr/no device "pump-8"/, 'and says so');
}

my $gone = token($db, 'add', 'gone');
is((devices($db, 'remove', 'gone'))[0], 0, 'a device is removed');
is(ask($worker, "sign gone $gone"), 'unauthenticated', 'and is unknown');


# time

is((devices($db, 'set', 'pump-7', '--not-before=2027-01-15T09:00:00+01:00',
            '--not-after=1800000010'))[0], 0, 'a time is a date or a number');

is(ask($worker, "sign pump-7 $new " . ($now + $_->[0])) =~ /^(\w+)/ && $1,
   $_->[1], "at $_->[0] it is $_->[1]")
    for [ -1, 'revoked' ], [ 0, 'ok' ], [ 9, 'ok' ], [ 10, 'revoked' ];

($status, $out, $err) = devices($db, 'set', 'pump-7', '--not-after='
                                                      . $now);
is($status, 1, 'a device cannot end when it begins, as its row has it');
like($err, qr/not_before must be before not_after/, 'which is said');
like(ask($worker, "sign pump-7 $new $now"), qr/^ok/, 'the row is as it was');

is((devices($db, 'set', 'pump-7', '--not-before=', '--not-after='))[0], 0,
   'times are taken away');
like(ask($worker, "sign pump-7 $new 1"), qr/^ok/, 'it holds always');


# keys

my $key = token($db, 'add', 'signer', '--hmac', '--classes=control');
ok($key, 'with --hmac a key is printed');
is(ask($worker, 'key signer'), "ok $key", 'it is the one that a worker has');
is(ask($worker, "sign signer $key"), 'unauthenticated',
   'and it is no token');

my $second = token($db, 'rotate', 'signer', '--hmac');
is(ask($worker, 'key signer'), "ok $second", 'another one takes its place');

my $both = token($db, 'rotate', 'signer');
like(ask($worker, "sign signer $both"), qr/^ok/,
     'a device may have a token too');
is(ask($worker, 'key signer'), "ok $second", 'which leaves the key');

for my $mode (0604, 0602, 0620) {
    chmod $mode, $db;
    ($status, $out, $err) = devices($db, 'rotate', 'signer', '--hmac');
    is("$status $out", '1 ',
       sprintf('no key is kept in a file of mode %04o', $mode));
}

is(ask($worker, 'key signer'), "ok $second", 'the old one stays');

chmod 0640, $db;
ok(token($db, 'rotate', 'pump-7'), 'a token is made in a file of mode 0640');
is(mode("$db$_"), '0640', "$_ has got that mode") for '-wal', '-shm';
chmod 0600, $db;


# values

my %bad = (
    'classes'    => [ 'a,', ',a', 'a,,b', 'a b', '*,a', 'a*', 'a:b',
                      'a' x 33, "a\n" ],
    'tenant'     => [ 'a"b', 'a\\b', "a\tb", "\xc3\xa9", 'a' x 65 ],
    'topics'     => [ 'a,', 'a**', '*a', 'a*b', 'a b', 'a@b', 'a:*',
                      'a' x 250, 'abc,' x 64 . 'd' ],
    'speaks-for' => [ 'a,', '*a', 'a/b', 'a,b c*', 'a' x 129,
                      join(',', ('a' x 100) x 6) ],
    'not-before' => [ 'now', '2027-01-15', '-1', '1.5', '1800000000000',
                      '2027-02-30T00:00:00Z', '1e9',
                      '2027-01-15T08:00:00.5Z' ],
    'not-after'  => [ 'never', '0x10' ],
);

for my $option (sort keys %bad) {
    for my $value (@{ $bad{$option} }) {
        ($status, $out, $err) = devices($db, 'add', 'bad',
                                        "--$option=$value");
        is("$status $out", '1 ', "--$option: " . printable($value)
                                 . ' is refused');
        like($err, qr/--$option must be/, 'with what it must be');
    }
}

for my $id ('', 'a b', 'a/b', 'a*', "a\n", "\xc3\xa9", 'a' x 129) {
    ($status, $out, $err) = devices($db, 'add', $id);
    is("$status $out", '1 ', 'no id: ' . printable($id));
}

($status, $out) = devices($db, 'list', 'bad');
is($out, '', 'none of these is in the registry');

my $wide = 'a' x 128;
$token = token($db, 'add', $wide, '--classes=' . 'c' x 32 . ',telemetry',
               '--tenant=' . 't' x 64, '--topics=' . 'p' x 249 . '*',
               '--speaks-for=*');
like(ask($worker, "sign $wide $token"),
     qr/^ok a{128} tenant=t{64} classes=4 topics=p{249}\* speaks_for=\*$/,
     'the longest values are let in and hold');

$token = token($db, 'add', '--', '-x');
like(ask($worker, "sign -x $token"), qr/^ok/, 'an id may begin with "-"');


# how it is called

for my $case ([ 'nothing' ], [ 'no command', $db ],
              [ 'an unknown command', $db, 'drop' ],
              [ 'no device', $db, 'add' ],
              [ 'two devices', $db, 'add', 'a', 'b' ],
              [ 'an unknown option', $db, 'add', 'a', '--colour=red' ],
              [ 'an unknown option without a value', $db, 'add', 'a', '-v' ],
              [ 'an option of another command', $db, 'remove', 'a',
                '--classes=b' ],
              [ 'an option twice', $db, 'add', 'a', '--tenant=b',
                '--tenant=c' ],
              [ 'an option without its value', $db, 'add', 'a', '--tenant' ],
              [ 'a flag with a value', $db, 'add', 'a', '--hmac=b' ],
              [ 'a secret', $db, 'add', 'a', '--secret=' . 'A' x 43 ],
              [ 'a key', $db, 'add', 'a', '--hmac-key=' . 'A' x 43 ],
              [ 'nothing to set', $db, 'set', 'pump-7' ],
              [ 'two forms', $db, 'list', '--json', '--csv' ],
              [ 'no CSV file', $db, 'import' ])
{
    my ($name, @arguments) = @$case;

    ($status, $out, $err) = devices(@arguments);
    is("$status $out", '2 ', "$name is no way to call it");
    unlike($err, qr/red|AAA/, 'and no value is repeated');
}

($status, $out, $err) = devices('--help');
is("$status $err", '0 ', '--help is no fault');
like($out, qr/^  $_\b/m, "and tells of $_")
    for qw/ create add set remove disable enable rotate list import /;


# files that are none

spew("$dir/text.db", "no database at all, but long enough\n" x 100);

for my $case ([ "$dir/text.db", qr/not a database/, 'a text is no registry' ],
              [ $dir, qr/not a file/, 'nor is a folder' ])
{
    my ($file, $want, $name) = @$case;

    ($status, $out, $err) = devices($file, 'add', 'a');
    is("$status $out", '1 ', $name);
    like($err, $want, 'which is said');
}


is((devices("$dir/fresh.db", 'create'))[0], 0, 'a fresh one');

for my $case ([ 68, qr/no registry of devices/, 'another application' ],
              [ 60, qr/of another version/, 'another version' ])
{
    my ($at, $want, $name) = @$case;

    my $text = slurp("$dir/fresh.db");
    substr($text, $at, 4) = "\0\0\0\x09";
    spew("$dir/$at.db", $text);

    ($status, $out, $err) = devices("$dir/$at.db", 'add', 'a');
    is("$status $out", '1 ', "a database of $name is not written to");
    like($err, $want, 'which is said');
    is(slurp("$dir/$at.db"), $text, 'it is as it was');
}


# what cannot be shown is not done

SKIP: {
    skip 'no /dev/full', 4 unless -c '/dev/full';

    for my $command ([ 'add', 'unseen' ], [ 'rotate', 'pump-7' ]) {
        my $before = (devices($db, 'list', '--json'))[1];

        ($status) = devices({ stdout => '/dev/full' }, $db, @$command);
        is($status, 1, "$command->[0] fails where its token has no place");
        is((devices($db, 'list', '--json'))[1], $before, 'and does nothing');
    }
}


# list

my $list = "$dir/list.db";
devices($list, 'create');

my %secret = (
    'b-1' => token($list, 'add', 'b-1', '--classes=control,telemetry',
                   '--tenant=TENANTXX', '--not-after=2030-01-01T00:00:00Z'),
    'a-1' => token($list, 'add', 'a-1', '--hmac', '--topics=x.*'),
    'a-2' => token($list, 'add', 'a-2', '--speaks-for=b,c*'),
);
devices($list, 'disable', 'a-2');

my ($yes, $no) = (JSON::PP::true, JSON::PP::false);

my @row = (
    { device => 'a-1', classes => [], tenant => '', topics => [ 'x.*' ],
      speaks_for => [], enabled => $yes, not_before => undef,
      not_after => undef, token => $no, hmac => $yes },
    { device => 'a-2', classes => [], tenant => '', topics => [],
      speaks_for => [ 'b', 'c*' ], enabled => $no, not_before => undef,
      not_after => undef, token => $yes, hmac => $no },
    { device => 'b-1', classes => [ 'control', 'telemetry' ],
      tenant => 'TENANTXX', topics => [], speaks_for => [], enabled => $yes,
      not_before => undef, not_after => '2030-01-01T00:00:00Z',
      token => $yes, hmac => $no },
);

is_deeply(json($list), \@row, 'list --json has every device, by id');
is_deeply(json($list, 'a-'), [ @row[0, 1] ], 'or those that begin so');
is_deeply(json($list, 'a-2'), [ $row[1] ], 'or one');
is_deeply(json($list, 'c'), [], 'or none');

is((devices($list, 'list', '--csv'))[1], <<'END', 'list --csv is for import');
device,classes,tenant,topics,speaks_for,enabled,not_before,not_after,credentials
a-1,,,x.*,,1,,,hmac
a-2,,,,"b,c*",0,,,token
b-1,"control,telemetry",TENANTXX,,,1,,2030-01-01T00:00:00Z,token
END

($status, $out) = devices($list, 'list');
like($out, qr/^a-2 +disabled +token +speaks_for=b,c\*$/m, 'list is for eyes');
like($out, qr/^b-1 +enabled +token +control,telemetry +tenant=TENANTXX/m,
     'and has what is set');

# another program has written: SQLite keeps no checksum of a page
unlink "$list-wal", "$list-shm";
(my $text = slurp($list)) =~ s/TENANTXX/a"\e\n,\\\xff\x7f/;
spew($list, $text);

is(json($list, 'b')->[0]{tenant}, "a\"\e\n,\\\x{fffd}\x7f",
   'whatever stands in a row, JSON is JSON');
like((devices($list, 'list', '--csv', 'b'))[1], qr/,"a""\e\n,\\\xff\x7f",/,
     'and CSV is CSV');
like((devices($list, 'list', 'b'))[1], qr/tenant=a"\?\?,\\\?\?/,
     'and a terminal is not told what to do');


# secrets

for my $id (sort keys %secret) {
    my $raw = decode_base64url($secret{$id});
    my $hex = unpack('H*', $raw);

    is(length($raw), 32, "what $id has got is 32 bytes");

    for my $form ([], [ '--json' ], [ '--csv' ]) {
        ($status, $out, $err) = devices($list, 'list', @$form);
        unlike($out . $err, qr/\Q$secret{$id}\E|\Q$raw\E|$hex/i,
               "list @$form does not show it");
    }

    next if $id eq 'a-1';
    ok(index(slurp($list) . slurp("$list-wal"), $raw) < 0,
       'nor is it in the registry, but for keys');
}


# many at once

my @calls = map { [ "many-$_", devices_start($db, 'add', "many-$_") ] } 1 .. 12;
close($_->[1]{stdin}) for @calls;

for (@calls) {
    my ($id, $call) = @$_;

    ($status, $out, $err) = devices_end($call);
    is("$status $err", '0 ', "$id is added while others are");
    chomp $out;
    like(ask($worker, "sign $id $out"), qr/^ok/, 'and holds');
}

# A pipe takes less than this: what was written is being read, so the import
# has the database.  It waits for the rest of its file.

my $rows = join '', map { "row-$_\n" } 1 .. 40000;
my $import = devices_start({ stdin => "device\n$rows" }, $db, 'import', '-');

($status, $out, $err) = devices($db, 'add', 'late');
is("$status $out", '1 ', 'who waits 5 seconds for another writer gives up');
like($err, qr/locked/, 'and says why');
like(ask($worker, "sign many-1 x"), qr/^unauthenticated/,
     'workers do not wait');

my $waiting = devices_start($db, 'add', 'waits');
close($waiting->{stdin});
close($import->{stdin});

is((devices_end($import))[0], 0, 'the import ends');
is((devices_end($waiting))[0], 0, 'and who waited has its turn');

$rows =~ s/row/killed/g;
$import = devices_start({ stdin => "device\n$rows" }, $db, 'import', '-');
kill 'KILL', $import->{pid};
is((devices_end($import))[0], 'signal 9', 'an import is killed');
is_deeply(json($db, 'killed'), [], 'nothing of it stays');
ok(token($db, 'add', 'after'), 'and nobody waits for it');
is(substr(slurp($db), 18, 2), "\2\2", 'the database is in WAL mode still');


# a worker is another user, who may only read

SKIP: {
    skip 'only root can be another', 9 if $> != 0;

    my $file = "$dir/shared.db";
    devices($file, 'create');
    chown 0, 65534, $file;
    chmod 0640, $file;
    devices($file, 'add', 'first');

    $worker = worker($file, 65534);
    is($worker->{said}, 'open', 'a worker in the group of the file reads it');
    is(ask($worker, 'changed'), 0, 'which has not changed');

    $token = token($file, 'add', 'second');
    like(ask($worker, "sign second $token"), qr/^ok/, 'what is new holds');
    is(ask($worker, 'changed'), 1, 'it hears of it');
    is(ask($worker, 'changed'), 0, 'once');

    ($status, $out) = devices({ stdin => "device\nthird\n" }, $file,
                              'import', '-');
    like($out, qr/^third,(.*)$/m, 'also of an import');
    like(ask($worker, 'sign third ' . ($out =~ /^third,(.*)$/m)[0]), qr/^ok/,
         'which holds');
    is(ask($worker, 'changed'), 1, 'it hears of that');
    is(ask($worker, 'changed'), 0, 'once');
}

done_testing();


sub json {
    my ($file, @prefix) = @_;

    my ($status, $out) = devices($file, 'list', '--json', @prefix);

    return $status eq '0' ? JSON::PP->new->utf8->decode($out) : "exit $status";
}


sub printable {
    my ($text) = @_;

    $text =~ s/([^ -~])/sprintf('\\x%02x', ord($1))/ge;

    return length($text) > 40 ? substr($text, 0, 40) . '...' : "\"$text\"";
}
