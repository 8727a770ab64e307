/*
 * gw_dedup_repair.c - see gw_dedup.h: what a killed process left behind, and
 * whether a shard is what it should be.
 *
 * Only prints, windows and flights are believed; chains, the list of free
 * flights and all counts are made anew from them.  Each step may be killed in
 * its turn and be begun again.
 */

#include "gw_dedup_layout.h"


static const char *gw_dedup_check_window(const gw_dedup_t *d, uint32_t at);
static const char *gw_dedup_check_flights(const gw_dedup_t *d);


void
gw_dedup_repair(gw_dedup_t *d)
{
    uint32_t  at;

    if (d->undo) {
        at = d->undo - 1;
        memcpy(gw_dedup_window(d, at), d->saved, d->window);
        d->stats.repaired++;
        gw_dedup_order();
        d->undo = 0;
    }

    /* twice there, it is whole at both places: the new one has not begun */

    if (d->moved_to) {
        at = d->moved_to - 1;

        if (*gw_dedup_print(d, at) == *gw_dedup_print(d, d->moved_from)) {
            *gw_dedup_print(d, at) = 0;
        }

        gw_dedup_order();
        d->moved_to = 0;
    }

    /* a jump that is forgotten costs one more message that is doubted; one
       that belongs to what was undone would be worse */

    memset(d->jump, 0, sizeof(d->jump));

    gw_dedup_recount(d);
}


void
gw_dedup_recount(gw_dedup_t *d)
{
    uint32_t            i, places, *head;
    uint64_t           *print;
    gw_dedup_flight_t  *f;
    gw_dedup_window_t  *w;

    places = d->nbuckets * GW_DEDUP_WAYS;

    d->free = 0;
    d->stats.windows = 0;
    d->stats.flights = 0;

    for (i = 0; i < places; i++) {
        gw_dedup_window(d, i)->flights = 0;
    }

    memset(gw_dedup_heads(d), 0, d->nflights * sizeof(uint32_t));

    for (i = d->nflights; i; i--) {
        f = &gw_dedup_flights(d)[i - 1];

        /* marked as done, and killed before its end */

        if (f->owner
            && (*gw_dedup_print(d, f->window) != f->print
                || gw_dedup_is_done(d, gw_dedup_window(d, f->window), f->seq)))
        {
            f->owner = 0;
        }

        if (f->owner == 0) {
            f->next = d->free;
            d->free = i;
            continue;
        }

        head = &gw_dedup_heads(d)[gw_dedup_chain(d, f->print, f->seq)];
        f->next = *head;
        *head = i;

        gw_dedup_window(d, f->window)->flights++;
        d->stats.flights++;
    }

    for (i = 0; i < places; i++) {
        w = gw_dedup_window(d, i);
        print = gw_dedup_print(d, i);

        if (*print && w->flights == 0 && !gw_dedup_used(w)) {
            *print = 0;
        }

        d->stats.windows += (*print != 0);
    }
}


const char *
gw_dedup_check(const gw_dedup_t *d)
{
    const char  *why;

    if (d->layout != GW_DEDUP_LAYOUT || d->nbuckets == 0 || d->nflights == 0
        || d->width < GW_DEDUP_WINDOW_MIN || d->width > GW_DEDUP_WINDOW_MAX
        || d->width % 64
        || d->window != sizeof(gw_dedup_window_t) + d->width / 8
        || d->bucket != GW_DEDUP_PRINTS + GW_DEDUP_WAYS * d->window
        || d->heads + d->nflights * sizeof(uint32_t) > d->size)
    {
        return "the layout is another one";
    }

    if (d->undo || d->moved_to) {
        return "a change was not ended";
    }

    why = gw_dedup_check_windows(d);

    return why ? why : gw_dedup_check_flights(d);
}


const char *
gw_dedup_check_windows(const gw_dedup_t *d)
{
    uint32_t     at, n;
    const char  *why;

    for (n = 0, at = 0; at < d->nbuckets * GW_DEDUP_WAYS; at++) {

        if (*gw_dedup_print(d, at) == 0) {
            continue;
        }

        why = gw_dedup_check_window(d, at);

        if (why) {
            return why;
        }

        n++;
    }

    return n == d->stats.windows ? NULL : "windows are not counted";
}


static const char *
gw_dedup_check_window(const gw_dedup_t *d, uint32_t at)
{
    uint32_t                  i, twin, other;
    uint64_t                  top, print;
    const gw_dedup_window_t  *w;

    w = gw_dedup_window(d, at);
    print = *gw_dedup_print(d, at);
    top = gw_dedup_number(w);
    other = gw_dedup_other(d, gw_dedup_tag(w), at / GW_DEDUP_WAYS);

    if (other >= d->nbuckets) {
        return "a window has no other bucket";
    }

    for (i = 0; i < 2 * GW_DEDUP_WAYS; i++) {
        twin = (i < GW_DEDUP_WAYS ? at / GW_DEDUP_WAYS : other)
               * GW_DEDUP_WAYS + i % GW_DEDUP_WAYS;

        if (twin != at && *gw_dedup_print(d, twin) == print) {
            return "a window is there twice";
        }
    }

    if ((print & 1) != !!(w->head & GW_DEDUP_HEAD_KEY)) {
        return "a window is of a key and is not";
    }

    if (!gw_dedup_used(w)) {

        for (i = 0; i < d->width / 64; i++) {
            if (w->bits[i]) {
                return "a window has numbers, but no highest one";
            }
        }

        if (top || (w->head & GW_DEDUP_HEAD_JUMP)) {
            return "a window has a highest number, but none";
        }

        return w->flights ? NULL : "a window is empty";
    }

    if ((w->head & GW_DEDUP_HEAD_KEY) && top) {
        return "a key has a number";
    }

    for (i = (uint32_t) (top < d->width ? top + 1 : d->width);
         i < d->width;
         i++)
    {
        if (w->bits[i / 64] >> i % 64 & 1) {
            return "a number below 0 is done";
        }
    }

    for (i = 0; !(w->head & GW_DEDUP_HEAD_KEY) && i < GW_DEDUP_NEWEST; i++) {
        if ((w->bits[0] >> i & 1)
            != (w->digest[(top - i) % GW_DEDUP_NEWEST] != 0))
        {
            return "the digests are not those of the newest numbers";
        }
    }

    return NULL;
}


static const char *
gw_dedup_check_flights(const gw_dedup_t *d)
{
    uint32_t                  i, k, n, live, chained, of_window;
    const gw_dedup_flight_t  *f, *g;

    live = 0;
    of_window = 0;

    for (i = 0; i < d->nflights; i++) {
        f = &gw_dedup_flights(d)[i];

        if (f->owner == 0) {
            continue;
        }

        live++;

        if (f->window >= d->nbuckets * GW_DEDUP_WAYS
            || *gw_dedup_print(d, f->window) != f->print)
        {
            return "a flight has no window";
        }

        if (gw_dedup_is_done(d, gw_dedup_window(d, f->window), f->seq)) {
            return "a number is in flight and done";
        }

        for (n = 0, k = 0; k < d->nflights; k++) {
            g = &gw_dedup_flights(d)[k];

            if (g->owner == 0) {
                continue;
            }

            n += (g->window == f->window);

            if (k != i && g->print == f->print && g->seq == f->seq) {
                return "a number is in flight twice";
            }
        }

        if (n != gw_dedup_window(d, f->window)->flights) {
            return "the flights of a window are not counted";
        }
    }

    for (i = 0; i < d->nbuckets * GW_DEDUP_WAYS; i++) {
        if (*gw_dedup_print(d, i)) {
            of_window += gw_dedup_window(d, i)->flights;
        }
    }

    if (live != d->stats.flights || live != of_window) {
        return "flights are not counted";
    }

    for (chained = 0, i = 0; i < d->nflights; i++) {
        for (k = gw_dedup_heads(d)[i]; k; k = f->next) {
            f = &gw_dedup_flights(d)[k > d->nflights ? 0 : k - 1];

            if (k > d->nflights || ++chained > live || f->owner == 0
                || gw_dedup_chain(d, f->print, f->seq) != i)
            {
                return "a chain of flights is broken";
            }
        }
    }

    for (n = 0, k = d->free; k; k = f->next) {
        f = &gw_dedup_flights(d)[k > d->nflights ? 0 : k - 1];

        if (k > d->nflights || ++n > d->nflights || f->owner) {
            return "the list of free flights is broken";
        }
    }

    return chained == live && n == d->nflights - live ? NULL
                                                      : "a flight is lost";
}
