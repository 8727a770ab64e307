/*
 * gw_view.h - what a status page shows: snapshots, rendered as Prometheus
 * text (gw_prometheus.c, by hand) or as JSON (gw_status_json.c, jansson).
 * The same figures in both; names and units are those of the README.
 */

#ifndef _GW_VIEW_H_INCLUDED_
#define _GW_VIEW_H_INCLUDED_


#include "gw_stats.h"


typedef struct {
    gw_str_t          name;                   /* of the gateway */
    unsigned          nclasses;
    gw_str_t          class_name[GW_CLASSES_MAX];
    gw_stats_slot_t   sum;                    /* all slots merged */
    gw_stats_slot_t  *slots;                  /* copies, live and former */
    unsigned          nslots;
    unsigned          has_brokers;            /* 0: no Kafka configured */
    unsigned          auth_methods;           /* bit of each gw_auth_method_e
                                                 that some chain has */
    uint64_t          dedup_capacity;         /* windows; 0: no dedup */
    uint64_t          dedup_entries;          /* windows in use */
    uint64_t          dedup_inflight;
    uint64_t          dedup_evictions;
} gw_view_gateway_t;


typedef struct {
    const char         *version;              /* of the module */
    const char         *nginx;
    const char         *librdkafka;
    const char         *jansson;
    uint64_t            now;                  /* s since 1970 */
    uint64_t            start_time;           /* s since 1970, master */
    uint64_t            generation;           /* of the configuration */
    unsigned            workers;              /* configured */
    gw_view_gateway_t  *gateways;
    unsigned            ngateways;
} gw_view_t;


/*
 * Both: *len bytes in memory from malloc, freed by the caller; NULL: no
 * memory.
 */
char *gw_prometheus(const gw_view_t *v, size_t *len);
char *gw_status_json(const gw_view_t *v, size_t *len);


#endif /* _GW_VIEW_H_INCLUDED_ */
