/*
 * gw_hmac.h - HMAC-SHA256 of a signed request (RFC 2104, FIPS 180-4), on
 * libcrypto.  The text is that of pure/gw_signature.h.
 *
 * One context a worker, on the event loop: the algorithm is fetched once, a
 * verification allocates nothing but what libcrypto itself needs for one key.
 * Keys are the caller's; libcrypto holds the last one until the next takes its
 * place or the context is freed, and overwrites it then.
 */

#ifndef _GW_HMAC_H_INCLUDED_
#define _GW_HMAC_H_INCLUDED_


#include "gw.h"
#include "gw_signature.h"


typedef struct gw_hmac_s  gw_hmac_t;


/* NULL: no memory, or libcrypto has no such algorithm */
gw_hmac_t *gw_hmac_create(void);
void gw_hmac_free(gw_hmac_t *h);

/*
 * part: n views, the text in order, body last; key of key_len bytes, at least
 * one (with none it is GW_ERROR); signature: GW_SIGNATURE_LEN bytes.
 * GW_OK: it holds; GW_DECLINED: it does not, found out in the same time
 * wherever the difference is; GW_ERROR: libcrypto failed.
 */
int gw_hmac_verify(gw_hmac_t *h, const uint8_t *key, size_t key_len,
    const gw_str_t *part, unsigned n, const uint8_t *signature);


#endif /* _GW_HMAC_H_INCLUDED_ */
