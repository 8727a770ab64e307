/*
 * gw_sessions.h - which connection a client id of MQTT is of, in memory that
 * all workers share: of two connections with one client id the older one ends
 * (MQTT-3.1.4-3, of 3.1.1 MQTT-3.1.4-2), in whichever worker it is.
 *
 * Nobody is told at once: whoever takes a client id from another connection
 * raises a counter of that one's owner, who looks at it from time to time and,
 * where it rose, asks of each of his connections whether it is still the one.
 *
 *     take() ──▶ ticket ──▶ still() now and then ──▶ leave()
 *
 * An owner is a process, by a number that it has to itself while it lives.
 * What a dead one left is dropped by enter(), when its number is another's.
 *
 * Memory: one block of the caller's, of a fixed size; entries of 16 bytes in
 * buckets of eight, each client id may stand in two of them.  Where both are
 * full the connection is not known: it works, and is not found by another one.
 *
 * Called by any process; each call holds the lock for O(1) work, enter() once
 * for each bucket.
 */

#ifndef _GW_SESSIONS_H_INCLUDED_
#define _GW_SESSIONS_H_INCLUDED_


#include "gw.h"
#include "gw_lock.h"


#define GW_SESSIONS_OWNERS   256
#define GW_SESSIONS_SECRET   192           /* bytes, random */
#define GW_SESSIONS_WAYS     8


typedef struct {
    uint64_t  key;                 /* 0: free */
    uint64_t  ticket;
} gw_session_t;


typedef struct {
    gw_lock_t      lock;
    uint64_t       number;         /* of the last ticket */
    uint32_t       buckets;
    uint32_t       taken[GW_SESSIONS_OWNERS];  /* from this owner, so often */
    uint8_t        secret[GW_SESSIONS_SECRET];
    gw_session_t   bucket[][GW_SESSIONS_WAYS];
} gw_sessions_t;


/* the largest table that size bytes hold; 0: none does.  In bytes */
size_t gw_sessions_fit(size_t size);

/* mem: of size bytes, as fit() said, zeroed, aligned to 64; secret: of
   GW_SESSIONS_SECRET random bytes.  NULL: no lock */
gw_sessions_t *gw_sessions_init(void *mem, size_t size,
    const uint8_t *secret);

/* owner is a new process: nothing is of it yet */
void gw_sessions_enter(gw_sessions_t *t, unsigned owner);

/* never 0.  device: whose client it is, so that nobody ends the connection of
   another device by naming its client id */
uint64_t gw_sessions_key(const gw_sessions_t *t, const gw_str_t *device,
    const gw_str_t *client_id);

/*
 * A connection of owner has this client id from now on; fresh: it begins a new
 * session (MQTT-3.1.2-4).  GW_OK; GW_DONE: another connection had it, and its
 * owner will hear; GW_ERROR: it cannot be noted, *ticket is 0.
 */
int gw_sessions_take(gw_sessions_t *t, uint64_t key, unsigned owner,
    unsigned fresh, uint64_t *ticket);

/*
 * GW_OK: it is still the one; GW_DONE: another one has gone on in its place, or
 * had; GW_DECLINED: another one has begun a new session.
 */
int gw_sessions_still(gw_sessions_t *t, uint64_t key, uint64_t ticket);

/* the connection has ended; nothing where it is another's by now */
void gw_sessions_leave(gw_sessions_t *t, uint64_t key, uint64_t ticket);

/* rises when a client id was taken from a connection of this owner */
uint32_t gw_sessions_taken(const gw_sessions_t *t, unsigned owner);


#endif /* _GW_SESSIONS_H_INCLUDED_ */
