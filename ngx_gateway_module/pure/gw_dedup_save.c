/*
 * gw_dedup_save.c - see gw_dedup.h: windows as bytes that outlive the shared
 * memory, and back.
 *
 * A file that is damaged and taken all the same would answer "duplicate" to
 * messages that were never here, so all of it is checksummed, and what the
 * checksum says is right must hold every invariant besides.
 */

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gw_dedup_layout.h"


typedef struct {
    uint64_t  layout;
    uint32_t  width;
    uint32_t  nbuckets;
    uint32_t  windows;
    uint32_t  now;
    uint64_t  len;
    uint64_t  body;            /* checksum */
    uint64_t  reserved[2];
    uint64_t  header;          /* checksum of all before it */
} gw_dedup_header_t;


typedef char  gw_dedup_header_size[sizeof(gw_dedup_header_t)
                                   == GW_DEDUP_HEADER ? 1 : -1];


static const char *gw_dedup_refused(const gw_dedup_t *d,
    const gw_dedup_header_t *h, const uint8_t *body, size_t len);


void
gw_dedup_seal(const gw_dedup_t *d, uint32_t now, uint8_t *header,
    const uint8_t **body, size_t *len)
{
    gw_dedup_header_t  h;

    *body = gw_dedup_bucket(d, 0);
    *len = (size_t) d->nbuckets * d->bucket;

    memset(&h, 0, sizeof(h));

    h.layout = GW_DEDUP_LAYOUT;
    h.width = d->width;
    h.nbuckets = d->nbuckets;
    h.windows = d->stats.windows;
    h.now = now;
    h.len = *len;
    h.body = XXH3_64bits(*body, *len);
    h.header = XXH3_64bits(&h, offsetof(gw_dedup_header_t, header));

    memcpy(header, &h, sizeof(h));
}


int
gw_dedup_load(gw_dedup_t *d, const uint8_t *header, const uint8_t *body,
    size_t len, uint32_t now, const char **why)
{
    uint32_t            at;
    gw_dedup_header_t   h;
    gw_dedup_window_t  *w;

    memcpy(&h, header, sizeof(h));

    *why = gw_dedup_refused(d, &h, body, len);

    if (*why) {
        return GW_ERROR;
    }

    memcpy(gw_dedup_bucket(d, 0), body, len);

    for (at = 0; at < d->nbuckets * GW_DEDUP_WAYS; at++) {
        w = gw_dedup_window(d, at);

        /* ages go on; modulo 2^32, as they are reckoned */

        w->used += now - h.now;
        w->head &= ~GW_DEDUP_HEAD_JUMP;
    }

    gw_dedup_recount(d);

    if (gw_dedup_check(d)) {
        memset(gw_dedup_bucket(d, 0), 0, len);
        gw_dedup_recount(d);

        *why = "holds windows that cannot be";
        return GW_ERROR;
    }

    return GW_OK;
}


static const char *
gw_dedup_refused(const gw_dedup_t *d, const gw_dedup_header_t *h,
    const uint8_t *body, size_t len)
{
    if (h->layout != GW_DEDUP_LAYOUT) {
        return "is of another version";
    }

    if (h->header != XXH3_64bits(h, offsetof(gw_dedup_header_t, header))) {
        return "has a damaged header";
    }

    if (h->width != d->width || h->nbuckets != d->nbuckets) {
        return "is of another size or window";
    }

    if (h->len != len || len != (size_t) d->nbuckets * d->bucket) {
        return "is too short or too long";
    }

    return h->body == XXH3_64bits(body, len) ? NULL : "is damaged";
}
