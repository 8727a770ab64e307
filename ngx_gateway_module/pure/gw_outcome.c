/*
 * gw_outcome.c - the one table of the error taxonomy; see gw_outcome.h.
 */

#include "gw_outcome.h"


static const gw_reason_info_t  gw_reasons[GW_REASON_N] = {

    { "", "", GW_DELIVERED, 200, 0 },

    { "malformed", "The message is not a valid envelope",
      GW_INVALID, 400, 0 },

    { "too_large", "The message or batch is too large",
      GW_INVALID, 413, 0 },

    { "unsupported", "The method, media type or encoding is not supported",
      GW_INVALID, 415, 0 },

    { "schema", "The data does not match the schema",
      GW_INVALID, 422, 0 },

    { "conflict", "Another message has the same identity",
      GW_INVALID, 422, 0 },

    { "stale", "The sequence number is older than the gateway remembers",
      GW_INVALID, 409, 0 },

    { "body_timeout", "The body did not arrive in time",
      GW_INVALID, 408, 0 },

    { "unauthenticated", "The sender is not known",
      GW_DENIED, 401, 0 },

    { "forbidden", "The sender may not send this message",
      GW_DENIED, 403, 0 },

    { "revoked", "The sender was revoked",
      GW_DENIED, 403, 0 },

    { "rate_limited", "The sender is above its rate",
      GW_THROTTLED, 429, 1 },

    { "pressure", "The gateway is above its high mark and sheds this class",
      GW_SHED, 503, 1 },

    { "full", "There is no room for the message",
      GW_SHED, 503, 1 },

    { "expired", "The message waited longer than its class may",
      GW_SHED, 503, 1 },

    { "draining", "The gateway is shutting down",
      GW_SHED, 503, 1 },

    { "upstream", "Kafka is not available",
      GW_FAILED, 503, 1 },

    { "timeout", "The message was not delivered in time, its outcome is "
      "unknown",
      GW_FAILED, 503, 1 },

    { "lost", "The gateway ended before the message was delivered",
      GW_FAILED, 503, 1 },

    { "upstream_rejected", "Kafka refuses the message",
      GW_FAILED, 502, 0 },

    { "internal", "The gateway failed",
      GW_FAILED, 500, 0 }
};


static const char *const  gw_outcome_names[GW_OUTCOME_N][2] = {
    { "DELIVERED", "delivered" },
    { "SPOOLED", "spooled" },
    { "QUEUED", "queued" },
    { "DUPLICATE", "duplicate" },
    { "INVALID", "invalid" },
    { "DENIED", "denied" },
    { "THROTTLED", "throttled" },
    { "SHED", "shed" },
    { "FAILED", "failed" }
};


static const char *const  gw_auth_names[GW_AUTH_N] = {
    "none", "devices", "jwt", "hmac", "tls"
};


const gw_reason_info_t *
gw_reason(gw_reason_e r)
{
    return &gw_reasons[(unsigned) r < GW_REASON_N ? r : GW_R_INTERNAL];
}


const char *
gw_outcome_name(gw_outcome_e o)
{
    return gw_outcome_names[(unsigned) o < GW_OUTCOME_N ? o : GW_FAILED][0];
}


const char *
gw_outcome_label(gw_outcome_e o)
{
    return gw_outcome_names[(unsigned) o < GW_OUTCOME_N ? o : GW_FAILED][1];
}


unsigned
gw_outcome_http_status(gw_outcome_e o)
{
    switch (o) {

    case GW_DELIVERED:
    case GW_DUPLICATE:
        return 200;

    case GW_SPOOLED:
    case GW_QUEUED:
        return 202;

    default:
        return 0;
    }
}


const char *
gw_auth_method_name(gw_auth_method_e m)
{
    return gw_auth_names[(unsigned) m < GW_AUTH_N ? m : GW_AUTH_NONE];
}
