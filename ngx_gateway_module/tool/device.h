/*
 * device.h - a row of the registry on its way in or out: the columns by name,
 * and which values they take.
 *
 * What is let in here, the workers can use: ids, lists and tenants are judged
 * by the functions that judge them there.  A row that only the schema had seen
 * would be an error 500 to its device, or a name that never matches.
 */

#ifndef _DEVICE_H_INCLUDED_
#define _DEVICE_H_INCLUDED_


#include "gw.h"
#include "gw_identity.h"


#define DEVICE_SALT_LEN      16
#define DEVICE_HASH_LEN      32
#define DEVICE_SECRET_LEN    32
#define DEVICE_SECRET_TEXT   43      /* the same in base64url */
#define DEVICE_KEY_MIN       32
#define DEVICE_KEY_MAX       64
#define DEVICE_CLASSES_MAX   1024    /* bytes of the list */
#define DEVICE_NO_TIME       INT64_MIN


typedef enum {
    DEVICE_ID = 0,
    DEVICE_CLASSES,
    DEVICE_TENANT,
    DEVICE_TOPICS,
    DEVICE_SPEAKS_FOR,
    DEVICE_ENABLED,
    DEVICE_NOT_BEFORE,
    DEVICE_NOT_AFTER,
    DEVICE_SECRET,
    DEVICE_HMAC_KEY,
    DEVICE_N
} device_column_e;

#define DEVICE_TEXT_N  DEVICE_ENABLED


typedef struct {
    unsigned  given;                 /* bit of each column with a value; of a
                                        row read: has a token, has a key */
    gw_str_t  text[DEVICE_TEXT_N];   /* views into what was read */
    int       enabled;
    int64_t   not_before;            /* seconds, or DEVICE_NO_TIME */
    int64_t   not_after;

    uint8_t   secret[DEVICE_SECRET_LEN];
    uint8_t   salt[DEVICE_SALT_LEN];
    uint8_t   hash[DEVICE_HASH_LEN];
    uint8_t   key[DEVICE_KEY_MAX];
    size_t    key_len;
} device_t;


#define device_given(d, column)  ((d)->given >> (column) & 1)


/* as registry.sql and the header of a CSV file have it */
const char *device_column_name(device_column_e column);

/* DEVICE_N: no such column */
device_column_e device_column(const uint8_t *p, size_t len);

/* the row of a device of which nothing is said */
void device_init(device_t *d);

/*
 * NULL, or what the value must be: a constant sentence without a byte of it.
 * An empty value is the column's default.  Views are kept: p must live as long
 * as d.  Of a secret the hash is not made yet.
 */
const char *device_read(device_t *d, device_column_e column, const uint8_t *p,
    size_t len);

/* NULL, or why the columns do not go together */
const char *device_check(const device_t *d);

extern const char  device_bad_times[];


#endif /* _DEVICE_H_INCLUDED_ */
