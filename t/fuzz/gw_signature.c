/*
 * Fuzz target: the credentials of a signed request and the text that is
 * signed.  Unseen breakage would be a parameter read otherwise than it stands
 * there, a read behind it, or two requests of one text.
 *
 * The input is the parameters and, each behind a byte 0xff, the members of a
 * request: method, target, epoch, seq, class, time, type, encoding, device,
 * timestamp.  A second reader cuts at the commas and must come to the same; the
 * parameters written again, in every order, must be read as the same.  The
 * text, cut at its line feeds, must give back the members: then no other
 * request has it.
 */

#include <strings.h>

#include "fuzz.h"
#include "gw_base64.h"
#include "gw_signature.h"


#define MEMBERS  10


static const char  device_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";
static const char  base64url_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char  *const  names[] = { "device", "timestamp", "signature" };


/* values of the second reader, by the places of names */

typedef struct {
    gw_str_t  value[3];
} second_t;


static int
only(const gw_str_t *v, const char *bytes)
{
    size_t  i;

    for (i = 0; i < v->len; i++) {
        if (v->data[i] == '\0' || strchr(bytes, v->data[i]) == NULL) {
            return 0;
        }
    }

    return 1;
}


static int
value_good(unsigned name, const gw_str_t *v, int quoted)
{
    /* RFC 9110 section 5.6.2: what a device may hold and a token may not */

    if (!quoted && (memchr(v->data, ':', v->len)
                    || memchr(v->data, '@', v->len)))
    {
        return 0;
    }

    switch (name) {

    case 0:
        return v->len >= 1 && v->len <= GW_DEVICE_MAX && only(v, device_bytes);

    case 1:
        return v->len >= 1 && v->len <= 15 && only(v, "0123456789")
               && (v->len == 1 || v->data[0] != '0');

    default:

        /* 43 characters are 258 bits: the last two are of no byte */

        return v->len == GW_SIGNATURE_TEXT_LEN && only(v, base64url_bytes)
               && (strchr(base64url_bytes, v->data[v->len - 1])
                   - base64url_bytes) % 4 == 0;
    }
}


/* one element, its blanks cut off; no good value holds a comma */

static int
second_element(const uint8_t *p, const uint8_t *end, second_t *second)
{
    int             quoted;
    unsigned        i;
    gw_str_t        v;
    const uint8_t  *eq;

    eq = p < end ? memchr(p, '=', (size_t) (end - p)) : NULL;

    if (eq == NULL) {
        return 0;
    }

    for (i = 0; i < 3; i++) {
        if ((size_t) (eq - p) == strlen(names[i])
            && strncasecmp((const char *) p, names[i], strlen(names[i])) == 0)
        {
            break;
        }
    }

    if (i == 3 || second->value[i].data) {
        return 0;
    }

    v.data = eq + 1;
    v.len = (size_t) (end - v.data);
    quoted = v.len >= 2 && v.data[0] == '"' && v.data[v.len - 1] == '"';

    if (quoted) {
        v.data++;
        v.len -= 2;
    }

    second->value[i] = v;

    return v.len && value_good(i, &v, quoted);
}


static int
second_reader(const uint8_t *p, size_t len, second_t *second)
{
    const uint8_t  *end, *comma, *from, *to;

    memset(second, 0, sizeof(second_t));

    end = p + len;
    from = p;

    for ( ;; ) {
        comma = from < end ? memchr(from, ',', (size_t) (end - from)) : NULL;
        to = comma ? comma : end;

        while (comma && to > from && (to[-1] == ' ' || to[-1] == '\t')) {
            to--;
        }

        if (!second_element(from, to, second)) {
            return 0;
        }

        if (comma == NULL) {
            break;
        }

        from = comma + 1;

        while (from < end && (*from == ' ' || *from == '\t')) {
            from++;
        }
    }

    return second->value[0].data && second->value[1].data
           && second->value[2].data;
}


static void
within(const char *what, const gw_str_t *v, const gw_str_t *want,
    const fuzz_copy_t *copy)
{
    fuzz_promise(v->data >= copy->data
                 && v->data + v->len <= copy->data + copy->len,
                 "%s is no view of the input", what);
    fuzz_promise(v->data == want->data && v->len == want->len,
                 "%s is \"%.*s\", the second reader says \"%.*s\"", what,
                 (int) v->len, (const char *) v->data, (int) want->len,
                 (const char *) want->data);
}


/* in every order, quoted, and of other letters where that may be */

static void
again(const gw_signature_t *s)
{
    char            text[512], sig[GW_SIGNATURE_TEXT_LEN + 1], part[3][200];
    int             len;
    unsigned        i;
    const char     *detail;
    fuzz_copy_t     copy;
    gw_signature_t  back;

    static const char  orders[6][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
        { 2, 1, 0 }
    };

    gw_base64url_encode(s->signature, GW_SIGNATURE_LEN, (uint8_t *) sig);
    sig[GW_SIGNATURE_TEXT_LEN] = '\0';

    for (i = 0; i < 6; i++) {
        snprintf(part[0], sizeof(part[0]), "%s=\"%.*s\"",
                 i & 1 ? "device" : "Device", (int) s->device.len,
                 (const char *) s->device.data);
        snprintf(part[1], sizeof(part[1]),
                 i & 1 ? "timestamp=\"%lld\"" : "TIMESTAMP=%lld",
                 (long long) s->time);
        snprintf(part[2], sizeof(part[2]),
                 i & 1 ? "signature=\"%s\"" : "sIgNature=%s", sig);

        len = snprintf(text, sizeof(text), i & 1 ? "%s, %s, %s" : "%s,%s ,\t%s",
                       part[(int) orders[i][0]], part[(int) orders[i][1]],
                       part[(int) orders[i][2]]);

        copy = fuzz_copy(text, (size_t) len);
        detail = "";

        fuzz_promise(gw_signature_parse(copy.data, copy.len, &back, &detail)
                     == GW_OK,
                     "written again, %s is refused: %s", text, detail);
        fuzz_promise(back.time == s->time
                     && back.timestamp.len == s->timestamp.len
                     && memcmp(back.timestamp.data, s->timestamp.data,
                               back.timestamp.len) == 0
                     && back.device.len == s->device.len
                     && memcmp(back.device.data, s->device.data,
                               back.device.len) == 0
                     && memcmp(back.signature, s->signature,
                               GW_SIGNATURE_LEN) == 0,
                     "written again, %s is read as another", text);

        fuzz_free(&copy);
    }
}


static void
clock_of(const gw_signature_t *s)
{
    int64_t  t;

    t = s->time;

    fuzz_promise(gw_signature_in_time(s, t, 0) == GW_OK
                 && gw_signature_in_time(s, t + 300, 300) == GW_OK
                 && gw_signature_in_time(s, t - 300, 300) == GW_OK
                 && gw_signature_in_time(s, t + 301, 300) == GW_DECLINED
                 && gw_signature_in_time(s, t - 301, 300) == GW_DECLINED
                 && gw_signature_in_time(s, INT64_MIN, UINT32_MAX)
                    == GW_DECLINED,
                 "%lld is not in its own time", (long long) t);
}


static int
parse(const fuzz_copy_t *copy)
{
    int             rc, want;
    char            digits[16];
    uint8_t         sig[GW_SIGNATURE_TEXT_LEN];
    second_t        second;
    const char     *detail;
    gw_signature_t  s;

    detail = NULL;
    rc = gw_signature_parse(copy->data, copy->len, &s, &detail);
    want = second_reader(copy->data, copy->len, &second) ? GW_OK : GW_ERROR;

    fuzz_promise(rc == want, "\"%.*s\" gives %d (%s), the second reader says "
                 "%d", (int) copy->len, (const char *) copy->data, rc,
                 detail ? detail : "no detail", want);

    if (rc != GW_OK) {
        fuzz_promise(detail && strlen(detail) > 10, "refused without a word");
        return rc;
    }

    within("device", &s.device, &second.value[0], copy);
    within("timestamp", &s.timestamp, &second.value[1], copy);

    /* at the end of the input no NUL stands behind them */

    snprintf(digits, sizeof(digits), "%.*s", (int) s.timestamp.len,
             (const char *) s.timestamp.data);
    fuzz_promise(s.time == strtoll(digits, NULL, 10), "%s is %lld", digits,
                 (long long) s.time);

    gw_base64url_encode(s.signature, GW_SIGNATURE_LEN, sig);
    fuzz_promise(memcmp(sig, second.value[2].data, sizeof(sig)) == 0,
                 "the signature is another");

    again(&s);
    clock_of(&s);

    return rc;
}


/* the next member: up to a byte 0xff, in memory that ends with it */

static fuzz_copy_t
next(const uint8_t **p, const uint8_t *end)
{
    fuzz_copy_t     copy;
    const uint8_t  *stop;

    stop = *p < end ? memchr(*p, 0xff, (size_t) (end - *p)) : NULL;
    stop = stop ? stop : end;
    copy = fuzz_copy(*p, (size_t) (stop - *p));
    *p = stop < end ? stop + 1 : end;

    return copy;
}


static void
text(const uint8_t *p, const uint8_t *end)
{
    int             n, want, i;
    char           *whole, *at, *line;
    size_t          len, room;
    gw_str_t       *out;
    unsigned        k;
    fuzz_copy_t     copy[MEMBERS];
    gw_signed_t     request;
    gw_signature_t  s;

    /* the places in the text of what stands in the input */

    static const unsigned  lines[MEMBERS] = { 0, 1, 4, 5, 6, 7, 8, 9, 2, 3 };

    gw_str_t  *const  fields[MEMBERS] = {
        &request.method, &request.target, &request.epoch, &request.seq,
        &request.class_name, &request.time, &request.type, &request.encoding,
        &s.device, &s.timestamp
    };

    memset(&s, 0, sizeof(s));
    room = sizeof("Gateway-HMAC-SHA256\n");
    want = GW_OK;

    for (k = 0; k < MEMBERS; k++) {
        copy[k] = next(&p, end);
        fields[k]->data = copy[k].data;
        fields[k]->len = copy[k].len;
        room += copy[k].len + 1;

        if (memchr(copy[k].data, '\n', copy[k].len)
            || memchr(copy[k].data, '\r', copy[k].len)
            || memchr(copy[k].data, '\0', copy[k].len))
        {
            want = GW_ERROR;
        }
    }

    /* of the promised size, not a view more */

    out = malloc(2 * GW_SIGNATURE_MEMBERS * sizeof(gw_str_t));
    whole = malloc(room);

    if (out == NULL || whole == NULL) {
        abort();
    }

    n = gw_signature_text(&s, &request, out);

    if (want == GW_ERROR) {
        fuzz_promise(n < 0, "a member that is more than a line is taken");
        goto done;
    }

    fuzz_promise(n >= GW_SIGNATURE_MEMBERS && n <= 2 * GW_SIGNATURE_MEMBERS,
                 "%d views", n);

    len = 0;

    for (i = 0; i < n; i++) {
        fuzz_promise(out[i].len && out[i].len < room - len,
                     "the text is longer than its members");
        memcpy(whole + len, out[i].data, out[i].len);
        len += out[i].len;
    }

    fuzz_promise(len == room - 1, "%zu bytes of text, not %zu", len, room - 1);
    fuzz_promise(memcmp(whole, "Gateway-HMAC-SHA256\n", 20) == 0,
                 "the first line is another");

    at = whole + 20;

    for (i = 0; i < MEMBERS; i++) {

        for (k = 0; lines[k] != (unsigned) i; k++) { /* void */ }

        line = at;
        at = memchr(at, '\n', (size_t) (whole + len - at));

        fuzz_promise(at && (size_t) (at - line) == copy[k].len
                     && memcmp(line, copy[k].data, copy[k].len) == 0,
                     "line %d does not give back its member", i + 2);
        at++;
    }

    fuzz_promise(at == whole + len, "more than the lines of the members");

done:

    for (k = 0; k < MEMBERS; k++) {
        fuzz_free(&copy[k]);
    }

    free(out);
    free(whole);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_copy_t     copy;
    const uint8_t  *p;

    copy = fuzz_copy(data, size);
    parse(&copy);
    fuzz_free(&copy);

    p = data;
    copy = next(&p, data + size);

    if (copy.len < size) {
        parse(&copy);
        text(p, data + size);
    }

    fuzz_free(&copy);

    return 0;
}
