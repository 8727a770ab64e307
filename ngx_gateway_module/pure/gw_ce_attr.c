/*
 * gw_ce_attr.c - attributes of a CloudEvent: their rules, what of them goes
 * into the envelope, and their way into Kafka's headers.
 */

#include "gw_ce_attr.h"

#include "gw_time.h"


/* "ce_", a name and its NUL */
#define GW_CE_HEADER  (3 + GW_CE_NAME_MAX + 1)


typedef struct {
    const char  *header;       /* in Kafka: "ce_" and the name */
    size_t       len;          /* of the name */
    size_t       offset;       /* in gw_ce_t */
    const char  *missing;      /* NULL: OPTIONAL */
    const char  *empty;
} gw_ce_core_t;


static gw_str_t *gw_ce_core(gw_ce_t *ce, const gw_ce_core_t *core);
static const gw_ce_core_t *gw_ce_find(const gw_str_t *name);
static const gw_str_t *gw_ce_ext(const gw_ce_t *ce, const char *name);
static int gw_ce_same(const gw_str_t *s, const char *p, size_t len);
static int gw_ce_is_text(const uint8_t *p, size_t len);
static int gw_ce_is_media_type(const gw_str_t *type);
static size_t gw_ce_token(const uint8_t *p, size_t len);
static int gw_ce_is_uri(const uint8_t *p, size_t len);
static size_t gw_ce_authority(const uint8_t *p, size_t len);
static int gw_ce_is_alnum(uint8_t c);
static int gw_ce_make_key(gw_ce_t *ce, const char **detail);


/* in the order of Kafka's headers; the last has a name of its own there */

#define gw_ce_required(name)                                                  \
    { "ce_" #name, sizeof(#name) - 1, offsetof(gw_ce_t, name),                \
      "attribute \"" #name "\" is missing",                                   \
      "attribute \"" #name "\" is empty" }

#define gw_ce_optional(name)                                                  \
    { "ce_" #name, sizeof(#name) - 1, offsetof(gw_ce_t, name), NULL,          \
      "attribute \"" #name "\" is empty" }

static const gw_ce_core_t  gw_ce_cores[] = {
    gw_ce_required(specversion),
    gw_ce_required(id),
    gw_ce_required(source),
    gw_ce_required(type),
    gw_ce_optional(subject),
    gw_ce_optional(time),
    gw_ce_optional(dataschema),
    gw_ce_optional(datacontenttype)
};

#define GW_CE_CORES  (sizeof(gw_ce_cores) / sizeof(gw_ce_cores[0]))


void
gw_ce_start(gw_ce_t *ce)
{
    memset(ce, 0, offsetof(gw_ce_t, text));
}


int
gw_ce_name_valid(const gw_str_t *name)
{
    size_t   i;
    uint8_t  c;

    if (name->len == 0 || name->len > GW_CE_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
            return 0;
        }
    }

    return !gw_ce_same(name, "data", 4);
}


int
gw_ce_is_core(const gw_str_t *name)
{
    return gw_ce_find(name) != NULL;
}


size_t
gw_ce_room(const gw_ce_t *ce)
{
    size_t  room;

    room = GW_CE_TEXT_MAX - ce->text_len;

    return room < GW_CE_VALUE_MAX ? room : GW_CE_VALUE_MAX;
}


const char *
gw_ce_no_room(const gw_ce_t *ce)
{
    return gw_ce_room(ce) < GW_CE_VALUE_MAX ? GW_CE_E_ROOM : GW_CE_E_LONG;
}


int
gw_ce_set(gw_ce_t *ce, const gw_str_t *name, const gw_str_t *value,
    const char **detail)
{
    unsigned             n;
    gw_str_t            *slot;
    const gw_ce_core_t  *core;

    if (value->len > GW_CE_VALUE_MAX) {
        *detail = GW_CE_E_LONG;
        return GW_ERROR;
    }

    if (!gw_ce_is_text(value->data, value->len)) {
        *detail = "attribute is not UTF-8, or holds a control character or a "
                  "noncharacter";
        return GW_ERROR;
    }

    core = gw_ce_find(name);

    if (core) {

        /* core specification: each of them has at least one character */

        if (value->len == 0) {
            *detail = core->empty;
            return GW_ERROR;
        }

        slot = gw_ce_core(ce, core);

        if (slot->len) {
            goto twice;
        }

        *slot = *value;

        return GW_OK;
    }

    for (n = 0; n < ce->next; n++) {
        if (gw_ce_same(name, (const char *) ce->ext[n].name.data,
                       ce->ext[n].name.len))
        {
            goto twice;
        }
    }

    if (ce->next == GW_CE_EXT_MAX) {
        *detail = "event has more than 16 extensions";
        return GW_ERROR;
    }

    ce->ext[ce->next].name = *name;
    ce->ext[ce->next].value = *value;
    ce->next++;

    return GW_OK;

twice:

    *detail = "attribute is given twice";

    return GW_ERROR;
}


int
gw_ce_complete(gw_ce_t *ce, const char **detail)
{
    size_t           i;
    gw_envelope_t   *env;
    const gw_str_t  *s;

    env = &ce->env;

    for (i = 0; i < GW_CE_CORES; i++) {
        if (gw_ce_cores[i].missing
            && gw_ce_core(ce, &gw_ce_cores[i])->len == 0)
        {
            *detail = gw_ce_cores[i].missing;
            return GW_ERROR;
        }
    }

    if (!gw_ce_same(&ce->specversion, "1.0", 3)) {
        *detail = "attribute \"specversion\" must be \"1.0\"";
        return GW_ERROR;
    }

    if (ce->datacontenttype.len
        && !gw_ce_is_media_type(&ce->datacontenttype))
    {
        *detail = "attribute \"datacontenttype\" must be a media type";
        return GW_ERROR;
    }

    if (ce->time.len) {
        if (gw_time_rfc3339(ce->time.data, ce->time.len, &env->ts) != GW_OK) {
            *detail = "attribute \"time\" must be an RFC 3339 date-time, 1970 "
                      "to 9999";
            return GW_ERROR;
        }

        env->has_ts = 1;
    }

    s = gw_ce_ext(ce, "epoch");

    if (s) {
        if (gw_envelope_name_valid(s->data, s->len, GW_EPOCH_MAX) != GW_OK) {
            *detail = "extension \"epoch\" must be of 1 to 32 bytes of "
                      "[A-Za-z0-9._:@-]";
            return GW_ERROR;
        }

        env->epoch = *s;
    }

    s = gw_ce_ext(ce, "class");

    if (s) {
        if (gw_envelope_name_valid(s->data, s->len, GW_CLASS_MAX) != GW_OK) {
            *detail = "extension \"class\" must be of 1 to 32 bytes of "
                      "[A-Za-z0-9._:@-]";
            return GW_ERROR;
        }

        env->class_name = *s;
    }

    s = gw_ce_ext(ce, "deviceid");

    if (s == NULL) {
        env->device = gw_ce_device(&ce->source);

    } else if (gw_envelope_name_valid(s->data, s->len, GW_DEVICE_MAX)
               == GW_OK)
    {
        env->device = *s;
    }

    /* a sequence of another form still says that id is no position */

    s = gw_ce_ext(ce, "sequence");

    if (s == NULL) {
        s = &ce->id;
    }

    if (gw_envelope_parse_seq(s->data, s->len, &env->seq) == GW_OK) {
        env->has_seq = 1;

        if (s == &ce->id) {
            return GW_OK;
        }
    }

    return gw_ce_make_key(ce, detail);
}


gw_str_t
gw_ce_trim(const gw_str_t *value)
{
    gw_str_t  s;

    s = *value;

    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }

    return s;
}


/* JSON format, section 3.1.1: parameters stripped */

int
gw_ce_is_json(const gw_str_t *content_type)
{
    size_t              i, len, slash;
    gw_str_t            type;
    const uint8_t      *p;
    static const char   json[] = "json";

    type = gw_ce_trim(content_type);
    p = type.data;
    slash = gw_ce_token(p, type.len);

    if (slash == 0 || slash == type.len || p[slash] != '/') {
        return 0;
    }

    p += slash + 1;
    len = gw_ce_token(p, type.len - slash - 1);

    if (len < 4 || (len > 4 && p[len - 5] != '+')) {
        return 0;
    }

    for (i = 0; i < 4; i++) {
        if ((p[len - 4 + i] | 0x20) != (uint8_t) json[i]) {
            return 0;
        }
    }

    return 1;
}


/* RFC 3986 sections 3 and 4.1; "." and ".." are no names but directions */

gw_str_t
gw_ce_device(const gw_str_t *source)
{
    size_t          len, path;
    gw_str_t        device;
    const uint8_t  *p, *end, *start;

    p = source->data;
    device.data = NULL;
    device.len = 0;

    if (!gw_ce_is_uri(p, source->len)) {
        return device;
    }

    for (len = 0; len < source->len; len++) {
        if (p[len] == '?' || p[len] == '#') {
            break;
        }
    }

    if (len == 0 || memchr(p, '/', len) == NULL) {
        start = p;
        end = p + source->len;

    } else {
        path = gw_ce_authority(p, len);
        end = p + len;

        while (end > p + path && end[-1] == '/') {
            end--;
        }

        for (start = end; start > p + path && start[-1] != '/'; start--) {
            /* void */
        }
    }

    len = (size_t) (end - start);

    if (gw_envelope_name_valid(start, len, GW_DEVICE_MAX) != GW_OK
        || (*start == '.' && (len == 1 || (len == 2 && start[1] == '.'))))
    {
        return device;
    }

    device.data = start;
    device.len = len;

    return device;
}


void
gw_ce_headers(const gw_ce_t *ce, gw_ce_put_pt put, void *data)
{
    char             name[GW_CE_HEADER];
    size_t           i;
    unsigned         n;
    const gw_str_t  *value;

    for (i = 0; i < GW_CE_CORES - 1; i++) {
        value = (const gw_str_t *) (const void *)
                    ((const uint8_t *) ce + gw_ce_cores[i].offset);

        if (value->len) {
            put(data, gw_ce_cores[i].header, value);
        }
    }

    memcpy(name, "ce_", 3);

    for (n = 0; n < ce->next; n++) {
        memcpy(name + 3, ce->ext[n].name.data, ce->ext[n].name.len);
        name[3 + ce->ext[n].name.len] = '\0';

        put(data, name, &ce->ext[n].value);
    }

    if (ce->datacontenttype.len) {
        put(data, "content-type", &ce->datacontenttype);
    }
}


static gw_str_t *
gw_ce_core(gw_ce_t *ce, const gw_ce_core_t *core)
{
    return (gw_str_t *) (void *) ((uint8_t *) ce + core->offset);
}


static const gw_ce_core_t *
gw_ce_find(const gw_str_t *name)
{
    size_t  i;

    for (i = 0; i < GW_CE_CORES; i++) {
        if (gw_ce_same(name, gw_ce_cores[i].header + 3, gw_ce_cores[i].len)) {
            return &gw_ce_cores[i];
        }
    }

    return NULL;
}


static const gw_str_t *
gw_ce_ext(const gw_ce_t *ce, const char *name)
{
    size_t    len;
    unsigned  n;

    len = strlen(name);

    for (n = 0; n < ce->next; n++) {
        if (gw_ce_same(&ce->ext[n].name, name, len)) {
            return &ce->ext[n].value;
        }
    }

    return NULL;
}


static int
gw_ce_same(const gw_str_t *s, const char *p, size_t len)
{
    return s->len == len && memcmp(s->data, p, len) == 0;
}


/*
 * Core specification, type String: UTF-8 (RFC 3629: no overlong form, no
 * surrogate) without U+0000-U+001F, U+007F-U+009F and noncharacters.
 */

static int
gw_ce_is_text(const uint8_t *p, size_t len)
{
    size_t                 i, n;
    uint32_t               u;
    const uint8_t         *last;
    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    last = p + len;

    while (p < last) {

        if (*p < 0x80) {
            if (*p < 0x20 || *p == 0x7f) {
                return 0;
            }

            p++;
            continue;
        }

        n = *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf8 ? 4 : 0;

        if (n == 0 || (size_t) (last - p) < n) {
            return 0;
        }

        u = *p & (0x7fu >> n);

        for (i = 1; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return 0;
            }

            u = u << 6 | (p[i] & 0x3fu);
        }

        if (u < least[n] || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff)
            || u < 0xa0
            || (u & 0xfffe) == 0xfffe || (u >= 0xfdd0 && u <= 0xfdef))
        {
            return 0;
        }

        p += n;
    }

    return 1;
}


/* type "/" subtype; of parameters only that there is a ";" before them */

static int
gw_ce_is_media_type(const gw_str_t *type)
{
    size_t          n;
    const uint8_t  *p, *last;

    p = type->data;
    last = p + type->len;

    n = gw_ce_token(p, type->len);
    p += n;

    if (n == 0 || p == last || *p++ != '/') {
        return 0;
    }

    n = gw_ce_token(p, (size_t) (last - p));
    p += n;

    while (p < last && *p == ' ') {
        p++;
    }

    return n && (p == last || *p == ';');
}


/* bytes of the token (RFC 7230, section 3.2.6) that p begins with */

static size_t
gw_ce_token(const uint8_t *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len; n++) {
        if (!gw_ce_is_alnum(p[n])
            && (p[n] == '\0' || strchr("!#$%&'*+-.^_`|~", p[n]) == NULL))
        {
            break;
        }
    }

    return n;
}


/* by its characters (RFC 3986, section 2), not by its whole grammar */

static int
gw_ce_is_uri(const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!gw_ce_is_alnum(p[i])
            && (p[i] == '\0'
                || strchr("-._~:/?#[]@!$&'()*+,;=%", p[i]) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


/* where the path begins: behind a scheme and an authority, where there are */

static size_t
gw_ce_authority(const uint8_t *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len && p[n] != ':' && p[n] != '/'; n++) {
        /* void */
    }

    n = n < len && p[n] == ':' ? n + 1 : 0;

    if (len - n >= 2 && p[n] == '/' && p[n + 1] == '/') {
        for (n += 2; n < len && p[n] != '/'; n++) {
            /* void */
        }
    }

    return n;
}


static int
gw_ce_is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}


/* no attribute holds a NUL, so no two pairs make one key */

static int
gw_ce_make_key(gw_ce_t *ce, const char **detail)
{
    size_t    len;
    uint8_t  *p;

    len = ce->source.len + 1 + ce->id.len;

    if (len > 2 * GW_CE_VALUE_MAX) {
        *detail = "attributes \"source\" and \"id\" have more than 4095 bytes";
        return GW_ERROR;
    }

    if (len > GW_CE_TEXT_MAX - ce->text_len) {
        *detail = GW_CE_E_ROOM;
        return GW_ERROR;
    }

    p = ce->text + ce->text_len;
    ce->key.data = p;
    ce->key.len = len;
    ce->text_len += len;

    memcpy(p, ce->source.data, ce->source.len);
    p += ce->source.len;
    *p++ = '\0';
    memcpy(p, ce->id.data, ce->id.len);

    return GW_OK;
}
