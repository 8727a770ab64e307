package GatewayMqtt;

# GatewayMqtt - a small strict client of MQTT 3.1.1 and 5.0 for tests, over
# TCP, TLS or WebSocket.  It shares no line with the module: what both sides
# of the module's own code misread would go unseen otherwise.  It sends what
# it is told to, right or wrong; what it receives is checked to the letter of
# the standard, and die() names the clause that was broken.
#
#   use lib 't/lib';
#   use GatewayMqtt;
#
#   my $c = GatewayMqtt->new(port => 1883, version => 5);
#   $c->connect(client_id => 'dev-1', user => 'dev-1', password => 'secret',
#               props => { session_expiry => 60 });
#   my $p = $c->read_packet(5);          # { type => 'CONNACK', reason => 0 }
#   $c->publish(topic => 'a/b', payload => '{}', qos => 1);
#   $p = $c->read_packet(5);             # { type => 'PUBACK', id => 1, ... }
#   $c->disconnect;
#
# new() takes
#
#   host, port   127.0.0.1 by default
#   version      4 (3.1.1, by default) or 5: how packets are made and read
#   timeout      seconds for what is given none: 10
#   tls          1: TLS; no certificate is checked unless ssl says so
#   ssl          more for IO::Socket::SSL: { SSL_ca_file => ... }
#   ws           a path: WebSocket.  ws_protocol is what is offered ("mqtt";
#                undef: nothing), ws_headers a list of more header lines,
#                ws_without the names of those to leave out, ws_split the
#                bytes of payload a frame holds (0: a frame for each packet)
#
# It dies where no connection can be had, and where a handshake of WebSocket
# is not answered or by a wrong 101; any other answer is in $c->response:
# { status, headers => { name => value }, body }, with names in lower case.
#
# A method for each packet sends it: connect, publish, puback, pubrec, pubrel,
# pubcomp, subscribe, unsubscribe, pingreq, disconnect, auth.  packet('publish',
# version => 5, ...) is the bytes only, for send_raw() or to be broken first.
#
#   connect      client_id, user, password, keep_alive (60), clean (1), props,
#                will => { topic, payload, qos, retain, props }; to be wrong:
#                protocol, level, connect_flags (the answer is read as one of
#                the version that new() was given)
#   publish      topic, payload, qos, id, dup, retain, props
#   puback, pubrec, pubrel, pubcomp
#                id, reason, props
#   subscribe    id, filters => [ [ 'a/#', options ], ... ], props
#   unsubscribe  id, filters => [ 'a/#', ... ], props
#   disconnect   reason, props
#   auth         reason, props
#
# flags => N in any of them replaces the low bits of the first byte.  Where an
# id is needed and none given, the next one is taken; the methods return the
# id that was sent, or 0.  All texts are bytes.
#
# Properties have names (see %property).  A list of values repeats one, as it
# must be for user: { user => [ [ 'a', '1' ], [ 'b', '2' ] ] }, and may be for
# what the standard allows but once.  A string instead of the hash is sent as
# it is, behind its length.
#
# read_packet(SECONDS) gives a hash, undef at the end of the connection, or
# the string "timeout":
#
#   type             'CONNACK', ...; flags: the low four bits
#   id, reason       reason is 0 where the packet has none
#   reasons          a list: SUBACK, UNSUBACK of 5.0
#   session_present  CONNACK
#   topic, payload, qos, dup, retain      PUBLISH
#   props            { name => value }; user and subscription_id are lists
#
# login(...) is connect() and its CONNACK; deliver(...) is publish() up to its
# last acknowledgement.
#
# Below the packets: send(BYTES) through the transport, send_raw(BYTES) to TCP
# or TLS as they are, ws_frame(OPCODE, PAYLOAD, fin => 0, rsv => 1, mask => ''
# or 4 bytes, len => what is said), read_frame(SECONDS) for one frame of the
# server, finish() to end our direction only, close(), and reset() to let the
# server read ECONNRESET.  Pings are answered, a close is, too, and is then in
# $c->ws_close: { code, reason }.  What the server reset is $c->was_reset.

use strict;
use warnings;

use Digest::SHA ();
use Encode ();
use Errno qw( EAGAIN EWOULDBLOCK EINTR ECONNRESET EPIPE );
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 ();
use Socket ();
use Time::HiRes ();

our @EXPORT_OK = qw( packet packet_of text varint );

my @names = qw( - CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP
                SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK PINGREQ PINGRESP
                DISCONNECT AUTH );
my %number = map { $names[$_] => $_ } 1 .. $#names;

# 2.2.2.2: identifier, type, and the packets of a server that may hold it.
# Types: b, w, l: 1, 2, 4 bytes; v: a variable one; t: text; d: data; p: two
# texts; 1: one byte that is 0 or 1; W, L, V: not 0
my %property = (
    payload_format             => [0x01, '1', 'PUBLISH'],
    message_expiry             => [0x02, 'l', 'PUBLISH'],
    content_type               => [0x03, 't', 'PUBLISH'],
    response_topic             => [0x08, 't', 'PUBLISH'],
    correlation_data           => [0x09, 'd', 'PUBLISH'],
    subscription_id            => [0x0b, 'V', 'PUBLISH'],
    session_expiry             => [0x11, 'l', 'CONNACK'],
    assigned_client_id         => [0x12, 't', 'CONNACK'],
    server_keep_alive          => [0x13, 'w', 'CONNACK'],
    auth_method                => [0x15, 't', 'CONNACK AUTH'],
    auth_data                  => [0x16, 'd', 'CONNACK AUTH'],
    request_problem_info       => [0x17, '1', ''],
    will_delay                 => [0x18, 'l', ''],
    request_response_info      => [0x19, '1', ''],
    response_info              => [0x1a, 't', 'CONNACK'],
    server_reference           => [0x1c, 't', 'CONNACK DISCONNECT'],
    reason_string              => [0x1f, 't', 'CONNACK PUBACK PUBREC PUBREL
                                               PUBCOMP SUBACK UNSUBACK
                                               DISCONNECT AUTH'],
    receive_maximum            => [0x21, 'W', 'CONNACK'],
    topic_alias_maximum        => [0x22, 'w', 'CONNACK'],
    topic_alias                => [0x23, 'W', 'PUBLISH'],
    maximum_qos                => [0x24, '1', 'CONNACK'],
    retain_available           => [0x25, '1', 'CONNACK'],
    user                       => [0x26, 'p', 'CONNACK PUBLISH PUBACK PUBREC
                                               PUBREL PUBCOMP SUBACK UNSUBACK
                                               DISCONNECT AUTH'],
    maximum_packet_size        => [0x27, 'L', 'CONNACK'],
    wildcard_available         => [0x28, '1', 'CONNACK'],
    subscription_ids_available => [0x29, '1', 'CONNACK'],
    shared_available           => [0x2a, '1', 'CONNACK'],
);
my %property_name = map { $property{$_}[0] => $_ } keys %property;

# 2.4: what a server may say in each
my @acknowledged = (0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99);
my %reasons = (
    CONNACK    => [0x00, 0x80 .. 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99 .. 0x9d,
                   0x9f],
    PUBACK     => \@acknowledged,
    PUBREC     => \@acknowledged,
    PUBREL     => [0x00, 0x92],
    PUBCOMP    => [0x00, 0x92],
    SUBACK     => [0x00 .. 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e,
                   0xa1, 0xa2],
    UNSUBACK   => [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
    DISCONNECT => [0x00, 0x80 .. 0x83, 0x87, 0x89, 0x8b, 0x8d .. 0x90,
                   0x93 .. 0xa2],
    AUTH       => [0x00, 0x18],
);
my %reasons_311 = (CONNACK => [0 .. 5], SUBACK => [0 .. 2, 0x80]);


sub new {
    my ($class, %args) = @_;

    my $self = bless {
        host => '127.0.0.1', version => 4, timeout => 10, ws_split => 0,
        ws_protocol => 'mqtt', %args,
        raw => '', mqtt => '', next_id => 1,
    }, $class;

    my %to = (PeerAddr => $self->{host}, PeerPort => $self->{port},
              Proto => 'tcp', Timeout => $self->{timeout});

    if ($self->{tls}) {
        require IO::Socket::SSL;

        $self->{sock} = IO::Socket::SSL->new(
            %to, SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE(),
            %{ $self->{ssl} || {} })
            or die 'mqtt: no TLS: ' . IO::Socket::SSL::errstr() . "\n";

    } else {
        $self->{sock} = IO::Socket::INET->new(%to)
            or die "mqtt: no connection to $self->{port}: $@\n";
    }

    setsockopt $self->{sock}, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
    $self->{sock}->blocking(0);

    $self->handshake if defined $self->{ws};

    return $self;
}


sub response  { return $_[0]{response} }
sub was_reset { return $_[0]{reset} }
sub ws_close  { return $_[0]{ws_close} }


# --- packets, built

sub varint {
    my ($n) = @_;

    my $bytes = '';

    do {
        $bytes .= chr(($n & 0x7f) | ($n > 0x7f ? 0x80 : 0));
        $n >>= 7;
    } while ($n);

    return $bytes;
}


# 1.5.4, 1.5.6: text or data behind its length
sub text {
    my ($bytes) = @_;

    return pack 'n/a*', $bytes;
}


sub packet_of {
    my ($type, $flags, $body) = @_;

    die "mqtt: texts are to be bytes\n" if !utf8::downgrade($body, 1);

    return chr($type << 4 | $flags) . varint(length $body) . $body;
}


sub property {
    my ($name, $value) = @_;

    my ($id, $type) = @{ $property{$name} || die "mqtt: no property $name\n" };

    return varint($id)
           . ($type =~ /[b1]/  ? chr $value
              : $type =~ /w/i  ? pack('n', $value)
              : $type =~ /l/i  ? pack('N', $value)
              : $type =~ /v/i  ? varint($value)
              : $type eq 'p'   ? text($value->[0]) . text($value->[1])
              :                  text($value));
}


sub properties {
    my ($version, $props) = @_;

    return '' if $version < 5;

    my $bytes = '';

    if (ref $props) {
        for my $name (sort keys %$props) {
            my $value = $props->{$name};

            $bytes .= property($name, $_) for ref $value ? @$value : $value;
        }

    } elsif (defined $props) {
        $bytes = $props;
    }

    return varint(length $bytes) . $bytes;
}


sub body_connect {
    my ($version, %args) = @_;

    my $will = $args{will};
    my $flags = $args{clean} // 1 ? 0x02 : 0;

    $flags |= 0x80 if defined $args{user};
    $flags |= 0x40 if defined $args{password};
    $flags |= 0x04 | ($will->{qos} || 0) << 3 | ($will->{retain} ? 0x20 : 0)
        if $will;

    my $body = text($args{protocol} // 'MQTT') . chr($args{level} // $version)
               . chr($args{connect_flags} // $flags)
               . pack('n', $args{keep_alive} // 60)
               . properties($version, $args{props})
               . text($args{client_id} // '');

    $body .= properties($version, $will->{props}) . text($will->{topic})
             . text($will->{payload} // '')
        if $will;

    $body .= text($_) for grep { defined } @args{qw( user password )};

    return (0, $body);
}


sub body_publish {
    my ($version, %args) = @_;

    my $qos = $args{qos} || 0;

    return (($args{dup} ? 8 : 0) | $qos << 1 | ($args{retain} ? 1 : 0),
            text($args{topic}) . ($qos ? pack('n', $args{id}) : '')
            . properties($version, $args{props}) . ($args{payload} // ''));
}


sub body_reason {
    my ($version, %args) = @_;

    my $reason = $args{reason} || 0;

    return '' if $version < 5 || (!$reason && !defined $args{props});

    return chr($reason)
           . (defined $args{props} ? properties($version, $args{props}) : '');
}


sub body_filters {
    my ($version, %args) = @_;

    return (2, pack('n', $args{id}) . properties($version, $args{props})
               . join '', map { ref $_ ? text($_->[0]) . chr($_->[1] || 0)
                                       : text($_) } @{ $args{filters} });
}


sub packet {
    my ($name, %args) = @_;

    my $version = delete $args{version} || 4;
    my $type = $number{uc $name} || die "mqtt: no packet $name\n";

    $args{id} //= 1;

    my ($flags, $body)
        = $name eq 'connect'       ? body_connect($version, %args)
          : $name eq 'publish'     ? body_publish($version, %args)
          : $name =~ /subscribe$/  ? body_filters($version, %args)
          : $name =~ /^pub/        ? ($name eq 'pubrel' ? 2 : 0,
                                      pack('n', $args{id})
                                      . body_reason($version, %args))
          : $name =~ /^(?:disconnect|auth)$/
                                   ? (0, body_reason($version, %args))
          : $name eq 'pingreq'     ? (0, '')
          :                          die "mqtt: $name is of the server\n";

    return packet_of($type, $args{flags} // $flags, $body);
}


for my $name (qw( connect publish puback pubrec pubrel pubcomp subscribe
                  unsubscribe pingreq disconnect auth ))
{
    my $method = sub {
        my ($self, %args) = @_;

        my $has_id = $name eq 'publish' ? $args{qos}
                     : $name =~ /^pub|subscribe$/;

        if ($has_id && !defined $args{id}) {
            $args{id} = $self->{next_id};
            $self->{next_id} = $args{id} % 65535 + 1;
        }

        $self->send(packet($name, version => $self->{version}, %args));

        return $has_id ? $args{id} : 0;
    };

    no strict 'refs';
    *{"GatewayMqtt::$name"} = $method;
}


sub login {
    my ($self, %args) = @_;

    $self->connect(%args);

    return $self->read_packet;
}


sub deliver {
    my ($self, %args) = @_;

    my $id = $self->publish(%args);
    my $p;

    return if !$id;

    for my $want ($args{qos} == 1 ? qw( PUBACK ) : qw( PUBREC PUBCOMP )) {
        $p = $self->read_packet;

        last if !ref $p || $p->{type} eq 'DISCONNECT';

        die "mqtt: $p->{type} instead of $want of $id\n"
            if $p->{type} ne $want || $p->{id} != $id;

        last if $p->{reason} >= 0x80;

        $self->pubrel(id => $id) if $want eq 'PUBREC';
    }

    return $p;
}


# --- packets, read

sub wrong {
    my ($clause, $what) = @_;

    die "mqtt: $what ($clause)\n";
}


# the first $n bytes of what is left of a packet
sub take {
    my ($rest, $n) = @_;

    wrong('2.1.4', 'a packet ends within a field') if length $$rest < $n;

    return substr $$rest, 0, $n, '';
}


sub take_varint {
    my ($rest) = @_;

    my ($value, $byte) = (0);

    for my $k (0 .. 3) {
        $byte = ord take($rest, 1);
        $value |= ($byte & 0x7f) << 7 * $k;

        if ($byte < 0x80) {
            wrong('1.5.5', 'a variable byte integer is not the shortest')
                if $k && !$byte;
            return $value;
        }
    }

    return wrong('1.5.5', 'a variable byte integer of five bytes');
}


sub take_data {
    my ($rest) = @_;

    return take($rest, unpack 'n', take($rest, 2));
}


sub take_text {
    my ($rest) = @_;

    my $text = take_data($rest);
    my $copy = $text;

    wrong('1.5.4', 'a text is not UTF-8')
        if $text =~ /\0/
           || !defined eval { Encode::decode('UTF-8', $copy,
                                             Encode::FB_CROAK()) };

    return $text;
}


sub take_value {
    my ($name, $type, $rest) = @_;

    my $value = $type =~ /[b1]/ ? ord take($rest, 1)
                : $type =~ /w/i ? unpack('n', take($rest, 2))
                : $type =~ /l/i ? unpack('N', take($rest, 4))
                : $type =~ /v/i ? take_varint($rest)
                : $type eq 'd'  ? take_data($rest)
                : $type eq 'p'  ? [ take_text($rest), take_text($rest) ]
                :                 take_text($rest);

    wrong('2.2.2.2', "$name is $value") if $type eq '1' && $value > 1;
    wrong('2.2.2.2', "$name is 0") if $type =~ /[WLV]/ && !$value;

    return $value;
}


sub take_props {
    my ($packet, $rest) = @_;

    my $bytes = take($rest, take_varint($rest));
    my %props;

    while (length $bytes) {
        my $id = take_varint(\$bytes);
        my $name = $property_name{$id}
                   || wrong('2.2.2.2', "there is no property $id");
        my ($type, $where) = @{ $property{$name} }[1, 2];

        wrong('2.2.2.2', "$name has no place in $packet->{type}")
            if !grep { $_ eq $packet->{type} } split ' ', $where;

        my $value = take_value($name, $type, \$bytes);

        if ($name =~ /^(?:user|subscription_id)$/) {
            push @{ $props{$name} }, $value;
            next;
        }

        wrong('2.2.2.2', "$name comes twice") if exists $props{$name};
        $props{$name} = $value;
    }

    return \%props;
}


sub take_id {
    my ($rest) = @_;

    return unpack('n', take($rest, 2))
           || wrong('2.2.1', 'a packet identifier of 0');
}


sub reason {
    my ($version, $packet, $code) = @_;

    my $known = ($version < 5 && $reasons_311{ $packet->{type} })
                || $reasons{ $packet->{type} };

    wrong('2.4', sprintf '%s has no reason 0x%02x', $packet->{type}, $code)
        if !grep { $_ == $code } @$known;

    return $code;
}


sub parse_connack {
    my ($version, $p, $rest) = @_;

    my $flags = ord take($rest, 1);

    wrong('3.2.2.1', "CONNACK with flags $flags") if $flags > 1;

    $p->{session_present} = $flags;
    $p->{reason} = reason($version, $p, ord take($rest, 1));

    wrong('3.2.2-6', 'a session is present in a refusal')
        if $flags && $p->{reason};

    $p->{props} = take_props($p, $rest) if $version == 5;

    return;
}


sub parse_publish {
    my ($version, $p, $rest) = @_;

    @$p{qw( dup qos retain )}
        = ($p->{flags} >> 3, $p->{flags} >> 1 & 3, $p->{flags} & 1);

    wrong('3.3.1-4', 'QoS 3') if $p->{qos} == 3;
    wrong('3.3.1-2', 'DUP with QoS 0') if $p->{dup} && !$p->{qos};

    $p->{topic} = take_text($rest);
    wrong('3.3.2-2', 'a wildcard in a topic name') if $p->{topic} =~ /[#+]/;

    $p->{id} = take_id($rest) if $p->{qos};
    $p->{props} = take_props($p, $rest) if $version == 5;

    wrong('3.3.2.1', 'no topic and no alias')
        if $p->{topic} eq '' && !$p->{props}{topic_alias};

    $p->{payload} = take($rest, length $$rest);

    return;
}


sub parse_reasons {
    my ($version, $p, $rest) = @_;

    $p->{id} = take_id($rest);
    $p->{props} = take_props($p, $rest) if $version == 5;

    return if $version < 5 && $p->{type} eq 'UNSUBACK';

    $p->{reasons} = [ map { reason($version, $p, ord) }
                          split //, take($rest, length $$rest) ];

    wrong('3.9.3', "$p->{type} without a reason") if !@{ $p->{reasons} };

    return;
}


# PUBACK and its kind, DISCONNECT, AUTH: what is at the end may be left out
sub parse_reason {
    my ($version, $p, $rest) = @_;

    $p->{id} = take_id($rest) if $p->{type} =~ /^PUB/;

    $p->{reason} = reason($version, $p, ord take($rest, 1))
        if $version == 5 && length $$rest;

    $p->{props} = take_props($p, $rest) if $version == 5 && length $$rest;

    return;
}


my %parse = (
    CONNACK => \&parse_connack, PUBLISH => \&parse_publish,
    SUBACK => \&parse_reasons, UNSUBACK => \&parse_reasons,
    PUBACK => \&parse_reason, PUBREC => \&parse_reason,
    PUBREL => \&parse_reason, PUBCOMP => \&parse_reason,
    DISCONNECT => \&parse_reason, AUTH => \&parse_reason,
    PINGRESP => sub { return },
);


sub parse {
    my ($version, $first, $body) = @_;

    my $type = $names[$first >> 4];
    my $p = { type => $type, flags => $first & 0x0f, reason => 0,
              props => {} };

    wrong('2.1.2', "$type is no packet of a server")
        if !$parse{$type}
           || ($version < 5 && $type =~ /^(?:DISCONNECT|AUTH)$/);
    wrong('2.1.3', "$type with flags $p->{flags}")
        if $type ne 'PUBLISH' && $p->{flags} != ($type eq 'PUBREL' ? 2 : 0);

    $parse{$type}->($version, $p, \$body);

    wrong('2.1.4', "$type is too long") if length $body;

    return $p;
}


# (first byte, body) of the packet that $self->{mqtt} begins with, or nothing
sub whole_packet {
    my ($self) = @_;

    return if $self->{mqtt} !~ /^.[\x80-\xff]{0,3}[\0-\x7f]/s
              && length $self->{mqtt} < 5;

    my $rest = substr $self->{mqtt}, 1;
    my $len = take_varint(\$rest);

    return if length $rest < $len;

    my $first = ord $self->{mqtt};
    $self->{mqtt} = substr $rest, $len;

    return ($first, substr $rest, 0, $len);
}


sub read_packet {
    my ($self, $timeout) = @_;

    my $until = Time::HiRes::time() + ($timeout // $self->{timeout});

    for ( ;; ) {
        my ($first, $body) = $self->whole_packet;

        return parse($self->{version}, $first, $body) if defined $first;

        my $got = defined $self->{ws} ? $self->more_of_ws($until)
                                      : $self->more('mqtt', $until);

        return $got if $got eq 'timeout';

        if ($got eq 'end') {
            wrong('2.1.4', 'the connection ends within a packet')
                if length $self->{mqtt} && !$self->{reset};
            return;
        }
    }
}


# --- the transports

# what came goes behind $self->{$where}: "more", "end" or "timeout"
sub more {
    my ($self, $where, $until) = @_;

    return 'end' if !$self->{sock};

    for ( ;; ) {
        my $n = sysread $self->{sock}, $self->{$where}, 65536,
                        length $self->{$where};

        return $n ? 'more' : 'end' if defined $n;

        if ($! == ECONNRESET || $! == EPIPE) {
            $self->{reset} = 1;
            return 'end';
        }

        # TLS says what is no error of the socket in its own way, as an end
        return 'end' if $! != EAGAIN && $! != EWOULDBLOCK && $! != EINTR;

        my $left = $until - Time::HiRes::time();

        return 'timeout'
            if $left <= 0
               || !IO::Select->new($self->{sock})->can_read($left);
    }
}


# all of it, or as much as the server lets; false: it closed
sub send_raw {
    my ($self, $bytes) = @_;

    my $until = Time::HiRes::time() + $self->{timeout};
    my $at = 0;

    local $SIG{PIPE} = 'IGNORE';

    while ($at < length $bytes) {
        return 0 if !$self->{sock};

        my $n = syswrite $self->{sock}, $bytes, length($bytes) - $at, $at;

        if (defined $n) {
            $at += $n;
            next;
        }

        return 0 if $! != EAGAIN && $! != EWOULDBLOCK && $! != EINTR;

        my $left = $until - Time::HiRes::time();

        die "mqtt: the server does not read\n"
            if $left <= 0
               || !IO::Select->new($self->{sock})->can_write($left);
    }

    return 1;
}


sub send {
    my ($self, $bytes) = @_;

    return $self->send_raw($bytes) if !defined $self->{ws};

    my $split = $self->{ws_split} || length $bytes;
    my $sent = 1;

    while (length $bytes) {
        $sent = $self->ws_frame(2, substr $bytes, 0, $split, '') && $sent;
    }

    return $sent;
}


sub finish {
    my ($self) = @_;

    $self->{sock}->stop_SSL(SSL_no_shutdown => 1) if $self->{tls};
    shutdown $self->{sock}, 1;

    return;
}


sub close {
    my ($self) = @_;

    if ($self->{sock}) {
        $self->{sock}->close;
        delete $self->{sock};
    }

    return;
}


sub reset {
    my ($self) = @_;

    setsockopt $self->{sock}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
               pack('ii', 1, 0);

    # past TLS, which would write its farewell first
    if ($self->{tls}) {
        $self->{sock}->close(SSL_no_shutdown => 1);
        delete $self->{sock};
    }

    return $self->close;
}


# --- WebSocket: RFC 6455

sub handshake {
    my ($self) = @_;

    my $key = MIME::Base64::encode_base64(
        join('', map { chr int rand 256 } 1 .. 16), '');
    my %without = map { lc $_ => 1 } @{ $self->{ws_without} || [] };

    my @headers = grep { !$without{ lc +(split /:/)[0] } } (
        "Host: $self->{host}:$self->{port}", 'Upgrade: websocket',
        'Connection: Upgrade', "Sec-WebSocket-Key: $key",
        'Sec-WebSocket-Version: 13',
        defined $self->{ws_protocol}
            ? "Sec-WebSocket-Protocol: $self->{ws_protocol}" : ());

    $self->send_raw(join "\r\n", "GET $self->{ws} HTTP/1.1", @headers,
                    @{ $self->{ws_headers} || [] }, '', '');

    my $until = Time::HiRes::time() + $self->{timeout};

    while ($self->{raw} !~ /\r\n\r\n/) {
        my $got = $self->more('raw', $until);

        die "mqtt: no answer to the handshake: $got\n" if $got ne 'more';
    }

    my ($head, $rest) = split /\r\n\r\n/, $self->{raw}, 2;
    my ($line, @lines) = split /\r\n/, $head;
    my ($status) = $line =~ m{^HTTP/1\.1 (\d{3}) }
        or die "mqtt: no status line: $line\n";
    my %headers = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1, $2) : () } @lines;

    $self->{raw} = $rest;
    $self->{response} = { status => $status, headers => \%headers };

    return $self->accepted($key) if $status == 101;

    my $left = $headers{'content-length'};

    while (!defined $left || length $self->{raw} < $left) {
        last if $self->more('raw', $until) ne 'more';
    }

    $self->{response}{body} = $self->{raw};

    return;
}


# 4.1, what a client must look at
sub accepted {
    my ($self, $key) = @_;

    my $headers = $self->{response}{headers};
    my $accept = MIME::Base64::encode_base64(Digest::SHA::sha1(
        $key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'), '');

    wrong('RFC 6455, 4.1', 'Upgrade is not websocket')
        if lc($headers->{upgrade} // '') ne 'websocket';
    wrong('RFC 6455, 4.1', 'Connection has no upgrade')
        if ($headers->{connection} // '') !~ /(?:^|[,\s])upgrade(?:$|[,\s])/i;
    wrong('RFC 6455, 4.1', 'Sec-WebSocket-Accept is wrong')
        if ($headers->{'sec-websocket-accept'} // '') ne $accept;
    wrong('RFC 6455, 4.1', 'an extension nobody asked for')
        if exists $headers->{'sec-websocket-extensions'};

    my $protocol = $headers->{'sec-websocket-protocol'};

    wrong('RFC 6455, 4.1', 'a protocol nobody offered')
        if defined $protocol
           && !grep { $_ eq $protocol }
                    split /\s*,\s*/, $self->{ws_protocol} // '';
    wrong('6.0', 'the protocol is not mqtt')
        if defined $self->{ws_protocol} && ($protocol // '') ne 'mqtt';

    return;
}


sub ws_frame {
    my ($self, $opcode, $payload, %args) = @_;

    my $mask = $args{mask} // pack 'N', int rand 2 ** 32;
    my $len = $args{len} // length $payload;
    my $bit = length $mask ? 0x80 : 0;

    my $head = chr(($args{fin} // 1 ? 0x80 : 0) | ($args{rsv} || 0) << 4
                   | $opcode)
               . ($len < 126       ? chr($bit | $len)
                  : $len < 65536   ? chr($bit | 126) . pack('n', $len)
                  :                  chr($bit | 127) . pack('Q>', $len));

    if (length $mask) {
        $payload ^= substr $mask x (length($payload) / 4 + 1), 0,
                           length $payload;
    }

    return $self->send_raw($head . $mask . $payload);
}


# 5.2: a frame at the beginning of $raw, cut off of it; nothing: it goes on
sub frame_of {
    my ($raw) = @_;

    return if length $$raw < 2;

    my ($first, $second) = unpack 'CC', $$raw;
    my ($opcode, $len, $at) = ($first & 0x0f, $second & 0x7f, 2);

    wrong('RFC 6455, 5.2', 'reserved bits') if $first & 0x70;
    wrong('RFC 6455, 5.1', 'a server masks') if $second & 0x80;
    wrong('RFC 6455, 5.2', "opcode $opcode") if $opcode !~ /^(?:[0-2]|8|9|10)$/;
    wrong('RFC 6455, 5.5', 'a long control frame, or one in parts')
        if $opcode >= 8 && ($len > 125 || $first < 0x80);

    if ($len >= 126) {
        my ($form, $size) = $len == 126 ? ('n', 2) : ('Q>', 8);

        $at += $size;
        return if length $$raw < $at;

        $len = unpack $form, substr $$raw, 2, $size;
        wrong('RFC 6455, 5.2', 'the length is not in its shortest form')
            if $len < ($size == 2 ? 126 : 65536);
    }

    return if length $$raw < $at + $len;

    my $payload = substr $$raw, $at, $len;
    $$raw = substr $$raw, $at + $len;

    return { fin => $first >> 7, opcode => $opcode, payload => $payload };
}


sub read_frame {
    my ($self, $timeout) = @_;

    my $until = Time::HiRes::time() + ($timeout // $self->{timeout});

    for ( ;; ) {
        my $frame = frame_of(\$self->{raw});

        return $self->in_order($frame) if $frame;

        my $got = $self->more('raw', $until);

        next if $got eq 'more';
        return $got if $got eq 'timeout';

        wrong('RFC 6455, 5.2', 'the connection ends within a frame')
            if length $self->{raw} && !$self->{reset};
        return;
    }
}


# 5.4, 5.5.1
sub in_order {
    my ($self, $frame) = @_;

    my $opcode = $frame->{opcode};

    wrong('RFC 6455, 5.5.1', 'a frame behind a close') if $self->{ws_close};

    if ($opcode == 8) {
        my ($code, $reason) = unpack 'n a*', $frame->{payload};

        wrong('RFC 6455, 5.5.1', 'half a code')
            if length $frame->{payload} == 1;
        $self->{ws_close} = { code => $code, reason => $reason };
    }

    return $frame if $opcode >= 8;

    wrong('6.0', 'a text') if $opcode == 1;
    wrong('RFC 6455, 5.4', 'a continuation of nothing, or a message in one')
        if !$opcode != !!$self->{ws_within};

    $self->{ws_within} = !$frame->{fin};

    return $frame;
}


sub more_of_ws {
    my ($self, $until) = @_;

    my $left = $until - Time::HiRes::time();
    my $frame = $self->read_frame($left > 0 ? $left : 0);

    return 'end' if !defined $frame;
    return $frame if !ref $frame;

    my ($opcode, $payload) = @$frame{qw( opcode payload )};

    if ($opcode == 9) {
        $self->ws_frame(10, $payload);

    } elsif ($opcode == 8) {
        $self->ws_frame(8, substr $payload, 0, 2);

    } elsif ($opcode < 8) {
        $self->{mqtt} .= $payload;
    }

    return 'more';
}


1;
