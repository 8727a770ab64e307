/*
 * The books of the gateway: every message that was received is in exactly one
 * place, also while it moves, also when the worker that counted it was killed
 * between two counters.  An error here is a loss that nobody is told of, or an
 * alarm for one that never was.
 */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "gw_test.h"
#include "gw_stats.h"


/* what is known of a slot without looking into it */

typedef struct {
    uint64_t  received[GW_PROTO_N];
    uint64_t  rejected;
    uint64_t  duplicate;
    uint64_t  shed_entry;
    uint64_t  accepted;
    uint64_t  delivered;
    uint64_t  dead_lettered;
    uint64_t  failed;
    uint64_t  shed;
    uint64_t  lost;
    uint64_t  waiting[GW_PROTO_N][GW_CLASSES_MAX];
} model_t;


static uint64_t  seed = 0x9e3779b97f4a7c15ull;


static uint64_t
draw(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (seed >> 11) % n;
}


static uint64_t
sum(const void *words, size_t size)
{
    size_t           i;
    uint64_t         n;
    const uint64_t  *w = words;

    n = 0;

    for (i = 0; i < size / sizeof(uint64_t); i++) {
        n += w[i];
    }

    return n;
}


static int
all_zero(const void *p, const void *end)
{
    const uint8_t  *b;

    for (b = p; b < (const uint8_t *) end; b++) {
        if (*b) {
            return 0;
        }
    }

    return 1;
}


/* one random change, in the slot and in the model (which may be NULL) */

static void
change(gw_stats_slot_t *s, model_t *m)
{
    unsigned     c, end;
    gw_proto_e   p;
    gw_reason_e  r;

    static const gw_reason_e  sheds[4] = {
        GW_R_PRESSURE, GW_R_FULL, GW_R_EXPIRED, GW_R_DRAINING
    };

    p = (gw_proto_e) draw(GW_PROTO_N);
    c = (unsigned) draw(GW_CLASSES_MAX);

    switch (draw(8)) {

    case 0:
        do {
            r = (gw_reason_e) (1 + draw(GW_REASON_N - 1));
        } while (r >= GW_R_PRESSURE && r <= GW_R_DRAINING);

        gw_stats_refused(s, p, c, r);
        m->received[p]++;
        m->rejected++;
        return;

    case 1:
        gw_stats_refused(s, p, c, sheds[draw(4)]);
        m->received[p]++;
        m->shed_entry++;
        return;

    case 2:
        gw_stats_duplicate(s, p, c);
        m->received[p]++;
        m->duplicate++;
        return;

    case 3:
    case 4:
        gw_stats_accepted(s, p, c);
        m->received[p]++;
        m->accepted++;
        m->waiting[p][c]++;
        return;

    default:
        break;
    }

    if (m->waiting[p][c] == 0) {
        gw_stats_bytes(s, p, draw(1000));
        return;
    }

    m->waiting[p][c]--;
    end = (unsigned) draw(5);

    if (end == 0) {
        gw_stats_delivered(s, p, c, draw(20000000), draw(20000000));
        m->delivered++;

    } else if (end == 1) {
        gw_stats_dead_lettered(s, p, c);
        m->dead_lettered++;

    } else if (end == 2) {
        gw_stats_failed(s, p, c);
        m->failed++;

    } else if (end == 3) {
        gw_stats_shed(s, p, c, sheds[draw(4)]);
        m->shed++;

    } else {
        gw_stats_lost(s, p, c);
        m->lost++;
    }
}


static int
same(const gw_stats_slot_t *s, const model_t *m)
{
    int       good;
    unsigned  p, c;
    uint64_t  n, total;

    good = 1;
    total = 0;

    for (p = 0; p < GW_PROTO_N; p++) {
        n = sum(m->waiting[p], sizeof(m->waiting[p]));
        total += n;

        good &= s->received[p] == m->received[p];
        good &= gw_stats_waiting_proto(s, p) == n;
    }

    for (c = 0; c < GW_CLASSES_MAX; c++) {
        n = 0;

        for (p = 0; p < GW_PROTO_N; p++) {
            n += m->waiting[p][c];
        }

        good &= gw_stats_waiting_class(s, c) == n;
    }

    return good
           && gw_stats_waiting(s) == total
           && sum(s->rejected, sizeof(s->rejected)) == m->rejected
           && sum(s->duplicate, sizeof(s->duplicate)) == m->duplicate
           && sum(s->shed_entry, sizeof(s->shed_entry)) == m->shed_entry
           && sum(s->accepted, sizeof(s->accepted)) == m->accepted
           && sum(s->delivered, sizeof(s->delivered)) == m->delivered
           && sum(s->dead_lettered, sizeof(s->dead_lettered))
              == m->dead_lettered
           && sum(s->failed, sizeof(s->failed)) == m->failed
           && sum(s->shed, sizeof(s->shed)) == m->shed
           && sum(s->lost, sizeof(s->lost)) == m->lost;
}


/* the worker dies; half of the times inside a write section */

static void
die(gw_stats_slot_t *s, model_t *m)
{
    unsigned    c;
    gw_proto_e  p;

    p = (gw_proto_e) draw(GW_PROTO_N);
    c = (unsigned) draw(GW_CLASSES_MAX);

    switch (draw(8)) {

    case 0:
        gw_stats_begin(s);
        return;

    case 1:
        gw_stats_begin(s);
        s->accepted[p][c]++;
        m->accepted++;
        m->waiting[p][c]++;
        m->received[p]++;
        return;

    case 2:
        gw_stats_begin(s);
        s->shed_entry[p][c][GW_R_FULL]++;
        m->shed_entry++;
        m->received[p]++;
        return;

    case 3:
        gw_stats_begin(s);

        if (m->waiting[p][c]) {
            s->delivered[p][c]++;
            m->delivered++;
            m->waiting[p][c]--;
        }

        return;

    default:
        return;
    }
}


static void
random_lives(void)
{
    unsigned          i, balanced, equal, counted, even, zeroed, who, deaths;
    uint64_t          n, lost;
    model_t           m;
    const char       *why;
    gw_stats_slot_t  *s;

    s = calloc(1, sizeof(*s));
    memset(&m, 0, sizeof(m));

    ok(gw_stats_check(s) == NULL, "the books of an empty slot balance");
    is_u64(gw_stats_waiting(s), 0, "and nothing waits");

    balanced = 1;
    equal = 1;
    counted = 1;
    even = 1;
    zeroed = 1;
    who = 1;
    deaths = 0;

    for (i = 0; i < 20000; i++) {
        change(s, &m);

        if (i % 16 == 0) {
            equal &= same(s, &m);
        }

        why = gw_stats_check(s);
        if (why) {
            balanced = 0;
        }

        even &= s->sequence % 2 == 0;

        if (draw(100)) {
            continue;
        }

        gw_stats_begin(s);
        memset(&s->connections, 0x5a,
               sizeof(*s) - offsetof(gw_stats_slot_t, connections));
        gw_stats_end(s);

        deaths++;

        if (draw(5) == 0) {
            n = sum(m.waiting, sizeof(m.waiting));
            lost = gw_stats_leave(s);
            who &= s->pid == 0;

        } else {
            die(s, &m);
            n = sum(m.waiting, sizeof(m.waiting));
            lost = gw_stats_claim(s, i + 1, i + 2, i + 3, i + 4);
            who &= s->pid == i + 1 && s->worker == i + 2
                   && s->started == i + 3 && s->generation == i + 4;
        }

        m.lost += n;
        memset(m.waiting, 0, sizeof(m.waiting));

        counted &= lost == n;
        equal &= same(s, &m);
        balanced &= gw_stats_check(s) == NULL;
        even &= s->sequence % 2 == 0;
        zeroed &= all_zero(s->connections, s + 1);
    }

    ok(deaths > 100 && m.lost > 100, "%u workers died, %" PRIu64
       " messages with them", deaths, m.lost);
    ok(balanced, "the books balance after every change and every death");
    ok(equal, "every counter is what an independent count says");
    ok(counted, "what waited at a death is reported as lost, no more, no less");
    ok(even, "outside of a change the sequence is even, after a death too");
    ok(zeroed, "a slot that changed hands has no gauges of its former owner");
    ok(who, "and says who holds it");

    (void) gw_stats_claim(s, 1, 1, 1, 1);
    is_u64(gw_stats_claim(s, 2, 1, 1, 1), 0, "a second claim loses nothing");

    free(s);
}


static void
exact_places(void)
{
    unsigned          r, right;
    uint64_t          before;
    gw_stats_slot_t  *s;

    s = calloc(1, sizeof(*s));
    right = 1;

    for (r = 1; r < GW_REASON_N; r++) {
        gw_stats_refused(s, GW_PROTO_MQTT, 3, (gw_reason_e) r);

        if (r == GW_R_PRESSURE || r == GW_R_FULL || r == GW_R_EXPIRED
            || r == GW_R_DRAINING)
        {
            right &= s->shed_entry[GW_PROTO_MQTT][3][r] == 1
                     && s->rejected[GW_PROTO_MQTT][r] == 0;

        } else {
            right &= s->rejected[GW_PROTO_MQTT][r] == 1
                     && s->shed_entry[GW_PROTO_MQTT][3][r] == 0;
        }
    }

    ok(right, "each refusal is under its reason, as shed or as rejected");
    is_u64(s->received[GW_PROTO_MQTT], GW_REASON_N - 1,
           "and was received");

    gw_stats_accepted(s, GW_PROTO_WS, 7);
    is_u64(s->accepted[GW_PROTO_WS][7], 1,
           "a message is accepted by protocol and class");
    is_u64(gw_stats_waiting_class(s, 7), 1, "and then waits in its class");
    is_u64(gw_stats_waiting_proto(s, GW_PROTO_WS), 1, "and its protocol");

    before = s->sequence;
    gw_stats_delivered(s, GW_PROTO_WS, 7, 700, 5000001);
    is_u64(s->sequence - before, 2, "one change is one write section");

    is_u64(s->delivered[GW_PROTO_WS][7], 1, "it is delivered");
    is_u64(s->queue[7].count[1], 1, "its time in the lanes is observed");
    is_u64(s->delivery[7].count[13], 1, "its time at Kafka is observed");
    is_u64(gw_stats_waiting(s), 0, "and it waits no more");

    gw_stats_bytes(s, GW_PROTO_LINES, 12345);
    is_u64(s->received_bytes[GW_PROTO_LINES], 12345, "bytes are counted");
    is_u64(s->received[GW_PROTO_LINES], 0, "but are not messages");

    free(s);
}


static void
no_slot(void)
{
    gw_stats_bytes(NULL, GW_PROTO_HTTP, 1);
    gw_stats_refused(NULL, GW_PROTO_HTTP, 0, GW_R_FULL);
    gw_stats_duplicate(NULL, GW_PROTO_HTTP, 0);
    gw_stats_accepted(NULL, GW_PROTO_HTTP, 0);
    gw_stats_delivered(NULL, GW_PROTO_HTTP, 0, 1, 1);
    gw_stats_dead_lettered(NULL, GW_PROTO_HTTP, 0);
    gw_stats_failed(NULL, GW_PROTO_HTTP, 0);
    gw_stats_shed(NULL, GW_PROTO_HTTP, 0, GW_R_FULL);
    gw_stats_lost(NULL, GW_PROTO_HTTP, 0);
    gw_stats_begin(NULL);
    gw_stats_end(NULL);

    ok(1, "without a slot nothing is counted and nothing breaks");
}


/*
 * A worker killed by the system at one store.  The slot lies so that a field
 * of it begins a page; a child that holds that page read-only dies at its
 * first store there, and what it wrote until then is what a kill leaves.
 */

typedef struct {
    const char   *name;
    size_t        offset;       /* the field that is not written any more */
    unsigned      verb;
    unsigned      accepted;     /* messages that wait before */
    unsigned      lost;         /* expected of the claim */
    unsigned      received;     /* and this */
} death_t;


enum {
    BYTES,
    REJECTED,
    SHED_ENTRY,
    DUPLICATE,
    ACCEPTED,
    DELIVERED,
    DEAD_LETTERED,
    FAILED,
    SHED,
    LOST,
    VERBS
};


static void
do_verb(gw_stats_slot_t *s, unsigned verb)
{
    switch (verb) {

    case BYTES:
        gw_stats_bytes(s, GW_PROTO_HTTP, 255);
        return;

    case REJECTED:
        gw_stats_refused(s, GW_PROTO_HTTP, 0, GW_R_SCHEMA);
        return;

    case SHED_ENTRY:
        gw_stats_refused(s, GW_PROTO_HTTP, 0, GW_R_FULL);
        return;

    case DUPLICATE:
        gw_stats_duplicate(s, GW_PROTO_HTTP, 0);
        return;

    case ACCEPTED:
        gw_stats_accepted(s, GW_PROTO_HTTP, 0);
        return;

    case DELIVERED:
        gw_stats_delivered(s, GW_PROTO_HTTP, 0, 700, 700);
        return;

    case DEAD_LETTERED:
        gw_stats_dead_lettered(s, GW_PROTO_HTTP, 0);
        return;

    case FAILED:
        gw_stats_failed(s, GW_PROTO_HTTP, 0);
        return;

    case SHED:
        gw_stats_shed(s, GW_PROTO_HTTP, 0, GW_R_EXPIRED);
        return;

    default:
        gw_stats_lost(s, GW_PROTO_HTTP, 0);
        return;
    }
}


/* 1: the child was killed by its store, 0: it did not store there */

static int
kill_at(gw_stats_slot_t *s, unsigned verb, void *page, size_t size)
{
    int            status;
    pid_t          pid;
    struct rlimit  none;

    pid = fork();

    if (pid == 0) {
        none.rlim_cur = 0;
        none.rlim_max = 0;

        if (setrlimit(RLIMIT_CORE, &none) == 0
            && signal(SIGSEGV, SIG_DFL) != SIG_ERR
            && mprotect(page, size, PROT_READ) == 0)
        {
            do_verb(s, verb);
        }

        _exit(0);
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid) {
        abort();
    }

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}


static void
killed_at_a_store(void)
{
    size_t            i, size, room;
    uint8_t          *memory, *page;
    unsigned          verb, sections;
    uint64_t          before, lost;
    gw_stats_slot_t  *s;

#define at(field)  offsetof(gw_stats_slot_t, field)

    static const death_t  deaths[] = {
        { "bytes", at(received_bytes), BYTES, 0, 0, 0 },
        { "rejected", at(rejected), REJECTED, 0, 0, 0 },
        { "shed at entry", at(shed_entry), SHED_ENTRY, 0, 0, 0 },
        { "duplicate", at(duplicate), DUPLICATE, 0, 0, 0 },
        { "accepted", at(accepted), ACCEPTED, 0, 0, 0 },
        { "received", at(received), ACCEPTED, 0, 1, 1 },
        { "delivered", at(delivered), DELIVERED, 1, 1, 1 },
        { "time in the lanes", at(queue), DELIVERED, 1, 0, 1 },
        { "time at Kafka", at(delivery), DELIVERED, 1, 0, 1 },
        { "dead-lettered", at(dead_lettered), DEAD_LETTERED, 1, 1, 1 },
        { "failed", at(failed), FAILED, 1, 1, 1 },
        { "shed", at(shed), SHED, 1, 1, 1 },
        { "lost", at(lost), LOST, 1, 1, 1 },
    };

    size = (size_t) sysconf(_SC_PAGESIZE);
    room = (sizeof(*s) + size - 1) / size * size;

    memory = mmap(NULL, 2 * room, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }

    page = memory + room;

    for (i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {

        if (deaths[i].offset == at(received)
            && at(accepted) - at(received) < size)
        {
            /* both on one page: the first store is not let through */
            continue;
        }

        memset(memory, 0, 2 * room);
        s = (gw_stats_slot_t *) (page - deaths[i].offset);

        if (deaths[i].accepted) {
            gw_stats_accepted(s, GW_PROTO_HTTP, 0);
        }

        before = s->received[GW_PROTO_HTTP];

        ok(kill_at(s, deaths[i].verb, page, size),
           "a worker is killed before it counts: %s", deaths[i].name);
        is_u64(s->sequence % 2, 1, "it was inside of a section");
        is_u64(s->received[GW_PROTO_HTTP], before,
               "what became of a message is written before it was received");

        lost = gw_stats_claim(s, 1, 1, 1, 1);

        is_u64(lost, deaths[i].lost, "its slot knows what was lost");
        is_u64(s->received[GW_PROTO_HTTP], deaths[i].received,
               "and what was received");
        ok(s->sequence % 2 == 0 && gw_stats_check(s) == NULL,
           "and its books balance");
    }

#undef at

    sections = 0;
    s = (gw_stats_slot_t *) memory;

    for (verb = 0; verb < VERBS; verb++) {
        before = s->sequence;
        do_verb(s, verb);
        sections += s->sequence - before == 2;
    }

    is_u64(sections, VERBS, "every verb is one section");

    (void) munmap(memory, 2 * room);
}


/* the check itself: each counter that is one too high is found */

static void
wrong_books(void)
{
    size_t            i, found, last;
    model_t           m;
    uint64_t         *w;
    gw_stats_slot_t  *s;

    s = calloc(1, sizeof(*s));
    memset(&m, 0, sizeof(m));

    for (i = 0; i < 5000; i++) {
        change(s, &m);
    }

    (void) gw_stats_leave(s);

    /* nothing waits: an end too many is seen at once */

    w = (uint64_t *) s;
    last = offsetof(gw_stats_slot_t, timeouts) / sizeof(uint64_t);
    found = 0;

    for (i = offsetof(gw_stats_slot_t, received) / sizeof(uint64_t);
         i < last;
         i++)
    {
        w[i]++;
        found += gw_stats_check(s) != NULL;
        w[i]--;
    }

    is_u64(found,
           (last * sizeof(uint64_t) - offsetof(gw_stats_slot_t, received)
            - sizeof(s->received_bytes)) / sizeof(uint64_t),
           "every counter of the books that is one too high is found");
    ok(gw_stats_check(s) == NULL, "and none when all are right");

    s->delivered[0][0] = s->accepted[0][0] + 5;
    is_u64(gw_stats_waiting(s), 0, "an end too many is not a huge backlog");

    free(s);
}


/*
 * The worst moment on every run, whatever the scheduler does: the copy comes
 * to a page that cannot be read, and the writer writes before it goes on.
 */

static struct {
    gw_stats_slot_t  *slot;
    uint8_t          *page;
    size_t            size;
    unsigned          faults;
} amid;


static void
write_amid(int signo)
{
    if (amid.faults++
        || mprotect(amid.page, amid.size, PROT_READ | PROT_WRITE) != 0)
    {
        _exit(signo);
    }

    gw_stats_accepted(amid.slot, GW_PROTO_HTTP, 0);
}


static void
one_writer_amid_a_copy(void)
{
    size_t             room;
    uint8_t           *memory;
    gw_stats_slot_t   *to;
    struct sigaction   sa, was;

    amid.size = (size_t) sysconf(_SC_PAGESIZE);
    room = (sizeof(*to) + amid.size - 1) / amid.size * amid.size;

    memory = mmap(NULL, 2 * room, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }

    /* "received" is copied by then, "accepted" is not */

    amid.page = memory + room;
    amid.slot = (gw_stats_slot_t *)
                (amid.page - offsetof(gw_stats_slot_t, accepted));

    (void) gw_stats_claim(amid.slot, 1, 1, 1, 1);

    to = malloc(sizeof(*to));

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = write_amid;

    if (sigaction(SIGSEGV, &sa, &was) != 0
        || mprotect(amid.page, amid.size, PROT_NONE) != 0)
    {
        abort();
    }

    is_u64(gw_stats_read(amid.slot, to), GW_OK,
           "a slot that changes while it is copied is read");

    (void) sigaction(SIGSEGV, &was, NULL);

    is_u64(amid.faults, 1, "it did change");
    ok(gw_stats_check(to) == NULL && to->received[GW_PROTO_HTTP] == 1
       && memcmp(to, amid.slot, sizeof(*to)) == 0,
       "and the copy is that of the slot after the change, not of both");

    free(to);
    (void) munmap(memory, 2 * room);
}


/* one writer, one reader, who has to see the slot in this many states */
#define MOVES  1000

/* a net only: the reader gives up, and the test fails */
#define READS  5000000


typedef struct {
    gw_stats_slot_t  *slot;
    unsigned          copies;       /* consistent ones */
    unsigned          busy;
    unsigned          torn;
    unsigned          moved;        /* copies that differ from the last */
    unsigned          done;
} reader_t;


static void *
reader(void *data)
{
    unsigned          i, k;
    uint64_t          last;
    reader_t         *r = data;
    gw_stats_slot_t  *to;

    to = malloc(sizeof(*to));
    last = 0;

    for (i = 0; i < READS && r->moved < MOVES; i++) {

        if (gw_stats_read(r->slot, to) != GW_OK) {
            r->busy++;
            (void) sched_yield();
            continue;
        }

        r->copies++;

        /* where both share a core, the writer goes on only if let */

        if (to->sequence == last) {
            (void) sched_yield();

        } else {
            r->moved++;
            last = to->sequence;
        }

        r->torn += to->sequence % 2;

        /* the writer keeps all of these equal */

        for (k = 0; k < GW_CLASSES_MAX; k++) {
            if (to->queue_messages[k] != to->connections[0]
                || to->inflight[k] != to->connections[0]
                || to->queue[k].count[0] != to->delivery[k].count[0]
                || to->brokers[GW_STATS_BROKERS - 1].rtt_p99_us
                   != (uint32_t) to->connections[0]
                || gw_hist_total(&to->queue[k])
                   != to->delivered[0][k] + to->delivered[1][k]
                      + to->delivered[2][k] + to->delivered[3][k])
            {
                r->torn++;
                break;
            }
        }

        r->torn += gw_stats_check(to) != NULL;
    }

    free(to);
    __atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);

    return NULL;
}


/* as the verbs do it, so that a thread sanitizer has nothing to say either */

static void
set(uint64_t *field, uint64_t n)
{
    __atomic_store_n(field, n, __ATOMIC_RELAXED);
}


static void
one_writer_one_reader(void)
{
    unsigned           c, k;
    uint64_t           n;
    reader_t           r;
    pthread_t          tid;
    gw_proto_e         p;
    volatile unsigned  pause;

    memset(&r, 0, sizeof(r));
    r.slot = calloc(1, sizeof(gw_stats_slot_t));

    if (pthread_create(&tid, NULL, reader, &r) != 0) {
        abort();
    }

    for (n = 1; !__atomic_load_n(&r.done, __ATOMIC_ACQUIRE); n++) {
        p = (gw_proto_e) (n % GW_PROTO_N);
        c = (unsigned) (n / GW_PROTO_N % GW_CLASSES_MAX);

        gw_stats_accepted(r.slot, p, c);
        gw_stats_refused(r.slot, p, c, GW_R_FULL);
        gw_stats_delivered(r.slot, p, c, 100, 100);

        gw_stats_begin(r.slot);

        set(&r.slot->connections[0], n);

        for (k = 0; k < GW_CLASSES_MAX; k++) {
            set(&r.slot->queue_messages[k], n);

            if (n % 256 == 0 && k == 3) {
                /* a reader that shares the core comes in the midst of it */
                (void) sched_yield();
            }

            set(&r.slot->inflight[k], n);
        }

        __atomic_store_n(&r.slot->brokers[GW_STATS_BROKERS - 1].rtt_p99_us,
                         (uint32_t) n, __ATOMIC_RELAXED);

        gw_stats_end(r.slot);

        /* a copy takes microseconds: some of them have to fit between */

        for (pause = 0; pause < n % 64 * 200; pause++) { /* void */ }

        if (n % 16 == 0) {
            (void) sched_yield();
        }
    }

    (void) pthread_join(tid, NULL);

    printf("# %u copies, %u different, %u busy, %" PRIu64 " rounds\n",
           r.copies, r.moved, r.busy, n);

    is_u64(r.moved, MOVES, "a reader gets its copies while the writer writes");
    is_u64(r.torn, 0, "and not one of them is torn");

    free(r.slot);
}


static void
read_of_a_dead_slot(void)
{
    model_t           m;
    unsigned          i;
    gw_stats_slot_t  *s, *to;

    s = calloc(1, sizeof(*s));
    to = malloc(sizeof(*to));
    memset(&m, 0, sizeof(m));
    memset(to, 0xff, sizeof(*to));

    (void) gw_stats_claim(s, 42, 1, 2, 3);

    for (i = 0; i < 1000; i++) {
        change(s, &m);
    }

    (void) strcpy(s->brokers[GW_STATS_BROKERS - 1].name, "b:9092");

    is_u64(gw_stats_read(s, to), GW_OK, "a slot at rest is read");
    ok(memcmp(s, to, sizeof(*s)) == 0, "to its last byte");

    gw_stats_begin(s);
    s->timeouts[0]++;

    ok(gw_stats_read(s, to) == GW_AGAIN,
       "a slot whose writer died inside a change does not hold the reader");
    ok(memcmp(s, to, sizeof(*s)) == 0, "who has a copy all the same");

    is_u64(sizeof(*s) % sizeof(uint64_t), 0, "a slot is made of whole words");

    free(s);
    free(to);
}


static void
set_broker(gw_stats_slot_t *s, const char *name, uint32_t up, uint32_t p50,
    uint32_t p99)
{
    gw_stats_broker_t  *b;

    b = &s->brokers[s->nbrokers++];
    (void) strcpy(b->name, name);
    b->up = up;
    b->rtt_p50_us = p50;
    b->rtt_p99_us = p99;
}


static void
merge_counters(void)
{
    size_t            i, first, last, wrong;
    uint64_t         *a, *b, *c;
    gw_stats_slot_t  *x, *y, *to;

    x = calloc(1, sizeof(*x));
    y = calloc(1, sizeof(*y));
    to = calloc(1, sizeof(*to));

    first = offsetof(gw_stats_slot_t, received) / sizeof(uint64_t);
    last = offsetof(gw_stats_slot_t, connections) / sizeof(uint64_t);

    a = (uint64_t *) x;
    b = (uint64_t *) y;
    c = (uint64_t *) to;

    for (i = first; i < last; i++) {
        a[i] = draw(1000000);
        b[i] = draw(1000000);
    }

    gw_stats_merge(to, x);
    gw_stats_merge(to, y);

    wrong = 0;

    for (i = first; i < last; i++) {
        wrong += c[i] != a[i] + b[i];
    }

    is_u64(wrong, 0, "every counter and histogram is the sum, also of slots "
           "that are free");
    ok(all_zero(to, to->received), "a sum has no owner");
    ok(all_zero(to->connections, to + 1), "and no gauges of free slots");

    free(x);
    free(y);
    free(to);
}


static void
merge_gauges(void)
{
    unsigned          i;
    char              name[GW_STATS_BROKER_NAME];
    gw_stats_slot_t  *x, *y, *to;

    x = calloc(1, sizeof(*x));
    y = calloc(1, sizeof(*y));
    to = calloc(1, sizeof(*to));

    x->pid = 1;
    x->connections[2] = 10;
    x->queue_messages[7] = 20;
    x->queue_bytes[6] = 30;
    x->queue_oldest_ms[1] = 400;
    x->queue_oldest_ms[2] = 7;
    x->inflight[5] = 50;
    x->charged = 60;
    x->capacity = 70;
    x->pressure = 1;
    x->kafka_up = 1;
    x->loop_lag_us = 80;
    x->loop_lag_max_us = 900;
    set_broker(x, "a:9092", 0, 100, 900);
    set_broker(x, "b:9092", 1, 5, 6);
    set_broker(x, "d:9092", 0, 1, 1);

    y->pid = 2;
    y->connections[2] = 1;
    y->queue_messages[7] = 2;
    y->queue_bytes[6] = 3;
    y->queue_oldest_ms[1] = 4;
    y->queue_oldest_ms[2] = 700;
    y->inflight[5] = 5;
    y->charged = 6;
    y->capacity = 7;
    y->draining = 1;
    y->loop_lag_us = 85;
    y->loop_lag_max_us = 90;
    set_broker(y, "c:9092", 1, 1, 2);
    set_broker(y, "a:9092", 1, 200, 300);
    set_broker(y, "b:9092", 0, 0, 0);
    set_broker(y, "d:9092", 0, 1, 1);

    gw_stats_merge(to, x);
    gw_stats_merge(to, y);

    is_u64(to->connections[2], 11, "connections add up");
    is_u64(to->queue_messages[7], 22, "messages in the lanes add up");
    is_u64(to->queue_bytes[6], 33, "bytes in the lanes add up");
    is_u64(to->inflight[5], 55, "messages at Kafka add up");
    is_u64(to->charged, 66, "charged memory adds up");
    is_u64(to->capacity, 77, "capacity adds up");
    is_u64(to->queue_oldest_ms[1], 400, "the oldest is the oldest of all");
    is_u64(to->queue_oldest_ms[2], 700, "whoever has it");
    is_u64(to->pressure, 1, "pressure is where one has it");
    is_u64(to->draining, 1, "draining too");
    is_u64(to->kafka_up, 1, "Kafka is up where one worker has reports");
    is_u64(to->loop_lag_us, 85, "the lag is the longest");
    is_u64(to->loop_lag_max_us, 900, "the highest lag too");

    is_u64(to->nbrokers, 4, "a broker two workers know is one broker");
    is_str(to->brokers[0].name, strlen(to->brokers[0].name), "a:9092",
           "it has its name");
    is_u64(to->brokers[0].up, 1, "it is up where any worker has it up");
    is_u64(to->brokers[0].rtt_p50_us, 200, "its median is the longest");
    is_u64(to->brokers[0].rtt_p99_us, 900, "its 99th percentile too");
    is_u64(to->brokers[1].up, 1, "whichever was merged first");
    is_u64(to->brokers[2].up, 0, "one that is down for all is down");
    is_str(to->brokers[3].name, strlen(to->brokers[3].name), "c:9092",
           "one that only the second knows is there");

    y->pid = 0;
    gw_stats_merge(to, y);
    is_u64(to->connections[2], 11, "a free slot has no connections");
    is_u64(to->charged, 66, "and no memory");

    x->nbrokers = 0;

    for (i = 0; i < GW_STATS_BROKERS; i++) {
        (void) snprintf(name, sizeof(name), "many-%u:9092", i);
        set_broker(x, name, 1, i, i);
    }

    gw_stats_merge(to, x);
    is_u64(to->nbrokers, GW_STATS_BROKERS, "brokers above the limit are left "
           "out");
    is_str(to->brokers[15].name, strlen(to->brokers[15].name),
           "many-11:9092", "the first ones are kept");

    free(x);
    free(y);
    free(to);
}


int
main(void)
{
    exact_places();
    no_slot();
    killed_at_a_store();
    wrong_books();
    random_lives();
    read_of_a_dead_slot();
    one_writer_amid_a_copy();
    one_writer_one_reader();
    merge_counters();
    merge_gauges();

    return done_testing();
}
