/*
 * ngx_gateway_zone.c - the shared memory zone of a gateway: a table of
 * counter slots, one for each worker that runs, of whichever generation.
 *
 * A slot is taken and given back under the slab pool's mutex, the only lock
 * that the master force-unlocks when its holder dies; counting itself takes
 * no lock.  A reload keeps the zone; a zone of another size is refused, since
 * nginx would give the new workers an empty one.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/rand.h>

#include "ngx_gateway_dedup.h"


#define NGX_GATEWAY_SLOTS_MAX  256
#define NGX_GATEWAY_SLOTS_MIN  32      /* where the zone is shared */

/* the part of a zone that is for client ids: 1/16, an entry for each 256 bytes
   of the zone */
#define NGX_GATEWAY_ZONE_SESSIONS  16


typedef struct {
    uint64_t            magic;
    uint64_t            slot_size;
    uint64_t            nslots;
    uint64_t            start_time;
    gw_stats_slot_t    *slots;
    ngx_gateway_dedup_zone_t  *dedup;      /* NULL: none */
    gw_sessions_t      *sessions;          /* NULL: no room */

    /* counters are kept by the position of a class; NUL padded, "" is free */
    u_char              classes[GW_CLASSES_MAX][GW_CLASS_MAX];
} ngx_gateway_zone_t;


static ngx_int_t ngx_gateway_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_gateway_zone_sessions_create(ngx_shm_zone_t *shm_zone,
    ngx_gateway_zone_t *zone);
static ngx_uint_t ngx_gateway_zone_dead(gw_stats_slot_t *slot);
static ngx_int_t ngx_gateway_zone_classes(ngx_shm_zone_t *shm_zone,
    ngx_gateway_zone_t *zone);


char *
ngx_gateway_zone_add(ngx_conf_t *cf, ngx_gateway_t *gateway, ngx_str_t *name,
    size_t size)
{
    ngx_uint_t        i;
    ngx_cycle_t      *old;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (size < (size_t) (8 * ngx_pagesize) + 2 * sizeof(gw_stats_slot_t)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small, it needs at least %uz "
                           "bytes", name,
                           (size_t) (8 * ngx_pagesize)
                           + 2 * sizeof(gw_stats_slot_t));
        return NGX_CONF_ERROR;
    }

    old = cf->cycle->old_cycle;

    if (old && old->shared_memory.part.nelts) {
        part = &old->shared_memory.part;
        zone = part->elts;

        for (i = 0; /* void */ ; i++) {

            if (i >= part->nelts) {
                if (part->next == NULL) {
                    break;
                }

                part = part->next;
                zone = part->elts;
                i = 0;
            }

            if (zone[i].tag == &ngx_gateway_module
                && zone[i].shm.name.len == name->len
                && ngx_strncmp(zone[i].shm.name.data, name->data, name->len)
                   == 0
                && zone[i].shm.size != size)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "the size %uz of zone \"%V\" differs from "
                                   "the running %uz: a zone keeps its size "
                                   "until nginx is restarted",
                                   size, name, zone[i].shm.size);
                return NGX_CONF_ERROR;
            }
        }
    }

    zone = ngx_shared_memory_add(cf, name, size, &ngx_gateway_module);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is already used by gateway \"%V\"",
                           name, &((ngx_gateway_t *) zone->data)->name);
        return NGX_CONF_ERROR;
    }

    zone->init = ngx_gateway_zone_init;
    zone->data = gateway;

    gateway->zone = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_gateway_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_uint_t           n;
    ngx_gateway_t       *gateway;
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    gateway = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        zone = shpool->data;

        if (zone == NULL || zone->magic != NGX_GATEWAY_ZONE_MAGIC
            || zone->slot_size != sizeof(gw_stats_slot_t))
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" has another layout: restart nginx",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        if (ngx_gateway_zone_classes(shm_zone, zone) != NGX_OK) {
            return NGX_ERROR;
        }

        if (!gateway->dedup) {
            return NGX_OK;
        }

        if (zone->dedup == NULL) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" was made without \"dedup\": name a "
                          "new zone or restart nginx", &shm_zone->shm.name);
            return NGX_ERROR;
        }

        return ngx_gateway_dedup_zone_attach(shm_zone, gateway, zone->dedup);
    }

    zone = ngx_slab_calloc(shpool, sizeof(ngx_gateway_zone_t));
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->magic = NGX_GATEWAY_ZONE_MAGIC;
    zone->slot_size = sizeof(gw_stats_slot_t);
    zone->start_time = ngx_time();

    /* with dedup, windows are what a larger zone is for */

    n = (gateway->dedup ? shm_zone->shm.size / 2
                        : shm_zone->shm.size * 7 / 8 - 4 * ngx_pagesize)
        / sizeof(gw_stats_slot_t);

    if (gateway->dedup) {
        n = ngx_min(n, ngx_max(shm_zone->shm.size / 16
                               / sizeof(gw_stats_slot_t),
                               NGX_GATEWAY_SLOTS_MIN));
    }

    n = ngx_min(n, NGX_GATEWAY_SLOTS_MAX);

    zone->slots = ngx_slab_calloc(shpool, n * sizeof(gw_stats_slot_t));
    if (zone->slots == NULL) {
        return NGX_ERROR;
    }

    zone->nslots = n;
    shpool->data = zone;
    shpool->log_nomem = 0;

    if (ngx_gateway_zone_sessions_create(shm_zone, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!gateway->dedup) {
        return NGX_OK;
    }

    return ngx_gateway_dedup_zone_create(shm_zone, gateway, &zone->dedup);
}


/* made whether a listener speaks MQTT or not: a reload may bring one */

static ngx_int_t
ngx_gateway_zone_sessions_create(ngx_shm_zone_t *shm_zone,
    ngx_gateway_zone_t *zone)
{
    u_char           secret[GW_SESSIONS_SECRET];
    size_t           size;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    size = gw_sessions_fit(shm_zone->shm.size / NGX_GATEWAY_ZONE_SESSIONS
                           / ngx_pagesize * ngx_pagesize);
    if (size == 0) {
        return NGX_OK;
    }

    zone->sessions = ngx_slab_calloc(shpool, size);

    if (zone->sessions == NULL) {
        return NGX_OK;
    }

    if (RAND_bytes(secret, GW_SESSIONS_SECRET) != 1
        || gw_sessions_init(zone->sessions, size, secret) == NULL)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\": no lock, or no randomness, for the "
                      "client ids of MQTT", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Compares only: a configuration that is refused further on must leave no
 * trace.  The names are noted when the first worker of it takes a slot.
 *
 * A reload may add classes at the end.  Another order would count under the
 * wrong name, in old workers or in new ones, and of a class that went away
 * the sums would lack what it counted.
 */

static ngx_int_t
ngx_gateway_zone_classes(ngx_shm_zone_t *shm_zone, ngx_gateway_zone_t *zone)
{
    u_char          padded[GW_CLASS_MAX];
    ngx_str_t      *name;
    ngx_uint_t      i;
    ngx_gateway_t  *gateway;

    gateway = shm_zone->data;

    for (i = 0; i < gateway->classes.nelts; i++) {
        name = ngx_gateway_class_name(gateway, i);

        ngx_memzero(padded, GW_CLASS_MAX);
        ngx_memcpy(padded, name->data, name->len);

        if (zone->classes[i][0] != '\0'
            && ngx_memcmp(zone->classes[i], padded, GW_CLASS_MAX) != 0)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "class %ui of gateway \"%V\" is now \"%V\", but "
                          "zone \"%V\" counts another class there: keep the "
                          "order or name a new zone", i + 1, &gateway->name,
                          name, &shm_zone->shm.name);
            return NGX_ERROR;
        }
    }

    if (i < GW_CLASSES_MAX && zone->classes[i][0] != '\0') {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "gateway \"%V\" has fewer classes than zone \"%V\" "
                      "counts: keep them or name a new zone",
                      &gateway->name, &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


gw_stats_slot_t *
ngx_gateway_zone_claim(ngx_gateway_t *gateway, ngx_cycle_t *cycle,
    ngx_uint_t generation)
{
    uint64_t             lost;
    ngx_str_t           *name;
    ngx_uint_t           i;
    gw_stats_slot_t     *slot, *s;
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;
    slot = NULL;
    lost = 0;

    ngx_shmtx_lock(&shpool->mutex);

    for (i = 0; i < gateway->classes.nelts; i++) {
        name = ngx_gateway_class_name(gateway, i);

        if (zone->classes[i][0] == '\0') {
            ngx_memcpy(zone->classes[i], name->data, name->len);
        }
    }

    /* a dead worker's slot first, so that its loss is counted early */

    for (i = 0; i < zone->nslots; i++) {
        s = &zone->slots[i];

        if (s->pid != 0) {
            if ((ngx_pid_t) s->pid == ngx_pid
                || (kill((ngx_pid_t) s->pid, 0) == -1 && ngx_errno == ESRCH))
            {
                slot = s;
                break;
            }

        } else if (slot == NULL) {
            slot = s;
        }
    }

    if (slot) {
        lost = gw_stats_claim(slot, ngx_pid, ngx_worker, ngx_time(),
                              generation);

        if (zone->dedup) {
            (void) ngx_gateway_dedup_zone_enter(zone->dedup,
                                                slot - zone->slots);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    if (slot == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "gateway \"%V\": zone \"%V\" has no free slot of %ui: "
                      "this worker is not counted",
                      &gateway->name, &gateway->zone->shm.name,
                      (ngx_uint_t) zone->nslots);

    } else if (lost) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "gateway \"%V\": %uL messages waited in a worker that "
                      "died; none of them was acknowledged as delivered",
                      &gateway->name, lost);
    }

    return slot;
}


/*
 * nginx starts no other worker in the place of one that died while it was to
 * end, so its slot may stay as it is for long, and be counted when it is taken.
 */

void
ngx_gateway_zone_bury(ngx_gateway_t *gateway)
{
    ngx_uint_t           i;
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    /* whoever has the lock is about to change the slots; next time, then */

    if (zone->dedup == NULL || !ngx_shmtx_trylock(&shpool->mutex)) {
        return;
    }

    for (i = 0; i < zone->nslots; i++) {
        if (ngx_gateway_zone_dead(&zone->slots[i])) {
            ngx_gateway_dedup_zone_leave(zone->dedup, i);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_uint_t
ngx_gateway_zone_bury_owner(ngx_gateway_t *gateway, uint32_t owner)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    if (!ngx_gateway_zone_dead(&zone->slots[owner >> 24])) {
        return 0;
    }

    /* without the lock: a slot that was claimed meanwhile has another owner */

    ngx_gateway_dedup_zone_bury(zone->dedup, owner);

    return 1;
}


static ngx_uint_t
ngx_gateway_zone_dead(gw_stats_slot_t *slot)
{
    return slot->pid != 0 && kill((ngx_pid_t) slot->pid, 0) == -1
           && ngx_errno == ESRCH;
}


void
ngx_gateway_zone_leave(ngx_gateway_t *gateway, gw_stats_slot_t *slot)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    if (slot == NULL) {
        return;
    }

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    ngx_shmtx_lock(&shpool->mutex);

    if (zone->dedup) {
        ngx_gateway_dedup_zone_leave(zone->dedup, slot - zone->slots);
    }

    (void) gw_stats_leave(slot);
    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_gateway_dedup_zone_t *
ngx_gateway_zone_dedup(ngx_gateway_t *gateway, gw_stats_slot_t *slot,
    uint32_t *owner)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    if (zone == NULL || zone->dedup == NULL) {
        return NULL;
    }

    if (owner) {
        *owner = ngx_gateway_dedup_zone_alive(zone->dedup)[slot - zone->slots];
    }

    return zone->dedup;
}


gw_stats_slot_t *
ngx_gateway_zone_slots(ngx_gateway_t *gateway, ngx_uint_t *n)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    *n = zone->nslots;

    return zone->slots;
}


time_t
ngx_gateway_zone_start_time(ngx_gateway_t *gateway)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    return zone->start_time;
}


gw_sessions_t *
ngx_gateway_zone_sessions(ngx_gateway_t *gateway, gw_stats_slot_t *slot,
    ngx_uint_t *owner)
{
    ngx_slab_pool_t     *shpool;
    ngx_gateway_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) gateway->zone->shm.addr;
    zone = shpool->data;

    if (zone == NULL || slot == NULL) {
        return NULL;
    }

    *owner = slot - zone->slots;

    return zone->sessions;
}
