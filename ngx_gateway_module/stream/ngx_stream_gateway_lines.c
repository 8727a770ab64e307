/*
 * ngx_stream_gateway_lines.c - NDJSON over TCP and TLS: an envelope a line,
 * a reply a line, in order.
 *
 * Where gateway_auth asks, the first line says who it is, {"device": "...",
 * "token": "..."} or, of a JWT, {"token": "..."}, and is answered as well; a
 * certificate needs no such line.  A line that is not ended by LF is no line;
 * one that is longer than a message may be ends the connection, as where the
 * next one begins would be the sender's word.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_gateway.h"


#define NGX_STREAM_GATEWAY_LINES  64       /* replies lent first */


static ngx_int_t ngx_stream_gateway_lines_input(
    ngx_gateway_connection_t *gc, u_char *p, size_t len, size_t *used,
    size_t *want, gw_mqtt_out_t *out);
static ngx_int_t ngx_stream_gateway_lines_line(ngx_stream_gateway_ctx_t *ctx,
    u_char *p, size_t len);
static ngx_int_t ngx_stream_gateway_lines_sign_in(
    ngx_stream_gateway_ctx_t *ctx, u_char *p, size_t len);
static ngx_uint_t ngx_stream_gateway_lines_signs(
    ngx_stream_gateway_ctx_t *ctx, u_char *p, size_t len,
    ngx_gateway_credentials_t *c, u_char *pair);
static ngx_int_t ngx_stream_gateway_lines_member(gw_json_t *json, u_char *doc,
    const char *name, ngx_str_t *value, u_char *buf, size_t size);
static void ngx_stream_gateway_lines_message(ngx_stream_gateway_ctx_t *ctx,
    u_char *p, size_t len, uint32_t serial);
static ngx_int_t ngx_stream_gateway_lines_add(ngx_stream_gateway_ctx_t *ctx,
    uint32_t *serial);
static ngx_int_t ngx_stream_gateway_lines_flush(
    ngx_gateway_connection_t *gc, gw_mqtt_out_t *out);
static ngx_msec_t ngx_stream_gateway_lines_deadline(
    ngx_gateway_connection_t *gc, ngx_msec_t partial);
static ngx_int_t ngx_stream_gateway_lines_expire(
    ngx_gateway_connection_t *gc, ngx_msec_t partial, gw_mqtt_out_t *out);
static ngx_int_t ngx_stream_gateway_lines_end(ngx_gateway_connection_t *gc,
    gw_end_e end, gw_mqtt_out_t *out);
static ngx_uint_t ngx_stream_gateway_lines_waits(
    ngx_gateway_connection_t *gc);
static void ngx_stream_gateway_lines_close(ngx_gateway_connection_t *gc,
    gw_end_e end);
static void ngx_stream_gateway_lines_result(ngx_gateway_waiter_t *waiter,
    uint32_t index, const ngx_gateway_result_t *result, ngx_msec_t delivery);
static void ngx_stream_gateway_lines_done(ngx_gateway_waiter_t *waiter);
static void ngx_stream_gateway_lines_wake(ngx_event_t *ev);


const ngx_gateway_protocol_t  ngx_stream_gateway_lines = {
    ngx_stream_gateway_lines_input,
    ngx_stream_gateway_lines_flush,
    ngx_stream_gateway_lines_deadline,
    ngx_stream_gateway_lines_expire,
    ngx_stream_gateway_lines_end,
    ngx_stream_gateway_lines_waits,
    ngx_stream_gateway_lines_close,
    ngx_stream_gateway_finalize
};


ngx_int_t
ngx_stream_gateway_lines_open(ngx_stream_gateway_ctx_t *ctx,
    ngx_str_t *device)
{
    ngx_gateway_listener_t          *listener;
    ngx_stream_gateway_lines_t      *lines;
    ngx_stream_gateway_srv_conf_t   *gscf;

    gscf = ngx_stream_get_module_srv_conf(ctx->session,
                                          ngx_stream_gateway_module);

    lines = &ctx->u.lines;
    listener = &gscf->gateway.listener;

    lines->listener = listener;
    lines->idle = gscf->idle_timeout;
    lines->device = *device;
    lines->last = ngx_current_msec;

    lines->sender.listener = listener;

    lines->waiter.result = ngx_stream_gateway_lines_result;
    lines->waiter.done = ngx_stream_gateway_lines_done;
    lines->waiter.data = ctx;

    lines->wake.handler = ngx_stream_gateway_lines_wake;
    lines->wake.data = ctx;
    lines->wake.log = ctx->session->connection->log;

    ngx_gateway_count_connection(listener->gateway, GW_PROTO_LINES, 1);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_gateway_lines_input(ngx_gateway_connection_t *gc, u_char *p,
    size_t len, size_t *used, size_t *want, gw_mqtt_out_t *out)
{
    u_char                      *lf;
    size_t                       n;
    uint32_t                     serial;
    unsigned                     more;
    ngx_int_t                    rc;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;

    *used = 0;
    *want = 0;

    for ( ;; ) {

        if (lines->ended) {
            return NGX_DONE;
        }

        if (lines->last_line) {
            return NGX_AGAIN;
        }

        if (lines->replies.n == GW_LINES_MAX) {

            out->len += gw_lines_write(&lines->replies, out->data + out->len,
                                       out->size - out->len, &more);

            if (lines->replies.n == GW_LINES_MAX) {
                return more ? NGX_BUSY : NGX_AGAIN;
            }
        }

        /* what was looked through before has no line end */

        n = ngx_min(lines->scanned, len);
        lf = memchr(p + n, LF, len - n);

        n = lf ? (size_t) (lf - p) : len;

        if (n > lines->listener->message_max) {

            if (ngx_stream_gateway_lines_add(ngx_stream_gateway_ctx(gc),
                                             &serial)
                == NGX_OK)
            {
                gw_lines_settle(&lines->replies, serial, GW_INVALID,
                                GW_R_TOO_LARGE);
            }

            ngx_gateway_count_refused(lines->listener->gateway,
                                      GW_PROTO_LINES,
                               ngx_gateway_default_class(
                                              lines->listener->gateway),
                                      GW_R_TOO_LARGE);

            /* it has its reply behind those of the lines before it */

            lines->last_line = 1;
            ngx_post_event(&lines->wake, &ngx_posted_events);

            return NGX_AGAIN;
        }

        if (lf == NULL) {
            lines->scanned = len;
            break;
        }

        rc = ngx_stream_gateway_lines_line(ngx_stream_gateway_ctx(gc), p, n);

        lines->scanned = 0;
        lines->last = ngx_current_msec;

        p += n + 1;
        len -= n + 1;
        *used += n + 1;

        if (rc != NGX_OK) {
            return ngx_stream_gateway_lines_end(gc,
                                                (gw_end_e) lines->end, out);
        }
    }

    out->len += gw_lines_write(&lines->replies, out->data + out->len,
                               out->size - out->len, &more);

    return more ? NGX_BUSY : NGX_OK;
}


/* NGX_DONE: the connection ends for lines->end */

static ngx_int_t
ngx_stream_gateway_lines_line(ngx_stream_gateway_ctx_t *ctx, u_char *p,
    size_t len)
{
    uint32_t                     serial;
    gw_reason_e                  reason;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ctx->u.lines;

    if (len && p[len - 1] == CR) {
        len--;
    }

    if (len == 0) {
        return NGX_OK;
    }

    if (!lines->known) {
        return ngx_stream_gateway_lines_sign_in(ctx, p, len);
    }

    if (ngx_stream_gateway_lines_add(ctx, &serial) != NGX_OK) {
        lines->end = GW_END_INTERNAL;
        return NGX_DONE;
    }

    if (ngx_gateway_sender_still(&lines->sender, &reason) != NGX_OK) {
        gw_lines_settle(&lines->replies, serial, gw_reason(reason)->outcome,
                        reason);
        ngx_gateway_count_refused(lines->listener->gateway, GW_PROTO_LINES,
                                  ngx_gateway_default_class(
                                                  lines->listener->gateway),
                                  reason);

        lines->end = GW_END_REVOKED;
        return NGX_DONE;
    }

    ngx_stream_gateway_lines_message(ctx, p, len, serial);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_gateway_lines_sign_in(ngx_stream_gateway_ctx_t *ctx, u_char *p,
    size_t len)
{
    u_char                       pair[NGX_GATEWAY_SENDER_PAIR];
    uint32_t                     serial;
    ngx_int_t                    rc;
    ngx_str_t                    none;
    ngx_uint_t                   said;
    gw_reason_e                  reason;
    ngx_gateway_credentials_t    c;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ctx->u.lines;
    said = 0;

    ngx_str_null(&none);
    ngx_memzero(&c, sizeof(ngx_gateway_credentials_t));

    reason = ngx_gateway_admit(lines->listener->gateway,
                         lines->listener->class_index != NGX_CONF_UNSET_UINT,
                         lines->listener->class_index);

    rc = NGX_DECLINED;

    if (reason == GW_R_NONE) {

        ngx_stream_gateway_credentials(ctx, &c);

        if (lines->listener->auth
            && ngx_gateway_auth_on(lines->listener->auth)
            && c.certificate == NULL)
        {
            said = ngx_stream_gateway_lines_signs(ctx, p, len, &c, pair);
        }

        rc = ngx_gateway_sender_find_out(&lines->sender, &c, &lines->device,
                                         &none, &reason);

        ngx_stream_gateway_credentials_free(&c);
        ngx_explicit_memzero(pair, sizeof(pair));

        if (c.bearer.len) {
            ngx_explicit_memzero(c.bearer.data, c.bearer.len);
        }
    }

    if (rc == NGX_OK) {
        lines->known = 1;

        if (!said) {
            return ngx_stream_gateway_lines_line(ctx, p, len);
        }
    }

    if (ngx_stream_gateway_lines_add(ctx, &serial) != NGX_OK) {
        lines->end = GW_END_INTERNAL;
        return NGX_DONE;
    }

    if (rc == NGX_OK) {
        gw_lines_settle(&lines->replies, serial, GW_DELIVERED, GW_R_NONE);
        return NGX_OK;
    }

    gw_lines_settle(&lines->replies, serial, gw_reason(reason)->outcome,
                    reason);

    lines->end = reason == GW_R_UNAUTHENTICATED ? GW_END_UNAUTHENTICATED
                 : gw_reason(reason)->outcome == GW_DENIED ? GW_END_FORBIDDEN
                 : reason == GW_R_DRAINING ? GW_END_DRAINING
                                           : GW_END_OVERLOAD;
    return NGX_DONE;
}


/* 1: the line is one that signs in */

static ngx_uint_t
ngx_stream_gateway_lines_signs(ngx_stream_gateway_ctx_t *ctx, u_char *p,
    size_t len, ngx_gateway_credentials_t *c, u_char *pair)
{
    ngx_str_t                    device, text;
    gw_json_t                   *json;
    ngx_stream_gateway_lines_t  *lines;

    static u_char                name[GW_DEVICE_MAX];
    static u_char                token[8192];
    static u_char                both[NGX_GATEWAY_SENDER_PAIR / 4 * 3];

    lines = &ctx->u.lines;
    json = ngx_gateway_json(lines->listener->gateway);

    if (json == NULL || gw_json_parse(json, p, len) != GW_OK
        || ngx_stream_gateway_lines_member(json, p, "token", &c->bearer,
                                           token, sizeof(token))
           != NGX_OK)
    {
        ngx_str_null(&c->bearer);
        return 0;
    }

    if (ngx_stream_gateway_lines_member(json, p, "device", &device, name,
                                        sizeof(name))
        != NGX_OK)
    {
        c->token = 1;
        return 1;
    }

    c->basic = 1;

    if (device.len + 1 + c->bearer.len <= sizeof(both)) {
        text.data = both;
        text.len = ngx_sprintf(both, "%V:%V", &device, &c->bearer) - both;

        c->pair.data = pair;
        ngx_encode_base64(&c->pair, &text);
        ngx_explicit_memzero(both, text.len);
    }

    ngx_explicit_memzero(token, c->bearer.len);
    ngx_str_null(&c->bearer);

    return 1;
}


/* a string of the object just parsed */

static ngx_int_t
ngx_stream_gateway_lines_member(gw_json_t *json, u_char *doc,
    const char *name, ngx_str_t *value, u_char *buf, size_t size)
{
    size_t           len;
    uint32_t         n;
    gw_json_node_t  *key, *node;

    if (json->tape[0].type != GW_JSON_OBJECT) {
        return NGX_DECLINED;
    }

    len = ngx_strlen(name);
    key = &json->tape[1];

    for (n = json->tape[0].count; n; n--) {
        node = key + 1;

        if (key->len == len && ngx_memcmp(doc + key->off, name, len) == 0
            && node->type == GW_JSON_STRING && node->len && node->len <= size)
        {
            value->data = buf;
            value->len = gw_json_unescape(doc, node, buf);

            return NGX_OK;
        }

        key = &json->tape[node->next];
    }

    return NGX_DECLINED;
}


static void
ngx_stream_gateway_lines_message(ngx_stream_gateway_ctx_t *ctx, u_char *p,
    size_t len, uint32_t serial)
{
    gw_str_t                     text;
    ngx_int_t                    rc;
    gw_json_t                   *json;
    gw_envelope_t                envelope;
    ngx_gateway_msg_t           *msg;
    ngx_gateway_origin_t         origin;
    ngx_gateway_result_t         result;
    ngx_gateway_failure_t        failure;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ctx->u.lines;

    ngx_gateway_count_bytes(lines->listener->gateway, GW_PROTO_LINES, len);
    ngx_gateway_sender_origin(&lines->sender, GW_PROTO_LINES, &origin);

    if (origin.class_index == NGX_CONF_UNSET_UINT) {
        origin.class_index = ngx_gateway_default_class(
                                                lines->listener->gateway);
    }

    json = ngx_gateway_json(lines->listener->gateway);

    result.detail = NULL;

    if (json == NULL) {
        result.reason = GW_R_UPSTREAM;
        goto refused;
    }

    if (gw_json_parse(json, p, len) != GW_OK) {
        result.reason = json->error == GW_JSON_E_BYTES ? GW_R_TOO_LARGE
                                                       : GW_R_MALFORMED;
        goto refused;
    }

    if (lines->listener->format == NGX_GATEWAY_FORMAT_RAW) {
        ngx_memzero(&envelope, sizeof(gw_envelope_t));

        text.data = p;
        text.len = len;

        gw_envelope_whole(json, &text, &envelope);

    } else if (gw_envelope_decode(json, p, &envelope, &result.detail)
               != GW_OK)
    {
        result.reason = GW_R_MALFORMED;
        goto refused;
    }

    if (ngx_gateway_compose(&origin, &envelope, &msg, &result, &failure)
        != NGX_OK)
    {
        goto refused;
    }

    if (lines->waiter.pending == 0) {
        lines->progress = ngx_current_msec;
    }

    rc = ngx_gateway_submit(msg, &lines->waiter, serial, &result);

    if (rc != NGX_AGAIN) {
        gw_lines_settle(&lines->replies, serial, result.outcome,
                        result.reason);
    }

    return;

refused:

    ngx_gateway_count_refused(lines->listener->gateway, GW_PROTO_LINES,
                              origin.class_index, result.reason);

    gw_lines_settle(&lines->replies, serial,
                    gw_reason(result.reason)->outcome, result.reason);
}


/* a reply for the next line, and a waiter for its message */

static ngx_int_t
ngx_stream_gateway_lines_add(ngx_stream_gateway_ctx_t *ctx, uint32_t *serial)
{
    ngx_uint_t                   n;
    gw_lines_t                  *l;
    gw_lines_reply_t            *replies;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ctx->u.lines;
    l = &lines->replies;

    if (!lines->waiter.open
        && ngx_gateway_waiter_open(lines->listener->gateway, &lines->waiter)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (gw_lines_add(l, serial) == GW_OK) {
        return NGX_OK;
    }

    n = l->room ? l->room * 4 : NGX_STREAM_GATEWAY_LINES;
    n = ngx_min(n, GW_LINES_MAX);

    replies = ngx_alloc(n * sizeof(gw_lines_reply_t), ngx_cycle->log);

    if (replies == NULL) {
        return NGX_ERROR;
    }

    replies = gw_lines_lend(l, replies, (uint16_t) n);

    if (replies) {
        ngx_free(replies);
    }

    return gw_lines_add(l, serial) == GW_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_stream_gateway_lines_flush(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out)
{
    unsigned                     more;
    gw_lines_reply_t            *replies;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;

    if (lines->ended) {
        return NGX_DONE;
    }

    out->len += gw_lines_write(&lines->replies, out->data + out->len,
                               out->size - out->len, &more);

    if (more) {
        return NGX_BUSY;
    }

    if (lines->last_line && lines->replies.n == 0) {
        return ngx_stream_gateway_lines_end(gc, GW_END_TOO_LARGE, out);
    }

    if (lines->replies.replies) {
        replies = gw_lines_return(&lines->replies);

        if (replies) {
            ngx_free(replies);
        }
    }

    return NGX_OK;
}


static ngx_msec_t
ngx_stream_gateway_lines_deadline(ngx_gateway_connection_t *gc,
    ngx_msec_t partial)
{
    ngx_msec_t                   at, other;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;

    if (!lines->known) {
        return lines->last + lines->listener->connect_timeout;
    }

    /* replies that are there and not yet taken have the write event's timer */

    at = lines->waiter.pending ? lines->progress + lines->listener->timeout
         : lines->replies.n == 0 ? lines->last + lines->idle : 0;

    if (partial) {
        other = partial + lines->listener->packet_timeout;
        at = (at == 0 || (ngx_msec_int_t) (other - at) < 0) ? other : at;
    }

    return at;
}


static ngx_int_t
ngx_stream_gateway_lines_expire(ngx_gateway_connection_t *gc,
    ngx_msec_t partial, gw_mqtt_out_t *out)
{
    ngx_msec_t                   now;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;
    now = ngx_current_msec;

#define ngx_stream_gateway_over(since, ms)                                    \
    ((ngx_msec_int_t) (now - (since) - (ms)) >= 0)

    if (!lines->known) {
        return ngx_stream_gateway_over(lines->last,
                                       lines->listener->connect_timeout)
               ? ngx_stream_gateway_lines_end(gc, GW_END_CONNECT_TIMEOUT,
                                              out)
               : NGX_OK;
    }

    if (partial
        && ngx_stream_gateway_over(partial, lines->listener->packet_timeout))
    {
        return ngx_stream_gateway_lines_end(gc, GW_END_PACKET_TIMEOUT, out);
    }

    if (lines->replies.n == 0) {
        return ngx_stream_gateway_over(lines->last, lines->idle)
               ? ngx_stream_gateway_lines_end(gc, GW_END_KEEP_ALIVE, out)
               : NGX_OK;
    }

    if (lines->waiter.pending
        && ngx_stream_gateway_over(lines->progress, lines->listener->timeout))
    {

        /* the messages go on; that their fate is unknown is an answer */

        ngx_gateway_waiter_close(&lines->waiter);
        ngx_gateway_count_timeout(lines->listener->gateway, GW_PROTO_LINES);

        gw_lines_settle_all(&lines->replies, GW_FAILED, GW_R_TIMEOUT);

        ngx_post_event(&lines->wake, &ngx_posted_events);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_gateway_lines_end(ngx_gateway_connection_t *gc, gw_end_e end,
    gw_mqtt_out_t *out)
{
    unsigned                     more;
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;

    if (!lines->ended) {
        lines->ended = 1;
        lines->end = end;

        out->len += gw_lines_write(&lines->replies, out->data + out->len,
                                   out->size - out->len, &more);

        if (end == GW_END_DRAINING && out->size - out->len >= 4) {
            ngx_memcpy(out->data + out->len, "bye\n", 4);
            out->len += 4;
        }
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_stream_gateway_lines_waits(ngx_gateway_connection_t *gc)
{
    return ngx_stream_gateway_ctx(gc)->u.lines.replies.n != 0;
}


static void
ngx_stream_gateway_lines_close(ngx_gateway_connection_t *gc, gw_end_e end)
{
    ngx_stream_gateway_lines_t  *lines;

    lines = &ngx_stream_gateway_ctx(gc)->u.lines;

    if (lines->counted) {
        return;
    }

    lines->counted = 1;

    if (lines->waiter.pending) {
        ngx_gateway_count_gone(lines->listener->gateway, GW_PROTO_LINES);
    }

    ngx_gateway_waiter_close(&lines->waiter);

    if (lines->wake.posted) {
        ngx_delete_posted_event(&lines->wake);
    }

    if (lines->replies.replies) {
        ngx_free(lines->replies.replies);
        lines->replies.replies = NULL;
    }

    ngx_gateway_count_connection(lines->listener->gateway, GW_PROTO_LINES,
                                 -1);
    ngx_gateway_count_disconnect(lines->listener->gateway, GW_PROTO_LINES,
                                 lines->ended ? (gw_end_e) lines->end : end);

    ngx_gateway_sender_forget(&lines->sender);
}


static void
ngx_stream_gateway_lines_result(ngx_gateway_waiter_t *waiter, uint32_t index,
    const ngx_gateway_result_t *result, ngx_msec_t delivery)
{
    ngx_stream_gateway_ctx_t    *ctx;
    ngx_stream_gateway_lines_t  *lines;

    ctx = waiter->data;
    lines = &ctx->u.lines;

    lines->progress = ngx_current_msec;

    gw_lines_settle(&lines->replies, index, result->outcome, result->reason);

    ngx_gateway_count_answer(lines->listener->gateway, GW_PROTO_LINES,
                             delivery);

    if (!lines->wake.posted) {
        ngx_post_event(&lines->wake, &ngx_posted_events);
    }
}


static void
ngx_stream_gateway_lines_done(ngx_gateway_waiter_t *waiter)
{
    /* the waiter is opened again with the next line */
}


static void
ngx_stream_gateway_lines_wake(ngx_event_t *ev)
{
    ngx_gateway_connection_wake(ev->data);
}
