/*
 * ngx_stream_gateway_handler.c - from a session of stream to a connection of
 * core/ngx_gateway_connection.h.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_gateway.h"


static void ngx_stream_gateway_cleanup(void *data);
static void ngx_stream_gateway_read_handler(ngx_event_t *rev);
static void ngx_stream_gateway_write_handler(ngx_event_t *wev);


void
ngx_stream_gateway_handler(ngx_stream_session_t *s)
{
    u_char                         *p;
    size_t                          len;
    ngx_int_t                       rc;
    ngx_str_t                       device;
    ngx_connection_t               *c;
    ngx_pool_cleanup_t             *cln;
    ngx_stream_gateway_ctx_t       *ctx;
    ngx_stream_core_srv_conf_t     *cscf;
    ngx_stream_gateway_srv_conf_t  *gscf;

    c = s->connection;

    gscf = ngx_stream_get_module_srv_conf(s, ngx_stream_gateway_module);
    cscf = ngx_stream_get_module_srv_conf(s, ngx_stream_core_module);

    ngx_str_null(&device);

    ctx = ngx_pcalloc(c->pool, sizeof(ngx_stream_gateway_ctx_t));
    cln = ngx_pool_cleanup_add(c->pool, 0);

    if (ctx == NULL || cln == NULL
        || (gscf->device
            && ngx_stream_complex_value(s, gscf->device, &device) != NGX_OK)
        || (c->type == SOCK_STREAM && cscf->tcp_nodelay
            && ngx_tcp_nodelay(c) != NGX_OK))
    {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->session = s;

    ctx->connection.connection = c;
    ctx->connection.protocol = gscf->protocol;
    ctx->connection.listener = &gscf->gateway.listener;
    ctx->connection.received = &s->received;

    rc = gscf->protocol == &ngx_stream_gateway_mqtt
         ? ngx_stream_gateway_mqtt_open(ctx, &device)
         : ngx_stream_gateway_lines_open(ctx, &device);

    if (rc != NGX_OK) {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    cln->handler = ngx_stream_gateway_cleanup;
    cln->data = ctx;

    ngx_stream_set_ctx(s, ctx, ngx_stream_gateway_module);

    c->log->action = "serving a device";

    c->read->handler = ngx_stream_gateway_read_handler;
    c->write->handler = ngx_stream_gateway_write_handler;

    /* what the preread phase has read already */

    p = NULL;
    len = 0;

    if (c->buffer) {
        p = c->buffer->pos;
        len = c->buffer->last - c->buffer->pos;
        c->buffer->pos = c->buffer->last;
    }

    ngx_gateway_connection_start(&ctx->connection, p, len);
}


static void
ngx_stream_gateway_cleanup(void *data)
{
    ngx_stream_gateway_ctx_t *ctx = data;

    ngx_gateway_connection_free(&ctx->connection);
}


static void
ngx_stream_gateway_read_handler(ngx_event_t *rev)
{
    ngx_connection_t          *c;
    ngx_stream_session_t      *s;
    ngx_stream_gateway_ctx_t  *ctx;

    c = rev->data;
    s = c->data;
    ctx = ngx_stream_get_module_ctx(s, ngx_stream_gateway_module);

    ngx_gateway_connection_read(&ctx->connection);
}


static void
ngx_stream_gateway_write_handler(ngx_event_t *wev)
{
    ngx_connection_t          *c;
    ngx_stream_session_t      *s;
    ngx_stream_gateway_ctx_t  *ctx;

    c = wev->data;
    s = c->data;
    ctx = ngx_stream_get_module_ctx(s, ngx_stream_gateway_module);

    ngx_gateway_connection_write(&ctx->connection);
}


void
ngx_stream_gateway_finalize(ngx_gateway_connection_t *gc)
{
    ngx_stream_finalize_session(ngx_stream_gateway_ctx(gc)->session,
                                NGX_STREAM_OK);
}
