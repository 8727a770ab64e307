/*
 * gw_schema.c - see gw_schema.h: the check of a message.
 */

#include "gw_schema_program.h"


/* what hardly a message needs stays out of the way of the others */
#define gw_schema_rare  __attribute__((noinline))

#define gw_schema_often  static inline __attribute__((always_inline))

/* steps for a walk over n bytes */
#define gw_schema_bytes(n)  ((int32_t) ((n) >> 6))


typedef struct {
    const gw_json_node_t  *tape;
    const uint8_t         *doc;
    gw_schema_t           *schema;
    int32_t                steps;
    uint16_t               depth;
    uint8_t                explain;   /* failures are named */
    uint8_t                stopped;   /* a bound was met: no verdict holds */
    uint32_t               at;        /* in the schema, of what failed */
    uint32_t               node;      /* in the message */
    const char            *keyword;   /* NULL: the name at "at" */
} gw_schema_run_t;


static int gw_schema_ops(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at);
static int gw_schema_explain(gw_schema_run_t *run,
    const gw_schema_rule_t *rule, uint32_t at);
static int gw_schema_fail(gw_schema_run_t *run, uint32_t at, uint32_t node);


static const int64_t  gw_schema_power[GW_SCHEMA_DIGITS + 1] = {
    1LL, 10LL, 100LL, 1000LL, 10000LL, 100000LL, 1000000LL, 10000000LL,
    100000000LL, 1000000000LL, 10000000000LL, 100000000000LL,
    1000000000000LL, 10000000000000LL, 100000000000000LL,
    1000000000000000LL, 10000000000000000LL, 100000000000000000LL,
    1000000000000000000LL
};


/* a bound was met: whatever is asked from here on, the answer is no */

static gw_schema_rare int
gw_schema_stop(gw_schema_run_t *run, uint32_t at, uint32_t node)
{
    if (!run->stopped) {
        run->stopped = 1;
        run->keyword = NULL;
        run->at = at;
        run->node = node;
    }

    return 0;
}


static int
gw_schema_fail(gw_schema_run_t *run, uint32_t at, uint32_t node)
{
    if (run->explain && !run->stopped) {
        run->keyword = NULL;
        run->at = at;
        run->node = node;
    }

    return 0;
}


static gw_schema_rare int
gw_schema_is_integer(const gw_schema_run_t *run, const gw_json_node_t *node)
{
    gw_schema_number_t  number;

    gw_schema_number(&number, run->doc + node->off, node->len);

    return gw_schema_number_is_integer(&number);
}


gw_schema_often int
gw_schema_has_type(const gw_schema_run_t *run, uint32_t types,
    const gw_json_node_t *node)
{
    return (types & gw_schema_type_bit(node))
           || ((types & GW_SCHEMA_INTEGER) && node->type == GW_JSON_NUMBER
               && gw_schema_is_integer(run, node));
}


static inline int
gw_schema_apply(gw_schema_run_t *run, const gw_schema_rule_t *rule,
    uint32_t at)
{
    const gw_json_node_t  *node;
    const gw_schema_op_t  *op;

    if (run->explain) {
        return gw_schema_explain(run, rule, at);
    }

    node = &run->tape[at];
    op = rule->run[gw_schema_kind(node)];

    if (op->code == GW_SCHEMA_TYPE) {
        if (!gw_schema_has_type(run, op->types, node)) {
            return 0;
        }

        op++;
    }

    return op->code == GW_SCHEMA_END || gw_schema_ops(run, op, at);
}


/* the verdict alone: a failure inside is not the message's */

static int
gw_schema_ask(gw_schema_run_t *run, const gw_schema_rule_t *rule, uint32_t at)
{
    int      rc;
    uint8_t  explain;

    explain = run->explain;
    run->explain = 0;

    rc = gw_schema_apply(run, rule, at);

    run->explain = explain;

    return rc;
}


static gw_schema_value_t
gw_schema_constant(const gw_schema_run_t *run, uint32_t at)
{
    gw_schema_value_t  v;

    v.doc = run->schema->text;
    v.tape = run->schema->tape;
    v.at = at;

    return v;
}


static gw_schema_value_t
gw_schema_value(const gw_schema_run_t *run, uint32_t at)
{
    gw_schema_value_t  v;

    v.doc = run->doc;
    v.tape = run->tape;
    v.at = at;

    return v;
}


/* a string without escapes, or NULL: the scratch is too small for it */

static const uint8_t *
gw_schema_plain(gw_schema_run_t *run, const gw_json_node_t *node, size_t *len)
{
    run->steps -= gw_schema_bytes(node->len);

    if (!(node->flags & GW_JSON_F_ESCAPED)) {
        *len = node->len;
        return run->doc + node->off;
    }

    if (gw_schema_string_copy(gw_schema_string(run->doc, node),
                              run->schema->scratch, run->schema->scratch_size,
                              len)
        != GW_OK)
    {
        return NULL;
    }

    return run->schema->scratch;
}


static int
gw_schema_compare(const gw_schema_run_t *run, const gw_json_node_t *node,
    uint32_t bound)
{
    gw_schema_number_t     a, b;
    const gw_json_node_t  *other;

    other = &run->schema->tape[bound];

    gw_schema_number(&a, run->doc + node->off, node->len);
    gw_schema_number(&b, run->schema->text + other->off, other->len);

    return gw_schema_number_compare(&a, &b);
}


static int
gw_schema_long_range(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    int  rc;

    run->steps -= gw_schema_bytes(node->len);

    if (op->flags & GW_SCHEMA_HAS_LO) {
        rc = gw_schema_compare(run, node, op->u.range.lo_at);

        if (rc < 0 || (rc == 0 && (op->flags & GW_SCHEMA_OVER_LO))) {
            return 0;
        }
    }

    if (op->flags & GW_SCHEMA_HAS_HI) {
        rc = gw_schema_compare(run, node, op->u.range.hi_at);

        if (rc > 0 || (rc == 0 && (op->flags & GW_SCHEMA_UNDER_HI))) {
            return 0;
        }
    }

    return 1;
}


static gw_schema_rare int
gw_schema_scaled_range(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    int64_t   units;
    unsigned  scale;
    __int128  v, lo, hi;

    if ((op->flags & GW_SCHEMA_LONG)
        || !gw_schema_number_short(run->doc + node->off, node->len, &units,
                                   &scale))
    {
        return gw_schema_long_range(run, op, node);
    }

    v = units;
    lo = op->u.range.lo;
    hi = op->u.range.hi;

    if (scale < op->scale) {
        v *= gw_schema_power[op->scale - scale];

    } else {
        lo *= gw_schema_power[scale - op->scale];
        hi *= gw_schema_power[scale - op->scale];
    }

    return !(((op->flags & GW_SCHEMA_HAS_LO)
              && (v < lo || (v == lo && (op->flags & GW_SCHEMA_OVER_LO))))
             || ((op->flags & GW_SCHEMA_HAS_HI)
                 && (v > hi || (v == hi && (op->flags & GW_SCHEMA_UNDER_HI)))));
}


/* what is short on both sides */

static gw_schema_rare int
gw_schema_short_range(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    int64_t         v, lo, hi;
    unsigned        scale, below, above;
    const uint8_t  *last;

    last = run->doc + node->off + node->len;

    if (last - run->doc < 16
        || !gw_schema_number_read(last, node->len,
                                  (node->flags & GW_JSON_F_NEG) != 0,
                                  node->flags & GW_JSON_F_INT, &v, &scale)
        || (unsigned) (scale - op->scale) > op->room)
    {
        return gw_schema_scaled_range(run, op, node);
    }

    lo = op->u.range.lo;
    hi = op->u.range.hi;

    if (scale != op->scale) {
        lo *= gw_schema_power[scale - op->scale];
        hi *= gw_schema_power[scale - op->scale];
    }

    below = (v < lo) * GW_SCHEMA_HAS_LO | (v == lo) * GW_SCHEMA_OVER_LO;
    above = (v > hi) * GW_SCHEMA_HAS_HI | (v == hi) * GW_SCHEMA_UNDER_HI;

    return !((below | above) & op->flags);
}


/* does the mark of a number, 8 bytes inside the message, show it valid? */

gw_schema_often int
gw_schema_marked(const gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    unsigned  negative;
    uint64_t  mark;

    negative = node->flags / GW_JSON_F_NEG & 1;
    mark = gw_schema_number_mark(run->doc + node->off + node->len,
                                 node->len - negative,
                                 node->flags & GW_JSON_F_INT);

    return mark > op->u.range.above[negative]
           && mark < op->u.range.below[negative];
}


static int
gw_schema_range(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    return (node->off >= 8 && gw_schema_marked(run, op, node))
           || gw_schema_short_range(run, op, node);
}


static gw_schema_rare int
gw_schema_count_length(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    size_t  n;

    run->steps -= gw_schema_bytes(node->len);
    n = gw_schema_string_length(gw_schema_string(run->doc, node));

    return n >= op->u.limits.min && n <= op->u.limits.max;
}


gw_schema_often int
gw_schema_length(gw_schema_run_t *run, const gw_schema_op_t *op,
    const gw_json_node_t *node)
{
    if (node->len <= op->u.limits.max && node->len >= op->u.limits.sure) {
        return 1;
    }

    return node->len >= op->u.limits.min
           && gw_schema_count_length(run, op, node);
}


static gw_schema_rare gw_schema_name_t *
gw_schema_other_name(gw_schema_run_t *run, const gw_schema_names_t *names,
    const gw_json_node_t *key)
{
    size_t          len;
    const uint8_t  *p;

    /* the scratch is as long as the longest name: a longer one is not there */

    p = gw_schema_plain(run, key, &len);

    return p ? gw_schema_names_find(names, p, len) : NULL;
}


static gw_schema_rare gw_schema_name_t *
gw_schema_name(gw_schema_run_t *run, const gw_schema_names_t *names,
    const gw_json_node_t *key)
{
    if ((key->flags & GW_JSON_F_ESCAPED) || key->off < 8) {
        return gw_schema_other_name(run, names, key);
    }

    return gw_schema_names_find_inside(names, run->doc + key->off, key->len);
}


/*
 * The same, *guess first, and the name found is that of the next time.  A name
 * with escapes is none: so what is equal to a guess needs no look at its flags.
 */

gw_schema_often gw_schema_name_t *
gw_schema_guess(gw_schema_run_t *run, const gw_schema_names_t *names,
    const gw_json_node_t *key, gw_schema_name_t **guess)
{
    gw_schema_name_t  *name;

    name = *guess;

    if (gw_schema_name_guessed(name, run->doc + key->off, key->len)) {
        return name;
    }

    name = gw_schema_name(run, names, key);

    if (name && name->len <= GW_SCHEMA_GUESS
        && !(key->flags & GW_JSON_F_ESCAPED))
    {
        *guess = name;
    }

    return name;
}


static int
gw_schema_enum(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    int                      rc;
    uint32_t                 i;
    const gw_json_node_t    *node;
    const gw_schema_enum_t  *constants;

    node = &run->tape[at];
    constants = op->u.constants;

    if (node->type == GW_JSON_STRING) {

        if (constants->strings.n == 0) {
            return gw_schema_fail(run, op->at, at);
        }

        if (node->off < 8
            ? gw_schema_name(run, &constants->strings, node)
            : gw_schema_guess(run, &constants->strings, node,
                              &op->u.constants->strings.first))
        {
            return 1;
        }

        return gw_schema_fail(run, op->at, at);
    }

    for (i = 0; i < constants->n; i++) {
        rc = gw_schema_equal(gw_schema_constant(run, constants->others[i]),
                             gw_schema_value(run, at), &run->steps);

        if (rc != GW_DECLINED) {
            return rc == GW_OK ? 1 : gw_schema_stop(run, op->at, at);
        }
    }

    return gw_schema_fail(run, op->at, at);
}


static int
gw_schema_match(gw_schema_run_t *run, const gw_schema_pattern_t *pattern,
    uint32_t pattern_at, uint32_t at)
{
    int             rc;
    size_t          len;
    const uint8_t  *p;

    p = gw_schema_plain(run, &run->tape[at], &len);

    if (p == NULL) {
        return gw_schema_stop(run, pattern_at, at);
    }

    rc = gw_schema_pattern_match(pattern, run->schema->matcher, 0, p, len);

    if (rc == GW_BUSY) {
        run->steps -= GW_SCHEMA_HARD_MATCH;

        if (run->steps >= 0) {
            rc = gw_schema_pattern_match(pattern, run->schema->matcher, 1, p,
                                         len);
        }
    }

    return rc == GW_BUSY ? gw_schema_stop(run, pattern_at, at) : rc == GW_OK;
}


static int
gw_schema_format_of(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at)
{
    size_t          len;
    const uint8_t  *p;

    p = gw_schema_plain(run, &run->tape[at], &len);

    return p && op->u.format(p, len) ? 1 : gw_schema_fail(run, op->at, at);
}


/* a member in the light of patternProperties; *known: one matches its name */

static int
gw_schema_patterns(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t key, unsigned *known)
{
    uint32_t                    i;
    const gw_schema_matched_t  *matched;

    run->steps -= (int32_t) op->u.members->npatterns;

    if (run->steps < 0) {
        return gw_schema_stop(run, op->at, key);
    }

    for (i = 0; i < op->u.members->npatterns; i++) {
        matched = &op->u.members->patterns[i];

        if (!gw_schema_match(run, matched->pattern, op->at, key)) {
            if (run->stopped) {
                return 0;
            }

            continue;
        }

        *known = 1;

        if ((op->flags & GW_SCHEMA_PATTERNS)
            && !gw_schema_apply(run, matched->rule, key + 1))
        {
            return 0;
        }
    }

    return 1;
}


static int
gw_schema_additional(gw_schema_run_t *run, const gw_schema_members_t *members,
    uint32_t at)
{
    if (members->additional->is_false) {
        return gw_schema_fail(run, members->additional_at, at);
    }

    return gw_schema_apply(run, members->additional, at);
}


/*
 * The verdict alone; a first assertion that is a simple one is made here.  The
 * value stands behind 8 bytes of the message.
 */

gw_schema_often int
gw_schema_quick(gw_schema_run_t *run, const gw_schema_rule_t *rule,
    const gw_json_node_t *node)
{
    const gw_schema_op_t  *op;

    op = rule->run[gw_schema_kind(node)];

    switch (op->code) {

    case GW_SCHEMA_END:
        return 1;

    case GW_SCHEMA_TYPE:
        if (!gw_schema_has_type(run, op->types, node)) {
            return 0;
        }

        break;

    case GW_SCHEMA_RANGE:
        if (!gw_schema_marked(run, op, node)
            && !gw_schema_short_range(run, op, node))
        {
            return 0;
        }

        break;

    case GW_SCHEMA_LENGTH:
        if (!gw_schema_length(run, op, node)) {
            return 0;
        }

        break;

    default:
        return gw_schema_ops(run, op, (uint32_t) (node - run->tape));
    }

    return op[1].code == GW_SCHEMA_END
           || gw_schema_ops(run, op + 1, (uint32_t) (node - run->tape));
}


/*
 * The same as gw_schema_members() below, for the verdict alone, without
 * patterns and 8 bytes inside the message: what nearly every message goes
 * through.
 */

static gw_schema_rare int
gw_schema_flat_members(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at)
{
    uint32_t                 n, required;
    gw_schema_name_t        *name, **guess;
    gw_schema_members_t     *members;
    const gw_json_node_t    *node, *tape;
    const gw_schema_rule_t  *rule;

    members = op->u.members;
    tape = run->tape;
    n = tape[at].count;
    required = 0;
    guess = &members->names.first;

    for (node = &tape[at + 1]; n; n--, node = &tape[node->next]) {
        name = gw_schema_guess(run, &members->names, node, guess);
        rule = members->additional;
        node++;

        if (name) {
            guess = &name->after;
            required += name->flags >> GW_SCHEMA_NAME_REQUIRED_BIT;
            rule = name->rule ? name->rule : rule;
        }

        if (rule && !gw_schema_quick(run, rule, node)) {
            return 0;
        }
    }

    return !(op->flags & GW_SCHEMA_REQUIRED)
           || required == members->nrequired;
}


static int
gw_schema_members(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    unsigned                    known;
    uint32_t                    n, key, required;
    const gw_json_node_t       *node;
    const gw_schema_name_t     *name;
    const gw_schema_members_t  *members;

    members = op->u.members;
    node = &run->tape[at];
    key = at + 1;
    required = 0;

    run->steps -= node->count;

    if (run->steps < 0) {
        return gw_schema_stop(run, op->at, at);
    }

    if (!run->explain && members->npatterns == 0 && node->off >= 8) {
        return gw_schema_flat_members(run, op, at);
    }

    for (n = node->count; n; n--) {
        name = gw_schema_name(run, &members->names, &run->tape[key]);
        known = 0;

        if (name) {
            required += name->flags >> GW_SCHEMA_NAME_REQUIRED_BIT;
            known = name->rule != NULL;

            if (known && (op->flags & GW_SCHEMA_PROPERTIES)
                && !gw_schema_apply(run, name->rule, key + 1))
            {
                return 0;
            }
        }

        if (members->npatterns
            && (op->flags & (GW_SCHEMA_PATTERNS|GW_SCHEMA_ADDITIONAL))
            && !gw_schema_patterns(run, op, key, &known))
        {
            return 0;
        }

        if (!known && (op->flags & GW_SCHEMA_ADDITIONAL)
            && !gw_schema_additional(run, members, key + 1))
        {
            return 0;
        }

        key = run->tape[key + 1].next;
    }

    /* the scanner lets no name stand twice, so the number tells */

    if ((op->flags & GW_SCHEMA_REQUIRED) && required != members->nrequired) {
        return gw_schema_fail(run, members->required_at, at);
    }

    return 1;
}


/* propertyNames */

static int
gw_schema_property_names(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at)
{
    uint32_t  n, key;

    n = run->tape[at].count;
    run->steps -= (int32_t) n;

    for (key = at + 1; n; n--) {

        if (!gw_schema_apply(run, op->u.rule, key)) {
            return 0;
        }

        key = run->tape[key + 1].next;
    }

    return 1;
}


/* the key of the object at "at" with the name at "name" in the schema; or 0 */

static uint32_t
gw_schema_member(gw_schema_run_t *run, uint32_t at, uint32_t name)
{
    uint32_t            n, key;
    gw_schema_string_t  wanted;

    wanted = gw_schema_string(run->schema->text, &run->schema->tape[name]);

    n = run->tape[at].count;
    run->steps -= (int32_t) n;

    for (key = at + 1; n; n--) {

        if (gw_schema_string_equal(gw_schema_string(run->doc,
                                                    &run->tape[key]),
                                   wanted))
        {
            return key;
        }

        key = run->tape[key + 1].next;
    }

    return 0;
}


/* dependentRequired */

static int
gw_schema_needs(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    uint32_t               n, m, name, needed;
    const gw_json_node_t  *tape;

    tape = run->schema->tape;
    name = op->at + 1;

    for (n = tape[op->at].count; n; n--) {

        if (gw_schema_member(run, at, name)) {
            needed = name + 2;

            for (m = tape[name + 1].count; m; m--) {

                if (run->steps < 0) {
                    return gw_schema_stop(run, op->at, at);
                }

                if (!gw_schema_member(run, at, needed)) {
                    return gw_schema_fail(run, op->at, at);
                }

                needed = tape[needed].next;
            }
        }

        if (run->steps < 0) {
            return gw_schema_stop(run, op->at, at);
        }

        name = tape[name + 1].next;
    }

    return 1;
}


/* dependentSchemas: rules stand in the order of the names */

static int
gw_schema_dependent(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at)
{
    uint32_t               i, name;
    const gw_json_node_t  *tape;

    tape = run->schema->tape;
    name = op->at + 1;

    for (i = 0; i < op->u.rules.n; i++) {

        if (gw_schema_member(run, at, name)
            && !gw_schema_apply(run, op->u.rules.rules[i], at))
        {
            return 0;
        }

        if (run->steps < 0) {
            return gw_schema_stop(run, op->at, at);
        }

        name = tape[name + 1].next;
    }

    return 1;
}


static inline int
gw_schema_flat_items(gw_schema_run_t *run, const gw_schema_rule_t *rule,
    const gw_json_node_t *node, uint32_t n)
{
    for ( /* void */ ; n; n--, node = &run->tape[node->next]) {

        if (!gw_schema_quick(run, rule, node)) {
            return 0;
        }
    }

    return 1;
}


static int
gw_schema_items(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    uint32_t  i, n, item;

    n = run->tape[at].count;
    item = at + 1;
    run->steps -= (int32_t) n;

    if (run->steps < 0) {
        return gw_schema_stop(run, op->at, at);
    }

    if (!run->explain && op->skip == 0 && run->tape[at].off >= 8) {
        return gw_schema_flat_items(run, op->u.rule, &run->tape[item], n);
    }

    for (i = 0; i < n; i++) {

        if (i >= op->skip) {

            if (op->u.rule->is_false) {
                return gw_schema_fail(run, op->at, item);
            }

            if (!gw_schema_apply(run, op->u.rule, item)) {
                return 0;
            }
        }

        item = run->tape[item].next;
    }

    return 1;
}


static int
gw_schema_prefix(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    uint32_t  i, n, item;

    n = run->tape[at].count;
    item = at + 1;

    for (i = 0; i < n && i < op->u.rules.n; i++) {

        if (!gw_schema_apply(run, op->u.rules.rules[i], item)) {
            return 0;
        }

        item = run->tape[item].next;
    }

    return 1;
}


static int
gw_schema_contains(gw_schema_run_t *run, const gw_schema_op_t *op,
    uint32_t at)
{
    uint32_t                     i, n, item, found;
    const gw_schema_contains_t  *contains;

    contains = op->u.contains;
    n = run->tape[at].count;
    item = at + 1;
    found = 0;
    run->steps -= (int32_t) n;

    if (run->steps < 0) {
        return gw_schema_stop(run, op->at, at);
    }

    for (i = 0; i < n; i++) {
        found += (uint32_t) gw_schema_ask(run, contains->rule, item);

        if (run->stopped) {
            return 0;
        }

        if (found > contains->max) {
            return gw_schema_fail(run, contains->max_at, at);
        }

        item = run->tape[item].next;
    }

    if (found < contains->min) {
        return gw_schema_fail(run, contains->min_at ? contains->min_at
                                                    : op->at, at);
    }

    return 1;
}


static int
gw_schema_all(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    uint32_t  i;

    for (i = 0; i < op->u.rules.n; i++) {
        if (!gw_schema_apply(run, op->u.rules.rules[i], at)) {
            return 0;
        }
    }

    return 1;
}


/* anyOf: most is UINT32_MAX, the first will do; oneOf: most is 1 */

static int
gw_schema_some(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at,
    uint32_t most)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < op->u.rules.n; i++) {
        n += (uint32_t) gw_schema_ask(run, op->u.rules.rules[i], at);

        if (run->stopped) {
            return 0;
        }

        if (n && most > 1) {
            return 1;
        }

        if (n > most) {
            break;
        }
    }

    return n && n <= most ? 1 : gw_schema_fail(run, op->at, at);
}


static int
gw_schema_not(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    if (gw_schema_ask(run, op->u.rule, at)) {
        return gw_schema_fail(run, op->at, at);
    }

    return !run->stopped;
}


static int
gw_schema_branch(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    const gw_schema_rule_t  *rule;

    rule = gw_schema_ask(run, op->u.branch.condition, at)
           ? op->u.branch.then : op->u.branch.otherwise;

    if (run->stopped) {
        return 0;
    }

    return rule == NULL || gw_schema_apply(run, rule, at);
}


/* one assertion that is not one of a flat object's */

static int
gw_schema_other(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    int                    rc;
    gw_schema_number_t     number;
    const gw_json_node_t  *node;

    node = &run->tape[at];

    switch (op->code) {

    case GW_SCHEMA_TYPE:
        return gw_schema_has_type(run, op->types, node)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_FALSE:
        gw_schema_fail(run, op->at, at);
        run->keyword = "false";
        return 0;

    case GW_SCHEMA_MULTIPLE:
        run->steps -= gw_schema_bytes(node->len);
        gw_schema_number(&number, run->doc + node->off, node->len);
        return gw_schema_number_is_multiple(&number, &op->u.divisor)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_FORMAT:
        return gw_schema_format_of(run, op, at);

    case GW_SCHEMA_PATTERN:
        return gw_schema_match(run, op->u.pattern, op->at, at)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_NAMES:
        return gw_schema_property_names(run, op, at);

    case GW_SCHEMA_NEEDS:
        return gw_schema_needs(run, op, at);

    case GW_SCHEMA_DEPENDENT:
        return gw_schema_dependent(run, op, at);

    case GW_SCHEMA_PREFIX:
        return gw_schema_prefix(run, op, at);

    case GW_SCHEMA_CONTAINS:
        return gw_schema_contains(run, op, at);

    case GW_SCHEMA_UNIQUE:
        rc = gw_schema_unique(gw_schema_value(run, at), run->schema->items,
                              &run->steps);
        return rc == GW_OK
               || (rc == GW_BUSY ? gw_schema_stop(run, op->at, at)
                                 : gw_schema_fail(run, op->at, at));

    case GW_SCHEMA_REF:
        return gw_schema_apply(run, op->u.rule, at);

    case GW_SCHEMA_ALL:
        return gw_schema_all(run, op, at);

    case GW_SCHEMA_SOME:
        return gw_schema_some(run, op, at, UINT32_MAX);

    case GW_SCHEMA_ONE:
        return gw_schema_some(run, op, at, 1);

    case GW_SCHEMA_NOT:
        return gw_schema_not(run, op, at);

    default: /* GW_SCHEMA_IF */
        return gw_schema_branch(run, op, at);
    }
}


static inline int
gw_schema_op(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    const gw_json_node_t  *node;

    node = &run->tape[at];

    switch (op->code) {

    case GW_SCHEMA_RANGE:
        return gw_schema_range(run, op, node)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_LENGTH:
        return gw_schema_length(run, op, node)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_COUNT:
        return (node->count >= op->u.limits.min
                && node->count <= op->u.limits.max)
               || gw_schema_fail(run, op->at, at);

    case GW_SCHEMA_ENUM:
        return gw_schema_enum(run, op, at);

    case GW_SCHEMA_MEMBERS:
        return gw_schema_members(run, op, at);

    case GW_SCHEMA_ITEMS:
        return gw_schema_items(run, op, at);

    default:
        return gw_schema_other(run, op, at);
    }
}


static int
gw_schema_ops(gw_schema_run_t *run, const gw_schema_op_t *op, uint32_t at)
{
    run->steps--;

    if (run->steps < 0 || run->depth == GW_SCHEMA_DEPTH) {
        return gw_schema_stop(run, op->at, at);
    }

    run->depth++;

    do {
        if (!gw_schema_op(run, op, at)) {
            run->depth--;
            return 0;
        }

        op++;

    } while (op->code != GW_SCHEMA_END);

    run->depth--;

    return 1;
}


/* one by one, in the order of the schema */

static int
gw_schema_explain(gw_schema_run_t *run, const gw_schema_rule_t *rule,
    uint32_t at)
{
    uint32_t               bit;
    const gw_schema_op_t  *op;

    op = rule->ops;

    if (op->code == GW_SCHEMA_END) {
        return 1;
    }

    run->steps--;

    if (run->steps < 0 || run->depth == GW_SCHEMA_DEPTH) {
        return gw_schema_stop(run, op->at, at);
    }

    run->depth++;
    bit = gw_schema_type_bit(&run->tape[at]);

    for ( /* void */ ; op->code != GW_SCHEMA_END; op++) {

        if ((op->code <= GW_SCHEMA_FALSE || (op->types & bit))
            && !gw_schema_op(run, op, at))
        {
            run->depth--;
            return 0;
        }
    }

    run->depth--;

    return 1;
}


/* the constant for the name of the keyword whose value is at "at" */

static const char *
gw_schema_keyword(const gw_schema_t *schema, uint32_t at)
{
    size_t                 i;
    gw_schema_string_t     name;
    const gw_json_node_t  *key;

    static const gw_str_t  names[] = {
        gw_str("type"), gw_str("enum"), gw_str("const"),
        gw_str("multipleOf"), gw_str("maximum"), gw_str("exclusiveMaximum"),
        gw_str("minimum"), gw_str("exclusiveMinimum"), gw_str("maxLength"),
        gw_str("minLength"), gw_str("pattern"), gw_str("items"),
        gw_str("prefixItems"), gw_str("maxItems"), gw_str("minItems"),
        gw_str("uniqueItems"), gw_str("contains"), gw_str("maxContains"),
        gw_str("minContains"), gw_str("properties"),
        gw_str("patternProperties"), gw_str("additionalProperties"),
        gw_str("propertyNames"), gw_str("maxProperties"),
        gw_str("minProperties"), gw_str("required"),
        gw_str("dependentRequired"), gw_str("dependentSchemas"),
        gw_str("allOf"), gw_str("anyOf"), gw_str("oneOf"), gw_str("not"),
        gw_str("if"), gw_str("$ref"), gw_str("format")
    };

    key = &schema->tape[at ? at - 1 : 0];
    name.escaped = 0;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        name.data = names[i].data;
        name.len = (uint32_t) names[i].len;

        if ((key->flags & GW_JSON_F_KEY)
            && gw_schema_string_equal(gw_schema_string(schema->text, key),
                                      name))
        {
            return (const char *) name.data;
        }
    }

    return "schema";
}


static void
gw_schema_error(const gw_schema_run_t *run, uint32_t root,
    gw_schema_error_t *error)
{
    gw_schema_t  *schema;

    schema = run->schema;

    error->pointer_len = gw_schema_pointer(run->doc, run->tape, root,
                                           run->node, error->pointer);

    (void) gw_schema_pointer(schema->text, schema->tape, 0, run->at,
                             schema->place);
    error->place = schema->place;

    error->keyword = run->keyword ? run->keyword
                                  : gw_schema_keyword(schema, run->at);
}


int
gw_schema_check(gw_schema_t *schema, const gw_json_t *j, const uint8_t *doc,
    uint32_t node, gw_schema_error_t *error)
{
    gw_schema_run_t  run, first;

    run.tape = j->tape;
    run.doc = doc;
    run.schema = schema;
    run.steps = GW_SCHEMA_STEPS;
    run.depth = 0;
    run.explain = 0;
    run.stopped = 0;
    run.at = 0;
    run.node = node;
    run.keyword = NULL;

    if (gw_schema_apply(&run, schema->root, node)) {
        return GW_OK;
    }

    if (error) {
        first = run;

        run.steps = GW_SCHEMA_STEPS;
        run.depth = 0;
        run.explain = 1;
        run.stopped = 0;

        /* a bound that only the first way met is still a bound */

        if (gw_schema_apply(&run, schema->root, node)) {
            run = first;
        }

        gw_schema_error(&run, node, error);
    }

    return GW_DECLINED;
}
