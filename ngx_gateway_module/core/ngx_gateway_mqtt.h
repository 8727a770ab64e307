/*
 * ngx_gateway_mqtt.h - one device that speaks MQTT, whatever carries its
 * bytes: TCP, TLS, WebSocket.
 *
 * The transport reads, and gives what it read; it sends what comes back in
 * out, and closes where it is told to.  Nothing here does I/O.  A packet that
 * is not whole stays with the transport, which keeps it until there is more;
 * `want` says how many bytes the whole of it has.
 *
 *     bytes ──input()──▶ packets ──▶ session (pure/gw_mqtt_session.h)
 *                                      │ PUBLISH
 *                        ngx_gateway_mqtt_publish.c ──▶ compose(), submit()
 *     out ◀──flush()── acknowledgements ◀── waiter
 *
 * Memory: ngx_gateway_mqtt_t is the transport's, as long as the connection;
 * flights, aliases, will and sender are on the heap, each only while there is
 * one.  Bounds: flights by the session's conf, aliases by NGX_GATEWAY_MQTT_
 * ALIASES bytes.  Everything on the worker's event loop.
 */

#ifndef _NGX_GATEWAY_MQTT_H_INCLUDED_
#define _NGX_GATEWAY_MQTT_H_INCLUDED_


#include "gw_mqtt.h"
#include "gw_mqtt_session.h"
#include "ngx_gateway_listener.h"


#define NGX_GATEWAY_MQTT_ALIASES  8192     /* bytes of topics a connection */


typedef struct ngx_gateway_mqtt_s        ngx_gateway_mqtt_t;
typedef struct ngx_gateway_mqtt_will_s   ngx_gateway_mqtt_will_t;


typedef struct {
    ngx_gateway_listener_t   listener;
    gw_mqtt_conf_t           session;
    uint32_t                 connect_max;     /* bytes of a CONNECT */
    ngx_str_t                server_reference;/* len 0: none */
    time_t                   keep_alive;      /* as configured; s */
    ngx_uint_t               receive_maximum;
    ngx_uint_t               topic_aliases;
} ngx_gateway_mqtt_conf_t;


/* what the transport does for it */

typedef struct {
    /* fills sockaddr, certificate and verified; release() frees them */
    void  (*credentials)(ngx_gateway_mqtt_t *m, ngx_gateway_credentials_t *c);
    void  (*release)(ngx_gateway_credentials_t *c);

    /* from a posted event: flush(), and read on where that was stopped */
    void  (*wake)(ngx_gateway_mqtt_t *m);

    /* from a timer: ngx_gateway_mqtt_end(), then close */
    void  (*cut)(ngx_gateway_mqtt_t *m, gw_end_e end);
} ngx_gateway_mqtt_peer_t;


struct ngx_gateway_mqtt_s {
    const ngx_gateway_mqtt_conf_t  *conf;
    const ngx_gateway_mqtt_peer_t  *peer;
    void                           *data;     /* the transport's */
    ngx_log_t                      *log;      /* of the connection */

    gw_mqtt_session_t               session;
    ngx_gateway_sender_t            sender;
    ngx_gateway_waiter_t            waiter;
    ngx_str_t                       device;   /* of gateway_device; until
                                                 CONNECT was judged */

    uint64_t                        client;   /* its client id and */
    uint64_t                        ticket;   /* ours, of gw_sessions.h; 0:
                                                 nobody knows of it */

    ngx_queue_t                     all;      /* of this worker */
    ngx_queue_t                     woken;
    ngx_gateway_mqtt_will_t        *will;
    ngx_str_t                      *aliases;  /* by number - 1; NULL: none */

    ngx_msec_t                      last;     /* whole packet; at first, when
                                                 it began */
    ngx_msec_t                      progress; /* of what waits for its fate */
    ngx_uint_t                      messages;
    uint16_t                        alias_bytes;
    uint8_t                         protocol; /* gw_proto_e */
    uint8_t                         end;      /* gw_end_e, once ended */
    unsigned                        posted:1; /* in the queue of the woken */
    unsigned                        ended:1;
    unsigned                        counted:1;
    unsigned                        blocked:1;    /* it is not read from */
    unsigned                        unsettled:1;  /* a fate that 3.1.1 has no
                                                     word for */
};


/*
 * ngx_gateway_mqtt_conf.c, of the directives that servers of stream and
 * locations of http share: unset: all is NGX_CONF_UNSET*; merge: with what
 * stands around it; check: of a listener that is one, its session and its
 * limits; NGX_CONF_OK, or NGX_CONF_ERROR: logged.
 */
void ngx_gateway_mqtt_conf_unset(ngx_gateway_mqtt_conf_t *conf);
void ngx_gateway_mqtt_conf_merge(ngx_gateway_mqtt_conf_t *conf,
    ngx_gateway_mqtt_conf_t *prev);
char *ngx_gateway_mqtt_conf_check(ngx_conf_t *cf,
    ngx_gateway_mqtt_conf_t *conf);

extern ngx_conf_num_bounds_t  ngx_gateway_mqtt_receive_bounds;
extern ngx_conf_num_bounds_t  ngx_gateway_mqtt_alias_bounds;


/* NGX_OK; NGX_ERROR: no memory */
ngx_int_t ngx_gateway_mqtt_open(ngx_gateway_mqtt_t *m,
    const ngx_gateway_mqtt_conf_t *conf, const ngx_gateway_mqtt_peer_t *peer,
    gw_proto_e protocol, ngx_str_t *device, ngx_log_t *log, void *data);

/*
 * len bytes at p, the first of them a packet's first.  *used: what need not
 * come again; *want: bytes of the whole packet behind that, 0: not known yet.
 * NGX_OK: more may come; NGX_BUSY: send out, then call again; NGX_AGAIN: read
 * no more until wake(); NGX_DONE: send out, then close.
 */
ngx_int_t ngx_gateway_mqtt_input(ngx_gateway_mqtt_t *m, u_char *p, size_t len,
    size_t *used, size_t *want, gw_mqtt_out_t *out);

/* acknowledgements that are due.  NGX_OK; NGX_BUSY: send out, then call
   again; NGX_DONE: send out, then close */
ngx_int_t ngx_gateway_mqtt_flush(ngx_gateway_mqtt_t *m, gw_mqtt_out_t *out);

/* when expire() is to be called, of ngx_current_msec; partial: when a packet
   began that is not whole, or 0 */
ngx_msec_t ngx_gateway_mqtt_deadline(ngx_gateway_mqtt_t *m,
    ngx_msec_t partial);

/* NGX_OK: it was too early; NGX_DONE: send out, then close */
ngx_int_t ngx_gateway_mqtt_expire(ngx_gateway_mqtt_t *m, ngx_msec_t partial,
    gw_mqtt_out_t *out);

/* the gateway ends it; NGX_DONE: send out, then close */
ngx_int_t ngx_gateway_mqtt_end(ngx_gateway_mqtt_t *m, gw_end_e end,
    gw_mqtt_out_t *out);

/* the connection is gone or about to be; end counts where none came before */
void ngx_gateway_mqtt_close(ngx_gateway_mqtt_t *m, gw_end_e end);


/*
 * ngx_gateway_mqtt_publish.c, for ngx_gateway_mqtt.c alone.  NGX_OK: *result
 * is its end; NGX_AGAIN: its end comes to the waiter as number serial.
 */
ngx_int_t ngx_gateway_mqtt_publish(ngx_gateway_mqtt_t *m,
    gw_mqtt_publish_t *publish, uint32_t serial, ngx_gateway_result_t *result);

/* ngx_gateway_mqtt_alias.c: publish->topic is the topic afterwards.  NGX_OK;
   NGX_DECLINED: *reason */
ngx_int_t ngx_gateway_mqtt_alias(ngx_gateway_mqtt_t *m,
    gw_mqtt_publish_t *publish, gw_mqtt_reason_e *reason);
void ngx_gateway_mqtt_alias_free(ngx_gateway_mqtt_t *m);

/*
 * ngx_gateway_mqtt_will.c.  keep: at CONNECT; NGX_OK, or NGX_DECLINED: *reason.
 * publish: at the end; forget: it is not to be.
 */
ngx_int_t ngx_gateway_mqtt_will_keep(ngx_gateway_mqtt_t *m,
    const gw_mqtt_connect_t *connect, gw_mqtt_reason_e *reason);
void ngx_gateway_mqtt_will_publish(ngx_gateway_mqtt_t *m);
void ngx_gateway_mqtt_will_forget(ngx_gateway_mqtt_t *m);

/*
 * ngx_gateway_sessions.c.  take: its client id is this connection's from now
 * on; still: NGX_OK, NGX_DONE: another one went on in its place, NGX_DECLINED:
 * another one began anew; leave: at its end.  taken: 1: ask still() of each
 * connection of this worker.
 */
void ngx_gateway_sessions_take(ngx_gateway_mqtt_t *m, ngx_str_t *client_id,
    ngx_uint_t fresh);
ngx_int_t ngx_gateway_sessions_still(ngx_gateway_mqtt_t *m);
void ngx_gateway_sessions_leave(ngx_gateway_mqtt_t *m);
ngx_uint_t ngx_gateway_sessions_taken(void);

/* the class of a topic, by the mqtt_topic of the gateway; NGX_DECLINED: none
   is of it */
ngx_int_t ngx_gateway_mqtt_class(ngx_gateway_mqtt_t *m, gw_str_t *topic,
    ngx_uint_t *class_index, ngx_uint_t *format);


#endif /* _NGX_GATEWAY_MQTT_H_INCLUDED_ */
