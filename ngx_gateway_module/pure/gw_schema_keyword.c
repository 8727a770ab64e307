/*
 * gw_schema_keyword.c - the keywords of one schema: their values are looked at
 * and become assertions.  A keyword that is not in the table refuses the
 * schema: what is silently ignored is not checked.
 */

#include "gw_schema_build.h"


typedef enum {
    KW_TYPE = 0, KW_ENUM, KW_CONST, KW_MULTIPLE_OF, KW_MAXIMUM,
    KW_EXCLUSIVE_MAXIMUM, KW_MINIMUM, KW_EXCLUSIVE_MINIMUM, KW_MAX_LENGTH,
    KW_MIN_LENGTH, KW_PATTERN, KW_ITEMS, KW_PREFIX_ITEMS, KW_MAX_ITEMS,
    KW_MIN_ITEMS, KW_UNIQUE_ITEMS, KW_CONTAINS, KW_MAX_CONTAINS,
    KW_MIN_CONTAINS, KW_PROPERTIES, KW_PATTERN_PROPERTIES,
    KW_ADDITIONAL_PROPERTIES, KW_PROPERTY_NAMES, KW_MAX_PROPERTIES,
    KW_MIN_PROPERTIES, KW_REQUIRED, KW_DEPENDENT_REQUIRED,
    KW_DEPENDENT_SCHEMAS, KW_ALL_OF, KW_ANY_OF, KW_ONE_OF, KW_NOT, KW_IF,
    KW_THEN, KW_ELSE, KW_REF, KW_DEFS, KW_ANCHOR, KW_ID, KW_SCHEMA,
    KW_FORMAT, KW_ANNOTATION, KW_N
} gw_schema_kw_e;


typedef struct {
    gw_schema_build_t    *build;
    gw_schema_rule_t     *rule;
    gw_schema_members_t  *members;
    unsigned              nops;
    uint32_t              at[KW_N];    /* tape index of the value, 0: none */
    gw_schema_op_t        ops[KW_N];
} gw_schema_words_t;


/* kw: of the value at "at" */

typedef int (*gw_schema_word_pt)(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);


typedef struct {
    gw_str_t              name;
    gw_schema_word_pt     handler;
    gw_schema_kw_e        kw;
} gw_schema_word_t;


static int gw_schema_kw_type(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_enum(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_multiple(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_bound(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_limit(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_pattern(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_format(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_unique(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_contains(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_count(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_members(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_needs(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_schema_map(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_schemas(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_subschema(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_ref(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_anchor(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_id(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);
static int gw_schema_kw_dialect(gw_schema_words_t *w, gw_schema_kw_e kw,
    uint32_t at);


static const gw_schema_word_t  gw_schema_words[] = {
    { gw_str("type"), gw_schema_kw_type, KW_TYPE },
    { gw_str("enum"), gw_schema_kw_enum, KW_ENUM },
    { gw_str("const"), gw_schema_kw_enum, KW_CONST },
    { gw_str("multipleOf"), gw_schema_kw_multiple, KW_MULTIPLE_OF },
    { gw_str("maximum"), gw_schema_kw_bound, KW_MAXIMUM },
    { gw_str("exclusiveMaximum"), gw_schema_kw_bound, KW_EXCLUSIVE_MAXIMUM },
    { gw_str("minimum"), gw_schema_kw_bound, KW_MINIMUM },
    { gw_str("exclusiveMinimum"), gw_schema_kw_bound, KW_EXCLUSIVE_MINIMUM },
    { gw_str("maxLength"), gw_schema_kw_limit, KW_MAX_LENGTH },
    { gw_str("minLength"), gw_schema_kw_limit, KW_MIN_LENGTH },
    { gw_str("pattern"), gw_schema_kw_pattern, KW_PATTERN },
    { gw_str("items"), gw_schema_kw_subschema, KW_ITEMS },
    { gw_str("prefixItems"), gw_schema_kw_schemas, KW_PREFIX_ITEMS },
    { gw_str("maxItems"), gw_schema_kw_limit, KW_MAX_ITEMS },
    { gw_str("minItems"), gw_schema_kw_limit, KW_MIN_ITEMS },
    { gw_str("uniqueItems"), gw_schema_kw_unique, KW_UNIQUE_ITEMS },
    { gw_str("contains"), gw_schema_kw_contains, KW_CONTAINS },
    { gw_str("maxContains"), gw_schema_kw_count, KW_MAX_CONTAINS },
    { gw_str("minContains"), gw_schema_kw_count, KW_MIN_CONTAINS },
    { gw_str("properties"), gw_schema_kw_members, KW_PROPERTIES },
    { gw_str("patternProperties"), gw_schema_kw_members,
      KW_PATTERN_PROPERTIES },
    { gw_str("additionalProperties"), gw_schema_kw_members,
      KW_ADDITIONAL_PROPERTIES },
    { gw_str("propertyNames"), gw_schema_kw_subschema, KW_PROPERTY_NAMES },
    { gw_str("maxProperties"), gw_schema_kw_limit, KW_MAX_PROPERTIES },
    { gw_str("minProperties"), gw_schema_kw_limit, KW_MIN_PROPERTIES },
    { gw_str("required"), gw_schema_kw_members, KW_REQUIRED },
    { gw_str("dependentRequired"), gw_schema_kw_needs,
      KW_DEPENDENT_REQUIRED },
    { gw_str("dependentSchemas"), gw_schema_kw_schema_map,
      KW_DEPENDENT_SCHEMAS },
    { gw_str("allOf"), gw_schema_kw_schemas, KW_ALL_OF },
    { gw_str("anyOf"), gw_schema_kw_schemas, KW_ANY_OF },
    { gw_str("oneOf"), gw_schema_kw_schemas, KW_ONE_OF },
    { gw_str("not"), gw_schema_kw_subschema, KW_NOT },
    { gw_str("if"), gw_schema_kw_subschema, KW_IF },
    { gw_str("then"), gw_schema_kw_subschema, KW_THEN },
    { gw_str("else"), gw_schema_kw_subschema, KW_ELSE },
    { gw_str("$ref"), gw_schema_kw_ref, KW_REF },
    { gw_str("$defs"), gw_schema_kw_schema_map, KW_DEFS },
    { gw_str("$anchor"), gw_schema_kw_anchor, KW_ANCHOR },
    { gw_str("$id"), gw_schema_kw_id, KW_ID },
    { gw_str("$schema"), gw_schema_kw_dialect, KW_SCHEMA },
    { gw_str("format"), gw_schema_kw_format, KW_FORMAT },
    { gw_str("title"), NULL, KW_ANNOTATION },
    { gw_str("description"), NULL, KW_ANNOTATION },
    { gw_str("default"), NULL, KW_ANNOTATION },
    { gw_str("examples"), NULL, KW_ANNOTATION },
    { gw_str("deprecated"), NULL, KW_ANNOTATION },
    { gw_str("readOnly"), NULL, KW_ANNOTATION },
    { gw_str("writeOnly"), NULL, KW_ANNOTATION },
    { gw_str("$comment"), NULL, KW_ANNOTATION },
    { gw_str("contentEncoding"), NULL, KW_ANNOTATION },
    { gw_str("contentMediaType"), NULL, KW_ANNOTATION },
    { gw_str("contentSchema"), NULL, KW_ANNOTATION }
};


static const gw_schema_word_t *
gw_schema_word(const gw_schema_build_t *build, const gw_json_node_t *key)
{
    size_t              i;
    gw_schema_string_t  name;

    for (i = 0; i < sizeof(gw_schema_words) / sizeof(gw_schema_words[0]);
         i++)
    {
        name.data = gw_schema_words[i].name.data;
        name.len = (uint32_t) gw_schema_words[i].name.len;
        name.escaped = 0;

        if (gw_schema_string_equal(gw_schema_string(build->text, key), name))
        {
            return &gw_schema_words[i];
        }
    }

    return NULL;
}


static gw_schema_op_t *
gw_schema_add(gw_schema_words_t *w, gw_schema_code_e code, uint32_t types,
    uint32_t at)
{
    gw_schema_op_t  *op;

    op = &w->ops[w->nops++];

    op->code = (uint8_t) code;
    op->types = types;
    op->at = at;

    return op;
}


int
gw_schema_keywords(gw_schema_build_t *build, gw_schema_rule_t *rule)
{
    uint32_t                 n, key, last;
    gw_schema_words_t        w;
    const gw_json_node_t    *node;
    const gw_schema_word_t  *word;

    node = &build->tape[rule->at];
    last = node->next;

    memset(&w, 0, sizeof(gw_schema_words_t));
    w.build = build;
    w.rule = rule;

    rule->types = GW_SCHEMA_ANY;

    if (node->type == GW_JSON_FALSE) {
        rule->types = 0;
        rule->is_false = 1;
        (void) gw_schema_add(&w, GW_SCHEMA_FALSE, 0, rule->at);
        last = 0;

    } else if (node->type == GW_JSON_TRUE) {
        last = 0;

    } else if (node->type != GW_JSON_OBJECT) {
        return gw_schema_refuse(build, rule->at,
                                "a schema is an object or a boolean");
    }

    for (key = rule->at + 1; key < last; key = build->tape[key + 1].next) {
        word = gw_schema_word(build, &build->tape[key]);

        if (word == NULL) {
            return gw_schema_refuse(build, key, "keyword is unknown or not "
                                    "supported");
        }

        w.at[word->kw] = key + 1;
    }

    for (key = rule->at + 1; key < last; key = build->tape[key + 1].next) {
        word = gw_schema_word(build, &build->tape[key]);

        if (word->handler && word->handler(&w, word->kw, key + 1) != GW_OK) {
            return GW_ERROR;
        }
    }

    /* the one behind the last is GW_SCHEMA_END */

    rule->ops = gw_schema_alloc(build, (w.nops + 1) * sizeof(gw_schema_op_t));
    if (rule->ops == NULL) {
        return GW_ERROR;
    }

    for (n = 0; n < w.nops; n++) {
        rule->ops[n] = w.ops[n];
    }

    return GW_OK;
}


static int
gw_schema_want(const gw_schema_words_t *w, uint32_t at, gw_json_type_e type)
{
    static const char *const  names[] = {
        "null", "a boolean", "a boolean", "a number", "a string", "an array",
        "an object"
    };

    if (w->build->tape[at].type == type) {
        return GW_OK;
    }

    return gw_schema_refuse(w->build, at, "not %s", names[type]);
}


static int
gw_schema_is(const gw_schema_words_t *w, uint32_t at, const char *name)
{
    gw_schema_string_t  s;

    s.data = (const uint8_t *) name;
    s.len = (uint32_t) strlen(name);
    s.escaped = 0;

    return gw_schema_string_equal(gw_schema_string(w->build->text,
                                                   &w->build->tape[at]), s);
}


/* the string at "at" without escapes: in the text, or a copy */

static int
gw_schema_literal(gw_schema_words_t *w, uint32_t at, const uint8_t **data,
    uint32_t *len)
{
    uint8_t               *copy;
    const gw_json_node_t  *node;

    node = &w->build->tape[at];
    *data = w->build->text + node->off;
    *len = node->len;

    if (node->flags & GW_JSON_F_ESCAPED) {
        copy = gw_schema_alloc(w->build, node->len);
        if (copy == NULL) {
            return GW_ERROR;
        }

        *len = (uint32_t) gw_json_unescape(w->build->text, node, copy);
        *data = copy;
    }

    return GW_OK;
}


/* a name for a set; an escaped one of a message must fit the scratch */

static int
gw_schema_name_of(gw_schema_words_t *w, uint32_t at, gw_schema_name_t *name)
{
    if (gw_schema_literal(w, at, &name->data, &name->len) != GW_OK) {
        return GW_ERROR;
    }

    if (w->build->schema->scratch_size < name->len) {
        w->build->schema->scratch_size = name->len;
    }

    return GW_OK;
}


static gw_schema_pattern_t *
gw_schema_pattern_of(gw_schema_words_t *w, uint32_t at)
{
    char                  why[160];
    uint32_t              len;
    gw_schema_t          *schema;
    const uint8_t        *data;
    gw_schema_held_t     *held;

    schema = w->build->schema;

    if (gw_schema_literal(w, at, &data, &len) != GW_OK) {
        return NULL;
    }

    held = gw_schema_alloc(w->build, sizeof(gw_schema_held_t));
    if (held == NULL) {
        return NULL;
    }

    if (schema->matcher == NULL) {
        schema->matcher = gw_schema_matcher_create(GW_SCHEMA_EASY_MATCH,
                                                   GW_SCHEMA_MATCH);

        if (schema->matcher == NULL) {
            (void) gw_schema_refuse(w->build, at, "no memory");
            return NULL;
        }
    }

    held->pattern = gw_schema_pattern_create(data, len, why, sizeof(why));
    if (held->pattern == NULL) {
        (void) gw_schema_refuse(w->build, at, "not a pattern of ECMA-262 "
                                "that is supported (%s)", why);
        return NULL;
    }

    held->next = schema->patterns;
    schema->patterns = held;
    schema->size += gw_schema_pattern_size(held->pattern);

    if (schema->scratch_size < GW_SCHEMA_SCRATCH) {
        schema->scratch_size = GW_SCHEMA_SCRATCH;
    }

    return held->pattern;
}


static int
gw_schema_kw_type(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    size_t    i;
    uint32_t  types, name, last;

    static const struct {
        const char  *name;
        uint32_t     types;
    } known[] = {
        { "null", 1U << GW_JSON_NULL },
        { "boolean", 1U << GW_JSON_FALSE | 1U << GW_JSON_TRUE },
        { "number", GW_SCHEMA_NUMBERS },
        { "integer", GW_SCHEMA_INT_BIT | GW_SCHEMA_INTEGER },
        { "string", 1U << GW_JSON_STRING },
        { "array", 1U << GW_JSON_ARRAY },
        { "object", 1U << GW_JSON_OBJECT }
    };

    name = at;
    last = w->build->tape[at].next;
    types = 0;

    if (w->build->tape[at].type == GW_JSON_ARRAY) {
        name++;

        if (name == last) {
            return gw_schema_refuse(w->build, at, "no type");
        }
    }

    while (name < last) {

        if (gw_schema_want(w, name, GW_JSON_STRING) != GW_OK) {
            return GW_ERROR;
        }

        for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (gw_schema_is(w, name, known[i].name)) {
                break;
            }
        }

        if (i == sizeof(known) / sizeof(known[0])) {
            return gw_schema_refuse(w->build, name, "not a type");
        }

        types |= known[i].types;
        name = w->build->tape[name].next;
    }

    w->rule->types = types;
    (void) kw;
    (void) gw_schema_add(w, GW_SCHEMA_TYPE, types, at);

    return GW_OK;
}


static int
gw_schema_kw_enum(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t               value, last, n;
    gw_schema_names_t     *strings;
    gw_schema_enum_t      *constants;
    const gw_json_node_t  *tape;

    tape = w->build->tape;
    value = at;
    last = tape[at].next;
    n = 1;

    if (kw == KW_ENUM) {
        if (gw_schema_want(w, at, GW_JSON_ARRAY) != GW_OK) {
            return GW_ERROR;
        }

        value++;
        n = tape[at].count;
    }

    constants = gw_schema_alloc(w->build, sizeof(gw_schema_enum_t));
    if (constants == NULL) {
        return GW_ERROR;
    }

    strings = &constants->strings;
    strings->names = gw_schema_alloc(w->build, n * sizeof(gw_schema_name_t));
    strings->slots = gw_schema_alloc(w->build, gw_schema_names_slots(n)
                                               * sizeof(uint16_t));
    constants->others = gw_schema_alloc(w->build, n * sizeof(uint32_t));

    if (strings->names == NULL || strings->slots == NULL
        || constants->others == NULL)
    {
        return GW_ERROR;
    }

    for ( /* void */ ; value < last; value = tape[value].next) {

        if (tape[value].type != GW_JSON_STRING) {
            constants->others[constants->n++] = value;
            continue;
        }

        if (gw_schema_name_of(w, value, &strings->names[strings->n++])
            != GW_OK)
        {
            return GW_ERROR;
        }
    }

    /* one that stands twice does no harm */

    if (strings->n) {
        (void) gw_schema_names_index(strings);
    }

    gw_schema_add(w, GW_SCHEMA_ENUM, GW_SCHEMA_ANY, at)->u.constants
        = constants;

    return GW_OK;
}


static int
gw_schema_kw_multiple(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_number_t     number;
    gw_schema_divisor_t    divisor;
    const gw_json_node_t  *node;

    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_NUMBER) != GW_OK) {
        return GW_ERROR;
    }

    node = &w->build->tape[at];
    gw_schema_number(&number, w->build->text + node->off, node->len);

    if (gw_schema_number_divisor(&number, &divisor) != GW_OK) {
        return gw_schema_refuse(w->build, at, "not above 0, or of more than "
                                "%d digits", GW_SCHEMA_DIGITS);
    }

    gw_schema_add(w, GW_SCHEMA_MULTIPLE, GW_SCHEMA_NUMBERS, at)->u.divisor
        = divisor;

    return GW_OK;
}


static int
gw_schema_kw_bound(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    int64_t                units;
    unsigned               scale;
    gw_schema_op_t        *op;
    const gw_json_node_t  *node;

    if (gw_schema_want(w, at, GW_JSON_NUMBER) != GW_OK) {
        return GW_ERROR;
    }

    op = gw_schema_add(w, GW_SCHEMA_RANGE, GW_SCHEMA_NUMBERS, at);
    node = &w->build->tape[at];
    units = 0;
    scale = 0;

    if (!gw_schema_number_short(w->build->text + node->off, node->len, &units,
                                &scale))
    {
        op->flags |= GW_SCHEMA_LONG;
    }

    op->scale = (uint8_t) scale;

    if (kw == KW_MINIMUM || kw == KW_EXCLUSIVE_MINIMUM) {
        op->flags |= GW_SCHEMA_HAS_LO;
        op->u.range.lo = units;
        op->u.range.lo_at = at;

    } else {
        op->flags |= GW_SCHEMA_HAS_HI;
        op->u.range.hi = units;
        op->u.range.hi_at = at;
    }

    op->flags |= kw == KW_EXCLUSIVE_MINIMUM ? GW_SCHEMA_OVER_LO
               : kw == KW_EXCLUSIVE_MAXIMUM ? GW_SCHEMA_UNDER_HI : 0;

    return GW_OK;
}


/* a count that is not below 0; whatever is above is UINT32_MAX */

static int
gw_schema_unsigned(gw_schema_words_t *w, uint32_t at, uint32_t *n)
{
    uint32_t               i;
    uint64_t               v;
    const uint8_t         *p;
    gw_schema_number_t     number;
    const gw_json_node_t  *node;

    if (gw_schema_want(w, at, GW_JSON_NUMBER) != GW_OK) {
        return GW_ERROR;
    }

    node = &w->build->tape[at];
    gw_schema_number(&number, w->build->text + node->off, node->len);

    if (number.negative || !gw_schema_number_is_integer(&number)) {
        return gw_schema_refuse(w->build, at, "not an integer of 0 or more");
    }

    v = number.exp > 10 ? UINT32_MAX : 0;

    if (v == 0) {
        p = number.digits;

        for (i = 0; i < number.exp; i++) {
            v *= 10;

            if (i < number.n) {
                p += *p == '.';
                v += *p++ - '0';
            }
        }
    }

    *n = v > UINT32_MAX ? UINT32_MAX : (uint32_t) v;

    return GW_OK;
}


static int
gw_schema_kw_limit(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t           n, types;
    gw_schema_op_t    *op;
    gw_schema_code_e   code;

    if (gw_schema_unsigned(w, at, &n) != GW_OK) {
        return GW_ERROR;
    }

    code = GW_SCHEMA_COUNT;

    switch (kw) {

    case KW_MAX_LENGTH:
    case KW_MIN_LENGTH:
        code = GW_SCHEMA_LENGTH;
        types = 1U << GW_JSON_STRING;
        break;

    case KW_MAX_ITEMS:
    case KW_MIN_ITEMS:
        types = 1U << GW_JSON_ARRAY;
        break;

    default:
        types = 1U << GW_JSON_OBJECT;
    }

    op = gw_schema_add(w, code, types, at);
    op->u.limits.max = UINT32_MAX;

    if (kw == KW_MAX_LENGTH || kw == KW_MAX_ITEMS || kw == KW_MAX_PROPERTIES)
    {
        op->u.limits.max = n;

    } else {
        op->u.limits.min = n;
    }

    return GW_OK;
}


static int
gw_schema_kw_pattern(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_pattern_t  *pattern;

    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK) {
        return GW_ERROR;
    }

    pattern = gw_schema_pattern_of(w, at);
    if (pattern == NULL) {
        return GW_ERROR;
    }

    gw_schema_add(w, GW_SCHEMA_PATTERN, 1U << GW_JSON_STRING, at)->u.pattern
        = pattern;

    return GW_OK;
}


static int
gw_schema_kw_format(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t              len;
    const uint8_t        *data;
    gw_schema_t          *schema;
    gw_schema_format_pt   format;

    (void) kw;

    schema = w->build->schema;

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK
        || gw_schema_literal(w, at, &data, &len) != GW_OK)
    {
        return GW_ERROR;
    }

    if (!w->build->formats) {
        return GW_OK;
    }

    format = gw_schema_format(data, len);
    if (format == NULL) {
        return gw_schema_refuse(w->build, at, "none of the formats "
                                "date-time, uuid, ipv4 and ipv6");
    }

    if (schema->scratch_size < GW_SCHEMA_SCRATCH) {
        schema->scratch_size = GW_SCHEMA_SCRATCH;
    }

    gw_schema_add(w, GW_SCHEMA_FORMAT, 1U << GW_JSON_STRING, at)->u.format
        = format;

    return GW_OK;
}


static int
gw_schema_kw_unique(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_t  *schema;

    (void) kw;

    schema = w->build->schema;

    if (w->build->tape[at].type == GW_JSON_FALSE) {
        return GW_OK;
    }

    if (gw_schema_want(w, at, GW_JSON_TRUE) != GW_OK) {
        return GW_ERROR;
    }

    if (schema->items == NULL) {
        schema->items = gw_schema_alloc(w->build, sizeof(gw_schema_items_t));

        if (schema->items == NULL) {
            return GW_ERROR;
        }
    }

    (void) gw_schema_add(w, GW_SCHEMA_UNIQUE, 1U << GW_JSON_ARRAY, at);

    return GW_OK;
}


static int
gw_schema_kw_contains(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_rule_t      *rule;
    gw_schema_contains_t  *contains;

    (void) kw;

    rule = gw_schema_rule(w->build, at);
    contains = gw_schema_alloc(w->build, sizeof(gw_schema_contains_t));

    if (rule == NULL || contains == NULL) {
        return GW_ERROR;
    }

    contains->rule = rule;
    contains->min = 1;
    contains->max = UINT32_MAX;
    contains->min_at = w->at[KW_MIN_CONTAINS];
    contains->max_at = w->at[KW_MAX_CONTAINS];

    if (contains->min_at
        && gw_schema_unsigned(w, contains->min_at, &contains->min) != GW_OK)
    {
        return GW_ERROR;
    }

    if (contains->max_at
        && gw_schema_unsigned(w, contains->max_at, &contains->max) != GW_OK)
    {
        return GW_ERROR;
    }

    gw_schema_add(w, GW_SCHEMA_CONTAINS, 1U << GW_JSON_ARRAY, at)->u.contains
        = contains;

    return GW_OK;
}


/* of minContains and maxContains: what they are for is in contains */

static int
gw_schema_kw_count(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t  n;

    (void) kw;

    return gw_schema_unsigned(w, at, &n);
}


static int
gw_schema_properties(gw_schema_words_t *w, uint32_t at)
{
    uint32_t               key, last;
    gw_schema_name_t      *name;
    gw_schema_names_t     *names;
    const gw_json_node_t  *tape;

    tape = w->build->tape;
    names = &w->members->names;
    last = tape[at].next;

    for (key = at + 1; key < last; key = tape[key + 1].next) {
        name = &names->names[names->n++];

        if (gw_schema_name_of(w, key, name) != GW_OK) {
            return GW_ERROR;
        }

        name->rule = gw_schema_rule(w->build, key + 1);

        if (name->rule == NULL) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_schema_required(gw_schema_words_t *w, uint32_t at)
{
    uint32_t               value, last, declared;
    gw_schema_name_t      *name, other;
    gw_schema_names_t     *names;
    const gw_json_node_t  *tape;

    tape = w->build->tape;
    names = &w->members->names;
    last = tape[at].next;
    declared = names->n;

    if (declared) {
        (void) gw_schema_names_index(names);
    }

    for (value = at + 1; value < last; value = tape[value].next) {

        memset(&other, 0, sizeof(gw_schema_name_t));

        if (gw_schema_want(w, value, GW_JSON_STRING) != GW_OK
            || gw_schema_name_of(w, value, &other) != GW_OK)
        {
            return GW_ERROR;
        }

        name = declared ? gw_schema_names_find(names, other.data, other.len)
                        : NULL;

        if (name == NULL) {
            name = &names->names[names->n++];
            *name = other;

        } else if (name->flags & GW_SCHEMA_NAME_REQUIRED) {
            return gw_schema_refuse(w->build, value, "a name stands twice");
        }

        name->flags |= GW_SCHEMA_NAME_REQUIRED;
    }

    w->members->nrequired = tape[at].count;
    w->members->required_at = at;

    return GW_OK;
}


static int
gw_schema_pattern_properties(gw_schema_words_t *w, uint32_t at)
{
    uint32_t               key, last;
    gw_schema_members_t   *members;
    gw_schema_matched_t   *matched;
    const gw_json_node_t  *tape;

    tape = w->build->tape;
    members = w->members;
    last = tape[at].next;

    members->patterns = gw_schema_alloc(w->build, tape[at].count
                                        * sizeof(gw_schema_matched_t));
    if (members->patterns == NULL) {
        return GW_ERROR;
    }

    for (key = at + 1; key < last; key = tape[key + 1].next) {
        matched = &members->patterns[members->npatterns++];

        matched->pattern = gw_schema_pattern_of(w, key);
        matched->rule = gw_schema_rule(w->build, key + 1);

        if (matched->pattern == NULL || matched->rule == NULL) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


/* what the four keywords say of the members, in one */

static int
gw_schema_all_members(gw_schema_words_t *w)
{
    uint32_t              properties, required, patterns, n;
    gw_schema_members_t  *members;

    properties = w->at[KW_PROPERTIES];
    required = w->at[KW_REQUIRED];
    patterns = w->at[KW_PATTERN_PROPERTIES];

    members = gw_schema_alloc(w->build, sizeof(gw_schema_members_t));
    if (members == NULL) {
        return GW_ERROR;
    }

    w->members = members;

    if ((properties && gw_schema_want(w, properties, GW_JSON_OBJECT) != GW_OK)
        || (required && gw_schema_want(w, required, GW_JSON_ARRAY) != GW_OK)
        || (patterns && gw_schema_want(w, patterns, GW_JSON_OBJECT) != GW_OK))
    {
        return GW_ERROR;
    }

    n = (properties ? w->build->tape[properties].count : 0U)
        + (required ? w->build->tape[required].count : 0U);

    members->names.names = gw_schema_alloc(w->build,
                                           n * sizeof(gw_schema_name_t));
    members->names.slots = gw_schema_alloc(w->build, gw_schema_names_slots(n)
                                                     * sizeof(uint16_t));

    if (members->names.names == NULL || members->names.slots == NULL
        || (properties && gw_schema_properties(w, properties) != GW_OK)
        || (required && gw_schema_required(w, required) != GW_OK)
        || (patterns && gw_schema_pattern_properties(w, patterns) != GW_OK))
    {
        return GW_ERROR;
    }

    if (gw_schema_names_index(&members->names) != GW_OK) {
        return gw_schema_refuse(w->build, required, "a name stands twice");
    }

    if (w->at[KW_ADDITIONAL_PROPERTIES]) {
        members->additional_at = w->at[KW_ADDITIONAL_PROPERTIES];
        members->additional = gw_schema_rule(w->build,
                                             members->additional_at);

        if (members->additional == NULL) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_schema_kw_members(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_op_t  *op;

    if (w->members == NULL && gw_schema_all_members(w) != GW_OK) {
        return GW_ERROR;
    }

    op = gw_schema_add(w, GW_SCHEMA_MEMBERS, 1U << GW_JSON_OBJECT, at);

    op->u.members = w->members;
    op->flags = kw == KW_PROPERTIES ? GW_SCHEMA_PROPERTIES
              : kw == KW_PATTERN_PROPERTIES ? GW_SCHEMA_PATTERNS
              : kw == KW_REQUIRED ? GW_SCHEMA_REQUIRED
              : GW_SCHEMA_ADDITIONAL;

    return GW_OK;
}


static int
gw_schema_kw_needs(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t               key, last, name;
    const gw_json_node_t  *tape;

    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_OBJECT) != GW_OK) {
        return GW_ERROR;
    }

    tape = w->build->tape;
    last = tape[at].next;

    for (key = at + 1; key < last; key = tape[key + 1].next) {

        if (gw_schema_want(w, key + 1, GW_JSON_ARRAY) != GW_OK) {
            return GW_ERROR;
        }

        for (name = key + 2; name < tape[key + 1].next;
             name = tape[name].next)
        {
            if (gw_schema_want(w, name, GW_JSON_STRING) != GW_OK) {
                return GW_ERROR;
            }
        }
    }

    (void) gw_schema_add(w, GW_SCHEMA_NEEDS, 1U << GW_JSON_OBJECT, at);

    return GW_OK;
}


/* the schemas of an array, or of an object's members */

static int
gw_schema_list(gw_schema_words_t *w, uint32_t at, gw_schema_rules_t *rules)
{
    uint32_t               child, last, step;
    const gw_json_node_t  *tape;

    tape = w->build->tape;
    step = tape[at].type == GW_JSON_OBJECT;
    last = tape[at].next;

    rules->n = 0;
    rules->rules = gw_schema_alloc(w->build, tape[at].count
                                             * sizeof(gw_schema_rule_t *));
    if (rules->rules == NULL) {
        return GW_ERROR;
    }

    for (child = at + 1 + step; child < last; child = tape[child].next + step)
    {
        rules->rules[rules->n] = gw_schema_rule(w->build, child);

        if (rules->rules[rules->n++] == NULL) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_schema_kw_schema_map(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_rules_t  rules;

    if (gw_schema_want(w, at, GW_JSON_OBJECT) != GW_OK
        || gw_schema_list(w, at, &rules) != GW_OK)
    {
        return GW_ERROR;
    }

    if (kw == KW_DEPENDENT_SCHEMAS) {
        gw_schema_add(w, GW_SCHEMA_DEPENDENT, 1U << GW_JSON_OBJECT, at)
            ->u.rules = rules;
    }

    return GW_OK;
}


static int
gw_schema_kw_schemas(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t           types;
    gw_schema_code_e   code;
    gw_schema_rules_t  rules;

    if (gw_schema_want(w, at, GW_JSON_ARRAY) != GW_OK) {
        return GW_ERROR;
    }

    if (w->build->tape[at].count == 0) {
        return gw_schema_refuse(w->build, at, "no schema");
    }

    if (gw_schema_list(w, at, &rules) != GW_OK) {
        return GW_ERROR;
    }

    types = kw == KW_PREFIX_ITEMS ? 1U << GW_JSON_ARRAY : GW_SCHEMA_ANY;
    code = kw == KW_PREFIX_ITEMS ? GW_SCHEMA_PREFIX
         : kw == KW_ALL_OF ? GW_SCHEMA_ALL
         : kw == KW_ANY_OF ? GW_SCHEMA_SOME : GW_SCHEMA_ONE;

    gw_schema_add(w, code, types, at)->u.rules = rules;

    return GW_OK;
}


/* then and else: what they are for is in "if" */

static int
gw_schema_branches(gw_schema_words_t *w, gw_schema_rule_t *condition,
    uint32_t at)
{
    gw_schema_op_t  *op;

    if (!w->at[KW_THEN] && !w->at[KW_ELSE]) {
        return GW_OK;
    }

    op = gw_schema_add(w, GW_SCHEMA_IF, GW_SCHEMA_ANY, at);
    op->u.branch.condition = condition;

    if (w->at[KW_THEN]) {
        op->u.branch.then = gw_schema_rule(w->build, w->at[KW_THEN]);

        if (op->u.branch.then == NULL) {
            return GW_ERROR;
        }
    }

    if (w->at[KW_ELSE]) {
        op->u.branch.otherwise = gw_schema_rule(w->build, w->at[KW_ELSE]);

        if (op->u.branch.otherwise == NULL) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static int
gw_schema_kw_subschema(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    gw_schema_op_t    *op;
    gw_schema_rule_t  *rule;

    rule = gw_schema_rule(w->build, at);
    if (rule == NULL) {
        return GW_ERROR;
    }

    switch (kw) {

    case KW_IF:
        return gw_schema_branches(w, rule, at);

    case KW_NOT:
        op = gw_schema_add(w, GW_SCHEMA_NOT, GW_SCHEMA_ANY, at);
        break;

    case KW_PROPERTY_NAMES:
        op = gw_schema_add(w, GW_SCHEMA_NAMES, 1U << GW_JSON_OBJECT, at);
        break;

    case KW_ITEMS:
        op = gw_schema_add(w, GW_SCHEMA_ITEMS, 1U << GW_JSON_ARRAY, at);

        if (w->at[KW_PREFIX_ITEMS]) {
            op->skip = w->build->tape[w->at[KW_PREFIX_ITEMS]].count;
        }

        break;

    default: /* then, else */
        return GW_OK;
    }

    op->u.rule = rule;

    return GW_OK;
}


static int
gw_schema_kw_ref(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK) {
        return GW_ERROR;
    }

    (void) gw_schema_add(w, GW_SCHEMA_REF, GW_SCHEMA_ANY, at);

    return GW_OK;
}


static int
gw_schema_kw_anchor(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    uint32_t             i, len;
    const uint8_t       *p;
    gw_schema_anchor_t  *anchor, *other;

    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK
        || gw_schema_literal(w, at, &p, &len) != GW_OK)
    {
        return GW_ERROR;
    }

    for (i = 0; i < len; i++) {
        if (!(((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') || p[i] == '_'
              || (i && ((p[i] >= '0' && p[i] <= '9') || p[i] == '-'
                        || p[i] == '.'))))
        {
            break;
        }
    }

    if (len == 0 || i < len) {
        return gw_schema_refuse(w->build, at, "not the name of an anchor");
    }

    for (other = w->build->anchors; other; other = other->next) {

        if (gw_schema_string_equal(gw_schema_string(w->build->text,
                                       &w->build->tape[at]),
                                   gw_schema_string(w->build->text,
                                       &w->build->tape[other->at])))
        {
            return gw_schema_refuse(w->build, at, "an anchor stands twice");
        }
    }

    anchor = gw_schema_alloc(w->build, sizeof(gw_schema_anchor_t));
    if (anchor == NULL) {
        return GW_ERROR;
    }

    anchor->at = at;
    anchor->rule = w->rule;
    anchor->next = w->build->anchors;
    w->build->anchors = anchor;

    return GW_OK;
}


static int
gw_schema_kw_id(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    (void) kw;

    if (w->rule->at != 0) {
        return gw_schema_refuse(w->build, at, "not supported inside of a "
                                "schema");
    }

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK) {
        return GW_ERROR;
    }

    w->build->id = at;

    return GW_OK;
}


static int
gw_schema_kw_dialect(gw_schema_words_t *w, gw_schema_kw_e kw, uint32_t at)
{
    (void) kw;

    if (gw_schema_want(w, at, GW_JSON_STRING) != GW_OK) {
        return GW_ERROR;
    }

    if (!gw_schema_is(w, at, "https://json-schema.org/draft/2020-12/schema")
        && !gw_schema_is(w, at,
                         "https://json-schema.org/draft/2020-12/schema#"))
    {
        return gw_schema_refuse(w->build, at, "not draft 2020-12");
    }

    return GW_OK;
}
