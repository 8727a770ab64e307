/*
 * store.h - the registry as a file that is written: made, opened, changed in
 * transactions, read row by row.
 *
 * Secrets go in and never come out: no statement here reads them.  Workers
 * read on while a transaction is open; another writer waits, 5 seconds at
 * most.  Whatever fails is said on stderr where it fails.
 */

#ifndef _STORE_H_INCLUDED_
#define _STORE_H_INCLUDED_


#include "device.h"
#include "tool.h"


typedef struct store_s  store_t;

typedef tool_status_e (*store_row_pt)(const device_t *d, void *data);


/* a new registry of mode 0600; refused where something has that name */
tool_status_e store_create(const char *path);

/* NULL: no such file, none of ours, or of another version; it has been said */
store_t *store_open(const char *path, int write);

/* without a commit what was done is undone */
void store_close(store_t *s);

/* bulk: much will be written, memory may be spent on it */
tool_status_e store_begin(store_t *s, int bulk);
tool_status_e store_commit(store_t *s);

/* TOOL_REFUSED, in silence: there is such a device */
tool_status_e store_insert(store_t *s, const device_t *d);

/* of the device d->text[DEVICE_ID] the columns given; TOOL_REFUSED, in
   silence: there is none */
tool_status_e store_update(store_t *s, const device_t *d);
tool_status_e store_remove(store_t *s, const gw_str_t *id);

/* 1: the row's times leave no moment in which it holds */
int store_bad_times(store_t *s, const gw_str_t *id);

/* 1: others than the owner and readers of its group may get at the file or one
   of the two beside it, so that no key may be kept in it */
int store_exposed(store_t *s);

/* devices whose id begins with prefix, by id; anything but TOOL_DONE from row
   ends it and is returned */
tool_status_e store_each(store_t *s, const gw_str_t *prefix, store_row_pt row,
    void *data);


#endif /* _STORE_H_INCLUDED_ */
