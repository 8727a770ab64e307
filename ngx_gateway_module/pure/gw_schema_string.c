/*
 * gw_schema_string.c - see gw_schema_string.h.
 */

#include "gw_schema_string.h"


#define GW_SCHEMA_FNV        0xcbf29ce484222325ULL
#define GW_SCHEMA_FNV_PRIME  0x100000001b3ULL


static uint32_t
gw_schema_hex(const uint8_t *p)
{
    unsigned  i, c;
    uint32_t  v;

    v = 0;

    for (i = 0; i < 4; i++) {
        c = p[i] | 0x20;
        v = v << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }

    return v;
}


static uint32_t
gw_schema_escape(gw_schema_string_t *s)
{
    uint32_t        c;
    const uint8_t  *p;

    p = s->data;

    if (p[1] != 'u') {
        s->data += 2;
        s->len -= 2;

        switch (p[1]) {
        case 'b':  return '\b';
        case 'f':  return '\f';
        case 'n':  return '\n';
        case 'r':  return '\r';
        case 't':  return '\t';
        default:   return p[1];
        }
    }

    c = gw_schema_hex(p + 2);
    s->data += 6;
    s->len -= 6;

    /* the scanner lets no half of a pair pass */

    if (c >= 0xd800 && c <= 0xdfff) {
        c = 0x10000 + ((c - 0xd800) << 10) + gw_schema_hex(p + 8) - 0xdc00;
        s->data += 6;
        s->len -= 6;
    }

    return c;
}


uint32_t
gw_schema_char(gw_schema_string_t *s)
{
    unsigned        i, n;
    uint32_t        c;
    const uint8_t  *p;

    p = s->data;
    c = p[0];

    if (c == '\\' && s->escaped) {
        return gw_schema_escape(s);
    }

    n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (n > 1) {
        c &= 0xff >> (n + 1);

        for (i = 1; i < n; i++) {
            c = c << 6 | (p[i] & 0x3f);
        }
    }

    s->data += n;
    s->len -= n;

    return c;
}


size_t
gw_schema_utf8(uint32_t c, uint8_t *dst)
{
    if (c < 0x80) {
        dst[0] = (uint8_t) c;
        return 1;
    }

    if (c < 0x800) {
        dst[0] = (uint8_t) (0xc0 | c >> 6);
        dst[1] = (uint8_t) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        dst[0] = (uint8_t) (0xe0 | c >> 12);
        dst[1] = (uint8_t) (0x80 | (c >> 6 & 0x3f));
        dst[2] = (uint8_t) (0x80 | (c & 0x3f));
        return 3;
    }

    dst[0] = (uint8_t) (0xf0 | c >> 18);
    dst[1] = (uint8_t) (0x80 | (c >> 12 & 0x3f));
    dst[2] = (uint8_t) (0x80 | (c >> 6 & 0x3f));
    dst[3] = (uint8_t) (0x80 | (c & 0x3f));

    return 4;
}


size_t
gw_schema_string_length(gw_schema_string_t s)
{
    size_t    i, n;
    uint64_t  word;

    n = 0;

    if (s.escaped) {
        while (s.len) {
            (void) gw_schema_char(&s);
            n++;
        }

        return n;
    }

    /* 10xxxxxx continues a character: bit 7 is set and bit 6 is not */

    for (i = 0; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.data + i, 8);
        word = word >> 7 & ~word >> 6 & 0x0101010101010101ULL;
        n += word * 0x0101010101010101ULL >> 56;
    }

    for ( /* void */ ; i < s.len; i++) {
        n += (s.data[i] & 0xc0) == 0x80;
    }

    return s.len - n;
}


int
gw_schema_string_equal(gw_schema_string_t a, gw_schema_string_t b)
{
    if (!a.escaped && !b.escaped) {
        return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
    }

    while (a.len && b.len) {
        if (gw_schema_char(&a) != gw_schema_char(&b)) {
            return 0;
        }
    }

    return a.len == b.len;
}


uint64_t
gw_schema_string_hash(gw_schema_string_t s)
{
    size_t    i, n;
    uint8_t   utf8[4];
    uint64_t  h;

    h = GW_SCHEMA_FNV;

    if (!s.escaped) {
        for (i = 0; i < s.len; i++) {
            h = (h ^ s.data[i]) * GW_SCHEMA_FNV_PRIME;
        }

        return h;
    }

    while (s.len) {
        n = gw_schema_utf8(gw_schema_char(&s), utf8);

        for (i = 0; i < n; i++) {
            h = (h ^ utf8[i]) * GW_SCHEMA_FNV_PRIME;
        }
    }

    return h;
}


int
gw_schema_string_copy(gw_schema_string_t s, uint8_t *dst, size_t max,
    size_t *len)
{
    size_t   at, i, n;
    uint8_t  utf8[4];

    at = 0;

    while (s.len) {
        n = gw_schema_utf8(gw_schema_char(&s), utf8);

        if (n > max - at) {
            return GW_BUSY;
        }

        for (i = 0; i < n; i++) {
            dst[at++] = utf8[i];
        }
    }

    *len = at;

    return GW_OK;
}
