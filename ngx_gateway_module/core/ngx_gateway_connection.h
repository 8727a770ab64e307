/*
 * ngx_gateway_connection.h - bytes of one connection that lasts, in and out,
 * its deadlines, and its end: what stream/ and the WebSocket of http/ have in
 * common.
 *
 * What the bytes mean is the protocol's, which does no I/O and is called with
 * what came and with room for what is to be sent.  Both buffers are the
 * worker's: an idle connection has neither, one whose packet is half there has
 * a block for that packet, charged to "buffer".
 *
 * Memory: ngx_gateway_connection_t is its owner's, as long as the connection;
 * the owner calls ngx_gateway_connection_free() from a pool cleanup, and the
 * handlers of nginx's two events are its own, which call read() and write()
 * here.  Bounds: a block by the listener's message_max, what is not sent by
 * NGX_GATEWAY_CONNECTION_OUT.  Everything on the worker's event loop.
 */

#ifndef _NGX_GATEWAY_CONNECTION_H_INCLUDED_
#define _NGX_GATEWAY_CONNECTION_H_INCLUDED_


#include "gw_mqtt_session.h"
#include "ngx_gateway_listener.h"


#define NGX_GATEWAY_CONNECTION_IN   65536      /* bytes read at once */
#define NGX_GATEWAY_CONNECTION_OUT  16384


typedef struct ngx_gateway_connection_s  ngx_gateway_connection_t;


typedef struct {

    /*
     * len bytes at p, the first of them the first of what was left before;
     * they may be changed.  *used: of the first of them, what need not come
     * again; *want: bytes of the whole packet behind that, 0: not known.
     * NGX_OK: more may come; NGX_BUSY: send out, then call again; NGX_AGAIN:
     * read no more until wake(); NGX_DONE: send out, then close.
     */
    ngx_int_t   (*input)(ngx_gateway_connection_t *gc, u_char *p, size_t len,
                         size_t *used, size_t *want, gw_mqtt_out_t *out);

    /* what is due.  NGX_OK; NGX_BUSY: send out, then call again; NGX_DONE:
       send out, then close */
    ngx_int_t   (*flush)(ngx_gateway_connection_t *gc, gw_mqtt_out_t *out);

    /* when expire() is to be called, of ngx_current_msec, 0: never; partial:
       when a packet began that is not whole, or 0.  expire: NGX_OK: it was too
       early; NGX_DONE: send out, then close */
    ngx_msec_t  (*deadline)(ngx_gateway_connection_t *gc, ngx_msec_t partial);
    ngx_int_t   (*expire)(ngx_gateway_connection_t *gc, ngx_msec_t partial,
                          gw_mqtt_out_t *out);

    /* the gateway ends it; NGX_DONE: send out, then close */
    ngx_int_t   (*end)(ngx_gateway_connection_t *gc, gw_end_e end,
                       gw_mqtt_out_t *out);

    /* for fates */
    ngx_uint_t  (*waits)(ngx_gateway_connection_t *gc);

    /* it is gone or about to be; end counts where none came before.  May come
       twice */
    void        (*close)(ngx_gateway_connection_t *gc, gw_end_e end);

    /* the owner's: close nginx's connection.  Nothing of gc is used behind
       that */
    void        (*finalize)(ngx_gateway_connection_t *gc);
} ngx_gateway_protocol_t;


struct ngx_gateway_connection_s {
    ngx_connection_t              *connection;
    const ngx_gateway_protocol_t  *protocol;
    const ngx_gateway_listener_t  *listener;
    off_t                         *received;     /* bytes, for the log */

    u_char                        *partial;      /* bytes that came and are
                                                    left */
    size_t                         partial_len;
    size_t                         partial_size; /* 0: none; charged */
    ngx_msec_t                     partial_since;

    u_char                        *unsent;       /* NULL: none */
    uint16_t                       unsent_len;
    uint16_t                       unsent_pos;

    unsigned                       stopped:1;    /* partial is to be gone on
                                                    with before more is read */
    unsigned                       blocked:1;    /* the protocol wants no
                                                    more */
    unsigned                       closing:1;    /* once all is sent */
    unsigned                       closed:1;
    unsigned                       draining:1;

    ngx_msec_t                     drain_at;     /* where draining */
};


/* p: len bytes that were read before.  gc is zeroed but for its first four;
   it may be closed when this returns */
void ngx_gateway_connection_start(ngx_gateway_connection_t *gc, u_char *p,
    size_t len);

/* the handlers of the two events; the connection may be closed when they
   return */
void ngx_gateway_connection_read(ngx_gateway_connection_t *gc);
void ngx_gateway_connection_write(ngx_gateway_connection_t *gc);

/* fates are known: acknowledge, and go on reading */
void ngx_gateway_connection_wake(ngx_gateway_connection_t *gc);

/* we end it: what the protocol says of that is sent first */
void ngx_gateway_connection_end(ngx_gateway_connection_t *gc, gw_end_e end);

/* the connection goes, whoever ended it */
void ngx_gateway_connection_free(ngx_gateway_connection_t *gc);


#endif /* _NGX_GATEWAY_CONNECTION_H_INCLUDED_ */
