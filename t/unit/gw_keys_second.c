/*
 * gw_keys_second.c - libcjose as a second opinion on signatures.
 *
 * The story: two programs read the same standards.  Tokens of libcjose must
 * hold here and ours there, for every algorithm that both know (EdDSA it does
 * not); and of tokens that were changed, in any bit of any segment, none may
 * hold here that does not hold there.  Unseen without it: a misreading of RFC
 * 7518 that our own tests share, as they are written by the same hand.
 *
 * The other way round libcjose may be the milder one, in the form only: what
 * is refused here for its signature must be refused there too.
 */

#include "gw_token_sign.h"

#include <cjose/cjose.h>


typedef struct {
    const char          *alg;
    const char          *md;
    int                  salt;         /* 0: HMAC, TOKEN_PKCS1: none */
    unsigned             bits;         /* of the secret */
    const char          *group;        /* of the EC key, or NULL */
    cjose_jwk_ec_curve   curve;
} alg_t;


static const alg_t  algs[] = {
    { "HS256", "SHA256", 0, 256, NULL, 0 },
    { "HS384", "SHA384", 0, 384, NULL, 0 },
    { "HS512", "SHA512", 0, 512, NULL, 0 },
    { "RS256", "SHA256", TOKEN_PKCS1, 0, NULL, 0 },
    { "RS384", "SHA384", TOKEN_PKCS1, 0, NULL, 0 },
    { "RS512", "SHA512", TOKEN_PKCS1, 0, NULL, 0 },
    { "PS256", "SHA256", RSA_PSS_SALTLEN_DIGEST, 0, NULL, 0 },
    { "PS384", "SHA384", RSA_PSS_SALTLEN_DIGEST, 0, NULL, 0 },
    { "PS512", "SHA512", RSA_PSS_SALTLEN_DIGEST, 0, NULL, 0 },
    { "ES256", "SHA256", TOKEN_PKCS1, 0, "P-256", CJOSE_JWK_EC_P_256 },
    { "ES384", "SHA384", TOKEN_PKCS1, 0, "P-384", CJOSE_JWK_EC_P_384 },
    { "ES512", "SHA512", TOKEN_PKCS1, 0, "P-521", CJOSE_JWK_EC_P_521 }
};


#define PAYLOAD  "{\"sub\":\"pump-7\",\"exp\":1900000000}"


/* these take the longest to make */

static EVP_PKEY     *rsa;
static cjose_jwk_t  *their_rsa;

static char          said[256];
static unsigned      tried, alike, milder, wrong;


static gw_keys_t *
load(const char *jwk)
{
    char  set[4096];

    said[0] = '\0';
    snprintf(set, sizeof(set), "{\"keys\":[%s]}", jwk);

    return gw_keys_load((const uint8_t *) set, strlen(set), said,
                        sizeof(said));
}


/*
 * What libcjose says of the token.  It is not asked where a segment has padding
 * or a length that no bytes have: libcjose 0.6.2 ends the process then.
 */

static int
second(cjose_jwk_t *key)
{
    int           rc;
    const char   *at;
    uint8_t      *p;
    size_t        len;
    cjose_err     err;
    cjose_jws_t  *jws;

    if (strchr(token, '=')) {
        return 0;
    }

    for (at = token; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL) {
        if (strcspn(at, ".") % 4 == 1) {
            return 0;
        }
    }

    jws = cjose_jws_import(token, strlen(token), &err);
    if (jws == NULL) {
        return 0;
    }

    rc = cjose_jws_verify(jws, key, &err)
         && cjose_jws_get_plaintext(jws, &p, &len, &err);

    cjose_jws_release(jws);

    return rc;
}


/* both are asked of what stands in token */

static void
compare(gw_keys_t *keys, cjose_jwk_t *key)
{
    int  first, other;

    first = token_verify(keys);
    other = second(key);

    tried++;
    alike += first == other;

    if (first && !other) {
        wrong++;
        printf("# only we accept: %s\n", token);

    } else if (!first && other) {
        milder++;

        /* it halves whatever length R and S have (RFC 7518 section 3.4) */

        if (error == GW_JWT_E_SIGNATURE
            && !(jwt.alg >= GW_JWT_ES256 && jwt.alg <= GW_JWT_ES512
                 && jwt.signature_len % 2))
        {
            wrong++;
            printf("# only libcjose accepts: %s\n", token);
        }
    }
}


/*
 * Every second character, in one bit each; and every second byte of what the
 * segments hold, in one bit each, so that what is changed is in good form.
 */

static void
mutate(const char *name, gw_keys_t *keys, cjose_jwk_t *key)
{
    char     good[2048], *at;
    size_t   i, k, n, len, room;
    uint8_t  raw[2048];

    tried = 0;
    alike = 0;
    milder = 0;
    wrong = 0;

    snprintf(good, sizeof(good), "%.2000s", token);
    n = strlen(good);

    for (i = 0; i < n; i += 2) {
        strcpy(token, good);
        token[i] ^= (char) (1 << i / 2 % 7);

        if (token[i]) {
            compare(keys, key);
        }
    }

    /* the places of the segments, one behind the other */

    for (i = 0; i < n; i += room + 1) {
        at = strchr(good + i, '.');
        room = at ? (size_t) (at - (good + i)) : n - i;

        if (gw_base64url_decode((uint8_t *) good + i, room, raw, &len)
            != GW_OK)
        {
            abort();
        }

        for (k = 0; k < len; k += 2) {
            raw[k] ^= (uint8_t) (1 << k / 2 % 8);

            memcpy(token, good, i);
            b64(raw, len, token + i);
            strcpy(token + i + room, good + i + room);
            compare(keys, key);

            raw[k] ^= (uint8_t) (1 << k / 2 % 8);
        }
    }

    /* its beginnings, and what is too much */

    for (i = 1; i < 8; i++) {
        strcpy(token, good);
        token[n - i] = '\0';
        compare(keys, key);

        strcpy(token, good);
        memset(token + n, 'A', i);
        token[n + i] = '\0';
        compare(keys, key);
    }

    ok(wrong == 0 && tried > 90, "%s: on %u changed tokens %u verdicts are "
       "one, %u of libcjose's milder in form", name, tried, alike, milder);

    strcpy(token, good);
    ok(token_verify(keys) && second(key), "%s: and both still hold the good "
       "one", name);
}


/* libcjose makes a key and signs */

static void
test_theirs(const alg_t *alg)
{
    char            *json_key, name[64], header_kid[] = "second";
    cjose_err        err;
    gw_keys_t       *keys;
    const char      *text;
    cjose_jwk_t     *key;
    cjose_jws_t     *jws;
    cjose_header_t  *header;

    if (alg->group) {
        key = cjose_jwk_create_EC_random(alg->curve, &err);

    } else if (alg->salt == 0) {
        key = cjose_jwk_create_oct_random(alg->bits, &err);

    } else {
        key = cjose_jwk_retain(their_rsa, &err);
    }

    header = cjose_header_new(&err);

    if (key == NULL || header == NULL
        || !cjose_jwk_set_kid(key, header_kid, 6, &err)
        || !cjose_header_set(header, "alg", alg->alg, &err)
        || !cjose_header_set(header, "kid", header_kid, &err))
    {
        abort();
    }

    json_key = cjose_jwk_to_json(key, alg->salt == 0, &err);
    keys = load(json_key);
    ok(keys != NULL, "%s: a key of libcjose loads %s", alg->alg, said);

    jws = cjose_jws_sign(key, header, (const uint8_t *) PAYLOAD,
                         strlen(PAYLOAD), &err);

    if (jws == NULL || !cjose_jws_export(jws, &text, &err)) {
        abort();
    }

    snprintf(token, sizeof(token), "%s", text);
    ok(token_verify(keys) && jwt.payload_len == strlen(PAYLOAD),
       "%s: its token holds", alg->alg);

    snprintf(name, sizeof(name), "%s, theirs", alg->alg);
    mutate(name, keys, key);

    cjose_get_dealloc()(json_key);
    cjose_jws_release(jws);
    cjose_header_release(header);
    cjose_jwk_release(key);
    gw_keys_free(keys);
}


/* libcrypto makes a key and signs; both are given the public half */

static void
test_ours(const alg_t *alg)
{
    char          jwk[2048], header[64], name[64], k[128];
    uint8_t       secret[64];
    EVP_PKEY     *pkey;
    cjose_err     err;
    gw_keys_t    *keys;
    cjose_jwk_t  *key;

    pkey = NULL;
    snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", alg->alg);

    if (alg->salt == 0) {
        memset(secret, 0xa7, sizeof(secret));
        b64(secret, sizeof(secret), k);
        snprintf(jwk, sizeof(jwk), "{\"kty\":\"oct\",\"k\":\"%s\"}", k);
        token_mac(alg->md, secret, sizeof(secret), header, PAYLOAD);

    } else {
        pkey = alg->group ? EVP_EC_gen(alg->group) : EVP_PKEY_dup(rsa);
        token_jwk(pkey, "", jwk, sizeof(jwk));
        token_sign(pkey, alg->md, alg->salt, header, PAYLOAD);
    }

    key = cjose_jwk_import(jwk, strlen(jwk), &err);
    keys = load(jwk);
    ok(key != NULL && keys != NULL, "%s: both load a key %s", alg->alg, said);
    ok(second(key), "%s: our token holds there", alg->alg);

    snprintf(name, sizeof(name), "%s, ours", alg->alg);
    mutate(name, keys, key);

    cjose_jwk_release(key);
    gw_keys_free(keys);
    EVP_PKEY_free(pkey);
}


int
main(void)
{
    size_t     i;
    cjose_err  err;

    token_init();

    rsa = EVP_RSA_gen(2048);
    their_rsa = cjose_jwk_create_RSA_random(2048, (uint8_t *) "\x01\x00\x01",
                                            3, &err);
    if (rsa == NULL || their_rsa == NULL) {
        abort();
    }

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        test_theirs(&algs[i]);
        test_ours(&algs[i]);
    }

    EVP_PKEY_free(rsa);
    cjose_jwk_release(their_rsa);

    return done_testing();
}
