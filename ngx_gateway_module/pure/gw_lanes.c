/*
 * gw_lanes.c - the bounded waiting room: lanes, overload policy, fairness.
 *
 * An item leaves its lane from two places only: the head of the lane, and the
 * oldest item of the heaviest device.  Both are the oldest of their device,
 * so the queue of a device is singly linked and its account always travels
 * with the item that leaves next.
 */


#include "gw_lanes.h"


#define GW_LANES_HASH_MIN    64
#define GW_LANES_HASH_MAX    65536
#define GW_LANES_HASH_BYTES  2048      /* of the bound, for each hash bucket */

#define GW_LANES_WEIGHTS     64        /* powers of two of uint64_t */

#define GW_LANES_HEAVIER     4         /* times the bytes: clearly heavier */

/* keeps what is rare out of the frame of what every message passes */
#define gw_lanes_rare        __attribute__((noinline, cold))


enum {
    GW_LANE_FREE = 0,
    GW_LANE_WAITS,
    GW_LANE_OUT
};


typedef struct {
    gw_lane_item_t    *head;           /* the oldest */
    gw_lane_item_t    *tail;
    gw_lane_item_t    *back;           /* put back last, while it waits */
    uint64_t           share;
    gw_lane_usage_t    usage;
    uint64_t           weights;        /* bit i: weight[i] may hold devices */
    uint64_t           max_age;
    gw_overflow_e      overflow;
    gw_lane_link_t    *weight[GW_LANES_WEIGHTS];
} gw_lane_t;


struct gw_lanes_s {
    uint64_t           charged;        /* tables, reserved, lanes' bytes */
    uint64_t           bound;
    uint64_t           high;           /* pressure on: charged above */
    uint64_t           low;            /* pressure off: charged below */
    uint64_t           order;
    gw_lane_link_t   **hash;
    uint32_t           hash_shift;
    uint32_t           busy;           /* bit i: lane i is not empty */
    uint32_t           floor;
    uint32_t           takes;          /* since the floor was served */
    uint32_t           nclasses;
    uint32_t           pressure;
    uint64_t           reserved;
    uint64_t           tables;
    gw_lanes_evict_pt  evict;
    void              *ctx;

    gw_lane_t         *lane[GW_CLASSES_MAX];
};


#define gw_lane_hash_item(q)                                                  \
    ((gw_lane_item_t *) ((uint8_t *) (q) - offsetof(gw_lane_item_t, hash)))

#define gw_lane_weight_item(q)                                                \
    ((gw_lane_item_t *) ((uint8_t *) (q) - offsetof(gw_lane_item_t, weight)))


static uint32_t gw_lanes_hash_bits(const gw_lanes_conf_t *conf);
static uint64_t gw_lanes_percent(uint64_t n, uint32_t percent, uint32_t round);
static int gw_lanes_make_room(gw_lanes_t *l, const gw_lane_item_t *item)
    gw_lanes_rare;
static void gw_lanes_evict_fair(gw_lanes_t *l, gw_lane_t *lane);
static void gw_lanes_evict(gw_lanes_t *l, gw_lane_item_t *item,
    gw_reason_e reason);
static void gw_lane_dev_append(gw_lane_t *lane, gw_lane_item_t *dev,
    gw_lane_item_t *item);
static void gw_lane_dev_hand_over(gw_lane_t *lane, gw_lane_item_t *item);
static void gw_lane_back_insert(gw_lane_t *lane, gw_lane_item_t *item);
static void gw_lane_dev_back_insert(gw_lanes_t *l, gw_lane_t *lane,
    gw_lane_item_t *item);
static const char *gw_lanes_check_lane(const gw_lanes_t *l, uint32_t n);
static const char *gw_lanes_check_devices(const gw_lanes_t *l, uint32_t n,
    uint32_t *devices);


static inline void
gw_lane_link_insert(gw_lane_link_t **head, gw_lane_link_t *q)
{
    q->next = *head;
    q->pprev = head;

    if (q->next) {
        q->next->pprev = &q->next;
    }

    *head = q;
}


static inline void
gw_lane_link_remove(gw_lane_link_t *q)
{
    *q->pprev = q->next;

    if (q->next) {
        q->next->pprev = q->pprev;
    }
}


static inline void
gw_lane_link_replace(gw_lane_link_t *old, gw_lane_link_t *q)
{
    *q = *old;
    *q->pprev = q;

    if (q->next) {
        q->next->pprev = &q->next;
    }
}


static inline unsigned
gw_lane_log2(uint64_t bytes)
{
    return 63 ^ __builtin_clzll(bytes | 1);
}


static inline void
gw_lanes_charge(gw_lanes_t *l, uint64_t bytes)
{
    l->charged += bytes;

    if (l->charged > l->high) {
        l->pressure = 1;
    }
}


static inline void
gw_lanes_discharge(gw_lanes_t *l, uint64_t bytes)
{
    l->charged -= bytes;

    if (l->charged < l->low) {
        l->pressure = 0;
    }
}


static inline gw_lane_link_t **
gw_lanes_hash(const gw_lanes_t *l, uint64_t device, uint32_t lane)
{
    uint64_t  key;

    /* 2^64 / golden ratio: the top bits depend on all bits of the key */

    key = device + lane;
    key = (key ^ key >> 32) * 0x9e3779b97f4a7c15ULL;

    return &l->hash[key >> l->hash_shift];
}


static inline gw_lane_item_t *
gw_lanes_hash_find(gw_lane_link_t *q, uint64_t device, uint32_t lane)
{
    gw_lane_item_t  *item;

    for ( /* void */ ; q; q = q->next) {
        item = gw_lane_hash_item(q);

        if (item->device == device && item->lane == lane) {
            return item;
        }
    }

    return NULL;
}


static inline void
gw_lane_weight_insert(gw_lane_t *lane, gw_lane_item_t *dev)
{
    size_t  n;

    n = gw_lane_log2(dev->dev_bytes);

    gw_lane_link_insert(&lane->weight[n], &dev->weight);
    lane->weights |= (uint64_t) 1 << n;
}


static inline void
gw_lane_dev_add_bytes(gw_lane_t *lane, gw_lane_item_t *dev, uint32_t cost)
{
    unsigned  n;

    n = gw_lane_log2(dev->dev_bytes);
    dev->dev_bytes += cost;

    if (gw_lane_log2(dev->dev_bytes) != n) {
        gw_lane_link_remove(&dev->weight);
        gw_lane_weight_insert(lane, dev);
    }
}


static inline void
gw_lane_dev_create(gw_lane_t *lane, gw_lane_link_t **head,
    gw_lane_item_t *item)
{
    item->dev_next = NULL;
    item->dev_tail = item;
    item->dev_back = NULL;
    item->dev_bytes = item->cost;

    gw_lane_link_insert(head, &item->hash);
    gw_lane_weight_insert(lane, item);
}


/* the item is the oldest of its device and so holds the account */

static inline void
gw_lane_dev_remove(gw_lane_t *lane, gw_lane_item_t *item)
{
    if (item->dev_next) {
        gw_lane_dev_hand_over(lane, item);
        return;
    }

    gw_lane_link_remove(&item->hash);
    gw_lane_link_remove(&item->weight);
}


/*
 * The item no longer waits; it stays charged.  prev is item->prev: a constant
 * where the item is known to be the head.
 */

static inline void
gw_lanes_unlink(gw_lanes_t *l, gw_lane_t *lane, gw_lane_item_t *item,
    gw_lane_item_t *prev)
{
    if (prev) {
        prev->next = item->next;

    } else {
        lane->head = item->next;
    }

    if (item->next) {
        item->next->prev = prev;

    } else {
        lane->tail = prev;

        if (prev == NULL) {
            l->busy &= ~((uint32_t) 1 << item->lane);
        }
    }

    if (lane->back == item) {
        lane->back = prev;
    }

    gw_lane_dev_remove(lane, item);

    lane->usage.waiting_bytes -= item->cost;
    lane->usage.waiting--;
}


size_t
gw_lanes_size(const gw_lanes_conf_t *conf)
{
    uint32_t  n;

    n = conf->nclasses < GW_CLASSES_MAX ? conf->nclasses : GW_CLASSES_MAX;

    /* the lanes and the hash follow the head */

    return sizeof(gw_lanes_t) + n * sizeof(gw_lane_t)
           + ((size_t) 1 << gw_lanes_hash_bits(conf))
             * sizeof(gw_lane_link_t *);
}


gw_lanes_t *
gw_lanes_init(void *mem, const gw_lanes_conf_t *conf, gw_lanes_evict_pt evict,
    void *ctx)
{
    size_t                 size;
    uint32_t               i;
    gw_lane_t             *lane;
    gw_lanes_t            *l;
    const gw_lane_conf_t  *lcf;

    size = gw_lanes_size(conf);

    if (conf->nclasses == 0 || conf->nclasses > GW_CLASSES_MAX
        || conf->high > 100 || conf->low > conf->high
        || conf->bound / 2 < size || evict == NULL)
    {
        return NULL;
    }

    l = mem;

    /* all lists empty, all counters 0 */
    memset(l, 0, size);

    l->bound = conf->bound;
    l->high = gw_lanes_percent(conf->bound, conf->high, 0);
    l->low = gw_lanes_percent(conf->bound, conf->low, 99);

    if (conf->high < 100 && size >= l->low) {
        return NULL;
    }

    lane = (gw_lane_t *) (l + 1);

    l->hash = (gw_lane_link_t **) (lane + conf->nclasses);
    l->hash_shift = 64 - gw_lanes_hash_bits(conf);
    l->floor = conf->floor;
    l->nclasses = conf->nclasses;
    l->tables = size;
    l->evict = evict;
    l->ctx = ctx;

    for (i = 0; i < conf->nclasses; i++, lane++) {
        lcf = &conf->class_conf[i];

        /* above the bound it has no effect: the bound is met first */
        lane->share = lcf->share ? lcf->share : conf->bound;

        lane->max_age = lcf->max_age;
        lane->overflow = lcf->overflow;

        l->lane[i] = lane;
    }

    gw_lanes_charge(l, size);

    return l;
}


static uint32_t
gw_lanes_hash_bits(const gw_lanes_conf_t *conf)
{
    uint64_t  n;

    n = conf->bound / GW_LANES_HASH_BYTES;

    if (n < GW_LANES_HASH_MIN) {
        n = GW_LANES_HASH_MIN;
    }

    if (n > GW_LANES_HASH_MAX) {
        n = GW_LANES_HASH_MAX;
    }

    return gw_lane_log2(n);
}


/* exact for every n; percent is at most 100; round: 0 down, 99 up */

static uint64_t
gw_lanes_percent(uint64_t n, uint32_t percent, uint32_t round)
{
    return n / 100 * percent + (n % 100 * percent + round) / 100;
}


int
gw_lanes_offer(gw_lanes_t *l, gw_lane_item_t *item)
{
    gw_lane_t        *lane;
    gw_lane_item_t   *dev;
    gw_lane_link_t  **head;

    if (item->lane >= l->nclasses) {
        return GW_ERROR;
    }

    lane = l->lane[item->lane];

    if (item->cost > l->bound - l->charged
        || item->cost > lane->share - lane->usage.bytes)
    {
        if (gw_lanes_make_room(l, item) != GW_OK) {
            return GW_BUSY;
        }
    }

    item->state = GW_LANE_WAITS;
    item->order = l->order++;
    item->next = NULL;
    item->prev = lane->tail;

    if (lane->tail) {
        lane->tail->next = item;

    } else {
        lane->head = item;
        l->busy |= (uint32_t) 1 << item->lane;
    }

    lane->tail = item;

    lane->usage.bytes += item->cost;
    lane->usage.waiting_bytes += item->cost;
    lane->usage.waiting++;

    gw_lanes_charge(l, item->cost);

    head = gw_lanes_hash(l, item->device, item->lane);
    dev = gw_lanes_hash_find(*head, item->device, item->lane);

    if (dev) {
        gw_lane_dev_append(lane, dev, item);

    } else {
        gw_lane_dev_create(lane, head, item);
    }

    return GW_OK;
}


static void
gw_lane_dev_append(gw_lane_t *lane, gw_lane_item_t *dev, gw_lane_item_t *item)
{
    item->dev_next = NULL;
    dev->dev_tail->dev_next = item;
    dev->dev_tail = item;

    gw_lane_dev_add_bytes(lane, dev, item->cost);
}


/* the account moves to the next item of the device */

static void
gw_lane_dev_hand_over(gw_lane_t *lane, gw_lane_item_t *item)
{
    unsigned         n;
    gw_lane_item_t  *dev;

    dev = item->dev_next;
    n = gw_lane_log2(item->dev_bytes);

    dev->dev_tail = item->dev_tail;
    dev->dev_back = (item->dev_back == item) ? NULL : item->dev_back;
    dev->dev_bytes = item->dev_bytes - item->cost;

    gw_lane_link_replace(&item->hash, &dev->hash);

    if (gw_lane_log2(dev->dev_bytes) == n) {
        gw_lane_link_replace(&item->weight, &dev->weight);

    } else {
        gw_lane_link_remove(&item->weight);
        gw_lane_weight_insert(lane, dev);
    }
}


/*
 * The overload policy; the table in gw_lanes.h, row by row.  What could go is
 * summed up before anything goes, so a refusal costs nobody a message.
 */

static int
gw_lanes_make_room(gw_lanes_t *l, const gw_lane_item_t *item)
{
    uint32_t    i;
    uint64_t    own, room, victims;
    gw_lane_t  *lane;

    lane = l->lane[item->lane];

    own = (lane->overflow == GW_OVERFLOW_DROP_OLDEST)
          ? lane->usage.waiting_bytes : 0;

    /* neither difference wraps: no offer takes more than what is free */

    room = lane->share - lane->usage.bytes;

    if (item->cost > room && item->cost - room > own) {
        return GW_BUSY;
    }

    victims = own;

    for (i = item->lane + 1; i < l->nclasses; i++) {
        victims += l->lane[i]->usage.waiting_bytes;
    }

    room = l->bound - l->charged;

    if (item->cost > room && item->cost - room > victims) {
        return GW_BUSY;
    }

    while (item->cost > lane->share - lane->usage.bytes) {
        gw_lanes_evict_fair(l, lane);
    }

    /* the lowest that waits is never above the item: the sum was enough */

    while (item->cost > l->bound - l->charged) {
        gw_lanes_evict_fair(l, l->lane[gw_lane_log2(l->busy)]);
    }

    return GW_OK;
}


static void
gw_lanes_evict_fair(gw_lanes_t *l, gw_lane_t *lane)
{
    unsigned         n;
    gw_lane_item_t  *heavy, *victim;

    /*
     * Bits are cleared here and not where a device leaves, which each message
     * would pay for.  The lane holds an item, so there is a list.
     */

    n = gw_lane_log2(lane->weights);

    while (lane->weight[n] == NULL) {
        lane->weights &= ~((uint64_t) 1 << n);
        n = gw_lane_log2(lane->weights);
    }

    /* both are the oldest of their devices and hold the accounts */

    heavy = gw_lane_weight_item(lane->weight[n]);
    victim = lane->head;

    if (heavy->dev_bytes / GW_LANES_HEAVIER >= victim->dev_bytes) {
        victim = heavy;
    }

    gw_lanes_evict(l, victim, GW_R_FULL);
}


static void
gw_lanes_evict(gw_lanes_t *l, gw_lane_item_t *item, gw_reason_e reason)
{
    gw_lane_t  *lane;

    lane = l->lane[item->lane];

    gw_lanes_unlink(l, lane, item, item->prev);

    lane->usage.bytes -= item->cost;
    gw_lanes_discharge(l, item->cost);

    item->state = GW_LANE_FREE;

    l->evict(l->ctx, item, reason);
}


gw_lane_item_t *
gw_lanes_take(gw_lanes_t *l, uint32_t mask)
{
    uint32_t         n;
    gw_lane_t       *lane;
    gw_lane_item_t  *item;

    mask &= l->busy;

    if (mask == 0) {
        return NULL;
    }

    if (l->floor && ++l->takes >= l->floor) {
        l->takes = 0;
        n = gw_lane_log2(mask);

    } else {
        n = __builtin_ctz(mask);
    }

    lane = l->lane[n];
    item = lane->head;

    gw_lanes_unlink(l, lane, item, NULL);

    item->state = GW_LANE_OUT;

    lane->usage.out++;

    return item;
}


void
gw_lanes_put_back(gw_lanes_t *l, gw_lane_item_t *item)
{
    gw_lane_t  *lane;

    lane = l->lane[item->lane];

    gw_lane_back_insert(lane, item);
    gw_lane_dev_back_insert(l, lane, item);

    item->state = GW_LANE_WAITS;

    l->busy |= (uint32_t) 1 << item->lane;

    lane->usage.waiting_bytes += item->cost;
    lane->usage.waiting++;
    lane->usage.out--;
}


/*
 * Takes come from the head, so all that is older than the item was put back
 * too, and the scan passes nothing else.
 */

static void
gw_lane_back_insert(gw_lane_t *lane, gw_lane_item_t *item)
{
    gw_lane_item_t  *next, *prev;

    prev = lane->back;

    if (prev && prev->order > item->order) {
        prev = NULL;
    }

    next = prev ? prev->next : lane->head;

    while (next && next->order < item->order) {
        prev = next;
        next = next->next;
    }

    item->prev = prev;
    item->next = next;

    if (prev) {
        prev->next = item;

    } else {
        lane->head = item;
    }

    if (next) {
        next->prev = item;

    } else {
        lane->tail = item;
    }

    lane->back = item;
}


static void
gw_lane_dev_back_insert(gw_lanes_t *l, gw_lane_t *lane, gw_lane_item_t *item)
{
    gw_lane_item_t   *dev, *prev;
    gw_lane_link_t  **head;

    head = gw_lanes_hash(l, item->device, item->lane);
    dev = gw_lanes_hash_find(*head, item->device, item->lane);

    if (dev == NULL) {
        gw_lane_dev_create(lane, head, item);
        item->dev_back = item;
        return;
    }

    if (dev->order > item->order) {

        /* the oldest now: the account moves here */

        item->dev_next = dev;
        item->dev_tail = dev->dev_tail;
        item->dev_bytes = dev->dev_bytes;

        gw_lane_link_replace(&dev->hash, &item->hash);
        gw_lane_link_replace(&dev->weight, &item->weight);

        dev = item;

    } else {
        prev = dev->dev_back;

        if (prev == NULL || prev->order > item->order) {
            prev = dev;
        }

        while (prev->dev_next && prev->dev_next->order < item->order) {
            prev = prev->dev_next;
        }

        item->dev_next = prev->dev_next;
        prev->dev_next = item;

        if (item->dev_next == NULL) {
            dev->dev_tail = item;
        }
    }

    dev->dev_back = item;
    gw_lane_dev_add_bytes(lane, dev, item->cost);
}


void
gw_lanes_release(gw_lanes_t *l, gw_lane_item_t *item)
{
    gw_lane_t  *lane;

    lane = l->lane[item->lane];

    item->state = GW_LANE_FREE;

    lane->usage.bytes -= item->cost;
    lane->usage.out--;

    gw_lanes_discharge(l, item->cost);
}


uint32_t
gw_lanes_expire(gw_lanes_t *l, uint64_t now, uint32_t max)
{
    uint32_t         i, n;
    gw_lane_t       *lane;
    gw_lane_item_t  *item;

    n = 0;

    for (i = l->nclasses; i > 0; i--) {
        lane = l->lane[i - 1];

        if (lane->max_age == 0) {
            continue;
        }

        for ( /* void */ ; n < max; n++) {
            item = lane->head;

            if (item == NULL || now <= item->time
                || now - item->time <= lane->max_age)
            {
                break;
            }

            gw_lanes_evict(l, item, GW_R_EXPIRED);
        }
    }

    return n;
}


int
gw_lanes_reserve(gw_lanes_t *l, uint64_t bytes)
{
    if (bytes > l->bound - l->charged) {
        return GW_BUSY;
    }

    l->reserved += bytes;
    gw_lanes_charge(l, bytes);

    return GW_OK;
}


void
gw_lanes_unreserve(gw_lanes_t *l, uint64_t bytes)
{
    l->reserved -= bytes;
    gw_lanes_discharge(l, bytes);
}


unsigned
gw_lanes_pressure(const gw_lanes_t *l)
{
    return l->pressure;
}


uint64_t
gw_lanes_charged(const gw_lanes_t *l)
{
    return l->charged;
}


uint64_t
gw_lanes_bound(const gw_lanes_t *l)
{
    return l->bound;
}


uint32_t
gw_lanes_waiting(const gw_lanes_t *l)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < l->nclasses; i++) {
        n += l->lane[i]->usage.waiting;
    }

    return n;
}


uint32_t
gw_lanes_out(const gw_lanes_t *l)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < l->nclasses; i++) {
        n += l->lane[i]->usage.out;
    }

    return n;
}


const gw_lane_usage_t *
gw_lanes_usage(const gw_lanes_t *l, uint32_t lane)
{
    return &l->lane[lane]->usage;
}


uint64_t
gw_lanes_oldest(const gw_lanes_t *l, uint32_t lane)
{
    gw_lane_item_t  *item;

    item = l->lane[lane]->head;

    return item ? item->time : 0;
}


const char *
gw_lanes_check(const gw_lanes_t *l)
{
    size_t                 i;
    uint32_t               n, devices, hashed;
    uint64_t               bytes;
    const char            *err;
    gw_lane_link_t *const *pprev;

    devices = 0;
    hashed = 0;
    bytes = l->tables + l->reserved;

    for (n = 0; n < l->nclasses; n++) {
        err = gw_lanes_check_lane(l, n);
        if (err) {
            return err;
        }

        err = gw_lanes_check_devices(l, n, &devices);
        if (err) {
            return err;
        }

        bytes += l->lane[n]->usage.bytes;
    }

    for (i = 0; i < (size_t) 1 << (64 - l->hash_shift); i++) {
        for (pprev = &l->hash[i]; *pprev; pprev = &(*pprev)->next) {
            if ((*pprev)->pprev != pprev || ++hashed > devices) {
                return "a hash chain is broken";
            }
        }
    }

    if (hashed != devices) {
        return "a device is hashed but holds nothing";
    }

    if (l->busy >> l->nclasses) {
        return "a lane waits that does not exist";
    }

    if (l->charged != bytes) {
        return "the charge is not the sum of its parts";
    }

    if (l->charged > l->bound) {
        return "more is charged than the bound";
    }

    if ((l->charged > l->high && !l->pressure)
        || (l->charged < l->low && l->pressure))
    {
        return "pressure does not follow the charge";
    }

    return NULL;
}


static const char *
gw_lanes_check_lane(const gw_lanes_t *l, uint32_t n)
{
    uint32_t               items;
    uint64_t               bytes;
    const gw_lane_t       *lane;
    const gw_lane_item_t  *back, *item, *prev;

    lane = l->lane[n];
    items = 0;
    bytes = 0;
    back = NULL;
    prev = NULL;

    for (item = lane->head; item; item = item->next) {
        if (++items > lane->usage.waiting) {
            return "a lane holds more items than it counts";
        }

        if (item->prev != prev) {
            return "a lane is not linked both ways";
        }

        if (item->lane != n || item->state != GW_LANE_WAITS) {
            return "an item waits in a lane that is not its own";
        }

        if (item->order >= l->order || (prev && prev->order >= item->order)) {
            return "a lane is out of order";
        }

        if (item == lane->back) {
            back = item;
        }

        bytes += item->cost;
        prev = item;
    }

    if (lane->tail != prev || lane->back != back) {
        return "a lane points at an item that does not wait in it";
    }

    if (lane->usage.waiting != items || lane->usage.waiting_bytes != bytes) {
        return "a lane holds fewer items or bytes than it counts";
    }

    if (lane->usage.bytes < bytes
        || (lane->usage.out == 0 && lane->usage.bytes != bytes))
    {
        return "a lane's bytes are not those that wait and are out";
    }

    if (lane->usage.bytes > lane->share) {
        return "a lane holds more than its share";
    }

    if ((l->busy >> n & 1) != (items != 0)) {
        return "the map of lanes that wait is wrong";
    }

    return NULL;
}


/*
 * Each account is the only one of its device and lists distinct items in
 * order; so if the lists together are as long as the lane, every item is in
 * exactly one.
 */

static const char *
gw_lanes_check_devices(const gw_lanes_t *l, uint32_t n, uint32_t *devices)
{
    unsigned               w;
    uint32_t               items;
    uint64_t               bytes;
    const gw_lane_t       *lane;
    gw_lane_link_t *const *pprev;
    const gw_lane_item_t  *back, *dev, *item, *tail;

    lane = l->lane[n];
    items = 0;

    for (w = 0; w < GW_LANES_WEIGHTS; w++) {

        if (lane->weight[w] && !(lane->weights >> w & 1)) {
            return "the map of weights is wrong";
        }

        for (pprev = &lane->weight[w]; *pprev; pprev = &(*pprev)->next) {

            if ((*pprev)->pprev != pprev) {
                return "a list of weights is broken";
            }

            dev = gw_lane_weight_item(*pprev);

            if (gw_lane_log2(dev->dev_bytes) != w) {
                return "a device is listed at a wrong weight";
            }

            if (gw_lanes_hash_find(*gw_lanes_hash(l, dev->device, n),
                                   dev->device, n) != dev)
            {
                return "a device is not found by its hash";
            }

            bytes = 0;
            back = NULL;
            tail = NULL;

            for (item = dev; item; item = item->dev_next) {
                if (++items > lane->usage.waiting) {
                    return "the devices hold more items than their lane";
                }

                if (item->device != dev->device || item->lane != n
                    || item->state != GW_LANE_WAITS)
                {
                    return "an item is listed at a wrong device";
                }

                if (tail && tail->order >= item->order) {
                    return "a device is out of order";
                }

                if (item == dev->dev_back) {
                    back = item;
                }

                bytes += item->cost;
                tail = item;
            }

            if (dev->dev_tail != tail || dev->dev_back != back) {
                return "a device points at an item that does not wait";
            }

            if (dev->dev_bytes != bytes) {
                return "a device's bytes are not those of its items";
            }

            (*devices)++;
        }
    }

    if (items != lane->usage.waiting) {
        return "an item is listed at no device";
    }

    return NULL;
}
