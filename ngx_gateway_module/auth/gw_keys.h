/*
 * gw_keys.h - a JSON Web Key Set (RFC 7517), and whether a signature holds.
 *
 * Keys are imported once and kept as libcrypto has them; digests are fetched
 * and contexts made once.  After load() no key is parsed and no algorithm
 * fetched for a verification (but SHA-512 of EdDSA, by libcrypto itself), and
 * nothing allocated but what libcrypto needs for one signature.  One set
 * belongs to one thread, the event loop's; a new set is loaded beside the old
 * one and takes its place.  Plain C: no name of nginx.
 *
 * A key is used for the algorithms of its own type only: an RSA or EC key
 * never for HMAC, whatever a token says.  Where the key has an "alg" member,
 * for that one alone.  Keys of types we do not know, and those with a "use"
 * other than "sig" or "key_ops" without "verify", are passed over (section 5).
 * A key that is ours but wrong refuses the whole file, for a key set that is
 * half used is worse than an old one: RSA below 2048 bits, HMAC secrets shorter
 * than the shortest digest or that of their "alg", an EC point that is not on
 * its curve, private members of an asymmetric key, two keys of one kid, no key
 * at all.
 */

#ifndef _GW_KEYS_H_INCLUDED_
#define _GW_KEYS_H_INCLUDED_


#include "gw.h"
#include "gw_jwt.h"


#define GW_KEYS_MAX   64       /* keys of a set */

typedef struct gw_keys_s  gw_keys_t;


/*
 * text: the JSON of a set, of at most 1 MiB.  NULL: *error (of error_size
 * bytes) says what is wrong with which key (by its number from 0 and its kid),
 * and never a byte of a key.
 */
gw_keys_t *gw_keys_load(const uint8_t *text, size_t len, char *error,
    size_t error_size);

/* secrets are overwritten before their memory is given back, by load() too,
   which for that lends jansson an allocator: nobody else may be using it */
void gw_keys_free(gw_keys_t *keys);

unsigned gw_keys_count(const gw_keys_t *keys);

/*
 * GW_OK: the signature of jwt is by a key of the set, chosen by kid, or, where
 * the token names none, the only one that fits its algorithm.  GW_ERROR with
 * *error: GW_JWT_E_ALG, GW_JWT_E_KEY or GW_JWT_E_SIGNATURE.
 * ES*: the signature is R || S of fixed length (RFC 7518 section 3.4), DER is
 * refused, so are R or S of zero or not below the order.
 */
int gw_keys_verify(gw_keys_t *keys, const gw_jwt_t *jwt,
    gw_jwt_error_e *error);


#endif /* _GW_KEYS_H_INCLUDED_ */
