/*
 * Of two connections with one client id the older one ends.  An older one that
 * is not told goes on and acknowledges beside the new one; a new one that is
 * told in its place can never connect.
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "gw_test.h"
#include "gw_sessions.h"


#define SIZE  (1 << 20)


static gw_sessions_t  *t;
static uint8_t         secret[GW_SESSIONS_SECRET];


static uint64_t
key(unsigned n)
{
    char      id[32];
    gw_str_t  device = gw_str("d"), client;

    client.data = (uint8_t *) id;
    client.len = (size_t) snprintf(id, sizeof(id), "c-%u", n);

    return gw_sessions_key(t, &device, &client);
}


static void
begin(void)
{
    static void  *mem;
    size_t        size;

    if (mem == NULL) {
        mem = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                   -1, 0);
    }

    size = gw_sessions_fit(SIZE);
    memset(mem, 0, SIZE);
    t = gw_sessions_init(mem, size, secret);
}


static void
keys(void)
{
    uint64_t  a, b;
    gw_str_t  ab = gw_str("ab"), c = gw_str("c"), bc = gw_str("bc"),
              one = gw_str("a"), none = gw_str_null;

    a = gw_sessions_key(t, &ab, &c);
    b = gw_sessions_key(t, &one, &bc);
    ok(a != b, "where a name ends makes a difference");
    ok(a == gw_sessions_key(t, &ab, &c), "the same is the same");
    ok(gw_sessions_key(t, &none, &none) != 0, "nothing has a key as well");

    ok(gw_sessions_fit(100) == 0, "a table may not fit");
    ok(gw_sessions_fit(SIZE) <= SIZE, "one that fits is no larger");
}


static void
take_over(void)
{
    uint64_t  a, b, c;
    uint32_t  before;

    begin();

    ok(gw_sessions_take(t, key(1), 3, 0, &a) == GW_OK && a,
       "a client id is nobody's at first");
    ok(gw_sessions_still(t, key(1), a) == GW_OK, "then it is the first one's");

    before = gw_sessions_taken(t, 3);

    ok(gw_sessions_take(t, key(2), 3, 0, &b) == GW_OK,
       "another client id is another's");
    ok(gw_sessions_taken(t, 3) == before, "which nobody needs to hear of");

    ok(gw_sessions_take(t, key(1), 7, 0, &c) == GW_DONE,
       "a second connection has it from the first");
    ok(gw_sessions_taken(t, 3) != before && gw_sessions_taken(t, 7) == 0,
       "whose owner hears of it, and no other");
    ok(gw_sessions_still(t, key(1), a) == GW_DONE, "the first is it no more");
    ok(gw_sessions_still(t, key(1), c) == GW_OK, "the second is");
    ok(gw_sessions_still(t, key(2), b) == GW_OK, "others are what they were");

    gw_sessions_leave(t, key(1), a);
    ok(gw_sessions_still(t, key(1), c) == GW_OK,
       "the first one's end is not the second's");

    gw_sessions_leave(t, key(1), c);
    ok(gw_sessions_still(t, key(1), a) == GW_DONE,
       "nor does the second one's end bring the first one back");
    ok(gw_sessions_take(t, key(1), 3, 1, &a) == GW_OK,
       "behind the last it is nobody's again");

    ok(gw_sessions_take(t, key(1), 3, 1, &c) == GW_DONE
       && gw_sessions_still(t, key(1), a) == GW_DECLINED,
       "a new session is told from one that goes on");
    ok(gw_sessions_taken(t, 3) == before + 2,
       "an owner hears of what he takes from himself");

    ok(gw_sessions_still(t, key(9), 0) == GW_OK, "without a ticket nothing "
       "can be lost");
}


static void
owners(void)
{
    uint64_t  a, b;

    begin();

    (void) gw_sessions_take(t, key(1), 3, 0, &a);
    (void) gw_sessions_take(t, key(2), 255, 0, &b);

    gw_sessions_enter(t, 255);
    ok(gw_sessions_still(t, key(2), b) == GW_DONE,
       "what a dead owner left is dropped");
    ok(gw_sessions_still(t, key(1), a) == GW_OK, "and nothing else");
}


static void
full(void)
{
    unsigned  i, n, refused;
    uint64_t  ticket, *tickets;

    begin();

    n = t->buckets * GW_SESSIONS_WAYS;
    tickets = calloc(n, sizeof(uint64_t));
    refused = 0;

    for (i = 0; i < n * 2 / 3; i++) {
        refused += (gw_sessions_take(t, key(i), 1, 0, &tickets[i])
                    == GW_ERROR);
    }

    ok(refused == 0, "two thirds of %u entries can be had", n);

    for ( /* void */ ; i < n; i++) {
        refused += (gw_sessions_take(t, key(i), 1, 0, &tickets[i])
                    == GW_ERROR);
    }

    ok(refused > 0 && refused < n / 8, "of the rest some cannot (%u)",
       refused);

    for (i = 0; i < n && gw_sessions_still(t, key(i), tickets[i]) == GW_OK;
         i++)
    {
        /* void */
    }

    ok(i == n, "who is in is found");

    ok(gw_sessions_take(t, key(0), 2, 0, &ticket) == GW_DONE,
       "a full table lets a client id change hands");

    for (i = 0; i < n; i++) {
        gw_sessions_leave(t, key(i), i ? tickets[i] : ticket);
    }

    for (i = 0, refused = 0; i < t->buckets; i++) {
        for (n = 0; n < GW_SESSIONS_WAYS; n++) {
            refused += (t->bucket[i][n].key != 0);
        }
    }

    ok(refused == 0, "and all of it is free in the end");

    free(tickets);
}


/* a process dies with the lock held, anywhere: nobody waits for ever, and all
   owners look */

static void
killed(void)
{
    int       status;
    pid_t     pid;
    uint64_t  a, b;
    uint32_t  before;

    begin();

    (void) gw_sessions_take(t, key(1), 3, 0, &a);
    before = gw_sessions_taken(t, 3);

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        (void) gw_lock(&t->lock);
        (void) kill(getpid(), SIGKILL);
    }

    (void) waitpid(pid, &status, 0);

    ok(gw_sessions_take(t, key(2), 4, 0, &b) == GW_OK,
       "the lock of one that was killed is the next one's");
    ok(gw_sessions_taken(t, 3) != before, "and every owner looks");
    ok(gw_sessions_still(t, key(1), a) == GW_OK, "at what is still his");
}


int
main(void)
{
    unsigned  i;

    for (i = 0; i < GW_SESSIONS_SECRET; i++) {
        secret[i] = (uint8_t) (i * 37 + 11);
    }

    begin();

    keys();
    take_over();
    owners();
    full();
    killed();

    return done_testing();
}
