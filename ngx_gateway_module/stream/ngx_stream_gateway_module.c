/*
 * ngx_stream_gateway_module.c - the directives of a server that devices
 * connect to.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_gateway.h"


static void *ngx_stream_gateway_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_gateway_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_stream_gateway_merge_listener(ngx_conf_t *cf,
    ngx_stream_gateway_srv_conf_t *prev, ngx_stream_gateway_srv_conf_t *conf);
static char *ngx_stream_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_stream_gateway_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_stream_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_stream_gateway_schema(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


NGX_GATEWAY_LOADED_FIRST(ngx_stream_gateway_needs);


static ngx_conf_enum_t  ngx_stream_gateway_formats[] = {
    { ngx_string("envelope"), NGX_GATEWAY_FORMAT_ENVELOPE },
    { ngx_string("raw"), NGX_GATEWAY_FORMAT_RAW },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_stream_gateway_acks[] = {
    { ngx_string("queued"), NGX_GATEWAY_ACK_QUEUED },
    { ngx_string("delivered"), NGX_GATEWAY_ACK_DELIVERED },
    { ngx_null_string, 0 }
};


#define ngx_stream_gateway_at(field)                                          \
    offsetof(ngx_stream_gateway_srv_conf_t, field)


static ngx_command_t  ngx_stream_gateway_commands[] = {

    { ngx_string("gateway_pass"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE12,
      ngx_stream_gateway_pass,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_auth"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_stream_gateway_auth,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_device"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_set_complex_value_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(device),
      NULL },

    { ngx_string("gateway_class"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_gateway_class,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_format"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.format),
      ngx_stream_gateway_formats },

    { ngx_string("gateway_schema"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE12,
      ngx_stream_gateway_schema,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_ack"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.ack),
      ngx_stream_gateway_acks },

    { ngx_string("gateway_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.timeout),
      NULL },

    { ngx_string("gateway_connect_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.connect_timeout),
      NULL },

    { ngx_string("gateway_packet_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.packet_timeout),
      NULL },

    { ngx_string("gateway_send_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.send_timeout),
      NULL },

    { ngx_string("gateway_idle_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(idle_timeout),
      NULL },

    { ngx_string("gateway_max_message_size"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.listener.message_max),
      NULL },

    { ngx_string("gateway_mqtt_keep_alive"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.keep_alive),
      NULL },

    { ngx_string("gateway_mqtt_receive_maximum"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.receive_maximum),
      &ngx_gateway_mqtt_receive_bounds },

    { ngx_string("gateway_mqtt_topic_aliases"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.topic_aliases),
      &ngx_gateway_mqtt_alias_bounds },

    { ngx_string("gateway_mqtt_server_reference"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      ngx_stream_gateway_at(gateway.server_reference),
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_gateway_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_stream_gateway_create_srv_conf,    /* create server configuration */
    ngx_stream_gateway_merge_srv_conf      /* merge server configuration */
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


static void *
ngx_stream_gateway_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_gateway_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_gateway_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->protocol = NULL;
     *     conf->gateway.listener.gateway = NULL;
     *     conf->gateway.listener.auth = NULL;
     *     conf->gateway.listener.schema = NULL;
     *     conf->gateway.server_reference = { 0, NULL };
     *     conf->class = { 0, NULL };
     */

    conf->device = NGX_CONF_UNSET_PTR;
    conf->idle_timeout = NGX_CONF_UNSET_MSEC;

    conf->gateway.listener.ack = NGX_CONF_UNSET_UINT;
    conf->gateway.listener.format = NGX_CONF_UNSET_UINT;
    conf->gateway.listener.schema_off = NGX_CONF_UNSET;
    conf->gateway.listener.timeout = NGX_CONF_UNSET_MSEC;

    ngx_gateway_mqtt_conf_unset(&conf->gateway);

    return conf;
}


static char *
ngx_stream_gateway_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_stream_gateway_srv_conf_t *prev = parent;
    ngx_stream_gateway_srv_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->device, prev->device, NULL);
    ngx_conf_merge_msec_value(conf->idle_timeout, prev->idle_timeout, 600000);

    ngx_gateway_mqtt_conf_merge(&conf->gateway, &prev->gateway);

    if (conf->class.data == NULL) {
        conf->class = prev->class;
        conf->class_file = prev->class_file;
        conf->class_line = prev->class_line;
    }

    if (ngx_stream_gateway_merge_listener(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->protocol == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->class.len) {
        return ngx_gateway_add_class_ref(cf, conf->gateway.listener.gateway,
                                    &conf->class,
                                    &conf->gateway.listener.class_index,
                                    conf->class_file, conf->class_line);
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_gateway_merge_listener(ngx_conf_t *cf,
    ngx_stream_gateway_srv_conf_t *prev, ngx_stream_gateway_srv_conf_t *conf)
{
    ngx_gateway_listener_t  *l, *p;

    l = &conf->gateway.listener;
    p = &prev->gateway.listener;

    if (l->auth == NULL) {
        l->auth = p->auth;
    }

    if (l->schema_off == NGX_CONF_UNSET) {
        l->schema = p->schema;
    }

    ngx_conf_merge_value(l->schema_off, p->schema_off, 0);
    ngx_conf_merge_uint_value(l->ack, p->ack, 0);
    ngx_conf_merge_uint_value(l->format, p->format,
                              NGX_GATEWAY_FORMAT_ENVELOPE);
    ngx_conf_merge_msec_value(l->timeout, p->timeout, 30000);

    if (conf->protocol == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_gateway_mqtt_conf_check(cf, &conf->gateway) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (l->auth) {

        l->auth = ngx_gateway_auth_bind(cf, l->auth, l->gateway);
        if (l->auth == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (conf->device == NULL) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "a server of stream takes messages from anybody "
                           "for any device: set \"gateway_auth\", or "
                           "\"gateway_auth off\" where that is meant");
    }

    return NGX_CONF_OK;
}


/* gateway_pass [name] protocol=mqtt|lines */

static char *
ngx_stream_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_gateway_srv_conf_t *gscf = conf;

    ngx_str_t                   *value, *name;
    ngx_uint_t                   last;
    ngx_stream_core_srv_conf_t  *cscf;

    if (gscf->protocol) {
        return "is duplicate";
    }

    value = cf->args->elts;
    last = cf->args->nelts - 1;
    name = last == 2 ? &value[1] : NULL;

    if (ngx_strcmp(value[last].data, "protocol=mqtt") == 0) {
        gscf->protocol = &ngx_stream_gateway_mqtt;

    } else if (ngx_strcmp(value[last].data, "protocol=lines") == 0) {
        gscf->protocol = &ngx_stream_gateway_lines;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"protocol=mqtt\" or \"protocol=lines\"",
                           &value[last]);
        return NGX_CONF_ERROR;
    }

    if (name && ngx_strlchr(name->data, name->data + name->len, '=')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of a gateway \"%V\"", name);
        return NGX_CONF_ERROR;
    }

    gscf->gateway.listener.gateway = ngx_gateway_add(cf, name);

    if (gscf->gateway.listener.gateway == NULL) {
        return NGX_CONF_ERROR;
    }

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);
    cscf->handler = ngx_stream_gateway_handler;

    return NGX_CONF_OK;
}


static char *
ngx_stream_gateway_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_gateway_srv_conf_t *gscf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "hmac") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth hmac\" signs requests of HTTP, "
                           "a server of stream has none");
        return NGX_CONF_ERROR;
    }

#if !(NGX_STREAM_SSL)

    if (ngx_strcmp(value[1].data, "tls") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth tls\" needs nginx built with "
                           "--with-stream_ssl_module");
        return NGX_CONF_ERROR;
    }

#endif

    return ngx_gateway_auth_line(cf, &gscf->gateway.listener.auth);
}


static char *
ngx_stream_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_gateway_srv_conf_t *gscf = conf;

    ngx_str_t  *value;

    if (gscf->class.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    gscf->class = value[1];
    gscf->class_file = cf->conf_file->file.name.data;
    gscf->class_line = cf->conf_file->line;

    return NGX_CONF_OK;
}


/* gateway_schema file [formats=on|off]; gateway_schema off */

static char *
ngx_stream_gateway_schema(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_gateway_srv_conf_t *gscf = conf;

    ngx_gateway_listener_t  *l;

    l = &gscf->gateway.listener;

    return ngx_gateway_schema_line(cf, &l->schema, &l->schema_off);
}
