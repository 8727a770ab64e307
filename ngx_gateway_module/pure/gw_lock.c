/*
 * gw_lock.c - see gw_lock.h.
 *
 * The kernel walks the list of robust mutexes of a thread that ends, however
 * it ends, and marks those it held: the next one to lock gets EOWNERDEAD.  The
 * mutex is made consistent at once; should the one who repairs die as well,
 * the next is told again.
 */

#include <errno.h>

#include "gw_lock.h"


int
gw_lock_init(gw_lock_t *lock)
{
    int                  rc;
    pthread_mutexattr_t  attr;

    if (pthread_mutexattr_init(&attr) != 0) {
        return GW_ERROR;
    }

    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);

    if (rc == 0) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }

    if (rc == 0) {
        rc = pthread_mutex_init(&lock->mutex, &attr);
    }

    (void) pthread_mutexattr_destroy(&attr);

    return rc == 0 ? GW_OK : GW_ERROR;
}


int
gw_lock(gw_lock_t *lock)
{
    int  rc;

    rc = pthread_mutex_lock(&lock->mutex);

    if (rc == 0) {
        return GW_OK;
    }

    if (rc != EOWNERDEAD) {
        return GW_ERROR;
    }

    if (pthread_mutex_consistent(&lock->mutex) != 0) {

        /* unlocked so, nobody gets it any more, rather than unrepaired */

        (void) pthread_mutex_unlock(&lock->mutex);
        return GW_ERROR;
    }

    return GW_AGAIN;
}


void
gw_unlock(gw_lock_t *lock)
{
    (void) pthread_mutex_unlock(&lock->mutex);
}
