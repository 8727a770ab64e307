/*
 * ngx_gateway_mqtt_will.c - what a device left to be said when it is gone
 * (MQTT 5.0 section 3.1.2.5).
 *
 * It is judged at CONNECT, while its device can be told, and published as its
 * own PUBLISH would be when the connection ends without DISCONNECT 0x00.  With
 * a delay it waits for that long, or for the end of the session it would
 * belong to, whichever is sooner (3.1.3.2.2); a worker that ends takes those
 * that wait with it: that is no death of a device.  Nor is it one when its
 * client connects again before that: without Clean Start it goes on with what
 * would be its session, and the will is not published (MQTT-3.1.3-9).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"
#include "ngx_gateway_mqtt.h"


/* one block: this, then topic, properties and payload.  Once it waits for its
   delay, `late` is a connection of its own that has ended */

struct ngx_gateway_mqtt_will_s {
    gw_mqtt_publish_t     publish;
    uint32_t              delay;          /* s */
    size_t                charged;
    ngx_event_t           timer;
    ngx_gateway_mqtt_t    late;
};


static void ngx_gateway_mqtt_will_submit(ngx_gateway_mqtt_t *m,
    ngx_gateway_mqtt_will_t *will);
static void ngx_gateway_mqtt_will_handler(ngx_event_t *ev);
static void ngx_gateway_mqtt_will_free(ngx_gateway_mqtt_t *m,
    ngx_gateway_mqtt_will_t *will);


ngx_int_t
ngx_gateway_mqtt_will_keep(ngx_gateway_mqtt_t *m,
    const gw_mqtt_connect_t *connect, gw_mqtt_reason_e *reason)
{
    u_char                   *p;
    size_t                    size;
    gw_str_t                  topic;
    ngx_uint_t                class_index, format;
    const gw_identity_t      *identity;
    const gw_mqtt_properties_t  *props;
    ngx_gateway_mqtt_will_t  *will;

    topic = connect->will_topic;
    identity = ngx_gateway_sender_identity(&m->sender);

    if (ngx_gateway_mqtt_class(m, &topic, &class_index, &format) != NGX_OK
        || (identity && !(identity->classes & (1u << class_index))))
    {
        *reason = GW_MQTT_NOT_AUTHORIZED;
        return NGX_DECLINED;
    }

    props = &connect->will_props;

    size = sizeof(ngx_gateway_mqtt_will_t) + topic.len + props->all.len
           + connect->will_payload.len;

    if (ngx_gateway_reserve(m->conf->listener.gateway, size) != NGX_OK) {
        *reason = GW_MQTT_SERVER_BUSY;
        return NGX_DECLINED;
    }

    will = ngx_calloc(size, ngx_cycle->log);

    if (will == NULL) {
        ngx_gateway_unreserve(m->conf->listener.gateway, size);
        *reason = GW_MQTT_UNSPECIFIED;
        return NGX_DECLINED;
    }

    will->charged = size;
    will->delay = props->there & 1u << GW_MQTT_P_WILL_DELAY
                  ? props->will_delay : 0;

    if (!(connect->props.there & 1u << GW_MQTT_P_SESSION_EXPIRY)) {
        will->delay = 0;

    } else {
        will->delay = ngx_min(will->delay, connect->props.session_expiry);
    }

    p = (u_char *) (will + 1);

    will->publish.topic.data = p;
    will->publish.topic.len = topic.len;
    p = ngx_cpymem(p, topic.data, topic.len);

    will->publish.props = *props;
    will->publish.props.there &= ~(1u << GW_MQTT_P_TOPIC_ALIAS);

    if (props->all.len) {
        will->publish.props.all.data = p;
        p = ngx_cpymem(p, props->all.data, props->all.len);
    }

    will->publish.payload.data = p;
    will->publish.payload.len = connect->will_payload.len;

    if (connect->will_payload.len) {
        ngx_memcpy(p, connect->will_payload.data, connect->will_payload.len);
    }

    m->will = will;

    return NGX_OK;
}


/* of a connection that is closing; sender is taken from it for a delay */

void
ngx_gateway_mqtt_will_publish(ngx_gateway_mqtt_t *m)
{
    ngx_int_t                 rc;
    ngx_gateway_mqtt_will_t  *will;

    will = m->will;
    rc = ngx_gateway_sessions_still(m);

    if (will->delay && rc == NGX_DONE) {
        return;
    }

    if (will->delay == 0 || rc == NGX_DECLINED
        || ngx_exiting || ngx_terminate || ngx_quit)
    {
        ngx_gateway_mqtt_will_submit(m, will);
        return;
    }

    will->late = *m;
    will->late.will = NULL;
    will->late.log = ngx_cycle->log;

    /* block and client id are the late one's now */

    ngx_memzero(&m->sender, sizeof(ngx_gateway_sender_t));
    m->ticket = 0;
    m->will = NULL;

    will->timer.handler = ngx_gateway_mqtt_will_handler;
    will->timer.data = will;
    will->timer.log = ngx_cycle->log;
    will->timer.cancelable = 1;

    ngx_add_timer(&will->timer,
                  (ngx_msec_t) ngx_min(will->delay, 2000000) * 1000);
}


static void
ngx_gateway_mqtt_will_handler(ngx_event_t *ev)
{
    ngx_gateway_mqtt_will_t  *will;

    will = ev->data;

    if (ngx_gateway_sessions_still(&will->late) != NGX_DONE) {
        ngx_gateway_mqtt_will_submit(&will->late, will);
    }

    ngx_gateway_sessions_leave(&will->late);
    ngx_gateway_sender_forget(&will->late.sender);
    ngx_gateway_mqtt_will_free(&will->late, will);
}


static void
ngx_gateway_mqtt_will_submit(ngx_gateway_mqtt_t *m,
    ngx_gateway_mqtt_will_t *will)
{
    ngx_gateway_result_t  result;

    /* nobody is left to be told; it counts as any message does */

    ngx_gateway_count_bytes(m->conf->listener.gateway,
                            (gw_proto_e) m->protocol,
                            will->publish.payload.len);

    (void) ngx_gateway_mqtt_publish(m, &will->publish, 0, &result);
}


void
ngx_gateway_mqtt_will_forget(ngx_gateway_mqtt_t *m)
{
    if (m->will) {
        ngx_gateway_mqtt_will_free(m, m->will);
        m->will = NULL;
    }
}


static void
ngx_gateway_mqtt_will_free(ngx_gateway_mqtt_t *m,
    ngx_gateway_mqtt_will_t *will)
{
    ngx_gateway_unreserve(m->conf->listener.gateway, will->charged);
    ngx_free(will);
}
