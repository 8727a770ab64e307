/*
 * gw_jose.c - the worked examples of the standards, and forgeries.
 *
 * The story: whoever holds the public keys, which are public, and no private
 * one, sends tokens.  Unseen without it: any of the attacks that tokens have
 * suffered elsewhere, for all of them look right but for one detail: "none", a
 * public key that is taken for a secret, a key that the token brings along, a
 * signature of zeros, two readings of one header.  Each must fail for its own
 * reason, as one that fails for another is not tested at all.
 */

#include "gw_token_sign.h"

#include <openssl/pem.h>
#include <openssl/x509.h>


#define NOW      1800000000LL
#define PAYLOAD  "{\"sub\":\"pump-7\",\"exp\":1900000000}"


typedef enum {
    RSA_KEY = 0, P256, P384, P521, ED25519, ED448, KEYS
} key_e;


typedef struct {
    const char  *kid;
    const char  *alg;
    const char  *md;
    EVP_PKEY    *key;
} signer_t;


static signer_t              signers[KEYS] = {
    { "r", "RS256", "SHA256", NULL },
    { "e2", "ES256", "SHA256", NULL },
    { "e3", "ES384", "SHA384", NULL },
    { "e5", "ES512", "SHA512", NULL },
    { "d", "EdDSA", NULL, NULL },
    { "d4", "EdDSA", NULL, NULL }
};

static const gw_str_t        names[] = { gw_str("telemetry") };

static const gw_jwt_rules_t  rules = {
    gw_str_null, gw_str_null, gw_str("sub"), gw_str("gateway_classes"),
    gw_str("tenant"), gw_str("gateway_topics"), 0, 60, names, 1
};

static gw_keys_t            *keys, *public_keys;
static gw_identity_t         identity;
static uint8_t               secret[64];
static char                  said[256], set[16384];
static unsigned              accepted, forged;


/* a forgery that must fail, and for that reason */

#define refused(set_, why_, ...)                                              \
    do {                                                                      \
        int  held_ = token_verify(set_);                                      \
        forged++;                                                             \
        accepted += held_;                                                    \
        ok(!held_ && error == (why_), __VA_ARGS__);                           \
        if (held_ || error != (why_)) {                                       \
            printf("#   got  \"%s\"\n#   want \"%s\"\n",                      \
                   gw_jwt_strerror(error), gw_jwt_strerror(why_));            \
        }                                                                     \
    } while (0)


static gw_keys_t *
load(const char *text)
{
    said[0] = '\0';

    return gw_keys_load((const uint8_t *) text, strlen(text), said,
                        sizeof(said));
}


static const char *
header_of(const char *alg, const char *kid, const char *more)
{
    static char  header[1024];

    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"%s}", alg,
             kid, more);

    return header;
}


static void
sign(key_e which, const char *more)
{
    signer_t  *s;

    s = &signers[which];
    token_sign(s->key, s->md, TOKEN_PKCS1, header_of(s->alg, s->kid, more),
               PAYLOAD);
}


static void
mac(const char *header, const char *payload)
{
    token_mac("SHA256", secret, sizeof(secret), header, payload);
}


/* of this token the signature only */

static void
resign(const uint8_t *sig, size_t len)
{
    token_end((size_t) (strrchr(token, '.') - token), sig, len);
}


static void
make_keys(void)
{
    char    one[2048], member[64], k[128];
    size_t  i, n;

    signers[RSA_KEY].key = EVP_RSA_gen(2048);
    signers[P256].key = EVP_EC_gen("P-256");
    signers[P384].key = EVP_EC_gen("P-384");
    signers[P521].key = EVP_EC_gen("P-521");
    signers[ED25519].key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    signers[ED448].key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");

    memset(secret, 0x5a, sizeof(secret));
    b64(secret, sizeof(secret), k);

    n = (size_t) snprintf(set, sizeof(set), "{\"keys\":[");

    for (i = 0; i < KEYS; i++) {
        snprintf(member, sizeof(member), "\"kid\":\"%s\",", signers[i].kid);
        n += (size_t) snprintf(set + n, sizeof(set) - n, "%s%s",
                               i ? "," : "",
                               token_jwk(signers[i].key, member, one,
                                         sizeof(one)));
    }

    /* the same keys once more, for other uses */

    n += (size_t) snprintf(set + n, sizeof(set) - n, ",%s",
                           token_jwk(signers[RSA_KEY].key,
                                     "\"kid\":\"enc\",\"use\":\"enc\",", one,
                                     sizeof(one)));
    n += (size_t) snprintf(set + n, sizeof(set) - n, ",%s",
                           token_jwk(signers[RSA_KEY].key, "\"kid\":\"ops\","
                                     "\"key_ops\":[\"encrypt\"],", one,
                                     sizeof(one)));
    n += (size_t) snprintf(set + n, sizeof(set) - n, ",%s",
                           token_jwk(signers[RSA_KEY].key, "\"kid\":\"only\","
                                     "\"alg\":\"RS384\",", one, sizeof(one)));

    snprintf(set + n, sizeof(set) - n, "]}");
    public_keys = load(set);
    ok(public_keys != NULL && gw_keys_count(public_keys) == KEYS + 1,
       "public keys load, but for those of another use %s", said);

    snprintf(set + n, sizeof(set) - n, ",{\"kty\":\"oct\",\"kid\":\"h\","
             "\"k\":\"%s\"}]}", k);
    keys = load(set);
    ok(keys != NULL && gw_keys_count(keys) == KEYS + 2,
       "and a secret beside them %s", said);
}


#define JOE  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG" \
             "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static void
test_examples(void)
{
    char               *dot;
    size_t              i;
    gw_keys_t          *rfc;
    gw_jwt_rules_t      joe;
    static const char   jwks[] =
        "{\"keys\":["

        /* RFC 7515 A.1.1 */
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr"
        "_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"},"

        /* A.2.1, without its private members */
        "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoT"
        "bji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS"
        "-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX"
        "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlx"
        "vb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethF"
        "kMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"},"

        /* A.3.1 */
        "{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"

        /* A.4.1 */
        "{\"kty\":\"EC\",\"crv\":\"P-521\","
        "\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjF"
        "Z6OvLFV1jSfS9tsz4qUxcWceqwQGk\","
        "\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79"
        "ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"},"

        /* RFC 8037 A.2 */
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

    static const struct {
        const char    *name;
        gw_jwt_alg_e   alg;
        const char    *payload;
        const char    *token;
    } good[] = {
        { "RFC 7515 A.1, RFC 7519 3.1, HS256", GW_JWT_HS256, JOE,
          "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
          ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" },

        { "RFC 7515 A.2, RS256", GW_JWT_RS256, JOE,
          "eyJhbGciOiJSUzI1NiJ9." JOE ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat"
          "0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9u"
          "JdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBA"
          "rLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
          "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs"
          "98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },

        { "RFC 7515 A.3, ES256", GW_JWT_ES256, JOE,
          "eyJhbGciOiJFUzI1NiJ9." JOE ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Ga"
          "wxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },

        { "RFC 7515 A.4, ES512", GW_JWT_ES512, "UGF5bG9hZA",
          "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbL"
          "fD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKd"
          "CAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBX"
          "ukOXolLzeO_Jn" },

        { "RFC 8037 A.4, Ed25519", GW_JWT_EDDSA,
          "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
          "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_"
          "MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7s"
          "VvpAr_MuM0KAg" }
    };

    rfc = load(jwks);
    ok(rfc != NULL && gw_keys_count(rfc) == 5, "the keys of the RFCs load %s",
       said);

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        strcpy(token, good[i].token);
        ok(token_verify(rfc) && jwt.alg == good[i].alg
           && error == GW_JWT_E_NONE, "%s, holds", good[i].name);
        ok(jwt.payload_len * 4 / 3 <= strlen(good[i].payload)
           && strstr(token, good[i].payload) != NULL, "over its payload");

        dot = strrchr(token, '.');
        dot[1] = dot[1] == 'B' ? 'C' : 'B';
        refused(rfc, GW_JWT_E_SIGNATURE, "with another signature not");
        strcpy(token, good[i].token);
        token[strlen(token) / 3] ^= 1;
        forged++;
        accepted += token_verify(rfc);
        ok(error != GW_JWT_E_NONE, "nor over another text");
    }

    strcpy(token, good[0].token);
    token_verify(rfc);

    joe = rules;
    joe.device_claim.data = (const uint8_t *) "iss";
    joe.device_claim.len = 3;
    ok(gw_jwt_claims(&json, &jwt, &joe, 1300819379, &identity, &error)
       == GW_OK && identity.not_after == 1300819380
       && identity.device_len == 3 && memcmp(identity.device, "joe", 3) == 0,
       "RFC 7519 3.1 was joe's");
    ok(gw_jwt_claims(&json, &jwt, &joe, 1300819380 + 60, &identity, &error)
       == GW_ERROR && error == GW_JWT_E_EXPIRED, "until its end");

    strcpy(token, "eyJhbGciOiJub25lIn0." JOE ".");
    refused(rfc, GW_JWT_E_FORM, "RFC 7515 A.5, RFC 7519 6.1: not unsecured");
    strcpy(token, "eyJhbGciOiJub25lIn0." JOE ".AA");
    refused(rfc, GW_JWT_E_ALG, "nor with a signature of its own");

    gw_keys_free(rfc);
}


/* every algorithm under every key: but for its own one it is a forgery */

static void
test_matrix(void)
{
    unsigned                  i, k, a, good, bad;
    signer_t                 *s;
    gw_jwt_error_e            want;
    static const char *const  digests[] = { "SHA256", "SHA384", "SHA512" };

    good = 0;
    bad = 0;

    for (i = 0; i < KEYS; i++) {
        s = &signers[i];

        for (k = 0; k < KEYS; k++) {
            for (a = 0; a < GW_JWT_ALG_N; a++) {
                token_sign(s->key, s->md, TOKEN_PKCS1,
                           header_of(gw_jwt_alg_name(a), signers[k].kid, ""),
                           PAYLOAD);

                if (i == k && strcmp(s->alg, gw_jwt_alg_name(a)) == 0) {
                    good += token_verify(keys);
                    continue;
                }

                want = strcmp(signers[k].alg, gw_jwt_alg_name(a)) == 0
                       || (k == RSA_KEY && a >= GW_JWT_RS256
                           && a <= GW_JWT_PS512)
                       ? GW_JWT_E_SIGNATURE : GW_JWT_E_ALG;

                forged++;
                accepted += token_verify(keys);
                bad += error != want;
            }
        }
    }

    is_u64(good, KEYS, "every key verifies what it signed");
    is_u64(bad, 0, "and under no other key, or name of an algorithm, a "
           "signature holds");

    good = 0;
    bad = 0;

    for (a = 0; a < 9; a++) {
        for (k = 0; k < 9; k++) {

            if (k < 3) {
                token_mac(digests[k], secret, sizeof(secret),
                          header_of(gw_jwt_alg_name(a), "h", ""), PAYLOAD);
                want = a < 3 ? GW_JWT_E_SIGNATURE : GW_JWT_E_ALG;

            } else {
                token_sign(signers[RSA_KEY].key, digests[k % 3],
                           k < 6 ? TOKEN_PKCS1 : RSA_PSS_SALTLEN_DIGEST,
                           header_of(gw_jwt_alg_name(a), "r", ""), PAYLOAD);
                want = a < 3 ? GW_JWT_E_ALG : GW_JWT_E_SIGNATURE;
            }

            if (a == k) {
                good += token_verify(keys);
                continue;
            }

            forged++;
            accepted += token_verify(keys);
            bad += error != want;
        }
    }

    is_u64(good, 9, "HS, RS and PS hold with each digest");
    is_u64(bad, 0, "and none of them for another");

    token_sign(signers[RSA_KEY].key, "SHA384", TOKEN_PKCS1,
               header_of("RS384", "only", ""), PAYLOAD);
    ok(token_verify(keys), "a key for RS384 alone verifies that");
    token_sign(signers[RSA_KEY].key, "SHA256", TOKEN_PKCS1,
               header_of("RS256", "only", ""), PAYLOAD);
    refused(keys, GW_JWT_E_ALG, "but no RS256");
    token_sign(signers[RSA_KEY].key, "SHA384", RSA_PSS_SALTLEN_DIGEST,
               header_of("PS384", "only", ""), PAYLOAD);
    refused(keys, GW_JWT_E_ALG, "nor PS384");

    sign(RSA_KEY, "");
    token_sign(signers[RSA_KEY].key, "SHA256", TOKEN_PKCS1,
               header_of("RS256", "enc", ""), PAYLOAD);
    refused(keys, GW_JWT_E_KEY, "a key for encryption verifies nothing");
    token_sign(signers[RSA_KEY].key, "SHA256", TOKEN_PKCS1,
               header_of("RS256", "ops", ""), PAYLOAD);
    refused(keys, GW_JWT_E_KEY, "nor one for another operation");

    token_sign(signers[RSA_KEY].key, "SHA256", TOKEN_PKCS1,
               "{\"alg\":\"RS256\"}", PAYLOAD);
    ok(token_verify(keys), "without a kid, the only key that fits");
    token_sign(signers[RSA_KEY].key, "SHA384", TOKEN_PKCS1,
               "{\"alg\":\"RS384\"}", PAYLOAD);
    refused(keys, GW_JWT_E_KEY, "but not the first of two that do");
}


static void
test_none(void)
{
    char                      header[256];
    size_t                    i, k;
    static const char *const  nones[] = {
        "none", "None", "NONE", "nOnE", "NonE", "none ", " none", "none\\u0000",
        "n\\u006fne", "\\u006e\\u006f\\u006e\\u0065", "", "null", "unsecured",
        "hs256", "Hs256", "HS256 ", "HS256\\u0000", "HS256\\n", "HMAC", "HS1",
        "ES256K", "RSA1_5", "dir", "A128KW", "Ed25519"
    };
    static const struct {
        const char            *header;
        gw_jwt_error_e         error;
    } odd[] = {
        { "{}", GW_JWT_E_HEADER },
        { "{\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"alg\":null,\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"alg\":false,\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"alg\":0,\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"alg\":[\"none\",\"HS256\"],\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"alg\":{},\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "{\"Alg\":\"HS256\",\"kid\":\"h\"}", GW_JWT_E_HEADER },
        { "[\"HS256\"]", GW_JWT_E_HEADER },
        { "\"HS256\"", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\"}x", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\"}{}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\",}", GW_JWT_E_HEADER },
        { "{'alg':'HS256','kid':'h'}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\" //\n}", GW_JWT_E_HEADER },
        { "{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"h\"}",
          GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\",\"alg\":\"HS256\"}",
          GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"h\",\"\\u0061lg\":\"none\"}",
          GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"r\",\"kid\":\"h\"}",
          GW_JWT_E_HEADER }
    };

    for (i = 0; i < sizeof(nones) / sizeof(nones[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"h\"}",
                 nones[i]);

        mac(header, PAYLOAD);
        refused(keys, GW_JWT_E_ALG, "alg \"%s\", signed", nones[i]);
        *strrchr(token, '.') = '\0';
        k = strlen(token);
        refused(keys, GW_JWT_E_FORM, "without its third segment");
        strcpy(token + k, ".");
        refused(keys, GW_JWT_E_FORM, "with an empty one");
    }

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        mac(odd[i].header, PAYLOAD);
        refused(keys, odd[i].error, "signed rightly: %s",
                shown(odd[i].header));
    }
}


/* the public key, in any of its forms, is what everybody could sign with */

static void
test_confusion(void)
{
    int         n;
    BIO        *bio;
    char       *pem, name[32], jwk[2048], text[2048];
    size_t      i, k;
    uint8_t    *der, *raw, bytes[1024];
    unsigned    half;
    EVP_PKEY   *key;
    struct {
        const char  *name;
        const void  *p;
        size_t       len;
    } form[12];

    for (i = 0; i < KEYS; i++) {
        key = signers[i].key;
        bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PUBKEY(bio, key);
        n = (int) BIO_get_mem_data(bio, &pem);

        der = NULL;
        half = token_half(key);

        form[0].name = "PEM";
        form[0].p = pem;
        form[0].len = (size_t) n;
        form[1].name = "PEM without its last line end";
        form[1].p = pem;
        form[1].len = (size_t) n - 1;
        form[2].name = "DER";
        form[2].len = (size_t) i2d_PUBKEY(key, &der);
        form[2].p = der;
        form[3].name = "JWK";
        form[3].p = token_jwk(key, "", jwk, sizeof(jwk));
        form[3].len = strlen(jwk);
        k = 4;

        if (i == RSA_KEY) {
            form[k].name = "modulus";
            form[k].len = token_number(key, OSSL_PKEY_PARAM_RSA_N, 0, bytes);
            form[k++].p = bytes;
            form[k].name = "modulus as text";
            form[k].len = b64(bytes, form[k - 1].len, text);
            form[k++].p = text;
            form[k].name = "exponent";
            form[k].len = 3;
            form[k++].p = "\x01\x00\x01";

        } else if (half) {
            bytes[0] = 0x04;
            token_number(key, OSSL_PKEY_PARAM_EC_PUB_X, half, bytes + 1);
            token_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, half,
                         bytes + 1 + half);
            form[k].name = "point";
            form[k].len = 1 + 2 * half;
            form[k++].p = bytes;
            form[k].name = "x || y";
            form[k].len = 2 * half;
            form[k++].p = bytes + 1;
            form[k].name = "x";
            form[k].len = half;
            form[k++].p = bytes + 1;
            form[k].name = "x as text";
            form[k].len = b64(bytes + 1, half, text);
            form[k++].p = text;

        } else {
            form[k].len = sizeof(bytes);
            EVP_PKEY_get_raw_public_key(key, bytes, &form[k].len);
            form[k].name = "x";
            form[k++].p = bytes;
        }

        form[k].name = "empty secret";
        form[k].len = 0;
        form[k++].p = "";

        raw = der;
        snprintf(name, sizeof(name), "%s", signers[i].kid);

        while (k--) {
            token_mac("SHA256", form[k].p, form[k].len,
                      header_of("HS256", name, ""), PAYLOAD);
            refused(keys, GW_JWT_E_ALG, "%s: HS256 by its %s", name,
                    form[k].name);
            token_mac("SHA512", form[k].p, form[k].len,
                      header_of("HS512", name, ""), PAYLOAD);
            refused(keys, GW_JWT_E_ALG, "and HS512");
            token_mac("SHA256", form[k].p, form[k].len, "{\"alg\":\"HS256\"}",
                      PAYLOAD);
            refused(keys, GW_JWT_E_SIGNATURE, "without a kid, where there is "
                    "a secret");
            refused(public_keys, GW_JWT_E_KEY, "and where there is none");
            token_mac("SHA256", form[k].p, form[k].len,
                      header_of("HS256", "h", ""), PAYLOAD);
            refused(keys, GW_JWT_E_SIGNATURE, "and by the secret's kid");
            token_mac("SHA256", form[k].p, form[k].len,
                      header_of(signers[i].alg, name, ""), PAYLOAD);
            refused(keys, GW_JWT_E_SIGNATURE, "and under its own algorithm");
        }

        OPENSSL_free(raw);
        BIO_free(bio);
    }
}


static void
test_headers(void)
{
    char                      more[4096], jwk[2048];
    size_t                    i, n;
    EVP_PKEY                 *mine;
    static const char *const  members[] = {
        "\"jwk\":{}", "\"jku\":\"https://example.com/keys\"",
        "\"jku\":\"file:///dev/stdin\"", "\"x5u\":\"https://example.com/c\"",
        "\"x5c\":[]", "\"x5c\":[\"MIIB\"]", "\"x5t\":\"AAAA\"",
        "\"x5t#S256\":\"AAAA\"", "\"crit\":[]", "\"crit\":[\"exp\"]",
        "\"crit\":[\"alg\"]", "\"crit\":[\"b64\"],\"b64\":false",
        "\"crit\":[\"b64\"],\"b64\":true", "\"crit\":null", "\"crit\":\"x\"",
        "\"crit\":[\"x\"],\"x\":1", "\"b64\":false", "\"b64\":true",
        "\"zip\":\"DEF\"", "\"enc\":\"A128GCM\"", "\"jw\\u006b\":{}",
        "\"\\u0063\\u0072\\u0069\\u0074\":[\"x\"]"
    };
    static const struct {
        const char           *kid;
        gw_jwt_error_e        error;
    } kids[] = {
        { "../../../dev/null", GW_JWT_E_KEY },
        { "/dev/null", GW_JWT_E_KEY },
        { "h\\u0000", GW_JWT_E_KEY },
        { "\\u0000", GW_JWT_E_KEY },
        { "h\\u0000.json", GW_JWT_E_KEY },
        { "' OR '1'='1", GW_JWT_E_KEY },
        { "h' UNION SELECT 'x", GW_JWT_E_KEY },
        { "h\\\"", GW_JWT_E_KEY },
        { "$(id)|h", GW_JWT_E_KEY },
        { "H", GW_JWT_E_KEY },
        { "h ", GW_JWT_E_KEY },
        { " h", GW_JWT_E_KEY },
        { "hh", GW_JWT_E_KEY },
        { "*", GW_JWT_E_KEY },
        { "h\\n", GW_JWT_E_KEY },
        { "0", GW_JWT_E_KEY },
        { "https://example.com/h", GW_JWT_E_KEY },
        { "", GW_JWT_E_HEADER },
        { "r", GW_JWT_E_ALG },
        { "e2", GW_JWT_E_ALG },
        { "d", GW_JWT_E_ALG },
        { "only", GW_JWT_E_ALG }
    };

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        snprintf(more, sizeof(more), ",%s", members[i]);
        mac(header_of("HS256", "h", more), PAYLOAD);
        refused(keys, GW_JWT_E_HEADER, "signed rightly, but %s", members[i]);

        snprintf(more, sizeof(more), "{%s,\"kid\":\"h\",\"alg\":\"HS256\"}",
                 members[i]);
        mac(more, PAYLOAD);
        refused(keys, GW_JWT_E_HEADER, "and as the first member");
    }

    /* a key that vouches for itself */

    mine = EVP_EC_gen("P-256");
    n = (size_t) snprintf(more, sizeof(more), ",\"jwk\":%s",
                          token_jwk(mine, "\"kid\":\"e2\",", jwk,
                                    sizeof(jwk)));
    token_sign(mine, "SHA256", TOKEN_PKCS1, header_of("ES256", "e2", more),
               PAYLOAD);
    refused(keys, GW_JWT_E_HEADER, "signed by the key it brings along");
    more[n] = '\0';
    token_sign(mine, "SHA256", TOKEN_PKCS1, header_of("ES256", "e2", ""),
               PAYLOAD);
    refused(keys, GW_JWT_E_SIGNATURE, "or by one that it does not");
    EVP_PKEY_free(mine);

    for (i = 0; i < sizeof(kids) / sizeof(kids[0]); i++) {
        mac(header_of("HS256", kids[i].kid, ""), PAYLOAD);
        refused(keys, kids[i].error, "signed rightly, by kid \"%s\"",
                kids[i].kid);
    }

    memset(more, 'h', GW_JWT_KID_MAX + 1);
    more[GW_JWT_KID_MAX + 1] = '\0';
    mac(header_of("HS256", more, ""), PAYLOAD);
    refused(keys, GW_JWT_E_HEADER, "by a kid of 129 bytes");
    more[GW_JWT_KID_MAX] = '\0';
    mac(header_of("HS256", more, ""), PAYLOAD);
    refused(keys, GW_JWT_E_KEY, "by one of 128");

    mac("{\"alg\":\"HS256\",\"kid\":7}", PAYLOAD);
    refused(keys, GW_JWT_E_HEADER, "by a number");
    mac("{\"alg\":\"HS256\",\"kid\":[\"h\"]}", PAYLOAD);
    refused(keys, GW_JWT_E_HEADER, "by a list");
}


/* the same token, spelled in another way */

static void
test_forms(void)
{
    char               good[512], c;
    size_t             i, n, at[2];
    static const char  spare[] = "=\n\r\t +/%";

    for (n = 0; n < 3; n++) {

        /* of each remainder of the header's length modulo 3 */

        mac(n == 0 ? "{\"alg\":\"HS256\",\"kid\":\"h\"}"
            : n == 1 ? "{\"alg\":\"HS256\",\"kid\":\"h\" }"
            : "{\"alg\":\"HS256\",\"kid\":\"h\"  }", PAYLOAD);
        ok(token_verify(keys), "a token, header of length %zu modulo 3", n);
        snprintf(good, sizeof(good), "%.500s", token);

        at[0] = (size_t) (strchr(good, '.') - good);
        at[1] = (size_t) (strrchr(good, '.') - good);

        sprintf(token, "%s.", good);
        refused(keys, GW_JWT_E_FORM, "four segments, the last empty");
        sprintf(token, "%s.AAAA", good);
        refused(keys, GW_JWT_E_FORM, "four segments");
        sprintf(token, "%s.AAAA.AAAA", good);
        refused(keys, GW_JWT_E_FORM, "five segments");
        sprintf(token, "%.*s..AAAA.%s.AAAA", (int) at[0], good,
                good + at[0] + 1);
        refused(keys, GW_JWT_E_FORM, "six, in the form of a JWE");
        sprintf(token, ".%s", good);
        refused(keys, GW_JWT_E_FORM, "an empty one in front");
        sprintf(token, "%.*s", (int) at[1], good);
        refused(keys, GW_JWT_E_FORM, "two segments");
        sprintf(token, "%.*s", (int) at[0], good);
        refused(keys, GW_JWT_E_FORM, "one segment");
        sprintf(token, "%.*s%s", (int) at[0], good, good + at[1]);
        refused(keys, GW_JWT_E_FORM, "a payload left out");
        sprintf(token, "%.*s.A%s", (int) at[0], good, good + at[1]);
        refused(keys, GW_JWT_E_FORM, "a payload of one character");
        sprintf(token, "%.*s.%s", (int) at[0], good, good + at[1]);
        refused(keys, GW_JWT_E_SIGNATURE, "a payload of none");

        for (i = 0; spare[i]; i++) {
            c = spare[i];

            sprintf(token, "%c%s", c, good);
            refused(keys, GW_JWT_E_FORM, "byte %02x in front", c);
            sprintf(token, "%.*s%c%s", (int) at[0], good, c, good + at[0]);
            refused(keys, GW_JWT_E_FORM, "behind the header");
            sprintf(token, "%.*s%c%s", (int) at[0] + 1, good, c,
                    good + at[0] + 1);
            refused(keys, GW_JWT_E_FORM, "before the payload");
            sprintf(token, "%.*s%c%s", (int) at[1], good, c, good + at[1]);
            refused(keys, GW_JWT_E_FORM, "behind the payload");
            sprintf(token, "%s%c", good, c);
            refused(keys, GW_JWT_E_FORM, "and at the end");
        }
    }

    /* the last character of 32 bytes has two bits that mean nothing */

    mac("{\"alg\":\"HS256\",\"kid\":\"h\"}", PAYLOAD);
    n = strlen(token) - 1;
    c = token[n];
    i = 0;

    for (token[n] = 'A'; token[n] <= 'z'; token[n]++) {
        if (token[n] != c) {
            forged++;
            i += token_verify(keys);
        }
    }

    accepted += (unsigned) i;
    is_u64(i, 0, "no other last character is the same signature");
}


static void
test_ecdsa(void)
{
    size_t           len, i;
    BIGNUM          *order;
    uint8_t          sig[1024], good[256], n[80];
    unsigned         half;
    key_e            k;
    signer_t        *s;

    for (k = P256; k <= P521; k++) {
        s = &signers[k];
        half = token_half(s->key);

        sign(k, "");
        ok(token_verify(keys), "%s holds", s->alg);
        memcpy(good, jwt.signature, 2 * half);

        order = NULL;
        EVP_PKEY_get_bn_param(s->key, OSSL_PKEY_PARAM_EC_ORDER, &order);
        BN_bn2binpad(order, n, (int) half);

        memset(sig, 0, 2 * half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "R and S of zero");
        memcpy(sig, good, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "S of zero");
        memset(sig, 0, half);
        memcpy(sig + half, good + half, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "R of zero");

        memcpy(sig, n, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "R of the order");
        memcpy(sig, good, half);
        memcpy(sig + half, n, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "S of the order");
        memcpy(sig, n, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "both of the order");
        BN_add_word(order, 1);
        BN_bn2binpad(order, sig, (int) half);
        BN_bn2binpad(order, sig + half, (int) half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "both one above it");
        BN_sub_word(order, 2);
        BN_bn2binpad(order, sig, (int) half);
        BN_bn2binpad(order, sig + half, (int) half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "both one below it");
        memset(sig, 0xff, 2 * half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "all bits set");
        memset(sig, 0, 2 * half);
        sig[half - 1] = 1;
        sig[2 * half - 1] = 1;
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "both of one");

        BN_free(order);

        memcpy(sig, good + half, half);
        memcpy(sig + half, good, half);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "S || R");

        for (i = 1; i < 2 * half; i++) {
            resign(good, i);
            forged++;

            if (token_verify(keys) || error != GW_JWT_E_SIGNATURE) {
                accepted++;
                break;
            }
        }

        is_u64(i, 2 * half, "of no other length up to it");

        memcpy(sig, good, 2 * half);
        memset(sig + 2 * half, 0, 2 * half);
        resign(sig, 2 * half + 1);
        refused(keys, GW_JWT_E_SIGNATURE, "nor one longer");
        resign(sig, 4 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "nor of twice the length");

        memset(sig, 0, 2 * half + 2);
        memcpy(sig + 1, good, half);
        memcpy(sig + half + 2, good + half, half);
        resign(sig, 2 * half + 2);
        refused(keys, GW_JWT_E_SIGNATURE, "nor with a zero before R and S");

        token_sign(s->key, s->md, TOKEN_DER, header_of(s->alg, s->kid, ""),
                   PAYLOAD);
        refused(keys, GW_JWT_E_SIGNATURE, "nor as DER");

        /* DER of the very length: zeros behind make up for what it lacks */

        len = token_signature(s->key, s->md, TOKEN_DER, token,
                              (size_t) (strrchr(token, '.') - token), sig);
        memset(sig + len, 0, sizeof(sig) - len);
        resign(sig, 2 * half);
        refused(keys, GW_JWT_E_SIGNATURE, "nor as DER that was cut");
    }
}


static void
test_other_signatures(void)
{
    size_t            i, n, len;
    BIGNUM           *s, *order;
    uint8_t           sig[1024 + 8], good[256];
    EVP_PKEY         *key;
    static const int  salts[] = { 0, 20, 31, 33, RSA_PSS_SALTLEN_MAX };

    key = signers[RSA_KEY].key;

    for (i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
        token_sign(key, "SHA256", salts[i], header_of("PS256", "r", ""),
                   PAYLOAD);
        refused(keys, GW_JWT_E_SIGNATURE, "PS256 with a salt of %d",
                salts[i]);
    }

    token_sign(key, "SHA1", TOKEN_PKCS1, header_of("RS256", "r", ""),
               PAYLOAD);
    refused(keys, GW_JWT_E_SIGNATURE, "RS256 over SHA-1");

    sign(RSA_KEY, "");
    ok(token_verify(keys), "RS256 holds");
    memcpy(good, jwt.signature, 256);

    memset(sig, 0, sizeof(sig));
    memcpy(sig + 1, good, 256);
    resign(sig, 257);
    refused(keys, GW_JWT_E_SIGNATURE, "not with a zero in front");
    resign(sig + 1, 257);
    refused(keys, GW_JWT_E_SIGNATURE, "nor behind");
    resign(good, 255);
    refused(keys, GW_JWT_E_SIGNATURE, "nor without its last byte");
    resign(good + 1, 255);
    refused(keys, GW_JWT_E_SIGNATURE, "nor without its first");
    memset(sig, 0, 256);
    resign(sig, 256);
    refused(keys, GW_JWT_E_SIGNATURE, "zero is no signature");
    sig[255] = 1;
    resign(sig, 256);
    refused(keys, GW_JWT_E_SIGNATURE, "nor is one");
    n = token_number(key, OSSL_PKEY_PARAM_RSA_N, 0, sig);
    resign(sig, n);
    refused(keys, GW_JWT_E_SIGNATURE, "nor the modulus");
    sig[n - 1]--;
    resign(sig, n);
    refused(keys, GW_JWT_E_SIGNATURE, "nor the one below");
    resign(sig, GW_JWT_SIG_MAX);
    refused(keys, GW_JWT_E_SIGNATURE, "nor one of 8192 bits");

    sign(ED25519, "");
    ok(token_verify(keys), "EdDSA holds");
    memcpy(good, jwt.signature, 64);
    resign(good, 63);
    refused(keys, GW_JWT_E_SIGNATURE, "a byte shorter it does not");
    memcpy(sig, good, 64);
    sig[64] = 0;
    resign(sig, 65);
    refused(keys, GW_JWT_E_SIGNATURE, "nor longer");

    /* RFC 8032 section 5.1.7: S + L is the same to who does not look */

    order = NULL;
    BN_hex2bn(&order, "1000000000000000000000000000000014DEF9DEA2F79CD65812631"
                      "A5CF5D3ED");
    s = BN_lebin2bn(good + 32, 32, NULL);
    BN_add(s, s, order);
    BN_bn2lebinpad(s, sig + 32, 32);
    resign(sig, 64);
    refused(keys, GW_JWT_E_SIGNATURE, "nor with S + L");
    BN_free(s);
    BN_free(order);

    memset(sig, 0, 64);
    sig[0] = 1;
    resign(sig, 64);
    refused(keys, GW_JWT_E_SIGNATURE, "nor R of the neutral point, S of zero");

    sign(ED448, "");
    ok(token_verify(keys), "Ed448 holds, under the same name");
    n = 0;

    for (i = 0; i < KEYS; i++) {
        sign((key_e) i, "");
        token_verify(keys);
        len = jwt.signature_len;
        memcpy(sig, jwt.signature, len);
        sig[len / 2] ^= 0x10;
        resign(sig, len);
        forged++;
        n += token_verify(keys) || error != GW_JWT_E_SIGNATURE;
    }

    accepted += (unsigned) n;
    is_u64(n, 0, "a bit of a signature counts, of every key");

    mac("{\"alg\":\"HS256\",\"kid\":\"h\"}", PAYLOAD);
    ok(token_verify(keys), "HS256 holds");
    memcpy(good, jwt.signature, 32);

    for (i = 1; i < 32; i++) {
        resign(good, i);
        forged++;

        if (token_verify(keys)) {
            accepted++;
            break;
        }
    }

    is_u64(i, 32, "no beginning of it does");
    memcpy(sig, good, 32);
    memset(sig + 32, 0, 32);
    resign(sig, 33);
    refused(keys, GW_JWT_E_SIGNATURE, "nor with a byte behind");
    resign(sig, 64);
    refused(keys, GW_JWT_E_SIGNATURE, "nor at the length of another digest");
}


/* signed by who may sign; whether it says anything is another question */

static void
test_claims(void)
{
    size_t                    i;
    static const struct {
        const char       *payload;
        gw_jwt_error_e    error;
    } bad[] = {
        { "", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\"}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1e999}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1E+999}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":NaN}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":Infinity}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":\"123\"}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":\"1900000000\"}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":-1900000000}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":9007199254740992}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000,\"nbf\":1e999}",
          GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000,\"nbf\":-1}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000,\"iat\":\"0\"}",
          GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1,\"exp\":1900000000}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000,\"sub\":\"b\"}",
          GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000}{}", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1900000000}\n\nx", GW_JWT_E_CLAIMS },
        { "[{\"sub\":\"a\",\"exp\":1900000000}]", GW_JWT_E_CLAIMS },
        { "{\"sub\":\"a\",\"exp\":1799999940}", GW_JWT_E_EXPIRED },
        { "{\"sub\":\"a\",\"exp\":1900000000,\"nbf\":1800000061}",
          GW_JWT_E_EARLY },
        { "{\"exp\":1900000000}", GW_JWT_E_DEVICE }
    };

    mac("{\"alg\":\"HS256\",\"kid\":\"h\"}", PAYLOAD);
    ok(token_verify(keys)
       && gw_jwt_claims(&json, &jwt, &rules, NOW, &identity, &error) == GW_OK,
       "a token with good claims is good");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mac("{\"alg\":\"HS256\",\"kid\":\"h\"}", bad[i].payload);
        forged++;

        ok(token_verify(keys)
           && gw_jwt_claims(&json, &jwt, &rules, NOW, &identity, &error)
              == GW_ERROR
           && error == bad[i].error, "signed rightly, but %s: %s",
           gw_jwt_strerror(bad[i].error), shown(bad[i].payload));
        accepted += error == GW_JWT_E_NONE;
    }
}


int
main(void)
{
    unsigned  i;

    token_init();
    make_keys();

    test_examples();
    test_matrix();
    test_none();
    test_confusion();
    test_headers();
    test_forms();
    test_ecdsa();
    test_other_signatures();
    test_claims();

    ok(accepted == 0 && forged > 1000, "of %u forgeries %u were accepted",
       forged, accepted);

    gw_keys_free(keys);
    gw_keys_free(public_keys);

    for (i = 0; i < KEYS; i++) {
        EVP_PKEY_free(signers[i].key);
    }

    return done_testing();
}
