/*
 * gw_envelope.c - what a device says, and the one line Kafka gets of it.
 *
 * The scanner is the real one: documents go in as text, lines come out as
 * text and are read back by jansson, which shares no code with us.  Without
 * this test a number of the device could lose a digit, a seq of "1" pass for
 * 1, an unknown member vanish while the device is told that it is safe, or a
 * long name write behind the record's buffer.
 */

#include <jansson.h>

#include "gw_test.h"
#include "gw_envelope.h"


#define NOW  1714979290000LL

#define DEVICE  "member \"device\" must be a string of 1 to 128 bytes of "     \
                "[A-Za-z0-9._:@-]"
#define EPOCH   "member \"epoch\" must be a string of 1 to 32 bytes of "       \
                "[A-Za-z0-9._:@-]"
#define CLASS   "member \"class\" must be a string of 1 to 32 bytes of "       \
                "[A-Za-z0-9._:@-]"
#define SEQ     "member \"seq\" must be an integer from 0 to "                 \
                "9007199254740991"
#define TS      "member \"ts\" must be an RFC 3339 date-time or epoch "        \
                "seconds or milliseconds, 1970 to 9999"
#define DATA    "member \"data\" is missing"
#define OBJECT  "not an object"
#define OTHER   "unknown member"


typedef struct {
    const char  *doc;
    const char  *want;         /* the line, or the detail of a refusal */
    const char  *name;
} gw_envelope_case_t;


static gw_json_t      json;
static gw_envelope_t  env;
static const char    *detail;
static char           line[8192];


/* the defaults a caller puts in: "dev" and "telemetry" */

static const gw_envelope_case_t  lines[] = {
    { "{\"device\":\"d1\",\"epoch\":\"e1\",\"seq\":7,\"class\":\"control\","
      "\"ts\":1714979289123,\"data\":{\"t\":1}}",
      "{\"device\":\"d1\",\"epoch\":\"e1\",\"seq\":7,\"class\":\"control\","
      "\"ts\":1714979289123,\"received_at\":1714979290000,"
      "\"data\":{\"t\":1}}",
      "all six members" },

    { "{\"data\":1}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,\"data\":1}",
      "data alone: no seq, ts of receipt, an empty epoch" },

    { " { \"data\" : 1 ,\n \"ts\" : \"2024-05-06T09:08:09.5+02:00\" , "
      "\"class\" : \"c\" , \"seq\" : 0 , \"epoch\" : \"e\" , "
      "\"device\" : \"d\" } ",
      "{\"device\":\"d\",\"epoch\":\"e\",\"seq\":0,\"class\":\"c\","
      "\"ts\":1714979289500,\"received_at\":1714979290000,\"data\":1}",
      "another order, and white space of the device's between members" },

    { "{\"seq\":9007199254740991,\"ts\":0,\"data\":null}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"seq\":9007199254740991,"
      "\"class\":\"telemetry\",\"ts\":0,\"received_at\":1714979290000,"
      "\"data\":null}",
      "the largest seq, the smallest ts, and data may be null" },

    { "{\"ts\":253402300799999,\"data\":true}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":253402300799999,\"received_at\":1714979290000,\"data\":true}",
      "the largest ts" },

    { "{\"device\":\"\\u0064ev1\",\"epoch\":\"\\u0065\\u0031\","
      "\"class\":\"contro\\u006c\",\"data\":0}",
      "{\"device\":\"dev1\",\"epoch\":\"e1\",\"class\":\"control\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,\"data\":0}",
      "escaped names are the names they spell" },

    { "{\"\\u0064evice\":\"d\",\"\\u0064\\u0061\\u0074\\u0061\":2,"
      "\"s\\u0065q\":3,\"\\u0074s\":4}",
      "{\"device\":\"d\",\"epoch\":\"\",\"seq\":3,\"class\":\"telemetry\","
      "\"ts\":4000,\"received_at\":1714979290000,\"data\":2}",
      "so are escaped members" },

    { "{\"ts\":\"2024-05-06T07:08:09\\u005a\",\"data\":0}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979289000,\"received_at\":1714979290000,\"data\":0}",
      "and an escaped date" },

    { "{\"data\":-12345678901234567890.1234567890123456789E+0100}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":-12345678901234567890.1234567890123456789E+0100}",
      "a number keeps every digit" },

    { "{\"data\":\"a\\n\\u0000\\\"\\\\b\"}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":\"a\\n\\u0000\\\"\\\\b\"}",
      "a string keeps its quotes and escapes" },

    { "{\"data\":\"\"}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,\"data\":\"\"}",
      "an empty string is data" },

    { "{\"data\": [1,\t2 , 3] }",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":[1,\t2 , 3]}",
      "blanks and tabs inside data stay" },

    { "{\"data\":{\r\n  \"a\": [\n1,\r2\n]\n}}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":{  \"a\": [1,2]}}",
      "line ends inside data go: a record is one line" },

    { "{\"data\":{\"a\":[[[\n]]]}}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":{\"a\":[[[]]]}}",
      "however deep the only one stands" },

    { "{\"data\":{\"device\":\"x\",\"seq\":[1,{\"data\":2}]},\"seq\":5}",
      "{\"device\":\"dev\",\"epoch\":\"\",\"seq\":5,\"class\":\"telemetry\","
      "\"ts\":1714979290000,\"received_at\":1714979290000,"
      "\"data\":{\"device\":\"x\",\"seq\":[1,{\"data\":2}]}}",
      "members of the same names inside data are data" },
};


static const gw_envelope_case_t  refused[] = {
    { "[]", OBJECT, "an array" },
    { "1", OBJECT, "a number" },
    { "null", OBJECT, "null" },
    { "\"data\"", OBJECT, "a string" },
    { "{}", DATA, "an empty object" },
    { "{\"seq\":1}", DATA, "no data" },

    { "{\"data\":1,\"x\":1}", OTHER, "a name of one byte" },
    { "{\"data\":1,\"\":1}", OTHER, "an empty name" },
    { "{\"data\":1,\"tz\":1}", OTHER, "two bytes, ts but the last" },
    { "{\"data\":1,\"xs\":1}", OTHER, "two bytes, ts but the first" },
    { "{\"data\":1,\"sez\":1}", OTHER, "three bytes, seq but the last" },
    { "{\"data\":1,\"szq\":1}", OTHER, "three bytes, seq but the second" },
    { "{\"data\":1,\"zeq\":1}", OTHER, "three bytes, seq but the first" },
    { "{\"data\":1,\"date\":1}", OTHER, "four bytes, not data" },
    { "{\"data\":1,\"epocx\":1}", OTHER, "five bytes, epoch but the last" },
    { "{\"data\":1,\"xpoch\":1}", OTHER, "five bytes, epoch but the first" },
    { "{\"data\":1,\"clasx\":1}", OTHER, "five bytes, class but the last" },
    { "{\"data\":1,\"xlass\":1}", OTHER, "five bytes, class but the first" },
    { "{\"data\":1,\"devicf\":1}", OTHER, "six bytes, device but the last" },
    { "{\"data\":1,\"xevice\":1}", OTHER, "six bytes, device but the first" },
    { "{\"data\":1,\"devices\":1}", OTHER, "seven bytes" },
    { "{\"data\":1,\"received_at\":1}", OTHER, "received_at is ours" },
    { "{\"data\":1,\"Seq\":1}", OTHER, "upper case" },
    { "{\"data\":1,\"seq\\u0000\":1}", OTHER, "a NUL behind seq" },
    { "{\"data\":1,\"se\\u0071s\":1}", OTHER, "an escaped stranger" },
    { "{\"data\":1,\"\\u0064\\u0065\\u0076\\u0069\\u0063\\u0065\\u0073\":1}",
      OTHER, "an escaped name that is too long" },

    { "{\"data\":1,\"\\u0064evice.and.more\":1}", OTHER,
      "a name with one escape that is too long" },

    { "{\"data\":1,\"seq\":null}", SEQ, "seq null" },
    { "{\"data\":1,\"seq\":\"1\"}", SEQ, "seq a string" },
    { "{\"data\":1,\"seq\":1.0}", SEQ, "seq 1.0" },
    { "{\"data\":1,\"seq\":1e0}", SEQ, "seq 1e0" },
    { "{\"data\":1,\"seq\":-1}", SEQ, "seq -1" },
    { "{\"data\":1,\"seq\":-0}", SEQ, "seq -0" },
    { "{\"data\":1,\"seq\":9007199254740992}", SEQ, "seq 2^53" },
    { "{\"data\":1,\"seq\":9223372036854775808}", SEQ, "seq 2^63" },
    { "{\"data\":1,\"seq\":18446744073709551617}", SEQ, "seq 2^64 + 1" },
    { "{\"data\":1,\"seq\":true}", SEQ, "seq true" },
    { "{\"data\":1,\"seq\":[1]}", SEQ, "seq an array" },
    { "{\"data\":1,\"seq\":{\"a\":1}}", SEQ, "seq an object" },

    { "{\"data\":1,\"ts\":null}", TS, "ts null" },
    { "{\"data\":1,\"ts\":-1}", TS, "ts -1" },
    { "{\"data\":1,\"ts\":1e9}", TS, "ts 1e9" },
    { "{\"data\":1,\"ts\":253402300800000}", TS, "ts of year 10000" },
    { "{\"data\":1,\"ts\":\"\"}", TS, "ts empty" },
    { "{\"data\":1,\"ts\":\"1714979289\"}", TS, "ts a number in quotes" },
    { "{\"data\":1,\"ts\":\"2024-02-30T00:00:00Z\"}", TS, "ts February 30" },
    { "{\"data\":1,\"ts\":\"2024-02-2\\u0039T00:00:00\"}", TS,
      "ts escaped and without a zone" },
    { "{\"data\":1,\"ts\":false}", TS, "ts false" },
    { "{\"data\":1,\"ts\":{}}", TS, "ts an object" },

    { "{\"data\":1,\"device\":null}", DEVICE, "device null" },
    { "{\"data\":1,\"device\":\"\"}", DEVICE, "device empty" },
    { "{\"data\":1,\"device\":1}", DEVICE, "device a number" },
    { "{\"data\":1,\"device\":\"a b\"}", DEVICE, "device with a blank" },
    { "{\"data\":1,\"device\":\"a/b\"}", DEVICE, "device with a slash" },
    { "{\"data\":1,\"device\":\"\xc3\xa9\"}", DEVICE, "device in UTF-8" },
    { "{\"data\":1,\"device\":\"a\\u000ab\"}", DEVICE, "an escaped LF" },
    { "{\"data\":1,\"device\":\"a\\\"b\"}", DEVICE, "an escaped quote" },
    { "{\"data\":1,\"device\":\"a\\u0000\"}", DEVICE, "an escaped NUL" },
    { "{\"data\":1,\"device\":\"\\u00e9\"}", DEVICE, "an escaped letter" },
    { "{\"data\":1,\"epoch\":null}", EPOCH, "epoch null" },
    { "{\"data\":1,\"epoch\":\"\"}", EPOCH, "epoch empty" },
    { "{\"data\":1,\"epoch\":1}", EPOCH, "epoch a number" },
    { "{\"data\":1,\"epoch\":\"a,b\"}", EPOCH, "epoch with a comma" },
    { "{\"data\":1,\"class\":null}", CLASS, "class null" },
    { "{\"data\":1,\"class\":\"\"}", CLASS, "class empty" },
    { "{\"data\":1,\"class\":[]}", CLASS, "class an array" },
    { "{\"data\":1,\"class\":\"a\\\\b\"}", CLASS, "class with a backslash" },
};


static int
decode(const char *doc, size_t len)
{
    const uint8_t  *p;

    p = guarded(doc, len);

    if (gw_json_parse(&json, p, len) != GW_OK) {
        printf("# scanner: %s\n", gw_json_strerror(json.error));
        return GW_DECLINED;
    }

    /* nothing of the last one may shine through */

    memset(&env, 0xa5, sizeof(env));
    detail = NULL;

    return gw_envelope_decode(&json, p, &env, &detail);
}


/* into memory of exactly the size asked for: ASan sees a byte more */

static size_t
write_line(int64_t now)
{
    size_t    size, n;
    uint8_t  *p;

    if (env.device.len == 0) {
        env.device.data = (const uint8_t *) "dev";
        env.device.len = 3;
    }

    if (env.class_name.len == 0) {
        env.class_name.data = (const uint8_t *) "telemetry";
        env.class_name.len = 9;
    }

    if (env.epoch.len == 0) {
        env.epoch.data = NULL;
    }

    size = gw_envelope_size(&env);
    p = malloc(size);
    if (p == NULL) {
        abort();
    }

    memset(p, '#', size);
    n = gw_envelope_write(p, &env, now);

    if (n > size || n >= sizeof(line)) {
        abort();
    }

    while (size > n) {
        if (p[--size] != '#') {
            abort();
        }
    }

    memcpy(line, p, n);
    free(p);

    return n;
}


static void
tables(void)
{
    int     rc;
    size_t  i, n;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        rc = decode(lines[i].doc, strlen(lines[i].doc));
        n = rc == GW_OK ? write_line(NOW) : 0;
        is_str(line, n, lines[i].want, "%s", lines[i].name);
    }

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        rc = decode(refused[i].doc, strlen(refused[i].doc));
        ok(rc == GW_ERROR && detail
           && strcmp(detail, refused[i].want) == 0,
           "%s is refused: %s", refused[i].name, refused[i].want);
    }
}


/* each name at its longest and one above, plain and all escaped */

static void
name_lengths(void)
{
    int     rc, bad;
    char    doc[2048], tail[129];
    size_t  i, len, at, k;

    static const struct {
        const char  *member;
        size_t       max;
    } names[] = { { "device", 128 }, { "epoch", 32 }, { "class", 32 } };

    memset(tail, 't', sizeof(tail));

    for (i = 0; i < 3; i++) {
        bad = 0;

        for (len = 1; len <= names[i].max + 1; len++) {
            at = (size_t) sprintf(doc, "{\"data\":0,\"%s\":\"",
                                  names[i].member);

            for (k = 0; k < len; k++) {
                doc[at++] = (char) ('a' + k % 26);
            }

            memcpy(doc + at, "\"}", 2);
            rc = decode(doc, at + 2);
            bad += rc != (len <= names[i].max ? GW_OK : GW_ERROR);

            if (rc == GW_OK) {
                write_line(NOW);
            }

            /* the first byte escaped: the raw length says nothing */

            at = (size_t) sprintf(doc, "{\"data\":0,\"%s\":\"\\u0061%.*s\"}",
                                  names[i].member, (int) len - 1, tail);
            bad += decode(doc, at)
                   != (len <= names[i].max ? GW_OK : GW_ERROR);

            at = (size_t) sprintf(doc, "{\"data\":0,\"%s\":\"",
                                  names[i].member);

            for (k = 0; k < len; k++) {
                at += (size_t) sprintf(doc + at, "\\u%04x",
                                       (unsigned) ('a' + k % 26));
            }

            memcpy(doc + at, "\"}", 2);
            rc = decode(doc, at + 2);
            bad += rc != (len <= names[i].max ? GW_OK : GW_ERROR);

            if (rc == GW_OK) {
                write_line(NOW);
            }
        }

        ok(bad == 0, "%s: 1 to %zu bytes pass, escaped or not, %zu do not",
           names[i].member, names[i].max, names[i].max + 1);
    }
}


static void
raw_parts(void)
{
    int       bad, c, good;
    size_t    i, len;
    int64_t   ts;
    uint8_t   name[20];
    uint64_t  seq;

    static const char  *no_seq[] = {
        "", "-1", "-0", "+1", "1.0", "1e0", " 1", "1 ", "01", "00", "a",
        "9007199254740992", "9999999999999999", "10000000000000000",
        "18446744073709551617", "0x1"
    };

    static const char  *no_ts[] = {
        "", "-1", "1e9", "2024-", "2024-05-06", "now", "01",
        "2024-05-06T07:08:09", "253402300800000", "1234-"
    };

    ok(gw_envelope_parse_seq(guarded("0", 1), 1, &seq) == GW_OK && seq == 0,
       "a header's seq of 0");
    ok(gw_envelope_parse_seq(guarded("9007199254740991", 16), 16, &seq)
       == GW_OK && seq == GW_SEQ_MAX, "a header's largest seq");
    ok(gw_envelope_parse_ts(guarded("1714979289", 10), 10, &ts) == GW_OK
       && ts == 1714979289000, "a header's ts in seconds");
    ok(gw_envelope_parse_ts(guarded("1.5", 3), 3, &ts) == GW_OK
       && ts == 1500, "with a fraction");
    ok(gw_envelope_parse_ts(guarded("2024-05-06T07:08:09Z", 20), 20, &ts)
       == GW_OK && ts == 1714979289000, "a header's ts as a date");

    bad = 0;

    for (i = 0; i < sizeof(no_seq) / sizeof(no_seq[0]); i++) {
        len = strlen(no_seq[i]);
        bad += gw_envelope_parse_seq(guarded(no_seq[i], len), len, &seq)
               != GW_ERROR;
    }

    ok(bad == 0, "no sign, zero in front, fraction, blank or 2^53 is a seq");

    bad = 0;

    for (i = 0; i < sizeof(no_ts) / sizeof(no_ts[0]); i++) {
        len = strlen(no_ts[i]);
        bad += gw_envelope_parse_ts(guarded(no_ts[i], len), len, &ts)
               != GW_ERROR;
    }

    ok(bad == 0, "neither a part of a date nor a number out of range is a ts");

    /* every byte at every place of names of 1 to 20 bytes */

    bad = 0;

    for (len = 1; len <= 20; len++) {
        for (i = 0; i < len; i++) {
            for (c = 0; c < 256; c++) {
                memset(name, 'n', len);
                name[i] = (uint8_t) c;

                good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                       || (c >= '0' && c <= '9')
                       || (c && strchr("._:@-", c) != NULL);

                bad += gw_envelope_name_valid(guarded(name, len), len, 20)
                       != (good ? GW_OK : GW_ERROR);
            }
        }
    }

    ok(bad == 0, "a name takes [A-Za-z0-9._:@-] at each place, else nothing");
    ok(gw_envelope_name_valid(name, 0, 20) == GW_ERROR
       && gw_envelope_name_valid(NULL, 0, 20) == GW_ERROR
       && gw_envelope_name_valid(name, 20, 19) == GW_ERROR,
       "an empty name or one above its limit is none");
}


/* integers of every length, against printf */

static void
numbers(void)
{
    int       bad, k;
    char      want[512];
    size_t    n;
    int64_t   now;
    uint64_t  v;

    bad = 0;

    if (decode("{\"data\":0}", 10) != GW_OK) {
        abort();
    }

    for (v = 1; ; v *= 10) {

        for (k = -1; k <= 1; k++) {
            env.has_seq = 1;
            env.seq = v + (uint64_t) k;
            env.has_ts = v <= 100000000000000ULL;
            env.ts = (int64_t) (v + (uint64_t) k);
            now = v <= 1000000000000000000ULL ? (int64_t) v - k : NOW;

            n = write_line(now);

            snprintf(want, sizeof(want), "{\"device\":\"dev\",\"epoch\":\"\","
                     "\"seq\":%" PRIu64 ",\"class\":\"telemetry\",\"ts\":%"
                     PRId64 ",\"received_at\":%" PRId64 ",\"data\":0}",
                     env.seq, env.has_ts ? env.ts : now, now);

            bad += n != strlen(want) || memcmp(line, want, n) != 0;
        }

        if (v == 10000000000000000000ULL) {
            break;
        }
    }

    ok(bad == 0, "powers of ten and their neighbors are written as by printf");

    env.has_seq = 1;
    env.seq = UINT64_MAX;
    env.has_ts = 1;
    env.ts = INT64_MAX;
    n = write_line(INT64_MAX);
    line[n] = '\0';
    ok(strstr(line, "\"seq\":18446744073709551615,") != NULL
       && strstr(line, "\"ts\":9223372036854775807,"
                       "\"received_at\":9223372036854775807,") != NULL,
       "the widest integers stay within the size");

    env.has_ts = 0;
    n = write_line(-1);
    line[n] = '\0';
    ok(strstr(line, "\"ts\":0,\"received_at\":0,") != NULL,
       "a clock before 1970 is put out as 0");
}


/* random envelopes there and back through jansson */

static uint64_t
draw(uint64_t *state, uint64_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;

    return *state % n;
}


static size_t
put_random_name(char *p, uint64_t *state, char *plain, size_t max)
{
    size_t  at, i, len;
    int     escaped;

    static const char  set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                               "UVWXYZ0123456789._:@-";

    len = 1 + draw(state, max);
    escaped = draw(state, 3) == 0;
    at = 0;

    for (i = 0; i < len; i++) {
        plain[i] = set[draw(state, sizeof(set) - 1)];

        if (escaped && draw(state, 2)) {
            at += (size_t) sprintf(p + at, "\\u%04X", (unsigned) plain[i]);

        } else {
            p[at++] = plain[i];
        }
    }

    plain[len] = '\0';

    return at;
}


static void
there_and_back(void)
{
    int       bad, i, k, pick, seen;
    char      doc[4096], device[129], epoch[33], class_name[33];
    json_t   *root, *data;
    size_t    at, n;
    int64_t   ts;
    uint64_t  state, seq;

    static const char  *datas[] = {
        "null", "-1.50e+3", "\"x\\u00e9\\n\"", "[]", "{}", "true",
        "{\"a\":[1,2,{\"b\":\"\\\\\"}]}", "[1,\n2,\r\n[\n]]",
        "{\n\t\"k\" : \"v\"\n}"
    };

    bad = 0;
    state = 4711;

    for (i = 0; i < 5000; i++) {
        seq = draw(&state, GW_SEQ_MAX + 1) >> draw(&state, 53);
        ts = (int64_t) (draw(&state, 253402300800000ULL)
                        >> draw(&state, 40));

        if (ts < 100000000000) {
            ts += 100000000000;
        }

        at = 0;
        doc[at++] = '{';
        seen = 0;
        pick = (int) draw(&state, 5);

        /* members from a random start; some are left out, never data */

        for (k = 0; k < 6; k++) {
            int  m = (pick + k) % 6;

            if (m != 5 && draw(&state, 4) == 0) {
                continue;
            }

            if (seen) {
                doc[at++] = ',';
            }

            seen |= 1 << m;

            switch (m) {
            case 0:
                at += (size_t) sprintf(doc + at, "\"device\":\"");
                at += put_random_name(doc + at, &state, device, 128);
                doc[at++] = '"';
                break;
            case 1:
                at += (size_t) sprintf(doc + at, "\"epoch\" : \"");
                at += put_random_name(doc + at, &state, epoch, 32);
                doc[at++] = '"';
                break;
            case 2:
                at += (size_t) sprintf(doc + at, "\"class\":\n\"");
                at += put_random_name(doc + at, &state, class_name, 32);
                doc[at++] = '"';
                break;
            case 3:
                at += (size_t) sprintf(doc + at, "\"seq\":%" PRIu64, seq);
                break;
            case 4:
                at += (size_t) sprintf(doc + at, "\"ts\":%" PRId64, ts);
                break;
            case 5:
                at += (size_t) sprintf(doc + at, "\"data\":%s", datas[i % 9]);
                break;
            }
        }

        doc[at++] = '}';

        if (decode(doc, at) != GW_OK) {
            bad++;
            continue;
        }

        n = write_line(NOW);

        root = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
        data = json_loads(datas[i % 9], JSON_DECODE_ANY, NULL);

        if (root == NULL || data == NULL || memchr(line, '\n', n)
            || memchr(line, '\r', n)
            || json_object_size(root) != (seen & 8 ? 7u : 6u)
            || strcmp(json_string_value(json_object_get(root, "device")),
                      seen & 1 ? device : "dev")
            || strcmp(json_string_value(json_object_get(root, "epoch")),
                      seen & 2 ? epoch : "")
            || strcmp(json_string_value(json_object_get(root, "class")),
                      seen & 4 ? class_name : "telemetry")
            || (seen & 8
                && json_integer_value(json_object_get(root, "seq"))
                   != (json_int_t) seq)
            || json_integer_value(json_object_get(root, "ts"))
               != (seen & 16 ? ts : NOW)
            || json_integer_value(json_object_get(root, "received_at")) != NOW
            || !json_equal(json_object_get(root, "data"), data))
        {
            bad++;
        }

        json_decref(root);
        json_decref(data);
    }

    ok(bad == 0, "5000 random envelopes come back as jansson reads them");
}


int
main(void)
{
    void              *arena;
    gw_json_limits_t   limits = { 65536, 1000, 32, 64, 4096, 128 };

    arena = malloc(gw_json_arena_size(&limits));
    if (arena == NULL || gw_json_init(&json, &limits, arena, 42) != GW_OK) {
        abort();
    }

    tables();
    name_lengths();
    raw_parts();
    numbers();
    there_and_back();

    free(arena);

    return done_testing();
}
