/*
 * gw_hist.c - see gw_hist.h.
 */

#include "gw_hist.h"


static const uint32_t  gw_hist_bounds[GW_HIST_BUCKETS] = {   /* us */
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000
};


static const char *const  gw_hist_les[GW_HIST_BUCKETS] = {
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5", "5", "10"
};


const char *
gw_hist_le(unsigned i)
{
    return i < GW_HIST_BUCKETS ? gw_hist_les[i] : "+Inf";
}


void
gw_hist_add(gw_hist_t *h, uint64_t us)
{
    unsigned  i;

    i = us > gw_hist_bounds[GW_HIST_BUCKETS / 2] ? GW_HIST_BUCKETS / 2 + 1 : 0;

    while (i < GW_HIST_BUCKETS && us > gw_hist_bounds[i]) {
        i++;
    }

    /* one writer; a reader in another process never sees half a word */

    __atomic_store_n(&h->count[i], h->count[i] + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&h->sum_us, h->sum_us + us, __ATOMIC_RELAXED);
}


void
gw_hist_merge(gw_hist_t *to, const gw_hist_t *from)
{
    unsigned  i;

    for (i = 0; i <= GW_HIST_BUCKETS; i++) {
        to->count[i] += from->count[i];
    }

    to->sum_us += from->sum_us;
}


uint64_t
gw_hist_total(const gw_hist_t *h)
{
    unsigned  i;
    uint64_t  n;

    n = 0;

    for (i = 0; i <= GW_HIST_BUCKETS; i++) {
        n += h->count[i];
    }

    return n;
}


uint64_t
gw_hist_quantile(const gw_hist_t *h, double q)
{
    double    rank, below;
    unsigned  i;
    uint64_t  lower, total;

    total = gw_hist_total(h);

    if (total == 0) {
        return 0;
    }

    rank = q * (double) total;
    below = 0;
    lower = 0;

    for (i = 0; i < GW_HIST_BUCKETS; i++) {

        if (h->count[i] && below + (double) h->count[i] >= rank) {
            return lower + (uint64_t) ((double) (gw_hist_bounds[i] - lower)
                                       * (rank - below)
                                       / (double) h->count[i]);
        }

        below += (double) h->count[i];
        lower = gw_hist_bounds[i];
    }

    /* nothing is known of how far above the last bound it is */

    return lower;
}
