/*
 * gw_keys.c - key sets, read, refused, and what is left of them in memory.
 *
 * The story: somebody writes a file of keys, in haste.  Unseen without it: a
 * private key that is handed to every worker, a key too short to be one, two
 * keys of one name of which the wrong one is asked, a set that is half used, a
 * secret that stays behind in memory that was given back.  Tokens under these
 * keys are forged in gw_jose.c.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                    /* memmem() */
#endif

#include "gw_token_sign.h"

#include <jansson.h>

/* of the sanitizer, whose header not every compiler brings along; weak, as
   under valgrind there is none */

size_t __sanitizer_get_allocated_size(const volatile void *p)
    __attribute__((weak));
int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *p, size_t size),
    void (*on_free)(const volatile void *p)) __attribute__((weak));


typedef struct {
    const char  *keys;
    const char  *why;                  /* of the sentence, a part */
} bad_t;


static gw_keys_t  *keys;
static char        said[256];
static EVP_PKEY   *rsa, *ec, *ed;
static uint8_t     secret[64];
static char        set[1 << 17];
static char        r[2048], e[512], d[256], h[256];


static gw_keys_t *
load(const char *text)
{
    size_t  len;

    len = strlen(text);
    said[0] = '\0';

    return gw_keys_load(guarded(text, len), len, said, sizeof(said));
}


/* list: keys parted by commas */

static gw_keys_t *
load_list(const char *list)
{
    snprintf(set, sizeof(set), "{\"keys\":[%s]}", list);

    return load(set);
}


static unsigned
count(const char *list)
{
    unsigned    n;
    gw_keys_t  *k;

    k = load_list(list);
    n = k ? gw_keys_count(k) : 0;
    gw_keys_free(k);

    return n;
}


static const char *
octets(size_t n, const char *more)
{
    static char  jwk[1600], k[1500];
    uint8_t      raw[1100];

    memset(raw, 0x5a, sizeof(raw));
    b64(raw, n, k);
    snprintf(jwk, sizeof(jwk), "{%s\"kty\":\"oct\",\"k\":\"%s\"}", more, k);

    return jwk;
}


static void
make_keys(void)
{
    char  k[128];

    rsa = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    token_jwk(rsa, "\"kid\":\"r\",", r, sizeof(r));
    token_jwk(ec, "\"kid\":\"e\",", e, sizeof(e));
    token_jwk(ed, "\"kid\":\"d\",", d, sizeof(d));

    memset(secret, 0x5a, sizeof(secret));
    b64(secret, sizeof(secret), k);
    snprintf(h, sizeof(h), "{\"kid\":\"h\",\"kty\":\"oct\",\"k\":\"%s\"}", k);
}


static void
test_verify(void)
{
    char    c, list[4096];
    size_t  i, n;

    snprintf(list, sizeof(list), "%s,%s,%s,%s", r, e, d, h);
    keys = load_list(list);
    ok(keys != NULL && gw_keys_count(keys) == 4, "a set of four loads %s",
       said);

    token_sign(rsa, "SHA512", TOKEN_PKCS1, "{\"alg\":\"RS512\"}", "{}");
    ok(token_verify(keys) && error == GW_JWT_E_NONE, "RS512");
    token_sign(rsa, "SHA256", RSA_PSS_SALTLEN_DIGEST,
               "{\"alg\":\"PS256\",\"kid\":\"r\"}", "{}");
    ok(token_verify(keys), "PS256");
    token_sign(ec, "SHA256", TOKEN_PKCS1, "{\"alg\":\"ES256\"}", "{}");
    ok(token_verify(keys), "ES256");
    token_sign(ed, NULL, TOKEN_PKCS1, "{\"alg\":\"EdDSA\"}", "{}");
    ok(token_verify(keys), "EdDSA");
    token_mac("SHA256", secret, sizeof(secret),
              "{\"alg\":\"HS256\",\"\\u006bid\":\"h\"}", "{}");
    ok(token_verify(keys), "HS256, and a kid spelled with an escape");
    ok(token_verify(keys), "and once more, on the same context");

    n = strlen(token);

    for (i = 0; i < n; i++) {
        c = token[i];
        token[i] = c == 'A' ? 'B' : 'A';

        if (token_verify(keys)) {
            break;
        }

        token[i] = c;
    }

    ok(i == n, "each character of a token counts");
    ok(token_verify(keys), "and of those that failed nothing is left");

    for (i = 0; i < n; i++) {
        c = token[i];
        token[i] = '\0';

        if (token_verify(keys)) {
            break;
        }

        token[i] = c;
    }

    ok(i == n, "all of them are needed");

    gw_keys_free(keys);
    gw_keys_free(NULL);
}


/* what is not for us is passed over; a set of nothing else is refused */

static void
test_passed_over(void)
{
    char                      one[2048], list[4096];
    size_t                    i;
    static const char *const  others[] = {
        "{\"kty\":\"new\"}", "{\"kty\":\"\"}", "{\"kty\":\"rsa\"}",
        "{\"kty\":\"new\",\"kid\":7}", "{\"kty\":\"new\",\"kid\":\"h\"}",
        "{\"kty\":\"new\",\"d\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"\",\"y\":\"\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-224\"}", "{\"kty\":\"EC\",\"crv\":\"\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AQAB\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X448\"}",
        "{\"kty\":\"OKP\",\"crv\":\"P-256\"}",
        "{\"kty\":\"RSA\",\"use\":\"enc\"}", "{\"kty\":\"RSA\",\"use\":\"\"}",
        "{\"kty\":\"RSA\",\"use\":7}", "{\"kty\":\"RSA\",\"use\":null}",
        "{\"kty\":\"RSA\",\"use\":[\"sig\"]}",
        "{\"kty\":\"RSA\",\"use\":\"Sig\"}",
        "{\"kty\":\"RSA\",\"key_ops\":[]}",
        "{\"kty\":\"RSA\",\"key_ops\":[\"sign\",7]}",
        "{\"kty\":\"RSA\",\"key_ops\":\"verify\"}",
        "{\"kty\":\"RSA\",\"use\":\"enc\",\"key_ops\":[\"verify\"]}"
    };
    static const char *const  ours[] = {
        "\"use\":\"sig\",", "\"key_ops\":[\"verify\"],",
        "\"key_ops\":[\"sign\",\"verify\"],\"use\":\"sig\",",
        "\"x5c\":[\"AAAA\"],\"x5t\":\"AA\",\"exp\":1,"
    };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        snprintf(list, sizeof(list), "%s,%s", others[i], h);
        ok(count(list) == 1, "passed over: %s %s", shown(others[i]), said);

        ok(count(others[i]) == 0
           && strcmp(said, "no key that could verify a token") == 0,
           "and alone no key set");
    }

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        ok(count(token_jwk(ec, ours[i], one, sizeof(one))) == 1,
           "for us: %s %s", shown(ours[i]), said);
    }
}


static void
test_refused(void)
{
    char                one[2048], list[8192];
    size_t              i;
    static const bad_t  bad[] = {
        { "7", "not an object" },
        { "[]", "not an object" },
        { "{}", "\"kty\"" },
        { "{\"kty\":7}", "\"kty\"" },
        { "{\"kty\":\"RSA\"}", "missing" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "missing" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":7}", "missing" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048" },
        { "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", "missing" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB=\",\"e\":\"AQAB\"}", "base64url" },
        { "{\"kty\":\"RSA\",\"n\":\"AQ+B\",\"e\":\"AQAB\"}", "base64url" },
        { "{\"kty\":\"EC\"}", "\"crv\"" },
        { "{\"kty\":\"EC\",\"crv\":7}", "\"crv\"" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\"}", "wrong length" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}",
          "wrong length" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", "public key" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "public key" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
          "\"__________________________________________8\",\"y\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", "public key" },
        { "{\"kty\":\"OKP\"}", "\"crv\"" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "wrong length" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}",
          "wrong length" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
          "wrong length" },
        { "{\"kty\":\"oct\"}", "missing" },
        { "{\"kty\":\"oct\",\"k\":\"\"}", "missing" },
        { "{\"kty\":\"oct\",\"k\":[]}", "missing" },
        { "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", "32 bytes" },
        { "{\"kty\":\"oct\",\"kid\":\"\"}", "\"kid\"" },
        { "{\"kty\":\"oct\",\"kid\":7}", "\"kid\"" },
        { "{\"kty\":\"oct\",\"kid\":null}", "\"kid\"" },
        { "{\"kty\":\"oct\",\"kid\":\"a\",\"kid\":\"a\"}", "not JSON" },
        { "{\"kty\":\"oct\",\"k\":\"a\\u0000b\"}", "not JSON" },
        { "{\"kty\":\"oct\",}", "not JSON" },
        { "{\"kty\":\"oct\"},", "not JSON" }
    };
    static const bad_t  whole[] = {
        { "", "not JSON" }, { " ", "not JSON" }, { "{", "not JSON" },
        { "{\"keys\":[]}{}", "not JSON" }, { "{\"keys\":[]} x", "not JSON" },
        { "{\"keys\":[],\"keys\":[]}", "not JSON" },
        { "\xef\xbb\xbf{\"keys\":[]}", "not JSON" },
        { "{\"keys\":[\"\xff\"]}", "not JSON" },
        { "-----BEGIN PUBLIC KEY-----", "not JSON" },
        { "[]", "\"keys\"" }, { "{}", "\"keys\"" },
        { "{\"keys\":{}}", "\"keys\"" }, { "{\"keys\":null}", "\"keys\"" },
        { "{\"kty\":\"oct\",\"k\":"
          "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", "\"keys\"" },
        { "{\"keys\":[]}", "no key" }
    };
    static const char *const  private[] = {
        "d", "p", "q", "dp", "dq", "qi", "oth", "k"
    };

    for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        ok(load(whole[i].keys) == NULL && strstr(said, whole[i].why),
           "no key set: %s: %s", shown(whole[i].keys), said);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(count(bad[i].keys) == 0 && strstr(said, bad[i].why),
           "%s", shown(said));
        snprintf(list, sizeof(list), "%s,%s", e, bad[i].keys);
        ok(count(list) == 0 && strstr(said, bad[i].why)
           && (strstr(said, "key 1") || strstr(said, "line 1")),
           "nor beside a good one: %s", shown(bad[i].keys));
        ok(strstr(said, "AAAA") == NULL && strstr(said, "AQAB") == NULL
           && strstr(said, "c2hv") == NULL, "and no byte of it is told");
    }

    for (i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
        snprintf(list, sizeof(list), "\"%s\":\"AQAB\",", private[i]);

        ok(count(token_jwk(rsa, list, one, sizeof(one))) == 0
           && strstr(said, "private"), "an RSA key with \"%s\" is private",
           private[i]);
        ok(count(token_jwk(ec, list, one, sizeof(one))) == 0
           && strstr(said, "private"), "so is one of EC");
        ok(count(token_jwk(ed, list, one, sizeof(one))) == 0
           && strstr(said, "private"), "so is one of OKP");
    }

    snprintf(list, sizeof(list), "%s,%s", e, e);
    ok(count(list) == 0 && strcmp(said, "key 1 (kid \"e\"): another key has "
       "this \"kid\"") == 0, "%s", said);

    snprintf(list, sizeof(list), "%s,%s",
             token_jwk(ec, "", one, sizeof(one)), one);
    ok(count(list) == 2, "two without a kid are two keys");

    snprintf(list, sizeof(list), "{\"kty\":\"EC\",\"kid\":\"a\\nb\"}");
    ok(count(list) == 0 && strcmp(said, "key 0: no member \"crv\"") == 0,
       "a kid that would be a line of the log is not told");
    snprintf(list, sizeof(list), "{\"kty\":\"EC\",\"kid\":\"a\\\"b\"}");
    ok(count(list) == 0 && strcmp(said, "key 0: no member \"crv\"") == 0,
       "nor one with a quote");

    memset(one, 'k', 200);
    one[GW_JWT_KID_MAX] = '\0';
    snprintf(list, sizeof(list), "{\"kty\":\"EC\",\"kid\":\"%s\"}", one);
    ok(count(list) == 0 && strstr(said, one), "one of 128 bytes is told");
    snprintf(list, sizeof(list), "{\"kty\":\"EC\",\"kid\":\"%sk\"}", one);
    ok(count(list) == 0 && strstr(said, one) == NULL && strstr(said, "128"),
       "%s", said);

    ok(gw_keys_load((const uint8_t *) "{}", 2, said, 1) == NULL
       && said[0] == '\0', "a sentence is cut where there is no room");
}


static unsigned
rsa_of(const BIGNUM *n, const char *exponent)
{
    char     text[1600], list[2048];
    uint8_t  raw[1100];

    b64(raw, (size_t) BN_bn2bin(n, raw), text);
    snprintf(list, sizeof(list), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}",
             text, exponent);

    return count(list);
}


/* a modulus of so many bits */

static BIGNUM *
modulus(unsigned bits)
{
    BIGNUM  *n;

    n = BN_new();
    BN_set_bit(n, (int) bits - 1);
    BN_set_bit(n, 0);

    return n;
}


static void
test_rsa(void)
{
    BIGNUM  *n;

    n = modulus(2047);
    ok(rsa_of(n, "AQAB") == 0 && strstr(said, "2048"),
       "an RSA key of 2047 bits is too short");
    BN_free(n);

    n = modulus(8192);
    ok(rsa_of(n, "AQAB") == 1, "one of 8192 is not too long %s", said);
    BN_free(n);

    n = modulus(8193);
    ok(rsa_of(n, "AQAB") == 0, "of 8193 it is: %s", said);
    BN_free(n);

    n = modulus(2048);
    ok(rsa_of(n, "AQAB") == 1, "one of 2048 is not too short %s", said);
    ok(rsa_of(n, "Aw") == 1, "3 is an exponent");
    ok(rsa_of(n, "AQ") == 0 && strstr(said, "exponent"), "1 is none");
    ok(rsa_of(n, "AQAA") == 0 && strstr(said, "exponent"),
       "nor is an even number");
    ok(rsa_of(n, "AA") == 0 && strstr(said, "exponent"), "nor 0");
    ok(rsa_of(n, "AQAAAAAAAAAAAAE") == 0 && strstr(said, "\"e\""),
       "nor one of more than 64 bits");

    BN_add_word(n, 1);
    ok(rsa_of(n, "AQAB") == 0 && strstr(said, "modulus"),
       "an even modulus is none");
    BN_free(n);
}


static void
test_bounds(void)
{
    char         *p, one[2048], list[2048], x[64];
    size_t        i, k;
    gw_keys_t    *set_;
    static char   all[16384], large[(1 << 20) + 2];

    static const struct {
        size_t       bytes;
        unsigned     algs;             /* HS256, HS384, HS512 */
    } secrets[] = {
        { 31, 0 }, { 32, 1 }, { 47, 1 }, { 48, 3 }, { 63, 3 }, { 64, 7 },
        { 1024, 7 }, { 1025, 0 }
    };
    static const char *const  digests[] = { "SHA256", "SHA384", "SHA512" };
    static const char *const  headers[] = {
        "{\"alg\":\"HS256\"}", "{\"alg\":\"HS384\"}", "{\"alg\":\"HS512\"}"
    };
    static const bad_t  algs[] = {
        { "\"alg\":\"HS256\",", NULL }, { "\"alg\":\"HS384\",", NULL },
        { "\"alg\":\"HS512\",", "of this type and size" },
        { "\"alg\":\"RS256\",", "of this type" },
        { "\"alg\":\"none\",", "of this type" },
        { "\"alg\":\"\",", "of this type" }, { "\"alg\":7,", "of this type" },
        { "\"alg\":null,", "of this type" },
        { "\"alg\":\"A128KW\",", "of this type" }
    };
    static const char *const  others[] = {
        "\"alg\":\"HS256\",", "\"alg\":\"ES384\",", "\"alg\":\"none\",",
        "\"alg\":\"ECDH-ES\",", "\"alg\":7,"
    };

    for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        set_ = load_list(octets(secrets[i].bytes, ""));
        ok(!set_ == !secrets[i].algs, "a secret of %zu bytes: %s",
           secrets[i].bytes, said);

        for (k = 0; set_ && k < 3; k++) {
            memset(all, 0x5a, sizeof(all));
            token_mac(digests[k], all, secrets[i].bytes, headers[k], "{}");
            ok(token_verify(set_) == (int) (secrets[i].algs >> k & 1),
               "is%s one of HS%s", secrets[i].algs >> k & 1 ? "" : " not",
               digests[k] + 3);
        }

        gw_keys_free(set_);
    }

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        k = count(octets(48, algs[i].keys));
        ok(algs[i].why ? k == 0 && strstr(said, algs[i].why) != NULL : k == 1,
           "a secret of 48 bytes with %s %s", algs[i].keys, said);
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ok(count(token_jwk(ec, others[i], one, sizeof(one))) == 0
           && strstr(said, "of this type"), "no key of P-256 with %s",
           others[i]);
    }

    /* RFC 7518 section 6.2.1.2: a coordinate has its zeros */

    token_number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32, (uint8_t *) one);
    b64(one, 31, x);
    snprintf(list, sizeof(list), "{\"kty\":\"EC\",\"crv\":\"P-256\","
             "\"x\":\"%s\",\"y\":\"%s\"}", x, x);
    ok(count(list) == 0 && strstr(said, "wrong length"),
       "a coordinate of 31 bytes is none");

    p = all;

    for (i = 0; i <= GW_KEYS_MAX; i++) {
        p += sprintf(p, "%s%s", i ? "," : "", octets(32, ""));

        if (i == GW_KEYS_MAX - 1) {
            is_u64(count(all), GW_KEYS_MAX, "a set of 64 keys loads");
        }
    }

    ok(count(all) == 0 && strstr(said, "one key too many"), "not of 65: %s",
       said);

    strcat(all, ",{\"kty\":\"new\"}");
    memmove(all, strchr(all, '}') + 2, strlen(strchr(all, '}') + 2) + 1);
    is_u64(count(all), GW_KEYS_MAX, "those that are passed over do not count");

    memset(large, ' ', sizeof(large));
    k = (size_t) snprintf(large, sizeof(large), "{\"keys\":[%s]}", e);
    large[k] = ' ';
    large[1 << 20] = '\0';
    set_ = load(large);
    ok(set_ != NULL, "a file of 1 MiB loads %s", said);
    gw_keys_free(set_);
    large[1 << 20] = ' ';
    set_ = gw_keys_load((uint8_t *) large, (1 << 20) + 1, said, sizeof(said));
    ok(set_ == NULL && strstr(said, "1 MiB"), "not one larger: %s", said);
}


/* every block, when it is given back, must have lost what was in it */

static const uint8_t  *trace[3];
static size_t          trace_len[3];
static unsigned        blocks, left[3];


static void
on_malloc(const volatile void *p, size_t size)
{
    (void) p;
    (void) size;
}


static void
on_free(const volatile void *p)
{
    size_t    size;
    unsigned  i;

    if (p == NULL || trace[0] == NULL) {
        return;
    }

    size = __sanitizer_get_allocated_size(p);
    blocks++;

    for (i = 0; i < 3; i++) {
        left[i] += memmem((const void *) p, size, trace[i], trace_len[i])
                   != NULL;
    }
}


static void
test_memory(void)
{
    char           list[8192], text[64], bad[512];
    size_t         i;
    uint8_t        raw[32];
    gw_keys_t     *k;
    void *volatile block;              /* not to be done without */
    static const char *const  what[] = {
        "the secret", "its text", "the middle of its text"
    };

    if (!__sanitizer_install_malloc_and_free_hooks) {
        ok(1, "no secret is left in memory # SKIP no sanitizer");
        return;
    }

    for (i = 0; i < sizeof(raw); i++) {
        raw[i] = (uint8_t) (0xc3 + 7 * i);
    }

    b64(raw, sizeof(raw), text);
    snprintf(list, sizeof(list), "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\","
             "\"k\":\"%s\"},%s]}", text, r);
    snprintf(bad, sizeof(bad), "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\","
             "\"k\":\"%s\"},7]}", text);

    trace[1] = (uint8_t *) text;
    trace_len[1] = 43;
    trace[2] = (uint8_t *) text + 20;
    trace_len[2] = 16;
    trace_len[0] = sizeof(raw);

    if (!__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free)) {
        abort();
    }

    /* the hook is seen to work */

    trace[0] = raw;
    block = malloc(100);
    memcpy(block, raw, sizeof(raw));
    free(block);
    ok(left[0] == 1 && blocks == 1, "what is left in a block is found");
    left[0] = 0;

    k = load(list);
    token_mac("SHA256", raw, sizeof(raw), "{\"alg\":\"HS256\"}", "{}");
    memset(left, 0, sizeof(left));
    ok(k && token_verify(k), "a secret verifies");
    gw_keys_free(k);
    ok(left[0] == 0 && left[1] == 0 && left[2] == 0,
       "of a set that is freed no secret is left");

    memset(left, 0, sizeof(left));
    blocks = 0;
    k = load(list);
    gw_keys_free(k);

    for (i = 0; i < 3; i++) {
        ok(left[i] == 0, "%s is in none of the %u blocks that were given "
           "back", what[i], blocks);
    }

    memset(left, 0, sizeof(left));
    ok(load(bad) == NULL && left[0] == 0 && left[1] == 0 && left[2] == 0,
       "nor is any of a set that was refused");

    bad[strlen(bad) - 1] = '\0';
    memset(left, 0, sizeof(left));
    ok(load(bad) == NULL && left[0] == 0 && left[1] == 0 && left[2] == 0,
       "or that was no JSON at its end");

    trace[0] = NULL;
}


int
main(void)
{
    json_free_t    release[2];
    json_malloc_t  alloc[2];

    json_get_alloc_funcs(&alloc[0], &release[0]);

    token_init();
    make_keys();

    test_verify();
    test_passed_over();
    test_refused();
    test_bounds();
    test_rsa();
    test_memory();

    json_get_alloc_funcs(&alloc[1], &release[1]);
    ok(alloc[0] == alloc[1] && release[0] == release[1],
       "jansson has its own allocator back");

    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);

    return done_testing();
}
