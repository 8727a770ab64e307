/*
 * load_http.c - HTTP/1.1: messages as one request, an answer as their
 * outcomes.
 *
 * What the gateway promised is read here.  Were an answer taken for more
 * than it says, the ledger would look for messages that nobody has promised;
 * were it taken for less, it would not miss those that are gone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"


#define LOAD_HTTP_HEAD_MAX   1024     /* bytes of the head of a request */
#define LOAD_HTTP_LENGTH_MAX 20       /* digits of Content-Length */
#define LOAD_HTTP_ANSWER_MAX 16777216 /* bytes of a body; above: no answer */

#define load_http_is(h, s)                                                    \
    ((h)->name_len == sizeof(s) - 1 && ((h)->name[0] | 0x20) == (s[0] | 0x20) \
     && strncasecmp((const char *) (h)->name, s, sizeof(s) - 1) == 0)


/* the fixed part of each request, up to the digits of Content-Length */

static char    load_http_head[LOAD_HTTP_HEAD_MAX];
static size_t  load_http_head_len;


typedef struct {
    const uint8_t  *name;
    const uint8_t  *value;
    size_t          name_len;
    size_t          value_len;
} load_http_header_t;


typedef struct {
    unsigned        status;
    unsigned        keepalive;
    unsigned        chunked;
    unsigned        has_length;
    uint64_t        length;
    unsigned        has_retry;
    unsigned        retry;               /* s */
    load_outcome_e  result;              /* of Gateway-Result */
    uint8_t        *body;
    size_t          body_len;
} load_http_answer_t;


/* what a JSON body says: of a batch, or of a refusal */

typedef struct {
    uint64_t      delivered;
    uint64_t      spooled;
    uint64_t      queued;
    uint64_t      duplicate;
    uint64_t      failed;
    uint64_t      messages;
    uint64_t      errors;                /* that were listed */
    const char   *reason;
    unsigned      dead;                  /* it is in the dead letter topic */
} load_http_body_t;


typedef struct {
    const uint8_t  *pos;
    const uint8_t  *last;
    const uint8_t  *text;                /* of the token, without quotes */
    size_t          len;
} load_http_json_t;


static int load_http_init(load_t *l);
static size_t load_http_request_max(load_t *l);
static uint8_t *load_http_encode(load_t *l, uint32_t device, load_msg_t *msgs,
    unsigned n, size_t *len);
static ssize_t load_http_decode(load_t *l, load_msg_t *msgs, unsigned n,
    uint8_t *buf, size_t len, int eof, load_answer_t *answer);
static ssize_t load_http_parse(load_http_answer_t *a, uint8_t *buf,
    size_t len, int eof);
static ssize_t load_http_parse_head(load_http_answer_t *a,
    const uint8_t *buf, size_t len);
static int load_http_header(load_http_answer_t *a,
    const load_http_header_t *h);
static ssize_t load_http_dechunk(load_http_answer_t *a, uint8_t *buf,
    size_t len);
static int load_http_digits(const uint8_t *p, size_t len, uint64_t *n);
static int load_http_has(const uint8_t *p, size_t len, const char *s);
static void load_http_judge(const load_http_answer_t *a,
    const load_http_body_t *body, load_msg_t *msg);
static void load_http_judge_batch(load_http_answer_t *a, load_msg_t *msgs,
    unsigned n);
static void load_http_judge_item(load_msg_t *msg, unsigned status,
    const char *reason, unsigned dead);
static void load_http_all(load_msg_t *msgs, unsigned n,
    load_outcome_e outcome, unsigned status, const char *reason);
static int load_http_body(const load_http_answer_t *a, load_http_body_t *body,
    load_msg_t *msgs, unsigned n);
static void load_http_body_problem(load_http_body_t *body, const char *key,
    const load_http_json_t *json);
static int load_http_json_next(load_http_json_t *json);


const load_protocol_t  load_http = {
    "http",
    load_http_init,
    load_http_request_max,
    load_http_encode,
    load_http_decode
};


static int
load_http_init(load_t *l)
{
    int                    n;
    const load_options_t  *o;

    o = &l->options;

    n = snprintf(load_http_head, sizeof(load_http_head),
                 "POST %s HTTP/1.1\r\n"
                 "Host: %s\r\n"
                 "Content-Type: application/%s\r\n"
                 "%s%s%s"
                 "Content-Length: ",
                 o->uri, o->host,
                 o->form == LOAD_FORM_NDJSON ? "x-ndjson" : "json",
                 o->prefer ? "Prefer: gateway-ack=" : "",
                 o->prefer ? o->prefer : "", o->prefer ? "\r\n" : "");

    if (n < 0 || (size_t) n >= sizeof(load_http_head)) {
        fprintf(stderr, "load: the URI is too long\n");
        return -1;
    }

    load_http_head_len = (size_t) n;

    return 0;
}


static size_t
load_http_request_max(load_t *l)
{
    return LOAD_HTTP_HEAD_MAX + LOAD_HTTP_LENGTH_MAX + 4 + 2
           + l->options.batch * (bodies_max(l->bodies) + 1);
}


/*
 * The body comes first, at a place that leaves room for any head; the head
 * then ends where the body begins.
 */

static uint8_t *
load_http_encode(load_t *l, uint32_t device, load_msg_t *msgs, unsigned n,
    size_t *len)
{
    size_t       size;
    uint8_t     *p, *body, *start;
    unsigned     i;
    load_form_e  form;

    form = l->options.form;
    body = l->out + LOAD_HTTP_HEAD_MAX + LOAD_HTTP_LENGTH_MAX + 4;
    p = body;

    if (form == LOAD_FORM_ARRAY) {
        *p++ = '[';
    }

    for (i = 0; i < n; i++) {

        if (i && form == LOAD_FORM_ARRAY) {
            *p++ = ',';
        }

        start = p;
        p = bodies_write(l->bodies, device, msgs[i].seq, msgs[i].class_index,
                         msgs[i].other, p);

        l->spans[i].data = start;
        l->spans[i].len = (size_t) (p - start);

        if (form == LOAD_FORM_NDJSON) {
            *p++ = '\n';
        }
    }

    if (form == LOAD_FORM_ARRAY) {
        *p++ = ']';
    }

    size = (size_t) (p - body);

    start = body - 4;
    memcpy(start, "\r\n\r\n", 4);

    do {
        *--start = (uint8_t) ('0' + size % 10);
        size /= 10;
    } while (size);

    start -= load_http_head_len;
    memcpy(start, load_http_head, load_http_head_len);

    *len = (size_t) (p - start);

    return start;
}


static ssize_t
load_http_decode(load_t *l, load_msg_t *msgs, unsigned n, uint8_t *buf,
    size_t len, int eof, load_answer_t *answer)
{
    size_t              skipped;
    ssize_t             rc;
    unsigned            i;
    load_http_body_t    body;
    load_http_answer_t  a;

    skipped = 0;

    for ( ;; ) {
        rc = load_http_parse(&a, buf + skipped, len - skipped, eof);

        if (rc <= 0) {
            return rc;
        }

        skipped += (size_t) rc;

        /* an interim answer is not yet the one */

        if (a.status >= 200) {
            break;
        }
    }

    answer->done = 1;
    answer->close = !a.keepalive;
    answer->retry = a.has_retry ? a.retry * 1000 : 0;

    if (l->options.form != LOAD_FORM_ONE
        && (a.status == 200 || a.status == 207))
    {
        load_http_judge_batch(&a, msgs, n);

    } else {
        memset(&body, 0, sizeof(body));
        body.reason = load_reason(NULL, 0);

        /* a body that is no JSON tells nothing, the status still does */

        if (a.status >= 300) {
            (void) load_http_body(&a, &body, NULL, 0);
        }

        for (i = 0; i < n; i++) {
            load_http_judge(&a, &body, &msgs[i]);
        }
    }

    /* who is not told when has no right to come back */

    if (!a.has_retry) {
        for (i = 0; i < n; i++) {
            msgs[i].retryable = 0;
        }
    }

    return (ssize_t) skipped;
}


/* a whole answer: bytes consumed; 0: more is needed; -1: it is none */

static ssize_t
load_http_parse(load_http_answer_t *a, uint8_t *buf, size_t len, int eof)
{
    ssize_t  head, rc;

    head = load_http_parse_head(a, buf, len);

    if (head <= 0) {
        return head;
    }

    buf += head;
    len -= (size_t) head;

    a->body = buf;
    a->body_len = 0;

    if (a->status < 200 || a->status == 204 || a->status == 304) {
        return head;
    }

    if (a->chunked) {
        rc = load_http_dechunk(a, buf, len);

        return rc > 0 ? head + rc : rc;
    }

    if (a->has_length) {

        if (a->length > LOAD_HTTP_ANSWER_MAX) {
            return -1;
        }

        if (len < a->length) {
            return 0;
        }

        a->body_len = (size_t) a->length;

        return head + (ssize_t) a->length;
    }

    /* without either the end of the connection is the end of the body */

    if (!eof) {
        return len > LOAD_HTTP_ANSWER_MAX ? -1 : 0;
    }

    a->keepalive = 0;
    a->body_len = len;

    return head + (ssize_t) len;
}


static ssize_t
load_http_parse_head(load_http_answer_t *a, const uint8_t *buf, size_t len)
{
    const uint8_t       *p, *last, *end, *line, *colon;
    load_http_header_t   h;

    p = buf;
    last = buf + len;

    end = memchr(p, '\n', len);

    if (end == NULL) {
        return len > LOAD_HTTP_HEAD_MAX ? -1 : 0;
    }

    /* HTTP/1.1 200 */

    if (end - p < 12 || memcmp(p, "HTTP/1.", 7) != 0 || p[8] != ' ') {
        return -1;
    }

    if (p[9] < '1' || p[9] > '5' || p[10] < '0' || p[10] > '9'
        || p[11] < '0' || p[11] > '9')
    {
        return -1;
    }

    memset(a, 0, sizeof(load_http_answer_t));
    a->keepalive = p[7] != '0';
    a->status = (unsigned) (p[9] - '0') * 100 + (unsigned) (p[10] - '0') * 10
                + (unsigned) (p[11] - '0');

    for ( ;; ) {
        line = end + 1;

        end = memchr(line, '\n', (size_t) (last - line));

        if (end == NULL) {
            return 0;
        }

        if (end == line || (end == line + 1 && *line == '\r')) {
            return end + 1 - buf;
        }

        colon = memchr(line, ':', (size_t) (end - line));

        if (colon == NULL) {
            return -1;
        }

        h.name = line;
        h.name_len = (size_t) (colon - line);

        do {
            colon++;
        } while (*colon == ' ' || *colon == '\t');

        h.value = colon;
        p = end;

        while (p > colon && (p[-1] == '\r' || p[-1] == ' ' || p[-1] == '\t')) {
            p--;
        }

        h.value_len = (size_t) (p - colon);

        if (load_http_header(a, &h) != 0) {
            return -1;
        }
    }
}


static int
load_http_header(load_http_answer_t *a, const load_http_header_t *h)
{
    uint64_t  n;
    unsigned  i;

    static const struct {
        const char      *name;
        load_outcome_e   outcome;
    } results[] = {
        { "delivered", LOAD_ACK },
        { "spooled", LOAD_ACK },
        { "queued", LOAD_QUEUED },
        { "duplicate", LOAD_DUP },
        { NULL, LOAD_PENDING }
    };

    switch (h->name_len) {

    case sizeof("Connection") - 1:
        if (load_http_is(h, "Connection")) {

            if (load_http_has(h->value, h->value_len, "close")) {
                a->keepalive = 0;

            } else if (load_http_has(h->value, h->value_len, "keep-alive")) {
                a->keepalive = 1;
            }
        }

        break;

    case sizeof("Retry-After") - 1:
        if (load_http_is(h, "Retry-After")
            && load_http_digits(h->value, h->value_len, &n) == 0)
        {
            a->has_retry = 1;
            a->retry = n > 3600 ? 3600 : (unsigned) n;
        }

        break;

    /* Gateway-Result and Content-Length are of one length */

    case sizeof("Content-Length") - 1:
        if (load_http_is(h, "Content-Length")) {

            if (load_http_digits(h->value, h->value_len, &n) != 0
                || (a->has_length && a->length != n))
            {
                return -1;
            }

            a->has_length = 1;
            a->length = n;
            break;
        }

        if (!load_http_is(h, "Gateway-Result")) {
            break;
        }

        for (i = 0; results[i].name; i++) {
            if (strlen(results[i].name) == h->value_len
                && memcmp(results[i].name, h->value, h->value_len) == 0)
            {
                a->result = results[i].outcome;
            }
        }

        break;

    case sizeof("Transfer-Encoding") - 1:
        if (load_http_is(h, "Transfer-Encoding")) {

            if (!load_http_has(h->value, h->value_len, "chunked")) {
                return -1;
            }

            a->chunked = 1;
        }

        break;
    }

    return 0;
}


/*
 * RFC 9112, 7.1.  The first pass only looks whether all is there, so that
 * nothing has moved when more is needed.
 */

static ssize_t
load_http_dechunk(load_http_answer_t *a, uint8_t *buf, size_t len)
{
    uint8_t   *p, *line, *last, *dst, *end;
    uint64_t   size;
    unsigned   pass, digit;

    last = buf + len;
    dst = buf;

    for (pass = 0; pass < 2; pass++) {
        p = buf;

        do {
            end = memchr(p, '\n', (size_t) (last - p));

            if (end == NULL) {
                return last - p > LOAD_HTTP_HEAD_MAX ? -1 : 0;
            }

            size = 0;

            for (line = p; line < end; line++) {
                digit = (unsigned) *line - '0';

                if (digit > 9) {
                    digit = ((unsigned) *line | 0x20) - 'a' + 10;

                    if (digit < 10 || digit > 15) {
                        break;
                    }
                }

                size = size * 16 + digit;

                if (size > LOAD_HTTP_ANSWER_MAX) {
                    return -1;
                }
            }

            /* what may follow is an extension */

            if (line == p || (*line != '\r' && *line != '\n' && *line != ';'
                              && *line != ' '))
            {
                return -1;
            }

            p = end + 1;

            if (size == 0) {
                break;
            }

            if ((uint64_t) (last - p) < size + 2) {
                return last - buf > LOAD_HTTP_ANSWER_MAX ? -1 : 0;
            }

            if (p[size] != '\r' || p[size + 1] != '\n') {
                return -1;
            }

            if (pass) {
                memmove(dst, p, size);
                dst += size;
            }

            p += size + 2;

        } while (size);

        /* trailers, up to an empty line */

        for ( ;; ) {
            end = memchr(p, '\n', (size_t) (last - p));

            if (end == NULL) {
                return 0;
            }

            size = (uint64_t) (end - p);
            line = p;
            p = end + 1;

            if (size == 0 || (size == 1 && *line == '\r')) {
                break;
            }
        }
    }

    a->body = buf;
    a->body_len = (size_t) (dst - buf);

    return p - buf;
}


static int
load_http_digits(const uint8_t *p, size_t len, uint64_t *n)
{
    uint64_t        v;
    const uint8_t  *last;

    if (len == 0 || len > 18) {
        return -1;
    }

    v = 0;

    for (last = p + len; p < last; p++) {
        if (*p < '0' || *p > '9') {
            return -1;
        }

        v = v * 10 + (uint64_t) (*p - '0');
    }

    *n = v;

    return 0;
}


/* s begins with a small letter; letters are of either case */

static int
load_http_has(const uint8_t *p, size_t len, const char *s)
{
    size_t  i, n;

    n = strlen(s);

    for (i = 0; i + n <= len; i++) {
        if ((p[i] | 0x20) == s[0]
            && strncasecmp((const char *) p + i, s, n) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* one message, or a batch that was answered as one */

static void
load_http_judge(const load_http_answer_t *a, const load_http_body_t *body,
    load_msg_t *msg)
{
    if (a->status >= 300) {
        load_http_judge_item(msg, a->status, body->reason, body->dead);

        msg->retryable = msg->outcome == LOAD_REFUSED
                         && (a->status == 429 || a->status == 503);
        return;
    }

    msg->retryable = 0;
    msg->status = (uint16_t) a->status;
    msg->reason = load_reason(NULL, 0);
    msg->outcome = (uint8_t) a->result;

    /*
     * A device that looks at the status only takes 200 for a promise.  So it
     * is one, but told apart by its reason.
     */

    if (a->result == LOAD_PENDING) {
        msg->outcome = a->status == 202 ? LOAD_QUEUED : LOAD_ACK;
        msg->reason = load_reason((const uint8_t *) load_lit("no_result"));
    }
}


/*
 * The counts of a batch tell how many ended which way, not who: with several
 * good ends each message gets the weakest promise, and messages sent again
 * are the first that may be duplicates.
 */

static void
load_http_judge_batch(load_http_answer_t *a, load_msg_t *msgs, unsigned n)
{
    unsigned          i, pass;
    const char       *none;
    load_http_body_t  body;

    none = load_reason(NULL, 0);

    for (i = 0; i < n; i++) {
        msgs[i].outcome = LOAD_PENDING;
    }

    if (load_http_body(a, &body, msgs, n) != 0
        || body.messages != n || body.errors > body.failed
        || (a->status == 200) != (body.failed == 0)
        || body.delivered + body.spooled + body.queued + body.duplicate
           + body.failed != n)
    {
        load_http_all(msgs, n, LOAD_UNKNOWN, a->status,
                      load_reason((const uint8_t *) load_lit("no_result")));
        return;
    }

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < n && body.duplicate; i++) {

            if (msgs[i].outcome == LOAD_PENDING
                && (pass || msgs[i].try > 1)
                && (pass == 0 || body.delivered + body.spooled + body.queued
                                 == 0))
            {
                load_http_all(&msgs[i], 1, LOAD_DUP, a->status, none);
                body.duplicate--;
            }
        }
    }

    for (i = 0; i < n; i++) {

        if (msgs[i].outcome != LOAD_PENDING) {
            continue;
        }

        /* which of them failed is not known when one is not listed */

        load_http_all(&msgs[i], 1, body.errors < body.failed ? LOAD_UNKNOWN
                                   : body.queued ? LOAD_QUEUED : LOAD_ACK,
                      a->status, none);
    }
}


/* a refusal, of which the reason says more than the status */

static void
load_http_judge_item(load_msg_t *msg, unsigned status, const char *reason,
    unsigned dead)
{
    unsigned  i;

    static const char *const  again[] = {
        "rate_limited", "pressure", "full", "expired", "draining",
        "upstream", NULL
    };

    msg->status = (uint16_t) status;
    msg->reason = reason;
    msg->outcome = LOAD_REFUSED;
    msg->retryable = 0;

    if (strcmp(reason, "timeout") == 0 || strcmp(reason, "lost") == 0) {
        msg->outcome = LOAD_UNKNOWN;
        return;
    }

    if (dead && strcmp(reason, "upstream_rejected") == 0) {
        msg->outcome = LOAD_DLQ;
        return;
    }

    /* an error of the server that is not the gateway's own says nothing */

    if ((status == 500 && strcmp(reason, "internal") != 0) || status >= 504) {
        msg->outcome = LOAD_UNKNOWN;
        return;
    }

    for (i = 0; again[i]; i++) {
        if (strcmp(reason, again[i]) == 0) {
            msg->retryable = 1;
        }
    }
}


static void
load_http_all(load_msg_t *msgs, unsigned n, load_outcome_e outcome,
    unsigned status, const char *reason)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        msgs[i].outcome = (uint8_t) outcome;
        msgs[i].status = (uint16_t) status;
        msgs[i].reason = reason;
        msgs[i].retryable = 0;
    }
}


/*
 * The members that matter, wherever they stand; with msgs the items of
 * "errors" are judged.  -1: it is no such body, body is of no use.
 */

static int
load_http_body(const load_http_answer_t *a, load_http_body_t *body,
    load_msg_t *msgs, unsigned n)
{
    int                token;
    char               key[16];
    unsigned           depth, errors, i;
    uint64_t           number, index;
    load_http_body_t   item;
    load_http_json_t   json;

    struct {
        const char  *name;
        uint64_t    *to;
    } counts[] = {
        { "messages", &body->messages },
        { "delivered", &body->delivered },
        { "spooled", &body->spooled },
        { "queued", &body->queued },
        { "duplicate", &body->duplicate },
        { "failed", &body->failed },
        { NULL, NULL }
    };

    memset(body, 0, sizeof(load_http_body_t));
    memset(&item, 0, sizeof(item));
    body->reason = load_reason(NULL, 0);

    json.pos = a->body;
    json.last = a->body + a->body_len;
    json.text = a->body;
    json.len = 0;

    depth = 0;
    errors = 0;
    index = UINT64_MAX;
    key[0] = '\0';

    for ( ;; ) {
        token = load_http_json_next(&json);

        switch (token) {

        case 0:
            return depth == 0 ? 0 : -1;

        case '{':
        case '[':
            depth++;

            if (depth == 2) {
                errors = token == '[' && strcmp(key, "errors") == 0;
            }

            memset(&item, 0, sizeof(item));
            item.reason = load_reason(NULL, 0);
            index = UINT64_MAX;
            key[0] = '\0';
            continue;

        case '}':
        case ']':
            if (depth-- == 0) {
                return -1;
            }

            if (depth == 2 && errors && msgs) {

                if (index >= n || msgs[index].outcome != LOAD_PENDING) {
                    return -1;
                }

                load_http_judge_item(&msgs[index], a->status, item.reason,
                                     item.dead);
                body->errors++;
            }

            continue;

        case ':':
            i = json.len < sizeof(key) ? (unsigned) json.len : 0;
            memcpy(key, json.text, i);
            key[i] = '\0';
            continue;

        case '"':
        case '0':
            break;

        case ',':
            key[0] = '\0';
            continue;

        default:
            return -1;
        }

        if (key[0] == '\0') {
            continue;
        }

        if (depth == 1 && token == '"') {
            load_http_body_problem(body, key, &json);
            continue;
        }

        if (depth == 3 && errors && token == '"') {
            load_http_body_problem(&item, key, &json);
            continue;
        }

        if (token != '0'
            || load_http_digits(json.text, json.len, &number) != 0)
        {
            continue;
        }

        if (depth == 3 && strcmp(key, "index") == 0) {
            index = number;
        }

        for (i = 0; depth == 1 && counts[i].name; i++) {
            if (strcmp(key, counts[i].name) == 0) {
                *counts[i].to = number;
            }
        }
    }
}


static void
load_http_body_problem(load_http_body_t *body, const char *key,
    const load_http_json_t *json)
{
    const uint8_t  *p;

    if (strcmp(key, "detail") == 0) {
        body->dead = load_http_has(json->text, json->len,
                                   "in the dead letter topic");
        return;
    }

    if (strcmp(key, "type") != 0 && strcmp(key, "error") != 0) {
        return;
    }

    /* the last part of urn:nginx-gateway:problem:malformed */

    p = json->text + json->len;

    while (p > json->text && p[-1] != ':' && p[-1] != '/') {
        p--;
    }

    body->reason = load_reason(p, (size_t) (json->text + json->len - p));
}


/*
 * A token: one of {}[]:, or '"' for a string, '0' for any other value, 0 for
 * the end, -1 for what is no token.  Escapes stay as they are, and text keeps
 * the last string or value while punctuation passes.
 */

static int
load_http_json_next(load_http_json_t *json)
{
    const uint8_t  *p, *last;

    p = json->pos;
    last = json->last;

    while (p < last && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
    }

    if (p == last) {
        return 0;
    }

    if (*p && strchr("{}[]:,", *p)) {
        json->pos = p + 1;
        return *p;
    }

    json->text = p;

    if (*p == '"') {
        json->text = ++p;

        while (p < last && *p != '"') {
            p += *p == '\\' ? 2 : 1;
        }

        if (p >= last) {
            return -1;
        }

        json->len = (size_t) (p - json->text);
        json->pos = p + 1;
        return '"';
    }

    while (p < last && (*p == '+' || *p == '-' || *p == '.' || *p == 'E'
                        || (*p >= '0' && *p <= '9')
                        || (*p >= 'a' && *p <= 'z')))
    {
        p++;
    }

    json->len = (size_t) (p - json->text);
    json->pos = p;

    return json->len ? '0' : -1;
}
