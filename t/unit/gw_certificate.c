/*
 * gw_certificate.c - which device a certificate names, and which it does not.
 *
 * The story: a device shows a certificate that a good authority issued, but
 * with a name that reads in two ways: one that ends in a NUL for one program
 * and goes on for another, two names, a wildcard, letters of two bytes each.
 * Unseen without it: whoever gets such a certificate sends in the name of
 * another device, and all looks well.  Certificates are made here and go
 * through DER, as they would over the wire.
 */

#include "gw_test.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "gw_certificate.h"


#define UTF8  V_ASN1_UTF8STRING
#define URI   GEN_URI
#define DNS   GEN_DNS

#define TIME  "20300101000000Z"


typedef struct {
    int          type;         /* of a GENERAL_NAME, or of a string */
    const char  *text;
    int          len;          /* 0: as the text */
} part_t;


typedef struct {
    part_t                 alternative[3];
    part_t                 common[3];
    gw_certificate_name_e  name;
    const char            *prefix;
    const char            *device;     /* NULL: refused... */
    const char            *detail;     /* ... with this in the sentence */
    const char            *story;
} case_t;


#define D64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D128 D64 D64


static const case_t  cases[] = {

    /* URI, the default */

    { { { URI, "pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "", "pump-7", NULL, "a URI is the device" },
    { { { URI, "spiffe://fleet.example/device/pump-7", 0 } },
      { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "spiffe://fleet.example/device/", "pump-7", NULL,
      "the prefix is cut off" },
    { { { URI, "spiffe://fleet.example/" D128, 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_URI, "spiffe://fleet.example/", D128, NULL,
      "128 bytes behind the prefix are a device" },
    { { { URI, D128, 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "", D128,
      NULL, "so are 128 without one" },
    { { { URI, D128 "x", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "longer than 128", "129 are not" },
    { { { URI, "urn:" D128 "x", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "urn:", NULL, "longer than 128", "nor are 129 behind a prefix" },
    { { { URI, "urn:PUMP-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "urn:", "PUMP-7", NULL, "a URI keeps its case" },
    { { { URI, "URN:pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "urn:", NULL, "begin with the prefix",
      "and its prefix must have the same" },
    { { { URI, "urn:pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "urx:", NULL, "begin with the prefix", "a prefix must match" },
    { { { URI, "urn", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "urn:",
      NULL, "begin with the prefix", "to its last byte" },
    { { { URI, "xurn:pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "urn:", NULL, "begin with the prefix", "and at the beginning" },
    { { { URI, "urn:", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "urn:",
      NULL, "nothing but the prefix", "behind it there must be a device" },
    { { { URI, "", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "", NULL,
      "is empty", "an empty URI is no device" },
    { { { URI, "pump-7", 0 }, { URI, "pump-8", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_URI, "", NULL, "several", "two URIs are no device" },
    { { { URI, "pump-7", 0 }, { URI, "pump-7", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_URI, "", NULL, "several", "also where they are one" },
    { { { URI, "urn:pump-7", 0 }, { URI, "https://x", 0 } },
      { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "urn:", NULL, "several",
      "and where only one has the prefix" },
    { { { DNS, "gauge", 0 }, { URI, "pump-7", 0 }, { GEN_EMAIL, "a@b", 0 } },
      { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "", "pump-7", NULL,
      "names of other kinds do not matter" },
    { { { DNS, "gauge", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "of this kind", "nor do they help" },
    { { { 0, NULL, 0 } }, { { UTF8, "pump-7", 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "no subject alternative name",
      "without alternative names the common one is not taken" },
    { { { URI, "pump-7\0.evil", 12 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_URI, "", NULL, "may not have", "a NUL ends no name" },
    { { { URI, "pump-7\0", 7 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "also at its end" },
    { { { URI, "\0pump-7", 7 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "and at its beginning" },
    { { { URI, "ur\0:pump-7", 10 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "ur", NULL, "may not have", "and behind the prefix" },
    { { { URI, "p\303\274mp", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI,
      "", NULL, "may not have", "letters beyond ASCII are refused" },
    { { { URI, "pump\"7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "so is a quote" },
    { { { URI, "pump\\7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "and a backslash" },
    { { { URI, "pump\n7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "and a line end" },
    { { { URI, "pump\1777", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      NULL, "may not have", "and a delete" },
    { { { URI, "*.pump", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_URI, "",
      "*.pump", NULL, "a star in a URI is a character like any" },

    /* DNS */

    { { { DNS, "pump-7.fleet.example", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_DNS, "", "pump-7.fleet.example", NULL,
      "a DNS name is the device where it is asked for" },
    { { { DNS, "gw-pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "gw-", "pump-7", NULL, "without the prefix" },
    { { { DNS, "GW-Pump-7.Z", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "gw-", "pump-7.z", NULL, "in lower case, as DNS knows none" },
    { { { DNS, "gw-pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "GW-", "pump-7", NULL, "whatever the case of the prefix" },
    { { { DNS, "pump@7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "pump`", NULL, "begin with the prefix", "which is that of letters" },
    { { { DNS, "xn--pmp-hoa.example", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_DNS, "", "xn--pmp-hoa.example", NULL,
      "an IDN stays as it is written" },
    { { { DNS, "p\303\274mp.example", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_DNS, "", NULL, "may not have",
      "and is not written otherwise" },
    { { { DNS, "*.fleet.example", 0 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_DNS, "", NULL, "wildcard", "a wildcard is many names" },
    { { { DNS, "pump-*", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "pump-", NULL, "wildcard", "wherever the star stands" },
    { { { DNS, "*.x.pump", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS,
      "*.x.", NULL, "wildcard", "be it in the prefix" },
    { { { DNS, "pump-7\0.fleet", 13 } }, { { 0, NULL, 0 } },
      GW_CERTIFICATE_DNS, "", NULL, "may not have",
      "a NUL ends no DNS name" },
    { { { DNS, "", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS, "", NULL,
      "is empty", "an empty one is no device" },
    { { { DNS, "a.example", 0 }, { DNS, "b.example", 0 } },
      { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS, "", NULL, "several",
      "nor are two" },
    { { { URI, "pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_DNS, "",
      NULL, "of this kind", "nor is a URI" },

    /* the common name */

    { { { 0, NULL, 0 } }, { { UTF8, "pump-7", 0 } }, GW_CERTIFICATE_CN, "",
      "pump-7", NULL, "the common name is the device where it is asked for" },
    { { { 0, NULL, 0 } }, { { V_ASN1_IA5STRING, "pump-7", 0 } },
      GW_CERTIFICATE_CN, "", "pump-7", NULL, "as an IA5 string" },
    { { { 0, NULL, 0 } }, { { V_ASN1_PRINTABLESTRING, "pump-7", 0 } },
      GW_CERTIFICATE_CN, "", "pump-7", NULL, "and as a printable one" },
    { { { 0, NULL, 0 } }, { { UTF8, "Pump-7", 0 } }, GW_CERTIFICATE_CN, "",
      "Pump-7", NULL, "in its own case" },
    { { { 0, NULL, 0 } }, { { UTF8, "dev:pump-7", 0 } }, GW_CERTIFICATE_CN,
      "dev:", "pump-7", NULL, "without the prefix" },
    { { { 0, NULL, 0 } }, { { UTF8, "Dev:pump-7", 0 } }, GW_CERTIFICATE_CN,
      "dev:", NULL, "begin with the prefix", "which has its own case, too" },
    { { { URI, "gauge", 0 } }, { { UTF8, "pump-7", 0 } }, GW_CERTIFICATE_CN,
      "", "pump-7", NULL, "alternative names do not change it" },
    { { { 0, NULL, 0 } }, { { V_ASN1_BMPSTRING, "\0p\0u\0m\0p", 8 } },
      GW_CERTIFICATE_CN, "", NULL, "no UTF-8",
      "letters of two bytes are refused" },
    { { { 0, NULL, 0 } }, { { V_ASN1_BMPSTRING, "pump", 4 } },
      GW_CERTIFICATE_CN, "", NULL, "no UTF-8",
      "also two of them that look like four" },
    { { { 0, NULL, 0 } },
      { { V_ASN1_UNIVERSALSTRING, "\0\0\0p\0\0\0u", 8 } },
      GW_CERTIFICATE_CN, "", NULL, "no UTF-8", "and those of four bytes" },
    { { { 0, NULL, 0 } }, { { V_ASN1_T61STRING, "pump", 4 } },
      GW_CERTIFICATE_CN, "", NULL, "no UTF-8",
      "and those of an alphabet that nobody has" },
    { { { 0, NULL, 0 } }, { { UTF8, "pump-7", 0 }, { UTF8, "pump-8", 0 } },
      GW_CERTIFICATE_CN, "", NULL, "several",
      "two common names are no device" },
    { { { 0, NULL, 0 } }, { { UTF8, "pump-7", 0 }, { -UTF8, "pump-8", 0 } },
      GW_CERTIFICATE_CN, "", NULL, "several", "nor two in one place" },
    { { { URI, "pump-7", 0 } }, { { 0, NULL, 0 } }, GW_CERTIFICATE_CN, "",
      NULL, "no common name", "nor none" },
    { { { 0, NULL, 0 } }, { { UTF8, "", 0 } }, GW_CERTIFICATE_CN, "", NULL,
      "is empty", "nor an empty one" },
    { { { 0, NULL, 0 } }, { { UTF8, "pump-7\0x", 8 } }, GW_CERTIFICATE_CN, "",
      NULL, "may not have", "a NUL ends no common name" },
    { { { 0, NULL, 0 } }, { { V_ASN1_IA5STRING, "p\374mp", 0 } },
      GW_CERTIFICATE_CN, "", NULL, "may not have",
      "an IA5 string is ASCII indeed" },
    { { { 0, NULL, 0 } }, { { UTF8, "p\303\274mp", 0 } }, GW_CERTIFICATE_CN,
      "", NULL, "may not have", "so must a UTF-8 one be" },
    { { { 0, NULL, 0 } }, { { UTF8, D128 "x", 0 } }, GW_CERTIFICATE_CN, "",
      NULL, "longer than 128", "129 bytes are too many there, too" },
};


static EVP_PKEY    *key;
static uint8_t      device[GW_DEVICE_MAX];
static size_t       len;
static int64_t      not_after;
static const char  *detail;


static int
text_len(const part_t *part)
{
    return part->len ? part->len : (int) strlen(part->text);
}


static void
must(int good, const char *what)
{
    if (!good) {
        printf("Bail out! %s\n", what);
        exit(1);
    }
}


static X509 *
begin(const char *end)
{
    X509  *cert;

    cert = X509_new();

    must(X509_set_version(cert, X509_VERSION_3)
         && ASN1_INTEGER_set(X509_get_serialNumber(cert), 7)
         && X509_set_pubkey(cert, key)
         && ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z")
         && ASN1_TIME_set_string(X509_getm_notAfter(cert), end),
         "a certificate can be begun");

    return cert;
}


static void
add_alternative(X509 *cert, const part_t *part, unsigned max)
{
    unsigned         i;
    GENERAL_NAME    *name;
    GENERAL_NAMES   *names;
    ASN1_IA5STRING  *text;

    names = GENERAL_NAMES_new();

    for (i = 0; i < max && part[i].text; i++) {
        name = GENERAL_NAME_new();
        text = ASN1_IA5STRING_new();
        must(ASN1_STRING_set(text, part[i].text, text_len(&part[i])),
             "a name can be written");
        GENERAL_NAME_set0_value(name, part[i].type, text);
        sk_GENERAL_NAME_push(names, name);
    }

    must(i == 0 || X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0,
                                     X509V3_ADD_APPEND) == 1,
         "names can be added");

    GENERAL_NAMES_free(names);
}


/* a type below 0: in the same set as the one before */

static void
add_common(X509 *cert, const part_t *part, unsigned max)
{
    unsigned    i;
    X509_NAME  *subject;

    subject = X509_get_subject_name(cert);

    must(X509_NAME_add_entry_by_txt(subject, "O", UTF8,
                                    (const uint8_t *) "fleet", -1, -1, 0),
         "a subject can be begun");

    for (i = 0; i < max && part[i].text; i++) {
        must(X509_NAME_add_entry_by_NID(subject, NID_commonName,
                                        abs(part[i].type),
                                        (const uint8_t *) part[i].text,
                                        text_len(&part[i]), -1,
                                        part[i].type < 0 ? -1 : 0),
             "a common name can be added");
    }
}


/* as it would be read from the wire */

static X509 *
finish(X509 *cert)
{
    int             n;
    X509           *read;
    uint8_t        *der;
    const uint8_t  *p;

    der = NULL;
    must(X509_sign(cert, key, NULL) > 0, "a certificate can be signed");

    n = i2d_X509(cert, &der);
    p = der;
    read = d2i_X509(NULL, &p, n);
    must(read != NULL, "and read");

    OPENSSL_free(der);
    X509_free(cert);

    return read;
}


static int
identity(X509 *cert, gw_certificate_name_e name, const char *prefix)
{
    gw_str_t  cut;

    memset(device, 0xa5, sizeof(device));
    len = 0;
    not_after = -1;
    detail = NULL;

    cut.len = strlen(prefix);
    cut.data = guarded(prefix, cut.len);

    return gw_certificate_identity(cert, name, &cut, device, &len, &not_after,
                                   &detail);
}


static void
test_names(void)
{
    int            rc;
    X509          *cert;
    size_t         i;
    const case_t  *c;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        cert = begin(TIME);
        add_alternative(cert, c->alternative, 3);
        add_common(cert, c->common, 3);
        cert = finish(cert);

        rc = identity(cert, c->name, c->prefix);

        if (c->device) {
            ok(rc == GW_OK && len == strlen(c->device)
               && memcmp(device, c->device, len) == 0, "%s", c->story);

        } else {
            ok(rc == GW_DECLINED && strstr(detail, c->detail), "%s: %s",
               c->story, detail);
        }

        X509_free(cert);
    }
}


static void
test_broken(void)
{
    X509               *cert;
    ASN1_OCTET_STRING  *text;
    X509_EXTENSION     *ext;

    static const part_t  pump = { URI, "pump-7", 0 };

    cert = begin(TIME);
    add_alternative(cert, &pump, 1);
    add_alternative(cert, &pump, 1);
    cert = finish(cert);

    ok(identity(cert, GW_CERTIFICATE_URI, "") == GW_DECLINED
       && strstr(detail, "two extensions"),
       "two extensions of names are refused: %s", detail);
    X509_free(cert);

    text = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(text, (const uint8_t *) "\x30\x05\x86", 3);
    ext = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, text);

    cert = begin(TIME);
    must(X509_add_ext(cert, ext, -1) == 1, "an extension can be added");
    cert = finish(cert);

    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);

    ok(identity(cert, GW_CERTIFICATE_URI, "") == GW_DECLINED
       && strstr(detail, "cannot be read"),
       "one that ends within a name is, too: %s", detail);
    ok(ERR_GET_REASON(ERR_get_error()) == 7 && ERR_get_error() == 0,
       "and leaves no error behind, nor takes one of somebody else");

    X509_free(cert);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(text);
}


static void
test_not_after(void)
{
    X509      *cert;
    unsigned   i;

    static const part_t  pump = { URI, "pump-7", 0 };

    /* by date -u -d "..." +%s */

    static const struct {
        const char  *end;
        int64_t      at;
        const char  *story;
    } ends[] = {
        { "20300101000000Z", 1893456000, "a year" },
        { "240229120000Z", 1709208000, "a UTCTime on a leap day" },
        { "491231235959Z", 2524607999, "the last UTCTime" },
        { "500101000000Z", -631152000, "the first one, in 1950" },
        { "19700101000000Z", 0, "1970 itself" },
        { "19691231235959Z", -1, "the second before" },
        { "19010101000000Z", -2177452800, "the last century but one" },
        { "20380119031408Z", 2147483648, "more than 31 bits of seconds" },
        { "99991231235959Z", 253402300799, "no end, RFC 5280 4.1.2.5" },
    };

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        cert = begin(ends[i].end);
        add_alternative(cert, &pump, 1);
        cert = finish(cert);

        ok(identity(cert, GW_CERTIFICATE_URI, "") == GW_OK
           && not_after == ends[i].at, "the end is read: %s, %" PRId64,
           ends[i].story, not_after);

        X509_free(cert);
    }

    cert = begin(TIME);
    add_alternative(cert, &pump, 1);
    must(ASN1_STRING_set(X509_getm_notAfter(cert), "some time", -1),
         "a time can be spoiled");
    X509_sign(cert, key, NULL);

    ERR_clear_error();

    ok(identity(cert, GW_CERTIFICATE_URI, "") == GW_DECLINED
       && strstr(detail, "end of its time"), "one that is none is refused: %s",
       detail);
    ok(ERR_get_error() == 0, "and leaves no error behind");

    X509_free(cert);
}


int
main(void)
{
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    must(key != NULL, "a key can be made");

    test_names();
    test_broken();
    test_not_after();

    EVP_PKEY_free(key);

    return done_testing();
}
