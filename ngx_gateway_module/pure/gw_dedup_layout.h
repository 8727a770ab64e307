/*
 * gw_dedup_layout.h - how a shard lies in shared memory; for gw_dedup*.c alone.
 *
 *     gw_dedup_t | buckets | heads of the chains of flights | flights
 *
 *     bucket: print of 8 windows, one cache line | 8 windows
 *
 * All of it is offsets and numbers: the memory lies at another address in each
 * process.  A place is free when its print is 0, a flight when its owner is 0;
 * these two words are written last when something is made and first when it
 * goes, so that what they announce is always whole.
 *
 * A killed process stops between two instructions, and whoever gets the lock
 * next sees every store it made: it is the compiler alone that must be kept
 * from changing their order.
 */

#ifndef _GW_DEDUP_LAYOUT_H_INCLUDED_
#define _GW_DEDUP_LAYOUT_H_INCLUDED_


#include "gw_dedup.h"


#define GW_DEDUP_LAYOUT    0x0001504445445747ULL   /* "GWDEDP", version 1 */

#define GW_DEDUP_WAYS      8
#define GW_DEDUP_NEWEST    8           /* numbers whose digest is known */
#define GW_DEDUP_JUMPS     64          /* a power of two */
#define GW_DEDUP_PRINTS    (GW_DEDUP_WAYS * sizeof(uint64_t))
#define GW_DEDUP_WORDS     (GW_DEDUP_WINDOW_MAX / 64)

#define gw_dedup_order()   __asm__ __volatile__ ("" ::: "memory")


/*
 * Done is: number(head), and number(head) - i for each bit i.  Bit 0 clear
 * means that nothing is done yet.  head: the number, 53 bits; KEY; JUMPED (a
 * number far above may be in the table of jumps); 9 more bits of the tag.  So
 * a device is told from another of its two buckets by 25 bits.
 */

#define GW_DEDUP_HEAD_KEY       (1ULL << 53)
#define GW_DEDUP_HEAD_JUMP    (1ULL << 54)
#define GW_DEDUP_HEAD_TAG  (0x1ffULL << 55)

#define gw_dedup_number(w)  ((w)->head & GW_SEQ_MAX)
#define gw_dedup_used(w)    ((w)->bits[0] & 1)

typedef struct {
    uint64_t           head;
    uint32_t           used;           /* second of the last use */
    uint16_t           tag;
    uint16_t           flights;
    uint8_t            digest[GW_DEDUP_NEWEST];   /* of number n at n % 8, 0:
                                          none; of a key all 32 bits at 0 */
    uint64_t           bits[];
} gw_dedup_window_t;


typedef struct {
    uint64_t           print;
    uint64_t           seq;
    uint32_t           owner;          /* 0: free */
    uint32_t           deadline;
    uint32_t           serial;
    uint32_t           digest;
    uint32_t           window;         /* its place; it is there */
    uint32_t           next;           /* index + 1: of the chain, or free */
} gw_dedup_flight_t;


/* the last number of a device that is done and far above its window */

typedef struct {
    uint64_t           print;          /* 0: none */
    uint64_t           seq;
    uint32_t           digest;
} gw_dedup_jump_t;


struct gw_dedup_s {

    /* set once, a line of their own: prefetch() reads them without the lock */

    uint64_t           layout;
    uint32_t           width;
    uint32_t           window;         /* bytes of one */
    uint32_t           bucket;         /* bytes of one */
    uint32_t           nbuckets;
    uint32_t           nflights;
    uint32_t           reserved;
    uint64_t           heads;          /* offsets */
    uint64_t           flights;
    uint64_t           size;
    uint64_t           pad;

    uint32_t           keep;
    uint8_t            full_refuse;
    uint8_t            stale_refuse;
    uint16_t           reserved2;

    uint32_t           free;           /* flight, index + 1 */
    uint32_t           serial;
    uint32_t           swept;
    gw_dedup_stats_t   stats;

    /* a window that changes, as it was; a window that moves */

    uint32_t           undo;           /* place + 1 */
    uint32_t           moved_from;
    uint32_t           moved_to;       /* place + 1 */
    uint64_t           saved[sizeof(gw_dedup_window_t) / 8 + GW_DEDUP_WORDS];

    gw_dedup_jump_t    jump[GW_DEDUP_JUMPS];
};


#define GW_DEDUP_BUCKETS_AT  ((sizeof(gw_dedup_t) + 63) & ~(size_t) 63)


static inline uint8_t *
gw_dedup_bucket(const gw_dedup_t *d, uint32_t bucket)
{
    return (uint8_t *) d + GW_DEDUP_BUCKETS_AT + (size_t) bucket * d->bucket;
}


/* of place "at": bucket * 8 + way */

static inline uint64_t *
gw_dedup_print(const gw_dedup_t *d, uint32_t at)
{
    return (uint64_t *) (void *) gw_dedup_bucket(d, at / GW_DEDUP_WAYS)
           + at % GW_DEDUP_WAYS;
}


static inline gw_dedup_window_t *
gw_dedup_window(const gw_dedup_t *d, uint32_t at)
{
    return (gw_dedup_window_t *) (void *)
           (gw_dedup_bucket(d, at / GW_DEDUP_WAYS) + GW_DEDUP_PRINTS
            + (size_t) (at % GW_DEDUP_WAYS) * d->window);
}


static inline uint32_t *
gw_dedup_heads(const gw_dedup_t *d)
{
    return (uint32_t *) (void *) ((uint8_t *) d + d->heads);
}


static inline gw_dedup_flight_t *
gw_dedup_flights(const gw_dedup_t *d)
{
    return (gw_dedup_flight_t *) (void *) ((uint8_t *) d + d->flights);
}


/*
 * Numbers are the sender's choice, prints are not: with an odd factor that he
 * does not know, the high bits of the product spread any set of numbers.
 */

static inline uint32_t
gw_dedup_chain(const gw_dedup_t *d, uint64_t print, uint64_t seq)
{
    uint64_t  h;

    h = (print | 1) * (seq + 1);

    return (uint32_t) ((h >> 32) * d->nflights >> 32);
}


static inline uint32_t
gw_dedup_tag(const gw_dedup_window_t *w)
{
    return (uint32_t) (w->head >> 55) << 16 | w->tag;
}


/* the other bucket of a window with this tag: of the other one it is this */

static inline uint32_t
gw_dedup_other(const gw_dedup_t *d, uint32_t tag, uint32_t bucket)
{
    uint32_t  sum;

    sum = (uint32_t) ((uint64_t) (uint32_t) (tag * 0x9e3779b1U)
                      * d->nbuckets >> 32);

    return sum >= bucket ? sum - bucket : sum + d->nbuckets - bucket;
}


static inline int
gw_dedup_is_done(const gw_dedup_t *d, const gw_dedup_window_t *w, uint64_t seq)
{
    uint64_t  i;

    i = gw_dedup_number(w) - seq;      /* of a number above it is huge */

    return i < d->width && (w->bits[i / 64] >> i % 64 & 1);
}


/*
 * gw_dedup_place.c: places of windows, GW_DEDUP_NONE where there is none.
 * home() is that of a device; find() a window; make() a new, empty one, which
 * may make another one go; drop() ends one.
 */

#define GW_DEDUP_NONE  UINT32_MAX

typedef struct {
    uint32_t  bucket[2];               /* the same twice: one only */
    uint32_t  tag;
} gw_dedup_home_t;

gw_dedup_home_t gw_dedup_home(const gw_dedup_t *d, uint64_t place);
uint32_t gw_dedup_find(const gw_dedup_t *d, const gw_dedup_home_t *home,
    uint64_t print);
uint32_t gw_dedup_make(gw_dedup_t *d, const gw_dedup_home_t *home,
    const gw_dedup_id_t *id, uint32_t now);
void gw_dedup_drop(gw_dedup_t *d, uint32_t at);


/*
 * gw_dedup_window.c: what a number is told that is not in flight; a flight is
 * done, within the journal.
 */

gw_dedup_verdict_e gw_dedup_judge(const gw_dedup_t *d,
    const gw_dedup_window_t *w, const gw_dedup_id_t *id,
    gw_dedup_note_e *note);
void gw_dedup_mark(gw_dedup_t *d, gw_dedup_window_t *w,
    const gw_dedup_flight_t *f);


/*
 * gw_dedup_repair.c
 */

/* flights and chains made anew from what is in the windows and flights */
void gw_dedup_recount(gw_dedup_t *d);

/* as gw_dedup_check(), of the windows alone */
const char *gw_dedup_check_windows(const gw_dedup_t *d);


#endif /* _GW_DEDUP_LAYOUT_H_INCLUDED_ */
