/*
 * gw_registry.c - the rows of the device registry: found, compared with what
 * was sent, and made an identity; see gw_registry.h.  The file they are in is
 * gw_registry_file.c.
 */

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "gw_base64.h"
#include "gw_envelope.h"
#include "gw_registry.h"
#include "gw_registry_file.h"


#define GW_SALT_LEN  16
#define GW_HASH_LEN  32


struct gw_registry_s {
    gw_registry_file_t   file;

    const char          *detail;       /* why the last look-up failed */

    EVP_MD              *md;
    EVP_MD_CTX          *ctx;

    const gw_str_t      *names;
    unsigned             nclasses;
};


static int gw_registry_find(gw_registry_t *r, const uint8_t *device,
    size_t len);
static int gw_registry_leave(gw_registry_t *r, int rc, gw_reason_e *reason);
static int gw_registry_admit(gw_registry_t *r, const uint8_t *device,
    size_t len, int64_t now, gw_identity_t *identity, gw_reason_e *reason);
static int gw_registry_identity(gw_registry_t *r, const uint8_t *device,
    size_t len, gw_identity_t *identity);
static int gw_registry_text(gw_registry_t *r, int column, const uint8_t **p,
    size_t *len);
static const void *gw_registry_blob(gw_registry_t *r, int column,
    size_t *len);
static int gw_registry_list(gw_registry_t *r, int column, size_t entry_max,
    uint8_t *dst, size_t dst_max, uint16_t *len);
static int gw_registry_date(gw_registry_t *r, int column, int64_t *date);
static int gw_registry_same(gw_registry_t *r, const uint8_t *secret,
    size_t len, int found);


/* what an unknown device is compared with: no secret has this hash */

static const uint8_t  gw_registry_no_salt[GW_SALT_LEN];
static const uint8_t  gw_registry_no_hash[GW_HASH_LEN];


gw_registry_t *
gw_registry_open(const char *path, const gw_str_t *names, unsigned nclasses,
    unsigned cache_kb, char *error, size_t error_size)
{
    gw_registry_t  *r;

    r = calloc(1, sizeof(gw_registry_t));
    if (r == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }

    r->detail = "";

    r->names = names;
    r->nclasses = nclasses;
    r->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    r->ctx = EVP_MD_CTX_new();

    if (r->md == NULL || r->ctx == NULL) {
        snprintf(error, error_size, "no memory");
        goto failed;
    }

    if (gw_registry_file_open(&r->file, path, cache_kb, error, error_size)
        != GW_OK)
    {
        goto failed;
    }

    return r;

failed:

    EVP_MD_CTX_free(r->ctx);
    EVP_MD_free(r->md);
    free(r);

    return NULL;
}


void
gw_registry_close(gw_registry_t *r)
{
    if (r == NULL) {
        return;
    }

    gw_registry_file_close(&r->file);

    EVP_MD_CTX_free(r->ctx);
    EVP_MD_free(r->md);
    free(r);
}


int
gw_registry_changed(gw_registry_t *r, char *error, size_t error_size)
{
    return gw_registry_file_changed(&r->file, error, error_size);
}


const char *
gw_registry_detail(const gw_registry_t *r)
{
    return r->detail;
}


int
gw_registry_check(gw_registry_t *r, const uint8_t *device, size_t len,
    const uint8_t *secret, size_t secret_len, int64_t now,
    gw_identity_t *identity, gw_reason_e *reason)
{
    int  rc, found, same;

    rc = gw_registry_find(r, device, len);

    if (rc == GW_ERROR) {
        *reason = GW_R_INTERNAL;
        return GW_ERROR;
    }

    found = (rc == GW_OK);
    same = gw_registry_same(r, secret, secret_len, found);

    if (found && same) {
        rc = gw_registry_admit(r, device, len, now, identity, reason);

    } else {
        rc = GW_DECLINED;
        *reason = GW_R_UNAUTHENTICATED;
    }

    return gw_registry_leave(r, rc, reason);
}


size_t
gw_registry_hmac_key(gw_registry_t *r, const uint8_t *device, size_t len,
    int64_t now, uint8_t *key, gw_identity_t *identity, gw_reason_e *reason)
{
    int          rc;
    size_t       n;
    const void  *blob;

    n = 0;
    blob = NULL;
    rc = gw_registry_find(r, device, len);

    if (rc == GW_ERROR) {
        *reason = GW_R_INTERNAL;
        return 0;
    }

    if (rc == GW_OK) {
        blob = gw_registry_blob(r, GW_COL_HMAC_KEY, &n);
    }

    if (n < GW_HMAC_KEY_MIN || n > GW_HMAC_KEY_MAX) {
        rc = GW_DECLINED;
        *reason = GW_R_UNAUTHENTICATED;

    } else {
        memcpy(key, blob, n);
        rc = gw_registry_admit(r, device, len, now, identity, reason);
    }

    rc = gw_registry_leave(r, rc, reason);

    /* who is revoked is told so only if he signs with the right key */

    if (rc != GW_OK && !(rc == GW_DECLINED && *reason == GW_R_REVOKED)) {
        OPENSSL_cleanse(key, GW_HMAC_KEY_MAX);
        return 0;
    }

    return n;
}


int
gw_registry_find_device(gw_registry_t *r, const uint8_t *device, size_t len,
    int64_t now, gw_identity_t *identity, gw_reason_e *reason)
{
    int  rc;

    rc = gw_registry_find(r, device, len);

    if (rc == GW_ERROR) {
        *reason = GW_R_INTERNAL;
        return GW_ERROR;
    }

    if (rc == GW_OK) {
        rc = gw_registry_admit(r, device, len, now, identity, reason);

    } else {
        *reason = GW_R_FORBIDDEN;
    }

    return gw_registry_leave(r, rc, reason);
}


/* GW_OK: file.find stands on the row; GW_DECLINED: there is none.  After both
   the caller has to leave */

static int
gw_registry_find(gw_registry_t *r, const uint8_t *device, size_t len)
{
    int  rc;

    r->detail = "";

    if (len == 0 || len > GW_DEVICE_MAX) {
        return GW_DECLINED;
    }

    if (gw_registry_file_ready(&r->file, &r->detail) != GW_OK) {
        return GW_ERROR;
    }

    sqlite3_bind_text(r->file.find, 1, (const char *) device, (int) len,
                      SQLITE_STATIC);

    rc = sqlite3_step(r->file.find);

    if (rc == SQLITE_ROW) {
        return GW_OK;
    }

    sqlite3_reset(r->file.find);

    if (rc == SQLITE_DONE) {
        return GW_DECLINED;
    }

    r->detail = sqlite3_errstr(rc);

    return GW_ERROR;
}


/* what was read holds only where the file has not moved under it */

static int
gw_registry_leave(gw_registry_t *r, int rc, gw_reason_e *reason)
{
    sqlite3_reset(r->file.find);

    if (!gw_registry_file_settled(&r->file)) {
        r->detail = "the file has changed meanwhile";
        *reason = GW_R_INTERNAL;
        return GW_ERROR;
    }

    return rc;
}


/* the row as an identity, and whether it may send at all at this time */

static int
gw_registry_admit(gw_registry_t *r, const uint8_t *device, size_t len,
    int64_t now, gw_identity_t *identity, gw_reason_e *reason)
{
    if (gw_registry_identity(r, device, len, identity) != GW_OK) {
        memset(identity, 0, sizeof(gw_identity_t));
        *reason = GW_R_INTERNAL;
        return GW_ERROR;
    }

    if (sqlite3_column_int64(r->file.find, GW_COL_ENABLED) != 1
        || gw_identity_in_time(identity, now, 0) != GW_OK)
    {
        memset(identity, 0, sizeof(gw_identity_t));
        *reason = GW_R_REVOKED;
        return GW_DECLINED;
    }

    *reason = GW_R_NONE;

    return GW_OK;
}


/*
 * One hash and one comparison whoever asks: the time tells neither whether the
 * device is there nor how much of the secret is right.
 */

static int
gw_registry_same(gw_registry_t *r, const uint8_t *secret, size_t len,
    int found)
{
    int             good;
    size_t          n, salt_len, want_len;
    uint8_t         raw[gw_base64_decoded(GW_SECRET_TEXT_LEN)];
    uint8_t         hash[EVP_MAX_MD_SIZE];
    const uint8_t  *salt, *want;

    good = found;
    salt = NULL;
    want = NULL;
    salt_len = 0;
    want_len = 0;

    if (found) {
        salt = gw_registry_blob(r, GW_COL_SALT, &salt_len);
        want = gw_registry_blob(r, GW_COL_SECRET, &want_len);
    }

    if (salt_len != GW_SALT_LEN || want_len != GW_HASH_LEN) {
        good = 0;
        salt = gw_registry_no_salt;
        want = gw_registry_no_hash;
    }

    n = 0;

    if (len != GW_SECRET_TEXT_LEN
        || gw_base64url_decode(secret, len, raw, &n) != GW_OK
        || n != GW_SECRET_LEN)
    {
        good = 0;
        memset(raw, 0, GW_SECRET_LEN);
    }

    if (EVP_DigestInit_ex2(r->ctx, r->md, NULL) != 1
        || EVP_DigestUpdate(r->ctx, salt, GW_SALT_LEN) != 1
        || EVP_DigestUpdate(r->ctx, raw, GW_SECRET_LEN) != 1
        || EVP_DigestFinal_ex(r->ctx, hash, NULL) != 1)
    {
        good = 0;
        memset(hash, 0xff, GW_HASH_LEN);
    }

    good &= CRYPTO_memcmp(hash, want, GW_HASH_LEN) == 0;

    OPENSSL_cleanse(raw, sizeof(raw));

    return good;
}


/* GW_ERROR: a row that the schema of ours would not have let in */

static int
gw_registry_identity(gw_registry_t *r, const uint8_t *device, size_t len,
    gw_identity_t *identity)
{
    size_t          n;
    int64_t         enabled;
    const uint8_t  *p;

    r->detail = "the row has a bad device";

    if (gw_envelope_name_valid(device, len, GW_DEVICE_MAX) != GW_OK) {
        return GW_ERROR;
    }

    memcpy(identity->device, device, len);
    identity->device_len = (uint8_t) len;

    r->detail = "the row has a bad tenant";

    if (gw_registry_text(r, GW_COL_TENANT, &p, &n) != GW_OK
        || n > GW_TENANT_MAX || gw_identity_text_valid(p, n) != GW_OK)
    {
        return GW_ERROR;
    }

    memcpy(identity->tenant, p, n);
    identity->tenant_len = (uint8_t) n;

    r->detail = "the row has bad classes";

    if (gw_registry_text(r, GW_COL_CLASSES, &p, &n) != GW_OK
        || n > GW_CLASS_LIST_MAX || gw_identity_text_valid(p, n) != GW_OK)
    {
        return GW_ERROR;
    }

    identity->classes = gw_identity_classes(r->names, r->nclasses, p, n, NULL);

    r->detail = "the row has bad topics";

    if (gw_registry_list(r, GW_COL_TOPICS, GW_TOPIC_MAX, identity->topics,
                         GW_TOPICS_MAX, &identity->topics_len)
        != GW_OK)
    {
        return GW_ERROR;
    }

    r->detail = "the row has a bad speaks_for";

    if (gw_registry_list(r, GW_COL_SPEAKS_FOR, GW_DEVICE_MAX,
                         identity->speaks_for, GW_SPEAKS_FOR_MAX,
                         &identity->speaks_for_len)
        != GW_OK)
    {
        return GW_ERROR;
    }

    /* SQLite makes a number of anything: 1 of "1 no more", 0 of "tomorrow" */

    r->detail = "the row has a bad enabled";

    if (sqlite3_column_type(r->file.find, GW_COL_ENABLED) != SQLITE_INTEGER) {
        return GW_ERROR;
    }

    enabled = sqlite3_column_int64(r->file.find, GW_COL_ENABLED);

    if (enabled != 0 && enabled != 1) {
        return GW_ERROR;
    }

    r->detail = "the row has a bad not_before or not_after";

    identity->not_before = 0;
    identity->not_after = GW_TIME_ALWAYS;

    if (gw_registry_date(r, GW_COL_NOT_BEFORE, &identity->not_before) != GW_OK
        || gw_registry_date(r, GW_COL_NOT_AFTER, &identity->not_after)
           != GW_OK)
    {
        return GW_ERROR;
    }

    r->detail = "";

    return GW_OK;
}


static int
gw_registry_date(gw_registry_t *r, int column, int64_t *date)
{
    switch (sqlite3_column_type(r->file.find, column)) {

    case SQLITE_NULL:
        return GW_OK;

    case SQLITE_INTEGER:
        *date = sqlite3_column_int64(r->file.find, column);
        return GW_OK;

    default:
        return GW_ERROR;
    }
}


/* no NULL, number or blob that reads as one; no memory is not an empty one */

static int
gw_registry_text(gw_registry_t *r, int column, const uint8_t **p, size_t *len)
{
    if (sqlite3_column_type(r->file.find, column) != SQLITE_TEXT) {
        return GW_ERROR;
    }

    *p = sqlite3_column_text(r->file.find, column);
    *len = (size_t) sqlite3_column_bytes(r->file.find, column);

    return *p ? GW_OK : GW_ERROR;
}


/* NULL and *len 0: it is empty, or no blob */

static const void *
gw_registry_blob(gw_registry_t *r, int column, size_t *len)
{
    const void  *blob;

    *len = 0;

    if (sqlite3_column_type(r->file.find, column) != SQLITE_BLOB) {
        return NULL;
    }

    blob = sqlite3_column_blob(r->file.find, column);

    if (blob) {
        *len = (size_t) sqlite3_column_bytes(r->file.find, column);
    }

    return blob;
}


static int
gw_registry_list(gw_registry_t *r, int column, size_t entry_max, uint8_t *dst,
    size_t dst_max, uint16_t *len)
{
    size_t          n;
    const uint8_t  *p;

    if (gw_registry_text(r, column, &p, &n) != GW_OK
        || gw_identity_list_valid(p, n, dst_max, entry_max) != GW_OK)
    {
        return GW_ERROR;
    }

    memcpy(dst, p, n);
    *len = (uint16_t) n;

    return GW_OK;
}
