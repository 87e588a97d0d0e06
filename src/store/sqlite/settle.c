/* settle.c: how attempts ended. What completed and has nothing beside it is collected and
 * written in runs of consecutive numbers; everything else goes job by job. */
#include "store/sqlite/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/sqlite/push.h"

/* Attempts of one run may differ so much in their times; those of the first are kept.
 * Short runs are not worth a rounding. */
enum { RUN_SLACK_MS = 3, RUN_SLACK_MIN = 16 };

struct done {
    int64_t id, queue, started_at, ran_ms, max_rss_kib, cpu_ms;
    const char *worker;
    size_t place; /* in the order of the input */
    bool is_left; /* not written by a run: it may have something to follow up */
};

struct done_list {
    struct done *done;
    size_t n;
};

static bool is_plain(const struct errand_outcome *o)
{
    return o->kind == ERRAND_OUT_DONE && !o->result.len && !o->log.len && !o->error.len &&
           o->cause == ERRAND_CAUSE_NONE && !o->exit_code && !o->signal;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct done *)a)->id, y = ((const struct done *)b)->id;

    return (x > y) - (x < y);
}

static bool is_near(int64_t a, int64_t b, int64_t slack)
{
    return a - b <= slack && b - a <= slack;
}

/* How many from `first` on can be one statement. */
static size_t run_length(const struct done *first, size_t n, int64_t slack)
{
    size_t i = 1;

    while (i < n && first[i].id == first->id + (int64_t)i &&
           first[i].queue == first->queue && first[i].worker == first->worker &&
           first[i].cpu_ms == first->cpu_ms &&
           first[i].max_rss_kib == first->max_rss_kib &&
           is_near(first[i].started_at, first->started_at, slack) &&
           is_near(first[i].ran_ms, first->ran_ms, slack))
        i++;
    return i;
}

/* One that has something beside it after all. */
static int done_alone(struct er_tx *tx, const struct done *done)
{
    struct er_job job;
    int rc = er_job_read(tx, done->id, &job);

    if (rc <= 0)
        return rc;
    rc = er_job_end(tx, &job,
                    &(struct er_end){.state = ERRAND_COMPLETED,
                                     .from = ERRAND_RUNNING,
                                     .started_at = done->started_at,
                                     .ran_ms = done->ran_ms,
                                     .max_rss_kib = done->max_rss_kib,
                                     .cpu_ms = done->cpu_ms,
                                     .worker = done->worker});
    return rc < 0 ? rc : er_follow(tx);
}

/* Mostly of one batch, in a row. */
struct members {
    struct members *next;
    struct er_batch *batch;
    int64_t n;
};

static int members_read(struct er_tx *tx, sqlite3_stmt *st, struct members **ret)
{
    struct members *last = NULL;
    int rc;

    while ((rc = er_tx_next(tx, st)) > 0) {
        int64_t id = sqlite3_column_int64(st, 0);
        if (last && last->batch->id == id) {
            last->n++;
            continue;
        }
        if (!(last = errand_arena_alloc(tx->scratch, sizeof *last)))
            rc = er_tx_nomem(tx);
        else if ((rc = er_batch_load(tx, id, &last->batch)) == 0)
            *last = (struct members){*ret, last->batch, 1};
        if (rc < 0) {
            sqlite3_reset(st);
            return rc;
        }
        *ret = last;
    }
    return rc;
}

/* Members of batches that go on need no more than counting: 1, or 0 when a batch may end
 * with this run, so that its members are to be looked at one by one. */
static int members_count(struct er_tx *tx, const struct done *first, size_t n,
                         int64_t forbid)
{
    sqlite3_stmt *st = er_tx_bind(
        tx, ER_SQL_DONE_BATCHES,
        ER_ARGS(er_int(first->id), er_int(first->id + (int64_t)n - 1), er_int(forbid)));
    struct members *members = NULL;
    int rc = st ? members_read(tx, st, &members) : tx->err->code;

    if (rc < 0)
        return rc;
    for (const struct members *m = members; m; m = m->next)
        if (m->batch->pending <= (int64_t)n)
            return 0;
    for (const struct members *m = members; m; m = m->next) {
        m->batch->pending -= m->n;
        m->batch->is_dirty = true;
    }
    return 1;
}

/* *ret_left: some of the run are still there. */
static int done_run(struct er_tx *tx, const struct done *first, size_t n, bool *ret_left)
{
    bool keeps = er_keeps_history(tx->conn);
    /* Without a history even an id or a tag is something to clear away. */
    int64_t forbid = keeps ? ER_FLAGS_FOLLOW : ~(int64_t)ER_FLAGS_OF_ROW;
    int64_t last = first->id + (int64_t)n - 1, gone;
    struct er_count *count;
    int rc;

    if (keeps && (tx->root.extras & ER_EXTRA_BATCHES)) {
        forbid &= ~(int64_t)ER_FLAG_BATCH;
        if ((rc = members_count(tx, first, n, forbid)) < 0)
            return rc;
        if (rc == 0)
            forbid |= ER_FLAG_BATCH;
    }
    if (keeps && (rc = er_tx_run(tx, ER_SQL_HISTORY_INSERT_RUN,
                                 ER_ARGS(er_int(first->id), er_int(last),
                                         er_int(first->started_at), er_int(first->ran_ms),
                                         er_int(tx->now_ms), er_int(first->max_rss_kib),
                                         er_int(first->cpu_ms), er_text(first->worker),
                                         er_int(forbid)))) < 0)
        return rc;
    rc = er_tx_run(tx, ER_SQL_JOB_DELETE_RUN,
                   ER_ARGS(er_int(first->id), er_int(last), er_int(forbid)));
    if (rc < 0)
        return rc;
    gone = er_tx_changes(tx);
    if (!(count = er_tx_count(tx, first->queue)))
        return ERRAND_ENOMEM;
    count->delta[ERRAND_RUNNING] -= gone;
    if (keeps)
        count->delta[ERRAND_COMPLETED] += gone;
    tx->wake |= ERRAND_WAIT_ENDED;
    *ret_left = gone < (int64_t)n;
    return 0;
}

static size_t run_at(const struct done *first, size_t n)
{
    size_t length = run_length(first, n, RUN_SLACK_MS);

    return length < RUN_SLACK_MIN ? run_length(first, n, 0) : length;
}

/* In runs. Where a run of one finds that its job has more beside it, so have mostly the
 * others that stand alone: links of many chains end together, and each run that finds
 * nothing is a tenth of a link. */
static int runs_write(struct er_tx *tx, const struct done *sorted, size_t n,
                      struct done *ret_done)
{
    bool is_alone = false;

    for (size_t i = 0, length; i < n; i += length) {
        bool left = is_alone;
        int rc;
        length = run_at(sorted + i, n - i);
        if ((length > 1 || !is_alone) &&
            (rc = done_run(tx, sorted + i, length, &left)) < 0)
            return rc;
        is_alone |= left && length == 1;
        for (size_t k = 0; left && k < length; k++)
            ret_done[sorted[i + k].place].is_left = true;
    }
    return 0;
}

/* Everything that is collected, in runs; then, in the order of the input, those that have
 * something to follow up. */
static int done_write(struct er_tx *tx, struct done_list *list)
{
    struct done *sorted;
    size_t n = list->n;
    int rc;

    list->n = 0;
    if (!n)
        return 0;
    if (!(sorted = errand_arena_alloc(tx->scratch, n * sizeof *sorted)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < n; i++)
        list->done[i].place = i;
    memcpy(sorted, list->done, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_id);
    rc = runs_write(tx, sorted, n, list->done);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (list->done[i].is_left)
            rc = done_alone(tx, &list->done[i]);
    return rc;
}

/* ------------------------------------------------------------ job by job */

/* SCHEDULED or READY again. */
static int back(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                const char *worker)
{
    int rc;

    if ((rc = er_job_stopped(tx, job)) < 0)
        return rc;
    if (out->kind == ERRAND_OUT_RETRY && (rc = er_job_tried(tx, job, out, worker)) < 0)
        return rc;
    if (out->kind != ERRAND_OUT_HAND_BACK && out->kind != ERRAND_OUT_LIMIT) {
        job->state = ERRAND_SCHEDULED;
        job->run_at = out->run_at_ms > tx->now_ms ? out->run_at_ms : tx->now_ms;
    }
    if ((rc = er_job_place(tx, job)) < 0 || (rc = er_job_enter(tx, job)) < 0)
        return rc;
    return er_job_count(tx, job, ERRAND_RUNNING, job->state);
}

static int finish(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                  const char *worker)
{
    struct er_end end = {.state = out->kind == ERRAND_OUT_FAIL ? ERRAND_FAILED
                                                               : ERRAND_CANCELLED,
                         .from = ERRAND_RUNNING};
    int rc;

    if ((rc = er_job_tried(tx, job, out, worker)) < 0 ||
        (rc = er_job_end(tx, job, &end)) < 0)
        return rc;
    return out->kind == ERRAND_OUT_FAIL && out->hook_due ? er_hook_due(tx, job) : 0;
}

/* Somebody wants it stopped, and it would run again: it does not. */
static int cancel_instead(struct er_tx *tx, struct er_job *job,
                          const struct errand_outcome *out, const char *worker)
{
    struct errand_outcome cancelled = *out;
    int rc;

    cancelled.kind = ERRAND_OUT_CANCELLED;
    if ((rc = finish(tx, job, &cancelled, worker)) < 0)
        return rc;
    return er_tx_move(tx, job, ERRAND_RUNNING, ERRAND_CANCELLED, job->attempt);
}

static int done_slow(struct er_tx *tx, struct er_job *job,
                     const struct errand_outcome *out, const char *worker)
{
    int rc = er_attempt_add(tx, job, out, worker);

    if (rc < 0)
        return rc;
    return er_job_end(tx, job,
                      &(struct er_end){.state = ERRAND_COMPLETED,
                                       .from = ERRAND_RUNNING,
                                       .started_at = out->started_ms,
                                       .ran_ms = out->ended_ms - out->started_ms,
                                       .max_rss_kib = out->max_rss_kib,
                                       .cpu_ms = out->cpu_ms,
                                       .worker = worker,
                                       .result = out->result});
}

static bool is_cancelled_instead(const struct er_job *job,
                                 const struct errand_outcome *out)
{
    return (job->flags & ER_FLAG_CANCEL) &&
           (out->kind == ERRAND_OUT_RETRY || out->kind == ERRAND_OUT_SNOOZE ||
            out->kind == ERRAND_OUT_HAND_BACK || out->kind == ERRAND_OUT_LIMIT);
}

static int settle_job(struct er_tx *tx, struct er_job *job,
                      const struct errand_outcome *out, const char *worker)
{
    switch (out->kind) {
    case ERRAND_OUT_DONE:
        return done_slow(tx, job, out, worker);
    case ERRAND_OUT_RETRY:
    case ERRAND_OUT_SNOOZE:
    case ERRAND_OUT_HAND_BACK:
        return back(tx, job, out, worker);
    case ERRAND_OUT_FAIL:
    case ERRAND_OUT_CANCELLED:
        return finish(tx, job, out, worker);
    case ERRAND_OUT_HOOK_DONE:
    case ERRAND_OUT_LIMIT:
        return 0; /* not here */
    }
    return errand_error_set(tx->err, ERRAND_EINVAL, "no outcome %d", (int)out->kind);
}

/* The fence: what the outcome names must be in the lease that it names. */
static int entry_find(struct er_tx *tx, const struct errand_outcome *out,
                      struct er_lease **ret_lease, struct er_lease_job **ret)
{
    int64_t id = out->key;
    int rc;

    *ret = NULL;
    if (!id && (rc = er_id_find(tx, &out->id, &id)) <= 0)
        return rc;
    if ((rc = er_lease_find(tx, out->token, ret_lease)) < 0 || !*ret_lease)
        return rc;
    *ret = er_lease_job(*ret_lease, id, out->kind == ERRAND_OUT_HOOK_DONE);
    return 0;
}

/* An outcome with its times filled in. */
static struct errand_outcome completed(const struct er_tx *tx,
                                       const struct er_lease *lease,
                                       const struct errand_outcome *out)
{
    struct errand_outcome o = *out;

    if (!o.started_ms)
        o.started_ms = lease->started_at;
    if (!o.ended_ms)
        o.ended_ms = tx->now_ms;
    return o;
}

/* Before anything that follows from it. */
static int tell(struct er_tx *tx, const struct errand_outcome *out)
{
    struct errand_event event;

    return er_told_outcome(out, &event) ? er_tell(tx, &event) : 0;
}

/* Another job has the key: done, without having run. */
static int duplicate(struct er_tx *tx, struct er_job *job,
                     const struct errand_outcome *out, const char *worker)
{
    struct errand_outcome done = *out;
    int rc;

    done.kind = ERRAND_OUT_DONE;
    if ((rc = tell(tx, &done)) < 0)
        return rc;
    return done_slow(tx, job, &done, worker);
}

/* The row learns what it asks; then it goes back to its place. */
static int limit(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                 const char *worker, enum errand_settled *ret)
{
    bool is_new = out->unique && !(job->flags & ER_FLAG_UNIQUE);
    struct er_asks_read has;
    struct er_asks asks;
    uint32_t flags;
    int rc;

    if (is_new && (rc = er_unique_is_held(tx, out->unique->key)) != 0) {
        *ret = ERRAND_SETTLED_DUPLICATE;
        return rc < 0 ? rc : duplicate(tx, job, out, worker);
    }
    if ((rc = er_asks_read(tx, job->id, &has)) < 0)
        return rc;
    asks = (struct er_asks){has.is_unique ? &has.unique : out->unique, has.limits,
                            has.limits_n};
    if (!(job->flags & ER_FLAG_LIMITS)) {
        asks.limits = out->limits;
        asks.limits_n = out->limits_n;
    }
    flags =
        er_limits_flags(asks.limits, asks.limits_n) | (asks.unique ? ER_FLAG_UNIQUE : 0u);
    if ((rc = er_asks_write(tx, job->id, &asks, flags)) < 0 ||
        (is_new && (rc = er_unique_take(tx, job, out->unique)) < 0))
        return rc;
    job->flags |= flags;
    return back(tx, job, out, worker);
}

static int settle_slow(struct er_tx *tx, int64_t id, const struct errand_outcome *out,
                       const char *worker, enum errand_settled *ret)
{
    struct er_job job;
    int rc;

    if (out->kind == ERRAND_OUT_HOOK_DONE)
        return 0;
    if ((rc = er_job_read(tx, id, &job)) <= 0)
        return rc;
    if (is_cancelled_instead(&job, out))
        rc = cancel_instead(tx, &job, out, worker);
    else if (out->kind == ERRAND_OUT_LIMIT)
        rc = limit(tx, &job, out, worker, ret);
    else if ((rc = tell(tx, out)) == 0)
        rc = settle_job(tx, &job, out, worker);
    return rc < 0 ? rc : er_follow(tx);
}

int er_settle(struct er_tx *tx, const struct errand_outcome *outcomes, size_t n,
              enum errand_settled *ret)
{
    struct done_list list = {0};
    int rc;

    if (!(list.done = errand_arena_alloc(tx->scratch, n * sizeof *list.done)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < n; i++) {
        struct er_lease_job *entry;
        struct er_lease *lease = NULL;
        struct errand_outcome out;

        if ((rc = entry_find(tx, &outcomes[i], &lease, &entry)) < 0)
            return rc;
        ret[i] = entry ? ERRAND_SETTLED : ERRAND_LOST;
        if (!entry)
            continue;
        er_lease_drop(lease, entry);
        out = completed(tx, lease, &outcomes[i]);
        if (is_plain(&out)) {
            if ((rc = tell(tx, &out)) < 0)
                return rc;
            list.done[list.n++] = (struct done){.id = entry->id,
                                                .queue = entry->queue,
                                                .started_at = out.started_ms,
                                                .ran_ms = out.ended_ms - out.started_ms,
                                                .max_rss_kib = out.max_rss_kib,
                                                .cpu_ms = out.cpu_ms,
                                                .worker = lease->worker};
            continue;
        }
        /* A failure may cancel what a job before it has set free, and a key that one
         * before it held is free. */
        if (((out.kind == ERRAND_OUT_FAIL || out.kind == ERRAND_OUT_CANCELLED ||
              out.kind == ERRAND_OUT_LIMIT) &&
             (rc = done_write(tx, &list)) < 0) ||
            (rc = settle_slow(tx, entry->id, &out, lease->worker, &ret[i])) < 0)
            return rc;
    }
    return done_write(tx, &list);
}
