/*
 * ngx_http_gateway_upgrade.c - from a request of HTTP/1.1 to a WebSocket that
 * carries MQTT (RFC 6455 section 4.2, MQTT 5.0 section 6).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_sha1.h>

#include "ngx_http_gateway_ws.h"


typedef struct {
    ngx_str_t  connection;
    ngx_str_t  upgrade;
    ngx_str_t  key;
    ngx_str_t  version;
    ngx_str_t  protocol;
} ngx_http_gateway_upgrade_t;


static void ngx_http_gateway_upgrade_find(ngx_http_request_t *r,
    ngx_str_t *values);
static ngx_uint_t ngx_http_gateway_upgrade_listed(ngx_str_t *list,
    const char *token, size_t len, ngx_uint_t any);
static ngx_int_t ngx_http_gateway_upgrade_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *detail);
static ngx_int_t ngx_http_gateway_upgrade_answer(ngx_http_request_t *r,
    ngx_str_t *key);


/* as the members are */

static ngx_str_t  ngx_http_gateway_upgrade_headers[] = {
    ngx_string("connection"),
    ngx_string("upgrade"),
    ngx_string("sec-websocket-key"),
    ngx_string("sec-websocket-version"),
    ngx_string("sec-websocket-protocol"),
    ngx_null_string
};


ngx_int_t
ngx_http_gateway_upgrade_handler(ngx_http_request_t *r)
{
    gw_str_t                    key;
    ngx_http_gateway_upgrade_t  upgrade;

    if (r->method != NGX_HTTP_GET) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_gateway_upgrade_find(r, (ngx_str_t *) &upgrade);

    if (r->http_version != NGX_HTTP_VERSION_11
        || !ngx_http_gateway_upgrade_listed(&upgrade.upgrade, "websocket",
                                            sizeof("websocket") - 1, 1)
        || !ngx_http_gateway_upgrade_listed(&upgrade.connection, "upgrade",
                                            sizeof("upgrade") - 1, 1))
    {
        return ngx_http_gateway_upgrade_refuse(r, 426,
                                          "this location speaks MQTT over "
                                          "WebSocket, of HTTP/1.1, only");
    }

    if (upgrade.version.len != 2
        || ngx_strncmp(upgrade.version.data, "13", 2) != 0)
    {
        return ngx_http_gateway_upgrade_refuse(r, 426,
                                          "the version of WebSocket is not "
                                          "13");
    }

    key.data = upgrade.key.data;
    key.len = upgrade.key.len;

    if (gw_ws_key_valid(&key) != GW_OK) {
        return ngx_http_gateway_upgrade_refuse(r, NGX_HTTP_BAD_REQUEST,
                                          "Sec-WebSocket-Key is not base64 of "
                                          "16 bytes");
    }

    /* MQTT-6.0.0-3 */

    if (!ngx_http_gateway_upgrade_listed(&upgrade.protocol, "mqtt",
                                         sizeof("mqtt") - 1, 0))
    {
        return ngx_http_gateway_upgrade_refuse(r, NGX_HTTP_BAD_REQUEST,
                                          "\"mqtt\" is not among "
                                          "Sec-WebSocket-Protocol");
    }

    return ngx_http_gateway_upgrade_answer(r, &upgrade.key);
}


/* the first of each */

static void
ngx_http_gateway_upgrade_find(ngx_http_request_t *r, ngx_str_t *values)
{
    ngx_str_t        *name;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(values, sizeof(ngx_http_gateway_upgrade_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            for (n = 0; ngx_http_gateway_upgrade_headers[n].len; n++) {
                name = &ngx_http_gateway_upgrade_headers[n];

                if (values[n].len == 0 && h[i].key.len == name->len
                    && ngx_strncmp(h[i].lowcase_key, name->data, name->len)
                       == 0)
                {
                    values[n] = h[i].value;
                }
            }
        }
    }
}


/* RFC 9110 section 5.6.1: tokens with commas between.  Names of HTTP are so in
   any case, that of a subprotocol is given back as it came */

static ngx_uint_t
ngx_http_gateway_upgrade_listed(ngx_str_t *list, const char *token,
    size_t len, ngx_uint_t any)
{
    u_char  *p, *last, *start, *end;

    p = list->data;
    last = p + list->len;

    while (p < last) {
        start = p;

        while (p < last && *p != ',') {
            p++;
        }

        for (end = p; end > start && (end[-1] == ' ' || end[-1] == '\t'); ) {
            end--;
        }

        while (start < end && (*start == ' ' || *start == '\t')) {
            start++;
        }

        if ((size_t) (end - start) == len
            && (any ? ngx_strncasecmp(start, (u_char *) token, len)
                    : ngx_strncmp(start, token, len))
               == 0)
        {
            return 1;
        }

        p++;
    }

    return 0;
}


static ngx_int_t
ngx_http_gateway_upgrade_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail)
{
    ngx_str_t                     body, version, upgrade;
    ngx_http_gateway_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_gateway_module);

    ngx_gateway_count_disconnect(glcf->gateway, GW_PROTO_WS, GW_END_PROTOCOL);

    ngx_log_error(glcf->log_level, r->connection->log, 0,
                  "gateway \"%V\" refused a WebSocket: %s",
                  ngx_gateway_name(glcf->gateway), detail);

    /* RFC 6455 section 4.4, RFC 9110 section 15.5.22 */

    ngx_str_set(&version, "13");
    ngx_str_set(&upgrade, "websocket");

    if (status == 426) {
        ngx_str_set(&r->headers_out.status_line, "426 Upgrade Required");
    }

    if (status == 426
        && (ngx_http_gateway_add_header(r, "Sec-WebSocket-Version",
                                        sizeof("Sec-WebSocket-Version") - 1,
                                        &version)
            != NGX_OK
            || ngx_http_gateway_add_header(r, "Upgrade",
                                           sizeof("Upgrade") - 1, &upgrade)
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = ngx_pnalloc(r->pool, ngx_strlen(detail) + 1);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = ngx_sprintf(body.data, "%s\n", detail) - body.data;

    return ngx_http_gateway_send(r, status, "text/plain", &body);
}


static ngx_int_t
ngx_http_gateway_upgrade_answer(ngx_http_request_t *r, ngx_str_t *key)
{
    u_char                    *p, digest[20];
    ngx_str_t                  accept, upgrade, protocol;
    ngx_sha1_t                 sha1;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    p = ngx_pnalloc(r->pool, GW_WS_ACCEPT_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, GW_WS_GUID, sizeof(GW_WS_GUID) - 1);
    ngx_sha1_final(digest, &sha1);

    gw_ws_accept(digest, p);

    accept.data = p;
    accept.len = GW_WS_ACCEPT_LEN;

    ngx_str_set(&upgrade, "websocket");
    ngx_str_set(&protocol, "mqtt");

    if (ngx_http_gateway_add_header(r, "Upgrade", sizeof("Upgrade") - 1,
                                    &upgrade)
        != NGX_OK
        || ngx_http_gateway_add_header(r, "Sec-WebSocket-Accept",
                                       sizeof("Sec-WebSocket-Accept") - 1,
                                       &accept)
           != NGX_OK
        || ngx_http_gateway_add_header(r, "Sec-WebSocket-Protocol",
                                       sizeof("Sec-WebSocket-Protocol") - 1,
                                       &protocol)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    c = r->connection;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->keepalive = 0;
    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;

    if (ngx_http_send_header(r) == NGX_ERROR
        || ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR
        || r->out || c->buffered
        || (clcf->tcp_nodelay && ngx_tcp_nodelay(c) != NGX_OK))
    {
        /* not even this fits into the empty buffer of its socket */

        return NGX_ERROR;
    }

    return ngx_http_gateway_ws_open(r);
}
