/*
 * gw_devices.h - a registry of devices for the tests of it: the schema as it is
 * shipped, devices with secrets of known bytes, and a reader of them.
 */

#ifndef _GW_DEVICES_H_INCLUDED_
#define _GW_DEVICES_H_INCLUDED_


#include "gw_test.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "gw_base64.h"
#include "gw_registry.h"


#define NOW     1800000000LL

#define IGNORE  "PRAGMA ignore_check_constraints = 1;"


static const gw_str_t  names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static char            dir[] = "/tmp/gw_registry.XXXXXX";
static char            path[64], other[64], error[256];
static gw_identity_t   identity;
static gw_reason_e     reason;


static inline void
sql(const char *file, const char *text)
{
    char     *said;
    sqlite3  *db;

    said = NULL;

    if (sqlite3_open(file, &db) != SQLITE_OK
        || sqlite3_exec(db, text, NULL, NULL, &said) != SQLITE_OK)
    {
        printf("# %s: %s\n", text, said ? said : "cannot open");
        exit(1);
    }

    sqlite3_close(db);
}


/* the schema as it is shipped */

static inline void
create(const char *file)
{
    char    text[8192];
    FILE   *f;
    size_t  n;

    f = fopen("ngx_gateway_module/auth/registry.sql", "r");
    n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';

    if (f) {
        fclose(f);
    }

    ok(n > 500, "the schema can be read");
    sql(file, text);
}


/* a secret of 32 equal bytes, as text, and the device with its hash */

static inline void
add(const char *file, const char *device, uint8_t byte, const char *rest,
    char *secret)
{
    char           text[1024];
    size_t         i;
    uint8_t        salted[16 + GW_SECRET_LEN], hash[32];
    EVP_MD_CTX    *ctx;

    memset(salted, byte + 1, 16);
    memset(salted + 16, byte, GW_SECRET_LEN);

    ctx = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    EVP_DigestUpdate(ctx, salted, sizeof(salted));
    EVP_DigestFinal_ex(ctx, hash, NULL);
    EVP_MD_CTX_free(ctx);

    i = (size_t) sprintf(text, "INSERT OR REPLACE INTO device (device, salt,"
                         " secret%s) VALUES ('%s', x'", strchr(rest, '|') + 1,
                         device);

    for (size_t k = 0; k < 16; k++) {
        i += (size_t) sprintf(text + i, "%02x", salted[k]);
    }

    i += (size_t) sprintf(text + i, "', x'");

    for (size_t k = 0; k < 32; k++) {
        i += (size_t) sprintf(text + i, "%02x", hash[k]);
    }

    sprintf(text + i, "'%.*s)", (int) strcspn(rest, "|"), rest);
    sql(file, text);

    i = gw_base64url_encode(salted + 16, GW_SECRET_LEN, (uint8_t *) secret);
    secret[i] = '\0';
}


static inline int
check(gw_registry_t *r, const char *device, const char *secret, int64_t now)
{
    memset(&identity, 0xa5, sizeof(identity));
    reason = GW_R_NONE;

    return gw_registry_check(r, (const uint8_t *) device, strlen(device),
                             (const uint8_t *) secret, strlen(secret), now,
                             &identity, &reason);
}


static inline int
find_device(gw_registry_t *r, const char *device, int64_t now)
{
    memset(&identity, 0xa5, sizeof(identity));
    reason = GW_R_NONE;

    return gw_registry_find_device(r, (const uint8_t *) device,
                                   strlen(device), now, &identity, &reason);
}


static inline size_t
hmac_key(gw_registry_t *r, const char *device, uint8_t *key)
{
    memset(&identity, 0xa5, sizeof(identity));
    reason = GW_R_NONE;

    return gw_registry_hmac_key(r, (const uint8_t *) device, strlen(device),
                                NOW, key, &identity, &reason);
}


static inline gw_registry_t *
reader(const char *file)
{
    error[0] = '\0';

    return gw_registry_open(file, names, 3, 256, error, sizeof(error));
}


/* SQLite would apply the log of the old file to the one that replaces it */

static inline void
drop_log(const char *file)
{
    char  name[256];

    snprintf(name, sizeof(name), "%s-wal", file);
    unlink(name);
    snprintf(name, sizeof(name), "%s-shm", file);
    unlink(name);
}


static inline void
remove_registry(const char *file)
{
    unlink(file);
    drop_log(file);
}


/* a folder of its own for the files */

static inline void
begin(void)
{
    umask(022);

    if (mkdtemp(dir) == NULL) {
        printf("Bail out! no folder\n");
        exit(1);
    }

    snprintf(path, sizeof(path), "%s/devices.db", dir);
    snprintf(other, sizeof(other), "%s/other.db", dir);

    create(path);
}


static inline void
end(void)
{
    remove_registry(path);
    remove_registry(other);
    rmdir(dir);
}


#endif /* _GW_DEVICES_H_INCLUDED_ */
