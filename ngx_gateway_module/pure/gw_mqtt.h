/*
 * gw_mqtt.h - MQTT 3.1.1 and 5.0 on the wire, as a server reads and writes it.
 *
 * frame() finds where a packet ends and refuses, before a byte of its body is
 * waited for, what can never become one.  decode() reads a whole packet into
 * views of its bytes.  The encoders write what a server sends.  No state, no
 * allocation, no I/O: what a packet means for a session is gw_mqtt_session.h.
 *
 * Strict: reserved bits, UTF-8 by section 1.5.4 (no surrogates, no U+0000,
 * nothing overlong), lengths that must come out even, properties where they
 * are allowed and once only, packet identifier not 0, reason codes that the
 * packet may carry.  Clause numbers are those of 5.0 unless "3.1.1" is said.
 *
 * Bounds: everything by the length of the packet, which frame() holds to max.
 */

#ifndef _GW_MQTT_H_INCLUDED_
#define _GW_MQTT_H_INCLUDED_


#include "gw.h"


#define GW_MQTT_3_1_1  4       /* protocol level, 3.1.2.2 */
#define GW_MQTT_5      5

#define GW_MQTT_HEADER_MAX    5             /* bytes of a fixed header */
#define GW_MQTT_LENGTH_MAX    268435455U    /* remaining length, 1.5.5 */


typedef enum {
    GW_MQTT_CONNECT = 1,
    GW_MQTT_CONNACK,
    GW_MQTT_PUBLISH,
    GW_MQTT_PUBACK,
    GW_MQTT_PUBREC,
    GW_MQTT_PUBREL,
    GW_MQTT_PUBCOMP,
    GW_MQTT_SUBSCRIBE,
    GW_MQTT_SUBACK,
    GW_MQTT_UNSUBSCRIBE,
    GW_MQTT_UNSUBACK,
    GW_MQTT_PINGREQ,
    GW_MQTT_PINGRESP,
    GW_MQTT_DISCONNECT,
    GW_MQTT_AUTH
} gw_mqtt_type_e;


/* 2.4; names as the specification has them.  CONNACK of 3.1.1 has codes of
   its own (3.1.1 section 3.2.2.3), which connack() makes of these */

typedef enum {
    GW_MQTT_SUCCESS                   = 0x00,
    GW_MQTT_DISCONNECT_WITH_WILL      = 0x04,
    GW_MQTT_NO_MATCHING_SUBSCRIBERS   = 0x10,
    GW_MQTT_NO_SUBSCRIPTION_EXISTED   = 0x11,
    GW_MQTT_CONTINUE_AUTHENTICATION   = 0x18,
    GW_MQTT_REAUTHENTICATE            = 0x19,
    GW_MQTT_UNSPECIFIED               = 0x80,
    GW_MQTT_MALFORMED                 = 0x81,
    GW_MQTT_PROTOCOL_ERROR            = 0x82,
    GW_MQTT_IMPLEMENTATION            = 0x83,
    GW_MQTT_UNSUPPORTED_VERSION       = 0x84,
    GW_MQTT_CLIENT_ID_NOT_VALID       = 0x85,
    GW_MQTT_BAD_CREDENTIALS           = 0x86,
    GW_MQTT_NOT_AUTHORIZED            = 0x87,
    GW_MQTT_SERVER_UNAVAILABLE        = 0x88,
    GW_MQTT_SERVER_BUSY               = 0x89,
    GW_MQTT_SHUTTING_DOWN             = 0x8B,
    GW_MQTT_BAD_AUTH_METHOD           = 0x8C,
    GW_MQTT_KEEP_ALIVE_TIMEOUT        = 0x8D,
    GW_MQTT_TAKEN_OVER                = 0x8E,
    GW_MQTT_TOPIC_NAME_INVALID        = 0x90,
    GW_MQTT_PACKET_ID_IN_USE          = 0x91,
    GW_MQTT_PACKET_ID_NOT_FOUND       = 0x92,
    GW_MQTT_RECEIVE_MAXIMUM_EXCEEDED  = 0x93,
    GW_MQTT_TOPIC_ALIAS_INVALID       = 0x94,
    GW_MQTT_PACKET_TOO_LARGE          = 0x95,
    GW_MQTT_RATE_TOO_HIGH             = 0x96,
    GW_MQTT_QUOTA_EXCEEDED            = 0x97,
    GW_MQTT_ADMINISTRATIVE            = 0x98,
    GW_MQTT_PAYLOAD_FORMAT_INVALID    = 0x99,
    GW_MQTT_RETAIN_NOT_SUPPORTED      = 0x9A,
    GW_MQTT_QOS_NOT_SUPPORTED         = 0x9B,
    GW_MQTT_USE_ANOTHER_SERVER        = 0x9C,
    GW_MQTT_CONNECTION_RATE_EXCEEDED  = 0x9F
} gw_mqtt_reason_e;


typedef struct {
    gw_mqtt_type_e  type;
    uint8_t         flags;     /* low four bits of the first byte */
    uint8_t         header;    /* bytes of the fixed header */
    uint32_t        length;    /* of what follows it */
} gw_mqtt_frame_t;


/*
 * The fixed header at p.  GW_OK: f filled, its body may not be there yet;
 * GW_AGAIN: more bytes are needed to tell; GW_ERROR: *reason: a type that is
 * none or that no client sends, reserved flags (2.1.3), a length of more than
 * four bytes or not in its shortest form (1.5.5), a length of a fixed one
 * (PINGREQ, PUBACK and the like) that cannot be, header and body above max
 * bytes (GW_MQTT_PACKET_TOO_LARGE).  version 0: before CONNECT, which alone is
 * taken then (MQTT-3.1.0-1).
 */
int gw_mqtt_frame(const uint8_t *p, size_t len, unsigned version, uint32_t max,
    gw_mqtt_frame_t *f, gw_mqtt_reason_e *reason);


/*
 * Properties (2.2.2): those a client may send, as bits of `there` and values.
 * User properties stay where they are; next_user() walks them.
 */

typedef enum {
    GW_MQTT_P_PAYLOAD_FORMAT = 0,
    GW_MQTT_P_MESSAGE_EXPIRY,
    GW_MQTT_P_CONTENT_TYPE,
    GW_MQTT_P_RESPONSE_TOPIC,
    GW_MQTT_P_CORRELATION_DATA,
    GW_MQTT_P_SUBSCRIPTION_ID,
    GW_MQTT_P_SESSION_EXPIRY,
    GW_MQTT_P_AUTH_METHOD,
    GW_MQTT_P_AUTH_DATA,
    GW_MQTT_P_REQUEST_PROBLEM,
    GW_MQTT_P_WILL_DELAY,
    GW_MQTT_P_REQUEST_RESPONSE,
    GW_MQTT_P_REASON_STRING,
    GW_MQTT_P_RECEIVE_MAXIMUM,
    GW_MQTT_P_TOPIC_ALIAS_MAXIMUM,
    GW_MQTT_P_TOPIC_ALIAS,
    GW_MQTT_P_MAXIMUM_PACKET_SIZE,
    GW_MQTT_P_N
} gw_mqtt_property_e;


typedef struct {
    uint32_t  there;           /* bit of each gw_mqtt_property_e */
    uint32_t  message_expiry;  /* seconds */
    uint32_t  session_expiry;  /* seconds */
    uint32_t  will_delay;      /* seconds */
    uint32_t  maximum_packet;  /* never 0 */
    uint16_t  receive_maximum; /* never 0 */
    uint16_t  alias_maximum;   /* of what is sent to the client */
    uint16_t  topic_alias;     /* as it came: 0 is the session's to refuse */
    uint8_t   payload_format;  /* 0 or 1, as the next two */
    uint8_t   request_problem;
    uint8_t   request_response;
    gw_str_t  content_type;
    gw_str_t  response_topic;
    gw_str_t  correlation;
    gw_str_t  auth_method;
    gw_str_t  auth_data;
    gw_str_t  reason_string;
    gw_str_t  all;             /* what next_user() walks; len 0: none there */
    unsigned  users;           /* user properties */
} gw_mqtt_properties_t;


/* *at: 0 to begin; GW_OK or GW_DONE */
int gw_mqtt_next_user(const gw_mqtt_properties_t *props, size_t *at,
    gw_str_t *name, gw_str_t *value);


typedef struct {
    uint8_t   version;         /* GW_MQTT_3_1_1 or GW_MQTT_5 */
    uint8_t   clean;           /* clean session, clean start */
    uint8_t   has_will;
    uint8_t   will_qos;
    uint8_t   will_retain;
    uint8_t   has_user;
    uint8_t   has_password;
    uint16_t  keep_alive;      /* seconds */
    gw_str_t  client_id;       /* len 0: none was named */
    gw_str_t  will_topic;
    gw_str_t  will_payload;
    gw_str_t  user;
    gw_str_t  password;
    gw_mqtt_properties_t  props;
    gw_mqtt_properties_t  will_props;
} gw_mqtt_connect_t;


typedef struct {
    uint8_t   qos;
    uint8_t   dup;
    uint8_t   retain;
    uint16_t  id;              /* 0: QoS 0 */
    gw_str_t  topic;           /* len 0: by topic alias, 5.0 alone */
    gw_str_t  payload;
    gw_mqtt_properties_t  props;
} gw_mqtt_publish_t;


/* PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT, AUTH */

typedef struct {
    uint16_t          id;      /* 0: of a packet that has none */
    gw_mqtt_reason_e  reason;
    gw_mqtt_properties_t  props;
} gw_mqtt_ack_t;


/* SUBSCRIBE, UNSUBSCRIBE: their filters are walked by next_filter() */

typedef struct {
    uint16_t  id;
    unsigned  n;               /* filters, at least one */
    gw_str_t  filters;
    uint8_t   options;         /* 1: each is followed by its options */
    gw_mqtt_properties_t  props;
} gw_mqtt_filters_t;


typedef struct {
    gw_mqtt_type_e         type;

    union {
        gw_mqtt_connect_t  connect;
        gw_mqtt_publish_t  publish;
        gw_mqtt_ack_t      ack;
        gw_mqtt_filters_t  filters;
    } u;
} gw_mqtt_packet_t;


/*
 * body: the frame's length bytes behind its header.  GW_OK; GW_ERROR: *reason
 * and *detail, a constant sentence that begins with the clause: "MQTT-3.1.2-3:
 * the reserved flag of CONNECT is set".  Of a CONNECT whose protocol level is
 * unknown the reason is GW_MQTT_UNSUPPORTED_VERSION and u.connect.version is
 * what it said.
 */
int gw_mqtt_decode(const gw_mqtt_frame_t *f, unsigned version,
    const uint8_t *body, gw_mqtt_packet_t *packet, gw_mqtt_reason_e *reason,
    const char **detail);

/* *at: 0 to begin; *options: 0 of an UNSUBSCRIBE; GW_OK or GW_DONE */
int gw_mqtt_next_filter(const gw_mqtt_filters_t *filters, size_t *at,
    gw_str_t *filter, uint8_t *options);

/* 1.5.4: GW_OK, or GW_ERROR; control characters are let through, as 3.1.1 and
   5.0 only say SHOULD NOT */
int gw_mqtt_utf8(const uint8_t *p, size_t len);


/*
 * The encoders: dst has room for `size` bytes; they return the bytes written,
 * 0 where there is too little room.  Nothing is written behind these.
 */

/* what 5.0 is told of this server; 3.1.1 has none of it */

typedef struct {
    uint8_t   session_present;
    uint16_t  receive_maximum; /* 0: not said, as the others */
    uint16_t  topic_alias_maximum;
    uint16_t  server_keep_alive;
    uint8_t   has_server_keep_alive;
    uint32_t  maximum_packet;
    uint8_t   no_retain;       /* 1: retain is not available */
    uint8_t   no_wildcards;    /* 1: nor are wildcard subscriptions */
    uint8_t   no_subscription_ids;
    uint8_t   no_shared;
    gw_str_t  assigned_id;
    gw_str_t  reason_string;   /* left out where size would not do */
    gw_str_t  server_reference;
} gw_mqtt_connack_t;

/* of 3.1.1: codes 1 to 5; what has none of these is 3, server unavailable */
size_t gw_mqtt_connack(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_reason_e reason, const gw_mqtt_connack_t *c);

/* PUBACK, PUBREC, PUBREL, PUBCOMP; in 3.1.1 the reason is not said.  With
   reason_string only where the client wants it (3.1.2.11.7) */
size_t gw_mqtt_ack(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_type_e type, uint16_t id, gw_mqtt_reason_e reason,
    const gw_str_t *reason_string);

/* SUBACK, UNSUBACK: a code for each of n filters; a 3.1.1 UNSUBACK has none */
size_t gw_mqtt_suback(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_type_e type, uint16_t id, const uint8_t *codes, unsigned n);

size_t gw_mqtt_pingresp(uint8_t *dst, size_t size);

/* 5.0 alone: 0 in 3.1.1, whose servers just close */
size_t gw_mqtt_disconnect(uint8_t *dst, size_t size, unsigned version,
    gw_mqtt_reason_e reason, const gw_str_t *reason_string,
    const gw_str_t *server_reference);

/* a PUBLISH of QoS 0: the error topic */
size_t gw_mqtt_publish(uint8_t *dst, size_t size, unsigned version,
    const gw_str_t *topic, const gw_str_t *payload);

/* "Malformed Packet"; never NULL */
const char *gw_mqtt_reason_name(gw_mqtt_reason_e reason);

/* "PUBLISH"; never NULL */
const char *gw_mqtt_type_name(gw_mqtt_type_e type);


#endif /* _GW_MQTT_H_INCLUDED_ */
