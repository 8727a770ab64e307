/*
 * gw_schema_compile.c - see gw_schema.h: from the text of a schema to its
 * program.  The text is read by the scanner of the message path, as a tree of
 * jansson has lost the digits of its numbers.
 *
 * Rules are made in a list, each when something first applies it, and get
 * their keywords in the order of that list: no depth of a schema is a depth of
 * the stack.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gw_schema_build.h"


#define GW_SCHEMA_NODES      65535     /* of the schema's own text */
#define GW_SCHEMA_TEXT_DEEP  256       /* containers inside each other */


static int gw_schema_parse(gw_schema_build_t *build, const uint8_t *text,
    size_t len);
static int gw_schema_make(gw_schema_build_t *build);
static int gw_schema_order(gw_schema_build_t *build, gw_schema_rule_t *rule);


gw_schema_t *
gw_schema_compile(const uint8_t *text, size_t len, unsigned formats,
    char *error, size_t error_size)
{
    int                 rc;
    gw_schema_t        *schema;
    gw_schema_build_t   build;

    memset(&build, 0, sizeof(gw_schema_build_t));
    build.formats = formats;
    build.error = error;
    build.error_size = error_size;

    if (len > GW_SCHEMA_TEXT_MAX) {
        (void) snprintf(error, error_size, "a schema of more than %d bytes",
                        GW_SCHEMA_TEXT_MAX);
        return NULL;
    }

    schema = calloc(1, sizeof(gw_schema_t));
    if (schema == NULL) {
        (void) snprintf(error, error_size, "no memory");
        return NULL;
    }

    schema->size = sizeof(gw_schema_t);
    build.schema = schema;

    rc = gw_schema_parse(&build, text, len);

    if (rc == GW_OK) {
        rc = gw_schema_make(&build);
    }

    free(build.rule_at);

    if (rc != GW_OK) {
        gw_schema_free(schema);
        return NULL;
    }

    return schema;
}


void
gw_schema_free(gw_schema_t *schema)
{
    gw_schema_held_t   *held;
    gw_schema_block_t  *block, *next;

    if (schema == NULL) {
        return;
    }

    for (held = schema->patterns; held; held = held->next) {
        gw_schema_pattern_free(held->pattern);
    }

    gw_schema_matcher_free(schema->matcher);

    for (block = schema->blocks; block; block = next) {
        next = block->next;
        free(block);
    }

    free(schema);
}


size_t
gw_schema_size(const gw_schema_t *schema)
{
    return schema->size;
}


void *
gw_schema_alloc(gw_schema_build_t *build, size_t size)
{
    gw_schema_block_t  *block;

    block = calloc(1, sizeof(gw_schema_block_t) + size);
    if (block == NULL) {
        (void) snprintf(build->error, build->error_size, "no memory");
        return NULL;
    }

    block->next = build->schema->blocks;
    build->schema->blocks = block;
    build->schema->size += sizeof(gw_schema_block_t) + size;

    return block->data;
}


int
gw_schema_refuse(gw_schema_build_t *build, uint32_t at, const char *what, ...)
{
    char     said[256], pointer[GW_SCHEMA_POINTER + 1];
    va_list  args;

    va_start(args, what);
    (void) vsnprintf(said, sizeof(said), what, args);
    va_end(args);

    (void) gw_schema_pointer(build->text, build->tape, 0, at, pointer);
    (void) snprintf(build->error, build->error_size, "\"%s\": %s", pointer,
                    said);

    return GW_ERROR;
}


static int
gw_schema_parse(gw_schema_build_t *build, const uint8_t *text, size_t len)
{
    void              *arena;
    uint8_t           *copy;
    gw_json_t          json;
    gw_json_node_t    *tape;
    gw_json_limits_t   limits;

    limits.max_bytes = GW_SCHEMA_TEXT_MAX;
    limits.max_nodes = GW_SCHEMA_NODES;
    limits.max_depth = GW_SCHEMA_TEXT_DEEP;
    limits.max_keys = GW_SCHEMA_NODES;
    limits.max_string = GW_SCHEMA_TEXT_MAX;
    limits.max_number = GW_SCHEMA_TEXT_MAX;

    copy = gw_schema_alloc(build, len);
    if (copy == NULL) {
        return GW_ERROR;
    }

    if (len) {
        memcpy(copy, text, len);
    }

    arena = malloc(gw_json_arena_size(&limits));
    if (arena == NULL) {
        (void) snprintf(build->error, build->error_size, "no memory");
        return GW_ERROR;
    }

    /* who writes a schema is not who would make its names collide */

    if (gw_json_init(&json, &limits, arena, 1) != GW_OK
        || gw_json_parse(&json, copy, len) != GW_OK)
    {
        (void) snprintf(build->error, build->error_size,
                        "not JSON: %s at byte %zu",
                        gw_json_strerror(json.error), json.error_off);
        free(arena);
        return GW_ERROR;
    }

    tape = gw_schema_alloc(build, json.n * sizeof(gw_json_node_t));
    build->rule_at = calloc(json.n, sizeof(gw_schema_rule_t *));

    if (tape == NULL || build->rule_at == NULL) {
        (void) snprintf(build->error, build->error_size, "no memory");
        free(arena);
        return GW_ERROR;
    }

    memcpy(tape, json.tape, json.n * sizeof(gw_json_node_t));
    free(arena);

    build->text = copy;
    build->tape = tape;
    build->schema->text = copy;
    build->schema->tape = tape;

    return GW_OK;
}


gw_schema_rule_t *
gw_schema_rule(gw_schema_build_t *build, uint32_t at)
{
    gw_schema_rule_t  *rule;

    if (build->rule_at[at]) {
        return build->rule_at[at];
    }

    rule = gw_schema_alloc(build, sizeof(gw_schema_rule_t));
    if (rule == NULL) {
        return NULL;
    }

    rule->at = at;
    build->rule_at[at] = rule;

    if (build->last) {
        build->last->next = rule;

    } else {
        build->schema->rules = rule;
    }

    build->last = rule;

    return rule;
}


static int
gw_schema_make(gw_schema_build_t *build)
{
    gw_schema_t       *schema;
    gw_schema_rule_t  *rule;

    schema = build->schema;

    schema->root = gw_schema_rule(build, 0);
    if (schema->root == NULL) {
        return GW_ERROR;
    }

    for (rule = schema->rules; rule; rule = rule->next) {
        if (gw_schema_keywords(build, rule) != GW_OK) {
            return GW_ERROR;
        }
    }

    if (gw_schema_refs(build) != GW_OK || gw_schema_heights(build) != GW_OK) {
        return GW_ERROR;
    }

    for (rule = schema->rules; rule; rule = rule->next) {
        if (gw_schema_order(build, rule) != GW_OK) {
            return GW_ERROR;
        }
    }

    schema->scratch = gw_schema_alloc(build, schema->scratch_size);

    return schema->scratch ? GW_OK : GW_ERROR;
}


/* both bounds, with so many digits more */

static int
gw_schema_fits(const gw_schema_op_t *op, unsigned digits)
{
    int64_t  limit;

    if (digits > GW_SCHEMA_DIGITS) {
        return 0;
    }

    for (limit = 1; digits < GW_SCHEMA_DIGITS; digits++) {
        limit *= 10;
    }

    return op->u.range.lo > -limit && op->u.range.lo < limit
           && op->u.range.hi > -limit && op->u.range.hi < limit;
}


/* to units of 10^-scale; 0: they do not fit */

static int
gw_schema_scale(gw_schema_op_t *op, unsigned scale)
{
    if (scale > op->scale && !gw_schema_fits(op, scale - op->scale)) {
        return 0;
    }

    for ( /* void */ ; op->scale < scale; op->scale++) {
        op->u.range.lo *= 10;
        op->u.range.hi *= 10;
    }

    return 1;
}


static int
gw_schema_merge_ranges(gw_schema_op_t *op, gw_schema_op_t more)
{
    unsigned  both;

    both = GW_SCHEMA_HAS_LO|GW_SCHEMA_HAS_HI;

    if (op->flags & more.flags & both) {
        return 0;
    }

    if (!gw_schema_scale(&more, op->scale) || !gw_schema_scale(op, more.scale))
    {
        op->flags |= GW_SCHEMA_LONG;
    }

    op->flags |= more.flags;

    if (more.flags & GW_SCHEMA_HAS_LO) {
        op->u.range.lo = more.u.range.lo;
        op->u.range.lo_at = more.u.range.lo_at;

    } else {
        op->u.range.hi = more.u.range.hi;
        op->u.range.hi_at = more.u.range.hi_at;
    }

    return 1;
}


/* does "more" in what "op" does; 0: it cannot */

static int
gw_schema_merge(gw_schema_op_t *op, const gw_schema_op_t *more)
{
    if (op->code != more->code) {
        return 0;
    }

    switch (op->code) {

    case GW_SCHEMA_RANGE:
        return gw_schema_merge_ranges(op, *more);

    case GW_SCHEMA_LENGTH:
    case GW_SCHEMA_COUNT:
        if (op->u.limits.min < more->u.limits.min) {
            op->u.limits.min = more->u.limits.min;
        }

        if (op->u.limits.max > more->u.limits.max) {
            op->u.limits.max = more->u.limits.max;
        }

        return 1;

    case GW_SCHEMA_MEMBERS:
        op->flags |= more->flags;
        return 1;

    default:
        return 0;
    }
}


/* the marks between which a number is valid, of each sign */

static void
gw_schema_marks(const gw_schema_build_t *build, gw_schema_op_t *op)
{
    unsigned               equal;
    gw_schema_number_t     bound;
    gw_schema_range_t     *range;
    const gw_json_node_t  *node;

    range = &op->u.range;

    range->above[0] = 0;
    range->above[1] = 0;
    range->below[0] = UINT64_MAX;
    range->below[1] = UINT64_MAX;

    if (op->flags & GW_SCHEMA_HAS_LO) {
        node = &build->tape[range->lo_at];
        equal = !(op->flags & GW_SCHEMA_OVER_LO);
        gw_schema_number(&bound, build->text + node->off, node->len);

        if (bound.negative) {
            range->below[1] = gw_schema_number_bound(&bound, 1, equal);

        } else {
            /* of zero there is -0 */
            range->below[1] = 0;

            if (bound.n || !equal) {
                range->above[0] = gw_schema_number_bound(&bound, 0, equal);
            }
        }
    }

    if (op->flags & GW_SCHEMA_HAS_HI) {
        node = &build->tape[range->hi_at];
        equal = !(op->flags & GW_SCHEMA_UNDER_HI);
        gw_schema_number(&bound, build->text + node->off, node->len);

        if (bound.negative) {
            range->below[0] = 0;
            range->above[1] = gw_schema_number_bound(&bound, 0, equal);

        } else {
            range->below[0] = gw_schema_number_bound(&bound, 1, equal);

            if (bound.n == 0 && !equal) {
                range->above[1] = gw_schema_number_bound(&bound, 0, 0);
            }
        }
    }
}


/* what the check wants to know at once; once nothing is merged any more */

static void
gw_schema_ready(const gw_schema_build_t *build, gw_schema_op_t *op)
{
    for ( /* void */ ; op->code != GW_SCHEMA_END; op++) {

        if (op->code == GW_SCHEMA_LENGTH) {
            op->u.limits.sure = op->u.limits.min <= 1 ? op->u.limits.min
                              : op->u.limits.min < UINT32_MAX / 12
                              ? op->u.limits.min * 12 : UINT32_MAX;
        }

        if (op->code != GW_SCHEMA_RANGE) {
            continue;
        }

        gw_schema_marks(build, op);
        op->room = 0;

        if (op->flags & GW_SCHEMA_LONG) {
            op->scale = UINT8_MAX;
            continue;
        }

        while (gw_schema_fits(op, op->room + 1U)) {
            op->room++;
        }
    }
}


/* the order of the messages: for one kind of value */

static gw_schema_op_t *
gw_schema_order_kind(gw_schema_build_t *build, const gw_schema_rule_t *rule,
    unsigned kind, gw_schema_op_t *room)
{
    unsigned               n, i;
    uint32_t               types;
    gw_schema_op_t        *run;
    const gw_schema_op_t  *op;

    types = 1U << kind;
    n = 0;

    /* 1.0 may be an integer; whatever else is no type asked for, fails */

    if (!(rule->types & types)) {
        memset(&room[n], 0, sizeof(gw_schema_op_t));
        room[n].code = GW_SCHEMA_TYPE;
        room[n].types = kind == GW_JSON_NUMBER
                        ? rule->types & GW_SCHEMA_INTEGER : 0;
        room[n].at = rule->at;
        n++;
    }

    for (op = rule->ops; op->code != GW_SCHEMA_END; op++) {

        if (op->code <= GW_SCHEMA_FALSE || !(op->types & types)) {
            continue;
        }

        for (i = 0; i < n; i++) {
            if (gw_schema_merge(&room[i], op)) {
                break;
            }
        }

        if (i < n) {
            continue;
        }

        for (i = n++; i && room[i - 1].code > op->code; i--) {
            room[i] = room[i - 1];
        }

        room[i] = *op;
    }

    run = gw_schema_alloc(build, (n + 1) * sizeof(gw_schema_op_t));

    if (run) {
        for (i = 0; i < n; i++) {
            run[i] = room[i];
        }

        gw_schema_ready(build, run);
    }

    return run;
}


static int
gw_schema_order(gw_schema_build_t *build, gw_schema_rule_t *rule)
{
    unsigned               t, n;
    gw_schema_op_t        *room;
    const gw_schema_op_t  *op;

    /* one more for the type, one for the end */

    for (n = 2, op = rule->ops; op->code != GW_SCHEMA_END; op++) {
        n++;
    }

    room = malloc(n * sizeof(gw_schema_op_t));
    if (room == NULL) {
        return gw_schema_refuse(build, rule->at, "no memory");
    }

    for (t = 0; t < GW_SCHEMA_KINDS; t++) {
        rule->run[t] = gw_schema_order_kind(build, rule, t, room);

        if (rule->run[t] == NULL) {
            free(room);
            return GW_ERROR;
        }
    }

    free(room);
    gw_schema_ready(build, rule->ops);

    return GW_OK;
}
