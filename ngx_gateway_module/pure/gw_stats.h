/*
 * gw_stats.h - the counters of one worker and the rules that keep the books
 * balanced.
 *
 * The zone holds a table of slots.  A slot is written by the one worker that
 * holds it and read by any worker that renders a status page.  Counters only
 * rise and survive their worker; a slot whose worker died is taken over and
 * what was waiting then is counted as lost.
 *
 * Every change of a message's state is one function below, and each function
 * is one write section of the slot's sequence lock: a reader that copies the
 * slot (gw_stats_read) sees books that balance:
 *
 *   received  = rejected + duplicate + shed_entry + accepted    (by protocol)
 *   accepted  = delivered + dead_lettered + failed + shed + lost + waiting
 *
 * where waiting (in the lanes, at Kafka or held for a retry) is derived and
 * never stored.  The lock is for one writer and any readers on a machine with
 * ordinary cache coherence; a writer never waits.
 */

#ifndef _GW_STATS_H_INCLUDED_
#define _GW_STATS_H_INCLUDED_


#include "gw.h"
#include "gw_dedup.h"
#include "gw_end.h"
#include "gw_outcome.h"
#include "gw_hist.h"


#define GW_STATS_BROKERS  16
#define GW_STATS_BROKER_NAME  64


/* what a delivery report said of the message: rd_kafka_message_status() */
typedef enum {
    GW_REPORT_PERSISTED = 0,
    GW_REPORT_NOT_PERSISTED,
    GW_REPORT_POSSIBLY_PERSISTED,
    GW_REPORT_N
} gw_report_e;


typedef struct {
    char      name[GW_STATS_BROKER_NAME];   /* host:port, NUL terminated */
    uint32_t  up;
    uint32_t  rtt_p50_us;
    uint32_t  rtt_p99_us;
    uint32_t  reserved;
} gw_stats_broker_t;


/* what the cache of credentials said */
typedef enum {
    GW_AUTH_HIT = 0,
    GW_AUTH_NEGATIVE_HIT,
    GW_AUTH_MISS,
    GW_AUTH_LOOKUP_N
} gw_auth_lookup_e;


/* all of it plain words, so that an all-zero slot is a valid empty one */

typedef struct {
    volatile uint64_t  sequence;            /* odd: being written */

    /* who: 0 is a free slot; set under the zone's mutex */
    uint64_t  pid;
    uint64_t  worker;                       /* number of it: 0 .. n-1 */
    uint64_t  started;                      /* s since 1970 */
    uint64_t  generation;                   /* of the configuration */

    /* counters: rise only */
    uint64_t  received[GW_PROTO_N];
    uint64_t  received_bytes[GW_PROTO_N];
    uint64_t  rejected[GW_PROTO_N][GW_REASON_N];
    uint64_t  duplicate[GW_PROTO_N][GW_CLASSES_MAX];
    uint64_t  shed_entry[GW_PROTO_N][GW_CLASSES_MAX][GW_REASON_N];
    uint64_t  accepted[GW_PROTO_N][GW_CLASSES_MAX];
    uint64_t  delivered[GW_PROTO_N][GW_CLASSES_MAX];
    uint64_t  dead_lettered[GW_PROTO_N][GW_CLASSES_MAX];
    uint64_t  failed[GW_PROTO_N][GW_CLASSES_MAX];
    uint64_t  shed[GW_PROTO_N][GW_CLASSES_MAX][GW_REASON_N];
    uint64_t  lost[GW_PROTO_N][GW_CLASSES_MAX];

    uint64_t  timeouts[GW_PROTO_N];         /* answered "outcome unknown" */
    uint64_t  clients_gone[GW_PROTO_N];     /* left before the answer */
    uint64_t  disconnects[GW_PROTO_N][GW_END_N];  /* of those that last */

    uint64_t  kafka_reports[GW_REPORT_N];
    uint64_t  kafka_retries;                /* messages produced again by us */
    uint64_t  kafka_possible_duplicates;    /* of those: may be there twice */
    uint64_t  kafka_fatal_errors;
    uint64_t  kafka_transient_errors;       /* error reports and events */
    uint64_t  kafka_permanent_errors;
    uint64_t  kafka_tx_retries;             /* inside librdkafka */

    uint64_t  auth_failures[GW_AUTH_N][GW_REASON_N];
    uint64_t  auth_lookups[GW_AUTH_LOOKUP_N];

    uint64_t  schema_failures[GW_CLASSES_MAX];
    uint64_t  dedup[GW_DEDUP_NOTE_N];       /* new, but see gw_dedup.h */

    gw_hist_t  ingest[GW_PROTO_N];          /* first byte -> answer */
    gw_hist_t  queue[GW_CLASSES_MAX];       /* accepted -> produced */
    gw_hist_t  delivery[GW_CLASSES_MAX];    /* produced -> reported */

    /* gauges: set by the owner, zeroed when a slot changes hands */
    uint64_t  connections[GW_PROTO_N];
    uint64_t  queue_messages[GW_CLASSES_MAX];
    uint64_t  queue_bytes[GW_CLASSES_MAX];
    uint64_t  queue_oldest_ms[GW_CLASSES_MAX];   /* age */
    uint64_t  inflight[GW_CLASSES_MAX];
    uint64_t  charged;
    uint64_t  capacity;
    uint64_t  pressure;                     /* 0, 1 */
    uint64_t  draining;                     /* 0, 1 */
    uint64_t  kafka_up;                     /* 0, 1: reports come */
    uint64_t  loop_lag_us;                  /* last */
    uint64_t  loop_lag_max_us;              /* since the slot was taken */
    uint64_t  auth_positive;                /* entries of the cache */
    uint64_t  auth_negative;
    uint64_t  auth_generation;              /* changes of files taken up */
    uint64_t  dedup_held;                   /* resends that wait */
    uint64_t  nbrokers;
    gw_stats_broker_t  brokers[GW_STATS_BROKERS];
} gw_stats_slot_t;


/*
 * The writer's verbs: one write section each.  s may be NULL: nothing is
 * counted.
 */

/* bytes arrived for a message or batch; not part of the books */
void gw_stats_bytes(gw_stats_slot_t *s, gw_proto_e proto, uint64_t n);

/* a message was received and at once refused: shed reasons (GW_R_PRESSURE,
   GW_R_FULL, GW_R_EXPIRED, GW_R_DRAINING) count as shed at entry of class
   cls, all others as rejected */
void gw_stats_refused(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    gw_reason_e reason);

void gw_stats_duplicate(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls);
void gw_stats_accepted(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls);

/* how an accepted message ended */
void gw_stats_delivered(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    uint64_t queue_us, uint64_t delivery_us);
void gw_stats_dead_lettered(gw_stats_slot_t *s, gw_proto_e proto,
    unsigned cls);
void gw_stats_failed(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls);
void gw_stats_shed(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls,
    gw_reason_e reason);
void gw_stats_lost(gw_stats_slot_t *s, gw_proto_e proto, unsigned cls);

/* a sender was not taken for who he says he is; the message he may have sent
   counts as refused beside this */
void gw_stats_auth_failed(gw_stats_slot_t *s, gw_auth_method_e method,
    gw_reason_e reason);

/* data did not match its schema; the message ends beside this */
void gw_stats_schema_failed(gw_stats_slot_t *s, unsigned cls);

/* a message with an id was let in although it may be a resend */
void gw_stats_dedup(gw_stats_slot_t *s, gw_dedup_note_e note);

/* any other change: begin, write fields, end */
void gw_stats_begin(gw_stats_slot_t *s);
void gw_stats_end(gw_stats_slot_t *s);

/* accepted and not yet ended, by class over protocols; by protocol over
   classes; over all */
uint64_t gw_stats_waiting_class(const gw_stats_slot_t *s, unsigned cls);
uint64_t gw_stats_waiting_proto(const gw_stats_slot_t *s, unsigned proto);
uint64_t gw_stats_waiting(const gw_stats_slot_t *s);

/*
 * Takes a slot over (under the zone's mutex): repairs a sequence left odd,
 * counts what was waiting as lost, zeroes gauges, keeps counters.
 * Returns how many messages were lost with the former owner.
 */
uint64_t gw_stats_claim(gw_stats_slot_t *s, uint64_t pid, uint64_t worker,
    uint64_t now, uint64_t generation);

/*
 * The owner leaves in order: what still waits is counted as lost (0 after a
 * full drain), gauges zeroed, pid 0.
 */
uint64_t gw_stats_leave(gw_stats_slot_t *s);

/*
 * A consistent copy.  GW_OK; GW_AGAIN: the writer was busy for all tries (a
 * worker killed while writing): *to is a copy all the same.
 */
int gw_stats_read(const gw_stats_slot_t *s, gw_stats_slot_t *to);

/* adds counters, histograms and gauges of from to to (maximum for ages, lag
   and pressure, draining; brokers by name, up where any worker has it up) */
void gw_stats_merge(gw_stats_slot_t *to, const gw_stats_slot_t *from);

/* NULL: the books balance; else a sentence that says which does not */
const char *gw_stats_check(const gw_stats_slot_t *s);


#endif /* _GW_STATS_H_INCLUDED_ */
