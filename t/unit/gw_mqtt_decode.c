/*
 * What a client of MQTT may send, by the clauses of both standards.  A packet
 * that is taken although a clause forbids it is read differently by the next
 * server of the fleet; one that is refused although none does is a device that
 * cannot connect.
 */

#include "gw_test.h"
#include "gw_mqtt.h"


#define FINE  (-1)             /* in place of a reason: it is taken */


typedef struct {
    const char  *name;
    unsigned     version;      /* 4, 5; 0: before CONNECT */
    int          reason;
    const char  *hex;
} case_t;


#define CONNECT4  "00044d515454 04"
#define CONNECT5  "00044d515454 05"


static const case_t  cases[] = {

    /* fixed header */

    { "2.1.2: type 0 is none", 5, 0x81, "00 00" },
    { "2.1.2: a client sends no CONNACK", 5, 0x82, "20 02 0000" },
    { "2.1.2: nor SUBACK", 5, 0x82, "90 03 000100" },
    { "2.1.2: nor PINGRESP", 4, 0x82, "d0 00" },
    { "2.1.2: AUTH is none of 3.1.1", 4, 0x81, "f0 00" },
    { "MQTT-3.1.0-1: CONNECT is the first", 0, 0x82, "c0 00" },
    { "MQTT-2.1.3-1: flags of CONNECT", 0, 0x81,
      "11 0d " CONNECT4 "02 003c 0001 61" },
    { "MQTT-2.1.3-1: flags of PINGREQ", 4, 0x81, "c1 00" },
    { "MQTT-3.6.1-1: flags of PUBREL", 4, 0x81, "60 02 0001" },
    { "MQTT-3.8.1-1: flags of SUBSCRIBE", 4, 0x81, "80 06 0001 0001 61 00" },
    { "MQTT-3.10.1-1: flags of UNSUBSCRIBE", 4, 0x81, "a0 05 0001 0001 61" },
    { "MQTT-3.14.1-1: flags of DISCONNECT", 4, 0x81, "e2 00" },
    { "MQTT-3.3.1-4: QoS 3", 4, 0x81, "36 05 0001 61 0001" },
    { "MQTT-3.3.1-2: DUP of QoS 0", 4, 0x81, "38 03 0001 61" },
    { "2.1.4: a length of five bytes", 4, 0x81, "30 ffffffff 01" },
    { "MQTT-1.5.5-1: a length that is not in its shortest form", 5, 0x81,
      "c0 8000" },
    { "2.1.4: PINGREQ has no body", 4, 0x81, "c0 01 00" },
    { "2.1.4: PUBACK of 3.1.1 has two bytes", 4, 0x81, "40 03 0001 00" },
    { "2.1.4: DISCONNECT of 3.1.1 has none", 4, 0x81, "e0 01 00" },
    { "3.12: PINGREQ", 5, FINE, "c0 00" },

    /* CONNECT */

    { "3.1: CONNECT of 3.1.1", 0, FINE,
      "10 0d " CONNECT4 "02 003c 0001 61" },
    { "3.1: CONNECT of 5.0", 0, FINE,
      "10 0e " CONNECT5 "02 003c 00 0001 61" },
    { "3.1.3.1: no client id", 0, FINE, "10 0c " CONNECT4 "02 003c 0000" },
    { "MQTT-3.1.2-1: another protocol name", 0, 0x84,
      "10 0d 00044d515455 04 02 003c 0001 61" },
    { "MQTT-3.1.2-2: version 6", 0, 0x84,
      "10 0d 00044d515454 06 02 003c 0001 61" },
    { "MQTT-3.1.2-2: version 0x84, of a bridge", 0, 0x84,
      "10 0d 00044d515454 84 02 003c 0001 61" },
    { "MQTT-3.1.2-3: the reserved flag", 0, 0x81,
      "10 0d " CONNECT4 "03 003c 0001 61" },
    { "MQTT-3.1.2-11: QoS of no will", 0, 0x81,
      "10 0d " CONNECT4 "0a 003c 0001 61" },
    { "MQTT-3.1.2-15: retain of no will", 0, 0x81,
      "10 0d " CONNECT4 "22 003c 0001 61" },
    { "MQTT-3.1.2-12: QoS 3 of the will", 0, 0x81,
      "10 13 " CONNECT4 "1e 003c 0001 61 0001 77 0001 78" },
    { "3.1.1 MQTT-3.1.2-22: a password without a user", 0, 0x81,
      "10 10 " CONNECT4 "42 003c 0001 61 0001 70" },
    { "3.1.2.9: which 5.0 allows", 0, FINE,
      "10 11 " CONNECT5 "42 003c 00 0001 61 0001 70" },
    { "3.1.3: user and password", 0, FINE,
      "10 13 " CONNECT4 "c2 003c 0001 61 0001 75 0001 70" },
    { "3.1.3: a password of bytes", 0, FINE,
      "10 13 " CONNECT4 "c2 003c 0001 61 0001 75 0001 ff" },
    { "MQTT-3.1.3-12: a user that is no UTF-8", 0, 0x81,
      "10 13 " CONNECT4 "c2 003c 0001 61 0001 ff 0001 70" },
    { "MQTT-3.1.3-4: a client id that is no UTF-8", 0, 0x81,
      "10 0d " CONNECT4 "02 003c 0001 c0" },
    { "MQTT-1.5.4-2: a client id with U+0000", 0, 0x81,
      "10 0d " CONNECT4 "02 003c 0001 00" },
    { "3.1.3: a user that is not there", 0, 0x81,
      "10 0d " CONNECT4 "82 003c 0001 61" },
    { "2.1.4: bytes behind the last field", 0, 0x81,
      "10 0e " CONNECT4 "02 003c 0001 61 00" },
    { "3.1.3.2: a will", 0, FINE,
      "10 13 " CONNECT4 "0e 003c 0001 61 0001 77 0001 78" },
    { "3.1.3.2: an empty will", 0, FINE,
      "10 12 " CONNECT4 "06 003c 0001 61 0001 77 0000" },
    { "MQTT-4.7.1-1: a wildcard in the topic of the will", 0, 0x81,
      "10 12 " CONNECT4 "06 003c 0001 61 0001 23 0000" },
    { "MQTT-4.7.1-1: and in 5.0", 0, 0x90,
      "10 14 " CONNECT5 "06 003c 00 0001 61 00 0001 2b 0000" },
    { "3.1.3.2: properties of the will", 0, FINE,
      "10 1b " CONNECT5 "06 003c 00 0001 61 07 18 00000005 01 01"
      "0001 77 0000" },

    /* properties of CONNECT */

    { "3.1.2.11: all of them", 0, FINE,
      "10 ?? " CONNECT5 "02 003c 23 11 0000000a 21 0001 27 00000010 22 0001"
      "19 01 17 00 26 0001 61 0001 62 15 0001 61 16 0001 00 0001 61" },
    { "3.1.2.11.3: a receive maximum of 0", 0, 0x82,
      "10 11 " CONNECT5 "02 003c 03 21 0000 0001 61" },
    { "3.1.2.11.4: a maximum packet size of 0", 0, 0x82,
      "10 13 " CONNECT5 "02 003c 05 27 00000000 0001 61" },
    { "3.1.2.11.7: request problem information of 2", 0, 0x82,
      "10 10 " CONNECT5 "02 003c 02 17 02 0001 61" },
    { "3.1.2.11.10: authentication data without a method", 0, 0x82,
      "10 12 " CONNECT5 "02 003c 04 16 0001 00 0001 61" },
    { "2.2.2.2: a property twice", 0, 0x82,
      "10 12 " CONNECT5 "02 003c 04 17 00 17 00 0001 61" },
    { "2.2.2.2: one of a PUBLISH", 0, 0x81,
      "10 11 " CONNECT5 "02 003c 03 23 0001 0001 61" },
    { "2.2.2.2: one of a server", 0, 0x81,
      "10 11 " CONNECT5 "02 003c 03 13 0001 0001 61" },
    { "2.2.2.2: one that there is not", 0, 0x81,
      "10 10 " CONNECT5 "02 003c 02 7f 00 0001 61" },
    { "MQTT-1.5.5-1: their length not in its shortest form", 0, 0x81,
      "10 ?? " CONNECT5 "02 003c 8000 0001 61" },
    { "2.2.2.1: longer than the packet", 0, 0x81,
      "10 0e " CONNECT5 "02 003c 7f 0001 61" },
    { "2.2.2.1: one cut off by their length", 0, 0x81,
      "10 ?? " CONNECT5 "02 003c 02 21 00 01 61" },
    { "1.5.7: a user property that is no UTF-8", 0, 0x81,
      "10 15 " CONNECT5 "02 003c 07 26 0001 ff 0001 62 0001 61" },

    /* PUBLISH */

    { "3.3: QoS 0", 4, FINE, "30 05 0001 61 7b7d" },
    { "3.3: QoS 1 without a payload", 4, FINE, "32 05 0001 61 0001" },
    { "3.3: QoS 2, again, retained", 5, FINE, "3d 06 0001 61 0001 00" },
    { "MQTT-2.2.1-3: packet identifier 0", 4, 0x81, "32 05 0001 61 0000" },
    { "3.3: without an identifier", 4, 0x81, "32 03 0001 61" },
    { "MQTT-4.7.3-1: an empty topic", 4, 0x81, "30 02 0000" },
    { "3.3.2.1: an empty topic without an alias", 5, 0x82, "30 03 0000 00" },
    { "3.3.2.3.4: with an alias", 5, FINE, "30 06 0000 03 23 0001" },
    { "3.3.2.3.4: alias 0 is the session's to refuse", 5, FINE,
      "30 06 0000 03 23 0000" },
    { "MQTT-3.3.2-2: a wildcard", 4, 0x81, "30 05 0003 612f23" },
    { "MQTT-3.3.2-2: and in 5.0", 5, 0x90, "30 04 0001 2b 00" },
    { "MQTT-3.3.2-1: a topic that is no UTF-8", 4, 0x81, "30 03 0001 80" },
    { "MQTT-1.5.4-1: a surrogate", 4, 0x81, "30 05 0003 eda080" },
    { "MQTT-3.3.4-6: a subscription identifier", 5, 0x82,
      "30 06 0001 61 02 0b 01" },
    { "3.3.2.3: all its properties", 5, FINE,
      "30 ?? 0001 61 1d 01 01 02 00000001 23 0001 08 0001 72 09 0001 ff"
      "03 0001 74 26 0001 6b 0001 76" },
    { "3.3.2.3.2: a format indicator of 2", 5, 0x82,
      "30 06 0001 61 02 01 02" },
    { "MQTT-3.3.2-14: a response topic with a wildcard", 5, 0x82,
      "30 08 0001 61 04 08 0001 23" },

    /* acknowledgements */

    { "3.4: PUBACK", 4, FINE, "40 02 0001" },
    { "3.4.2.1: with a reason", 5, FINE, "40 03 0001 10" },
    { "3.4.2.2: with properties", 5, FINE, "40 08 0001 10 04 1f 0001 61" },
    { "3.4.2.1: a reason it does not have", 5, 0x82, "40 03 0001 92" },
    { "3.6.2.1: PUBREL not found", 5, FINE, "62 03 0001 92" },
    { "3.6.2.1: a reason of PUBACK", 5, 0x82, "62 03 0001 10" },
    { "MQTT-2.2.1-3: identifier 0", 4, 0x81, "62 02 0000" },

    /* SUBSCRIBE, UNSUBSCRIBE */

    { "3.8: SUBSCRIBE", 4, FINE, "82 0a 0001 0001 61 01 0001 23 02" },
    { "3.8: of 5.0", 5, FINE, "82 07 0001 00 0001 61 2d" },
    { "MQTT-3.8.3-2: without a filter", 4, 0x81, "82 02 0001" },
    { "MQTT-3.8.3-2: of 5.0", 5, 0x82, "82 ?? 0001 05 26 0000 0000" },
    { "MQTT-3.8.3-5: reserved bits of 3.1.1", 4, 0x81,
      "82 06 0001 0001 61 04" },
    { "MQTT-3.8.3-5: of 5.0", 5, 0x81, "82 07 0001 00 0001 61 40" },
    { "3.8.3.1: QoS 3", 4, 0x81, "82 06 0001 0001 61 03" },
    { "3.8.3.1: retain handling 3", 5, 0x82, "82 07 0001 00 0001 61 30" },
    { "MQTT-3.8.3-4: no local, shared", 5, 0x82,
      "82 10 0001 00 000a 2473686172652f612f62 04" },
    { "MQTT-4.7.1-2: # not at the end", 4, 0x81,
      "82 08 0001 0003 232f61 00" },
    { "MQTT-4.7.1-3: + beside others", 4, 0x81, "82 07 0001 0002 2b61 00" },
    { "MQTT-4.7.3-1: an empty filter", 4, 0x81, "82 06 0001 0000 00 00" },
    { "3.8.2.1.2: subscription identifier 0", 5, 0x82,
      "82 09 0001 02 0b00 0001 61 00" },
    { "3.10: UNSUBSCRIBE", 4, FINE, "a2 05 0001 0001 61" },
    { "3.10: of 5.0", 5, FINE, "a2 06 0001 00 0001 61" },

    /* DISCONNECT, AUTH */

    { "3.14: DISCONNECT", 4, FINE, "e0 00" },
    { "3.14.2.1: with the will", 5, FINE, "e0 01 04" },
    { "3.14.2.1: a reason of a server", 5, 0x82, "e0 01 8b" },
    { "3.14.2.2.2: a session expiry", 5, FINE, "e0 07 00 05 11 00000001" },
    { "3.14.2.2.5: a server reference", 5, 0x81, "e0 06 00 04 1c 0001 61" },
    { "3.15: AUTH", 5, FINE, "f0 06 18 04 15 0001 61" },
    { "3.15.2.2.2: without a method", 5, 0x82, "f0 01 18" },
    { "3.15.2.1: success is the server's", 5, 0x82, "f0 00" }
};


static size_t
bytes(const char *hex, uint8_t *dst)
{
    size_t    n;
    unsigned  v;

    for (n = 0; *hex; hex++) {
        if (*hex == ' ') {
            continue;
        }

        if (*hex == '?') {
            n += (hex[1] == '?');
            continue;
        }

        if (sscanf(hex, "%2x", &v) != 1) {
            abort();
        }

        dst[n++] = (uint8_t) v;
        hex++;
    }

    return n;
}


/* "??" in the place of a packet's length is what it must be */

static size_t
packet_of(const char *hex, uint8_t *dst)
{
    size_t  n;

    n = bytes(hex, dst);

    if (strchr(hex, '?')) {
        dst[1] = (uint8_t) (n - 2);
    }

    return n;
}


/* FINE, or why not; GW_AGAIN as 1000 */

static int
judge(unsigned version, const uint8_t *p, size_t len,
    gw_mqtt_packet_t *packet, const char **detail)
{
    int               rc;
    gw_mqtt_frame_t   frame;
    gw_mqtt_reason_e  reason;

    *detail = "2.1";

    rc = gw_mqtt_frame(p, len, version, 1000, &frame, &reason);

    if (rc == GW_OK && len < (size_t) frame.header + frame.length) {
        rc = GW_AGAIN;
    }

    if (rc == GW_OK) {
        rc = gw_mqtt_decode(&frame, version, p + frame.header, packet,
                            &reason, detail);
    }

    return rc == GW_OK ? FINE : rc == GW_AGAIN ? 1000 : (int) reason;
}


/* cut anywhere it is unfinished or refused, never taken, never read behind */

static unsigned
cut(const case_t *c, const uint8_t *p, size_t len)
{
    int               got;
    size_t            n;
    uint8_t           copy[256];
    const char       *detail;
    gw_mqtt_packet_t  packet;

    for (n = 0; n < len; n++) {
        got = judge(c->version, guarded(p, n), n, &packet, &detail);

        if (got != 1000 && (c->reason == FINE || got == FINE)) {
            return 0;
        }

        /* the same with a length that says that it is whole */

        if (n < 2 || len > 127) {
            continue;
        }

        memcpy(copy, p, n);
        copy[1] = (uint8_t) (n - 2);

        (void) judge(c->version, guarded(copy, n), n, &packet, &detail);
    }

    return 1;
}


static void
fields(void)
{
    size_t             at, len;
    uint8_t            options, p[256];
    gw_str_t           name, value;
    unsigned           n;
    const char        *detail;
    gw_mqtt_packet_t   packet;

    len = packet_of("30 ?? 0001 61 1a 26 0001 6b 0001 76 02 00000102 23 0003"
                    "08 0001 72 26 0002 6b32 0000 7b7d 7d", p);

    ok(judge(5, guarded(p, len), len, &packet, &detail) == FINE,
       "a PUBLISH with properties");

    is_str(packet.u.publish.topic.data, packet.u.publish.topic.len, "a",
           "its topic");
    is_str(packet.u.publish.payload.data, packet.u.publish.payload.len,
           "{}}", "its payload");
    is_u64(packet.u.publish.props.message_expiry, 0x102, "its expiry");
    is_u64(packet.u.publish.props.topic_alias, 3, "its alias");
    is_u64(packet.u.publish.props.users, 2, "two user properties");

    at = 0;
    n = 0;

    while (gw_mqtt_next_user(&packet.u.publish.props, &at, &name, &value)
           == GW_OK)
    {
        if (n++ == 0) {
            is_str(name.data, name.len, "k", "the first");
            is_str(value.data, value.len, "v", "... and its value");

        } else {
            is_str(name.data, name.len, "k2", "the second");
            is_u64(value.len, 0, "... which is empty");
        }
    }

    is_u64(n, 2, "and no more");

    len = packet_of("10 ?? 00044d515454 05 f6 0102 00 0002 6162 00 0001 77"
                    "0002 0001 0001 75 0002 ff00", p);

    ok(judge(0, guarded(p, len), len, &packet, &detail) == FINE,
       "a CONNECT with everything (%s)", detail);
    is_u64(packet.u.connect.keep_alive, 0x102, "its keep alive");
    is_u64(packet.u.connect.clean, 1, "clean start");
    is_u64(packet.u.connect.will_qos, 2, "QoS of the will");
    is_u64(packet.u.connect.will_retain, 1, "its retain");
    is_str(packet.u.connect.client_id.data, packet.u.connect.client_id.len,
           "ab", "the client id");
    is_str(packet.u.connect.will_topic.data, packet.u.connect.will_topic.len,
           "w", "topic of the will");
    is_u64(packet.u.connect.will_payload.len, 2, "its payload");
    is_str(packet.u.connect.user.data, packet.u.connect.user.len, "u",
           "the user");
    is_u64(packet.u.connect.password.len, 2, "the password");

    len = bytes("82 0b 0001 00 0001 61 01 0001 23 02", p);

    ok(judge(5, guarded(p, len), len, &packet, &detail) == FINE, "filters");

    at = 0;
    n = 0;

    while (gw_mqtt_next_filter(&packet.u.filters, &at, &name, &options)
           == GW_OK)
    {
        n++;
        is_u64(options, n, "options of filter %u", n);
        is_str(name.data, name.len, n == 1 ? "a" : "#", "... and the filter");
    }

    is_u64(n, 2, "and no more");
}


static void
frames(void)
{
    gw_mqtt_frame_t   f;
    gw_mqtt_reason_e  reason;

    ok(gw_mqtt_frame((const uint8_t *) "\x30\xff\xff\xff\x7f", 5, 5,
                     UINT32_MAX, &f, &reason)
       == GW_OK
       && f.length == GW_MQTT_LENGTH_MAX && f.header == 5,
       "1.5.5: the largest length");
    ok(gw_mqtt_frame((const uint8_t *) "\x30\x80\x01", 3, 5, 131, &f, &reason)
       == GW_OK, "a packet of exactly the limit");
    ok(gw_mqtt_frame((const uint8_t *) "\x30\x80\x01", 3, 5, 130, &f, &reason)
       == GW_ERROR && reason == GW_MQTT_PACKET_TOO_LARGE,
       "and of one byte more, before it has come");
    ok(gw_mqtt_frame((const uint8_t *) "\x30", 1, 5, 10, &f, &reason)
       == GW_AGAIN, "one byte is not enough");
    ok(gw_mqtt_frame((const uint8_t *) "\x30\x80", 2, 5, 10, &f, &reason)
       == GW_AGAIN, "nor a length that goes on");
}


static void
utf8(void)
{
    unsigned  i;

    static const struct {
        const char  *s;
        size_t       len;
        int          rc;
    } texts[] = {
        { "", 0, GW_OK }, { "abcdefghij", 10, GW_OK },
        { "12345678\0", 9, GW_ERROR }, { "1234567\0", 8, GW_ERROR },
        { "\x7f\x01", 2, GW_OK },
        { "\xc2\x80", 2, GW_OK }, { "\xdf\xbf", 2, GW_OK },
        { "\xc1\xbf", 2, GW_ERROR }, { "\xc0\x80", 2, GW_ERROR },
        { "\xe0\xa0\x80", 3, GW_OK }, { "\xe0\x9f\xbf", 3, GW_ERROR },
        { "\xed\x9f\xbf", 3, GW_OK }, { "\xed\xa0\x80", 3, GW_ERROR },
        { "\xed\xbf\xbf", 3, GW_ERROR }, { "\xee\x80\x80", 3, GW_OK },
        { "\xef\xbb\xbf", 3, GW_OK }, { "\xef\xbf\xbf", 3, GW_OK },
        { "\xf0\x90\x80\x80", 4, GW_OK }, { "\xf0\x8f\xbf\xbf", 4, GW_ERROR },
        { "\xf4\x8f\xbf\xbf", 4, GW_OK }, { "\xf4\x90\x80\x80", 4, GW_ERROR },
        { "\xf5\x80\x80\x80", 4, GW_ERROR }, { "\x80", 1, GW_ERROR },
        { "\xc3", 1, GW_ERROR }, { "\xe2\x82", 2, GW_ERROR },
        { "\xf0\x9f\x98", 3, GW_ERROR }, { "\xc3\x28", 2, GW_ERROR },
        { "abcdefg\xc3\xa4""abcdefgh", 17, GW_OK }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ok(gw_mqtt_utf8(guarded(texts[i].s, texts[i].len), texts[i].len)
           == texts[i].rc,
           "1.5.4: text %u is %s", i, texts[i].rc == GW_OK ? "one" : "none");
    }
}


int
main(void)
{
    int                got;
    size_t             len;
    uint8_t            p[256];
    unsigned           i;
    const char        *detail;
    gw_mqtt_packet_t   packet;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = packet_of(cases[i].hex, p);

        got = judge(cases[i].version, guarded(p, len), len, &packet, &detail);

        ok(got == cases[i].reason, "%s", cases[i].name);

        if (got != cases[i].reason) {
            printf("#   got %d (%s), want %d\n", got, detail,
                   cases[i].reason);
        }

        ok(got == FINE || strchr("123M", detail[0]) != NULL,
           "... and names a clause");
        ok(cut(&cases[i], p, len), "... and is not taken when it is cut");
    }

    fields();
    frames();
    utf8();

    return done_testing();
}
