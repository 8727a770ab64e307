/*
 * gw_lines.c - see gw_lines.h.
 */

#include "gw_lines.h"


static size_t gw_lines_text(uint8_t *dst, const gw_lines_reply_t *reply);
static const char *gw_lines_word(const gw_lines_reply_t *reply);
static gw_lines_reply_t *gw_lines_reply(const gw_lines_t *l, unsigned i);


int
gw_lines_add(gw_lines_t *l, uint32_t *serial)
{
    if (l->n == GW_LINES_MAX) {
        return GW_BUSY;
    }

    if (l->n == l->room) {
        return GW_AGAIN;
    }

    gw_lines_reply(l, l->n++)->settled = 0;

    *serial = l->serial++;

    return GW_OK;
}


void
gw_lines_settle(gw_lines_t *l, uint32_t serial, gw_outcome_e outcome,
    gw_reason_e reason)
{
    uint32_t           i;
    gw_lines_reply_t  *reply;

    i = serial - (l->serial - l->n);

    if (i >= l->n) {
        return;
    }

    reply = gw_lines_reply(l, i);

    if (reply->settled) {
        return;
    }

    reply->settled = 1;
    reply->outcome = (uint8_t) outcome;
    reply->reason = (uint8_t) reason;
}


void
gw_lines_settle_all(gw_lines_t *l, gw_outcome_e outcome, gw_reason_e reason)
{
    uint32_t  i;

    for (i = l->serial - l->n; i != l->serial; i++) {
        gw_lines_settle(l, i, outcome, reason);
    }
}


size_t
gw_lines_write(gw_lines_t *l, uint8_t *dst, size_t size, unsigned *more)
{
    uint8_t           *p;
    gw_lines_reply_t  *reply;

    p = dst;
    *more = 0;

    while (l->n) {
        reply = gw_lines_reply(l, 0);

        if (!reply->settled) {
            break;
        }

        if (size - (size_t) (p - dst) < GW_LINES_REPLY) {
            *more = 1;
            break;
        }

        p += gw_lines_text(p, reply);

        l->first = (uint16_t) ((l->first + 1u) % l->room);
        l->n--;
    }

    return p - dst;
}


static size_t
gw_lines_text(uint8_t *dst, const gw_lines_reply_t *reply)
{
    size_t       len;
    uint8_t     *p;
    const char  *more;

    p = dst;

    len = strlen(gw_lines_word(reply));
    memcpy(p, gw_lines_word(reply), len);
    p += len;

    if (reply->outcome != GW_DELIVERED) {
        more = reply->reason == GW_R_NONE
               ? gw_outcome_label((gw_outcome_e) reply->outcome)
               : gw_reason((gw_reason_e) reply->reason)->name;

        *p++ = ' ';
        len = strlen(more);
        memcpy(p, more, len);
        p += len;
    }

    *p++ = '\n';

    return p - dst;
}


static const char *
gw_lines_word(const gw_lines_reply_t *reply)
{
    switch (reply->outcome) {

    case GW_INVALID:
        return "bad";

    case GW_DENIED:
        return "denied";

    case GW_THROTTLED:
    case GW_SHED:
        return "retry";

    case GW_FAILED:
        return reply->reason == GW_R_UPSTREAM_REJECTED ? "fail" : "retry";

    default:
        return "ok";
    }
}


gw_lines_reply_t *
gw_lines_lend(gw_lines_t *l, gw_lines_reply_t *replies, uint16_t room)
{
    unsigned           i;
    gw_lines_reply_t  *before;

    before = l->replies;

    for (i = 0; i < l->n; i++) {
        replies[i] = *gw_lines_reply(l, i);
    }

    l->replies = replies;
    l->room = room;
    l->first = 0;

    return before;
}


gw_lines_reply_t *
gw_lines_return(gw_lines_t *l)
{
    gw_lines_reply_t  *replies;

    if (l->n) {
        return NULL;
    }

    replies = l->replies;

    l->replies = NULL;
    l->room = 0;
    l->first = 0;

    return replies;
}


static gw_lines_reply_t *
gw_lines_reply(const gw_lines_t *l, unsigned i)
{
    i += l->first;

    return &l->replies[i < l->room ? i : i - l->room];
}
