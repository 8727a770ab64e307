/*
 * gw_mqtt_read.h - private to gw_mqtt_decode.c and gw_mqtt_property.c: fields
 * of a packet, one after another, never behind its end.
 */

#ifndef _GW_MQTT_READ_H_INCLUDED_
#define _GW_MQTT_READ_H_INCLUDED_


#include "gw_mqtt.h"


typedef struct {
    const uint8_t     *p;
    const uint8_t     *end;
    gw_mqtt_reason_e   reason;     /* where something failed */
    const char        *detail;
} gw_mqtt_read_t;


/* which packet properties stand in: bits of a table */

#define GW_MQTT_OF(type)   (1u << (type))
#define GW_MQTT_OF_WILL    (1u << 16)


static inline int
gw_mqtt_fail(gw_mqtt_read_t *r, gw_mqtt_reason_e reason, const char *detail)
{
    r->reason = reason;
    r->detail = detail;

    return GW_ERROR;
}


static inline int
gw_mqtt_short(gw_mqtt_read_t *r)
{
    return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                        "2.1.4: a field ends behind its packet");
}


static inline int
gw_mqtt_u8(gw_mqtt_read_t *r, uint8_t *v)
{
    if (r->p == r->end) {
        return gw_mqtt_short(r);
    }

    *v = *r->p++;

    return GW_OK;
}


static inline int
gw_mqtt_u16(gw_mqtt_read_t *r, uint16_t *v)
{
    if (r->end - r->p < 2) {
        return gw_mqtt_short(r);
    }

    *v = (uint16_t) (r->p[0] << 8 | r->p[1]);
    r->p += 2;

    return GW_OK;
}


static inline int
gw_mqtt_u32(gw_mqtt_read_t *r, uint32_t *v)
{
    if (r->end - r->p < 4) {
        return gw_mqtt_short(r);
    }

    *v = (uint32_t) r->p[0] << 24 | (uint32_t) r->p[1] << 16
         | (uint32_t) r->p[2] << 8 | r->p[3];
    r->p += 4;

    return GW_OK;
}


/* 1.5.6 */

static inline int
gw_mqtt_binary(gw_mqtt_read_t *r, gw_str_t *s)
{
    uint16_t  len;

    if (gw_mqtt_u16(r, &len) != GW_OK) {
        return GW_ERROR;
    }

    if (r->end - r->p < len) {
        return gw_mqtt_short(r);
    }

    s->data = r->p;
    s->len = len;
    r->p += len;

    return GW_OK;
}


/* 1.5.4 */

static inline int
gw_mqtt_string(gw_mqtt_read_t *r, gw_str_t *s)
{
    if (gw_mqtt_binary(r, s) != GW_OK) {
        return GW_ERROR;
    }

    if (gw_mqtt_utf8(s->data, s->len) != GW_OK) {
        return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                            "MQTT-1.5.4-1: a string is not UTF-8");
    }

    return GW_OK;
}


/* 1.5.5 */

static inline int
gw_mqtt_varint(gw_mqtt_read_t *r, uint32_t *v)
{
    uint8_t   c;
    unsigned  i;

    *v = 0;

    for (i = 0; i < 4; i++) {

        if (gw_mqtt_u8(r, &c) != GW_OK) {
            return GW_ERROR;
        }

        *v |= (uint32_t) (c & 0x7f) << 7 * i;

        if ((c & 0x80) == 0) {
            if (i && c == 0) {
                break;
            }

            return GW_OK;
        }
    }

    return gw_mqtt_fail(r, GW_MQTT_MALFORMED,
                        "MQTT-1.5.5-1: a variable byte integer is too long");
}


/* what stands in a packet of 5.0: their length, then they; where: bits above.
   GW_OK or GW_ERROR */
int gw_mqtt_read_properties(gw_mqtt_read_t *r, unsigned where,
    gw_mqtt_properties_t *props);


#endif /* _GW_MQTT_READ_H_INCLUDED_ */
