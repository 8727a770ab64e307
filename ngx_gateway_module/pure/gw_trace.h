/*
 * gw_trace.h - W3C Trace Context, the traceparent header (version 00).
 */

#ifndef _GW_TRACE_H_INCLUDED_
#define _GW_TRACE_H_INCLUDED_


#include "gw.h"


#define GW_TRACEPARENT_LEN  55


/*
 * Reads a traceparent as the recommendation says (section 3.2): lower case
 * hex, neither id all zero, version ff invalid, version 00 exactly 55 bytes,
 * a higher version read by its first 55 (byte 56, if any, must be "-").
 * GW_OK: dst holds 55 bytes, version 00, ready to be passed on; of a higher
 * version's flags only "sampled" is kept.
 * GW_ERROR: invalid; the caller ignores tracestate too.
 */
int gw_trace_parse(const uint8_t *p, size_t len, uint8_t *dst);

/*
 * Makes one: 128 random bits for the trace, 64 for the parent, flags 00 (no
 * span is recorded here, so nothing is claimed to be sampled).  Zero ids are
 * avoided.
 */
void gw_trace_make(uint64_t hi, uint64_t lo, uint64_t parent, uint8_t *dst);

/*
 * A tracestate we are willing to pass on: 1-512 bytes of printable ASCII.
 * GW_OK or GW_ERROR.
 */
int gw_trace_state_valid(const uint8_t *p, size_t len);


#endif /* _GW_TRACE_H_INCLUDED_ */
