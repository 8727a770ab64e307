/*
 * gw_outcome.h - the error taxonomy: how a message can end, and why.
 *
 * One table (gw_outcome.c) holds for every reason its name (the metric label,
 * $gateway_reason and the last part of the problem type), its outcome (the
 * $gateway_status word), its HTTP status and whether a device may try again.
 * No other file knows an HTTP status of an outcome.  Both sets are closed.
 */

#ifndef _GW_OUTCOME_H_INCLUDED_
#define _GW_OUTCOME_H_INCLUDED_


#include "gw.h"


typedef enum {
    GW_DELIVERED = 0,
    GW_SPOOLED,
    GW_QUEUED,
    GW_DUPLICATE,
    GW_INVALID,
    GW_DENIED,
    GW_THROTTLED,
    GW_SHED,
    GW_FAILED,
    GW_OUTCOME_N
} gw_outcome_e;


typedef enum {
    GW_R_NONE = 0,             /* ended well */

    /* protocol: refuse, never retry */
    GW_R_MALFORMED,            /* 400 */
    GW_R_TOO_LARGE,            /* 413 */
    GW_R_UNSUPPORTED,          /* 415 */
    GW_R_SCHEMA,               /* 422 */
    GW_R_CONFLICT,             /* 422: same id, other payload */
    GW_R_STALE,                /* 409: below the window, and refused there */
    GW_R_BODY_TIMEOUT,         /* 408: the body took too long */

    /* auth */
    GW_R_UNAUTHENTICATED,      /* 401 */
    GW_R_FORBIDDEN,            /* 403 */
    GW_R_REVOKED,              /* 403 */

    /* overload: refuse with Retry-After */
    GW_R_RATE_LIMITED,         /* 429 */
    GW_R_PRESSURE,             /* 503: above the high mark, refused at entry */
    GW_R_FULL,                 /* 503: no room, or evicted to make room */
    GW_R_EXPIRED,              /* 503: waited longer than its class may */
    GW_R_DRAINING,             /* 503 */

    /* transient: retried inside; the device sees it only as a last resort */
    GW_R_UPSTREAM,             /* 503: no producer */
    GW_R_TIMEOUT,              /* 503: gateway_timeout, the outcome unknown */
    GW_R_LOST,                 /* 503: ended with the worker */

    /* permanent: counted, dead-lettered on request */
    GW_R_UPSTREAM_REJECTED,    /* 502 */

    /* our own fault */
    GW_R_INTERNAL,             /* 500: no memory */

    GW_REASON_N
} gw_reason_e;


typedef struct {
    const char    *name;       /* [a-z_]+ */
    const char    *title;      /* RFC 9457 "title", one sentence */
    gw_outcome_e   outcome;
    uint16_t       http_status;
    uint8_t        retryable;  /* 1: answer carries Retry-After */
} gw_reason_info_t;


/* never NULL; r outside the enum reads as GW_R_INTERNAL */
const gw_reason_info_t *gw_reason(gw_reason_e r);

/* "DELIVERED"; upper case, as $gateway_status says it */
const char *gw_outcome_name(gw_outcome_e o);

/* "delivered"; lower case, the metric label and Gateway-Result */
const char *gw_outcome_label(gw_outcome_e o);

/* HTTP status of an outcome that is not a refusal: 200, 202; else 0 */
unsigned gw_outcome_http_status(gw_outcome_e o);

/* "devices": the metric label and $gateway_auth; "none" for GW_AUTH_NONE and
   what lies outside the enum */
const char *gw_auth_method_name(gw_auth_method_e m);


#endif /* _GW_OUTCOME_H_INCLUDED_ */
