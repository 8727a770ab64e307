/*
 * csv.c - see csv.h.
 */

#include "csv.h"


/* between the bytes of a record */

enum {
    CSV_START = 0,             /* no byte of the field yet */
    CSV_PLAIN,
    CSV_QUOTED,
    CSV_QUOTE,                 /* a quote inside quotes: its end, or half of
                                  two that stand for one */
    CSV_RETURN                 /* CR: LF must follow */
};


static const uint8_t  csv_mark[] = { 0xef, 0xbb, 0xbf };


static int csv_byte(csv_t *c, uint8_t byte);
static int csv_put(csv_t *c, uint8_t byte);
static int csv_field_end(csv_t *c);
static int csv_record_end(csv_t *c);
static int csv_failed(csv_t *c, const char *error);


void
csv_init(csv_t *c)
{
    memset(c, 0, offsetof(csv_t, buf));

    c->line = 1;
    c->first = 1;
}


int
csv_feed(csv_t *c, const uint8_t **p, const uint8_t *end)
{
    int  rc;

    while (*p < end) {
        rc = csv_byte(c, *(*p)++);

        if (rc != GW_AGAIN) {
            return rc;
        }
    }

    return GW_AGAIN;
}


int
csv_end(csv_t *c)
{
    switch (c->state) {

    case CSV_QUOTED:
        c->line = c->lines[c->n];
        return csv_failed(c, "a quoted field has no end");

    case CSV_RETURN:
        return csv_failed(c, "a carriage return without a line feed");

    default:

        if (!c->begun) {
            return GW_DONE;
        }

        return csv_field_end(c) == GW_OK ? csv_record_end(c) : GW_ERROR;
    }
}


gw_str_t
csv_field(const csv_t *c, unsigned i)
{
    size_t    start;
    gw_str_t  field;

    start = i ? c->ends[i - 1] : 0;

    field.data = c->buf + start;
    field.len = c->ends[i] - start;

    return field;
}


unsigned long
csv_line(const csv_t *c, unsigned i)
{
    return c->lines[i];
}


/* GW_AGAIN: the record goes on */

static int
csv_byte(csv_t *c, uint8_t byte)
{
    if (!c->begun) {

        /* the record before is no longer wanted */

        c->n = 0;
        c->used = 0;
        c->lines[0] = c->line;

        if (byte == '\n' && c->state == CSV_START) {
            c->line++;
            return GW_AGAIN;
        }

        c->begun = (byte != '\r' && byte != '\n');
    }

    if (byte == '\0') {
        return csv_failed(c, "a NUL byte");
    }

    if (c->state == CSV_RETURN) {

        if (byte != '\n') {
            return csv_failed(c, "a carriage return without a line feed");
        }

        c->state = CSV_START;
        c->line++;

        return c->n ? csv_record_end(c) : GW_AGAIN;
    }

    if (c->state == CSV_QUOTED) {

        if (byte == '"') {
            c->state = CSV_QUOTE;
            return GW_AGAIN;
        }

        c->line += (byte == '\n');

        return csv_put(c, byte);
    }

    switch (byte) {

    case ',':
        c->state = CSV_START;
        return csv_field_end(c) == GW_OK ? GW_AGAIN : GW_ERROR;

    case '\r':
        c->state = CSV_RETURN;

        /* in front of an empty line there is no record to end */

        if (!c->begun) {
            return GW_AGAIN;
        }

        return csv_field_end(c) == GW_OK ? GW_AGAIN : GW_ERROR;

    case '\n':
        c->state = CSV_START;

        if (csv_field_end(c) != GW_OK) {
            return GW_ERROR;
        }

        c->line++;
        return csv_record_end(c);

    case '"':

        if (c->state == CSV_START) {
            c->first = 0;
            c->state = CSV_QUOTED;
            return GW_AGAIN;
        }

        if (c->state == CSV_QUOTE) {
            c->state = CSV_QUOTED;
            return csv_put(c, byte);
        }

        return csv_failed(c, "a quote inside a field that is not quoted");

    default:

        if (c->state == CSV_QUOTE) {
            return csv_failed(c, "bytes behind the closing quote");
        }

        c->state = CSV_PLAIN;
        return csv_put(c, byte);
    }
}


static int
csv_put(csv_t *c, uint8_t byte)
{
    if (c->used == CSV_RECORD_MAX) {
        return csv_failed(c, "a record of more than 16384 bytes");
    }

    c->buf[c->used++] = byte;

    if (c->first && c->used == sizeof(csv_mark)) {
        c->first = 0;

        if (c->n == 0 && memcmp(c->buf, csv_mark, sizeof(csv_mark)) == 0) {
            c->used = 0;
            c->begun = 0;
            c->state = CSV_START;
        }
    }

    return GW_AGAIN;
}


static int
csv_field_end(csv_t *c)
{
    if (c->n == CSV_FIELDS_MAX) {
        return csv_failed(c, "a record of more than 32 fields");
    }

    c->ends[c->n++] = c->used;
    c->lines[c->n] = c->line;

    return GW_OK;
}


static int
csv_record_end(csv_t *c)
{
    c->begun = 0;
    c->first = 0;
    c->state = CSV_START;

    return GW_OK;
}


static int
csv_failed(csv_t *c, const char *error)
{
    c->error = error;

    return GW_ERROR;
}
