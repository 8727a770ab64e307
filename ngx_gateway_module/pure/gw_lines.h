/*
 * gw_lines.h - the replies to lines of JSON: one each, in the order of the
 * lines, whatever the order in which their fates are known.
 *
 *     ok [queued|spooled|duplicate]     it is safe, as far as was asked for
 *     bad REASON                        never send it again as it is
 *     denied REASON                     nor this, as who you are
 *     retry REASON                      later, over this connection or another
 *     fail REASON                       Kafka refuses it for good
 *
 * REASON is that of gw_outcome.h.  Memory: the ring is lent by the caller while
 * there are replies.  Bounds: GW_LINES_MAX lines without a reply.
 */

#ifndef _GW_LINES_H_INCLUDED_
#define _GW_LINES_H_INCLUDED_


#include "gw.h"
#include "gw_outcome.h"


#define GW_LINES_MAX    1024
#define GW_LINES_REPLY  48         /* bytes of one, at most */


typedef struct {
    uint8_t  settled;
    uint8_t  outcome;              /* gw_outcome_e */
    uint8_t  reason;               /* gw_reason_e */
} gw_lines_reply_t;


typedef struct {
    gw_lines_reply_t  *replies;    /* NULL: none */
    uint16_t           room;
    uint16_t           first;
    uint16_t           n;
    uint32_t           serial;     /* of the next line */
} gw_lines_t;


/* GW_OK: *serial is the line's; GW_AGAIN: lend() more, then again; GW_BUSY:
   settle some first */
int gw_lines_add(gw_lines_t *l, uint32_t *serial);

/* one that has a reply already, or never was, is passed over */
void gw_lines_settle(gw_lines_t *l, uint32_t serial, gw_outcome_e outcome,
    gw_reason_e reason);

/* all that wait */
void gw_lines_settle_all(gw_lines_t *l, gw_outcome_e outcome,
    gw_reason_e reason);

/* as many replies as are due and fit, each ended by LF.  Returns the bytes
   written; *more: 1: some did not fit */
size_t gw_lines_write(gw_lines_t *l, uint8_t *dst, size_t size,
    unsigned *more);

/* the memory of before, the caller's again, or NULL.  room: more than before */
gw_lines_reply_t *gw_lines_lend(gw_lines_t *l, gw_lines_reply_t *replies,
    uint16_t room);

/* NULL: they are in use, or there are none */
gw_lines_reply_t *gw_lines_return(gw_lines_t *l);


#endif /* _GW_LINES_H_INCLUDED_ */
