/*
 * ngx_http_gateway.h - HTTP ingest: what the files of http/ share.
 *
 * A request's context lives in its pool; messages are the core's from submit
 * on.  The context's waiter is closed by a pool cleanup, so a request may end
 * at any moment.
 */

#ifndef _NGX_HTTP_GATEWAY_H_INCLUDED_
#define _NGX_HTTP_GATEWAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_gateway.h"
#include "ngx_gateway_auth.h"
#include "ngx_gateway_mqtt.h"


#define NGX_HTTP_GATEWAY_ENVELOPE  0
#define NGX_HTTP_GATEWAY_RAW       1

#define NGX_HTTP_GATEWAY_READY     3   /* beside NGX_GATEWAY_STATUS_* */
#define NGX_HTTP_GATEWAY_LIVE      4


typedef struct {
    ngx_str_t                   name;
    ngx_http_complex_value_t    value;
} ngx_http_gateway_header_t;


typedef struct {
    ngx_gateway_t              *gateway;
    ngx_gateway_auth_t         *auth;          /* NULL: nothing was said */
    ngx_http_complex_value_t   *device;
    ngx_http_complex_value_t   *class;
    u_char                     *class_file;
    ngx_uint_t                  class_line;
    ngx_uint_t                  class_index;   /* where class is constant */
    ngx_http_complex_value_t   *topic;
    ngx_http_complex_value_t   *key;
    ngx_array_t                *headers;       /* ngx_http_gateway_header_t */
    ngx_uint_t                  format;
    ngx_uint_t                  ack;
    ngx_msec_t                  timeout;
    ngx_msec_t                  body_timeout;
    ngx_uint_t                  max_batch;
    ngx_gateway_schema_t       *schema;
    ngx_flag_t                  schema_off;    /* not even the class's */
    size_t                      max_inflated;
    ngx_uint_t                  overload_status;
    ngx_uint_t                  log_level;
    ngx_uint_t                  status;        /* format of gateway_status */
    ngx_gateway_mqtt_conf_t     mqtt;          /* over WebSocket */
    ngx_flag_t                  ws;            /* it speaks that and nothing
                                                  else */
} ngx_http_gateway_loc_conf_t;


typedef enum {
    NGX_HTTP_GATEWAY_SINGLE = 0,
    NGX_HTTP_GATEWAY_ARRAY,
    NGX_HTTP_GATEWAY_NDJSON
} ngx_http_gateway_body_e;


typedef enum {
    NGX_HTTP_GATEWAY_IDENTITY = 0,
    NGX_HTTP_GATEWAY_GZIP,
    NGX_HTTP_GATEWAY_DEFLATE
} ngx_http_gateway_encoding_e;


/* an item of a batch that did not end well */

typedef struct {
    uint32_t                    index;
    gw_reason_e                 reason;
    const char                 *detail;
} ngx_http_gateway_error_t;


/* a message, alone or of a batch, whose data does not match its schema */

typedef struct {
    uint32_t                    index;
    const char                 *keyword;
    ngx_str_t                   pointer;
} ngx_http_gateway_failure_t;


#define NGX_HTTP_GATEWAY_IDEMPOTENCY_MAX  255


/* the request headers that matter, found in one pass */

typedef struct {
    ngx_str_t                   content_type;
    ngx_str_t                   content_encoding;
    ngx_str_t                   prefer;
    ngx_str_t                   traceparent;
    ngx_str_t                   tracestate;
    ngx_str_t                   seq;
    ngx_str_t                   epoch;
    ngx_str_t                   class;
    ngx_str_t                   timestamp;
    ngx_str_t                   idempotency;
    ngx_str_t                   specversion;   /* of a CloudEvent */
} ngx_http_gateway_headers_t;


/* who sends, where gateway_auth asks */

typedef struct {
    ngx_gateway_auth_t         *auth;
    ngx_gateway_credentials_t   credentials;
    ngx_gateway_auth_result_t   result;
    gw_signature_t              signature;
    ngx_str_t                   tenant;
    unsigned                    sign:1;        /* judged with the body */
    unsigned                    kept:1;        /* the identity is a copy */
} ngx_http_gateway_sender_t;


typedef struct {
    ngx_http_request_t         *request;
    ngx_gateway_waiter_t        waiter;
    ngx_gateway_origin_t        origin;
    ngx_http_gateway_headers_t  headers;
    ngx_event_t                 timer;         /* body, then answer */
    void                       *ws;            /* NULL, or all it has to say is
                                                  in ngx_http_gateway_ws.c */
    ngx_http_gateway_sender_t  *sender;        /* NULL: nobody asked */
    ngx_str_t                   device;        /* the identity, then that of
                                                  a single message */
    unsigned                    class_known:1; /* of all of the body */

    ngx_http_gateway_body_e     body;
    gw_ce_mode_e                event_mode;    /* NONE: origin.event is NULL */
    ngx_http_gateway_encoding_e encoding;

    /* one message, or how the request as a whole was refused */
    ngx_gateway_result_t        result;
    ngx_str_t                   detail;        /* instead of result.detail */

    /* a batch */
    ngx_uint_t                  messages;
    ngx_uint_t                  counts[GW_OUTCOME_N];
    ngx_array_t                 errors;        /* ngx_http_gateway_error_t */
    u_char                     *ended;         /* a byte an item */
    ngx_array_t                *failures;      /* ngx_http_gateway_failure_t,
                                                  by index; NULL: none */

    ngx_msec_t                  delivery;      /* of the slowest message */

    unsigned                    read:1;        /* the body is there */
    unsigned                    batch:1;       /* answered item by item */
    unsigned                    answered:1;
    unsigned                    counted:1;     /* in the books */
    unsigned                    waiting:1;
} ngx_http_gateway_ctx_t;


/* ngx_http_gateway_ingest.c */
ngx_int_t ngx_http_gateway_handler(ngx_http_request_t *r);
void ngx_http_gateway_ingest(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text);

/* why the scanner refused; where: the offset in the body makes sense */
void ngx_http_gateway_json_failed(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_json_t *json,
    ngx_gateway_result_t *result, ngx_uint_t where);

/*
 * ngx_http_gateway_origin.c.  NGX_DECLINED: refused, *reason, and *detail, a
 * constant sentence or NULL, say why.  origin: what is known before it is
 * known who sends; sender: what rests on that, so in a signed request it comes
 * with the body.
 */
void ngx_http_gateway_find_headers(ngx_http_request_t *r,
    ngx_http_gateway_headers_t *headers);
ngx_int_t ngx_http_gateway_origin(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail);
ngx_int_t ngx_http_gateway_sender(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail);
ngx_int_t ngx_http_gateway_media_type(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail);

/*
 * ngx_http_gateway_event.c: CloudEvents (HTTP protocol binding 1.0).  mode:
 * whether the request has any, origin.event is there then; NGX_DECLINED:
 * *reason, *detail.  binary: of text, the body, and the headers, the scanner
 * holds its data afterwards; NGX_DECLINED: *result.
 */
ngx_int_t ngx_http_gateway_event_mode(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail);
ngx_int_t ngx_http_gateway_event_binary(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text,
    ngx_gateway_result_t *result);

/*
 * ngx_http_gateway_auth.c.  identify: NGX_OK: the origin has an identity;
 * NGX_AGAIN: its body decides; NGX_DECLINED: *reason.  identify_again: when
 * the body, as it was sent, is there; NGX_OK or NGX_DECLINED.  challenge: the
 * headers WWW-Authenticate (RFC 9110 section 11.6.1) of a 401.
 */
ngx_int_t ngx_http_gateway_identify(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_gateway_auth_t *auth,
    gw_reason_e *reason);
ngx_int_t ngx_http_gateway_identify_again(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *body, gw_reason_e *reason);
ngx_int_t ngx_http_gateway_challenge(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);

/* that of the client, to be freed, and whether the server verified it */
void ngx_http_gateway_certificate(ngx_http_request_t *r,
    ngx_gateway_credentials_t *c);
void ngx_http_gateway_certificate_free(ngx_gateway_credentials_t *c);

/*
 * ngx_http_gateway_body.c: reads the body and gives it, whole, inflated and
 * in one piece, to ngx_http_gateway_ingest().
 */
ngx_int_t ngx_http_gateway_read_body(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);

/*
 * ngx_http_gateway_answer.c.  refuse: the whole request, counted as one
 * message where it was not counted yet; the result is what
 * ngx_http_finalize_request() takes.
 */
ngx_int_t ngx_http_gateway_refuse(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e reason, const char *detail);
ngx_int_t ngx_http_gateway_answer(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);
ngx_int_t ngx_http_gateway_not_allowed(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);

/* header and body of an answer; body NULL: none, and type does not matter.
   body and the header's value must live as long as the request */
ngx_int_t ngx_http_gateway_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body);
ngx_int_t ngx_http_gateway_add_header(ngx_http_request_t *r,
    const char *name, size_t len, ngx_str_t *value);

/* ngx_http_gateway_module.c: why nginx itself refused the body, from the
   status it answered; GW_R_NONE: it did not */
gw_reason_e ngx_http_gateway_nginx_reason(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);

/* ngx_http_gateway_status.c */
ngx_int_t ngx_http_gateway_status_handler(ngx_http_request_t *r);

/* ngx_http_gateway_variables.c */
ngx_int_t ngx_http_gateway_add_variables(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_gateway_module;


#endif /* _NGX_HTTP_GATEWAY_H_INCLUDED_ */
