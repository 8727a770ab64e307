/*
 * gw_identity.c - see gw_identity.h.
 */

#include "gw_identity.h"


static int gw_identity_next(const uint8_t **p, const uint8_t *end,
    gw_str_t *name);


uint32_t
gw_identity_classes(const gw_str_t *names, unsigned n, const uint8_t *list,
    size_t len, unsigned *unknown)
{
    unsigned        i, seen, missed, stars;
    uint32_t        bits;
    gw_str_t        name;
    const uint8_t  *p, *end;

    bits = 0;
    seen = 0;
    stars = 0;
    missed = 0;

    p = list;
    end = len ? list + len : list;

    while (gw_identity_next(&p, end, &name) == GW_OK) {
        seen++;

        if (name.len == 1 && name.data[0] == '*') {
            stars++;
        }

        for (i = 0; i < n; i++) {
            if (names[i].len == name.len
                && memcmp(names[i].data, name.data, name.len) == 0)
            {
                break;
            }
        }

        if (i < n) {
            bits |= (uint32_t) 1 << i;

        } else {
            missed++;
        }
    }

    /* among other names "*" is a slip of somebody's pen, not a wish for all */

    if (seen == 1 && stars == 1) {
        bits = n < 32 ? ((uint32_t) 1 << n) - 1 : UINT32_MAX;
        missed = 0;
    }

    if (unknown) {
        *unknown = missed;
    }

    return bits;
}


int
gw_identity_listed(const uint8_t *list, size_t list_len, const uint8_t *name,
    size_t len)
{
    size_t          n;
    const uint8_t  *p, *end, *comma;

    if (len == 0 || list_len == 0) {
        return GW_DECLINED;
    }

    p = list;
    end = p + list_len;

    while (p < end) {
        comma = memchr(p, ',', (size_t) (end - p));

        if (comma == NULL) {
            comma = end;
        }

        n = (size_t) (comma - p);

        if (n && p[n - 1] == '*') {
            n--;

            if (n <= len && memcmp(p, name, n) == 0) {
                return GW_OK;
            }

        } else if (n == len && memcmp(p, name, n) == 0) {
            return GW_OK;
        }

        p = comma + 1;
    }

    return GW_DECLINED;
}


int
gw_identity_speaks(const gw_identity_t *id, const uint8_t *device, size_t len)
{
    if (len && len == id->device_len && memcmp(id->device, device, len) == 0) {
        return GW_OK;
    }

    return gw_identity_listed(id->speaks_for, id->speaks_for_len, device, len);
}


int
gw_identity_list_valid(const uint8_t *list, size_t len, size_t list_max,
    size_t entry_max)
{
    size_t  i, n;

    if (len > list_max) {
        return GW_ERROR;
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (list[i] == ',') {

            if (n == 0) {
                return GW_ERROR;
            }

            n = 0;
            continue;
        }

        if (list[i] == ' '
            || gw_identity_text_valid(&list[i], 1) != GW_OK)
        {
            return GW_ERROR;
        }

        n++;

        if (list[i] == '*') {

            if (i + 1 < len && list[i + 1] != ',') {
                return GW_ERROR;
            }

        } else if (n > entry_max) {
            return GW_ERROR;
        }
    }

    return len && n == 0 ? GW_ERROR : GW_OK;
}


int
gw_identity_text_valid(const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\') {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


/*
 * The distances are taken as unsigned numbers, after the order is known: no
 * date, however far, can overflow.
 */

int
gw_identity_in_time(const gw_identity_t *id, int64_t now, unsigned leeway)
{
    if (now < id->not_before
        && (uint64_t) id->not_before - (uint64_t) now > leeway)
    {
        return GW_DECLINED;
    }

    if (id->not_after != GW_TIME_ALWAYS && now >= id->not_after
        && (uint64_t) now - (uint64_t) id->not_after >= leeway)
    {
        return GW_DECLINED;
    }

    return GW_OK;
}


/* GW_DONE: no name is left */

static int
gw_identity_next(const uint8_t **p, const uint8_t *end, gw_str_t *name)
{
    while (*p < end && (**p == ',' || **p == ' ')) {
        (*p)++;
    }

    name->data = *p;

    while (*p < end && **p != ',' && **p != ' ') {
        (*p)++;
    }

    name->len = (size_t) (*p - name->data);

    return name->len ? GW_OK : GW_DONE;
}
