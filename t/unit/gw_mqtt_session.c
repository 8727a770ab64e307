/*
 * The session: acknowledgements in order and never before their time, what is
 * in use, what is too much.  A PUBACK that goes out early is a message lost;
 * one that is forgotten blocks its device until it reconnects.
 *
 * Beside single clauses a model that is as simple as can be runs against it:
 * random messages, fates and releases, both versions, every size of the ring.
 */

#include "gw_test.h"
#include "gw_mqtt_fate.h"


#define MODEL_STEPS  400000
#define FLIGHTS      64


static gw_mqtt_conf_t     conf;
static gw_mqtt_session_t  s;
static gw_mqtt_out_t      out;
static uint8_t            buffer[4096];
static gw_mqtt_flight_t   ring[FLIGHTS];
static gw_end_e           end;
static uint32_t           serial;


static void
begin(unsigned version, uint16_t receive_maximum)
{
    gw_str_t          none = gw_str_null;
    gw_mqtt_packet_t  packet;

    memset(&conf, 0, sizeof(conf));

    conf.receive_maximum = receive_maximum;
    conf.flights_max = receive_maximum;
    conf.topic_alias_maximum = 4;
    conf.keep_alive_max = 60;
    conf.packet_max = 1000;

    out.data = buffer;
    out.size = sizeof(buffer);
    out.len = 0;

    gw_mqtt_session_init(&s, &conf);

    memset(&packet, 0, sizeof(packet));

    packet.type = GW_MQTT_CONNECT;
    packet.u.connect.version = (uint8_t) version;
    packet.u.connect.clean = 1;
    packet.u.connect.has_will = 1;
    packet.u.connect.keep_alive = 600;

    if (gw_mqtt_session_packet(&s, &packet, &out, &serial, &end)
        != GW_MQTT_DO_CONNECT)
    {
        abort();
    }

    gw_mqtt_session_accept(&s, &none, &out);
    (void) gw_mqtt_session_lend(&s, ring, FLIGHTS);

    out.len = 0;
}


static gw_mqtt_do_e
publish(unsigned qos, uint16_t id, unsigned dup)
{
    gw_mqtt_packet_t  packet;

    memset(&packet, 0, sizeof(packet));

    packet.type = GW_MQTT_PUBLISH;
    packet.u.publish.qos = (uint8_t) qos;
    packet.u.publish.id = id;
    packet.u.publish.dup = (uint8_t) dup;

    return gw_mqtt_session_packet(&s, &packet, &out, &serial, &end);
}


static gw_mqtt_do_e
simple(gw_mqtt_type_e type, uint16_t id, gw_mqtt_reason_e reason)
{
    gw_mqtt_packet_t  packet;

    memset(&packet, 0, sizeof(packet));

    packet.type = type;
    packet.u.ack.id = id;
    packet.u.ack.reason = reason;

    return gw_mqtt_session_packet(&s, &packet, &out, &serial, &end);
}


static int
settle(uint32_t n, gw_outcome_e outcome, gw_reason_e reason)
{
    return gw_mqtt_session_settled(&s, n, outcome, reason, &out, &end);
}


/* what was sent since the last time, as hex */

static const char *
said(void)
{
    size_t       i;
    static char  text[2 * sizeof(buffer) + 1];

    for (i = 0; i < out.len; i++) {
        sprintf(text + 2 * i, "%02x", buffer[i]);
    }

    text[2 * out.len] = '\0';
    out.len = 0;

    return text;
}


#define is_said(want, ...)                                                    \
    do {                                                                      \
        const char  *text_ = said();                                          \
        is_str(text_, strlen(text_), want, __VA_ARGS__);                      \
    } while (0)


static void
order(void)
{
    uint32_t  a, b, c;

    begin(4, 10);

    (void) publish(1, 1, 0);
    a = serial;
    (void) publish(2, 2, 0);
    b = serial;
    (void) publish(1, 3, 0);
    c = serial;

    (void) settle(c, GW_DELIVERED, GW_R_NONE);
    (void) settle(b, GW_DELIVERED, GW_R_NONE);
    is_said("", "MQTT-4.6.0-2: the oldest holds back those behind it");

    (void) settle(a, GW_DUPLICATE, GW_R_NONE);
    is_said("4002000150020002" "40020003", "MQTT-4.6.0-3: then in order");

    (void) settle(a, GW_DELIVERED, GW_R_NONE);
    is_said("", "a fate that comes twice is no second answer");

    (void) simple(GW_MQTT_PUBREL, 2, GW_MQTT_SUCCESS);
    is_said("70020002", "MQTT-4.3.3-11: PUBCOMP of PUBREL");
    ok(gw_mqtt_session_return(&s) == ring, "nothing is left");
}


static void
in_use(void)
{
    uint32_t  a;

    begin(4, 10);
    (void) publish(2, 7, 0);
    a = serial;
    (void) settle(a, GW_DELIVERED, GW_R_NONE);
    is_said("50020007", "PUBREC");
    ok(publish(2, 7, 1) == GW_MQTT_DO_NOTHING, "MQTT-4.3.3-10: no second one");
    is_said("50020007", "... and PUBREC again");

    ok(publish(1, 7, 0) == GW_MQTT_DO_CLOSE && end == GW_END_PROTOCOL,
       "MQTT-2.2.1-3: an identifier held is no other message's");

    begin(4, 10);
    (void) publish(1, 7, 0);
    ok(publish(1, 7, 1) == GW_MQTT_DO_NOTHING, "3.1.1: DUP is a resend");
    ok(publish(1, 7, 0) == GW_MQTT_DO_CLOSE, "without it is another message");

    begin(5, 10);
    (void) publish(1, 7, 0);
    ok(publish(1, 7, 1) == GW_MQTT_DO_CLOSE, "5.0: resends follow a reconnect");
    is_said("e00182", "and it is told");

    begin(5, 10);
    (void) publish(2, 7, 0);
    (void) settle(serial, GW_INVALID, GW_R_SCHEMA);
    is_said("5003000799", "MQTT-4.3.3-9: PUBREC of an error");
    ok(publish(2, 7, 0) == GW_MQTT_DO_PUBLISH, "frees the identifier");

    (void) simple(GW_MQTT_PUBREL, 9, GW_MQTT_SUCCESS);
    is_said("7003000992", "3.7.2.1: PUBREL of nothing");
}


static void
bounds(void)
{
    unsigned  i;

    begin(5, 3);

    for (i = 1; i <= 3; i++) {
        ok(publish(1 + i % 2, (uint16_t) i, 0) == GW_MQTT_DO_PUBLISH,
           "message %u of 3", i);
    }

    ok(publish(1, 4, 0) == GW_MQTT_DO_CLOSE, "MQTT-3.3.4-9: a fourth");
    is_said("e00193", "... is told so");

    begin(5, 3);

    for (i = 1; i <= 3; i++) {
        (void) publish(2, (uint16_t) i, 0);
        (void) settle(serial, GW_DELIVERED, GW_R_NONE);
    }

    ok(publish(1, 4, 0) == GW_MQTT_DO_CLOSE,
       "those that wait for PUBREL count (3.3.4)");

    begin(4, 3);

    for (i = 1; i <= 3; i++) {
        (void) publish(1, (uint16_t) i, 0);
    }

    ok(gw_mqtt_session_full(&s), "of 3.1.1 no more is read");
    (void) settle(serial, GW_DELIVERED, GW_R_NONE);
    ok(gw_mqtt_session_full(&s), "... while the oldest is open");
    (void) settle(serial - 2, GW_DELIVERED, GW_R_NONE);
    ok(!gw_mqtt_session_full(&s), "... and then it is");

    begin(4, 3);
    (void) gw_mqtt_session_return(&s);
    ok(publish(1, 1, 0) == GW_MQTT_DO_FLIGHTS, "memory is asked for");
    ok(publish(0, 0, 0) == GW_MQTT_DO_PUBLISH && serial == 0,
       "but not for QoS 0");

    begin(4, 10);
    (void) publish(1, 1, 0);
    out.size = 5;
    ok(settle(serial, GW_DELIVERED, GW_R_NONE) == GW_AGAIN,
       "an answer that does not fit waits");
    out.size = sizeof(buffer);
    ok(settle(0, GW_DELIVERED, GW_R_NONE) == GW_OK, "and goes out later");
    is_said("40020001", "... whole");

    begin(5, 10);
    (void) publish(1, 1, 0);
    out.size = out.len + 7;
    ok(settle(serial, GW_INVALID, GW_R_MALFORMED) == GW_AGAIN,
       "one with a reason waits for the room that it is written in");
    out.size = sizeof(buffer);
    ok(settle(0, GW_DELIVERED, GW_R_NONE) == GW_OK, "... and is not lost");
    is_said("4003000199", "... nor changed");
}


static void
others(void)
{
    unsigned          i;
    gw_str_t          none = gw_str_null, where = gw_str("b:1");
    gw_mqtt_packet_t  packet;

    for (i = GW_MQTT_CONNECT; i <= GW_MQTT_AUTH; i++) {

        if (i == GW_MQTT_CONNECT || i == GW_MQTT_PUBACK
            || i == GW_MQTT_PUBREC || i == GW_MQTT_PUBCOMP
            || i == GW_MQTT_AUTH)
        {
            begin(5, 10);
            ok(simple((gw_mqtt_type_e) i, 1, GW_MQTT_SUCCESS)
               == GW_MQTT_DO_CLOSE && end == GW_END_PROTOCOL,
               "4.13.1: %s has no place here",
               gw_mqtt_type_name((gw_mqtt_type_e) i));
            is_said("e00182", "... as it is told");
        }
    }

    begin(4, 10);
    (void) simple(GW_MQTT_PINGREQ, 0, GW_MQTT_SUCCESS);
    is_said("d000", "MQTT-3.12.4-1: PINGRESP");

    (void) simple(GW_MQTT_DISCONNECT, 0, GW_MQTT_SUCCESS);
    ok(end == GW_END_CLIENT && !gw_mqtt_session_will(&s, end),
       "MQTT-3.14.4-3: DISCONNECT drops the will");
    ok(simple(GW_MQTT_PINGREQ, 0, GW_MQTT_SUCCESS) == GW_MQTT_DO_CLOSE,
       "and nothing comes after it");
    is_said("", "... nor is it answered");

    begin(5, 10);
    (void) simple(GW_MQTT_DISCONNECT, 0, GW_MQTT_DISCONNECT_WITH_WILL);
    ok(gw_mqtt_session_will(&s, end), "3.14.2.1: but not with reason 0x04");

    begin(5, 10);
    ok(s.keep_alive == 60, "MQTT-3.1.2-21: the server's keep alive");
    gw_mqtt_session_end(&s, GW_END_KEEP_ALIVE, &where, &out);
    is_said("e0018d", "3.14.2.1: keep alive");
    ok(gw_mqtt_session_will(&s, GW_END_KEEP_ALIVE),
       "MQTT-3.1.2-8: then the will is published");

    begin(5, 10);
    gw_mqtt_session_end(&s, GW_END_DRAINING, &where, &out);
    is_said("e0089c061c0003623a31", "4.11: another server");
    ok(!gw_mqtt_session_will(&s, GW_END_DRAINING), "which is no death");

    begin(5, 10);
    gw_mqtt_session_end(&s, GW_END_DRAINING, &none, &out);
    is_said("e0018b", "3.14.2.1: shutting down");

    begin(4, 10);
    ok(s.keep_alive == 600, "3.1.1 has the keep alive it asked for");
    gw_mqtt_session_end(&s, GW_END_DRAINING, &where, &out);
    is_said("", "and is told nothing");

    begin(5, 10);
    memset(&packet, 0, sizeof(packet));
    packet.type = GW_MQTT_PUBLISH;
    packet.u.publish.retain = 1;
    ok(gw_mqtt_session_packet(&s, &packet, &out, &serial, &end)
       == GW_MQTT_DO_CLOSE, "MQTT-3.2.2-14: retain");
    is_said("e0019a", "... is not there");

    begin(5, 10);
    packet.u.publish.retain = 0;
    packet.u.publish.props.there = 1u << GW_MQTT_P_TOPIC_ALIAS;
    packet.u.publish.props.topic_alias = 4;
    ok(gw_mqtt_session_packet(&s, &packet, &out, &serial, &end)
       == GW_MQTT_DO_PUBLISH, "3.3.2.3.4: the last alias");
    packet.u.publish.props.topic_alias = 5;
    ok(gw_mqtt_session_packet(&s, &packet, &out, &serial, &end)
       == GW_MQTT_DO_CLOSE, "MQTT-3.3.2-9: one above it");
    is_said("e00194", "... is told so");

    gw_mqtt_session_init(&s, &conf);
    gw_mqtt_session_fault(&s, GW_MQTT_MALFORMED, &out, &end);
    is_said("", "MQTT-4.13.1-1: who has not said CONNECT is told nothing");
}


/* a line for each outcome; 0x100: the connection ends */

static void
fates(void)
{
    int               rc;
    gw_end_e          why;
    unsigned          i, got;
    gw_mqtt_reason_e  code;

    static const struct {
        gw_reason_e  reason;
        unsigned     v5, durable, v4;
    } table[] = {
        { GW_R_MALFORMED, 0x99, 0x99, 0 },
        { GW_R_TOO_LARGE, 0x83, 0x83, 0 },
        { GW_R_UNSUPPORTED, 0x99, 0x99, 0 },
        { GW_R_SCHEMA, 0x99, 0x99, 0 },
        { GW_R_CONFLICT, 0x99, 0x99, 0 },
        { GW_R_STALE, 0x83, 0x83, 0 },
        { GW_R_UNAUTHENTICATED, 0x87, 0x87, 0x100 },
        { GW_R_FORBIDDEN, 0x87, 0x87, 0x100 },
        { GW_R_REVOKED, 0x87, 0x87, 0x100 },
        { GW_R_RATE_LIMITED, 0x97, 0x100, 0x100 },
        { GW_R_PRESSURE, 0x97, 0x100, 0x100 },
        { GW_R_FULL, 0x97, 0x100, 0x100 },
        { GW_R_EXPIRED, 0x97, 0x100, 0x100 },
        { GW_R_DRAINING, 0x97, 0x100, 0x100 },
        { GW_R_UPSTREAM, 0x100, 0x100, 0x100 },
        { GW_R_TIMEOUT, 0x100, 0x100, 0x100 },
        { GW_R_LOST, 0x100, 0x100, 0x100 },
        { GW_R_UPSTREAM_REJECTED, 0x83, 0x83, 0 },
        { GW_R_INTERNAL, 0x100, 0x100, 0x100 }
    };

#define told(version, durable)                                                \
    (rc = gw_mqtt_fate(version, gw_reason(table[i].reason)->outcome,          \
                       table[i].reason, durable, &code, &why),                \
     rc == GW_OK ? (unsigned) code : 0x100)

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        got = told(5, 0);
        is_u64(got, table[i].v5, "%s in 5.0", gw_reason(table[i].reason)->name);
        got = told(5, 1);
        is_u64(got, table[i].durable, "... of a class not to be lost");
        got = told(4, 0);
        is_u64(got, table[i].v4, "... in 3.1.1");
    }

    for (i = GW_DELIVERED; i <= GW_DUPLICATE; i++) {
        ok(gw_mqtt_fate(5, (gw_outcome_e) i, GW_R_NONE, 0, &code, &why)
           == GW_OK && code == GW_MQTT_SUCCESS,
           "%s is a success", gw_outcome_label((gw_outcome_e) i));
    }

    begin(4, 10);
    (void) publish(1, 1, 0);
    (void) publish(1, 2, 0);
    ok(settle(serial, GW_FAILED, GW_R_TIMEOUT) == GW_OK,
       "an end waits for its turn as well");
    ok(settle(serial - 1, GW_DELIVERED, GW_R_NONE) == GW_ERROR
       && end == GW_END_UNSETTLED, "and then it is one");
    is_said("40020001", "behind the answers before it");

    begin(5, 10);
    (void) publish(1, 1, 0);
    gw_mqtt_session_durable(&s);
    (void) publish(1, 2, 0);
    (void) settle(serial, GW_SHED, GW_R_FULL);
    ok(settle(serial - 1, GW_SHED, GW_R_FULL) == GW_ERROR
       && end == GW_END_OVERLOAD, "5.0 is not told to forget a command");
    is_said("e00197", "but that the connection ends, and why");
    ok(s.state == GW_MQTT_S_ENDED && settle(0, GW_DELIVERED, GW_R_NONE)
       == GW_OK, "which is said once");
    is_said("", "... alone");

    begin(5, 10);
    (void) publish(2, 1, 0);
    (void) publish(1, 2, 0);
    (void) settle(serial, GW_FAILED, GW_R_TIMEOUT);
    out.size = 0;
    ok(settle(serial - 1, GW_DELIVERED, GW_R_NONE) == GW_AGAIN,
       "where there is no room neither answer nor end is lost");
    out.size = sizeof(buffer);
    ok(settle(0, GW_DELIVERED, GW_R_NONE) == GW_ERROR
       && end == GW_END_UNSETTLED, "both come with the room");
    is_said("50020001e00180", "... in their order");
}


/* the model: lists, and no ring */

typedef struct {
    uint16_t  id;
    unsigned  qos;
    unsigned  settled;
    uint32_t  serial;
} model_t;


static uint64_t
rnd(void)
{
    static uint64_t  x = 0x9e3779b97f4a7c15ULL;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return x;
}


static unsigned
model_run(unsigned version)
{
    char         want[4096], *p;
    model_t      open[FLIGHTS], held[FLIGHTS];
    uint16_t     id;
    unsigned     n, h, i, j, step, room, taken;
    gw_mqtt_flight_t  *before;
    static gw_mqtt_flight_t  rings[2][FLIGHTS];
    unsigned     which;

    begin(version, 24);
    conf.flights_max = 24;

    (void) gw_mqtt_session_return(&s);

    n = h = 0;
    room = 0;
    which = 0;

    for (step = 0; step < MODEL_STEPS; step++) {
        p = want;
        *p = '\0';

        switch (rnd() % 4) {

        case 0:
            id = (uint16_t) (1 + rnd() % 100);

            for (i = 0, taken = 0; i < n; i++) {
                taken |= (open[i].id == id);
            }

            for (i = 0; i < h; i++) {
                taken |= (held[i].id == id);
            }

            if (taken || n + h >= 24) {
                break;
            }

            open[n].qos = 1 + rnd() % 2;
            open[n].id = id;
            open[n].settled = 0;

            while (publish(open[n].qos, id, 0) == GW_MQTT_DO_FLIGHTS) {

                room = room ? room + 1 + (unsigned) (rnd() % 5) : 1;
                room = room > FLIGHTS ? FLIGHTS : room;
                which = !which;

                before = gw_mqtt_session_lend(&s, rings[which],
                                              (uint16_t) room);

                if (before) {
                    memset(before, 0xff, sizeof(rings[0]));
                }
            }

            open[n++].serial = serial;
            break;

        case 1:
        case 2:
            if (n == 0) {
                break;
            }

            i = (unsigned) (rnd() % n);
            open[i].settled = 1;

            (void) settle(open[i].serial, GW_DELIVERED, GW_R_NONE);

            while (n && open[0].settled) {
                p += sprintf(p, "%s02%04x", open[0].qos == 1 ? "40" : "50",
                             open[0].id);

                if (open[0].qos == 2) {
                    held[h++] = open[0];
                }

                memmove(open, open + 1, --n * sizeof(model_t));
            }

            break;

        default:
            if (h == 0) {
                if (n == 0 && s.flights) {
                    (void) gw_mqtt_session_return(&s);
                    room = 0;
                }

                break;
            }

            j = (unsigned) (rnd() % h);
            p += sprintf(p, "7002%04x", held[j].id);
            (void) simple(GW_MQTT_PUBREL, held[j].id, GW_MQTT_SUCCESS);
            held[j] = held[--h];
            break;
        }

        if (strcmp(said(), want) != 0 || s.n != n || s.held != h) {
            printf("#   step %u: wanted %s\n", step, want);
            return 0;
        }
    }

    return 1;
}


int
main(void)
{
    order();
    in_use();
    bounds();
    others();
    fates();

    ok(model_run(4), "%u steps agree with the model, 3.1.1", MODEL_STEPS);
    ok(model_run(5), "%u steps agree with the model, 5.0", MODEL_STEPS);

    return done_testing();
}
