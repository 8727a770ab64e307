/*
 * list.c - see list.h.
 *
 * Any program may have written the rows: whatever stands in them, a JSON text
 * stays one, a CSV record stays one, and no byte commands the terminal.
 */

#include <stdio.h>
#include <time.h>

#include "gw_time.h"
#include "list.h"


typedef struct {
    list_form_e    form;
    unsigned long  n;
} list_t;


static tool_status_e list_row(const device_t *d, void *data);
static void list_table(const device_t *d, unsigned long n);
static void list_table_text(const gw_str_t *text, int width);
static void list_json(const device_t *d, unsigned long n);
static void list_json_text(const uint8_t *p, size_t len);
static void list_json_array(const gw_str_t *list);
static size_t list_utf8(const uint8_t *p, size_t len);
static void list_csv(const device_t *d, unsigned long n);
static void list_csv_text(const gw_str_t *text);
static const char *list_credentials(const device_t *d);
static const char *list_time(int64_t time, char *text, size_t size);


tool_status_e
list_devices(store_t *s, list_form_e form, const gw_str_t *prefix)
{
    list_t         list;
    tool_status_e  status;

    list.form = form;
    list.n = 0;

    if (form == LIST_CSV) {
        printf("device,classes,tenant,topics,speaks_for,enabled,not_before,"
               "not_after,credentials\n");
    }

    status = store_each(s, prefix, list_row, &list);

    if (form == LIST_JSON && status == TOOL_DONE) {
        printf(list.n ? "\n]\n" : "[]\n");
    }

    return status;
}


static tool_status_e
list_row(const device_t *d, void *data)
{
    list_t *list = data;

    switch (list->form) {

    case LIST_JSON:
        list_json(d, list->n);
        break;

    case LIST_CSV:
        list_csv(d, list->n);
        break;

    default:
        list_table(d, list->n);
    }

    list->n++;

    return ferror(stdout) ? tool_shown() : TOOL_DONE;
}


static void
list_table(const device_t *d, unsigned long n)
{
    char      text[32];
    unsigned  i;

    static const device_column_e  rest[] = {
        DEVICE_TENANT, DEVICE_TOPICS, DEVICE_SPEAKS_FOR
    };

    if (n == 0) {
        printf("%-32s %-8s %-10s %-24s %s\n", "DEVICE", "STATE", "HAS",
               "CLASSES", "OTHER");
    }

    list_table_text(&d->text[DEVICE_ID], 32);
    printf(" %-8s %-10s ", d->enabled == 1 ? "enabled" : "disabled",
           list_credentials(d));
    list_table_text(&d->text[DEVICE_CLASSES], 24);

    for (i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        if (d->text[rest[i]].len) {
            printf(" %s=", device_column_name(rest[i]));
            list_table_text(&d->text[rest[i]], 0);
        }
    }

    if (d->not_before != DEVICE_NO_TIME) {
        printf(" not_before=%s", list_time(d->not_before, text, sizeof(text)));
    }

    if (d->not_after != DEVICE_NO_TIME) {
        printf(" not_after=%s", list_time(d->not_after, text, sizeof(text)));
    }

    putchar('\n');
}


static void
list_table_text(const gw_str_t *text, int width)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        putchar(text->data[i] < 0x20 || text->data[i] > 0x7e
                ? '?' : text->data[i]);
    }

    printf("%*s", (int) text->len < width ? width - (int) text->len : 0, "");
}


static void
list_json(const device_t *d, unsigned long n)
{
    char      text[32];
    unsigned  i;

    static const struct {
        device_column_e  column;
        int              array;
    } texts[] = {
        { DEVICE_CLASSES, 1 },
        { DEVICE_TENANT, 0 },
        { DEVICE_TOPICS, 1 },
        { DEVICE_SPEAKS_FOR, 1 }
    };

    printf(n ? ",\n{\"device\":" : "[\n{\"device\":");
    list_json_text(d->text[DEVICE_ID].data, d->text[DEVICE_ID].len);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        printf(",\"%s\":", device_column_name(texts[i].column));

        if (texts[i].array) {
            list_json_array(&d->text[texts[i].column]);

        } else {
            list_json_text(d->text[texts[i].column].data,
                           d->text[texts[i].column].len);
        }
    }

    printf(",\"enabled\":%s", d->enabled == 1 ? "true" : "false");

    for (i = DEVICE_NOT_BEFORE; i <= DEVICE_NOT_AFTER; i++) {
        list_time(i == DEVICE_NOT_BEFORE ? d->not_before : d->not_after, text,
                  sizeof(text));
        printf(text[0] ? ",\"%s\":\"%s\"" : ",\"%s\":null",
               device_column_name(i), text);
    }

    printf(",\"token\":%s,\"hmac\":%s}",
           device_given(d, DEVICE_SECRET) ? "true" : "false",
           device_given(d, DEVICE_HMAC_KEY) ? "true" : "false");
}


static void
list_json_text(const uint8_t *p, size_t len)
{
    size_t          n;
    const uint8_t  *end;

    putchar('"');

    for (end = p + len; p < end; p += n) {
        n = list_utf8(p, (size_t) (end - p));

        if (n == 0) {
            printf("\\ufffd");
            n = 1;

        } else if (*p < 0x20 || *p == 0x7f) {
            printf("\\u%04x", *p);

        } else {

            if (*p == '"' || *p == '\\') {
                putchar('\\');
            }

            fwrite(p, 1, n, stdout);
        }
    }

    putchar('"');
}


static void
list_json_array(const gw_str_t *list)
{
    const uint8_t  *p, *end, *comma;

    putchar('[');

    p = list->data;

    for (end = p + list->len; p < end; p = comma + 1) {
        comma = memchr(p, ',', (size_t) (end - p));

        if (comma == NULL) {
            comma = end;
        }

        if (p > list->data) {
            putchar(',');
        }

        list_json_text(p, (size_t) (comma - p));
    }

    putchar(']');
}


/* bytes of the character at p; 0: ill-formed (Unicode 3.9, table 3-7) */

static size_t
list_utf8(const uint8_t *p, size_t len)
{
    size_t   i, n;
    uint8_t  low, high;

    if (p[0] < 0x80) {
        return 1;
    }

    n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2
        : (p[0] & 0xf0) == 0xe0 ? 3
        : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;

    if (n == 0 || n > len) {
        return 0;
    }

    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


static void
list_csv(const device_t *d, unsigned long n)
{
    char      text[32];
    unsigned  i;

    (void) n;

    for (i = 0; i < DEVICE_TEXT_N; i++) {
        list_csv_text(&d->text[i]);
        putchar(',');
    }

    printf("%d,", d->enabled == 1);
    printf("%s,", list_time(d->not_before, text, sizeof(text)));
    printf("%s,", list_time(d->not_after, text, sizeof(text)));
    printf("%s\n", list_credentials(d));
}


static void
list_csv_text(const gw_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == '"'
            || text->data[i] == ',')
        {
            break;
        }
    }

    if (i == text->len) {
        fwrite(text->data, 1, text->len, stdout);
        return;
    }

    putchar('"');

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '"') {
            putchar('"');
        }

        putchar(text->data[i]);
    }

    putchar('"');
}


static const char *
list_credentials(const device_t *d)
{
    static const char *const  names[] = { "", "token", "hmac", "token hmac" };

    return names[device_given(d, DEVICE_SECRET)
                 + 2 * device_given(d, DEVICE_HMAC_KEY)];
}


/* RFC 3339 where it reaches, else seconds; "" without a bound */

static const char *
list_time(int64_t time, char *text, size_t size)
{
    time_t     sec;
    struct tm  tm;

    text[0] = '\0';

    if (time == DEVICE_NO_TIME) {
        return text;
    }

    sec = (time_t) time;

    if (time < 0 || time > GW_TIME_MAX / 1000 || gmtime_r(&sec, &tm) == NULL) {
        snprintf(text, size, "%lld", (long long) time);
        return text;
    }

    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm);

    return text;
}
