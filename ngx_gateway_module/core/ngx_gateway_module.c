/*
 * ngx_gateway_module.c - the core module: the list of gateways of a cycle,
 * references to them by name, and the hooks of the worker.  The directives
 * inside the block are in ngx_gateway_block.c.
 *
 * A transport may name a gateway, or a class of one, before or after the
 * block that declares it: a reference is made when it is first named and
 * checked when the whole configuration was read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_auth_core.h"
#include "ngx_gateway_dedup.h"


typedef struct {
    ngx_gateway_t         *gateway;
    ngx_str_t              name;
    ngx_uint_t            *index;
    u_char                *file;
    ngx_uint_t             line;
} ngx_gateway_class_ref_t;


static void *ngx_gateway_create_conf(ngx_cycle_t *cycle);
static char *ngx_gateway_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_gateway_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void ngx_gateway_exit_master(ngx_cycle_t *cycle);


static ngx_command_t  ngx_gateway_commands[] = {

    { ngx_string("gateway"),
      NGX_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_gateway_block,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_gateway_module_ctx = {
    ngx_string("gateway"),
    ngx_gateway_create_conf,
    ngx_gateway_init_conf
};


ngx_module_t  ngx_gateway_module = {
    NGX_MODULE_V1,
    &ngx_gateway_module_ctx,               /* module context */
    ngx_gateway_commands,                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_gateway_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_gateway_exit_process,              /* exit process */
    ngx_gateway_exit_master,               /* exit master */
    NGX_MODULE_V1_PADDING
};


const char  ngx_gateway_module_so_must_be_loaded_before[] =
    NGX_GATEWAY_VERSION;


static ngx_str_t   ngx_gateway_default = ngx_string("default");

/* of the master: counts configurations, so that pages can tell workers of
   an old one from those of the new */
static ngx_uint_t  ngx_gateway_generation;


static void *
ngx_gateway_create_conf(ngx_cycle_t *cycle)
{
    ngx_gateway_main_conf_t  *gmcf;

    gmcf = ngx_pcalloc(cycle->pool, sizeof(ngx_gateway_main_conf_t));
    if (gmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&gmcf->gateways, cycle->pool, 4,
                       sizeof(ngx_gateway_t *))
        != NGX_OK
        || ngx_array_init(&gmcf->refs, cycle->pool, 4,
                          sizeof(ngx_gateway_class_ref_t))
           != NGX_OK
        || ngx_array_init(&gmcf->auths, cycle->pool, 4,
                          sizeof(ngx_gateway_auth_t *))
           != NGX_OK
        || ngx_array_init(&gmcf->auth_files, cycle->pool, 4,
                          sizeof(ngx_gateway_auth_file_t *))
           != NGX_OK
        || ngx_array_init(&gmcf->schemas, cycle->pool, 4,
                          sizeof(ngx_gateway_schema_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return gmcf;
}


static char *
ngx_gateway_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_gateway_main_conf_t *gmcf = conf;

    ngx_uint_t                 i;
    ngx_gateway_t            **gateways;
    ngx_gateway_class_ref_t   *refs;

    gateways = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {

        if (!gateways[i]->declared) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "unknown gateway \"%V\" in %s:%ui",
                          &gateways[i]->name, gateways[i]->file,
                          gateways[i]->line);
            return NGX_CONF_ERROR;
        }
    }

    refs = gmcf->refs.elts;

    for (i = 0; i < gmcf->refs.nelts; i++) {

        if (ngx_gateway_find_class(refs[i].gateway, refs[i].name.data,
                                   refs[i].name.len, refs[i].index)
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "unknown class \"%V\" of gateway \"%V\" in %s:%ui",
                          &refs[i].name, &refs[i].gateway->name,
                          refs[i].file, refs[i].line);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_gateway_auth_init_conf(cycle, gmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    gmcf->generation = ++ngx_gateway_generation;

    return NGX_CONF_OK;
}


ngx_gateway_main_conf_t *
ngx_gateway_main_conf(volatile ngx_cycle_t *cycle)
{
    return (ngx_gateway_main_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                    ngx_gateway_module);
}


ngx_gateway_t *
ngx_gateway_add(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_gateway_t             *gateway, **gateways;
    ngx_gateway_main_conf_t   *gmcf;

    if (name == NULL || name->len == 0) {
        name = &ngx_gateway_default;
    }

    gmcf = ngx_gateway_main_conf(cf->cycle);
    gateways = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        if (gateways[i]->name.len == name->len
            && ngx_strncmp(gateways[i]->name.data, name->data, name->len)
               == 0)
        {
            return gateways[i];
        }
    }

    gateway = ngx_pcalloc(cf->pool, sizeof(ngx_gateway_t));
    if (gateway == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     gateway->declared = 0;
     *     gateway->topic = { 0, NULL };
     *     gateway->dead_letter = { 0, NULL };
     *     gateway->auth_methods = 0;
     *     gateway->class_names = NULL;
     *     gateway->zone = NULL;
     *     gateway->sink_conf = NULL;
     *     gateway->worker = NULL;
     */

    gateway->name = *name;
    gateway->file = cf->conf_file->file.name.data;
    gateway->line = cf->conf_file->line;

    if (ngx_array_init(&gateway->brokers, cf->pool, 4, sizeof(ngx_str_t))
        != NGX_OK
        || ngx_array_init(&gateway->classes, cf->pool, 4,
                          sizeof(ngx_gateway_class_t))
           != NGX_OK)
    {
        return NULL;
    }

    gateways = ngx_array_push(&gmcf->gateways);
    if (gateways == NULL) {
        return NULL;
    }

    *gateways = gateway;

    return gateway;
}


char *
ngx_gateway_add_class_ref(ngx_conf_t *cf, ngx_gateway_t *gateway,
    ngx_str_t *name, ngx_uint_t *index, u_char *file, ngx_uint_t line)
{
    ngx_gateway_class_ref_t  *ref;

    ref = ngx_array_push(&ngx_gateway_main_conf(cf->cycle)->refs);
    if (ref == NULL) {
        return NGX_CONF_ERROR;
    }

    ref->gateway = gateway;
    ref->name = *name;
    ref->index = index;
    ref->file = file;
    ref->line = line;

    return NGX_CONF_OK;
}


static char *
ngx_gateway_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char           *rv;
    void           *ctx[1], **confp;
    ngx_str_t      *value, *name;
    ngx_conf_t      save;
    ngx_gateway_t  *gateway;

    value = cf->args->elts;
    name = cf->args->nelts > 1 ? &value[1] : NULL;

    if (name && name->len == 0) {
        return "has an empty name";
    }

    gateway = ngx_gateway_add(cf, name);
    if (gateway == NULL) {
        return NGX_CONF_ERROR;
    }

    if (gateway->declared) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gateway \"%V\" is duplicate", &gateway->name);
        return NGX_CONF_ERROR;
    }

    gateway->declared = 1;
    gateway->file = cf->conf_file->file.name.data;
    gateway->line = cf->conf_file->line;

    ngx_gateway_block_create(gateway);

    /*
     * The words inside belong to ngx_gateway_block_module, the only module of
     * its type; its configuration is the gateway itself.
     */

    ngx_gateway_block_module.ctx_index = 0;

    ctx[0] = gateway;
    confp = ctx;

    save = *cf;

    cf->ctx = &confp;
    cf->module_type = NGX_GATEWAY_MODULE;
    cf->cmd_type = NGX_GATEWAY_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_gateway_block_init(cf, gateway);
}


ngx_msec_t
ngx_gateway_drain_timeout(ngx_gateway_t *gateway)
{
    return gateway->drain_timeout;
}


ngx_str_t *
ngx_gateway_name(ngx_gateway_t *gateway)
{
    return &gateway->name;
}


ngx_int_t
ngx_gateway_find_class(ngx_gateway_t *gateway, u_char *name, size_t len,
    ngx_uint_t *index)
{
    ngx_uint_t            i;
    ngx_gateway_class_t  *class;

    class = gateway->classes.elts;

    for (i = 0; i < gateway->classes.nelts; i++) {
        if (class[i].name.len == len
            && ngx_memcmp(class[i].name.data, name, len) == 0)
        {
            *index = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_str_t *
ngx_gateway_class_name(ngx_gateway_t *gateway, ngx_uint_t index)
{
    ngx_gateway_class_t  *class;

    class = gateway->classes.elts;

    return &class[index].name;
}


/* the last one declared: what is shed first */

ngx_uint_t
ngx_gateway_default_class(ngx_gateway_t *gateway)
{
    return gateway->classes.nelts - 1;
}


ngx_uint_t
ngx_gateway_class_opaque(ngx_gateway_t *gateway, ngx_uint_t index)
{
    ngx_gateway_class_t  *class;

    class = gateway->classes.elts;

    return class[index].opaque;
}


ngx_int_t
ngx_gateway_topic_valid(ngx_str_t *topic)
{
    u_char      c;
    ngx_uint_t  i;

    if (topic->len == 0 || topic->len > 249
        || (topic->len == 1 && topic->data[0] == '.')
        || (topic->len == 2 && topic->data[0] == '.' && topic->data[1] == '.'))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < topic->len; i++) {
        c = topic->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_gateway_identity_valid(ngx_str_t *identity)
{
    u_char      c;
    ngx_uint_t  i;

    if (identity->len == 0 || identity->len > GW_DEVICE_MAX) {
        return NGX_ERROR;
    }

    for (i = 0; i < identity->len; i++) {
        c = identity->data[i];

        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* all workers have ended: what they knew of resends is kept */

static void
ngx_gateway_exit_master(ngx_cycle_t *cycle)
{
    ngx_uint_t                 i;
    ngx_gateway_t            **gateways;
    ngx_gateway_dedup_zone_t  *zone;
    ngx_gateway_main_conf_t   *gmcf;

    gmcf = ngx_gateway_main_conf(cycle);
    gateways = gmcf->gateways.elts;

    for (i = 0; i < gmcf->gateways.nelts; i++) {

        zone = gateways[i]->dedup
               ? ngx_gateway_zone_dedup(gateways[i], NULL, NULL) : NULL;

        if (zone) {
            ngx_gateway_dedup_zone_save(gateways[i], zone, cycle->log);
        }
    }
}
