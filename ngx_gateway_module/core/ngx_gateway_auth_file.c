/*
 * ngx_gateway_auth_file.c - the registries and key sets of gateway_auth: read
 * once under "nginx -t", where a mistake refuses the configuration, and then
 * watched by every worker for itself, where a mistake leaves the old one in
 * force.
 *
 * The files are local and small, or, where they are not (a registry of a
 * million devices), are asked for a page or two: none of it waits for another
 * machine.  What a turn of the watch costs is a stat() and a word of shared
 * memory a file.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_auth_core.h"


#define NGX_GATEWAY_AUTH_WATCH     250             /* ms */
#define NGX_GATEWAY_AUTH_KEYS_MAX  (1024 * 1024)   /* bytes of a key set */
#define NGX_GATEWAY_AUTH_CACHE     2048            /* KiB of pages */


/* nginx prints no octal numbers */

#define ngx_gateway_auth_mode(mode)                                           \
    (ngx_uint_t) ((mode) >> 6 & 7), (ngx_uint_t) ((mode) >> 3 & 7),           \
    (ngx_uint_t) ((mode) & 7)


static void ngx_gateway_auth_file_readable(ngx_cycle_t *cycle,
    ngx_gateway_auth_file_t *file, ngx_file_info_t *fi);
static void ngx_gateway_auth_watch(ngx_event_t *ev);
static void ngx_gateway_auth_look(ngx_gateway_auth_file_t *file);
static void ngx_gateway_auth_look_registry(ngx_gateway_auth_file_t *file);
static void ngx_gateway_auth_look_keys(ngx_gateway_auth_file_t *file);
static gw_registry_t *ngx_gateway_auth_registry(
    ngx_gateway_auth_file_t *file, char *error);
static gw_keys_t *ngx_gateway_auth_keys(ngx_gateway_auth_file_t *file,
    ngx_log_t *log, char *error);
static void ngx_gateway_auth_changed(ngx_gateway_auth_file_t *file);
static void ngx_gateway_auth_failed(ngx_gateway_auth_file_t *file,
    const char *error, const char *what);
static void ngx_gateway_auth_keys_cleanup(void *data);


static ngx_event_t  ngx_gateway_auth_event;


ngx_int_t
ngx_gateway_auth_file_check(ngx_cycle_t *cycle, ngx_gateway_auth_file_t *file)
{
    char                 error[NGX_GATEWAY_AUTH_ERROR];
    gw_registry_t       *registry;
    ngx_file_info_t      fi;
    ngx_pool_cleanup_t  *cln;

    if (ngx_file_info(file->path.data, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      ngx_file_info_n " \"%V\" failed (%d: %s) in %s:%ui",
                      &file->path, ngx_errno, strerror(ngx_errno),
                      file->conf_file, file->line);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%V\" is no file in %s:%ui", &file->path,
                      file->conf_file, file->line);
        return NGX_ERROR;
    }

    /* whoever reads an HMAC key can sign with it */

    if (file->private && (fi.st_mode & 0037)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%V\" holds the keys of \"gateway_auth hmac\" and has "
                      "mode 0%ui%ui%ui, it must be 0600 or 0640 in %s:%ui",
                      &file->path, ngx_gateway_auth_mode(fi.st_mode),
                      file->conf_file, file->line);
        return NGX_ERROR;
    }

    ngx_gateway_auth_file_readable(cycle, file, &fi);

    if (file->gateway) {

        /* SQLite carries no handle across a fork: each worker has its own */

        registry = ngx_gateway_auth_registry(file, error);

        if (registry) {
            gw_registry_close(registry);
            return NGX_OK;
        }

    } else {
        cln = ngx_pool_cleanup_add(cycle->pool, 0);
        if (cln == NULL) {
            return NGX_ERROR;
        }

        file->keys = ngx_gateway_auth_keys(file, cycle->log, error);

        if (file->keys) {
            cln->handler = ngx_gateway_auth_keys_cleanup;
            cln->data = file;
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "%s in %s:%ui", error,
                  file->conf_file, file->line);

    return NGX_ERROR;
}


/*
 * The master may read what its workers may not.  Only a warning: the user may
 * be in other groups as well.
 */

static void
ngx_gateway_auth_file_readable(ngx_cycle_t *cycle,
    ngx_gateway_auth_file_t *file, ngx_file_info_t *fi)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (file->warned
        || geteuid() != 0 || ccf->user == 0 || (fi->st_mode & S_IROTH)
        || (fi->st_uid == ccf->user && (fi->st_mode & S_IRUSR))
        || (fi->st_gid == ccf->group && (fi->st_mode & S_IRGRP)))
    {
        return;
    }

    file->warned = 1;

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "\"%V\" has mode 0%ui%ui%ui and seems not readable by the "
                  "user \"%s\" of the workers in %s:%ui", &file->path,
                  ngx_gateway_auth_mode(fi->st_mode), ccf->username,
                  file->conf_file, file->line);
}


void
ngx_gateway_auth_files_open(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf)
{
    ngx_uint_t                 i;
    ngx_event_t               *ev;
    ngx_gateway_auth_file_t  **files;

    if (gmcf->auth_files.nelts == 0) {
        return;
    }

    files = gmcf->auth_files.elts;

    for (i = 0; i < gmcf->auth_files.nelts; i++) {

        if (files[i]->keys && access((char *) files[i]->path.data, R_OK) == -1)
        {
            ngx_gateway_auth_failed(files[i], strerror(ngx_errno),
                                    "changes of it will not be seen");
        }

        ngx_gateway_auth_look(files[i]);
    }

    ev = &ngx_gateway_auth_event;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_gateway_auth_watch;
    ev->data = gmcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_GATEWAY_AUTH_WATCH);
}


void
ngx_gateway_auth_files_close(ngx_gateway_main_conf_t *gmcf)
{
    ngx_uint_t                 i;
    ngx_gateway_auth_file_t  **files;

    if (ngx_gateway_auth_event.timer_set) {
        ngx_del_timer(&ngx_gateway_auth_event);
    }

    files = gmcf->auth_files.elts;

    for (i = 0; i < gmcf->auth_files.nelts; i++) {
        if (files[i]->registry) {
            gw_registry_close(files[i]->registry);
            files[i]->registry = NULL;
        }
    }
}


static void
ngx_gateway_auth_watch(ngx_event_t *ev)
{
    ngx_uint_t                 i;
    ngx_gateway_auth_file_t  **files;
    ngx_gateway_main_conf_t   *gmcf;

    gmcf = ev->data;
    files = gmcf->auth_files.elts;

    for (i = 0; i < gmcf->auth_files.nelts; i++) {
        ngx_gateway_auth_look(files[i]);
    }

    ngx_add_timer(ev, NGX_GATEWAY_AUTH_WATCH);
}


static void
ngx_gateway_auth_look(ngx_gateway_auth_file_t *file)
{
    if (file->gateway) {
        ngx_gateway_auth_look_registry(file);

    } else {
        ngx_gateway_auth_look_keys(file);
    }
}


static void
ngx_gateway_auth_look_registry(ngx_gateway_auth_file_t *file)
{
    char  error[NGX_GATEWAY_AUTH_ERROR];

    error[0] = '\0';

    if (file->registry == NULL) {
        file->registry = ngx_gateway_auth_registry(file, error);

        if (file->registry == NULL) {
            ngx_gateway_auth_failed(file, error, "no device can sign in");
            return;
        }

        file->failed = 0;

        return;
    }

    if (gw_registry_changed(file->registry, error, sizeof(error))) {
        ngx_gateway_auth_changed(file);
    }

    if (error[0]) {
        ngx_gateway_auth_failed(file, error, "the old one is in force");

    } else {
        file->failed = 0;
    }
}


static void
ngx_gateway_auth_look_keys(ngx_gateway_auth_file_t *file)
{
    char              error[NGX_GATEWAY_AUTH_ERROR];
    gw_keys_t        *keys;
    ngx_file_info_t   fi;

    if (ngx_file_info(file->path.data, &fi) == NGX_FILE_ERROR) {

        /* said also where it was a bad one before */

        file->failed &= file->gone;
        file->gone = 1;

        ngx_gateway_auth_failed(file, "the file is gone or out of reach",
                                "the old key set is in force");
        return;
    }

    file->gone = 0;

    if (fi.st_ino == file->seen.st_ino && fi.st_dev == file->seen.st_dev
        && fi.st_size == file->seen.st_size
        && fi.st_mtim.tv_sec == file->seen.st_mtim.tv_sec
        && fi.st_mtim.tv_nsec == file->seen.st_mtim.tv_nsec
        && fi.st_ctim.tv_sec == file->seen.st_ctim.tv_sec
        && fi.st_ctim.tv_nsec == file->seen.st_ctim.tv_nsec)
    {
        return;
    }

    /* a bad one is not read again before it changes; each change is judged */

    keys = ngx_gateway_auth_keys(file, ngx_cycle->log, error);

    file->failed = 0;

    if (keys == NULL) {
        ngx_gateway_auth_failed(file, error, "the old key set is in force");
        return;
    }

    if (file->keys) {
        gw_keys_free(file->keys);
    }

    file->keys = keys;

    ngx_gateway_auth_changed(file);
}


/* error: of NGX_GATEWAY_AUTH_ERROR bytes, as below */

static gw_registry_t *
ngx_gateway_auth_registry(ngx_gateway_auth_file_t *file, char *error)
{
    return gw_registry_open((char *) file->path.data,
                            file->gateway->class_names,
                            (unsigned) file->gateway->classes.nelts,
                            NGX_GATEWAY_AUTH_CACHE, error,
                            NGX_GATEWAY_AUTH_ERROR);
}


static gw_keys_t *
ngx_gateway_auth_keys(ngx_gateway_auth_file_t *file, ngx_log_t *log,
    char *error)
{
    char             why[NGX_GATEWAY_AUTH_ERROR / 2];
    off_t            size;
    u_char          *text, *last;
    ssize_t          n;
    gw_keys_t       *keys;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    last = (u_char *) error + NGX_GATEWAY_AUTH_ERROR;
    keys = NULL;
    text = NULL;

    fd = ngx_open_file(file->path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_snprintf((u_char *) error, NGX_GATEWAY_AUTH_ERROR,
                     "cannot open the key set \"%V\": %s%Z", &file->path,
                     strerror(ngx_errno));
        return NULL;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_snprintf((u_char *) error, last - (u_char *) error,
                     "the key set \"%V\" is no file%Z", &file->path);
        goto done;
    }

    /* before it is read: what is written meanwhile is another change */

    file->seen = fi;
    size = ngx_file_size(&fi);

    if (size > NGX_GATEWAY_AUTH_KEYS_MAX) {
        ngx_snprintf((u_char *) error, last - (u_char *) error,
                     "the key set \"%V\" is larger than 1m%Z", &file->path);
        goto done;
    }

    text = ngx_alloc((size_t) size + 1, log);
    if (text == NULL) {
        ngx_snprintf((u_char *) error, last - (u_char *) error,
                     "no memory%Z");
        goto done;
    }

    n = ngx_read_fd(fd, text, (size_t) size);

    if (n != (ssize_t) size) {
        ngx_snprintf((u_char *) error, last - (u_char *) error,
                     "the key set \"%V\" cannot be read%Z", &file->path);
        goto done;
    }

    keys = gw_keys_load(text, (size_t) n, why, sizeof(why));

    if (keys == NULL) {
        ngx_snprintf((u_char *) error, last - (u_char *) error,
                     "invalid key set \"%V\": %s%Z", &file->path, why);
    }

    /* it may hold secrets */

    ngx_explicit_memzero(text, (size_t) size);

done:

    if (text) {
        ngx_free(text);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->path);
    }

    return keys;
}


static void
ngx_gateway_auth_changed(ngx_gateway_auth_file_t *file)
{
    file->generation++;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "gateway_auth took up the change of \"%V\", generation %uD",
                  &file->path, file->generation);
}


/* once, until it is well again */

static void
ngx_gateway_auth_failed(ngx_gateway_auth_file_t *file, const char *error,
    const char *what)
{
    if (file->failed) {
        return;
    }

    file->failed = 1;

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                  "gateway_auth: %s, file \"%V\"; %s", error, &file->path,
                  what);
}


static void
ngx_gateway_auth_keys_cleanup(void *data)
{
    ngx_gateway_auth_file_t *file = data;

    if (file->keys) {
        gw_keys_free(file->keys);
        file->keys = NULL;
    }
}
