/*
 * Fuzz target: frames of RFC 6455.  Unseen breakage would be a verdict that
 * depends on where TCP cut the stream, a mask that loses its place, payload
 * that is not the client's, or a byte touched outside of what came.
 *
 * The input: two bytes that choose the largest frame and how the stream is
 * cut, then the stream.  A second reader, which has all of it at hand, must
 * tell the same events, payload, error and bytes used as the reader that gets
 * it whole, cut at random, and in single bytes; each piece is memory of its
 * own, of which payload may be changed and nothing else.
 */

#include "fuzz.h"
#include "gw_ws.h"


#define SIZE_MAX_  8192


/*
 * What was told: 'D' for each byte of payload and the byte; else the letter
 * of the event, its length and its bytes.
 */

typedef struct {
    uint8_t  said[4 * SIZE_MAX_ + 64];
    size_t   n;
    size_t   used;
    int      error;
} told_t;


static told_t    want, got;
static uint64_t  dice_state;


static size_t
dice(size_t n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (size_t) (dice_state >> 33) % n;
}


static void
say(told_t *t, uint8_t letter, const uint8_t *p, size_t len)
{
    fuzz_promise(t->n + len + 2 <= sizeof(t->said), "more told than came");

    t->said[t->n++] = letter;
    t->said[t->n++] = (uint8_t) len;

    if (len) {
        memcpy(t->said + t->n, p, len);
    }

    t->n += len;
}


static void
say_data(told_t *t, const uint8_t *p, size_t len)
{
    size_t  i;

    fuzz_promise(t->n + 2 * len <= sizeof(t->said), "more told than came");

    for (i = 0; i < len; i++) {
        t->said[t->n++] = 'D';
        t->said[t->n++] = p[i];
    }
}


/* RFC 3629 by its meaning: decode, then ask for the shortest form */

static int
is_utf8(const uint8_t *p, size_t len)
{
    size_t    i, n, k;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < len; i += n + 1) {
        n = p[i] >> 7 == 0 ? 0 : p[i] >> 5 == 6 ? 1
            : p[i] >> 4 == 14 ? 2 : p[i] >> 3 == 30 ? 3 : 9;

        if (n == 9 || n >= len - i) {
            return 0;
        }

        c = n ? p[i] & (0x3fu >> n) : p[i];

        for (k = 1; k <= n; k++) {
            if (p[i + k] >> 6 != 2) {
                return 0;
            }

            c = c << 6 | (p[i + k] & 0x3f);
        }

        if (c < least[n] || c > 0x10ffff || c >> 11 == 0x1b) {
            return 0;
        }
    }

    return 1;
}


static int
close_error(const uint8_t *p, size_t len)
{
    unsigned  code;

    if (len == 0) {
        return 0;
    }

    code = len == 1 ? 0 : (unsigned) p[0] * 256 + p[1];

    if (code < 1000 || code > 4999 || (code > 1014 && code < 3000)
        || (code > 1003 && code < 1007))
    {
        return GW_WS_PROTOCOL;
    }

    return is_utf8(p + 2, len - 2) ? 0 : GW_WS_INVALID;
}


/* frame by frame, out of the whole stream; *at: bytes used */

static int
second_frame(told_t *t, const uint8_t *p, size_t len, size_t *at,
    uint32_t max, int *within, int *closed)
{
    int       control, op;
    size_t    i, n, have, from;
    uint8_t   payload[SIZE_MAX_];
    uint64_t  size, least;

    from = *at;
    have = len - from;
    p += from;

    *at = from + 1;
    op = p[0] & 0x0f;
    control = op >= 8;

    if (p[0] & 0x70 || (op > 2 && op < 8) || op > 10
        || (control && p[0] < 0x80) || (!control && (op == 0) != *within))
    {
        return GW_WS_PROTOCOL;
    }

    if (op == 1) {
        return GW_WS_UNACCEPTABLE;
    }

    if (have < 2) {
        return 0;
    }

    *at = from + 2;
    size = p[1] & 0x7f;
    n = size < 126 ? 0 : size == 126 ? 2 : 8;
    least = n == 0 ? 0 : n == 2 ? 126 : 65536;

    if (p[1] < 0x80 || (control && n)) {
        return GW_WS_PROTOCOL;
    }

    if (have < 2 + n) {
        *at = len;
        return 0;
    }

    if (n) {
        size = 0;

        for (i = 0; i < n; i++) {
            size = size * 256 + p[2 + i];
        }
    }

    *at = from + 2 + n;

    if (size < least || size >> 63) {
        return GW_WS_PROTOCOL;
    }

    if (!control && size > max) {
        return GW_WS_TOO_LARGE;
    }

    n += 6;

    if (have < n) {
        *at = len;
        return 0;
    }

    have -= n;

    if (have > size) {
        have = (size_t) size;
    }

    *at = from + n + have;

    for (i = 0; i < have; i++) {
        payload[i] = p[n + i] ^ p[n - 4 + i % 4];
    }

    if (!control) {
        say_data(t, payload, have);
        *within = p[0] < 0x80;
        return 0;
    }

    if (have < size) {
        return 0;
    }

    if (op == 8) {
        if (close_error(payload, have)) {
            return close_error(payload, have);
        }

        *closed = 1;
    }

    say(t, "CPQ"[op - 8], payload, have);

    return 0;
}


static void
second(told_t *t, const uint8_t *p, size_t len, uint32_t max)
{
    int     within, closed;
    size_t  at;

    memset(t, 0, sizeof(told_t));
    within = 0;
    closed = 0;
    at = 0;

    while (at < len && !closed && !t->error) {
        t->error = second_frame(t, p, len, &at, max, &within, &closed);
    }

    t->used = closed ? len : at;
}


static int
one_piece(gw_ws_t *ws, told_t *t, const uint8_t *p, size_t len)
{
    size_t          at, i, n;
    gw_str_t        out;
    fuzz_copy_t     piece;
    gw_ws_event_e   event;

    static uint8_t  outside[SIZE_MAX_];

    piece = fuzz_copy(p, len);
    memset(outside, 1, len);
    at = 0;

    do {
        n = len - at;
        out.data = NULL;
        out.len = 0;
        event = gw_ws_read(ws, piece.data + at, &n, &out);

        fuzz_promise(n <= len - at, "more used than given");
        fuzz_promise(n || event == GW_WS_MORE, "an event out of nothing");

        switch (event) {

        case GW_WS_DATA:
            fuzz_promise(out.len && out.data >= piece.data + at
                         && out.data + out.len == piece.data + at + n,
                         "payload is not what was used last");
            memset(outside + (out.data - piece.data), 0, out.len);
            say_data(t, out.data, out.len);
            break;

        case GW_WS_MORE:
            fuzz_promise(n == len - at, "more is wanted, but some is left");
            break;

        case GW_WS_ERROR:
            fuzz_promise(ws->error != 0, "an error without its code");
            t->error = (int) ws->error;
            break;

        default:
            fuzz_promise(out.len <= GW_WS_CONTROL_MAX, "a long control frame");
            say(t, event == GW_WS_CLOSE ? 'C'
                   : event == GW_WS_PING ? 'P' : 'Q', out.data, out.len);
        }

        at += n;
        t->used += n;

    } while (event != GW_WS_MORE && event != GW_WS_ERROR);

    for (i = 0; i < len; i++) {
        fuzz_promise(!outside[i] || piece.data[i] == p[i],
                     "byte %zu is no payload and was changed", i);
    }

    fuzz_free(&piece);

    return event == GW_WS_ERROR;
}


/* most: bytes of a piece; 0: all of them */

static void
same(const uint8_t *p, size_t len, uint32_t max, size_t most,
    const char *how)
{
    size_t   at, n;
    gw_ws_t  ws;

    memset(&got, 0, sizeof(got));
    memset(&ws, 0x5a, sizeof(ws));
    gw_ws_init(&ws, max);

    for (at = 0; at < len; at += n) {
        n = most == 0 ? len : most == 1 ? 1 : dice(most);

        if (n > len - at) {
            n = len - at;
        }

        if (one_piece(&ws, &got, p + at, n)) {
            break;
        }
    }

    fuzz_promise(got.n == want.n && memcmp(got.said, want.said, got.n) == 0,
                 "%s: other events", how);
    fuzz_promise(got.error == want.error, "%s: error %d, not %d", how,
                 got.error, want.error);
    fuzz_promise(got.used == want.used, "%s: %zu bytes used, not %zu", how,
                 got.used, want.used);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t  max;

    static const uint32_t  most[] = { 0, 5, 125, 126, 1000, 65535, 65536,
                                      UINT32_MAX };

    if (size < 2 || size > SIZE_MAX_) {
        return 0;
    }

    max = most[data[0] & 7];
    dice_state = fuzz_hash(data, size);

    second(&want, data + 2, size - 2, max);

    same(data + 2, size - 2, max, 0, "whole");
    same(data + 2, size - 2, max, 1, "in single bytes");
    same(data + 2, size - 2, max, 2 + data[1], "cut at random");

    return 0;
}
