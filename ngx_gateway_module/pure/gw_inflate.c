/*
 * gw_inflate.c - a compressed body, whole, under an output and a ratio cap.
 */

#include "gw_inflate.h"

#include <limits.h>
#include <zlib.h>


/* what a body may always inflate to, whatever its ratio, in bytes */
#define GW_INFLATE_FREE   4096

/* window bits of inflateInit2(): the largest window; +16 is gzip, - is bare */
#define GW_INFLATE_WBITS  15


static size_t gw_inflate_cap(size_t len, size_t max_out, unsigned max_ratio);
static int gw_inflate_wbits(gw_inflate_e kind, const uint8_t *p, size_t len);
static int gw_inflate_run(z_stream *z, size_t size, size_t cap,
    gw_inflate_grow_pt grow, void *ctx, gw_str_t *out);


int
gw_inflate(gw_inflate_e kind, const uint8_t *p, size_t len, size_t max_out,
    unsigned max_ratio, gw_inflate_grow_pt grow, void *ctx, gw_str_t *out)
{
    int       rc;
    size_t    cap, size;
    z_stream  z;

    if (len == 0) {
        return GW_ERROR;
    }

    if (len > UINT_MAX) {
        return GW_BUSY;
    }

    memset(&z, 0, sizeof(z_stream));

    z.next_in = (Bytef *) p;
    z.avail_in = (uInt) len;

    if (inflateInit2(&z, gw_inflate_wbits(kind, p, len)) != Z_OK) {
        return GW_AGAIN;
    }

    cap = gw_inflate_cap(len, max_out, max_ratio);

    /* 4 times is what JSON of devices usually deflates by: no second grow */

    size = len < GW_INFLATE_FREE / 4 ? GW_INFLATE_FREE
           : len < SIZE_MAX / 4 ? len * 4 : SIZE_MAX;

    if (size > cap) {
        size = cap;
    }

    rc = gw_inflate_run(&z, size, cap, grow, ctx, out);

    inflateEnd(&z);

    return rc;
}


static int
gw_inflate_run(z_stream *z, size_t size, size_t cap, gw_inflate_grow_pt grow,
    void *ctx, gw_str_t *out)
{
    int       rc;
    Bytef     extra;
    size_t    room, used;
    uint8_t  *buf;

    buf = NULL;
    used = 0;

    if (size) {
        buf = grow(ctx, NULL, 0, size);
        if (buf == NULL) {
            return GW_AGAIN;
        }
    }

    for ( ;; ) {

        if (used == cap) {

            /*
             * The stream may end here and often still has its check sum to
             * come; that it ends is known when a byte more cannot be had.
             */

            z->next_out = &extra;
            z->avail_out = 1;

            rc = inflate(z, Z_FINISH);

            if (z->avail_out == 0) {
                return GW_BUSY;
            }

        } else {

            if (used == size) {
                size = size > cap / 2 ? cap : size * 2;

                buf = grow(ctx, buf, used, size);
                if (buf == NULL) {
                    return GW_AGAIN;
                }
            }

            room = size - used;

            if (room > UINT_MAX) {
                room = UINT_MAX;
            }

            z->next_out = buf + used;
            z->avail_out = (uInt) room;

            /* all of the input is here: with Z_FINISH zlib needs no window */

            rc = inflate(z, Z_FINISH);

            used += room - z->avail_out;
        }

        if (rc == Z_STREAM_END) {
            break;
        }

        if (rc == Z_MEM_ERROR) {
            return GW_AGAIN;
        }

        /* room left, and yet no end: the input is short */

        if ((rc != Z_OK && rc != Z_BUF_ERROR) || z->avail_out) {
            return GW_ERROR;
        }
    }

    /* a second gzip member is trailing bytes, too */

    if (z->avail_in) {
        return GW_ERROR;
    }

    out->data = buf;
    out->len = used;

    return GW_OK;
}


static size_t
gw_inflate_cap(size_t len, size_t max_out, unsigned max_ratio)
{
    size_t  cap;

    cap = max_ratio && len > SIZE_MAX / max_ratio ? SIZE_MAX : len * max_ratio;

    if (cap < GW_INFLATE_FREE) {
        cap = GW_INFLATE_FREE;
    }

    return cap < max_out ? cap : max_out;
}


/*
 * RFC 1950 section 2.2: method 8, a window up to 32 kB, and the two bytes a
 * multiple of 31.  A bare stream that began like this would be a stored block
 * with padding bits that are not 0, which no encoder writes.
 */

static int
gw_inflate_wbits(gw_inflate_e kind, const uint8_t *p, size_t len)
{
    if (kind == GW_INFLATE_GZIP) {
        return GW_INFLATE_WBITS + 16;
    }

    if (len >= 2 && (p[0] & 0x0f) == 8 && p[0] >> 4 <= 7
        && (p[0] << 8 | p[1]) % 31 == 0)
    {
        return GW_INFLATE_WBITS;
    }

    return -GW_INFLATE_WBITS;
}
