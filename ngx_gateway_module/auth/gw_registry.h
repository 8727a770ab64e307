/*
 * gw_registry.h - the devices that may send: a SQLite database, read here and
 * written by sqlite3 or any other program (schema: registry.sql).
 *
 * One handle a worker, opened after fork, on the event loop; read only, WAL.
 * A look-up is one prepared statement by primary key: microseconds while the
 * page is in memory.  The file must be local.  Memory is bounded by the page
 * cache that open() sets, whatever the number of devices.
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

#define GW_HMAC_KEY_MIN     32
#define GW_HMAC_KEY_MAX     64

typedef struct gw_registry_s  gw_registry_t;


/*
 * names: the gateway's classes, to be kept as long as the registry.
 * NULL: *error says what is wrong (no such file, not a registry, of a version
 * that is not ours).  cache_kb: page cache of this handle.
 */
gw_registry_t *gw_registry_open(const char *path, const gw_str_t *names,
    unsigned nclasses, unsigned cache_kb, char *error, size_t error_size);
void gw_registry_close(gw_registry_t *r);

/*
 * 1: somebody has committed since the last call (PRAGMA data_version), or the
 * file was replaced (it is then opened anew; where that fails the old one is
 * kept, *error says why and each call tries again); 0: nothing new.  Whoever
 * replaces the file must remove its -wal and -shm first: SQLite would apply
 * them to the new one.
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
 * returns its length in bytes, copied to key (of 64 bytes); 0: unknown, none,
 * or not enabled.  identity filled where it is not 0.
 */
size_t gw_registry_hmac_key(gw_registry_t *r, const uint8_t *device,
    size_t len, int64_t now, uint8_t *key, gw_identity_t *identity,
    gw_reason_e *reason);


#endif /* _GW_REGISTRY_H_INCLUDED_ */
