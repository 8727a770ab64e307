/*
 * gw_keys.c - key sets and signatures, on libcrypto; see gw_keys.h.
 *
 * The set is read by jansson: a tree serves, and nobody waits for it.
 */

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "gw_base64.h"
#include "gw_keys.h"


#define GW_KEYS_TEXT_MAX   (1024 * 1024)
#define GW_KEYS_FIELD_MAX  1024        /* bytes of a decoded member */
#define GW_KEYS_RSA_MIN    2048        /* bits */
#define GW_KEYS_RSA_MAX    8192

#define GW_KEYS_EC_MAX     66          /* bytes of a coordinate: P-521 */


typedef struct {
    uint8_t      kid[GW_JWT_KID_MAX];
    size_t       kid_len;
    uint32_t     algs;                 /* bit of each gw_jwt_alg_e */
    EVP_PKEY    *pkey;                 /* NULL: an HMAC secret */
    unsigned     half;                 /* bytes of R and of S; 0: not EC */

    /* made ready at load: a verification copies the one or starts the other */
    EVP_MD_CTX  *verify[GW_JWT_ALG_N];
    EVP_MAC_CTX *mac[GW_JWT_ALG_N];
} gw_key_t;


struct gw_keys_s {
    unsigned     n;
    EVP_MAC     *hmac;
    EVP_MD_CTX  *ctx;                  /* of the verification under way */
    gw_key_t     key[GW_KEYS_MAX];
};


typedef struct {
    const char  *digest;               /* NULL: the algorithm has its own */
    unsigned     bytes;                /* of the digest */
    int          pss;
} gw_keys_alg_t;


typedef struct {
    const char    *crv;
    const char    *group;
    unsigned       half;
    gw_jwt_alg_e   alg;
} gw_keys_curve_t;


static const gw_keys_alg_t  gw_keys_algs[GW_JWT_ALG_N] = {
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { "SHA256", 32, 1 }, { "SHA384", 48, 1 }, { "SHA512", 64, 1 },
    { "SHA256", 32, 0 }, { "SHA384", 48, 0 }, { "SHA512", 64, 0 },
    { NULL, 0, 0 }
};


static const gw_keys_curve_t  gw_keys_curves[] = {
    { "P-256", "P-256", 32, GW_JWT_ES256 },
    { "P-384", "P-384", 48, GW_JWT_ES384 },
    { "P-521", "P-521", 66, GW_JWT_ES512 },
    { NULL, NULL, 0, 0 }
};


static int gw_keys_add(gw_keys_t *keys, json_t *jwk, const char **why);
static int gw_keys_for_us(json_t *jwk);
static int gw_keys_add_rsa(gw_key_t *key, json_t *jwk, const char **why);
static int gw_keys_add_ec(gw_key_t *key, json_t *jwk, const char **why);
static int gw_keys_add_okp(gw_key_t *key, json_t *jwk, const char **why);
static int gw_keys_add_oct(gw_keys_t *keys, gw_key_t *key, json_t *jwk,
    const char **why);
static int gw_keys_from_data(gw_key_t *key, const char *type,
    OSSL_PARAM_BLD *bld, const char **why);
static int gw_keys_prepare(gw_key_t *key);
static int gw_keys_member(json_t *jwk, const char *name, uint8_t *dst,
    size_t *n);
static void gw_keys_free_key(gw_key_t *key);
static int gw_keys_verify_mac(EVP_MAC_CTX *mac, unsigned bytes,
    const gw_jwt_t *jwt);
static size_t gw_keys_der(const uint8_t *sig, unsigned half, uint8_t *dst);
static uint8_t *gw_keys_der_integer(uint8_t *p, const uint8_t *n,
    unsigned half);


gw_keys_t *
gw_keys_load(const uint8_t *text, size_t len, char *error, size_t error_size)
{
    json_t        *root, *list, *jwk, *kid;
    size_t         i;
    gw_keys_t     *keys;
    const char    *why;
    json_error_t   jerr;

    if (len > GW_KEYS_TEXT_MAX) {
        snprintf(error, error_size, "the key set is larger than 1 MiB");
        return NULL;
    }

    root = json_loadb((const char *) text, len, JSON_REJECT_DUPLICATES,
                      &jerr);

    /* the text of jansson's message may quote the file, its place may not */

    if (root == NULL) {
        snprintf(error, error_size, "not JSON, line %d column %d", jerr.line,
                 jerr.column);
        return NULL;
    }

    keys = calloc(1, sizeof(gw_keys_t));
    why = NULL;
    i = 0;
    jwk = NULL;

    if (keys == NULL
        || (keys->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL
        || (keys->ctx = EVP_MD_CTX_new()) == NULL)
    {
        snprintf(error, error_size, "no memory");
        goto failed;
    }

    list = json_object_get(root, "keys");

    if (!json_is_array(list)) {
        snprintf(error, error_size, "no member \"keys\" that is an array");
        goto failed;
    }

    json_array_foreach(list, i, jwk) {

        if (gw_keys_add(keys, jwk, &why) != GW_OK) {
            kid = json_object_get(jwk, "kid");

            snprintf(error, error_size, "key %u%s%.*s%s: %s", (unsigned) i,
                     json_is_string(kid) ? " (kid \"" : "",
                     json_is_string(kid) ? GW_JWT_KID_MAX : 0,
                     json_is_string(kid) ? json_string_value(kid) : "",
                     json_is_string(kid) ? "\")" : "", why);
            goto failed;
        }
    }

    if (keys->n == 0) {
        snprintf(error, error_size, "no key that could verify a token");
        goto failed;
    }

    json_decref(root);
    ERR_clear_error();

    return keys;

failed:

    json_decref(root);
    gw_keys_free(keys);
    ERR_clear_error();

    return NULL;
}


void
gw_keys_free(gw_keys_t *keys)
{
    unsigned  i;

    if (keys == NULL) {
        return;
    }

    for (i = 0; i < keys->n; i++) {
        gw_keys_free_key(&keys->key[i]);
    }

    EVP_MD_CTX_free(keys->ctx);
    EVP_MAC_free(keys->hmac);
    free(keys);
}


static void
gw_keys_free_key(gw_key_t *key)
{
    unsigned  i;

    for (i = 0; i < GW_JWT_ALG_N; i++) {
        EVP_MD_CTX_free(key->verify[i]);

        /* libcrypto overwrites the secret that it holds */
        EVP_MAC_CTX_free(key->mac[i]);
    }

    EVP_PKEY_free(key->pkey);
}


unsigned
gw_keys_count(const gw_keys_t *keys)
{
    return keys->n;
}


static int
gw_keys_add(gw_keys_t *keys, json_t *jwk, const char **why)
{
    int            rc;
    json_t        *kid, *alg;
    unsigned       i;
    gw_key_t      *key;
    const char    *kty;
    gw_jwt_alg_e   only;

    if (!json_is_object(jwk)) {
        *why = "not an object";
        return GW_ERROR;
    }

    kty = json_string_value(json_object_get(jwk, "kty"));

    if (kty == NULL) {
        *why = "no member \"kty\"";
        return GW_ERROR;
    }

    if (!gw_keys_for_us(jwk)) {
        return GW_OK;
    }

    if (keys->n == GW_KEYS_MAX) {
        *why = "one key too many";
        return GW_ERROR;
    }

    key = &keys->key[keys->n];
    memset(key, 0, sizeof(gw_key_t));

    kid = json_object_get(jwk, "kid");

    if (kid) {

        if (!json_is_string(kid) || json_string_length(kid) == 0
            || json_string_length(kid) > GW_JWT_KID_MAX)
        {
            *why = "\"kid\" must be a string of 1 to 128 bytes";
            return GW_ERROR;
        }

        key->kid_len = json_string_length(kid);
        memcpy(key->kid, json_string_value(kid), key->kid_len);

        for (i = 0; i < keys->n; i++) {
            if (keys->key[i].kid_len == key->kid_len
                && memcmp(keys->key[i].kid, key->kid, key->kid_len) == 0)
            {
                *why = "another key has this \"kid\"";
                return GW_ERROR;
            }
        }
    }

    if (strcmp(kty, "RSA") == 0) {
        rc = gw_keys_add_rsa(key, jwk, why);

    } else if (strcmp(kty, "EC") == 0) {
        rc = gw_keys_add_ec(key, jwk, why);

    } else if (strcmp(kty, "OKP") == 0) {
        rc = gw_keys_add_okp(key, jwk, why);

    } else if (strcmp(kty, "oct") == 0) {
        rc = gw_keys_add_oct(keys, key, jwk, why);

    } else {
        return GW_OK;
    }

    if (rc == GW_DECLINED) {
        gw_keys_free_key(key);
        return GW_OK;
    }

    alg = json_object_get(jwk, "alg");

    if (rc == GW_OK && alg) {

        if (!json_is_string(alg)
            || gw_jwt_alg((const uint8_t *) json_string_value(alg),
                          json_string_length(alg), &only)
               != GW_OK
            || !(key->algs & (1u << only)))
        {
            *why = "\"alg\" is not one of a key of this type and size";
            rc = GW_ERROR;

        } else {
            key->algs = 1u << only;
        }
    }

    if (rc == GW_OK && gw_keys_prepare(key) != GW_OK) {
        *why = "libcrypto cannot use it";
        rc = GW_ERROR;
    }

    if (rc != GW_OK) {
        gw_keys_free_key(key);
        return GW_ERROR;
    }

    keys->n++;

    return GW_OK;
}


/* RFC 7517 sections 4.2 and 4.3: a key for something else is no mistake */

static int
gw_keys_for_us(json_t *jwk)
{
    json_t      *ops, *op;
    size_t       i;
    const char  *use;

    use = json_string_value(json_object_get(jwk, "use"));

    if (use && strcmp(use, "sig") != 0) {
        return 0;
    }

    ops = json_object_get(jwk, "key_ops");

    if (ops == NULL) {
        return 1;
    }

    json_array_foreach(ops, i, op) {
        if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
        {
            return 1;
        }
    }

    return 0;
}


static int
gw_keys_add_rsa(gw_key_t *key, json_t *jwk, const char **why)
{
    int              rc, bits;
    size_t           n_len, e_len;
    BIGNUM          *n, *e;
    uint8_t          n_raw[GW_KEYS_FIELD_MAX + 3], e_raw[16];
    OSSL_PARAM_BLD  *bld;

    if (json_object_get(jwk, "d")) {
        *why = "a private key, which does not belong here";
        return GW_ERROR;
    }

    e_len = sizeof(e_raw);
    n_len = sizeof(n_raw);

    if (gw_keys_member(jwk, "n", n_raw, &n_len) != GW_OK
        || gw_keys_member(jwk, "e", e_raw, &e_len) != GW_OK)
    {
        *why = "\"n\" or \"e\" is missing or no base64url";
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

        } else if (!BN_is_odd(e) || BN_is_one(e)) {
            *why = "\"e\" is no exponent";

        } else if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n)
                   && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
        {
            rc = gw_keys_from_data(key, "RSA", bld, why);
        }
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    key->algs = 1u << GW_JWT_RS256 | 1u << GW_JWT_RS384 | 1u << GW_JWT_RS512
                | 1u << GW_JWT_PS256 | 1u << GW_JWT_PS384
                | 1u << GW_JWT_PS512;

    return rc;
}


static int
gw_keys_add_ec(gw_key_t *key, json_t *jwk, const char **why)
{
    int                     rc;
    size_t                  x_len, y_len;
    uint8_t                 x[GW_KEYS_EC_MAX + 3], y[GW_KEYS_EC_MAX + 3];
    uint8_t                 point[1 + 2 * GW_KEYS_EC_MAX];
    const char             *crv;
    OSSL_PARAM_BLD         *bld;
    const gw_keys_curve_t  *curve;

    if (json_object_get(jwk, "d")) {
        *why = "a private key, which does not belong here";
        return GW_ERROR;
    }

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (crv == NULL) {
        *why = "no member \"crv\"";
        return GW_ERROR;
    }

    for (curve = gw_keys_curves; curve->crv; curve++) {
        if (strcmp(curve->crv, crv) == 0) {
            break;
        }
    }

    if (curve->crv == NULL) {
        return GW_DECLINED;
    }

    x_len = sizeof(x);
    y_len = sizeof(y);

    /* RFC 7518 section 6.2.1.2: of full length, zeros in front included */

    if (gw_keys_member(jwk, "x", x, &x_len) != GW_OK
        || gw_keys_member(jwk, "y", y, &y_len) != GW_OK
        || x_len != curve->half || y_len != curve->half)
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
                                           curve->group, 0)
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + x_len + y_len))
    {
        rc = gw_keys_from_data(key, "EC", bld, why);
    }

    OSSL_PARAM_BLD_free(bld);

    key->half = curve->half;
    key->algs = 1u << curve->alg;

    return rc;
}


/* RFC 8037: X25519 and X448 are no signature keys */

static int
gw_keys_add_okp(gw_key_t *key, json_t *jwk, const char **why)
{
    size_t       n, want;
    uint8_t      x[64];
    const char  *crv, *type;

    if (json_object_get(jwk, "d")) {
        *why = "a private key, which does not belong here";
        return GW_ERROR;
    }

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (crv == NULL) {
        *why = "no member \"crv\"";
        return GW_ERROR;
    }

    if (strcmp(crv, "Ed25519") == 0) {
        type = "ED25519";
        want = 32;

    } else if (strcmp(crv, "Ed448") == 0) {
        type = "ED448";
        want = 57;

    } else {
        return GW_DECLINED;
    }

    n = sizeof(x);

    if (gw_keys_member(jwk, "x", x, &n) != GW_OK || n != want) {
        *why = "\"x\" is missing or of a wrong length";
        return GW_ERROR;
    }

    key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, type, NULL, x, n);

    if (key->pkey == NULL) {
        *why = "\"x\" is no public key";
        return GW_ERROR;
    }

    key->algs = 1u << GW_JWT_EDDSA;

    return GW_OK;
}


static int
gw_keys_add_oct(gw_keys_t *keys, gw_key_t *key, json_t *jwk, const char **why)
{
    int         rc;
    size_t      n;
    uint8_t     k[GW_KEYS_FIELD_MAX + 3];
    unsigned    i;
    OSSL_PARAM  params[2];

    n = sizeof(k);

    if (gw_keys_member(jwk, "k", k, &n) != GW_OK) {
        *why = "\"k\" is missing or no base64url";
        return GW_ERROR;
    }

    rc = GW_OK;

    /* RFC 7518 section 3.2: a key of the digest's size or larger */

    for (i = GW_JWT_HS256; i <= GW_JWT_HS512; i++) {

        if (n < gw_keys_algs[i].bytes) {
            break;
        }

        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *) gw_keys_algs[i].digest, 0);
        params[1] = OSSL_PARAM_construct_end();

        key->mac[i] = EVP_MAC_CTX_new(keys->hmac);

        if (key->mac[i] == NULL
            || EVP_MAC_init(key->mac[i], k, n, params) != 1)
        {
            *why = "libcrypto cannot use it";
            rc = GW_ERROR;
            break;
        }

        key->algs |= 1u << i;
    }

    OPENSSL_cleanse(k, sizeof(k));

    if (rc == GW_OK && key->algs == 0) {
        *why = "an HMAC secret must have 32 bytes or more";
        return GW_ERROR;
    }

    return rc;
}


static int
gw_keys_from_data(gw_key_t *key, const char *type, OSSL_PARAM_BLD *bld,
    const char **why)
{
    int            rc;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx, *check;

    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    check = NULL;
    rc = GW_ERROR;
    *why = "no public key";

    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1
        && EVP_PKEY_fromdata(ctx, &key->pkey, EVP_PKEY_PUBLIC_KEY, params)
           == 1
        && (check = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL)) != NULL
        && EVP_PKEY_public_check(check) == 1)
    {
        rc = GW_OK;
    }

    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return rc;
}


/* a context for each algorithm of the key, to be copied */

static int
gw_keys_prepare(gw_key_t *key)
{
    unsigned       i;
    EVP_PKEY_CTX  *pctx;

    if (key->pkey == NULL) {
        return GW_OK;
    }

    for (i = 0; i < GW_JWT_ALG_N; i++) {

        if (!(key->algs & (1u << i))) {
            continue;
        }

        key->verify[i] = EVP_MD_CTX_new();

        if (key->verify[i] == NULL
            || EVP_DigestVerifyInit_ex(key->verify[i], &pctx,
                                       gw_keys_algs[i].digest, NULL, NULL,
                                       key->pkey, NULL)
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


/* a base64url member; *n: room at dst, then bytes */

static int
gw_keys_member(json_t *jwk, const char *name, uint8_t *dst, size_t *n)
{
    size_t   len;
    json_t  *value;

    value = json_object_get(jwk, name);

    if (!json_is_string(value)) {
        return GW_ERROR;
    }

    len = json_string_length(value);

    if (len == 0 || gw_base64_decoded(len) > *n) {
        return GW_ERROR;
    }

    return gw_base64url_decode((const uint8_t *) json_string_value(value),
                               len, dst, n);
}


int
gw_keys_verify(gw_keys_t *keys, const gw_jwt_t *jwt, gw_jwt_error_e *error)
{
    int             rc;
    size_t          len;
    uint8_t         der[2 * (GW_KEYS_EC_MAX + 4) + 4];
    unsigned        i, fits;
    gw_key_t       *key, *k;
    const uint8_t  *sig;

    key = NULL;
    fits = 0;

    for (i = 0; i < keys->n; i++) {
        k = &keys->key[i];

        if (jwt->kid_len) {

            if (k->kid_len == jwt->kid_len
                && memcmp(k->kid, jwt->kid, k->kid_len) == 0)
            {
                key = k;
                fits = 1;
                break;
            }

        } else if (k->algs & (1u << jwt->alg)) {
            key = k;
            fits++;
        }
    }

    if (fits != 1) {
        *error = GW_JWT_E_KEY;
        return GW_ERROR;
    }

    if (!(key->algs & (1u << jwt->alg))) {
        *error = GW_JWT_E_ALG;
        return GW_ERROR;
    }

    *error = GW_JWT_E_SIGNATURE;

    if (key->pkey == NULL) {

        if (gw_keys_verify_mac(key->mac[jwt->alg],
                               gw_keys_algs[jwt->alg].bytes, jwt)
            != GW_OK)
        {
            return GW_ERROR;
        }

        *error = GW_JWT_E_NONE;

        return GW_OK;
    }

    sig = jwt->signature;
    len = jwt->signature_len;

    if (key->half) {

        if (len != 2 * key->half) {
            return GW_ERROR;
        }

        len = gw_keys_der(sig, key->half, der);
        sig = der;
    }

    rc = EVP_MD_CTX_copy_ex(keys->ctx, key->verify[jwt->alg]) == 1
         && EVP_DigestVerify(keys->ctx, sig, len, jwt->signed_part.data,
                             jwt->signed_part.len)
            == 1;

    EVP_MD_CTX_reset(keys->ctx);

    if (!rc) {
        ERR_clear_error();
        return GW_ERROR;
    }

    *error = GW_JWT_E_NONE;

    return GW_OK;
}


static int
gw_keys_verify_mac(EVP_MAC_CTX *mac, unsigned bytes, const gw_jwt_t *jwt)
{
    int      rc;
    size_t   n;
    uint8_t  out[EVP_MAX_MD_SIZE];

    /* without a key: the one it has */

    rc = EVP_MAC_init(mac, NULL, 0, NULL) == 1
         && EVP_MAC_update(mac, jwt->signed_part.data, jwt->signed_part.len)
            == 1
         && EVP_MAC_final(mac, out, &n, sizeof(out)) == 1
         && n == bytes && jwt->signature_len == bytes
         && CRYPTO_memcmp(out, jwt->signature, bytes) == 0;

    OPENSSL_cleanse(out, sizeof(out));

    return rc ? GW_OK : GW_ERROR;
}


/*
 * R || S to the DER that libcrypto wants (RFC 3279 section 2.2.3).  Both are
 * at most 66 bytes, so lengths take two bytes at most.
 */

static size_t
gw_keys_der(const uint8_t *sig, unsigned half, uint8_t *dst)
{
    size_t    len;
    uint8_t   body[2 * (GW_KEYS_EC_MAX + 4)], *p;

    p = gw_keys_der_integer(body, sig, half);
    p = gw_keys_der_integer(p, sig + half, half);
    len = (size_t) (p - body);

    p = dst;
    *p++ = 0x30;

    if (len > 0x7f) {
        *p++ = 0x81;
    }

    *p++ = (uint8_t) len;
    memcpy(p, body, len);

    return (size_t) (p - dst) + len;
}


static uint8_t *
gw_keys_der_integer(uint8_t *p, const uint8_t *n, unsigned half)
{
    unsigned  pad;

    /* shortest form, zero itself being one byte */

    while (half > 1 && *n == 0) {
        n++;
        half--;
    }

    pad = *n >> 7;

    *p++ = 0x02;
    *p++ = (uint8_t) (half + pad);

    if (pad) {
        *p++ = 0;
    }

    memcpy(p, n, half);

    return p + half;
}
