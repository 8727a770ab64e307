/*
 * gw_schema_number.c - see gw_schema_number.h.
 */

#include "gw_schema_number.h"


#define GW_SCHEMA_EXP_MAX  1000000000000000LL


static int64_t
gw_schema_exponent(const uint8_t *p, const uint8_t *last)
{
    int      minus;
    int64_t  e;

    minus = *p == '-';
    p += *p == '-' || *p == '+';

    for (e = 0; p < last; p++) {
        e = e * 10 + (*p - '0');

        if (e > GW_SCHEMA_EXP_MAX) {
            e = GW_SCHEMA_EXP_MAX;
        }
    }

    return minus ? -e : e;
}


void
gw_schema_number(gw_schema_number_t *number, const uint8_t *p, size_t len)
{
    int64_t         before, zeros, at, end;
    const uint8_t  *last, *first;

    last = p + len;
    number->negative = *p == '-';
    number->exp = 0;
    p += number->negative;

    /* digits are counted from the first of all; first: that is not 0 */

    first = NULL;
    before = -1;
    zeros = 0;
    end = 0;

    for (at = 0; p < last; p++) {

        if (*p == '.') {
            before = at;
            continue;
        }

        if ((*p | 0x20) == 'e') {
            number->exp = gw_schema_exponent(p + 1, last);
            break;
        }

        if (*p != '0') {
            if (first == NULL) {
                first = p;
                zeros = at;
            }

            end = at + 1;
        }

        at++;
    }

    if (before < 0) {
        before = at;
    }

    number->digits = first;
    number->n = (uint32_t) (end - zeros);

    if (first == NULL) {
        number->n = 0;
        number->negative = 0;
        number->exp = 0;
        return;
    }

    number->exp += before - zeros;
}


int
gw_schema_number_compare(const gw_schema_number_t *a,
    const gw_schema_number_t *b)
{
    int             sign;
    uint32_t        i, n;
    const uint8_t  *p, *q;

    if (a->n == 0 || b->n == 0) {
        return a->n ? (a->negative ? -1 : 1)
             : b->n ? (b->negative ? 1 : -1) : 0;
    }

    if (a->negative != b->negative) {
        return a->negative ? -1 : 1;
    }

    sign = a->negative ? -1 : 1;

    if (a->exp != b->exp) {
        return a->exp < b->exp ? -sign : sign;
    }

    n = a->n < b->n ? a->n : b->n;
    p = a->digits;
    q = b->digits;

    for (i = 0; i < n; i++, p++, q++) {
        p += *p == '.';
        q += *q == '.';

        if (*p != *q) {
            return *p < *q ? -sign : sign;
        }
    }

    return a->n == b->n ? 0 : a->n < b->n ? -sign : sign;
}


int
gw_schema_number_is_integer(const gw_schema_number_t *number)
{
    return number->n == 0 || number->exp >= (int64_t) number->n;
}


uint64_t
gw_schema_number_hash(const gw_schema_number_t *number)
{
    uint32_t        i;
    uint64_t        h;
    const uint8_t  *p;

    h = (uint64_t) number->exp * 2 + number->negative;
    p = number->digits;

    for (i = 0; i < number->n; i++, p++) {
        p += *p == '.';
        h = (h ^ *p) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 32;
    }

    return h;
}


int
gw_schema_number_divisor(const gw_schema_number_t *number,
    gw_schema_divisor_t *divisor)
{
    uint32_t        i;
    const uint8_t  *p;

    if (number->n == 0 || number->negative || number->n > GW_SCHEMA_DIGITS) {
        return GW_ERROR;
    }

    divisor->units = 0;
    p = number->digits;

    for (i = 0; i < number->n; i++, p++) {
        p += *p == '.';
        divisor->units = divisor->units * 10 + (*p - '0');
    }

    divisor->exp = number->exp - (int64_t) number->n;

    return GW_OK;
}


static uint64_t
gw_schema_times(uint64_t a, uint64_t b, uint64_t modulus)
{
    return (uint64_t) ((unsigned __int128) a * b % modulus);
}


int
gw_schema_number_is_multiple(const gw_schema_number_t *number,
    const gw_schema_divisor_t *divisor)
{
    int64_t         k;
    uint32_t        i;
    uint64_t        rest, power, m;
    const uint8_t  *p;

    if (number->n == 0) {
        return 1;
    }

    /* the last digit is not 0, so 10 does not divide the units */

    k = number->exp - (int64_t) number->n - divisor->exp;

    if (k < 0) {
        return 0;
    }

    m = divisor->units;
    rest = 0;
    p = number->digits;

    for (i = 0; i < number->n; i++, p++) {
        p += *p == '.';
        rest = (gw_schema_times(rest, 10, m) + (uint64_t) (*p - '0')) % m;
    }

    for (power = 10 % m; k && rest; k >>= 1) {

        if (k & 1) {
            rest = gw_schema_times(rest, power, m);
        }

        power = gw_schema_times(power, power, m);
    }

    return rest == 0;
}


int
gw_schema_number_short(const uint8_t *p, size_t len, int64_t *units,
    unsigned *scale)
{
    int64_t         v;
    unsigned        minus, c;
    const uint8_t  *last, *point;

    last = p + len;
    minus = *p == '-';
    p += minus;
    len -= minus;

    if (len > GW_SCHEMA_DIGITS + 1) {
        return 0;
    }

    v = 0;
    point = NULL;

    do {
        c = (unsigned) *p - '0';

        if (c <= 9) {
            v = v * 10 + c;

        } else if (*p == '.') {
            point = p + 1;

        } else {
            return 0;
        }

    } while (++p < last);

    if (len - (point != NULL) > GW_SCHEMA_DIGITS) {
        return 0;
    }

    *units = minus ? -v : v;
    *scale = point ? (unsigned) (last - point) : 0;

    return 1;
}


uint64_t
gw_schema_number_bound(const gw_schema_number_t *number, unsigned upper,
    unsigned equal)
{
    int64_t         i, before, zeros;
    uint8_t         text[8];
    unsigned        len, cut;
    uint32_t        left;
    uint64_t        mark;
    const uint8_t  *p;

    before = number->n && number->exp > 1 ? number->exp : 1;

    if (before > GW_SCHEMA_MARK_DIGITS) {
        return upper ? GW_SCHEMA_MARK_LONG : UINT64_MAX;
    }

    /* digits, without zeros at the end of a fraction */

    zeros = number->n == 0 ? 1 : number->exp < 1 ? 1 - number->exp : 0;
    left = number->n;
    p = number->digits;
    len = 0;
    cut = 0;
    memset(text, 0, sizeof(text));

    for (i = 0; i < before || zeros || left; i++) {

        if (i == before && len < sizeof(text)) {
            text[len++] = '.';
        }

        if (len == sizeof(text)) {
            cut = 1;
            break;
        }

        if (zeros) {
            text[len++] = '0';
            zeros--;

        } else if (left) {
            p += *p == '.';
            text[len++] = *p++;
            left--;

        } else {
            text[len++] = '0';
        }
    }

    memcpy(&mark, text, sizeof(mark));
    mark = __builtin_bswap64(mark) + ((uint64_t) before << 60);

    if (upper) {
        /* a longer text of the same first 8 bytes may be above */
        return mark + (equal && len < sizeof(text));
    }

    if (cut) {
        return mark;
    }

    if (equal) {
        return mark - 1;
    }

    /* 2.0 is not above 2 */

    return len < sizeof(text) ? mark | ((1ULL << (64 - 8 * len)) - 1) : mark;
}
