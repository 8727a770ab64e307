/*
 * ngx_gateway_auth_conf.c - "gateway_auth": lines become a chain, a chain is
 * bound to the gateway of a location, and once all was read its files are
 * opened and its class names looked up.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_auth_core.h"


#define NGX_GATEWAY_AUTH_LEEWAY  60           /* seconds, at most */


typedef struct {
    const char          *name;
    gw_auth_method_e     method;
    const char          *file;                /* what the first word is */
    const char          *params;              /* each between blanks */
} ngx_gateway_auth_kind_t;


static char *ngx_gateway_auth_params(ngx_conf_t *cf,
    const ngx_gateway_auth_kind_t *kind, ngx_gateway_auth_method_t *m);
static char *ngx_gateway_auth_param(ngx_conf_t *cf,
    ngx_gateway_auth_method_t *m, ngx_str_t *param, size_t name,
    ngx_str_t *value);
static char *ngx_gateway_auth_complete(ngx_conf_t *cf,
    ngx_gateway_auth_method_t *m);
static char *ngx_gateway_auth_path(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *path);
static ngx_int_t ngx_gateway_auth_seconds(ngx_str_t *value);
static ngx_int_t ngx_gateway_auth_resolve(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf, ngx_gateway_auth_t *auth,
    ngx_gateway_auth_method_t *m);
static ngx_gateway_auth_file_t *ngx_gateway_auth_file(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf, ngx_gateway_t *gateway,
    ngx_gateway_auth_method_t *m);
static ngx_int_t ngx_gateway_auth_names(ngx_cycle_t *cycle,
    ngx_gateway_t *gateway);


static const ngx_gateway_auth_kind_t  ngx_gateway_auth_kinds[] = {
    { "devices", GW_AUTH_DEVICES, "registry", " " },
    { "jwt", GW_AUTH_JWT, NULL,
      " keys issuer audience device_claim classes_claim tenant_claim "
      "topics_claim classes leeway " },
    { "hmac", GW_AUTH_HMAC, "registry", " window " },
    { "tls", GW_AUTH_TLS, NULL, " name prefix classes devices " },
    { NULL, GW_AUTH_NONE, NULL, NULL }
};


char *
ngx_gateway_auth_line(ngx_conf_t *cf, ngx_gateway_auth_t **authp)
{
    char                           *rv;
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_gateway_auth_t             *auth;
    ngx_gateway_auth_method_t      *m, *other;
    const ngx_gateway_auth_kind_t  *kind;

    value = cf->args->elts;
    auth = *authp;

    if (auth == NULL) {
        auth = ngx_pcalloc(cf->pool, sizeof(ngx_gateway_auth_t));
        if (auth == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_array_init(&auth->methods, cf->pool, 2,
                           sizeof(ngx_gateway_auth_method_t))
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        *authp = auth;

    } else if (auth->off) {
        return "stands beside \"gateway_auth off\"";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (auth->methods.nelts) {
            return "is \"off\" beside other methods";
        }

        if (cf->args->nelts > 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", \"gateway_auth "
                               "off\" has none", &value[2]);
            return NGX_CONF_ERROR;
        }

        auth->off = 1;

        return NGX_CONF_OK;
    }

    for (kind = ngx_gateway_auth_kinds; kind->name; kind++) {
        if (ngx_strcmp(value[1].data, kind->name) == 0) {
            break;
        }
    }

    if (kind->name == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid method \"%V\" of \"gateway_auth\", it "
                           "must be \"devices\", \"jwt\", \"hmac\", \"tls\" "
                           "or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    other = auth->methods.elts;

    for (i = 0; i < auth->methods.nelts; i++) {

        if (other[i].method == kind->method) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "method \"%s\" of \"gateway_auth\" is "
                               "duplicate, the first would always decide",
                               kind->name);
            return NGX_CONF_ERROR;
        }
    }

    m = ngx_array_push(&auth->methods);
    if (m == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(m, sizeof(ngx_gateway_auth_method_t));

    m->method = kind->method;
    m->conf_file = cf->conf_file->file.name.data;
    m->line = cf->conf_file->line;
    m->window = NGX_CONF_UNSET_UINT;
    m->name = (gw_certificate_name_e) NGX_CONF_UNSET_UINT;
    m->rules.leeway = (unsigned) NGX_CONF_UNSET_UINT;

    rv = ngx_gateway_auth_params(cf, kind, m);

    return rv == NGX_CONF_OK ? ngx_gateway_auth_complete(cf, m) : rv;
}


static char *
ngx_gateway_auth_params(ngx_conf_t *cf, const ngx_gateway_auth_kind_t *kind,
    ngx_gateway_auth_method_t *m)
{
    char        *rv;
    u_char      *p, word[sizeof(" classes_claim ")];
    size_t       len;
    ngx_str_t   *value, v;
    ngx_uint_t   i, j;

    value = cf->args->elts;
    i = 2;

    if (kind->file) {

        if (cf->args->nelts < 3) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"gateway_auth %s\" needs the file of a %s",
                               kind->name, kind->file);
            return NGX_CONF_ERROR;
        }

        if (ngx_gateway_auth_path(cf, &value[2], &m->path) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        i = 3;
    }

    for ( /* void */ ; i < cf->args->nelts; i++) {

        p = ngx_strlchr(value[i].data, value[i].data + value[i].len, '=');
        len = p ? (size_t) (p - value[i].data) : 0;

        if (len && len + 2 < sizeof(word)) {
            ngx_sprintf(word, " %*s %Z", len, value[i].data);
        }

        if (len == 0 || len + 2 >= sizeof(word)
            || ngx_strstr(kind->params, word) == NULL)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"gateway_auth "
                               "%s\"", &value[i], kind->name);
            return NGX_CONF_ERROR;
        }

        for (j = 2; j < i; j++) {
            if (ngx_strncmp(value[j].data, value[i].data, len + 1) == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "parameter \"%V\" of \"gateway_auth %s\" "
                                   "is duplicate", &value[i], kind->name);
                return NGX_CONF_ERROR;
            }
        }

        v.data = p + 1;
        v.len = value[i].len - len - 1;

        /* an empty prefix is none, all other words mean something */

        if (v.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" of \"gateway_auth %s\" is "
                               "empty", &value[i], kind->name);
            return NGX_CONF_ERROR;
        }

        rv = ngx_gateway_auth_param(cf, m, &value[i], len, &v);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* the value of a parameter that this method has */

static char *
ngx_gateway_auth_param(ngx_conf_t *cf, ngx_gateway_auth_method_t *m,
    ngx_str_t *param, size_t name, ngx_str_t *value)
{
    gw_str_t   *text;
    ngx_int_t   n;

#define ngx_gateway_auth_is(s)                                                \
    (name == sizeof(s) - 1                                                    \
     && ngx_strncmp(param->data, s, sizeof(s) - 1) == 0)

    if (ngx_gateway_auth_is("keys") || ngx_gateway_auth_is("devices")) {
        return ngx_gateway_auth_path(cf, value, &m->path);
    }

    if (ngx_gateway_auth_is("classes")) {
        m->classes = *value;
        return NGX_CONF_OK;
    }

    if (ngx_gateway_auth_is("leeway")) {
        n = ngx_gateway_auth_seconds(value);

        if (n == NGX_ERROR || n > NGX_GATEWAY_AUTH_LEEWAY) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", it must be a time of at most "
                               "%ds", param, NGX_GATEWAY_AUTH_LEEWAY);
            return NGX_CONF_ERROR;
        }

        m->rules.leeway = (unsigned) n;

        return NGX_CONF_OK;
    }

    if (ngx_gateway_auth_is("window")) {
        n = ngx_gateway_auth_seconds(value);

        if (n == NGX_ERROR || n == 0 || n > 86400) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", it must be a time of 1s to 1d",
                               param);
            return NGX_CONF_ERROR;
        }

        m->window = n;

        return NGX_CONF_OK;
    }

    if (ngx_gateway_auth_is("name")) {

        if (ngx_strcmp(value->data, "uri") == 0) {
            m->name = GW_CERTIFICATE_URI;

        } else if (ngx_strcmp(value->data, "dns") == 0) {
            m->name = GW_CERTIFICATE_DNS;

        } else if (ngx_strcmp(value->data, "cn") == 0) {
            m->name = GW_CERTIFICATE_CN;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", it must be \"uri\", \"dns\" "
                               "or \"cn\"", param);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    text = ngx_gateway_auth_is("issuer") ? &m->rules.issuer
           : ngx_gateway_auth_is("audience") ? &m->rules.audience
           : ngx_gateway_auth_is("device_claim") ? &m->rules.device_claim
           : ngx_gateway_auth_is("classes_claim") ? &m->rules.classes_claim
           : ngx_gateway_auth_is("tenant_claim") ? &m->rules.tenant_claim
           : ngx_gateway_auth_is("topics_claim") ? &m->rules.topics_claim
           : &m->prefix;

    text->data = value->data;
    text->len = value->len;

    return NGX_CONF_OK;
}


/* the defaults, and what must not be left out */

static char *
ngx_gateway_auth_complete(ngx_conf_t *cf, ngx_gateway_auth_method_t *m)
{
    static const gw_str_t  device = gw_str("sub");
    static const gw_str_t  classes = gw_str("gateway_classes");
    static const gw_str_t  tenant = gw_str("tenant");
    static const gw_str_t  topics = gw_str("gateway_topics");

    ngx_conf_init_uint_value(m->window, 300);

    if (m->name == (gw_certificate_name_e) NGX_CONF_UNSET_UINT) {
        m->name = GW_CERTIFICATE_URI;
    }

    if (m->rules.leeway == (unsigned) NGX_CONF_UNSET_UINT) {
        m->rules.leeway = NGX_GATEWAY_AUTH_LEEWAY;
    }

    if (m->rules.device_claim.len == 0) {
        m->rules.device_claim = device;
    }

    if (m->rules.classes_claim.len == 0) {
        m->rules.classes_claim = classes;
    }

    if (m->rules.tenant_claim.len == 0) {
        m->rules.tenant_claim = tenant;
    }

    if (m->rules.topics_claim.len == 0) {
        m->rules.topics_claim = topics;
    }

    if (m->method == GW_AUTH_JWT && m->path.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth jwt\" needs \"keys=\", the file of "
                           "a JSON Web Key Set");
        return NGX_CONF_ERROR;
    }

    if (m->method == GW_AUTH_TLS && (m->path.len != 0) == (m->classes.len != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gateway_auth tls\" needs one of \"classes=\" "
                           "and \"devices=\": a certificate says who it is, "
                           "not what it may send");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_gateway_auth_path(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *path)
{
    *path = *value;

    return ngx_conf_full_name(cf->cycle, path, 1) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_gateway_auth_seconds(ngx_str_t *value)
{
    return ngx_parse_time(value, 1);
}


ngx_gateway_auth_t *
ngx_gateway_auth_bind(ngx_conf_t *cf, ngx_gateway_auth_t *line,
    ngx_gateway_t *gateway)
{
    ngx_uint_t                  i, n;
    ngx_gateway_auth_t         *auth, **bound;
    ngx_gateway_main_conf_t    *gmcf;
    ngx_gateway_auth_method_t  *m;

    if (line->off || line->gateway == gateway) {
        return line;
    }

    /* inherited from a location of another gateway */

    if (line->gateway) {
        line = line->line;
    }

    gmcf = ngx_gateway_main_conf(cf->cycle);
    bound = gmcf->auths.elts;
    n = 0;

    /* many locations inherit one chain */

    for (i = 0; i < gmcf->auths.nelts; i++) {
        if (bound[i]->line == line && bound[i]->gateway == gateway) {
            return bound[i];
        }

        n += bound[i]->methods.nelts;
    }

    auth = ngx_palloc(cf->pool, sizeof(ngx_gateway_auth_t));
    if (auth == NULL) {
        return NULL;
    }

    *auth = *line;
    auth->line = line;
    auth->gateway = gateway;

    if (ngx_array_init(&auth->methods, cf->pool, line->methods.nelts,
                       sizeof(ngx_gateway_auth_method_t))
        != NGX_OK)
    {
        return NULL;
    }

    m = ngx_array_push_n(&auth->methods, line->methods.nelts);
    if (m == NULL) {
        return NULL;
    }

    ngx_memcpy(m, line->methods.elts,
               line->methods.nelts * sizeof(ngx_gateway_auth_method_t));

    for (i = 0; i < auth->methods.nelts; i++) {
        m[i].number = (uint32_t) (n + i + 1);
        gateway->auth_methods |= (ngx_uint_t) 1 << m[i].method;
    }

    bound = ngx_array_push(&gmcf->auths);
    if (bound == NULL) {
        return NULL;
    }

    *bound = auth;

    return auth;
}


ngx_uint_t
ngx_gateway_auth_on(ngx_gateway_auth_t *auth)
{
    return !auth->off;
}


ngx_uint_t
ngx_gateway_auth_has(ngx_gateway_auth_t *auth, gw_auth_method_e method)
{
    ngx_uint_t                  i;
    ngx_gateway_auth_method_t  *m;

    m = auth->methods.elts;

    for (i = 0; i < auth->methods.nelts; i++) {
        if (m[i].method == method) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_gateway_auth_init_conf(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf)
{
    ngx_uint_t                  i, j;
    ngx_gateway_auth_t        **auths;
    ngx_gateway_auth_method_t  *m;

    auths = gmcf->auths.elts;

    for (i = 0; i < gmcf->auths.nelts; i++) {
        m = auths[i]->methods.elts;

        if (ngx_gateway_auth_names(cycle, auths[i]->gateway) != NGX_OK) {
            return NGX_ERROR;
        }

        for (j = 0; j < auths[i]->methods.nelts; j++) {
            if (ngx_gateway_auth_resolve(cycle, gmcf, auths[i], &m[j])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_gateway_auth_resolve(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf,
    ngx_gateway_auth_t *auth, ngx_gateway_auth_method_t *m)
{
    unsigned        unknown;
    ngx_gateway_t  *gateway;

    gateway = auth->gateway;

    m->rules.class_names = gateway->class_names;
    m->rules.nclasses = gateway->classes.nelts;

    if (m->classes.len) {

        m->rules.classes = gw_identity_classes(gateway->class_names,
                                               gateway->classes.nelts,
                                               m->classes.data,
                                               m->classes.len, &unknown);
        if (unknown) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "\"classes=%V\" of \"gateway_auth\" names what is "
                          "no class of gateway \"%V\" in %s:%ui", &m->classes,
                          &gateway->name, m->conf_file, m->line);
            return NGX_ERROR;
        }
    }

    if (m->path.len == 0) {
        return NGX_OK;
    }

    m->file = ngx_gateway_auth_file(cycle, gmcf, gateway, m);

    return m->file ? NGX_OK : NGX_ERROR;
}


static ngx_gateway_auth_file_t *
ngx_gateway_auth_file(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf,
    ngx_gateway_t *gateway, ngx_gateway_auth_method_t *m)
{
    unsigned                   private;
    ngx_uint_t                 i;
    ngx_gateway_auth_file_t   *file, **files;

    if (m->method == GW_AUTH_JWT) {
        gateway = NULL;
    }

    private = (m->method == GW_AUTH_HMAC);
    files = gmcf->auth_files.elts;

    for (i = 0; i < gmcf->auth_files.nelts; i++) {
        file = files[i];

        if (file->gateway == gateway && file->path.len == m->path.len
            && ngx_strncmp(file->path.data, m->path.data, m->path.len) == 0)
        {
            if (!private || file->private) {
                return file;
            }

            file->private = 1;

            return ngx_gateway_auth_file_check(cycle, file) == NGX_OK ? file
                                                                      : NULL;
        }
    }

    file = ngx_pcalloc(cycle->pool, sizeof(ngx_gateway_auth_file_t));
    if (file == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     file->registry = NULL;
     *     file->keys = NULL;
     *     file->failed = 0;
     */

    file->path = m->path;
    file->gateway = gateway;
    file->conf_file = m->conf_file;
    file->line = m->line;
    file->private = private;
    file->generation = 1;

    files = ngx_array_push(&gmcf->auth_files);
    if (files == NULL) {
        return NULL;
    }

    *files = file;

    return ngx_gateway_auth_file_check(cycle, file) == NGX_OK ? file : NULL;
}


/* the gateway's classes as pure/ and auth/ want them */

static ngx_int_t
ngx_gateway_auth_names(ngx_cycle_t *cycle, ngx_gateway_t *gateway)
{
    gw_str_t             *names;
    ngx_uint_t            i;
    ngx_gateway_class_t  *class;

    if (gateway->class_names) {
        return NGX_OK;
    }

    names = ngx_palloc(cycle->pool, gateway->classes.nelts * sizeof(gw_str_t));
    if (names == NULL) {
        return NGX_ERROR;
    }

    class = gateway->classes.elts;

    for (i = 0; i < gateway->classes.nelts; i++) {
        names[i].data = class[i].name.data;
        names[i].len = class[i].name.len;
    }

    gateway->class_names = names;

    return NGX_OK;
}
