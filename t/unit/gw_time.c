/*
 * gw_time.c - the device's clock, as devices spell it.
 *
 * ts comes as RFC 3339 or as a number; both must end as the same
 * milliseconds.  Without this test a wrong leap year, an offset added instead
 * of taken off, or seconds read as milliseconds would store readings under a
 * time at which nothing was measured, and no counter would show it.
 */

#include <time.h>

#include "gw_test.h"
#include "gw_time.h"


#define NONE  (-1)


typedef struct {
    const char  *text;
    int64_t      ms;           /* NONE: refused */
    const char  *name;
} gw_time_case_t;


static const gw_time_case_t  dates[] = {
    { "1970-01-01T00:00:00Z", 0, "the epoch is 0" },
    { "2024-05-06T07:08:09Z", 1714979289000, "a plain date" },
    { "2024-05-06t07:08:09z", 1714979289000, "lower case t and z" },
    { "2024-05-06 07:08:09Z", 1714979289000, "a space for the T" },
    { "2024-05-06T07:08:09.1Z", 1714979289100, "one digit is tenths" },
    { "2024-05-06T07:08:09.12Z", 1714979289120, "two are hundredths" },
    { "2024-05-06T07:08:09.123Z", 1714979289123, "three are milliseconds" },
    { "2024-05-06T07:08:09.1239Z", 1714979289123, "the fourth is cut" },
    { "2024-05-06T07:08:09.000Z", 1714979289000, "a fraction of zeros" },
    { "2024-05-06T09:08:09+02:00", 1714979289000, "an offset to the east" },
    { "2024-05-06T01:38:09-05:30", 1714979289000, "an offset to the west" },
    { "2024-05-06T07:08:09-00:00", 1714979289000, "-00:00, section 4.3" },
    { "2024-05-06T07:08:09+00:00", 1714979289000, "+00:00" },
    { "2024-05-07T07:07:09+23:59", 1714979289000, "the largest offset" },
    { "2024-05-05T07:09:09-23:59", 1714979289000, "the smallest offset" },
    { "2024-05-06T09:08:09.5+02:00", 1714979289500, "fraction and offset" },
    { "2024-01-01T00:30:00+01:00", 1704065400000, "back into last year" },
    { "2023-12-31T23:30:00-01:00", 1704069000000, "on into next year" },
    { "2024-03-01T00:30:00+01:00", 1709249400000, "back into a leap day" },
    { "2024-02-29T12:00:00Z", 1709208000000, "2024 has a leap day" },
    { "2000-02-29T12:00:00Z", 951825600000, "2000 has one, by 400" },
    { "2100-02-28T23:59:59Z", 4107542399000, "2100 ends February at 28" },
    { "2100-03-01T00:00:00Z", 4107542400000, "and March follows" },
    { "1969-12-31T23:30:00-01:00", 1800000, "1969 there, 1970 in UTC" },
    { "9999-12-31T23:59:59.999Z", GW_TIME_MAX, "the last millisecond" },

    /* second 60 */

    { "2016-12-31T23:59:60Z", 1483228800000, "a leap second is the next" },
    { "2016-12-31T23:59:60.25Z", 1483228800250, "its fraction counts" },
    { "2017-01-01T00:59:60+01:00", 1483228800000, "seen from the east" },
    { "2017-01-01T05:29:60+05:30", 1483228800000, "where UTC's minute is 59" },
    { "2016-12-31T23:59:60+05:30", NONE, "not where it is another" },
    { "2016-12-31T23:58:60Z", NONE, "second 60 of minute 58" },
    { "2016-12-31T23:59:61Z", NONE, "second 61" },
    { "9999-12-31T23:59:60Z", NONE, "the next second is 10000" },
    { "1969-12-31T23:59:60Z", NONE, "1969, though the next is 1970" },

    /* out of range */

    { "1969-12-31T23:59:59Z", NONE, "before the epoch" },
    { "1970-01-01T00:30:00+01:00", NONE, "1970 there, 1969 in UTC" },
    { "9999-12-31T23:30:00-01:00", NONE, "9999 there, 10000 in UTC" },
    { "0000-01-01T00:00:00Z", NONE, "year 0" },
    { "1900-02-28T00:00:00Z", NONE, "1900" },
    { "2024-00-10T00:00:00Z", NONE, "month 0" },
    { "2024-13-10T00:00:00Z", NONE, "month 13" },
    { "2024-01-00T00:00:00Z", NONE, "day 0" },
    { "2024-01-32T00:00:00Z", NONE, "January 32" },
    { "2024-04-31T00:00:00Z", NONE, "April 31" },
    { "2024-02-30T00:00:00Z", NONE, "February 30 of a leap year" },
    { "2023-02-29T00:00:00Z", NONE, "February 29 of another" },
    { "2100-02-29T00:00:00Z", NONE, "February 29 of 2100" },
    { "2024-01-01T24:00:00Z", NONE, "hour 24" },
    { "2024-01-01T00:60:00Z", NONE, "minute 60" },
    { "2024-01-01T00:00:00+24:00", NONE, "an offset of a day" },
    { "2024-01-01T00:00:00+00:60", NONE, "an offset of 60 minutes" },

    /* another form */

    { "", NONE, "nothing" },
    { "2024-01-01", NONE, "a date alone" },
    { "2024-01-01T00:00:00", NONE, "no zone" },
    { "2024-01-01T00:00:00.5", NONE, "a fraction and no zone" },
    { "2024-01-01T00:00:00.Z", NONE, "a point and no digit" },
    { "2024-01-01T00:00:00,5Z", NONE, "a comma, ISO 8601" },
    { "2024-01-01T00:00Z", NONE, "no seconds" },
    { "20240101T000000Z", NONE, "the basic form" },
    { "2024-1-01T00:00:00.00Z", NONE, "a month of one digit" },
    { "2024/01/01T00:00:00Z", NONE, "slashes" },
    { "2024-01/01T00:00:00Z", NONE, "a slash before the day" },
    { "2024-01-01T00-00:00Z", NONE, "a dash behind the hour" },
    { "2024-01-01T00:00-00Z", NONE, "a dash behind the minute" },
    { "2024-01-01_00:00:00Z", NONE, "an underscore for the T" },
    { "2024-01-01\t00:00:00Z", NONE, "a tab for the T" },
    { "2024-01-01T00:00:00X", NONE, "zone X" },
    { "2024-01-01T00:00:00+0100", NONE, "an offset without a colon" },
    { "2024-01-01T00:00:00+01-00", NONE, "an offset with a dash" },
    { "2024-01-01T00:00:00+01", NONE, "an offset of hours" },
    { "2024-01-01T00:00:00*01:00", NONE, "an offset without a sign" },
    { "2024-01-01T00:00:00+0a:00", NONE, "a letter in the offset" },
    { "2024-01-01T00:00:00Z ", NONE, "a space behind" },
    { " 2024-01-01T00:00:00Z", NONE, "a space in front" },
    { "2024-01-01T00:00:00ZZ", NONE, "two zones" },
    { "2024-01-01T00:00:00Z+00:00", NONE, "two zones of both kinds" },
    { "+2024-01-01T00:00:00Z", NONE, "a signed year" },
    { "12024-01-01T00:00:00Z", NONE, "a year of five digits" },
    { "-024-01-01T00:00:00Z", NONE, "a negative year" },
    { "2024-01-01T0:00:00.0Z", NONE, "an hour of one digit" },
};


static const gw_time_case_t  numbers[] = {
    { "0", 0, "0 is the epoch" },
    { "1", 1000, "1 is a second" },
    { "1714979289", 1714979289000, "seconds of today" },
    { "1714979289.123", 1714979289123, "seconds with milliseconds" },
    { "1714979289.1", 1714979289100, "seconds with tenths" },
    { "1714979289.1239999", 1714979289123, "finer digits are cut" },
    { "1714979289.0", 1714979289000, "a fraction of 0" },
    { "0.001", 1, "a millisecond" },
    { "99999999999", 99999999999000, "the last second" },
    { "99999999999.999", 99999999999999, "and its last millisecond" },
    { "100000000000", 100000000000, "the first millisecond" },
    { "1714979289123", 1714979289123, "milliseconds of today" },
    { "1714979289123.9", 1714979289123, "a fraction of them is cut" },
    { "253402300799999", GW_TIME_MAX, "the last of 9999" },
    { "253402300800000", NONE, "the first of 10000" },
    { "999999999999999", NONE, "15 digits" },
    { "1000000000000000", NONE, "16 digits: microseconds" },
    { "1714979289123456789", NONE, "nanoseconds" },
    { "18446744073709551617", NONE, "2^64 + 1" },
    { "340282366920938463463374607431768211456", NONE, "2^128" },
    { "-1", NONE, "a minus" },
    { "-0", NONE, "minus 0" },
    { "+1", NONE, "a plus" },
    { "1e9", NONE, "an exponent" },
    { "1.5E3", NONE, "an exponent behind a fraction" },
    { "1.", NONE, "a point and no digit" },
    { ".5", NONE, "no digit and a point" },
    { "1.2.3", NONE, "two points" },
    { "01", NONE, "a leading zero" },
    { "00", NONE, "two zeros" },
    { "", NONE, "nothing" },
    { " 1", NONE, "a space in front" },
    { "1 ", NONE, "a space behind" },
    { "0x10", NONE, "hexadecimal" },
    { "1,5", NONE, "a comma" },
    { "NaN", NONE, "a word" },
};


static uint64_t
draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;

    return *state;
}


static void
table(const gw_time_case_t *c, size_t n, const char *what,
    int (*parse)(const uint8_t *p, size_t len, int64_t *ms))
{
    int      rc;
    size_t   len;
    int64_t  ms;

    while (n--) {
        len = strlen(c->text);
        ms = 42;
        rc = parse(guarded(c->text, len), len, &ms);

        if (c->ms == NONE) {
            ok(rc == GW_ERROR && ms == 42, "%s: %s is refused", what,
               c->name);

        } else {
            ok(rc == GW_OK && ms == c->ms, "%s: %s", what, c->name);
        }

        c++;
    }
}


/* a second opinion from libc for every kind of field */

static void
against_timegm(void)
{
    int         offset, bad, east;
    char        text[64];
    time_t      t, local;
    size_t      len;
    int64_t     got;
    uint64_t    state;
    unsigned    i, milli;
    struct tm   tm;

    state = 20240506;
    bad = 0;

    for (i = 0; i < 100000; i++) {
        t = (time_t) (draw(&state) % 253402300800ULL);
        milli = (unsigned) (draw(&state) % 1000);
        offset = (int) (draw(&state) % 2879) - 1439;
        local = t + offset * 60;

        if (local < -31536000 || local > 253402300799) {
            continue;
        }

        gmtime_r(&local, &tm);
        east = offset < 0 ? -offset : offset;

        len = (size_t) snprintf(text, sizeof(text),
                  "%04d-%02d-%02dT%02d:%02d:%02d.%03u%c%02d:%02d",
                  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                  tm.tm_min, tm.tm_sec, milli, offset < 0 ? '-' : '+',
                  east / 60, east % 60);

        if (timegm(&tm) != local
            || gw_time_rfc3339((uint8_t *) text, len, &got) != GW_OK
            || got != (int64_t) t * 1000 + milli)
        {
            bad++;
        }
    }

    ok(bad == 0, "100000 random dates with offsets agree with timegm()");
}


static void
every_day(void)
{
    int        bad, rc;
    char       text[32];
    time_t     t;
    int64_t    got;
    unsigned   year, month, day, taken;
    struct tm  tm;

    bad = 0;
    taken = 0;
    t = 0;

    for (year = 1970; year <= 2410; year++) {
        for (month = 1; month <= 12; month++) {
            for (day = 1; day <= 31; day++) {
                snprintf(text, sizeof(text), "%04u-%02u-%02uT00:00:00Z",
                         year, month, day);

                rc = gw_time_rfc3339((uint8_t *) text, 20, &got);

                gmtime_r(&t, &tm);

                if (tm.tm_mday != (int) day) {
                    bad += rc != GW_ERROR;
                    continue;
                }

                bad += rc != GW_OK || got != (int64_t) t * 1000;
                taken++;
                t += 86400;
            }
        }
    }

    ok(bad == 0, "every day of a Gregorian cycle follows the one before, and "
       "no other is taken");
    is_u64(taken, 161072, "1970 to 2410 are 161072 days");
}


static void
truncations(void)
{
    int                 bad;
    size_t              len, i;
    int64_t             ms;
    static const char   text[] = "2024-05-06T09:08:09.123456+02:00";

    bad = 0;

    for (i = 0; i < sizeof(text) - 1; i++) {
        bad += gw_time_rfc3339(guarded(text, i), i, &ms) != GW_ERROR;
    }

    ok(bad == 0, "no prefix of a date is a date");

    bad = 0;

    for (len = 0; len <= 30; len++) {
        char  date[64];

        memcpy(date, "2024-05-06T07:08:09.", 20);
        memset(date + 20, '9', len);
        date[20 + len] = 'Z';

        if (gw_time_rfc3339(guarded(date, 21 + len), 21 + len, &ms)
            != (len ? GW_OK : GW_ERROR))
        {
            bad++;
        }

        if (len > 2 && ms != 1714979289999) {
            bad++;
        }
    }

    ok(bad == 0, "a fraction has 1 digit or more, and 30 never round up");
}


/* each byte of a good date replaced by each of the 255 others */

static void
one_byte_off(void)
{
    int                bad, i, c, allowed;
    char               date[25];
    int64_t            ms;
    static const char  good[] = "2024-05-06T09:08:09+02:00";

    bad = 0;

    for (i = 0; i < 25; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(date, good, 25);
            date[i] = (char) c;

            switch (i) {
            case 4: case 7: case 13: case 16: case 22:
                allowed = date[i] == good[i];
                break;
            case 10:
                allowed = c == 'T' || c == 't' || c == ' ';
                break;
            case 19:
                allowed = c == '+' || c == '-';
                break;
            default:
                allowed = c >= '0' && c <= '9' ? -1 : 0;
            }

            if (gw_time_rfc3339((uint8_t *) date, 25, &ms) == GW_OK) {
                bad += allowed == 0;

            } else {
                bad += allowed == 1;
            }
        }
    }

    ok(bad == 0, "each place of a date takes its own bytes and no others");
}


int
main(void)
{
    table(dates, sizeof(dates) / sizeof(dates[0]), "date", gw_time_rfc3339);
    table(numbers, sizeof(numbers) / sizeof(numbers[0]), "number",
          gw_time_epoch);

    against_timegm();
    every_day();
    truncations();
    one_byte_off();

    return done_testing();
}
