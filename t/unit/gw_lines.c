/*
 * Replies to lines, in the order of the lines.  A reply that is out of place
 * tells a device that the wrong message is safe.
 */

#include "gw_test.h"
#include "gw_lines.h"


#define STEPS  300000


static gw_lines_t        l;
static gw_lines_reply_t  rings[2][GW_LINES_MAX];
static char              text[65536];


static size_t
written(size_t size, unsigned *more)
{
    size_t  n;

    n = gw_lines_write(&l, guarded("", 0) - size, size, more);
    memcpy(text, guarded("", 0) - size, n);
    text[n] = '\0';

    return n;
}


static void
words(void)
{
    uint32_t  serial;
    unsigned  i, more;

    static const struct {
        gw_outcome_e  outcome;
        gw_reason_e   reason;
        const char   *text;
    } table[] = {
        { GW_DELIVERED, GW_R_NONE, "ok\n" },
        { GW_SPOOLED, GW_R_NONE, "ok spooled\n" },
        { GW_QUEUED, GW_R_NONE, "ok queued\n" },
        { GW_DUPLICATE, GW_R_NONE, "ok duplicate\n" },
        { GW_INVALID, GW_R_SCHEMA, "bad schema\n" },
        { GW_DENIED, GW_R_UNAUTHENTICATED, "denied unauthenticated\n" },
        { GW_THROTTLED, GW_R_RATE_LIMITED, "retry rate_limited\n" },
        { GW_SHED, GW_R_FULL, "retry full\n" },
        { GW_FAILED, GW_R_TIMEOUT, "retry timeout\n" },
        { GW_FAILED, GW_R_UPSTREAM_REJECTED, "fail upstream_rejected\n" },
        { GW_FAILED, GW_R_INTERNAL, "retry internal\n" }
    };

    (void) gw_lines_lend(&l, rings[0], 4);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        (void) gw_lines_add(&l, &serial);
        gw_lines_settle(&l, serial, table[i].outcome, table[i].reason);
        (void) written(GW_LINES_REPLY, &more);
        is_str(text, strlen(text), table[i].text, "%s",
               gw_reason(table[i].reason)->name);
    }

    ok(gw_lines_return(&l) == rings[0], "nothing is left");
}


static void
order(void)
{
    uint32_t  a, b;
    unsigned  i, more;

    ok(gw_lines_add(&l, &a) == GW_AGAIN, "memory is asked for");
    (void) gw_lines_lend(&l, rings[0], GW_LINES_MAX);
    (void) gw_lines_add(&l, &a);
    (void) gw_lines_add(&l, &b);

    gw_lines_settle(&l, b, GW_DELIVERED, GW_R_NONE);
    ok(written(1000, &more) == 0 && !more, "the first holds back the second");
    gw_lines_settle(&l, a, GW_SHED, GW_R_FULL);
    gw_lines_settle(&l, a, GW_DELIVERED, GW_R_NONE);
    ok(written(GW_LINES_REPLY, &more) == 11 && more, "what fits goes out");
    is_str(text, strlen(text), "retry full\n", "and its first fate holds");
    ok(written(GW_LINES_REPLY, &more) == 3 && !more, "then the other");
    gw_lines_settle(&l, a, GW_SHED, GW_R_FULL);
    gw_lines_settle(&l, b + 1, GW_SHED, GW_R_FULL);
    ok(written(1000, &more) == 0, "what is over, or never was, is nothing");

    for (i = 0; i < GW_LINES_MAX; i++) {
        (void) gw_lines_add(&l, &a);
    }

    ok(gw_lines_add(&l, &a) == GW_BUSY, "so many, and no more");
    gw_lines_settle(&l, a, GW_DELIVERED, GW_R_NONE);
    gw_lines_settle_all(&l, GW_FAILED, GW_R_TIMEOUT);

    ok(written(60000, &more) == 14u * (GW_LINES_MAX - 1) + 3 && !more,
       "all at once, but for those that have their fate");
    (void) gw_lines_return(&l);
}


static unsigned
model(void)
{
    uint32_t  serials[GW_LINES_MAX], x;
    unsigned  n, i, step, fates[GW_LINES_MAX], more, room, which;
    char      want[65536], *p;

    x = 1;
    n = room = which = 0;
    l.serial = 0xfffffff0;

    for (step = 0; step < STEPS; step++) {
        x = x * 1664525 + 1013904223;

        if (x >> 31 && n < 200) {

            while (gw_lines_add(&l, &serials[n]) == GW_AGAIN) {
                room += 7;
                which = !which;
                (void) gw_lines_lend(&l, rings[which], (uint16_t) room);
            }

            fates[n++] = 0;

        } else if (n) {
            i = (x >> 8) % n;
            fates[i] = fates[i] ? fates[i] : 1 + (x >> 4) % 2;
            gw_lines_settle(&l, serials[i], fates[i] == 1 ? GW_DELIVERED
                                                          : GW_QUEUED,
                            GW_R_NONE);
        }

        p = want;
        *p = '\0';

        while (n && fates[0]) {
            p += sprintf(p, fates[0] == 1 ? "ok\n" : "ok queued\n");
            n--;
            memmove(fates, fates + 1, n * sizeof(fates[0]));
            memmove(serials, serials + 1, n * sizeof(serials[0]));
        }

        (void) written(60000, &more);

        if (strcmp(text, want) != 0 || more) {
            return 0;
        }
    }

    return 1;
}


int
main(void)
{
    words();
    order();
    ok(model(), "%u steps agree with the model", STEPS);

    return done_testing();
}
