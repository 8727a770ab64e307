/*
 * gw_schema_build.h - what the parts of the compiler share; the check does not
 * know it.  All memory of a schema is in blocks of its own, freed together.
 */

#ifndef _GW_SCHEMA_BUILD_H_INCLUDED_
#define _GW_SCHEMA_BUILD_H_INCLUDED_


#include "gw_schema_program.h"


typedef struct gw_schema_anchor_s  gw_schema_anchor_t;

struct gw_schema_anchor_s {
    gw_schema_anchor_t    *next;
    uint32_t               at;
    gw_schema_rule_t      *rule;
};


typedef struct {
    gw_schema_t           *schema;
    const uint8_t         *text;
    const gw_json_node_t  *tape;
    gw_schema_rule_t     **rule_at;    /* by tape index, NULL: none there */
    gw_schema_rule_t      *last;       /* of schema->rules */
    gw_schema_anchor_t    *anchors;
    uint32_t               id;         /* tape index of the root's, or 0 */
    unsigned               formats;
    char                  *error;
    size_t                 error_size;
} gw_schema_build_t;


/*
 * All return GW_OK, or GW_ERROR with the error written.
 */

/* zeros; NULL: no memory, and the error says so */
void *gw_schema_alloc(gw_schema_build_t *build, size_t size);

/* "WHAT at POINTER": GW_ERROR */
int gw_schema_refuse(gw_schema_build_t *build, uint32_t at, const char *what,
    ...)
    __attribute__((format(printf, 3, 4)));

/* the rule of the schema at this tape index, whose keywords come later */
gw_schema_rule_t *gw_schema_rule(gw_schema_build_t *build, uint32_t at);

/* fills rule->ops and rule->types */
int gw_schema_keywords(gw_schema_build_t *build, gw_schema_rule_t *rule);

/* once all rules are known: ops of GW_SCHEMA_REF get theirs */
int gw_schema_refs(gw_schema_build_t *build);

/* refuses a value that would go through rules without end */
int gw_schema_heights(gw_schema_build_t *build);


#endif /* _GW_SCHEMA_BUILD_H_INCLUDED_ */
