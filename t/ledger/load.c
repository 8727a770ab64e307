/*
 * load.c - the devices of the ledger: connections, their requests, and time.
 *
 * A connection is one device; it has one request at a time on its way.  All
 * that was sent and not answered when a connection breaks, or when the time
 * of grace is over, has ended UNKNOWN: were any of it left out, the comparer
 * would take a record of it for one that nobody has sent.
 *
 * A connection is in one list at a time, by its state:
 *
 *     DOWN        l->down        wants to connect
 *     DOWN        l->wheel       the same, but not before its time
 *     CONNECTING  none           epoll will tell
 *     READY       l->ready       may send
 *     WAITING     l->wheel       may send, but not before its time
 *     BUSY        none           waits for an answer
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include "load.h"


#define LOAD_CONNECTING_MAX  256        /* connects in flight */
#define LOAD_EVENTS          512
#define LOAD_IN_SIZE         262144
#define LOAD_KEEP_MAX        33554432   /* bytes of an answer in parts */
#define LOAD_WHEEL           4096       /* ms; no wait is longer */
#define LOAD_BACKOFF_MIN     10         /* ms */
#define LOAD_BACKOFF_MAX     1000       /* ms */
#define LOAD_DEBT_MAX        250000000  /* ns a rate may be caught up for */
#define LOAD_SECOND          1000000    /* us */
#define LOAD_REASONS         64         /* different ones that are kept */
#define LOAD_FILES           32         /* descriptors that are none of ours */


typedef struct load_link_s  load_link_t;

struct load_link_s {
    load_link_t  *prev;
    load_link_t  *next;
};


typedef enum {
    LOAD_DOWN = 0,
    LOAD_CONNECTING,
    LOAD_READY,
    LOAD_WAITING,
    LOAD_BUSY
} load_state_e;


typedef struct {
    load_link_t    link;           /* the first, a list is cast to us */
    int            fd;
    load_state_e   state;
    unsigned       backoff;        /* ms */
    unsigned       answers;        /* since it was opened */
    uint64_t       conn;           /* its number among all that were opened */
    uint64_t       seq;            /* the last that was given */
    uint32_t       device;         /* of the request */
    unsigned       again;          /* it is of another connection's device */

    load_msg_t    *msgs;
    unsigned       nmsgs;          /* on their way */
    unsigned       nretry;         /* to be sent again, the first of msgs */
    uint64_t       first;          /* attempt of msgs[0] */
    uint64_t       sent;           /* us */
    unsigned       measured;

    uint8_t       *in;             /* what came and is no answer yet */
    size_t         in_len;
    size_t         in_size;
    uint8_t       *out;            /* what the socket would not take */
    size_t         out_len;
} load_conn_t;


typedef struct {
    load_t         l;              /* the first, protocols see only this */
    int            epfd;
    load_conn_t   *conns;
    load_link_t    down;
    load_link_t    ready;
    load_link_t    wheel[LOAD_WHEEL];
    uint64_t       tick;           /* ms, all before it has been served */
    unsigned       timers;
    unsigned       connecting;
    unsigned       open;
    unsigned       busy;
    uint64_t       opened;
    uint64_t       resets;
    uint64_t       attempts;
    uint64_t       requests;
    uint64_t       due;            /* ns, when the rate allows the next */
    unsigned       sending;
    uint64_t       random;
    load_conn_t   *leaves;         /* hangs up with its request on its way */
    uint8_t       *in;
} load_loop_t;


static int load_start(load_loop_t *p);
static int load_run(load_loop_t *p);
static int load_wait(load_loop_t *p, uint64_t now, uint64_t until);
static void load_connect_all(load_loop_t *p);
static void load_connect(load_loop_t *p, load_conn_t *c);
static void load_opened(load_loop_t *p, load_conn_t *c);
static void load_event(load_loop_t *p, load_conn_t *c, uint32_t events);
static void load_dispatch(load_loop_t *p, uint64_t now);
static void load_request(load_loop_t *p, load_conn_t *c);
static unsigned load_again(load_loop_t *p, load_conn_t *c, unsigned total);
static unsigned load_class(load_loop_t *p, uint32_t device, uint64_t seq);
static void load_flush(load_loop_t *p, load_conn_t *c);
static void load_read(load_loop_t *p, load_conn_t *c);
static int load_keep(load_conn_t *c, const uint8_t *buf, size_t len);
static void load_answered(load_loop_t *p, load_conn_t *c,
    load_answer_t *answer);
static void load_ended(load_loop_t *p, load_conn_t *c, uint64_t now,
    unsigned retry);
static void load_broken(load_loop_t *p, load_conn_t *c);
static void load_close(load_loop_t *p, load_conn_t *c, unsigned reset);
static void load_later(load_loop_t *p, load_conn_t *c, unsigned ms);
static void load_timers(load_loop_t *p, uint64_t now);
static void load_epoll(load_loop_t *p, load_conn_t *c, int op,
    uint32_t events);
static uint64_t load_random(load_loop_t *p);
static void load_fatal(const char *what);
static void load_signal(int signo);
static void load_link_init(load_link_t *list);
static void load_link_last(load_link_t *list, load_conn_t *c);
static void load_unlink(load_conn_t *c);


static volatile sig_atomic_t  load_stop;


int
main(int argc, char **argv)
{
    int           code;
    load_loop_t  *p;

    static load_loop_t  loop;

    p = &loop;

    if (load_options(&p->l.options, argc, argv, &code) != 0) {
        return code;
    }

    if (load_start(p) != 0) {
        return 1;
    }

    return load_run(p) == 0 ? 0 : 1;
}


static int
load_start(load_loop_t *p)
{
    unsigned           i;
    load_msg_t        *msgs;
    load_options_t    *o;
    struct rlimit      limit;
    struct sigaction   sa;

    o = &p->l.options;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = load_signal;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);

        if (limit.rlim_cur < (rlim_t) o->connections + LOAD_FILES) {
            fprintf(stderr, "load: %u connections, but %llu descriptors "
                    "allowed\n", o->connections,
                    (unsigned long long) limit.rlim_cur);
            return -1;
        }
    }

    p->l.bodies = bodies_create(o->seed, o->pad, o->plain, o->classes,
                                o->nclasses);
    if (p->l.bodies == NULL) {
        load_fatal("no memory");
    }

    if (o->protocol->init(&p->l) != 0) {
        return -1;
    }

    if (o->resend) {
        p->l.resend = load_resend_create(o);

        if (p->l.resend == NULL) {
            load_fatal("no memory");
        }
    }

    p->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (p->epfd == -1) {
        load_fatal("epoll_create1()");
    }

    p->conns = calloc(o->connections, sizeof(load_conn_t));
    msgs = calloc((size_t) o->connections * o->batch, sizeof(load_msg_t));
    p->l.spans = calloc(o->batch, sizeof(load_span_t));
    p->l.out = malloc(o->protocol->request_max(&p->l));
    p->in = malloc(LOAD_IN_SIZE);

    if (p->conns == NULL || msgs == NULL || p->l.spans == NULL
        || p->l.out == NULL || p->in == NULL)
    {
        load_fatal("no memory");
    }

    load_link_init(&p->down);
    load_link_init(&p->ready);

    for (i = 0; i < LOAD_WHEEL; i++) {
        load_link_init(&p->wheel[i]);
    }

    for (i = 0; i < o->connections; i++) {
        p->conns[i].fd = -1;
        p->conns[i].msgs = msgs + (size_t) i * o->batch;
        p->conns[i].backoff = LOAD_BACKOFF_MIN;

        /* or all of them would be closed at once */

        p->conns[i].answers = o->reset_every ? i % o->reset_every : 0;

        load_link_last(&p->down, &p->conns[i]);
    }

    p->random = o->seed * 2 + 1;
    p->sending = 1;

    /* the file is the last to be made: who finds it knows that we run */

    p->l.report = load_report_create(o, p->l.bodies);

    return p->l.report ? 0 : -1;
}


static int
load_run(load_loop_t *p)
{
    int                    i, n;
    uint64_t               now, start, end, progress;
    load_conn_t           *c;
    struct epoll_event     events[LOAD_EVENTS];
    const load_options_t  *o;

    o = &p->l.options;

    start = load_now();
    end = o->max_time ? start + o->max_time : UINT64_MAX;
    progress = start + LOAD_SECOND;

    p->due = start * 1000;
    p->tick = start / 1000;

    for ( ;; ) {
        now = load_now();

        if (now >= progress) {
            load_report_progress(p->l.report, now, p->open);
            progress += (now - progress) / LOAD_SECOND * LOAD_SECOND
                        + LOAD_SECOND;
        }

        if (p->sending
            && (load_stop || now >= end || p->attempts >= o->count))
        {
            p->sending = 0;
            end = now + o->grace;
        }

        if (!p->sending && (p->busy == 0 || now >= end)) {
            break;
        }

        load_timers(p, now);

        if (p->sending) {
            load_connect_all(p);
            load_dispatch(p, now);
        }

        n = epoll_wait(p->epfd, events, LOAD_EVENTS,
                       load_wait(p, now, end < progress ? end : progress));

        if (n == -1 && errno != EINTR) {
            load_fatal("epoll_wait()");
        }

        for (i = 0; i < n; i++) {
            load_event(p, events[i].data.ptr, events[i].events);
        }
    }

    for (c = p->conns; c < p->conns + o->connections; c++) {
        if (c->state == LOAD_BUSY) {
            load_broken(p, c);
        }
    }

    load_report_progress(p->l.report, load_now(), p->open);

    return load_report_end(p->l.report, p->attempts);
}


/* ms until there is something to do but events; rounded up, or it would spin */

static int
load_wait(load_loop_t *p, uint64_t now, uint64_t until)
{
    if (p->timers) {
        return 1;
    }

    if (p->sending && p->l.options.rate && p->ready.next != &p->ready
        && p->due / 1000 < until)
    {
        until = p->due / 1000;
    }

    return until > now ? (int) ((until - now + 999) / 1000) : 0;
}


static void
load_connect_all(load_loop_t *p)
{
    while (p->down.next != &p->down && p->connecting < LOAD_CONNECTING_MAX) {
        load_connect(p, (load_conn_t *) p->down.next);
    }
}


static void
load_connect(load_loop_t *p, load_conn_t *c)
{
    int                  on;
    uint32_t             source;
    struct sockaddr_in   sin;

    load_unlink(c);

    c->fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (c->fd == -1) {
        load_fatal("socket()");
    }

    on = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (p->l.options.sources > 1) {
        source = (uint32_t) (c - p->conns) % p->l.options.sources;

        memset(&sin, 0, sizeof(sin));
        sin.sin_family = AF_INET;
        sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);

        /* the port is chosen when both ends are known: 28,000 an address */

        (void) setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                          sizeof(on));

        if (bind(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
            load_fatal("bind()");
        }
    }

    if (connect(c->fd, (struct sockaddr *) &p->l.options.address,
                sizeof(struct sockaddr_in))
        == 0)
    {
        load_epoll(p, c, EPOLL_CTL_ADD, EPOLLIN);
        load_opened(p, c);
        return;
    }

    if (errno != EINPROGRESS) {
        load_broken(p, c);
        return;
    }

    c->state = LOAD_CONNECTING;
    p->connecting++;

    load_epoll(p, c, EPOLL_CTL_ADD, EPOLLOUT);
}


static void
load_opened(load_loop_t *p, load_conn_t *c)
{
    c->conn = ++p->opened;
    c->state = LOAD_READY;
    p->open++;

    load_link_last(&p->ready, c);
}


static void
load_event(load_loop_t *p, load_conn_t *c, uint32_t events)
{
    int        error;
    socklen_t  len;

    if (c->state != LOAD_CONNECTING) {

        if (events & EPOLLOUT) {
            load_flush(p, c);
        }

        if (c->fd != -1 && (events & (EPOLLIN|EPOLLHUP|EPOLLERR))) {
            load_read(p, c);
        }

        return;
    }

    len = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 || error) {
        load_broken(p, c);
        return;
    }

    p->connecting--;

    load_epoll(p, c, EPOLL_CTL_MOD, EPOLLIN);
    load_opened(p, c);
}


/*
 * What a rate has owed for long is dropped: a server that comes back would
 * else meet everything at once.
 */

static void
load_dispatch(load_loop_t *p, uint64_t now)
{
    load_conn_t  *c;

    now *= 1000;

    if (p->l.options.rate && now > p->due + LOAD_DEBT_MAX) {
        p->due = now - LOAD_DEBT_MAX;
    }

    while (p->ready.next != &p->ready
           && p->attempts < p->l.options.count
           && (p->l.options.rate == 0 || p->due <= now))
    {
        c = (load_conn_t *) p->ready.next;
        load_unlink(c);

        load_request(p, c);

        c = p->leaves;
        p->leaves = NULL;

        if (c && c->state == LOAD_BUSY) {
            load_broken(p, c);
        }
    }
}


static void
load_request(load_loop_t *p, load_conn_t *c)
{
    size_t           len;
    ssize_t          n;
    uint8_t         *start;
    unsigned         i, total;
    load_msg_t      *msg;
    load_options_t  *o;

    o = &p->l.options;
    total = o->batch;

    if (total > o->count - p->attempts) {
        total = (unsigned) (o->count - p->attempts);
    }

    c->device = (uint32_t) (c - p->conns);

    i = c->nretry ? 0 : load_again(p, c, total);

    c->again = i != 0;

    if (c->again) {
        total = i;
        c->nretry = i;
    }

    /* what is sent again comes first, so that it cannot be overtaken */

    for (i = 0; i < total; i++) {
        msg = &c->msgs[i];

        if (i >= c->nretry) {
            msg->seq = ++c->seq;
            msg->try = 0;
            msg->other = 0;
            msg->class_index = (uint8_t) load_class(p, c->device, msg->seq);
        }

        msg->try++;

        if (p->l.resend) {
            msg->try = (uint8_t) load_resend_sent(p->l.resend, c->device,
                                                  msg->seq);
        }

        msg->outcome = LOAD_PENDING;
        msg->status = 0;
        msg->reason = load_reason(NULL, 0);
        msg->retryable = 0;
    }

    c->nretry = 0;
    c->nmsgs = total;
    c->first = p->attempts + 1;
    c->state = LOAD_BUSY;
    c->measured = ++p->requests > o->warmup;

    p->attempts += total;
    p->busy++;

    if (o->rate) {
        p->due += total * 1000000000ULL / o->rate;
    }

    start = o->protocol->encode(&p->l, c->device, c->msgs, total, &len);

    c->sent = load_now();

    if (c->measured) {
        load_report_request(p->l.report, c->sent);
    }

    for (i = 0; i < total; i++) {
        load_report_sent(p->l.report, c->first + i, c->sent, c->device,
                         c->conn, &c->msgs[i], &p->l.spans[i]);
    }

    n = write(c->fd, start, len);

    if (n == (ssize_t) len) {
        return;
    }

    if (n == -1) {
        if (errno != EAGAIN && errno != EINTR) {
            load_broken(p, c);
            return;
        }

        n = 0;
    }

    c->out_len = len - (size_t) n;
    c->out = malloc(c->out_len);

    if (c->out == NULL) {
        load_fatal("no memory");
    }

    memcpy(c->out, start + n, c->out_len);

    load_epoll(p, c, EPOLL_CTL_MOD, EPOLLIN|EPOLLOUT);
}


/* how many messages of another device it sends again; 0: its own instead */

static unsigned
load_again(load_loop_t *p, load_conn_t *c, unsigned total)
{
    unsigned               i;
    load_msg_t            *msg;
    load_again_t           again;
    const load_options_t  *o;

    o = &p->l.options;

    if (p->l.resend == NULL || load_random(p) % 100 >= o->resend
        || load_resend_choose(p->l.resend, c->device, load_random(p), &again)
           != 0)
    {
        return 0;
    }

    if (total > again.n) {
        total = (unsigned) again.n;
    }

    for (i = 0; i < total; i++) {
        msg = &c->msgs[i];

        msg->seq = again.seq + i;
        msg->try = 0;
        msg->other = load_random(p) % 100 < o->resend_other;
        msg->class_index = (uint8_t) load_class(p, again.device, msg->seq);
    }

    c->device = again.device;
    p->leaves = again.leave ? &p->conns[again.device] : NULL;

    return total;
}


static unsigned
load_class(load_loop_t *p, uint32_t device, uint64_t seq)
{
    unsigned         n, class_index;
    load_options_t  *o;

    o = &p->l.options;

    if (o->nclasses < 2) {
        return 0;
    }

    n = bodies_draw(p->l.bodies, device, seq, o->weight);

    for (class_index = 0; n >= o->weights[class_index]; class_index++) {
        n -= o->weights[class_index];
    }

    return class_index;
}


static void
load_flush(load_loop_t *p, load_conn_t *c)
{
    ssize_t  n;

    n = write(c->fd, c->out, c->out_len);

    if (n == -1) {
        if (errno != EAGAIN && errno != EINTR) {
            load_broken(p, c);
        }

        return;
    }

    c->out_len -= (size_t) n;
    memmove(c->out, c->out + n, c->out_len);

    if (c->out_len == 0) {
        free(c->out);
        c->out = NULL;

        load_epoll(p, c, EPOLL_CTL_MOD, EPOLLIN);
    }
}


static void
load_read(load_loop_t *p, load_conn_t *c)
{
    size_t         len;
    ssize_t        n, used;
    uint8_t       *buf;
    load_answer_t  answer;

    n = read(c->fd, p->in, LOAD_IN_SIZE);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    /* nobody has asked; or there is an end where an answer could be */

    if (c->state != LOAD_BUSY || n == -1 || (n == 0 && c->in_len == 0)) {
        load_broken(p, c);
        return;
    }

    buf = p->in;
    len = (size_t) n;

    if (c->in_len) {
        if (load_keep(c, buf, len) != 0) {
            load_broken(p, c);
            return;
        }

        buf = c->in;
        len = c->in_len;
    }

    memset(&answer, 0, sizeof(answer));

    do {
        used = p->l.options.protocol->decode(&p->l, c->msgs, c->nmsgs, buf,
                                             len, n == 0, &answer);

        if (used < 0 || (used == 0 && n == 0)) {
            load_broken(p, c);
            return;
        }

        buf += used;
        len -= (size_t) used;

    } while (used && len && !answer.done);

    if (!answer.done) {

        if (c->in_len) {
            memmove(c->in, buf, len);
            c->in_len = len;

        } else if (len && load_keep(c, buf, len) != 0) {
            load_broken(p, c);
        }

        return;
    }

    c->in_len = 0;

    /* an answer too many; one before all was sent */

    answer.close |= len || c->out_len || n == 0;

    load_answered(p, c, &answer);
}


static int
load_keep(load_conn_t *c, const uint8_t *buf, size_t len)
{
    size_t    size;
    uint8_t  *in;

    if (c->in_len + len > c->in_size) {
        size = 2 * (c->in_len + len);

        if (size > LOAD_KEEP_MAX) {
            return -1;
        }

        in = realloc(c->in, size);
        if (in == NULL) {
            load_fatal("no memory");
        }

        c->in = in;
        c->in_size = size;
    }

    memcpy(c->in + c->in_len, buf, len);
    c->in_len += len;

    return 0;
}


static void
load_answered(load_loop_t *p, load_conn_t *c, load_answer_t *answer)
{
    unsigned  ms, reset;
    uint64_t  now;

    now = load_now();

    if (c->measured) {
        load_report_answer(p->l.report, c->sent, now);
    }

    load_ended(p, c, now, p->l.options.retry);

    c->backoff = LOAD_BACKOFF_MIN;
    c->answers++;
    reset = 0;

    if (p->l.options.reset_every && c->answers >= p->l.options.reset_every) {
        answer->close = 1;
        reset = p->resets++ & 1;
    }

    if (answer->close) {
        load_close(p, c, reset);

    } else {
        c->state = LOAD_READY;
    }

    if (c->nretry) {
        ms = answer->retry < LOAD_RETRY_MAX ? answer->retry : LOAD_RETRY_MAX;

        if (c->state == LOAD_READY) {
            c->state = LOAD_WAITING;
        }

        load_later(p, c, ms);
        return;
    }

    if (c->state == LOAD_DOWN) {
        load_link_last(&p->down, c);
        return;
    }

    /* without a rate at once, while all of it is in the cache */

    if (p->l.options.rate == 0 && p->sending
        && p->attempts < p->l.options.count)
    {
        load_request(p, c);
        return;
    }

    load_link_last(&p->ready, c);
}


/* nothing is pending any more; what may be sent again moves to the front */

static void
load_ended(load_loop_t *p, load_conn_t *c, uint64_t now, unsigned retry)
{
    unsigned     i;
    load_msg_t  *msg;

    for (i = 0; i < c->nmsgs; i++) {
        msg = &c->msgs[i];

        if (msg->outcome == LOAD_PENDING) {
            msg->outcome = LOAD_UNKNOWN;
            msg->retryable = 0;
        }

        load_report_ended(p->l.report, c->first + i, now, msg, c->measured);

        if (p->l.resend && !msg->other) {
            load_resend_ended(p->l.resend, c->device, msg->seq, msg->outcome);
        }

        if (retry && !c->again && msg->retryable && msg->try < LOAD_TRIES_MAX) {
            c->msgs[c->nretry++] = *msg;
        }
    }

    c->nmsgs = 0;
    p->busy--;
}


/* not by us: what is on its way is unknown, and it takes time to come back */

static void
load_broken(load_loop_t *p, load_conn_t *c)
{
    unsigned      ms;
    load_state_e  state;

    state = c->state;

    if (state == LOAD_BUSY) {
        load_ended(p, c, load_now(), 0);
    }

    load_close(p, c, 0);

    /* its time has been set, it will find itself closed then */

    if (state == LOAD_WAITING) {
        return;
    }

    if (state == LOAD_READY) {
        load_unlink(c);
    }

    ms = c->backoff / 2
         + (unsigned) (load_random(p) % (c->backoff / 2 + 1));

    c->backoff *= 2;

    if (c->backoff > LOAD_BACKOFF_MAX) {
        c->backoff = LOAD_BACKOFF_MAX;
    }

    load_later(p, c, ms);
}


static void
load_close(load_loop_t *p, load_conn_t *c, unsigned reset)
{
    struct linger  linger;

    if (reset) {
        linger.l_onoff = 1;
        linger.l_linger = 0;
        (void) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger,
                          sizeof(linger));
    }

    if (c->state == LOAD_CONNECTING) {
        p->connecting--;

    } else if (c->state != LOAD_DOWN) {
        p->open--;
    }

    (void) close(c->fd);

    free(c->in);
    free(c->out);

    c->fd = -1;
    c->state = LOAD_DOWN;
    c->answers = 0;
    c->in = NULL;
    c->in_len = 0;
    c->in_size = 0;
    c->out = NULL;
    c->out_len = 0;
}


static void
load_later(load_loop_t *p, load_conn_t *c, unsigned ms)
{
    uint64_t  tick;

    tick = load_now() / 1000 + ms + 1;

    load_link_last(&p->wheel[tick % LOAD_WHEEL], c);
    p->timers++;
}


static void
load_timers(load_loop_t *p, uint64_t now)
{
    uint64_t      last;
    load_conn_t  *c;
    load_link_t  *slot;

    last = now / 1000;

    /* after a long sleep once around is enough */

    if (last - p->tick > LOAD_WHEEL) {
        p->tick = last - LOAD_WHEEL;
    }

    for ( /* void */ ; p->tick < last; p->tick++) {

        slot = &p->wheel[(p->tick + 1) % LOAD_WHEEL];

        while (slot->next != slot) {
            c = (load_conn_t *) slot->next;
            load_unlink(c);
            p->timers--;

            if (c->state == LOAD_DOWN) {
                load_link_last(&p->down, c);

            } else {
                c->state = LOAD_READY;
                load_link_last(&p->ready, c);
            }
        }
    }
}


static void
load_epoll(load_loop_t *p, load_conn_t *c, int op, uint32_t events)
{
    struct epoll_event  event;

    memset(&event, 0, sizeof(event));
    event.events = events;
    event.data.ptr = c;

    if (epoll_ctl(p->epfd, op, c->fd, &event) == -1) {
        load_fatal("epoll_ctl()");
    }
}


/* xorshift64: jitter needs no more */

static uint64_t
load_random(load_loop_t *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;

    return p->random;
}


/*
 * The file of attempts stays without its last line then, so nobody takes it
 * for a whole one.
 */

static void
load_fatal(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    _exit(1);
}


static void
load_signal(int signo)
{
    (void) signo;
    load_stop = 1;
}


static void
load_link_init(load_link_t *list)
{
    list->prev = list;
    list->next = list;
}


static void
load_link_last(load_link_t *list, load_conn_t *c)
{
    c->link.prev = list->prev;
    c->link.next = list;
    list->prev->next = &c->link;
    list->prev = &c->link;
}


static void
load_unlink(load_conn_t *c)
{
    c->link.prev->next = c->link.next;
    c->link.next->prev = c->link.prev;
}


uint64_t
load_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


const char *
load_reason(const uint8_t *p, size_t len)
{
    size_t    i;
    unsigned  n;

    static char      reasons[LOAD_REASONS][LOAD_NAME_MAX];
    static unsigned  nreasons;

    if (len == 0) {
        return "-";
    }

    if (len >= LOAD_NAME_MAX) {
        return "other";
    }

    for (n = 0; n < nreasons; n++) {
        if (memcmp(reasons[n], p, len) == 0 && reasons[n][len] == '\0') {
            return reasons[n];
        }
    }

    for (i = 0; i < len; i++) {
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9')
              || p[i] == '_' || p[i] == '-'))
        {
            return "other";
        }
    }

    if (nreasons == LOAD_REASONS) {
        return "other";
    }

    memcpy(reasons[nreasons], p, len);

    return reasons[nreasons++];
}
