/*
 * list.h - the devices of a registry as text.
 */

#ifndef _LIST_H_INCLUDED_
#define _LIST_H_INCLUDED_


#include "store.h"


typedef enum {
    LIST_TABLE = 0,            /* for eyes, no form to rely on */
    LIST_JSON,                 /* an array, one device a line */
    LIST_CSV                   /* what "import" takes, but for secrets */
} list_form_e;


tool_status_e list_devices(store_t *s, list_form_e form,
    const gw_str_t *prefix);


#endif /* _LIST_H_INCLUDED_ */
