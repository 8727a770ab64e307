/*
 * gw_trace.c - the traceparent header, eight characters at a time: one is
 * read or made for every message.
 */

#include "gw_trace.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define GW_TRACE_STATE_MAX  512

#define GW_TRACE_EACH(c)    (0x0101010101010101ULL * (c))


static int gw_trace_is_hex(uint8_t c);
static uint64_t gw_trace_load(const uint8_t *p);
static uint64_t gw_trace_not_hex(uint64_t x);
static inline void gw_trace_hex64(uint8_t *dst, uint64_t v);


/*
 * 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 * 0  3                                36               53
 */

int
gw_trace_parse(const uint8_t *p, size_t len, uint8_t *dst)
{
    uint64_t  t0, t1, t2, t3, s0, s1;

    if (len < GW_TRACEPARENT_LEN) {
        return GW_ERROR;
    }

    if (!gw_trace_is_hex(p[0]) || !gw_trace_is_hex(p[1])
        || !gw_trace_is_hex(p[53]) || !gw_trace_is_hex(p[54])
        || p[2] != '-' || p[35] != '-' || p[52] != '-')
    {
        return GW_ERROR;
    }

    t0 = gw_trace_load(p + 3);
    t1 = gw_trace_load(p + 11);
    t2 = gw_trace_load(p + 19);
    t3 = gw_trace_load(p + 27);
    s0 = gw_trace_load(p + 36);
    s1 = gw_trace_load(p + 44);

    if (gw_trace_not_hex(t0) | gw_trace_not_hex(t1) | gw_trace_not_hex(t2)
        | gw_trace_not_hex(t3) | gw_trace_not_hex(s0) | gw_trace_not_hex(s1))
    {
        return GW_ERROR;
    }

    if (((t0 ^ GW_TRACE_EACH('0')) | (t1 ^ GW_TRACE_EACH('0'))
         | (t2 ^ GW_TRACE_EACH('0')) | (t3 ^ GW_TRACE_EACH('0'))) == 0)
    {
        return GW_ERROR;
    }

    if (((s0 ^ GW_TRACE_EACH('0')) | (s1 ^ GW_TRACE_EACH('0'))) == 0) {
        return GW_ERROR;
    }

    if (p[0] == '0' && p[1] == '0') {

        if (len != GW_TRACEPARENT_LEN) {
            return GW_ERROR;
        }

        memcpy(dst, p, GW_TRACEPARENT_LEN);

        return GW_OK;
    }

    if (p[0] == 'f' && p[1] == 'f') {
        return GW_ERROR;
    }

    if (len > GW_TRACEPARENT_LEN && p[GW_TRACEPARENT_LEN] != '-') {
        return GW_ERROR;
    }

    /* of a later version's flags only "sampled" is known to mean the same */

    memcpy(dst, p, GW_TRACEPARENT_LEN);

    dst[0] = '0';
    dst[1] = '0';
    dst[53] = '0';

    /* the low bit of a hex digit: "a" is 0x61 but 10 */

    dst[54] = (p[54] <= '9' ? p[54] & 1 : !(p[54] & 1)) ? '1' : '0';

    return GW_OK;
}


void
gw_trace_make(uint64_t hi, uint64_t lo, uint64_t parent, uint8_t *dst)
{
    if ((hi | lo) == 0) {
        lo = 1;
    }

    if (parent == 0) {
        parent = 1;
    }

    dst[0] = '0';
    dst[1] = '0';
    dst[2] = '-';
    gw_trace_hex64(dst + 3, hi);
    gw_trace_hex64(dst + 19, lo);
    dst[35] = '-';
    gw_trace_hex64(dst + 36, parent);
    dst[52] = '-';
    dst[53] = '0';
    dst[54] = '0';
}


int
gw_trace_state_valid(const uint8_t *p, size_t len)
{
    size_t  i;

    if (len == 0 || len > GW_TRACE_STATE_MAX) {
        return GW_ERROR;
    }

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_trace_is_hex(uint8_t c)
{
    return (unsigned) c - '0' <= 9 || (unsigned) c - 'a' <= 5;
}


static inline uint64_t
gw_trace_load(const uint8_t *p)
{
    uint64_t  x;

    memcpy(&x, p, 8);

    return x;
}


/*
 * Not 0 where one of the eight bytes is none of 0-9 a-f.  Adding 0x80 - n
 * sets a byte's top bit where it is n or more; a byte above 0x7f would carry
 * into its neighbor, but is an error by itself.
 */

static inline uint64_t
gw_trace_not_hex(uint64_t x)
{
    uint64_t  digit, letter;

    digit = (x + GW_TRACE_EACH(0x80 - '0'))
            & ~(x + GW_TRACE_EACH(0x80 - '9' - 1));

    letter = (x + GW_TRACE_EACH(0x80 - 'a'))
             & ~(x + GW_TRACE_EACH(0x80 - 'f' - 1));

    return (x | ~(digit | letter)) & GW_TRACE_EACH(0x80);
}


#if defined(__SSE2__)

static inline void
gw_trace_hex64(uint8_t *dst, uint64_t v)
{
    __m128i  x, hi, lo, letter;

    x = _mm_cvtsi64_si128((int64_t) __builtin_bswap64(v));

    /* the nibbles of each byte side by side */

    hi = _mm_and_si128(_mm_srli_epi16(x, 4), _mm_set1_epi8(0x0f));
    lo = _mm_and_si128(x, _mm_set1_epi8(0x0f));
    x = _mm_unpacklo_epi8(hi, lo);

    letter = _mm_cmpgt_epi8(x, _mm_set1_epi8(9));
    x = _mm_add_epi8(x, _mm_set1_epi8('0'));
    x = _mm_add_epi8(x, _mm_and_si128(letter, _mm_set1_epi8('a' - '9' - 1)));

    _mm_storeu_si128((__m128i *) (void *) dst, x);
}

#else

static inline void
gw_trace_hex64(uint8_t *dst, uint64_t v)
{
    unsigned  i, nibble;

    for (i = 16; i-- > 0; v >>= 4) {
        nibble = (unsigned) (v & 0x0f);
        dst[i] = (uint8_t) (nibble + (nibble > 9 ? 'a' - 10 : '0'));
    }
}

#endif
