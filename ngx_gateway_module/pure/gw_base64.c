/*
 * gw_base64.c - see gw_base64.h.
 *
 * Both alphabets are read through one table each, eight characters a step.  A
 * wrong character is noted and found out at the end: texts are short, and a
 * branch for every character would cost more than what it saves.
 */

#include <endian.h>

#include "gw_base64.h"


#define GW_BASE64_NO   0xff    /* no character of the alphabet */
#define GW_BASE64_BAD  0xc0    /* no value has one of these bits */

#define GW_BASE64_NO4   GW_BASE64_NO, GW_BASE64_NO, GW_BASE64_NO, GW_BASE64_NO
#define GW_BASE64_NO16  GW_BASE64_NO4, GW_BASE64_NO4, GW_BASE64_NO4,          \
                        GW_BASE64_NO4

/* the alphabets differ in the values of four characters: + - / _ */

#define GW_BASE64_TABLE(plus, minus, slash, underscore)                       \
    {                                                                         \
        GW_BASE64_NO16,                                                       \
        GW_BASE64_NO16,                                                       \
        GW_BASE64_NO4, GW_BASE64_NO4,                                         \
        GW_BASE64_NO, GW_BASE64_NO, GW_BASE64_NO, plus,                       \
        GW_BASE64_NO, minus, GW_BASE64_NO, slash,                             \
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, GW_BASE64_NO, GW_BASE64_NO,   \
        GW_BASE64_NO4,                                                        \
        GW_BASE64_NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,       \
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, GW_BASE64_NO,             \
        GW_BASE64_NO, GW_BASE64_NO, GW_BASE64_NO, underscore,                 \
        GW_BASE64_NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, \
        40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, GW_BASE64_NO,         \
        GW_BASE64_NO4,                                                        \
        GW_BASE64_NO16, GW_BASE64_NO16, GW_BASE64_NO16, GW_BASE64_NO16,       \
        GW_BASE64_NO16, GW_BASE64_NO16, GW_BASE64_NO16, GW_BASE64_NO16        \
    }


static inline uint64_t gw_base64_four(const uint8_t *table, const uint8_t *p,
    uint8_t *seen);
static int gw_base64_read(const uint8_t *table, const uint8_t *p, size_t len,
    uint8_t *dst, size_t *n);


static const uint8_t  gw_base64_standard[256] =
    GW_BASE64_TABLE(62, GW_BASE64_NO, 63, GW_BASE64_NO);

static const uint8_t  gw_base64_url[256] =
    GW_BASE64_TABLE(GW_BASE64_NO, 62, GW_BASE64_NO, 63);

static const uint8_t  gw_base64_url_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


int
gw_base64url_decode(const uint8_t *p, size_t len, uint8_t *dst, size_t *n)
{
    return gw_base64_read(gw_base64_url, p, len, dst, n);
}


int
gw_base64_decode(const uint8_t *p, size_t len, uint8_t *dst, size_t *n)
{
    if (len % 4) {
        return GW_ERROR;
    }

    /* any other "=" is no character of the alphabet */

    if (len && p[len - 1] == '=') {
        len -= p[len - 2] == '=' ? 2 : 1;
    }

    return gw_base64_read(gw_base64_standard, p, len, dst, n);
}


size_t
gw_base64url_encode(const uint8_t *p, size_t len, uint8_t *dst)
{
    size_t    i;
    uint8_t  *start;
    uint32_t  v;

    start = dst;

    for (i = 0; len - i >= 3; i += 3) {
        v = (uint32_t) p[i] << 16 | (uint32_t) p[i + 1] << 8 | p[i + 2];

        *dst++ = gw_base64_url_chars[v >> 18];
        *dst++ = gw_base64_url_chars[v >> 12 & 0x3f];
        *dst++ = gw_base64_url_chars[v >> 6 & 0x3f];
        *dst++ = gw_base64_url_chars[v & 0x3f];
    }

    if (len - i) {
        v = (uint32_t) p[i] << 16;

        if (len - i == 2) {
            v |= (uint32_t) p[i + 1] << 8;
        }

        *dst++ = gw_base64_url_chars[v >> 18];
        *dst++ = gw_base64_url_chars[v >> 12 & 0x3f];

        if (len - i == 2) {
            *dst++ = gw_base64_url_chars[v >> 6 & 0x3f];
        }
    }

    return (size_t) (dst - start);
}


/* 24 bits; more where a character is wrong, as *seen then shows */

static inline uint64_t
gw_base64_four(const uint8_t *table, const uint8_t *p, uint8_t *seen)
{
    uint8_t  a, b, c, d;

    a = table[p[0]];
    b = table[p[1]];
    c = table[p[2]];
    d = table[p[3]];

    *seen |= a | b | c | d;

    return (uint64_t) a << 18 | (uint64_t) b << 12 | (uint64_t) c << 6 | d;
}


static int
gw_base64_read(const uint8_t *table, const uint8_t *p, size_t len,
    uint8_t *dst, size_t *n)
{
    size_t    i, at;
    uint8_t   seen;
    unsigned  bits;
    uint64_t  v;

    seen = 0;
    at = 0;

    for (i = 0; len - i >= 8; i += 8) {
        v = gw_base64_four(table, p + i, &seen) << 24
            | gw_base64_four(table, p + i + 4, &seen);

        /* there is room for the two bytes too many; the next cover them */

        v = htobe64(v << 16);
        memcpy(dst + at, &v, 8);

        at += 6;
    }

    v = 0;
    bits = 0;

    for ( /* void */ ; i < len; i++) {
        seen |= table[p[i]];
        v = v << 6 | table[p[i]];
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            dst[at++] = (uint8_t) (v >> bits);
        }
    }

    /* six bits left: a character that is no part of a byte */

    if (bits == 6 || v & (((uint64_t) 1 << bits) - 1)
        || seen & GW_BASE64_BAD)
    {
        return GW_ERROR;
    }

    *n = at;

    return GW_OK;
}
