/*
 * ngx_gateway_dedup.h - resends are told from messages that are new, for all
 * workers together: windows of sequence numbers in the zone (pure/gw_dedup.h),
 * and the resends that wait for what is under way.
 *
 * Zone: made by the master when the zone is new, kept over reloads, written to
 * the file of "dedup state=" when the master ends and read when it starts.
 * Shards of windows, each behind a robust mutex; a worker that dies inside one
 * leaves it to be repaired by the next that comes.
 *
 * Worker: a message that has an id takes a ticket before it enters its lane
 * and gives it back at its end, done or released.  A resend of a message in
 * flight is held, charged to "buffer", until that has an end: one of this
 * worker's tells it at once, one of another worker's is looked for at each
 * tick.  A held resend whose sender has gone is dropped.
 *
 * Bounds: windows and flights by the size of the zone, held resends by an
 * eighth of "buffer", and none but of class 0 above its high mark.
 */

#ifndef _NGX_GATEWAY_DEDUP_H_INCLUDED_
#define _NGX_GATEWAY_DEDUP_H_INCLUDED_


#include "gw_dedup.h"
#include "ngx_gateway_core.h"


/* ngx_gateway_dedup_conf.c: "dedup" of the gateway block */
char *ngx_gateway_dedup_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/*
 * ngx_gateway_dedup_zone.c
 */

#define NGX_GATEWAY_DEDUP_SHARDS  16

/* NGX_OK, or NGX_ERROR: said.  create: in a zone that is new, after its slots;
   attach: to one that is kept.  *zone is in shared memory */
ngx_int_t ngx_gateway_dedup_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t **zone);
ngx_int_t ngx_gateway_dedup_zone_attach(ngx_shm_zone_t *shm_zone,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t *zone);

/* under the slab pool's mutex: slot n is taken, its owner of flights; left */
uint32_t ngx_gateway_dedup_zone_enter(ngx_gateway_dedup_zone_t *zone,
    ngx_uint_t n);
void ngx_gateway_dedup_zone_leave(ngx_gateway_dedup_zone_t *zone,
    ngx_uint_t n);

/* an owner that died; nothing where its slot is another one's by now.  Any
   process, without a lock */
void ngx_gateway_dedup_zone_bury(ngx_gateway_dedup_zone_t *zone,
    uint32_t owner);

/* the shard of an id, locked, and repaired where its last user died; NULL: the
   lock cannot be had, which is logged */
gw_dedup_t *ngx_gateway_dedup_zone_lock(ngx_gateway_dedup_zone_t *zone,
    uint64_t place, ngx_log_t *log);
void ngx_gateway_dedup_zone_unlock(ngx_gateway_dedup_zone_t *zone,
    uint64_t place);

void ngx_gateway_dedup_zone_prefetch(ngx_gateway_dedup_zone_t *zone,
    const gw_dedup_id_t *id);

const uint32_t *ngx_gateway_dedup_zone_alive(ngx_gateway_dedup_zone_t *zone);
const u_char *ngx_gateway_dedup_zone_secret(ngx_gateway_dedup_zone_t *zone);

/* sums over the shards; capacity: windows */
void ngx_gateway_dedup_zone_stats(ngx_gateway_dedup_zone_t *zone,
    gw_dedup_stats_t *stats, uint64_t *capacity);

/* in the master, at its end; failures are logged */
void ngx_gateway_dedup_zone_save(ngx_gateway_t *gateway,
    ngx_gateway_dedup_zone_t *zone, ngx_log_t *log);


/*
 * ngx_gateway_dedup.c
 */

ngx_int_t ngx_gateway_dedup_start(ngx_gateway_worker_t *w);

/* held resends get their answer; nothing is held afterwards */
void ngx_gateway_dedup_stop(ngx_gateway_worker_t *w);

/* the id of a message that has one; its device is authorised */
void ngx_gateway_dedup_identify(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg, ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope);

/*
 * NGX_OK: new, it may enter its lane; NGX_DONE: a duplicate of a message that
 * is safe; NGX_BUSY: in flight, hold() it; NGX_DECLINED: refused for *reason.
 */
ngx_int_t ngx_gateway_dedup_begin(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg, gw_reason_e *reason);

/* as begin(), for a sender who will not wait and is told of a message in
   flight that it is in memory: its owner is looked for first */
ngx_int_t ngx_gateway_dedup_begin_now(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg, gw_reason_e *reason);

/* NGX_OK: the message waits for the fate of the other one, waiter attached;
   NGX_DECLINED: no room */
ngx_int_t ngx_gateway_dedup_hold(ngx_gateway_worker_t *w,
    ngx_gateway_msg_t *msg);

/* the end of a message that began; may be called from inside of the lanes */
void ngx_gateway_dedup_settle(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    ngx_uint_t safe);

void ngx_gateway_dedup_tick(ngx_gateway_worker_t *w);

/* inside a write section of the worker's slot */
void ngx_gateway_dedup_gauges(ngx_gateway_worker_t *w);


#endif /* _NGX_GATEWAY_DEDUP_H_INCLUDED_ */
