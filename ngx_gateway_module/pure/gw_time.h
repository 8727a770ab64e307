/*
 * gw_time.h - device time to milliseconds since 1970, UTC.
 */

#ifndef _GW_TIME_H_INCLUDED_
#define _GW_TIME_H_INCLUDED_


#include "gw.h"


/* 9999-12-31T23:59:59.999Z */
#define GW_TIME_MAX  253402300799999LL


/*
 * RFC 3339 date-time: "T" or "t" or a space between date and time, "Z", "z"
 * or a numeric offset, a fraction of any length (digits beyond the third are
 * cut), second 60 accepted at the end of a UTC minute 59 and counted as the
 * next second.  An offset is -23:59 to +23:59.  GW_ERROR where the instant in
 * UTC is outside [1970, 9999], and for everything else.
 */
int gw_time_rfc3339(const uint8_t *p, size_t len, int64_t *ms);

/*
 * A JSON number: below 1e11 seconds (a fraction counts to the millisecond),
 * from there on integer milliseconds (a fraction is cut).  No exponent, no
 * minus, no leading zero, at most GW_TIME_MAX.
 */
int gw_time_epoch(const uint8_t *p, size_t len, int64_t *ms);


#endif /* _GW_TIME_H_INCLUDED_ */
