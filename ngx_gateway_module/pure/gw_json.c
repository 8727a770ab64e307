#include "gw_json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define GW_JSON_STEP        16    /* bytes looked at in one go */
#define GW_JSON_BEYOND      0xffff0000u   /* bits that stand for no byte */
#define GW_JSON_FEW_KEYS    32    /* compared one by one up to here */
#define GW_JSON_MIN_SLOTS   64


/*
 * inline: in the one hot function, for registers; apart: rare or a loop of its
 * own, kept out of it for the same reason
 */

#if defined(__GNUC__)
#define gw_json_inline      static inline __attribute__((always_inline))
#define gw_json_apart        static __attribute__((noinline))
#define gw_json_likely(e)   __builtin_expect(!!(e), 1)
#else
#define gw_json_inline      static inline
#define gw_json_apart        static
#define gw_json_likely(e)   (e)
#endif


/* an open container's parent while the container is being read */

typedef struct {
    uint64_t         filter;   /* of the parent's keys */
    gw_json_node_t  *node;     /* the parent */
    uint32_t         count;    /* its members or elements so far */
    uint32_t         close;    /* its closing bracket */
} gw_json_frame_t;


typedef struct {
    const uint8_t  *p;         /* behind the white space */
    const uint8_t  *nl;        /* the last line end seen */
} gw_json_gap_t;


typedef struct {
    uint64_t        v0;
    uint64_t        v1;
    uint64_t        v2;
    uint64_t        v3;
    uint64_t        word;      /* bytes not yet mixed in */
    unsigned        shift;     /* bits of word in use */
} gw_json_hash_t;


/* of gw_json_items_t */

typedef enum {
    GW_JSON_ITEMS_START = 0,
    GW_JSON_ITEMS_NEXT,        /* behind an element */
    GW_JSON_ITEMS_DONE,
    GW_JSON_ITEMS_FAILED
} gw_json_items_state_e;


static const char  *const gw_json_errors[GW_JSON_E_N] = {
    "no error",
    "no JSON value",
    "unexpected byte in JSON",
    "JSON ends inside a value",
    "bytes behind the JSON value",
    "raw control byte in JSON",
    "invalid UTF-8 in a JSON string",
    "invalid escape or lone surrogate in a JSON string",
    "invalid JSON number",
    "duplicate key in a JSON object",
    "JSON document has too many bytes",
    "JSON document has too many values",
    "JSON document is nested too deeply",
    "JSON object has too many members",
    "JSON string is too long",
    "JSON number is too long"
};


gw_json_inline size_t
gw_json_ctz(uint32_t m)
{
#if defined(__GNUC__)
    return (size_t) __builtin_ctz(m);
#else
    size_t  n;

    for (n = 0; !(m & 1); n++) {
        m >>= 1;
    }

    return n;
#endif
}


/*
 * Each of the three looks at GW_JSON_STEP bytes and sets bit i for byte i:
 * a byte that ends the plain run of a string (quote, backslash, control,
 * non-ASCII); a byte that is no digit; a byte that is no space.  The bits
 * above are set, as if the next byte ended the run: there is always one.
 */

#if defined(__SSE2__)

gw_json_inline uint32_t
gw_json_special(const uint8_t *p)
{
    __m128i  x, high, bs;

    x = _mm_loadu_si128((const __m128i *) (const void *) p);

    /*
     * With bit 1 flipped the quote is 0x20 and every control byte stays
     * below it, while space and '!' go above: one signed compare parts the
     * plain bytes from the quote, control bytes and, being negative, all
     * that is not ASCII.
     */
    high = _mm_cmpgt_epi8(_mm_xor_si128(x, _mm_set1_epi8(0x02)),
                          _mm_set1_epi8(0x20));
    bs = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));

    return ~(uint32_t) _mm_movemask_epi8(_mm_andnot_si128(bs, high));
}


gw_json_inline uint32_t
gw_json_nondigit(const uint8_t *p)
{
    __m128i  x;

    x = _mm_loadu_si128((const __m128i *) (const void *) p);

    /* '0'..'9' become 118..127, all else is less in signed bytes */
    x = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(127 - '9')),
                       _mm_set1_epi8(117));

    return ~(uint32_t) _mm_movemask_epi8(x);
}


gw_json_inline uint32_t
gw_json_nonspace(const uint8_t *p)
{
    __m128i  x;

    x = _mm_loadu_si128((const __m128i *) (const void *) p);
    x = _mm_cmpeq_epi8(x, _mm_set1_epi8(' '));

    return ~(uint32_t) _mm_movemask_epi8(x);
}

#else

gw_json_inline uint32_t
gw_json_special(const uint8_t *p)
{
    uint32_t  m;
    unsigned  i;

    m = GW_JSON_BEYOND;

    for (i = 0; i < GW_JSON_STEP; i++) {
        m |= (uint32_t) (p[i] < 0x20 || p[i] >= 0x80 || p[i] == '"'
                         || p[i] == '\\') << i;
    }

    return m;
}


gw_json_inline uint32_t
gw_json_nondigit(const uint8_t *p)
{
    uint32_t  m;
    unsigned  i;

    m = GW_JSON_BEYOND;

    for (i = 0; i < GW_JSON_STEP; i++) {
        m |= (uint32_t) ((uint8_t) (p[i] - '0') > 9) << i;
    }

    return m;
}


gw_json_inline uint32_t
gw_json_nonspace(const uint8_t *p)
{
    uint32_t  m;
    unsigned  i;

    m = GW_JSON_BEYOND;

    for (i = 0; i < GW_JSON_STEP; i++) {
        m |= (uint32_t) (p[i] != ' ') << i;
    }

    return m;
}

#endif


gw_json_inline int
gw_json_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}


gw_json_apart const uint8_t *
gw_json_fail(gw_json_t *j, gw_json_error_e error, size_t off)
{
    j->error = error;
    j->error_off = off;
    j->n = 0;

    return NULL;
}


/* the byte at p may not stand there; a control byte is named as such */

gw_json_apart const uint8_t *
gw_json_unexpected(gw_json_t *j, gw_json_error_e error, const uint8_t *base,
    const uint8_t *p)
{
    if (*p < 0x20 && !gw_json_is_space(*p)) {
        error = GW_JSON_E_CONTROL;
    }

    return gw_json_fail(j, error, (size_t) (p - base));
}


/*
 * White space from p on.  step_end: from here on no step and a byte behind it
 * fit in; nl: what to give back where no line end is met.
 */

gw_json_apart gw_json_gap_t
gw_json_space(const uint8_t *p, const uint8_t *last, const uint8_t *step_end,
    const uint8_t *nl)
{
    uint32_t       m;
    gw_json_gap_t  gap;

    while (p < last) {

        if (*p == '\n' || *p == '\r') {
            nl = p++;

            /* indentation */

            while (p < step_end) {
                m = gw_json_nonspace(p);
                p += gw_json_ctz(m);

                if (m != GW_JSON_BEYOND) {
                    break;
                }
            }

            if (p < step_end && *p > ' ') {
                break;
            }

            continue;
        }

        if (*p != ' ' && *p != '\t') {
            break;
        }

        p++;
    }

    gap.p = p;
    gap.nl = nl;

    return gap;
}


/*
 * RFC 3629 section 4, the sequence at p whose first byte is above 0x7f.
 * Its length; 0: ill-formed; -1: well-formed so far, but the input ends.
 */

static int
gw_json_utf8(const uint8_t *p, const uint8_t *last)
{
    int      i, n;
    uint8_t  c, min, max;

    c = *p;
    min = 0x80;
    max = 0xbf;

    if (c < 0xc2) {
        return 0;
    }

    if (c < 0xe0) {
        n = 2;

    } else if (c < 0xf0) {
        n = 3;

        if (c == 0xe0) {
            min = 0xa0;

        } else if (c == 0xed) {
            max = 0x9f;
        }

    } else if (c < 0xf5) {
        n = 4;

        if (c == 0xf0) {
            min = 0x90;

        } else if (c == 0xf4) {
            max = 0x8f;
        }

    } else {
        return 0;
    }

    for (i = 1; i < n; i++) {

        if (p + i == last) {
            return -1;
        }

        if (p[i] < min || p[i] > max) {
            return 0;
        }

        min = 0x80;
        max = 0xbf;
    }

    return n;
}


static int
gw_json_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


/* the four digits at p: the code unit; -1: not hex; -2: the input ends */

static int
gw_json_hex4(const uint8_t *p, const uint8_t *last)
{
    int  i, h, u;

    u = 0;

    for (i = 0; i < 4; i++) {

        if (p + i >= last) {
            return -2;
        }

        h = gw_json_hex(p[i]);
        if (h < 0) {
            return -1;
        }

        u = u << 4 | h;
    }

    return u;
}


/*
 * The escape whose backslash is at p (RFC 8259 section 7).  Its length; 0:
 * none, or half a surrogate pair; -1: fine so far, but the input ends.
 */

static int
gw_json_escape(const uint8_t *p, const uint8_t *last)
{
    int  u;

    if (last - p < 2) {
        return -1;
    }

    switch (p[1]) {

    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;

    case 'u':
        break;

    default:
        return 0;
    }

    u = gw_json_hex4(p + 2, last);
    if (u < 0) {
        return u + 1;
    }

    if (u < 0xd800 || u > 0xdfff) {
        return 6;
    }

    if (u > 0xdbff) {
        return 0;
    }

    if (p + 6 == last) {
        return -1;
    }

    if (p[6] != '\\') {
        return 0;
    }

    if (p + 7 == last) {
        return -1;
    }

    if (p[7] != 'u') {
        return 0;
    }

    u = gw_json_hex4(p + 8, last);
    if (u < 0) {
        return u + 1;
    }

    return (u >= 0xdc00 && u <= 0xdfff) ? 12 : 0;
}


/*
 * Any string; start is behind its opening quote.  Returns the closing one.
 * Where it is too long as well as faulty, what comes first counts.
 */

gw_json_apart const uint8_t *
gw_json_string_rest(gw_json_t *j, const uint8_t *base, const uint8_t *start,
    const uint8_t *last, unsigned *flags)
{
    int               n;
    uint32_t          m;
    const uint8_t    *p;
    gw_json_error_e   error;

    p = start;
    error = GW_JSON_E_NONE;

    for ( ;; ) {

        while (last - p >= GW_JSON_STEP) {
            m = gw_json_special(p);
            p += gw_json_ctz(m);

            if (m != GW_JSON_BEYOND) {
                goto found;
            }
        }

        if (last - base >= GW_JSON_STEP) {

            /* the last bytes of the input, those before p shifted out */

            m = gw_json_special(last - GW_JSON_STEP)
                >> (GW_JSON_STEP - (last - p));
            p += gw_json_ctz(m);

        } else {

            while (p < last && *p >= 0x20 && *p < 0x80 && *p != '"'
                   && *p != '\\')
            {
                p++;
            }
        }

        if (p == last) {
            error = GW_JSON_E_TRUNCATED;
            goto failed;
        }

    found:

        if (*p == '"') {

            if ((size_t) (p - start) > j->limits.max_string) {
                goto failed;
            }

            return p;
        }

        if (*p == '\\') {
            *flags |= GW_JSON_F_ESCAPED;
            n = gw_json_escape(p, last);
            error = GW_JSON_E_ESCAPE;

        } else if (*p < 0x80) {
            error = GW_JSON_E_CONTROL;
            goto failed;

        } else {

            do {
                n = gw_json_utf8(p, last);
                if (n <= 0) {
                    break;
                }

                p += n;

            } while (p < last && *p >= 0x80);

            if (n > 0) {
                continue;
            }

            error = GW_JSON_E_UTF8;
        }

        if (n == 0) {
            goto failed;
        }

        if (n < 0) {
            p = last;
            error = GW_JSON_E_TRUNCATED;
            goto failed;
        }

        p += n;
    }

failed:

    if ((size_t) (p - start) > j->limits.max_string) {
        error = GW_JSON_E_STRING;
        p = start - 1;
    }

    return gw_json_fail(j, error, (size_t) (p - base));
}


/*
 * Any number, byte by byte; start is at a byte of "-./0123456789".  Returns
 * the byte behind it.
 */

gw_json_apart const uint8_t *
gw_json_number_rest(gw_json_t *j, const uint8_t *base, const uint8_t *start,
    const uint8_t *last, unsigned *flags)
{
    const uint8_t    *p, *digits;
    gw_json_error_e   error;

    p = start;
    *flags = GW_JSON_F_INT;

    if (*p == '-') {
        *flags |= GW_JSON_F_NEG;
        p++;

    } else if (*p < '0') {
        return gw_json_fail(j, GW_JSON_E_SYNTAX, (size_t) (p - base));
    }

    digits = p;

    while (p < last && (uint8_t) (*p - '0') <= 9) {
        p++;

        if (*digits == '0') {

            if (p < last && (uint8_t) (*p - '0') <= 9) {
                goto failed;
            }

            break;
        }
    }

    if (p == digits) {
        goto failed;
    }

    if (p < last && *p == '.') {
        *flags &= ~GW_JSON_F_INT;
        digits = ++p;

        while (p < last && (uint8_t) (*p - '0') <= 9) {
            p++;
        }

        if (p == digits) {
            goto failed;
        }
    }

    if (p < last && (*p | 0x20) == 'e') {
        *flags &= ~GW_JSON_F_INT;
        p++;

        if (p < last && (*p == '+' || *p == '-')) {
            p++;
        }

        digits = p;

        while (p < last && (uint8_t) (*p - '0') <= 9) {
            p++;
        }

        if (p == digits) {
            goto failed;
        }
    }

    if ((size_t) (p - start) <= j->limits.max_number) {
        return p;
    }

failed:

    error = (p == last) ? GW_JSON_E_TRUNCATED : GW_JSON_E_NUMBER;

    if ((size_t) (p - start) > j->limits.max_number) {
        return gw_json_fail(j, GW_JSON_E_LONG_NUMBER, (size_t) (start - base));
    }

    if (p < last) {
        return gw_json_unexpected(j, error, base, p);
    }

    return gw_json_fail(j, error, (size_t) (p - base));
}


/*
 * Of a mask function f, where no more than a step is left: the last
 * bytes are read together with those before p, which are shifted out.  0: no
 * byte is marked, or the input is too short for that, or limits are so low
 * that each length must be looked at; all this is done byte by byte.
 */

#define gw_json_tail(f, p, base, last, step_end)                              \
    ((step_end) == (base)                                                     \
     ? 0                                                                      \
     : (f((last) - GW_JSON_STEP) & ~GW_JSON_BEYOND)                           \
       >> (GW_JSON_STEP - ((last) - (p))))


/* returns the byte behind the literal at p */

gw_json_apart const uint8_t *
gw_json_literal_fail(gw_json_t *j, const uint8_t *base, const uint8_t *p,
    const uint8_t *last, const char *word)
{
    while (p < last) {

        if (*p != (uint8_t) *word) {
            return gw_json_unexpected(j, GW_JSON_E_SYNTAX, base, p);
        }

        p++;
        word++;
    }

    return gw_json_fail(j, GW_JSON_E_TRUNCATED, (size_t) (p - base));
}


/*
 * The character at *p of a string that passed the scanner, escape resolved,
 * as bytes of UTF-8; a byte that is not escaped is passed on alone.
 */

static unsigned
gw_json_char(const uint8_t **p, uint8_t *dst)
{
    int             low;
    uint32_t        u;
    const uint8_t  *s;

    s = *p;

    if (*s != '\\') {
        *dst = *s;
        *p = s + 1;
        return 1;
    }

    *p = s + 2;

    switch (s[1]) {

    case 'b':
        *dst = '\b';
        return 1;

    case 'f':
        *dst = '\f';
        return 1;

    case 'n':
        *dst = '\n';
        return 1;

    case 'r':
        *dst = '\r';
        return 1;

    case 't':
        *dst = '\t';
        return 1;

    case 'u':
        break;

    default:
        *dst = s[1];
        return 1;
    }

    u = (uint32_t) gw_json_hex4(s + 2, s + 6);
    *p = s + 6;

    if (u < 0x80) {
        dst[0] = (uint8_t) u;
        return 1;
    }

    if (u < 0x800) {
        dst[0] = (uint8_t) (0xc0 | u >> 6);
        dst[1] = (uint8_t) (0x80 | (u & 0x3f));
        return 2;
    }

    if (u < 0xd800 || u > 0xdfff) {
        dst[0] = (uint8_t) (0xe0 | u >> 12);
        dst[1] = (uint8_t) (0x80 | (u >> 6 & 0x3f));
        dst[2] = (uint8_t) (0x80 | (u & 0x3f));
        return 3;
    }

    low = gw_json_hex4(s + 8, s + 12);
    *p = s + 12;

    u = 0x10000 + ((u - 0xd800) << 10) + ((uint32_t) low - 0xdc00);

    dst[0] = (uint8_t) (0xf0 | u >> 18);
    dst[1] = (uint8_t) (0x80 | (u >> 12 & 0x3f));
    dst[2] = (uint8_t) (0x80 | (u >> 6 & 0x3f));
    dst[3] = (uint8_t) (0x80 | (u & 0x3f));

    return 4;
}


static int
gw_json_key_equal(const uint8_t *base, const gw_json_node_t *a,
    const gw_json_node_t *b)
{
    uint8_t         abuf[4], bbuf[4];
    unsigned        an, bn, ai, bi;
    const uint8_t  *ap, *bp, *alast, *blast;

    ap = base + a->off;
    bp = base + b->off;

    if (!((a->flags | b->flags) & GW_JSON_F_ESCAPED)) {
        return a->len == b->len && memcmp(ap, bp, a->len) == 0;
    }

    alast = ap + a->len;
    blast = bp + b->len;
    an = ai = bn = bi = 0;

    for ( ;; ) {

        if (ai == an) {

            if (ap == alast) {
                return bi == bn && bp == blast;
            }

            an = gw_json_char(&ap, abuf);
            ai = 0;
        }

        if (bi == bn) {

            if (bp == blast) {
                return 0;
            }

            bn = gw_json_char(&bp, bbuf);
            bi = 0;
        }

        if (abuf[ai++] != bbuf[bi++]) {
            return 0;
        }
    }
}


/*
 * SipHash-1-3 over the unescaped bytes.  A keyed PRF and not something
 * cheaper: whoever can aim keys at one slot makes the check quadratic.
 */

static uint64_t
gw_json_rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}


static void
gw_json_hash_round(gw_json_hash_t *h)
{
    h->v0 += h->v1;
    h->v2 += h->v3;
    h->v1 = gw_json_rotl(h->v1, 13) ^ h->v0;
    h->v3 = gw_json_rotl(h->v3, 16) ^ h->v2;
    h->v0 = gw_json_rotl(h->v0, 32);
    h->v2 += h->v1;
    h->v0 += h->v3;
    h->v1 = gw_json_rotl(h->v1, 17) ^ h->v2;
    h->v3 = gw_json_rotl(h->v3, 21) ^ h->v0;
    h->v2 = gw_json_rotl(h->v2, 32);
}


static void
gw_json_hash_word(gw_json_hash_t *h, uint64_t word)
{
    h->v3 ^= word;
    gw_json_hash_round(h);
    h->v0 ^= word;
}


static void
gw_json_hash_byte(gw_json_hash_t *h, uint8_t c)
{
    h->word |= (uint64_t) c << h->shift;
    h->shift += 8;

    if (h->shift == 64) {
        gw_json_hash_word(h, h->word);
        h->word = 0;
        h->shift = 0;
    }
}


static uint64_t
gw_json_hash(uint64_t seed, const uint8_t *base, const gw_json_node_t *key)
{
    uint8_t          buf[4];
    unsigned         i, n;
    uint64_t         len;
    const uint8_t   *p, *last;
    gw_json_hash_t   h;

    h.v0 = seed ^ 0x736f6d6570736575ULL;
    h.v1 = ~seed ^ 0x646f72616e646f6dULL;
    h.v2 = seed ^ 0x6c7967656e657261ULL;
    h.v3 = ~seed ^ 0x7465646279746573ULL;
    h.word = 0;
    h.shift = 0;

    len = 0;
    p = base + key->off;
    last = p + key->len;

    while (p < last) {
        n = gw_json_char(&p, buf);
        len += n;

        for (i = 0; i < n; i++) {
            gw_json_hash_byte(&h, buf[i]);
        }
    }

    gw_json_hash_word(&h, h.word | len << 56);

    h.v2 ^= 0xff;
    gw_json_hash_round(&h);
    gw_json_hash_round(&h);
    gw_json_hash_round(&h);

    return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}


/*
 * Whether key, the newest of object, stands among the count before it.  Not
 * asked where there are many or one is escaped: gw_json_duplicate() is.
 */

gw_json_apart int
gw_json_repeated(const uint8_t *base, const gw_json_node_t *tape,
    const gw_json_node_t *object, const gw_json_node_t *key, uint32_t count)
{
    const gw_json_node_t  *k;

    if (count >= GW_JSON_FEW_KEYS || (object->flags & GW_JSON_F_ESCAPED)) {
        return 0;
    }

    k = object + 1;

    while (k != key) {

        if (k->len == key->len
            && memcmp(base + k->off, base + key->off, key->len) == 0)
        {
            return 1;
        }

        k = tape + k[1].next;
    }

    return 0;
}


/*
 * The same for all keys of a closed object, in linear time.  Returns the
 * second of two equal keys, the first such in document order, or NULL.
 */

gw_json_apart const gw_json_node_t *
gw_json_duplicate(gw_json_t *j, const uint8_t *base,
    const gw_json_node_t *object, uint32_t count)
{
    uint32_t               i, n, mask;
    const gw_json_node_t  *key;

    n = GW_JSON_MIN_SLOTS;

    while (n < 2 * count) {
        n *= 2;
    }

    mask = n - 1;
    memset(j->slots, 0, n * sizeof(uint32_t));

    key = object + 1;

    while (count--) {
        i = (uint32_t) gw_json_hash(j->seed, base, key) & mask;

        /* tape[0] is never a key: 0 is a free slot */

        while (j->slots[i]) {

            if (gw_json_key_equal(base, j->tape + j->slots[i], key)) {
                return key;
            }

            i = (i + 1) & mask;
        }

        j->slots[i] = (uint32_t) (key - j->tape);
        key = j->tape + key[1].next;
    }

    return NULL;
}


gw_json_inline void
gw_json_put(gw_json_node_t *node, uint32_t off, uint32_t len, uint32_t next)
{
    node->off = off;
    node->len = len;
    node->next = next;
}


/* constants, so that one store does it; what is rare is added behind it */

gw_json_inline void
gw_json_mark(gw_json_node_t *node, uint8_t type, uint8_t flags)
{
    node->count = 0;
    node->type = type;
    node->flags = flags;
}


/*
 * Which bit of the filter stands for the key from p to its closing quote q;
 * the same for equal bytes.  The key is not empty: so p[0], p[1] and q[-2],
 * q[-1] belong to it or are its quotes.
 */

gw_json_inline uint64_t
gw_json_filter_bit(const uint8_t *p, const uint8_t *q)
{
    uint16_t  a, b;

    memcpy(&a, p, 2);
    memcpy(&b, q - 2, 2);

    return (uint64_t) 1 << ((((uint32_t) a * 8 + b) * 0x9e3779b1u) >> 26);
}


/*
 * One value whose first byte is at p.  Returns the byte behind it, or NULL
 * with j->error set.
 *
 * checked is a constant, so this is compiled twice.  Where it is 0 the caller
 * promises that p is at a bracket and that last[-1] is a closing one.  Then
 * the byte behind whatever was just consumed inside the root is there to be
 * read, unless that was a bracket: such a byte is always before last[-1].
 */

gw_json_inline const uint8_t *
gw_json_scan(gw_json_t *j, const uint8_t *base, const uint8_t *p,
    const uint8_t *last, const int checked)
{
    uint8_t           c;
    uint32_t          len, n, count, close;
    size_t            i, k;
    uint32_t          m;
    uint64_t          bit, filter;
    unsigned          rest;
    const uint8_t    *q, *nl, *step_end;
    gw_json_gap_t     gap;
    gw_json_node_t   *tape, *node, *tape_last, *cur;
    gw_json_error_e   error;
    gw_json_frame_t  *frame, *frame_first, *frame_end;

    tape = j->tape;
    tape_last = tape + j->limits.max_nodes - 1;
    node = tape;
    n = 0;
    cur = tape;
    count = 0;
    filter = 0;
    close = 0;

    frame_first = (gw_json_frame_t *) (void *) j->stack;
    frame_end = (gw_json_frame_t *) (void *) j->slots;
    frame = frame_first;

    /* a line end lies inside a container when it is behind its start */
    nl = base;

    step_end = base;

    /* what is found in one step needs no look at the limits */

    if (last - base > GW_JSON_STEP
        && j->limits.max_string >= GW_JSON_STEP
        && j->limits.max_number > GW_JSON_STEP)
    {
        step_end = last - GW_JSON_STEP;
    }

value:

    if (checked && p == last) {
        goto truncated;
    }

    c = *p;

    if (c == '"') {
        p++;
        gw_json_mark(node, GW_JSON_STRING, 0);

        if (gw_json_likely(p < step_end)) {
            m = gw_json_special(p);

        } else {
            m = gw_json_tail(gw_json_special, p, base, last, step_end);

            if (m == 0) {
                goto string;
            }
        }

        i = gw_json_ctz(m);

        if (gw_json_likely(p[i] == '"')) {
            gw_json_put(node, (uint32_t) (p - base), (uint32_t) i, ++n);
            p += i + 1;

        } else {

        string:

            rest = 0;

            q = gw_json_string_rest(j, base, p, last, &rest);
            if (q == NULL) {
                return NULL;
            }

            gw_json_put(node, (uint32_t) (p - base), (uint32_t) (q - p), ++n);
            node->flags = (uint8_t) rest;
            p = q + 1;
        }

        node++;
        goto next;
    }

    if ((uint8_t) (c - '-') <= '9' - '-') {
        q = p;
        gw_json_mark(node, GW_JSON_NUMBER, GW_JSON_F_INT);

        if (c == '-') {
            node->flags = GW_JSON_F_INT|GW_JSON_F_NEG;
            q++;
        }

        if (gw_json_likely(q < step_end)) {
            m = gw_json_nondigit(q);

        } else {
            m = gw_json_tail(gw_json_nondigit, q, base, last, step_end);

            if (m == 0) {
                goto number;
            }
        }

        i = gw_json_ctz(m);
        k = i;

        if (q[i] == '.') {
            m &= m - 1;
            k = m ? gw_json_ctz(m) : GW_JSON_STEP;

            /* a digit must follow, and what is behind the last be in sight */

            if (k == i + 1 || k >= GW_JSON_STEP) {
                goto number;
            }

            node->flags &= GW_JSON_F_NEG;
        }

        if (gw_json_likely((*q > '0' || i == 1) && i)) {
            c = q[k];

            if (gw_json_likely(c == ','
                               || (k < GW_JSON_STEP && (c | 0x20) != 'e')))
            {
                q += k;
                goto number_done;
            }
        }

    number:

        q = gw_json_number_rest(j, base, p, last, &rest);
        if (q == NULL) {
            return NULL;
        }

        node->flags = (uint8_t) rest;

    number_done:

        gw_json_put(node, (uint32_t) (p - base), (uint32_t) (q - p), ++n);
        node++;

        p = q;
        goto next;
    }

    if (c == '{' || c == '[') {
        goto open;
    }

    if (c == ' ') {
        p++;
        goto value;
    }

    switch (c) {

    case 't':
        if (last - p < 4 || memcmp(p, "true", 4) != 0) {
            return gw_json_literal_fail(j, base, p, last, "true");
        }

        len = 4;
        c = GW_JSON_TRUE;
        break;

    case 'f':
        if (last - p < 5 || memcmp(p + 1, "alse", 4) != 0) {
            return gw_json_literal_fail(j, base, p, last, "false");
        }

        len = 5;
        c = GW_JSON_FALSE;
        break;

    case 'n':
        if (last - p < 4 || memcmp(p, "null", 4) != 0) {
            return gw_json_literal_fail(j, base, p, last, "null");
        }

        len = 4;
        c = GW_JSON_NULL;
        break;

    case '\n':
    case '\r':
    case '\t':
        gap = gw_json_space(p, last, step_end, nl);
        p = gap.p;
        nl = gap.nl;
        goto value;

    default:
        goto unexpected;
    }

    gw_json_mark(node, c, 0);
    gw_json_put(node, (uint32_t) (p - base), len, ++n);
    node++;

    p += len;

next:

    if (checked) {

        if (frame == frame_first) {
            j->n = n;
            return p;
        }

        if (p == last) {
            goto truncated;
        }
    }

    c = *p;

    if (gw_json_likely(c == ',')) {
        p++;

        if (close == '}') {
            goto key;
        }

    element:

        if (node > tape_last) {
            error = GW_JSON_E_NODES;
            goto failed;
        }

        count++;
        goto value;
    }

    if (c == close) {
        goto closed;
    }

    if (gw_json_is_space(c)) {
        gap = gw_json_space(p, last, step_end, nl);
        p = gap.p;
        nl = gap.nl;
        goto next;
    }

    goto unexpected;

open:

    if (frame == frame_end) {
        error = GW_JSON_E_DEPTH;
        goto failed;
    }

    frame->filter = filter;
    frame->node = cur;
    frame->count = count;
    frame->close = close;
    frame++;

    cur = node++;
    n++;
    count = 0;

    cur->off = (uint32_t) (p - base);
    cur->flags = 0;
    p++;

    if (c == '[') {
        cur->type = GW_JSON_ARRAY;
        close = ']';

        if (checked && p == last) {
            goto truncated;
        }

        if (gw_json_is_space(*p)) {
            gap = gw_json_space(p, last, step_end, nl);
            p = gap.p;
            nl = gap.nl;

            if (checked && p == last) {
                goto truncated;
            }
        }

        if (*p == ']') {
            goto closed;
        }

        goto element;
    }

    cur->type = GW_JSON_OBJECT;
    close = '}';
    filter = 0;

key:

    if (checked && p == last) {
        goto truncated;
    }

    if (*p != '"') {

        if (gw_json_is_space(*p)) {
            gap = gw_json_space(p, last, step_end, nl);
            p = gap.p;
            nl = gap.nl;
            goto key;
        }

        /* only behind the opening bracket is there no member yet */

        if (*p == '}' && count == 0) {
            goto closed;
        }

        goto unexpected;
    }

    if (count == j->limits.max_keys) {
        error = GW_JSON_E_KEYS;
        goto failed;
    }

    /* a member takes two nodes: its value need not look again */

    if (node >= tape_last) {
        error = GW_JSON_E_NODES;
        goto failed;
    }

    p++;
    gw_json_mark(node, GW_JSON_STRING, GW_JSON_F_KEY);

    if (gw_json_likely(p < step_end)) {
        m = gw_json_special(p);

    } else {
        m = gw_json_tail(gw_json_special, p, base, last, step_end);

        if (m == 0) {
            goto name;
        }
    }

    i = gw_json_ctz(m);

    if (gw_json_likely(p[i] == '"' && i)) {
        q = p + i;
        gw_json_put(node, (uint32_t) (p - base), (uint32_t) i, ++n);

    } else {

    name:

        rest = GW_JSON_F_KEY;

        q = gw_json_string_rest(j, base, p, last, &rest);
        if (q == NULL) {
            return NULL;
        }

        gw_json_put(node, (uint32_t) (p - base), (uint32_t) (q - p), ++n);
        node->flags = (uint8_t) rest;

        /*
         * From an empty key on all keys of the object are compared; an
         * escaped one leaves a mark, and the object is looked at when it
         * closes.
         */

        if (q == p || (rest & GW_JSON_F_ESCAPED)) {
            cur->flags |= (uint8_t) (rest & GW_JSON_F_ESCAPED);

            if (filter && gw_json_repeated(base, tape, cur, node, count)) {
                p--;
                error = GW_JSON_E_DUPLICATE;
                goto failed;
            }

            filter = ~(uint64_t) 0;
            goto colon;
        }
    }

    bit = gw_json_filter_bit(p, q);

    if ((filter & bit)
        && gw_json_repeated(base, tape, cur, node, count))
    {
        p--;
        error = GW_JSON_E_DUPLICATE;
        goto failed;
    }

    filter |= bit;

colon:

    count++;
    node++;
    p = q + 1;

    if (checked && p == last) {
        goto truncated;
    }

    if (*p != ':') {
        gap = gw_json_space(p, last, step_end, nl);
        p = gap.p;
        nl = gap.nl;

        if (checked && p == last) {
            goto truncated;
        }

        if (*p != ':') {
            goto unexpected;
        }
    }

    p++;
    goto value;

closed:

    p++;

    if (close == '}'
        && (count > GW_JSON_FEW_KEYS || (cur->flags & GW_JSON_F_ESCAPED)))
    {
        const gw_json_node_t  *twin;

        twin = gw_json_duplicate(j, base, cur, count);

        if (twin) {
            p = base + twin->off - 1;
            error = GW_JSON_E_DUPLICATE;
            goto failed;
        }
    }

    cur->len = (uint32_t) (p - base) - cur->off;
    cur->next = n;
    cur->count = (uint16_t) count;
    cur->flags = nl > base + cur->off ? GW_JSON_F_NL : 0;

    frame--;

    if (frame == frame_first) {
        j->n = n;
        return p;
    }

    if (p == last) {
        goto truncated;
    }

    filter = frame->filter;
    count = frame->count;
    cur = frame->node;
    close = frame->close;

    goto next;

truncated:

    return gw_json_fail(j, GW_JSON_E_TRUNCATED, (size_t) (last - base));

unexpected:

    return gw_json_unexpected(j, GW_JSON_E_SYNTAX, base, p);

failed:

    return gw_json_fail(j, error, (size_t) (p - base));
}


gw_json_apart const uint8_t *
gw_json_scan_checked(gw_json_t *j, const uint8_t *base, const uint8_t *p,
    const uint8_t *last)
{
    return gw_json_scan(j, base, p, last, 1);
}


/*
 * The value at p, which is no white space.  The quick scan needs a closing
 * bracket in front of last; of the line end that often follows it no more
 * than two bytes are taken off, for this is done once for each element of a
 * batch.  Any verdict but "valid" is left to the scan that sees all bytes.
 */

gw_json_apart const uint8_t *
gw_json_value(gw_json_t *j, const uint8_t *base, const uint8_t *p,
    const uint8_t *last)
{
    const uint8_t  *q, *end;

    j->error = GW_JSON_E_NONE;
    j->error_off = 0;

    if (*p == '{' || *p == '[') {
        end = last;

        if (end[-1] == '\n') {
            end--;
        }

        if (end[-1] == '\r') {
            end--;
        }

        if (end[-1] == '}' || end[-1] == ']') {
            q = gw_json_scan(j, base, p, end, 0);

            if (gw_json_likely(q != NULL)) {
                return q;
            }

            j->error = GW_JSON_E_NONE;
            j->error_off = 0;
        }
    }

    return gw_json_scan_checked(j, base, p, last);
}


/* containers that can be open at once: each takes a node */

static uint32_t
gw_json_frames(const gw_json_limits_t *limits)
{
    return limits->max_depth < limits->max_nodes ? limits->max_depth
                                                 : limits->max_nodes;
}


/* twice the members of one object, each of which takes two nodes */

static uint32_t
gw_json_nslots(const gw_json_limits_t *limits)
{
    uint32_t  n, keys;

    keys = limits->max_nodes / 2;

    if (keys > limits->max_keys) {
        keys = limits->max_keys;
    }

    n = GW_JSON_MIN_SLOTS;

    while (n < 2 * keys) {
        n *= 2;
    }

    return n;
}


size_t
gw_json_arena_size(const gw_json_limits_t *limits)
{
    return limits->max_nodes * sizeof(gw_json_node_t)
           + gw_json_frames(limits) * sizeof(gw_json_frame_t)
           + gw_json_nslots(limits) * sizeof(uint32_t);
}


int
gw_json_init(gw_json_t *j, const gw_json_limits_t *limits, void *arena,
    uint64_t seed)
{
    uint8_t  *p;

    if (limits->max_bytes == 0 || limits->max_nodes == 0
        || limits->max_depth == 0 || limits->max_keys == 0
        || limits->max_string == 0 || limits->max_number == 0
        || limits->max_nodes > 65535)
    {
        return GW_ERROR;
    }

    p = arena;

    j->tape = (gw_json_node_t *) (void *) p;
    p += limits->max_nodes * sizeof(gw_json_node_t);

    j->stack = (uint32_t *) (void *) p;
    p += gw_json_frames(limits) * sizeof(gw_json_frame_t);

    j->slots = (uint32_t *) (void *) p;
    j->nslots = gw_json_nslots(limits);

    j->n = 0;
    j->error = GW_JSON_E_NONE;
    j->error_off = 0;
    j->limits = *limits;
    j->seed = seed;

    return GW_OK;
}


/*
 * The first value of [p, last), offsets counted from p.  max_bytes is applied
 * to what was found and not to what is looked at: last stays the true end of
 * input, which the quick scan lives on, and a fault behind the limit is one
 * of the limit.
 */

static const uint8_t *
gw_json_first(gw_json_t *j, const uint8_t *p, const uint8_t *last)
{
    size_t          max;
    const uint8_t  *q;

    max = j->limits.max_bytes;
    q = p;

    while (q < last && gw_json_is_space(*q)) {
        q++;
    }

    if (gw_json_likely(q < last)) {
        q = gw_json_value(j, p, q, last);

        if (gw_json_likely(q != NULL && (size_t) (q - p) <= max)) {
            return q;
        }

    } else {
        q = gw_json_fail(j, GW_JSON_E_EMPTY, (size_t) (last - p));
    }

    if (q != NULL || (j->error_off >= max && (size_t) (last - p) > max)) {
        return gw_json_fail(j, GW_JSON_E_BYTES, max);
    }

    return NULL;
}


int
gw_json_parse(gw_json_t *j, const uint8_t *p, size_t len)
{
    const uint8_t  *q, *last;

    if (len > j->limits.max_bytes) {
        (void) gw_json_fail(j, GW_JSON_E_BYTES, j->limits.max_bytes);
        return GW_ERROR;
    }

    last = p + len;

    q = gw_json_first(j, p, last);
    if (q == NULL) {
        return GW_ERROR;
    }

    while (q < last) {

        if (!gw_json_is_space(*q)) {
            (void) gw_json_unexpected(j, GW_JSON_E_TRAILING, p, q);
            return GW_ERROR;
        }

        q++;
    }

    return GW_OK;
}


int
gw_json_parse_value(gw_json_t *j, const uint8_t *p, size_t len,
    size_t *consumed)
{
    const uint8_t  *q;

    q = gw_json_first(j, p, p + len);
    if (q == NULL) {
        return GW_ERROR;
    }

    *consumed = (size_t) (q - p);

    return GW_OK;
}


void
gw_json_items_init(gw_json_items_t *it, const uint8_t *p, size_t len)
{
    it->p = p;
    it->len = len;
    it->pos = 0;
    it->base = p;
    it->index = 0;
    it->state = GW_JSON_ITEMS_START;
}


int
gw_json_items_next(gw_json_items_t *it, gw_json_t *j)
{
    const uint8_t    *p, *q, *last;
    gw_json_error_e   error;

    if (it->state == GW_JSON_ITEMS_DONE) {
        return GW_DONE;
    }

    if (it->state == GW_JSON_ITEMS_FAILED) {
        return GW_ERROR;
    }

    p = it->p + it->pos;
    last = it->p + it->len;

    while (p < last && gw_json_is_space(*p)) {
        p++;
    }

    error = GW_JSON_E_TRUNCATED;

    if (p == last) {

        if (it->state == GW_JSON_ITEMS_START) {
            error = GW_JSON_E_EMPTY;
        }

        goto failed;
    }

    switch (it->state) {

    case GW_JSON_ITEMS_START:

        if (*p != '[') {
            error = GW_JSON_E_SYNTAX;
            goto failed;
        }

        break;

    case GW_JSON_ITEMS_NEXT:

        if (*p == ']') {
            goto closed;
        }

        if (*p != ',') {
            error = GW_JSON_E_SYNTAX;
            goto failed;
        }

        it->index++;
        break;
    }

    p++;

    while (p < last && gw_json_is_space(*p)) {
        p++;
    }

    if (p == last) {
        goto failed;
    }

    if (it->state == GW_JSON_ITEMS_START && *p == ']') {
        goto closed;
    }

    q = gw_json_first(j, p, last);

    if (q == NULL) {
        it->state = GW_JSON_ITEMS_FAILED;
        j->error_off += (size_t) (p - it->p);
        return GW_ERROR;
    }

    it->base = p;
    it->pos = (size_t) (q - it->p);
    it->state = GW_JSON_ITEMS_NEXT;

    return GW_OK;

closed:

    p++;

    while (p < last && gw_json_is_space(*p)) {
        p++;
    }

    if (p < last) {
        error = GW_JSON_E_TRAILING;
        goto failed;
    }

    it->pos = it->len;
    it->state = GW_JSON_ITEMS_DONE;

    j->n = 0;
    j->error = GW_JSON_E_NONE;
    j->error_off = 0;

    return GW_DONE;

failed:

    it->state = GW_JSON_ITEMS_FAILED;

    if (p < last) {
        (void) gw_json_unexpected(j, error, it->p, p);

    } else {
        (void) gw_json_fail(j, error, it->len);
    }

    return GW_ERROR;
}


uint8_t
gw_json_peek(const uint8_t *p, size_t len)
{
    const uint8_t  *last;

    last = p + len;

    while (p < last && gw_json_is_space(*p)) {
        p++;
    }

    return p < last ? *p : 0;
}


size_t
gw_json_unescape(const uint8_t *p, const gw_json_node_t *node, uint8_t *dst)
{
    uint8_t        *d;
    const uint8_t  *s, *last, *bs;

    s = p + node->off;
    last = s + node->len;
    d = dst;

    if (node->flags & GW_JSON_F_ESCAPED) {

        for ( ;; ) {
            bs = memchr(s, '\\', (size_t) (last - s));

            if (bs == NULL) {
                break;
            }

            memcpy(d, s, (size_t) (bs - s));
            d += bs - s;
            s = bs;
            d += gw_json_char(&s, d);
        }
    }

    memcpy(d, s, (size_t) (last - s));
    d += last - s;

    return (size_t) (d - dst);
}


const char *
gw_json_strerror(gw_json_error_e e)
{
    if ((unsigned) e >= GW_JSON_E_N) {
        return "unknown JSON error";
    }

    return gw_json_errors[e];
}
