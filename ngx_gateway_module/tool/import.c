/*
 * import.c - see import.h.
 *
 * No value is ever repeated in an error: a file whose header is missing has
 * secrets in its first line.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "credential.h"
#include "csv.h"
#include "import.h"


#define IMPORT_CHUNK   65536

/* one line of the answer: id, comma, token, line feed */
#define IMPORT_LINE    (GW_DEVICE_MAX + DEVICE_SECRET_TEXT + 2)

/* what "list --csv" has besides the columns; it says nothing of a new one */
#define IMPORT_PASSED  DEVICE_N


typedef struct {
    store_t          *store;
    FILE             *in;
    csv_t             csv;

    unsigned          ncolumns;         /* 0: the header is to come */
    device_column_e   columns[CSV_FIELDS_MAX];
    int               keys;             /* a key may be kept in the file */

    /* until all is known to be good; grows by doubling */

    char             *made;
    size_t            used;
    size_t            size;
} import_t;


static tool_status_e import_read(import_t *m);
static tool_status_e import_header(import_t *m);
static tool_status_e import_record(import_t *m);
static tool_status_e import_credentials(import_t *m, device_t *d);
static tool_status_e import_made(import_t *m, const gw_str_t *id,
    const char *token);
static tool_status_e import_bad(import_t *m, unsigned i, const char *error);
static tool_status_e import_bad_csv(import_t *m);


tool_status_e
import_devices(store_t *s, const char *path)
{
    int            std;
    import_t      *m;
    tool_status_e  status;

    std = strcmp(path, "-") == 0;

    m = calloc(1, sizeof(import_t));

    if (m == NULL) {
        tool_say("no memory");
        return TOOL_FAILED;
    }

    m->store = s;
    m->keys = !store_exposed(s);
    m->in = std ? stdin : fopen(path, "re");

    if (m->in == NULL) {
        tool_say("cannot open \"%s\": %s", path, strerror(errno));
        free(m);
        return TOOL_FAILED;
    }

    csv_init(&m->csv);

    status = import_read(m);

    if (status == TOOL_DONE) {
        printf("device,token\n");

        if (m->used) {
            fwrite(m->made, 1, m->used, stdout);
        }
    }

    if (!std) {
        fclose(m->in);
    }

    free(m->made);
    free(m);

    return status;
}


static tool_status_e
import_read(import_t *m)
{
    int             rc;
    size_t          n;
    tool_status_e   status;
    const uint8_t  *p, *end;
    uint8_t         chunk[IMPORT_CHUNK];

    do {
        n = fread(chunk, 1, sizeof(chunk), m->in);
        p = chunk;
        end = p + n;

        for ( ;; ) {
            rc = csv_feed(&m->csv, &p, end);

            if (rc == GW_AGAIN && n == 0) {
                rc = csv_end(&m->csv);
            }

            if (rc == GW_ERROR) {
                return import_bad_csv(m);
            }

            if (rc != GW_OK) {
                break;
            }

            status = m->ncolumns ? import_record(m) : import_header(m);

            if (status != TOOL_DONE) {
                return status;
            }
        }

    } while (n);

    if (ferror(m->in)) {
        tool_say("cannot read the CSV file: %s", strerror(errno));
        return TOOL_FAILED;
    }

    if (m->ncolumns == 0) {
        tool_say("line 1: no header, it names the columns");
        return TOOL_REFUSED;
    }

    return TOOL_DONE;
}


static tool_status_e
import_header(import_t *m)
{
    unsigned         i, seen;
    gw_str_t         name;
    device_column_e  column;

    static const gw_str_t  passed = gw_str("credentials");

    seen = 0;

    for (i = 0; i < m->csv.n; i++) {
        name = csv_field(&m->csv, i);
        column = device_column(name.data, name.len);

        if (column == DEVICE_N
            && (name.len != passed.len
                || memcmp(name.data, passed.data, name.len) != 0))
        {
            tool_say("line %lu: the name of column %u is none of device,"
                     " classes, tenant, topics, speaks_for, enabled,"
                     " not_before, not_after, secret, hmac_key",
                     csv_line(&m->csv, i), i + 1);
            return TOOL_REFUSED;
        }

        if (seen >> column & 1) {
            tool_say("line %lu: the name of column %u is duplicate",
                     csv_line(&m->csv, i), i + 1);
            return TOOL_REFUSED;
        }

        seen |= 1u << column;
        m->columns[i] = column;
    }

    if (!(seen >> DEVICE_ID & 1)) {
        tool_say("line %lu: no column is named device", csv_line(&m->csv, 0));
        return TOOL_REFUSED;
    }

    m->ncolumns = m->csv.n;

    return TOOL_DONE;
}


static tool_status_e
import_record(import_t *m)
{
    device_t        d;
    unsigned        i, id;
    gw_str_t        value;
    const char     *error;
    tool_status_e   status;

    if (m->csv.n != m->ncolumns) {
        tool_say("line %lu: %u fields where the header has %u",
                 csv_line(&m->csv, 0), m->csv.n, m->ncolumns);
        return TOOL_REFUSED;
    }

    device_init(&d);
    id = 0;

    for (i = 0; i < m->ncolumns; i++) {

        if (m->columns[i] == IMPORT_PASSED) {
            continue;
        }

        if (m->columns[i] == DEVICE_ID) {
            id = i;
        }

        value = csv_field(&m->csv, i);
        error = device_read(&d, m->columns[i], value.data, value.len);

        if (error == NULL && m->columns[i] == DEVICE_HMAC_KEY && value.len
            && !m->keys)
        {
            error = "may be kept only in a registry that others cannot read"
                    " (chmod 640 or less)";
        }

        /* only the columns read so far can be at odds */

        if (error == NULL) {
            error = device_check(&d);
        }

        if (error) {
            return import_bad(m, i, error);
        }
    }

    status = import_credentials(m, &d);

    if (status == TOOL_DONE) {
        status = store_insert(m->store, &d);

        if (status == TOOL_REFUSED) {
            return import_bad(m, id, "exists already, in the registry or in a"
                                     " line above");
        }
    }

    return status;
}


/* a device has a token or a key or both: without either it gets a token */

static tool_status_e
import_credentials(import_t *m, device_t *d)
{
    int   rc;
    char  token[DEVICE_SECRET_TEXT + 1];

    token[0] = '\0';

    if (device_given(d, DEVICE_SECRET)) {
        rc = credential_seal(d);

    } else if (device_given(d, DEVICE_HMAC_KEY)) {
        rc = GW_OK;

    } else {
        rc = credential_token(d, token);
    }

    if (rc != GW_OK) {
        tool_say("no random bytes can be drawn");
        return TOOL_FAILED;
    }

    return token[0] ? import_made(m, &d->text[DEVICE_ID], token) : TOOL_DONE;
}


static tool_status_e
import_made(import_t *m, const gw_str_t *id, const char *token)
{
    char    *p;
    size_t   size;

    if (m->size - m->used < IMPORT_LINE) {
        size = m->size ? m->size * 2 : IMPORT_CHUNK;
        p = realloc(m->made, size);

        if (p == NULL) {
            tool_say("no memory");
            return TOOL_FAILED;
        }

        m->made = p;
        m->size = size;
    }

    p = m->made + m->used;

    memcpy(p, id->data, id->len);
    p += id->len;
    *p++ = ',';
    memcpy(p, token, DEVICE_SECRET_TEXT);
    p += DEVICE_SECRET_TEXT;
    *p++ = '\n';

    m->used = (size_t) (p - m->made);

    return TOOL_DONE;
}


static tool_status_e
import_bad(import_t *m, unsigned i, const char *error)
{
    tool_say("line %lu, column %s: %s", csv_line(&m->csv, i),
             device_column_name(m->columns[i]), error);

    return TOOL_REFUSED;
}


static tool_status_e
import_bad_csv(import_t *m)
{
    if (m->csv.n < m->ncolumns && m->columns[m->csv.n] != IMPORT_PASSED) {
        tool_say("line %lu, column %s: %s", m->csv.line,
                 device_column_name(m->columns[m->csv.n]), m->csv.error);

    } else {
        tool_say("line %lu, field %u: %s", m->csv.line, m->csv.n + 1,
                 m->csv.error);
    }

    return TOOL_REFUSED;
}
