/* job.c: one job's row, its place in a line, and what its end brings about at once.
 * Whoever waits for it is told by follow.c. */
#include "store/sqlite/sqlite.h"

int er_job_read(struct er_tx *tx, int64_t id, struct er_job *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_JOB_READ, ER_ARGS(er_int(id)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    *ret = (struct er_job){
        .id = sqlite3_column_int64(st, 0),
        .queue = sqlite3_column_int64(st, 1),
        .name = sqlite3_column_int64(st, 2),
        .state = sqlite3_column_int(st, 3),
        .priority = sqlite3_column_int(st, 4),
        .run_at = sqlite3_column_int64(st, 5),
        .attempt = sqlite3_column_int(st, 6),
        .tries = sqlite3_column_int(st, 7),
        .flags = (uint32_t)sqlite3_column_int64(st, 8),
        .waits = sqlite3_column_int(st, 9),
        .created_at = sqlite3_column_int64(st, 10),
        .batch = sqlite3_column_int64(st, 11),
    };
    sqlite3_reset(st);
    return 1;
}

int er_job_state(struct er_tx *tx, const struct er_job *job, enum errand_state *ret)
{
    int64_t found;
    int rc;

    *ret = (enum errand_state)job->state;
    if (job->state != ERRAND_READY)
        return 0;
    rc = er_tx_number(tx, ER_SQL_READY_FIND,
                      ER_ARGS(er_int(job->queue), er_int(job->priority),
                              er_int(job->run_at), er_int(job->id)),
                      &found);
    if (rc == 0)
        rc = er_tx_number(tx, ER_SQL_PARKED_FIND, ER_ARGS(er_int(job->id)), &found);
    if (rc == 0)
        *ret = ERRAND_RUNNING;
    return rc < 0 ? rc : 0;
}

int er_job_enter(struct er_tx *tx, const struct er_job *job)
{
    if (job->state != ERRAND_SCHEDULED && job->state != ERRAND_READY)
        return 0;
    /* Who sleeps until a later time must hear of an earlier one, too. */
    tx->wake |= ERRAND_WAIT_READY;
    if (job->state == ERRAND_SCHEDULED)
        return er_tx_run(tx, ER_SQL_SCHEDULED_INSERT,
                         ER_ARGS(er_int(job->queue), er_int(job->run_at), er_int(job->id),
                                 er_int(job->priority)));
    return er_tx_run(tx, ER_SQL_READY_INSERT,
                     ER_ARGS(er_int(job->queue), er_int(job->priority),
                             er_int(job->run_at), er_int(job->id)));
}

int er_job_leave(struct er_tx *tx, const struct er_job *job)
{
    int rc;

    if (job->state == ERRAND_SCHEDULED) {
        rc = er_tx_run(tx, ER_SQL_SCHEDULED_DELETE,
                       ER_ARGS(er_int(job->queue), er_int(job->run_at), er_int(job->id)));
        return rc < 0 ? rc : 1;
    }
    if (job->state != ERRAND_READY)
        return 1;
    if ((rc = er_tx_run(tx, ER_SQL_READY_DELETE,
                        ER_ARGS(er_int(job->queue), er_int(job->priority),
                                er_int(job->run_at), er_int(job->id)))) < 0)
        return rc;
    if (!er_tx_changes(tx) && (rc = er_parked_remove(tx, job)) <= 0)
        return rc;
    /* It stood in front of others under its limits. */
    rc = er_limits_offer(tx, job);
    return rc < 0 ? rc : 1;
}

int er_job_count(struct er_tx *tx, const struct er_job *job, int from, int to)
{
    struct er_count *count = er_tx_count(tx, job->queue);

    if (!count)
        return ERRAND_ENOMEM;
    if (from != ER_NO_STATE) {
        count->delta[from]--;
        tx->moved_n++;
    }
    if (to != ER_NO_STATE)
        count->delta[to]++;
    return job->flags & ER_FLAG_BATCH ? er_batch_count(tx, job, from, to) : 0;
}

int er_job_flag(struct er_tx *tx, int64_t id, uint32_t set, uint32_t clear)
{
    return er_tx_run(tx, ER_SQL_JOB_FLAGS,
                     ER_ARGS(er_int(id), er_int(set), er_int(clear)));
}

int er_job_place(struct er_tx *tx, const struct er_job *job)
{
    return er_tx_run(tx, ER_SQL_JOB_PLACE,
                     ER_ARGS(er_int(job->id), er_int(job->state), er_int(job->run_at),
                             er_int(job->attempt), er_int(job->waits),
                             er_int(job->priority)));
}

int er_job_release(struct er_tx *tx, struct er_job *job, int from)
{
    int rc;

    if (job->run_at <= tx->now_ms)
        job->run_at = tx->now_ms;
    job->state = job->run_at > tx->now_ms ? ERRAND_SCHEDULED : ERRAND_READY;
    if ((rc = er_job_place(tx, job)) < 0 || (rc = er_job_enter(tx, job)) < 0)
        return rc;
    return er_job_count(tx, job, from, job->state);
}

int er_job_put_off(struct er_tx *tx, struct er_job *job, int64_t run_at)
{
    int from = job->state, rc;

    if (from == ERRAND_HELD) {
        job->run_at = run_at;
        return er_job_place(tx, job);
    }
    if ((rc = er_job_leave(tx, job)) < 0)
        return rc;
    job->run_at = run_at;
    return er_job_release(tx, job, from);
}

bool er_keeps_history(const struct er_sqlite *conn)
{
    return conn->keep_n != 0 && conn->keep_ms != 0;
}

static int complete(struct er_tx *tx, const struct er_job *job, const struct er_end *end)
{
    int rc;

    if (er_keeps_history(tx->conn)) {
        rc = er_tx_run(tx, ER_SQL_HISTORY_INSERT,
                       ER_ARGS(er_int(job->id), er_int(end->started_at),
                               er_int(end->ran_ms), er_int(tx->now_ms),
                               er_int(end->max_rss_kib), er_int(end->cpu_ms),
                               er_text(end->worker), er_blob_or_null(end->result)));
        if (rc < 0)
            return rc;
    } else if (((job->flags & ER_FLAG_UNIQUE) &&
                (rc = er_unique_drop(tx, job, false)) < 0) ||
               (rc = er_job_forget(tx, job->id, job->flags)) < 0) {
        return rc;
    }
    return er_tx_run(tx, ER_SQL_JOB_DELETE, ER_ARGS(er_int(job->id)));
}

static int finish(struct er_tx *tx, struct er_job *job, enum errand_state state)
{
    int rc;

    job->state = (int)state;
    rc = er_tx_run(tx, ER_SQL_JOB_FINISH,
                   ER_ARGS(er_int(job->id), er_int(job->state), er_int(job->attempt),
                           er_int(tx->now_ms)));
    if (rc < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_FINISHED_INSERT,
                     ER_ARGS(er_int(job->state), er_int(job->id), er_int(tx->now_ms),
                             er_int(job->queue)));
}

int er_job_stopped(struct er_tx *tx, struct er_job *job)
{
    uint32_t clear = job->flags & (ER_FLAG_CANCEL | ER_FLAG_PROGRESS);
    int rc;

    if ((job->flags & ER_FLAG_CANCEL) &&
        (rc = er_tx_run(tx, ER_SQL_CANCEL_DELETE, ER_ARGS(er_int(job->id)))) < 0)
        return rc;
    if ((job->flags & ER_FLAG_PROGRESS) &&
        (rc = er_tx_run(tx, ER_SQL_PROGRESS_DELETE, ER_ARGS(er_int(job->id)))) < 0)
        return rc;
    job->flags &= ~clear;
    if (clear && (rc = er_job_flag(tx, job->id, 0, clear)) < 0)
        return rc;
    return er_limits_leave(tx, job);
}

int er_job_end(struct er_tx *tx, struct er_job *job, const struct er_end *end)
{
    bool is_kept = end->state != ERRAND_COMPLETED || er_keeps_history(tx->conn);
    int rc;

    tx->wake |= ERRAND_WAIT_ENDED;
    if (end->from == ERRAND_RUNNING && (rc = er_job_stopped(tx, job)) < 0)
        return rc;
    if ((job->flags & ER_FLAG_UNIQUE) &&
        (rc = er_unique_release(tx, job, ER_EVENT_DONE)) < 0)
        return rc;
    if ((rc = end->state == ERRAND_COMPLETED ? complete(tx, job, end)
                                             : finish(tx, job, end->state)) < 0)
        return rc;
    /* A batch counts a job that nobody keeps as well. */
    if ((rc = er_job_count(tx, job, end->from, (int)end->state)) < 0)
        return rc;
    if (!is_kept)
        er_tx_count(tx, job->queue)->delta[end->state]--;
    if ((job->flags & ER_FLAG_CHILDREN) ||
        ((job->flags & ER_FLAG_BATCH) && end->state == ERRAND_FAILED))
        return er_news_job(tx, job, end->state, !is_kept);
    return 0;
}

int er_job_cancel(struct er_tx *tx, struct er_job *job, int *ret_from)
{
    int from = job->state, rc;

    if ((rc = er_job_leave(tx, job)) < 0)
        return rc;
    *ret_from = from;
    return er_job_end(tx, job, &(struct er_end){.state = ERRAND_CANCELLED, .from = from});
}

int er_job_stop(struct er_tx *tx, struct er_job *job)
{
    int rc;

    if (job->flags & ER_FLAG_CANCEL)
        return 0;
    job->flags |= ER_FLAG_CANCEL;
    tx->root.control++;
    tx->is_root_dirty = true;
    tx->wake |= ERRAND_WAIT_CONTROL;
    er_tx_extra(tx, ER_EXTRA_CANCELS);
    if ((rc = er_job_flag(tx, job->id, ER_FLAG_CANCEL, 0)) < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_CANCEL_INSERT, ER_ARGS(er_int(job->id)));
}

int er_hook_due(struct er_tx *tx, const struct er_job *job)
{
    tx->wake |= ERRAND_WAIT_READY;
    er_tx_extra(tx, ER_EXTRA_HOOKS);
    return er_tx_run(tx, ER_SQL_HOOK_INSERT, ER_ARGS(er_int(job->id)));
}

/* Due or handed out: neither any more. */
int er_hook_clear(struct er_tx *tx, const struct er_job *job)
{
    int rc;

    if (!(tx->root.extras & ER_EXTRA_HOOKS))
        return 0;
    if ((rc = er_tx_run(tx, ER_SQL_HOOK_DELETE,
                        ER_ARGS(er_int(job->queue), er_int(job->id)))) < 0)
        return rc;
    if (er_tx_changes(tx))
        return 0;
    if ((rc = er_leases_load(tx, ER_SQL_LEASES_READ, ER_NO_ARGS)) < 0)
        return rc;
    for (size_t i = 0; i < tx->leases_n; i++) {
        struct er_lease_job *entry = er_lease_job(&tx->leases[i], job->id, true);
        if (entry)
            er_lease_drop(&tx->leases[i], entry);
    }
    return 0;
}

int er_job_revive(struct er_tx *tx, struct er_job *job, enum errand_state to)
{
    int from = job->state, rc;

    if ((rc = er_hook_clear(tx, job)) < 0 ||
        (rc = er_tx_run(tx, ER_SQL_FINISHED_DELETE,
                        ER_ARGS(er_int(from), er_int(job->id)))) < 0)
        return rc;
    job->state = (int)to;
    if ((rc = er_tx_run(tx, ER_SQL_JOB_REVIVE,
                        ER_ARGS(er_int(job->id), er_int(to), er_int(job->run_at),
                                er_int(job->attempt), er_int(job->waits)))) < 0 ||
        (rc = er_job_enter(tx, job)) < 0 || (rc = er_job_count(tx, job, from, to)) < 0)
        return rc;
    return job->flags & ER_FLAG_CHILDREN ? er_news_job(tx, job, to, false) : 0;
}

int er_job_forget(struct er_tx *tx, int64_t id, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        enum er_sql sql;
    } sides[] = {
        {ER_FLAG_OWN_ID, ER_SQL_ID_DELETE},
        {ER_FLAG_TAGS, ER_SQL_TAGS_DELETE},
        {ER_FLAG_ATTEMPTS, ER_SQL_ATTEMPTS_DELETE},
        {ER_FLAG_PROGRESS, ER_SQL_PROGRESS_DELETE},
        {ER_FLAG_PARENTS, ER_SQL_EDGES_DELETE_CHILD},
        {ER_FLAG_BATCH, ER_SQL_BATCH_JOB_DELETE},
    };
    int rc;

    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if ((flags & sides[i].flag) &&
            (rc = er_tx_run(tx, sides[i].sql, ER_ARGS(er_int(id)))) < 0)
            return rc;
    return 0;
}

int er_job_tried(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                 const char *worker)
{
    bool keeps_error = out->kind == ERRAND_OUT_CANCELLED && !out->error.len;
    int rc = er_attempt_add(tx, job, out, worker);

    if (rc == 0)
        rc = er_tx_run(tx, keeps_error ? ER_SQL_JOB_TRIED_QUIETLY : ER_SQL_JOB_TRIED,
                       ER_ARGS(er_int(job->id), er_int(out->started_ms), er_text(worker),
                               er_blob_or_null(out->error)));
    job->attempt++;
    return rc;
}

int er_parent_forget(struct er_tx *tx, bool is_batch, int64_t id)
{
    int64_t one;
    int rc = er_tx_number(tx, ER_SQL_EDGES_STANDING,
                          ER_ARGS(er_int(is_batch), er_int(id)), &one);

    /* Mostly all are satisfied, and lifting none costs ten times this look. */
    if (rc > 0)
        rc = er_tx_run(tx, ER_SQL_EDGES_LIFT, ER_ARGS(er_int(is_batch), er_int(id)));
    if (rc < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_EDGES_DELETE_PARENT,
                     ER_ARGS(er_int(is_batch), er_int(id)));
}

int er_attempt_add(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                   const char *worker)
{
    int rc = er_tx_run(tx, ER_SQL_ATTEMPT_INSERT,
                       ER_ARGS(er_int(job->id), er_int(job->attempt + 1),
                               er_int(out->started_ms), er_int(out->ended_ms),
                               er_text(worker), er_int(out->kind), er_int(out->cause),
                               er_int(out->exit_code), er_int(out->signal),
                               er_int(out->max_rss_kib), er_int(out->cpu_ms),
                               er_blob_or_null(out->error), er_blob_or_null(out->log)));

    if (rc < 0)
        return rc;
    if (job->attempt + 1 > ERRAND_ATTEMPTS_KEPT)
        return er_tx_run(tx, ER_SQL_ATTEMPTS_TRIM,
                         ER_ARGS(er_int(job->id), er_int(ERRAND_ATTEMPTS_KEPT)));
    if (job->flags & ER_FLAG_ATTEMPTS)
        return 0;
    job->flags |= ER_FLAG_ATTEMPTS;
    return er_job_flag(tx, job->id, ER_FLAG_ATTEMPTS, 0);
}
