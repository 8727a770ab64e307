/*
 * ngx_gateway_auth.h - who is it: a chain of methods, as gateway_auth lists
 * them, asked once for all transports.
 *
 * A transport finds out which kinds of credentials its client sent, as views
 * into its own memory, and asks the chain; the first method whose kind is
 * there decides.  Nothing of a credential is kept but a keyed digest of it, and
 * no part of one reaches a log.
 *
 * The files of a chain (registries, key sets) are read under "nginx -t", and
 * watched by each worker for itself.  A change raises the generation of its
 * file, so that what was cached before is not found any more.
 *
 * Bounds: gateway's auth_cache identities and as many refusals a worker, a
 * token bucket for each of NGX_GATEWAY_AUTH_SOURCES addresses.
 */

#ifndef _NGX_GATEWAY_AUTH_H_INCLUDED_
#define _NGX_GATEWAY_AUTH_H_INCLUDED_


#include "ngx_gateway.h"
#include "gw_identity.h"
#include "gw_signature.h"


#define NGX_GATEWAY_AUTH_SOURCES  4096


typedef struct ngx_gateway_auth_s         ngx_gateway_auth_t;
typedef struct ngx_gateway_auth_method_s  ngx_gateway_auth_method_t;


/* what a client sent; a kind that is not there has NULL data */

typedef struct {
    struct sockaddr       *sockaddr;      /* the bucket of its failures */

    ngx_str_t              pair;          /* GW_AUTH_DEVICES: base64 of a
                                             device, a colon and its token */
    ngx_str_t              bearer;        /* GW_AUTH_JWT */
    gw_signature_t        *signature;     /* GW_AUTH_HMAC */
    void                  *certificate;   /* X509 *: GW_AUTH_TLS */
    unsigned               verified:1;    /* ... whose chain holds, and that
                                             was not revoked */
    unsigned               basic:1;       /* kinds that are there, however
                                             badly formed */
    unsigned               token:1;
    unsigned               sign:1;
} ngx_gateway_credentials_t;


typedef struct {
    gw_auth_method_e             method;      /* GW_AUTH_NONE: none applied */
    ngx_gateway_auth_method_t   *by;
    uint32_t                     generation;  /* of what it rests on */
    const gw_identity_t         *identity;    /* good until the chain is asked
                                                 again, by whomever */
    gw_reason_e                  reason;      /* where there is none */
} ngx_gateway_auth_result_t;


/*
 * configuration time
 */

/* one "gateway_auth" line of a level: *auth, NULL at first, becomes the chain
   of that level.  NGX_CONF_OK, NGX_CONF_ERROR (said) or what is wrong */
char *ngx_gateway_auth_line(ngx_conf_t *cf, ngx_gateway_auth_t **auth);

/* the chain for one gateway, whose classes it knows; NULL: no memory */
ngx_gateway_auth_t *ngx_gateway_auth_bind(ngx_conf_t *cf,
    ngx_gateway_auth_t *auth, ngx_gateway_t *gateway);

/* 0: the chain was written "off" */
ngx_uint_t ngx_gateway_auth_on(ngx_gateway_auth_t *auth);

/* 1: the chain has that method */
ngx_uint_t ngx_gateway_auth_has(ngx_gateway_auth_t *auth,
    gw_auth_method_e method);


/*
 * run time
 */

/*
 * NGX_OK: result->identity may send what it is entitled to; NGX_DECLINED:
 * result->reason, counted; NGX_AGAIN: a signed request: its body decides, call
 * ngx_gateway_auth_signed().
 */
ngx_int_t ngx_gateway_authenticate(ngx_gateway_auth_t *auth,
    ngx_gateway_credentials_t *credentials, ngx_gateway_auth_result_t *result);

/* body: raw, as it was sent.  NGX_OK or NGX_DECLINED */
ngx_int_t ngx_gateway_auth_signed(ngx_gateway_auth_t *auth,
    ngx_gateway_credentials_t *credentials, const gw_signed_t *request,
    const gw_str_t *body, ngx_gateway_auth_result_t *result);

/* 1: what the result rests on has changed or run out since: ask anew */
ngx_uint_t ngx_gateway_auth_stale(ngx_gateway_auth_result_t *result,
    const gw_identity_t *identity);

/* 1: this failure may be logged; at most ten a second and worker are */
ngx_uint_t ngx_gateway_auth_log_allowed(ngx_log_t *log);


#endif /* _NGX_GATEWAY_AUTH_H_INCLUDED_ */
