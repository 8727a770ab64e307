/*
 * gw_registry.c - the reader of the device registry, see gw_registry.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sqlite3.h>

#include "gw_base64.h"
#include "gw_registry.h"


#define GW_REGISTRY_APPLICATION  1735881319   /* "gwrg" */
#define GW_REGISTRY_VERSION      1

#define GW_SALT_LEN  16
#define GW_HASH_LEN  32


struct gw_registry_s {
    char             *path;
    sqlite3          *db;
    sqlite3_stmt     *find;
    sqlite3_stmt     *version;
    int64_t           seen;    /* data_version as of the last look */
    dev_t             dev;     /* the file that is open */
    ino_t             ino;

    EVP_MD           *md;
    EVP_MD_CTX       *ctx;

    const gw_str_t   *names;
    unsigned          nclasses;
    unsigned          cache_kb;
};


/* columns of GW_REGISTRY_FIND, in order */

enum {
    GW_COL_SALT = 0,
    GW_COL_SECRET,
    GW_COL_HMAC_KEY,
    GW_COL_TENANT,
    GW_COL_CLASSES,
    GW_COL_SPEAKS_FOR,
    GW_COL_ENABLED,
    GW_COL_NOT_BEFORE,
    GW_COL_NOT_AFTER
};


static int gw_registry_attach(gw_registry_t *r, char *error,
    size_t error_size);
static void gw_registry_detach(gw_registry_t *r);
static int gw_registry_number(sqlite3 *db, const char *sql, int64_t *n);
static int gw_registry_find(gw_registry_t *r, const uint8_t *device,
    size_t len);
static int gw_registry_identity(gw_registry_t *r, const uint8_t *device,
    size_t len, gw_identity_t *identity);
static int gw_registry_same(gw_registry_t *r, const uint8_t *secret,
    size_t len, int found);
static int gw_registry_enabled(gw_registry_t *r,
    const gw_identity_t *identity, int64_t now);


static const char  gw_registry_find_sql[] =
    "SELECT salt, secret, hmac_key, tenant, classes, speaks_for, enabled,"
    " not_before, not_after FROM device WHERE device = ?1";

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

    r->names = names;
    r->nclasses = nclasses;
    r->cache_kb = cache_kb;
    r->path = strdup(path);
    r->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    r->ctx = EVP_MD_CTX_new();

    if (r->path == NULL || r->md == NULL || r->ctx == NULL) {
        snprintf(error, error_size, "no memory");
        gw_registry_close(r);
        return NULL;
    }

    if (gw_registry_attach(r, error, error_size) != GW_OK) {
        gw_registry_close(r);
        return NULL;
    }

    return r;
}


void
gw_registry_close(gw_registry_t *r)
{
    if (r == NULL) {
        return;
    }

    gw_registry_detach(r);

    EVP_MD_CTX_free(r->ctx);
    EVP_MD_free(r->md);
    free(r->path);
    free(r);
}


static void
gw_registry_detach(gw_registry_t *r)
{
    sqlite3_finalize(r->find);
    sqlite3_finalize(r->version);
    sqlite3_close(r->db);

    r->find = NULL;
    r->version = NULL;
    r->db = NULL;
}


static int
gw_registry_attach(gw_registry_t *r, char *error, size_t error_size)
{
    int          rc;
    char         sql[64];
    int64_t      n;
    struct stat  st;

    /* NOMUTEX: the handle never leaves its thread */

    rc = sqlite3_open_v2(r->path, &r->db,
                         SQLITE_OPEN_READONLY|SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK || stat(r->path, &st) != 0) {
        snprintf(error, error_size, "cannot open \"%s\": %s", r->path,
                 r->db ? sqlite3_errmsg(r->db) : sqlite3_errstr(rc));
        goto failed;
    }

    r->dev = st.st_dev;
    r->ino = st.st_ino;

    /* a negative number is in KiB */

    snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%u", r->cache_kb);
    sqlite3_exec(r->db, sql, NULL, NULL, NULL);

    /* the first statement that reads the file */

    rc = gw_registry_number(r->db, "PRAGMA application_id", &n);

    if (rc != SQLITE_OK) {
        snprintf(error, error_size, "cannot read \"%s\": %s%s", r->path,
                 sqlite3_errmsg(r->db), rc == SQLITE_CANTOPEN
                 ? " (a database in WAL mode wants its -shm file readable"
                   " by the worker)" : "");
        goto failed;
    }

    if (n != GW_REGISTRY_APPLICATION) {
        snprintf(error, error_size, "\"%s\" is no registry of devices",
                 r->path);
        goto failed;
    }

    if (gw_registry_number(r->db, "PRAGMA user_version", &n) != SQLITE_OK
        || n != GW_REGISTRY_VERSION)
    {
        snprintf(error, error_size, "\"%s\" is of another version of the "
                 "registry", r->path);
        goto failed;
    }

    if (sqlite3_prepare_v3(r->db, gw_registry_find_sql, -1,
                           SQLITE_PREPARE_PERSISTENT, &r->find, NULL)
        != SQLITE_OK
        || sqlite3_prepare_v3(r->db, "PRAGMA data_version", -1,
                              SQLITE_PREPARE_PERSISTENT, &r->version, NULL)
           != SQLITE_OK)
    {
        snprintf(error, error_size, "\"%s\": %s", r->path,
                 sqlite3_errmsg(r->db));
        goto failed;
    }

    r->seen = -1;
    (void) gw_registry_changed(r, error, error_size);

    return GW_OK;

failed:

    gw_registry_detach(r);

    return GW_ERROR;
}


static int
gw_registry_number(sqlite3 *db, const char *sql, int64_t *n)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(stmt);
    *n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);

    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}


int
gw_registry_changed(gw_registry_t *r, char *error, size_t error_size)
{
    int64_t        version;
    struct stat    st;
    gw_registry_t  other;

    /* another file of that name, as "mv" leaves it */

    if (stat(r->path, &st) == 0
        && (st.st_ino != r->ino || st.st_dev != r->dev))
    {
        other = *r;
        other.db = NULL;
        other.find = NULL;
        other.version = NULL;

        if (gw_registry_attach(&other, error, error_size) != GW_OK) {
            return 0;
        }

        gw_registry_detach(r);
        *r = other;

        return 1;
    }

    if (sqlite3_step(r->version) != SQLITE_ROW) {
        snprintf(error, error_size, "\"%s\": %s", r->path,
                 sqlite3_errmsg(r->db));
        sqlite3_reset(r->version);
        return 0;
    }

    version = sqlite3_column_int64(r->version, 0);
    sqlite3_reset(r->version);

    if (version == r->seen) {
        return 0;
    }

    r->seen = version;

    return 1;
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

    if (!found || !same) {
        sqlite3_reset(r->find);
        *reason = GW_R_UNAUTHENTICATED;
        return GW_DECLINED;
    }

    rc = gw_registry_identity(r, device, len, identity);

    if (rc == GW_OK && !gw_registry_enabled(r, identity, now)) {
        rc = GW_DECLINED;
        *reason = GW_R_REVOKED;

    } else if (rc != GW_OK) {
        rc = GW_ERROR;
        *reason = GW_R_INTERNAL;
    }

    sqlite3_reset(r->find);

    return rc;
}


size_t
gw_registry_hmac_key(gw_registry_t *r, const uint8_t *device, size_t len,
    int64_t now, uint8_t *key, gw_identity_t *identity, gw_reason_e *reason)
{
    int          rc;
    size_t       n;
    const void  *blob;

    n = 0;
    rc = gw_registry_find(r, device, len);

    if (rc != GW_OK) {
        *reason = rc == GW_ERROR ? GW_R_INTERNAL : GW_R_UNAUTHENTICATED;
        return 0;
    }

    *reason = GW_R_UNAUTHENTICATED;

    blob = sqlite3_column_blob(r->find, GW_COL_HMAC_KEY);

    if (blob) {
        n = (size_t) sqlite3_column_bytes(r->find, GW_COL_HMAC_KEY);
    }

    if (n < GW_HMAC_KEY_MIN || n > GW_HMAC_KEY_MAX) {
        n = 0;

    } else if (gw_registry_identity(r, device, len, identity) != GW_OK) {
        *reason = GW_R_INTERNAL;
        n = 0;

    } else if (!gw_registry_enabled(r, identity, now)) {
        *reason = GW_R_REVOKED;
        n = 0;

    } else {
        *reason = GW_R_NONE;
        memcpy(key, blob, n);
    }

    sqlite3_reset(r->find);

    return n;
}


/* GW_OK: r->find stands on the row, the caller resets it; GW_DECLINED: none */

static int
gw_registry_find(gw_registry_t *r, const uint8_t *device, size_t len)
{
    int  rc;

    if (len == 0 || len > GW_DEVICE_MAX) {
        return GW_DECLINED;
    }

    sqlite3_bind_text(r->find, 1, (const char *) device, (int) len,
                      SQLITE_STATIC);

    rc = sqlite3_step(r->find);

    if (rc == SQLITE_ROW) {
        return GW_OK;
    }

    sqlite3_reset(r->find);

    return rc == SQLITE_DONE ? GW_DECLINED : GW_ERROR;
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
    size_t          n;
    uint8_t         raw[gw_base64_decoded(GW_SECRET_TEXT_LEN)];
    uint8_t         hash[EVP_MAX_MD_SIZE];
    const uint8_t  *salt, *want;

    good = found;
    salt = NULL;
    want = NULL;

    if (found) {
        salt = sqlite3_column_blob(r->find, GW_COL_SALT);
        want = sqlite3_column_blob(r->find, GW_COL_SECRET);
    }

    if (salt == NULL || want == NULL
        || sqlite3_column_bytes(r->find, GW_COL_SALT) != GW_SALT_LEN
        || sqlite3_column_bytes(r->find, GW_COL_SECRET) != GW_HASH_LEN)
    {
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
    const uint8_t  *p;

    memcpy(identity->device, device, len);
    identity->device_len = (uint8_t) len;

    p = sqlite3_column_text(r->find, GW_COL_TENANT);
    n = (size_t) sqlite3_column_bytes(r->find, GW_COL_TENANT);

    if (n > GW_TENANT_MAX) {
        return GW_ERROR;
    }

    if (n) {
        memcpy(identity->tenant, p, n);
    }

    identity->tenant_len = (uint8_t) n;

    p = sqlite3_column_text(r->find, GW_COL_CLASSES);
    n = (size_t) sqlite3_column_bytes(r->find, GW_COL_CLASSES);

    identity->classes = n ? gw_identity_classes(r->names, r->nclasses, p, n,
                                                NULL)
                          : 0;

    p = sqlite3_column_text(r->find, GW_COL_SPEAKS_FOR);
    n = (size_t) sqlite3_column_bytes(r->find, GW_COL_SPEAKS_FOR);

    if (n && gw_identity_speaks_valid(p, n) != GW_OK) {
        return GW_ERROR;
    }

    if (n) {
        memcpy(identity->speaks_for, p, n);
    }

    identity->speaks_for_len = (uint16_t) n;

    identity->not_before = 0;
    identity->not_after = GW_TIME_ALWAYS;

    if (sqlite3_column_type(r->find, GW_COL_NOT_BEFORE) != SQLITE_NULL) {
        identity->not_before = sqlite3_column_int64(r->find,
                                                    GW_COL_NOT_BEFORE);
    }

    if (sqlite3_column_type(r->find, GW_COL_NOT_AFTER) != SQLITE_NULL) {
        identity->not_after = sqlite3_column_int64(r->find, GW_COL_NOT_AFTER);
    }

    return GW_OK;
}


static int
gw_registry_enabled(gw_registry_t *r, const gw_identity_t *identity,
    int64_t now)
{
    return sqlite3_column_int(r->find, GW_COL_ENABLED) == 1
           && gw_identity_in_time(identity, now, 0) == GW_OK;
}
