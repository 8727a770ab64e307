/*
 * ngx_http_gateway_auth.c - credentials out of an HTTP request, the chain
 * asked about them, and what the answer of 401 tells about how to sign in.
 *
 * Kinds: "Authorization: Basic" (RFC 7617), "Bearer" (RFC 6750),
 * "Gateway-HMAC-SHA256" (pure/gw_signature.h), a client certificate.  A signed
 * request is judged when its body is there, and before it is inflated; all
 * others before a byte of the body is read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gateway.h"


static void ngx_http_gateway_credentials(ngx_http_request_t *r,
    ngx_http_gateway_sender_t *sender);
static ngx_uint_t ngx_http_gateway_scheme(ngx_str_t *header,
    const char *scheme, size_t len, ngx_str_t *rest);
static ngx_int_t ngx_http_gateway_ask(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, ngx_http_gateway_sender_t *sender);
static ngx_int_t ngx_http_gateway_known(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx);
static ngx_uint_t ngx_http_gateway_body_here(ngx_http_request_t *r);


ngx_int_t
ngx_http_gateway_identify(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    ngx_gateway_auth_t *auth, gw_reason_e *reason)
{
    ngx_int_t                   rc;
    ngx_http_gateway_sender_t  *sender;

    sender = ngx_pcalloc(r->pool, sizeof(ngx_http_gateway_sender_t));
    if (sender == NULL) {
        *reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    sender->auth = auth;
    ctx->sender = sender;

    rc = ngx_http_gateway_ask(r, ctx, sender);

    *reason = sender->result.reason;

    if (rc == NGX_AGAIN) {
        sender->sign = 1;
    }

    return rc;
}


ngx_int_t
ngx_http_gateway_identify_again(ngx_http_request_t *r,
    ngx_http_gateway_ctx_t *ctx, gw_str_t *body, gw_reason_e *reason)
{
    ngx_int_t                   rc;
    gw_signed_t                 request;
    ngx_http_gateway_sender_t  *sender;

    sender = ctx->sender;

    if (!sender->sign) {

        /* a device may have been revoked while its body was on its way */

        if (!sender->kept
            || !ngx_gateway_auth_stale(&sender->result, ctx->origin.identity))
        {
            return NGX_OK;
        }

        rc = ngx_http_gateway_ask(r, ctx, sender);
        *reason = sender->result.reason;

        return rc;
    }

#define ngx_http_gateway_signed(field, s)                                     \
    request.field.data = (s).data;                                            \
    request.field.len = (s).len

    ngx_http_gateway_signed(method, r->method_name);
    ngx_http_gateway_signed(target, r->unparsed_uri);
    ngx_http_gateway_signed(epoch, ctx->headers.epoch);
    ngx_http_gateway_signed(seq, ctx->headers.seq);
    ngx_http_gateway_signed(class_name, ctx->headers.class);
    ngx_http_gateway_signed(time, ctx->headers.timestamp);
    ngx_http_gateway_signed(type, ctx->headers.content_type);
    ngx_http_gateway_signed(encoding, ctx->headers.content_encoding);

    rc = ngx_gateway_auth_signed(sender->auth, &sender->credentials, &request,
                                 body, &sender->result);

    *reason = sender->result.reason;

    return rc == NGX_OK ? ngx_http_gateway_known(r, ctx) : rc;
}


static ngx_int_t
ngx_http_gateway_ask(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx,
    ngx_http_gateway_sender_t *sender)
{
    ngx_int_t  rc;

    ngx_http_gateway_credentials(r, sender);

    rc = ngx_gateway_authenticate(sender->auth, &sender->credentials,
                                  &sender->result);

    ngx_http_gateway_certificate_free(&sender->credentials);

    return rc == NGX_OK ? ngx_http_gateway_known(r, ctx) : rc;
}


/*
 * The identity lies in the cache and may be overwritten by the next one that
 * is asked for, so what the request still wants after that is copied.
 */

static ngx_int_t
ngx_http_gateway_known(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    u_char                     *p;
    const gw_identity_t        *identity;
    ngx_http_gateway_sender_t  *sender;

    sender = ctx->sender;
    identity = sender->result.identity;

    p = ngx_pnalloc(r->pool, identity->device_len + identity->tenant_len);
    if (p == NULL) {
        goto failed;
    }

    ctx->device.data = p;
    ctx->device.len = identity->device_len;
    p = ngx_cpymem(p, identity->device, identity->device_len);

    sender->tenant.data = p;
    sender->tenant.len = identity->tenant_len;
    ngx_memcpy(p, identity->tenant, identity->tenant_len);

    if (!ctx->read && !ngx_http_gateway_body_here(r)) {

        p = ngx_palloc(r->pool, sizeof(gw_identity_t));
        if (p == NULL) {
            goto failed;
        }

        ngx_memcpy(p, identity, sizeof(gw_identity_t));
        identity = (gw_identity_t *) p;
        sender->kept = 1;
    }

    ctx->origin.identity = identity;

    return NGX_OK;

failed:

    sender->result.reason = GW_R_INTERNAL;

    return NGX_DECLINED;
}


/* 1: the body came with the header, nothing happens before it is used */

static ngx_uint_t
ngx_http_gateway_body_here(ngx_http_request_t *r)
{
    return r->http_version < NGX_HTTP_VERSION_20 && !r->headers_in.chunked
           && r->headers_in.content_length_n
              <= (off_t) (r->header_in->last - r->header_in->pos);
}


static void
ngx_http_gateway_credentials(ngx_http_request_t *r,
    ngx_http_gateway_sender_t *sender)
{
    ngx_str_t                  *header, rest;
    const char                 *detail;
    ngx_gateway_credentials_t  *c;

    c = &sender->credentials;

    ngx_memzero(c, sizeof(ngx_gateway_credentials_t));

    c->sockaddr = r->connection->sockaddr;

    if (ngx_gateway_auth_has(sender->auth, GW_AUTH_TLS)) {
        ngx_http_gateway_certificate(r, c);
    }

    if (r->headers_in.authorization == NULL) {
        return;
    }

    header = &r->headers_in.authorization->value;

    if (ngx_http_gateway_scheme(header, "basic", sizeof("basic") - 1, &rest))
    {
        c->basic = 1;
        c->pair = rest;

    } else if (ngx_http_gateway_scheme(header, "bearer", sizeof("bearer") - 1,
                                       &rest))
    {
        c->token = 1;
        c->bearer = rest;

    } else if (ngx_http_gateway_scheme(header, "gateway-hmac-sha256",
                                       sizeof("gateway-hmac-sha256") - 1,
                                       &rest))
    {
        c->sign = 1;

        if (gw_signature_parse(rest.data, rest.len, &sender->signature,
                               &detail)
            == GW_OK)
        {
            c->signature = &sender->signature;
        }
    }
}


/* RFC 9110 section 11.4: a scheme in any case, one blank or more */

static ngx_uint_t
ngx_http_gateway_scheme(ngx_str_t *header, const char *scheme, size_t len,
    ngx_str_t *rest)
{
    if (header->len <= len || header->data[len] != ' '
        || ngx_strncasecmp(header->data, (u_char *) scheme, len) != 0)
    {
        return 0;
    }

    while (len < header->len && header->data[len] == ' ') {
        len++;
    }

    rest->data = header->data + len;
    rest->len = header->len - len;

    return 1;
}


#if (NGX_HTTP_SSL)

void
ngx_http_gateway_certificate(ngx_http_request_t *r,
    ngx_gateway_credentials_t *c)
{
    ngx_str_t                 verify;
    ngx_http_ssl_srv_conf_t  *sscf;

    if (r->connection->ssl == NULL) {
        return;
    }

    c->certificate = SSL_get1_peer_certificate(r->connection->ssl->connection);

    if (c->certificate == NULL) {
        return;
    }

    /*
     * A session may have begun in another server that trusts other
     * authorities: where this one asks for no certificate, none counts.
     */

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_ssl_module);

    if (sscf->verify == 0
        || ngx_ssl_get_client_verify(r->connection, r->pool, &verify)
           != NGX_OK)
    {
        return;
    }

    c->verified = verify.len == sizeof("SUCCESS") - 1
                  && ngx_strncmp(verify.data, "SUCCESS", verify.len) == 0;
}


void
ngx_http_gateway_certificate_free(ngx_gateway_credentials_t *c)
{
    X509_free(c->certificate);
    c->certificate = NULL;
}

#else

void
ngx_http_gateway_certificate(ngx_http_request_t *r,
    ngx_gateway_credentials_t *c)
{
}


void
ngx_http_gateway_certificate_free(ngx_gateway_credentials_t *c)
{
}

#endif


ngx_int_t
ngx_http_gateway_challenge(ngx_http_request_t *r, ngx_http_gateway_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_http_gateway_sender_t  *sender;

    static const struct {
        gw_auth_method_e        method;
        ngx_str_t               text;
    } challenges[] = {
        { GW_AUTH_DEVICES,
          ngx_string("Basic realm=\"gateway\", charset=\"UTF-8\"") },
        { GW_AUTH_JWT,
          ngx_string("Bearer realm=\"gateway\"") },
        { GW_AUTH_HMAC,
          ngx_string("Gateway-HMAC-SHA256 realm=\"gateway\"") }
    };

    /* RFC 6750 section 3.1 */

    static ngx_str_t  invalid =
        ngx_string("Bearer realm=\"gateway\", error=\"invalid_token\"");

    sender = ctx->sender;

    for (i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++) {

        if (!ngx_gateway_auth_has(sender->auth, challenges[i].method)) {
            continue;
        }

        if (ngx_http_gateway_add_header(r, "WWW-Authenticate",
                        sizeof("WWW-Authenticate") - 1,
                        challenges[i].method == GW_AUTH_JWT
                        && sender->result.method == GW_AUTH_JWT
                        ? &invalid : (ngx_str_t *) &challenges[i].text)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
