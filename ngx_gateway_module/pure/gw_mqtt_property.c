/*
 * gw_mqtt_property.c - see gw_mqtt.h: the properties of MQTT 5.0 (2.2.2), each
 * where it is allowed and, but for user properties, once.
 */

#include "gw_mqtt_read.h"
#include "gw_mqtt_topic.h"


#define GW_MQTT_USER_PROPERTY  0x26
#define GW_MQTT_IDENTIFIERS    0x2b


typedef enum {
    GW_MQTT_NONE = 0,
    GW_MQTT_BYTE,              /* 0 or 1 */
    GW_MQTT_TWO,
    GW_MQTT_FOUR,
    GW_MQTT_VARIABLE,
    GW_MQTT_BINARY,
    GW_MQTT_STRING
} gw_mqtt_form_e;


typedef struct {
    uint8_t   form;            /* gw_mqtt_form_e */
    uint8_t   bit;             /* gw_mqtt_property_e */
    uint32_t  where;
    size_t    at;              /* offset in gw_mqtt_properties_t */
} gw_mqtt_rule_t;


#define GW_MQTT_MESSAGE  (GW_MQTT_OF(GW_MQTT_PUBLISH) | GW_MQTT_OF_WILL)
#define GW_MQTT_SIGN_IN  (GW_MQTT_OF(GW_MQTT_CONNECT)                         \
                          | GW_MQTT_OF(GW_MQTT_AUTH))
#define GW_MQTT_REASONED                                                      \
    (GW_MQTT_OF(GW_MQTT_PUBACK) | GW_MQTT_OF(GW_MQTT_PUBREC)                  \
     | GW_MQTT_OF(GW_MQTT_PUBREL) | GW_MQTT_OF(GW_MQTT_PUBCOMP)               \
     | GW_MQTT_OF(GW_MQTT_DISCONNECT) | GW_MQTT_OF(GW_MQTT_AUTH))

#define gw_mqtt_at(field)  offsetof(gw_mqtt_properties_t, field)


/* table 2-4, the columns of what a client sends */

static const gw_mqtt_rule_t  gw_mqtt_rules[GW_MQTT_IDENTIFIERS] = {

    [0x01] = { GW_MQTT_BYTE, GW_MQTT_P_PAYLOAD_FORMAT, GW_MQTT_MESSAGE,
               gw_mqtt_at(payload_format) },
    [0x02] = { GW_MQTT_FOUR, GW_MQTT_P_MESSAGE_EXPIRY, GW_MQTT_MESSAGE,
               gw_mqtt_at(message_expiry) },
    [0x03] = { GW_MQTT_STRING, GW_MQTT_P_CONTENT_TYPE, GW_MQTT_MESSAGE,
               gw_mqtt_at(content_type) },
    [0x08] = { GW_MQTT_STRING, GW_MQTT_P_RESPONSE_TOPIC, GW_MQTT_MESSAGE,
               gw_mqtt_at(response_topic) },
    [0x09] = { GW_MQTT_BINARY, GW_MQTT_P_CORRELATION_DATA, GW_MQTT_MESSAGE,
               gw_mqtt_at(correlation) },
    [0x0b] = { GW_MQTT_VARIABLE, GW_MQTT_P_SUBSCRIPTION_ID,
               GW_MQTT_OF(GW_MQTT_SUBSCRIBE), 0 },
    [0x11] = { GW_MQTT_FOUR, GW_MQTT_P_SESSION_EXPIRY,
               GW_MQTT_OF(GW_MQTT_CONNECT) | GW_MQTT_OF(GW_MQTT_DISCONNECT),
               gw_mqtt_at(session_expiry) },
    [0x15] = { GW_MQTT_STRING, GW_MQTT_P_AUTH_METHOD, GW_MQTT_SIGN_IN,
               gw_mqtt_at(auth_method) },
    [0x16] = { GW_MQTT_BINARY, GW_MQTT_P_AUTH_DATA, GW_MQTT_SIGN_IN,
               gw_mqtt_at(auth_data) },
    [0x17] = { GW_MQTT_BYTE, GW_MQTT_P_REQUEST_PROBLEM,
               GW_MQTT_OF(GW_MQTT_CONNECT), gw_mqtt_at(request_problem) },
    [0x18] = { GW_MQTT_FOUR, GW_MQTT_P_WILL_DELAY, GW_MQTT_OF_WILL,
               gw_mqtt_at(will_delay) },
    [0x19] = { GW_MQTT_BYTE, GW_MQTT_P_REQUEST_RESPONSE,
               GW_MQTT_OF(GW_MQTT_CONNECT), gw_mqtt_at(request_response) },
    [0x1f] = { GW_MQTT_STRING, GW_MQTT_P_REASON_STRING, GW_MQTT_REASONED,
               gw_mqtt_at(reason_string) },
    [0x21] = { GW_MQTT_TWO, GW_MQTT_P_RECEIVE_MAXIMUM,
               GW_MQTT_OF(GW_MQTT_CONNECT), gw_mqtt_at(receive_maximum) },
    [0x22] = { GW_MQTT_TWO, GW_MQTT_P_TOPIC_ALIAS_MAXIMUM,
               GW_MQTT_OF(GW_MQTT_CONNECT), gw_mqtt_at(alias_maximum) },
    [0x23] = { GW_MQTT_TWO, GW_MQTT_P_TOPIC_ALIAS,
               GW_MQTT_OF(GW_MQTT_PUBLISH), gw_mqtt_at(topic_alias) },
    [0x27] = { GW_MQTT_FOUR, GW_MQTT_P_MAXIMUM_PACKET_SIZE,
               GW_MQTT_OF(GW_MQTT_CONNECT), gw_mqtt_at(maximum_packet) }
};


static int gw_mqtt_read_property(gw_mqtt_read_t *r, unsigned where,
    gw_mqtt_properties_t *props);
static int gw_mqtt_read_value(gw_mqtt_read_t *r, const gw_mqtt_rule_t *rule,
    gw_mqtt_properties_t *props);
static int gw_mqtt_read_user(gw_mqtt_read_t *r, gw_str_t *name,
    gw_str_t *value);


int
gw_mqtt_read_properties(gw_mqtt_read_t *r, unsigned where,
    gw_mqtt_properties_t *props)
{
    uint32_t        len;
    const uint8_t  *end;

    props->there = 0;
    props->users = 0;
    props->all.len = 0;

    if (gw_mqtt_varint(r, &len) != GW_OK) {
        return GW_ERROR;
    }

    if (len == 0) {
        return GW_OK;
    }

    if (len > (size_t) (r->end - r->p)) {
        return gw_mqtt_short(r);
    }

    props->all.data = r->p;
    props->all.len = len;

    end = r->end;
    r->end = r->p + len;

    while (r->p < r->end) {
        if (gw_mqtt_read_property(r, where, props) != GW_OK) {
            return GW_ERROR;
        }
    }

    r->end = end;

    return GW_OK;
}


static int
gw_mqtt_read_property(gw_mqtt_read_t *r, unsigned where,
    gw_mqtt_properties_t *props)
{
    uint32_t               id;
    gw_str_t               name, value;
    const gw_mqtt_rule_t  *rule;

    if (gw_mqtt_varint(r, &id) != GW_OK) {
        return GW_ERROR;
    }

    if (id == GW_MQTT_USER_PROPERTY) {
        props->users++;
        return gw_mqtt_read_user(r, &name, &value);
    }

    rule = &gw_mqtt_rules[id < GW_MQTT_IDENTIFIERS ? id : 0];

    if (rule->form == GW_MQTT_NONE || (rule->where & where) == 0) {

        if (rule->form == GW_MQTT_VARIABLE
            && where == GW_MQTT_OF(GW_MQTT_PUBLISH))
        {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "MQTT-3.3.4-6: a client's PUBLISH has a "
                                "subscription identifier");
        }

        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "2.2.2.2: a property is none of this packet");
    }

    if (props->there & 1u << rule->bit) {
        return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                            "2.2.2.2: a property is there twice");
    }

    props->there |= 1u << rule->bit;

    return gw_mqtt_read_value(r, rule, props);
}


static int
gw_mqtt_read_value(gw_mqtt_read_t *r, const gw_mqtt_rule_t *rule,
    gw_mqtt_properties_t *props)
{
    int        rc;
    void      *field;
    uint8_t    byte;
    uint16_t   two;
    uint32_t   four;

    field = (uint8_t *) props + rule->at;

    switch (rule->form) {

    case GW_MQTT_BYTE:
        rc = gw_mqtt_u8(r, &byte);

        if (rc == GW_OK && byte > 1) {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "2.2.2.2: a property of 0 and 1 is neither");
        }

        if (rc == GW_OK) {
            *(uint8_t *) field = byte;
        }

        return rc;

    case GW_MQTT_TWO:
        rc = gw_mqtt_u16(r, &two);

        if (rc == GW_OK && two == 0
            && rule->bit == GW_MQTT_P_RECEIVE_MAXIMUM)
        {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "3.1.2.11.3: the receive maximum is 0");
        }

        if (rc == GW_OK) {
            *(uint16_t *) field = two;
        }

        return rc;

    case GW_MQTT_FOUR:
        rc = gw_mqtt_u32(r, &four);

        if (rc == GW_OK && four == 0
            && rule->bit == GW_MQTT_P_MAXIMUM_PACKET_SIZE)
        {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "3.1.2.11.4: the maximum packet size is 0");
        }

        if (rc == GW_OK) {
            *(uint32_t *) field = four;
        }

        return rc;

    case GW_MQTT_VARIABLE:
        rc = gw_mqtt_varint(r, &four);

        if (rc == GW_OK && four == 0) {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "3.8.2.1.2: the subscription identifier is "
                                "0");
        }

        return rc;

    case GW_MQTT_BINARY:
        return gw_mqtt_binary(r, field);

    default: /* GW_MQTT_STRING */
        rc = gw_mqtt_string(r, field);

        if (rc == GW_OK && rule->bit == GW_MQTT_P_RESPONSE_TOPIC
            && gw_mqtt_topic_valid(field) != GW_OK)
        {
            return gw_mqtt_fail(r, GW_MQTT_PROTOCOL_ERROR,
                                "MQTT-3.3.2-14: the response topic has a "
                                "wildcard, or nothing");
        }

        return rc;
    }
}


static int
gw_mqtt_read_user(gw_mqtt_read_t *r, gw_str_t *name, gw_str_t *value)
{
    if (gw_mqtt_string(r, name) != GW_OK) {
        return GW_ERROR;
    }

    return gw_mqtt_string(r, value);
}


int
gw_mqtt_next_user(const gw_mqtt_properties_t *props, size_t *at,
    gw_str_t *name, gw_str_t *value)
{
    uint32_t              id;
    gw_mqtt_read_t        r;
    gw_mqtt_properties_t  other;

    if (props->users == 0) {
        return GW_DONE;
    }

    /* all of it was read once and is well formed */

    r.p = props->all.data + *at;
    r.end = props->all.data + props->all.len;

    while (r.p < r.end) {

        if (gw_mqtt_varint(&r, &id) != GW_OK || id >= GW_MQTT_IDENTIFIERS) {
            break;
        }

        if (id == GW_MQTT_USER_PROPERTY) {

            if (gw_mqtt_binary(&r, name) != GW_OK
                || gw_mqtt_binary(&r, value) != GW_OK)
            {
                break;
            }

            *at = r.p - props->all.data;

            return GW_OK;
        }

        if (gw_mqtt_read_value(&r, &gw_mqtt_rules[id], &other) != GW_OK) {
            break;
        }
    }

    *at = props->all.len;

    return GW_DONE;
}
