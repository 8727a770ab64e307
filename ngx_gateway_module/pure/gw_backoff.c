/*
 * gw_backoff.c - see gw_backoff.h.
 */

#include "gw_backoff.h"


uint64_t
gw_backoff(uint64_t min, uint64_t max, unsigned attempt, uint64_t random)
{
    uint64_t  ms, half;

    if (max < min) {
        max = min;
    }

    ms = min;

    while (attempt-- && ms < max) {
        ms *= 2;
    }

    if (ms > max) {
        ms = max;
    }

    half = ms / 2;

    return ms - half + (half ? random % (half + 1) : 0);
}
