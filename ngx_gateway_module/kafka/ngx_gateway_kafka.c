/*
 * ngx_gateway_kafka.c - the producer: made, fed, given up and made anew.
 * What comes back is judged in ngx_gateway_kafka_report.c.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <pthread.h>

#include "gw_backoff.h"
#include "ngx_gateway_kafka.h"


#define NGX_GATEWAY_KAFKA_FATAL_WAIT  15000   /* ms for reports after a fatal
                                                 error, then they are purged */


static ngx_int_t ngx_gateway_kafka_start(ngx_gateway_worker_t *w);
static uint32_t ngx_gateway_kafka_mask(ngx_gateway_worker_t *w);
static ngx_int_t ngx_gateway_kafka_topic(ngx_gateway_worker_t *w,
    ngx_str_t *name);
static ngx_int_t ngx_gateway_kafka_send(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg);
static void ngx_gateway_kafka_forget(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg);
static void ngx_gateway_kafka_tick(ngx_gateway_worker_t *w);
static void ngx_gateway_kafka_stop(ngx_gateway_worker_t *w,
    ngx_msec_t timeout);

static ngx_int_t ngx_gateway_kafka_new(ngx_gateway_kafka_t *k);
static rd_kafka_headers_t *ngx_gateway_kafka_headers(ngx_gateway_msg_t *msg);
static rd_kafka_topic_t *ngx_gateway_kafka_topic_handle(ngx_gateway_kafka_t *k,
    ngx_uint_t n);
static void ngx_gateway_kafka_retire(ngx_gateway_kafka_t *k);
static void *ngx_gateway_kafka_destroy_thread(void *data);
static void ngx_gateway_kafka_leave(void);


const ngx_gateway_sink_t  ngx_gateway_kafka_sink = {
    ngx_gateway_kafka_start,
    ngx_gateway_kafka_mask,
    ngx_gateway_kafka_topic,
    ngx_gateway_kafka_send,
    ngx_gateway_kafka_forget,
    ngx_gateway_kafka_poll,
    ngx_gateway_kafka_tick,
    ngx_gateway_kafka_stop
};


/* handles being destroyed by threads; written by those, hence atomic */

static ngx_atomic_t  ngx_gateway_kafka_retiring;

static ngx_uint_t    ngx_gateway_kafka_hurry;   /* leave() is registered */


static ngx_int_t
ngx_gateway_kafka_start(ngx_gateway_worker_t *w)
{
    ngx_uint_t            i;
    ngx_str_t            *topic;
    ngx_gateway_t        *gateway;
    ngx_gateway_class_t  *class;
    ngx_gateway_kafka_t  *k;

    gateway = w->gateway;

    k = ngx_pcalloc(w->cycle->pool, sizeof(ngx_gateway_kafka_t));
    if (k == NULL) {
        return NGX_ERROR;
    }

    k->worker = w;
    w->sink_data = k;

    class = gateway->classes.elts;

    for (i = 0; i < gateway->classes.nelts; i++) {
        k->topics[i].name = class[i].topic;
    }

    /* the slot of dead_letter is there whether it is set or not */

    topic = &k->topics[i++].name;
    *topic = gateway->dead_letter;

    k->ntopics = i;
    k->progress = ngx_current_msec;

    return ngx_gateway_kafka_new(k);
}


static ngx_int_t
ngx_gateway_kafka_new(ngx_gateway_kafka_t *k)
{
    char              errstr[512];
    uint64_t          one;
    ngx_uint_t        i;
    rd_kafka_t       *rk;
    rd_kafka_conf_t  *conf;

    conf = ngx_gateway_kafka_conf_dup(k->worker->gateway);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof(errstr));

    if (rk == NULL) {
        ngx_log_error(NGX_LOG_CRIT, k->worker->log, 0,
                      "gateway \"%V\": rd_kafka_new() failed: %s",
                      &k->worker->gateway->name, errstr);

        rd_kafka_conf_destroy(conf);

        k->start_at = ngx_current_msec
                      + (ngx_msec_t) gw_backoff(1000, 60000,
                                                k->start_attempt++,
                                                ngx_gateway_random());
        return NGX_ERROR;
    }

    (void) rd_kafka_set_log_queue(rk, NULL);

    k->rk = rk;
    k->queue = rd_kafka_queue_get_main(rk);
    k->fatal = 0;
    k->purged = 0;
    k->full = 0;
    k->start_attempt = 0;

    one = 1;
    rd_kafka_queue_io_event_enable(k->queue, k->worker->eventfd, &one,
                                   sizeof(uint64_t));

    /*
     * librdkafka writes when its queue was empty; what came before, a log line
     * or a refused connection, would keep it from ever writing at all
     */

    if (write(k->worker->eventfd, &one, sizeof(uint64_t)) == -1) {
        ngx_log_error(NGX_LOG_ALERT, k->worker->log, ngx_errno,
                      "gateway \"%V\": write() to eventfd failed",
                      &k->worker->gateway->name);
    }

    for (i = 0; i < k->ntopics; i++) {
        k->topics[i].handle = NULL;
    }

    return NGX_OK;
}


static rd_kafka_topic_t *
ngx_gateway_kafka_topic_handle(ngx_gateway_kafka_t *k, ngx_uint_t n)
{
    if (k->topics[n].handle == NULL) {
        k->topics[n].handle = rd_kafka_topic_new(k->rk,
                                          (char *) k->topics[n].name.data,
                                          NULL);
    }

    return k->topics[n].handle;
}


static ngx_int_t
ngx_gateway_kafka_topic(ngx_gateway_worker_t *w, ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_str_t            *topic;
    ngx_gateway_kafka_t  *k;

    k = w->sink_data;

    if (k == NULL || ngx_gateway_topic_valid(name) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < k->ntopics; i++) {
        topic = &k->topics[i].name;

        if (topic->len == name->len
            && ngx_memcmp(topic->data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    if (i == w->gateway->classes.nelts + 1 + NGX_GATEWAY_KAFKA_TOPICS_MAX) {
        return NGX_ERROR;
    }

    topic = &k->topics[i].name;

    topic->data = ngx_pnalloc(w->cycle->pool, name->len + 1);
    if (topic->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(topic->data, name->data, name->len);
    topic->data[name->len] = '\0';
    topic->len = name->len;

    k->ntopics++;

    return i;
}


static uint32_t
ngx_gateway_kafka_mask(ngx_gateway_worker_t *w)
{
    size_t                      bytes;
    uint32_t                    mask;
    ngx_uint_t                  i, n, messages;
    ngx_gateway_t              *gateway;
    ngx_gateway_kafka_t        *k;
    ngx_gateway_kafka_class_t  *class;

    k = w->sink_data;
    gateway = w->gateway;

    if (k == NULL || k->rk == NULL || k->fatal || k->full || k->stopping
        || k->out >= gateway->window_messages
        || k->out_bytes >= gateway->window_bytes
        || (k->solo && k->out))
    {
        return 0;
    }

    mask = 0;

    /* the top class finds room whatever the others hold */

    bytes = k->out_bytes - k->classes[0].out_bytes;
    messages = k->out - k->classes[0].out;

    n = gateway->classes.nelts;

    for (i = 0; i < n; i++) {
        class = &k->classes[i];

        if (class->gate == NGX_GATEWAY_GATE_CLOSED) {

            if (class->out
                || (ngx_msec_int_t) (class->retry_at - ngx_current_msec) > 0)
            {
                continue;
            }

            class->gate = NGX_GATEWAY_GATE_PROBE;
        }

        if (class->out && class->gate == NGX_GATEWAY_GATE_PROBE) {
            continue;
        }

        if (i && (bytes >= gateway->window_bytes / 4 * 3
                  || messages >= gateway->window_messages / 4 * 3))
        {
            continue;
        }

        mask |= (uint32_t) 1 << i;
    }

    return mask;
}


static ngx_int_t
ngx_gateway_kafka_send(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    ngx_uint_t                  n;
    rd_kafka_topic_t           *topic;
    rd_kafka_headers_t         *headers;
    rd_kafka_resp_err_t         err;
    ngx_gateway_kafka_t        *k;
    ngx_gateway_kafka_class_t  *class;

    k = w->sink_data;
    class = &k->classes[msg->lane.lane];
    n = msg->dead ? ngx_gateway_kafka_dead(w->gateway) : msg->topic;

    topic = ngx_gateway_kafka_topic_handle(k, n);
    if (topic == NULL) {
        ngx_gateway_kafka_close_gate(k, msg->lane.lane);
        return NGX_AGAIN;
    }

    /*
     * No copy flag: the value stays ours and unchanged until the report.  The
     * key and the headers are copied by librdkafka.
     */

    if (msg->nheaders == 0 && msg->tracestate_len == 0 && !msg->dead) {

        err = rd_kafka_producev(k->rk,
                                RD_KAFKA_V_RKT(topic),
                                RD_KAFKA_V_KEY(msg->key, msg->key_len),
                                RD_KAFKA_V_VALUE(msg->value, msg->value_len),
                                RD_KAFKA_V_TIMESTAMP(msg->received_at),
                                RD_KAFKA_V_OPAQUE(msg),
                                RD_KAFKA_V_HEADER("traceparent",
                                                  msg->traceparent,
                                                  GW_TRACEPARENT_LEN),
                                RD_KAFKA_V_END);

    } else {
        headers = ngx_gateway_kafka_headers(msg);
        if (headers == NULL) {
            ngx_gateway_kafka_close_gate(k, msg->lane.lane);
            return NGX_AGAIN;
        }

        err = rd_kafka_producev(k->rk,
                                RD_KAFKA_V_RKT(topic),
                                RD_KAFKA_V_KEY(msg->key, msg->key_len),
                                RD_KAFKA_V_VALUE(msg->value, msg->value_len),
                                RD_KAFKA_V_TIMESTAMP(msg->received_at),
                                RD_KAFKA_V_OPAQUE(msg),
                                RD_KAFKA_V_HEADERS(headers),
                                RD_KAFKA_V_END);

        /* headers belong to librdkafka only when it took the message */

        if (err) {
            rd_kafka_headers_destroy(headers);
        }
    }

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {

        if (k->out == 0) {
            k->progress = ngx_current_msec;
        }

        if (msg->solo) {
            msg->solo = 0;
            msg->alone = 1;
        }

        msg->produced = ngx_current_msec;

        k->out++;
        k->out_bytes += msg->lane.cost;
        class->out++;
        class->out_bytes += msg->lane.cost;

        return NGX_OK;
    }

    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        /* reports make room, and the next of them asks for more */
        k->full = 1;
        return NGX_AGAIN;
    }

    n = ngx_gateway_kafka_permanent(k, msg, err);

    ngx_gateway_kafka_count(k, n);

    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        ngx_gateway_kafka_set_fatal(k);
        return NGX_AGAIN;
    }

    if (n) {
        return ngx_gateway_kafka_reject(k, msg, err);
    }

    ngx_gateway_kafka_close_gate(k, msg->lane.lane);

    return NGX_AGAIN;
}


static void
ngx_gateway_kafka_forget(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg)
{
    ngx_gateway_kafka_t  *k;

    k = w->sink_data;

    if (msg->solo) {
        msg->solo = 0;
        k->solo--;
    }
}


static rd_kafka_headers_t *
ngx_gateway_kafka_headers(ngx_gateway_msg_t *msg)
{
    const char            *name;
    ngx_str_t             *topic;
    ngx_uint_t             i;
    rd_kafka_headers_t    *headers;
    gw_reason_e            reason;
    ngx_gateway_kafka_t   *k;
    rd_kafka_resp_err_t    err;

    headers = rd_kafka_headers_new(msg->nheaders + 5);
    if (headers == NULL) {
        return NULL;
    }

    err = rd_kafka_header_add(headers, "traceparent", -1, msg->traceparent,
                              GW_TRACEPARENT_LEN);

    if (msg->tracestate_len) {
        err |= rd_kafka_header_add(headers, "tracestate", -1, msg->tracestate,
                                   msg->tracestate_len);
    }

    for (i = 0; i < msg->nheaders; i++) {
        err |= rd_kafka_header_add(headers, (char *) msg->headers[i].name.data,
                                   msg->headers[i].name.len,
                                   msg->headers[i].value.data,
                                   msg->headers[i].value.len);
    }

    if (msg->dead) {
        k = msg->gateway->worker->sink_data;
        topic = &k->topics[msg->topic].name;
        reason = msg->refused ? msg->refused : GW_R_UPSTREAM_REJECTED;

        err |= rd_kafka_header_add(headers, "gateway-reason", -1,
                                   gw_reason(reason)->name, -1);

        if (reason == GW_R_UPSTREAM_REJECTED) {
            name = rd_kafka_err2name((rd_kafka_resp_err_t) msg->error);
            err |= rd_kafka_header_add(headers, "gateway-error", -1, name, -1);
        }

        err |= rd_kafka_header_add(headers, "gateway-topic", -1, topic->data,
                                   topic->len);
    }

    if (err) {
        rd_kafka_headers_destroy(headers);
        return NULL;
    }

    return headers;
}


void
ngx_gateway_kafka_close_gate(ngx_gateway_kafka_t *k, ngx_uint_t cls)
{
    ngx_gateway_t              *gateway;
    ngx_gateway_kafka_class_t  *class;

    gateway = k->worker->gateway;
    class = &k->classes[cls];

    /* one failure of many that were out together counts once */

    if (class->gate == NGX_GATEWAY_GATE_CLOSED) {
        return;
    }

    class->gate = NGX_GATEWAY_GATE_CLOSED;
    class->retry_at = ngx_current_msec
                      + (ngx_msec_t) gw_backoff(gateway->retry_min,
                                                gateway->retry_max,
                                                class->attempt++,
                                                ngx_gateway_random());
}


void
ngx_gateway_kafka_set_fatal(ngx_gateway_kafka_t *k)
{
    char                 errstr[512];
    gw_stats_slot_t     *slot;
    rd_kafka_resp_err_t  err;

    if (k->fatal || k->rk == NULL) {
        return;
    }

    k->fatal = 1;
    k->fatal_at = ngx_current_msec;

    errstr[0] = '\0';
    err = rd_kafka_fatal_error(k->rk, errstr, sizeof(errstr));

    slot = k->worker->slot;

    if (slot) {
        gw_stats_begin(slot);
        slot->kafka_fatal_errors++;
        gw_stats_end(slot);
    }

    ngx_log_error(NGX_LOG_ERR, k->worker->log, 0,
                  "gateway \"%V\": the producer failed for good (%s: %s), "
                  "%ui messages are out; a new one takes over",
                  &k->worker->gateway->name, rd_kafka_err2name(err), errstr,
                  k->out);

    /* what was not sent comes back at once, what was sent when it is known */

    (void) rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE
                                 |RD_KAFKA_PURGE_F_NON_BLOCKING);
}


static void
ngx_gateway_kafka_tick(ngx_gateway_worker_t *w)
{
    ngx_gateway_kafka_t  *k;

    k = w->sink_data;

    if (k == NULL || k->stopping) {
        return;
    }

    ngx_gateway_kafka_state(k);

    if (k->rk == NULL) {

        if ((ngx_msec_int_t) (ngx_current_msec - k->start_at) >= 0) {
            (void) ngx_gateway_kafka_new(k);
        }

        return;
    }

    if (!k->fatal) {
        return;
    }

    if (k->out == 0) {
        ngx_gateway_kafka_retire(k);
        (void) ngx_gateway_kafka_new(k);

        return;
    }

    if (!k->purged
        && ngx_current_msec - k->fatal_at > NGX_GATEWAY_KAFKA_FATAL_WAIT)
    {
        k->purged = 1;

        (void) rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE
                                     |RD_KAFKA_PURGE_F_INFLIGHT
                                     |RD_KAFKA_PURGE_F_NON_BLOCKING);
    }
}


/* gives the handle to a thread that destroys it: that may take its time */

static void
ngx_gateway_kafka_retire(ngx_gateway_kafka_t *k)
{
    ngx_uint_t      i;
    pthread_t       tid;
    sigset_t        set, old;
    rd_kafka_t     *rk;
    pthread_attr_t  attr;

    rk = k->rk;

    for (i = 0; i < k->ntopics; i++) {
        if (k->topics[i].handle) {
            rd_kafka_topic_destroy(k->topics[i].handle);
            k->topics[i].handle = NULL;
        }
    }

    rd_kafka_queue_io_event_enable(k->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(k->queue);

    k->queue = NULL;
    k->rk = NULL;

    (void) ngx_atomic_fetch_add(&ngx_gateway_kafka_retiring, 1);

    /* signals are the worker's own thread's */

    sigfillset(&set);
    (void) pthread_sigmask(SIG_BLOCK, &set, &old);

    if (pthread_attr_init(&attr) != 0) {
        goto failed;
    }

    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

    if (pthread_create(&tid, &attr, ngx_gateway_kafka_destroy_thread, rk)
        != 0)
    {
        (void) pthread_attr_destroy(&attr);
        goto failed;
    }

    (void) pthread_attr_destroy(&attr);
    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    return;

failed:

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    ngx_log_error(NGX_LOG_ALERT, k->worker->log, 0,
                  "gateway \"%V\": a thread could not be made, a producer "
                  "handle stays", &k->worker->gateway->name);

    (void) ngx_atomic_fetch_add(&ngx_gateway_kafka_retiring, -1);
}


static void *
ngx_gateway_kafka_destroy_thread(void *data)
{
    rd_kafka_destroy(data);

    (void) ngx_atomic_fetch_add(&ngx_gateway_kafka_retiring, -1);

    return NULL;
}


static void
ngx_gateway_kafka_stop(ngx_gateway_worker_t *w, ngx_msec_t timeout)
{
    ngx_msec_t            deadline;
    ngx_gateway_kafka_t  *k;

    k = w->sink_data;

    if (k == NULL || k->stopping) {
        return;
    }

    k->stopping = 1;
    deadline = ngx_current_msec + timeout;

    if (k->rk) {

        if (k->out) {
            (void) rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE
                                         |RD_KAFKA_PURGE_F_INFLIGHT
                                         |RD_KAFKA_PURGE_F_NON_BLOCKING);
        }

        while (k->out
               && (ngx_msec_int_t) (deadline - ngx_current_msec) > 0)
        {
            ngx_gateway_kafka_poll(w, 10);
            ngx_time_update();
        }

        ngx_gateway_kafka_retire(k);
    }

    /* the process ends soon: the threads should have ended before it does */

    while (ngx_gateway_kafka_retiring
           && (ngx_msec_int_t) (deadline - ngx_current_msec) > 0)
    {
        ngx_msleep(2);
        ngx_time_update();
    }

    if (ngx_gateway_kafka_retiring && !ngx_gateway_kafka_hurry) {
        ngx_gateway_kafka_hurry = 1;
        (void) atexit(ngx_gateway_kafka_leave);
    }
}


/*
 * A thread of librdkafka that still runs while exit() takes its libraries
 * down would crash the process.  This handler is the last registered, so the
 * first called: where such a thread is left, nothing else is taken down.
 */

static void
ngx_gateway_kafka_leave(void)
{
    if (ngx_gateway_kafka_retiring) {
        _exit(0);
    }
}
