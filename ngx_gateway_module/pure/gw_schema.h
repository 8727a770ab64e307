/*
 * gw_schema.h - JSON Schema, draft 2020-12: compiled when the configuration
 * is read, checked over the scanner's tape, no allocation for a message.
 *
 * compile() reads the text of one schema (with gw_json.h: a tree of jansson
 * has lost the digits of its numbers) into instructions in memory of its own;
 * patterns, which are ECMA-262 with its flag u, become PCRE2 code, with JIT
 * where there is one.  check() walks the tape of gw_json.h.  A compiled schema
 * is read-only but for its scratch, and belongs to one thread.
 *
 * Implemented: type, enum, const, multipleOf, maximum, exclusiveMaximum,
 * minimum, exclusiveMinimum, maxLength, minLength (in characters, not bytes),
 * pattern, items, prefixItems, maxItems, minItems, uniqueItems, contains,
 * maxContains, minContains, properties, patternProperties,
 * additionalProperties, propertyNames, maxProperties, minProperties, required,
 * dependentRequired, dependentSchemas, allOf, anyOf, oneOf, not, if, then,
 * else, $ref (local: "#", "#/pointer", "#anchor", and the schema's own $id
 * before these), $defs, $anchor, boolean schemas.  Annotations are read and
 * do nothing: title, description, default, examples, deprecated, readOnly,
 * writeOnly, $comment, $schema (draft 2020-12 alone), $id (of the root alone),
 * contentEncoding, contentMediaType, contentSchema, format (an annotation, or
 * checked for date-time, uuid, ipv4 and ipv6 where formats is set; another
 * format is then refused).  Anything else refuses the schema, a member that
 * no draft knows included: what is silently ignored is not checked.
 *
 * Numbers are compared as decimals, digit by digit where a double would lie:
 * 1.0 is an integer and equals 1, 2^53 + 1 is not 2^53 (section 4.2.1 of the
 * core, 6.1.1 of validation).  uniqueItems, enum and const compare values as
 * JSON does: members in any order, strings unescaped.
 *
 * Bounds: GW_SCHEMA_STEPS for one check, whatever schema and message; PCRE2's
 * own match and depth limits for one pattern; GW_SCHEMA_DEPTH of $ref and
 * applicators inside each other (a $ref that reaches itself without going down
 * the message is refused at load).  A message that would need more is not
 * valid, with the keyword that met the bound.  One "not" or "if" more changes
 * nothing of that: no verdict is made of what was not found out.
 */

#ifndef _GW_SCHEMA_H_INCLUDED_
#define _GW_SCHEMA_H_INCLUDED_


#include "gw.h"
#include "gw_json.h"


#define GW_SCHEMA_TEXT_MAX   (1024 * 1024)  /* bytes of a schema */
#define GW_SCHEMA_STEPS      200000         /* schemas applied, members and
                                               items compared, a check */
#define GW_SCHEMA_DEPTH      64
#define GW_SCHEMA_POINTER    256            /* bytes of a pointer in an error;
                                               a longer one is cut and ends
                                               in "..." */
#define GW_SCHEMA_MATCH      100000         /* PCRE2 match limit */
#define GW_SCHEMA_EASY_MATCH 1000           /* what a match may need and cost
                                               no more steps than others */
#define GW_SCHEMA_HARD_MATCH 10000          /* steps of one that needs more */
#define GW_SCHEMA_SCRATCH    65536          /* bytes of a string with escapes
                                               that a pattern is matched to */


typedef struct gw_schema_s  gw_schema_t;


typedef struct {
    /* JSON Pointer (RFC 6901) of the value in the message that failed, from
       the value that was checked; it holds names of members, so it is for the
       sender and never for a log */
    char         pointer[GW_SCHEMA_POINTER + 1];
    size_t       pointer_len;
    const char  *keyword;      /* a constant: "minimum"; "false" of a schema
                                  that is false, but for one that is the value
                                  of additionalProperties or items */
    const char  *place;        /* pointer in the schema, the schema's memory
                                  until the next check, NUL terminated: may be
                                  logged */
} gw_schema_error_t;


/*
 * text: of at most GW_SCHEMA_TEXT_MAX bytes.  formats: 1 to check format.
 * NULL: *error (of error_size bytes) names the keyword, and the JSON pointer
 * in the schema where it stands.
 */
gw_schema_t *gw_schema_compile(const uint8_t *text, size_t len,
    unsigned formats, char *error, size_t error_size);

void gw_schema_free(gw_schema_t *schema);

/* bytes that a compiled schema takes, PCRE2's code included */
size_t gw_schema_size(const gw_schema_t *schema);

/*
 * The value at tape index node of j, whose offsets count from doc.
 * GW_OK: valid; GW_DECLINED: *error filled with the first failure found, in
 * the order of the schema's keywords, inside anyOf and oneOf that keyword's
 * own.  error may be NULL.
 */
int gw_schema_check(gw_schema_t *schema, const gw_json_t *j,
    const uint8_t *doc, uint32_t node, gw_schema_error_t *error);


#endif /* _GW_SCHEMA_H_INCLUDED_ */
