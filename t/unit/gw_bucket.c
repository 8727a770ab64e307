/*
 * Guessing is stopped before it costs a look-up: a source that failed too
 * often is refused.  A bucket that drifts lets more guesses through each day
 * and nobody counts them; one that refuses a source that never failed cuts off
 * every device behind an address; one that forgets under a flood of sources is
 * no protection at all, just when it is needed.
 */

#include "gw_test.h"
#include "gw_bucket.h"


#define WAYS  8                /* places of a set: a table of 8 is one set */
#define YEAR  (365ULL * 86400 * 1000)


typedef unsigned __int128  u128;


/*
 * The model of one set.  A bucket is the moment at which it is full again, in
 * thousandths of a token since time 0, exact: a source may fail once more
 * where not more than burst tokens are then owed.  At first all are full, and
 * nobody's.
 */

typedef struct {
    uint64_t  source[WAYS];
    u128      full_at[WAYS];
    uint64_t  rate;
    uint64_t  burst;
} model_t;


static uint64_t  dice_state = 42;


static uint64_t
dice(uint64_t n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (dice_state >> 24) % n;
}


static gw_bucket_t *
create(uint32_t entries, uint32_t rate, uint32_t burst)
{
    void  *mem;

    mem = malloc(gw_bucket_size(entries));

    if (mem == NULL) {
        abort();
    }

    /* what the memory held before may not matter */

    memset(mem, 0xa5, gw_bucket_size(entries));

    return gw_bucket_init(mem, entries, rate, burst);
}


static u128
model_owed(const model_t *m, unsigned i, uint64_t now)
{
    u128  at;

    at = (u128) now * m->rate;

    return m->full_at[i] > at ? m->full_at[i] - at : 0;
}


static unsigned
model_find(const model_t *m, uint64_t source)
{
    unsigned  i;

    for (i = 0; i < WAYS && m->source[i] != source; i++) { /* void */ }

    return i;
}


static int
model_check(const model_t *m, uint64_t source, uint64_t now)
{
    unsigned  i;

    i = model_find(m, source);

    return i == WAYS || model_owed(m, i, now) + 1000 <= m->burst * 1000
           ? GW_OK : GW_BUSY;
}


static void
model_failed(model_t *m, uint64_t source, uint64_t now)
{
    unsigned  i, k;

    i = model_find(m, source);

    if (i == WAYS) {
        for (i = 0, k = 1; k < WAYS; k++) {
            if (model_owed(m, k, now) < model_owed(m, i, now)) {
                i = k;
            }
        }

        m->source[i] = source;
        m->full_at[i] = 0;
    }

    if (model_check(m, source, now) == GW_OK) {
        m->full_at[i] = (u128) now * m->rate + model_owed(m, i, now) + 1000;
    }
}


static void
basics(void)
{
    int          good;
    unsigned     i;
    gw_bucket_t  *b;

    b = create(8, 2, 3);

    for (i = 0; i < 3; i++) {
        ok(gw_bucket_check(b, 7, 1000) == GW_OK, "%u of 3 failures: go on", i);
        gw_bucket_failed(b, 7, 1000);
    }

    ok(gw_bucket_check(b, 7, 1000) == GW_BUSY, "3 of 3: refused");
    ok(gw_bucket_check(b, 8, 1000) == GW_OK, "another source is not");
    ok(gw_bucket_check(b, 7 + (1ULL << 40), 1000) == GW_OK,
       "nor one that differs in the high bits only");

    gw_bucket_failed(b, 7, 1000);
    ok(gw_bucket_check(b, 7, 1499) == GW_BUSY,
       "2 tokens a second: after 499 ms it still is");
    ok(gw_bucket_check(b, 7, 1500) == GW_OK,
       "after 500 ms not: a failure without a token took none");

    gw_bucket_failed(b, 7, 1500);
    ok(gw_bucket_check(b, 7, 1500) == GW_BUSY, "one token is one failure");
    ok(gw_bucket_check(b, 7, 1400) == GW_BUSY,
       "a clock that runs back gives no token");

    gw_bucket_failed(b, 9, 1500);
    gw_bucket_failed(b, 9, 1000);
    gw_bucket_failed(b, 9, 1000);
    ok(gw_bucket_check(b, 9, 1500) == GW_BUSY
       && gw_bucket_check(b, 9, 1999) == GW_BUSY
       && gw_bucket_check(b, 9, 2000) == GW_OK,
       "nor does one that catches up with itself");

    gw_bucket_failed(b, 7, 1600);
    gw_bucket_failed(b, 7, 1000000);
    gw_bucket_failed(b, 7, 1000000);
    ok(gw_bucket_check(b, 7, 1000000) == GW_OK, "a long rest fills it");
    gw_bucket_failed(b, 7, 1000000);
    ok(gw_bucket_check(b, 7, 1000000) == GW_BUSY, "but not over its brim");

    free(b);

    /* 0 is a number like any */

    b = create(8, 1, 2);
    good = gw_bucket_check(b, 0, 0) == GW_OK;
    gw_bucket_failed(b, 5, 0);
    gw_bucket_failed(b, 0, 0);
    good &= gw_bucket_check(b, 0, 0) == GW_OK;
    gw_bucket_failed(b, 0, 0);
    good &= gw_bucket_check(b, 0, 0) == GW_BUSY;
    good &= gw_bucket_check(b, 5, 0) == GW_OK;

    ok(good, "source 0 and time 0 are like any other");
    free(b);

    ok(gw_bucket_size(1) == gw_bucket_size(8)
       && gw_bucket_size(9) == gw_bucket_size(16)
       && gw_bucket_size(1000) == gw_bucket_size(1024)
       && gw_bucket_size(8) < gw_bucket_size(9), "sizes are powers of two");
    ok(gw_bucket_size(UINT32_MAX) > (size_t) UINT32_MAX * 16,
       "the greatest number of entries does not overflow");
}


/*
 * Random failures of sources sources in one set, every one of them compared
 * with the model after each step.
 */

static unsigned
walk(uint32_t rate, uint32_t burst, unsigned sources, unsigned steps,
    uint64_t now, unsigned *refused)
{
    unsigned     step, k, bad;
    uint64_t     source;
    model_t      m;
    gw_bucket_t  *b;

    memset(&m, 0, sizeof(m));
    memset(m.source, 0xff, sizeof(m.source));
    m.rate = rate;
    m.burst = burst;

    b = create(WAYS, rate, burst);
    bad = 0;

    for (step = 0; step < steps; step++) {

        switch (dice(8)) {

        case 0:
            now += dice(3);
            break;

        case 1:
            now += dice(1000 / rate + 2);
            break;

        case 2:
            now += dice(1000ULL * burst / rate + 2);
            break;

        case 3:
            now += dice(50) == 0 ? dice(100 * YEAR) : 0;
            break;

        default:               /* the clock stands still */
            break;
        }

        source = dice(sources) * 0x1000003ULL;

        gw_bucket_failed(b, source, now);
        model_failed(&m, source, now);

        for (k = 0; k < sources; k++) {
            source = k * 0x1000003ULL;

            bad += gw_bucket_check(b, source, now)
                   != model_check(&m, source, now);
            *refused += model_check(&m, source, now) == GW_BUSY;
        }
    }

    free(b);

    return bad;
}


static void
exact(void)
{
    size_t    i;
    unsigned  bad, crowded, refused, k;

    static const uint32_t  rates[] = { 1, 3, 7, 1000, 999983, 1000000 };
    static const uint32_t  bursts[] = { 1, 2, 3, 10, 1000 };

    bad = 0;
    crowded = 0;
    refused = 0;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        for (k = 0; k < sizeof(bursts) / sizeof(bursts[0]); k++) {
            bad += walk(rates[i], bursts[k], WAYS, 1500, dice(YEAR), &refused);
            crowded += walk(rates[i], bursts[k], 3 * WAYS, 1500,
                            1700000000000, &refused);
        }
    }

    is_u64(bad, 0, "30 tables refuse what exact arithmetic refuses");
    is_u64(crowded, 0, "also where three times as many sources come");
    ok(refused > 100000, "and they do refuse");
}


/* one failure whenever there is a token: in the long run the rate, exactly */

static void
no_drift(void)
{
    uint64_t     now, start, n;
    gw_bucket_t  *b;

    b = create(8, 7, 5);
    start = 1700000000123ULL;
    n = 0;

    for (now = start; now < start + 600000; now++) {
        if (gw_bucket_check(b, 77, now) == GW_OK) {
            gw_bucket_failed(b, 77, now);
            n++;
        }
    }

    is_u64(n, 5 + (600000 - 1) * 7 / 1000,
           "a check each millisecond for 10 minutes: no fraction gets lost");

    free(b);
    b = create(8, 1000000, 1000000);

    for (n = 0; n < 2000000 && gw_bucket_check(b, 1, start) == GW_OK; n++) {
        gw_bucket_failed(b, 1, start);
    }

    is_u64(n, 1000000, "the largest bucket holds a million tokens");

    ok(gw_bucket_check(b, 1, start + 1) == GW_OK,
       "the greatest rate gives some in a millisecond");

    for (n = 0; n < 2000 && gw_bucket_check(b, 1, start + 1) == GW_OK; n++) {
        gw_bucket_failed(b, 1, start + 1);
    }

    is_u64(n, 1000, "a thousand");
    free(b);

    /* products that are 0 in 32 and in 64 bits */

    b = create(8, 65536, 100);

    for (n = 0; n < 100; n++) {
        gw_bucket_failed(b, 1, start);
    }

    ok(gw_bucket_check(b, 1, start) == GW_BUSY
       && gw_bucket_check(b, 1, start + 65536) == GW_OK
       && gw_bucket_check(b, 1, start + (1ULL << 48)) == GW_OK,
       "no pause is so long that it overflows");
    free(b);

    b = create(8, 1, 1000000);

    for (n = 0; n < 1000000; n++) {
        gw_bucket_failed(b, 1, 0);
    }

    ok(gw_bucket_check(b, 1, 999) == GW_BUSY
       && gw_bucket_check(b, 1, 1000) == GW_OK
       && gw_bucket_check(b, 1, UINT64_MAX) == GW_OK,
       "an empty one, at the lowest rate, at the end of time is full");
    free(b);
}


/* from an empty table to a full one, and never a word to the innocent */

static void
innocent(void)
{
    unsigned     i, k, refused, guilty;
    uint64_t     now;
    gw_bucket_t  *b;

    b = create(64, 1, 2);
    refused = 0;
    guilty = 0;
    now = 5;

    for (i = 0; i < 20000; i++) {
        gw_bucket_failed(b, dice(300) * 2, now);
        now += dice(20) == 0;

        for (k = 0; k < 10; k++) {
            refused += gw_bucket_check(b, dice(1 << 20) * 2 + 1, now)
                       != GW_OK;
            guilty += gw_bucket_check(b, dice(300) * 2, now) != GW_OK;
        }
    }

    is_u64(refused, 0, "a source that never failed is never refused");
    ok(guilty > 1000, "however many are");
    free(b);
}


/* with more sources than entries: what it costs to make a bucket forgotten */

static void
flood(void)
{
    unsigned     i, spent, round, forgotten, left;
    uint64_t     now, source;
    gw_bucket_t  *b;

    const unsigned  burst = 10;

    now = 1700000000000ULL;
    b = create(1024, 1, burst);
    source = 0xfeedULL;

    for (i = 0; i < burst; i++) {
        gw_bucket_failed(b, source, now);
    }

    for (i = 0; i < 200000; i++) {
        gw_bucket_failed(b, dice(1ULL << 40), now);
    }

    ok(gw_bucket_check(b, source, now) == GW_BUSY,
       "200000 new sources that fail once do not make it forgotten");
    ok(gw_bucket_check(b, source, now + 999) == GW_BUSY
       && gw_bucket_check(b, source, now + 1000) == GW_OK,
       "time does");
    free(b);

    /* all sources of one set, which a keyed hash does not let them be */

    b = create(WAYS, 1, burst);

    for (i = 0; i < burst; i++) {
        gw_bucket_failed(b, source, now);
    }

    for (spent = 0;
         spent < 1000 && gw_bucket_check(b, source, now) == GW_BUSY;
         spent++)
    {
        gw_bucket_failed(b, spent < 7 * burst ? 1 + spent / burst
                                              : 100 + spent, now);
    }

    is_u64(spent, 7 * burst + 1,
           "the shortest way costs seven full buckets and one failure");
    free(b);

    forgotten = 0;

    for (round = 0; round < 3000; round++) {
        b = create(WAYS, 1, burst);
        left = (unsigned) dice(burst);

        for (i = 0; i < burst - left; i++) {
            gw_bucket_failed(b, source, now);
        }

        for (i = 0; i < 7 * (burst - left); i++) {
            gw_bucket_failed(b, 1 + dice(7 + round % 13), now);
        }

        /* were it forgotten, it would have more than these */

        for (i = 0; i < left; i++) {
            gw_bucket_failed(b, source, now);
        }

        forgotten += gw_bucket_check(b, source, now) != GW_BUSY;

        free(b);
    }

    is_u64(forgotten, 0, "none of 3000 ways is shorter, also for a bucket "
           "that has tokens left");
}


int
main(void)
{
    basics();
    exact();
    no_drift();
    innocent();
    flood();

    return done_testing();
}
