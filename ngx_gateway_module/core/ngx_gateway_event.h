/*
 * ngx_gateway_event.h - CloudEvents on their way to Kafka: the attributes of
 * those that came, and "output cloudevents", which makes one of every message
 * (Kafka protocol binding 1.0, binary mode).
 *
 * What is handed out lives in memory of this worker until the next call, as
 * messages are composed one at a time; compose() copies it.
 */

#ifndef _NGX_GATEWAY_EVENT_H_INCLUDED_
#define _NGX_GATEWAY_EVENT_H_INCLUDED_


#include "ngx_gateway_core.h"


#define NGX_GATEWAY_OUTPUT_ENVELOPE     0
#define NGX_GATEWAY_OUTPUT_CLOUDEVENTS  1

#define NGX_GATEWAY_EVENT_HEADERS  (10 + GW_CE_EXT_MAX + 6)


/* what the value of a record is */

typedef enum {
    NGX_GATEWAY_EVENT_JSON = 0,    /* data; or the envelope, as "output" says */
    NGX_GATEWAY_EVENT_OPAQUE,      /* data that is no JSON */
    NGX_GATEWAY_EVENT_DOCUMENT     /* what came, refused */
} ngx_gateway_event_e;


/* "output" of the gateway block */
char *ngx_gateway_event_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * The record headers of a message, NGX_GATEWAY_EVENT_HEADERS at most; returns
 * how many.  The envelope is authorised.  Where the value is not the event's
 * data they are those of a CloudEvent that came, but specversion and content
 * type.
 */
ngx_uint_t ngx_gateway_event_headers(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_event_e value,
    ngx_gateway_header_t *headers);

/*
 * The value under "output cloudevents": data as the event's content type has
 * it, so text and what came as base64 without their wrapping.  dst has room for
 * envelope->data.len bytes; returns the bytes written.  The scanner's tape must
 * be that of the envelope.
 */
size_t ngx_gateway_event_write(u_char *dst, ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, gw_json_t *json);


#endif /* _NGX_GATEWAY_EVENT_H_INCLUDED_ */
