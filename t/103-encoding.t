# Compressed bodies.  They are inflated under a cap on size and ratio; without
# this page a few bytes could fill the memory of a worker, and a body that was
# cut off could pass for a whole one.

use lib 't/lib';
use GatewayTest 'no_plan';
use IO::Compress::Gzip ();
use IO::Compress::Deflate ();
use IO::Compress::RawDeflate ();

sub packed {
    my ($kind, $text) = @_;
    no strict 'refs';
    my $out;
    &{"IO::Compress::${kind}::" . lc $kind}(\$text, \$out);
    return $out;
}

run_tests();

__DATA__

=== a body may be compressed with gzip or deflate, or not at all
--- request eval
[ map { "PUT /t\n$_" } main::packed('Gzip', '{"device":"a","data":1}'),
    main::packed('Deflate', '{"device":"b","data":2}'),
    main::packed('Gzip', '{"device":"c","data":3}'),
    '{"device":"d","data":4}' ]
--- more_headers eval
[ map { "Content-Type: application/json\nContent-Encoding: $_" }
      qw( gzip deflate X-GZIP Identity ) ]
--- error_code eval
[ (200) x 4 ]
--- records
$T.telemetry
^a .*"data":1\}
^b .*"data":2\}
^c .*"data":3\}
^d .*"data":4\}
--- metrics
delivered_messages_total 4



=== a batch may be compressed too
--- request eval
"POST /t\n" . main::packed('Gzip', "{\"device\":\"a\",\"data\":1}\n"
                                   . "{\"device\":\"b\",\"data\":2}\n")
--- more_headers
Content-Type: application/x-ndjson
Content-Encoding: gzip
--- error_code: 200
--- response_body_like
"delivered":2



=== another encoding, or two of them, is refused with 415
--- request eval
[ map { "POST /t\n{\"device\":\"a\",\"data\":1}" } 1 .. 3 ]
--- more_headers eval
[ map { "Content-Type: application/json\nContent-Encoding: $_" }
      'br', 'zstd', 'gzip, gzip' ]
--- error_code eval
[ (415) x 3 ]
--- response_body_like eval
[ (qr/"detail":"Content-Encoding must be gzip, deflate or identity"/) x 3 ]
--- metrics
rejected_messages_total{reason="unsupported"} 3



=== a body that is cut off, damaged or followed by other bytes is refused
--- request eval
my $whole = main::packed('Gzip', '{"device":"a","data":1}');
my $damaged = $whole;
substr($damaged, -5, 1) ^= "\x01";
[ map { "POST /t\n$_" } substr($whole, 0, -1), substr($whole, 0, 12),
    $damaged, "${whole}x", $whole . $whole, '{"device":"a","data":1}',
    '' ]
--- more_headers
Content-Type: application/json
Content-Encoding: gzip
--- error_code eval
[ (400) x 7 ]
--- response_body_like eval
[ (qr/"detail":"the compressed body is damaged, truncated or followed by/)
  x 7 ]
--- records
$T.telemetry
--- metrics
rejected_messages_total{reason="malformed"} 7



=== a body of more than 20 times its compressed size is refused with 413
--- request eval
"POST /t\n" . main::packed('Gzip', '{"device":"a","data":"' . ('x' x 100000)
                                   . '"}')
--- more_headers
Content-Type: application/json
Content-Encoding: gzip
--- error_code: 413
--- response_body_like
"reason":"too_large"
--- error_log
gateway message refused: too_large, the inflated body is above gateway_max_inflated_size or 20 times its compressed size
--- metrics
rejected_messages_total{reason="too_large"} 1



=== a body above gateway_max_inflated_size is refused with 413
--- config
location /t { gateway_pass; gateway_max_inflated_size 100; }
--- request eval
[ map { my $n = $_;
        "POST /t\n" . main::packed('Gzip', '{"device":"a","data":"'
                                   . CORE::join('', map { chr(97 + $_ % 26) }
                                                  1 .. $n) . '"}') }
      76, 77 ]
--- more_headers
Content-Type: application/json
Content-Encoding: gzip
--- error_code eval
[ 200, 413 ]
--- records
$T.telemetry
^a



=== a raw deflate stream, which some clients send as "deflate", is one too
--- request eval
"POST /t\n" . main::packed('RawDeflate', '{"device":"a","data":1}')
--- more_headers
Content-Type: application/json
Content-Encoding: deflate
--- error_code: 200
--- records
$T.telemetry
^a .*"data":1\}
