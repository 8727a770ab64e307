/*
 * ngx_gateway_sessions.c - the client ids of MQTT in the zone: of two
 * connections with one client id the older one ends, whichever worker has it
 * (pure/gw_sessions.h).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"
#include "ngx_gateway_mqtt.h"


#define ngx_gateway_sessions_worker(m)  ((m)->conf->listener.gateway->worker)


void
ngx_gateway_sessions_start(ngx_gateway_worker_t *w)
{
    w->sessions = ngx_gateway_zone_sessions(w->gateway, w->slot,
                                            &w->sessions_owner);

    if (w->sessions == NULL) {
        return;
    }

    gw_sessions_enter(w->sessions, w->sessions_owner);

    w->sessions_taken = gw_sessions_taken(w->sessions, w->sessions_owner);
}


void
ngx_gateway_sessions_take(ngx_gateway_mqtt_t *m, ngx_str_t *client_id,
    ngx_uint_t fresh)
{
    gw_str_t               device, id;
    const gw_identity_t   *identity;
    ngx_gateway_worker_t  *w;

    w = ngx_gateway_sessions_worker(m);

    if (w == NULL || w->sessions == NULL) {
        return;
    }

    identity = ngx_gateway_sender_identity(&m->sender);

    if (identity) {
        device.data = (uint8_t *) identity->device;
        device.len = identity->device_len;

    } else {
        device.data = m->sender.device.data;
        device.len = m->sender.device.len;
    }

    id.data = client_id->data;
    id.len = client_id->len;

    m->client = gw_sessions_key(w->sessions, &device, &id);

    (void) gw_sessions_take(w->sessions, m->client, w->sessions_owner, fresh,
                            &m->ticket);
}


ngx_int_t
ngx_gateway_sessions_still(ngx_gateway_mqtt_t *m)
{
    ngx_gateway_worker_t  *w;

    w = ngx_gateway_sessions_worker(m);

    if (m->ticket == 0 || w == NULL || w->sessions == NULL) {
        return NGX_OK;
    }

    switch (gw_sessions_still(w->sessions, m->client, m->ticket)) {

    case GW_OK:
        return NGX_OK;

    case GW_DONE:
        return NGX_DONE;

    default:
        return NGX_DECLINED;
    }
}


void
ngx_gateway_sessions_leave(ngx_gateway_mqtt_t *m)
{
    ngx_gateway_worker_t  *w;

    w = ngx_gateway_sessions_worker(m);

    if (m->ticket && w && w->sessions) {
        gw_sessions_leave(w->sessions, m->client, m->ticket);
        m->ticket = 0;
    }
}


ngx_uint_t
ngx_gateway_sessions_taken(void)
{
    uint32_t                   taken;
    ngx_uint_t                 i, any;
    ngx_gateway_t            **gateways;
    ngx_gateway_worker_t      *w;
    ngx_gateway_main_conf_t   *gmcf;

    gmcf = ngx_gateway_main_conf(ngx_cycle);
    gateways = gmcf->gateways.elts;
    any = 0;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        w = gateways[i]->worker;

        if (w == NULL || w->sessions == NULL) {
            continue;
        }

        taken = gw_sessions_taken(w->sessions, w->sessions_owner);

        any |= (taken != w->sessions_taken);
        w->sessions_taken = taken;
    }

    return any;
}
