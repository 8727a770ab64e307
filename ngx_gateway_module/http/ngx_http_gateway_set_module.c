/*
 * ngx_http_gateway_set_module.c - variables that are set in the rewrite
 * phase, in order with "set" and "if", by ngx_devel_kit.
 *
 *   set_gateway_trace_id $v;            32 hex digits: the trace id of a valid
 *                                       traceparent header, else a new one
 *   set_gateway_device_hash $v VALUE;   16 hex digits, the same for the same
 *                                       value on every machine: for "hash" of
 *                                       a balancer before several gateways
 *
 * A file of its own, so that nothing else needs ngx_devel_kit.  Of its symbols
 * it uses ndk_set_var() and ndk_set_var_value() only, which every packaged
 * file exports.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ndk.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ngx_gateway.h"


static ngx_int_t ngx_http_gateway_set_trace_id(ngx_http_request_t *r,
    ngx_str_t *res);
static ngx_int_t ngx_http_gateway_set_device_hash(ngx_http_request_t *r,
    ngx_str_t *res, ngx_http_variable_value_t *v);


NGX_GATEWAY_LOADED_FIRST(ngx_http_gateway_set_needs);


static ndk_set_var_t  ngx_http_gateway_set_trace_id_filter = {
    NDK_SET_VAR_BASIC,
    (void *) ngx_http_gateway_set_trace_id,
    0,
    NULL
};


static ndk_set_var_t  ngx_http_gateway_set_device_hash_filter = {
    NDK_SET_VAR_VALUE,
    (void *) ngx_http_gateway_set_device_hash,
    1,
    NULL
};


static ngx_command_t  ngx_http_gateway_set_commands[] = {

    { ngx_string("set_gateway_trace_id"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_SIF_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF
                       |NGX_CONF_TAKE1,
      ndk_set_var,
      0,
      0,
      &ngx_http_gateway_set_trace_id_filter },

    { ngx_string("set_gateway_device_hash"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_SIF_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF
                       |NGX_CONF_TAKE2,
      ndk_set_var_value,
      0,
      0,
      &ngx_http_gateway_set_device_hash_filter },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gateway_set_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_gateway_set_module = {
    NGX_MODULE_V1,
    &ngx_http_gateway_set_module_ctx,      /* module context */
    ngx_http_gateway_set_commands,         /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_gateway_set_trace_id(ngx_http_request_t *r, ngx_str_t *res)
{
    uint8_t           traceparent[GW_TRACEPARENT_LEN];
    uint8_t           given[GW_TRACEPARENT_LEN];
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    gw_trace_make(ngx_gateway_random(), ngx_gateway_random(),
                  ngx_gateway_random(), traceparent);

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

        if (h[i].key.len == sizeof("traceparent") - 1
            && ngx_strncmp(h[i].lowcase_key, "traceparent", h[i].key.len)
               == 0)
        {
            if (gw_trace_parse(h[i].value.data, h[i].value.len, given)
                == GW_OK)
            {
                ngx_memcpy(traceparent, given, GW_TRACEPARENT_LEN);
            }

            break;
        }
    }

    res->len = 32;
    res->data = ngx_pnalloc(r->pool, res->len);
    if (res->data == NULL) {
        return NGX_ERROR;
    }

    /* version, "-", trace id */

    ngx_memcpy(res->data, traceparent + 3, res->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_gateway_set_device_hash(ngx_http_request_t *r, ngx_str_t *res,
    ngx_http_variable_value_t *v)
{
    uint64_t  hash;

    hash = XXH3_64bits(v->data, v->len);

    res->data = ngx_pnalloc(r->pool, 16);
    if (res->data == NULL) {
        return NGX_ERROR;
    }

    res->len = ngx_sprintf(res->data, "%016xL", hash) - res->data;

    return NGX_OK;
}
