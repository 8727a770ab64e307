/*
 * ngx_gateway_connection.c - see ngx_gateway_connection.h.
 *
 * Reading stops where the protocol asks for it, and where the client does not
 * take its answers: what it sends then stays in the kernel's buffers and, soon,
 * with it.  One write answers all packets of one read.
 *
 * Drain: nginx calls the read handler of each idle connection of a worker that
 * shall end, with c->close set.  Each then ends at a moment of its own within
 * three quarters of drain_timeout, when nothing of it waits any more, so that
 * its clients do not all come back at once.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_connection.h"


#define NGX_GATEWAY_CONNECTION_PART   256  /* bytes of a block, at first */
#define NGX_GATEWAY_CONNECTION_TURNS  16   /* reads, then others have theirs */


static void ngx_gateway_connection_run(ngx_gateway_connection_t *gc);
static ssize_t ngx_gateway_connection_recv(ngx_gateway_connection_t *gc,
    u_char *p, size_t size);
static ngx_int_t ngx_gateway_connection_take(ngx_gateway_connection_t *gc,
    u_char *p, size_t len, gw_mqtt_out_t *out);
static ngx_int_t ngx_gateway_connection_keep(ngx_gateway_connection_t *gc,
    u_char *p, size_t len, size_t want);
static void ngx_gateway_connection_drop(ngx_gateway_connection_t *gc);
static ngx_int_t ngx_gateway_connection_send(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out);
static void ngx_gateway_connection_arm(ngx_gateway_connection_t *gc);
static void ngx_gateway_connection_expire(ngx_gateway_connection_t *gc);
static void ngx_gateway_connection_drain(ngx_gateway_connection_t *gc);
static void ngx_gateway_connection_leave(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out);
static void ngx_gateway_connection_close(ngx_gateway_connection_t *gc,
    gw_end_e end);


/* the worker's: nothing stays in them between two events */

static u_char  ngx_gateway_connection_in[NGX_GATEWAY_CONNECTION_IN];
static u_char  ngx_gateway_connection_out[NGX_GATEWAY_CONNECTION_OUT];


#define ngx_gateway_connection_begin(out)                                     \
    (out)->data = ngx_gateway_connection_out;                                 \
    (out)->size = NGX_GATEWAY_CONNECTION_OUT;                                 \
    (out)->len = 0


void
ngx_gateway_connection_start(ngx_gateway_connection_t *gc, u_char *p,
    size_t len)
{
    gc->connection->idle = 1;

    if (len) {

        if (ngx_gateway_connection_keep(gc, p, len, 0) != NGX_OK) {
            ngx_gateway_connection_close(gc, GW_END_OVERLOAD);
            return;
        }

        gc->stopped = 1;
    }

    if (ngx_exiting) {
        ngx_gateway_connection_drain(gc);
    }

    ngx_gateway_connection_run(gc);
}


/* the connection goes, whoever ended it */

void
ngx_gateway_connection_free(ngx_gateway_connection_t *gc)
{
    ngx_gateway_connection_drop(gc);

    if (gc->unsent) {
        ngx_free(gc->unsent);
        gc->unsent = NULL;
    }

    gc->protocol->close(gc, GW_END_CLOSED);
}


void
ngx_gateway_connection_read(ngx_gateway_connection_t *gc)
{
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = gc->connection;
    rev = c->read;

    if (c->close) {
        c->close = 0;

        if (c->error) {
            /* worker_shutdown_timeout: no more patience */
            ngx_gateway_connection_end(gc, GW_END_DRAINING);
            return;
        }

        ngx_gateway_connection_drain(gc);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_gateway_connection_expire(gc);
        return;
    }

    ngx_gateway_connection_run(gc);
}


void
ngx_gateway_connection_write(ngx_gateway_connection_t *gc)
{
    gw_mqtt_out_t  out;

    if (gc->connection->write->timedout) {
        ngx_gateway_connection_close(gc, GW_END_SEND_TIMEOUT);
        return;
    }

    if (gc->unsent == NULL) {
        return;
    }

    ngx_memzero(&out, sizeof(gw_mqtt_out_t));

    if (ngx_gateway_connection_send(gc, &out) == NGX_OK) {
        ngx_gateway_connection_wake(gc);
    }
}


void
ngx_gateway_connection_wake(ngx_gateway_connection_t *gc)
{
    ngx_int_t      rc;
    gw_mqtt_out_t  out;

    if (gc->unsent || gc->closing) {
        /* the write handler goes on */
        return;
    }

    do {
        ngx_gateway_connection_begin(&out);

        rc = gc->protocol->flush(gc, &out);

        if (rc == NGX_DONE) {
            ngx_gateway_connection_leave(gc, &out);
            return;
        }

        if (ngx_gateway_connection_send(gc, &out) != NGX_OK) {
            return;
        }

    } while (rc == NGX_BUSY);

    if (gc->draining && !gc->protocol->waits(gc)
        && (ngx_msec_int_t) (ngx_current_msec - gc->drain_at) >= 0)
    {
        ngx_gateway_connection_end(gc, GW_END_DRAINING);
        return;
    }

    /* while it could not send it did not read, and of what came meanwhile no
       other event tells */

    if (gc->blocked || gc->stopped || gc->connection->read->ready)
    {
        gc->blocked = 0;
        ngx_gateway_connection_run(gc);
    }
}


static void
ngx_gateway_connection_run(ngx_gateway_connection_t *gc)
{
    size_t             len;
    u_char            *p;
    ssize_t            n;
    ngx_int_t          rc;
    ngx_uint_t         turns;
    gw_mqtt_out_t      out;
    ngx_connection_t  *c;

    c = gc->connection;

    for (turns = 0; turns < NGX_GATEWAY_CONNECTION_TURNS; turns++) {

        if (gc->blocked || gc->unsent || gc->closing) {
            goto wait;
        }

        /* the rest of a packet is read where its beginning is kept */

        len = gc->partial_len;

        if (len) {
            p = gc->partial;
            n = gc->partial_size - len;

        } else {
            p = ngx_gateway_connection_in;
            n = NGX_GATEWAY_CONNECTION_IN;
        }

        if (gc->stopped) {
            gc->stopped = 0;
            n = 0;

        } else {
            n = ngx_gateway_connection_recv(gc, p + len, n);

            if (n == NGX_AGAIN) {
                goto wait;
            }

            if (n == NGX_ERROR) {
                return;
            }
        }

        ngx_gateway_connection_begin(&out);

        rc = ngx_gateway_connection_take(gc, p, len + n, &out);

        if (rc == NGX_DONE) {
            ngx_gateway_connection_leave(gc, &out);
            return;
        }

        if (ngx_gateway_connection_send(gc, &out) == NGX_ERROR) {
            return;
        }
    }

    ngx_post_event(c->read, &ngx_posted_events);

wait:

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_gateway_connection_close(gc, GW_END_INTERNAL);
        return;
    }

    ngx_gateway_connection_arm(gc);
}


/* bytes, NGX_AGAIN, or NGX_ERROR: it is closed */

static ssize_t
ngx_gateway_connection_recv(ngx_gateway_connection_t *gc, u_char *p,
    size_t size)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = gc->connection;

    n = c->recv(c, p, size);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n == NGX_ERROR || n == 0) {
        ngx_gateway_connection_close(gc, GW_END_CLOSED);
        return NGX_ERROR;
    }

    *gc->received += n;

    return n;
}


/* what is left over is kept.  NGX_OK, or NGX_DONE: it ends */

static ngx_int_t
ngx_gateway_connection_take(ngx_gateway_connection_t *gc, u_char *p, size_t len,
    gw_mqtt_out_t *out)
{
    size_t     used, want;
    ngx_int_t  rc;

    rc = gc->protocol->input(gc, p, len, &used, &want, out);

    if (rc == NGX_DONE) {
        return NGX_DONE;
    }

    if (used) {
        gc->partial_since = 0;
    }

    gc->blocked = (rc == NGX_AGAIN);
    gc->stopped = (rc != NGX_OK);

    if (ngx_gateway_connection_keep(gc, p + used, len - used, want) != NGX_OK) {
        return gc->protocol->end(gc, GW_END_OVERLOAD, out);
    }

    return NGX_OK;
}


/* p may lie in what is kept already; want: bytes that will be there, 0: not
   known.  NGX_ERROR: no room */

static ngx_int_t
ngx_gateway_connection_keep(ngx_gateway_connection_t *gc, u_char *p, size_t len,
    size_t want)
{
    size_t                          size;
    u_char                         *block;
    ngx_msec_t                      since;

    if (len == 0) {
        ngx_gateway_connection_drop(gc);
        return NGX_OK;
    }

    if (gc->partial_since == 0) {
        gc->partial_since = ngx_current_msec ? ngx_current_msec : 1;
    }

    /* who names a length has not sent it yet: room is made as bytes come */

    size = ngx_max(2 * len, NGX_GATEWAY_CONNECTION_PART);

    if (want > len) {
        size = ngx_min(size, want);
    }

    if (len < gc->partial_size) {
        ngx_memmove(gc->partial, p, len);
        gc->partial_len = len;
        return NGX_OK;
    }

    if (ngx_gateway_reserve(gc->listener->gateway, size) != NGX_OK) {
        return NGX_ERROR;
    }

    block = ngx_alloc(size, gc->connection->log);

    if (block == NULL) {
        ngx_gateway_unreserve(gc->listener->gateway, size);
        return NGX_ERROR;
    }

    ngx_memcpy(block, p, len);

    since = gc->partial_since;

    ngx_gateway_connection_drop(gc);

    gc->partial = block;
    gc->partial_len = len;
    gc->partial_size = size;
    gc->partial_since = since;

    return NGX_OK;
}


static void
ngx_gateway_connection_drop(ngx_gateway_connection_t *gc)
{

    if (gc->partial == NULL) {
        return;
    }

    ngx_gateway_unreserve(gc->listener->gateway, gc->partial_size);
    ngx_free(gc->partial);

    gc->partial = NULL;
    gc->partial_len = 0;
    gc->partial_size = 0;
    gc->partial_since = 0;
}


/* NGX_OK: all is sent; NGX_AGAIN: the write handler goes on; NGX_ERROR: it is
   closed */

static ngx_int_t
ngx_gateway_connection_send(ngx_gateway_connection_t *gc, gw_mqtt_out_t *out)
{
    size_t                          len;
    u_char                         *p;
    ssize_t                         n;
    ngx_connection_t               *c;

    c = gc->connection;

    p = gc->unsent ? gc->unsent + gc->unsent_pos : out->data;
    len = gc->unsent ? (size_t) (gc->unsent_len - gc->unsent_pos) : out->len;

    while (len) {
        n = c->send(c, p, len);

        if (n == NGX_ERROR) {
            ngx_gateway_connection_close(gc, GW_END_CLOSED);
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        p += n;
        len -= n;
    }

    if (len == 0) {

        if (gc->unsent) {
            ngx_free(gc->unsent);
            gc->unsent = NULL;
        }

        if (c->write->timer_set) {
            ngx_del_timer(c->write);
        }

        if (gc->closing) {
            ngx_gateway_connection_close(gc, GW_END_CLOSED);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (gc->unsent) {
        gc->unsent_pos = (uint16_t) (gc->unsent_len - len);

    } else {
        gc->unsent = ngx_alloc(len, c->log);

        if (gc->unsent == NULL) {
            ngx_gateway_connection_close(gc, GW_END_INTERNAL);
            return NGX_ERROR;
        }

        ngx_memcpy(gc->unsent, p, len);
        gc->unsent_len = (uint16_t) len;
        gc->unsent_pos = 0;
    }

    if (!c->write->timer_set) {
        ngx_add_timer(c->write, gc->listener->send_timeout);
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_gateway_connection_close(gc, GW_END_INTERNAL);
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/* a timer that is too early only looks again, so packets cost no timer */

static void
ngx_gateway_connection_arm(ngx_gateway_connection_t *gc)
{
    ngx_msec_t         at;
    ngx_event_t       *rev;
    ngx_msec_int_t     left;

    rev = gc->connection->read;

    at = gc->protocol->deadline(gc, gc->blocked ? 0 : gc->partial_since);

    if (gc->draining
        && (at == 0 || (ngx_msec_int_t) (gc->drain_at - at) < 0)
        && (ngx_msec_int_t) (gc->drain_at - ngx_current_msec) > 0)
    {
        at = gc->drain_at;
    }

    if (at == 0) {
        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

        return;
    }

    if (rev->timer_set
        && (ngx_msec_int_t) (at - (ngx_msec_t) rev->timer.key) >= 0)
    {
        return;
    }

    left = (ngx_msec_int_t) (at - ngx_current_msec);

    ngx_add_timer(rev, left > 0 ? (ngx_msec_t) left : 1);
}


static void
ngx_gateway_connection_expire(ngx_gateway_connection_t *gc)
{
    gw_mqtt_out_t  out;

    if (gc->draining && !gc->protocol->waits(gc)
        && (ngx_msec_int_t) (ngx_current_msec - gc->drain_at) >= 0)
    {
        ngx_gateway_connection_end(gc, GW_END_DRAINING);
        return;
    }

    ngx_gateway_connection_begin(&out);

    if (gc->protocol->expire(gc, gc->blocked ? 0 : gc->partial_since,
                              &out)
        == NGX_DONE)
    {
        ngx_gateway_connection_leave(gc, &out);
        return;
    }

    ngx_gateway_connection_arm(gc);
}


static void
ngx_gateway_connection_drain(ngx_gateway_connection_t *gc)
{
    ngx_msec_t                      spread;

    if (gc->draining || gc->closed) {
        return;
    }

    spread = ngx_gateway_drain_timeout(gc->listener->gateway) / 4 * 3;

    gc->draining = 1;
    gc->drain_at = ngx_current_msec + 1
                    + (spread ? ngx_gateway_random() % spread : 0);

    ngx_gateway_connection_arm(gc);
}


/* what is in out is the last of it */

static void
ngx_gateway_connection_leave(ngx_gateway_connection_t *gc, gw_mqtt_out_t *out)
{
    if (gc->closed) {
        return;
    }

    if (gc->unsent) {

        /* the client takes nothing: it shall not wait for this as well */

        ngx_gateway_connection_close(gc, GW_END_CLOSED);
        return;
    }

    gc->closing = 1;

    if (out->len == 0) {
        ngx_gateway_connection_close(gc, GW_END_CLOSED);
        return;
    }

    (void) ngx_gateway_connection_send(gc, out);
}


void
ngx_gateway_connection_end(ngx_gateway_connection_t *gc, gw_end_e end)
{
    gw_mqtt_out_t  out;

    ngx_gateway_connection_begin(&out);

    (void) gc->protocol->end(gc, end, &out);

    ngx_gateway_connection_leave(gc, &out);
}


static void
ngx_gateway_connection_close(ngx_gateway_connection_t *gc, gw_end_e end)
{
    ngx_uint_t         turns;
    ngx_connection_t  *c;

    if (gc->closed) {
        return;
    }

    gc->closed = 1;

    c = gc->connection;

    gc->protocol->close(gc, end);

    /* what was sent and not read would make the kernel reset the connection,
       and the last word would be lost with it */

    for (turns = NGX_GATEWAY_CONNECTION_TURNS; gc->closing && turns; turns--) {

        if (!c->read->ready
            || c->recv(c, ngx_gateway_connection_in,
                       NGX_GATEWAY_CONNECTION_IN)
               <= 0)
        {
            break;
        }
    }

    gc->protocol->finalize(gc);
}
