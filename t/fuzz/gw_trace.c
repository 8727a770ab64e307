/*
 * Fuzz target: the traceparent and tracestate headers.  Unseen breakage would
 * be a header that is passed on to Kafka's readers and is none, or a read
 * behind it.
 *
 * The input is the header.  It is judged a character at a time by the grammar
 * of W3C Trace Context 3.2.2; what comes out must be one of version 00 with
 * the same ids.  The first 24 bytes are also taken for the random bits of a
 * header to be made.
 */

#include "fuzz.h"
#include "gw_trace.h"


static const char  form[] =
    "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";


static int
all_zero(const uint8_t *p, size_t len)
{
    while (len && p[len - 1] == '0') {
        len--;
    }

    return len == 0;
}


static int
grammar(const uint8_t *p, size_t len)
{
    size_t  i;

    if (len < GW_TRACEPARENT_LEN) {
        return 0;
    }

    for (i = 0; i < GW_TRACEPARENT_LEN; i++) {

        if (form[i] == 'x') {

            if (p[i] == '\0' || strchr("0123456789abcdef", p[i]) == NULL) {
                return 0;
            }

        } else if (p[i] != '-') {
            return 0;
        }
    }

    if (memcmp(p, "ff", 2) == 0 || all_zero(p + 3, 32)
        || all_zero(p + 36, 16))
    {
        return 0;
    }

    return len == GW_TRACEPARENT_LEN
           || (memcmp(p, "00", 2) != 0 && p[GW_TRACEPARENT_LEN] == '-');
}


static void
parse(const uint8_t *p, size_t len)
{
    int       rc, want;
    char      flags[3];
    uint8_t  *dst, *again;

    /* of the promised size, not a byte more */

    dst = malloc(GW_TRACEPARENT_LEN);
    again = malloc(GW_TRACEPARENT_LEN);

    if (dst == NULL || again == NULL) {
        abort();
    }

    rc = gw_trace_parse(p, len, dst);
    want = grammar(p, len) ? GW_OK : GW_ERROR;

    fuzz_promise(rc == want, "\"%.*s\" gives %d, the grammar says %d",
                 (int) len, (const char *) p, rc, want);

    if (rc == GW_OK) {
        fuzz_promise(memcmp(dst, "00-", 3) == 0, "not of version 00");
        fuzz_promise(memcmp(dst + 3, p + 3, 50) == 0, "other ids");

        memcpy(flags, p + 53, 2);
        flags[2] = '\0';

        if (memcmp(p, "00", 2) != 0) {
            snprintf(flags, sizeof(flags), "0%c",
                     strtoul(flags, NULL, 16) & 1 ? '1' : '0');
        }

        fuzz_promise(memcmp(dst + 53, flags, 2) == 0,
                     "flags \"%.2s\", not \"%s\"", (char *) dst + 53, flags);
        fuzz_promise(gw_trace_parse(dst, GW_TRACEPARENT_LEN, again) == GW_OK
                     && memcmp(dst, again, GW_TRACEPARENT_LEN) == 0,
                     "what is passed on is not read as itself");
    }

    free(dst);
    free(again);
}


static void
state(const uint8_t *p, size_t len)
{
    int     good;
    size_t  i;

    good = len > 0 && len <= 512;

    for (i = 0; i < len; i++) {
        good &= p[i] >= ' ' && p[i] <= '~';
    }

    fuzz_promise(gw_trace_state_valid(p, len) == (good ? GW_OK : GW_ERROR),
                 "tracestate of %zu bytes", len);
}


static void
make(const uint8_t *p)
{
    char       want[GW_TRACEPARENT_LEN + 1];
    uint8_t   *dst, *back;
    uint64_t   bits[3];

    memcpy(bits, p, sizeof(bits));

    dst = malloc(GW_TRACEPARENT_LEN);
    back = malloc(GW_TRACEPARENT_LEN);

    if (dst == NULL || back == NULL) {
        abort();
    }

    gw_trace_make(bits[0], bits[1], bits[2], dst);

    snprintf(want, sizeof(want), "00-%016llx%016llx-%016llx-00",
             (unsigned long long) bits[0],
             (unsigned long long) (bits[0] || bits[1] ? bits[1] : 1),
             (unsigned long long) (bits[2] ? bits[2] : 1));

    fuzz_promise(memcmp(dst, want, GW_TRACEPARENT_LEN) == 0,
                 "made \"%.55s\", not \"%s\"", (char *) dst, want);
    fuzz_promise(gw_trace_parse(dst, GW_TRACEPARENT_LEN, back) == GW_OK,
                 "what is made is not valid");

    free(dst);
    free(back);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_copy_t  copy;

    copy = fuzz_copy(data, size);

    parse(copy.data, copy.len);
    state(copy.data, copy.len);

    if (copy.len >= 24) {
        make(copy.data);
    }

    fuzz_free(&copy);

    return 0;
}
