/*
 * gw_mqtt_decode.c - see gw_mqtt.h: whole packets of a client, and what makes
 * them none.
 */

#include "gw_mqtt_read.h"
#include "gw_mqtt_topic.h"


static int gw_mqtt_read_connect(gw_mqtt_read_t *r, gw_mqtt_connect_t *c);
static int gw_mqtt_read_will(gw_mqtt_read_t *r, gw_mqtt_connect_t *c);
static int gw_mqtt_read_publish(gw_mqtt_read_t *r, unsigned version,
    unsigned flags, gw_mqtt_publish_t *publish);
static int gw_mqtt_read_ack(gw_mqtt_read_t *r, unsigned version,
    gw_mqtt_type_e type, gw_mqtt_ack_t *ack);
static int gw_mqtt_read_filters(gw_mqtt_read_t *r, unsigned version,
    gw_mqtt_type_e type, gw_mqtt_filters_t *filters);
static int gw_mqtt_read_id(gw_mqtt_read_t *r, uint16_t *id);
static int gw_mqtt_reason_of(gw_mqtt_type_e type, unsigned reason);


int
gw_mqtt_decode(const gw_mqtt_frame_t *f, unsigned version,
    const uint8_t *body, gw_mqtt_packet_t *packet, gw_mqtt_reason_e *reason,
    const char **detail)
{
    int             rc;
    gw_mqtt_read_t  r;

    r.p = body;
    r.end = body + f->length;

    packet->type = f->type;

    switch (f->type) {

    case GW_MQTT_PUBLISH:
        rc = gw_mqtt_read_publish(&r, version, f->flags, &packet->u.publish);
        break;

    case GW_MQTT_CONNECT:
        rc = gw_mqtt_read_connect(&r, &packet->u.connect);
        break;

    case GW_MQTT_SUBSCRIBE:
    case GW_MQTT_UNSUBSCRIBE:
        rc = gw_mqtt_read_filters(&r, version, f->type, &packet->u.filters);
        break;

    case GW_MQTT_PINGREQ:
        rc = GW_OK;
        break;

    default:
        rc = gw_mqtt_read_ack(&r, version, f->type, &packet->u.ack);
        break;
    }

    if (rc == GW_OK && r.p != r.end) {
        rc = gw_mqtt_fail(&r, GW_MQTT_MALFORMED,
                          "2.1.4: a packet is longer than what it holds");
    }

    if (rc != GW_OK) {
        *reason = r.reason;
        *detail = r.detail;
    }

    return rc;
}


/* 3.1 */

static int
gw_mqtt_read_connect(gw_mqtt_read_t *r, gw_mqtt_connect_t *c)
{
    uint8_t   flags;
    gw_str_t  name;

    memset(c, 0, sizeof(gw_mqtt_connect_t));

    if (gw_mqtt_string(r, &name) != GW_OK
        || gw_mqtt_u8(r, &c->version) != GW_OK)
    {
        return GW_ERROR;
    }

    if (name.len != 4 || memcmp(name.data, "MQTT", 4) != 0) {
        return gw_mqtt_fail(r, GW_MQTT_UNSUPPORTED_VERSION,
                            "MQTT-3.1.2-1: the protocol name is not MQTT");
    }

    if (c->version != GW_MQTT_3_1_1 && c->version != GW_MQTT_5) {
        return gw_mqtt_fail(r, GW_MQTT_UNSUPPORTED_VERSION,
                            "MQTT-3.1.2-2: the protocol version is neither "
                            "3.1.1 nor 5.0");
    }

    if (gw_mqtt_u8(r, &flags) != GW_OK
        || gw_mqtt_u16(r, &c->keep_alive) != GW_OK)
    {
        return GW_ERROR;
    }

    if (flags & 0x01) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "MQTT-3.1.2-3: the reserved flag of CONNECT is "
                            "set");
    }

    c->clean = flags >> 1 & 1;
    c->has_will = flags >> 2 & 1;
    c->will_qos = flags >> 3 & 3;
    c->will_retain = flags >> 5 & 1;
    c->has_password = flags >> 6 & 1;
    c->has_user = flags >> 7;

    if (!c->has_will && (c->will_qos || c->will_retain)) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "MQTT-3.1.2-11: there is no will, but a QoS or "
                            "retain of it");
    }

    if (c->will_qos == 3) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "MQTT-3.1.2-12: the QoS of the will is 3");
    }

    if (c->version == GW_MQTT_3_1_1 && c->has_password && !c->has_user) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "3.1.1 MQTT-3.1.2-22: a password without a user "
                            "name");
    }

    if (c->version == GW_MQTT_5
        && gw_mqtt_read_properties(r, GW_MQTT_OF(GW_MQTT_CONNECT), &c->props)
           != GW_OK)
    {
        return GW_ERROR;
    }

    if (c->props.there & 1u << GW_MQTT_P_AUTH_DATA
        && !(c->props.there & 1u << GW_MQTT_P_AUTH_METHOD))
    {
        return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                            "3.1.2.11.10: authentication data without a "
                            "method");
    }

    if (gw_mqtt_string(r, &c->client_id) != GW_OK) {
        return GW_ERROR;
    }

    if (c->has_will && gw_mqtt_read_will(r, c) != GW_OK) {
        return GW_ERROR;
    }

    if (c->has_user && gw_mqtt_string(r, &c->user) != GW_OK) {
        return GW_ERROR;
    }

    return c->has_password ? gw_mqtt_binary(r, &c->password) : GW_OK;
}


static int
gw_mqtt_read_will(gw_mqtt_read_t *r, gw_mqtt_connect_t *c)
{
    if (c->version == GW_MQTT_5
        && gw_mqtt_read_properties(r, GW_MQTT_OF_WILL, &c->will_props)
           != GW_OK)
    {
        return GW_ERROR;
    }

    if (gw_mqtt_string(r, &c->will_topic) != GW_OK) {
        return GW_ERROR;
    }

    if (gw_mqtt_topic_valid(&c->will_topic) != GW_OK) {
        return gw_mqtt_fail(r, c->version == GW_MQTT_5
                               ? GW_MQTT_TOPIC_NAME_INVALID
                               : GW_MQTT_MALFORMED,
                            "MQTT-4.7.1-1: the topic of the will has a "
                            "wildcard, or nothing");
    }

    return gw_mqtt_binary(r, &c->will_payload);
}


/* 3.3 */

static int
gw_mqtt_read_publish(gw_mqtt_read_t *r, unsigned version, unsigned flags,
    gw_mqtt_publish_t *publish)
{
    publish->qos = flags >> 1 & 3;
    publish->dup = flags >> 3;
    publish->retain = flags & 1;
    publish->id = 0;

    if (gw_mqtt_string(r, &publish->topic) != GW_OK) {
        return GW_ERROR;
    }

    if (publish->qos && gw_mqtt_read_id(r, &publish->id) != GW_OK) {
        return GW_ERROR;
    }

    publish->props.there = 0;
    publish->props.users = 0;
    publish->props.all.len = 0;

    if (version == GW_MQTT_5
        && gw_mqtt_read_properties(r, GW_MQTT_OF(GW_MQTT_PUBLISH),
                                   &publish->props)
           != GW_OK)
    {
        return GW_ERROR;
    }

    if (publish->topic.len == 0 && version == GW_MQTT_5) {

        if (!(publish->props.there & 1u << GW_MQTT_P_TOPIC_ALIAS)) {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "3.3.2.1: neither a topic nor an alias");
        }

    } else if (gw_mqtt_topic_valid(&publish->topic) != GW_OK) {
        return gw_mqtt_fail(r, version == GW_MQTT_5
                               ? GW_MQTT_TOPIC_NAME_INVALID
                               : GW_MQTT_MALFORMED,
                            "MQTT-3.3.2-2: the topic has a wildcard, or "
                            "nothing");
    }

    publish->payload.data = r->p;
    publish->payload.len = r->end - r->p;

    r->p = r->end;

    return GW_OK;
}


/* 3.4 to 3.7, 3.14, 3.15: what is left out is reason 0, and no properties */

static int
gw_mqtt_read_ack(gw_mqtt_read_t *r, unsigned version, gw_mqtt_type_e type,
    gw_mqtt_ack_t *ack)
{
    uint8_t  reason;

    ack->id = 0;
    ack->reason = GW_MQTT_SUCCESS;
    ack->props.there = 0;
    ack->props.users = 0;
    ack->props.all.len = 0;

    if (type != GW_MQTT_DISCONNECT && type != GW_MQTT_AUTH
        && gw_mqtt_read_id(r, &ack->id) != GW_OK)
    {
        return GW_ERROR;
    }

    if (version == GW_MQTT_3_1_1) {
        return GW_OK;
    }

    if (r->p < r->end) {
        (void) gw_mqtt_u8(r, &reason);
        ack->reason = (gw_mqtt_reason_e) reason;
    }

    if (!gw_mqtt_reason_of(type, ack->reason)) {
        return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                            "2.4: a reason code that this packet of a client "
                            "does not have");
    }

    if (r->p < r->end
        && gw_mqtt_read_properties(r, GW_MQTT_OF(type), &ack->props) != GW_OK)
    {
        return GW_ERROR;
    }

    if (type == GW_MQTT_AUTH
        && !(ack->props.there & 1u << GW_MQTT_P_AUTH_METHOD))
    {
        return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                            "3.15.2.2.2: AUTH without an authentication "
                            "method");
    }

    return GW_OK;
}


/* table 2-6, the columns of what a client sends */

static int
gw_mqtt_reason_of(gw_mqtt_type_e type, unsigned reason)
{
    switch (type) {

    case GW_MQTT_PUBACK:
    case GW_MQTT_PUBREC:
        return reason == 0x00 || reason == 0x10 || reason == 0x80
               || reason == 0x83 || reason == 0x87 || reason == 0x90
               || reason == 0x91 || reason == 0x97 || reason == 0x99;

    case GW_MQTT_PUBREL:
    case GW_MQTT_PUBCOMP:
        return reason == 0x00 || reason == 0x92;

    case GW_MQTT_AUTH:
        return reason == 0x18 || reason == 0x19;

    default: /* GW_MQTT_DISCONNECT */
        return reason == 0x00 || reason == 0x04
               || (reason >= 0x80 && reason <= 0x83) || reason == 0x90
               || (reason >= 0x93 && reason <= 0x99);
    }
}


/* 3.8, 3.10 */

static int
gw_mqtt_read_filters(gw_mqtt_read_t *r, unsigned version, gw_mqtt_type_e type,
    gw_mqtt_filters_t *filters)
{
    uint8_t   options;
    gw_str_t  filter;

    filters->n = 0;
    filters->options = (type == GW_MQTT_SUBSCRIBE);
    filters->props.there = 0;
    filters->props.users = 0;
    filters->props.all.len = 0;

    if (gw_mqtt_read_id(r, &filters->id) != GW_OK) {
        return GW_ERROR;
    }

    if (version == GW_MQTT_5
        && gw_mqtt_read_properties(r, GW_MQTT_OF(type), &filters->props)
           != GW_OK)
    {
        return GW_ERROR;
    }

    filters->filters.data = r->p;
    filters->filters.len = r->end - r->p;

    while (r->p < r->end) {

        if (gw_mqtt_string(r, &filter) != GW_OK) {
            return GW_ERROR;
        }

        if (gw_mqtt_filter_valid(&filter) != GW_OK) {
            return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                                "MQTT-4.7.1-1: a filter is none");
        }

        filters->n++;

        if (!filters->options) {
            continue;
        }

        if (gw_mqtt_u8(r, &options) != GW_OK) {
            return GW_ERROR;
        }

        if ((options & 0x03) == 0x03
            || (options & (version == GW_MQTT_5 ? 0xc0 : 0xfc)) != 0)
        {
            return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                                "MQTT-3.8.3-5: options of a subscription that "
                                "are reserved, or QoS 3");
        }

        if ((options & 0x30) == 0x30) {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "3.8.3.1: retain handling is 3");
        }

        if (options & 0x04 && filter.len > 7
            && memcmp(filter.data, "$share/", 7) == 0)
        {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "MQTT-3.8.3-4: no local of a shared "
                                "subscription");
        }
    }

    if (filters->n == 0) {
        return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                            "MQTT-3.8.3-2: there is no filter");
    }

    return GW_OK;
}


int
gw_mqtt_next_filter(const gw_mqtt_filters_t *filters, size_t *at,
    gw_str_t *filter, uint8_t *options)
{
    gw_mqtt_read_t  r;

    r.p = filters->filters.data + *at;
    r.end = filters->filters.data + filters->filters.len;

    *options = 0;

    if (r.p == r.end || gw_mqtt_binary(&r, filter) != GW_OK) {
        return GW_DONE;
    }

    if (filters->options) {
        (void) gw_mqtt_u8(&r, options);
    }

    *at = r.p - filters->filters.data;

    return GW_OK;
}


/* 2.2.1 */

static int
gw_mqtt_read_id(gw_mqtt_read_t *r, uint16_t *id)
{
    if (gw_mqtt_u16(r, id) != GW_OK) {
        return GW_ERROR;
    }

    if (*id == 0) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "MQTT-2.2.1-3: the packet identifier is 0");
    }

    return GW_OK;
}
