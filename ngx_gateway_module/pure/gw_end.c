/*
 * gw_end.c - see gw_end.h.
 */

#include "gw_end.h"


const char *
gw_end_name(gw_end_e end)
{
    static const char *const  names[GW_END_N] = {
        "client", "closed", "malformed", "protocol", "too_large",
        "unauthenticated", "forbidden", "revoked", "keep_alive",
        "connect_timeout", "packet_timeout", "send_timeout", "taken_over",
        "overload", "unsettled", "draining", "internal"
    };

    return (unsigned) end < GW_END_N ? names[end] : "internal";
}
