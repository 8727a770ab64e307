package GatewayDevices;

# GatewayDevices - the command gateway-devices as a test calls it, and a worker
# that reads what it writes.
#
# Made by "make -f .ci/tools.mk tests".  The command is the one under ASan and
# UBSan: their status is none that the command has, so a fault of memory is
# never taken for a refusal.

use strict;
use warnings;

use Exporter qw/ import /;
use Fcntl qw/ :mode /;
use File::Copy qw/ copy /;
use File::Temp qw/ tempdir /;
use IO::Handle;
use IPC::Open2 qw/ open2 /;

our @EXPORT = qw/ folder command devices devices_start devices_end token worker
                  ask slurp spew mode /;

my $build = $ENV{BUILD} || 'build';
my $command = "$build/tool/asan/gateway-devices";
my $check = "$build/tool/check";

for ($command, $check) {
    die "$_ is not there: make -f .ci/tools.mk tests\n" unless -x;
}

my $folder = tempdir(CLEANUP => 1);
my $calls = 0;

# others than the owner may look inside, as they may where a registry is kept
chmod 0755, $folder;

$ENV{ASAN_OPTIONS} = 'exitcode=99';
$ENV{UBSAN_OPTIONS} = 'exitcode=99';


# another user may not get at the folder it was built in
copy($command, "$folder/gateway-devices") or die "$command: $!\n";
chmod 0755, "$folder/gateway-devices";
$command = "$folder/gateway-devices";


sub folder { return $folder }
sub command { return $command }


# devices(ARGUMENT...): (status, stdout, stderr).  An option { } in front:
# stdin => text, stdout => file, command => program, uid => whose it is,
# umask => bits

sub devices {
    my $call = devices_start(@_);

    close($call->{stdin});
    return devices_end($call);
}


# the same in two steps: { pid, stdin } in between

sub devices_start {
    my $option = ref $_[0] ? shift : {};
    my @arguments = @_;

    my $base = "$folder/call." . ++$calls;
    my $out = $option->{stdout} || "$base.out";

    pipe(my $theirs, my $ours) or die "pipe: $!\n";

    my $pid = fork();
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        close($ours);
        open(STDIN, '<&', $theirs) or die "stdin: $!\n";
        open(STDOUT, '>', $out) or die "$out: $!\n";
        open(STDERR, '>', "$base.err") or die "$base.err: $!\n";

        # a background job has some ignored
        $SIG{$_} = 'DEFAULT' for qw/ INT HUP TERM XFSZ /;

        umask($option->{umask}) if defined $option->{umask};

        if ($option->{uid}) {
            ($(, $)) = ($option->{uid}, "$option->{uid} $option->{uid}");
            ($<, $>) = ($option->{uid}, $option->{uid});
        }

        exec { $option->{command} || $command } 'gateway-devices', @arguments
            or die "exec: $!\n";
    }

    close($theirs);
    $ours->autoflush(1);

    local $SIG{PIPE} = 'IGNORE';
    print $ours $option->{stdin} if defined $option->{stdin};

    return { pid => $pid, stdin => $ours, base => $base, out => $out };
}


sub devices_end {
    my ($call) = @_;

    waitpid($call->{pid}, 0);

    my $status = $? & 127 ? "signal $?" : $? >> 8;

    return ($status, -f $call->{out} ? slurp($call->{out}) : '',
            slurp("$call->{base}.err"));
}


# what add or rotate printed, or nothing where that is not a token alone

sub token {
    my ($status, $out) = devices(@_);

    return $status eq '0' && $out =~ /\A([A-Za-z0-9_-]{43})\n\z/ ? $1 : '';
}


# a reader as the workers have it, see check.c; the second argument is its uid

sub worker {
    my ($pid, $out, $in);

    $pid = open2($out, $in, $check, @_);
    my $said = <$out> // 'nothing';
    chomp $said;

    return { in => $in, out => $out, said => $said };
}


sub ask {
    my ($worker, $line) = @_;

    print { $worker->{in} } "$line\n";
    $worker->{in}->flush();

    my $said = readline($worker->{out}) // 'nothing';
    chomp $said;

    return $said;
}


sub slurp {
    my ($file) = @_;

    open(my $fh, '<:raw', $file) or die "$file: $!\n";
    local $/;
    return <$fh> // '';
}


sub spew {
    my ($file, $text) = @_;

    open(my $fh, '>:raw', $file) or die "$file: $!\n";
    print $fh $text;
    close($fh) or die "$file: $!\n";
}


# "0600", or nothing where there is no such file

sub mode {
    my ($file) = @_;

    my @stat = lstat($file) or return '';
    return sprintf('%04o', S_IMODE($stat[2]));
}


1;
