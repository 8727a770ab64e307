/*
 * gw_ws.h - WebSocket (RFC 6455) below MQTT: frames to a stream of bytes and
 * back, the server's side.
 *
 * The reader takes what came from the client in pieces of any size and gives
 * out the payload of binary messages in place, unmasked, in pieces; MQTT does
 * not care where a message ends (MQTT 5.0 section 6).  Control frames may stand
 * between the fragments of a message; what is to be answered comes back as an
 * event.
 *
 * State: one gw_ws_t a connection, 168 bytes; no allocation.  Bounds: a frame
 * by max, a control frame by its 125 bytes.
 */

#ifndef _GW_WS_H_INCLUDED_
#define _GW_WS_H_INCLUDED_


#include "gw.h"


#define GW_WS_HEADER_MAX   14  /* of a client: with its mask */
#define GW_WS_CONTROL_MAX  125
#define GW_WS_KEY_LEN      24  /* Sec-WebSocket-Key, base64 of 16 bytes */
#define GW_WS_ACCEPT_LEN   28


/* 7.4.1 */

typedef enum {
    GW_WS_NORMAL        = 1000,
    GW_WS_GOING_AWAY    = 1001,
    GW_WS_PROTOCOL      = 1002,
    GW_WS_UNACCEPTABLE  = 1003,
    GW_WS_NONE          = 1005,    /* said by nobody: a close without code */
    GW_WS_INVALID       = 1007,
    GW_WS_POLICY        = 1008,
    GW_WS_TOO_LARGE     = 1009,
    GW_WS_INTERNAL      = 1011
} gw_ws_close_e;


typedef enum {
    GW_WS_MORE = 0,            /* all that was given is used up */
    GW_WS_DATA,                /* *out: payload, unmasked */
    GW_WS_PING,                /* *out: to be sent back by gw_ws_pong();
                                  as below valid until the next call */
    GW_WS_PONG,
    GW_WS_CLOSE,               /* *out: code and reason; to be answered */
    GW_WS_ERROR                /* close with ws->error */
} gw_ws_event_e;


typedef struct {
    uint64_t       left;       /* payload bytes of this frame */
    uint32_t       max;        /* payload bytes of a frame */
    uint8_t        mask[4];
    uint8_t        at;         /* payload byte & 3: place in the mask */
    uint8_t        have;       /* bytes of head */
    uint8_t        opcode;     /* of this frame, 0xff: none begun */
    uint8_t        within;     /* a message has begun that is not final */
    uint8_t        final;
    uint8_t        closed;     /* a close frame came: the rest is ignored */
    uint8_t        control;    /* bytes of text */
    uint8_t        head[GW_WS_HEADER_MAX];
    uint8_t        text[GW_WS_CONTROL_MAX];
    gw_ws_close_e  error;      /* 0: none */
} gw_ws_t;


void gw_ws_init(gw_ws_t *ws, uint32_t max);

/*
 * p: *len bytes that came, which are unmasked where they are; *len becomes the
 * bytes used up.  To be called until GW_WS_MORE.  Refused (GW_WS_ERROR): a
 * frame that is not masked (5.1), reserved bits (no extension was agreed to),
 * unknown opcodes, a text message (MQTT-6.0.0-1), a length not in its shortest
 * form or with its highest bit (5.2), a control frame that is long or in parts
 * (5.5), a continuation of nothing or a message within one (5.4), a close code
 * that may not be sent or a reason that is not UTF-8 (7.4, 8.1), payload above
 * max (GW_WS_TOO_LARGE).  A refusal comes with the byte that decides, is final,
 * and does not depend on where the stream was cut.
 */
gw_ws_event_e gw_ws_read(gw_ws_t *ws, uint8_t *p, size_t *len, gw_str_t *out);

/* 1: no frame has begun that is not whole */
int gw_ws_between(const gw_ws_t *ws);

/* the header of one final binary frame around len bytes; returns 2, 4 or 10 */
size_t gw_ws_header(uint8_t *dst, uint64_t len);

/* whole frames; dst: 2 + GW_WS_CONTROL_MAX bytes.  Returns the bytes written */
size_t gw_ws_pong(uint8_t *dst, const gw_str_t *payload);
size_t gw_ws_close(uint8_t *dst, gw_ws_close_e code);

/* 4.2.2: Sec-WebSocket-Accept of a key.  sha1: 20 bytes of the digest of key
   and GW_WS_GUID, which the caller made.  dst: GW_WS_ACCEPT_LEN bytes */
#define GW_WS_GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

void gw_ws_accept(const uint8_t *sha1, uint8_t *dst);

/* a key: GW_WS_KEY_LEN characters that are base64 of 16 bytes.  GW_OK or
   GW_ERROR */
int gw_ws_key_valid(const gw_str_t *key);


#endif /* _GW_WS_H_INCLUDED_ */
