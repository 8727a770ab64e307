/*
 * ngx_gateway_schema.c - schemas: read and compiled when the configuration is,
 * and asked about the data of each message.
 *
 * A file is compiled once for all who name it.  Workers inherit it by fork;
 * nothing of it is shared, so a reload takes a new file, and nothing else
 * does: a schema that changed half of the way through a rollout would refuse
 * what the other worker takes.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"


struct ngx_gateway_schema_s {
    ngx_str_t     path;
    ngx_uint_t    formats;
    gw_schema_t  *compiled;
};


static ngx_int_t ngx_gateway_schema_read(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text);
static void ngx_gateway_schema_cleanup(void *data);


/* gateway_schema file [formats=on|off]; gateway_schema off */

char *
ngx_gateway_schema_line(ngx_conf_t *cf, ngx_gateway_schema_t **schema,
    ngx_flag_t *off)
{
    ngx_str_t   *value;
    ngx_uint_t   formats;

    if (*off != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    formats = 0;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *off = 1;
    }

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "formats=on") == 0) {
            formats = 1;

        } else if (ngx_strcmp(value[2].data, "formats=off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "\"formats=on\" or \"formats=off\"",
                               &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    if (*off == 1) {
        return cf->args->nelts == 3 ? "is \"off\" with a parameter"
                                    : NGX_CONF_OK;
    }

    *off = 0;
    *schema = ngx_gateway_schema_add(cf, &value[1], formats);

    return *schema ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_gateway_schema_t *
ngx_gateway_schema_add(ngx_conf_t *cf, ngx_str_t *file, ngx_uint_t formats)
{
    char                      error[NGX_GATEWAY_SCHEMA_ERROR];
    ngx_str_t                 path, text;
    ngx_uint_t                i;
    ngx_pool_cleanup_t       *cln;
    ngx_gateway_schema_t     *schema, **schemas;
    ngx_gateway_main_conf_t  *gmcf;

    path = *file;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NULL;
    }

    gmcf = ngx_gateway_main_conf(cf->cycle);
    schemas = gmcf->schemas.elts;

    for (i = 0; i < gmcf->schemas.nelts; i++) {
        if (schemas[i]->formats == formats && schemas[i]->path.len == path.len
            && ngx_strncmp(schemas[i]->path.data, path.data, path.len) == 0)
        {
            return schemas[i];
        }
    }

    if (ngx_gateway_schema_read(cf, &path, &text) != NGX_OK) {
        return NULL;
    }

    schema = ngx_palloc(cf->pool, sizeof(ngx_gateway_schema_t));
    if (schema == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    schema->path = path;
    schema->formats = formats;
    schema->compiled = gw_schema_compile(text.data, text.len, formats, error,
                                         sizeof(error));

    if (schema->compiled == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "schema \"%V\": %s", &path,
                           error);
        return NULL;
    }

    cln->handler = ngx_gateway_schema_cleanup;
    cln->data = schema;

    schemas = ngx_array_push(&gmcf->schemas);
    if (schemas == NULL) {
        return NULL;
    }

    *schemas = schema;

    return schema;
}


static ngx_int_t
ngx_gateway_schema_read(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    off_t            size;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "schema \"%V\" is no file",
                           path);
        goto done;
    }

    size = ngx_file_size(&fi);

    if (size > GW_SCHEMA_TEXT_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "schema \"%V\" is larger than 1m", path);
        goto done;
    }

    text->data = ngx_pnalloc(cf->temp_pool, (size_t) size + 1);
    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, text->data, (size_t) size);

    if (n != (ssize_t) size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", path);
        goto done;
    }

    text->len = (size_t) n;
    rc = NGX_OK;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}


ngx_int_t
ngx_gateway_schema_check(ngx_gateway_schema_t *schema, gw_json_t *json,
    gw_envelope_t *envelope, ngx_gateway_failure_t *failure)
{
    static gw_schema_error_t  error;

    if (gw_schema_check(schema->compiled, json, envelope->doc,
                        envelope->data_node, &error)
        == GW_OK)
    {
        return NGX_OK;
    }

    failure->keyword = error.keyword;
    failure->pointer.data = (u_char *) error.pointer;
    failure->pointer.len = error.pointer_len;

    return NGX_DECLINED;
}


static void
ngx_gateway_schema_cleanup(void *data)
{
    ngx_gateway_schema_t *schema = data;

    gw_schema_free(schema->compiled);
}
