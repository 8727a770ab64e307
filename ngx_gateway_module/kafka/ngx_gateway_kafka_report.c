/*
 * ngx_gateway_kafka_report.c - what comes back from librdkafka: delivery
 * reports, errors, statistics and log lines, all served on the loop.
 *
 * Each report is judged by rd_kafka_message_status(), never by its error code
 * alone.  Persisted: delivered.  Otherwise the error decides:
 *
 *   permanent   the same message would fail again: refused, to dead_letter
 *               where there is one.  An error that a broker gives for a whole
 *               batch is first tried with each message of it alone, so that
 *               one bad message takes no good one with it
 *   transient   everything else: back to its lane, in order.  Where the
 *               message may have been written all the same, this is the one
 *               place where the gateway itself can make a duplicate: counted
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <jansson.h>

#include "ngx_gateway_kafka.h"


#define NGX_GATEWAY_KAFKA_BATCH   256
#define NGX_GATEWAY_KAFKA_TURN    8192   /* messages served in one turn */
#define NGX_GATEWAY_KAFKA_STALL   3000   /* ms without a report: not up */
#define NGX_GATEWAY_KAFKA_LINES   10     /* log lines a second */


static ngx_uint_t ngx_gateway_kafka_reports(ngx_gateway_kafka_t *k,
    rd_kafka_event_t *event);
static void ngx_gateway_kafka_report(ngx_gateway_kafka_t *k,
    const rd_kafka_message_t *rkm);
static ngx_uint_t ngx_gateway_kafka_whole_batch(rd_kafka_resp_err_t err);
static void ngx_gateway_kafka_error(ngx_gateway_kafka_t *k,
    rd_kafka_event_t *event);
static void ngx_gateway_kafka_statistics(ngx_gateway_kafka_t *k,
    const char *text);
static void ngx_gateway_kafka_log(ngx_gateway_kafka_t *k,
    rd_kafka_event_t *event);
static ngx_uint_t ngx_gateway_kafka_may_log(ngx_gateway_kafka_t *k);


void
ngx_gateway_kafka_poll(ngx_gateway_worker_t *w, ngx_msec_t timeout)
{
    ngx_uint_t            n;
    rd_kafka_event_t     *event;
    ngx_gateway_kafka_t  *k;

    k = w->sink_data;

    if (k == NULL || k->queue == NULL) {
        return;
    }

    n = 0;

    while (n < NGX_GATEWAY_KAFKA_TURN) {

        event = rd_kafka_queue_poll(k->queue, (int) timeout);

        if (event == NULL) {
            break;
        }

        timeout = 0;

        switch (rd_kafka_event_type(event)) {

        case RD_KAFKA_EVENT_DR:
            n += ngx_gateway_kafka_reports(k, event);
            break;

        case RD_KAFKA_EVENT_ERROR:
            ngx_gateway_kafka_error(k, event);
            n += 64;
            break;

        case RD_KAFKA_EVENT_STATS:
            ngx_gateway_kafka_statistics(k, rd_kafka_event_stats(event));
            n += 64;
            break;

        case RD_KAFKA_EVENT_LOG:
            ngx_gateway_kafka_log(k, event);
            n += 64;
            break;

        default:
            n++;
            break;
        }

        rd_kafka_event_destroy(event);
    }

    if (n >= NGX_GATEWAY_KAFKA_TURN && !k->stopping
        && !w->connection->read->posted)
    {
        /* no second wake-up comes for what is left: see to it next turn */
        ngx_post_event(w->connection->read, &ngx_posted_next_events);
    }

    if (n && !k->stopping && !w->pump.posted) {
        ngx_post_event(&w->pump, &ngx_posted_events);
    }
}


static ngx_uint_t
ngx_gateway_kafka_reports(ngx_gateway_kafka_t *k, rd_kafka_event_t *event)
{
    size_t                     i, n;
    ngx_uint_t                 total;
    const rd_kafka_message_t  *batch[NGX_GATEWAY_KAFKA_BATCH];

    total = 0;
    k->full = 0;
    k->progress = ngx_current_msec;

    for ( ;; ) {
        n = rd_kafka_event_message_array(event, batch,
                                         NGX_GATEWAY_KAFKA_BATCH);
        if (n == 0) {
            break;
        }

        for (i = 0; i < n; i++) {
            ngx_gateway_kafka_report(k, batch[i]);
        }

        total += n;
    }

    if (!k->up) {
        ngx_gateway_kafka_state(k);
    }

    return total;
}


static void
ngx_gateway_kafka_report(ngx_gateway_kafka_t *k,
    const rd_kafka_message_t *rkm)
{
    ngx_uint_t                  alone, permanent;
    gw_report_e                 report;
    gw_stats_slot_t            *slot;
    ngx_gateway_msg_t          *msg;
    ngx_gateway_result_t        result;
    rd_kafka_msg_status_t       status;
    ngx_gateway_kafka_class_t  *class;

    msg = rkm->_private;
    class = &k->classes[msg->lane.lane];
    slot = k->worker->slot;

    k->out--;
    k->out_bytes -= msg->lane.cost;
    class->out--;
    class->out_bytes -= msg->lane.cost;

    alone = msg->alone;

    if (alone) {
        msg->alone = 0;
        k->solo--;
    }

    status = rd_kafka_message_status(rkm);

    /*
     * A producer that failed for good knows of the last attempt only: a batch
     * that timed out, was written all the same, and then was refused as out of
     * order comes back as "not persisted".
     */

    if (status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
        && !k->fatal
        && rd_kafka_fatal_error(k->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        /* its event comes behind the reports */
        ngx_gateway_kafka_set_fatal(k);
    }

    report = status == RD_KAFKA_MSG_STATUS_PERSISTED
             ? GW_REPORT_PERSISTED
             : status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED && !k->fatal
               ? GW_REPORT_NOT_PERSISTED : GW_REPORT_POSSIBLY_PERSISTED;

    if (slot) {
        gw_stats_begin(slot);
        slot->kafka_reports[report]++;
        gw_stats_end(slot);
    }

    if (report == GW_REPORT_PERSISTED) {

        if (class->gate == NGX_GATEWAY_GATE_PROBE) {
            class->gate = NGX_GATEWAY_GATE_OPEN;
            class->attempt = 0;
        }

        k->down = 0;
        k->seen = 1;

        if (msg->dead) {
            result.reason = msg->refused ? msg->refused
                                         : GW_R_UPSTREAM_REJECTED;
            result.outcome = gw_reason(result.reason)->outcome;
            result.detail = "the message is in the dead letter topic";

        } else {
            result.outcome = GW_DELIVERED;
            result.reason = GW_R_NONE;
            result.detail = NULL;
        }

        ngx_gateway_end(msg, &result);

        return;
    }

    if (k->stopping) {
        ngx_gateway_return(msg);
        return;
    }

    permanent = ngx_gateway_kafka_permanent(k, msg, rkm->err);

    ngx_gateway_kafka_count(k, permanent);

    if (permanent) {

        if (!alone && ngx_gateway_kafka_whole_batch(rkm->err)) {
            msg->solo = 1;
            k->solo++;
            ngx_gateway_return(msg);
            return;
        }

        if (class->gate == NGX_GATEWAY_GATE_PROBE) {
            /* Kafka answered: it is this message that it does not want */
            class->gate = NGX_GATEWAY_GATE_OPEN;
            class->attempt = 0;
        }

        if (ngx_gateway_kafka_reject(k, msg, rkm->err) != NGX_OK) {
            ngx_gateway_return(msg);
        }

        return;
    }

    if (slot) {
        gw_stats_begin(slot);
        slot->kafka_retries++;

        if (report == GW_REPORT_POSSIBLY_PERSISTED) {
            slot->kafka_possible_duplicates++;
        }

        gw_stats_end(slot);
    }

    if (report == GW_REPORT_POSSIBLY_PERSISTED) {
        msg->maybe = 1;
    }

    if (ngx_gateway_kafka_may_log(k)) {
        ngx_log_error(NGX_LOG_WARN, k->worker->log, 0,
                      "gateway \"%V\": a message of class \"%V\" was %s (%s), "
                      "it is sent again", &k->worker->gateway->name,
                      ngx_gateway_class_name(k->worker->gateway,
                                             msg->lane.lane),
                      report == GW_REPORT_POSSIBLY_PERSISTED
                      ? "possibly written" : "not written",
                      rd_kafka_err2name(rkm->err));
    }

    if (alone) {
        /* it is still to be sent alone */
        msg->solo = 1;
        k->solo++;
    }

    ngx_gateway_kafka_close_gate(k, msg->lane.lane);
    ngx_gateway_return(msg);
}


/*
 * Kafka will not have this message.  NGX_OK: it has ended.  NGX_AGAIN: it is
 * still the caller's and goes to the dead letter topic next.
 */

ngx_int_t
ngx_gateway_kafka_reject(ngx_gateway_kafka_t *k, ngx_gateway_msg_t *msg,
    rd_kafka_resp_err_t err)
{
    ngx_gateway_t         *gateway;
    ngx_gateway_result_t   result;

    gateway = k->worker->gateway;

    if (msg->solo) {
        msg->solo = 0;
        k->solo--;
    }

    if (ngx_gateway_kafka_may_log(k)) {
        ngx_log_error(NGX_LOG_ERR, k->worker->log, 0,
                      "gateway \"%V\": Kafka refused a message of class "
                      "\"%V\" for good (%s)%s", &gateway->name,
                      ngx_gateway_class_name(gateway, msg->lane.lane),
                      rd_kafka_err2name(err),
                      msg->dead ? ", in the dead letter topic too"
                      : gateway->dead_letter.len ? ", it is dead-lettered"
                      : "");
    }

    if (gateway->dead_letter.len && !msg->dead) {
        msg->dead = 1;
        msg->error = (int16_t) err;

        return NGX_AGAIN;
    }

    msg->dead = 0;

    /* refused before, and the dead letter topic will not have it either */

    result.reason = msg->refused ? msg->refused : GW_R_UPSTREAM_REJECTED;
    result.outcome = gw_reason(result.reason)->outcome;
    result.detail = NULL;

    ngx_gateway_end(msg, &result);

    return NGX_OK;
}


/*
 * The same message would be refused again, however often it is sent.  A topic
 * of a class that is missing is waited for; the dead letter topic and topics
 * that requests name are not, or one message would hold its class up for ever.
 */

ngx_uint_t
ngx_gateway_kafka_permanent(ngx_gateway_kafka_t *k, ngx_gateway_msg_t *msg,
    rd_kafka_resp_err_t err)
{
    switch (err) {

    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return msg->dead
               || msg->topic > ngx_gateway_kafka_dead(k->worker->gateway);

    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
        return 1;

    default:
        return 0;
    }
}


/* of these, the ones that one message brings upon all in its batch */

static ngx_uint_t
ngx_gateway_kafka_whole_batch(rd_kafka_resp_err_t err)
{
    switch (err) {

    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return 1;

    default:
        return 0;
    }
}


void
ngx_gateway_kafka_count(ngx_gateway_kafka_t *k, ngx_uint_t permanent)
{
    gw_stats_slot_t  *slot;

    slot = k->worker->slot;

    if (slot) {
        gw_stats_begin(slot);

        if (permanent) {
            slot->kafka_permanent_errors++;

        } else {
            slot->kafka_transient_errors++;
        }

        gw_stats_end(slot);
    }
}


static void
ngx_gateway_kafka_error(ngx_gateway_kafka_t *k, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t  err;

    err = rd_kafka_event_error(event);

    if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event))
    {
        ngx_gateway_kafka_set_fatal(k);
        return;
    }

    ngx_gateway_kafka_count(k, 0);

    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        k->down = 1;
    }

    if (ngx_gateway_kafka_may_log(k)) {
        ngx_log_error(NGX_LOG_WARN, k->worker->log, 0,
                      "gateway \"%V\": Kafka: %s: %s",
                      &k->worker->gateway->name, rd_kafka_err2name(err),
                      rd_kafka_event_error_string(event));
    }
}


/* up: somebody answered, not all are down, and reports come while we wait */

void
ngx_gateway_kafka_state(ngx_gateway_kafka_t *k)
{
    unsigned          up;
    gw_stats_slot_t  *slot;

    up = k->rk != NULL && k->seen && !k->down && !k->fatal
         && (k->out == 0
             || ngx_current_msec - k->progress < NGX_GATEWAY_KAFKA_STALL);

    slot = k->worker->slot;

    if (slot && slot->kafka_up != up) {
        gw_stats_begin(slot);
        slot->kafka_up = up;
        gw_stats_end(slot);
    }

    if (up == k->up) {
        return;
    }

    k->up = up;

    if (up) {
        ngx_log_error(NGX_LOG_NOTICE, k->worker->log, 0,
                      "gateway \"%V\": Kafka answers",
                      &k->worker->gateway->name);
    } else {
        ngx_log_error(NGX_LOG_WARN, k->worker->log, 0,
                      "gateway \"%V\": Kafka does not answer: %ui messages "
                      "are out, %uD wait", &k->worker->gateway->name, k->out,
                      gw_lanes_waiting(k->worker->lanes));
    }
}


/*
 * Only the member "brokers" is parsed: the part on topics and partitions
 * grows with the cluster and says nothing that is shown.
 */

static void
ngx_gateway_kafka_statistics(ngx_gateway_kafka_t *k, const char *text)
{
    void               *iter;
    json_t             *all, *broker, *rtt;
    uint64_t            retries;
    ngx_uint_t          n, up, any;
    const char         *p, *name, *state, *source;
    gw_stats_slot_t    *slot;
    gw_stats_broker_t   brokers[GW_STATS_BROKERS];

    p = strstr(text, "\"brokers\":");
    if (p == NULL) {
        return;
    }

    all = json_loads(p + sizeof("\"brokers\":") - 1, JSON_DISABLE_EOF_CHECK,
                     NULL);
    if (all == NULL) {
        return;
    }

    ngx_memzero(brokers, sizeof(brokers));

    any = 0;
    n = 0;
    retries = 0;

    for (iter = json_object_iter(all);
         iter;
         iter = json_object_iter_next(all, iter))
    {
        broker = json_object_iter_value(iter);

        name = json_string_value(json_object_get(broker, "nodename"));
        state = json_string_value(json_object_get(broker, "state"));
        source = json_string_value(json_object_get(broker, "source"));

        if (name == NULL || state == NULL || source == NULL) {
            continue;
        }

        up = ngx_strcmp(state, "UP") == 0;
        any |= up;

        retries += json_integer_value(json_object_get(broker, "txretries"));

        /* a bootstrap entry hands over to the broker that it turns out to be */

        if (n == GW_STATS_BROKERS || name[0] == '\0'
            || ngx_strcmp(source, "logical") == 0
            || ngx_strcmp(source, "internal") == 0
            || (ngx_strcmp(source, "configured") == 0
                && json_integer_value(json_object_get(broker, "nodeid")) < 0
                && !up))
        {
            continue;
        }

        rtt = json_object_get(broker, "rtt");

        ngx_cpystrn((u_char *) brokers[n].name, (u_char *) name,
                    GW_STATS_BROKER_NAME);
        brokers[n].up = up;
        brokers[n].rtt_p50_us = json_integer_value(json_object_get(rtt,
                                                                   "p50"));
        brokers[n].rtt_p99_us = json_integer_value(json_object_get(rtt,
                                                                   "p99"));
        n++;
    }

    json_decref(all);

    if (any) {
        k->seen = 1;
        k->down = 0;
    }

    slot = k->worker->slot;

    if (slot) {
        /* readers of the slot wait for this section: it only copies */

        gw_stats_begin(slot);

        ngx_memcpy(slot->brokers, brokers, sizeof(brokers));
        slot->nbrokers = n;
        slot->kafka_tx_retries += retries >= k->tx_retries
                                  ? retries - k->tx_retries : retries;
        gw_stats_end(slot);
    }

    k->tx_retries = retries;
}


static void
ngx_gateway_kafka_log(ngx_gateway_kafka_t *k, rd_kafka_event_t *event)
{
    int          level;
    ngx_uint_t   to;
    const char  *facility, *text;

    if (rd_kafka_event_log(event, &facility, &text, &level) != 0) {
        return;
    }

    /* syslog levels; what is worth an alarm is said by ourselves */

    to = level <= 4 ? NGX_LOG_WARN : level <= 6 ? NGX_LOG_INFO : NGX_LOG_DEBUG;

    if (k->worker->log->log_level < to || !ngx_gateway_kafka_may_log(k)) {
        return;
    }

    ngx_log_error(to, k->worker->log, 0, "gateway \"%V\": librdkafka %s: %s",
                  &k->worker->gateway->name, facility, text);
}


static ngx_uint_t
ngx_gateway_kafka_may_log(ngx_gateway_kafka_t *k)
{
    ngx_gateway_kafka_log_t  *log;

    log = &k->log;

    if (log->second != ngx_time()) {

        if (log->suppressed) {
            ngx_log_error(NGX_LOG_WARN, k->worker->log, 0,
                          "gateway \"%V\": %ui more lines on Kafka were left "
                          "out", &k->worker->gateway->name, log->suppressed);
        }

        log->second = ngx_time();
        log->lines = 0;
        log->suppressed = 0;
    }

    if (log->lines == NGX_GATEWAY_KAFKA_LINES) {
        log->suppressed++;
        return 0;
    }

    log->lines++;

    return 1;
}
