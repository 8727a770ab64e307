/*
 * Fuzz target: the lines of an NDJSON body.  Unseen breakage would be a
 * message that is lost between two lines, one that is read twice, or a byte
 * read behind the body.
 *
 * The input is the body.  What no line holds must be white space and line
 * ends, a second splitter must find the same lines, and a body cut behind
 * any line end must give the lines of its two parts.
 */

#include "fuzz.h"
#include "gw_ndjson.h"


#define LINES_MAX  4096


typedef struct {
    unsigned  n;
    size_t    from[LINES_MAX];
    size_t    len[LINES_MAX];
} lines_t;


static lines_t  whole, second;


static int
is_blank(const uint8_t *p, size_t len)
{
    while (len) {
        len--;

        if (strchr(" \t\r", p[len]) == NULL || p[len] == '\0') {
            return 0;
        }
    }

    return 1;
}


/* by the words of gw_ndjson.h, a byte at a time */

static void
split(lines_t *lines, const uint8_t *p, size_t len)
{
    size_t  i, from, to;

    lines->n = 0;
    from = 0;

    for (i = 0; i <= len; i++) {

        if (i < len && p[i] != '\n') {
            continue;
        }

        to = i;

        if (i < len && to > from && p[to - 1] == '\r') {
            to--;
        }

        if (!is_blank(p + from, to - from)) {
            lines->from[lines->n] = from;
            lines->len[lines->n++] = to - from;
        }

        from = i + 1;
    }
}


/* of a part of the body that is a body of its own, in memory of its own */

static void
add(lines_t *lines, const uint8_t *body, size_t from, size_t len)
{
    int           rc;
    gw_str_t      line;
    fuzz_copy_t   part;
    gw_ndjson_t   nd;

    part = fuzz_copy(body + from, len);
    gw_ndjson_init(&nd, part.data, part.len);

    while ((rc = gw_ndjson_next(&nd, &line)) == GW_OK) {

        fuzz_promise(line.data >= part.data
                     && line.data + line.len <= part.data + part.len,
                     "a line that is not in the body");
        fuzz_promise(lines->n < LINES_MAX, "more lines than bytes");

        lines->from[lines->n] = from + (size_t) (line.data - part.data);
        lines->len[lines->n++] = line.len;
    }

    fuzz_promise(rc == GW_DONE, "next() says %d", rc);
    fuzz_promise(gw_ndjson_next(&nd, &line) == GW_DONE,
                 "a line behind the last one");

    fuzz_free(&part);
}


static void
same(const char *what)
{
    unsigned  i;

    fuzz_promise(whole.n == second.n, "%s: %u lines and %u", what, whole.n,
                 second.n);

    for (i = 0; i < whole.n; i++) {
        fuzz_promise(whole.from[i] == second.from[i]
                     && whole.len[i] == second.len[i],
                     "%s: line %u is %zu+%zu and %zu+%zu", what, i,
                     whole.from[i], whole.len[i], second.from[i],
                     second.len[i]);
    }
}


/* joined with what stands between them the lines are the body */

static void
joins(const uint8_t *p, size_t len)
{
    size_t    i, at;
    unsigned  n;

    at = 0;

    for (n = 0; n <= whole.n; n++) {
        i = n < whole.n ? whole.from[n] : len;

        fuzz_promise(i >= at, "line %u begins inside the one before", n);

        while (at < i) {
            fuzz_promise(p[at] == '\n' || is_blank(p + at, 1),
                         "byte %zu is in no line", at);
            at++;
        }

        if (n < whole.n) {
            fuzz_promise(memchr(p + at, '\n', whole.len[n]) == NULL,
                         "line %u holds a line end", n);
            fuzz_promise(!is_blank(p + at, whole.len[n]),
                         "line %u is blank", n);
            at += whole.len[n];
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t  i;

    if (size >= LINES_MAX) {
        return 0;
    }

    whole.n = 0;
    add(&whole, data, 0, size);
    joins(data, size);

    split(&second, data, size);
    same("a second splitter");

    for (i = 0; i < size; i++) {

        if (data[i] == '\n') {
            second.n = 0;
            add(&second, data, 0, i + 1);
            add(&second, data, i + 1, size - i - 1);
            same("cut behind a line end");
        }
    }

    return 0;
}
