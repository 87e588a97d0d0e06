/* load.c: what another store held, as it was there: rows are written whole, and nothing
 * follows from them. Ids of another store are ids of their own here. */
#include "store/sqlite/push.h"
#include "store/sqlite/sqlite.h"

#include "base/error.h"

/* ------------------------------------------------------------ one job */

/* An attempt that a completed job's own row tells, see last_attempt() in look.c. */
static bool is_told_by_row(const struct errand_job_detail *from)
{
    const struct errand_attempt *last;

    if (from->job.state != ERRAND_COMPLETED || !from->attempts_n)
        return false;
    last = &from->attempts[from->attempts_n - 1];
    return last->outcome == ERRAND_OUT_DONE && last->cause == ERRAND_CAUSE_NONE &&
           last->n == from->job.attempts && !last->exit_code && !last->signal &&
           !last->error.len && !last->log.len;
}

static uint32_t flags_of(const struct errand_job_detail *from)
{
    return er_limits_flags(from->limits, from->limits_n) | ER_FLAG_OWN_ID |
           (from->job.tags_n ? ER_FLAG_TAGS : 0u) | (from->unique ? ER_FLAG_UNIQUE : 0u) |
           (from->job.batch.text[0] ? ER_FLAG_BATCH : 0u) |
           (from->attempts_n > is_told_by_row(from) ? ER_FLAG_ATTEMPTS : 0u) |
           (from->parents_n ? ER_FLAG_PARENTS : 0u) |
           (from->has_failed_hook ? ER_FLAG_HOOK : 0u);
}

static int completed_insert(struct er_tx *tx, const struct errand_job_detail *from,
                            const struct er_job *job, struct errand_slice asks)
{
    static const struct errand_attempt none;
    const struct errand_job_info *info = &from->job;
    const struct errand_attempt *last =
        from->attempts_n ? &from->attempts[from->attempts_n - 1] : &none;

    return er_tx_run(
        tx, ER_SQL_HISTORY_LOAD,
        ER_ARGS(er_int(job->id), er_int(job->queue), er_int(job->name),
                er_int(job->priority), er_int(job->run_at), er_int(job->attempt),
                er_int(job->tries), er_int(job->flags), er_int(job->created_at),
                er_int_or_null(job->batch), er_int(info->started_ms),
                er_int(last->ended_ms - last->started_ms), er_int(info->finished_ms),
                er_int(last->max_rss_kib), er_int(last->cpu_ms), er_text(info->worker),
                er_blob_or_null(info->options), er_blob(info->data),
                er_blob_or_null(info->result), er_blob_or_null(asks)));
}

static int living_insert(struct er_tx *tx, const struct errand_job_detail *from,
                         const struct er_job *job, struct errand_slice asks)
{
    const struct errand_job_info *info = &from->job;
    int rc = er_tx_run(
        tx, ER_SQL_JOB_LOAD,
        ER_ARGS(er_int(job->id), er_int(job->queue), er_int(job->name),
                er_int(job->state), er_int(job->priority), er_int(job->run_at),
                er_int(job->attempt), er_int(job->tries), er_int(job->flags),
                er_int(job->waits), er_int(job->created_at), er_int_or_null(job->batch),
                er_int_or_null(info->finished_ms), er_int_or_null(info->started_ms),
                er_text(info->worker[0] ? info->worker : NULL),
                er_blob_or_null(info->options), er_blob(info->data),
                er_blob_or_null(info->error), er_blob_or_null(asks)));

    if (rc < 0)
        return rc;
    if (er_state_is_final(info->state))
        return er_tx_run(tx, ER_SQL_FINISHED_INSERT,
                         ER_ARGS(er_int(job->state), er_int(job->id),
                                 er_int(info->finished_ms), er_int(job->queue)));
    return er_job_enter(tx, job);
}

static int attempts_insert(struct er_tx *tx, const struct errand_job_detail *from,
                           int64_t id)
{
    size_t n = from->attempts_n - is_told_by_row(from);

    for (size_t i = 0; i < n; i++) {
        const struct errand_attempt *a = &from->attempts[i];
        int rc = er_tx_run(
            tx, ER_SQL_ATTEMPT_LOAD,
            ER_ARGS(er_int(id), er_int((int64_t)i + 1), er_int(a->n),
                    er_int(a->started_ms), er_int(a->ended_ms), er_text(a->worker),
                    er_int(a->outcome), er_int(a->cause), er_int(a->exit_code),
                    er_int(a->signal), er_int(a->max_rss_kib), er_int(a->cpu_ms),
                    er_blob_or_null(a->error), er_blob_or_null(a->log)));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int side_rows(struct er_tx *tx, const struct errand_job_detail *from,
                     const struct er_job *job)
{
    int rc = er_tx_run(tx, ER_SQL_ID_INSERT,
                       ER_ARGS(er_text(from->job.id.text), er_int(job->id)));

    for (size_t i = 0; rc == 0 && i < from->job.tags_n; i++)
        rc = er_tx_run(
            tx, ER_SQL_TAG_INSERT,
            ER_ARGS(er_int(job->id), er_int((int64_t)i), er_text(from->job.tags[i])));
    if (rc == 0 && job->batch)
        rc = er_tx_run(tx, ER_SQL_BATCH_JOB_INSERT,
                       ER_ARGS(er_int(job->batch), er_int(job->id)));
    if (rc == 0 && from->unique)
        rc = er_unique_load(tx, job->id, from->unique->key, from->unique_until_ms);
    if (rc == 0 && from->is_hook_due)
        rc = er_hook_due(tx, job);
    return rc < 0 ? rc : attempts_insert(tx, from, job->id);
}

static int job_fill(struct er_tx *tx, const struct errand_job_detail *from,
                    struct er_job *ret)
{
    const struct errand_job_info *info = &from->job;
    int rc;

    *ret = (struct er_job){
        .id = er_tx_take_id(tx),
        .state = (int)info->state,
        .priority = info->priority,
        .run_at = info->run_at_ms,
        .created_at = info->created_ms,
        .attempt = info->attempts,
        .tries = info->tries,
        .waits = (int32_t)info->waits_n,
        .flags = flags_of(from),
    };
    if ((rc = er_id_room(tx, ret->id)) < 0 ||
        (rc = er_queue_id(tx, info->queue, true, &ret->queue)) < 0 ||
        (rc = er_name_id(tx, info->name, true, &ret->name)) < 0)
        return rc;
    return info->batch.text[0] ? er_batch_find(tx, &info->batch, &ret->batch) : 0;
}

static int job_insert(struct er_tx *tx, const struct errand_job_detail *from)
{
    const struct er_asks asks = {from->unique, from->limits, from->limits_n};
    struct errand_slice asks_text;
    struct er_count *count;
    struct er_job job;
    int rc;

    if ((rc = job_fill(tx, from, &job)) < 0 ||
        (rc = er_asks_encode(tx, &asks, &asks_text)) < 0)
        return rc;
    rc = from->job.state == ERRAND_COMPLETED ? completed_insert(tx, from, &job, asks_text)
                                             : living_insert(tx, from, &job, asks_text);
    if (rc < 0 || (rc = side_rows(tx, from, &job)) < 0)
        return rc;
    if (!(count = er_tx_count(tx, job.queue)))
        return ERRAND_ENOMEM;
    count->delta[from->job.state]++;
    return 0;
}

static int load_job(struct er_tx *tx, const struct errand_job_detail *from,
                    struct errand_pushed_job *ret)
{
    int64_t known;
    int rc = er_id_find(tx, &from->job.id, &known);

    *ret = (struct errand_pushed_job){.id = from->job.id, .state = from->job.state};
    if (rc < 0)
        return rc;
    if (rc == 0)
        return job_insert(tx, from);
    ret->pushed = ERRAND_DUPLICATE;
    return er_pushed_state(tx, known, &ret->state);
}

/* ------------------------------------------------------------ edges */

/* 1 and the parents of a job, or 0 when one of them is not there. */
static int parents_find(struct er_tx *tx, const struct errand_job_detail *from,
                        int64_t *ret)
{
    int rc = 1;

    for (size_t i = 0; rc > 0 && i < from->parents_n; i++) {
        const struct errand_edge_info *parent = &from->parents[i];
        rc = parent->is_batch ? er_tx_number(tx, ER_SQL_BATCH_FIND,
                                             ER_ARGS(er_text(parent->id.text)), &ret[i])
                              : er_id_find(tx, &parent->id, &ret[i]);
    }
    return rc;
}

static int edge_insert(struct er_tx *tx, const struct errand_edge_info *from,
                       struct er_edge *edge)
{
    int rc = er_edge_status_now(tx, edge, &edge->status);

    if (rc < 0)
        return rc;
    if (from->is_satisfied)
        edge->status = ER_EDGE_SATISFIED;
    else if (from->has_cancelled)
        edge->status = ER_EDGE_CANCELLED_BY;
    return er_tx_run(tx, ER_SQL_EDGE_INSERT,
                     ER_ARGS(er_int(edge->kind), er_int(edge->parent),
                             er_int(edge->child), er_int(edge->n), er_int(edge->on),
                             er_int(edge->status)));
}

static int load_edges(struct er_tx *tx, const struct errand_job_detail *from)
{
    int64_t *parents, child, first;
    int rc;

    if (!from->parents_n)
        return 0;
    if (!(parents = errand_arena_alloc(tx->scratch, from->parents_n * sizeof *parents)))
        return er_tx_nomem(tx);
    if ((rc = er_id_find(tx, &from->job.id, &child)) <= 0 ||
        (rc = er_tx_number(tx, ER_SQL_EDGES_OF_CHILD, ER_ARGS(er_int(child)), &first)) !=
            0)
        return rc < 0 ? rc : 0;
    if ((rc = parents_find(tx, from, parents)) <= 0)
        return rc;
    for (size_t i = 0; i < from->parents_n; i++) {
        struct er_edge edge = {.kind = from->parents[i].is_batch,
                               .parent = parents[i],
                               .child = child,
                               .n = (int64_t)i,
                               .on = from->parents[i].on};
        if ((rc = edge_insert(tx, &from->parents[i], &edge)) < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------ the rest */

static int load_batch(struct er_tx *tx, const struct errand_batch_info *from)
{
    er_tx_extra(tx, ER_EXTRA_BATCHES);
    return er_tx_run(
        tx, ER_SQL_BATCH_LOAD,
        ER_ARGS(er_text(from->id.text), er_text(from->name), er_int(from->allow_failures),
                er_int(from->cancelled), er_int(from->total), er_int(from->pending),
                er_int(from->failed), er_int(from->cancelled_n), er_int(from->created_ms),
                er_int(from->ended_ms), er_blob_or_null(from->options)));
}

static int load_schedule(struct er_tx *tx, const struct errand_schedule *from)
{
    tx->wake |= ERRAND_WAIT_SCHEDULES;
    return er_tx_run(tx, ER_SQL_SCHEDULE_LOAD,
                     ER_ARGS(er_text(from->name), er_blob(from->spec),
                             er_int(from->paused), er_int(from->next_ms),
                             er_int(from->last_slot_ms), er_text(from->last_job.text),
                             er_int(from->missed_n)));
}

static int load(struct er_tx *tx, const struct errand_load_params *p,
                struct errand_load_result *ret)
{
    int rc;

    if (!(ret->jobs = errand_arena_alloc(tx->arena, p->jobs_n * sizeof *ret->jobs)))
        return er_tx_nomem(tx);
    /* The newest row will not say the newest time any more. */
    if ((rc = er_last_ms_set(tx)) < 0)
        return rc;
    tx->is_root_dirty = true;
    for (size_t i = 0; rc == 0 && i < p->schedules_n; i++)
        rc = load_schedule(tx, &p->schedules[i]);
    for (size_t i = 0; rc == 0 && i < p->batches_n; i++)
        rc = load_batch(tx, &p->batches[i]);
    for (size_t i = 0; rc == 0 && i < p->jobs_n; i++)
        rc = load_job(tx, &p->jobs[i], &ret->jobs[i]);
    for (size_t i = 0; rc == 0 && i < p->jobs_n; i++)
        rc = load_edges(tx, &p->jobs[i]);
    return rc;
}

int er_sqlite_load(struct errand_conn *conn, const struct errand_load_params *p,
                   struct errand_arena *arena, struct errand_load_result *ret,
                   struct errand_error *err)
{
    struct errand_load_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "load", p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, load(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
