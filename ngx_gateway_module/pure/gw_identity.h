/*
 * gw_identity.h - who a sender is and what he may send, whatever the method
 * that found it out: registry, JWT, HMAC or certificate.
 *
 * Deny by default: an identity that names no class may send none, and it
 * speaks for nobody but itself.
 *
 * An identity is one block of memory that its maker fills and nobody changes
 * afterwards; all lengths are bounded here, so that a cache of identities is
 * bounded by their number.
 */

#ifndef _GW_IDENTITY_H_INCLUDED_
#define _GW_IDENTITY_H_INCLUDED_


#include "gw.h"


#define GW_TENANT_MAX      64
#define GW_SPEAKS_FOR_MAX  512     /* bytes of the list, commas included */
#define GW_TOPICS_MAX      256     /* the same of topics */
#define GW_TIME_ALWAYS     INT64_MAX


typedef struct {
    uint8_t    device[GW_DEVICE_MAX];
    uint8_t    tenant[GW_TENANT_MAX];
    uint8_t    topics[GW_TOPICS_MAX];
    uint8_t    speaks_for[GW_SPEAKS_FOR_MAX];
    uint8_t    device_len;
    uint8_t    tenant_len;     /* 0: none */
    uint16_t   topics_len;     /* 0: none but those of its classes */
    uint16_t   speaks_for_len; /* 0: itself only */
    uint32_t   classes;        /* bit i: class i of the gateway */
    int64_t    not_before;     /* seconds since 1970 */
    int64_t    not_after;      /* first second it no longer holds, or
                                  GW_TIME_ALWAYS */
} gw_identity_t;


/*
 * list: names parted by commas or spaces, as a registry column or an OAuth
 * scope has them; "*" alone means all n, among others it is a name like any.
 * names are the gateway's classes, in their order.  Names that are no class of
 * the gateway are passed over (one registry serves several gateways) and
 * counted in *unknown (may be NULL).
 * Returns the bits.
 */
uint32_t gw_identity_classes(const gw_str_t *names, unsigned n,
    const uint8_t *list, size_t len, unsigned *unknown);

/*
 * list: entries parted by commas, each either whole or ending in one "*",
 * which stands for any rest, also none; "*" alone for everything.  GW_OK: name
 * is listed; GW_DECLINED: it is not, or it is empty.
 */
int gw_identity_listed(const uint8_t *list, size_t list_len,
    const uint8_t *name, size_t len);

/* GW_OK: the identity may send as that device: it is its own id or listed in
   speaks_for; GW_DECLINED: it may not */
int gw_identity_speaks(const gw_identity_t *id, const uint8_t *device,
    size_t len);

/*
 * GW_ERROR: an entry is empty, longer than entry_max (its "*" not counted), or
 * has "*" elsewhere than at its end or a byte that is no printable ASCII, a
 * blank, quote or backslash, or the list is longer than list_max.  A blank
 * behind a comma would begin an entry that matches nothing, and look right.
 * An empty list is none and good.
 */
int gw_identity_list_valid(const uint8_t *list, size_t len, size_t list_max,
    size_t entry_max);

/* GW_OK: printable ASCII without quote and backslash, as an id or a tenant must
   be to stand in a key of Kafka and, unescaped, in JSON; GW_ERROR */
int gw_identity_text_valid(const uint8_t *p, size_t len);

/* GW_OK: not_before - leeway <= now < not_after + leeway, all in seconds;
   GW_DECLINED.  No date overflows */
int gw_identity_in_time(const gw_identity_t *id, int64_t now,
    unsigned leeway);


#endif /* _GW_IDENTITY_H_INCLUDED_ */
