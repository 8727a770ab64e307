/*
 * gw_signature.h - a signed request: the credentials it carries and the text
 * the signature is over.  Whether the signature holds is found out by
 * auth/gw_hmac; README describes the scheme for those who write devices.
 *
 *     Authorization: Gateway-HMAC-SHA256 device="pump-7",
 *         timestamp="1763884800", signature="<43 characters of base64url>"
 *
 * Parameters as RFC 9110 section 11.2 has them (token or quoted string, no
 * escapes), each once, in any order; an unknown one is refused, for we would
 * not know what the sender meant by it.  Parameter names in any case, as
 * there.  Blanks and tabs around "," only: those around "=", which that section
 * lets a recipient take, are refused, and so are empty elements of the list and
 * blanks in front of the first parameter or behind the last one.
 *
 * The text that is signed is that of the members below, a line each, then the
 * body byte by byte, before it is inflated or parsed:
 *
 *     Gateway-HMAC-SHA256 LF
 *     method LF                      POST
 *     target LF                      as sent: /v1/messages?x=1
 *     device LF
 *     timestamp LF                   as in the parameter
 *     epoch LF                       header Gateway-Epoch, or nothing
 *     seq LF                         header Gateway-Seq, or nothing
 *     class LF                       header Gateway-Class, or nothing
 *     time LF                        header Gateway-Timestamp, or nothing
 *     type LF                        header Content-Type, or nothing
 *     encoding LF                    header Content-Encoding, or nothing
 *     body
 *
 * All that the gateway acts on is signed: what is left out may be changed on
 * the way.  No member but the last can hold a LF, so no two requests have one
 * text.
 */

#ifndef _GW_SIGNATURE_H_INCLUDED_
#define _GW_SIGNATURE_H_INCLUDED_


#include "gw.h"


#define GW_SIGNATURE_LEN       32      /* bytes of HMAC-SHA256 */
#define GW_SIGNATURE_TEXT_LEN  43      /* the same in base64url */
#define GW_SIGNATURE_MEMBERS   11      /* lines in front of the body */


typedef struct {
    gw_str_t   device;                 /* 1 to 128 of [A-Za-z0-9._:@-] */
    gw_str_t   timestamp;              /* 1 to 15 digits, no leading zero */
    int64_t    time;                   /* the same, seconds since 1970 */
    uint8_t    signature[GW_SIGNATURE_LEN + 4];  /* decoding may write to all */
} gw_signature_t;


/* what of the request is signed; len 0: not there */

typedef struct {
    gw_str_t   method;
    gw_str_t   target;
    gw_str_t   epoch;
    gw_str_t   seq;
    gw_str_t   class_name;
    gw_str_t   time;
    gw_str_t   type;
    gw_str_t   encoding;
} gw_signed_t;


/*
 * p, len: what follows the scheme and its blank.  GW_OK: the views point into
 * p; GW_ERROR: not as described above, *detail is a constant sentence without
 * a byte of the input.
 */
int gw_signature_parse(const uint8_t *p, size_t len, gw_signature_t *s,
    const char **detail);

/* GW_OK: |now - time| <= window, all in seconds; GW_DECLINED.  No date
   overflows */
int gw_signature_in_time(const gw_signature_t *s, int64_t now,
    unsigned window);

/*
 * The lines in front of the body, as views: at most 2 * GW_SIGNATURE_MEMBERS
 * of them are written to out, each line being a member and a LF (a view of
 * one byte).  Returns how many.  GW_ERROR (below 0): a member holds a LF,
 * a CR or a NUL.
 */
int gw_signature_text(const gw_signature_t *s, const gw_signed_t *request,
    gw_str_t *out);


#endif /* _GW_SIGNATURE_H_INCLUDED_ */
