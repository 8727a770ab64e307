/*
 * load.h - the load of the ledger: tens of thousands of devices on one epoll.
 *
 * Four parts that know each other by this file only: load.c has connections
 * and time, a protocol (load_http.c) turns messages into bytes and answers
 * into outcomes, load_resend.c chooses what is sent again, load_report.c writes
 * down what happened.  README.md has the words of the outcomes and the lines of
 * the file "sent".
 */

#ifndef _LOAD_H_INCLUDED_
#define _LOAD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>

#include "bodies.h"


#define LOAD_TRIES_MAX      5
#define LOAD_RETRY_MAX      2000       /* ms, whatever Retry-After says */
#define LOAD_NAME_MAX       64         /* bytes of a class, a reason */

#define load_lit(s)         s, sizeof(s) - 1


typedef struct load_s           load_t;
typedef struct load_report_s    load_report_t;
typedef struct load_resend_s    load_resend_t;
typedef struct load_protocol_s  load_protocol_t;


typedef enum {
    LOAD_PENDING = 0,
    LOAD_ACK,
    LOAD_QUEUED,
    LOAD_DUP,
    LOAD_DLQ,
    LOAD_REFUSED,
    LOAD_UNKNOWN,
    LOAD_OUTCOME_N
} load_outcome_e;


typedef enum {
    LOAD_FORM_ONE = 0,         /* a message is a request */
    LOAD_FORM_ARRAY,
    LOAD_FORM_NDJSON
} load_form_e;


typedef struct {
    const load_protocol_t  *protocol;
    struct sockaddr_in      address;
    const char             *host;           /* the address as it was given */
    const char             *uri;
    unsigned                connections;
    uint64_t                count;          /* attempts */
    uint64_t                rate;           /* messages/s, 0: unbounded */
    unsigned                batch;
    load_form_e             form;
    char                    names[BODIES_CLASSES_MAX][LOAD_NAME_MAX];
    const char             *classes[BODIES_CLASSES_MAX];
    unsigned                weights[BODIES_CLASSES_MAX];
    unsigned                nclasses;
    unsigned                weight;         /* of all */
    const char             *prefer;         /* NULL: nothing is asked for */
    const char             *ack_level;      /* as "sent" has it */
    uint64_t                seed;
    size_t                  pad;
    int                     plain;   /* bodies for benchmarks */
    unsigned                sources;
    unsigned                retry;          /* 1: refused ones */
    unsigned                reset_every;    /* answers, 0: never */
    unsigned                resend;         /* of 100 requests */
    unsigned                resend_other;   /* of 100 messages of these */
    unsigned                resend_depth;   /* numbers below the newest */
    uint64_t                max_time;       /* us, 0: none */
    uint64_t                grace;          /* us */
    uint64_t                warmup;         /* requests */
    const char             *sent;           /* NULL: nothing is written */
} load_options_t;


/* one message of a request */

typedef struct {
    uint64_t     seq;
    const char  *reason;
    uint16_t     status;
    uint8_t      class_index;
    uint8_t      try;
    uint8_t      outcome;
    uint8_t      retryable;
    uint8_t      other;        /* payload than the one of this id */
} load_msg_t;


/* an envelope within the bytes of a request */

typedef struct {
    const uint8_t  *data;
    size_t          len;
} load_span_t;


typedef struct {
    unsigned  done;            /* no message of the request is pending */
    unsigned  close;           /* the connection serves no more */
    unsigned  retry;           /* ms, 0: nothing was said */
} load_answer_t;


/*
 * init() makes what all requests share; 0, or -1 and a line on stderr.
 *
 * request_max() bounds encode(), in bytes.
 *
 * encode() puts a request for n messages of a device into l->out, tells in
 * *len how long it is and in l->spans where the envelopes are, and returns
 * where it begins.
 *
 * decode() looks at all bytes that have come and are not consumed yet.  It
 * sets outcome, status, reason and retryable of the messages that they tell
 * of, and returns how many bytes it has consumed; 0: more is needed, nothing
 * was set but perhaps by former calls; -1: this is no answer.  eof: there
 * will be no more.  It may write to buf.
 */

struct load_protocol_s {
    const char   *name;
    int         (*init)(load_t *l);
    size_t      (*request_max)(load_t *l);
    uint8_t    *(*encode)(load_t *l, uint32_t device, load_msg_t *msgs,
                          unsigned n, size_t *len);
    ssize_t     (*decode)(load_t *l, load_msg_t *msgs, unsigned n,
                          uint8_t *buf, size_t len, int eof,
                          load_answer_t *answer);
};


/* messages of one device that are sent again */

typedef struct {
    uint64_t  seq;             /* the first */
    uint64_t  n;               /* so many may follow, this one included */
    uint32_t  device;
    unsigned  leave;           /* whoever waits for it shall hang up */
} load_again_t;


/* what protocols may use */

struct load_s {
    load_options_t   options;
    bodies_t        *bodies;
    load_report_t   *report;
    load_resend_t   *resend;               /* NULL: nothing is */
    uint8_t         *out;
    load_span_t     *spans;
};


extern const load_protocol_t  load_http;


/* load_options.c: 0, or -1 and the exit code */
int load_options(load_options_t *o, int argc, char **argv, int *code);

/*
 * The reason as a string that stays; what is no [a-z0-9_-] and what is too
 * much is called "other".  "-" for len 0.
 */
const char *load_reason(const uint8_t *p, size_t len);

/* microseconds of CLOCK_MONOTONIC */
uint64_t load_now(void);


/*
 * load_resend.c.  create() gives NULL: no memory.  sent() returns which try of
 * the message it is; choose() finds one of another device than not, or fails.
 */
load_resend_t *load_resend_create(const load_options_t *o);
unsigned load_resend_sent(load_resend_t *r, uint32_t device, uint64_t seq);
void load_resend_ended(load_resend_t *r, uint32_t device, uint64_t seq,
    load_outcome_e outcome);
int load_resend_choose(load_resend_t *r, uint32_t not, uint64_t random,
    load_again_t *again);

/*
 * load_report.c.  A request is measured when it is not of the warm-up.  After
 * an error of the file nothing more is written and end() fails.
 */
load_report_t *load_report_create(const load_options_t *o,
    const bodies_t *bodies);
void load_report_sent(load_report_t *r, uint64_t n, uint64_t now,
    uint32_t device, uint64_t conn, const load_msg_t *msg,
    const load_span_t *body);
void load_report_request(load_report_t *r, uint64_t now);
void load_report_ended(load_report_t *r, uint64_t n, uint64_t now,
    const load_msg_t *msg, unsigned measured);
void load_report_answer(load_report_t *r, uint64_t sent, uint64_t now);
void load_report_progress(load_report_t *r, uint64_t now, unsigned open);
int load_report_end(load_report_t *r, uint64_t attempts);


#endif /* _LOAD_H_INCLUDED_ */
