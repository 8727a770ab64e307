/*
 * gw_end.h - why the connection of a device ended: a closed set, the label of
 * disconnects_total.
 */

#ifndef _GW_END_H_INCLUDED_
#define _GW_END_H_INCLUDED_


#include "gw.h"


typedef enum {
    GW_END_CLIENT = 0,         /* it said so: DISCONNECT */
    GW_END_CLOSED,             /* the client closed without a word */
    GW_END_MALFORMED,
    GW_END_PROTOCOL,
    GW_END_TOO_LARGE,
    GW_END_UNAUTHENTICATED,
    GW_END_FORBIDDEN,
    GW_END_REVOKED,
    GW_END_KEEP_ALIVE,
    GW_END_CONNECT_TIMEOUT,
    GW_END_PACKET_TIMEOUT,     /* a packet, or line, that did not come whole */
    GW_END_SEND_TIMEOUT,
    GW_END_TAKEN_OVER,
    GW_END_OVERLOAD,
    GW_END_UNSETTLED,          /* a message whose fate came too late, or that
                                  the protocol has no word for */
    GW_END_DRAINING,
    GW_END_INTERNAL,
    GW_END_N
} gw_end_e;


/* "keep_alive"; never NULL */
const char *gw_end_name(gw_end_e end);


#endif /* _GW_END_H_INCLUDED_ */
