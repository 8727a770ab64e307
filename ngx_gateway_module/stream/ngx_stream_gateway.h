/*
 * ngx_stream_gateway.h - devices over TCP and TLS: what the files of stream/
 * share.
 *
 * A connection's context lives in its pool; its bytes are
 * core/ngx_gateway_connection.h's.
 */

#ifndef _NGX_STREAM_GATEWAY_H_INCLUDED_
#define _NGX_STREAM_GATEWAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "gw_lines.h"
#include "ngx_gateway.h"
#include "ngx_gateway_connection.h"
#include "ngx_gateway_mqtt.h"


typedef struct {
    ngx_gateway_mqtt_conf_t         gateway;
    const ngx_gateway_protocol_t   *protocol;      /* NULL: not ours */
    ngx_stream_complex_value_t     *device;
    ngx_str_t                       class;
    u_char                         *class_file;
    ngx_uint_t                      class_line;
    ngx_msec_t                      idle_timeout;  /* of lines */
} ngx_stream_gateway_srv_conf_t;


/* of ngx_stream_gateway_lines.c alone */

typedef struct {
    const ngx_gateway_listener_t  *listener;
    gw_lines_t               replies;
    ngx_gateway_sender_t     sender;
    ngx_gateway_waiter_t     waiter;
    ngx_event_t              wake;         /* posted: replies are due */
    ngx_str_t                device;
    ngx_msec_t               idle;
    ngx_msec_t               last;         /* whole line */
    ngx_msec_t               progress;     /* of what waits for its fate */
    size_t                   scanned;      /* bytes without a line end */
    uint8_t                  end;          /* gw_end_e, once ended */
    unsigned                 known:1;      /* who it is */
    unsigned                 last_line:1;  /* was too long: all that wait have
                                              their reply, then it ends */
    unsigned                 ended:1;
    unsigned                 counted:1;
} ngx_stream_gateway_lines_t;


typedef struct {
    ngx_gateway_connection_t          connection;  /* is the first */
    ngx_stream_session_t             *session;

    union {
        ngx_gateway_mqtt_t            mqtt;
        ngx_stream_gateway_lines_t    lines;
    } u;
} ngx_stream_gateway_ctx_t;


#define ngx_stream_gateway_ctx(gc)  ((ngx_stream_gateway_ctx_t *) (gc))


/* ngx_stream_gateway_handler.c */
void ngx_stream_gateway_handler(ngx_stream_session_t *s);
void ngx_stream_gateway_finalize(ngx_gateway_connection_t *gc);

/* ngx_stream_gateway_credentials.c: fills sockaddr, certificate, verified */
void ngx_stream_gateway_credentials(ngx_stream_gateway_ctx_t *ctx,
    ngx_gateway_credentials_t *c);
void ngx_stream_gateway_credentials_free(ngx_gateway_credentials_t *c);

/* ngx_stream_gateway_mqtt.c, ngx_stream_gateway_lines.c.  open: NGX_OK;
   NGX_ERROR: no memory */
ngx_int_t ngx_stream_gateway_mqtt_open(ngx_stream_gateway_ctx_t *ctx,
    ngx_str_t *device);
ngx_int_t ngx_stream_gateway_lines_open(ngx_stream_gateway_ctx_t *ctx,
    ngx_str_t *device);

extern const ngx_gateway_protocol_t  ngx_stream_gateway_mqtt;
extern const ngx_gateway_protocol_t  ngx_stream_gateway_lines;


extern ngx_module_t  ngx_stream_gateway_module;


#endif /* _NGX_STREAM_GATEWAY_H_INCLUDED_ */
