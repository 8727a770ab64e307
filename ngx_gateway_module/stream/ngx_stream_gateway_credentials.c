/*
 * ngx_stream_gateway_credentials.c - what a connection itself says of who is
 * at its other end: its address, and the certificate that nginx verified.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_gateway.h"


#if (NGX_STREAM_SSL)

#if (nginx_version >= 1025005)
typedef ngx_stream_ssl_srv_conf_t  ngx_stream_gateway_ssl_conf_t;
#else
typedef ngx_stream_ssl_conf_t      ngx_stream_gateway_ssl_conf_t;
#endif

void
ngx_stream_gateway_credentials(ngx_stream_gateway_ctx_t *ctx,
    ngx_gateway_credentials_t *c)
{
    ngx_str_t                       verify;
    ngx_connection_t               *connection;
    ngx_stream_gateway_ssl_conf_t  *sscf;
    ngx_stream_gateway_srv_conf_t  *gscf;

    connection = ctx->session->connection;
    gscf = ngx_stream_get_module_srv_conf(ctx->session,
                                          ngx_stream_gateway_module);

    c->sockaddr = connection->sockaddr;

    if (connection->ssl == NULL
        || gscf->gateway.listener.auth == NULL
        || !ngx_gateway_auth_has(gscf->gateway.listener.auth, GW_AUTH_TLS))
    {
        return;
    }

    c->certificate = SSL_get1_peer_certificate(connection->ssl->connection);

    if (c->certificate == NULL) {
        return;
    }

    /* a session may have begun in a server that trusts other authorities */

    sscf = ngx_stream_get_module_srv_conf(ctx->session,
                                          ngx_stream_ssl_module);

    if (sscf->verify == 0
        || ngx_ssl_get_client_verify(connection, connection->pool, &verify)
           != NGX_OK)
    {
        return;
    }

    c->verified = verify.len == sizeof("SUCCESS") - 1
                  && ngx_strncmp(verify.data, "SUCCESS", verify.len) == 0;
}


void
ngx_stream_gateway_credentials_free(ngx_gateway_credentials_t *c)
{
    X509_free(c->certificate);
    c->certificate = NULL;
}

#else

void
ngx_stream_gateway_credentials(ngx_stream_gateway_ctx_t *ctx,
    ngx_gateway_credentials_t *c)
{
    c->sockaddr = ctx->session->connection->sockaddr;
}


void
ngx_stream_gateway_credentials_free(ngx_gateway_credentials_t *c)
{
}

#endif
