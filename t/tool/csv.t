# The unit test of the command's CSV reader, csv_test.c, beside the pages that
# call the command.

use strict;
use warnings;

my $program = ($ENV{BUILD} || 'build') . '/tool/csv';

exec { $program } $program
    or die "$program: $! (make -f .ci/tools.mk tests)\n";
