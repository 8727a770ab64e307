/*
 * gw_mqtt_frame.c - see gw_mqtt.h: where a packet ends, and what need not be
 * waited for.  A length that is believed here is memory that a stranger has
 * asked for.
 */

#include "gw_mqtt.h"


#define GW_MQTT_ANY  0xff


/* 2.1.2, 2.1.3: who sends it, its flags, its remaining length */

typedef struct {
    uint8_t  client;           /* 1: a client may send it */
    uint8_t  flags;            /* GW_MQTT_ANY: see publish */
    uint8_t  min;              /* of both versions */
    uint8_t  max;              /* of 3.1.1; GW_MQTT_ANY: none */
} gw_mqtt_kind_t;


static const gw_mqtt_kind_t  gw_mqtt_kinds[16] = {
    { 0, 0, 0, 0 },
    { 1, 0, 12, GW_MQTT_ANY },             /* CONNECT */
    { 0, 0, 0, 0 },
    { 1, GW_MQTT_ANY, 2, GW_MQTT_ANY },    /* PUBLISH */
    { 1, 0, 2, 2 },                        /* PUBACK */
    { 1, 0, 2, 2 },                        /* PUBREC */
    { 1, 2, 2, 2 },                        /* PUBREL */
    { 1, 0, 2, 2 },                        /* PUBCOMP */
    { 1, 2, 6, GW_MQTT_ANY },              /* SUBSCRIBE */
    { 0, 0, 0, 0 },
    { 1, 2, 5, GW_MQTT_ANY },              /* UNSUBSCRIBE */
    { 0, 0, 0, 0 },
    { 1, 0, 0, 0 },                        /* PINGREQ */
    { 0, 0, 0, 0 },
    { 1, 0, 0, 0 },                        /* DISCONNECT */
    { 1, 0, 0, 0 }                         /* AUTH: not of 3.1.1 */
};


int
gw_mqtt_frame(const uint8_t *p, size_t len, unsigned version, uint32_t max,
    gw_mqtt_frame_t *f, gw_mqtt_reason_e *reason)
{
    unsigned               i;
    uint32_t               length;
    const gw_mqtt_kind_t  *kind;

    if (len == 0) {
        return GW_AGAIN;
    }

    f->type = (gw_mqtt_type_e) (p[0] >> 4);
    f->flags = p[0] & 0x0f;

    kind = &gw_mqtt_kinds[f->type];

    *reason = GW_MQTT_MALFORMED;

    if (f->type == 0 || (f->type == GW_MQTT_AUTH && version == GW_MQTT_3_1_1))
    {
        return GW_ERROR;
    }

    if (!kind->client || (version == 0 && f->type != GW_MQTT_CONNECT)) {
        *reason = GW_MQTT_PROTOCOL_ERROR;
        return GW_ERROR;
    }

    if (kind->flags != GW_MQTT_ANY) {
        if (f->flags != kind->flags) {
            return GW_ERROR;
        }

    } else if ((f->flags & 0x06) == 0x06 || (f->flags & 0x0e) == 0x08) {
        /* MQTT-3.3.1-4: QoS 3; MQTT-3.3.1-2: DUP of QoS 0 */
        return GW_ERROR;
    }

    length = 0;

    for (i = 1; ; i++) {

        if (i == len) {
            return GW_AGAIN;
        }

        length |= (uint32_t) (p[i] & 0x7f) << 7 * (i - 1);

        if ((p[i] & 0x80) == 0) {
            break;
        }

        if (i == 4) {
            return GW_ERROR;
        }
    }

    /* MQTT-1.5.5-1 */

    if (i > 1 && p[i] == 0) {
        return GW_ERROR;
    }

    f->header = (uint8_t) (i + 1);
    f->length = length;

    if (length > max || f->header > max - length) {
        *reason = GW_MQTT_PACKET_TOO_LARGE;
        return GW_ERROR;
    }

    if (length < kind->min
        || (kind->max != GW_MQTT_ANY && length > kind->max
            && (version == GW_MQTT_3_1_1 || f->type == GW_MQTT_PINGREQ)))
    {
        return GW_ERROR;
    }

    return GW_OK;
}
