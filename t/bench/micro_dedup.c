/*
 * t/bench/micro_dedup.c - what dedup costs a message, with its lock, in shared
 * memory, over a million devices in random order; and its memory.
 *
 * Without it nobody sees that a window has grown over a cache line, or that a
 * table is said to hold more devices than find a place.
 *
 *   cc -std=gnu99 -O2 -Wall -Wextra -I ngx_gateway_module/pure -o micro_dedup
 *      t/bench/micro_dedup.c ngx_gateway_module/pure/gw_dedup*.c
 *      ngx_gateway_module/pure/gw_lock.c -lpthread
 *   micro_dedup [DEVICES]
 *
 * 16 shards; the ids of a round are made before it, so what is measured is
 * prefetch, lock, begin, unlock and lock, done, unlock, as a worker does it.
 * The devices of a round are a permutation of all of them: no window is in a
 * cache because it was used a moment ago.  "one read" is one cache line of the
 * same memory in the same order: what this machine takes for that, no code can
 * save.
 *
 * CPU time of the thread, the best of the rounds.  A line each on stdout,
 * parted by tabs: "devices", how many, how many found no place, bytes of
 * shared memory for each, with what is free and the flights; then name,
 * nanoseconds, user instructions or 0 where the kernel does not count them.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "gw_dedup.h"
#include "gw_lock.h"


#define BENCH_SHARDS  16
#define BENCH_ROUNDS  5
#define BENCH_AHEAD   8        /* ids that are prefetched, where they are */
#define BENCH_OWNER   1


typedef struct {
    gw_lock_t    lock;
    gw_dedup_t  *dedup;
} bench_shard_t;


typedef struct {
    uint64_t  ns;
    uint64_t  instructions;
} bench_cost_t;


typedef enum {
    BENCH_BOTH = 0,
    BENCH_BEGIN,               /* and releases behind the clock's back */
    BENCH_BOTH_AHEAD,          /* prefetched some messages before */
    BENCH_DUPLICATE,
    BENCH_LOCK,
    BENCH_COLD,                /* what one line of this memory takes */
    BENCH_N
} bench_kind_e;


static bench_shard_t     *shards;
static gw_dedup_id_t     *ids;
static gw_dedup_ticket_t *tickets;
static uint32_t           alive[GW_DEDUP_OWNERS] = { BENCH_OWNER };
static uint32_t           ndevices = 1000000;
static uint64_t           seed = 88172645463325252ULL;
static int                counter = -1;
static uint8_t           *memory;      /* all shards */
static uint64_t           lines;       /* of it */


static void
bench_die(const char *what)
{
    fprintf(stderr, "micro_dedup: %s\n", what);
    exit(1);
}


static uint64_t
bench_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed * 0x2545f4914f6cdd1dULL;
}


static void *
bench_memory(size_t size, int flags)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1,
               0);

    if (mem == MAP_FAILED) {
        bench_die("no memory");
    }

    return mem;
}


static void
bench_shuffle(void)
{
    uint32_t       i, k;
    gw_dedup_id_t  id;

    for (i = ndevices - 1; i; i--) {
        k = (uint32_t) (bench_random() % (i + 1));
        id = ids[i];
        ids[i] = ids[k];
        ids[k] = id;
    }
}


static uint64_t
bench_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


static uint64_t
bench_instructions(void)
{
    uint64_t  n;

    if (counter == -1 || read(counter, &n, sizeof(n)) != sizeof(n)) {
        return 0;
    }

    return n;
}


static void
bench_count(void)
{
    struct perf_event_attr  attr;

    memset(&attr, 0, sizeof(attr));

    attr.type = PERF_TYPE_HARDWARE;
    attr.size = sizeof(attr);
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;

    counter = (int) syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}


static gw_dedup_verdict_e
bench_begin(uint32_t i, uint32_t now)
{
    bench_shard_t       *shard;
    gw_dedup_note_e      note;
    gw_dedup_verdict_e   verdict;

    shard = &shards[ids[i].place % BENCH_SHARDS];

    gw_dedup_prefetch(shard->dedup, &ids[i]);

    (void) gw_lock(&shard->lock);
    verdict = gw_dedup_begin(shard->dedup, &ids[i], BENCH_OWNER, alive, now, 0,
                             &tickets[i], &note);
    gw_unlock(&shard->lock);

    return verdict;
}


static void
bench_done(uint32_t i, uint32_t now)
{
    bench_shard_t  *shard;

    shard = &shards[ids[i].place % BENCH_SHARDS];

    (void) gw_lock(&shard->lock);
    (void) gw_dedup_done(shard->dedup, &tickets[i], now);
    gw_unlock(&shard->lock);
}


/* how many of a round were new */

static uint32_t
bench_round(bench_kind_e kind, uint32_t now, bench_cost_t *best)
{
    uint32_t  i, k, to, fresh;
    uint64_t  ns, instructions, last;

    fresh = 0;
    last = 0;
    ns = 0;
    instructions = 0;

    /* flights are fewer than devices: begin alone goes in small batches */

    for (i = 0; i < ndevices; i = k) {
        to = i + 256 < ndevices ? i + 256 : ndevices;
        ns -= bench_ns();
        instructions -= bench_instructions();

        for (k = i; k < to; k++) {

            if (kind == BENCH_LOCK) {
                (void) gw_lock(&shards[k % BENCH_SHARDS].lock);
                gw_unlock(&shards[k % BENCH_SHARDS].lock);
                continue;
            }

            if (kind == BENCH_COLD) {

                /* where the next one is depends on what this one holds */

                last = *(volatile uint64_t *) (void *)
                       (memory + (ids[k].place + (last == 42)) % lines * 64);
                continue;
            }

            if (kind == BENCH_BOTH_AHEAD && k + BENCH_AHEAD < ndevices) {
                gw_dedup_prefetch(shards[ids[k + BENCH_AHEAD].place
                                         % BENCH_SHARDS].dedup,
                                  &ids[k + BENCH_AHEAD]);
            }

            fresh += bench_begin(k, now) == GW_DEDUP_NEW
                     && tickets[k].flight;

            if (kind == BENCH_BOTH || kind == BENCH_BOTH_AHEAD) {
                bench_done(k, now);
            }
        }

        ns += bench_ns();
        instructions += bench_instructions();

        for (k = i; kind == BENCH_BEGIN && k < to; k++) {
            (void) gw_dedup_release(shards[ids[k].place % BENCH_SHARDS].dedup,
                                    &tickets[k]);
        }

        k = to;
    }

    if (best->ns == 0 || ns < best->ns) {
        best->ns = ns;
        best->instructions = instructions;
    }

    return fresh;
}


int
main(int argc, char **argv)
{
    char              name[32];
    size_t            size, total;
    uint8_t           secret[GW_DEDUP_SECRET_LEN];
    uint32_t          i, round, now, fresh, kind;
    gw_str_t          device, epoch, payload;
    bench_cost_t      cost[BENCH_N];
    gw_dedup_conf_t   conf;

    static const char  *names[BENCH_N] = {
        "new message, begin and done", "begin of a new message",
        "begin and done, prefetched 8 messages ahead", "begin of a duplicate",
        "lock and unlock alone", "one read"
    };

    if (argc > 1) {
        ndevices = (uint32_t) strtoul(argv[1], NULL, 10);
    }

    if (ndevices < 1000) {
        bench_die("a thousand devices at least");
    }

    bench_count();

    memset(&conf, 0, sizeof(conf));
    conf.windows = (uint32_t) ((uint64_t) ndevices * 100 / 95 / BENCH_SHARDS);
    conf.flights = 4096;
    conf.width = GW_DEDUP_WINDOW_MIN;
    conf.keep = 86400;

    size = gw_dedup_size(&conf);
    total = size * BENCH_SHARDS;
    memory = bench_memory(total, MAP_SHARED);
    lines = total / 64;
    shards = bench_memory(sizeof(bench_shard_t) * BENCH_SHARDS, MAP_SHARED);
    ids = bench_memory((size_t) ndevices * sizeof(*ids), MAP_PRIVATE);
    tickets = bench_memory((size_t) ndevices * sizeof(*tickets), MAP_PRIVATE);

    for (i = 0; i < GW_DEDUP_SECRET_LEN; i++) {
        secret[i] = (uint8_t) bench_random();
    }

    for (i = 0; i < BENCH_SHARDS; i++) {
        shards[i].dedup = gw_dedup_init(memory + i * size, &conf);

        if (gw_lock_init(&shards[i].lock) != GW_OK) {
            bench_die("no lock");
        }
    }

    device.data = (const uint8_t *) name;
    payload = device;
    epoch.data = (const uint8_t *) "7";
    epoch.len = 1;

    for (i = 0; i < ndevices; i++) {
        device.len = (size_t) sprintf(name, "sensor-%07u", i);
        payload.len = device.len;
        gw_dedup_hash(secret, 0, &device, &epoch, 1, NULL, &payload, &ids[i]);
    }

    memset(cost, 0, sizeof(cost));

    /* all devices come for the first time: how many find no place */

    now = 1;
    fresh = bench_round(BENCH_BOTH, now, &cost[BENCH_BOTH]);

    printf("devices\t%u\t%u\t%.1f\n", ndevices, ndevices - fresh,
           (double) total / ndevices);
    printf("first message of a device\t%.1f\t0\n",
           (double) cost[BENCH_BOTH].ns / ndevices);

    memset(cost, 0, sizeof(cost));

    for (round = 0; round < BENCH_ROUNDS; round++) {
        for (kind = 0; kind < BENCH_N; kind++) {
            bench_shuffle();
            now++;

            for (i = 0; kind != BENCH_DUPLICATE && i < ndevices; i++) {
                ids[i].seq = 1 + now;
            }

            for (i = 0; kind == BENCH_DUPLICATE && i < ndevices; i++) {
                ids[i].seq = now;
            }

            (void) bench_round(kind, now, &cost[kind]);
        }
    }

    for (kind = 0; kind < BENCH_N; kind++) {
        printf("%s\t%.1f\t%.1f\n", names[kind],
               (double) cost[kind].ns / ndevices,
               (double) cost[kind].instructions / ndevices);
    }

    return 0;
}
