/*
 * ngx_http_gateway_module.c - the directives of HTTP ingest and of the status
 * location.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"
#include "ngx_http_gateway_ws.h"


static ngx_int_t ngx_http_gateway_log_handler(ngx_http_request_t *r);
static void *ngx_http_gateway_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_gateway_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_gateway_merge_ws(ngx_conf_t *cf,
    ngx_http_gateway_loc_conf_t *conf);
static char *ngx_http_gateway_schema(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_topic(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gateway_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_gateway_init(ngx_conf_t *cf);


NGX_GATEWAY_LOADED_FIRST(ngx_http_gateway_needs);


static ngx_conf_enum_t  ngx_http_gateway_formats[] = {
    { ngx_string("envelope"), NGX_HTTP_GATEWAY_ENVELOPE },
    { ngx_string("raw"), NGX_HTTP_GATEWAY_RAW },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gateway_acks[] = {
    { ngx_string("queued"), NGX_GATEWAY_ACK_QUEUED },
    { ngx_string("delivered"), NGX_GATEWAY_ACK_DELIVERED },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gateway_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gateway_overload_statuses[] = {
    { ngx_string("429"), 429 },
    { ngx_string("503"), 503 },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_gateway_batch_bounds = {
    ngx_conf_check_num_bounds, 1, NGX_MAX_INT32_VALUE
};


#define ngx_http_gateway_at(field)                                            \
    offsetof(ngx_http_gateway_loc_conf_t, mqtt.field)


static ngx_command_t  ngx_http_gateway_commands[] = {

    { ngx_string("gateway_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_gateway_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gateway_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_device"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, device),
      NULL },

    { ngx_string("gateway_class"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gateway_class,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, class),
      NULL },

    { ngx_string("gateway_topic"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gateway_topic,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, topic),
      NULL },

    { ngx_string("gateway_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, key),
      NULL },

    { ngx_string("gateway_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_gateway_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_format"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, format),
      ngx_http_gateway_formats },

    { ngx_string("gateway_schema"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_gateway_schema,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gateway_ack"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, ack),
      ngx_http_gateway_acks },

    { ngx_string("gateway_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, timeout),
      NULL },

    { ngx_string("gateway_body_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, body_timeout),
      NULL },

    { ngx_string("gateway_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(listener.connect_timeout),
      NULL },

    { ngx_string("gateway_packet_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(listener.packet_timeout),
      NULL },

    { ngx_string("gateway_send_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(listener.send_timeout),
      NULL },

    { ngx_string("gateway_max_message_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(listener.message_max),
      NULL },

    { ngx_string("gateway_mqtt_keep_alive"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(keep_alive),
      NULL },

    { ngx_string("gateway_mqtt_receive_maximum"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(receive_maximum),
      &ngx_gateway_mqtt_receive_bounds },

    { ngx_string("gateway_mqtt_topic_aliases"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(topic_aliases),
      &ngx_gateway_mqtt_alias_bounds },

    { ngx_string("gateway_mqtt_server_reference"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_gateway_at(server_reference),
      NULL },

    { ngx_string("gateway_max_batch"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, max_batch),
      &ngx_http_gateway_batch_bounds },

    { ngx_string("gateway_max_inflated_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, max_inflated),
      NULL },

    { ngx_string("gateway_overload_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, overload_status),
      ngx_http_gateway_overload_statuses },

    { ngx_string("gateway_log_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gateway_loc_conf_t, log_level),
      ngx_http_gateway_log_levels },

    { ngx_string("gateway_status"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_gateway_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gateway_module_ctx = {
    ngx_http_gateway_add_variables,        /* preconfiguration */
    ngx_http_gateway_init,                 /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_gateway_create_loc_conf,      /* create location configuration */
    ngx_http_gateway_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_gateway_module = {
    NGX_MODULE_V1,
    &ngx_http_gateway_module_ctx,          /* module context */
    ngx_http_gateway_commands,             /* module directives */
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


gw_reason_e
ngx_http_gateway_nginx_reason(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx)
{
    switch (r->err_status ? r->err_status : r->headers_out.status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        return GW_R_TOO_LARGE;

    case NGX_HTTP_REQUEST_TIME_OUT:
        return GW_R_BODY_TIMEOUT;

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_CLIENT_CLOSED_REQUEST:
        /* a body that broke off or is not chunked as it should be */
        return ctx ? GW_R_MALFORMED : GW_R_NONE;

    default:
        return GW_R_NONE;
    }
}


/*
 * nginx itself answers 413, 408 and 400 for a body it could not read, before
 * or instead of our handler: they belong in the books all the same.
 */

static ngx_int_t
ngx_http_gateway_log_handler(ngx_http_request_t *r)
{
    gw_reason_e                   reason;
    ngx_http_gateway_ctx_t       *ctx;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    if (glcf->gateway == NULL) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_gateway_module);

    if (ctx) {
        /* its cleanup has counted */
        return NGX_OK;
    }

    reason = ngx_http_gateway_nginx_reason(r, NULL);

    if (reason != GW_R_NONE) {
        ngx_gateway_count_refused(glcf->gateway, GW_PROTO_HTTP,
                                  ngx_gateway_default_class(glcf->gateway),
                                  reason);
    }

    return NGX_OK;
}


static void *
ngx_http_gateway_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_gateway_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gateway_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->gateway = NULL;
     *     conf->auth = NULL;
     *     conf->class_file = NULL;
     *     conf->class_line = 0;
     *     conf->schema = NULL;
     *     conf->status = 0;
     *     conf->mqtt.server_reference = { 0, NULL };
     *     conf->ws = 0;
     */

    conf->device = NGX_CONF_UNSET_PTR;
    conf->class = NGX_CONF_UNSET_PTR;
    conf->class_index = NGX_CONF_UNSET_UINT;
    conf->topic = NGX_CONF_UNSET_PTR;
    conf->key = NGX_CONF_UNSET_PTR;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->format = NGX_CONF_UNSET_UINT;
    conf->ack = NGX_CONF_UNSET_UINT;
    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->body_timeout = NGX_CONF_UNSET_MSEC;
    conf->max_batch = NGX_CONF_UNSET_UINT;
    conf->schema_off = NGX_CONF_UNSET;
    conf->max_inflated = NGX_CONF_UNSET_SIZE;
    conf->overload_status = NGX_CONF_UNSET_UINT;
    conf->log_level = NGX_CONF_UNSET_UINT;

    ngx_gateway_mqtt_conf_unset(&conf->mqtt);

    return conf;
}


static char *
ngx_http_gateway_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_gateway_loc_conf_t *prev = parent;
    ngx_http_gateway_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    if (conf->class == NGX_CONF_UNSET_PTR) {
        conf->class_file = prev->class_file;
        conf->class_line = prev->class_line;
    }

    if (conf->auth == NULL) {
        conf->auth = prev->auth;
    }

    if (conf->schema_off == NGX_CONF_UNSET) {
        conf->schema = prev->schema;
    }

    ngx_conf_merge_value(conf->schema_off, prev->schema_off, 0);
    ngx_conf_merge_ptr_value(conf->device, prev->device, NULL);
    ngx_conf_merge_ptr_value(conf->class, prev->class, NULL);
    ngx_conf_merge_ptr_value(conf->topic, prev->topic, NULL);
    ngx_conf_merge_ptr_value(conf->key, prev->key, NULL);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_uint_value(conf->format, prev->format,
                              NGX_HTTP_GATEWAY_ENVELOPE);
    ngx_conf_merge_uint_value(conf->ack, prev->ack, 0);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 10000);
    ngx_conf_merge_msec_value(conf->body_timeout, prev->body_timeout, 60000);
    ngx_conf_merge_uint_value(conf->max_batch, prev->max_batch, 10000);
    ngx_conf_merge_size_value(conf->max_inflated, prev->max_inflated,
                              1024 * 1024);
    ngx_conf_merge_uint_value(conf->overload_status, prev->overload_status,
                              503);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level,
                              NGX_LOG_INFO);

    ngx_gateway_mqtt_conf_merge(&conf->mqtt, &prev->mqtt);

    /* "if" and "limit_except" inside a location of ours */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && conf->gateway == NULL) {
        conf->gateway = prev->gateway;
        conf->ws = prev->ws;

        if (conf->gateway && clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = conf->ws ? ngx_http_gateway_upgrade_handler
                                     : ngx_http_gateway_handler;
        }
    }

    if (conf->gateway == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->format == NGX_HTTP_GATEWAY_RAW && !conf->ws
        && conf->device == NULL
        && (conf->auth == NULL || !ngx_gateway_auth_on(conf->auth)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_format raw\" needs \"gateway_auth\" or "
                           "\"gateway_device\": a raw body does not say who "
                           "sent it");
        return NGX_CONF_ERROR;
    }

    if (conf->auth) {
        conf->auth = ngx_gateway_auth_bind(cf, conf->auth, conf->gateway);
        if (conf->auth == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (conf->device == NULL && !clcf->noname) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "location \"%V\" takes messages from anybody for "
                           "any device: set \"gateway_auth\", or "
                           "\"gateway_auth off\" where that is meant",
                           &clcf->name);
    }

    if (conf->ws) {
        return ngx_http_gateway_merge_ws(cf, conf);
    }

    if (conf->class && conf->class->lengths == NULL) {
        return ngx_gateway_add_class_ref(cf, conf->gateway,
                                         &conf->class->value,
                                         &conf->class_index,
                                         conf->class_file, conf->class_line);
    }

    return NGX_CONF_OK;
}


/* a location that speaks MQTT is a listener as a server of stream is one */

static char *
ngx_http_gateway_merge_ws(ngx_conf_t *cf, ngx_http_gateway_loc_conf_t *conf)
{
    ngx_gateway_listener_t  *l;

    l = &conf->mqtt.listener;

    l->gateway = conf->gateway;
    l->auth = conf->auth;
    l->ack = conf->ack;
    l->format = conf->format;
    l->schema = conf->schema;
    l->schema_off = conf->schema_off;
    l->timeout = conf->timeout;

    if (ngx_gateway_mqtt_conf_check(cf, &conf->mqtt) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->auth && ngx_gateway_auth_has(conf->auth, GW_AUTH_HMAC)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth hmac\" signs requests, a location "
                           "with \"protocol=mqtt\" has none");
        return NGX_CONF_ERROR;
    }

    if (conf->class == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->class->lengths) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_class\" of a location with "
                           "\"protocol=mqtt\" cannot have variables, "
                           "\"mqtt_topic\" gives classes to topics");
        return NGX_CONF_ERROR;
    }

    return ngx_gateway_add_class_ref(cf, conf->gateway, &conf->class->value,
                                     &l->class_index, conf->class_file,
                                     conf->class_line);
}


/* gateway_schema file [formats=on|off]; gateway_schema off */

static char *
ngx_http_gateway_schema(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

    return ngx_gateway_schema_line(cf, &glcf->schema, &glcf->schema_off);
}


/* gateway_pass [name] [protocol=http|mqtt] */

static char *
ngx_http_gateway_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

    ngx_str_t                 *value, *name;
    ngx_uint_t                 n;
    ngx_http_core_loc_conf_t  *clcf;

    if (glcf->gateway) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = cf->args->nelts - 1;
    name = NULL;

    if (n && ngx_strlchr(value[n].data, value[n].data + value[n].len, '=')) {

        if (ngx_strcmp(value[n].data, "protocol=mqtt") == 0) {
            glcf->ws = 1;

        } else if (ngx_strcmp(value[n].data, "protocol=http") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "\"protocol=http\" or \"protocol=mqtt\"",
                               &value[n]);
            return NGX_CONF_ERROR;
        }

        n--;
    }

    if (n == 2
        || (n && ngx_strlchr(value[1].data, value[1].data + value[1].len,
                             '=')))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of a gateway or parameter \"%V\"",
                           &value[n]);
        return NGX_CONF_ERROR;
    }

    if (n) {
        name = &value[1];
    }

    glcf->gateway = ngx_gateway_add(cf, name);
    if (glcf->gateway == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = glcf->ws ? ngx_http_gateway_upgrade_handler
                             : ngx_http_gateway_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_gateway_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

#if !(NGX_HTTP_SSL)

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "tls") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth tls\" needs nginx built with "
                           "--with-http_ssl_module");
        return NGX_CONF_ERROR;
    }

#endif

    return ngx_gateway_auth_line(cf, &glcf->auth);
}


static char *
ngx_http_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

    glcf->class_file = cf->conf_file->file.name.data;
    glcf->class_line = cf->conf_file->line;

    return ngx_http_set_complex_value_slot(cf, cmd, conf);
}


/* a value without variables is judged now, the others for each request */

static char *
ngx_http_gateway_topic(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                         *rv;
    ngx_http_gateway_loc_conf_t  *glcf = conf;

    rv = ngx_http_set_complex_value_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (glcf->topic->lengths == NULL
        && ngx_gateway_topic_valid(&glcf->topic->value) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid topic \"%V\", it must be 1 to 249 "
                           "characters of [A-Za-z0-9._-]",
                           &glcf->topic->value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gateway_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

    ngx_str_t                         *value;
    ngx_http_gateway_header_t         *header;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (ngx_gateway_topic_valid(&value[1]) != NGX_OK
        || ngx_strcasecmp(value[1].data, (u_char *) "traceparent") == 0
        || ngx_strcasecmp(value[1].data, (u_char *) "tracestate") == 0
        || ngx_strncasecmp(value[1].data, (u_char *) "gateway-", 8) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid record header \"%V\", it must be of "
                           "[A-Za-z0-9._-] and not one that the gateway sets",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (glcf->headers == NGX_CONF_UNSET_PTR) {
        glcf->headers = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_gateway_header_t));
        if (glcf->headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (glcf->headers->nelts == NGX_GATEWAY_HEADERS_MAX) {
        return "is given too many times";
    }

    header = ngx_array_push(glcf->headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    header->name = value[1];

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = &header->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gateway_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gateway_loc_conf_t *glcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf;

    static ngx_conf_enum_t  formats[] = {
        { ngx_string("json"), NGX_GATEWAY_STATUS_JSON },
        { ngx_string("prometheus"), NGX_GATEWAY_STATUS_PROMETHEUS },
        { ngx_string("ready"), NGX_HTTP_GATEWAY_READY },
        { ngx_string("live"), NGX_HTTP_GATEWAY_LIVE },
        { ngx_null_string, 0 }
    };

    if (glcf->status) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 1) {
        glcf->status = NGX_GATEWAY_STATUS_JSON;

    } else {
        for (i = 0; formats[i].name.len; i++) {
            if (formats[i].name.len == value[1].len
                && ngx_strcmp(formats[i].name.data, value[1].data) == 0)
            {
                glcf->status = formats[i].value;
                break;
            }
        }

        if (glcf->status == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid format \"%V\", it must be \"json\", "
                               "\"prometheus\", \"ready\" or \"live\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_gateway_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gateway_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gateway_log_handler;

    return NGX_OK;
}
