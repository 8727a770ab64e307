/*
 * gw_view.c - both status pages say what the slots hold, and say the same.
 *
 * Two gateways with odd names are rendered; the Prometheus page is read by a
 * small strict parser, the JSON page by jansson, and every figure is compared
 * with one computed here from the slots.  Without this test a family written
 * twice, a name that is not escaped or a byte that is not UTF-8 makes
 * Prometheus refuse the whole page, and a counter taken from the wrong field
 * makes books that do not balance, or worse, that do: nobody sees either
 * before the day the figures are needed.
 *
 * With an argument the Prometheus page is written to that file, for
 * "promtool check metrics".
 */

#include "gw_test.h"
#include "gw_view.h"

#include <jansson.h>


#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN  1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) && !defined(TEST_ASAN)
#define TEST_ASAN  1
#endif


#define SLOTS        3
#define SERIES_MAX   4096
#define LABELS_MAX   4
#define VALUE_MAX    96

#define ODD_GATEWAY  "odd \"g\\w\"\n}\xc3\xa9"
#define ODD_CLASS    "a\"b\\n,c=\"\n"


typedef struct {
    char         name[32];
    char         value[VALUE_MAX];         /* unescaped */
} label_t;


typedef struct {
    char         name[80];                 /* without the prefix */
    char         number[32];
    const char  *line;
    size_t       len;                      /* of name and labels */
    double       value;
    unsigned     family;
    unsigned     nlabels;
    label_t      label[LABELS_MAX];
} series_t;


typedef struct {
    char         name[80];
    char         type[16];
    unsigned     nseries;
} family_t;


typedef struct {
    family_t     family[64];
    series_t     series[SERIES_MAX];
    unsigned     nfamilies;
    unsigned     nseries;
    const char  *error;
} page_t;


static const char *const  protos[GW_PROTO_N] = {
    "http", "mqtt", "lines", "ws"
};

static const gw_reason_e  shed_reasons[] = {
    GW_R_PRESSURE, GW_R_FULL, GW_R_EXPIRED, GW_R_DRAINING
};

static gw_stats_slot_t    slots[2][SLOTS];
static gw_view_gateway_t  gateways[2];
static gw_view_t          view;
static page_t             page;
static long               allocations_left;


#ifdef TEST_ASAN

/* an allocation above 8 MiB fails: how gw_prometheus() runs out of memory */

const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=8";
}

#endif


/* distinct figures everywhere, and books that balance */

static void
fill(gw_stats_slot_t *s, unsigned nclasses, uint64_t seed)
{
    uint64_t  n;
    unsigned  p, c, i;

    n = seed;

    for (p = 0; p < GW_PROTO_N; p++) {

        if (p == GW_PROTO_MQTT) {
            continue;
        }

        if (p == GW_PROTO_WS) {
            s->connections[p] = n++;

        for (i = 0; i < GW_END_N; i++) {
            s->disconnects[p][i] = n++;
        }
            continue;
        }

        for (i = GW_R_MALFORMED; i < GW_REASON_N; i++) {

            if ((i >= GW_R_PRESSURE && i <= GW_R_DRAINING)
                || (p == GW_PROTO_LINES && i % 2))
            {
                continue;
            }

            if (i == GW_R_TIMEOUT || i == GW_R_LOST
                || i == GW_R_UPSTREAM_REJECTED || i == GW_R_REVOKED)
            {
                continue;
            }

            s->rejected[p][i] = n++;
            s->received[p] += s->rejected[p][i];
        }

        for (c = 0; c < nclasses; c++) {
            s->duplicate[p][c] = n++;
            s->delivered[p][c] = n++;
            s->dead_lettered[p][c] = n++;
            s->failed[p][c] = n++;
            s->lost[p][c] = n++;

            s->accepted[p][c] = s->delivered[p][c] + s->dead_lettered[p][c]
                                + s->failed[p][c] + s->lost[p][c]
                                + n++;     /* these wait */

            s->received[p] += s->duplicate[p][c];

            for (i = 0; i < 4; i++) {
                s->shed[p][c][shed_reasons[i]] = n++;
                s->accepted[p][c] += s->shed[p][c][shed_reasons[i]];
                s->shed_entry[p][c][shed_reasons[i]] = n++;
                s->received[p] += s->shed_entry[p][c][shed_reasons[i]];
            }

            s->received[p] += s->accepted[p][c];
        }

        s->received_bytes[p] = n++ * 1000;
        s->timeouts[p] = n++;
        s->clients_gone[p] = n++;
        s->connections[p] = n++;

        for (i = 0; i <= GW_HIST_BUCKETS; i++) {
            s->ingest[p].count[i] = n++;
        }

        s->ingest[p].sum_us = n++ * 100003;
    }

    for (c = 0; c < nclasses; c++) {
        s->queue_messages[c] = n++;
        s->queue_bytes[c] = n++;
        s->queue_oldest_ms[c] = n++;
        s->inflight[c] = n++;

        for (i = 0; i <= GW_HIST_BUCKETS; i++) {
            s->queue[c].count[i] = n++;
            s->delivery[c].count[i] = n++;
        }

        s->queue[c].sum_us = n++;
        s->delivery[c].sum_us = n++;
    }

    s->kafka_reports[GW_REPORT_PERSISTED] = n++;
    s->kafka_reports[GW_REPORT_NOT_PERSISTED] = n++;
    s->kafka_reports[GW_REPORT_POSSIBLY_PERSISTED] = n++;
    s->kafka_retries = n++;
    s->kafka_possible_duplicates = n++;
    s->kafka_fatal_errors = n++;
    s->kafka_transient_errors = n++;
    s->kafka_permanent_errors = n++;
    s->kafka_tx_retries = n++;

    s->schema_failures[1] = n++;
    s->dedup[GW_DEDUP_TAKEN_OVER] = n++;
    s->dedup[GW_DEDUP_BELOW] = n++;
    s->dedup_held = n++;
    s->auth_failures[GW_AUTH_NONE][GW_R_UNAUTHENTICATED] = n++;
    s->auth_failures[GW_AUTH_JWT][GW_R_UNAUTHENTICATED] = n++;
    s->auth_failures[GW_AUTH_JWT][GW_R_RATE_LIMITED] = n++;
    s->auth_failures[GW_AUTH_TLS][GW_R_FORBIDDEN] = n++;
    s->auth_lookups[GW_AUTH_HIT] = n++;
    s->auth_lookups[GW_AUTH_NEGATIVE_HIT] = n++;
    s->auth_lookups[GW_AUTH_MISS] = n++;
    s->auth_positive = n++;
    s->auth_negative = n++;
    s->auth_generation = n++;

    s->charged = n++;
    s->capacity = n++;
    s->loop_lag_us = n++;
    s->loop_lag_max_us = n++;
}


static void
name_set(gw_str_t *s, const char *text)
{
    s->data = (const uint8_t *) text;
    s->len = strlen(text);
}


static void
make_view(void)
{
    unsigned            g, i;
    gw_stats_slot_t    *s;
    gw_stats_broker_t  *b;

    memset(slots, 0, sizeof(slots));
    memset(gateways, 0, sizeof(gateways));
    memset(&view, 0, sizeof(view));

    name_set(&gateways[0].name, "fleet");
    gateways[0].auth_methods = 1u << GW_AUTH_JWT | 1u << GW_AUTH_TLS;
    gateways[0].dedup_capacity = 1000;
    gateways[0].dedup_entries = 400;
    gateways[0].dedup_inflight = 30;
    gateways[0].dedup_evictions = 2;
    gateways[0].nclasses = 3;
    name_set(&gateways[0].class_name[0], "control");
    name_set(&gateways[0].class_name[1], "telemetry");
    name_set(&gateways[0].class_name[2], ODD_CLASS);
    gateways[0].has_brokers = 1;

    name_set(&gateways[1].name, ODD_GATEWAY);
    gateways[1].nclasses = 1;
    name_set(&gateways[1].class_name[0], "control");

    for (i = 0; i < SLOTS; i++) {
        s = &slots[0][i];
        fill(s, 3, 10 + 1000 * i);

        s->pid = i == 2 ? 0 : 4000 + i;    /* the last is a former worker */
        s->worker = i;
        s->started = 1700000000 + i;
        s->generation = 7;
    }

    s = &slots[0][0];
    s->kafka_up = 1;
    s->pressure = 2;                       /* a flag: any but 0 is set */
    s->queue_oldest_ms[0] = 1234567;
    s->loop_lag_us = 7;
    s->loop_lag_max_us = 12000345;
    slots[0][1].loop_lag_us = 3;
    slots[0][1].draining = 1;

    s->nbrokers = 2;
    b = &s->brokers[0];
    strcpy(b->name, "kafka-1.example:9092");
    b->up = 2;
    b->rtt_p50_us = 1500;
    b->rtt_p99_us = 2000001;
    memset(s->brokers[1].name, 'k', GW_STATS_BROKER_NAME);

    slots[1][0].pid = 5000;
    slots[1][0].draining = 1;
    slots[1][0].ingest[0].count[3] = 10;
    slots[1][0].ingest[0].sum_us = 40000;

    for (g = 0; g < 2; g++) {
        gateways[g].slots = slots[g];
        gateways[g].nslots = g ? 1 : SLOTS;

        for (i = 0; i < gateways[g].nslots; i++) {
            gw_stats_merge(&gateways[g].sum, &slots[g][i]);
        }
    }

    view.version = "1.2.3";
    view.nginx = "1.30.0";
    view.librdkafka = "2.\"0";
    view.jansson = "2.14";
    view.now = 1700000100;
    view.start_time = 1700000001;
    view.generation = 7;
    view.workers = 2;
    view.gateways = gateways;
    view.ngateways = 2;
}


/*
 * The page as the format describes it, and stricter: HELP, TYPE, then the
 * series of that family and of no other.
 */

static const char *
parse_labels(series_t *s, const char *p)
{
    size_t    n;
    label_t  *l;

    for ( ;; ) {
        if (s->nlabels == LABELS_MAX) {
            return NULL;
        }

        l = &s->label[s->nlabels++];

        n = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
        if (n == 0 || n >= sizeof(l->name) || memcmp(p + n, "=\"", 2)) {
            return NULL;
        }

        memcpy(l->name, p, n);
        p += n + 2;

        for (n = 0; *p != '"'; p++) {

            if (*p == '\n' || *p == '\0' || n + 1 == sizeof(l->value)) {
                return NULL;
            }

            if (*p == '\\') {
                p++;

                if (*p != 'n' && *p != '\\' && *p != '"') {
                    return NULL;
                }

                l->value[n++] = *p == 'n' ? '\n' : *p;
                continue;
            }

            l->value[n++] = *p;
        }

        p++;

        if (*p == '}') {
            return p + 1;
        }

        if (*p++ != ',') {
            return NULL;
        }
    }
}


static const char *
parse_line(const char *p)
{
    char         type[16], *end;
    size_t       n;
    series_t    *s;
    family_t    *f;
    const char  *suffix;

    if (*p == '#') {
        f = &page.family[page.nfamilies++];

        if (sscanf(p, "# HELP nginx_gateway_%79[a-z_] ", f->name) != 1) {
            return "a comment is not HELP";
        }

        p = strchr(p, '\n') + 1;

        if (sscanf(p, "# TYPE nginx_gateway_%79[a-z_] %15[a-z]\n",
                   page.series[page.nseries].name, type) != 2
            || strcmp(page.series[page.nseries].name, f->name))
        {
            return "HELP without its TYPE";
        }

        memset(&page.series[page.nseries], 0, sizeof(series_t));
        strcpy(f->type, type);

        return NULL;
    }

    if (page.nfamilies == 0 || page.nseries == SERIES_MAX) {
        return "a series without a family, or too many";
    }

    s = &page.series[page.nseries++];
    f = &page.family[page.nfamilies - 1];
    s->line = p;
    s->family = page.nfamilies - 1;
    f->nseries++;

    if (strncmp(p, "nginx_gateway_", 14)) {
        return "a name without the prefix";
    }

    p += 14;
    n = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
    memcpy(s->name, p, n);
    p += n;

    n = strlen(f->name);
    suffix = s->name + n;

    if (strncmp(s->name, f->name, n)
        || (strcmp(f->type, "histogram") ? *suffix != '\0'
            : strcmp(suffix, "_bucket") && strcmp(suffix, "_sum")
              && strcmp(suffix, "_count")))
    {
        return "a series in another's family";
    }

    if (*p == '{') {
        p = parse_labels(s, p + 1);
        if (p == NULL) {
            return "labels that are not such";
        }
    }

    s->len = p - s->line;

    n = *p == ' ' ? strspn(p + 1, "0123456789.") : 0;
    if (n == 0 || n >= sizeof(s->number) || p[n + 1] != '\n') {
        return "a value that is no number";
    }

    memcpy(s->number, p + 1, n);
    s->value = strtod(s->number, &end);

    return *end ? "a value that is no number" : NULL;
}


static void
parse(const char *text, size_t len)
{
    const char  *p, *last;

    memset(&page, 0, sizeof(page));

    last = text + len;

    for (p = text; p < last && page.error == NULL; p = strchr(p, '\n') + 1) {

        page.error = parse_line(p);

        if (page.error) {
            printf("# %.*s\n", (int) strcspn(p, "\n"), p);
            return;
        }

        if (*p == '#') {
            p = strchr(p, '\n') + 1;
        }
    }
}


static const char *
label(const series_t *s, const char *name)
{
    unsigned  i;

    for (i = 0; i < s->nlabels; i++) {
        if (strcmp(s->label[i].name, name) == 0) {
            return s->label[i].value;
        }
    }

    return "";
}


/* the sum of what has these labels (NULL: any), *n: how many there are */

static uint64_t
total(const char *name, const char *gateway, const char *l1, const char *v1,
    const char *l2, const char *v2, unsigned *n)
{
    double           sum;
    unsigned         i, found;
    const series_t  *s;

    sum = 0;
    found = 0;

    for (i = 0; i < page.nseries; i++) {
        s = &page.series[i];

        if (strcmp(s->name, name)
            || strcmp(label(s, "gateway"), gateway)
            || (l1 && strcmp(label(s, l1), v1))
            || (l2 && strcmp(label(s, l2), v2)))
        {
            continue;
        }

        sum += s->value;
        found++;
    }

    if (n) {
        *n = found;
    }

    return (uint64_t) sum;
}


#define all(name, gateway)                                                    \
    total(name, gateway, NULL, NULL, NULL, NULL, NULL)


/* the text of a value that is there once, else "" */

static const char *
number(const char *name, const char *gateway, const char *l1, const char *v1,
    const char *l2, const char *v2)
{
    unsigned         i;
    const char      *found;
    const series_t  *s;

    found = "";

    for (i = 0; i < page.nseries; i++) {
        s = &page.series[i];

        if (strcmp(s->name, name) == 0
            && strcmp(label(s, "gateway"), gateway) == 0
            && (l1 == NULL || strcmp(label(s, l1), v1) == 0)
            && (l2 == NULL || strcmp(label(s, l2), v2) == 0))
        {
            found = *found ? "more than one" : s->number;
        }
    }

    return found;
}


#define is_number(want, ...)                                                  \
    is_str(number(__VA_ARGS__), strlen(number(__VA_ARGS__)), want,            \
           "the value of " #__VA_ARGS__)


static void
test_format(const char *text, size_t len)
{
    unsigned         i, k, twice, first, empty;
    const series_t  *s, *t;

    ok(len && text[len - 1] == '\n' && memchr(text, '\0', len) == NULL,
       "the page is lines of text");
    ok(page.error == NULL,
       "HELP, TYPE and all series of a family stand together, well formed");

    twice = 0;

    for (i = 0; i < page.nfamilies; i++) {
        for (k = 0; k < i; k++) {
            twice += strcmp(page.family[i].name, page.family[k].name) == 0;
        }
    }

    is_u64(twice, 0, "no family begins twice");
    is_u64(page.nfamilies, 54, "all families are there");

    twice = 0;
    first = 0;

    for (i = 0; i < page.nseries; i++) {
        s = &page.series[i];

        for (k = 0; k < i; k++) {
            t = &page.series[k];
            twice += s->len == t->len && memcmp(s->line, t->line, s->len) == 0;
        }

        first += s->family >= 4 && strcmp(s->label[0].name, "gateway") != 0;
    }

    is_u64(twice, 0, "no series is there twice");
    is_u64(first, 0, "each series begins with the label gateway");

    empty = 0;
    twice = 0;

    for (i = 0; i < page.nfamilies; i++) {
        empty += page.family[i].nseries == 0;
        k = strlen(page.family[i].name);
        twice += (strcmp(page.family[i].type, "counter") == 0)
                 != (strcmp(page.family[i].name + k - 6, "_total") == 0);
    }

    is_u64(empty, 0, "no family is empty");
    is_u64(twice, 0, "counters and they alone end in _total");
}


static void
test_histograms(void)
{
    double           above, le;
    unsigned         i, hists, wrong;
    const char      *bound;
    const series_t  *s, *t;

    hists = 0;
    wrong = 0;
    above = 0;
    le = 0;

    for (i = 0; i < page.nseries; i++) {
        s = &page.series[i];
        bound = label(s, "le");

        if (*bound == '\0') {
            continue;
        }

        if (strcmp(bound, "0.0005") == 0) {
            hists++;
            above = 0;
            le = 0;
        }

        wrong += s->value < above;
        above = s->value;

        if (strcmp(bound, "+Inf")) {
            wrong += strtod(bound, NULL) <= le;
            le = strtod(bound, NULL);
            continue;
        }

        /* _sum and _count of the same labels follow */

        wrong += le != 10;

        t = s + 1;
        wrong += strstr(t->name, "_sum") == NULL;
        t++;
        wrong += strstr(t->name, "_count") == NULL || t->value != s->value
                 || strcmp(t->label[1].value, s->label[1].value)
                 || strcmp(t->label[0].value, s->label[0].value);
    }

    is_u64(hists, 3 + 1 + 2 * (3 + 1), "each histogram is there");
    is_u64(wrong, 0, "buckets rise to the count of each histogram");

    is_number("10", "ingest_duration_seconds_bucket", ODD_GATEWAY,
              "protocol", "http", "le", "0.005");
    is_number("0", "ingest_duration_seconds_bucket", ODD_GATEWAY,
              "protocol", "http", "le", "0.0025");
    is_number("10", "ingest_duration_seconds_bucket", ODD_GATEWAY,
              "protocol", "http", "le", "+Inf");
    is_number("0.040000", "ingest_duration_seconds_sum", ODD_GATEWAY,
              "protocol", "http", NULL, NULL);
}


static void
test_books(const char *g)
{
    uint64_t  ended, shed;

    is_u64(all("rejected_messages_total", g)
           + all("duplicate_messages_total", g)
           + all("shed_at_entry_messages_total", g)
           + all("accepted_messages_total", g),
           all("received_messages_total", g),
           "what was received was refused, known or accepted");

    shed = all("shed_messages_total", g)
           - all("shed_at_entry_messages_total", g);

    is_u64(all("delivered_messages_total", g)
           + all("dead_lettered_messages_total", g)
           + all("failed_messages_total", g) + all("lost_messages_total", g)
           + shed + all("waiting_messages", g),
           all("accepted_messages_total", g),
           "what was accepted ended or waits");

    ended = all("messages_total", g);

    is_u64(ended + all("waiting_messages", g),
           all("received_messages_total", g),
           "what was received has an outcome or waits");
}


/* a figure of the JSON page by the names on the way, "/" between them */

static json_t *
at(json_t *j, const char *path)
{
    char    name[64];
    size_t  n;

    while (j && *path) {
        n = strcspn(path, "/");
        memcpy(name, path, n);
        name[n] = '\0';
        path += n + (path[n] == '/');

        j = json_is_array(j) ? json_array_get(j, strtoul(name, NULL, 10))
                             : json_object_get(j, name);
    }

    return j;
}


static uint64_t
count(json_t *j, const char *path)
{
    j = at(j, path);

    return json_is_integer(j) ? (uint64_t) json_integer_value(j) : UINT64_MAX;
}


static int
near(json_t *j, const char *path, double want)
{
    double  got;

    j = at(j, path);
    got = json_number_value(j);

    return json_is_real(j) && got >= want * 0.999999
           && got <= want * 1.000001;
}


static int
quantiles(json_t *j, const gw_hist_t *h)
{
    return near(j, "p50", (double) gw_hist_quantile(h, 0.5) / 1e6)
           && near(j, "p95", (double) gw_hist_quantile(h, 0.95) / 1e6)
           && near(j, "p99", (double) gw_hist_quantile(h, 0.99) / 1e6);
}


static uint64_t
sum_of(json_t *object)
{
    json_t      *value;
    uint64_t     n;
    const char  *key;

    n = 0;

    json_object_foreach(object, key, value) {
        n += json_integer_value(value);
    }

    return n;
}


static void
test_class(json_t *j, unsigned g, unsigned c)
{
    char               name[64];
    size_t             k;
    uint64_t           want, shed, entry;
    unsigned           p, i;
    const char        *gw, *cls;
    gw_stats_slot_t   *s;
    const uint64_t   (*field)[GW_CLASSES_MAX];

    static const struct {
        const char  *key;
        size_t       offset;
    } fields[] = {
        { "accepted", offsetof(gw_stats_slot_t, accepted) },
        { "delivered", offsetof(gw_stats_slot_t, delivered) },
        { "duplicate", offsetof(gw_stats_slot_t, duplicate) },
        { "dead_lettered", offsetof(gw_stats_slot_t, dead_lettered) },
        { "failed", offsetof(gw_stats_slot_t, failed) },
        { "lost", offsetof(gw_stats_slot_t, lost) },
    };

    s = &gateways[g].sum;
    gw = (const char *) gateways[g].name.data;
    cls = (const char *) gateways[g].class_name[c].data;

    for (k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
        field = (const void *) ((const char *) s + fields[k].offset);
        want = 0;

        for (p = 0; p < GW_PROTO_N; p++) {
            want += field[p][c];
        }

        snprintf(name, sizeof(name), "%s_messages_total", fields[k].key);

        is_u64(count(j, fields[k].key), want, "JSON: %s of class %u",
               fields[k].key, c);
        is_u64(total(name, gw, "class", cls, NULL, NULL, NULL), want,
               "text: %s of class %u", fields[k].key, c);
    }

    is_u64(count(j, "waiting"), gw_stats_waiting_class(s, c),
           "JSON: waiting of class %u", c);
    is_u64(total("waiting_messages", gw, "class", cls, NULL, NULL, NULL),
           gw_stats_waiting_class(s, c), "text: waiting of class %u", c);

    for (i = 0; i < 4; i++) {
        shed = 0;
        entry = 0;

        for (p = 0; p < GW_PROTO_N; p++) {
            shed += s->shed[p][c][shed_reasons[i]];
            entry += s->shed_entry[p][c][shed_reasons[i]];
        }

        cls = gw_reason(shed_reasons[i])->name;

        snprintf(name, sizeof(name), "shed/%s", cls);
        is_u64(count(j, name), shed, "JSON: shed later: %s", cls);
        snprintf(name, sizeof(name), "shed_entry/%s", cls);
        is_u64(count(j, name), entry, "JSON: shed at entry: %s", cls);

        is_u64(total("shed_messages_total", gw, "class",
                     (const char *) gateways[g].class_name[c].data,
                     "reason", cls, NULL),
               shed + entry, "text: shed: %s", cls);
        is_u64(total("shed_at_entry_messages_total", gw, "class",
                     (const char *) gateways[g].class_name[c].data,
                     "reason", cls, NULL),
               entry, "text: shed at entry: %s", cls);
    }

    cls = (const char *) gateways[g].class_name[c].data;

    is_u64(count(j, "queue/messages"), s->queue_messages[c], "JSON: queue");
    is_u64(count(j, "queue/bytes"), s->queue_bytes[c], "JSON: queued bytes");
    is_u64(count(j, "inflight"), s->inflight[c], "JSON: in flight");
    is_u64(total("queue_messages", gw, "class", cls, NULL, NULL, NULL),
           s->queue_messages[c], "text: queue");
    is_u64(total("queue_bytes", gw, "class", cls, NULL, NULL, NULL),
           s->queue_bytes[c], "text: queued bytes");
    is_u64(total("inflight_messages", gw, "class", cls, NULL, NULL, NULL),
           s->inflight[c], "text: in flight");
    ok(near(j, "queue/oldest_age", (double) s->queue_oldest_ms[c] / 1e3),
       "JSON: age of the oldest, in seconds");

    is_u64(count(j, "queue_time/count"), gw_hist_total(&s->queue[c]),
           "JSON: times in the queue");
    is_u64(count(j, "delivery_time/count"), gw_hist_total(&s->delivery[c]),
           "JSON: times of delivery");
    is_u64(total("queue_duration_seconds_count", gw, "class", cls,
                 NULL, NULL, NULL),
           gw_hist_total(&s->queue[c]), "text: times in the queue");
    is_u64(total("delivery_duration_seconds_count", gw, "class", cls,
                 NULL, NULL, NULL),
           gw_hist_total(&s->delivery[c]), "text: times of delivery");
    ok(quantiles(at(j, "queue_time"), &s->queue[c])
       && quantiles(at(j, "delivery_time"), &s->delivery[c]),
       "JSON: quantiles are in seconds");
}


static void
test_proto(json_t *j, unsigned g, unsigned p)
{
    uint64_t          want, shed, entry;
    unsigned          c, i, r, n, rejected;
    const char       *gw;
    gw_stats_slot_t  *s;

    s = &gateways[g].sum;
    gw = (const char *) gateways[g].name.data;

    is_u64(count(j, "received"), s->received[p], "JSON: received by %s",
           protos[p]);
    is_u64(total("received_messages_total", gw, "protocol", protos[p],
                 NULL, NULL, NULL),
           s->received[p], "text: received by %s", protos[p]);
    is_u64(count(j, "received_bytes"), s->received_bytes[p], "JSON: bytes");
    is_u64(total("received_bytes_total", gw, "protocol", protos[p],
                 NULL, NULL, NULL),
           s->received_bytes[p], "text: bytes");
    is_u64(count(j, "timeouts"), s->timeouts[p], "JSON: timeouts");
    is_u64(total("timeouts_total", gw, "protocol", protos[p],
                 NULL, NULL, NULL), s->timeouts[p], "text: timeouts");
    is_u64(count(j, "clients_gone"), s->clients_gone[p], "JSON: gone");
    is_u64(total("clients_gone_total", gw, "protocol", protos[p],
                 NULL, NULL, NULL), s->clients_gone[p], "text: gone");

    for (i = 0; i < GW_END_N; i++) {
        /* none is not there */
        is_u64(count(at(j, "disconnects"), gw_end_name(i)) + 1,
               s->disconnects[p][i] ? s->disconnects[p][i] + 1 : 0,
               "JSON: ends by %s", gw_end_name(i));
        is_u64(total("disconnects_total", gw, "protocol", protos[p],
                     "reason", gw_end_name(i), NULL),
               s->disconnects[p][i], "text: ends by %s", gw_end_name(i));
    }

    is_u64(count(j, "connections"), s->connections[p], "JSON: connections");
    is_u64(total("connections", gw, "protocol", protos[p],
                 NULL, NULL, NULL), s->connections[p], "text: connections");
    is_u64(count(j, "ingest/count"), gw_hist_total(&s->ingest[p]),
           "JSON: times of ingest");
    ok(quantiles(at(j, "ingest"), &s->ingest[p]),
       "JSON: quantiles of ingest are in seconds");
    is_u64(count(j, "waiting"), gw_stats_waiting_proto(s, p),
           "JSON: waiting");

    rejected = 0;

    for (r = 0; r < GW_REASON_N; r++) {
        if (s->rejected[p][r]) {
            rejected++;
            is_u64(count(at(j, "rejected"), gw_reason(r)->name),
                   s->rejected[p][r], "JSON: rejected, %s",
                   gw_reason(r)->name);
            is_u64(total("rejected_messages_total", gw, "protocol",
                         protos[p], "reason", gw_reason(r)->name, &n),
                   s->rejected[p][r], "text: rejected, %s",
                   gw_reason(r)->name);
        }
    }

    is_u64(json_object_size(at(j, "rejected")), rejected,
           "JSON: no reason that did not occur");

    (void) total("rejected_messages_total", gw, "protocol", protos[p],
                 NULL, NULL, &n);
    is_u64(n, p == GW_PROTO_HTTP ? 13 : rejected,
           "text: all reasons that can occur by HTTP, else those that did");

    want = 0;
    shed = 0;
    entry = 0;

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        want += s->failed[p][c] + s->dead_lettered[p][c] + s->lost[p][c];

        for (r = 0; r < GW_REASON_N; r++) {
            shed += s->shed[p][c][r];
            entry += s->shed_entry[p][c][r];
        }
    }

    want += s->rejected[p][GW_R_UPSTREAM] + s->rejected[p][GW_R_INTERNAL];

    is_u64(total("messages_total", gw, "protocol", protos[p],
                 "outcome", "failed", NULL), want, "text: failed");
    is_u64(total("messages_total", gw, "protocol", protos[p],
                 "outcome", "shed", NULL), shed + entry, "text: shed");
    is_u64(total("messages_total", gw, "protocol", protos[p],
                 "outcome", "throttled", NULL),
           s->rejected[p][GW_R_RATE_LIMITED], "text: throttled");
    is_u64(total("messages_total", gw, "protocol", protos[p],
                 "outcome", "denied", NULL),
           s->rejected[p][GW_R_UNAUTHENTICATED]
           + s->rejected[p][GW_R_FORBIDDEN] + s->rejected[p][GW_R_REVOKED],
           "text: denied");
    (void) total("messages_total", gw, "protocol", protos[p], NULL, NULL, &n);
    is_u64(n, 7, "text: seven outcomes by %s", protos[p]);

    is_u64(count(j, "shed"), shed, "JSON: shed later");
    is_u64(count(j, "shed_entry"), entry, "JSON: shed at entry");

    is_u64(sum_of(at(j, "rejected")) + count(j, "duplicate")
           + count(j, "shed_entry") + count(j, "accepted"),
           count(j, "received"), "JSON: what was received is accounted for");
    is_u64(count(j, "delivered") + count(j, "dead_lettered")
           + count(j, "failed") + count(j, "shed") + count(j, "lost")
           + count(j, "waiting"),
           count(j, "accepted"), "JSON: what was accepted is accounted for");
}


static void
test_gateway(json_t *j, unsigned g)
{
    unsigned     p, c, n, seen;
    const char  *gw;

    gw = (const char *) gateways[g].name.data;

    is_str(json_string_value(at(j, "name")),
           json_string_length(at(j, "name")), gw, "JSON: the name");

    for (p = 0; p < GW_PROTO_N; p++) {
        seen = p == GW_PROTO_HTTP
               || (g == 0 && (p == GW_PROTO_LINES || p == GW_PROTO_WS));

        ok((json_object_get(at(j, "protocols"), protos[p]) != NULL) == seen,
           "JSON: %s is there only where somebody speaks it", protos[p]);
        (void) total("messages_total", gw, "protocol", protos[p],
                     NULL, NULL, &n);
        ok((n != 0) == seen,
           "text: %s is there only where somebody speaks it", protos[p]);

        if (seen) {
            test_proto(json_object_get(at(j, "protocols"), protos[p]), g, p);
        }
    }

    is_u64(json_object_size(at(j, "classes")), gateways[g].nclasses,
           "JSON: all classes");

    for (c = 0; c < gateways[g].nclasses; c++) {
        test_class(json_object_get(at(j, "classes"), (const char *)
                                   gateways[g].class_name[c].data), g, c);
    }

    test_books(gw);
}


static void
test_process(json_t *root)
{
    is_number("1", "build_info", "", "version", "1.2.3", "librdkafka",
              "2.\"0");
    is_number("1", "build_info", "", "nginx", "1.30.0", "jansson", "2.14");
    is_number("2", "workers", "", NULL, NULL, NULL, NULL);
    is_number("1700000001", "start_time_seconds", "", NULL, NULL, NULL, NULL);
    is_number("7", "config_generation", "", NULL, NULL, NULL, NULL);

    ok(strcmp(json_string_value(at(root, "version")), "1.2.3") == 0
       && strcmp(json_string_value(at(root, "nginx")), "1.30.0") == 0
       && strcmp(json_string_value(at(root, "librdkafka")), "2.\"0") == 0
       && strcmp(json_string_value(at(root, "jansson")), "2.14") == 0,
       "JSON: versions");
    ok(count(root, "time") == 1700000100
       && count(root, "start_time") == 1700000001
       && count(root, "generation") == 7 && count(root, "workers") == 2,
       "JSON: times, generation and workers");
}


static void
test_kafka(json_t *j, json_t *other)
{
    char              name[GW_STATS_BROKER_NAME + 1];
    unsigned          i, n;
    gw_stats_slot_t  *s;

    s = &gateways[0].sum;

    is_number("1", "kafka_up", "fleet", NULL, NULL, NULL, NULL);
    is_number("1", "pressure", "fleet", NULL, NULL, NULL, NULL);
    is_number("0", "pressure", ODD_GATEWAY, NULL, NULL, NULL, NULL);
    is_number("1", "draining", "fleet", NULL, NULL, NULL, NULL);
    is_number("1", "draining", ODD_GATEWAY, NULL, NULL, NULL, NULL);
    is_number("1234.567", "queue_oldest_age_seconds", "fleet",
              "class", "control", NULL, NULL);
    is_number("0.000007", "event_loop_lag_seconds", "fleet",
              NULL, NULL, NULL, NULL);
    is_number("12.000345", "event_loop_lag_max_seconds", "fleet",
              NULL, NULL, NULL, NULL);
    is_number("1", "kafka_broker_up", "fleet",
              "broker", "kafka-1.example:9092", NULL, NULL);
    is_number("0.001500", "kafka_broker_rtt_seconds", "fleet",
              "broker", "kafka-1.example:9092", "stat", "p50");
    is_number("2.000001", "kafka_broker_rtt_seconds", "fleet",
              "broker", "kafka-1.example:9092", "stat", "p99");

    memset(name, 'k', GW_STATS_BROKER_NAME);
    name[GW_STATS_BROKER_NAME] = '\0';
    is_number("0", "kafka_broker_up", "fleet", "broker", name, NULL, NULL);
    ok(strcmp(json_string_value(at(j, "kafka/brokers/1/name")), name) == 0,
       "JSON: a name of a broker that is not terminated ends at its size");

    is_u64(all("queue_capacity_bytes", "fleet"), s->capacity, "capacity");
    is_u64(all("buffer_charged_bytes", "fleet"), s->charged, "charged");
    is_u64(count(j, "buffer/capacity"), s->capacity, "JSON: capacity");
    is_u64(count(j, "buffer/charged"), s->charged, "JSON: charged");

    is_u64(total("kafka_reports_total", "fleet", "outcome",
                 "possibly_persisted", NULL, NULL, NULL),
           s->kafka_reports[GW_REPORT_POSSIBLY_PERSISTED],
           "text: reports of what may be there");
    is_u64(all("kafka_reports_total", "fleet"),
           s->kafka_reports[0] + s->kafka_reports[1] + s->kafka_reports[2],
           "text: all reports");
    is_u64(count(j, "kafka/reports/not_persisted"),
           s->kafka_reports[GW_REPORT_NOT_PERSISTED], "JSON: reports");
    is_u64(total("kafka_errors_total", "fleet", "class", "transient",
                 NULL, NULL, NULL), s->kafka_transient_errors, "transient");
    is_u64(total("kafka_errors_total", "fleet", "class", "permanent",
                 NULL, NULL, NULL), s->kafka_permanent_errors, "permanent");
    ok(count(j, "kafka/retries") == s->kafka_retries
       && count(j, "kafka/possible_duplicates")
          == s->kafka_possible_duplicates
       && count(j, "kafka/fatal_errors") == s->kafka_fatal_errors
       && count(j, "kafka/transient_errors") == s->kafka_transient_errors
       && count(j, "kafka/permanent_errors") == s->kafka_permanent_errors
       && count(j, "kafka/client_retries") == s->kafka_tx_retries,
       "JSON: retries and errors");
    ok(all("kafka_retries_total", "fleet") == s->kafka_retries
       && all("kafka_possible_duplicates_total", "fleet")
          == s->kafka_possible_duplicates
       && all("kafka_fatal_errors_total", "fleet") == s->kafka_fatal_errors
       && all("kafka_client_retries_total", "fleet") == s->kafka_tx_retries,
       "text: retries and errors");

    ok(near(j, "kafka/brokers/0/rtt_p50", 0.0015)
       && near(j, "kafka/brokers/0/rtt_p99", 2.000001)
       && near(j, "loop_lag", 0.000007) && near(j, "loop_lag_max", 12.000345)
       && near(j, "classes/control/queue/oldest_age", 1234.567),
       "JSON: microseconds and milliseconds became seconds");
    ok(near(other, "protocols/http/ingest/p50", 0.00375),
       "JSON: half of ten in 2.5 to 5 ms is below 3.75 ms");
    ok(json_is_true(at(j, "kafka/brokers/0/up"))
       && json_is_false(at(j, "kafka/brokers/1/up")), "JSON: brokers up");

    n = 0;

    for (i = 0; i < page.nseries; i++) {
        n += strncmp(page.series[i].name, "kafka_", 6) == 0
             && strcmp(label(&page.series[i], "gateway"), "fleet") != 0;
    }

    is_u64(n, 0, "text: no word on Kafka for a gateway without brokers");

    ok(strcmp(json_string_value(at(j, "state/kafka")), "up") == 0
       && strcmp(json_string_value(at(other, "state/kafka")), "none") == 0,
       "JSON: Kafka is up, or not there to be");
    ok(json_is_true(at(j, "state/accepting"))
       && json_is_true(at(j, "state/pressure"))
       && json_is_true(at(j, "state/draining"))
       && json_is_false(at(other, "state/accepting"))
       && json_is_false(at(other, "state/pressure"))
       && json_is_true(at(other, "state/draining")),
       "JSON: while one worker drains another accepts, or none does");
    ok(at(other, "kafka") == NULL,
       "JSON: no word on Kafka for a gateway without brokers");
}


static void
test_workers(json_t *j)
{
    json_t           *w;
    uint64_t          received, accepted, delivered, connections;
    unsigned          p, c;
    gw_stats_slot_t  *s;

    is_u64(json_array_size(at(j, "workers")), 2,
           "JSON: a former worker is not shown, its figures are in the sums");

    w = at(j, "workers/1");
    s = &slots[0][1];

    received = accepted = delivered = connections = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        received += s->received[p];
        connections += s->connections[p];

        for (c = 0; c < GW_CLASSES_MAX; c++) {
            accepted += s->accepted[p][c];
            delivered += s->delivered[p][c];
        }
    }

    ok(count(w, "pid") == 4001 && count(w, "worker") == 1
       && count(w, "started") == 1700000001 && count(w, "generation") == 7,
       "JSON: who the worker is");
    ok(count(w, "received") == received && count(w, "accepted") == accepted
       && count(w, "delivered") == delivered
       && count(w, "connections") == connections
       && count(w, "waiting") == gw_stats_waiting(s)
       && count(w, "charged") == s->charged,
       "JSON: what the worker did");
    ok(json_is_false(at(w, "pressure")) && json_is_true(at(w, "draining"))
       && json_is_false(at(j, "workers/0/draining"))
       && json_is_false(at(w, "kafka_up"))
       && json_is_true(at(j, "workers/0/kafka_up"))
       && json_is_true(at(j, "workers/0/pressure"))
       && near(w, "loop_lag", 3e-6)
       && near(w, "loop_lag_max", (double) s->loop_lag_max_us / 1e6),
       "JSON: how the worker fares");
}


/* the first gateway has windows, the second keeps none */

static void
test_dedup(json_t *j, json_t *other)
{
    gw_stats_slot_t  *s;

    s = &gateways[0].sum;

    is_u64(total("schema_failures_total", "fleet", "class", "telemetry", NULL,
                 NULL, NULL),
           s->schema_failures[1], "text: data that did not match");

    is_u64(total("dedup_passed_messages_total", "fleet", "why", "taken_over",
                 NULL, NULL, NULL),
           s->dedup[GW_DEDUP_TAKEN_OVER], "text: taken over");
    is_u64(total("dedup_passed_messages_total", "fleet", "why", "below", NULL,
                 NULL, NULL),
           s->dedup[GW_DEDUP_BELOW], "text: below the window");
    is_number("0", "dedup_passed_messages_total", "fleet", "why", "untracked",
              NULL, NULL);
    is_number("", "dedup_passed_messages_total", "fleet", "why", "plain", NULL,
              NULL);
    is_number("400", "dedup_entries", "fleet", NULL, NULL, NULL, NULL);
    is_number("1000", "dedup_capacity_entries", "fleet", NULL, NULL, NULL,
              NULL);
    is_number("30", "dedup_inflight_messages", "fleet", NULL, NULL, NULL,
              NULL);
    is_number("2", "dedup_evictions_total", "fleet", NULL, NULL, NULL, NULL);
    is_u64(total("dedup_held_messages", "fleet", NULL, NULL, NULL, NULL, NULL),
           s->dedup_held, "text: resends that wait");

    is_u64(count(at(j, "dedup"), "entries"), 400, "JSON: windows");
    is_u64(count(at(j, "dedup"), "capacity"), 1000, "JSON: their room");
    is_u64(count(at(j, "dedup"), "inflight"), 30, "JSON: without an end");
    is_u64(count(at(j, "dedup"), "evictions"), 2, "JSON: made room");
    is_u64(count(at(j, "dedup"), "held"), s->dedup_held, "JSON: waiting");
    is_u64(count(at(j, "dedup"), "passed/below"), s->dedup[GW_DEDUP_BELOW],
           "JSON: below the window");
    ok(at(other, "dedup") == NULL, "JSON: no windows, no word of them");
    is_number("", "dedup_entries", ODD_GATEWAY, NULL, NULL, NULL, NULL);
}


static void
test_auth(json_t *j, json_t *other)
{
    char              worker[24];
    unsigned          i, n;
    gw_stats_slot_t  *s;

    s = &gateways[0].sum;

    is_u64(total("auth_failures_total", "fleet", "method", "none", "reason",
                 "unauthenticated", NULL),
           s->auth_failures[GW_AUTH_NONE][GW_R_UNAUTHENTICATED],
           "text: senders without credentials");
    is_u64(total("auth_failures_total", "fleet", "method", "jwt", "reason",
                 "rate_limited", NULL),
           s->auth_failures[GW_AUTH_JWT][GW_R_RATE_LIMITED],
           "text: a method and a reason of its own");
    is_u64(total("auth_failures_total", "fleet", "method", "tls", "reason",
                 "forbidden", NULL),
           s->auth_failures[GW_AUTH_TLS][GW_R_FORBIDDEN],
           "text: a reason that is rare is shown when it was met");
    is_number("0", "auth_failures_total", "fleet", "method", "tls", "reason",
              "revoked");
    is_number("", "auth_failures_total", "fleet", "method", "devices",
              "reason", "unauthenticated");
    is_number("", "auth_failures_total", "fleet", "method", "jwt", "reason",
              "forbidden");

    ok(total("auth_cache_lookups_total", "fleet", "result", "hit", NULL, NULL,
             NULL)
       == s->auth_lookups[GW_AUTH_HIT]
       && total("auth_cache_lookups_total", "fleet", "result", "negative_hit",
                NULL, NULL, NULL)
          == s->auth_lookups[GW_AUTH_NEGATIVE_HIT]
       && total("auth_cache_lookups_total", "fleet", "result", "miss", NULL,
                NULL, NULL)
          == s->auth_lookups[GW_AUTH_MISS],
       "text: what the cache said");
    ok(total("auth_cache_entries", "fleet", "kind", "positive", NULL, NULL,
             NULL)
       == s->auth_positive
       && total("auth_cache_entries", "fleet", "kind", "negative", NULL, NULL,
                NULL)
          == s->auth_negative,
       "text: what the cache holds, of the workers that live");

    n = 0;

    for (i = 0; i < gateways[0].nslots; i++) {

        if (gateways[0].slots[i].pid == 0) {
            continue;
        }

        sprintf(worker, "%u", (unsigned) gateways[0].slots[i].worker);

        n += total("auth_generation", "fleet", "worker", worker, NULL, NULL,
                   NULL)
             == gateways[0].slots[i].auth_generation;
    }

    is_u64(n, 2, "text: the generation of each worker that lives");

    ok(count(j, "auth/failures/jwt/rate_limited")
       == s->auth_failures[GW_AUTH_JWT][GW_R_RATE_LIMITED]
       && count(j, "auth/failures/none/unauthenticated")
          == s->auth_failures[GW_AUTH_NONE][GW_R_UNAUTHENTICATED]
       && at(j, "auth/failures/devices") == NULL
       && at(j, "auth/failures/jwt/revoked") == NULL,
       "JSON: failures that were met, of the methods that are asked");
    ok(count(j, "auth/cache/hits") == s->auth_lookups[GW_AUTH_HIT]
       && count(j, "auth/cache/negative_hits")
          == s->auth_lookups[GW_AUTH_NEGATIVE_HIT]
       && count(j, "auth/cache/misses") == s->auth_lookups[GW_AUTH_MISS]
       && count(j, "auth/cache/positive") == s->auth_positive
       && count(j, "auth/cache/negative") == s->auth_negative,
       "JSON: the cache");
    ok(count(j, "workers/1/auth_generation") == slots[0][1].auth_generation,
       "JSON: the generation of a worker");

    n = 0;

    for (i = 0; i < page.nseries; i++) {
        n += strncmp(page.series[i].name, "auth_", 5) == 0
             && strcmp(label(&page.series[i], "gateway"), "fleet") != 0;
    }

    is_u64(n, 0, "text: no word on senders for a gateway that asks nobody");
    ok(at(other, "auth") == NULL, "JSON: nor there");
}


/* a worker of the old configuration and one of the new have one number */

static void
test_reload(void)
{
    char     *text;
    size_t    len;
    uint64_t  worker, generation;

    worker = slots[0][1].worker;
    generation = slots[0][1].generation;

    slots[0][1].worker = slots[0][0].worker;
    slots[0][1].generation = slots[0][0].generation - 1;

    text = gw_prometheus(&view, &len);
    text = realloc(text, len + 1);
    text[len] = '\0';

    memset(&page, 0, sizeof(page));
    parse(text, len);

    is_u64(all("auth_generation", "fleet"), slots[0][0].auth_generation,
           "text: while both live the newer one is shown, once");

    free(text);

    slots[0][1].worker = worker;
    slots[0][1].generation = generation;
}


static int
holds(const char *text, size_t len, const char *what)
{
    size_t  i, n;

    n = strlen(what);

    for (i = 0; text && i + n <= len; i++) {
        if (memcmp(text + i, what, n) == 0) {
            return 1;
        }
    }

    return 0;
}


/* what a name may hold, and how the text page shows it */

static void
test_names(void)
{
    char    *text, *json, expect[64];
    size_t   i, len, json_len;
    json_t  *root, *name;

    static const struct {
        const char  *name;
        size_t       len;
        const char  *label;
        const char  *said;
    } names[] = {
        { "", 0, "", "an empty name" },
        { "a\nb", 3, "a\\nb", "a line feed" },
        { "\"\\", 2, "\\\"\\\\", "a quote and a backslash" },
        { "\xc3\xa9", 2, "\xc3\xa9", "two bytes of UTF-8" },
        { "\xe0\xa0\x80", 3, "\xe0\xa0\x80", "the first of three bytes" },
        { "\xed\x9f\xbf", 3, "\xed\x9f\xbf", "the last before surrogates" },
        { "\xf0\x90\x80\x80", 4, "\xf0\x90\x80\x80", "the first of four" },
        { "\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf", "the last of all" },
        { "a\x80z", 3, "a?z", "a byte in the midst of none" },
        { "\xc3", 1, "?", "a character cut short" },
        { "\xc3" "a", 2, "?a", "a character not gone on with" },
        { "\xc1\xbf", 2, "??", "an overlong form of two bytes" },
        { "\xe0\x9f\xbf", 3, "???", "an overlong form of three" },
        { "\xf0\x8f\xbf\xbf", 4, "????", "an overlong form of four" },
        { "\xed\xa0\x80", 3, "???", "a surrogate" },
        { "\xf4\x90\x80\x80", 4, "????", "a character above all" },
        { "\xf5\x80\x80\x80", 4, "????", "a byte that begins nothing" },
        { "\xc3\xa9\xff\"", 4, "???\\\"", "good and bad in one name" },
        { "0123456789012345678901234567890123456789", 40,
          "0123456789012345678901234567890123456789", "a long name" },
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(&gateways[0], 0, sizeof(gateways[0]));
        gateways[0].name.data = guarded(names[i].name, names[i].len);
        gateways[0].name.len = names[i].len;
        gateways[0].class_name[0] = gateways[0].name;
        gateways[0].nclasses = 1;
        view.ngateways = 1;

        text = gw_prometheus(&view, &len);
        json = gw_status_json(&view, &json_len);

        snprintf(expect, sizeof(expect),
                 "nginx_gateway_pressure{gateway=\"%s\"} 0\n",
                 names[i].label);
        ok(holds(text, len, expect), "text: %s", names[i].said);

        parse("", 0);

        if (text) {
            text = realloc(text, len + 1);
            text[len] = '\0';
            parse(text, len);
        }

        root = json ? json_loadb(json, json_len, 0, NULL) : NULL;
        name = at(root, "gateways/0/name");

        ok(name && page.nseries && strcmp(json_string_value(name),
               label(&page.series[4], "gateway")) == 0,
           "JSON: %s, the same", names[i].said);

        ok(page.nseries
           && json_object_get(at(root, "gateways/0/classes"),
                              label(&page.series[4], "gateway")),
           "JSON: %s, of a class", names[i].said);

        json_decref(root);
        free(text);
        free(json);
    }

    gateways[0].nclasses = 0;
    gateways[0].name.data = (const uint8_t *) "a\0b";
    gateways[0].name.len = 3;

    text = gw_prometheus(&view, &len);
    ok(holds(text, len, "{gateway=\"a?b\"}"),
       "text: a NUL ends neither the name nor the page");
    free(text);

    json = gw_status_json(&view, &len);
    ok(json != NULL, "JSON: nor the JSON page");
    free(json);

    view.ngateways = 0;
    text = gw_prometheus(&view, &len);
    json = gw_status_json(&view, &json_len);

    ok(text && holds(json, json_len, "\"gateways\":[]}\n"),
       "both pages are there without any gateway");

    free(text);
    free(json);
}


/* one allocation fails, those before and behind it do not */

static void *
scarce_malloc(size_t size)
{
    return allocations_left-- == 0 ? NULL : malloc(size);
}


static void
test_no_memory(void)
{
    long     n, none, torn;
    char    *json, *whole;
    size_t   len, whole_len;

    make_view();
    name_set(&gateways[1].name, "fleet");
    gateways[1].has_brokers = 1;
    view.gateways = &gateways[1];
    view.ngateways = 1;

    whole = gw_status_json(&view, &whole_len);

    json_set_alloc_funcs(scarce_malloc, free);

    none = 0;
    torn = 0;

    for (n = 0; n < 100000; n++) {
        allocations_left = n;
        json = gw_status_json(&view, &len);

        none += json == NULL;
        torn += json && (len != whole_len || memcmp(json, whole, len));
        free(json);

        if (allocations_left >= 0) {
            break;
        }
    }

    json_set_alloc_funcs(malloc, free);

    ok(none > 100 && n < 100000,
       "JSON: any of the allocations may fail, then there is no page");
    is_u64(torn, 0, "JSON: never a part of a page");

    free(whole);

#ifdef TEST_ASAN
    {
        char  *name;

        name = malloc(1 << 18);
        memset(name, '"', 1 << 18);
        gateways[1].name.data = (const uint8_t *) name;
        gateways[1].name.len = 1 << 18;

        /* the sanitizer tells of it on stderr: not amid a line of ours */

        fflush(stdout);

        ok(gw_prometheus(&view, &len) == NULL,
           "text: no memory, no page");

        /* each byte becomes six: the page outgrows its first memory */

        memset(name, '\x01', 1 << 18);
        gateways[1].name.len = 1 << 18;
        view.ngateways = 1;

        json = gw_status_json(&view, &len);
        ok(json != NULL && len > 6 << 18, "JSON: a long page is written");
        free(json);

        free(name);
    }
#endif
}


int
main(int argc, char **argv)
{
    char    *text, *json;
    FILE    *file;
    size_t   len, json_len;
    json_t  *root;

    make_view();

    ok(gw_stats_check(&gateways[0].sum) == NULL, "the books to show balance");

    text = gw_prometheus(&view, &len);
    json = gw_status_json(&view, &json_len);

    if (text == NULL || json == NULL) {
        ok(0, "there are pages");
        return done_testing();
    }

    if (argc > 1) {
        file = fopen(argv[1], "w");
        if (file == NULL || fwrite(text, 1, len, file) != len
            || fclose(file) != 0)
        {
            perror(argv[1]);
            return 2;
        }
    }

    text = realloc(text, len + 1);
    text[len] = '\0';
    parse(text, len);

    test_format(text, len);
    test_histograms();

    ok(memchr(json, '\n', json_len) == json + json_len - 1,
       "the JSON page is one line");

    root = json_loadb(json, json_len, JSON_REJECT_DUPLICATES, NULL);

    ok(json_array_size(at(root, "gateways")) == 2, "the JSON page is JSON");

    test_process(root);
    test_gateway(at(root, "gateways/0"), 0);
    test_gateway(at(root, "gateways/1"), 1);
    test_kafka(at(root, "gateways/0"), at(root, "gateways/1"));
    test_workers(at(root, "gateways/0"));
    test_auth(at(root, "gateways/0"), at(root, "gateways/1"));
    test_dedup(at(root, "gateways/0"), at(root, "gateways/1"));

    json_decref(root);
    free(json);
    free(text);

    test_reload();
    test_names();
    test_no_memory();

    return done_testing();
}
