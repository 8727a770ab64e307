/*
 * gw_ws.c - see gw_ws.h.
 *
 * The head of a frame is taken a byte at a time and judged as soon as a byte
 * decides, so that the verdict never depends on how TCP cut the stream.
 * Payload of data stays where it is; that of a control frame is gathered in
 * the state, as its parts may come in different buffers.
 */

#include "gw_base64.h"
#include "gw_ws.h"


/* 5.2 */

#define GW_WS_FIN       0x80
#define GW_WS_RSV       0x70
#define GW_WS_MASK      0x80
#define GW_WS_LEN       0x7f
#define GW_WS_LEN16     126
#define GW_WS_LEN64     127
#define GW_WS_SIGN      ((uint64_t) 1 << 63)

#define GW_WS_O_CONT    0x0
#define GW_WS_O_TEXT    0x1
#define GW_WS_O_BINARY  0x2
#define GW_WS_O_CLOSE   0x8
#define GW_WS_O_PING    0x9
#define GW_WS_O_PONG    0xa
#define GW_WS_O_NONE    0xff

#define GW_WS_O_CONTROL  0x8   /* bit of the opcodes of 5.5 */


static int gw_ws_head(gw_ws_t *ws, uint8_t c);
static int gw_ws_head_first(gw_ws_t *ws, uint8_t c);
static int gw_ws_head_length(gw_ws_t *ws, unsigned n);
static void gw_ws_frame_end(gw_ws_t *ws);
static void gw_ws_unmask(gw_ws_t *ws, uint8_t *p, size_t len);
static gw_ws_event_e gw_ws_control(gw_ws_t *ws, gw_str_t *out);
static int gw_ws_close_check(gw_ws_t *ws, const uint8_t *p, size_t len);
static int gw_ws_close_code(unsigned code);
static int gw_ws_utf8(const uint8_t *p, size_t len);
static int gw_ws_fail(gw_ws_t *ws, gw_ws_close_e error);


void
gw_ws_init(gw_ws_t *ws, uint32_t max)
{
    memset(ws, 0, sizeof(gw_ws_t));

    ws->max = max;
    ws->opcode = GW_WS_O_NONE;
}


gw_ws_event_e
gw_ws_read(gw_ws_t *ws, uint8_t *p, size_t *len, gw_str_t *out)
{
    size_t  at, n;

    if (ws->error) {
        *len = 0;
        return GW_WS_ERROR;
    }

    if (ws->closed) {
        return GW_WS_MORE;
    }

    at = 0;

    for ( ;; ) {

        if (ws->opcode == GW_WS_O_NONE) {

            if (at == *len) {
                return GW_WS_MORE;
            }

            if (gw_ws_head(ws, p[at++]) != GW_OK) {
                *len = at;
                return GW_WS_ERROR;
            }

            continue;
        }

        n = *len - at;

        if (n > ws->left) {
            n = (size_t) ws->left;
        }

        if (ws->opcode & GW_WS_O_CONTROL) {

            if (n) {
                memcpy(ws->text + ws->control, p + at, n);
                gw_ws_unmask(ws, ws->text + ws->control, n);

                ws->control += (uint8_t) n;
                ws->left -= n;
                at += n;
            }

            if (ws->left) {
                return GW_WS_MORE;
            }

            *len = at;

            return gw_ws_control(ws, out);
        }

        if (ws->left == 0) {
            gw_ws_frame_end(ws);
            continue;
        }

        if (n == 0) {
            return GW_WS_MORE;
        }

        gw_ws_unmask(ws, p + at, n);

        out->data = p + at;
        out->len = n;

        *len = at + n;
        ws->left -= n;

        if (ws->left == 0) {
            gw_ws_frame_end(ws);
        }

        return GW_WS_DATA;
    }
}


int
gw_ws_between(const gw_ws_t *ws)
{
    return ws->opcode == GW_WS_O_NONE && ws->have == 0;
}


size_t
gw_ws_header(uint8_t *dst, uint64_t len)
{
    size_t    n, i;

    dst[0] = GW_WS_FIN | GW_WS_O_BINARY;

    if (len < GW_WS_LEN16) {
        dst[1] = (uint8_t) len;
        return 2;
    }

    if (len <= 0xffff) {
        dst[1] = GW_WS_LEN16;
        n = 2 + 2;

    } else {
        dst[1] = GW_WS_LEN64;
        n = 2 + 8;
    }

    for (i = n; i > 2; i--) {
        dst[i - 1] = (uint8_t) len;
        len >>= 8;
    }

    return n;
}


size_t
gw_ws_pong(uint8_t *dst, const gw_str_t *payload)
{
    dst[0] = GW_WS_FIN | GW_WS_O_PONG;
    dst[1] = (uint8_t) payload->len;

    if (payload->len) {
        memcpy(dst + 2, payload->data, payload->len);
    }

    return 2 + payload->len;
}


size_t
gw_ws_close(uint8_t *dst, gw_ws_close_e code)
{
    dst[0] = GW_WS_FIN | GW_WS_O_CLOSE;

    if (code == GW_WS_NONE) {
        dst[1] = 0;
        return 2;
    }

    dst[1] = 2;
    dst[2] = (uint8_t) (code >> 8);
    dst[3] = (uint8_t) code;

    return 4;
}


void
gw_ws_accept(const uint8_t *sha1, uint8_t *dst)
{
    size_t  i, n;

    n = gw_base64url_encode(sha1, 20, dst);

    /* to the alphabet of RFC 4648 section 4 */

    for (i = 0; i < n; i++) {
        if (dst[i] == '-') {
            dst[i] = '+';

        } else if (dst[i] == '_') {
            dst[i] = '/';
        }
    }

    dst[n] = '=';
}


int
gw_ws_key_valid(const gw_str_t *key)
{
    size_t   n;
    uint8_t  value[gw_base64_decoded(GW_WS_KEY_LEN)];

    if (key->len != GW_WS_KEY_LEN
        || gw_base64_decode(key->data, key->len, value, &n) != GW_OK
        || n != 16)
    {
        return GW_ERROR;
    }

    return GW_OK;
}


/* one more byte; with the last of the head the frame has begun */

static int
gw_ws_head(gw_ws_t *ws, uint8_t c)
{
    unsigned  n;

    ws->head[ws->have++] = c;

    if (ws->have == 1) {
        return gw_ws_head_first(ws, c);
    }

    if (ws->have == 2 && !(c & GW_WS_MASK)) {
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }

    switch (ws->head[1] & GW_WS_LEN) {

    case GW_WS_LEN16:
        n = 2;
        break;

    case GW_WS_LEN64:
        n = 8;
        break;

    default:
        n = 0;
        break;
    }

    /* 5.5: no longer form for a control frame */

    if (n && ws->head[0] & GW_WS_O_CONTROL) {
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }

    if (ws->have == 2 + n) {
        return gw_ws_head_length(ws, n);
    }

    if (ws->have == 2 + n + sizeof(ws->mask)) {
        memcpy(ws->mask, ws->head + 2 + n, sizeof(ws->mask));

        ws->at = 0;
        ws->control = 0;
        ws->final = (ws->head[0] & GW_WS_FIN) != 0;
        ws->opcode = ws->head[0] & 0x0f;
    }

    return GW_OK;
}


static int
gw_ws_head_first(gw_ws_t *ws, uint8_t c)
{
    if (c & GW_WS_RSV) {
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }

    switch (c & 0x0f) {

    case GW_WS_O_CONT:
        return ws->within ? GW_OK : gw_ws_fail(ws, GW_WS_PROTOCOL);

    case GW_WS_O_TEXT:
        return gw_ws_fail(ws, ws->within ? GW_WS_PROTOCOL
                                         : GW_WS_UNACCEPTABLE);

    case GW_WS_O_BINARY:
        return ws->within ? gw_ws_fail(ws, GW_WS_PROTOCOL) : GW_OK;

    case GW_WS_O_CLOSE:
    case GW_WS_O_PING:
    case GW_WS_O_PONG:
        return c & GW_WS_FIN ? GW_OK : gw_ws_fail(ws, GW_WS_PROTOCOL);

    default:
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }
}


/* n: bytes of the extended length, which stand behind the first two */

static int
gw_ws_head_length(gw_ws_t *ws, unsigned n)
{
    unsigned  i;
    uint64_t  len;

    len = 0;

    for (i = 0; i < n; i++) {
        len = len << 8 | ws->head[2 + i];
    }

    if (n == 0) {
        len = ws->head[1] & GW_WS_LEN;

    } else if (len < GW_WS_LEN16 || (n == 8 && len <= 0xffff)
               || len & GW_WS_SIGN)
    {
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }

    if (!(ws->head[0] & GW_WS_O_CONTROL) && len > ws->max) {
        return gw_ws_fail(ws, GW_WS_TOO_LARGE);
    }

    ws->left = len;

    return GW_OK;
}


static void
gw_ws_frame_end(gw_ws_t *ws)
{
    if (!(ws->opcode & GW_WS_O_CONTROL)) {
        ws->within = !ws->final;
    }

    ws->have = 0;
    ws->opcode = GW_WS_O_NONE;
}


/* 5.3: byte i of a payload belongs to byte i modulo 4 of the mask */

static void
gw_ws_unmask(gw_ws_t *ws, uint8_t *p, size_t len)
{
    size_t    i, k;
    uint8_t   mask[8];
    uint64_t  m, v;

    for (i = 0; i < 8; i++) {
        mask[i] = ws->mask[(ws->at + i) & 3];
    }

    ws->at = (uint8_t) ((ws->at + len) & 3);

    memcpy(&m, mask, 8);

    for (i = 0; len - i >= 8; i += 8) {
        memcpy(&v, p + i, 8);
        v ^= m;
        memcpy(p + i, &v, 8);
    }

    for (k = 0; i < len; i++, k++) {
        p[i] ^= mask[k];
    }
}


static gw_ws_event_e
gw_ws_control(gw_ws_t *ws, gw_str_t *out)
{
    gw_ws_event_e  event;

    out->data = ws->text;
    out->len = ws->control;

    switch (ws->opcode) {

    case GW_WS_O_PING:
        event = GW_WS_PING;
        break;

    case GW_WS_O_PONG:
        event = GW_WS_PONG;
        break;

    default: /* GW_WS_O_CLOSE */

        if (gw_ws_close_check(ws, out->data, out->len) != GW_OK) {
            return GW_WS_ERROR;
        }

        ws->closed = 1;
        event = GW_WS_CLOSE;
    }

    gw_ws_frame_end(ws);

    return event;
}


static int
gw_ws_close_check(gw_ws_t *ws, const uint8_t *p, size_t len)
{
    if (len == 0) {
        return GW_OK;
    }

    if (len == 1 || !gw_ws_close_code((unsigned) p[0] << 8 | p[1])) {
        return gw_ws_fail(ws, GW_WS_PROTOCOL);
    }

    if (gw_ws_utf8(p + 2, len - 2) != GW_OK) {
        return gw_ws_fail(ws, GW_WS_INVALID);
    }

    return GW_OK;
}


/*
 * 7.4.1, 7.4.2: 1004 has no meaning; 1005, 1006 and 1015 are never sent; the
 * rest of 1000 to 2999 is for the registry, which now ends with 1014.
 */

static int
gw_ws_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
           || (code >= 3000 && code <= 4999);
}


/* RFC 3629 section 4; unlike strings of MQTT it has U+0000 */

static int
gw_ws_utf8(const uint8_t *p, size_t len)
{
    size_t    i, n, k;
    uint8_t   low, high;

    for (i = 0; i < len; i += n) {

        low = 0x80;
        high = 0xbf;

        if (p[i] < 0x80) {
            n = 1;

        } else if (p[i] < 0xc2) {
            return GW_ERROR;

        } else if (p[i] < 0xe0) {
            n = 2;

        } else if (p[i] < 0xf0) {
            n = 3;
            low = p[i] == 0xe0 ? 0xa0 : 0x80;
            high = p[i] == 0xed ? 0x9f : 0xbf;

        } else if (p[i] < 0xf5) {
            n = 4;
            low = p[i] == 0xf0 ? 0x90 : 0x80;
            high = p[i] == 0xf4 ? 0x8f : 0xbf;

        } else {
            return GW_ERROR;
        }

        if (n > len - i) {
            return GW_ERROR;
        }

        for (k = 1; k < n; k++) {

            if (p[i + k] < low || p[i + k] > high) {
                return GW_ERROR;
            }

            low = 0x80;
            high = 0xbf;
        }
    }

    return GW_OK;
}


static int
gw_ws_fail(gw_ws_t *ws, gw_ws_close_e error)
{
    ws->error = error;

    return GW_ERROR;
}
