/*
 * ngx_gateway.h - what the transports (http/, stream/) may use of the core.
 *
 * A transport turns bytes into an origin (who, over what, under which rules)
 * and an envelope, asks ngx_gateway_compose() for a message and gives it to
 * ngx_gateway_submit(); from there the message is the core's.  Its end comes
 * back through a waiter, from a posted event and never from inside a call of
 * the transport's own.
 *
 * Everything here runs on the worker's event loop.  A message is one block
 * from ngx_alloc, charged in full to the gateway's buffer, and points into
 * nothing of the request it came from.
 */

#ifndef _NGX_GATEWAY_H_INCLUDED_
#define _NGX_GATEWAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "gw.h"
#include "gw_cloudevents.h"
#include "gw_end.h"
#include "gw_envelope.h"
#include "gw_identity.h"
#include "gw_json.h"
#include "gw_lanes.h"
#include "gw_outcome.h"
#include "gw_stats.h"
#include "gw_trace.h"


#define NGX_GATEWAY_VERSION        "0.1.0"

#define NGX_GATEWAY_HEADERS_MAX    16      /* extra record headers */


/* acknowledgement levels, rising; UNSET: inherit */

#define NGX_GATEWAY_ACK_QUEUED      1
#define NGX_GATEWAY_ACK_SPOOLED     2
#define NGX_GATEWAY_ACK_DELIVERED   3


typedef struct ngx_gateway_s         ngx_gateway_t;
typedef struct ngx_gateway_schema_s  ngx_gateway_schema_t;
typedef struct ngx_gateway_msg_s     ngx_gateway_msg_t;
typedef struct ngx_gateway_waiter_s  ngx_gateway_waiter_t;
typedef struct ngx_gateway_worker_s  ngx_gateway_worker_t;


/* an extra record header; both views live until compose() returns */

typedef struct {
    ngx_str_t  name;
    ngx_str_t  value;
} ngx_gateway_header_t;


/*
 * What is known of a message before its own bytes are read.  Filled by the
 * transport once a request (or once a connection) and read-only for the core.
 */

typedef struct {
    ngx_gateway_t         *gateway;
    gw_proto_e             protocol;
    const gw_identity_t   *identity;   /* NULL: gateway_auth is off */
    ngx_str_t              device;     /* all messages are of it; len 0: the
                                          envelope says of whom they are, or
                                          else the identity */
    ngx_uint_t             class_index;/* default class */
    ngx_uint_t             ack;        /* NGX_GATEWAY_ACK_* of the location,
                                          0: that of the class */
    ngx_uint_t             ack_min;    /* the sender may ask for more */
    ngx_gateway_schema_t  *schema;     /* NULL: that of the class */
    unsigned               schema_off:1;   /* not even that */
    unsigned               class_fixed:1;  /* no message may name another */
    int64_t                received_at;/* ms since 1970 */
    ngx_msec_t             received;   /* ngx_current_msec, first byte */
    ngx_str_t              topic;      /* len 0: the class's */
    ngx_str_t              key;        /* len 0: the device */
    ngx_str_t              idempotency;/* id of a message that has no seq;
                                          len 0: none */
    gw_ce_t               *event;      /* the message came as this CloudEvent;
                                          NULL: it did not */
    u_char                 traceparent[GW_TRACEPARENT_LEN];
    unsigned               traced:1;   /* traceparent came from the device */
    ngx_str_t              tracestate; /* only where traced */
    ngx_gateway_header_t  *headers;
    ngx_uint_t             nheaders;
} ngx_gateway_origin_t;


/* how one message or one request ended */

typedef struct {
    gw_outcome_e           outcome;
    gw_reason_e            reason;
    const char            *detail;     /* constant text or NULL */
} ngx_gateway_result_t;


/* where in a message a schema failed; good until the next compose() */

typedef struct {
    const char            *keyword;    /* of the schema; NULL: none failed */
    ngx_str_t              pointer;    /* RFC 6901, from "data" */
} ngx_gateway_failure_t;


/*
 * One waiter stands for one request; its memory is the transport's.  The
 * messages hold (slot, generation), so a waiter that was closed is simply not
 * found any more: that is how a client that went away is let go of.
 *
 * result: called for each message that ends, any number of times, in any
 * order; it only takes notes (the call may come from inside a submit()).
 * done: called once, from a posted event, when pending has become 0.  The
 * waiter is closed by then.
 */

struct ngx_gateway_waiter_s {
    ngx_queue_t            queue;
    ngx_gateway_worker_t  *worker;
    uint32_t               slot;
    uint32_t               generation;
    ngx_uint_t             pending;
    unsigned               open:1;
    unsigned               posted:1;
    void                 (*result)(ngx_gateway_waiter_t *waiter,
                                   uint32_t index,
                                   const ngx_gateway_result_t *result,
                                   ngx_msec_t delivery);
    void                 (*done)(ngx_gateway_waiter_t *waiter);
    void                  *data;
};


/*
 * configuration time
 */

/* the gateway of that name (len 0: the default), made as a forward reference
   when it was not declared yet; init_conf refuses what stays undeclared.
   NULL: no memory */
ngx_gateway_t *ngx_gateway_add(ngx_conf_t *cf, ngx_str_t *name);

/* *index becomes the class of that name once all is read; an unknown name is
   then refused with that place */
char *ngx_gateway_add_class_ref(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *name, ngx_uint_t *index, u_char *file, ngx_uint_t line);

/* 1-249 bytes of [A-Za-z0-9._-], not "." nor ".." */
ngx_int_t ngx_gateway_topic_valid(ngx_str_t *topic);

/* an identity that may go into a key and, unescaped, into JSON: 1-128
   printable ASCII bytes without quote and backslash */
ngx_int_t ngx_gateway_identity_valid(ngx_str_t *identity);


/* the schema of a file, compiled; formats: 1 to check them.  NULL: said */
ngx_gateway_schema_t *ngx_gateway_schema_add(ngx_conf_t *cf, ngx_str_t *file,
    ngx_uint_t formats);

/* "gateway_schema": *schema, or *off; a directive's value of its own */
char *ngx_gateway_schema_line(ngx_conf_t *cf, ngx_gateway_schema_t **schema,
    ngx_flag_t *off);


/*
 * run time
 */

ngx_str_t *ngx_gateway_name(ngx_gateway_t *gateway);
ngx_msec_t ngx_gateway_drain_timeout(ngx_gateway_t *gateway);

/* NGX_DECLINED: no such class */
ngx_int_t ngx_gateway_find_class(ngx_gateway_t *gateway, u_char *name,
    size_t len, ngx_uint_t *index);
ngx_str_t *ngx_gateway_class_name(ngx_gateway_t *gateway, ngx_uint_t index);
ngx_uint_t ngx_gateway_default_class(ngx_gateway_t *gateway);
ngx_uint_t ngx_gateway_class_opaque(ngx_gateway_t *gateway, ngx_uint_t index);

/*
 * The cheapest refusals, before a body is read; GW_R_NONE: go on.
 * class_known: class_index is the class of all that may come.
 */
gw_reason_e ngx_gateway_admit(ngx_gateway_t *gateway, ngx_uint_t class_known,
    ngx_uint_t class_index);

/* the scanner of this worker, its tape valid until the next parse; NULL: the
   worker has no runtime (the gateway is not started) */
gw_json_t *ngx_gateway_json(ngx_gateway_t *gateway);

/*
 * Authorises the envelope and builds the message: class looked up, device
 * compared with the identity, record value written.  The envelope's class_name
 * and device are completed.
 * NGX_OK: *msg belongs to the caller until submit() or discard().
 * NGX_DECLINED: refused, result filled, nothing counted yet.
 *
 * The scanner's tape must be that of the envelope still.  Where data does not
 * match its schema, failure says where; with dead_letter the message goes
 * there, so that it is NGX_OK, and ends as refused for GW_R_SCHEMA.
 */
ngx_int_t ngx_gateway_compose(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_msg_t **msg,
    ngx_gateway_result_t *result, ngx_gateway_failure_t *failure);

/* as compose(), for a class that is opaque: the value is envelope->data as it
   came, the metadata goes into record headers */
ngx_int_t ngx_gateway_compose_opaque(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_msg_t **msg,
    ngx_gateway_result_t *result);

void ngx_gateway_discard(ngx_gateway_msg_t *msg);
ngx_uint_t ngx_gateway_msg_class(ngx_gateway_msg_t *msg);

/*
 * The message enters its lane, or is refused and freed.  Counted either way.
 * NGX_OK: result is QUEUED, final for this sender;
 * NGX_AGAIN: the waiter (open, its pending raised by one) will hear of it as
 * message number index;
 * NGX_DECLINED: refused, result filled.
 * waiter may be NULL where nobody listens.
 */
ngx_int_t ngx_gateway_submit(ngx_gateway_msg_t *msg,
    ngx_gateway_waiter_t *waiter, uint32_t index,
    ngx_gateway_result_t *result);

/* counts a message that was refused before submit() */
void ngx_gateway_count_refused(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_uint_t class_index, gw_reason_e reason);
void ngx_gateway_count_bytes(ngx_gateway_t *gateway, gw_proto_e protocol,
    size_t bytes);
void ngx_gateway_count_timeout(ngx_gateway_t *gateway, gw_proto_e protocol);
void ngx_gateway_count_gone(ngx_gateway_t *gateway, gw_proto_e protocol);
void ngx_gateway_count_answer(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_msec_t duration);
void ngx_gateway_count_connection(ngx_gateway_t *gateway, gw_proto_e protocol,
    ngx_int_t delta);
void ngx_gateway_count_disconnect(ngx_gateway_t *gateway,
    gw_proto_e protocol, gw_end_e end);

/* bytes of "buffer" for what is no message yet; NGX_DECLINED: there is no
   room.  Given back in full, in any pieces */
ngx_int_t ngx_gateway_reserve(ngx_gateway_t *gateway, size_t bytes);
void ngx_gateway_unreserve(ngx_gateway_t *gateway, size_t bytes);

/* open: NGX_ERROR where there is no memory.  close: from now on no result and
   no done; harmless on a closed one */
ngx_int_t ngx_gateway_waiter_open(ngx_gateway_t *gateway,
    ngx_gateway_waiter_t *waiter);
void ngx_gateway_waiter_close(ngx_gateway_waiter_t *waiter);

/* seconds for Retry-After: 1 to 5, drawn anew each time */
ngx_uint_t ngx_gateway_retry_after(void);

/* 64 random bits, from a generator seeded by the system once a worker */
uint64_t ngx_gateway_random(void);


/*
 * status pages, over all gateways
 */

#define NGX_GATEWAY_STATUS_JSON        1
#define NGX_GATEWAY_STATUS_PROMETHEUS  2

/* the page in pool's memory; NGX_ERROR: no memory */
ngx_int_t ngx_gateway_status_page(ngx_pool_t *pool, ngx_uint_t format,
    ngx_str_t *page);

/* 1: send traffic here.  0 while a gateway drains, or is above its high mark
   with Kafka away; *why is then a constant sentence */
ngx_uint_t ngx_gateway_ready(const char **why);


extern ngx_module_t  ngx_gateway_module;
extern ngx_module_t  ngx_gateway_block_module;


/*
 * In the wrong order of load_module the loader names the first symbol that it
 * misses.  References in data are looked up before those to functions, so
 * each transport refers to this one, and the message says the cure.
 */

extern const char  ngx_gateway_module_so_must_be_loaded_before[];

#define NGX_GATEWAY_LOADED_FIRST(name)                                        \
    static const char *const  name __attribute__((used))                      \
        = ngx_gateway_module_so_must_be_loaded_before


#endif /* _NGX_GATEWAY_H_INCLUDED_ */
