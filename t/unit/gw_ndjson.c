/*
 * gw_ndjson.c - a body into lines, none lost, none made up.
 *
 * Without this test an off-by-one would cut a byte from the last line of a
 * batch, count an empty line as a malformed message, or glue two messages
 * together: the answers would then speak about the wrong lines.
 */

#include "gw_test.h"
#include "gw_ndjson.h"


typedef struct {
    const char  *body;
    const char  *lines;        /* each in brackets */
    const char  *name;
} gw_ndjson_case_t;


static const gw_ndjson_case_t  cases[] = {
    { "", "", "an empty body has no line" },
    { "a\n", "[a]", "LF ends a line" },
    { "a", "[a]", "the last line needs no LF" },
    { "a\nb\n", "[a][b]", "two lines" },
    { "a\nb", "[a][b]", "two lines, the last without LF" },
    { "a\r\nb\r\n", "[a][b]", "CR LF ends a line, too" },
    { "a\r\r\n", "[a\r]", "only one CR is dropped" },
    { "a\rb\n", "[a\rb]", "a CR inside is no line end" },
    { "a\nb\r", "[a][b\r]", "a CR without LF stays" },
    { "\n", "", "an empty line is skipped" },
    { "\n\n\n", "", "three of them" },
    { "\r\n", "", "an empty line with CR LF" },
    { "\na\n\nb\n\n", "[a][b]", "empty lines around" },
    { " \n\t\n \t \r\n\r\r\na\n", "[a]", "lines of white space" },
    { "a\n  ", "[a]", "white space without LF at the end" },
    { "a\n \r", "[a]", "white space and CR at the end" },
    { " a \n\tb", "[ a ][\tb]", "white space around a value stays" },
    { "\v\n", "[\v]", "a vertical tab is not white space" },
    { "x", "[x]", "one byte" },
};


static void
table(void)
{
    char                     got[256];
    size_t                   i, at;
    gw_str_t                 line;
    gw_ndjson_t              nd;
    const gw_ndjson_case_t  *c;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        gw_ndjson_init(&nd, guarded(c->body, strlen(c->body)),
                       strlen(c->body));
        at = 0;

        while (gw_ndjson_next(&nd, &line) == GW_OK && at < 200) {
            got[at++] = '[';
            memcpy(got + at, line.data, line.len);
            at += line.len;
            got[at++] = ']';
        }

        is_str(got, at, c->lines, "%s", c->name);
        ok(gw_ndjson_next(&nd, &line) == GW_DONE, "and then done stays done");
    }
}


int
main(void)
{
    int          bad;
    size_t       i, n, from;
    uint8_t      body[7], *heap;
    unsigned     code, k;
    gw_str_t     line;
    gw_ndjson_t  nd;

    table();

    gw_ndjson_init(&nd, NULL, 0);
    ok(gw_ndjson_next(&nd, &line) == GW_DONE, "no body at all has no line");

    heap = malloc(1);
    if (heap == NULL) {
        abort();
    }

    heap[0] = '\n';
    gw_ndjson_init(&nd, heap, 1);
    ok(gw_ndjson_next(&nd, &line) == GW_DONE,
       "no CR is looked for in front of the body");
    free(heap);

    gw_ndjson_init(&nd, (const uint8_t *) "a\0b\nc", 5);
    ok(gw_ndjson_next(&nd, &line) == GW_OK && line.len == 3
       && memcmp(line.data, "a\0b", 3) == 0,
       "a NUL is a byte of its line: the scanner refuses it, not we");

    /* all bodies of seven bytes out of four, against the definition */

    bad = 0;

    for (code = 0; code < 1 << 14; code++) {
        for (k = 0; k < 7; k++) {
            body[k] = (uint8_t) "\n\r a"[code >> 2 * k & 3];
        }

        gw_ndjson_init(&nd, guarded(body, 7), 7);

        for (from = 0; from < 7; from = i + 1) {
            for (i = from; i < 7 && body[i] != '\n'; i++) { /* void */ }

            n = i - from;

            if (i < 7 && n && body[i - 1] == '\r') {
                n--;
            }

            if (n == 0 || memchr(body + from, 'a', n) == NULL) {
                continue;
            }

            if (gw_ndjson_next(&nd, &line) != GW_OK || line.len != n
                || memcmp(line.data, body + from, n) != 0)
            {
                bad++;
                break;
            }
        }

        bad += from >= 7 && gw_ndjson_next(&nd, &line) != GW_DONE;
    }

    ok(bad == 0, "16384 bodies are cut as the definition says");

    return done_testing();
}
