/*
 * ngx_http_gateway_ingest.c - a request becomes messages.
 *
 * The cheapest refusals stand first: method, class under pressure, sender and
 * media type are judged before a byte of the body is read.  A JSON array
 * is staged whole and submitted only when its last bracket was found, since a
 * broken array has no place to go on from; a line of NDJSON stands alone.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ndjson.h"
#include "ngx_http_gateway.h"


/* a message of a batch between compose and submit */

typedef struct {
    ngx_gateway_msg_t          *msg;
    uint32_t                    index;
} ngx_http_gateway_staged_t;


static ngx_http_gateway_ctx_t *ngx_http_gateway_create_ctx(
    ngx_http_request_t *r, ngx_http_gateway_loc_conf_t *glcf);
static void ngx_http_gateway_cleanup(void *data);
static void ngx_http_gateway_single(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text);
static ngx_int_t ngx_http_gateway_raw(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text, gw_envelope_t *envelope);
static ngx_int_t ngx_http_gateway_decode(ngx_http_gateway_ctx_t *ctx,
    const uint8_t *base, gw_envelope_t *own, gw_envelope_t **envelope,
    ngx_gateway_result_t *result);
static void ngx_http_gateway_array(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text);
static void ngx_http_gateway_ndjson(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *text);
static void ngx_http_gateway_submit_batch(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_array_t *staged);
static void ngx_http_gateway_discard_batch(ngx_array_t *staged);
static ngx_int_t ngx_http_gateway_batch_init(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_array_t *staged);
static ngx_int_t ngx_http_gateway_stage(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_array_t *staged, const uint8_t *base);
static void ngx_http_gateway_failed(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, uint32_t index,
    ngx_gateway_failure_t *failure);
static ngx_int_t ngx_http_gateway_item_refused(ngx_http_gateway_ctx_t *ctx,
    uint32_t index, ngx_gateway_result_t *result);
static void ngx_http_gateway_note(ngx_http_gateway_ctx_t *ctx,
    uint32_t index, const ngx_gateway_result_t *result);
static void ngx_http_gateway_result(ngx_gateway_waiter_t *waiter,
    uint32_t index, const ngx_gateway_result_t *result, ngx_msec_t delivery);
static void ngx_http_gateway_done(ngx_gateway_waiter_t *waiter);
static void ngx_http_gateway_timeout(ngx_event_t *ev);
static void ngx_http_gateway_finish(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);


ngx_int_t
ngx_http_gateway_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    const char                   *detail;
    gw_reason_e                   reason;
    ngx_http_gateway_ctx_t       *ctx;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    ctx = ngx_http_gateway_create_ctx(r, glcf);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PUT))) {
        return ngx_http_gateway_not_allowed(r, ctx);
    }

    ngx_http_gateway_find_headers(r, &ctx->headers);

    detail = NULL;

    if (ngx_http_gateway_origin(r, ctx, &reason, &detail) != NGX_OK) {
        goto refused;
    }

    reason = ngx_gateway_admit(glcf->gateway, ctx->class_known,
                               ctx->origin.class_index);

    if (reason != GW_R_NONE) {
        goto refused;
    }

    rc = NGX_OK;

    if (glcf->auth && ngx_gateway_auth_on(glcf->auth)) {

        rc = ngx_http_gateway_identify(r, ctx, glcf->auth, &reason);

        if (rc == NGX_DECLINED) {
            goto refused;
        }

        if (rc == NGX_AGAIN && (ctx->headers.idempotency.data
                                || ctx->headers.specversion.data))
        {
            reason = GW_R_MALFORMED;
            detail = "a signature does not cover \"Idempotency-Key\" and "
                     "\"ce-...\": a signed request has them in its body";
            goto refused;
        }
    }

    if (rc == NGX_OK
        && ngx_http_gateway_sender(r, ctx, &reason, &detail) != NGX_OK)
    {
        goto refused;
    }

    if (ngx_http_gateway_media_type(r, ctx, &reason, &detail) != NGX_OK) {
        goto refused;
    }

    return ngx_http_gateway_read_body(r, ctx);

refused:

    return ngx_http_gateway_refuse(r, ctx, reason, detail);
}


static ngx_http_gateway_ctx_t *
ngx_http_gateway_create_ctx(ngx_http_request_t *r,
    ngx_http_gateway_loc_conf_t *glcf)
{
    ngx_http_cleanup_t      *cln;
    ngx_http_gateway_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_gateway_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gateway_cleanup;
    cln->data = ctx;

    ctx->request = r;

    ctx->waiter.result = ngx_http_gateway_result;
    ctx->waiter.done = ngx_http_gateway_done;
    ctx->waiter.data = ctx;

    ctx->origin.gateway = glcf->gateway;
    ctx->origin.protocol = GW_PROTO_HTTP;
    ctx->origin.class_index = ngx_gateway_default_class(glcf->gateway);
    ctx->origin.schema = glcf->schema;
    ctx->origin.schema_off = glcf->schema_off;

    /* a request that is retried inside, after error_page, starts anew */

    ngx_http_set_ctx(r, ctx, ngx_http_gateway_module);

    ngx_gateway_count_connection(glcf->gateway, GW_PROTO_HTTP, 1);

    return ctx;
}


static void
ngx_http_gateway_cleanup(void *data)
{
    ngx_http_gateway_ctx_t  *ctx = data;

    gw_reason_e  reason;

    if (!ctx->counted) {
        reason = ngx_http_gateway_nginx_reason(ctx->request, ctx);

        if (reason != GW_R_NONE) {
            ctx->counted = 1;
            ctx->result.outcome = gw_reason(reason)->outcome;
            ctx->result.reason = reason;

            ngx_gateway_count_refused(ctx->origin.gateway, GW_PROTO_HTTP,
                                      ctx->origin.class_index, reason);
        }
    }

    if (ctx->waiting && !ctx->answered) {
        /* the messages go on: they were accepted, and count once */
        ngx_gateway_count_gone(ctx->origin.gateway, GW_PROTO_HTTP);
    }

    ngx_gateway_waiter_close(&ctx->waiter);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    ngx_gateway_count_connection(ctx->origin.gateway, GW_PROTO_HTTP, -1);
}


/* the whole body, read and inflated; called once a request */

void
ngx_http_gateway_ingest(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text)
{
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    if (ngx_gateway_waiter_open(glcf->gateway, &ctx->waiter) != NGX_OK) {
        ngx_http_finalize_request(r,
                    ngx_http_gateway_refuse(r, ctx, GW_R_INTERNAL, NULL));
        return;
    }

    if (ctx->body == NGX_HTTP_GATEWAY_SINGLE
        && glcf->format == NGX_HTTP_GATEWAY_ENVELOPE
        && ctx->event_mode == GW_CE_NONE
        && gw_json_peek(text->data, text->len) == '[')
    {
        ctx->body = NGX_HTTP_GATEWAY_ARRAY;
    }

    if (ctx->origin.idempotency.len && ctx->body != NGX_HTTP_GATEWAY_SINGLE) {
        ngx_http_finalize_request(r,
                    ngx_http_gateway_refuse(r, ctx, GW_R_MALFORMED,
                               "header \"Idempotency-Key\" is for a single "
                               "message, a batch names \"seq\" in each"));
        return;
    }

    switch (ctx->body) {

    case NGX_HTTP_GATEWAY_SINGLE:
        ngx_http_gateway_single(r, ctx, text);
        break;

    case NGX_HTTP_GATEWAY_ARRAY:
        ngx_http_gateway_array(r, ctx, text);
        break;

    case NGX_HTTP_GATEWAY_NDJSON:
        ngx_http_gateway_ndjson(r, ctx, text);
        break;
    }
}


static void
ngx_http_gateway_single(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text)
{
    gw_json_t                    *json;
    ngx_int_t                     rc;
    gw_envelope_t                 own, *envelope;
    ngx_gateway_msg_t            *msg;
    ngx_gateway_result_t          result;
    ngx_gateway_failure_t         failure;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    ctx->messages = 1;
    failure.keyword = NULL;

    if (glcf->format == NGX_HTTP_GATEWAY_RAW) {

        envelope = &own;

        if (ngx_http_gateway_raw(r, ctx, text, envelope) != NGX_OK) {
            return;
        }

        rc = ngx_gateway_class_opaque(glcf->gateway, ctx->origin.class_index)
             ? ngx_gateway_compose_opaque(&ctx->origin, envelope, &msg,
                                          &result)
             : ngx_gateway_compose(&ctx->origin, envelope, &msg, &result,
                                   &failure);

    } else if (ctx->event_mode == GW_CE_BINARY) {

        if (ngx_http_gateway_event_binary(r, ctx, text, &result) != NGX_OK) {
            goto refused;
        }

        envelope = &ctx->origin.event->env;

        rc = ngx_gateway_compose(&ctx->origin, envelope, &msg, &result,
                                 &failure);

    } else {
        json = ngx_gateway_json(glcf->gateway);

        if (gw_json_parse(json, text->data, text->len) != GW_OK) {
            ngx_http_gateway_json_failed(r, ctx, json, &result, 1);
            goto refused;
        }

        if (ngx_http_gateway_decode(ctx, text->data, &own, &envelope, &result)
            != NGX_OK)
        {
            goto refused;
        }

        rc = ngx_gateway_compose(&ctx->origin, envelope, &msg, &result,
                                 &failure);
    }

    if (failure.keyword) {
        ngx_http_gateway_failed(r, ctx, 0, &failure);
    }

    if (rc != NGX_OK) {
        goto refused;
    }

    ctx->device.data = ngx_pnalloc(r->pool, envelope->device.len);
    if (ctx->device.data) {
        ctx->device.len = envelope->device.len;
        ngx_memcpy(ctx->device.data, envelope->device.data,
                   envelope->device.len);
    }

    ctx->origin.class_index = ngx_gateway_msg_class(msg);
    ctx->counted = 1;

    rc = ngx_gateway_submit(msg, &ctx->waiter, 0, &result);

    if (rc != NGX_AGAIN) {
        ngx_http_gateway_note(ctx, 0, &result);
    }

    ngx_http_gateway_finish(r, ctx);

    return;

refused:

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx,
                                                         result.reason,
                                                         result.detail));
}


static ngx_int_t
ngx_http_gateway_raw(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text, gw_envelope_t *envelope)
{
    gw_json_t                   *json;
    const char                  *detail;
    gw_reason_e                  reason;
    ngx_gateway_result_t         result;
    ngx_http_gateway_headers_t  *headers;

    headers = &ctx->headers;

    ngx_memzero(envelope, offsetof(gw_envelope_t, device_buf));

    reason = GW_R_MALFORMED;

    if (headers->seq.data) {

        if (gw_envelope_parse_seq(headers->seq.data, headers->seq.len,
                                  &envelope->seq)
            != GW_OK)
        {
            detail = "header \"Gateway-Seq\" must be an integer from 0 to "
                     "9007199254740991";
            goto refused;
        }

        envelope->has_seq = 1;
    }

    if (headers->epoch.len) {

        if (gw_envelope_name_valid(headers->epoch.data, headers->epoch.len,
                                   GW_EPOCH_MAX)
            != GW_OK)
        {
            detail = "header \"Gateway-Epoch\" must be 1 to 32 characters of "
                     "[A-Za-z0-9._:@-]";
            goto refused;
        }

        envelope->epoch.data = headers->epoch.data;
        envelope->epoch.len = headers->epoch.len;
    }

    if (headers->timestamp.data) {

        if (gw_envelope_parse_ts(headers->timestamp.data,
                                 headers->timestamp.len, &envelope->ts)
            != GW_OK)
        {
            detail = "header \"Gateway-Timestamp\" must be an RFC 3339 time "
                     "or epoch seconds or milliseconds";
            goto refused;
        }

        envelope->has_ts = 1;
    }

    if (ngx_gateway_class_opaque(ctx->origin.gateway,
                                 ctx->origin.class_index))
    {
        envelope->data = *text;
        return NGX_OK;
    }

    json = ngx_gateway_json(ctx->origin.gateway);

    if (gw_json_parse(json, text->data, text->len) != GW_OK) {
        ngx_http_gateway_json_failed(r, ctx, json, &result, 1);
        reason = result.reason;
        detail = result.detail;
        goto refused;
    }

    gw_envelope_whole(json, text, envelope);

    return NGX_OK;

refused:

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx, reason,
                                                         detail));
    return NGX_DECLINED;
}


/* a document just parsed; NGX_DECLINED: *result */

static ngx_int_t
ngx_http_gateway_decode(ngx_http_gateway_ctx_t *ctx, const uint8_t *base,
    gw_envelope_t *own, gw_envelope_t **envelope,
    ngx_gateway_result_t *result)
{
    int          rc;
    gw_ce_t     *event;
    gw_json_t   *json;

    json = ngx_gateway_json(ctx->origin.gateway);
    event = ctx->origin.event;

    result->reason = GW_R_MALFORMED;
    result->detail = NULL;

    if (event) {
        rc = gw_ce_decode(json, base, 0, event, &result->detail);
        *envelope = &event->env;

    } else {
        rc = gw_envelope_decode(json, base, own, &result->detail);
        *envelope = own;
    }

    return rc == GW_OK ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_gateway_array(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text)
{
    int                           rc;
    gw_json_t                    *json;
    ngx_array_t                   staged;
    gw_json_items_t               items;
    ngx_gateway_result_t          result;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
    json = ngx_gateway_json(glcf->gateway);

    if (ngx_http_gateway_batch_init(r, ctx, &staged) != NGX_OK) {
        ngx_http_finalize_request(r,
                    ngx_http_gateway_refuse(r, ctx, GW_R_INTERNAL, NULL));
        return;
    }

    gw_json_items_init(&items, text->data, text->len);

    for ( ;; ) {
        rc = gw_json_items_next(&items, json);

        if (rc != GW_OK) {
            break;
        }

        if (ctx->messages == glcf->max_batch) {
            result.reason = GW_R_TOO_LARGE;
            result.detail = "the batch has more messages than "
                            "gateway_max_batch";
            goto refused;
        }

        if (ngx_http_gateway_stage(r, ctx, &staged, items.base) != NGX_OK) {
            result.reason = GW_R_INTERNAL;
            result.detail = NULL;
            goto refused;
        }
    }

    if (rc == GW_ERROR) {
        ngx_http_gateway_json_failed(r, ctx, json, &result, 1);
        goto refused;
    }

    if (ctx->messages == 0) {
        result.reason = GW_R_MALFORMED;
        result.detail = "the batch is empty";
        goto refused;
    }

    ngx_http_gateway_submit_batch(r, ctx, &staged);

    return;

refused:

    /* nothing of it was submitted, so it counts as one that was refused */

    ngx_http_gateway_discard_batch(&staged);

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx,
                                                         result.reason,
                                                         result.detail));
}


static void
ngx_http_gateway_ndjson(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_str_t *text)
{
    gw_str_t                      line;
    gw_json_t                    *json;
    gw_ndjson_t                   nd;
    ngx_array_t                   staged;
    ngx_gateway_result_t          result;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
    json = ngx_gateway_json(glcf->gateway);

    if (ngx_http_gateway_batch_init(r, ctx, &staged) != NGX_OK) {
        ngx_http_finalize_request(r,
                    ngx_http_gateway_refuse(r, ctx, GW_R_INTERNAL, NULL));
        return;
    }

    gw_ndjson_init(&nd, text->data, text->len);

    while (gw_ndjson_next(&nd, &line) == GW_OK) {

        if (ctx->messages == glcf->max_batch) {
            result.reason = GW_R_TOO_LARGE;
            result.detail = "the batch has more messages than "
                            "gateway_max_batch";
            goto refused;
        }

        if (gw_json_parse(json, line.data, line.len) != GW_OK) {
            ngx_http_gateway_json_failed(r, ctx, json, &result, 0);

            if (ngx_http_gateway_item_refused(ctx, ctx->messages++, &result)
                != NGX_OK)
            {
                result.reason = GW_R_INTERNAL;
                result.detail = NULL;
                goto refused;
            }

            continue;
        }

        if (ngx_http_gateway_stage(r, ctx, &staged, line.data) != NGX_OK) {
            result.reason = GW_R_INTERNAL;
            result.detail = NULL;
            goto refused;
        }
    }

    if (ctx->messages == 0) {
        result.reason = GW_R_MALFORMED;
        result.detail = "the batch is empty";
        goto refused;
    }

    ngx_http_gateway_submit_batch(r, ctx, &staged);

    return;

refused:

    ngx_http_gateway_discard_batch(&staged);

    ngx_http_finalize_request(r, ngx_http_gateway_refuse(r, ctx,
                                                         result.reason,
                                                         result.detail));
}


static ngx_int_t
ngx_http_gateway_batch_init(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_array_t *staged)
{
    ctx->batch = 1;

    if (ngx_array_init(&ctx->errors, r->pool, 4,
                       sizeof(ngx_http_gateway_error_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_array_init(staged, r->pool, 64,
                          sizeof(ngx_http_gateway_staged_t));
}


/* one document of a batch, just parsed; NGX_ERROR: no memory */

static ngx_int_t
ngx_http_gateway_stage(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    ngx_array_t *staged, const uint8_t *base)
{
    uint32_t                    index;
    ngx_int_t                   rc;
    gw_envelope_t               own, *envelope;
    ngx_gateway_msg_t          *msg;
    ngx_gateway_result_t        result;
    ngx_gateway_failure_t       failure;
    ngx_http_gateway_staged_t  *item;

    index = ctx->messages++;

    if (ngx_http_gateway_decode(ctx, base, &own, &envelope, &result)
        != NGX_OK)
    {
        return ngx_http_gateway_item_refused(ctx, index, &result);
    }

    rc = ngx_gateway_compose(&ctx->origin, envelope, &msg, &result, &failure);

    if (failure.keyword) {
        ngx_http_gateway_failed(r, ctx, index, &failure);
    }

    if (rc != NGX_OK) {
        return ngx_http_gateway_item_refused(ctx, index, &result);
    }

    item = ngx_array_push(staged);
    if (item == NULL) {
        ngx_gateway_discard(msg);
        return NGX_ERROR;
    }

    item->msg = msg;
    item->index = index;

    return NGX_OK;
}


/* noted for the answer, which does without where there is no memory */

static void
ngx_http_gateway_failed(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    uint32_t index, ngx_gateway_failure_t *failure)
{
    u_char                      *p;
    ngx_http_gateway_failure_t  *note;

    if (ctx->failures == NULL) {
        ctx->failures = ngx_array_create(r->pool, 1,
                                         sizeof(ngx_http_gateway_failure_t));
        if (ctx->failures == NULL) {
            return;
        }
    }

    p = ngx_pnalloc(r->pool, failure->pointer.len + 1);
    if (p == NULL) {
        return;
    }

    note = ngx_array_push(ctx->failures);
    if (note == NULL) {
        return;
    }

    note->index = index;
    note->keyword = failure->keyword;
    note->pointer.data = p;
    note->pointer.len = failure->pointer.len;

    ngx_memcpy(p, failure->pointer.data, failure->pointer.len);
}


static ngx_int_t
ngx_http_gateway_item_refused(ngx_http_gateway_ctx_t *ctx, uint32_t index,
    ngx_gateway_result_t *result)
{
    ngx_http_gateway_error_t  *error;

    error = ngx_array_push(&ctx->errors);
    if (error == NULL) {
        return NGX_ERROR;
    }

    error->index = index;
    error->reason = result->reason;
    error->detail = result->detail;

    return NGX_OK;
}


static void
ngx_http_gateway_submit_batch(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_array_t *staged)
{
    ngx_uint_t                  i;
    gw_outcome_e                outcome;
    ngx_gateway_result_t        result;
    ngx_http_gateway_error_t   *error;
    ngx_http_gateway_staged_t  *item;

    ctx->ended = ngx_pcalloc(r->pool, ctx->messages);
    if (ctx->ended == NULL) {
        ngx_http_gateway_discard_batch(staged);
        ngx_http_finalize_request(r,
                    ngx_http_gateway_refuse(r, ctx, GW_R_INTERNAL, NULL));
        return;
    }

    ctx->counted = 1;

    /* from here on the batch is counted item by item */

    error = ctx->errors.elts;

    for (i = 0; i < ctx->errors.nelts; i++) {
        outcome = gw_reason(error[i].reason)->outcome;

        ngx_gateway_count_refused(ctx->origin.gateway, GW_PROTO_HTTP,
                                  ctx->origin.class_index, error[i].reason);

        ctx->ended[error[i].index] = 1;
        ctx->counts[outcome]++;

        if (ctx->result.reason == GW_R_NONE) {
            ctx->result.outcome = outcome;
            ctx->result.reason = error[i].reason;
        }
    }

    item = staged->elts;

    for (i = 0; i < staged->nelts; i++) {

        if (ngx_gateway_submit(item[i].msg, &ctx->waiter, item[i].index,
                               &result)
            != NGX_AGAIN)
        {
            ngx_http_gateway_note(ctx, item[i].index, &result);
        }
    }

    ngx_http_gateway_finish(r, ctx);
}


static void
ngx_http_gateway_discard_batch(ngx_array_t *staged)
{
    ngx_uint_t                  i;
    ngx_http_gateway_staged_t  *item;

    item = staged->elts;

    for (i = 0; i < staged->nelts; i++) {
        ngx_gateway_discard(item[i].msg);
    }
}


void
ngx_http_gateway_json_failed(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_json_t *json,
    ngx_gateway_result_t *result, ngx_uint_t where)
{
    u_char      *p;
    size_t       len;
    const char  *text;

    text = gw_json_strerror(json->error);

    result->reason = json->error == GW_JSON_E_BYTES ? GW_R_TOO_LARGE
                                                    : GW_R_MALFORMED;
    result->outcome = gw_reason(result->reason)->outcome;
    result->detail = text;

    if (!where) {
        return;
    }

    len = ngx_strlen(text) + sizeof(" at byte ") - 1 + NGX_SIZE_T_LEN;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return;
    }

    ctx->detail.data = p;
    ctx->detail.len = ngx_sprintf(p, "%s at byte %uz", text, json->error_off)
                      - p;
}


static void
ngx_http_gateway_note(ngx_http_gateway_ctx_t *ctx, uint32_t index,
    const ngx_gateway_result_t *result)
{
    ngx_http_gateway_error_t  *error;

    ctx->counts[result->outcome]++;

    /* the variables tell of the first that did not end well */

    if (ctx->result.reason == GW_R_NONE) {
        ctx->result = *result;
    }

    if (!ctx->batch) {
        return;
    }

    ctx->ended[index] = 1;

    if (result->reason == GW_R_NONE) {
        return;
    }

    error = ngx_array_push(&ctx->errors);

    if (error) {
        error->index = index;
        error->reason = result->reason;
        error->detail = result->detail;
    }
}


static void
ngx_http_gateway_result(ngx_gateway_waiter_t *waiter, uint32_t index,
    const ngx_gateway_result_t *result, ngx_msec_t delivery)
{
    ngx_http_gateway_ctx_t  *ctx;

    ctx = waiter->data;

    if (delivery > ctx->delivery) {
        ctx->delivery = delivery;
    }

    ngx_http_gateway_note(ctx, index, result);
}


/* all was submitted: answer, or wait for what is out */

static void
ngx_http_gateway_finish(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    ngx_http_gateway_loc_conf_t  *glcf;

    if (ctx->waiter.pending == 0) {
        ngx_gateway_waiter_close(&ctx->waiter);
        ngx_http_finalize_request(r, ngx_http_gateway_answer(r, ctx));
        return;
    }

    ctx->waiting = 1;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    ctx->timer.handler = ngx_http_gateway_timeout;
    ctx->timer.data = ctx;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, glcf->timeout);

    r->connection->log->action = "waiting for delivery";

    /* a client that leaves is noticed; its messages go on */

    r->read_event_handler = ngx_http_test_reading;
}


static void
ngx_http_gateway_done(ngx_gateway_waiter_t *waiter)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_gateway_ctx_t  *ctx;

    ctx = waiter->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    ngx_http_finalize_request(r, ngx_http_gateway_answer(r, ctx));

    ngx_http_run_posted_requests(c);
}


/*
 * gateway_timeout: the messages that have no end yet go on, and the answer
 * says that their outcome is not known.
 */

static void
ngx_http_gateway_timeout(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_gateway_result_t      result;
    ngx_http_gateway_ctx_t   *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    if (ctx->waiter.pending == 0) {
        /* all has ended in this very turn: the answer is posted */
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_gateway_waiter_close(&ctx->waiter);

    ngx_gateway_count_timeout(ctx->origin.gateway, GW_PROTO_HTTP);

    result.reason = GW_R_TIMEOUT;
    result.outcome = gw_reason(GW_R_TIMEOUT)->outcome;
    result.detail = "not delivered within gateway_timeout, the outcome is "
                    "unknown";

    if (ctx->batch) {
        for (i = 0; i < ctx->messages; i++) {
            if (!ctx->ended[i]) {
                ngx_http_gateway_note(ctx, i, &result);
            }
        }

    } else {
        ngx_http_gateway_note(ctx, 0, &result);
    }

    ngx_http_finalize_request(r, ngx_http_gateway_answer(r, ctx));

    ngx_http_run_posted_requests(c);
}
