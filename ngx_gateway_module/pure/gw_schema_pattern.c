/*
 * gw_schema_pattern.c - see gw_schema_pattern.h; the part that is PCRE2.
 */

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>

#include "gw_schema_pattern.h"


#define GW_SCHEMA_JIT_STACK      (32 * 1024)
#define GW_SCHEMA_JIT_STACK_MAX  (256 * 1024)
#define GW_SCHEMA_HEAP_LIMIT     1024            /* KiB, without JIT */


struct gw_schema_pattern_s {
    pcre2_code           *code;
    int                   jit;
};


struct gw_schema_matcher_s {
    pcre2_match_context  *context[2];   /* by "hard" */
    pcre2_match_data     *data;
    pcre2_jit_stack      *stack;
};


gw_schema_matcher_t *
gw_schema_matcher_create(uint32_t easy, uint32_t hard)
{
    unsigned               i;
    uint32_t               limit;
    gw_schema_matcher_t   *matcher;
    pcre2_match_context   *context;

    matcher = calloc(1, sizeof(gw_schema_matcher_t));
    if (matcher == NULL) {
        return NULL;
    }

    /* NULL where there is no JIT; its own stack then serves, of 32 KiB */

    matcher->stack = pcre2_jit_stack_create(GW_SCHEMA_JIT_STACK,
                                            GW_SCHEMA_JIT_STACK_MAX, NULL);
    matcher->data = pcre2_match_data_create(1, NULL);

    for (i = 0; i < 2; i++) {
        context = pcre2_match_context_create(NULL);
        matcher->context[i] = context;

        if (context == NULL || matcher->data == NULL) {
            gw_schema_matcher_free(matcher);
            return NULL;
        }

        limit = i ? hard : easy;
        (void) pcre2_set_match_limit(context, limit);
        (void) pcre2_set_depth_limit(context, limit);
        (void) pcre2_set_heap_limit(context, GW_SCHEMA_HEAP_LIMIT);
        pcre2_jit_stack_assign(context, NULL, matcher->stack);
    }

    return matcher;
}


void
gw_schema_matcher_free(gw_schema_matcher_t *matcher)
{
    if (matcher) {
        pcre2_match_context_free(matcher->context[0]);
        pcre2_match_context_free(matcher->context[1]);
        pcre2_match_data_free(matcher->data);
        pcre2_jit_stack_free(matcher->stack);
        free(matcher);
    }
}


gw_schema_pattern_t *
gw_schema_pattern_create(const uint8_t *text, size_t len, char *why,
    size_t size)
{
    int                   error;
    char                 *translated;
    uint8_t               reason[128];
    PCRE2_SIZE            at;
    gw_schema_pattern_t  *pattern;

    translated = gw_schema_pattern_translate(text, len, why, size);
    if (translated == NULL) {
        return NULL;
    }

    pattern = calloc(1, sizeof(gw_schema_pattern_t));
    if (pattern == NULL) {
        (void) snprintf(why, size, "no memory");
        free(translated);
        return NULL;
    }

    /* without PCRE2_UCP: \b is of ASCII words, as in ECMA-262 */

    pattern->code = pcre2_compile((PCRE2_SPTR) translated,
                                  PCRE2_ZERO_TERMINATED,
                                  PCRE2_UTF|PCRE2_NO_AUTO_CAPTURE
                                  |PCRE2_DOLLAR_ENDONLY
                                  |PCRE2_NEVER_BACKSLASH_C,
                                  &error, &at, NULL);
    free(translated);

    if (pattern->code == NULL) {
        if (pcre2_get_error_message(error, reason, sizeof(reason)) < 0) {
            reason[0] = '\0';
        }

        (void) snprintf(why, size, "PCRE2: %s", (char *) reason);
        free(pattern);
        return NULL;
    }

    pattern->jit = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;

    return pattern;
}


void
gw_schema_pattern_free(gw_schema_pattern_t *pattern)
{
    if (pattern) {
        pcre2_code_free(pattern->code);
        free(pattern);
    }
}


size_t
gw_schema_pattern_size(const gw_schema_pattern_t *pattern)
{
    size_t  code, jit;

    code = 0;
    jit = 0;

    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_SIZE, &code);
    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_JITSIZE, &jit);

    return sizeof(gw_schema_pattern_t) + code + jit;
}


int
gw_schema_pattern_match(const gw_schema_pattern_t *pattern,
    gw_schema_matcher_t *matcher, unsigned hard, const uint8_t *text,
    size_t len)
{
    int  rc;

    if (pattern->jit) {
        rc = pcre2_jit_match(pattern->code, text, len, 0, 0, matcher->data,
                             matcher->context[hard]);

    } else {
        rc = pcre2_match(pattern->code, text, len, 0, PCRE2_NO_UTF_CHECK,
                         matcher->data, matcher->context[hard]);
    }

    return rc >= 0 ? GW_OK : rc == PCRE2_ERROR_NOMATCH ? GW_DECLINED
                                                       : GW_BUSY;
}
