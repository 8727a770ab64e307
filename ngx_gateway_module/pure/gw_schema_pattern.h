/*
 * gw_schema_pattern.h - patterns: ECMA-262 with its flag u, matched by PCRE2.
 *
 * PCRE2 reads another language: there "\Z", "(?i)" and "a++" mean something,
 * "$" may stand before a last line end, "." is other characters.  A pattern
 * is parsed as ECMA-262 says and written anew for PCRE2, so that none means
 * another thing here than where the schema was written.  What is not
 * translated refuses the schema: references back to a group, modifiers, a
 * lone surrogate, a look-behind whose length is not fixed.
 */

#ifndef _GW_SCHEMA_PATTERN_H_INCLUDED_
#define _GW_SCHEMA_PATTERN_H_INCLUDED_


#include "gw.h"


typedef struct gw_schema_pattern_s  gw_schema_pattern_t;

/* what the patterns of one schema share: room to match in, and its limits */
typedef struct gw_schema_matcher_s  gw_schema_matcher_t;


/* limits of PCRE2 for one match, see match().  NULL: no memory */
gw_schema_matcher_t *gw_schema_matcher_create(uint32_t easy, uint32_t hard);
void gw_schema_matcher_free(gw_schema_matcher_t *matcher);

/* NULL: *why (of size bytes) says what is wrong */
gw_schema_pattern_t *gw_schema_pattern_create(const uint8_t *text,
    size_t len, char *why, size_t size);
void gw_schema_pattern_free(gw_schema_pattern_t *pattern);

/* bytes, the code included */
size_t gw_schema_pattern_size(const gw_schema_pattern_t *pattern);

/*
 * Is there a match anywhere in text, which is UTF-8 that was checked?
 * GW_OK: yes; GW_DECLINED: no; GW_BUSY: not found out within the limit.
 * hard: which of the two limits.  PCRE2 does not say what a match has cost:
 * so the caller asks with the low one first, and counts how often it needs the
 * other.
 */
int gw_schema_pattern_match(const gw_schema_pattern_t *pattern,
    gw_schema_matcher_t *matcher, unsigned hard, const uint8_t *text,
    size_t len);

/*
 * The translation: NUL terminated, to be freed, NULL as of create().
 */
char *gw_schema_pattern_translate(const uint8_t *text, size_t len, char *why,
    size_t size);


#endif /* _GW_SCHEMA_PATTERN_H_INCLUDED_ */
