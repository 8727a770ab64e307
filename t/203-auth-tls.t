# "gateway_auth tls": the client certificate that nginx verified says who
# sends.  Without this page a certificate of another authority, a revoked one,
# or a name in the wrong place could be taken for a device.

use lib 't/lib';
use GatewayTest 'no_plan';
use GatewayAuth;

my ($ca, $server, $server_key, $crl, $other);

# made once; the files last as long as the page

sub certificates {
    ($ca) = certificate('ca');
    ($server, $server_key) = certificate('server', san => 'DNS:localhost');
    ($other) = certificate('ca-other');

    certificate('pump-7', cn => 'pump-cn', san =>
                'URI:spiffe://fleet.example/device/pump-7,DNS:pump-7.example');
    certificate('pump-8', san => 'URI:spiffe://fleet.example/device/pump-8');
    certificate('theirs', ca => 'ca-other',
                san => 'URI:spiffe://fleet.example/device/pump-7');
    certificate('nameless', cn => 'pump-7');
    certificate('two', cn => 'pump-2', san => 'URI:a:1,URI:a:2,DNS:a,DNS:b');
    certificate('dns', cn => 'other', san => 'DNS:pump-9');
    certificate('wildcard', san => 'DNS:*.example');
    certificate('revoked', san => 'URI:spiffe://fleet.example/device/pump-6');
    $crl = crl('revoked');
}


# a server on a socket: its certificate, then what the block adds

add_block_preprocessor(sub {
    my ($block) = @_;

    certificates() unless $ca;

    my $tls = join '', map { "    $_;\n" }
              'listen unix:$AUTH/tls.sock ssl',
              "ssl_certificate $server", "ssl_certificate_key $server_key";

    my $http = $block->http_config;

    $http = '' unless defined $http;
    $http =~ s/\$TLS;/$tls/g;
    $http =~ s/\$CA\b/$ca/g;
    $http =~ s/\$OTHER_CA\b/$other/g;
    $http =~ s/\$CRL\b/$crl/g;

    $block->set_value('http_config', $http);
});

# the device that a request was taken for, or status and reason

our $log = q(log_format auth '$status [$gateway_device] [$gateway_auth]';
             access_log logs/access.log auth;);

run_tests();

__DATA__

=== the name is the URI of the certificate, its prefix cut off
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    location /t {
        gateway_auth tls prefix=spiffe://fleet.example/device/ classes=*;
        gateway_pass;
        access_log logs/access.log auth;
    }
}
--- then
is(problem(curl('pump-7')), '200', 'taken');
is(problem(curl('pump-8', '{"device":"pump-8","data":2}')), '200', 'and');
like(problem(curl('pump-8', '{"device":"pump-7","data":3}')),
     qr/^403 forbidden/, 'not for another');
logged(qr/^200 \[pump-7\] \[-?\] \[tls\]$/, 'access.log');
--- records
$T.telemetry
^pump-7 \{"device":"pump-7",
^pump-8 \{"device":"pump-8",
--- metrics
auth_failures_total{method="tls",reason="unauthenticated"} 0



=== the name may be the URI, a DNS name or the common name
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    location /uri { gateway_auth tls classes=*; gateway_pass; }
    location /uri2 { gateway_auth tls name=uri classes=*; gateway_pass; }
    location /dns { gateway_auth tls name=dns classes=*; gateway_pass; }
    location /cn { gateway_auth tls name=cn classes=*; gateway_pass; }
    location /cut {
        gateway_auth tls name=dns prefix=pump- classes=*;
        gateway_pass;
    }
}
--- then
is(problem(curl('pump-7', undef, path => "/$_")), '200', $_)
    for qw( uri uri2 dns cn cut );
--- records
$T.telemetry
^spiffe://fleet\.example/device/pump-7
^spiffe://fleet\.example/device/pump-7
^pump-7\.example
^pump-cn
^7\.example



=== a certificate without that name, or with two, is nobody's
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    location /uri { gateway_auth tls classes=*; gateway_pass; }
    location /dns { gateway_auth tls name=dns classes=*; gateway_pass; }
    location /cn { gateway_auth tls name=cn classes=*; gateway_pass; }
    location /cut {
        gateway_auth tls prefix=spiffe://fleet.example/ classes=*;
        gateway_pass;
    }
}
--- then
my $no = sub {
    my ($certificate, $path, $why) = @_;
    my $answer = curl($certificate, undef, path => $path);
    like(problem($answer), qr/^401 unauthenticated/, $why);
    is(challenges($answer), '', '... and no header would help');
};
$no->('nameless', '/uri', 'the common name is no URI');
$no->('nameless', '/dns', 'nor a DNS name');
$no->('dns', '/uri', 'a DNS name is no URI');
$no->('two', '/uri', 'which of two URIs?');
$no->('two', '/dns', 'which of two DNS names?');
$no->('wildcard', '/dns', 'a star is many');
$no->('two', '/cut', 'without the prefix');
is(problem(curl('two', undef, path => '/cn')), '200', 'one common name');
--- records
$T.telemetry
^pump-2
--- metrics
auth_failures_total{method="tls",reason="unauthenticated"} 7



=== only what nginx verified counts
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client optional_no_ca;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
--- then
like(problem(curl('theirs')), qr/^401 unauth/, 'of another authority');
like(problem(curl(undef)), qr/^401 unauth/, 'no certificate');
is(problem(curl('pump-7')), '200', 'one of ours');
--- records
$T.telemetry
^spiffe://fleet\.example/device/pump-7
--- metrics
auth_failures_total{method="tls",reason="unauthenticated"} 1
auth_failures_total{method="none",reason="unauthenticated"} 1



=== where nginx asks for no certificate there is none
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
--- config
location /t { gateway_auth tls classes=*; gateway_pass; }
--- then
like(problem(curl('pump-7')), qr/^401 unauth/, 'over TLS');
like(problem(http('POST', '/t', '{"data":1}')), qr/^401 unauth/,
     'and without');
--- records
$T.telemetry
--- metrics
auth_failures_total{method="none",reason="unauthenticated"} 2



=== optional: a certificate or nothing
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client optional;
    location /t { gateway_auth tls classes=*; gateway_pass; }
    location /open { gateway_auth off; gateway_pass; }
}
--- then
is(problem(curl('pump-7')), '200', 'with one');
is(curl('theirs')->{status}, 400, 'a wrong one is refused by nginx');
like(problem(curl(undef)), qr/^401 unauth/, 'with none');
is(problem(curl(undef, '{"device":"x","data":1}', path => '/open')), '200',
   'where nobody asks');
--- records
$T.telemetry
^spiffe://fleet\.example/device/pump-7
^x



=== a certificate that its authority revoked is refused
--- http_config
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    ssl_crl $CRL;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
--- then
is(curl('revoked')->{status}, 400, 'refused by nginx');
is(problem(curl('pump-7')), '200', 'the others are taken');
--- records
$T.telemetry
^spiffe://fleet\.example/device/pump-7



=== classes= are those of the gateway, or of the certificate's row
--- devices
pump-7 classes=control tenant=acme speaks_for=sensor-*
pump-8 enabled=0
--- http_config
log_format auth '$status [$gateway_device] [$gateway_tenant] [$gateway_auth]';
server {
    $TLS;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    location /given {
        gateway_auth tls prefix=spiffe://fleet.example/device/
                         classes=telemetry,heartbeat;
        gateway_pass;
    }
    location /row {
        gateway_auth tls prefix=spiffe://fleet.example/device/
                         devices=$AUTH/devices.db;
        gateway_pass;
        access_log logs/access.log auth;
    }
}
--- then
my $try = sub {
    my ($certificate, $path, $body) = @_;
    return problem(curl($certificate, $body, path => $path)) =~ s/^(\S+ ?\w*).*/$1/r;
};
is($try->('pump-7', '/given', qq({"class":"$_","data":1})), '200', $_)
    for qw( telemetry heartbeat );
is($try->('pump-7', '/given', '{"class":"control","data":1}'),
   '403 forbidden', 'control');
is($try->('pump-7', '/row', '{"class":"control","data":2}'), '200',
   'its row: control');
is($try->('pump-7', '/row', '{"class":"telemetry","data":2}'),
   '403 forbidden', 'telemetry');
is($try->('pump-7', '/row',
          '{"device":"sensor-1","class":"control","data":3}'), '200',
   'a device that it speaks for');
is($try->('pump-8', '/row', '{"class":"control","data":2}'), '403 revoked',
   'disabled there');
is($try->('revoked', '/row', '{"class":"control","data":2}'),
   '403 forbidden', 'without a row');
logged(qr/^200 \[pump-7\] \[acme\] \[tls\]$/, 'access.log');
sql(q{UPDATE device SET enabled = 1 - enabled;});
ok(until_true {
       $try->('pump-7', '/row', '{"class":"control","data":4}')
           eq '403 revoked';
   }, 'disabled while it has its certificate');
--- records
$T.telemetry
^pump-7

$T.heartbeat
^pump-7

$T.control 2
^pump-7 .*"data":2\}
^sensor-1 .*"data":3\}
--- metrics
auth_failures_total{method="tls",reason="revoked"} 2



=== a connection of one server is not that of another
--- http_config
server {
    $TLS;
    server_name localhost;
    ssl_client_certificate $CA;
    ssl_verify_client on;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
server {
    $TLS;
    server_name other;
    ssl_client_certificate $OTHER_CA;
    ssl_verify_client optional;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
server {
    $TLS;
    server_name none;
    location /t { gateway_auth tls classes=*; gateway_pass; }
}
--- then
is(problem(curl('pump-7')), '200', 'of the server it was made for');
isnt(curl('pump-7', undef, Host => 'other')->{status}, 200,
     'not of one that trusts others');
isnt(curl('pump-7', undef, Host => 'none')->{status}, 200,
     'nor of one that trusts none');
--- records
$T.telemetry
^spiffe://fleet\.example/device/pump-7
