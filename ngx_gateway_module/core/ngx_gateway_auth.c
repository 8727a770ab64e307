/*
 * ngx_gateway_auth.c - the chain is asked.
 *
 * What is cheap stands first: a digest of the credential is looked for in the
 * cache; what is not known there costs a token of its source before it costs a
 * look-up or a signature.  So a storm of guesses is refused by its bucket, and
 * devices that are known pass it untouched, also those behind one address with
 * the storm.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gw_base64.h"
#include "gw_hmac.h"
#include "ngx_gateway_auth_core.h"


/*
 * The digest that a credential is known by is XXH3 under a secret of this
 * worker.  It is no cryptographic one, and need not be: a hit gives the
 * identity of the very text that was verified, so two texts of one digest help
 * only him who has the other one, and nobody who lacks a credential, or the
 * secret, can tell which text would have its digest.
 */

#define NGX_GATEWAY_AUTH_SECRET    192        /* bytes; XXH3 wants 136 */

/* a device, a colon and a token; longer ones are nobody's */

#define NGX_GATEWAY_AUTH_PAIR      (GW_DEVICE_MAX + 1 + GW_SECRET_TEXT_LEN)
#define NGX_GATEWAY_AUTH_PAIR_MAX  ((NGX_GATEWAY_AUTH_PAIR + 2) / 3 * 4)


/* how long a result is kept, ms; a change of its file ends it at once */

#define NGX_GATEWAY_AUTH_KEEP      (3600 * 1000)
#define NGX_GATEWAY_AUTH_KEEP_BAD  5000

#define NGX_GATEWAY_AUTH_LOGGED    10         /* failures a second */


/* what is one for all gateways of a worker */

typedef struct {
    u_char                secret[NGX_GATEWAY_AUTH_SECRET];  /* of digests */
    gw_hmac_t            *hmac;
    gw_jwt_t              jwt;
    gw_identity_t         identity;           /* of what is not cached */
    time_t                second;             /* of the failures logged */
    ngx_uint_t            logged;
    ngx_uint_t            silent;
} ngx_gateway_auth_shared_t;


static ngx_int_t ngx_gateway_auth_worker_start(ngx_cycle_t *cycle,
    ngx_gateway_worker_t *w);
static uint64_t ngx_gateway_auth_generation(ngx_gateway_worker_t *w);
static ngx_int_t ngx_gateway_auth_known(ngx_gateway_worker_t *w,
    ngx_gateway_auth_method_t *m, ngx_gateway_credentials_t *c, u_char *key,
    ngx_gateway_auth_result_t *result);
static ngx_int_t ngx_gateway_auth_find_out(ngx_gateway_worker_t *w,
    ngx_gateway_auth_method_t *m, ngx_gateway_credentials_t *c, u_char *key,
    ngx_gateway_auth_result_t *result);
static ngx_int_t ngx_gateway_auth_devices(ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, gw_reason_e *reason);
static ngx_int_t ngx_gateway_auth_jwt(ngx_gateway_worker_t *w,
    ngx_gateway_auth_method_t *m, ngx_gateway_credentials_t *c,
    ngx_uint_t *keep, gw_reason_e *reason);
static ngx_int_t ngx_gateway_auth_tls(ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, gw_reason_e *reason);
static ngx_int_t ngx_gateway_auth_hmac(ngx_gateway_worker_t *w,
    ngx_gateway_auth_method_t *m, ngx_gateway_credentials_t *c,
    gw_reason_e *reason);
static uint64_t ngx_gateway_auth_source(ngx_gateway_worker_t *w,
    struct sockaddr *sa);
static ngx_int_t ngx_gateway_auth_refused(ngx_gateway_worker_t *w,
    ngx_gateway_auth_result_t *result, gw_reason_e reason);
static void ngx_gateway_auth_unreadable(ngx_gateway_worker_t *w,
    ngx_gateway_auth_file_t *file);


static ngx_gateway_auth_shared_t  *ngx_gateway_auth_shared;


ngx_int_t
ngx_gateway_auth_start(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf)
{
    ngx_uint_t                  i;
    ngx_gateway_auth_t        **auths;
    ngx_gateway_worker_t       *w;
    ngx_gateway_auth_shared_t  *shared;

    if (gmcf->auths.nelts == 0) {
        return NGX_OK;
    }

    shared = ngx_pcalloc(cycle->pool, sizeof(ngx_gateway_auth_shared_t));
    if (shared == NULL) {
        return NGX_ERROR;
    }

    ngx_gateway_auth_shared = shared;

    /* whoever could guess it could make two credentials look like one */

    if (RAND_bytes(shared->secret, NGX_GATEWAY_AUTH_SECRET) != 1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcrypto has no randomness for gateway_auth");
        return NGX_ERROR;
    }

    shared->hmac = gw_hmac_create();

    if (shared->hmac == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcrypto has no HMAC-SHA256 for gateway_auth");
        return NGX_ERROR;
    }

    auths = gmcf->auths.elts;

    for (i = 0; i < gmcf->auths.nelts; i++) {
        w = auths[i]->gateway->worker;

        if (w->auth == NULL && ngx_gateway_auth_worker_start(cycle, w)
                               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_gateway_auth_files_open(cycle, gmcf);

    return NGX_OK;
}


void
ngx_gateway_auth_stop(ngx_gateway_main_conf_t *gmcf)
{
    ngx_gateway_auth_shared_t  *shared;

    shared = ngx_gateway_auth_shared;

    if (shared == NULL) {
        return;
    }

    ngx_gateway_auth_files_close(gmcf);

    gw_hmac_free(shared->hmac);

    ngx_gateway_auth_shared = NULL;
}


static ngx_int_t
ngx_gateway_auth_worker_start(ngx_cycle_t *cycle, ngx_gateway_worker_t *w)
{
    void                       *mem;
    uint32_t                    n;
    ngx_gateway_t              *gateway;
    ngx_gateway_auth_worker_t  *auth;

    gateway = w->gateway;
    n = (uint32_t) gateway->auth_cache;

    auth = ngx_pcalloc(cycle->pool, sizeof(ngx_gateway_auth_worker_t));
    if (auth == NULL) {
        return NGX_ERROR;
    }

    mem = ngx_pmemalign(cycle->pool, gw_auth_cache_size(n, n), 64);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    auth->cache = gw_auth_cache_init(mem, n, n);

    if (gateway->auth_rate) {
        mem = ngx_pmemalign(cycle->pool,
                            gw_bucket_size(NGX_GATEWAY_AUTH_SOURCES), 64);
        if (mem == NULL) {
            return NGX_ERROR;
        }

        auth->bucket = gw_bucket_init(mem, NGX_GATEWAY_AUTH_SOURCES,
                                      (uint32_t) gateway->auth_rate,
                                      (uint32_t) gateway->auth_burst);
    }

    auth->seed = ngx_gateway_random();

    w->auth = auth;

    return NGX_OK;
}


void
ngx_gateway_auth_gauges(ngx_gateway_worker_t *w)
{
    gw_stats_slot_t              *s;
    ngx_gateway_auth_worker_t    *auth;
    const gw_auth_cache_stats_t  *stats;

    s = w->slot;
    auth = w->auth;

    if (auth == NULL) {
        return;
    }

    /* the slot outlives the worker, so it takes what is new since last time */

    stats = gw_auth_cache_stats(auth->cache);

    s->auth_lookups[GW_AUTH_HIT] += stats->hits - auth->counted.hits;
    s->auth_lookups[GW_AUTH_NEGATIVE_HIT] += stats->negative_hits
                                             - auth->counted.negative_hits;
    s->auth_lookups[GW_AUTH_MISS] += stats->misses - auth->counted.misses;

    auth->counted = *stats;

    s->auth_positive = stats->positive;
    s->auth_negative = stats->negative;
    s->auth_generation = ngx_gateway_auth_generation(w);
}


/* of all the files that the gateway's chains rest on: it only rises */

static uint64_t
ngx_gateway_auth_generation(ngx_gateway_worker_t *w)
{
    uint64_t                    n;
    ngx_uint_t                  i, j;
    ngx_gateway_auth_t        **auths;
    ngx_gateway_main_conf_t    *gmcf;
    ngx_gateway_auth_method_t  *m;

    gmcf = ngx_gateway_main_conf(w->cycle);
    auths = gmcf->auths.elts;
    n = 0;

    for (i = 0; i < gmcf->auths.nelts; i++) {

        if (auths[i]->gateway != w->gateway) {
            continue;
        }

        m = auths[i]->methods.elts;

        for (j = 0; j < auths[i]->methods.nelts; j++) {
            n += m[j].file ? m[j].file->generation : 0;
        }
    }

    return n;
}


ngx_int_t
ngx_gateway_authenticate(ngx_gateway_auth_t *auth,
    ngx_gateway_credentials_t *c, ngx_gateway_auth_result_t *result)
{
    u_char                      key[GW_AUTH_KEY_LEN];
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_gateway_worker_t       *w;
    ngx_gateway_auth_method_t  *m;

    w = auth->gateway->worker;
    m = auth->methods.elts;

    result->method = GW_AUTH_NONE;
    result->by = NULL;
    result->identity = NULL;
    result->reason = GW_R_NONE;

    for (i = 0; i < auth->methods.nelts; i++) {

        if ((m[i].method == GW_AUTH_DEVICES && c->basic)
            || (m[i].method == GW_AUTH_JWT && c->token)
            || (m[i].method == GW_AUTH_HMAC && c->sign)
            || (m[i].method == GW_AUTH_TLS && c->certificate))
        {
            break;
        }
    }

    if (i == auth->methods.nelts) {
        return ngx_gateway_auth_refused(w, result, GW_R_UNAUTHENTICATED);
    }

    m = &m[i];

    result->by = m;
    result->method = m->method;
    result->generation = m->file ? m->file->generation : 0;

    rc = ngx_gateway_auth_known(w, m, c, key, result);

    return rc == NGX_AGAIN ? ngx_gateway_auth_find_out(w, m, c, key, result)
                           : rc;
}


/* NGX_AGAIN: not known, key is then filled where the result can be kept */

static ngx_int_t
ngx_gateway_auth_known(ngx_gateway_worker_t *w, ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, u_char *key,
    ngx_gateway_auth_result_t *result)
{
    int             rc;
    ngx_str_t      *text;
    gw_reason_e     reason;
    XXH128_hash_t   digest;

    switch (m->method) {

    case GW_AUTH_DEVICES:
        text = &c->pair;

        if (text->len == 0 || text->len > NGX_GATEWAY_AUTH_PAIR_MAX) {
            return ngx_gateway_auth_refused(w, result, GW_R_UNAUTHENTICATED);
        }

        break;

    case GW_AUTH_JWT:
        text = &c->bearer;

        if (text->len == 0 || text->len > GW_JWT_MAX) {
            return ngx_gateway_auth_refused(w, result, GW_R_UNAUTHENTICATED);
        }

        break;

    default:
        return NGX_AGAIN;
    }

    digest = XXH3_128bits_withSecret(text->data, text->len,
                                     ngx_gateway_auth_shared->secret,
                                     NGX_GATEWAY_AUTH_SECRET);

    /* what one chain accepts is not known to another */

    digest.low64 ^= m->number;

    ngx_memcpy(key, &digest.low64, sizeof(uint64_t));
    ngx_memcpy(key + sizeof(uint64_t), &digest.high64, sizeof(uint64_t));

    rc = gw_auth_cache_get(w->auth->cache, key, result->generation,
                           ngx_current_msec, &result->identity, &reason);

    if (rc == GW_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == GW_DECLINED) {
        return ngx_gateway_auth_refused(w, result, reason);
    }

    /* the wall clock may have been set; the cache goes by the other one */

    if (gw_identity_in_time(result->identity, ngx_time(),
                            m->method == GW_AUTH_JWT ? m->rules.leeway : 0)
        != GW_OK)
    {
        result->identity = NULL;

        return ngx_gateway_auth_refused(w, result,
                                        m->method == GW_AUTH_JWT
                                        ? GW_R_UNAUTHENTICATED
                                        : GW_R_REVOKED);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_auth_find_out(ngx_gateway_worker_t *w,
    ngx_gateway_auth_method_t *m, ngx_gateway_credentials_t *c, u_char *key,
    ngx_gateway_auth_result_t *result)
{
    uint64_t              source, keep;
    ngx_int_t             rc;
    ngx_uint_t            cached;
    gw_reason_e           reason;
    const gw_identity_t  *identity;

    source = 0;

    if (w->auth->bucket) {
        source = ngx_gateway_auth_source(w, c->sockaddr);

        if (gw_bucket_check(w->auth->bucket, source, ngx_current_msec)
            != GW_OK)
        {
            return ngx_gateway_auth_refused(w, result, GW_R_RATE_LIMITED);
        }
    }

    identity = &ngx_gateway_auth_shared->identity;
    reason = GW_R_UNAUTHENTICATED;
    cached = 1;

    switch (m->method) {

    case GW_AUTH_DEVICES:
        rc = ngx_gateway_auth_devices(m, c, &reason);
        break;

    case GW_AUTH_JWT:
        rc = ngx_gateway_auth_jwt(w, m, c, &cached, &reason);
        break;

    case GW_AUTH_TLS:
        cached = 0;
        rc = ngx_gateway_auth_tls(m, c, &reason);
        break;

    default: /* GW_AUTH_HMAC */
        cached = 0;
        rc = ngx_gateway_auth_hmac(w, m, c, &reason);
        break;
    }

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_OK) {

        if (cached) {
            keep = NGX_GATEWAY_AUTH_KEEP;

            identity = gw_auth_cache_put(w->auth->cache, key,
                                         result->generation, ngx_current_msec,
                                         ngx_current_msec + keep, identity);
        }

        result->identity = identity;

        return NGX_OK;
    }

    /* a registry that cannot be read is not the fault of who asks */

    if (reason != GW_R_INTERNAL) {

        if (w->auth->bucket) {
            gw_bucket_failed(w->auth->bucket, source, ngx_current_msec);
        }

        if (cached) {
            gw_auth_cache_put_bad(w->auth->cache, key, result->generation,
                                  ngx_current_msec, ngx_current_msec
                                  + NGX_GATEWAY_AUTH_KEEP_BAD, reason);
        }
    }

    return ngx_gateway_auth_refused(w, result, reason);
}


/*
 * RFC 7617 section 2.  A device id may hold colons, a token none: the last
 * one parts them.
 */

static ngx_int_t
ngx_gateway_auth_devices(ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, gw_reason_e *reason)
{
    int      rc;
    size_t   n;
    u_char  *colon, pair[gw_base64_decoded(NGX_GATEWAY_AUTH_PAIR_MAX)];

    if (m->file->registry == NULL) {
        *reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    if (gw_base64_decode(c->pair.data, c->pair.len, pair, &n) != GW_OK) {
        return NGX_DECLINED;
    }

    colon = pair + n;

    while (colon > pair && colon[-1] != ':') {
        colon--;
    }

    if (colon == pair) {
        return NGX_DECLINED;
    }

    rc = gw_registry_check(m->file->registry, pair, colon - 1 - pair, colon,
                           pair + n - colon, ngx_time(),
                           &ngx_gateway_auth_shared->identity, reason);

    ngx_explicit_memzero(pair, sizeof(pair));

    return rc == GW_OK ? NGX_OK : NGX_DECLINED;
}


/* *keep: 0 where the verdict would be another one in a moment */

static ngx_int_t
ngx_gateway_auth_jwt(ngx_gateway_worker_t *w, ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, ngx_uint_t *keep, gw_reason_e *reason)
{
    gw_jwt_t        *jwt;
    gw_jwt_error_e   error;

    jwt = &ngx_gateway_auth_shared->jwt;

    if (gw_jwt_parse(w->json, c->bearer.data, c->bearer.len, jwt, &error)
        == GW_OK
        && gw_keys_verify(m->file->keys, jwt, &error) == GW_OK
        && gw_jwt_claims(w->json, jwt, &m->rules, ngx_time(),
                         &ngx_gateway_auth_shared->identity, &error)
           == GW_OK)
    {
        return NGX_OK;
    }

    if (ngx_gateway_auth_log_allowed(w->log)) {
        ngx_log_error(NGX_LOG_INFO, w->log, 0, "gateway \"%V\": a token was "
                      "refused: %s", &w->gateway->name,
                      gw_jwt_strerror(error));
    }

    *keep = (error != GW_JWT_E_EARLY);
    *reason = GW_R_UNAUTHENTICATED;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_gateway_auth_tls(ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, gw_reason_e *reason)
{
    int             rc;
    size_t          len;
    int64_t         not_after;
    uint8_t         device[GW_DEVICE_MAX];
    const char     *detail;
    gw_identity_t  *identity;

    *reason = GW_R_UNAUTHENTICATED;

    if (!c->verified
        || gw_certificate_identity(c->certificate, m->name, &m->prefix,
                                   device, &len, &not_after, &detail)
           != GW_OK)
    {
        return NGX_DECLINED;
    }

    identity = &ngx_gateway_auth_shared->identity;

    if (m->file) {

        if (m->file->registry == NULL) {
            *reason = GW_R_INTERNAL;
            return NGX_DECLINED;
        }

        rc = gw_registry_find_device(m->file->registry, device, len,
                                     ngx_time(), identity, reason);
        if (rc != GW_OK) {
            return NGX_DECLINED;
        }

    } else {
        ngx_memcpy(identity->device, device, len);
        identity->device_len = (uint8_t) len;
        identity->tenant_len = 0;
        identity->topics_len = 0;
        identity->speaks_for_len = 0;
        identity->classes = m->rules.classes;
        identity->not_before = 0;
        identity->not_after = GW_TIME_ALWAYS;
    }

    /* verified when the connection began, which may be days ago */

    identity->not_after = ngx_min(identity->not_after, not_after);

    if (gw_identity_in_time(identity, ngx_time(), 0) != GW_OK) {
        *reason = GW_R_REVOKED;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* as far as it can be judged before the body is there */

static ngx_int_t
ngx_gateway_auth_hmac(ngx_gateway_worker_t *w, ngx_gateway_auth_method_t *m,
    ngx_gateway_credentials_t *c, gw_reason_e *reason)
{
    *reason = GW_R_UNAUTHENTICATED;

    if (c->signature == NULL
        || gw_signature_in_time(c->signature, ngx_time(),
                                (unsigned) m->window)
           != GW_OK)
    {
        return NGX_DECLINED;
    }

    if (m->file->registry == NULL) {
        *reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_gateway_auth_signed(ngx_gateway_auth_t *auth,
    ngx_gateway_credentials_t *c, const gw_signed_t *request,
    const gw_str_t *body, ngx_gateway_auth_result_t *result)
{
    int                         n, rc;
    size_t                      len;
    u_char                      key[GW_HMAC_KEY_MAX];
    gw_str_t                    parts[2 * GW_SIGNATURE_MEMBERS + 1];
    gw_reason_e                 reason;
    gw_identity_t              *identity;
    ngx_gateway_worker_t       *w;
    ngx_gateway_auth_method_t  *m;

    w = auth->gateway->worker;
    m = result->by;
    identity = &ngx_gateway_auth_shared->identity;

    result->generation = m->file->generation;

    n = gw_signature_text(c->signature, request, parts);

    if (n < 0) {
        reason = GW_R_UNAUTHENTICATED;
        goto refused;
    }

    if (m->file->registry == NULL) {
        reason = GW_R_INTERNAL;
        goto refused;
    }

    parts[n++] = *body;

    len = gw_registry_hmac_key(m->file->registry, c->signature->device.data,
                               c->signature->device.len, ngx_time(), key,
                               identity, &reason);

    /* an unknown device is signed for as well: the time tells nothing */

    if (len == 0) {
        ngx_memzero(key, sizeof(key));
    }

    rc = gw_hmac_verify(ngx_gateway_auth_shared->hmac, key,
                        len ? len : GW_HMAC_KEY_MIN, parts, (unsigned) n,
                        c->signature->signature);

    ngx_explicit_memzero(key, sizeof(key));

    if (len && rc == GW_OK && reason == GW_R_NONE) {
        result->identity = identity;
        result->reason = GW_R_NONE;
        return NGX_OK;
    }

    if (rc == GW_ERROR) {
        reason = GW_R_INTERNAL;

    } else if (len && rc != GW_OK) {

        /* not even that it is revoked */

        reason = GW_R_UNAUTHENTICATED;
    }

refused:

    if (reason != GW_R_INTERNAL && w->auth->bucket) {
        gw_bucket_failed(w->auth->bucket,
                         ngx_gateway_auth_source(w, c->sockaddr),
                         ngx_current_msec);
    }

    return ngx_gateway_auth_refused(w, result, reason);
}


ngx_uint_t
ngx_gateway_auth_stale(ngx_gateway_auth_result_t *result,
    const gw_identity_t *identity)
{
    ngx_gateway_auth_method_t  *m;

    m = result->by;

    return (m->file && m->file->generation != result->generation)
           || gw_identity_in_time(identity, ngx_time(),
                                  m->method == GW_AUTH_JWT ? m->rules.leeway
                                                           : 0)
              != GW_OK;
}


/* one IPv6 customer has 2^64 addresses; those behind a unix socket are one */

static uint64_t
ngx_gateway_auth_source(ngx_gateway_worker_t *w, struct sockaddr *sa)
{
    struct sockaddr_in   *sin;

#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        return XXH3_64bits_withSeed(&sin->sin_addr, 4, w->auth->seed);

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            return XXH3_64bits_withSeed(&sin6->sin6_addr.s6_addr[12], 4,
                                        w->auth->seed);
        }

        return XXH3_64bits_withSeed(&sin6->sin6_addr, 8, w->auth->seed);
#endif

    default:
        return w->auth->seed;
    }
}


static ngx_int_t
ngx_gateway_auth_refused(ngx_gateway_worker_t *w,
    ngx_gateway_auth_result_t *result, gw_reason_e reason)
{
    if (reason == GW_R_INTERNAL && result->by && result->by->file) {
        ngx_gateway_auth_unreadable(w, result->by->file);
    }

    gw_stats_auth_failed(w->slot, result->method, reason);

    result->reason = reason;

    return NGX_DECLINED;
}


static void
ngx_gateway_auth_unreadable(ngx_gateway_worker_t *w,
    ngx_gateway_auth_file_t *file)
{
    if (!ngx_gateway_auth_log_allowed(w->log)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, w->log, 0,
                  "gateway \"%V\": a device could not be judged by \"%V\": %s",
                  &w->gateway->name, &file->path,
                  file->registry ? gw_registry_detail(file->registry)
                                 : "the registry is not open");
}


ngx_uint_t
ngx_gateway_auth_log_allowed(ngx_log_t *log)
{
    time_t                      now;
    ngx_gateway_auth_shared_t  *shared;

    shared = ngx_gateway_auth_shared;

    if (shared == NULL) {
        return 1;
    }

    now = ngx_time();

    if (now != shared->second) {

        if (shared->silent) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "%ui more failures of gateway_auth were not logged",
                          shared->silent);
        }

        shared->second = now;
        shared->logged = 0;
        shared->silent = 0;
    }

    if (shared->logged == NGX_GATEWAY_AUTH_LOGGED) {
        shared->silent++;
        return 0;
    }

    shared->logged++;

    return 1;
}
