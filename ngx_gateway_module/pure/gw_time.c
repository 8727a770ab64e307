/*
 * gw_time.c - RFC 3339 and epoch numbers to milliseconds.
 *
 * The calendar is done by hand: timegm() is not C99, takes a lock for the
 * time zone in glibc, and accepts a 30th of February.
 */

#include "gw_time.h"


/* the number from which on it is milliseconds: 1973 so read, 5138 as seconds */
#define GW_TIME_SECONDS_LIMIT  100000000000LL

/* days from 0000-03-01 to 1970-01-01, proleptic Gregorian */
#define GW_TIME_DAYS_1970      719468


/* two bytes known to be digits */
#define gw_time_two(p)  (((p)[0] * 10u + (p)[1]) - '0' * 11u)


static uint64_t gw_time_off_form(const uint8_t *p, const char *form,
    const char *room);
static uint64_t gw_time_eight(const uint8_t *p, uint64_t *bad);
static int gw_time_fraction(const uint8_t **pp, const uint8_t *last,
    unsigned *ms);
static int64_t gw_time_days(unsigned year, unsigned month, unsigned day);


static const uint8_t  gw_time_month_days[] = {
    0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
};

/* days in front of a month of a year that begins in March */

static const uint16_t  gw_time_days_before[] = {
    0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275
};


int
gw_time_rfc3339(const uint8_t *p, size_t len, int64_t *ms)
{
    int             offset;
    int64_t         minutes, value;
    unsigned        leap, frac, year, month, day, hour, min, sec, oh, om;
    const uint8_t  *last;

    /* 1970-01-01T00:00:00Z is the shortest form */

    if (len < 20) {
        return GW_ERROR;
    }

    /* a room of 0x80 takes all of ASCII: these bytes are seen to below */

    if (gw_time_off_form(p, "0000-00-", "\x0a\x0a\x0a\x0a\1\x0a\x0a\1")
        | gw_time_off_form(p + 8, "00\0" "00:00",
                           "\x0a\x0a\x80\x0a\x0a\1\x0a\x0a")
        | gw_time_off_form(p + 12, "0:00:00",
                           "\x0a\1\x0a\x0a\1\x0a\x0a\x80"))
    {
        return GW_ERROR;
    }

    year = gw_time_two(p) * 100 + gw_time_two(p + 2);
    month = gw_time_two(p + 5);
    day = gw_time_two(p + 8);
    hour = gw_time_two(p + 11);
    min = gw_time_two(p + 14);
    sec = gw_time_two(p + 17);

    if ((p[10] | 0x20) != 't' && p[10] != ' ') {
        return GW_ERROR;
    }

    /* 1969 may be 1970 in UTC, which is seen below */

    if (year < 1969 || month - 1 > 11 || day == 0
        || hour > 23 || min > 59 || sec > 60)
    {
        return GW_ERROR;
    }

    if (day > 28) {
        leap = month == 2
               && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        if (day > gw_time_month_days[month] + leap) {
            return GW_ERROR;
        }
    }

    last = p + len;
    p += 19;
    frac = 0;

    if (*p == '.' && gw_time_fraction(&p, last, &frac) != GW_OK) {
        return GW_ERROR;
    }

    offset = 0;

    if (last - p == 1) {
        if ((*p | 0x20) != 'z') {
            return GW_ERROR;
        }

    } else if (last - p == 6) {

        if ((p[0] != '+' && p[0] != '-')
            || gw_time_off_form(p - 2, "\0\0\0" "00:00",
                                "\x80\x80\x80\x0a\x0a\1\x0a\x0a"))
        {
            return GW_ERROR;
        }

        oh = gw_time_two(p + 1);
        om = gw_time_two(p + 4);

        if (oh > 23 || om > 59) {
            return GW_ERROR;
        }

        offset = (int) (oh * 60 + om);

        if (p[0] == '-') {
            offset = -offset;
        }

    } else {
        return GW_ERROR;
    }

    minutes = gw_time_days(year, month, day) * 1440 + hour * 60 + min - offset;

    if (minutes < 0) {
        return GW_ERROR;
    }

    /* every zone is whole minutes off, so UTC decides about second 60 too */

    if (sec == 60 && minutes % 60 != 59) {
        return GW_ERROR;
    }

    value = minutes * 60000 + sec * 1000 + frac;

    if (value > GW_TIME_MAX) {
        return GW_ERROR;
    }

    *ms = value;

    return GW_OK;
}


int
gw_time_epoch(const uint8_t *p, size_t len, int64_t *ms)
{
    int64_t         value;
    uint64_t        bad;
    unsigned        frac, digit;
    const uint8_t  *start, *last, *stop;

    start = p;
    last = p + len;
    value = 0;

    /* GW_TIME_MAX has 15 digits; the 16th is read to be refused */

    stop = len > 16 ? p + 16 : last;

    if (len > 8) {
        bad = 0;
        value = (int64_t) gw_time_eight(p, &bad);

        if (bad) {
            value = 0;

        } else {
            p += 8;
        }
    }

    while (p < stop && (digit = (unsigned) *p - '0') <= 9) {
        value = value * 10 + digit;
        p++;
    }

    if (p == start || p - start > 15 || (*start == '0' && p - start > 1)) {
        return GW_ERROR;
    }

    frac = 0;

    if (p < last
        && (*p != '.' || gw_time_fraction(&p, last, &frac) != GW_OK))
    {
        return GW_ERROR;
    }

    if (p != last) {
        return GW_ERROR;
    }

    if (value < GW_TIME_SECONDS_LIMIT) {
        value = value * 1000 + frac;
    }

    if (value > GW_TIME_MAX) {
        return GW_ERROR;
    }

    *ms = value;

    return GW_OK;
}


/*
 * Compares eight bytes with a form, all at once: not 0 where one of them
 * is off.  Byte i is good where form[i] ^ p[i] is below room[i]: a room of 10
 * behind '0' takes the digits (0x30 to 0x39), a room of 1 the form's own byte.
 *
 * Adding 0x80 - room sets a byte's top bit where there is no room; a carry
 * into the next byte needs a top bit to begin with, which is off by itself.
 */

static inline uint64_t
gw_time_off_form(const uint8_t *p, const char *form, const char *room)
{
    uint64_t  x, f, r;

    memcpy(&x, p, 8);
    memcpy(&f, form, 8);
    memcpy(&r, room, 8);

    x ^= f;

    return (x | (x + (0x8080808080808080ULL - r))) & 0x8080808080808080ULL;
}


/* eight digits, first byte highest whatever the machine; pairs, then fours */

static inline uint64_t
gw_time_eight(const uint8_t *p, uint64_t *bad)
{
    uint64_t  x;

    x = (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48
        | (uint64_t) p[2] << 40 | (uint64_t) p[3] << 32
        | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16
        | (uint64_t) p[6] << 8 | p[7];

    x ^= 0x3030303030303030ULL;

    *bad |= (x | (x + 0x7676767676767676ULL)) & 0x8080808080808080ULL;

    x = (x >> 8 & 0x00ff00ff00ff00ffULL) * 10 + (x & 0x00ff00ff00ff00ffULL);
    x = (x >> 16 & 0x0000ffff0000ffffULL) * 100 + (x & 0x0000ffff0000ffffULL);

    return (x >> 32) * 10000 + (x & 0xffffffffULL);
}


/* from the point to the byte behind the last digit; at least one digit */

static int
gw_time_fraction(const uint8_t **pp, const uint8_t *last, unsigned *ms)
{
    unsigned        digit, scale, value;
    const uint8_t  *p;

    scale = 100;
    value = 0;

    for (p = *pp + 1; p < last; p++) {
        digit = (unsigned) *p - '0';

        if (digit > 9) {
            break;
        }

        value += digit * scale;
        scale /= 10;
    }

    if (p == *pp + 1) {
        return GW_ERROR;
    }

    *pp = p;
    *ms = value;

    return GW_OK;
}


/* the year is taken to begin in March, so that the leap day is its last */

static int64_t
gw_time_days(unsigned year, unsigned month, unsigned day)
{
    unsigned  y, century;

    y = year - (month <= 2);
    century = y / 100;

    return (int64_t) (365 * y + y / 4 - century + century / 4
                      + gw_time_days_before[month] + day - 1)
           - GW_TIME_DAYS_1970;
}
