/*
 * gw_mqtt_utf8.c - see gw_mqtt.h: what MQTT takes for UTF-8 (1.5.4).  A string
 * that another reader takes differently could name two topics, or two devices.
 */

#include "gw_mqtt.h"


#define GW_MQTT_HIGH_BITS  0x8080808080808080ULL
#define GW_MQTT_ONES       0x0101010101010101ULL


int
gw_mqtt_utf8(const uint8_t *p, size_t len)
{
    uint64_t        w;
    uint32_t        c;
    unsigned        i, n;
    const uint8_t  *end;

    end = p + len;

    while (p < end) {

        /* eight bytes, none of them U+0000 nor above U+007F */

        while (end - p >= 8) {
            memcpy(&w, p, 8);

            if (((w - GW_MQTT_ONES) | w) & GW_MQTT_HIGH_BITS) {
                break;
            }

            p += 8;
        }

        if (p == end) {
            break;
        }

        c = *p++;

        if (c < 0x80) {
            if (c == 0) {
                return GW_ERROR;
            }

            continue;
        }

        /* C0, C1 and F5 and above begin nothing (RFC 3629 section 4) */

        if (c < 0xc2 || c > 0xf4) {
            return GW_ERROR;
        }

        n = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

        if ((size_t) (end - p) < n) {
            return GW_ERROR;
        }

        c &= 0x3fu >> n;

        for (i = 0; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return GW_ERROR;
            }

            c = c << 6 | (p[i] & 0x3f);
        }

        p += n;

        if ((n == 2 && c < 0x800) || (n == 3 && c < 0x10000) || c > 0x10ffff
            || (c >= 0xd800 && c <= 0xdfff))
        {
            return GW_ERROR;
        }
    }

    return GW_OK;
}
