# The story: the disk is full, the file is somebody else's, the terminal is
# closed, the operator presses ^C, a stray file lies beside the registry.
# Unseen without it: half an import, a registry that no "create" replaces, a
# key in a log that everybody may read, a failure that says 0.

use strict;
use warnings;

use lib 't/tool/lib';
use GatewayDevices;

use File::Copy qw/ copy /;
use Test::More;

my $dir = folder();
my $db = "$dir/devices.db";
my $secret = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY';
my ($status, $out, $err);

is((devices($db, 'create'))[0], 0, 'a registry is made');
ok(token($db, 'add', 'first'), 'with a device');


# a full disk: no file may have more than so many blocks of 512 bytes

($status, $out, $err) = limited(4, "$dir/full.db", 'create');
is("$status $out", '1 ', 'no registry is made on a full disk');
like($err, qr/^gateway-devices: cannot write .*\n\z/, 'which is said, once');
is_deeply([ glob("$dir/full.db*") ], [], 'and nothing is left of it');

($status, $out, $err) = limited(4, $db, 'add', 'second');
is($status, 1, 'no device is added on a full disk');
like($err, qr/^gateway-devices: cannot write .*\n\z/, 'which is said, once');
is(ids(), 'first', 'it is not there');
ok(token($db, 'add', 'second'), 'and is added where there is room again');

my $rows = join '', map { "own-$_,$secret\n" } 1 .. 3000;
spew("$dir/own.csv", "device,secret\n$rows");

($status, $out, $err) = limited(200, $db, 'import', "$dir/own.csv");
is($status, 1, 'no import on a full disk');
like($err, qr/^gateway-devices: cannot write .*\n\z/, 'which is said, once');
is(ids(), 'first second', 'nothing of it is there');

is((devices($db, 'import', "$dir/own.csv"))[0], 0,
   'it is done where there is room again');
is(split(' ', ids()), 3002, 'all of it');


# nowhere to print

SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';

    ($status, $out, $err) = devices({ stdout => '/dev/full' }, $db, 'list');
    is($status, 1, 'a list that cannot be written has failed');
    like($err, qr/^gateway-devices: cannot write to standard output\n\z/,
         'which is said, once');
}

for my $closed ('>&-', '<&- >&-', '<&- >&- 2>&-') {
    ($status, $out) = shell("exec \"\$@\" $closed", $db, 'add', 'unseen');
    is($status, 1, "nothing is added under $closed");
}

unlike(ids(), qr/unseen/, 'nor stored');


# ^C, hang-up and the end of a shift

$rows = join '', map { "row-$_\n" } 1 .. 40000;

for my $signal (qw/ INT HUP TERM /) {

    # a pipe takes less than this: what was written is being read
    my $import = devices_start({ stdin => "device\n$rows" }, $db, 'import',
                               '-');
    kill $signal, $import->{pid};
    ($status, $out) = devices_end($import);
    like("$status $out", qr/^signal \d+ $/, "an import is ended by $signal");
    unlike(ids(), qr/row/, 'nothing of it stays');
}

ok(token($db, 'add', 'third'), 'and nobody waits for it');


# two at once

my @calls = map { devices_start("$dir/race.db", 'create') } 1 .. 6;
close($_->{stdin}) for @calls;
is(join('', sort map { (devices_end($_))[0] } @calls), '011111',
   'of many that make a registry, one does');
ok(token("$dir/race.db", 'add', 'first'), 'and it can be used');


# files beside it

unlink "$dir/race.db";
is((devices("$dir/race.db", 'create'))[0], 0,
   'files that a registry has left are no obstacle to another');
is(ids("$dir/race.db"), '', 'which has none of its devices');

chmod 0644, "$db-wal";
ok(token($db, 'add', 'key-1', '--hmac'),
   'a key is kept, though the log was open to others');
is(mode("$db-wal"), '0600', 'as it is so no longer');

chmod 0644, "$db-wal";
link("$db-wal", "$dir/elsewhere") or die "link: $!\n";
($status, $out, $err) = devices($db, 'add', 'key-2', '--hmac');
is("$status $out", '1 ', 'but not in a log that is also something else');
is(mode("$dir/elsewhere"), '0644', 'which is left alone');
unlink "$dir/elsewhere";

mkdir "$dir/links";
symlink($db, "$dir/links/devices.db");
chmod 0640, $db;
ok(token("$dir/links/devices.db", 'add', 'fourth'), 'a link to it will do');
is(mode("$db-$_"), '0640', "the $_ beside the file has its mode")
    for qw/ wal shm /;
is_deeply([ glob("$dir/links/*") ], [ "$dir/links/devices.db" ],
          'none is beside the link');


# a file that is damaged

copy($db, "$dir/cut.db");
truncate("$dir/cut.db", 4096);
($status, $out, $err) = devices("$dir/cut.db", 'add', 'fifth');
is("$status $out", '1 ', 'nothing is added to a file that was cut');
like($err, qr/malformed/, 'which is said');


# another user

SKIP: {
    skip 'only root can be another', 10 if $> != 0;

    my $them = { uid => 65534 };

    chown 0, 65534, $db, "$db-wal", "$db-shm";
    like((devices($them, $db, 'list'))[1], qr/^first /m,
         'who may read the registry may list it');

    for my $command ([ 'add', 'sixth' ], [ 'rotate', 'first' ],
                     [ 'import', "$dir/own.csv" ])
    {
        ($status, $out, $err) = devices($them, $db, @$command);
        is("$status $out", '1 ', "but not @{$command}[0] into it");
        like($err, qr/readonly/, 'which is said');
    }

    chmod 0600, $db, "$db-wal", "$db-shm";
    ($status, $out, $err) = devices($them, $db, 'list');
    is("$status $out", '1 ', 'who may not read it may not');

    is((devices($them, "$dir/theirs.db", 'create'))[0], 1,
       'no registry is made in a folder of somebody else');
    like((devices($db, 'list', 'first'))[1], qr/^first /m,
         'the registry is as it was');
}

done_testing();


sub ids {
    my ($status, $out) = devices($_[0] || $db, 'list', '--csv');

    $out =~ s/.*\n//;

    return join ' ', $out =~ /^([^,]+),/mg;
}


sub limited {
    my ($blocks, @arguments) = @_;

    return shell("ulimit -f $blocks; trap '' XFSZ; exec \"\$@\"", @arguments);
}


sub shell {
    my ($script, @arguments) = @_;

    return devices({ command => '/bin/sh' }, '-c', $script, 'sh', command(),
                   @arguments);
}
