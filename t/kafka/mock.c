
/*
 * A Kafka that can be told to fail: the mock cluster of librdkafka as a
 * process of its own, so that the gateway under test connects to it over
 * TCP as to any broker and its workers may die without it.
 *
 * usage: mock [--brokers N] [--max-seconds S] [--stdin] TOPIC:PARTITIONS...
 *
 * The first line of stdout is the bootstrap address, the second one the
 * port of the control listener on 127.0.0.1: a command a line, answered
 * with "ok" or "error TEXT".
 *
 *     push ERRNAME COUNT [APIKEY]     fail the next COUNT requests
 *     clear [APIKEY]                  take back what was pushed
 *     rtt MS                          delay of every answer
 *     down [ID]                       a broker, or all of them
 *     up [ID]
 *     leader TOPIC PARTITION BROKER   -1: nobody leads
 *     create TOPIC PARTITIONS
 *     topic-error TOPIC ERRNAME       NO_ERROR takes it back
 *     quit
 *
 * Error names are those of rd_kafka_err2name(), the API key is Produce
 * unless given.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>


#define MOCK_CLIENTS   16
#define MOCK_LINE      512
#define MOCK_ARGS      5
#define MOCK_PUSH_MAX  10000

#define MOCK_API_PRODUCE  0


typedef struct {
    int                       fd;
    size_t                    len;
    char                      buf[MOCK_LINE];
} mock_client_t;


typedef struct {
    rd_kafka_mock_cluster_t  *cluster;
    int                       brokers;
    int                       quit;
} mock_t;


typedef const char *(*mock_handler_pt)(mock_t *mock, int argc, char **argv);


typedef struct {
    const char               *name;
    int                       min;
    int                       max;
    mock_handler_pt           handler;
} mock_command_t;


static int mock_number(const char *s, long min, long max, long *n);
static int mock_error(const char *name, rd_kafka_resp_err_t *err);
static const char *mock_push(mock_t *mock, int argc, char **argv);
static const char *mock_clear(mock_t *mock, int argc, char **argv);
static const char *mock_rtt(mock_t *mock, int argc, char **argv);
static const char *mock_down(mock_t *mock, int argc, char **argv);
static const char *mock_up(mock_t *mock, int argc, char **argv);
static const char *mock_leader(mock_t *mock, int argc, char **argv);
static const char *mock_create(mock_t *mock, int argc, char **argv);
static const char *mock_topic_error(mock_t *mock, int argc, char **argv);
static const char *mock_quit(mock_t *mock, int argc, char **argv);


/* min and max count the arguments after the name */

static const mock_command_t  mock_commands[] = {
    { "push", 2, 3, mock_push },
    { "clear", 0, 1, mock_clear },
    { "rtt", 1, 1, mock_rtt },
    { "down", 0, 1, mock_down },
    { "up", 0, 1, mock_up },
    { "leader", 3, 3, mock_leader },
    { "create", 2, 2, mock_create },
    { "topic-error", 2, 2, mock_topic_error },
    { "quit", 0, 0, mock_quit },
    { NULL, 0, 0, NULL }
};


static int
mock_number(const char *s, long min, long max, long *n)
{
    char  *end;

    errno = 0;
    *n = strtol(s, &end, 10);

    return (end != s && *end == '\0' && errno == 0 && *n >= min && *n <= max)
           ? 0 : -1;
}


static int
mock_error(const char *name, rd_kafka_resp_err_t *err)
{
    size_t                            i, n;
    const struct rd_kafka_err_desc   *descs;

    rd_kafka_get_err_descs(&descs, &n);

    for (i = 0; i < n; i++) {

        /* the table has holes */

        if (descs[i].name != NULL && strcmp(descs[i].name, name) == 0) {
            *err = descs[i].code;
            return 0;
        }
    }

    return -1;
}


static const char *
mock_push(mock_t *mock, int argc, char **argv)
{
    long                  i, count, key;
    rd_kafka_resp_err_t   err, *errs;

    key = MOCK_API_PRODUCE;

    if (mock_error(argv[1], &err) != 0) {
        return "unknown error name";
    }

    if (mock_number(argv[2], 1, MOCK_PUSH_MAX, &count) != 0) {
        return "bad count";
    }

    if (argc > 3 && mock_number(argv[3], 0, 1000, &key) != 0) {
        return "bad API key";
    }

    errs = malloc(count * sizeof(rd_kafka_resp_err_t));
    if (errs == NULL) {
        return "no memory";
    }

    for (i = 0; i < count; i++) {
        errs[i] = err;
    }

    rd_kafka_mock_push_request_errors_array(mock->cluster, (int16_t) key,
                                            (size_t) count, errs);

    free(errs);

    return NULL;
}


static const char *
mock_clear(mock_t *mock, int argc, char **argv)
{
    long  key;

    key = MOCK_API_PRODUCE;

    if (argc > 1 && mock_number(argv[1], 0, 1000, &key) != 0) {
        return "bad API key";
    }

    rd_kafka_mock_clear_request_errors(mock->cluster, (int16_t) key);

    return NULL;
}


static const char *
mock_rtt(mock_t *mock, int argc, char **argv)
{
    int                  id;
    long                 ms;
    rd_kafka_resp_err_t  err;

    (void) argc;

    if (mock_number(argv[1], 0, 600000, &ms) != 0) {
        return "bad time";
    }

    for (id = 1; id <= mock->brokers; id++) {

        err = rd_kafka_mock_broker_set_rtt(mock->cluster, id, (int) ms);

        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return rd_kafka_err2name(err);
        }
    }

    return NULL;
}


static const char *
mock_down(mock_t *mock, int argc, char **argv)
{
    int                  id;
    long                 first, last;
    rd_kafka_resp_err_t  err;

    first = 1;
    last = mock->brokers;

    if (argc > 1) {

        if (mock_number(argv[1], 1, mock->brokers, &first) != 0) {
            return "no such broker";
        }

        last = first;
    }

    for (id = (int) first; id <= (int) last; id++) {

        err = rd_kafka_mock_broker_set_down(mock->cluster, id);

        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return rd_kafka_err2name(err);
        }
    }

    return NULL;
}


static const char *
mock_up(mock_t *mock, int argc, char **argv)
{
    int                  id;
    long                 first, last;
    rd_kafka_resp_err_t  err;

    first = 1;
    last = mock->brokers;

    if (argc > 1) {

        if (mock_number(argv[1], 1, mock->brokers, &first) != 0) {
            return "no such broker";
        }

        last = first;
    }

    for (id = (int) first; id <= (int) last; id++) {

        err = rd_kafka_mock_broker_set_up(mock->cluster, id);

        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return rd_kafka_err2name(err);
        }
    }

    return NULL;
}


static const char *
mock_leader(mock_t *mock, int argc, char **argv)
{
    long                 part, id;
    rd_kafka_resp_err_t  err;

    (void) argc;

    if (mock_number(argv[2], 0, 100000, &part) != 0) {
        return "bad partition";
    }

    if (mock_number(argv[3], -1, mock->brokers, &id) != 0 || id == 0) {
        return "no such broker";
    }

    err = rd_kafka_mock_partition_set_leader(mock->cluster, argv[1],
                                             (int32_t) part, (int32_t) id);

    return (err != RD_KAFKA_RESP_ERR_NO_ERROR) ? rd_kafka_err2name(err) : NULL;
}


static const char *
mock_create(mock_t *mock, int argc, char **argv)
{
    long                 parts;
    rd_kafka_resp_err_t  err;

    (void) argc;

    if (mock_number(argv[2], 1, 10000, &parts) != 0) {
        return "bad number of partitions";
    }

    err = rd_kafka_mock_topic_create(mock->cluster, argv[1], (int) parts,
                                     mock->brokers < 3 ? mock->brokers : 3);

    return (err != RD_KAFKA_RESP_ERR_NO_ERROR) ? rd_kafka_err2name(err) : NULL;
}


static const char *
mock_topic_error(mock_t *mock, int argc, char **argv)
{
    rd_kafka_resp_err_t  err;

    (void) argc;

    if (mock_error(argv[2], &err) != 0) {
        return "unknown error name";
    }

    rd_kafka_mock_topic_set_error(mock->cluster, argv[1], err);

    return NULL;
}


static const char *
mock_quit(mock_t *mock, int argc, char **argv)
{
    (void) argc;
    (void) argv;

    mock->quit = 1;

    return NULL;
}


static const char *
mock_execute(mock_t *mock, char *line)
{
    int                    argc;
    char                  *arg, *save, *argv[MOCK_ARGS];
    const mock_command_t  *cmd;

    argc = 0;

    for (arg = strtok_r(line, " \t\r", &save);
         arg != NULL;
         arg = strtok_r(NULL, " \t\r", &save))
    {
        if (argc == MOCK_ARGS) {
            return "too many arguments";
        }

        argv[argc++] = arg;
    }

    if (argc == 0) {
        return "empty line";
    }

    for (cmd = mock_commands; cmd->name != NULL; cmd++) {

        if (strcmp(cmd->name, argv[0]) != 0) {
            continue;
        }

        if (argc - 1 < cmd->min || argc - 1 > cmd->max) {
            return "wrong number of arguments";
        }

        return cmd->handler(mock, argc, argv);
    }

    return "unknown command";
}


static int
mock_answer(int fd, const char *error)
{
    int   n;
    char  buf[MOCK_LINE];

    if (error == NULL) {
        n = snprintf(buf, sizeof(buf), "ok\n");

    } else {
        n = snprintf(buf, sizeof(buf), "error %s\n", error);
    }

    /*
     * The socket blocks: an answer is shorter than any send buffer, and a
     * peer that asks thousands of times without reading is a broken test.
     */

    return (send(fd, buf, n, MSG_NOSIGNAL) == n) ? 0 : -1;
}


/* -1: the client is gone */

static int
mock_read(mock_t *mock, mock_client_t *c)
{
    char     *lf;
    size_t    used;
    ssize_t   n;

    n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);

    if (n < 0 && errno == EINTR) {
        return 0;
    }

    if (n <= 0) {
        return -1;
    }

    c->len += n;

    while (!mock->quit && (lf = memchr(c->buf, '\n', c->len)) != NULL) {

        *lf = '\0';

        if (mock_answer(c->fd, mock_execute(mock, c->buf)) != 0) {
            return -1;
        }

        used = lf + 1 - c->buf;
        c->len -= used;
        memmove(c->buf, lf + 1, c->len);
    }

    if (c->len == sizeof(c->buf)) {
        (void) mock_answer(c->fd, "line too long");
        return -1;
    }

    return 0;
}


static void
mock_accept(int listener, mock_client_t *clients)
{
    int  i, fd;

    fd = accept(listener, NULL, NULL);
    if (fd == -1) {
        return;
    }

    for (i = 0; i < MOCK_CLIENTS; i++) {

        if (clients[i].fd == -1) {
            clients[i].fd = fd;
            clients[i].len = 0;
            return;
        }
    }

    (void) mock_answer(fd, "too many clients");
    close(fd);
}


static int
mock_listen(int *port)
{
    int                 fd;
    socklen_t           len;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1) {
        return -1;
    }

    len = sizeof(sin);
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, MOCK_CLIENTS) == -1
        || getsockname(fd, (struct sockaddr *) &sin, &len) == -1)
    {
        close(fd);
        return -1;
    }

    *port = ntohs(sin.sin_port);

    return fd;
}


static long long
mock_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
mock_loop(mock_t *mock, int listener, int input, long seconds)
{
    int             i, n;
    char            buf[MOCK_LINE];
    long long       left, deadline;
    struct pollfd   fds[MOCK_CLIENTS + 2];
    mock_client_t   clients[MOCK_CLIENTS];

    for (i = 0; i < MOCK_CLIENTS; i++) {
        clients[i].fd = -1;
        clients[i].len = 0;
    }

    deadline = mock_now() + (long long) seconds * 1000;

    while (!mock->quit) {

        left = deadline - mock_now();
        if (left <= 0) {
            fprintf(stderr, "mock: %ld seconds are over\n", seconds);
            break;
        }

        /* poll() passes over a descriptor that is -1 */

        for (i = 0; i < MOCK_CLIENTS; i++) {
            fds[i].fd = clients[i].fd;
        }

        fds[MOCK_CLIENTS].fd = listener;
        fds[MOCK_CLIENTS + 1].fd = input;

        for (i = 0; i < MOCK_CLIENTS + 2; i++) {
            fds[i].events = POLLIN;
            fds[i].revents = 0;
        }

        n = poll(fds, MOCK_CLIENTS + 2, left > 60000 ? 60000 : (int) left);

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            perror("mock: poll()");
            break;
        }

        for (i = 0; i < MOCK_CLIENTS && !mock->quit; i++) {

            if (fds[i].revents != 0 && mock_read(mock, &clients[i]) != 0) {
                close(clients[i].fd);
                clients[i].fd = -1;
            }
        }

        if (fds[MOCK_CLIENTS].revents != 0) {
            mock_accept(listener, clients);
        }

        if (fds[MOCK_CLIENTS + 1].revents != 0
            && read(input, buf, sizeof(buf)) <= 0)
        {
            break;
        }
    }

    for (i = 0; i < MOCK_CLIENTS; i++) {
        if (clients[i].fd != -1) {
            close(clients[i].fd);
        }
    }
}


static void
mock_usage(void)
{
    fprintf(stderr, "usage: mock [--brokers N] [--max-seconds S] [--stdin] "
                    "TOPIC:PARTITIONS...\n");
    exit(2);
}


int
main(int argc, char **argv)
{
    int                i, input, listener, port;
    long               n, brokers, seconds;
    char              *colon, *args[3], errstr[256];
    mock_t             mock;
    rd_kafka_t        *rk;
    const char        *error;
    rd_kafka_conf_t   *conf;

    brokers = 1;
    seconds = 600;
    input = -1;

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {

        if (strcmp(argv[i], "--stdin") == 0) {
            input = STDIN_FILENO;

        } else if (strcmp(argv[i], "--brokers") == 0 && i + 1 < argc) {

            if (mock_number(argv[++i], 1, 64, &brokers) != 0) {
                mock_usage();
            }

        } else if (strcmp(argv[i], "--max-seconds") == 0 && i + 1 < argc) {

            if (mock_number(argv[++i], 1, 86400, &seconds) != 0) {
                mock_usage();
            }

        } else {
            mock_usage();
        }
    }

    signal(SIGPIPE, SIG_IGN);

    /* the cluster lives in the threads of a client that talks to nobody */

    conf = rd_kafka_conf_new();

    if (rd_kafka_conf_set(conf, "log_level", "3", errstr, sizeof(errstr))
        != RD_KAFKA_CONF_OK)
    {
        fprintf(stderr, "mock: %s\n", errstr);
        return 1;
    }

    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof(errstr));
    if (rk == NULL) {
        fprintf(stderr, "mock: %s\n", errstr);
        rd_kafka_conf_destroy(conf);
        return 1;
    }

    mock.quit = 0;
    mock.brokers = (int) brokers;
    mock.cluster = rd_kafka_mock_cluster_new(rk, mock.brokers);

    if (mock.cluster == NULL) {
        fprintf(stderr, "mock: no cluster\n");
        return 1;
    }

    for ( /* void */ ; i < argc; i++) {

        colon = strrchr(argv[i], ':');

        if (colon == NULL || colon == argv[i]
            || mock_number(colon + 1, 1, 10000, &n) != 0)
        {
            mock_usage();
        }

        *colon = '\0';

        args[0] = NULL;
        args[1] = argv[i];
        args[2] = colon + 1;

        error = mock_create(&mock, 3, args);

        if (error != NULL) {
            fprintf(stderr, "mock: topic %s: %s\n", argv[i], error);
            return 1;
        }
    }

    listener = mock_listen(&port);
    if (listener == -1) {
        perror("mock: control listener");
        return 1;
    }

    printf("%s\n%d\n", rd_kafka_mock_cluster_bootstraps(mock.cluster), port);
    fflush(stdout);

    mock_loop(&mock, listener, input, seconds);

    close(listener);

    rd_kafka_mock_cluster_destroy(mock.cluster);
    rd_kafka_destroy(rk);

    return 0;
}
