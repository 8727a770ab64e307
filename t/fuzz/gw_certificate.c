/*
 * gw_certificate.c - certificates that no tool would issue.  Unseen breakage
 * would be a name read behind its end, or a device that the certificate names
 * for one reader and not for another.
 *
 * The input is a byte (kind of name, and how much of a prefix), and a
 * certificate in DER.  Whatever is accepted must be the only name of its kind
 * that a second way of libcrypto to walk it finds, byte by byte behind the
 * prefix, of bytes that an identity may have; and the queue of errors must be
 * as it was, as an error left there ends somebody's connection.
 */

#include <ctype.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "fuzz.h"
#include "gw_certificate.h"


/* names of the kind, and the last of them */

static unsigned
second_alternative(X509 *cert, int type, const ASN1_STRING **name,
    GENERAL_NAMES **names)
{
    int                i, at;
    unsigned           n;
    const uint8_t     *p;
    X509_EXTENSION    *ext;
    GENERAL_NAME      *one;
    ASN1_OCTET_STRING *text;

    *names = NULL;

    at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

    if (at < 0 || X509_get_ext_by_NID(cert, NID_subject_alt_name, at) >= 0) {
        return 0;
    }

    ext = X509_get_ext(cert, at);
    text = X509_EXTENSION_get_data(ext);
    p = ASN1_STRING_get0_data(text);
    *names = d2i_GENERAL_NAMES(NULL, &p, ASN1_STRING_length(text));

    n = 0;

    for (i = 0; *names && i < sk_GENERAL_NAME_num(*names); i++) {
        one = sk_GENERAL_NAME_value(*names, i);

        if (one->type == type) {
            *name = type == GEN_URI ? one->d.uniformResourceIdentifier
                                    : one->d.dNSName;
            n++;
        }
    }

    return n;
}


static unsigned
second_common(X509 *cert, const ASN1_STRING **name)
{
    int               i;
    unsigned          n;
    X509_NAME        *subject;
    X509_NAME_ENTRY  *entry;

    subject = X509_get_subject_name(cert);
    n = 0;

    for (i = 0; i < X509_NAME_entry_count(subject); i++) {
        entry = X509_NAME_get_entry(subject, i);

        if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_commonName) {
            *name = X509_NAME_ENTRY_get_data(entry);
            n++;
        }
    }

    return n;
}


static int
good_byte(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}


/* whether the name may be a device at all, and is this one */

static int
second_opinion(const ASN1_STRING *name, int dns, const gw_str_t *prefix,
    const uint8_t *device, size_t len)
{
    int             type;
    size_t          i, n;
    uint8_t         a, b;
    const uint8_t  *p;

    p = ASN1_STRING_get0_data(name);
    n = (size_t) ASN1_STRING_length(name);
    type = ASN1_STRING_type(name);

    if (type == V_ASN1_BMPSTRING || type == V_ASN1_T61STRING
        || type == V_ASN1_UNIVERSALSTRING || n != prefix->len + len
        || len == 0 || len > GW_DEVICE_MAX)
    {
        return 0;
    }

    for (i = 0; i < n; i++) {
        a = p[i];
        b = i < prefix->len ? prefix->data[i] : device[i - prefix->len];

        if (dns) {
            if (a == '*' || tolower(a) != tolower(b)
                || (i >= prefix->len && b != tolower(b)))
            {
                return 0;
            }

        } else if (a != b) {
            return 0;
        }

        if (i >= prefix->len && !good_byte(b)) {
            return 0;
        }
    }

    return 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    X509                   *cert;
    size_t                  len;
    int64_t                 not_after;
    uint8_t                 device[GW_DEVICE_MAX];
    gw_str_t                prefix;
    unsigned                n;
    const char             *detail;
    fuzz_copy_t             copy;
    const uint8_t          *p;
    GENERAL_NAMES          *names;
    const ASN1_STRING      *name;
    gw_certificate_name_e   kind;

    static const gw_str_t  prefixes[] = {
        gw_str_null, gw_str("p"), gw_str("urn:"), gw_str("DEV-")
    };

    if (size < 2) {
        return 0;
    }

    kind = data[0] % 3;
    prefix = prefixes[data[0] / 3 % 4];

    copy = fuzz_copy(data + 1, size - 1);
    p = copy.data;
    cert = d2i_X509(NULL, &p, (long) copy.len);
    fuzz_free(&copy);
    ERR_clear_error();

    if (cert == NULL) {
        return 0;
    }

    ERR_raise(ERR_LIB_USER, 7);

    len = 0;
    not_after = 0;
    detail = NULL;
    rc = gw_certificate_identity(cert, kind, &prefix, device, &len, &not_after,
                                 &detail);

    fuzz_promise(ERR_GET_REASON(ERR_get_error()) == 7 && ERR_get_error() == 0,
                 "the queue of errors is another");
    fuzz_promise(rc == GW_OK || rc == GW_DECLINED, "it gives %d", rc);
    fuzz_promise((rc == GW_OK) == (detail[0] == '\0'), "refused without a word"
                 " or accepted with one: %s", detail);

    name = NULL;
    names = NULL;
    n = kind == GW_CERTIFICATE_CN ? second_common(cert, &name)
        : second_alternative(cert, kind == GW_CERTIFICATE_URI ? GEN_URI
                             : GEN_DNS, &name, &names);

    if (rc == GW_OK) {
        fuzz_promise(n == 1, "accepted, with %u names", n);
        fuzz_promise(second_opinion(name, kind == GW_CERTIFICATE_DNS, &prefix,
                                    device, len), "accepted, as \"%.*s\"",
                     (int) len, (const char *) device);
        fuzz_promise(not_after > -62167219201LL && not_after < 253402300800LL
                     + 86400, "it ends at %lld", (long long) not_after);
    }

    GENERAL_NAMES_free(names);
    X509_free(cert);
    ERR_clear_error();

    return 0;
}
