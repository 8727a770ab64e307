/*
 * verdict.c - our side of t/schema/run: pairs of a schema and an instance
 * come in, a verdict of gw_schema goes out for each.
 *
 *   verdict < PAIRS > VERDICTS
 *
 * A line of PAIRS is a schema, a tab and an instance, both JSON without a raw
 * tab; an empty schema is the one of the line before.  A line of VERDICTS is
 * 1: valid, 0: not, R and the reason: the schema was refused.  A failure must
 * be named: one without a keyword is "?".
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_schema.h"


static const gw_json_limits_t  limits = {
    1 << 20, 65535, 64, 1024, 1 << 20, 1024
};


static void
judge(gw_schema_t *schema, gw_json_t *j, const char *text, size_t len)
{
    gw_schema_error_t  error;

    if (gw_json_parse(j, (const uint8_t *) text, len) != GW_OK) {
        printf("J %s\n", gw_json_strerror(j->error));
        return;
    }

    if (gw_schema_check(schema, j, (const uint8_t *) text, 0, &error)
        == GW_OK)
    {
        puts("1");
        return;
    }

    puts(strcmp(error.keyword, "schema") == 0 ? "?" : "0");
}


int
main(void)
{
    void         *arena;
    char         *line, *tab, why[512];
    size_t        size;
    ssize_t       len;
    gw_json_t     j;
    gw_schema_t  *schema;

    arena = malloc(gw_json_arena_size(&limits));

    if (arena == NULL || gw_json_init(&j, &limits, arena, 1) != GW_OK) {
        return 2;
    }

    line = NULL;
    size = 0;
    schema = NULL;
    why[0] = '\0';

    while ((len = getline(&line, &size, stdin)) > 0) {
        tab = memchr(line, '\t', (size_t) len);

        if (tab == NULL || line[len - 1] != '\n') {
            fprintf(stderr, "verdict: a line is not a pair\n");
            return 2;
        }

        if (tab > line) {
            gw_schema_free(schema);
            schema = gw_schema_compile((const uint8_t *) line,
                                       (size_t) (tab - line), 0, why,
                                       sizeof(why));
        }

        if (schema == NULL) {
            printf("R %s\n", why);
            continue;
        }

        tab++;
        judge(schema, &j, tab, (size_t) (line + len - 1 - tab));
    }

    gw_schema_free(schema);
    free(line);
    free(arena);

    return fflush(stdout) == 0 && ferror(stdin) == 0 ? 0 : 2;
}
