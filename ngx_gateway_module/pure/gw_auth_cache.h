/*
 * gw_auth_cache.h - what was found out about a credential, kept for a while:
 * a device that posts a thousand times costs one look-up or one signature.
 *
 * One cache a worker, on the event loop; a fixed number of entries in memory
 * the caller gives, no allocation afterwards.  The key is a keyed digest, made
 * by the caller over method and credential: no credential is kept.
 * Each key has sixteen places where it may stand; where all are taken a stale
 * entry goes, or else the one used longest ago.  There is an eighth more room
 * than asked for, so of as many entries as asked for 98 of 100 stay at least.
 *
 * Positive and negative entries have a table each: a storm of wrong
 * credentials, each new, drives out negative entries only.
 *
 * generation: of the source (registry, key set) the result came from; an
 * entry of another generation is no entry.  That is how a revocation takes
 * hold at once, without a walk.
 */

#ifndef _GW_AUTH_CACHE_H_INCLUDED_
#define _GW_AUTH_CACHE_H_INCLUDED_


#include "gw.h"
#include "gw_identity.h"
#include "gw_outcome.h"


#define GW_AUTH_KEY_LEN  16


typedef struct gw_auth_cache_s  gw_auth_cache_t;

typedef struct {
    uint64_t   hits;           /* positive */
    uint64_t   negative_hits;
    uint64_t   misses;
    uint64_t   evicted;        /* good positive entries that had to go */
    uint32_t   positive;       /* entries in use, stale ones that nobody has
                                  asked for since included */
    uint32_t   negative;
} gw_auth_cache_stats_t;


/* bytes of memory for so many entries of each kind, both at least 1: about
   1,180 a positive and 54 a negative one, touched when they are first used */
size_t gw_auth_cache_size(uint32_t positive, uint32_t negative);

/* mem: aligned to 8, gw_auth_cache_size() bytes.  Never fails for them */
gw_auth_cache_t *gw_auth_cache_init(void *mem, uint32_t positive,
    uint32_t negative);

/*
 * now: any clock in milliseconds that does not run back.
 * GW_OK: *identity is good until the next put(); GW_DECLINED: known to be bad,
 * *reason says why; GW_AGAIN: not known.  An entry found stale or of another
 * generation is forgotten.
 */
int gw_auth_cache_get(gw_auth_cache_t *c, const uint8_t *key,
    uint32_t generation, uint64_t now, const gw_identity_t **identity,
    gw_reason_e *reason);

/* until: the first millisecond it is stale; the entry of that key is replaced,
   of whichever kind it is.  identity may be what get() gave.  Returns the
   identity as it is kept */
const gw_identity_t *gw_auth_cache_put(gw_auth_cache_t *c,
    const uint8_t *key, uint32_t generation, uint64_t now, uint64_t until,
    const gw_identity_t *identity);
void gw_auth_cache_put_bad(gw_auth_cache_t *c, const uint8_t *key,
    uint32_t generation, uint64_t now, uint64_t until, gw_reason_e reason);

const gw_auth_cache_stats_t *gw_auth_cache_stats(const gw_auth_cache_t *c);


#endif /* _GW_AUTH_CACHE_H_INCLUDED_ */
