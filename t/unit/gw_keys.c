/*
 * gw_keys.c - tokens signed by keys of every type, and forgeries.
 *
 * The story: somebody sends a token that is nearly right.  Unseen without it:
 * an RSA key that is used as an HMAC secret because the token says so, "none",
 * a key that the token brings along, DER where R || S belongs, a claim out of
 * its time.  Keys are made here and signed with by libcrypto, whose hand is
 * not ours; none of them is written down.
 */

#include "gw_test.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "gw_base64.h"
#include "gw_keys.h"


#define NOW  1800000000LL


static const gw_str_t        names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static const gw_jwt_rules_t  rules = {
    gw_str("fleet"), gw_str("gateway"), gw_str("sub"),
    gw_str("gateway_classes"), gw_str("tenant"), 60, names, 3
};

static gw_json_t       json;
static gw_jwt_t        jwt;
static gw_jwt_error_e  error;
static gw_identity_t   identity;
static char            said[256];
static EVP_PKEY       *rsa, *ec, *ed;
static uint8_t         secret[64];
static char            set[8192], token[8192];


static size_t
b64(const void *p, size_t len, char *dst)
{
    size_t  n;

    n = gw_base64url_encode(p, len, (uint8_t *) dst);
    dst[n] = '\0';

    return n;
}


static void
number(EVP_PKEY *key, const char *name, size_t len, char *dst)
{
    BIGNUM   *n;
    uint8_t   raw[512];

    n = NULL;
    EVP_PKEY_get_bn_param(key, name, &n);
    len = len ? len : (size_t) BN_num_bytes(n);
    BN_bn2binpad(n, raw, (int) len);
    BN_free(n);
    b64(raw, len, dst);
}


static void
make_set(void)
{
    char    n[1024], e[16], x[128], y[128], k[128], d[128];
    size_t  len;
    uint8_t raw[32];

    rsa = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    number(rsa, OSSL_PKEY_PARAM_RSA_N, 0, n);
    number(rsa, OSSL_PKEY_PARAM_RSA_E, 0, e);
    number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32, x);
    number(ec, OSSL_PKEY_PARAM_EC_PUB_Y, 32, y);

    len = sizeof(raw);
    EVP_PKEY_get_raw_public_key(ed, raw, &len);
    b64(raw, len, d);

    memset(secret, 0x5a, sizeof(secret));
    b64(secret, sizeof(secret), k);

    snprintf(set, sizeof(set),
             "{\"keys\":["
             "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"%s\"},"
             "{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"%s\","
             "\"y\":\"%s\"},"
             "{\"kty\":\"OKP\",\"kid\":\"d\",\"crv\":\"Ed25519\","
             "\"x\":\"%s\"},"
             "{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"%s\"},"
             "{\"kty\":\"new\",\"kid\":\"n\"},"
             "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AQ\",\"e\":\"AQAB\"}"
             "]}", n, e, x, y, d, k);
}


/* R || S of an ECDSA signature */

static size_t
plain(const uint8_t *der, size_t len, uint8_t *dst)
{
    ECDSA_SIG  *sig;

    sig = d2i_ECDSA_SIG(NULL, &der, (long) len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), dst, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), dst + 32, 32);
    ECDSA_SIG_free(sig);

    return 64;
}


/* token of header and payload; md NULL: the key's own; how: 'p' PSS, 'd' DER */

static void
sign(EVP_PKEY *key, const char *md, char how, const char *header,
    const char *payload)
{
    size_t         n, len;
    uint8_t        sig[1024], raw[64];
    EVP_MD_CTX    *ctx;
    EVP_PKEY_CTX  *pctx;

    n = b64(header, strlen(header), token);
    token[n++] = '.';
    n += b64(payload, strlen(payload), token + n);

    ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, key, NULL);

    if (how == 'p') {
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
    }

    len = sizeof(sig);
    EVP_DigestSign(ctx, sig, &len, (uint8_t *) token, n);
    EVP_MD_CTX_free(ctx);

    token[n++] = '.';

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && how != 'd') {
        len = plain(sig, len, raw);
        memcpy(sig, raw, len);
    }

    b64(sig, len, token + n);
}


static void
mac(const void *key, size_t key_len, const char *header, const char *payload)
{
    size_t    n;
    uint8_t   out[EVP_MAX_MD_SIZE];
    unsigned  len;

    n = b64(header, strlen(header), token);
    token[n++] = '.';
    n += b64(payload, strlen(payload), token + n);

    len = 0;
    HMAC(EVP_sha256(), key, (int) key_len, (uint8_t *) token, n, out, &len);

    token[n++] = '.';
    b64(out, len, token + n);
}


static int
verify(gw_keys_t *keys)
{
    error = GW_JWT_E_NONE;

    return gw_jwt_parse(&json, (uint8_t *) token, strlen(token), &jwt, &error)
           == GW_OK
           && gw_keys_verify(keys, &jwt, &error) == GW_OK;
}


static void
test_signatures(gw_keys_t *keys)
{
    size_t  i, n;
    char    c;

    sign(rsa, "SHA256", 0, "{\"alg\":\"RS256\",\"kid\":\"r\"}", "{}");
    ok(verify(keys), "RS256");
    sign(rsa, "SHA512", 0, "{\"alg\":\"RS512\"}", "{}");
    ok(verify(keys), "RS512 without a kid, for one key fits");
    sign(rsa, "SHA256", 'p', "{\"alg\":\"PS256\",\"kid\":\"r\"}", "{}");
    ok(verify(keys), "PS256");
    sign(ec, "SHA256", 0, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "{}");
    ok(verify(keys), "ES256");
    sign(ed, NULL, 0, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", "{}");
    ok(verify(keys), "EdDSA");
    mac(secret, sizeof(secret), "{\"alg\":\"HS256\",\"\\u006bid\":\"h\"}",
        "{}");
    ok(verify(keys), "HS256, and a kid spelled with an escape");
    ok(verify(keys), "and once more, on the same context");

    n = strlen(token);

    for (i = 0; i < n; i++) {
        c = token[i];
        token[i] = c == 'A' ? 'B' : 'A';

        if (verify(keys)) {
            break;
        }

        token[i] = c;
    }

    ok(i == n, "each character of a token counts");

    for (i = 0; i < n; i++) {
        c = token[i];
        token[i] = '\0';

        if (verify(keys)) {
            break;
        }

        token[i] = c;
    }

    ok(i == n, "and all of them are needed");
}


static void
test_forgeries(gw_keys_t *keys)
{
    size_t                    i, len;
    uint8_t                   raw[gw_base64_decoded(86) + 8], *der;
    static const char *const  headers[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"NONE\"}",
        "{\"alg\":\"\"}", "{\"alg\":null}", "{\"alg\":[\"HS256\"]}", "{}",
        "[]", "\"HS256\"", "{\"alg\":\"hs256\",\"kid\":\"h\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"jwk\":{}}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"jku\":\"https://a\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"x5u\":\"https://a\"}",
        "{\"alg\":\"HS256\",\"kid\":\"h\",\"x5c\":[]}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}", "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}",
        "{\"alg\":\"HS384\",\"kid\":\"h\"}", "{\"alg\":\"HS256\",\"kid\":\"e\"}"
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        mac(secret, sizeof(secret), headers[i], "{}");
        ok(!verify(keys), "refused though signed: %s", headers[i]);
    }

    der = NULL;
    len = (size_t) i2d_PUBKEY(rsa, &der);
    mac(der, len, "{\"alg\":\"HS256\",\"kid\":\"r\"}", "{}");
    ok(!verify(keys) && error == GW_JWT_E_ALG,
       "a public RSA key is no HMAC secret");
    mac(der, len, "{\"alg\":\"HS256\"}", "{}");
    ok(!verify(keys), "nor without a kid");
    OPENSSL_free(der);

    sign(ec, "SHA256", 'd', "{\"alg\":\"ES256\",\"kid\":\"e\"}", "{}");
    ok(!verify(keys) && error == GW_JWT_E_SIGNATURE,
       "DER is not the form of ES256");

    sign(ec, "SHA256", 0, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "{}");
    memset(strrchr(token, '.') + 1, 'A', 86);
    ok(!verify(keys), "R and S of zero are no signature");

    sign(ec, "SHA256", 0, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "{}");
    gw_base64url_decode((uint8_t *) strrchr(token, '.') + 1, 86, raw, &len);
    raw[len++] = 0;
    b64(raw, len, strrchr(token, '.') + 1);
    ok(!verify(keys), "a byte behind R and S is one too many");

    sign(rsa, "SHA256", 0, "{\"alg\":\"PS256\",\"kid\":\"r\"}", "{}");
    ok(!verify(keys), "PKCS 1 padding is none of PS256");
}


static int
claims(gw_keys_t *keys, const char *payload)
{
    mac(secret, sizeof(secret), "{\"alg\":\"HS256\",\"kid\":\"h\"}", payload);

    return verify(keys)
           && gw_jwt_claims(&json, &jwt, &rules, NOW, &identity, &error)
              == GW_OK;
}


#define WHO  "\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"pump-7\""

static void
test_claims(gw_keys_t *keys)
{
    size_t                    i;
    static const struct {
        const char      *payload;
        gw_jwt_error_e   error;
    } bad[] = {
        { "{" WHO "}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":\"1800000100\"}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":-1}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":1e400}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":9007199254740992}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":1799999940}", GW_JWT_E_EXPIRED },
        { "{" WHO ",\"exp\":1800000100,\"nbf\":1800000061}", GW_JWT_E_EARLY },
        { "{" WHO ",\"exp\":1800000100,\"iat\":1800000061}", GW_JWT_E_EARLY },
        { "{" WHO ",\"exp\":1800000100,\"exp\":1900000000}",
          GW_JWT_E_CLAIMS },
        { "{\"aud\":\"gateway\",\"sub\":\"a\",\"exp\":1900000000}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":\"fleet\",\"sub\":\"a\",\"exp\":1900000000}",
          GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":[\"x\",7],\"sub\":\"a\","
          "\"exp\":1900000000}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"exp\":1900000000}",
          GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\u0022b\","
          "\"exp\":1900000000}", GW_JWT_E_DEVICE },
        { "{" WHO ",\"exp\":1900000000,\"tenant\":7}", GW_JWT_E_CLAIMS },
        { "{" WHO ",\"exp\":1900000000,\"gateway_classes\":[7]}",
          GW_JWT_E_CLAIMS },
        { "[]", GW_JWT_E_CLAIMS }
    };

    ok(claims(keys, "{" WHO ",\"exp\":1799999941,\"nbf\":1800000060.5,"
                    "\"tenant\":\"acme\",\"gateway_classes\":"
                    "[\"telemetry\",\"control\",\"other\"]}"),
       "good claims, within the leeway on both sides");
    is_str(identity.device, identity.device_len, "pump-7", "name the device");
    is_str(identity.tenant, identity.tenant_len, "acme", "and its tenant");
    is_u64(identity.classes, 1 << 0 | 1 << 2, "and its classes");
    is_u64(identity.not_after, 1799999941, "and the end of its time");

    ok(claims(keys, "{\"iss\":\"fleet\",\"aud\":[\"x\",\"gateway\"],"
                    "\"sub\":\"a\",\"exp\":1900000000}")
       && identity.classes == 0,
       "an audience among others; without classes it may send none");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!claims(keys, bad[i].payload) && error == bad[i].error,
           "%s: %s", gw_jwt_strerror(bad[i].error), bad[i].payload);
    }
}


static void
test_sets(void)
{
    size_t                    i;
    gw_keys_t                *keys;
    static const char *const  bad[] = {
        "", "{", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[7]}",
        "{\"keys\":[{}]}", "{\"keys\":[{\"kty\":\"new\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\","
        "\"d\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"},"
        "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        said[0] = '\0';
        keys = gw_keys_load((const uint8_t *) bad[i], strlen(bad[i]), said,
                            sizeof(said));
        ok(keys == NULL && said[0] && strstr(said, "AAAA") == NULL,
           "no set of keys: %s", said);
        gw_keys_free(keys);
    }
}


int
main(void)
{
    void                    *arena;
    gw_keys_t               *keys;
    static gw_json_limits_t  limits = {
        .max_bytes = 65536, .max_nodes = 1024, .max_depth = 8,
        .max_keys = 64, .max_string = 8192, .max_number = 64
    };

    arena = malloc(gw_json_arena_size(&limits));
    gw_json_init(&json, &limits, arena, 1);

    make_set();

    keys = gw_keys_load((uint8_t *) set, strlen(set), said, sizeof(said));
    ok(keys != NULL && gw_keys_count(keys) == 4,
       "a set loads, keys of unknown types and uses passed over %s", said);

    test_signatures(keys);
    test_forgeries(keys);
    test_claims(keys);
    test_sets();

    gw_keys_free(keys);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    free(arena);

    return done_testing();
}
