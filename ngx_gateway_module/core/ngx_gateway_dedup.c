/*
 * ngx_gateway_dedup.c - a worker's side of dedup: tickets of messages, and
 * resends that wait.
 *
 * A resend of a message in flight is neither acknowledged (it may yet be shed)
 * nor sent (it would be there twice): it is held until the other one has an
 * end, and then judged again.  It is then a duplicate, or, where the other one
 * failed, takes its place.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_dedup.h"


#define NGX_GATEWAY_DEDUP_CHAINS  1024     /* of held resends; a power of 2 */
#define NGX_GATEWAY_DEDUP_LOOKS   1024     /* held ones judged a tick */
#define NGX_GATEWAY_DEDUP_SWEEP   256      /* flights a shard and sweep */
#define NGX_GATEWAY_DEDUP_PART    8        /* of "buffer", for held ones */
#define NGX_GATEWAY_DEDUP_BURY    10  /* ticks from look to look for the dead */


struct ngx_gateway_dedup_s {
    ngx_gateway_dedup_zone_t  *zone;
    uint32_t                   owner;
    uint32_t                   swept;      /* shards, so far */

    ngx_uint_t                 held;
    uint64_t                   held_bytes;
    ngx_queue_t                chain[NGX_GATEWAY_DEDUP_CHAINS];
    ngx_queue_t                foreign;    /* held for other workers' flights */
    ngx_queue_t                own;        /* held for those of this worker */
    ngx_queue_t                due;        /* to be judged again */
    ngx_event_t                judge;      /* posted */
};


static void ngx_gateway_dedup_event(gw_ce_t *event, gw_envelope_t *envelope,
    gw_str_t *key, gw_str_t *window);
static ngx_queue_t *ngx_gateway_dedup_chain(ngx_gateway_dedup_t *dedup,
    gw_dedup_id_t *id);
static void ngx_gateway_dedup_link(ngx_gateway_dedup_t *dedup,
    ngx_gateway_msg_t *msg);
static void ngx_gateway_dedup_judge_handler(ngx_event_t *ev);
static void ngx_gateway_dedup_judge(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg);
static void ngx_gateway_dedup_refuse(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg, gw_reason_e reason);
static uint32_t ngx_gateway_dedup_now(void);


ngx_int_t
ngx_gateway_dedup_start(ngx_gateway_worker_t *w)
{
    ngx_uint_t            i;
    ngx_gateway_dedup_t  *dedup;

    /* without a slot there is no owner of flights: nothing is deduplicated */

    if (!w->gateway->dedup || w->slot == NULL) {
        return NGX_OK;
    }

    dedup = ngx_pcalloc(w->cycle->pool, sizeof(ngx_gateway_dedup_t));
    if (dedup == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_GATEWAY_DEDUP_CHAINS; i++) {
        ngx_queue_init(&dedup->chain[i]);
    }

    ngx_queue_init(&dedup->foreign);
    ngx_queue_init(&dedup->own);
    ngx_queue_init(&dedup->due);

    dedup->zone = ngx_gateway_zone_dedup(w->gateway, w->slot, &dedup->owner);

    dedup->judge.handler = ngx_gateway_dedup_judge_handler;
    dedup->judge.data = w;
    dedup->judge.log = w->log;

    w->dedup = dedup;

    return NGX_OK;
}


void
ngx_gateway_dedup_stop(ngx_gateway_worker_t *w)
{
    ngx_uint_t            i;
    ngx_queue_t          *q;
    ngx_gateway_dedup_t  *dedup;

    dedup = w->dedup;

    if (dedup == NULL) {
        return;
    }

    for (i = 0; i < NGX_GATEWAY_DEDUP_CHAINS; i++) {
        while (!ngx_queue_empty(&dedup->chain[i])) {
            q = ngx_queue_head(&dedup->chain[i]);

            ngx_gateway_dedup_refuse(w, ngx_queue_data(q, ngx_gateway_msg_t,
                                                       held),
                                     GW_R_DRAINING);
        }
    }

    if (dedup->judge.posted) {
        ngx_delete_posted_event(&dedup->judge);
    }
}


void
ngx_gateway_dedup_identify(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    ngx_gateway_origin_t *origin, gw_envelope_t *envelope)
{
    gw_str_t              key, window;
    ngx_gateway_dedup_t  *dedup;

    dedup = w->dedup;

    if (dedup == NULL) {
        return;
    }

    key.len = 0;
    window = envelope->epoch;

    if (origin->event) {
        ngx_gateway_dedup_event(origin->event, envelope, &key, &window);

    } else if (!envelope->has_seq) {

        if (origin->idempotency.len == 0) {
            return;
        }

        key.data = origin->idempotency.data;
        key.len = origin->idempotency.len;
    }

    gw_dedup_hash(ngx_gateway_dedup_zone_secret(dedup->zone), 0,
                  &envelope->device, &window, envelope->seq,
                  key.len ? &key : NULL, &envelope->data, &msg->id);

    msg->identified = 1;

    /* its windows come from memory while the message is made ready */

    ngx_gateway_dedup_zone_prefetch(dedup->zone, &msg->id);
}


/*
 * What tells an event from others is its source and its id (CloudEvents 1.0,
 * section "Uniqueness"), whichever device they are of: each source counts in
 * windows of its own, and where its ids are no numbers the pair is a key.
 */

static void
ngx_gateway_dedup_event(gw_ce_t *event, gw_envelope_t *envelope,
    gw_str_t *key, gw_str_t *window)
{
    u_char         *p;
    static u_char   name[GW_CE_VALUE_MAX + 1 + GW_EPOCH_MAX];

    if (event->key.len) {
        *key = event->key;
        return;
    }

    p = ngx_cpymem(name, event->source.data, event->source.len);
    *p++ = '\0';
    p = ngx_cpymem(p, envelope->epoch.data, envelope->epoch.len);

    window->data = name;
    window->len = p - name;
}


ngx_int_t
ngx_gateway_dedup_begin(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    gw_reason_e *reason)
{
    gw_dedup_t           *shard;
    gw_dedup_note_e       note;
    gw_dedup_ticket_t     ticket;
    gw_dedup_verdict_e    verdict;
    ngx_gateway_dedup_t  *dedup;

    dedup = w->dedup;

    shard = ngx_gateway_dedup_zone_lock(dedup->zone, msg->id.place, w->log);

    if (shard == NULL) {
        verdict = GW_DEDUP_NEW;
        note = GW_DEDUP_UNTRACKED;
        ticket.flight = 0;

    } else {
        verdict = gw_dedup_begin(shard, &msg->id, dedup->owner,
                             ngx_gateway_dedup_zone_alive(dedup->zone),
                             ngx_gateway_dedup_now(), 0, &ticket, &note);

        ngx_gateway_dedup_zone_unlock(dedup->zone, msg->id.place);
    }

    switch (verdict) {

    case GW_DEDUP_NEW:
        msg->ticket = ticket;

        if (note != GW_DEDUP_PLAIN) {
            gw_stats_dedup(w->slot, note);
        }

        return NGX_OK;

    case GW_DEDUP_DUPLICATE:
        return NGX_DONE;

    case GW_DEDUP_IN_FLIGHT:
        msg->foreign = (ticket.owner != dedup->owner);
        msg->ticket.owner = ticket.owner;
        return NGX_BUSY;

    case GW_DEDUP_CONFLICT:
        *reason = GW_R_CONFLICT;
        return NGX_DECLINED;

    case GW_DEDUP_STALE:
        *reason = GW_R_STALE;
        return NGX_DECLINED;

    default: /* GW_DEDUP_FULL */
        *reason = GW_R_FULL;
        return NGX_DECLINED;
    }
}


ngx_int_t
ngx_gateway_dedup_begin_now(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    gw_reason_e *reason)
{
    ngx_int_t  rc;

    rc = ngx_gateway_dedup_begin(w, msg, reason);

    if (rc == NGX_BUSY && msg->foreign
        && ngx_gateway_zone_bury_owner(w->gateway, msg->ticket.owner))
    {
        rc = ngx_gateway_dedup_begin(w, msg, reason);
    }

    return rc;
}


ngx_int_t
ngx_gateway_dedup_hold(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    ngx_gateway_dedup_t  *dedup;

    dedup = w->dedup;

    /* these are copies: they are not to take the room of what is new */

    if (dedup->held_bytes + msg->lane.cost
        > w->gateway->buffer / NGX_GATEWAY_DEDUP_PART
        || (msg->lane.lane != 0 && gw_lanes_pressure(w->lanes))
        || gw_lanes_reserve(w->lanes, msg->lane.cost) != GW_OK)
    {
        return NGX_DECLINED;
    }

    ngx_gateway_dedup_link(dedup, msg);

    dedup->held++;
    dedup->held_bytes += msg->lane.cost;

    return NGX_OK;
}


static void
ngx_gateway_dedup_unhold(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    w->dedup->held--;
    w->dedup->held_bytes -= msg->lane.cost;

    gw_lanes_unreserve(w->lanes, msg->lane.cost);
}


static void
ngx_gateway_dedup_link(ngx_gateway_dedup_t *dedup, ngx_gateway_msg_t *msg)
{
    ngx_queue_insert_tail(ngx_gateway_dedup_chain(dedup, &msg->id),
                          &msg->held);

    /* a message is in the list of what is looked for only once */

    ngx_queue_insert_tail(msg->foreign ? &dedup->foreign : &dedup->own,
                          &msg->look);
}


static ngx_queue_t *
ngx_gateway_dedup_chain(ngx_gateway_dedup_t *dedup, gw_dedup_id_t *id)
{
    return &dedup->chain[(id->print ^ id->seq)
                         & (NGX_GATEWAY_DEDUP_CHAINS - 1)];
}


void
ngx_gateway_dedup_settle(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    ngx_uint_t safe)
{
    gw_dedup_t           *shard;
    ngx_queue_t          *q, *chain;
    ngx_gateway_msg_t    *other;
    ngx_gateway_dedup_t  *dedup;

    if (msg->ticket.flight == 0) {
        return;
    }

    dedup = w->dedup;

    shard = ngx_gateway_dedup_zone_lock(dedup->zone, msg->id.place, w->log);

    if (shard) {
        if (safe) {
            (void) gw_dedup_done(shard, &msg->ticket, ngx_gateway_dedup_now());

        } else {
            (void) gw_dedup_release(shard, &msg->ticket);
        }

        ngx_gateway_dedup_zone_unlock(dedup->zone, msg->id.place);
    }

    msg->ticket.flight = 0;

    if (dedup->held == 0) {
        return;
    }

    chain = ngx_gateway_dedup_chain(dedup, &msg->id);

    for (q = ngx_queue_head(chain);
         q != ngx_queue_sentinel(chain);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_gateway_msg_t, held);

        if (other->id.print != msg->id.print || other->id.seq != msg->id.seq) {
            continue;
        }

        ngx_queue_remove(&other->look);
        ngx_queue_insert_tail(&dedup->due, &other->look);

        if (!dedup->judge.posted) {
            ngx_post_event(&dedup->judge, &ngx_posted_events);
        }
    }
}


static void
ngx_gateway_dedup_judge_handler(ngx_event_t *ev)
{
    ngx_queue_t           *q;
    ngx_gateway_dedup_t   *dedup;
    ngx_gateway_worker_t  *w;

    w = ev->data;
    dedup = w->dedup;

    while (!ngx_queue_empty(&dedup->due)) {
        q = ngx_queue_head(&dedup->due);

        ngx_gateway_dedup_judge(w, ngx_queue_data(q, ngx_gateway_msg_t,
                                                  look));
    }
}


void
ngx_gateway_dedup_tick(ngx_gateway_worker_t *w)
{
    uint32_t              i;
    gw_dedup_t           *shard;
    ngx_uint_t            n, held;
    ngx_queue_t          *q;
    ngx_gateway_msg_t    *msg;
    ngx_gateway_dedup_t  *dedup;

    dedup = w->dedup;

    if (dedup == NULL) {
        return;
    }

    if (dedup->swept % NGX_GATEWAY_DEDUP_BURY == 0) {
        ngx_gateway_zone_bury(w->gateway);
    }

    /* one of this worker's tells of its end, which may be far: who waited for
       it and has gone is not to take room until then */

    held = ngx_min(dedup->held, NGX_GATEWAY_DEDUP_LOOKS);

    for (n = 0; n < held && !ngx_queue_empty(&dedup->own); n++) {
        q = ngx_queue_head(&dedup->own);
        msg = ngx_queue_data(q, ngx_gateway_msg_t, look);

        if (!ngx_gateway_waiter_there(msg)) {
            ngx_gateway_dedup_refuse(w, msg, GW_R_TIMEOUT);
            continue;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&dedup->own, q);
    }

    /* round and round: what was judged and still waits goes to the tail */

    for (n = 0;
         n < NGX_GATEWAY_DEDUP_LOOKS && n < dedup->held
         && !ngx_queue_empty(&dedup->foreign);
         n++)
    {
        q = ngx_queue_head(&dedup->foreign);

        ngx_gateway_dedup_judge(w, ngx_queue_data(q, ngx_gateway_msg_t,
                                                  look));
    }

    /* what a dead worker had in flight and nobody resent */

    i = dedup->swept++ % NGX_GATEWAY_DEDUP_SHARDS;

    shard = ngx_gateway_dedup_zone_lock(dedup->zone, i, w->log);

    if (shard) {
        (void) gw_dedup_sweep(shard,
                              ngx_gateway_dedup_zone_alive(dedup->zone),
                              NGX_GATEWAY_DEDUP_SWEEP);
        ngx_gateway_dedup_zone_unlock(dedup->zone, i);
    }
}


/* a held resend, once more */

static void
ngx_gateway_dedup_judge(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    ngx_int_t              rc;
    gw_reason_e            reason;
    ngx_gateway_dedup_t   *dedup;
    ngx_gateway_result_t   result;

    dedup = w->dedup;

    if (!ngx_gateway_waiter_there(msg)) {

        /* its sender was told "timeout", or has gone */

        ngx_gateway_dedup_refuse(w, msg, GW_R_TIMEOUT);
        return;
    }

    rc = ngx_gateway_dedup_begin(w, msg, &reason);

    if (rc == NGX_DECLINED) {
        ngx_gateway_dedup_refuse(w, msg, reason);
        return;
    }

    ngx_queue_remove(&msg->held);
    ngx_queue_remove(&msg->look);

    if (rc == NGX_BUSY) {
        ngx_gateway_dedup_link(dedup, msg);
        return;
    }

    ngx_gateway_dedup_unhold(w, msg);

    if (rc == NGX_OK) {
        ngx_gateway_enter(msg);
        return;
    }

    gw_stats_duplicate(w->slot, msg->protocol, msg->lane.lane);

    result.outcome = GW_DUPLICATE;
    result.reason = GW_R_NONE;
    result.detail = NULL;

    ngx_gateway_waiter_tell(w, msg, &result, 0);
    ngx_gateway_memory_put(msg);
}


static void
ngx_gateway_dedup_refuse(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    gw_reason_e reason)
{
    ngx_gateway_result_t  result;

    ngx_queue_remove(&msg->held);
    ngx_queue_remove(&msg->look);

    ngx_gateway_dedup_unhold(w, msg);

    gw_stats_refused(w->slot, msg->protocol, msg->lane.lane, reason);

    result.outcome = gw_reason(reason)->outcome;
    result.reason = reason;
    result.detail = NULL;

    ngx_gateway_waiter_tell(w, msg, &result, 0);
    ngx_gateway_memory_put(msg);
}


void
ngx_gateway_dedup_gauges(ngx_gateway_worker_t *w)
{
    if (w->dedup) {
        w->slot->dedup_held = w->dedup->held;
    }
}


/* of one clock for all processes, which nobody sets */

static uint32_t
ngx_gateway_dedup_now(void)
{
    return (uint32_t) (ngx_current_msec / 1000);
}
