/*
 * gw_dedup_window.c - see gw_dedup.h: the numbers of one window.
 *
 * A number up to GW_DEDUP_JUMP above the window is believed and moves it.  One
 * farther above is let through and, once done, remembered beside the windows,
 * one for each device: its own resend is a duplicate, but the window stays
 * where the device's other numbers are.  A second one, another number that is
 * less than a window away from the first, moves the window to both.
 *
 * So a number that was forged, or made by one flipped bit, changes nothing,
 * however often it is sent.  A forged pair, or a forged number within
 * GW_DEDUP_JUMP, does move the window, and the device then is below it: with
 * stale "accept" its messages pass, counted as GW_DEDUP_BELOW and without
 * dedup, until it has caught up or begins another epoch; with "refuse" they are
 * refused until then.  "refuse" hence lets whoever can send as the device stop
 * it; nobody else can, for windows are per device.  The first number that gets
 * done in an empty window is believed.
 */

#include "gw_dedup_layout.h"


static int gw_dedup_near(const gw_dedup_t *d, const gw_dedup_jump_t *jump,
    uint64_t seq);
static gw_dedup_jump_t *gw_dedup_jump(const gw_dedup_t *d,
    const gw_dedup_window_t *w, uint64_t print);
static void gw_dedup_remember(gw_dedup_t *d, gw_dedup_window_t *w,
    const gw_dedup_flight_t *f);
static void gw_dedup_raise(const gw_dedup_t *d, gw_dedup_window_t *w,
    uint64_t seq);
static void gw_dedup_set(const gw_dedup_t *d, gw_dedup_window_t *w,
    uint64_t seq, uint32_t digest);
static uint8_t gw_dedup_short(uint32_t digest);


gw_dedup_verdict_e
gw_dedup_judge(const gw_dedup_t *d, const gw_dedup_window_t *w,
    const gw_dedup_id_t *id, gw_dedup_note_e *note)
{
    int                     differs;
    uint32_t                digest;
    uint64_t                top;
    const gw_dedup_jump_t  *jump;

    if (!gw_dedup_used(w)) {
        return GW_DEDUP_NEW;
    }

    top = gw_dedup_number(w);

    if (id->seq > top) {
        jump = gw_dedup_jump(d, w, id->print);

        if (jump && jump->seq == id->seq) {
            return jump->digest == id->digest ? GW_DEDUP_DUPLICATE
                                              : GW_DEDUP_CONFLICT;
        }

        if (id->seq - top > GW_DEDUP_JUMP
            && !(jump && gw_dedup_near(d, jump, id->seq)))
        {
            *note = GW_DEDUP_JUMPED;
        }

        return GW_DEDUP_NEW;
    }

    if (top - id->seq >= d->width) {

        if (d->stale_refuse) {
            return GW_DEDUP_STALE;
        }

        *note = GW_DEDUP_BELOW;
        return GW_DEDUP_NEW;
    }

    if (!gw_dedup_is_done(d, w, id->seq)) {
        return GW_DEDUP_NEW;
    }

    differs = 0;

    if (w->head & GW_DEDUP_HEAD_KEY) {
        memcpy(&digest, w->digest, sizeof(digest));
        differs = digest != id->digest;

    } else if (top - id->seq < GW_DEDUP_NEWEST) {
        differs = w->digest[id->seq % GW_DEDUP_NEWEST]
                  != gw_dedup_short(id->digest);
    }

    return differs ? GW_DEDUP_CONFLICT : GW_DEDUP_DUPLICATE;
}


/* the same number is not asked for: it is a duplicate */

static int
gw_dedup_near(const gw_dedup_t *d, const gw_dedup_jump_t *jump, uint64_t seq)
{
    return (seq > jump->seq ? seq - jump->seq : jump->seq - seq) < d->width;
}


static gw_dedup_jump_t *
gw_dedup_jump(const gw_dedup_t *d, const gw_dedup_window_t *w, uint64_t print)
{
    const gw_dedup_jump_t  *jump;

    if (!(w->head & GW_DEDUP_HEAD_JUMP)) {
        return NULL;
    }

    jump = &d->jump[print % GW_DEDUP_JUMPS];

    return jump->print == print ? (gw_dedup_jump_t *) jump : NULL;
}


void
gw_dedup_mark(gw_dedup_t *d, gw_dedup_window_t *w, const gw_dedup_flight_t *f)
{
    uint64_t          top;
    gw_dedup_jump_t  *jump;

    top = gw_dedup_number(w);

    if (!gw_dedup_used(w)) {
        w->head |= f->seq;
        gw_dedup_set(d, w, f->seq, f->digest);
        return;
    }

    if (f->seq <= top) {
        gw_dedup_set(d, w, f->seq, f->digest);
        return;
    }

    if (f->seq == top + 1 && d->width == 64
        && !(w->head & (GW_DEDUP_HEAD_KEY|GW_DEDUP_HEAD_JUMP)))
    {
        /* what nearly every number is; as below, in one go */

        w->head++;
        w->bits[0] = w->bits[0] << 1 | 1;
        w->digest[f->seq % GW_DEDUP_NEWEST] = gw_dedup_short(f->digest);
        return;
    }

    jump = gw_dedup_jump(d, w, f->print);

    if (f->seq - top > GW_DEDUP_JUMP) {

        if (jump == NULL || !gw_dedup_near(d, jump, f->seq)) {
            gw_dedup_remember(d, w, f);
            return;
        }

        if (jump->seq > f->seq) {
            gw_dedup_raise(d, w, jump->seq);
        }
    }

    gw_dedup_raise(d, w, f->seq);
    gw_dedup_set(d, w, f->seq, f->digest);

    if (jump && jump->seq <= gw_dedup_number(w)) {
        gw_dedup_set(d, w, jump->seq, jump->digest);
        w->head &= ~GW_DEDUP_HEAD_JUMP;
        jump->print = 0;
    }
}


static void
gw_dedup_remember(gw_dedup_t *d, gw_dedup_window_t *w,
    const gw_dedup_flight_t *f)
{
    gw_dedup_jump_t  *jump;

    jump = &d->jump[f->print % GW_DEDUP_JUMPS];

    jump->print = 0;
    gw_dedup_order();
    jump->seq = f->seq;
    jump->digest = f->digest;
    gw_dedup_order();
    jump->print = f->print;

    w->head |= GW_DEDUP_HEAD_JUMP;
}


static void
gw_dedup_raise(const gw_dedup_t *d, gw_dedup_window_t *w, uint64_t seq)
{
    uint32_t  i, words, shift;
    uint64_t  by, top;

    top = gw_dedup_number(w);

    if (seq <= top) {
        return;
    }

    by = seq - top;
    words = d->width / 64;

    for (i = 1; i <= GW_DEDUP_NEWEST && i <= by; i++) {
        w->digest[(top + i) % GW_DEDUP_NEWEST] = 0;
    }

    w->head += by;

    if (by >= d->width) {
        memset(w->bits, 0, words * sizeof(uint64_t));
        return;
    }

    shift = (uint32_t) by / 64;

    for (i = words; i-- > shift; /* void */ ) {
        w->bits[i] = w->bits[i - shift] << by % 64;

        if (by % 64 && i > shift) {
            w->bits[i] |= w->bits[i - shift - 1] >> (64 - by % 64);
        }
    }

    memset(w->bits, 0, shift * sizeof(uint64_t));
}


static void
gw_dedup_set(const gw_dedup_t *d, gw_dedup_window_t *w, uint64_t seq,
    uint32_t digest)
{
    uint64_t  i;

    i = gw_dedup_number(w) - seq;

    if (i >= d->width) {
        return;
    }

    w->bits[i / 64] |= 1ULL << i % 64;

    if (w->head & GW_DEDUP_HEAD_KEY) {
        memcpy(w->digest, &digest, sizeof(digest));

    } else if (i < GW_DEDUP_NEWEST) {
        w->digest[seq % GW_DEDUP_NEWEST] = gw_dedup_short(digest);
    }
}


/* 0 says that there is none */

static uint8_t
gw_dedup_short(uint32_t digest)
{
    return (uint8_t) (digest % 255 + 1);
}
