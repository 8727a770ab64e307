/*
 * gw_inflate.c - a compressed body is worth no more than its text.
 *
 * Ten kilobytes may hold ten megabytes: without this test a cap that is
 * checked after the fact, or off by one, would let one device take the
 * memory of the whole worker, and a body with its tail cut off would be
 * stored as if it were whole.
 */

#include <zlib.h>

#include "gw_test.h"
#include "gw_inflate.h"


#define GZIP  (15 + 16)
#define ZLIB  15
#define BARE  (-15)

#define ROOM  (12 * 1024 * 1024)


/* what grow() was asked for; memory is exact, so that ASan sees each byte */

typedef struct {
    void      *last;
    size_t     calls;
    size_t     first;
    size_t     max;
    size_t     fail_at;        /* the call that finds no memory, from 1 */
    unsigned   bad;            /* arguments that make no sense */
} gw_inflate_heap_t;


static uint8_t  text[ROOM], packed[ROOM];


static void *
grow(void *ctx, void *old, size_t used, size_t size)
{
    void               *p;
    gw_inflate_heap_t  *heap = ctx;

    heap->calls++;

    if (heap->calls == 1) {
        heap->first = size;
    }

    heap->bad += old != heap->last || used > heap->max || size <= heap->max;
    heap->max = size;

    if (heap->calls == heap->fail_at) {
        return NULL;
    }

    p = malloc(size);
    if (p == NULL) {
        abort();
    }

    if (old) {
        memcpy(p, old, used);
        free(old);
    }

    heap->last = p;

    return p;
}


static size_t
pack(int wbits, const uint8_t *p, size_t len, uint8_t *dst)
{
    size_t    n;
    z_stream  z;

    memset(&z, 0, sizeof(z));

    if (deflateInit2(&z, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        abort();
    }

    z.next_in = (Bytef *) p;
    z.avail_in = (uInt) len;
    z.next_out = dst;
    z.avail_out = (uInt) (packed + ROOM - dst);

    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }

    n = z.total_out;
    deflateEnd(&z);

    return n;
}


/* four random bits in each byte: text that deflates to a little over half */

static void
readings(size_t len)
{
    size_t    at;
    uint32_t  n;

    n = 1;

    for (at = 0; at < len; at++) {
        n = n * 1103515245 + 12345;
        text[at] = (uint8_t) "{\"t\":0123456789,"[n >> 28];
    }
}


static int
run(gw_inflate_e kind, const uint8_t *p, size_t len, size_t max_out,
    unsigned ratio, gw_inflate_heap_t *heap, gw_str_t *out)
{
    memset(heap, 0, sizeof(gw_inflate_heap_t));
    out->data = NULL;
    out->len = 424242;

    return gw_inflate(kind, p, len, max_out, ratio, grow, heap, out);
}


/* the outcome alone, with memory given back */

static int
outcome(gw_inflate_e kind, const uint8_t *p, size_t len, size_t max_out,
    unsigned ratio)
{
    int                rc;
    gw_str_t           out;
    gw_inflate_heap_t  heap;

    rc = run(kind, p, len, max_out, ratio, &heap, &out);

    if (heap.bad || (rc != GW_OK && out.len != 424242)) {
        abort();
    }

    free(heap.last);

    return rc;
}


static int
same(gw_inflate_e kind, size_t packed_len, size_t len, size_t max_out)
{
    int                rc, good;
    gw_str_t           out;
    gw_inflate_heap_t  heap;

    rc = run(kind, guarded(packed, packed_len), packed_len, max_out, 100000,
             &heap, &out);

    good = rc == GW_OK && out.len == len && heap.bad == 0
           && (len == 0 || memcmp(out.data, text, len) == 0);

    free(heap.last);

    return good;
}


static void
round_trips(void)
{
    int     bad;
    size_t  i, len, n;

    static const size_t  sizes[] = {
        0, 1, 2, 100, 4095, 4096, 4097, 8192, 16384, 16385, 65536, 300000
    };

    readings(300000);
    bad = 0;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        len = sizes[i];

        n = pack(GZIP, text, len, packed);
        bad += !same(GW_INFLATE_GZIP, n, len, 1 << 20);

        n = pack(ZLIB, text, len, packed);
        bad += !same(GW_INFLATE_DEFLATE, n, len, 1 << 20);

        n = pack(BARE, text, len, packed);
        bad += !same(GW_INFLATE_DEFLATE, n, len, 1 << 20);
    }

    ok(bad == 0, "texts of 0 to 300000 bytes come back from gzip, zlib and "
       "bare deflate");

    n = pack(GZIP, text, 100, packed);
    ok(outcome(GW_INFLATE_DEFLATE, packed, n, 1000, 20) == GW_ERROR,
       "gzip is not deflate");

    n = pack(ZLIB, text, 100, packed);
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1000, 20) == GW_ERROR,
       "zlib is not gzip");

    n = pack(BARE, text, 100, packed);
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1000, 20) == GW_ERROR,
       "bare deflate is not gzip");

    ok(outcome(GW_INFLATE_GZIP, packed, 0, 1000, 20) == GW_ERROR
       && outcome(GW_INFLATE_DEFLATE, packed, 0, 1000, 20) == GW_ERROR
       && outcome(GW_INFLATE_GZIP, NULL, 0, 1000, 20) == GW_ERROR,
       "an empty input is no stream");

    ok(outcome(GW_INFLATE_GZIP, text, 1000, 1000, 20) == GW_ERROR
       && outcome(GW_INFLATE_DEFLATE, text, 1000, 1000, 20) == GW_ERROR,
       "plain JSON is no stream");
}


static void
memory(void)
{
    int                rc;
    size_t             n, at;
    gw_str_t           out;
    gw_inflate_heap_t  heap;

    readings(300000);

    n = pack(GZIP, text, 1500, packed);
    run(GW_INFLATE_GZIP, packed, n, 1 << 20, 20, &heap, &out);
    is_u64(heap.first, 4096, "a small body begins with 4 kB");
    is_u64(heap.calls, 1, "and that is enough");
    free(heap.last);

    n = pack(GZIP, text, 2000, packed);
    run(GW_INFLATE_GZIP, packed, n, 2500, 20, &heap, &out);
    is_u64(heap.first, 2500, "no more than the cap is asked for");
    free(heap.last);

    n = pack(GZIP, text, 100000, packed);
    run(GW_INFLATE_GZIP, packed, n, 1 << 20, 20, &heap, &out);
    is_u64(heap.first, 4 * n, "a larger body begins with four times itself");
    free(heap.last);

    memset(text, 'a', 200000);
    n = pack(GZIP, text, 200000, packed);
    rc = run(GW_INFLATE_GZIP, packed, n, 1 << 20, 100000, &heap, &out);
    ok(rc == GW_OK && out.len == 200000 && heap.max == 4096 << 6
       && heap.calls == 7, "then it doubles: 4096 reaches 200000 in 6 steps");
    free(heap.last);

    for (at = 1; at <= 7; at++) {
        memset(&heap, 0, sizeof(heap));
        heap.fail_at = at;

        rc = gw_inflate(GW_INFLATE_GZIP, packed, n, 1 << 20, 100000, grow,
                        &heap, &out);

        ok(rc == GW_AGAIN && heap.calls == at,
           "no memory at step %zu is GW_AGAIN", at);
        free(heap.last);
    }
}


static void
output_cap(void)
{
    int     bad;
    size_t  len, n;

    readings(300000);
    bad = 0;

    for (len = 0; len < 600; len++) {
        n = pack(GZIP, text, len, packed);

        bad += outcome(GW_INFLATE_GZIP, packed, n, len, 20) != GW_OK;
        bad += len
               && outcome(GW_INFLATE_GZIP, packed, n, len - 1, 20) != GW_BUSY;

        n = pack(BARE, text, len, packed);

        bad += outcome(GW_INFLATE_DEFLATE, packed, n, len, 20) != GW_OK;
        bad += len
               && outcome(GW_INFLATE_DEFLATE, packed, n, len - 1, 20)
                  != GW_BUSY;
    }

    ok(bad == 0, "0 to 599 bytes pass a cap of exactly them, not one less");

    bad = 0;

    for (len = 4090; len < 4100; len++) {
        n = pack(ZLIB, text, len, packed);

        bad += outcome(GW_INFLATE_DEFLATE, packed, n, len, 20) != GW_OK;
        bad += outcome(GW_INFLATE_DEFLATE, packed, n, len - 1, 20)
               != GW_BUSY;
    }

    ok(bad == 0, "so do sizes around the first buffer");

    n = pack(GZIP, text, 300000, packed);
    ok(outcome(GW_INFLATE_GZIP, packed, n, 300000, 20) == GW_OK
       && outcome(GW_INFLATE_GZIP, packed, n, 299999, 20) == GW_BUSY,
       "and so does a body of many buffers");

    n = pack(GZIP, text, 1000, packed);
    packed[n - 8] ^= 1;
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1000, 20) == GW_ERROR,
       "the check sum is looked at where the text ends at the cap");

    n = pack(GZIP, text, 1000, packed);
    ok(outcome(GW_INFLATE_GZIP, packed, n - 1, 1000, 20) == GW_ERROR,
       "so is the length");
}


static void
ratio_cap(void)
{
    size_t             n, len;
    gw_str_t           out;
    gw_inflate_heap_t  heap;

    memset(text, 0, 1 << 20);

    n = pack(GZIP, text, 4096, packed);
    ok(n < 60 && outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, 20) == GW_OK,
       "%zu bytes may become 4096 whatever the ratio", n);
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, 0) == GW_OK,
       "even a ratio of 0");

    n = pack(GZIP, text, 4097, packed);
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, 20) == GW_BUSY,
       "but not 4097");
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, 1000) == GW_OK,
       "unless the ratio allows it");

    /* a gzip stream whose header is stretched to make the product exact */

    n = pack(GZIP, text, 300000, packed);
    len = 300000;

    ok(n * 1020 > len && n * 500 < len, "zeros deflate about 1000 times");
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, (unsigned) (len / n + 1))
       == GW_OK, "a ratio just above the body's own lets it pass");
    ok(outcome(GW_INFLATE_GZIP, packed, n, 1 << 20, (unsigned) (len / n))
       == (len % n ? GW_BUSY : GW_OK), "one just below does not");

    ok(outcome(GW_INFLATE_GZIP, packed, n, len, UINT32_MAX) == GW_OK
       && outcome(GW_INFLATE_GZIP, packed, n, len - 1, UINT32_MAX) == GW_BUSY,
       "the largest ratio does not wrap around");

    ok(outcome(GW_INFLATE_GZIP, packed, n, len,
               (unsigned) (0x100000000ULL / n + 1)) == GW_OK,
       "nor does one whose product is just above 2^32");

    memset(text, 0, 10 << 20);
    n = pack(GZIP, text, 10 << 20, packed);

    ok(n < 11000, "a bomb: %zu bytes hold 10 MB", n);
    ok(run(GW_INFLATE_GZIP, packed, n, 1 << 30, 20, &heap, &out) == GW_BUSY,
       "it is refused by its ratio");
    ok(heap.max == n * 20, "at 20 times its size, not a byte later");
    free(heap.last);

    ok(run(GW_INFLATE_GZIP, packed, n, 100000, 100000, &heap, &out)
       == GW_BUSY && heap.max == 100000, "and by the cap of its output");
    free(heap.last);

    /* what the first layer yields is handed on as it is */

    n = pack(GZIP, text, 10 << 20, packed);
    len = pack(GZIP, packed, n, packed + n);
    ok(run(GW_INFLATE_GZIP, packed + n, len, 1 << 20, 1000, &heap, &out)
       == GW_OK && out.len == n && out.data[0] == 0x1f,
       "a bomb inside of a bomb is opened once");
    free(heap.last);
}


static void
damage(void)
{
    int     kind, bad, wrong, rc;
    size_t  n, i;

    static const int  wbits[] = { GZIP, ZLIB, BARE };

    readings(700);

    for (kind = 0; kind < 3; kind++) {
        gw_inflate_e  k = kind == 0 ? GW_INFLATE_GZIP : GW_INFLATE_DEFLATE;

        n = pack(wbits[kind], text, 700, packed);
        bad = 0;

        for (i = 0; i < n; i++) {
            bad += outcome(k, guarded(packed, i), i, 100000, 1000)
                   != GW_ERROR;
            bad += outcome(k, guarded(packed, i), i, 700, 1000) != GW_ERROR;
        }

        ok(bad == 0, "kind %d: no prefix of a stream is a stream", kind);

        packed[n] = 0;
        ok(outcome(k, packed, n + 1, 100000, 1000) == GW_ERROR,
           "kind %d: a NUL behind the stream is refused", kind);
        ok(outcome(k, packed, n + 1, 700, 1000) == GW_ERROR,
           "kind %d: also where the text ends at the cap", kind);

        memmove(packed + n, packed, n);
        ok(outcome(k, packed, 2 * n, 100000, 1000) == GW_ERROR,
           "kind %d: a second member is refused", kind);
        ok(outcome(k, packed, 2 * n, 700, 1000) == GW_ERROR,
           "kind %d: also at the cap", kind);
    }

    n = pack(GZIP, text, 700, packed);
    bad = 0;

    for (i = 0; i < 64; i++) {
        packed[n - 8 + i / 8] ^= (uint8_t) (1 << i % 8);
        bad += outcome(GW_INFLATE_GZIP, packed, n, 100000, 1000) != GW_ERROR;
        packed[n - 8 + i / 8] ^= (uint8_t) (1 << i % 8);
    }

    ok(bad == 0, "one flipped bit of CRC or length is seen");

    n = pack(ZLIB, text, 700, packed);
    packed[n - 1] ^= 1;
    ok(outcome(GW_INFLATE_DEFLATE, packed, n, 100000, 1000) == GW_ERROR,
       "one flipped bit of Adler-32, too");
    packed[n - 1] ^= 1;

    /* FDICT, with the header check made good again: 0x78 0xbb */

    packed[0] = 0x78;
    packed[1] = 0xbb;
    ok(outcome(GW_INFLATE_DEFLATE, packed, n, 100000, 1000) == GW_ERROR,
       "a preset dictionary is not to be had");

    n = pack(GZIP, text, 700, packed);
    wrong = 0;

    for (i = 0; i < n * 8; i++) {
        packed[i / 8] ^= (uint8_t) (1 << i % 8);
        rc = outcome(GW_INFLATE_GZIP, guarded(packed, n), n, 100000, 1000);
        packed[i / 8] ^= (uint8_t) (1 << i % 8);

        /*
         * Without meaning: flags, time and system of the header, and the
         * padding of the last byte of deflate, in front of the CRC.
         */

        wrong += rc == GW_OK
                 && (i / 8 < 3 || i / 8 > 9) && i / 8 != n - 9;
    }

    ok(wrong == 0, "no flipped bit passes, but where it means nothing");
}


int
main(void)
{
    round_trips();
    memory();
    output_cap();
    ratio_cap();
    damage();

    return done_testing();
}
