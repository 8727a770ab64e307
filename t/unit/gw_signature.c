/*
 * gw_signature.c - what a signed request says of itself, and the text that is
 * signed.
 *
 * The story: a device builds its header by hand, a proxy on the way rewrites
 * what it may, and somebody replays what he has heard.  Unseen without it: a
 * parameter that is read otherwise than it was signed, a clock far out of its
 * time whose distance overflows into the window, and two requests that share
 * one text, so that the signature of the one opens the door for the other.
 */

#include "gw_test.h"
#include "gw_base64.h"
#include "gw_signature.h"


#define SIG  "ROkdvwLCDzvfj2N1YSikZ-0t_W_1QXpvgdtjloFfPcY"
#define TEN  "aaaaaaaaaa"
#define D126 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "aaaaaa"

#define DEV  "device=\"pump-7\""
#define TIM  "timestamp=\"1763884800\""
#define SGN  "signature=\"" SIG "\""


typedef struct {
    const char  *text;
    const char  *device;       /* of what is taken */
    const char  *timestamp;
    const char  *name;
} good_t;


typedef struct {
    const char  *text;
    const char  *detail;       /* a part of it */
    const char  *name;
} bad_t;


static const good_t  good[] = {
    { DEV ", " TIM ", " SGN, "pump-7", "1763884800",
      "the header of README is taken" },
    { SGN "," TIM "," DEV, "pump-7", "1763884800",
      "the parameters stand in any order, without blanks" },
    { TIM ", " SGN ", " DEV, "pump-7", "1763884800", "and in a third one" },
    { DEV " \t ,\t  " TIM "\t," SGN, "pump-7", "1763884800",
      "blanks and tabs may stand around a comma" },
    { "DEVICE=\"pump-7\", TimeStamp=\"1763884800\", sIGNATURE=\"" SIG "\"",
      "pump-7", "1763884800", "a name is taken in any case" },
    { "device=pump-7, timestamp=1763884800, signature=" SIG,
      "pump-7", "1763884800", "a token needs no quotes" },
    { "device=a.B_9-z, timestamp=1, signature=" SIG, "a.B_9-z", "1",
      "a token may hold . _ and -" },
    { "device=\"a:b@c.d_e-F\", " TIM ", " SGN, "a:b@c.d_e-F", "1763884800",
      "a device may hold : and @ inside of quotes" },
    { "device=x, " TIM ", " SGN, "x", "1763884800",
      "a device may be of one byte" },
    { "device=\"aa" D126 "\", " TIM ", " SGN, "aa" D126, "1763884800",
      "a device may be of 128 bytes" },
    { DEV ", timestamp=\"0\", " SGN, "pump-7", "0", "0 is a time" },
    { DEV ", timestamp=999999999999999, " SGN, "pump-7", "999999999999999",
      "a time may have 15 digits" },
};


static const bad_t  bad[] = {
    { "", "neither", "nothing is refused" },
    { DEV, "missing", "a device alone is refused" },
    { DEV ", " TIM, "missing", "the signature must be there" },
    { DEV ", " SGN, "missing", "the timestamp must be there" },
    { TIM ", " SGN, "missing", "the device must be there" },
    { DEV ", " TIM ", " SGN ", " DEV, "twice",
      "the same device twice is refused" },
    { DEV ", device=\"pump-8\", " TIM ", " SGN, "twice",
      "two devices are refused" },
    { DEV ", DEVICE=\"pump-8\", " TIM ", " SGN, "twice",
      "in another case, too" },
    { DEV ", " TIM ", timestamp=1, " SGN, "twice",
      "two timestamps are refused" },
    { DEV ", " TIM ", " SGN ", " SGN, "twice", "two signatures are refused" },
    { DEV ", " TIM ", " SGN ", nonce=\"1\"", "neither",
      "an unknown parameter is refused" },
    { "realm=\"gateway\", " DEV ", " TIM ", " SGN, "neither",
      "in front, too" },
    { "devices=\"pump-7\", " TIM ", " SGN, "neither",
      "a name with a letter more is another" },
    { "devic=\"pump-7\", " TIM ", " SGN, "neither",
      "a name with a letter less is another" },
    { "device*=x, " TIM ", " SGN, "neither",
      "a name with a star is another (RFC 8187)" },
    { "=\"pump-7\", " TIM ", " SGN, "neither", "a name must be there" },
    { "device, " TIM ", " SGN, "neither", "a name wants a value" },
    { "device", "neither", "a name alone is refused" },
    { "\x44\x45\x56\x49\x43\x05=\"pump-7\", " TIM ", " SGN, "neither",
      "a byte that only looks like a letter of another case is none" },
    { "device =\"pump-7\", " TIM ", " SGN, "neither",
      "a blank in front of = is refused" },
    { "device= \"pump-7\", " TIM ", " SGN, "1 to 128",
      "a blank behind = is refused" },
    { "device=\t\"pump-7\", " TIM ", " SGN, "1 to 128",
      "a tab behind = is refused" },
    { " " DEV ", " TIM ", " SGN, "neither",
      "a blank in front of all is refused" },
    { DEV ", " TIM ", " SGN " ", "comma", "a blank behind all is refused" },
    { DEV ", " TIM ", " SGN "\t", "comma", "and a tab" },
    { DEV ", " TIM ", " SGN ",", "neither", "a comma behind all is refused" },
    { DEV ", " TIM ", " SGN ", ", "neither", "and one with a blank" },
    { ", " DEV ", " TIM ", " SGN, "neither",
      "a comma in front of all is refused" },
    { DEV ",, " TIM ", " SGN, "neither", "an empty element is refused" },
    { DEV ", ," TIM ", " SGN, "neither", "one with a blank, too" },
    { DEV " " TIM ", " SGN, "comma", "a comma must part the parameters" },
    { DEV "; " TIM "; " SGN, "comma", "a semicolon is none" },
    { DEV TIM ", " SGN, "comma", "two parameters in one piece are refused" },
    { DEV ",\n" TIM ", " SGN, "neither", "a line feed is no blank" },
    { DEV "\v, " TIM ", " SGN, "comma", "nor is a vertical tab" },
    { DEV "x, " TIM ", " SGN, "comma", "nothing may follow a quote" },

    { "device=\"pump\\-7\", " TIM ", " SGN, "escape",
      "an escape is refused" },
    { "device=\"pump-7\\\", " TIM ", " SGN, "escape",
      "an escaped quote is refused" },
    { "device=\"pump-7, " TIM, "no device has",
      "a quote that closes at the next parameter makes no device" },
    { TIM ", " SGN ", device=\"pump-7", "end",
      "a quoted string must end" },
    { TIM ", " SGN ", device=\"", "end", "a quote alone is refused" },
    { "device=pump-7\", " TIM ", " SGN, "comma",
      "a quote inside of a token is refused" },
    { "device='pump-7', " TIM ", " SGN, "no device has",
      "single quotes are none" },

    { "device=\"\", " TIM ", " SGN, "1 to 128", "an empty device is refused" },
    { "device=, " TIM ", " SGN, "1 to 128", "an empty token, too" },
    { "device=\"aaa" D126 "\", " TIM ", " SGN, "1 to 128",
      "a device of 129 bytes is refused" },
    { "device=\"pump 7\", " TIM ", " SGN, "no device has",
      "a device with a blank is refused" },
    { "device=\"a,b\", " TIM ", " SGN, "no device has", "with a comma" },
    { "device=\"a/b\", " TIM ", " SGN, "no device has", "with a slash" },
    { "device=\"a+b\", " TIM ", " SGN, "no device has", "with a plus" },
    { "device=\"a\nb\", " TIM ", " SGN, "no device has",
      "with a line feed" },
    { "device=\"p\xc3\xbcmp\", " TIM ", " SGN, "no device has",
      "with a letter that is not ASCII" },
    { "device=a!b, " TIM ", " SGN, "no device has",
      "a token that is no device is refused" },
    { "device=a:b, " TIM ", " SGN, "comma",
      "a device with a colon must stand in quotes" },
    { "device=a@b, " TIM ", " SGN, "comma", "one with @, too" },

    { DEV ", timestamp=\"\", " SGN, "15 digits",
      "an empty timestamp is refused" },
    { DEV ", timestamp=, " SGN, "15 digits", "an empty token, too" },
    { DEV ", timestamp=01763884800, " SGN, "15 digits",
      "a timestamp with a leading zero is refused" },
    { DEV ", timestamp=00, " SGN, "15 digits", "two zeros, too" },
    { DEV ", timestamp=1000000000000000, " SGN, "15 digits",
      "a timestamp of 16 digits is refused" },
    { DEV ", timestamp=18446744073709551617, " SGN, "15 digits",
      "one of 2^64 + 1, too" },
    { DEV ", timestamp=-1, " SGN, "integer",
      "a timestamp below zero is refused" },
    { DEV ", timestamp=+1, " SGN, "integer", "one with a plus" },
    { DEV ", timestamp=1.5, " SGN, "integer", "one with a fraction" },
    { DEV ", timestamp=1e9, " SGN, "integer", "one with an exponent" },
    { DEV ", timestamp=\" 1\", " SGN, "integer",
      "one with a blank in front" },
    { DEV ", timestamp=\"1 \", " SGN, "integer", "one with a blank behind" },
    { DEV ", timestamp=\"1/\", " SGN, "integer",
      "one with the byte below 0" },
    { DEV ", timestamp=\"1:\", " SGN, "integer",
      "one with the byte above 9" },
    { DEV ", timestamp=\"2025-11-23T08\", " SGN, "integer", "a date" },

    { DEV ", " TIM ", signature=\"\"", "43", "an empty signature is refused" },
    { DEV ", " TIM ", signature=", "43", "an empty token, too" },
    { DEV ", " TIM ", signature=\"ROkdvwLCDzvfj2N1YSikZ-0t_W_1QXpvgdtjloFfPc"
      "\"", "43", "a signature of 42 characters is refused" },
    { DEV ", " TIM ", signature=\"" SIG "A\"", "43", "one of 44" },
    { DEV ", " TIM ", signature=\"" SIG "=\"", "43", "one with padding" },
    { DEV ", " TIM ", signature=\"ROkdvwLCDzvfj2N1YSikZ+0t/W/1QXpvgdtjloFfPc"
      "Y\"", "43", "one of the other alphabet" },
    { DEV ", " TIM ", signature=\"ROkdvwLCDzvfj2N1YSikZ-0t_W_1QXpvgdtjloFfPc"
      "Z\"", "43", "one with a bit behind the last byte" },
    { DEV ", " TIM ", signature=\"ROkdvwLCDzvfj2N1YSikZ-0t_W_1QXpvgdtjloFfPc"
      " \"", "43", "one with a blank" },
    { DEV ", " TIM ", signature=44e91dbf02c20f3bdf8f63756128a467ed2dfd6ff5417a"
      "6f81db6396815f3dc6", "43", "one in hex" },
};


static gw_signature_t  s;
static const char     *detail;


static int
parse(const char *text, size_t len)
{
    detail = NULL;
    memset(&s, 0xa5, sizeof(s));

    return gw_signature_parse(guarded(text, len), len, &s, &detail);
}


/* the bytes behind the decoded ones are scratch */

static int
signature_is(const char *text)
{
    uint8_t  back[64];

    return gw_base64url_encode(s.signature, GW_SIGNATURE_LEN, back)
           == GW_SIGNATURE_TEXT_LEN
           && memcmp(back, text, GW_SIGNATURE_TEXT_LEN) == 0;
}


static void
taken(void)
{
    int             rc, same;
    size_t          i, len;
    const good_t   *g;
    const uint8_t  *p, *end;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        g = &good[i];
        len = strlen(g->text);
        p = guarded(g->text, len);
        end = p + len;
        detail = NULL;

        memset(&s, 0xa5, sizeof(s));
        rc = gw_signature_parse(p, len, &s, &detail);

        same = rc == GW_OK && detail == NULL
               && s.device.len == strlen(g->device)
               && memcmp(s.device.data, g->device, s.device.len) == 0
               && s.timestamp.len == strlen(g->timestamp)
               && memcmp(s.timestamp.data, g->timestamp, s.timestamp.len) == 0
               && s.time == strtoll(g->timestamp, NULL, 10)
               && signature_is(SIG);

        ok(same, "%s", g->name);

        if (!same && detail) {
            printf("#   %s\n", detail);
            continue;
        }

        ok(s.device.data > p && s.device.data + s.device.len <= end
           && s.timestamp.data > p
           && s.timestamp.data + s.timestamp.len <= end,
           "%s: as views", g->name);
    }
}


static void
refused(void)
{
    int     rc;
    size_t  i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rc = parse(bad[i].text, strlen(bad[i].text));

        ok(rc == GW_ERROR && detail && strstr(detail, bad[i].detail),
           "%s", bad[i].name);

        if (rc == GW_ERROR && (!detail || !strstr(detail, bad[i].detail))) {
            printf("#   detail: %s\n", detail ? detail : "none");
        }
    }
}


/* every byte at every place, and every beginning, of one good header */

static void
all_bytes(void)
{
    char         text[256];
    size_t       i, len, wrong, device, timestamp, signature;
    unsigned     b, flips;
    const char  *whole;

    whole = DEV ", " TIM ", " SGN;
    len = strlen(whole);
    device = sizeof("device=\"") - 1;
    timestamp = sizeof(DEV ", timestamp=\"") - 1;
    signature = sizeof(DEV ", " TIM ", signature=\"") - 1;
    wrong = 0;

    for (i = 0; i < len; i++) {
        wrong += parse(whole, i) != GW_ERROR || detail == NULL;
    }

    is_u64(wrong, 0, "no beginning of a header is taken for one");

    wrong = 0;
    flips = 0;

    for (i = 0; i < len; i++) {
        memcpy(text, whole, len);

        for (b = 0; b < 256; b++) {
            text[i] = (char) b;

            if (parse(text, len) != GW_OK) {
                continue;
            }

            flips++;

            wrong += s.device.len != 6
                     || memcmp(s.device.data, text + device, 6) != 0
                     || s.timestamp.len != 10
                     || memcmp(s.timestamp.data, text + timestamp, 10) != 0
                     || s.time != strtoll(text + timestamp, NULL, 10)
                     || !signature_is(text + signature);
        }
    }

    is_u64(wrong, 0, "with one byte changed, what is read is what is there");
    ok(flips > 1000, "and many a changed header is a good one");

    ok(parse(DEV ", " TIM "\0, " SGN, sizeof(DEV ", " TIM ", " SGN)) == GW_ERROR
       && parse("device=\"a\0b\", " TIM ", " SGN,
                sizeof("device=\"ab\", " TIM ", " SGN)) == GW_ERROR
       && parse("device=a\0b, " TIM ", " SGN,
                sizeof("device=ab, " TIM ", " SGN)) == GW_ERROR
       && strstr(detail, "comma")
       && parse("\0" DEV ", " TIM ", " SGN,
                sizeof(DEV ", " TIM ", " SGN)) == GW_ERROR,
       "a NUL ends nothing and is nowhere taken");
}


static int
in_time(int64_t time, int64_t now, unsigned window)
{
    s.time = time;

    return gw_signature_in_time(&s, now, window);
}


static void
window(void)
{
    ok(in_time(1000, 1000, 0) == GW_OK, "the same second is in time");
    ok(in_time(1000, 1001, 0) == GW_DECLINED
       && in_time(1001, 1000, 0) == GW_DECLINED,
       "without a window no other second is");
    ok(in_time(1000, 1300, 300) == GW_OK, "the last second of it is in time");
    ok(in_time(1000, 1301, 300) == GW_DECLINED, "the next one is too late");
    ok(in_time(1300, 1000, 300) == GW_OK,
       "a clock may be ahead by as much as the window");
    ok(in_time(1301, 1000, 300) == GW_DECLINED, "and not by a second more");
    ok(in_time(0, 4294967295LL, 4294967295u) == GW_OK
       && in_time(0, 4294967296LL, 4294967295u) == GW_DECLINED
       && in_time(4294967296LL, 0, 4294967295u) == GW_DECLINED,
       "a distance of more than 32 bits is no short one");
    ok(in_time(999999999999999LL, 1763884800, 300) == GW_DECLINED,
       "the last time that can be written is not now");
    ok(in_time(INT64_MAX, INT64_MIN, UINT32_MAX) == GW_DECLINED
       && in_time(INT64_MIN, INT64_MAX, UINT32_MAX) == GW_DECLINED,
       "the ends of time are far from each other");
    ok(in_time(INT64_MAX, -1, UINT32_MAX) == GW_DECLINED
       && in_time(-1, INT64_MAX, UINT32_MAX) == GW_DECLINED
       && in_time(INT64_MIN, 0, UINT32_MAX) == GW_DECLINED
       && in_time(INT64_MIN, 1, UINT32_MAX) == GW_DECLINED
       && in_time(1, INT64_MIN, UINT32_MAX) == GW_DECLINED,
       "and from the middle");
    ok(in_time(INT64_MAX, INT64_MAX, 0) == GW_OK
       && in_time(INT64_MIN, INT64_MIN, 0) == GW_OK
       && in_time(INT64_MIN, INT64_MIN + 1, 1) == GW_OK
       && in_time(INT64_MAX, INT64_MAX - 2, 1) == GW_DECLINED,
       "at the ends a second is a second");
    ok(in_time(-5, 5, 10) == GW_OK && in_time(-5, 6, 10) == GW_DECLINED
       && in_time(5, -5, 10) == GW_OK,
       "1970 is no border");
}


static gw_signed_t  request;


static gw_str_t
view(const char *text)
{
    gw_str_t  v;

    v.data = (const uint8_t *) text;
    v.len = strlen(text);

    return v;
}


/* a request whose members all differ */

static void
fill(void)
{
    parse(DEV ", " TIM ", " SGN, strlen(DEV ", " TIM ", " SGN));

    /* the next guarded() writes over it */

    s.device = view("pump-7");
    s.timestamp = view("1763884800");

    request.method = view("POST");
    request.target = view("/v1/messages?x=1");
    request.epoch = view("boot-17");
    request.seq = view("42");
    request.class_name = view("control");
    request.time = view("1763884799");
    request.type = view("application/json");
    request.encoding = view("gzip");
}


static size_t
text_of(char *dst, int *n)
{
    int       i;
    size_t    at;
    gw_str_t  out[2 * GW_SIGNATURE_MEMBERS + 1];

    memset(out, 0xa5, sizeof(out));
    *n = gw_signature_text(&s, &request, out);
    at = 0;

    for (i = 0; i < *n; i++) {
        memcpy(dst + at, out[i].data, out[i].len);
        at += out[i].len;
    }

    ok(out[2 * GW_SIGNATURE_MEMBERS].len == (size_t) 0xa5a5a5a5a5a5a5a5ULL,
       "no view more than promised is written");

    return at;
}


static void
texts(void)
{
    int        n, i, tried;
    char       text[1024], other[1024], member[8];
    size_t     k, b, len, other_len, equal, refused_n;
    gw_str_t  *field[10], keep, out[2 * GW_SIGNATURE_MEMBERS];

    static const char  *const  names[] = {
        "method", "target", "device", "timestamp", "epoch", "seq", "class",
        "time", "type", "encoding"
    };

    field[0] = &request.method;
    field[1] = &request.target;
    field[2] = &s.device;
    field[3] = &s.timestamp;
    field[4] = &request.epoch;
    field[5] = &request.seq;
    field[6] = &request.class_name;
    field[7] = &request.time;
    field[8] = &request.type;
    field[9] = &request.encoding;

    fill();
    len = text_of(text, &n);

    is_str(text, len,
           "Gateway-HMAC-SHA256\nPOST\n/v1/messages?x=1\npump-7\n1763884800\n"
           "boot-17\n42\ncontrol\n1763884799\napplication/json\ngzip\n",
           "the text is the scheme and ten members, a line each");
    is_u64(n, 2 * GW_SIGNATURE_MEMBERS, "in as many views as promised");

    for (i = 0; i < 10; i++) {
        keep = *field[i];
        *field[i] = view("other");
        other_len = text_of(other, &n);
        ok(other_len != len || memcmp(text, other, len) != 0,
           "another %s is another text", names[i]);

        field[i]->len = 0;
        field[i]->data = NULL;
        other_len = text_of(other, &n);
        equal = 0;

        for (k = 0; k < other_len; k++) {
            equal += other[k] == '\n';
        }

        ok(other_len == len - keep.len && equal == GW_SIGNATURE_MEMBERS,
           "without %s its line is empty and there", names[i]);

        *field[i] = keep;
    }

    /* from the end of one member to the front of the next one */

    for (i = 0; i < 9; i++) {
        fill();
        *field[i] = view("ab");
        *field[i + 1] = view("c");
        len = text_of(text, &n);
        *field[i] = view("a");
        *field[i + 1] = view("bc");
        other_len = text_of(other, &n);
        ok(len == other_len && memcmp(text, other, len) != 0,
           "a byte moved from %s to %s is another text", names[i],
           names[i + 1]);
    }

    memset(&request, 0, sizeof(request));
    s.device.len = 0;
    s.timestamp.len = 0;
    len = text_of(text, &n);
    is_str(text, len, "Gateway-HMAC-SHA256\n\n\n\n\n\n\n\n\n\n\n",
           "a request without all has eleven lines");
    is_u64(n, 12, "and no empty view");

    /* a byte that would end a line, at every place of every member */

    tried = 0;
    refused_n = 0;
    equal = 0;

    for (i = 0; i < 10; i++) {
        for (k = 0; k < 5; k++) {
            for (b = 0; b < 256; b++) {
                fill();
                memcpy(member, "abcde", 5);
                member[k] = (char) b;
                field[i]->data = guarded(member, 5);
                field[i]->len = 5;

                n = gw_signature_text(&s, &request, out);
                tried++;

                if (b == '\n' || b == '\r' || b == '\0') {
                    equal += n < 0;
                    refused_n++;

                } else {
                    equal += n == 2 * GW_SIGNATURE_MEMBERS;
                }
            }
        }
    }

    is_u64(equal, tried, "LF, CR and NUL and nothing else are refused, at "
           "each place of each member");
    is_u64(refused_n, 150, "and all of these were tried");
}


int
main(void)
{
    taken();
    refused();
    all_bytes();
    window();
    texts();

    return done_testing();
}
