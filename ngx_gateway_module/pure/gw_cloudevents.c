/*
 * gw_cloudevents.c - an event in JSON (JSON format for CloudEvents 1.0.2) to
 * attributes and data.
 */

#include "gw_cloudevents.h"

#include "gw_base64.h"
#include "gw_ce_attr.h"
#include "gw_schema_string.h"


/* characters of base64 that are checked in one go; a multiple of 4 */
#define GW_CE_STEP  1024


static int gw_ce_name(const uint8_t *doc, const gw_json_node_t *key,
    gw_str_t *name, uint8_t *buf);
static int gw_ce_member(gw_ce_t *ce, const uint8_t *doc,
    const gw_json_node_t *key, const gw_json_node_t *value, gw_str_t *name,
    const char **detail);
static int gw_ce_integer(const uint8_t *doc, const gw_json_node_t *node,
    gw_str_t *value);
static int gw_ce_keep(gw_ce_t *ce, const gw_str_t *from, gw_str_t *to,
    const char **detail);
static int gw_ce_is_base64(const uint8_t *doc, const gw_json_node_t *node);


int
gw_ce_decode(const gw_json_t *j, const uint8_t *doc, uint32_t node,
    gw_ce_t *ce, const char **detail)
{
    unsigned               n;
    gw_str_t               name;
    gw_envelope_t         *env;
    const gw_json_node_t  *root, *key, *value, *data;
    static const gw_str_t  implied = gw_str("application/json");
    uint8_t                buf[GW_CE_NAME_MAX];

    gw_ce_start(ce);

    root = &j->tape[node];

    if (root->type != GW_JSON_OBJECT) {
        *detail = "event is not an object";
        return GW_ERROR;
    }

    env = &ce->env;
    env->doc = doc;
    env->document.data = doc + root->off;
    env->document.len = root->len;

    data = NULL;
    key = root + 1;

    for (n = root->count; n; n--) {
        value = key + 1;

        if (gw_ce_name(doc, key, &name, buf) != GW_OK) {
            *detail = GW_CE_E_NAME;
            return GW_ERROR;
        }

        if ((name.len == 4 && memcmp(name.data, "data", 4) == 0)
            || (name.len == 11 && memcmp(name.data, "data_base64", 11) == 0))
        {
            if (data) {
                *detail = "\"data\" and \"data_base64\" are both there";
                return GW_ERROR;
            }

            data = value;
            ce->base64 = name.len == 11;

        } else if (gw_ce_member(ce, doc, key, value, &name, detail) != GW_OK) {
            return GW_ERROR;
        }

        key = &j->tape[value->next];
    }

    if (gw_ce_complete(ce, detail) != GW_OK) {
        return GW_ERROR;
    }

    if (data == NULL) {
        *detail = "event has no data";
        return GW_ERROR;
    }

    if (ce->base64) {

        if (data->type != GW_JSON_STRING || !gw_ce_is_base64(doc, data)) {
            *detail = "\"data_base64\" must be a string of base64";
            return GW_ERROR;
        }

    } else if (ce->datacontenttype.len == 0) {

        /* JSON format, section 3.1.2: put in where the event goes elsewhere */

        ce->datacontenttype = implied;

    } else if (data->type != GW_JSON_STRING
               && !gw_ce_is_json(&ce->datacontenttype))
    {
        *detail = "\"data\" must be a string where \"datacontenttype\" is not "
                  "JSON";
        return GW_ERROR;
    }

    env->data_node = (uint32_t) (data - j->tape);
    env->data.data = doc + data->off;
    env->data.len = data->len;

    if (data->type == GW_JSON_STRING) {
        env->data.data--;
        env->data.len += 2;
    }

    env->strip_nl = (data->flags & GW_JSON_F_NL) != 0;

    return GW_OK;
}


static int
gw_ce_name(const uint8_t *doc, const gw_json_node_t *key, gw_str_t *name,
    uint8_t *buf)
{
    if (key->flags & GW_JSON_F_ESCAPED) {
        name->data = buf;

        return gw_schema_string_copy(gw_schema_string(doc, key), buf,
                                     GW_CE_NAME_MAX, &name->len);
    }

    name->data = doc + key->off;
    name->len = key->len;

    return GW_OK;
}


/* an attribute; JSON format, section 2.2 */

static int
gw_ce_member(gw_ce_t *ce, const uint8_t *doc, const gw_json_node_t *key,
    const gw_json_node_t *node, gw_str_t *name, const char **detail)
{
    size_t    len;
    gw_str_t  value;
    uint8_t  *p;

    if (!gw_ce_name_valid(name)) {
        *detail = GW_CE_E_NAME;
        return GW_ERROR;
    }

    if (node->type == GW_JSON_NULL) {
        return GW_OK;
    }

    if (node->type != GW_JSON_STRING && gw_ce_is_core(name)) {
        *detail = "attribute of the specification must be a string";
        return GW_ERROR;
    }

    value.data = doc + node->off;
    value.len = node->len;

    switch (node->type) {

    case GW_JSON_STRING:
        if (node->flags & GW_JSON_F_ESCAPED) {
            p = ce->text + ce->text_len;

            if (gw_schema_string_copy(gw_schema_string(doc, node), p,
                                      gw_ce_room(ce), &len)
                != GW_OK)
            {
                *detail = gw_ce_no_room(ce);
                return GW_ERROR;
            }

            value.data = p;
            value.len = len;
            ce->text_len += len;
        }

        break;

    case GW_JSON_FALSE:
    case GW_JSON_TRUE:
        break;

    case GW_JSON_NUMBER:
        if (gw_ce_integer(doc, node, &value) != GW_OK) {
            *detail = "number of an extension must be an integer from "
                      "-2147483648 to 2147483647";
            return GW_ERROR;
        }

        break;

    default:
        *detail = "extension must be a string, a boolean or an integer";
        return GW_ERROR;
    }

    /* an escaped name is in a buffer that does not last */

    if ((key->flags & GW_JSON_F_ESCAPED) && !gw_ce_is_core(name)
        && gw_ce_keep(ce, name, name, detail) != GW_OK)
    {
        return GW_ERROR;
    }

    return gw_ce_set(ce, name, &value, detail);
}


/* core specification, type Integer; "-0" is written as the 0 it is */

static int
gw_ce_integer(const uint8_t *doc, const gw_json_node_t *node, gw_str_t *value)
{
    size_t    i;
    int64_t   v;
    unsigned  negative;

    negative = (node->flags & GW_JSON_F_NEG) != 0;

    /* 10 digits */

    if (!(node->flags & GW_JSON_F_INT) || node->len > 10 + negative) {
        return GW_ERROR;
    }

    v = 0;

    for (i = negative; i < node->len; i++) {
        v = v * 10 + (doc[node->off + i] - '0');
    }

    if (v - negative > INT32_MAX) {
        return GW_ERROR;
    }

    if (v == 0) {
        value->data += negative;
        value->len -= negative;
    }

    return GW_OK;
}


static int
gw_ce_keep(gw_ce_t *ce, const gw_str_t *from, gw_str_t *to,
    const char **detail)
{
    uint8_t  *p;

    if (from->len > gw_ce_room(ce)) {
        *detail = gw_ce_no_room(ce);
        return GW_ERROR;
    }

    p = ce->text + ce->text_len;
    memcpy(p, from->data, from->len);
    ce->text_len += from->len;

    to->data = p;
    to->len = from->len;

    return GW_OK;
}


/*
 * By steps, so that no buffer grows with the data.  Only the last step may be
 * padded: the others are as long as what they decode to.
 */

static int
gw_ce_is_base64(const uint8_t *doc, const gw_json_node_t *node)
{
    size_t              n, got;
    uint32_t            c;
    gw_schema_string_t  s;
    uint8_t             text[GW_CE_STEP];
    uint8_t             bytes[gw_base64_decoded(GW_CE_STEP)];

    s = gw_schema_string(doc, node);

    while (s.len) {

        if (s.escaped) {

            for (n = 0; n < GW_CE_STEP && s.len; n++) {
                c = gw_schema_char(&s);

                if (c > 0x7f) {
                    return 0;
                }

                text[n] = (uint8_t) c;
            }

        } else {
            n = s.len < GW_CE_STEP ? s.len : GW_CE_STEP;
            memcpy(text, s.data, n);
            s.data += n;
            s.len -= (uint32_t) n;
        }

        if (gw_base64_decode(text, n, bytes, &got) != GW_OK
            || (s.len && got != n / 4 * 3))
        {
            return 0;
        }
    }

    return 1;
}
