/*
 * Fuzz target: a compressed body.  Unseen breakage would be a small body that
 * fills the memory, bytes behind the stream that are taken for granted, or a
 * text that differs from what was compressed.
 *
 * The first byte of the input chooses the format (bit 0), the cap (bits 1-3),
 * the ratio (bits 4-6) and whether the last memory is refused (bit 7); the
 * rest is the body.  zlib, in one call and with room for everything, says
 * what the body is; gw_inflate() must say the same under its caps.  A mutator
 * of its own changes the text and compresses it again, for a changed check sum
 * would be all that is ever found.
 */

#include <limits.h>
#include <zlib.h>

#include "fuzz.h"
#include "gw_inflate.h"


#define ROOM  (4 << 20)   /* above what INPUT_MAX bytes can give */
#define INPUT_MAX  2048
#define FREE  4096


size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
    unsigned seed);


typedef struct {
    size_t    cap;
    size_t    size;
    unsigned  calls;
    unsigned  refuse;      /* the call that gets no memory; 0: none */
    uint8_t  *mem;
} memory_t;


typedef struct {
    int       rc;          /* Z_STREAM_END: whole */
    size_t    len;         /* of what came out, whole or not */
    size_t    left;        /* bytes behind the stream */
} second_t;


static const size_t  caps[8] = {
    0, 1, 100, FREE - 1, FREE, 10000, 65536, SIZE_MAX
};

static const unsigned  ratios[8] = {
    0, 1, 2, 10, 100, 1000, 1032, UINT_MAX
};

static uint8_t  room[ROOM];


/* each one of malloc's own, of the size asked for */

static void *
grow(void *ctx, void *old, size_t used, size_t size)
{
    uint8_t   *mem;
    memory_t  *m = ctx;

    fuzz_promise(size <= m->cap && size > m->size && used <= m->size,
                 "asks for %zu, of them used %zu; it has %zu, the cap is %zu",
                 size, used, m->size, m->cap);
    fuzz_promise(old == m->mem, "old is not what it was given");

    if (++m->calls == m->refuse) {
        return NULL;
    }

    mem = malloc(size);
    if (mem == NULL) {
        abort();
    }

    if (used) {
        memcpy(mem, old, used);
    }

    free(m->mem);
    m->mem = mem;
    m->size = size;

    return mem;
}


static second_t
one_shot(const uint8_t *p, size_t len, int wbits)
{
    second_t  s;
    z_stream  z;

    memset(&z, 0, sizeof(z));

    if (inflateInit2(&z, wbits) != Z_OK) {
        abort();
    }

    z.next_in = (Bytef *) (uintptr_t) p;
    z.avail_in = (uInt) len;
    z.next_out = room;
    z.avail_out = ROOM;

    s.rc = inflate(&z, Z_FINISH);
    s.len = ROOM - z.avail_out;
    s.left = z.avail_in;

    inflateEnd(&z);

    return s;
}


/* is there a zlib header?  zlib itself says so, of the first two bytes */

static int
has_header(const uint8_t *p, size_t len)
{
    int       rc;
    uint8_t   out;
    z_stream  z;

    if (len < 2) {
        return 0;
    }

    memset(&z, 0, sizeof(z));

    if (inflateInit2(&z, 15) != Z_OK) {
        abort();
    }

    z.next_in = (Bytef *) (uintptr_t) p;
    z.avail_in = 2;
    z.next_out = &out;
    z.avail_out = 1;

    rc = inflate(&z, Z_NO_FLUSH);
    inflateEnd(&z);

    return rc != Z_DATA_ERROR;
}


static size_t
cap_of(size_t len, size_t max_out, unsigned ratio)
{
    size_t  cap;

    cap = len * ratio;

    if (cap < FREE) {
        cap = FREE;
    }

    return cap < max_out ? cap : max_out;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            rc, want, wbits;
    size_t         cap;
    gw_str_t       out;
    memory_t       m;
    second_t       s;
    unsigned       flags;
    fuzz_copy_t    copy;
    gw_inflate_e   kind;

    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }

    flags = data[0];
    copy = fuzz_copy(data + 1, size - 1);

    kind = flags & 1 ? GW_INFLATE_DEFLATE : GW_INFLATE_GZIP;
    cap = cap_of(copy.len, caps[flags >> 1 & 7], ratios[flags >> 4 & 7]);

    memset(&m, 0, sizeof(m));
    m.cap = cap;
    m.refuse = flags & 0x80 ? 1 + fuzz_hash(data, size) % 3 : 0;

    out.data = room;
    out.len = 12345;

    rc = gw_inflate(kind, copy.data, copy.len, caps[flags >> 1 & 7],
                    ratios[flags >> 4 & 7], grow, &m, &out);

    wbits = kind == GW_INFLATE_GZIP ? 15 + 16
            : has_header(copy.data, copy.len) ? 15 : -15;

    s = one_shot(copy.data, copy.len, wbits);

    if (m.refuse && m.calls >= m.refuse) {
        want = GW_AGAIN;

    } else if (copy.len == 0) {
        want = GW_ERROR;

    } else if (s.len > cap) {
        want = GW_BUSY;

    } else if (s.rc != Z_STREAM_END || s.left) {
        want = GW_ERROR;

    } else {
        want = GW_OK;
    }

    fuzz_promise(rc == want, "returns %d, not %d; zlib: %d, %zu bytes, %zu "
                 "left; the cap is %zu", rc, want, s.rc, s.len, s.left, cap);

    if (rc == GW_OK) {
        fuzz_promise(out.len == s.len && out.data == m.mem
                     && (s.len == 0 || memcmp(out.data, room, s.len) == 0),
                     "another text of %zu bytes, not %zu", out.len, s.len);

    } else {
        fuzz_promise(out.data == room && out.len == 12345,
                     "out is set with %d", rc);
    }

    free(m.mem);
    fuzz_free(&copy);

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t    len;
    second_t  s;
    z_stream  z;

    static uint8_t  text[1 << 16];

    if (size < 2 || size > max || seed % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    s = one_shot(data + 1, size - 1, data[0] & 1 ? -15 : 15 + 16);

    if (s.rc != Z_STREAM_END && (data[0] & 1)) {
        s = one_shot(data + 1, size - 1, 15);
    }

    if (s.rc != Z_STREAM_END || s.len > sizeof(text)) {
        return LLVMFuzzerMutate(data, size, max);
    }

    memcpy(text, room, s.len);
    len = LLVMFuzzerMutate(text, s.len, sizeof(text));

    memset(&z, 0, sizeof(z));

    if (deflateInit2(&z, (int) (seed >> 1) % 10, Z_DEFLATED,
                     data[0] & 1 ? (seed & 0x100 ? -15 : 15) : 15 + 16, 8,
                     (int) (seed >> 9) % 5)
        != Z_OK)
    {
        abort();
    }

    z.next_in = text;
    z.avail_in = (uInt) len;
    z.next_out = data + 1;
    z.avail_out = (uInt) (max - 1);

    /* no room: what fits is a stream cut short */

    (void) deflate(&z, Z_FINISH);
    size = max - z.avail_out;
    deflateEnd(&z);

    if (seed & 0x2000) {
        data[0] ^= (uint8_t) (seed >> 14);
    }

    return size;
}
