/*
 * device.c - see device.h.
 */

#include "device.h"
#include "gw_base64.h"
#include "gw_envelope.h"
#include "gw_time.h"


static const char *device_read_list(const uint8_t *p, size_t len,
    size_t list_max, size_t entry_max, const char *not_of, const char *error);
static const char *device_read_classes(const uint8_t *p, size_t len);
static const char *device_read_tenant(const uint8_t *p, size_t len);
static const char *device_read_enabled(int *enabled, const uint8_t *p,
    size_t len);
static const char *device_read_time(int64_t *time, const uint8_t *p,
    size_t len);
static const char *device_read_secret(device_t *d, const uint8_t *p,
    size_t len);
static const char *device_read_key(device_t *d, const uint8_t *p, size_t len);
static int device_is(const uint8_t *p, size_t len, const char *word);


static const char *const  device_names[DEVICE_N] = {
    "device", "classes", "tenant", "topics", "speaks_for", "enabled",
    "not_before", "not_after", "secret", "hmac_key"
};

const char  device_bad_times[] = "not_before must be before not_after";


const char *
device_column_name(device_column_e column)
{
    return device_names[column];
}


device_column_e
device_column(const uint8_t *p, size_t len)
{
    unsigned  i;

    for (i = 0; i < DEVICE_N; i++) {
        if (device_is(p, len, device_names[i])) {
            break;
        }
    }

    return i;
}


void
device_init(device_t *d)
{
    unsigned  i;

    d->given = 0;
    d->enabled = 1;
    d->not_before = DEVICE_NO_TIME;
    d->not_after = DEVICE_NO_TIME;
    d->key_len = 0;

    for (i = 0; i < DEVICE_TEXT_N; i++) {
        d->text[i].data = (const uint8_t *) "";
        d->text[i].len = 0;
    }
}


const char *
device_read(device_t *d, device_column_e column, const uint8_t *p, size_t len)
{
    const char  *error;

    error = NULL;

    switch (column) {

    case DEVICE_ID:

        if (gw_envelope_name_valid(p, len, GW_DEVICE_MAX) != GW_OK) {
            error = "must be 1 to 128 characters of [A-Za-z0-9._:@-]";
        }

        break;

    case DEVICE_CLASSES:
        error = device_read_classes(p, len);
        break;

    case DEVICE_TENANT:
        error = device_read_tenant(p, len);
        break;

    case DEVICE_TOPICS:
        error = device_read_list(p, len, GW_TOPICS_MAX, GW_TOPIC_MAX, ":@",
                                 "must be topics of [A-Za-z0-9._-] parted by"
                                 " commas, \"*\" only at the end of one, 256"
                                 " bytes in all");
        break;

    case DEVICE_SPEAKS_FOR:
        error = device_read_list(p, len, GW_SPEAKS_FOR_MAX, GW_DEVICE_MAX, "",
                                 "must be ids of [A-Za-z0-9._:@-] parted by"
                                 " commas, \"*\" only at the end of one, 512"
                                 " bytes in all");
        break;

    case DEVICE_ENABLED:
        error = device_read_enabled(&d->enabled, p, len);
        break;

    case DEVICE_NOT_BEFORE:
        error = device_read_time(&d->not_before, p, len);
        break;

    case DEVICE_NOT_AFTER:
        error = device_read_time(&d->not_after, p, len);
        break;

    case DEVICE_SECRET:
        return device_read_secret(d, p, len);

    case DEVICE_HMAC_KEY:
        return device_read_key(d, p, len);

    case DEVICE_N:
        break;
    }

    if (error == NULL) {
        d->given |= 1u << column;

        if (column < DEVICE_TEXT_N) {
            d->text[column].data = p;
            d->text[column].len = len;
        }
    }

    return error;
}


const char *
device_check(const device_t *d)
{
    if (d->not_before != DEVICE_NO_TIME && d->not_after != DEVICE_NO_TIME
        && d->not_before >= d->not_after)
    {
        return device_bad_times;
    }

    return NULL;
}


/* not_of: characters of a name that an entry may not have */

static const char *
device_read_list(const uint8_t *p, size_t len, size_t list_max,
    size_t entry_max, const char *not_of, const char *error)
{
    size_t          n, i;
    const uint8_t  *end, *comma;

    if (gw_identity_list_valid(p, len, list_max, entry_max) != GW_OK) {
        return error;
    }

    for (end = p + len; p < end; p = comma + 1) {
        comma = memchr(p, ',', (size_t) (end - p));

        if (comma == NULL) {
            comma = end;
        }

        n = (size_t) (comma - p);
        n -= (p[n - 1] == '*');

        if (n && gw_envelope_name_valid(p, n, entry_max) != GW_OK) {
            return error;
        }

        for (i = 0; not_of[i]; i++) {
            if (memchr(p, not_of[i], n)) {
                return error;
            }
        }
    }

    return NULL;
}


/* here "*" is a list of its own and no end of a name, see gw_identity.h */

static const char *
device_read_classes(const uint8_t *p, size_t len)
{
    static const char  error[] =
        "must be class names of [A-Za-z0-9._-] of up to 32 characters parted"
        " by commas, or \"*\" alone";

    if (device_is(p, len, "*")) {
        return NULL;
    }

    if (len && memchr(p, '*', len)) {
        return error;
    }

    return device_read_list(p, len, DEVICE_CLASSES_MAX, GW_CLASS_MAX, ":@",
                            error);
}


/* what a token may claim as its tenant, so that both can be logged alike */

static const char *
device_read_tenant(const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\') {
            break;
        }
    }

    return i == len && len <= GW_TENANT_MAX
           ? NULL : "must be up to 64 printable ASCII characters without"
                    " quote and backslash";
}


static const char *
device_read_enabled(int *enabled, const uint8_t *p, size_t len)
{
    if (len == 0 || device_is(p, len, "1") || device_is(p, len, "true")) {
        *enabled = 1;

    } else if (device_is(p, len, "0") || device_is(p, len, "false")) {
        *enabled = 0;

    } else {
        return "must be 1, 0, true or false";
    }

    return NULL;
}


/* whole seconds: what is cut off would let a device in too long or too short */

static const char *
device_read_time(int64_t *time, const uint8_t *p, size_t len)
{
    int64_t             ms;
    static const char   error[] =
        "must be an RFC 3339 date and time or seconds since 1970, without a"
        " fraction";

    if (len == 0) {
        *time = DEVICE_NO_TIME;
        return NULL;
    }

    if (len > 4 && p[4] == '-') {

        if (gw_time_rfc3339(p, len, &ms) != GW_OK) {
            return error;
        }

    } else {

        if (gw_time_epoch(p, len, &ms) != GW_OK) {
            return error;
        }

        /* from twelve digits on gw_time_epoch() reads milliseconds */

        if (len > 11) {
            return "must be in seconds, not in milliseconds";
        }
    }

    if (ms % 1000) {
        return error;
    }

    *time = ms / 1000;

    return NULL;
}


static const char *
device_read_secret(device_t *d, const uint8_t *p, size_t len)
{
    size_t   n;
    uint8_t  raw[gw_base64_decoded(DEVICE_SECRET_TEXT)];

    if (len == 0) {
        return NULL;
    }

    if (len != DEVICE_SECRET_TEXT
        || gw_base64url_decode(p, len, raw, &n) != GW_OK)
    {
        return "must be 32 bytes in base64url: 43 characters";
    }

    memcpy(d->secret, raw, DEVICE_SECRET_LEN);
    d->given |= 1u << DEVICE_SECRET;

    return NULL;
}


static const char *
device_read_key(device_t *d, const uint8_t *p, size_t len)
{
    size_t   n;
    uint8_t  raw[gw_base64_decoded(gw_base64url_encoded(DEVICE_KEY_MAX))];

    if (len == 0) {
        return NULL;
    }

    if (len > gw_base64url_encoded(DEVICE_KEY_MAX)
        || gw_base64url_decode(p, len, raw, &n) != GW_OK
        || n < DEVICE_KEY_MIN || n > DEVICE_KEY_MAX)
    {
        return "must be 32 to 64 bytes in base64url";
    }

    memcpy(d->key, raw, n);
    d->key_len = n;
    d->given |= 1u << DEVICE_HMAC_KEY;

    return NULL;
}


static int
device_is(const uint8_t *p, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(p, word, len) == 0;
}
