/*
 * gw_ce_http.c - a CloudEvent comes in as HTTP headers, and a media type says
 * what a request carries.
 *
 * The cases are the clauses of the HTTP binding of CloudEvents 1.0.2.  Without
 * this test a header could carry a line end or bytes no consumer can read, a
 * value be decoded once too often, and a batch be taken for one event.
 */

#include "gw_event.h"


#define E_TWICE    "attribute is given twice"
#define E_QUOTE    "header value has an unpaired double quote"
#define E_PERCENT  "header value has a percent sign without two hex digits"


typedef struct {
    const char  *value;        /* of ce-subject */
    const char  *want;         /* the subject, or the detail */
    int          rc;
    const char  *name;
} ce_value_t;


/* headers of the request at hand, each in memory of its own */

static char        *kept[64];
static unsigned     nkept;


static int
header(const char *name, const char *value)
{
    char      *both = malloc(strlen(name) + strlen(value));
    gw_str_t   n, v;

    if (both == NULL || nkept == sizeof(kept) / sizeof(kept[0])) {
        abort();
    }

    kept[nkept++] = both;

    memcpy(both, name, strlen(name));
    memcpy(both + strlen(name), value, strlen(value));

    n.data = (uint8_t *) both;
    n.len = strlen(name);
    v.data = n.data + n.len;
    v.len = strlen(value);
    detail = "";

    return gw_ce_header(&ce, &n, &v, &detail);
}


static int
finish(const char *content_type)
{
    gw_str_t  type;

    if (content_type == NULL) {
        return gw_ce_finish(&ce, NULL, &detail);
    }

    type.data = (const uint8_t *) content_type;
    type.len = strlen(content_type);

    return gw_ce_finish(&ce, &type, &detail);
}


static void
start(void)
{
    while (nkept) {
        free(kept[--nkept]);
    }

    memset(&ce, 0xa5, sizeof(ce));
    gw_ce_start(&ce);
}


static void
four(void)
{
    start();

    if (header("specversion", "1.0") || header("id", "A-1")
        || header("source", "/d/dev-1") || header("type", "t.x"))
    {
        abort();
    }
}


static int
mode_of(const char *type, unsigned specversion)
{
    int           rc;
    gw_str_t      s;
    gw_ce_mode_e  mode;

    s.len = strlen(type);
    s.data = guarded(type, s.len);
    rc = gw_ce_mode(&s, specversion, &mode);

    return rc == GW_OK ? (int) mode : rc;
}


static const ce_value_t  values[] = {
    { "plain", "plain", GW_OK, "a value as it is" },
    { "\t in white space \t", "in white space", GW_OK,
      "RFC 7230, 3.2.4: white space around is not of it" },
    { "Euro%20%E2%82%AC%20%F0%9F%98%80",
      "Euro \xe2\x82\xac \xf0\x9f\x98\x80", GW_OK, "the binding's example" },
    { "%e2%82%ac", "\xe2\x82\xac", GW_OK, "lower-case digits" },
    { "%41%42", "AB", GW_OK, "what needed no encoding" },
    { "%2541", "%41", GW_OK, "one round and no more" },
    { "%25%32%35", "%25", GW_OK, "a percent sign that decoding makes stays" },
    { "\xe2\x82\xac", "\xe2\x82\xac", GW_OK, "UTF-8 that was not encoded" },
    { "\"with space\"", "with space", GW_OK, "double quotes are not of it" },
    { "\"a\\\"b\\\\c\"", "a\"b\\c", GW_OK, "backslashes inside quotes" },
    { "\"\\%34\\1\"", "41", GW_OK, "quotes first, then percent signs" },
    { "\"%22\"", "\"", GW_OK, "an encoded quote inside quotes" },
    { "\"%2541\"", "%41", GW_OK, "one round inside quotes too" },
    { "%22a%22", "\"a\"", GW_OK, "encoded quotes are of the value" },
    { "say \"hi\"", "say \"hi\"", GW_OK, "quotes inside are of the value" },
    { "a\\b", "a\\b", GW_OK, "a backslash outside of quotes is itself" },
    { "%C0%A0", E_TEXT, GW_ERROR, "overlong: the binding's example" },
    { "%c1%81", E_TEXT, GW_ERROR, "overlong, of two bytes" },
    { "%E0%9F%BF", E_TEXT, GW_ERROR, "overlong, of three" },
    { "%F0%8F%BF%BD", E_TEXT, GW_ERROR, "overlong, of four" },
    { "%DF%BF%E0%A0%80", "\xdf\xbf\xe0\xa0\x80", GW_OK,
      "the last of two bytes, the first of three" },
    { "%EF%BF%BD%F0%90%80%80", "\xef\xbf\xbd\xf0\x90\x80\x80", GW_OK,
      "the last of three that is a character, the first of four" },
    { "%ED%A0%80", E_TEXT, GW_ERROR, "a surrogate" },
    { "%F4%90%80%80", E_TEXT, GW_ERROR, "above U+10FFFF" },
    { "%F8%88%80%80%80", E_TEXT, GW_ERROR, "a first byte of no length" },
    { "%80", E_TEXT, GW_ERROR, "a byte that begins nothing" },
    { "%E2%82", E_TEXT, GW_ERROR, "a sequence cut short" },
    { "%E2a%AC", E_TEXT, GW_ERROR, "a sequence with a letter inside" },
    { "\xff", E_TEXT, GW_ERROR, "raw bytes that are no UTF-8" },
    { "a%0D%0Ab", E_TEXT, GW_ERROR, "an encoded line end" },
    { "%00", E_TEXT, GW_ERROR, "an encoded NUL" },
    { "a\tb", E_TEXT, GW_ERROR, "a tab inside" },
    { "%", E_PERCENT, GW_ERROR, "a percent sign alone" },
    { "a%4", E_PERCENT, GW_ERROR, "one digit" },
    { "%4g", E_PERCENT, GW_ERROR, "no hex digit" },
    { "%g4", E_PERCENT, GW_ERROR, "no hex digit, the other" },
    { "\"", E_QUOTE, GW_ERROR, "one quote" },
    { "\"a", E_QUOTE, GW_ERROR, "no closing quote" },
    { "\"a\\\"", E_QUOTE, GW_ERROR, "an escaped closing quote" },
    { "\"a\"b\"", E_QUOTE, GW_ERROR, "a quote inside" },
    { "", E_EMPTY("subject"), GW_ERROR, "an empty header" },
    { "\"\"", E_EMPTY("subject"), GW_ERROR, "empty quotes" },
};


static void
test_modes(void)
{
    gw_ce_mode_e  mode;

    is_u64(mode_of("application/cloudevents+json", 0), GW_CE_STRUCTURED,
           "HTTP 3: structured");
    is_u64(mode_of("application/cloudevents-batch+json", 0), GW_CE_BATCHED,
           "HTTP 3: batched, though it begins as structured does");
    is_u64(mode_of("Application/CloudEvents+JSON", 0), GW_CE_STRUCTURED,
           "a media type has no case");
    is_u64(mode_of("APPLICATION/CLOUDEVENTS-BATCH+JSON;charset=UTF-8", 0),
           GW_CE_BATCHED, "nor has a batch's, parameters aside");
    is_u64(mode_of("  application/cloudevents+json ; charset=utf-8", 1),
           GW_CE_STRUCTURED, "HTTP 3.2.3: ce- headers do not make it binary");
    is_u64(mode_of("application/cloudevents+avro", 1), GW_DECLINED,
           "HTTP 3: a format we do not know");
    is_u64(mode_of("application/cloudevents-batch+avro", 0), GW_DECLINED,
           "a batch of such");
    is_u64(mode_of("application/cloudevents", 1), GW_DECLINED,
           "no format at all");
    is_u64(mode_of("application/cloudevents+jsonx", 0), GW_DECLINED,
           "a format that begins as JSON does");
    is_u64(mode_of("application/cloudevents-batch+json5", 0), GW_DECLINED,
           "a batch of such a format");
    is_u64(mode_of("application/json", 1), GW_CE_BINARY,
           "HTTP 3: binary, any other type");
    is_u64(mode_of("", 1), GW_CE_BINARY, "binary, an empty type");
    is_u64(mode_of("application/json", 0), GW_CE_NONE, "no event");
    is_u64(mode_of("application/cloudevent", 0), GW_CE_NONE,
           "a type cut short is another type");
    is_u64(mode_of("text/x; a=application/cloudevents+json", 0), GW_CE_NONE,
           "the type is not looked for in parameters");
    ok(gw_ce_mode(NULL, 1, &mode) == GW_OK && mode == GW_CE_BINARY,
       "binary without Content-Type");
    ok(gw_ce_mode(NULL, 0, &mode) == GW_OK && mode == GW_CE_NONE,
       "nothing says that it is an event");
}


static void
test_values(void)
{
    size_t             i;
    const ce_value_t  *v;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        v = &values[i];

        four();
        ok(header("subject", v->value) == v->rc, "HTTP 3.1.3.2: %s", v->name);

        if (v->rc == GW_OK) {
            is_str(ce.subject.data, ce.subject.len, v->want, "  its value");

        } else {
            is_str(detail, strlen(detail), v->want, "  with its reason");
        }
    }
}


static void
test_http(void)
{
    four();
    ok(header("Subject", "s") == GW_OK && header("MyExt", "%41") == GW_OK
       && header("time", "2024-05-06T07:08:09Z") == GW_OK
       && header("partitionkey", "\"p q\"") == GW_OK
       && finish(" application/json; charset=utf-8 ") == GW_OK,
       "HTTP 3.1.3.1: header names have no case");
    is_str(headers(), strlen(line),
           "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
           "ce_subject=s|ce_time=2024-05-06T07:08:09Z|ce_myext=A|"
           "ce_partitionkey=p q|"
           "content-type=application/json; charset=utf-8|",
           "HTTP 3.1.1: Content-Type is datacontenttype");
    ok(ce.env.data.len == 0 && ce.env.data.data == NULL
       && ce.env.document.len == 0 && ce.env.doc == NULL,
       "data and document are the caller's to fill in");
    ok(ce.env.has_ts && ce.env.ts == 1714979289000LL, "time is ts");
    is_str(ce.env.device.data, ce.env.device.len, "dev-1", "source is device");
    is_u64(ce.key.len, 12, "source + id is the key");

    four();
    ok(finish(NULL) == GW_OK && ce.datacontenttype.len == 0,
       "without Content-Type nothing is implied");
    four();
    ok(finish("") == GW_OK && ce.datacontenttype.len == 0,
       "an empty Content-Type is none");
    four();
    ok(finish("json") == GW_ERROR && !strcmp(detail, E_MEDIA),
       "Content-Type is a media type");

    four();
    ok(header("datacontenttype", "a/b") == GW_ERROR,
       "HTTP 3.1.1: ce-datacontenttype MUST NOT be there");
    ok(strstr(detail, "ce-datacontenttype") != NULL, "  with its reason");
    ok(header("DataContentType", "a/b") == GW_ERROR, "  in no case");

    ok(header("data", "x") == GW_ERROR && !strcmp(detail, GW_CE_E_NAME),
       "core, naming: data is reserved");
    ok(header("", "x") == GW_ERROR, "core, naming: a header \"ce-\"");
    ok(header("a-b", "x") == GW_ERROR, "core, naming: a dash");
    ok(header("a_b", "x") == GW_ERROR, "core, naming: an underscore");
    ok(header("a12345678901234567890", "x") == GW_ERROR,
       "core, naming: 21 characters");
    ok(header("A1234567890123456789", "x") == GW_OK,
       "core, naming: 20 characters");

    ok(header("id", "B") == GW_ERROR && !strcmp(detail, E_TWICE),
       "core: an attribute appears at most once");
    ok(header("X", "1") == GW_OK && header("x", "2") == GW_ERROR
       && !strcmp(detail, E_TWICE), "so does an extension, whatever its case");

    start();
    ok(finish("a/b") == GW_ERROR && !strcmp(detail, E_MISSING("specversion")),
       "core: specversion is REQUIRED in headers too");

    start();
    (void) header("specversion", "0.3");
    (void) header("id", "1");
    (void) header("source", "s");
    (void) header("type", "t");
    ok(finish("a/b") == GW_ERROR && !strcmp(detail, E_VERSION),
       "core: specversion 0.3 is another specification");

    four();
    (void) header("time", "yesterday");
    ok(finish("a/b") == GW_ERROR && !strcmp(detail, E_TIME),
       "core: time is RFC 3339 in headers too");
}


static void
test_bounds(void)
{
    int     rc;
    size_t  i;
    char    name[32], quoted[4096];

    four();

    for (i = 0, rc = GW_OK; i < 16; i++) {
        sprintf(name, "x%zu", i);
        rc |= header(name, "v");
    }

    ok(rc == GW_OK, "16 extensions in headers");
    ok(header("x16", "v") == GW_ERROR && !strcmp(detail, E_MORE),
       "17 extensions in headers");

    /* header values */

    four();
    ok(header("a", repeat("%41", 2048)) == GW_OK
       && ce.ext[0].value.len == 2048, "2048 bytes, all percent-encoded");
    ok(header("b", repeat("%41", 2049)) == GW_ERROR
       && !strcmp(detail, GW_CE_E_LONG), "2049 bytes, all percent-encoded");
    ok(header("c", repeat("c", 2048)) == GW_OK, "2048 bytes as they are");
    ok(header("d", repeat("d", 2049)) == GW_ERROR
       && !strcmp(detail, GW_CE_E_LONG), "2049 bytes as they are");
    snprintf(quoted, sizeof(quoted), "\"%s\"", repeat("q", 2048));
    ok(header("e", quoted) == GW_OK && ce.ext[2].value.len == 2048,
       "2048 bytes in quotes");
    ok(header("f", quoted) == GW_OK, "once more");
    ok(header("g", quoted) == GW_OK && ce.text_len == GW_CE_TEXT_MAX,
       "and the text is full");
    ok(header("h", "\"q\"") == GW_ERROR && !strcmp(detail, GW_CE_E_ROOM),
       "a quoted byte has no room");
    ok(header("i", "%41") == GW_ERROR && !strcmp(detail, GW_CE_E_ROOM),
       "nor has an encoded one");
    ok(header("J", "1") == GW_ERROR && !strcmp(detail, GW_CE_E_ROOM),
       "nor has a name in upper case");
    ok(header("k", "1") == GW_OK, "what needs no decoding needs no room");
}


int
main(void)
{
    test_modes();
    test_values();
    test_http();
    test_bounds();

    start();

    return done_testing();
}
