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

#include "ngx_gateway_dedup.h"
#include "ngx_gateway_event.h"
#include "ngx_gateway_kafka.h"


/*
 * What a message costs beside its own block, to be charged before it is
 * accepted: malloc's header, and librdkafka's rd_kafka_msg_t with its copy of
 * the key, its header list, and a copy of each header with name and value.
 */

#define NGX_GATEWAY_COST_MESSAGE   (16 + 272)
#define NGX_GATEWAY_COST_HEADER    112


/* of all kinds that a record may have */

#define NGX_GATEWAY_HEADERS_ALL                                               \
    (NGX_GATEWAY_HEADERS_MAX + NGX_GATEWAY_EVENT_HEADERS + 4)


#define ngx_gateway_seed  0x67617465776179ULL


static ngx_int_t ngx_gateway_authorize(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_uint_t *class_index,
    ngx_gateway_result_t *result);
static ngx_uint_t ngx_gateway_headers(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_event_e value,
    ngx_gateway_header_t *headers);
static ngx_gateway_msg_t *ngx_gateway_msg_alloc(ngx_gateway_origin_t *origin,
    ngx_uint_t class_index, size_t value_len, ngx_gateway_header_t *headers,
    ngx_uint_t nheaders, ngx_str_t *device, ngx_gateway_result_t *result);
static ngx_int_t ngx_gateway_compose_refused(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_uint_t class_index, ngx_gateway_msg_t **msgp,
    ngx_gateway_result_t *result, ngx_gateway_failure_t *failure);
static gw_reason_e ngx_gateway_offer(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg);
static const char *ngx_gateway_why(gw_reason_e reason);


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
    ngx_gateway_msg_t **msgp, ngx_gateway_result_t *result,
    ngx_gateway_failure_t *failure)
{
    size_t                 size;
    ngx_str_t              device;
    ngx_uint_t             n, event, class_index;
    ngx_gateway_t         *gateway;
    ngx_gateway_msg_t     *msg;
    ngx_gateway_class_t   *class;
    ngx_gateway_header_t  *list, headers[NGX_GATEWAY_HEADERS_ALL];
    ngx_gateway_schema_t  *schema;

    failure->keyword = NULL;

    if (ngx_gateway_authorize(origin, envelope, &class_index, result)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    gateway = origin->gateway;
    class = gateway->classes.elts;

    schema = origin->schema ? origin->schema
             : origin->schema_off ? NULL : class[class_index].schema;

    if (schema
        && ngx_gateway_schema_check(schema, ngx_gateway_json(gateway),
                                    envelope, failure)
           != NGX_OK)
    {
        return ngx_gateway_compose_refused(origin, envelope, class_index,
                                           msgp, result, failure);
    }

    event = (gateway->output == NGX_GATEWAY_OUTPUT_CLOUDEVENTS);

    if (event || origin->event) {
        list = headers;
        n = ngx_gateway_headers(origin, envelope, NGX_GATEWAY_EVENT_JSON,
                                headers);

    } else {
        list = origin->headers;
        n = origin->nheaders;
    }

    device.data = (u_char *) envelope->device.data;
    device.len = envelope->device.len;

    size = event ? envelope->data.len : gw_envelope_size(envelope);

    msg = ngx_gateway_msg_alloc(origin, class_index, size, list, n, &device,
                                result);
    if (msg == NULL) {
        return NGX_DECLINED;
    }

    ngx_gateway_dedup_identify(gateway->worker, msg, origin, envelope);

    msg->value_len = event
                     ? ngx_gateway_event_write(msg->value, origin, envelope,
                                               ngx_gateway_json(gateway))
                     : gw_envelope_write(msg->value, envelope,
                                         origin->received_at);

    *msgp = msg;

    return NGX_OK;
}


/*
 * The data does not match: nobody will make it do so, so it is refused at
 * once, or goes to the dead letter topic as it came.
 */

static ngx_int_t
ngx_gateway_compose_refused(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_uint_t class_index, ngx_gateway_msg_t **msgp,
    ngx_gateway_result_t *result, ngx_gateway_failure_t *failure)
{
    ngx_str_t              device;
    ngx_uint_t             n;
    ngx_gateway_t         *gateway;
    ngx_gateway_msg_t     *msg;
    ngx_gateway_header_t   headers[NGX_GATEWAY_HEADERS_ALL];

    gateway = origin->gateway;

    gw_stats_schema_failed(gateway->worker->slot, class_index);

    if (gateway->dead_letter.len == 0) {
        return ngx_gateway_refused(result, GW_R_SCHEMA,
                                   ngx_gateway_why(GW_R_SCHEMA));
    }

    n = ngx_gateway_headers(origin, envelope, NGX_GATEWAY_EVENT_DOCUMENT,
                            headers);

    ngx_str_set(&headers[n].name, "gateway-keyword");
    headers[n].value.data = (u_char *) failure->keyword;
    headers[n++].value.len = ngx_strlen(failure->keyword);

    ngx_str_set(&headers[n].name, "gateway-pointer");
    headers[n++].value = failure->pointer;

    device.data = (u_char *) envelope->device.data;
    device.len = envelope->device.len;

    msg = ngx_gateway_msg_alloc(origin, class_index, envelope->document.len,
                                headers, n, &device, result);
    if (msg == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(msg->value, envelope->document.data, envelope->document.len);

    msg->value_len = envelope->document.len;
    msg->refused = GW_R_SCHEMA;
    msg->dead = 1;

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
    ngx_gateway_header_t  headers[NGX_GATEWAY_HEADERS_ALL];

    if (ngx_gateway_authorize(origin, envelope, &class_index, result)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    n = ngx_gateway_headers(origin, envelope, NGX_GATEWAY_EVENT_OPAQUE,
                            headers);

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

    ngx_gateway_dedup_identify(origin->gateway->worker, msg, origin, envelope);

    *msgp = msg;

    return NGX_OK;
}


/* the transport's own, then those of the event */

static ngx_uint_t
ngx_gateway_headers(ngx_gateway_origin_t *origin, gw_envelope_t *envelope,
    ngx_gateway_event_e value, ngx_gateway_header_t *headers)
{
    if (origin->nheaders) {
        ngx_memcpy(headers, origin->headers,
                   origin->nheaders * sizeof(ngx_gateway_header_t));
    }

    return origin->nheaders
           + ngx_gateway_event_headers(origin, envelope, value,
                                       headers + origin->nheaders);
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
    ngx_int_t              rc;
    ngx_uint_t             queued;
    gw_reason_e            reason;
    ngx_gateway_worker_t  *w;

    w = msg->gateway->worker;

    if (w->ended) {
        reason = GW_R_DRAINING;
        goto refused;
    }

    /* who does not wait for more is told what is true: it is in memory */

    queued = (msg->ack == NGX_GATEWAY_ACK_QUEUED || waiter == NULL);

    if (msg->identified) {
        rc = queued ? ngx_gateway_dedup_begin_now(w, msg, &reason)
                    : ngx_gateway_dedup_begin(w, msg, &reason);

        if (rc == NGX_DECLINED) {
            goto refused;
        }

        if (rc == NGX_BUSY && !queued) {

            if (ngx_gateway_dedup_hold(w, msg) != NGX_OK) {
                reason = GW_R_FULL;
                goto refused;
            }

            ngx_gateway_waiter_attach(waiter, msg, index);

            return NGX_AGAIN;
        }

        if (rc != NGX_OK) {
            gw_stats_duplicate(w->slot, msg->protocol, msg->lane.lane);
            ngx_gateway_memory_put(msg);

            result->outcome = (rc == NGX_DONE) ? GW_DUPLICATE : GW_QUEUED;
            result->reason = GW_R_NONE;
            result->detail = NULL;

            return NGX_OK;
        }
    }

    reason = ngx_gateway_offer(w, msg);

    if (reason != GW_R_NONE) {
        goto refused;
    }

    if (queued && msg->refused) {
        return ngx_gateway_refused(result, msg->refused,
                                   ngx_gateway_why(msg->refused));
    }

    if (queued) {
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

    return ngx_gateway_refused(result, reason, ngx_gateway_why(reason));
}


/* into its lane, counted; else its ticket is given back */

static gw_reason_e
ngx_gateway_offer(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    if (gw_lanes_offer(w->lanes, &msg->lane) != GW_OK) {
        ngx_gateway_dedup_settle(w, msg, 0);
        return GW_R_FULL;
    }

    gw_stats_accepted(w->slot, msg->protocol, msg->lane.lane);

    ngx_gateway_hold(w);

    if (!w->pump.posted) {
        ngx_post_event(&w->pump, &ngx_posted_events);
    }

    return GW_R_NONE;
}


void
ngx_gateway_enter(ngx_gateway_msg_t *msg)
{
    gw_reason_e            reason;
    ngx_gateway_result_t   result;
    ngx_gateway_worker_t  *w;

    w = msg->gateway->worker;

    reason = ngx_gateway_offer(w, msg);

    if (reason == GW_R_NONE) {
        return;
    }

    gw_stats_refused(w->slot, msg->protocol, msg->lane.lane, reason);

    (void) ngx_gateway_refused(&result, reason, NULL);

    ngx_gateway_waiter_tell(w, msg, &result, 0);
    ngx_gateway_memory_put(msg);
}


/* NULL: the title of the reason says it all */

static const char *
ngx_gateway_why(gw_reason_e reason)
{
    switch (reason) {

    case GW_R_SCHEMA:
        return "the data does not match the schema";

    case GW_R_CONFLICT:
        return "another payload came under this id before";

    case GW_R_STALE:
        return "the sequence number is below the window of the device";

    default:
        return NULL;
    }
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

    ngx_gateway_dedup_settle(w, msg, result->outcome == GW_DELIVERED);

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

    ngx_gateway_dedup_settle(w, msg, 0);

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


void
ngx_gateway_count_disconnect(ngx_gateway_t *gateway, gw_proto_e protocol,
    gw_end_e end)
{
    gw_stats_slot_t  *slot;

    if (gateway->worker && gateway->worker->slot) {
        slot = gateway->worker->slot;

        gw_stats_begin(slot);
        slot->disconnects[protocol][end]++;
        gw_stats_end(slot);
    }
}


ngx_int_t
ngx_gateway_reserve(ngx_gateway_t *gateway, size_t bytes)
{
    if (gateway->worker == NULL
        || gw_lanes_reserve(gateway->worker->lanes, bytes) != GW_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_gateway_unreserve(ngx_gateway_t *gateway, size_t bytes)
{
    if (gateway->worker) {
        gw_lanes_unreserve(gateway->worker->lanes, bytes);
    }
}
