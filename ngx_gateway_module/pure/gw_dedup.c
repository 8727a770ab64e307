/*
 * gw_dedup.c - see gw_dedup.h: begin, done and release.
 *
 * What would break unseen: a number that counts as done and never was is a
 * message lost with a friendly answer; one that is forgotten is counted twice.
 *
 * A flight is found through its window alone: a window has a flight or not, and
 * one without is not looked for.  So a new message costs two buckets and its
 * window, whatever else is in flight.
 */

#include "gw_dedup_layout.h"


#define GW_DEDUP_LOOKS  16     /* flights that sweep() looks at, for each that
                                  it may free */


static gw_dedup_flight_t *gw_dedup_flight(const gw_dedup_t *d, uint64_t print,
    uint64_t seq);
static void gw_dedup_depart(gw_dedup_t *d, uint32_t at,
    const gw_dedup_id_t *id, uint32_t owner, uint32_t deadline,
    gw_dedup_ticket_t *ticket);
static gw_dedup_flight_t *gw_dedup_in_force(const gw_dedup_t *d,
    const gw_dedup_ticket_t *ticket);
static void gw_dedup_land(gw_dedup_t *d, gw_dedup_flight_t *f);


static const char  *gw_dedup_note_names[GW_DEDUP_NOTE_N] = {
    "plain", "taken_over", "below", "jumped", "untracked"
};


const char *
gw_dedup_note_name(gw_dedup_note_e note)
{
    return gw_dedup_note_names[note];
}


static uint32_t
gw_dedup_nbuckets(const gw_dedup_conf_t *conf)
{
    return conf->windows / GW_DEDUP_WAYS + (conf->windows % GW_DEDUP_WAYS != 0);
}


static uint32_t
gw_dedup_bucket_size(const gw_dedup_conf_t *conf)
{
    return (uint32_t) (GW_DEDUP_PRINTS
                       + GW_DEDUP_WAYS * (sizeof(gw_dedup_window_t)
                                          + conf->width / 8));
}


size_t
gw_dedup_size(const gw_dedup_conf_t *conf)
{
    size_t  size;

    if (conf->width < GW_DEDUP_WINDOW_MIN || conf->width > GW_DEDUP_WINDOW_MAX
        || conf->width % 64
        || conf->windows == 0 || conf->windows > GW_DEDUP_PLACES_MAX
        || conf->flights == 0 || conf->flights > GW_DEDUP_PLACES_MAX)
    {
        return 0;
    }

    size = GW_DEDUP_BUCKETS_AT
           + (size_t) gw_dedup_nbuckets(conf) * gw_dedup_bucket_size(conf)
           + (size_t) conf->flights * (sizeof(gw_dedup_flight_t)
                                       + sizeof(uint32_t));

    return (size + 63) & ~(size_t) 63;
}


void
gw_dedup_fit(gw_dedup_conf_t *conf, size_t bytes)
{
    size_t  flights, buckets, each;

    each = sizeof(gw_dedup_flight_t) + sizeof(uint32_t);

    bytes &= ~(size_t) 63;
    flights = bytes / 8 / each;

    conf->windows = 0;
    conf->flights = 0;

    if (flights == 0 || bytes < GW_DEDUP_BUCKETS_AT + flights * each) {
        return;
    }

    if (flights > GW_DEDUP_PLACES_MAX) {
        flights = GW_DEDUP_PLACES_MAX;
    }

    buckets = (bytes - GW_DEDUP_BUCKETS_AT - flights * each)
              / gw_dedup_bucket_size(conf);

    if (buckets > GW_DEDUP_PLACES_MAX / GW_DEDUP_WAYS) {
        buckets = GW_DEDUP_PLACES_MAX / GW_DEDUP_WAYS;
    }

    conf->windows = (uint32_t) buckets * GW_DEDUP_WAYS;
    conf->flights = (uint32_t) flights;
}


gw_dedup_t *
gw_dedup_init(void *mem, const gw_dedup_conf_t *conf)
{
    size_t       size;
    gw_dedup_t  *d;

    size = gw_dedup_size(conf);

    if (size == 0 || (uintptr_t) mem % 64) {
        return NULL;
    }

    memset(mem, 0, size);

    d = mem;

    d->width = conf->width;
    d->window = (uint32_t) sizeof(gw_dedup_window_t) + conf->width / 8;
    d->bucket = gw_dedup_bucket_size(conf);
    d->nbuckets = gw_dedup_nbuckets(conf);
    d->nflights = conf->flights;
    d->size = size;
    d->flights = GW_DEDUP_BUCKETS_AT + (uint64_t) d->nbuckets * d->bucket;
    d->heads = d->flights + (uint64_t) d->nflights * sizeof(gw_dedup_flight_t);

    d->keep = conf->keep;
    d->full_refuse = conf->full_refuse;
    d->stale_refuse = conf->stale_refuse;
    d->layout = GW_DEDUP_LAYOUT;

    gw_dedup_recount(d);

    return d;
}


int
gw_dedup_attach(gw_dedup_t *d, const gw_dedup_conf_t *conf)
{
    if (d->layout != GW_DEDUP_LAYOUT || d->width != conf->width
        || (conf->windows && d->nbuckets != gw_dedup_nbuckets(conf))
        || (conf->flights && d->nflights != conf->flights))
    {
        return GW_DECLINED;
    }

    d->keep = conf->keep;
    d->full_refuse = conf->full_refuse;
    d->stale_refuse = conf->stale_refuse;

    return GW_OK;
}


const gw_dedup_stats_t *
gw_dedup_stats(const gw_dedup_t *d)
{
    return &d->stats;
}


gw_dedup_verdict_e
gw_dedup_begin(gw_dedup_t *d, const gw_dedup_id_t *id, uint32_t owner,
    const uint32_t *alive, uint32_t now, uint32_t deadline,
    gw_dedup_ticket_t *ticket, gw_dedup_note_e *note)
{
    uint32_t             at;
    gw_dedup_home_t      home;
    gw_dedup_flight_t   *f;
    gw_dedup_window_t   *w;
    gw_dedup_verdict_e   verdict;

    memset(ticket, 0, sizeof(gw_dedup_ticket_t));
    *note = GW_DEDUP_PLAIN;

    home = gw_dedup_home(d, id->place);
    at = gw_dedup_find(d, &home, id->print);
    w = NULL;

    if (at != GW_DEDUP_NONE) {
        w = gw_dedup_window(d, at);
        w->used = now;

        f = w->flights ? gw_dedup_flight(d, id->print, id->seq) : NULL;

        if (f) {
            ticket->flight = (uint32_t) (f - gw_dedup_flights(d)) + 1;

            if (alive[f->owner >> 24] != f->owner
                || (f->deadline && (int32_t) (now - f->deadline) > 0))
            {
                /* the owner first: should we be killed, it is a dead one */

                f->owner = owner;
                gw_dedup_order();
                f->serial = d->serial++;
                f->deadline = deadline;
                f->digest = id->digest;
                *note = GW_DEDUP_TAKEN_OVER;

            } else if (f->digest != id->digest) {
                ticket->flight = 0;
                return GW_DEDUP_CONFLICT;
            }

            ticket->serial = f->serial;
            ticket->owner = f->owner;

            return *note == GW_DEDUP_PLAIN ? GW_DEDUP_IN_FLIGHT : GW_DEDUP_NEW;
        }

        verdict = gw_dedup_judge(d, w, id, note);

        if (verdict != GW_DEDUP_NEW) {
            return verdict;
        }
    }

    if (d->free && id->seq <= GW_SEQ_MAX && (!w || w->flights < UINT16_MAX)) {

        if (w == NULL) {
            at = gw_dedup_make(d, &home, id, now);
        }

        if (at != GW_DEDUP_NONE) {
            gw_dedup_depart(d, at, id, owner, deadline, ticket);
            return GW_DEDUP_NEW;
        }
    }

    *note = d->full_refuse ? GW_DEDUP_PLAIN : GW_DEDUP_UNTRACKED;

    return d->full_refuse ? GW_DEDUP_FULL : GW_DEDUP_NEW;
}


int
gw_dedup_done(gw_dedup_t *d, const gw_dedup_ticket_t *ticket, uint32_t now)
{
    gw_dedup_flight_t  *f;
    gw_dedup_window_t  *w;

    f = gw_dedup_in_force(d, ticket);

    if (f == NULL) {
        return GW_DECLINED;
    }

    w = gw_dedup_window(d, f->window);

    memcpy(d->saved, w, d->window);
    gw_dedup_order();
    d->undo = f->window + 1;
    gw_dedup_order();

    gw_dedup_mark(d, w, f);
    w->used = now;

    gw_dedup_order();
    d->undo = 0;
    gw_dedup_order();

    gw_dedup_land(d, f);

    return GW_OK;
}


int
gw_dedup_release(gw_dedup_t *d, const gw_dedup_ticket_t *ticket)
{
    gw_dedup_flight_t  *f;

    f = gw_dedup_in_force(d, ticket);

    if (f == NULL) {
        return GW_DECLINED;
    }

    gw_dedup_land(d, f);

    return GW_OK;
}


uint32_t
gw_dedup_sweep(gw_dedup_t *d, const uint32_t *alive, uint32_t max)
{
    uint32_t            freed, seen, all;
    uint64_t            looks;
    gw_dedup_flight_t  *f;

    looks = (uint64_t) max * GW_DEDUP_LOOKS;

    if (looks > d->nflights) {
        looks = d->nflights;
    }

    all = d->stats.flights;
    seen = 0;

    for (freed = 0; looks && freed < max && seen < all; looks--) {

        if (d->swept >= d->nflights) {
            d->swept = 0;
        }

        f = &gw_dedup_flights(d)[d->swept++];

        if (f->owner == 0) {
            continue;
        }

        seen++;

        if (alive[f->owner >> 24] != f->owner) {
            gw_dedup_land(d, f);
            freed++;
        }
    }

    /* flights freed last are used first: those in use lie at the front */

    if (seen == all) {
        d->swept = 0;
    }

    return freed;
}


static gw_dedup_flight_t *
gw_dedup_flight(const gw_dedup_t *d, uint64_t print, uint64_t seq)
{
    uint32_t            i;
    gw_dedup_flight_t  *f;

    for (i = gw_dedup_heads(d)[gw_dedup_chain(d, print, seq)]; i; i = f->next) {
        f = &gw_dedup_flights(d)[i - 1];

        if (f->print == print && f->seq == seq) {
            return f;
        }
    }

    return NULL;
}


static void
gw_dedup_depart(gw_dedup_t *d, uint32_t at, const gw_dedup_id_t *id,
    uint32_t owner, uint32_t deadline, gw_dedup_ticket_t *ticket)
{
    uint32_t            i, *head;
    gw_dedup_flight_t  *f;

    i = d->free;
    f = &gw_dedup_flights(d)[i - 1];
    head = &gw_dedup_heads(d)[gw_dedup_chain(d, id->print, id->seq)];

    d->free = f->next;

    f->print = id->print;
    f->seq = id->seq;
    f->deadline = deadline;
    f->serial = d->serial++;
    f->digest = id->digest;
    f->window = at;
    f->next = *head;
    gw_dedup_order();
    f->owner = owner;
    gw_dedup_order();

    *head = i;
    gw_dedup_window(d, at)->flights++;
    d->stats.flights++;

    ticket->flight = i;
    ticket->serial = f->serial;
    ticket->owner = owner;
}


static gw_dedup_flight_t *
gw_dedup_in_force(const gw_dedup_t *d, const gw_dedup_ticket_t *ticket)
{
    gw_dedup_flight_t  *f;

    if (ticket->flight == 0 || ticket->flight > d->nflights) {
        return NULL;
    }

    f = &gw_dedup_flights(d)[ticket->flight - 1];

    return f->owner && f->owner == ticket->owner && f->serial == ticket->serial
           ? f : NULL;
}


static void
gw_dedup_land(gw_dedup_t *d, gw_dedup_flight_t *f)
{
    uint32_t            i, *link;
    gw_dedup_window_t  *w;

    i = (uint32_t) (f - gw_dedup_flights(d)) + 1;

    f->owner = 0;
    gw_dedup_order();

    for (link = &gw_dedup_heads(d)[gw_dedup_chain(d, f->print, f->seq)];
         *link != i;
         link = &gw_dedup_flights(d)[*link - 1].next)
    {
        /* void */
    }

    *link = f->next;
    f->next = d->free;
    d->free = i;
    d->stats.flights--;

    w = gw_dedup_window(d, f->window);
    w->flights--;

    if (w->flights == 0 && !gw_dedup_used(w)) {
        gw_dedup_drop(d, f->window);
    }
}
