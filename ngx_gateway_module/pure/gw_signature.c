/*
 * gw_signature.c - see gw_signature.h.
 *
 * One way of writing is taken where RFC 9110 knows several: no blanks around
 * "=", no empty elements of the list, nothing in front of it and behind.  A
 * device that writes it otherwise is told so once, by whoever builds it; what
 * is read in one way only cannot be read in two ways by us and a proxy.
 */

#include "gw_base64.h"
#include "gw_signature.h"


#define GW_SIGNATURE_TIME_MAX  15      /* digits */


typedef enum {
    GW_SIGNATURE_DEVICE = 0,
    GW_SIGNATURE_TIMESTAMP,
    GW_SIGNATURE_SIGNATURE,
    GW_SIGNATURE_PARAMS
} gw_signature_param_e;


static const uint8_t *gw_signature_name(const uint8_t *p, const uint8_t *end,
    unsigned *param);
static const uint8_t *gw_signature_value(const uint8_t *p,
    const uint8_t *end, gw_str_t *value, const char **detail);
static int gw_signature_device(gw_signature_t *s, const gw_str_t *value,
    const char **detail);
static int gw_signature_time(gw_signature_t *s, const gw_str_t *value,
    const char **detail);
static int gw_signature_bytes(gw_signature_t *s, const gw_str_t *value,
    const char **detail);
static int gw_signature_tchar(uint8_t ch);
static int gw_signature_alnum(uint8_t ch);


/* RFC 9110 section 5.6.3 */
#define gw_signature_ows(ch)  ((ch) == ' ' || (ch) == '\t')


static const gw_str_t  gw_signature_names[GW_SIGNATURE_PARAMS] = {
    gw_str("device"), gw_str("timestamp"), gw_str("signature")
};

static const gw_str_t  gw_signature_scheme = gw_str("Gateway-HMAC-SHA256");
static const gw_str_t  gw_signature_lf = gw_str("\n");


int
gw_signature_parse(const uint8_t *p, size_t len, gw_signature_t *s,
    const char **detail)
{
    int             rc;
    unsigned        param, seen;
    gw_str_t        value;
    const uint8_t  *end;

    seen = 0;
    end = len ? p + len : p;

    for ( ;; ) {
        p = gw_signature_name(p, end, &param);

        if (p == NULL) {
            *detail = "neither device=, timestamp= nor signature=";
            return GW_ERROR;
        }

        if (seen & 1u << param) {
            *detail = "a parameter twice";
            return GW_ERROR;
        }

        seen |= 1u << param;

        p = gw_signature_value(p, end, &value, detail);

        if (p == NULL) {
            return GW_ERROR;
        }

        switch (param) {

        case GW_SIGNATURE_DEVICE:
            rc = gw_signature_device(s, &value, detail);
            break;

        case GW_SIGNATURE_TIMESTAMP:
            rc = gw_signature_time(s, &value, detail);
            break;

        default: /* GW_SIGNATURE_SIGNATURE */
            rc = gw_signature_bytes(s, &value, detail);
            break;
        }

        if (rc != GW_OK) {
            return GW_ERROR;
        }

        if (p == end) {
            break;
        }

        while (p < end && gw_signature_ows(*p)) {
            p++;
        }

        if (p == end || *p != ',') {
            *detail = "no comma behind a parameter";
            return GW_ERROR;
        }

        p++;

        while (p < end && gw_signature_ows(*p)) {
            p++;
        }
    }

    if (seen != (1u << GW_SIGNATURE_PARAMS) - 1) {
        *detail = "a parameter is missing";
        return GW_ERROR;
    }

    return GW_OK;
}


/* the place behind "name="; NULL: none that we know */

static const uint8_t *
gw_signature_name(const uint8_t *p, const uint8_t *end, unsigned *param)
{
    size_t           i, left;
    unsigned         k;
    const gw_str_t  *name;

    left = (size_t) (end - p);

    for (k = 0; k < GW_SIGNATURE_PARAMS; k++) {
        name = &gw_signature_names[k];

        if (left <= name->len || p[name->len] != '=') {
            continue;
        }

        /* the names are of letters: nothing else becomes one by that bit */

        for (i = 0; i < name->len; i++) {
            if ((p[i] | 0x20) != name->data[i]) {
                break;
            }
        }

        if (i == name->len) {
            *param = k;
            return p + name->len + 1;
        }
    }

    return NULL;
}


/* RFC 9110 sections 5.6.2 and 5.6.4; the place behind it */

static const uint8_t *
gw_signature_value(const uint8_t *p, const uint8_t *end, gw_str_t *value,
    const char **detail)
{
    if (p == end || *p != '"') {
        value->data = p;

        while (p < end && gw_signature_tchar(*p)) {
            p++;
        }

        value->len = (size_t) (p - value->data);

        return p;
    }

    value->data = ++p;

    while (p < end && *p != '"') {

        if (*p == '\\') {
            *detail = "an escape in a quoted string";
            return NULL;
        }

        p++;
    }

    if (p == end) {
        *detail = "a quoted string without its end";
        return NULL;
    }

    value->len = (size_t) (p - value->data);

    return p + 1;
}


static int
gw_signature_device(gw_signature_t *s, const gw_str_t *value,
    const char **detail)
{
    size_t   i;
    uint8_t  ch;

    if (value->len == 0 || value->len > GW_DEVICE_MAX) {
        *detail = "the device is not of 1 to 128 bytes";
        return GW_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        ch = value->data[i];

        if (!gw_signature_alnum(ch) && ch != '.' && ch != '_' && ch != ':'
            && ch != '@' && ch != '-')
        {
            *detail = "the device has a byte that no device has";
            return GW_ERROR;
        }
    }

    s->device = *value;

    return GW_OK;
}


static int
gw_signature_time(gw_signature_t *s, const gw_str_t *value,
    const char **detail)
{
    size_t   i;
    int64_t  time;

    /* a time has one text, as the text is signed and the number compared */

    if (value->len == 0 || value->len > GW_SIGNATURE_TIME_MAX
        || (value->len > 1 && value->data[0] == '0'))
    {
        *detail = "the timestamp is not of 1 to 15 digits, the first not 0";
        return GW_ERROR;
    }

    time = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            *detail = "the timestamp is no integer";
            return GW_ERROR;
        }

        time = time * 10 + (value->data[i] - '0');
    }

    s->timestamp = *value;
    s->time = time;

    return GW_OK;
}


static int
gw_signature_bytes(gw_signature_t *s, const gw_str_t *value,
    const char **detail)
{
    size_t  n;

    if (value->len != GW_SIGNATURE_TEXT_LEN
        || gw_base64url_decode(value->data, value->len, s->signature, &n)
           != GW_OK)
    {
        *detail = "the signature is not 43 characters of base64url";
        return GW_ERROR;
    }

    return GW_OK;
}


/*
 * The distance is taken as an unsigned number, after the order is known: no
 * date, however far, can overflow.
 */

int
gw_signature_in_time(const gw_signature_t *s, int64_t now, unsigned window)
{
    uint64_t  distance;

    if (now >= s->time) {
        distance = (uint64_t) now - (uint64_t) s->time;

    } else {
        distance = (uint64_t) s->time - (uint64_t) now;
    }

    return distance <= window ? GW_OK : GW_DECLINED;
}


int
gw_signature_text(const gw_signature_t *s, const gw_signed_t *request,
    gw_str_t *out)
{
    int              n;
    size_t           k;
    uint8_t          ch;
    unsigned         i;
    const gw_str_t  *member[GW_SIGNATURE_MEMBERS];

    member[0] = &gw_signature_scheme;
    member[1] = &request->method;
    member[2] = &request->target;
    member[3] = &s->device;
    member[4] = &s->timestamp;
    member[5] = &request->epoch;
    member[6] = &request->seq;
    member[7] = &request->class_name;
    member[8] = &request->time;
    member[9] = &request->type;
    member[10] = &request->encoding;

    n = 0;

    for (i = 0; i < GW_SIGNATURE_MEMBERS; i++) {

        for (k = 0; k < member[i]->len; k++) {
            ch = member[i]->data[k];

            if (ch == '\n' || ch == '\r' || ch == '\0') {
                return GW_ERROR;
            }
        }

        if (member[i]->len) {
            out[n++] = *member[i];
        }

        out[n++] = gw_signature_lf;
    }

    return n;
}


/* RFC 9110 section 5.6.2 */

static int
gw_signature_tchar(uint8_t ch)
{
    return gw_signature_alnum(ch)
           || (ch != '\0' && strchr("!#$%&'*+-.^_`|~", ch) != NULL);
}


static int
gw_signature_alnum(uint8_t ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
           || (ch >= 'A' && ch <= 'Z');
}
