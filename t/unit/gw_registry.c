/*
 * gw_registry.c - who is in the registry, and with which secret.
 *
 * The story: an operator adds, disables and rotates devices with sqlite3 while
 * workers read.  Unseen without it: a device that is let in with half of its
 * secret, a revocation that a worker never hears of, a file that somebody put
 * in the place of the old one, a row that no schema of ours would have let in
 * and that becomes an identity all the same.
 */

#include "gw_test.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "gw_base64.h"
#include "gw_registry.h"


#define NOW  1800000000LL


static const gw_str_t  names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static char            dir[] = "/tmp/gw_registry.XXXXXX";
static char            path[64], other[64], error[256];
static gw_identity_t   identity;
static gw_reason_e     reason;


static void
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

static void
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

static void
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


static int
check(gw_registry_t *r, const char *device, const char *secret, int64_t now)
{
    memset(&identity, 0xa5, sizeof(identity));
    reason = GW_R_NONE;

    return gw_registry_check(r, (const uint8_t *) device, strlen(device),
                             (const uint8_t *) secret, strlen(secret), now,
                             &identity, &reason);
}


static gw_registry_t *
reader(const char *file)
{
    error[0] = '\0';

    return gw_registry_open(file, names, 3, 256, error, sizeof(error));
}


static void
test_check(void)
{
    char            secret[64], wrong[64], none[64];
    size_t          i;
    gw_registry_t  *r;

    add(path, "pump-7", 7, ", 'acme', 'control,telemetry', 'pump-7.*,gauge'|"
        ", tenant, classes, speaks_for", secret);
    add(path, "mute", 9, "|", none);

    r = reader(path);
    ok(r != NULL, "a registry opens: %s", error);

    ok(check(r, "pump-7", secret, NOW) == GW_OK, "its secret lets a device in");
    is_str(identity.device, identity.device_len, "pump-7", "as itself");
    is_str(identity.tenant, identity.tenant_len, "acme", "of its tenant");
    is_u64(identity.classes, 1 << 0 | 1 << 2, "for the classes of its row");
    is_str(identity.speaks_for, identity.speaks_for_len, "pump-7.*,gauge",
           "speaking for those of its row");
    ok(identity.not_before == 0 && identity.not_after == GW_TIME_ALWAYS,
       "without a bound in time");

    ok(check(r, "mute", none, NOW) == GW_OK && identity.classes == 0,
       "a device without classes is known and may send none");

    ok(check(r, "pump-8", secret, NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED, "an unknown device is not let in");
    ok(check(r, "mute", secret, NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED,
       "nor one with the secret of another, and the reason is the same");
    ok(check(r, "", secret, NOW) == GW_DECLINED, "nor one without a name");
    ok(check(r, "pump-7", "", NOW) == GW_DECLINED, "nor one without a secret");
    ok(check(r, "PUMP-7", secret, NOW) == GW_DECLINED,
       "names differ by their case");

    for (i = 0; secret[i]; i++) {
        strcpy(wrong, secret);
        wrong[i] = wrong[i] == 'B' ? 'C' : 'B';

        if (check(r, "pump-7", wrong, NOW) != GW_DECLINED) {
            break;
        }
    }

    ok(secret[i] == '\0', "each character of the secret counts");

    strcpy(wrong, secret);
    wrong[42] = '\0';
    ok(check(r, "pump-7", wrong, NOW) == GW_DECLINED, "all of it is needed");

    strcpy(wrong, secret);
    strcat(wrong, "=");
    ok(check(r, "pump-7", wrong, NOW) == GW_DECLINED, "and no padding");

    ok(check(r, "x' OR '1'='1", secret, NOW) == GW_DECLINED,
       "a name is no SQL");

    gw_registry_close(r);
}


static void
test_enabled(void)
{
    char            secret[64];
    gw_registry_t  *r;

    add(path, "off", 1, ", 0|, enabled", secret);

    r = reader(path);

    ok(check(r, "off", secret, NOW) == GW_DECLINED && reason == GW_R_REVOKED,
       "a disabled device is told so, for it has its secret");
    ok(check(r, "off", "A", NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED, "who has not is told nothing of it");

    add(path, "brief", 2, ", 1800000000, 1800000010|, not_before, not_after",
        secret);

    ok(check(r, "brief", secret, NOW - 1) == GW_DECLINED
       && reason == GW_R_REVOKED, "before its time it is not let in");
    ok(check(r, "brief", secret, NOW) == GW_OK, "at its first second it is");
    is_u64(identity.not_after, NOW + 10, "and the end of its time is known");
    ok(check(r, "brief", secret, NOW + 9) == GW_OK, "at its last one it is");
    ok(check(r, "brief", secret, NOW + 10) == GW_DECLINED
       && reason == GW_R_REVOKED, "and then no more");

    gw_registry_close(r);
}


/* SQLite would apply the log of the old file to the one that replaces it */

static void
drop_log(void)
{
    char  file[80];

    snprintf(file, sizeof(file), "%s-wal", path);
    unlink(file);
    snprintf(file, sizeof(file), "%s-shm", path);
    unlink(file);
}


static void
test_changed(void)
{
    char            one[64], two[64];
    gw_registry_t  *r;

    add(path, "rotates", 3, "|", one);

    r = reader(path);

    is_u64(gw_registry_changed(r, error, sizeof(error)), 0,
           "nothing has changed since it was opened");

    add(path, "rotates", 4, "|", two);

    is_u64(gw_registry_changed(r, error, sizeof(error)), 1,
           "a commit of another process is seen");
    is_u64(gw_registry_changed(r, error, sizeof(error)), 0, "once");

    ok(check(r, "rotates", one, NOW) == GW_DECLINED, "the old secret is dead");
    ok(check(r, "rotates", two, NOW) == GW_OK, "the new one holds");

    sql(path, "DELETE FROM device WHERE device = 'rotates'");

    is_u64(gw_registry_changed(r, error, sizeof(error)), 1,
           "a removal is seen");
    ok(check(r, "rotates", two, NOW) == GW_DECLINED, "and holds");

    /* another file of that name */

    create(other);
    add(other, "moved", 5, "|", one);
    sql(other, "PRAGMA wal_checkpoint(TRUNCATE)");
    drop_log();
    ok(rename(other, path) == 0, "another registry takes its place");

    is_u64(gw_registry_changed(r, error, sizeof(error)), 1, "that is seen");
    ok(check(r, "moved", one, NOW) == GW_OK, "and who is in it is let in");

    /* and one that is none */

    sql(other, "CREATE TABLE device (device TEXT)");
    ok(rename(other, path) == 0, "a file that is no registry takes its place");

    error[0] = '\0';
    is_u64(gw_registry_changed(r, error, sizeof(error)), 0,
           "it is not taken");
    ok(strstr(error, "no registry of devices") != NULL, "and that is said: %s",
       error);
    ok(check(r, "moved", one, NOW) == GW_OK, "the old one is kept");

    gw_registry_close(r);
}


static void
test_open(void)
{
    FILE  *f;

    ok(reader("/nonexistent/registry") == NULL
       && strstr(error, "cannot open") != NULL,
       "a file that is not there is said not to be: %s", error);

    f = fopen(other, "w");
    fputs("this is no database, but it is long enough to be looked at", f);
    fclose(f);

    ok(reader(other) == NULL && error[0], "text is no registry: %s", error);
    unlink(other);

    create(other);
    sql(other, "PRAGMA user_version = 2");
    ok(reader(other) == NULL && strstr(error, "another version") != NULL,
       "one of another version is refused: %s", error);
    unlink(other);
}


/* rows that CHECK would have refused, from a file that somebody made */

static void
test_rows(void)
{
    char            secret[64];
    uint8_t         key[GW_HMAC_KEY_MAX];
    gw_registry_t  *r;

    create(other);
    add(other, "fine", 6, "|", secret);

    sql(other, "PRAGMA ignore_check_constraints = 1;"
               "INSERT INTO device (device, hmac_key) VALUES ('short',"
               " x'00112233');"
               "INSERT INTO device (device, hmac_key, classes) VALUES"
               " ('signs', randomblob(32), '*');"
               "INSERT INTO device (device, hmac_key, enabled) VALUES"
               " ('quiet', randomblob(64), 0);"
               "INSERT INTO device (device, salt, secret) VALUES ('half',"
               " x'00', x'00');"
               "UPDATE device SET tenant = hex(zeroblob(40)) WHERE"
               " device = 'fine'");

    r = reader(other);

    ok(check(r, "fine", secret, NOW) == GW_ERROR && reason == GW_R_INTERNAL,
       "a row that is out of bounds becomes no identity");
    ok(check(r, "half", secret, NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED, "a hash of a wrong size is no hash");

    is_u64(gw_registry_hmac_key(r, (const uint8_t *) "signs", 5, NOW, key,
                                &identity, &reason), 32,
           "a device that signs has a key");
    is_u64(identity.classes, 7, "and its classes");
    is_u64(gw_registry_hmac_key(r, (const uint8_t *) "short", 5, NOW, key,
                                &identity, &reason), 0,
           "a key that is too short is none");
    is_u64(gw_registry_hmac_key(r, (const uint8_t *) "quiet", 5, NOW, key,
                                &identity, &reason), 0,
           "nor is that of a disabled device");
    is_u64(reason, GW_R_REVOKED, "for which the reason is told");
    is_u64(gw_registry_hmac_key(r, (const uint8_t *) "nobody", 6, NOW, key,
                                &identity, &reason), 0,
           "nor is there one of an unknown one");

    gw_registry_close(r);
}


static void
cleanup(void)
{
    unsigned                  i;
    char                      file[80];
    static const char *const  left[] = { "", "-wal", "-shm" };

    for (i = 0; i < 3; i++) {
        snprintf(file, sizeof(file), "%s%s", path, left[i]);
        unlink(file);
        snprintf(file, sizeof(file), "%s%s", other, left[i]);
        unlink(file);
    }

    rmdir(dir);
}


int
main(void)
{
    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    snprintf(path, sizeof(path), "%s/devices.db", dir);
    snprintf(other, sizeof(other), "%s/other.db", dir);

    create(path);

    test_check();
    test_enabled();
    test_open();
    test_changed();
    test_rows();

    cleanup();

    return done_testing();
}
