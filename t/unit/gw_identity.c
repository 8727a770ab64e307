/*
 * What an identity may do is read from text that people write.  A slip here
 * grants: an entry that matches more than it says lets one device write in the
 * name of another, an unknown class that counts as known opens a channel, a
 * date that overflows makes an expired token good for ever.  All of these
 * would look like success.
 */

#include "gw_test.h"
#include "gw_identity.h"


static const gw_str_t  names[] = {
    gw_str("control"), gw_str("event"), gw_str("telemetry"), gw_str("tele")
};


typedef struct {
    const char  *list;
    uint32_t     bits;
    unsigned     unknown;
    const char  *name;
} gw_classes_case_t;


static const gw_classes_case_t  classes_cases[] = {
    { "", 0, 0, "no name grants nothing" },
    { "control", 1, 0, "one name is one bit" },
    { "telemetry", 4, 0, "the bit of its place" },
    { "tele", 8, 0, "a name is not the longer one it begins" },
    { "control,event", 3, 0, "commas part names" },
    { "control event", 3, 0, "so do spaces" },
    { " ,control, event , ", 3, 0, "any number of either" },
    { ", ,, ", 0, 0, "between them is no name" },
    { "event,event", 2, 0, "a name said twice is one bit" },
    { "event,video", 2, 1, "an unknown name is passed over and counted" },
    { "audio video audio", 0, 3, "each time it is said" },
    { "Event", 0, 1, "case matters" },
    { "even", 0, 1, "the beginning of a name is not the name" },
    { "events", 0, 1, "nor is more than a name" },
    { "event\t", 0, 1, "a tab parts nothing" },
    { "*", 15, 0, "a star alone means all" },
    { " *, ", 15, 0, "also with separators around" },
    { "*,event", 2, 1, "a star among names is an unknown name" },
    { "event *", 2, 1, "wherever it stands" },
    { "* *", 0, 2, "two stars are not one" },
    { "**", 0, 1, "nor is a double one" },
    { "e*", 0, 1, "a star is no pattern" },
};


typedef struct {
    const char  *list;
    const char  *device;
    int          rc;
    const char  *name;
} gw_speaks_case_t;


/* the identity is "dev-1" */

static const gw_speaks_case_t  speaks_cases[] = {
    { "", "dev-1", GW_OK, "without a list it speaks for itself" },
    { "", "dev-2", GW_DECLINED, "and for nobody else" },
    { "", "dev-", GW_DECLINED, "not for the beginning of its id" },
    { "", "dev-11", GW_DECLINED, "nor for one that begins with its id" },
    { "", "DEV-1", GW_DECLINED, "nor in other case" },
    { "", "", GW_DECLINED, "nor for no id at all" },
    { "a", "dev-1", GW_OK, "a list does not take its own id away" },
    { "a,b", "a", GW_OK, "it speaks for the first of a list" },
    { "a,b", "b", GW_OK, "and for the last" },
    { "a,b,c", "b", GW_OK, "and for one between" },
    { "a,b", "c", GW_DECLINED, "not for one that is not in it" },
    { "ab", "a", GW_DECLINED, "an entry does not match its beginning" },
    { "a", "ab", GW_DECLINED, "nor what begins with it" },
    { "a,b", "a,b", GW_DECLINED, "two entries are not one id" },
    { "a,b", ",", GW_DECLINED, "a comma is none" },
    { "a*", "a", GW_OK, "a star stands for nothing" },
    { "a*", "abc", GW_OK, "and for any rest" },
    { "a*", "b", GW_DECLINED, "what stands in front of it must match" },
    { "abc*", "ab", GW_DECLINED, "all of it" },
    { "a*", "a*", GW_OK, "a star itself is a rest, too" },
    { "x,ab*,y", "abc", GW_OK, "a star inside a list" },
    { "x,ab*,y", "yz", GW_DECLINED, "is not one for its neighbor" },
    { "x,ab*,y", "xz", GW_DECLINED, "on either side" },
    { "*", "anybody", GW_OK, "a star alone speaks for everybody" },
    { "*", "", GW_DECLINED, "but nobody is not somebody" },
    { "a,*", "z", GW_OK, "also at the end of a list" },
    { "a*c", "abc", GW_DECLINED, "a star inside an entry stands for nothing" },
    { "*c", "abc", GW_DECLINED, "nor does one in front" },
    { ",", "", GW_DECLINED, "an empty entry is nobody" },
    { "a,,b", "", GW_DECLINED, "also between others" },
};


typedef struct {
    const char  *list;
    int          rc;
    const char  *name;
} gw_valid_case_t;


static const gw_valid_case_t  valid_cases[] = {
    { "", GW_OK, "an empty list is valid" },
    { "a", GW_OK, "an id is" },
    { "a,b,c", GW_OK, "three are" },
    { "a*", GW_OK, "a star at the end is" },
    { "a*,b*,c", GW_OK, "one for each entry" },
    { "*", GW_OK, "a star alone is" },
    { "a,*", GW_OK, "behind another" },
    { ",", GW_ERROR, "a comma alone is not" },
    { ",a", GW_ERROR, "nor an empty entry in front" },
    { "a,", GW_ERROR, "nor at the end" },
    { "a,,b", GW_ERROR, "nor between" },
    { "*a", GW_ERROR, "nor a star in front" },
    { "a*b", GW_ERROR, "nor inside" },
    { "a**", GW_ERROR, "nor two" },
    { "**", GW_ERROR, "nor two alone" },
    { "a,*b", GW_ERROR, "nor in a later entry" },
    { "a*b,c", GW_ERROR, "nor in an earlier one" },
    { "a, b", GW_ERROR, "nor a blank behind a comma" },
    { "a ,b", GW_ERROR, "nor in front of one" },
    { " a", GW_ERROR, "nor at the beginning" },
    { "a b", GW_ERROR, "nor inside an entry" },
    { " ", GW_ERROR, "nor alone" },
    { "a* ,b", GW_ERROR, "nor behind a star" },
    { "a\tb", GW_ERROR, "nor a tab" },
    { "a,b\n", GW_ERROR, "nor a line end" },
    { "pump-\303\274,b", GW_ERROR, "nor a letter that is not ASCII" },
};


static void
classes(void)
{
    size_t                    i;
    uint32_t                  bits;
    unsigned                  unknown;
    gw_str_t                  many[32];
    const gw_classes_case_t  *c;

    for (i = 0; i < sizeof(classes_cases) / sizeof(classes_cases[0]); i++) {
        c = &classes_cases[i];
        unknown = 99;

        bits = gw_identity_classes(names, 4,
                                   guarded(c->list, strlen(c->list)),
                                   strlen(c->list), &unknown);

        ok(bits == c->bits && unknown == c->unknown, "classes: %s", c->name);
    }

    is_u64(gw_identity_classes(names, 4, (const uint8_t *) "event x", 7, NULL),
           2, "who does not ask for the unknown names need not");
    is_u64(gw_identity_classes(names, 4, NULL, 0, NULL), 0,
           "no list at all grants nothing");
    is_u64(gw_identity_classes(names, 0, (const uint8_t *) "*", 1, &unknown),
           0, "all of no classes is none");
    is_u64(gw_identity_classes(names, 2, (const uint8_t *) "telemetry", 9,
                               &unknown), 0,
           "a name behind the n classes is unknown");

    for (i = 0; i < 32; i++) {
        many[i] = names[i % 4];
    }

    is_u64(gw_identity_classes(many, 32, (const uint8_t *) "*", 1, &unknown),
           UINT32_MAX, "all of 32 classes are 32 bits");
}


static void
speaks(void)
{
    size_t                   i, n;
    uint8_t                  device[GW_DEVICE_MAX + 1];
    gw_identity_t            id;
    const gw_speaks_case_t  *c;

    for (i = 0; i < sizeof(speaks_cases) / sizeof(speaks_cases[0]); i++) {
        c = &speaks_cases[i];

        /* what lies behind a length is not to be looked at */

        memset(&id, '*', sizeof(id));
        memcpy(id.device, "dev-1", 5);
        id.device_len = 5;
        n = strlen(c->list);
        memcpy(id.speaks_for, c->list, n);
        id.speaks_for_len = (uint16_t) n;

        n = strlen(c->device);

        ok(gw_identity_speaks(&id, guarded(c->device, n), n) == c->rc,
           "\"%s\" for \"%s\": %s", c->list, c->device, c->name);
    }

    memset(&id, 0, sizeof(id));

    ok(gw_identity_speaks(&id, device, 0) == GW_DECLINED,
       "an identity without an id does not speak for nobody");

    /* the longest of everything */

    memset(device, 'd', sizeof(device));
    memset(id.device, 'd', GW_DEVICE_MAX);
    id.device_len = GW_DEVICE_MAX;

    ok(gw_identity_speaks(&id, guarded(device, GW_DEVICE_MAX), GW_DEVICE_MAX)
       == GW_OK
       && gw_identity_speaks(&id, device, GW_DEVICE_MAX - 1) == GW_DECLINED,
       "the longest id is told from one a byte shorter");

    memset(id.speaks_for, 'x', GW_SPEAKS_FOR_MAX);
    id.speaks_for[GW_SPEAKS_FOR_MAX - 2] = ',';
    id.speaks_for_len = GW_SPEAKS_FOR_MAX;

    ok(gw_identity_speaks(&id, (const uint8_t *) "x", 1) == GW_OK,
       "the last byte of the longest list counts");
}


static int
list_valid(const uint8_t *list, size_t len)
{
    return gw_identity_list_valid(list, len, GW_SPEAKS_FOR_MAX, GW_DEVICE_MAX);
}


static void
valid(void)
{
    int       want, text;
    size_t    i;
    uint8_t   byte[3], list[GW_SPEAKS_FOR_MAX + 1];
    unsigned  wrong, odd, refused;

    for (i = 0; i < sizeof(valid_cases) / sizeof(valid_cases[0]); i++) {
        ok(list_valid(guarded(valid_cases[i].list,
                              strlen(valid_cases[i].list)),
                      strlen(valid_cases[i].list))
           == valid_cases[i].rc, "valid: %s", valid_cases[i].name);
    }

    /* each byte as the middle one of an entry */

    wrong = 0;
    odd = 0;
    refused = 0;

    for (i = 0; i < 256; i++) {
        byte[0] = 'a';
        byte[1] = (uint8_t) i;
        byte[2] = 'b';

        want = i > ' ' && i < 0x7f && i != '"' && i != '\\' && i != '*'
               ? GW_OK : GW_ERROR;

        text = i >= ' ' && i < 0x7f && i != '"' && i != '\\'
               ? GW_OK : GW_ERROR;

        wrong += list_valid(guarded(byte, 3), 3) != want;
        odd += gw_identity_text_valid(guarded(byte, 3), 3) != text
               || gw_identity_text_valid(guarded(byte, 2), 2) != text;
        refused += want == GW_ERROR;
    }

    is_u64(wrong, 0, "an entry has printable ASCII only, no blank, quote or"
           " backslash");
    is_u64(odd, 0, "an id or a tenant the same, blanks and stars allowed");
    ok(gw_identity_text_valid(byte, 0) == GW_OK, "none at all is valid text");
    is_u64(refused, 256 - 94 + 3, "which refuses all other bytes");

    memset(list, 'a', sizeof(list));

    ok(list_valid(list, GW_DEVICE_MAX) == GW_OK,
       "an entry may be as long as an id");
    ok(list_valid(list, GW_DEVICE_MAX + 1) == GW_ERROR,
       "but not longer");

    list[GW_DEVICE_MAX] = '*';

    ok(list_valid(list, GW_DEVICE_MAX + 1) == GW_OK,
       "its star not counted");

    list[GW_DEVICE_MAX] = 'a';
    list[GW_DEVICE_MAX + 1] = '*';

    ok(list_valid(list, GW_DEVICE_MAX + 2) == GW_ERROR,
       "a star makes no room for another byte");

    for (i = 0; i < sizeof(list); i++) {
        list[i] = i % 2 ? ',' : 'a';
    }

    ok(list_valid(list, GW_SPEAKS_FOR_MAX - 1) == GW_OK,
       "a list of many entries is valid");

    list[GW_SPEAKS_FOR_MAX - 1] = 'a';

    ok(list_valid(list, GW_SPEAKS_FOR_MAX) == GW_OK,
       "also of the greatest length");
    list[GW_SPEAKS_FOR_MAX - 1] = ',';
    list[GW_SPEAKS_FOR_MAX] = 'a';
    ok(list_valid(list, GW_SPEAKS_FOR_MAX + 1) == GW_ERROR,
       "but not longer than that");
}


/*
 * All lists of five characters out of a , * for all ids of up to three out of
 * a b *: against the words of the contract, entry by entry.
 */

static void
all_lists(void)
{
    int             want;
    char            list[6], device[4], entry[6];
    size_t          len, at, from, n, dn;
    unsigned        code, dcode, bad, granted;
    gw_identity_t   id;

    memset(&id, 0, sizeof(id));
    id.device_len = 1;
    id.device[0] = '#';

    bad = 0;
    granted = 0;

    for (code = 0; code < 4 * 4 * 4 * 4 * 4; code++) {
        len = 0;

        for (n = 0; n < 5; n++) {
            list[len++] = "ab,*"[code >> 2 * n & 3];
        }

        memcpy(id.speaks_for, list, len);
        id.speaks_for_len = (uint16_t) len;

        for (dcode = 0; dcode < 64; dcode++) {
            dn = 0;

            for (n = 0; n < 3 && (dcode >> 2 * n & 3) != 3; n++) {
                device[dn++] = "ab*"[dcode >> 2 * n & 3];
            }

            want = GW_DECLINED;

            for (from = 0; from <= len; from = at + 1) {
                n = 0;

                for (at = from; at < len && list[at] != ','; at++) {
                    entry[n++] = list[at];
                }

                entry[n] = '\0';

                if (n && entry[n - 1] == '*'
                    ? n - 1 <= dn && strncmp(entry, device, n - 1) == 0
                    : n == dn && strncmp(entry, device, n) == 0)
                {
                    want = dn ? GW_OK : GW_DECLINED;
                    break;
                }
            }

            granted += want == GW_OK;
            bad += gw_identity_speaks(&id, (const uint8_t *) device, dn)
                   != want;
        }
    }

    is_u64(bad, 0, "1024 lists speak for whom the contract says");
    ok(granted > 1000, "for many a one");
}


static void
in_time(void)
{
    int            good, early, late;
    size_t         b, a, n, l;
    gw_identity_t  id;

    static const int64_t  dates[] = {
        INT64_MIN, INT64_MIN + 1, INT64_MIN + 60, -1, 0, 1, 59, 60, 61,
        1700000000 - 61, 1700000000 - 60, 1700000000 - 59, 1700000000 - 1,
        1700000000, 1700000000 + 1, 1700000000 + 59, 1700000000 + 60,
        1700000000 + 61, INT64_MAX - 61, INT64_MAX - 60, INT64_MAX - 1,
        INT64_MAX
    };
    static const unsigned  leeways[] = { 0, 1, 60, UINT32_MAX };

    memset(&id, 0, sizeof(id));

    id.not_before = 1000;
    id.not_after = 2000;

    ok(gw_identity_in_time(&id, 999, 0) == GW_DECLINED, "it is too early");
    ok(gw_identity_in_time(&id, 1000, 0) == GW_OK, "the first second is in");
    ok(gw_identity_in_time(&id, 1999, 0) == GW_OK, "the last second is in");
    ok(gw_identity_in_time(&id, 2000, 0) == GW_DECLINED,
       "not_after itself is out");
    ok(gw_identity_in_time(&id, 940, 60) == GW_OK
       && gw_identity_in_time(&id, 939, 60) == GW_DECLINED,
       "leeway before, to the second");
    ok(gw_identity_in_time(&id, 2059, 60) == GW_OK
       && gw_identity_in_time(&id, 2060, 60) == GW_DECLINED,
       "leeway after, to the second");

    id.not_after = GW_TIME_ALWAYS;

    ok(gw_identity_in_time(&id, INT64_MAX, 0) == GW_OK,
       "GW_TIME_ALWAYS has no end");

    good = 1;

    for (b = 0; b < sizeof(dates) / sizeof(dates[0]); b++) {
        for (a = 0; a < sizeof(dates) / sizeof(dates[0]); a++) {
            for (n = 0; n < sizeof(dates) / sizeof(dates[0]); n++) {
                for (l = 0; l < sizeof(leeways) / sizeof(leeways[0]); l++) {
                    id.not_before = dates[b];
                    id.not_after = dates[a];

                    early = (__int128) dates[n]
                            < (__int128) dates[b] - leeways[l];
                    late = dates[a] != GW_TIME_ALWAYS
                           && (__int128) dates[n]
                              >= (__int128) dates[a] + leeways[l];

                    good &= gw_identity_in_time(&id, dates[n], leeways[l])
                            == (early || late ? GW_DECLINED : GW_OK);
                }
            }
        }
    }

    ok(good, "no date, however far, overflows");
}


int
main(void)
{
    classes();
    speaks();
    valid();
    all_lists();
    in_time();

    return done_testing();
}
