/*
 * gw_mqtt_session.c - see gw_mqtt_session.h.
 *
 * The ring of flights: from `first` on, n that have no answer yet, in the
 * order in which they came, then `held` of QoS 2 whose PUBREL is awaited, in no
 * order.  A flight's serial tells its place, so a fate costs no search; an
 * identifier is looked for among all that are there.
 */

#include "gw_mqtt_fate.h"


#define GW_MQTT_SERIAL_MASK  0x7fffffffU
#define GW_MQTT_SERIAL_BIT   0x80000000U   /* 0 is nobody's */

/* bytes that one without a text may take while it is written: its length is
   left room for as if it were the longest */
#define GW_MQTT_ACK_MAX      8
#define GW_MQTT_FILTERS_MAX  256           /* of a SUBSCRIBE */


static gw_mqtt_do_e gw_mqtt_on_connect(gw_mqtt_session_t *s,
    const gw_mqtt_connect_t *c, gw_mqtt_out_t *out, gw_end_e *end);
static gw_mqtt_do_e gw_mqtt_on_publish(gw_mqtt_session_t *s,
    const gw_mqtt_publish_t *p, gw_mqtt_out_t *out, uint32_t *serial,
    gw_end_e *end);
static gw_mqtt_do_e gw_mqtt_in_use(gw_mqtt_session_t *s,
    const gw_mqtt_publish_t *p, gw_mqtt_flight_t *f, unsigned held,
    gw_mqtt_out_t *out, gw_end_e *end);
static gw_mqtt_do_e gw_mqtt_on_pubrel(gw_mqtt_session_t *s, uint16_t id,
    gw_mqtt_out_t *out);
static gw_mqtt_do_e gw_mqtt_on_filters(gw_mqtt_session_t *s,
    const gw_mqtt_packet_t *packet, gw_mqtt_out_t *out, gw_end_e *end);
static unsigned gw_mqtt_error_filter(gw_mqtt_session_t *s,
    const gw_str_t *filter);
static gw_mqtt_do_e gw_mqtt_on_disconnect(gw_mqtt_session_t *s,
    const gw_mqtt_ack_t *ack, gw_mqtt_out_t *out, gw_end_e *end);
static gw_mqtt_do_e gw_mqtt_cut(gw_mqtt_session_t *s, gw_mqtt_reason_e reason,
    gw_end_e why, gw_mqtt_out_t *out, gw_end_e *end);
static int gw_mqtt_release(gw_mqtt_session_t *s, gw_mqtt_out_t *out,
    gw_end_e *end);
static void gw_mqtt_say(gw_mqtt_session_t *s, gw_mqtt_out_t *out,
    gw_mqtt_type_e type, uint16_t id, gw_mqtt_reason_e reason);
static gw_mqtt_flight_t *gw_mqtt_flight(const gw_mqtt_session_t *s,
    unsigned i);
static gw_mqtt_reason_e gw_mqtt_end_reason(gw_end_e end);


void
gw_mqtt_session_init(gw_mqtt_session_t *s, const gw_mqtt_conf_t *conf)
{
    memset(s, 0, sizeof(gw_mqtt_session_t));

    s->conf = conf;
}


gw_mqtt_do_e
gw_mqtt_session_packet(gw_mqtt_session_t *s, const gw_mqtt_packet_t *packet,
    gw_mqtt_out_t *out, uint32_t *serial, gw_end_e *end)
{
    *serial = 0;

    if (s->state == GW_MQTT_S_NEW) {

        if (packet->type == GW_MQTT_CONNECT) {
            return gw_mqtt_on_connect(s, &packet->u.connect, out, end);
        }

        /* MQTT-3.1.0-1 */

        s->state = GW_MQTT_S_ENDED;
        *end = GW_END_PROTOCOL;

        return GW_MQTT_DO_CLOSE;
    }

    if (s->state != GW_MQTT_S_OPEN) {
        *end = GW_END_PROTOCOL;
        s->state = GW_MQTT_S_ENDED;

        return GW_MQTT_DO_CLOSE;
    }

    switch (packet->type) {

    case GW_MQTT_PUBLISH:
        return gw_mqtt_on_publish(s, &packet->u.publish, out, serial, end);

    case GW_MQTT_PUBREL:
        return gw_mqtt_on_pubrel(s, packet->u.ack.id, out);

    case GW_MQTT_SUBSCRIBE:
    case GW_MQTT_UNSUBSCRIBE:
        return gw_mqtt_on_filters(s, packet, out, end);

    case GW_MQTT_PINGREQ:
        out->len += gw_mqtt_pingresp(out->data + out->len,
                                     out->size - out->len);
        return GW_MQTT_DO_NOTHING;

    case GW_MQTT_DISCONNECT:
        return gw_mqtt_on_disconnect(s, &packet->u.ack, out, end);

    default:

        /*
         * A second CONNECT (MQTT-3.1.0-2), AUTH where no method was agreed
         * upon (MQTT-4.12.0-6), an answer to what was never sent
         */

        return gw_mqtt_cut(s, GW_MQTT_PROTOCOL_ERROR, GW_END_PROTOCOL,
                           out, end);
    }
}


/* 3.1.4 */

static gw_mqtt_do_e
gw_mqtt_on_connect(gw_mqtt_session_t *s, const gw_mqtt_connect_t *c,
    gw_mqtt_out_t *out, gw_end_e *end)
{
    s->version = c->version;
    s->state = GW_MQTT_S_ASKING;
    s->keep_alive = c->keep_alive;
    s->will = c->has_will ? GW_MQTT_WILL_ASKED : GW_MQTT_WILL_NONE;

    if (c->props.there & 1u << GW_MQTT_P_MAXIMUM_PACKET_SIZE) {
        s->client_max = c->props.maximum_packet;
    }

    s->expiry = (c->props.there & 1u << GW_MQTT_P_SESSION_EXPIRY
                 && c->props.session_expiry != 0);

    *end = GW_END_PROTOCOL;

    /* MQTT-3.1.3-8 of 3.1.1 */

    if (c->version == GW_MQTT_3_1_1 && c->client_id.len == 0 && !c->clean) {
        gw_mqtt_session_refuse(s, GW_MQTT_CLIENT_ID_NOT_VALID, out);
        return GW_MQTT_DO_CLOSE;
    }

    /* MQTT-3.2.2-13 */

    if (c->version == GW_MQTT_5 && c->has_will && c->will_retain) {
        gw_mqtt_session_refuse(s, GW_MQTT_RETAIN_NOT_SUPPORTED, out);
        return GW_MQTT_DO_CLOSE;
    }

    /* MQTT-4.12.0-1 */

    if (c->props.there & 1u << GW_MQTT_P_AUTH_METHOD) {
        *end = GW_END_UNAUTHENTICATED;
        gw_mqtt_session_refuse(s, GW_MQTT_BAD_AUTH_METHOD, out);
        return GW_MQTT_DO_CLOSE;
    }

    /* MQTT-3.1.2-21; 3.1.1 cannot be told, and has what it wants */

    if (c->version == GW_MQTT_5 && s->conf->keep_alive_max
        && (s->keep_alive == 0 || s->keep_alive > s->conf->keep_alive_max))
    {
        s->keep_alive = s->conf->keep_alive_max;
    }

    return GW_MQTT_DO_CONNECT;
}


void
gw_mqtt_session_accept(gw_mqtt_session_t *s, const gw_str_t *assigned,
    gw_mqtt_out_t *out)
{
    size_t              len;
    gw_mqtt_connack_t   c;

    memset(&c, 0, sizeof(gw_mqtt_connack_t));

    c.receive_maximum = s->conf->receive_maximum;
    c.topic_alias_maximum = s->conf->topic_alias_maximum;
    c.maximum_packet = s->conf->packet_max;
    c.no_retain = 1;
    c.no_wildcards = 1;
    c.no_subscription_ids = 1;
    c.no_shared = 1;
    c.assigned_id = *assigned;

    if (s->conf->keep_alive_max) {
        c.has_server_keep_alive = 1;
        c.server_keep_alive = s->keep_alive;
    }

    len = gw_mqtt_connack(out->data + out->len, out->size - out->len,
                          s->version, GW_MQTT_SUCCESS, &c);

    s->state = GW_MQTT_S_OPEN;

    if (s->will == GW_MQTT_WILL_ASKED) {
        s->will = GW_MQTT_WILL_KEPT;
    }

    /* MQTT-3.1.2-24: who wants no packet of that size has none, and is told
       by what follows from it */

    if (s->client_max == 0 || len <= s->client_max) {
        out->len += len;
    }
}


void
gw_mqtt_session_refuse(gw_mqtt_session_t *s, gw_mqtt_reason_e reason,
    gw_mqtt_out_t *out)
{
    gw_mqtt_connack_t  c;

    memset(&c, 0, sizeof(gw_mqtt_connack_t));

    s->state = GW_MQTT_S_ENDED;

    out->len += gw_mqtt_connack(out->data + out->len, out->size - out->len,
                                s->version, reason, &c);
}


/* 3.3.4 */

static gw_mqtt_do_e
gw_mqtt_on_publish(gw_mqtt_session_t *s, const gw_mqtt_publish_t *p,
    gw_mqtt_out_t *out, uint32_t *serial, gw_end_e *end)
{
    unsigned           i;
    gw_mqtt_flight_t  *f;

    if (s->version == GW_MQTT_5) {

        /* MQTT-3.2.2-14 */

        if (p->retain) {
            return gw_mqtt_cut(s, GW_MQTT_RETAIN_NOT_SUPPORTED,
                               GW_END_PROTOCOL, out, end);
        }

        /* MQTT-3.3.2-8, MQTT-3.3.2-9 */

        if (p->props.there & 1u << GW_MQTT_P_TOPIC_ALIAS
            && (p->props.topic_alias == 0
                || p->props.topic_alias > s->conf->topic_alias_maximum))
        {
            return gw_mqtt_cut(s, GW_MQTT_TOPIC_ALIAS_INVALID,
                               GW_END_PROTOCOL, out, end);
        }
    }

    if (p->qos == 0) {
        return GW_MQTT_DO_PUBLISH;
    }

    for (i = 0; i < (unsigned) s->n + s->held; i++) {
        f = gw_mqtt_flight(s, i);

        if (f->id == p->id) {
            return gw_mqtt_in_use(s, p, f, i >= s->n, out, end);
        }
    }

    /* MQTT-3.3.4-9; 3.1.1 has no such word, see the header */

    if (s->version == GW_MQTT_5
        ? (unsigned) s->n + s->held >= s->conf->receive_maximum
        : s->held >= s->conf->flights_max
          || s->n >= s->conf->receive_maximum)
    {
        return gw_mqtt_cut(s, GW_MQTT_RECEIVE_MAXIMUM_EXCEEDED,
                           GW_END_PROTOCOL, out, end);
    }

    if ((unsigned) s->n + s->held == s->room) {
        return GW_MQTT_DO_FLIGHTS;
    }

    /* the first of the held makes room for the youngest without an answer */

    if (s->held) {
        *gw_mqtt_flight(s, (unsigned) s->n + s->held) =
                                                  *gw_mqtt_flight(s, s->n);
    }

    f = gw_mqtt_flight(s, s->n++);

    memset(f, 0, sizeof(gw_mqtt_flight_t));

    f->id = p->id;
    f->qos = p->qos;

    *serial = s->serial | GW_MQTT_SERIAL_BIT;
    s->serial = (s->serial + 1) & GW_MQTT_SERIAL_MASK;

    return GW_MQTT_DO_PUBLISH;
}


static gw_mqtt_do_e
gw_mqtt_in_use(gw_mqtt_session_t *s, const gw_mqtt_publish_t *p,
    gw_mqtt_flight_t *f, unsigned held, gw_mqtt_out_t *out,
    gw_end_e *end)
{
    if (held && p->qos == 2) {

        /* MQTT-4.3.3-10: it is no second message */

        gw_mqtt_say(s, out, GW_MQTT_PUBREC, p->id, GW_MQTT_SUCCESS);
        return GW_MQTT_DO_NOTHING;
    }

    if (!held && s->version == GW_MQTT_3_1_1 && p->dup && p->qos == f->qos) {
        return GW_MQTT_DO_NOTHING;
    }

    return gw_mqtt_cut(s, GW_MQTT_PROTOCOL_ERROR, GW_END_PROTOCOL, out,
                       end);
}


/* MQTT-4.3.3-11 */

static gw_mqtt_do_e
gw_mqtt_on_pubrel(gw_mqtt_session_t *s, uint16_t id, gw_mqtt_out_t *out)
{
    unsigned           i;
    gw_mqtt_reason_e   reason;
    gw_mqtt_flight_t  *f, *last;

    reason = GW_MQTT_PACKET_ID_NOT_FOUND;

    for (i = s->n; i < (unsigned) s->n + s->held; i++) {
        f = gw_mqtt_flight(s, i);

        if (f->id == id) {
            last = gw_mqtt_flight(s, (unsigned) s->n + s->held - 1);
            *f = *last;
            s->held--;
            reason = GW_MQTT_SUCCESS;
            break;
        }
    }

    gw_mqtt_say(s, out, GW_MQTT_PUBCOMP, id, reason);

    return GW_MQTT_DO_NOTHING;
}


/* 3.8.4, 3.10.4: answered, and nothing ever comes of it, but of one filter */

static gw_mqtt_do_e
gw_mqtt_on_filters(gw_mqtt_session_t *s, const gw_mqtt_packet_t *packet,
    gw_mqtt_out_t *out, gw_end_e *end)
{
    size_t                    at, len;
    uint8_t                   options, codes[GW_MQTT_FILTERS_MAX];
    gw_str_t                  filter;
    unsigned                  n, ours;
    const gw_mqtt_filters_t  *filters;

    filters = &packet->u.filters;

    if (filters->n > GW_MQTT_FILTERS_MAX) {
        return gw_mqtt_cut(s, GW_MQTT_QUOTA_EXCEEDED, GW_END_PROTOCOL,
                           out, end);
    }

    at = 0;
    n = 0;

    while (gw_mqtt_next_filter(filters, &at, &filter, &options) == GW_OK) {
        ours = gw_mqtt_error_filter(s, &filter);

        if (packet->type == GW_MQTT_SUBSCRIBE) {
            codes[n++] = ours ? 0 : GW_MQTT_UNSPECIFIED;
            s->errors |= ours;

        } else {
            codes[n++] = ours && s->errors ? 0
                                           : GW_MQTT_NO_SUBSCRIPTION_EXISTED;
            s->errors &= !ours;
        }
    }

    len = gw_mqtt_suback(out->data + out->len, out->size - out->len,
                         s->version, packet->type == GW_MQTT_SUBSCRIBE
                                     ? GW_MQTT_SUBACK : GW_MQTT_UNSUBACK,
                         filters->id, codes, n);

    if (s->client_max == 0 || len <= s->client_max) {
        out->len += len;
    }

    return GW_MQTT_DO_NOTHING;
}


static unsigned
gw_mqtt_error_filter(gw_mqtt_session_t *s, const gw_str_t *filter)
{
    const gw_str_t  *topic;

    topic = &s->conf->error_topic;

    return topic->len && topic->len == filter->len
           && memcmp(topic->data, filter->data, topic->len) == 0;
}


/* 3.14.4 */

static gw_mqtt_do_e
gw_mqtt_on_disconnect(gw_mqtt_session_t *s, const gw_mqtt_ack_t *ack,
    gw_mqtt_out_t *out, gw_end_e *end)
{
    /* 3.14.2.2.2 */

    if (ack->props.there & 1u << GW_MQTT_P_SESSION_EXPIRY
        && ack->props.session_expiry != 0 && !s->expiry)
    {
        return gw_mqtt_cut(s, GW_MQTT_PROTOCOL_ERROR, GW_END_PROTOCOL,
                           out, end);
    }

    /* MQTT-3.14.4-3 */

    if (ack->reason == GW_MQTT_SUCCESS) {
        s->will = GW_MQTT_WILL_NONE;
    }

    s->state = GW_MQTT_S_ENDED;
    *end = GW_END_CLIENT;

    return GW_MQTT_DO_CLOSE;
}


static gw_mqtt_do_e
gw_mqtt_cut(gw_mqtt_session_t *s, gw_mqtt_reason_e reason, gw_end_e why,
    gw_mqtt_out_t *out, gw_end_e *end)
{
    s->state = GW_MQTT_S_ENDED;
    *end = why;

    out->len += gw_mqtt_disconnect(out->data + out->len,
                                   out->size - out->len, s->version, reason,
                                   NULL, NULL);
    return GW_MQTT_DO_CLOSE;
}


/* 4.13 */

void
gw_mqtt_session_fault(gw_mqtt_session_t *s, gw_mqtt_reason_e reason,
    gw_mqtt_out_t *out, gw_end_e *end)
{
    gw_end_e  why;

    why = reason == GW_MQTT_PACKET_TOO_LARGE ? GW_END_TOO_LARGE
          : reason == GW_MQTT_MALFORMED ? GW_END_MALFORMED
                                        : GW_END_PROTOCOL;

    if (s->state == GW_MQTT_S_OPEN) {
        (void) gw_mqtt_cut(s, reason, why, out, end);
        return;
    }

    *end = why;

    /* MQTT-3.1.4-1, and of 3.1.1 its code 1 alone; who has not even said
       CONNECT is told nothing (MQTT-4.13.1-1) */

    if (s->state == GW_MQTT_S_NEW && s->version
        && (s->version == GW_MQTT_5
            || reason == GW_MQTT_UNSUPPORTED_VERSION))
    {
        gw_mqtt_session_refuse(s, reason, out);
    }

    s->state = GW_MQTT_S_ENDED;
}


int
gw_mqtt_session_settled(gw_mqtt_session_t *s, uint32_t serial,
    gw_outcome_e outcome, gw_reason_e reason, gw_mqtt_out_t *out,
    gw_end_e *end)
{
    uint32_t           i;
    gw_end_e      why;
    gw_mqtt_reason_e   code;
    gw_mqtt_flight_t  *f;

    if (s->state != GW_MQTT_S_OPEN) {
        return GW_OK;
    }

    if (serial) {
        i = (serial - (s->serial - s->n)) & GW_MQTT_SERIAL_MASK;

        if (i >= s->n) {
            return GW_OK;
        }

        f = gw_mqtt_flight(s, i);

        f->settled = 1;

        if (gw_mqtt_fate(s->version, outcome, reason, f->durable, &code, &why)
            == GW_OK)
        {
            f->reason = (uint8_t) code;

        } else {
            f->end = (uint8_t) (1 + why);
        }
    }

    return gw_mqtt_release(s, out, end);
}


/* MQTT-4.6.0-2, MQTT-4.6.0-3: in the order in which they came */

static int
gw_mqtt_release(gw_mqtt_session_t *s, gw_mqtt_out_t *out, gw_end_e *end)
{
    gw_mqtt_flight_t  flight, *f;

    while (s->n) {
        f = gw_mqtt_flight(s, 0);

        if (!f->settled) {
            return GW_OK;
        }

        if ((f->end == 0 || s->version == GW_MQTT_5)
            && out->size - out->len < GW_MQTT_ACK_MAX)
        {
            return GW_AGAIN;
        }

        if (f->end) {
            (void) gw_mqtt_cut(s, gw_mqtt_end_reason((gw_end_e) (f->end - 1)),
                               (gw_end_e) (f->end - 1), out, end);
            return GW_ERROR;
        }

        flight = *f;

        s->first = (uint16_t) ((s->first + 1u) % s->room);
        s->n--;

        gw_mqtt_say(s, out, flight.qos == 1 ? GW_MQTT_PUBACK : GW_MQTT_PUBREC,
                    flight.id, (gw_mqtt_reason_e) flight.reason);

        /* MQTT-4.3.3-8, MQTT-4.3.3-9 */

        if (flight.qos == 2 && flight.reason < GW_MQTT_UNSPECIFIED) {
            *gw_mqtt_flight(s, (unsigned) s->n + s->held) = flight;
            s->held++;
        }
    }

    return GW_OK;
}


static void
gw_mqtt_say(gw_mqtt_session_t *s, gw_mqtt_out_t *out, gw_mqtt_type_e type,
    uint16_t id, gw_mqtt_reason_e reason)
{
    out->len += gw_mqtt_ack(out->data + out->len, out->size - out->len,
                            s->version, type, id, reason, NULL);
}


void
gw_mqtt_session_durable(gw_mqtt_session_t *s)
{
    if (s->n) {
        gw_mqtt_flight(s, s->n - 1u)->durable = 1;
    }
}


gw_mqtt_flight_t *
gw_mqtt_session_lend(gw_mqtt_session_t *s, gw_mqtt_flight_t *flights,
    uint16_t room)
{
    unsigned           i;
    gw_mqtt_flight_t  *before;

    before = s->flights;

    for (i = 0; i < (unsigned) s->n + s->held; i++) {
        flights[i] = *gw_mqtt_flight(s, i);
    }

    s->flights = flights;
    s->room = room;
    s->first = 0;

    return before;
}


gw_mqtt_flight_t *
gw_mqtt_session_return(gw_mqtt_session_t *s)
{
    gw_mqtt_flight_t  *flights;

    if (s->n || s->held) {
        return NULL;
    }

    flights = s->flights;

    s->flights = NULL;
    s->room = 0;
    s->first = 0;

    return flights;
}


unsigned
gw_mqtt_session_full(const gw_mqtt_session_t *s)
{
    return s->version == GW_MQTT_3_1_1 && s->n >= s->conf->receive_maximum;
}


void
gw_mqtt_session_end(gw_mqtt_session_t *s, gw_end_e end,
    const gw_str_t *server_reference, gw_mqtt_out_t *out)
{
    gw_mqtt_reason_e  reason;

    if (s->state != GW_MQTT_S_OPEN) {
        s->state = GW_MQTT_S_ENDED;
        return;
    }

    s->state = GW_MQTT_S_ENDED;

    reason = gw_mqtt_end_reason(end);

    if (end == GW_END_DRAINING && server_reference->len) {
        reason = GW_MQTT_USE_ANOTHER_SERVER;

    } else {
        server_reference = NULL;
    }

    out->len += gw_mqtt_disconnect(out->data + out->len,
                                   out->size - out->len, s->version, reason,
                                   NULL, server_reference);
}


static gw_mqtt_reason_e
gw_mqtt_end_reason(gw_end_e end)
{
    switch (end) {

    case GW_END_MALFORMED:
        return GW_MQTT_MALFORMED;

    case GW_END_PROTOCOL:
        return GW_MQTT_PROTOCOL_ERROR;

    case GW_END_TOO_LARGE:
        return GW_MQTT_PACKET_TOO_LARGE;

    case GW_END_FORBIDDEN:
    case GW_END_REVOKED:
    case GW_END_UNAUTHENTICATED:
        return GW_MQTT_NOT_AUTHORIZED;

    case GW_END_KEEP_ALIVE:
        return GW_MQTT_KEEP_ALIVE_TIMEOUT;

    case GW_END_TAKEN_OVER:
        return GW_MQTT_TAKEN_OVER;

    case GW_END_OVERLOAD:
        return GW_MQTT_QUOTA_EXCEEDED;

    case GW_END_DRAINING:
        return GW_MQTT_SHUTTING_DOWN;

    default:
        return GW_MQTT_UNSPECIFIED;
    }
}


unsigned
gw_mqtt_session_will(const gw_mqtt_session_t *s, gw_end_e end)
{
    return s->will == GW_MQTT_WILL_KEPT && end != GW_END_DRAINING;
}


static gw_mqtt_flight_t *
gw_mqtt_flight(const gw_mqtt_session_t *s, unsigned i)
{
    i += s->first;

    return &s->flights[i < s->room ? i : i - s->room];
}
