/*
 * ngx_http_gateway_answer.c - what the client is told: a status and
 * Gateway-Result for one message, counts and errors for a batch, RFC 9457
 * problem details for a refusal.  No answer repeats a byte of the body.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


#define NGX_HTTP_GATEWAY_PROBLEM  "urn:nginx-gateway:problem:"


static void ngx_http_gateway_no_continue(ngx_http_request_t *r);
static ngx_int_t ngx_http_gateway_answer_one(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);
static ngx_int_t ngx_http_gateway_answer_batch(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);
static int ngx_libc_cdecl ngx_http_gateway_cmp_errors(const void *one,
    const void *two);
static ngx_int_t ngx_http_gateway_problem(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_uint_t status, ngx_str_t *detail);
static ngx_http_gateway_failure_t *ngx_http_gateway_failure(
    ngx_http_gateway_ctx_t *ctx, gw_reason_e reason, uint32_t index);
static size_t ngx_http_gateway_failure_size(
    ngx_http_gateway_failure_t *failure);
static u_char *ngx_http_gateway_put_failure(u_char *p,
    ngx_http_gateway_failure_t *failure);
static ngx_uint_t ngx_http_gateway_status_of(ngx_http_request_t *r,
    gw_reason_e reason);
static ngx_int_t ngx_http_gateway_retry_after(ngx_http_request_t *r);


ngx_int_t
ngx_http_gateway_refuse(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    gw_reason_e reason, const char *detail)
{
    if (!ctx->counted) {
        ctx->counted = 1;

        ngx_gateway_count_refused(ctx->origin.gateway, GW_PROTO_HTTP,
                                  ctx->origin.class_index, reason);
    }

    ctx->batch = 0;
    ctx->messages = 1;
    ctx->result.reason = reason;
    ctx->result.outcome = gw_reason(reason)->outcome;
    ctx->result.detail = detail;

    ngx_memzero(ctx->counts, sizeof(ctx->counts));
    ctx->counts[ctx->result.outcome] = 1;

    return ngx_http_gateway_answer(r, ctx);
}


ngx_int_t
ngx_http_gateway_answer(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->answered = 1;

    ngx_gateway_count_answer(ctx->origin.gateway, GW_PROTO_HTTP,
                             ngx_current_msec - ctx->origin.received);

    /* a body that was not read must not be taken for the next request */

    if (!ctx->read) {
        ngx_http_gateway_no_continue(r);

        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ctx->batch ? ngx_http_gateway_answer_batch(r, ctx)
                      : ngx_http_gateway_answer_one(r, ctx);
}


/*
 * A client that asks whether to send its body is not told to; it may send the
 * next request in place of the body or not, so the connection ends.
 */

static void
ngx_http_gateway_no_continue(ngx_http_request_t *r)
{
    r->expect_tested = 1;

    if (r->headers_in.expect) {
        r->keepalive = 0;
    }
}


ngx_int_t
ngx_http_gateway_not_allowed(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  allow, detail;

    ctx->counted = 1;
    ctx->answered = 1;
    ctx->messages = 0;
    ctx->result.reason = GW_R_UNSUPPORTED;
    ctx->result.outcome = gw_reason(GW_R_UNSUPPORTED)->outcome;

    ngx_http_gateway_no_continue(r);

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&allow, "POST, PUT");
    ngx_str_set(&detail, "messages are sent with POST or PUT");

    if (ngx_http_gateway_add_header(r, "Allow", sizeof("Allow") - 1, &allow)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_gateway_problem(r, ctx, NGX_HTTP_NOT_ALLOWED, &detail);
}


static ngx_int_t
ngx_http_gateway_answer_one(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx)
{
    ngx_str_t                     result, detail;
    ngx_http_gateway_loc_conf_t  *glcf;

    if (ctx->result.reason == GW_R_NONE) {

        result.data = (u_char *) gw_outcome_label(ctx->result.outcome);
        result.len = ngx_strlen(result.data);

        if (ngx_http_gateway_add_header(r, "Gateway-Result",
                                        sizeof("Gateway-Result") - 1, &result)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_gateway_send(r,
                            gw_outcome_http_status(ctx->result.outcome), NULL,
                            NULL);
    }

    detail = ctx->detail;

    if (detail.len == 0 && ctx->result.detail) {
        detail.data = (u_char *) ctx->result.detail;
        detail.len = ngx_strlen(detail.data);
    }

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    /* a storm of wrong credentials is not one of log lines */

    if (ctx->sender == NULL || ctx->origin.identity
        || ngx_gateway_auth_log_allowed(r->connection->log))
    {
        ngx_log_error(glcf->log_level, r->connection->log, 0,
                      "gateway message refused: %s%s%V",
                      gw_reason(ctx->result.reason)->name,
                      detail.len ? ", " : "", &detail);
    }

    if (ctx->result.reason == GW_R_UNAUTHENTICATED && ctx->sender
        && ngx_http_gateway_challenge(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (gw_reason(ctx->result.reason)->retryable
        && ngx_http_gateway_retry_after(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_gateway_problem(r, ctx,
                        ngx_http_gateway_status_of(r, ctx->result.reason),
                        &detail);
}


static ngx_int_t
ngx_http_gateway_answer_batch(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx)
{
    size_t                        len;
    u_char                       *p;
    ngx_str_t                     body;
    ngx_uint_t                    i, failed, retry, status;
    const char                   *detail;
    ngx_http_gateway_error_t     *error;
    ngx_http_gateway_loc_conf_t  *glcf;

    error = ctx->errors.elts;
    retry = 0;

    /* not the number of errors: one could be missing for want of memory */

    failed = ctx->messages - ctx->counts[GW_DELIVERED]
             - ctx->counts[GW_SPOOLED] - ctx->counts[GW_QUEUED]
             - ctx->counts[GW_DUPLICATE];

    len = sizeof("{\"messages\":,\"delivered\":,\"spooled\":,\"queued\":,"
                 "\"duplicate\":,\"failed\":,\"errors\":[]}")
          + 6 * NGX_INT_T_LEN;

    for (i = 0; i < ctx->errors.nelts; i++) {
        detail = error[i].detail;

        if (detail == NULL) {
            detail = gw_reason(error[i].reason)->title;
            error[i].detail = detail;
        }

        retry |= gw_reason(error[i].reason)->retryable;

        len += ngx_http_gateway_failure_size(ngx_http_gateway_failure(ctx,
                                             error[i].reason, error[i].index));

        len += sizeof("{\"index\":,\"error\":\"\",\"detail\":\"\"},")
               + NGX_INT_T_LEN + ngx_strlen(gw_reason(error[i].reason)->name)
               + ngx_strlen(detail)
               + ngx_escape_json(NULL, (u_char *) detail, ngx_strlen(detail));
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"messages\":%ui,\"delivered\":%ui,\"spooled\":%ui,"
                    "\"queued\":%ui,\"duplicate\":%ui,\"failed\":%ui,"
                    "\"errors\":[", ctx->messages,
                    ctx->counts[GW_DELIVERED], ctx->counts[GW_SPOOLED],
                    ctx->counts[GW_QUEUED], ctx->counts[GW_DUPLICATE],
                    failed);

    /* they came in the order in which they ended */

    ngx_qsort(error, ctx->errors.nelts, sizeof(ngx_http_gateway_error_t),
              ngx_http_gateway_cmp_errors);

    for (i = 0; i < ctx->errors.nelts; i++) {
        p = ngx_sprintf(p, "%s{\"index\":%uD,\"error\":\"%s\",\"detail\":\"",
                        i ? "," : "", error[i].index,
                        gw_reason(error[i].reason)->name);
        p = (u_char *) ngx_escape_json(p, (u_char *) error[i].detail,
                                       ngx_strlen(error[i].detail));
        *p++ = '"';
        p = ngx_http_gateway_put_failure(p, ngx_http_gateway_failure(ctx,
                                            error[i].reason, error[i].index));
        *p++ = '}';
    }

    *p++ = ']';
    *p++ = '}';

    body.len = p - body.data;

    status = NGX_HTTP_OK;

    if (failed) {
        status = 207;   /* Multi-Status */
    }

    if (ctx->errors.nelts) {

        glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

        ngx_log_error(glcf->log_level, r->connection->log, 0,
                      "gateway refused %ui of %ui messages, the first: %s, %s",
                      failed, ctx->messages,
                      gw_reason(error[0].reason)->name, error[0].detail);

        if (retry && ngx_http_gateway_retry_after(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_gateway_send(r, status, "application/json", &body);
}


static int ngx_libc_cdecl
ngx_http_gateway_cmp_errors(const void *one, const void *two)
{
    const ngx_http_gateway_error_t  *first = one;
    const ngx_http_gateway_error_t  *second = two;

    return first->index < second->index ? -1 : first->index > second->index;
}


static ngx_int_t
ngx_http_gateway_problem(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *detail)
{
    size_t                       len;
    u_char                      *p;
    ngx_str_t                    body;
    const gw_reason_info_t      *info;
    ngx_http_gateway_failure_t  *failure;

    info = gw_reason(ctx->result.reason);
    failure = ngx_http_gateway_failure(ctx, ctx->result.reason, 0);

    len = ngx_http_gateway_failure_size(failure)
          + sizeof("{\"type\":\"" NGX_HTTP_GATEWAY_PROBLEM "\",\"title\":\"\","
                 "\"status\":,\"detail\":\"\",\"reason\":\"\"}")
          + 2 * ngx_strlen(info->name) + ngx_strlen(info->title)
          + NGX_INT_T_LEN + detail->len
          + ngx_escape_json(NULL, detail->data, detail->len);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"type\":\"" NGX_HTTP_GATEWAY_PROBLEM "%s\","
                    "\"title\":\"%s\",\"status\":%ui", info->name,
                    info->title, status);

    if (detail->len) {
        p = ngx_cpymem(p, ",\"detail\":\"", sizeof(",\"detail\":\"") - 1);
        p = (u_char *) ngx_escape_json(p, detail->data, detail->len);
        *p++ = '"';
    }

    p = ngx_http_gateway_put_failure(p, failure);
    p = ngx_sprintf(p, ",\"reason\":\"%s\"}", info->name);

    body.len = p - body.data;

    return ngx_http_gateway_send(r, status, "application/problem+json",
                                 &body);
}


/* what was noted of item index; the list is in the order of the items */

static ngx_http_gateway_failure_t *
ngx_http_gateway_failure(ngx_http_gateway_ctx_t *ctx, gw_reason_e reason,
    uint32_t index)
{
    ngx_uint_t                   low, high, i;
    ngx_http_gateway_failure_t  *failure;

    if (reason != GW_R_SCHEMA || ctx->failures == NULL) {
        return NULL;
    }

    failure = ctx->failures->elts;
    low = 0;
    high = ctx->failures->nelts;

    while (low < high) {
        i = low + (high - low) / 2;

        if (failure[i].index == index) {
            return &failure[i];
        }

        if (failure[i].index < index) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return NULL;
}


static size_t
ngx_http_gateway_failure_size(ngx_http_gateway_failure_t *failure)
{
    if (failure == NULL) {
        return 0;
    }

    return sizeof(",\"pointer\":\"\",\"keyword\":\"\"")
           + ngx_strlen(failure->keyword) + failure->pointer.len
           + ngx_escape_json(NULL, failure->pointer.data,
                             failure->pointer.len);
}


static u_char *
ngx_http_gateway_put_failure(u_char *p, ngx_http_gateway_failure_t *failure)
{
    if (failure == NULL) {
        return p;
    }

    p = ngx_cpymem(p, ",\"pointer\":\"", sizeof(",\"pointer\":\"") - 1);
    p = (u_char *) ngx_escape_json(p, failure->pointer.data,
                                   failure->pointer.len);

    return ngx_sprintf(p, "\",\"keyword\":\"%s\"", failure->keyword);
}


static ngx_uint_t
ngx_http_gateway_status_of(ngx_http_request_t *r, gw_reason_e reason)
{
    const gw_reason_info_t       *info;
    ngx_http_gateway_loc_conf_t  *glcf;

    info = gw_reason(reason);

    if (info->outcome == GW_SHED) {
        glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
        return glcf->overload_status;
    }

    return info->http_status;
}


static ngx_int_t
ngx_http_gateway_retry_after(ngx_http_request_t *r)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", ngx_gateway_retry_after())
                - value.data;

    return ngx_http_gateway_add_header(r, "Retry-After",
                                       sizeof("Retry-After") - 1, &value);
}


ngx_int_t
ngx_http_gateway_add_header(ngx_http_request_t *r, const char *name,
    size_t len, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* the list is not cleared by nginx, and "next" came with 1.23 */

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = len;
    h->value = *value;

    return NGX_OK;
}


ngx_int_t
ngx_http_gateway_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body)
{
    ngx_int_t         rc;
    ngx_buf_t        *b;
    ngx_str_t         zero;
    ngx_chain_t       out;
    ngx_list_part_t  *last;
    ngx_table_elt_t  *h;

    r->headers_out.status = status;
    r->headers_out.content_length_n = body ? (off_t) body->len : 0;

    if (body == NULL) {
        r->header_only = 1;

        /* as text: a number nginx would print anew for each answer */

        ngx_str_set(&zero, "0");

        if (ngx_http_gateway_add_header(r, "Content-Length",
                                        sizeof("Content-Length") - 1, &zero)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        last = r->headers_out.headers.last;
        h = last->elts;
        r->headers_out.content_length = &h[last->nelts - 1];

    } else {
        r->headers_out.content_type.data = (u_char *) type;
        r->headers_out.content_type.len = ngx_strlen(type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
