/*
 * Millions of random messages through dedup and through a model that simply
 * remembers everything, one list of numbers for each window, and answers by
 * the words of gw_dedup.h.  Every verdict, note and ticket must be the same.
 * Unseen without it: the order of events nobody thought of, after which a
 * number is called done that is not, or forgotten although its window is there.
 *
 * In a second run the table is far too small, so that windows move and go as
 * they like; then no number may be called done that is not, none may be called
 * a conflict that is not, and a window in flight or in use may not go.
 */

#include "gw_test.h"
#include "gw_dedup.h"


#define DEVICES     6
#define EPOCHS      6
#define KEYS        4
#define NAMES       (DEVICES * (EPOCHS + KEYS))
#define FLIGHTS     24
#define OWNERS      4
#define DONE        (1U << 20)         /* of the map; a power of two */


/* a window of the model: what was done under its generation is in the map */

typedef struct {
    int            there;
    uint32_t       generation;
    int            used;
    uint64_t       top;
    uint32_t       last;
    int            jump;               /* may be in the table of jumps */
} model_window_t;


typedef struct {
    gw_dedup_ticket_t  ticket;         /* flight 0: none */
    unsigned           name;
    uint64_t           seq;
    uint32_t           digest;
    uint32_t           deadline;
} model_flight_t;


typedef struct {
    uint32_t  generation;              /* 0: free */
    uint64_t  seq;
    uint32_t  digest;
} model_done_t;


typedef struct {
    int       there;
    unsigned  name;
    uint64_t  seq;
    uint32_t  digest;
} model_jump_t;


static gw_dedup_t        *dedup, *spare;
static gw_dedup_conf_t    conf;
static gw_dedup_id_t      ids[NAMES];
static uint32_t           alive[GW_DEDUP_OWNERS];
static uint32_t           now;
static uint64_t           dice_state = 42;

static model_window_t     windows[NAMES];
static model_flight_t     flights[FLIGHTS];
static model_jump_t       jumps[64];
static model_done_t      *done;
static unsigned           ndone;
static uint32_t           generations;

static unsigned           bad;
static unsigned           seen[GW_DEDUP_FULL + 1];
static unsigned           noted[GW_DEDUP_NOTE_N];


static uint64_t
dice(uint64_t n)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (dice_state >> 20) % n;
}


static void
wrong(const char *what, uint64_t got, uint64_t want)
{
    if (bad++ < 10) {
        printf("# %s: got %" PRIu64 ", want %" PRIu64 "\n", what, got, want);
    }
}


static int
is_key(unsigned name)
{
    return name % (EPOCHS + KEYS) >= EPOCHS;
}


static model_done_t *
model_done(uint32_t generation, uint64_t seq)
{
    uint64_t  h;

    h = (generation * 0x9e3779b97f4a7c15ULL + seq) * 0xd6e8feb86659fd93ULL;
    h ^= h >> 32;

    while (done[h & (DONE - 1)].generation
           && (done[h & (DONE - 1)].generation != generation
               || done[h & (DONE - 1)].seq != seq))
    {
        h++;
    }

    return &done[h & (DONE - 1)];
}


static void
model_add(uint32_t generation, uint64_t seq, uint32_t digest)
{
    model_done_t  *e;

    e = model_done(generation, seq);
    ndone += e->generation == 0;

    e->generation = generation;
    e->seq = seq;
    e->digest = digest;
}


static model_flight_t *
model_flight(unsigned name, uint64_t seq)
{
    unsigned  i;

    for (i = 0; i < FLIGHTS; i++) {
        if (flights[i].ticket.flight && flights[i].name == name
            && (seq == UINT64_MAX || flights[i].seq == seq))
        {
            return &flights[i];
        }
    }

    return NULL;
}


static int
model_near(const model_jump_t *jump, uint64_t seq)
{
    return jump && jump->seq != seq && jump->seq < seq + conf.width
           && seq < jump->seq + conf.width;
}


static model_jump_t *
model_jump(unsigned name)
{
    model_jump_t  *jump;

    jump = &jumps[ids[name].print % 64];

    return windows[name].jump && jump->there && jump->name == name ? jump
                                                                   : NULL;
}


/* what a new message of a window that is there is told */

static gw_dedup_verdict_e
model_judge(unsigned name, uint64_t seq, uint32_t digest,
    gw_dedup_note_e *note)
{
    model_done_t    *e;
    model_jump_t    *jump;
    model_window_t  *w;

    w = &windows[name];

    if (!w->used) {
        return GW_DEDUP_NEW;
    }

    jump = model_jump(name);

    if (seq > w->top) {

        if (jump && jump->seq == seq) {
            return jump->digest == digest ? GW_DEDUP_DUPLICATE
                                          : GW_DEDUP_CONFLICT;
        }

        if (seq > w->top + GW_DEDUP_JUMP && !model_near(jump, seq)) {
            *note = GW_DEDUP_JUMPED;
        }

        return GW_DEDUP_NEW;
    }

    if (seq + conf.width <= w->top) {
        *note = conf.stale_refuse ? GW_DEDUP_PLAIN : GW_DEDUP_BELOW;
        return conf.stale_refuse ? GW_DEDUP_STALE : GW_DEDUP_NEW;
    }

    e = model_done(w->generation, seq);

    if (e->generation == 0) {
        return GW_DEDUP_NEW;
    }

    return e->digest != digest && (is_key(name) || seq + 8 > w->top)
           ? GW_DEDUP_CONFLICT : GW_DEDUP_DUPLICATE;
}


/* 0: a device has as many epochs as it may have, all in flight */

static int
model_make(unsigned name)
{
    unsigned         i, n, oldest;
    model_window_t  *w;

    n = 0;
    oldest = NAMES;

    for (i = name - name % (EPOCHS + KEYS); !is_key(name) && !is_key(i); i++) {
        n += windows[i].there;

        if (windows[i].there && model_flight(i, UINT64_MAX) == NULL
            && (oldest == NAMES || windows[i].last < windows[oldest].last))
        {
            oldest = i;
        }
    }

    if (n == GW_DEDUP_EPOCHS) {

        if (oldest == NAMES) {
            return 0;
        }

        windows[oldest].there = 0;
    }

    w = &windows[name];

    memset(w, 0, sizeof(*w));
    w->there = 1;
    w->generation = ++generations;

    return 1;
}


static void
model_mark(const model_flight_t *f)
{
    model_jump_t    *jump;
    model_window_t  *w;

    w = &windows[f->name];

    if (!w->used) {
        w->used = 1;
        w->top = f->seq;
        model_add(w->generation, f->seq, f->digest);
        return;
    }

    jump = model_jump(f->name);

    if (f->seq > w->top + GW_DEDUP_JUMP && !model_near(jump, f->seq)) {
        jump = &jumps[ids[f->name].print % 64];
        jump->there = 1;
        jump->name = f->name;
        jump->seq = f->seq;
        jump->digest = f->digest;
        w->jump = 1;
        return;
    }

    if (f->seq + conf.width <= w->top) {
        return;
    }

    if (f->seq > w->top + GW_DEDUP_JUMP && jump->seq > f->seq) {
        w->top = jump->seq;
    }

    model_add(w->generation, f->seq, f->digest);

    if (f->seq > w->top) {
        w->top = f->seq;
    }

    if (jump && jump->seq <= w->top) {
        if (jump->seq + conf.width > w->top) {
            model_add(w->generation, jump->seq, jump->digest);
        }

        jump->there = 0;
        w->jump = 0;
    }
}


/* a flight ends */

static void
model_end(model_flight_t *f)
{
    f->ticket.flight = 0;

    if (!windows[f->name].used && model_flight(f->name, UINT64_MAX) == NULL) {
        windows[f->name].there = 0;
    }
}


static int
model_dead(const model_flight_t *f)
{
    return alive[f->ticket.owner >> 24] != f->ticket.owner;
}


static void
step_begin(void)
{
    unsigned            name, i;
    uint32_t            owner, deadline;
    uint64_t            top;
    gw_dedup_id_t       id;
    model_flight_t     *f;
    gw_dedup_note_e     note, want_note;
    gw_dedup_ticket_t   ticket;
    gw_dedup_verdict_e  verdict, want;

    name = (unsigned) dice(NAMES);
    top = windows[name].there && windows[name].used ? windows[name].top : 1000;
    id = ids[name];
    id.digest = dice(8) ? 1 : 2;
    id.seq = 0;

    if (!id.key) {
        switch (dice(40)) {
        case 0:
            id.seq = dice(3);
            break;
        case 1:
            id.seq = GW_SEQ_MAX - dice(3);
            break;
        case 2:
            id.seq = top + GW_DEDUP_JUMP - 2 + dice(5);
            break;
        case 3:
            id.seq = top + GW_DEDUP_JUMP + dice(200);
            break;
        case 4:
            id.seq = (dice(1000) + 1) << 42;
            break;
        case 5:
        case 6:
            i = (unsigned) dice(64);
            id.seq = jumps[id.print % 64].seq + i - 32;
            break;
        case 7:
        case 8:
            id.seq = top - dice(2 * conf.width);
            break;
        case 9:
            id.seq = top + dice(2 * conf.width);
            break;
        default:
            id.seq = top + 3 - dice(20);
        }

        if (id.seq > GW_SEQ_MAX) {
            id.seq = dice(100);
        }
    }

    owner = alive[dice(OWNERS)];
    deadline = dice(4) ? 0 : now + (uint32_t) dice(30);

    verdict = gw_dedup_begin(dedup, &id, owner, alive, now, deadline, &ticket,
                             &note);

    want = GW_DEDUP_NEW;
    want_note = GW_DEDUP_PLAIN;
    f = model_flight(name, id.seq);

    if (windows[name].there) {
        windows[name].last = now;
    }

    if (f && (model_dead(f) || (f->deadline && now > f->deadline))) {
        want_note = GW_DEDUP_TAKEN_OVER;

        if (ticket.serial == f->ticket.serial
            && ticket.owner == f->ticket.owner)
        {
            wrong("an old ticket is given again", 0, 0);
        }

    } else if (f) {
        want = f->digest == id.digest ? GW_DEDUP_IN_FLIGHT : GW_DEDUP_CONFLICT;

        if (want == GW_DEDUP_IN_FLIGHT
            && memcmp(&ticket, &f->ticket, sizeof(ticket)) != 0)
        {
            wrong("the ticket of another flight", ticket.flight,
                  f->ticket.flight);
        }

    } else if (windows[name].there) {
        want = model_judge(name, id.seq, id.digest, &want_note);
    }

    if (want == GW_DEDUP_NEW && f == NULL) {

        for (i = 0; i < FLIGHTS && flights[i].ticket.flight; i++) {
            /* void */
        }

        if (i == FLIGHTS || (!windows[name].there && !model_make(name))) {
            want = conf.full_refuse ? GW_DEDUP_FULL : GW_DEDUP_NEW;
            want_note = conf.full_refuse ? GW_DEDUP_PLAIN : GW_DEDUP_UNTRACKED;

        } else {
            f = &flights[i];
            windows[name].last = now;
        }
    }

    if (verdict != want) {
        wrong("verdict", verdict, want);
        return;
    }

    seen[verdict]++;

    if (verdict == GW_DEDUP_NEW) {
        noted[note]++;

        if (note != want_note) {
            wrong("note", note, want_note);
        }
    }

    if (verdict == GW_DEDUP_NEW && note != GW_DEDUP_UNTRACKED) {

        if (ticket.flight == 0 || ticket.owner != owner || f == NULL) {
            wrong("no ticket", ticket.owner, owner);
            return;
        }

        f->ticket = ticket;
        f->name = name;
        f->seq = id.seq;
        f->digest = id.digest;
        f->deadline = deadline;

    } else if (verdict != GW_DEDUP_IN_FLIGHT && ticket.flight) {
        wrong("a ticket for nothing", verdict, 0);
    }
}


static void
step_settle(int safe)
{
    int                rc;
    model_flight_t    *f;
    gw_dedup_ticket_t  ticket;

    f = &flights[dice(FLIGHTS)];

    if (f->ticket.flight == 0) {
        return;
    }

    ticket = f->ticket;

    if (dice(10) == 0) {
        ticket.serial--;

        rc = safe ? gw_dedup_done(dedup, &ticket, now)
                  : gw_dedup_release(dedup, &ticket);

        if (rc != GW_DECLINED) {
            wrong("a ticket from before is taken", 0, 0);
        }

        return;
    }

    rc = safe ? gw_dedup_done(dedup, &ticket, now)
              : gw_dedup_release(dedup, &ticket);

    if (rc != GW_OK) {
        wrong("a ticket is not taken", 0, 0);
    }

    if (safe) {
        model_mark(f);
        windows[f->name].last = now;
    }

    model_end(f);
}


static void
step_rare(void)
{
    size_t          len;
    uint8_t         header[GW_DEDUP_HEADER];
    uint32_t        n, later;
    unsigned        i;
    const char     *why;
    gw_dedup_t     *other;
    const uint8_t  *body;

    switch (dice(6)) {

    case 0:                    /* a worker dies, another one takes its slot */
        i = (unsigned) dice(OWNERS);
        alive[i] = (uint32_t) (i << 24 | ((alive[i] + 1) & 0xffffff));
        break;

    case 1:
        n = gw_dedup_sweep(dedup, alive, FLIGHTS);

        for (i = 0; i < FLIGHTS; i++) {
            if (flights[i].ticket.flight && model_dead(&flights[i])) {
                model_end(&flights[i]);
                n--;
            }
        }

        if (n) {
            wrong("swept", n, 0);
        }

        break;

    case 2:                    /* of what is whole it changes but the jumps */
        gw_dedup_repair(dedup);
        memset(jumps, 0, sizeof(jumps));
        break;

    case 3:
        (void) gw_dedup_init(spare, &conf);
        gw_dedup_seal(dedup, now, header, &body, &len);
        later = (uint32_t) dice(1000000) + 1000;

        if (gw_dedup_load(spare, header, body, len, later, &why) != GW_OK) {
            wrong(why, 0, 0);
            break;
        }

        other = dedup;
        dedup = spare;
        spare = other;

        for (i = 0; i < FLIGHTS; i++) {
            if (flights[i].ticket.flight) {
                model_end(&flights[i]);
            }
        }

        for (i = 0; i < NAMES; i++) {
            windows[i].last += later - now;
            windows[i].jump = 0;
        }

        now = later;
        break;

    default:
        conf.stale_refuse = (uint8_t) dice(2);
        conf.full_refuse = (uint8_t) dice(2);
        (void) gw_dedup_attach(dedup, &conf);
    }
}


static void
create(uint32_t nwindows, uint32_t nflights, uint32_t width)
{
    size_t  size;
    void   *mem[2];

    memset(&conf, 0, sizeof(conf));
    conf.windows = nwindows;
    conf.flights = nflights;
    conf.width = width;
    conf.keep = 100;
    size = gw_dedup_size(&conf);

    if (posix_memalign(&mem[0], 64, size) || posix_memalign(&mem[1], 64, size))
    {
        abort();
    }

    dedup = gw_dedup_init(mem[0], &conf);
    spare = gw_dedup_init(mem[1], &conf);
}


static void
name_all(unsigned round)
{
    char            text[48];
    uint8_t         secret[GW_DEDUP_SECRET_LEN];
    unsigned        i;
    gw_str_t        device, epoch;

    memset(secret, (int) round + 1, sizeof(secret));

    for (i = 0; i < NAMES; i++) {
        device.data = (uint8_t *) text;
        device.len = (size_t) sprintf(text, "device %u",
                                      i / (EPOCHS + KEYS));
        epoch.data = (uint8_t *) text + 24;
        epoch.len = (size_t) sprintf(text + 24, "%u", i);

        gw_dedup_hash(secret, 0, &device, &epoch, 0, is_key(i) ? &epoch : NULL,
                      &device, &ids[i]);
    }
}


static void
exact(uint32_t width, unsigned rounds, unsigned steps)
{
    unsigned     i, round, count;
    const char  *why;

    bad = 0;
    memset(seen, 0, sizeof(seen));
    memset(noted, 0, sizeof(noted));

    for (round = 0; round < rounds && bad == 0; round++) {
        name_all(round);
        create(512, FLIGHTS, width);
        memset(windows, 0, sizeof(windows));
        memset(flights, 0, sizeof(flights));
        memset(jumps, 0, sizeof(jumps));
        memset(done, 0, sizeof(*done) * DONE);
        ndone = 0;
        now = 1;

        for (i = 0; i < OWNERS; i++) {
            alive[i] = i << 24 | 1;
        }

        for (i = 0; i < steps && bad == 0; i++) {

            now++;

            if (dice(200) == 0) {
                step_rare();

            } else if (dice(5) < 2) {
                step_settle(dice(4) != 0);

            } else {
                step_begin();
            }

            if (ndone > DONE / 2) {
                break;
            }

            why = i % 500 == 0 ? gw_dedup_check(dedup) : NULL;

            if (why) {
                wrong(why, i, 0);
            }
        }

        for (count = 0, i = 0; i < NAMES; i++) {
            count += windows[i].there;
        }

        if (count != gw_dedup_stats(dedup)->windows) {
            wrong("windows", gw_dedup_stats(dedup)->windows, count);
        }

        free(dedup);
        free(spare);
    }

    is_u64(bad, 0, "width %u: %u random steps, and the model agrees", width,
           rounds * steps);

    for (count = 0, i = 0; i <= GW_DEDUP_FULL; i++) {
        count += seen[i] > 100;
    }

    for (i = 0; i < GW_DEDUP_NOTE_N; i++) {
        count += noted[i] > 100;
    }

    is_u64(count, GW_DEDUP_FULL + 1 + GW_DEDUP_NOTE_N,
           "every verdict and every note came more than 100 times");
}


/*
 * A table too small.  Of each (device, epoch) the numbers go up, some are sent
 * again: what was done is known by heart, up to which number, and which of the
 * last 32 are not.
 */

#define CROWD  400

typedef struct {
    uint64_t  top;
    uint64_t  mask;            /* bit i: top - i is done */
    uint64_t  sure;            /* and was, since it was idle for too long */
    uint32_t  last;            /* use */
} crowd_t;


static void
crowded(unsigned steps)
{
    char                 text[32];
    uint8_t              secret[GW_DEDUP_SECRET_LEN];
    crowd_t             *c;
    uint32_t             keep;
    unsigned             i, k, missed, early, tracked, untracked;
    gw_str_t             device;
    gw_dedup_id_t        crowd_id[CROWD], id;
    gw_dedup_note_e      note;
    gw_dedup_ticket_t    ticket, pending[CROWD];
    gw_dedup_verdict_e   verdict;

    static crowd_t  crowd[CROWD];

    static const gw_str_t  epoch = gw_str("1");

    bad = 0;
    missed = 0;
    early = 0;
    tracked = 0;
    untracked = 0;
    keep = 300;
    now = 1;
    memset(secret, 77, sizeof(secret));
    memset(pending, 0, sizeof(pending));

    create(128, CROWD, 64);
    conf.keep = keep;
    (void) gw_dedup_attach(dedup, &conf);

    for (i = 0; i < CROWD; i++) {
        device.data = (uint8_t *) text;
        device.len = (size_t) sprintf(text, "device %u", i);
        gw_dedup_hash(secret, 0, &device, &epoch, 0, NULL, &device,
                      &crowd_id[i]);
        crowd[i].top = 100;
        crowd[i].mask = 0;
        crowd[i].sure = 0;
        crowd[i].last = 0;
    }

    for (i = 0; i < steps && bad == 0; i++) {

        /* by and by others speak, the ones from before fall silent */

        now += dice(4) == 0;
        k = (unsigned) (i / 5000 * 37 + dice(140)) % CROWD;
        c = &crowd[k];

        if (pending[k].flight) {
            if (dice(3)) {
                (void) gw_dedup_done(dedup, &pending[k], now);
                c->mask |= 1;
                c->sure |= 1;
                c->last = now;

            } else {
                (void) gw_dedup_release(dedup, &pending[k]);
            }

            pending[k].flight = 0;
            continue;
        }

        id = crowd_id[k];
        id.seq = c->top - (dice(2) ? dice(32) : 0);

        if (now - c->last > keep) {
            c->sure = 0;
        }

        verdict = gw_dedup_begin(dedup, &id, 1, alive, now, 0, &ticket, &note);

        switch (verdict) {

        case GW_DEDUP_DUPLICATE:
            if (!(c->mask >> (c->top - id.seq) & 1)) {
                wrong("done, and never was", id.seq, c->top);
            }

            c->last = now;
            break;

        case GW_DEDUP_NEW:
            if (note == GW_DEDUP_UNTRACKED) {
                untracked++;
                early += c->sure != 0;
                break;
            }

            missed += c->mask >> (c->top - id.seq) & 1;
            early += c->sure >> (c->top - id.seq) & 1;
            tracked++;

            if (id.seq != c->top || c->mask & 1) {
                (void) gw_dedup_release(dedup, &ticket);
                break;
            }

            pending[k] = ticket;
            break;

        default:
            wrong("verdict", verdict, 0);
        }

        if (c->mask & 1 && dice(2)) {
            c->top++;
            c->mask <<= 1;
            c->sure <<= 1;
        }

        if (i % 1000 == 0 && gw_dedup_check(dedup)) {
            wrong(gw_dedup_check(dedup), i, 0);
        }
    }

    is_u64(bad, 0, "a crowded table: %u steps, and none is done that was not",
           steps);
    ok(tracked > 1000 && untracked > 1000 && missed > 100
       && gw_dedup_stats(dedup)->evicted > 100,
       "it is crowded: %u messages tracked, %u not, %u forgotten", tracked,
       untracked, missed);
    is_u64(early, 0, "none within the time that it is kept");

    free(dedup);
    free(spare);
}


int
main(void)
{
    done = malloc(sizeof(*done) * DONE);

    if (done == NULL) {
        abort();
    }

    alive[0] = 1;
    exact(64, 8, 200000);
    exact(128, 2, 200000);
    exact(4096, 1, 100000);

    memset(alive, 0, sizeof(alive));
    alive[0] = 1;
    crowded(400000);

    free(done);

    return done_testing();
}
