/*
 * gw_auth_cache.c - see gw_auth_cache.h.
 *
 * A table is made of sets of eight places; a key may stand in either of two
 * sets and goes where there is more room, so that a table is nearly full
 * before the first entry has to go.  A set has a byte of tag for each place,
 * all in one word: a look-up that finds nothing reads four words, no entry.
 *
 * Sets and tag are bits of the key as it comes.  It is a digest, and whoever
 * tries long enough finds keys of one set; but all he can put there are
 * refusals, and those displace refusals.
 */

#include "gw_auth_cache.h"


#define GW_AUTH_WAYS     8

#define GW_AUTH_EACH(c)  (0x0101010101010101ULL * (c))


typedef struct {
    uint64_t  key[GW_AUTH_KEY_LEN / 8];
    uint64_t  until;           /* milliseconds */
    uint64_t  used;            /* of the table's clock */
    uint32_t  generation;
    uint32_t  reason;          /* gw_reason_e, of a refusal */
} gw_auth_entry_t;


typedef struct {
    uint64_t         *tags;    /* of a set; place 0 is the low byte, 0: free */
    gw_auth_entry_t  *entries;
    uint32_t          nsets;
    uint32_t         *in_use;
    uint64_t          clock;   /* one tick for each use of an entry */
} gw_auth_table_t;


typedef struct {
    uint64_t  word[GW_AUTH_KEY_LEN / 8];
    uint8_t   tag;             /* never 0 */
} gw_auth_key_t;


struct gw_auth_cache_s {
    gw_auth_table_t        good;
    gw_auth_table_t        bad;
    gw_identity_t         *identities;  /* of the places of good */
    gw_auth_cache_stats_t  stats;
};


static size_t gw_auth_sets(uint32_t entries);
static uint8_t *gw_auth_table_init(gw_auth_table_t *t, uint8_t *p,
    uint32_t entries, uint32_t *in_use);
static inline void gw_auth_key(gw_auth_key_t *k, const uint8_t *key);
static inline size_t gw_auth_set(const gw_auth_table_t *t,
    const gw_auth_key_t *k, unsigned choice);
static inline gw_auth_entry_t *gw_auth_find(const gw_auth_table_t *t,
    const gw_auth_key_t *k, size_t *place);
static inline gw_auth_entry_t *gw_auth_get(gw_auth_table_t *t,
    const gw_auth_key_t *k, uint32_t generation, uint64_t now);
static void gw_auth_free(gw_auth_table_t *t, size_t place);
static gw_auth_entry_t *gw_auth_put(gw_auth_table_t *t, gw_auth_table_t *other,
    const uint8_t *key, uint32_t generation, uint64_t now, uint64_t until,
    uint64_t *evicted);
static size_t gw_auth_place(gw_auth_table_t *t, const gw_auth_key_t *k,
    uint64_t now, uint64_t *evicted);


size_t
gw_auth_cache_size(uint32_t positive, uint32_t negative)
{
    size_t  set;

    set = sizeof(uint64_t) + GW_AUTH_WAYS * sizeof(gw_auth_entry_t);

    return sizeof(gw_auth_cache_t)
           + gw_auth_sets(positive)
             * (set + GW_AUTH_WAYS * sizeof(gw_identity_t))
           + gw_auth_sets(negative) * set;
}


gw_auth_cache_t *
gw_auth_cache_init(void *mem, uint32_t positive, uint32_t negative)
{
    uint8_t          *p;
    gw_auth_cache_t  *c;

    c = mem;
    memset(c, 0, sizeof(gw_auth_cache_t));

    p = (uint8_t *) mem + sizeof(gw_auth_cache_t);

    p = gw_auth_table_init(&c->good, p, positive, &c->stats.positive);
    p = gw_auth_table_init(&c->bad, p, negative, &c->stats.negative);

    c->identities = (void *) p;

    return c;
}


int
gw_auth_cache_get(gw_auth_cache_t *c, const uint8_t *key, uint32_t generation,
    uint64_t now, const gw_identity_t **identity, gw_reason_e *reason)
{
    gw_auth_key_t     k;
    gw_auth_entry_t  *e;

    gw_auth_key(&k, key);

    e = gw_auth_get(&c->good, &k, generation, now);

    if (e) {
        c->stats.hits++;
        *identity = &c->identities[e - c->good.entries];

        return GW_OK;
    }

    e = gw_auth_get(&c->bad, &k, generation, now);

    if (e) {
        c->stats.negative_hits++;
        *reason = (gw_reason_e) e->reason;

        return GW_DECLINED;
    }

    c->stats.misses++;

    return GW_AGAIN;
}


const gw_identity_t *
gw_auth_cache_put(gw_auth_cache_t *c, const uint8_t *key, uint32_t generation,
    uint64_t now, uint64_t until, const gw_identity_t *identity)
{
    gw_identity_t    *kept;
    gw_auth_entry_t  *e;

    e = gw_auth_put(&c->good, &c->bad, key, generation, now, until,
                    &c->stats.evicted);

    kept = &c->identities[e - c->good.entries];

    /* what get() gave may be put again, and be in this very place */

    memmove(kept, identity, sizeof(gw_identity_t));

    return kept;
}


void
gw_auth_cache_put_bad(gw_auth_cache_t *c, const uint8_t *key,
    uint32_t generation, uint64_t now, uint64_t until, gw_reason_e reason)
{
    uint64_t          evicted;
    gw_auth_entry_t  *e;

    evicted = 0;               /* of refusals nobody counts them */

    e = gw_auth_put(&c->bad, &c->good, key, generation, now, until, &evicted);

    e->reason = (uint32_t) reason;
}


const gw_auth_cache_stats_t *
gw_auth_cache_stats(const gw_auth_cache_t *c)
{
    return &c->stats;
}


/*
 * An eighth more than asked for: some sets are full while others have room;
 * with so much to spare one key in two hundred feels it, with none, eight.
 */

static size_t
gw_auth_sets(uint32_t entries)
{
    return ((size_t) entries + entries / 8 + GW_AUTH_WAYS - 1) / GW_AUTH_WAYS;
}


/*
 * Returns the end of the table.  No entry is touched before it is used: pages
 * that no device needs are never asked of the system.
 */

static uint8_t *
gw_auth_table_init(gw_auth_table_t *t, uint8_t *p, uint32_t entries,
    uint32_t *in_use)
{
    size_t  nsets;

    nsets = gw_auth_sets(entries);

    t->tags = (void *) p;
    t->entries = (void *) (p + nsets * sizeof(uint64_t));
    t->nsets = (uint32_t) nsets;
    t->in_use = in_use;

    memset(t->tags, 0, nsets * sizeof(uint64_t));

    return (void *) (t->entries + nsets * GW_AUTH_WAYS);
}


static inline void
gw_auth_key(gw_auth_key_t *k, const uint8_t *key)
{
    memcpy(k->word, key, GW_AUTH_KEY_LEN);

    /* the first word chooses the sets */

    k->tag = (uint8_t) (k->word[1] | 0x80);
}


/* the set that is the first or second choice (0, 1) of a key */

static inline size_t
gw_auth_set(const gw_auth_table_t *t, const gw_auth_key_t *k, unsigned choice)
{
    uint64_t  half;

    half = choice ? k->word[0] >> 32 : k->word[0] & 0xffffffff;

    return (size_t) (half * t->nsets >> 32);
}


/* NULL: not there, in whatever generation */

static inline gw_auth_entry_t *
gw_auth_find(const gw_auth_table_t *t, const gw_auth_key_t *k, size_t *place)
{
    size_t            set;
    unsigned          choice;
    uint64_t          x, match;
    gw_auth_entry_t  *e;

    for (choice = 0; choice < 2; choice++) {
        set = gw_auth_set(t, k, choice);

        /*
         * The top bit of each byte of x that is 0, and perhaps of some that
         * are 1; of a free place never, as tags have their top bit set.
         */

        x = t->tags[set] ^ GW_AUTH_EACH(k->tag);
        match = (x - GW_AUTH_EACH(1)) & ~x & GW_AUTH_EACH(0x80);

        for ( /* void */ ; match; match &= match - 1) {
            *place = set * GW_AUTH_WAYS
                     + (unsigned) __builtin_ctzll(match) / 8;

            e = &t->entries[*place];

            if (((e->key[0] ^ k->word[0]) | (e->key[1] ^ k->word[1])) == 0) {
                return e;
            }
        }
    }

    return NULL;
}


static inline gw_auth_entry_t *
gw_auth_get(gw_auth_table_t *t, const gw_auth_key_t *k, uint32_t generation,
    uint64_t now)
{
    size_t            place;
    gw_auth_entry_t  *e;

    e = gw_auth_find(t, k, &place);

    if (e == NULL) {
        return NULL;
    }

    if (e->generation != generation || now >= e->until) {
        gw_auth_free(t, place);
        return NULL;
    }

    e->used = ++t->clock;

    return e;
}


static void
gw_auth_free(gw_auth_table_t *t, size_t place)
{
    t->tags[place / GW_AUTH_WAYS] &= ~((uint64_t) 0xff
                                       << place % GW_AUTH_WAYS * 8);
    (*t->in_use)--;
}


/* the entry of the key, made if there is none; one in the other table goes */

static gw_auth_entry_t *
gw_auth_put(gw_auth_table_t *t, gw_auth_table_t *other, const uint8_t *key,
    uint32_t generation, uint64_t now, uint64_t until, uint64_t *evicted)
{
    size_t            place;
    gw_auth_key_t     k;
    gw_auth_entry_t  *e;

    gw_auth_key(&k, key);

    if (gw_auth_find(other, &k, &place)) {
        gw_auth_free(other, place);
    }

    e = gw_auth_find(t, &k, &place);

    if (e == NULL) {
        place = gw_auth_place(t, &k, now, evicted);

        t->tags[place / GW_AUTH_WAYS] |= (uint64_t) k.tag
                                         << place % GW_AUTH_WAYS * 8;
        (*t->in_use)++;

        e = &t->entries[place];
        memcpy(e->key, k.word, GW_AUTH_KEY_LEN);
    }

    e->until = until;
    e->used = ++t->clock;
    e->generation = generation;
    e->reason = GW_R_NONE;

    return e;
}


/* a place for a new key, free now */

static size_t
gw_auth_place(gw_auth_table_t *t, const gw_auth_key_t *k, uint64_t now,
    uint64_t *evicted)
{
    size_t            set, place, oldest;
    uint64_t          room, room2;
    unsigned          i;
    gw_auth_entry_t  *e;

    set = gw_auth_set(t, k, 0);

    room = ~t->tags[set] & GW_AUTH_EACH(0x80);
    room2 = ~t->tags[gw_auth_set(t, k, 1)] & GW_AUTH_EACH(0x80);

    if (__builtin_popcountll(room2) > __builtin_popcountll(room)) {
        set = gw_auth_set(t, k, 1);
        room = room2;
    }

    if (room) {
        return set * GW_AUTH_WAYS + (unsigned) __builtin_ctzll(room) / 8;
    }

    oldest = set * GW_AUTH_WAYS;

    for (i = 0; i < 2 * GW_AUTH_WAYS; i++) {
        place = gw_auth_set(t, k, i / GW_AUTH_WAYS) * GW_AUTH_WAYS
                + i % GW_AUTH_WAYS;
        e = &t->entries[place];

        if (now >= e->until) {
            gw_auth_free(t, place);
            return place;
        }

        if (e->used < t->entries[oldest].used) {
            oldest = place;
        }
    }

    gw_auth_free(t, oldest);
    (*evicted)++;

    return oldest;
}
