/*
 * ngx_gateway_kafka_conf.c - librdkafka's properties, checked while nginx
 * reads its configuration.
 *
 * rd_kafka_conf_set() knows every name and every range and starts no thread,
 * so a mistake is found by "nginx -t" with its line.  What contradicts itself,
 * or names a file that is not there, only rd_kafka_new() finds: it is tried in
 * a child that ends at once, since a master must not have threads.  What the
 * promises of the gateway rest on is not for the user to change and is refused
 * by name.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <poll.h>
#include <sys/wait.h>

#include "ngx_gateway_kafka.h"


#define NGX_GATEWAY_KAFKA_TRY_TIMEOUT  5000   /* ms */

#define NGX_GATEWAY_KAFKA_EVENTS                                              \
    (RD_KAFKA_EVENT_DR|RD_KAFKA_EVENT_ERROR|RD_KAFKA_EVENT_STATS              \
     |RD_KAFKA_EVENT_LOG)


typedef struct {
    const char  *name;
    const char  *value;         /* NULL: no value of the user's; else those
                                   it may have, separated by spaces */
    const char  *why;
} ngx_gateway_kafka_owned_t;


static void ngx_gateway_kafka_conf_cleanup(void *data);
static char *ngx_gateway_kafka_try(ngx_conf_t *cf, ngx_gateway_t *gateway,
    rd_kafka_conf_t *conf);
static rd_kafka_conf_t *ngx_gateway_kafka_conf_get(ngx_conf_t *cf,
    ngx_gateway_t *gateway);


/*
 * Of two requests in flight the broker may refuse the first (it does not lead
 * just now) and take the second: it checks sequence numbers only where it knows
 * the producer, not for the first batch of a new one.  librdkafka then reports
 * the first as persisted, for it believes that the second could not have been
 * taken otherwise: an acknowledged message is lost.
 */

#define NGX_GATEWAY_KAFKA_IN_FLIGHT                                           \
    "with more, a message that Kafka refused may be reported as delivered"


static const ngx_gateway_kafka_owned_t  ngx_gateway_kafka_owned[] = {

    { "bootstrap.servers", NULL, "use the directive \"brokers\"" },
    { "metadata.broker.list", NULL, "use the directive \"brokers\"" },
    { "enable.idempotence", "true",
      "a retry inside librdkafka must not make a duplicate" },
    { "acks", "all -1", "an acknowledged message must survive a broker" },
    { "request.required.acks", "all -1",
      "an acknowledged message must survive a broker" },
    { "partitioner", "murmur2_random",
      "other producers and stream joins hash keys as the Java client does" },
    { "delivery.report.only.error", NULL,
      "every message is answered on its delivery report" },
    { "log.queue", NULL, "logs are served on the event loop" },
    { "max.in.flight", "1", NGX_GATEWAY_KAFKA_IN_FLIGHT },
    { "max.in.flight.requests.per.connection", "1",
      NGX_GATEWAY_KAFKA_IN_FLIGHT },
    { "queuing.strategy", NULL, "the order of a device must hold" },
    { "enable.gapless.guarantee", NULL,
      "a message that timed out is sent again by the gateway" },
    { "transactional.id", NULL, "the gateway uses no transactions" },
    { "queue.buffering.max.messages", NULL,
      "use the directives \"buffer\" and \"window\"" },
    { "queue.buffering.max.kbytes", NULL,
      "use the directives \"buffer\" and \"window\"" },
    { "internal.termination.signal", NULL,
      "signals belong to nginx" },
    { "test.mock.num.brokers", NULL,
      "each worker would have a cluster of its own" },

    { NULL, NULL, NULL }
};


/* what an operator would choose; a property set by hand wins */

static const char  *ngx_gateway_kafka_defaults[] = {
    "client.id", "nginx-gateway",
    "compression.type", "lz4",
    "linger.ms", "5",
    "message.timeout.ms", "0",
    "socket.timeout.ms", "15000",
    "socket.keepalive.enable", "true",
    "reconnect.backoff.max.ms", "2000",
    "statistics.interval.ms", "1000",
    "topic.metadata.refresh.interval.ms", "60000",
    "topic.metadata.propagation.max.ms", "5000",
    NULL
};


/* and what is not for choice */

static const char  *ngx_gateway_kafka_fixed[] = {
    "enable.idempotence", "true",
    "max.in.flight.requests.per.connection", "1",
    "acks", "all",
    "partitioner", "murmur2_random",
    "log.queue", "true",
    "queue.buffering.max.messages", "1000000",
    "queue.buffering.max.kbytes", "2097151",
    NULL
};


ngx_int_t
ngx_gateway_kafka_property(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *name, ngx_str_t *value)
{
    char                              errstr[512];
    size_t                            len;
    const char                       *p;
    rd_kafka_conf_t                  *conf;
    rd_kafka_conf_res_t               res;
    const ngx_gateway_kafka_owned_t  *owned;

    for (owned = ngx_gateway_kafka_owned; owned->name; owned++) {

        if (ngx_strcmp(owned->name, name->data) != 0) {
            continue;
        }

        for (p = owned->value; p; p = ngx_strchr(p, ' ')) {

            while (*p == ' ') {
                p++;
            }

            len = strcspn(p, " ");

            if (len == value->len
                && ngx_strncasecmp((u_char *) p, value->data, len) == 0)
            {
                return NGX_OK;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "property \"%V\" is set by the gateway: %s",
                           name, owned->why);
        return NGX_ERROR;
    }

    if (ngx_strlen(value->data) != value->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the value of property \"%V\" has a null character",
                           name);
        return NGX_ERROR;
    }

    conf = ngx_gateway_kafka_conf_get(cf, gateway);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    res = rd_kafka_conf_set(conf, (char *) name->data, (char *) value->data,
                            errstr, sizeof(errstr));

    switch (res) {

    case RD_KAFKA_CONF_OK:
        return NGX_OK;

    case RD_KAFKA_CONF_UNKNOWN:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown property \"%V\" (librdkafka %s)",
                           name, rd_kafka_version_str());
        return NGX_ERROR;

    default:
        /* the message of librdkafka repeats values, which may be secrets */
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value of property \"%V\" "
                           "(librdkafka %s)", name, rd_kafka_version_str());
        return NGX_ERROR;
    }
}


static rd_kafka_conf_t *
ngx_gateway_kafka_conf_get(ngx_conf_t *cf, ngx_gateway_t *gateway)
{
    char                 errstr[512];
    ngx_uint_t           i;
    const char         **p;
    rd_kafka_conf_t     *conf;
    ngx_pool_cleanup_t  *cln;

    if (gateway->sink_conf) {
        return gateway->sink_conf;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    conf = rd_kafka_conf_new();

    cln->handler = ngx_gateway_kafka_conf_cleanup;
    cln->data = conf;

    gateway->sink_conf = conf;

    p = ngx_gateway_kafka_defaults;

    for (i = 0; p[i]; i += 2) {
        if (rd_kafka_conf_set(conf, p[i], p[i + 1], errstr, sizeof(errstr))
            != RD_KAFKA_CONF_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "librdkafka %s does not take %s=%s: %s",
                               rd_kafka_version_str(), p[i], p[i + 1],
                               errstr);
            return NULL;
        }
    }

    return conf;
}


static void
ngx_gateway_kafka_conf_cleanup(void *data)
{
    rd_kafka_conf_destroy(data);
}


char *
ngx_gateway_kafka_conf(ngx_conf_t *cf, ngx_gateway_t *gateway)
{
    char              errstr[512], value[32];
    u_char           *list, *p;
    size_t            len, max;
    ngx_str_t        *broker;
    ngx_uint_t        i;
    const char      **f;
    rd_kafka_conf_t  *conf;

    conf = ngx_gateway_kafka_conf_get(cf, gateway);
    if (conf == NULL) {
        return NGX_CONF_ERROR;
    }

    f = ngx_gateway_kafka_fixed;

    for (i = 0; f[i]; i += 2) {
        if (rd_kafka_conf_set(conf, f[i], f[i + 1], errstr, sizeof(errstr))
            != RD_KAFKA_CONF_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "librdkafka %s does not take %s=%s: %s",
                               rd_kafka_version_str(), f[i], f[i + 1],
                               errstr);
            return NGX_CONF_ERROR;
        }
    }

    broker = gateway->brokers.elts;
    len = 0;

    for (i = 0; i < gateway->brokers.nelts; i++) {
        len += broker[i].len + 1;
    }

    list = ngx_pnalloc(cf->pool, len + 1);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    p = list;

    for (i = 0; i < gateway->brokers.nelts; i++) {
        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, broker[i].data, broker[i].len);
    }

    *p = '\0';

    if (rd_kafka_conf_set(conf, "bootstrap.servers", (char *) list, errstr,
                          sizeof(errstr))
        != RD_KAFKA_CONF_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"brokers\": %s",
                           errstr);
        return NGX_CONF_ERROR;
    }

    rd_kafka_conf_set_events(conf, NGX_GATEWAY_KAFKA_EVENTS);

    max = sizeof(value);

    if (rd_kafka_conf_get(conf, "message.max.bytes", value, &max)
        == RD_KAFKA_CONF_OK)
    {
        /* the limit of librdkafka counts the key and the headers too */
        gateway->message_max = (size_t) strtoull(value, NULL, 10);
        gateway->message_max -= ngx_min(gateway->message_max / 2, 1024);
    }

    return ngx_gateway_kafka_try(cf, gateway, conf);
}


/*
 * The child tells through a pipe: nothing, or why there is no producer.  It
 * has no chance to reach a broker, and a child that does not end is no reason
 * to refuse a configuration.
 */

static char *
ngx_gateway_kafka_try(ngx_conf_t *cf, ngx_gateway_t *gateway,
    rd_kafka_conf_t *conf)
{
    int              fds[2];
    char             errstr[512];
    pid_t            pid;
    ssize_t          n;
    sigset_t         set, old;
    struct pollfd    pfd;

    if (pipe(fds) == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "pipe() failed");
        return NGX_CONF_ERROR;
    }

    /* the master's handler would take the child for a worker */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void) sigprocmask(SIG_BLOCK, &set, &old);

    pid = fork();

    if (pid == 0) {
        conf = rd_kafka_conf_dup(conf);

        if (rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof(errstr))
            == NULL)
        {
            n = write(fds[1], errstr, ngx_strlen(errstr));
            (void) n;
        }

        _exit(0);
    }

    (void) close(fds[1]);

    n = 0;

    if (pid == -1) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno,
                           "fork() failed, properties are not tried");

    } else {
        pfd.fd = fds[0];
        pfd.events = POLLIN;

        do {
            n = poll(&pfd, 1, NGX_GATEWAY_KAFKA_TRY_TIMEOUT);
        } while (n == -1 && ngx_errno == NGX_EINTR);

        if (n > 0) {
            n = read(fds[0], errstr, sizeof(errstr) - 1);

        } else {
            (void) kill(pid, SIGKILL);
        }

        while (waitpid(pid, NULL, 0) == -1 && ngx_errno == NGX_EINTR) {
            /* void */
        }
    }

    (void) close(fds[0]);
    (void) sigprocmask(SIG_SETMASK, &old, NULL);

    if (n > 0) {
        errstr[n] = '\0';

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no producer can be made of the properties of "
                           "gateway \"%V\": %s", &gateway->name, errstr);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


rd_kafka_conf_t *
ngx_gateway_kafka_conf_dup(ngx_gateway_t *gateway)
{
    return rd_kafka_conf_dup(gateway->sink_conf);
}
