/*
 * ngx_http_gateway_status.c - the status location: JSON, Prometheus text, and
 * health for load balancers.  Never refused for load.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


ngx_int_t
ngx_http_gateway_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_str_t                     page, arg, cache;
    ngx_uint_t                    format, status;
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

    status = NGX_HTTP_OK;

    switch (format) {

    case NGX_HTTP_GATEWAY_LIVE:
        ngx_str_set(&page, "live\n");
        break;

    case NGX_HTTP_GATEWAY_READY:
        if (!ngx_gateway_ready(&why)) {
            status = NGX_HTTP_SERVICE_UNAVAILABLE;
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

    ngx_str_set(&cache, "no-store");

    if (ngx_http_gateway_add_header(r, "Cache-Control",
                                    sizeof("Cache-Control") - 1, &cache)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_gateway_send(r, status,
                                 format == NGX_GATEWAY_STATUS_JSON
                                 ? "application/json"
                                 : format == NGX_GATEWAY_STATUS_PROMETHEUS
                                   ? "text/plain; version=0.0.4"
                                   : "text/plain",
                                 &page);
}
