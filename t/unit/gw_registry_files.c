/*
 * gw_registry_files.c - the registry as a file that others write, replace, take
 * away and destroy while a worker reads it.
 *
 * The story: a device is disabled with sqlite3, a registry is copied over the
 * old one, a disk fails, a worker may only read.  Unseen without it: a
 * revocation that a worker never hears of, or hears of at each look so that its
 * cache is empty four times a second; a crash, or a device let in, because of a
 * file that is no more what it was.
 */

#include "gw_devices.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>


#define NOBODY  65534


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
    drop_log(path);
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


/* paths that cannot be a registry's: the error says why, however long they
   are */

static void
test_paths(void)
{
    int             n;
    char            text[PATH_MAX + 64], deep[1024], link[128], one[64];
    size_t          len;
    gw_registry_t  *r;

    remove_registry(path);
    create(path);
    add(path, "pump-7", 1, "|", one);

    ok(reader("ngx_gateway_module/auth/registry.sql") == NULL
       && strstr(error, "relative"), "a relative path is none: %s", error);
    ok(reader("") == NULL && error[0], "nor is none: %s", error);
    ok(reader(":memory:") == NULL && error[0],
       "nor a name that SQLite knows: %s", error);

    n = snprintf(text, sizeof(text), "%s", dir);
    memset(text + n, '/', sizeof(text) - (size_t) n);
    strcpy(text + sizeof(text) - sizeof("devices.db"), "devices.db");
    ok(reader(text) == NULL && strstr(error, "too long"),
       "nor one that is too long: %s", error);

    /* as long as a path may be, and short where it leads to */

    strcpy(text + PATH_MAX - sizeof("devices.db"), "devices.db");
    r = reader(text);
    ok(r != NULL && check(r, "pump-7", one, NOW) == GW_OK,
       "one of %zu bytes is one: %s", strlen(text), error);
    gw_registry_close(r);

    /* and the other way round */

    snprintf(link, sizeof(link), "%s/link", dir);

    for (len = 504; len <= 505; len++) {
        n = snprintf(deep, sizeof(deep), "%s/", dir);
        memset(deep + n, 'd', len - (size_t) n);
        deep[len] = '\0';

        deep[270] = '\0';
        mkdir(deep, 0755);
        deep[270] = '/';

        ok(rename(path, deep) == 0 && symlink(deep, link) == 0,
           "a link leads to a path of %zu bytes", strlen(deep));
        r = reader(link);

        if (len == 504) {
            ok(r != NULL && check(r, "pump-7", one, NOW) == GW_OK,
               "it is opened: %s", error);

        } else {
            ok(r == NULL && strstr(error, "505 bytes"),
               "which is too long for SQLite: %s", error);
        }

        gw_registry_close(r);
        unlink(link);
        rename(deep, path);
        snprintf(text, sizeof(text), "rm -r '%.270s'", deep);
        ok(system(text) == 0, "what was beside it can go");
    }

    ok(reader(dir) == NULL && strstr(error, "no regular file"),
       "a folder is none: %s", error);
    ok(mkfifo(link, 0600) == 0 && reader(link) == NULL
       && strstr(error, "no regular file"),
       "nor is a pipe, for which none waits: %s", error);
    unlink(link);
}


/*
 * A reader is a process of its own, as a worker is, that does what it reads
 * from a pipe, a command a time: as nobody it may write neither the file nor
 * the folder, as ourselves it may.
 */

typedef struct {
    char  what;                /* 'o'pen, 'c'hanged, chec'k', c'l'ose, 'f'ollow
                                  a writer to its end */
    char  file[96];
    char  device[16];
    char  secret[64];
} order_t;


static int          orders[2], answers[2];
static const char  *who;       /* for the names of tests */


/*
 * Tenant and speaks_for are written together, so they must be read together;
 * how often they were not, or -1 where a look-up failed for long.
 */

static int
follow(gw_registry_t *r, const char *device, const char *secret)
{
    int       rc, mixed;
    unsigned  failed;

    mixed = 0;
    failed = 0;

    for ( ;; ) {
        gw_registry_changed(r, error, sizeof(error));
        rc = check(r, device, secret, NOW);

        if (rc == GW_ERROR && ++failed < 100000) {
            sched_yield();
            continue;
        }

        if (rc != GW_OK) {
            return -1;
        }

        failed = 0;

        if (identity.tenant_len != identity.speaks_for_len
            || memcmp(identity.tenant, identity.speaks_for,
                      identity.tenant_len) != 0)
        {
            mixed++;
        }

        if (identity.tenant_len == 3
            && memcmp(identity.tenant, "end", 3) == 0)
        {
            error[0] = '\0';
            return mixed;
        }
    }
}


static void
serve(int as_nobody)
{
    int             rc;
    order_t         order;
    gw_registry_t  *r;

    if (as_nobody && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0
                      || setuid(NOBODY) != 0))
    {
        _exit(1);
    }

    r = NULL;

    while (read(orders[0], &order, sizeof(order)) == (ssize_t) sizeof(order)) {
        rc = 0;
        error[0] = '\0';

        switch (order.what) {

        case 'o':
            r = reader(order.file);
            rc = r != NULL;
            break;

        case 'c':
            rc = gw_registry_changed(r, error, sizeof(error));
            break;

        case 'k':
            rc = check(r, order.device, order.secret, NOW);
            snprintf(error, sizeof(error), "%s", gw_registry_detail(r));

            if ((rc == GW_ERROR) != (reason == GW_R_INTERNAL)) {
                _exit(2);
            }

            break;

        case 'f':
            rc = follow(r, order.device, order.secret);
            break;

        case 'l':
            gw_registry_close(r);
            r = NULL;
            break;
        }

        if (write(answers[1], &rc, sizeof(rc)) != (ssize_t) sizeof(rc)
            || write(answers[1], error, sizeof(error))
               != (ssize_t) sizeof(error))
        {
            break;
        }
    }

    _exit(r != NULL);
}


static int
ask(char what, const char *file, const char *device, const char *secret)
{
    int      rc;
    order_t  order;

    memset(&order, 0, sizeof(order));
    order.what = what;
    snprintf(order.file, sizeof(order.file), "%s", file);
    snprintf(order.device, sizeof(order.device), "%s", device);
    snprintf(order.secret, sizeof(order.secret), "%s", secret);

    if (write(orders[1], &order, sizeof(order)) != (ssize_t) sizeof(order)
        || read(answers[0], &rc, sizeof(rc)) != (ssize_t) sizeof(rc)
        || read(answers[0], error, sizeof(error)) != (ssize_t) sizeof(error))
    {
        printf("Bail out! the reader is gone\n");
        exit(1);
    }

    return rc;
}


static int
there(const char *file, const char *suffix)
{
    char  name[128];

    snprintf(name, sizeof(name), "%s%s", file, suffix);

    return access(name, F_OK) == 0;
}


/* as a file that nobody has changed for a while */

static void
age(const char *file)
{
    static const struct timespec  then[2] = {
        { NOW - 500000000, 0 }, { NOW - 500000000, 0 }
    };

    if (utimensat(AT_FDCWD, file, then, 0) != 0) {
        printf("Bail out! utimensat\n");
        exit(1);
    }
}


static sqlite3 *
writer(const char *file, int persist)
{
    sqlite3  *db;

    if (sqlite3_open(file, &db) != SQLITE_OK) {
        exit(1);
    }

    sqlite3_file_control(db, NULL, SQLITE_FCNTL_PERSIST_WAL, &persist);
    sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 0", NULL, NULL, NULL);

    return db;
}


static int
rename_device(sqlite3 *db, const char *to)
{
    char  text[64];

    snprintf(text, sizeof(text), "UPDATE device SET device = '%s'", to);

    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}


static void
test_bare_file(const char *file)
{
    char      one[64], two[64];
    sqlite3  *db;

    create(file);
    add(file, "pump-7", 1, "|", one);
    age(file);

    ok(!there(file, "-wal") && !there(file, "-shm"),
       "nobody: a registry at rest is one file");
    ok(ask('o', file, "", "") == 1, "nobody: it can be opened: %s", error);
    ok(ask('k', "", "pump-7", one) == GW_OK && error[0] == '\0',
       "nobody: and lets a device in");
    ok(ask('c', "", "", "") == 0 && error[0] == '\0',
       "nobody: nothing has changed: %s", error);

    add(file, "pump-7", 2, "|", two);

    ok(!there(file, "-wal"), "nobody: a writer came and went");
    ok(ask('c', "", "", "") == 1, "nobody: it is seen");
    ok(ask('k', "", "pump-7", one) == GW_DECLINED
       && ask('k', "", "pump-7", two) == GW_OK,
       "nobody: the new secret holds, the old one does not");

    ok(ask('c', "", "", "") == 1, "nobody: for a while none is sure of it");
    age(file);
    ok(ask('c', "", "", "") == 1 && ask('c', "", "", "") == 0,
       "nobody: and then it is");

    add(file, "pump-7", 3, "|", one);

    ok(ask('k', "", "pump-7", two) == GW_DECLINED
       && ask('k', "", "pump-7", one) == GW_OK,
       "nobody: a look-up sees a commit before anybody has asked");
    age(file);
    ok(ask('c', "", "", "") == 1, "nobody: which is told afterwards");
    ok(ask('c', "", "", "") == 0, "nobody: once");

    /* a writer that stays: what it commits is in its log only */

    db = writer(file, 0);
    ok(rename_device(db, "a") && ask('c', "", "", "") == 1
       && ask('k', "", "a", one) == GW_OK
       && ask('k', "", "pump-7", one) == GW_DECLINED,
       "nobody: a log that begins is read");
    ok(rename_device(db, "b") && ask('c', "", "", "") == 1
       && ask('c', "", "", "") == 0 && ask('k', "", "b", one) == GW_OK
       && ask('k', "", "a", one) == GW_DECLINED,
       "nobody: what is added to it is");
    sqlite3_close(db);

    ok(ask('k', "", "b", one) == GW_OK, "nobody: also when the writer is gone");

    sql(file, "UPDATE device SET device = 'c'");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "c", one) == GW_OK
       && ask('k', "", "b", one) == GW_DECLINED && error[0] == '\0',
       "nobody: and another comes");

    ask('l', "", "", "");
}


static void
test_logged_file(const char *file)
{
    char      one[64], name[128];
    sqlite3  *db;

    create(file);
    add(file, "pump-7", 1, "|", one);
    age(file);

    db = writer(file, 1);
    rename_device(db, "a");

    ok(there(file, "-wal") && there(file, "-shm"),
       "nobody: a registry has a writer");
    ok(ask('o', file, "", "") == 1 && ask('k', "", "a", one) == GW_OK,
       "nobody: it can be opened, log and all: %s", error);
    ok(ask('c', "", "", "") == 0, "nobody: nothing has changed");
    ok(rename_device(db, "b") && ask('c', "", "", "") == 1
       && ask('c', "", "", "") == 0 && ask('k', "", "b", one) == GW_OK
       && ask('k', "", "a", one) == GW_DECLINED,
       "nobody: the next commit is seen");
    ask('l', "", "", "");
    sqlite3_close(db);

    ok(there(file, "-wal") && there(file, "-shm"),
       "nobody: the writer has left its log behind");
    ok(ask('o', file, "", "") == 1 && ask('k', "", "b", one) == GW_OK,
       "nobody: it can be opened as well: %s", error);
    ok(ask('c', "", "", "") == 0, "nobody: nothing has changed");

    db = writer(file, 1);
    ok(rename_device(db, "c") && ask('c', "", "", "") == 1
       && ask('k', "", "c", one) == GW_OK
       && ask('k', "", "b", one) == GW_DECLINED,
       "nobody: another writer is seen");
    ask('l', "", "", "");

    /* commits that nobody but a writer could find */

    snprintf(name, sizeof(name), "%s-shm", file);
    unlink(name);

    ok(ask('o', file, "", "") == 0 && strstr(error, "-shm") != NULL,
       "nobody: a log without its index is not passed over: %s", error);

    sqlite3_close(db);
}


/* a log that its writer opened, did not write to and left behind */

static void
test_empty_log(const char *file)
{
    int       n;
    char      one[64], name[128];
    sqlite3  *db;

    create(file);
    add(file, "pump-7", 1, "|", one);

    db = writer(file, 1);
    sqlite3_exec(db, "SELECT count(*) FROM device", NULL, NULL, NULL);
    sqlite3_close(db);

    ok(there(file, "-wal") && there(file, "-shm"),
       "nobody: an empty log was left behind");
    snprintf(name, sizeof(name), "%s-wal", file);
    age(file);
    age(name);

    ok(ask('o', file, "", "") == 1 && ask('k', "", "pump-7", one) == GW_OK,
       "nobody: it can be opened: %s", error);

    for (n = 0; n < 4 && ask('c', "", "", "") == 0
         && ask('k', "", "pump-7", one) == GW_OK; n++) { /* void */ }

    is_u64(n, 4, "nobody: at no look anything has changed");

    ok(utimensat(AT_FDCWD, name, NULL, 0) == 0
       && ask('c', "", "", "") == 1 && ask('c', "", "", "") == 1,
       "nobody: of a log that is new none is sure");
    age(name);
    ok(ask('c', "", "", "") == 1 && ask('c', "", "", "") == 0
       && ask('c', "", "", "") == 0, "nobody: of an old one it is");

    db = writer(file, 1);
    ok(rename_device(db, "a") && ask('c', "", "", "") == 1
       && ask('k', "", "a", one) == GW_OK
       && ask('k', "", "pump-7", one) == GW_DECLINED,
       "nobody: the first commit is seen");
    ok(ask('c', "", "", "") == 0, "nobody: once");
    sqlite3_close(db);

    ask('l', "", "", "");
}


static void
test_modes(const char *file)
{
    char  one[64];

    create(file);
    add(file, "pump-7", 1, "|", one);
    age(file);

    ok(ask('o', file, "", "") == 1 && chmod(file, 0444) == 0
       && ask('k', "", "pump-7", one) == GW_OK
       && ask('c', "", "", "") >= 0 && error[0] == '\0',
       "nobody: a file that nobody may write is read: %s", error);
    age(file);
    ask('c', "", "", "");
    ok(ask('c', "", "", "") == 0, "nobody: and does not change");
    ask('l', "", "", "");

    chmod(file, 0);
    ok(ask('o', file, "", "") == 0 && error[0],
       "nobody: one that nobody may read is not: %s", error);

    chmod(file, 0444);
    ok(ask('o', file, "", "") == 1, "nobody: before he may");
    ask('l', "", "", "");
}


/* a link to the registry, as deployments have them, led elsewhere later */

static void
test_link(const char *file)
{
    char      real[128], next[128], link[128], one[64];
    sqlite3  *db;

    snprintf(real, sizeof(real), "%s.real", file);
    snprintf(next, sizeof(next), "%s.next", file);
    snprintf(link, sizeof(link), "%s.link", file);

    create(real);
    add(real, "pump-7", 1, "|", one);
    age(real);

    ok(symlink(real, link) == 0 && symlink(link, file) == 0
       && ask('o', file, "", "") == 1 && ask('k', "", "pump-7", one) == GW_OK,
       "%s: a registry is opened through a link to a link: %s", who, error);
    ok(ask('c', "", "", "") == 0, "%s: nothing has changed", who);

    db = writer(real, 1);
    rename_device(db, "a");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "a", one) == GW_OK
       && ask('k', "", "pump-7", one) == GW_DECLINED,
       "%s: a change of what it leads to is seen: %s", who, error);
    rename_device(db, "b");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "b", one) == GW_OK,
       "%s: and the next one: %s", who, error);
    sqlite3_close(db);

    create(next);
    add(next, "pump-8", 1, "|", one);
    sql(next, "PRAGMA wal_checkpoint(TRUNCATE)");
    unlink(link);
    ok(symlink(next, link) == 0 && ask('c', "", "", "") == 1
       && ask('k', "", "pump-8", one) == GW_OK
       && ask('k', "", "b", one) == GW_DECLINED,
       "%s: led elsewhere it is another registry: %s", who, error);

    db = writer(next, 1);
    rename_device(db, "c");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "c", one) == GW_OK,
       "%s: and followed there: %s", who, error);

    /* the one before is kept, and who writes to it has not gone */

    remove_registry(real);
    sql(real, "CREATE TABLE device (device TEXT)");
    unlink(link);
    ok(symlink(real, link) == 0 && ask('c', "", "", "") == 0
       && strstr(error, "no registry of devices")
       && ask('k', "", "c", one) == GW_OK,
       "%s: led to what is no registry the old one is kept", who);
    rename_device(db, "d");
    ok(ask('c', "", "", "") == 1 && strstr(error, "no registry of devices"),
       "%s: a change of it is seen: %s", who, error);
    ok(ask('k', "", "c", one) == GW_DECLINED
       && ask('k', "", "d", one) == GW_OK && ask('c', "", "", "") == 0,
       "%s: and holds", who);

    unlink(link);
    ok(ask('c', "", "", "") == 0 && strstr(error, "leads nowhere")
       && ask('k', "", "d", one) == GW_OK,
       "%s: led nowhere it is kept as well", who);
    rename_device(db, "e");
    ok(ask('c', "", "", "") == 1 && error[0]
       && ask('k', "", "d", one) == GW_DECLINED
       && ask('k', "", "e", one) == GW_OK,
       "%s: and a change of it seen", who);

    ok(symlink(next, link) == 0 && ask('c', "", "", "") >= 0
       && error[0] == '\0' && ask('k', "", "e", one) == GW_OK,
       "%s: led back all is well: %s", who, error);

    sqlite3_close(db);
    ask('l', "", "", "");

    /* nobody reads it as a file at rest, of which a page may be in memory */

    age(next);
    ok(ask('o', file, "", "") == 1 && ask('k', "", "e", one) == GW_OK
       && unlink(link) == 0, "%s: out of reach again: %s", who, error);
    sql(next, "UPDATE device SET device = 'f'");
    ok(ask('k', "", "e", one) != GW_OK,
       "%s: who was taken out of it there is not let in: %s", who, error);
    ask('l', "", "", "");

    ok(ask('o', file, "", "") == 0 && strstr(error, "leads nowhere"),
       "%s: a link that leads nowhere is not opened: %s", who, error);
    ok(symlink(dir, link) == 0 && ask('o', file, "", "") == 0
       && strstr(error, "no regular file"),
       "%s: nor is one to a folder: %s", who, error);
    unlink(link);
    ok(symlink(file, link) == 0 && ask('o', file, "", "") == 0 && error[0],
       "%s: nor one to itself: %s", who, error);

    unlink(link);
    unlink(file);
    remove_registry(real);
    remove_registry(next);
}


/* a folder that a link leads to is renamed, and the link after it: what -wal is
   beside is the same file in another place */

static void
test_moved_folder(const char *file)
{
    char      old[128], new[128], link[128], db_old[160], db_new[160];
    char      one[64], name[160];
    sqlite3  *db;

    snprintf(old, sizeof(old), "%s.1", file);
    snprintf(new, sizeof(new), "%s.2", file);
    snprintf(link, sizeof(link), "%s.now", file);
    snprintf(db_old, sizeof(db_old), "%s/d.db", old);
    snprintf(db_new, sizeof(db_new), "%s/d.db", new);
    snprintf(name, sizeof(name), "%s/d.db", link);

    ok(mkdir(old, 0755) == 0 && symlink(old, link) == 0,
       "%s: a link leads to the folder of a registry", who);
    create(db_old);
    add(db_old, "pump-7", 1, "|", one);
    age(db_old);

    ok(ask('o', name, "", "") == 1 && ask('k', "", "pump-7", one) == GW_OK,
       "%s: it is open: %s", who, error);

    rename(old, new);
    unlink(link);
    ok(symlink(new, link) == 0 && ask('c', "", "", "") == 1
       && error[0] == '\0' && ask('k', "", "pump-7", one) == GW_OK,
       "%s: the folder has another name: %s", who, error);

    db = writer(db_new, 0);
    ok(rename_device(db, "a") && ask('c', "", "", "") == 1
       && ask('k', "", "a", one) == GW_OK
       && ask('k', "", "pump-7", one) == GW_DECLINED,
       "%s: what is written to its log is seen: %s", who, error);
    sqlite3_close(db);

    ask('l', "", "", "");
    unlink(link);
    remove_registry(db_new);
    rmdir(new);
}


/* the log is taken away by hand, and the next writer begins another */

static void
test_taken_log(const char *file)
{
    char      one[64];
    sqlite3  *db;

    create(file);
    add(file, "pump-7", 1, "|", one);

    db = writer(file, 1);
    rename_device(db, "a");
    ok(ask('o', file, "", "") == 1 && ask('k', "", "a", one) == GW_OK,
       "%s: a registry with a log is open: %s", who, error);
    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    ok(ask('c', "", "", "") >= 0 && ask('k', "", "a", one) == GW_OK,
       "%s: nothing is lost by a checkpoint", who);
    sqlite3_close(db);

    drop_log(file);
    sql(file, "UPDATE device SET device = 'b'");

    ok(ask('c', "", "", "") == 1 && ask('k', "", "b", one) == GW_OK
       && ask('k', "", "a", one) == GW_DECLINED,
       "%s: a commit to another log is seen: %s", who, error);
    sql(file, "UPDATE device SET device = 'c'");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "c", one) == GW_OK
       && ask('k', "", "b", one) == GW_DECLINED,
       "%s: so is the next one", who);

    ask('l', "", "", "");
}


static void
test_removed(const char *file)
{
    char  one[64], two[64];

    create(file);
    add(file, "pump-7", 1, "|", one);
    age(file);

    ok(ask('o', file, "", "") == 1 && ask('k', "", "pump-7", one) == GW_OK,
       "%s: a registry is open", who);

    remove_registry(file);
    ask('c', "", "", "");
    ok(ask('c', "", "", "") == 0 && strstr(error, "No such file"),
       "%s: that it was removed is said: %s", who, error);

    create(file);
    add(file, "pump-7", 2, "|", two);

    ok(ask('c', "", "", "") == 1 && error[0] == '\0'
       && ask('k', "", "pump-7", one) == GW_DECLINED
       && ask('k', "", "pump-7", two) == GW_OK,
       "%s: that it is back is seen: %s", who, error);

    /* renamed, with its log moved out of the way as is told */

    snprintf(error, sizeof(error), "%s.new", file);
    create(error);
    add(error, "pump-7", 3, "|", one);
    drop_log(file);
    rename(error, file);

    ok(ask('c', "", "", "") == 1
       && ask('k', "", "pump-7", two) == GW_DECLINED
       && ask('k', "", "pump-7", one) == GW_OK,
       "%s: that another has its name is seen: %s", who, error);

    ask('l', "", "", "");
}


static void
test_copied(const char *file)
{
    char      one[64], two[64], fresh[128], command[320];
    sqlite3  *db;

    snprintf(fresh, sizeof(fresh), "%s.new", file);
    create(file);
    add(file, "pump-7", 1, "|", one);
    create(fresh);
    add(fresh, "pump-7", 2, "|", two);

    db = writer(file, 1);
    rename_device(db, "pump-7");
    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(db);
    age(file);

    ok(ask('o', file, "", "") == 1 && ask('k', "", "pump-7", one) == GW_OK,
       "%s: a registry is open", who);

    snprintf(command, sizeof(command), "cat '%s' > '%s'", fresh, file);
    ok(system(command) == 0, "%s: another is copied over it", who);
    ok(ask('c', "", "", "") == 1
       && ask('k', "", "pump-7", one) == GW_DECLINED
       && ask('k', "", "pump-7", two) == GW_OK, "%s: it is seen: %s", who,
       error);

    remove_registry(fresh);
    ask('l', "", "", "");
}


static double
seconds(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}


static void
test_rollback(const char *file)
{
    char      one[64];
    double    before;
    sqlite3  *db;

    create(file);
    add(file, "a", 1, "|", one);
    sql(file, "PRAGMA journal_mode = DELETE");
    age(file);

    ok(ask('o', file, "", "") == 1 && ask('k', "", "a", one) == GW_OK
       && ask('c', "", "", "") == 0,
       "%s: a registry without a log is open: %s", who, error);

    sql(file, "UPDATE device SET device = 'b'");
    ok(ask('c', "", "", "") == 1 && ask('c', "", "", "") == 0
       && ask('k', "", "b", one) == GW_OK
       && ask('k', "", "a", one) == GW_DECLINED, "%s: a commit is seen", who);

    db = writer(file, 0);
    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    rename_device(db, "c");

    before = seconds();
    ok(ask('k', "", "b", one) == GW_ERROR && strstr(error, "locked"),
       "%s: while it is locked nobody is let in: %s", who, error);
    ok(ask('c', "", "", "") == 0 && strstr(error, "locked"),
       "%s: which is said: %s", who, error);
    ok(seconds() - before < 1, "%s: at once", who);

    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    ok(ask('c', "", "", "") == 1 && ask('k', "", "c", one) == GW_OK
       && ask('k', "", "b", one) == GW_DECLINED,
       "%s: the commit is seen afterwards", who);

    sql(file, "PRAGMA journal_mode = WAL; UPDATE device SET device = 'd'");
    ok(ask('c', "", "", "") == 1 && ask('k', "", "d", one) == GW_OK
       && ask('k', "", "c", one) == GW_DECLINED,
       "%s: so is one to the log that it has from now: %s", who, error);

    ask('l', "", "", "");
}


static void
overwrite(const char *file, off_t at, const void *p, size_t n)
{
    int  fd;

    fd = open(file, O_WRONLY);

    if (fd < 0 || pwrite(fd, p, n, at) != (ssize_t) n) {
        printf("Bail out! pwrite\n");
        exit(1);
    }

    close(fd);
}


static void
many(const char *file, char *secret)
{
    create(file);
    sql(file, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
              " WHERE i < 3000) INSERT INTO device (device, salt, secret)"
              " SELECT 'n' || i, randomblob(16), randomblob(32) FROM n");
    add(file, "m", 1, "|", secret);
    age(file);
}


static void
test_destroyed(const char *file)
{
    int          rc, wrong, good, failed, refused;
    char         one[64], none[64];
    off_t        at;
    uint8_t      noise[256];
    uint64_t     x;
    unsigned     i, k;
    struct stat  st;

    static const char  page[4096] = "no page of a database";

    many(file, one);
    memset(none, 'A', 43);
    none[43] = '\0';

    /* all of it */

    stat(file, &st);
    ok(ask('o', file, "", "") == 1, "%s: a registry of many is open", who);

    for (at = 0; at < st.st_size; at += (off_t) sizeof(page)) {
        overwrite(file, at, page, sizeof(page));
    }

    ok(ask('k', "", "m", one) == GW_ERROR && error[0],
       "%s: of one that was overwritten none is let in: %s", who, error);
    ask('c', "", "", "");
    ok(ask('k', "", "m", one) == GW_ERROR, "%s: nor afterwards", who);
    ask('l', "", "", "");
    ok(ask('o', file, "", "") == 0 && error[0],
       "%s: nor is it opened: %s", who, error);

    remove_registry(file);

    /* cut short while it is open: to nothing, and to two pages */

    for (i = 0; i < 2; i++) {
        many(file, one);
        ok(ask('o', file, "", "") == 1 && truncate(file, i * 8192) == 0,
           "%s: a registry is cut to %u bytes", who, i * 8192);
        ok(ask('k', "", "m", one) == GW_ERROR, "%s: none is let in: %s", who,
           error);
        ask('c', "", "", "");
        ok(ask('k', "", "m", one) == GW_ERROR, "%s: nor afterwards", who);

        remove_registry(file);
        many(file, one);
        ok(ask('c', "", "", "") == 1 && ask('k', "", "m", one) == GW_OK,
           "%s: before another takes its place", who);
        ask('l', "", "", "");
        remove_registry(file);
    }

    /* noise at many places */

    many(file, one);
    x = 88172645463325252ULL;
    wrong = 0;
    good = 0;
    failed = 0;
    refused = 0;

    for (i = 0; i < 60; i++) {
        stat(file, &st);

        for (k = 0; k < 20; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            memset(noise, (int) (x >> 32), sizeof(noise));
            overwrite(file, i % 3 == 0 && k == 0 ? (off_t) (x % 8192)
                            : (off_t) (x % (uint64_t) (st.st_size - 256)),
                      noise, 1 + x % 64);
        }

        if (ask('o', file, "", "") == 0) {
            refused++;

        } else {
            rc = ask('k', "", "m", one);
            good += rc == GW_OK;
            failed += rc == GW_ERROR;
            wrong += ask('k', "", "m", none) == GW_OK
                     || ask('k', "", "n7", one) == GW_OK;
            ask('c', "", "", "");
            ask('l', "", "", "");
        }

        if (i % 3 == 2) {
            remove_registry(file);
            many(file, one);
        }
    }

    is_u64(wrong, 0, "%s: noise lets nobody in with a wrong secret", who);
    ok(good && failed && refused, "%s: it was noise of each kind:"
       " %d let in, %d failed, %d not opened", who, good, failed, refused);
}


/*
 * A writer that is stopped between the two copies of the header of the log's
 * index (SQLite, "WAL-mode file format", section 2.1) with the write lock, the
 * byte 120 of -shm.
 */

static void
test_stopped(const char *file)
{
    int           fd, go[2];
    char          one[64], name[128], byte;
    double        before;
    pid_t         pid;
    uint32_t     *shm;
    sqlite3      *db;
    struct flock  lock;

    create(file);
    add(file, "a", 1, "|", one);
    db = writer(file, 1);
    rename_device(db, "b");
    sqlite3_close(db);

    snprintf(name, sizeof(name), "%s-shm", file);

    /* to close a file drops all locks that the process has on it */

    fd = open(name, O_RDWR);
    shm = mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd < 0 || shm == MAP_FAILED) {
        exit(1);
    }

    close(fd);
    db = writer(file, 1);
    rename_device(db, "c");

    ok(ask('o', file, "", "") == 1 && ask('k', "", "c", one) == GW_OK,
       "%s: a registry with a writer is open", who);

    if (pipe(go) != 0) {
        exit(1);
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        fd = open(name, O_RDWR);
        memset(&lock, 0, sizeof(lock));
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 120;
        lock.l_len = 1;

        if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) {
            _exit(1);
        }

        shm[2]++;
        byte = 'r';

        if (write(go[1], &byte, 1) != 1) {
            _exit(1);
        }

        for ( ;; ) {
            pause();
        }
    }

    close(go[1]);
    ok(read(go[0], &byte, 1) == 1, "%s: a writer is stopped half-way", who);
    close(go[0]);

    before = seconds();
    ok(ask('k', "", "c", one) == GW_ERROR, "%s: meanwhile a look-up fails: %s",
       who, error);
    ok(ask('c', "", "", "") == 0 && error[0], "%s: which is said: %s", who,
       error);
    ok(seconds() - before < 1, "%s: it was not waited for", who);

    shm[2]--;
    munmap(shm, 32768);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    ok(ask('k', "", "c", one) == GW_OK, "%s: it goes on afterwards: %s", who,
       error);
    sqlite3_close(db);
    ask('l', "", "", "");
}


/* commits, checkpoints and a last one, as fast as they go */

static void
test_followed(const char *file)
{
    int       i, status;
    char      one[64], text[128], byte;
    int       go[2];
    pid_t     pid;
    sqlite3  *db;

    create(file);
    add(file, "a", 1, ", 'x', 'x'|, tenant, speaks_for", one);

    if (pipe(go) != 0) {
        exit(1);
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        close(go[1]);
        db = NULL;
        byte = read(go[0], &byte, 1) == 1 ? 'w' : 'x';
        status = byte != 'w';

        for (i = 0; i <= 400; i++) {

            /* every tenth is the only writer, and the last that leaves */

            if (i % 10 == 0) {
                sqlite3_close(db);
                db = writer(file, 0);
                sqlite3_busy_timeout(db, 10000);
                sqlite3_exec(db, "PRAGMA synchronous = OFF;"
                             " PRAGMA wal_autocheckpoint = 3", NULL, NULL,
                             NULL);
            }

            snprintf(text, sizeof(text), i == 400
                     ? "UPDATE device SET tenant = 'end', speaks_for = 'end'"
                     : "UPDATE device SET tenant = 'n%d', speaks_for = 'n%d'",
                     i, i);

            if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
                status = 1;
            }
        }

        sqlite3_close(db);
        _exit(status);
    }

    close(go[0]);
    ok(ask('o', file, "", "") == 1 && write(go[1], "w", 1) == 1,
       "%s: a writer writes", who);
    close(go[1]);

    i = ask('f', "", "a", one);
    ok(i == 0, "%s: each row is read as it was written: %d %s", who, i, error);
    ok(waitpid(pid, &status, 0) == pid && status == 0,
       "%s: and the writer never failed", who);

    ask('l', "", "", "");
}


static void
test_reader(int as_nobody, const char *file)
{
    int       status;
    pid_t     pid;
    unsigned  i;

    static void (*const  nobodys[])(const char *) = {
        test_bare_file, test_logged_file, test_empty_log, test_modes
    };
    static void (*const  tests[])(const char *) = {
        test_link, test_moved_folder, test_taken_log, test_removed,
        test_copied, test_rollback, test_destroyed, test_stopped, test_followed
    };

    if (pipe(orders) != 0 || pipe(answers) != 0) {
        exit(1);
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        close(orders[1]);
        close(answers[0]);
        serve(as_nobody);
    }

    close(orders[0]);
    close(answers[1]);

    if (as_nobody) {
        for (i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++) {
            remove_registry(file);
            nobodys[i](file);
        }
    }

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        remove_registry(file);
        tests[i](file);
    }

    remove_registry(file);
    close(orders[1]);
    close(answers[0]);

    ok(waitpid(pid, &status, 0) == pid && status == 0,
       "%s: the reader ends well", who);
}


int
main(void)
{
    char  odd[96];

    begin();

    snprintf(odd, sizeof(odd), "%s/a?b#c%%41 d.db", dir);

    test_changed();
    test_paths();

    who = "writer";
    test_reader(0, other);

    if (geteuid() == 0) {
        chmod(dir, 0755);
        who = "nobody";
        test_reader(1, other);
        test_reader(1, odd);

    } else {
        ok(1, "nobody: a reader that may not write # SKIP only root can"
           " become somebody else");
    }

    end();

    return done_testing();
}
