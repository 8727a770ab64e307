/*
 * Fuzz target: from a document to an envelope and from an envelope to the
 * line that goes to Kafka.  Unseen breakage would be a device that is taken
 * for another, data that changes on its way, a line that its readers cannot
 * parse, or a byte written behind the promised size.
 *
 * The input is the document.  What is accepted is decided a second time, on
 * jansson's tree and by the words of gw_envelope.h; the written line is read
 * by jansson and must have the members of the document.  The input is also
 * taken for a name, a seq and a ts of the raw format.
 */

#include <jansson.h>

#include "fuzz.h"
#include "gw_envelope.h"
#include "gw_time.h"


#define INPUT_MAX  4096
#define DATE_MAX   64     /* characters of a date that came escaped */

#define LOAD  (JSON_DECODE_ANY|JSON_DECODE_INT_AS_REAL|JSON_ALLOW_NUL         \
               |JSON_REJECT_DUPLICATES)


static const gw_json_limits_t  limits = {
    INPUT_MAX, INPUT_MAX, 64, INPUT_MAX, INPUT_MAX, INPUT_MAX
};

/* received_at: the bounds of what is written in another way */

static const int64_t  clocks[] = {
    -1, 0, 9, 10, 99, 999, 9999, 10000, 99999999, 100000000,
    999999999999LL, 1000000000000LL, 1767225600123LL, 9999999999999LL,
    10000000000000LL, GW_TIME_MAX, INT64_MIN, INT64_MAX
};


static int
is_name(const uint8_t *p, size_t len, size_t max)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] == '\0'
            || strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789._:@-", p[i]) == NULL)
        {
            return 0;
        }
    }

    return len >= 1 && len <= max;
}


/* -1: none */

static int64_t
is_seq(const uint8_t *p, size_t len)
{
    size_t    i;
    uint64_t  v;

    v = 0;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9' || v > GW_SEQ_MAX) {
            return -1;
        }

        v = v * 10 + (unsigned) (p[i] - '0');
    }

    if (len == 0 || (len > 1 && p[0] == '0') || v > GW_SEQ_MAX) {
        return -1;
    }

    return (int64_t) v;
}


static int
name_of(json_t *value, size_t max)
{
    return json_is_string(value)
           && is_name((const uint8_t *) json_string_value(value),
                      json_string_length(value), max);
}


/* the node of the member with that name, as spelled after unescaping */

static const gw_json_node_t *
member(const gw_json_t *j, const uint8_t *doc, const char *name)
{
    size_t                 len;
    unsigned               n;
    uint8_t                buf[INPUT_MAX];
    const gw_json_node_t  *key;

    key = &j->tape[1];

    for (n = 0; n < j->tape[0].count; n++) {
        len = gw_json_unescape(doc, key, buf);

        if (len == strlen(name) && memcmp(buf, name, len) == 0) {
            return key + 1;
        }

        key = &j->tape[key[1].next];
    }

    return NULL;
}


static int
ts_of(const gw_json_t *j, const uint8_t *doc, json_t *value, int64_t *ts)
{
    size_t                 len;
    const uint8_t         *p;
    const gw_json_node_t  *node;

    node = member(j, doc, "ts");

    if (node == NULL) {
        return 0;
    }

    if (json_is_string(value)) {
        p = (const uint8_t *) json_string_value(value);
        len = json_string_length(value);

        if ((node->flags & GW_JSON_F_ESCAPED) && len > DATE_MAX) {
            return 0;
        }

        return gw_time_rfc3339(p, len, ts) == GW_OK;
    }

    return json_is_number(value)
           && gw_time_epoch(doc + node->off, node->len, ts) == GW_OK;
}


/* what gw_envelope.h allows */

static int
allowed(const gw_json_t *j, const uint8_t *doc, json_t *tree)
{
    int64_t                ts;
    json_t                *value;
    const char            *key;
    const gw_json_node_t  *node;

    if (!json_is_object(tree) || json_object_get(tree, "data") == NULL) {
        return 0;
    }

    json_object_foreach(tree, key, value) {

        if (strcmp(key, "device") == 0) {
            if (!name_of(value, 128)) {
                return 0;
            }

        } else if (strcmp(key, "epoch") == 0 || strcmp(key, "class") == 0) {
            if (!name_of(value, 32)) {
                return 0;
            }

        } else if (strcmp(key, "seq") == 0) {
            node = member(j, doc, "seq");

            if (!json_is_number(value) || node == NULL
                || is_seq(doc + node->off, node->len) < 0)
            {
                return 0;
            }

        } else if (strcmp(key, "ts") == 0) {
            if (!ts_of(j, doc, value, &ts)) {
                return 0;
            }

        } else if (strcmp(key, "data") != 0) {
            return 0;
        }
    }

    return 1;
}


static void
same_string(json_t *line, json_t *tree, const char *key, const char *def)
{
    json_t  *a, *b;

    a = json_object_get(line, key);
    b = json_object_get(tree, key);

    fuzz_promise(json_is_string(a)
                 && strcmp(json_string_value(a),
                           b ? json_string_value(b) : def)
                    == 0,
                 "member \"%s\" is \"%s\"", key, json_string_value(a));
}


static void
same_integer(json_t *line, const char *key, int64_t want)
{
    json_t  *v;

    v = json_object_get(line, key);

    /* read as a real: exact up to 2^53, and a time may be above that */

    fuzz_promise(json_is_real(v) && json_real_value(v) == (double) want,
                 "member \"%s\" is %.0f, not %lld", key, json_real_value(v),
                 (long long) want);
}


/* data without its raw line ends, which are white space between tokens */

static void
same_data(const gw_envelope_t *env, const uint8_t *line, size_t len)
{
    size_t    i, n;
    uint8_t  *want;

    want = malloc(env->data.len + 1);
    if (want == NULL) {
        abort();
    }

    for (i = 0, n = 0; i < env->data.len; i++) {
        if (env->data.data[i] != '\r' && env->data.data[i] != '\n') {
            want[n++] = env->data.data[i];
        }
    }

    fuzz_promise(len > n + 8 && line[len - 1] == '}'
                 && memcmp(line + len - 1 - n, want, n) == 0
                 && memcmp(line + len - 1 - n - 7, "\"data\":", 7) == 0,
                 "data changed: %.*s", (int) len, (const char *) line);
    fuzz_promise(memchr(line, '\n', len) == NULL
                 && memchr(line, '\r', len) == NULL,
                 "a line end in the line");

    free(want);
}


static void
put(gw_envelope_t *env, const gw_json_t *j, const uint8_t *doc, json_t *tree,
    int64_t received_at)
{
    size_t         len, size;
    int64_t        ts;
    json_t        *line;
    uint8_t       *dst;
    json_error_t   why;

    /* as the caller does */

    if (env->device.len == 0) {
        env->device.data = (const uint8_t *) "a-certificate:name";
        env->device.len = 18;
    }

    if (env->class_name.len == 0) {
        env->class_name.data = (const uint8_t *) "telemetry";
        env->class_name.len = 9;
    }

    size = gw_envelope_size(env);

    dst = malloc(size);
    if (dst == NULL) {
        abort();
    }

    len = gw_envelope_write(dst, env, received_at);

    fuzz_promise(len <= size, "%zu bytes, promised were %zu", len, size);
    same_data(env, dst, len);

    /* what jansson cannot hold in the document it cannot in the line */

    if (tree) {
        line = json_loadb((const char *) dst, len, LOAD, &why);

        fuzz_promise(line != NULL, "jansson: %s in %.*s", why.text,
                     (int) len, (const char *) dst);
        fuzz_promise(json_object_size(line) == (env->has_seq ? 7u : 6u),
                     "%zu members", json_object_size(line));

        same_string(line, tree, "device", "a-certificate:name");
        same_string(line, tree, "epoch", "");
        same_string(line, tree, "class", "telemetry");

        received_at = received_at < 0 ? 0 : received_at;
        ts = received_at;

        (void) ts_of(j, doc, json_object_get(tree, "ts"), &ts);
        same_integer(line, "ts", ts);
        same_integer(line, "received_at", received_at);

        if (env->has_seq) {
            same_integer(line, "seq",
                (int64_t) json_real_value(json_object_get(tree, "seq")));
        }

        fuzz_promise(json_object_get(tree, "seq") == NULL
                     || env->has_seq, "seq is lost");
        fuzz_promise(json_equal(json_object_get(line, "data"),
                                json_object_get(tree, "data")),
                     "data means something else");

        json_decref(line);
    }

    free(dst);
}


static void
document(const fuzz_copy_t *doc)
{
    int             rc;
    void           *arena;
    json_t         *tree;
    gw_json_t       j;
    const char     *detail;
    json_error_t    why;
    gw_envelope_t  *env;

    arena = malloc(gw_json_arena_size(&limits));
    env = malloc(sizeof(gw_envelope_t));

    if (arena == NULL || env == NULL
        || gw_json_init(&j, &limits, arena, 1) != GW_OK)
    {
        abort();
    }

    if (gw_json_parse(&j, doc->data, doc->len) == GW_OK) {

        /* decode() sets all that is used of it */

        memset(env, 0xa5, sizeof(gw_envelope_t));
        detail = NULL;

        rc = gw_envelope_decode(&j, doc->data, env, &detail);
        tree = json_loadb((const char *) doc->data, doc->len, LOAD, &why);

        fuzz_promise(rc == GW_OK || (rc == GW_ERROR && detail && *detail),
                     "decode() returns %d and says nothing", rc);

        if (tree) {
            fuzz_promise((rc == GW_OK) == allowed(&j, doc->data, tree),
                         "%s: %.*s",
                         rc == GW_OK ? "accepted" : detail,
                         (int) doc->len, (const char *) doc->data);
        }

        if (rc == GW_OK) {
            put(env, &j, doc->data, tree,
                clocks[fuzz_hash(doc->data, doc->len)
                       % (sizeof(clocks) / sizeof(clocks[0]))]);
        }

        json_decref(tree);
    }

    free(arena);
    free(env);
}


/* the input as the value of a header of the raw format */

static void
header(const fuzz_copy_t *v)
{
    int       rc, rc2;
    int64_t   want, ts, ts2;
    uint64_t  seq;

    fuzz_promise((gw_envelope_name_valid(v->data, v->len, 128) == GW_OK)
                 == is_name(v->data, v->len, 128), "a device");
    fuzz_promise((gw_envelope_name_valid(v->data, v->len, 32) == GW_OK)
                 == is_name(v->data, v->len, 32), "an epoch");

    seq = 0;
    rc = gw_envelope_parse_seq(v->data, v->len, &seq);
    want = is_seq(v->data, v->len);
    fuzz_promise((rc == GW_OK) == (want >= 0)
                 && (rc != GW_OK || (int64_t) seq == want),
                 "seq %llu, not %lld", (unsigned long long) seq,
                 (long long) want);

    /* either form, and no string has both */

    ts = 0;
    ts2 = 0;
    rc = gw_envelope_parse_ts(v->data, v->len, &ts);
    rc2 = gw_time_rfc3339(v->data, v->len, &ts2);

    if (rc2 != GW_OK) {
        rc2 = gw_time_epoch(v->data, v->len, &ts2);
    }

    fuzz_promise(rc == rc2 && (rc != GW_OK || ts == ts2), "ts %lld, not %lld",
                 (long long) ts, (long long) ts2);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    json_object_seed(1);

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
    header(&copy);

    fuzz_free(&copy);

    return 0;
}
