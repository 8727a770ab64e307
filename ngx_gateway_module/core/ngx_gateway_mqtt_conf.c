/*
 * ngx_gateway_mqtt_conf.c - what is configured of MQTT: "mqtt_topic" in the
 * gateway block, and what listeners of stream and http have in common.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"
#include "ngx_gateway_mqtt.h"


#define NGX_GATEWAY_MQTT_CONNECT_MAX  8192    /* bytes of a CONNECT */


ngx_conf_num_bounds_t  ngx_gateway_mqtt_receive_bounds = {
    ngx_conf_check_num_bounds, 1, 65535
};


ngx_conf_num_bounds_t  ngx_gateway_mqtt_alias_bounds = {
    ngx_conf_check_num_bounds, 0, 65535
};


/* mqtt_topic PATTERN class=NAME [format=envelope|raw] */

char *
ngx_gateway_mqtt_topic_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    gw_str_t                   text;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    const char                *detail;
    ngx_gateway_mqtt_topic_t  *topic;

    if (gateway->mqtt_topics.elts == NULL
        && ngx_array_init(&gateway->mqtt_topics, cf->pool, 4,
                          sizeof(ngx_gateway_mqtt_topic_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    topic = ngx_array_push(&gateway->mqtt_topics);
    if (topic == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(topic, sizeof(ngx_gateway_mqtt_topic_t));

    topic->format = NGX_CONF_UNSET_UINT;

    value = cf->args->elts;

    text.data = value[1].data;
    text.len = value[1].len;

    if (gw_mqtt_pattern(&topic->pattern, &text, &detail) != GW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pattern \"%V\" of \"mqtt_topic\": %s",
                           &value[1], detail);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "class=", 6) == 0
            && topic->class_name.len == 0)
        {
            topic->class_name.data = value[i].data + 6;
            topic->class_name.len = value[i].len - 6;
            continue;
        }

        if (ngx_strcmp(value[i].data, "format=envelope") == 0) {
            topic->format = NGX_GATEWAY_FORMAT_ENVELOPE;
            continue;
        }

        if (ngx_strcmp(value[i].data, "format=raw") == 0) {
            topic->format = NGX_GATEWAY_FORMAT_RAW;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"mqtt_topic\", it "
                           "knows \"class=\", \"format=envelope\" and "
                           "\"format=raw\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (topic->class_name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mqtt_topic %V\" has no \"class=\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_gateway_mqtt_init(ngx_conf_t *cf, ngx_gateway_t *gateway)
{
    ngx_uint_t                 i;
    ngx_gateway_mqtt_topic_t  *topic;

    topic = gateway->mqtt_topics.elts;

    for (i = 0; i < gateway->mqtt_topics.nelts; i++) {

        if (ngx_gateway_find_class(gateway, topic[i].class_name.data,
                                   topic[i].class_name.len,
                                   &topic[i].class_index)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown class \"%V\" in \"mqtt_topic\" of "
                               "gateway \"%V\"", &topic[i].class_name,
                               &gateway->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_gateway_mqtt_conf_unset(ngx_gateway_mqtt_conf_t *conf)
{
    conf->keep_alive = NGX_CONF_UNSET;
    conf->receive_maximum = NGX_CONF_UNSET_UINT;
    conf->topic_aliases = NGX_CONF_UNSET_UINT;

    conf->listener.class_index = NGX_CONF_UNSET_UINT;
    conf->listener.message_max = NGX_CONF_UNSET_SIZE;
    conf->listener.connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->listener.packet_timeout = NGX_CONF_UNSET_MSEC;
    conf->listener.send_timeout = NGX_CONF_UNSET_MSEC;
}


void
ngx_gateway_mqtt_conf_merge(ngx_gateway_mqtt_conf_t *conf,
    ngx_gateway_mqtt_conf_t *prev)
{
    ngx_gateway_listener_t  *l, *p;

    l = &conf->listener;
    p = &prev->listener;

    ngx_conf_merge_sec_value(conf->keep_alive, prev->keep_alive, 60);
    ngx_conf_merge_uint_value(conf->receive_maximum, prev->receive_maximum,
                              64);
    ngx_conf_merge_uint_value(conf->topic_aliases, prev->topic_aliases, 16);
    ngx_conf_merge_str_value(conf->server_reference, prev->server_reference,
                             "");

    ngx_conf_merge_size_value(l->message_max, p->message_max, 256 * 1024);
    ngx_conf_merge_msec_value(l->connect_timeout, p->connect_timeout, 10000);
    ngx_conf_merge_msec_value(l->packet_timeout, p->packet_timeout, 30000);
    ngx_conf_merge_msec_value(l->send_timeout, p->send_timeout, 30000);
}


char *
ngx_gateway_mqtt_conf_check(ngx_conf_t *cf, ngx_gateway_mqtt_conf_t *conf)
{
    gw_mqtt_conf_t  *session;

    if (conf->listener.message_max < 1024
        || conf->listener.message_max > 256 * 1024 * 1024)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_max_message_size\" must be from 1k to "
                           "256m");
        return NGX_CONF_ERROR;
    }

    if (conf->keep_alive > 65535) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_mqtt_keep_alive\" must be at most "
                           "65535s");
        return NGX_CONF_ERROR;
    }

    if (conf->server_reference.len > 200) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_mqtt_server_reference\" is longer than "
                           "200 characters");
        return NGX_CONF_ERROR;
    }

    session = &conf->session;

    session->receive_maximum = (uint16_t) conf->receive_maximum;
    session->flights_max = (uint16_t) ngx_min(conf->receive_maximum * 4,
                                              65535);
    session->topic_alias_maximum = (uint16_t) conf->topic_aliases;
    session->keep_alive_max = (uint16_t) conf->keep_alive;
    session->packet_max = (uint32_t) conf->listener.message_max;

    conf->connect_max = ngx_min(session->packet_max,
                                NGX_GATEWAY_MQTT_CONNECT_MAX);

    return NGX_CONF_OK;
}
