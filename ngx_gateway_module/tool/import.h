/*
 * import.h - devices from a CSV file, all of them or none.
 */

#ifndef _IMPORT_H_INCLUDED_
#define _IMPORT_H_INCLUDED_


#include "store.h"


/*
 * The open transaction of s takes every record of the file ("-": stdin); the
 * tokens made go to stdout.  Anything but TOOL_DONE: it has been said, and
 * nothing may be committed.
 */
tool_status_e import_devices(store_t *s, const char *path);


#endif /* _IMPORT_H_INCLUDED_ */
