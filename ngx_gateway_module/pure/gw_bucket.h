/*
 * gw_bucket.h - token buckets by source, against guessing: a source that has
 * failed too often is refused before any look-up or cryptography.
 *
 * A table of fixed size in memory the caller gives.  Only failures take
 * tokens, so a source that never fails has no entry and is never refused,
 * however many devices stand behind its address.  A source is a number (a keyed
 * hash of the address, by the caller: its low bits choose a set of the table),
 * never an address.
 *
 * Where a set, of eight, is full the entry that has most tokens goes: it has
 * least to lose.  So a source that has t of its tokens left is forgotten, and
 * looks fresh, only after seven others of its set failed burst - t times each:
 * whoever wants an empty bucket forgotten pays seven full ones, of sources
 * that he cannot choose, or waits.
 */

#ifndef _GW_BUCKET_H_INCLUDED_
#define _GW_BUCKET_H_INCLUDED_


#include "gw.h"


typedef struct gw_bucket_s  gw_bucket_t;


/* bytes for entries buckets (rounded up to a power of two, at least 8) */
size_t gw_bucket_size(uint32_t entries);

/* rate: tokens a second, 1 to 1,000,000; burst: tokens of a full bucket, 1 to
   1,000,000.  mem aligned to 8 */
gw_bucket_t *gw_bucket_init(void *mem, uint32_t entries, uint32_t rate,
    uint32_t burst);

/* now: milliseconds of a clock; where it runs back it is taken to stand still.
   GW_OK: go on; GW_BUSY: the bucket of that source is empty */
int gw_bucket_check(const gw_bucket_t *b, uint64_t source, uint64_t now);

/* one failure: takes a token where there is one */
void gw_bucket_failed(gw_bucket_t *b, uint64_t source, uint64_t now);


#endif /* _GW_BUCKET_H_INCLUDED_ */
