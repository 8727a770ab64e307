/*
 * A worker is killed while it holds a lock in shared memory.  Were the lock
 * lost with it, every other worker would stop for ever at its next message;
 * were it passed on without a word, they would read what was half written.
 */

#include <signal.h>
#include <sys/wait.h>

#include "gw_test.h"
#include "gw_lock.h"


#define TURNS  20000


typedef struct {
    gw_lock_t          lock;
    volatile uint64_t  first;
    volatile uint64_t  second;
} shared_t;


static shared_t  *shared;


static void
kill_holder(void)
{
    int    pipe_fd[2], status;
    char   byte;
    pid_t  pid;

    if (pipe(pipe_fd) != 0) {
        abort();
    }

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        byte = gw_lock(&shared->lock) == GW_ERROR ? 'e' : 'h';
        (void) !write(pipe_fd[1], &byte, 1);

        for ( ;; ) {
            pause();
        }
    }

    byte = 0;
    (void) !read(pipe_fd[0], &byte, 1);
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
    (void) close(pipe_fd[0]);
    (void) close(pipe_fd[1]);

    ok(byte == 'h' && WIFSIGNALED(status), "a holder is killed");
}


int
main(void)
{
    int       status, bad;
    pid_t     pid[4];
    unsigned  i, k;

    shared = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        abort();
    }

    ok(gw_lock_init(&shared->lock) == GW_OK, "a lock is made");
    ok(gw_lock(&shared->lock) == GW_OK, "it is had");
    gw_unlock(&shared->lock);
    ok(gw_lock(&shared->lock) == GW_OK, "and had again");
    gw_unlock(&shared->lock);

    /* two words that are equal whenever the lock is free */

    fflush(stdout);

    for (i = 0; i < 4; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            for (bad = 0, k = 0; k < TURNS; k++) {
                bad |= gw_lock(&shared->lock) != GW_OK;
                bad |= shared->first != shared->second;
                shared->first = shared->first + 1;
                shared->second = shared->second + 1;
                gw_unlock(&shared->lock);
            }

            _exit(bad);
        }
    }

    for (bad = 0, i = 0; i < 4; i++) {
        (void) waitpid(pid[i], &status, 0);
        bad |= status;
    }

    ok(bad == 0, "4 processes: nobody sees what another one changes");
    is_u64(shared->first, 4 * TURNS, "and no change is lost");

    for (i = 0; i < 3; i++) {
        kill_holder();
        ok(gw_lock(&shared->lock) == GW_AGAIN,
           "the next one gets the lock and is told so");

        gw_unlock(&shared->lock);
        ok(gw_lock(&shared->lock) == GW_OK, "the one after hears nothing");
        gw_unlock(&shared->lock);
    }

    /* whoever repairs is killed as well */

    kill_holder();
    kill_holder();
    ok(gw_lock(&shared->lock) == GW_AGAIN,
       "killed while it repaired: the next one is told again");
    gw_unlock(&shared->lock);

    return done_testing();
}
