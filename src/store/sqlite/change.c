/* change.c: what an operator does to jobs: cancel, retry, delete, run now, edit. */
#include "store/sqlite/scan.h"

#include <string.h>

#include "base/error.h"
#include "store/sqlite/push.h"

/* ------------------------------------------------------------ what can be done */

static bool can(enum errand_state state, enum errand_change_kind kind)
{
    switch (kind) {
    case ERRAND_CHANGE_CANCEL:
        return state <= ERRAND_RUNNING;
    case ERRAND_CHANGE_RETRY:
        return state == ERRAND_FAILED || state == ERRAND_CANCELLED;
    case ERRAND_CHANGE_DELETE:
    case ERRAND_CHANGE_MOVED:
        return state != ERRAND_RUNNING;
    case ERRAND_CHANGE_RUN_NOW:
        return state == ERRAND_SCHEDULED;
    case ERRAND_CHANGE_EDIT:
        return state != ERRAND_RUNNING && state != ERRAND_COMPLETED;
    }
    return false;
}

/* ------------------------------------------------------------ cancel, retry, run now */

static int cancel(struct er_tx *tx, struct er_job *job, enum errand_state state)
{
    int from, rc;

    if (state == ERRAND_RUNNING)
        return er_job_stop(tx, job);
    if ((rc = er_job_cancel(tx, job, &from)) < 0)
        return rc;
    return er_tx_move(tx, job, from, ERRAND_CANCELLED, job->attempt);
}

/* The operator's word counts more than that of a parent that has ended. */
static int waive(struct er_tx *tx, struct er_job *job)
{
    struct er_edge edge;
    int rc;

    if (!(job->flags & ER_FLAG_PARENTS))
        return 0;
    while ((rc = er_edge_against(tx, job->id, &edge)) > 0) {
        if ((rc = er_edge_write(tx, &edge, ER_EDGE_SATISFIED)) < 0)
            return rc;
        job->waits--;
    }
    return rc;
}

static int retry(struct er_tx *tx, struct er_job *job, enum errand_changed *ret)
{
    int from = job->state, rc;

    if ((rc = er_unique_again(tx, job)) <= 0) {
        *ret = ERRAND_KEY_TAKEN;
        return rc;
    }
    if ((rc = waive(tx, job)) < 0)
        return rc;
    job->run_at = tx->now_ms;
    job->attempt = 0;
    if ((rc = er_job_revive(tx, job, job->waits > 0 ? ERRAND_HELD : ERRAND_READY)) < 0)
        return rc;
    return er_tx_move(tx, job, from, job->state, 0);
}

/* One that is due keeps the place it would have had. */
static int run_now(struct er_tx *tx, struct er_job *job)
{
    int rc;

    if (job->run_at > tx->now_ms) {
        rc = er_job_put_off(tx, job, tx->now_ms);
    } else if ((rc = er_job_leave(tx, job)) >= 0) {
        job->state = ERRAND_READY;
        if ((rc = er_job_place(tx, job)) == 0 && (rc = er_job_enter(tx, job)) == 0)
            rc = er_job_count(tx, job, ERRAND_SCHEDULED, ERRAND_READY);
    }
    if (rc < 0)
        return rc;
    return er_tx_move(tx, job, ERRAND_SCHEDULED, job->state, job->attempt);
}

/* ------------------------------------------------------------ edit */

static int edit_row(struct er_tx *tx, const struct er_job *job,
                    const struct errand_edit *e)
{
    int rc = 0;

    if (e->data)
        rc = er_tx_run(tx, ER_SQL_EDIT_DATA, ER_ARGS(er_int(job->id), er_blob(*e->data)));
    if (rc == 0 && e->options)
        rc = er_tx_run(tx, ER_SQL_EDIT_OPTIONS,
                       ER_ARGS(er_int(job->id), er_blob_or_null(*e->options)));
    if (rc == 0 && e->tries)
        rc =
            er_tx_run(tx, ER_SQL_EDIT_TRIES, ER_ARGS(er_int(job->id), er_int(*e->tries)));
    return rc;
}

static int reorder(struct er_tx *tx, struct er_job *job, int32_t priority)
{
    bool is_in_line = job->state == ERRAND_READY || job->state == ERRAND_SCHEDULED;
    int rc;

    if (is_in_line && (rc = er_job_leave(tx, job)) < 0)
        return rc;
    job->priority = priority;
    if ((rc = er_job_place(tx, job)) < 0)
        return rc;
    return is_in_line ? er_job_enter(tx, job) : 0;
}

static int edit(struct er_tx *tx, struct er_job *job, const struct errand_edit *e)
{
    int from = job->state, rc;

    if ((rc = edit_row(tx, job, e)) < 0)
        return rc;
    if (e->priority && (rc = reorder(tx, job, *e->priority)) < 0)
        return rc;
    if (e->run_at_ms && job->state <= ERRAND_READY &&
        (rc = er_job_put_off(
             tx, job, *e->run_at_ms > tx->now_ms ? *e->run_at_ms : tx->now_ms)) < 0)
        return rc;
    if (job->state != from)
        return er_tx_move(tx, job, from, job->state, job->attempt);
    if (er_state_is_final((enum errand_state)from))
        return 0;
    return er_tell_job(tx, job, ER_TOLD_RESCHEDULED, job->attempt,
                       (struct errand_slice){0});
}

/* ------------------------------------------------------------ delete, moved */

int er_job_drop(struct er_tx *tx, const struct er_job *job, bool is_deleted)
{
    int rc;

    if (((job->flags & ER_FLAG_UNIQUE) &&
         (rc = er_unique_drop(tx, job, is_deleted)) < 0) ||
        ((job->flags & ER_FLAG_CHILDREN) &&
         (rc = er_parent_forget(tx, false, job->id)) < 0) ||
        (job->state == ERRAND_FAILED && (rc = er_hook_clear(tx, job)) < 0) ||
        (rc = er_tx_run(tx, ER_SQL_FINISHED_DELETE,
                        ER_ARGS(er_int(job->state), er_int(job->id)))) < 0 ||
        (rc = er_job_forget(tx, job->id, job->flags)) < 0 ||
        (rc = er_tx_run(tx, ER_SQL_JOB_DELETE, ER_ARGS(er_int(job->id)))) < 0)
        return rc;
    return er_job_count(tx, job, job->state, ER_NO_STATE);
}

static int drop(struct er_tx *tx, struct er_job *job, enum errand_state state)
{
    int rc;

    if (!er_state_is_final(state) &&
        ((rc = cancel(tx, job, state)) < 0 || (rc = er_follow(tx)) < 0))
        return rc;
    /* What followed may have changed it. */
    if ((rc = er_job_read(tx, job->id, job)) <= 0)
        return rc;
    return er_job_drop(tx, job, true);
}

/* The batch goes with the last of its jobs. */
static int batch_left(struct er_tx *tx, int64_t batch)
{
    int64_t member;
    int rc =
        batch ? er_tx_number(tx, ER_SQL_BATCH_ANY, ER_ARGS(er_int(batch)), &member) : 1;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return er_batch_drop(tx, batch);
}

static int take_out(struct er_tx *tx, const struct er_job *job)
{
    int rc;

    if ((rc = er_job_leave(tx, job)) < 0 || (rc = er_job_drop(tx, job, true)) < 0)
        return rc;
    return batch_left(tx, job->batch);
}

static int drop_history(struct er_tx *tx, int64_t id, bool has_moved)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_FIND_HISTORY, ER_ARGS(er_int(id)));
    int64_t queue, created_at, batch;
    uint32_t flags;
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    queue = sqlite3_column_int64(st, 1);
    created_at = sqlite3_column_int64(st, 4);
    batch = sqlite3_column_int64(st, 6);
    flags = (uint32_t)sqlite3_column_int64(st, 7);
    sqlite3_reset(st);
    rc = er_history_forget(tx, id, queue, created_at, flags, true);
    return rc < 0 || !has_moved ? rc : batch_left(tx, batch);
}

/* ------------------------------------------------------------ one job */

static int change_living(struct er_tx *tx, struct er_job *job, enum errand_state state,
                         const struct errand_change_params *p, enum errand_changed *ret)
{
    switch (p->kind) {
    case ERRAND_CHANGE_CANCEL:
        return cancel(tx, job, state);
    case ERRAND_CHANGE_RETRY:
        return retry(tx, job, ret);
    case ERRAND_CHANGE_DELETE:
        return drop(tx, job, state);
    case ERRAND_CHANGE_RUN_NOW:
        return run_now(tx, job);
    case ERRAND_CHANGE_EDIT:
        return edit(tx, job, p->edit);
    case ERRAND_CHANGE_MOVED:
        return take_out(tx, job);
    }
    return 0;
}

/* 1 when the job is there: *ret_state is what it was. */
static int change_one(struct er_tx *tx, int64_t id, const struct errand_change_params *p,
                      enum errand_changed *ret, enum errand_state *ret_state)
{
    struct er_job job;
    int64_t found;
    int rc = er_job_read(tx, id, &job);

    if (rc < 0)
        return rc;
    *ret = ERRAND_CHANGED;
    if (rc == 0) {
        rc = er_tx_number(tx, ER_SQL_FIND_HISTORY, ER_ARGS(er_int(id)), &found);
        *ret_state = ERRAND_COMPLETED;
        if (rc > 0 && can(ERRAND_COMPLETED, p->kind))
            rc = drop_history(tx, id, p->kind == ERRAND_CHANGE_MOVED);
        else
            *ret = rc > 0 ? ERRAND_WRONG_STATE : ERRAND_NO_SUCH_JOB;
        return rc < 0 ? rc : 0;
    }
    if ((rc = er_job_state(tx, &job, ret_state)) < 0)
        return rc;
    if (!can(*ret_state, p->kind)) {
        *ret = ERRAND_WRONG_STATE;
        return 0;
    }
    if ((rc = change_living(tx, &job, *ret_state, p, ret)) < 0)
        return rc;
    return er_follow(tx);
}

/* ------------------------------------------------------------ by ids, by filter */

static int change_ids(struct er_tx *tx, const struct errand_change_params *p,
                      struct errand_change_result *ret)
{
    int rc;

    if (!(ret->changed = errand_arena_alloc(tx->arena, p->ids_n * sizeof *ret->changed)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < p->ids_n; i++) {
        enum errand_state state;
        int64_t id;
        ret->changed[i] = ERRAND_NO_SUCH_JOB;
        if ((rc = er_id_find(tx, &p->ids[i], &id)) < 0 ||
            (rc > 0 && (rc = change_one(tx, id, p, &ret->changed[i], &state)) < 0))
            return rc;
        ret->changed_n += ret->changed[i] == ERRAND_CHANGED;
    }
    ret->matched_n = p->ids_n;
    return 0;
}

static int candidates(struct er_tx *tx, const struct errand_change_params *p,
                      int64_t **ret, size_t *ret_n)
{
    struct er_scan scan;
    struct er_found job;
    size_t max = 0;
    int rc;

    if ((rc = er_scan_begin(&scan, tx, p->filter, 0, false)) == 0)
        while ((rc = er_scan_next(&scan, &job)) > 0) {
            if (!can(job.state, p->kind) ||
                (p->kind == ERRAND_CHANGE_CANCEL && (job.flags & ER_FLAG_CANCEL)))
                continue;
            if ((rc = er_tx_grow(tx, ret, *ret_n, &max, sizeof **ret)) < 0)
                break;
            (*ret)[(*ret_n)++] = job.id;
            /* What follows from the changes may bring more of them to where they are to
             * go, never fewer: one more says whether there is more to do. */
            if (p->max && *ret_n > p->max && p->kind == ERRAND_CHANGE_DELETE) {
                rc = 0;
                break;
            }
        }
    er_scan_done(&scan);
    return rc;
}

/* A follow-up of this call may have brought a job to where it was to go. */
static bool is_there_already(enum errand_state state, enum errand_change_kind kind)
{
    return (kind == ERRAND_CHANGE_CANCEL && state == ERRAND_CANCELLED) ||
           (kind == ERRAND_CHANGE_RETRY && state == ERRAND_HELD);
}

static int change_filtered(struct er_tx *tx, const struct errand_change_params *p,
                           struct errand_change_result *ret)
{
    int64_t *ids = NULL;
    size_t n = 0;
    int rc;

    if ((rc = candidates(tx, p, &ids, &n)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        enum errand_changed changed;
        enum errand_state state = ERRAND_HELD;
        if (p->max && ret->changed_n == p->max) {
            ret->more = true;
            return 0;
        }
        ret->matched_n++;
        if ((rc = change_one(tx, ids[i], p, &changed, &state)) < 0)
            return rc;
        ret->changed_n += changed == ERRAND_CHANGED || (changed == ERRAND_WRONG_STATE &&
                                                        is_there_already(state, p->kind));
    }
    return 0;
}

int er_sqlite_change(struct errand_conn *conn, const struct errand_change_params *p,
                     struct errand_arena *arena, struct errand_change_result *ret,
                     struct errand_error *err)
{
    struct errand_change_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "change", p->now_ms, arena, err)) < 0)
        return rc;
    tx.want_moves = p->want_moves;
    rc = p->ids_n ? change_ids(&tx, p, &result) : change_filtered(&tx, p, &result);
    result.moves = tx.moves;
    result.moves_n = tx.moves_n;
    if ((rc = er_tx_end(&tx, rc)) == 0)
        *ret = result;
    return rc;
}
