/*
 * ngx_gateway_auth_core.h - what the files of core/ngx_gateway_auth* share:
 * a method of a chain, and a file that methods rest on.
 *
 * Methods and files are made at configuration time and read-only after fork,
 * but for the part of a file that says so: that belongs to the worker.
 */

#ifndef _NGX_GATEWAY_AUTH_CORE_H_INCLUDED_
#define _NGX_GATEWAY_AUTH_CORE_H_INCLUDED_


#include "gw_auth_cache.h"
#include "gw_bucket.h"
#include "gw_certificate.h"
#include "gw_jwt.h"
#include "gw_keys.h"
#include "gw_registry.h"
#include "ngx_gateway_auth.h"
#include "ngx_gateway_core.h"


#define NGX_GATEWAY_AUTH_ERROR  512           /* bytes of a sentence */


/* a registry is one for each gateway, since its classes have other bits */

typedef struct {
    ngx_str_t                 path;           /* NUL terminated */
    ngx_gateway_t            *gateway;        /* NULL: a key set */
    u_char                   *conf_file;      /* first mention */
    ngx_uint_t                line;
    unsigned                  private:1;      /* it holds HMAC keys */
    unsigned                  warned:1;       /* of its mode */

    /* the worker's; a key set is inherited as the master read it */
    gw_registry_t            *registry;
    gw_keys_t                *keys;
    uint32_t                  generation;     /* from 1 */
    struct stat               seen;           /* of the key set */
    unsigned                  failed:1;       /* and the log knows */
    unsigned                  gone:1;         /* as last looked at */
} ngx_gateway_auth_file_t;


struct ngx_gateway_auth_method_s {
    gw_auth_method_e          method;
    u_char                   *conf_file;
    ngx_uint_t                line;

    ngx_str_t                 path;           /* of its file, len 0: none */
    ngx_str_t                 classes;        /* parameter "classes=" */
    gw_jwt_rules_t            rules;          /* jwt */
    ngx_uint_t                window;         /* hmac: seconds */
    gw_certificate_name_e     name;           /* tls */
    gw_str_t                  prefix;         /* tls */

    /* of a bound chain */
    ngx_gateway_auth_file_t  *file;
    uint32_t                  number;         /* in the keys of the cache */
};


struct ngx_gateway_auth_s {
    ngx_array_t               methods;        /* ngx_gateway_auth_method_t */
    ngx_gateway_t            *gateway;        /* NULL: not bound */
    ngx_gateway_auth_t       *line;           /* a bound one was made of it */
    unsigned                  off:1;
};


/* one gateway's in one worker */

struct ngx_gateway_auth_worker_s {
    gw_auth_cache_t          *cache;
    gw_bucket_t              *bucket;         /* NULL: auth_failures off */
    uint64_t                  seed;           /* of addresses */
    gw_auth_cache_stats_t     counted;        /* as far as in the slot */
};


/* ngx_gateway_auth_conf.c: once all is read; says what is wrong */
ngx_int_t ngx_gateway_auth_init_conf(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf);

/*
 * ngx_gateway_auth_file.c.  check: under "nginx -t", NGX_ERROR: said; open and
 * close: in a worker, after fork and before it ends.  A file that cannot be
 * opened is tried again by the watch.
 */
ngx_int_t ngx_gateway_auth_file_check(ngx_cycle_t *cycle,
    ngx_gateway_auth_file_t *file);
void ngx_gateway_auth_files_open(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf);
void ngx_gateway_auth_files_close(ngx_gateway_main_conf_t *gmcf);


#endif /* _NGX_GATEWAY_AUTH_CORE_H_INCLUDED_ */
