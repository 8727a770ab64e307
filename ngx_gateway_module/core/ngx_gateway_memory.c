/*
 * ngx_gateway_memory.c - the blocks that messages live in.
 *
 * Of every message the block comes and goes while librdkafka's small
 * allocations come and go between: malloc() then splits and joins chunks for
 * each, and for the 4k pools of nginx's requests too.  A block that was used is
 * kept for the next message of about its size.  One cache a process; the event
 * loop only.  Kept and unused are at most NGX_GATEWAY_MEMORY_KEPT bytes.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_gateway_core.h"


#define NGX_GATEWAY_MEMORY_STEP   128
#define NGX_GATEWAY_MEMORY_SIZES  16
#define NGX_GATEWAY_MEMORY_KEPT   (512 * 1024)

/* a block that is used again hides from a sanitizer who still reads it */

#if (NGX_DEBUG_PALLOC)
#define NGX_GATEWAY_MEMORY_MAX    0
#else
#define NGX_GATEWAY_MEMORY_MAX                                                \
    (NGX_GATEWAY_MEMORY_SIZES * NGX_GATEWAY_MEMORY_STEP)
#endif


typedef struct ngx_gateway_memory_s  ngx_gateway_memory_t;

struct ngx_gateway_memory_s {
    ngx_gateway_memory_t  *next;
};


/* by size; the first is never used: 0 is a block of malloc() alone */

static ngx_gateway_memory_t
    *ngx_gateway_memory[NGX_GATEWAY_MEMORY_SIZES + 1];
static size_t                 ngx_gateway_memory_kept;


size_t
ngx_gateway_memory_size(size_t size)
{
    return size <= NGX_GATEWAY_MEMORY_MAX
           ? ngx_align(size, NGX_GATEWAY_MEMORY_STEP) : size;
}


ngx_gateway_msg_t *
ngx_gateway_memory_get(size_t size, ngx_log_t *log)
{
    ngx_uint_t             n;
    ngx_gateway_msg_t     *msg;
    ngx_gateway_memory_t  *block;

    n = size <= NGX_GATEWAY_MEMORY_MAX ? size / NGX_GATEWAY_MEMORY_STEP : 0;

    block = ngx_gateway_memory[n];

    if (block) {
        ngx_gateway_memory[n] = block->next;
        ngx_gateway_memory_kept -= size;

        msg = (ngx_gateway_msg_t *) block;

    } else {
        msg = ngx_alloc(size, log);
        if (msg == NULL) {
            return NULL;
        }
    }

    ngx_memzero(msg, offsetof(ngx_gateway_msg_t, traceparent));
    msg->block = (uint8_t) n;

    return msg;
}


void
ngx_gateway_memory_put(ngx_gateway_msg_t *msg)
{
    size_t                 size;
    ngx_uint_t             n;
    ngx_gateway_memory_t  *block;

    n = msg->block;
    size = n * NGX_GATEWAY_MEMORY_STEP;

    if (n == 0 || ngx_gateway_memory_kept + size > NGX_GATEWAY_MEMORY_KEPT) {
        ngx_free(msg);
        return;
    }

    block = (ngx_gateway_memory_t *) msg;

    block->next = ngx_gateway_memory[n];
    ngx_gateway_memory[n] = block;
    ngx_gateway_memory_kept += size;
}


void
ngx_gateway_memory_free_all(void)
{
    ngx_uint_t             n;
    ngx_gateway_memory_t  *block;

    for (n = 0; n <= NGX_GATEWAY_MEMORY_SIZES; n++) {

        while (ngx_gateway_memory[n]) {
            block = ngx_gateway_memory[n];
            ngx_gateway_memory[n] = block->next;
            ngx_free(block);
        }
    }

    ngx_gateway_memory_kept = 0;
}
