/*
 * gw_schema_ref.c - $ref: where it leads, and that it ends.  A reference that
 * leads nowhere, or round in a circle, is found when the configuration is
 * read, not by the first message.
 */

#include <stdlib.h>

#include "gw_schema_build.h"


#define GW_SCHEMA_VISITED  UINT32_MAX


static int
gw_schema_nibble(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0'
         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
         : -1;
}


/* RFC 3986, section 2.1, in place; GW_ERROR: it is malformed */

static int
gw_schema_percent(uint8_t *p, size_t *len)
{
    int      high, low;
    size_t   i, n;

    n = 0;

    for (i = 0; i < *len; i++) {

        if (p[i] != '%') {
            p[n++] = p[i];
            continue;
        }

        if (*len - i < 3) {
            return GW_ERROR;
        }

        high = gw_schema_nibble(p[i + 1]);
        low = gw_schema_nibble(p[i + 2]);

        if (high < 0 || low < 0) {
            return GW_ERROR;
        }

        p[n++] = (uint8_t) (high << 4 | low);
        i += 2;
    }

    *len = n;

    return GW_OK;
}


/* a token of a pointer is p[0 .. *used); to its text in place */

static int
gw_schema_token(uint8_t *p, size_t len, size_t *used, gw_schema_string_t *s)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len && p[i] != '/'; i++) {

        if (p[i] != '~') {
            p[n++] = p[i];
            continue;
        }

        if (++i == len || (p[i] != '0' && p[i] != '1')) {
            return GW_ERROR;
        }

        p[n++] = p[i] == '0' ? '~' : '/';
    }

    *used = i;
    s->data = p;
    s->len = (uint32_t) n;
    s->escaped = 0;

    return GW_OK;
}


/* the child of at with this name or index; 0: there is none */

static uint32_t
gw_schema_child(const gw_schema_build_t *build, uint32_t at,
    const gw_schema_string_t *token)
{
    uint32_t               i, n, child;
    const gw_json_node_t  *tape;

    tape = build->tape;
    child = at + 1;

    if (tape[at].type == GW_JSON_OBJECT) {

        for ( /* void */ ; child < tape[at].next;
             child = tape[child + 1].next)
        {
            if (gw_schema_string_equal(gw_schema_string(build->text,
                                                        &tape[child]),
                                       *token))
            {
                return child + 1;
            }
        }

        return 0;
    }

    if (tape[at].type != GW_JSON_ARRAY || token->len == 0 || token->len > 5
        || (token->len > 1 && token->data[0] == '0'))
    {
        return 0;
    }

    for (i = 0, n = 0; i < token->len; i++) {

        if (token->data[i] < '0' || token->data[i] > '9') {
            return 0;
        }

        n = n * 10 + (token->data[i] - '0');
    }

    for ( /* void */ ; child < tape[at].next; child = tape[child].next) {
        if (n-- == 0) {
            return child;
        }
    }

    return 0;
}


/* the rule at a pointer that begins with "/" */

static gw_schema_rule_t *
gw_schema_pointed(const gw_schema_build_t *build, uint8_t *p, size_t len)
{
    size_t              used;
    uint32_t            at;
    gw_schema_string_t  token;

    at = 0;

    while (len) {
        p++;
        len--;

        if (gw_schema_token(p, len, &used, &token) != GW_OK) {
            return NULL;
        }

        at = gw_schema_child(build, at, &token);

        if (at == 0) {
            return NULL;
        }

        p += used;
        len -= used;
    }

    return build->rule_at[at];
}


static gw_schema_rule_t *
gw_schema_anchored(const gw_schema_build_t *build, const uint8_t *p,
    size_t len)
{
    gw_schema_string_t   name;
    gw_schema_anchor_t  *anchor;

    name.data = p;
    name.len = (uint32_t) len;
    name.escaped = 0;

    for (anchor = build->anchors; anchor; anchor = anchor->next) {

        if (gw_schema_string_equal(gw_schema_string(build->text,
                                                    &build->tape[anchor->at]),
                                   name))
        {
            return anchor->rule;
        }
    }

    return NULL;
}


/* behind the schema's own $id, when the reference begins with it */

static size_t
gw_schema_own(const gw_schema_build_t *build, const uint8_t *p, size_t len)
{
    size_t               n, k;
    uint8_t              utf8[4];
    uint32_t             c;
    gw_schema_string_t   id;

    if (build->id == 0) {
        return 0;
    }

    id = gw_schema_string(build->text, &build->tape[build->id]);

    for (n = 0; id.len; /* void */ ) {
        c = gw_schema_char(&id);

        if (c == '#') {
            break;
        }

        k = gw_schema_utf8(c, utf8);

        if (len - n < k || memcmp(p + n, utf8, k) != 0) {
            return 0;
        }

        n += k;
    }

    return n == len || p[n] == '#' ? n : 0;
}


static int
gw_schema_resolve(gw_schema_build_t *build, gw_schema_op_t *op)
{
    size_t                 len, own;
    uint8_t               *copy, *p;
    gw_schema_rule_t      *rule;
    const gw_json_node_t  *node;

    node = &build->tape[op->at];

    copy = malloc(node->len + 1);
    if (copy == NULL) {
        return gw_schema_refuse(build, op->at, "no memory");
    }

    len = gw_json_unescape(build->text, node, copy);
    own = gw_schema_own(build, copy, len);
    p = copy + own;
    len -= own;

    if (len && *p != '#') {
        free(copy);
        return gw_schema_refuse(build, op->at, "leads out of the schema: not "
                                "supported");
    }

    rule = NULL;

    if (len) {
        p++;
        len--;
    }

    if (gw_schema_percent(p, &len) == GW_OK) {
        rule = len == 0 ? build->schema->root
             : *p == '/' ? gw_schema_pointed(build, p, len)
                         : gw_schema_anchored(build, p, len);
    }

    free(copy);

    if (rule == NULL) {
        return gw_schema_refuse(build, op->at, "leads to no schema");
    }

    op->u.rule = rule;

    return GW_OK;
}


int
gw_schema_refs(gw_schema_build_t *build)
{
    gw_schema_op_t    *op;
    gw_schema_rule_t  *rule;

    for (rule = build->schema->rules; rule; rule = rule->next) {

        for (op = rule->ops; op->code != GW_SCHEMA_END; op++) {

            if (op->code == GW_SCHEMA_REF
                && gw_schema_resolve(build, op) != GW_OK)
            {
                return GW_ERROR;
            }
        }
    }

    return GW_OK;
}


static int gw_schema_climb(gw_schema_build_t *build, gw_schema_rule_t *rule,
    uint32_t at, uint32_t depth);


/* rule is applied to the value that the rule of "at" is applied to */

static int
gw_schema_above(gw_schema_build_t *build, gw_schema_rule_t *rule,
    uint32_t at, uint32_t *height, uint32_t depth)
{
    if (rule == NULL) {
        return GW_OK;
    }

    if (gw_schema_climb(build, rule, at, depth + 1) != GW_OK) {
        return GW_ERROR;
    }

    if (*height < rule->height + 1) {
        *height = rule->height + 1;
    }

    if (*height > GW_SCHEMA_DEPTH) {
        return gw_schema_refuse(build, at, "more than %d schemas for one "
                                "value inside each other", GW_SCHEMA_DEPTH);
    }

    return GW_OK;
}


static int
gw_schema_climb(gw_schema_build_t *build, gw_schema_rule_t *rule, uint32_t at,
    uint32_t depth)
{
    uint32_t         i, height;
    gw_schema_op_t  *op;

    if (rule->height == GW_SCHEMA_VISITED) {
        return gw_schema_refuse(build, at, "leads back to itself");
    }

    if (rule->height) {
        return GW_OK;
    }

    if (depth > GW_SCHEMA_DEPTH) {
        return gw_schema_refuse(build, at, "more than %d schemas for one "
                                "value inside each other", GW_SCHEMA_DEPTH);
    }

    rule->height = GW_SCHEMA_VISITED;
    height = 1;

    for (op = rule->ops; op->code != GW_SCHEMA_END; op++) {

        switch (op->code) {

        case GW_SCHEMA_REF:
        case GW_SCHEMA_NOT:
            if (gw_schema_above(build, op->u.rule, op->at, &height,
                                depth)
                != GW_OK)
            {
                return GW_ERROR;
            }

            break;

        case GW_SCHEMA_ALL:
        case GW_SCHEMA_SOME:
        case GW_SCHEMA_ONE:
        case GW_SCHEMA_DEPENDENT:
            for (i = 0; i < op->u.rules.n; i++) {
                if (gw_schema_above(build, op->u.rules.rules[i], op->at,
                                    &height, depth)
                    != GW_OK)
                {
                    return GW_ERROR;
                }
            }

            break;

        case GW_SCHEMA_IF:
            if (gw_schema_above(build, op->u.branch.condition, op->at,
                                &height, depth)
                != GW_OK
                || gw_schema_above(build, op->u.branch.then, op->at,
                                   &height, depth)
                   != GW_OK
                || gw_schema_above(build, op->u.branch.otherwise,
                                   op->at, &height, depth)
                   != GW_OK)
            {
                return GW_ERROR;
            }

            break;

        default:
            break;
        }
    }

    rule->height = height;

    return GW_OK;
}


int
gw_schema_heights(gw_schema_build_t *build)
{
    gw_schema_rule_t  *rule;

    for (rule = build->schema->rules; rule; rule = rule->next) {

        if (gw_schema_climb(build, rule, rule->at, 0) != GW_OK) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}
