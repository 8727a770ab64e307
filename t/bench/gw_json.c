/*
 * t/bench/gw_json.c - what one message costs the scanner, and what the same
 * bytes cost jansson.
 *
 * Built with -O2 and without sanitizers:
 *
 *   cc -std=gnu99 -O2 -Wall -Wextra -I ngx_gateway_module/pure
 *      -o bench_json t/bench/gw_json.c ngx_gateway_module/pure/gw_json.c
 *      -ljansson
 *
 * One line a case: time and user instructions of one call, the best of
 * several rounds, and bytes per time.  Instructions are shown as 0 where the
 * kernel does not let us count them.  The argument, if any, scales the number
 * of calls.  The input never changes within a case: caches and branch
 * predictors are warm, so these are floors.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "gw_json.h"


#define BENCH_ROUNDS  9
#define BENCH_BATCH   40


typedef struct {
    gw_json_t       j;
    const uint8_t  *p;
    size_t          len;
    uint64_t        sum;       /* keeps the work from being optimized away */
} bench_t;


typedef void (*bench_pt)(bench_t *b);


/* 255 bytes: 17 scalars, a nested object and an array, 20 values in all */

static const char  bench_msg[] =
    "{\"device\":\"sensor-004217\",\"seq\":1048577,\"class\":\"telemetry\","
    "\"ts\":1718000000123,\"data\":{\"temp\":21.531,\"hum\":48.2,"
    "\"pres\":1013.25,\"batt\":3.71,\"rssi\":-67,\"fw\":\"2.14.0-rc.3+b1\","
    "\"valve\":true,\"err\":null,\"mode\":\"auto-econ\","
    "\"uptime\":86400,\"vib\":[0.01,-0.02,0.98]}}";

static const char  bench_pretty[] =
    "{\n"
    "    \"device\": \"sensor-004217\",\n"
    "    \"seq\": 1048577,\n"
    "    \"class\": \"telemetry\",\n"
    "    \"ts\": 1718000000123,\n"
    "    \"data\": {\n"
    "        \"temp\": 21.531,\n"
    "        \"hum\": 48.2,\n"
    "        \"pres\": 1013.25,\n"
    "        \"batt\": 3.71,\n"
    "        \"rssi\": -67,\n"
    "        \"fw\": \"2.14.0-rc.3+b1\",\n"
    "        \"valve\": true,\n"
    "        \"err\": null,\n"
    "        \"mode\": \"auto-econ\",\n"
    "        \"uptime\": 86400,\n"
    "        \"vib\": [\n"
    "            0.01,\n"
    "            -0.02,\n"
    "            0.98\n"
    "        ]\n"
    "    }\n"
    "}\n";


static void
bench_die(const char *what)
{
    fprintf(stderr, "gw_json bench: %s\n", what);
    exit(1);
}


static void
bench_parse(bench_t *b)
{
    if (gw_json_parse(&b->j, b->p, b->len) != GW_OK) {
        bench_die(gw_json_strerror(b->j.error));
    }

    b->sum += b->j.n;
}


static void
bench_items(bench_t *b)
{
    int              rc;
    gw_json_items_t  it;

    gw_json_items_init(&it, b->p, b->len);

    while ((rc = gw_json_items_next(&it, &b->j)) == GW_OK) {
        b->sum += b->j.n;
    }

    if (rc != GW_DONE) {
        bench_die(gw_json_strerror(b->j.error));
    }
}


static void
bench_jansson(bench_t *b)
{
    json_t        *root;
    json_error_t   error;

    root = json_loadb((const char *) b->p, b->len, JSON_REJECT_DUPLICATES,
                      &error);
    if (root == NULL) {
        bench_die(error.text);
    }

    b->sum += (uint64_t) json_typeof(root);
    json_decref(root);
}


static int
bench_counter(void)
{
    struct perf_event_attr  attr;

    memset(&attr, 0, sizeof(attr));
    attr.type = PERF_TYPE_HARDWARE;
    attr.size = sizeof(attr);
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;

    return (int) syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}


static uint64_t
bench_instructions(int fd)
{
    uint64_t  n;

    if (fd == -1 || read(fd, &n, sizeof(n)) != (ssize_t) sizeof(n)) {
        return 0;
    }

    return n;
}


static void
bench_run(const char *name, bench_pt f, bench_t *b, const void *p, size_t len,
    unsigned calls)
{
    int       fd;
    double    start, ns, best;
    unsigned  i, round;
    uint64_t  first, count, fewest;

    b->p = p;
    b->len = len;

    fd = bench_counter();
    best = 0;
    fewest = 0;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        first = bench_instructions(fd);
        start = bench_now();

        for (i = 0; i < calls; i++) {
            f(b);
        }

        ns = (bench_now() - start) / calls;
        count = (bench_instructions(fd) - first) / calls;

        if (round == 0 || ns < best) {
            best = ns;
        }

        if (round == 0 || count < fewest) {
            fewest = count;
        }
    }

    if (fd != -1) {
        close(fd);
    }

    printf("%-28s %6zu bytes %10.1f ns/op %9" PRIu64 " instr/op %7.3f GB/s\n",
           name, len, best, fewest, (double) len / best);
}


int
main(int argc, char **argv)
{
    char              *batch, *at;
    void              *arena;
    size_t             len;
    bench_t            b;
    unsigned           i, scale;
    gw_json_limits_t   limits;

    scale = argc > 1 ? (unsigned) atoi(argv[1]) : 1;

    memset(&b, 0, sizeof(b));

    limits.max_bytes = 65536;
    limits.max_nodes = 4096;
    limits.max_depth = 32;
    limits.max_keys = 256;
    limits.max_string = 16384;
    limits.max_number = 64;

    arena = malloc(gw_json_arena_size(&limits));
    if (arena == NULL
        || gw_json_init(&b.j, &limits, arena, 0x5eed5eed5eed5eedULL) != GW_OK)
    {
        bench_die("no arena");
    }

    len = sizeof(bench_msg) - 1;

    batch = malloc(BENCH_BATCH * (len + 1) + 2);
    if (batch == NULL) {
        bench_die("no memory");
    }

    at = batch;
    *at++ = '[';

    for (i = 0; i < BENCH_BATCH; i++) {

        if (i) {
            *at++ = ',';
        }

        memcpy(at, bench_msg, len);
        at += len;
    }

    *at++ = ']';

    bench_run("scanner, message", bench_parse, &b, bench_msg, len,
              400000 * scale);
    bench_run("scanner, pretty-printed", bench_parse, &b, bench_pretty,
              sizeof(bench_pretty) - 1, 300000 * scale);
    bench_run("scanner, batch of 40", bench_items, &b, batch,
              (size_t) (at - batch), 10000 * scale);
    bench_run("jansson, message", bench_jansson, &b, bench_msg, len,
              20000 * scale);
    bench_run("jansson, pretty-printed", bench_jansson, &b, bench_pretty,
              sizeof(bench_pretty) - 1, 20000 * scale);
    bench_run("jansson, batch of 40", bench_jansson, &b, batch,
              (size_t) (at - batch), 500 * scale);

    free(batch);
    free(arena);

    return b.sum == 0;
}
