/*
 * gw_schema_suite.c - the test suite of the JSON Schema organisation for draft
 * 2020-12, one line for each file, which is one keyword.
 *
 * What we think a keyword means is in our own tests; what everybody else
 * thinks is here.  A schema that we refuse counts as refused, and must be
 * refused for one of the reasons that gw_schema.h gives, by the keyword's
 * name: a compiler that refused all would else pass.
 *
 * The folder is $GATEWAY_SUITES, else shared/suites beside the repository or
 * beside the folder of the repository; without one all is skipped.
 */

#include <dirent.h>

#include "gw_schema.h"
#include "gw_test.h"


#define FILES_MAX  128
#define FOLDER     "json-schema/draft2020-12"


typedef struct {
    unsigned  passed;
    unsigned  failed;
    unsigned  refused;
} tally_t;


static const gw_json_limits_t  limits = {
    1 << 20, 65535, 200, 32767, 1 << 20, 1 << 20
};


/* what a schema of the suite may be refused for: the end of its pointer */

static const char *const  reasons[] = {
    "/$id\"", "/$ref\"", "/$dynamicRef\"", "/$dynamicAnchor\"",
    "/$vocabulary\"", "/unevaluatedProperties\"", "/unevaluatedItems\"",
    "/$schema\"", "/dependencies\"", "/definitions\""
};


static void
parser(gw_json_t *j)
{
    void  *arena;

    arena = malloc(gw_json_arena_size(&limits));

    if (arena == NULL || gw_json_init(j, &limits, arena, 7) != GW_OK) {
        abort();
    }
}


/* the tape index of the member's value, 0: there is none */

static uint32_t
member(const gw_json_t *j, const uint8_t *doc, uint32_t at, const char *name)
{
    uint32_t               key;
    const gw_json_node_t  *node;

    for (key = at + 1; key < j->tape[at].next; key = j->tape[key + 1].next) {
        node = &j->tape[key];

        if (node->len == strlen(name)
            && memcmp(doc + node->off, name, node->len) == 0)
        {
            return key + 1;
        }
    }

    return 0;
}


/* the text of a value; a string's with its quotes */

static gw_str_t
text_of(const gw_json_node_t *node, const uint8_t *doc)
{
    gw_str_t  s;
    unsigned  quote;

    quote = node->type == GW_JSON_STRING;
    s.data = doc + node->off - quote;
    s.len = node->len + 2 * quote;

    return s;
}


static int
expected(const char *error)
{
    size_t  i;

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strstr(error, reasons[i])) {
            return 1;
        }
    }

    return 0;
}


static void
group(const gw_json_t *j, const uint8_t *doc, uint32_t at, gw_json_t *instance,
    tally_t *tally)
{
    int           rc, want;
    char          error[512];
    uint32_t      tests, test, data;
    gw_str_t      what, text;
    gw_schema_t  *schema;

    what = text_of(&j->tape[member(j, doc, at, "description")], doc);
    text = text_of(&j->tape[member(j, doc, at, "schema")], doc);
    tests = member(j, doc, at, "tests");

    schema = gw_schema_compile(text.data, text.len, 0, error, sizeof(error));

    if (schema == NULL) {
        printf("# refused %.*s: %s\n", (int) what.len, (char *) what.data,
               error);

        if (expected(error)) {
            tally->refused += j->tape[tests].count;

        } else {
            tally->failed += j->tape[tests].count;
        }

        return;
    }

    for (test = tests + 1; test < j->tape[tests].next;
         test = j->tape[test].next)
    {
        data = member(j, doc, test, "data");
        text = text_of(&j->tape[data], doc);
        want = j->tape[member(j, doc, test, "valid")].type == GW_JSON_TRUE;

        if (gw_json_parse(instance, text.data, text.len) != GW_OK) {
            abort();
        }

        rc = gw_schema_check(schema, instance, text.data, 0, NULL);

        if ((rc == GW_OK) == want) {
            tally->passed++;
            continue;
        }

        tally->failed++;
        text = text_of(&j->tape[member(j, doc, test, "description")], doc);
        printf("# failed %.*s: %.*s\n", (int) what.len, (char *) what.data,
               (int) text.len, (char *) text.data);
    }

    gw_schema_free(schema);
}


static void
suite(const char *folder, const char *name, gw_json_t *j, gw_json_t *instance)
{
    FILE            *file;
    char             path[4096];
    size_t           len;
    uint32_t         at;
    tally_t          tally;
    static uint8_t   doc[1 << 20];

    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);

    file = fopen(path, "rb");
    if (file == NULL) {
        ok(0, "%s can be read", path);
        return;
    }

    len = fread(doc, 1, sizeof(doc), file);
    fclose(file);

    if (gw_json_parse(j, doc, len) != GW_OK
        || j->tape[0].type != GW_JSON_ARRAY)
    {
        ok(0, "%s is a list of groups", name);
        return;
    }

    memset(&tally, 0, sizeof(tally_t));

    for (at = 1; at < j->tape[0].next; at = j->tape[at].next) {
        group(j, doc, at, instance, &tally);
    }

    printf("# %s: %u passed, %u failed, %u refused\n", name, tally.passed,
           tally.failed, tally.refused);
    ok(tally.failed == 0 && tally.passed + tally.refused > 0,
       "%s: every test of a schema that is not refused passes", name);
}


static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}


/* an open folder, and its path in folder */

static DIR *
find(char *folder, size_t size)
{
    DIR         *dir;
    size_t       i;
    const char  *root;

    static const char *const  places[] = {
        "../shared/suites", "../../shared/suites"
    };

    root = getenv("GATEWAY_SUITES");

    if (root && *root) {
        (void) snprintf(folder, size, "%s/" FOLDER, root);
        return opendir(folder);
    }

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void) snprintf(folder, size, "%s/" FOLDER, places[i]);
        dir = opendir(folder);

        if (dir) {
            return dir;
        }
    }

    return NULL;
}


int
main(void)
{
    DIR            *dir;
    char            folder[2048], *names[FILES_MAX];
    size_t          len;
    unsigned        i, n;
    gw_json_t       j, instance;
    struct dirent  *entry;

    dir = find(folder, sizeof(folder));
    if (dir == NULL) {
        printf("1..0 # SKIP no " FOLDER " in $GATEWAY_SUITES\n");
        return 0;
    }

    n = 0;

    while ((entry = readdir(dir)) != NULL && n < FILES_MAX) {
        len = strlen(entry->d_name);

        if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) {
            names[n] = strdup(entry->d_name);

            if (names[n++] == NULL) {
                abort();
            }
        }
    }

    closedir(dir);
    qsort(names, n, sizeof(names[0]), by_name);

    parser(&j);
    parser(&instance);

    for (i = 0; i < n; i++) {
        suite(folder, names[i], &j, &instance);
        free(names[i]);
    }

    ok(n > 0, "the suite has %u files", n);

    free(j.tape);
    free(instance.tape);

    return done_testing();
}
