/*
 * ngx_gateway_mqtt.c - see ngx_gateway_mqtt.h: packets in, acknowledgements
 * out.
 *
 * What ends while packets are read is acknowledged with them, in one write;
 * what Kafka reports is noted connection by connection, and all connections
 * that have something to say are woken once, behind the reports of one turn.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_mqtt.h"


#define NGX_GATEWAY_MQTT_FLIGHTS  8        /* lent first, then twice as many */
#define NGX_GATEWAY_MQTT_LOOK     100      /* ms from look to look at who is
                                              there, */
#define NGX_GATEWAY_MQTT_LOOKS    1024     /* so many each time */


static ngx_int_t ngx_gateway_mqtt_packet(ngx_gateway_mqtt_t *m,
    gw_mqtt_packet_t *packet, gw_mqtt_out_t *out);
static ngx_int_t ngx_gateway_mqtt_lend(ngx_gateway_mqtt_t *m);
static ngx_int_t ngx_gateway_mqtt_connect(ngx_gateway_mqtt_t *m,
    gw_mqtt_connect_t *connect, gw_mqtt_out_t *out);
static ngx_int_t ngx_gateway_mqtt_judge(ngx_gateway_mqtt_t *m,
    gw_mqtt_connect_t *connect, ngx_str_t *id, gw_mqtt_reason_e *reason);
static void ngx_gateway_mqtt_signs(ngx_gateway_mqtt_t *m,
    gw_mqtt_connect_t *connect, ngx_gateway_credentials_t *c, u_char *pair);
static ngx_uint_t ngx_gateway_mqtt_token(gw_str_t *password);
static gw_mqtt_reason_e ngx_gateway_mqtt_refusal(gw_reason_e reason);
static ngx_int_t ngx_gateway_mqtt_submit(ngx_gateway_mqtt_t *m,
    gw_mqtt_publish_t *publish, uint32_t serial, gw_mqtt_out_t *out);
static ngx_int_t ngx_gateway_mqtt_fault(ngx_gateway_mqtt_t *m,
    gw_mqtt_reason_e reason, const char *detail, gw_mqtt_out_t *out);
static ngx_int_t ngx_gateway_mqtt_ended(ngx_gateway_mqtt_t *m,
    gw_end_e end);
static void ngx_gateway_mqtt_result(ngx_gateway_waiter_t *waiter,
    uint32_t index, const ngx_gateway_result_t *result, ngx_msec_t delivery);
static void ngx_gateway_mqtt_done(ngx_gateway_waiter_t *waiter);
static void ngx_gateway_mqtt_wake(ngx_gateway_mqtt_t *m);
static void ngx_gateway_mqtt_wake_handler(ngx_event_t *ev);
static void ngx_gateway_mqtt_look_handler(ngx_event_t *ev);


/* of this worker */

static ngx_queue_t  ngx_gateway_mqtt_all;
static ngx_uint_t   ngx_gateway_mqtt_n;
static ngx_event_t  ngx_gateway_mqtt_look;

static ngx_queue_t  ngx_gateway_mqtt_woken;
static ngx_event_t  ngx_gateway_mqtt_waker;


ngx_int_t
ngx_gateway_mqtt_open(ngx_gateway_mqtt_t *m,
    const ngx_gateway_mqtt_conf_t *conf, const ngx_gateway_mqtt_peer_t *peer,
    gw_proto_e protocol, ngx_str_t *device, ngx_log_t *log, void *data)
{
    ngx_memzero(m, sizeof(ngx_gateway_mqtt_t));

    m->conf = conf;
    m->peer = peer;
    m->protocol = protocol;
    m->device = *device;
    m->data = data;
    m->log = log;
    m->last = ngx_current_msec;

    m->sender.listener = &conf->listener;

    m->waiter.result = ngx_gateway_mqtt_result;
    m->waiter.done = ngx_gateway_mqtt_done;
    m->waiter.data = m;

    gw_mqtt_session_init(&m->session, &conf->session);

    if (ngx_gateway_mqtt_waker.handler == NULL) {
        ngx_queue_init(&ngx_gateway_mqtt_woken);
        ngx_gateway_mqtt_waker.handler = ngx_gateway_mqtt_wake_handler;
        ngx_gateway_mqtt_waker.log = ngx_cycle->log;

        ngx_queue_init(&ngx_gateway_mqtt_all);
        ngx_gateway_mqtt_look.handler = ngx_gateway_mqtt_look_handler;
        ngx_gateway_mqtt_look.log = ngx_cycle->log;
        ngx_gateway_mqtt_look.cancelable = 1;
    }

    ngx_queue_insert_tail(&ngx_gateway_mqtt_all, &m->all);
    ngx_gateway_mqtt_n++;

    if (!ngx_gateway_mqtt_look.timer_set) {
        ngx_add_timer(&ngx_gateway_mqtt_look, NGX_GATEWAY_MQTT_LOOK);
    }

    ngx_gateway_count_connection(conf->listener.gateway, protocol, 1);

    return NGX_OK;
}


ngx_int_t
ngx_gateway_mqtt_input(ngx_gateway_mqtt_t *m, u_char *p, size_t len,
    size_t *used, size_t *want, gw_mqtt_out_t *out)
{
    int                 rc;
    ngx_int_t           ret;
    uint32_t            max;
    const char         *detail;
    gw_mqtt_frame_t     frame;
    gw_mqtt_packet_t    packet;
    gw_mqtt_reason_e    reason;

    *used = 0;
    *want = 0;

    for ( ;; ) {

        if (m->ended) {
            return NGX_DONE;
        }

        m->blocked = gw_mqtt_session_full(&m->session);

        if (m->blocked) {
            return NGX_AGAIN;
        }

        if (out->size - out->len < GW_MQTT_OUT_MIN) {
            return NGX_BUSY;
        }

        max = m->session.version ? m->conf->session.packet_max
                                 : m->conf->connect_max;

        rc = gw_mqtt_frame(p, len, m->session.version, max, &frame, &reason);

        if (rc == GW_AGAIN) {
            return NGX_OK;
        }

        if (rc != GW_OK) {
            return ngx_gateway_mqtt_fault(m, reason, "2.1: fixed header", out);
        }

        if (len < (size_t) frame.header + frame.length) {
            *want = (size_t) frame.header + frame.length;
            return NGX_OK;
        }

        if (gw_mqtt_decode(&frame, m->session.version, p + frame.header,
                           &packet, &reason, &detail)
            != GW_OK)
        {
            if (frame.type == GW_MQTT_CONNECT && m->session.version == 0) {
                m->session.version = packet.u.connect.version;
            }

            return ngx_gateway_mqtt_fault(m, reason, detail, out);
        }

        m->last = ngx_current_msec;

        ret = ngx_gateway_mqtt_packet(m, &packet, out);

        p += frame.header + frame.length;
        len -= frame.header + frame.length;
        *used += frame.header + frame.length;

        if (ret != NGX_OK) {
            return ret;
        }
    }
}


static ngx_int_t
ngx_gateway_mqtt_packet(ngx_gateway_mqtt_t *m, gw_mqtt_packet_t *packet,
    gw_mqtt_out_t *out)
{
    uint32_t       serial;
    gw_mqtt_do_e   todo;
    gw_end_e  end;

    if (packet->type == GW_MQTT_PUBLISH) {
        m->messages++;
        ngx_gateway_count_bytes(m->conf->listener.gateway,
                                (gw_proto_e) m->protocol,
                                packet->u.publish.payload.len);
    }

    do {
        todo = gw_mqtt_session_packet(&m->session, packet, out, &serial,
                                      &end);

    } while (todo == GW_MQTT_DO_FLIGHTS
             && ngx_gateway_mqtt_lend(m) == NGX_OK);

    switch (todo) {

    case GW_MQTT_DO_NOTHING:
        return NGX_OK;

    case GW_MQTT_DO_CONNECT:
        return ngx_gateway_mqtt_connect(m, &packet->u.connect, out);

    case GW_MQTT_DO_PUBLISH:
        return ngx_gateway_mqtt_submit(m, &packet->u.publish, serial, out);

    case GW_MQTT_DO_CLOSE:
        return ngx_gateway_mqtt_ended(m, end);

    default: /* GW_MQTT_DO_FLIGHTS */
        return ngx_gateway_mqtt_end(m, GW_END_INTERNAL, out);
    }
}


static ngx_int_t
ngx_gateway_mqtt_lend(ngx_gateway_mqtt_t *m)
{
    ngx_uint_t          n;
    gw_mqtt_flight_t   *flights;

    n = m->session.room ? (ngx_uint_t) m->session.room * 2
                        : NGX_GATEWAY_MQTT_FLIGHTS;
    n = ngx_min(n, GW_MQTT_RECEIVE_MAX);

    flights = ngx_alloc(n * sizeof(gw_mqtt_flight_t), ngx_cycle->log);
    if (flights == NULL) {
        return NGX_ERROR;
    }

    flights = gw_mqtt_session_lend(&m->session, flights, (uint16_t) n);

    if (flights) {
        ngx_free(flights);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_mqtt_connect(ngx_gateway_mqtt_t *m, gw_mqtt_connect_t *connect,
    gw_mqtt_out_t *out)
{
    u_char             made[3 + 16];
    gw_str_t           assigned;
    ngx_str_t          id;
    gw_mqtt_reason_e   reason;

    id.data = (u_char *) connect->client_id.data;
    id.len = connect->client_id.len;
    assigned.len = 0;

    if (id.len == 0) {
        id.data = made;
        id.len = ngx_sprintf(made, "gw-%016xL", ngx_gateway_random()) - made;
        assigned.data = id.data;
        assigned.len = id.len;
    }

    if (ngx_gateway_mqtt_judge(m, connect, &id, &reason) != NGX_OK) {
        gw_mqtt_session_refuse(&m->session, reason, out);

        return ngx_gateway_mqtt_ended(m, reason == GW_MQTT_NOT_AUTHORIZED
                                         ? GW_END_FORBIDDEN
                                         : reason == GW_MQTT_SERVER_BUSY
                                         ? GW_END_OVERLOAD
                                         : reason == GW_MQTT_SERVER_UNAVAILABLE
                                         ? GW_END_DRAINING
                                         : GW_END_UNAUTHENTICATED);
    }

    /* the one that had this client id is told, and we do not wait for it: its
       answers go to another socket (MQTT-3.1.4-3) */

    ngx_gateway_sessions_take(m, &id, connect->clean);

    gw_mqtt_session_accept(&m->session, &assigned, out);

    return NGX_OK;
}


/* NGX_OK, or NGX_DECLINED: *reason */

static ngx_int_t
ngx_gateway_mqtt_judge(ngx_gateway_mqtt_t *m, gw_mqtt_connect_t *connect,
    ngx_str_t *id, gw_mqtt_reason_e *reason)
{
    u_char                         pair[NGX_GATEWAY_SENDER_PAIR];
    ngx_int_t                      rc;
    ngx_str_t                      device;
    gw_reason_e                    why;
    ngx_gateway_credentials_t      c;
    const ngx_gateway_listener_t  *listener;

    listener = &m->conf->listener;

    /* what is lost first is not even let in, before it costs a signature */

    why = ngx_gateway_admit(listener->gateway,
                            listener->class_index != NGX_CONF_UNSET_UINT,
                            listener->class_index);

    if (why != GW_R_NONE) {
        *reason = ngx_gateway_mqtt_refusal(why);
        return NGX_DECLINED;
    }

    device = m->device;

    if (device.len == 0
        && (listener->auth == NULL || !ngx_gateway_auth_on(listener->auth)))
    {
        if (gw_envelope_name_valid(id->data, id->len, GW_DEVICE_MAX) != GW_OK)
        {
            *reason = GW_MQTT_CLIENT_ID_NOT_VALID;
            return NGX_DECLINED;
        }

        device = *id;
    }

    ngx_memzero(&c, sizeof(ngx_gateway_credentials_t));

    m->peer->credentials(m, &c);

    ngx_gateway_mqtt_signs(m, connect, &c, pair);

    rc = ngx_gateway_sender_find_out(&m->sender, &c, &device, id, &why);

    m->peer->release(&c);

    ngx_explicit_memzero(pair, c.pair.len);

    if (rc != NGX_OK) {
        *reason = ngx_gateway_mqtt_refusal(why);
        return NGX_DECLINED;
    }

    ngx_str_null(&m->device);

    if (connect->has_will) {
        return ngx_gateway_mqtt_will_keep(m, connect, reason);
    }

    return NGX_OK;
}


/* a token of a JWT stands in the password, whatever the user name is */

static void
ngx_gateway_mqtt_signs(ngx_gateway_mqtt_t *m, gw_mqtt_connect_t *connect,
    ngx_gateway_credentials_t *c, u_char *pair)
{
    u_char     text[NGX_GATEWAY_SENDER_PAIR / 4 * 3], *p;
    ngx_str_t  s;

    if (!connect->has_password) {
        return;
    }

    if (ngx_gateway_mqtt_token(&connect->password)
        && ngx_gateway_auth_has(m->conf->listener.auth, GW_AUTH_JWT))
    {
        c->token = 1;
        c->bearer.data = (u_char *) connect->password.data;
        c->bearer.len = connect->password.len;
        return;
    }

    if (!connect->has_user) {
        return;
    }

    c->basic = 1;

    if (connect->user.len + 1 + connect->password.len > sizeof(text)) {
        /* nobody's */
        return;
    }

    p = ngx_cpymem(text, connect->user.data, connect->user.len);
    *p++ = ':';
    p = ngx_cpymem(p, connect->password.data, connect->password.len);

    s.data = text;
    s.len = p - text;

    c->pair.data = pair;
    ngx_encode_base64(&c->pair, &s);

    ngx_explicit_memzero(text, s.len);
}


/* RFC 7515 section 3.1: three parts, the first of them an object in base64 */

static ngx_uint_t
ngx_gateway_mqtt_token(gw_str_t *password)
{
    size_t      i;
    ngx_uint_t  dots;

    if (password->len < 2 || ngx_memcmp(password->data, "ey", 2) != 0) {
        return 0;
    }

    for (i = 0, dots = 0; i < password->len; i++) {
        dots += (password->data[i] == '.');
    }

    return dots == 2;
}


static gw_mqtt_reason_e
ngx_gateway_mqtt_refusal(gw_reason_e reason)
{
    switch (reason) {

    case GW_R_UNAUTHENTICATED:
        return GW_MQTT_BAD_CREDENTIALS;

    case GW_R_FORBIDDEN:
    case GW_R_REVOKED:
        return GW_MQTT_NOT_AUTHORIZED;

    case GW_R_RATE_LIMITED:
        return GW_MQTT_CONNECTION_RATE_EXCEEDED;

    case GW_R_PRESSURE:
        return GW_MQTT_SERVER_BUSY;

    case GW_R_UPSTREAM:
    case GW_R_DRAINING:
        return GW_MQTT_SERVER_UNAVAILABLE;

    default:
        return GW_MQTT_UNSPECIFIED;
    }
}


static ngx_int_t
ngx_gateway_mqtt_submit(ngx_gateway_mqtt_t *m, gw_mqtt_publish_t *publish,
    uint32_t serial, gw_mqtt_out_t *out)
{
    ngx_int_t              rc;
    gw_end_e               end;
    gw_reason_e            why;
    gw_mqtt_reason_e       reason;
    ngx_gateway_result_t   result;

    if (ngx_gateway_sender_still(&m->sender, &why) != NGX_OK) {
        return ngx_gateway_mqtt_end(m, GW_END_REVOKED, out);
    }

    if (publish->props.there & 1u << GW_MQTT_P_TOPIC_ALIAS
        && ngx_gateway_mqtt_alias(m, publish, &reason) != NGX_OK)
    {
        return ngx_gateway_mqtt_fault(m, reason, "3.3.2.3.4: topic alias",
                                      out);
    }

    if (publish->qos && m->waiter.pending == 0) {
        m->progress = ngx_current_msec;

        if (!m->waiter.open
            && ngx_gateway_waiter_open(m->conf->listener.gateway, &m->waiter)
               != NGX_OK)
        {
            return ngx_gateway_mqtt_end(m, GW_END_INTERNAL, out);
        }
    }

    rc = ngx_gateway_mqtt_publish(m, publish, serial, &result);

    if (rc == NGX_AGAIN) {
        return NGX_OK;
    }

    if (gw_mqtt_session_settled(&m->session, serial, result.outcome,
                                result.reason, out, &end)
        == GW_ERROR)
    {
        return ngx_gateway_mqtt_ended(m, end);
    }

    return NGX_OK;
}


ngx_int_t
ngx_gateway_mqtt_flush(ngx_gateway_mqtt_t *m, gw_mqtt_out_t *out)
{
    int                rc;
    gw_end_e      end;
    gw_mqtt_flight_t  *flights;

    if (m->ended) {
        return NGX_DONE;
    }

    if (m->unsettled) {
        return ngx_gateway_mqtt_ended(m, (gw_end_e) m->end);
    }

    if (m->session.n) {
        rc = gw_mqtt_session_settled(&m->session, 0, GW_DELIVERED, GW_R_NONE,
                                     out, &end);

        if (rc == GW_AGAIN) {
            return NGX_BUSY;
        }

        if (rc == GW_ERROR) {
            return ngx_gateway_mqtt_ended(m, end);
        }
    }

    if (m->session.flights) {
        flights = gw_mqtt_session_return(&m->session);

        if (flights) {
            ngx_free(flights);
        }
    }

    return NGX_OK;
}


/* only a note is taken: this may be a call from inside of submit() */

static void
ngx_gateway_mqtt_result(ngx_gateway_waiter_t *waiter, uint32_t index,
    const ngx_gateway_result_t *result, ngx_msec_t delivery)
{
    gw_end_e        end;
    gw_mqtt_out_t        none;
    ngx_gateway_mqtt_t  *m;

    m = waiter->data;

    m->progress = ngx_current_msec;

    ngx_memzero(&none, sizeof(gw_mqtt_out_t));

    if (gw_mqtt_session_settled(&m->session, index, result->outcome,
                                result->reason, &none, &end)
        == GW_ERROR)
    {
        m->unsettled = 1;
        m->end = end;
    }

    ngx_gateway_count_answer(m->conf->listener.gateway,
                             (gw_proto_e) m->protocol, delivery);

    ngx_gateway_mqtt_wake(m);
}


static void
ngx_gateway_mqtt_done(ngx_gateway_waiter_t *waiter)
{
    /* the waiter is opened again with the next message */
}


static void
ngx_gateway_mqtt_wake(ngx_gateway_mqtt_t *m)
{
    if (m->posted) {
        return;
    }

    m->posted = 1;
    ngx_queue_insert_tail(&ngx_gateway_mqtt_woken, &m->woken);

    if (!ngx_gateway_mqtt_waker.posted) {
        ngx_post_event(&ngx_gateway_mqtt_waker, &ngx_posted_events);
    }
}


static void
ngx_gateway_mqtt_wake_handler(ngx_event_t *ev)
{
    ngx_queue_t         *q, woken;
    ngx_gateway_mqtt_t  *m;

    /* what wakes meanwhile comes in the next turn */

    if (ngx_queue_empty(&ngx_gateway_mqtt_woken)) {
        return;
    }

    ngx_queue_init(&woken);
    ngx_queue_add(&woken, &ngx_gateway_mqtt_woken);
    ngx_queue_init(&ngx_gateway_mqtt_woken);

    while (!ngx_queue_empty(&woken)) {
        q = ngx_queue_head(&woken);
        ngx_queue_remove(q);

        m = ngx_queue_data(q, ngx_gateway_mqtt_t, woken);
        m->posted = 0;

        m->peer->wake(m);
    }
}


/* round and round: who may not send any more, or whose token has ended, loses
   the connection; and of all at once, whose client id is another's by now */

static void
ngx_gateway_mqtt_look_handler(ngx_event_t *ev)
{
    ngx_uint_t           n, taken;
    ngx_queue_t         *q;
    gw_reason_e          reason;
    ngx_gateway_mqtt_t  *m;

    taken = ngx_gateway_sessions_taken();

    n = taken ? ngx_gateway_mqtt_n
              : ngx_min(ngx_gateway_mqtt_n, NGX_GATEWAY_MQTT_LOOKS);

    while (n-- && !ngx_queue_empty(&ngx_gateway_mqtt_all)) {
        q = ngx_queue_head(&ngx_gateway_mqtt_all);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_gateway_mqtt_all, q);

        m = ngx_queue_data(q, ngx_gateway_mqtt_t, all);

        if (m->ended || m->session.state != GW_MQTT_S_OPEN) {
            continue;
        }

        if (taken && ngx_gateway_sessions_still(m) != NGX_OK) {
            m->peer->cut(m, GW_END_TAKEN_OVER);

        } else if (ngx_gateway_sender_still(&m->sender, &reason) != NGX_OK) {
            m->peer->cut(m, GW_END_REVOKED);
        }
    }

    if (!ngx_queue_empty(&ngx_gateway_mqtt_all)) {
        ngx_add_timer(&ngx_gateway_mqtt_look, NGX_GATEWAY_MQTT_LOOK);
    }
}


static ngx_int_t
ngx_gateway_mqtt_fault(ngx_gateway_mqtt_t *m, gw_mqtt_reason_e reason,
    const char *detail, gw_mqtt_out_t *out)
{
    gw_end_e  end;

    ngx_log_error(NGX_LOG_INFO, m->log, 0,
                  "gateway \"%V\": a client of MQTT was refused: %s (%s)",
                  ngx_gateway_name(m->conf->listener.gateway),
                  gw_mqtt_reason_name(reason), detail);

    gw_mqtt_session_fault(&m->session, reason, out, &end);

    return ngx_gateway_mqtt_ended(m, end);
}


ngx_int_t
ngx_gateway_mqtt_end(ngx_gateway_mqtt_t *m, gw_end_e end,
    gw_mqtt_out_t *out)
{
    gw_str_t  reference;

    if (m->ended) {
        return NGX_DONE;
    }

    reference.data = m->conf->server_reference.data;
    reference.len = m->conf->server_reference.len;

    gw_mqtt_session_end(&m->session, end, &reference, out);

    return ngx_gateway_mqtt_ended(m, end);
}


static ngx_int_t
ngx_gateway_mqtt_ended(ngx_gateway_mqtt_t *m, gw_end_e end)
{
    m->ended = 1;
    m->end = end;

    return NGX_DONE;
}


ngx_msec_t
ngx_gateway_mqtt_deadline(ngx_gateway_mqtt_t *m, ngx_msec_t partial)
{
    ngx_msec_t                     at, other;
    const ngx_gateway_listener_t  *listener;

    listener = &m->conf->listener;

    if (m->session.state != GW_MQTT_S_OPEN) {
        return m->last + listener->connect_timeout;
    }

    at = 0;

    /* MQTT-3.1.2-22: one and a half times the keep alive; whom nobody reads
       from may well have sent something */

    if (m->session.keep_alive && !m->blocked) {
        at = m->last + (ngx_msec_t) m->session.keep_alive * 1500;
    }

    if (m->waiter.pending) {
        other = m->progress + listener->timeout;
        at = (at == 0 || (ngx_msec_int_t) (other - at) < 0) ? other : at;
    }

    if (partial) {
        other = partial + listener->packet_timeout;
        at = (at == 0 || (ngx_msec_int_t) (other - at) < 0) ? other : at;
    }

    return at;
}


ngx_int_t
ngx_gateway_mqtt_expire(ngx_gateway_mqtt_t *m, ngx_msec_t partial,
    gw_mqtt_out_t *out)
{
    gw_end_e                  end;
    const ngx_gateway_listener_t  *listener;

#define ngx_gateway_mqtt_over(since, ms)                                      \
    ((ngx_msec_int_t) (ngx_current_msec - (since) - (ms)) >= 0)

    listener = &m->conf->listener;

    if (m->session.state != GW_MQTT_S_OPEN) {

        if (!ngx_gateway_mqtt_over(m->last, listener->connect_timeout)) {
            return NGX_OK;
        }

        end = GW_END_CONNECT_TIMEOUT;

    } else if (m->waiter.pending
               && ngx_gateway_mqtt_over(m->progress, listener->timeout))
    {
        end = GW_END_UNSETTLED;

        ngx_gateway_count_timeout(listener->gateway,
                                  (gw_proto_e) m->protocol);

    } else if (partial
               && ngx_gateway_mqtt_over(partial, listener->packet_timeout))
    {
        end = GW_END_PACKET_TIMEOUT;

    } else if (m->session.keep_alive && !m->blocked
               && ngx_gateway_mqtt_over(m->last,
                            (ngx_msec_t) m->session.keep_alive * 1500))
    {
        end = GW_END_KEEP_ALIVE;

    } else {
        return NGX_OK;
    }

    return ngx_gateway_mqtt_end(m, end, out);
}


void
ngx_gateway_mqtt_close(ngx_gateway_mqtt_t *m, gw_end_e end)
{
    gw_mqtt_flight_t  *flights;

    if (m->counted) {
        return;
    }

    m->counted = 1;

    if (!m->ended) {
        m->end = end;
    }

    if (m->waiter.pending) {
        ngx_gateway_count_gone(m->conf->listener.gateway,
                               (gw_proto_e) m->protocol);
    }

    ngx_gateway_waiter_close(&m->waiter);

    if (m->will) {

        if (gw_mqtt_session_will(&m->session, (gw_end_e) m->end)) {
            ngx_gateway_mqtt_will_publish(m);
        }

        ngx_gateway_mqtt_will_forget(m);
    }

    ngx_gateway_sessions_leave(m);

    if (m->posted) {
        m->posted = 0;
        ngx_queue_remove(&m->woken);
    }

    ngx_queue_remove(&m->all);
    ngx_gateway_mqtt_n--;

    ngx_gateway_mqtt_alias_free(m);

    flights = m->session.flights;

    if (flights) {
        m->session.flights = NULL;
        ngx_free(flights);
    }

    ngx_gateway_count_connection(m->conf->listener.gateway,
                                 (gw_proto_e) m->protocol, -1);
    ngx_gateway_count_disconnect(m->conf->listener.gateway,
                                 (gw_proto_e) m->protocol,
                                 (gw_end_e) m->end);

    ngx_gateway_sender_forget(&m->sender);
}
