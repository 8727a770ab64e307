/*
 * gw_trace.c - the trace a device began goes on, or a new one begins.
 *
 * Rules are those of W3C Trace Context section 3.2.  Without this test an
 * invalid traceparent would be passed on into Kafka, where each consumer
 * drops it in silence and the trace breaks at the gateway; or a good one
 * would be replaced and the device's own spans would hang in the air.
 */

#include "gw_test.h"
#include "gw_trace.h"


#define T  "4bf92f3577b34da6a3ce929d0e0e4736"
#define S  "00f067aa0ba902b7"
#define Z  "00000000000000000000000000000000"


typedef struct {
    const char  *text;
    const char  *want;         /* NULL: invalid */
    const char  *name;
} gw_trace_case_t;


static const gw_trace_case_t  cases[] = {
    { "00-" T "-" S "-01", "00-" T "-" S "-01", "version 00 is kept" },
    { "00-" T "-" S "-00", "00-" T "-" S "-00", "not sampled is kept" },
    { "00-" T "-" S "-ff", "00-" T "-" S "-ff", "all flags are kept" },
    { "01-" T "-" S "-01", "00-" T "-" S "-01", "01 becomes 00" },
    { "fe-" T "-" S "-01", "00-" T "-" S "-01", "fe becomes 00" },
    { "0f-" T "-" S "-00", "00-" T "-" S "-00", "0f becomes 00" },
    { "f0-" T "-" S "-00", "00-" T "-" S "-00", "f0 becomes 00" },
    { "cc-" T "-" S "-ff", "00-" T "-" S "-01", "only sampled is known" },
    { "cc-" T "-" S "-fe", "00-" T "-" S "-00", "fe is not sampled" },
    { "cc-" T "-" S "-0b", "00-" T "-" S "-01", "0b is sampled" },
    { "cc-" T "-" S "-0a", "00-" T "-" S "-00", "0a is not sampled" },
    { "cc-" T "-" S "-09", "00-" T "-" S "-01", "09 is sampled" },
    { "cc-" T "-" S "-08", "00-" T "-" S "-00", "08 is not sampled" },
    { "01-" T "-" S "-01-what", "00-" T "-" S "-01", "01 may be longer" },
    { "01-" T "-" S "-01-", "00-" T "-" S "-01", "by a dash alone, too" },
    { "01-" T "-" S "-01.what", NULL, "byte 56 of 01 is not a dash" },
    { "01-" T "-" S "-011", NULL, "a third digit of flags" },
    { "00-" T "-" S "-01-what", NULL, "00 may not be longer" },
    { "00-" T "-" S "-01-", NULL, "00 may not be longer by a dash" },
    { "00-" T "-" S "-01 ", NULL, "00 may not be longer by a space" },
    { "ff-" T "-" S "-01", NULL, "version ff" },
    { "0F-" T "-" S "-01", NULL, "an upper case version" },
    { "0x-" T "-" S "-01", NULL, "a version that is not hex" },
    { "00-" Z "-" S "-01", NULL, "a trace of zeros" },
    { "01-" Z "-" S "-01", NULL, "a trace of zeros in version 01" },
    { "00-" T "-0000000000000000-01", NULL, "a parent of zeros" },
    { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" S "-01", NULL, "upper case" },
    { "00-" T "-" S "-0g", NULL, "flags that are not hex" },
    { "00-" T "-" S "-0A", NULL, "upper case flags" },
    { "00-" T "-" S "-", NULL, "no flags" },
    { "00-" T "-" S, NULL, "no flags and no dash" },
    { "00_" T "-" S "-01", NULL, "another byte for dash 1" },
    { "00-" T "_" S "-01", NULL, "another byte for dash 2" },
    { "00-" T "-" S "_01", NULL, "another byte for dash 3" },
    { "", NULL, "nothing" },
    { " 00-" T "-" S "-01", NULL, "a space in front" },
    { "00-00000000000000000000000000000001-0000000000000001-00",
      "00-00000000000000000000000000000001-0000000000000001-00",
      "ids with only their last bit" },
    { "00-10000000000000000000000000000000-1000000000000000-00",
      "00-10000000000000000000000000000000-1000000000000000-00",
      "ids with only their first digit" },
    { "00-00000000100000000000000000000000-0000000010000000-00",
      "00-00000000100000000000000000000000-0000000010000000-00",
      "ids with only one in the middle" },
    { "00-00000000000000001000000000000000-0000000010000000-00",
      "00-00000000000000001000000000000000-0000000010000000-00",
      "a trace with only its digit 17" },
};


static void
table(void)
{
    int                     rc;
    size_t                  i, len;
    uint8_t                 dst[56];
    const gw_trace_case_t  *c;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];
        len = strlen(c->text);

        memset(dst, '#', sizeof(dst));
        rc = gw_trace_parse(guarded(c->text, len), len, dst);

        if (c->want == NULL) {
            ok(rc == GW_ERROR, "%s is invalid", c->name);
            continue;
        }

        ok(rc == GW_OK && memcmp(dst, c->want, 55) == 0 && dst[55] == '#',
           "valid: %s", c->name);
    }
}


/* each byte replaced by each value: the words of eight are checked whole */

static void
one_byte_off(void)
{
    int                bad, i, c, hex, valid;
    uint8_t            text[55], dst[55];
    static const char  good[] = "00-" T "-" S "-01";

    bad = 0;

    for (i = 2; i < 55; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, good, 55);
            text[i] = (uint8_t) c;

            hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            valid = good[i] == '-' ? c == '-' : hex;

            bad += gw_trace_parse(text, 55, dst)
                   != (valid ? GW_OK : GW_ERROR);
        }
    }

    ok(bad == 0, "each place takes its own bytes and no others");

    bad = 0;

    for (i = 0; i < 55; i++) {
        bad += gw_trace_parse(guarded(good, (size_t) i), (size_t) i, dst)
               != GW_ERROR;
    }

    ok(bad == 0, "no prefix of a traceparent is one");
}


static void
makes(void)
{
    int       bad, n;
    char      want[64];
    uint8_t   dst[56], again[55];
    uint64_t  hi, lo, parent;

    dst[55] = '#';

    gw_trace_make(0x0123456789abcdefULL, 0xfedcba9876543210ULL,
                  0x00a0b0c0d0e0f009ULL, dst);
    is_str(dst, 55, "00-0123456789abcdeffedcba9876543210-00a0b0c0d0e0f009-00",
           "the bits come out in order, in lower case, not sampled");
    ok(dst[55] == '#', "and no byte more");

    gw_trace_make(0, 0, 0, dst);
    is_str(dst, 55, "00-" "00000000000000000000000000000001"
           "-0000000000000001-00", "ids of zero are avoided");

    gw_trace_make(0, 5, 7, dst);
    is_str(dst, 55, "00-" "00000000000000000000000000000005"
           "-0000000000000007-00", "half a trace id may be zero");

    gw_trace_make(5ULL << 60, 0, 7, dst);
    is_str(dst, 55, "00-" "50000000000000000000000000000000"
           "-0000000000000007-00", "the other half, too");

    bad = 0;
    hi = 1;

    for (n = 0; n < 10000; n++) {
        hi = hi * 6364136223846793005ULL + 1442695040888963407ULL;
        lo = hi * 6364136223846793005ULL + 1442695040888963407ULL;
        parent = lo * 6364136223846793005ULL + 1442695040888963407ULL;

        gw_trace_make(hi, lo, parent, dst);

        snprintf(want, sizeof(want),
                 "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-00",
                 hi, lo, parent);

        bad += memcmp(dst, want, 55) != 0
               || gw_trace_parse(dst, 55, again) != GW_OK
               || memcmp(dst, again, 55) != 0;
    }

    ok(bad == 0, "10000 made ones are what printf makes, and parse");
}


static void
states(void)
{
    int      c, bad;
    uint8_t  text[600];

    memset(text, 'a', sizeof(text));

    ok(gw_trace_state_valid(text, 0) == GW_ERROR, "an empty tracestate");
    ok(gw_trace_state_valid(guarded(text, 1), 1) == GW_OK, "one byte");
    ok(gw_trace_state_valid(guarded(text, 512), 512) == GW_OK, "512 bytes");
    ok(gw_trace_state_valid(text, 513) == GW_ERROR, "513 bytes are too many");
    ok(gw_trace_state_valid((const uint8_t *) "rojo=00f067aa0ba902b7,a=b ~",
                            27) == GW_OK, "a list of two vendors");

    bad = 0;

    for (c = 0; c < 256; c++) {
        text[9] = (uint8_t) c;
        bad += gw_trace_state_valid(text, 20)
               != (c >= 0x20 && c <= 0x7e ? GW_OK : GW_ERROR);
    }

    ok(bad == 0, "control bytes, DEL and all above are refused");
}


int
main(void)
{
    table();
    one_byte_off();
    makes();
    states();

    return done_testing();
}
