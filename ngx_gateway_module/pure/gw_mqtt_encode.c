/*
 * gw_mqtt_encode.c - see gw_mqtt.h: what a server sends.
 *
 * Each packet is written behind the longest fixed header it could need, as
 * its length is known only then, and moved up where that was shorter.
 */

#include "gw_mqtt.h"


typedef struct {
    uint8_t  *start;
    uint8_t  *p;
    uint8_t  *end;
    uint8_t   full;            /* something did not fit */
} gw_mqtt_write_t;


static void gw_mqtt_begin(gw_mqtt_write_t *w, uint8_t *dst, size_t size);
static size_t gw_mqtt_end(gw_mqtt_write_t *w, unsigned first);
static void gw_mqtt_put8(gw_mqtt_write_t *w, unsigned v);
static void gw_mqtt_put16(gw_mqtt_write_t *w, unsigned v);
static void gw_mqtt_put32(gw_mqtt_write_t *w, uint32_t v);
static void gw_mqtt_put(gw_mqtt_write_t *w, const uint8_t *p, size_t len);
static void gw_mqtt_put_string(gw_mqtt_write_t *w, const gw_str_t *s);
static void gw_mqtt_put_length(gw_mqtt_write_t *w, size_t len);
static size_t gw_mqtt_length_size(size_t len);
static void gw_mqtt_put_text(gw_mqtt_write_t *w, unsigned id,
    const gw_str_t *s);
static size_t gw_mqtt_text_size(const gw_str_t *s);
static unsigned gw_mqtt_connack_3_1_1(gw_mqtt_reason_e reason);


size_t
gw_mqtt_connack(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_reason_e reason, const gw_mqtt_connack_t *c)
{
    size_t           len;
    gw_mqtt_write_t  w;

    gw_mqtt_begin(&w, dst, size);

    gw_mqtt_put8(&w, reason == GW_MQTT_SUCCESS ? c->session_present : 0);

    if (version != GW_MQTT_5) {
        gw_mqtt_put8(&w, gw_mqtt_connack_3_1_1(reason));
        return gw_mqtt_end(&w, GW_MQTT_CONNACK << 4);
    }

    gw_mqtt_put8(&w, reason);

    len = (c->receive_maximum ? 3 : 0) + (c->no_retain ? 2 : 0)
          + (c->maximum_packet ? 5 : 0) + gw_mqtt_text_size(&c->assigned_id)
          + (c->topic_alias_maximum ? 3 : 0)
          + gw_mqtt_text_size(&c->reason_string)
          + (c->no_wildcards ? 2 : 0) + (c->no_subscription_ids ? 2 : 0)
          + (c->no_shared ? 2 : 0) + (c->has_server_keep_alive ? 3 : 0)
          + gw_mqtt_text_size(&c->server_reference);

    gw_mqtt_put_length(&w, len);

    if (c->receive_maximum) {
        gw_mqtt_put8(&w, 0x21);
        gw_mqtt_put16(&w, c->receive_maximum);
    }

    if (c->no_retain) {
        gw_mqtt_put16(&w, 0x2500);
    }

    if (c->maximum_packet) {
        gw_mqtt_put8(&w, 0x27);
        gw_mqtt_put32(&w, c->maximum_packet);
    }

    gw_mqtt_put_text(&w, 0x12, &c->assigned_id);

    if (c->topic_alias_maximum) {
        gw_mqtt_put8(&w, 0x22);
        gw_mqtt_put16(&w, c->topic_alias_maximum);
    }

    gw_mqtt_put_text(&w, 0x1f, &c->reason_string);

    if (c->no_wildcards) {
        gw_mqtt_put16(&w, 0x2800);
    }

    if (c->no_subscription_ids) {
        gw_mqtt_put16(&w, 0x2900);
    }

    if (c->no_shared) {
        gw_mqtt_put16(&w, 0x2a00);
    }

    if (c->has_server_keep_alive) {
        gw_mqtt_put8(&w, 0x13);
        gw_mqtt_put16(&w, c->server_keep_alive);
    }

    gw_mqtt_put_text(&w, 0x1c, &c->server_reference);

    return gw_mqtt_end(&w, GW_MQTT_CONNACK << 4);
}


/* 3.1.1 section 3.2.2.3 */

static unsigned
gw_mqtt_connack_3_1_1(gw_mqtt_reason_e reason)
{
    switch (reason) {

    case GW_MQTT_SUCCESS:
        return 0;

    case GW_MQTT_UNSUPPORTED_VERSION:
        return 1;

    case GW_MQTT_CLIENT_ID_NOT_VALID:
        return 2;

    case GW_MQTT_BAD_CREDENTIALS:
    case GW_MQTT_BAD_AUTH_METHOD:
        return 4;

    case GW_MQTT_NOT_AUTHORIZED:
    case GW_MQTT_TOPIC_NAME_INVALID:
        return 5;

    default:
        return 3;
    }
}


size_t
gw_mqtt_ack(uint8_t *dst, size_t size, unsigned version, gw_mqtt_type_e type,
    uint16_t id, gw_mqtt_reason_e reason, const gw_str_t *reason_string)
{
    unsigned         first;
    gw_mqtt_write_t  w;

    first = (unsigned) type << 4 | (type == GW_MQTT_PUBREL ? 2 : 0);

    /* nearly all that is ever sent: MQTT-3.4.2-1 lets reason 0 be left out */

    if (version != GW_MQTT_5 || reason == GW_MQTT_SUCCESS) {

        if (size < 4) {
            return 0;
        }

        dst[0] = (uint8_t) first;
        dst[1] = 2;
        dst[2] = (uint8_t) (id >> 8);
        dst[3] = (uint8_t) id;

        return 4;
    }

    gw_mqtt_begin(&w, dst, size);

    gw_mqtt_put16(&w, id);
    gw_mqtt_put8(&w, reason);

    if (reason_string && reason_string->len) {
        gw_mqtt_put_length(&w, gw_mqtt_text_size(reason_string));
        gw_mqtt_put_text(&w, 0x1f, reason_string);
    }

    return gw_mqtt_end(&w, first);
}


size_t
gw_mqtt_suback(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_type_e type, uint16_t id, const uint8_t *codes, unsigned n)
{
    gw_mqtt_write_t  w;

    gw_mqtt_begin(&w, dst, size);

    gw_mqtt_put16(&w, id);

    if (version == GW_MQTT_5) {
        gw_mqtt_put8(&w, 0);

    } else if (type == GW_MQTT_UNSUBACK) {
        n = 0;
    }

    gw_mqtt_put(&w, codes, n);

    return gw_mqtt_end(&w, (unsigned) type << 4);
}


size_t
gw_mqtt_pingresp(uint8_t *dst, size_t size)
{
    if (size < 2) {
        return 0;
    }

    dst[0] = GW_MQTT_PINGRESP << 4;
    dst[1] = 0;

    return 2;
}


size_t
gw_mqtt_disconnect(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_reason_e reason, const gw_str_t *reason_string,
    const gw_str_t *server_reference)
{
    size_t           len;
    gw_mqtt_write_t  w;

    if (version != GW_MQTT_5) {
        return 0;
    }

    gw_mqtt_begin(&w, dst, size);

    gw_mqtt_put8(&w, reason);

    len = (reason_string ? gw_mqtt_text_size(reason_string) : 0)
          + (server_reference ? gw_mqtt_text_size(server_reference) : 0);

    if (len) {
        gw_mqtt_put_length(&w, len);

        if (reason_string) {
            gw_mqtt_put_text(&w, 0x1f, reason_string);
        }

        if (server_reference) {
            gw_mqtt_put_text(&w, 0x1c, server_reference);
        }
    }

    return gw_mqtt_end(&w, GW_MQTT_DISCONNECT << 4);
}


size_t
gw_mqtt_publish(uint8_t *dst, size_t size, unsigned version,
    const gw_str_t *topic, const gw_str_t *payload)
{
    gw_mqtt_write_t  w;

    gw_mqtt_begin(&w, dst, size);

    gw_mqtt_put_string(&w, topic);

    if (version == GW_MQTT_5) {
        gw_mqtt_put8(&w, 0);
    }

    gw_mqtt_put(&w, payload->data, payload->len);

    return gw_mqtt_end(&w, GW_MQTT_PUBLISH << 4);
}


static void
gw_mqtt_begin(gw_mqtt_write_t *w, uint8_t *dst, size_t size)
{
    w->start = dst;
    w->full = (size < GW_MQTT_HEADER_MAX);
    w->p = dst + (w->full ? size : GW_MQTT_HEADER_MAX);
    w->end = dst + size;
}


static size_t
gw_mqtt_end(gw_mqtt_write_t *w, unsigned first)
{
    size_t    len, header;
    uint8_t  *body;

    if (w->full) {
        return 0;
    }

    body = w->start + GW_MQTT_HEADER_MAX;
    len = w->p - body;
    header = 1 + gw_mqtt_length_size(len);

    memmove(w->start + header, body, len);

    w->p = w->start;

    gw_mqtt_put8(w, first);
    gw_mqtt_put_length(w, len);

    return header + len;
}


static void
gw_mqtt_put8(gw_mqtt_write_t *w, unsigned v)
{
    if (w->p == w->end) {
        w->full = 1;
        return;
    }

    *w->p++ = (uint8_t) v;
}


static void
gw_mqtt_put16(gw_mqtt_write_t *w, unsigned v)
{
    gw_mqtt_put8(w, v >> 8);
    gw_mqtt_put8(w, v);
}


static void
gw_mqtt_put32(gw_mqtt_write_t *w, uint32_t v)
{
    gw_mqtt_put16(w, v >> 16);
    gw_mqtt_put16(w, v & 0xffff);
}


static void
gw_mqtt_put(gw_mqtt_write_t *w, const uint8_t *p, size_t len)
{
    if ((size_t) (w->end - w->p) < len) {
        w->full = 1;
        return;
    }

    if (len) {
        memcpy(w->p, p, len);
        w->p += len;
    }
}


static void
gw_mqtt_put_string(gw_mqtt_write_t *w, const gw_str_t *s)
{
    gw_mqtt_put16(w, (unsigned) s->len);
    gw_mqtt_put(w, s->data, s->len);
}


/* 1.5.5 */

static void
gw_mqtt_put_length(gw_mqtt_write_t *w, size_t len)
{
    while (len > 0x7f) {
        gw_mqtt_put8(w, (unsigned) (len & 0x7f) | 0x80);
        len >>= 7;
    }

    gw_mqtt_put8(w, (unsigned) len);
}


static size_t
gw_mqtt_length_size(size_t len)
{
    return len < 0x80 ? 1 : len < 0x4000 ? 2 : len < 0x200000 ? 3 : 4;
}


/* a property that is a string; len 0: left out */

static void
gw_mqtt_put_text(gw_mqtt_write_t *w, unsigned id, const gw_str_t *s)
{
    if (s->len) {
        gw_mqtt_put8(w, id);
        gw_mqtt_put_string(w, s);
    }
}


static size_t
gw_mqtt_text_size(const gw_str_t *s)
{
    return s->len ? 3 + s->len : 0;
}


const char *
gw_mqtt_type_name(gw_mqtt_type_e type)
{
    static const char *const  names[] = {
        "none", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL",
        "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK",
        "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"
    };

    return names[(unsigned) type < 16 ? type : 0];
}


const char *
gw_mqtt_reason_name(gw_mqtt_reason_e reason)
{
    unsigned  i;

    static const struct {
        gw_mqtt_reason_e   reason;
        const char        *name;
    } names[] = {
        { GW_MQTT_SUCCESS, "Success" },
        { GW_MQTT_DISCONNECT_WITH_WILL, "Disconnect with Will Message" },
        { GW_MQTT_NO_MATCHING_SUBSCRIBERS, "No matching subscribers" },
        { GW_MQTT_NO_SUBSCRIPTION_EXISTED, "No subscription existed" },
        { GW_MQTT_CONTINUE_AUTHENTICATION, "Continue authentication" },
        { GW_MQTT_REAUTHENTICATE, "Re-authenticate" },
        { GW_MQTT_UNSPECIFIED, "Unspecified error" },
        { GW_MQTT_MALFORMED, "Malformed Packet" },
        { GW_MQTT_PROTOCOL_ERROR, "Protocol Error" },
        { GW_MQTT_IMPLEMENTATION, "Implementation specific error" },
        { GW_MQTT_UNSUPPORTED_VERSION, "Unsupported Protocol Version" },
        { GW_MQTT_CLIENT_ID_NOT_VALID, "Client Identifier not valid" },
        { GW_MQTT_BAD_CREDENTIALS, "Bad User Name or Password" },
        { GW_MQTT_NOT_AUTHORIZED, "Not authorized" },
        { GW_MQTT_SERVER_UNAVAILABLE, "Server unavailable" },
        { GW_MQTT_SERVER_BUSY, "Server busy" },
        { GW_MQTT_SHUTTING_DOWN, "Server shutting down" },
        { GW_MQTT_BAD_AUTH_METHOD, "Bad authentication method" },
        { GW_MQTT_KEEP_ALIVE_TIMEOUT, "Keep Alive timeout" },
        { GW_MQTT_TAKEN_OVER, "Session taken over" },
        { GW_MQTT_TOPIC_NAME_INVALID, "Topic Name invalid" },
        { GW_MQTT_PACKET_ID_IN_USE, "Packet Identifier in use" },
        { GW_MQTT_PACKET_ID_NOT_FOUND, "Packet Identifier not found" },
        { GW_MQTT_RECEIVE_MAXIMUM_EXCEEDED, "Receive Maximum exceeded" },
        { GW_MQTT_TOPIC_ALIAS_INVALID, "Topic Alias invalid" },
        { GW_MQTT_PACKET_TOO_LARGE, "Packet too large" },
        { GW_MQTT_RATE_TOO_HIGH, "Message rate too high" },
        { GW_MQTT_QUOTA_EXCEEDED, "Quota exceeded" },
        { GW_MQTT_ADMINISTRATIVE, "Administrative action" },
        { GW_MQTT_PAYLOAD_FORMAT_INVALID, "Payload format invalid" },
        { GW_MQTT_RETAIN_NOT_SUPPORTED, "Retain not supported" },
        { GW_MQTT_QOS_NOT_SUPPORTED, "QoS not supported" },
        { GW_MQTT_USE_ANOTHER_SERVER, "Use another server" },
        { GW_MQTT_CONNECTION_RATE_EXCEEDED, "Connection rate exceeded" }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].reason == reason) {
            return names[i].name;
        }
    }

    return "unknown";
}
