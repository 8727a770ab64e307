/*
 * gw_jwt.h - a JSON Web Token in compact form, taken apart (RFC 7515, 7519):
 * what the signature is over, which key is meant, what is claimed.  Whether
 * the signature holds is found out by auth/gw_keys, between parse() and
 * claims(); nothing of the payload is looked at before.
 *
 * The header is read with distrust: the algorithm it names must later be one
 * of the key's; "none" in any spelling, any "crit" (RFC 7515 section 4.1.11:
 * we understand none), a second member of one name, b64 and zip are refused;
 * jwk, jku, x5u, x5c and x5t are never used, for a token cannot vouch for its
 * own key, and refused, since an honest issuer has no use for them here.
 *
 * All memory is the caller's; json is the scanner of the worker, whose tape is
 * overwritten by each call.
 */

#ifndef _GW_JWT_H_INCLUDED_
#define _GW_JWT_H_INCLUDED_


#include "gw.h"
#include "gw_identity.h"
#include "gw_json.h"


#define GW_JWT_MAX        8192 /* bytes of a token */
#define GW_JWT_SIG_MAX    1024 /* bytes of a signature: RSA of 8192 bits */
#define GW_JWT_KID_MAX    128
#define GW_JWT_LIST_MAX   1024 /* bytes of a list of classes or topics */


typedef enum {
    GW_JWT_HS256 = 0, GW_JWT_HS384, GW_JWT_HS512,
    GW_JWT_RS256, GW_JWT_RS384, GW_JWT_RS512,
    GW_JWT_PS256, GW_JWT_PS384, GW_JWT_PS512,
    GW_JWT_ES256, GW_JWT_ES384, GW_JWT_ES512,
    GW_JWT_EDDSA,
    GW_JWT_ALG_N
} gw_jwt_alg_e;


/* why a token is refused; all but EXPIRED and EARLY look alike to the client */

typedef enum {
    GW_JWT_E_NONE = 0,
    GW_JWT_E_FORM,             /* not three segments of canonical base64url,
                                  or longer than GW_JWT_MAX */
    GW_JWT_E_HEADER,           /* no JSON object as described above */
    GW_JWT_E_ALG,              /* "none", unknown or not the key's */
    GW_JWT_E_KEY,              /* no key of that kid, or several fit */
    GW_JWT_E_SIGNATURE,
    GW_JWT_E_CLAIMS,           /* no JSON object, a claim of a wrong type,
                                  a date that is not finite or missing */
    GW_JWT_E_EXPIRED,
    GW_JWT_E_EARLY,            /* nbf, or iat, in the future */
    GW_JWT_E_ISSUER,
    GW_JWT_E_AUDIENCE,
    GW_JWT_E_DEVICE,           /* no usable device claim */
    GW_JWT_E_N
} gw_jwt_error_e;


typedef struct {
    gw_jwt_alg_e  alg;
    gw_str_t      signed_part; /* header.payload, in the token */
    uint8_t       kid[GW_JWT_KID_MAX];
    size_t        kid_len;     /* 0: none */
    uint8_t       signature[GW_JWT_SIG_MAX + 2];  /* the decoder's room */
    size_t        signature_len;
    uint8_t       payload[GW_JWT_MAX];  /* decoded, not yet to be believed */
    size_t        payload_len;
} gw_jwt_t;


/* what the configuration asks of a token; len 0: not asked */

typedef struct {
    gw_str_t         issuer;
    gw_str_t         audience;
    gw_str_t         device_claim;     /* default "sub" */
    gw_str_t         classes_claim;    /* default "gateway_classes": a string
                                          of names parted by commas or blanks,
                                          or an array, one name a string */
    gw_str_t         tenant_claim;     /* default "tenant" */
    gw_str_t         topics_claim;     /* default "gateway_topics": as
                                          classes_claim; names or "a.*" */
    uint32_t         classes;          /* bits of a token without that claim */
    unsigned         leeway;           /* seconds, both directions */
    const gw_str_t  *class_names;      /* of the gateway, in order */
    unsigned         nclasses;
} gw_jwt_rules_t;


/* GW_OK, or GW_ERROR with *error */
int gw_jwt_parse(gw_json_t *json, const uint8_t *token, size_t len,
    gw_jwt_t *jwt, gw_jwt_error_e *error);

/*
 * The claims of a token whose signature holds.  now: seconds since 1970, wall
 * clock.  exp is needed; exp, nbf and iat are numbers from 0 to 2^53 - 1 (a
 * fraction is cut, an exponent refused), compared with leeway; aud a string or
 * an array that holds the audience.  A claim of names is of GW_JWT_LIST_MAX
 * bytes at most.  GW_OK: *identity filled, its not_after is exp; GW_ERROR.
 */
int gw_jwt_claims(gw_json_t *json, const gw_jwt_t *jwt,
    const gw_jwt_rules_t *rules, int64_t now, gw_identity_t *identity,
    gw_jwt_error_e *error);

/* "HS256"; the name must be exact.  GW_ERROR: unknown, "none" included */
int gw_jwt_alg(const uint8_t *p, size_t len, gw_jwt_alg_e *alg);
const char *gw_jwt_alg_name(gw_jwt_alg_e alg);

/* a sentence for the log, without a byte of the token */
const char *gw_jwt_strerror(gw_jwt_error_e error);


#endif /* _GW_JWT_H_INCLUDED_ */
