/*
 * ngx_gateway_kafka.h - the Kafka sink: one librdkafka producer for each
 * gateway and worker, made after fork.
 *
 * The window.  librdkafka holds at most window_messages and window_bytes of
 * ours, so that priority rules in the lanes; the lowest class may fill three
 * quarters of it.  librdkafka references a message's value until its report,
 * so the message stays ours and charged until then.
 *
 * Threads.  librdkafka's own threads touch nothing of nginx: reports, errors,
 * logs and statistics come as events through one queue, whose wake-up is a
 * write to the worker's eventfd; all are served on the loop.  A handle that
 * is given up is destroyed by a thread of its own, since that may wait.
 *
 * The gate, one a class.  A transient failure closes it: nothing of the class
 * is sent until all that is out has been reported (what failed is back in its
 * lane by then, in order) and a backoff has passed; then one message probes,
 * and its success opens the gate.
 */

#ifndef _NGX_GATEWAY_KAFKA_H_INCLUDED_
#define _NGX_GATEWAY_KAFKA_H_INCLUDED_


#include "ngx_gateway_core.h"

#include <librdkafka/rdkafka.h>


#define NGX_GATEWAY_KAFKA_TOPICS_MAX  64      /* distinct, by variables */


typedef enum {
    NGX_GATEWAY_GATE_OPEN = 0,
    NGX_GATEWAY_GATE_CLOSED,
    NGX_GATEWAY_GATE_PROBE
} ngx_gateway_gate_e;


typedef struct {
    ngx_gateway_gate_e       gate;
    ngx_uint_t               attempt;         /* of the backoff */
    ngx_msec_t               retry_at;
    ngx_uint_t               out;             /* messages at librdkafka */
    size_t                   out_bytes;
} ngx_gateway_kafka_class_t;


typedef struct {
    ngx_str_t                name;            /* NUL terminated */
    rd_kafka_topic_t        *handle;          /* of the present rk */
} ngx_gateway_kafka_topic_t;


/* one repeated cause in the log: counted, spoken of once per second */

typedef struct {
    time_t                   second;
    ngx_uint_t               lines;
    ngx_uint_t               suppressed;
} ngx_gateway_kafka_log_t;


typedef struct {
    ngx_gateway_worker_t    *worker;

    rd_kafka_t              *rk;              /* NULL: none at present */
    rd_kafka_queue_t        *queue;
    ngx_gateway_kafka_topic_t
                             topics[GW_CLASSES_MAX + 1
                                    + NGX_GATEWAY_KAFKA_TOPICS_MAX];
    ngx_uint_t               ntopics;         /* classes, dead letter, others */

    ngx_uint_t               out;
    size_t                   out_bytes;
    ngx_uint_t               solo;            /* to be sent alone, of all
                                                 classes: they share topics,
                                                 and so batches */
    ngx_gateway_kafka_class_t  classes[GW_CLASSES_MAX];

    ngx_msec_t               progress;        /* last report, or first out */
    ngx_msec_t               fatal_at;
    ngx_msec_t               start_at;        /* next try to make a handle */
    ngx_uint_t               start_attempt;
    uint64_t                 tx_retries;      /* as last seen in statistics */

    ngx_gateway_kafka_log_t  log;

    unsigned                 fatal:1;         /* the handle is beyond repair */
    unsigned                 purged:1;
    unsigned                 full:1;          /* librdkafka's queue is full */
    unsigned                 up:1;            /* as last logged */
    unsigned                 down:1;          /* all brokers are down */
    unsigned                 seen:1;          /* some broker answered once */
    unsigned                 stopping:1;
} ngx_gateway_kafka_t;


/* the sink's index of the dead letter topic */
#define ngx_gateway_kafka_dead(g)  ((g)->classes.nelts)


/* ngx_gateway_kafka_conf.c: the checked rd_kafka_conf_t becomes sink_conf */
char *ngx_gateway_kafka_conf(ngx_conf_t *cf, ngx_gateway_t *gateway);
ngx_int_t ngx_gateway_kafka_property(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *name, ngx_str_t *value);
rd_kafka_conf_t *ngx_gateway_kafka_conf_dup(ngx_gateway_t *gateway);

/* ngx_gateway_kafka_report.c */
void ngx_gateway_kafka_poll(ngx_gateway_worker_t *w, ngx_msec_t timeout);
ngx_uint_t ngx_gateway_kafka_permanent(ngx_gateway_kafka_t *k,
    ngx_gateway_msg_t *msg, rd_kafka_resp_err_t err);
ngx_int_t ngx_gateway_kafka_reject(ngx_gateway_kafka_t *k,
    ngx_gateway_msg_t *msg, rd_kafka_resp_err_t err);
void ngx_gateway_kafka_state(ngx_gateway_kafka_t *k);
void ngx_gateway_kafka_count(ngx_gateway_kafka_t *k, ngx_uint_t permanent);

/* ngx_gateway_kafka.c */
void ngx_gateway_kafka_close_gate(ngx_gateway_kafka_t *k, ngx_uint_t cls);
void ngx_gateway_kafka_set_fatal(ngx_gateway_kafka_t *k);


#endif /* _NGX_GATEWAY_KAFKA_H_INCLUDED_ */
