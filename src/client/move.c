/* move.c: the order of a move: nobody works, nothing runs, load, check, take out. */
#include "client/move.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/move_inside.h"
#include "core/clock.h"

enum { REAP = 1000 };

/* ------------------------------------------------------------------ nobody works */

static int queues_read(struct er_moving *m, struct errand_error *err)
{
    struct errand_queues_result got;
    int rc;

    er_arena_reset(m->queue_arena);
    if ((rc = er_store_queues(m->from, m->move->now_ms, m->queue_arena, &got, err)) < 0)
        return rc;
    m->queues = got.queues;
    m->queues_n = got.queues_n;
    m->total = 0;
    for (size_t i = 0; i < got.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            m->total += got.queues[i].counts[s];
    return 0;
}

/* What a dead worker had goes back into its queue, and is a failure where it was the last
 * try: told as the next worker would have told it. */
static int reap(struct er_moving *m, struct errand_error *err)
{
    struct errand_reap_params p = {.now_ms = m->move->now_ms, .max = REAP};
    struct errand_reap_result got = {0};
    int rc;

    do {
        er_arena_reset(m->list);
        if ((rc = er_store_reap(m->from, &p, m->list, &got, err)) < 0)
            return rc;
    } while (got.more);
    return 0;
}

static int worker_check(const struct er_moving *m, const struct errand_worker_info *w,
                        struct errand_error *err)
{
    if (w->running_n)
        return errand_error_set(err, ERRAND_EBUSY,
                                "worker '%s' of %s runs %zu jobs: stop it first; those "
                                "of a worker that died are free when its lease is over",
                                w->worker, er_store_url(m->from), w->running_n);
    if (w->is_alive && !m->move->is_forced)
        return errand_error_set(err, ERRAND_EBUSY,
                                "worker '%s' of %s is alive: stop it first, or --force "
                                "if it may stay without work",
                                w->worker, er_store_url(m->from));
    return 0;
}

/* After the pause: nobody can begin any more. */
static int quiet_check(struct er_moving *m, struct errand_error *err)
{
    struct errand_workers_result got;
    int rc;

    if ((rc = reap(m, err)) < 0 || (rc = queues_read(m, err)) < 0)
        return rc;
    er_arena_reset(m->list);
    if ((rc = er_store_workers(m->from, m->move->now_ms, m->list, &got, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.workers_n; i++)
        rc = worker_check(m, &got.workers[i], err);
    for (size_t i = 0; rc == 0 && i < m->queues_n; i++)
        if (m->queues[i].counts[ERRAND_RUNNING])
            rc = errand_error_set(err, ERRAND_EBUSY,
                                  "%lld jobs of queue '%s' in %s run: wait for them",
                                  (long long)m->queues[i].counts[ERRAND_RUNNING],
                                  m->queues[i].name, er_store_url(m->from));
    return rc;
}

/* ------------------------------------------------------------------ nothing runs */

static int64_t pause_of(const char *queue, const struct errand_queues_result *there)
{
    for (size_t i = 0; i < there->queues_n; i++)
        if (strcmp(there->queues[i].name, queue) == 0)
            return there->queues[i].paused_until_ms;
    return 0;
}

/* The queues of the source stand still in this store; a pause of the operator's stays. */
static int hold(struct er_moving *m, struct er_store *store, struct errand_error *err)
{
    int64_t now_ms = m->move->now_ms ? m->move->now_ms : er_clock_wall_ms(NULL);
    struct errand_queues_result there;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_queues(store, m->move->now_ms, m->list, &there, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < m->queues_n; i++)
        if (pause_of(m->queues[i].name, &there) <= now_ms)
            rc = er_store_queue_pause(store, m->queues[i].name, ER_MOVE_PAUSE_MS,
                                      m->move->now_ms, err);
    return rc;
}

/* In the target they go on, or are paused as they were in the source. */
static int let_go(struct er_moving *m, struct er_store *store, struct errand_error *err)
{
    struct errand_queues_result there;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_queues(store, m->move->now_ms, m->list, &there, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < m->queues_n; i++) {
        int64_t paused_ms = m->queues[i].paused_until_ms;
        if (pause_of(m->queues[i].name, &there) != ER_MOVE_PAUSE_MS)
            continue;
        if (paused_ms == ER_MOVE_PAUSE_MS)
            paused_ms = 0;
        rc = er_store_queue_pause(store, m->queues[i].name, paused_ms, m->move->now_ms,
                                  err);
    }
    return rc;
}

static void pass_begin(struct er_moving *m, enum er_move_pass pass)
{
    m->pass = pass;
    m->done = 0;
}

/* A target that is empty cannot disagree. */
static int is_target_empty(struct er_moving *m, bool *ret, struct errand_error *err)
{
    struct errand_queues_result there;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_queues(m->to, m->move->now_ms, m->list, &there, err)) < 0)
        return rc;
    *ret = true;
    for (size_t i = 0; i < there.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            *ret = *ret && !there.queues[i].counts[s];
    return 0;
}

/* All that a move can be refused for, before it has paused or changed anything. */
static int refuse(struct er_moving *m, struct errand_error *err)
{
    const struct errand_load_params nothing = {.now_ms = m->move->now_ms};
    struct errand_load_result ret;
    bool is_empty;
    int rc;

    if ((rc = er_store_load(m->to, &nothing, m->page, &ret, err)) < 0 ||
        (rc = quiet_check(m, err)) < 0 || (rc = is_target_empty(m, &is_empty, err)) < 0 ||
        is_empty)
        return rc;
    m->is_first = true;
    pass_begin(m, ER_MOVE_CHECKING);
    if ((rc = er_move_jobs_compare(m, err)) == 0)
        rc = er_move_rest_check(m, err);
    m->is_first = false;
    return rc;
}

/* Who finds workers at work leaves everything as it was, but for the pauses of a move
 * that was cut off: those were there. */
static int stop(struct er_moving *m, struct errand_error *err)
{
    bool was_cut_off = false;
    int rc;

    if ((rc = queues_read(m, err)) < 0)
        return rc;
    for (size_t i = 0; i < m->queues_n; i++)
        was_cut_off |= m->queues[i].paused_until_ms == ER_MOVE_PAUSE_MS;
    m->is_holding = was_cut_off;
    if (!was_cut_off && (rc = refuse(m, err)) < 0)
        return rc;
    m->is_holding = true;
    if ((rc = hold(m, m->from, err)) < 0)
        return rc;
    if ((rc = quiet_check(m, err)) < 0 && !was_cut_off)
        m->is_holding = let_go(m, m->from, NULL) < 0;
    return rc < 0 ? rc : hold(m, m->to, err);
}

/* What stands still because of a move that did not come to its end, and what to do. */
static void held_tell(const struct er_moving *m, struct errand_error *err)
{
    char names[200] = "", why[ERRAND_ERROR_MAX];
    size_t used = 0, n = 0;

    if (!err)
        return;
    for (size_t i = 0; i < m->queues_n; i++) {
        if (used < sizeof names / 2)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s'%.60s'",
                                     i ? ", " : "", m->queues[i].name);
        else
            n++;
    }
    if (n)
        snprintf(names + used, sizeof names - used, " and %zu more", n);
    memcpy(why, err->message, sizeof why);
    (void)errand_error_set(err, err->code,
                           "%.500s\n        queues %s of %.100s are paused: repeat the "
                           "move, or give it up with 'queue:resume' there, and "
                           "'queue:clear' in the other store",
                           why, names, er_store_url(m->from));
}

/* ------------------------------------------------------------------ the passes */

/* The source's own counts against what was found in the target, one by one. */
static int counts_check(struct er_moving *m, struct errand_error *err)
{
    struct errand_queues_result mine;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_queues(m->from, m->move->now_ms, m->list, &mine, err)) < 0)
        return rc;
    for (size_t i = 0; i < mine.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++) {
            const struct errand_queue_info *q = &mine.queues[i];
            int64_t found = i < m->queues_n && strcmp(m->queues[i].name, q->name) == 0
                                ? m->queues[i].counts[s]
                                : 0;
            if (found != q->counts[s])
                return errand_error_set(
                    err, ERRAND_EBUSY,
                    "queue '%s' has %lld %s jobs in %s, and %lld of them are in %s: jobs "
                    "came or went during the move, repeat it",
                    q->name, (long long)q->counts[s],
                    errand_state_name((enum errand_state)s), er_store_url(m->from),
                    (long long)found, er_store_url(m->to));
        }
    return 0;
}

static int check(struct er_moving *m, struct errand_error *err)
{
    int rc;

    pass_begin(m, ER_MOVE_CHECKING);
    for (size_t i = 0; i < m->queues_n; i++)
        memset(m->queues[i].counts, 0, sizeof m->queues[i].counts);
    if ((rc = er_move_jobs_check(m, err)) < 0 || (rc = er_move_rest_check(m, err)) < 0)
        return rc;
    return counts_check(m, err);
}

static int run(struct er_moving *m, struct er_move_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = stop(m, err)) < 0)
        return rc;
    pass_begin(m, ER_MOVE_LOADING);
    if ((rc = er_move_rest_load(m, ret, err)) < 0 ||
        (rc = er_move_jobs_load(m, err)) < 0 || (rc = check(m, err)) < 0)
        return rc;
    ret->jobs_n = m->done;
    pass_begin(m, ER_MOVE_TAKING_OUT);
    if (!m->move->keeps_source && ((rc = er_move_jobs_take_out(m, err)) < 0 ||
                                   (rc = er_move_rest_take_out(m, err)) < 0))
        return rc;
    return let_go(m, m->to, err);
}

/* ------------------------------------------------------------------ move */

static int queues_out(const struct er_moving *m, struct errand_arena *arena,
                      struct er_move_result *ret, struct errand_error *err)
{
    size_t size = m->queues_n * sizeof *ret->queues;

    ret->queues_n = m->queues_n;
    if (!(ret->queues = errand_arena_alloc(arena, size)))
        return er_error_nomem(err);
    memcpy(ret->queues, m->queues, size);
    for (size_t i = 0; i < m->queues_n; i++)
        if (er_arena_keep(arena, &ret->queues[i].name) < 0)
            return er_error_nomem(err);
    return 0;
}

int er_move_run(const struct er_move *move, struct errand_arena *arena,
                struct er_move_result *ret, struct errand_error *err)
{
    struct er_moving m = {.move = move,
                          .from = move->from,
                          .to = move->to,
                          .page = er_arena_new(),
                          .list = er_arena_new(),
                          .queue_arena = er_arena_new()};
    struct er_move_result result = {0};
    int rc;

    if (!m.page || !m.list || !m.queue_arena) {
        rc = er_error_nomem(err);
        goto out;
    }
    if ((rc = er_move_lock(&m, err)) == 0 && (rc = run(&m, &result, err)) == 0 &&
        (rc = queues_out(&m, arena, &result, err)) == 0)
        *ret = result;
    if (rc < 0 && m.is_holding)
        held_tell(&m, err);
    er_move_unlock(&m);
out:
    er_arena_free(m.page);
    er_arena_free(m.list);
    er_arena_free(m.queue_arena);
    return rc;
}

int er_move_plan(struct er_store *from, struct errand_arena *arena,
                 struct er_move_result *ret, struct errand_error *err)
{
    struct errand_definitions_result definitions;
    struct errand_schedules_result schedules;
    struct errand_queues_result queues;
    struct errand_limits_result limits;
    int rc;

    if ((rc = er_store_queues(from, 0, arena, &queues, err)) < 0 ||
        (rc = er_store_limits(from, 0, arena, &limits, err)) < 0 ||
        (rc = er_store_schedules(from, arena, &schedules, err)) < 0 ||
        (rc = er_store_definitions(from, NULL, arena, &definitions, err)) < 0)
        return rc;
    *ret = (struct er_move_result){.queues = queues.queues,
                                   .queues_n = queues.queues_n,
                                   .limits_n = (int64_t)limits.limits_n,
                                   .schedules_n = (int64_t)schedules.schedules_n,
                                   .definitions_n = (int64_t)definitions.definitions_n};
    for (size_t i = 0; i < queues.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            ret->jobs_n += queues.queues[i].counts[s];
    return 0;
}
