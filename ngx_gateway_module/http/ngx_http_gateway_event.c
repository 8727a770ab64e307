/*
 * ngx_http_gateway_event.c - CloudEvents over HTTP (protocol binding 1.0).
 *
 * In structured and batched mode the document is an event in place of an
 * envelope; in binary mode the headers are, and the body is its data.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


static ngx_int_t ngx_http_gateway_event_headers(ngx_http_request_t *r,
    gw_ce_t *event, const char **detail);
static ngx_int_t ngx_http_gateway_event_text(ngx_http_request_t *r,
    gw_str_t *text);


ngx_int_t
ngx_http_gateway_event_mode(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_reason_e *reason, const char **detail)
{
    gw_str_t    type;
    ngx_str_t  *header;

    header = &ctx->headers.content_type;

    type.data = header->data;
    type.len = header->len;

    if (gw_ce_mode(header->data ? &type : NULL,
                   ctx->headers.specversion.data != NULL, &ctx->event_mode)
        != GW_OK)
    {
        *detail = "of the event formats of CloudEvents only JSON is known";
        return NGX_DECLINED;
    }

    if (ctx->event_mode == GW_CE_NONE) {
        return NGX_OK;
    }

    ctx->origin.event = ngx_palloc(r->pool, sizeof(gw_ce_t));
    if (ctx->origin.event == NULL) {
        *reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    if (ctx->event_mode == GW_CE_BATCHED) {
        ctx->body = NGX_HTTP_GATEWAY_ARRAY;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gateway_event_binary(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text, ngx_gateway_result_t *result)
{
    gw_ce_t    *event;
    gw_str_t    body, type, *content_type;
    gw_json_t  *json;

    event = ctx->origin.event;
    body = *text;
    content_type = NULL;

    /* what does not say what it is is JSON, as most of what comes is */

    if (ctx->headers.content_type.len) {
        type.data = ctx->headers.content_type.data;
        type.len = ctx->headers.content_type.len;
        content_type = &type;
    }

    result->reason = GW_R_MALFORMED;
    result->detail = NULL;

    if (ngx_http_gateway_event_headers(r, event, &result->detail) != NGX_OK
        || gw_ce_finish(event, content_type, &result->detail) != GW_OK)
    {
        return NGX_DECLINED;
    }

    if (body.len == 0) {
        result->detail = "an event without data is not taken";
        return NGX_DECLINED;
    }

    if (content_type && !gw_ce_is_json(content_type)
        && ngx_http_gateway_event_text(r, &body) != NGX_OK)
    {
        result->reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    json = ngx_gateway_json(ctx->origin.gateway);

    if (gw_json_parse(json, body.data, body.len) != GW_OK) {

        /* of text that was put in quotes the offset is another */

        ngx_http_gateway_json_failed(r, ctx, json, result,
                                     body.data == text->data);
        return NGX_DECLINED;
    }

    gw_envelope_whole(json, &body, &event->env);

    event->env.document = *text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gateway_event_headers(ngx_http_request_t *r, gw_ce_t *event,
    const char **detail)
{
    gw_str_t          name, value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    gw_ce_start(event);

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0 || h[i].key.len < sizeof("ce-") - 1
            || ngx_memcmp(h[i].lowcase_key, "ce-", sizeof("ce-") - 1) != 0)
        {
            continue;
        }

        name.data = h[i].lowcase_key + sizeof("ce-") - 1;
        name.len = h[i].key.len - (sizeof("ce-") - 1);
        value.data = h[i].value.data;
        value.len = h[i].value.len;

        if (gw_ce_header(event, &name, &value, detail) != GW_OK) {
            return NGX_DECLINED;
        }
    }
}


/* data that is no JSON is a JSON string of it; the scanner sees to UTF-8 */

static ngx_int_t
ngx_http_gateway_event_text(ngx_http_request_t *r, gw_str_t *text)
{
    u_char     *p, *start;
    uintptr_t   more;

    more = ngx_escape_json(NULL, (u_char *) text->data, text->len);

    start = ngx_pnalloc(r->pool, text->len + more + 2);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = start;
    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, (u_char *) text->data, text->len);
    *p++ = '"';

    text->data = start;
    text->len = p - start;

    return NGX_OK;
}
