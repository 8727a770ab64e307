/*
 * Fuzz target: the scanner, with jansson as the second opinion.  Unseen
 * breakage would be a document that the next reader in line understands
 * differently, a tape that names the wrong bytes, a limit that can be passed,
 * or a read behind the input.
 *
 * The input is the document.  It is parsed with limits so wide that only the
 * language decides, and with narrow ones; of what the wide scanner accepts,
 * the narrow one must refuse exactly what is above a limit.
 *
 * Where the two readers differ, one line of the table of differences must say
 * why; "--differences" prints the table.  A difference without a line is a
 * broken promise.
 */

#include <errno.h>
#include <jansson.h>

#include "fuzz.h"
#include "gw_json.h"


#define INPUT_MAX   4096
#define NUMBER_MAX  1024


typedef struct {
    const uint8_t  *p;
    size_t          len;
    gw_json_t      *j;            /* wide, after its parse */
    json_t         *tree;         /* NULL: jansson refused */
    json_error_t    why;
} second_t;


typedef struct {
    const char  *name;
    const char  *explanation;
    int        (*holds)(const second_t *s);
} difference_t;


static int long_integer(const second_t *s);
static int large_real(const second_t *s);
static int nul_in_key(const second_t *s);
static int nul_behind_word(const second_t *s);


/* what the scanner accepts and jansson does not */

static const difference_t  accepted[] = {
    { "integer-beyond-int64",
      "jansson holds an integer in 64 bits and refuses a longer one; the\n"
      "    scanner converts no number, its bytes are passed on as sent",
      long_integer },
    { "real-beyond-double",
      "jansson refuses a real that a double cannot hold (1e999); RFC 8259\n"
      "    section 6 sets no range and the scanner converts no number",
      large_real },
    { "nul-in-key",
      "jansson holds a key as a C string and refuses \\u0000 in it; in RFC\n"
      "    8259 section 7 it is a character like others",
      nul_in_key }
};


/* what jansson accepts and the scanner does not */

static const difference_t  refused[] = {
    { "nul-behind-word",
      "jansson swallows one raw NUL behind a number or a literal: it puts\n"
      "    the byte back into a buffer that a NUL terminates; the NUL is no\n"
      "    white space (RFC 8259 section 2) and the scanner refuses it",
      nul_behind_word }
};


static const gw_json_limits_t  wide_limits = {
    INPUT_MAX, INPUT_MAX, 2000, INPUT_MAX, INPUT_MAX, INPUT_MAX
};

static const gw_json_limits_t  narrow_limits = {
    1024, 200, 32, 40, 100, 24
};

static gw_json_t  wide, narrow;


static void
number(const second_t *s, const gw_json_node_t *node, char *text)
{
    size_t  len;

    len = node->len < NUMBER_MAX ? node->len : NUMBER_MAX - 1;
    memcpy(text, s->p + node->off, len);
    text[len] = '\0';
}


static int
is_long(const second_t *s, const gw_json_node_t *node)
{
    char  text[NUMBER_MAX];

    if (node->type != GW_JSON_NUMBER || !(node->flags & GW_JSON_F_INT)) {
        return 0;
    }

    number(s, node, text);
    errno = 0;
    (void) strtoll(text, NULL, 10);

    return errno == ERANGE;
}


static int
is_large(const second_t *s, const gw_json_node_t *node)
{
    char    text[NUMBER_MAX];
    double  d;

    if (node->type != GW_JSON_NUMBER || (node->flags & GW_JSON_F_INT)) {
        return 0;
    }

    number(s, node, text);
    d = strtod(text, NULL);

    return d > 1.7976931348623157e308 || d < -1.7976931348623157e308;
}


static int
is_nul_key(const second_t *s, const gw_json_node_t *node)
{
    int      found;
    size_t   len;
    uint8_t  *key;

    if (node->type != GW_JSON_STRING || !(node->flags & GW_JSON_F_KEY)) {
        return 0;
    }

    key = malloc(node->len + 1);
    if (key == NULL) {
        abort();
    }

    len = gw_json_unescape(s->p, node, key);
    found = memchr(key, '\0', len) != NULL;
    free(key);

    return found;
}


static int
any(const second_t *s, int (*is)(const second_t *, const gw_json_node_t *))
{
    uint32_t  i;

    for (i = 0; i < s->j->n; i++) {
        if (is(s, &s->j->tape[i])) {
            return 1;
        }
    }

    return 0;
}


static int
long_integer(const second_t *s)
{
    return json_error_code(&s->why) == json_error_numeric_overflow
           && any(s, is_long);
}


static int
large_real(const second_t *s)
{
    return json_error_code(&s->why) == json_error_numeric_overflow
           && any(s, is_large);
}


static int
nul_in_key(const second_t *s)
{
    return json_error_code(&s->why) == json_error_null_byte_in_key
           && any(s, is_nul_key);
}


static int
nul_behind_word(const second_t *s)
{
    size_t   at;
    uint8_t  c;

    at = s->j->error_off;

    if (s->j->error != GW_JSON_E_CONTROL || at == 0 || at >= s->len
        || s->p[at] != '\0')
    {
        return 0;
    }

    c = s->p[at - 1];

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}


static const difference_t *
explain(const difference_t *table, size_t n, const second_t *s)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (table[i].holds(s)) {
            return &table[i];
        }
    }

    return NULL;
}


static void
print(const char *title, const difference_t *table, size_t n)
{
    size_t  i;

    printf("%s\n", title);

    for (i = 0; i < n; i++) {
        printf("  %s\n    %s\n", table[i].name, table[i].explanation);
    }
}


/* with the input's own seed of the key hash: no seed may change a verdict */

static void
start(gw_json_t *j, const gw_json_limits_t *limits, uint64_t seed)
{
    void  *arena;

    arena = malloc(gw_json_arena_size(limits));

    if (arena == NULL || gw_json_init(j, limits, arena, seed) != GW_OK) {
        abort();
    }
}


/* tape and tree are one document; returns what stands behind the value */

static uint32_t
walk(const second_t *s, uint32_t i, json_t *value)
{
    char                   text[NUMBER_MAX];
    size_t                 n, len;
    double                 d;
    uint8_t               *dst;
    uint32_t               next;
    const char            *key;
    json_t                *member;
    void                  *iter;
    const gw_json_node_t  *node;

    fuzz_promise(i < s->j->n, "the tape ends at %u", i);

    node = &s->j->tape[i];

    fuzz_promise((size_t) node->off + node->len <= s->len,
                 "node %u is not in the input", i);

    next = i + 1;

    switch (node->type) {

    case GW_JSON_NULL:
        fuzz_promise(json_is_null(value), "node %u: null", i);
        break;

    case GW_JSON_FALSE:
        fuzz_promise(json_is_false(value), "node %u: false", i);
        break;

    case GW_JSON_TRUE:
        fuzz_promise(json_is_true(value), "node %u: true", i);
        break;

    case GW_JSON_NUMBER:
        if (node->len >= NUMBER_MAX) {
            break;
        }

        number(s, node, text);
        fuzz_promise(!(node->flags & GW_JSON_F_NEG) == (text[0] != '-'),
                     "node %u: sign of %s", i, text);

        if (node->flags & GW_JSON_F_INT) {
            fuzz_promise(json_is_integer(value)
                         && json_integer_value(value)
                            == strtoll(text, NULL, 10),
                         "node %u: integer %s", i, text);
            break;
        }

        d = strtod(text, NULL);
        fuzz_promise(json_is_real(value) && json_real_value(value) == d,
                     "node %u: real %s", i, text);
        break;

    case GW_JSON_STRING:
        dst = malloc(node->len ? node->len : 1);
        if (dst == NULL) {
            abort();
        }

        len = gw_json_unescape(s->p, node, dst);
        fuzz_promise(json_is_string(value)
                     && json_string_length(value) == len
                     && memcmp(json_string_value(value), dst, len) == 0,
                     "node %u: a string", i);
        fuzz_promise(!(node->flags & GW_JSON_F_ESCAPED)
                     == (memchr(s->p + node->off, '\\', node->len) == NULL),
                     "node %u: escaped or not", i);
        free(dst);
        break;

    case GW_JSON_ARRAY:
        fuzz_promise(json_is_array(value) && json_array_size(value)
                     == node->count, "node %u: an array", i);

        for (n = 0; n < node->count; n++) {
            next = walk(s, next, json_array_get(value, n));
        }

        break;

    case GW_JSON_OBJECT:
        fuzz_promise(json_is_object(value) && json_object_size(value)
                     == node->count, "node %u: an object", i);

        iter = json_object_iter(value);

        for (n = 0; n < node->count; n++) {
            key = json_object_iter_key(iter);
            len = json_object_iter_key_len(iter);

            fuzz_promise(next < s->j->n
                         && (s->j->tape[next].flags & GW_JSON_F_KEY),
                         "node %u: no key", next);

            member = json_stringn_nocheck(key, len);
            next = walk(s, next, member);
            json_decref(member);

            next = walk(s, next, json_object_iter_value(iter));
            iter = json_object_iter_next(value, iter);
        }

        break;

    default:
        fuzz_broken("node %u has type %u", i, node->type);
    }

    fuzz_promise(node->next == next, "node %u: next is %u, not %u", i,
                 node->next, next);

    if (node->type >= GW_JSON_ARRAY) {
        len = 0;

        for (n = node->off; n < node->off + node->len; n++) {
            len += s->p[n] == '\n' || s->p[n] == '\r';
        }

        fuzz_promise(!(node->flags & GW_JSON_F_NL) == (len == 0),
                     "node %u: raw line ends", i);
    }

    return next;
}


/*
 * The document with numbers that jansson can hold in the place of those that
 * it cannot, so that what stands around them is compared all the same.
 */

static fuzz_copy_t
tamed(const second_t *s)
{
    uint32_t               i;
    fuzz_copy_t            copy;
    const gw_json_node_t  *node;

    copy = fuzz_copy(s->p, s->len);

    for (i = 0; i < s->j->n; i++) {
        node = &s->j->tape[i];

        if (is_long(s, node) || is_large(s, node)) {
            memset(copy.data + node->off, ' ', node->len);
            copy.data[node->off] = '0';
        }
    }

    return copy;
}


static json_t *
load(const uint8_t *p, size_t len, json_error_t *why)
{
    return json_loadb((const char *) p, len,
                      JSON_DECODE_ANY|JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL,
                      why);
}


static void
against_jansson(second_t *s, int rc)
{
    int                  rc2;
    second_t             tame;
    fuzz_copy_t          copy;
    const difference_t  *why;

    s->tree = load(s->p, s->len, &s->why);

    if (rc == GW_OK && s->tree == NULL) {
        why = explain(accepted, sizeof(accepted) / sizeof(accepted[0]), s);

        fuzz_promise(why != NULL, "accepted, but jansson says: %s at %d",
                     s->why.text, s->why.position);

        if (why->holds == nul_in_key) {
            return;
        }

        copy = tamed(s);
        tame = *s;
        tame.p = copy.data;
        tame.j = &wide;

        start(&wide, &wide_limits, 1);
        rc2 = gw_json_parse(&wide, tame.p, tame.len);
        tame.tree = load(tame.p, tame.len, &tame.why);

        fuzz_promise(rc2 == GW_OK, "refused with shorter numbers");

        if (tame.tree) {
            (void) walk(&tame, 0, tame.tree);

        } else {
            fuzz_promise(nul_in_key(&tame), "%s: jansson says %s", why->name,
                         tame.why.text);
        }

        json_decref(tame.tree);
        free(wide.tape);
        fuzz_free(&copy);

    } else if (rc == GW_OK) {
        fuzz_promise(walk(s, 0, s->tree) == s->j->n,
                     "the tape goes on behind the document");

    } else if (s->tree) {
        why = explain(refused, sizeof(refused) / sizeof(refused[0]), s);

        fuzz_promise(why != NULL, "jansson accepts it, the scanner says: %s "
                     "at %zu", gw_json_strerror(s->j->error),
                     s->j->error_off);
    }

    json_decref(s->tree);
}


/* the deepest container inside each other */

static uint32_t
depth(const gw_json_t *j)
{
    uint32_t  i, n, max, ends[2000];

    n = 0;
    max = 0;

    for (i = 0; i < j->n; i++) {

        while (n && ends[n - 1] <= i) {
            n--;
        }

        if (j->tape[i].type >= GW_JSON_ARRAY) {
            ends[n++] = j->tape[i].next;
            max = n > max ? n : max;
        }
    }

    return max;
}


static void
against_limits(const second_t *s, int rc)
{
    int                       rc2;
    uint32_t                  i, keys, string, longest;
    gw_json_error_e           error;
    const gw_json_t          *j;
    const gw_json_node_t     *node;
    const gw_json_limits_t   *l;

    j = s->j;
    l = &narrow_limits;

    rc2 = gw_json_parse(&narrow, s->p, s->len);
    error = narrow.error;

    fuzz_promise(narrow.error_off <= s->len, "the error is behind the input");

    if (rc != GW_OK) {
        fuzz_promise(rc2 != GW_OK, "only the narrow limits accept it");
        return;
    }

    keys = 0;
    string = 0;
    longest = 0;

    for (i = 0; i < j->n; i++) {
        node = &j->tape[i];

        if (node->type == GW_JSON_OBJECT && node->count > keys) {
            keys = node->count;
        }

        if (node->type == GW_JSON_STRING && node->len > string) {
            string = node->len;
        }

        if (node->type == GW_JSON_NUMBER && node->len > longest) {
            longest = node->len;
        }
    }

    if (rc2 == GW_OK) {
        fuzz_promise(s->len <= l->max_bytes && j->n <= l->max_nodes
                     && depth(j) <= l->max_depth && keys <= l->max_keys
                     && string <= l->max_string && longest <= l->max_number,
                     "a limit was passed");
        fuzz_promise(narrow.n == j->n
                     && memcmp(narrow.tape, j->tape, j->n * sizeof(*node))
                        == 0,
                     "limits change the tape");
        return;
    }

    fuzz_promise((error == GW_JSON_E_BYTES && s->len > l->max_bytes)
                 || (error == GW_JSON_E_NODES && j->n > l->max_nodes)
                 || (error == GW_JSON_E_DEPTH && depth(j) > l->max_depth)
                 || (error == GW_JSON_E_KEYS && keys > l->max_keys)
                 || (error == GW_JSON_E_STRING && string > l->max_string)
                 || (error == GW_JSON_E_LONG_NUMBER
                     && longest > l->max_number),
                 "within the limits, and yet: %s", gw_json_strerror(error));
}


/* the parse that stops behind the value; white space behind changes nothing */

static void
other_ends(const second_t *s, int rc)
{
    size_t        consumed, end;
    uint8_t      *padded;
    gw_json_t     j;
    fuzz_copy_t   copy;

    start(&j, &wide_limits, s->len);

    end = s->len;

    if (rc == GW_OK) {
        while (end && strchr(" \t\r\n", s->p[end - 1])) {
            end--;
        }

        consumed = 0;
        fuzz_promise(gw_json_parse_value(&j, s->p, s->len, &consumed)
                     == GW_OK && consumed == end,
                     "the value ends at %zu, not %zu", consumed, end);

        copy = fuzz_copy(s->p, end);
        fuzz_promise(gw_json_parse(&j, copy.data, copy.len) == GW_OK
                     && j.n == s->j->n
                     && memcmp(j.tape, s->j->tape,
                               j.n * sizeof(gw_json_node_t)) == 0,
                     "white space behind decides");
        fuzz_free(&copy);
    }

    /* a bracket at the very end lets another part of the code read it */

    padded = malloc(s->len + 3);
    if (padded == NULL) {
        abort();
    }

    memcpy(padded, s->p, s->len);
    memset(padded + s->len, ' ', 3);

    fuzz_promise((gw_json_parse(&j, padded, s->len + 3) == GW_OK)
                 == (rc == GW_OK), "three spaces behind decide");

    free(padded);
    free(j.tape);
}


static void
elements(const second_t *s, int rc)
{
    int               rc2;
    uint32_t          i, k, n;
    gw_json_t         j;
    gw_json_items_t   it;

    if (gw_json_peek(s->p, s->len) != '[') {
        return;
    }

    start(&j, &wide_limits, s->len + 1);
    gw_json_items_init(&it, s->p, s->len);

    n = 0;
    i = 1;

    while ((rc2 = gw_json_items_next(&it, &j)) == GW_OK) {

        fuzz_promise(it.index == n, "element %u is called %u", n, it.index);
        n++;

        if (rc != GW_OK) {
            continue;
        }

        fuzz_promise(i + j.n <= s->j->n, "more elements than there are");

        for (k = 0; k < j.n; k++) {
            fuzz_promise(it.base + j.tape[k].off
                         == s->p + s->j->tape[i + k].off
                         && j.tape[k].len == s->j->tape[i + k].len
                         && j.tape[k].type == s->j->tape[i + k].type
                         && j.tape[k].flags == s->j->tape[i + k].flags,
                         "element %u, node %u", n, k);
        }

        i += j.n;
    }

    if (rc == GW_OK) {
        fuzz_promise(rc2 == GW_DONE && n == s->j->tape[0].count
                     && i == s->j->n, "%u of %u elements", n,
                     s->j->tape[0].count);

    } else {
        fuzz_promise(rc2 == GW_ERROR && j.error != GW_JSON_E_NONE
                     && j.error_off <= s->len,
                     "a batch that is no JSON ends with %d", rc2);
    }

    free(j.tape);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int  i;

    json_object_seed(1);

    for (i = 1; i < *argc; i++) {

        if (strcmp((*argv)[i], "--differences") == 0) {
            print("The scanner accepts, jansson refuses:", accepted,
                  sizeof(accepted) / sizeof(accepted[0]));
            print("jansson accepts, the scanner refuses:", refused,
                  sizeof(refused) / sizeof(refused[0]));
            exit(0);
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc;
    second_t     s;
    gw_json_t    j;
    fuzz_copy_t  copy;

    /* a value takes a byte, so that the wide limits are met by nothing else */

    if (size > INPUT_MAX - 8) {
        return 0;
    }

    copy = fuzz_copy(data, size);

    start(&j, &wide_limits, fuzz_hash(data, size));
    start(&narrow, &narrow_limits, fuzz_hash(data, size) + 1);

    memset(&s, 0, sizeof(s));
    s.p = copy.data;
    s.len = copy.len;
    s.j = &j;

    rc = gw_json_parse(&j, s.p, s.len);

    fuzz_promise(rc == GW_OK || rc == GW_ERROR, "parse() returns %d", rc);
    fuzz_promise((rc == GW_OK) == (j.error == GW_JSON_E_NONE)
                 && (rc == GW_OK) == (j.n != 0) && j.error_off <= s.len,
                 "returns %d, error %d at %zu, %u nodes", rc, (int) j.error,
                 j.error_off, j.n);

    against_jansson(&s, rc);
    against_limits(&s, rc);
    other_ends(&s, rc);
    elements(&s, rc);

    free(j.tape);
    free(narrow.tape);
    fuzz_free(&copy);

    return 0;
}
