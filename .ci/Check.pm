package Check;

# Check - what .ci/lint and .ci/docs have in common: TAP, the files of the
# tree, and the proof that a check can fail.
#
# A check is [ name, what holds, function ]; the function returns complaints,
# each with its place.  One that finds nothing to look at complains about
# that: a detector must never be green because it is blind.

use strict;
use warnings;

use Cwd qw/ abs_path /;
use Exporter qw/ import /;
use File::Basename qw/ dirname /;
use File::Find qw/ find /;

our @EXPORT = qw/ run try_faults files lines slurp each_line code_only put
                  change /;

my $tree = abs_path(dirname(__FILE__) . '/..');
my $n = 0;
my $bad = 0;


# the checks named in @ARGV, or all; with --self-test $self_test instead

sub run {
    my ($checks, $self_test) = @_;

    if (@ARGV && $ARGV[0] eq '--self-test') {
        $self_test->();

    } else {
        my %wanted = map { $_ => 1 } @ARGV;
        my $all = !@ARGV;

        chdir $tree or die "$tree: $!\n";

        for my $c (@$checks) {
            next unless delete $wanted{$c->[0]} || $all;

            my @said = $c->[2]->();
            ok(!@said, "$c->[0]: $c->[1]", @said);
        }

        ok(0, "unknown check \"$_\"") for sort keys %wanted;
    }

    print "1..$n\n";
    exit($bad ? 1 : 0);
}


# $sound makes a sound tree in the current folder; a fault is [ check, file or
# function, what is put behind the file's text, what a complaint must say ]

sub try_faults {
    my ($checks, $sound, @faults) = @_;

    my %by_name = map { $_->[0] => $_->[2] } @$checks;
    my %tried;

    $sound->();

    for my $c (@$checks) {
        my @said = $c->[2]->();
        ok(!@said, "$c->[0] is green on a sound tree", @said);
    }

    for my $fault (@faults) {
        my ($check, $where, $text, $want) = @$fault;
        my $fresh = !ref $where && !-f $where;

        if (ref $where) {
            $where->();
        } else {
            put($where, ($fresh ? '' : slurp($where)) . $text);
        }

        my @said = $by_name{$check}->();
        my $named = grep { index($_, $want) >= 0 } @said;
        ok($named, "$check is red for: $want", @said);

        unlink $where if $fresh;
        $sound->();
        $tried{$check} = 1;
    }

    for my $c (@$checks) {
        ok($tried{$c->[0]}, "$c->[0] was seen to fail");
    }

    chdir '/';
}


sub ok {
    my ($good, $name, @said) = @_;

    $n++;
    print $good ? '' : 'not ', "ok $n - $name\n";

    if (!$good) {
        $bad++;
        print "#   $_\n" for @said;
    }
}


# files below the current folder, without what is made or not ours

sub files {
    my ($pattern, @roots) = @_;

    my @found;

    @roots = grep { -e } @roots ? @roots : ('.');
    return () unless @roots;

    find({ no_chdir => 1,
           wanted => sub {
               my $name = $_;
               $name =~ s{^\./}{};

               if (-d $name && $name =~ m{^(?:\.git|build[^/]*|.*servroot.*)$})
               {
                   $File::Find::prune = 1;
                   return;
               }

               push @found, $name
                   if -f $name && !-l $name && $name =~ $pattern;
           } }, @roots);

    return sort @found;
}


sub lines {
    my ($file) = @_;

    open(my $fh, '<', $file) or die "$file: $!\n";
    my @lines = <$fh>;
    close($fh);
    return @lines;
}


sub slurp { join '', lines($_[0]) }


sub each_line {
    my ($look, @files) = @_;

    my @said;

    return ('nothing to look at') unless @files;

    for my $file (@files) {
        my $number = 0;

        for my $line (lines($file)) {
            $number++;
            my $fault = $look->($line, $file);
            push @said, "$file:$number: $fault" if $fault;
        }
    }

    return @said;
}


# strings, characters and comments become blanks, lines stay where they are

sub code_only {
    my ($text, $with_strings) = @_;

    my $blank = sub { my $s = shift; $s =~ s/[^\n]/ /g; $s };

    $text =~ s{("(?:\\.|[^"\\\n])*")|('(?:\\.|[^'\\\n])*')|(/\*.*?\*/)}
              {defined $3 || !$with_strings ? $blank->($&) : $&}gse;
    return $text;
}


sub put {
    my ($file, $text) = @_;

    open(my $fh, '>', $file) or die "$file: $!\n";
    print $fh $text;
    close($fh) or die "$file: $!\n";
}


sub change {
    my ($file, $from, $to) = @_;

    my $text = slurp($file);
    $text =~ s/$from/$to/;
    put($file, $text);
}

1;
