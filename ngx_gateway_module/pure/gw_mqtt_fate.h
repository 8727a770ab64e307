/*
 * gw_mqtt_fate.h - what a client of MQTT is told of which fate: one table.
 *
 * 5.0 has a code for most; one of 0x80 and above ends the exchange and nobody
 * sends that message again (MQTT-4.4.0-2), so what a resend would heal has none
 * but where the message may be lost.  3.1.1 has no code at all: what no resend
 * would heal is acknowledged, as the device would send it for ever; of all
 * else the connection ends, and the client sends it again over the next.
 */

#ifndef _GW_MQTT_FATE_H_INCLUDED_
#define _GW_MQTT_FATE_H_INCLUDED_


#include "gw_mqtt_session.h"


/* GW_OK: *reason is the answer's; GW_ERROR: there is none, *end.  durable: see
   gw_mqtt_session_durable() */
int gw_mqtt_fate(unsigned version, gw_outcome_e outcome, gw_reason_e why,
    unsigned durable, gw_mqtt_reason_e *reason, gw_end_e *end);


#endif /* _GW_MQTT_FATE_H_INCLUDED_ */
