/*
 * gw_prometheus.c - the Prometheus text page (exposition format 0.0.4).
 *
 * One table holds all families of a gateway; a family is written whole,
 * over all gateways, before the next begins, as the format demands.  Names,
 * labels and units are those of the README.  Numbers are written by hand: a
 * locale must not choose the decimal point.
 */

#include "gw_view.h"

#include <stdlib.h>


/* what a number of a slot is: digits behind the point, or a flag */

#define GW_PROM_COUNT  0
#define GW_PROM_MS     3
#define GW_PROM_US     6
#define GW_PROM_FLAG   7                 /* any number but 0 is 1 */

#define GW_PROM_KAFKA  1
#define GW_PROM_AUTH   2
#define GW_PROM_DEDUP  3

/* 18446744073709551615 and, for seconds, a point and leading zeros */
#define GW_PROM_NUMBER_MAX  32


typedef struct {
    char    *data;
    size_t   len;
    size_t   size;
    int      failed;                     /* no memory: nothing is added */
} gw_prom_t;


typedef struct gw_prom_family_s  gw_prom_family_t;

typedef void (*gw_prom_put_pt)(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);


struct gw_prom_family_s {
    const char      *name;               /* without the prefix */
    const char      *type;
    gw_prom_put_pt   put;                /* all series of one gateway */
    size_t           offset;             /* in gw_stats_slot_t */
    unsigned         unit;
    unsigned         only;               /* GW_PROM_KAFKA, _AUTH, _DEDUP: where
                                            that is in use */
    const char      *help;
};


static void gw_prom_by_gateway(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_by_proto(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_protos_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_waiting(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_outcomes(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_rejected(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_shed(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_shed_entry(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_hist_by_proto(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_hist_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_reports(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_errors(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_broker_up(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_broker_rtt(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_disconnects(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_auth_failures(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_auth_lookups(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_auth_entries(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_auth_generation(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_dedup_passed(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_dedup_zone(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static void gw_prom_hist(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g, const gw_hist_t *h, const char *label,
    gw_str_t value);
static const void *gw_prom_field(const gw_prom_family_t *f,
    const gw_view_gateway_t *g);
static unsigned gw_prom_seen(const gw_stats_slot_t *s, unsigned proto);
static uint64_t gw_prom_shed_sum(
    const uint64_t (*n)[GW_CLASSES_MAX][GW_REASON_N], unsigned cls,
    gw_reason_e reason);
static gw_str_t gw_prom_broker_name(const gw_stats_broker_t *b);
static gw_str_t gw_prom_text(const char *s);
static void gw_prom_head(gw_prom_t *p, const char *name, const char *type,
    const char *help);
static void gw_prom_process(gw_prom_t *p, const char *name, const char *help,
    uint64_t n);
static void gw_prom_series(gw_prom_t *p, const char *name, const char *suffix,
    const gw_view_gateway_t *g);
static void gw_prom_label(gw_prom_t *p, const char *name, gw_str_t value);
static void gw_prom_number_label(gw_prom_t *p, const char *name, uint64_t n);
static int gw_prom_is_utf8(gw_str_t s);
static void gw_prom_value(gw_prom_t *p, uint64_t n, unsigned unit);
static void gw_prom_puts(gw_prom_t *p, const char *s);
static void gw_prom_put(gw_prom_t *p, const void *data, size_t len);


static const char *const  gw_prom_protos[GW_PROTO_N] = {
    "http", "mqtt", "lines", "ws"
};


static const gw_reason_e  gw_prom_shed_reasons[] = {
    GW_R_PRESSURE, GW_R_FULL, GW_R_EXPIRED, GW_R_DRAINING
};

#define GW_PROM_SHED_REASONS                                                  \
    (sizeof(gw_prom_shed_reasons) / sizeof(gw_prom_shed_reasons[0]))


/* queued and spooled are no ends: such a message is still counted later */

static const gw_outcome_e  gw_prom_ends[] = {
    GW_DELIVERED, GW_DUPLICATE, GW_INVALID, GW_DENIED, GW_THROTTLED, GW_SHED,
    GW_FAILED
};


#define gw_prom_at(field)  offsetof(gw_stats_slot_t, field)


static const gw_prom_family_t  gw_prom_families[] = {

    { "received_messages_total", "counter", gw_prom_by_proto,
      gw_prom_at(received), GW_PROM_COUNT, 0,
      "Messages received; a refused request counts as one." },

    { "received_bytes_total", "counter", gw_prom_by_proto,
      gw_prom_at(received_bytes), GW_PROM_COUNT, 0,
      "Bytes of message bodies as they came." },

    { "messages_total", "counter", gw_prom_outcomes,
      0, GW_PROM_COUNT, 0,
      "Messages that ended, by outcome." },

    { "rejected_messages_total", "counter", gw_prom_rejected,
      0, GW_PROM_COUNT, 0,
      "Messages refused at entry for a reason other than overload." },

    { "shed_messages_total", "counter", gw_prom_shed,
      0, GW_PROM_COUNT, 0,
      "Messages shed under overload, at entry or later." },

    { "shed_at_entry_messages_total", "counter", gw_prom_shed_entry,
      0, GW_PROM_COUNT, 0,
      "Messages shed before they were accepted." },

    { "accepted_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(accepted), GW_PROM_COUNT, 0,
      "Messages accepted." },

    { "delivered_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(delivered), GW_PROM_COUNT, 0,
      "Accepted messages that Kafka acknowledged." },

    { "duplicate_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(duplicate), GW_PROM_COUNT, 0,
      "Messages that were received before and not sent again." },

    { "dead_lettered_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(dead_lettered), GW_PROM_COUNT, 0,
      "Accepted messages that Kafka refused and a dead letter topic took." },

    { "failed_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(failed), GW_PROM_COUNT, 0,
      "Accepted messages that could not be delivered." },

    { "lost_messages_total", "counter", gw_prom_protos_by_class,
      gw_prom_at(lost), GW_PROM_COUNT, 0,
      "Accepted messages that ended with their worker." },

    { "waiting_messages", "gauge", gw_prom_waiting,
      0, GW_PROM_COUNT, 0,
      "Messages accepted and not ended." },

    { "timeouts_total", "counter", gw_prom_by_proto,
      gw_prom_at(timeouts), GW_PROM_COUNT, 0,
      "Requests answered with the outcome unknown." },

    { "schema_failures_total", "counter", gw_prom_by_class,
      gw_prom_at(schema_failures), GW_PROM_COUNT, 0,
      "Messages whose data did not match the schema." },

    { "clients_gone_total", "counter", gw_prom_by_proto,
      gw_prom_at(clients_gone), GW_PROM_COUNT, 0,
      "Clients that left before the answer." },

    { "disconnects_total", "counter", gw_prom_disconnects,
      0, GW_PROM_COUNT, 0,
      "Connections of devices that ended, by why." },

    { "connections", "gauge", gw_prom_by_proto,
      gw_prom_at(connections), GW_PROM_COUNT, 0,
      "Connections or requests in progress." },

    { "queue_messages", "gauge", gw_prom_by_class,
      gw_prom_at(queue_messages), GW_PROM_COUNT, 0,
      "Messages in the lanes." },

    { "queue_bytes", "gauge", gw_prom_by_class,
      gw_prom_at(queue_bytes), GW_PROM_COUNT, 0,
      "Bytes in the lanes." },

    { "queue_oldest_age_seconds", "gauge", gw_prom_by_class,
      gw_prom_at(queue_oldest_ms), GW_PROM_MS, 0,
      "Age of the oldest message in the lanes." },

    { "queue_capacity_bytes", "gauge", gw_prom_by_gateway,
      gw_prom_at(capacity), GW_PROM_COUNT, 0,
      "Buffer of all workers." },

    { "buffer_charged_bytes", "gauge", gw_prom_by_gateway,
      gw_prom_at(charged), GW_PROM_COUNT, 0,
      "What of the buffer is charged." },

    { "inflight_messages", "gauge", gw_prom_by_class,
      gw_prom_at(inflight), GW_PROM_COUNT, 0,
      "Messages given to the Kafka client and not reported." },

    { "pressure", "gauge", gw_prom_by_gateway,
      gw_prom_at(pressure), GW_PROM_FLAG, 0,
      "Whether some worker is above its high mark." },

    { "draining", "gauge", gw_prom_by_gateway,
      gw_prom_at(draining), GW_PROM_FLAG, 0,
      "Whether some worker is shutting down." },

    { "ingest_duration_seconds", "histogram", gw_prom_hist_by_proto,
      gw_prom_at(ingest), GW_PROM_US, 0,
      "First byte of a request to its answer." },

    { "queue_duration_seconds", "histogram", gw_prom_hist_by_class,
      gw_prom_at(queue), GW_PROM_US, 0,
      "Acceptance of a message to its sending." },

    { "delivery_duration_seconds", "histogram", gw_prom_hist_by_class,
      gw_prom_at(delivery), GW_PROM_US, 0,
      "Sending of a message to its acknowledgement." },

    { "kafka_up", "gauge", gw_prom_by_gateway,
      gw_prom_at(kafka_up), GW_PROM_FLAG, GW_PROM_KAFKA,
      "Whether Kafka answers some worker." },

    { "kafka_reports_total", "counter", gw_prom_reports,
      0, GW_PROM_COUNT, GW_PROM_KAFKA,
      "Delivery reports, by what they say of the message." },

    { "kafka_retries_total", "counter", gw_prom_by_gateway,
      gw_prom_at(kafka_retries), GW_PROM_COUNT, GW_PROM_KAFKA,
      "Messages sent again by the gateway." },

    { "kafka_possible_duplicates_total", "counter", gw_prom_by_gateway,
      gw_prom_at(kafka_possible_duplicates), GW_PROM_COUNT, GW_PROM_KAFKA,
      "Messages sent again that Kafka may hold twice." },

    { "kafka_fatal_errors_total", "counter", gw_prom_by_gateway,
      gw_prom_at(kafka_fatal_errors), GW_PROM_COUNT, GW_PROM_KAFKA,
      "Producers given up." },

    { "kafka_errors_total", "counter", gw_prom_errors,
      0, GW_PROM_COUNT, GW_PROM_KAFKA,
      "Errors told by the Kafka client." },

    { "kafka_client_retries_total", "counter", gw_prom_by_gateway,
      gw_prom_at(kafka_tx_retries), GW_PROM_COUNT, GW_PROM_KAFKA,
      "Requests sent again by the Kafka client itself." },

    { "kafka_broker_up", "gauge", gw_prom_broker_up,
      0, GW_PROM_FLAG, GW_PROM_KAFKA,
      "Whether some worker is connected to the broker." },

    { "kafka_broker_rtt_seconds", "gauge", gw_prom_broker_rtt,
      0, GW_PROM_US, GW_PROM_KAFKA,
      "Round trip time of requests to the broker." },

    { "auth_failures_total", "counter", gw_prom_auth_failures,
      0, GW_PROM_COUNT, GW_PROM_AUTH,
      "Senders that were not let in, by method and reason." },

    { "auth_cache_lookups_total", "counter", gw_prom_auth_lookups,
      0, GW_PROM_COUNT, GW_PROM_AUTH,
      "Credentials looked for in the cache, by what was found." },

    { "auth_cache_entries", "gauge", gw_prom_auth_entries,
      0, GW_PROM_COUNT, GW_PROM_AUTH,
      "Results kept in the caches of all workers." },

    { "auth_generation", "gauge", gw_prom_auth_generation,
      0, GW_PROM_COUNT, GW_PROM_AUTH,
      "Changes of registries and key sets that a worker took up." },

    { "dedup_passed_messages_total", "counter", gw_prom_dedup_passed,
      0, GW_PROM_COUNT, GW_PROM_DEDUP,
      "Messages with an id that were let in and may be resends, by why." },

    { "dedup_held_messages", "gauge", gw_prom_by_gateway,
      gw_prom_at(dedup_held), GW_PROM_COUNT, GW_PROM_DEDUP,
      "Resends that wait for the fate of the first one." },

    { "dedup_entries", "gauge", gw_prom_dedup_zone,
      offsetof(gw_view_gateway_t, dedup_entries), GW_PROM_COUNT, GW_PROM_DEDUP,
      "Windows in use: devices, times the epochs that are kept." },

    { "dedup_capacity_entries", "gauge", gw_prom_dedup_zone,
      offsetof(gw_view_gateway_t, dedup_capacity), GW_PROM_COUNT, GW_PROM_DEDUP,
      "Windows that the zone has room for." },

    { "dedup_inflight_messages", "gauge", gw_prom_dedup_zone,
      offsetof(gw_view_gateway_t, dedup_inflight), GW_PROM_COUNT, GW_PROM_DEDUP,
      "Messages with an id that have no end yet." },

    { "dedup_evictions_total", "counter", gw_prom_dedup_zone,
      offsetof(gw_view_gateway_t, dedup_evictions), GW_PROM_COUNT,
      GW_PROM_DEDUP,
      "Windows that made room for others." },

    { "event_loop_lag_seconds", "gauge", gw_prom_by_gateway,
      gw_prom_at(loop_lag_us), GW_PROM_US, 0,
      "How late timers fire, in the slowest worker." },

    { "event_loop_lag_max_seconds", "gauge", gw_prom_by_gateway,
      gw_prom_at(loop_lag_max_us), GW_PROM_US, 0,
      "The latest that a timer fired, in any worker." },
};

#define GW_PROM_FAMILIES                                                      \
    (sizeof(gw_prom_families) / sizeof(gw_prom_families[0]))


char *
gw_prometheus(const gw_view_t *v, size_t *len)
{
    size_t                   i;
    unsigned                 n;
    gw_prom_t                p;
    const gw_prom_family_t  *f;

    memset(&p, 0, sizeof(gw_prom_t));

    gw_prom_head(&p, "build_info", "gauge",
                 "What the gateway is made of; always 1.");
    gw_prom_series(&p, "build_info", "", NULL);
    gw_prom_label(&p, "version", gw_prom_text(v->version));
    gw_prom_label(&p, "nginx", gw_prom_text(v->nginx));
    gw_prom_label(&p, "librdkafka", gw_prom_text(v->librdkafka));
    gw_prom_label(&p, "jansson", gw_prom_text(v->jansson));
    gw_prom_value(&p, 1, GW_PROM_COUNT);

    gw_prom_process(&p, "workers", "Workers configured.", v->workers);
    gw_prom_process(&p, "start_time_seconds",
                    "Start of the server, seconds since 1970.",
                    v->start_time);
    gw_prom_process(&p, "config_generation",
                    "Configurations loaded since the start.", v->generation);

    for (i = 0; i < GW_PROM_FAMILIES; i++) {
        f = &gw_prom_families[i];

        gw_prom_head(&p, f->name, f->type, f->help);

        for (n = 0; n < v->ngateways; n++) {
            if ((f->only != GW_PROM_KAFKA || v->gateways[n].has_brokers)
                && (f->only != GW_PROM_AUTH || v->gateways[n].auth_methods)
                && (f->only != GW_PROM_DEDUP || v->gateways[n].dedup_capacity))
            {
                f->put(&p, f, &v->gateways[n]);
            }
        }
    }

    if (p.failed) {
        free(p.data);
        return NULL;
    }

    *len = p.len;

    return p.data;
}


static void
gw_prom_by_gateway(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    const uint64_t  *n;

    n = gw_prom_field(f, g);

    gw_prom_series(p, f->name, "", g);
    gw_prom_value(p, *n, f->unit);
}


static void
gw_prom_by_proto(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned         proto;
    const uint64_t  *n;

    n = gw_prom_field(f, g);

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        if (!gw_prom_seen(&g->sum, proto)) {
            continue;
        }

        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "protocol", gw_prom_text(gw_prom_protos[proto]));
        gw_prom_value(p, n[proto], f->unit);
    }
}


static void
gw_prom_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned         cls;
    const uint64_t  *n;

    n = gw_prom_field(f, g);

    for (cls = 0; cls < g->nclasses; cls++) {
        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "class", g->class_name[cls]);
        gw_prom_value(p, n[cls], f->unit);
    }
}


static void
gw_prom_protos_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t         sum;
    unsigned         cls, proto;
    const uint64_t (*n)[GW_CLASSES_MAX];

    n = gw_prom_field(f, g);

    for (cls = 0; cls < g->nclasses; cls++) {
        sum = 0;

        for (proto = 0; proto < GW_PROTO_N; proto++) {
            sum += n[proto][cls];
        }

        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "class", g->class_name[cls]);
        gw_prom_value(p, sum, f->unit);
    }
}


static void
gw_prom_waiting(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned  cls;

    for (cls = 0; cls < g->nclasses; cls++) {
        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "class", g->class_name[cls]);
        gw_prom_value(p, gw_stats_waiting_class(&g->sum, cls), f->unit);
    }
}


static void
gw_prom_outcomes(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    size_t                  i;
    uint64_t                n[GW_OUTCOME_N];
    unsigned                cls, proto, reason;
    const gw_stats_slot_t  *s;

    s = &g->sum;

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        if (!gw_prom_seen(s, proto)) {
            continue;
        }

        memset(n, 0, sizeof(n));

        for (reason = 0; reason < GW_REASON_N; reason++) {
            n[gw_reason(reason)->outcome] += s->rejected[proto][reason];

            for (cls = 0; cls < GW_CLASSES_MAX; cls++) {
                n[GW_SHED] += s->shed_entry[proto][cls][reason]
                              + s->shed[proto][cls][reason];
            }
        }

        for (cls = 0; cls < GW_CLASSES_MAX; cls++) {
            n[GW_DELIVERED] += s->delivered[proto][cls];
            n[GW_DUPLICATE] += s->duplicate[proto][cls];
            n[GW_FAILED] += s->failed[proto][cls]
                            + s->dead_lettered[proto][cls]
                            + s->lost[proto][cls];
        }

        for (i = 0; i < sizeof(gw_prom_ends) / sizeof(gw_prom_ends[0]); i++) {
            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "protocol", gw_prom_text(gw_prom_protos[proto]));
            gw_prom_label(p, "outcome",
                          gw_prom_text(gw_outcome_label(gw_prom_ends[i])));
            gw_prom_value(p, n[gw_prom_ends[i]], f->unit);
        }
    }
}


/*
 * Reasons at 0 are shown for HTTP, so that a rate is there from the first
 * refusal on; for other protocols they would only lengthen the page.
 */

static void
gw_prom_rejected(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t  n;
    unsigned  proto, reason;

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        for (reason = GW_R_NONE + 1; reason < GW_REASON_N; reason++) {

            switch (reason) {

            case GW_R_PRESSURE:
            case GW_R_FULL:
            case GW_R_EXPIRED:
            case GW_R_DRAINING:
                continue;

            default:
                break;
            }

            n = g->sum.rejected[proto][reason];

            if (n == 0
                && (proto != GW_PROTO_HTTP
                    || reason == GW_R_TIMEOUT
                    || reason == GW_R_LOST
                    || reason == GW_R_UPSTREAM_REJECTED))
            {
                continue;
            }

            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "protocol", gw_prom_text(gw_prom_protos[proto]));
            gw_prom_label(p, "reason", gw_prom_text(gw_reason(reason)->name));
            gw_prom_value(p, n, f->unit);
        }
    }
}


static void
gw_prom_shed(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    size_t       i;
    uint64_t     n;
    unsigned     cls;
    gw_reason_e  reason;

    for (cls = 0; cls < g->nclasses; cls++) {
        for (i = 0; i < GW_PROM_SHED_REASONS; i++) {
            reason = gw_prom_shed_reasons[i];

            n = gw_prom_shed_sum(g->sum.shed_entry, cls, reason)
                + gw_prom_shed_sum(g->sum.shed, cls, reason);

            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "class", g->class_name[cls]);
            gw_prom_label(p, "reason", gw_prom_text(gw_reason(reason)->name));
            gw_prom_value(p, n, f->unit);
        }
    }
}


static void
gw_prom_shed_entry(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    size_t       i;
    uint64_t     n;
    unsigned     cls;
    gw_reason_e  reason;

    for (cls = 0; cls < g->nclasses; cls++) {
        for (i = 0; i < GW_PROM_SHED_REASONS; i++) {
            reason = gw_prom_shed_reasons[i];
            n = gw_prom_shed_sum(g->sum.shed_entry, cls, reason);

            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "class", g->class_name[cls]);
            gw_prom_label(p, "reason", gw_prom_text(gw_reason(reason)->name));
            gw_prom_value(p, n, f->unit);
        }
    }
}


static void
gw_prom_hist_by_proto(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned          proto;
    const gw_hist_t  *h;

    h = gw_prom_field(f, g);

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        if (gw_prom_seen(&g->sum, proto)) {
            gw_prom_hist(p, f, g, &h[proto], "protocol",
                         gw_prom_text(gw_prom_protos[proto]));
        }
    }
}


static void
gw_prom_hist_by_class(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned          cls;
    const gw_hist_t  *h;

    h = gw_prom_field(f, g);

    for (cls = 0; cls < g->nclasses; cls++) {
        gw_prom_hist(p, f, g, &h[cls], "class", g->class_name[cls]);
    }
}


static void
gw_prom_reports(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned                  i;
    static const char *const  names[GW_REPORT_N] = {
        "persisted", "not_persisted", "possibly_persisted"
    };

    for (i = 0; i < GW_REPORT_N; i++) {
        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "outcome", gw_prom_text(names[i]));
        gw_prom_value(p, g->sum.kafka_reports[i], f->unit);
    }
}


static void
gw_prom_errors(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    gw_prom_series(p, f->name, "", g);
    gw_prom_label(p, "class", gw_prom_text("transient"));
    gw_prom_value(p, g->sum.kafka_transient_errors, f->unit);

    gw_prom_series(p, f->name, "", g);
    gw_prom_label(p, "class", gw_prom_text("permanent"));
    gw_prom_value(p, g->sum.kafka_permanent_errors, f->unit);
}


static void
gw_prom_broker_up(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t                  i;
    const gw_stats_broker_t  *b;

    for (i = 0; i < g->sum.nbrokers && i < GW_STATS_BROKERS; i++) {
        b = &g->sum.brokers[i];

        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "broker", gw_prom_broker_name(b));
        gw_prom_value(p, b->up, f->unit);
    }
}


static void
gw_prom_broker_rtt(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t                  i;
    const gw_stats_broker_t  *b;

    for (i = 0; i < g->sum.nbrokers && i < GW_STATS_BROKERS; i++) {
        b = &g->sum.brokers[i];

        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "broker", gw_prom_broker_name(b));
        gw_prom_label(p, "stat", gw_prom_text("p50"));
        gw_prom_value(p, b->rtt_p50_us, f->unit);

        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "broker", gw_prom_broker_name(b));
        gw_prom_label(p, "stat", gw_prom_text("p99"));
        gw_prom_value(p, b->rtt_p99_us, f->unit);
    }
}


static void
gw_prom_disconnects(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned  proto, e;
    uint64_t  n;

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        for (e = 0; e < GW_END_N; e++) {
            n = g->sum.disconnects[proto][e];

            if (n == 0) {
                continue;
            }

            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "protocol", gw_prom_text(gw_prom_protos[proto]));
            gw_prom_label(p, "reason", gw_prom_text(gw_end_name(e)));
            gw_prom_value(p, n, f->unit);
        }
    }
}


/* at 0 those are shown that an alert waits for */

static void
gw_prom_auth_failures(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t  n;
    unsigned  m, r, usual;

    for (m = 0; m < GW_AUTH_N; m++) {
        for (r = GW_R_NONE + 1; r < GW_REASON_N; r++) {
            n = g->sum.auth_failures[m][r];

            usual = r == GW_R_UNAUTHENTICATED
                    || (m != GW_AUTH_NONE && (r == GW_R_REVOKED
                                              || r == GW_R_RATE_LIMITED));

            if (n == 0
                && !(usual && (m == GW_AUTH_NONE
                               || (g->auth_methods & (1u << m)))))
            {
                continue;
            }

            gw_prom_series(p, f->name, "", g);
            gw_prom_label(p, "method", gw_prom_text(gw_auth_method_name(m)));
            gw_prom_label(p, "reason", gw_prom_text(gw_reason(r)->name));
            gw_prom_value(p, n, f->unit);
        }
    }
}


static void
gw_prom_auth_lookups(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned  i;

    static const char *const  results[GW_AUTH_LOOKUP_N] = {
        "hit", "negative_hit", "miss"
    };

    for (i = 0; i < GW_AUTH_LOOKUP_N; i++) {
        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "result", gw_prom_text(results[i]));
        gw_prom_value(p, g->sum.auth_lookups[i], f->unit);
    }
}


static void
gw_prom_auth_entries(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    gw_prom_series(p, f->name, "", g);
    gw_prom_label(p, "kind", gw_prom_text("positive"));
    gw_prom_value(p, g->sum.auth_positive, f->unit);

    gw_prom_series(p, f->name, "", g);
    gw_prom_label(p, "kind", gw_prom_text("negative"));
    gw_prom_value(p, g->sum.auth_negative, f->unit);
}


static void
gw_prom_dedup_passed(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned  i;

    for (i = GW_DEDUP_PLAIN + 1; i < GW_DEDUP_NOTE_N; i++) {
        gw_prom_series(p, f->name, "", g);
        gw_prom_label(p, "why", gw_prom_text(gw_dedup_note_name(i)));
        gw_prom_value(p, g->sum.dedup[i], f->unit);
    }
}


/* the zone's own, not a sum over workers: offset is in gw_view_gateway_t */

static void
gw_prom_dedup_zone(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    uint64_t  n;

    memcpy(&n, (const char *) g + f->offset, sizeof(n));

    gw_prom_series(p, f->name, "", g);
    gw_prom_value(p, n, f->unit);
}


/* after a reload two workers have one number for a while: the newer is shown */

static void
gw_prom_auth_generation(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g)
{
    unsigned                i, k;
    const gw_stats_slot_t  *s, *other;

    for (i = 0; i < g->nslots; i++) {
        s = &g->slots[i];

        if (s->pid == 0) {
            continue;
        }

        for (k = 0; k < g->nslots; k++) {
            other = &g->slots[k];

            if (k != i && other->pid && other->worker == s->worker
                && (other->generation > s->generation
                    || (other->generation == s->generation && k > i)))
            {
                break;
            }
        }

        if (k < g->nslots) {
            continue;
        }

        gw_prom_series(p, f->name, "", g);
        gw_prom_number_label(p, "worker", s->worker);
        gw_prom_value(p, s->auth_generation, f->unit);
    }
}


static void
gw_prom_hist(gw_prom_t *p, const gw_prom_family_t *f,
    const gw_view_gateway_t *g, const gw_hist_t *h, const char *label,
    gw_str_t value)
{
    uint64_t  n;
    unsigned  i;

    n = 0;

    for (i = 0; i <= GW_HIST_BUCKETS; i++) {
        n += h->count[i];

        gw_prom_series(p, f->name, "_bucket", g);
        gw_prom_label(p, label, value);
        gw_prom_label(p, "le",
                      gw_prom_text(i < GW_HIST_BUCKETS ? gw_hist_le(i)
                                                       : "+Inf"));
        gw_prom_value(p, n, GW_PROM_COUNT);
    }

    gw_prom_series(p, f->name, "_sum", g);
    gw_prom_label(p, label, value);
    gw_prom_value(p, h->sum_us, f->unit);

    gw_prom_series(p, f->name, "_count", g);
    gw_prom_label(p, label, value);
    gw_prom_value(p, n, GW_PROM_COUNT);
}


static const void *
gw_prom_field(const gw_prom_family_t *f, const gw_view_gateway_t *g)
{
    return (const char *) &g->sum + f->offset;
}


/* a protocol that nobody speaks would only lengthen the page */

static unsigned
gw_prom_seen(const gw_stats_slot_t *s, unsigned proto)
{
    return proto == GW_PROTO_HTTP
           || s->received[proto]
           || s->received_bytes[proto]
           || s->connections[proto];
}


static uint64_t
gw_prom_shed_sum(const uint64_t (*n)[GW_CLASSES_MAX][GW_REASON_N],
    unsigned cls, gw_reason_e reason)
{
    uint64_t  sum;
    unsigned  proto;

    sum = 0;

    for (proto = 0; proto < GW_PROTO_N; proto++) {
        sum += n[proto][cls][reason];
    }

    return sum;
}


/* a name torn by a worker killed while writing may have lost its NUL */

static gw_str_t
gw_prom_broker_name(const gw_stats_broker_t *b)
{
    gw_str_t  s;

    s.data = (const uint8_t *) b->name;
    s.len = strnlen(b->name, GW_STATS_BROKER_NAME);

    return s;
}


static gw_str_t
gw_prom_text(const char *s)
{
    gw_str_t  str;

    str.data = (const uint8_t *) s;
    str.len = strlen(s);

    return str;
}


static void
gw_prom_head(gw_prom_t *p, const char *name, const char *type,
    const char *help)
{
    gw_prom_puts(p, "# HELP nginx_gateway_");
    gw_prom_puts(p, name);
    gw_prom_puts(p, " ");
    gw_prom_puts(p, help);
    gw_prom_puts(p, "\n# TYPE nginx_gateway_");
    gw_prom_puts(p, name);
    gw_prom_puts(p, " ");
    gw_prom_puts(p, type);
    gw_prom_puts(p, "\n");
}


static void
gw_prom_process(gw_prom_t *p, const char *name, const char *help, uint64_t n)
{
    gw_prom_head(p, name, "gauge", help);
    gw_prom_puts(p, "nginx_gateway_");
    gw_prom_puts(p, name);
    gw_prom_put(p, " ", 1);
    gw_prom_value(p, n, GW_PROM_COUNT);
}


/* opens the labels of a series; g may be NULL: not of one gateway */

static void
gw_prom_series(gw_prom_t *p, const char *name, const char *suffix,
    const gw_view_gateway_t *g)
{
    gw_prom_puts(p, "nginx_gateway_");
    gw_prom_puts(p, name);
    gw_prom_puts(p, suffix);
    gw_prom_put(p, "{", 1);

    if (g) {
        gw_prom_label(p, "gateway", g->name);
    }
}


/*
 * A byte that is not UTF-8, or a NUL, would make Prometheus refuse the whole
 * page; of a name that is not UTF-8 each byte above 127 becomes a "?", as in
 * the JSON page.
 */

static void
gw_prom_label(gw_prom_t *p, const char *name, gw_str_t value)
{
    int      utf8;
    size_t   i, from;
    uint8_t  c;

    if (p->len && p->data[p->len - 1] != '{') {
        gw_prom_put(p, ",", 1);
    }

    gw_prom_puts(p, name);
    gw_prom_put(p, "=\"", 2);

    utf8 = gw_prom_is_utf8(value);
    from = 0;

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (c != '"' && c != '\\' && c != '\n' && c != '\0'
            && (c < 0x80 || utf8))
        {
            continue;
        }

        gw_prom_put(p, value.data + from, i - from);
        from = i + 1;

        switch (c) {

        case '"':
            gw_prom_put(p, "\\\"", 2);
            break;

        case '\\':
            gw_prom_put(p, "\\\\", 2);
            break;

        case '\n':
            gw_prom_put(p, "\\n", 2);
            break;

        default:
            gw_prom_put(p, "?", 1);
            break;
        }
    }

    if (from < value.len) {
        gw_prom_put(p, value.data + from, value.len - from);
    }

    gw_prom_put(p, "\"", 1);
}


static void
gw_prom_number_label(gw_prom_t *p, const char *name, uint64_t n)
{
    char      text[GW_PROM_NUMBER_MAX];
    gw_str_t  value;

    value.data = (const uint8_t *) text + sizeof(text);
    value.len = 0;

    do {
        text[sizeof(text) - ++value.len] = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    value.data -= value.len;

    gw_prom_label(p, name, value);
}


/* RFC 3629, section 4: no overlong forms, no surrogates, at most U+10FFFF */

static int
gw_prom_is_utf8(gw_str_t s)
{
    size_t    i;
    uint8_t   c;
    unsigned  more, low, high;

    more = 0;
    low = 0x80;
    high = 0xbf;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (more) {
            if (c < low || c > high) {
                return 0;
            }

            more--;
            low = 0x80;
            high = 0xbf;

        } else if (c >= 0xc2 && c <= 0xdf) {
            more = 1;

        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            low = c == 0xe0 ? 0xa0 : 0x80;
            high = c == 0xed ? 0x9f : 0xbf;

        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            low = c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xf4 ? 0x8f : 0xbf;

        } else if (c >= 0x80) {
            return 0;
        }
    }

    return more == 0;
}


/* closes the labels, where any are open, and the line */

static void
gw_prom_value(gw_prom_t *p, uint64_t n, unsigned unit)
{
    char      text[GW_PROM_NUMBER_MAX], *at;
    unsigned  digits;

    if (p->len && p->data[p->len - 1] == '"') {
        gw_prom_put(p, "} ", 2);
    }

    if (unit == GW_PROM_FLAG) {
        n = n != 0;
        unit = GW_PROM_COUNT;
    }

    at = text + sizeof(text);
    *--at = '\n';
    digits = 0;

    do {
        if (digits && digits == unit) {
            *--at = '.';
        }

        *--at = (char) ('0' + n % 10);
        n /= 10;
        digits++;

    } while (n || digits <= unit);

    gw_prom_put(p, at, (size_t) (text + sizeof(text) - at));
}


static void
gw_prom_puts(gw_prom_t *p, const char *s)
{
    gw_prom_put(p, s, strlen(s));
}


static void
gw_prom_put(gw_prom_t *p, const void *data, size_t len)
{
    char    *grown;
    size_t   size;

    if (p->failed || len == 0) {
        return;
    }

    if (len > p->size - p->len) {
        size = p->size ? p->size : 16384;

        while (len > size - p->len) {
            size *= 2;
        }

        grown = realloc(p->data, size);
        if (grown == NULL) {
            p->failed = 1;
            return;
        }

        p->data = grown;
        p->size = size;
    }

    memcpy(p->data + p->len, data, len);
    p->len += len;
}
