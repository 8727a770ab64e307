/*
 * gw_stats.c - see gw_stats.h.
 *
 * The sequence lock, one writer: the sequence becomes odd before the first
 * field is written and even after the last.  On x86 both are plain stores; the
 * fences keep the compiler, and weaker machines, to that order.
 */

#include "gw_stats.h"


#define GW_STATS_TRIES  1000


/* a slot seen as words, brokers' names and 32-bit fields too */
typedef uint64_t __attribute__((may_alias))  gw_stats_word_t;

/* the words of a slot behind its sequence */
#define GW_STATS_WORDS  (sizeof(gw_stats_slot_t) / sizeof(uint64_t) - 1)

/* gauges are the fields from here to the end */
#define GW_STATS_GAUGES  offsetof(gw_stats_slot_t, connections)


static inline void
gw_stats_open(gw_stats_slot_t *s)
{
    __atomic_store_n(&s->sequence, s->sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}


static inline void
gw_stats_close(gw_stats_slot_t *s)
{
    __atomic_store_n(&s->sequence, s->sequence + 1, __ATOMIC_RELEASE);
}


/* a field has one writer, but is read at any moment: whole words only */

static inline void
gw_stats_add(uint64_t *field, uint64_t n)
{
    __atomic_store_n(field, *field + n, __ATOMIC_RELAXED);
}


static inline int
gw_stats_is_shed(gw_reason_e reason)
{
    return reason == GW_R_PRESSURE || reason == GW_R_FULL
           || reason == GW_R_EXPIRED || reason == GW_R_DRAINING;
}


/*
 * What became of a message is written before that it was received: after a
 * death between the two gw_stats_repair() has only to raise a counter.
 */


void
gw_stats_begin(gw_stats_slot_t *s)
{
    if (s) {
        gw_stats_open(s);
    }
}


void
gw_stats_end(gw_stats_slot_t *s)
{
    if (s) {
        gw_stats_close(s);
    }
}


void
gw_stats_bytes(gw_stats_slot_t *s, gw_proto_e proto, uint64_t n)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->received_bytes[proto], n);
        gw_stats_close(s);
    }
}


void
gw_stats_refused(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    gw_reason_e reason)
{
    if (s) {
        gw_stats_open(s);

        if (gw_stats_is_shed(reason)) {
            gw_stats_add(&s->shed_entry[proto][cls][reason], 1);

        } else {
            gw_stats_add(&s->rejected[proto][reason], 1);
        }

        gw_stats_add(&s->received[proto], 1);

        gw_stats_close(s);
    }
}


void
gw_stats_duplicate(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->duplicate[proto][cls], 1);
        gw_stats_add(&s->received[proto], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_accepted(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->accepted[proto][cls], 1);
        gw_stats_add(&s->received[proto], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_delivered(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    uint64_t queue_us, uint64_t delivery_us)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->delivered[proto][cls], 1);
        gw_hist_add(&s->queue[cls], queue_us);
        gw_hist_add(&s->delivery[cls], delivery_us);
        gw_stats_close(s);
    }
}


void
gw_stats_dead_lettered(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->dead_lettered[proto][cls], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_failed(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->failed[proto][cls], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_shed(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    gw_reason_e reason)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->shed[proto][cls][reason], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_lost(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls)
{
    if (s) {
        gw_stats_open(s);
        gw_stats_add(&s->lost[proto][cls], 1);
        gw_stats_close(s);
    }
}


void
gw_stats_auth_failed(gw_stats_slot_t *s, gw_auth_method_e method,
    gw_reason_e reason)
{
    if (s == NULL) {
        return;
    }

    gw_stats_open(s);
    gw_stats_add(&s->auth_failures[method][reason], 1);
    gw_stats_close(s);
}


void
gw_stats_schema_failed(gw_stats_slot_t *s, unsigned cls)
{
    if (s == NULL) {
        return;
    }

    gw_stats_open(s);
    gw_stats_add(&s->schema_failures[cls], 1);
    gw_stats_close(s);
}


void
gw_stats_dedup(gw_stats_slot_t *s, gw_dedup_note_e note)
{
    if (s == NULL) {
        return;
    }

    gw_stats_open(s);
    gw_stats_add(&s->dedup[note], 1);
    gw_stats_close(s);
}


static uint64_t
gw_stats_ended(const gw_stats_slot_t *s, unsigned proto, unsigned cls)
{
    unsigned  r;
    uint64_t  n;

    n = s->delivered[proto][cls] + s->dead_lettered[proto][cls]
        + s->failed[proto][cls] + s->lost[proto][cls];

    for (r = 0; r < GW_REASON_N; r++) {
        n += s->shed[proto][cls][r];
    }

    return n;
}


/* a torn copy (GW_AGAIN of gw_stats_read) may show an end too many */

static uint64_t
gw_stats_waiting_cell(const gw_stats_slot_t *s, unsigned proto, unsigned cls)
{
    uint64_t  ended;

    ended = gw_stats_ended(s, proto, cls);

    return s->accepted[proto][cls] > ended ? s->accepted[proto][cls] - ended
                                           : 0;
}


uint64_t
gw_stats_waiting_class(const gw_stats_slot_t *s, unsigned cls)
{
    unsigned  p;
    uint64_t  n;

    n = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        n += gw_stats_waiting_cell(s, p, cls);
    }

    return n;
}


uint64_t
gw_stats_waiting_proto(const gw_stats_slot_t *s, unsigned proto)
{
    unsigned  c;
    uint64_t  n;

    n = 0;

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        n += gw_stats_waiting_cell(s, proto, c);
    }

    return n;
}


uint64_t
gw_stats_waiting(const gw_stats_slot_t *s)
{
    unsigned  p;
    uint64_t  n;

    n = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        n += gw_stats_waiting_proto(s, p);
    }

    return n;
}


/* under the write section: what waits will never end otherwise */

static uint64_t
gw_stats_give_up(gw_stats_slot_t *s)
{
    unsigned  p, c;
    uint64_t  n, lost;

    lost = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        for (c = 0; c < GW_CLASSES_MAX; c++) {
            n = gw_stats_waiting_cell(s, p, c);
            gw_stats_add(&s->lost[p][c], n);
            lost += n;
        }
    }

    memset((uint8_t *) s + GW_STATS_GAUGES, 0,
           sizeof(gw_stats_slot_t) - GW_STATS_GAUGES);

    return lost;
}


/*
 * A writer that was killed inside a section may have left it half written:
 * counted what became of a message and not yet that it was received.
 */

static void
gw_stats_repair(gw_stats_slot_t *s)
{
    unsigned  p, c, r;
    uint64_t  n;

    for (p = 0; p < GW_PROTO_N; p++) {
        n = 0;

        for (r = 0; r < GW_REASON_N; r++) {
            n += s->rejected[p][r];
        }

        for (c = 0; c < GW_CLASSES_MAX; c++) {
            n += s->duplicate[p][c] + s->accepted[p][c];

            for (r = 0; r < GW_REASON_N; r++) {
                n += s->shed_entry[p][c][r];
            }
        }

        __atomic_store_n(&s->received[p], n, __ATOMIC_RELAXED);
    }
}


uint64_t
gw_stats_claim(gw_stats_slot_t *s, uint64_t pid, uint64_t worker,
    uint64_t now, uint64_t generation)
{
    uint64_t  lost;

    if (s->sequence & 1) {
        gw_stats_repair(s);
        gw_stats_close(s);
    }

    gw_stats_open(s);

    lost = gw_stats_give_up(s);

    s->pid = pid;
    s->worker = worker;
    s->started = now;
    s->generation = generation;

    gw_stats_close(s);

    return lost;
}


uint64_t
gw_stats_leave(gw_stats_slot_t *s)
{
    uint64_t  lost;

    gw_stats_open(s);

    lost = gw_stats_give_up(s);
    s->pid = 0;

    gw_stats_close(s);

    return lost;
}


int
gw_stats_read(const gw_stats_slot_t *s, gw_stats_slot_t *to)
{
    size_t                  i;
    unsigned                n;
    uint64_t                before, after;
    gw_stats_word_t        *dst;
    const gw_stats_word_t  *src;

    src = (const gw_stats_word_t *) s + 1;
    dst = (gw_stats_word_t *) to + 1;

    for (n = 0; n < GW_STATS_TRIES; n++) {

        before = __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);

        for (i = 0; i < GW_STATS_WORDS; i++) {
            dst[i] = __atomic_load_n(&src[i], __ATOMIC_RELAXED);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        after = __atomic_load_n(&s->sequence, __ATOMIC_RELAXED);

        to->sequence = after;

        if (before == after && (before & 1) == 0) {
            return GW_OK;
        }
    }

    return GW_AGAIN;
}


static void
gw_stats_merge_brokers(gw_stats_slot_t *to, const gw_stats_slot_t *from)
{
    uint64_t                  i, k, n;
    gw_stats_broker_t        *b;
    const gw_stats_broker_t  *f;

    n = from->nbrokers < GW_STATS_BROKERS ? from->nbrokers : GW_STATS_BROKERS;

    for (i = 0; i < n; i++) {
        f = &from->brokers[i];

        for (k = 0; k < to->nbrokers; k++) {
            if (strncmp(to->brokers[k].name, f->name, GW_STATS_BROKER_NAME)
                == 0)
            {
                break;
            }
        }

        if (k == to->nbrokers) {

            if (k == GW_STATS_BROKERS) {
                continue;
            }

            to->brokers[k] = *f;
            to->nbrokers++;
            continue;
        }

        b = &to->brokers[k];

        b->up |= f->up;

        if (f->rtt_p50_us > b->rtt_p50_us) {
            b->rtt_p50_us = f->rtt_p50_us;
        }

        if (f->rtt_p99_us > b->rtt_p99_us) {
            b->rtt_p99_us = f->rtt_p99_us;
        }
    }
}


#define gw_stats_max(field)                                                   \
    if (from->field > to->field) {                                            \
        to->field = from->field;                                              \
    }


void
gw_stats_merge(gw_stats_slot_t *to, const gw_stats_slot_t *from)
{
    unsigned         p, c;
    uint64_t        *dst;
    const uint64_t  *src, *last;

    /* counters are one run of words, up to the histograms */

    src = from->received;
    dst = to->received;
    last = (const uint64_t *) from->ingest;

    while (src < last) {
        *dst++ += *src++;
    }

    for (p = 0; p < GW_PROTO_N; p++) {
        gw_hist_merge(&to->ingest[p], &from->ingest[p]);
    }

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        gw_hist_merge(&to->queue[c], &from->queue[c]);
        gw_hist_merge(&to->delivery[c], &from->delivery[c]);
    }

    if (from->pid == 0) {
        return;
    }

    for (p = 0; p < GW_PROTO_N; p++) {
        to->connections[p] += from->connections[p];
    }

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        to->queue_messages[c] += from->queue_messages[c];
        to->queue_bytes[c] += from->queue_bytes[c];
        to->inflight[c] += from->inflight[c];
        gw_stats_max(queue_oldest_ms[c]);
    }

    to->charged += from->charged;
    to->capacity += from->capacity;

    gw_stats_max(pressure);
    gw_stats_max(draining);
    gw_stats_max(kafka_up);
    gw_stats_max(loop_lag_us);
    gw_stats_max(loop_lag_max_us);

    to->auth_positive += from->auth_positive;
    to->auth_negative += from->auth_negative;
    gw_stats_max(auth_generation);

    to->dedup_held += from->dedup_held;

    gw_stats_merge_brokers(to, from);
}


const char *
gw_stats_check(const gw_stats_slot_t *s)
{
    unsigned  p, c, r;
    uint64_t  n;

    for (p = 0; p < GW_PROTO_N; p++) {
        n = 0;

        for (r = 0; r < GW_REASON_N; r++) {
            n += s->rejected[p][r];
        }

        for (c = 0; c < GW_CLASSES_MAX; c++) {
            n += s->duplicate[p][c] + s->accepted[p][c];

            for (r = 0; r < GW_REASON_N; r++) {
                n += s->shed_entry[p][c][r];
            }

            if (gw_stats_ended(s, p, c) > s->accepted[p][c]) {
                return "more messages ended than were accepted";
            }
        }

        if (n != s->received[p]) {
            return "received is not rejected + duplicate + shed at entry "
                   "+ accepted";
        }
    }

    return NULL;
}
