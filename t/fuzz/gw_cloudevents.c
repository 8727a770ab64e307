/*
 * Fuzz target: a CloudEvent in JSON, in HTTP headers, and the media type that
 * tells them apart.  Unseen breakage would be an event that changes its names
 * on its way, one that a way takes and the other refuses, a header with a line
 * end inside, or a byte read or written where none belongs.
 *
 * The input is a document; it is also header lines, and a Content-Type.  What
 * is accepted as JSON is written again by jansson, with and without escapes,
 * and once more as percent-encoded headers; what is accepted as headers is
 * written as JSON: each time the same event must come out.
 */

#include <jansson.h>
#include <strings.h>

#include "fuzz.h"
#include "gw_cloudevents.h"


/* so that attributes, unescaped, and a key of them always fit into the text */

#define INPUT_MAX    4096
#define WRITTEN_MAX  (12 * INPUT_MAX)

#define LOAD  (JSON_DECODE_ANY|JSON_ALLOW_NUL|JSON_REJECT_DUPLICATES)


typedef struct {
    char    text[4 * INPUT_MAX + 1024];
    size_t  len;
} seen_t;


static const gw_json_limits_t  limits = {
    WRITTEN_MAX, 4096, 64, INPUT_MAX, WRITTEN_MAX, INPUT_MAX
};

static gw_json_t  json;


static int
same(const gw_str_t *a, const gw_str_t *b)
{
    return a->len == b->len && (a->len == 0
                                || memcmp(a->data, b->data, a->len) == 0);
}


/* a header as Kafka gets it, and what none of them may be */

static void
put(void *data, const char *name, const gw_str_t *value)
{
    size_t   i, len;
    seen_t  *seen = data;

    len = strlen(name);

    fuzz_promise(strcmp(name, "content-type") == 0
                 || (strncmp(name, "ce_", 3) == 0 && len > 3 && len <= 23
                     && strspn(name + 3, "abcdefghijklmnopqrstuvwxyz"
                                         "0123456789") == len - 3),
                 "a header \"%s\"", name);
    fuzz_promise(value->len <= GW_CE_VALUE_MAX, "%zu bytes in \"%s\"",
                 value->len, name);

    for (i = 0; i < value->len; i++) {
        fuzz_promise(value->data[i] >= 0x20 && value->data[i] != 0x7f
                     && (value->data[i] != 0xc2 || i + 1 == value->len
                         || value->data[i + 1] >= 0xa0),
                     "a control character in \"%s\"", name);
    }

    fuzz_promise(seen->len + len + value->len + 2 < sizeof(seen->text),
                 "more headers than input");

    memcpy(seen->text + seen->len, name, len);
    seen->len += len;
    seen->text[seen->len++] = '=';

    if (value->len) {
        memcpy(seen->text + seen->len, value->data, value->len);
        seen->len += value->len;
    }

    seen->text[seen->len++] = '\n';
}


static seen_t *
headers(const gw_ce_t *ce)
{
    seen_t  *seen;

    seen = malloc(sizeof(seen_t));
    if (seen == NULL) {
        abort();
    }

    seen->len = 0;
    gw_ce_headers(ce, put, seen);

    return seen;
}


/* what holds of any event that was accepted */

static void
whole(const gw_ce_t *ce)
{
    const gw_envelope_t  *env;

    env = &ce->env;

    fuzz_promise(ce->id.len && ce->source.len && ce->type.len
                 && ce->specversion.len == 3, "a required attribute is empty");
    fuzz_promise(env->device.len == 0
                 || gw_envelope_name_valid(env->device.data, env->device.len,
                                           GW_DEVICE_MAX)
                    == GW_OK, "a device that is no name");
    fuzz_promise(ce->text_len <= GW_CE_TEXT_MAX, "%zu bytes of text",
                 ce->text_len);
    fuzz_promise(ce->next <= GW_CE_EXT_MAX, "%u extensions", ce->next);
    fuzz_promise(env->has_ts == (ce->time.len != 0), "time and no ts");

    fuzz_promise(!env->has_seq || env->seq <= GW_SEQ_MAX, "a seq too large");

    if (ce->key.len == 0) {
        fuzz_promise(env->has_seq, "neither seq nor key");

    } else {
        fuzz_promise(ce->key.len == ce->source.len + 1 + ce->id.len
                     && ce->key.len <= 2 * GW_CE_VALUE_MAX
                     && memcmp(ce->key.data, ce->source.data, ce->source.len)
                        == 0
                     && ce->key.data[ce->source.len] == '\0'
                     && memcmp(ce->key.data + ce->source.len + 1, ce->id.data,
                               ce->id.len)
                        == 0, "no key");
    }
}


static void
same_event(const gw_ce_t *a, const gw_ce_t *b, const char *how)
{
    seen_t  *x, *y;

    x = headers(a);
    y = headers(b);

    fuzz_promise(x->len == y->len && memcmp(x->text, y->text, x->len) == 0,
                 "%s: other headers:\n%.*s-\n%.*s", how, (int) x->len, x->text,
                 (int) y->len, y->text);
    fuzz_promise(same(&a->env.device, &b->env.device)
                 && same(&a->env.epoch, &b->env.epoch)
                 && same(&a->env.class_name, &b->env.class_name)
                 && same(&a->key, &b->key)
                 && a->env.has_seq == b->env.has_seq
                 && (!a->env.has_seq || a->env.seq == b->env.seq)
                 && a->env.has_ts == b->env.has_ts
                 && (!a->env.has_ts || a->env.ts == b->env.ts),
                 "%s: another envelope", how);

    free(x);
    free(y);
}


static gw_ce_t *
event(void)
{
    gw_ce_t  *ce;

    ce = malloc(sizeof(gw_ce_t));
    if (ce == NULL) {
        abort();
    }

    memset(ce, 0xa5, sizeof(gw_ce_t));

    return ce;
}


static void
written(const gw_ce_t *was, const json_t *tree, size_t flags)
{
    int          rc;
    char        *text;
    gw_ce_t     *ce;
    const char  *detail;
    fuzz_copy_t  copy;

    text = json_dumps(tree, flags|JSON_ENCODE_ANY|JSON_COMPACT);
    if (text == NULL) {
        abort();
    }

    copy = fuzz_copy(text, strlen(text));
    ce = event();
    detail = "";

    fuzz_promise(gw_json_parse(&json, copy.data, copy.len) == GW_OK,
                 "the scanner: %s: %s", gw_json_strerror(json.error), text);

    rc = gw_ce_decode(&json, copy.data, 0, ce, &detail);
    fuzz_promise(rc == GW_OK, "written again: %s: %s", detail, text);

    same_event(was, ce, "written again");

    free(ce);
    fuzz_free(&copy);
    free(text);
}


/* as a careful sender would, or as one of an older version in quotes */

static int
send(gw_ce_t *ce, const char *name, const gw_str_t *value, uint64_t how,
    fuzz_copy_t *copies, const char **detail)
{
    size_t       i, n;
    gw_str_t     s;
    uint8_t      c;
    char         upper[32], *text;
    fuzz_copy_t *copy;

    text = malloc(3 * value->len + 3);
    if (text == NULL) {
        abort();
    }

    n = 0;

    if (value->len > 200) {
        how &= ~1ULL;
    }

    if (how & 1) {
        text[n++] = '"';
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (how & 1 && (c == '"' || c == '\\')) {
            n += (size_t) sprintf(text + n, "\\%c", c);

        } else if (c == '%' || c == '"' || c > 0x7e || (how & 2 && i % 2)
                   || (c == ' ' && !(how & 1)))
        {
            n += (size_t) sprintf(text + n, how & 4 ? "%%%02X" : "%%%02x", c);

        } else {
            text[n++] = (char) c;
        }
    }

    if (how & 1) {
        text[n++] = '"';
    }

    for (i = 0; name[i]; i++) {
        upper[i] = name[i] >= 'a' && how & 8 ? name[i] - 0x20 : name[i];
    }

    copy = copies;
    copy[0] = fuzz_copy(upper, i);
    copy[1] = fuzz_copy(text, n);
    free(text);

    s.data = copy[0].data;
    s.len = copy[0].len;

    return gw_ce_header(ce, &s, &(gw_str_t) { copy[1].data, copy[1].len },
                        detail);
}


/* the JSON event by way of headers */

static void
by_headers(const gw_ce_t *was, uint64_t how)
{
    int              rc;
    size_t           i, n;
    char             name[GW_CE_NAME_MAX + 1];
    gw_ce_t         *ce;
    const char      *detail;
    fuzz_copy_t      copies[2 * (7 + GW_CE_EXT_MAX)];
    const gw_str_t  *value, *type;

    const struct {
        const char      *name;
        const gw_str_t  *value;
    } core[] = {
        { "specversion", &was->specversion },
        { "id", &was->id },
        { "source", &was->source },
        { "type", &was->type },
        { "subject", &was->subject },
        { "time", &was->time },
        { "dataschema", &was->dataschema }
    };

    type = &was->datacontenttype;

    /* what ends in white space in JSON does not in a header */

    if (type->len && type->data[type->len - 1] == ' ') {
        return;
    }

    ce = event();
    gw_ce_start(ce);
    detail = "";
    n = 0;

    for (i = 0; i < sizeof(core) / sizeof(core[0]); i++) {
        value = core[i].value;

        if (value->len) {
            rc = send(ce, core[i].name, value, how >> i, &copies[n], &detail);
            n += 2;
            fuzz_promise(rc == GW_OK, "header %s: %s", core[i].name, detail);
        }
    }

    for (i = 0; i < was->next; i++) {
        memcpy(name, was->ext[i].name.data, was->ext[i].name.len);
        name[was->ext[i].name.len] = '\0';

        rc = send(ce, name, &was->ext[i].value, how >> (i + 7), &copies[n],
                  &detail);
        n += 2;
        fuzz_promise(rc == GW_OK, "header %s: %s", name, detail);
    }

    rc = gw_ce_finish(ce, type->len ? type : NULL, &detail);
    fuzz_promise(rc == GW_OK, "headers: %s", detail);

    whole(ce);
    same_event(was, ce, "as headers");
    fuzz_promise(ce->env.data.len == 0 && ce->env.document.len == 0,
                 "data out of nowhere");

    while (n) {
        fuzz_free(&copies[--n]);
    }

    free(ce);
}


static void
document(const fuzz_copy_t *doc)
{
    int             rc;
    json_t         *tree;
    gw_ce_t        *ce;
    const char     *detail;
    json_error_t    why;
    gw_envelope_t  *env;

    if (gw_json_parse(&json, doc->data, doc->len) != GW_OK) {
        return;
    }

    ce = event();
    detail = NULL;
    rc = gw_ce_decode(&json, doc->data, 0, ce, &detail);

    fuzz_promise(rc == GW_OK || (rc == GW_ERROR && detail && *detail),
                 "decode() returns %d and says nothing", rc);

    if (rc == GW_OK) {
        env = &ce->env;

        whole(ce);

        fuzz_promise(env->doc == doc->data && env->document.data >= doc->data
                     && env->document.data + env->document.len
                        <= doc->data + doc->len
                     && env->document.data[0] == '{'
                     && env->document.data[env->document.len - 1] == '}',
                     "another document");
        fuzz_promise(env->data.len && env->data.data > env->document.data
                     && env->data.data + env->data.len
                        < env->document.data + env->document.len
                     && env->data_node < json.n, "another data");

        by_headers(ce, fuzz_hash(doc->data, doc->len));

        tree = json_loadb((const char *) doc->data, doc->len, LOAD, &why);

        if (tree) {
            fuzz_promise(ce->base64
                         == (json_object_get(tree, "data_base64") != NULL)
                         && ce->base64
                            == (json_object_get(tree, "data") == NULL),
                         "data or data_base64");

            written(ce, tree, 0);
            written(ce, tree, JSON_ENSURE_ASCII);
            json_decref(tree);
        }
    }

    free(ce);
}


/* "name: value" lines, the first of which is a Content-Type's value */

static void
lines(const fuzz_copy_t *input)
{
    int             rc;
    size_t          len;
    json_t         *tree;
    unsigned        i, n;
    gw_ce_t        *ce;
    gw_str_t        type, name, value;
    const char     *detail;
    const uint8_t  *p, *last, *end, *colon;

    p = input->data;
    last = p + input->len;
    ce = event();
    gw_ce_start(ce);
    detail = NULL;
    rc = GW_OK;
    type.len = 0;
    type.data = NULL;

    for (n = 0; p < last && rc == GW_OK; n++) {
        end = memchr(p, '\n', (size_t) (last - p));
        end = end ? end : last;
        len = (size_t) (end - p);
        colon = memchr(p, ':', len);

        if (n == 0) {
            type.data = p;
            type.len = len;

        } else if (colon) {
            name.data = p;
            name.len = (size_t) (colon - p);
            value.data = colon + 1;
            value.len = (size_t) (end - colon - 1);

            rc = gw_ce_header(ce, &name, &value, &detail);
        }

        p = end == last ? last : end + 1;
    }

    if (rc == GW_OK) {
        rc = gw_ce_finish(ce, type.len ? &type : NULL, &detail);
    }

    fuzz_promise(rc == GW_OK || (rc == GW_ERROR && detail && *detail),
                 "headers return %d and say nothing", rc);

    if (rc == GW_OK) {
        whole(ce);

        tree = json_object();

#define set(key, s)                                                           \
        if ((s).len) {                                                        \
            json_object_set_new(tree, key,                                    \
                json_stringn((const char *) (s).data, (s).len));              \
        }

        set("specversion", ce->specversion);
        set("id", ce->id);
        set("source", ce->source);
        set("type", ce->type);
        set("subject", ce->subject);
        set("time", ce->time);
        set("dataschema", ce->dataschema);
        set("datacontenttype", ce->datacontenttype);

        for (i = 0; i < ce->next; i++) {
            json_object_setn_new(tree, (const char *) ce->ext[i].name.data,
                                 ce->ext[i].name.len,
                json_stringn((const char *) ce->ext[i].value.data,
                             ce->ext[i].value.len));
        }

        /* binary data has no type implied, as headers have none */

        json_object_set_new(tree, "data_base64", json_string("AA=="));

        written(ce, tree, 0);
        written(ce, tree, JSON_ENSURE_ASCII);
        json_decref(tree);
    }

    free(ce);
}


/* of what stands behind white space */

static int
is_json(const char *type)
{
    size_t       len;
    const char  *token = "!#$%&'*+-.^_`|~0123456789"
                         "abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    len = strspn(type, token);

    if (len == 0 || type[len] != '/') {
        return 0;
    }

    type += len + 1;
    len = strspn(type, token);

    return (len == 4 && strncasecmp(type, "json", 4) == 0)
           || (len > 4 && strncasecmp(type + len - 5, "+json", 5) == 0);
}


static void
media_type(const fuzz_copy_t *input)
{
    int           rc, want;
    char         *type;
    size_t        first, len;
    gw_str_t      s;
    gw_ce_mode_e  mode, got;

    s.data = input->data;
    s.len = input->len;

    type = malloc(input->len + 1);
    if (type == NULL) {
        abort();
    }

    memcpy(type, input->data, input->len);
    type[input->len] = '\0';

    first = strspn(type, " \t");
    len = strcspn(type + first, "; \t");

    rc = gw_ce_mode(&s, 1, &got);
    want = GW_OK;
    mode = GW_CE_BINARY;

    if (strncasecmp(type + first, "application/cloudevents", 23) == 0) {

        if (len == 28
            && strncasecmp(type + first + 23, "+json", 5) == 0)
        {
            mode = GW_CE_STRUCTURED;

        } else if (len == 34
                   && strncasecmp(type + first + 23, "-batch+json", 11) == 0)
        {
            mode = GW_CE_BATCHED;

        } else {
            mode = GW_CE_NONE;
            want = GW_DECLINED;
        }
    }

    /* C's string ends at a NUL, the type does not */

    fuzz_promise(strlen(type) < input->len || (rc == want && got == mode),
                 "mode %d (%d), not %d: %s", (int) got, rc, (int) mode, type);

    rc = gw_ce_mode(&s, 0, &got);
    fuzz_promise(got != GW_CE_BINARY, "binary without ce-specversion");

    rc = gw_ce_is_json(&s);
    want = is_json(type + first);
    fuzz_promise(strlen(type) < input->len || rc == want,
                 "is_json() is %d, not %d: %s", rc, want, type);

    s = gw_ce_device(&s);
    fuzz_promise(s.len == 0
                 || (gw_envelope_name_valid(s.data, s.len, GW_DEVICE_MAX)
                     == GW_OK && s.data >= input->data
                     && s.data + s.len <= input->data + input->len),
                 "a device that is no name");

    free(type);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    void  *arena;

    (void) argc;
    (void) argv;

    json_object_seed(1);

    arena = malloc(gw_json_arena_size(&limits));

    if (arena == NULL || gw_json_init(&json, &limits, arena, 1) != GW_OK) {
        abort();
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_copy_t  copy;

    if (size > INPUT_MAX) {
        return 0;
    }

    copy = fuzz_copy(data, size);

    document(&copy);
    lines(&copy);
    media_type(&copy);

    fuzz_free(&copy);

    return 0;
}
