/*
 * ngx_http_gateway_origin.c - what is known of a request before its body is
 * read: who sent it, of which class, under which rules, in which form.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


static ngx_int_t ngx_http_gateway_idempotency(ngx_http_gateway_ctx_t *ctx,
    const char **detail);
static ngx_int_t ngx_http_gateway_extras(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);


void
ngx_http_gateway_find_headers(ngx_http_request_t *r,
    ngx_http_gateway_headers_t *headers)
{
    ngx_str_t        *s;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0) {
            continue;
        }

        s = NULL;

#define ngx_http_gateway_is(name)                                             \
    (ngx_memcmp(h[i].lowcase_key, name, sizeof(name) - 1) == 0)

        switch (h[i].key.len) {

        case sizeof("prefer") - 1:
            s = ngx_http_gateway_is("prefer") ? &headers->prefer : NULL;
            break;

        case sizeof("tracestate") - 1:
            s = ngx_http_gateway_is("tracestate") ? &headers->tracestate
                                                  : NULL;
            break;

        case sizeof("traceparent") - 1:   /* and gateway-seq */
            s = ngx_http_gateway_is("traceparent") ? &headers->traceparent
                : ngx_http_gateway_is("gateway-seq") ? &headers->seq : NULL;
            break;

        case sizeof("content-type") - 1:
            s = ngx_http_gateway_is("content-type") ? &headers->content_type
                                                    : NULL;
            break;

        case sizeof("gateway-epoch") - 1:   /* and gateway-class */
            s = ngx_http_gateway_is("gateway-epoch") ? &headers->epoch
                : ngx_http_gateway_is("gateway-class") ? &headers->class
                                                       : NULL;
            break;

        case sizeof("ce-specversion") - 1:
            s = ngx_http_gateway_is("ce-specversion") ? &headers->specversion
                                                      : NULL;
            break;

        case sizeof("idempotency-key") - 1:
            s = ngx_http_gateway_is("idempotency-key") ? &headers->idempotency
                                                       : NULL;
            break;

        case sizeof("content-encoding") - 1:
            s = ngx_http_gateway_is("content-encoding")
                ? &headers->content_encoding : NULL;
            break;

        case sizeof("gateway-timestamp") - 1:
            s = ngx_http_gateway_is("gateway-timestamp")
                ? &headers->timestamp : NULL;
            break;
        }

        /* the first of several counts */

        if (s && s->data == NULL) {
            *s = h[i].value;
        }
    }
}


ngx_int_t
ngx_http_gateway_origin(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_reason_e *reason, const char **detail)
{
    ngx_str_t                     name;
    ngx_time_t                   *tp;
    ngx_gateway_origin_t         *origin;
    ngx_http_gateway_headers_t   *headers;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    origin = &ctx->origin;
    headers = &ctx->headers;

    tp = ngx_timeofday();

    origin->received = ngx_current_msec;
    origin->received_at = (int64_t) tp->sec * 1000 + tp->msec;
    origin->ack = glcf->ack;

    if (headers->prefer.len
        && ngx_strlcasestrn(headers->prefer.data,
                            headers->prefer.data + headers->prefer.len,
                            (u_char *) "gateway-ack=delivered",
                            sizeof("gateway-ack=delivered") - 2)
           != NULL)
    {
        origin->ack_min = NGX_GATEWAY_ACK_DELIVERED;
    }

    /* raw bodies name no class, and a header names it for all of a body */

    ctx->class_known = (glcf->format == NGX_HTTP_GATEWAY_RAW);

    if (headers->class.data) {

        if (ngx_gateway_find_class(origin->gateway, headers->class.data,
                                   headers->class.len, &origin->class_index)
            != NGX_OK)
        {
            *reason = GW_R_MALFORMED;
            *detail = "header \"Gateway-Class\" names no class of the "
                      "gateway";
            return NGX_DECLINED;
        }

        origin->class_fixed = 1;
        ctx->class_known = 1;

    } else if (glcf->class_index != NGX_CONF_UNSET_UINT) {
        origin->class_index = glcf->class_index;

    } else if (glcf->class) {

        if (ngx_http_complex_value(r, glcf->class, &name) != NGX_OK) {
            *reason = GW_R_INTERNAL;
            return NGX_DECLINED;
        }

        if (name.len
            && ngx_gateway_find_class(origin->gateway, name.data, name.len,
                                      &origin->class_index)
               != NGX_OK)
        {
            *reason = GW_R_MALFORMED;
            *detail = "the class of the request is no class of the gateway";
            return NGX_DECLINED;
        }
    }

    if (headers->traceparent.len
        && gw_trace_parse(headers->traceparent.data,
                          headers->traceparent.len, origin->traceparent)
           == GW_OK)
    {
        origin->traced = 1;

        if (gw_trace_state_valid(headers->tracestate.data,
                                 headers->tracestate.len)
            == GW_OK)
        {
            origin->tracestate = headers->tracestate;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gateway_sender(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_reason_e *reason, const char **detail)
{
    ngx_gateway_origin_t         *origin;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
    origin = &ctx->origin;

    /* a class that is not his is refused before the body is read */

    if (ctx->class_known && origin->identity
        && !(origin->identity->classes & (1u << origin->class_index)))
    {
        *reason = GW_R_FORBIDDEN;
        *detail = "the sender may not send messages of this class";
        return NGX_DECLINED;
    }

    if (glcf->device) {

        if (ngx_http_complex_value(r, glcf->device, &origin->device)
            != NGX_OK)
        {
            *reason = GW_R_INTERNAL;
            return NGX_DECLINED;
        }

        if (origin->device.len == 0 && origin->identity == NULL) {
            *reason = GW_R_UNAUTHENTICATED;
            *detail = "the request has no identity";
            return NGX_DECLINED;
        }

        if (origin->device.len
            && ngx_gateway_identity_valid(&origin->device) != NGX_OK)
        {
            *reason = GW_R_FORBIDDEN;
            *detail = "the identity is longer than 128 bytes or has bytes "
                      "that a device id may not have";
            return NGX_DECLINED;
        }

        if (origin->device.len && origin->identity
            && gw_identity_speaks(origin->identity, origin->device.data,
                                  origin->device.len)
               != GW_OK)
        {
            *reason = GW_R_FORBIDDEN;
            *detail = "the sender does not speak for the device of the "
                      "request";
            return NGX_DECLINED;
        }
    }

    if (glcf->topic || glcf->key || glcf->headers) {

        if (ngx_http_gateway_extras(r, ctx) != NGX_OK) {
            *reason = GW_R_INTERNAL;
            return NGX_DECLINED;
        }
    }

    /* a constant topic is the word of the configuration, not of the sender */

    if (origin->identity && origin->topic.len && glcf->topic->lengths
        && gw_identity_listed(origin->identity->topics,
                              origin->identity->topics_len,
                              origin->topic.data, origin->topic.len)
           != GW_OK)
    {
        *reason = GW_R_FORBIDDEN;
        *detail = "the sender may not write to this topic";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * draft-ietf-httpapi-idempotency-key-header-07: a string of RFC 8941 section
 * 3.3.3, in quotes; bare as well, for that is how most clients send it.
 */

static ngx_int_t
ngx_http_gateway_idempotency(ngx_http_gateway_ctx_t *ctx, const char **detail)
{
    size_t      i;
    ngx_str_t   key;

    key = ctx->headers.idempotency;

    if (key.len > 1 && key.data[0] == '"' && key.data[key.len - 1] == '"') {
        key.data++;
        key.len -= 2;
    }

    if (key.len == 0 || key.len > NGX_HTTP_GATEWAY_IDEMPOTENCY_MAX) {
        goto invalid;
    }

    for (i = 0; i < key.len; i++) {
        if (key.data[i] < 0x20 || key.data[i] > 0x7e || key.data[i] == '"'
            || key.data[i] == '\\')
        {
            goto invalid;
        }
    }

    ctx->origin.idempotency = key;

    return NGX_OK;

invalid:

    *detail = "header \"Idempotency-Key\" must be 1 to 255 printable ASCII "
              "characters, without quote and backslash";

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gateway_extras(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    ngx_uint_t                    i, n;
    ngx_gateway_origin_t         *origin;
    ngx_gateway_header_t         *header;
    ngx_http_gateway_header_t    *conf;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
    origin = &ctx->origin;

    if (glcf->topic
        && ngx_http_complex_value(r, glcf->topic, &origin->topic) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (glcf->key
        && ngx_http_complex_value(r, glcf->key, &origin->key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (glcf->headers == NULL) {
        return NGX_OK;
    }

    conf = glcf->headers->elts;
    n = glcf->headers->nelts;

    header = ngx_palloc(r->pool, n * sizeof(ngx_gateway_header_t));
    if (header == NULL) {
        return NGX_ERROR;
    }

    origin->headers = header;

    for (i = 0; i < n; i++) {

        if (ngx_http_complex_value(r, &conf[i].value, &header->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        /* as with add_header: an empty value is no header */

        if (header->value.len == 0) {
            continue;
        }

        header->name = conf[i].name;
        header++;
        origin->nheaders++;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gateway_media_type(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail)
{
    size_t                        len;
    u_char                       *p, *last;
    ngx_str_t                    *type, *encoding;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    *reason = GW_R_UNSUPPORTED;
    encoding = &ctx->headers.content_encoding;

    if (encoding->len == 0
        || (encoding->len == sizeof("identity") - 1
            && ngx_strncasecmp(encoding->data, (u_char *) "identity",
                               encoding->len)
               == 0))
    {
        ctx->encoding = NGX_HTTP_GATEWAY_IDENTITY;

    } else if ((encoding->len == sizeof("gzip") - 1
                && ngx_strncasecmp(encoding->data, (u_char *) "gzip", 4) == 0)
               || (encoding->len == sizeof("x-gzip") - 1
                   && ngx_strncasecmp(encoding->data, (u_char *) "x-gzip", 6)
                      == 0))
    {
        ctx->encoding = NGX_HTTP_GATEWAY_GZIP;

    } else if (encoding->len == sizeof("deflate") - 1
               && ngx_strncasecmp(encoding->data, (u_char *) "deflate", 7)
                  == 0)
    {
        ctx->encoding = NGX_HTTP_GATEWAY_DEFLATE;

    } else {
        *detail = "Content-Encoding must be gzip, deflate or identity";
        return NGX_DECLINED;
    }

    if (ctx->headers.idempotency.data
        && ngx_http_gateway_idempotency(ctx, detail) != NGX_OK)
    {
        *reason = GW_R_MALFORMED;
        return NGX_DECLINED;
    }

    ctx->body = NGX_HTTP_GATEWAY_SINGLE;

    if (glcf->format == NGX_HTTP_GATEWAY_RAW) {
        /* the body itself decides */
        return NGX_OK;
    }

    type = &ctx->headers.content_type;

    /* as nearly every device writes it */

    if (type->len == sizeof("application/json") - 1
        && ngx_memcmp(type->data, "application/json", type->len) == 0
        && ctx->headers.specversion.data == NULL)
    {
        return NGX_OK;
    }

    if (ngx_http_gateway_event_mode(r, ctx, reason, detail) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ctx->event_mode != GW_CE_NONE) {
        return NGX_OK;
    }

    p = type->data;
    last = p + type->len;

    while (p < last && *p != ';' && *p != ' ' && *p != '\t') {
        p++;
    }

    len = p - type->data;

#define ngx_http_gateway_type(name)                                           \
    (len == sizeof(name) - 1                                                  \
     && ngx_strncasecmp(type->data, (u_char *) name, len) == 0)

    if (ngx_http_gateway_type("application/json")) {
        return NGX_OK;
    }

    if (ngx_http_gateway_type("application/x-ndjson")
        || ngx_http_gateway_type("application/ndjson"))
    {
        ctx->body = NGX_HTTP_GATEWAY_NDJSON;
        return NGX_OK;
    }

    *detail = "Content-Type must be application/json, application/x-ndjson or "
              "that of CloudEvents in JSON";

    return NGX_DECLINED;
}
