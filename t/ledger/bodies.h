/*
 * bodies.h - what the devices say: envelopes that vary in all that JSON lets
 * vary, each a pure function of (seed, device, seq, class), so that a message
 * sent again is the same message and a run can be repeated.
 *
 * Without the variety a gateway that rounds a number, unescapes a string or
 * drops a space would keep its books all the same.
 */

#ifndef _BODIES_H_INCLUDED_
#define _BODIES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define BODIES_PAD_MAX      1048576   /* bytes */
#define BODIES_CLASSES_MAX  8


typedef struct bodies_s  bodies_t;


/*
 * pad: bytes of an envelope on average, 0 is some 255; names of classes are
 * not copied.  plain: one form of compact telemetry of some 255 bytes, of
 * which only digits vary, for benchmarks.  NULL: no memory.  Lives as long as
 * the process.
 */
bodies_t *bodies_create(uint64_t seed, size_t pad, int plain,
    const char *const *classes, unsigned nclasses);

/* no envelope is longer, in bytes */
size_t bodies_max(const bodies_t *b);

/* the same for all messages of a device; "" when they have none */
const char *bodies_epoch(const bodies_t *b, uint32_t device);

/* an index below total that is drawn from (seed, device, seq) */
unsigned bodies_draw(const bodies_t *b, uint32_t device, uint64_t seq,
    unsigned total);

/*
 * Puts the envelope at p, which has room for bodies_max(); no byte below
 * 0x20 is among its bytes.  other: an envelope of the same id with another
 * time and data.  Returns its end.
 */
uint8_t *bodies_write(const bodies_t *b, uint32_t device, uint64_t seq,
    unsigned class_index, unsigned other, uint8_t *p);


#endif /* _BODIES_H_INCLUDED_ */
