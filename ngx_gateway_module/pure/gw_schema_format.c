/*
 * gw_schema_format.c - see gw_schema_format.h.  gw_time.c will not do for
 * date-time: it takes a space for the "T" and knows nothing before 1970.
 */

#include "gw_schema_format.h"


#define GW_SCHEMA_DAY  (24 * 60)       /* minutes */


static int
gw_schema_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}


static int
gw_schema_is_hex(uint8_t c)
{
    return gw_schema_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


/* n digits at p; -1: they are not */

static int
gw_schema_figure(const uint8_t *p, unsigned n)
{
    int  v;

    for (v = 0; n; n--, p++) {
        if (!gw_schema_is_digit(*p)) {
            return -1;
        }

        v = v * 10 + (*p - '0');
    }

    return v;
}


static int
gw_schema_is_date(const uint8_t *p)
{
    int  year, month, day, days;

    year = gw_schema_figure(p, 4);
    month = gw_schema_figure(p + 5, 2);
    day = gw_schema_figure(p + 8, 2);

    if (year < 0 || p[4] != '-' || month < 1 || month > 12 || p[7] != '-'
        || day < 1)
    {
        return 0;
    }

    days = month == 2
           ? (year % 4 == 0 && (year % 100 || year % 400 == 0) ? 29 : 28)
           : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;

    return day <= days;
}


static int
gw_schema_is_date_time(const uint8_t *p, size_t len)
{
    int             hour, minute, second, off_hour, off_minute, utc;
    const uint8_t  *last;

    if (len < sizeof("1970-01-01T00:00:00Z") - 1 || !gw_schema_is_date(p)
        || (p[10] | 0x20) != 't')
    {
        return 0;
    }

    last = p + len;
    hour = gw_schema_figure(p + 11, 2);
    minute = gw_schema_figure(p + 14, 2);
    second = gw_schema_figure(p + 17, 2);

    if (hour < 0 || hour > 23 || p[13] != ':' || minute < 0 || minute > 59
        || p[16] != ':' || second < 0 || second > 60)
    {
        return 0;
    }

    p += 19;

    if (*p == '.') {
        p++;

        if (p == last || !gw_schema_is_digit(*p)) {
            return 0;
        }

        while (p < last && gw_schema_is_digit(*p)) {
            p++;
        }
    }

    utc = hour * 60 + minute;

    if (last - p == 1 && (*p | 0x20) == 'z') {
        /* void */

    } else if (last - p == 6 && (*p == '+' || *p == '-') && p[3] == ':') {
        off_hour = gw_schema_figure(p + 1, 2);
        off_minute = gw_schema_figure(p + 4, 2);

        if (off_hour < 0 || off_hour > 23 || off_minute < 0
            || off_minute > 59)
        {
            return 0;
        }

        off_minute += off_hour * 60;
        utc += *p == '-' ? off_minute : GW_SCHEMA_DAY - off_minute;
        utc %= GW_SCHEMA_DAY;

    } else {
        return 0;
    }

    /* a leap second ends a day of UTC: RFC 3339, section 5.7 */

    return second < 60 || utc == GW_SCHEMA_DAY - 1;
}


static int
gw_schema_is_uuid(const uint8_t *p, size_t len)
{
    size_t  i;

    if (len != 36) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-'
                                                    : !gw_schema_is_hex(p[i]))
        {
            return 0;
        }
    }

    return 1;
}


static int
gw_schema_is_ipv4(const uint8_t *p, size_t len)
{
    int             v;
    unsigned        parts, n;
    const uint8_t  *last;

    last = p + len;

    for (parts = 0; parts < 4; parts++) {

        if (parts && (p == last || *p++ != '.')) {
            return 0;
        }

        for (n = 0; n < 3 && p + n < last && gw_schema_is_digit(p[n]); n++) {
            /* void */
        }

        /* a leading zero would be octal to some */

        v = gw_schema_figure(p, n);

        if (n == 0 || v > 255 || (n > 1 && *p == '0')) {
            return 0;
        }

        p += n;
    }

    return p == last;
}


static int
gw_schema_is_ipv6(const uint8_t *p, size_t len)
{
    int             gap;
    unsigned        groups, n;
    const uint8_t  *last;

    last = p + len;
    gap = 0;

    if (len >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 1;
        p += 2;
    }

    for (groups = 0; p < last; /* void */ ) {

        for (n = 0; n < 4 && p + n < last && gw_schema_is_hex(p[n]); n++) {
            /* void */
        }

        if (n && p + n < last && p[n] == '.') {
            groups += 2;
            return gw_schema_is_ipv4(p, (size_t) (last - p))
                   && (gap ? groups < 8 : groups == 8);
        }

        if (n == 0) {
            return 0;
        }

        groups++;
        p += n;

        if (p == last) {
            break;
        }

        if (*p++ != ':' || p == last) {
            return 0;
        }

        if (*p == ':') {
            if (gap) {
                return 0;
            }

            gap = 1;
            p++;
        }
    }

    return gap ? groups < 8 : groups == 8;
}


gw_schema_format_pt
gw_schema_format(const uint8_t *name, size_t len)
{
    size_t  i;

    static const struct {
        gw_str_t             name;
        gw_schema_format_pt  check;
    } formats[] = {
        { gw_str("date-time"), gw_schema_is_date_time },
        { gw_str("uuid"), gw_schema_is_uuid },
        { gw_str("ipv4"), gw_schema_is_ipv4 },
        { gw_str("ipv6"), gw_schema_is_ipv6 }
    };

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i].name.len == len
            && memcmp(formats[i].name.data, name, len) == 0)
        {
            return formats[i].check;
        }
    }

    return NULL;
}
