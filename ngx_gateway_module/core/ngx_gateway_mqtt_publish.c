/*
 * ngx_gateway_mqtt_publish.c - a PUBLISH becomes a message: its class by its
 * topic, its metadata by its envelope or, of a raw one, by user properties.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"
#include "ngx_gateway_mqtt.h"


/* user properties that become headers of the record; the rest is left out */

#define NGX_GATEWAY_MQTT_HEADERS  12


static ngx_int_t ngx_gateway_mqtt_envelope(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_uint_t format, gw_envelope_t *envelope,
    ngx_gateway_result_t *result);
static ngx_int_t ngx_gateway_mqtt_raw(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, gw_envelope_t *envelope,
    ngx_gateway_result_t *result);
static ngx_int_t ngx_gateway_mqtt_json(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_gateway_result_t *result);
static void ngx_gateway_mqtt_headers(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_gateway_header_t *headers,
    ngx_uint_t format);
static ngx_int_t ngx_gateway_mqtt_refused(ngx_gateway_result_t *result,
    gw_reason_e reason, const char *detail);


ngx_int_t
ngx_gateway_mqtt_publish(ngx_gateway_mqtt_t *m, gw_mqtt_publish_t *publish,
    uint32_t serial, ngx_gateway_result_t *result)
{
    ngx_int_t              rc;
    ngx_uint_t             format;
    gw_envelope_t          envelope;
    ngx_gateway_t         *gateway;
    ngx_gateway_msg_t     *msg;
    ngx_gateway_origin_t   origin;
    ngx_gateway_header_t   headers[NGX_GATEWAY_MQTT_HEADERS];
    ngx_gateway_failure_t  failure;

    gateway = m->conf->listener.gateway;

    ngx_gateway_sender_origin(&m->sender, (gw_proto_e) m->protocol, &origin);

    failure.keyword = NULL;

    rc = ngx_gateway_mqtt_class(m, &publish->topic, &origin.class_index,
                                &format);

    if (rc != NGX_OK) {
        (void) ngx_gateway_mqtt_refused(result, GW_R_FORBIDDEN,
                                        "no class is of this topic");
        goto refused;
    }

    if (publish->qos && origin.class_index != gateway->classes.nelts - 1) {
        gw_mqtt_session_durable(&m->session);
    }

    if (publish->props.users) {
        ngx_gateway_mqtt_headers(&origin, publish, headers, format);
    }

    if (ngx_gateway_mqtt_envelope(&origin, publish, format, &envelope, result)
        != NGX_OK)
    {
        goto refused;
    }

    rc = envelope.doc == NULL
         ? ngx_gateway_compose_opaque(&origin, &envelope, &msg, result)
         : ngx_gateway_compose(&origin, &envelope, &msg, result, &failure);

    if (rc != NGX_OK) {
        goto refused;
    }

    rc = ngx_gateway_submit(msg, publish->qos ? &m->waiter : NULL, serial,
                            result);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    goto said;

refused:

    ngx_gateway_count_refused(gateway, (gw_proto_e) m->protocol,
                              origin.class_index, result->reason);

said:

    if (ngx_gateway_auth_log_allowed(m->log)) {
        ngx_log_error(NGX_LOG_INFO, m->log, 0,
                      "gateway \"%V\" refused a message of MQTT: %s%s%s",
                      &gateway->name, gw_reason(result->reason)->name,
                      result->detail ? ", " : "",
                      result->detail ? result->detail : "");
    }

    return NGX_OK;
}


ngx_int_t
ngx_gateway_mqtt_class(ngx_gateway_mqtt_t *m, gw_str_t *topic,
    ngx_uint_t *class_index, ngx_uint_t *format)
{
    gw_str_t                   user, client;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_gateway_t             *gateway;
    const gw_identity_t       *identity;
    ngx_gateway_mqtt_topic_t  *pattern;

    gateway = m->conf->listener.gateway;

    *format = m->conf->listener.format;
    *class_index = m->conf->listener.class_index;

    if (*class_index == NGX_CONF_UNSET_UINT) {
        *class_index = gateway->classes.nelts - 1;
    }

    if (gateway->mqtt_topics.nelts == 0) {

        /* MQTT 5.0 section 4.7.2: these are a server's own */

        return topic->data[0] == '$' ? NGX_DECLINED : NGX_OK;
    }

    identity = ngx_gateway_sender_identity(&m->sender);

    if (m->sender.device.len) {
        user.data = m->sender.device.data;
        user.len = m->sender.device.len;

    } else {
        user.data = identity ? identity->device : NULL;
        user.len = identity ? identity->device_len : 0;
    }

    ngx_gateway_sender_name(&m->sender, &name);

    client.data = name.data;
    client.len = name.len;

    pattern = gateway->mqtt_topics.elts;

    for (i = 0; i < gateway->mqtt_topics.nelts; i++) {

        if (gw_mqtt_match(&pattern[i].pattern, topic, &user, &client)) {

            *class_index = pattern[i].class_index;

            if (pattern[i].format != NGX_CONF_UNSET_UINT) {
                *format = pattern[i].format;
            }

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* envelope->doc NULL: it is opaque */

static ngx_int_t
ngx_gateway_mqtt_envelope(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_uint_t format, gw_envelope_t *envelope,
    ngx_gateway_result_t *result)
{
    if (format == NGX_GATEWAY_FORMAT_RAW
        || ngx_gateway_class_opaque(origin->gateway, origin->class_index))
    {
        return ngx_gateway_mqtt_raw(origin, publish, envelope, result);
    }

    if (ngx_gateway_mqtt_json(origin, publish, result) != NGX_OK) {
        return NGX_DECLINED;
    }

    result->detail = NULL;

    if (gw_envelope_decode(ngx_gateway_json(origin->gateway),
                           publish->payload.data, envelope, &result->detail)
        != GW_OK)
    {
        return ngx_gateway_mqtt_refused(result, GW_R_MALFORMED,
                                        result->detail);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_mqtt_raw(ngx_gateway_origin_t *origin, gw_mqtt_publish_t *publish,
    gw_envelope_t *envelope, ngx_gateway_result_t *result)
{
    size_t      at;
    gw_str_t    name, value;
    gw_json_t  *json;

#define ngx_gateway_mqtt_is(s)                                                \
    (name.len == sizeof(s) - 1                                                \
     && ngx_strncasecmp((u_char *) name.data, (u_char *) s, sizeof(s) - 1)    \
        == 0)

    ngx_memzero(envelope, sizeof(gw_envelope_t));

    at = 0;

    while (gw_mqtt_next_user(&publish->props, &at, &name, &value) == GW_OK) {

        if (ngx_gateway_mqtt_is("seq")) {

            if (gw_envelope_parse_seq(value.data, value.len, &envelope->seq)
                != GW_OK)
            {
                return ngx_gateway_mqtt_refused(result, GW_R_MALFORMED,
                              "user property \"seq\" is no sequence number");
            }

            envelope->has_seq = 1;

        } else if (ngx_gateway_mqtt_is("epoch")) {

            if (gw_envelope_name_valid(value.data, value.len, GW_EPOCH_MAX)
                != GW_OK)
            {
                return ngx_gateway_mqtt_refused(result, GW_R_MALFORMED,
                              "user property \"epoch\" is no epoch");
            }

            envelope->epoch = value;

        } else if (ngx_gateway_mqtt_is("timestamp")) {

            if (gw_envelope_parse_ts(value.data, value.len, &envelope->ts)
                != GW_OK)
            {
                return ngx_gateway_mqtt_refused(result, GW_R_MALFORMED,
                              "user property \"timestamp\" is no time");
            }

            envelope->has_ts = 1;

        } else if (ngx_gateway_mqtt_is("class")) {

            if (ngx_gateway_find_class(origin->gateway,
                                       (u_char *) value.data, value.len,
                                       &origin->class_index)
                != NGX_OK)
            {
                return ngx_gateway_mqtt_refused(result, GW_R_MALFORMED,
                              "user property \"class\" names no class of the "
                              "gateway");
            }
        }
    }

    if (ngx_gateway_class_opaque(origin->gateway, origin->class_index)) {
        envelope->data = publish->payload;
        return NGX_OK;
    }

    if (ngx_gateway_mqtt_json(origin, publish, result) != NGX_OK) {
        return NGX_DECLINED;
    }

    json = ngx_gateway_json(origin->gateway);

    gw_envelope_whole(json, &publish->payload, envelope);

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_mqtt_json(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_gateway_result_t *result)
{
    gw_json_t  *json;

    json = ngx_gateway_json(origin->gateway);

    if (json == NULL) {
        return ngx_gateway_mqtt_refused(result, GW_R_UPSTREAM, NULL);
    }

    if (gw_json_parse(json, publish->payload.data, publish->payload.len)
        != GW_OK)
    {
        return ngx_gateway_mqtt_refused(result,
                                        json->error == GW_JSON_E_BYTES
                                        ? GW_R_TOO_LARGE : GW_R_MALFORMED,
                                        gw_json_strerror(json->error));
    }

    return NGX_OK;
}


static void
ngx_gateway_mqtt_headers(ngx_gateway_origin_t *origin,
    gw_mqtt_publish_t *publish, ngx_gateway_header_t *headers,
    ngx_uint_t format)
{
    size_t     at;
    gw_str_t   name, value, state;
    ngx_str_t  text;

    at = 0;
    state.data = NULL;
    state.len = 0;

    while (gw_mqtt_next_user(&publish->props, &at, &name, &value) == GW_OK) {

        if (ngx_gateway_mqtt_is("traceparent")) {
            origin->traced = (gw_trace_parse(value.data, value.len,
                                             origin->traceparent)
                              == GW_OK);
            continue;
        }

        if (ngx_gateway_mqtt_is("tracestate")) {
            state = value;
            continue;
        }

        if (format == NGX_GATEWAY_FORMAT_RAW
            && (ngx_gateway_mqtt_is("seq") || ngx_gateway_mqtt_is("epoch")
                || ngx_gateway_mqtt_is("class")
                || ngx_gateway_mqtt_is("timestamp")))
        {
            continue;
        }

        text.data = (u_char *) name.data;
        text.len = name.len;

        /* the gateway's own names are nobody else's */

        if (ngx_gateway_topic_valid(&text) != NGX_OK
            || ngx_strncasecmp(text.data, (u_char *) "gateway-",
                               ngx_min(text.len, 8)) == 0
            || ngx_strncasecmp(text.data, (u_char *) "ce_",
                               ngx_min(text.len, 3)) == 0
            || ngx_gateway_mqtt_is("content-type")
            || origin->nheaders == NGX_GATEWAY_MQTT_HEADERS)
        {
            continue;
        }

        headers[origin->nheaders].name = text;
        headers[origin->nheaders].value.data = (u_char *) value.data;
        headers[origin->nheaders++].value.len = value.len;
    }

    origin->headers = headers;

    if (origin->traced && state.len
        && gw_trace_state_valid(state.data, state.len) == GW_OK)
    {
        origin->tracestate.data = (u_char *) state.data;
        origin->tracestate.len = state.len;
    }
}


static ngx_int_t
ngx_gateway_mqtt_refused(ngx_gateway_result_t *result, gw_reason_e reason,
    const char *detail)
{
    result->outcome = gw_reason(reason)->outcome;
    result->reason = reason;
    result->detail = detail;

    return NGX_DECLINED;
}
