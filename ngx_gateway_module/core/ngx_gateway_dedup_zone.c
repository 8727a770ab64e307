/*
 * ngx_gateway_dedup_zone.c - the windows of dedup in the zone: laid out, kept
 * over a reload, locked by shard, written at the end of the master and read
 * at its start.
 *
 * The file holds one line of a header and the shards as they lie in memory,
 * each with its checksum, and the secret that the hashes are keyed with: who
 * reads it learns no device and no payload, who writes it can make resends
 * pass, so it is the master's alone (0600).  A file of another version, size
 * or window is not taken, and said so: the windows begin empty then.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gw_lock.h"
#include "ngx_gateway_dedup.h"


#define NGX_GATEWAY_DEDUP_MAGIC        0x3250554445445747ULL  /* "GWDEDUP2" */
#define NGX_GATEWAY_DEDUP_WINDOWS_MIN  64     /* of a shard */


typedef struct {
    gw_lock_t              lock;
    gw_dedup_t            *dedup;
    u_char                 line[128 - sizeof(gw_lock_t) - sizeof(void *)];
} ngx_gateway_dedup_shard_t;


struct ngx_gateway_dedup_zone_s {
    ngx_gateway_dedup_shard_t  shard[NGX_GATEWAY_DEDUP_SHARDS];
    u_char                     secret[GW_DEDUP_SECRET_LEN];
    uint32_t                   alive[GW_DEDUP_OWNERS];
    uint32_t                   incarnation[GW_DEDUP_OWNERS];
    uint64_t                   capacity;     /* windows of all shards */
    uint32_t                   windows;      /* of one */
    uint32_t                   flights;
    uint32_t                   width;
};


/* what the file begins with; the shards follow, header and body each */

typedef struct {
    uint64_t                   magic;
    uint32_t                   shards;
    uint32_t                   windows;
    uint32_t                   width;
    uint32_t                   reserved;
    uint64_t                   gateway;    /* of its name */
    u_char                     secret[GW_DEDUP_SECRET_LEN];
} ngx_gateway_dedup_file_t;


static void ngx_gateway_dedup_zone_conf(ngx_gateway_t *gateway,
    gw_dedup_conf_t *conf);
static ngx_int_t ngx_gateway_dedup_zone_load(ngx_shm_zone_t *shm_zone,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t *zone);
static uint64_t ngx_gateway_dedup_zone_name(ngx_gateway_t *gateway);
static const char *ngx_gateway_dedup_zone_read(ngx_fd_t fd,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t *zone,
    gw_dedup_conf_t *conf, ngx_log_t *log);
static ngx_int_t ngx_gateway_dedup_zone_write(ngx_fd_t fd, const u_char *p,
    size_t len);
static ngx_int_t ngx_gateway_dedup_zone_fill(ngx_fd_t fd, u_char *p,
    size_t len);


ngx_int_t
ngx_gateway_dedup_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t **zonep)
{
    void                      *mem;
    size_t                     size;
    ngx_uint_t                 i;
    gw_dedup_conf_t            conf;
    ngx_slab_pool_t           *shpool;
    ngx_gateway_dedup_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    zone = ngx_slab_calloc(shpool, ngx_align(sizeof(ngx_gateway_dedup_zone_t),
                                             ngx_pagesize));
    if (zone == NULL) {
        goto too_small;
    }

    if (RAND_bytes(zone->secret, GW_DEDUP_SECRET_LEN) != 1) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "libcrypto has no randomness for \"dedup\"");
        return NGX_ERROR;
    }

    size = shpool->pfree / NGX_GATEWAY_DEDUP_SHARDS * ngx_pagesize;

    ngx_gateway_dedup_zone_conf(gateway, &conf);
    gw_dedup_fit(&conf, size);

    if (conf.windows < NGX_GATEWAY_DEDUP_WINDOWS_MIN) {
        goto too_small;
    }

    size = gw_dedup_size(&conf);

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {
        mem = ngx_slab_alloc(shpool, size);

        if (mem == NULL) {
            goto too_small;
        }

        zone->shard[i].dedup = gw_dedup_init(mem, &conf);

        if (zone->shard[i].dedup == NULL
            || gw_lock_init(&zone->shard[i].lock) != GW_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\": no lock for \"dedup\"",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }
    }

    zone->windows = conf.windows;
    zone->flights = conf.flights;
    zone->width = conf.width;
    zone->capacity = (uint64_t) conf.windows * NGX_GATEWAY_DEDUP_SHARDS;

    *zonep = zone;

    return ngx_gateway_dedup_zone_load(shm_zone, gateway, zone);

too_small:

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "zone \"%V\" is too small for \"dedup\": 2m keeps some "
                  "20,000 devices, see \"dedup off\" as well",
                  &shm_zone->shm.name);

    return NGX_ERROR;
}


static void
ngx_gateway_dedup_zone_conf(ngx_gateway_t *gateway, gw_dedup_conf_t *conf)
{
    ngx_memzero(conf, sizeof(gw_dedup_conf_t));

    conf->width = gateway->dedup_window;
    conf->keep = gateway->dedup_keep;
    conf->full_refuse = gateway->dedup_full_refuse;
    conf->stale_refuse = gateway->dedup_stale_refuse;
}


ngx_int_t
ngx_gateway_dedup_zone_attach(ngx_shm_zone_t *shm_zone,
    ngx_gateway_t *gateway, ngx_gateway_dedup_zone_t *zone)
{
    ngx_uint_t       i;
    gw_dedup_conf_t  conf;

    /*
     * The policies are in shared memory and hold for old workers as well, from
     * now on.  That is done only where all else is right: a configuration that
     * is refused further on changes two policies at worst.
     */

    ngx_gateway_dedup_zone_conf(gateway, &conf);

    if (conf.width != zone->width) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "\"dedup window=%uD\" of gateway \"%V\" differs from "
                      "the running %uD: a window keeps its size until nginx "
                      "is restarted", conf.width, &gateway->name, zone->width);
        return NGX_ERROR;
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {
        conf.windows = 0;
        conf.flights = 0;

        if (gw_dedup_attach(zone->shard[i].dedup, &conf) != GW_OK) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" has another layout: restart nginx",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


uint32_t
ngx_gateway_dedup_zone_enter(ngx_gateway_dedup_zone_t *zone, ngx_uint_t n)
{
    uint32_t  incarnation;

    incarnation = (zone->incarnation[n] + 1) & 0xffffff;

    if (incarnation == 0) {
        incarnation = 1;
    }

    zone->incarnation[n] = incarnation;
    zone->alive[n] = (uint32_t) n << 24 | incarnation;

    return zone->alive[n];
}


void
ngx_gateway_dedup_zone_leave(ngx_gateway_dedup_zone_t *zone, ngx_uint_t n)
{
    zone->alive[n] = 0;
}


void
ngx_gateway_dedup_zone_bury(ngx_gateway_dedup_zone_t *zone, uint32_t owner)
{
    (void) __sync_bool_compare_and_swap(&zone->alive[owner >> 24], owner, 0);
}


gw_dedup_t *
ngx_gateway_dedup_zone_lock(ngx_gateway_dedup_zone_t *zone, uint64_t place,
    ngx_log_t *log)
{
    int                         rc;
    ngx_gateway_dedup_shard_t  *shard;

    shard = &zone->shard[place % NGX_GATEWAY_DEDUP_SHARDS];

    rc = gw_lock(&shard->lock);

    if (rc == GW_OK) {
        return shard->dedup;
    }

    if (rc == GW_AGAIN) {
        gw_dedup_repair(shard->dedup);

        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "a worker died while it held windows of \"dedup\": "
                      "repaired");

        return shard->dedup;
    }

    ngx_log_error(NGX_LOG_ALERT, log, 0, "windows of \"dedup\" cannot be "
                  "locked");

    return NULL;
}


void
ngx_gateway_dedup_zone_unlock(ngx_gateway_dedup_zone_t *zone, uint64_t place)
{
    gw_unlock(&zone->shard[place % NGX_GATEWAY_DEDUP_SHARDS].lock);
}


void
ngx_gateway_dedup_zone_prefetch(ngx_gateway_dedup_zone_t *zone,
    const gw_dedup_id_t *id)
{
    gw_dedup_prefetch(zone->shard[id->place % NGX_GATEWAY_DEDUP_SHARDS].dedup,
                      id);
}


const uint32_t *
ngx_gateway_dedup_zone_alive(ngx_gateway_dedup_zone_t *zone)
{
    return zone->alive;
}


const u_char *
ngx_gateway_dedup_zone_secret(ngx_gateway_dedup_zone_t *zone)
{
    return zone->secret;
}


/* each number for itself, unlocked: it may be a moment old */

void
ngx_gateway_dedup_zone_stats(ngx_gateway_dedup_zone_t *zone,
    gw_dedup_stats_t *stats, uint64_t *capacity)
{
    ngx_uint_t               i;
    const gw_dedup_stats_t  *one;

    ngx_memzero(stats, sizeof(gw_dedup_stats_t));

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {
        one = gw_dedup_stats(zone->shard[i].dedup);

        stats->windows += one->windows;
        stats->flights += one->flights;
        stats->evicted += one->evicted;
        stats->epochs += one->epochs;
        stats->repaired += one->repaired;
    }

    *capacity = zone->capacity;
}


/* NGX_OK where there is no file, or none that could be taken */

static ngx_int_t
ngx_gateway_dedup_zone_load(ngx_shm_zone_t *shm_zone, ngx_gateway_t *gateway,
    ngx_gateway_dedup_zone_t *zone)
{
    ngx_fd_t          fd;
    ngx_err_t         err;
    const char       *why;
    gw_dedup_conf_t   conf;

    if (gateway->dedup_state.len == 0 || ngx_test_config) {
        return NGX_OK;
    }

    fd = ngx_open_file(gateway->dedup_state.data, NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ERR, shm_zone->shm.log, err,
                          ngx_open_file_n " \"%V\" failed: gateway \"%V\" "
                          "begins without its dedup windows",
                          &gateway->dedup_state, &gateway->name);
        }

        return NGX_OK;
    }

    ngx_gateway_dedup_zone_conf(gateway, &conf);

    why = ngx_gateway_dedup_zone_read(fd, gateway, zone, &conf,
                                      shm_zone->shm.log);

    if (why) {
        ngx_log_error(NGX_LOG_ERR, shm_zone->shm.log, 0,
                      "\"%V\" %s: gateway \"%V\" begins without its dedup "
                      "windows, resends from before can be counted twice",
                      &gateway->dedup_state, why, &gateway->name);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, shm_zone->shm.log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed",
                      &gateway->dedup_state);
    }

    return NGX_OK;
}


/* hashes do not tell gateways apart: each has a zone of its own */

static uint64_t
ngx_gateway_dedup_zone_name(ngx_gateway_t *gateway)
{
    return XXH3_64bits(gateway->name.data, gateway->name.len);
}


/* NULL: all windows are there; else what is wrong with the file, and no
   window is there */

static const char *
ngx_gateway_dedup_zone_read(ngx_fd_t fd, ngx_gateway_t *gateway,
    ngx_gateway_dedup_zone_t *zone, gw_dedup_conf_t *conf, ngx_log_t *log)
{
    u_char                    *body, header[GW_DEDUP_HEADER];
    size_t                     len;
    ngx_uint_t                 i;
    const char                *why;
    const uint8_t             *memory;
    ngx_gateway_dedup_file_t   file;

    if (ngx_gateway_dedup_zone_fill(fd, (u_char *) &file, sizeof(file))
        != NGX_OK
        || file.magic != NGX_GATEWAY_DEDUP_MAGIC)
    {
        return "is no state of dedup of this version";
    }

    if (file.gateway != ngx_gateway_dedup_zone_name(gateway)) {
        return "is of another gateway";
    }

    if (file.shards != NGX_GATEWAY_DEDUP_SHARDS
        || file.windows != zone->windows || file.width != zone->width)
    {
        return "is of a zone of another size or window";
    }

    gw_dedup_seal(zone->shard[0].dedup, 0, header, &memory, &len);

    body = ngx_alloc(len, log);
    if (body == NULL) {
        return "does not fit into memory";
    }

    why = NULL;

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {

        if (ngx_gateway_dedup_zone_fill(fd, header, GW_DEDUP_HEADER) != NGX_OK
            || ngx_gateway_dedup_zone_fill(fd, body, len) != NGX_OK)
        {
            why = "is too short";
            break;
        }

        if (gw_dedup_load(zone->shard[i].dedup, header, body, len,
                          (uint32_t) (ngx_current_msec / 1000), &why)
            != GW_OK)
        {
            break;
        }
    }

    ngx_free(body);

    if (why == NULL) {
        ngx_memcpy(zone->secret, file.secret, GW_DEDUP_SECRET_LEN);
        return NULL;
    }

    /* half of it would be windows that nobody's hash finds */

    conf->windows = zone->windows;
    conf->flights = zone->flights;

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {
        (void) gw_dedup_init(zone->shard[i].dedup, conf);
    }

    return why;
}


void
ngx_gateway_dedup_zone_save(ngx_gateway_t *gateway,
    ngx_gateway_dedup_zone_t *zone, ngx_log_t *log)
{
    size_t                     len;
    u_char                    *name, header[GW_DEDUP_HEADER];
    ngx_fd_t                   fd;
    ngx_str_t                 *path;
    ngx_uint_t                 i;
    const char                *failed;
    const uint8_t             *body;
    ngx_gateway_dedup_file_t   file;

    path = &gateway->dedup_state;

    if (path->len == 0) {
        return;
    }

    /* beside it first, so that what is there is whole, the old or the new */

    name = ngx_alloc(path->len + sizeof(".new"), log);
    if (name == NULL) {
        return;
    }

    ngx_sprintf(name, "%V.new%Z", path);

    failed = ngx_open_file_n;
    fd = ngx_open_file(name, NGX_FILE_WRONLY, NGX_FILE_TRUNCATE, 0600);

    if (fd == NGX_INVALID_FILE) {
        goto failed;
    }

    ngx_memzero(&file, sizeof(file));

    file.magic = NGX_GATEWAY_DEDUP_MAGIC;
    file.shards = NGX_GATEWAY_DEDUP_SHARDS;
    file.windows = zone->windows;
    file.width = zone->width;
    file.gateway = ngx_gateway_dedup_zone_name(gateway);
    ngx_memcpy(file.secret, zone->secret, GW_DEDUP_SECRET_LEN);

    failed = "write()";

    if (ngx_gateway_dedup_zone_write(fd, (u_char *) &file, sizeof(file))
        != NGX_OK)
    {
        goto failed;
    }

    for (i = 0; i < NGX_GATEWAY_DEDUP_SHARDS; i++) {

        /* of a worker that was killed nobody may have repaired it yet */

        (void) ngx_gateway_dedup_zone_lock(zone, i, log);

        gw_dedup_seal(zone->shard[i].dedup,
                      (uint32_t) (ngx_current_msec / 1000), header, &body,
                      &len);

        ngx_gateway_dedup_zone_unlock(zone, i);

        if (ngx_gateway_dedup_zone_write(fd, header, GW_DEDUP_HEADER)
            != NGX_OK
            || ngx_gateway_dedup_zone_write(fd, body, len) != NGX_OK)
        {
            goto failed;
        }
    }

    failed = "fsync()";

    if (fsync(fd) == -1) {
        goto failed;
    }

    failed = ngx_close_file_n;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        fd = NGX_INVALID_FILE;
        goto failed;
    }

    fd = NGX_INVALID_FILE;
    failed = ngx_rename_file_n;

    if (ngx_rename_file(name, path->data) == NGX_FILE_ERROR) {
        goto failed;
    }

    ngx_free(name);

    return;

failed:

    ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                  "%s \"%s\" failed: the dedup windows of gateway \"%V\" are "
                  "not kept, resends after the next start can be counted "
                  "twice", failed, name, &gateway->name);

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
        (void) ngx_delete_file(name);
    }

    ngx_free(name);
}


static ngx_int_t
ngx_gateway_dedup_zone_write(ngx_fd_t fd, const u_char *p, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, p, len);

        if (n == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        p += n;
        len -= n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_dedup_zone_fill(ngx_fd_t fd, u_char *p, size_t len)
{
    ssize_t  n;

    while (len) {
        n = read(fd, p, len);

        if (n <= 0) {
            if (n == -1 && ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        p += n;
        len -= n;
    }

    return NGX_OK;
}
