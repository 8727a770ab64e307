/*
 * gw_envelope.c - tape to envelope, envelope to line.
 *
 * decode() and write() run once for every message: what they cost in
 * instructions is part of the contract (a benchmark holds them to it).
 */

#include "gw_envelope.h"

#include "gw_time.h"


/* the longest spelling of one ASCII character in JSON, \u0064, in bytes */
#define GW_ENVELOPE_ESCAPE   6

/* bytes of the longest name of a member: "device" */
#define GW_ENVELOPE_MEMBER   6

/* bytes of a date worth unescaping; unescaped ones are not bounded here */
#define GW_ENVELOPE_DATE     64

/* digits of the longest integer: 2^64 - 1 */
#define GW_ENVELOPE_DIGITS   20

/* ms of 2001-09-09 and 2286-11-20: between them a time has 13 digits */
#define GW_ENVELOPE_MS_MIN   1000000000000ULL
#define GW_ENVELOPE_MS_MAX   9999999999999ULL


#define gw_envelope_cpylit(p, s)                                              \
    ((uint8_t *) memcpy(p, s, sizeof(s) - 1) + sizeof(s) - 1)


static int gw_envelope_check_name(const uint8_t *p, size_t len, size_t max);
static int gw_envelope_check_seq(const uint8_t *p, size_t len, uint64_t *seq);
static int gw_envelope_is(const uint8_t *p, const char *four);
static int gw_envelope_get_name(const uint8_t *doc,
    const gw_json_node_t *node, gw_str_t *name, uint8_t *buf, size_t max);
static int gw_envelope_get_escaped(const uint8_t *doc,
    const gw_json_node_t *node, gw_str_t *name, uint8_t *buf, size_t max);
static int gw_envelope_get_ts(const uint8_t *doc, const gw_json_node_t *node,
    int64_t *ts);
static uint8_t *gw_envelope_put_name(uint8_t *p, const gw_str_t *name);
static uint8_t *gw_envelope_put_four(uint8_t *p, unsigned v);
static uint8_t *gw_envelope_put_uint(uint8_t *p, uint64_t v);
static uint8_t *gw_envelope_put_ms(uint8_t *p, uint64_t v);
static uint8_t *gw_envelope_put_stripped(uint8_t *p, const gw_str_t *data);


/* 0: a byte of [A-Za-z0-9._:@-] */

static const uint8_t  gw_envelope_not_name[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0,
    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};


static const char  gw_envelope_pairs[] =
    "00010203040506070809"
    "10111213141516171819"
    "20212223242526272829"
    "30313233343536373839"
    "40414243444546474849"
    "50515253545556575859"
    "60616263646566676869"
    "70717273747576777879"
    "80818283848586878889"
    "90919293949596979899";


int
gw_envelope_decode(const gw_json_t *j, const uint8_t *doc, gw_envelope_t *env,
    const char **detail)
{
    size_t                 len;
    unsigned               n;
    gw_str_t               unescaped;
    const char            *error;
    const uint8_t         *name;
    const gw_json_node_t  *key, *value;
    uint8_t                buf[GW_ENVELOPE_MEMBER];

    env->device.len = 0;
    env->epoch.len = 0;
    env->class_name.len = 0;
    env->data.data = NULL;
    env->has_seq = 0;
    env->has_ts = 0;
    env->strip_nl = 0;

    if (j->tape[0].type != GW_JSON_OBJECT) {
        *detail = "not an object";
        return GW_ERROR;
    }

    env->doc = doc;
    env->document.data = doc + j->tape[0].off;
    env->document.len = j->tape[0].len;

    key = &j->tape[1];

    for (n = j->tape[0].count; n; n--) {

        value = key + 1;
        name = doc + key->off;
        len = key->len;

        if (key->flags & GW_JSON_F_ESCAPED) {

            if (gw_envelope_get_escaped(doc, key, &unescaped, buf,
                                        GW_ENVELOPE_MEMBER)
                != GW_OK)
            {
                goto unknown;
            }

            name = unescaped.data;
            len = unescaped.len;
        }

        switch (len) {

        case 2:
            if (name[0] != 't' || name[1] != 's') {
                goto unknown;
            }

            if (gw_envelope_get_ts(doc, value, &env->ts) != GW_OK) {
                error = "member \"ts\" must be an RFC 3339 date-time or epoch "
                        "seconds or milliseconds, 1970 to 9999";
                goto invalid;
            }

            env->has_ts = 1;
            break;

        case 3:
            if (name[0] != 's' || name[1] != 'e' || name[2] != 'q') {
                goto unknown;
            }

            if ((value->flags & (GW_JSON_F_INT|GW_JSON_F_NEG))
                != GW_JSON_F_INT
                || gw_envelope_check_seq(doc + value->off, value->len,
                                         &env->seq)
                   != GW_OK)
            {
                error = "member \"seq\" must be an integer from 0 to "
                        "9007199254740991";
                goto invalid;
            }

            env->has_seq = 1;
            break;

        case 4:
            if (!gw_envelope_is(name, "data")) {
                goto unknown;
            }

            env->data_node = (uint32_t) (value - j->tape);
            env->data.data = doc + value->off;
            env->data.len = value->len;

            if (value->type == GW_JSON_STRING) {
                env->data.data--;
                env->data.len += 2;
            }

            env->strip_nl = (value->flags & GW_JSON_F_NL) != 0;
            break;

        case 5:
            if (name[4] == 'h' && gw_envelope_is(name, "epoc")) {

                if (gw_envelope_get_name(doc, value, &env->epoch,
                                         env->epoch_buf, GW_EPOCH_MAX)
                    != GW_OK)
                {
                    error = "member \"epoch\" must be a string of 1 to 32 "
                            "bytes of [A-Za-z0-9._:@-]";
                    goto invalid;
                }

                break;
            }

            if (name[4] != 's' || !gw_envelope_is(name, "clas")) {
                goto unknown;
            }

            if (gw_envelope_get_name(doc, value, &env->class_name,
                                     env->class_buf, GW_CLASS_MAX)
                != GW_OK)
            {
                error = "member \"class\" must be a string of 1 to 32 bytes "
                        "of [A-Za-z0-9._:@-]";
                goto invalid;
            }

            break;

        case 6:
            if (!gw_envelope_is(name, "devi")
                || !gw_envelope_is(name + 2, "vice"))
            {
                goto unknown;
            }

            if (gw_envelope_get_name(doc, value, &env->device,
                                     env->device_buf, GW_DEVICE_MAX)
                != GW_OK)
            {
                error = "member \"device\" must be a string of 1 to 128 bytes "
                        "of [A-Za-z0-9._:@-]";
                goto invalid;
            }

            break;

        default:
            goto unknown;
        }

        key = &j->tape[value->next];
    }

    if (env->data.data == NULL) {
        error = "member \"data\" is missing";
        goto invalid;
    }

    return GW_OK;

unknown:

    error = "unknown member";

invalid:

    *detail = error;

    return GW_ERROR;
}


int
gw_envelope_name_valid(const uint8_t *p, size_t len, size_t max)
{
    return gw_envelope_check_name(p, len, max);
}


int
gw_envelope_parse_seq(const uint8_t *p, size_t len, uint64_t *seq)
{
    return gw_envelope_check_seq(p, len, seq);
}


/* the two forms have no string in common: a date has "-" as its fifth byte */

int
gw_envelope_parse_ts(const uint8_t *p, size_t len, int64_t *ts)
{
    if (len > 4 && p[4] == '-') {
        return gw_time_rfc3339(p, len, ts);
    }

    return gw_time_epoch(p, len, ts);
}


void
gw_envelope_whole(const gw_json_t *j, const gw_str_t *text,
    gw_envelope_t *env)
{
    env->data.data = text->data + j->tape[0].off;
    env->data.len = j->tape[0].len;

    if (j->tape[0].type == GW_JSON_STRING) {
        env->data.data--;
        env->data.len += 2;
    }

    env->strip_nl = (j->tape[0].flags & GW_JSON_F_NL) ? 1 : 0;
    env->doc = text->data;
    env->document = *text;
    env->data_node = 0;
}


size_t
gw_envelope_size(const gw_envelope_t *env)
{
    return sizeof("{\"device\":\"\",\"epoch\":\"\",\"seq\":,\"class\":\"\","
                  "\"ts\":,\"received_at\":,\"data\":}") - 1
           + 3 * GW_ENVELOPE_DIGITS
           + env->device.len + env->epoch.len + env->class_name.len
           + env->data.len;
}


size_t
gw_envelope_write(uint8_t *dst, const gw_envelope_t *env, int64_t received_at)
{
    size_t          len;
    int64_t         ts;
    uint8_t        *p, *number;

    p = gw_envelope_cpylit(dst, "{\"device\":\"");
    p = gw_envelope_put_name(p, &env->device);

    p = gw_envelope_cpylit(p, "\",\"epoch\":\"");
    p = gw_envelope_put_name(p, &env->epoch);

    if (env->has_seq) {
        p = gw_envelope_cpylit(p, "\",\"seq\":");
        p = gw_envelope_put_uint(p, env->seq);
        p = gw_envelope_cpylit(p, ",\"class\":\"");

    } else {
        p = gw_envelope_cpylit(p, "\",\"class\":\"");
    }

    p = gw_envelope_put_name(p, &env->class_name);

    /* a clock before 1970 is no reason to put out a line of another form */

    if (received_at < 0) {
        received_at = 0;
    }

    ts = env->has_ts ? env->ts : received_at;

    p = gw_envelope_cpylit(p, "\",\"ts\":");
    number = p;
    p = gw_envelope_put_ms(p, (uint64_t) ts);
    len = p - number;

    p = gw_envelope_cpylit(p, ",\"received_at\":");

    if (env->has_ts) {
        p = gw_envelope_put_ms(p, (uint64_t) received_at);

    } else {
        memcpy(p, number, len);
        p += len;
    }

    p = gw_envelope_cpylit(p, ",\"data\":");

    if (env->strip_nl) {
        p = gw_envelope_put_stripped(p, &env->data);

    } else {
        memcpy(p, env->data.data, env->data.len);
        p += env->data.len;
    }

    *p++ = '}';

    return p - dst;
}


/*
 * This and the next are static for decode(): in a shared object a call of an
 * exported name goes by way of a table and is never put in place.
 */

static inline int
gw_envelope_check_name(const uint8_t *p, size_t len, size_t max)
{
    uint8_t         bad;
    const uint8_t  *last;

    /* 0 and above max at once */

    if (len - 1 >= max) {
        return GW_ERROR;
    }

    last = p + len;
    bad = 0;

    /* no exit inside: a name is short and nearly always good */

    if (len < 4) {

        do {
            bad |= gw_envelope_not_name[*p++];
        } while (p < last);

        return bad ? GW_ERROR : GW_OK;
    }

    last -= 4;

    while (p < last) {
        bad |= gw_envelope_not_name[p[0]];
        bad |= gw_envelope_not_name[p[1]];
        bad |= gw_envelope_not_name[p[2]];
        bad |= gw_envelope_not_name[p[3]];
        p += 4;
    }

    /* the last four, some of them perhaps once more */

    bad |= gw_envelope_not_name[last[0]];
    bad |= gw_envelope_not_name[last[1]];
    bad |= gw_envelope_not_name[last[2]];
    bad |= gw_envelope_not_name[last[3]];

    return bad ? GW_ERROR : GW_OK;
}


/*
 * One spelling for one number: no sign, no leading zero, as JSON has it, so
 * that the two formats agree on what is a number at all.
 */

static inline int
gw_envelope_check_seq(const uint8_t *p, size_t len, uint64_t *seq)
{
    uint64_t        v;
    unsigned        digit;
    const uint8_t  *last;

    /* GW_SEQ_MAX has 16 digits */

    if (len == 0 || len > 16 || (*p == '0' && len > 1)) {
        return GW_ERROR;
    }

    last = p + len;
    v = 0;

    do {
        digit = (unsigned) *p++ - '0';

        if (digit > 9) {
            return GW_ERROR;
        }

        v = v * 10 + digit;

    } while (p < last);

    if (v > GW_SEQ_MAX) {
        return GW_ERROR;
    }

    *seq = v;

    return GW_OK;
}


/* four bytes at once, which memcmp() is only with some optimizers */

static inline int
gw_envelope_is(const uint8_t *p, const char *four)
{
    uint32_t  a, b;

    memcpy(&a, p, 4);
    memcpy(&b, four, 4);

    return a == b;
}


static inline int
gw_envelope_get_name(const uint8_t *doc, const gw_json_node_t *node,
    gw_str_t *name, uint8_t *buf, size_t max)
{
    if (node->type != GW_JSON_STRING) {
        return GW_ERROR;
    }

    if (node->flags & GW_JSON_F_ESCAPED) {

        if (gw_envelope_get_escaped(doc, node, name, buf, max) != GW_OK) {
            return GW_ERROR;
        }

    } else {
        name->data = doc + node->off;
        name->len = node->len;
    }

    return gw_envelope_check_name(name->data, name->len, max);
}


/*
 * All that is read here is ASCII in the end, so a raw string above 6 bytes a
 * character cannot become a valid one.  The scratch takes what unescaping may
 * touch, buf only what it yields.
 */

static int
gw_envelope_get_escaped(const uint8_t *doc, const gw_json_node_t *node,
    gw_str_t *name, uint8_t *buf, size_t max)
{
    size_t   len;
    uint8_t  scratch[GW_ENVELOPE_ESCAPE * GW_DEVICE_MAX];

    if (node->len > GW_ENVELOPE_ESCAPE * max) {
        return GW_ERROR;
    }

    len = gw_json_unescape(doc, node, scratch);

    if (len > max) {
        return GW_ERROR;
    }

    memcpy(buf, scratch, len);

    name->data = buf;
    name->len = len;

    return GW_OK;
}


static int
gw_envelope_get_ts(const uint8_t *doc, const gw_json_node_t *node, int64_t *ts)
{
    gw_str_t  date;
    uint8_t   buf[GW_ENVELOPE_DATE];

    if (node->type == GW_JSON_NUMBER) {
        return gw_time_epoch(doc + node->off, node->len, ts);
    }

    if (node->type != GW_JSON_STRING) {
        return GW_ERROR;
    }

    if (node->flags & GW_JSON_F_ESCAPED) {

        if (gw_envelope_get_escaped(doc, node, &date, buf, GW_ENVELOPE_DATE)
            != GW_OK)
        {
            return GW_ERROR;
        }

        return gw_time_rfc3339(date.data, date.len, ts);
    }

    return gw_time_rfc3339(doc + node->off, node->len, ts);
}


static uint8_t *
gw_envelope_put_name(uint8_t *p, const gw_str_t *name)
{
    size_t          len;
    const uint8_t  *src;

    len = name->len;
    src = name->data;

    /* most names: two halves that may overlap cost less than the call */

    if (len - 8 <= 8) {
        memcpy(p, src, 8);
        memcpy(p + len - 8, src + len - 8, 8);

    } else if (len) {

        /* data may be NULL where len is 0, which memcpy() must not see */

        memcpy(p, src, len);
    }

    return p + len;
}


static inline uint8_t *
gw_envelope_put_four(uint8_t *p, unsigned v)
{
    memcpy(p, &gw_envelope_pairs[v / 100 * 2], 2);
    memcpy(p + 2, &gw_envelope_pairs[v % 100 * 2], 2);

    return p + 4;
}


static uint8_t *
gw_envelope_put_uint(uint8_t *p, uint64_t v)
{
    unsigned  n, head, fours[GW_ENVELOPE_DIGITS / 4];

    for (n = 0; v >= 10000; n++) {
        fours[n] = (unsigned) (v % 10000);
        v /= 10000;
    }

    head = (unsigned) v;

    if (head >= 1000) {
        p = gw_envelope_put_four(p, head);

    } else if (head >= 100) {
        *p++ = (uint8_t) ('0' + head / 100);
        memcpy(p, &gw_envelope_pairs[head % 100 * 2], 2);
        p += 2;

    } else if (head >= 10) {
        memcpy(p, &gw_envelope_pairs[head * 2], 2);
        p += 2;

    } else {
        *p++ = (uint8_t) ('0' + head);
    }

    while (n) {
        p = gw_envelope_put_four(p, fours[--n]);
    }

    return p;
}


/* a time of our days has 13 digits: all places are known before the first */

static uint8_t *
gw_envelope_put_ms(uint8_t *p, uint64_t v)
{
    uint32_t  hi, lo;

    if (v < GW_ENVELOPE_MS_MIN || v > GW_ENVELOPE_MS_MAX) {
        return gw_envelope_put_uint(p, v);
    }

    hi = (uint32_t) (v / 100000000);
    lo = (uint32_t) (v % 100000000);

    *p++ = (uint8_t) ('0' + hi / 10000);
    p = gw_envelope_put_four(p, hi % 10000);
    p = gw_envelope_put_four(p, lo / 10000);

    return gw_envelope_put_four(p, lo % 10000);
}


/*
 * The scanner lets no raw CR or LF stand inside a string, so that each one in
 * data is white space between tokens and may go.
 */

static uint8_t *
gw_envelope_put_stripped(uint8_t *p, const gw_str_t *data)
{
    const uint8_t  *src, *last;

    last = data->data + data->len;

    for (src = data->data; src < last; src++) {

        if (*src != '\r' && *src != '\n') {
            *p++ = *src;
        }
    }

    return p;
}
