/* supervisor.c: the loop, the turn, and how it ends.
 *
 * Callbacks of the loop note what happened. The turn runs once a round, before the loop
 * sleeps: it looks at the clock for everything at once, talks to the store, hands out
 * work, and says when it wants to be woken at the latest. */
#include "worker/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "client/client.h"
#include "client/seal_job.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "worker/embed.h"
#include "worker/exec_job.h"
#include "worker/reload.h"
#include "worker/runner.h"

enum {
    /* after the grace: the store may not answer, we end all the same */
    GIVE_UP_MS = 1500,
    NOW_MS = 800,  /* the same after a second TERM */
    EXIT_MS = 400, /* that runners get to end by themselves */
    SWEEPS_MOST = 100,
    BUSY_MS = 500,      /* a call that waits longer would make us deaf to signals */
    TRAIL_MOST = 16384, /* jobs: 1.6 MB */
};

void er_supervisor_now(struct er_supervisor *s)
{
    s->now_ms = er_clock_mono_ms(NULL);
    s->wall_ms = er_store_wall_ms(s->store);
}

void er_supervisor_wake_at(struct er_supervisor *s, int64_t at_ms)
{
    if (at_ms < s->wake_at_ms)
        s->wake_at_ms = at_ms;
}

/* ------------------------------------------------------------------ stopping */

void er_supervisor_stop(struct er_supervisor *s, const char *why)
{
    if (s->mode != ER_WORKING)
        return;
    er_supervisor_now(s);
    s->mode = ER_STOPPING;
    s->stop_at_ms = s->now_ms + s->grace_ms;
    s->give_up_at_ms = s->stop_at_ms + GIVE_UP_MS;
    er_report_flush(s);
    er_report_note(s, "stopping: %s", why);
    er_slots_hand_back(s);
}

void er_supervisor_stop_now(struct er_supervisor *s)
{
    if (s->mode != ER_STOPPING || s->is_stopped_now)
        return;
    er_supervisor_now(s);
    er_report_note(s, "stopping now");
    s->is_stopped_now = true;
    s->stop_at_ms = s->now_ms;
    s->give_up_at_ms = s->now_ms + NOW_MS;
    er_slots_stop_all(s, ER_STOP_SHUTDOWN);
    er_slots_kill_all(s);
    s->settle.failures = 0; /* whatever was before: it is asked once more */
    s->settle.retry_at_ms = 0;
}

static void leave(struct er_supervisor *s)
{
    if (s->lots.open_n)
        er_report_warn(s,
                       "%zu jobs could not be handed back: they are READY again when "
                       "their lease is over",
                       s->lots.open_n);
    s->mode = ER_LEAVING;
    s->kill_at_ms = s->now_ms + (s->is_stopped_now || s->lots.open_n ? 0 : EXIT_MS);
    er_slots_retire_all(s);
    er_supervisor_wake_at(s, s->now_ms);
    er_report_flush(s);
    if (s->settle.failures)
        return; /* it does not answer: no more waiting for it */
    er_stats_flush(s);
    er_leases_bye(s);
}

static void stopping_turn(struct er_supervisor *s)
{
    er_slots_hand_back(s);
    if (s->now_ms >= s->stop_at_ms && !s->is_grace_over) {
        s->is_grace_over = true;
        er_slots_stop_all(s, ER_STOP_SHUTDOWN);
    }
    /* A call to a store that is locked takes half a second: after a second TERM there is
     * time for one. */
    if (!s->lots.open_n || s->now_ms >= s->give_up_at_ms ||
        (s->is_stopped_now && s->lots.open_n == s->settle.n && s->settle.failures))
        leave(s);
    er_supervisor_wake_at(s, s->is_grace_over ? s->give_up_at_ms : s->stop_at_ms);
}

static void handles_close(struct er_supervisor *s)
{
    if (s->is_closing)
        return;
    s->is_closing = true;
    er_signals_stop(s);
    er_embed_unwatch(s);
    uv_close((uv_handle_t *)&s->turn, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
    if (s->has_wake)
        uv_close((uv_handle_t *)&s->wake, NULL);
    er_reload_unwatch(s);
}

static void leaving_turn(struct er_supervisor *s)
{
    if (s->now_ms >= s->kill_at_ms) {
        er_slots_kill_all(s);
        s->kill_at_ms = s->now_ms + EXIT_MS;
    }
    er_supervisor_wake_at(s, s->kill_at_ms);
    if (!er_slots_are_gone(s))
        return;
    if (!s->host && er_leases_sweep(s) && s->sweeps_n++ < SWEEPS_MOST)
        er_supervisor_wake_at(s, s->now_ms + 2); /* until the last of them is buried */
    else
        handles_close(s);
}

/* Delayed jobs do not count, nor what waits in a paused queue. */
static bool is_queue_empty(struct er_supervisor *s, const struct errand_queue_info *q)
{
    const char *const *name = s->options.queues;

    while (name && *name && strcmp(*name, q->name) != 0)
        name++;
    if (name && !*name)
        return true;
    return !q->counts[ERRAND_READY] || q->paused_until_ms > s->wall_ms;
}

static bool is_store_empty(struct er_supervisor *s)
{
    struct errand_arena *arena = er_lots_arena(&s->lots);
    struct errand_queues_result got = {0};
    struct errand_error err = {0};
    bool is_empty = true;

    if (!arena)
        return false;
    if (er_store_queues(s->store, 0, arena, &got, &err) < 0) {
        er_settle_store_failed(s, &err);
        is_empty = false;
    }
    for (size_t i = 0; i < got.queues_n && is_empty; i++)
        is_empty = is_queue_empty(s, &got.queues[i]);
    er_lots_arena_back(&s->lots, arena);
    return is_empty;
}

/* Every pool has looked and found nothing since this was asked last. */
static bool were_empty(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->pools_n; i++)
        if (!s->pools[i].was_empty)
            return false;
    for (size_t i = 0; i < s->pools_n; i++)
        s->pools[i].was_empty = false;
    return true;
}

static void working_turn(struct er_supervisor *s)
{

    if (s->options.max_jobs && s->ended_n >= s->options.max_jobs) {
        er_supervisor_stop(s, "as many jobs as asked for");
    } else if (s->end_at_ms && s->now_ms >= s->end_at_ms) {
        er_supervisor_stop(s, "worked as long as asked for");
    } else if (s->options.stop_when_empty && !s->lots.open_n && were_empty(s)) {
        if (is_store_empty(s))
            er_supervisor_stop(s, "no job is ready");
    }
    if (s->end_at_ms)
        er_supervisor_wake_at(s, s->end_at_ms);
    if (s->mode != ER_WORKING)
        er_supervisor_wake_at(s, s->now_ms);
}

/* ------------------------------------------------------------------ the turn */

static void timer_set(struct er_supervisor *s)
{
    int64_t now = er_clock_mono_ms(NULL);

    s->turn_ms = now - s->now_ms;
    if (s->is_closing)
        return;
    uv_update_time(&s->loop);
    uv_timer_start(&s->timer, s->on_timer,
                   s->wake_at_ms > now ? (uint64_t)(s->wake_at_ms - now) : 0, 0);
}

/* How late this turn is: the loop slept too long, or the turn before took too long. */
static void clock_read(struct er_supervisor *s)
{
    er_supervisor_now(s);
    s->late_ms = s->now_ms > s->wake_at_ms ? s->now_ms - s->wake_at_ms : 0;
    if (s->turn_ms > s->late_ms)
        s->late_ms = s->turn_ms;
    s->wake_at_ms = s->now_ms + 60000;
}

static void on_wake(uv_poll_t *handle, int status, int events)
{
    struct er_supervisor *s = handle->data;

    (void)status;
    (void)events;
    if (s->settle.armed == ERRAND_WAIT_CONTROL)
        s->settle.is_control_due = true;
    else
        er_settle_look(s);
    s->settle.armed = 0;
}

/* The descriptor stays readable until it is armed again. Mostly that is in the same turn,
 * so it is looked at then and not when it wakes us: three calls of epoll less. */
static void wake_listen(struct er_supervisor *s)
{
    bool is_listening = uv_is_active((uv_handle_t *)&s->wake);

    if (!s->has_wake || is_listening == (s->settle.armed != 0))
        return;
    if (is_listening)
        uv_poll_stop(&s->wake);
    else
        uv_poll_start(&s->wake, UV_READABLE, on_wake);
}

static void on_turn(uv_prepare_t *handle)
{
    struct er_supervisor *s = handle->data;

    clock_read(s);
    er_slots_tick(s);
    if (s->mode != ER_LEAVING) {
        er_reload_turn(s);
        if (!s->is_stopped_now) {
            er_leases_turn(s);
            er_retention_turn(s);
        }
        er_slots_assign(s); /* before settling: nobody should wait for the store */
        er_asks_turn(s);
        er_settle_turn(s);
        er_telling_turn(s);
        er_slots_assign(s);
        er_stats_turn(s);
    }
    er_report_turn(s);
    er_embed_turn(s);
    if (s->mode == ER_WORKING)
        working_turn(s);
    if (s->mode == ER_STOPPING)
        stopping_turn(s);
    if (s->mode == ER_LEAVING)
        leaving_turn(s);
    if (s->settle.n && s->mode != ER_LEAVING && er_settle_may_ask(s))
        er_supervisor_wake_at(s, s->settle.oldest_ms + 2);
    if (!s->is_closing)
        wake_listen(s);
    timer_set(s);
}

static void on_timer(uv_timer_t *handle)
{
    (void)handle; /* the turn is what comes of it */
}

/* ------------------------------------------------------------------ begin and end */

static int names_make(struct er_supervisor *s, struct errand_error *err)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    if (s->options.name && *s->options.name)
        s->name = s->options.name;
    else if (!s->host)
        s->name = er_arena_printf(s->arena, "%s-%ld", host, (long)getpid());
    else /* there may be several in one process */
        s->name =
            er_arena_printf(s->arena, "%s-%ld-%04x", host, (long)getpid(),
                            (unsigned)(er_backoff_random(&s->settle.random) * 65536));
    s->envp = er_environ_build(s->options.env_allow, NULL, s->arena);
    if (!s->name || !s->envp)
        return er_error_nomem(err);
    return 0;
}

static int store_watch(struct er_supervisor *s, struct errand_error *err)
{
    struct errand_error own = {0};
    int fd = er_store_wait_fd(s->store, &own), rc;

    if (fd == ERRAND_EUNSUPPORTED)
        return 0; /* then looking every sleep_ms has to do */
    if (fd < 0) {
        *err = own;
        return fd;
    }
    if ((rc = uv_poll_init(&s->loop, &s->wake, fd)) < 0)
        return errand_error_set(err, ERRAND_EIO, "watching the store: %s",
                                uv_strerror(rc));
    s->has_wake = true;
    s->wake.data = s;
    return 0;
}

static int loop_begin(struct er_supervisor *s, struct errand_error *err)
{
    int rc;

    s->turn.data = s->timer.data = s;
    s->on_timer = on_timer;
    uv_prepare_init(&s->loop, &s->turn);
    uv_timer_init(&s->loop, &s->timer);
    er_supervisor_now(s);
    s->started_ms = s->wall_ms;
    s->wake_at_ms = s->now_ms;
    if (s->options.max_time > 0)
        s->end_at_ms = s->now_ms + (int64_t)(s->options.max_time * 1000);
    er_report_init(s);
    er_leases_init(s);
    if (!s->host && (rc = er_signals_start(s, err)) < 0)
        return rc;
    if ((rc = er_embed_watch(s, err)) < 0 || (rc = store_watch(s, err)) < 0)
        return rc;
    er_reload_watch(s);
    if (!s->host)
        er_adopt_begin();
    uv_prepare_start(&s->turn, on_turn);
    uv_timer_start(&s->timer, on_timer, 0, 0);
    return 0;
}

static int supervise(struct er_supervisor *s, struct errand_error *err)
{
    int rc;

    if ((rc = uv_loop_init(&s->loop)) < 0)
        return errand_error_set(err, ERRAND_EIO, "starting the event loop: %s",
                                uv_strerror(rc));
    if ((rc = loop_begin(s, err)) < 0)
        handles_close(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    return rc;
}

static int store_open(const char *url, const struct errand_config *config, errand **ret,
                      struct errand_error *err)
{
    struct errand_config own = {0};

    if (config)
        own = *config;
    if (!own.busy_ms || own.busy_ms > BUSY_MS)
        own.busy_ms = BUSY_MS;
    *ret = errand_open(url, &own, err);
    return *ret ? 0 : err->code;
}

int errand_worker_run(const char *url, const struct errand_config *config,
                      const struct errand_worker_options *options,
                      struct errand_error *err)
{
    struct er_work work = {.url = url, .config = config, .options = options};
    struct errand_error own = {0};
    int was_dumpable = prctl(PR_GET_DUMPABLE), rc;

    err = err ? err : &own;
    if ((rc = er_runner_is_stray(err)) < 0)
        return rc;
    /* Handlers run as the same user, and our memory and environment may hold what they
     * are not given. */
    prctl(PR_SET_DUMPABLE, 0);
    rc = er_supervisor_work(&work, err);
    prctl(PR_SET_DUMPABLE, was_dumpable);
    return rc;
}

/* For all that may be reserved at a time: every place with its window, and one reserve
 * that came when they were full. */
static void trail_begin(struct er_supervisor *s)
{
    size_t jobs_n = ((size_t)s->options.concurrency + 2) * ER_AHEAD_N;

    s->lots.trail = er_trail_new(s->store, jobs_n < TRAIL_MOST ? jobs_n : TRAIL_MOST);
}

int er_supervisor_work(const struct er_work *work, struct errand_error *err)
{
    struct er_supervisor *s = calloc(1, sizeof *s);
    const struct er_key_ring *keys;
    errand *e = NULL;
    int rc;

    if (!s || !(s->arena = er_arena_new())) {
        free(s);
        return er_error_nomem(err);
    }
    s->host = work->host;
    if ((rc = er_options_take(s, work->options, err)) < 0 ||
        (rc = store_open(work->url, work->config, &e, err)) < 0)
        goto out;
    s->client = e;
    if ((rc = er_client_keys(e, &keys, err)) < 0)
        goto out;
    s->store = er_client_store(e);
    er_retention_init(s, work->config);
    s->slots.typical_ms = -1;
    if ((rc = er_telling_init(s, err)) < 0 || (rc = er_settle_init(s, err)) < 0 ||
        (rc = names_make(s, err)) < 0 || (rc = er_stats_init(s, err)) < 0)
        goto out;
    trail_begin(s);
    rc = supervise(s, err);
out:
    er_slots_done(s);
    er_lots_done(&s->lots);
    er_book_release(s->book);
    er_settle_done(s);
    er_stats_done(s);
    errand_close(e);
    er_arena_free(s->arena);
    free(s);
    return rc;
}
