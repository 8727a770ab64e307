/*
 * gw_jwt.c - tokens nobody issued; a second reader, on jansson's tree, says
 * what must come of them.
 *
 * The first byte of the input is the moment and the form: a token as it is
 * sent, or a header and a payload, parted by a dot, from which one is made, as
 * base64 hides from a fuzzer what it changes.
 *
 * Promises: what is taken apart, put together again, is the same bytes; the
 * header says what was read from it, and nothing that must not be there; an
 * identity obeys the bounds of gw_identity.h and the claims name it; a token
 * is refused for the first reason there is, and without one it is not.
 */

#include <jansson.h>

#include "fuzz.h"
#include "gw_base64.h"
#include "gw_jwt.h"


#define INPUT_MAX  1000

#define NOW     1800000000
#define LEEWAY  60
#define OPEN    (-1)           /* the second reader cannot say */


static const gw_str_t        names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static const gw_jwt_rules_t  rules = {
    gw_str("fleet"), gw_str("gateway"), gw_str("sub"),
    gw_str("gateway_classes"), gw_str("tenant"), gw_str("gateway_topics"),
    2, LEEWAY, names, 3
};

static const gw_json_limits_t  limits = {
    .max_bytes = 16384, .max_nodes = 4096, .max_depth = 64,
    .max_keys = 1024, .max_string = 16384, .max_number = 64
};

static uint64_t   arena[2][32768];
static gw_json_t  json, other;


static json_t *
tree(const uint8_t *p, size_t len)
{
    return json_loadb((const char *) p, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
}


static int
is(const json_t *value, const void *text, size_t len)
{
    return json_is_string(value) && json_string_length(value) == len
           && memcmp(json_string_value(value), text, len) == 0;
}


static int
printable(const char *p, size_t len, const char *but)
{
    for ( /* void */ ; len; len--, p++) {
        if (*p < ' ' || *p > '~' || strchr(but, *p)) {
            return 0;
        }
    }

    return 1;
}


/* a member that is missing or a text of min to max bytes that may be an id */

static int
text(const json_t *value, size_t min, size_t max)
{
    size_t  len;

    if (!json_is_string(value)) {
        return value == NULL && min == 0;
    }

    len = json_string_length(value);

    return len >= min && len <= max
           && printable(json_string_value(value), len, "\"\\");
}


/*
 * The names of a claim, each behind the last with a comma between.  -1: it is
 * no list of names.
 */

static int
collect(const json_t *value, char *list)
{
    int          part;
    char        *p;
    size_t       i, k, n, len;
    const char  *s;
    json_t      *item;

    p = list;
    n = json_is_array(value) ? json_array_size(value) : 1;

    for (i = 0; i < n; i++) {
        item = json_is_array(value) ? json_array_get(value, i)
                                    : (json_t *) value;

        if (!json_is_string(item)) {
            return -1;
        }

        s = json_string_value(item);
        len = json_string_length(item);
        part = 1;

        if (json_is_array(value)
            && (len == 0 || memchr(s, ',', len) || memchr(s, ' ', len)))
        {
            return -1;
        }

        for (k = 0; k < len; k++) {

            if (s[k] == ',' || s[k] == ' ') {
                part = 1;
                continue;
            }

            if (part && p != list) {
                *p++ = ',';
            }

            part = 0;
            *p++ = s[k];
        }
    }

    return (int) (p - list);
}


static int
is_topics(const char *list, int len)
{
    int  i, start;

    if (len > GW_TOPICS_MAX || !printable(list, (size_t) len, "\"\\ ")) {
        return 0;
    }

    for (i = 0, start = 0; i <= len; i++) {

        if (i < len && list[i] == '*' && i + 1 < len && list[i + 1] != ',') {
            return 0;
        }

        if (i == len || list[i] == ',') {

            if (len && (i == start
                        || i - start - (list[i - 1] == '*') > GW_TOPIC_MAX))
            {
                return 0;
            }

            start = i + 1;
        }
    }

    return 1;
}


static uint32_t
classes_of(const char *list, int len)
{
    int       i, start, k;
    uint32_t  bits;

    if (len == 1 && list[0] == '*') {
        return 7;
    }

    bits = 0;

    for (i = 0, start = 0; i <= len; i++) {

        if (i < len && list[i] != ',') {
            continue;
        }

        for (k = 0; k < 3; k++) {
            if (names[k].len == (size_t) (i - start)
                && memcmp(names[k].data, list + start, names[k].len) == 0)
            {
                bits |= 1u << k;
            }
        }

        start = i + 1;
    }

    return bits;
}


/* 1: a date, or none and none is needed; 0: no date; OPEN: a real number, or
   zero, of which the tree has lost the sign */

static int
date(const json_t *value, int needed, json_int_t *at)
{
    *at = 0;

    if (json_is_real(value)) {
        return OPEN;
    }

    if (!json_is_integer(value)) {
        return value == NULL && !needed;
    }

    *at = json_integer_value(value);

    if (*at == 0) {
        return OPEN;
    }

    return *at >= 0 && *at <= (json_int_t) GW_SEQ_MAX;
}


static int
audience(const json_t *value)
{
    size_t  i;

    for (i = 0; i < json_array_size(value); i++) {
        if (is(json_array_get(value, i), "gateway", 7)) {
            return 1;
        }
    }

    return is(value, "gateway", 7);
}


/* the verdict on claims that are JSON */

static int
judge(const json_t *claims, int64_t now)
{
    int            n, a, b, c;
    char           list[2 * INPUT_MAX];
    json_t        *value;
    json_int_t     exp, nbf, iat;

    if (!json_is_object(claims)) {
        return GW_JWT_E_CLAIMS;
    }

    a = date(json_object_get(claims, "exp"), 1, &exp);
    b = date(json_object_get(claims, "nbf"), 0, &nbf);
    c = date(json_object_get(claims, "iat"), 0, &iat);

    if (a == 0 || b == 0 || c == 0) {
        return GW_JWT_E_CLAIMS;
    }

    if (a == OPEN || b == OPEN || c == OPEN) {
        return OPEN;
    }

    if (!is(json_object_get(claims, "iss"), "fleet", 5)) {
        return GW_JWT_E_ISSUER;
    }

    if (!audience(json_object_get(claims, "aud"))) {
        return GW_JWT_E_AUDIENCE;
    }

    if (now - LEEWAY >= exp) {
        return GW_JWT_E_EXPIRED;
    }

    if (nbf - LEEWAY > now || iat - LEEWAY > now) {
        return GW_JWT_E_EARLY;
    }

    if (!text(json_object_get(claims, "sub"), 1, GW_DEVICE_MAX)) {
        return GW_JWT_E_DEVICE;
    }

    value = json_object_get(claims, "gateway_topics");
    n = value ? collect(value, list) : 0;

    if (n < 0 || !is_topics(list, n)
        || !text(json_object_get(claims, "tenant"), 0, GW_TENANT_MAX))
    {
        return GW_JWT_E_CLAIMS;
    }

    value = json_object_get(claims, "gateway_classes");

    return value && collect(value, list) < 0 ? GW_JWT_E_CLAIMS
                                             : GW_JWT_E_NONE;
}


/* an identity, against the claims it is from */

static void
identity_is(const gw_identity_t *id, const json_t *claims, int64_t now)
{
    int      n;
    char     list[2 * INPUT_MAX];
    json_t  *value;

    fuzz_promise(id->device_len && id->device_len <= GW_DEVICE_MAX
                 && id->tenant_len <= GW_TENANT_MAX
                 && id->topics_len <= GW_TOPICS_MAX
                 && id->speaks_for_len == 0 && id->classes < 8,
                 "an identity out of bounds");

    fuzz_promise(gw_identity_in_time(id, now, LEEWAY) == GW_OK,
                 "an identity out of its time");

    fuzz_promise(id->not_before >= 0
                 && id->not_after <= (int64_t) GW_SEQ_MAX,
                 "a date out of bounds");

    if (claims == NULL) {
        return;
    }

    fuzz_promise(is(json_object_get(claims, "sub"), id->device,
                    id->device_len), "another device");

    value = json_object_get(claims, "tenant");
    fuzz_promise(value ? is(value, id->tenant, id->tenant_len)
                       : id->tenant_len == 0, "another tenant");

    value = json_object_get(claims, "gateway_classes");
    fuzz_promise(id->classes == (value ? classes_of(list,
                                                    collect(value, list))
                                       : rules.classes), "other classes");

    value = json_object_get(claims, "gateway_topics");
    n = value ? collect(value, list) : 0;
    fuzz_promise(id->topics_len == n && memcmp(id->topics, list, (size_t) n)
                 == 0 && is_topics(list, n), "other topics");

    value = json_object_get(claims, "exp");
    fuzz_promise(json_is_number(value)
                 && (json_number_value(value) >= 4e15
                     || (int64_t) json_number_value(value) == id->not_after),
                 "another end");
}


static void
claims(const gw_jwt_t *jwt, int64_t now)
{
    int             rc, want;
    json_t         *value;
    gw_identity_t   id, again;
    gw_jwt_error_e  error;

    memset(&id, 0x5a, sizeof(id));
    memset(&again, 0xa5, sizeof(again));

    rc = gw_jwt_claims(&json, jwt, &rules, now, &id, &error);

    fuzz_promise((rc == GW_OK) == (error == GW_JWT_E_NONE)
                 && (rc == GW_OK || rc == GW_ERROR) && error < GW_JWT_E_N,
                 "claims() returns %d, error %d", rc, (int) error);

    value = tree(jwt->payload, jwt->payload_len);

    if (gw_json_parse(&other, jwt->payload, jwt->payload_len) != GW_OK) {
        want = GW_JWT_E_CLAIMS;

    } else {
        want = value ? judge(value, now) : OPEN;
    }

    fuzz_promise(want == OPEN || want == (int) error,
                 "claims: \"%s\", and not \"%s\"", gw_jwt_strerror(error),
                 gw_jwt_strerror((gw_jwt_error_e) want));

    if (rc == GW_OK) {
        identity_is(&id, value, now);

        (void) gw_jwt_claims(&json, jwt, &rules, now, &again, &error);
        fuzz_promise(again.device_len == id.device_len
                     && again.classes == id.classes
                     && again.not_after == id.not_after,
                     "another verdict at the second time");
    }

    json_decref(value);
}


/* the verdict on a header that is JSON; of what holds, who reads it */

static int
header(const json_t *value, const gw_jwt_t *jwt)
{
    size_t        i, len;
    json_t       *alg, *kid;
    gw_jwt_alg_e  a;
    static const char *const  never[] = {
        "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t",
        "x5t#S256"
    };

    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (json_object_get(value, never[i])) {
            return GW_JWT_E_HEADER;
        }
    }

    alg = json_object_get(value, "alg");
    kid = json_object_get(value, "kid");

    if (!json_is_string(alg)) {
        return GW_JWT_E_HEADER;
    }

    for (i = 0; i < GW_JWT_ALG_N; i++) {
        a = (gw_jwt_alg_e) i;

        if (is(alg, gw_jwt_alg_name(a), strlen(gw_jwt_alg_name(a)))) {
            break;
        }
    }

    if (i == GW_JWT_ALG_N) {
        return GW_JWT_E_ALG;
    }

    len = json_string_length(kid);

    if (kid && (!json_is_string(kid) || len == 0 || len > GW_JWT_KID_MAX)) {
        return GW_JWT_E_HEADER;
    }

    if (jwt) {
        fuzz_promise(jwt->alg == i, "another algorithm");
        fuzz_promise(jwt->kid_len == (kid ? len : 0)
                     && (kid == NULL || is(kid, jwt->kid, jwt->kid_len)),
                     "another kid");
    }

    return GW_JWT_E_NONE;
}


/* what was taken apart is what was sent */

static void
whole(const uint8_t *token, size_t len, const gw_jwt_t *jwt)
{
    size_t          n;
    uint8_t         text_[2 * GW_JWT_MAX];
    const uint8_t  *p, *dot;

    dot = memchr(token, '.', len);
    fuzz_promise(dot != NULL, "a token without a dot");

    n = (size_t) (dot + 1 - token);
    memcpy(text_, token, n);
    n += gw_base64url_encode(jwt->payload, jwt->payload_len, text_ + n);

    fuzz_promise(jwt->signed_part.data == token && jwt->signed_part.len == n
                 && n < len && token[n] == '.', "signed is something else");

    text_[n++] = '.';
    n += gw_base64url_encode(jwt->signature, jwt->signature_len, text_ + n);

    fuzz_promise(n == len && memcmp(text_, token, n) == 0,
                 "two spellings of one token");

    for (p = token, n = 0; p < token + len; p++) {
        n += *p == '.';
    }

    fuzz_promise(n == 2 && jwt->signature_len
                 && jwt->signature_len <= GW_JWT_SIG_MAX
                 && jwt->kid_len <= GW_JWT_KID_MAX
                 && len <= GW_JWT_MAX, "out of bounds");
}


static void
first_segment(const uint8_t *token, size_t len, const gw_jwt_t *jwt,
    gw_jwt_error_e error)
{
    int             want;
    size_t          n;
    json_t         *value;
    uint8_t         text_[GW_JWT_MAX];
    const uint8_t  *dot;

    if (error == GW_JWT_E_FORM) {
        return;
    }

    dot = memchr(token, '.', len);

    fuzz_promise(dot != NULL
                 && gw_base64url_decode(token, (size_t) (dot - token), text_,
                                        &n)
                    == GW_OK, "a header that is no base64url");

    value = tree(text_, n);

    if (gw_json_parse(&other, text_, n) != GW_OK) {
        want = GW_JWT_E_HEADER;

    } else if (value == NULL) {
        want = OPEN;

    } else {
        want = header(value, error == GW_JWT_E_NONE ? jwt : NULL);
    }

    fuzz_promise(want == OPEN || want == (int) error,
                 "header: \"%s\", and not \"%s\"", gw_jwt_strerror(error),
                 gw_jwt_strerror((gw_jwt_error_e) want));

    json_decref(value);
}


static void
parse(const uint8_t *token, size_t len, int64_t now)
{
    int              rc;
    gw_jwt_error_e   error;
    static gw_jwt_t  jwt;

    memset(&jwt, (int) len, sizeof(jwt));

    rc = gw_jwt_parse(&json, token, len, &jwt, &error);

    fuzz_promise((rc == GW_OK) == (error == GW_JWT_E_NONE)
                 && (rc == GW_OK || rc == GW_ERROR)
                 && (error <= GW_JWT_E_ALG), "parse() returns %d, error %d",
                 rc, (int) error);

    first_segment(token, len, &jwt, error);

    if (rc == GW_OK) {
        whole(token, len, &jwt);
        claims(&jwt, now);
    }
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    json_object_seed(1);

    if (gw_json_arena_size(&limits) > sizeof(arena[0])
        || gw_json_init(&json, &limits, arena[0], 1) != GW_OK
        || gw_json_init(&other, &limits, arena[1], 2) != GW_OK)
    {
        abort();
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t         now;
    size_t          n, head;
    uint8_t         made[2 * INPUT_MAX];
    fuzz_copy_t     copy;
    const uint8_t  *dot;

    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }

    /* '0' to '9': seconds round NOW; the bit of a letter says which form */

    now = NOW + data[0] % 16 - 8;

    if (!(data[0] & 0x40)) {
        copy = fuzz_copy(data + 1, size - 1);

    } else {
        dot = memchr(data + 1, '.', size - 1);
        head = dot ? (size_t) (dot - (data + 1)) : size - 1;

        n = gw_base64url_encode(data + 1, head, made);
        made[n++] = '.';

        if (dot) {
            n += gw_base64url_encode(dot + 1, size - head - 2, made + n);
        }

        memcpy(made + n, ".AAAA", 5);
        copy = fuzz_copy(made, n + 5);
    }

    parse(copy.data, copy.len, now);
    fuzz_free(&copy);

    return 0;
}
