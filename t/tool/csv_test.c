/*
 * csv_test.c - CSV as of RFC 4180, wherever the input is cut.
 *
 * The story: an operator imports what a spreadsheet has saved, with its mark,
 * its CRLF and its quotes.  Unseen without it: a field that is read otherwise
 * where a block of the file ends, a value under the wrong column, an error
 * that names the wrong line.
 */

#include "gw_test.h"

#include "csv.h"


static csv_t  csv;
static char   said[2 * CSV_RECORD_MAX];


/* fields in [], a record a line; cut: how many bytes are given at once */

static void
parse(const char *text, size_t len, size_t cut)
{
    int             rc;
    size_t          at, n, used;
    unsigned        i;
    gw_str_t        field;
    const uint8_t  *p, *end;

    csv_init(&csv);
    used = 0;
    at = 0;

    for ( ;; ) {
        n = len - at < cut ? len - at : cut;
        p = guarded(text + at, n);
        end = p + n;
        at += n;

        while ((rc = n ? csv_feed(&csv, &p, end) : csv_end(&csv)) == GW_OK) {

            for (i = 0; i < csv.n; i++) {
                field = csv_field(&csv, i);
                used += (size_t) sprintf(said + used, "%lu[%.*s]",
                                         csv_line(&csv, i), (int) field.len,
                                         field.data);
            }

            used += (size_t) sprintf(said + used, "|");
        }

        if (rc == GW_ERROR) {
            used += (size_t) sprintf(said + used, "line %lu field %u: %s",
                                     csv.line, csv.n + 1, csv.error);
        }

        if (rc != GW_AGAIN) {
            break;
        }
    }

    said[used] = '\0';
}


static void
reads(const char *text, size_t len, const char *want, const char *name)
{
    size_t  cut;

    for (cut = 1; cut < len; cut++) {
        parse(text, len, cut);

        if (strcmp(said, want) != 0) {
            break;
        }
    }

    if (cut >= len) {
        parse(text, len, len ? len : 1);
    }

    is_str(said, strlen(said), want, "%s", name);
}

#define reads(text, want, name)  reads(text, sizeof(text) - 1, want, name)


static void
test_limits(void)
{
    char    text[CSV_RECORD_MAX + 3];
    size_t  i;

    memset(text, 'a', sizeof(text));
    text[CSV_RECORD_MAX] = '\n';

    parse(text, CSV_RECORD_MAX + 1, 4096);
    ok(csv.error == NULL && csv.n == 1, "a record may have 16384 bytes");

    text[CSV_RECORD_MAX] = 'a';
    parse(text, CSV_RECORD_MAX + 1, 4096);
    ok(csv.error != NULL, "and no more");

    for (i = 0; i < CSV_FIELDS_MAX; i++) {
        text[i] = ',';
    }

    parse(text, CSV_FIELDS_MAX - 1, 4096);
    ok(csv.error == NULL && csv.n == CSV_FIELDS_MAX,
       "a record may have 32 fields");

    parse(text, CSV_FIELDS_MAX, 4096);
    ok(csv.error != NULL, "and no more, though the last one is empty");
}


int
main(void)
{
    reads("", "", "nothing has no record");
    reads("a,b\nc,d\n", "1[a]1[b]|2[c]2[d]|", "LF ends a record");
    reads("a,b\r\nc,d\r\n", "1[a]1[b]|2[c]2[d]|", "so does CRLF");
    reads("a,b", "1[a]1[b]|", "and so does the end of the file");
    reads("a,", "1[a]1[]|", "a comma is followed by a field");
    reads(",\n,", "1[]1[]|2[]2[]|", "which may be empty");
    reads("a\n\n\r\nb\n\n", "1[a]|4[b]|", "empty lines are passed over");
    reads("\"\"\n", "1[]|", "but for one with an empty field in quotes");
    reads("\"a,b\",c\n", "1[a,b]1[c]|", "quotes keep a comma");
    reads("\"a\"\"b\"\"\"\n", "1[a\"b\"]|", "two quotes stand for one");
    reads("\"a\r\nb\",\"\n\",c\nd\n", "1[a\r\nb]2[\n]3[c]|4[d]|",
          "quotes keep line ends, and lines are counted on");
    reads(" a , b\n", "1[ a ]1[ b]|", "blanks belong to the field");
    reads("\xef\xbb\xbf" "a,b\n", "1[a]1[b]|",
          "a byte order mark is passed over");
    reads("\xef\xbb\xbf" "\"a\"\n", "1[a]|", "also in front of a quote");
    reads("\xef\xbb\xbf" "\r\na\n", "2[a]|", "also on a line of its own");
    reads("a\n\xef\xbb\xbf" "b\n", "1[a]|2[\xef\xbb\xbf" "b]|",
          "further on it is a character");
    reads("\"\xef\xbb\xbf\"\n", "1[\xef\xbb\xbf]|", "and so it is in quotes");

    reads("a\nb,c\"d\n",
          "1[a]|line 2 field 2: a quote inside a field that is not quoted",
          "a quote inside a plain field is refused");
    reads("\"a\"b\n", "line 1 field 1: bytes behind the closing quote",
          "so is what follows the closing one");
    reads("\"a\n\n", "line 1 field 1: a quoted field has no end",
          "so is the end of the file inside quotes, by the line of the first");
    reads("a\rb\n",
          "line 1 field 2: a carriage return without a line feed",
          "so is a carriage return alone");
    reads("a\n\r", "1[a]|line 2 field 1: a carriage return without a line"
          " feed", "also as the last byte");
    reads("a\n\0b\n", "1[a]|line 2 field 1: a NUL byte", "so is NUL");

    test_limits();

    return done_testing();
}
