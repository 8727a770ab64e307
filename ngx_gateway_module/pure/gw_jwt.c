/*
 * gw_jwt.c - see gw_jwt.h.
 */

#include "gw_base64.h"
#include "gw_jwt.h"


#define GW_JWT_HEADER_MAX  2048        /* characters of the first segment */

/* bytes of a string as it is spelled, where escapes must be resolved; a device
   of which each character is one takes 768 */
#define GW_JWT_RAW_MAX     GW_JWT_LIST_MAX


typedef struct {
    const uint8_t   *doc;
    gw_json_node_t  *object;
    gw_json_node_t  *tape;
} gw_jwt_object_t;


static int gw_jwt_object(gw_json_t *json, const uint8_t *doc, size_t len,
    gw_jwt_object_t *object);
static const gw_json_node_t *gw_jwt_member(const gw_jwt_object_t *object,
    const char *name, size_t len);
static const gw_json_node_t *gw_jwt_claim(const gw_jwt_object_t *object,
    const gw_str_t *name);
static int gw_jwt_is(const gw_jwt_object_t *object,
    const gw_json_node_t *node, const uint8_t *text, size_t len);
static int gw_jwt_text(const gw_jwt_object_t *object,
    const gw_json_node_t *node, uint8_t *dst, size_t max, size_t *len);
static int gw_jwt_date(const gw_jwt_object_t *object, const char *name,
    size_t len, int needed, int64_t *date);
static int gw_jwt_listed(const gw_jwt_object_t *object,
    const gw_json_node_t *node, const gw_str_t *text);
static int gw_jwt_classes(const gw_jwt_object_t *object,
    const gw_jwt_rules_t *rules, uint32_t *classes);
static int gw_jwt_topics(const gw_jwt_object_t *object,
    const gw_jwt_rules_t *rules, gw_identity_t *identity);
static int gw_jwt_names(const gw_jwt_object_t *object, const gw_str_t *claim,
    uint8_t *dst, size_t *len);
static size_t gw_jwt_commas(uint8_t *p, size_t len);


static const char *const  gw_jwt_algs[GW_JWT_ALG_N] = {
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
    "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
};


static const char *const  gw_jwt_errors[GW_JWT_E_N] = {
    "no error",
    "not a compact JWS",
    "bad or unusable header",
    "algorithm not allowed",
    "no key for it",
    "bad signature",
    "bad claims",
    "expired",
    "not valid yet",
    "another issuer",
    "another audience",
    "no usable device"
};


/*
 * Header members that must not be there: what we do not understand though it
 * says that we must (crit), what changes the form (b64, zip, enc), and keys or
 * places of keys that the token names for itself.
 */

static const gw_str_t  gw_jwt_refused[] = {
    gw_str("crit"), gw_str("b64"), gw_str("zip"), gw_str("enc"),
    gw_str("jwk"), gw_str("jku"), gw_str("x5u"), gw_str("x5c"),
    gw_str("x5t"), gw_str("x5t#S256"), gw_str_null
};


int
gw_jwt_alg(const uint8_t *p, size_t len, gw_jwt_alg_e *alg)
{
    unsigned  i;

    for (i = 0; i < GW_JWT_ALG_N; i++) {
        if (strlen(gw_jwt_algs[i]) == len
            && memcmp(gw_jwt_algs[i], p, len) == 0)
        {
            *alg = (gw_jwt_alg_e) i;
            return GW_OK;
        }
    }

    return GW_ERROR;
}


const char *
gw_jwt_alg_name(gw_jwt_alg_e alg)
{
    return (unsigned) alg < GW_JWT_ALG_N ? gw_jwt_algs[alg] : "none";
}


const char *
gw_jwt_strerror(gw_jwt_error_e error)
{
    return (unsigned) error < GW_JWT_E_N ? gw_jwt_errors[error]
                                         : gw_jwt_errors[GW_JWT_E_FORM];
}


int
gw_jwt_parse(gw_json_t *json, const uint8_t *token, size_t len, gw_jwt_t *jwt,
    gw_jwt_error_e *error)
{
    size_t                 n, alg_len, sig_len;
    uint8_t                alg[16];
    const uint8_t         *p, *dot, *sig, *last;
    const gw_str_t        *name;
    gw_jwt_object_t        header;
    const gw_json_node_t  *node;

    *error = GW_JWT_E_FORM;

    if (len == 0 || len > GW_JWT_MAX) {
        return GW_ERROR;
    }

    last = token + len;

    dot = memchr(token, '.', len);
    if (dot == NULL || dot - token > GW_JWT_HEADER_MAX) {
        return GW_ERROR;
    }

    p = dot + 1;

    sig = memchr(p, '.', (size_t) (last - p));
    if (sig == NULL) {
        return GW_ERROR;
    }

    jwt->signed_part.data = token;
    jwt->signed_part.len = (size_t) (sig - token);

    sig++;
    sig_len = (size_t) (last - sig);

    /* a fourth segment fails here: "." is no character of base64url */

    if (sig_len == 0 || sig_len > gw_base64url_encoded(GW_JWT_SIG_MAX)
        || gw_base64url_decode(sig, sig_len, jwt->signature,
                               &jwt->signature_len)
           != GW_OK)
    {
        return GW_ERROR;
    }

    /* the header is done with before its place is taken by the payload */

    if (dot == token
        || gw_base64url_decode(token, (size_t) (dot - token), jwt->payload,
                               &n)
           != GW_OK)
    {
        return GW_ERROR;
    }

    *error = GW_JWT_E_HEADER;

    if (gw_jwt_object(json, jwt->payload, n, &header) != GW_OK) {
        return GW_ERROR;
    }

    for (name = gw_jwt_refused; name->len; name++) {
        if (gw_jwt_member(&header, (const char *) name->data, name->len)) {
            return GW_ERROR;
        }
    }

    node = gw_jwt_member(&header, "alg", 3);

    if (node == NULL || node->type != GW_JSON_STRING) {
        return GW_ERROR;
    }

    if (gw_jwt_text(&header, node, alg, sizeof(alg), &alg_len) != GW_OK
        || gw_jwt_alg(alg, alg_len, &jwt->alg) != GW_OK)
    {
        *error = GW_JWT_E_ALG;
        return GW_ERROR;
    }

    node = gw_jwt_member(&header, "kid", 3);
    jwt->kid_len = 0;

    if (node
        && (gw_jwt_text(&header, node, jwt->kid, GW_JWT_KID_MAX,
                        &jwt->kid_len)
            != GW_OK
            || jwt->kid_len == 0))
    {
        return GW_ERROR;
    }

    *error = GW_JWT_E_FORM;

    if (gw_base64url_decode(p, (size_t) (sig - 1 - p), jwt->payload,
                            &jwt->payload_len)
        != GW_OK)
    {
        return GW_ERROR;
    }

    *error = GW_JWT_E_NONE;

    return GW_OK;
}


int
gw_jwt_claims(gw_json_t *json, const gw_jwt_t *jwt,
    const gw_jwt_rules_t *rules, int64_t now, gw_identity_t *identity,
    gw_jwt_error_e *error)
{
    size_t                 n;
    int64_t                exp, nbf, iat;
    gw_jwt_object_t        claims;
    const gw_json_node_t  *node;

    *error = GW_JWT_E_CLAIMS;

    if (gw_jwt_object(json, jwt->payload, jwt->payload_len, &claims) != GW_OK
        || gw_jwt_date(&claims, "exp", 3, 1, &exp) != GW_OK
        || gw_jwt_date(&claims, "nbf", 3, 0, &nbf) != GW_OK
        || gw_jwt_date(&claims, "iat", 3, 0, &iat) != GW_OK)
    {
        return GW_ERROR;
    }

    if (rules->issuer.len) {
        node = gw_jwt_member(&claims, "iss", 3);

        if (node == NULL || !gw_jwt_is(&claims, node, rules->issuer.data,
                                       rules->issuer.len))
        {
            *error = GW_JWT_E_ISSUER;
            return GW_ERROR;
        }
    }

    if (rules->audience.len) {
        node = gw_jwt_member(&claims, "aud", 3);

        if (node == NULL || !gw_jwt_listed(&claims, node, &rules->audience)) {
            *error = GW_JWT_E_AUDIENCE;
            return GW_ERROR;
        }
    }

    /* leeway is at most some minutes, dates below 2^53: no sum overflows */

    if (now >= exp + (int64_t) rules->leeway) {
        *error = GW_JWT_E_EXPIRED;
        return GW_ERROR;
    }

    if (nbf > now + (int64_t) rules->leeway
        || iat > now + (int64_t) rules->leeway)
    {
        *error = GW_JWT_E_EARLY;
        return GW_ERROR;
    }

    *error = GW_JWT_E_DEVICE;

    node = gw_jwt_claim(&claims, &rules->device_claim);

    if (node == NULL
        || gw_jwt_text(&claims, node, identity->device, GW_DEVICE_MAX, &n)
           != GW_OK
        || n == 0 || gw_identity_text_valid(identity->device, n) != GW_OK)
    {
        return GW_ERROR;
    }

    identity->device_len = (uint8_t) n;

    *error = GW_JWT_E_CLAIMS;

    node = gw_jwt_claim(&claims, &rules->tenant_claim);
    n = 0;

    if (node
        && (gw_jwt_text(&claims, node, identity->tenant, GW_TENANT_MAX, &n)
            != GW_OK
            || gw_identity_text_valid(identity->tenant, n) != GW_OK))
    {
        return GW_ERROR;
    }

    identity->tenant_len = (uint8_t) n;

    if (gw_jwt_classes(&claims, rules, &identity->classes) != GW_OK
        || gw_jwt_topics(&claims, rules, identity) != GW_OK)
    {
        return GW_ERROR;
    }

    identity->speaks_for_len = 0;
    identity->not_before = nbf;
    identity->not_after = exp;

    *error = GW_JWT_E_NONE;

    return GW_OK;
}


static int
gw_jwt_object(gw_json_t *json, const uint8_t *doc, size_t len,
    gw_jwt_object_t *object)
{
    if (gw_json_parse(json, doc, len) != GW_OK
        || json->tape[0].type != GW_JSON_OBJECT)
    {
        return GW_ERROR;
    }

    object->doc = doc;
    object->tape = json->tape;
    object->object = json->tape;

    return GW_OK;
}


/* the value of that member; a name may be spelled with escapes */

static const gw_json_node_t *
gw_jwt_member(const gw_jwt_object_t *object, const char *name, size_t len)
{
    unsigned               i;
    const gw_json_node_t  *key;

    key = object->object + 1;

    for (i = 0; i < object->object->count; i++) {

        if (gw_jwt_is(object, key, (const uint8_t *) name, len)) {
            return key + 1;
        }

        key = object->tape + key[1].next;
    }

    return NULL;
}


/* a claim that is not asked for (len 0) is not the member "" */

static const gw_json_node_t *
gw_jwt_claim(const gw_jwt_object_t *object, const gw_str_t *name)
{
    if (name->len == 0) {
        return NULL;
    }

    return gw_jwt_member(object, (const char *) name->data, name->len);
}


static int
gw_jwt_is(const gw_jwt_object_t *object, const gw_json_node_t *node,
    const uint8_t *text, size_t len)
{
    size_t   n;
    uint8_t  buf[GW_JWT_RAW_MAX];

    if (node->type != GW_JSON_STRING) {
        return 0;
    }

    if (!(node->flags & GW_JSON_F_ESCAPED)) {
        return node->len == len
               && memcmp(object->doc + node->off, text, len) == 0;
    }

    if (node->len > sizeof(buf)) {
        return 0;
    }

    n = gw_json_unescape(object->doc, node, buf);

    return n == len && memcmp(buf, text, len) == 0;
}


/* a string of at most max bytes, escapes resolved */

static int
gw_jwt_text(const gw_jwt_object_t *object, const gw_json_node_t *node,
    uint8_t *dst, size_t max, size_t *len)
{
    uint8_t  buf[GW_JWT_RAW_MAX];

    if (node->type != GW_JSON_STRING || node->len > sizeof(buf)) {
        return GW_ERROR;
    }

    *len = gw_json_unescape(object->doc, node, buf);

    if (*len > max) {
        return GW_ERROR;
    }

    memcpy(dst, buf, *len);

    return GW_OK;
}


/* RFC 7519 section 2, NumericDate; 0 where there is none and none is needed */

static int
gw_jwt_date(const gw_jwt_object_t *object, const char *name, size_t len,
    int needed, int64_t *date)
{
    uint64_t               v;
    const uint8_t         *p, *last;
    const gw_json_node_t  *node;

    *date = 0;

    node = gw_jwt_member(object, name, len);

    if (node == NULL) {
        return needed ? GW_ERROR : GW_OK;
    }

    if (node->type != GW_JSON_NUMBER) {
        return GW_ERROR;
    }

    p = object->doc + node->off;
    last = p + node->len;
    v = 0;

    while (p < last && *p != '.') {

        /* a sign, an exponent, more than 2^53 - 1: no date anybody made */

        if (*p < '0' || *p > '9' || v > GW_SEQ_MAX / 10) {
            return GW_ERROR;
        }

        v = v * 10 + (uint64_t) (*p++ - '0');
    }

    while (++p < last) {
        if (*p < '0' || *p > '9') {
            return GW_ERROR;
        }
    }

    if (v > GW_SEQ_MAX) {
        return GW_ERROR;
    }

    *date = (int64_t) v;

    return GW_OK;
}


/* RFC 7519 section 4.1.3: a string, or an array of them */

static int
gw_jwt_listed(const gw_jwt_object_t *object, const gw_json_node_t *node,
    const gw_str_t *text)
{
    unsigned               i;
    const gw_json_node_t  *item;

    if (node->type != GW_JSON_ARRAY) {
        return gw_jwt_is(object, node, text->data, text->len);
    }

    item = node + 1;

    for (i = 0; i < node->count; i++) {

        if (gw_jwt_is(object, item, text->data, text->len)) {
            return 1;
        }

        item = object->tape + item->next;
    }

    return 0;
}


static int
gw_jwt_classes(const gw_jwt_object_t *object, const gw_jwt_rules_t *rules,
    uint32_t *classes)
{
    int      rc;
    size_t   len;
    uint8_t  list[GW_JWT_LIST_MAX];

    rc = gw_jwt_names(object, &rules->classes_claim, list, &len);

    /* a claim that names none is another thing than no claim */

    *classes = rules->classes;

    if (rc == GW_OK) {
        *classes = gw_identity_classes(rules->class_names, rules->nclasses,
                                       list, len, NULL);
    }

    return rc == GW_ERROR ? GW_ERROR : GW_OK;
}


static int
gw_jwt_topics(const gw_jwt_object_t *object, const gw_jwt_rules_t *rules,
    gw_identity_t *identity)
{
    int      rc;
    size_t   len;
    uint8_t  list[GW_JWT_LIST_MAX];

    identity->topics_len = 0;

    rc = gw_jwt_names(object, &rules->topics_claim, list, &len);

    if (rc != GW_OK) {
        return rc == GW_ERROR ? GW_ERROR : GW_OK;
    }

    if (gw_identity_list_valid(list, len, GW_TOPICS_MAX, GW_TOPIC_MAX)
        != GW_OK)
    {
        return GW_ERROR;
    }

    memcpy(identity->topics, list, len);
    identity->topics_len = (uint16_t) len;

    return GW_OK;
}


/*
 * The names of a claim, parted by one comma each, in dst of GW_JWT_LIST_MAX
 * bytes.  GW_DECLINED: there is no such claim.  A string of an array is one
 * name: with a comma or a blank in it, it would become two.
 */

static int
gw_jwt_names(const gw_jwt_object_t *object, const gw_str_t *claim,
    uint8_t *dst, size_t *len)
{
    size_t                 n, at;
    unsigned               i;
    const gw_json_node_t  *node, *item;

    node = gw_jwt_claim(object, claim);

    if (node == NULL) {
        return GW_DECLINED;
    }

    if (node->type != GW_JSON_ARRAY) {

        if (gw_jwt_text(object, node, dst, GW_JWT_LIST_MAX, &n) != GW_OK) {
            return GW_ERROR;
        }

        *len = gw_jwt_commas(dst, n);

        return GW_OK;
    }

    item = node + 1;
    at = 0;

    for (i = 0; i < node->count; i++) {

        if (i) {

            if (at == GW_JWT_LIST_MAX) {
                return GW_ERROR;
            }

            dst[at++] = ',';
        }

        if (gw_jwt_text(object, item, dst + at, GW_JWT_LIST_MAX - at, &n)
            != GW_OK
            || n == 0
            || memchr(dst + at, ',', n) || memchr(dst + at, ' ', n))
        {
            return GW_ERROR;
        }

        at += n;
        item = object->tape + item->next;
    }

    *len = at;

    return GW_OK;
}


/* any run of commas and blanks becomes one comma, and none at an end */

static size_t
gw_jwt_commas(uint8_t *p, size_t len)
{
    int     parted;
    size_t  i, n;

    n = 0;
    parted = 0;

    for (i = 0; i < len; i++) {

        if (p[i] == ',' || p[i] == ' ') {
            parted = (n != 0);
            continue;
        }

        if (parted) {
            p[n++] = ',';
            parted = 0;
        }

        p[n++] = p[i];
    }

    return n;
}
