/*
 * The scanner's story: every byte of a message is judged once, here, and what
 * passes is sent on as it came.  Unseen breakage would mean: a document that
 * the next reader in line understands differently (duplicate keys, raw NUL,
 * half a surrogate pair), bytes read behind the input, a device that gets
 * past a limit, or a tape from which the wrong bytes become seq or device.
 *
 * Every input lies against a guard page behind it, and once more against one
 * before it.  The scanner is compiled twice inside (quick and checked), so
 * each input is also given with spaces behind it, which forces the checked
 * one, and both must say the same.  jansson is the second opinion on what is
 * accepted and on what the tape says.
 */

#include <jansson.h>

#include "gw_test.h"
#include "gw_json.h"


#define S(s)  (s), sizeof(s) - 1


typedef struct {
    const char       *text;
    size_t            len;
    const char       *name;
} yes_t;


typedef struct {
    const char       *text;
    size_t            len;
    gw_json_error_e   error;
    size_t            off;
    const char       *name;
} no_t;


static const gw_json_limits_t  wide = {
    1 << 20, 65535, 1024, 40000, 1 << 20, 1 << 20
};

static gw_json_t  quick, front, careful;
static unsigned   disagreed;
static char       text[1 << 20];


static void
setup(gw_json_t *j, const gw_json_limits_t *limits, uint64_t seed)
{
    void  *arena;

    /* of the exact size: the sanitizer sees a byte too many */

    arena = malloc(gw_json_arena_size(limits));
    if (arena == NULL || gw_json_init(j, limits, arena, seed) != GW_OK) {
        abort();
    }
}


static void
teardown(gw_json_t *j)
{
    free(j->tape);
}


/* the input behind a page that may not be touched */

static uint8_t *
guarded_front(const void *p, size_t len)
{
    static uint8_t  *page;
    size_t           room = 1 << 20, size = (size_t) sysconf(_SC_PAGESIZE);

    if (page == NULL) {
        page = mmap(NULL, room + size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED || mprotect(page, size, PROT_NONE) != 0) {
            abort();
        }
    }

    if (len > room) {
        abort();
    }

    memcpy(page + size, p, len);

    return page + size;
}


/* what a tape must be whatever the document is; 0: it is not */

static int
sound(const gw_json_t *j, const uint8_t *p, size_t len, uint32_t i,
    uint32_t *next)
{
    int                    nl;
    uint32_t               k, n, end;
    const gw_json_node_t  *node;

    node = &j->tape[i];

    if (i >= j->n || (size_t) node->off + node->len > len) {
        return 0;
    }

    *next = node->next;

    if (node->type < GW_JSON_ARRAY) {

        if (node->next != i + 1 || node->count != 0) {
            return 0;
        }

        if (node->type == GW_JSON_STRING) {
            return p[node->off - 1] == '"' && p[node->off + node->len] == '"'
                   && !!(node->flags & GW_JSON_F_ESCAPED)
                      == (memchr(p + node->off, '\\', node->len) != NULL)
                   && !(node->flags & ~(GW_JSON_F_ESCAPED|GW_JSON_F_KEY));
        }

        if (node->type == GW_JSON_NUMBER) {
            return !!(node->flags & GW_JSON_F_NEG) == (p[node->off] == '-')
                   && !!(node->flags & GW_JSON_F_INT)
                      == (memchr(p + node->off, '.', node->len) == NULL
                          && memchr(p + node->off, 'e', node->len) == NULL
                          && memchr(p + node->off, 'E', node->len) == NULL)
                   && !(node->flags & ~(GW_JSON_F_INT|GW_JSON_F_NEG));
        }

        return node->flags == 0;
    }

    /* a raw line end is never inside a string */

    nl = memchr(p + node->off, '\n', node->len) != NULL
         || memchr(p + node->off, '\r', node->len) != NULL;

    if (node->flags != (nl ? GW_JSON_F_NL : 0)
        || p[node->off] != (node->type == GW_JSON_ARRAY ? '[' : '{')
        || p[node->off + node->len - 1]
           != (node->type == GW_JSON_ARRAY ? ']' : '}'))
    {
        return 0;
    }

    end = node->off + node->len;
    k = i + 1;

    for (n = 0; n < node->count; n++) {

        if (node->type == GW_JSON_OBJECT) {

            if (k >= j->n || j->tape[k].type != GW_JSON_STRING
                || !(j->tape[k].flags & GW_JSON_F_KEY)
                || !sound(j, p, len, k, &k))
            {
                return 0;
            }
        }

        if (k >= j->n || (j->tape[k].flags & GW_JSON_F_KEY)
            || j->tape[k].off + j->tape[k].len >= end
            || !sound(j, p, len, k, &k))
        {
            return 0;
        }
    }

    return k == node->next;
}


static void
disagree(const char *what, const void *p, size_t len)
{
    if (disagreed++ < 10) {
        printf("# %s: %.*s\n", what, (int) (len > 400 ? 400 : len),
               (const char *) p);
    }
}


/*
 * The verdict on one input.  quick holds the tape and p the bytes it speaks
 * about.
 */

static int
judge_at(const void *input, size_t len, const uint8_t **p)
{
    int              rc, rc2;
    uint32_t         next;
    static char      padded[1 << 20];

    *p = guarded_front(input, len);
    rc2 = gw_json_parse(&front, *p, len);

    *p = guarded(input, len);
    rc = gw_json_parse(&quick, *p, len);

    if (rc != rc2 || quick.error != front.error
        || quick.error_off != front.error_off)
    {
        disagree("the place in memory matters", input, len);
    }

    if (rc == GW_OK
        && (quick.error != GW_JSON_E_NONE
            || !sound(&quick, *p, len, 0, &next) || next != quick.n))
    {
        disagree("unsound tape", input, len);
    }

    if (rc != GW_OK && (quick.error == GW_JSON_E_NONE || quick.n != 0)) {
        disagree("refused without a word", input, len);
    }

    if (len + 3 > sizeof(padded)) {
        return rc;
    }

    memcpy(padded, input, len);
    memset(padded + len, ' ', 3);

    rc2 = gw_json_parse(&careful, (uint8_t *) padded, len + 3);

    if (rc == GW_OK) {

        if (rc2 != GW_OK || quick.n != careful.n
            || memcmp(quick.tape, careful.tape,
                      quick.n * sizeof(gw_json_node_t))
               != 0)
        {
            disagree("quick and careful differ", input, len);
        }

    } else if (rc2 == GW_OK
               || (quick.error_off < len
                   && (quick.error != careful.error
                       || quick.error_off != careful.error_off)))
    {
        disagree("quick and careful refuse differently", input, len);
    }

    return rc;
}


static int
judge(const void *input, size_t len)
{
    const uint8_t  *p;

    return judge_at(input, len, &p);
}


static int
refused(const void *input, size_t len, gw_json_error_e error, size_t off)
{
    if (judge(input, len) == GW_ERROR && quick.error == error
        && quick.error_off == off)
    {
        return 1;
    }

    printf("# error %d (%s) at %zu, want %d at %zu\n", (int) quick.error,
           gw_json_strerror(quick.error), quick.error_off, (int) error, off);

    return 0;
}


static const yes_t  accepted[] = {
    { S("null"), "the literal null alone" },
    { S("true"), "the literal true alone" },
    { S("false"), "the literal false alone" },
    { S("0"), "zero alone" },
    { S("-0"), "minus zero" },
    { S("-0.0"), "minus zero with a fraction" },
    { S("0e0"), "zero with an exponent" },
    { S("0E-0"), "zero with a negative exponent" },
    { S("7"), "one digit" },
    { S("-12"), "a negative integer" },
    { S("123456789012345678901234567890"), "30 digits" },
    { S("1.5"), "a fraction" },
    { S("1.500000000000000000000000000000001"), "a long fraction" },
    { S("1234567890123456.5"), "a fraction behind sixteen digits" },
    { S("123456789012345.5"), "a fraction behind fifteen digits" },
    { S("1e5"), "a lower case exponent" },
    { S("1E5"), "an upper case exponent" },
    { S("1e+5"), "an exponent with a plus" },
    { S("1E-05"), "an exponent with a leading zero" },
    { S("-1.25e+00099"), "sign, fraction and exponent" },
    { S("[1e5,-1E-2,0.5e1]"), "exponents inside an array" },
    { S("\"\""), "an empty string" },
    { S("\"a\""), "one letter" },
    { S("\"\x7f\""), "DEL raw in a string" },
    { S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "all short escapes" },
    { S("\"\\u0000\""), "an escaped NUL" },
    { S("\"\\u0041\\u00e9\\u20AC\""), "escapes of the BMP, both cases" },
    { S("\"\\ud83d\\ude00\""), "a surrogate pair" },
    { S("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), "first and last pair" },
    { S("\"\\ud7ff\\ue000\""), "the neighbors of the surrogates" },
    { S("\"\\uffff\\ufdd0\""), "escaped noncharacters" },
    { S("\"\xc2\x80\xdf\xbf\""), "two byte sequences at their bounds" },
    { S("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
      "three byte sequences at their bounds" },
    { S("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
      "four byte sequences at their bounds" },
    { S("\"\xd0\xb4\xd0\xb0\xd1\x82\xd1\x87\xd0\xb8\xd0\xba 5 \xe2\x84\x83 "
        "\xd0\xb2 \xd1\x86\xd0\xb5\xd1\x85\xd0\xb5\""),
      "text that changes between one, two and three bytes" },
    { S("\"a long string without anything special in it, 16 by 16\""),
      "a long plain string" },
    { S("\"/ ! # [ ] { } , : ' $ ~ @ `\""), "neighbors of special bytes" },
    { S("[]"), "an empty array" },
    { S("{}"), "an empty object" },
    { S("[[]]"), "an array in an array" },
    { S("[{}]"), "an object in an array" },
    { S("{\"a\":[]}"), "an array in an object" },
    { S("{\"a\":{}}"), "an object in an object" },
    { S("[1]"), "one element" },
    { S("[1,2,3]"), "three elements" },
    { S("[null,true,false,0,\"\",[],{}]"), "every kind of element" },
    { S("{\"\":0}"), "an empty key" },
    { S("{\"\":0,\"a\":1,\"b\":2}"), "an empty key beside others" },
    { S("{\"a\":null,\"b\":true,\"c\":false,\"d\":1,\"e\":\"\"}"),
      "every scalar as a member" },
    { S("{\"a key of more than sixteen bytes\":1}"), "a long key" },
    { S("{\"k\\u0065y\":1}"), "an escaped key" },
    { S("{\"a\":1,\"A\":2}"), "keys that differ in case" },
    { S("{\"a\":1,\"a \":2,\" a\":3}"), "keys that differ in a space" },
    { S("{\"a\\u0000\":1,\"a\":2}"), "keys that differ in a NUL" },
    { S("{\"\\u00e9\":1,\"e\\u0301\":2}"),
      "keys that differ in normalization only" },
    { S("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"),
      "the same key in different objects" },
    { S("[{\"a\":1},{\"a\":2}]"), "the same key in neighbors" },
    { S(" \t\r\n1 \t\r\n"), "white space around a number" },
    { S(" [ 1 , 2 ] "), "white space around every token of an array" },
    { S("\t{\n\"a\"\r:\t1\n,\r\"b\" : 2 }\n"),
      "white space around every token of an object" },
    { S("[ ]"), "an empty array with a space" },
    { S("{\n}"), "an empty object with a line end" },
    { S("{\n                                        \"a\": 1\n}"),
      "deep indentation" },
    { S("{}\r\n"), "CR LF behind the document" },
    { S("{}\n\n"), "two line ends behind the document" },
    { S("[1,\n2]"), "a line end inside an array" },
    { S("[[1\n]]"), "a line end inside a nested array" },
    { S("[[1]\r,[2]]"), "a line end beside a nested array" }
};


static const no_t  refusals[] = {
    { S(""), GW_JSON_E_EMPTY, 0, "nothing" },
    { S(" \t\r\n"), GW_JSON_E_EMPTY, 4, "white space alone" },
    { S("\xef\xbb\xbf{}"), GW_JSON_E_SYNTAX, 0, "a byte order mark" },
    { S("\xef\xbb\xbf"), GW_JSON_E_SYNTAX, 0, "a byte order mark alone" },
    { S("\0"), GW_JSON_E_CONTROL, 0, "a NUL alone" },
    { S("\0{}"), GW_JSON_E_CONTROL, 0, "a NUL in front" },
    { S("{}\0"), GW_JSON_E_CONTROL, 2, "a NUL behind" },
    { S("{} \0"), GW_JSON_E_CONTROL, 3, "a NUL behind a space" },
    { S("1\0"), GW_JSON_E_CONTROL, 1, "a NUL behind a number" },
    { S("1.5\0"), GW_JSON_E_CONTROL, 3, "a NUL behind a fraction" },
    { S("1e5\0"), GW_JSON_E_CONTROL, 3, "a NUL behind an exponent" },
    { S("1.\0"), GW_JSON_E_CONTROL, 2, "a NUL for a fraction" },
    { S("true\0"), GW_JSON_E_CONTROL, 4, "a NUL behind a literal" },
    { S("tr\0e"), GW_JSON_E_CONTROL, 2, "a NUL in a literal" },
    { S("{\"seq\":1\0}"), GW_JSON_E_CONTROL, 8, "a NUL behind a member" },
    { S("{\"seq\":null\0}"), GW_JSON_E_CONTROL, 11, "a NUL behind null" },
    { S("{\"seq\"\0:1}"), GW_JSON_E_CONTROL, 6, "a NUL behind a key" },
    { S("{\"seq\":\0001}"), GW_JSON_E_CONTROL, 7, "a NUL behind a colon" },
    { S("{\0\"seq\":1}"), GW_JSON_E_CONTROL, 1, "a NUL behind a brace" },
    { S("[1,\0002]"), GW_JSON_E_CONTROL, 3, "a NUL behind a comma" },
    { S("[\0]"), GW_JSON_E_CONTROL, 1, "a NUL in an empty array" },
    { S("[1\x1f]"), GW_JSON_E_CONTROL, 2, "a control byte behind a number" },
    { S("[1\f]"), GW_JSON_E_CONTROL, 2, "a form feed between tokens" },
    { S("[1\v]"), GW_JSON_E_CONTROL, 2, "a vertical tab between tokens" },
    { S("\"a\0b\""), GW_JSON_E_CONTROL, 2, "a NUL in a string" },
    { S("\"a\tb\""), GW_JSON_E_CONTROL, 2, "a raw tab in a string" },
    { S("\"a\nb\""), GW_JSON_E_CONTROL, 2, "a raw line end in a string" },
    { S("{\"a\":\"b}\n"), GW_JSON_E_CONTROL, 8,
      "an open string up to the last line end" },
    { S("{\"a\0\":1}"), GW_JSON_E_CONTROL, 3, "a NUL in a key" },

    { S("nul"), GW_JSON_E_TRUNCATED, 3, "null cut short" },
    { S("tru"), GW_JSON_E_TRUNCATED, 3, "true cut short" },
    { S("fals"), GW_JSON_E_TRUNCATED, 4, "false cut short" },
    { S("nulL"), GW_JSON_E_SYNTAX, 3, "null with a capital" },
    { S("True"), GW_JSON_E_SYNTAX, 0, "True" },
    { S("fxlse"), GW_JSON_E_SYNTAX, 1, "false misspelled" },
    { S("truee"), GW_JSON_E_TRAILING, 4, "true with a letter more" },
    { S("[truee]"), GW_JSON_E_SYNTAX, 5, "true with a letter more, inside" },
    { S("[nul]"), GW_JSON_E_SYNTAX, 4, "null cut short inside" },
    { S("NaN"), GW_JSON_E_SYNTAX, 0, "NaN" },
    { S("Infinity"), GW_JSON_E_SYNTAX, 0, "Infinity" },
    { S("undefined"), GW_JSON_E_SYNTAX, 0, "undefined" },
    { S("'a'"), GW_JSON_E_SYNTAX, 0, "single quotes" },
    { S("a"), GW_JSON_E_SYNTAX, 0, "a bare word" },
    { S("// c\n1"), GW_JSON_E_SYNTAX, 0, "a comment" },
    { S("[1/*c*/]"), GW_JSON_E_SYNTAX, 2, "a comment inside" },
    { S("\\u0041"), GW_JSON_E_SYNTAX, 0, "an escape outside of a string" },
    { S("[\xc3\xa9]"), GW_JSON_E_SYNTAX, 1, "a letter outside of a string" },
    { S("\xff"), GW_JSON_E_SYNTAX, 0, "a byte that is never UTF-8" },

    { S("-"), GW_JSON_E_TRUNCATED, 1, "a minus alone" },
    { S("-a"), GW_JSON_E_NUMBER, 1, "a minus and a letter" },
    { S("--1"), GW_JSON_E_NUMBER, 1, "two signs" },
    { S("+1"), GW_JSON_E_SYNTAX, 0, "a plus" },
    { S("[+1]"), GW_JSON_E_SYNTAX, 1, "a plus inside" },
    { S(".5"), GW_JSON_E_SYNTAX, 0, "a leading point" },
    { S("[.5]"), GW_JSON_E_SYNTAX, 1, "a leading point inside" },
    { S("[/]"), GW_JSON_E_SYNTAX, 1, "a slash" },
    { S("-.5"), GW_JSON_E_NUMBER, 1, "a minus and a point" },
    { S("1."), GW_JSON_E_TRUNCATED, 2, "a point at the end" },
    { S("[1.]"), GW_JSON_E_NUMBER, 3, "a point without digits" },
    { S("[1.e5]"), GW_JSON_E_NUMBER, 3, "a point and an exponent" },
    { S("[1.,2]"), GW_JSON_E_NUMBER, 3, "a point and a comma" },
    { S("1..2"), GW_JSON_E_NUMBER, 2, "two points" },
    { S("[1.2.3]"), GW_JSON_E_SYNTAX, 4, "two fractions" },
    { S("01"), GW_JSON_E_NUMBER, 1, "a leading zero" },
    { S("[01]"), GW_JSON_E_NUMBER, 2, "a leading zero inside" },
    { S("[-01]"), GW_JSON_E_NUMBER, 3, "a leading zero behind a minus" },
    { S("[00]"), GW_JSON_E_NUMBER, 2, "two zeros" },
    { S("[00.5]"), GW_JSON_E_NUMBER, 2, "two zeros and a fraction" },
    { S("1e"), GW_JSON_E_TRUNCATED, 2, "an exponent cut short" },
    { S("1e+"), GW_JSON_E_TRUNCATED, 3, "a signed exponent cut short" },
    { S("[1e]"), GW_JSON_E_NUMBER, 3, "an exponent without digits" },
    { S("[1e+]"), GW_JSON_E_NUMBER, 4, "a signed exponent without digits" },
    { S("[1e+-1]"), GW_JSON_E_NUMBER, 4, "an exponent with two signs" },
    { S("[1e1.5]"), GW_JSON_E_SYNTAX, 4, "an exponent with a fraction" },
    { S("[1e1e1]"), GW_JSON_E_SYNTAX, 4, "two exponents" },
    { S("[0x1F]"), GW_JSON_E_SYNTAX, 2, "hex" },
    { S("[1_000]"), GW_JSON_E_SYNTAX, 2, "an underscore" },
    { S("[1a]"), GW_JSON_E_SYNTAX, 2, "a letter behind a number" },
    { S("[1 000]"), GW_JSON_E_SYNTAX, 3, "a space in a number" },
    { S("[-]"), GW_JSON_E_NUMBER, 2, "a minus inside" },
    { S("[- 1]"), GW_JSON_E_NUMBER, 2, "a space behind the minus" },
    { S("[\xef\xbc\x91]"), GW_JSON_E_SYNTAX, 1, "a full width digit" },

    { S("\""), GW_JSON_E_TRUNCATED, 1, "one quote" },
    { S("\"abc"), GW_JSON_E_TRUNCATED, 4, "a string that does not end" },
    { S("\"abc\\\""), GW_JSON_E_TRUNCATED, 6, "an escaped last quote" },
    { S("\"\\"), GW_JSON_E_TRUNCATED, 2, "a backslash at the end" },
    { S("\"a\\x\""), GW_JSON_E_ESCAPE, 2, "an unknown escape" },
    { S("\"a\\ \""), GW_JSON_E_ESCAPE, 2, "an escaped space" },
    { S("\"a\\\0\""), GW_JSON_E_ESCAPE, 2, "an escaped raw NUL" },
    { S("\"a\\\xc3\xa9\""), GW_JSON_E_ESCAPE, 2, "an escaped letter" },
    { S("\"\\U0041\""), GW_JSON_E_ESCAPE, 1, "an upper case U" },
    { S("\"\\a\""), GW_JSON_E_ESCAPE, 1, "an alarm" },
    { S("\"\\'\""), GW_JSON_E_ESCAPE, 1, "an escaped single quote" },
    { S("\"\\u\""), GW_JSON_E_ESCAPE, 1, "no digits" },
    { S("\"\\u00\""), GW_JSON_E_ESCAPE, 1, "two digits" },
    { S("\"\\u004\""), GW_JSON_E_ESCAPE, 1, "three digits" },
    { S("\"\\u00g1\""), GW_JSON_E_ESCAPE, 1, "a digit that is not hex" },
    { S("\"\\u-123\""), GW_JSON_E_ESCAPE, 1, "a sign among the digits" },
    { S("\"\\u00"), GW_JSON_E_TRUNCATED, 5, "digits cut short" },
    { S("\"\\ud800\""), GW_JSON_E_ESCAPE, 1, "a lone high surrogate" },
    { S("\"\\udc00\""), GW_JSON_E_ESCAPE, 1, "a lone low surrogate" },
    { S("\"\\udfff\""), GW_JSON_E_ESCAPE, 1, "the last low surrogate" },
    { S("\"\\udbff\""), GW_JSON_E_ESCAPE, 1, "the last high surrogate" },
    { S("\"\\ud800a\""), GW_JSON_E_ESCAPE, 1, "half a pair and a letter" },
    { S("\"\\ud800\\n\""), GW_JSON_E_ESCAPE, 1, "half a pair, an escape" },
    { S("\"\\ud800\\u0041\""), GW_JSON_E_ESCAPE, 1, "half a pair, an A" },
    { S("\"\\ud800\\ud800\""), GW_JSON_E_ESCAPE, 1, "two high halves" },
    { S("\"\\udc00\\ud800\""), GW_JSON_E_ESCAPE, 1, "a pair turned round" },
    { S("\"\\ud800\\ue000\""), GW_JSON_E_ESCAPE, 1, "low half too high" },
    { S("\"\\ud800\\udbff\""), GW_JSON_E_ESCAPE, 1, "low half too low" },
    { S("\"\\ud800\\u00\""), GW_JSON_E_ESCAPE, 1, "low half with 2 digits" },
    { S("\"ab\\ud83d\\ude00\\ud83d\""), GW_JSON_E_ESCAPE, 15,
      "half a pair behind a whole one" },
    { S("\"\\ud800"), GW_JSON_E_TRUNCATED, 7, "a pair cut after its half" },
    { S("\"\\ud800\\"), GW_JSON_E_TRUNCATED, 8, "a pair cut at the escape" },
    { S("\"\\ud800\\u"), GW_JSON_E_TRUNCATED, 9, "a pair cut at the u" },
    { S("\"\\ud800\\udc"), GW_JSON_E_TRUNCATED, 11, "a pair cut in digits" },
    { S("{\"\\ud800\":1}"), GW_JSON_E_ESCAPE, 2, "half a pair in a key" },

    { S("\"\x80\""), GW_JSON_E_UTF8, 1, "a lone continuation byte" },
    { S("\"a\xbf\""), GW_JSON_E_UTF8, 2, "the last continuation byte" },
    { S("\"\xc0\x80\""), GW_JSON_E_UTF8, 1, "an overlong NUL" },
    { S("\"\xc1\xbf\""), GW_JSON_E_UTF8, 1, "an overlong DEL" },
    { S("\"\xe0\x80\x80\""), GW_JSON_E_UTF8, 1, "overlong in three bytes" },
    { S("\"\xe0\x9f\xbf\""), GW_JSON_E_UTF8, 1, "the last overlong of 3" },
    { S("\"\xf0\x80\x80\x80\""), GW_JSON_E_UTF8, 1, "overlong in four" },
    { S("\"\xf0\x8f\xbf\xbf\""), GW_JSON_E_UTF8, 1, "the last overlong of 4" },
    { S("\"\xed\xa0\x80\""), GW_JSON_E_UTF8, 1, "the first raw surrogate" },
    { S("\"\xed\xbf\xbf\""), GW_JSON_E_UTF8, 1, "the last raw surrogate" },
    { S("\"\xf4\x90\x80\x80\""), GW_JSON_E_UTF8, 1, "above U+10FFFF" },
    { S("\"\xf5\x80\x80\x80\""), GW_JSON_E_UTF8, 1, "a lead byte of F5" },
    { S("\"\xf8\x88\x80\x80\x80\""), GW_JSON_E_UTF8, 1, "five bytes" },
    { S("\"\xff\""), GW_JSON_E_UTF8, 1, "FF in a string" },
    { S("\"\xc3\""), GW_JSON_E_UTF8, 1, "a sequence cut by the quote" },
    { S("\"\xe2\x82\""), GW_JSON_E_UTF8, 1, "three bytes cut by the quote" },
    { S("\"\xf0\x9f\x98\""), GW_JSON_E_UTF8, 1, "four cut by the quote" },
    { S("\"\xe2\x28\xa1\""), GW_JSON_E_UTF8, 1, "a bad second byte" },
    { S("\"\xe2\x82\x28\""), GW_JSON_E_UTF8, 1, "a bad third byte" },
    { S("\"\xf0\x9f\x98\xc3\xa9\""), GW_JSON_E_UTF8, 1, "a bad fourth byte" },
    { S("\"\xc3\xa9\xc3\""), GW_JSON_E_UTF8, 3, "bad behind a good one" },
    { S("\"\xc3"), GW_JSON_E_TRUNCATED, 2, "a sequence cut by the end" },
    { S("\"\xf0\x9f\x98"), GW_JSON_E_TRUNCATED, 4, "four cut by the end" },
    { S("\"\xed\xa0"), GW_JSON_E_UTF8, 1, "a surrogate cut by the end" },
    { S("{\"\xff\":1}"), GW_JSON_E_UTF8, 2, "FF in a key" },

    { S("["), GW_JSON_E_TRUNCATED, 1, "an open bracket" },
    { S("[1"), GW_JSON_E_TRUNCATED, 2, "an open array" },
    { S("[1,"), GW_JSON_E_TRUNCATED, 3, "an array open behind a comma" },
    { S("[ "), GW_JSON_E_TRUNCATED, 2, "an open array and a space" },
    { S("[[]"), GW_JSON_E_TRUNCATED, 3, "an outer array left open" },
    { S("[[1]\n"), GW_JSON_E_TRUNCATED, 5, "left open before a line end" },
    { S("]"), GW_JSON_E_SYNTAX, 0, "a closing bracket alone" },
    { S("}"), GW_JSON_E_SYNTAX, 0, "a closing brace alone" },
    { S("[1,]"), GW_JSON_E_SYNTAX, 3, "a comma before the bracket" },
    { S("[,1]"), GW_JSON_E_SYNTAX, 1, "a comma behind the bracket" },
    { S("[,]"), GW_JSON_E_SYNTAX, 1, "a comma alone" },
    { S("[1,,2]"), GW_JSON_E_SYNTAX, 3, "two commas" },
    { S("[1 2]"), GW_JSON_E_SYNTAX, 3, "no comma" },
    { S("[1\"a\"]"), GW_JSON_E_SYNTAX, 2, "no comma before a string" },
    { S("[\"a\"\"b\"]"), GW_JSON_E_SYNTAX, 4, "two strings side by side" },
    { S("[1}"), GW_JSON_E_SYNTAX, 2, "an array closed by a brace" },
    { S("[1:2]"), GW_JSON_E_SYNTAX, 2, "a colon in an array" },
    { S("[\"a\":1]"), GW_JSON_E_SYNTAX, 4, "a member in an array" },
    { S("[1]]"), GW_JSON_E_TRAILING, 3, "a bracket too many" },
    { S("[1]x"), GW_JSON_E_TRAILING, 3, "a letter behind" },
    { S("[][]"), GW_JSON_E_TRAILING, 2, "two arrays" },
    { S("{}{}"), GW_JSON_E_TRAILING, 2, "two objects" },
    { S("1 2"), GW_JSON_E_TRAILING, 2, "two numbers" },
    { S("{} ,"), GW_JSON_E_TRAILING, 3, "a comma behind" },
    { S("\"a\"\"b\""), GW_JSON_E_TRAILING, 3, "two strings" },
    { S("nullnull"), GW_JSON_E_TRAILING, 4, "two literals" },

    { S("{"), GW_JSON_E_TRUNCATED, 1, "an open brace" },
    { S("{\"a\""), GW_JSON_E_TRUNCATED, 4, "an object open behind a key" },
    { S("{\"a\" "), GW_JSON_E_TRUNCATED, 5, "open behind a key and a space" },
    { S("{\"a\":"), GW_JSON_E_TRUNCATED, 5, "open behind a colon" },
    { S("{\"a\":1"), GW_JSON_E_TRUNCATED, 6, "open behind a value" },
    { S("{\"a\":1,"), GW_JSON_E_TRUNCATED, 7, "open behind a comma" },
    { S("{\"a\":1,}"), GW_JSON_E_SYNTAX, 7, "a comma before the brace" },
    { S("{,\"a\":1}"), GW_JSON_E_SYNTAX, 1, "a comma behind the brace" },
    { S("{\"a\"}"), GW_JSON_E_SYNTAX, 4, "a key without a value" },
    { S("{\"a\":}"), GW_JSON_E_SYNTAX, 5, "a colon without a value" },
    { S("{\"a\",1}"), GW_JSON_E_SYNTAX, 4, "a comma for a colon" },
    { S("{\"a\"::1}"), GW_JSON_E_SYNTAX, 5, "two colons" },
    { S("{\"a\" 1}"), GW_JSON_E_SYNTAX, 5, "no colon" },
    { S("{:1}"), GW_JSON_E_SYNTAX, 1, "no key" },
    { S("{1:1}"), GW_JSON_E_SYNTAX, 1, "a number for a key" },
    { S("{a:1}"), GW_JSON_E_SYNTAX, 1, "a bare key" },
    { S("{null:1}"), GW_JSON_E_SYNTAX, 1, "null for a key" },
    { S("{[]:1}"), GW_JSON_E_SYNTAX, 1, "an array for a key" },
    { S("{\"a\":1 \"b\":2}"), GW_JSON_E_SYNTAX, 7, "no comma, a member" },
    { S("{\"a\":1,,\"b\":2}"), GW_JSON_E_SYNTAX, 7, "two commas, a member" },
    { S("{\"a\":1]"), GW_JSON_E_SYNTAX, 6, "an object closed by a bracket" },
    { S("{\"a\":1:2}"), GW_JSON_E_SYNTAX, 6, "two values" },
    { S("{\"a\":[1,2}"), GW_JSON_E_SYNTAX, 9, "an inner array left open" },
    { S("{\"a\":{\"b\":1]}"), GW_JSON_E_SYNTAX, 11, "closed crosswise" },

    { S("{\"a\":1,\"a\":2}"), GW_JSON_E_DUPLICATE, 7, "a key twice" },
    { S("{\"a\":1,\"b\":2,\"a\":3}"), GW_JSON_E_DUPLICATE, 13,
      "a key twice with one between" },
    { S("{\"a\":{\"x\":[1,{\"y\":2}]},\"a\":3}"), GW_JSON_E_DUPLICATE, 23,
      "a key twice with a container between" },
    { S("[{\"a\":{\"b\":1,\"b\":2}}]"), GW_JSON_E_DUPLICATE, 13,
      "a key twice further in" },
    { S("{\"\":1,\"\":2}"), GW_JSON_E_DUPLICATE, 6, "an empty key twice" },
    { S("{\"\" :1,\"\":2}"), GW_JSON_E_DUPLICATE, 7,
      "an empty key twice, once with a space" },
    { S("{\"\":1,\"a\":2,\"a\":3}"), GW_JSON_E_DUPLICATE, 12,
      "a key twice behind an empty one" },
    { S("{\"a\":1,\"\":2,\"a\":3}"), GW_JSON_E_DUPLICATE, 12,
      "a key twice around an empty one" },
    { S("{\"a\":1,\"\\u0061\":2}"), GW_JSON_E_DUPLICATE, 7,
      "a key twice, once escaped" },
    { S("{\"\\u0061\":1,\"a\":2}"), GW_JSON_E_DUPLICATE, 12,
      "a key twice, first escaped" },
    { S("{\"\\u0061b\":1,\"a\\u0062\":2}"), GW_JSON_E_DUPLICATE, 13,
      "a key twice, escaped in different places" },
    { S("{\"\\n\":1,\"\\u000A\":2}"), GW_JSON_E_DUPLICATE, 8,
      "a key twice, a short and a long escape" },
    { S("{\"\\/\":1,\"/\":2}"), GW_JSON_E_DUPLICATE, 8,
      "a key twice, a slash escaped" },
    { S("{\"\\u00e9\":1,\"\xc3\xa9\":2}"), GW_JSON_E_DUPLICATE, 12,
      "a key twice, a letter raw and escaped" },
    { S("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
      GW_JSON_E_DUPLICATE, 18, "a key twice, a pair and its four bytes" },
    { S("{\"\\u0000\":1,\"\\u0000\":2}"), GW_JSON_E_DUPLICATE, 12,
      "an escaped NUL twice" },
    { S("{\"x\":1,\"\\u0062\":2,\"x\":3}"), GW_JSON_E_DUPLICATE, 18,
      "a key twice around an escaped one" },
    { S("{\"b\":{\"\\u0061\":1},\"b\":3}"), GW_JSON_E_DUPLICATE, 18,
      "a key twice around an object with an escaped one" },
    { S("{\"a key longer than sixteen bytes\":1,"
        "\"a key longer than sixteen bytes\":2}"), GW_JSON_E_DUPLICATE, 37,
      "a long key twice" }
};


static void
test_grammar(void)
{
    size_t        i;
    const yes_t  *y;
    const no_t   *n;

    for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        y = &accepted[i];
        ok(judge(y->text, y->len) == GW_OK, "accepted: %s", y->name);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        n = &refusals[i];
        ok(refused(n->text, n->len, n->error, n->off), "refused: %s",
           n->name);
    }
}


static int
is_node(uint32_t i, uint32_t off, uint32_t len, uint32_t next,
    uint16_t count, uint8_t type, uint8_t flags)
{
    const gw_json_node_t  *t;

    t = &quick.tape[i];

    if (i < quick.n && t->off == off && t->len == len && t->next == next
        && t->count == count && t->type == type && t->flags == flags)
    {
        return 1;
    }

    printf("# node %u of %u: off %u len %u next %u count %u type %u flags "
           "%u\n", i, quick.n, t->off, t->len, t->next, t->count, t->type,
           t->flags);

    return 0;
}


static void
test_tape(void)
{
    is_u64(sizeof(gw_json_node_t), 16, "a node takes 16 bytes");

    judge(S(" {\"a\":-1,\"b\":[true,\n\"x\\n\",{}],\"c\":1.5,"
            "\"d\\t\":null} "));

    is_u64(quick.n, 12, "the tape has a node for each key and value");
    ok(is_node(0, 1, 48, 12, 4, GW_JSON_OBJECT, GW_JSON_F_NL),
       "the root covers all nodes and knows of the inner line end");
    ok(is_node(1, 3, 1, 2, 0, GW_JSON_STRING, GW_JSON_F_KEY),
       "a key is a string without its quotes");
    ok(is_node(2, 6, 2, 3, 0, GW_JSON_NUMBER, GW_JSON_F_INT|GW_JSON_F_NEG),
       "a negative integer is marked so");
    ok(is_node(3, 10, 1, 4, 0, GW_JSON_STRING, GW_JSON_F_KEY),
       "a second key follows the first value");
    ok(is_node(4, 13, 16, 8, 3, GW_JSON_ARRAY, GW_JSON_F_NL),
       "an array's next skips its elements");
    ok(is_node(5, 14, 4, 6, 0, GW_JSON_TRUE, 0), "a literal has its bytes");
    ok(is_node(6, 21, 3, 7, 0, GW_JSON_STRING, GW_JSON_F_ESCAPED),
       "an escaped string is marked so");
    ok(is_node(7, 26, 2, 8, 0, GW_JSON_OBJECT, 0),
       "a line end outside of a container does not mark it");
    ok(is_node(8, 31, 1, 9, 0, GW_JSON_STRING, GW_JSON_F_KEY),
       "a key follows an array");
    ok(is_node(9, 34, 3, 10, 0, GW_JSON_NUMBER, 0),
       "a fraction is not marked as an integer");
    ok(is_node(10, 39, 3, 11, 0, GW_JSON_STRING,
               GW_JSON_F_KEY|GW_JSON_F_ESCAPED),
       "an escaped key is marked as both");
    ok(is_node(11, 44, 4, 12, 0, GW_JSON_NULL, 0), "null takes four bytes");

    judge(S("[1e2,-0,12]"));
    ok(is_node(1, 1, 3, 2, 0, GW_JSON_NUMBER, 0),
       "an exponent is not marked as an integer");
    ok(is_node(2, 5, 2, 3, 0, GW_JSON_NUMBER, GW_JSON_F_INT|GW_JSON_F_NEG),
       "minus zero is a negative integer");

    judge(S("[[1],[2\n],[3]]"));
    ok(quick.tape[0].flags == GW_JSON_F_NL && quick.tape[1].flags == 0
       && quick.tape[3].flags == GW_JSON_F_NL && quick.tape[5].flags == 0,
       "a line end marks its container and those around it, no neighbor");

    judge(S("[[1],[2\r]]"));
    ok(quick.tape[0].flags == GW_JSON_F_NL && quick.tape[1].flags == 0,
       "CR is a line end too");

    judge(S("\n[1]\n"));
    ok(quick.tape[0].flags == 0 && quick.tape[0].off == 1,
       "line ends around the root do not mark it");

    judge(S("[\"\\n\"]"));
    ok(quick.tape[0].flags == 0, "an escaped line end marks no container");
}


/* every place a special byte can have relative to steps and the input's end */

static void
test_steps(void)
{
    int      good;
    size_t   n, at, pad, len, off;
    unsigned b;

    static const struct {
        const char       *text;
        size_t            len;
        gw_json_error_e   error;
    } odd[] = {
        { S("\x1f"), GW_JSON_E_CONTROL },
        { S("\0"), GW_JSON_E_CONTROL },
        { S("\xff"), GW_JSON_E_UTF8 },
        { S("\xe2\x82x"), GW_JSON_E_UTF8 },
        { S("\\x"), GW_JSON_E_ESCAPE },
        { S("\\ud800x"), GW_JSON_E_ESCAPE },
        { S("\xe2\x82\xac"), GW_JSON_E_NONE },
        { S("\\ud83d\\ude00"), GW_JSON_E_NONE },
        { S("\\\""), GW_JSON_E_NONE },
        { S("\x7f"), GW_JSON_E_NONE }
    };

    good = 1;

    for (b = 0; b < sizeof(odd) / sizeof(odd[0]); b++) {
        for (n = 0; n <= 36; n++) {
            for (at = 0; at <= n; at++) {
                for (pad = 0; pad <= 18; pad += (n & 1) ? 1 : 3) {

                    len = (size_t) sprintf(text, "{\"k\":\"%.*s", (int) at,
                                     "abcdefghijklmnopqrstuvwxyz0123456789");
                    off = len;
                    memcpy(text + len, odd[b].text, odd[b].len);
                    len += odd[b].len;
                    memset(text + len, 'z', n - at);
                    len += n - at;
                    text[len++] = '"';
                    memset(text + len, ' ', pad);
                    len += pad;
                    text[len++] = '}';

                    if (odd[b].error == GW_JSON_E_NONE) {
                        good &= judge(text, len) == GW_OK
                                && quick.tape[2].off == 6
                                && quick.tape[2].len == n + odd[b].len;

                    } else {
                        good &= refused(text, len, odd[b].error, off);
                    }
                }
            }
        }
    }

    ok(good, "a special byte is seen at every place of a string");

    good = 1;

    for (b = 0; b < 256; b++) {
        for (at = 0; at < 20; at++) {
            len = (size_t) sprintf(text, "[\"%020d\",1]", 0);
            text[2 + at] = (char) b;
            n = (size_t) (b >= 0x20 && b < 0x80 && b != '\\' && b != '"');
            good &= (judge(text, len) == GW_OK) == (int) n;
        }
    }

    ok(good, "of all bytes alone, a string takes 0x20 to 0x7f but two");

    good = 1;

    for (b = 0; b < 256; b++) {
        text[0] = '[';
        text[1] = '1';
        text[2] = (char) b;
        memcpy(text + 3, "2]                  ", 20);

        n = (size_t) ((b >= '0' && b <= '9') || b == '.' || b == ','
                      || b == 'e' || b == 'E');
        good &= (judge(text, 5) == GW_OK) == (int) n;
        good &= (judge(text, 20) == GW_OK) == (int) n;
    }

    ok(good, "between two digits stands a digit, a point, a comma or an e");

    good = 1;

    for (n = 1; n <= 36; n++) {
        for (at = 0; at <= 20; at++) {
            for (b = 0; b < 8; b++) {
                for (pad = 0; pad < 20; pad += 1 + (n & 3)) {

                    len = 0;
                    text[len++] = '[';

                    if (b & 1) {
                        text[len++] = '-';
                    }

                    memset(text + len, '7', n);
                    len += n;

                    if (at) {
                        text[len++] = '.';
                        memset(text + len, '3', at);
                        len += at;
                    }

                    if (b & 2) {
                        memcpy(text + len, "e+12", 4);
                        len += 4;
                    }

                    off = len - 1;

                    if (b & 4) {
                        memcpy(text + len, ",0", 2);
                        len += 2;
                    }

                    memset(text + len, ' ', pad);
                    len += pad;
                    text[len++] = ']';

                    good &= judge(text, len) == GW_OK
                            && quick.tape[1].off == 1
                            && quick.tape[1].len == off
                            && quick.tape[0].count == 1 + (b >> 2);
                }
            }
        }
    }

    ok(good, "a number of any length keeps all its bytes");
}


static const char  rich[] =
    " {\"device\":\"sensor-\\u0034\\ud83d\\ude00\xe2\x82\xac\",\"seq\":10485,"
    "\r\n \"a long key, longer than a step\" : [ true , false,null, -0.5e+3,"
    "\"a string that is also longer than one step\",[],{ },[[{\"x\":\"\"}]]],"
    "\t\"z\":{\"y\":{\"w\":-17}},\"\":12.25 }\n";


static void
test_truncation(void)
{
    int      good;
    size_t   n, len;

    len = sizeof(rich) - 1;
    good = 1;

    ok(judge(rich, len) == GW_OK, "the rich document is whole");
    ok(judge(rich, len - 1) == GW_OK, "its last line end is not missed");

    for (n = 0; n < len - 1; n++) {
        good &= refused(rich, n, n < 2 ? GW_JSON_E_EMPTY
                                       : GW_JSON_E_TRUNCATED, n);
    }

    ok(good, "cut at any other place it is called truncated, at its end");
}


/* limits: the bound itself passes, one more does not */

static int
limited(const gw_json_limits_t *limits, const char *s, gw_json_error_e error,
    size_t off)
{
    int        rc, good;
    size_t     len;
    gw_json_t  j;

    len = strlen(s);
    setup(&j, limits, 5);

    rc = gw_json_parse(&j, guarded(s, len), len);
    good = rc == (error ? GW_ERROR : GW_OK) && j.error == error
           && (error == GW_JSON_E_NONE || j.error_off == off);

    if (!good) {
        printf("# %s: error %d at %zu\n", s, (int) j.error, j.error_off);
    }

    /* the checked scan */

    if (error != GW_JSON_E_BYTES) {
        memmove(text, s, len);
        memset(text + len, ' ', 3);

        j.limits.max_bytes += 3;

        rc = gw_json_parse(&j, guarded(text, len + 3), len + 3);

        if (rc != (error ? GW_ERROR : GW_OK) || j.error != error
            || (error && j.error_off != off))
        {
            printf("# checked, %s: error %d at %zu\n", s, (int) j.error,
                   j.error_off);
            good = 0;
        }
    }

    teardown(&j);

    return good;
}


static void
test_limits(void)
{
    gw_json_t         j;
    uint32_t         *field;
    unsigned          i;
    static uint64_t   arena[8192];
    gw_json_limits_t  l;

    l = wide;
    l.max_bytes = 9;
    ok(limited(&l, "[123,456]", 0, 0), "as many bytes as max_bytes pass");
    ok(limited(&l, "[123,4567]", GW_JSON_E_BYTES, 9),
       "one byte more is too many");
    ok(gw_json_init(&j, &l, malloc(gw_json_arena_size(&l)), 1) == GW_OK
       && gw_json_parse(&j, guarded("\0\0\0\0\0\0\0\0\0\0", 10), 10)
          == GW_ERROR
       && j.error == GW_JSON_E_BYTES,
       "too long an input is refused before it is looked at");
    teardown(&j);

    l = wide;
    l.max_nodes = 4;
    ok(limited(&l, "[1,2,3]", 0, 0), "as many nodes as max_nodes pass");
    ok(limited(&l, "[1,2,3,4]", GW_JSON_E_NODES, 7),
       "one element more is too many");
    ok(limited(&l, "[{\"a\":2}]", 0, 0)
       && limited(&l, "[1,{\"a\":2}]", GW_JSON_E_NODES, 4),
       "a member takes two nodes");
    ok(limited(&l, "{\"a\":1,\"b\":2}", GW_JSON_E_NODES, 7),
       "one member more is too many, though its key had room");
    ok(limited(&l, "[[[[]]]]", 0, 0), "containers are nodes");
    ok(limited(&l, "[[[[[]]]]]", GW_JSON_E_NODES, 4),
       "one container more is too many");

    l.max_nodes = 1;
    ok(limited(&l, "[]", 0, 0) && limited(&l, "1", 0, 0)
       && limited(&l, "[1]", GW_JSON_E_NODES, 1)
       && limited(&l, "{\"a\":1}", GW_JSON_E_NODES, 1),
       "one node holds one value without children");

    l = wide;
    l.max_depth = 3;
    ok(limited(&l, "[{\"a\":[1]}]", 0, 0), "as deep as max_depth passes");
    ok(limited(&l, "[{\"a\":[[]]}]", GW_JSON_E_DEPTH, 7),
       "one array deeper is too deep");
    ok(limited(&l, "[{\"a\":[{}]}]", GW_JSON_E_DEPTH, 7),
       "one object deeper is too deep");
    ok(limited(&l, "[[[]],[[]],[[]]]", 0, 0),
       "depth is given back when a container closes");

    l.max_depth = 1;
    ok(limited(&l, "{\"a\":1}", 0, 0)
       && limited(&l, "{\"a\":[]}", GW_JSON_E_DEPTH, 5), "depth 1 is flat");

    l = wide;
    l.max_keys = 2;
    ok(limited(&l, "{\"a\":1,\"b\":2}", 0, 0), "max_keys members pass");
    ok(limited(&l, "{\"a\":1,\"b\":2, \"c\":3}", GW_JSON_E_KEYS, 14),
       "one member more is too many");
    ok(limited(&l, "[{\"a\":1,\"b\":{\"c\":3,\"d\":4}},1,2,3]", 0, 0),
       "members are counted for each object, elements are not");
    ok(limited(&l, "{\"a\":1,\"b\":{\"c\":3},\"d\":4}", GW_JSON_E_KEYS, 19),
       "the count goes on behind an inner object");

    for (i = 4; i < 40; i += 13) {
        l = wide;
        l.max_string = i;

        sprintf(text, "[\"%0*d\",12345678901234567890]", (int) i, 0);
        ok(limited(&l, text, 0, 0),
           "a string of max_string %u bytes passes", i);

        sprintf(text, "[\"%0*d\",12345678901234567890]", (int) i + 1, 0);
        ok(limited(&l, text, GW_JSON_E_STRING, 1),
           "one byte more than %u is too long", i);

        sprintf(text, "{\"%0*d\":12345678901234567890}", (int) i, 0);
        ok(limited(&l, text, 0, 0),
           "a key of max_string %u bytes passes", i);

        sprintf(text, "{\"%0*d\":12345678901234567890}", (int) i + 1, 0);
        ok(limited(&l, text, GW_JSON_E_STRING, 1),
           "a key of one byte more than %u is too long", i);

        l = wide;
        l.max_number = i;

        sprintf(text, "[1%0*d,\"12345678901234567890\"]", (int) i - 1, 0);
        ok(limited(&l, text, 0, 0),
           "a number of max_number %u bytes passes", i);

        sprintf(text, "[-1%0*d,\"12345678901234567890\"]", (int) i - 1, 0);
        ok(limited(&l, text, GW_JSON_E_LONG_NUMBER, 1),
           "a number of one byte more than %u is too long", i);

        sprintf(text, "1%0*d", (int) i, 0);
        ok(limited(&l, text, GW_JSON_E_LONG_NUMBER, 0),
           "so is one that ends with the input");
    }

    l = wide;
    l.max_string = 3;
    ok(limited(&l, "\"\\u0041\"", GW_JSON_E_STRING, 0),
       "a string is measured by its raw bytes");
    ok(limited(&l, "\"abcd\x01\"", GW_JSON_E_STRING, 0),
       "of a long string its length is named before what comes later");
    ok(limited(&l, "\"abc\x01\"", GW_JSON_E_CONTROL, 4),
       "a fault within the bound is named itself");

    for (i = 0; i < 6; i++) {
        l = wide;
        field = i == 0 ? &l.max_bytes : i == 1 ? &l.max_nodes
                : i == 2 ? &l.max_depth : i == 3 ? &l.max_keys
                : i == 4 ? &l.max_string : &l.max_number;
        *field = 0;
        ok(gw_json_init(&j, &l, arena, 0) == GW_ERROR,
           "limit %u of 0 is refused", i);
    }

    l = wide;
    l.max_nodes = 65536;
    ok(gw_json_init(&j, &l, arena, 0) == GW_ERROR,
       "65536 nodes are refused");

    l.max_nodes = 65535;
    setup(&j, &l, 1);
    memset(text, '1', 2 * 65534 + 1);

    for (i = 0; i < 65534; i++) {
        text[2 * i] = i ? ',' : '[';
    }

    text[2 * 65534] = ']';
    ok(gw_json_parse(&j, (uint8_t *) text, 2 * 65534 + 1) == GW_OK
       && j.n == 65535 && j.tape[0].count == 65534
       && j.tape[0].next == 65535, "65535 nodes fill the largest tape");
    teardown(&j);

    l.max_nodes = UINT32_C(1000);
    l.max_depth = UINT32_MAX;
    l.max_keys = UINT32_MAX;
    l.max_string = l.max_number = UINT32_MAX;
    ok(gw_json_arena_size(&l) < 48 * 1024
       && limited(&l, "{\"a\":[[[1]]]}", 0, 0),
       "the arena follows the nodes where the other limits are huge");
}


/* many keys: which one is the twin and where it stands */

static size_t
members(size_t n, const char *format, size_t twin, size_t at, size_t *off)
{
    size_t  i, len;

    len = 0;
    text[len++] = '{';

    for (i = 0; i < n; i++) {

        if (i) {
            text[len++] = ',';
        }

        if (i == at) {
            *off = len;
        }

        text[len++] = '"';
        len += (size_t) sprintf(text + len, format,
                                (unsigned) (i == at ? twin : i));
        len += (size_t) sprintf(text + len, (i % 7) ? "\":%u" : "\":[%u]",
                                (unsigned) i);
    }

    text[len++] = '}';

    return len;
}


static void
test_duplicates(void)
{
    int       good, none;
    size_t    n, k, at, len, off;
    unsigned  f;
    uint64_t  seed;

    static const char  *const formats[] = {
        "k%u", "%u", "sensor%03u.value", "ab%08ucd",
        "a rather long prefix in front of %u", "%u and a long tail behind",
        "\\u006b%u", "\xd1\x82%u"
    };

    for (f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
        good = none = 1;

        for (n = 2; n < 140; n += (n < 40) ? 1 : 33) {

            len = members(n, formats[f], 0, n + 1, &off);
            none &= judge(text, len) == GW_OK && quick.tape[0].count == n;

            for (at = 1; at < n; at += n < 24 ? 1 : 1 + n / 9) {
                for (k = 0; k < at; k += 1 + n / 7) {
                    len = members(n, formats[f], k, at, &off);
                    good &= refused(text, len, GW_JSON_E_DUPLICATE, off);
                }
            }
        }

        ok(none, "2 to 139 different keys like \"%s\" pass", formats[f]);
        ok(good, "any one of them twice is found where it stands again");
    }

    len = members(30000, "k%u", 0, 40000, &off);
    ok(judge(text, len) == GW_OK, "30000 different keys pass");

    len = members(30000, "k%u", 11, 29999, &off);
    ok(refused(text, len, GW_JSON_E_DUPLICATE, off),
       "the twin of one among 30000 is found");

    good = 1;
    seed = quick.seed;

    for (f = 0; f < 50; f++) {
        quick.seed = f * 0x9e3779b97f4a7c15ULL;
        good &= refused(text, len, GW_JSON_E_DUPLICATE, off);
    }

    quick.seed = seed;
    ok(good, "whatever the seed is");
}


static void
test_value(void)
{
    int               rc;
    size_t            n;
    gw_json_t         j;
    const uint8_t    *p;
    gw_json_limits_t  l;

    l = wide;
    l.max_bytes = 8;
    setup(&j, &l, 3);

    n = 99;
    p = guarded(S(" [1,2] x"));
    rc = gw_json_parse_value(&j, p, 8, &n);
    ok(rc == GW_OK && n == 6 && j.tape[0].off == 1,
       "parse_value stops behind the bracket");

    rc = gw_json_parse_value(&j, guarded(S("12 34")), 5, &n);
    ok(rc == GW_OK && n == 2, "parse_value stops behind a number");

    rc = gw_json_parse_value(&j, guarded(S("-1.5")), 4, &n);
    ok(rc == GW_OK && n == 4, "a number at the very end is whole");

    rc = gw_json_parse_value(&j, guarded(S("\"ab\"\"cd\"")), 8, &n);
    ok(rc == GW_OK && n == 4, "parse_value stops behind a string");

    rc = gw_json_parse_value(&j, guarded(S("nullx")), 5, &n);
    ok(rc == GW_OK && n == 4, "parse_value stops behind a literal");

    rc = gw_json_parse_value(&j, guarded(S("{}\0")), 3, &n);
    ok(rc == GW_OK && n == 2, "what follows is not looked at");

    rc = gw_json_parse_value(&j, guarded(S("[12,456],[1]]")), 13, &n);
    ok(rc == GW_OK && n == 8, "max_bytes bounds what was consumed");

    rc = gw_json_parse_value(&j, guarded(S("[123,456],[1]]")), 14, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_BYTES && j.error_off == 8,
       "one byte more is refused where the bound is");

    rc = gw_json_parse_value(&j, guarded(S("123456789")), 9, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_BYTES && j.error_off == 8,
       "a number is not cut at the bound");

    rc = gw_json_parse_value(&j, guarded(S("[123456,?]")), 10, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_BYTES && j.error_off == 8,
       "a fault behind the bound is one of the bound");

    rc = gw_json_parse_value(&j, guarded(S("[12345?,1]")), 10, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_SYNTAX && j.error_off == 6,
       "a fault before the bound is named itself");

    rc = gw_json_parse_value(&j, guarded(S("[123,45")), 7, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_TRUNCATED && j.error_off == 7,
       "the end before the bound is a truncation");

    rc = gw_json_parse_value(&j, guarded(S("          ")), 10, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_BYTES && j.error_off == 8,
       "so much white space is too many bytes");

    rc = gw_json_parse_value(&j, guarded(S("  ")), 2, &n);
    ok(rc == GW_ERROR && j.error == GW_JSON_E_EMPTY && j.error_off == 2,
       "little of it is empty");

    teardown(&j);
}


/* the elements' number, or -1 with quick.error */

static int
items(const char *s, size_t len)
{
    int              n, rc;
    gw_json_items_t  it;

    gw_json_items_init(&it, guarded(s, len), len);
    n = 0;

    while ((rc = gw_json_items_next(&it, &quick)) == GW_OK) {

        if (it.index != (uint32_t) n++ || quick.tape[0].off > 1
            || it.base < it.p || it.base >= it.p + len)
        {
            return -2;
        }
    }

    if (rc == GW_DONE) {
        return gw_json_items_next(&it, &quick) == GW_DONE ? n : -2;
    }

    return gw_json_items_next(&it, &quick) == GW_ERROR ? -1 : -2;
}


static int
items_refused(const char *s, size_t len, gw_json_error_e error, size_t off)
{
    int  n;

    n = items(s, len);

    if (n == -1 && quick.error == error && quick.error_off == off) {
        return 1;
    }

    printf("# %d, error %d at %zu\n", n, (int) quick.error, quick.error_off);

    return 0;
}


static void
test_items(void)
{
    int               good, rc;
    size_t            i, n, len;
    gw_json_t         j;
    gw_json_limits_t  l;
    gw_json_items_t   it;

    static const no_t  bad[] = {
        { S(""), GW_JSON_E_EMPTY, 0, "nothing" },
        { S("  "), GW_JSON_E_EMPTY, 2, "white space" },
        { S("["), GW_JSON_E_TRUNCATED, 1, "an open bracket" },
        { S("[ "), GW_JSON_E_TRUNCATED, 2, "an open bracket and a space" },
        { S("[1"), GW_JSON_E_TRUNCATED, 2, "open behind an element" },
        { S("[{}"), GW_JSON_E_TRUNCATED, 3, "open behind an object" },
        { S("[1,"), GW_JSON_E_TRUNCATED, 3, "open behind a comma" },
        { S("[1, "), GW_JSON_E_TRUNCATED, 4, "open behind a space" },
        { S("[{\"a\":1},{\"a\":"), GW_JSON_E_TRUNCATED, 14, "cut inside" },
        { S("[1,]"), GW_JSON_E_SYNTAX, 3, "a comma before the bracket" },
        { S("[,1]"), GW_JSON_E_SYNTAX, 1, "a comma behind the bracket" },
        { S("[,]"), GW_JSON_E_SYNTAX, 1, "a comma alone" },
        { S("[1,,2]"), GW_JSON_E_SYNTAX, 3, "two commas" },
        { S("[1 2]"), GW_JSON_E_SYNTAX, 3, "no comma" },
        { S("[1}"), GW_JSON_E_SYNTAX, 2, "a brace for a bracket" },
        { S("[1]x"), GW_JSON_E_TRAILING, 3, "a letter behind" },
        { S("[1] ]"), GW_JSON_E_TRAILING, 4, "a bracket too many" },
        { S("[]x"), GW_JSON_E_TRAILING, 2, "a letter behind an empty one" },
        { S("[] \0"), GW_JSON_E_CONTROL, 3, "a NUL behind" },
        { S("[\0]"), GW_JSON_E_CONTROL, 1, "a NUL inside" },
        { S("[1\0]"), GW_JSON_E_CONTROL, 2, "a NUL behind an element" },
        { S("[1,\0]"), GW_JSON_E_CONTROL, 3, "a NUL behind a comma" },
        { S("{}"), GW_JSON_E_SYNTAX, 0, "an object" },
        { S(" 1"), GW_JSON_E_SYNTAX, 1, "a number" },
        { S("[1,{\"a\":1,\"a\":2}]"), GW_JSON_E_DUPLICATE, 10,
          "a duplicate in an element" },
        { S("[ {} ,\n{\"a\":01}]"), GW_JSON_E_NUMBER, 13,
          "a bad number in an element" }
    };

    ok(items(S("[]")) == 0, "an empty batch has no element");
    ok(items(S(" [ \n] \r\n")) == 0, "an empty batch with white space");
    ok(items(S("[1]")) == 1, "a batch of one");
    ok(items(S("[1,\"a\",null,[1,2],{\"a\":[]}]")) == 5,
       "a batch of five kinds");
    ok(items(S(" [ 1 ,\n2\t, {} ,[]\r\n]\n\n ")) == 4,
       "a batch with white space everywhere");
    ok(items(S("[[]]")) == 1, "an array as an element");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(items_refused(bad[i].text, bad[i].len, bad[i].error, bad[i].off),
           "a batch is refused: %s", bad[i].name);
    }

    len = 0;
    text[len++] = '[';
    memcpy(text + len, rich, sizeof(rich) - 1);
    len += sizeof(rich) - 1;
    text[len++] = ',';
    memcpy(text + len, rich, sizeof(rich) - 1);
    len += sizeof(rich) - 1;
    text[len++] = ']';

    ok(items(text, len) == 2, "a batch of two rich documents");

    good = 1;

    for (n = 3; n < len; n++) {
        good &= items_refused(text, n, GW_JSON_E_TRUNCATED, n);
    }

    ok(good, "cut anywhere it is called truncated, at its end");

    /* limits are those of an element */

    l = wide;
    l.max_bytes = 10;
    l.max_nodes = 3;
    l.max_depth = 1;
    setup(&j, &l, 1);

    len = 0;

    for (i = 0; i < 5000; i++) {
        len += (size_t) sprintf(text + len, "%s{\"a\":%04u}", i ? "," : "[",
                                1000 + (unsigned) i);
    }

    text[len++] = ']';

    gw_json_items_init(&it, guarded(text, len), len);
    good = 1;

    while ((rc = gw_json_items_next(&it, &j)) == GW_OK) {
        good &= j.n == 3 && j.tape[2].len == 4
                && (unsigned) strtol((const char *) it.base
                                     + j.tape[2].off, NULL, 10)
                   == 1000 + it.index;
    }

    ok(good && rc == GW_DONE && it.index == 4999,
       "5000 elements pass a parser of 3 nodes and 10 bytes");

    memcpy(text, S("[{\"a\":1234},{\"a\":12345},1]"));
    gw_json_items_init(&it, guarded(text, 26), 26);
    rc = gw_json_items_next(&it, &j);
    ok(rc == GW_OK && gw_json_items_next(&it, &j) == GW_ERROR
       && j.error == GW_JSON_E_BYTES && j.error_off == 22,
       "an element of 11 bytes is too long, counted from the body");

    teardown(&j);
}


static void
test_strings(void)
{
    size_t          i, n;
    uint8_t         buf[64];
    const uint8_t  *p;

    static const struct {
        const char  *json;
        const char  *value;
        size_t       len;
    } t[] = {
        { "\"\"", S("") },
        { "\"plain\"", S("plain") },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", S("\"\\/\b\f\n\r\t") },
        { "\"a\\u0000b\"", S("a\0b") },
        { "\"\\u0041\\u007F\"", S("A\x7f") },
        { "\"\\u0080\\u07ff\"", S("\xc2\x80\xdf\xbf") },
        { "\"\\u0800\\uFfFf\"", S("\xe0\xa0\x80\xef\xbf\xbf") },
        { "\"\\ud800\\udc00\"", S("\xf0\x90\x80\x80") },
        { "\"\\uDBFF\\uDFFF\"", S("\xf4\x8f\xbf\xbf") },
        { "\"x\\ud83d\\ude00y\xc3\xa9\\n\"",
          S("x\xf0\x9f\x98\x80y\xc3\xa9\n") },
        { "\"\\\\u0041\"", S("\\u0041") }
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        n = (size_t) -1;

        if (judge_at(t[i].json, strlen(t[i].json), &p) == GW_OK
            && quick.tape[0].len <= sizeof(buf))
        {
            n = gw_json_unescape(p, &quick.tape[0], buf);
        }

        ok(n == t[i].len && n <= quick.tape[0].len
           && memcmp(buf, t[i].value, n) == 0, "%s is resolved",
           t[i].json);
    }

    is_u64(gw_json_peek(guarded(S(" \t\r\n[1]")), 7), '[',
           "peek gives the first byte that is not white space");
    is_u64(gw_json_peek(guarded(S("{")), 1), '{', "peek needs no space");
    is_u64(gw_json_peek(guarded(S(" \n")), 2), 0, "peek of white space is 0");
    is_u64(gw_json_peek(guarded(S("")), 0), 0, "peek of nothing is 0");

    for (i = 0; i < GW_JSON_E_N; i++) {
        p = (const uint8_t *) gw_json_strerror((gw_json_error_e) i);
        n = strlen((const char *) p);
        ok(n > 0 && p[n - 1] != '.', "error %zu is \"%s\"", i, p);
    }

    ok(gw_json_strerror(GW_JSON_E_N) != NULL, "an unknown error has words");
}


/* whether the tape says what jansson's tree says */

static int
same(const gw_json_t *j, const uint8_t *p, uint32_t i, json_t *v)
{
    int                    rc;
    size_t                 n;
    uint8_t               *buf;
    uint32_t               k, c;
    const gw_json_node_t  *node;

    node = &j->tape[i];

    switch (node->type) {

    case GW_JSON_NULL:
        return json_is_null(v);

    case GW_JSON_TRUE:
        return json_is_true(v);

    case GW_JSON_FALSE:
        return json_is_false(v);

    case GW_JSON_NUMBER:

        buf = calloc(1, node->len + 1);
        memcpy(buf, p + node->off, node->len);

        if (node->flags & GW_JSON_F_INT) {
            rc = json_is_integer(v)
                 && json_integer_value(v) == strtoll((char *) buf, NULL, 10);
        } else {
            rc = json_is_real(v)
                 && json_real_value(v) == strtod((char *) buf, NULL);
        }

        free(buf);
        return rc;

    case GW_JSON_STRING:

        buf = malloc(node->len + 1);
        n = gw_json_unescape(p, node, buf);
        rc = json_is_string(v) && n == json_string_length(v)
             && memcmp(buf, json_string_value(v), n) == 0;
        free(buf);
        return rc;

    case GW_JSON_ARRAY:

        if (!json_is_array(v) || json_array_size(v) != node->count) {
            return 0;
        }

        k = i + 1;

        for (c = 0; c < node->count; c++) {

            if (!same(j, p, k, json_array_get(v, c))) {
                return 0;
            }

            k = j->tape[k].next;
        }

        return 1;

    default:

        if (!json_is_object(v) || json_object_size(v) != node->count) {
            return 0;
        }

        k = i + 1;

        for (c = 0; c < node->count; c++) {
            buf = malloc(j->tape[k].len + 1);
            buf[gw_json_unescape(p, &j->tape[k], buf)] = '\0';
            rc = same(j, p, k + 1, json_object_get(v, (char *) buf));
            free(buf);

            if (!rc) {
                return 0;
            }

            k = j->tape[k + 1].next;
        }

        return 1;
    }
}


/*
 * Whether jansson agrees, or disagrees for a reason we know:
 *
 * - a number outside of int64 or double: it converts, we do not;
 * - \u0000 in a key: its keys are C strings;
 * - a raw NUL right behind a number or a literal: its lexer takes the NUL it
 *   has put back for the end of its own buffer and drops it.  We refuse.
 */

static unsigned  explained, unexplained;


static void
second_opinion(const char *s, size_t len)
{
    int             rc;
    json_t         *v;
    json_error_t    e;
    const uint8_t  *p;

    v = json_loadb(s, len,
                   JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL, &e);
    rc = judge_at(s, len, &p);

    if (rc == GW_OK && v != NULL) {

        if (same(&quick, p, 0, v)) {
            json_decref(v);
            return;
        }

    } else if (rc != GW_OK && v == NULL) {
        return;

    } else if (rc == GW_OK) {

        if (json_error_code(&e) == json_error_numeric_overflow
            || json_error_code(&e) == json_error_null_byte_in_key)
        {
            explained++;
            return;
        }

    } else if (quick.error == GW_JSON_E_CONTROL
               && s[quick.error_off] == '\0' && quick.error_off > 0
               && strchr("0123456789el", s[quick.error_off - 1]))
    {
        json_decref(v);
        explained++;
        return;
    }

    if (unexplained++ < 10) {
        printf("# we: %s at %zu; jansson: %s\n# %.*s\n",
               gw_json_strerror(quick.error), quick.error_off,
               v ? "accepts" : e.text, (int) len, s);
    }

    json_decref(v);
}


static uint64_t  xorshift = 0x2545f4914f6cdd1dULL;


static unsigned
dice(unsigned n)
{
    xorshift ^= xorshift << 13;
    xorshift ^= xorshift >> 7;
    xorshift ^= xorshift << 17;

    return (unsigned) (xorshift >> 33) % n;
}


static size_t
mutate(char *s, size_t len)
{
    size_t     at, n, to;
    char       cut[64];
    unsigned   kind;

    static const char  alphabet[] = "\"\\{}[]:,0123456789.eE+-tfnu \n\r\t/abd"
                                    "\0\x1f\x7f\x80\xbf\xc3\xa9\xed\xf0\xff";
    static const char  *const words[] = {
        "null", "true", "false", "\"a\":1,", "\"\\u0061\":2,", "\\ud83d",
        "\\ude00", "\\u0000", "[]", "{}", "-0", "1e5", "\xe2\x82\xac",
        "\"\"", ",\"\":0", "\"seq\":", "99999999999999999999", "1e999"
    };

    at = dice((unsigned) len + 1);
    kind = dice(8);

    if (len == 0 || kind == 0) {
        memmove(s + at + 1, s + at, len - at);
        s[at] = alphabet[dice(sizeof(alphabet) - 1)];
        return len + 1;
    }

    if (kind == 1) {
        kind = dice(sizeof(words) / sizeof(words[0]));
        n = strlen(words[kind]);
        memmove(s + at + n, s + at, len - at);
        memcpy(s + at, words[kind], n);
        return len + n;
    }

    at = dice((unsigned) len);

    switch (kind) {

    case 2:
        s[at] = (char) (s[at] ^ 1 << dice(8));
        return len;

    case 3:
        s[at] = alphabet[dice(sizeof(alphabet) - 1)];
        return len;

    case 4:
        memmove(s + at, s + at + 1, len - at - 1);
        return len - 1;

    case 5:
        return dice(4) ? len : at;

    default:

        /* a slice once more, elsewhere */

        n = 1 + dice(30);
        n = n < len - at ? n : len - at;
        memcpy(cut, s + at, n);
        to = dice((unsigned) len + 1);
        memmove(s + to + n, s + to, len - to);
        memcpy(s + to, cut, n);
        return len + n;
    }
}


static void
test_second_opinion(void)
{
    char      s[4096];
    size_t    i, len;
    unsigned  n, times;

    static const char  *const seeds[] = {
        "{\"device\":\"s-4217\",\"seq\":10485,\"class\":\"telemetry\","
        "\"ts\":1718000000123,\"data\":{\"temp\":21.53,\"rssi\":-67,"
        "\"ok\":true,\"err\":null,\"vib\":[0.01,-0.02,0.98]}}",
        "[{\"a\":1},{\"b\":[true,false,null]},\"x\\n\\u00e9\",-1.5e+3]",
        "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      2\n"
        "    ]\n  }\n}\n",
        "\"\\ud83d\\ude00 \xe2\x82\xac \\\\ \\\" text of some length\"",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
        "\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,"
        "\"p\":16,\"q\":17,\"r\":18}",
        "{\"\\u0061b\":[],\"c\":{},\"\":\"\"}",
        "[0,-0,1.25,1e5,1E-5,-12.5e+10,123456789012]",
        "-12.5e3", "true", "[[[[]]],{\"a\":{\"b\":{}}}]"
    };

    for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        second_opinion(accepted[i].text, accepted[i].len);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        second_opinion(refusals[i].text, refusals[i].len);
    }

    is_u64(unexplained, 0, "jansson agrees on the cases made by hand");

    unexplained = explained = 0;

    for (n = 0; n < 30000; n++) {
        i = dice(sizeof(seeds) / sizeof(seeds[0]));
        len = strlen(seeds[i]);
        memcpy(s, seeds[i], len);

        for (times = 1 + dice(3); times; times--) {
            len = mutate(s, len);
        }

        second_opinion(s, len);
    }

    is_u64(unexplained, 0, "jansson agrees on 30000 mutations");
    ok(explained > 0 && explained < 3000,
       "the known differences were met, and seldom");
}


int
main(void)
{
    setup(&quick, &wide, 0x0123456789abcdefULL);
    setup(&front, &wide, 7);
    setup(&careful, &wide, 0xfedcba9876543210ULL);

    test_grammar();
    test_tape();
    test_steps();
    test_truncation();
    test_limits();
    test_duplicates();
    test_value();
    test_items();
    test_strings();
    test_second_opinion();

    is_u64(disagreed, 0, "both scans agree on every input of this test");

    teardown(&quick);
    teardown(&front);
    teardown(&careful);

    return done_testing();
}
