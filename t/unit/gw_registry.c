/*
 * gw_registry.c - who is in the registry, and with which secret.
 *
 * The story: an operator adds, disables and rotates devices with sqlite3 or a
 * program of his own.  Unseen without it: a device that is let in with half of
 * its secret, one that was disabled and still sends, a row that no schema of
 * ours would have let in and that becomes an identity all the same.
 */

#include "gw_devices.h"


static void
test_check(void)
{
    char            secret[64], wrong[64], none[64];
    size_t          i;
    gw_registry_t  *r;

    add(path, "pump-7", 7, ", 'acme', 'control,telemetry', 'pump-7.*,gauge',"
        " 'acme.a,acme.b.*'|, tenant, classes, speaks_for, topics", secret);
    add(path, "mute", 9, "|", none);

    r = reader(path);
    ok(r != NULL, "a registry opens: %s", error);

    ok(check(r, "pump-7", secret, NOW) == GW_OK, "its secret lets a device in");
    is_str(identity.device, identity.device_len, "pump-7", "as itself");
    is_str(identity.tenant, identity.tenant_len, "acme", "of its tenant");
    is_u64(identity.classes, 1 << 0 | 1 << 2, "for the classes of its row");
    is_str(identity.speaks_for, identity.speaks_for_len, "pump-7.*,gauge",
           "speaking for those of its row");
    is_str(identity.topics, identity.topics_len, "acme.a,acme.b.*",
           "to the topics of its row");
    ok(identity.not_before == 0 && identity.not_after == GW_TIME_ALWAYS,
       "without a bound in time");

    ok(check(r, "mute", none, NOW) == GW_OK && identity.classes == 0,
       "a device without classes is known and may send none");
    ok(identity.topics_len == 0 && identity.speaks_for_len == 0
       && identity.tenant_len == 0, "nor has it what its row does not say");

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


/* a certificate has proved the name, so there is no secret to compare */

static void
test_find_device(void)
{
    char            none[64];
    gw_registry_t  *r;

    add(path, "cert", 8, ", 'acme', 'heartbeat', 'cert.*', 't.*', 1800000000,"
        " 1800000010|, tenant, classes, speaks_for, topics, not_before,"
        " not_after", none);
    sql(path, "INSERT INTO device (device, classes) VALUES ('bare', '*');"
              "INSERT INTO device (device, enabled) VALUES ('gone', 0)");

    r = reader(path);

    ok(find_device(r, "cert", NOW) == GW_OK && reason == GW_R_NONE,
       "a device is found by its id");
    ok(identity.device_len == 4 && memcmp(identity.device, "cert", 4) == 0
       && identity.tenant_len == 4 && identity.classes == 1 << 1
       && identity.speaks_for_len == 6 && identity.topics_len == 3
       && identity.not_before == NOW && identity.not_after == NOW + 10,
       "with all of its row");
    ok(find_device(r, "bare", NOW) == GW_OK && identity.classes == 7,
       "one that has no secret, too");
    ok(check(r, "bare", "", NOW) == GW_DECLINED
       && check(r, "bare", none, NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED,
       "which does not let it in with any");

    ok(find_device(r, "nobody", NOW) == GW_DECLINED
       && reason == GW_R_FORBIDDEN, "one without a row is forbidden");
    ok(find_device(r, "CERT", NOW) == GW_DECLINED && reason == GW_R_FORBIDDEN,
       "so is one of other case");
    ok(find_device(r, "", NOW) == GW_DECLINED && reason == GW_R_FORBIDDEN,
       "and no name at all");
    ok(find_device(r, "gone", NOW) == GW_DECLINED && reason == GW_R_REVOKED,
       "a disabled one is revoked");
    ok(find_device(r, "cert", NOW - 1) == GW_DECLINED
       && reason == GW_R_REVOKED && find_device(r, "cert", NOW + 10)
          == GW_DECLINED && reason == GW_R_REVOKED,
       "so is one out of its time");

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


/* keys of devices that sign, and rows that no CHECK has seen */

static void
test_keys(void)
{
    char            secret[64];
    uint8_t         key[GW_HMAC_KEY_MAX];
    gw_registry_t  *r;

    create(other);
    add(other, "half", 6, "|", secret);

    sql(other, IGNORE
               "INSERT INTO device (device, hmac_key) VALUES ('short',"
               " x'00112233');"
               "INSERT INTO device (device, hmac_key) VALUES ('long',"
               " randomblob(65));"
               "INSERT INTO device (device, hmac_key, classes, topics) VALUES"
               " ('signs', randomblob(32), '*', 'a.*');"
               "INSERT INTO device (device, hmac_key, enabled) VALUES"
               " ('quiet', randomblob(64), 0);"
               "UPDATE device SET salt = x'00', secret = x'00'"
               " WHERE device = 'half'");

    r = reader(other);

    ok(check(r, "half", secret, NOW) == GW_DECLINED
       && reason == GW_R_UNAUTHENTICATED, "a hash of a wrong size is no hash");

    is_u64(hmac_key(r, "signs", key), 32, "a device that signs has a key");
    is_u64(identity.classes, 7, "its classes");
    is_str(identity.topics, identity.topics_len, "a.*", "and its topics");
    is_u64(hmac_key(r, "short", key), 0, "a key that is too short is none");
    is_u64(hmac_key(r, "long", key), 0, "nor is one that is too long");
    ok(memcmp(key, "\0\0\0\0\0\0\0\0", 8) == 0, "and of it nothing is left");
    is_u64(hmac_key(r, "nobody", key), 0, "nor is there one of an unknown one");
    is_u64(hmac_key(r, "quiet", key), 64, "a disabled device keeps its key");
    is_u64(reason, GW_R_REVOKED, "and is revoked, for who can sign with it");
    is_u64(identity.device_len, 0, "it is no identity");

    gw_registry_close(r);
}


static void
test_rows(void)
{
    int             rc[3];
    char            secret[64], text[512];
    size_t          i;
    uint8_t         key[GW_HMAC_KEY_MAX];
    gw_registry_t  *r;

    /* what another program wrote, and what it makes of the row */

    static const struct {
        const char  *set;
        int          rc;
        const char  *story;
    } rows[] = {
        { "tenant = 'acme 1'", GW_OK, "a tenant with a blank is one" },
        { "tenant = substr(hex(zeroblob(40)), 1, 64)", GW_OK,
          "so is one of 64 bytes" },
        { "tenant = substr(hex(zeroblob(40)), 1, 65)", GW_ERROR,
          "65 are too many" },
        { "tenant = 'B\303\274ro'", GW_ERROR, "beyond ASCII it is none" },
        { "tenant = 'a\"b'", GW_ERROR, "with a quote it is none" },
        { "tenant = 'a\\b'", GW_ERROR, "with a backslash it is none" },
        { "tenant = 'a' || char(10)", GW_ERROR, "with a line end neither" },
        { "tenant = 'a' || char(0) || 'b'", GW_ERROR, "nor with a NUL" },
        { "topics = 'a.b,c.*'", GW_OK, "a list of topics is one" },
        { "topics = '*'", GW_OK, "a star is all" },
        { "topics = 'a.b, c.*'", GW_ERROR, "a blank begins no topic" },
        { "topics = 'a.*.b'", GW_ERROR, "no topic has a star inside" },
        { "topics = 'a,,b'", GW_ERROR, "nor is one empty" },
        { "topics = hex(zeroblob(124))", GW_OK, "248 bytes are a topic" },
        { "topics = hex(zeroblob(125))", GW_ERROR, "250 are none" },
        { "topics = substr(replace(hex(zeroblob(128)), '00', '0,'), 1, 255)",
          GW_OK, "255 bytes are a list" },
        { "topics = replace(hex(zeroblob(64)), '00', '0,') || '0,0*'"
          " || substr(replace(hex(zeroblob(70)), '00', ',0'), 1, 124)", GW_OK,
          "256 as well" },
        { "topics = replace(hex(zeroblob(64)), '00', '0,') || '0,0*'"
          " || substr(replace(hex(zeroblob(70)), '00', ',0'), 1, 126)",
          GW_ERROR, "258 are none" },
        { "speaks_for = 'a,b*'", GW_OK, "a list of ids is one" },
        { "speaks_for = 'a, b'", GW_ERROR, "a blank begins no id" },
        { "speaks_for = '*b'", GW_ERROR, "no id begins with a star" },
        { "speaks_for = hex(zeroblob(64))", GW_OK, "128 bytes are an id" },
        { "speaks_for = hex(zeroblob(65))", GW_ERROR, "130 are none" },
        { "speaks_for = replace(hex(zeroblob(300)), '00', 'a,') || 'a'",
          GW_ERROR, "601 are no list" },
        { "enabled = 2", GW_ERROR, "enabled is 0 or 1" },
        { "enabled = 4294967297", GW_ERROR, "not 1 and a bit above" },
        { "enabled = -1", GW_ERROR, "nor less" },
        { "enabled = '1 no more'", GW_ERROR, "nor a text that begins so" },
        { "enabled = 1.5", GW_ERROR, "nor a fraction" },
        { "enabled = x'31'", GW_ERROR, "nor a blob" },
        { "enabled = '1'", GW_OK, "a text that is 1 is stored as 1" },
        { "not_before = 1.5", GW_ERROR, "a date is a whole number" },
        { "not_before = 'tomorrow'", GW_ERROR,
          "a word is no beginning, least of all 1970" },
        { "not_after = '2099-01-01'", GW_ERROR, "and a date text no end" },
        { "not_after = x'39393939393939393939'", GW_ERROR, "nor a blob" },
        { "not_before = -9223372036854775808,"
          " not_after = 9223372036854775807", GW_OK, "any number is" },
        { "classes = 'telemetry,of others'", GW_OK, "any classes are" },
        { "classes = 'telemetry' || char(0)", GW_ERROR,
          "but not with a NUL" },
        { "classes = 't\303\251l\303\251,control'", GW_ERROR,
          "nor beyond ASCII" },
        { "classes = substr(hex(zeroblob(600)), 1, 1024)", GW_OK,
          "1024 bytes of them are read" },
        { "classes = substr(hex(zeroblob(600)), 1, 1025)", GW_ERROR,
          "1025 are not" },

        /* the types of SQLite are those of values, not of columns */

        { "tenant = x'61'", GW_ERROR, "a blob is no tenant" },
        { "tenant = x''", GW_ERROR, "also an empty one" },
        { "tenant = 7", GW_OK, "a number for a text is stored as text" },
        { "tenant = CAST(x'c328' AS TEXT)", GW_ERROR, "wrong UTF-8 is none" },
        { "classes = x'2a'", GW_ERROR, "a blob is no list of classes" },
        { "topics = x'2a'", GW_ERROR, "nor of topics" },
        { "topics = CAST(x'ff' AS TEXT)", GW_ERROR,
          "wrong UTF-8 is no topic" },
        { "topics = 'a' || char(0)", GW_ERROR, "nor is one with a NUL" },
        { "speaks_for = x'2a'", GW_ERROR, "a blob is no list of ids" },
        { "speaks_for = CAST(x'c0ae' AS TEXT)", GW_ERROR,
          "wrong UTF-8 is no id" },
        { "enabled = 9223372036854775808", GW_ERROR,
          "a number out of range is a fraction, and not enabled" },
        { "not_after = 1e30", GW_ERROR, "and no date" },
        { "not_before = x''", GW_ERROR, "a blob is no date" },
    };

    sql(other, "DELETE FROM device");
    add(other, "fine", 6, ", randomblob(32)|, hmac_key", secret);

    r = reader(other);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sql(other, "UPDATE device SET tenant = '', classes = '', topics = '',"
                   " speaks_for = '', enabled = 1, not_before = NULL,"
                   " not_after = NULL");
        snprintf(text, sizeof(text), IGNORE "UPDATE device SET %s",
                 rows[i].set);
        sql(other, text);

        rc[0] = check(r, "fine", secret, NOW);
        rc[0] = rc[0] == GW_ERROR && reason != GW_R_INTERNAL ? 1 : rc[0];
        rc[1] = find_device(r, "fine", NOW);
        rc[1] = rc[1] == GW_ERROR && reason != GW_R_INTERNAL ? 1 : rc[1];
        rc[2] = hmac_key(r, "fine", key) ? GW_OK : GW_ERROR;
        rc[2] = rc[2] == GW_ERROR && reason != GW_R_INTERNAL ? 1 : rc[2];

        ok(rc[0] == rows[i].rc && rc[1] == rows[i].rc && rc[2] == rows[i].rc,
           "row: %s", rows[i].story);

        ok((gw_registry_detail(r)[0] != '\0') == (rows[i].rc == GW_ERROR)
           && (rows[i].rc == GW_OK
               || (identity.device_len == 0 && identity.classes == 0
                   && identity.speaks_for_len == 0)),
           "row: nothing of a bad one is kept: %s", gw_registry_detail(r));

        ok(check(r, "fine", "wrong", NOW) == GW_DECLINED
           && reason == GW_R_UNAUTHENTICATED,
           "row: of which nobody else hears");
    }

    /* an id that no device may have */

    sql(other, IGNORE "UPDATE device SET enabled = 1, device = 'a b\"'");

    ok(check(r, "a b\"", secret, NOW) == GW_ERROR && reason == GW_R_INTERNAL,
       "row: an id that none may have is nobody's");

    gw_registry_close(r);
}


/* a schema that says it is ours */

static void
make(const char *device, const char *rest)
{
    char  text[1024];

    remove_registry(other);
    snprintf(text, sizeof(text), "PRAGMA application_id = 1735881319;"
             "PRAGMA user_version = 1; CREATE TABLE %s (%s, salt, secret,"
             " hmac_key, tenant, classes, topics, speaks_for, enabled,"
             " not_before, not_after); %s", rest[0] == 'C' ? "x" : "device",
             device, rest);
    sql(other, text);
}


static void
test_schema(void)
{
    size_t          i;
    char            text[256];
    uint8_t         key[GW_HMAC_KEY_MAX];
    gw_registry_t  *r;

    static const struct {
        const char  *set;
        const char  *detail;
    } rows[] = {
        { "tenant = NULL", "tenant" },
        { "tenant = 7", "tenant" },
        { "tenant = 1.5", "tenant" },
        { "classes = NULL", "classes" },
        { "classes = 0", "classes" },
        { "topics = NULL", "topics" },
        { "topics = 1", "topics" },
        { "speaks_for = NULL", "speaks_for" },
        { "speaks_for = 2", "speaks_for" },
        { "enabled = NULL", "enabled" },
        { "enabled = '1'", "enabled" },
        { "not_before = '1'", "not_before" },
        { "not_after = ''", "not_after" },
        { "topics = hex(zeroblob(33000))", "too big" },
    };

    make("device PRIMARY KEY", "");
    sql(other, "INSERT INTO device (device, hmac_key) VALUES ('a',"
               " randomblob(32))");

    r = reader(other);
    ok(r != NULL, "a table without types and CHECKs can be read: %s", error);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "UPDATE device SET tenant = '',"
                 " classes = '*', topics = '', speaks_for = '*', enabled = 1,"
                 " not_before = NULL, not_after = NULL; UPDATE device SET %s",
                 rows[i].set);
        sql(other, text);

        ok(find_device(r, "a", NOW) == GW_ERROR && reason == GW_R_INTERNAL
           && strstr(gw_registry_detail(r), rows[i].detail),
           "schema: %s is none: %s", rows[i].set, gw_registry_detail(r));
        ok(hmac_key(r, "a", key) == 0 && reason == GW_R_INTERNAL,
           "schema: nor does its key hold");
    }

    sql(other, "UPDATE device SET tenant = '', topics = '',"
               " hmac_key = CAST(hex(zeroblob(16)) AS TEXT)");
    ok(find_device(r, "a", NOW) == GW_OK && hmac_key(r, "a", key) == 0
       && reason == GW_R_UNAUTHENTICATED, "schema: a text is no key");

    sql(other, "DROP TABLE device");
    ok(find_device(r, "a", NOW) == GW_ERROR && reason == GW_R_INTERNAL,
       "schema: without its table it has no device: %s",
       gw_registry_detail(r));
    gw_registry_close(r);

    make("device", "");
    ok(reader(other) == NULL && strstr(error, "no key"),
       "schema: a table without a key is refused: %s", error);

    make("device COLLATE NOCASE PRIMARY KEY", "");
    ok(reader(other) == NULL && strstr(error, "no key"),
       "schema: so is one for which cases are one: %s", error);

    make("device PRIMARY KEY", "CREATE VIEW device AS SELECT * FROM x");
    ok(reader(other) == NULL, "schema: so is a view: %s", error);

    remove_registry(other);
}


int
main(void)
{
    begin();

    test_check();
    test_enabled();
    test_find_device();
    test_open();
    test_keys();
    test_rows();
    test_schema();

    end();

    return done_testing();
}
