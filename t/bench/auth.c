/*
 * t/bench/auth.c - nanoseconds of one credential, of each kind: looked at for
 * the first time, and seen before.  In a worker the first is a percent of the
 * requests, and a parser of keys in its place would not be seen.
 *
 *   auth FOLDER
 *
 * FOLDER, made by t/bench/Bench/Auth.pm: devices.db and keys.json; the files
 * devices, hs256, es256, rs256 have a credential a line, of as many devices:
 * "NAME TOKEN", or the token of a JWT; certificate.pem.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bench.h"
#include "gw_auth_cache.h"
#include "gw_certificate.h"
#include "gw_hmac.h"
#include "gw_jwt.h"
#include "gw_keys.h"
#include "gw_registry.h"


#define BENCH_TEXTS    64
#define BENCH_CACHED   10000       /* as auth_cache is by default */
#define BENCH_SEEN     302         /* bytes, as the ES256 token of the cases */
#define BENCH_PAIR     72          /* the text of "Basic" */
#define BENCH_SECRET   192         /* of the digests, as a worker has it */
#define BENCH_BODY     255


typedef struct {
    char              text[BENCH_TEXTS][1024];
    size_t            len[BENCH_TEXTS];
} bench_texts_t;


struct bench_s {
    gw_json_t         json;
    gw_registry_t    *registry;
    gw_keys_t        *keys;
    gw_hmac_t        *hmac;
    gw_auth_cache_t  *cache;
    X509             *certificate;
    bench_texts_t     devices;
    bench_texts_t     hs256;
    bench_texts_t     es256;
    bench_texts_t     rs256;
    gw_jwt_t          jwt;
    gw_jwt_rules_t    rules;
    gw_identity_t     identity;
    gw_str_t          classes;
    uint8_t           secret[BENCH_SECRET];
    uint8_t           seen[BENCH_CACHED][BENCH_SEEN];
    uint64_t          sum;         /* keeps the work from being left out */
    int64_t           now;
};


static void
bench_registry(bench_t *b, unsigned i)
{
    char         *name, *token;
    size_t        len;
    gw_reason_e   reason;

    i %= BENCH_TEXTS;

    name = b->devices.text[i];
    token = strchr(name, ' ') + 1;
    len = (size_t) (token - name);

    if (gw_registry_check(b->registry, (uint8_t *) name, len - 1,
                          (uint8_t *) token, b->devices.len[i] - len, b->now,
                          &b->identity, &reason)
        != GW_OK)
    {
        bench_die("a device that is not known");
    }

    b->sum += b->identity.device_len;
}


static void
bench_jwt(bench_t *b, const bench_texts_t *texts, unsigned i)
{
    gw_jwt_error_e  error;

    i %= BENCH_TEXTS;

    if (gw_jwt_parse(&b->json, (uint8_t *) texts->text[i], texts->len[i],
                     &b->jwt, &error)
        != GW_OK
        || gw_keys_verify(b->keys, &b->jwt, &error) != GW_OK
        || gw_jwt_claims(&b->json, &b->jwt, &b->rules, b->now, &b->identity,
                         &error)
           != GW_OK)
    {
        bench_die(gw_jwt_strerror(error));
    }

    b->sum += b->identity.device_len;
}


static void
bench_hs256(bench_t *b, unsigned i)
{
    bench_jwt(b, &b->hs256, i);
}


static void
bench_es256(bench_t *b, unsigned i)
{
    bench_jwt(b, &b->es256, i);
}


static void
bench_rs256(bench_t *b, unsigned i)
{
    bench_jwt(b, &b->rs256, i);
}


/* one of ten thousand, in no order: their entries do not fit into the cache
   of a core */

static void
bench_seen(bench_t *b, size_t len, unsigned i)
{
    uint8_t               key[GW_AUTH_KEY_LEN];
    gw_reason_e           reason;
    XXH128_hash_t         digest;
    const gw_identity_t  *identity;

    i = i * 7919 % BENCH_CACHED;

    digest = XXH3_128bits_withSecret(b->seen[i], len, b->secret,
                                     sizeof(b->secret));
    memcpy(key, &digest, sizeof(key));

    if (gw_auth_cache_get(b->cache, key, 1, 1, &identity, &reason) != GW_OK) {
        /* one in two hundred has no place, see gw_auth_cache.c */

        gw_auth_cache_put(b->cache, key, 1, 1, 1000, &b->identity);
        return;
    }

    b->sum += identity->device_len;
}


static void
bench_seen_token(bench_t *b, unsigned i)
{
    bench_seen(b, BENCH_SEEN, i);
}


static void
bench_seen_pair(bench_t *b, unsigned i)
{
    bench_seen(b, BENCH_PAIR, i);
}


/* of what a request signs: eleven lines and the body */

static void
bench_hmac(bench_t *b, unsigned i)
{
    unsigned   n;
    uint8_t    signature[GW_SIGNATURE_LEN];
    gw_str_t   parts[2 * GW_SIGNATURE_MEMBERS + 1];

    for (n = 0; n < 2 * GW_SIGNATURE_MEMBERS; n += 2) {
        parts[n].data = b->seen[i % BENCH_TEXTS];
        parts[n].len = n < 10 ? 10 : 0;
        parts[n + 1].data = (uint8_t *) "\n";
        parts[n + 1].len = 1;
    }

    parts[n].data = b->seen[i % BENCH_TEXTS];
    parts[n++].len = BENCH_BODY;

    memset(signature, (int) i, sizeof(signature));

    if (gw_hmac_verify(b->hmac, b->seen[i % 97], 32, parts, n, signature)
        != GW_DECLINED)
    {
        bench_die("a signature that holds");
    }

    b->sum += signature[0];
}


static void
bench_certificate(bench_t *b, unsigned i)
{
    size_t           len;
    int64_t          not_after;
    uint8_t          device[GW_DEVICE_MAX];
    const char      *detail;
    const gw_str_t   prefix = gw_str("spiffe://fleet.example/device/");

    (void) i;

    if (gw_certificate_identity(b->certificate, GW_CERTIFICATE_URI, &prefix,
                                device, &len, &not_after, &detail)
        != GW_OK)
    {
        bench_die(detail);
    }

    b->sum += len;
}


static const bench_part_t  bench_parts[] = {
    { "auth, registry, new",             0,           bench_registry },
    { "auth, registry, seen before",     BENCH_PAIR,  bench_seen_pair },
    { "auth, HS256, new",                0,           bench_hs256 },
    { "auth, ES256, new",                0,           bench_es256 },
    { "auth, RS256, new",                0,           bench_rs256 },
    { "auth, token seen before",         BENCH_SEEN,  bench_seen_token },
    { "auth, signature of a request",    0,           bench_hmac },
    { "auth, name of a certificate",     0,           bench_certificate }
};


static FILE *
bench_open(const char *folder, const char *name)
{
    char   path[4096];
    FILE  *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);

    f = fopen(path, "r");

    if (f == NULL) {
        bench_die(path);
    }

    return f;
}


static void
bench_lines(const char *folder, const char *name, bench_texts_t *texts)
{
    FILE      *f;
    unsigned   i;

    f = bench_open(folder, name);

    for (i = 0; i < BENCH_TEXTS; i++) {

        if (fgets(texts->text[i], sizeof(texts->text[i]), f) == NULL) {
            bench_die("too few credentials");
        }

        texts->len[i] = strcspn(texts->text[i], "\n");
    }

    fclose(f);
}


static void
bench_files(bench_t *b, const char *folder)
{
    FILE    *f;
    char     path[4096], error[256];
    size_t   len;
    uint8_t  text[65536];

    snprintf(path, sizeof(path), "%s/devices.db", folder);

    b->registry = gw_registry_open(path, &b->classes, 1, 2048, error,
                                   sizeof(error));
    if (b->registry == NULL) {
        bench_die(error);
    }

    f = bench_open(folder, "keys.json");
    len = fread(text, 1, sizeof(text), f);
    fclose(f);

    b->keys = gw_keys_load(text, len, error, sizeof(error));
    if (b->keys == NULL) {
        bench_die(error);
    }

    f = bench_open(folder, "certificate.pem");
    b->certificate = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);

    if (b->certificate == NULL) {
        bench_die("no certificate");
    }

    bench_lines(folder, "devices", &b->devices);
    bench_lines(folder, "hs256", &b->hs256);
    bench_lines(folder, "es256", &b->es256);
    bench_lines(folder, "rs256", &b->rs256);
}


static void
bench_seen_before(bench_t *b)
{
    void      *mem;
    size_t     j;
    unsigned   i;
    uint64_t   random;

    if (posix_memalign(&mem, 64, gw_auth_cache_size(BENCH_CACHED, 1)) != 0) {
        bench_die("no memory");
    }

    b->cache = gw_auth_cache_init(mem, BENCH_CACHED, 1);
    b->identity.device_len = 1;
    random = 1;

    for (j = 0; j < BENCH_SECRET; j++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        b->secret[j] = (uint8_t) (random >> 56);
    }

    for (i = 0; i < BENCH_CACHED; i++) {
        for (j = 0; j < BENCH_SEEN; j++) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            b->seen[i][j] = (uint8_t) (random >> 56);
        }
    }
}


int
main(int argc, char **argv)
{
    void              *arena;
    bench_t           *b;
    unsigned           i;
    gw_json_limits_t   limits;

    if (argc != 2) {
        bench_die("usage: auth FOLDER");
    }

    b = calloc(1, sizeof(bench_t));

    limits.max_bytes = GW_JWT_MAX;
    limits.max_nodes = 16384;
    limits.max_depth = 32;
    limits.max_keys = 1024;
    limits.max_string = GW_JWT_MAX;
    limits.max_number = 1024;

    arena = malloc(gw_json_arena_size(&limits));

    if (b == NULL || arena == NULL
        || gw_json_init(&b->json, &limits, arena, 0x5eed5eed5eed5eedULL)
           != GW_OK)
    {
        bench_die("no memory");
    }

    b->now = (int64_t) time(NULL);
    b->classes = (gw_str_t) gw_str("telemetry");
    b->rules.device_claim = (gw_str_t) gw_str("sub");
    b->rules.classes_claim = (gw_str_t) gw_str("gateway_classes");
    b->rules.tenant_claim = (gw_str_t) gw_str("tenant");
    b->rules.topics_claim = (gw_str_t) gw_str("gateway_topics");
    b->rules.class_names = &b->classes;
    b->rules.nclasses = 1;
    b->rules.leeway = 60;

    b->hmac = gw_hmac_create();
    if (b->hmac == NULL) {
        bench_die("no HMAC");
    }

    bench_files(b, argv[1]);
    bench_seen_before(b);

    for (i = 0; i < sizeof(bench_parts) / sizeof(bench_parts[0]); i++) {
        bench_measure(b, &bench_parts[i]);
    }

    return b->sum == 0;
}
