/*
 * gw_certificate.c - see gw_certificate.h.
 */

#include <time.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "gw_certificate.h"


static int gw_certificate_alternative(X509 *cert, int type,
    const gw_str_t *prefix, uint8_t *device, size_t *len,
    const char **detail);
static int gw_certificate_common(X509 *cert, const gw_str_t *prefix,
    uint8_t *device, size_t *len, const char **detail);
static int gw_certificate_device(const ASN1_STRING *name,
    const gw_str_t *prefix, int dns, uint8_t *device, size_t *len,
    const char **detail);
static int gw_certificate_not_after(X509 *cert, int64_t *not_after,
    const char **detail);
static uint8_t gw_certificate_lower(uint8_t c);


int
gw_certificate_identity(X509 *cert, gw_certificate_name_e name,
    const gw_str_t *prefix, uint8_t *device, size_t *len, int64_t *not_after,
    const char **detail)
{
    int  rc;

    *detail = "";

    /* an error left in the queue would be taken for one of the connection */

    ERR_set_mark();

    switch (name) {

    case GW_CERTIFICATE_URI:
        rc = gw_certificate_alternative(cert, GEN_URI, prefix, device, len,
                                        detail);
        break;

    case GW_CERTIFICATE_DNS:
        rc = gw_certificate_alternative(cert, GEN_DNS, prefix, device, len,
                                        detail);
        break;

    default: /* GW_CERTIFICATE_CN */
        rc = gw_certificate_common(cert, prefix, device, len, detail);
        break;
    }

    if (rc == GW_OK) {
        rc = gw_certificate_not_after(cert, not_after, detail);
    }

    ERR_pop_to_mark();

    return rc;
}


static int
gw_certificate_alternative(X509 *cert, int type, const gw_str_t *prefix,
    uint8_t *device, size_t *len, const char **detail)
{
    int                 i, n, rc, critical;
    GENERAL_NAME       *name;
    GENERAL_NAMES      *names;
    const ASN1_STRING  *found;

    names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);

    if (names == NULL) {

        switch (critical) {

        case -1:
            *detail = "no subject alternative name";
            break;

        case -2:
            *detail = "two extensions of subject alternative names";
            break;

        default:
            *detail = "subject alternative names that cannot be read";
            break;
        }

        return GW_DECLINED;
    }

    n = 0;
    found = NULL;

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        name = sk_GENERAL_NAME_value(names, i);

        if (name->type == type) {
            found = name->d.ia5;
            n++;
        }
    }

    rc = GW_DECLINED;

    if (n == 0) {
        *detail = "no subject alternative name of this kind";

    } else if (n > 1) {
        *detail = "several subject alternative names of this kind";

    } else {
        rc = gw_certificate_device(found, prefix, type == GEN_DNS, device, len,
                                   detail);
    }

    GENERAL_NAMES_free(names);

    return rc;
}


static int
gw_certificate_common(X509 *cert, const gw_str_t *prefix, uint8_t *device,
    size_t *len, const char **detail)
{
    int                 at;
    X509_NAME          *subject;
    const ASN1_STRING  *name;

    subject = X509_get_subject_name(cert);

    at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0) {
        *detail = "no common name";
        return GW_DECLINED;
    }

    if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        *detail = "several common names";
        return GW_DECLINED;
    }

    name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));

    /*
     * The bytes of the other types are not those of their characters: one
     * letter of a BMPString (X.680 section 41.14) may look like two of ASCII.
     */

    switch (ASN1_STRING_type(name)) {

    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
        break;

    default:
        *detail = "a common name that is no UTF-8, Printable or IA5 string";
        return GW_DECLINED;
    }

    return gw_certificate_device(name, prefix, 0, device, len, detail);
}


static int
gw_certificate_device(const ASN1_STRING *name, const gw_str_t *prefix, int dns,
    uint8_t *device, size_t *len, const char **detail)
{
    size_t          i, n;
    uint8_t         a, b;
    const uint8_t  *p;

    p = ASN1_STRING_get0_data(name);
    n = (size_t) ASN1_STRING_length(name);

    if (n == 0) {
        *detail = "the name is empty";
        return GW_DECLINED;
    }

    if (dns && memchr(p, '*', n)) {
        *detail = "the name is a wildcard";
        return GW_DECLINED;
    }

    if (n < prefix->len) {
        *detail = "the name does not begin with the prefix";
        return GW_DECLINED;
    }

    for (i = 0; i < prefix->len; i++) {
        a = p[i];
        b = prefix->data[i];

        if (a != b
            && !(dns && gw_certificate_lower(a) == gw_certificate_lower(b)))
        {
            *detail = "the name does not begin with the prefix";
            return GW_DECLINED;
        }
    }

    p += prefix->len;
    n -= prefix->len;

    if (n == 0) {
        *detail = "the name is nothing but the prefix";
        return GW_DECLINED;
    }

    if (n > GW_DEVICE_MAX) {
        *detail = "the name is longer than 128 bytes";
        return GW_DECLINED;
    }

    if (gw_identity_text_valid(p, n) != GW_OK) {
        *detail = "the name has a byte that an identity may not have";
        return GW_DECLINED;
    }

    for (i = 0; i < n; i++) {
        device[i] = dns ? gw_certificate_lower(p[i]) : p[i];
    }

    *len = n;

    return GW_OK;
}


/*
 * Days and seconds, not a time_t: RFC 5280 section 4.1.2.5 has certificates
 * that end in the year 9999, and nothing forbids one that ended in 1950.
 */

static int
gw_certificate_not_after(X509 *cert, int64_t *not_after, const char **detail)
{
    int        days, seconds;
    struct tm  epoch, end;

    memset(&epoch, 0, sizeof(epoch));
    epoch.tm_year = 70;
    epoch.tm_mday = 1;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1
        || OPENSSL_gmtime_diff(&days, &seconds, &epoch, &end) != 1)
    {
        *detail = "the end of its time cannot be read";
        return GW_DECLINED;
    }

    *not_after = (int64_t) days * 86400 + seconds;

    return GW_OK;
}


/* of ASCII, whatever the locale */

static uint8_t
gw_certificate_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t) (c | 0x20) : c;
}
