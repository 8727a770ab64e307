/*
 * A device sends a message, gets no answer and sends it again.  If the first
 * one is safe the second must not be counted twice; if it is not, it must get
 * through.  A number that is called a duplicate and never was safe is a lost
 * message with a friendly answer, and nobody would ever know; a window that is
 * forgotten, or that a forged number can move, lets duplicates through or cuts
 * a device off.
 */

#include "gw_test.h"
#include "gw_dedup.h"


#define OWNER      (1U << 24 | 5)
#define OTHER      (2U << 24 | 9)
#define TOP        GW_SEQ_MAX
#define WINDOWS    64

#define is_sane(d)                                                            \
    do {                                                                      \
        const char  *why_ = gw_dedup_check(d);                                \
        ok(why_ == NULL, "all is in order: %s", why_ ? why_ : "yes");         \
    } while (0)


static uint8_t            secret[GW_DEDUP_SECRET_LEN];
static uint32_t           alive[GW_DEDUP_OWNERS];
static uint32_t           now = 1000;
static gw_dedup_conf_t    conf;
static gw_dedup_ticket_t  ticket;
static gw_dedup_note_e    note;


static gw_dedup_t *
create(uint32_t windows, uint32_t flights, uint32_t width)
{
    void        *mem;
    size_t       size;
    gw_dedup_t  *d;

    memset(&conf, 0, sizeof(conf));
    conf.windows = windows;
    conf.flights = flights;
    conf.width = width;
    conf.keep = 100;

    size = gw_dedup_size(&conf);

    /* what was there before may not matter */

    if (posix_memalign(&mem, 64, size) != 0) {
        abort();
    }

    memset(mem, 0xa5, size);
    d = gw_dedup_init(mem, &conf);

    if (d == NULL) {
        abort();
    }

    return d;
}


static gw_dedup_id_t
make_id(const char *device, const char *epoch, uint64_t seq, const char *key,
    const char *payload)
{
    gw_str_t       dev, ep, k, pay;
    gw_dedup_id_t  id;

    dev.data = (const uint8_t *) device;
    dev.len = strlen(device);
    ep.data = (const uint8_t *) epoch;
    ep.len = strlen(epoch);
    k.data = (const uint8_t *) key;
    k.len = key ? strlen(key) : 0;
    pay.data = (const uint8_t *) payload;
    pay.len = strlen(payload);

    gw_dedup_hash(secret, 0, &dev, &ep, seq, key ? &k : NULL, &pay, &id);

    return id;
}


static gw_dedup_verdict_e
begin_id(gw_dedup_t *d, gw_dedup_id_t id)
{
    return gw_dedup_begin(d, &id, OWNER, alive, now, 0, &ticket, &note);
}


/* device "d", epoch "e" */

static gw_dedup_verdict_e
begin(gw_dedup_t *d, uint64_t seq)
{
    return begin_id(d, make_id("d", "e", seq, NULL, "p"));
}


static int
send_id(gw_dedup_t *d, gw_dedup_id_t id)
{
    gw_dedup_verdict_e  verdict;

    verdict = begin_id(d, id);

    if (verdict == GW_DEDUP_NEW && ticket.flight) {
        (void) gw_dedup_done(d, &ticket, now);
    }

    return (int) verdict;
}


static int
send(gw_dedup_t *d, uint64_t seq)
{
    return send_id(d, make_id("d", "e", seq, NULL, "p"));
}


static void
states(void)
{
    gw_dedup_t         *d;
    gw_dedup_id_t       other;
    gw_dedup_ticket_t   first, mine;

    d = create(WINDOWS, 16, 64);
    other = make_id("d", "e", 7, NULL, "another payload");

    ok(begin(d, 7) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN && ticket.flight
       && ticket.owner == OWNER, "a number that was not here is new");
    mine = ticket;
    ok(begin(d, 7) == GW_DEDUP_IN_FLIGHT && ticket.flight == mine.flight
       && ticket.serial == mine.serial && ticket.owner == OWNER,
       "its resend is told whose flight it is");
    ok(begin_id(d, other) == GW_DEDUP_CONFLICT && ticket.flight == 0,
       "with another payload it is a conflict");
    ok(begin(d, 6) == GW_DEDUP_NEW, "another number is another message");
    is_u64(gw_dedup_stats(d)->flights, 2, "2 flights");
    is_u64(gw_dedup_stats(d)->windows, 1, "of one window");
    is_sane(d);

    ok(gw_dedup_release(d, &ticket) == GW_OK
       && gw_dedup_release(d, &ticket) == GW_DECLINED
       && gw_dedup_done(d, &ticket, now) == GW_DECLINED,
       "it is released once");
    ok(begin(d, 6) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN
       && gw_dedup_release(d, &ticket) == GW_OK,
       "released: absent, a resend gets through");

    ok(gw_dedup_done(d, &mine, now) == GW_OK
       && gw_dedup_done(d, &mine, now) == GW_DECLINED
       && gw_dedup_release(d, &mine) == GW_DECLINED, "it is done once");
    ok(begin(d, 7) == GW_DEDUP_DUPLICATE && ticket.flight == 0,
       "done: a duplicate");
    ok(begin_id(d, other) == GW_DEDUP_CONFLICT && ticket.flight == 0,
       "done with another payload: a conflict");
    ok(begin(d, 6) == GW_DEDUP_NEW, "the number below it is still absent");
    (void) gw_dedup_done(d, &ticket, now);
    ok(begin(d, 6) == GW_DEDUP_DUPLICATE && begin(d, 5) == GW_DEDUP_NEW,
       "until it is done");
    (void) gw_dedup_release(d, &ticket);
    is_u64(gw_dedup_stats(d)->flights, 0, "nothing is in flight");
    is_sane(d);

    memset(&ticket, 0, sizeof(ticket));
    first = mine;
    first.flight = 17;
    ok(gw_dedup_done(d, &ticket, now) == GW_DECLINED
       && gw_dedup_done(d, &first, now) == GW_DECLINED,
       "a ticket of nothing, or of no place, changes nothing");

    ok(begin_id(d, make_id("x", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && gw_dedup_stats(d)->windows == 2, "a window is made at begin");
    (void) gw_dedup_release(d, &ticket);
    is_u64(gw_dedup_stats(d)->windows, 1,
           "and goes if nothing of it gets done");

    ok(begin(d, TOP + 1) == GW_DEDUP_NEW && note == GW_DEDUP_UNTRACKED
       && ticket.flight == 0, "a number over 2^53 - 1 is not tracked");
    is_sane(d);
    free(d);
}


static void
names(void)
{
    unsigned       i, k, bad;
    gw_dedup_id_t  id[8];

    ok(strcmp(gw_dedup_note_name(GW_DEDUP_PLAIN), "plain") == 0
       && strcmp(gw_dedup_note_name(GW_DEDUP_TAKEN_OVER), "taken_over") == 0
       && strcmp(gw_dedup_note_name(GW_DEDUP_BELOW), "below") == 0
       && strcmp(gw_dedup_note_name(GW_DEDUP_JUMPED), "jumped") == 0
       && strcmp(gw_dedup_note_name(GW_DEDUP_UNTRACKED), "untracked") == 0,
       "notes have names");

    id[0] = make_id("d", "e", 1, NULL, "p");
    id[1] = make_id("de", "", 1, NULL, "p");
    id[2] = make_id("d", "", 1, NULL, "p");
    id[3] = make_id("d", "e", 1, "e", "p");
    id[4] = make_id("d", "e", 1, "", "p");
    id[5] = make_id("e", "d", 1, NULL, "p");
    id[6] = make_id("", "de", 1, NULL, "p");
    id[7] = make_id("d", "f", 1, NULL, "p");

    for (bad = 0, i = 0; i < 8; i++) {
        for (k = 0; k < i; k++) {
            bad += id[i].print == id[k].print;
        }
    }

    is_u64(bad, 0, "device, epoch and key are kept apart");
    ok(id[0].place == id[7].place && id[0].place == id[3].place
       && id[0].place != id[1].place, "the place is that of the device");
    ok(id[3].seq == 0 && id[3].key == 1 && id[0].seq == 1 && id[0].key == 0,
       "with a key the number does not count");
    ok(id[0].digest == id[5].digest
       && id[0].digest != make_id("d", "e", 1, NULL, "q").digest,
       "the digest is that of the payload");

    secret[5] ^= 1;
    ok(make_id("d", "e", 1, NULL, "p").print != id[0].print
       && make_id("d", "e", 1, NULL, "p").place != id[0].place
       && make_id("d", "e", 1, NULL, "p").digest != id[0].digest,
       "another secret: other hashes");
    secret[5] ^= 1;

    {
        gw_str_t       dev = gw_str("d"), ep = gw_str("e");
        gw_dedup_id_t  there;

        gw_dedup_hash(secret, 1, &dev, &ep, 1, NULL, &ep, &there);
        ok(there.print != id[0].print && there.place != id[0].place,
           "another gateway: another device");
    }
}


/* every number of a window, the ones below and above, at one width */

static void
window(uint32_t width)
{
    unsigned      bad, forgot;
    uint64_t      n, base;
    gw_dedup_t   *d;

    d = create(8, 4, width);
    base = 1000000;

    (void) send(d, base);

    for (bad = 0, n = base - width + 1; n < base; n += 2) {
        bad += send(d, n) != GW_DEDUP_NEW || note != GW_DEDUP_PLAIN;
    }

    is_u64(bad, 0, "%u: numbers inside the window come in any order", width);

    for (bad = 0, n = base - width + 1; n <= base; n++) {
        bad += begin(d, n) != (((base - n) % 2 && n != base)
                               ? GW_DEDUP_DUPLICATE : GW_DEDUP_NEW)
               && n != base;

        if (ticket.flight) {
            (void) gw_dedup_release(d, &ticket);
        }
    }

    is_u64(bad, 0, "%u: and are told apart, one by one", width);
    ok(send(d, base - width) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW,
       "%u: the first one below passes and is noted", width);
    ok(send(d, base - width) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW,
       "%u: it is not marked", width);

    conf.stale_refuse = 1;
    ok(gw_dedup_attach(d, &conf) == GW_OK
       && begin(d, base - width) == GW_DEDUP_STALE && ticket.flight == 0
       && begin(d, 0) == GW_DEDUP_STALE, "%u: or is refused", width);

    /* by each distance once: what was inside must still be known */

    for (bad = 0, forgot = 0, n = 1; n <= width; n += 1 + n / 8) {
        gw_dedup_init(d, &conf);
        (void) send(d, base);
        (void) send(d, base - 1);
        (void) send(d, base - width + 1);
        bad += send(d, base + n) != GW_DEDUP_NEW;
        bad += n < width && begin(d, base) != GW_DEDUP_DUPLICATE;
        bad += n + 1 < width && begin(d, base - 1) != GW_DEDUP_DUPLICATE;
        forgot += begin(d, base - width + 1) != GW_DEDUP_STALE;
        bad += gw_dedup_check(d) != NULL;

        if (n > 1) {
            bad += begin(d, base + 1) != GW_DEDUP_NEW;
        }
    }

    is_u64(bad, 0, "%u: it moves by any distance and forgets nothing", width);
    is_u64(forgot, 0, "%u: but what is below", width);
    free(d);
}


static void
ends(void)
{
    gw_dedup_t  *d;

    d = create(8, 4, 64);

    ok(send(d, 0) == GW_DEDUP_NEW && send(d, 0) == GW_DEDUP_DUPLICATE,
       "0 is a number");
    is_sane(d);
    ok(send(d, 1) == GW_DEDUP_NEW && send(d, 0) == GW_DEDUP_DUPLICATE
       && send(d, 1) == GW_DEDUP_DUPLICATE, "as is 1");
    is_sane(d);

    gw_dedup_init(d, &conf);
    ok(send(d, TOP) == GW_DEDUP_NEW && send(d, TOP) == GW_DEDUP_DUPLICATE
       && send(d, TOP - 1) == GW_DEDUP_NEW
       && send(d, TOP - 1) == GW_DEDUP_DUPLICATE, "2^53 - 1 is the last one");
    is_sane(d);
    ok(send(d, 0) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW
       && send(d, TOP) == GW_DEDUP_DUPLICATE,
       "from there on 0 is below: a counter that wraps wants a new epoch");
    ok(send_id(d, make_id("d", "f", 0, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN, "which has a window of its own");
    is_sane(d);
    free(d);
}


static void
digests(void)
{
    unsigned        i, bad, missed;
    char            payload[16];
    gw_dedup_t     *d;
    gw_dedup_id_t   id;

    d = create(8, 4, 64);

    for (i = 100; i < 120; i++) {
        (void) send(d, i);
    }

    for (bad = 0, i = 100; i < 120; i++) {
        id = make_id("d", "e", i, NULL, "another payload");
        bad += begin_id(d, id) != (i >= 112 ? GW_DEDUP_CONFLICT
                                            : GW_DEDUP_DUPLICATE);
        bad += begin(d, i) != GW_DEDUP_DUPLICATE;
    }

    is_u64(bad, 0, "the payloads of the newest 8 numbers are known");

    (void) send(d, 123);
    ok(begin_id(d, make_id("d", "e", 122, NULL, "z")) == GW_DEDUP_NEW
       && gw_dedup_done(d, &ticket, now) == GW_OK
       && begin(d, 122) == GW_DEDUP_CONFLICT
       && begin_id(d, make_id("d", "e", 122, NULL, "z")) == GW_DEDUP_DUPLICATE,
       "also of one that comes late");
    ok(begin(d, 121) == GW_DEDUP_NEW, "and only of those that were here");
    (void) gw_dedup_release(d, &ticket);
    is_sane(d);

    for (missed = 0, i = 0; i < 10000; i++) {
        (void) sprintf(payload, "%u", i);
        missed += begin_id(d, make_id("d", "e", 123, NULL, payload))
                  == GW_DEDUP_DUPLICATE;
    }

    ok(missed > 5 && missed < 120, "one other payload of 255 is not seen: %u "
       "of 10000", missed);

    id = make_id("d", "e", 0, "key", "p");
    (void) send_id(d, id);

    for (missed = 0, i = 0; i < 10000; i++) {
        (void) sprintf(payload, "%u", i);
        missed += begin_id(d, make_id("d", "e", 0, "key", payload))
                  != GW_DEDUP_CONFLICT;
    }

    is_u64(missed, 0, "of a key every one is");
    is_sane(d);
    free(d);
}


static void
owners(void)
{
    gw_dedup_t          *d;
    gw_dedup_id_t        id;
    gw_dedup_ticket_t    first, second;
    gw_dedup_verdict_e   verdict;

    d = create(8, 4, 64);
    id = make_id("d", "e", 5, NULL, "p");

    (void) gw_dedup_begin(d, &id, OTHER, alive, now, 0, &first, &note);
    ok(begin(d, 5) == GW_DEDUP_IN_FLIGHT && ticket.owner == OTHER,
       "in flight at another worker");

    alive[2] = OTHER + 1;
    verdict = gw_dedup_begin(d, &id, OWNER, alive, now, 0, &second, &note);
    ok(verdict == GW_DEDUP_NEW && note == GW_DEDUP_TAKEN_OVER
       && second.owner == OWNER,
       "that died, and another one lives in its slot: taken over");
    ok(gw_dedup_done(d, &first, now) == GW_DECLINED
       && gw_dedup_release(d, &first) == GW_DECLINED,
       "the old ticket is not in force");
    is_u64(gw_dedup_stats(d)->flights, 1, "it is one flight");
    is_sane(d);
    ok(gw_dedup_done(d, &second, now) == GW_OK
       && begin(d, 5) == GW_DEDUP_DUPLICATE, "the new one is");

    id.seq = 6;
    verdict = gw_dedup_begin(d, &id, OWNER, alive, now, now + 10, &first,
                             &note);
    ok(verdict == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN, "with a deadline");
    now += 10;
    ok(begin(d, 6) == GW_DEDUP_IN_FLIGHT, "it is in flight up to that second");
    now++;
    id.digest++;
    verdict = gw_dedup_begin(d, &id, OWNER, alive, now, 0, &second, &note);
    ok(verdict == GW_DEDUP_NEW && note == GW_DEDUP_TAKEN_OVER,
       "after it is taken over, whoever owns it and whatever it holds");
    ok(gw_dedup_done(d, &first, now) == GW_DECLINED,
       "also by the same worker: the old ticket is void");
    now += 1000000;
    ok(begin(d, 6) == GW_DEDUP_CONFLICT
       && gw_dedup_begin(d, &id, OWNER, alive, now, 0, &ticket, &note)
          == GW_DEDUP_IN_FLIGHT, "deadline 0: never");
    ok(gw_dedup_release(d, &second) == GW_OK, "and its payload counts now");

    /* overdue over the end of the clock */

    now = UINT32_MAX - 2;
    (void) gw_dedup_begin(d, &id, OWNER, alive, now, UINT32_MAX, &first,
                          &note);
    now = UINT32_MAX;
    ok(gw_dedup_begin(d, &id, OWNER, alive, now, 0, &second, &note)
       == GW_DEDUP_IN_FLIGHT, "the clock may wrap");
    now = 0;
    ok(gw_dedup_begin(d, &id, OWNER, alive, now, 0, &second, &note)
       == GW_DEDUP_NEW && note == GW_DEDUP_TAKEN_OVER, "in between");
    now = 2000000;
    is_sane(d);
    free(d);
}


static void
sweep(void)
{
    unsigned       i;
    gw_dedup_t    *d;
    gw_dedup_id_t  id;

    d = create(8, 64, 64);
    alive[2] = OTHER;

    for (i = 0; i < 40; i++) {
        id = make_id("d", "e", i, NULL, "p");
        (void) gw_dedup_begin(d, &id, i % 2 ? OWNER : OTHER, alive, now, 0,
                              &ticket, &note);
    }

    is_u64(gw_dedup_sweep(d, alive, 64), 0, "flights of the living stay");
    alive[2] = 0;
    is_u64(gw_dedup_sweep(d, alive, 5), 5, "5 flights of a dead one go");
    is_sane(d);
    is_u64(gw_dedup_sweep(d, alive, 64), 15, "then the others");
    is_u64(gw_dedup_sweep(d, alive, 64), 0, "then none is left");
    is_u64(gw_dedup_stats(d)->flights, 20, "20 flights live");
    is_sane(d);

    alive[1] = OWNER + 1;
    is_u64(gw_dedup_sweep(d, alive, 64), 20, "all go with the last owner");
    is_u64(gw_dedup_stats(d)->windows, 0, "and the window, with nothing done");
    alive[1] = OWNER;
    alive[2] = OTHER;
    is_sane(d);
    free(d);
}


/* as gw_dedup.c tells it */

static void
jumps(void)
{
    gw_dedup_t         *d;
    gw_dedup_ticket_t   first;

    const uint64_t  far = 1ULL << 52;

    d = create(8, 8, 64);
    (void) send(d, 50);
    ok(send(d, 50 + GW_DEDUP_JUMP) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN
       && send(d, 50) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW,
       "a number within GW_DEDUP_JUMP moves the window");

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    ok(send(d, 51 + GW_DEDUP_JUMP) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED
       && send(d, 50) == GW_DEDUP_DUPLICATE && send(d, 51) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN, "one above passes, and the window stays");
    is_sane(d);

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    ok(send(d, far) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED
       && send(d, far) == GW_DEDUP_DUPLICATE
       && send(d, far) == GW_DEDUP_DUPLICATE,
       "sent again and again it is a duplicate");
    ok(begin_id(d, make_id("d", "e", far, NULL, "q")) == GW_DEDUP_CONFLICT,
       "or a conflict");
    ok(send(d, 49) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN
       && send(d, 50) == GW_DEDUP_DUPLICATE && send(d, 51) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN, "and does not blind the device");
    ok(send(d, far + 64) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED
       && send(d, far - 64) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED
       && send(d, 52) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "nor do others, each a window away from the last");
    is_sane(d);

    ok(send(d, far - 1) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "a second one near the last is believed");
    ok(send(d, far - 1) == GW_DEDUP_DUPLICATE
       && send(d, far - 64) == GW_DEDUP_DUPLICATE,
       "the window has moved to both");
    ok(send(d, far) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN
       && send(d, far) == GW_DEDUP_DUPLICATE
       && send(d, far + 1) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "and goes on from there");
    is_sane(d);

    /* what a forged pair does, by policy */

    ok(send(d, 53) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW
       && send(d, 53) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW,
       "accept: the numbers from before pass without dedup");
    conf.stale_refuse = 1;
    (void) gw_dedup_attach(d, &conf);
    ok(send(d, 54) == GW_DEDUP_STALE, "refuse: they do not");
    ok(send_id(d, make_id("d", "new", 54, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN, "until the device begins another epoch");
    conf.stale_refuse = 0;

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    (void) send(d, far);
    ok(send(d, far - 63) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN
       && send(d, far) == GW_DEDUP_DUPLICATE
       && send(d, far - 63) == GW_DEDUP_DUPLICATE
       && send(d, far - 64) == GW_DEDUP_NEW && note == GW_DEDUP_BELOW,
       "the second may be the lower one");
    is_sane(d);

    /* both in flight at once */

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    (void) begin(d, far);
    first = ticket;
    ok(begin(d, far + 1) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED,
       "while the first is in flight it counts for nothing");
    (void) gw_dedup_done(d, &first, now);
    (void) gw_dedup_done(d, &ticket, now);
    ok(send(d, far) == GW_DEDUP_DUPLICATE
       && send(d, far + 1) == GW_DEDUP_DUPLICATE
       && send(d, far + 2) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "but once both are done");
    is_sane(d);

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    (void) begin(d, far);
    (void) gw_dedup_release(d, &ticket);
    ok(send(d, far + 1) == GW_DEDUP_NEW && note == GW_DEDUP_JUMPED
       && send(d, 50) == GW_DEDUP_DUPLICATE,
       "one that was released counts for nothing");

    /* the window gets there by itself */

    gw_dedup_init(d, &conf);
    (void) send(d, 50);
    (void) send(d, 60 + GW_DEDUP_JUMP);
    (void) send(d, 70);
    ok(send(d, 60 + GW_DEDUP_JUMP) == GW_DEDUP_DUPLICATE,
       "it is known while the window comes nearer");
    (void) send(d, 62 + GW_DEDUP_JUMP);
    ok(note == GW_DEDUP_PLAIN && send(d, 60 + GW_DEDUP_JUMP)
       == GW_DEDUP_DUPLICATE, "and when it has passed");
    is_sane(d);
    free(d);
}


static void
epochs(void)
{
    char           name[8];
    unsigned       i, bad;
    gw_dedup_t    *d;
    gw_dedup_id_t  id[6];

    /* one bucket, so that all of a device and its neighbour meet */

    d = create(8, 16, 64);

    for (i = 0; i < 3; i++) {
        (void) sprintf(name, "e%u", i);
        (void) send_id(d, make_id("neighbour", name, 1, NULL, "p"));
    }

    now += 10;

    for (i = 0; i < 6; i++) {
        (void) sprintf(name, "e%u", i);
        id[i] = make_id("d", name, 1, NULL, "p");
    }

    for (i = 0; i < 4; i++) {
        (void) send_id(d, id[i]);
        now++;
    }

    ok(send_id(d, id[0]) == GW_DEDUP_DUPLICATE, "a device has 4 epochs");
    now++;
    ok(send_id(d, id[4]) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "the fifth is new");

    for (bad = 0, i = 0; i < 5; i++) {
        bad += i != 1 && send_id(d, id[i]) != GW_DEDUP_DUPLICATE;
    }

    is_u64(bad, 0, "it takes no place");
    is_u64(gw_dedup_stats(d)->epochs, 1, "but that of the oldest one");
    is_u64(gw_dedup_stats(d)->evicted, 1, "one window went");
    is_u64(gw_dedup_stats(d)->windows, 7, "7 are there");

    for (bad = 0, i = 0; i < 3; i++) {
        (void) sprintf(name, "e%u", i);
        bad += send_id(d, make_id("neighbour", name, 1, NULL, "p"))
               != GW_DEDUP_DUPLICATE;
    }

    is_u64(bad, 0, "none of the neighbour's, although they are older");
    is_sane(d);

    for (i = 0; i < 5; i++) {
        id[i].seq = 2;
        (void) (i != 1 && begin_id(d, id[i]));
    }

    now += 1000;
    ok(begin_id(d, id[5]) == GW_DEDUP_NEW && note == GW_DEDUP_UNTRACKED
       && ticket.flight == 0, "with 4 in flight there is no room for a fifth");
    is_u64(gw_dedup_stats(d)->epochs, 1, "and nothing goes");
    is_sane(d);
    free(d);
}


static void
full(void)
{
    char           name[16];
    unsigned       i, bad;
    gw_dedup_t    *d;

    d = create(8, 4, 64);

    for (i = 0; i < 8; i++) {
        (void) sprintf(name, "dev%u", i);
        (void) send_id(d, make_id(name, "e", 1, NULL, "p"));
        now++;
    }

    is_u64(gw_dedup_stats(d)->windows, 8, "8 devices are there");
    ok(begin_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_UNTRACKED && ticket.flight == 0,
       "the ninth passes without dedup");
    conf.full_refuse = 1;
    (void) gw_dedup_attach(d, &conf);
    ok(begin_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_FULL
       && note == GW_DEDUP_PLAIN && ticket.flight == 0, "or is refused");
    ok(begin_id(d, make_id("new", "e", 0, "key", "p")) == GW_DEDUP_FULL,
       "a key as well");

    /* dev0 was last used at now - 8 */

    now += 92;
    ok(begin_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_FULL,
       "idle for just conf.keep: it stays");
    now++;
    ok(begin_id(d, make_id("dev0", "e", 2, NULL, "p")) == GW_DEDUP_NEW
       && begin_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_FULL,
       "longer, but in flight: it stays");
    now++;
    ok(send_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN && gw_dedup_stats(d)->evicted == 1,
       "longer: the one that was idle longest goes");
    ok(send_id(d, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_DUPLICATE
       && send_id(d, make_id("dev0", "e", 1, NULL, "p")) == GW_DEDUP_DUPLICATE
       && send_id(d, make_id("dev2", "e", 1, NULL, "p")) == GW_DEDUP_DUPLICATE,
       "no other one");
    ok(begin_id(d, make_id("dev1", "e", 1, NULL, "p")) == GW_DEDUP_FULL,
       "and it is forgotten");
    is_sane(d);

    /* flights */

    for (i = 3; i < 6; i++) {
        (void) sprintf(name, "dev%u", i);
        (void) begin_id(d, make_id(name, "e", 3, NULL, "p"));
    }

    ok(begin_id(d, make_id("dev2", "e", 4, NULL, "p")) == GW_DEDUP_FULL
       && begin_id(d, make_id("dev2", "e", 1, NULL, "p"))
          == GW_DEDUP_DUPLICATE
       && begin_id(d, make_id("dev3", "e", 3, NULL, "p"))
          == GW_DEDUP_IN_FLIGHT,
       "without a free flight only what is known is answered");
    is_sane(d);
    free(d);

    d = create(8, 70000, 64);

    for (bad = 0, i = 0; i < 65535; i++) {
        bad += begin(d, i) != GW_DEDUP_NEW || ticket.flight == 0;
    }

    ok(bad == 0 && begin(d, i) == GW_DEDUP_NEW && note == GW_DEDUP_UNTRACKED,
       "a window has 65535 flights, not more");
    ok(begin(d, 0) == GW_DEDUP_IN_FLIGHT && gw_dedup_done(d, &ticket, now)
       == GW_OK && begin(d, i) == GW_DEDUP_NEW && note == GW_DEDUP_PLAIN,
       "until one has an end");
    free(d);

    /* keys */

    conf.full_refuse = 0;
    d = create(8, 4, 64);
    (void) send_id(d, make_id("old", "e", 1, NULL, "p"));

    for (i = 0; i < 7; i++) {
        now++;
        (void) sprintf(name, "%u", i);
        (void) send_id(d, make_id("keys", "", 0, name, "p"));
    }

    for (bad = 0, i = 0; i < 7; i++) {
        (void) sprintf(name, "%u", i);
        bad += send_id(d, make_id("keys", "", 0, name, "p"))
               != GW_DEDUP_DUPLICATE;
        now++;
    }

    is_u64(bad, 0, "a device has as many keys as there is room");
    ok(send_id(d, make_id("keys", "", 0, "7", "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN
       && send_id(d, make_id("keys", "", 0, "1", "p")) == GW_DEDUP_DUPLICATE
       && send_id(d, make_id("old", "e", 1, NULL, "p")) == GW_DEDUP_DUPLICATE,
       "a new one takes the place of the oldest one at once");
    ok(send_id(d, make_id("dev", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN && gw_dedup_stats(d)->evicted == 2
       && gw_dedup_stats(d)->epochs == 0, "as does a device");
    is_sane(d);
    free(d);
}


/* a table is nearly full before a device finds no place, for some seeds */

static void
load_factor(uint32_t windows, unsigned seeds)
{
    char           name[24];
    unsigned       i, s, worst, bad;
    gw_dedup_t    *d;

    worst = 1000;
    bad = 0;
    now = 1;

    for (s = 0; s < seeds; s++) {
        d = create(windows, 4, 64);
        conf.keep = 1U << 30;
        (void) gw_dedup_attach(d, &conf);
        note = GW_DEDUP_PLAIN;

        for (i = 0; i <= windows; i++) {
            (void) sprintf(name, "%u-%u", s, i);
            (void) send_id(d, make_id(name, "e", 1, NULL, "p"));

            if (note == GW_DEDUP_UNTRACKED) {
                break;
            }
        }

        worst = i * 1000 / windows < worst ? i * 1000 / windows : worst;

        /* all those that moved are still found */

        while (i--) {
            (void) sprintf(name, "%u-%u", s, i);
            bad += send_id(d, make_id(name, "e", 1, NULL, "p"))
                   != GW_DEDUP_DUPLICATE;
        }

        bad += gw_dedup_check(d) != NULL;
        bad += gw_dedup_stats(d)->evicted != 0;
        free(d);
    }

    ok(worst >= 950, "%u windows are filled to %u.%u %% before a device "
       "finds no place", windows, worst / 10, worst % 10);
    is_u64(bad, 0, "and nobody's window got lost");
    now = 1000;
}


static void
geometry(void)
{
    size_t           size;
    unsigned         bad;
    gw_dedup_t      *d;
    gw_dedup_conf_t  c;

    memset(&c, 0, sizeof(c));
    c.windows = 100;
    c.flights = 10;
    c.width = 64;

    ok(gw_dedup_size(&c) && gw_dedup_size(&c) % 64 == 0, "a size of lines");
    size = gw_dedup_size(&c);
    c.windows = 104;
    is_u64(gw_dedup_size(&c), size, "windows are rounded up to 8");
    c.windows = 112;
    is_u64(gw_dedup_size(&c) - size, 8 * 40, "40 bytes a window of 64 numbers");
    size = gw_dedup_size(&c);
    c.width = 128;
    is_u64(gw_dedup_size(&c) - size, 112 * 8, "8 more for the next 64");

    for (bad = 0, c.width = 0; c.width < 6000; c.width++) {
        bad += (gw_dedup_size(&c) != 0)
               != (c.width % 64 == 0 && c.width >= 64 && c.width <= 4096);
    }

    is_u64(bad, 0, "a width is a multiple of 64, 64 to 4096");
    c.width = 64;
    c.windows = 0;
    ok(gw_dedup_size(&c) == 0, "no windows: no size");
    c.windows = UINT32_MAX;
    ok(gw_dedup_size(&c) == 0, "nor of too many");
    c.windows = 8;
    c.flights = 0;
    ok(gw_dedup_size(&c) == 0, "nor without flights");
    c.flights = UINT32_MAX;
    ok(gw_dedup_size(&c) == 0, "nor with too many");

    for (bad = 0, size = 0; size < 300000; size += 37) {
        c.width = 64 * (1 + size % 3);
        gw_dedup_fit(&c, size);
        bad += c.windows && gw_dedup_size(&c) > size;
        bad += size > 10000 && gw_dedup_size(&c) + 1024 < size;
        c.windows += 8;
        bad += c.flights && gw_dedup_size(&c) <= (size & ~(size_t) 63);
    }

    is_u64(bad, 0, "what fits is the most that fits");
    c.width = 4096;
    gw_dedup_fit(&c, (size_t) 1 << 50);
    ok(gw_dedup_size(&c) != 0, "there is a bound to it");
    c.width = 64;
    gw_dedup_fit(&c, 1 << 20);
    ok(c.windows > 20000, "a megabyte holds %u windows and %u flights",
       c.windows, c.flights);

    d = create(16, 4, 128);
    c = conf;
    ok(gw_dedup_attach(d, &c) == GW_OK, "a shard is found again");
    c.width = 64;
    ok(gw_dedup_attach(d, &c) == GW_DECLINED, "not with another width");
    c = conf;
    c.windows = 24;
    ok(gw_dedup_attach(d, &c) == GW_DECLINED, "nor with other windows");
    c.windows = 0;
    c.flights = 5;
    ok(gw_dedup_attach(d, &c) == GW_DECLINED, "nor with other flights");
    c.flights = 0;
    ok(gw_dedup_attach(d, &c) == GW_OK, "0: as it has them");
    *(uint64_t *) d += 1ULL << 48;
    ok(gw_dedup_attach(d, &c) == GW_DECLINED && gw_dedup_check(d),
       "nor with another layout");
    ok(gw_dedup_init((uint8_t *) d + 8, &conf) == NULL, "nor not aligned");
    free(d);
}


static int
loads(gw_dedup_t *d, const uint8_t *header, const uint8_t *body, size_t len,
    const char **why)
{
    int  rc;

    (void) gw_dedup_init(d, &conf);
    rc = gw_dedup_load(d, header, body, len, 50, why);

    return rc == GW_OK ? 1
           : gw_dedup_stats(d)->windows || gw_dedup_check(d) || *why == NULL
           ? -1 : 0;
}


static void
saved(void)
{
    char            name[16];
    size_t          len, i;
    uint8_t         header[GW_DEDUP_HEADER], *copy;
    unsigned        bad;
    gw_dedup_t     *d, *e;
    const char     *why;
    const uint8_t  *body;

    now = 5000;
    d = create(WINDOWS, 32, 64);
    e = create(WINDOWS, 32, 64);

    for (i = 0; i < 20; i++) {
        (void) sprintf(name, "dev%zu", i);
        (void) send_id(d, make_id(name, "e", 70, NULL, "p"));
        (void) send_id(d, make_id(name, "e", 77, NULL, "p"));
        (void) begin_id(d, make_id(name, "e", 78, NULL, "p"));
    }

    (void) send_id(d, make_id("k", "", 0, "key", "p"));
    (void) begin_id(d, make_id("in flight", "e", 1, NULL, "p"));

    now += 60;
    gw_dedup_seal(d, now, header, &body, &len);
    copy = malloc(len + 1);

    if (copy == NULL) {
        abort();
    }

    memcpy(copy, body, len);

    ok(loads(e, header, copy, len, &why) == 1, "what was saved is loaded");
    is_sane(e);
    is_u64(gw_dedup_stats(e)->windows, 21, "the windows that hold something");
    is_u64(gw_dedup_stats(e)->flights, 0, "no flights");

    now = 50;

    for (bad = 0, i = 0; i < 20; i++) {
        (void) sprintf(name, "dev%zu", i);
        bad += begin_id(e, make_id(name, "e", 70, NULL, "p"))
               != GW_DEDUP_DUPLICATE;
        bad += begin_id(e, make_id(name, "e", 77, NULL, "q"))
               != GW_DEDUP_CONFLICT;
        bad += begin_id(e, make_id(name, "e", 78, NULL, "p")) != GW_DEDUP_NEW;

        if (ticket.flight) {
            (void) gw_dedup_release(e, &ticket);
        }
    }

    bad += begin_id(e, make_id("k", "", 0, "key", "p")) != GW_DEDUP_DUPLICATE;
    is_u64(bad, 0, "done is done, in flight is absent");

    for (bad = 0, i = 0; i < 8 * GW_DEDUP_HEADER; i++) {
        header[i / 8] ^= (uint8_t) (1 << i % 8);
        bad += loads(e, header, copy, len, &why) != 0;
        header[i / 8] ^= (uint8_t) (1 << i % 8);
    }

    is_u64(bad, 0, "no bit of the header may differ");

    for (bad = 0, i = 0; i < 8 * len; i += 7) {
        copy[i / 8] ^= (uint8_t) (1 << i % 8);
        bad += loads(e, header, copy, len, &why) != 0;
        copy[i / 8] ^= (uint8_t) (1 << i % 8);
    }

    is_u64(bad, 0, "nor of the body");

    for (bad = 0, i = 0; i < len; i += 61) {
        bad += loads(e, header, guarded(copy, i), i, &why) != 0;
    }

    is_u64(bad, 0, "nor may it be cut off, which is not read behind");
    copy[len] = 0;
    ok(loads(e, header, copy, len + 1, &why) == 0, "nor be too long");

    header[6]++;
    ok(loads(e, header, copy, len, &why) == 0 && strstr(why, "version"),
       "another version: %s", why);
    header[6]--;
    header[20]++;
    ok(loads(e, header, copy, len, &why) == 0 && strstr(why, "header"),
       "a damaged header: %s", why);
    header[20]--;
    copy[9]++;
    ok(loads(e, header, copy, len, &why) == 0 && strstr(why, "damaged"),
       "a damaged body: %s", why);
    copy[9]--;
    ok(loads(e, header, copy, len, &why) == 1, "none of that: loaded");
    free(e);

    e = create(WINDOWS + 8, 32, 64);
    ok(loads(e, header, copy, len, &why) == 0 && strstr(why, "size"),
       "other windows: %s", why);
    free(e);
    e = create(WINDOWS, 32, 128);
    ok(loads(e, header, copy, len, &why) == 0 && strstr(why, "size"),
       "another width: %s", why);
    free(e);
    e = create(WINDOWS, 8, 64);
    ok(loads(e, header, copy, len, &why) == 1, "other flights: loaded");
    free(e);

    /* ages: idle for 60 seconds at seal(), keep is 100 */

    free(d);
    now = 5000;
    d = create(8, 16, 64);
    e = create(8, 16, 64);

    for (i = 0; i < 8; i++) {
        (void) sprintf(name, "dev%zu", i);
        (void) send_id(d, make_id(name, "e", 1, NULL, "p"));
    }

    gw_dedup_seal(d, now + 60, header, &body, &len);
    ok(loads(e, header, body, len, &why) == 1, "a clock that starts anew");
    now = 50 + 40;
    ok(begin_id(e, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_UNTRACKED, "100 seconds idle in all: it stays");
    now++;
    ok(begin_id(e, make_id("new", "e", 1, NULL, "p")) == GW_DEDUP_NEW
       && note == GW_DEDUP_PLAIN, "101: it goes");
    is_sane(e);
    free(d);
    free(e);

    /* seal() again, over a window that cannot be */

    now = 1000;
    d = create(8, 16, 64);
    (void) send(d, 7);
    gw_dedup_seal(d, now, header, &body, &len);

    for (i = 0; *(const uint64_t *) (const void *) (body + 8 * i) == 0; i++) {
        /* void */
    }

    memset((uint8_t *) (uintptr_t) body + 64 + 32 * i + 24, 0xff, 8);
    gw_dedup_seal(d, now, header, &body, &len);
    e = create(8, 16, 64);
    ok(loads(e, header, body, len, &why) == 0 && strstr(why, "cannot"),
       "the checksum is right, but a number below 0 is done: %s", why);

    free(d);
    free(e);
    free(copy);
}


int
main(void)
{
    unsigned  i;

    for (i = 0; i < GW_DEDUP_SECRET_LEN; i++) {
        secret[i] = (uint8_t) (i * 37 + 11);
    }

    alive[1] = OWNER;
    alive[2] = OTHER;

    states();
    names();
    window(64);
    window(128);
    window(4096);
    ends();
    digests();
    owners();
    sweep();
    jumps();
    epochs();
    full();
    load_factor(3000, 10);
    load_factor(62500, 1);
    geometry();
    saved();

    return done_testing();
}
