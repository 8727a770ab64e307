/*
 * store.c - see store.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "registry_sql.h"
#include "store.h"


#define STORE_APPLICATION  1735881319         /* registry.sql, "gwrg" */
#define STORE_VERSION      1

#define STORE_BUSY_MS      5000
#define STORE_BULK_KIB     65536
#define STORE_SQL_MAX      512


static const char *const  store_suffixes[] = { "-wal", "-shm" };


struct store_s {
    char          *path;       /* with a folder in front, so that SQLite does
                                  not take it for one of its own names; of a
                                  link, the file it leads to: the two files
                                  beside it lie there */
    const char    *name;       /* as it was given */
    sqlite3       *db;
    sqlite3_stmt  *insert;
    int            write;
    int            bulk;
};


static tool_status_e store_make(const char *path);
static store_t *store_new(const char *path);
static tool_status_e store_connect(store_t *s, int flags);
static tool_status_e store_fill(store_t *s);
static tool_status_e store_exec(store_t *s, const char *sql);
static tool_status_e store_step(store_t *s, sqlite3_stmt *stmt);
static tool_status_e store_failed(store_t *s);
static sqlite3_stmt *store_prepare(store_t *s, const char *sql);
static void store_shrink(store_t *s);
static int store_number(store_t *s, const char *sql, int64_t *n);
static int store_resolve(store_t *s);
static void store_same_mode(store_t *s);
static char *store_beside(store_t *s, unsigned i);
static void store_unlink(store_t *s);
static void store_bind(sqlite3_stmt *stmt, const device_t *d);
static void store_bind_text(sqlite3_stmt *stmt, int i, const gw_str_t *text);
static void store_bind_time(sqlite3_stmt *stmt, int i, int64_t time);
static void store_read(sqlite3_stmt *stmt, device_t *d);


/* ?1 to ?10 are a device_t, column by column, ?11 the salt of its secret */

static const char  store_insert_sql[] =
    "INSERT INTO device (device, classes, tenant, topics, speaks_for, enabled,"
    " not_before, not_after, secret, hmac_key, salt)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

static const char  store_each_sql[] =
    "SELECT device, classes, tenant, topics, speaks_for, enabled, not_before,"
    " not_after, secret IS NOT NULL, hmac_key IS NOT NULL FROM device"
    " WHERE device >= ?1 AND (?2 = '' OR device < ?2) ORDER BY device";


tool_status_e
store_create(const char *path)
{
    sigset_t       all, old;
    tool_status_e  status;

    /* half a registry is none, and in the way of the next "create" */

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);

    status = store_make(path);

    sigprocmask(SIG_SETMASK, &old, NULL);

    return status;
}


static tool_status_e
store_make(const char *path)
{
    int            fd;
    store_t       *s;
    tool_status_e  status;

    s = store_new(path);
    if (s == NULL) {
        return TOOL_FAILED;
    }

    fd = open(s->path, O_CREAT|O_EXCL|O_RDWR|O_CLOEXEC, 0600);

    if (fd == -1) {
        status = errno == EEXIST ? TOOL_REFUSED : TOOL_FAILED;
        tool_say("cannot create \"%s\": %s", path, strerror(errno));
        store_close(s);
        return status;
    }

    /* a umask may have taken from the owner too */

    if (fchmod(fd, 0600) != 0) {
        tool_say("cannot create \"%s\": %s", path, strerror(errno));
        status = TOOL_FAILED;

    } else {
        status = TOOL_DONE;
    }

    close(fd);

    if (status == TOOL_DONE) {
        s->write = 1;
        status = store_connect(s, SQLITE_OPEN_READWRITE);
    }

    if (status == TOOL_DONE) {
        status = store_fill(s);
    }

    if (status != TOOL_DONE) {
        store_unlink(s);
    }

    store_close(s);

    return status;
}


store_t *
store_open(const char *path, int write)
{
    int64_t      n;
    store_t     *s;
    struct stat  st;

    s = store_new(path);
    if (s == NULL) {
        return NULL;
    }

    s->write = write;

    if (stat(s->path, &st) != 0) {
        tool_say("cannot open \"%s\": %s%s", path, strerror(errno),
                 errno == ENOENT ? " (the command \"create\" makes one)" : "");
        goto failed;
    }

    if (!S_ISREG(st.st_mode)) {
        tool_say("cannot open \"%s\": not a file", path);
        goto failed;
    }

    if (!store_resolve(s)) {
        goto failed;
    }

    if (store_connect(s, write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY)
        != TOOL_DONE)
    {
        goto failed;
    }

    if (!store_number(s, "PRAGMA application_id", &n)) {
        goto failed;
    }

    if (n != STORE_APPLICATION) {
        tool_say("\"%s\" is no registry of devices", path);
        goto failed;
    }

    if (!store_number(s, "PRAGMA user_version", &n)) {
        goto failed;
    }

    if (n != STORE_VERSION) {
        tool_say("\"%s\" is of another version of the registry", path);
        goto failed;
    }

    if (write) {

        /* before a key gets into files that were left open to others */

        sqlite3_close(s->db);
        store_same_mode(s);

        if (store_connect(s, SQLITE_OPEN_READWRITE) != TOOL_DONE) {
            goto failed;
        }
    }

    return s;

failed:

    /* nothing was done to the file, its companions are none of ours */

    s->write = 0;
    store_close(s);

    return NULL;
}


void
store_close(store_t *s)
{
    sqlite3_finalize(s->insert);

    if (s->bulk) {
        store_shrink(s);
    }

    sqlite3_close(s->db);

    if (s->write) {
        store_same_mode(s);
    }

    free(s->path);
    free(s);
}


tool_status_e
store_begin(store_t *s, int bulk)
{
    char  sql[64];

    if (bulk) {
        s->bulk = 1;
        snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%d", STORE_BULK_KIB);

        if (store_exec(s, sql) != TOOL_DONE) {
            return TOOL_FAILED;
        }
    }

    return store_exec(s, "BEGIN IMMEDIATE");
}


tool_status_e
store_commit(store_t *s)
{
    return store_exec(s, "COMMIT");
}


tool_status_e
store_insert(store_t *s, const device_t *d)
{
    int  rc;

    if (s->insert == NULL) {
        s->insert = store_prepare(s, store_insert_sql);

        if (s->insert == NULL) {
            return TOOL_FAILED;
        }
    }

    store_bind(s->insert, d);

    rc = sqlite3_step(s->insert);

    sqlite3_reset(s->insert);

    if (rc == SQLITE_DONE) {
        return TOOL_DONE;
    }

    if (sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return TOOL_REFUSED;
    }

    return store_failed(s);
}


tool_status_e
store_update(store_t *s, const device_t *d)
{
    char           sql[STORE_SQL_MAX];
    size_t         n;
    unsigned       i;
    sqlite3_stmt  *stmt;

    n = (size_t) snprintf(sql, sizeof(sql),
                          "UPDATE device SET device = ?1");

    for (i = DEVICE_ID + 1; i < DEVICE_N; i++) {
        if (device_given(d, i)) {
            n += (size_t) snprintf(sql + n, sizeof(sql) - n, ", %s = ?%u",
                                   device_column_name(i), i + 1);
        }
    }

    snprintf(sql + n, sizeof(sql) - n, "%s WHERE device = ?1",
             device_given(d, DEVICE_SECRET) ? ", salt = ?11" : "");

    stmt = store_prepare(s, sql);
    if (stmt == NULL) {
        return TOOL_FAILED;
    }

    store_bind(stmt, d);

    return store_step(s, stmt);
}


tool_status_e
store_remove(store_t *s, const gw_str_t *id)
{
    sqlite3_stmt  *stmt;

    stmt = store_prepare(s, "DELETE FROM device WHERE device = ?1");
    if (stmt == NULL) {
        return TOOL_FAILED;
    }

    store_bind_text(stmt, 1, id);

    return store_step(s, stmt);
}


int
store_bad_times(store_t *s, const gw_str_t *id)
{
    int            bad;
    sqlite3_stmt  *stmt;

    stmt = store_prepare(s, "SELECT 1 FROM device WHERE device = ?1"
                            " AND not_before >= not_after");
    if (stmt == NULL) {
        return 1;
    }

    store_bind_text(stmt, 1, id);

    bad = (sqlite3_step(stmt) != SQLITE_DONE);

    sqlite3_finalize(stmt);

    return bad;
}


int
store_exposed(store_t *s)
{
    int           exposed;
    char         *path;
    unsigned      i;
    struct stat   st;

    exposed = stat(s->path, &st) != 0 || (st.st_mode & 0037);

    /* a key is written to the log first */

    for (i = 0; i < 2 && !exposed; i++) {
        path = store_beside(s, i);

        exposed = path == NULL
                  || (stat(path, &st) == 0 && (st.st_mode & 0037));
        free(path);
    }

    return exposed;
}


tool_status_e
store_each(store_t *s, const gw_str_t *prefix, store_row_pt row, void *data)
{
    int             rc;
    uint8_t         last[GW_DEVICE_MAX];
    device_t        d;
    gw_str_t        end;
    sqlite3_stmt   *stmt;
    tool_status_e   status;

    /* the first id behind all that begin so: ids are ASCII, there is one */

    end.data = last;
    end.len = prefix->len;

    if (end.len) {
        memcpy(last, prefix->data, end.len);
        last[end.len - 1]++;
    }

    stmt = store_prepare(s, store_each_sql);
    if (stmt == NULL) {
        return TOOL_FAILED;
    }

    store_bind_text(stmt, 1, prefix);
    store_bind_text(stmt, 2, &end);

    status = TOOL_DONE;

    while (status == TOOL_DONE && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        store_read(stmt, &d);
        status = row(&d, data);
    }

    if (status == TOOL_DONE && rc != SQLITE_DONE) {
        status = store_failed(s);
    }

    sqlite3_finalize(stmt);

    return status;
}


static store_t *
store_new(const char *path)
{
    size_t    n;
    store_t  *s;

    n = strlen(path) + sizeof("./");

    s = calloc(1, sizeof(store_t));

    if (s) {
        s->name = path;
        s->path = malloc(n);

        if (s->path) {
            snprintf(s->path, n, "%s%s", path[0] == '/' ? "" : "./", path);
            return s;
        }

        free(s);
    }

    tool_say("no memory");

    return NULL;
}


static tool_status_e
store_connect(store_t *s, int flags)
{
    int  rc, on;

    rc = sqlite3_open_v2(s->path, &s->db, flags|SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK) {
        tool_say("cannot open \"%s\": %s", s->name, s->db
                 ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
        return TOOL_FAILED;
    }

    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);

    /*
     * Who may only read the folder, as a worker should, can open a database
     * in WAL mode only while these two files are there: SQLite removes them
     * with its last writer unless it is told not to.
     */

    on = 1;
    (void) sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &on);

    return TOOL_DONE;
}


static tool_status_e
store_fill(store_t *s)
{
    int            wal;
    sqlite3_stmt  *stmt;

    if (store_exec(s, registry_sql) != TOOL_DONE) {
        return TOOL_FAILED;
    }

    stmt = store_prepare(s, "PRAGMA journal_mode");
    if (stmt == NULL) {
        return TOOL_FAILED;
    }

    wal = sqlite3_step(stmt) == SQLITE_ROW
          && strcmp((const char *) sqlite3_column_text(stmt, 0), "wal") == 0;

    sqlite3_finalize(stmt);

    if (!wal) {
        tool_say("cannot create \"%s\": this file system does not bear WAL",
                 s->name);
        return TOOL_FAILED;
    }

    return TOOL_DONE;
}


static tool_status_e
store_exec(store_t *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
           ? TOOL_DONE : store_failed(s);
}


/* one change of one row; ends stmt */

static tool_status_e
store_step(store_t *s, sqlite3_stmt *stmt)
{
    int  rc;

    rc = sqlite3_step(stmt);

    sqlite3_finalize(stmt);

    if (rc != SQLITE_DONE) {
        return store_failed(s);
    }

    return sqlite3_changes(s->db) ? TOOL_DONE : TOOL_REFUSED;
}


static tool_status_e
store_failed(store_t *s)
{
    tool_say("cannot %s \"%s\": %s", s->write ? "write" : "read", s->name,
             sqlite3_errmsg(s->db));

    return TOOL_FAILED;
}


static sqlite3_stmt *
store_prepare(store_t *s, const char *sql)
{
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        (void) store_failed(s);
        return NULL;
    }

    return stmt;
}


static int
store_number(store_t *s, const char *sql, int64_t *n)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = store_prepare(s, sql);
    if (stmt == NULL) {
        return 0;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *n = sqlite3_column_int64(stmt, 0);

    } else {
        (void) store_failed(s);
    }

    sqlite3_finalize(stmt);

    return rc == SQLITE_ROW;
}


/*
 * The write-ahead log of a million rows would stay, committed or not.  It must
 * not stay empty either: readers that may not write to the -shm file take the
 * database for changed at each look then.  A commit that changes nothing puts
 * one page into it.
 */

static void
store_shrink(store_t *s)
{
    char  sql[64];

    (void) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    (void) sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                     NULL, NULL);

    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d",
             STORE_APPLICATION);
    (void) sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}


static int
store_resolve(store_t *s)
{
    char  *path;

    path = realpath(s->path, NULL);

    if (path == NULL) {
        tool_say("cannot open \"%s\": %s", s->name, strerror(errno));
        return 0;
    }

    free(s->path);
    s->path = path;

    return 1;
}


/*
 * SQLite gives the two files the owner and mode of the database as they are
 * made; a chmod that came later is repeated here.  Only while the database is
 * closed: to close a descriptor of ours would end its locks.
 */

static void
store_same_mode(store_t *s)
{
    int          fd;
    char        *path;
    unsigned     i;
    struct stat  st, own;

    if (stat(s->path, &st) != 0) {
        return;
    }

    for (i = 0; i < 2; i++) {
        path = store_beside(s, i);
        if (path == NULL) {
            return;
        }

        fd = open(path, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
        free(path);

        if (fd == -1) {
            continue;
        }

        if (fstat(fd, &own) == 0 && S_ISREG(own.st_mode) && own.st_nlink == 1
            && (own.st_mode != st.st_mode || own.st_uid != st.st_uid
                || own.st_gid != st.st_gid))
        {
            /* owner first: the mode is never wider than the owner's may be */

            if (fchown(fd, st.st_uid, st.st_gid) != 0
                || fchmod(fd, st.st_mode & 07777) != 0)
            {
                tool_say("warning: \"%s%s\" cannot be given the owner and"
                         " mode of \"%s\": %s", s->name, store_suffixes[i],
                         s->name, strerror(errno));
            }
        }

        close(fd);
    }
}


/* NULL: no memory */

static char *
store_beside(store_t *s, unsigned i)
{
    char    *path;
    size_t   n;

    n = strlen(s->path) + sizeof("-wal");

    path = malloc(n);

    if (path) {
        snprintf(path, n, "%s%s", s->path, store_suffixes[i]);
    }

    return path;
}


static void
store_unlink(store_t *s)
{
    char      *path;
    unsigned   i;

    unlink(s->path);

    for (i = 0; i < 2; i++) {
        path = store_beside(s, i);

        if (path) {
            unlink(path);
            free(path);
        }
    }
}


static void
store_bind(sqlite3_stmt *stmt, const device_t *d)
{
    int  i;

    /* a parameter that a statement does not have is passed over */

    for (i = 0; i < DEVICE_TEXT_N; i++) {
        store_bind_text(stmt, i + 1, &d->text[i]);
    }

    sqlite3_bind_int(stmt, DEVICE_ENABLED + 1, d->enabled);

    store_bind_time(stmt, DEVICE_NOT_BEFORE + 1, d->not_before);
    store_bind_time(stmt, DEVICE_NOT_AFTER + 1, d->not_after);

    sqlite3_bind_null(stmt, DEVICE_SECRET + 1);
    sqlite3_bind_null(stmt, DEVICE_HMAC_KEY + 1);
    sqlite3_bind_null(stmt, DEVICE_N + 1);

    if (device_given(d, DEVICE_SECRET)) {
        sqlite3_bind_blob(stmt, DEVICE_SECRET + 1, d->hash, DEVICE_HASH_LEN,
                          SQLITE_STATIC);
        sqlite3_bind_blob(stmt, DEVICE_N + 1, d->salt, DEVICE_SALT_LEN,
                          SQLITE_STATIC);
    }

    if (device_given(d, DEVICE_HMAC_KEY)) {
        sqlite3_bind_blob(stmt, DEVICE_HMAC_KEY + 1, d->key, (int) d->key_len,
                          SQLITE_STATIC);
    }
}


static void
store_bind_text(sqlite3_stmt *stmt, int i, const gw_str_t *text)
{
    sqlite3_bind_text(stmt, i, (const char *) text->data, (int) text->len,
                      SQLITE_STATIC);
}


static void
store_bind_time(sqlite3_stmt *stmt, int i, int64_t time)
{
    if (time == DEVICE_NO_TIME) {
        sqlite3_bind_null(stmt, i);

    } else {
        sqlite3_bind_int64(stmt, i, time);
    }
}


static void
store_read(sqlite3_stmt *stmt, device_t *d)
{
    int  i;

    device_init(d);

    for (i = 0; i < DEVICE_TEXT_N; i++) {
        d->text[i].data = sqlite3_column_text(stmt, i);
        d->text[i].len = (size_t) sqlite3_column_bytes(stmt, i);
    }

    d->enabled = sqlite3_column_int(stmt, DEVICE_ENABLED);

    if (sqlite3_column_type(stmt, DEVICE_NOT_BEFORE) != SQLITE_NULL) {
        d->not_before = sqlite3_column_int64(stmt, DEVICE_NOT_BEFORE);
    }

    if (sqlite3_column_type(stmt, DEVICE_NOT_AFTER) != SQLITE_NULL) {
        d->not_after = sqlite3_column_int64(stmt, DEVICE_NOT_AFTER);
    }

    for (i = DEVICE_SECRET; i <= DEVICE_HMAC_KEY; i++) {
        d->given |= (unsigned) (sqlite3_column_int(stmt, i) != 0) << i;
    }
}
