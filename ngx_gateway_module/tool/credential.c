/*
 * credential.c - see credential.h.
 */

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "credential.h"
#include "gw_base64.h"


static int credential_draw(uint8_t *p, char *text);


int
credential_token(device_t *d, char *text)
{
    if (credential_draw(d->secret, text) != GW_OK) {
        return GW_ERROR;
    }

    d->given |= 1u << DEVICE_SECRET;

    return credential_seal(d);
}


int
credential_key(device_t *d, char *text)
{
    if (credential_draw(d->key, text) != GW_OK) {
        return GW_ERROR;
    }

    d->given |= 1u << DEVICE_HMAC_KEY;
    d->key_len = DEVICE_KEY_MIN;

    return GW_OK;
}


int
credential_seal(device_t *d)
{
    static EVP_MD      *md;
    static EVP_MD_CTX  *ctx;

    /* fetched once: of a million devices each would look for it */

    if (ctx == NULL) {
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
        ctx = EVP_MD_CTX_new();

        if (md == NULL || ctx == NULL) {
            return GW_ERROR;
        }
    }

    if (RAND_bytes(d->salt, DEVICE_SALT_LEN) != 1
        || EVP_DigestInit_ex2(ctx, md, NULL) != 1
        || EVP_DigestUpdate(ctx, d->salt, DEVICE_SALT_LEN) != 1
        || EVP_DigestUpdate(ctx, d->secret, DEVICE_SECRET_LEN) != 1
        || EVP_DigestFinal_ex(ctx, d->hash, NULL) != 1)
    {
        return GW_ERROR;
    }

    return GW_OK;
}


/* a token and a key are of one size */

static int
credential_draw(uint8_t *p, char *text)
{
    size_t  n;

    if (RAND_priv_bytes(p, DEVICE_SECRET_LEN) != 1) {
        return GW_ERROR;
    }

    n = gw_base64url_encode(p, DEVICE_SECRET_LEN, (uint8_t *) text);
    text[n] = '\0';

    return GW_OK;
}
