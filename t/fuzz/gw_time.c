/*
 * Fuzz target: device times.  Unseen breakage would be a date that is taken
 * and means another moment, a 30th of February, or a read behind the string.
 *
 * The input is the time.  A second reader, a field at a time and with the C
 * library's calendar, must accept the same strings and find the same
 * millisecond; the moment, written again, must be read as itself.
 */

#include <time.h>

#include "fuzz.h"
#include "gw_time.h"


#define DATE_MIN   20     /* 1970-01-01T00:00:00Z */


/* n digits at p, -1: not all of them are */

static int
digits(const uint8_t *p, size_t n)
{
    int  v;

    for (v = 0; n; n--, p++) {

        if (*p < '0' || *p > '9') {
            return -1;
        }

        v = v * 10 + (*p - '0');
    }

    return v;
}


/* RFC 3339 section 5.6, and what gw_time.h says beyond it; -1: refused */

static int64_t
second_date(const uint8_t *p, size_t len)
{
    int         oh, om, sign;
    size_t      i, n;
    time_t      at;
    int64_t     ms;
    struct tm   tm, back;

    memset(&tm, 0, sizeof(tm));

    if (len < DATE_MIN) {
        return -1;
    }

    tm.tm_year = digits(p, 4) - 1900;
    tm.tm_mon = digits(p + 5, 2) - 1;
    tm.tm_mday = digits(p + 8, 2);
    tm.tm_hour = digits(p + 11, 2);
    tm.tm_min = digits(p + 14, 2);
    tm.tm_sec = digits(p + 17, 2);

    if (tm.tm_year < 0 || tm.tm_mon < 0 || tm.tm_mday < 0 || tm.tm_hour < 0
        || tm.tm_min < 0 || tm.tm_sec < 0
        || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60
        || p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':'
        || (p[10] != 'T' && p[10] != 't' && p[10] != ' '))
    {
        return -1;
    }

    i = 19;
    ms = 0;

    if (p[i] == '.') {
        i++;

        for (n = 0; i < len && p[i] >= '0' && p[i] <= '9'; n++, i++) {
            ms += n == 0 ? (p[i] - '0') * 100 : n == 1 ? (p[i] - '0') * 10
                  : n == 2 ? p[i] - '0' : 0;
        }

        if (n == 0) {
            return -1;
        }
    }

    oh = 0;
    om = 0;
    sign = 1;

    if (len - i == 1 && (p[i] == 'Z' || p[i] == 'z')) {
        /* UTC */

    } else if (len - i == 6 && (p[i] == '+' || p[i] == '-')) {
        sign = p[i] == '+' ? 1 : -1;
        oh = digits(p + i + 1, 2);
        om = digits(p + i + 4, 2);

        if (oh < 0 || oh > 23 || om < 0 || om > 59 || p[i + 3] != ':') {
            return -1;
        }

    } else {
        return -1;
    }

    /* the C library takes the 30th of February for the 1st or 2nd of March */

    back = tm;
    back.tm_sec = 0;
    at = timegm(&back);

    if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon
        || back.tm_year != tm.tm_year)
    {
        return -1;
    }

    at -= sign * (oh * 3600 + om * 60);

    if (tm.tm_sec == 60 && (gmtime_r(&at, &back) == NULL
                            || back.tm_min != 59))
    {
        return -1;
    }

    at += tm.tm_sec;

    if (at - tm.tm_sec < 0) {
        return -1;
    }

    ms += (int64_t) at * 1000;

    return ms > GW_TIME_MAX ? -1 : ms;
}


static int64_t
second_epoch(const uint8_t *p, size_t len)
{
    size_t              i, point;
    unsigned __int128   v;

    for (point = 0; point < len && p[point] != '.'; point++) { /* void */ }

    if (point == 0 || (p[0] == '0' && point > 1) || point + 1 == len) {
        return -1;
    }

    v = 0;

    for (i = 0; i < len; i++) {

        if (i == point) {
            continue;
        }

        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }

        /* the integer part, no matter how many digits it has */

        if (i < point && v <= GW_TIME_MAX) {
            v = v * 10 + (unsigned) (p[i] - '0');
        }
    }

    if (v < 100000000000ULL) {
        v *= 1000;

        for (i = 1; i <= 3 && point + i < len; i++) {
            v += (unsigned) (p[point + i] - '0')
                 * (i == 1 ? 100u : i == 2 ? 10u : 1u);
        }
    }

    return v > (unsigned __int128) GW_TIME_MAX ? -1 : (int64_t) v;
}


static void
again(int64_t ms)
{
    char         text[64];
    int          len, rc;
    time_t       at;
    int64_t      back;
    struct tm    tm;
    fuzz_copy_t  copy;

    at = (time_t) (ms / 1000);

    if (gmtime_r(&at, &tm) == NULL) {
        abort();
    }

    len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                   tm.tm_min, tm.tm_sec, (int) (ms % 1000));

    copy = fuzz_copy(text, (size_t) len);
    back = -1;
    rc = gw_time_rfc3339(copy.data, copy.len, &back);
    fuzz_promise(rc == GW_OK && back == ms, "%s is read as %lld, not %lld",
                 text, (long long) back, (long long) ms);
    fuzz_free(&copy);

    if (ms < 100000000000LL) {
        return;
    }

    len = snprintf(text, sizeof(text), "%lld", (long long) ms);

    copy = fuzz_copy(text, (size_t) len);
    back = -1;
    rc = gw_time_epoch(copy.data, copy.len, &back);
    fuzz_promise(rc == GW_OK && back == ms, "%s is read as %lld", text,
                 (long long) back);
    fuzz_free(&copy);
}


static void
judge(const char *what, int rc, int64_t ms, int64_t want, const uint8_t *p,
    size_t len)
{
    fuzz_promise(rc == GW_OK || rc == GW_ERROR, "%s: returns %d", what, rc);
    fuzz_promise((rc == GW_OK) == (want >= 0),
                 "%s: \"%.*s\" is %s, the second reader says %lld", what,
                 (int) len, (const char *) p,
                 rc == GW_OK ? "accepted" : "refused", (long long) want);

    if (rc == GW_OK) {
        fuzz_promise(ms == want, "%s: \"%.*s\" is %lld, not %lld", what,
                     (int) len, (const char *) p, (long long) ms,
                     (long long) want);
        again(ms);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc;
    int64_t      ms;
    fuzz_copy_t  copy;

    copy = fuzz_copy(data, size);

    ms = -1;
    rc = gw_time_rfc3339(copy.data, copy.len, &ms);
    judge("date", rc, ms, second_date(copy.data, copy.len), data, size);

    ms = -1;
    rc = gw_time_epoch(copy.data, copy.len, &ms);
    judge("epoch", rc, ms, second_epoch(copy.data, copy.len), data, size);

    fuzz_free(&copy);

    return 0;
}
