/*
 * t/bench/replay.c - sends requests that were made beforehand, byte by byte,
 * and counts the answers by their status.
 *
 * A load that signs each request would be the slower party; here a signature
 * costs as much to send as a wrong one.  Were an answer lost or taken twice,
 * the pages that hold the gateway's counters against this one would fail, or,
 * worse, agree by chance.
 *
 *   replay --address A:P --requests FILE [--count N] [--connections N]
 *          [--rate N] [--source A] [--sources N] [--seconds S] [--first N]
 *
 * FILE: each request is its length in digits, a LF, its bytes; request n of
 * all goes out as number n modulo their count.  Without --rate a connection
 * sends as soon as it was answered.  --source: the first client address, its
 * successors are used in turn, one a connection.  --first: the first run of
 * "#" in each request is a number, in as many digits; it is N when they all go
 * out for the first time, then N + 1, so that no two are one message.
 *
 * The last line is "replay", then names and numbers.  How long an answer took
 * is counted from when its request was due if no connection was free then,
 * else from when it was sent: that the load itself woke up late is no delay
 * of the server's.
 */

#define _GNU_SOURCE                    /* strcasestr() */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>


#define REPLAY_IN      16384           /* bytes of an answer, at most */
#define REPLAY_EVENTS  256
#define REPLAY_STATUS  600
#define REPLAY_SECOND  1000000000ULL
#define REPLAY_NAP     1000000ULL      /* ns; who sends more often sends
                                          several at once */


typedef struct {
    int       fd;
    int       busy;
    uint64_t  start;                   /* ns */
    size_t    len;                     /* of what has come */
    char      in[REPLAY_IN];
} replay_conn_t;


typedef struct {
    char    *p;
    size_t   len;
    char    *number;                   /* where it is written, or NULL */
    size_t   digits;
} replay_text_t;


typedef struct {
    struct sockaddr_in   address;
    uint32_t             source;       /* 0: any */
    unsigned             sources;
    unsigned             connections;
    uint64_t             count;
    uint64_t             rate;
    double               seconds;
    uint64_t             first_number;
    int                  numbered;

    replay_text_t       *texts;
    size_t               ntexts;

    int                  epfd;
    int                  timer;
    replay_conn_t       *conns;
    replay_conn_t      **idle;         /* a ring: all connections take part */
    unsigned             first;
    unsigned             nidle;
    unsigned             nbusy;

    uint64_t             sent;
    uint64_t             broken;
    uint64_t             status[REPLAY_STATUS];
    uint32_t            *took;         /* us */
    size_t               ntook;
    size_t               max;
} replay_t;


static volatile sig_atomic_t  replay_stop;


static void
replay_die(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(1);
}


static void
replay_signal(int signo)
{
    (void) signo;

    replay_stop = 1;
}


static void
replay_idle(replay_t *r, replay_conn_t *c)
{
    r->idle[(r->first + r->nidle++) % r->connections] = c;
}


static uint64_t
replay_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * REPLAY_SECOND + (uint64_t) ts.tv_nsec;
}


static void
replay_number(replay_text_t *text)
{
    const char  *last;

    last = text->p + text->len;
    text->number = memchr(text->p, '#', text->len);

    if (text->number == NULL) {
        errno = EINVAL;
        replay_die("a request without a number");
    }

    for (text->digits = 1;
         text->number + text->digits < last
         && text->number[text->digits] == '#';
         text->digits++)
    {
        /* void */
    }
}


static void
replay_put_number(const replay_text_t *text, uint64_t n)
{
    size_t  i;

    for (i = text->digits; i--; n /= 10) {
        text->number[i] = (char) ('0' + n % 10);
    }
}


static void
replay_read(replay_t *r, const char *file)
{
    int          fd;
    char        *end, *p, *last;
    size_t       max;
    struct stat  st;

    fd = open(file, O_RDONLY);

    if (fd == -1 || fstat(fd, &st) != 0) {
        replay_die(file);
    }

    p = mmap(NULL, (size_t) st.st_size + 1, PROT_READ|PROT_WRITE,
             MAP_PRIVATE, fd, 0);

    if (p == MAP_FAILED) {
        replay_die(file);
    }

    close(fd);

    last = p + st.st_size;
    max = 0;

    while (p < last) {

        if (r->ntexts == max) {
            max = max ? max * 2 : 1024;
            r->texts = realloc(r->texts, max * sizeof(replay_text_t));

            if (r->texts == NULL) {
                replay_die("no memory");
            }
        }

        r->texts[r->ntexts].len = strtoul(p, &end, 10);
        r->texts[r->ntexts].p = end + 1;

        if (end == p || *end != '\n' || r->texts[r->ntexts].len == 0
            || (size_t) (last - end - 1) < r->texts[r->ntexts].len)
        {
            errno = EINVAL;
            replay_die(file);
        }

        if (r->numbered) {
            replay_number(&r->texts[r->ntexts]);
        }

        p = end + 1 + r->texts[r->ntexts].len;
        r->ntexts++;
    }

    if (r->ntexts == 0) {
        errno = EINVAL;
        replay_die(file);
    }
}


/* a connection is made at once or never: the server is on this machine */

static void
replay_connect(replay_t *r, replay_conn_t *c)
{
    int                 on;
    struct sockaddr_in  sin;
    struct epoll_event  event;

    on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

    if (c->fd == -1) {
        replay_die("socket()");
    }

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (r->source) {
        memset(&sin, 0, sizeof(sin));
        sin.sin_family = AF_INET;
        sin.sin_addr.s_addr = htonl(r->source + (uint32_t) (c - r->conns)
                                                % r->sources);

        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                   sizeof(on));

        if (bind(c->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
            replay_die("bind()");
        }
    }

    if (connect(c->fd, (struct sockaddr *) &r->address, sizeof(r->address))
        != 0)
    {
        replay_die("connect()");
    }

    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0) {
        replay_die("fcntl()");
    }

    event.events = EPOLLIN;
    event.data.ptr = c;

    if (epoll_ctl(r->epfd, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        replay_die("epoll_ctl()");
    }

    c->len = 0;
    c->busy = 0;

    replay_idle(r, c);
}


/* a connection the server has closed: a request without an answer is counted */

static void
replay_closed(replay_t *r, replay_conn_t *c)
{
    unsigned  i, n;

    close(c->fd);

    if (c->busy) {
        r->broken++;
        r->nbusy--;

    } else {
        n = r->nidle;
        r->nidle = 0;

        for (i = r->first; n--; i = (i + 1) % r->connections) {
            if (r->idle[i] != c) {
                replay_idle(r, r->idle[i]);
            }
        }
    }

    replay_connect(r, c);
}


static void
replay_send(replay_t *r, uint64_t start)
{
    ssize_t               n;
    replay_conn_t        *c;
    const replay_text_t  *text;

    c = r->idle[r->first];
    r->first = (r->first + 1) % r->connections;
    r->nidle--;

    text = &r->texts[r->sent % r->ntexts];

    if (r->numbered) {
        replay_put_number(text, r->first_number + r->sent / r->ntexts);
    }

    r->sent++;

    c->busy = 1;
    c->len = 0;
    c->start = start;
    r->nbusy++;

    n = send(c->fd, text->p, text->len, MSG_NOSIGNAL);

    /* a request fits into the buffer of an idle connection */

    if (n != (ssize_t) text->len) {
        replay_closed(r, c);
    }
}


/* bytes of the whole answer, 0: there is more to come */

static size_t
replay_answer(replay_conn_t *c, unsigned *status, int *last)
{
    char    *end, *p;
    size_t   len;

    c->in[c->len] = '\0';

    end = strstr(c->in, "\r\n\r\n");

    if (end == NULL) {
        return 0;
    }

    *status = (unsigned) strtoul(c->in + sizeof("HTTP/1.1 ") - 1, NULL, 10);

    *end = '\0';
    *last = strcasestr(c->in, "\r\nConnection: close") != NULL;
    p = strcasestr(c->in, "\r\nContent-Length:");
    len = p ? strtoul(p + sizeof("\r\nContent-Length:") - 1, NULL, 10) : 0;
    *end = '\r';

    len += (size_t) (end - c->in) + 4;

    return c->len >= len ? len : 0;
}


static void
replay_event(replay_t *r, replay_conn_t *c)
{
    int       last;
    ssize_t   n;
    unsigned  status;

    n = recv(c->fd, c->in + c->len, REPLAY_IN - 1 - c->len, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        replay_closed(r, c);
        return;
    }

    c->len += (size_t) n;
    status = 0;
    last = 0;

    if (replay_answer(c, &status, &last) != c->len) {
        return;
    }

    if (!c->busy || status < 100 || status >= REPLAY_STATUS) {
        errno = EPROTO;
        replay_die("an answer to nothing");
    }

    if (r->ntook == r->max) {
        r->max = r->max ? r->max * 2 : 65536;
        r->took = realloc(r->took, r->max * sizeof(uint32_t));

        if (r->took == NULL) {
            replay_die("no memory");
        }
    }

    r->status[status]++;
    r->took[r->ntook++] = (uint32_t) ((replay_now() - c->start) / 1000);

    c->busy = 0;
    r->nbusy--;

    if (last) {
        close(c->fd);
        replay_connect(r, c);

    } else {
        replay_idle(r, c);
    }
}


static void
replay_wake_at(replay_t *r, uint64_t when)
{
    struct itimerspec  its;

    memset(&its, 0, sizeof(its));

    its.it_value.tv_sec = (time_t) (when / REPLAY_SECOND);
    its.it_value.tv_nsec = (long) (when % REPLAY_SECOND);

    if (timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &its, NULL) != 0) {
        replay_die("timerfd_settime()");
    }
}


static double
replay_run(replay_t *r)
{
    int                 i, n, more, starved;
    uint64_t            now, start, end, due, expired;
    struct epoll_event  events[REPLAY_EVENTS];

    start = replay_now();
    end = r->seconds > 0 ? start + (uint64_t) (r->seconds * 1e9) : UINT64_MAX;
    starved = 0;

    for ( ;; ) {
        now = replay_now();
        more = !replay_stop && now < end && r->sent < r->count;

        if (!more && r->nbusy == 0) {
            break;
        }

        while (more && r->nidle && r->sent < r->count) {
            due = r->rate ? start + (uint64_t) ((double) r->sent * 1e9
                                                / (double) r->rate)
                          : now;

            if (due > now) {
                starved = 0;
                replay_wake_at(r, due - now < REPLAY_NAP && r->rate > 1000
                                  ? now + REPLAY_NAP : due);
                break;
            }

            replay_send(r, starved ? due : replay_now());
        }

        if (r->nidle == 0) {
            starved = 1;
        }

        n = epoll_wait(r->epfd, events, REPLAY_EVENTS, 5000);

        if (n == 0 && r->nbusy) {
            errno = ETIMEDOUT;
            replay_die("no answer");
        }

        for (i = 0; i < n; i++) {

            if (events[i].data.ptr) {
                replay_event(r, events[i].data.ptr);

            } else if (read(r->timer, &expired, sizeof(expired)) < 0
                       && errno != EAGAIN)
            {
                replay_die("timerfd");
            }
        }
    }

    return (double) (replay_now() - start) / 1e9;
}


static int
replay_compare(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}


static uint32_t
replay_at(const replay_t *r, double part)
{
    return r->ntook ? r->took[(size_t) ((double) (r->ntook - 1) * part)] : 0;
}


static void
replay_print(replay_t *r, double seconds)
{
    unsigned  i;

    qsort(r->took, r->ntook, sizeof(uint32_t), replay_compare);

    printf("replay requests %" PRIu64 " messages %" PRIu64 " seconds %.6f"
           " acked %" PRIu64 " queued %" PRIu64 " broken %" PRIu64
           " p50_us %" PRIu32 " p95_us %" PRIu32 " p99_us %" PRIu32
           " max_us %" PRIu32,
           r->sent, r->sent, seconds, r->status[200], r->status[202],
           r->broken, replay_at(r, 0.5), replay_at(r, 0.95),
           replay_at(r, 0.99), replay_at(r, 1));

    for (i = 0; i < REPLAY_STATUS; i++) {
        if (r->status[i]) {
            printf(" status_%u %" PRIu64, i, r->status[i]);
        }
    }

    printf("\n");
}


static void
replay_open(replay_t *r)
{
    unsigned            i;
    struct epoll_event  event;

    r->epfd = epoll_create1(EPOLL_CLOEXEC);
    r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK|TFD_CLOEXEC);
    r->conns = calloc(r->connections, sizeof(replay_conn_t));
    r->idle = calloc(r->connections, sizeof(replay_conn_t *));

    if (r->epfd == -1 || r->timer == -1 || r->conns == NULL
        || r->idle == NULL)
    {
        replay_die("epoll, timerfd or memory");
    }

    event.events = EPOLLIN;
    event.data.ptr = NULL;

    if (epoll_ctl(r->epfd, EPOLL_CTL_ADD, r->timer, &event) != 0) {
        replay_die("epoll_ctl()");
    }

    for (i = 0; i < r->connections; i++) {
        replay_connect(r, &r->conns[i]);
    }
}


static void
replay_options(replay_t *r, int argc, char **argv)
{
    int          opt;
    char        *colon;
    const char  *file;

    static const struct option  options[] = {
        { "address",     required_argument, NULL, 'a' },
        { "requests",    required_argument, NULL, 'f' },
        { "count",       required_argument, NULL, 'n' },
        { "connections", required_argument, NULL, 'c' },
        { "rate",        required_argument, NULL, 'r' },
        { "source",      required_argument, NULL, 's' },
        { "sources",     required_argument, NULL, 'm' },
        { "seconds",     required_argument, NULL, 't' },
        { "first",       required_argument, NULL, 'i' },
        { NULL,          0,                 NULL, 0 }
    };

    memset(r, 0, sizeof(replay_t));

    r->connections = 1;
    r->sources = 1;
    r->count = UINT64_MAX;
    r->address.sin_family = AF_INET;
    file = NULL;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {

        switch (opt) {

        case 'a':
            colon = strchr(optarg, ':');

            if (colon == NULL) {
                goto usage;
            }

            *colon = '\0';
            r->address.sin_addr.s_addr = inet_addr(optarg);
            r->address.sin_port = htons((uint16_t) atoi(colon + 1));
            break;

        case 'f':
            file = optarg;
            break;

        case 'n':
            r->count = strtoull(optarg, NULL, 10);
            break;

        case 'c':
            r->connections = (unsigned) strtoul(optarg, NULL, 10);
            break;

        case 'r':
            r->rate = strtoull(optarg, NULL, 10);
            break;

        case 's':
            r->source = ntohl(inet_addr(optarg));
            break;

        case 'm':
            r->sources = (unsigned) strtoul(optarg, NULL, 10);
            break;

        case 't':
            r->seconds = strtod(optarg, NULL);
            break;

        case 'i':
            r->first_number = strtoull(optarg, NULL, 10);
            r->numbered = 1;
            break;

        default:
            goto usage;
        }
    }

    if (file && optind == argc && r->address.sin_port && r->connections
        && r->sources)
    {
        replay_read(r, file);
        return;
    }

usage:

    fprintf(stderr, "usage: see the first comment of replay.c\n");
    exit(2);
}


int
main(int argc, char **argv)
{
    replay_t          r;
    struct sigaction  sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = replay_signal;
    sigaction(SIGTERM, &sa, NULL);

    replay_options(&r, argc, argv);
    replay_open(&r);
    replay_print(&r, replay_run(&r));

    return 0;
}
