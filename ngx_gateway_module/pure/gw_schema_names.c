/*
 * gw_schema_names.c - see gw_schema_names.h.
 */

#include "gw_schema_names.h"


#define GW_SCHEMA_TRIES  64


gw_schema_name_t  gw_schema_no_name = { .len = UINT32_MAX };


/* the power of two above n * 4, so that a free factor is soon found */

static unsigned
gw_schema_names_bits(uint32_t n)
{
    unsigned  bits;

    for (bits = 3; (1U << bits) < n * 4; bits++) { /* void */ }

    return bits;
}


uint32_t
gw_schema_names_slots(uint32_t n)
{
    return 1U << gw_schema_names_bits(n);
}


/* fills the slots; how many names met another */

static uint32_t
gw_schema_names_fill(gw_schema_names_t *names)
{
    uint32_t           i, met;
    uint16_t          *slot;
    gw_schema_name_t  *name;

    memset(names->slots, 0,
           gw_schema_names_slots(names->n) * sizeof(uint16_t));

    met = 0;

    for (i = 0; i < names->n; i++) {
        name = &names->names[i];
        slot = &names->slots[gw_schema_name_hash(name->head, name->tail,
                                                 name->len)
                             * names->factor >> names->shift];
        met += *slot != 0;
        name->next = *slot;
        *slot = (uint16_t) (i + 1);
    }

    return met;
}


static void
gw_schema_name_ends(const uint8_t *p, size_t len, uint64_t *head,
    uint64_t *tail)
{
    size_t  i;

    *head = 0;
    *tail = 0;

    if (len > 8) {
        memcpy(head, p, 8);
        memcpy(tail, p + len - 8, 8);
        return;
    }

    /* as eight bytes read at once that are shifted down; little-endian */

    for (i = len; i; i--) {
        *head = *head << 8 | p[i - 1];
    }
}


gw_schema_name_t *
gw_schema_names_search(const gw_schema_names_t *names, unsigned i,
    uint64_t head, uint64_t tail, const uint8_t *p, size_t len)
{
    for ( /* void */ ; i; i = names->names[i - 1].next) {

        if (gw_schema_name_is(&names->names[i - 1], head, tail, p, len)) {
            return &names->names[i - 1];
        }
    }

    return NULL;
}


gw_schema_name_t *
gw_schema_names_find(const gw_schema_names_t *names, const uint8_t *p,
    size_t len)
{
    unsigned  i;
    uint64_t  head, tail;

    gw_schema_name_ends(p, len, &head, &tail);

    i = names->slots[gw_schema_name_hash(head, tail, len) * names->factor
                     >> names->shift];

    return gw_schema_names_search(names, i, head, tail, p, len);
}


int
gw_schema_names_index(gw_schema_names_t *names)
{
    uint32_t           i, try, met, least;
    uint64_t           factor, best;
    gw_schema_name_t  *name;

    for (i = 0; i < names->n; i++) {
        name = &names->names[i];
        gw_schema_name_ends(name->data, name->len, &name->head, &name->tail);

        name->mask = name->len == 0 ? 0
                   : name->len < 8 ? UINT64_MAX << (64 - 8 * name->len)
                   : UINT64_MAX;
        name->end = name->len == 0 ? 0
                  : name->len <= 8 ? name->head << (64 - 8 * name->len)
                  : name->tail;
        name->after = &gw_schema_no_name;
    }

    names->first = &gw_schema_no_name;

    names->shift = 64 - gw_schema_names_bits(names->n);

    least = UINT32_MAX;
    factor = 0x9e3779b97f4a7c15ULL;
    best = factor;

    for (try = 0; try < GW_SCHEMA_TRIES && least; try++) {
        names->factor = factor | 1;
        met = gw_schema_names_fill(names);

        if (met < least) {
            least = met;
            best = names->factor;
        }

        factor = factor * 6364136223846793005ULL + 1442695040888963407ULL;
    }

    names->factor = best;
    (void) gw_schema_names_fill(names);

    for (i = 0; i < names->n; i++) {
        name = &names->names[i];

        /* of two equal names the later one hides the other */

        if (gw_schema_names_find(names, name->data, name->len) != name) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}
