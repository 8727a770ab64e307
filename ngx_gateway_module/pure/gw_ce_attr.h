/*
 * gw_ce_attr.h - attributes of a CloudEvent, whatever they came in: what JSON
 * and HTTP have in common.  Two sets of rules would let through by one way
 * what the other refuses.
 */

#ifndef _GW_CE_ATTR_H_INCLUDED_
#define _GW_CE_ATTR_H_INCLUDED_


#include "gw_cloudevents.h"


#define GW_CE_E_NAME     "name of an attribute must be of 1 to 20 characters " \
                         "of [a-z0-9]"
#define GW_CE_E_LONG     "attribute has more than 2048 bytes"
#define GW_CE_E_ROOM     "attributes have too many bytes that need decoding"


/* lower-case letters and digits, not too many, and not the reserved "data" */
int gw_ce_name_valid(const gw_str_t *name);

/* 1: an attribute of the core specification, not an extension */
int gw_ce_is_core(const gw_str_t *name);

/* free bytes of text, and no more than a value may have */
size_t gw_ce_room(const gw_ce_t *ce);

/* why gw_ce_room() bytes were too few */
const char *gw_ce_no_room(const gw_ce_t *ce);

/* name is valid; both are views to be kept */
int gw_ce_set(gw_ce_t *ce, const gw_str_t *name, const gw_str_t *value,
    const char **detail);

/* RFC 7230, section 3.2.4: white space around a header's value is not of it */
gw_str_t gw_ce_trim(const gw_str_t *value);

/* after the last set(): what is required is there; the envelope is filled */
int gw_ce_complete(gw_ce_t *ce, const char **detail);


#endif /* _GW_CE_ATTR_H_INCLUDED_ */
