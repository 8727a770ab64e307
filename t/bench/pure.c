/*
 * t/bench/pure.c - nanoseconds of one operation of each part of pure/ that a
 * message passes.  A part that became slow is named here; in the figures of a
 * whole worker it would be a percent of noise.
 *
 * Built with -O2, without sanitizers, by t/bench/Bench/Pure.pm.  Messages
 * differ in names, numbers and lengths, so that no branch predictor learns
 * them by heart; all of them fit into the cache.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "gw_envelope.h"
#include "gw_hist.h"
#include "gw_json.h"
#include "gw_lanes.h"
#include "gw_ndjson.h"
#include "gw_stats.h"
#include "gw_time.h"
#include "gw_trace.h"


#define BENCH_MESSAGES  64         /* a power of two */
#define BENCH_BATCH     40
#define BENCH_WAITING   1024       /* items that wait in the lanes */
#define BENCH_SIZE      255        /* bytes of a message */


struct bench_s {
    gw_json_t        j;
    char             text[BENCH_MESSAGES][BENCH_SIZE + 1];
    char             times[BENCH_MESSAGES][32];
    char             traces[BENCH_MESSAGES][GW_TRACEPARENT_LEN + 1];
    char             array[BENCH_BATCH * (BENCH_SIZE + 1) + 2];
    size_t           array_len;
    char             lines[BENCH_BATCH * (BENCH_SIZE + 1)];
    size_t           lines_len;
    gw_lanes_t      *lanes;
    gw_lane_item_t   items[BENCH_WAITING];
    gw_stats_slot_t  slot;
    gw_hist_t        hist;
    uint64_t         sum;          /* keeps the work from being left out */
};


static void
bench_scan(bench_t *b, unsigned i)
{
    const uint8_t  *p;

    p = (const uint8_t *) b->text[i % BENCH_MESSAGES];

    if (gw_json_parse(&b->j, p, BENCH_SIZE) != GW_OK) {
        bench_die(gw_json_strerror(b->j.error));
    }

    b->sum += b->j.n;
}


static void
bench_scan_array(bench_t *b, unsigned i)
{
    int              rc;
    gw_json_items_t  it;

    (void) i;

    gw_json_items_init(&it, (const uint8_t *) b->array, b->array_len);

    while ((rc = gw_json_items_next(&it, &b->j)) == GW_OK) {
        b->sum += b->j.n;
    }

    if (rc != GW_DONE) {
        bench_die(gw_json_strerror(b->j.error));
    }
}


static void
bench_envelope(bench_t *b, unsigned i)
{
    uint8_t         dst[BENCH_SIZE * 2];
    const char     *detail;
    const uint8_t  *p;
    gw_envelope_t   env;

    bench_scan(b, i);

    p = (const uint8_t *) b->text[i % BENCH_MESSAGES];

    if (gw_envelope_decode(&b->j, p, &env, &detail) != GW_OK) {
        bench_die(detail);
    }

    if (gw_envelope_size(&env) > sizeof(dst)) {
        bench_die("an envelope that does not fit");
    }

    b->sum += gw_envelope_write(dst, &env, 1718000000456LL + i) + dst[i & 63];
}


static void
bench_time(bench_t *b, unsigned i)
{
    int64_t         ms;
    const char     *p;

    p = b->times[i % BENCH_MESSAGES];

    if (gw_time_rfc3339((const uint8_t *) p, strlen(p), &ms) != GW_OK) {
        bench_die("a time that is none");
    }

    b->sum += (uint64_t) ms;
}


static void
bench_trace_parse(bench_t *b, unsigned i)
{
    uint8_t         dst[GW_TRACEPARENT_LEN];
    const uint8_t  *p;

    p = (const uint8_t *) b->traces[i % BENCH_MESSAGES];

    if (gw_trace_parse(p, GW_TRACEPARENT_LEN, dst) != GW_OK) {
        bench_die("a traceparent that is none");
    }

    b->sum += dst[40];
}


static void
bench_trace_make(bench_t *b, unsigned i)
{
    uint8_t  dst[GW_TRACEPARENT_LEN];

    gw_trace_make(i * 0x9e3779b97f4a7c15ULL, i + 1, i ^ 0x5bd1e995, dst);

    b->sum += dst[40];
}


/* one message in, one out, its end: with BENCH_WAITING others waiting */

static void
bench_lanes(bench_t *b, unsigned i)
{
    gw_lane_item_t  *item;

    item = gw_lanes_take(b->lanes, 0xff);
    if (item == NULL) {
        bench_die("an empty lane");
    }

    gw_lanes_release(b->lanes, item);

    item->device = (uint64_t) (i % 997) * 0x9e3779b97f4a7c15ULL;
    item->time = i;
    item->cost = 500 + i % 100;
    item->lane = 2;

    if (gw_lanes_offer(b->lanes, item) != GW_OK) {
        bench_die("a full lane");
    }
}


/* what one message that is delivered has counted */

static void
bench_stats(bench_t *b, unsigned i)
{
    gw_stats_bytes(&b->slot, GW_PROTO_HTTP, BENCH_SIZE);
    gw_stats_accepted(&b->slot, GW_PROTO_HTTP, 2);
    gw_stats_delivered(&b->slot, GW_PROTO_HTTP, 2, i % 5000, i % 20000);
}


static void
bench_hist(bench_t *b, unsigned i)
{
    gw_hist_add(&b->hist, (i * 2654435761U) >> 14);
}


static void
bench_ndjson(bench_t *b, unsigned i)
{
    gw_str_t     line;
    gw_ndjson_t  nd;

    (void) i;

    gw_ndjson_init(&nd, (const uint8_t *) b->lines, b->lines_len);

    while (gw_ndjson_next(&nd, &line) == GW_OK) {
        b->sum += line.len;
    }
}


static const bench_part_t  bench_parts[] = {
    { "json",            BENCH_SIZE,                           bench_scan },
    { "json, array",     BENCH_BATCH * (BENCH_SIZE + 1) + 1,
                                                        bench_scan_array },
    { "json + envelope", BENCH_SIZE,                       bench_envelope },
    { "time, RFC 3339",  0,                                    bench_time },
    { "traceparent read", 0,                            bench_trace_parse },
    { "traceparent made", 0,                             bench_trace_make },
    { "lanes, in and out", 0,                                 bench_lanes },
    { "stats, delivered", 0,                                  bench_stats },
    { "histogram",       0,                                    bench_hist },
    { "ndjson, 40 lines", BENCH_BATCH * (BENCH_SIZE + 1),    bench_ndjson }
};


static void
bench_texts(bench_t *b)
{
    int       n;
    char     *p;
    unsigned  i;

    for (i = 0; i < BENCH_MESSAGES; i++) {
        p = b->text[i];

        n = snprintf(p, BENCH_SIZE + 1,
                     "{\"device\":\"sensor-%06u\",\"seq\":%u,"
                     "\"class\":\"telemetry\",\"ts\":%llu,"
                     "\"data\":{\"temp\":%u.%03u,\"hum\":%u.%u,"
                     "\"pres\":10%02u.%02u,\"batt\":3.%u,\"rssi\":-%u,"
                     "\"fw\":\"2.14.%u\",\"valve\":%s,\"err\":null,"
                     "\"mode\":\"%s\",\"up\":%u,"
                     "\"vib\":[0.%02u,-0.%02u,0.98],\"n\":\"",
                     i * 7919 % 1000000, 1048577 + i * i * 31,
                     1718000000123ULL + i * 997, i % 40, i * 37 % 1000,
                     i * 13 % 100, i % 10, i % 60, i * 7 % 100, i % 100,
                     i % 120, i % 12, i % 3 ? "true" : "false",
                     i % 5 ? "auto-econ" : "manual", 86400 * i,
                     i % 100, i * 3 % 100);

        if (n > BENCH_SIZE - 3) {
            bench_die("a message that is too long");
        }

        memset(p + n, 'a' + (int) (i % 26), BENCH_SIZE - 3 - (size_t) n);
        memcpy(p + BENCH_SIZE - 3, "\"}}", 4);

        snprintf(b->times[i], sizeof(b->times[i]),
                 i % 3 ? "2024-%02u-%02uT%02u:%02u:%02uZ"
                       : "2024-%02u-%02uT%02u:%02u:%02u.25+02:00",
                 i % 12 + 1, i % 28 + 1, i % 24, i * 7 % 60, i * 11 % 60);

        snprintf(b->traces[i], sizeof(b->traces[i]),
                 "00-%016llx%016llx-%016llx-01",
                 (i + 1) * 0x9e3779b97f4a7c15ULL,
                 (i + 3) * 0xc2b2ae3d27d4eb4fULL,
                 (i + 5) * 0x165667b19e3779f9ULL);
    }
}


static void
bench_batches(bench_t *b)
{
    char      *array, *lines;
    unsigned   i;

    array = b->array;
    lines = b->lines;

    for (i = 0; i < BENCH_BATCH; i++) {
        *array++ = i ? ',' : '[';

        memcpy(array, b->text[i], BENCH_SIZE);
        memcpy(lines, b->text[i], BENCH_SIZE);

        array += BENCH_SIZE;
        lines += BENCH_SIZE;

        *lines++ = '\n';
    }

    *array++ = ']';

    b->array_len = (size_t) (array - b->array);
    b->lines_len = (size_t) (lines - b->lines);
}


static void
bench_evicted(void *ctx, gw_lane_item_t *item, gw_reason_e reason)
{
    (void) ctx;
    (void) item;
    (void) reason;

    bench_die("an eviction");
}


static void
bench_waiting(bench_t *b)
{
    void             *mem;
    unsigned          i;
    gw_lanes_conf_t   conf;

    memset(&conf, 0, sizeof(conf));

    conf.bound = 64 * 1024 * 1024;
    conf.nclasses = 3;
    conf.high = 80;
    conf.low = 60;
    conf.floor = 16;

    if (posix_memalign(&mem, 64, gw_lanes_size(&conf)) != 0) {
        bench_die("no memory");
    }

    b->lanes = gw_lanes_init(mem, &conf, bench_evicted, NULL);
    if (b->lanes == NULL) {
        bench_die("no lanes");
    }

    for (i = 0; i < BENCH_WAITING; i++) {
        b->items[i].device = (uint64_t) (i % 997) * 0x9e3779b97f4a7c15ULL;
        b->items[i].time = i;
        b->items[i].cost = 500;
        b->items[i].lane = 2;

        if (gw_lanes_offer(b->lanes, &b->items[i]) != GW_OK) {
            bench_die("a full lane");
        }
    }
}


int
main(void)
{
    void              *arena;
    bench_t           *b;
    unsigned           i;
    gw_json_limits_t   limits;

    b = calloc(1, sizeof(bench_t));

    /* as the worker has them */
    limits.max_bytes = 1024 * 1024;
    limits.max_nodes = 16384;
    limits.max_depth = 32;
    limits.max_keys = 1024;
    limits.max_string = 1024 * 1024;
    limits.max_number = 1024;

    arena = malloc(gw_json_arena_size(&limits));

    if (b == NULL || arena == NULL
        || gw_json_init(&b->j, &limits, arena, 0x5eed5eed5eed5eedULL) != GW_OK)
    {
        bench_die("no memory");
    }

    bench_texts(b);
    bench_batches(b);
    bench_waiting(b);

    for (i = 0; i < sizeof(bench_parts) / sizeof(bench_parts[0]); i++) {
        bench_measure(b, &bench_parts[i]);
    }

    return b->sum == 0;
}
