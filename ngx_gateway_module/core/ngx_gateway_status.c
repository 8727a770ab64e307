/*
 * ngx_gateway_status.c - snapshots of all gateways for the status location,
 * and the answers for load balancers.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>

#include "gw_view.h"
#include "ngx_gateway_dedup.h"


static ngx_int_t ngx_gateway_status_view(ngx_gateway_t *gateway,
    gw_view_gateway_t *view);
static void ngx_gateway_status_free(gw_view_t *view);


ngx_int_t
ngx_gateway_status_page(ngx_pool_t *pool, ngx_uint_t format, ngx_str_t *page)
{
    char                      *text;
    size_t                     len;
    gw_view_t                  view;
    ngx_int_t                  rc;
    ngx_uint_t                 i, n;
    ngx_core_conf_t           *ccf;
    ngx_gateway_t            **gateways;
    ngx_gateway_main_conf_t   *gmcf;

    gmcf = ngx_gateway_main_conf(ngx_cycle);
    gateways = gmcf->gateways.elts;
    n = gmcf->gateways.nelts;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    ngx_memzero(&view, sizeof(gw_view_t));

    view.version = NGX_GATEWAY_VERSION;
    view.nginx = NGINX_VERSION;
    view.librdkafka = rd_kafka_version_str();
    view.jansson = jansson_version_str();
    view.now = ngx_time();
    view.start_time = n ? ngx_gateway_zone_start_time(gateways[0])
                        : ngx_time();
    view.generation = gmcf->generation;
    view.workers = ccf->worker_processes;

    /* a snapshot is a few hundred kilobytes: not for a request's pool */

    view.gateways = ngx_calloc((n + 1) * sizeof(gw_view_gateway_t),
                               ngx_cycle->log);
    if (view.gateways == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    text = NULL;

    for (i = 0; i < n; i++) {
        view.ngateways = i + 1;

        if (ngx_gateway_status_view(gateways[i], &view.gateways[i])
            != NGX_OK)
        {
            goto done;
        }
    }

    text = format == NGX_GATEWAY_STATUS_PROMETHEUS
           ? gw_prometheus(&view, &len) : gw_status_json(&view, &len);

    if (text == NULL) {
        goto done;
    }

    page->data = ngx_pnalloc(pool, len);
    if (page->data == NULL) {
        goto done;
    }

    ngx_memcpy(page->data, text, len);
    page->len = len;

    rc = NGX_OK;

done:

    free(text);
    ngx_gateway_status_free(&view);

    return rc;
}


static ngx_int_t
ngx_gateway_status_view(ngx_gateway_t *gateway, gw_view_gateway_t *view)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i, n;
    gw_stats_slot_t           *slots;
    gw_dedup_stats_t           stats;
    ngx_gateway_dedup_zone_t  *zone;

    if (gateway->worker) {
        ngx_gateway_gauges(gateway->worker);
    }

    view->name.data = gateway->name.data;
    view->name.len = gateway->name.len;
    view->nclasses = gateway->classes.nelts;
    view->has_brokers = gateway->brokers.nelts != 0;
    view->auth_methods = (unsigned) gateway->auth_methods;

    for (i = 0; i < gateway->classes.nelts; i++) {
        name = ngx_gateway_class_name(gateway, i);
        view->class_name[i].data = name->data;
        view->class_name[i].len = name->len;
    }

    zone = gateway->dedup ? ngx_gateway_zone_dedup(gateway, NULL, NULL) : NULL;

    if (zone) {
        ngx_gateway_dedup_zone_stats(zone, &stats, &view->dedup_capacity);

        view->dedup_entries = stats.windows;
        view->dedup_inflight = stats.flights;
        view->dedup_evictions = stats.evicted;
    }

    slots = ngx_gateway_zone_slots(gateway, &n);

    view->slots = ngx_alloc(n * sizeof(gw_stats_slot_t), ngx_cycle->log);
    if (view->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        /* a slot that was never taken has nothing to say */

        if (slots[i].sequence == 0) {
            continue;
        }

        (void) gw_stats_read(&slots[i], &view->slots[view->nslots]);
        gw_stats_merge(&view->sum, &view->slots[view->nslots]);
        view->nslots++;
    }

    return NGX_OK;
}


static void
ngx_gateway_status_free(gw_view_t *view)
{
    ngx_uint_t  i;

    for (i = 0; i < view->ngateways; i++) {
        if (view->gateways[i].slots) {
            ngx_free(view->gateways[i].slots);
        }
    }

    ngx_free(view->gateways);
}


ngx_uint_t
ngx_gateway_ready(const char **why)
{
    ngx_uint_t                 i;
    ngx_gateway_t            **gateways;
    ngx_gateway_worker_t      *w;
    ngx_gateway_main_conf_t   *gmcf;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        *why = "draining";
        return 0;
    }

    gmcf = ngx_gateway_main_conf(ngx_cycle);
    gateways = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        w = gateways[i]->worker;

        if (w == NULL) {
            *why = "not started";
            return 0;
        }

        if (w->draining) {
            *why = "draining";
            return 0;
        }

        if (gw_lanes_pressure(w->lanes) && w->slot && !w->slot->kafka_up) {
            *why = "above the high mark and Kafka does not answer";
            return 0;
        }
    }

    *why = "ready";

    return 1;
}


gw_json_t *
ngx_gateway_json(ngx_gateway_t *gateway)
{
    return gateway->worker ? gateway->worker->json : NULL;
}
