/*
 * gw_keys_import.c - a JSON Web Key becomes a key of libcrypto, with a context
 * for each algorithm it may be used for (RFC 7517, RFC 7518 section 6, RFC
 * 8037); see gw_keys_key.h.
 *
 * Which algorithms these are is decided here, by the key's type, size and "alg"
 * alone: a token can only choose among them.
 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "gw_base64.h"
#include "gw_keys_key.h"


#define GW_KEYS_FIELD_MAX  1024        /* bytes of a decoded member */
#define GW_KEYS_RSA_MIN    2048        /* bits */
#define GW_KEYS_RSA_MAX    8192
#define GW_KEYS_EXP_MAX    8           /* bytes of an RSA exponent */
#define GW_KEYS_OKP_MAX    57          /* bytes of a public key: Ed448 */

/* what the decoder may write to for so many bytes */
#define gw_keys_room(max)  gw_base64_decoded(gw_base64url_encoded(max))

#define gw_keys_bit(alg)   ((uint32_t) 1 << (alg))


typedef struct {
    const char    *digest;             /* NULL: the algorithm has its own */
    unsigned       bytes;              /* of the digest */
    int            pss;
} gw_keys_alg_t;


typedef struct {
    const char    *crv;
    const char    *name;               /* libcrypto's, of group or key type */
    unsigned       bytes;              /* of a coordinate */
    gw_jwt_alg_e   alg;
} gw_keys_curve_t;


typedef struct {
    const char    *kty;
    int          (*import)(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey,
                           const char **why);
} gw_keys_type_t;


static int gw_keys_for_us(json_t *jwk);
static int gw_keys_kid(gw_key_t *key, json_t *jwk, const char **why);
static int gw_keys_only(gw_key_t *key, json_t *jwk, const char **why);
static int gw_keys_rsa(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey,
    const char **why);
static int gw_keys_ec(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey,
    const char **why);
static int gw_keys_okp(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey,
    const char **why);
static int gw_keys_oct(gw_key_t *key, json_t *jwk, EVP_MAC *hmac,
    const char **why);
static int gw_keys_private(json_t *jwk, const char **why);
static int gw_keys_curve(json_t *jwk, const gw_keys_curve_t *curves,
    const gw_keys_curve_t **curve, const char **why);
static int gw_keys_from_data(EVP_PKEY **pkey, const char *type,
    OSSL_PARAM_BLD *bld, const char **why);
static int gw_keys_prepare(gw_key_t *key, EVP_PKEY *pkey);
static int gw_keys_prepare_mac(gw_key_t *key, EVP_MAC *hmac,
    const uint8_t *secret, size_t len);
static int gw_keys_member(json_t *jwk, const char *name, uint8_t *dst,
    size_t max, size_t *n);


static const gw_keys_alg_t  gw_keys_algs[GW_JWT_ALG_N] = {
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { "SHA256", 32, 1 }, { "SHA384", 48, 1 }, { "SHA512", 64, 1 },
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { NULL, 0, 0 }
};


static const gw_keys_curve_t  gw_keys_ec_curves[] = {
    { "P-256", "P-256", 32, GW_JWT_ES256 },
    { "P-384", "P-384", 48, GW_JWT_ES384 },
    { "P-521", "P-521", 66, GW_JWT_ES512 },
    { NULL, NULL, 0, 0 }
};


/* RFC 8037: X25519 and X448 are no signature keys */

static const gw_keys_curve_t  gw_keys_okp_curves[] = {
    { "Ed25519", "ED25519", 32, GW_JWT_EDDSA },
    { "Ed448", "ED448", 57, GW_JWT_EDDSA },
    { NULL, NULL, 0, 0 }
};


static const gw_keys_type_t  gw_keys_types[] = {
    { "RSA", gw_keys_rsa },
    { "EC", gw_keys_ec },
    { "OKP", gw_keys_okp },
    { "oct", NULL },                   /* has no key of libcrypto's */
    { NULL, NULL }
};


int
gw_keys_import(gw_key_t *key, json_t *jwk, EVP_MAC *hmac, const char **why)
{
    int                    rc;
    EVP_PKEY              *pkey;
    const char            *kty;
    const gw_keys_type_t  *type;

    memset(key, 0, sizeof(gw_key_t));

    if (!json_is_object(jwk)) {
        *why = "not an object";
        return GW_ERROR;
    }

    kty = json_string_value(json_object_get(jwk, "kty"));

    if (kty == NULL) {
        *why = "no member \"kty\"";
        return GW_ERROR;
    }

    for (type = gw_keys_types; type->kty; type++) {
        if (strcmp(type->kty, kty) == 0) {
            break;
        }
    }

    if (type->kty == NULL || !gw_keys_for_us(jwk)) {
        return GW_DECLINED;
    }

    if (gw_keys_kid(key, jwk, why) != GW_OK) {
        return GW_ERROR;
    }

    pkey = NULL;

    if (type->import == NULL) {
        rc = gw_keys_oct(key, jwk, hmac, why);

    } else {
        rc = gw_keys_private(jwk, why);

        if (rc == GW_OK) {
            rc = type->import(key, jwk, &pkey, why);
        }

        if (rc == GW_OK) {
            rc = gw_keys_only(key, jwk, why);
        }

        if (rc == GW_OK && gw_keys_prepare(key, pkey) != GW_OK) {
            *why = "libcrypto cannot use it";
            rc = GW_ERROR;
        }
    }

    /* the contexts hold on to it */

    EVP_PKEY_free(pkey);

    if (rc != GW_OK) {
        gw_keys_destroy(key);
    }

    return rc;
}


void
gw_keys_destroy(gw_key_t *key)
{
    unsigned  i;

    for (i = 0; i < GW_JWT_ALG_N; i++) {
        EVP_MD_CTX_free(key->verify[i]);

        /* libcrypto overwrites the secret that it holds */

        EVP_MAC_CTX_free(key->mac[i]);
    }

    memset(key, 0, sizeof(gw_key_t));
}


/* RFC 7517 sections 4.2 and 4.3: a key for something else is no mistake */

static int
gw_keys_for_us(json_t *jwk)
{
    json_t      *use, *ops, *op;
    size_t       i;
    const char  *s;

    use = json_object_get(jwk, "use");
    s = json_string_value(use);

    if (use && (s == NULL || strcmp(s, "sig") != 0)) {
        return 0;
    }

    ops = json_object_get(jwk, "key_ops");

    if (ops == NULL) {
        return 1;
    }

    json_array_foreach(ops, i, op) {
        s = json_string_value(op);

        if (s && strcmp(s, "verify") == 0) {
            return 1;
        }
    }

    return 0;
}


static int
gw_keys_kid(gw_key_t *key, json_t *jwk, const char **why)
{
    size_t   len;
    json_t  *kid;

    kid = json_object_get(jwk, "kid");

    if (kid == NULL) {
        return GW_OK;
    }

    len = json_string_length(kid);

    if (!json_is_string(kid) || len == 0 || len > GW_JWT_KID_MAX) {
        *why = "\"kid\" must be a string of 1 to 128 bytes";
        return GW_ERROR;
    }

    key->kid_len = len;
    memcpy(key->kid, json_string_value(kid), len);

    return GW_OK;
}


/* of the algorithms of its type that one which the key is for, if it says so */

static int
gw_keys_only(gw_key_t *key, json_t *jwk, const char **why)
{
    json_t        *alg;
    gw_jwt_alg_e   only;

    alg = json_object_get(jwk, "alg");

    if (alg == NULL) {
        return GW_OK;
    }

    if (!json_is_string(alg)
        || gw_jwt_alg((const uint8_t *) json_string_value(alg),
                      json_string_length(alg), &only)
           != GW_OK
        || !(key->algs & gw_keys_bit(only)))
    {
        *why = "\"alg\" is not one of a key of this type and size";
        return GW_ERROR;
    }

    key->algs = gw_keys_bit(only);

    return GW_OK;
}


static int
gw_keys_rsa(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey, const char **why)
{
    int              rc, bits;
    size_t           n_len, e_len;
    BIGNUM          *n, *e;
    uint8_t          n_raw[gw_keys_room(GW_KEYS_FIELD_MAX)];
    uint8_t          e_raw[gw_keys_room(GW_KEYS_EXP_MAX)];
    OSSL_PARAM_BLD  *bld;

    if (gw_keys_member(jwk, "n", n_raw, GW_KEYS_FIELD_MAX, &n_len) != GW_OK
        || gw_keys_member(jwk, "e", e_raw, GW_KEYS_EXP_MAX, &e_len) != GW_OK)
    {
        *why = "\"n\" or \"e\" is missing, too long or no base64url";
        return GW_ERROR;
    }

    n = BN_bin2bn(n_raw, (int) n_len, NULL);
    e = BN_bin2bn(e_raw, (int) e_len, NULL);
    bld = OSSL_PARAM_BLD_new();
    rc = GW_ERROR;
    *why = "no memory";

    if (n && e && bld) {
        bits = BN_num_bits(n);

        if (bits < GW_KEYS_RSA_MIN || bits > GW_KEYS_RSA_MAX) {
            *why = "an RSA key must have 2048 to 8192 bits";

        } else if (!BN_is_odd(n)) {
            *why = "\"n\" is no modulus";

        } else if (!BN_is_odd(e) || BN_is_one(e)) {
            *why = "\"e\" is no exponent";

        } else if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n)
                   && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
        {
            rc = gw_keys_from_data(pkey, "RSA", bld, why);
        }
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    key->algs = gw_keys_bit(GW_JWT_RS256) | gw_keys_bit(GW_JWT_RS384)
                | gw_keys_bit(GW_JWT_RS512) | gw_keys_bit(GW_JWT_PS256)
                | gw_keys_bit(GW_JWT_PS384) | gw_keys_bit(GW_JWT_PS512);

    return rc;
}


static int
gw_keys_ec(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey, const char **why)
{
    int                     rc;
    size_t                  x_len, y_len;
    uint8_t                 x[gw_keys_room(GW_KEYS_EC_MAX)];
    uint8_t                 y[gw_keys_room(GW_KEYS_EC_MAX)];
    uint8_t                 point[1 + 2 * GW_KEYS_EC_MAX];
    OSSL_PARAM_BLD         *bld;
    const gw_keys_curve_t  *curve;

    rc = gw_keys_curve(jwk, gw_keys_ec_curves, &curve, why);
    if (rc != GW_OK) {
        return rc;
    }

    /* RFC 7518 section 6.2.1.2: of full length, zeros in front included */

    if (gw_keys_member(jwk, "x", x, GW_KEYS_EC_MAX, &x_len) != GW_OK
        || gw_keys_member(jwk, "y", y, GW_KEYS_EC_MAX, &y_len) != GW_OK
        || x_len != curve->bytes || y_len != curve->bytes)
    {
        *why = "\"x\" or \"y\" is missing or of a wrong length";
        return GW_ERROR;
    }

    point[0] = 0x04;                       /* SEC 1: uncompressed */
    memcpy(point + 1, x, x_len);
    memcpy(point + 1 + x_len, y, y_len);

    bld = OSSL_PARAM_BLD_new();
    rc = GW_ERROR;
    *why = "no memory";

    if (bld
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           curve->name, 0)
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + x_len + y_len))
    {
        rc = gw_keys_from_data(pkey, "EC", bld, why);
    }

    OSSL_PARAM_BLD_free(bld);

    key->half = curve->bytes;
    key->algs = gw_keys_bit(curve->alg);

    return rc;
}


static int
gw_keys_okp(gw_key_t *key, json_t *jwk, EVP_PKEY **pkey, const char **why)
{
    int                     rc;
    size_t                  n;
    uint8_t                 x[gw_keys_room(GW_KEYS_OKP_MAX)];
    const gw_keys_curve_t  *curve;

    rc = gw_keys_curve(jwk, gw_keys_okp_curves, &curve, why);
    if (rc != GW_OK) {
        return rc;
    }

    if (gw_keys_member(jwk, "x", x, GW_KEYS_OKP_MAX, &n) != GW_OK
        || n != curve->bytes)
    {
        *why = "\"x\" is missing or of a wrong length";
        return GW_ERROR;
    }

    *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, curve->name, NULL, x, n);

    if (*pkey == NULL) {
        *why = "\"x\" is no public key";
        return GW_ERROR;
    }

    key->algs = gw_keys_bit(curve->alg);

    return GW_OK;
}


static int
gw_keys_oct(gw_key_t *key, json_t *jwk, EVP_MAC *hmac, const char **why)
{
    int       rc;
    size_t    n;
    uint8_t   k[gw_keys_room(GW_KEYS_FIELD_MAX)];
    unsigned  i;

    if (gw_keys_member(jwk, "k", k, GW_KEYS_FIELD_MAX, &n) != GW_OK) {
        *why = "\"k\" is missing, too long or no base64url";
        OPENSSL_cleanse(k, sizeof(k));
        return GW_ERROR;
    }

    /* RFC 7518 section 3.2: a key of the digest's size or larger */

    for (i = GW_JWT_HS256; i <= GW_JWT_HS512; i++) {
        if (n >= gw_keys_algs[i].bytes) {
            key->algs |= gw_keys_bit(i);
        }
    }

    rc = GW_ERROR;

    if (key->algs == 0) {
        *why = "an HMAC secret must have 32 bytes or more";

    } else if (gw_keys_only(key, jwk, why) == GW_OK) {
        *why = "libcrypto cannot use it";
        rc = gw_keys_prepare_mac(key, hmac, k, n);
    }

    OPENSSL_cleanse(k, sizeof(k));

    return rc;
}


/* whoever has a private key here believes it to be a public one */

static int
gw_keys_private(json_t *jwk, const char **why)
{
    unsigned                  i;
    static const char *const  members[] = {
        "d", "p", "q", "dp", "dq", "qi", "oth", "k"
    };

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (json_object_get(jwk, members[i])) {
            *why = "a private key, which does not belong here";
            return GW_ERROR;
        }
    }

    return GW_OK;
}


/* GW_DECLINED: one that we do not know */

static int
gw_keys_curve(json_t *jwk, const gw_keys_curve_t *curves,
    const gw_keys_curve_t **curve, const char **why)
{
    const char  *crv;

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (crv == NULL) {
        *why = "no member \"crv\"";
        return GW_ERROR;
    }

    for (*curve = curves; (*curve)->crv; (*curve)++) {
        if (strcmp((*curve)->crv, crv) == 0) {
            return GW_OK;
        }
    }

    return GW_DECLINED;
}


/*
 * libcrypto reads no point that is not on its curve.  Its further check of a
 * public key would also look whether an RSA modulus is a prime, for 4 ms of
 * the event loop and more a key; whoever writes the file can do worse.
 */

static int
gw_keys_from_data(EVP_PKEY **pkey, const char *type, OSSL_PARAM_BLD *bld,
    const char **why)
{
    int            rc;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    rc = GW_ERROR;
    *why = "no public key";

    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1
        && EVP_PKEY_fromdata(ctx, pkey, EVP_PKEY_PUBLIC_KEY, params) == 1)
    {
        rc = GW_OK;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return rc;
}


/* a context for each algorithm of the key, to be copied */

static int
gw_keys_prepare(gw_key_t *key, EVP_PKEY *pkey)
{
    unsigned       i;
    EVP_PKEY_CTX  *pctx;

    for (i = 0; i < GW_JWT_ALG_N; i++) {

        if (!(key->algs & gw_keys_bit(i))) {
            continue;
        }

        key->verify[i] = EVP_MD_CTX_new();

        if (key->verify[i] == NULL
            || EVP_DigestVerifyInit_ex(key->verify[i], &pctx,
                                       gw_keys_algs[i].digest, NULL, NULL,
                                       pkey, NULL)
               != 1)
        {
            return GW_ERROR;
        }

        /* RFC 7518 section 3.5: a salt of the digest's size */

        if (gw_keys_algs[i].pss
            && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1
                || EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                                                    RSA_PSS_SALTLEN_DIGEST)
                   != 1))
        {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_keys_prepare_mac(gw_key_t *key, EVP_MAC *hmac, const uint8_t *secret,
    size_t len)
{
    unsigned    i;
    OSSL_PARAM  params[2];

    for (i = GW_JWT_HS256; i <= GW_JWT_HS512; i++) {

        if (!(key->algs & gw_keys_bit(i))) {
            continue;
        }

        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *) gw_keys_algs[i].digest, 0);
        params[1] = OSSL_PARAM_construct_end();

        key->mac[i] = EVP_MAC_CTX_new(hmac);

        if (key->mac[i] == NULL
            || EVP_MAC_init(key->mac[i], secret, len, params) != 1)
        {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


/* a base64url member of 1 to max bytes; dst takes gw_keys_room(max) */

static int
gw_keys_member(json_t *jwk, const char *name, uint8_t *dst, size_t max,
    size_t *n)
{
    size_t   len;
    json_t  *value;

    value = json_object_get(jwk, name);

    if (!json_is_string(value)) {
        return GW_ERROR;
    }

    len = json_string_length(value);

    if (len == 0 || len > gw_base64url_encoded(max)) {
        return GW_ERROR;
    }

    return gw_base64url_decode((const uint8_t *) json_string_value(value),
                               len, dst, n);
}
