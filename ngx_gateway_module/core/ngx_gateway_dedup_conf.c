/*
 * ngx_gateway_dedup_conf.c - the word "dedup" of the gateway block.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_dedup.h"


static char *ngx_gateway_dedup_param(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *param);
static char *ngx_gateway_dedup_state(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *value);
static char *ngx_gateway_dedup_policy(ngx_conf_t *cf, ngx_str_t *param,
    ngx_str_t *value, const char *no, ngx_uint_t *refuse);


/* dedup on|off [window=] [keep=] [full=] [stale=] [state=] */

char *
ngx_gateway_dedup_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    char        *rv;
    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_uint_t   i, j;

    if (gateway->dedup != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    i = 1;
    gateway->dedup = 1;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        gateway->dedup = 0;
        i = 2;

    } else if (ngx_strcmp(value[1].data, "on") == 0) {
        i = 2;
    }

    if (!gateway->dedup && cf->args->nelts > 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", \"dedup off\" has none",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    for ( /* void */ ; i < cf->args->nelts; i++) {

        p = ngx_strlchr(value[i].data, value[i].data + value[i].len, '=');
        len = p ? (size_t) (p + 1 - value[i].data) : 0;

        for (j = 1; j < i; j++) {
            if (len && ngx_strncmp(value[j].data, value[i].data, len) == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "parameter \"%V\" of \"dedup\" is "
                                   "duplicate", &value[i]);
                return NGX_CONF_ERROR;
            }
        }

        rv = ngx_gateway_dedup_param(cf, gateway, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_dedup_param(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *param)
{
    char        *rv;
    ngx_int_t    n;
    ngx_str_t    value;
    ngx_uint_t   refuse;

#define ngx_gateway_dedup_is(s)                                               \
    (param->len > sizeof(s) - 1                                               \
     && ngx_strncmp(param->data, s, sizeof(s) - 1) == 0                       \
     && (value.data = param->data + sizeof(s) - 1,                            \
         value.len = param->len - (sizeof(s) - 1), 1))

    if (ngx_gateway_dedup_is("window=")) {
        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR || n % 64 || n < GW_DEDUP_WINDOW_MIN
            || n > GW_DEDUP_WINDOW_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", it must be a multiple of 64 "
                               "from %d to %d", param, GW_DEDUP_WINDOW_MIN,
                               GW_DEDUP_WINDOW_MAX);
            return NGX_CONF_ERROR;
        }

        gateway->dedup_window = (uint32_t) n;

        return NGX_CONF_OK;
    }

    if (ngx_gateway_dedup_is("keep=")) {
        n = ngx_parse_time(&value, 1);

        if (n == NGX_ERROR || n == 0 || n > 365 * 86400) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", it must be a time of 1s to "
                               "365d", param);
            return NGX_CONF_ERROR;
        }

        gateway->dedup_keep = (uint32_t) n;

        return NGX_CONF_OK;
    }

    if (ngx_gateway_dedup_is("full=")) {
        rv = ngx_gateway_dedup_policy(cf, param, &value, "pass", &refuse);
        gateway->dedup_full_refuse = refuse;

        return rv;
    }

    if (ngx_gateway_dedup_is("stale=")) {
        rv = ngx_gateway_dedup_policy(cf, param, &value, "accept", &refuse);
        gateway->dedup_stale_refuse = refuse;

        return rv;
    }

    if (ngx_gateway_dedup_is("state=")) {
        return ngx_gateway_dedup_state(cf, gateway, &value);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"dedup\"", param);

    return NGX_CONF_ERROR;
}


/* windows of one gateway would call messages of another duplicates */

static char *
ngx_gateway_dedup_state(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *value)
{
    ngx_uint_t                i;
    ngx_gateway_t           **other;
    ngx_gateway_main_conf_t  *gmcf;

    gateway->dedup_state = *value;

    if (ngx_conf_full_name(cf->cycle, &gateway->dedup_state, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    gmcf = ngx_gateway_main_conf(cf->cycle);
    other = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {

        if (other[i] != gateway
            && other[i]->dedup_state.len == gateway->dedup_state.len
            && ngx_memcmp(other[i]->dedup_state.data,
                          gateway->dedup_state.data, gateway->dedup_state.len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"state=%V\" is the file of gateway \"%V\" "
                               "already", value, &other[i]->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_dedup_policy(ngx_conf_t *cf, ngx_str_t *param, ngx_str_t *value,
    const char *no, ngx_uint_t *refuse)
{
    *refuse = (ngx_strcmp(value->data, "refuse") == 0);

    if (*refuse || ngx_strcmp(value->data, no) == 0) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid \"%V\", it must be \"%s\" or \"refuse\"",
                       param, no);

    return NGX_CONF_ERROR;
}
