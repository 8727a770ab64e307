/*
 * gw_schema_program.h - what gw_schema_compile.c makes of a schema and
 * gw_schema.c runs; nobody else includes it.
 *
 * The schema's own text and tape stay: constants are compared where they
 * stand, and a place in the schema is a tape index until somebody asks for it.
 *
 * A rule is one schema (or subschema).  It has its assertions twice: "ops" one
 * by one in the order of the text, for the message that failed and whose first
 * failure is to be named; "run" by kind of value, with those merged that can
 * be done in one go and the cheap ones first, for every message.  Both are
 * executed by the same functions, and must come to the same verdict.
 */

#ifndef _GW_SCHEMA_PROGRAM_H_INCLUDED_
#define _GW_SCHEMA_PROGRAM_H_INCLUDED_


#include "gw_schema.h"
#include "gw_schema_equal.h"
#include "gw_schema_format.h"
#include "gw_schema_names.h"
#include "gw_schema_number.h"
#include "gw_schema_pattern.h"
#include "gw_schema_string.h"


#define GW_SCHEMA_KINDS  (GW_SCHEMA_INT_KIND + 1)

/*
 * A value's kind: its type on the tape, but for a number that is written as an
 * integer.  GW_JSON_F_INT << 1 is 4, so that this is 7.
 */

#define gw_schema_kind(node)                                                  \
    ((node)->type + (((node)->flags & GW_JSON_F_INT) << 1))

#define gw_schema_type_bit(node)  (1U << gw_schema_kind(node))

#define GW_SCHEMA_INT_KIND  (GW_JSON_NUMBER + (GW_JSON_F_INT << 1))
#define GW_SCHEMA_INT_BIT   (1U << GW_SCHEMA_INT_KIND)

/* 1.0 and 1e2 are to be asked for their digits */
#define GW_SCHEMA_INTEGER  0x8000

#define GW_SCHEMA_NUMBERS  (1U << GW_JSON_NUMBER | GW_SCHEMA_INT_BIT)
#define GW_SCHEMA_ANY                                                         \
    (1U << GW_JSON_NULL | 1U << GW_JSON_FALSE | 1U << GW_JSON_TRUE            \
     | GW_SCHEMA_NUMBERS | 1U << GW_JSON_STRING | 1U << GW_JSON_ARRAY         \
     | 1U << GW_JSON_OBJECT)


/* in the order in which they are run */

typedef enum {
    GW_SCHEMA_END = 0,
    GW_SCHEMA_TYPE,            /* in run the first one, if any */
    GW_SCHEMA_FALSE,           /* ops alone */
    GW_SCHEMA_COUNT,           /* of items or members */
    GW_SCHEMA_RANGE,
    GW_SCHEMA_LENGTH,
    GW_SCHEMA_MULTIPLE,
    GW_SCHEMA_ENUM,
    GW_SCHEMA_FORMAT,
    GW_SCHEMA_PATTERN,
    GW_SCHEMA_MEMBERS,
    GW_SCHEMA_NAMES,
    GW_SCHEMA_NEEDS,           /* dependentRequired */
    GW_SCHEMA_PREFIX,
    GW_SCHEMA_ITEMS,
    GW_SCHEMA_CONTAINS,
    GW_SCHEMA_UNIQUE,
    GW_SCHEMA_DEPENDENT,       /* dependentSchemas */
    GW_SCHEMA_REF,
    GW_SCHEMA_ALL,
    GW_SCHEMA_ONE,             /* oneOf */
    GW_SCHEMA_SOME,            /* anyOf */
    GW_SCHEMA_NOT,
    GW_SCHEMA_IF
} gw_schema_code_e;


typedef struct gw_schema_rule_s  gw_schema_rule_t;
typedef struct gw_schema_op_s    gw_schema_op_t;


#define GW_SCHEMA_HAS_LO   0x01
#define GW_SCHEMA_HAS_HI   0x02
#define GW_SCHEMA_OVER_LO  0x04  /* exclusive */
#define GW_SCHEMA_UNDER_HI 0x08
#define GW_SCHEMA_LONG     0x10  /* lo and hi do not fit: the text decides */

typedef struct {
    int64_t                lo;     /* units of 10^-scale */
    int64_t                hi;
    uint32_t               lo_at;  /* tape index in the schema */
    uint32_t               hi_at;
    uint64_t               above[2];  /* marks of gw_schema_number.h: what is */
    uint64_t               below[2];  /* between is valid; [1]: negative */
} gw_schema_range_t;


typedef struct {
    uint32_t               min;
    uint32_t               max;
    uint32_t               sure;   /* bytes that are min characters at least */
} gw_schema_limits_t;


typedef struct {
    gw_schema_pattern_t   *pattern;
    gw_schema_rule_t      *rule;   /* of patternProperties */
} gw_schema_matched_t;


/* what an op of GW_SCHEMA_MEMBERS does, in op->flags */

#define GW_SCHEMA_PROPERTIES  0x01
#define GW_SCHEMA_PATTERNS    0x02
#define GW_SCHEMA_ADDITIONAL  0x04
#define GW_SCHEMA_REQUIRED    0x08

typedef struct {
    gw_schema_names_t      names;
    gw_schema_matched_t   *patterns;
    gw_schema_rule_t      *additional;
    uint32_t               npatterns;
    uint32_t               nrequired;
    uint32_t               required_at;
    uint32_t               additional_at;
} gw_schema_members_t;


typedef struct {
    gw_schema_names_t      strings;
    uint32_t              *others;   /* tape indexes in the schema */
    uint32_t               n;
} gw_schema_enum_t;


typedef struct {
    gw_schema_rule_t     **rules;
    uint32_t               n;
} gw_schema_rules_t;


typedef struct {
    gw_schema_rule_t      *rule;
    uint32_t               min;
    uint32_t               max;
    uint32_t               min_at;   /* 0: not given */
    uint32_t               max_at;
} gw_schema_contains_t;


typedef struct {
    gw_schema_rule_t      *condition;
    gw_schema_rule_t      *then;     /* may be NULL */
    gw_schema_rule_t      *otherwise;
} gw_schema_if_t;


struct gw_schema_op_s {
    uint8_t                code;
    uint8_t                flags;
    uint8_t                scale;    /* of a range */
    uint8_t                room;     /* digits that its bounds may grow by */
    uint32_t               types;    /* of values that it says something of */
    uint32_t               at;       /* the keyword's value in the schema */
    uint32_t               skip;     /* of items: those of prefixItems */

    union {
        gw_schema_range_t      range;
        gw_schema_limits_t     limits;
        gw_schema_divisor_t    divisor;
        gw_schema_enum_t      *constants;
        gw_schema_format_pt    format;
        gw_schema_pattern_t   *pattern;
        gw_schema_members_t   *members;
        gw_schema_rule_t      *rule;
        gw_schema_rules_t      rules;
        gw_schema_contains_t  *contains;
        gw_schema_if_t         branch;
    } u;
};


struct gw_schema_rule_s {
    gw_schema_op_t        *run[GW_SCHEMA_KINDS];  /* by kind of value */
    uint32_t               types;
    uint32_t               at;       /* tape index in the schema */
    gw_schema_op_t        *ops;
    gw_schema_rule_t      *next;     /* of all rules */
    uint32_t               height;   /* rules that one value may go through */
    uint32_t               is_false;
};


typedef struct gw_schema_block_s  gw_schema_block_t;

struct gw_schema_block_s {
    gw_schema_block_t     *next;
    uint64_t               data[];
};


typedef struct gw_schema_held_s  gw_schema_held_t;

struct gw_schema_held_s {            /* a pattern, to be freed */
    gw_schema_held_t      *next;
    gw_schema_pattern_t   *pattern;
};


struct gw_schema_s {
    gw_schema_rule_t      *root;
    gw_schema_rule_t      *rules;
    const uint8_t         *text;
    const gw_json_node_t  *tape;
    gw_schema_matcher_t   *matcher;
    gw_schema_items_t     *items;    /* where uniqueItems is */
    uint8_t               *scratch;  /* a string without its escapes */
    size_t                 scratch_size;
    size_t                 size;
    gw_schema_block_t     *blocks;
    gw_schema_held_t      *patterns;
    char                   place[GW_SCHEMA_POINTER + 1];
};


/*
 * The JSON Pointer of tape index target, seen from the value at root, to dst
 * of GW_SCHEMA_POINTER + 1 bytes, NUL terminated; the name of a member stands
 * for its value.  Returns the length without the NUL.
 */

size_t gw_schema_pointer(const uint8_t *doc, const gw_json_node_t *tape,
    uint32_t root, uint32_t target, char *dst);


#endif /* _GW_SCHEMA_PROGRAM_H_INCLUDED_ */
