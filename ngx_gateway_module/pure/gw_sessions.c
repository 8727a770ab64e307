/*
 * gw_sessions.c - see gw_sessions.h.
 *
 * An entry is two words.  The key is written last when one is made and first
 * when it goes, and in an entry that stays the ticket alone changes, so what a
 * process that was killed leaves behind is whole.  What may be missing then is
 * the word to an owner: whoever gets the lock next tells all of them.
 */

#include "gw_sessions.h"

#define XXH_INLINE_ALL
#include <xxhash.h>


/* a ticket: the owner, FRESH, and a number that none had before */

#define GW_SESSIONS_FRESH     (1ULL << 55)
#define GW_SESSIONS_NUMBER    (GW_SESSIONS_FRESH - 1)

#define gw_sessions_owner(ticket)  ((unsigned) ((ticket) >> 56))
#define gw_sessions_bucket(t, hash)                                           \
    ((t)->bucket[(uint64_t) (hash) * (t)->buckets >> 32])

#define gw_sessions_order()        __asm__ __volatile__ ("" ::: "memory")


static int gw_sessions_lock(gw_sessions_t *t);
static gw_session_t *gw_sessions_find(gw_sessions_t *t, uint64_t key);
static gw_session_t *gw_sessions_room(gw_sessions_t *t, uint64_t key);


size_t
gw_sessions_fit(size_t size)
{
    size_t  n;

    if (size < sizeof(gw_sessions_t) + sizeof(gw_session_t[GW_SESSIONS_WAYS]))
    {
        return 0;
    }

    n = (size - sizeof(gw_sessions_t))
        / sizeof(gw_session_t[GW_SESSIONS_WAYS]);

    if (n > UINT32_MAX) {
        n = UINT32_MAX;
    }

    return sizeof(gw_sessions_t)
           + n * sizeof(gw_session_t[GW_SESSIONS_WAYS]);
}


gw_sessions_t *
gw_sessions_init(void *mem, size_t size, const uint8_t *secret)
{
    gw_sessions_t  *t;

    t = mem;

    t->buckets = (uint32_t) ((size - sizeof(gw_sessions_t))
                             / sizeof(gw_session_t[GW_SESSIONS_WAYS]));

    memcpy(t->secret, secret, GW_SESSIONS_SECRET);

    return gw_lock_init(&t->lock) == GW_OK ? t : NULL;
}


void
gw_sessions_enter(gw_sessions_t *t, unsigned owner)
{
    uint32_t       i;
    unsigned       j;
    gw_session_t  *e;

    for (i = 0; i < t->buckets; i++) {

        if (gw_sessions_lock(t) != GW_OK) {
            return;
        }

        for (j = 0; j < GW_SESSIONS_WAYS; j++) {
            e = &t->bucket[i][j];

            if (e->key && gw_sessions_owner(e->ticket) == owner) {
                e->key = 0;
            }
        }

        gw_unlock(&t->lock);
    }
}


uint64_t
gw_sessions_key(const gw_sessions_t *t, const gw_str_t *device,
    const gw_str_t *client_id)
{
    uint64_t      key, len;
    XXH3_state_t  state;

    len = device->len;

    (void) XXH3_64bits_reset_withSecret(&state, t->secret,
                                        GW_SESSIONS_SECRET);
    (void) XXH3_64bits_update(&state, &len, sizeof(len));
    (void) XXH3_64bits_update(&state, device->data, device->len);
    (void) XXH3_64bits_update(&state, client_id->data, client_id->len);

    key = XXH3_64bits_digest(&state);

    return key ? key : 1;
}


int
gw_sessions_take(gw_sessions_t *t, uint64_t key, unsigned owner,
    unsigned fresh, uint64_t *ticket)
{
    int            rc;
    gw_session_t  *e;

    *ticket = 0;

    if (gw_sessions_lock(t) != GW_OK) {
        return GW_ERROR;
    }

    rc = GW_ERROR;
    e = gw_sessions_find(t, key);

    if (e) {
        rc = GW_DONE;

    } else {
        e = gw_sessions_room(t, key);

        if (e) {
            rc = GW_OK;
        }
    }

    if (e) {
        t->number = (t->number + 1) & GW_SESSIONS_NUMBER;

        *ticket = (uint64_t) owner << 56 | (fresh ? GW_SESSIONS_FRESH : 0)
                  | t->number;

        if (rc == GW_DONE) {
            t->taken[gw_sessions_owner(e->ticket)]++;
        }

        e->ticket = *ticket;
        gw_sessions_order();
        e->key = key;
    }

    gw_unlock(&t->lock);

    return rc;
}


int
gw_sessions_still(gw_sessions_t *t, uint64_t key, uint64_t ticket)
{
    int            rc;
    gw_session_t  *e;

    /* nobody knows it: nobody can have taken it */

    if (ticket == 0 || gw_sessions_lock(t) != GW_OK) {
        return GW_OK;
    }

    e = gw_sessions_find(t, key);

    rc = e == NULL ? GW_DONE
         : e->ticket == ticket ? GW_OK
         : e->ticket & GW_SESSIONS_FRESH ? GW_DECLINED : GW_DONE;

    gw_unlock(&t->lock);

    return rc;
}


void
gw_sessions_leave(gw_sessions_t *t, uint64_t key, uint64_t ticket)
{
    gw_session_t  *e;

    if (ticket == 0 || gw_sessions_lock(t) != GW_OK) {
        return;
    }

    e = gw_sessions_find(t, key);

    if (e && e->ticket == ticket) {
        e->key = 0;
    }

    gw_unlock(&t->lock);
}


uint32_t
gw_sessions_taken(const gw_sessions_t *t, unsigned owner)
{
    return *(const volatile uint32_t *) &t->taken[owner];
}


static int
gw_sessions_lock(gw_sessions_t *t)
{
    int       rc;
    unsigned  i;

    rc = gw_lock(&t->lock);

    if (rc == GW_AGAIN) {

        for (i = 0; i < GW_SESSIONS_OWNERS; i++) {
            t->taken[i]++;
        }

        rc = GW_OK;
    }

    return rc;
}


static gw_session_t *
gw_sessions_find(gw_sessions_t *t, uint64_t key)
{
    unsigned       i;
    gw_session_t  *first, *second;

    first = gw_sessions_bucket(t, (uint32_t) key);
    second = gw_sessions_bucket(t, key >> 32);

    for (i = 0; i < GW_SESSIONS_WAYS; i++) {

        if (first[i].key == key) {
            return &first[i];
        }

        if (second[i].key == key) {
            return &second[i];
        }
    }

    return NULL;
}


/* a free entry of that bucket of key which has more of them */

static gw_session_t *
gw_sessions_room(gw_sessions_t *t, uint64_t key)
{
    unsigned       i, n[2];
    gw_session_t  *bucket[2], *room[2];

    bucket[0] = gw_sessions_bucket(t, (uint32_t) key);
    bucket[1] = gw_sessions_bucket(t, key >> 32);

    n[0] = n[1] = 0;
    room[0] = room[1] = NULL;

    for (i = 0; i < 2 * GW_SESSIONS_WAYS; i++) {

        if (bucket[i & 1][i / 2].key == 0) {
            room[i & 1] = &bucket[i & 1][i / 2];
            n[i & 1]++;
        }
    }

    return room[n[1] > n[0]];
}
