/*
 * ngx_gateway_core.h - the core's own: configuration of a gateway, its
 * runtime in one worker, the message, and the contract of a sink.
 * Included by core/ and kafka/ only.
 *
 * Owner of a message: compose() -> the transport -> submit() -> the lanes ->
 * (taken) the sink -> ngx_gateway_end(), which counts, tells the waiter,
 * returns the charge and frees it.  Exactly one owner at each step.
 */

#ifndef _NGX_GATEWAY_CORE_H_INCLUDED_
#define _NGX_GATEWAY_CORE_H_INCLUDED_


#include "gw_dedup.h"
#include "gw_mqtt_topic.h"
#include "gw_schema.h"
#include "gw_sessions.h"
#include "ngx_gateway.h"


#define NGX_GATEWAY_MODULE       0x59574147   /* "GAWY" */
#define NGX_GATEWAY_CONF         0x02000000

#define NGX_GATEWAY_ZONE_MAGIC   0x0530574147ULL
#define NGX_GATEWAY_TICK         100          /* ms */
#define NGX_GATEWAY_SCHEMA_ERROR  512         /* bytes of a sentence */

/* bounds of one JSON document; README names them */
#define NGX_GATEWAY_JSON_NODES   16384
#define NGX_GATEWAY_JSON_DEPTH   32
#define NGX_GATEWAY_JSON_KEYS    1024         /* of one object */
#define NGX_GATEWAY_JSON_NUMBER  1024         /* bytes of one number */


typedef struct ngx_gateway_auth_worker_s  ngx_gateway_auth_worker_t;
typedef struct ngx_gateway_dedup_s        ngx_gateway_dedup_t;
typedef struct ngx_gateway_dedup_zone_s   ngx_gateway_dedup_zone_t;


typedef struct {
    ngx_str_t          name;
    ngx_str_t          topic;
    ngx_uint_t         ack;                   /* 0: the gateway's */
    ngx_uint_t         share;                 /* percent of buffer, 0: all */
    ngx_msec_t         max_age;               /* 0: for ever */
    ngx_uint_t         overflow;              /* gw_overflow_e */
    ngx_gateway_schema_t  *schema;            /* NULL: none */
    unsigned           opaque:1;
    unsigned           overflow_set:1;
} ngx_gateway_class_t;


/* "mqtt_topic", the first that matches decides */

typedef struct {
    gw_mqtt_pattern_t  pattern;
    ngx_str_t          class_name;
    ngx_uint_t         class_index;
    ngx_uint_t         format;                /* NGX_CONF_UNSET_UINT: that of
                                                 the listener */
} ngx_gateway_mqtt_topic_t;


/* per cycle, read-only after init_conf */

struct ngx_gateway_s {
    ngx_str_t              name;
    u_char                *file;              /* first mention */
    ngx_uint_t             line;
    unsigned               declared:1;

    ngx_array_t            brokers;           /* ngx_str_t */
    ngx_str_t              topic;
    ngx_str_t              dead_letter;
    ngx_array_t            classes;           /* ngx_gateway_class_t */
    ngx_array_t            mqtt_topics;       /* ngx_gateway_mqtt_topic_t */
    size_t                 buffer;
    size_t                 message_max;       /* bytes of a value */
    ngx_uint_t             ack;
    size_t                 window_bytes;
    ngx_uint_t             window_messages;
    ngx_uint_t             high;              /* percent */
    ngx_uint_t             low;
    ngx_uint_t             floor;             /* 1 in floor, 0: none */
    ngx_msec_t             drain_timeout;
    ngx_msec_t             retry_min;
    ngx_msec_t             retry_max;
    ngx_uint_t             auth_cache;        /* identities kept a worker */
    ngx_uint_t             auth_rate;         /* failures a second, 0: any */
    ngx_uint_t             auth_burst;
    ngx_uint_t             auth_methods;      /* bits, of all chains */
    gw_str_t              *class_names;       /* where a chain wants them */
    ngx_shm_zone_t        *zone;
    ngx_uint_t             output;            /* NGX_GATEWAY_OUTPUT_* */
    ngx_str_t              event_type;        /* prefix of ce_type */
    ngx_flag_t             dedup;
    uint32_t               dedup_window;      /* numbers */
    uint32_t               dedup_keep;        /* seconds */
    ngx_str_t              dedup_state;       /* file, len 0: none */
    unsigned               dedup_full_refuse:1;
    unsigned               dedup_stale_refuse:1;

    void                  *sink_conf;         /* the sink's checked form */
    ngx_gateway_worker_t  *worker;            /* set after fork */
};


typedef struct {
    ngx_array_t            gateways;          /* ngx_gateway_t * */
    ngx_array_t            refs;              /* ngx_gateway_class_ref_t */
    ngx_array_t            auths;             /* ngx_gateway_auth_t * */
    ngx_array_t            auth_files;        /* ngx_gateway_auth_file_t * */
    ngx_array_t            schemas;           /* ngx_gateway_schema_t * */
    ngx_uint_t             generation;
} ngx_gateway_main_conf_t;


/*
 * A message: this struct, then key, value and the extra headers in the same
 * block.  lane must stay first.
 */

struct ngx_gateway_msg_s {
    gw_lane_item_t         lane;              /* lane.cost: all of it */
    ngx_gateway_t         *gateway;

    uint32_t               waiter_slot;
    uint32_t               waiter_generation; /* 0: nobody waits */
    uint32_t               waiter_index;

    uint32_t               value_len;
    uint16_t               key_len;
    uint16_t               topic;             /* sink's index of the topic */
    uint8_t                protocol;
    uint8_t                nheaders;
    uint8_t                ack;               /* level its sender waits for */
    uint8_t                refused;           /* gw_reason_e: composed for
                                                 dead_letter; 0: not */
    uint8_t                block;             /* ngx_gateway_memory.c's own */
    unsigned               dead:1;            /* on its way to dead_letter */
    unsigned               solo:1;            /* to be sent alone: it was in a
                                                 batch refused as a whole */
    unsigned               alone:1;           /* is being sent alone */
    unsigned               maybe:1;           /* may have been written */
    uint16_t               tracestate_len;
    int16_t                error;             /* sink's code, for headers */

    gw_dedup_ticket_t      ticket;            /* flight 0: none */
    unsigned               identified:1;      /* id is set */
    unsigned               foreign:1;         /* held for another worker's */

    ngx_msec_t             produced;          /* ngx_current_msec */
    int64_t                received_at;

    u_char                *key;
    u_char                *value;
    u_char                *tracestate;
    ngx_gateway_header_t  *headers;
    u_char                 traceparent[GW_TRACEPARENT_LEN];

    /* what follows is not zeroed: of a message that is identified, and of one
       that is held */
    gw_dedup_id_t          id;
    ngx_queue_t            held;
    ngx_queue_t            look;
};


/*
 * The contract of a sink.  All calls on the event loop; none may block.
 *
 * start    after fork; NGX_ERROR: the worker runs on without it, messages
 *          wait in their lanes
 * mask     bits of the classes it would take a message of now
 * topic    index of a topic that no class names; NGX_ERROR: not valid, or
 *          more distinct ones than the sink keeps
 * send     the message was taken from its lane.  NGX_OK: the sink owns it
 *          until it calls ngx_gateway_end() or ngx_gateway_return();
 *          NGX_AGAIN: not now, the caller returns it to its lane, and the
 *          sink calls ngx_gateway_pump() when it would;
 * forget   a message it gave back was evicted from its lane
 * poll     serve reports; at most timeout ms (0 but at exit)
 * stop     end within timeout ms; everything still held is given back
 *          through ngx_gateway_return() before it returns
 */

typedef struct {
    ngx_int_t            (*start)(ngx_gateway_worker_t *w);
    uint32_t             (*mask)(ngx_gateway_worker_t *w);
    ngx_int_t            (*topic)(ngx_gateway_worker_t *w, ngx_str_t *name);
    ngx_int_t            (*send)(ngx_gateway_worker_t *w,
                                 ngx_gateway_msg_t *msg);
    void                 (*forget)(ngx_gateway_worker_t *w,
                                   ngx_gateway_msg_t *msg);
    void                 (*poll)(ngx_gateway_worker_t *w, ngx_msec_t timeout);
    void                 (*tick)(ngx_gateway_worker_t *w);
    void                 (*stop)(ngx_gateway_worker_t *w, ngx_msec_t timeout);
} ngx_gateway_sink_t;


typedef struct {
    uint64_t               delivered;
    uint64_t               lost;
} ngx_gateway_drained_t;


/* one gateway in one worker */

struct ngx_gateway_worker_s {
    ngx_gateway_t         *gateway;
    ngx_cycle_t           *cycle;
    ngx_log_t             *log;

    gw_json_t             *json;              /* one for all of a worker */
    gw_lanes_t            *lanes;
    gw_stats_slot_t       *slot;              /* NULL: the zone is full */
    const ngx_gateway_sink_t  *sink;
    void                  *sink_data;

    int                    eventfd;
    ngx_connection_t      *connection;        /* of the eventfd */
    ngx_event_t            pump;              /* posted */
    ngx_event_t            answer;            /* posted: waiters done */
    ngx_event_t            tick;              /* timer, cancelable */
    ngx_event_t            drain;             /* timer, holds the worker */

    ngx_queue_t            done;              /* waiters to be called */

    ngx_gateway_auth_worker_t  *auth;         /* NULL: no chain */
    ngx_gateway_dedup_t   *dedup;             /* NULL: off */
    gw_sessions_t         *sessions;          /* of the zone; NULL: none */
    ngx_uint_t             sessions_owner;
    uint32_t               sessions_taken;    /* as of the last look */

    unsigned               draining:1;
    unsigned               ended:1;
    unsigned               pressure:1;        /* as last logged */

    ngx_msec_t             drain_start;
    ngx_msec_t             tick_due;
    ngx_uint_t             connections[GW_PROTO_N];
    ngx_gateway_drained_t  drained[GW_CLASSES_MAX];
};


/* ngx_gateway_zone.c */
char *ngx_gateway_zone_add(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *name, size_t size);
gw_stats_slot_t *ngx_gateway_zone_claim(ngx_gateway_t *gateway,
    ngx_cycle_t *cycle, ngx_uint_t generation);
void ngx_gateway_zone_leave(ngx_gateway_t *gateway, gw_stats_slot_t *slot);
gw_stats_slot_t *ngx_gateway_zone_slots(ngx_gateway_t *gateway,
    ngx_uint_t *n);
time_t ngx_gateway_zone_start_time(ngx_gateway_t *gateway);

/* what workers that died without a successor had in flight is in flight no
   more; from time to time, in any worker */
void ngx_gateway_zone_bury(ngx_gateway_t *gateway);

/* the same for one owner of flights, at once; 1: it is dead */
ngx_uint_t ngx_gateway_zone_bury_owner(ngx_gateway_t *gateway,
    uint32_t owner);

/* the windows of dedup; NULL: none.  owner: that of the slot, may be NULL */
ngx_gateway_dedup_zone_t *ngx_gateway_zone_dedup(ngx_gateway_t *gateway,
    gw_stats_slot_t *slot, uint32_t *owner);

/* the client ids of MQTT, and the number of the slot as their owner; NULL:
   there is no room for either */
gw_sessions_t *ngx_gateway_zone_sessions(ngx_gateway_t *gateway,
    gw_stats_slot_t *slot, ngx_uint_t *owner);

/* ngx_gateway_block.c */
void ngx_gateway_block_create(ngx_gateway_t *gateway);
char *ngx_gateway_block_init(ngx_conf_t *cf, ngx_gateway_t *gateway);

/* ngx_gateway_mqtt_conf.c */
char *ngx_gateway_mqtt_topic_word(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_gateway_mqtt_init(ngx_conf_t *cf, ngx_gateway_t *gateway);

/* ngx_gateway_ingest.c: a message that was held enters its lane, its waiter
   hears of it if not; and how a message ends */
void ngx_gateway_enter(ngx_gateway_msg_t *msg);
void ngx_gateway_end(ngx_gateway_msg_t *msg,
    const ngx_gateway_result_t *result);
void ngx_gateway_evict(void *ctx, gw_lane_item_t *item, gw_reason_e reason);
void ngx_gateway_return(ngx_gateway_msg_t *msg);

/*
 * ngx_gateway_memory.c: the block of a message.  size: what a block for so
 * many bytes takes, which is what get() wants; get: zeroed up to traceparent,
 * NULL when there is no memory.
 */
size_t ngx_gateway_memory_size(size_t size);
ngx_gateway_msg_t *ngx_gateway_memory_get(size_t size, ngx_log_t *log);
void ngx_gateway_memory_put(ngx_gateway_msg_t *msg);
void ngx_gateway_memory_free_all(void);

/* ngx_gateway_schema.c: NGX_OK: valid; NGX_DECLINED: failure filled */
ngx_int_t ngx_gateway_schema_check(ngx_gateway_schema_t *schema,
    gw_json_t *json, gw_envelope_t *envelope, ngx_gateway_failure_t *failure);

/* ngx_gateway_waiter.c */
void ngx_gateway_waiter_tell(ngx_gateway_worker_t *w, ngx_gateway_msg_t *msg,
    const ngx_gateway_result_t *result, ngx_msec_t delivery);
void ngx_gateway_waiter_attach(ngx_gateway_waiter_t *waiter,
    ngx_gateway_msg_t *msg, uint32_t index);
ngx_uint_t ngx_gateway_waiter_there(ngx_gateway_msg_t *msg);
void ngx_gateway_waiter_run(ngx_gateway_worker_t *w);
void ngx_gateway_waiter_free_all(void);

/*
 * ngx_gateway_auth.c.  start: after fork, when every gateway has its worker,
 * NGX_ERROR: said; stop: before the worker ends; gauges: inside a write
 * section of the worker's slot.
 */
ngx_int_t ngx_gateway_auth_start(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf);
void ngx_gateway_auth_stop(ngx_gateway_main_conf_t *gmcf);
void ngx_gateway_auth_gauges(ngx_gateway_worker_t *w);

/* ngx_gateway_sessions.c; when the worker has its slot */
void ngx_gateway_sessions_start(ngx_gateway_worker_t *w);

/* ngx_gateway_worker.c */
ngx_int_t ngx_gateway_init_process(ngx_cycle_t *cycle);
void ngx_gateway_exit_process(ngx_cycle_t *cycle);
void ngx_gateway_pump(ngx_gateway_worker_t *w);
void ngx_gateway_hold(ngx_gateway_worker_t *w);
void ngx_gateway_gauges(ngx_gateway_worker_t *w);
ngx_gateway_main_conf_t *ngx_gateway_main_conf(volatile ngx_cycle_t *cycle);

extern const ngx_gateway_sink_t  ngx_gateway_kafka_sink;


#endif /* _NGX_GATEWAY_CORE_H_INCLUDED_ */
