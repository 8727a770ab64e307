/*
 * load_options.c - the command line of the load; --help describes it.  A
 * value that is half a number is refused: a run with another rate than the
 * one asked for would be judged as if it had the latter.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"


typedef enum {
    LOAD_OPT_PROTOCOL = 256,
    LOAD_OPT_ADDRESS,
    LOAD_OPT_URI,
    LOAD_OPT_CONNECTIONS,
    LOAD_OPT_COUNT,
    LOAD_OPT_RATE,
    LOAD_OPT_BATCH,
    LOAD_OPT_FORM,
    LOAD_OPT_CLASSES,
    LOAD_OPT_ACK,
    LOAD_OPT_ACKLEVEL,
    LOAD_OPT_SEED,
    LOAD_OPT_PAD,
    LOAD_OPT_PLAIN,
    LOAD_OPT_SOURCES,
    LOAD_OPT_RETRY,
    LOAD_OPT_RESET_EVERY,
    LOAD_OPT_RESEND,
    LOAD_OPT_RESEND_OTHER,
    LOAD_OPT_RESEND_DEPTH,
    LOAD_OPT_MAX_SECONDS,
    LOAD_OPT_GRACE,
    LOAD_OPT_SENT,
    LOAD_OPT_WARMUP,
    LOAD_OPT_HELP
} load_opt_e;


static int load_options_set(load_options_t *o, int opt, const char *value);
static int load_options_check(load_options_t *o);
static int load_options_number(const char *value, uint64_t min, uint64_t max,
    uint64_t *number);
static int load_options_unsigned(const char *value, unsigned min,
    unsigned max, unsigned *number);
static int load_options_seconds(const char *value, uint64_t *us);
static int load_options_choice(const char *value, const char *const *choices,
    unsigned *choice);
static int load_options_protocol(load_options_t *o, const char *value);
static int load_options_address(load_options_t *o, const char *value);
static int load_options_classes(load_options_t *o, const char *value);


static const char  load_options_help[] =
"usage: load --address ADDRESS:PORT [OPTION...]\n"
"  --protocol http         the only one so far\n"
"  --address 127.0.0.1:80  the server\n"
"  --uri URI               /v1/messages\n"
"  --connections N         each is a device (1)\n"
"  --count N               attempts in all; without it until --max-seconds\n"
"                          or SIGTERM\n"
"  --rate N                messages per second over all connections; 0, the\n"
"                          default: each sends when it was answered\n"
"  --batch N               messages of a request (1)\n"
"  --form array|ndjson     of a batch (array); given, it holds for one too\n"
"  --classes NAME=WEIGHT,...  telemetry=70,heartbeat=20,control=10\n"
"  --ack LEVEL             asks for delivered or queued; default: does not\n"
"  --acklevel LEVEL        what the server does when not asked (delivered)\n"
"  --seed N                devices are named dN-INDEX (1)\n"
"  --pad BYTES             of an envelope on average (some 255)\n"
"  --plain                 compact telemetry of which only digits vary\n"
"  --sources N             client addresses, from 127.0.0.1 on (1)\n"
"  --retry none|refused    refused: what may be tried again is, after\n"
"                          Retry-After or 2 s, up to 5 times in all\n"
"  --reset-every N         a connection is closed after N answers, every\n"
"                          second one with a reset\n"
"  --resend PERCENT        of the requests send again what another device has\n"
"                          sent: answered, failed or on its way (0)\n"
"  --resend-other PERCENT  of the messages of these have another payload (0)\n"
"  --resend-depth N        how many numbers a resend may be behind (48)\n"
"  --max-seconds S         ends sending\n"
"  --grace S               waits so long for the last answers (10)\n"
"  --warmup N              requests that are not measured\n"
"  --sent FILE             where each attempt and its end is written\n"
"Exit code: 0 every attempt has its end, 1 internal error, 2 usage.\n";


static const struct option  load_options_long[] = {
    { "protocol",    required_argument, NULL, LOAD_OPT_PROTOCOL },
    { "address",     required_argument, NULL, LOAD_OPT_ADDRESS },
    { "uri",         required_argument, NULL, LOAD_OPT_URI },
    { "connections", required_argument, NULL, LOAD_OPT_CONNECTIONS },
    { "count",       required_argument, NULL, LOAD_OPT_COUNT },
    { "rate",        required_argument, NULL, LOAD_OPT_RATE },
    { "batch",       required_argument, NULL, LOAD_OPT_BATCH },
    { "form",        required_argument, NULL, LOAD_OPT_FORM },
    { "classes",     required_argument, NULL, LOAD_OPT_CLASSES },
    { "ack",         required_argument, NULL, LOAD_OPT_ACK },
    { "acklevel",    required_argument, NULL, LOAD_OPT_ACKLEVEL },
    { "seed",        required_argument, NULL, LOAD_OPT_SEED },
    { "pad",         required_argument, NULL, LOAD_OPT_PAD },
    { "plain",       no_argument,       NULL, LOAD_OPT_PLAIN },
    { "sources",     required_argument, NULL, LOAD_OPT_SOURCES },
    { "retry",       required_argument, NULL, LOAD_OPT_RETRY },
    { "reset-every", required_argument, NULL, LOAD_OPT_RESET_EVERY },
    { "resend",      required_argument, NULL, LOAD_OPT_RESEND },
    { "resend-other", required_argument, NULL, LOAD_OPT_RESEND_OTHER },
    { "resend-depth", required_argument, NULL, LOAD_OPT_RESEND_DEPTH },
    { "max-seconds", required_argument, NULL, LOAD_OPT_MAX_SECONDS },
    { "grace",       required_argument, NULL, LOAD_OPT_GRACE },
    { "sent",        required_argument, NULL, LOAD_OPT_SENT },
    { "warmup",      required_argument, NULL, LOAD_OPT_WARMUP },
    { "help",        no_argument,       NULL, LOAD_OPT_HELP },
    { NULL,          0,                 NULL, 0 }
};


static const load_protocol_t *const  load_protocols[] = { &load_http, NULL };

static const char *const  load_levels[] = {
    "delivered", "queued", "default", NULL
};

static const char *const  load_forms[] = { "array", "ndjson", NULL };
static const char *const  load_retries[] = { "none", "refused", NULL };


int
load_options(load_options_t *o, int argc, char **argv, int *code)
{
    int  opt;

    memset(o, 0, sizeof(load_options_t));

    o->protocol = &load_http;
    o->uri = "/v1/messages";
    o->connections = 1;
    o->count = UINT64_MAX;
    o->batch = 1;
    o->ack_level = load_levels[0];
    o->seed = 1;
    o->sources = 1;
    o->grace = 10 * 1000000;
    o->resend_depth = 48;

    load_options_classes(o, "telemetry=70,heartbeat=20,control=10");

    *code = 2;

    for ( ;; ) {
        opt = getopt_long(argc, argv, "", load_options_long, NULL);

        if (opt == -1) {
            break;
        }

        if (opt == LOAD_OPT_HELP) {
            fputs(load_options_help, stdout);
            *code = 0;
            return -1;
        }

        if (opt == '?') {
            return -1;
        }

        if (load_options_set(o, opt, optarg) != 0) {
            fprintf(stderr, "load: invalid --%s \"%s\"\n",
                    load_options_long[opt - LOAD_OPT_PROTOCOL].name, optarg);
            return -1;
        }
    }

    if (optind < argc) {
        fprintf(stderr, "load: unexpected \"%s\"\n", argv[optind]);
        return -1;
    }

    return load_options_check(o);
}


static int
load_options_set(load_options_t *o, int opt, const char *value)
{
    int       rc;
    unsigned  n;
    uint64_t  number;

    switch (opt) {

    case LOAD_OPT_PROTOCOL:
        return load_options_protocol(o, value);

    case LOAD_OPT_ADDRESS:
        return load_options_address(o, value);

    case LOAD_OPT_URI:
        o->uri = value;
        return value[0] == '/' ? 0 : -1;

    case LOAD_OPT_CONNECTIONS:
        return load_options_unsigned(value, 1, 1000000, &o->connections);

    case LOAD_OPT_COUNT:
        return load_options_number(value, 0, UINT64_MAX, &o->count);

    case LOAD_OPT_RATE:
        return load_options_number(value, 0, 100000000, &o->rate);

    case LOAD_OPT_BATCH:
        return load_options_unsigned(value, 1, 100000, &o->batch);

    case LOAD_OPT_FORM:
        rc = load_options_choice(value, load_forms, &n);
        o->form = n ? LOAD_FORM_NDJSON : LOAD_FORM_ARRAY;
        return rc;

    case LOAD_OPT_CLASSES:
        return load_options_classes(o, value);

    case LOAD_OPT_ACK:
        rc = load_options_choice(value, load_levels, &n);
        o->prefer = n < 2 ? load_levels[n] : NULL;
        return rc;

    case LOAD_OPT_ACKLEVEL:
        rc = load_options_choice(value, load_levels, &n);
        o->ack_level = load_levels[n];
        return n < 2 ? rc : -1;

    case LOAD_OPT_SEED:
        return load_options_number(value, 0, UINT64_MAX, &o->seed);

    case LOAD_OPT_PAD:
        rc = load_options_number(value, 0, BODIES_PAD_MAX, &number);
        o->pad = number;
        return rc;

    case LOAD_OPT_PLAIN:
        o->plain = 1;
        return 0;

    case LOAD_OPT_SOURCES:
        return load_options_unsigned(value, 1, 65000, &o->sources);

    case LOAD_OPT_RETRY:
        return load_options_choice(value, load_retries, &o->retry);

    case LOAD_OPT_RESET_EVERY:
        return load_options_unsigned(value, 0, 1000000000, &o->reset_every);

    case LOAD_OPT_RESEND:
        return load_options_unsigned(value, 0, 90, &o->resend);

    case LOAD_OPT_RESEND_OTHER:
        return load_options_unsigned(value, 0, 100, &o->resend_other);

    case LOAD_OPT_RESEND_DEPTH:
        return load_options_unsigned(value, 1, 65536, &o->resend_depth);

    case LOAD_OPT_MAX_SECONDS:
        return load_options_seconds(value, &o->max_time);

    case LOAD_OPT_GRACE:
        return load_options_seconds(value, &o->grace);

    case LOAD_OPT_SENT:
        o->sent = value;
        return value[0] ? 0 : -1;

    default: /* LOAD_OPT_WARMUP */
        return load_options_number(value, 0, UINT64_MAX, &o->warmup);
    }
}


static int
load_options_check(load_options_t *o)
{
    if (o->host == NULL) {
        fprintf(stderr, "load: --address is missing\n");
        return -1;
    }

    if (o->prefer) {
        o->ack_level = o->prefer;
    }

    if (o->batch > 1 && o->form == LOAD_FORM_ONE) {
        o->form = LOAD_FORM_ARRAY;
    }

    return 0;
}


static int
load_options_number(const char *value, uint64_t min, uint64_t max,
    uint64_t *number)
{
    char                *end;
    unsigned long long   n;

    if (*value < '0' || *value > '9') {
        return -1;
    }

    errno = 0;
    n = strtoull(value, &end, 10);

    if (errno || *end || n < min || n > max) {
        return -1;
    }

    *number = n;

    return 0;
}


static int
load_options_unsigned(const char *value, unsigned min, unsigned max,
    unsigned *number)
{
    uint64_t  n;

    if (load_options_number(value, min, max, &n) != 0) {
        return -1;
    }

    *number = (unsigned) n;

    return 0;
}


static int
load_options_seconds(const char *value, uint64_t *us)
{
    char    *end;
    double   n;

    if (*value < '0' || *value > '9') {
        return -1;
    }

    n = strtod(value, &end);

    if (*end || !(n <= 1e6)) {
        return -1;
    }

    *us = (uint64_t) (n * 1e6);

    return 0;
}


static int
load_options_choice(const char *value, const char *const *choices,
    unsigned *choice)
{
    unsigned  i;

    *choice = 0;

    for (i = 0; choices[i]; i++) {
        if (strcmp(value, choices[i]) == 0) {
            *choice = i;
            return 0;
        }
    }

    return -1;
}


static int
load_options_protocol(load_options_t *o, const char *value)
{
    unsigned  i;

    for (i = 0; load_protocols[i]; i++) {
        if (strcmp(value, load_protocols[i]->name) == 0) {
            o->protocol = load_protocols[i];
            return 0;
        }
    }

    return -1;
}


static int
load_options_address(load_options_t *o, const char *value)
{
    char         host[INET_ADDRSTRLEN];
    size_t       len;
    unsigned     port;
    const char  *colon;

    colon = strchr(value, ':');

    if (colon == NULL
        || load_options_unsigned(colon + 1, 1, 65535, &port) != 0)
    {
        return -1;
    }

    len = (size_t) (colon - value);

    if (len >= sizeof(host)) {
        return -1;
    }

    memcpy(host, value, len);
    host[len] = '\0';

    o->host = value;
    o->address.sin_family = AF_INET;
    o->address.sin_port = htons((uint16_t) port);

    return inet_pton(AF_INET, host, &o->address.sin_addr) == 1 ? 0 : -1;
}


static int
load_options_classes(load_options_t *o, const char *value)
{
    char         number[16];
    size_t       len;
    unsigned     n;
    const char  *equal, *end;

    n = 0;
    o->weight = 0;

    for ( ;; ) {
        equal = strchr(value, '=');

        if (equal == NULL || n == BODIES_CLASSES_MAX) {
            return -1;
        }

        len = (size_t) (equal - value);

        if (len == 0 || len >= LOAD_NAME_MAX
            || strspn(value, "abcdefghijklmnopqrstuvwxyz"
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-") != len)
        {
            return -1;
        }

        memcpy(o->names[n], value, len);
        o->names[n][len] = '\0';
        o->classes[n] = o->names[n];

        value = equal + 1;
        end = value + strcspn(value, ",");
        len = (size_t) (end - value);

        if (len >= sizeof(number)) {
            return -1;
        }

        memcpy(number, value, len);
        number[len] = '\0';

        if (load_options_unsigned(number, 0, 1000000, &o->weights[n]) != 0) {
            return -1;
        }

        o->weight += o->weights[n++];

        if (*end == '\0') {
            break;
        }

        value = end + 1;
    }

    o->nclasses = n;

    return o->weight ? 0 : -1;
}
