/*
 * gw_inflate.h - a compressed body, whole, inflated under an output cap and a
 * ratio cap (zlib).  One layer, one member, no trailing bytes.
 *
 * Memory for the output comes from the caller's grow(); zlib's own state
 * (about 40 kB) from malloc, freed before return.
 */

#ifndef _GW_INFLATE_H_INCLUDED_
#define _GW_INFLATE_H_INCLUDED_


#include "gw.h"


typedef enum {
    GW_INFLATE_GZIP,
    GW_INFLATE_DEFLATE         /* RFC 9110: zlib format; a bare RFC 1951
                                  stream is taken too */
} gw_inflate_e;


/*
 * Returns a buffer of size bytes that starts with the first used bytes of
 * old (NULL at first), or NULL.  old may then be freed by the callee.  The
 * last one stays the caller's to free, whatever gw_inflate() returns.
 */
typedef void *(*gw_inflate_grow_pt)(void *ctx, void *old, size_t used,
    size_t size);


/*
 * GW_OK: *out is the whole text, in grow()'s memory.  GW_BUSY: above max_out
 * bytes, or above max_ratio times len (a small body may always reach 4 kB);
 * grow() is never asked for more than that.
 * GW_ERROR: damaged, truncated or trailing bytes, or no input at all.
 * GW_AGAIN: no memory.  *out is only set with GW_OK.
 */
int gw_inflate(gw_inflate_e kind, const uint8_t *p, size_t len,
    size_t max_out, unsigned max_ratio, gw_inflate_grow_pt grow, void *ctx,
    gw_str_t *out);


#endif /* _GW_INFLATE_H_INCLUDED_ */
