/*
 * ngx_gateway_block.c - the words inside "gateway NAME { }".
 *
 * They have a module type and a command table of their own, so that include,
 * duplicate and context checks work as in any other block of nginx.conf.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_dedup.h"
#include "ngx_gateway_event.h"
#include "ngx_gateway_kafka.h"


#define NGX_GATEWAY_PROPERTIES_MAX  65536     /* bytes of a file */


#define NGX_GATEWAY_BUFFER_MAX  (1024ULL * 1024 * 1024 * 1024)


static char *ngx_gateway_brokers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_topic(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_ack(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_gateway_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_window(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_pressure(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_retry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_auth_failures(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_property(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_gateway_properties(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_gateway_percent(u_char *p, size_t len);
static ngx_int_t ngx_gateway_name_valid(ngx_str_t *name);
static ngx_int_t ngx_gateway_add_class(ngx_gateway_t *gateway,
    const char *name);


static ngx_conf_num_bounds_t  ngx_gateway_floor_bounds = {
    ngx_conf_check_num_bounds, 0, 1000000
};


static ngx_conf_num_bounds_t  ngx_gateway_auth_cache_bounds = {
    ngx_conf_check_num_bounds, 1, 10000000
};


static ngx_command_t  ngx_gateway_block_commands[] = {

    { ngx_string("brokers"),
      NGX_GATEWAY_CONF|NGX_CONF_1MORE,
      ngx_gateway_brokers,
      0,
      0,
      NULL },

    { ngx_string("topic"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_gateway_topic,
      0,
      offsetof(ngx_gateway_t, topic),
      NULL },

    { ngx_string("dead_letter"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_gateway_topic,
      0,
      offsetof(ngx_gateway_t, dead_letter),
      NULL },

    { ngx_string("class"),
      NGX_GATEWAY_CONF|NGX_CONF_1MORE,
      ngx_gateway_class,
      0,
      0,
      NULL },

    { ngx_string("buffer"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      0,
      offsetof(ngx_gateway_t, buffer),
      NULL },

    { ngx_string("ack"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_gateway_ack,
      0,
      0,
      NULL },

    { ngx_string("zone"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE2,
      ngx_gateway_zone,
      0,
      0,
      NULL },

    { ngx_string("output"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE12,
      ngx_gateway_event_word,
      0,
      0,
      NULL },

    { ngx_string("mqtt_topic"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE23,
      ngx_gateway_mqtt_topic_word,
      0,
      0,
      NULL },

    { ngx_string("dedup"),
      NGX_GATEWAY_CONF|NGX_CONF_1MORE,
      ngx_gateway_dedup_word,
      0,
      0,
      NULL },

    { ngx_string("window"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE12,
      ngx_gateway_window,
      0,
      0,
      NULL },

    { ngx_string("pressure"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE12,
      ngx_gateway_pressure,
      0,
      0,
      NULL },

    { ngx_string("floor"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_gateway_t, floor),
      &ngx_gateway_floor_bounds },

    { ngx_string("retry"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE2,
      ngx_gateway_retry,
      0,
      0,
      NULL },

    { ngx_string("drain_timeout"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_gateway_t, drain_timeout),
      NULL },

    { ngx_string("auth_cache"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_gateway_t, auth_cache),
      &ngx_gateway_auth_cache_bounds },

    { ngx_string("auth_failures"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE12,
      ngx_gateway_auth_failures,
      0,
      0,
      NULL },

    { ngx_string("property"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE2,
      ngx_gateway_property,
      0,
      0,
      NULL },

    { ngx_string("properties"),
      NGX_GATEWAY_CONF|NGX_CONF_TAKE1,
      ngx_gateway_properties,
      0,
      0,
      NULL },

      ngx_null_command
};


ngx_module_t  ngx_gateway_block_module = {
    NGX_MODULE_V1,
    NULL,                                  /* module context */
    ngx_gateway_block_commands,            /* module directives */
    NGX_GATEWAY_MODULE,                    /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


void
ngx_gateway_block_create(ngx_gateway_t *gateway)
{
    gateway->buffer = NGX_CONF_UNSET_SIZE;
    gateway->ack = NGX_CONF_UNSET_UINT;
    gateway->output = NGX_CONF_UNSET_UINT;
    gateway->window_bytes = NGX_CONF_UNSET_SIZE;
    gateway->window_messages = NGX_CONF_UNSET_UINT;
    gateway->high = NGX_CONF_UNSET_UINT;
    gateway->low = NGX_CONF_UNSET_UINT;
    gateway->floor = NGX_CONF_UNSET_UINT;
    gateway->drain_timeout = NGX_CONF_UNSET_MSEC;
    gateway->retry_min = NGX_CONF_UNSET_MSEC;
    gateway->retry_max = NGX_CONF_UNSET_MSEC;
    gateway->auth_cache = NGX_CONF_UNSET_UINT;
    gateway->auth_rate = NGX_CONF_UNSET_UINT;
    gateway->auth_burst = NGX_CONF_UNSET_UINT;
    gateway->dedup = NGX_CONF_UNSET;
}


/* the end of the block: each default stands here and nowhere else */

char *
ngx_gateway_block_init(ngx_conf_t *cf, ngx_gateway_t *gateway)
{
    size_t                size;
    ngx_str_t             name;
    ngx_uint_t            i;
    gw_lanes_conf_t       lanes;
    ngx_gateway_class_t  *class;

    if (gateway->brokers.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gateway \"%V\" must have \"brokers\"",
                           &gateway->name);
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_size_value(gateway->buffer, 64 * 1024 * 1024);
    ngx_conf_init_uint_value(gateway->ack, NGX_GATEWAY_ACK_DELIVERED);
    ngx_conf_init_size_value(gateway->window_bytes,
                          ngx_min(4 * 1024 * 1024, gateway->buffer / 4));
    ngx_conf_init_uint_value(gateway->window_messages, 10000);
    ngx_conf_init_uint_value(gateway->high, 80);
    ngx_conf_init_uint_value(gateway->low, 60);
    ngx_conf_init_uint_value(gateway->floor, 16);
    ngx_conf_init_msec_value(gateway->drain_timeout, 30000);
    ngx_conf_init_msec_value(gateway->retry_min, 100);
    ngx_conf_init_msec_value(gateway->retry_max, 5000);
    ngx_conf_init_uint_value(gateway->auth_cache, 10000);
    ngx_conf_init_uint_value(gateway->auth_rate, 10);
    ngx_conf_init_uint_value(gateway->auth_burst, 100);
    ngx_conf_init_uint_value(gateway->output, NGX_GATEWAY_OUTPUT_ENVELOPE);
    ngx_conf_init_value(gateway->dedup, 1);

    if (gateway->event_type.len == 0) {
        ngx_str_set(&gateway->event_type, "device");
    }

    if (gateway->dedup_window == 0) {
        gateway->dedup_window = GW_DEDUP_WINDOW_MIN;
    }

    if (gateway->dedup_keep == 0) {
        gateway->dedup_keep = 86400;
    }

    /* a worker's; above it sums with a share or a mark would overflow */

    if (gateway->buffer > NGX_GATEWAY_BUFFER_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"buffer\" %uz of gateway \"%V\" is too large, it "
                           "must be at most 1t", gateway->buffer,
                           &gateway->name);
        return NGX_CONF_ERROR;
    }

    if (gateway->window_bytes > gateway->buffer / 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"window\" %uz must be at most half of \"buffer\" "
                           "%uz", gateway->window_bytes, gateway->buffer);
        return NGX_CONF_ERROR;
    }

    if (gateway->classes.nelts == 0
        && (ngx_gateway_add_class(gateway, "control") != NGX_OK
            || ngx_gateway_add_class(gateway, "heartbeat") != NGX_OK
            || ngx_gateway_add_class(gateway, "telemetry") != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_gateway_mqtt_init(cf, gateway) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&lanes, sizeof(gw_lanes_conf_t));

    class = gateway->classes.elts;

    for (i = 0; i < gateway->classes.nelts; i++) {

        if (class[i].topic.len == 0) {

            if (gateway->topic.len == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "class \"%V\" of gateway \"%V\" has no "
                                   "topic: set \"topic\" or \"topic=\"",
                                   &class[i].name, &gateway->name);
                return NGX_CONF_ERROR;
            }

            class[i].topic = gateway->topic;
        }

        if (class[i].ack == 0) {
            class[i].ack = gateway->ack;
        }

        /* what is lost first drops its oldest, all above it refuse */

        if (!class[i].overflow_set) {
            class[i].overflow = i && i == gateway->classes.nelts - 1
                                ? GW_OVERFLOW_DROP_OLDEST
                                : GW_OVERFLOW_REJECT;
        }
    }

    lanes.bound = gateway->buffer;
    lanes.nclasses = gateway->classes.nelts;
    lanes.high = gateway->high;
    lanes.low = gateway->low;

    size = 2 * gw_lanes_size(&lanes);
    size = ngx_max(size, 1024 * 1024);

    if (gateway->buffer < size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"buffer\" %uz of gateway \"%V\" is too small, it "
                           "must be at least %uz", gateway->buffer,
                           &gateway->name, size);
        return NGX_CONF_ERROR;
    }

    if (gateway->zone == NULL) {
        name.len = sizeof("gateway:") - 1 + gateway->name.len;
        name.data = ngx_pnalloc(cf->pool, name.len);
        if (name.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_sprintf(name.data, "gateway:%V", &gateway->name);

        if (ngx_gateway_zone_add(cf, gateway, &name,
                                 gateway->dedup ? 8 * 1024 * 1024
                                                : 1024 * 1024)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_gateway_kafka_conf(cf, gateway);
}


static char *
ngx_gateway_brokers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    u_char      *p, *last;
    ngx_int_t    port;
    ngx_str_t   *value, *broker;
    ngx_uint_t   i;

    if (gateway->brokers.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        /* host, host:port or [v6]:port; a comma would be a second broker */

        p = value[i].data;
        last = p + value[i].len;

        if (p < last && *p == '[') {
            p = ngx_strlchr(p, last, ']');

            if (p == NULL) {
                goto invalid;
            }
        }

        p = ngx_strlchr(p, last, ':');

        if (p) {
            port = ngx_atoi(p + 1, last - p - 1);

            if (p == value[i].data || port < 1 || port > 65535) {
                goto invalid;
            }
        }

        if (value[i].len == 0 || value[i].len > 255
            || ngx_strlchr(value[i].data, last, ',')
            || ngx_strlchr(value[i].data, last, '/'))
        {
            goto invalid;
        }

        broker = ngx_array_push(&gateway->brokers);
        if (broker == NULL) {
            return NGX_CONF_ERROR;
        }

        *broker = value[i];
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid broker \"%V\", it must be host:port",
                       &value[i]);

    return NGX_CONF_ERROR;
}


static char *
ngx_gateway_topic(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t  *field, *value;

    field = (ngx_str_t *) (p + cmd->offset);

    if (field->len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_gateway_topic_valid(&value[1]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid topic \"%V\", it must be 1 to 249 "
                           "characters of [A-Za-z0-9._-]", &value[1]);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_gateway_add_class(ngx_gateway_t *gateway, const char *name)
{
    ngx_gateway_class_t  *class;

    class = ngx_array_push(&gateway->classes);
    if (class == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(class, sizeof(ngx_gateway_class_t));

    class->name.data = (u_char *) name;
    class->name.len = ngx_strlen(name);

    return NGX_OK;
}


static char *
ngx_gateway_class(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_int_t             n;
    ngx_str_t            *value, s;
    ngx_uint_t            i, index;
    ngx_msec_t            age;
    ngx_gateway_class_t  *class;

    value = cf->args->elts;

    if (ngx_gateway_name_valid(&value[1]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid class \"%V\", it must be 1 to %d "
                           "characters of [A-Za-z0-9._-]",
                           &value[1], GW_CLASS_MAX);
        return NGX_CONF_ERROR;
    }

    if (ngx_gateway_find_class(gateway, value[1].data, value[1].len, &index)
        == NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "class \"%V\" is duplicate", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (gateway->classes.nelts == GW_CLASSES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a gateway has at most %d classes",
                           GW_CLASSES_MAX);
        return NGX_CONF_ERROR;
    }

    if (ngx_gateway_add_class(gateway, "") != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    class = gateway->classes.elts;
    class = &class[gateway->classes.nelts - 1];

    class->name = value[1];

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "topic=", 6) == 0) {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;

            if (ngx_gateway_topic_valid(&s) != NGX_OK) {
                goto invalid;
            }

            class->topic = s;
            continue;
        }

        if (ngx_strncmp(value[i].data, "share=", 6) == 0) {
            n = ngx_gateway_percent(value[i].data + 6, value[i].len - 6);

            if (n < 1 || n > 100) {
                goto invalid;
            }

            class->share = n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "max_age=", 8) == 0) {
            s.data = value[i].data + 8;
            s.len = value[i].len - 8;

            age = (ngx_msec_t) ngx_parse_time(&s, 0);

            if (age == (ngx_msec_t) NGX_ERROR || age == 0) {
                goto invalid;
            }

            class->max_age = age;
            continue;
        }

        if (ngx_strncmp(value[i].data, "overflow=", 9) == 0) {

            if (ngx_strcmp(value[i].data + 9, "drop_oldest") == 0) {
                class->overflow = GW_OVERFLOW_DROP_OLDEST;

            } else if (ngx_strcmp(value[i].data + 9, "reject") == 0) {
                class->overflow = GW_OVERFLOW_REJECT;

            } else {
                goto invalid;
            }

            class->overflow_set = 1;
            continue;
        }

        if (ngx_strncmp(value[i].data, "schema=", 7) == 0) {
            s.data = value[i].data + 7;
            s.len = value[i].len - 7;

            class->schema = ngx_gateway_schema_add(cf, &s, 0);

            if (class->schema == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strcmp(value[i].data, "ack=delivered") == 0) {
            class->ack = NGX_GATEWAY_ACK_DELIVERED;
            continue;
        }

        if (ngx_strcmp(value[i].data, "ack=queued") == 0) {
            class->ack = NGX_GATEWAY_ACK_QUEUED;
            continue;
        }

        if (ngx_strcmp(value[i].data, "opaque") == 0) {
            class->opaque = 1;
            continue;
        }

        goto invalid;
    }

    if (class->opaque && class->schema) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "class \"%V\" is opaque and has a schema, which "
                           "could not be checked", &class->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of class \"%V\"; known are "
                       "topic=, share=1%%..100%%, max_age=, "
                       "overflow=drop_oldest|reject, ack=delivered|queued, "
                       "schema=, opaque", &value[i], &class->name);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_gateway_name_valid(ngx_str_t *name)
{
    return name->len <= GW_CLASS_MAX ? ngx_gateway_topic_valid(name)
                                     : NGX_ERROR;
}


/* "60%" or "60" */

static ngx_int_t
ngx_gateway_percent(u_char *p, size_t len)
{
    if (len && p[len - 1] == '%') {
        len--;
    }

    return ngx_atoi(p, len);
}


static char *
ngx_gateway_ack(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_str_t  *value;

    if (gateway->ack != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "delivered") == 0) {
        gateway->ack = NGX_GATEWAY_ACK_DELIVERED;

    } else if (ngx_strcmp(value[1].data, "queued") == 0) {
        gateway->ack = NGX_GATEWAY_ACK_QUEUED;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"ack\" level \"%V\", it must be "
                           "\"delivered\" or \"queued\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (gateway->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"zone\" name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"zone\" size \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    return ngx_gateway_zone_add(cf, gateway, &value[1], (size_t) size);
}


static char *
ngx_gateway_window(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ssize_t      size;
    ngx_int_t    n;
    ngx_str_t   *value;

    if (gateway->window_bytes != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size < 65536) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"window\" size \"%V\", it must be at "
                           "least 64k", &value[1]);
        return NGX_CONF_ERROR;
    }

    gateway->window_bytes = size;

    if (cf->args->nelts == 3) {

        n = NGX_ERROR;

        if (ngx_strncmp(value[2].data, "messages=", 9) == 0) {
            n = ngx_atoi(value[2].data + 9, value[2].len - 9);
        }

        if (n < 4 || n > 1000000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "messages=4..1000000", &value[2]);
            return NGX_CONF_ERROR;
        }

        gateway->window_messages = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_pressure(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t   i, high, low;

    if (gateway->high != NGX_CONF_UNSET_UINT
        || gateway->low != NGX_CONF_UNSET_UINT)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        n = NGX_ERROR;

        if (ngx_strncmp(value[i].data, "high=", 5) == 0) {
            n = ngx_gateway_percent(value[i].data + 5, value[i].len - 5);
            gateway->high = n;

        } else if (ngx_strncmp(value[i].data, "low=", 4) == 0) {
            n = ngx_gateway_percent(value[i].data + 4, value[i].len - 4);
            gateway->low = n;
        }

        if (n < 1 || n > 100) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "high=1%%..100%% or low=1%%..100%%",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    high = gateway->high == NGX_CONF_UNSET_UINT ? 80 : gateway->high;
    low = gateway->low == NGX_CONF_UNSET_UINT ? 60 : gateway->low;

    if (low > high) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"pressure\" low %ui%% is above high %ui%%",
                           low, high);
        return NGX_CONF_ERROR;
    }

    gateway->high = high;
    gateway->low = low;

    return NGX_CONF_OK;
}


static char *
ngx_gateway_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_str_t   *value;
    ngx_msec_t   min, max;

    if (gateway->retry_min != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    min = (ngx_msec_t) ngx_parse_time(&value[1], 0);
    max = (ngx_msec_t) ngx_parse_time(&value[2], 0);

    if (min == (ngx_msec_t) NGX_ERROR || max == (ngx_msec_t) NGX_ERROR
        || min == 0 || max < min)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"retry\" times \"%V\" and \"%V\", the "
                           "first must not be 0 nor above the second",
                           &value[1], &value[2]);
        return NGX_CONF_ERROR;
    }

    gateway->retry_min = min;
    gateway->retry_max = max;

    return NGX_CONF_OK;
}


static char *
ngx_gateway_auth_failures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (gateway->auth_rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        gateway->auth_rate = 0;
        return NGX_CONF_OK;
    }

    n = NGX_ERROR;

    if (value[1].len > 3
        && ngx_strncmp(&value[1].data[value[1].len - 3], "r/s", 3) == 0)
    {
        n = ngx_atoi(value[1].data, value[1].len - 3);
    }

    if (n < 1 || n > 1000000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rate \"%V\", it must be \"off\" or from "
                           "1r/s to 1000000r/s", &value[1]);
        return NGX_CONF_ERROR;
    }

    gateway->auth_rate = n;

    if (cf->args->nelts == 3) {
        n = NGX_ERROR;

        if (ngx_strncmp(value[2].data, "burst=", 6) == 0) {
            n = ngx_atoi(&value[2].data[6], value[2].len - 6);
        }

        if (n < 1 || n > 1000000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "\"burst=\" with a number from 1 to 1000000",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        gateway->auth_burst = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_property(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_gateway_kafka_property(cf, gateway, &value[1], &value[2])
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * "name=value" lines, as kcat -F reads them; "#" starts a comment line.  For
 * secrets: "nginx -T" does not print the file, and no message repeats a value.
 */

static char *
ngx_gateway_properties(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    u_char            *p, *last, *end, *eq, *buf;
    ssize_t            n;
    ngx_fd_t           fd;
    ngx_str_t         *value, file, name, prop;
    ngx_uint_t         line;
    ngx_file_info_t    fi;

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(file.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &file);
        return NGX_CONF_ERROR;
    }

    buf = NULL;
    n = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &file);

    } else if (ngx_file_size(&fi) > NGX_GATEWAY_PROPERTIES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is larger than %d bytes", &file,
                           NGX_GATEWAY_PROPERTIES_MAX);

    } else {
        buf = ngx_pnalloc(cf->temp_pool, (size_t) ngx_file_size(&fi) + 1);

        if (buf) {
            n = ngx_read_fd(fd, buf, (size_t) ngx_file_size(&fi));

            if (n == -1) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                                   ngx_read_fd_n " \"%V\" failed", &file);
            }
        }
    }

    (void) ngx_close_file(fd);

    if (n < 0) {
        return NGX_CONF_ERROR;
    }

    last = buf + n;
    line = 0;

    for (p = buf; p < last; p = end + 1) {
        line++;

        end = ngx_strlchr(p, last, '\n');

        if (end == NULL) {
            end = last;
        }

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p == end || *p == '#' || *p == '\r') {
            continue;
        }

        eq = ngx_strlchr(p, end, '=');

        if (eq == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "line %ui of \"%V\" is not name=value",
                               line, &file);
            return NGX_CONF_ERROR;
        }

        name.data = p;
        name.len = eq - p;

        while (name.len && name.data[name.len - 1] == ' ') {
            name.len--;
        }

        prop.data = eq + 1;
        prop.len = end - eq - 1;

        while (prop.len && prop.data[0] == ' ') {
            prop.data++;
            prop.len--;
        }

        while (prop.len && (prop.data[prop.len - 1] == '\r'
                            || prop.data[prop.len - 1] == ' '))
        {
            prop.len--;
        }

        /* librdkafka wants NUL; what is cut off here is not needed again */

        name.data[name.len] = '\0';
        prop.data[prop.len] = '\0';

        if (ngx_gateway_kafka_property(cf, gateway, &name, &prop) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "in line %ui of \"%V\"", line, &file);
            ngx_explicit_memzero(buf, n);
            return NGX_CONF_ERROR;
        }
    }

    ngx_explicit_memzero(buf, n);

    return NGX_CONF_OK;
}
