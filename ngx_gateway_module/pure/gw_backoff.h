/*
 * gw_backoff.h - how long to wait before the next try: exponential, bounded,
 * with jitter, so that many workers do not come back as one.
 */

#ifndef _GW_BACKOFF_H_INCLUDED_
#define _GW_BACKOFF_H_INCLUDED_


#include "gw.h"


/*
 * Milliseconds before try number attempt (0: the first retry): min doubled
 * attempt times, at most max, of which the upper half is drawn by random.
 * Never 0 where min is not 0.
 */
uint64_t gw_backoff(uint64_t min, uint64_t max, unsigned attempt,
    uint64_t random);


#endif /* _GW_BACKOFF_H_INCLUDED_ */
