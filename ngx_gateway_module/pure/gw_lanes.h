/*
 * gw_lanes.h - the bounded, priority-aware waiting room of one worker.
 *
 * One lane per class, FIFO; class 0 is the highest.  One hard bound in bytes
 * over everything that is charged: waiting messages, messages out at the sink
 * (taken, not yet released), reservations (bodies being read) and the lanes'
 * own tables.  An item belongs to its owner (the message embeds it); lanes
 * link it between offer and take/evict, and charge it between offer and
 * release/evict.  No allocation, one thread, every operation O(1) or O(number
 * of victims).  What is taken is not evictable, and is never refused when it
 * is put back.
 *
 * The overload policy is gw_lanes_offer() and nothing else:
 *
 *   situation, an item of class c arrives          what happens
 *   ---------------------------------------------  -------------------------
 *   it fits, its class is below its share          accepted
 *   class c is at its share, c drops oldest        c's oldest goes
 *   class c is at its share, c rejects             refused
 *   full, a lower class waits                      the lowest class's oldest
 *                                                  goes, then the next lowest
 *   full, no lower class waits, c drops oldest     c's oldest goes
 *   full, no lower class waits, c rejects          refused
 *   full of what is out at the sink or reserved    refused
 *   larger than the whole bound, or its share      refused, nothing evicted
 *
 * Nothing is evicted unless the newcomer fits afterwards.  Where both the
 * share and the bound ask for room, the share is served first.  "Oldest" is
 * fair between devices: where one device holds clearly more of the lane than
 * the device whose message is oldest (at least four times the bytes), its own
 * oldest goes instead.  The heavy device is found among those of the highest
 * power of two, so it holds more than half of what the heaviest holds; a
 * device that holds eight times the bytes is never passed over.  Class 0 is
 * never evicted by anybody but itself, and by itself only where it was
 * configured to drop its oldest.
 *
 * Out: strict priority over the classes the caller names, with a floor: each
 * floor-th take serves the lowest class that waits, so it never starves.
 *
 * Pressure: above the high mark (percent of the bound) pressure is on until
 * the charge is below the low mark.
 */

#ifndef _GW_LANES_H_INCLUDED_
#define _GW_LANES_H_INCLUDED_


#include "gw.h"
#include "gw_outcome.h"


typedef enum {
    GW_OVERFLOW_REJECT = 0,
    GW_OVERFLOW_DROP_OLDEST
} gw_overflow_e;


typedef struct gw_lane_item_s  gw_lane_item_t;
typedef struct gw_lane_link_s  gw_lane_link_t;

struct gw_lane_link_s {
    gw_lane_link_t   *next;
    gw_lane_link_t  **pprev;       /* what points here */
};


struct gw_lane_item_s {
    /* set by the owner before offer, constant until release */
    uint64_t          device;      /* hash of the device id */
    uint64_t          time;        /* ms, monotonic: when it was received */
    uint32_t          cost;        /* bytes charged: all that it costs */
    uint8_t           lane;        /* class index */

    /* the lanes' own; need not be initialized */
    uint8_t           state;
    uint64_t          order;       /* rises with each offer; kept by put_back */
    gw_lane_item_t   *prev;
    gw_lane_item_t   *next;        /* in the lane */
    gw_lane_item_t   *dev_next;    /* same device, same lane, younger */

    /*
     * The account of the device in this lane.  It lives in the oldest item of
     * the device that waits there and moves on when that item leaves, so it
     * needs no memory of its own and cannot run out.
     */
    gw_lane_item_t   *dev_tail;
    gw_lane_item_t   *dev_back;    /* put back last: where the next may go */
    uint64_t          dev_bytes;
    gw_lane_link_t    hash;        /* devices by (device, lane) */
    gw_lane_link_t    weight;      /* devices by the logarithm of dev_bytes */
};


typedef struct {
    uint64_t       share;      /* bytes this class may hold; 0: the bound */
    uint64_t       max_age;    /* ms it may wait; 0: for ever */
    gw_overflow_e  overflow;
} gw_lane_conf_t;


typedef struct {
    uint64_t        bound;     /* bytes, over everything */
    uint32_t        nclasses;  /* 1 .. GW_CLASSES_MAX */
    uint32_t        high;      /* percent */
    uint32_t        low;       /* percent */
    uint32_t        floor;     /* 1 take in floor for the lowest; 0: none */
    gw_lane_conf_t  class_conf[GW_CLASSES_MAX];
} gw_lanes_conf_t;


typedef struct {
    uint64_t  bytes;           /* charged: waiting and out */
    uint64_t  waiting_bytes;
    uint32_t  waiting;         /* items */
    uint32_t  out;             /* items taken, not released */
} gw_lane_usage_t;


typedef struct gw_lanes_s  gw_lanes_t;


/*
 * The item is no longer linked nor charged; the callee owns it again and may
 * free it.  It must not call back into the lanes.
 * reason: GW_R_FULL or GW_R_EXPIRED.
 */
typedef void (*gw_lanes_evict_pt)(void *ctx, gw_lane_item_t *item,
    gw_reason_e reason);


/* bytes of memory that init lays out, tables included */
size_t gw_lanes_size(const gw_lanes_conf_t *conf);

/*
 * mem: gw_lanes_size() bytes, aligned to 64, owned by the caller.  The tables
 * are charged from the start.  NULL: conf makes no sense (no class, low above
 * high, high above 100, a bound below twice the tables, a low mark that the
 * tables alone reach, so that pressure could never end; no evict).  A high
 * mark of 100 means no pressure at all.  evict may be called inside offer()
 * and expire() only.
 */
gw_lanes_t *gw_lanes_init(void *mem, const gw_lanes_conf_t *conf,
    gw_lanes_evict_pt evict, void *ctx);

/*
 * GW_OK: linked and charged.  GW_BUSY: refused, the item still belongs to the
 * caller, nothing was evicted.  GW_ERROR: there is no such lane; likewise.
 */
int gw_lanes_offer(gw_lanes_t *l, gw_lane_item_t *item);

/*
 * The next item out, of the classes in mask (bit i = class i); it stays
 * charged until release.  NULL: none waits.
 */
gw_lane_item_t *gw_lanes_take(gw_lanes_t *l, uint32_t mask);

/*
 * A taken item goes back to its place by order; it was charged all the time,
 * so the bound does not matter.  O(1) where a batch comes back in the order
 * in which it was taken or in the reverse; else O(older items put back).
 */
void gw_lanes_put_back(gw_lanes_t *l, gw_lane_item_t *item);

/* a taken item has ended: the charge goes, the caller owns it */
void gw_lanes_release(gw_lanes_t *l, gw_lane_item_t *item);

/*
 * Evicts (GW_R_EXPIRED) what waited longer than its class allows, the lowest
 * class first; at most max items; returns how many.  Looks at the head of each
 * lane only: an item offered out of the order of its time ends no later than
 * the one before it.
 */
uint32_t gw_lanes_expire(gw_lanes_t *l, uint64_t now, uint32_t max);

/*
 * Bytes that are not a message: GW_BUSY if they do not fit without eviction.
 * unreserve() takes back what was reserved, in any pieces.
 */
int gw_lanes_reserve(gw_lanes_t *l, uint64_t bytes);
void gw_lanes_unreserve(gw_lanes_t *l, uint64_t bytes);

/* 1: above the high mark and not yet below the low mark */
unsigned gw_lanes_pressure(const gw_lanes_t *l);

uint64_t gw_lanes_charged(const gw_lanes_t *l);
uint64_t gw_lanes_bound(const gw_lanes_t *l);
uint32_t gw_lanes_waiting(const gw_lanes_t *l);   /* items, all classes */
uint32_t gw_lanes_out(const gw_lanes_t *l);
const gw_lane_usage_t *gw_lanes_usage(const gw_lanes_t *l, uint32_t lane);

/* receive time of the item at the head of the lane, 0 where none waits */
uint64_t gw_lanes_oldest(const gw_lanes_t *l, uint32_t lane);

/* every invariant, O(n); for debug builds and tests.  NULL: sound; else a
   sentence */
const char *gw_lanes_check(const gw_lanes_t *l);


#endif /* _GW_LANES_H_INCLUDED_ */
