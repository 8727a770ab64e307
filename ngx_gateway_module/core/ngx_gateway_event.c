/*
 * ngx_gateway_event.c - CloudEvents on their way to Kafka.
 *
 * An event that came keeps its attributes, whatever the value of its record
 * is.  Of a message that was none one is made: id from what tells it from
 * others, source from its device, type from its class.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <time.h>

#include "gw_base64.h"
#include "ngx_gateway_event.h"


#define NGX_GATEWAY_EVENT_TIME  sizeof("1970-01-01T00:00:00.000Z")
#define NGX_GATEWAY_EVENT_NAME  (sizeof("ce_") + GW_CE_NAME_MAX)


typedef struct {
    ngx_gateway_header_t  *headers;
    gw_envelope_t         *envelope;
    ngx_uint_t             n;
    unsigned               whole:1;    /* the value is the event's data */
    unsigned               device:1;   /* is there */
    unsigned               class:1;
} ngx_gateway_event_put_t;


/* what headers point at until they are copied */

typedef struct {
    u_char  names[NGX_GATEWAY_EVENT_HEADERS][NGX_GATEWAY_EVENT_NAME];
    u_char  id[GW_EPOCH_MAX + 1 + NGX_INT64_LEN + 36];
    u_char  source[sizeof("/devices/") + 3 * GW_DEVICE_MAX];
    u_char  type[256 + GW_CLASS_MAX];
    u_char  seq[NGX_INT64_LEN];
    u_char  time[NGX_GATEWAY_EVENT_TIME];
    u_char  received_at[NGX_GATEWAY_EVENT_TIME];
} ngx_gateway_event_text_t;


static void ngx_gateway_event_put(void *data, const char *name,
    const gw_str_t *value);
static void ngx_gateway_event_made(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_event_e value,
    ngx_gateway_event_put_t *put);
static void ngx_gateway_event_ours(ngx_gateway_origin_t *origin,
    ngx_gateway_event_put_t *put);
static u_char *ngx_gateway_event_id(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, u_char *p);
static u_char *ngx_gateway_event_time(u_char *p, int64_t ms);


/* of this worker; see the header for how long it holds */

static ngx_gateway_event_text_t  ngx_gateway_event_text;


/* output envelope | cloudevents [type=PREFIX] */

char *
ngx_gateway_event_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_gateway_t *gateway = conf;

    ngx_str_t  *value;

    if (gateway->output != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "envelope") == 0) {
        gateway->output = NGX_GATEWAY_OUTPUT_ENVELOPE;

    } else if (ngx_strcmp(value[1].data, "cloudevents") == 0) {
        gateway->output = NGX_GATEWAY_OUTPUT_CLOUDEVENTS;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"output\" \"%V\", it must be \"envelope\" "
                           "or \"cloudevents\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (gateway->output == NGX_GATEWAY_OUTPUT_ENVELOPE
        || ngx_strncmp(value[2].data, "type=", 5) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"; \"output cloudevents\" "
                           "knows type=, \"output envelope\" none", &value[2]);
        return NGX_CONF_ERROR;
    }

    gateway->event_type.data = value[2].data + 5;
    gateway->event_type.len = value[2].len - 5;

    if (ngx_gateway_identity_valid(&gateway->event_type) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", type= must be 1 to 128 "
                           "printable characters", &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_gateway_event_headers(ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, ngx_gateway_event_e value,
    ngx_gateway_header_t *headers)
{
    ngx_gateway_event_put_t  put;

    put.headers = headers;
    put.envelope = envelope;
    put.n = 0;
    put.device = 0;
    put.class = 0;
    put.whole = (origin->gateway->output == NGX_GATEWAY_OUTPUT_CLOUDEVENTS
                 && value != NGX_GATEWAY_EVENT_DOCUMENT);

    if (origin->event) {
        gw_ce_headers(origin->event, ngx_gateway_event_put, &put);

    } else if (put.whole) {
        ngx_gateway_event_made(origin, envelope, value, &put);
    }

    if (put.whole) {
        ngx_gateway_event_ours(origin, &put);
    }

    return put.n;
}


static void
ngx_gateway_event_put(void *data, const char *name, const gw_str_t *value)
{
    ngx_gateway_event_put_t *put = data;

    u_char                *text;
    ngx_gateway_header_t  *header;

    if (!put->whole
        && (ngx_strcmp(name, "ce_specversion") == 0
            || ngx_strcmp(name, "content-type") == 0))
    {
        return;
    }

    if (put->whole && ngx_strcmp(name, "ce_recordedtime") == 0) {
        return;
    }

    if (put->n == NGX_GATEWAY_EVENT_HEADERS) {
        return;
    }

    /* an event says what it likes, this is what was authorised */

    if (ngx_strcmp(name, "ce_deviceid") == 0) {
        value = &put->envelope->device;
        put->device = 1;

    } else if (ngx_strcmp(name, "ce_class") == 0) {
        value = &put->envelope->class_name;
        put->class = 1;
    }

    text = ngx_gateway_event_text.names[put->n];
    header = &put->headers[put->n++];

    header->name.data = text;
    header->name.len = ngx_cpystrn(text, (u_char *) name,
                                   NGX_GATEWAY_EVENT_NAME)
                       - text;

    header->value.data = (u_char *) value->data;
    header->value.len = value->len;
}


static void
ngx_gateway_event_add(ngx_gateway_event_put_t *put, const char *name,
    const u_char *p, size_t len)
{
    gw_str_t  value;

    value.data = p;
    value.len = len;

    ngx_gateway_event_put(put, name, &value);
}


#define ngx_gateway_event_text(put, name, text)                               \
    ngx_gateway_event_add(put, name, (const u_char *) text, sizeof(text) - 1)


static void
ngx_gateway_event_made(ngx_gateway_origin_t *origin, gw_envelope_t *envelope,
    ngx_gateway_event_e value, ngx_gateway_event_put_t *put)
{
    u_char                    *p;
    ngx_gateway_event_text_t  *text;

    text = &ngx_gateway_event_text;

    ngx_gateway_event_text(put, "ce_specversion", "1.0");

    p = ngx_gateway_event_id(origin, envelope, text->id);

    if (p) {
        ngx_gateway_event_add(put, "ce_id", text->id, p - text->id);

    } else {
        ngx_gateway_event_add(put, "ce_id", origin->idempotency.data,
                              origin->idempotency.len);
    }

    /* a name of the configuration may have bytes that no URI has */

    p = ngx_cpymem(text->source, "/devices/", sizeof("/devices/") - 1);
    p = (u_char *) ngx_escape_uri(p, (u_char *) envelope->device.data,
                                  envelope->device.len,
                                  NGX_ESCAPE_URI_COMPONENT);

    ngx_gateway_event_add(put, "ce_source", text->source, p - text->source);

    p = ngx_cpymem(text->type, origin->gateway->event_type.data,
                   origin->gateway->event_type.len);
    *p++ = '.';
    p = ngx_cpymem(p, envelope->class_name.data, envelope->class_name.len);

    ngx_gateway_event_add(put, "ce_type", text->type, p - text->type);

    p = ngx_gateway_event_time(text->time, envelope->has_ts
                                           ? envelope->ts
                                           : origin->received_at);

    ngx_gateway_event_add(put, "ce_time", text->time, p - text->time);

    if (envelope->epoch.len) {
        ngx_gateway_event_add(put, "ce_epoch", envelope->epoch.data,
                              envelope->epoch.len);
    }

    if (envelope->has_seq) {
        p = ngx_sprintf(text->seq, "%uL", envelope->seq);

        ngx_gateway_event_add(put, "ce_sequence", text->seq, p - text->seq);
    }

    if (value == NGX_GATEWAY_EVENT_OPAQUE) {
        ngx_gateway_event_text(put, "content-type",
                               "application/octet-stream");

    } else {
        ngx_gateway_event_text(put, "content-type", "application/json");
    }
}


/* what the gateway knows better than the event */

static void
ngx_gateway_event_ours(ngx_gateway_origin_t *origin,
    ngx_gateway_event_put_t *put)
{
    u_char  *p, *received_at;

    if (!put->device) {
        ngx_gateway_event_put(put, "ce_deviceid", &put->envelope->device);
    }

    if (!put->class) {
        ngx_gateway_event_put(put, "ce_class", &put->envelope->class_name);
    }

    put->whole = 0;

    received_at = ngx_gateway_event_text.received_at;
    p = ngx_gateway_event_time(received_at, origin->received_at);

    ngx_gateway_event_add(put, "ce_recordedtime", received_at,
                          p - received_at);
}


/*
 * The same for each resend: the number within its epoch, or the key (NULL).
 * A message that has neither is another one each time: UUID version 7 (RFC 9562
 * section 5.7).
 */

static u_char *
ngx_gateway_event_id(ngx_gateway_origin_t *origin, gw_envelope_t *envelope,
    u_char *p)
{
    uint64_t  ms, a, b;

    if (envelope->has_seq) {

        if (envelope->epoch.len) {
            p = ngx_cpymem(p, envelope->epoch.data, envelope->epoch.len);
            *p++ = '/';
        }

        return ngx_sprintf(p, "%uL", envelope->seq);
    }

    if (origin->idempotency.len) {
        return NULL;
    }

    ms = (uint64_t) origin->received_at;
    a = ngx_gateway_random();
    b = ngx_gateway_random();

    return ngx_sprintf(p, "%08xL-%04xL-7%03xL-%04xL-%012xL",
                       (int64_t) (ms >> 16 & 0xffffffff),
                       (int64_t) (ms & 0xffff), (int64_t) (a & 0xfff),
                       (int64_t) (0x8000 | (b >> 48 & 0x3fff)),
                       (int64_t) (b & 0xffffffffffff));
}


/* RFC 3339, UTC; ms: from 0 to GW_TIME_MAX */

static u_char *
ngx_gateway_event_time(u_char *p, int64_t ms)
{
    time_t     sec;
    struct tm  tm;

    sec = (time_t) (ms / 1000);

    gmtime_r(&sec, &tm);

    return ngx_sprintf(p, "%04d-%02d-%02dT%02d:%02d:%02d.%03iZ",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                       tm.tm_hour, tm.tm_min, tm.tm_sec,
                       (ngx_int_t) (ms % 1000));
}


size_t
ngx_gateway_event_write(u_char *dst, ngx_gateway_origin_t *origin,
    gw_envelope_t *envelope, gw_json_t *json)
{
    size_t           len;
    gw_ce_t         *event;
    gw_json_node_t  *node;

    event = origin->event;

    if (event) {
        node = &json->tape[envelope->data_node];

        if (node->type == GW_JSON_STRING
            && (event->base64
                || (event->datacontenttype.len
                    && !gw_ce_is_json(&event->datacontenttype))))
        {
            len = gw_json_unescape(envelope->doc, node, dst);

            /* what is read is always ahead of what is written; it was checked
               by gw_ce_decode() */

            if (event->base64) {
                (void) gw_base64_decode(dst, len, dst, &len);
            }

            return len;
        }
    }

    ngx_memcpy(dst, envelope->data.data, envelope->data.len);

    return envelope->data.len;
}
