/*
 * gw_keys_key.h - one key of a set, between gw_keys_import.c, which makes it
 * out of its JSON, and gw_keys.c, which verifies with it.  Nobody else's.
 *
 * Without this line between them, what a token may choose and what only the
 * file may would be decided in one place.
 */

#ifndef _GW_KEYS_KEY_H_INCLUDED_
#define _GW_KEYS_KEY_H_INCLUDED_


#include <jansson.h>
#include <openssl/evp.h>

#include "gw_jwt.h"


#define GW_KEYS_EC_MAX  66     /* bytes of a coordinate: P-521 */


typedef struct {
    uint8_t       kid[GW_JWT_KID_MAX];
    size_t        kid_len;     /* 0: none */
    uint32_t      algs;        /* bit of each gw_jwt_alg_e it may be used for */
    unsigned      half;        /* bytes of R and of S; 0: no EC key */

    /* made ready: a verification copies the one or starts the other anew */
    EVP_MD_CTX   *verify[GW_JWT_ALG_N];
    EVP_MAC_CTX  *mac[GW_JWT_ALG_N];
} gw_key_t;


/*
 * jwk becomes *key, which is overwritten.  GW_DECLINED: no key for us, to be
 * passed over; GW_ERROR: *why says what is wrong.  Of both nothing is left to
 * be freed.
 */
int gw_keys_import(gw_key_t *key, json_t *jwk, EVP_MAC *hmac,
    const char **why);

void gw_keys_destroy(gw_key_t *key);


#endif /* _GW_KEYS_KEY_H_INCLUDED_ */
