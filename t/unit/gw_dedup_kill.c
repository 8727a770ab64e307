/*
 * A worker is killed inside dedup, at any instruction.  What it leaves behind
 * must be put right by the next one that gets the lock: no number may be done
 * that never was, for that is a message lost with a friendly answer; none that
 * was done may be forgotten but that of the killed call; and no window, flight
 * or place may leak, or a gateway that crashes now and then fills up.
 *
 * First each call is taken through a debugger's single step: after every
 * instruction that changed the shared memory a copy of it is repaired and
 * looked into.  Then four processes work on one shard under its lock and are
 * killed at random.
 */

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>

#include "gw_test.h"
#include "gw_dedup_layout.h"
#include "gw_lock.h"


#define OWNER      (1U << 24 | 5)
#define LIVING     (2U << 24 | 9)
#define IDS        64
#define FAR        (1ULL << 50)

#define WORKERS    4
#define KILLS      600
#define SECONDS    40                 /* at most; valgrind has a tenth */
#define DEVICES    29
#define NUMBERS    (1U << 18)
#define PENDING    6


typedef enum {
    CALL_BEGIN = 0,
    CALL_DONE,
    CALL_RELEASE,
    CALL_SWEEP,
    CALL_REPAIR
} call_e;


/* of the single steps */

typedef struct {
    volatile int       phase;
    uint64_t           room[1 << 13];  /* aligned in it: the shard */
} steps_t;


typedef struct {
    const char        *name;
    call_e             call;
    gw_dedup_id_t      id;
    gw_dedup_ticket_t  ticket;
    unsigned           ndone, nmaybe, nfresh;
    unsigned           living;         /* flights that stay */
    gw_dedup_id_t      done[IDS];      /* DUPLICATE, whatever happens */
    gw_dedup_id_t      maybe[IDS];     /* that, or NEW */
    gw_dedup_id_t      fresh[IDS];     /* never DUPLICATE */
} scene_t;


/* of the workers */

enum { ABSENT = 0, TRIED, DONE };

typedef struct {
    gw_lock_t          lock;
    volatile uint32_t  alive[GW_DEDUP_OWNERS];
    volatile uint32_t  repairs;
    volatile uint32_t  calls;
    volatile uint32_t  duplicates;
    volatile uint32_t  taken_over;
    volatile uint32_t  false_duplicates;
    volatile uint32_t  forgotten;
    volatile uint32_t  conflicts;
    volatile uint32_t  broken;
    volatile uint64_t  top[DEVICES];   /* the highest that was tried */
    uint8_t            number[DEVICES][NUMBERS];
    uint64_t           room[1 << 12];
} ledger_t;


static steps_t           *steps;
static ledger_t          *ledger;
static gw_dedup_t        *shard, *copy;
static gw_dedup_conf_t    conf;
static uint8_t            secret[GW_DEDUP_SECRET_LEN];
static uint32_t           alive[GW_DEDUP_OWNERS];
static scene_t            scene;
static uint8_t           *torn;        /* a state in the midst of a change */
static int                want_torn;   /* 1: undo, 2: move */
static unsigned           states;


/* it neither steps nor forks as fast as the processor */

static int
valgrind(void)
{
    const char  *preload;

    preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}


static void *
memory(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
               -1, 0);

    if (mem == MAP_FAILED) {
        abort();
    }

    return mem;
}


static void *
aligned(uint64_t *room)
{
    return (void *) (((uintptr_t) room + 63) & ~(uintptr_t) 63);
}


static gw_dedup_id_t
make_id(const char *device, unsigned n, uint64_t seq)
{
    char           name[32];
    gw_str_t       dev, epoch;
    gw_dedup_id_t  id;

    dev.data = (uint8_t *) name;
    dev.len = (size_t) sprintf(name, "%s", device);
    epoch.data = (uint8_t *) name + 16;
    epoch.len = (size_t) sprintf(name + 16, "%u", n);

    gw_dedup_hash(secret, 0, &dev, &epoch, seq, NULL, &dev, &id);

    return id;
}


static gw_dedup_id_t
make_device(unsigned n, uint64_t seq)
{
    char  name[16];

    (void) sprintf(name, "dev%u", n);

    return make_id(name, 0, seq);
}


static gw_dedup_ticket_t
depart(gw_dedup_t *d, gw_dedup_id_t id, uint32_t now)
{
    gw_dedup_note_e    note;
    gw_dedup_ticket_t  ticket;

    (void) gw_dedup_begin(d, &id, OWNER, alive, now, 0, &ticket, &note);

    return ticket;
}


static void
finish(gw_dedup_id_t id, uint32_t now)
{
    gw_dedup_ticket_t  ticket;

    ticket = depart(shard, id, now);
    (void) gw_dedup_done(shard, &ticket, now);

    scene.done[scene.ndone++] = id;
}


/*
 * single steps
 */

static void
set_up(const char *name, call_e call, uint32_t width, uint32_t windows)
{
    memset(&scene, 0, sizeof(scene));
    scene.name = name;
    scene.call = call;

    memset(&conf, 0, sizeof(conf));
    conf.windows = windows;
    conf.flights = 12;
    conf.width = width;
    conf.keep = 100;
    alive[1] = OWNER;
    alive[2] = LIVING;

    shard = aligned(steps->room);
    (void) gw_dedup_init(shard, &conf);
}


static void
call(void)
{
    gw_dedup_note_e    note;
    gw_dedup_ticket_t  ticket;

    switch (scene.call) {

    case CALL_BEGIN:
        (void) gw_dedup_begin(shard, &scene.id, OWNER, alive, 1000, 0, &ticket,
                              &note);
        break;

    case CALL_DONE:
        (void) gw_dedup_done(shard, &scene.ticket, 1000);
        break;

    case CALL_RELEASE:
        (void) gw_dedup_release(shard, &scene.ticket);
        break;

    case CALL_SWEEP:
        (void) gw_dedup_sweep(shard, alive, 12);
        break;

    case CALL_REPAIR:
        gw_dedup_repair(shard);
        break;
    }
}


static gw_dedup_verdict_e
ask(const gw_dedup_id_t *id)
{
    gw_dedup_note_e     note;
    gw_dedup_ticket_t   ticket;
    gw_dedup_verdict_e  verdict;

    verdict = gw_dedup_begin(copy, id, LIVING, alive, 1000, 0, &ticket, &note);

    if (verdict == GW_DEDUP_NEW) {
        (void) gw_dedup_release(copy, &ticket);
    }

    return verdict;
}


/* the next worker finds the memory as it is now; NULL: and all is well */

static const char *
next_worker(void)
{
    unsigned             i, windows;
    const char          *why;
    gw_dedup_verdict_e   verdict;

    memcpy(copy, shard, gw_dedup_size(&conf));

    gw_dedup_repair(copy);
    why = gw_dedup_check(copy);

    if (why) {
        return why;
    }

    alive[1] = OWNER + 1;

    for (i = 0; why == NULL && i < scene.ndone; i++) {
        why = ask(&scene.done[i]) == GW_DEDUP_DUPLICATE ? NULL : "forgotten";
    }

    for (i = 0; why == NULL && i < scene.nmaybe; i++) {
        verdict = ask(&scene.maybe[i]);
        why = verdict == GW_DEDUP_DUPLICATE || verdict == GW_DEDUP_NEW
              ? NULL : "neither done nor absent";
    }

    for (i = 0; why == NULL && i < scene.nfresh; i++) {
        why = ask(&scene.fresh[i]) == GW_DEDUP_NEW ? NULL : "not absent";
    }

    /* nothing leaks: without its flights a window that holds nothing goes */

    (void) gw_dedup_sweep(copy, alive, 1000);

    for (windows = 0, i = 0; i < copy->nbuckets * GW_DEDUP_WAYS; i++) {
        windows += *gw_dedup_print(copy, i)
                   && gw_dedup_used(gw_dedup_window(copy, i));
    }

    if (why == NULL && (copy->stats.flights != scene.living
                        || copy->stats.windows != windows))
    {
        why = "a window or a flight has leaked";
    }

    alive[1] = OWNER;

    return why ? why : gw_dedup_check(copy);
}


static int
single_steps(void)
{
    int          status, rc;
    pid_t        pid;
    size_t       size;
    uint8_t     *last;
    unsigned     here, broken;
    const char  *why, *first;

    size = gw_dedup_size(&conf);
    last = malloc(size);

    if (last == NULL || size > sizeof(steps->room) - 64) {
        abort();
    }

    /* torn is set in the child's mapping as well: repair begins from there */

    memcpy(last, shard, size);
    steps->phase = 0;
    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(2);
        }

        (void) raise(SIGSTOP);
        steps->phase = 1;
        call();
        steps->phase = 2;
        _exit(0);
    }

    here = 0;
    broken = 0;
    first = NULL;

    rc = waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);

    while (rc && steps->phase != 2) {

        rc = ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0
             && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);

        if (memcmp(last, shard, size) == 0) {
            continue;
        }

        memcpy(last, shard, size);
        here++;

        if (torn && ((want_torn == 1 && shard->undo && here % 3 == 2)
                     || (want_torn == 2 && shard->moved_to
                         && *gw_dedup_print(shard, shard->moved_to - 1))))
        {
            memcpy(torn, shard, size);
        }

        why = next_worker();

        if (why) {
            broken++;
            first = first ? first : why;
        }
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
    free(last);

    if (!rc) {
        return GW_DECLINED;
    }

    states += here;
    ok(broken == 0 && here, "killed in %s, at each of %u states: %s",
       scene.name, here, first ? first : "all is well");

    return GW_OK;
}


static void
first_number(void)
{
    set_up("begin, a window is made", CALL_BEGIN, 64, 16);
    finish(make_id("other", 0, 1), 900);
    scene.id = make_id("d", 0, 7);
    scene.fresh[scene.nfresh++] = scene.id;
}


static void
known_window(void)
{
    set_up("begin, the window is there", CALL_BEGIN, 64, 16);
    finish(make_id("d", 0, 6), 900);
    (void) depart(shard, make_id("d", 0, 8), 900);
    scene.id = make_id("d", 0, 7);
    scene.fresh[scene.nfresh++] = scene.id;
    scene.fresh[scene.nfresh++] = make_id("d", 0, 8);
}


/* the place of a flight still holds a number that is in flight elsewhere */

static void
used_again(void)
{
    gw_dedup_id_t      id;
    gw_dedup_note_e    note;
    gw_dedup_ticket_t  first, second, ticket;

    set_up("begin, a flight is used again", CALL_BEGIN, 64, 16);
    finish(make_id("d", 0, 1), 900);
    first = depart(shard, make_id("d", 0, 5), 900);
    second = depart(shard, make_id("d", 0, 8), 900);
    (void) gw_dedup_release(shard, &first);
    (void) gw_dedup_release(shard, &second);
    id = make_id("d", 0, 5);
    (void) gw_dedup_begin(shard, &id, LIVING, alive, 900, 0, &ticket, &note);
    scene.id = make_id("d", 0, 6);
    scene.fresh[scene.nfresh++] = scene.id;
    scene.living = 1;
}


static void
taken_over(void)
{
    gw_dedup_note_e    note;
    gw_dedup_ticket_t  ticket;

    set_up("begin, a flight is taken over", CALL_BEGIN, 64, 16);
    finish(make_id("d", 0, 6), 900);
    scene.id = make_id("d", 0, 7);
    (void) gw_dedup_begin(shard, &scene.id, LIVING, alive, 900, 950, &ticket,
                          &note);
    scene.fresh[scene.nfresh++] = scene.id;
}


static void
epoch_goes(void)
{
    unsigned  i;

    set_up("begin, an epoch makes room", CALL_BEGIN, 64, 16);
    finish(make_id("d", 0, 1), 900);
    scene.maybe[scene.nmaybe++] = scene.done[--scene.ndone];

    for (i = 1; i < 4; i++) {
        finish(make_id("d", i, 1), 900 + i);
    }

    finish(make_id("other", 0, 1), 800);
    scene.id = make_id("d", 4, 1);
    scene.fresh[scene.nfresh++] = scene.id;
}


static void
idle_goes(void)
{
    unsigned  i;

    set_up("begin, an idle window makes room", CALL_BEGIN, 64, 8);
    finish(make_device(0, 1), 500);
    scene.maybe[scene.nmaybe++] = scene.done[--scene.ndone];

    for (i = 1; i < 8; i++) {
        finish(make_device(i, 1), 950);
    }

    scene.id = make_device(8, 1);
    scene.fresh[scene.nfresh++] = scene.id;
}


/* a table in which the next device makes another one move */

static void
moving(void)
{
    size_t    size;
    unsigned  i, seed;

    for (seed = 0; seed < 1000; seed++) {
        set_up("begin, a window moves", CALL_BEGIN, 64, 32);
        size = gw_dedup_size(&conf);

        for (i = 0; i < 30; i++) {
            scene.id = make_device(seed * 100 + i, 1);

            memcpy(copy, shard, size);
            copy->moved_from = UINT32_MAX;
            (void) depart(copy, scene.id, 1000);

            if (copy->moved_from != UINT32_MAX) {
                scene.fresh[scene.nfresh++] = scene.id;
                return;
            }

            finish(scene.id, 950);
        }
    }

    abort();
}


static void
done_first(void)
{
    set_up("done, the first number", CALL_DONE, 64, 16);
    scene.ticket = depart(shard, make_id("d", 0, 70), 900);
    scene.maybe[scene.nmaybe++] = make_id("d", 0, 70);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 69);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 71);
}


static void
done_raises(void)
{
    unsigned  i;

    set_up("done, a wide window moves", CALL_DONE, 256, 16);

    for (i = 500; i < 520; i++) {
        finish(make_id("d", 0, i), 900);
    }

    scene.ticket = depart(shard, make_id("d", 0, 590), 900);
    (void) depart(shard, make_id("d", 0, 592), 900);
    scene.maybe[scene.nmaybe++] = make_id("d", 0, 590);

    for (i = 0; i < 20; i++) {
        scene.fresh[scene.nfresh++] = make_id("d", 0, 570 + i);
    }

    scene.fresh[scene.nfresh++] = make_id("d", 0, 499);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 592);
}


static void
done_jump(void)
{
    set_up("done, far above", CALL_DONE, 64, 16);
    finish(make_id("d", 0, 50), 900);
    scene.ticket = depart(shard, make_id("d", 0, FAR), 900);
    scene.maybe[scene.nmaybe++] = make_id("d", 0, FAR);
    scene.fresh[scene.nfresh++] = make_id("d", 0, FAR + 1);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 51);
}


static void
done_pair(void)
{
    set_up("done, the second far above", CALL_DONE, 64, 16);
    finish(make_id("d", 0, 50), 900);
    finish(make_id("d", 0, FAR + 9), 900);
    scene.ndone = 0;
    scene.maybe[scene.nmaybe++] = make_id("d", 0, 50);
    scene.maybe[scene.nmaybe++] = make_id("d", 0, FAR);
    scene.maybe[scene.nmaybe++] = make_id("d", 0, FAR + 9);
    scene.fresh[scene.nfresh++] = make_id("d", 0, FAR + 1);
    scene.fresh[scene.nfresh++] = make_id("d", 0, FAR - 1);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 51);
    scene.ticket = depart(shard, make_id("d", 0, FAR), 900);
}


static void
release_one(void)
{
    set_up("release, one of two", CALL_RELEASE, 64, 16);
    finish(make_id("d", 0, 50), 900);
    (void) depart(shard, make_id("d", 0, 51), 900);
    scene.ticket = depart(shard, make_id("d", 0, 52), 900);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 51);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 52);
}


static void
release_last(void)
{
    set_up("release, the window goes", CALL_RELEASE, 64, 16);
    finish(make_id("other", 0, 50), 900);
    scene.ticket = depart(shard, make_id("d", 0, 52), 900);
    scene.fresh[scene.nfresh++] = make_id("d", 0, 52);
}


static void
sweeping(void)
{
    unsigned  i;

    set_up("sweep", CALL_SWEEP, 64, 16);
    finish(make_id("d", 0, 50), 900);

    for (i = 51; i < 54; i++) {
        (void) depart(shard, make_id("d", 0, i), 900);
        (void) depart(shard, make_id("x", 0, i), 900);
        scene.fresh[scene.nfresh++] = make_id("d", 0, i);
        scene.fresh[scene.nfresh++] = make_id("x", 0, i);
    }

    alive[1] = 0;
}


/* the one who repairs what another one left is killed as well */

static int
repairing(void (*left)(void), int kind, const char *name)
{
    int  rc;

    left();
    torn = calloc(1, sizeof(steps->room));

    if (torn == NULL) {
        abort();
    }

    want_torn = kind;
    rc = single_steps();
    want_torn = 0;

    ok(rc != GW_OK || ((gw_dedup_t *) (void *) torn)->layout,
       "there is such a state");

    memcpy(shard, torn, gw_dedup_size(&conf));
    free(torn);
    torn = NULL;

    scene.name = name;
    scene.call = CALL_REPAIR;

    return rc == GW_OK ? single_steps() : rc;
}


static void
at_each_instruction(void)
{
    void    *mem;
    size_t   i;

    static void (*const  scenes[])(void) = {
        first_number, known_window, used_again, taken_over, epoch_goes,
        idle_goes, moving, done_first, done_raises, done_jump, done_pair,
        release_one, release_last, sweeping
    };

    steps = memory(sizeof(steps_t));

    if (posix_memalign(&mem, 64, sizeof(steps->room)) != 0) {
        abort();
    }

    copy = mem;

    if (valgrind()) {
        printf("# no single steps under valgrind\n");
        free(copy);
        return;
    }

    for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        scenes[i]();

        if (single_steps() != GW_OK) {
            printf("# no single steps here: ptrace() is not allowed\n");
            free(copy);
            return;
        }
    }

    (void) repairing(done_raises, 1, "repair, of a window that changed");
    (void) repairing(moving, 2, "repair, of a window that moved");

    printf("# %u states in all\n", states);
    free(copy);
}


/*
 * killed at random
 */

static uint64_t
dice(uint64_t *state, uint64_t n)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (*state >> 20) % n;
}


static void
work_begin(uint64_t *state, uint32_t owner, gw_dedup_ticket_t *ticket,
    unsigned *device, uint64_t *seq)
{
    uint8_t            *number;
    uint64_t            top;
    gw_dedup_id_t       id;
    gw_dedup_note_e     note;
    gw_dedup_verdict_e  verdict;

    *device = (unsigned) dice(state, DEVICES);
    top = ledger->top[*device];
    *seq = top + 4 - dice(state, 40);

    if (*seq >= NUMBERS) {
        *seq = dice(state, 30);
    }

    id = make_device(*device, *seq);
    number = &ledger->number[*device][*seq];

    verdict = gw_dedup_begin(shard, &id, owner,
                             (const uint32_t *) ledger->alive, 1, 0, ticket,
                             &note);
    ledger->calls++;

    switch (verdict) {

    case GW_DEDUP_NEW:
        ledger->forgotten += *number == DONE && note != GW_DEDUP_UNTRACKED
                             && *seq + 64 > top;
        ledger->taken_over += note == GW_DEDUP_TAKEN_OVER;
        return;

    case GW_DEDUP_DUPLICATE:
        ledger->duplicates++;
        ledger->false_duplicates += *number == ABSENT;
        break;

    case GW_DEDUP_IN_FLIGHT:
        break;

    default:
        ledger->conflicts++;
    }

    ticket->flight = 0;
}


static void
work(uint32_t owner, uint64_t state)
{
    int                 rc;
    uint8_t            *number;
    uint64_t            seq[PENDING];
    unsigned            i, k, device[PENDING];
    gw_dedup_ticket_t   pending[PENDING];

    memset(pending, 0, sizeof(pending));

    for ( ;; ) {
        rc = gw_lock(&ledger->lock);

        if (rc == GW_AGAIN) {
            gw_dedup_repair(shard);
            ledger->repairs++;
            ledger->broken += gw_dedup_check(shard) != NULL;

        } else if (rc != GW_OK) {
            ledger->broken++;
            _exit(1);
        }

        for (i = 0; i < 20; i++) {
            k = (unsigned) dice(&state, PENDING);

            if (pending[k].flight == 0) {
                work_begin(&state, owner, &pending[k], &device[k], &seq[k]);
                continue;
            }

            if (dice(&state, 3) == 0) {
                (void) gw_dedup_release(shard, &pending[k]);
                pending[k].flight = 0;
                continue;
            }

            /* tried is what may be done or not */

            number = &ledger->number[device[k]][seq[k]];

            if (*number == ABSENT) {
                *number = TRIED;
            }

            if (seq[k] > ledger->top[device[k]]) {
                ledger->top[device[k]] = seq[k];
            }

            gw_dedup_order();
            rc = gw_dedup_done(shard, &pending[k], 1);
            gw_dedup_order();

            if (rc == GW_OK) {
                *number = DONE;
            }

            pending[k].flight = 0;
        }

        if (dice(&state, 50) == 0) {
            (void) gw_dedup_sweep(shard, (const uint32_t *) ledger->alive, 4);
        }

        gw_unlock(&ledger->lock);
    }
}


static pid_t
hire(unsigned i, uint64_t state)
{
    pid_t     pid;
    uint32_t  owner;

    owner = ((ledger->alive[i] & 0xffffff) + 1) | i << 24;
    ledger->alive[i] = owner;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        work(owner, state);
        _exit(0);
    }

    return pid;
}


static void
at_random(void)
{
    int               status;
    time_t            end;
    pid_t             pid[WORKERS];
    uint64_t          state;
    unsigned          i, kills;
    const char       *why;
    struct timespec   pause_for;

    ledger = memory(sizeof(ledger_t));
    shard = aligned(ledger->room);

    memset(&conf, 0, sizeof(conf));
    conf.windows = 32;
    conf.flights = 64;
    conf.width = 64;
    conf.keep = 1000;

    if (gw_dedup_size(&conf) > sizeof(ledger->room) - 64
        || gw_dedup_init(shard, &conf) == NULL
        || gw_lock_init(&ledger->lock) != GW_OK)
    {
        abort();
    }

    state = 42;

    for (i = 0; i < WORKERS; i++) {
        pid[i] = hire(i, dice(&state, 1 << 30));
    }

    end = time(NULL) + (valgrind() ? SECONDS / 10 : SECONDS);

    for (kills = 0; kills < KILLS && time(NULL) < end; kills++) {
        pause_for.tv_sec = 0;
        pause_for.tv_nsec = (long) dice(&state, 1500000);
        (void) nanosleep(&pause_for, NULL);

        i = (unsigned) dice(&state, WORKERS);
        (void) kill(pid[i], SIGKILL);
        (void) waitpid(pid[i], &status, 0);
        pid[i] = hire(i, dice(&state, 1 << 30));
    }

    for (i = 0; i < WORKERS; i++) {
        (void) kill(pid[i], SIGKILL);
        (void) waitpid(pid[i], &status, 0);
        ledger->alive[i] = 0;
    }

    if (gw_lock(&ledger->lock) == GW_AGAIN) {
        gw_dedup_repair(shard);
    }

    why = gw_dedup_check(shard);

    ok(kills >= 500 || valgrind(),
       "%u workers were killed, %u held the lock", kills, ledger->repairs);
    ok(ledger->repairs >= 20 || kills < 500, "often enough");
    ok(ledger->duplicates > 1000 && ledger->taken_over > 10,
       "%u calls, %u duplicates, %u taken over, %" PRIu64 " windows undone",
       ledger->calls, ledger->duplicates, ledger->taken_over,
       shard->stats.repaired);
    is_u64(ledger->false_duplicates, 0, "no number was done that never was");
    is_u64(ledger->forgotten, 0, "none that was done is forgotten");
    is_u64(ledger->conflicts, 0, "nothing else was answered");
    ok(ledger->broken == 0 && why == NULL, "after each repair all is in order");

    (void) gw_dedup_sweep(shard, (const uint32_t *) ledger->alive, 64);
    is_u64(shard->stats.flights, 0, "what the dead had in flight is freed");
    ok(gw_dedup_check(shard) == NULL, "and all is in order");
    gw_unlock(&ledger->lock);
}


int
main(void)
{
    memset(secret, 99, sizeof(secret));

    at_each_instruction();
    at_random();

    return done_testing();
}
