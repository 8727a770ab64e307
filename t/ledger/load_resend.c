/*
 * load_resend.c - which message a connection sends again in another one's
 * place: of those that were answered, of those that were refused or of which
 * nobody knows, and of those that are still on their way.
 *
 * A resend goes over the connection of another device, so that another worker
 * is likely to get it.  Were only safe messages sent again, a gateway that
 * calls a message a duplicate too early would never be caught.
 *
 * Bounds: --resend-depth numbers of each device are remembered.
 */

#include <stdlib.h>
#include <string.h>

#include "load.h"


#define LOAD_RESEND_RECENT  64         /* messages sent last, of all */
#define LOAD_RESEND_FAILED  1024
#define LOAD_RESEND_LOOKS   8          /* for one of a kind */
#define LOAD_RESEND_KINDS   3
#define LOAD_RESEND_BREAKS  4          /* of so many in flight one loses its
                                          connection */


typedef enum {
    LOAD_PAST_NONE = 0,
    LOAD_PAST_PENDING,
    LOAD_PAST_FAILED,
    LOAD_PAST_SAFE
} load_past_e;


typedef struct {
    uint8_t  state;
    uint8_t  tries;
} load_past_t;


typedef struct {
    uint64_t  seq;
    uint32_t  device;
} load_id_t;


struct load_resend_s {
    const load_options_t  *options;
    unsigned               depth;          /* a power of two */
    uint64_t              *newest;         /* of each device, 0: none */
    load_past_t           *past;           /* depth of each device */
    uint64_t               nrecent;
    uint64_t               nfailed;
    load_id_t              recent[LOAD_RESEND_RECENT];
    load_id_t              failed[LOAD_RESEND_FAILED];
};


static load_past_t *load_resend_past(load_resend_t *r, uint32_t device,
    uint64_t seq);
static int load_resend_find(load_resend_t *r, const load_id_t *ids,
    unsigned size, uint64_t n, uint32_t not, load_past_e state,
    uint64_t random, load_id_t *id);


load_resend_t *
load_resend_create(const load_options_t *o)
{
    load_resend_t  *r;

    r = calloc(1, sizeof(load_resend_t));
    if (r == NULL) {
        return NULL;
    }

    r->options = o;

    for (r->depth = 64; r->depth < o->resend_depth; r->depth *= 2) {
        /* void */
    }

    r->newest = calloc(o->connections, sizeof(uint64_t));
    r->past = calloc((size_t) o->connections * r->depth, sizeof(load_past_t));

    return r->newest && r->past ? r : NULL;
}


unsigned
load_resend_sent(load_resend_t *r, uint32_t device, uint64_t seq)
{
    load_id_t    *id;
    load_past_t  *past;

    if (seq > r->newest[device]) {
        r->newest[device] = seq;
        memset(load_resend_past(r, device, seq), 0, sizeof(load_past_t));
    }

    past = load_resend_past(r, device, seq);

    if (past == NULL) {
        return LOAD_TRIES_MAX + 1;
    }

    if (past->state != LOAD_PAST_SAFE) {
        past->state = LOAD_PAST_PENDING;
    }

    id = &r->recent[r->nrecent++ % LOAD_RESEND_RECENT];
    id->device = device;
    id->seq = seq;

    return past->tries == 255 ? 255 : ++past->tries;
}


void
load_resend_ended(load_resend_t *r, uint32_t device, uint64_t seq,
    load_outcome_e outcome)
{
    load_id_t    *id;
    load_past_t  *past;

    past = load_resend_past(r, device, seq);

    if (past == NULL || past->state == LOAD_PAST_SAFE) {
        return;
    }

    if (outcome != LOAD_REFUSED && outcome != LOAD_UNKNOWN) {
        past->state = LOAD_PAST_SAFE;
        return;
    }

    past->state = LOAD_PAST_FAILED;

    id = &r->failed[r->nfailed++ % LOAD_RESEND_FAILED];
    id->device = device;
    id->seq = seq;
}


int
load_resend_choose(load_resend_t *r, uint32_t not, uint64_t random,
    load_again_t *again)
{
    uint64_t   n;
    load_id_t  id;

    again->leave = 0;

    switch (random % LOAD_RESEND_KINDS) {

    case 0:
        if (load_resend_find(r, r->recent, LOAD_RESEND_RECENT, r->nrecent, not,
                             LOAD_PAST_PENDING, random, &id)
            == 0)
        {
            again->leave = (random >> 8) % LOAD_RESEND_BREAKS == 0;
            goto found;
        }

        break;

    case 1:
        if (load_resend_find(r, r->failed, LOAD_RESEND_FAILED, r->nfailed,
                             not, LOAD_PAST_FAILED, random, &id)
            == 0)
        {
            goto found;
        }

        break;
    }

    id.device = (uint32_t) ((random >> 8) % r->options->connections);
    n = r->newest[id.device];

    if (n > r->options->resend_depth) {
        n = r->options->resend_depth;
    }

    if (n == 0 || id.device == not) {
        return -1;
    }

    id.seq = r->newest[id.device] - (random >> 40) % n;

found:

    again->device = id.device;
    again->seq = id.seq;
    again->n = r->newest[id.device] - id.seq + 1;

    return 0;
}


/* NULL: longer ago than is remembered, or never */

static load_past_t *
load_resend_past(load_resend_t *r, uint32_t device, uint64_t seq)
{
    if (seq > r->newest[device] || r->newest[device] - seq >= r->depth) {
        return NULL;
    }

    return &r->past[(size_t) device * r->depth + (seq & (r->depth - 1))];
}


static int
load_resend_find(load_resend_t *r, const load_id_t *ids, unsigned size,
    uint64_t n, uint32_t not, load_past_e state, uint64_t random,
    load_id_t *id)
{
    unsigned            i;
    const load_past_t  *past;

    if (n > size) {
        n = size;
    }

    for (i = 0; n && i < LOAD_RESEND_LOOKS; i++) {
        *id = ids[((random >> 16) + i) % n];

        past = load_resend_past(r, id->device, id->seq);

        if (id->device != not && past && past->state == state) {
            return 0;
        }
    }

    return -1;
}
