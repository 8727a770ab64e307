/*
 * gw_status_json.c - the status page as JSON; see gw_view.h.  jansson serves
 * here: a page is rendered a few times a minute and nobody's message waits.
 *
 * A failed allocation makes some json_t NULL; setting NULL fails, which is
 * noted once and gives the whole page up.
 */

#include "gw_view.h"

#include <jansson.h>
#include <stdlib.h>


static const char *const  gw_status_protocols[GW_PROTO_N] = {
    "http", "mqtt", "lines", "ws"
};


static const char *const  gw_status_reports[GW_REPORT_N] = {
    "persisted", "not_persisted", "possibly_persisted"
};


typedef struct {
    char    *data;
    size_t   len;
    size_t   size;
    int      failed;
} gw_status_t;


static void
gw_status_set(gw_status_t *st, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0) {
        st->failed = 1;
    }
}


static void
gw_status_uint(gw_status_t *st, json_t *object, const char *name, uint64_t n)
{
    gw_status_set(st, object, name, json_integer((json_int_t) n));
}


static void
gw_status_us(gw_status_t *st, json_t *object, const char *name, uint64_t us)
{
    gw_status_set(st, object, name, json_real((double) us / 1e6));
}


/*
 * JSON is UTF-8 and a name of the configuration may be none: then each byte
 * above 127 becomes a "?", as in the Prometheus page.
 */

static json_t *
gw_status_name(const void *data, size_t len)
{
    char    *copy;
    size_t   i;
    json_t  *name;

    if (len == 0) {
        return json_string("");
    }

    name = json_stringn(data, len);
    if (name) {
        return name;
    }

    copy = malloc(len);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, data, len);

    for (i = 0; i < len; i++) {
        if (copy[i] & 0x80) {
            copy[i] = '?';
        }
    }

    name = json_stringn(copy, len);

    free(copy);

    return name;
}


static json_t *
gw_status_histogram(gw_status_t *st, const gw_hist_t *h)
{
    json_t  *object;

    object = json_object();

    gw_status_uint(st, object, "count", gw_hist_total(h));
    gw_status_us(st, object, "p50", gw_hist_quantile(h, 0.5));
    gw_status_us(st, object, "p95", gw_hist_quantile(h, 0.95));
    gw_status_us(st, object, "p99", gw_hist_quantile(h, 0.99));

    return object;
}


static json_t *
gw_status_protocol(gw_status_t *st, const gw_stats_slot_t *s, unsigned p)
{
    json_t    *object, *rejected, *ends;
    unsigned   c, r;
    uint64_t   accepted, delivered, duplicate, dead, failed, lost;
    uint64_t   entry, shed;

    accepted = delivered = duplicate = dead = failed = lost = 0;
    entry = shed = 0;

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        accepted += s->accepted[p][c];
        delivered += s->delivered[p][c];
        duplicate += s->duplicate[p][c];
        dead += s->dead_lettered[p][c];
        failed += s->failed[p][c];
        lost += s->lost[p][c];

        for (r = 0; r < GW_REASON_N; r++) {
            entry += s->shed_entry[p][c][r];
            shed += s->shed[p][c][r];
        }
    }

    object = json_object();

    gw_status_uint(st, object, "received", s->received[p]);
    gw_status_uint(st, object, "received_bytes", s->received_bytes[p]);
    gw_status_uint(st, object, "accepted", accepted);
    gw_status_uint(st, object, "delivered", delivered);
    gw_status_uint(st, object, "duplicate", duplicate);
    gw_status_uint(st, object, "dead_lettered", dead);
    gw_status_uint(st, object, "failed", failed);
    gw_status_uint(st, object, "lost", lost);
    gw_status_uint(st, object, "waiting", gw_stats_waiting_proto(s, p));
    gw_status_uint(st, object, "shed_entry", entry);
    gw_status_uint(st, object, "shed", shed);

    rejected = json_object();

    for (r = 0; r < GW_REASON_N; r++) {
        if (s->rejected[p][r]) {
            gw_status_uint(st, rejected, gw_reason(r)->name,
                           s->rejected[p][r]);
        }
    }

    gw_status_set(st, object, "rejected", rejected);

    gw_status_uint(st, object, "timeouts", s->timeouts[p]);
    gw_status_uint(st, object, "clients_gone", s->clients_gone[p]);
    gw_status_uint(st, object, "connections", s->connections[p]);

    if (p != GW_PROTO_HTTP) {
        ends = json_object();

        for (r = 0; r < GW_END_N; r++) {
            if (s->disconnects[p][r]) {
                gw_status_uint(st, ends, gw_end_name(r),
                               s->disconnects[p][r]);
            }
        }

        gw_status_set(st, object, "disconnects", ends);
    }

    gw_status_set(st, object, "ingest", gw_status_histogram(st,
                                                            &s->ingest[p]));

    return object;
}


static json_t *
gw_status_class(gw_status_t *st, const gw_stats_slot_t *s, unsigned c)
{
    json_t    *object, *shed, *entry, *queue;
    unsigned   p, r;
    uint64_t   accepted, delivered, duplicate, dead, failed, lost, n, m;

    accepted = delivered = duplicate = dead = failed = lost = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        accepted += s->accepted[p][c];
        delivered += s->delivered[p][c];
        duplicate += s->duplicate[p][c];
        dead += s->dead_lettered[p][c];
        failed += s->failed[p][c];
        lost += s->lost[p][c];
    }

    object = json_object();

    gw_status_uint(st, object, "accepted", accepted);
    gw_status_uint(st, object, "delivered", delivered);
    gw_status_uint(st, object, "duplicate", duplicate);
    gw_status_uint(st, object, "dead_lettered", dead);
    gw_status_uint(st, object, "failed", failed);
    gw_status_uint(st, object, "lost", lost);
    gw_status_uint(st, object, "waiting", gw_stats_waiting_class(s, c));
    gw_status_uint(st, object, "schema_failures", s->schema_failures[c]);

    shed = json_object();
    entry = json_object();

    for (r = 0; r < GW_REASON_N; r++) {

        if (gw_reason(r)->outcome != GW_SHED) {
            continue;
        }

        n = m = 0;

        for (p = 0; p < GW_PROTO_N; p++) {
            n += s->shed[p][c][r];
            m += s->shed_entry[p][c][r];
        }

        gw_status_uint(st, shed, gw_reason(r)->name, n);
        gw_status_uint(st, entry, gw_reason(r)->name, m);
    }

    gw_status_set(st, object, "shed", shed);
    gw_status_set(st, object, "shed_entry", entry);

    queue = json_object();

    gw_status_uint(st, queue, "messages", s->queue_messages[c]);
    gw_status_uint(st, queue, "bytes", s->queue_bytes[c]);
    gw_status_us(st, queue, "oldest_age", s->queue_oldest_ms[c] * 1000);

    gw_status_set(st, object, "queue", queue);
    gw_status_uint(st, object, "inflight", s->inflight[c]);
    gw_status_set(st, object, "queue_time", gw_status_histogram(st,
                                                            &s->queue[c]));
    gw_status_set(st, object, "delivery_time",
                  gw_status_histogram(st, &s->delivery[c]));

    return object;
}


static json_t *
gw_status_kafka(gw_status_t *st, const gw_stats_slot_t *s)
{
    json_t                   *object, *reports, *brokers, *broker;
    uint64_t                  i;
    const gw_stats_broker_t  *b;

    object = json_object();
    reports = json_object();

    for (i = 0; i < GW_REPORT_N; i++) {
        gw_status_uint(st, reports, gw_status_reports[i],
                       s->kafka_reports[i]);
    }

    gw_status_set(st, object, "reports", reports);
    gw_status_uint(st, object, "retries", s->kafka_retries);
    gw_status_uint(st, object, "possible_duplicates",
                   s->kafka_possible_duplicates);
    gw_status_uint(st, object, "fatal_errors", s->kafka_fatal_errors);
    gw_status_uint(st, object, "transient_errors",
                   s->kafka_transient_errors);
    gw_status_uint(st, object, "permanent_errors",
                   s->kafka_permanent_errors);
    gw_status_uint(st, object, "client_retries", s->kafka_tx_retries);

    brokers = json_array();

    for (i = 0; i < s->nbrokers && i < GW_STATS_BROKERS; i++) {
        b = &s->brokers[i];
        broker = json_object();

        gw_status_set(st, broker, "name",
                      gw_status_name(b->name, strnlen(b->name,
                                                  GW_STATS_BROKER_NAME)));
        gw_status_set(st, broker, "up", json_boolean(b->up));
        gw_status_us(st, broker, "rtt_p50", b->rtt_p50_us);
        gw_status_us(st, broker, "rtt_p99", b->rtt_p99_us);

        if (json_array_append_new(brokers, broker) != 0) {
            st->failed = 1;
        }
    }

    gw_status_set(st, object, "brokers", brokers);

    return object;
}


static json_t *
gw_status_auth(gw_status_t *st, const gw_stats_slot_t *s, unsigned methods)
{
    json_t    *object, *failures, *reasons, *cache;
    uint64_t   n;
    unsigned   m, r;

    object = json_object();
    failures = json_object();

    for (m = 0; m < GW_AUTH_N; m++) {

        if (m != GW_AUTH_NONE && !(methods & (1u << m))) {
            continue;
        }

        reasons = json_object();

        for (r = GW_R_NONE + 1; r < GW_REASON_N; r++) {
            n = s->auth_failures[m][r];

            if (n) {
                gw_status_uint(st, reasons, gw_reason(r)->name, n);
            }
        }

        gw_status_set(st, failures, gw_auth_method_name(m), reasons);
    }

    cache = json_object();

    gw_status_uint(st, cache, "hits", s->auth_lookups[GW_AUTH_HIT]);
    gw_status_uint(st, cache, "negative_hits",
                   s->auth_lookups[GW_AUTH_NEGATIVE_HIT]);
    gw_status_uint(st, cache, "misses", s->auth_lookups[GW_AUTH_MISS]);
    gw_status_uint(st, cache, "positive", s->auth_positive);
    gw_status_uint(st, cache, "negative", s->auth_negative);

    gw_status_set(st, object, "failures", failures);
    gw_status_set(st, object, "cache", cache);

    return object;
}


static json_t *
gw_status_dedup(gw_status_t *st, const gw_view_gateway_t *g)
{
    json_t    *object, *passed;
    unsigned   i;

    object = json_object();
    passed = json_object();

    for (i = GW_DEDUP_PLAIN + 1; i < GW_DEDUP_NOTE_N; i++) {
        gw_status_uint(st, passed, gw_dedup_note_name(i), g->sum.dedup[i]);
    }

    gw_status_uint(st, object, "entries", g->dedup_entries);
    gw_status_uint(st, object, "capacity", g->dedup_capacity);
    gw_status_uint(st, object, "inflight", g->dedup_inflight);
    gw_status_uint(st, object, "evictions", g->dedup_evictions);
    gw_status_uint(st, object, "held", g->sum.dedup_held);
    gw_status_set(st, object, "passed", passed);

    return object;
}


static json_t *
gw_status_worker(gw_status_t *st, const gw_stats_slot_t *s)
{
    json_t    *object;
    unsigned   p, c;
    uint64_t   received, accepted, delivered, connections;

    received = accepted = delivered = connections = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        received += s->received[p];
        connections += s->connections[p];

        for (c = 0; c < GW_CLASSES_MAX; c++) {
            accepted += s->accepted[p][c];
            delivered += s->delivered[p][c];
        }
    }

    object = json_object();

    gw_status_uint(st, object, "pid", s->pid);
    gw_status_uint(st, object, "worker", s->worker);
    gw_status_uint(st, object, "started", s->started);
    gw_status_uint(st, object, "generation", s->generation);
    gw_status_uint(st, object, "auth_generation", s->auth_generation);
    gw_status_uint(st, object, "connections", connections);
    gw_status_uint(st, object, "received", received);
    gw_status_uint(st, object, "accepted", accepted);
    gw_status_uint(st, object, "delivered", delivered);
    gw_status_uint(st, object, "waiting", gw_stats_waiting(s));
    gw_status_uint(st, object, "charged", s->charged);
    gw_status_set(st, object, "pressure", json_boolean(s->pressure));
    gw_status_set(st, object, "draining", json_boolean(s->draining));
    gw_status_set(st, object, "kafka_up", json_boolean(s->kafka_up));
    gw_status_us(st, object, "loop_lag", s->loop_lag_us);
    gw_status_us(st, object, "loop_lag_max", s->loop_lag_max_us);

    return object;
}


static json_t *
gw_status_gateway(gw_status_t *st, const gw_view_gateway_t *g)
{
    json_t                 *object, *state, *protocols, *classes, *buffer;
    json_t                 *workers, *name;
    unsigned                i, accepting;
    const gw_stats_slot_t  *s;

    s = &g->sum;
    object = json_object();

    /* while old workers drain after a reload, the new ones accept */

    accepting = 0;

    for (i = 0; i < g->nslots; i++) {
        accepting |= g->slots[i].pid && !g->slots[i].draining;
    }

    gw_status_set(st, object, "name",
                  gw_status_name(g->name.data, g->name.len));

    state = json_object();

    gw_status_set(st, state, "accepting", json_boolean(accepting));
    gw_status_set(st, state, "pressure", json_boolean(s->pressure));
    gw_status_set(st, state, "draining", json_boolean(s->draining));
    gw_status_set(st, state, "kafka",
                  json_string(!g->has_brokers ? "none"
                              : s->kafka_up ? "up" : "down"));

    gw_status_set(st, object, "state", state);

    protocols = json_object();

    for (i = 0; i < GW_PROTO_N; i++) {
        if (i == GW_PROTO_HTTP || s->received[i] || s->received_bytes[i]
            || s->connections[i])
        {
            gw_status_set(st, protocols, gw_status_protocols[i],
                          gw_status_protocol(st, s, i));
        }
    }

    gw_status_set(st, object, "protocols", protocols);

    classes = json_object();

    for (i = 0; i < g->nclasses; i++) {
        name = gw_status_name(g->class_name[i].data, g->class_name[i].len);

        gw_status_set(st, classes, json_string_value(name),
                      gw_status_class(st, s, i));

        json_decref(name);
    }

    gw_status_set(st, object, "classes", classes);

    buffer = json_object();

    gw_status_uint(st, buffer, "charged", s->charged);
    gw_status_uint(st, buffer, "capacity", s->capacity);

    gw_status_set(st, object, "buffer", buffer);

    if (g->has_brokers) {
        gw_status_set(st, object, "kafka", gw_status_kafka(st, s));
    }

    if (g->auth_methods) {
        gw_status_set(st, object, "auth",
                      gw_status_auth(st, s, g->auth_methods));
    }

    if (g->dedup_capacity) {
        gw_status_set(st, object, "dedup", gw_status_dedup(st, g));
    }

    gw_status_us(st, object, "loop_lag", s->loop_lag_us);
    gw_status_us(st, object, "loop_lag_max", s->loop_lag_max_us);

    workers = json_array();

    for (i = 0; i < g->nslots; i++) {

        if (g->slots[i].pid
            && json_array_append_new(workers,
                                     gw_status_worker(st, &g->slots[i]))
               != 0)
        {
            st->failed = 1;
        }
    }

    gw_status_set(st, object, "workers", workers);

    return object;
}


/*
 * jansson 2.14 goes on where the name of a member could not be written, and
 * its json_dumps() then gives a page without it: a failure must be kept.
 */

static int
gw_status_put(const char *data, size_t len, void *to)
{
    char         *grown;
    size_t        size;
    gw_status_t  *st;

    st = to;

    if (st->failed) {
        return -1;
    }

    if (len > st->size - st->len) {
        size = st->size ? st->size : 8192;

        while (len > size - st->len) {
            size *= 2;
        }

        grown = realloc(st->data, size);
        if (grown == NULL) {
            st->failed = 1;
            return -1;
        }

        st->data = grown;
        st->size = size;
    }

    memcpy(st->data + st->len, data, len);
    st->len += len;

    return 0;
}


char *
gw_status_json(const gw_view_t *v, size_t *len)
{
    json_t       *page, *gateways;
    unsigned      i;
    gw_status_t   st;

    memset(&st, 0, sizeof(gw_status_t));

    page = json_object();

    gw_status_set(&st, page, "version", json_string(v->version));
    gw_status_set(&st, page, "nginx", json_string(v->nginx));
    gw_status_set(&st, page, "librdkafka", json_string(v->librdkafka));
    gw_status_set(&st, page, "jansson", json_string(v->jansson));
    gw_status_uint(&st, page, "time", v->now);
    gw_status_uint(&st, page, "start_time", v->start_time);
    gw_status_uint(&st, page, "generation", v->generation);
    gw_status_uint(&st, page, "workers", v->workers);

    gateways = json_array();

    for (i = 0; i < v->ngateways; i++) {
        if (json_array_append_new(gateways,
                                  gw_status_gateway(&st, &v->gateways[i]))
            != 0)
        {
            st.failed = 1;
        }
    }

    gw_status_set(&st, page, "gateways", gateways);

    if (!st.failed
        && (json_dump_callback(page, gw_status_put, &st,
                               JSON_COMPACT|JSON_REAL_PRECISION(9)) != 0
            || gw_status_put("\n", 1, &st) != 0))
    {
        st.failed = 1;
    }

    json_decref(page);

    if (st.failed) {
        free(st.data);
        return NULL;
    }

    *len = st.len;

    return st.data;
}
