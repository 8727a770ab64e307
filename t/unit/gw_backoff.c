/*
 * Retries back off: without growth a dead broker would be asked in a loop,
 * without a cap a healed one would wait for hours, without jitter all workers
 * would ask at once.
 */

#include "gw_test.h"
#include "gw_backoff.h"


int
main(void)
{
    uint64_t  ms, prev;
    unsigned  i, in_range, grows, spread;

    is_u64(gw_backoff(100, 5000, 0, 0), 50, "the first wait is half of min");
    is_u64(gw_backoff(100, 5000, 0, 50), 100, "and at most min");
    is_u64(gw_backoff(100, 5000, 200, 2500), 5000, "no wait is above max");
    is_u64(gw_backoff(100, 5000, 4000000000u, 0), 2500,
           "a huge attempt neither loops nor overflows");
    is_u64(gw_backoff(100, 10, 3, 50), 100, "a max below min reads as min");
    is_u64(gw_backoff(0, 0, 3, 7), 0, "no wait stays no wait");

    in_range = 1;
    grows = 1;
    spread = 0;
    prev = 0;

    for (i = 0; i < 10; i++) {
        ms = gw_backoff(100, 100000, i, 0);
        grows &= ms > prev;
        prev = ms;

        spread += gw_backoff(100, 100000, i, 49) != ms;
    }

    for (i = 0; i < 10000; i++) {
        ms = gw_backoff(100, 5000, i % 20, i * 0x9e3779b97f4a7c15ull);
        in_range &= ms >= 50 && ms <= 5000;
    }

    ok(grows, "each wait is longer than the one before until the cap");
    is_u64(spread, 10, "the random argument moves the wait");
    ok(in_range, "every wait is between half of min and max");

    return done_testing();
}
