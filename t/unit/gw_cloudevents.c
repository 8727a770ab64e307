/*
 * gw_cloudevents.c - a CloudEvent comes in as JSON, becomes an envelope, and
 * its attributes leave as Kafka's headers.
 *
 * The cases are the clauses of CloudEvents 1.0.2, its JSON format and its
 * Kafka binding.  Without this test two events of one number would be taken
 * for one, data could be lost beside its base64, and an event without data
 * would delete what a compacted topic holds.
 */

#include <stdarg.h>

#include "gw_event.h"


#define TAPE  512

/* the four attributes an event must have */

#define FOUR  "\"specversion\":\"1.0\",\"id\":\"A-1\","                        \
              "\"source\":\"/d/dev-1\",\"type\":\"t.x\""

#define E_STRING   "attribute of the specification must be a string"
#define E_TYPE     "extension must be a string, a boolean or an integer"
#define E_INTEGER  "number of an extension must be an integer from "           \
                   "-2147483648 to 2147483647"
#define E_BOTH     "\"data\" and \"data_base64\" are both there"
#define E_BASE64   "\"data_base64\" must be a string of base64"
#define E_DATA     "event has no data"
#define E_NOT_JSON "\"data\" must be a string where \"datacontenttype\" is "   \
                   "not JSON"


typedef struct {
    const char  *members;      /* of the event */
    const char  *want;         /* what Kafka gets, or the detail */
    const char  *name;
} ce_case_t;


static gw_json_t   json;
static char        input[65536];
static uint8_t    *doc;


static int
decode_text(const char *text)
{
    static void              *arena;
    static gw_json_limits_t   limits = { 65536, TAPE, 16, TAPE, 65536, 512 };

    if (arena == NULL) {
        arena = malloc(gw_json_arena_size(&limits));

        if (arena == NULL || gw_json_init(&json, &limits, arena, 7) != GW_OK) {
            abort();
        }
    }

    doc = guarded(text, strlen(text));

    if (gw_json_parse(&json, doc, strlen(text)) != GW_OK) {
        printf("# %s: %s\n", gw_json_strerror(json.error), text);
        abort();
    }

    memset(&ce, 0xa5, sizeof(ce));
    detail = "";

    return gw_ce_decode(&json, doc, 0, &ce, &detail);
}


/* an event of these members */

static int decode(const char *members, ...)
    __attribute__((format(printf, 1, 2)));

static int
decode(const char *members, ...)
{
    va_list  args;

    input[0] = '{';

    va_start(args, members);
    vsnprintf(input + 1, sizeof(input) - 2, members, args);
    va_end(args);

    strcat(input, "}");

    return decode_text(input);
}


static const ce_case_t  good[] = {
    { FOUR ",\"data\":1",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "content-type=application/json|",
      "core, REQUIRED: four attributes and data make an event; JSON 3.1.2: "
      "the type it leaves implied is put in" },

    { "\"x\":\"y\",\"datacontenttype\":\"a/b\",\"dataschema\":\"urn:s\","
      "\"time\":\"2024-05-06T07:08:09Z\",\"subject\":\"sub\",\"data\":\"z\","
      "\"type\":\"t.x\",\"source\":\"/d/dev-1\",\"id\":\"A-1\","
      "\"specversion\":\"1.0\"",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "ce_subject=sub|ce_time=2024-05-06T07:08:09Z|ce_dataschema=urn:s|"
      "ce_x=y|content-type=a/b|",
      "Kafka 3.2.3: names and order, whatever the event's order" },

    { FOUR ",\"subject\":null,\"ext\":null,\"time\":null,\"data\":1",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "content-type=application/json|",
      "JSON 2.2: what is null is unset" },

    { FOUR ",\"b\":true,\"c\":false,\"d\":-2147483648,\"e\":2147483647,"
      "\"f\":-0,\"g\":\"\",\"data\":1",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "ce_b=true|ce_c=false|ce_d=-2147483648|ce_e=2147483647|ce_f=0|ce_g=|"
      "content-type=application/json|",
      "core, type system: booleans and integers in their canonical strings" },

    { "\"s\\u0070ecversion\":\"1\\u002e0\",\"\\u0069d\":\"\\u00e9\\/\","
      "\"source\":\"/d\\/x\",\"type\":\"\\ud83d\\ude00\","
      "\"e\\u0078t\":\"a\\\"b\",\"d\\u0061ta\":1",
      "ce_specversion=1.0|ce_id=\xc3\xa9/|ce_source=/d/x|"
      "ce_type=\xf0\x9f\x98\x80|ce_ext=a\"b|content-type=application/json|",
      "escapes in names and values are resolved" },

    { FOUR ",\"a1234567890123456789\":\"v\",\"data\":1",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "ce_a1234567890123456789=v|content-type=application/json|",
      "core, naming: a name of 20 characters" },

    { FOUR ",\"datacontenttype\":\"text/plain ;charset=latin1\","
      "\"data\":\"z\"",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "content-type=text/plain ;charset=latin1|",
      "parameters of a media type go along" },

    { FOUR ",\"data_base64\":\"AA==\"",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|",
      "JSON 3.1.1: nothing is implied of binary data" },

    { FOUR ",\"sub\":\"1\",\"ids\":\"2\",\"data\":1",
      "ce_specversion=1.0|ce_id=A-1|ce_source=/d/dev-1|ce_type=t.x|"
      "ce_sub=1|ce_ids=2|content-type=application/json|",
      "a name that begins as a core attribute is an extension" },
};


static const ce_case_t  bad[] = {
    { "\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":1",
      E_MISSING("specversion"), "core: specversion is REQUIRED" },
    { "\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\",\"data\":1",
      E_MISSING("id"), "core: id is REQUIRED" },
    { "\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\",\"data\":1",
      E_MISSING("source"), "core: source is REQUIRED" },
    { "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"data\":1",
      E_MISSING("type"), "core: type is REQUIRED" },
    { "\"specversion\":\"1.0\",\"id\":null,\"source\":\"s\",\"type\":\"t\","
      "\"data\":1", E_MISSING("id"), "JSON 2.2: a null id is no id" },
    { "\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\","
      "\"data\":1", E_EMPTY("id"), "core: id MUST be non-empty" },
    { "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"\",\"type\":\"t\","
      "\"data\":1", E_EMPTY("source"), "core: source MUST be non-empty" },
    { "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"\","
      "\"data\":1", E_EMPTY("type"), "core: type MUST be non-empty" },
    { FOUR ",\"subject\":\"\",\"data\":1", E_EMPTY("subject"),
      "core: subject MUST be non-empty where present" },
    { FOUR ",\"dataschema\":\"\",\"data\":1", E_EMPTY("dataschema"),
      "core: so MUST dataschema" },
    { FOUR ",\"time\":\"\",\"data\":1", E_EMPTY("time"), "time is not empty" },
    { "\"specversion\":\"1.1\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\","
      "\"data\":1", E_VERSION,
      "core: specversion 1.1 is another specification" },
    { "\"specversion\":\"1.0.2\",\"id\":\"1\",\"source\":\"s\","
      "\"type\":\"t\",\"data\":1",
      E_VERSION,
      "core: a patch version is not part of specversion" },
    { "\"specversion\":1.0,\"id\":\"1\",\"source\":\"s\",\"type\":\"t\","
      "\"data\":1", E_STRING, "specversion is a string" },
    { "\"specversion\":\"1.0\",\"id\":1,\"source\":\"s\",\"type\":\"t\","
      "\"data\":1", E_STRING, "id is a string" },
    { FOUR ",\"subject\":true,\"data\":1", E_STRING, "subject is a string" },
    { FOUR ",\"time\":1714979289,\"data\":1", E_STRING, "time is a string" },
    { FOUR ",\"time\":\"2024-05-06\",\"data\":1", E_TIME,
      "core: time MUST adhere to RFC 3339" },
    { FOUR ",\"time\":\"2024-02-30T00:00:00Z\",\"data\":1", E_TIME,
      "a 30th of February is no date" },
    { FOUR ",\"time\":\"1969-12-31T23:59:59Z\",\"data\":1", E_TIME,
      "a time before 1970 has no place in an envelope" },
    { FOUR ",\"\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: an empty name" },
    { FOUR ",\"Abc\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: an upper-case letter" },
    { FOUR ",\"ID\":null,\"data\":1", GW_CE_E_NAME,
      "core, naming: an unset attribute's name counts too" },
    { FOUR ",\"a_b\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: an underscore" },
    { FOUR ",\"a-b\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: a dash" },
    { FOUR ",\"\xc3\xa9\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: a letter beyond ASCII" },
    { FOUR ",\"a12345678901234567890\":\"x\",\"data\":1", GW_CE_E_NAME,
      "core, naming: 21 characters" },
    { FOUR ",\"\\u0061bcdefghij12345678901\":\"x\",\"data\":1",
      GW_CE_E_NAME, "core, naming: 21 characters, one escaped" },
    { FOUR ",\"x\":{},\"data\":1", E_TYPE, "an extension is no object" },
    { FOUR ",\"x\":[\"y\"],\"data\":1", E_TYPE, "an extension is no array" },
    { FOUR ",\"x\":1.5,\"data\":1", E_INTEGER, "an extension is no fraction" },
    { FOUR ",\"x\":1e3,\"data\":1", E_INTEGER, "an extension is no exponent" },
    { FOUR ",\"x\":2147483648,\"data\":1", E_INTEGER,
      "core, type Integer: 2^31" },
    { FOUR ",\"x\":-2147483649,\"data\":1", E_INTEGER,
      "core, type Integer: -2^31 - 1" },
    { FOUR ",\"x\":18446744073709551617,\"data\":1", E_INTEGER,
      "core, type Integer: 2^64 + 1 does not come round" },
    { FOUR ",\"subject\":\"a\\u0000b\",\"data\":1", E_TEXT,
      "core, type String: NUL" },
    { FOUR ",\"x\":\"a\\r\\nce_id: 1\",\"data\":1", E_TEXT,
      "core, type String: a line end" },
    { FOUR ",\"x\":\"\x7f\",\"data\":1", E_TEXT, "core, type String: U+007F" },
    { FOUR ",\"x\":\"\\u0080\",\"data\":1", E_TEXT,
      "core, type String: U+0080" },
    { FOUR ",\"x\":\"\\u009f\",\"data\":1", E_TEXT,
      "core, type String: U+009F" },
    { FOUR ",\"x\":\"\\ufffe\",\"data\":1", E_TEXT,
      "core, type String: noncharacter U+FFFE" },
    { FOUR ",\"x\":\"\\ufdd0\",\"data\":1", E_TEXT,
      "core, type String: noncharacter U+FDD0" },
    { FOUR ",\"x\":\"\\udbff\\udfff\",\"data\":1", E_TEXT,
      "core, type String: noncharacter U+10FFFF" },
    { FOUR, E_DATA, "no data: the record would be a tombstone" },
    { FOUR ",\"data\":1,\"data_base64\":\"AA==\"", E_BOTH,
      "JSON 3.1.1: data and data_base64 exclude each other" },
    { FOUR ",\"data_base64\":\"AA==\",\"data\":null", E_BOTH,
      "JSON 3.1.1: so they do where data is null" },
    { FOUR ",\"data_base64\":null", E_BASE64, "data_base64 is a string" },
    { FOUR ",\"data_base64\":12345678", E_BASE64, "data_base64: a number" },
    { FOUR ",\"data_base64\":\"AAA\"", E_BASE64, "base64 has its padding" },
    { FOUR ",\"data_base64\":\"AB==\"", E_BASE64,
      "base64: no bits behind the last byte" },
    { FOUR ",\"data_base64\":\"A_-A\"", E_BASE64,
      "base64: not of the alphabet of URLs" },
    { FOUR ",\"data_base64\":\"AA AA==\"", E_BASE64, "base64: no white space" },
    { FOUR ",\"data_base64\":\"AA\\nA\"", E_BASE64,
      "base64: no escaped line end" },
    { FOUR ",\"data_base64\":\"AAA\\u0141\"", E_BASE64,
      "base64: U+0141 is not its low byte" },
    { FOUR ",\"datacontenttype\":\"text/plain\",\"data\":{}", E_NOT_JSON,
      "JSON 3.1.2: data of another type is a string" },
    { FOUR ",\"datacontenttype\":\"text/plain\",\"data\":null", E_NOT_JSON,
      "JSON 3.1.2: null is no string" },
    { FOUR ",\"datacontenttype\":\"application/jsonx\",\"data\":1",
      E_NOT_JSON, "application/jsonx is not JSON" },
    { FOUR ",\"datacontenttype\":\"application/xjson\",\"data\":1",
      E_NOT_JSON, "application/xjson is not JSON" },
    { FOUR ",\"datacontenttype\":\"json\",\"data\":1", E_MEDIA,
      "core: datacontenttype is a media type: no slash" },
    { FOUR ",\"datacontenttype\":\"/json\",\"data\":1", E_MEDIA,
      "no type before the slash" },
    { FOUR ",\"datacontenttype\":\"a/\",\"data\":1", E_MEDIA,
      "no subtype behind the slash" },
    { FOUR ",\"datacontenttype\":\"a/json x\",\"data\":1", E_MEDIA,
      "something else behind the subtype" },
    { FOUR ",\"epoch\":\"a b\",\"data\":1",
      "extension \"epoch\" must be of 1 to 32 bytes of [A-Za-z0-9._:@-]",
      "an epoch that is no name" },
    { FOUR ",\"class\":\"\",\"data\":1",
      "extension \"class\" must be of 1 to 32 bytes of [A-Za-z0-9._:@-]",
      "an empty class" },
};


static void
test_json(void)
{
    size_t  i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ok(decode("%s", good[i].members) == GW_OK, "%s", good[i].name);
        is_str(headers(), strlen(line), good[i].want, "  in Kafka");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(decode("%s", bad[i].members) == GW_ERROR, "refused: %s",
           bad[i].name);
        is_str(detail, strlen(detail), bad[i].want, "  with its reason");
    }

    ok(decode_text("[]") == GW_ERROR, "refused: an array");
    is_str(detail, strlen(detail), "event is not an object",
           "  with its reason");
    ok(decode_text("\"1.0\"") == GW_ERROR, "refused: a string");
}


static void
test_envelope(void)
{
    ok(decode(" \"data\" : {\"a\":\n[1]} , " FOUR) == GW_OK,
       "an event with a line end in its data");
    is_str(ce.env.data.data, ce.env.data.len, "{\"a\":\n[1]}",
           "data is what came");
    ok(ce.env.strip_nl, "the line end is known");
    is_str(ce.env.document.data, ce.env.document.len, input,
           "document is the whole event");
    ok(ce.env.doc == doc, "doc is where offsets count from");
    ok(json.tape[ce.env.data_node].type == GW_JSON_OBJECT
       && json.tape[ce.env.data_node].count == 1, "data_node is data's");
    ok(!ce.env.has_ts && !ce.base64 && ce.env.epoch.len == 0
       && ce.env.class_name.len == 0, "nothing else is set");
    is_str(ce.env.device.data, ce.env.device.len, "dev-1",
           "the device is the last segment of source");

    ok(decode("\"data\":\"s\\n\"," FOUR) == GW_OK, "an event with a string");
    is_str(ce.env.data.data, ce.env.data.len, "\"s\\n\"",
           "data has its quotes and escapes");
    ok(!ce.env.strip_nl, "no line end is known");

    ok(decode(FOUR ",\"data\":null") == GW_OK,
       "JSON 3.1.1: null is a payload, distinct from none");
    is_str(ce.env.data.data, ce.env.data.len, "null", "data is null");

    ok(decode(FOUR ",\"datacontenttype\":\"TEXT/Json; x=y\",\"data\":[1]")
       == GW_OK, "*/json is JSON, in any case");
    ok(decode(FOUR ",\"datacontenttype\":\"a/b+JSON\",\"data\":[1]")
       == GW_OK, "*/*+json is JSON");
    ok(decode(FOUR ",\"datacontenttype\":\"a/xml\",\"data\":\"<a/>\"")
       == GW_OK, "data of another type in a string");

    ok(decode(FOUR ",\"data_base64\":\"AA\\u002b\\/\"") == GW_OK,
       "base64, two of its characters escaped");
    is_str(ce.env.data.data, ce.env.data.len, "\"AA\\u002b\\/\"",
           "its string is the data, unchanged");
    ok(ce.base64, "and is known as base64");
    ok(json.tape[ce.env.data_node].type == GW_JSON_STRING,
       "data_node is the string's");
    ok(decode(FOUR ",\"data_base64\":\"\"") == GW_OK && ce.env.data.len == 2,
       "no bytes in base64 are data of no bytes");

    ok(decode(FOUR ",\"time\":\"2024-05-06T09:08:09.5+02:00\",\"epoch\":\"e\","
              "\"class\":\"control\",\"deviceid\":\"other\",\"data\":1")
       == GW_OK, "time, epoch, class and deviceid");
    ok(ce.env.has_ts && ce.env.ts == 1714979289500LL, "time is ts");
    is_str(ce.env.epoch.data, ce.env.epoch.len, "e", "epoch");
    is_str(ce.env.class_name.data, ce.env.class_name.len, "control", "class");
    is_str(ce.env.device.data, ce.env.device.len, "other",
           "deviceid goes before source");
    is_u64(ce.next, 3, "they are extensions all the same");

    ok(decode(FOUR ",\"deviceid\":\"a b\",\"data\":1") == GW_OK
       && ce.env.device.len == 0, "a deviceid that is no name leaves none, "
       "source or not");
}


static void
test_batch(void)
{
    int               rc;
    uint32_t          node;
    gw_json_items_t   it;
    const char       *text = " [ {" FOUR ",\"data\":[1]} ,\n {\"data\":2,"
                             FOUR "} ] ";

    (void) decode(FOUR);
    doc = guarded(text, strlen(text));

    gw_json_items_init(&it, doc, strlen(text));
    rc = gw_json_items_next(&it, &json);
    ok(rc == GW_OK && gw_ce_decode(&json, it.base, 0, &ce, &detail) == GW_OK,
       "the first of a batch");
    rc = gw_json_items_next(&it, &json);
    ok(rc == GW_OK && gw_ce_decode(&json, it.base, 0, &ce, &detail) == GW_OK,
       "the second");
    is_str(ce.env.document.data, ce.env.document.len, "{\"data\":2," FOUR "}",
           "its document is itself alone");
    is_str(ce.env.data.data, ce.env.data.len, "2", "and its data its own");
    ok(ce.env.doc == it.base && ce.env.data_node == 2, "its tape too");

    /* as a value inside of one tape */

    if (gw_json_parse(&json, doc, strlen(text)) != GW_OK) {
        abort();
    }

    node = json.tape[1].next;
    ok(gw_ce_decode(&json, doc, node, &ce, &detail) == GW_OK
       && ce.env.data_node == node + 2, "an event that is not the root");
    is_str(ce.env.document.data, ce.env.document.len, "{\"data\":2," FOUR "}",
           "has its own document");
}


static void
seq_of(const char *id, int want, uint64_t seq, const char *name)
{
    ok(decode("\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\","
              "\"type\":\"t\",\"data\":1", id) == GW_OK
       && ce.env.has_seq == want && (!want || ce.env.seq == seq)
       && (ce.key.len == 0) == want, "%s", name);
}


static void
test_seq(void)
{
    gw_str_t  key;

    seq_of("0", 1, 0, "id 0 is seq 0");
    seq_of("42", 1, 42, "id 42 is seq 42, and there is no key");
    seq_of("9007199254740991", 1, 9007199254740991ULL, "2^53 - 1 is a seq");
    seq_of("9007199254740992", 0, 0, "2^53 is none: there is a key");
    seq_of("042", 0, 0, "a leading zero makes it none");
    seq_of("-1", 0, 0, "a sign makes it none");
    seq_of("1.0", 0, 0, "a fraction makes it none");
    seq_of("4\\u0032", 1, 42, "an escape changes nothing");

    ok(decode(FOUR ",\"sequence\":\"7\",\"data\":1") == GW_OK
       && ce.env.has_seq && ce.env.seq == 7 && ce.key.len != 0,
       "sequence is seq, and does not tell it apart");
    ok(decode(FOUR ",\"sequence\":7,\"data\":1") == GW_OK
       && ce.env.has_seq && ce.env.seq == 7, "an integer is its own string");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"5\",\"source\":\"/s\","
              "\"type\":\"t\",\"sequence\":\"9\",\"data\":1") == GW_OK
       && ce.env.seq == 9, "sequence goes before id");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"5\",\"source\":\"/s\","
              "\"type\":\"t\",\"sequence\":\"0009\",\"data\":1") == GW_OK
       && !ce.env.has_seq, "a padded sequence is no seq, nor is id then");
    is_u64(ce.key.len, 4, "the key is source, NUL, id");
    ok(ce.key.len == 4 && memcmp(ce.key.data, "/s\0" "5", 4) == 0,
       "  byte by byte");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"5\",\"source\":\"/s\","
              "\"type\":\"t\",\"sequence\":null,\"data\":1") == GW_OK
       && ce.env.has_seq && ce.env.seq == 5, "a null sequence is none");

    (void) decode("\"specversion\":\"1.0\",\"id\":\"bc\",\"source\":\"a\","
                  "\"type\":\"t\",\"data\":1");
    key = ce.key;
    ok(key.len == 4 && memcmp(key.data, "a\0" "bc", 4) == 0,
       "a + bc has a key");
    (void) decode("\"specversion\":\"1.0\",\"id\":\"c\",\"source\":\"ab\","
                  "\"type\":\"t\",\"data\":1");
    ok(ce.key.len == 4 && memcmp(ce.key.data, "ab\0" "c", 4) == 0,
       "ab + c has another");
    ok(ce.key.data >= ce.text
       && ce.key.data + ce.key.len == ce.text + ce.text_len,
       "a key is in the event's own text");
}


static void
test_bounds(void)
{
    size_t  i;
    char    head[32768];

    ok(decode(FOUR ",\"data\":1,\"x\":\"%s\"", repeat("v", 2048)) == GW_OK,
       "a value of 2048 bytes");
    ok(decode(FOUR ",\"data\":1,\"x\":\"%s\"", repeat("v", 2049)) == GW_ERROR
       && !strcmp(detail, GW_CE_E_LONG), "a value of 2049");
    ok(decode(FOUR ",\"data\":1,\"x\":\"%s\"", repeat("\\u0041", 2048))
       == GW_OK && ce.ext[0].value.len == 2048, "2048 bytes, all escaped");
    ok(decode(FOUR ",\"data\":1,\"x\":\"%s\"", repeat("\\u0041", 2049))
       == GW_ERROR && !strcmp(detail, GW_CE_E_LONG), "2049 bytes, all escaped");
    ok(decode(FOUR ",\"data\":\"%s\"", repeat("v", 30000)) == GW_OK,
       "data is not bounded here");
    ok(decode(FOUR ",\"data\":1,\"type1\":\"%s\"", repeat("\xc3\xa9", 1024))
       == GW_OK, "1024 characters of two bytes");

    /* what needs decoding: four values that fill the text to the last byte */

    snprintf(head, sizeof(head), "\"\\u0061%s\"", repeat("v", 2047));
    ok(decode("\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\","
              "\"type\":\"t\",\"data\":1,\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s",
              head, head, head, head) == GW_OK
       && ce.text_len == GW_CE_TEXT_MAX, "decoded values fill the text");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\","
              "\"type\":\"t\",\"data\":1,\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s,"
              "\"e\":\"\\u0061\"", head, head, head, head) == GW_ERROR
       && !strcmp(detail, GW_CE_E_ROOM), "one byte more has no room");
    ok(decode(FOUR ",\"data\":1,\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s",
              head, head, head, head) == GW_ERROR
       && !strcmp(detail, GW_CE_E_ROOM), "nor has a key");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\","
              "\"type\":\"t\",\"data\":1,\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s,"
              "\"\\u0065\":\"\"", head, head, head, head) == GW_ERROR
       && !strcmp(detail, GW_CE_E_ROOM), "nor has an escaped name");

    snprintf(head, sizeof(head), "%s", repeat("s", 2047));
    ok(decode("\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\","
              "\"type\":\"t\",\"data\":1", repeat("i", 2048), head) == GW_OK
       && ce.key.len == 2 * GW_CE_VALUE_MAX, "a key of 4096 bytes");
    ok(decode("\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"s%s\","
              "\"type\":\"t\",\"data\":1", repeat("i", 2048), head)
       == GW_ERROR, "a key of 4097 is refused");

    /* extensions */

    for (i = 0, head[0] = '\0'; i < 17; i++) {
        sprintf(head + strlen(head), ",\"x%zu\":\"%zu\"", i, i);

        if (i == 15) {
            ok(decode(FOUR ",\"data\":1%s", head) == GW_OK && ce.next == 16,
               "16 extensions");
        }
    }

    ok(decode(FOUR ",\"data\":1%s", head) == GW_ERROR
       && !strcmp(detail, E_MORE), "17 extensions");
}


static void
test_base64(void)
{
    /* base64 by steps of 1024 characters */

    ok(decode(FOUR ",\"data_base64\":\"%s\"", repeat("AAAA", 256)) == GW_OK,
       "base64 of 1024 characters");
    ok(decode(FOUR ",\"data_base64\":\"%sAA==\"", repeat("AAAA", 700))
       == GW_OK, "of 2804, padded");
    ok(decode(FOUR ",\"data_base64\":\"%sAA==AAAA\"", repeat("AAAA", 255))
       == GW_ERROR, "padding at the end of a step is not the end");
    ok(decode(FOUR ",\"data_base64\":\"%sAAA=AAAA\"", repeat("AAAA", 255))
       == GW_ERROR, "nor is one character of it");
    ok(decode(FOUR ",\"data_base64\":\"%sAAA\"", repeat("AAAA", 256))
       == GW_ERROR, "the last step is whole");
    ok(decode(FOUR ",\"data_base64\":\"%s\\/AA=\"", repeat("AAAA", 256))
       == GW_OK, "escapes behind the first step");
    ok(decode(FOUR ",\"data_base64\":\"%sAA==A\\/AA\"", repeat("AAAA", 255))
       == GW_ERROR, "padding before them");
}


int
main(void)
{
    test_json();
    test_envelope();
    test_batch();
    test_seq();
    test_bounds();
    test_base64();

    return done_testing();
}
