/*
 * gw_hmac.c - see gw_hmac.h.
 *
 * The lines of a text are short and many, and a call of libcrypto costs more
 * than its bytes: they are put together before they go there.
 */

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "gw_hmac.h"


#define GW_HMAC_TOGETHER  512          /* bytes of one call, at most */


struct gw_hmac_s {
    EVP_MAC      *mac;
    EVP_MAC_CTX  *ctx;                 /* knows its digest since create() */
};


static int gw_hmac_update(EVP_MAC_CTX *ctx, const gw_str_t *part, unsigned n);


gw_hmac_t *
gw_hmac_create(void)
{
    gw_hmac_t   *h;
    OSSL_PARAM   params[2];

    static char  digest[] = "SHA256";

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 digest, 0);
    params[1] = OSSL_PARAM_construct_end();

    h = calloc(1, sizeof(gw_hmac_t));

    if (h == NULL
        || (h->mac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL
        || (h->ctx = EVP_MAC_CTX_new(h->mac)) == NULL
        || EVP_MAC_CTX_set_params(h->ctx, params) != 1)
    {
        gw_hmac_free(h);
        ERR_clear_error();
        return NULL;
    }

    return h;
}


void
gw_hmac_free(gw_hmac_t *h)
{
    if (h == NULL) {
        return;
    }

    EVP_MAC_CTX_free(h->ctx);
    EVP_MAC_free(h->mac);
    free(h);
}


int
gw_hmac_verify(gw_hmac_t *h, const uint8_t *key, size_t key_len,
    const gw_str_t *part, unsigned n, const uint8_t *signature)
{
    int      rc;
    size_t   len;
    uint8_t  mac[EVP_MAX_MD_SIZE];

    /* without a key libcrypto takes the one it had: that of another device */

    if (key == NULL || key_len == 0
        || EVP_MAC_init(h->ctx, key, key_len, NULL) != 1
        || gw_hmac_update(h->ctx, part, n) != 1
        || EVP_MAC_final(h->ctx, mac, &len, sizeof(mac)) != 1
        || len != GW_SIGNATURE_LEN)
    {
        goto failed;
    }

    rc = CRYPTO_memcmp(mac, signature, GW_SIGNATURE_LEN) == 0 ? GW_OK
                                                              : GW_DECLINED;

    /* what would have been right is nobody's to read from the stack */

    OPENSSL_cleanse(mac, sizeof(mac));

    return rc;

failed:

    /* an error left behind would be taken for one of the next connection */

    ERR_clear_error();

    return GW_ERROR;
}


/* 1, or what libcrypto says */

static int
gw_hmac_update(EVP_MAC_CTX *ctx, const gw_str_t *part, unsigned n)
{
    size_t    at;
    uint8_t   buf[GW_HMAC_TOGETHER];
    unsigned  i;

    at = 0;

    for (i = 0; i < n; i++) {

        if (part[i].len == 0) {
            continue;
        }

        if (part[i].len > sizeof(buf) - at) {

            if (at && EVP_MAC_update(ctx, buf, at) != 1) {
                return 0;
            }

            at = 0;
        }

        if (part[i].len > sizeof(buf)) {

            if (EVP_MAC_update(ctx, part[i].data, part[i].len) != 1) {
                return 0;
            }

            continue;
        }

        memcpy(buf + at, part[i].data, part[i].len);
        at += part[i].len;
    }

    return at ? EVP_MAC_update(ctx, buf, at) : 1;
}
