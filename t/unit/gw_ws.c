/*
 * gw_ws.c - frames of RFC 6455 to a stream of bytes, by its sections.
 *
 * A browser or a proxy cuts the stream where it likes.  Without this test a
 * mask that loses its place at a cut would turn a client's messages into
 * noise for one connection in a thousand; a control frame between fragments
 * would end up inside an MQTT packet; and a frame that has to be refused
 * would be read by us otherwise than by the proxy in front.
 */

#include "gw_test.h"
#include "gw_ws.h"


#define MAX      100000        /* payload of a frame, unless a test says */
#define LOG_MAX  (1 << 19)


typedef struct {
    uint8_t  *p;
    size_t    len;
} stream_t;


/* what came out: events as text, "D5[hello] P0[] C2[..] E1002"; the pieces of
   payload between two other events are one D */

typedef struct {
    char      text[4096];
    uint8_t  *data;            /* all payload of data */
    size_t    len;
    size_t    used;            /* bytes of the input */
    size_t    pieces;
    unsigned  outside;         /* payload that is not within the input */
} result_t;


static uint8_t   wire[LOG_MAX + 64];
static stream_t  out = { wire, 0 };
static uint64_t  dice_state = 6455;


static unsigned
dice(unsigned n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (dice_state >> 33) % n;
}


static void
put(const void *p, size_t len)
{
    if (out.len + len > sizeof(wire)) {
        abort();
    }

    if (len) {
        memcpy(out.p + out.len, p, len);
    }

    out.len += len;
}


/* a frame of a client, its length written in `form` bytes: 0, 2 or 8 */

static void
frame_as(unsigned first, unsigned form, uint64_t said, const void *payload,
    size_t len, const char *mask)
{
    size_t    i;
    uint8_t   head[10];
    unsigned  k;

    head[0] = (uint8_t) first;
    head[1] = (uint8_t) (0x80 | (form == 8 ? 127 : form == 2 ? 126 : said));

    for (k = 0; k < form; k++) {
        head[2 + k] = (uint8_t) (said >> 8 * (form - 1 - k));
    }

    put(head, 2 + form);
    put(mask, 4);
    put(payload, len);

    for (i = 0; i < len; i++) {
        out.p[out.len - len + i] ^= (uint8_t) mask[i % 4];
    }
}


static void
frame(unsigned first, const void *payload, size_t len)
{
    frame_as(first, len < 126 ? 0 : len < 65536 ? 2 : 8, len, payload, len,
             "\x9b\x01\xfe\x37");
}


static void
begin(void)
{
    out.len = 0;
}


static void
say(result_t *r, char letter, const uint8_t *p, size_t len)
{
    size_t  i, at;

    at = strlen(r->text);

    if (at + 4 * len + 32 > sizeof(r->text)) {
        return;
    }

    at += (size_t) sprintf(r->text + at, "%s%c%zu[", at ? " " : "", letter,
                           len);

    for (i = 0; i < len; i++) {
        at += (size_t) sprintf(r->text + at,
                               p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\%02x",
                               p[i]);
    }

    strcpy(r->text + at, "]");
}


/* the stream in pieces, each a copy that ends where a page ends */

static void
feed(gw_ws_t *ws, result_t *r, const uint8_t *p, const size_t *cuts,
    unsigned ncuts)
{
    size_t          from, to, at, len, said;
    uint8_t        *piece;
    unsigned        k;
    gw_str_t        o;
    gw_ws_event_e   event;
    static uint8_t  data[LOG_MAX];

    memset(r, 0, sizeof(result_t));
    r->data = data;
    said = 0;
    from = 0;

    for (k = 0; k <= ncuts; k++, from = to) {
        to = k < ncuts ? cuts[k] : out.len;
        piece = guarded(p + from, to - from);
        at = 0;

        for ( ;; ) {
            len = to - from - at;
            event = gw_ws_read(ws, piece + at, &len, &o);

            if (event == GW_WS_DATA) {
                if (o.len == 0 || o.data < piece + at
                    || o.data + o.len != piece + at + len)
                {
                    r->outside++;
                }

                memcpy(data + r->len, o.data, o.len);
                r->len += o.len;
                r->pieces++;

            } else if (event != GW_WS_MORE && r->len > said) {
                say(r, 'D', data + said, r->len - said);
                said = r->len;
            }

            at += len;
            r->used += len;

            if (event == GW_WS_PING) {
                say(r, 'P', o.data, o.len);

            } else if (event == GW_WS_PONG) {
                say(r, 'Q', o.data, o.len);

            } else if (event == GW_WS_CLOSE) {
                say(r, 'C', o.data, o.len);

            } else if (event == GW_WS_ERROR) {
                sprintf(r->text + strlen(r->text), "%sE%d",
                        r->text[0] ? " " : "", (int) ws->error);
                return;
            }

            if (event == GW_WS_MORE) {
                break;
            }
        }

        if (at != to - from) {
            r->outside++;
        }
    }

    if (r->len > said) {
        say(r, 'D', data + said, r->len - said);
    }
}


static void
run(result_t *r, uint32_t max, const size_t *cuts, unsigned ncuts)
{
    gw_ws_t  ws;

    memset(&ws, 0xa5, sizeof(ws));
    gw_ws_init(&ws, max);

    feed(&ws, r, out.p, cuts, ncuts);
}


/* as a whole, and at each one cut the same; short streams at each two */

static void
gives(const char *want, uint32_t max, const char *name)
{
    size_t    cuts[2], used;
    result_t  r;
    unsigned  bad;

    run(&r, max, NULL, 0);
    is_str(r.text, strlen(r.text), want, "%s", name);

    used = r.used;
    bad = r.outside;

    for (cuts[0] = 0; cuts[0] <= out.len; cuts[0]++) {
        run(&r, max, cuts, 1);
        bad += strcmp(r.text, want) != 0 || r.outside || r.used != used;

        if (out.len > 80) {
            continue;
        }

        for (cuts[1] = cuts[0]; cuts[1] <= out.len; cuts[1]++) {
            run(&r, max, cuts, 2);
            bad += strcmp(r.text, want) != 0 || r.outside || r.used != used;
        }
    }

    is_u64(bad, 0, "and so it is wherever it is cut: %s", name);
}


/* bytes of a table, an error after `used` of them */

static void
refused(const void *p, size_t len, int error, size_t used, const char *name)
{
    char      want[16];
    result_t  r;

    begin();
    put(p, len);

    sprintf(want, "E%d", error);
    run(&r, MAX, NULL, 0);

    is_u64(r.used, used, "the byte that decides is the last one used: %s",
           name);
    gives(want, MAX, name);
}

#define REFUSED(bytes, error, used, name)                                     \
    refused(bytes, sizeof(bytes) - 1, error, used, name)


/* 1.3, 4.1, 4.2.2 */

static void
handshake(void)
{
    size_t                i;
    uint8_t               accept[GW_WS_ACCEPT_LEN];
    gw_str_t              key;

    static const uint8_t  sample[20] = {
        0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6,
        0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea
    };

    static const struct {
        const char  *key;
        int          rc;
        const char  *name;
    } keys[] = {
        { "dGhlIHNhbXBsZSBub25jZQ==", GW_OK, "the key of 1.3 is one" },
        { "AAAAAAAAAAAAAAAAAAAAAA==", GW_OK, "sixteen zeros are one" },
        { "+/+/+/+/+/+/+/+/+/+/+w==", GW_OK, "both signs of base64 are fine" },
        { "", GW_ERROR, "an empty key is none" },
        { "dGhlIHNhbXBsZSBub25j", GW_ERROR, "15 bytes are none" },
        { "dGhlIHNhbXBsZSBub25jZWU=", GW_ERROR, "17 bytes are none" },
        { "dGhlIHNhbXBsZSBub25jZWVl", GW_ERROR, "18 bytes are none" },
        { "dGhlIHNhbXBsZSBub25jZQ", GW_ERROR, "its padding belongs to it" },
        { "dGhlIHNhbXBsZSBub25jZQ== ", GW_ERROR, "nothing stands behind" },
        { "dGhlIHNhbXBsZSBub25jZR==", GW_ERROR, "one value has one key" },
        { "-_-_-_-_-_-_-_-_-_-_-w==", GW_ERROR, "base64url is no base64" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          GW_ERROR, "a key of 64 signs is none, and is not read" },
        { "dGhlIHNhbXBsZSBub25 ZQ==", GW_ERROR, "a blank is no sign of it" },
    };

    gw_ws_accept(sample, accept);
    is_str(accept, sizeof(accept), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
           "1.3: the answer to the sample nonce");

    memset(accept, 0, sizeof(accept));
    gw_ws_accept((const uint8_t *) "\xff\xef\xff\xff\xef\xff\xff\xef\xff\xff"
                                   "\xef\xff\xff\xef\xff\xff\xef\xff\xfb\xef",
                 accept);
    is_str(accept, sizeof(accept), "/+///+///+///+///+///+//++8=",
           "4.2.2: both signs in which standard base64 differs");

    is_str(GW_WS_GUID, sizeof(GW_WS_GUID) - 1,
           "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", "1.3: the GUID");

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        key.len = strlen(keys[i].key);
        key.data = guarded(keys[i].key, key.len);
        is_u64((uint64_t) gw_ws_key_valid(&key), (uint64_t) keys[i].rc,
               "4.1: %s", keys[i].name);
    }
}


/* 5.1, 5.2 */

static void
heads(void)
{
    size_t    i;
    uint8_t   byte[6];
    result_t  r;
    unsigned  op, bad;
    char      want[16];

    static const struct {
        uint64_t     said;
        unsigned     form;
        const char  *want;
        const char  *name;
    } lengths[] = {
        { 0, 2, "E1002", "0 in two bytes" },
        { 125, 2, "E1002", "125 in two bytes" },
        { 0, 8, "E1002", "0 in eight bytes" },
        { 125, 8, "E1002", "125 in eight bytes" },
        { 126, 8, "E1002", "126 in eight bytes" },
        { 65535, 8, "E1002", "65535 in eight bytes" },
        { (uint64_t) 1 << 63, 8, "E1002", "the highest bit" },
        { UINT64_MAX, 8, "E1002", "all bits" },
        { UINT64_MAX >> 1, 8, "E1009", "a length of 2^63 - 1" },
        { (uint64_t) 1 << 32, 8, "E1009", "a length of 2^32" },
        { ((uint64_t) 1 << 32) + 5, 8, "E1009", "a length of 2^32 + 5" },
        { MAX + 1, 8, "E1009", "one byte above max" },
    };

    REFUSED("\x82\x05Hello", 1002, 2, "5.1: a frame without a mask");
    REFUSED("\x82\x00", 1002, 2, "5.1: not even an empty one");
    REFUSED("\x89\x00", 1002, 2, "5.1: nor a ping");
    REFUSED("\x88\x02\x03\xe8", 1002, 2, "5.1: nor a close");
    REFUSED("\x82\x7e\x01\x00", 1002, 2, "5.1: nor a long one");

    REFUSED("\xc2\x81mask", 1002, 1, "5.2: RSV1, no extension agreed to");
    REFUSED("\xa2\x81mask", 1002, 1, "5.2: RSV2");
    REFUSED("\x92\x81mask", 1002, 1, "5.2: RSV3");
    REFUSED("\xc9\x80mask", 1002, 1, "5.2: RSV1 of a control frame");

    bad = 0;

    for (op = 0; op < 256; op++) {
        begin();
        byte[0] = (uint8_t) op;
        byte[1] = 0x80;
        memcpy(byte + 2, "mask", 4);
        put(byte, 6);
        run(&r, MAX, NULL, 0);

        strcpy(want, op == 0x82 || op == 0x02 ? ""
                     : op == 0x88 ? "C0[]"
                     : op == 0x89 ? "P0[]"
                     : op == 0x8a ? "Q0[]"
                     : op == 0x81 || op == 0x01 ? "E1003"
                     : "E1002");
        bad += strcmp(r.text, want) != 0
               || r.used != (want[0] == 'E' ? 1u : 6u);
    }

    is_u64(bad, 0, "5.2: of 256 first bytes five may begin a message");

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        begin();
        frame_as(0x82, lengths[i].form, lengths[i].said, "x", 1, "mask");
        run(&r, MAX, NULL, 0);
        is_u64(r.used, 2 + lengths[i].form,
               "5.2: %s is refused with its last byte", lengths[i].name);
        gives(lengths[i].want, MAX, lengths[i].name);
    }

    begin();
    frame(0x82, "12345", 5);
    gives("D5[12345]", 5, "a frame of max bytes passes");
    gives("E1009", 4, "one byte more does not");
    gives("E1009", 0, "where max is none, no byte does");

    begin();
    frame(0x82, "", 0);
    gives("", 0, "and an empty frame does");
    frame(0x89, "12345", 5);
    gives("P5[12345]", 0, "a control frame is bounded by its 125 bytes only");
}


/* 5.2: payload of each form of the length, in every place of the stream */

static void
payloads(void)
{
    size_t                i, k, cut, n;
    result_t              r;
    unsigned              bad, form;
    static uint8_t        payload[LOG_MAX];

    static const size_t   sizes[] = {
        1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 124, 125, 126, 127, 128, 255, 256,
        1000, 65534, 65535, 65536, 65537, 100000
    };

    for (i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t) dice(256);
    }

    for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        n = sizes[k];
        form = n < 126 ? 0 : n < 65536 ? 2 : 8;

        begin();
        frame(0x82, payload, n);

        bad = out.len != 2 + form + 4 + n;
        run(&r, MAX, NULL, 0);
        bad += r.outside || r.len != n || memcmp(r.data, payload, n) != 0
               || r.pieces != 1;

        for (i = 0; i < 40; i++) {
            cut = i < 20 ? i : i < 30 ? out.len - (i - 20) : dice(
                (unsigned) out.len);

            if (cut <= out.len) {
                run(&r, MAX, &cut, 1);
                bad += r.outside || r.len != n
                       || memcmp(r.data, payload, n) != 0;
            }
        }

        is_u64(bad, 0, "5.2: a payload of %zu bytes, whole and cut", n);
    }
}


/* 5.3 */

static void
masks(void)
{
    size_t    len, cut, off, i;
    char      mask[4];
    uint8_t   payload[96], buf[160], *at;
    unsigned  bad, place, round;
    gw_ws_t   ws;
    result_t  r;
    gw_str_t  o;
    size_t    cuts[12];
    unsigned  n;

    bad = 0;
    place = 0;

    for (len = 0; len <= 40; len++) {
        for (i = 0; i < len; i++) {
            payload[i] = (uint8_t) dice(256);
        }

        for (i = 0; i < 4; i++) {
            mask[i] = (char) dice(256);
        }

        begin();
        frame_as(0x82, 0, len, payload, len, mask);

        for (cut = 6; cut <= 6 + len; cut++) {
            run(&r, MAX, &cut, 1);
            bad += r.len != len || memcmp(r.data, payload, len) != 0;
        }

        /* at every address modulo 8, and not a byte besides */

        for (off = 0; off < 16; off++) {
            memset(buf, 0xee, sizeof(buf));
            at = buf + 16 + off;
            memcpy(at, out.p, out.len);
            i = out.len;

            gw_ws_init(&ws, MAX);

            if (len) {
                place += gw_ws_read(&ws, at, &i, &o) != GW_WS_DATA
                         || i != out.len || o.data != at + 6 || o.len != len
                         || memcmp(at + 6, payload, len) != 0;
            }

            place += memcmp(at, out.p, 6) != 0;

            for (i = 0; i < sizeof(buf); i++) {
                place += (buf + i < at || buf + i >= at + 6 + len)
                         && buf[i] != 0xee;
            }
        }
    }

    is_u64(bad, 0, "5.3: the mask keeps its place at each cut of a payload");
    is_u64(place, 0, "5.3: at each address, no byte besides is written to");

    bad = 0;

    for (round = 0; round < 2000; round++) {
        len = dice(sizeof(payload));

        for (i = 0; i < len; i++) {
            payload[i] = (uint8_t) dice(256);
        }

        begin();
        frame(0x82, payload, len);

        for (n = 0, cut = 0; n < 12; n++) {
            cut += dice(24);
            cuts[n] = cut < out.len ? cut : out.len;
        }

        run(&r, MAX, cuts, n);
        bad += r.outside || r.len != len
               || memcmp(r.data, payload, len) != 0;
    }

    is_u64(bad, 0, "5.3: 2000 payloads, each in up to 13 pieces");

    begin();
    frame_as(0x82, 0, 10, "zero masks", 10, "\0\0\0\0");
    frame_as(0x82, 0, 5, " mine", 5, "\xff\x00\xff\x00");
    gives("D15[zero masks mine]", MAX, "5.3: each frame has its own mask");
}


/* 5.4 */

static void
fragments(void)
{
    begin();
    frame(0x02, "one", 3);
    frame(0x00, "two", 3);
    frame(0x80, "three", 5);
    gives("D11[onetwothree]", MAX, "5.4: a message of three frames");

    frame(0x82, "next", 4);
    gives("D15[onetwothreenext]", MAX, "5.4: and then another");

    begin();
    frame(0x02, "a", 1);
    frame(0x89, "ping", 4);
    frame(0x00, "b", 1);
    frame(0x8a, "pong", 4);
    frame(0x80, "c", 1);
    gives("D1[a] P4[ping] D1[b] Q4[pong] D1[c]", MAX,
          "5.4: control frames between the fragments");

    begin();
    frame(0x02, "a", 1);
    frame(0x88, "\x03\xe9", 2);
    gives("D1[a] C2[\\03\\e9]", MAX, "5.4: a close between the fragments");

    begin();
    frame(0x02, "", 0);
    frame(0x00, "", 0);
    frame(0x80, "", 0);
    gives("", MAX, "5.4: a message of empty fragments is nothing");

    frame(0x82, "x", 1);
    gives("D1[x]", MAX, "5.4: and one may follow");

    begin();
    frame(0x80, "x", 1);
    gives("E1002", MAX, "5.4: a final continuation of nothing");

    begin();
    frame(0x00, "x", 1);
    gives("E1002", MAX, "5.4: a continuation of nothing");

    begin();
    frame(0x02, "a", 1);
    frame(0x80, "b", 1);
    frame(0x80, "c", 1);
    gives("D2[ab] E1002", MAX, "5.4: a continuation behind the last");

    begin();
    frame(0x82, "a", 1);
    frame(0x80, "b", 1);
    gives("D1[a] E1002", MAX, "5.4: a continuation of a whole message");

    begin();
    frame(0x02, "a", 1);
    frame(0x82, "b", 1);
    gives("D1[a] E1002", MAX, "5.4: a message within one");

    begin();
    frame(0x02, "a", 1);
    frame(0x81, "b", 1);
    gives("D1[a] E1002", MAX, "5.4: a text within a message");

    begin();
    frame(0x02, "", 0);
    frame(0x89, "", 0);
    frame(0x82, "b", 1);
    gives("P0[] E1002", MAX, "5.4: a ping ends no message");

    begin();
    frame(0x89, "", 0);
    frame(0x80, "b", 1);
    gives("P0[] E1002", MAX, "5.4: and begins none");
}


/* 5.5 */

static void
controls(void)
{
    size_t    i;
    char      text[GW_WS_CONTROL_MAX];
    result_t  r;
    unsigned  bad, op;
    size_t    len, cut;

    REFUSED("\x09\x80mask", 1002, 1, "5.5: a ping in parts");
    REFUSED("\x0a\x80mask", 1002, 1, "5.5: a pong in parts");
    REFUSED("\x08\x80mask", 1002, 1, "5.5: a close in parts");
    REFUSED("\x89\xfe\x00\x7emask", 1002, 2, "5.5: a ping of 126 bytes");
    REFUSED("\x8a\xfe\x00\x7emask", 1002, 2, "5.5: a pong of 126 bytes");
    REFUSED("\x88\xfe\x00\x7emask", 1002, 2, "5.5: a close of 126 bytes");
    REFUSED("\x89\xff\0\0\0\0\0\1\0\0mask", 1002, 2, "5.5: one of 65536");

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char) ('A' + i % 26);
    }

    for (op = 0x89; op <= 0x8a; op++) {
        bad = 0;

        for (len = 0; len <= sizeof(text); len++) {
            char  want[160];

            sprintf(want, "%c%zu[%.*s] D1[x]", op == 0x89 ? 'P' : 'Q', len,
                    (int) len, text);

            begin();
            frame(op, text, len);
            frame(0x82, "x", 1);

            for (cut = 0; cut <= out.len; cut++) {
                run(&r, MAX, &cut, 1);
                bad += strcmp(r.text, want) != 0 || r.outside;
            }
        }

        is_u64(bad, 0, "5.5.%c: a p%cng of 0 to 125 bytes, cut anywhere",
               op == 0x89 ? '2' : '3', op == 0x89 ? 'i' : 'o');
    }

    begin();
    frame(0x89, "one", 3);
    frame(0x89, "two", 3);
    frame(0x89, "", 0);
    gives("P3[one] P3[two] P0[]", MAX, "5.5.2: each ping is an event");
}


static void
close_is(unsigned code, const char *reason, size_t len, const char *want,
    const char *name)
{
    uint8_t  body[GW_WS_CONTROL_MAX];

    body[0] = (uint8_t) (code >> 8);
    body[1] = (uint8_t) code;
    memcpy(body + 2, reason, len);

    begin();
    frame(0x88, body, 2 + len);
    gives(want, MAX, name);
}

#define UTF8(reason, want, name)                                              \
    close_is(1000, reason, sizeof(reason) - 1, want, name)


/* 5.5.1, 7.1, 7.4, 8.1 */

static void
closes(void)
{
    char      reason[GW_WS_CONTROL_MAX - 2];
    uint8_t   body[2];
    unsigned  code, bad;
    result_t  r;
    size_t    len;
    gw_str_t  o;
    gw_ws_t   ws;

    begin();
    frame(0x88, "", 0);
    gives("C0[]", MAX, "5.5.1: a close without code");

    frame(0x82, "late", 4);
    frame(0xff, "", 0);
    gives("C0[]", MAX, "5.5.1: what comes behind a close is used, not read");

    begin();
    frame(0x88, "\x03", 1);
    gives("E1002", MAX, "5.5.1: half a code is none");

    close_is(1000, "bye", 3, "C5[\\03\\e8bye]", "5.5.1: code and reason");

    memset(reason, 'r', sizeof(reason));
    begin();
    body[0] = 0x0f;
    body[1] = 0xa0;
    memcpy(reason, body, 2);
    frame(0x88, reason, sizeof(reason));
    run(&r, MAX, NULL, 0);
    ok(strncmp(r.text, "C123[", 5) == 0, "5.5.1: a long reason");

    bad = 0;

    for (code = 0; code <= 0xffff; code++) {
        int  good;

        good = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005
                && code != 1006) || (code >= 3000 && code < 5000);

        body[0] = (uint8_t) (code >> 8);
        body[1] = (uint8_t) code;

        begin();
        frame(0x88, body, 2);
        run(&r, MAX, NULL, 0);
        bad += strncmp(r.text, good ? "C2[" : "E1002", good ? 3 : 5) != 0;
    }

    is_u64(bad, 0, "7.4: of 65536 codes those are taken that may be sent");

    UTF8("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
         "C13[\\03\\e8\\ce\\ba\\e1\\bd\\b9\\cf\\83\\ce\\bc\\ce\\b5]",
         "8.1: a reason of Greek letters");
    UTF8("\0", "C3[\\03\\e8\\00]", "8.1: U+0000 is a character");
    UTF8("\xc2\x80", "C4[\\03\\e8\\c2\\80]", "8.1: U+0080");
    UTF8("\xdf\xbf", "C4[\\03\\e8\\df\\bf]", "8.1: U+07FF");
    UTF8("\xe0\xa0\x80", "C5[\\03\\e8\\e0\\a0\\80]", "8.1: U+0800");
    UTF8("\xed\x9f\xbf", "C5[\\03\\e8\\ed\\9f\\bf]", "8.1: U+D7FF");
    UTF8("\xee\x80\x80", "C5[\\03\\e8\\ee\\80\\80]", "8.1: U+E000");
    UTF8("\xef\xbf\xbf", "C5[\\03\\e8\\ef\\bf\\bf]", "8.1: U+FFFF");
    UTF8("\xf0\x90\x80\x80", "C6[\\03\\e8\\f0\\90\\80\\80]", "8.1: U+10000");
    UTF8("\xf4\x8f\xbf\xbf", "C6[\\03\\e8\\f4\\8f\\bf\\bf]", "8.1: U+10FFFF");

    UTF8("\x80", "E1007", "8.1: a continuation alone");
    UTF8("\xbf", "E1007", "8.1: the last of them");
    UTF8("\xc0\x80", "E1007", "8.1: an overlong NUL");
    UTF8("\xc1\xbf", "E1007", "8.1: an overlong DEL");
    UTF8("\xe0\x9f\xbf", "E1007", "8.1: an overlong U+07FF");
    UTF8("\xf0\x8f\xbf\xbf", "E1007", "8.1: an overlong U+FFFF");
    UTF8("\xed\xa0\x80", "E1007", "8.1: the first surrogate");
    UTF8("\xed\xbf\xbf", "E1007", "8.1: the last surrogate");
    UTF8("\xf4\x90\x80\x80", "E1007", "8.1: above U+10FFFF");
    UTF8("\xf5\x80\x80\x80", "E1007", "8.1: no first byte");
    UTF8("\xff", "E1007", "8.1: nor this one");
    UTF8("ok\xc3", "E1007", "8.1: two bytes, cut short");
    UTF8("ok\xe2\x82", "E1007", "8.1: three bytes, cut short");
    UTF8("ok\xf0\x9f\x98", "E1007", "8.1: four bytes, cut short");
    UTF8("\xc3(", "E1007", "8.1: no continuation as the second");
    UTF8("\xc3\xc0", "E1007", "8.1: nor above them");
    UTF8("\xe2\x82(", "E1007", "8.1: as the third");
    UTF8("\xe2\x82\xc0", "E1007", "8.1: above them");
    UTF8("\xf0\x9f\x98(", "E1007", "8.1: as the fourth");
    UTF8("\xe1\x80\xe1", "E1007", "8.1: a first byte as the third");

    close_is(1005, "\xff", 1, "E1002", "7.4: the code is judged first");

    /* what a ping left behind is no part of the close */

    begin();
    frame(0x89, "\x03\xe8", 2);
    frame(0x88, "\x03", 1);
    gives("P2[\\03\\e8] E1002", MAX, "5.5.1: half a code behind a ping");

    begin();
    frame(0x89, "\x03\xe8\xe2\x82\xac", 5);
    frame(0x88, "\x03\xe8\xe2\x82", 4);
    gives("P5[\\03\\e8\\e2\\82\\ac] E1007", MAX,
          "8.1: a character cut short behind a ping that has all of it");

    begin();
    frame(0x83, "", 0);
    gw_ws_init(&ws, MAX);
    len = out.len;
    bad = gw_ws_read(&ws, guarded(out.p, out.len), &len, &o) != GW_WS_ERROR;
    len = 3;
    bad += gw_ws_read(&ws, guarded("\x82\x80m", 3), &len, &o) != GW_WS_ERROR
           || len != 0 || ws.error != GW_WS_PROTOCOL;
    is_u64(bad, 0, "7.1.7: what failed stays so, and uses nothing more");
}


/* 5.6 */

static void
texts(void)
{
    begin();
    frame(0x81, "{}", 2);
    gives("E1003", MAX, "5.6: a text is nothing for MQTT");

    begin();
    frame(0x01, "{", 1);
    gives("E1003", MAX, "5.6: nor is the first part of one");

    begin();
    frame(0x82, "good", 4);
    frame(0x81, "bad", 3);
    gives("D4[good] E1003", MAX, "5.6: what came before it stands");
}


/* 5.7: those of a client as they are, those of a server as we write them */

static void
examples(void)
{
    size_t    n;
    uint8_t   dst[2 + GW_WS_CONTROL_MAX];
    gw_str_t  hello = gw_str("Hello");

    begin();
    put("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    gives("E1003", MAX, "5.7: the masked text, which we do not take");

    out.p[0] = 0x82;
    gives("D5[Hello]", MAX, "5.7: and the same as a binary message");

    begin();
    put("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    gives("Q5[Hello]", MAX, "5.7: the masked pong");

    n = gw_ws_pong(dst, &hello);
    ok(n == 7 && memcmp(dst, "\x8a\x05Hello", 7) == 0,
       "5.7: the answer to the ping");

    n = gw_ws_header(dst, 256);
    ok(n == 4 && memcmp(dst, "\x82\x7e\x01\x00", 4) == 0,
       "5.7: 256 bytes of binary");

    n = gw_ws_header(dst, 65536);
    ok(n == 10 && memcmp(dst, "\x82\x7f\0\0\0\0\0\1\0\0", 10) == 0,
       "5.7: 64 KiB of binary");
}


static void
writers(void)
{
    size_t    i, n;
    uint8_t  *dst;
    gw_str_t  payload;
    unsigned  bad;
    char      text[GW_WS_CONTROL_MAX];

    static const struct {
        uint64_t     len;
        size_t       n;
        const char  *head;
    } heads[] = {
        { 0, 2, "\x82\x00" },
        { 1, 2, "\x82\x01" },
        { 125, 2, "\x82\x7d" },
        { 126, 4, "\x82\x7e\x00\x7e" },
        { 127, 4, "\x82\x7e\x00\x7f" },
        { 65535, 4, "\x82\x7e\xff\xff" },
        { 65536, 10, "\x82\x7f\0\0\0\0\0\1\0\0" },
        { 0x0102030405060708, 10, "\x82\x7f\1\2\3\4\5\6\7\x08" },
        { UINT64_MAX >> 1, 10,
          "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff" },
    };

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        dst = guarded("----------", heads[i].n);
        n = gw_ws_header(dst, heads[i].len);
        ok(n == heads[i].n && memcmp(dst, heads[i].head, n) == 0,
           "5.2: the head of %" PRIu64 " bytes", heads[i].len);
    }

    bad = 0;
    memset(text, 'p', sizeof(text));

    for (i = 0; i <= sizeof(text); i++) {
        payload.data = i ? (uint8_t *) text : NULL;
        payload.len = i;

        memset(wire, 0, sizeof(text) + 2);
        dst = guarded(wire, 2 + i);
        n = gw_ws_pong(dst, &payload);
        bad += n != 2 + i || dst[0] != 0x8a || dst[1] != i
               || memcmp(dst + 2, text, i) != 0;
    }

    is_u64(bad, 0, "5.5.3: a pong of 0 to 125 bytes, not masked");

    dst = guarded("----", 4);
    n = gw_ws_close(dst, GW_WS_TOO_LARGE);
    ok(n == 4 && memcmp(dst, "\x88\x02\x03\xf1", 4) == 0,
       "5.5.1: a close with its code");

    n = gw_ws_close(dst, (gw_ws_close_e) 4999);
    ok(n == 4 && memcmp(dst, "\x88\x02\x13\x87", 4) == 0,
       "5.5.1: with a code that the client made");

    dst = guarded("--", 2);
    n = gw_ws_close(dst, GW_WS_NONE);
    ok(n == 2 && memcmp(dst, "\x88\x00", 2) == 0,
       "7.4.1: 1005 is not written, the close is empty");

    is_u64(sizeof(gw_ws_t), 168, "a connection has the state that is said");
}


/* all at once: random streams, given whole and a byte at a time */

static void
streams(void)
{
    size_t    i, n, *cuts;
    char      whole[4096];
    uint8_t   payload[300];
    result_t  r;
    unsigned  round, k, bad;
    size_t    len, total;
    uint8_t  *sent;

    bad = 0;
    total = 0;
    cuts = malloc(8192 * sizeof(size_t));
    sent = malloc(8192);

    if (cuts == NULL || sent == NULL) {
        abort();
    }

    for (round = 0; round < 300; round++) {
        int  within = 0;

        begin();
        total = 0;

        for (k = 0; k < 12; k++) {
            int  final = dice(2);

            n = dice(3) ? dice(12) : dice(sizeof(payload));

            for (i = 0; i < n; i++) {
                payload[i] = (uint8_t) dice(256);
            }

            if (dice(4) == 0) {
                frame(dice(2) ? 0x89 : 0x8a, payload, n % 126);
                continue;
            }

            frame((final ? 0x80 : 0) | (within ? 0 : 2), payload, n);
            memcpy(sent + total, payload, n);
            total += n;
            within = !final;
        }

        run(&r, MAX, NULL, 0);
        strcpy(whole, r.text);
        len = r.len;
        bad += len != total || memcmp(r.data, sent, len) != 0 || r.outside;

        for (i = 0; i < out.len; i++) {
            cuts[i] = i;
        }

        run(&r, MAX, cuts, (unsigned) out.len);
        bad += len != r.len || memcmp(r.data, sent, len) != 0
               || strcmp(r.text, whole) != 0 || r.outside;
    }

    free(cuts);
    free(sent);

    is_u64(bad, 0, "300 streams are the same in single bytes");
}


/* where a client may be silent without leaving anything half said */

static void
between(void)
{
    size_t    i, len;
    gw_ws_t   ws;
    uint8_t   frame[] = { 0x02, 0x82, 1, 2, 3, 4, 1, 2 };
    gw_str_t  text;
    unsigned  wrong;

    gw_ws_init(&ws, MAX);

    is_u64(gw_ws_between(&ws), 1, "nothing has begun at first");

    for (i = 0, wrong = 0; i < sizeof(frame); i++) {
        len = 1;
        (void) gw_ws_read(&ws, frame + i, &len, &text);
        wrong += gw_ws_between(&ws) != (i == sizeof(frame) - 1);
    }

    is_u64(wrong, 0, "a frame has begun from its first byte to its last, "
           "whether or not its message goes on");
}


int
main(void)
{
    handshake();
    between();
    heads();
    payloads();
    masks();
    fragments();
    controls();
    closes();
    texts();
    examples();
    writers();
    streams();

    return done_testing();
}
