/*
 * gw_schema_equal.h - equality as JSON Schema has it (section 4.2.2 of the
 * core): 1.0 is 1, members stand in any order, strings are their characters.
 *
 * Bytes that are compared instead refuse a value of an enum that was written
 * another way, and let an array pass whose items are not unique.
 */

#ifndef _GW_SCHEMA_EQUAL_H_INCLUDED_
#define _GW_SCHEMA_EQUAL_H_INCLUDED_


#include "gw.h"
#include "gw_json.h"


#define GW_SCHEMA_ITEMS_MAX  65536     /* of an array: count is of 16 bits */


typedef struct {
    const uint8_t         *doc;
    const gw_json_node_t  *tape;
    uint32_t               at;         /* tape index of the value */
} gw_schema_value_t;


/* room to find items that are equal, for one array at a time */

typedef struct {
    uint32_t               head[GW_SCHEMA_ITEMS_MAX];  /* item + 1 */
    uint32_t               next[GW_SCHEMA_ITEMS_MAX];
    uint32_t               at[GW_SCHEMA_ITEMS_MAX];
    uint32_t               hash[GW_SCHEMA_ITEMS_MAX];
} gw_schema_items_t;


/*
 * Each takes what it costs off *steps: values and members compared, and 64
 * bytes of a string.  GW_BUSY: there were not enough.
 */

/* GW_OK: equal; GW_DECLINED: not */
int gw_schema_equal(gw_schema_value_t a, gw_schema_value_t b, int32_t *steps);

/* GW_OK: no two items of the array are equal; GW_DECLINED: two are */
int gw_schema_unique(gw_schema_value_t array, gw_schema_items_t *items,
    int32_t *steps);


#endif /* _GW_SCHEMA_EQUAL_H_INCLUDED_ */
