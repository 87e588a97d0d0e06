/* engine.c: opening an engine, and reserving. What is due in time is engine_turn.c, what
 * follows from an attempt engine_finish.c. */
#include "worker/engine_inside.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/data.h"
#include "worker/payload.h"

enum { LEASE_MS = 30000, SLEEP_MS = 1000 };

int64_t er_engine_now(void)
{
    return er_clock_mono_ms(NULL);
}

double er_engine_random(errand_engine *g)
{
    return er_backoff_random(&g->random);
}

/* ------------------------------------------------------------------ open, close */

static int64_t seconds_or(double seconds, int64_t standard_ms)
{
    return seconds > 0 && seconds < 86400 ? (int64_t)(seconds * 1000 + 0.5) : standard_ms;
}

static int names_keep(errand_engine *g, const struct errand_engine_options *o)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    g->name = o->name && *o->name
                  ? errand_arena_copy(g->own, o->name, strlen(o->name))
                  : er_arena_printf(g->own, "%s-%ld-%04x", host, (long)getpid(),
                                    (unsigned)(er_engine_random(g) * 65536));
    while (o->queues && o->queues[g->queues_n])
        g->queues_n++;
    g->queues = errand_arena_alloc(g->own, (g->queues_n + 1) * sizeof *g->queues);
    if (!g->name || !g->queues)
        return -1;
    for (size_t i = 0; i < g->queues_n; i++)
        if (!(g->queues[i] =
                  errand_arena_copy(g->own, o->queues[i], strlen(o->queues[i]))))
            return -1;
    return 0;
}

errand_engine *errand_engine_open(const char *url, const struct errand_config *config,
                                  const struct errand_engine_options *options,
                                  struct errand_error *err)
{
    static const struct errand_engine_options none;
    const struct errand_engine_options *o = options ? options : &none;
    errand_engine *g = calloc(1, sizeof *g);

    if (g) {
        g->random = (uint64_t)er_clock_wall_ms(NULL) ^ (uint64_t)(uintptr_t)g;
        g->lease_ms = seconds_or(o->lease, LEASE_MS);
        g->sleep_ms = seconds_or(o->sleep, SLEEP_MS);
        g->own = er_arena_new();
        g->call = er_arena_new();
        g->stats.names = er_arena_new();
    }
    if (!g || !g->own || !g->call || !g->stats.names || names_keep(g, o) < 0) {
        er_error_nomem(err);
        errand_engine_close(g);
        return NULL;
    }
    g->e = o->project && !url ? errand_open_project(o->project, err)
                              : errand_open(url, config, err);
    if (!g->e) {
        errand_engine_close(g);
        return NULL;
    }
    g->store = er_client_store(g->e);
    g->fd = er_store_wait_fd(g->store, NULL);
    return g;
}

int errand_engine_fd(errand_engine *g)
{
    return g->fd;
}

/* ------------------------------------------------------------------ what is held */

static void drop(errand_engine *g, struct er_held *h)
{
    struct er_held **at = &g->held;
    struct er_lot_held **lot = &g->lots;

    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    g->held_n--;
    if (--h->lot->open_n > 0)
        return;
    while (*lot != h->lot)
        lot = &(*lot)->next;
    *lot = h->lot->next;
    er_arena_free(h->lot->arena); /* h is in it */
}

struct errand_outcome er_engine_outcome(const errand_engine *g, const struct er_held *h)
{
    return (struct errand_outcome){.token = h->reserved->token,
                                   .key = h->reserved->key,
                                   .id = h->reserved->id,
                                   .started_ms = h->started_ms,
                                   .ended_ms = er_store_wall_ms(g->store),
                                   .name = h->reserved->name,
                                   .queue = h->reserved->queue,
                                   .attempt = h->reserved->attempt};
}

int er_engine_settle(errand_engine *g, struct er_held *h, const struct errand_outcome *o,
                     struct errand_error *err)
{
    struct errand_exchange_params p = {.outcomes = o, .outcomes_n = 1};
    struct errand_exchange_result got = {0};
    struct errand_error own = {0};
    int rc;

    er_arena_reset(g->call);
    rc = er_store_exchange(g->store, &p, g->call, &got, &own);
    if (rc < 0 && err)
        *err = own;
    if (rc == 0) {
        rc = got.settled[0] == ERRAND_LOST;
        if (rc == 0)
            er_engine_count(g, h, o);
        g->is_control_due = g->is_control_due || got.control != g->control;
        g->control = got.control;
    }
    if (rc >= 0 || !own.retryable)
        drop(g, h);
    g->look_at_ms = 0; /* it may have let others go */
    return rc;
}

int errand_engine_hand_back(errand_engine *g, struct errand_engine_job *job,
                            struct errand_error *err)
{
    struct er_held *h = (struct er_held *)job;
    struct errand_outcome o = er_engine_outcome(g, h);

    if (job->is_failed_hook) {
        drop(g, h);
        return 0;
    }
    o.kind = ERRAND_OUT_HAND_BACK;
    return er_engine_settle(g, h, &o, err);
}

void errand_engine_close(errand_engine *g)
{
    struct errand_beat_params bye = {.bye = true};
    struct errand_beat_result got;

    if (!g)
        return;
    while (g->held) {
        struct er_held *h = g->held;

        if (errand_engine_hand_back(g, &h->job, NULL) < 0 && g->held == h)
            drop(g, h);
    }
    if (g->e) {
        er_engine_count_flush(g);
        bye.worker = g->name;
        er_store_beat(g->store, &bye, g->call, &got, NULL);
    }
    errand_close(g->e);
    free(g->given);
    er_arena_free(g->stats.names);
    er_arena_free(g->call);
    er_arena_free(g->own);
    free(g);
}

/* ------------------------------------------------------------------ reserve */

static int held_fill(errand_engine *g, struct er_held *h, struct errand_error *err)
{
    const struct errand_reserved *r = h->reserved;
    const struct er_options *definition = NULL;
    struct errand_slice data = r->data;
    char *copy;
    int rc;

    if ((rc = er_client_resolve_stored(g->e, r, h->lot->arena, &h->options, err)) < 0)
        return rc;
    if (h->options.has & ER_OPT_DATA &&
        (rc = er_data_prepare(&h->options, h->lot->arena, err)) < 0)
        return rc;
    if (r->kind == ERRAND_WORK_JOB &&
        ((rc = er_client_definition(g->e, r->name, &definition, err)) < 0 ||
         (rc = er_payload_open(g->e, r, definition, h->lot->arena, &data, err)) < 0 ||
         (rc = er_payload_check(r->name, data, &h->options, err)) < 0))
        return rc;
    if (!(copy = errand_arena_copy(h->lot->arena, data.ptr, data.len)))
        return er_error_nomem(err);
    h->job = (struct errand_engine_job){
        .id = r->id,
        .name = r->name,
        .queue = r->queue,
        .data = {copy, data.len},
        .error = r->error,
        .attempt = r->attempt,
        .tries = r->tries,
        .timeout_ms = h->options.timeout_ms,
        .is_failed_hook = r->kind == ERRAND_WORK_FAILED_HOOK,
    };
    return 0;
}

/* A job that this host cannot even hand out: what no retry changes fails for good. */
static void refuse(errand_engine *g, struct er_held *h, int code,
                   const struct errand_error *why)
{
    struct errand_outcome o = er_engine_outcome(g, h);

    o.cause = ERRAND_CAUSE_START;
    o.error = (struct errand_slice){why->message, strlen(why->message)};
    if (h->reserved->kind == ERRAND_WORK_FAILED_HOOK) {
        o.kind = ERRAND_OUT_HOOK_DONE;
    } else if (code == ERRAND_ENOMEM || code == ERRAND_ENOTFOUND) {
        o.kind = ERRAND_OUT_SNOOZE; /* memory and keys may come */
        o.run_at_ms = o.ended_ms + 10000;
    } else {
        o.kind = ERRAND_OUT_FAIL;
        o.hook_due = true;
    }
    if (er_engine_settle(g, h, &o, NULL) < 0 && g->held == h)
        drop(g, h);
}

static struct er_held *hold(errand_engine *g, struct er_lot_held *lot,
                            const struct errand_reserved *reserved)
{
    struct er_held *h = errand_arena_alloc(lot->arena, sizeof *h);

    if (!h)
        return NULL;
    *h = (struct er_held){.next = g->held,
                          .lot = lot,
                          .reserved = reserved,
                          .started_ms = er_store_wall_ms(g->store),
                          .started_mono_ms = er_engine_now(),
                          .percent = -1};
    g->held = h;
    g->held_n++;
    lot->open_n++;
    return h;
}

static int given_room(errand_engine *g, size_t max, struct errand_error *err)
{
    struct errand_engine_job **more;

    if (max <= g->given_size)
        return 0;
    if (!(more = realloc(g->given, max * sizeof *more)))
        return er_error_nomem(err);
    g->given = more;
    g->given_size = max;
    return 0;
}

/* Without memory for one of them its lease runs out, and it is READY again. */
static size_t lot_give(errand_engine *g, struct er_lot_held *lot,
                       const struct errand_exchange_result *got)
{
    size_t n = 0;

    lot->next = g->lots;
    g->lots = lot;
    lot->open_n = 1; /* ours, while refused ones go */
    for (size_t i = 0; i < got->jobs_n; i++) {
        struct er_held *h = hold(g, lot, &got->jobs[i]);
        struct errand_error why = {0};
        int rc;

        if (!h)
            break;
        if ((rc = held_fill(g, h, &why)) < 0)
            refuse(g, h, rc, &why);
        else
            g->given[n++] = &h->job;
    }
    if (--lot->open_n == 0) {
        g->lots = lot->next;
        er_arena_free(lot->arena);
    }
    return n;
}

static void look_plan(errand_engine *g, size_t max,
                      const struct errand_exchange_result *got)
{
    int64_t next_ms, now = er_engine_now();

    g->look_at_ms = got->jobs_n == max ? 0 : now + g->sleep_ms;
    if (!got->next_at_ms || got->jobs_n == max)
        return;
    next_ms = now + got->next_at_ms - er_store_wall_ms(g->store);
    if (next_ms < g->look_at_ms)
        g->look_at_ms = next_ms;
}

int errand_engine_reserve(errand_engine *g, size_t max,
                          struct errand_engine_job ***ret_jobs, size_t *ret_n,
                          struct errand_error *err)
{
    struct errand_exchange_params p = {.queues = g->queues,
                                       .queues_n = g->queues_n,
                                       .max = max,
                                       .lease_ms = g->lease_ms,
                                       .worker = g->name};
    struct errand_exchange_result got = {0};
    struct errand_arena *arena = NULL;
    struct er_lot_held *lot = NULL;
    int rc;

    *ret_n = 0;
    *ret_jobs = g->given;
    if (max == 0)
        return 0;
    if ((rc = given_room(g, max, err)) < 0)
        return rc;
    *ret_jobs = g->given;
    if (!(arena = er_arena_new()) || !(lot = errand_arena_alloc(arena, sizeof *lot))) {
        rc = er_error_nomem(err);
        goto out;
    }
    /* Armed first: what comes after the look wakes the host. */
    if ((g->fd >= 0 &&
         (rc = er_store_wait_arm(g->store, ERRAND_WAIT_READY | ERRAND_WAIT_CONTROL,
                                 err)) < 0) ||
        (rc = er_store_exchange(g->store, &p, arena, &got, err)) < 0)
        goto out;
    look_plan(g, max, &got);
    g->is_control_due = g->is_control_due || got.control != g->control;
    g->control = got.control;
    g->is_followed = (got.hints & ERRAND_HINT_EVENTS) != 0;
    if (got.jobs_n) {
        if (!g->held)
            g->extend_at_ms = er_engine_now() + g->lease_ms / 3;
        *lot = (struct er_lot_held){.arena = arena, .token = got.token};
        *ret_n = lot_give(g, lot, &got);
        arena = NULL; /* the lot's */
        er_engine_tell_started(g, g->given, *ret_n);
    }
out:
    er_arena_free(arena);
    return rc;
}
