/*
 * gw_cloudevents.h - CloudEvents 1.0 in JSON (structured, batched) and in
 * HTTP headers (binary), to the envelope of the gateway; and the attributes as
 * they go into Kafka's headers in binary mode.
 *
 * Mapping: source -> where the device is named: its last path segment where it
 * is a URI reference with slashes, else the whole (gw_ce_device()); extension
 * "deviceid" goes before.  What is no device's name is left out: then the
 * authenticated identity is it.  id -> seq where it is a plain integer from
 * 0 to 2^53 - 1 without leading zeros and there is no extension "sequence",
 * else source + id is the key of dedup; time -> ts; extension "sequence" that
 * is such an integer -> seq, which tells no events apart; extensions "epoch",
 * "class" (names as in gw_envelope.h, else refused) -> the same; data -> data;
 * data_base64 -> data as a JSON string of it, unchanged.  An event without data
 * is refused: its record would be a tombstone.  "data": null is data (JSON
 * format, section 3.1.1).
 *
 * An attribute that is null is unset (JSON format, section 2.2: MUST), so a
 * required one is missing then.  No attribute holds a control character or a
 * noncharacter of Unicode (core specification, type String).  URIs are not
 * checked but for the name of a device.
 *
 * All views point into the document, the header values handed in, or the
 * event's own buffers, so an event is not to be copied.  No allocation.
 */

#ifndef _GW_CLOUDEVENTS_H_INCLUDED_
#define _GW_CLOUDEVENTS_H_INCLUDED_


#include "gw.h"
#include "gw_envelope.h"
#include "gw_json.h"


#define GW_CE_VALUE_MAX   2048 /* bytes of an attribute */
#define GW_CE_TEXT_MAX    8192 /* of all of an event that needed decoding,
                                  its key included */
#define GW_CE_EXT_MAX     16   /* extensions of an event */
#define GW_CE_NAME_MAX    20   /* section 3.1 of the specification: SHOULD */


typedef struct {
    gw_str_t  name;
    gw_str_t  value;
} gw_ce_attr_t;


typedef struct {
    gw_envelope_t  env;        /* what the pipeline goes on with */

    gw_str_t       specversion;
    gw_str_t       id;
    gw_str_t       source;
    gw_str_t       type;
    gw_str_t       subject;    /* len 0: none, as the next */
    gw_str_t       time;
    gw_str_t       dataschema;
    gw_str_t       datacontenttype;    /* what JSON's "data" leaves implied
                                          is put in: "application/json" */

    gw_str_t       key;        /* source, NUL, id; at most 2 *
                                  GW_CE_VALUE_MAX bytes; len 0: env.seq is
                                  the id, a number of source's */

    gw_ce_attr_t   ext[GW_CE_EXT_MAX];
    unsigned       next;       /* extensions in use */
    unsigned       base64;     /* env.data is a string of base64 */

    size_t         text_len;
    uint8_t        text[GW_CE_TEXT_MAX];
} gw_ce_t;


typedef enum {
    GW_CE_NONE = 0,            /* no CloudEvent */
    GW_CE_BINARY,
    GW_CE_STRUCTURED,
    GW_CE_BATCHED
} gw_ce_mode_e;


/*
 * The mode a request is in (HTTP binding section 3): by its media type (value
 * of Content-Type, parameters included, any case; "-batch+json" is looked for
 * before "+json"), else binary where has_specversion.  content_type may be
 * NULL.  GW_DECLINED: an event format other than JSON, e.g.
 * application/cloudevents+avro; *mode is GW_CE_NONE then.
 */
int gw_ce_mode(const gw_str_t *content_type, unsigned has_specversion,
    gw_ce_mode_e *mode);


/*
 * Structured, or an element of a batch: the object at tape index node.
 * GW_OK; GW_ERROR: *detail is a constant sentence without bytes of the input,
 * and ce holds nothing of use.
 * Refused: specversion other than "1.0", a missing or empty id, source or
 * type, structured values of extensions, names that are not of [a-z0-9] or
 * above GW_CE_NAME_MAX, data beside data_base64, a datacontenttype that is not
 * JSON where data is JSON and no string, data_base64 that is not strict
 * base64.
 */
int gw_ce_decode(const gw_json_t *j, const uint8_t *doc, uint32_t node,
    gw_ce_t *ce, const char **detail);

/*
 * Binary: start, one call for each header whose name begins with "ce-" (name
 * without it, any case), then finish.  The body is the caller's to see to: an
 * empty one is no data and to be refused; where gw_ce_is_json(content type) it
 * must be one JSON value, else data is a JSON string made of it (UTF-8).
 * finish() leaves all of env empty that is about data and document.
 * Values are percent-decoded once (HTTP binding section 3.1.3.2), invalid
 * UTF-8 refused, values in double quotes taken without them.
 * "ce-datacontenttype" is refused.  content_type may be NULL.
 */
void gw_ce_start(gw_ce_t *ce);
int gw_ce_header(gw_ce_t *ce, const gw_str_t *name, const gw_str_t *value,
    const char **detail);
int gw_ce_finish(gw_ce_t *ce, const gw_str_t *content_type,
    const char **detail);

/*
 * 1: of this media type is JSON (its subtype is "json" or ends in "+json");
 * white space around it is skipped
 */
int gw_ce_is_json(const gw_str_t *content_type);

/* the device a source names, a view into it; len 0: none that may be one */
gw_str_t gw_ce_device(const gw_str_t *source);

/*
 * Kafka binding, binary mode (section 3.2): calls put for "ce_specversion",
 * "ce_id", "ce_source", "ce_type" and what else is there, "content-type" last.
 * Names are NUL terminated and the callback's to copy.
 */
typedef void (*gw_ce_put_pt)(void *data, const char *name,
    const gw_str_t *value);

void gw_ce_headers(const gw_ce_t *ce, gw_ce_put_pt put, void *data);


#endif /* _GW_CLOUDEVENTS_H_INCLUDED_ */
