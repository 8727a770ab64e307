/*
 * gw_schema_format.h - the formats that are checked: date-time (RFC 3339,
 * section 5.6), uuid (RFC 4122, section 3), ipv4 (RFC 2673, section 3.2) and
 * ipv6 (RFC 4291, section 2.2).
 */

#ifndef _GW_SCHEMA_FORMAT_H_INCLUDED_
#define _GW_SCHEMA_FORMAT_H_INCLUDED_


#include "gw.h"


typedef int (*gw_schema_format_pt)(const uint8_t *p, size_t len);


/* NULL: it is none of the four.  The function: 1 where p is of the format */
gw_schema_format_pt gw_schema_format(const uint8_t *name, size_t len);


#endif /* _GW_SCHEMA_FORMAT_H_INCLUDED_ */
