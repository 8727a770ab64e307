/*
 * gw_ndjson.c - lines of a whole NDJSON body.
 */

#include "gw_ndjson.h"


static int gw_ndjson_blank(const uint8_t *p, const uint8_t *last);


void
gw_ndjson_init(gw_ndjson_t *nd, const uint8_t *p, size_t len)
{
    nd->p = p;
    nd->last = len ? p + len : p;
}


int
gw_ndjson_next(gw_ndjson_t *nd, gw_str_t *line)
{
    const uint8_t  *p, *lf, *end;

    while (nd->p != nd->last) {

        p = nd->p;
        lf = memchr(p, '\n', nd->last - p);

        if (lf == NULL) {
            end = nd->last;
            nd->p = nd->last;

        } else {
            end = lf;
            nd->p = lf + 1;

            if (end != p && end[-1] == '\r') {
                end--;
            }
        }

        if (gw_ndjson_blank(p, end)) {
            continue;
        }

        line->data = p;
        line->len = end - p;

        return GW_OK;
    }

    return GW_DONE;
}


/* white space as JSON has it: the scanner would find the line empty */

static int
gw_ndjson_blank(const uint8_t *p, const uint8_t *last)
{
    while (p < last) {
        if (*p != ' ' && *p != '\t' && *p != '\r') {
            return 0;
        }

        p++;
    }

    return 1;
}
