/*
 * gw_lock.h - a lock in shared memory that outlives its holder: a robust
 * mutex between processes.  A worker that is killed while it holds the lock
 * leaves it to the next one, which is told to repair what it guards.
 *
 * Held for O(1) work on memory only: no call into the system, no log line, no
 * allocation while it is held.
 */

#ifndef _GW_LOCK_H_INCLUDED_
#define _GW_LOCK_H_INCLUDED_


#include <pthread.h>

#include "gw.h"


typedef struct {
    pthread_mutex_t  mutex;
} gw_lock_t;


/* in memory that all its users share.  GW_OK, or GW_ERROR: no such mutex */
int gw_lock_init(gw_lock_t *lock);

/*
 * GW_OK: held; GW_AGAIN: held, and whoever held it before died with it: what
 * it guards must be repaired before gw_unlock(); GW_ERROR: cannot be had
 */
int gw_lock(gw_lock_t *lock);

void gw_unlock(gw_lock_t *lock);


#endif /* _GW_LOCK_H_INCLUDED_ */
