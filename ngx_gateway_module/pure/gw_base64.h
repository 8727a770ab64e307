/*
 * gw_base64.h - base64url without padding (RFC 4648 section 5, RFC 7515
 * section 2), and standard base64 for HTTP Basic (RFC 4648 section 4).
 *
 * Strict: one text for one value.  Padding where none belongs, a character of
 * the other alphabet, white space, a length of 1 modulo 4 and bits set behind
 * the last byte are refused: whoever may spell a token in two ways passes any
 * list of tokens that were revoked.
 */

#ifndef _GW_BASE64_H_INCLUDED_
#define _GW_BASE64_H_INCLUDED_


#include "gw.h"


/* bytes that len characters yield at most */
#define gw_base64_decoded(len)  ((len) / 4 * 3 + 3)

/* characters, without padding, of len bytes */
#define gw_base64url_encoded(len)  (((len) * 4 + 2) / 3)


/*
 * dst takes gw_base64_decoded(len) bytes, all of which may be written to; it
 * may be p, as writing stays behind reading.  *n becomes the bytes decoded.
 * GW_ERROR: not canonical; dst then holds nothing of use, *n is as it was.
 * len 0 yields 0.
 */
int gw_base64url_decode(const uint8_t *p, size_t len, uint8_t *dst, size_t *n);

/* with its padding, which is needed */
int gw_base64_decode(const uint8_t *p, size_t len, uint8_t *dst, size_t *n);

/* dst takes gw_base64url_encoded(len) bytes, which is returned */
size_t gw_base64url_encode(const uint8_t *p, size_t len, uint8_t *dst);


#endif /* _GW_BASE64_H_INCLUDED_ */
