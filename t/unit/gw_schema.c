/*
 * gw_schema.c - what the suite of others does not ask: which schemas are
 * refused and with which words, what an error names, the bounds, and what a
 * device may write in another way: escapes, decimals, long numbers, patterns.
 *
 * Unseen breakage would be a keyword that is accepted and not checked, a
 * message refused for how it was written and not for what it says, an error
 * that points elsewhere, or a message that keeps a worker busy.
 */

#include "gw_schema.h"
#include "gw_schema_pattern.h"
#include "gw_test.h"


#define BIG  (1 << 20)


typedef struct {
    const char  *schema;
    const char  *said;         /* in the error of compile() */
} refused_t;


typedef struct {
    const char  *schema;
    const char  *instance;
    int          valid;
} verdict_t;


typedef struct {
    const char  *schema;
    const char  *instance;
    const char  *pointer;
    const char  *keyword;
    const char  *place;
} failure_t;


static const gw_json_limits_t  limits = { BIG, 65535, 64, 32767, BIG, BIG };

static gw_json_t  json;


static const refused_t  refused[] = {
    { "{", "not JSON" },
    { "", "not JSON" },
    { "7", "\"\": a schema is" },
    { "{\"a\":1,\"a\":1}", "not JSON: duplicate" },
    { "{\"items\":{\"min\":1}}", "\"/items/min\": keyword is unknown" },
    { "{\"unevaluatedProperties\":false}", "\"/unevaluatedProperties\"" },
    { "{\"$dynamicRef\":\"#\"}", "\"/$dynamicRef\"" },
    { "{\"definitions\":{}}", "\"/definitions\"" },
    { "{\"x-note\":1}", "\"/x-note\"" },
    { "{\"type\":\"int\"}", "\"/type\": not a type" },
    { "{\"type\":[]}", "\"/type\": no type" },
    { "{\"type\":[\"null\",5]}", "\"/type/1\": not a string" },
    { "{\"enum\":5}", "\"/enum\": not an array" },
    { "{\"minimum\":\"1\"}", "\"/minimum\": not a number" },
    { "{\"multipleOf\":0}", "\"/multipleOf\": not above 0" },
    { "{\"multipleOf\":-2}", "\"/multipleOf\": not above 0" },
    { "{\"minLength\":-1}", "\"/minLength\": not an integer" },
    { "{\"minLength\":1.5}", "\"/minLength\": not an integer" },
    { "{\"maxItems\":null}", "\"/maxItems\": not a number" },
    { "{\"minContains\":\"1\"}", "\"/minContains\": not a number" },
    { "{\"uniqueItems\":1}", "\"/uniqueItems\": not a boolean" },
    { "{\"required\":[\"a\",\"a\"]}", "a name stands twice" },
    { "{\"properties\":{\"a\":true},\"required\":[\"a\",\"\\u0061\"]}",
      "\"/required/1\": a name stands twice" },
    { "{\"required\":[1]}", "\"/required/0\": not a string" },
    { "{\"properties\":[]}", "\"/properties\": not an object" },
    { "{\"properties\":{\"a/b\":5}}", "\"/properties/a~1b\": a schema is" },
    { "{\"allOf\":[]}", "\"/allOf\": no schema" },
    { "{\"anyOf\":{}}", "\"/anyOf\": not an array" },
    { "{\"dependentRequired\":{\"a\":\"b\"}}",
      "\"/dependentRequired/a\": not an array" },
    { "{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
      "\"/$schema\": not draft 2020-12" },
    { "{\"items\":{\"$id\":\"a\"}}", "\"/items/$id\": not supported" },
    { "{\"$ref\":\"other.json\"}", "\"/$ref\": leads out of" },
    { "{\"$ref\":\"#/$defs/a\"}", "\"/$ref\": leads to no schema" },
    { "{\"$ref\":\"#a\"}", "\"/$ref\": leads to no schema" },
    { "{\"$ref\":\"#/enum/0\",\"enum\":[true]}",
      "\"/$ref\": leads to no schema" },
    { "{\"$ref\":\"#/%zz\"}", "\"/$ref\": leads to no schema" },
    { "{\"$ref\":\"#/allOf/00\",\"allOf\":[true]}",
      "\"/$ref\": leads to no schema" },
    { "{\"$ref\":\"#\"}", "\"/$ref\": leads back to itself" },
    { "{\"anyOf\":[true,{\"not\":{\"$ref\":\"#\"}}]}",
      "\"/anyOf/1/not/$ref\": leads back to itself" },
    { "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},"
      "\"b\":{\"$ref\":\"#/$defs/a\"}}}", "leads back to itself" },
    { "{\"if\":true,\"else\":{\"dependentSchemas\":{\"a\":{\"$ref\":\"#\"}}}}",
      "leads back to itself" },
    { "{\"$anchor\":\"1a\"}", "\"/$anchor\": not the name" },
    { "{\"$anchor\":\"a\",\"items\":{\"$anchor\":\"a\"}}",
      "\"/items/$anchor\": an anchor stands twice" },
    { "{\"pattern\":\"(\"}", "\"/pattern\": not a pattern of ECMA-262" },
    { "{\"patternProperties\":{\"a++\":true}}",
      "\"/patternProperties/a++\": not a pattern" }
};


static const verdict_t  verdicts[] = {

    /* type: what is written, and what it is */
    { "{\"type\":\"integer\"}", "1.0", 1 },
    { "{\"type\":\"integer\"}", "1e2", 1 },
    { "{\"type\":\"integer\"}", "1.50e1", 1 },
    { "{\"type\":\"integer\"}", "1.55e1", 0 },
    { "{\"type\":\"integer\"}", "-0.0", 1 },
    { "{\"type\":\"integer\"}", "0e-400", 1 },
    { "{\"type\":\"integer\"}", "1e-1", 0 },
    { "{\"type\":\"integer\"}", "1e400", 1 },
    { "{\"type\":\"integer\"}", "12345678901234567890123", 1 },
    { "{\"type\":[\"integer\",\"string\"]}", "1.5", 0 },
    { "{\"type\":[\"integer\",\"number\"]}", "1.5", 1 },

    /* bounds: decimals, none of them a double's */
    { "{\"minimum\":9007199254740993}", "9007199254740992", 0 },
    { "{\"minimum\":9007199254740993}", "9007199254740993", 1 },
    { "{\"maximum\":0.1}", "0.1", 1 },
    { "{\"maximum\":0.1}", "0.10000000000000000001", 0 },
    { "{\"exclusiveMaximum\":0.3}", "0.29999999999999999999", 1 },
    { "{\"exclusiveMaximum\":1e400}", "1e400", 0 },
    { "{\"exclusiveMaximum\":1e400}", "9.9e399", 1 },
    { "{\"minimum\":-1e400}", "-1e401", 0 },
    { "{\"minimum\":0}", "-0", 1 },
    { "{\"exclusiveMinimum\":0}", "-0.0", 0 },
    { "{\"exclusiveMinimum\":0}", "1e-400", 1 },
    { "{\"minimum\":100}", "1e2", 1 },
    { "{\"maximum\":99.99}", "99.990", 1 },
    { "{\"maximum\":99.99}", "99.991", 0 },
    { "{\"minimum\":-1.5,\"maximum\":20}", "-1.5", 1 },
    { "{\"minimum\":-1.5,\"maximum\":20}", "-1.6", 0 },
    { "{\"minimum\":-1.5,\"maximum\":20}", "20.000000000000001", 0 },
    { "{\"minimum\":1,\"exclusiveMinimum\":2}", "2", 0 },
    { "{\"minimum\":999999999999999999,\"maximum\":0.001}", "5", 0 },
    { "{\"minimum\":0.000000000000000001,\"maximum\":999999999999999999}",
      "999999999999999999", 1 },
    { "{\"minimum\":0.000000000000000001,\"maximum\":999999999999999999}",
      "1000000000000000000", 0 },
    { "{\"items\":{\"minimum\":10,\"maximum\":20}}",
      "[10,10.0,15.5,20,20.000,2e1,1.0e1,0.2e2]", 1 },
    { "{\"items\":{\"minimum\":10,\"maximum\":20}}", "[0,0,0]", 0 },
    { "{\"items\":{\"minimum\":1234567.5}}", "[12345678.25,1234567.5]", 1 },
    { "{\"items\":{\"minimum\":1234567.5}}", "[12345678.25,1234567.49]", 0 },
    { "{\"items\":{\"maximum\":-12345678.5}}",
      "[-12345678.5,-123456789.125,-1234567890123.25]", 1 },
    { "{\"items\":{\"maximum\":-12345678.5}}", "[99999999,-12345678.4]", 0 },
    { "{\"items\":{\"exclusiveMaximum\":12345678.25}}",
      "[1234567.8,12345678.2,12345678.2499999]", 1 },
    { "{\"items\":{\"exclusiveMaximum\":12345678.25}}",
      "[1234567.8,12345678.25]", 0 },

    { "{\"exclusiveMinimum\":2,\"minimum\":1}", "1.5", 0 },
    { "{\"items\":{\"exclusiveMinimum\":5}}",
      "[99999999,99999999,5.0]", 0 },
    { "{\"items\":{\"exclusiveMinimum\":5}}", "[99999999,99999999,5.1]",
      1 },
    { "{\"items\":{\"maximum\":2,\"minimum\":1}}",
      "[1.23456789,1.2345678,1.2345678901,1.23456789012345]", 1 },
    { "{\"items\":{\"maximum\":2}}", "[1.23456789,1.2345678,2.123456789]",
      0 },

    /* multipleOf: on the digits */
    { "{\"multipleOf\":0.01}", "19.99", 1 },
    { "{\"multipleOf\":0.01}", "19.995", 0 },
    { "{\"multipleOf\":0.01}", "4.35", 1 },
    { "{\"multipleOf\":0.1}", "0.3", 1 },
    { "{\"multipleOf\":3}", "1e400", 0 },
    { "{\"multipleOf\":4}", "1e400", 1 },
    { "{\"multipleOf\":7}", "-49e0", 1 },
    { "{\"multipleOf\":1e-3}", "0", 1 },
    { "{\"multipleOf\":1e3}", "-0.0", 1 },
    { "{\"multipleOf\":1e3}", "2500", 0 },
    { "{\"multipleOf\":123456789012345678}", "370370367037037034", 1 },
    { "{\"multipleOf\":123456789012345678}", "370370367037037035", 0 },

    /* strings: characters, however they are written */
    { "{\"maxLength\":1}", "\"\\ud83d\\ude00\"", 1 },
    { "{\"minLength\":2}", "\"\\ud83d\\ude00\"", 0 },
    { "{\"maxLength\":1}", "\"\xf0\x9f\x98\x80\"", 1 },
    { "{\"minLength\":2}", "\"\xf0\x9f\x98\x80\"", 0 },
    { "{\"minLength\":3,\"maxLength\":3}", "\"\\n\\u00e9\xc3\xa9\"", 1 },
    { "{\"maxLength\":2.0}", "\"abc\"", 0 },
    { "{\"maxLength\":1e99}", "\"abc\"", 1 },
    { "{\"minLength\":9}", "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\"", 0 },
    { "{\"maxLength\":9}", "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9x\"", 1 },
    { "{\"const\":\"a/b\"}", "\"\\u0061\\/b\"", 1 },
    { "{\"const\":\"\\u0061/b\"}", "\"a/b\"", 1 },
    { "{\"const\":\"a\\u0000\"}", "\"a\"", 0 },
    { "{\"enum\":[\"a\",1,\"b\"]}", "\"\\u0062\"", 1 },
    { "{\"enum\":[\"a\",1,\"b\"]}", "1.0", 1 },
    { "{\"enum\":[\"a\",1,\"b\"]}", "\"1\"", 0 },
    { "{\"enum\":[]}", "1", 0 },
    { "{\"enum\":[\"a\",\"a\"]}", "\"a\"", 1 },
    { "{\"enum\":[\"\"]}", "\"\"", 1 },
    { "{\"const\":{\"a\":[1,{\"b\":null}],\"c\":\"\xc3\xa9\"}}",
      "{\"c\":\"\\u00e9\",\"\\u0061\":[1.0,{\"b\":null}]}", 1 },
    { "{\"const\":{\"a\":1,\"b\":1}}", "{\"a\":1,\"c\":1}", 0 },
    { "{\"const\":1e400}", "10e399", 1 },
    { "{\"const\":9007199254740993}", "9007199254740992", 0 },
    { "{\"const\":0}", "-0e5", 1 },
    { "{\"const\":false}", "0", 0 },

    /* names: as they are read, not as they are written */
    { "{\"properties\":{\"ab\":false}}", "{\"\\u0061b\":1}", 0 },
    { "{\"properties\":{\"\\u0061b\":false}}", "{\"ab\":1}", 0 },
    { "{\"required\":[\"ab\"]}", "{\"\\u0061b\":1}", 1 },
    { "{\"properties\":{\"ab\":true},\"additionalProperties\":false}",
      "{\"\\u0061b\":1}", 1 },
    { "{\"properties\":{\"\":false}}", "{\"\":1}", 0 },
    { "{\"properties\":{\"a\":false}}", "{\"a\\u0000\":1}", 1 },
    { "{\"properties\":{\"x\":true,\"\":false}}",
      "{\"x\":\"aaaaaaaaaaaa\",\"\":1}", 0 },
    { "{\"properties\":{\"abcdefgh-1-abcdefgh\":true},"
      "\"additionalProperties\":false}", "{\"abcdefgh-1-abcdefgh\":1}", 1 },
    { "{\"properties\":{\"abcdefgh-1-abcdefgh\":true},"
      "\"additionalProperties\":false}", "{\"abcdefgh-2-abcdefgh\":1}", 0 },
    { "{\"properties\":{\"temp\":true,\"x\":true},"
      "\"additionalProperties\":false}",
      "{\"x\":\"aaaaaaaaaaaa\",\"temq\":1}", 0 },
    { "{\"properties\":{\"a\":true},\"required\":[\"a\",\"b\"]}",
      "{\"a\":1,\"c\":2}", 0 },
    { "{\"properties\":{\"a\":true},\"required\":[\"a\",\"b\"],"
      "\"additionalProperties\":false}", "{\"a\":1,\"b\":2}", 0 },
    { "{\"additionalProperties\":{\"type\":\"null\"},"
      "\"required\":[\"b\"]}", "{\"b\":1}", 0 },
    { "{\"dependentRequired\":{\"a\":[\"b\\/\"]}}",
      "{\"\\u0061\":1,\"b/\":1}", 1 },
    { "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"\\u0061\":1}", 0 },
    { "{\"propertyNames\":{\"pattern\":\"^a\"}}", "{\"\\u0061\":1}", 1 },
    { "{\"patternProperties\":{\"^a\":false}}", "{\"\\u0061\":1}", 0 },

    /* arrays */
    { "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[null]", 1 },
    { "{\"prefixItems\":[true],\"items\":false}", "[1,2]", 0 },
    { "{\"contains\":false,\"minContains\":0}", "[1]", 1 },
    { "{\"contains\":true,\"minContains\":0,\"maxContains\":1}", "[1,2]", 0 },
    { "{\"uniqueItems\":true}", "[1,1.0]", 0 },
    { "{\"uniqueItems\":true}", "[0,-0,1]", 0 },
    { "{\"uniqueItems\":true}", "[\"a\",\"\\u0061\"]", 0 },
    { "{\"uniqueItems\":true}", "[1,true,\"1\",[1],{\"1\":1}]", 1 },
    { "{\"uniqueItems\":true}",
      "[1,2,3,4,5,6,7,8,9,{\"a\":1,\"b\":[2]},{\"b\":[2.0],\"\\u0061\":1}]",
      0 },
    { "{\"uniqueItems\":true}",
      "[1,2,3,4,5,6,7,8,9,10,1e1]", 0 },
    { "{\"uniqueItems\":true}",
      "[1,2,3,4,5,6,7,8,9,\"b\\u0061\",\"ba\"]", 0 },
    { "{\"uniqueItems\":true}",
      "[1,2,3,4,5,6,7,8,9,[1,2],[2,1],{\"a\":1,\"b\":2},{\"a\":2,\"b\":1}]",
      1 },

    /* applicators */
    { "{\"if\":true}", "1", 1 },
    { "{\"then\":false}", "1", 1 },
    { "{\"if\":{\"type\":\"null\"},\"else\":false}", "1", 0 },
    { "{\"$ref\":\"#/$defs/a\",\"maximum\":5,"
      "\"$defs\":{\"a\":{\"minimum\":3}}}", "6", 0 },
    { "{\"$ref\":\"#/$defs/a\",\"maximum\":5,"
      "\"$defs\":{\"a\":{\"minimum\":3}}}", "2", 0 },
    { "{\"$ref\":\"#/$defs/a%20~1~0%C3%A9\","
      "\"$defs\":{\"a /~\xc3\xa9\":false}}", "2", 0 },
    { "{\"$id\":\"urn:x:y\",\"$ref\":\"urn:x:y#z\","
      "\"$defs\":{\"a\":{\"$anchor\":\"z\",\"type\":\"null\"}}}", "2", 0 },
    { "{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
      "\"additionalProperties\":false}", "{\"a\":{\"a\":{\"b\":1}}}", 0 },
    { "{\"format\":\"ipv4\"}", "\"x\"", 1 },

    /* patterns: ECMA-262 with u, not PCRE2 */
    { "{\"pattern\":\"^a$\"}", "\"a\\n\"", 0 },
    { "{\"pattern\":\"a.c\"}", "\"a\\u2028c\"", 0 },
    { "{\"pattern\":\"^.$\"}", "\"\\ud83d\\ude00\"", 1 },
    { "{\"pattern\":\"^\\\\d$\"}", "\"\\u0663\"", 0 },
    { "{\"pattern\":\"^\\\\w$\"}", "\"\xc3\xa9\"", 0 },
    { "{\"pattern\":\"^\\\\W$\"}", "\"\xc3\xa9\"", 1 },
    { "{\"pattern\":\"^[\\\\W]$\"}", "\"\xc3\xa9\"", 1 },
    { "{\"pattern\":\"^[\\\\W\\\\d]$\"}", "\"b\"", 0 },
    { "{\"pattern\":\"^\\\\s$\"}", "\"\\ufeff\"", 1 },
    { "{\"pattern\":\"^[^\\\\S]$\"}", "\"\\u2003\"", 1 },
    { "{\"pattern\":\"^[\\\\S]$\"}", "\"\\u2003\"", 0 },
    { "{\"pattern\":\"\\\\bb\"}", "\"\xc3\xa9""b\"", 1 },
    { "{\"pattern\":\"^\\\\u0061\\\\u{1f600}\\\\/$\"}",
      "\"a\xf0\x9f\x98\x80/\"", 1 },
    { "{\"pattern\":\"^\\\\ud83d\\\\ude00+$\"}",
      "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"", 1 },
    { "{\"pattern\":\"^\\\\cA\\\\x41\\\\0$\"}", "\"\\u0001A\\u0000\"", 1 },
    { "{\"pattern\":\"^\\\\p{Letter}\\\\p{gc=Nd}\\\\P{Lu}$\"}",
      "\"\xc3\xa9\\u0663x\"", 1 },
    { "{\"pattern\":\"^[\\\\p{Lu}]$\"}", "\"\xc3\x89\"", 1 },
    { "{\"pattern\":\"^\\\\p{Script=Greek}\\\\p{Assigned}"
      "[\\\\p{White_Space}]\"}",
      "\"\\u03b1x \"", 1 },
    { "{\"pattern\":\"^\\\\P{Script_Extensions=Greek}$\"}", "\"\\u03b1\"",
      0 },
    { "{\"pattern\":\"[]\"}", "\"a\"", 0 },
    { "{\"pattern\":\"^[^]$\"}", "\"\\n\"", 1 },
    { "{\"pattern\":\"^[a\\\\-c]+$\"}", "\"a-c\"", 1 },
    { "{\"pattern\":\"^[a\\\\-c]+$\"}", "\"b\"", 0 },
    { "{\"pattern\":\"^(?<name>a|b)(?=c)c(?!d)$\"}", "\"bc\"", 1 },
    { "{\"pattern\":\"(?<=a)b\"}", "\"ab\"", 1 },
    { "{\"pattern\":\"(?<!a)b\"}", "\"ab\"", 0 },
    { "{\"pattern\":\"^a{2,3}?$\"}", "\"aaaa\"", 0 },
    { "{\"pattern\":\"^#\\\\.x $\"}", "\"#.x \"", 1 },
    { "{\"pattern\":\"\"}", "\"\"", 1 },
    { "{\"pattern\":\"^\\\\n$\"}", "\"\\n\"", 1 }
};


/* not ECMA-262 with u, or not supported */

static const char *const  bad_patterns[] = {
    "(", ")", "[a", "a**", "a++", "*a", "+", "?", "a{", "a{,3}", "a{3,2}",
    "}", "]", "\\", "\\-", "\\Z", "\\A", "\\Qa\\E", "\\h", "\\R", "\\K",
    "(?i)a", "(?i:a)", "(?#x)", "(?>a)", "(?R)", "(*UTF)", "(?(1)a)", "(a)\\1",
    "\\k<a>", "\\01", "\\xg0", "\\u12", "\\u{110000}", "\\u{}", "\\ud800",
    "[\\ud800-\\udfff]", "[z-a]", "[\\d-z]", "[a-\\d]", "\\p", "\\pL",
    "\\p{}", "\\p{^Lu}", "\\p{Nope}", "\\p{gc=Nope}", "\\p{Greek}", "\\c1",
    "(?<1>a)", "(?<a", "^*", "(?=a)*", "\\b+", "|*",
    "[[:alpha:]]", "a{70000}", "[a\\Z]"
};


static const failure_t  failures[] = {
    { "{\"properties\":{\"t\":{\"maximum\":5}}}", "{\"a\":1,\"t\":6}",
      "/t", "maximum", "/properties/t/maximum" },
    { "{\"properties\":{\"a/b~\":{\"items\":{\"type\":\"null\"}}}}",
      "{\"a\\/b~\":[null,1]}", "/a~1b~0/1", "type",
      "/properties/a~1b~0/items/type" },
    { "{\"required\":[\"a\"],\"properties\":{\"b\":{\"type\":\"null\"}}}",
      "{\"b\":1}", "", "required", "/required" },
    { "{\"properties\":{\"b\":{\"type\":\"null\"}},\"required\":[\"a\"]}",
      "{\"b\":1}", "/b", "type", "/properties/b/type" },
    { "{\"properties\":{\"a\":true},\"additionalProperties\":false}",
      "{\"a\":1,\"b\":{}}", "/b", "additionalProperties",
      "/additionalProperties" },
    { "{\"items\":false}", "[[1]]", "/0", "items", "/items" },
    { "{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a", "false",
      "/properties/a" },
    { "false", "1", "", "false", "" },
    { "{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":5}]}", "1", "", "anyOf",
      "/anyOf" },
    { "{\"allOf\":[true,{\"minimum\":5}]}", "1", "", "minimum",
      "/allOf/1/minimum" },
    { "{\"items\":{\"$ref\":\"#/$defs/a\"},"
      "\"$defs\":{\"a\":{\"const\":1}}}", "[1,2]", "/1", "const",
      "/$defs/a/const" },
    { "{\"oneOf\":[true,true]}", "1", "", "oneOf", "/oneOf" },
    { "{\"not\":{\"not\":false}}", "{\"a\":1}", "", "not", "/not" },
    { "{\"if\":true,\"then\":{\"minLength\":2}}", "\"a\"", "", "minLength",
      "/then/minLength" },
    { "{\"contains\":{\"type\":\"null\"}}", "[1]", "", "contains",
      "/contains" },
    { "{\"contains\":true,\"minContains\":2}", "[1]", "", "minContains",
      "/minContains" },
    { "{\"contains\":true,\"maxContains\":1}", "[1,2]", "", "maxContains",
      "/maxContains" },
    { "{\"propertyNames\":{\"maxLength\":1}}", "{\"a\":1,\"bc\":2}", "/bc",
      "maxLength", "/propertyNames/maxLength" },
    { "{\"patternProperties\":{\"^a\":{\"enum\":[1]}}}", "{\"a\":2}", "/a",
      "enum", "/patternProperties/^a/enum" },
    { "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":2}", "",
      "dependentRequired", "/dependentRequired" },
    { "{\"dependentSchemas\":{\"a\":{\"minProperties\":2}}}", "{\"a\":2}", "",
      "minProperties", "/dependentSchemas/a/minProperties" },
    { "{\"maximum\":3,\"type\":\"string\"}", "5", "", "maximum",
      "/maximum" },
    { "{\"type\":\"string\",\"maximum\":3}", "5", "", "type", "/type" },
    { "{\"exclusiveMaximum\":3,\"multipleOf\":2}", "5", "",
      "exclusiveMaximum", "/exclusiveMaximum" },
    { "{\"uniqueItems\":true}", "[1,1]", "", "uniqueItems", "/uniqueItems" },
    { "{\"m\\u0061ximum\":3}", "5", "", "maximum", "/maximum" }
};


static int
check(gw_schema_t *schema, const char *text, size_t len,
    gw_schema_error_t *error)
{
    int             rc, again;
    uint8_t        *copy;
    const uint8_t  *p;

    /* once where nothing may be read in front of it, once behind it */

    copy = malloc(len);
    if (copy == NULL) {
        abort();
    }

    memcpy(copy, text, len);

    if (gw_json_parse(&json, copy, len) != GW_OK) {
        printf("# no JSON: %s\n", gw_json_strerror(json.error));
        abort();
    }

    again = gw_schema_check(schema, &json, copy, 0, NULL);
    free(copy);

    p = guarded(text, len);
    (void) gw_json_parse(&json, p, len);
    rc = gw_schema_check(schema, &json, p, 0, error);

    if (rc != again) {
        printf("# the place in memory decides\n");
        abort();
    }

    return rc;
}


static gw_schema_t *
compiled(const char *text, unsigned formats)
{
    char          why[512];
    gw_schema_t  *schema;

    schema = gw_schema_compile(guarded(text, strlen(text)), strlen(text),
                               formats, why, sizeof(why));

    if (schema == NULL) {
        printf("# %s: %s\n", text, why);
    }

    return schema;
}


static int
one(const char *schema_text, unsigned formats, const char *text)
{
    int           rc;
    gw_schema_t  *schema;

    schema = compiled(schema_text, formats);
    if (schema == NULL) {
        return GW_ERROR;
    }

    rc = check(schema, text, strlen(text), NULL);
    gw_schema_free(schema);

    return rc;
}


static void
refusals(void)
{
    char              why[512];
    size_t            i;
    gw_schema_t      *schema;
    const refused_t  *r;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        r = &refused[i];
        why[0] = '\0';

        schema = gw_schema_compile(guarded(r->schema, strlen(r->schema)),
                                   strlen(r->schema), 0, why, sizeof(why));

        ok(schema == NULL && strstr(why, r->said), "%s is refused: %s",
           r->schema, r->said);

        if (schema == NULL && !strstr(why, r->said)) {
            printf("#   said: %s\n", why);
        }

        gw_schema_free(schema);
    }

    schema = gw_schema_compile((const uint8_t *) "{\"a\":1}", 7, 0, why, 4);
    ok(schema == NULL && strlen(why) == 3, "a long reason is cut");

    schema = gw_schema_compile((const uint8_t *) "", GW_SCHEMA_TEXT_MAX + 1,
                               0, why, sizeof(why));
    ok(schema == NULL && strstr(why, "bytes"), "a long schema is refused");

    for (i = 0; i < sizeof(bad_patterns) / sizeof(bad_patterns[0]); i++) {
        char  *out;

        out = gw_schema_pattern_translate(
                  (const uint8_t *) bad_patterns[i], strlen(bad_patterns[i]),
                  why, sizeof(why));
        ok(out == NULL, "%s is no pattern of ECMA-262 that is supported",
           bad_patterns[i]);
        free(out);
    }
}


static void
judgements(void)
{
    int               rc;
    size_t            i;
    const verdict_t  *v;

    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        v = &verdicts[i];
        rc = one(v->schema, 0, v->instance);

        ok(rc == (v->valid ? GW_OK : GW_DECLINED), "%s is %svalid for %s",
           v->instance, v->valid ? "" : "not ", v->schema);
    }
}


static void
errors(void)
{
    int                rc;
    size_t             i;
    gw_schema_t       *schema;
    const failure_t   *f;
    gw_schema_error_t  e;

    for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        f = &failures[i];
        schema = compiled(f->schema, 0);
        if (schema == NULL) {
            ok(0, "%s is a schema", f->schema);
            continue;
        }

        memset(&e, 'x', sizeof(e));
        e.keyword = "";
        e.place = "";
        rc = check(schema, f->instance, strlen(f->instance), &e);

        ok(rc == GW_DECLINED && strcmp(e.pointer, f->pointer) == 0
           && e.pointer_len == strlen(f->pointer)
           && strcmp(e.keyword, f->keyword) == 0
           && strcmp(e.place, f->place) == 0,
           "%s fails in %s at \"%s\", by %s", f->instance, f->schema,
           f->pointer, f->place);

        if (rc == GW_DECLINED) {
            printf("# \"%.*s\" %s \"%s\"\n", (int) e.pointer_len, e.pointer,
                   e.keyword, e.place);
        }

        gw_schema_free(schema);
    }
}


/* the payload of an envelope: another value of the same document */

static void
inside(void)
{
    gw_schema_t       *schema;
    const uint8_t     *p;
    gw_schema_error_t  e;

    static const char  text[] = "{\"a\":0,\"data\":{\"t\":[6]},\"z\":1}";

    schema = compiled("{\"properties\":{\"t\":{\"items\":{\"maximum\":5}}},"
                      "\"additionalProperties\":false}", 0);
    p = guarded(text, sizeof(text) - 1);

    if (gw_json_parse(&json, p, sizeof(text) - 1) != GW_OK) {
        abort();
    }

    ok(gw_schema_check(schema, &json, p, 4, &e) == GW_DECLINED
       && strcmp(e.pointer, "/t/0") == 0
       && strcmp(e.place, "/properties/t/items/maximum") == 0,
       "a pointer begins at the value that was checked");

    ok(gw_schema_check(schema, &json, p, 0, &e) == GW_DECLINED
       && strcmp(e.pointer, "/a") == 0
       && strcmp(e.keyword, "additionalProperties") == 0,
       "the whole document is another value");

    gw_schema_free(schema);
}


static void
long_pointer(void)
{
    char               text[1024];
    size_t             i, n;
    gw_schema_t       *schema;
    gw_schema_error_t  e;

    schema = compiled("{\"additionalProperties\":{\"type\":\"null\"}}", 0);

    for (n = 250; n < 262; n++) {
        memcpy(text, "{\"", 2);
        memset(text + 2, 'a', n);
        memcpy(text + 2 + n, "\":1}", 5);

        if (check(schema, text, strlen(text), &e) != GW_DECLINED
            || e.pointer_len != strlen(e.pointer)
            || e.pointer_len > GW_SCHEMA_POINTER
            || (n + 1 <= GW_SCHEMA_POINTER
                ? e.pointer_len != n + 1
                : e.pointer_len != GW_SCHEMA_POINTER
                  || strcmp(e.pointer + GW_SCHEMA_POINTER - 3, "...") != 0))
        {
            break;
        }
    }

    is_u64(n, 262, "a pointer of up to 256 bytes is whole, a longer one cut");

    for (n = 0; n < 8; n++) {
        memcpy(text, "{\"", 2);
        memset(text + 2, 'a', n);

        for (i = 0; i < 100; i++) {
            memcpy(text + 2 + n + i * 4, "\xf0\x9f\x98\x80", 4);
        }

        memcpy(text + 2 + n + 400, "\":1}", 5);
        check(schema, text, strlen(text), &e);

        if ((e.pointer_len - 3 - 1 - n) % 4 != 0) {
            break;
        }
    }

    is_u64(n, 8, "a pointer is cut between characters");
    gw_schema_free(schema);
}


static void
formats(void)
{
    size_t        i;
    char          text[256], why[256];
    gw_schema_t  *schema;

    static const struct {
        const char  *format;
        const char  *value;
        int          valid;
    } cases[] = {
        { "date-time", "1963-06-19T08:30:06.283185Z", 1 },
        { "date-time", "1963-06-19t08:30:06z", 1 },
        { "date-time", "1990-12-31T15:59:60-08:00", 1 },
        { "date-time", "1990-12-31T23:59:60+00:00", 1 },
        { "date-time", "1990-12-31T23:58:60Z", 0 },
        { "date-time", "1990-02-31T15:59:59-08:00", 0 },
        { "date-time", "2000-02-29T00:00:00Z", 1 },
        { "date-time", "1900-02-29T00:00:00Z", 0 },
        { "date-time", "1990-12-31T15:59:59-24:00", 0 },
        { "date-time", "1990-12-31 15:59:59Z", 0 },
        { "date-time", "1990-12-31T15:59:59", 0 },
        { "date-time", "1990-12-31T15:59:59.Z", 0 },
        { "date-time", "1990-12-31T24:00:00Z", 0 },
        { "date-time", "1990-12-31T10:00:00Z0", 0 },
        { "date-time", "\\u0031990-12-31T10:00:00Z", 1 },
        { "date-time", "199\xc3\xa9-12-31T10:00:00Z", 0 },
        { "uuid", "2EB8AA08-aa98-11ea-b4aa-73b441d16380", 1 },
        { "uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", 0 },
        { "uuid", "2eb8aa08aa9811eab4aa73b441d163800000", 0 },
        { "uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", 0 },
        { "ipv4", "192.168.0.255", 1 },
        { "ipv4", "192.168.0.256", 0 },
        { "ipv4", "192.168.0", 0 },
        { "ipv4", "192.168.00.1", 0 },
        { "ipv4", "1.2.3.4.", 0 },
        { "ipv6", "::", 1 },
        { "ipv6", "::1", 1 },
        { "ipv6", "1::", 1 },
        { "ipv6", "1:2:3:4:5:6:7:8", 1 },
        { "ipv6", "1:2:3:4:5:6:7::", 1 },
        { "ipv6", "1:2:3:4:5:6:7:8::", 0 },
        { "ipv6", "1:2:3:4:5:6:7", 0 },
        { "ipv6", "1::2::3", 0 },
        { "ipv6", ":1:2:3:4:5:6:7", 0 },
        { "ipv6", "1:2:3:4:5:6:7:", 0 },
        { "ipv6", "::ffff:192.168.0.1", 1 },
        { "ipv6", "1:2:3:4:5:6:7:1.2.3.4", 0 },
        { "ipv6", "1:2:3:4:5:6:1.2.3.4", 1 },
        { "ipv6", "12345::", 0 },
        { "ipv6", "fe80::1%eth0", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void) snprintf(why, sizeof(why), "{\"format\":\"%s\"}",
                        cases[i].format);
        (void) snprintf(text, sizeof(text), "\"%s\"", cases[i].value);

        ok(one(why, 1, text) == (cases[i].valid ? GW_OK : GW_DECLINED),
           "%s is %s %s", cases[i].value,
           cases[i].valid ? "a" : "not a", cases[i].format);
    }

    ok(one("{\"format\":\"ipv4\"}", 1, "5") == GW_OK,
       "a format says nothing of a number");

    schema = gw_schema_compile((const uint8_t *) "{\"format\":\"email\"}", 18,
                               1, why, sizeof(why));
    ok(schema == NULL && strstr(why, "/format"),
       "a format that is not checked is refused where formats are");
    gw_schema_free(schema);
}


static void
bounded(const char *what, const char *schema_text, const char *text,
    size_t len, const char *keyword)
{
    int                rc;
    gw_schema_t       *schema;
    gw_schema_error_t  e;

    schema = compiled(schema_text, 0);
    if (schema == NULL) {
        ok(0, "%s: it is a schema", what);
        return;
    }

    e.keyword = "";
    rc = check(schema, text, len, &e);

    ok(rc == GW_DECLINED && strcmp(e.keyword, keyword) == 0,
       "%s: not valid, by %s", what, keyword);

    if (strcmp(e.keyword, keyword) != 0) {
        printf("#   by %s\n", e.keyword);
    }

    gw_schema_free(schema);
}


static void
bounds(void)
{
    size_t       i, len;
    static char  text[BIG], nested[65536];

    /* 2^20 ways through a schema that is small */

    len = (size_t) snprintf(nested, sizeof(nested), "{\"$defs\":{\"a0\":"
                            "{\"type\":\"null\"}");

    for (i = 1; i < 20; i++) {
        len += (size_t) snprintf(nested + len, sizeof(nested) - len,
                                 ",\"a%zu\":{\"anyOf\":["
                                 "{\"$ref\":\"#/$defs/a%zu\"},"
                                 "{\"$ref\":\"#/$defs/a%zu\"}]}",
                                 i, i - 1, i - 1);
    }

    (void) snprintf(nested + len, sizeof(nested) - len,
                    "},\"not\":{\"$ref\":\"#/$defs/a19\"}}");
    bounded("a schema of many ways", nested, "1", 1, "$ref");

    /* the same within "not": what was not found out does not count as no */

    len = (size_t) snprintf(text, sizeof(text), "\"");

    for (i = 0; i < 40; i++) {
        text[len++] = 'a';
    }

    len += (size_t) snprintf(text + len, sizeof(text) - len, "b\"");
    bounded("a pattern that goes back and forth",
            "{\"not\":{\"pattern\":\"^(a|aa|a?a)+$\"}}", text, len,
            "pattern");

    for (len = 1, text[0] = '[', i = 0; i < 100; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len,
                                 "%s\"aaaaaaaaaab\"", i ? "," : "");

        if (i == 5) {
            memcpy(text + len, "]", 2);
            ok(one("{\"items\":{\"not\":{\"pattern\":"
                   "\"^(a|aa|a?a)+$\"}}}", 0, text) == GW_OK,
               "a few hard matches are found out");
        }
    }

    text[len++] = ']';
    bounded("a hundred hard matches", "{\"items\":{\"not\":{\"pattern\":"
            "\"^(a|aa|a?a)+$\"}}}", text, len, "pattern");

    text[0] = '"';

    for (i = 1; i + 6 < GW_SCHEMA_SCRATCH * 6 + 100; i += 6) {
        memcpy(text + i, "\\u0061", 6);
    }

    text[i++] = '"';
    bounded("a pattern on a long string with escapes",
            "{\"pattern\":\"^a\"}", text, i, "pattern");

    /* each item is compared with each: they have one hash */

    len = 1;
    text[0] = '[';

    for (i = 0; i < 20000; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s[%zu]",
                                 i ? "," : "", i);
    }

    text[len++] = ']';
    ok(one("{\"uniqueItems\":true}", 0, "[[1],[2]]") == GW_OK,
       "arrays differ");
    bounded("items without end for an enum",
            "{\"items\":{\"enum\":[[1,2],[1,3],[1,4],[1,5],[1,6],[1,7],"
            "[1,8],[1,9],[1,10],[1,11],[1,12],[2]]}}", text, len, "enum");

    /* what one value goes through, and one below the other */

    len = (size_t) snprintf(nested, sizeof(nested), "{");

    for (i = 0; i < 70; i++) {
        len += (size_t) snprintf(nested + len, sizeof(nested) - len,
                                 "\"allOf\":[{");
    }

    for (i = 0; i < 70; i++) {
        len += (size_t) snprintf(nested + len, sizeof(nested) - len, "}]");
    }

    (void) snprintf(nested + len, sizeof(nested) - len, "}");

    {
        char          why[512];
        gw_schema_t  *schema;

        schema = gw_schema_compile((uint8_t *) nested, strlen(nested), 0, why,
                                   sizeof(why));
        ok(schema == NULL && strstr(why, "inside each other"),
           "70 schemas for one value inside each other are refused");
        gw_schema_free(schema);
    }

    for (i = 0; i < 40; i++) {
        text[i] = '[';
        text[79 - i] = ']';
    }

    bounded("a message that goes down deeper than the schema may",
            "{\"allOf\":[{\"items\":{\"$ref\":\"#\"}}]}", text, 80, "items");
}


/* many names and many items, beyond what one step holds */

static void
many(void)
{
    size_t        i, len, at;
    gw_schema_t  *schema;
    static char   text[BIG], message[BIG];

    len = (size_t) snprintf(text, sizeof(text), "{\"required\":[");

    for (i = 0; i < 2000; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len,
                                 "%s\"name-%zu-of-many\"", i ? "," : "", i);
    }

    len += (size_t) snprintf(text + len, sizeof(text) - len,
                             "],\"additionalProperties\":false,"
                             "\"properties\":{");

    for (i = 0; i < 2000; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len,
                                 "%s\"name-%zu-of-many\":{\"const\":%zu}",
                                 i ? "," : "", i, i);
    }

    (void) snprintf(text + len, sizeof(text) - len, "}}");
    schema = compiled(text, 0);

    for (len = 1, message[0] = '{', i = 0; i < 2000; i++) {
        len += (size_t) snprintf(message + len, sizeof(message) - len,
                                 "%s\"name-%zu-of-many\":%zu",
                                 i ? "," : "", 1999 - i, 1999 - i);
    }

    message[len++] = '}';

    ok(schema && check(schema, message, len, NULL) == GW_OK,
       "2000 names, all of them required, are found");

    if (schema) {
        ok(gw_schema_size(schema) > strlen(text), "its size is known");

        at = (size_t) (strstr(message, "name-77-") - message);
        message[at] = 'N';
        ok(check(schema, message, len, NULL) == GW_DECLINED,
           "one of 2000 names is another");
        message[at] = 'n';

        message[len - 2] = '1';
        ok(check(schema, message, len, NULL) == GW_DECLINED,
           "one of 2000 values is another");
    }

    gw_schema_free(schema);

    schema = compiled("{\"uniqueItems\":true}", 0);

    for (len = 1, message[0] = '[', i = 0; i < 30000; i++) {
        len += (size_t) snprintf(message + len, sizeof(message) - len,
                                 "%s%zu", i ? "," : "", i);
    }

    message[len++] = ']';
    ok(check(schema, message, len, NULL) == GW_OK,
       "30000 items differ, and that is found out");

    memcpy(message + len - 6, "29998]", 6);
    ok(check(schema, message, len, NULL) == GW_DECLINED,
       "two of 30000 items are equal");

    gw_schema_free(schema);
}


int
main(void)
{
    void  *arena;

    arena = malloc(gw_json_arena_size(&limits));

    if (arena == NULL || gw_json_init(&json, &limits, arena, 3) != GW_OK) {
        return 2;
    }

    refusals();
    judgements();
    errors();
    inside();
    long_pointer();
    formats();
    bounds();
    many();

    free(arena);

    return done_testing();
}
