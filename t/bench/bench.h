/*
 * t/bench/bench.h - nanoseconds of one operation of a part: what the programs
 * pure.c and auth.c have in common.  Each of them has a bench_t of its own.
 *
 * A line a part on stdout: name, bytes or 0, median ns of BENCH_BLOCKS blocks,
 * fastest block, parted by tabs.
 */

#ifndef _BENCH_H_INCLUDED_
#define _BENCH_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define BENCH_BLOCKS    7
#define BENCH_BLOCK_NS  2e7        /* of one block, at least */


typedef struct bench_s  bench_t;

typedef void (*bench_pt)(bench_t *b, unsigned i);


typedef struct {
    const char  *name;
    unsigned     bytes;            /* of one operation; 0: does not matter */
    bench_pt     run;
} bench_part_t;


static void
bench_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}


static double
bench_block(bench_t *b, bench_pt run, unsigned calls)
{
    double    start;
    unsigned  i;

    start = bench_now();

    for (i = 0; i < calls; i++) {
        run(b, i);
    }

    return bench_now() - start;
}


static int
bench_compare(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static void
bench_measure(bench_t *b, const bench_part_t *part)
{
    double    ns[BENCH_BLOCKS];
    unsigned  i, calls;

    calls = 64;

    while (bench_block(b, part->run, calls) < BENCH_BLOCK_NS) {
        calls *= 2;
    }

    for (i = 0; i < BENCH_BLOCKS; i++) {
        ns[i] = bench_block(b, part->run, calls) / calls;
    }

    qsort(ns, BENCH_BLOCKS, sizeof(double), bench_compare);

    printf("%s\t%u\t%.1f\t%.1f\n", part->name, part->bytes,
           ns[BENCH_BLOCKS / 2], ns[0]);
}


#endif /* _BENCH_H_INCLUDED_ */
