/*
 * gw_mqtt_topic.h - which class a topic is of: patterns as MQTT has filters,
 * with names of the sender inside.
 *
 * A pattern is made of levels parted by "/".  "+" is any one level, "#", last,
 * any number of them, none included (MQTT 5.0 section 4.7); "%u" within a level
 * is the authenticated device and "%c" the client id, byte by byte: what a
 * client calls itself is never read as a wildcard.  "%%" is a percent sign.  A
 * pattern that begins with a wildcard matches no topic that begins with "$"
 * (MQTT-4.7.2-1).
 *
 * Compiled when the configuration is read, in memory of the caller; matched on
 * the event loop without allocating.  Bounds: GW_MQTT_PATTERN_MAX bytes and
 * GW_MQTT_LEVELS_MAX levels of a pattern; a match looks at each byte of the
 * topic once.
 */

#ifndef _GW_MQTT_TOPIC_H_INCLUDED_
#define _GW_MQTT_TOPIC_H_INCLUDED_


#include "gw.h"


#define GW_MQTT_PATTERN_MAX  1024
#define GW_MQTT_LEVELS_MAX   64


typedef struct {
    gw_str_t  text;            /* of the caller, who keeps it */
    unsigned  levels;
    uint8_t   many;            /* it ends in "#" */
    uint8_t   user;            /* it has a "%u", as the next */
    uint8_t   client;
} gw_mqtt_pattern_t;


/* GW_ERROR: *detail is a constant sentence */
int gw_mqtt_pattern(gw_mqtt_pattern_t *p, const gw_str_t *text,
    const char **detail);

/* 1: it matches.  user, client: len 0 where there is none, which matches no
   level with its "%u" or "%c" */
int gw_mqtt_match(const gw_mqtt_pattern_t *p, const gw_str_t *topic,
    const gw_str_t *user, const gw_str_t *client);

/* a topic name of a PUBLISH: 1 to 65535 bytes, no wildcard (4.7.1); its UTF-8
   was seen to.  GW_OK or GW_ERROR */
int gw_mqtt_topic_valid(const gw_str_t *topic);

/* a filter of a SUBSCRIBE: wildcards where they may stand (4.7.1), a shared
   one well formed (4.8.2).  GW_OK or GW_ERROR */
int gw_mqtt_filter_valid(const gw_str_t *filter);


#endif /* _GW_MQTT_TOPIC_H_INCLUDED_ */
