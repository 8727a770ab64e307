/*
 * The cache answers for the registry and for the cryptography.  Where it gives
 * one device the identity of another, or an identity that was revoked, nothing
 * else in the gateway would notice.  Where a storm of wrong credentials could
 * push out the right ones, every good device would pay for the attack with a
 * look-up or a signature: the cache would fail just when it is needed.
 */

#include "gw_test.h"
#include "gw_auth_cache.h"


#define ONE_SET  7             /* entries, of a table that is one set */
#define PLACES   8             /* of a set */

#define FOR_EVER  UINT64_MAX


/* what put() was last told of a key */

typedef struct {
    unsigned       key;
    int            rc;         /* GW_OK, GW_DECLINED; GW_AGAIN: nothing */
    uint32_t       generation;
    uint64_t       until;
    uint64_t       used;
    unsigned       value;      /* of which identity or reason is made */
} fact_t;


static uint64_t  dice_state = 7;


static unsigned
dice(unsigned n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (dice_state >> 33) % n;
}


static gw_auth_cache_t *
create(uint32_t positive, uint32_t negative)
{
    void    *mem;
    size_t   size;

    size = gw_auth_cache_size(positive, negative);
    mem = malloc(size);

    if (mem == NULL) {
        abort();
    }

    /* what the memory held before may not matter */

    memset(mem, 0xa5, size);

    return gw_auth_cache_init(mem, positive, negative);
}


/* bytes like those of a digest */

static const uint8_t *
key(unsigned n)
{
    size_t          i;
    uint64_t        x;
    static uint8_t  k[GW_AUTH_KEY_LEN];

    for (i = 0; i < GW_AUTH_KEY_LEN; i += 8) {
        x = ((uint64_t) n * 4 + i / 8 + 1) * 0x9e3779b97f4a7c15ULL;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
        x ^= x >> 31;
        memcpy(k + i, &x, 8);
    }

    return k;
}


static const gw_identity_t *
identity(unsigned n)
{
    static gw_identity_t  id;

    memset(&id, (int) (n * 31 & 0xff), sizeof(id));
    id.device_len = (uint8_t) snprintf((char *) id.device, GW_DEVICE_MAX,
                                       "device-%u", n);
    id.classes = n;
    id.not_after = GW_TIME_ALWAYS - n;

    return &id;
}


static int
same(const gw_identity_t *id, unsigned n)
{
    return memcmp(id, identity(n), sizeof(gw_identity_t)) == 0;
}


static int
get(gw_auth_cache_t *c, unsigned n, uint32_t generation, uint64_t now)
{
    gw_reason_e           reason;
    const gw_identity_t  *id;

    return gw_auth_cache_get(c, key(n), generation, now, &id, &reason);
}


static void
put(gw_auth_cache_t *c, unsigned n)
{
    (void) gw_auth_cache_put(c, key(n), 1, 0, FOR_EVER, identity(n));
}


static void
put_bad(gw_auth_cache_t *c, unsigned n)
{
    gw_auth_cache_put_bad(c, key(n), 1, 0, FOR_EVER, GW_R_UNAUTHENTICATED);
}


static void
basics(void)
{
    unsigned                      i;
    gw_reason_e                   reason;
    gw_auth_cache_t              *c;
    const gw_identity_t          *id, *again;
    const gw_auth_cache_stats_t  *stats;

    c = create(100, 100);
    stats = gw_auth_cache_stats(c);

    ok(get(c, 1, 1, 0) == GW_AGAIN && stats->misses == 1,
       "an empty cache knows nothing");

    id = gw_auth_cache_put(c, key(1), 5, 1000, 2000, identity(1));
    ok(same(id, 1) && id != identity(1), "put returns what is kept");
    ok(gw_auth_cache_get(c, key(1), 5, 1000, &again, &reason) == GW_OK
       && again == id && stats->hits == 1, "get gives the same");
    ok(get(c, 1, 5, 1999) == GW_OK, "it is known in its last millisecond");
    ok(get(c, 1, 5, 2000) == GW_AGAIN, "and not from \"until\" on");
    ok(get(c, 1, 5, 1000) == GW_AGAIN, "found stale it is forgotten");

    (void) gw_auth_cache_put(c, key(1), 5, 1000, 2000, identity(1));
    ok(get(c, 1, 6, 1000) == GW_AGAIN && get(c, 1, 5, 1000) == GW_AGAIN,
       "another generation is no hit and forgets it");

    gw_auth_cache_put_bad(c, key(2), 5, 1000, 2000, GW_R_REVOKED);
    reason = GW_R_NONE;
    ok(gw_auth_cache_get(c, key(2), 5, 1000, &again, &reason) == GW_DECLINED
       && reason == GW_R_REVOKED && stats->negative_hits == 1,
       "a refusal is known with its reason");
    ok(get(c, 2, 5, 1999) == GW_DECLINED && get(c, 2, 5, 2000) == GW_AGAIN,
       "until its time has come");

    gw_auth_cache_put_bad(c, key(2), 5, 1000, 2000, GW_R_REVOKED);
    ok(get(c, 2, 4, 1000) == GW_AGAIN, "or its generation has gone");

    /* the same key, told anew */

    put(c, 3);
    put_bad(c, 3);
    ok(get(c, 3, 1, 0) == GW_DECLINED && stats->positive == 0
       && stats->negative == 1, "a refusal replaces the identity of its key");
    put(c, 3);
    ok(get(c, 3, 1, 0) == GW_OK && stats->positive == 1
       && stats->negative == 0, "an identity the refusal");
    (void) gw_auth_cache_put(c, key(3), 1, 0, FOR_EVER, identity(4));
    ok(gw_auth_cache_get(c, key(3), 1, 0, &id, &reason) == GW_OK
       && same(id, 4) && stats->positive == 1,
       "an identity the identity, and takes no second place");
    gw_auth_cache_put_bad(c, key(5), 1, 0, FOR_EVER, GW_R_REVOKED);
    gw_auth_cache_put_bad(c, key(5), 1, 0, FOR_EVER, GW_R_FORBIDDEN);
    ok(gw_auth_cache_get(c, key(5), 1, 0, &id, &reason) == GW_DECLINED
       && reason == GW_R_FORBIDDEN && stats->negative == 1,
       "and a refusal the refusal");

    ok(gw_auth_cache_get(c, key(3), 1, 0, &id, &reason) == GW_OK
       && same(gw_auth_cache_put(c, key(3), 2, 0, FOR_EVER, id), 4)
       && same(gw_auth_cache_put(c, key(6), 2, 0, FOR_EVER, id), 4),
       "what get gave may be put again, for its key or another");

    (void) gw_auth_cache_put(c, key(7), 1, 1000, 1000, identity(7));
    ok(get(c, 7, 1, 1000) == GW_AGAIN, "what is stale when put is not known");
    ok(stats->evicted == 0, "nothing had to go for all that");

    /* a pointer outlives other look-ups, also those that forget */

    id = gw_auth_cache_put(c, key(8), 1, 0, FOR_EVER, identity(8));

    for (i = 0; i < 100; i++) {
        (void) get(c, i, 9, 0);
    }

    ok(same(id, 8), "an identity is good until the next put");
    free(c);
}


/* a key that differs in one bit is another key, wherever the bit */

static void
neighbors(void)
{
    uint8_t               k[GW_AUTH_KEY_LEN], other[GW_AUTH_KEY_LEN];
    unsigned              i, found, lost, revived;
    gw_reason_e           reason;
    gw_auth_cache_t      *c;
    const gw_identity_t  *id;

    c = create(ONE_SET, ONE_SET);
    found = 0;

    memcpy(k, key(1), sizeof(k));
    put(c, 1);
    put_bad(c, 2);

    for (i = 0; i < 8 * GW_AUTH_KEY_LEN; i++) {
        memcpy(other, k, sizeof(k));
        other[i / 8] ^= (uint8_t) (1u << i % 8);

        found += gw_auth_cache_get(c, guarded(other, sizeof(other)), 1, 0,
                                   &id, &reason) != GW_AGAIN;

        memcpy(other, key(2), sizeof(k));
        other[i / 8] ^= (uint8_t) (1u << i % 8);

        found += gw_auth_cache_get(c, guarded(other, sizeof(other)), 1, 0,
                                   &id, &reason) != GW_AGAIN;
    }

    is_u64(found, 0, "each of the 256 bits of a key counts");

    /* all bytes at all places: none of them is taken for "free" */

    lost = 0;
    revived = 0;

    for (i = 0; i < 256 * GW_AUTH_KEY_LEN; i++) {
        memcpy(k, key(i), sizeof(k));
        k[i % GW_AUTH_KEY_LEN] = (uint8_t) (i / GW_AUTH_KEY_LEN);

        (void) gw_auth_cache_put(c, k, 1, 0, FOR_EVER, identity(i));
        lost += gw_auth_cache_get(c, k, 1, 0, &id, &reason) != GW_OK;
        (void) gw_auth_cache_get(c, k, 2, 0, &id, &reason);
        revived += gw_auth_cache_get(c, k, 1, 0, &id, &reason) != GW_AGAIN;
    }

    is_u64(lost, 0, "8192 keys with any byte anywhere are found");
    is_u64(revived, 0, "and once forgotten are not");
    free(c);
}


/* the model of one set: a list that forgets what was used longest ago */

static fact_t *
model_find(fact_t *set, unsigned n)
{
    unsigned  i;

    for (i = 0; i < PLACES; i++) {
        if (set[i].rc != GW_AGAIN && set[i].key == n) {
            return &set[i];
        }
    }

    return NULL;
}


static fact_t *
model_room(fact_t *set, uint64_t now, uint64_t *evicted)
{
    unsigned   i;
    fact_t    *oldest;

    for (i = 0; i < PLACES; i++) {
        if (set[i].rc == GW_AGAIN) {
            return &set[i];
        }
    }

    oldest = set;

    for (i = 0; i < PLACES; i++) {
        if (set[i].until <= now) {
            return &set[i];
        }

        if (set[i].used < oldest->used) {
            oldest = &set[i];
        }
    }

    (*evicted)++;

    return oldest;
}


static unsigned
model_count(const fact_t *set)
{
    unsigned  i, n;

    for (i = 0, n = 0; i < PLACES; i++) {
        n += set[i].rc != GW_AGAIN;
    }

    return n;
}


/*
 * Ten thousand steps over few keys, with generations and times that end, in a
 * cache whose tables are one set each: it and the model may differ in nothing.
 */

static unsigned
walk(unsigned keys, uint64_t *evicted, uint64_t *known)
{
    int                           rc;
    fact_t                        set[2][PLACES], *f;
    uint32_t                      generation;
    uint64_t                      now, until, tick, none;
    unsigned                      i, n, bad, step, kind;
    gw_reason_e                   reason;
    gw_auth_cache_t              *c;
    const gw_identity_t          *id;
    gw_auth_cache_stats_t         want;
    const gw_auth_cache_stats_t  *stats;

    c = create(ONE_SET, ONE_SET);
    stats = gw_auth_cache_stats(c);

    memset(&want, 0, sizeof(want));

    for (i = 0; i < 2 * PLACES; i++) {
        set[i / PLACES][i % PLACES].rc = GW_AGAIN;
    }

    now = 1000;
    tick = 0;
    bad = 0;
    none = 0;

    for (step = 0; step < 10000; step++) {
        now += dice(4) == 0 ? dice(20) : 0;
        n = dice(keys);
        generation = 1 + (dice(40) == 0) + step / 5000;
        until = now + dice(dice(2) ? 5000 : 100);

        kind = dice(6);

        if (kind < 2) {
            f = model_find(set[!kind], n);

            if (f) {
                f->rc = GW_AGAIN;
            }

            f = model_find(set[kind], n);

            if (f == NULL) {
                f = model_room(set[kind], now, kind ? &none : &want.evicted);
            }

            f->key = n;
            f->rc = kind ? GW_DECLINED : GW_OK;
            f->generation = generation;
            f->until = until;
            f->used = ++tick;
            f->value = step;

            if (kind) {
                gw_auth_cache_put_bad(c, key(n), generation, now, until,
                                      (gw_reason_e) (step % GW_REASON_N));
            } else {
                bad += !same(gw_auth_cache_put(c, key(n), generation, now,
                                               until, identity(step)), step);
            }

        } else {
            f = model_find(set[0], n);

            if (f == NULL) {
                f = model_find(set[1], n);
            }

            if (f && (f->until <= now || f->generation != generation)) {
                f->rc = GW_AGAIN;
                f = NULL;
            }

            rc = gw_auth_cache_get(c, key(n), generation, now, &id, &reason);

            if (f == NULL) {
                want.misses++;
                bad += rc != GW_AGAIN;

            } else if (f->rc == GW_OK) {
                want.hits++;
                f->used = ++tick;
                bad += rc != GW_OK || !same(id, f->value);

            } else {
                want.negative_hits++;
                f->used = ++tick;
                bad += rc != GW_DECLINED
                       || (unsigned) reason != f->value % GW_REASON_N;
            }
        }

        want.positive = model_count(set[0]);
        want.negative = model_count(set[1]);

        bad += memcmp(stats, &want, sizeof(want)) != 0;
    }

    *evicted += want.evicted;
    *known += want.hits + want.negative_hits;
    free(c);

    return bad;
}


static void
one_set(void)
{
    uint64_t  evicted, known;

    evicted = 0;
    known = 0;

    is_u64(walk(PLACES, &evicted, &known), 0,
           "as many keys as places: what was told is known");
    is_u64(evicted, 0, "and nothing has to go");
    is_u64(walk(2 * PLACES, &evicted, &known), 0,
           "twice as many keys: what was used longest ago goes");
    ok(evicted > 0, "some do");
    is_u64(walk(100, &evicted, &known), 0, "a hundred keys, too");
    ok(evicted > 500 && known > 1000, "%u go, %u are known",
       (unsigned) evicted, (unsigned) known);
}


/*
 * Many sets.  Which entry has to go is not modelled; but what is said must be
 * what was told last, and a good identity that is not known must be one of
 * those counted as evicted.
 */

static void
many_sets(void)
{
    int                           rc;
    fact_t                       *facts, *f;
    uint32_t                      generation;
    uint64_t                      now, missing;
    unsigned                      i, step, wrong, over, known;
    gw_reason_e                   reason;
    gw_auth_cache_t              *c;
    const gw_identity_t          *id;
    const gw_auth_cache_stats_t  *stats;

    const unsigned  keys = 900;

    c = create(400, 100);
    stats = gw_auth_cache_stats(c);
    facts = calloc(keys, sizeof(fact_t));

    if (facts == NULL) {
        abort();
    }

    for (i = 0; i < keys; i++) {
        facts[i].rc = GW_AGAIN;
    }

    now = 0;
    wrong = 0;
    over = 0;
    known = 0;
    missing = 0;
    generation = 1;

    for (step = 0; step < 100000; step++) {
        now += dice(3);
        generation += dice(20000) == 0;
        i = dice(keys);
        f = &facts[i];

        switch (dice(5)) {

        case 0:
            f->rc = GW_OK;
            f->value = step;
            f->generation = generation;
            f->until = now + dice(20000);
            (void) gw_auth_cache_put(c, key(i), generation, now, f->until,
                                     identity(step));
            break;

        case 1:
            f->rc = GW_DECLINED;
            f->value = step;
            f->generation = generation;
            f->until = now + dice(20000);
            gw_auth_cache_put_bad(c, key(i), generation, now, f->until,
                                  (gw_reason_e) (step % GW_REASON_N));
            break;

        default:

            if (f->generation != generation || now >= f->until) {
                f->rc = GW_AGAIN;
            }

            rc = gw_auth_cache_get(c, key(i), generation, now, &id, &reason);

            if (rc == GW_AGAIN) {
                missing += f->rc == GW_OK;
                f->rc = GW_AGAIN;
                break;
            }

            known++;
            wrong += rc != f->rc
                     || (rc == GW_OK
                         ? !same(id, f->value)
                         : (unsigned) reason != f->value % GW_REASON_N);
        }

        over += stats->positive > 456 || stats->negative > 112;
    }

    is_u64(wrong, 0, "many sets: what is said is what was told last");
    ok(known > 10000, "and much is said");
    ok(missing > 0 && missing <= stats->evicted,
       "a good identity is missing only where one was evicted");
    is_u64(over, 0, "no table grows over its bound and an eighth");

    free(facts);
    free(c);
}


static void
flood(void)
{
    uint8_t                       k[GW_AUTH_KEY_LEN];
    unsigned                      i, n, kept, lost;
    uint64_t                      x;
    gw_auth_cache_t              *c;
    const gw_auth_cache_stats_t  *stats;

    static uint8_t  good[8000];

    c = create(8000, 50);
    stats = gw_auth_cache_stats(c);

    for (i = 0; i < 8000; i++) {
        put(c, i);
    }

    kept = 0;

    for (i = 0; i < 8000; i++) {
        good[i] = get(c, i, 1, 0) == GW_OK;
        kept += good[i];
    }

    ok(kept >= 7840, "of as many identities as asked for 98 of 100 stay: %u",
       kept);
    is_u64(stats->evicted, 8000 - kept, "the others are counted");
    is_u64(stats->positive, kept, "and no place is lost");

    for (i = 0; i < 50000; i++) {
        put_bad(c, 10000 + i);
    }

    /* those that take the very places of the good ones */

    for (i = 0; i < 8000; i++) {
        memcpy(k, key(i), sizeof(k));

        for (n = 0; n < 20; n++) {
            x = dice(1u << 30);
            memcpy(k + 9, &x, 7);
            gw_auth_cache_put_bad(c, k, 1, 0, FOR_EVER, GW_R_UNAUTHENTICATED);
        }
    }

    lost = 0;

    for (i = 0; i < 8000; i++) {
        lost += good[i] && get(c, i, 1, 0) != GW_OK;
    }

    is_u64(lost, 0, "after 210000 refusals every good one is still known");
    is_u64(stats->evicted, 8000 - kept, "none was evicted");
    ok(stats->negative <= 56, "and the refusals have the room they had");

    free(c);
}


/* a stale entry makes room before a good one has to */

static void
stale_first(void)
{
    unsigned                      i, known;
    gw_auth_cache_t              *c;
    const gw_auth_cache_stats_t  *stats;

    c = create(ONE_SET, ONE_SET);
    stats = gw_auth_cache_stats(c);

    for (i = 0; i < PLACES; i++) {
        (void) gw_auth_cache_put(c, key(i), 1, 0,
                                 i == PLACES - 1 ? 100 : FOR_EVER,
                                 identity(i));
    }

    (void) gw_auth_cache_put(c, key(50), 1, 100, FOR_EVER, identity(50));

    known = 0;

    for (i = 0; i < PLACES - 1; i++) {
        known += get(c, i, 1, 100) == GW_OK;
    }

    ok(known == PLACES - 1 && get(c, 50, 1, 100) == GW_OK,
       "the stale one goes, though it was used last");
    ok(stats->evicted == 0 && stats->positive == PLACES,
       "and is not counted as evicted");

    (void) gw_auth_cache_put(c, key(51), 1, 100, FOR_EVER, identity(51));

    ok(stats->evicted == 1 && get(c, 0, 1, 100) == GW_AGAIN,
       "then the one used longest ago, which is");
    free(c);
}


int
main(void)
{
    gw_auth_cache_t  *c;

    basics();
    neighbors();
    one_set();
    many_sets();
    flood();
    stale_first();

    c = create(1, 1);
    put(c, 1);
    put_bad(c, 2);
    ok(get(c, 1, 1, 0) == GW_OK && get(c, 2, 1, 0) == GW_DECLINED,
       "the smallest cache works");
    free(c);

    ok(gw_auth_cache_size(UINT32_MAX, UINT32_MAX)
       > (size_t) UINT32_MAX * sizeof(gw_identity_t),
       "the size of the largest does not overflow");

    return done_testing();
}
