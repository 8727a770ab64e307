/*
 * gw_json.h - the scanner of the message path: one strict pass over bytes,
 * a tape in a fixed arena, no allocation.
 *
 * RFC 8259 to the letter, UTF-8 checked (no overlong form, no surrogate, none
 * above U+10FFFF), lone \uD800-\uDFFF escapes refused, raw NUL and raw control
 * bytes refused, duplicate keys in one object refused (compared after
 * unescaping).  Numbers are not converted: their bytes stay as sent.
 *
 * Bounded by gw_json_limits_t.  The arena and the input belong to the caller;
 * the tape holds offsets into the input and is valid until the next parse.
 * No byte outside [p, p + len) is ever read.
 */

#ifndef _GW_JSON_H_INCLUDED_
#define _GW_JSON_H_INCLUDED_


#include "gw.h"


typedef enum {
    GW_JSON_NULL = 0,
    GW_JSON_FALSE,
    GW_JSON_TRUE,
    GW_JSON_NUMBER,
    GW_JSON_STRING,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT
} gw_json_type_e;


#define GW_JSON_F_ESCAPED  0x01  /* string: holds at least one backslash */
#define GW_JSON_F_INT      0x02  /* number: no fraction, no exponent */
#define GW_JSON_F_NEG      0x04  /* number: starts with a minus */
#define GW_JSON_F_KEY      0x08  /* string: the name of an object member */
#define GW_JSON_F_NL       0x10  /* container: raw CR or LF between tokens */


/*
 * One node, 16 bytes, in document order.  An object is followed by pairs of
 * key node and value node(s), an array by its values.
 */

typedef struct {
    uint32_t  off;             /* of the value's first byte, from p; for a
                                  string the byte behind the quote */
    uint32_t  len;             /* bytes; a string's without its quotes, a
                                  container's with its brackets */
    uint32_t  next;            /* tape index of what follows this value,
                                  children skipped */
    uint16_t  count;           /* container: members or elements */
    uint8_t   type;            /* gw_json_type_e */
    uint8_t   flags;           /* GW_JSON_F_* */
} gw_json_node_t;


typedef struct {
    uint32_t  max_bytes;       /* of one document (one parse) */
    uint32_t  max_nodes;       /* tape nodes, keys included; <= 65535 */
    uint32_t  max_depth;       /* containers inside each other; 1 = flat */
    uint32_t  max_keys;        /* members of one object */
    uint32_t  max_string;      /* raw bytes of one string or key */
    uint32_t  max_number;      /* bytes of one number */
} gw_json_limits_t;


typedef enum {
    GW_JSON_E_NONE = 0,
    GW_JSON_E_EMPTY,           /* nothing but white space */
    GW_JSON_E_SYNTAX,          /* unexpected byte */
    GW_JSON_E_TRUNCATED,       /* ended inside a value */
    GW_JSON_E_TRAILING,        /* bytes behind the value */
    GW_JSON_E_CONTROL,         /* raw NUL or control byte */
    GW_JSON_E_UTF8,
    GW_JSON_E_ESCAPE,          /* bad escape or lone surrogate */
    GW_JSON_E_NUMBER,
    GW_JSON_E_DUPLICATE,       /* duplicate key */
    GW_JSON_E_BYTES,           /* a limit was met, from here on */
    GW_JSON_E_NODES,
    GW_JSON_E_DEPTH,
    GW_JSON_E_KEYS,
    GW_JSON_E_STRING,
    GW_JSON_E_LONG_NUMBER,
    GW_JSON_E_N
} gw_json_error_e;


typedef struct gw_json_s  gw_json_t;

struct gw_json_s {
    /* result of the last parse */
    gw_json_node_t    *tape;   /* tape[0] is the root */
    uint32_t           n;      /* nodes in use */
    gw_json_error_e    error;
    size_t             error_off;   /* byte of the input it was found at */

    /* set by init */
    gw_json_limits_t   limits;
    uint32_t          *stack;  /* open containers */
    uint32_t          *slots;  /* scratch of the duplicate key check */
    uint32_t           nslots; /* a power of two */
    uint64_t           seed;   /* of the key hash */
};


/*
 * What error_off names: the byte that may not stand there; of a bad escape
 * its backslash; of ill-formed UTF-8 its first byte; of a limit or a duplicate
 * the first byte of the token (for a string its opening quote); of max_bytes
 * that offset itself; of a truncation the end of input.  A control byte that
 * is no white space is GW_JSON_E_CONTROL wherever it stands outside of an
 * escape.  In an object of more than 32 keys, or with an escaped one, a
 * duplicate is found when the object closes, so a fault inside comes first.
 * A member needs room for two nodes when its key is met.
 */

/* bytes of arena that init needs for these limits */
size_t gw_json_arena_size(const gw_json_limits_t *limits);

/*
 * Lays the parser out in arena (aligned to 8, gw_json_arena_size() bytes).
 * seed: random, from the caller; it decides where equal keys meet.
 * GW_ERROR: a limit is 0 or max_nodes above 65535.
 */
int gw_json_init(gw_json_t *j, const gw_json_limits_t *limits, void *arena,
    uint64_t seed);

/*
 * The whole of p must be one value with white space around it.
 * GW_OK; GW_ERROR: j->error and j->error_off say what and where.
 */
int gw_json_parse(gw_json_t *j, const uint8_t *p, size_t len);

/*
 * As gw_json_parse, but stops behind the value: *consumed is the number of
 * bytes up to and with its last byte (a number at the very end of input is
 * taken as whole).
 */
int gw_json_parse_value(gw_json_t *j, const uint8_t *p, size_t len,
    size_t *consumed);


/*
 * The elements of a top-level array, one parse each, so that the arena is
 * sized for one element and not for the batch.
 *
 *   gw_json_items_init(&it, p, len);
 *   while ((rc = gw_json_items_next(&it, j)) == GW_OK) {
 *       element it.index is j->tape[0], offsets count from it.base
 *   }
 *   rc is GW_DONE after the closing bracket and trailing white space, else
 *   GW_ERROR with j->error, and j->error_off counted from p.
 *
 * limits.max_bytes bounds one element.
 */

typedef struct {
    const uint8_t  *p;
    size_t          len;
    size_t          pos;
    const uint8_t  *base;      /* first byte of the current element */
    uint32_t        index;     /* of the current element, from 0 */
    uint8_t         state;
} gw_json_items_t;

void gw_json_items_init(gw_json_items_t *it, const uint8_t *p, size_t len);
int gw_json_items_next(gw_json_items_t *it, gw_json_t *j);

/* first byte that is not white space, or 0 where there is none */
uint8_t gw_json_peek(const uint8_t *p, size_t len);

/*
 * Writes the string node's value, escapes resolved, to dst (of node->len
 * bytes at least: it never grows).  Returns the bytes written.
 */
size_t gw_json_unescape(const uint8_t *p, const gw_json_node_t *node,
    uint8_t *dst);

/* a sentence without a full stop; never NULL */
const char *gw_json_strerror(gw_json_error_e e);


#endif /* _GW_JSON_H_INCLUDED_ */
