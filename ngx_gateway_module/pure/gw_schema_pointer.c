/*
 * gw_schema_pointer.c - see gw_schema_program.h: RFC 6901.
 */

#include <stdio.h>

#include "gw_schema_program.h"


typedef struct {
    char    *dst;
    size_t   len;
    size_t   fits;     /* where it is cut if need be: "..." still fits */
    int      full;
} gw_schema_path_t;


/* n bytes that are not to be parted */

static void
gw_schema_path_put(gw_schema_path_t *path, const char *s, size_t n)
{
    if (path->full) {
        return;
    }

    if (path->len <= GW_SCHEMA_POINTER - 3) {
        path->fits = path->len;
    }

    if (n > GW_SCHEMA_POINTER - path->len) {
        memcpy(path->dst + path->fits, "...", 3);
        path->len = path->fits + 3;
        path->full = 1;
        return;
    }

    memcpy(path->dst + path->len, s, n);
    path->len += n;
}


static void
gw_schema_path_name(gw_schema_path_t *path, gw_schema_string_t name)
{
    size_t   n;
    uint8_t  utf8[4];

    gw_schema_path_put(path, "/", 1);

    while (name.len && !path->full) {
        n = gw_schema_utf8(gw_schema_char(&name), utf8);

        if (utf8[0] == '~') {
            gw_schema_path_put(path, "~0", 2);

        } else if (utf8[0] == '/') {
            gw_schema_path_put(path, "~1", 2);

        } else {
            gw_schema_path_put(path, (char *) utf8, n);
        }
    }
}


size_t
gw_schema_pointer(const uint8_t *doc, const gw_json_node_t *tape,
    uint32_t root, uint32_t target, char *dst)
{
    int                n;
    char               index[16];
    uint32_t           i, at, child;
    gw_schema_path_t   path;

    memset(&path, 0, sizeof(gw_schema_path_t));
    path.dst = dst;

    at = root;

    while (at != target && target > at && target < tape[at].next
           && tape[at].type >= GW_JSON_ARRAY)
    {
        i = 0;
        child = at + 1;

        if (tape[at].type == GW_JSON_OBJECT) {

            while (target >= tape[child + 1].next) {
                child = tape[child + 1].next;
            }

            gw_schema_path_name(&path, gw_schema_string(doc, &tape[child]));

            if (child == target) {
                break;
            }

            at = child + 1;
            continue;
        }

        while (target >= tape[child].next) {
            child = tape[child].next;
            i++;
        }

        n = snprintf(index, sizeof(index), "/%u", (unsigned) i);
        gw_schema_path_put(&path, index, (size_t) n);
        at = child;
    }

    dst[path.len] = '\0';

    return path.len;
}
