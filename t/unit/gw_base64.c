/*
 * Tokens and secrets come as base64, and one value must have one text.  A
 * decoder that lets a second spelling pass would let a revoked token return
 * with its last letter changed; one that reads or writes a byte too far would
 * hand a client the memory of another.  Neither shows in a test that only
 * sends good tokens.
 */

#include "gw_test.h"
#include "gw_base64.h"


static const char  url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char  standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


typedef int (*decode_pt)(const uint8_t *p, size_t len, uint8_t *dst,
    size_t *n);


typedef struct {
    const char  *text;
    const char  *value;        /* NULL: to be refused */
    const char  *name;
} gw_base64_case_t;


static const gw_base64_case_t  url_cases[] = {
    { "", "", "nothing is nothing" },
    { "Zg", "f", "RFC 4648 section 10, without padding: f" },
    { "Zm8", "fo", "fo" },
    { "Zm9v", "foo", "foo" },
    { "Zm9vYg", "foob", "foob" },
    { "Zm9vYmE", "fooba", "fooba" },
    { "Zm9vYmFy", "foobar", "foobar" },
    { "Zm9vYmFyZm9vYg", "foobarfoob", "more than eight characters" },
    { "_-7_", "\xff\xee\xff", "both characters of this alphabet" },
    { "Zg==", NULL, "padding is refused" },
    { "Zm8=", NULL, "so is one sign of it" },
    { "Zm9v====", NULL, "and padding behind whole groups" },
    { "+w", NULL, "\"+\" is of the other alphabet" },
    { "/w", NULL, "and so is \"/\"" },
    { "Z", NULL, "one character is no byte" },
    { "Zm9vZ", NULL, "five are no bytes, either" },
    { "Zm9vYmFyZ", NULL, "nine" },
    { "Zm9vYmFyZm9vZ", NULL, "thirteen" },
    { "Zh", NULL, "a bit set behind the last of one byte is refused" },
    { "Zv", NULL, "the highest of these bits, too" },
    { "Zm9", NULL, "a bit set behind the last of two bytes is refused" },
    { "Zm-", NULL, "the other of these bits, too" },
    { "Zm9vYmFyZh", NULL, "and behind more than eight characters" },
    { " Zm9v", NULL, "white space in front is refused" },
    { "Zm9v\n", NULL, "a line feed at the end is" },
    { "Zm9v\r\n", NULL, "and CR LF is" },
    { "Zm 9", NULL, "and a blank inside" },
    { "Zm9.", NULL, "the dot of a token is no part of a segment" },
    { "====", NULL, "padding alone is refused" },
};


static const gw_base64_case_t  standard_cases[] = {
    { "", "", "standard: nothing is nothing" },
    { "Zg==", "f", "standard: f" },
    { "Zm8=", "fo", "fo" },
    { "Zm9v", "foo", "foo" },
    { "Zm9vYg==", "foob", "foob" },
    { "Zm9vYmE=", "fooba", "fooba" },
    { "Zm9vYmFy", "foobar", "foobar" },
    { "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin:open sesame",
      "the example of RFC 7617 section 2" },
    { "/+7/", "\xff\xee\xff", "both characters of this alphabet" },
    { "Zg", NULL, "missing padding is refused" },
    { "Zg=", NULL, "half of it, too" },
    { "Zm8", NULL, "and where one sign is missing" },
    { "Zm9v=", NULL, "padding that nothing needs is refused" },
    { "Zm9v====", NULL, "a group of padding is" },
    { "Zg==Zg==", NULL, "padding ends the text" },
    { "Zg==Zm9v", NULL, "nothing may follow it" },
    { "Z===", NULL, "three signs are none" },
    { "====", NULL, "and four" },
    { "Z=g=", NULL, "a sign inside is no character" },
    { "=Zm9", NULL, "nor in front" },
    { "Zh==", NULL, "a bit set behind the last of one byte is refused" },
    { "Zm9=", NULL, "a bit set behind the last of two bytes is refused" },
    { "-w==", NULL, "\"-\" is of the other alphabet" },
    { "_w==", NULL, "and so is \"_\"" },
    { "Zm9v\n", NULL, "a line feed at the end is refused" },
    { "Zm8=\n\n\n\n", NULL, "four of them, too" },
};


static uint64_t  dice_state = 20240607;


static unsigned
dice(unsigned n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (dice_state >> 33) % n;
}


/* dst just as large as the contract says, so that ASan sees a byte more */

static int
decode(decode_pt f, const void *text, size_t len, uint8_t *value, size_t *n)
{
    int      rc;
    uint8_t  *dst;

    dst = malloc(gw_base64_decoded(len));

    if (dst == NULL) {
        abort();
    }

    *n = 12345;
    rc = f(guarded(text, len), len, dst, n);

    if (rc == GW_OK) {
        memcpy(value, dst, *n);
    }

    free(dst);

    return rc;
}


static void
table(decode_pt f, const gw_base64_case_t *c, size_t ncases)
{
    size_t   n;
    uint8_t  value[256];

    for ( /* void */ ; ncases; ncases--, c++) {

        if (c->value) {
            ok(decode(f, c->text, strlen(c->text), value, &n) == GW_OK
               && n == strlen(c->value) && memcmp(value, c->value, n) == 0,
               "%s", c->name);

        } else {
            ok(decode(f, c->text, strlen(c->text), value, &n) == GW_ERROR
               && n == 12345, "%s", c->name);
        }
    }
}


/* each byte at each but the last place of a text of 24 characters */

static unsigned
wrong_bytes(decode_pt f, const char *alphabet)
{
    int       good;
    size_t    i, n;
    uint8_t   text[24], value[64];
    unsigned  c, bad;

    bad = 0;

    for (i = 0; i < 23; i++) {
        for (c = 0; c < 256; c++) {
            memset(text, alphabet[0], 24);
            text[i] = (uint8_t) c;

            good = c && strchr(alphabet, (int) c) != NULL;

            bad += (decode(f, text, 24, value, &n) == GW_OK) != good;
        }
    }

    return bad;
}


/*
 * The definition, a bit at a time: each value has one text, so what decode()
 * takes are the texts that encode a value, and nothing else.
 */

static size_t
spell(const char *alphabet, const uint8_t *value, size_t n, char *text)
{
    size_t    bit, k, at, at_bit;
    unsigned  v;

    at = 0;

    for (bit = 0; bit < 8 * n; bit += 6) {
        v = 0;

        for (k = 0; k < 6; k++) {
            at_bit = bit + k;
            v = v << 1 | (at_bit < 8 * n
                          ? value[at_bit / 8] >> (7 - at_bit % 8) & 1u : 0);
        }

        text[at++] = alphabet[v];
    }

    return at;
}


static void
round_trips(void)
{
    char      text[512];
    size_t    len, n, m, k;
    uint8_t   value[300], got[512], *made;
    unsigned  round, bad_encode, bad_url, bad_standard;

    bad_encode = 0;
    bad_url = 0;
    bad_standard = 0;

    for (n = 0; n <= 260; n++) {
        for (round = 0; round < 8; round++) {
            for (k = 0; k < n; k++) {
                value[k] = round == 0 ? 0xff : (uint8_t) dice(256);
            }

            len = spell(url, value, n, text);

            made = malloc(len + !len);

            if (made == NULL) {
                abort();
            }

            bad_encode += gw_base64url_encoded(n) != len
                          || gw_base64url_encode(guarded(value, n), n, made)
                             != len
                          || memcmp(made, text, len) != 0;
            free(made);

            bad_url += decode(gw_base64url_decode, text, len, got, &m)
                       != GW_OK || m != n || memcmp(got, value, n) != 0;

            len = spell(standard, value, n, text);

            while (len % 4) {
                text[len++] = '=';
            }

            bad_standard += decode(gw_base64_decode, text, len, got, &m)
                            != GW_OK || m != n || memcmp(got, value, n) != 0;
        }
    }

    is_u64(bad_encode, 0, "2088 values are spelled as the definition says");
    is_u64(bad_url, 0, "and read back from base64url");
    is_u64(bad_standard, 0, "and from standard base64");
}


/* what is taken is what encoding would give: every text of up to 3 letters */

static void
canonical(void)
{
    size_t    len, n;
    uint8_t   text[3], got[8], again[8];
    unsigned  code, taken[4], second;

    second = 0;
    memset(taken, 0, sizeof(taken));

    for (len = 1; len <= 3; len++) {
        for (code = 0; code < 1u << 6 * len; code++) {
            text[0] = (uint8_t) url[code & 63];
            text[1] = (uint8_t) url[code >> 6 & 63];
            text[2] = (uint8_t) url[code >> 12 & 63];

            if (gw_base64url_decode(text, len, got, &n) != GW_OK) {
                continue;
            }

            taken[len]++;
            second += gw_base64url_encode(got, n, again) != len
                      || memcmp(again, text, len) != 0;
        }
    }

    is_u64(second, 0, "no text is taken but the one that encoding gives");
    is_u64(taken[1], 0, "of one letter none is taken");
    is_u64(taken[2], 256, "of two as many as there are bytes");
    is_u64(taken[3], 65536, "of three as many as there are pairs of bytes");
}


static void
noise(void)
{
    size_t    len, n, k;
    uint8_t   text[64], got[64];
    unsigned  round, taken, wrong;

    taken = 0;
    wrong = 0;

    for (round = 0; round < 100000; round++) {
        len = dice(40);

        for (k = 0; k < len; k++) {
            text[k] = (uint8_t) (dice(30) ? url[dice(64)] : (int) dice(256));
        }

        if (decode(gw_base64url_decode, text, len, got, &n) != GW_OK) {
            continue;
        }

        taken++;
        wrong += n != len * 3 / 4 || n > gw_base64_decoded(len);

        for (k = 0; k < len; k++) {
            wrong += strchr(url, text[k]) == NULL || text[k] == 0;
        }
    }

    is_u64(wrong, 0, "of 100000 random texts none with a wrong byte is taken");
    ok(taken > 10000, "and many a one is good");
}


int
main(void)
{
    size_t    n, len;
    uint8_t   value[4], text[64];
    unsigned  in_place;

    in_place = 0;

    table(gw_base64url_decode, url_cases,
          sizeof(url_cases) / sizeof(url_cases[0]));
    table(gw_base64_decode, standard_cases,
          sizeof(standard_cases) / sizeof(standard_cases[0]));

    ok(decode(gw_base64url_decode, "Zm9v\0", 5, value, &n) == GW_ERROR
       && decode(gw_base64_decode, "Zm9v\0\0\0\0", 8, value, &n) == GW_ERROR,
       "a NUL ends no text");

    for (n = 0; n <= 60; n += 4) {
        memset(text, 'Q', n);
        in_place += gw_base64_decode(text, n, text, &len) != GW_OK
                    || len != n / 4 * 3
                    || memcmp(text, "A\x04\x10" "A\x04\x10" "A\x04\x10"
                                    "A\x04\x10" "A\x04\x10" "A\x04\x10"
                                    "A\x04\x10" "A\x04\x10" "A\x04\x10"
                                    "A\x04\x10" "A\x04\x10" "A\x04\x10"
                                    "A\x04\x10" "A\x04\x10" "A\x04\x10",
                              len) != 0;
    }

    is_u64(in_place, 0, "a text can be decoded where it stands");

    is_u64(wrong_bytes(gw_base64url_decode, url), 0,
           "of 256 bytes at each place those of the alphabet only are taken");
    is_u64(wrong_bytes(gw_base64_decode, standard), 0,
           "in standard base64, too");

    round_trips();
    canonical();
    noise();

    return done_testing();
}
