/*
 * gw_keys.c - a set of keys, and signatures, on libcrypto; see gw_keys.h.
 *
 * The set is read by jansson: a tree serves, and nobody waits for it.  Of the
 * token nothing is believed here but which key it asks for.
 */

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "gw_keys.h"
#include "gw_keys_key.h"


#define GW_KEYS_TEXT_MAX  (1024 * 1024)


struct gw_keys_s {
    unsigned     n;
    EVP_MAC     *hmac;
    EVP_MD_CTX  *ctx;                  /* of the verification under way */
    gw_key_t     key[GW_KEYS_MAX];
};


/* what stands before a block of jansson's while a set is read */

typedef union {
    size_t       size;
    long double  align;
} gw_keys_block_t;


static int gw_keys_read(gw_keys_t *keys, const uint8_t *text, size_t len,
    char *error, size_t error_size);
static int gw_keys_add(gw_keys_t *keys, json_t *jwk, const char **why);
static void gw_keys_name(json_t *jwk, char *dst, size_t size);
static void *gw_keys_alloc(size_t size);
static void gw_keys_wipe(void *p);
static gw_key_t *gw_keys_find(gw_keys_t *keys, const gw_jwt_t *jwt);
static int gw_keys_verify_mac(EVP_MAC_CTX *mac, const gw_jwt_t *jwt);
static size_t gw_keys_der(const uint8_t *sig, unsigned half, uint8_t *dst);
static uint8_t *gw_keys_der_integer(uint8_t *p, const uint8_t *n,
    unsigned half);


gw_keys_t *
gw_keys_load(const uint8_t *text, size_t len, char *error, size_t error_size)
{
    int             rc;
    gw_keys_t      *keys;
    json_free_t     release;
    json_malloc_t   alloc;

    keys = calloc(1, sizeof(gw_keys_t));

    if (keys == NULL
        || (keys->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL
        || (keys->ctx = EVP_MD_CTX_new()) == NULL)
    {
        snprintf(error, error_size, "no memory");
        rc = GW_ERROR;

    } else {

        /* neither the tree nor the lexer's buffers may leave a secret */

        json_get_alloc_funcs(&alloc, &release);
        json_set_alloc_funcs(gw_keys_alloc, gw_keys_wipe);

        rc = gw_keys_read(keys, text, len, error, error_size);

        json_set_alloc_funcs(alloc, release);
    }

    ERR_clear_error();

    if (rc != GW_OK) {
        gw_keys_free(keys);
        return NULL;
    }

    return keys;
}


static int
gw_keys_read(gw_keys_t *keys, const uint8_t *text, size_t len, char *error,
    size_t error_size)
{
    int            rc;
    char           name[GW_JWT_KID_MAX + sizeof(" (kid \"\")")];
    json_t        *root, *list, *jwk;
    size_t         i;
    const char    *why;
    json_error_t   jerr;

    if (len > GW_KEYS_TEXT_MAX) {
        snprintf(error, error_size, "the key set is larger than 1 MiB");
        return GW_ERROR;
    }

    root = json_loadb((const char *) text, len, JSON_REJECT_DUPLICATES,
                      &jerr);

    /* the text of jansson's message may quote the file, its place may not */

    if (root == NULL) {
        snprintf(error, error_size, "not JSON, line %d column %d", jerr.line,
                 jerr.column);
        return GW_ERROR;
    }

    list = json_object_get(root, "keys");
    rc = GW_OK;

    if (!json_is_array(list)) {
        snprintf(error, error_size, "no member \"keys\" that is an array");
        rc = GW_ERROR;
        goto done;
    }

    json_array_foreach(list, i, jwk) {
        rc = gw_keys_add(keys, jwk, &why);

        if (rc != GW_OK) {
            gw_keys_name(jwk, name, sizeof(name));
            snprintf(error, error_size, "key %u%s: %s", (unsigned) i, name,
                     why);
            goto done;
        }
    }

    if (keys->n == 0) {
        snprintf(error, error_size, "no key that could verify a token");
        rc = GW_ERROR;
    }

done:

    json_decref(root);

    return rc;
}


static int
gw_keys_add(gw_keys_t *keys, json_t *jwk, const char **why)
{
    int        rc;
    unsigned   i;
    gw_key_t   key;
    gw_key_t  *k;

    rc = gw_keys_import(&key, jwk, keys->hmac, why);

    if (rc != GW_OK) {
        return rc == GW_DECLINED ? GW_OK : GW_ERROR;
    }

    *why = NULL;

    if (keys->n == GW_KEYS_MAX) {
        *why = "one key too many";
    }

    for (i = 0; i < keys->n && key.kid_len; i++) {
        k = &keys->key[i];

        if (k->kid_len == key.kid_len
            && memcmp(k->kid, key.kid, key.kid_len) == 0)
        {
            *why = "another key has this \"kid\"";
        }
    }

    if (*why) {
        gw_keys_destroy(&key);
        return GW_ERROR;
    }

    keys->key[keys->n++] = key;

    return GW_OK;
}


/* for the log: a kid that could forge a line of it is left out */

static void
gw_keys_name(json_t *jwk, char *dst, size_t size)
{
    size_t       len;
    json_t      *kid;
    const char  *s;

    kid = json_object_get(jwk, "kid");
    s = json_string_value(kid);
    len = json_string_length(kid);

    dst[0] = '\0';

    if (s && len && len <= GW_JWT_KID_MAX
        && gw_identity_text_valid((const uint8_t *) s, len) == GW_OK)
    {
        snprintf(dst, size, " (kid \"%s\")", s);
    }
}


static void *
gw_keys_alloc(size_t size)
{
    gw_keys_block_t  *block;

    block = malloc(sizeof(gw_keys_block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->size = size;

    return block + 1;
}


static void
gw_keys_wipe(void *p)
{
    gw_keys_block_t  *block;

    if (p == NULL) {
        return;
    }

    block = (gw_keys_block_t *) p - 1;

    OPENSSL_cleanse(p, block->size);
    free(block);
}


void
gw_keys_free(gw_keys_t *keys)
{
    unsigned  i;

    if (keys == NULL) {
        return;
    }

    for (i = 0; i < keys->n; i++) {
        gw_keys_destroy(&keys->key[i]);
    }

    EVP_MD_CTX_free(keys->ctx);
    EVP_MAC_free(keys->hmac);
    free(keys);
}


unsigned
gw_keys_count(const gw_keys_t *keys)
{
    return keys->n;
}


int
gw_keys_verify(gw_keys_t *keys, const gw_jwt_t *jwt, gw_jwt_error_e *error)
{
    int             rc;
    size_t          len;
    uint8_t         der[2 * (GW_KEYS_EC_MAX + 4) + 4];
    gw_key_t       *key;
    const uint8_t  *sig;

    key = gw_keys_find(keys, jwt);

    if (key == NULL) {
        *error = GW_JWT_E_KEY;
        return GW_ERROR;
    }

    if (!(key->algs & ((uint32_t) 1 << jwt->alg))) {
        *error = GW_JWT_E_ALG;
        return GW_ERROR;
    }

    *error = GW_JWT_E_SIGNATURE;

    if (key->mac[jwt->alg]) {

        if (gw_keys_verify_mac(key->mac[jwt->alg], jwt) != GW_OK) {
            return GW_ERROR;
        }

        *error = GW_JWT_E_NONE;

        return GW_OK;
    }

    sig = jwt->signature;
    len = jwt->signature_len;

    if (key->half) {

        if (len != 2 * key->half) {
            return GW_ERROR;
        }

        len = gw_keys_der(sig, key->half, der);
        sig = der;
    }

    rc = EVP_MD_CTX_copy_ex(keys->ctx, key->verify[jwt->alg]) == 1
         && EVP_DigestVerify(keys->ctx, sig, len, jwt->signed_part.data,
                             jwt->signed_part.len)
            == 1;

    EVP_MD_CTX_reset(keys->ctx);

    if (!rc) {
        ERR_clear_error();
        return GW_ERROR;
    }

    *error = GW_JWT_E_NONE;

    return GW_OK;
}


/* NULL: none, or, where the token does not say which, several */

static gw_key_t *
gw_keys_find(gw_keys_t *keys, const gw_jwt_t *jwt)
{
    unsigned   i, fits;
    gw_key_t  *key, *k;

    key = NULL;
    fits = 0;

    for (i = 0; i < keys->n; i++) {
        k = &keys->key[i];

        if (jwt->kid_len) {

            if (k->kid_len == jwt->kid_len
                && memcmp(k->kid, jwt->kid, k->kid_len) == 0)
            {
                return k;
            }

        } else if (k->algs & ((uint32_t) 1 << jwt->alg)) {
            key = k;
            fits++;
        }
    }

    return fits == 1 ? key : NULL;
}


static int
gw_keys_verify_mac(EVP_MAC_CTX *mac, const gw_jwt_t *jwt)
{
    int      rc;
    size_t   n;
    uint8_t  out[EVP_MAX_MD_SIZE];

    /* without a key: the one it has */

    rc = EVP_MAC_init(mac, NULL, 0, NULL) == 1
         && EVP_MAC_update(mac, jwt->signed_part.data, jwt->signed_part.len)
            == 1
         && EVP_MAC_final(mac, out, &n, sizeof(out)) == 1
         && jwt->signature_len == n
         && CRYPTO_memcmp(out, jwt->signature, n) == 0;

    OPENSSL_cleanse(out, sizeof(out));

    return rc ? GW_OK : GW_ERROR;
}


/*
 * R || S to the DER that libcrypto wants (RFC 3279 section 2.2.3).  Both are
 * at most 66 bytes, so lengths take two bytes at most.
 */

static size_t
gw_keys_der(const uint8_t *sig, unsigned half, uint8_t *dst)
{
    size_t    len;
    uint8_t   body[2 * (GW_KEYS_EC_MAX + 4)], *p;

    p = gw_keys_der_integer(body, sig, half);
    p = gw_keys_der_integer(p, sig + half, half);
    len = (size_t) (p - body);

    p = dst;
    *p++ = 0x30;

    if (len > 0x7f) {
        *p++ = 0x81;
    }

    *p++ = (uint8_t) len;
    memcpy(p, body, len);

    return (size_t) (p - dst) + len;
}


static uint8_t *
gw_keys_der_integer(uint8_t *p, const uint8_t *n, unsigned half)
{
    unsigned  pad;

    /* shortest form, zero itself being one byte */

    while (half > 1 && *n == 0) {
        n++;
        half--;
    }

    pad = *n >> 7;

    *p++ = 0x02;
    *p++ = (uint8_t) (half + pad);

    if (pad) {
        *p++ = 0;
    }

    memcpy(p, n, half);

    return p + half;
}
