/*
 * bodies.c - the envelopes of the devices; see bodies.h.
 *
 * At the start a few hundred templates are composed: literal text with slots
 * for the metadata and for digits.  A message picks one and fills the slots,
 * which costs a fraction of a microsecond: the load shares a core with the
 * server that it measures.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bodies.h"


#define BODIES_TEMPLATES    256
#define BODIES_MEMORY       (8 * 1024 * 1024)   /* bytes of all templates */
#define BODIES_NESTING      4      /* levels below "data" */
#define BODIES_OVERHEAD     86     /* bytes of an envelope but its data */
#define BODIES_LONG         2048   /* from so many bytes on strings are long */
#define BODIES_NAME_MAX     32     /* bytes of a device or an epoch */
#define BODIES_NUMBER_MAX   20     /* digits of 2^64 - 1 */

#define bodies_lit(g, s)    bodies_add(g, s, sizeof(s) - 1)
#define bodies_count(a)     (sizeof(a) / sizeof((a)[0]))


typedef enum {
    BODIES_TEXT = 0,
    BODIES_DIGITS,
    BODIES_DEVICE,
    BODIES_EPOCH,              /* the member with its comma, or nothing */
    BODIES_SEQ,
    BODIES_CLASS
} bodies_op_e;


typedef enum {
    BODIES_M_DEVICE = 0,
    BODIES_M_SEQ,
    BODIES_M_CLASS,
    BODIES_M_DATA,
    BODIES_M_TS,               /* the last, for it may be left out */
    BODIES_M_N
} bodies_member_e;


typedef struct {
    uint32_t  op;
    uint32_t  len;
} bodies_op_t;


typedef struct {
    uint8_t      *text;
    bodies_op_t  *ops;
    unsigned      nops;
} bodies_template_t;


struct bodies_s {
    uint64_t            seed;
    bodies_template_t  *templates;
    unsigned            ntemplates;
    size_t              max;
    char                prefix[BODIES_NAME_MAX];
    size_t              prefix_len;
    const char         *classes[BODIES_CLASSES_MAX];
    size_t              class_len[BODIES_CLASSES_MAX];
};


/* a template in the making */

typedef struct {
    uint64_t      state;
    uint8_t      *text;
    size_t        text_len;
    size_t        text_size;
    bodies_op_t  *ops;
    unsigned      nops;
    unsigned      ops_size;
    size_t        len;           /* of the envelope so far, in bytes */
    unsigned      spaces;        /* of 8 places, so many have white space */
    unsigned      failed;
} bodies_gen_t;


static int bodies_compose_plain(bodies_template_t *t);
static int bodies_compose(bodies_template_t *t, uint64_t seed, size_t target);
static void bodies_compose_member(bodies_gen_t *g, bodies_member_e member,
    size_t target);
static void bodies_compose_data(bodies_gen_t *g, size_t target);
static void bodies_compose_value(bodies_gen_t *g, unsigned depth);
static void bodies_compose_number(bodies_gen_t *g);
static void bodies_compose_string(bodies_gen_t *g, size_t len);
static void bodies_compose_object(bodies_gen_t *g, unsigned depth,
    size_t target);
static void bodies_compose_array(bodies_gen_t *g, unsigned depth);
static void bodies_name(bodies_gen_t *g, unsigned i);
static void bodies_space(bodies_gen_t *g);
static void bodies_spell(bodies_gen_t *g, const char *spelling);
static void bodies_add(bodies_gen_t *g, const char *s, size_t len);
static void bodies_op(bodies_gen_t *g, bodies_op_e op, size_t len);
static unsigned bodies_below(bodies_gen_t *g, unsigned n);
static uint64_t bodies_mix(uint64_t x);
static uint64_t bodies_next(uint64_t *state);
static uint64_t bodies_key(const bodies_t *b, uint32_t device, uint64_t seq);
static uint8_t *bodies_put_digits(uint8_t *p, unsigned n, uint64_t *state);
static uint8_t *bodies_put_number(uint8_t *p, uint64_t v);


/* in spellings "#" stands for a digit that each message draws anew */

static const char *const  bodies_numbers[] = {
    "0", "-0", "-0.0", "1.0", "1e3", "1E+2", "-1e-7", "0.10", "2#", "-1#.5#",
    "12345678901234567890.5", "1##########.######", "3.14159####", "7e-##",
    "-2.#######E+1#", "9007199254740993", "1#####", "0.0000001###", "-4###",
    "123456789012345678901234567890", "1.0000000000000000000001", "2#.#", "5##"
};

static const char *const  bodies_times[] = {
    "\"2024-03-1#T1#:2#:3#Z\"", "\"2023-10-2#T0#:0#:5#.###Z\"",
    "\"2024-06-1#T0#:4#:1#.######+02:00\"", "\"2025-01-2#t1#:1#:0#.#z\"",
    "\"2022-12-1# 1#:5#:0#-05:30\"", "17########", "16########.###",
    "17###########", "1#######", "\"\\u0032024-02-2#T03:0#:0#Z\""
};

/* pieces of strings; the space keeps escapes and digits apart */

static const char *const  bodies_words[] = {
    "ok", "pump", "valve 7", "\\u00e9t\\u00e9", "\\ud83d\\ude00", "\\n", "\\/",
    "\\\"q\\\"", "\\\\", "\\t", "gr\xc3\xbc\xc3\x9f",
    "\xe6\xb8\xa9\xe5\xba\xa6", "\xf0\x9f\x94\xa5", "a/b", "\\u0041",
    "{\\u007d", "[1,2]", ":", "\\r\\n", "\\b\\f", "\x7f", "line", "error",
    "\\uD83D\\uDE80", "' or 1", "%s%n", "\\u001f", "\xd0\x9f\xd1\x80",
    "null", "####", "#.#", "v2.#.##"
};

/* no two of them are one name, however they are spelled */

static const char *const  bodies_names[] = {
    "t", "temp", "humidity", "rpm", "status", "gps", "lat", "lon", "alarm",
    "note", "fw", "battery", "rssi", "\\u00e9tat", "\xc3\x9f\xc3\xb6",
    "\xe6\xb8\xa9", "x\\/y", "a.b", "", "data", "seq", "device", "_",
    "A\\u0042", "\\ud83d\\ude00", "$ref", "pressure_hPa", "v v"
};


bodies_t *
bodies_create(uint64_t seed, size_t pad, int plain,
    const char *const *classes, unsigned nclasses)
{
    size_t     target, len, longest;
    bodies_t  *b;
    unsigned   i, j, n;
    uint64_t   state;

    b = calloc(1, sizeof(bodies_t));
    if (b == NULL) {
        return NULL;
    }

    b->seed = bodies_mix(seed + 1);
    b->prefix_len = (size_t) snprintf(b->prefix, sizeof(b->prefix), "d%llu-",
                                      (unsigned long long) seed);
    longest = 0;

    for (i = 0; i < nclasses; i++) {
        b->classes[i] = classes[i];
        b->class_len[i] = strlen(classes[i]);

        if (b->class_len[i] > longest) {
            longest = b->class_len[i];
        }
    }

    n = plain ? 1 : BODIES_TEMPLATES;

    if (pad > BODIES_MEMORY / BODIES_TEMPLATES) {
        n = (unsigned) (BODIES_MEMORY / pad);
    }

    b->templates = calloc(n, sizeof(bodies_template_t));
    if (b->templates == NULL) {
        return NULL;
    }

    state = b->seed;

    for (i = 0; i < n; i++) {

        /* evenly around the average, so that few templates will do too */

        if (pad) {
            target = pad - pad / 8 + (size_t) (pad / 4) * i / n;

        } else {
            target = 76 + 308 * i / n;
        }

        target = target > BODIES_OVERHEAD ? target - BODIES_OVERHEAD : 0;

        if (plain ? bodies_compose_plain(&b->templates[i])
                  : bodies_compose(&b->templates[i], bodies_next(&state),
                                   target))
        {
            return NULL;
        }

        len = 0;

        for (j = 0; j < b->templates[i].nops; j++) {
            len += b->templates[i].ops[j].len;
        }

        if (len > b->max) {
            b->max = len;
        }
    }

    b->ntemplates = n;
    b->max += b->prefix_len + 2 * BODIES_NUMBER_MAX + longest
              + sizeof("\"epoch\":\"\",") + BODIES_NAME_MAX;

    return b;
}


size_t
bodies_max(const bodies_t *b)
{
    return b->max;
}


const char *
bodies_epoch(const bodies_t *b, uint32_t device)
{
    return (bodies_mix(b->seed ^ device) & 3) == 0 ? "e1" : "";
}


unsigned
bodies_draw(const bodies_t *b, uint32_t device, uint64_t seq, unsigned total)
{
    return (unsigned) (((bodies_key(b, device, seq) >> 32) * total) >> 32);
}


uint8_t *
bodies_write(const bodies_t *b, uint32_t device, uint64_t seq,
    unsigned class_index, unsigned other, uint8_t *p)
{
    size_t                    len;
    uint64_t                  state;
    const char               *epoch;
    const uint8_t            *text;
    const bodies_op_t        *op, *last;
    const bodies_template_t  *t;

    /* the class shows in the template as well, not in its name only */

    state = bodies_key(b, device, seq) + class_index
            + (other ? BODIES_CLASSES_MAX : 0);
    t = &b->templates[((bodies_next(&state) >> 32) * b->ntemplates) >> 32];

    text = t->text;
    last = t->ops + t->nops;

    for (op = t->ops; op < last; op++) {

        switch (op->op) {

        case BODIES_TEXT:
            memcpy(p, text, op->len);
            text += op->len;
            p += op->len;
            break;

        case BODIES_DIGITS:
            p = bodies_put_digits(p, op->len, &state);
            break;

        case BODIES_DEVICE:
            memcpy(p, b->prefix, b->prefix_len);
            p = bodies_put_number(p + b->prefix_len, device);
            break;

        case BODIES_EPOCH:
            epoch = bodies_epoch(b, device);
            len = strlen(epoch);

            if (len) {
                memcpy(p, "\"epoch\":\"", 9);
                memcpy(p + 9, epoch, len);
                memcpy(p + 9 + len, "\",", 2);
                p += 9 + len + 2;
            }

            break;

        case BODIES_SEQ:
            p = bodies_put_number(p, seq);
            break;

        default: /* BODIES_CLASS */
            memcpy(p, b->classes[class_index], b->class_len[class_index]);
            p += b->class_len[class_index];
            break;
        }
    }

    return p;
}


/* what a sensor sends: some 255 bytes, 20 values, none of them a riddle */

static int
bodies_compose_plain(bodies_template_t *t)
{
    bodies_gen_t  g;

    memset(&g, 0, sizeof(g));

    bodies_lit(&g, "{\"device\":\"");
    bodies_op(&g, BODIES_DEVICE, 0);
    bodies_lit(&g, "\",\"seq\":");
    bodies_op(&g, BODIES_SEQ, 0);
    bodies_lit(&g, ",\"class\":\"");
    bodies_op(&g, BODIES_CLASS, 0);
    bodies_spell(&g, "\",\"ts\":17########123,\"data\":{\"t\":2#.##,"
                     "\"hum\":4#.#,\"hpa\":1013,\"lat\":52.5##,"
                     "\"lon\":13.4##,\"batt\":3.##,\"rssi\":-6#,"
                     "\"up\":4###,\"err\":0,\"ok\":true,\"fw\":\"1.4.2\","
                     "\"md\":\"eco\",\"acc\":[0.1#,0.2#,9.8#],"
                     "\"net\":{\"op\":\"eu\",\"cell\":4##}}}");

    t->text = g.text;
    t->ops = g.ops;
    t->nops = g.nops;

    return g.failed ? -1 : 0;
}


static int
bodies_compose(bodies_template_t *t, uint64_t seed, size_t target)
{
    unsigned         i, j, n;
    bodies_gen_t     g;
    bodies_member_e  order[BODIES_M_N], member;

    static const unsigned  spaces[] = { 0, 0, 0, 8, 3, 0, 1, 0 };

    memset(&g, 0, sizeof(g));
    g.state = seed;
    g.spaces = spaces[bodies_below(&g, bodies_count(spaces))];

    n = bodies_below(&g, 5) ? BODIES_M_N : BODIES_M_N - 1;

    for (i = 0; i < n; i++) {
        order[i] = (bodies_member_e) i;
    }

    for (i = n - 1; i > 0; i--) {
        j = bodies_below(&g, i + 1);
        member = order[i];
        order[i] = order[j];
        order[j] = member;
    }

    bodies_lit(&g, "{");
    bodies_space(&g);
    bodies_op(&g, BODIES_EPOCH, 0);

    for (i = 0; i < n; i++) {

        if (i) {
            bodies_lit(&g, ",");
            bodies_space(&g);
        }

        bodies_compose_member(&g, order[i], target);
        bodies_space(&g);
    }

    bodies_lit(&g, "}");

    t->text = g.text;
    t->ops = g.ops;
    t->nops = g.nops;

    return g.failed ? -1 : 0;
}


static void
bodies_compose_member(bodies_gen_t *g, bodies_member_e member, size_t target)
{
    static const char *const  names[] = {
        "\"device\"", "\"seq\"", "\"class\"", "\"data\"", "\"ts\""
    };

    bodies_add(g, names[member], strlen(names[member]));
    bodies_space(g);
    bodies_lit(g, ":");
    bodies_space(g);

    switch (member) {

    case BODIES_M_DEVICE:
        bodies_lit(g, "\"");
        bodies_op(g, BODIES_DEVICE, 0);
        bodies_lit(g, "\"");
        break;

    case BODIES_M_SEQ:
        bodies_op(g, BODIES_SEQ, 0);
        break;

    case BODIES_M_CLASS:
        bodies_lit(g, "\"");
        bodies_op(g, BODIES_CLASS, 0);
        bodies_lit(g, "\"");
        break;

    case BODIES_M_DATA:
        bodies_compose_data(g, target);
        break;

    default: /* BODIES_M_TS */
        bodies_spell(g, bodies_times[bodies_below(g,
                                                bodies_count(bodies_times))]);
    }
}


static void
bodies_compose_data(bodies_gen_t *g, size_t target)
{
    /* where little is wanted the bare values are seen too */

    if (target < 24) {
        bodies_compose_value(g, BODIES_NESTING);
        return;
    }

    if (bodies_below(g, 16) == 0) {
        bodies_compose_string(g, target - 2);
        return;
    }

    bodies_compose_object(g, 0, target);
}


static void
bodies_compose_value(bodies_gen_t *g, unsigned depth)
{
    switch (bodies_below(g, depth < BODIES_NESTING ? 16 : 12)) {

    case 0:
        bodies_lit(g, "true");
        break;

    case 1:
        bodies_lit(g, "false");
        break;

    case 2:
        bodies_lit(g, "null");
        break;

    case 3:
        if (bodies_below(g, 2)) {
            bodies_lit(g, "{");
            bodies_space(g);
            bodies_lit(g, "}");

        } else {
            bodies_lit(g, "[");
            bodies_space(g);
            bodies_lit(g, "]");
        }

        break;

    case 4:
    case 5:
    case 6:
    case 7:
        bodies_compose_string(g, bodies_below(g, 32));
        break;

    case 12:
    case 13:
        bodies_compose_object(g, depth + 1, g->len + 1 + bodies_below(g, 60));
        break;

    case 14:
    case 15:
        bodies_compose_array(g, depth + 1);
        break;

    default:
        bodies_compose_number(g);
    }
}


static void
bodies_compose_number(bodies_gen_t *g)
{
    bodies_spell(g, bodies_numbers[bodies_below(g,
                                              bodies_count(bodies_numbers))]);
}


static void
bodies_compose_string(bodies_gen_t *g, size_t len)
{
    size_t       end;
    const char  *word;

    bodies_lit(g, "\"");
    end = g->len + len;

    while (g->len < end && !g->failed) {
        word = bodies_words[bodies_below(g, bodies_count(bodies_words))];

        bodies_spell(g, word);

        if (bodies_below(g, 3)) {
            bodies_lit(g, " ");
        }
    }

    bodies_lit(g, "\"");
}


/* an object that ends near target, in bytes of the whole text so far */

static void
bodies_compose_object(bodies_gen_t *g, unsigned depth, size_t target)
{
    unsigned  i, first;

    if (depth == 0) {
        target += g->len;
    }

    first = bodies_below(g, bodies_count(bodies_names));

    bodies_lit(g, "{");
    bodies_space(g);

    for (i = 0; g->len < target && !g->failed; i++) {

        if (i) {
            bodies_lit(g, ",");
            bodies_space(g);
        }

        bodies_name(g, first + i);
        bodies_space(g);
        bodies_lit(g, ":");
        bodies_space(g);

        /* or a large body would have more members than the gateway takes */

        if (target > g->len + BODIES_LONG) {
            bodies_compose_string(g, 2 * BODIES_LONG < target - g->len
                                     ? 2 * BODIES_LONG : BODIES_LONG);

        } else {
            bodies_compose_value(g, depth);
        }

        bodies_space(g);
    }

    bodies_lit(g, "}");
}


static void
bodies_compose_array(bodies_gen_t *g, unsigned depth)
{
    unsigned  i, n;

    n = 1 + bodies_below(g, 4);

    bodies_lit(g, "[");
    bodies_space(g);

    for (i = 0; i < n; i++) {

        if (i) {
            bodies_lit(g, ",");
            bodies_space(g);
        }

        bodies_compose_value(g, depth);
        bodies_space(g);
    }

    bodies_lit(g, "]");
}


/* the gateway refuses a name that is there twice: from a round on numbered */

static void
bodies_name(bodies_gen_t *g, unsigned i)
{
    unsigned     round;
    char         number[16];
    const char  *name;

    name = bodies_names[i % bodies_count(bodies_names)];
    round = i / bodies_count(bodies_names);

    bodies_lit(g, "\"");
    bodies_add(g, name, strlen(name));

    if (round) {
        bodies_add(g, number,
                   (size_t) snprintf(number, sizeof(number), "~%u", round));
    }

    bodies_lit(g, "\"");
}


static void
bodies_space(bodies_gen_t *g)
{
    if (g->spaces && bodies_below(g, 8) < g->spaces) {
        bodies_add(g, "   ", 1 + bodies_below(g, 3) / 2);
    }
}


static void
bodies_spell(bodies_gen_t *g, const char *spelling)
{
    size_t  n;

    while (*spelling) {
        n = strcspn(spelling, "#");

        if (n) {
            bodies_add(g, spelling, n);
            spelling += n;
        }

        n = strspn(spelling, "#");

        if (n) {
            bodies_op(g, BODIES_DIGITS, n);
            g->len += n;
            spelling += n;
        }
    }
}


static void
bodies_add(bodies_gen_t *g, const char *s, size_t len)
{
    size_t    size;
    uint8_t  *text;

    if (len == 0 || g->failed) {
        return;
    }

    if (g->text_len + len > g->text_size) {
        size = 2 * (g->text_size + len);

        text = realloc(g->text, size);
        if (text == NULL) {
            g->failed = 1;
            return;
        }

        g->text = text;
        g->text_size = size;
    }

    memcpy(g->text + g->text_len, s, len);
    g->text_len += len;
    g->len += len;

    if (g->nops && g->ops[g->nops - 1].op == BODIES_TEXT) {
        g->ops[g->nops - 1].len += (uint32_t) len;

    } else {
        bodies_op(g, BODIES_TEXT, len);
    }
}


static void
bodies_op(bodies_gen_t *g, bodies_op_e op, size_t len)
{
    unsigned      size;
    bodies_op_t  *ops;

    if (g->nops == g->ops_size) {
        size = 2 * g->ops_size + 32;

        ops = realloc(g->ops, size * sizeof(bodies_op_t));
        if (ops == NULL) {
            g->failed = 1;
            return;
        }

        g->ops = ops;
        g->ops_size = size;
    }

    g->ops[g->nops].op = op;
    g->ops[g->nops].len = (uint32_t) len;
    g->nops++;
}


static unsigned
bodies_below(bodies_gen_t *g, unsigned n)
{
    return (unsigned) (((bodies_next(&g->state) >> 32) * n) >> 32);
}


static uint64_t
bodies_key(const bodies_t *b, uint32_t device, uint64_t seq)
{
    return bodies_mix(b->seed + bodies_mix(((uint64_t) device << 40) ^ seq));
}


/* the finalizer of SplitMix64, and the generator itself */

static uint64_t
bodies_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

    return x ^ (x >> 31);
}


static uint64_t
bodies_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15ULL;

    return bodies_mix(*state);
}


static uint8_t *
bodies_put_digits(uint8_t *p, unsigned n, uint64_t *state)
{
    unsigned  i;
    uint64_t  x;

    while (n) {

        /* 32 bits of a fraction are good for eight digits */

        x = bodies_next(state) >> 32;

        for (i = 0; i < 8 && n; i++, n--) {
            x = (x & 0xffffffff) * 10;
            *p++ = (uint8_t) ('0' + (x >> 32));
        }
    }

    return p;
}


static uint8_t *
bodies_put_number(uint8_t *p, uint64_t v)
{
    uint8_t   buf[BODIES_NUMBER_MAX], *q;

    q = buf + sizeof(buf);

    do {
        *--q = (uint8_t) ('0' + v % 10);
        v /= 10;
    } while (v);

    memcpy(p, q, (size_t) (buf + sizeof(buf) - q));

    return p + (buf + sizeof(buf) - q);
}
