/*
 * gw_certificate.h - the identity in a client certificate (RFC 5280 section
 * 4.2.1.6).  That the certificate was verified, and is not revoked, is the
 * caller's to know before it asks.
 *
 * URI and DNS names come from the subject alternative names alone; the common
 * name only where the configuration says so.  A certificate with several names
 * of the kind is refused: whoever issued it did not say which device it is.
 */

#ifndef _GW_CERTIFICATE_H_INCLUDED_
#define _GW_CERTIFICATE_H_INCLUDED_


#include <openssl/x509.h>

#include "gw.h"
#include "gw_identity.h"


typedef enum {
    GW_CERTIFICATE_URI = 0,            /* subjectAltName, uniform... */
    GW_CERTIFICATE_DNS,                /* ... and dNSName */
    GW_CERTIFICATE_CN                  /* the one commonName of the subject */
} gw_certificate_name_e;


/*
 * prefix (may be empty): what the name must begin with and what is cut off it,
 * so that "spiffe://fleet.example/device/pump-7" is "pump-7".
 * GW_OK: device (of GW_DEVICE_MAX bytes, 1 to 128 printable ASCII bytes
 * without quote and backslash), *len and *not_after (seconds since 1970) are
 * filled.  GW_DECLINED: no such name, several, one with a NUL or other byte
 * that an identity may not have, too long, without the prefix; *detail is a
 * constant sentence.  A DNS name with "*" is refused: it is many names.
 *
 * Names are taken byte by byte, but for DNS names, whose case says nothing (RFC
 * 4343): the prefix matches in any case and device is in lower case, so that
 * one host is one device.  *not_after is the first second that libcrypto takes
 * for past, as gw_identity_t has it; it may be negative.
 */
int gw_certificate_identity(X509 *cert, gw_certificate_name_e name,
    const gw_str_t *prefix, uint8_t *device, size_t *len, int64_t *not_after,
    const char **detail);


#endif /* _GW_CERTIFICATE_H_INCLUDED_ */
