/*
 * gw_registry.h - the devices that may send: a SQLite database, read here and
 * written by sqlite3 or any other program (schema: registry.sql).
 *
 * One handle a worker, opened after fork, on the event loop; read only, WAL.
 * A look-up is one prepared statement by primary key: microseconds while the
 * page is in memory.  The file must be local.  Memory is bounded by the page
 * cache that open() sets, whatever the number of devices.
 *
 * No call waits for a lock, and none writes or checkpoints.  Where a commit of
 * another process was stopped half-way, a call takes 10 ms at most, and fails.
 * In rollback mode (not WAL) look-ups fail while somebody commits.
 *
 * A row that the schema would not have let in, whoever wrote it (a NULL, number
 * or blob for a text, bytes beyond printable ASCII, a list with a blank or too
 * long, an enabled of 2), is GW_ERROR to who proved to be that device, and no
 * identity, also no part of one.  A salt, secret or hmac_key that is no blob of
 * its size is none.  A value above 64 KiB is GW_ERROR to everybody.
 *
 * A secret is 32 random bytes, shown once as base64url (43 characters); kept is
 * SHA-256(salt || secret).  Random secrets need no slow hash, and a slow hash
 * has no place on an event loop.  Comparison takes the same time wherever the
 * difference is, and an unknown device is compared with a hash of its own.
 */

#ifndef _GW_REGISTRY_H_INCLUDED_
#define _GW_REGISTRY_H_INCLUDED_


#include "gw.h"
#include "gw_identity.h"
#include "gw_outcome.h"


#define GW_SECRET_LEN       32
#define GW_SECRET_TEXT_LEN  43

#define GW_CLASS_LIST_MAX   1024   /* bytes of the list, commas included */

#define GW_HMAC_KEY_MIN     32
#define GW_HMAC_KEY_MAX     64

typedef struct gw_registry_s  gw_registry_t;


/*
 * path: absolute; it may lead through links.  The file that it leads to is
 * the registry, and its -wal and -shm are beside that one.
 * names: the gateway's classes, to be kept as long as the registry.
 * NULL: *error says what is wrong (no such file, not a registry, of a version
 * that is not ours).  cache_kb: page cache of this handle.
 */
gw_registry_t *gw_registry_open(const char *path, const gw_str_t *names,
    unsigned nclasses, unsigned cache_kb, char *error, size_t error_size);
void gw_registry_close(gw_registry_t *r);

/*
 * 1: somebody has committed since the last call (PRAGMA data_version), or the
 * file was opened anew; 0: nothing new.  In both cases *error, which is
 * otherwise untouched, may say what is wrong now; each call tries again.
 *
 *  - replaced by another file (rename, or a link that leads elsewhere now):
 *    that one is opened.  Where it is none of ours the old one is kept, with
 *    *error.  Whoever renames a file over it must remove its -wal and -shm
 *    first: SQLite would apply them to the new one;
 *  - written over in its place (cp): it is opened anew.  A checkpoint looks the
 *    same.  SQLite knows nothing of it: use rename, or the command .backup;
 *  - removed, or out of reach: the old one is kept, with *error;
 *  - its -wal or -shm removed by hand: it is opened anew.  Where that fails no
 *    device is known and all look-ups are GW_ERROR, until it succeeds;
 *  - destroyed: look-ups are GW_ERROR as soon as they read what is destroyed,
 *    and all of them from the first call that cannot open it anew;
 *  - locked, by a recovery, by a writer in rollback mode, or by the last writer
 *    that leaves where the worker cannot write: *error, look-ups are GW_ERROR
 *    while it lasts, and the change is told by the first call behind it.
 *
 * A worker need not be able to write anything.  If it cannot, a commit may be
 * told again by each call for 2 s (times of files are that coarse), and in WAL
 * mode -shm must be readable to it wherever there is a -wal.
 *
 * Some microseconds; to be called a few times a second.
 */
int gw_registry_changed(gw_registry_t *r, char *error, size_t error_size);

/*
 * Looks the device up and compares its secret (text as it was sent).
 * now: seconds since 1970.  GW_OK: identity filled; GW_DECLINED: *reason is
 * GW_R_UNAUTHENTICATED (unknown device and bad secret alike) or GW_R_REVOKED
 * (right secret; disabled or out of its time); GW_ERROR: the database cannot
 * be read: *reason is GW_R_INTERNAL, the caller refuses and tells the log.
 */
int gw_registry_check(gw_registry_t *r, const uint8_t *device, size_t len,
    const uint8_t *secret, size_t secret_len, int64_t now,
    gw_identity_t *identity, gw_reason_e *reason);

/*
 * The key a device signs its requests with (column hmac_key, 32 to 64 bytes):
 * returns its length in bytes, copied to key (of 64 bytes), with GW_R_NONE and
 * identity filled, or, where the device is disabled or out of its time, with
 * GW_R_REVOKED, which only he may be told who has this key.  0: unknown, no
 * key (GW_R_UNAUTHENTICATED), or GW_R_INTERNAL.
 */
size_t gw_registry_hmac_key(gw_registry_t *r, const uint8_t *device,
    size_t len, int64_t now, uint8_t *key, gw_identity_t *identity,
    gw_reason_e *reason);

/*
 * The row of a device that another method, a certificate, has proved to be
 * itself.  GW_OK: identity filled; GW_DECLINED: *reason is GW_R_FORBIDDEN (no
 * such row) or GW_R_REVOKED; GW_ERROR: GW_R_INTERNAL, as of gw_registry_check.
 */
int gw_registry_find_device(gw_registry_t *r, const uint8_t *device,
    size_t len, int64_t now, gw_identity_t *identity, gw_reason_e *reason);

/* why the last look-up was GW_ERROR (of gw_registry_hmac_key: 0 and
   GW_R_INTERNAL), a constant for the log; "": it was not */
const char *gw_registry_detail(const gw_registry_t *r);


#endif /* _GW_REGISTRY_H_INCLUDED_ */
