/*
 * gw_token_sign.h - tokens signed by libcrypto, whose hand is not ours, with
 * keys that are made by the test and written down nowhere.
 */

#ifndef _GW_TOKEN_SIGN_H_INCLUDED_
#define _GW_TOKEN_SIGN_H_INCLUDED_


#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "gw_token.h"
#include "gw_keys.h"


/* bytes of a coordinate; 0: no key of a curve of Weierstrass' */

static inline unsigned
token_half(EVP_PKEY *key)
{
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
        return 0;
    }

    return (unsigned) (EVP_PKEY_get_bits(key) + 7) / 8;
}


/* a number of a key, big end first, in len bytes or, of 0, as few as it has */

static inline size_t
token_number(EVP_PKEY *key, const char *name, size_t len, uint8_t *dst)
{
    BIGNUM  *n;

    n = NULL;

    if (EVP_PKEY_get_bn_param(key, name, &n) != 1) {
        abort();
    }

    len = len ? len : (size_t) BN_num_bytes(n);
    BN_bn2binpad(n, dst, (int) len);
    BN_free(n);

    return len;
}


/* the public key as JSON; more: further members, "" or with a comma behind */

static inline const char *
token_jwk(EVP_PKEY *key, const char *more, char *dst, size_t size)
{
    char      a[1400], b[128];
    size_t    len;
    uint8_t   raw[1024];
    unsigned  half;

    half = token_half(key);

    if (half) {
        b64(raw, token_number(key, OSSL_PKEY_PARAM_EC_PUB_X, half, raw), a);
        b64(raw, token_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, half, raw), b);
        snprintf(dst, size, "{%s\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\","
                 "\"y\":\"%s\"}", more, EVP_PKEY_get_bits(key), a, b);
        return dst;
    }

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        b64(raw, token_number(key, OSSL_PKEY_PARAM_RSA_N, 0, raw), a);
        b64(raw, token_number(key, OSSL_PKEY_PARAM_RSA_E, 0, raw), b);
        snprintf(dst, size, "{%s\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}",
                 more, a, b);
        return dst;
    }

    len = sizeof(raw);
    EVP_PKEY_get_raw_public_key(key, raw, &len);
    b64(raw, len, a);
    snprintf(dst, size, "{%s\"kty\":\"OKP\",\"crv\":\"%s\",\"x\":\"%s\"}",
             more, len == 32 ? "Ed25519" : "Ed448", a);

    return dst;
}


/* R || S of half bytes each, of an ECDSA signature in DER */

static inline size_t
token_plain(const uint8_t *der, size_t len, unsigned half, uint8_t *dst)
{
    ECDSA_SIG  *sig;

    sig = d2i_ECDSA_SIG(NULL, &der, (long) len);

    if (sig == NULL) {
        abort();
    }

    BN_bn2binpad(ECDSA_SIG_get0_r(sig), dst, (int) half);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), dst + half, (int) half);
    ECDSA_SIG_free(sig);

    return 2 * half;
}


/*
 * md NULL: the algorithm has its own.  salt: of PSS, a length or one of the
 * RSA_PSS_SALTLEN_*; TOKEN_PKCS1: none.  sig takes 1024 bytes.
 */

#define TOKEN_PKCS1  -100
#define TOKEN_DER    -101      /* of ECDSA: as libcrypto has it */

static inline size_t
token_signature(EVP_PKEY *key, const char *md, int salt, const void *p,
    size_t n, uint8_t *sig)
{
    size_t         len;
    uint8_t        der[1024];
    EVP_MD_CTX    *ctx;
    EVP_PKEY_CTX  *pctx;

    ctx = EVP_MD_CTX_new();
    len = sizeof(der);

    if (EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, key, NULL) != 1
        || (salt > TOKEN_PKCS1
            && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1
                || EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt) != 1))
        || EVP_DigestSign(ctx, der, &len, p, n) != 1)
    {
        abort();
    }

    EVP_MD_CTX_free(ctx);

    if (token_half(key) && salt != TOKEN_DER) {
        return token_plain(der, len, token_half(key), sig);
    }

    memcpy(sig, der, len);

    return len;
}


static inline void
token_sign(EVP_PKEY *key, const char *md, int salt, const char *header,
    const char *payload)
{
    size_t   n;
    uint8_t  sig[1024];

    n = token_start(header, payload);
    token_end(n, sig, token_signature(key, md, salt, token, n, sig));
}


static inline void
token_mac(const char *md, const void *key, size_t len, const char *header,
    const char *payload)
{
    size_t    n;
    uint8_t   out[EVP_MAX_MD_SIZE];
    unsigned  out_len;

    n = token_start(header, payload);

    if (HMAC(EVP_get_digestbyname(md), key, (int) len, (uint8_t *) token, n,
             out, &out_len)
        == NULL)
    {
        abort();
    }

    token_end(n, out, out_len);
}


static inline int
token_verify(gw_keys_t *keys)
{
    return token_parse() && gw_keys_verify(keys, &jwt, &error) == GW_OK;
}


#endif /* _GW_TOKEN_SIGN_H_INCLUDED_ */
