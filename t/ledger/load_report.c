/*
 * load_report.c - what happened: the file "sent", a line of progress each
 * second, the sums and the latencies of the run.
 *
 * The comparer believes this file.  Were a line written after its bytes had
 * gone out, or a failed write passed over, a lost message could look as if
 * it had never been sent.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"


#define LOAD_FILE_BUFFER   1048576
#define LOAD_LINE_MAX      512        /* bytes of a line but its body */

/* a latency is off by 1/64 at most */
#define LOAD_HIST_BITS     6
#define LOAD_HIST_SIZE     ((64 - LOAD_HIST_BITS + 1) << LOAD_HIST_BITS)

#define load_put(p, s)                                                        \
    ((uint8_t *) memcpy(p, s, sizeof(s) - 1) + sizeof(s) - 1)


struct load_report_s {
    const load_options_t  *options;
    const bodies_t        *bodies;

    int                    fd;             /* -1: no file */
    int                    failed;
    uint8_t               *buf;
    uint8_t               *pos;
    uint8_t               *last;

    uint64_t               start;          /* us */
    uint64_t               progress;       /* us, the last line of progress */
    uint64_t               sent;
    uint64_t               sent_then;      /* as of the last line */
    uint64_t               ended[LOAD_OUTCOME_N];

    /* without the warm-up */
    uint64_t               first;          /* us */
    uint64_t               final;          /* us */
    uint64_t               requests;
    uint64_t               measured[LOAD_OUTCOME_N];
    uint64_t               slowest;        /* us */
    uint64_t               answers;
    uint64_t               hist[LOAD_HIST_SIZE];
};


static uint8_t *load_report_room(load_report_t *r, size_t len);
static void load_report_flush(load_report_t *r);
static uint8_t *load_report_number(uint8_t *p, uint64_t v);
static uint8_t *load_report_string(uint8_t *p, const char *s);
static unsigned load_report_bucket(uint64_t v);
static uint64_t load_report_percentile(load_report_t *r, unsigned percent);


static const char *const  load_outcomes[LOAD_OUTCOME_N] = {
    "UNKNOWN", "ACK", "QUEUED", "DUP", "DLQ", "REFUSED", "UNKNOWN"
};


load_report_t *
load_report_create(const load_options_t *o, const bodies_t *bodies)
{
    load_report_t  *r;

    r = calloc(1, sizeof(load_report_t));
    if (r == NULL) {
        fprintf(stderr, "load: no memory\n");
        return NULL;
    }

    r->options = o;
    r->bodies = bodies;
    r->start = load_now();
    r->progress = r->start;
    r->fd = -1;

    if (o->sent == NULL) {
        return r;
    }

    r->buf = malloc(LOAD_FILE_BUFFER);
    if (r->buf == NULL) {
        fprintf(stderr, "load: no memory\n");
        return NULL;
    }

    r->fd = open(o->sent, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644);
    if (r->fd == -1) {
        fprintf(stderr, "load: %s: %s\n", o->sent, strerror(errno));
        return NULL;
    }

    r->pos = r->buf;
    r->last = r->buf + LOAD_FILE_BUFFER;

    return r;
}


void
load_report_sent(load_report_t *r, uint64_t n, uint64_t now, uint32_t device,
    uint64_t conn, const load_msg_t *msg, const load_span_t *body)
{
    size_t       len, room;
    uint8_t     *p;
    const char  *epoch;

    r->sent++;

    p = load_report_room(r, LOAD_LINE_MAX);
    if (p == NULL) {
        return;
    }

    epoch = bodies_epoch(r->bodies, device);

    p = load_put(p, "S\t");
    p = load_report_number(p, n);
    *p++ = '\t';
    p = load_report_number(p, now);
    *p++ = '\t';
    p = load_report_number(p, device);
    *p++ = '\t';
    p = load_report_number(p, conn);
    p = load_put(p, "\td");
    p = load_report_number(p, r->options->seed);
    *p++ = '-';
    p = load_report_number(p, device);
    *p++ = '\t';
    p = load_report_string(p, *epoch ? epoch : "-");
    *p++ = '\t';
    p = load_report_number(p, msg->seq);
    *p++ = '\t';
    p = load_report_string(p, r->options->classes[msg->class_index]);
    *p++ = '\t';
    p = load_report_number(p, msg->try);
    *p++ = '\t';
    p = load_report_string(p, r->options->ack_level);
    *p++ = '\t';

    r->pos = p;

    /* a body may be larger than the buffer */

    for (len = 0; len < body->len; len += room) {

        p = load_report_room(r, 1);
        if (p == NULL) {
            return;
        }

        room = (size_t) (r->last - p);

        if (room > body->len - len) {
            room = body->len - len;
        }

        memcpy(p, body->data + len, room);
        r->pos = p + room;
    }

    p = load_report_room(r, 1);
    if (p) {
        *p++ = '\n';
        r->pos = p;
    }
}


void
load_report_request(load_report_t *r, uint64_t now)
{
    if (r->requests++ == 0) {
        r->first = now;
        r->final = now;
    }
}


void
load_report_ended(load_report_t *r, uint64_t n, uint64_t now,
    const load_msg_t *msg, unsigned measured)
{
    uint8_t  *p;

    r->ended[msg->outcome]++;

    if (measured) {
        r->measured[msg->outcome]++;
        r->final = now;
    }

    p = load_report_room(r, LOAD_LINE_MAX);
    if (p == NULL) {
        return;
    }

    p = load_put(p, "E\t");
    p = load_report_number(p, n);
    *p++ = '\t';
    p = load_report_number(p, now);
    *p++ = '\t';
    p = load_report_string(p, load_outcomes[msg->outcome]);
    *p++ = '\t';
    p = load_report_number(p, msg->status);
    *p++ = '\t';
    p = load_report_string(p, msg->reason);
    *p++ = '\n';

    r->pos = p;
}


void
load_report_answer(load_report_t *r, uint64_t sent, uint64_t now)
{
    uint64_t  us;

    us = now - sent;

    r->answers++;
    r->hist[load_report_bucket(us)]++;

    if (us > r->slowest) {
        r->slowest = us;
    }
}


void
load_report_progress(load_report_t *r, uint64_t now, unsigned open)
{
    uint64_t  us;

    us = now - r->progress;

    printf("P %" PRIu64 " sent %" PRIu64 " acked %" PRIu64 " queued %" PRIu64
           " refused %" PRIu64 " unknown %" PRIu64 " open %u rate %" PRIu64
           "\n", (now - r->start) / 1000000, r->sent, r->ended[LOAD_ACK],
           r->ended[LOAD_QUEUED], r->ended[LOAD_REFUSED],
           r->ended[LOAD_UNKNOWN], open,
           us ? (r->sent - r->sent_then) * 1000000 / us : 0);
    fflush(stdout);

    r->progress = now;
    r->sent_then = r->sent;
}


int
load_report_end(load_report_t *r, uint64_t attempts)
{
    uint8_t   *p;
    unsigned   i;
    uint64_t   messages, ended;

    messages = 0;
    ended = 0;

    for (i = 0; i < LOAD_OUTCOME_N; i++) {
        messages += r->measured[i];
        ended += r->ended[i];
    }

    p = load_report_room(r, LOAD_LINE_MAX);
    if (p) {
        p = load_put(p, "X\t");
        p = load_report_number(p, attempts);
        *p++ = '\n';
        r->pos = p;

        load_report_flush(r);
    }

    if (r->fd != -1 && close(r->fd) == -1) {
        fprintf(stderr, "load: %s: %s\n", r->options->sent, strerror(errno));
        r->failed = 1;
    }

    printf("R requests %" PRIu64 " messages %" PRIu64 " seconds %.3f acked %"
           PRIu64 " queued %" PRIu64 " dup %" PRIu64 " dlq %" PRIu64
           " refused %" PRIu64 " unknown %" PRIu64 " p50_us %" PRIu64
           " p99_us %" PRIu64 " max_us %" PRIu64 "\n",
           r->requests, messages, (double) (r->final - r->first) / 1e6,
           r->measured[LOAD_ACK], r->measured[LOAD_QUEUED],
           r->measured[LOAD_DUP], r->measured[LOAD_DLQ],
           r->measured[LOAD_REFUSED], r->measured[LOAD_UNKNOWN],
           load_report_percentile(r, 50), load_report_percentile(r, 99),
           r->slowest);

    if (ended != attempts) {
        fprintf(stderr, "load: %" PRIu64 " of %" PRIu64 " attempts have no "
                "end\n", attempts - ended, attempts);
        return -1;
    }

    return r->failed || fflush(stdout) != 0 ? -1 : 0;
}


static uint8_t *
load_report_room(load_report_t *r, size_t len)
{
    if (r->fd == -1 || r->failed) {
        return NULL;
    }

    if ((size_t) (r->last - r->pos) < len) {
        load_report_flush(r);
    }

    return r->failed ? NULL : r->pos;
}


static void
load_report_flush(load_report_t *r)
{
    ssize_t         n;
    const uint8_t  *p;

    for (p = r->buf; p < r->pos; p += n) {

        n = write(r->fd, p, (size_t) (r->pos - p));

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            fprintf(stderr, "load: %s: %s\n", r->options->sent,
                    strerror(errno));
            r->failed = 1;
            return;
        }
    }

    r->pos = r->buf;
}


static uint8_t *
load_report_number(uint8_t *p, uint64_t v)
{
    uint8_t  buf[20], *q;

    q = buf + sizeof(buf);

    do {
        *--q = (uint8_t) ('0' + v % 10);
        v /= 10;
    } while (v);

    memcpy(p, q, (size_t) (buf + sizeof(buf) - q));

    return p + (buf + sizeof(buf) - q);
}


static uint8_t *
load_report_string(uint8_t *p, const char *s)
{
    size_t  len;

    len = strlen(s);
    memcpy(p, s, len);

    return p + len;
}


/* linear within each power of two */

static unsigned
load_report_bucket(uint64_t v)
{
    unsigned  shift;

    if (v < (2U << LOAD_HIST_BITS)) {
        return (unsigned) v;
    }

    shift = 63 - LOAD_HIST_BITS - (unsigned) __builtin_clzll(v);

    return (shift << LOAD_HIST_BITS) + (unsigned) (v >> shift);
}


/* the upper end of the bucket */

static uint64_t
load_report_percentile(load_report_t *r, unsigned percent)
{
    unsigned  i, shift;
    uint64_t  n, wanted, value;

    wanted = (r->answers * percent + 99) / 100;
    n = 0;

    for (i = 0; i < LOAD_HIST_SIZE; i++) {
        n += r->hist[i];

        if (n >= wanted) {
            break;
        }
    }

    if (i < (2U << LOAD_HIST_BITS)) {
        return i;
    }

    shift = (i >> LOAD_HIST_BITS) - 1;
    value = (((uint64_t) i - (shift << LOAD_HIST_BITS) + 1) << shift) - 1;

    return value < r->slowest ? value : r->slowest;
}
