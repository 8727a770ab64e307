/*
 * gw_schema_number.h - numbers as JSON writes them, compared as decimals:
 * no digit of them is ever a double's.
 *
 * A bound of 0.1 or of 2^53 + 1 that a double rounds lets a message pass that
 * the schema forbids, and nobody sees why.  An exponent beyond 10^15 is held
 * as that.
 */

#ifndef _GW_SCHEMA_NUMBER_H_INCLUDED_
#define _GW_SCHEMA_NUMBER_H_INCLUDED_


#include "gw.h"


#define GW_SCHEMA_DIGITS  18   /* that fit an int64_t, whichever they are */


/* 0.d1d2d3... * 10^exp: d1 is not 0, nor is the last one; n = 0 is zero */

typedef struct {
    const uint8_t  *digits;    /* d1; a point may stand among them */
    uint32_t        n;
    uint32_t        negative;
    int64_t         exp;
} gw_schema_number_t;


/* a divisor: units * 10^exp */

typedef struct {
    uint64_t  units;
    int64_t   exp;
} gw_schema_divisor_t;


/* p: a number of RFC 8259 and nothing else */
void gw_schema_number(gw_schema_number_t *number, const uint8_t *p,
    size_t len);

/* below, at or above 0: as a - b */
int gw_schema_number_compare(const gw_schema_number_t *a,
    const gw_schema_number_t *b);

int gw_schema_number_is_integer(const gw_schema_number_t *number);

uint64_t gw_schema_number_hash(const gw_schema_number_t *number);

/* GW_ERROR: not above 0, or of more than GW_SCHEMA_DIGITS digits */
int gw_schema_number_divisor(const gw_schema_number_t *number,
    gw_schema_divisor_t *divisor);

int gw_schema_number_is_multiple(const gw_schema_number_t *number,
    const gw_schema_divisor_t *divisor);


/*
 * A number without exponent and of at most GW_SCHEMA_DIGITS digits, zeros
 * included: value = units / 10^scale.  0 for every other: it takes the long
 * way.
 */

int gw_schema_number_short(const uint8_t *p, size_t len, int64_t *units,
    unsigned *scale);


/* eight digits as numbers, the first one lowest, to one number */

static inline uint64_t
gw_schema_number_eight(uint64_t d)
{
    d = d * 10 + (d >> 8);

    return ((d & 0x000000ff000000ffULL) * 0x000f424000000064ULL
            + (d >> 16 & 0x000000ff000000ffULL) * 0x0000271000000001ULL)
           >> 32;
}


/* the bytes that are a point: of a number none is one above */

static inline uint64_t
gw_schema_number_point(uint64_t d)
{
    d ^= 0x1e1e1e1e1e1e1e1eULL;

    return (d - 0x0101010101010101ULL) & ~d & 0x8080808080808080ULL;
}


/* closes the gap of the point at byte k; before: what comes in at the front */

static inline uint64_t
gw_schema_number_close(uint64_t d, unsigned k, uint64_t before)
{
    uint64_t  low;

    low = (1ULL << 8 * k) - 1;

    return (d & ~(low << 8 | 0xff)) | (d & low) << 8 | before;
}


/*
 * The same for the len bytes in front of last, of which at least 16 more, or
 * the number's own, may be read: without a branch for each digit.
 */

static inline __attribute__((always_inline)) int
gw_schema_number_read(const uint8_t *last, size_t len, unsigned negative,
    unsigned integer, int64_t *units, unsigned *scale)
{
    uint64_t  a, b, point;
    unsigned  k;

    len -= negative;
    *scale = 0;
    a = 0;

    memcpy(&b, last - 8, 8);

    if (len <= 8) {
        k = 64 - 8 * (unsigned) len;
        b = (b ^ 0x3030303030303030ULL) >> k << k;

    } else if (len <= 16) {
        memcpy(&a, last - 16, 8);
        k = 128 - 8 * (unsigned) len;
        a = (a ^ 0x3030303030303030ULL) >> k << k;
        b ^= 0x3030303030303030ULL;

    } else {
        return 0;
    }

    if (!integer) {
        point = gw_schema_number_point(b);

        if (point) {
            k = (unsigned) __builtin_ctzll(point) >> 3;
            b = gw_schema_number_close(b, k, a >> 56);
            a <<= 8;
            *scale = 7 - k;

        } else {
            point = gw_schema_number_point(a);

            if (point) {
                k = (unsigned) __builtin_ctzll(point) >> 3;
                a = gw_schema_number_close(a, k, 0);
                *scale = 15 - k;
            }
        }

        /* an exponent */

        if ((a | b) & 0xf0f0f0f0f0f0f0f0ULL) {
            return 0;
        }
    }

    b = gw_schema_number_eight(b);

    if (len > 8) {
        b += gw_schema_number_eight(a) * 100000000;
    }

    *units = negative ? -(int64_t) b : (int64_t) b;

    return 1;
}


/*
 * The mark of a number without its sign: how many digits stand before the
 * point, then the first eight bytes of its text, so that of two marks the
 * higher one is that of the higher number; 0 where none can be made in a
 * moment.  Of equal marks nothing is known: 2 and 2.0 differ, 2.0000001 and
 * 2.00000012 do not.  '0' to '9' are 0x30 to 0x39, the point is below them.
 *
 * last: the end of the number's len bytes, 8 of which may be read in any case.
 */

#define GW_SCHEMA_MARK_DIGITS  8       /* before the point */

/* of 9 digits before the point and more */
#define GW_SCHEMA_MARK_LONG    ((3ULL + GW_SCHEMA_MARK_DIGITS + 1) << 60)

static inline __attribute__((always_inline)) uint64_t
gw_schema_number_mark(const uint8_t *last, size_t len, unsigned integer)
{
    uint64_t  text, tail, other, digits;

    memcpy(&text, last - 8, 8);
    tail = 0;

    if (len <= 8) {
        text >>= 64 - 8 * len;

    } else {
        tail = text;

        if (len > 16) {
            return 0;
        }

        memcpy(&text, last - len, 8);
    }

    /* a letter: there is an exponent */

    if ((text | tail) & 0x4040404040404040ULL) {
        return 0;
    }

    /* of a digit bit 4 is set, of the point and of what is no text it is not */

    other = ~text & 0x1010101010101010ULL;

    if (other) {
        digits = (uint64_t) (__builtin_ctzll(other) & 0x38) << 57;

    } else if (integer) {
        digits = (uint64_t) (GW_SCHEMA_MARK_DIGITS + (len > 8)) << 60;

    } else {
        return 0;
    }

    return __builtin_bswap64(text) + digits;
}


/*
 * Of a bound, its sign aside.  upper: what has a lower mark is below it; else
 * what has a higher one is above it.  equal: or is as high as the bound.
 */

uint64_t gw_schema_number_bound(const gw_schema_number_t *number,
    unsigned upper, unsigned equal);


#endif /* _GW_SCHEMA_NUMBER_H_INCLUDED_ */
