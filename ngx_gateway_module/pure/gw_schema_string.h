/*
 * gw_schema_string.h - strings of a JSON text as characters, escapes resolved
 * where they stand: what is counted, compared, hashed or written without a
 * copy.  The scanner has seen the text: no check of it is repeated here.
 *
 * A length in bytes where JSON Schema counts characters, or an escape that is
 * compared as six bytes, refuses a device that did nothing wrong.
 */

#ifndef _GW_SCHEMA_STRING_H_INCLUDED_
#define _GW_SCHEMA_STRING_H_INCLUDED_


#include "gw.h"
#include "gw_json.h"


typedef struct {
    const uint8_t  *data;
    uint32_t        len;
    uint32_t        escaped;   /* GW_JSON_F_ESCAPED or 0 */
} gw_schema_string_t;


static inline gw_schema_string_t
gw_schema_string(const uint8_t *doc, const gw_json_node_t *node)
{
    gw_schema_string_t  s;

    s.data = doc + node->off;
    s.len = node->len;
    s.escaped = node->flags & GW_JSON_F_ESCAPED;

    return s;
}


/* takes the first character off s, which is not empty */
uint32_t gw_schema_char(gw_schema_string_t *s);

/* UTF-8 of c to dst, of 4 bytes; the bytes written */
size_t gw_schema_utf8(uint32_t c, uint8_t *dst);

/* in characters: a surrogate pair is one */
size_t gw_schema_string_length(gw_schema_string_t s);

int gw_schema_string_equal(gw_schema_string_t a, gw_schema_string_t b);

/* of the characters, so that an escape changes nothing */
uint64_t gw_schema_string_hash(gw_schema_string_t s);

/* without escapes to dst; GW_BUSY: it takes more than max bytes */
int gw_schema_string_copy(gw_schema_string_t s, uint8_t *dst, size_t max,
    size_t *len);


#endif /* _GW_SCHEMA_STRING_H_INCLUDED_ */
