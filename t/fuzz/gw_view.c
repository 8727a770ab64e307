/*
 * Fuzz target: names on the two status pages.  Names of brokers come from
 * Kafka.  Unseen breakage would be a name that ends its label and writes
 * series of its own, or a page that no reader takes.
 *
 * The input holds the gateway's name, a line end and a broker's.  Every line
 * of the text page must have the form of the exposition format, and its labels
 * the names; jansson must read the other page and find the same names.
 */

#include <jansson.h>

#include "fuzz.h"
#include "gw_view.h"


#define INPUT_MAX  1024


typedef struct {
    char    text[INPUT_MAX + 1];
    size_t  len;
} name_t;


static gw_stats_slot_t    slot;
static gw_view_gateway_t  gateway;
static gw_view_t          view;


/* the next line of the input; what it may hold is up to the caller */

static gw_str_t
next(const uint8_t **p, size_t *len)
{
    gw_str_t        s;
    const uint8_t  *lf;

    lf = *len ? memchr(*p, '\n', *len) : NULL;

    s.data = *p;
    s.len = lf ? (size_t) (lf - *p) : *len;

    *p += s.len + (lf != NULL);
    *len -= s.len + (lf != NULL);

    return s;
}


/*
 * As a page shows it: a name that is not UTF-8 has "?" for each byte that is
 * not ASCII, so says jansson, which knows no more of it than we; on the text
 * page a NUL is "?" too.
 */

static void
shown(name_t *name, gw_str_t s, int nul)
{
    size_t   i;
    json_t  *utf8;

    utf8 = json_stringn((const char *) s.data, s.len);

    for (i = 0; i < s.len; i++) {
        name->text[i] = (char) s.data[i];

        if ((utf8 == NULL && s.data[i] > 0x7f) || (nul && s.data[i] == 0)) {
            name->text[i] = '?';
        }
    }

    name->len = s.len;
    json_decref(utf8);
}


static int
word(const char **p, const char *end)
{
    const char  *from;

    for (from = *p; *p < end; (*p)++) {
        if (!((**p >= 'a' && **p <= 'z') || **p == '_'
              || (*p > from && **p >= '0' && **p <= '9')))
        {
            break;
        }
    }

    return *p > from;
}


/* the value between quotes; 0: its form is wrong */

static int
value(const char **p, const char *end, name_t *v)
{
    char  c;

    v->len = 0;

    while (*p < end && **p != '"') {
        c = *(*p)++;

        if (c == '\\') {

            if (*p == end || strchr("\\\"n", **p) == NULL) {
                return 0;
            }

            c = **p == 'n' ? '\n' : **p;
            (*p)++;
        }

        if (v->len == INPUT_MAX) {
            return 0;
        }

        v->text[v->len++] = c;
    }

    return *p < end;
}


static int
is(const char *p, size_t len, const char *name)
{
    return len == strlen(name) && memcmp(p, name, len) == 0;
}


static void
sample(const char *p, const char *end, const name_t *name,
    const name_t *broker)
{
    char           *stop, number[64];
    name_t          v;
    const char     *line, *label;
    const name_t   *want;

    line = p;

    fuzz_promise(word(&p, end), "no name: %.*s", (int) (end - line), line);

    if (*p == '{') {

        do {
            label = ++p;
            fuzz_promise(word(&p, end), "no label: %.*s", (int) (end - line),
                         line);

            want = is(label, (size_t) (p - label), "gateway") ? name
                   : is(label, (size_t) (p - label), "broker") ? broker
                   : NULL;

            fuzz_promise(end - p > 2 && p[0] == '=' && p[1] == '"',
                         "no value: %.*s", (int) (end - line), line);
            p += 2;

            fuzz_promise(value(&p, end, &v) && end - p > 1, "a value: %.*s",
                         (int) (end - line), line);
            fuzz_promise(want == NULL
                         || (want->len == v.len
                             && memcmp(want->text, v.text, v.len) == 0),
                         "another name: %.*s", (int) (end - line), line);
            p++;

        } while (*p == ',');

        fuzz_promise(*p++ == '}', "no end: %.*s", (int) (end - line), line);
    }

    fuzz_promise(end - p > 1 && *p == ' ' && end - p < 60,
                 "no number: %.*s", (int) (end - line), line);

    memcpy(number, p + 1, (size_t) (end - p - 1));
    number[end - p - 1] = '\0';

    (void) strtod(number, &stop);
    fuzz_promise(*stop == '\0', "no number: %.*s", (int) (end - line), line);
}


static void
text_page(const name_t *name, const name_t *broker)
{
    char        *page;
    size_t       len;
    const char  *p, *end, *last;

    page = gw_prometheus(&view, &len);
    fuzz_promise(page && len && page[len - 1] == '\n', "no text page");

    last = page + len;

    for (p = page; p < last; p = end + 1) {
        end = memchr(p, '\n', (size_t) (last - p));

        if (end - p > 7
            && (memcmp(p, "# HELP ", 7) == 0 || memcmp(p, "# TYPE ", 7) == 0))
        {
            continue;
        }

        sample(p, end, name, broker);
    }

    free(page);
}


static void
has_string(json_t *in, const char *key, const name_t *want)
{
    json_t  *s;

    s = json_object_get(in, key);

    fuzz_promise(json_is_string(s) && json_string_length(s) == want->len
                 && memcmp(json_string_value(s), want->text, want->len) == 0,
                 "JSON: \"%s\" is \"%s\"", key, json_string_value(s));
}


static void
json_page(const name_t *name, const name_t *broker)
{
    char          *page;
    size_t         len;
    json_t        *root, *g;
    json_error_t   why;

    page = gw_status_json(&view, &len);
    fuzz_promise(page && len, "no JSON page");

    root = json_loadb(page, len, JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, &why);
    fuzz_promise(root != NULL, "jansson: %s", why.text);

    g = json_array_get(json_object_get(root, "gateways"), 0);
    has_string(g, "name", name);

    g = json_object_get(json_object_get(g, "kafka"), "brokers");
    has_string(json_array_get(g, 0), "name", broker);

    json_decref(root);
    free(page);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        len;
    name_t        name, broker, json_name;
    gw_str_t      s;
    fuzz_copy_t   copy;

    if (size > INPUT_MAX) {
        return 0;
    }

    copy = fuzz_copy(data, size);
    data = copy.data;

    memset(&view, 0, sizeof(view));
    memset(&gateway, 0, sizeof(gateway));
    memset(&slot, 0, sizeof(slot));

    gateway.name = next(&data, &size);
    gateway.has_brokers = 1;
    gateway.nclasses = 1;
    gateway.class_name[0].data = (const uint8_t *) "control";
    gateway.class_name[0].len = 7;
    gateway.slots = &slot;
    gateway.nslots = 1;

    shown(&name, gateway.name, 1);
    shown(&json_name, gateway.name, 0);

    /* of a broker's name what fits is kept, its end is a NUL */

    s = next(&data, &size);
    len = s.len ? strnlen((const char *) s.data, s.len) : 0;
    len = len < GW_STATS_BROKER_NAME ? len : GW_STATS_BROKER_NAME - 1;

    if (len) {
        memcpy(slot.brokers[0].name, s.data, len);
    }

    s.len = len;
    slot.nbrokers = 1;
    slot.pid = 1;
    gateway.sum = slot;

    shown(&broker, s, 1);

    view.version = "0";
    view.nginx = "0";
    view.jansson = "0";
    view.librdkafka = "0";
    view.gateways = &gateway;
    view.ngateways = 1;
    view.workers = 1;

    text_page(&name, &broker);
    json_page(&json_name, &broker);

    fuzz_free(&copy);

    return 0;
}
