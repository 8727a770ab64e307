/*
 * gw_bucket.c - see gw_bucket.h.
 *
 * What is kept of a bucket is how much it lacks, in thousandths of a token:
 * "rate" of them come back each millisecond, so no fraction is ever rounded.
 * A place nobody used yet is a full bucket of source 0, and a full bucket says
 * the same as none; so there are no empty places to be told apart.
 */

#include "gw_bucket.h"


#define GW_BUCKET_WAYS   8
#define GW_BUCKET_TOKEN  1000  /* thousandths */


/* the sources side by side: one that never failed costs one cache line */

typedef struct {
    uint64_t  source[GW_BUCKET_WAYS];
    uint64_t  since[GW_BUCKET_WAYS];  /* milliseconds, of lacking[] */
    uint32_t  lacking[GW_BUCKET_WAYS];
} gw_bucket_set_t;


struct gw_bucket_s {
    uint64_t         mask;     /* number of sets, less one */
    uint32_t         rate;     /* thousandths of a token a millisecond */
    uint32_t         full;     /* thousandths of a token */
    gw_bucket_set_t  sets[];
};


static uint64_t gw_bucket_sets(uint32_t entries);
static unsigned gw_bucket_find(const gw_bucket_set_t *set, uint64_t source);
static uint32_t gw_bucket_lacking(const gw_bucket_t *b,
    const gw_bucket_set_t *set, unsigned i, uint64_t now);


size_t
gw_bucket_size(uint32_t entries)
{
    return sizeof(gw_bucket_t)
           + (size_t) gw_bucket_sets(entries) * sizeof(gw_bucket_set_t);
}


gw_bucket_t *
gw_bucket_init(void *mem, uint32_t entries, uint32_t rate, uint32_t burst)
{
    gw_bucket_t  *b;

    b = mem;

    memset(b, 0, gw_bucket_size(entries));

    b->mask = gw_bucket_sets(entries) - 1;
    b->rate = rate;
    b->full = burst * GW_BUCKET_TOKEN;

    return b;
}


int
gw_bucket_check(const gw_bucket_t *b, uint64_t source, uint64_t now)
{
    unsigned                i;
    const gw_bucket_set_t  *set;

    set = &b->sets[source & b->mask];

    i = gw_bucket_find(set, source);

    if (i == GW_BUCKET_WAYS) {
        return GW_OK;
    }

    return b->full - gw_bucket_lacking(b, set, i, now) < GW_BUCKET_TOKEN
           ? GW_BUSY : GW_OK;
}


void
gw_bucket_failed(gw_bucket_t *b, uint64_t source, uint64_t now)
{
    unsigned          i, k;
    uint32_t          lacking, least;
    gw_bucket_set_t  *set;

    set = &b->sets[source & b->mask];

    i = gw_bucket_find(set, source);

    if (i == GW_BUCKET_WAYS) {
        i = 0;
        least = UINT32_MAX;

        for (k = 0; k < GW_BUCKET_WAYS; k++) {
            lacking = gw_bucket_lacking(b, set, k, now);

            if (lacking < least) {
                least = lacking;
                i = k;
            }
        }

        set->source[i] = source;
        set->since[i] = now;
        set->lacking[i] = 0;
    }

    lacking = gw_bucket_lacking(b, set, i, now);

    if (b->full - lacking < GW_BUCKET_TOKEN) {
        return;
    }

    set->lacking[i] = lacking + GW_BUCKET_TOKEN;

    if (now > set->since[i]) {
        set->since[i] = now;
    }
}


/* a power of two */

static uint64_t
gw_bucket_sets(uint32_t entries)
{
    uint64_t  n;

    for (n = 1; n * GW_BUCKET_WAYS < entries; n *= 2) { /* void */ }

    return n;
}


/* GW_BUCKET_WAYS: not there */

static unsigned
gw_bucket_find(const gw_bucket_set_t *set, uint64_t source)
{
    unsigned  i;

    for (i = 0; i < GW_BUCKET_WAYS; i++) {
        if (set->source[i] == source) {
            break;
        }
    }

    return i;
}


/*
 * Workers that share a table may see a clock a little behind that of the
 * last one: for them no time has passed.
 */

static uint32_t
gw_bucket_lacking(const gw_bucket_t *b, const gw_bucket_set_t *set, unsigned i,
    uint64_t now)
{
    uint32_t  lacking;
    uint64_t  elapsed;

    lacking = set->lacking[i];
    elapsed = now > set->since[i] ? now - set->since[i] : 0;

    /* rate is 1 at least; and the product below stays under 2^50 */

    if (elapsed >= lacking || elapsed * b->rate >= lacking) {
        return 0;
    }

    return lacking - (uint32_t) (elapsed * b->rate);
}
