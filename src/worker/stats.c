/* stats.c: rows a minute, queue and name; events when somebody follows. */
#include "worker/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "core/events.h"
#include "core/stat.h"
#include "worker/supervisor.h"

enum { FLUSH_MS = 5000 };

int er_stats_init(struct er_supervisor *s, struct errand_error *err)
{
    struct er_stats *st = &s->stats;

    st->rows = calloc(ER_STATS_ROWS, sizeof *st->rows);
    st->events = calloc(ER_EVENTS_HELD, sizeof *st->events);
    st->arena = er_arena_new();
    st->events_arena = er_arena_new();
    if (!st->rows || !st->events || !st->arena || !st->events_arena)
        return er_error_nomem(err);
    return 0;
}

void er_stats_done(struct er_supervisor *s)
{
    struct er_stats *st = &s->stats;

    free(st->rows);
    free(st->events);
    er_arena_free(st->arena);
    er_arena_free(st->events_arena);
    *st = (struct er_stats){0};
}

/* ------------------------------------------------------------------ rows */

static struct errand_stat *row_find(struct er_supervisor *s, int64_t minute_ms,
                                    const char *queue, const char *name)
{
    struct er_stats *st = &s->stats;
    struct errand_stat *row;

    if (st->last < st->rows_n && er_stat_is(&st->rows[st->last], minute_ms, queue, name))
        return &st->rows[st->last];
    for (size_t i = 0; i < st->rows_n; i++)
        if (er_stat_is(&st->rows[i], minute_ms, queue, name)) {
            st->last = i;
            return &st->rows[i];
        }
    if (st->rows_n == ER_STATS_ROWS)
        er_stats_flush(s);
    if (st->rows_n == ER_STATS_ROWS)
        return NULL; /* the store does not answer */
    if (!st->rows_n)
        st->flush_at_ms = s->now_ms + FLUSH_MS;
    row = &st->rows[st->rows_n];
    *row = (struct errand_stat){
        .minute_ms = minute_ms,
        .queue = errand_arena_copy(st->arena, queue, strlen(queue)),
        .name = errand_arena_copy(st->arena, name, strlen(name)),
    };
    if (!row->queue || !row->name)
        return NULL;
    st->last = st->rows_n++;
    return row;
}

void er_stats_ended(struct er_supervisor *s, const struct er_attempt *a,
                    const struct errand_outcome *o)
{
    struct errand_stat *row;

    if (o->kind <= ERRAND_OUT_FAIL &&
        (row =
             row_find(s, o->ended_ms - o->ended_ms % 60000, a->job->queue, a->job->name)))
        er_stat_count(row, o, a->job->run_at_ms);
}

/* ------------------------------------------------------------------ events
 *
 * What only a worker knows; the store tells the rest with what it changes. */

static void tell(struct er_supervisor *s, const struct er_attempt *a, enum er_told told,
                 int64_t at_ms)
{
    struct er_stats *st = &s->stats;
    struct errand_event *e = &st->events[st->events_n];
    const char *name = a->job->name, *queue = a->job->queue;

    if (st->events_n == ER_EVENTS_HELD)
        return; /* the store does not answer */
    *e = (struct errand_event){
        .at_ms = at_ms,
        .type = er_told_name(told),
        .id = a->job->id,
        .name = errand_arena_copy(st->events_arena, name, strlen(name)),
        .queue = errand_arena_copy(st->events_arena, queue, strlen(queue)),
        .attempt = a->job->attempt,
        .duration_ms = -1,
        .delay_ms = -1};
    st->events_n += e->name && e->queue;
}

void er_stats_started(struct er_supervisor *s, struct er_attempt *a)
{
    if (a->is_told || a->kind != ER_RUN_HANDLE || !(s->settle.hints & ERRAND_HINT_EVENTS))
        return;
    a->is_told = true;
    tell(s, a, ER_TOLD_STARTED, a->started_ms);
}

void er_stats_timed_out(struct er_supervisor *s, const struct er_attempt *a)
{
    if (a->kind == ER_RUN_HANDLE && s->settle.hints & ERRAND_HINT_EVENTS)
        tell(s, a, ER_TOLD_TIMED_OUT, s->wall_ms);
}

int er_stats_tell(struct er_supervisor *s, struct errand_error *err)
{
    struct er_stats *st = &s->stats;
    int rc;

    if (!st->events_n)
        return 0;
    rc = er_store_events_add(s->store, st->events, st->events_n, 0, err);
    if (rc < 0 && err->retryable && rc != ERRAND_EFULL)
        return rc;
    st->events_n = 0;
    er_arena_reset(st->events_arena);
    return 0;
}

/* ------------------------------------------------------------------ to the store */

static void events_flush(struct er_supervisor *s)
{
    struct errand_error err = {0};

    if (er_settle_may_ask(s) && er_stats_tell(s, &err) < 0)
        er_settle_store_failed(s, &err);
}

void er_stats_flush(struct er_supervisor *s)
{
    struct er_stats *st = &s->stats;
    struct errand_error err = {0};
    struct errand_stats_params params = {.add = st->rows, .add_n = st->rows_n};

    events_flush(s);
    if (!st->rows_n || !er_settle_may_ask(s))
        return;
    if (er_store_stats_add(s->store, &params, &err) < 0) {
        er_settle_store_failed(s, &err);
        st->flush_at_ms = s->now_ms + FLUSH_MS;
        return;
    }
    st->rows_n = st->last = 0;
    er_arena_reset(st->arena);
}

void er_stats_turn(struct er_supervisor *s)
{
    struct er_stats *st = &s->stats;

    if (st->events_n)
        events_flush(s); /* whoever follows wants to see it now */
    if (!st->rows_n)
        return;
    if (s->now_ms >= st->flush_at_ms)
        er_stats_flush(s);
    else
        er_supervisor_wake_at(s, st->flush_at_ms);
}
