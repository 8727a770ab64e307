/*
 * ngx_gateway_ingest.c - the one way in, whatever the transport: an envelope
 * is authorised, becomes a message, enters its lane; and the one way out:
 * every message ends in ngx_gateway_end() or ngx_gateway_evict().
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ngx_gateway_core.h"
#include "ngx_gateway_kafka.h"


/*
 * What a message costs beside its own block, to be charged before it is
 * accepted: malloc's header, and librdkafka's rd_kafka_msg_t with its copy of
 * the key, its header list, and a copy of each header with name and value.
 */

#define NGX_GATEWAY_COST_MESSAGE   (16 + 272)
#define NGX_GATEWAY_COST_HEADER    112


#define ngx_gateway_seed  0x67617465776179ULL


static ngx_int_t ngx_gateway_authorize(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_uint_t *class_index,
    ngx_gateway_result_t *result);
static ngx_gateway_msg_t *ngx_gateway_msg_alloc(ngx_gateway_origin_t *origin,
    ngx_uint_t class_index, size_t value_len, ngx_gateway_header_t *headers,
    ngx_uint_t nheaders, ngx_str_t *device, ngx_gateway_result_t *result);


static ngx_int_t
ngx_gateway_refused(ngx_gateway_result_t *result, gw_reason_e reason,
    const char *detail)
{
    result->outcome = gw_reason(reason)->outcome;
    result->reason = reason;
    result->detail = detail;

    return NGX_DECLINED;
}


gw_reason_e
ngx_gateway_admit(ngx_gateway_t *gateway, ngx_uint_t class_known,
    ngx_uint_t class_index)
{
    ngx_gateway_worker_t  *w;

    w = gateway->worker;

    if (w == NULL) {
        return GW_R_UPSTREAM;
    }

    if (w->ended) {
        return GW_R_DRAINING;
    }

    if (class_known && class_index == gateway->classes.nelts - 1
        && gw_lanes_pressure(w->lanes))
    {
        return GW_R_PRESSURE;
    }

    return GW_R_NONE;
}


ngx_int_t
ngx_gateway_compose(ngx_gateway_origin_t *origin, gw_envelope_t *envelope,
    ngx_gateway_msg_t **msgp, ngx_gateway_result_t *result)
{
    ngx_str_t           device;
    ngx_uint_t          class_index;
    ngx_gateway_msg_t  *msg;

    if (ngx_gateway_authorize(origin, envelope, &class_index, result)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    device.data = (u_char *) envelope->device.data;
    device.len = envelope->device.len;

    msg = ngx_gateway_msg_alloc(origin, class_index,
                                gw_envelope_size(envelope), origin->headers,
                                origin->nheaders, &device, result);
    if (msg == NULL) {
        return NGX_DECLINED;
    }

    msg->value_len = gw_envelope_write(msg->value, envelope,
                                       origin->received_at);
    *msgp = msg;

    return NGX_OK;
}


ngx_int_t
ngx_gateway_compose_opaque(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_msg_t **msgp,
    ngx_gateway_result_t *result)
{
    u_char                seq[NGX_INT64_LEN], ts[NGX_INT64_LEN];
    u_char                received_at[NGX_INT64_LEN];
    ngx_str_t             device;
    ngx_uint_t            n, class_index;
    ngx_gateway_msg_t    *msg;
    ngx_gateway_header_t  headers[NGX_GATEWAY_HEADERS_MAX + 4];

    if (ngx_gateway_authorize(origin, envelope, &class_index, result)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    n = origin->nheaders;

    if (n) {
        ngx_memcpy(headers, origin->headers, n * sizeof(ngx_gateway_header_t));
    }

    if (envelope->epoch.len) {
        ngx_str_set(&headers[n].name, "gateway-epoch");
        headers[n].value.data = (u_char *) envelope->epoch.data;
        headers[n++].value.len = envelope->epoch.len;
    }

    if (envelope->has_seq) {
        ngx_str_set(&headers[n].name, "gateway-seq");
        headers[n].value.data = seq;
        headers[n++].value.len = ngx_sprintf(seq, "%uL", envelope->seq) - seq;
    }

    if (envelope->has_ts) {
        ngx_str_set(&headers[n].name, "gateway-timestamp");
        headers[n].value.data = ts;
        headers[n++].value.len = ngx_sprintf(ts, "%L", envelope->ts) - ts;
    }

    ngx_str_set(&headers[n].name, "gateway-received-at");
    headers[n].value.data = received_at;
    headers[n++].value.len = ngx_sprintf(received_at, "%L",
                                         origin->received_at) - received_at;

    device.data = (u_char *) envelope->device.data;
    device.len = envelope->device.len;

    msg = ngx_gateway_msg_alloc(origin, class_index, envelope->data.len,
                                headers, n, &device, result);
    if (msg == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(msg->value, envelope->data.data, envelope->data.len);
    msg->value_len = envelope->data.len;

    *msgp = msg;

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_authorize(ngx_gateway_origin_t *origin, gw_envelope_t *envelope,
    ngx_uint_t *class_index, ngx_gateway_result_t *result)
{
    ngx_str_t  *name;

    if (origin->device.len) {

        if (envelope->device.len
            && (envelope->device.len != origin->device.len
                || ngx_memcmp(envelope->device.data, origin->device.data,
                              origin->device.len) != 0))
        {
            return ngx_gateway_refused(result, GW_R_FORBIDDEN,
                           "member \"device\" is not the device of the sender");
        }

        envelope->device.data = origin->device.data;
        envelope->device.len = origin->device.len;

    } else if (origin->identity) {

        if (envelope->device.len == 0) {
            envelope->device.data = origin->identity->device;
            envelope->device.len = origin->identity->device_len;

        } else if (gw_identity_speaks(origin->identity,
                                      envelope->device.data,
                                      envelope->device.len)
                   != GW_OK)
        {
            return ngx_gateway_refused(result, GW_R_FORBIDDEN,
                           "the sender does not speak for this device");
        }

    } else if (envelope->device.len == 0) {
        return ngx_gateway_refused(result, GW_R_MALFORMED,
                                   "member \"device\" is missing");
    }

    *class_index = origin->class_index;

    if (envelope->class_name.len) {

        if (ngx_gateway_find_class(origin->gateway,
                                   (u_char *) envelope->class_name.data,
                                   envelope->class_name.len, class_index)
            != NGX_OK)
        {
            return ngx_gateway_refused(result, GW_R_MALFORMED,
                           "member \"class\" names no class of the gateway");
        }

        if (origin->class_fixed && *class_index != origin->class_index) {
            return ngx_gateway_refused(result, GW_R_MALFORMED,
                           "member \"class\" differs from the class of the "
                           "request");
        }
    }

    if (origin->identity
        && !(origin->identity->classes & (1u << *class_index)))
    {
        return ngx_gateway_refused(result, GW_R_FORBIDDEN,
                           "the sender may not send messages of this class");
    }

    name = ngx_gateway_class_name(origin->gateway, *class_index);

    envelope->class_name.data = name->data;
    envelope->class_name.len = name->len;

    return NGX_OK;
}


static ngx_gateway_msg_t *
ngx_gateway_msg_alloc(ngx_gateway_origin_t *origin, ngx_uint_t class_index,
    size_t value_len, ngx_gateway_header_t *headers, ngx_uint_t nheaders,
    ngx_str_t *device, ngx_gateway_result_t *result)
{
    u_char                *p;
    size_t                 len, size, cost;
    ngx_int_t              topic;
    ngx_str_t             *key;
    ngx_uint_t             i;
    ngx_gateway_t         *gateway;
    ngx_gateway_msg_t     *msg;
    ngx_gateway_class_t   *class;
    ngx_gateway_worker_t  *w;

    gateway = origin->gateway;
    w = gateway->worker;
    class = gateway->classes.elts;
    class = &class[class_index];

    if (w == NULL) {
        ngx_gateway_refused(result, GW_R_UPSTREAM,
                            "the gateway is not started");
        return NULL;
    }

    key = origin->key.len ? &origin->key : device;
    topic = class_index;

    if (origin->topic.len) {
        topic = w->sink->topic(w, &origin->topic);

        if (topic == NGX_ERROR) {
            ngx_gateway_refused(result, GW_R_FORBIDDEN,
                                "the topic is not valid or one too many");
            return NULL;
        }
    }

    size = sizeof(ngx_gateway_msg_t) + key->len + value_len;
    cost = NGX_GATEWAY_COST_MESSAGE + key->len
           + NGX_GATEWAY_COST_HEADER + GW_TRACEPARENT_LEN;

    if (origin->traced && origin->tracestate.len) {
        size += origin->tracestate.len;
        cost += origin->tracestate.len + NGX_GATEWAY_COST_HEADER;
    }

    if (nheaders) {
        size += nheaders * sizeof(ngx_gateway_header_t);
        cost += nheaders * NGX_GATEWAY_COST_HEADER;

        for (i = 0; i < nheaders; i++) {
            len = headers[i].name.len + 1 + headers[i].value.len;
            size += len;
            cost += len;
        }
    }

    size = ngx_gateway_memory_size(size);
    cost += size;

    if (key->len > 65535 || value_len > gateway->message_max
        || cost > gateway->buffer
        || (class->share && cost > (uint64_t) gateway->buffer * class->share
                                   / 100))
    {
        ngx_gateway_refused(result, GW_R_TOO_LARGE,
                            "the message is larger than Kafka or its class "
                            "would ever take");
        return NULL;
    }

    msg = ngx_gateway_memory_get(size, w->log);
    if (msg == NULL) {
        ngx_gateway_refused(result, GW_R_INTERNAL, NULL);
        return NULL;
    }

    msg->lane.cost = cost;
    msg->lane.lane = class_index;
    msg->lane.time = origin->received;
    msg->lane.device = XXH3_64bits_withSeed(device->data, device->len,
                                            ngx_gateway_seed);

    msg->gateway = gateway;
    msg->protocol = origin->protocol;
    msg->received_at = origin->received_at;
    msg->topic = topic;
    msg->ack = origin->ack_min;

    if (origin->ack) {
        msg->ack = ngx_max(msg->ack, origin->ack);

    } else {
        msg->ack = ngx_max(msg->ack, class->ack);
    }

    p = (u_char *) (msg + 1);

    if (nheaders) {
        msg->headers = (ngx_gateway_header_t *) p;
        msg->nheaders = nheaders;

        p += nheaders * sizeof(ngx_gateway_header_t);

        for (i = 0; i < nheaders; i++) {
            msg->headers[i].name.data = p;
            msg->headers[i].name.len = headers[i].name.len;
            p = ngx_cpymem(p, headers[i].name.data, headers[i].name.len);
            *p++ = '\0';

            msg->headers[i].value.data = p;
            msg->headers[i].value.len = headers[i].value.len;
            p = ngx_cpymem(p, headers[i].value.data, headers[i].value.len);
        }
    }

    msg->key = p;
    msg->key_len = key->len;
    p = ngx_cpymem(p, key->data, key->len);

    if (origin->traced) {
        ngx_memcpy(msg->traceparent, origin->traceparent, GW_TRACEPARENT_LEN);

        if (origin->tracestate.len) {
            msg->tracestate = p;
            msg->tracestate_len = origin->tracestate.len;
            p = ngx_cpymem(p, origin->tracestate.data,
                           origin->tracestate.len);
        }

    } else {
        gw_trace_make(ngx_gateway_random(), ngx_gateway_random(),
                      ngx_gateway_random(), msg->traceparent);
    }

    msg->value = p;

    return msg;
}


void
ngx_gateway_discard(ngx_gateway_msg_t *msg)
{
    ngx_gateway_memory_put(msg);
}


ngx_uint_t
ngx_gateway_msg_class(ngx_gateway_msg_t *msg)
{
    return msg->lane.lane;
}


ngx_int_t
ngx_gateway_submit(ngx_gateway_msg_t *msg, ngx_gateway_waiter_t *waiter,
    uint32_t index, ngx_gateway_result_t *result)
{
    gw_reason_e            reason;
    ngx_gateway_worker_t  *w;

    w = msg->gateway->worker;

    if (w->ended) {
        reason = GW_R_DRAINING;
        goto refused;
    }

    if (gw_lanes_offer(w->lanes, &msg->lane) != GW_OK) {
        reason = GW_R_FULL;
        goto refused;
    }

    gw_stats_accepted(w->slot, msg->protocol, msg->lane.lane);

    ngx_gateway_hold(w);

    if (!w->pump.posted) {
        ngx_post_event(&w->pump, &ngx_posted_events);
    }

    if (msg->ack == NGX_GATEWAY_ACK_QUEUED || waiter == NULL) {
        result->outcome = GW_QUEUED;
        result->reason = GW_R_NONE;
        result->detail = NULL;

        return NGX_OK;
    }

    ngx_gateway_waiter_attach(waiter, msg, index);

    return NGX_AGAIN;

refused:

    gw_stats_refused(w->slot, msg->protocol, msg->lane.lane, reason);
    ngx_gateway_memory_put(msg);

    return ngx_gateway_refused(result, reason, NULL);
}


void
ngx_gateway_end(ngx_gateway_msg_t *msg, const ngx_gateway_result_t *result)
{
    uint64_t               queued, delivery;
    ngx_uint_t             cls;
    ngx_gateway_worker_t  *w;

    w = msg->gateway->worker;
    cls = msg->lane.lane;
    delivery = 0;

    gw_lanes_release(w->lanes, &msg->lane);

    if (result->outcome == GW_DELIVERED) {
        queued = msg->produced - (ngx_msec_t) msg->lane.time;
        delivery = ngx_current_msec - msg->produced;

        gw_stats_delivered(w->slot, msg->protocol, cls, queued * 1000,
                           delivery * 1000);
        w->drained[cls].delivered++;

        delivery += queued;

    } else if (result->reason == GW_R_LOST) {
        gw_stats_lost(w->slot, msg->protocol, cls);
        w->drained[cls].lost++;

    } else if (msg->dead) {
        gw_stats_dead_lettered(w->slot, msg->protocol, cls);

    } else {
        gw_stats_failed(w->slot, msg->protocol, cls);
    }

    ngx_gateway_waiter_tell(w, msg, result, delivery);

    ngx_gateway_memory_put(msg);
}


void
ngx_gateway_evict(void *ctx, gw_lane_item_t *item, gw_reason_e reason)
{
    ngx_gateway_msg_t     *msg;
    ngx_gateway_result_t   result;
    ngx_gateway_worker_t  *w;

    w = ctx;
    msg = (ngx_gateway_msg_t *) item;

    gw_stats_shed(w->slot, msg->protocol, item->lane, reason);

    w->sink->forget(w, msg);

    /* of what may have been written nobody is told that it was not stored */

    (void) ngx_gateway_refused(&result, msg->maybe ? GW_R_TIMEOUT : reason,
                               msg->maybe ? "the message may have been "
                                            "written, its outcome is unknown"
                                          : NULL);

    ngx_gateway_waiter_tell(w, msg, &result, 0);

    ngx_gateway_memory_put(msg);
}


void
ngx_gateway_return(ngx_gateway_msg_t *msg)
{
    gw_lanes_put_back(msg->gateway->worker->lanes, &msg->lane);
}


void
ngx_gateway_count_refused(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_uint_t class_index, gw_reason_e reason)
{
    if (gateway->worker) {
        gw_stats_refused(gateway->worker->slot, protocol, class_index, reason);
    }
}


void
ngx_gateway_count_bytes(ngx_gateway_t *gateway, gw_proto_e protocol,
    size_t bytes)
{
    if (gateway->worker) {
        gw_stats_bytes(gateway->worker->slot, protocol, bytes);
    }
}


void
ngx_gateway_count_timeout(ngx_gateway_t *gateway, gw_proto_e protocol)
{
    gw_stats_slot_t  *slot;

    if (gateway->worker && gateway->worker->slot) {
        slot = gateway->worker->slot;

        gw_stats_begin(slot);
        slot->timeouts[protocol]++;
        gw_stats_end(slot);
    }
}


void
ngx_gateway_count_gone(ngx_gateway_t *gateway, gw_proto_e protocol)
{
    gw_stats_slot_t  *slot;

    if (gateway->worker && gateway->worker->slot) {
        slot = gateway->worker->slot;

        gw_stats_begin(slot);
        slot->clients_gone[protocol]++;
        gw_stats_end(slot);
    }
}


void
ngx_gateway_count_answer(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_msec_t duration)
{
    gw_stats_slot_t  *slot;

    if (gateway->worker && gateway->worker->slot) {
        slot = gateway->worker->slot;

        gw_stats_begin(slot);
        gw_hist_add(&slot->ingest[protocol], (uint64_t) duration * 1000);
        gw_stats_end(slot);
    }
}


void
ngx_gateway_count_connection(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_int_t delta)
{
    if (gateway->worker) {
        gateway->worker->connections[protocol] += delta;
    }
}
