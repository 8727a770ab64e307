/*
 * gw.h - what every part of pure/ shares: return codes and byte strings.
 *
 * pure/ is plain C and libc (jansson, zlib and xxHash where a file says so);
 * no name of nginx appears here.  Nothing in pure/ reads a clock, draws a
 * random number, logs, opens a file or starts a thread: time, randomness and
 * memory come in as arguments.  Everything runs on the thread that calls it.
 */

#ifndef _GW_H_INCLUDED_
#define _GW_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


/* return codes; the values are those of nginx, so glue can pass them on */

typedef enum {
    GW_OK       =  0,
    GW_ERROR    = -1,          /* bad input or no memory: see the function */
    GW_AGAIN    = -2,          /* more input or another call is needed */
    GW_BUSY     = -3,          /* a limit was met */
    GW_DONE     = -4,          /* nothing more to give */
    GW_DECLINED = -5           /* not ours */
} gw_rc_e;


/* a view into memory owned by somebody else; not terminated by NUL */

typedef struct {
    const uint8_t  *data;
    size_t          len;
} gw_str_t;

#define gw_str(s)    { (const uint8_t *) (s), sizeof(s) - 1 }
#define gw_str_null  { NULL, 0 }


/* fixed dimensions of counters: closed sets, so that labels stay bounded */

#define GW_CLASSES_MAX   8     /* message classes of one gateway */
#define GW_DEVICE_MAX    128   /* bytes of a device id */
#define GW_TOPIC_MAX     249   /* bytes of a Kafka topic */
#define GW_EPOCH_MAX     32    /* bytes of an epoch */
#define GW_CLASS_MAX     32    /* bytes of a class name */
#define GW_SEQ_MAX       9007199254740991ULL   /* 2^53 - 1 */


typedef enum {
    GW_PROTO_HTTP = 0,
    GW_PROTO_MQTT,
    GW_PROTO_LINES,
    GW_PROTO_WS,               /* MQTT over WebSocket */
    GW_PROTO_N
} gw_proto_e;


/* the methods of gateway_auth; NONE: a request without credentials */

typedef enum {
    GW_AUTH_NONE = 0,
    GW_AUTH_DEVICES,
    GW_AUTH_JWT,
    GW_AUTH_HMAC,
    GW_AUTH_TLS,
    GW_AUTH_N
} gw_auth_method_e;


#endif /* _GW_H_INCLUDED_ */
