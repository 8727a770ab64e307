/*
 * gw_registry_file.h - the registry as a file that others write and replace,
 * between gw_registry_file.c, which opens it, follows it and tells when what
 * was read no longer holds, and gw_registry.c, which reads its rows.  Nobody
 * else's.
 *
 * Without this line between them, a look-up would have to know what a link, a
 * log or a writer that is stopped half-way can do to the page it reads.
 */

#ifndef _GW_REGISTRY_FILE_H_INCLUDED_
#define _GW_REGISTRY_FILE_H_INCLUDED_


#include <sys/stat.h>

#include <sqlite3.h>

#include "gw.h"


/* the one look-up: a row by its key, ?1; made ready and judged with the file */

#define GW_REGISTRY_FIND                                                      \
    "SELECT salt, secret, hmac_key, tenant, classes, topics, speaks_for,"     \
    " enabled, not_before, not_after FROM device"                             \
    " WHERE device = ?1 COLLATE BINARY"

/* columns of GW_REGISTRY_FIND, in order */

enum {
    GW_COL_SALT = 0,
    GW_COL_SECRET,
    GW_COL_HMAC_KEY,
    GW_COL_TENANT,
    GW_COL_CLASSES,
    GW_COL_TOPICS,
    GW_COL_SPEAKS_FOR,
    GW_COL_ENABLED,
    GW_COL_NOT_BEFORE,
    GW_COL_NOT_AFTER
};


/* files of a registry, and what stat() says of each */

enum {
    GW_FILE_DB = 0,
    GW_FILE_WAL,
    GW_FILE_SHM,
    GW_FILES
};


/*
 * Owned and written by gw_registry_file.c.  find alone is used outside, between
 * gw_registry_file_ready() and gw_registry_file_settled(), and left reset.
 */

typedef struct {
    char          *path;       /* as it was given: what is looked at */
    char          *real;       /* where it led to when it was opened: what is
                                  read, beside which -wal and -shm lie */
    sqlite3       *db;         /* NULL: lost, and to be opened anew */
    sqlite3_stmt  *find;
    sqlite3_stmt  *version;
    int64_t        seen;       /* data_version as of the last look */

    /* as of the last change; all zero: there was none */

    struct stat    files[GW_FILES];

    unsigned       cache_kb;

    unsigned       frozen:1;   /* open as a file that nobody changes */
    unsigned       young:1;    /* files[] may change and look the same */
    unsigned       news:1;     /* found by a look-up, not yet told */
} gw_registry_file_t;


/* GW_ERROR: *error says why, and there is nothing to be closed */
int gw_registry_file_open(gw_registry_file_t *f, const char *path,
    unsigned cache_kb, char *error, size_t error_size);
void gw_registry_file_close(gw_registry_file_t *f);

/* gw_registry_changed() */
int gw_registry_file_changed(gw_registry_file_t *f, char *error,
    size_t error_size);

/* before each look-up.  GW_ERROR: find must not be used, *why is a constant */
int gw_registry_file_ready(gw_registry_file_t *f, const char **why);

/* after it: whether all pages that were read are of one moment */
int gw_registry_file_settled(gw_registry_file_t *f);


#endif /* _GW_REGISTRY_FILE_H_INCLUDED_ */
