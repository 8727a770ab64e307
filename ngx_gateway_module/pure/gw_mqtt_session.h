/*
 * gw_mqtt_session.h - what a client of MQTT may do when, and what it is
 * answered: one connection's state, without I/O, clock or allocation.
 *
 * The caller frames and decodes (gw_mqtt.h), hands in each packet, and does
 * what comes back: authenticate, publish, send, close.  What takes time comes
 * back later by accept(), refuse() and settled().  Bytes to send are written
 * to a buffer of the caller, so that all packets of one read are answered by
 * one write.
 *
 *     new ──CONNECT──▶ asking ──accept──▶ open ──DISCONNECT──▶ ended
 *      │                  └──refuse──▶ ended   └──fault, end()──▶ ended
 *
 * Order: PUBACK and PUBREC go out in the order in which the PUBLISHes came
 * (MQTT-4.6.0-2, -3 bind clients; many rely on it of servers), so the oldest
 * that has no fate holds back those behind it.  QoS 2: PUBREC takes ownership
 * (MQTT-4.3.3-8); its identifier is held until PUBREL, and what comes under it
 * meanwhile is answered and is no second message (MQTT-4.3.3-10); a PUBREC of
 * 0x80 and above frees it (MQTT-4.3.3-9).  No session outlives its connection:
 * session present is 0.
 *
 * Memory: gw_mqtt_session_t lives as long as the connection, so it is small;
 * flights are lent by the caller while there are any.  Topic aliases are the
 * caller's to keep; that they are within their maximum is seen to here.
 *
 * Bounds.  5.0: receive_maximum flights, those that wait for PUBREL included; a
 * client that sends more is cut with 0x93 (3.3.4).  3.1.1 knows no such word:
 * what waits for its fate is bounded by receive_maximum, above which the caller
 * reads no more (full()).  A client may have sent more QoS 2 messages than that
 * before its first PUBREL, which stands behind them in the stream: not reading
 * would be waiting for ever, so held ones have flights_max, and who exceeds it
 * is cut.
 *
 * An identifier that is in use.  Of QoS 2 and held: PUBREC once more.  While
 * its fate is open: in 3.1.1 with DUP it is a resend, which the one answer will
 * do for; else the connection ends as a protocol error (MQTT-2.2.1-3): an
 * answer of 0x91 would say "not stored" of an identifier of which the first
 * message is.
 */

#ifndef _GW_MQTT_SESSION_H_INCLUDED_
#define _GW_MQTT_SESSION_H_INCLUDED_


#include "gw.h"
#include "gw_end.h"
#include "gw_mqtt.h"
#include "gw_outcome.h"


#define GW_MQTT_RECEIVE_MAX  65535


/* of a listener; read-only */

typedef struct {
    uint16_t  receive_maximum; /* 1 .. 65535 */
    uint16_t  flights_max;     /* of 3.1.1, receive_maximum at least */
    uint16_t  topic_alias_maximum;
    uint16_t  keep_alive_max;  /* seconds; 0: as the client wants */
    uint32_t  packet_max;      /* bytes of a packet */
    gw_str_t  error_topic;     /* the one filter that is granted, at QoS 0;
                                  len 0: none is */
} gw_mqtt_conf_t;


typedef enum {
    GW_MQTT_S_NEW = 0,
    GW_MQTT_S_ASKING,          /* CONNECT is being judged: nothing else is
                                  handed in until then */
    GW_MQTT_S_OPEN,
    GW_MQTT_S_ENDED
} gw_mqtt_state_e;


typedef enum {
    GW_MQTT_WILL_NONE = 0,
    GW_MQTT_WILL_ASKED,        /* its CONNECT is being judged */
    GW_MQTT_WILL_KEPT
} gw_mqtt_will_e;


/* of one PUBLISH of QoS 1 or 2 */

typedef struct {
    uint16_t  id;
    uint8_t   qos;
    uint8_t   settled;         /* its fate is known */
    uint8_t   durable;         /* see durable() */
    uint8_t   reason;          /* gw_mqtt_reason_e of its answer */
    uint8_t   end;             /* 1 + gw_end_e: there is none, the
                                  connection ends in its place */
} gw_mqtt_flight_t;


typedef struct {
    const gw_mqtt_conf_t  *conf;
    gw_mqtt_flight_t      *flights;    /* NULL: none; a ring */
    uint16_t               room;       /* flights that were lent */
    uint32_t               serial;     /* of the next flight, 31 bits */
    uint16_t               first;      /* of the ring */
    uint16_t               n;          /* without a PUBACK or PUBREC yet */
    uint16_t               held;       /* behind them: awaiting PUBREL */
    uint16_t               keep_alive; /* seconds, 0: none */
    uint32_t               client_max; /* bytes of a packet to it, 0: any */
    uint8_t                state;      /* gw_mqtt_state_e */
    uint8_t                version;
    uint8_t                will;       /* gw_mqtt_will_e */
    unsigned               expiry:1;   /* CONNECT had a session expiry */
    unsigned               errors:1;   /* it subscribed to the error topic */
} gw_mqtt_session_t;


/* what the caller is to do with a packet */

typedef enum {
    GW_MQTT_DO_NOTHING = 0,    /* bytes may stand in out */
    GW_MQTT_DO_CONNECT,        /* judge it: accept() or refuse() */
    GW_MQTT_DO_PUBLISH,        /* submit it: settled() with *serial */
    GW_MQTT_DO_FLIGHTS,        /* lend() more, then hand it in again */
    GW_MQTT_DO_CLOSE           /* send out, then close; will() says whether */
} gw_mqtt_do_e;


/* what is to be sent */

typedef struct {
    uint8_t  *data;
    size_t    size;            /* GW_MQTT_OUT_MIN free at each call */
    size_t    len;
} gw_mqtt_out_t;

#define GW_MQTT_OUT_MIN  512


void gw_mqtt_session_init(gw_mqtt_session_t *s, const gw_mqtt_conf_t *conf);

/*
 * The next packet.  Of GW_MQTT_DO_PUBLISH *serial is the flight's, 0 of QoS 0;
 * of GW_MQTT_DO_CLOSE *end says why.
 */
gw_mqtt_do_e gw_mqtt_session_packet(gw_mqtt_session_t *s,
    const gw_mqtt_packet_t *packet, gw_mqtt_out_t *out, uint32_t *serial,
    gw_end_e *end);

/* a packet that frame() or decode() refused: what is said, then closed */
void gw_mqtt_session_fault(gw_mqtt_session_t *s, gw_mqtt_reason_e reason,
    gw_mqtt_out_t *out, gw_end_e *end);

/* CONNECT was judged.  assigned: the id that was made for a client that named
   none, or len 0 */
void gw_mqtt_session_accept(gw_mqtt_session_t *s, const gw_str_t *assigned,
    gw_mqtt_out_t *out);
void gw_mqtt_session_refuse(gw_mqtt_session_t *s, gw_mqtt_reason_e reason,
    gw_mqtt_out_t *out);

/*
 * The fate of a PUBLISH.  Acknowledgements that this sets free are written;
 * GW_AGAIN: some did not fit into out (which may have no room at all), to be
 * called again with serial 0.
 * GW_ERROR: the connection is to be closed, as there is no word for this fate:
 * *end; 5.0 is told so by a DISCONNECT.  What is told of which fate is one
 * table in gw_mqtt_fate.c.
 */
int gw_mqtt_session_settled(gw_mqtt_session_t *s, uint32_t serial,
    gw_outcome_e outcome, gw_reason_e reason, gw_mqtt_out_t *out,
    gw_end_e *end);

/* the PUBLISH just handed out is of a class that is not to be lost: 5.0 is not
   told of overload in a word that would end it (MQTT-4.4.0-2), the connection
   ends in its place, and the client sends it again */
void gw_mqtt_session_durable(gw_mqtt_session_t *s);

/* room: more than before; returns the memory of before, the caller's again */
gw_mqtt_flight_t *gw_mqtt_session_lend(gw_mqtt_session_t *s,
    gw_mqtt_flight_t *flights, uint16_t room);

/* NULL: they are in use, or there are none; else the flights, the caller's
   again */
gw_mqtt_flight_t *gw_mqtt_session_return(gw_mqtt_session_t *s);

/* 1: read no more until something is settled */
unsigned gw_mqtt_session_full(const gw_mqtt_session_t *s);

/* the server ends it: DISCONNECT where the version has one.  will: 0 where
   none is to be published (a worker that drains) */
void gw_mqtt_session_end(gw_mqtt_session_t *s, gw_end_e end,
    const gw_str_t *server_reference, gw_mqtt_out_t *out);

/* 1: it ended, and its will is to be published (3.1.2.5) */
unsigned gw_mqtt_session_will(const gw_mqtt_session_t *s, gw_end_e end);


#endif /* _GW_MQTT_SESSION_H_INCLUDED_ */
