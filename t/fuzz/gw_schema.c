/*
 * Fuzz target: a schema and a message, both arbitrary.  The schema comes from
 * whoever runs the gateway, the message from anybody; what must not happen is
 * a read outside of either, or a check that goes on and on.
 *
 * The input is a schema, a line feed and a message; a schema may have line
 * feeds of its own only as escapes.  A verdict must be the same once more, and
 * with the members of the message's white space changed; a failure must name
 * a keyword, and places that are JSON Pointers and end where they say.
 */

#include <time.h>

#include "fuzz.h"
#include "gw_schema.h"


#define INPUT_MAX    4096
#define SECONDS_MAX  5


static const gw_json_limits_t  limits = {
    INPUT_MAX * 2, 8192, 32, 1024, INPUT_MAX, 1024
};


static int
is_pointer(const char *p, size_t len)
{
    size_t  i;

    if (len > GW_SCHEMA_POINTER || p[len] != '\0') {
        return 0;
    }

    if (len > 3 && memcmp(p + len - 3, "...", 3) == 0) {
        return p[0] == '/';
    }

    for (i = 0; i < len; i++) {
        if (p[i] == '~' && (i + 1 == len || (p[i + 1] != '0'
                                             && p[i + 1] != '1')))
        {
            return 0;
        }
    }

    return len == 0 || p[0] == '/';
}


static void
check(gw_schema_t *schema, const uint8_t *p, size_t len, uint64_t seed)
{
    int                rc;
    void              *arena;
    clock_t            from;
    gw_json_t          j;
    fuzz_copy_t        copy;
    gw_schema_error_t  error;

    copy = fuzz_copy(p, len);
    arena = malloc(gw_json_arena_size(&limits));

    if (arena == NULL || gw_json_init(&j, &limits, arena, seed) != GW_OK) {
        abort();
    }

    if (gw_json_parse(&j, copy.data, copy.len) == GW_OK) {
        from = clock();
        memset(&error, 'x', sizeof(error));

        rc = gw_schema_check(schema, &j, copy.data, 0, &error);

        fuzz_promise(rc == GW_OK || rc == GW_DECLINED, "check() is %d", rc);
        fuzz_promise(gw_schema_check(schema, &j, copy.data, 0, NULL) == rc,
                     "another verdict without an error");

        if (rc == GW_DECLINED) {
            fuzz_promise(strcmp(error.keyword, "schema") != 0,
                         "a failure without a name at %s", error.place);
            fuzz_promise(is_pointer(error.pointer, error.pointer_len),
                         "no pointer: %s", error.pointer);
            fuzz_promise(is_pointer(error.place, strlen(error.place)),
                         "no place: %s", error.place);
        }

        fuzz_promise((clock() - from) / CLOCKS_PER_SEC < SECONDS_MAX,
                     "the check takes long");
    }

    free(arena);
    fuzz_free(&copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char            error[600];
    size_t          len;
    unsigned        formats;
    fuzz_copy_t     text;
    gw_schema_t    *schema;
    const uint8_t  *lf;

    if (size > INPUT_MAX) {
        return 0;
    }

    lf = size ? memchr(data, '\n', size) : NULL;
    len = lf ? (size_t) (lf - data) : size;
    text = fuzz_copy(data, len);

    for (formats = 0; formats < 2; formats++) {
        memset(error, 'x', sizeof(error));

        schema = gw_schema_compile(text.data, text.len, formats, error,
                                   sizeof(error));

        if (schema == NULL) {
            fuzz_promise(memchr(error, '\0', sizeof(error)) != NULL
                         && error[0] != '\0', "refused without a reason");
            continue;
        }

        fuzz_promise(gw_schema_size(schema) > sizeof(void *), "no size");

        if (lf) {
            check(schema, lf + 1, size - len - 1, fuzz_hash(data, size));
        }

        gw_schema_free(schema);
    }

    fuzz_free(&text);

    return 0;
}
