/*
 * Fuzz target: configuration values, read by nginx's own parser and by our
 * directives.  Unseen breakage would be an nginx that dies over a typing
 * error, one that accepts a value its workers then stumble over, or a
 * property of Kafka that takes a promise back.
 *
 * The input has up to three parts, a line "%%" between them: what stands
 * inside "gateway fleet { }", inside "location / { }", and in the file
 * fuzz.properties.  Each run makes a cycle as ngx_init_cycle() does, up to
 * the point where the configuration was read and checked, and destroys it.
 * Then: the verdict is NGX_CONF_OK, or an error was logged; not both, and a
 * configuration that was accepted gives lanes that can be made and a producer
 * whose guarantees stand.
 *
 * Nothing outside is touched: the linker puts functions of ours (__wrap_...)
 * in the place of fork, open, glob, getaddrinfo and dlopen, so the properties
 * are not tried in a child, and only the two files exist.  Modules that are
 * not ours, nor needed by ours, are left out of the cycle.  With FUZZ_VERDICT
 * in the environment each run says how it ended.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <glob.h>
#include <librdkafka/rdkafka.h>
#include <netdb.h>

#include "ngx_gateway_core.h"
#include "fuzz.h"


#define INPUT_MAX  4096

#define CONF_FILE  "/fuzz/nginx.conf"
#define PROPERTIES_FILE  "/fuzz/fuzz.properties"


int LLVMFuzzerInitialize(int *argc, char ***argv);

pid_t __wrap_fork(void);
int __wrap_open(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...);
int __real_open64(const char *name, int flags, ...);
int __wrap_glob(const char *pattern, int flags,
    int (*failed)(const char *path, int error), glob_t *found);
int __wrap_glob64(const char *pattern, int flags,
    int (*failed)(const char *path, int error), glob_t *found);
int __wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found);
void *__wrap_dlopen(const char *file, int flags);


typedef struct {
    u_char   text[2 * INPUT_MAX];   /* the input and what is around it */
    size_t   len;
    int      fd;
} file_t;


static file_t       conf_file, properties_file;
static ngx_log_t    fuzz_log;
static ngx_cycle_t  no_cycle;
static ngx_uint_t   errors;
static char         last_error[NGX_MAX_ERROR_STR + 1];


/* by name: an index differs from one nginx to the next */

static const char  *const needed[] = {
    "ngx_core_module", "ngx_conf_module", "ngx_events_module",
    "ngx_event_core_module", "ngx_epoll_module", "ngx_gateway_module",
    "ngx_gateway_block_module", "ngx_http_module", "ngx_http_core_module",
    "ngx_http_gateway_module", NULL
};


pid_t
__wrap_fork(void)
{
    errno = EAGAIN;
    return -1;
}


static int
open_memory(const char *name)
{
    char     path[64];
    file_t  *file;

    file = strcmp(name, CONF_FILE) == 0 ? &conf_file
           : strcmp(name, PROPERTIES_FILE) == 0 ? &properties_file : NULL;

    if (file == NULL) {
        errno = ENOENT;
        return -1;
    }

    /* opened anew, for an offset of its own */

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);

    return __real_open64(path, O_RDONLY|O_CLOEXEC);
}


int
__wrap_open(const char *name, int flags, ...)
{
    (void) flags;

    return open_memory(name);
}


int
__wrap_open64(const char *name, int flags, ...)
{
    (void) flags;

    return open_memory(name);
}


int
__wrap_glob(const char *pattern, int flags,
    int (*failed)(const char *path, int error), glob_t *found)
{
    (void) pattern;
    (void) flags;
    (void) failed;

    memset(found, 0, sizeof(*found));

    return GLOB_NOMATCH;
}


int
__wrap_glob64(const char *pattern, int flags,
    int (*failed)(const char *path, int error), glob_t *found)
{
    return __wrap_glob(pattern, flags, failed, found);
}


int
__wrap_getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
    (void) node;
    (void) service;
    (void) hints;
    (void) found;

    return EAI_NONAME;
}


void *
__wrap_dlopen(const char *file, int flags)
{
    (void) file;
    (void) flags;

    return NULL;
}


static void
on_log(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    (void) log;

    if (level <= NGX_LOG_ERR) {
        errors++;
        memcpy(last_error, buf, ngx_min(len, NGX_MAX_ERROR_STR));
        last_error[ngx_min(len, NGX_MAX_ERROR_STR)] = '\0';
    }
}


static void
file_set(file_t *file, const void *text, size_t len)
{
    if (ftruncate(file->fd, 0) == -1
        || pwrite(file->fd, text, len, 0) != (ssize_t) len)
    {
        abort();
    }
}


static void
add(const void *text, size_t len)
{
    memcpy(conf_file.text + conf_file.len, text, len);
    conf_file.len += len;
}


static void
add_text(const char *text)
{
    add(text, strlen(text));
}


static size_t
part(const uint8_t **p, const uint8_t *last, const uint8_t **from)
{
    size_t          len;
    const uint8_t  *end;

    *from = *p;
    end = *p < last ? memmem(*p, (size_t) (last - *p), "%%\n", 3) : NULL;
    len = (size_t) ((end ? end : last) - *p);
    *p = end ? end + 3 : last;

    return len;
}


static void
write_files(const uint8_t *data, size_t size)
{
    size_t          len;
    const uint8_t  *p, *last, *from;

    p = data;
    last = data + size;

    conf_file.len = 0;

    add_text("events { }\ngateway fleet {\n");
    len = part(&p, last, &from);
    add(from, len);
    add_text("\n}\nhttp { server { location / {\n");
    len = part(&p, last, &from);
    add(from, len);
    add_text("\n}}}\n");

    file_set(&conf_file, conf_file.text, conf_file.len);

    len = part(&p, last, &from);
    file_set(&properties_file, from, len);
}


static void
modules(ngx_cycle_t *cycle)
{
    ngx_uint_t    i, n;
    const char  *const *name;

    if (ngx_cycle_modules(cycle) != NGX_OK) {
        abort();
    }

    for (i = 0, n = 0; cycle->modules[i]; i++) {

        for (name = needed; *name; name++) {
            if (strcmp(cycle->modules[i]->name, *name) == 0) {
                cycle->modules[n++] = cycle->modules[i];
                break;
            }
        }
    }

    cycle->modules[n] = NULL;
    cycle->modules_n = n;
}


static ngx_cycle_t *
cycle_create(void)
{
    ngx_pool_t   *pool;
    ngx_cycle_t  *cycle;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &fuzz_log);
    if (pool == NULL) {
        abort();
    }

    cycle = ngx_pcalloc(pool, sizeof(ngx_cycle_t));
    if (cycle == NULL) {
        abort();
    }

    cycle->pool = pool;
    cycle->log = &fuzz_log;

    ngx_str_set(&cycle->prefix, "/fuzz/");
    ngx_str_set(&cycle->conf_prefix, "/fuzz/");
    ngx_str_set(&cycle->conf_file, CONF_FILE);
    ngx_str_set(&cycle->hostname, "fuzz");

    ngx_queue_init(&cycle->reusable_connections_queue);
    ngx_rbtree_init(&cycle->config_dump_rbtree, &cycle->config_dump_sentinel,
                    ngx_str_rbtree_insert_value);

    cycle->conf_ctx = ngx_pcalloc(pool, ngx_max_module * sizeof(void *));

    if (cycle->conf_ctx == NULL
        || ngx_array_init(&cycle->paths, pool, 4, sizeof(ngx_path_t *))
           != NGX_OK
        || ngx_array_init(&cycle->config_dump, pool, 1,
                          sizeof(ngx_conf_dump_t))
           != NGX_OK
        || ngx_list_init(&cycle->open_files, pool, 4,
                         sizeof(ngx_open_file_t))
           != NGX_OK
        || ngx_list_init(&cycle->shared_memory, pool, 1,
                         sizeof(ngx_shm_zone_t))
           != NGX_OK
        || ngx_array_init(&cycle->listening, pool, 4,
                          sizeof(ngx_listening_t))
           != NGX_OK)
    {
        abort();
    }

    modules(cycle);

    return cycle;
}


static char *
read_conf(ngx_cycle_t *cycle, ngx_pool_t *temp)
{
    void               *rv;
    ngx_conf_t          conf;
    ngx_uint_t          i;
    ngx_core_module_t  *module;

    for (i = 0; cycle->modules[i]; i++) {

        if (cycle->modules[i]->type != NGX_CORE_MODULE) {
            continue;
        }

        module = cycle->modules[i]->ctx;

        if (module->create_conf) {
            rv = module->create_conf(cycle);

            if (rv == NULL) {
                abort();
            }

            cycle->conf_ctx[cycle->modules[i]->index] = rv;
        }
    }

    memset(&conf, 0, sizeof(conf));

    conf.args = ngx_array_create(temp, 10, sizeof(ngx_str_t));
    if (conf.args == NULL) {
        abort();
    }

    conf.ctx = cycle->conf_ctx;
    conf.cycle = cycle;
    conf.pool = cycle->pool;
    conf.temp_pool = temp;
    conf.log = &fuzz_log;
    conf.module_type = NGX_CORE_MODULE;
    conf.cmd_type = NGX_MAIN_CONF;

    if (ngx_conf_parse(&conf, &cycle->conf_file) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; cycle->modules[i]; i++) {

        /* nginx's own core looks for the user of the workers */

        if (cycle->modules[i]->type != NGX_CORE_MODULE
            || cycle->modules[i] == &ngx_core_module)
        {
            continue;
        }

        module = cycle->modules[i]->ctx;

        if (module->init_conf
            && module->init_conf(cycle,
                                 cycle->conf_ctx[cycle->modules[i]->index])
               == NGX_CONF_ERROR)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* nothing is ever offered to these lanes */

static void
evict(void *ctx, gw_lane_item_t *item, gw_reason_e reason)
{
    (void) ctx;
    (void) item;
    (void) reason;

    abort();
}


/* what a worker makes of it, see ngx_gateway_worker.c */

static void
lanes(ngx_gateway_t *gateway)
{
    void                 *mem;
    ngx_uint_t            i;
    gw_lanes_conf_t       conf;
    unsigned __int128     share;
    ngx_gateway_class_t  *class;

    memset(&conf, 0, sizeof(conf));

    class = gateway->classes.elts;

    conf.bound = gateway->buffer;
    conf.nclasses = (uint32_t) gateway->classes.nelts;
    conf.high = (uint32_t) gateway->high;
    conf.low = (uint32_t) gateway->low;
    conf.floor = (uint32_t) gateway->floor;

    fuzz_promise(conf.nclasses >= 1 && conf.nclasses <= GW_CLASSES_MAX,
                 "%u classes", conf.nclasses);
    fuzz_promise(conf.floor == gateway->floor,
                 "\"floor\" %lu becomes %u in a worker",
                 (unsigned long) gateway->floor, conf.floor);

    for (i = 0; i < gateway->classes.nelts; i++) {
        share = (unsigned __int128) gateway->buffer * class[i].share / 100;
        conf.class_conf[i].share = (uint64_t) gateway->buffer
                                   * class[i].share / 100;

        fuzz_promise(conf.class_conf[i].share == share,
                     "share %lu%% of %zu becomes %llu in a worker",
                     (unsigned long) class[i].share, gateway->buffer,
                     (unsigned long long) conf.class_conf[i].share);
        fuzz_promise(class[i].topic.len, "a class without a topic");

        conf.class_conf[i].max_age = class[i].max_age;
        conf.class_conf[i].overflow = (gw_overflow_e) class[i].overflow;
    }

    if (posix_memalign(&mem, 64, gw_lanes_size(&conf)) != 0) {
        abort();
    }

    fuzz_promise(gw_lanes_init(mem, &conf, evict, NULL),
                 "accepted, and no worker can make its lanes: buffer %zu, "
                 "high %u, low %u, tables %zu", gateway->buffer, conf.high,
                 conf.low, gw_lanes_size(&conf));

    free(mem);
}


static void
property(rd_kafka_conf_t *conf, const char *name, const char *want)
{
    char    value[64];
    size_t  size;

    size = sizeof(value);

    if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK) {
        fuzz_broken("librdkafka has no \"%s\"", name);
    }

    fuzz_promise(strcmp(value, want) == 0, "property %s is \"%s\", not \"%s\"",
                 name, value, want);
}


static void
accepted(ngx_cycle_t *cycle)
{
    ngx_uint_t                 i;
    ngx_gateway_t            **gateways, *gateway;
    ngx_gateway_main_conf_t   *gmcf;

    gmcf = ngx_gateway_main_conf(cycle);
    gateways = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        gateway = gateways[i];

        fuzz_promise(gateway->declared && gateway->brokers.nelts
                     && gateway->zone && gateway->sink_conf
                     && gateway->message_max
                     && gateway->window_bytes <= gateway->buffer / 2
                     && gateway->window_messages
                     && gateway->retry_min
                     && gateway->retry_min <= gateway->retry_max,
                     "accepted, and something is not set");

        lanes(gateway);

        property(gateway->sink_conf, "enable.idempotence", "true");
        property(gateway->sink_conf, "acks", "-1");
        property(gateway->sink_conf, "partitioner", "murmur2_random");
        property(gateway->sink_conf, "delivery.report.only.error", "false");
        property(gateway->sink_conf, "enable.gapless.guarantee", "false");
        property(gateway->sink_conf, "queuing.strategy", "fifo");
        property(gateway->sink_conf, "log.queue", "true");
        property(gateway->sink_conf, "test.mock.num.brokers", "0");
    }
}


static void
on_kafka_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    (void) rk;
    (void) level;
    (void) fac;
    (void) buf;
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ngx_uint_t        n;
    rd_kafka_conf_t  *conf;

    (void) argc;
    (void) argv;

    conf_file.fd = memfd_create("nginx.conf", MFD_CLOEXEC);
    properties_file.fd = memfd_create("properties", MFD_CLOEXEC);

    if (conf_file.fd == -1 || properties_file.fd == -1) {
        abort();
    }

    fuzz_log.log_level = NGX_LOG_INFO;
    fuzz_log.writer = on_log;

    no_cycle.log = &fuzz_log;
    ngx_cycle = &no_cycle;

    ngx_use_stderr = 0;
    ngx_pid = ngx_getpid();

    ngx_strerror_init();
    ngx_time_init();

    /* of ngx_os_init(), which also moves the environment */

    ngx_pagesize = getpagesize();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;
    ngx_ncpu = 1;

    for (n = ngx_pagesize; n >>= 1; ngx_pagesize_shift++) { /* void */ }

    if (ngx_crc32_table_init() != NGX_OK || ngx_preinit_modules() != NGX_OK)
    {
        abort();
    }

    ngx_slab_sizes_init();

    /* what librdkafka makes once is no leak of the first run */

    conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_kafka_log);
    rd_kafka_conf_destroy(conf);

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         *rv;
    ngx_pool_t   *temp;
    ngx_cycle_t  *cycle;

    if (size > INPUT_MAX) {
        return 0;
    }

    errors = 0;
    last_error[0] = '\0';

    write_files(data, size);

    cycle = cycle_create();
    ngx_cycle = cycle;

    temp = ngx_create_pool(NGX_CYCLE_POOL_SIZE, &fuzz_log);
    if (temp == NULL) {
        abort();
    }

    rv = read_conf(cycle, temp);

    if (getenv("FUZZ_VERDICT")) {
        fprintf(stderr, "%s: %s\n", rv == NGX_CONF_OK ? "accepted" : "refused",
                last_error);
    }

    if (rv == NGX_CONF_OK) {
        fuzz_promise(errors == 0, "accepted with an error: %s", last_error);
        accepted(cycle);

    } else {
        fuzz_promise(errors != 0, "refused without a word");
    }

    ngx_destroy_pool(temp);
    ngx_destroy_pool(cycle->pool);
    ngx_cycle = &no_cycle;

    return 0;
}
