/*
 * fuzz.h - what every target shares: an input that ends where its memory
 * ends, and a promise that, once broken, is a crash with a name.
 *
 * libFuzzer's own buffer has room behind the input: without the copy a read
 * behind it could go unseen.
 */

#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void  fuzz_broken(const char *what, ...)
    __attribute__((format(printf, 1, 2), noreturn, noinline));


static void
fuzz_broken(const char *what, ...)
{
    va_list  args;

    fflush(stdout);
    fprintf(stderr, "PROMISE BROKEN: ");

    va_start(args, what);
    vfprintf(stderr, what, args);
    va_end(args);

    fprintf(stderr, "\n");
    abort();
}


#define fuzz_promise(cond, ...)                                               \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fuzz_broken(__VA_ARGS__);                                         \
        }                                                                     \
    } while (0)


/*
 * A copy of exactly len bytes; the byte behind is the sanitizer's.  Of
 * malloc(0) it lets one byte be read, so nothing gets the end of something.
 */

typedef struct {
    uint8_t  *mem;
    uint8_t  *data;
    size_t    len;
} fuzz_copy_t;


static inline fuzz_copy_t
fuzz_copy(const void *p, size_t len)
{
    size_t       front;
    fuzz_copy_t  copy;

    front = len ? 0 : 16;

    copy.mem = malloc(front + len);
    if (copy.mem == NULL) {
        abort();
    }

    copy.data = copy.mem + front;
    copy.len = len;

    if (len) {
        memcpy(copy.data, p, len);
    }

    return copy;
}


static inline void
fuzz_free(fuzz_copy_t *copy)
{
    free(copy->mem);
}


/* a number that an input decides, so that a case stays the same case */

static inline uint64_t
fuzz_hash(const uint8_t *p, size_t len)
{
    size_t    i;
    uint64_t  h;

    h = 0xcbf29ce484222325ULL;

    for (i = 0; i < len; i++) {
        h = (h ^ p[i]) * 0x100000001b3ULL;
    }

    return h ^ h >> 29;
}


#endif /* _FUZZ_H_INCLUDED_ */
