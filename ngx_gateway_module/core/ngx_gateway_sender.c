/*
 * ngx_gateway_sender.c - see ngx_gateway_listener.h: who is at the other end
 * of a connection that lasts.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_listener.h"


/*
 * Behind the fixed part of an identity come its texts, each as long as it is:
 * a gw_identity_t has room for the longest, which ten thousand idle connections
 * would pay for.
 */

typedef struct {
    uint8_t   device_len;
    uint8_t   tenant_len;
    uint16_t  topics_len;
    uint16_t  speaks_for_len;
    uint32_t  classes;
    int64_t   not_before;
    int64_t   not_after;
} ngx_gateway_sender_packed_t;


static ngx_int_t ngx_gateway_sender_keep(ngx_gateway_sender_t *sender,
    ngx_gateway_credentials_t *credentials, ngx_str_t *device,
    ngx_str_t *name);
static ngx_str_t *ngx_gateway_sender_credential(ngx_gateway_auth_result_t *r,
    ngx_gateway_credentials_t *credentials);
static u_char *ngx_gateway_sender_pack(u_char *p, const gw_identity_t *id);
static u_char *ngx_gateway_sender_put(u_char *p, ngx_str_t *text);


/* the identity that was unpacked last, of this worker */

static struct sockaddr  ngx_gateway_sender_nobody = { .sa_family = AF_UNIX };

static gw_identity_t   ngx_gateway_sender_unpacked;
static u_char         *ngx_gateway_sender_unpacked_of;


ngx_int_t
ngx_gateway_sender_find_out(ngx_gateway_sender_t *sender,
    ngx_gateway_credentials_t *credentials, ngx_str_t *device,
    ngx_str_t *name, gw_reason_e *reason)
{
    const ngx_gateway_listener_t  *listener;

    listener = sender->listener;

    sender->result.identity = NULL;

    if (listener->auth && ngx_gateway_auth_on(listener->auth)
        && ngx_gateway_authenticate(listener->auth, credentials,
                                    &sender->result)
           != NGX_OK)
    {
        *reason = sender->result.reason;
        return NGX_DECLINED;
    }

    if (device->len) {

        if (ngx_gateway_identity_valid(device) != NGX_OK
            || (sender->result.identity
                && gw_identity_speaks(sender->result.identity, device->data,
                                      device->len)
                   != GW_OK))
        {
            *reason = GW_R_FORBIDDEN;
            return NGX_DECLINED;
        }
    }

    if (ngx_gateway_sender_keep(sender, credentials, device, name) != NGX_OK) {
        *reason = GW_R_INTERNAL;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* block: identity, credential, name, device */

static ngx_int_t
ngx_gateway_sender_keep(ngx_gateway_sender_t *sender,
    ngx_gateway_credentials_t *credentials, ngx_str_t *device,
    ngx_str_t *name)
{
    u_char               *p;
    size_t                identity;
    ngx_str_t            *credential;
    const gw_identity_t  *id;

    id = sender->result.identity;
    identity = 0;
    credential = NULL;

    if (id) {
        identity = sizeof(ngx_gateway_sender_packed_t) + id->device_len
                   + id->tenant_len + id->topics_len + id->speaks_for_len;
        credential = ngx_gateway_sender_credential(&sender->result,
                                                   credentials);
    }

    p = ngx_alloc(identity + (credential ? credential->len : 0) + name->len
                  + device->len + 1, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sender->block = p;
    sender->identity = (uint16_t) identity;
    sender->credential = 0;
    sender->name = (uint16_t) name->len;

    if (id) {
        p = ngx_gateway_sender_pack(p, id);
    }

    if (credential) {
        sender->credential = (uint16_t) credential->len;
        p = ngx_gateway_sender_put(p, credential);
    }

    p = ngx_gateway_sender_put(p, name);

    sender->device.data = p;
    sender->device.len = device->len;
    (void) ngx_gateway_sender_put(p, device);

    return NGX_OK;
}


/* of a text that is not there even the address is none to copy from */

static u_char *
ngx_gateway_sender_put(u_char *p, ngx_str_t *text)
{
    return text->len ? ngx_cpymem(p, text->data, text->len) : p;
}


/* what can be judged again; NULL: nothing, as of a certificate, which lasts as
   long as its connection */

static ngx_str_t *
ngx_gateway_sender_credential(ngx_gateway_auth_result_t *result,
    ngx_gateway_credentials_t *credentials)
{
    switch (result->method) {

    case GW_AUTH_DEVICES:
        return &credentials->pair;

    case GW_AUTH_JWT:
        return &credentials->bearer;

    default:
        return NULL;
    }
}


static u_char *
ngx_gateway_sender_pack(u_char *p, const gw_identity_t *id)
{
    ngx_gateway_sender_packed_t  packed;

    ngx_memzero(&packed, sizeof(packed));

    packed.device_len = id->device_len;
    packed.tenant_len = id->tenant_len;
    packed.topics_len = id->topics_len;
    packed.speaks_for_len = id->speaks_for_len;
    packed.classes = id->classes;
    packed.not_before = id->not_before;
    packed.not_after = id->not_after;

    p = ngx_cpymem(p, &packed, sizeof(packed));
    p = ngx_cpymem(p, id->device, id->device_len);
    p = ngx_cpymem(p, id->tenant, id->tenant_len);
    p = ngx_cpymem(p, id->topics, id->topics_len);

    return ngx_cpymem(p, id->speaks_for, id->speaks_for_len);
}


const gw_identity_t *
ngx_gateway_sender_identity(ngx_gateway_sender_t *sender)
{
    u_char                       *p;
    gw_identity_t                *id;
    ngx_gateway_sender_packed_t   packed;

    if (sender->identity == 0) {
        return NULL;
    }

    id = &ngx_gateway_sender_unpacked;

    if (ngx_gateway_sender_unpacked_of == sender->block) {
        return id;
    }

    p = sender->block;

    ngx_memcpy(&packed, p, sizeof(packed));
    p += sizeof(packed);

    id->device_len = packed.device_len;
    id->tenant_len = packed.tenant_len;
    id->topics_len = packed.topics_len;
    id->speaks_for_len = packed.speaks_for_len;
    id->classes = packed.classes;
    id->not_before = packed.not_before;
    id->not_after = packed.not_after;

    ngx_memcpy(id->device, p, packed.device_len);
    p += packed.device_len;
    ngx_memcpy(id->tenant, p, packed.tenant_len);
    p += packed.tenant_len;
    ngx_memcpy(id->topics, p, packed.topics_len);
    p += packed.topics_len;
    ngx_memcpy(id->speaks_for, p, packed.speaks_for_len);

    ngx_gateway_sender_unpacked_of = sender->block;

    return id;
}


void
ngx_gateway_sender_name(ngx_gateway_sender_t *sender, ngx_str_t *name)
{
    name->len = sender->block ? sender->name : 0;
    name->data = sender->block + sender->identity + sender->credential;
}


ngx_int_t
ngx_gateway_sender_still(ngx_gateway_sender_t *sender, gw_reason_e *reason)
{
    u_char                     *block;
    ngx_str_t                   text, name, device;
    ngx_int_t                   rc;
    const gw_identity_t        *id;
    ngx_gateway_credentials_t   credentials;

    id = ngx_gateway_sender_identity(sender);

    if (id == NULL || !ngx_gateway_auth_stale(&sender->result, id)) {
        return NGX_OK;
    }

    ngx_memzero(&credentials, sizeof(ngx_gateway_credentials_t));

    text.data = sender->block + sender->identity;
    text.len = sender->credential;

    /* it is we who ask: no source of guesses pays for it */

    credentials.sockaddr = &ngx_gateway_sender_nobody;

    switch (sender->result.method) {

    case GW_AUTH_DEVICES:
        credentials.basic = 1;
        credentials.pair = text;
        break;

    case GW_AUTH_JWT:
        credentials.token = 1;
        credentials.bearer = text;
        break;

    default:
        *reason = GW_R_REVOKED;
        return NGX_DECLINED;
    }

    /* the new block is made from texts of the old one */

    block = sender->block;
    device = sender->device;
    ngx_gateway_sender_name(sender, &name);

    rc = ngx_gateway_sender_find_out(sender, &credentials, &device, &name,
                                     reason);

    if (rc == NGX_OK) {
        ngx_explicit_memzero(text.data, text.len);
        ngx_free(block);
        ngx_gateway_sender_unpacked_of = NULL;
    }

    return rc;
}


void
ngx_gateway_sender_forget(ngx_gateway_sender_t *sender)
{
    if (sender->block == NULL) {
        return;
    }

    if (ngx_gateway_sender_unpacked_of == sender->block) {
        ngx_gateway_sender_unpacked_of = NULL;
    }

    ngx_explicit_memzero(sender->block + sender->identity,
                         sender->credential);
    ngx_free(sender->block);

    sender->block = NULL;
    sender->identity = 0;
    sender->device.len = 0;
}


void
ngx_gateway_sender_origin(ngx_gateway_sender_t *sender, gw_proto_e protocol,
    ngx_gateway_origin_t *origin)
{
    ngx_time_t                    *tp;
    const ngx_gateway_listener_t  *listener;

    listener = sender->listener;
    tp = ngx_timeofday();

    ngx_memzero(origin, sizeof(ngx_gateway_origin_t));

    origin->gateway = listener->gateway;
    origin->protocol = protocol;
    origin->identity = ngx_gateway_sender_identity(sender);
    origin->device = sender->device;
    origin->class_index = listener->class_index;
    origin->ack = listener->ack;
    origin->schema = listener->schema;
    origin->schema_off = listener->schema_off;
    origin->received_at = (int64_t) tp->sec * 1000 + tp->msec;
    origin->received = ngx_current_msec;
}
