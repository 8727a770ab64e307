/*
 * Latencies are counted in fixed buckets.  An error of one bucket would show
 * nowhere but in wrong percentiles, and a bound whose text is not the number
 * it stands for would spoil every dashboard built on it.
 */

#include "gw_test.h"
#include "gw_hist.h"


static const char *const  les[GW_HIST_BUCKETS] = {
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5", "5", "10"
};


/* the bucket of one observation; GW_HIST_BUCKETS + 1: not in exactly one */

static unsigned
bucket_of(uint64_t us)
{
    unsigned   i, n, at;
    gw_hist_t  h;

    memset(&h, 0, sizeof(h));
    gw_hist_add(&h, us);

    n = 0;
    at = 0;

    for (i = 0; i <= GW_HIST_BUCKETS; i++) {
        if (h.count[i]) {
            at = i;
            n += (unsigned) h.count[i];
        }
    }

    return n == 1 && h.sum_us == us ? at : GW_HIST_BUCKETS + 1;
}


static void
boundaries(void)
{
    unsigned  i;
    uint64_t  us;

    for (i = 0; i < GW_HIST_BUCKETS; i++) {
        is_str(gw_hist_le(i), strlen(gw_hist_le(i)), les[i],
               "bound %u reads %s", i, les[i]);

        us = (uint64_t) (strtod(les[i], NULL) * 1e6 + 0.5);

        is_u64(bucket_of(us - 1), i, "just below %s s is in bucket %u",
               les[i], i);
        is_u64(bucket_of(us), i, "%s s itself is in it", les[i]);
        is_u64(bucket_of(us + 1), i + 1, "just above is in the next");
    }

    is_str(gw_hist_le(GW_HIST_BUCKETS), 4, "+Inf", "the last has no bound");
    is_u64(bucket_of(0), 0, "no time at all is in the first");
    is_u64(bucket_of(UINT64_MAX), GW_HIST_BUCKETS, "all of time in the last");
}


static void
merge(void)
{
    unsigned   i, good;
    uint64_t   sum;
    gw_hist_t  a, b, both, was;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(&both, 0, sizeof(both));

    is_u64(gw_hist_total(&a), 0, "an empty histogram counts nothing");

    sum = 0;

    for (i = 0; i < 1000; i++) {
        gw_hist_add(i % 3 ? &a : &b, (uint64_t) i * i * 17);
        gw_hist_add(&both, (uint64_t) i * i * 17);
        sum += (uint64_t) i * i * 17;
    }

    is_u64(gw_hist_total(&a) + gw_hist_total(&b), 1000,
           "every observation is counted once");

    was = b;
    gw_hist_merge(&a, &b);

    ok(memcmp(&a, &both, sizeof(a)) == 0,
       "two merged are one that saw everything");
    ok(memcmp(&b, &was, sizeof(b)) == 0, "what was merged is unchanged");
    is_u64(gw_hist_total(&a), 1000, "the total is that of both");
    is_u64(a.sum_us, sum, "and so is the sum");

    good = 1;

    for (i = 0; i <= GW_HIST_BUCKETS; i++) {
        good &= both.count[i] > 0;
    }

    ok(good, "the observations reached every bucket");
}


static void
quantiles(void)
{
    double     q;
    unsigned   i, rises, within;
    uint64_t   us, prev, exact;
    gw_hist_t  h;

    memset(&h, 0, sizeof(h));

    is_u64(gw_hist_quantile(&h, 0.5), 0, "nothing has no median");

    /* 100 in (0, 500], 100 in (1000, 2500] */

    for (i = 0; i < 100; i++) {
        gw_hist_add(&h, 300);
        gw_hist_add(&h, 2000);
    }

    is_u64(gw_hist_quantile(&h, 0.25), 250, "linear in the first bucket");
    is_u64(gw_hist_quantile(&h, 0.5), 500, "its end is its bound");
    is_u64(gw_hist_quantile(&h, 0.75), 1750,
           "linear from the lower bound in a later one, empty ones skipped");
    is_u64(gw_hist_quantile(&h, 1), 2500, "the maximum is a bound");

    memset(&h, 0, sizeof(h));
    gw_hist_add(&h, 60000000);

    is_u64(gw_hist_quantile(&h, 0.01), 10000000,
           "above all bounds the last bound is all that is known");
    is_u64(gw_hist_quantile(&h, 1), 10000000, "for the maximum too");

    memset(&h, 0, sizeof(h));
    h.count[3] = UINT64_C(1) << 60;

    is_u64(gw_hist_quantile(&h, 0.5), 3750, "huge counts do not overflow");

    /* 1 .. 100000 us, each once: no estimate leaves the bucket of the truth */

    memset(&h, 0, sizeof(h));

    for (i = 1; i <= 100000; i++) {
        gw_hist_add(&h, i);
    }

    rises = 1;
    within = 1;
    prev = 0;

    for (i = 1; i <= 1000; i++) {
        q = i / 1000.0;
        us = gw_hist_quantile(&h, q);
        exact = (uint64_t) i * 100;

        rises &= us >= prev;
        within &= us <= exact + 1 && us + 1 >= exact;
        prev = us;
    }

    ok(rises, "a higher quantile is never a lower figure");
    ok(within, "evenly spread observations are estimated exactly");
}


int
main(void)
{
    boundaries();
    merge();
    quantiles();

    return done_testing();
}
