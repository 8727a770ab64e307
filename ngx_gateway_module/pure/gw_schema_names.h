/*
 * gw_schema_names.h - a set of strings fixed when the schema is read, looked
 * up for each member of each message: names of properties, strings of an enum.
 *
 * The first and the last eight bytes and the length decide the slot; up to 16
 * bytes they are the whole string.  The factor of the hash is searched for, so
 * that as a rule no two names meet.  Before that the name is tried that stood
 * here in the last message: a device writes its members in one order.
 */

#ifndef _GW_SCHEMA_NAMES_H_INCLUDED_
#define _GW_SCHEMA_NAMES_H_INCLUDED_


#include "gw.h"


/* the one flag: the name stands in required */
#define GW_SCHEMA_NAME_REQUIRED_BIT  0
#define GW_SCHEMA_NAME_REQUIRED      (1 << GW_SCHEMA_NAME_REQUIRED_BIT)

#define GW_SCHEMA_GUESS  16


struct gw_schema_rule_s;


typedef struct gw_schema_name_s  gw_schema_name_t;

struct gw_schema_name_s {              /* a cache line */
    uint64_t                  head;
    uint64_t                  tail;
    uint64_t                  end;     /* its last 8 bytes, read at once */
    uint64_t                  mask;    /* of these, where it is shorter */
    const uint8_t            *data;    /* without escapes */
    uint32_t                  len;
    uint16_t                  flags;
    uint16_t                  next;    /* of the same slot, + 1 */
    struct gw_schema_rule_s  *rule;    /* NULL: not in properties */
    gw_schema_name_t         *after;   /* came after it; never NULL */
};


typedef struct {
    gw_schema_name_t  *first;          /* came first; never NULL */
    gw_schema_name_t  *names;
    uint16_t          *slots;          /* index in names + 1 */
    uint64_t           factor;
    uint32_t           n;
    uint32_t           shift;
} gw_schema_names_t;


/* what nothing is equal to: the guess of who knows nothing */
extern gw_schema_name_t  gw_schema_no_name;


/*
 * names->names[0 .. n) have data, len, flags and rule; slots: of
 * gw_schema_names_slots(n) zeros.  GW_ERROR: two names are equal.
 */
uint32_t gw_schema_names_slots(uint32_t n);
int gw_schema_names_index(gw_schema_names_t *names);


/*
 * A string of up to 8 bytes is in head, and tail is 0; of a longer one head is
 * the first eight bytes and tail the last.
 */

static inline uint64_t
gw_schema_name_hash(uint64_t head, uint64_t tail, size_t len)
{
    return head + tail * 0x9e3779b97f4a7c15ULL + len;
}


static inline int
gw_schema_name_is(const gw_schema_name_t *name, uint64_t head, uint64_t tail,
    const uint8_t *p, size_t len)
{
    return ((name->head ^ head) | (name->tail ^ tail) | (name->len ^ len))
           == 0
           && (len <= 16 || memcmp(name->data + 8, p + 8, len - 16) == 0);
}


/* where it is not the last one of its slot; NULL: it is no name of the set */
gw_schema_name_t *gw_schema_names_search(const gw_schema_names_t *names,
    unsigned i, uint64_t head, uint64_t tail, const uint8_t *p, size_t len);

/* NULL: it is no name of the set, which is not empty */
gw_schema_name_t *gw_schema_names_find(const gw_schema_names_t *names,
    const uint8_t *p, size_t len);


/* the same for a string with 8 bytes in front that may be read */

static inline gw_schema_name_t *
gw_schema_names_find_inside(const gw_schema_names_t *names, const uint8_t *p,
    size_t len)
{
    unsigned           i;
    uint64_t           head, tail;
    gw_schema_name_t  *name;

    if (len > 8) {
        memcpy(&head, p, 8);
        memcpy(&tail, p + len - 8, 8);

    } else {
        if (len == 0) {
            return gw_schema_names_find(names, p, len);
        }

        memcpy(&head, p + len - 8, 8);
        head >>= 64 - 8 * len;
        tail = 0;
    }

    i = names->slots[gw_schema_name_hash(head, tail, len) * names->factor
                     >> names->shift];

    if (i == 0) {
        return NULL;
    }

    name = &names->names[i - 1];

    if (gw_schema_name_is(name, head, tail, p, len)) {
        return name;
    }

    return gw_schema_names_search(names, name->next, head, tail, p, len);
}


/* is it this name, of at most GW_SCHEMA_GUESS bytes?  p: as above */

static inline int
gw_schema_name_guessed(const gw_schema_name_t *name, const uint8_t *p,
    size_t len)
{
    uint64_t  end;

    if (name->len != len) {
        return 0;
    }

    memcpy(&end, p + len - 8, 8);

    if ((end ^ name->end) & name->mask) {
        return 0;
    }

    if (len <= 8) {
        return 1;
    }

    memcpy(&end, p, 8);

    return end == name->head;
}


#endif /* _GW_SCHEMA_NAMES_H_INCLUDED_ */
