/*
 * gw_test.h - TAP for the unit tests of pure/, and inputs against a guard
 * page: a read one byte behind the input is a crash, not a passed test.
 *
 * A test is a program: include this, call ok() and friends, end main() with
 * "return done_testing();".  Built with ASan and UBSan only (make unit).
 */

#ifndef _GW_TEST_H_INCLUDED_
#define _GW_TEST_H_INCLUDED_


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


static unsigned  gw_test_n, gw_test_failed;


#define ok(cond, ...)                                                         \
    do {                                                                      \
        int  ok_ = !!(cond);                                                  \
        printf("%sok %u - ", ok_ ? "" : "not ", ++gw_test_n);                 \
        printf(__VA_ARGS__);                                                  \
        printf("\n");                                                         \
        if (!ok_) {                                                           \
            gw_test_failed++;                                                 \
            printf("#   failed at %s:%d: %s\n", __FILE__, __LINE__, #cond);   \
        }                                                                     \
    } while (0)

#define is_u64(got, want, ...)                                                \
    do {                                                                      \
        uint64_t  g_ = (uint64_t) (got), w_ = (uint64_t) (want);              \
        ok(g_ == w_, __VA_ARGS__);                                            \
        if (g_ != w_) {                                                       \
            printf("#   got %" PRIu64 ", want %" PRIu64 "\n", g_, w_);        \
        }                                                                     \
    } while (0)

#define is_str(got, got_len, want, ...)                                       \
    do {                                                                      \
        const char  *g_ = (const char *) (got), *w_ = (want);                 \
        size_t  gl_ = (got_len);                                              \
        int  same_ = gl_ == strlen(w_) && memcmp(g_, w_, gl_) == 0;           \
        ok(same_, __VA_ARGS__);                                               \
        if (!same_) {                                                         \
            printf("#   got  \"%.*s\"\n#   want \"%s\"\n",                    \
                   (int) gl_, g_, w_);                                        \
        }                                                                     \
    } while (0)


/*
 * A copy of p whose last byte is the last of a page; the page behind it may
 * not be touched.  Up to 1 MiB; each call reuses the memory of the last one.
 */

static inline uint8_t *
guarded(const void *p, size_t len)
{
    static uint8_t  *page;
    size_t           room = 1 << 20, size = (size_t) sysconf(_SC_PAGESIZE);
    uint8_t         *at;

    if (page == NULL) {
        page = mmap(NULL, room + size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED
            || mprotect(page + room, size, PROT_NONE) != 0)
        {
            abort();
        }
    }

    if (len > room) {
        abort();
    }

    at = page + room - len;
    if (len) {
        memcpy(at, p, len);
    }

    return at;
}


static inline int
done_testing(void)
{
    printf("1..%u\n", gw_test_n);
    return gw_test_failed != 0;
}


#endif /* _GW_TEST_H_INCLUDED_ */
