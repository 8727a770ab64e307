/*
 * ngx_gateway_worker.c - a gateway's life in one worker: start after fork,
 * the pump from lanes to sink, the tick, the drain, the end.
 *
 * Life of the drain.  nginx has no hook for "this worker shall quit", but it
 * calls the read handler of every idle connection with c->close set; the
 * connection of our eventfd is marked idle for that.  From then on a timer
 * that is not cancelable holds the process as long as messages wait, up to
 * drain_timeout; the sink works on.  exit_process says in one line what came
 * of it.  On TERM there is no drain: exit_process has one second.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "ngx_gateway_dedup.h"


#define NGX_GATEWAY_TERM_TIMEOUT  1000   /* ms; the master kills at 1,550 */
#define NGX_GATEWAY_STOP_TIMEOUT  300    /* ms, for the sink to let go */
#define NGX_GATEWAY_EXPIRE_MAX    4096   /* messages a tick */


static ngx_int_t ngx_gateway_worker_start(ngx_cycle_t *cycle,
    ngx_gateway_t *gateway, gw_json_t *json, ngx_uint_t generation);
static gw_json_t *ngx_gateway_json_init(ngx_cycle_t *cycle,
    ngx_gateway_main_conf_t *gmcf);
static ngx_int_t ngx_gateway_notify_init(ngx_gateway_worker_t *w);
static void ngx_gateway_notify_handler(ngx_event_t *rev);
static void ngx_gateway_pump_handler(ngx_event_t *ev);
static void ngx_gateway_answer_handler(ngx_event_t *ev);
static void ngx_gateway_tick_handler(ngx_event_t *ev);
static void ngx_gateway_drain_start(ngx_gateway_worker_t *w);
static void ngx_gateway_drain_handler(ngx_event_t *ev);
static void ngx_gateway_drain_end(ngx_gateway_worker_t *w);
static ngx_uint_t ngx_gateway_worker_drain(ngx_gateway_worker_t *w);
static void ngx_gateway_worker_exit(ngx_gateway_worker_t *w);
static void ngx_gateway_report_end(ngx_gateway_worker_t *w);
static void ngx_gateway_seed_random(void);


static uint64_t  ngx_gateway_random_state[4];


ngx_int_t
ngx_gateway_init_process(ngx_cycle_t *cycle)
{
    gw_json_t                *json;
    ngx_uint_t                i;
    ngx_gateway_t           **gateways;
    ngx_gateway_main_conf_t  *gmcf;

    /* not in the cache manager and loader */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    gmcf = ngx_gateway_main_conf(cycle);
    gateways = gmcf->gateways.elts;

    ngx_gateway_seed_random();

    if (gmcf->gateways.nelts == 0) {
        return NGX_OK;
    }

    json = ngx_gateway_json_init(cycle, gmcf);
    if (json == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        if (ngx_gateway_worker_start(cycle, gateways[i], json,
                                     gmcf->generation)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_gateway_auth_start(cycle, gmcf);
}


static ngx_int_t
ngx_gateway_worker_start(ngx_cycle_t *cycle, ngx_gateway_t *gateway,
    gw_json_t *json, ngx_uint_t generation)
{
    void                  *mem;
    ngx_uint_t             i;
    gw_lanes_conf_t        conf;
    ngx_gateway_class_t   *class;
    ngx_gateway_worker_t  *w;

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_gateway_worker_t));
    if (w == NULL) {
        return NGX_ERROR;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     w->draining = 0;
     *     w->ended = 0;
     *     w->connections[] = 0;
     *     w->drained[] = { 0, 0 };
     */

    w->gateway = gateway;
    w->cycle = cycle;
    w->log = cycle->log;
    w->sink = &ngx_gateway_kafka_sink;
    w->json = json;
    w->eventfd = -1;

    ngx_queue_init(&w->done);

    ngx_memzero(&conf, sizeof(gw_lanes_conf_t));

    class = gateway->classes.elts;

    conf.bound = gateway->buffer;
    conf.nclasses = gateway->classes.nelts;
    conf.high = gateway->high;
    conf.low = gateway->low;
    conf.floor = gateway->floor;

    for (i = 0; i < gateway->classes.nelts; i++) {
        conf.class_conf[i].share = (uint64_t) gateway->buffer * class[i].share
                                   / 100;
        conf.class_conf[i].max_age = class[i].max_age;
        conf.class_conf[i].overflow = class[i].overflow;
    }

    mem = ngx_pmemalign(cycle->pool, gw_lanes_size(&conf), 64);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    w->lanes = gw_lanes_init(mem, &conf, ngx_gateway_evict, w);
    if (w->lanes == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "gateway \"%V\": buffer %uz is too small",
                      &gateway->name, gateway->buffer);
        return NGX_ERROR;
    }

    w->pump.handler = ngx_gateway_pump_handler;
    w->pump.data = w;
    w->pump.log = cycle->log;

    w->answer.handler = ngx_gateway_answer_handler;
    w->answer.data = w;
    w->answer.log = cycle->log;

    w->tick.handler = ngx_gateway_tick_handler;
    w->tick.data = w;
    w->tick.log = cycle->log;
    w->tick.cancelable = 1;

    w->drain.handler = ngx_gateway_drain_handler;
    w->drain.data = w;
    w->drain.log = cycle->log;

    w->slot = ngx_gateway_zone_claim(gateway, cycle, generation);

    ngx_gateway_sessions_start(w);

    if (ngx_gateway_notify_init(w) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_gateway_dedup_start(w) != NGX_OK) {
        return NGX_ERROR;
    }

    gateway->worker = w;

    if (w->sink->start(w) != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "gateway \"%V\" has no producer, messages wait in "
                      "memory until there is one", &gateway->name);
    }

    w->tick_due = ngx_current_msec + NGX_GATEWAY_TICK;
    ngx_add_timer(&w->tick, NGX_GATEWAY_TICK);

    ngx_gateway_gauges(w);

    return NGX_OK;
}


/*
 * One scanner a worker: messages are parsed one at a time and nothing points
 * into its tape between two of them.
 */

static gw_json_t *
ngx_gateway_json_init(ngx_cycle_t *cycle, ngx_gateway_main_conf_t *gmcf)
{
    void               *arena;
    size_t              max;
    gw_json_t          *json;
    ngx_uint_t          i;
    ngx_gateway_t     **gateways;
    gw_json_limits_t    limits;

    gateways = gmcf->gateways.elts;
    max = 0;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        max = ngx_max(max, gateways[i]->message_max);
    }

    /* white space may double a document that fits when it is compact */

    limits.max_bytes = (uint32_t) ngx_min(2 * max, 0x7fffffff);
    limits.max_nodes = NGX_GATEWAY_JSON_NODES;
    limits.max_depth = NGX_GATEWAY_JSON_DEPTH;
    limits.max_keys = NGX_GATEWAY_JSON_KEYS;
    limits.max_string = limits.max_bytes;
    limits.max_number = NGX_GATEWAY_JSON_NUMBER;

    json = ngx_palloc(cycle->pool, sizeof(gw_json_t));
    if (json == NULL) {
        return NULL;
    }

    arena = ngx_pmemalign(cycle->pool, gw_json_arena_size(&limits), 64);
    if (arena == NULL) {
        return NULL;
    }

    if (gw_json_init(json, &limits, arena, ngx_gateway_random()) != GW_OK) {
        return NULL;
    }

    return json;
}


static ngx_int_t
ngx_gateway_notify_init(ngx_gateway_worker_t *w)
{
    ngx_connection_t  *c;

    w->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (w->eventfd == -1) {
        ngx_log_error(NGX_LOG_EMERG, w->log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(w->eventfd, w->log);
    if (c == NULL) {
        (void) close(w->eventfd);
        w->eventfd = -1;
        return NGX_ERROR;
    }

    /*
     * The debug log writes the descriptor of an event's connection, and
     * ngx_close_idle_connections() finds this one by "idle": see above.
     */

    c->data = w;
    c->log = w->log;
    c->idle = 1;

    c->read->log = w->log;
    c->read->handler = ngx_gateway_notify_handler;
    c->write->log = w->log;

    w->connection = c;

    if (ngx_add_event(c->read, NGX_READ_EVENT,
                      (ngx_event_flags & NGX_USE_CLEAR_EVENT)
                      ? NGX_CLEAR_EVENT : NGX_LEVEL_EVENT)
        != NGX_OK)
    {
        ngx_close_connection(c);
        w->connection = NULL;
        w->eventfd = -1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_gateway_notify_handler(ngx_event_t *rev)
{
    uint64_t               n;
    ngx_connection_t      *c;
    ngx_gateway_worker_t  *w;

    c = rev->data;
    w = c->data;

    if (c->close) {
        c->close = 0;

        ngx_gateway_drain_start(w);

        if (c->error) {
            /* worker_shutdown_timeout: no more patience */
            ngx_gateway_drain_end(w);
        }

        return;
    }

    /*
     * The sink writes once for each time its queue was found empty, so the
     * count goes first and the queue is then served until it is empty; what
     * a turn leaves is served in the next one.
     */

    while (read(w->eventfd, &n, sizeof(uint64_t)) == -1
           && ngx_errno == NGX_EINTR)
    {
        /* void */
    }

    w->sink->poll(w, 0);
}


/* a message was accepted: while the worker shall quit, it may not yet */

void
ngx_gateway_hold(ngx_gateway_worker_t *w)
{
    ngx_msec_int_t  left;

    if (!w->draining || w->drain.timer_set) {
        return;
    }

    left = (ngx_msec_int_t) (w->drain_start + w->gateway->drain_timeout
                             - ngx_current_msec);

    ngx_add_timer(&w->drain, left > 0 ? (ngx_msec_t) left : 1);
}


void
ngx_gateway_pump(ngx_gateway_worker_t *w)
{
    uint32_t            mask;
    gw_lane_item_t     *item;
    ngx_gateway_msg_t  *msg;

    while (gw_lanes_waiting(w->lanes)) {

        mask = w->sink->mask(w);

        if (mask == 0) {
            break;
        }

        item = gw_lanes_take(w->lanes, mask);
        if (item == NULL) {
            break;
        }

        msg = (ngx_gateway_msg_t *) item;

        if (w->sink->send(w, msg) != NGX_OK) {
            ngx_gateway_return(msg);
        }
    }

    if (w->drain.timer_set && gw_lanes_waiting(w->lanes) == 0
        && gw_lanes_out(w->lanes) == 0)
    {
        ngx_del_timer(&w->drain);
    }
}


static void
ngx_gateway_pump_handler(ngx_event_t *ev)
{
    ngx_gateway_pump(ev->data);
}


static void
ngx_gateway_answer_handler(ngx_event_t *ev)
{
    ngx_gateway_waiter_run(ev->data);
}


static void
ngx_gateway_tick_handler(ngx_event_t *ev)
{
    ngx_msec_int_t         lag;
    ngx_uint_t             pressure;
    ngx_gateway_worker_t  *w;

    w = ev->data;

    lag = (ngx_msec_int_t) (ngx_current_msec - w->tick_due);

    if (w->slot) {
        gw_stats_begin(w->slot);
        w->slot->loop_lag_us = lag > 0 ? (uint64_t) lag * 1000 : 0;

        if (w->slot->loop_lag_us > w->slot->loop_lag_max_us) {
            w->slot->loop_lag_max_us = w->slot->loop_lag_us;
        }

        gw_stats_end(w->slot);
    }

    (void) gw_lanes_expire(w->lanes, ngx_current_msec, NGX_GATEWAY_EXPIRE_MAX);

    w->sink->tick(w);

    ngx_gateway_dedup_tick(w);

    ngx_gateway_pump(w);
    ngx_gateway_gauges(w);

    pressure = gw_lanes_pressure(w->lanes);

    if (pressure != w->pressure) {
        w->pressure = pressure;

        if (pressure) {
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "gateway \"%V\" is above its high mark: %uL of %uz "
                          "bytes, %uD messages wait; the lowest class is "
                          "refused at entry", &w->gateway->name,
                          gw_lanes_charged(w->lanes), w->gateway->buffer,
                          gw_lanes_waiting(w->lanes));
        } else {
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "gateway \"%V\" is below its low mark again",
                          &w->gateway->name);
        }
    }

    w->tick_due = ngx_current_msec + NGX_GATEWAY_TICK;
    ngx_add_timer(&w->tick, NGX_GATEWAY_TICK);
}


void
ngx_gateway_gauges(ngx_gateway_worker_t *w)
{
    uint64_t                oldest;
    ngx_uint_t              i;
    gw_stats_slot_t        *s;
    const gw_lane_usage_t  *usage;

    s = w->slot;

    if (s == NULL) {
        return;
    }

    gw_stats_begin(s);

    for (i = 0; i < w->gateway->classes.nelts; i++) {
        usage = gw_lanes_usage(w->lanes, i);
        oldest = gw_lanes_oldest(w->lanes, i);

        s->queue_messages[i] = usage->waiting;
        s->queue_bytes[i] = usage->waiting_bytes;
        s->queue_oldest_ms[i] = usage->waiting
                                ? ngx_current_msec - (ngx_msec_t) oldest : 0;
        s->inflight[i] = usage->out;
    }

    for (i = 0; i < GW_PROTO_N; i++) {
        s->connections[i] = w->connections[i];
    }

    s->charged = gw_lanes_charged(w->lanes);
    s->capacity = gw_lanes_bound(w->lanes);
    s->pressure = gw_lanes_pressure(w->lanes);
    s->draining = w->draining;

    ngx_gateway_auth_gauges(w);
    ngx_gateway_dedup_gauges(w);

    gw_stats_end(s);
}


static void
ngx_gateway_drain_start(ngx_gateway_worker_t *w)
{
    if (w->draining) {
        return;
    }

    w->draining = 1;
    w->drain_start = ngx_current_msec;

    ngx_memzero(w->drained, sizeof(w->drained));

    if (gw_lanes_waiting(w->lanes) || gw_lanes_out(w->lanes)) {
        ngx_gateway_hold(w);
        ngx_gateway_pump(w);
    }

    ngx_gateway_gauges(w);
}


static void
ngx_gateway_drain_handler(ngx_event_t *ev)
{
    ngx_gateway_worker_t  *w;

    w = ev->data;

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "gateway \"%V\" gives up draining after %M ms: %uD messages "
                  "wait, %uD are out", &w->gateway->name,
                  ngx_current_msec - w->drain_start,
                  gw_lanes_waiting(w->lanes), gw_lanes_out(w->lanes));

    ngx_gateway_drain_end(w);
}


/* what is left is lost, and its senders are told so */

static void
ngx_gateway_drain_end(ngx_gateway_worker_t *w)
{
    gw_lane_item_t        *item;
    ngx_gateway_result_t   result;

    if (w->ended) {
        return;
    }

    w->ended = 1;

    if (w->drain.timer_set) {
        ngx_del_timer(&w->drain);
    }

    w->sink->stop(w, NGX_GATEWAY_STOP_TIMEOUT);

    result.reason = GW_R_LOST;
    result.outcome = gw_reason(GW_R_LOST)->outcome;
    result.detail = NULL;

    while ((item = gw_lanes_take(w->lanes, (uint32_t) -1)) != NULL) {
        ngx_gateway_end((ngx_gateway_msg_t *) item, &result);
    }

    ngx_gateway_dedup_stop(w);
}


void
ngx_gateway_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i, left;
    ngx_msec_t                deadline, timeout;
    ngx_gateway_t           **gateways;
    ngx_gateway_main_conf_t  *gmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    gmcf = ngx_gateway_main_conf(cycle);
    gateways = gmcf->gateways.elts;

    ngx_time_update();

    /* without a master there was no drain: QUIT drains here */

    timeout = NGX_GATEWAY_TERM_TIMEOUT;

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        if (ngx_process == NGX_PROCESS_SINGLE && ngx_quit && !ngx_terminate) {
            timeout = ngx_max(timeout, gateways[i]->drain_timeout);
        }
    }

    deadline = ngx_current_msec + timeout;

    /* all at once: one whose Kafka hangs takes no time from the others */

    do {
        left = 0;

        for (i = 0; i < gmcf->gateways.nelts; i++) {
            if (gateways[i]->worker) {
                left |= ngx_gateway_worker_drain(gateways[i]->worker);
            }
        }

        if (left) {
            ngx_msleep(1);
        }

        ngx_time_update();

    } while (left && (ngx_msec_int_t) (deadline - ngx_current_msec) > 0);

    for (i = 0; i < gmcf->gateways.nelts; i++) {
        if (gateways[i]->worker) {
            ngx_gateway_worker_exit(gateways[i]->worker);
            gateways[i]->worker = NULL;
        }
    }

    ngx_gateway_auth_stop(gmcf);
    ngx_gateway_waiter_free_all();
    ngx_gateway_memory_free_all();
}


/* one step, without the event loop; 1: something waits */

static ngx_uint_t
ngx_gateway_worker_drain(ngx_gateway_worker_t *w)
{
    ngx_gateway_drain_start(w);

    if (w->ended) {
        return 0;
    }

    ngx_gateway_pump(w);
    w->sink->poll(w, 0);
    w->sink->tick(w);
    ngx_gateway_waiter_run(w);

    return gw_lanes_waiting(w->lanes) || gw_lanes_out(w->lanes);
}


static void
ngx_gateway_worker_exit(ngx_gateway_worker_t *w)
{
    ngx_gateway_drain_end(w);
    ngx_gateway_waiter_run(w);

    ngx_gateway_report_end(w);

    ngx_gateway_zone_leave(w->gateway, w->slot);
    w->slot = NULL;

    if (w->tick.timer_set) {
        ngx_del_timer(&w->tick);
    }

    if (w->pump.posted) {
        ngx_delete_posted_event(&w->pump);
    }

    if (w->answer.posted) {
        ngx_delete_posted_event(&w->answer);
    }

    if (w->connection) {
        ngx_close_connection(w->connection);
        w->connection = NULL;
    }
}


static void
ngx_gateway_report_end(ngx_gateway_worker_t *w)
{
    u_char      *p, *last, buf[NGX_MAX_ERROR_STR / 2];
    uint64_t     delivered, lost;
    ngx_uint_t   i, level;

    delivered = 0;
    lost = 0;

    /* what never came back from the sink has no end of its own */

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < w->gateway->classes.nelts; i++) {
        w->drained[i].lost += gw_lanes_usage(w->lanes, i)->out;

        delivered += w->drained[i].delivered;
        lost += w->drained[i].lost;

        p = ngx_slprintf(p, last, "%s%V delivered=%uL lost=%uL",
                         i ? ", " : "",
                         ngx_gateway_class_name(w->gateway, i),
                         w->drained[i].delivered, w->drained[i].lost);
    }

    level = lost ? NGX_LOG_ERR : NGX_LOG_NOTICE;

    ngx_log_error(level, w->log, 0,
                  "gateway \"%V\" drained in %M ms: delivered=%uL spooled=0 "
                  "lost=%uL (%*s)", &w->gateway->name,
                  ngx_current_msec - w->drain_start, delivered, lost,
                  (size_t) (p - buf), buf);
}


/*
 * xoshiro256** 1.0 by Blackman and Vigna (public domain algorithm): trace ids
 * and jitter, nothing that must not be guessed.
 */

uint64_t
ngx_gateway_random(void)
{
    uint64_t  *s, r, t;

    s = ngx_gateway_random_state;

    r = s[1] * 5;
    r = ((r << 7) | (r >> 57)) * 9;

    t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);

    return r;
}


static void
ngx_gateway_seed_random(void)
{
    uint64_t  *s;

    s = ngx_gateway_random_state;

    if (getrandom(s, sizeof(ngx_gateway_random_state), GRND_NONBLOCK)
        != sizeof(ngx_gateway_random_state))
    {
        s[0] = (uint64_t) ngx_pid << 32 | (uint64_t) ngx_random();
        s[1] = (uint64_t) ngx_time() << 20 ^ ngx_current_msec;
        s[2] = (uint64_t) ngx_random() << 32 | (uint64_t) ngx_random();
        s[3] = (uint64_t) (uintptr_t) s;
    }

    s[0] |= 1;      /* the state must not be all zero */
}


ngx_uint_t
ngx_gateway_retry_after(void)
{
    return 1 + ngx_gateway_random() % 5;
}
