/*
 * ngx_gateway_waiter.c - who waits for a message, and how they are told.
 *
 * A message outlives its request: it names its waiter by slot and generation
 * in a table of the worker, never by pointer.  Results are noted at once; the
 * waiter is called when its last message has ended, from a posted event, so
 * that no request is finalized inside another one's handler.  The table grows
 * to the largest number of requests that ever waited at a time and is never
 * shrunk.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"


typedef struct {
    ngx_gateway_waiter_t  *waiter;       /* NULL: free */
    uint32_t               generation;   /* never 0 */
    uint32_t               next;         /* of the free list */
} ngx_gateway_waiter_slot_t;


#define NGX_GATEWAY_NO_SLOT  ((uint32_t) -1)


/* of the worker process: the gateways of a worker share it */

static ngx_gateway_waiter_slot_t  *ngx_gateway_waiters;
static uint32_t                    ngx_gateway_nwaiters;
static uint32_t                    ngx_gateway_waiter_free;


ngx_int_t
ngx_gateway_waiter_open(ngx_gateway_t *gateway, ngx_gateway_waiter_t *waiter)
{
    uint32_t                    i, n;
    ngx_gateway_waiter_slot_t  *table;

    if (ngx_gateway_nwaiters == 0
        || ngx_gateway_waiter_free == NGX_GATEWAY_NO_SLOT)
    {
        n = ngx_gateway_nwaiters ? ngx_gateway_nwaiters * 2 : 256;

        table = ngx_alloc(n * sizeof(ngx_gateway_waiter_slot_t),
                          ngx_cycle->log);
        if (table == NULL) {
            return NGX_ERROR;
        }

        if (ngx_gateway_nwaiters) {
            ngx_memcpy(table, ngx_gateway_waiters,
                       ngx_gateway_nwaiters
                       * sizeof(ngx_gateway_waiter_slot_t));
            ngx_free(ngx_gateway_waiters);
        }

        for (i = ngx_gateway_nwaiters; i < n; i++) {
            table[i].waiter = NULL;
            table[i].generation = 1;
            table[i].next = i + 1;
        }

        table[n - 1].next = NGX_GATEWAY_NO_SLOT;

        ngx_gateway_waiter_free = ngx_gateway_nwaiters;
        ngx_gateway_waiters = table;
        ngx_gateway_nwaiters = n;
    }

    i = ngx_gateway_waiter_free;
    table = ngx_gateway_waiters;

    ngx_gateway_waiter_free = table[i].next;
    table[i].waiter = waiter;

    waiter->worker = gateway->worker;
    waiter->slot = i;
    waiter->generation = table[i].generation;
    waiter->pending = 0;
    waiter->open = 1;
    waiter->posted = 0;

    return NGX_OK;
}


void
ngx_gateway_waiter_close(ngx_gateway_waiter_t *waiter)
{
    ngx_gateway_waiter_slot_t  *slot;

    if (waiter->posted) {
        ngx_queue_remove(&waiter->queue);
        waiter->posted = 0;
    }

    if (!waiter->open) {
        return;
    }

    waiter->open = 0;

    slot = &ngx_gateway_waiters[waiter->slot];

    slot->waiter = NULL;
    slot->next = ngx_gateway_waiter_free;

    if (++slot->generation == 0) {
        slot->generation = 1;
    }

    ngx_gateway_waiter_free = waiter->slot;
}


void
ngx_gateway_waiter_attach(ngx_gateway_waiter_t *waiter,
    ngx_gateway_msg_t *msg, uint32_t index)
{
    msg->waiter_slot = waiter->slot;
    msg->waiter_generation = waiter->generation;
    msg->waiter_index = index;

    waiter->pending++;
}


/* 0: nobody waits for this message any more */

ngx_uint_t
ngx_gateway_waiter_there(ngx_gateway_msg_t *msg)
{
    return msg->waiter_generation != 0
           && ngx_gateway_waiters[msg->waiter_slot].generation
              == msg->waiter_generation;
}


void
ngx_gateway_waiter_tell(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    const ngx_gateway_result_t *result, ngx_msec_t delivery)
{
    ngx_gateway_waiter_t       *waiter;
    ngx_gateway_waiter_slot_t  *slot;

    if (msg->waiter_generation == 0) {
        return;
    }

    slot = &ngx_gateway_waiters[msg->waiter_slot];

    if (slot->generation != msg->waiter_generation) {
        return;
    }

    msg->waiter_generation = 0;
    waiter = slot->waiter;

    waiter->result(waiter, msg->waiter_index, result, delivery);

    if (--waiter->pending == 0 && !waiter->posted) {
        waiter->posted = 1;
        ngx_queue_insert_tail(&w->done, &waiter->queue);
        ngx_post_event(&w->answer, &ngx_posted_events);
    }
}


void
ngx_gateway_waiter_run(ngx_gateway_worker_t *w)
{
    ngx_queue_t           *q;
    ngx_gateway_waiter_t  *waiter;

    while (!ngx_queue_empty(&w->done)) {

        q = ngx_queue_head(&w->done);
        waiter = ngx_queue_data(q, ngx_gateway_waiter_t, queue);

        if (waiter->pending) {
            /* more of its messages were submitted since it was posted */
            ngx_queue_remove(q);
            waiter->posted = 0;
            continue;
        }

        ngx_gateway_waiter_close(waiter);

        waiter->done(waiter);
    }
}


void
ngx_gateway_waiter_free_all(void)
{
    if (ngx_gateway_nwaiters) {
        ngx_free(ngx_gateway_waiters);
        ngx_gateway_waiters = NULL;
        ngx_gateway_nwaiters = 0;
    }
}
