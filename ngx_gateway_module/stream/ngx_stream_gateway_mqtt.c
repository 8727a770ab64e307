/*
 * ngx_stream_gateway_mqtt.c - MQTT over TCP and TLS: the protocol of
 * core/ngx_gateway_mqtt.h for a connection of stream.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_gateway.h"


#define ngx_stream_gateway_engine(gc)  (&ngx_stream_gateway_ctx(gc)->u.mqtt)


static void ngx_stream_gateway_mqtt_credentials(ngx_gateway_mqtt_t *m,
    ngx_gateway_credentials_t *c);
static void ngx_stream_gateway_mqtt_wake(ngx_gateway_mqtt_t *m);
static void ngx_stream_gateway_mqtt_cut(ngx_gateway_mqtt_t *m, gw_end_e end);
static ngx_int_t ngx_stream_gateway_mqtt_input(ngx_gateway_connection_t *gc,
    u_char *p, size_t len, size_t *used, size_t *want, gw_mqtt_out_t *out);
static ngx_int_t ngx_stream_gateway_mqtt_flush(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out);
static ngx_msec_t ngx_stream_gateway_mqtt_deadline(
    ngx_gateway_connection_t *gc, ngx_msec_t partial);
static ngx_int_t ngx_stream_gateway_mqtt_expire(ngx_gateway_connection_t *gc,
    ngx_msec_t partial, gw_mqtt_out_t *out);
static ngx_int_t ngx_stream_gateway_mqtt_end(ngx_gateway_connection_t *gc,
    gw_end_e end, gw_mqtt_out_t *out);
static ngx_uint_t ngx_stream_gateway_mqtt_waits(
    ngx_gateway_connection_t *gc);
static void ngx_stream_gateway_mqtt_close(ngx_gateway_connection_t *gc,
    gw_end_e end);


static const ngx_gateway_mqtt_peer_t  ngx_stream_gateway_mqtt_peer = {
    ngx_stream_gateway_mqtt_credentials,
    ngx_stream_gateway_credentials_free,
    ngx_stream_gateway_mqtt_wake,
    ngx_stream_gateway_mqtt_cut
};


const ngx_gateway_protocol_t  ngx_stream_gateway_mqtt = {
    ngx_stream_gateway_mqtt_input,
    ngx_stream_gateway_mqtt_flush,
    ngx_stream_gateway_mqtt_deadline,
    ngx_stream_gateway_mqtt_expire,
    ngx_stream_gateway_mqtt_end,
    ngx_stream_gateway_mqtt_waits,
    ngx_stream_gateway_mqtt_close,
    ngx_stream_gateway_finalize
};


ngx_int_t
ngx_stream_gateway_mqtt_open(ngx_stream_gateway_ctx_t *ctx,
    ngx_str_t *device)
{
    ngx_stream_gateway_srv_conf_t  *gscf;

    gscf = ngx_stream_get_module_srv_conf(ctx->session,
                                          ngx_stream_gateway_module);

    return ngx_gateway_mqtt_open(&ctx->u.mqtt, &gscf->gateway,
                                 &ngx_stream_gateway_mqtt_peer,
                                 GW_PROTO_MQTT, device,
                                 ctx->session->connection->log, ctx);
}


static void
ngx_stream_gateway_mqtt_credentials(ngx_gateway_mqtt_t *m,
    ngx_gateway_credentials_t *c)
{
    ngx_stream_gateway_credentials(m->data, c);
}


static void
ngx_stream_gateway_mqtt_wake(ngx_gateway_mqtt_t *m)
{
    ngx_gateway_connection_wake(m->data);
}


static void
ngx_stream_gateway_mqtt_cut(ngx_gateway_mqtt_t *m, gw_end_e end)
{
    ngx_gateway_connection_end(m->data, end);
}


static ngx_int_t
ngx_stream_gateway_mqtt_input(ngx_gateway_connection_t *gc, u_char *p,
    size_t len, size_t *used, size_t *want, gw_mqtt_out_t *out)
{
    return ngx_gateway_mqtt_input(ngx_stream_gateway_engine(gc), p, len, used,
                                  want, out);
}


static ngx_int_t
ngx_stream_gateway_mqtt_flush(ngx_gateway_connection_t *gc,
    gw_mqtt_out_t *out)
{
    return ngx_gateway_mqtt_flush(ngx_stream_gateway_engine(gc), out);
}


static ngx_msec_t
ngx_stream_gateway_mqtt_deadline(ngx_gateway_connection_t *gc,
    ngx_msec_t partial)
{
    return ngx_gateway_mqtt_deadline(ngx_stream_gateway_engine(gc), partial);
}


static ngx_int_t
ngx_stream_gateway_mqtt_expire(ngx_gateway_connection_t *gc,
    ngx_msec_t partial, gw_mqtt_out_t *out)
{
    return ngx_gateway_mqtt_expire(ngx_stream_gateway_engine(gc), partial,
                                   out);
}


static ngx_int_t
ngx_stream_gateway_mqtt_end(ngx_gateway_connection_t *gc, gw_end_e end,
    gw_mqtt_out_t *out)
{
    return ngx_gateway_mqtt_end(ngx_stream_gateway_engine(gc), end, out);
}


static ngx_uint_t
ngx_stream_gateway_mqtt_waits(ngx_gateway_connection_t *gc)
{
    return ngx_stream_gateway_engine(gc)->session.n != 0;
}


static void
ngx_stream_gateway_mqtt_close(ngx_gateway_connection_t *gc, gw_end_e end)
{
    ngx_gateway_mqtt_close(ngx_stream_gateway_engine(gc), end);
}
