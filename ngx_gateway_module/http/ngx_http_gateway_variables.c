/*
 * ngx_http_gateway_variables.c - what became of a request, as variables: with
 * them log_format is the audit trail.  Empty outside of gateway_pass.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


static ngx_int_t ngx_http_gateway_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


enum {
    NGX_HTTP_GATEWAY_VAR_STATUS = 0,
    NGX_HTTP_GATEWAY_VAR_REASON,
    NGX_HTTP_GATEWAY_VAR_DEVICE,
    NGX_HTTP_GATEWAY_VAR_TENANT,
    NGX_HTTP_GATEWAY_VAR_AUTH,
    NGX_HTTP_GATEWAY_VAR_CLASS,
    NGX_HTTP_GATEWAY_VAR_MESSAGES,
    NGX_HTTP_GATEWAY_VAR_DELIVERY_TIME
};


static ngx_http_variable_t  ngx_http_gateway_vars[] = {

    { ngx_string("gateway_status"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_reason"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_REASON, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_device"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_DEVICE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_tenant"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_TENANT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_auth"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_AUTH, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_class"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_CLASS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_messages"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_MESSAGES, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gateway_delivery_time"), NULL, ngx_http_gateway_variable,
      NGX_HTTP_GATEWAY_VAR_DELIVERY_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_gateway_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_gateway_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gateway_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                       *p;
    ngx_str_t                     s;
    gw_reason_e                   reason;
    ngx_http_gateway_ctx_t       *ctx;
    ngx_http_gateway_loc_conf_t  *glcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_gateway_module);

    ngx_str_null(&s);

    /* known before anything has become of the request */

    if (ctx && ctx->origin.identity) {

        switch (data) {

        case NGX_HTTP_GATEWAY_VAR_DEVICE:
            s = ctx->device;
            goto done;

        case NGX_HTTP_GATEWAY_VAR_TENANT:
            s = ctx->sender->tenant;
            goto done;

        case NGX_HTTP_GATEWAY_VAR_AUTH:
            s.data = (u_char *)
                     gw_auth_method_name(ctx->sender->result.method);
            s.len = ngx_strlen(s.data);
            goto done;
        }
    }

    if (ctx == NULL || (!ctx->counted && !ctx->answered)) {

        glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

        reason = glcf->gateway ? ngx_http_gateway_nginx_reason(r, ctx)
                               : GW_R_NONE;

        if (reason != GW_R_NONE && data == NGX_HTTP_GATEWAY_VAR_STATUS) {
            s.data = (u_char *) gw_outcome_name(gw_reason(reason)->outcome);
            s.len = ngx_strlen(s.data);

        } else if (reason != GW_R_NONE
                   && data == NGX_HTTP_GATEWAY_VAR_REASON)
        {
            s.data = (u_char *) gw_reason(reason)->name;
            s.len = ngx_strlen(s.data);
        }

        goto done;
    }

    if (!ctx->answered && ctx->result.reason == GW_R_NONE
        && (data == NGX_HTTP_GATEWAY_VAR_STATUS
            || data == NGX_HTTP_GATEWAY_VAR_REASON))
    {
        /* the client left before there was an answer */
        goto done;
    }

    switch (data) {

    case NGX_HTTP_GATEWAY_VAR_STATUS:
        s.data = (u_char *) gw_outcome_name(ctx->result.outcome);
        s.len = ngx_strlen(s.data);
        break;

    case NGX_HTTP_GATEWAY_VAR_REASON:
        s.data = (u_char *) gw_reason(ctx->result.reason)->name;
        s.len = ngx_strlen(s.data);
        break;

    case NGX_HTTP_GATEWAY_VAR_DEVICE:
        s = ctx->device;
        break;

    case NGX_HTTP_GATEWAY_VAR_CLASS:
        s = *ngx_gateway_class_name(ctx->origin.gateway,
                                    ctx->origin.class_index);
        break;

    case NGX_HTTP_GATEWAY_VAR_MESSAGES:
        p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.data = p;
        s.len = ngx_sprintf(p, "%ui", ctx->messages) - p;
        break;

    case NGX_HTTP_GATEWAY_VAR_DELIVERY_TIME:

        if (ctx->counts[GW_DELIVERED] == 0) {
            break;
        }

        p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.data = p;
        s.len = ngx_sprintf(p, "%T.%03M", (time_t) (ctx->delivery / 1000),
                            ctx->delivery % 1000)
                - p;
        break;
    }

done:

    if (s.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = s.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = s.data;

    return NGX_OK;
}
