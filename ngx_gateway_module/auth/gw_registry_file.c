/*
 * gw_registry_file.c - the file of the registry: opened, followed while others
 * write, replace and destroy it, and opened anew; see gw_registry_file.h.
 *
 * What must not be missed is told in gw_registry.h, at gw_registry_changed():
 * who is revoked there is let in by us until it is seen here.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gw_registry_file.h"


#define GW_REGISTRY_APPLICATION  1735881319   /* "gwrg" */
#define GW_REGISTRY_VERSION      1

/* seconds within which two changes of a file may have one time */

#define GW_REGISTRY_YOUNG  2

/* bytes of a column that is read at all, however long it is */

#define GW_REGISTRY_COLUMN_MAX  65536

/*
 * SQLite sleeps, a hundred times and longer each time, where a writer is
 * stopped in the midst of a commit: up to ten seconds.  No more than so many
 * microseconds each are given to it, ten milliseconds in all.
 */

#define GW_REGISTRY_SLEEP  100


static int gw_registry_attach(gw_registry_file_t *f, char *error,
    size_t error_size);
static void gw_registry_detach(gw_registry_file_t *f);
static int gw_registry_resolve(gw_registry_file_t *f, char *error,
    size_t error_size);
static void gw_registry_unreachable(gw_registry_file_t *f, char *error,
    size_t error_size);
static int gw_registry_connect(gw_registry_file_t *f, int64_t *n);
static int gw_registry_planned(gw_registry_file_t *f);
static char *gw_registry_uri(const char *path);
static int gw_registry_number(sqlite3 *db, const char *sql, int64_t *n);
static int gw_registry_version(gw_registry_file_t *f, int64_t *version);
static int gw_registry_look(gw_registry_file_t *f, char *error,
    size_t error_size);
static int gw_registry_reopen(gw_registry_file_t *f, const struct stat *now,
    char *error, size_t error_size);
static int gw_registry_replaced(gw_registry_file_t *f,
    const struct stat *now);
static int gw_registry_moved(gw_registry_file_t *f);
static int gw_registry_logged(gw_registry_file_t *f);
static void gw_registry_stat(gw_registry_file_t *f, unsigned which,
    struct stat *st);
static int gw_registry_young(gw_registry_file_t *f);
static int gw_registry_same_file(const struct stat *a, const struct stat *b);
static int gw_registry_untouched(const struct stat *a, const struct stat *b);
static int gw_registry_vfs_use(void);
static void gw_registry_vfs_leave(void);
static int gw_registry_sleep(sqlite3_vfs *vfs, int microseconds);


static const char *const  gw_registry_suffix[GW_FILES] = { "", "-wal", "-shm" };

/* the default VFS with another xSleep; there while a registry is open, as the
   code of it goes when the module is unloaded */

static sqlite3_vfs  gw_registry_vfs;
static unsigned     gw_registry_vfs_users;


int
gw_registry_file_open(gw_registry_file_t *f, const char *path,
    unsigned cache_kb, char *error, size_t error_size)
{
    memset(f, 0, sizeof(gw_registry_file_t));

    /* the path itself would leave no room for what is wrong with it */

    if (strlen(path) >= PATH_MAX) {
        snprintf(error, error_size, "a path of %zu bytes is too long, %d are"
                 " the most", strlen(path), PATH_MAX - 1);
        return GW_ERROR;
    }

    if (path[0] != '/') {
        snprintf(error, error_size, "cannot open \"%s\": a relative path",
                 path);
        return GW_ERROR;
    }

    if (gw_registry_vfs_use() != GW_OK) {
        snprintf(error, error_size, "SQLite cannot be used");
        return GW_ERROR;
    }

    f->cache_kb = cache_kb;
    f->path = strdup(path);

    if (f->path == NULL) {
        snprintf(error, error_size, "no memory");
        gw_registry_file_close(f);
        return GW_ERROR;
    }

    if (gw_registry_attach(f, error, error_size) != GW_OK) {
        gw_registry_file_close(f);
        return GW_ERROR;
    }

    return GW_OK;
}


void
gw_registry_file_close(gw_registry_file_t *f)
{
    gw_registry_detach(f);

    free(f->path);
    free(f->real);

    gw_registry_vfs_leave();
}


static void
gw_registry_detach(gw_registry_file_t *f)
{
    sqlite3_finalize(f->find);
    sqlite3_finalize(f->version);
    sqlite3_close(f->db);

    f->find = NULL;
    f->version = NULL;
    f->db = NULL;
}


static int
gw_registry_attach(gw_registry_file_t *f, char *error, size_t error_size)
{
    int      rc;
    int64_t  n;

    if (gw_registry_resolve(f, error, error_size) != GW_OK) {
        goto failed;
    }

    f->frozen = 0;

    rc = gw_registry_connect(f, &n);

    /*
     * A database in WAL mode that nobody has open has no -shm, and who may not
     * write the folder cannot make one.  Then all that was committed is in the
     * file itself, and while no log appears nobody changes it.
     */

    if ((rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY)
        && !gw_registry_logged(f))
    {
        gw_registry_detach(f);
        f->frozen = 1;
        rc = gw_registry_connect(f, &n);
    }

    if (rc != SQLITE_OK) {
        snprintf(error, error_size, "cannot read \"%s\": %s%s", f->path,
                 f->db ? sqlite3_errmsg(f->db) : sqlite3_errstr(rc),
                 !f->frozen && (rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY)
                 ? " (a database in WAL mode with a -wal file wants its -shm"
                   " file readable by the worker)" : "");
        goto failed;
    }

    if (n != GW_REGISTRY_APPLICATION) {
        snprintf(error, error_size, "\"%s\" is no registry of devices",
                 f->path);
        goto failed;
    }

    if (gw_registry_number(f->db, "PRAGMA user_version", &n) != SQLITE_OK
        || n != GW_REGISTRY_VERSION)
    {
        snprintf(error, error_size, "\"%s\" is of another version of the "
                 "registry", f->path);
        goto failed;
    }

    /* behind the first reading, which may have made them */

    gw_registry_stat(f, GW_FILE_WAL, &f->files[GW_FILE_WAL]);
    gw_registry_stat(f, GW_FILE_SHM, &f->files[GW_FILE_SHM]);

    if (gw_registry_planned(f) != GW_OK) {
        snprintf(error, error_size, "\"%s\" has no key of devices, a look-up"
                 " would read all of it", f->path);
        goto failed;
    }

    if (sqlite3_prepare_v3(f->db, GW_REGISTRY_FIND, -1,
                           SQLITE_PREPARE_PERSISTENT, &f->find, NULL)
        != SQLITE_OK
        || sqlite3_prepare_v3(f->db, "PRAGMA data_version", -1,
                              SQLITE_PREPARE_PERSISTENT, &f->version, NULL)
           != SQLITE_OK
        || gw_registry_version(f, &f->seen) != SQLITE_OK)
    {
        snprintf(error, error_size, "\"%s\": %s", f->path,
                 sqlite3_errmsg(f->db));
        goto failed;
    }

    f->young = gw_registry_young(f);

    return GW_OK;

failed:

    gw_registry_detach(f);
    free(f->real);
    f->real = NULL;

    return GW_ERROR;
}


/* what the path leads to now: f->real and files[GW_FILE_DB] */

static int
gw_registry_resolve(gw_registry_file_t *f, char *error, size_t error_size)
{
    size_t  max;

    /* first of all: what is changed or replaced from here on is seen */

    if (stat(f->path, &f->files[GW_FILE_DB]) != 0) {
        gw_registry_unreachable(f, error, error_size);
        return GW_ERROR;
    }

    /* to open a pipe would be to wait for who writes to it */

    if (!S_ISREG(f->files[GW_FILE_DB].st_mode)) {
        snprintf(error, error_size, "\"%s\" is no regular file", f->path);
        return GW_ERROR;
    }

    f->real = realpath(f->path, NULL);

    if (f->real == NULL) {
        gw_registry_unreachable(f, error, error_size);
        return GW_ERROR;
    }

    max = (size_t) gw_registry_vfs.mxPathname - (sizeof("-journal") - 1);

    if (strlen(f->real) > max) {
        snprintf(error, error_size, "the registry is in a file whose path has"
                 " %zu bytes, SQLite opens it with %zu at most",
                 strlen(f->real), max);
        return GW_ERROR;
    }

    return GW_OK;
}


/* errno as stat() or realpath() of the path has left it */

static void
gw_registry_unreachable(gw_registry_file_t *f, char *error, size_t error_size)
{
    int          err;
    struct stat  st;

    err = errno;

    if (err == ENOENT && lstat(f->path, &st) == 0 && S_ISLNK(st.st_mode)) {
        snprintf(error, error_size, "cannot open \"%s\": a link that leads"
                 " nowhere", f->path);
        return;
    }

    snprintf(error, error_size, "cannot open \"%s\": %s", f->path,
             strerror(err));
}


/* an SQLite code, as of the first statement that reads the file */

static int
gw_registry_connect(gw_registry_file_t *f, int64_t *n)
{
    int   rc;
    char  sql[128], *uri;

    uri = NULL;

    if (f->frozen) {
        uri = gw_registry_uri(f->real);
        if (uri == NULL) {
            return SQLITE_NOMEM;
        }
    }

    /* NOMUTEX: the handle never leaves its thread */

    rc = sqlite3_open_v2(uri ? uri : f->real, &f->db,
                         SQLITE_OPEN_READONLY|SQLITE_OPEN_NOMUTEX
                         |(uri ? SQLITE_OPEN_URI : 0),
                         gw_registry_vfs.zName);
    free(uri);

    if (rc != SQLITE_OK) {
        return rc;
    }

    sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, GW_REGISTRY_COLUMN_MAX);

    /*
     * A negative number is in KiB.  No mmap: who cuts the file short would end
     * the process.  Nobody is waited for.
     */

    snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%u; PRAGMA mmap_size = 0;"
             " PRAGMA trusted_schema = 0; PRAGMA busy_timeout = 0",
             f->cache_kb);
    sqlite3_exec(f->db, sql, NULL, NULL, NULL);

    return gw_registry_number(f->db, "PRAGMA application_id", n);
}


/* a look-up goes by a key, and no view stands in the place of the table */

static int
gw_registry_planned(gw_registry_file_t *f)
{
    int                   rc;
    const unsigned char  *plan;
    sqlite3_stmt         *stmt;

    if (sqlite3_prepare_v2(f->db, "EXPLAIN QUERY PLAN " GW_REGISTRY_FIND, -1,
                           &stmt, NULL)
        != SQLITE_OK)
    {

        /* what is wrong is said where the statement itself is prepared */

        return GW_OK;
    }

    rc = GW_ERROR;

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        plan = sqlite3_column_text(stmt, 3);

        if (plan && strncmp((const char *) plan, "SEARCH device ", 14) == 0) {
            rc = GW_OK;
        }
    }

    if (rc == GW_OK && sqlite3_step(stmt) != SQLITE_DONE) {
        rc = GW_ERROR;
    }

    sqlite3_finalize(stmt);

    return rc;
}


/* of a path that begins with a slash */

static char *
gw_registry_uri(const char *path)
{
    char        *uri, *p;
    const char  *end;

    static const char  head[] = "file://", tail[] = "?immutable=1";
    static const char  hex[] = "0123456789ABCDEF";

    uri = malloc(sizeof(head) + 3 * strlen(path) + sizeof(tail));
    if (uri == NULL) {
        return NULL;
    }

    p = uri + sprintf(uri, "%s", head);

    for (end = path + strlen(path); path < end; path++) {

        if (*path == '%' || *path == '?' || *path == '#') {
            *p++ = '%';
            *p++ = hex[*path >> 4];
            *p++ = hex[*path & 15];

        } else {
            *p++ = *path;
        }
    }

    strcpy(p, tail);

    return uri;
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


/* an SQLite code */

static int
gw_registry_version(gw_registry_file_t *f, int64_t *version)
{
    int  rc;

    rc = sqlite3_step(f->version);
    *version = sqlite3_column_int64(f->version, 0);
    sqlite3_reset(f->version);

    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}


int
gw_registry_file_changed(gw_registry_file_t *f, char *error, size_t error_size)
{
    int  rc, news;

    rc = gw_registry_look(f, error, error_size);

    news = f->news;
    f->news = 0;

    return rc == GW_OK || news;
}


int
gw_registry_file_ready(gw_registry_file_t *f, const char **why)
{
    char  error[1];

    if (!gw_registry_file_settled(f)) {

        if (gw_registry_look(f, error, sizeof(error)) == GW_ERROR) {
            *why = "the file has changed and cannot be read";
            return GW_ERROR;
        }

        f->news = 1;
    }

    if (f->db == NULL) {
        *why = "the file cannot be read";
        return GW_ERROR;
    }

    return GW_OK;
}


/* pages of a frozen file that were read are of one moment while it is so */

int
gw_registry_file_settled(gw_registry_file_t *f)
{
    struct stat  st;

    return !f->frozen || stat(f->real, &st) != 0
           || !gw_registry_same_file(&st, &f->files[GW_FILE_DB])
           || gw_registry_untouched(&st, &f->files[GW_FILE_DB]);
}


/* GW_OK: there is something new; GW_DECLINED: nothing; GW_ERROR: nothing, and
   the file is not to be had.  *error is untouched where there is none */

static int
gw_registry_look(gw_registry_file_t *f, char *error, size_t error_size)
{
    int          rc, known;
    int64_t      version;
    unsigned     i;
    struct stat  now[GW_FILES];

    known = stat(f->path, &now[GW_FILE_DB]) == 0;

    if (!known) {
        gw_registry_unreachable(f, error, error_size);
        memset(&now[GW_FILE_DB], 0, sizeof(struct stat));
    }

    gw_registry_stat(f, GW_FILE_WAL, &now[GW_FILE_WAL]);
    gw_registry_stat(f, GW_FILE_SHM, &now[GW_FILE_SHM]);

    if (f->db == NULL || (known && gw_registry_replaced(f, now))) {

        if (gw_registry_reopen(f, now, error, error_size) == GW_OK) {
            return GW_OK;
        }

        if (f->db == NULL) {
            return GW_ERROR;
        }

        /* the old one is kept, and a link may have left it to its writers */

        known = 0;
    }

    rc = gw_registry_version(f, &version);

    switch (rc) {

    case SQLITE_OK:
        break;

    case SQLITE_BUSY:
    case SQLITE_PROTOCOL:
        snprintf(error, error_size, "cannot read \"%s\": %s", f->path,
                 sqlite3_errmsg(f->db));
        return GW_ERROR;

    default:

        /* in WAL mode now, without a -shm that we could make, or destroyed */

        return gw_registry_reopen(f, now, error, error_size);
    }

    if (version == f->seen) {

        if (!known) {
            return GW_ERROR;
        }

        /* a checkpoint, or somebody who knows no SQLite, as "cp" */

        if (!gw_registry_untouched(&now[GW_FILE_DB], &f->files[GW_FILE_DB])) {
            return gw_registry_reopen(f, now, error, error_size);
        }

        return GW_DECLINED;
    }

    f->seen = version;

    /*
     * A handle that may not write -shm and finds that no other process has it
     * open takes the file as new at each reading while the log is empty.
     * Whoever commits writes to the log, or to the file where there is none.
     */

    if (known && !f->young
        && gw_registry_untouched(&now[GW_FILE_DB], &f->files[GW_FILE_DB])
        && gw_registry_untouched(&now[GW_FILE_WAL], &f->files[GW_FILE_WAL]))
    {
        return GW_DECLINED;
    }

    if (known) {
        for (i = 0; i < GW_FILES; i++) {
            f->files[i] = now[i];
        }

        f->young = gw_registry_young(f);
    }

    return GW_OK;
}


static int
gw_registry_reopen(gw_registry_file_t *f, const struct stat *now, char *error,
    size_t error_size)
{
    gw_registry_file_t  other;

    /*
     * Handles of one process on one file share its -shm: to leave one that was
     * removed, the old one must go first, and there may be none afterwards.
     */

    if (f->db && !f->frozen
        && gw_registry_same_file(&now[GW_FILE_DB], &f->files[GW_FILE_DB]))
    {
        gw_registry_detach(f);
    }

    other = *f;
    other.db = NULL;
    other.find = NULL;
    other.version = NULL;
    other.real = NULL;

    if (gw_registry_attach(&other, error, error_size) != GW_OK) {
        return GW_ERROR;
    }

    gw_registry_detach(f);
    free(f->real);
    *f = other;

    return GW_OK;
}


/*
 * Whether it must be opened anew: it is another file of that name, as "mv" and
 * a link that leads elsewhere leave it, it is the same one in another folder,
 * where its log is now, its log was taken away from it, or it is one that we
 * read as if nobody changed it, and somebody does.
 */

static int
gw_registry_replaced(gw_registry_file_t *f, const struct stat *now)
{
    if (!gw_registry_same_file(&now[GW_FILE_DB], &f->files[GW_FILE_DB])) {
        return 1;
    }

    if (gw_registry_moved(f)) {
        return 1;
    }

    if (f->frozen) {
        return f->young
               || !gw_registry_untouched(&now[GW_FILE_DB],
                                         &f->files[GW_FILE_DB])
               || gw_registry_logged(f);
    }

    /* while a handle has them open, SQLite itself removes neither */

    return !gw_registry_same_file(&now[GW_FILE_WAL], &f->files[GW_FILE_WAL])
           || !gw_registry_same_file(&now[GW_FILE_SHM],
                                     &f->files[GW_FILE_SHM]);
}


static int
gw_registry_moved(gw_registry_file_t *f)
{
    int    moved;
    char  *real;

    real = realpath(f->path, NULL);
    moved = real == NULL || strcmp(real, f->real) != 0;
    free(real);

    return moved;
}


/* whether there may be commits that are not in the file itself */

static int
gw_registry_logged(gw_registry_file_t *f)
{
    int          n;
    char         path[PATH_MAX];
    unsigned     i;
    struct stat  st;

    static const char *const  logs[] = { "-wal", "-journal" };

    for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
        n = snprintf(path, sizeof(path), "%s%s", f->real, logs[i]);

        if (n < 0 || (size_t) n >= sizeof(path)) {
            return 1;
        }

        if (stat(path, &st) == 0 ? st.st_size != 0 : errno != ENOENT) {
            return 1;
        }
    }

    return 0;
}


static void
gw_registry_stat(gw_registry_file_t *f, unsigned which, struct stat *st)
{
    char   path[PATH_MAX];
    int    n;

    n = snprintf(path, sizeof(path), "%s%s", f->real,
                 gw_registry_suffix[which]);

    if (n < 0 || (size_t) n >= sizeof(path) || stat(path, st) != 0) {
        memset(st, 0, sizeof(struct stat));
    }
}


/* the clock of the files is that of the wall, and may be set back */

static int
gw_registry_young(gw_registry_file_t *f)
{
    time_t    now, age;
    unsigned  i;

    now = time(NULL);

    for (i = GW_FILE_DB; i <= GW_FILE_WAL; i++) {
        age = now - f->files[i].st_mtim.tv_sec;

        if (age > -GW_REGISTRY_YOUNG && age < GW_REGISTRY_YOUNG) {
            return 1;
        }
    }

    return 0;
}


static int
gw_registry_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}


/* ctime: an mtime can be set back, and "cp -p" does */

static int
gw_registry_untouched(const struct stat *a, const struct stat *b)
{
    return gw_registry_same_file(a, b) && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
           && a->st_ctim.tv_sec == b->st_ctim.tv_sec
           && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}


static int
gw_registry_vfs_use(void)
{
    sqlite3_vfs  *vfs;

    if (gw_registry_vfs_users == 0) {
        vfs = sqlite3_vfs_find(NULL);
        if (vfs == NULL) {
            return GW_ERROR;
        }

        gw_registry_vfs = *vfs;
        gw_registry_vfs.zName = "gateway";
        gw_registry_vfs.pNext = NULL;
        gw_registry_vfs.xSleep = gw_registry_sleep;

        if (sqlite3_vfs_register(&gw_registry_vfs, 0) != SQLITE_OK) {
            return GW_ERROR;
        }
    }

    gw_registry_vfs_users++;

    return GW_OK;
}


static void
gw_registry_vfs_leave(void)
{
    if (--gw_registry_vfs_users == 0) {
        sqlite3_vfs_unregister(&gw_registry_vfs);
    }
}


static int
gw_registry_sleep(sqlite3_vfs *vfs, int microseconds)
{
    struct timespec  t;

    (void) vfs;

    if (microseconds > GW_REGISTRY_SLEEP) {
        microseconds = GW_REGISTRY_SLEEP;
    }

    t.tv_sec = 0;
    t.tv_nsec = microseconds * 1000L;
    nanosleep(&t, NULL);

    return microseconds;
}
