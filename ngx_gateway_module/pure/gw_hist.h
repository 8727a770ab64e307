/*
 * gw_hist.h - a latency histogram of fixed buckets, in memory that may be
 * shared: written by one process, read by any (each word is read and written
 * whole; see gw_stats.h for a consistent snapshot).
 */

#ifndef _GW_HIST_H_INCLUDED_
#define _GW_HIST_H_INCLUDED_


#include "gw.h"


/* upper bounds in ms: 0.5 1 2.5 5 10 25 50 100 250 500 1000 2500 5000 10000 */
#define GW_HIST_BUCKETS  14

typedef struct {
    uint64_t  count[GW_HIST_BUCKETS + 1];   /* the last: above all bounds */
    uint64_t  sum_us;
} gw_hist_t;


/* upper bound of bucket i in seconds, as Prometheus text ("0.0005") */
const char *gw_hist_le(unsigned i);

void gw_hist_add(gw_hist_t *h, uint64_t us);
void gw_hist_merge(gw_hist_t *to, const gw_hist_t *from);
uint64_t gw_hist_total(const gw_hist_t *h);

/* an estimate in microseconds, linear inside the bucket; q in (0, 1];
   0 where the histogram is empty */
uint64_t gw_hist_quantile(const gw_hist_t *h, double q);


#endif /* _GW_HIST_H_INCLUDED_ */
