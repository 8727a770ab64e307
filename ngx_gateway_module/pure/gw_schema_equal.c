/*
 * gw_schema_equal.c - see gw_schema_equal.h.
 */

#include "gw_schema_equal.h"
#include "gw_schema_number.h"
#include "gw_schema_string.h"


#define GW_SCHEMA_PAIRS  8     /* items up to which each is compared with all */
#define GW_SCHEMA_MIX    0x9e3779b97f4a7c15ULL


static int gw_schema_equal_arrays(gw_schema_value_t a, gw_schema_value_t b,
    int32_t *steps);
static int gw_schema_equal_objects(gw_schema_value_t a, gw_schema_value_t b,
    int32_t *steps);


static const gw_json_node_t *
gw_schema_node(const gw_schema_value_t *v)
{
    return &v->tape[v->at];
}


static gw_schema_string_t
gw_schema_text(const gw_schema_value_t *v)
{
    return gw_schema_string(v->doc, gw_schema_node(v));
}


static void
gw_schema_decimal(const gw_schema_value_t *v, gw_schema_number_t *number)
{
    gw_schema_number(number, v->doc + gw_schema_node(v)->off,
                     gw_schema_node(v)->len);
}


int
gw_schema_equal(gw_schema_value_t a, gw_schema_value_t b, int32_t *steps)
{
    gw_schema_number_t     x, y;
    const gw_json_node_t  *m, *n;

    m = gw_schema_node(&a);
    n = gw_schema_node(&b);

    *steps -= 1;

    if (*steps < 0) {
        return GW_BUSY;
    }

    if (m->type != n->type) {
        return GW_DECLINED;
    }

    switch (m->type) {

    case GW_JSON_NUMBER:
        *steps -= (int32_t) ((m->len + n->len) >> 6);
        gw_schema_decimal(&a, &x);
        gw_schema_decimal(&b, &y);
        return gw_schema_number_compare(&x, &y) == 0 ? GW_OK : GW_DECLINED;

    case GW_JSON_STRING:
        *steps -= (int32_t) ((m->len < n->len ? m->len : n->len) >> 6);
        return gw_schema_string_equal(gw_schema_text(&a), gw_schema_text(&b))
               ? GW_OK : GW_DECLINED;

    case GW_JSON_ARRAY:
        return gw_schema_equal_arrays(a, b, steps);

    case GW_JSON_OBJECT:
        return gw_schema_equal_objects(a, b, steps);

    default:
        return GW_OK;
    }
}


static int
gw_schema_equal_arrays(gw_schema_value_t a, gw_schema_value_t b,
    int32_t *steps)
{
    int       rc;
    uint32_t  n;

    n = gw_schema_node(&a)->count;

    if (n != gw_schema_node(&b)->count) {
        return GW_DECLINED;
    }

    a.at++;
    b.at++;

    for ( /* void */ ; n; n--) {
        rc = gw_schema_equal(a, b, steps);

        if (rc != GW_OK) {
            return rc;
        }

        a.at = gw_schema_node(&a)->next;
        b.at = gw_schema_node(&b)->next;
    }

    return GW_OK;
}


static int
gw_schema_equal_objects(gw_schema_value_t a, gw_schema_value_t b,
    int32_t *steps)
{
    int                 rc;
    uint32_t            n, count, tried, first, last;
    gw_schema_string_t  name;

    count = gw_schema_node(&a)->count;

    if (count != gw_schema_node(&b)->count) {
        return GW_DECLINED;
    }

    /* b is searched from the last match on, as a rule the order is the same */

    a.at++;
    first = b.at + 1;
    last = gw_schema_node(&b)->next;
    b.at = first;

    for (n = 0; n < count; n++) {
        name = gw_schema_text(&a);

        for (tried = 0; tried < count; tried++) {

            if (b.at == last) {
                b.at = first;
            }

            *steps -= 1;

            if (*steps < 0) {
                return GW_BUSY;
            }

            if (gw_schema_string_equal(name, gw_schema_text(&b))) {
                break;
            }

            b.at = b.tape[b.at + 1].next;
        }

        if (tried == count) {
            return GW_DECLINED;
        }

        a.at++;
        b.at++;

        rc = gw_schema_equal(a, b, steps);

        if (rc != GW_OK) {
            return rc;
        }

        a.at = gw_schema_node(&a)->next;
        b.at = gw_schema_node(&b)->next;
    }

    return GW_OK;
}


static uint64_t
gw_schema_mix(uint64_t h)
{
    h *= GW_SCHEMA_MIX;

    return h ^ h >> 32;
}


/* equal values have one hash; v is moved behind the value */

static uint64_t
gw_schema_hash(gw_schema_value_t *v, int32_t *steps)
{
    uint32_t               n;
    uint64_t               h, name;
    gw_schema_number_t     number;
    const gw_json_node_t  *node;

    node = gw_schema_node(v);
    h = node->type;

    *steps -= (int32_t) (1 + (node->type < GW_JSON_ARRAY ? node->len >> 6
                                                         : 0));

    switch (node->type) {

    case GW_JSON_NUMBER:
        gw_schema_decimal(v, &number);
        h += gw_schema_number_hash(&number);
        break;

    case GW_JSON_STRING:
        h += gw_schema_string_hash(gw_schema_text(v));
        break;

    case GW_JSON_ARRAY:
        v->at++;

        for (n = node->count; n; n--) {
            h = gw_schema_mix(h) + gw_schema_hash(v, steps);
        }

        return gw_schema_mix(h);

    case GW_JSON_OBJECT:
        v->at++;

        for (n = node->count; n; n--) {
            name = gw_schema_string_hash(gw_schema_text(v));
            v->at++;
            h += gw_schema_mix(gw_schema_mix(name) + gw_schema_hash(v, steps));
        }

        return gw_schema_mix(h);

    default:
        break;
    }

    v->at = node->next;

    return gw_schema_mix(h);
}


int
gw_schema_unique(gw_schema_value_t array, gw_schema_items_t *items,
    int32_t *steps)
{
    int                rc;
    uint32_t           i, k, n, size, hash;
    uint32_t          *head;
    gw_schema_value_t  v, other;

    n = gw_schema_node(&array)->count;
    v = array;
    v.at++;

    for (size = GW_SCHEMA_PAIRS; size < n; size *= 2) { /* void */ }

    if (n > GW_SCHEMA_PAIRS) {
        memset(items->head, 0, size * sizeof(uint32_t));
    }

    other = array;

    for (i = 0; i < n; i++) {

        /* pairs: one list of all items, with hashes that are equal */

        hash = 0;
        items->at[i] = v.at;

        if (n > GW_SCHEMA_PAIRS) {
            hash = (uint32_t) gw_schema_hash(&v, steps);

        } else {
            v.at = gw_schema_node(&v)->next;
        }

        if (*steps < 0) {
            return GW_BUSY;
        }

        items->hash[i] = hash;
        head = &items->head[hash & (size - 1)];

        if (n <= GW_SCHEMA_PAIRS && i == 0) {
            *head = 0;
        }

        for (k = *head; k; k = items->next[k - 1]) {
            *steps -= 1;

            if (items->hash[k - 1] != hash) {
                continue;
            }

            other.at = items->at[k - 1];
            rc = gw_schema_equal(other, (gw_schema_value_t) {
                                     array.doc, array.tape, items->at[i] },
                                 steps);

            if (rc != GW_DECLINED) {
                return rc == GW_OK ? GW_DECLINED : rc;
            }
        }

        if (*steps < 0) {
            return GW_BUSY;
        }

        items->next[i] = *head;
        *head = i + 1;
    }

    return GW_OK;
}
