/*
 * gw_ndjson.h - lines of a whole NDJSON body.
 *
 * LF ends a line, one CR before it is dropped, a line of nothing but white
 * space is skipped.  The last line of a whole body needs no LF; a CR at its
 * end stays, and is white space to the scanner.
 */

#ifndef _GW_NDJSON_H_INCLUDED_
#define _GW_NDJSON_H_INCLUDED_


#include "gw.h"


typedef struct {
    const uint8_t  *p;
    const uint8_t  *last;
} gw_ndjson_t;


void gw_ndjson_init(gw_ndjson_t *nd, const uint8_t *p, size_t len);

/* GW_OK: *line is the next line; GW_DONE: none is left */
int gw_ndjson_next(gw_ndjson_t *nd, gw_str_t *line);


#endif /* _GW_NDJSON_H_INCLUDED_ */
