/*
 * ngx_gateway_mqtt_alias.c - numbers in place of topics (MQTT 5.0 section
 * 3.3.2.3.4), for one connection.  That a number is within its maximum was
 * seen to by the session.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_mqtt.h"


ngx_int_t
ngx_gateway_mqtt_alias(ngx_gateway_mqtt_t *m, gw_mqtt_publish_t *publish,
    gw_mqtt_reason_e *reason)
{
    size_t      bytes;
    u_char     *p;
    ngx_str_t  *alias;

    if (m->aliases == NULL) {
        m->aliases = ngx_calloc(m->conf->session.topic_alias_maximum
                                * sizeof(ngx_str_t), ngx_cycle->log);

        if (m->aliases == NULL) {
            *reason = GW_MQTT_UNSPECIFIED;
            return NGX_DECLINED;
        }
    }

    alias = &m->aliases[publish->props.topic_alias - 1];

    if (publish->topic.len == 0) {

        if (alias->len == 0) {
            *reason = GW_MQTT_PROTOCOL_ERROR;
            return NGX_DECLINED;
        }

        publish->topic.data = alias->data;
        publish->topic.len = alias->len;

        return NGX_OK;
    }

    bytes = m->alias_bytes - alias->len + publish->topic.len;

    if (bytes > NGX_GATEWAY_MQTT_ALIASES) {
        *reason = GW_MQTT_QUOTA_EXCEEDED;
        return NGX_DECLINED;
    }

    p = ngx_alloc(publish->topic.len, ngx_cycle->log);
    if (p == NULL) {
        *reason = GW_MQTT_UNSPECIFIED;
        return NGX_DECLINED;
    }

    if (alias->data) {
        ngx_free(alias->data);
    }

    ngx_memcpy(p, publish->topic.data, publish->topic.len);

    alias->data = p;
    alias->len = publish->topic.len;
    m->alias_bytes = (uint16_t) bytes;

    return NGX_OK;
}


void
ngx_gateway_mqtt_alias_free(ngx_gateway_mqtt_t *m)
{
    ngx_uint_t  i;

    if (m->aliases == NULL) {
        return;
    }

    for (i = 0; i < m->conf->session.topic_alias_maximum; i++) {
        if (m->aliases[i].data) {
            ngx_free(m->aliases[i].data);
        }
    }

    ngx_free(m->aliases);
    m->aliases = NULL;
}
