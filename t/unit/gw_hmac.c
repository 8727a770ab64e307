/*
 * gw_hmac.c - whether a signature holds.
 *
 * The story: one context a worker verifies for thousands of devices in turn,
 * the text in pieces.  Unseen without it: a signature that is compared by its
 * first bytes only, a text whose pieces count otherwise than the whole, and
 * the key of the last device that stays in the context for the next one.
 */

#include "gw_test.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gw_hmac.h"


typedef struct {
    const char  *name;
    const char  *key;          /* hex */
    const char  *text;
    const char  *mac;
} gw_hmac_case_t;


#define TEN(s)  s s s s s s s s s s

/* RFC 4231 section 4; 4.6 (case 5) is cut to 128 bits and has no place here */

static const gw_hmac_case_t  cases[] = {
    { "RFC 4231 test case 1 holds",
      TEN("0b") TEN("0b"),
      "4869205468657265",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },

    { "test case 2, a key shorter than the digest",
      "4a656665",
      "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },

    { "test case 3, key and text longer than a block together",
      TEN("aa") TEN("aa"),
      TEN("dddddddddd"),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },

    { "test case 4",
      "0102030405060708090a0b0c0d0e0f10111213141516171819",
      TEN("cdcdcdcdcd"),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },

    { "test case 6, a key longer than a block",
      TEN(TEN("aa")) TEN("aaaa") TEN("aa") "aa",
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
      "65204b6579202d2048617368204b6579204669727374",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },

    { "test case 7, key and text longer than a block",
      TEN(TEN("aa")) TEN("aaaa") TEN("aa") "aa",
      "5468697320697320612074657374207573696e672061206c6172676572207468"
      "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
      "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
      "647320746f20626520686173686564206265666f7265206265696e6720757365"
      "642062792074686520484d414320616c676f726974686d2e",
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" }
};


static gw_hmac_t  *h;


static size_t
unhex(const char *text, uint8_t *dst)
{
    size_t    n;
    unsigned  v;

    for (n = 0; sscanf(text + 2 * n, "%2x", &v) == 1; n++) {
        dst[n] = (uint8_t) v;
    }

    return n;
}


static int
verify(const uint8_t *key, size_t key_len, const uint8_t *text, size_t len,
    const uint8_t *mac)
{
    gw_str_t  part;

    part.data = text;
    part.len = len;

    return gw_hmac_verify(h, key, key_len, &part, 1, mac);
}


static void
known(void)
{
    size_t    i, key_len, len;
    uint8_t   key[256], text[256], mac[32];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        key_len = unhex(cases[i].key, key);
        len = unhex(cases[i].text, text);

        ok(unhex(cases[i].mac, mac) == 32
           && verify(key, key_len, text, len, mac) == GW_OK,
           "%s", cases[i].name);

        mac[31] ^= 1;
        ok(verify(key, key_len, text, len, mac) == GW_DECLINED,
           "%s, and not with another last bit", cases[i].name);
    }
}


/* libcrypto's other way to the same value, on a key of every length */

static void
key_lengths(void)
{
    size_t    i, len, holds, others;
    uint8_t   key[200], text[99], mac[EVP_MAX_MD_SIZE];
    unsigned  n;

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t) (i * 7 + 1);
    }

    memset(text, 'x', sizeof(text));
    holds = 0;
    others = 0;

    for (len = 1; len <= sizeof(key); len++) {
        HMAC(EVP_sha256(), key, (int) len, text, sizeof(text), mac, &n);

        holds += n == 32
                 && verify(guarded(key, len), len, text, sizeof(text), mac)
                    == GW_OK;

        /* RFC 2104: a key is filled up with zeros, so no zero is at its end */

        key[len - 1] ^= 0x80;
        others += verify(key, len, text, sizeof(text), mac) == GW_DECLINED;
        key[len - 1] ^= 0x80;

        if (len > 1) {
            others += verify(key, len - 1, text, sizeof(text), mac)
                      == GW_DECLINED;
        }
    }

    is_u64(holds, 200, "a key of each length from 1 to 200 is taken whole");
    is_u64(others, 399, "another last byte, or one byte less, is another key");
}


/* more than one block, and more than what is put together for one call */

static void
parts(void)
{
    size_t     a, b, len, same, wrong;
    uint8_t    key[32], text[1100], mac[EVP_MAX_MD_SIZE];
    gw_str_t   part[5];
    unsigned   i, n;

    static gw_str_t       many[1100];
    static const size_t   lengths[] = { 130, 1100 };

    for (a = 0; a < sizeof(text); a++) {
        text[a] = (uint8_t) (a * 31 + (a >> 8));
    }

    memset(key, 'k', sizeof(key));

    for (i = 0; i < 2; i++) {
        len = lengths[i];
        HMAC(EVP_sha256(), key, sizeof(key), text, len, mac, &n);

        same = 0;
        wrong = 0;

        for (a = 0; a <= len; a++) {
            part[0].data = text;
            part[0].len = a;
            part[1].data = NULL;
            part[1].len = 0;
            part[2].data = a < len ? text + a : NULL;
            part[2].len = len - a;

            same += gw_hmac_verify(h, key, sizeof(key), part, 3, mac) == GW_OK;

            /* the pieces the other way round are another text */

            part[3] = part[0];

            wrong += gw_hmac_verify(h, key, sizeof(key), part + 2, 2, mac)
                     == GW_OK;
        }

        is_u64(same, len + 1, "%u bytes in two pieces, wherever they are cut, "
               "are the same text", (unsigned) len);
        is_u64(wrong, 2, "in another order they are another, but where one "
               "piece is all");
    }

    len = 130;
    HMAC(EVP_sha256(), key, sizeof(key), text, len, mac, &n);
    same = 0;

    for (a = 0; a <= len; a++) {
        for (b = a; b <= len; b++) {
            part[0].data = text;
            part[0].len = a;
            part[1].data = text + a;
            part[1].len = b - a;
            part[2].data = text + b;
            part[2].len = len - b;

            same += gw_hmac_verify(h, key, sizeof(key), part, 3, mac) == GW_OK;
        }
    }

    is_u64(same, 131 * 132 / 2, "in three pieces, too");

    for (a = 0; a < sizeof(text); a++) {
        many[a].data = text + a;
        many[a].len = 1;
    }

    HMAC(EVP_sha256(), key, sizeof(key), text, sizeof(text), mac, &n);
    ok(gw_hmac_verify(h, key, sizeof(key), many, 1100, mac) == GW_OK,
       "and byte by byte");
    ok(gw_hmac_verify(h, key, sizeof(key), many, 1099, mac) == GW_DECLINED,
       "the last byte counts");

    /* small, as long as what is put together, one more, small again */

    same = 0;

    for (a = 0; a < 20; a++) {
        for (b = 500; b < 530; b++) {
            part[0].data = text;
            part[0].len = a;
            part[1].data = text + a;
            part[1].len = b;
            part[2].data = text + a + b;
            part[2].len = 3;
            part[3].data = text + a + b + 3;
            part[3].len = sizeof(text) - a - b - 3;

            same += gw_hmac_verify(h, key, sizeof(key), part, 4, mac) == GW_OK;
        }
    }

    is_u64(same, 600, "pieces as long as what goes to libcrypto at once");

    HMAC(EVP_sha256(), key, sizeof(key), text, 0, mac, &n);
    ok(gw_hmac_verify(h, key, sizeof(key), NULL, 0, mac) == GW_OK,
       "no piece is the empty text");
}


static void
flipped(void)
{
    int       b;
    size_t    i, refused;
    uint8_t   key[40], text[300], mac[EVP_MAX_MD_SIZE];
    unsigned  n;

    memset(key, 'k', sizeof(key));

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t) (i * 13);
    }

    HMAC(EVP_sha256(), key, sizeof(key), text, sizeof(text), mac, &n);

#define flip(what, size, sum)                                                 \
    refused = 0;                                                              \
                                                                              \
    for (i = 0; i < (size); i++) {                                            \
        for (b = 0; b < 8; b++) {                                             \
            (what)[i] ^= (uint8_t) (1 << b);                                  \
            refused += verify(key, sizeof(key), text, sizeof(text), mac)      \
                       == GW_DECLINED;                                        \
            (what)[i] ^= (uint8_t) (1 << b);                                  \
        }                                                                     \
    }                                                                         \
                                                                              \
    is_u64(refused, (size) * 8, sum)

    flip(text, sizeof(text), "each bit of each byte of the text counts");
    flip(mac, (size_t) 32, "each bit of each byte of the signature counts");
    flip(key, sizeof(key), "each bit of each byte of the key counts");

    ok(verify(key, sizeof(key), text, sizeof(text) - 1, mac) == GW_DECLINED
       && verify(key, sizeof(key), text + 1, sizeof(text) - 1, mac)
          == GW_DECLINED,
       "a text shorter by its first or last byte is another");
    ok(verify(key, sizeof(key), text, sizeof(text), guarded(mac, 32))
       == GW_OK
       && verify(key, sizeof(key), guarded(text, sizeof(text)), sizeof(text),
                 mac)
          == GW_OK,
       "no byte behind the text and the signature is read");
}


/* nothing of one verification is left for the next one */

static void
keys_are_not_kept(void)
{
    uint8_t   one[32], two[32], text[10], by_one[EVP_MAX_MD_SIZE],
              by_two[EVP_MAX_MD_SIZE];
    unsigned  n;

    memset(one, '1', sizeof(one));
    memset(two, '2', sizeof(two));
    memset(text, 't', sizeof(text));

    HMAC(EVP_sha256(), one, 32, text, 10, by_one, &n);
    HMAC(EVP_sha256(), two, 32, text, 10, by_two, &n);

    ok(verify(one, 32, text, 10, by_one) == GW_OK
       && verify(two, 32, text, 10, by_one) == GW_DECLINED
       && verify(two, 32, text, 10, by_two) == GW_OK
       && verify(one, 32, text, 10, by_two) == GW_DECLINED,
       "of two devices in turn each has its own key");

    ok(verify(one, 32, text, 10, by_one) == GW_OK
       && verify(one, 0, text, 10, by_one) == GW_ERROR,
       "a key of no byte is not the key before it");
    ok(verify(NULL, 0, text, 10, by_one) == GW_ERROR
       && verify(NULL, 32, text, 10, by_one) == GW_ERROR,
       "nor is no key");
    ok(verify(one, 32, text, 10, by_one) == GW_OK,
       "after an error the next one is as good as ever");
    is_u64(ERR_peek_error(), 0, "no error is left in libcrypto's queue");

    /* as libcrypto would, had it failed: nginx would end another connection */

    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    ok(verify(one, 0, text, 10, by_one) == GW_ERROR && ERR_peek_error() == 0,
       "nor one that came up on the way to GW_ERROR");
}


int
main(void)
{
    h = gw_hmac_create();
    ok(h != NULL, "libcrypto has what is needed");

    if (h == NULL) {
        return done_testing();
    }

    known();
    key_lengths();
    parts();
    flipped();
    keys_are_not_kept();

    gw_hmac_free(h);
    gw_hmac_free(NULL);

    return done_testing();
}
