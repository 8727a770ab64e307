/*
 * gw_dedup.h - which messages were here before: a sliding window of sequence
 * numbers for each (gateway, device, epoch), in shared memory.
 *
 *     absent ──begin──▶ in flight (owner, deadline) ──done──▶ done
 *        ▲                     │
 *        └──────release────────┘         shed, failed, refused
 *
 * A message is done when it is safe and not before; one that was shed or
 * failed, or whose fate nobody knows, is absent again, so that its resend gets
 * through: at least once, and twice rather than not at all.
 *
 * One part (a "shard") of the zone is one gw_dedup_t, laid out by init() in
 * memory of the caller, without a pointer in it: every process may map it
 * elsewhere.  All calls but hash() and size() want the shard's lock (gw_lock.h)
 * held; none waits, allocates, logs, or reads a clock.
 *
 * Layout: buckets of 8 windows, a cache line of their prints and a line or
 * more each of what is known; a device has two buckets, found by its hash, in
 * which all its epochs live; an idle window moves to the other one where that
 * makes room.  40 bytes a window of 64 numbers, 8 more for each further 64.
 * Flights are a table of their own, so that their number does not depend on how
 * devices spread; of one window at most 65535.
 *
 * Bounds: `windows` and `flights` at init; GW_DEDUP_EPOCHS windows a device,
 * the oldest idle one of the same device makes room; a device cannot take
 * another's place: where both its buckets are full, a window is evicted only
 * if nothing of it is in flight and it was not used for conf.keep seconds (a
 * window of a key, see below, at once), else the message is GW_DEDUP_FULL.
 *
 * Killed holder: each change of a window is written to the shard's journal
 * before, and undone by repair(); flights are counted anew.
 */

#ifndef _GW_DEDUP_H_INCLUDED_
#define _GW_DEDUP_H_INCLUDED_


#include "gw.h"


#define GW_DEDUP_EPOCHS      4
#define GW_DEDUP_WINDOW_MIN  64
#define GW_DEDUP_WINDOW_MAX  4096
#define GW_DEDUP_SECRET_LEN  192       /* XXH3_SECRET_SIZE_MIN is 136 */
#define GW_DEDUP_JUMP        1048576   /* numbers: more at once is doubted */
#define GW_DEDUP_OWNERS      256
#define GW_DEDUP_PLACES_MAX  (1U << 28) /* windows, flights of a shard */


typedef struct gw_dedup_s  gw_dedup_t;


typedef struct {
    uint32_t  windows;         /* at most, of this shard; rounded up to 8 */
    uint32_t  flights;         /* at most, of this shard */
    uint32_t  width;           /* numbers of a window: a multiple of 64 */
    uint32_t  keep;            /* seconds an idle window is safe */
    uint8_t   full_refuse;     /* zone full: 0 pass without dedup, 1 refuse */
    uint8_t   stale_refuse;    /* below the window: 0 accept, 1 refuse */
} gw_dedup_conf_t;


/* who is meant; made once a message, kept with it */

typedef struct {
    uint64_t  place;           /* of the device: its buckets, its shard */
    uint64_t  print;           /* of device and epoch; never 0, odd where it
                                  is of a key */
    uint64_t  seq;             /* 0 of a key */
    uint32_t  digest;          /* of the payload, keyed */
    uint8_t   key;             /* 1: an Idempotency-Key or a CloudEvents id in
                                  place of epoch and seq: a window of one */
} gw_dedup_id_t;


typedef enum {
    GW_DEDUP_NEW = 0,          /* in flight now, the caller's to settle */
    GW_DEDUP_DUPLICATE,        /* done */
    GW_DEDUP_IN_FLIGHT,        /* somebody else's, see *ticket */
    GW_DEDUP_CONFLICT,         /* in flight or done with another payload */
    GW_DEDUP_STALE,            /* below the window, and stale_refuse */
    GW_DEDUP_FULL              /* no room, and full_refuse */
} gw_dedup_verdict_e;


/* of GW_DEDUP_NEW: what may have happened; each is worth a counter */

typedef enum {
    GW_DEDUP_PLAIN = 0,
    GW_DEDUP_TAKEN_OVER,       /* was in flight at a worker that died, or past
                                  its deadline: a possible duplicate */
    GW_DEDUP_BELOW,            /* below the window: a possible duplicate */
    GW_DEDUP_JUMPED,           /* far above the window, which stays: a second
                                  message near this one will move it */
    GW_DEDUP_UNTRACKED,        /* no room: no ticket, nothing to settle */
    GW_DEDUP_NOTE_N
} gw_dedup_note_e;


/* "taken_over": a word for a label; "plain" for the first */
const char *gw_dedup_note_name(gw_dedup_note_e note);


typedef struct {
    uint32_t  flight;          /* index + 1; 0: none */
    uint32_t  serial;
    uint32_t  owner;           /* whose it is */
} gw_dedup_ticket_t;


typedef struct {
    uint32_t  windows;         /* in use */
    uint32_t  flights;
    uint64_t  evicted;         /* windows, since init */
    uint64_t  epochs;          /* of these, for a newer one of the device */
    uint64_t  repaired;        /* windows undone by repair() */
} gw_dedup_stats_t;


/* hash: secret of GW_DEDUP_SECRET_LEN random bytes, one for the whole zone;
   gateway: its number in the zone.  key NULL: epoch and seq count */
void gw_dedup_hash(const uint8_t *secret, uint32_t gateway,
    const gw_str_t *device, const gw_str_t *epoch, uint64_t seq,
    const gw_str_t *key, const gw_str_t *payload, gw_dedup_id_t *id);

/* bytes of a shard, a multiple of 64; 0: conf is out of its bounds */
size_t gw_dedup_size(const gw_dedup_conf_t *conf);

/* the largest conf->windows and flights (an eighth of the bytes) that fit */
void gw_dedup_fit(gw_dedup_conf_t *conf, size_t bytes);

/* mem: aligned to 64, gw_dedup_size() bytes, zeroed here */
gw_dedup_t *gw_dedup_init(void *mem, const gw_dedup_conf_t *conf);

/* a shard that is there already (a reload): keep and the policies are taken
   from conf; GW_DECLINED: it has another geometry or layout.  windows and
   flights may be 0: as it has them */
int gw_dedup_attach(gw_dedup_t *d, const gw_dedup_conf_t *conf);


/* without the lock, as soon as the id is known: begin() then waits less */
void gw_dedup_prefetch(const gw_dedup_t *d, const gw_dedup_id_t *id);


/*
 * owner: slot number << 24 | incarnation (never 0), whoever begins; alive[n]:
 * the owner that lives in slot n now, so an owner is dead when
 * alive[owner >> 24] is another one.  now: seconds, from a clock that all
 * processes share and that does not jump; deadline: after which second a
 * flight may be taken over although its owner lives; 0: never.
 *
 * NEW: *ticket to be given to done() or release() (flight 0: nothing to give),
 * *note says more.  IN_FLIGHT: *ticket is the flight of somebody else, for
 * comparison alone.
 */
gw_dedup_verdict_e gw_dedup_begin(gw_dedup_t *d, const gw_dedup_id_t *id,
    uint32_t owner, const uint32_t *alive, uint32_t now, uint32_t deadline,
    gw_dedup_ticket_t *ticket, gw_dedup_note_e *note);

/*
 * It is safe; or it is not, and nobody will bring it there.  GW_DECLINED: the
 * ticket is not in force any more (taken over, or repaired away): nothing
 * changed.
 */
int gw_dedup_done(gw_dedup_t *d, const gw_dedup_ticket_t *ticket,
    uint32_t now);
int gw_dedup_release(gw_dedup_t *d, const gw_dedup_ticket_t *ticket);

/* frees up to max flights of dead owners, next call goes on where this one
   ended.  Returns how many were freed */
uint32_t gw_dedup_sweep(gw_dedup_t *d, const uint32_t *alive, uint32_t max);

/* after a holder of the lock died */
void gw_dedup_repair(gw_dedup_t *d);

/* every invariant of the layout.  NULL: it holds; else which does not */
const char *gw_dedup_check(const gw_dedup_t *d);

const gw_dedup_stats_t *gw_dedup_stats(const gw_dedup_t *d);


/*
 * Saved and loaded: the windows as bytes, flights left out, in a form that
 * only this version, width and number of windows takes back.  seal() fills a
 * header of GW_DEDUP_HEADER bytes with the checksum; *body and *len are what
 * else is to be written.  load() takes both back into a shard fresh from
 * init(): GW_OK, or GW_ERROR with *why and the shard empty.  now: of the clock
 * of begin(), which may have started anew between the two; ages go on from
 * where they were.
 */

#define GW_DEDUP_HEADER  64

void gw_dedup_seal(const gw_dedup_t *d, uint32_t now, uint8_t *header,
    const uint8_t **body, size_t *len);
int gw_dedup_load(gw_dedup_t *d, const uint8_t *header, const uint8_t *body,
    size_t len, uint32_t now, const char **why);


#endif /* _GW_DEDUP_H_INCLUDED_ */
