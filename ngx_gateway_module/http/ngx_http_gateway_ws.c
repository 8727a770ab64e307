/*
 * ngx_http_gateway_ws.c - the frames of a WebSocket around the bytes of MQTT
 * (RFC 6455; MQTT 5.0 section 6): the protocol of core/ngx_gateway_mqtt.h for
 * a connection that was a request of HTTP.
 *
 * What is left of one call lies before what comes next as in any protocol:
 * first the bytes of a packet that is not whole, out of their frames and
 * unmasked, then frames not yet looked at.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway_ws.h"


/* kept free of what MQTT says: a header before it, a close frame behind it */
#define NGX_HTTP_GATEWAY_WS_HEAD  4
#define NGX_HTTP_GATEWAY_WS_TAIL  4

/* a client that only pings waits where half of what fits is pongs */
#define NGX_HTTP_GATEWAY_WS_ROOM  (NGX_GATEWAY_CONNECTION_OUT / 2)


typedef struct {
    ngx_gateway_connection_t   connection;    /* is the first */
    ngx_http_request_t        *request;
    gw_ws_t                    frames;
    ngx_gateway_mqtt_t         mqtt;
    size_t                     plain;    /* bytes left over that are MQTT's */
    ngx_msec_t                 since;    /* when what is not whole began, 0 */
    unsigned                   started:1;
    unsigned                   over:1;   /* the close frame is written */
} ngx_http_gateway_ws_t;


#define ngx_http_gateway_ws(gc)  ((ngx_http_gateway_ws_t *) (gc))


static void ngx_http_gateway_ws_cleanup(void *data);
static void ngx_http_gateway_ws_read_handler(ngx_event_t *rev);
static void ngx_http_gateway_ws_write_handler(ngx_event_t *wev);
static void ngx_http_gateway_ws_credentials(ngx_gateway_mqtt_t *m,
    ngx_gateway_credentials_t *c);
static void ngx_http_gateway_ws_release(ngx_gateway_credentials_t *c);
static void ngx_http_gateway_ws_wake(ngx_gateway_mqtt_t *m);
static void ngx_http_gateway_ws_cut(ngx_gateway_mqtt_t *m, gw_end_e end);
static ngx_int_t ngx_http_gateway_ws_input(ngx_gateway_connection_t *gc,
    u_char *p, size_t len, size_t *used, size_t *want, gw_mqtt_out_t *out);
static gw_ws_event_e ngx_http_gateway_ws_unpack(ngx_http_gateway_ws_t *ws,
    u_char *p, size_t len, size_t *plain, size_t *taken, gw_mqtt_out_t *out);
static ngx_int_t ngx_http_gateway_ws_flush(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out);
static ngx_msec_t ngx_http_gateway_ws_deadline(ngx_gateway_connection_t *gc,
    ngx_msec_t partial);
static ngx_int_t ngx_http_gateway_ws_expire(ngx_gateway_connection_t *gc,
    ngx_msec_t partial, gw_mqtt_out_t *out);
static ngx_int_t ngx_http_gateway_ws_end(ngx_gateway_connection_t *gc,
    gw_end_e end, gw_mqtt_out_t *out);
static ngx_uint_t ngx_http_gateway_ws_waits(ngx_gateway_connection_t *gc);
static void ngx_http_gateway_ws_close(ngx_gateway_connection_t *gc,
    gw_end_e end);
static void ngx_http_gateway_ws_finalize(ngx_gateway_connection_t *gc);
static void ngx_http_gateway_ws_begin(gw_mqtt_out_t *out,
    gw_mqtt_out_t *inner);
static ngx_int_t ngx_http_gateway_ws_pack(ngx_http_gateway_ws_t *ws,
    ngx_int_t rc, gw_mqtt_out_t *out, gw_mqtt_out_t *inner);
static void ngx_http_gateway_ws_say(ngx_http_gateway_ws_t *ws,
    gw_mqtt_out_t *out, gw_ws_close_e code);
static gw_ws_close_e ngx_http_gateway_ws_code(gw_end_e end);


static const ngx_gateway_mqtt_peer_t  ngx_http_gateway_ws_peer = {
    ngx_http_gateway_ws_credentials,
    ngx_http_gateway_ws_release,
    ngx_http_gateway_ws_wake,
    ngx_http_gateway_ws_cut
};


static const ngx_gateway_protocol_t  ngx_http_gateway_ws_protocol = {
    ngx_http_gateway_ws_input,
    ngx_http_gateway_ws_flush,
    ngx_http_gateway_ws_deadline,
    ngx_http_gateway_ws_expire,
    ngx_http_gateway_ws_end,
    ngx_http_gateway_ws_waits,
    ngx_http_gateway_ws_close,
    ngx_http_gateway_ws_finalize
};


ngx_int_t
ngx_http_gateway_ws_open(ngx_http_request_t *r)
{
    ngx_str_t                     device;
    ngx_connection_t             *c;
    ngx_http_cleanup_t           *cln;
    ngx_http_gateway_ws_t        *ws;
    ngx_http_gateway_ctx_t       *ctx;
    ngx_http_gateway_loc_conf_t  *glcf;

    c = r->connection;
    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    ngx_str_null(&device);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_gateway_ctx_t));
    ws = ngx_pcalloc(r->pool, sizeof(ngx_http_gateway_ws_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (ctx == NULL || ws == NULL || cln == NULL
        || (glcf->device
            && ngx_http_complex_value(r, glcf->device, &device) != NGX_OK))
    {
        return NGX_ERROR;
    }

    ws->request = r;

    ws->connection.connection = c;
    ws->connection.protocol = &ngx_http_gateway_ws_protocol;
    ws->connection.listener = &glcf->mqtt.listener;
    ws->connection.received = &r->request_length;

    /* a frame may have many packets, and is not kept: MQTT has the limit */

    gw_ws_init(&ws->frames, NGX_MAX_UINT32_VALUE);

    if (ngx_gateway_mqtt_open(&ws->mqtt, &glcf->mqtt,
                              &ngx_http_gateway_ws_peer, GW_PROTO_WS, &device,
                              c->log, ws)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_gateway_ws_cleanup;
    cln->data = ws;

    ctx->request = r;
    ctx->ws = ws;
    ngx_http_set_ctx(r, ctx, ngx_http_gateway_module);

    c->log->action = "serving a device";

    c->read->handler = ngx_http_gateway_ws_read_handler;
    c->write->handler = ngx_http_gateway_ws_write_handler;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    /* from an event of its own: the request may end with its first bytes */

    r->main->count++;
    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_DONE;
}


static void
ngx_http_gateway_ws_cleanup(void *data)
{
    ngx_http_gateway_ws_t *ws = data;

    ngx_gateway_connection_free(&ws->connection);
}


static void
ngx_http_gateway_ws_read_handler(ngx_event_t *rev)
{
    size_t                   len;
    u_char                  *p;
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_gateway_ws_t   *ws;
    ngx_http_gateway_ctx_t  *ctx;

    c = rev->data;
    r = c->data;
    ctx = ngx_http_get_module_ctx(r, ngx_http_gateway_module);
    ws = ctx->ws;

    if (ws->started) {
        ngx_gateway_connection_read(&ws->connection);
        return;
    }

    /* what came in one piece with the request */

    ws->started = 1;

    p = r->header_in->pos;
    len = r->header_in->last - p;
    r->header_in->pos = r->header_in->last;

    ngx_gateway_connection_start(&ws->connection, p, len);
}


static void
ngx_http_gateway_ws_write_handler(ngx_event_t *wev)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_gateway_ws_t   *ws;
    ngx_http_gateway_ctx_t  *ctx;

    c = wev->data;
    r = c->data;
    ctx = ngx_http_get_module_ctx(r, ngx_http_gateway_module);
    ws = ctx->ws;

    ngx_gateway_connection_write(&ws->connection);
}


static void
ngx_http_gateway_ws_credentials(ngx_gateway_mqtt_t *m,
    ngx_gateway_credentials_t *c)
{
    ngx_http_gateway_ws_t *ws = m->data;

    c->sockaddr = ws->request->connection->sockaddr;

    if (m->conf->listener.auth
        && ngx_gateway_auth_has(m->conf->listener.auth, GW_AUTH_TLS))
    {
        ngx_http_gateway_certificate(ws->request, c);
    }
}


static void
ngx_http_gateway_ws_release(ngx_gateway_credentials_t *c)
{
    ngx_http_gateway_certificate_free(c);
}


static void
ngx_http_gateway_ws_wake(ngx_gateway_mqtt_t *m)
{
    ngx_gateway_connection_wake(m->data);
}


static void
ngx_http_gateway_ws_cut(ngx_gateway_mqtt_t *m, gw_end_e end)
{
    ngx_gateway_connection_end(m->data, end);
}


static ngx_int_t
ngx_http_gateway_ws_input(ngx_gateway_connection_t *gc, u_char *p, size_t len,
    size_t *used, size_t *want, gw_mqtt_out_t *out)
{
    size_t                  plain, taken, eaten;
    ngx_int_t               rc;
    gw_mqtt_out_t           inner;
    gw_ws_event_e           event;
    ngx_http_gateway_ws_t  *ws;

    ws = ngx_http_gateway_ws(gc);

    event = ngx_http_gateway_ws_unpack(ws, p, len, &plain, &taken, out);

    if (event == GW_WS_MORE && ws->frames.closed) {
        /* it came while nothing more was read */
        event = GW_WS_CLOSE;
    }

    ngx_http_gateway_ws_begin(out, &inner);

    rc = ngx_gateway_mqtt_input(&ws->mqtt, p, plain, &eaten, want, &inner);

    /* how many frames the rest will be in, nobody knows */

    *want = 0;

    if (rc == NGX_OK && event == GW_WS_PING) {
        rc = NGX_BUSY;

    } else if (rc == NGX_OK && event == GW_WS_ERROR) {
        rc = ngx_gateway_mqtt_end(&ws->mqtt,
                                  ws->frames.error == GW_WS_TOO_LARGE
                                  ? GW_END_TOO_LARGE : GW_END_PROTOCOL,
                                  &inner);
    }

    rc = ngx_http_gateway_ws_pack(ws, rc, out, &inner);

    if (event == GW_WS_CLOSE && rc == NGX_OK) {

        /* 5.5.1.  It has gone without DISCONNECT */

        ngx_http_gateway_ws_say(ws, out, GW_WS_NORMAL);
        rc = NGX_DONE;
    }

    plain -= eaten;

    ngx_memmove(p + taken - plain, p + eaten, plain);

    *used = taken - plain;

    if (plain == 0 && gw_ws_between(&ws->frames)) {
        ws->since = 0;

    } else if (ws->since == 0 || eaten) {
        ws->since = ngx_current_msec ? ngx_current_msec : 1;
    }

    ws->plain = plain;

    return rc;
}


/*
 * The bytes of MQTT at p are *plain afterwards, of *taken bytes that came.
 * GW_WS_MORE: all is taken; GW_WS_PING: it goes on once out was sent.
 */

static gw_ws_event_e
ngx_http_gateway_ws_unpack(ngx_http_gateway_ws_t *ws, u_char *p, size_t len,
    size_t *plain, size_t *taken, gw_mqtt_out_t *out)
{
    size_t         n;
    gw_str_t       text;
    gw_ws_event_e  event;

    *plain = ws->plain;
    *taken = ws->plain;

    for ( ;; ) {

        if (out->len > NGX_HTTP_GATEWAY_WS_ROOM) {
            return GW_WS_PING;
        }

        n = len - *taken;

        event = gw_ws_read(&ws->frames, p + *taken, &n, &text);

        *taken += n;

        switch (event) {

        case GW_WS_DATA:
            ngx_memmove(p + *plain, text.data, text.len);
            *plain += text.len;
            break;

        case GW_WS_PING:
            out->len += gw_ws_pong(out->data + out->len, &text);
            break;

        case GW_WS_PONG:
            break;

        default:
            return event;
        }
    }
}


static ngx_int_t
ngx_http_gateway_ws_flush(ngx_gateway_connection_t *gc, gw_mqtt_out_t *out)
{
    ngx_int_t               rc;
    gw_mqtt_out_t           inner;
    ngx_http_gateway_ws_t  *ws;

    ws = ngx_http_gateway_ws(gc);

    ngx_http_gateway_ws_begin(out, &inner);

    rc = ngx_gateway_mqtt_flush(&ws->mqtt, &inner);

    return ngx_http_gateway_ws_pack(ws, rc, out, &inner);
}


/* a frame's header alone is progress of nothing: what counts is ours */

static ngx_msec_t
ngx_http_gateway_ws_deadline(ngx_gateway_connection_t *gc, ngx_msec_t partial)
{
    ngx_http_gateway_ws_t  *ws;

    ws = ngx_http_gateway_ws(gc);

    return ngx_gateway_mqtt_deadline(&ws->mqtt, gc->blocked ? 0 : ws->since);
}


static ngx_int_t
ngx_http_gateway_ws_expire(ngx_gateway_connection_t *gc, ngx_msec_t partial,
    gw_mqtt_out_t *out)
{
    ngx_int_t               rc;
    gw_mqtt_out_t           inner;
    ngx_http_gateway_ws_t  *ws;

    ws = ngx_http_gateway_ws(gc);

    ngx_http_gateway_ws_begin(out, &inner);

    rc = ngx_gateway_mqtt_expire(&ws->mqtt, gc->blocked ? 0 : ws->since,
                                 &inner);

    return ngx_http_gateway_ws_pack(ws, rc, out, &inner);
}


static ngx_int_t
ngx_http_gateway_ws_end(ngx_gateway_connection_t *gc, gw_end_e end,
    gw_mqtt_out_t *out)
{
    ngx_int_t               rc;
    gw_mqtt_out_t           inner;
    ngx_http_gateway_ws_t  *ws;

    ws = ngx_http_gateway_ws(gc);

    ngx_http_gateway_ws_begin(out, &inner);

    rc = ngx_gateway_mqtt_end(&ws->mqtt, end, &inner);

    return ngx_http_gateway_ws_pack(ws, rc, out, &inner);
}


static ngx_uint_t
ngx_http_gateway_ws_waits(ngx_gateway_connection_t *gc)
{
    return ngx_http_gateway_ws(gc)->mqtt.session.n != 0;
}


static void
ngx_http_gateway_ws_close(ngx_gateway_connection_t *gc, gw_end_e end)
{
    ngx_gateway_mqtt_close(&ngx_http_gateway_ws(gc)->mqtt, end);
}


static void
ngx_http_gateway_ws_finalize(ngx_gateway_connection_t *gc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = gc->connection;
    r = ngx_http_gateway_ws(gc)->request;

    c->idle = 0;

    /* who was told why has the time to read it: lingering_close */

    r->lingering_close = gc->closing;

    ngx_http_finalize_request(r, gc->closing ? NGX_OK : NGX_ERROR);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_gateway_ws_begin(gw_mqtt_out_t *out, gw_mqtt_out_t *inner)
{
    inner->data = out->data + out->len + NGX_HTTP_GATEWAY_WS_HEAD;
    inner->size = out->size - out->len - NGX_HTTP_GATEWAY_WS_HEAD
                  - NGX_HTTP_GATEWAY_WS_TAIL;
    inner->len = 0;
}


/* one frame around all that was said, and the end of it where rc is so */

static ngx_int_t
ngx_http_gateway_ws_pack(ngx_http_gateway_ws_t *ws, ngx_int_t rc,
    gw_mqtt_out_t *out, gw_mqtt_out_t *inner)
{
    size_t   n;
    u_char  *p;

    if (inner->len) {
        p = out->data + out->len;

        n = gw_ws_header(p, inner->len);

        ngx_memmove(p + n, inner->data, inner->len);
        out->len += n + inner->len;
    }

    if (rc == NGX_DONE) {
        ngx_http_gateway_ws_say(ws, out,
                        ngx_http_gateway_ws_code((gw_end_e) ws->mqtt.end));
    }

    return rc;
}


static void
ngx_http_gateway_ws_say(ngx_http_gateway_ws_t *ws, gw_mqtt_out_t *out,
    gw_ws_close_e code)
{
    if (ws->over) {
        return;
    }

    ws->over = 1;

    if (ws->frames.error) {
        code = ws->frames.error;
    }

    out->len += gw_ws_close(out->data + out->len, code);
}


static gw_ws_close_e
ngx_http_gateway_ws_code(gw_end_e end)
{
    switch (end) {

    case GW_END_CLIENT:
        return GW_WS_NORMAL;

    case GW_END_DRAINING:
        return GW_WS_GOING_AWAY;

    case GW_END_MALFORMED:
    case GW_END_PROTOCOL:
        return GW_WS_PROTOCOL;

    case GW_END_TOO_LARGE:
        return GW_WS_TOO_LARGE;

    case GW_END_INTERNAL:
        return GW_WS_INTERNAL;

    default:
        return GW_WS_POLICY;
    }
}
