/*
 * gw_registry.c - rows of a registry that another program wrote: each column of
 * each of SQLite's types.  Unseen breakage would be a row that becomes an
 * identity though no schema of ours would have let it in, half of a row, or a
 * byte in an identity that neither Kafka nor JSON can hold.
 *
 * The input is the columns in the order of the table below, each behind a byte
 * 0xff: n (NULL), i (a number of digits), f (a fraction), t (text) or b (blob),
 * and its bytes.  They are written to a table without types, so that they stay
 * what they are; the reader must then come to what a second one, column by
 * column out of the words of gw_registry.h and gw_identity.h, says.
 */

#include <sqlite3.h>
#include <unistd.h>

#include "fuzz.h"
#include "gw_registry.h"


#define NOW  1800000000LL


enum {
    TENANT = 0, CLASSES, TOPICS, SPEAKS_FOR, ENABLED, NOT_BEFORE, NOT_AFTER,
    SALT, SECRET, HMAC_KEY, COLUMNS
};


typedef struct {
    char           type;
    const uint8_t *data;
    size_t         len;
    int64_t        number;
} column_t;


static const char  schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
    "PRAGMA application_id = 1735881319; PRAGMA user_version = 1;"
    "CREATE TABLE device (device PRIMARY KEY, tenant, classes, topics,"
    " speaks_for, enabled, not_before, not_after, salt, secret, hmac_key);"
    "INSERT INTO device (device) VALUES ('d')";

static const char  write_sql[] =
    "UPDATE device SET tenant = ?1, classes = ?2, topics = ?3,"
    " speaks_for = ?4, enabled = ?5, not_before = ?6, not_after = ?7,"
    " salt = ?8, secret = ?9, hmac_key = ?10";

static const gw_str_t  names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static sqlite3        *db;
static sqlite3_stmt   *row;
static gw_registry_t  *registry;
static char            file[64];


static void
clean(void)
{
    unsigned  i;
    char      name[80];

    static const char *const  suffix[] = { "", "-wal", "-shm" };

    for (i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", file, suffix[i]);
        unlink(name);
    }
}


static void
start(void)
{
    int   fd;
    char  error[256];

    if (db) {
        return;
    }

    snprintf(file, sizeof(file), "%s/gw_registry.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");

    fd = mkstemp(file);

    if (fd < 0) {
        abort();
    }

    close(fd);

    if (sqlite3_open(file, &db) != SQLITE_OK
        || sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK
        || sqlite3_prepare_v2(db, write_sql, -1, &row, NULL) != SQLITE_OK)
    {
        abort();
    }

    registry = gw_registry_open(file, names, 3, 64, error, sizeof(error));
    fuzz_promise(registry != NULL, "%s", error);

    /* both have all of it open, and a find leaves nothing behind */

    clean();
}


static void
column_read(column_t *c, const uint8_t **p, const uint8_t *end)
{
    char            digits[24];
    size_t          n;
    const uint8_t  *stop;

    memset(c, 0, sizeof(column_t));
    c->type = 'n';

    if (*p >= end) {
        return;
    }

    stop = memchr(*p, 0xff, (size_t) (end - *p));
    stop = stop ? stop : end;

    if (stop > *p) {
        c->type = (char) **p;
        c->data = *p + 1;
        c->len = (size_t) (stop - c->data);
    }

    n = c->len < sizeof(digits) ? c->len : sizeof(digits) - 1;

    if (n) {
        memcpy(digits, c->data, n);
    }

    digits[n] = '\0';
    c->number = strtoll(digits, NULL, 10);

    *p = stop < end ? stop + 1 : end;
}


static void
column_write(int i, column_t *c)
{
    int  rc;

    switch (c->type) {

    case 'i':
        rc = sqlite3_bind_int64(row, i, c->number);
        break;

    case 'f':
        rc = sqlite3_bind_double(row, i, (double) c->number + 0.5);
        break;

    case 't':
        rc = sqlite3_bind_text(row, i, (const char *) c->data, (int) c->len,
                               SQLITE_STATIC);
        break;

    case 'b':
        rc = sqlite3_bind_blob(row, i, c->len ? (const void *) c->data : "",
                               (int) c->len, SQLITE_STATIC);
        break;

    default:
        c->type = 'n';
        rc = sqlite3_bind_null(row, i);
        break;
    }

    fuzz_promise(rc == SQLITE_OK, "column %d cannot be bound", i);
}


static int
good_byte(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}


static int
good_text(const column_t *c, size_t max)
{
    size_t  i;

    if (c->type != 't' || c->len > max) {
        return 0;
    }

    for (i = 0; i < c->len; i++) {
        if (!good_byte(c->data[i])) {
            return 0;
        }
    }

    return 1;
}


/* entry by entry: at least a byte, no blank, a star only at the end */

static int
good_list(const column_t *c, size_t max, size_t entry_max)
{
    size_t  from, to, i;

    if (!good_text(c, max)) {
        return 0;
    }

    for (from = 0; c->len && from <= c->len; from = to + 1) {
        for (to = from; to < c->len && c->data[to] != ','; to++) { /* void */ }

        if (to == from) {
            return 0;
        }

        for (i = from; i < to; i++) {
            if (c->data[i] == ' ' || (c->data[i] == '*' && i != to - 1)) {
                return 0;
            }
        }

        if (to - from - (c->data[to - 1] == '*') > entry_max) {
            return 0;
        }
    }

    return 1;
}


static uint32_t
class_bits(const column_t *c)
{
    size_t    from, to, i, n;
    uint32_t  bits;
    unsigned  k;
    int       star;

    bits = 0;
    n = 0;
    star = 0;

    for (from = 0; from < c->len; from = to + 1) {
        for (to = from; to < c->len && c->data[to] != ','
             && c->data[to] != ' '; to++) { /* void */ }

        i = to - from;
        n += i != 0;
        star |= i == 1 && c->data[from] == '*';

        for (k = 0; k < 3; k++) {
            if (i == names[k].len
                && memcmp(c->data + from, names[k].data, i) == 0)
            {
                bits |= 1u << k;
            }
        }
    }

    return n == 1 && star ? 7 : bits;
}


static int
good_row(const column_t *c)
{
    return good_text(&c[TENANT], GW_TENANT_MAX)
           && good_text(&c[CLASSES], GW_CLASS_LIST_MAX)
           && good_list(&c[TOPICS], GW_TOPICS_MAX, GW_TOPIC_MAX)
           && good_list(&c[SPEAKS_FOR], GW_SPEAKS_FOR_MAX, GW_DEVICE_MAX)
           && c[ENABLED].type == 'i'
           && (c[ENABLED].number == 0 || c[ENABLED].number == 1)
           && (c[NOT_BEFORE].type == 'n' || c[NOT_BEFORE].type == 'i')
           && (c[NOT_AFTER].type == 'n' || c[NOT_AFTER].type == 'i');
}


static int
same(const uint8_t *p, size_t len, const column_t *c)
{
    return len == c->len && (len == 0 || memcmp(p, c->data, len) == 0);
}


static void
judge(const char *how, int rc, gw_reason_e reason, const gw_identity_t *id,
    const column_t *c)
{
    int      want;
    int64_t  from, to;

    from = c[NOT_BEFORE].type == 'i' ? c[NOT_BEFORE].number : 0;
    to = c[NOT_AFTER].type == 'i' ? c[NOT_AFTER].number : GW_TIME_ALWAYS;

    want = !good_row(c) ? GW_ERROR
           : c[ENABLED].number == 1 && NOW >= from && NOW < to ? GW_OK
           : GW_DECLINED;

    fuzz_promise(rc == want, "%s gives %d (%s), the second reader says %d",
                 how, rc, gw_registry_detail(registry), want);
    fuzz_promise((rc == GW_ERROR) == (gw_registry_detail(registry)[0] != '\0'),
                 "%s: refused without a word", how);
    fuzz_promise(reason == (rc == GW_OK ? GW_R_NONE : rc == GW_ERROR
                            ? GW_R_INTERNAL : GW_R_REVOKED),
                 "%s: the reason is %d", how, (int) reason);

    if (rc != GW_OK) {
        fuzz_promise(id->device_len == 0 && id->classes == 0
                     && id->speaks_for_len == 0,
                     "%s: refused, and yet an identity", how);
        return;
    }

    fuzz_promise(id->device_len == 1 && id->device[0] == 'd'
                 && same(id->tenant, id->tenant_len, &c[TENANT])
                 && same(id->topics, id->topics_len, &c[TOPICS])
                 && same(id->speaks_for, id->speaks_for_len, &c[SPEAKS_FOR])
                 && id->classes == class_bits(&c[CLASSES])
                 && id->not_before == from && id->not_after == to,
                 "%s: the identity is not the row", how);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             rc, i;
    size_t          n;
    uint8_t         key[GW_HMAC_KEY_MAX];
    column_t        c[COLUMNS];
    fuzz_copy_t     copy;
    gw_reason_e     reason;
    gw_identity_t   id;
    const uint8_t  *p, *device;

    start();

    copy = fuzz_copy(data, size);
    p = copy.data;

    for (i = 0; i < COLUMNS; i++) {
        column_read(&c[i], &p, copy.data + copy.len);
        column_write(i + 1, &c[i]);
    }

    rc = sqlite3_step(row);
    sqlite3_reset(row);
    fuzz_promise(rc == SQLITE_DONE, "the row cannot be written: %s",
                 sqlite3_errmsg(db));

    device = (const uint8_t *) "d";

    memset(&id, 0xa5, sizeof(id));
    rc = gw_registry_find_device(registry, device, 1, NOW, &id, &reason);
    judge("find_device", rc, reason, &id, c);

    memset(&id, 0xa5, sizeof(id));
    n = gw_registry_hmac_key(registry, device, 1, NOW, key, &id, &reason);

    if (c[HMAC_KEY].type == 'b' && c[HMAC_KEY].len >= GW_HMAC_KEY_MIN
        && c[HMAC_KEY].len <= GW_HMAC_KEY_MAX)
    {
        judge("hmac_key", reason == GW_R_NONE ? GW_OK
              : reason == GW_R_INTERNAL ? GW_ERROR : GW_DECLINED, reason, &id,
              c);
        fuzz_promise((n == 0) == (reason == GW_R_INTERNAL),
                     "a key of %zu for reason %d", n, reason);
        fuzz_promise(n == 0 || same(key, n, &c[HMAC_KEY]),
                     "the key is another");

    } else {
        fuzz_promise(n == 0 && reason == GW_R_UNAUTHENTICATED,
                     "a key of %zu", n);
    }

    /* nobody knows the secret of a hash that an input could hold */

    memset(&id, 0xa5, sizeof(id));
    rc = gw_registry_check(registry, device, 1, (const uint8_t *)
                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                           GW_SECRET_TEXT_LEN, NOW, &id, &reason);
    fuzz_promise(rc == GW_DECLINED && reason == GW_R_UNAUTHENTICATED,
                 "a secret that none has gives %d", rc);

    fuzz_free(&copy);

    return 0;
}
