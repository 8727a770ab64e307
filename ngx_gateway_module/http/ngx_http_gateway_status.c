/*
 * ngx_http_gateway_status.c - the status location: JSON, Prometheus text, and
 * health for load balancers.  Never refused for load.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


static ngx_int_t ngx_http_gateway_send_page(ngx_http_request_t *r,
    ngx_str_t *page);


ngx_int_t
ngx_http_gateway_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_str_t                     page, arg;
    ngx_uint_t                    format;
    const char                   *why;
    ngx_http_gateway_loc_conf_t  *glcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);
    format = glcf->status;

    r->headers_out.status = NGX_HTTP_OK;

    switch (format) {

    case NGX_HTTP_GATEWAY_LIVE:
        ngx_str_set(&page, "live\n");
        break;

    case NGX_HTTP_GATEWAY_READY:
        if (!ngx_gateway_ready(&why)) {
            r->headers_out.status = NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        page.len = ngx_strlen(why);
        page.data = ngx_pnalloc(r->pool, page.len + 1);
        if (page.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(page.data, why, page.len);
        page.data[page.len++] = '\n';
        break;

    default:
        if (ngx_http_arg(r, (u_char *) "format", 6, &arg) == NGX_OK
            && arg.len == sizeof("prometheus") - 1
            && ngx_strncmp(arg.data, "prometheus", arg.len) == 0)
        {
            format = NGX_GATEWAY_STATUS_PROMETHEUS;
        }

        if (ngx_gateway_status_page(r->pool, format, &page) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (format == NGX_GATEWAY_STATUS_JSON) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;

    } else if (format == NGX_GATEWAY_STATUS_PROMETHEUS) {
        ngx_str_set(&r->headers_out.content_type,
                    "text/plain; version=0.0.4");
        r->headers_out.content_type_len = sizeof("text/plain") - 1;

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/plain");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
    }

    return ngx_http_gateway_send_page(r, &page);
}


static ngx_int_t
ngx_http_gateway_send_page(ngx_http_request_t *r, ngx_str_t *page)
{
    ngx_int_t         rc;
    ngx_buf_t        *b;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = page->len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = page->data;
    b->last = page->data + page->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
