/*
 * gw_mqtt_fate.c - see gw_mqtt_fate.h.  A line that is wrong here is a message
 * that is lost with an acknowledgement, or one that is sent for ever.
 */

#include "gw_mqtt_fate.h"


int
gw_mqtt_fate(unsigned version, gw_outcome_e outcome, gw_reason_e why,
    unsigned durable, gw_mqtt_reason_e *reason, gw_end_e *end)
{
    *reason = GW_MQTT_SUCCESS;
    *end = GW_END_UNSETTLED;

    switch (outcome) {

    case GW_DELIVERED:
    case GW_SPOOLED:
    case GW_QUEUED:
    case GW_DUPLICATE:
        return GW_OK;

    case GW_INVALID:

        if (version == GW_MQTT_5) {
            *reason = (why == GW_R_TOO_LARGE || why == GW_R_STALE)
                      ? GW_MQTT_IMPLEMENTATION
                      : GW_MQTT_PAYLOAD_FORMAT_INVALID;
        }

        return GW_OK;

    case GW_DENIED:

        if (version == GW_MQTT_5) {
            *reason = GW_MQTT_NOT_AUTHORIZED;
            return GW_OK;
        }

        *end = GW_END_FORBIDDEN;
        return GW_ERROR;

    case GW_THROTTLED:
    case GW_SHED:

        if (version == GW_MQTT_5 && !durable) {
            *reason = GW_MQTT_QUOTA_EXCEEDED;
            return GW_OK;
        }

        *end = (why == GW_R_DRAINING) ? GW_END_DRAINING
                                      : GW_END_OVERLOAD;
        return GW_ERROR;

    default: /* GW_FAILED */

        if (why == GW_R_UPSTREAM_REJECTED) {

            if (version == GW_MQTT_5) {
                *reason = GW_MQTT_IMPLEMENTATION;
            }

            return GW_OK;
        }

        if (why == GW_R_LOST) {
            *end = GW_END_DRAINING;
        }

        return GW_ERROR;
    }
}
