/*
 * Fuzz target: dedup, and a saved state of it.  Numbers and epochs come from
 * devices, the state from a file.  Unseen breakage would be a number that is
 * called done and never was, a table that no call puts right any more, or a
 * file with a right checksum that makes one.
 *
 * Byte 0: bit 0, width 64 or 192; bit 1, a table of 8 windows or 64; bit 2:
 * bytes 1 and 2 say where in a saved state the rest of the input goes, which
 * is sealed and loaded.  Otherwise each three bytes are a call: what, of whom,
 * which number.  Every number that was done is known; after each call every
 * invariant must hold.
 */

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fuzz.h"
#include "gw_dedup.h"


#define FUZZ_CALLS    400
#define FUZZ_NAMES    16
#define FUZZ_FLIGHTS  8


typedef struct {
    unsigned  name;
    uint64_t  seq;
    uint32_t  digest;
} fuzz_done_t;


typedef struct {
    gw_dedup_ticket_t  ticket;
    fuzz_done_t        what;
} fuzz_flight_t;


static gw_dedup_t       *dedup;
static gw_dedup_conf_t   conf;
static uint32_t          alive[GW_DEDUP_OWNERS];
static uint32_t          now;
static fuzz_done_t       done[FUZZ_CALLS + 64];
static unsigned          ndone;
static fuzz_flight_t     flights[FUZZ_FLIGHTS];


static gw_dedup_id_t
fuzz_id(const fuzz_done_t *what)
{
    uint8_t         name, secret[GW_DEDUP_SECRET_LEN];
    gw_str_t        device, window;
    gw_dedup_id_t   id;

    /* names 0 to 7 are epochs of one device, 12 to 15 are keys */

    memset(secret, 1, sizeof(secret));
    name = (uint8_t) (what->name < 8 ? 0 : what->name);
    device.data = &name;
    device.len = 1;
    window.data = (const uint8_t *) &what->name;
    window.len = sizeof(what->name);

    gw_dedup_hash(secret, 0, &device, &window, what->seq,
                  what->name >= 12 ? &window : NULL, &device, &id);
    id.digest = what->digest;

    return id;
}


static void
fuzz_check(void)
{
    const char  *why;

    why = gw_dedup_check(dedup);
    fuzz_promise(why == NULL, "%s", why);
}


static void
fuzz_begin(unsigned name, uint64_t seq, uint32_t digest, uint32_t owner)
{
    unsigned            i, known, same;
    fuzz_done_t         what;
    gw_dedup_id_t       id;
    gw_dedup_note_e     note;
    gw_dedup_ticket_t   ticket;
    gw_dedup_verdict_e  verdict;

    what.name = name;
    what.seq = name >= 12 ? 0 : seq;
    what.digest = digest;
    id = fuzz_id(&what);

    known = 0;
    same = 0;

    for (i = 0; i < ndone; i++) {
        if (done[i].name == name && done[i].seq == what.seq) {
            known = 1;
            same |= done[i].digest == digest;
        }
    }

    verdict = gw_dedup_begin(dedup, &id, owner, alive, now, now + 50, &ticket,
                             &note);

    fuzz_promise(verdict != GW_DEDUP_DUPLICATE || known,
                 "number %llu is done and never was",
                 (unsigned long long) what.seq);
    fuzz_promise((ticket.flight != 0)
                 == (verdict == GW_DEDUP_IN_FLIGHT
                     || (verdict == GW_DEDUP_NEW
                         && note != GW_DEDUP_UNTRACKED)),
                 "a ticket for verdict %d", (int) verdict);
    fuzz_promise(verdict != GW_DEDUP_FULL || conf.full_refuse, "refused");
    fuzz_promise(verdict != GW_DEDUP_STALE || conf.stale_refuse, "stale");
    fuzz_promise(verdict != GW_DEDUP_DUPLICATE || name < 12 || same,
                 "a key with another payload is a duplicate");

    if (verdict != GW_DEDUP_NEW || ticket.flight == 0) {
        return;
    }

    for (i = 0; i < FUZZ_FLIGHTS - 1 && flights[i].ticket.flight; i++) {
        /* void */
    }

    flights[i].ticket = ticket;
    flights[i].what = what;
}


static void
fuzz_settle(unsigned i, int safe)
{
    if (!safe) {
        (void) gw_dedup_release(dedup, &flights[i].ticket);

    } else if (gw_dedup_done(dedup, &flights[i].ticket, now) == GW_OK
               && ndone < sizeof(done) / sizeof(done[0]))
    {
        done[ndone++] = flights[i].what;
    }

    flights[i].ticket.flight = 0;
}


/* 5 bits of a byte are a number or a distance, the others say of what */

static uint64_t
fuzz_number(uint8_t byte)
{
    static const uint64_t  from[8] = {
        0, 100, 150, 190, GW_DEDUP_JUMP + 100, GW_DEDUP_JUMP + 250,
        1ULL << 50, GW_SEQ_MAX - 31
    };

    return from[byte >> 5] + (byte & 31);
}


static void
fuzz_calls(const uint8_t *data, size_t size)
{
    unsigned  calls;

    for (calls = 0; size >= 3 && calls < FUZZ_CALLS; calls++) {

        now += data[0] >> 6;

        switch (data[0] & 15) {

        case 0:
            gw_dedup_repair(dedup);
            break;

        case 1:
            (void) gw_dedup_sweep(dedup, alive, data[1]);
            break;

        case 2:
            alive[data[1] & 1] ^= 2;
            break;

        case 3:
            now += data[1];
            break;

        case 4:
            conf.full_refuse = data[1] & 1;
            conf.stale_refuse = data[1] >> 1 & 1;
            (void) gw_dedup_attach(dedup, &conf);
            break;

        case 5:
            fuzz_settle(data[1] % FUZZ_FLIGHTS, 0);
            break;

        case 6:
        case 7:
        case 8:
        case 9:
            fuzz_settle(data[1] % FUZZ_FLIGHTS, 1);
            break;

        default:
            fuzz_begin(data[1] % FUZZ_NAMES, fuzz_number(data[2]),
                       1 + (data[1] >> 7), alive[data[1] >> 6 & 1]);
        }

        fuzz_check();
        data += 3;
        size -= 3;
    }
}


static void
fuzz_load(const uint8_t *data, size_t size)
{
    int             rc;
    size_t          len, at;
    uint8_t         header[GW_DEDUP_HEADER];
    uint64_t        sum;
    const char     *why;
    fuzz_copy_t     copy;
    const uint8_t  *body;

    if (size < 2) {
        return;
    }

    at = data[0] | (size_t) data[1] << 8;
    data += 2;
    size -= 2;

    for (rc = 0; rc < 6; rc++) {
        fuzz_begin((unsigned) rc * 3, 100, 1, alive[0]);
        fuzz_settle(0, 1);
    }

    gw_dedup_seal(dedup, now, header, &body, &len);
    copy = fuzz_copy(body, len);
    at %= len;
    size = size < len - at ? size : len - at;

    if (size) {
        memcpy(copy.data + at, data, size);
    }

    sum = XXH3_64bits(copy.data, len);
    memcpy(header + 32, &sum, sizeof(sum));
    sum = XXH3_64bits(header, 56);
    memcpy(header + 56, &sum, sizeof(sum));

    (void) gw_dedup_init(dedup, &conf);
    rc = gw_dedup_load(dedup, header, copy.data, len, now + 100, &why);

    fuzz_promise(rc == GW_OK || (why && gw_dedup_stats(dedup)->windows == 0),
                 "refused, and not empty");
    fuzz_check();
    fuzz_free(&copy);

    /* whatever it holds, it can be used; all may be done now */

    for (now = 0; now < 40; now++) {
        gw_dedup_id_t      id;
        fuzz_done_t        what;
        gw_dedup_note_e    note;
        gw_dedup_ticket_t  ticket;

        what.name = now % FUZZ_NAMES;
        what.seq = what.name >= 12 ? 0 : fuzz_number((uint8_t) (now * 41));
        what.digest = 1;
        id = fuzz_id(&what);

        if (gw_dedup_begin(dedup, &id, 1, alive, now, 0, &ticket, &note)
            == GW_DEDUP_NEW)
        {
            (void) gw_dedup_done(dedup, &ticket, now);
        }

        fuzz_check();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void    *mem;

    if (size == 0) {
        return 0;
    }

    memset(&conf, 0, sizeof(conf));
    conf.windows = *data & 2 ? 64 : 8;
    conf.flights = FUZZ_FLIGHTS;
    conf.width = *data & 1 ? 192 : 64;
    conf.keep = 20;

    if (posix_memalign(&mem, 64, gw_dedup_size(&conf)) != 0) {
        abort();
    }

    dedup = gw_dedup_init(mem, &conf);
    fuzz_promise(dedup != NULL, "no shard");

    memset(flights, 0, sizeof(flights));
    ndone = 0;
    now = 1000;

    /* owners of slots 0 and 1 */

    alive[0] = 1;
    alive[1] = 1U << 24 | 1;

    if (*data & 4) {
        fuzz_load(data + 1, size - 1);

    } else {
        fuzz_calls(data + 1, size - 1);
    }

    free(mem);

    return 0;
}
