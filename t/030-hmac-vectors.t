# The clients of conf-examples/hmac sign as the worked vectors say, and as a
# fifth implementation, here, computes; t/unit/gw_hmac_vectors.c holds the same
# vectors against the gateway.
#
# Unseen without it: an example that somebody copies into a device, and that
# signs in a way of its own for a body with a NUL, a key that begins with one,
# or a target with a percent sign.

use strict;
use warnings;

use Digest::SHA qw( hmac_sha256 );
use File::Temp ();
use JSON::PP;
use MIME::Base64 qw( decode_base64url encode_base64url );
use Test::More;

my $dir = 'conf-examples/hmac';
my $file = "$dir/vectors.json";
my @members = qw( method target device timestamp epoch seq class time type
                  encoding );
my @fields = ('name', 'key', @members, qw( body text signature ));

# the program that runs it, by the name it has in Debian
my @clients = ([ 'sign.py', 'python3' ], [ 'sign.mjs', 'node' ],
               [ 'sign.sh', 'sh', 'openssl' ]);

my $home = File::Temp->newdir;
my $source = read_file($file);
my $vectors = decode_json($source);


# the vectors themselves

cmp_ok(scalar @$vectors, '>=', 6, 'there are six vectors or more');

for my $v (@$vectors) {
    my $text = join '', map { "$_\n" } 'Gateway-HMAC-SHA256', @$v{@members};
    my $mac = hmac_sha256($text . decode_base64url($v->{body}),
                          decode_base64url($v->{key}));

    is_deeply([ sort keys %$v ], [ sort @fields ], "$v->{name}: is whole");
    is($v->{text}, $text, "$v->{name}: has the text of its members");
    is($v->{signature}, encode_base64url($mac), "$v->{name}: is right");
}

# sign.sh reads it by lines
is(join('', grep { !/^[\[\]]$|^  \{$|^  \},?$/
                   && !/^    "\w+": "(?:[^"\\]|\\n)*",?$/ }
            split /^/, $source), "", 'a member stands in a line of its own');


# the clients

for my $client (@clients) {
    my ($script, @needs) = @$client;
    my @missing = grep { !in_path($_) } @needs;

    SKIP: {
        skip "$script: no @missing here", 1 if @missing;
        client($script, $needs[0], "$dir/$script");
    }
}

done_testing();


sub client {
    my ($name, @command) = @_;

    my $said = said(@command, '--check', $file);

    is($?, 0, "$name: all vectors are good");
    is($said, join('', map { "ok $_->{name} $_->{signature}\n" } @$vectors),
       "$name: it names each one with its signature");

    # what it says of a good file it must not say of a bad one

    for my $field (grep { $_ ne 'name' } @fields) {
        my ($good, $v) = @{decode_json($source)};

        # another first character: of base64url another first byte
        $v->{$field} =~ s/^.?/substr($&, 0, 1) eq 'B' ? 'C' : 'B'/e;

        write_file("$home/bad.json", layout([ $v, $good ]));
        $said = said(@command, '--check', "$home/bad.json");

        isnt($?, 0, "$name: another $field is found");
        is_deeply([ $said =~ /^(.*) \S+$/mg ],
                  [ "not ok $v->{name}", "ok $good->{name}" ],
                  "$name: and told by its name, the other vector stays good");
    }

    write_file("$home/none.json", "[\n]\n");
    said(@command, '--check', "$home/none.json");
    isnt($?, 0, "$name: a file without vectors proves nothing");

    for my $v (@$vectors) {
        my $body = decode_base64url($v->{body});

        write_file("$home/key", "$v->{key}\n");
        write_file("$home/body", $body);

        my @args = map { length $v->{$_} ? ("--$_", $v->{$_}) : () }
                   grep { $_ ne 'target' } @members;

        push @args, '--body', "$home/body" if length $body;
        push @args, $v->{target};

        is(said(@command, '--key', "$home/key", @args),
           qq(Authorization: Gateway-HMAC-SHA256 device="$v->{device}", )
           . qq(timestamp="$v->{timestamp}", signature="$v->{signature}"\n),
           "$name: $v->{name}: the header that it prints");

        # --check has compared all of them
        next unless $v->{seq} || $body =~ /\n\z/;

        is(said(@command, '--key', "$home/key", '--text', @args),
           $v->{text} . $body,
           "$name: $v->{name}: the string to sign that it prints");
    }

    # the first vector again, its body through a pipe

    my $v = $vectors->[0];

    write_file("$home/key", $v->{key});
    write_file("$home/body", decode_base64url($v->{body}));

    my @args = ('--key', "$home/key", '--device', $v->{device}, '--timestamp',
                $v->{timestamp}, '--type', $v->{type});

    like(piped("$home/body", @command, @args, '--body', '-', $v->{target}),
         qr/signature="\Q$v->{signature}\E"$/,
         "$name: a body is taken from standard input");

    # the time of this machine, as nothing else is said

    my $before = time;
    my ($at) = said(@command, '--key', "$home/key", '--device', 'x', '/')
               =~ /timestamp="(\d+)"/;

    cmp_ok($at, '>=', $before, "$name: without a timestamp it is now");
    cmp_ok($at, '<=', time, "$name: and not later");

    for ([ 'a line break in a member', @args, '--seq', "1\n2', '/" ],
         [ 'a body that is not there', @args, '--body', "$home/none", '/' ],
         [ 'no target', @args ],
         [ 'an option that it does not know', @args, '--nonce', '1', '/' ],
         [ 'no device', '--key', "$home/key", '/' ],
         [ 'no key', '--device', 'x', '/' ],
         [ 'a key that is not there', '--key', "$home/none", '--device', 'x',
           '/' ])
    {
        my ($what, @bad) = @$_;

        unlike(said(@command, @bad), qr/signature=/,
               "$name: nothing is signed with $what");
        isnt($?, 0, "$name: which is a failure");
    }

    write_file("$home/key", substr $v->{key}, 0, 42);
    unlike(said(@command, @args, '/'), qr/signature=/,
           "$name: a key of 31 bytes is not signed with");
    isnt($?, 0, "$name: and that is a failure");
}


# as the file is written

sub layout {
    my ($list) = @_;
    my $json = JSON::PP->new->allow_nonref;

    return "[\n" . join(",\n", map {
        my $v = $_;
        "  {\n" . join(",\n", map { qq(    "$_": ) . $json->encode($v->{$_}) }
                              @fields) . "\n  }"
    } @$list) . "\n]\n";
}


sub in_path {
    my ($program) = @_;

    return grep { -x "$_/$program" } split /:/, $ENV{PATH};
}


sub said {
    return piped('/dev/null', @_);
}


# standard output; what is said to standard error is expected to be

sub piped {
    my ($in, @command) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', $in or die "$in: $!\n";
        open STDERR, '>', '/dev/null' or die "/dev/null: $!\n";
        exec @command or die "$command[0]: $!\n";
    }

    binmode $out;
    my $said = do { local $/; <$out> } // '';
    close $out;

    return $said;
}


sub read_file {
    my ($name) = @_;

    open my $in, '<:raw', $name or die "$name: $!\n";
    local $/;
    return scalar <$in>;
}


sub write_file {
    my ($name, $content) = @_;

    open my $out, '>:raw', $name or die "$name: $!\n";
    print $out $content;
    close $out or die "$name: $!\n";
}
