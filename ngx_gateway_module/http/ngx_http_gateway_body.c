/*
 * ngx_http_gateway_body.c - the request body, whole and in one piece.
 *
 * nginx reads it, in memory, in several buffers, in a temporary file, chunked
 * or in HTTP/2 frames.  client_body_timeout bounds the time between two reads
 * only, so a deadline of our own bounds all of it.  What is copied or inflated
 * is freed before this event ends; what waits for delivery are messages.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_inflate.h"
#include "ngx_http_gateway.h"


#define NGX_HTTP_GATEWAY_MAX_RATIO  20   /* inflated to compressed */


static void ngx_http_gateway_body_handler(ngx_http_request_t *r);
static void ngx_http_gateway_body_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_gateway_collect(ngx_http_request_t *r,
    gw_str_t *text, u_char **copy);
static gw_reason_e ngx_http_gateway_inflate(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text, u_char **copy,
    const char **detail);
static void *ngx_http_gateway_grow(void *data, void *old, size_t used,
    size_t size);


ngx_int_t
ngx_http_gateway_read_body(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_http_gateway_loc_conf_t  *glcf;

    r->request_body_in_single_buf = 1;
    r->request_body_in_persistent_file = 0;
    r->request_body_in_clean_file = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_gateway_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    if (!ctx->read) {
        glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

        ctx->timer.handler = ngx_http_gateway_body_timeout;
        ctx->timer.data = ctx;
        ctx->timer.log = r->connection->log;

        ngx_add_timer(&ctx->timer, glcf->body_timeout);
    }

    return NGX_DONE;
}


static void
ngx_http_gateway_body_handler(ngx_http_request_t *r)
{
    u_char                  *copy, *inflated;
    gw_str_t                 text;
    const char              *detail;
    gw_reason_e              reason;
    ngx_http_gateway_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_gateway_module);

    ctx->read = 1;

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    copy = NULL;
    inflated = NULL;
    detail = NULL;

    if (ngx_http_gateway_collect(r, &text, &copy) != NGX_OK) {
        reason = GW_R_INTERNAL;
        goto refused;
    }

    ngx_gateway_count_bytes(ctx->origin.gateway, GW_PROTO_HTTP, text.len);

    if (ctx->sender) {

        if (ngx_http_gateway_identify_again(r, ctx, &text, &reason) != NGX_OK
            || (ctx->sender->sign
                && ngx_http_gateway_sender(r, ctx, &reason, &detail)
                   != NGX_OK))
        {
            goto refused;
        }
    }

    if (ctx->encoding != NGX_HTTP_GATEWAY_IDENTITY) {

        reason = ngx_http_gateway_inflate(r, ctx, &text, &inflated, &detail);

        if (copy) {
            ngx_free(copy);
            copy = NULL;
        }

        if (reason != GW_R_NONE) {
            goto refused;
        }
    }

    /* from here on the request may be gone */

    ngx_http_gateway_ingest(r, ctx, &text);

    if (copy) {
        ngx_free(copy);
    }

    if (inflated) {
        ngx_free(inflated);
    }

    return;

refused:

    if (copy) {
        ngx_free(copy);
    }

    if (inflated) {
        ngx_free(inflated);
    }

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx, reason,
                                                         detail));
}


static void
ngx_http_gateway_body_timeout(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_gateway_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    /* nginx itself may have refused the body and sent or redirected that */

    if (r->header_sent || r->err_status
        || ngx_http_get_module_ctx(r, ngx_http_gateway_module) != ctx)
    {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "the body did not arrive within gateway_body_timeout");

    /* the rest of it would be taken for the next request */

    r->keepalive = 0;
    r->lingering_close = 0;

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx,
                                                         GW_R_BODY_TIMEOUT,
                                                         NULL));
    ngx_http_run_posted_requests(c);
}


/* *copy is set where the body was not in one piece of memory already */

static ngx_int_t
ngx_http_gateway_collect(ngx_http_request_t *r, gw_str_t *text, u_char **copy)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    text->data = (const uint8_t *) "";
    text->len = 0;

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        text->data = cl->buf->pos;
        text->len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    size = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_alloc((size_t) size + 1, r->connection->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *copy = p;
    text->data = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            /* an empty body ends in a buffer of nothing */
            continue;
        }

        size = b->file_last - b->file_pos;

        n = ngx_read_file(b->file, p, (size_t) size, b->file_pos);

        if (n != (ssize_t) size) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "the body in \"%V\" could not be read back",
                          &b->file->name);
            return NGX_ERROR;
        }

        p += size;
    }

    text->len = p - text->data;

    return NGX_OK;
}


static gw_reason_e
ngx_http_gateway_inflate(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text, u_char **copy, const char **detail)
{
    int                           rc;
    gw_str_t                      out;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    rc = gw_inflate(ctx->encoding == NGX_HTTP_GATEWAY_GZIP
                    ? GW_INFLATE_GZIP : GW_INFLATE_DEFLATE,
                    text->data, text->len, glcf->max_inflated,
                    NGX_HTTP_GATEWAY_MAX_RATIO, ngx_http_gateway_grow, copy,
                    &out);

    switch (rc) {

    case GW_OK:
        *text = out;
        return GW_R_NONE;

    case GW_BUSY:
        *detail = "the inflated body is above gateway_max_inflated_size or "
                  "20 times its compressed size";
        return GW_R_TOO_LARGE;

    case GW_ERROR:
        *detail = "the compressed body is damaged, truncated or followed by "
                  "other bytes";
        return GW_R_MALFORMED;

    default:
        return GW_R_INTERNAL;
    }
}


static void *
ngx_http_gateway_grow(void *data, void *old, size_t used, size_t size)
{
    void    *p;
    u_char **copy = data;

    p = ngx_alloc(size, ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    if (old) {
        ngx_memcpy(p, old, used);
        ngx_free(old);
    }

    *copy = p;

    return p;
}
