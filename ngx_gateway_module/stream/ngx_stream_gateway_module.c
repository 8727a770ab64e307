/*
 * ngx_stream_gateway_module.c - the place of MQTT and JSON lines.
 *
 * The module loads behind ngx_stream_module and the core and knows its
 * directive; it speaks no protocol yet, and says so when it is asked to.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_gateway.h"


static char *ngx_stream_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


NGX_GATEWAY_LOADED_FIRST(ngx_stream_gateway_needs);


static ngx_command_t  ngx_stream_gateway_commands[] = {

    { ngx_string("gateway_pass"),
      NGX_STREAM_SRV_CONF|NGX_CONF_ANY,
      ngx_stream_gateway_pass,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_gateway_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL                                   /* merge server configuration */
};


ngx_module_t  ngx_stream_gateway_module = {
    NGX_MODULE_V1,
    &ngx_stream_gateway_module_ctx,        /* module context */
    ngx_stream_gateway_commands,           /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_stream_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"gateway_pass\" in stream: version %s of the gateway "
                       "speaks neither mqtt nor lines, only HTTP",
                       NGX_GATEWAY_VERSION);

    return NGX_CONF_ERROR;
}
