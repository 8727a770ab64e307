/*
 * ngx_gateway_listener.h - devices that stay connected: what MQTT, on whatever
 * carries its bytes, and lines have in common.
 *
 * A listener is what the configuration says of all connections of a server or
 * location; read-only once it was read.  A sender is who is at the other end of
 * one connection, found out once and looked at again when what it rests on has
 * changed, so a device that is revoked loses its connection and not only its
 * next one.
 *
 * Memory of a sender: one block of the worker's heap, as long as its texts
 * are; its credential is in it, to be judged anew, and is overwritten at the
 * end.  Everything on the worker's event loop.
 */

#ifndef _NGX_GATEWAY_LISTENER_H_INCLUDED_
#define _NGX_GATEWAY_LISTENER_H_INCLUDED_


#include "ngx_gateway.h"
#include "ngx_gateway_auth.h"


#define NGX_GATEWAY_FORMAT_ENVELOPE  0
#define NGX_GATEWAY_FORMAT_RAW       1

/* base64 of a device, a colon and a token; longer ones are nobody's */
#define NGX_GATEWAY_SENDER_PAIR      512


typedef struct {
    ngx_gateway_t         *gateway;
    ngx_gateway_auth_t    *auth;          /* NULL: nothing was said */
    ngx_uint_t             class_index;   /* NGX_CONF_UNSET_UINT: the last */
    ngx_uint_t             ack;           /* 0: that of the class */
    ngx_uint_t             format;        /* NGX_GATEWAY_FORMAT_* */
    ngx_gateway_schema_t  *schema;        /* NULL: that of the class */
    ngx_flag_t             schema_off;    /* not even that */
    size_t                 message_max;   /* bytes of a packet or line */
    ngx_msec_t             timeout;       /* of a message's fate */
    ngx_msec_t             connect_timeout;   /* to say who one is */
    ngx_msec_t             packet_timeout;    /* of one that began */
    ngx_msec_t             send_timeout;      /* of bytes nobody takes */
} ngx_gateway_listener_t;


/* how long a connection lasts without a word, and why it ended */

typedef struct {
    const ngx_gateway_listener_t  *listener;
    ngx_gateway_auth_result_t      result;
    u_char                        *block;     /* NULL: nothing is known */
    ngx_str_t                      device;    /* all messages are of it; len
                                                 0: they say whose they are */
    uint16_t                       identity;  /* bytes of it in block */
    uint16_t                       credential;
    uint16_t                       name;      /* bytes of the client id */
} ngx_gateway_sender_t;


/*
 * Who it is, by the chain of the listener; without one all is well and nobody
 * is known.  device: of gateway_device, or len 0; name: kept with the sender.
 * NGX_OK; NGX_DECLINED: *reason, counted where the chain refused.
 */
ngx_int_t ngx_gateway_sender_find_out(ngx_gateway_sender_t *sender,
    ngx_gateway_credentials_t *credentials, ngx_str_t *device,
    ngx_str_t *name, gw_reason_e *reason);

/* good until another sender is asked; NULL: nobody is known */
const gw_identity_t *ngx_gateway_sender_identity(ngx_gateway_sender_t *sender);

/* what was given as name, as long as the sender is */
void ngx_gateway_sender_name(ngx_gateway_sender_t *sender, ngx_str_t *name);

/* NGX_OK: it may go on; NGX_DECLINED: not any more, *reason */
ngx_int_t ngx_gateway_sender_still(ngx_gateway_sender_t *sender,
    gw_reason_e *reason);

void ngx_gateway_sender_forget(ngx_gateway_sender_t *sender);

/* an origin for the next message, without class, headers and trace */
void ngx_gateway_sender_origin(ngx_gateway_sender_t *sender,
    gw_proto_e protocol, ngx_gateway_origin_t *origin);


#endif /* _NGX_GATEWAY_LISTENER_H_INCLUDED_ */
