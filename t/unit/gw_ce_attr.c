/*
 * gw_ce_attr.c - the device that a source names, and the media types that are
 * JSON.
 *
 * Without this test a host or a directory would be taken for a device, events
 * of one device would be filed under two, and text would be parsed as JSON, or
 * JSON be put in quotes.
 */

#include "gw_test.h"
#include "gw_ce_attr.h"


typedef struct {
    const char  *source;
    const char  *device;       /* "": it names none */
    const char  *name;
} ce_source_t;


typedef struct {
    const char  *type;
    int          json;
} ce_type_t;


static const ce_source_t  sources[] = {
    { "/sensors/tn-1234567/alerts", "alerts", "the last segment" },
    { "/devices/d1/", "d1", "a slash at the end" },
    { "/devices/d1///", "d1", "the last that is not empty" },
    { "https://host.example/a/d1?q=/x#/y", "d1",
      "query and fragment are not of the path" },
    { "https://host.example/a#/y?q", "a", "a fragment without a query" },
    { "//host/d1", "d1", "an authority without a scheme" },
    { "https://host.example", "", "a host is no device" },
    { "https://host.example/", "", "nor with a slash" },
    { "//host", "", "nor without a scheme" },
    { "///d1", "d1", "an empty authority" },
    { "a:b/d1", "d1", "a path without an authority" },
    { "/a//b", "b", "two slashes inside of a path begin no authority" },
    { "urn:uuid:6e8bc430", "urn:uuid:6e8bc430", "no slash: the whole" },
    { "1-555-123-4567", "1-555-123-4567", "a name: the whole" },
    { "00:1A:22:33:44:55", "00:1A:22:33:44:55",
      "an address of hardware: the whole" },
    { "mailto:a@b.c", "mailto:a@b.c", "a mail address" },
    { "d1?a/b", "", "a slash in the query is no path's" },
    { "/a/b c", "", "a space: no URI reference" },
    { "/b c/d1", "", "a space before the last segment" },
    { "/\xc3\xa9/d1", "", "bytes beyond ASCII" },
    { "/a/d%31", "", "a percent sign is no name's" },
    { "/a/..", "", "a segment that leads up" },
    { "/a/.", "", "a segment that leads nowhere" },
    { "..", "", "such a segment alone" },
    { "/a/...", "...", "three dots are a name" },
    { "/", "", "no segment" },
    { "?", "", "no path" },
    { "", "", "nothing" },
};


static const ce_type_t  types[] = {
    { "application/json", 1 },
    { "APPLICATION/JSON", 1 },
    { "a/json;b=c", 1 },
    { "a/json ; b=c", 1 },
    { "\t application/json", 1 },
    { "a/b+json", 1 },
    { "a/+json", 1 },
    { "", 0 },
    { "json", 0 },
    { "/json", 0 },
    { "a/", 0 },
    { "a/jso", 0 },
    { "a/jsonx", 0 },
    { "a/xjson", 0 },
    { "a/b-json", 0 },
    { "a/b; c=a/json", 0 },
    { "a/b; c=+json", 0 },
};


static gw_str_t
text(const char *p)
{
    gw_str_t  s;

    s.len = strlen(p);
    s.data = guarded(p, s.len);

    return s;
}


static void
test_device(void)
{
    char         name[256];
    size_t       i;
    gw_str_t     source, device;
    const char  *got;

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        source = text(sources[i].source);
        device = gw_ce_device(&source);

        got = device.len ? (const char *) device.data : "";

        is_str(got, device.len, sources[i].device, "%s: \"%s\"",
               sources[i].name, sources[i].source);
    }

    memset(name, 'x', sizeof(name));
    memcpy(name, "/a/", 3);

    name[3 + 128] = '\0';
    source = text(name);
    device = gw_ce_device(&source);
    is_u64(device.len, 128, "128 bytes are a name");
    ok(device.data == source.data + 3, "which is a view into the source");

    name[3 + 128] = 'x';
    name[3 + 129] = '\0';
    source = text(name);
    device = gw_ce_device(&source);
    is_u64(device.len, 0, "129 bytes are none");
}


static void
test_types(void)
{
    size_t    i;
    gw_str_t  type;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        type = text(types[i].type);

        is_u64(gw_ce_is_json(&type), types[i].json, "\"%s\" is %sJSON",
               types[i].type, types[i].json ? "" : "not ");
    }
}


int
main(void)
{
    test_device();
    test_types();

    return done_testing();
}
