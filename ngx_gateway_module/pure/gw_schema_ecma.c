/*
 * gw_schema_ecma.c - the other part of gw_schema_pattern.h: ECMA-262, section
 * "Patterns" with the flag u, written anew in the language of PCRE2.
 */

#include <stdio.h>
#include <stdlib.h>

#include "gw_schema_pattern.h"
#include "gw_schema_string.h"


#define GW_SCHEMA_GROUPS  200      /* inside each other */

/* WhiteSpace and LineTerminator of ECMA-262, and all but these */

#define GW_SCHEMA_SPACE                                                       \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}"        \
    "\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define GW_SCHEMA_NO_SPACE                                                    \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}"             \
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"               \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}"               \
    "\\x{ff00}-\\x{10ffff}"


typedef struct {
    const uint8_t  *p;
    const uint8_t  *last;
    const char     *wrong;
    char           *out;
    size_t          len;
    size_t          size;
    uint8_t         around[GW_SCHEMA_GROUPS];  /* 1: the group looks around */
    unsigned        depth;
    unsigned        quantifiable;
} gw_schema_ecma_t;


typedef struct {
    const char  *name;
    const char  *category;
} gw_schema_category_t;


static int gw_schema_ecma_atom(gw_schema_ecma_t *e);
static int gw_schema_ecma_group(gw_schema_ecma_t *e);
static int gw_schema_ecma_quantifier(gw_schema_ecma_t *e);
static int gw_schema_ecma_class(gw_schema_ecma_t *e);
static int gw_schema_ecma_escape(gw_schema_ecma_t *e, int in_class,
    uint32_t *c);
static int gw_schema_ecma_property(gw_schema_ecma_t *e, int negated);


/* values of General_Category: PropertyValueAliases.txt of Unicode */

static const gw_schema_category_t  gw_schema_categories[] = {
    { "Cased_Letter", "L&" }, { "LC", "L&" },
    { "Close_Punctuation", "Pe" }, { "Pe", "Pe" },
    { "Connector_Punctuation", "Pc" }, { "Pc", "Pc" },
    { "Control", "Cc" }, { "Cc", "Cc" }, { "cntrl", "Cc" },
    { "Currency_Symbol", "Sc" }, { "Sc", "Sc" },
    { "Dash_Punctuation", "Pd" }, { "Pd", "Pd" },
    { "Decimal_Number", "Nd" }, { "Nd", "Nd" }, { "digit", "Nd" },
    { "Enclosing_Mark", "Me" }, { "Me", "Me" },
    { "Final_Punctuation", "Pf" }, { "Pf", "Pf" },
    { "Format", "Cf" }, { "Cf", "Cf" },
    { "Initial_Punctuation", "Pi" }, { "Pi", "Pi" },
    { "Letter", "L" }, { "L", "L" },
    { "Letter_Number", "Nl" }, { "Nl", "Nl" },
    { "Line_Separator", "Zl" }, { "Zl", "Zl" },
    { "Lowercase_Letter", "Ll" }, { "Ll", "Ll" },
    { "Mark", "M" }, { "M", "M" }, { "Combining_Mark", "M" },
    { "Math_Symbol", "Sm" }, { "Sm", "Sm" },
    { "Modifier_Letter", "Lm" }, { "Lm", "Lm" },
    { "Modifier_Symbol", "Sk" }, { "Sk", "Sk" },
    { "Nonspacing_Mark", "Mn" }, { "Mn", "Mn" },
    { "Number", "N" }, { "N", "N" },
    { "Open_Punctuation", "Ps" }, { "Ps", "Ps" },
    { "Other", "C" }, { "C", "C" },
    { "Other_Letter", "Lo" }, { "Lo", "Lo" },
    { "Other_Number", "No" }, { "No", "No" },
    { "Other_Punctuation", "Po" }, { "Po", "Po" },
    { "Other_Symbol", "So" }, { "So", "So" },
    { "Paragraph_Separator", "Zp" }, { "Zp", "Zp" },
    { "Private_Use", "Co" }, { "Co", "Co" },
    { "Punctuation", "P" }, { "P", "P" }, { "punct", "P" },
    { "Separator", "Z" }, { "Z", "Z" },
    { "Space_Separator", "Zs" }, { "Zs", "Zs" },
    { "Spacing_Mark", "Mc" }, { "Mc", "Mc" },
    { "Surrogate", "Cs" }, { "Cs", "Cs" },
    { "Symbol", "S" }, { "S", "S" },
    { "Titlecase_Letter", "Lt" }, { "Lt", "Lt" },
    { "Unassigned", "Cn" }, { "Cn", "Cn" },
    { "Uppercase_Letter", "Lu" }, { "Lu", "Lu" },
    { NULL, NULL }
};


static int
gw_schema_ecma_wrong(gw_schema_ecma_t *e, const char *what)
{
    if (e->wrong == NULL) {
        e->wrong = what;
    }

    return GW_ERROR;
}


static int
gw_schema_ecma_put(gw_schema_ecma_t *e, const char *s, size_t n)
{
    char    *out;
    size_t   size;

    if (n >= e->size - e->len) {
        size = (e->size + n) * 2;

        out = realloc(e->out, size);
        if (out == NULL) {
            return gw_schema_ecma_wrong(e, "no memory");
        }

        e->out = out;
        e->size = size;
    }

    memcpy(e->out + e->len, s, n);
    e->len += n;
    e->out[e->len] = '\0';

    return GW_OK;
}


static int
gw_schema_ecma_str(gw_schema_ecma_t *e, const char *s)
{
    return gw_schema_ecma_put(e, s, strlen(s));
}


static int
gw_schema_ecma_char(gw_schema_ecma_t *e, uint32_t c)
{
    int   n;
    char  buf[16];

    if (c >= 0xd800 && c <= 0xdfff) {
        return gw_schema_ecma_wrong(e, "a lone surrogate");
    }

    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z'))
    {
        buf[0] = (char) c;
        n = 1;

    } else {
        n = snprintf(buf, sizeof(buf), "\\x{%x}", (unsigned) c);
    }

    return gw_schema_ecma_put(e, buf, (size_t) n);
}


static int
gw_schema_ecma_is(gw_schema_ecma_t *e, const char *s)
{
    size_t  n;

    n = strlen(s);

    if ((size_t) (e->last - e->p) < n || memcmp(e->p, s, n) != 0) {
        return 0;
    }

    e->p += n;

    return 1;
}


/* one character of the pattern's own text */

static uint32_t
gw_schema_ecma_next(gw_schema_ecma_t *e)
{
    uint32_t            c;
    gw_schema_string_t  s;

    s.data = e->p;
    s.len = (uint32_t) (e->last - e->p);
    s.escaped = 0;

    c = gw_schema_char(&s);
    e->p = s.data;

    return c;
}


char *
gw_schema_pattern_translate(const uint8_t *text, size_t len, char *why,
    size_t size)
{
    int               rc;
    gw_schema_ecma_t  e;

    memset(&e, 0, sizeof(gw_schema_ecma_t));
    e.p = text;
    e.last = text + len;
    e.size = len + 64;

    e.out = malloc(e.size);
    if (e.out == NULL) {
        (void) snprintf(why, size, "no memory");
        return NULL;
    }

    e.out[0] = '\0';
    rc = GW_OK;

    while (rc == GW_OK && e.p < e.last) {
        rc = gw_schema_ecma_atom(&e);
    }

    if (rc == GW_OK && e.depth) {
        rc = gw_schema_ecma_wrong(&e, "a group is not closed");
    }

    if (rc != GW_OK) {
        (void) snprintf(why, size, "%s, at byte %u", e.wrong,
                        (unsigned) (e.p - text));
        free(e.out);
        return NULL;
    }

    return e.out;
}


static int
gw_schema_ecma_atom(gw_schema_ecma_t *e)
{
    uint32_t  c;

    switch (*e->p) {

    case '(':
        e->p++;
        return gw_schema_ecma_group(e);

    case ')':
        if (e->depth == 0) {
            return gw_schema_ecma_wrong(e, "\")\" without \"(\"");
        }

        e->p++;
        e->quantifiable = !e->around[--e->depth];
        return gw_schema_ecma_str(e, ")");

    case '|':
        e->p++;
        e->quantifiable = 0;
        return gw_schema_ecma_str(e, "|");

    case '^':
        e->p++;
        e->quantifiable = 0;
        return gw_schema_ecma_str(e, "^");

    case '$':
        e->p++;
        e->quantifiable = 0;
        return gw_schema_ecma_str(e, "$");

    case '*':
    case '+':
    case '?':
    case '{':
        return gw_schema_ecma_quantifier(e);

    case '}':
    case ']':
        return gw_schema_ecma_wrong(e, "a lone bracket");

    case '[':
        e->p++;
        e->quantifiable = 1;
        return gw_schema_ecma_class(e);

    case '.':
        e->p++;
        e->quantifiable = 1;
        return gw_schema_ecma_str(e, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");

    case '\\':
        e->p++;

        if (gw_schema_ecma_is(e, "b")) {
            e->quantifiable = 0;
            return gw_schema_ecma_str(e, "\\b");
        }

        if (gw_schema_ecma_is(e, "B")) {
            e->quantifiable = 0;
            return gw_schema_ecma_str(e, "\\B");
        }

        e->quantifiable = 1;

        switch (gw_schema_ecma_escape(e, 0, &c)) {
        case GW_OK:    return gw_schema_ecma_char(e, c);
        case GW_DONE:  return GW_OK;
        default:       return GW_ERROR;
        }

    default:
        e->quantifiable = 1;
        return gw_schema_ecma_char(e, gw_schema_ecma_next(e));
    }
}


static int
gw_schema_ecma_group(gw_schema_ecma_t *e)
{
    size_t       n;
    const char  *open;

    if (e->depth == GW_SCHEMA_GROUPS) {
        return gw_schema_ecma_wrong(e, "too many groups inside each other");
    }

    /* no group is referred to, so none is captured */

    open = "(?:";
    e->around[e->depth] = 0;

    if (gw_schema_ecma_is(e, "?:")) {
        /* void */

    } else if (gw_schema_ecma_is(e, "?=")) {
        open = "(?=";
        e->around[e->depth] = 1;

    } else if (gw_schema_ecma_is(e, "?!")) {
        open = "(?!";
        e->around[e->depth] = 1;

    } else if (gw_schema_ecma_is(e, "?<=")) {
        open = "(?<=";
        e->around[e->depth] = 1;

    } else if (gw_schema_ecma_is(e, "?<!")) {
        open = "(?<!";
        e->around[e->depth] = 1;

    } else if (gw_schema_ecma_is(e, "?<")) {
        for (n = 0; e->p < e->last; n++) {
            if (!((*e->p | 0x20) >= 'a' && (*e->p | 0x20) <= 'z')
                && *e->p != '_' && *e->p != '$'
                && (n == 0 || *e->p < '0' || *e->p > '9'))
            {
                break;
            }

            e->p++;
        }

        if (n == 0 || !gw_schema_ecma_is(e, ">")) {
            return gw_schema_ecma_wrong(e, "a bad or unsupported group name");
        }

    } else if (gw_schema_ecma_is(e, "?")) {
        return gw_schema_ecma_wrong(e, "a bad or unsupported group");
    }

    e->depth++;
    e->quantifiable = 0;

    return gw_schema_ecma_str(e, open);
}


static int
gw_schema_ecma_digits(gw_schema_ecma_t *e, uint32_t *n)
{
    const uint8_t  *from;

    from = e->p;
    *n = 0;

    while (e->p < e->last && *e->p >= '0' && *e->p <= '9') {
        *n = *n * 10 + (*e->p++ - '0');

        /* PCRE2's own limit */

        if (*n > 65535) {
            return gw_schema_ecma_wrong(e, "a quantifier above 65535");
        }
    }

    return e->p > from ? GW_OK : gw_schema_ecma_wrong(e, "a bad quantifier");
}


static int
gw_schema_ecma_quantifier(gw_schema_ecma_t *e)
{
    int       n;
    char      buf[32];
    uint32_t  min, max;

    if (!e->quantifiable) {
        return gw_schema_ecma_wrong(e, "nothing to repeat");
    }

    e->quantifiable = 0;

    if (*e->p != '{') {
        buf[0] = (char) *e->p++;
        n = 1;

    } else {
        e->p++;

        if (gw_schema_ecma_digits(e, &min) != GW_OK) {
            return GW_ERROR;
        }

        if (gw_schema_ecma_is(e, "}")) {
            n = snprintf(buf, sizeof(buf), "{%u}", (unsigned) min);

        } else if (gw_schema_ecma_is(e, ",}")) {
            n = snprintf(buf, sizeof(buf), "{%u,}", (unsigned) min);

        } else {
            if (!gw_schema_ecma_is(e, ",")
                || gw_schema_ecma_digits(e, &max) != GW_OK
                || !gw_schema_ecma_is(e, "}"))
            {
                return gw_schema_ecma_wrong(e, "a bad quantifier");
            }

            if (max < min) {
                return gw_schema_ecma_wrong(e, "a quantifier out of order");
            }

            n = snprintf(buf, sizeof(buf), "{%u,%u}", (unsigned) min,
                         (unsigned) max);
        }
    }

    if (gw_schema_ecma_put(e, buf, (size_t) n) != GW_OK) {
        return GW_ERROR;
    }

    return gw_schema_ecma_is(e, "?") ? gw_schema_ecma_str(e, "?") : GW_OK;
}


/* one member of a class: GW_OK: *c is it; GW_DONE: it was a set */

static int
gw_schema_ecma_member(gw_schema_ecma_t *e, uint32_t *c)
{
    if (gw_schema_ecma_is(e, "\\")) {
        return gw_schema_ecma_escape(e, 1, c);
    }

    *c = gw_schema_ecma_next(e);

    return GW_OK;
}


static int
gw_schema_ecma_class(gw_schema_ecma_t *e)
{
    int       rc;
    uint32_t  from, to;

    if (gw_schema_ecma_is(e, "^]")) {
        return gw_schema_ecma_str(e, "[\\x{0}-\\x{10ffff}]");
    }

    if (gw_schema_ecma_is(e, "]")) {
        return gw_schema_ecma_str(e, "[^\\x{0}-\\x{10ffff}]");
    }

    if (gw_schema_ecma_str(e, gw_schema_ecma_is(e, "^") ? "[^" : "[")
        != GW_OK)
    {
        return GW_ERROR;
    }

    for ( ;; ) {

        if (e->p == e->last) {
            return gw_schema_ecma_wrong(e, "a class is not closed");
        }

        if (gw_schema_ecma_is(e, "]")) {
            return gw_schema_ecma_str(e, "]");
        }

        rc = gw_schema_ecma_member(e, &from);

        if (rc == GW_ERROR
            || (rc == GW_OK && gw_schema_ecma_char(e, from) != GW_OK))
        {
            return GW_ERROR;
        }

        /* a "-" in front of the bracket is itself */

        if (e->last - e->p < 2 || e->p[0] != '-' || e->p[1] == ']') {
            continue;
        }

        e->p++;

        if (rc == GW_DONE || gw_schema_ecma_member(e, &to) != GW_OK
            || from > to)
        {
            return gw_schema_ecma_wrong(e, "a bad range");
        }

        if (gw_schema_ecma_str(e, "-") != GW_OK
            || gw_schema_ecma_char(e, to) != GW_OK)
        {
            return GW_ERROR;
        }
    }
}


static int
gw_schema_ecma_hex(gw_schema_ecma_t *e, unsigned n, uint32_t *c)
{
    unsigned  digit, lower;

    for (*c = 0; n; n--) {

        if (e->p == e->last) {
            return GW_ERROR;
        }

        digit = (unsigned) *e->p - '0';
        lower = (unsigned) (*e->p | 0x20) - 'a';

        if (digit > 9 && lower > 5) {
            return GW_ERROR;
        }

        *c = *c << 4 | (digit <= 9 ? digit : lower + 10);
        e->p++;
    }

    return GW_OK;
}


static int
gw_schema_ecma_unicode(gw_schema_ecma_t *e, uint32_t *c)
{
    uint32_t        low;
    const uint8_t  *from;

    if (gw_schema_ecma_is(e, "{")) {
        *c = 0;
        from = e->p;

        while (*c <= 0x10ffff && gw_schema_ecma_hex(e, 1, &low) == GW_OK) {
            *c = *c << 4 | low;
        }

        return e->p > from && *c <= 0x10ffff && gw_schema_ecma_is(e, "}")
               ? GW_OK : GW_ERROR;
    }

    if (gw_schema_ecma_hex(e, 4, c) != GW_OK) {
        return GW_ERROR;
    }

    if (*c >= 0xd800 && *c <= 0xdbff) {
        from = e->p;

        if (gw_schema_ecma_is(e, "\\u")
            && gw_schema_ecma_hex(e, 4, &low) == GW_OK
            && low >= 0xdc00 && low <= 0xdfff)
        {
            *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);

        } else {
            e->p = from;
        }
    }

    return GW_OK;
}


/* behind the backslash: GW_OK: *c; GW_DONE: it was a set, and is written */

static int
gw_schema_ecma_escape(gw_schema_ecma_t *e, int in_class, uint32_t *c)
{
    uint8_t      letter;
    const char  *set;

    if (e->p == e->last) {
        return gw_schema_ecma_wrong(e, "a backslash at the end");
    }

    letter = *e->p++;
    set = NULL;

    switch (letter) {

    case 'd':  set = in_class ? "0-9" : "[0-9]";  break;
    case 'D':  set = in_class ? "\\x{0}-/:-\\x{10ffff}" : "[^0-9]";  break;

    case 'w':
        set = in_class ? "0-9A-Z_a-z" : "[0-9A-Z_a-z]";
        break;

    case 'W':
        set = in_class ? "\\x{0}-/:-@\\x{5b}-\\x{5e}`{-\\x{10ffff}"
                       : "[^0-9A-Z_a-z]";
        break;

    case 's':
        set = in_class ? GW_SCHEMA_SPACE : "[" GW_SCHEMA_SPACE "]";
        break;

    case 'S':
        set = in_class ? GW_SCHEMA_NO_SPACE : "[^" GW_SCHEMA_SPACE "]";
        break;

    case 'p':
    case 'P':
        return gw_schema_ecma_property(e, letter == 'P');

    case 'f':  *c = '\f';  return GW_OK;
    case 'n':  *c = '\n';  return GW_OK;
    case 'r':  *c = '\r';  return GW_OK;
    case 't':  *c = '\t';  return GW_OK;
    case 'v':  *c = '\v';  return GW_OK;

    case 'b':
        *c = '\b';
        return GW_OK;

    case 'c':
        if (e->p < e->last && (*e->p | 0x20) >= 'a' && (*e->p | 0x20) <= 'z')
        {
            *c = *e->p++ & 0x1f;
            return GW_OK;
        }

        return gw_schema_ecma_wrong(e, "a bad \\c");

    case '0':
        if (e->p < e->last && *e->p >= '0' && *e->p <= '9') {
            return gw_schema_ecma_wrong(e, "an octal escape");
        }

        *c = 0;
        return GW_OK;

    case 'x':
        return gw_schema_ecma_hex(e, 2, c) == GW_OK
               ? GW_OK : gw_schema_ecma_wrong(e, "a bad \\x");

    case 'u':
        return gw_schema_ecma_unicode(e, c) == GW_OK
               ? GW_OK : gw_schema_ecma_wrong(e, "a bad \\u");

    case '-':
        *c = '-';
        return in_class ? GW_OK
                        : gw_schema_ecma_wrong(e, "an unknown escape");

    default:
        if ((letter >= '1' && letter <= '9') || letter == 'k') {
            return gw_schema_ecma_wrong(e, "a reference to a group (not "
                                        "supported)");
        }

        if (strchr("^$\\.*+?()[]{}|/", letter) == NULL || letter == '\0') {
            return gw_schema_ecma_wrong(e, "an unknown escape");
        }

        *c = letter;
        return GW_OK;
    }

    return gw_schema_ecma_str(e, set) == GW_OK ? GW_DONE : GW_ERROR;
}


static int
gw_schema_ecma_in(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0) {
        list++;
    }

    return *list != NULL;
}


static int
gw_schema_ecma_property(gw_schema_ecma_t *e, int negated)
{
    int                          n;
    char                         name[48], buf[80], *value;
    size_t                       len;
    const char                  *set, *prefix;
    const gw_schema_category_t  *category;

    static const char *const  binary[] = {
        "Alphabetic", "Alpha", "Any", "ASCII", "ASCII_Hex_Digit", "AHex",
        "Dash", "Default_Ignorable_Code_Point", "DI", "Diacritic", "Dia",
        "Emoji", "Emoji_Presentation", "Extended_Pictographic",
        "Grapheme_Base", "Gr_Base", "Grapheme_Extend", "Gr_Ext", "Hex_Digit",
        "Hex", "ID_Continue", "IDC", "ID_Start", "IDS", "Ideographic", "Ideo",
        "Lowercase", "Lower", "Math", "Uppercase", "Upper", "White_Space",
        "space", "XID_Continue", "XIDC", "XID_Start", "XIDS", NULL
    };

    static const char *const  scripts[] = {
        "Script", "sc", "Script_Extensions", "scx", NULL
    };

    if (!gw_schema_ecma_is(e, "{")) {
        return gw_schema_ecma_wrong(e, "a bad \\p");
    }

    value = NULL;

    for (len = 0; e->p < e->last && *e->p != '}'; e->p++) {

        if (len == sizeof(name) - 1
            || !((*e->p >= '0' && *e->p <= '9') || *e->p == '_'
                 || ((*e->p | 0x20) >= 'a' && (*e->p | 0x20) <= 'z')
                 || (*e->p == '=' && value == NULL)))
        {
            return gw_schema_ecma_wrong(e, "a bad \\p");
        }

        name[len] = (char) *e->p;

        if (*e->p == '=') {
            name[len] = '\0';
            value = name + len + 1;
        }

        len++;
    }

    name[len] = '\0';

    if (!gw_schema_ecma_is(e, "}")) {
        return gw_schema_ecma_wrong(e, "a bad \\p");
    }

    set = NULL;
    prefix = "";

    if (value && gw_schema_ecma_in(scripts, name)) {
        prefix = strchr(name, 'x') ? "scx:" : "sc:";
        set = value;

    } else if (value == NULL && strcmp(name, "Assigned") == 0) {
        negated = !negated;
        set = "Cn";

    } else if (value == NULL && gw_schema_ecma_in(binary, name)) {
        set = name;

    } else if (value == NULL || strcmp(name, "General_Category") == 0
               || strcmp(name, "gc") == 0)
    {
        value = value ? value : name;

        for (category = gw_schema_categories; category->name; category++) {

            if (strcmp(category->name, value) == 0) {
                set = category->category;
            }
        }
    }

    if (set == NULL) {
        return gw_schema_ecma_wrong(e, "an unknown property");
    }

    n = snprintf(buf, sizeof(buf), "\\%c{%s%s}", negated ? 'P' : 'p', prefix,
                 set);

    return gw_schema_ecma_put(e, buf, (size_t) n) == GW_OK ? GW_DONE
                                                           : GW_ERROR;
}
