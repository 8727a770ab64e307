/*
 * gw_lanes.c - the waiting room keeps its promises under overload.
 *
 * The story: a worker gets more than its sink takes.  Which message goes, and
 * which is refused, is the overload policy; a wrong row there loses a control
 * message in the one minute when it matters and is invisible in every test
 * that does not fill the buffer.  A charge that drifts by one byte for each
 * message either opens the bound or closes the gateway after some days.  So
 * the rows of the policy are told one by one, and then a long random life is
 * compared, step by step, with a model that knows only arrays.
 */

#include "gw_test.h"
#include "gw_lanes.h"


#define UNIT   1000               /* bytes; the policy table counts in these */
#define UNITS  10                 /* so many fit behind the tables */
#define ITEMS  64


typedef struct {
    gw_lanes_t       *l;
    void             *mem;
    uint64_t          tables;
    gw_lane_item_t    item[ITEMS];
    unsigned          nitems;
    uint64_t          clock;
    gw_lane_item_t   *evicted[ITEMS];
    gw_reason_e       reason[ITEMS];
    unsigned          nevicted;
} room_t;


typedef struct {
    const char  *name;
    const char  *overflow;        /* for c, h, t: r rejects, d drops oldest */
    const char  *share;           /* for c, h, t: units, 0 is the bound */
    const char  *before;
    const char  *arrives;
    int          rc;
    const char  *evicted;
} policy_t;


/*
 * A message is written <class><device><units>: c control, h heartbeat,
 * t telemetry.  "-t" takes the next of a class, "r2" reserves units.
 */

static const policy_t  policies[] = {

    { "what fits is accepted",
      "rrr", "000", "ca4 ha3", "ta3", GW_OK, "" },

    { "what fits is accepted below its share",
      "rrr", "005", "ta2 ha5", "tb3", GW_OK, "" },

    { "a class at its share that drops oldest loses its own oldest",
      "rrd", "003", "ta1 tb1 tc1", "td1", GW_OK, "ta1" },

    { "a class at its share that drops oldest loses as many as are needed",
      "rrd", "004", "ta1 tb2 tc1", "td2", GW_OK, "ta1 tb2" },

    { "a class at its share that rejects is refused",
      "rrr", "003", "ta1 tb1 tc1", "td1", GW_BUSY, "" },

    { "a class at its share evicts nothing of a lower class",
      "rdd", "030", "ta3 ha3", "hb1", GW_OK, "ha3" },

    { "a class at its share that rejects is refused while a lower waits",
      "rrd", "030", "ta3 ha3", "hb1", GW_BUSY, "" },

    { "a share counts what is out at the sink",
      "rrr", "003", "ta3 -t", "tb1", GW_BUSY, "" },

    { "a share full of what is out refuses a class that drops oldest",
      "rrd", "003", "ta3 -t", "tb1", GW_BUSY, "" },

    { "what waits of a share goes, what is out stays",
      "rrd", "003", "ta2 -t ta1", "tb1", GW_OK, "ta1" },

    { "a share too full of what is out evicts nothing in vain",
      "rrd", "003", "ta2 -t ta1", "tb2", GW_BUSY, "" },

    { "a share above the bound is the bound",
      "rrd", "00z", "ta5 ta5", "tb5", GW_OK, "ta5" },

    { "a lower class makes room: its oldest goes",
      "rrr", "000", "ta5 tb5", "ca1", GW_OK, "ta5" },

    { "the lowest class goes first, although a higher one is older",
      "rrr", "000", "ha5 ta5", "ca1", GW_OK, "ta5" },

    { "the next lowest goes where the lowest is not enough",
      "rrr", "000", "ha5 tb3 ta2", "ca6", GW_OK, "tb3 ta2 ha5" },

    { "a class that rejects is evicted for a higher one all the same",
      "rrr", "000", "ha9", "ca2", GW_OK, "ha9" },

    { "full with no lower class, a class that drops oldest loses its own",
      "rdd", "000", "ca4 ha3 hb3", "hc1", GW_OK, "ha3" },

    { "full with no lower class, a class that rejects is refused",
      "rrd", "000", "ca4 ha6", "hb1", GW_BUSY, "" },

    { "lower classes go before the own oldest",
      "ddd", "000", "ha5 ta2 hb3", "hc3", GW_OK, "ta2 ha5" },

    { "a class that rejects evicts no lower class in vain",
      "rrr", "000", "ha8 ta2", "hb3", GW_BUSY, "" },

    { "a class never evicts a higher one",
      "rrd", "000", "ca5 ha5", "ta1", GW_BUSY, "" },

    { "a class never evicts a higher one that drops oldest",
      "ddd", "000", "ca5 ha5", "ta1", GW_BUSY, "" },

    { "class 0 that rejects is never evicted by itself",
      "rdd", "000", "ca9", "cb2", GW_BUSY, "" },

    { "class 0 that drops oldest is evicted by itself",
      "ddd", "000", "ca9", "cb2", GW_OK, "ca9" },

    { "full of what is out at the sink, everything is refused",
      "ddd", "000", "ta5 tb5 -t -t", "ca1", GW_BUSY, "" },

    { "full of reservations, everything is refused",
      "ddd", "000", "r9", "ca2", GW_BUSY, "" },

    { "what is reserved is not evictable, what waits beside it is",
      "ddd", "000", "r8 ta2", "ca2", GW_OK, "ta2" },

    { "reservations and the sink leave too little: nothing is evicted",
      "ddd", "000", "r4 ta4 -t ta2", "ca3", GW_BUSY, "" },

    { "larger than the bound is refused and evicts nothing",
      "ddd", "000", "ta5", "ca0", GW_BUSY, "" },

    { "larger than its share is refused and evicts nothing",
      "ddd", "200", "ca1 ta9", "cb3", GW_BUSY, "" },

    { "share and bound: the own go for the share, then the lower class",
      "rdd", "040", "ha1 hb3 tb6", "hc3", GW_OK, "ha1 hb3" },

    { "share and bound: what goes for the share may be enough for both",
      "rdd", "060", "ha1 hb4 r1 tb4", "hc4", GW_OK, "hb4" },

    { "share and bound: both go",
      "rdd", "040", "ha1 hb2 r2 tb3 tc2", "hc2", GW_OK, "ha1 tb3" },

    { "share and bound: room for the share but not for the bound, none goes",
      "rdd", "040", "ha2 r8", "hc3", GW_BUSY, "" },

    { "exactly full is still accepted",
      "rrr", "000", "ta9", "ca1", GW_OK, "" },

    { "four times the bytes: the heavy device loses, not the oldest",
      "rrd", "000", "ta1 tb2 tb2 tc1", "ca5", GW_OK, "tb2" },

    { "less than four times: the oldest goes",
      "rrd", "000", "ta2 tb2 tb2 tb3", "ca2", GW_OK, "ta2" },

    { "the heavy device loses its oldest first until it is no longer heavy",
      "rrd", "000", "ta1 tb1 tb3 tb2 tc1", "ca6", GW_OK, "tb1 tb3" },

    { "after the heavy device was cut down the oldest goes",
      "rrd", "000", "ta1 tb1 tb3 tb2 tc2", "ca7", GW_OK, "tb1 tb3 ta1 tb2" },

    { "a device is heavy only in the lane where it is heavy",
      "rrd", "000", "hb4 tb1 tc1 ta1", "ca4", GW_OK, "tb1" },

    { "what is out does not count to the weight of a device",
      "rrd", "000", "tb6 -t ta1 tb1 tc2", "ca1", GW_OK, "ta1" },

    { "one noisy device evicts its own",
      "rrd", "000", "ta1 tb2 tb3 tb3 tb1", "tb1", GW_OK, "tb2" },
};


static void
on_evict(void *ctx, gw_lane_item_t *item, gw_reason_e reason)
{
    room_t  *room = ctx;

    room->reason[room->nevicted] = reason;
    room->evicted[room->nevicted++] = item;
}


static void *
aligned(size_t size)
{
    void  *p;

    /* what init does not set shows */

    if (posix_memalign(&p, 64, size) != 0) {
        abort();
    }

    memset(p, 0xa5, size);
    return p;
}


static gw_lanes_conf_t
conf_of(const char *overflow, const char *share)
{
    unsigned         i;
    gw_lanes_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    conf.nclasses = 3;
    conf.high = 100;
    conf.low = 100;
    conf.bound = UNITS * UNIT;
    conf.bound += gw_lanes_size(&conf);

    for (i = 0; i < 3; i++) {
        conf.class_conf[i].overflow = overflow[i] == 'd'
                                      ? GW_OVERFLOW_DROP_OLDEST
                                      : GW_OVERFLOW_REJECT;
        conf.class_conf[i].share = share[i] == 'z'
                                   ? UINT64_MAX
                                   : (uint64_t) (share[i] - '0') * UNIT;
    }

    return conf;
}


static void
room_open(room_t *room, const gw_lanes_conf_t *conf)
{
    memset(room, 0, sizeof(*room));

    room->mem = aligned(gw_lanes_size(conf));
    room->tables = gw_lanes_size(conf);
    room->l = gw_lanes_init(room->mem, conf, on_evict, room);
    room->clock = 1000;

    if (room->l == NULL) {
        abort();
    }
}


static void
room_close(room_t *room)
{
    free(room->mem);
}


static gw_lane_item_t *
room_item(room_t *room, unsigned lane, char device, uint32_t cost)
{
    gw_lane_item_t  *item;

    if (room->nitems == ITEMS) {
        abort();
    }

    item = &room->item[room->nitems++];
    memset(item, 0x5a, sizeof(*item));

    item->device = (uint64_t) device;
    item->lane = (uint8_t) lane;
    item->cost = cost;
    item->time = room->clock++;

    return item;
}


static unsigned
lane_of(char c)
{
    return c == 'c' ? 0 : c == 'h' ? 1 : 2;
}


/* the item that is written as in the policy table; 0 units: twice the bound */

static gw_lane_item_t *
room_word(room_t *room, const char *word)
{
    uint32_t  units;

    units = (uint32_t) (word[2] - '0');

    return room_item(room, lane_of(word[0]), word[1],
                     units ? units * UNIT
                           : 2 * (uint32_t) gw_lanes_bound(room->l));
}


static int
room_play(room_t *room, const char *script)
{
    const char  *p;

    for (p = script; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");

        if (*p == 'r') {
            if (gw_lanes_reserve(room->l, (uint64_t) (p[1] - '0') * UNIT)
                != GW_OK)
            {
                return GW_ERROR;
            }

        } else if (*p == '-') {
            if (gw_lanes_take(room->l, 1u << lane_of(p[1])) == NULL) {
                return GW_ERROR;
            }

        } else if (gw_lanes_offer(room->l, room_word(room, p)) != GW_OK) {
            return GW_ERROR;
        }
    }

    return room->nevicted ? GW_ERROR : GW_OK;
}


static void
room_evicted(const room_t *room, char *buf)
{
    unsigned               i;
    const gw_lane_item_t  *item;

    *buf = '\0';

    for (i = 0; i < room->nevicted; i++) {
        item = room->evicted[i];
        buf += sprintf(buf, "%s%c%c%u", i ? " " : "", "cht"[item->lane],
                       (char) item->device, item->cost / UNIT);
    }
}


static void
test_policy(void)
{
    int              rc;
    char             gone[ITEMS * 4];
    room_t           room;
    unsigned         i;
    uint64_t         before;
    const char      *sound;
    const policy_t  *p;
    gw_lanes_conf_t  conf;

    for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        p = &policies[i];

        conf = conf_of(p->overflow, p->share);
        room_open(&room, &conf);

        if (room_play(&room, p->before) != GW_OK) {
            ok(0, "%s (the scene)", p->name);
            room_close(&room);
            continue;
        }

        before = gw_lanes_charged(room.l);
        rc = gw_lanes_offer(room.l, room_word(&room, p->arrives));
        room_evicted(&room, gone);
        sound = gw_lanes_check(room.l);

        ok(rc == p->rc && strcmp(gone, p->evicted) == 0 && sound == NULL
           && (rc == GW_OK || gw_lanes_charged(room.l) == before)
           && gw_lanes_charged(room.l) <= conf.bound
           && (room.nevicted == 0 || room.reason[0] == GW_R_FULL),
           "%s", p->name);

        if (rc != p->rc || strcmp(gone, p->evicted) != 0 || sound) {
            printf("#   rc %d, evicted \"%s\", %s\n", rc, gone,
                   sound ? sound : "sound");
        }

        room_close(&room);
    }
}


static void
test_init(void)
{
    void            *mem;
    size_t           size;
    gw_lanes_t      *l;
    gw_lanes_conf_t  conf, bad;

    conf = conf_of("rrr", "000");
    conf.high = 80;
    conf.low = 60;
    size = gw_lanes_size(&conf);
    mem = aligned(size);

    l = gw_lanes_init(mem, &conf, on_evict, NULL);
    ok(l != NULL, "a sane configuration is accepted");
    is_u64(gw_lanes_charged(l), size, "the tables are charged from the start");
    is_u64(gw_lanes_bound(l), conf.bound, "the bound is the configured one");
    ok(gw_lanes_check(l) == NULL, "an empty room is sound");
    ok(gw_lanes_take(l, 0xff) == NULL, "an empty room gives nothing");
    is_u64(gw_lanes_oldest(l, 2), 0, "an empty lane has no oldest");

    bad = conf;
    bad.nclasses = 0;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "no class makes no sense");

    bad = conf;
    bad.nclasses = GW_CLASSES_MAX + 1;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "more classes than there are counters make no sense");

    bad = conf;
    bad.low = 81;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "a low mark above the high mark makes no sense");

    bad = conf;
    bad.high = 101;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "a high mark above 100 percent makes no sense");

    bad = conf;
    bad.low = 1;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "a low mark that the tables alone reach makes no sense");

    bad = conf;
    bad.bound = 2 * size - 1;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) == NULL,
       "a bound below twice the tables makes no sense");

    bad.bound = 2 * size;
    ok(gw_lanes_init(mem, &bad, on_evict, NULL) != NULL,
       "a bound of twice the tables is enough");

    ok(gw_lanes_init(mem, &conf, NULL, NULL) == NULL,
       "nobody to take the evicted makes no sense");

    bad = conf;
    bad.bound = UINT64_MAX;
    ok(gw_lanes_size(&bad) < 1 << 20, "the tables of any bound stay small");

    bad.bound = 64 << 20;
    ok(gw_lanes_size(&bad) * 100 < bad.bound,
       "the tables cost less than one percent of a usual bound");

    ok(sizeof(gw_lane_item_t) <= 136, "an item is small");

    free(mem);
}


static void
test_account(void)
{
    room_t                  room;
    gw_lane_item_t         *a, *b, *c;
    gw_lanes_conf_t         conf;
    const gw_lane_usage_t  *u;

    conf = conf_of("rrd", "000");
    room_open(&room, &conf);

    a = room_item(&room, 2, 'a', 333);
    b = room_item(&room, 2, 'a', 1);
    c = room_item(&room, 0, 'a', 0);

    ok(gw_lanes_offer(room.l, a) == GW_OK && gw_lanes_offer(room.l, b) == GW_OK
       && gw_lanes_offer(room.l, c) == GW_OK,
       "items of any cost are accepted, even of none");

    is_u64(gw_lanes_charged(room.l), room.tables + 334,
           "a waiting item is charged to the byte");
    is_u64(gw_lanes_waiting(room.l), 3, "all classes are counted as waiting");
    is_u64(gw_lanes_oldest(room.l, 2), a->time,
           "the oldest of a lane is its head");

    u = gw_lanes_usage(room.l, 2);
    ok(gw_lanes_take(room.l, 4) == a, "the head is taken");
    ok(u->bytes == 334 && u->waiting_bytes == 1 && u->waiting == 1
       && u->out == 1, "an item that is out is charged but does not wait");
    is_u64(gw_lanes_out(room.l), 1, "an item that is out is counted");

    gw_lanes_release(room.l, a);
    ok(u->bytes == 1 && u->out == 0, "a released item is no longer charged");

    ok(gw_lanes_reserve(room.l, 9999) == GW_OK,
       "a reservation that fills the bound is accepted");
    is_u64(gw_lanes_charged(room.l), conf.bound, "a reservation is charged");
    ok(gw_lanes_reserve(room.l, 1) == GW_BUSY && room.nevicted == 0,
       "a reservation that does not fit is refused and evicts nothing");
    ok(gw_lanes_reserve(room.l, UINT64_MAX) == GW_BUSY,
       "a reservation does not wrap around");
    ok(gw_lanes_check(room.l) == NULL, "a full room is sound");

    gw_lanes_unreserve(room.l, 9000);
    gw_lanes_unreserve(room.l, 999);

    while ((a = gw_lanes_take(room.l, 7)) != NULL) {
        gw_lanes_release(room.l, a);
    }

    is_u64(gw_lanes_charged(room.l), room.tables,
           "after all is released the tables alone are charged");
    ok(gw_lanes_check(room.l) == NULL, "an emptied room is sound");

    a = room_item(&room, 3, 'a', 1);
    ok(gw_lanes_offer(room.l, a) == GW_ERROR,
       "a lane that does not exist is an error, not a crash");

    room_close(&room);
}


static void
test_pressure(void)
{
    room_t           room;
    uint64_t         high, low;
    gw_lane_item_t  *item;
    gw_lanes_conf_t  conf;

    conf = conf_of("rrr", "000");
    conf.high = 80;
    conf.low = 60;
    room_open(&room, &conf);

    high = conf.bound * 80 / 100;
    low = (conf.bound * 60 + 99) / 100;

    gw_lanes_reserve(room.l, high - room.tables);
    ok(!gw_lanes_pressure(room.l), "at the high mark there is no pressure yet");

    item = room_item(&room, 2, 'a', 1);
    gw_lanes_offer(room.l, item);
    ok(gw_lanes_pressure(room.l), "one byte above the high mark there is");

    gw_lanes_take(room.l, 7);
    ok(gw_lanes_pressure(room.l), "a take changes neither charge nor pressure");

    gw_lanes_release(room.l, item);
    ok(gw_lanes_pressure(room.l), "below the high mark pressure stays");

    gw_lanes_unreserve(room.l, high - low);
    is_u64(gw_lanes_charged(room.l), low, "the charge is at the low mark");
    ok(gw_lanes_pressure(room.l), "at the low mark pressure stays");

    gw_lanes_unreserve(room.l, 1);
    ok(!gw_lanes_pressure(room.l), "one byte below the low mark it is gone");

    gw_lanes_reserve(room.l, high - low);
    ok(!gw_lanes_pressure(room.l), "between the marks it does not come back");

    ok(gw_lanes_check(room.l) == NULL, "pressure follows the charge");
    room_close(&room);

    conf.high = 100;
    room_open(&room, &conf);
    gw_lanes_reserve(room.l, conf.bound - room.tables);
    ok(!gw_lanes_pressure(room.l), "a high mark of 100 never presses");
    room_close(&room);
}


static void
test_take(void)
{
    char             got[64];
    room_t           room;
    unsigned         i;
    gw_lane_item_t  *item;
    gw_lanes_conf_t  conf;

    conf = conf_of("rrr", "000");
    room_open(&room, &conf);

    room_play(&room, "ta1 ha1 ca1 tb1 hb1 cb1");

    for (i = 0; (item = gw_lanes_take(room.l, 7)) != NULL; i += 2) {
        got[i] = "cht"[item->lane];
        got[i + 1] = (char) item->device;
    }

    is_str(got, i, "cacbhahbtatb", "out: strict priority, FIFO in a class");
    room_close(&room);

    room_open(&room, &conf);
    room_play(&room, "ta1 ha1 ca1");
    item = gw_lanes_take(room.l, 6);
    ok(item->lane == 1, "a take serves only the classes of its mask");
    ok(gw_lanes_take(room.l, 2) == NULL, "a class that waits not gives none");
    ok(gw_lanes_take(room.l, 0xfffffff8) == NULL,
       "classes that do not exist give none");
    room_close(&room);

    conf.floor = 4;
    room_open(&room, &conf);
    room_play(&room, "ta1 ta1 ha1 ca1 ca1 ca1 ca1");

    for (i = 0; i < 2; i++) {
        got[i] = "cht"[gw_lanes_take(room.l, 7)->lane];
    }

    gw_lanes_take(room.l, 0);

    for ( /* void */ ; i < 3; i++) {
        got[i] = "cht"[gw_lanes_take(room.l, 7)->lane];
    }

    for ( /* void */ ; i < 7; i++) {
        got[i] = "cht"[gw_lanes_take(room.l, 7)->lane];
    }

    is_str(got, i, "ccctcht", "each floor-th take serves the lowest; a take "
           "that finds none does not count");
    room_close(&room);

    conf.floor = 2;
    room_open(&room, &conf);
    room_play(&room, "ta1 ha1 ca1");
    gw_lanes_take(room.l, 3);
    item = gw_lanes_take(room.l, 3);
    ok(item->lane == 1, "the floor serves the lowest of the mask only");
    room_close(&room);

    conf.floor = 16;
    room_open(&room, &conf);

    for (i = 0; i < 20; i++) {
        gw_lanes_offer(room.l, room_item(&room, 0, 'a', 10));
        gw_lanes_offer(room.l, room_item(&room, 2, 'a', 10));
    }

    for (i = 0; i < 16; i++) {
        item = gw_lanes_take(room.l, 7);
        if (item->lane == 2) {
            break;
        }
    }

    is_u64(i, 15, "with a floor of 16 the 16th take is the lowest class");
    room_close(&room);
}


/* what waits, as the devices in the order of the lane t */

static void
room_drain(room_t *room, char *buf)
{
    gw_lane_item_t  *item;

    while ((item = gw_lanes_take(room->l, 4)) != NULL) {
        *buf++ = (char) item->device;
        *buf++ = (char) ('0' + item->cost / UNIT);
        gw_lanes_release(room->l, item);
    }

    *buf = '\0';
}


static void
test_put_back(void)
{
    static const uint8_t  orders[][4] = {
        { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 },
        { 0, 2, 1, 3 }, { 3, 0, 2, 1 }
    };

    char             got[ITEMS * 2];
    room_t           room;
    unsigned         i, j, bad;
    uint64_t         charged;
    gw_lane_item_t  *out[4];
    gw_lanes_conf_t  conf;

    conf = conf_of("rrd", "000");
    bad = 0;

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        room_open(&room, &conf);
        room_play(&room, "ta1 tb1 ta2 tb2 ta3 tc1");

        for (j = 0; j < 4; j++) {
            out[j] = gw_lanes_take(room.l, 4);
        }

        for (j = 0; j < 4; j++) {
            gw_lanes_put_back(room.l, out[orders[i][j]]);
            bad += gw_lanes_check(room.l) != NULL;
        }

        room_drain(&room, got);
        bad += strcmp(got, "a1b1a2b2a3c1") != 0;
        bad += gw_lanes_charged(room.l) != room.tables;
        room_close(&room);
    }

    is_u64(bad, 0, "what is put back, in any order, goes to its place");

    room_open(&room, &conf);
    room_play(&room, "ta1 ta2 ta3");

    for (j = 0; j < 3; j++) {
        out[j] = gw_lanes_take(room.l, 4);
    }

    gw_lanes_release(room.l, out[1]);
    gw_lanes_offer(room.l, room_item(&room, 2, 'b', 4 * UNIT));
    charged = gw_lanes_charged(room.l);
    is_u64(charged, conf.bound - 2 * UNIT, "the room is nearly full");
    gw_lanes_reserve(room.l, 2 * UNIT);
    gw_lanes_put_back(room.l, out[2]);
    gw_lanes_put_back(room.l, out[0]);
    is_u64(gw_lanes_charged(room.l), conf.bound,
           "a full room takes back what was out, at no new charge");
    is_u64(gw_lanes_oldest(room.l, 2), out[0]->time,
           "what was put back is the oldest again");
    ok(gw_lanes_offer(room.l, room_word(&room, "ca1")) == GW_OK
       && room.nevicted == 1 && room.evicted[0] == out[0],
       "what was put back may be evicted, oldest first");
    ok(gw_lanes_check(room.l) == NULL, "and the room is sound");
    room_close(&room);

    room_open(&room, &conf);
    room_play(&room, "tb2 ta1 tb2 tb2 tc1 -t -t -t");
    gw_lanes_put_back(room.l, &room.item[2]);
    gw_lanes_put_back(room.l, &room.item[0]);
    gw_lanes_put_back(room.l, &room.item[1]);
    gw_lanes_release(room.l, gw_lanes_take(room.l, 4));
    ok(gw_lanes_offer(room.l, room_word(&room, "ca5")) == GW_OK
       && room.nevicted == 1 && room.evicted[0] == &room.item[2],
       "a device's place among what is put back is by age as well");
    room_close(&room);
}


static void
test_expire(void)
{
    room_t           room;
    gw_lanes_conf_t  conf;

    conf = conf_of("rrd", "000");
    conf.class_conf[1].max_age = 5000;
    conf.class_conf[2].max_age = 1000;

    /* received at 1000, 1001, ... in the order written */

    room_open(&room, &conf);
    room_play(&room, "ca1 ha1 ta1 tb1 ta1");

    is_u64(gw_lanes_expire(room.l, 2002, 10), 0,
           "at its max age a message still waits");
    is_u64(gw_lanes_expire(room.l, 2003, 10), 1, "one ms later it does not");
    ok(room.evicted[0] == &room.item[2] && room.reason[0] == GW_R_EXPIRED,
       "the oldest of the class expired, and the reason says so");
    is_u64(gw_lanes_charged(room.l), room.tables + 4 * UNIT,
           "its charge is gone");
    is_u64(gw_lanes_expire(room.l, 999999, 1), 1,
           "at most so many expire in one call");
    ok(room.evicted[1]->lane == 2, "the lowest class expires first");
    is_u64(gw_lanes_expire(room.l, 0, 10), 0,
           "a time before the receive time expires nothing");
    is_u64(gw_lanes_expire(room.l, 999999, 10), 2, "the rest expires then");
    is_u64(gw_lanes_waiting(room.l), 1, "a max age of 0 is for ever");
    ok(gw_lanes_check(room.l) == NULL, "the room is sound after it");
    room_close(&room);

    room_open(&room, &conf);
    room_play(&room, "ta1 tb1 -t");
    is_u64(gw_lanes_expire(room.l, 999999, 10), 1,
           "what is out at the sink does not expire");
    gw_lanes_put_back(room.l, &room.item[0]);
    is_u64(gw_lanes_expire(room.l, 999999, 10), 1,
           "what was put back expires by its receive time");
    room_close(&room);
}


static void
test_burst(void)
{
    room_t           room;
    unsigned         i, quiet, wrong;
    gw_lane_item_t  *item;
    gw_lanes_conf_t  conf;

    /* one device sends 30 messages among 10 quiet ones, then control comes */

    conf = conf_of("rrd", "000");
    room_open(&room, &conf);

    for (i = 0; i < 40; i++) {
        gw_lanes_offer(room.l, room_item(&room, 2,
                                         i % 4 ? 'z' : (char) ('a' + i / 4),
                                         UNIT / 4));
    }

    for (i = 0; i < 6; i++) {
        gw_lanes_offer(room.l, room_item(&room, 0, 'a', UNIT));
    }

    quiet = 0;
    wrong = 0;

    for (i = 0; i < room.nevicted; i++) {
        quiet += room.evicted[i]->device != 'z';
        wrong += i && room.evicted[i]->device == room.evicted[i - 1]->device
                 && room.evicted[i]->time < room.evicted[i - 1]->time;
    }

    is_u64(room.nevicted, 24, "a burst of one device makes room for control");
    is_u64(quiet, 0, "the quiet devices lose nothing to it");
    is_u64(wrong, 0, "the noisy device loses its oldest first");

    for (i = 0; (item = gw_lanes_take(room.l, 4)) != NULL; i++) {
        /* void */
    }

    is_u64(i, 16, "the quiet devices' messages and some of the noisy wait");
    room_close(&room);
}


/*
 * The model: arrays, no lists, every question answered by looking at all.
 */

#define MODEL_ITEMS  320

typedef enum { M_FREE = 0, M_WAITS, M_OUT } m_state_e;

typedef struct {
    gw_lanes_t       *l;
    gw_lanes_conf_t   conf;
    uint64_t          random;

    gw_lane_item_t   *item[MODEL_ITEMS];
    m_state_e         state[MODEL_ITEMS];
    uint64_t          seq[MODEL_ITEMS];
    unsigned          lane[MODEL_ITEMS];
    uint64_t          device[MODEL_ITEMS];
    uint64_t          cost[MODEL_ITEMS];
    uint64_t          time[MODEL_ITEMS];

    uint64_t          charged;
    uint64_t          reserved;
    uint64_t          bytes[GW_CLASSES_MAX];    /* waiting and out */
    uint64_t          next_seq;
    uint64_t          now;
    uint64_t          takes;
    int               pressure;

    /* the call under way */
    int               expiring;
    unsigned          arriving;
    uint64_t          arriving_cost;
    unsigned          gone;

    unsigned          evictions, heavies, refusals, expiries, backs;
    const char       *fault;
    unsigned          step;
} model_t;


static uint64_t
m_random(model_t *m, uint64_t n)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;

    return (m->random >> 11) % n;
}


static void
m_fault(model_t *m, const char *fault)
{
    if (m->fault == NULL) {
        m->fault = fault;
    }
}


static void
m_charge(model_t *m, int64_t n)
{
    m->charged += (uint64_t) n;

    if (m->charged * 100 > m->conf.bound * m->conf.high) {
        m->pressure = 1;

    } else if (m->charged * 100 < m->conf.bound * m->conf.low) {
        m->pressure = 0;
    }
}


static uint64_t
m_share(const model_t *m, unsigned lane)
{
    uint64_t  share = m->conf.class_conf[lane].share;

    return share && share < m->conf.bound ? share : m->conf.bound;
}


static int
m_index(const model_t *m, const gw_lane_item_t *item)
{
    int  i;

    for (i = 0; i < MODEL_ITEMS; i++) {
        if (m->item[i] == item) {
            return i;
        }
    }

    return -1;
}


/* the oldest that waits in a lane; of one device, or of any (NULL) */

static int
m_oldest(const model_t *m, unsigned lane, const uint64_t *device)
{
    int  i, best;

    best = -1;

    for (i = 0; i < MODEL_ITEMS; i++) {
        if (m->state[i] == M_WAITS && m->lane[i] == lane
            && (device == NULL || m->device[i] == *device)
            && (best < 0 || m->seq[i] < m->seq[best]))
        {
            best = i;
        }
    }

    return best;
}


static uint64_t
m_waiting(const model_t *m, unsigned lane, const uint64_t *device)
{
    int       i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < MODEL_ITEMS; i++) {
        if (m->state[i] == M_WAITS && m->lane[i] == lane
            && (device == NULL || m->device[i] == *device))
        {
            n += m->cost[i];
        }
    }

    return n;
}


static uint64_t
m_heaviest(const model_t *m, unsigned lane)
{
    int       i;
    uint64_t  n, most;

    most = 0;

    for (i = 0; i < MODEL_ITEMS; i++) {
        if (m->state[i] == M_WAITS && m->lane[i] == lane) {
            n = m_waiting(m, lane, &m->device[i]);
            most = n > most ? n : most;
        }
    }

    return most;
}


static void
m_forget(model_t *m, int i)
{
    m->bytes[m->lane[i]] -= m->cost[i];
    m->state[i] = M_FREE;
    m_charge(m, -(int64_t) m->cost[i]);

    /* a late touch by the lanes is a use after free that ASan reports */
    free(m->item[i]);
    m->item[i] = NULL;
}


static void
m_evict(void *ctx, gw_lane_item_t *item, gw_reason_e reason)
{
    int       i, head, lowest;
    model_t  *m = ctx;
    unsigned  c, lane, v;
    uint64_t  heaviest, mine, oldest;

    i = m_index(m, item);

    if (i < 0 || m->state[i] != M_WAITS) {
        m_fault(m, "an item was evicted that does not wait");
        return;
    }

    v = m->lane[i];
    head = m_oldest(m, v, NULL);

    if (m->expiring) {
        if (reason != GW_R_EXPIRED || i != head
            || m->conf.class_conf[v].max_age == 0
            || m->time[i] + m->conf.class_conf[v].max_age >= m->now)
        {
            m_fault(m, "an item expired before its time or its turn");
        }

        m->gone++;
        m_forget(m, i);
        return;
    }

    if (reason != GW_R_FULL) {
        m_fault(m, "an eviction has a wrong reason");
    }

    c = m->arriving;

    if (m->bytes[c] + m->arriving_cost > m_share(m, c)) {
        if (v != c) {
            m_fault(m, "the share of a class was paid by another");
        }

    } else if (m->charged + m->arriving_cost > m->conf.bound) {
        lowest = -1;

        for (lane = c + 1; lane < m->conf.nclasses; lane++) {
            if (m_oldest(m, lane, NULL) >= 0) {
                lowest = (int) lane;
            }
        }

        if ((int) v != (lowest < 0 ? (int) c : lowest)) {
            m_fault(m, "not the lowest class that waits was evicted");
        }

    } else {
        m_fault(m, "an eviction was not needed");
    }

    if (v < c) {
        m_fault(m, "a higher class was evicted");
    }

    if (v == c && m->conf.class_conf[c].overflow != GW_OVERFLOW_DROP_OLDEST) {
        m_fault(m, "a class that rejects evicted its own");
    }

    if (v == 0 && c != 0) {
        m_fault(m, "class 0 was evicted by another");
    }

    if (m_oldest(m, v, &m->device[i]) != i) {
        m_fault(m, "not the oldest of its device was evicted");
    }

    oldest = m_waiting(m, v, &m->device[head]);
    mine = m_waiting(m, v, &m->device[i]);
    heaviest = m_heaviest(m, v);

    if (i == head) {
        if (heaviest >= 8 * oldest && heaviest != mine) {
            m_fault(m, "a device of eight times the bytes was passed over");
        }

    } else {
        m->heavies++;

        if (mine < 4 * oldest || 2 * mine <= heaviest) {
            m_fault(m, "an item was evicted that is neither the oldest nor "
                    "of a heavy device");
        }
    }

    m->gone++;
    m->evictions++;
    m_forget(m, i);
}


/* other devices in each phase, so that many meet in one hash chain */

static uint64_t
m_hash(uint64_t device, uint64_t phase)
{
    uint64_t  h;

    h = (device + 1) * 0xbf58476d1ce4e5b9ULL + phase * 0x94d049bb133111ebULL;
    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;

    return h ^ h >> 32;
}


static void
m_offer(model_t *m)
{
    int       i, rc, fits, drop;
    unsigned  c, lane;
    uint64_t  cost, lower, own;

    for (i = 0; i < MODEL_ITEMS && m->state[i] != M_FREE; i++) {
        /* void */
    }

    if (i == MODEL_ITEMS) {
        return;
    }

    c = (unsigned) m_random(m, m->conf.nclasses);
    cost = 100 + m_random(m, m_random(m, 20) ? 900 : 9000);

    m->item[i] = malloc(sizeof(gw_lane_item_t));
    memset(m->item[i], 0x5a, sizeof(gw_lane_item_t));

    /* two devices are noisy, and now and then an item is huge */

    m->lane[i] = c;
    m->cost[i] = m_random(m, 500) ? cost : m->conf.bound - m_random(m, 8000);
    m->device[i] = m_hash(m_random(m, 3) ? m_random(m, 20) : m_random(m, 2),
                          m->step / 512);
    m->time[i] = m->now;
    m->seq[i] = m->next_seq;
    cost = m->cost[i];

    m->item[i]->lane = (uint8_t) c;
    m->item[i]->cost = (uint32_t) cost;
    m->item[i]->device = m->device[i];
    m->item[i]->time = m->time[i];

    drop = m->conf.class_conf[c].overflow == GW_OVERFLOW_DROP_OLDEST;
    own = drop ? m_waiting(m, c, NULL) : 0;
    lower = 0;

    for (lane = c + 1; lane < m->conf.nclasses; lane++) {
        lower += m_waiting(m, lane, NULL);
    }

    fits = m->bytes[c] - own + cost <= m_share(m, c)
           && m->charged - own - lower + cost <= m->conf.bound;

    m->gone = 0;
    m->arriving = c;
    m->arriving_cost = cost;

    rc = gw_lanes_offer(m->l, m->item[i]);

    if (rc != (fits ? GW_OK : GW_BUSY)) {
        m_fault(m, fits ? "an item was refused that could have fit"
                        : "an item was accepted that cannot fit");
    }

    if (rc != GW_OK) {
        if (m->gone) {
            m_fault(m, "a refusal cost others a message");
        }

        m->refusals++;
        free(m->item[i]);
        m->item[i] = NULL;
        return;
    }

    m->state[i] = M_WAITS;
    m->next_seq++;
    m->bytes[c] += cost;
    m_charge(m, (int64_t) cost);
}


static void
m_take(model_t *m)
{
    int              i, lane, want, lowest;
    uint32_t         mask;
    gw_lane_item_t  *item;

    mask = m_random(m, 4) ? 0xff : (uint32_t) m_random(m, 256);
    lowest = m->conf.floor && m->takes % m->conf.floor == m->conf.floor - 1;
    want = -1;

    for (lane = 0; lane < (int) m->conf.nclasses; lane++) {
        i = (mask >> lane & 1) ? m_oldest(m, (unsigned) lane, NULL) : -1;

        if (i >= 0 && (want < 0 || lowest)) {
            want = i;
        }
    }

    item = gw_lanes_take(m->l, mask);

    if (item != (want < 0 ? NULL : m->item[want])) {
        m_fault(m, "another item was taken than the model's");
        return;
    }

    if (want >= 0) {
        m->takes++;
        m->state[want] = M_OUT;
    }
}


/* one that is out, by chance; -1: none */

static int
m_out(model_t *m)
{
    int  i, n;

    i = (int) m_random(m, MODEL_ITEMS);

    for (n = 0; n < MODEL_ITEMS; n++) {
        if (m->state[(i + n) % MODEL_ITEMS] == M_OUT) {
            return (i + n) % MODEL_ITEMS;
        }
    }

    return -1;
}


static void
m_release(model_t *m)
{
    int  i;

    i = m_out(m);

    if (i >= 0) {
        gw_lanes_release(m->l, m->item[i]);
        m_forget(m, i);
    }
}


static void
m_put_back(model_t *m)
{
    int  i;

    i = m_out(m);

    if (i >= 0) {
        gw_lanes_put_back(m->l, m->item[i]);
        m->state[i] = M_WAITS;
        m->backs++;
    }
}


static void
m_expire(model_t *m)
{
    int       head;
    uint32_t  max, n;
    unsigned  lane;
    uint64_t  age;

    max = (uint32_t) m_random(m, 5);

    m->gone = 0;
    m->expiring = 1;
    n = gw_lanes_expire(m->l, m->now, max);
    m->expiring = 0;
    m->expiries += n;

    if (n != m->gone || n > max) {
        m_fault(m, "expire tells a wrong number");
    }

    for (lane = 0; lane < m->conf.nclasses && n < max; lane++) {
        age = m->conf.class_conf[lane].max_age;
        head = m_oldest(m, lane, NULL);

        if (age && head >= 0 && m->now - m->time[head] > age) {
            m_fault(m, "an item outlived its class' max age");
        }
    }
}


static void
m_reserve(model_t *m)
{
    int       rc;
    uint64_t  n;

    if (m_random(m, 2)) {
        n = m->reserved ? m_random(m, m->reserved + 1) : 0;
        gw_lanes_unreserve(m->l, n);
        m->reserved -= n;
        m_charge(m, -(int64_t) n);
        return;
    }

    n = m_random(m, 4000);
    rc = gw_lanes_reserve(m->l, n);

    if (rc != (m->charged + n <= m->conf.bound ? GW_OK : GW_BUSY)) {
        m_fault(m, "a reservation was judged wrongly");
    }

    if (rc == GW_OK) {
        m->reserved += n;
        m_charge(m, (int64_t) n);
    }
}


static void
m_compare(model_t *m)
{
    int                     i;
    unsigned                lane;
    uint32_t                out[GW_CLASSES_MAX], waiting[GW_CLASSES_MAX];
    uint64_t                bytes[GW_CLASSES_MAX];
    const gw_lane_usage_t  *u;

    memset(out, 0, sizeof(out));
    memset(waiting, 0, sizeof(waiting));
    memset(bytes, 0, sizeof(bytes));

    for (i = 0; i < MODEL_ITEMS; i++) {
        out[m->lane[i]] += m->state[i] == M_OUT;
        waiting[m->lane[i]] += m->state[i] == M_WAITS;
        bytes[m->lane[i]] += m->state[i] == M_WAITS ? m->cost[i] : 0;
    }

    for (lane = 0; lane < m->conf.nclasses; lane++) {
        u = gw_lanes_usage(m->l, lane);
        i = m_oldest(m, lane, NULL);

        if (u->bytes != m->bytes[lane] || u->waiting != waiting[lane]
            || u->out != out[lane] || u->waiting_bytes != bytes[lane]
            || gw_lanes_oldest(m->l, lane) != (i < 0 ? 0 : m->time[i]))
        {
            m_fault(m, "the usage of a class is not the model's");
        }
    }
}


static void
m_live(model_t *m, unsigned steps)
{
    unsigned     what, phase;
    uint64_t     tables;
    const char  *sound;

    tables = m->charged;

    for (m->step = 0; m->step < steps && m->fault == NULL; m->step++) {

        /* overload, drain, a sink that fails, in turn */

        phase = m->step / 512 % 4;
        what = (unsigned) m_random(m, 100);
        m->now += m_random(m, 12);

        if (what < (phase == 1 ? 25u : 55u)) {
            m_offer(m);

        } else if (what < 75) {
            m_take(m);

        } else if (what < (phase == 2 ? 78u : 87u)) {
            m_release(m);

        } else if (what < 94) {
            m_put_back(m);

        } else if (what < 97) {
            m_expire(m);

        } else {
            m_reserve(m);
        }

        if (gw_lanes_charged(m->l) != m->charged) {
            m_fault(m, "the charge is not the model's");
        }

        if (gw_lanes_charged(m->l) > m->conf.bound) {
            m_fault(m, "the bound was passed");
        }

        if ((int) gw_lanes_pressure(m->l) != m->pressure) {
            m_fault(m, "pressure is not the model's");
        }

        m_compare(m);

        sound = gw_lanes_check(m->l);
        if (sound) {
            m_fault(m, sound);
        }
    }

    if (m->fault) {
        return;
    }

    gw_lanes_unreserve(m->l, m->reserved);
    m_charge(m, -(int64_t) m->reserved);

    while (gw_lanes_waiting(m->l)) {
        m_take(m);

        if (m->fault) {
            return;
        }
    }

    while (gw_lanes_out(m->l)) {
        m_release(m);
    }

    if (gw_lanes_charged(m->l) != tables || m->charged != tables) {
        m_fault(m, "after all is released something is still charged");
    }

    sound = gw_lanes_check(m->l);
    if (sound) {
        m_fault(m, sound);
    }
}


static void
test_property(void)
{
    static const struct {
        const char     *name;
        uint32_t        nclasses, floor, high, low;
        uint64_t        room;
        gw_lane_conf_t  conf[GW_CLASSES_MAX];
    } lives[] = {
        { "three classes as by default", 3, 16, 80, 60, 60000,
          { { 0, 0, GW_OVERFLOW_REJECT },
            { 0, 400, GW_OVERFLOW_DROP_OLDEST },
            { 0, 300, GW_OVERFLOW_DROP_OLDEST } } },
        { "shares", 3, 5, 70, 70, 60000,
          { { 20000, 0, GW_OVERFLOW_DROP_OLDEST },
            { 25000, 900, GW_OVERFLOW_REJECT },
            { 30000, 0, GW_OVERFLOW_DROP_OLDEST } } },
        { "all reject", 4, 0, 80, 60, 40000,
          { { 0, 0, GW_OVERFLOW_REJECT }, { 0, 200, GW_OVERFLOW_REJECT },
            { 9000, 0, GW_OVERFLOW_REJECT },
            { 0, 100, GW_OVERFLOW_REJECT } } },
        { "one class that drops its oldest", 1, 2, 100, 100, 30000,
          { { 0, 0, GW_OVERFLOW_DROP_OLDEST } } },
        { "eight classes", 8, 3, 90, 10, 90000,
          { { 0, 0, GW_OVERFLOW_DROP_OLDEST },
            { 0, 0, GW_OVERFLOW_REJECT },
            { 50000, 0, GW_OVERFLOW_DROP_OLDEST },
            { 9000, 0, GW_OVERFLOW_DROP_OLDEST },
            { 0, 700, GW_OVERFLOW_REJECT },
            { 0, 0, GW_OVERFLOW_DROP_OLDEST },
            { 5000, 0, GW_OVERFLOW_REJECT },
            { 0, 300, GW_OVERFLOW_DROP_OLDEST } } },
        { "one lane only waits, by devices", 2, 0, 80, 60, 60000,
          { { 4000, 0, GW_OVERFLOW_REJECT },
            { 0, 0, GW_OVERFLOW_DROP_OLDEST } } }
    };

    int          i;
    void        *mem;
    model_t     *m;
    uint64_t     seed;
    unsigned     n, all[5];
    const char  *given;

    memset(all, 0, sizeof(all));

    /* the same lives each time, or others: SEED=$RANDOM */

    given = getenv("SEED");
    seed = given ? strtoull(given, NULL, 0) : 0;
    printf("# SEED=%llu\n", (unsigned long long) seed);

    for (n = 0; n < sizeof(lives) / sizeof(lives[0]); n++) {
        m = calloc(1, sizeof(*m));

        m->random = 0x9e3779b97f4a7c15ULL * (2 * seed + 1) + n;
        m->now = 1000000;
        m->conf.nclasses = lives[n].nclasses;
        m->conf.floor = lives[n].floor;
        m->conf.high = lives[n].high;
        m->conf.low = lives[n].low;
        memcpy(m->conf.class_conf, lives[n].conf, sizeof(lives[n].conf));
        m->conf.bound = lives[n].room;
        m->conf.bound += gw_lanes_size(&m->conf);

        mem = aligned(gw_lanes_size(&m->conf));
        m->l = gw_lanes_init(mem, &m->conf, m_evict, m);
        m_charge(m, (int64_t) gw_lanes_size(&m->conf));

        m_live(m, 50000);

        ok(m->fault == NULL,
           "50,000 random steps agree with the model: %s", lives[n].name);

        if (m->fault) {
            printf("#   step %u: %s\n", m->step, m->fault);
        }

        all[0] += m->evictions;
        all[1] += m->heavies;
        all[2] += m->refusals;
        all[3] += m->expiries;
        all[4] += m->backs;

        for (i = 0; i < MODEL_ITEMS; i++) {
            free(m->item[i]);
        }

        free(mem);
        free(m);
    }

    printf("# %u evictions, %u of them of a heavy device, %u refusals, "
           "%u expiries, %u put back\n", all[0], all[1], all[2], all[3],
           all[4]);

    ok(all[0] > 1000 && all[1] > 1000 && all[2] > 1000 && all[3] > 1000
       && all[4] > 1000, "the random lives met each case often");
}


int
main(void)
{
    test_init();
    test_account();
    test_policy();
    test_burst();
    test_pressure();
    test_take();
    test_put_back();
    test_expire();
    test_property();

    return done_testing();
}
