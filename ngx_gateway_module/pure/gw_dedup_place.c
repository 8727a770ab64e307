/*
 * gw_dedup_place.c - see gw_dedup.h: where windows live, and who makes room.
 *
 * A device has two buckets; a new window goes where there is more room, and
 * where both are full an idle window of theirs moves over to its own other
 * bucket, so that the table is nearly full before a device finds no place.  A
 * window is made at begin, so that whatever is in flight has its place, and
 * goes again if nothing of it gets done.  While it has flights it neither moves
 * nor goes.
 *
 * What would break unseen: a device that pushes others out, whose resends are
 * then counted twice.
 */

#include "gw_dedup_layout.h"


#define GW_DEDUP_DEPTH  2      /* of moves that make room */


static uint32_t gw_dedup_free_place(const gw_dedup_t *d,
    const gw_dedup_home_t *home);
static uint32_t gw_dedup_vacate(gw_dedup_t *d, uint32_t bucket,
    unsigned depth);
static void gw_dedup_move(gw_dedup_t *d, uint32_t from, uint32_t to);
static uint32_t gw_dedup_victim(const gw_dedup_t *d,
    const gw_dedup_home_t *home, uint32_t now);
static uint32_t gw_dedup_epoch(const gw_dedup_t *d,
    const gw_dedup_home_t *home, uint32_t now, unsigned *n);
static uint32_t gw_dedup_age(const gw_dedup_window_t *w, uint32_t now);


/*
 * The low bits of place choose the shard, which the caller does: here the
 * high half is the bucket, of the rest the tag.
 */

gw_dedup_home_t
gw_dedup_home(const gw_dedup_t *d, uint64_t place)
{
    gw_dedup_home_t  home;

    home.tag = (uint32_t) (place >> 7) & 0x1ffffff;
    home.bucket[0] = (uint32_t) ((place >> 32) * d->nbuckets >> 32);
    home.bucket[1] = gw_dedup_other(d, home.tag, home.bucket[0]);

    return home;
}


void
gw_dedup_prefetch(const gw_dedup_t *d, const gw_dedup_id_t *id)
{
    unsigned         i, k;
    const uint8_t   *p;
    gw_dedup_home_t  home;

    home = gw_dedup_home(d, id->place);

    /* the prints first; at the narrowest width the windows are the four lines
       behind them */

    for (k = 0; k < 5; k++) {
        for (i = 0; i < 2; i++) {
            p = gw_dedup_bucket(d, home.bucket[i]);
            __builtin_prefetch(p + 64 * k, 1);
        }
    }
}


uint32_t
gw_dedup_find(const gw_dedup_t *d, const gw_dedup_home_t *home, uint64_t print)
{
    unsigned         i, k;
    const uint64_t  *prints;

    for (i = 0; i < 2; i++) {
        prints = gw_dedup_print(d, home->bucket[i] * GW_DEDUP_WAYS);

        for (k = 0; k < GW_DEDUP_WAYS; k++) {
            if (prints[k] == print) {
                return home->bucket[i] * GW_DEDUP_WAYS + k;
            }
        }
    }

    return GW_DEDUP_NONE;
}


uint32_t
gw_dedup_make(gw_dedup_t *d, const gw_dedup_home_t *home,
    const gw_dedup_id_t *id, uint32_t now)
{
    uint32_t            at, places;
    unsigned            n;
    gw_dedup_window_t  *w;

    if (!id->key) {
        at = gw_dedup_epoch(d, home, now, &n);

        if (n >= GW_DEDUP_EPOCHS) {

            if (at == GW_DEDUP_NONE) {
                return GW_DEDUP_NONE;
            }

            gw_dedup_drop(d, at);
            d->stats.epochs++;
            d->stats.evicted++;
        }
    }

    at = gw_dedup_free_place(d, home);
    places = d->nbuckets * GW_DEDUP_WAYS;

    /*
     * A key never makes others move: whoever sends one with each message would
     * push his neighbours through the table.  Where hardly a place is free the
     * search is long and finds none.
     */

    if (at == GW_DEDUP_NONE && !id->key
        && d->stats.windows < places - places / 64)
    {
        at = gw_dedup_vacate(d, home->bucket[0], GW_DEDUP_DEPTH);

        if (at == GW_DEDUP_NONE && home->bucket[1] != home->bucket[0]) {
            at = gw_dedup_vacate(d, home->bucket[1], GW_DEDUP_DEPTH);
        }
    }

    if (at == GW_DEDUP_NONE) {
        at = gw_dedup_victim(d, home, now);

        if (at == GW_DEDUP_NONE) {
            return GW_DEDUP_NONE;
        }

        gw_dedup_drop(d, at);
        d->stats.evicted++;
    }

    w = gw_dedup_window(d, at);

    memset(w, 0, d->window);
    w->head = (uint64_t) (home->tag >> 16) << 55
              | (id->key ? GW_DEDUP_HEAD_KEY : 0);
    w->tag = (uint16_t) home->tag;
    w->used = now;

    gw_dedup_order();
    *gw_dedup_print(d, at) = id->print;

    d->stats.windows++;

    return at;
}


/* in the emptier of the two buckets */

static uint32_t
gw_dedup_free_place(const gw_dedup_t *d, const gw_dedup_home_t *home)
{
    uint32_t         at;
    unsigned         i, k, n, most;
    const uint64_t  *prints;

    most = 0;
    at = GW_DEDUP_NONE;

    for (i = 0; i < 2; i++) {
        prints = gw_dedup_print(d, home->bucket[i] * GW_DEDUP_WAYS);

        for (n = 0, k = 0; k < GW_DEDUP_WAYS; k++) {
            n += (prints[k] == 0);
        }

        if (n <= most) {
            continue;
        }

        most = n;

        for (k = 0; prints[k]; k++) { /* void */ }

        at = home->bucket[i] * GW_DEDUP_WAYS + k;
    }

    return at;
}


/* a place of a full bucket, freed by moving idle windows to where they may
   be as well; NONE: not with so many moves in a row */

static uint32_t
gw_dedup_vacate(gw_dedup_t *d, uint32_t bucket, unsigned depth)
{
    uint32_t            at, to, other[GW_DEDUP_WAYS];
    unsigned            i;
    gw_dedup_home_t     home;
    gw_dedup_window_t  *w;

    at = bucket * GW_DEDUP_WAYS;

    for (i = 0; i < GW_DEDUP_WAYS; i++) {
        w = gw_dedup_window(d, at + i);
        other[i] = w->flights ? bucket
                              : gw_dedup_other(d, gw_dedup_tag(w), bucket);
        __builtin_prefetch(gw_dedup_bucket(d, other[i]));
    }

    for (i = 0; i < GW_DEDUP_WAYS; i++) {
        home.bucket[0] = other[i];
        home.bucket[1] = other[i];
        to = gw_dedup_free_place(d, &home);

        if (to != GW_DEDUP_NONE) {
            gw_dedup_move(d, at + i, to);
            return at + i;
        }
    }

    for (i = 0; depth > 1 && i < GW_DEDUP_WAYS; i++) {

        if (other[i] == bucket) {
            continue;
        }

        to = gw_dedup_vacate(d, other[i], depth - 1);

        if (to != GW_DEDUP_NONE) {
            gw_dedup_move(d, at + i, to);
            return at + i;
        }
    }

    return GW_DEDUP_NONE;
}


static void
gw_dedup_move(gw_dedup_t *d, uint32_t from, uint32_t to)
{
    d->moved_from = from;
    gw_dedup_order();
    d->moved_to = to + 1;
    gw_dedup_order();

    memcpy(gw_dedup_window(d, to), gw_dedup_window(d, from), d->window);
    gw_dedup_order();
    *gw_dedup_print(d, to) = *gw_dedup_print(d, from);
    gw_dedup_order();
    *gw_dedup_print(d, from) = 0;

    gw_dedup_order();
    d->moved_to = 0;
    gw_dedup_order();
}


/* the longest idle window that may go */

static uint32_t
gw_dedup_victim(const gw_dedup_t *d, const gw_dedup_home_t *home, uint32_t now)
{
    uint32_t                  at, age, most, victim;
    unsigned                  i;
    const gw_dedup_window_t  *w;

    most = 0;
    victim = GW_DEDUP_NONE;

    for (i = 0; i < 2 * GW_DEDUP_WAYS; i++) {
        at = home->bucket[i / GW_DEDUP_WAYS] * GW_DEDUP_WAYS
             + i % GW_DEDUP_WAYS;
        w = gw_dedup_window(d, at);
        age = gw_dedup_age(w, now);

        if (w->flights == 0 && ((w->head & GW_DEDUP_HEAD_KEY) || age > d->keep)
            && (age > most || victim == GW_DEDUP_NONE))
        {
            most = age;
            victim = at;
        }
    }

    return victim;
}


/* *n: the epochs that a device has; returns the longest idle of them */

static uint32_t
gw_dedup_epoch(const gw_dedup_t *d, const gw_dedup_home_t *home, uint32_t now,
    unsigned *n)
{
    uint32_t                  at, age, most, oldest;
    unsigned                  i, places;
    const gw_dedup_window_t  *w;

    most = 0;
    oldest = GW_DEDUP_NONE;
    *n = 0;

    places = (home->bucket[0] == home->bucket[1] ? 1 : 2) * GW_DEDUP_WAYS;

    for (i = 0; i < places; i++) {
        at = home->bucket[i / GW_DEDUP_WAYS] * GW_DEDUP_WAYS
             + i % GW_DEDUP_WAYS;
        w = gw_dedup_window(d, at);

        if (*gw_dedup_print(d, at) == 0 || gw_dedup_tag(w) != home->tag
            || (w->head & GW_DEDUP_HEAD_KEY))
        {
            continue;
        }

        (*n)++;
        age = gw_dedup_age(w, now);

        if (w->flights == 0 && (age > most || oldest == GW_DEDUP_NONE)) {
            most = age;
            oldest = at;
        }
    }

    return oldest;
}


/* another process may have read the clock later than we did */

static uint32_t
gw_dedup_age(const gw_dedup_window_t *w, uint32_t now)
{
    uint32_t  age;

    age = now - w->used;

    return (int32_t) age < 0 ? 0 : age;
}


void
gw_dedup_drop(gw_dedup_t *d, uint32_t at)
{
    *gw_dedup_print(d, at) = 0;
    gw_dedup_order();
    d->stats.windows--;
}
