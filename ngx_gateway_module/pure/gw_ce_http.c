/*
 * gw_ce_http.c - an event in HTTP headers (HTTP protocol binding for
 * CloudEvents 1.0.2), and how a request says what it carries.
 */

#include "gw_cloudevents.h"

#include "gw_ce_attr.h"


static int gw_ce_starts(const gw_str_t *s, const char *prefix);
static int gw_ce_lower(gw_ce_t *ce, const gw_str_t *from, gw_str_t *to,
    const char **detail);
static int gw_ce_unquote(gw_ce_t *ce, gw_str_t *s, const char **detail);
static int gw_ce_unescape(gw_ce_t *ce, gw_str_t *s, const char **detail);
static int gw_ce_hex(uint8_t c);


int
gw_ce_mode(const gw_str_t *content_type, unsigned has_specversion,
    gw_ce_mode_e *mode)
{
    size_t    len;
    gw_str_t  type;

    *mode = has_specversion ? GW_CE_BINARY : GW_CE_NONE;

    if (content_type == NULL) {
        return GW_OK;
    }

    type = gw_ce_trim(content_type);

    if (!gw_ce_starts(&type, "application/cloudevents")) {
        return GW_OK;
    }

    *mode = GW_CE_NONE;

    for (len = 0; len < type.len; len++) {
        if (type.data[len] == ';' || type.data[len] == ' '
            || type.data[len] == '\t')
        {
            break;
        }
    }

    /* the name of the one is the beginning of the other's */

    if (gw_ce_starts(&type, "application/cloudevents-batch+json")) {

        if (len == sizeof("application/cloudevents-batch+json") - 1) {
            *mode = GW_CE_BATCHED;
        }

    } else if (gw_ce_starts(&type, "application/cloudevents+json")) {

        if (len == sizeof("application/cloudevents+json") - 1) {
            *mode = GW_CE_STRUCTURED;
        }
    }

    return *mode == GW_CE_NONE ? GW_DECLINED : GW_OK;
}


int
gw_ce_header(gw_ce_t *ce, const gw_str_t *name, const gw_str_t *value,
    const char **detail)
{
    gw_str_t               n, v;
    static const gw_str_t  forbidden = gw_str("datacontenttype");

    if (gw_ce_lower(ce, name, &n, detail) != GW_OK) {
        return GW_ERROR;
    }

    /* section 3.1.1 */

    if (n.len == forbidden.len
        && memcmp(n.data, forbidden.data, n.len) == 0)
    {
        *detail = "header \"ce-datacontenttype\" must not be there: "
                  "Content-Type is it";
        return GW_ERROR;
    }

    v = gw_ce_trim(value);

    if (v.len && v.data[0] == '"') {
        if (gw_ce_unquote(ce, &v, detail) != GW_OK) {
            return GW_ERROR;
        }

    } else if (v.len && memchr(v.data, '%', v.len)) {
        if (gw_ce_unescape(ce, &v, detail) != GW_OK) {
            return GW_ERROR;
        }
    }

    return gw_ce_set(ce, &n, &v, detail);
}


int
gw_ce_finish(gw_ce_t *ce, const gw_str_t *content_type, const char **detail)
{
    gw_str_t               type;
    static const gw_str_t  name = gw_str("datacontenttype");

    if (content_type) {
        type = gw_ce_trim(content_type);

        if (type.len && gw_ce_set(ce, &name, &type, detail) != GW_OK) {
            return GW_ERROR;
        }
    }

    return gw_ce_complete(ce, detail);
}


/* prefix is in lower case */

static int
gw_ce_starts(const gw_str_t *s, const char *prefix)
{
    size_t   i, len;
    uint8_t  c;

    len = strlen(prefix);

    if (s->len < len) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        c = s->data[i];

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }

        if (c != (uint8_t) prefix[i]) {
            return 0;
        }
    }

    return 1;
}


/* header names have no case, attribute names are lower case */

static int
gw_ce_lower(gw_ce_t *ce, const gw_str_t *from, gw_str_t *to,
    const char **detail)
{
    size_t    i;
    unsigned  upper;
    uint8_t  *p, c;

    *to = *from;

    if (from->len > GW_CE_NAME_MAX) {
        *detail = GW_CE_E_NAME;
        return GW_ERROR;
    }

    upper = 0;

    for (i = 0; i < from->len; i++) {
        upper |= from->data[i] >= 'A' && from->data[i] <= 'Z';
    }

    if (upper) {

        if (from->len > gw_ce_room(ce)) {
            *detail = gw_ce_no_room(ce);
            return GW_ERROR;
        }

        p = ce->text + ce->text_len;
        ce->text_len += from->len;
        to->data = p;

        for (i = 0; i < from->len; i++) {
            c = from->data[i];
            *p++ = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
        }
    }

    if (!gw_ce_name_valid(to)) {
        *detail = GW_CE_E_NAME;
        return GW_ERROR;
    }

    return GW_OK;
}


/*
 * Section 3.1.3.2: quotes go first (RFC 7230, section 3.2.6), then percent
 * signs, so a backslash may hide neither.
 */

static int
gw_ce_unquote(gw_ce_t *ce, gw_str_t *s, const char **detail)
{
    size_t          len;
    uint8_t        *p;
    const uint8_t  *src, *last;

    if (s->len < 2 || s->data[s->len - 1] != '"') {
        goto invalid;
    }

    src = s->data + 1;
    last = s->data + s->len - 1;

    if ((size_t) (last - src) > GW_CE_TEXT_MAX - ce->text_len) {
        *detail = GW_CE_E_ROOM;
        return GW_ERROR;
    }

    p = ce->text + ce->text_len;
    s->data = p;

    while (src < last) {

        if (*src == '"') {
            goto invalid;
        }

        if (*src == '\\' && ++src == last) {
            goto invalid;
        }

        *p++ = *src++;
    }

    len = (size_t) (p - s->data);
    s->len = len;

    return gw_ce_unescape(ce, s, detail);

invalid:

    *detail = "header value has an unpaired double quote";

    return GW_ERROR;
}


/* to text, where s may already stand: writing is never ahead of reading */

static int
gw_ce_unescape(gw_ce_t *ce, gw_str_t *s, const char **detail)
{
    int             high, low;
    size_t          room, n;
    uint8_t        *dst;
    const uint8_t  *src, *last;

    dst = ce->text + ce->text_len;
    room = gw_ce_room(ce);
    src = s->data;
    last = src + s->len;

    for (n = 0; src < last; n++) {

        if (n == room) {
            *detail = gw_ce_no_room(ce);
            return GW_ERROR;
        }

        if (*src != '%') {
            dst[n] = *src++;
            continue;
        }

        high = last - src < 3 ? -1 : gw_ce_hex(src[1]);
        low = last - src < 3 ? -1 : gw_ce_hex(src[2]);

        if (high < 0 || low < 0) {
            *detail = "header value has a percent sign without two hex digits";
            return GW_ERROR;
        }

        dst[n] = (uint8_t) (high << 4 | low);
        src += 3;
    }

    s->data = dst;
    s->len = n;
    ce->text_len += n;

    return GW_OK;
}


static int
gw_ce_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
