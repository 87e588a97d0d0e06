/* exchange.c: settle and reserve in one transaction; extend; reap. */
#include "store/sqlite/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int exchange(struct er_tx *tx, const struct errand_exchange_params *p,
                    struct errand_exchange_result *ret)
{
    int rc;

    ret->settled = errand_arena_alloc(tx->arena, p->outcomes_n * sizeof *ret->settled);
    if (!ret->settled)
        return er_tx_nomem(tx);
    if (p->outcomes_n &&
        ((rc = er_settle(tx, p->outcomes, p->outcomes_n, ret->settled)) < 0 ||
         (rc = er_history_trim(tx)) < 0))
        return rc;
    if (p->max && (rc = er_reserve(tx, p, ret)) < 0)
        return rc;
    ret->control = tx->root.control;
    ret->hints = er_tx_hints(tx);
    ret->moves = tx->moves;
    ret->moves_n = tx->moves_n;
    return 0;
}

int er_sqlite_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                       struct errand_arena *arena, struct errand_exchange_result *ret,
                       struct errand_error *err)
{
    struct errand_exchange_result result = {0};
    struct er_tx tx;
    int rc;

    rc = (p->outcomes_n ? er_tx_begin : er_tx_begin_light)(&tx, conn, "exchange",
                                                           p->now_ms, arena, err);
    if (rc < 0)
        return rc;
    tx.want_moves = p->want_moves;
    if ((rc = er_tx_end(&tx, exchange(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}

/* ------------------------------------------------------------ extend */

struct cancels {
    int64_t *jobs;
    size_t n;
};

static int cancels_read(struct er_tx *tx, struct cancels *ret)
{
    sqlite3_stmt *st;

    *ret = (struct cancels){0};
    if (!(tx->root.extras & ER_EXTRA_CANCELS))
        return 0;
    st = er_tx_bind(tx, ER_SQL_CANCELS_READ, ER_NO_ARGS);
    return er_tx_rows(tx, st, er_row_id, sizeof *ret->jobs, &ret->jobs, &ret->n);
}

static bool has_cancel(const struct cancels *cancels, int64_t id)
{
    for (size_t i = 0; i < cancels->n; i++)
        if (cancels->jobs[i] == id)
            return true;
    return false;
}

static int extend_one(struct er_tx *tx, struct er_lease *lease, int64_t lease_ms,
                      const struct cancels *cancels, struct errand_extend_result *ret)
{
    int64_t until_ms = tx->lease_ms + lease_ms;
    bool is_ours = lease->boot == tx->conn->boot;
    int rc;

    if ((until_ms > lease->until_ms || !is_ours) &&
        (rc = er_tx_run(tx, ER_SQL_LEASE_EXTEND,
                        ER_ARGS(er_int(lease->token), er_int(until_ms),
                                er_int(tx->conn->boot)))) < 0)
        return rc;
    for (size_t i = 0; cancels->n && i < lease->jobs_n; i++) {
        const struct er_lease_job *entry = &lease->jobs[i];
        struct errand_lease_job *row = &ret->cancelled[ret->cancelled_n];
        struct er_job job;
        if (entry->is_hook || !has_cancel(cancels, entry->id))
            continue;
        if ((rc = er_job_read(tx, entry->id, &job)) < 0)
            return rc;
        if (rc == 0)
            continue;
        *row = (struct errand_lease_job){.token = lease->token, .key = entry->id};
        if ((rc = er_id_of(tx, job.id, job.created_at, job.flags, &row->id)) < 0)
            return rc;
        ret->cancelled_n++;
    }
    return 0;
}

static int progress_one(struct er_tx *tx, const struct errand_progress *p,
                        enum errand_settled *ret)
{
    struct er_lease *lease;
    int64_t id = p->key;
    struct er_job job;
    int rc;

    *ret = ERRAND_LOST;
    if (!id && (rc = er_id_find(tx, &p->id, &id)) <= 0)
        return rc;
    if ((rc = er_lease_find(tx, p->token, &lease)) < 0 || !lease ||
        !er_lease_job(lease, id, false))
        return rc;
    if ((rc = er_job_read(tx, id, &job)) <= 0)
        return rc;
    if (!(job.flags & ER_FLAG_PROGRESS) &&
        (rc = er_job_flag(tx, id, ER_FLAG_PROGRESS, 0)) < 0)
        return rc;
    *ret = ERRAND_SETTLED;
    return er_tx_run(tx, ER_SQL_PROGRESS_PUT,
                     ER_ARGS(er_int(id), er_int(p->percent), er_blob_or_null(p->note)));
}

static int extend(struct er_tx *tx, const struct errand_extend_params *p,
                  struct errand_extend_result *ret)
{
    struct cancels cancels;
    int rc;

    ret->leases = errand_arena_alloc(tx->arena, p->tokens_n * sizeof *ret->leases);
    ret->progress = errand_arena_alloc(tx->arena, p->progress_n * sizeof *ret->progress);
    if (!ret->leases || !ret->progress)
        return er_tx_nomem(tx);
    if ((rc = cancels_read(tx, &cancels)) < 0)
        return rc;
    if (!(ret->cancelled =
              errand_arena_alloc(tx->arena, (cancels.n + 1) * sizeof *ret->cancelled)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < p->tokens_n; i++) {
        struct er_lease *lease;
        if ((rc = er_lease_find(tx, p->tokens[i], &lease)) < 0)
            return rc;
        ret->leases[i] = lease ? ERRAND_SETTLED : ERRAND_LOST;
        if (lease && (rc = extend_one(tx, lease, p->lease_ms, &cancels, ret)) < 0)
            return rc;
    }
    for (size_t i = 0; i < p->progress_n; i++)
        if ((rc = progress_one(tx, &p->progress[i], &ret->progress[i])) < 0)
            return rc;
    ret->until_ms = tx->now_ms + p->lease_ms;
    return 0;
}

int er_sqlite_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                     struct errand_arena *arena, struct errand_extend_result *ret,
                     struct errand_error *err)
{
    struct errand_extend_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_light(&tx, conn, "extend", p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, extend(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}

/* ------------------------------------------------------------ reap */

static int reap_job(struct er_tx *tx, const struct er_lease *lease, struct er_job *job,
                    bool all_hooks, struct errand_reap_result *ret)
{
    struct errand_outcome out = {
        .kind = ERRAND_OUT_RETRY,
        .started_ms = lease->started_at,
        .ended_ms = tx->now_ms,
        .error = {ERRAND_LEASE_ERROR, sizeof ERRAND_LEASE_ERROR - 1},
        .cause = ERRAND_CAUSE_LEASE,
    };
    bool is_spent = job->attempt + 1 >= job->tries;
    struct er_end end = {.state = ERRAND_FAILED, .from = ERRAND_RUNNING};
    int rc;

    if (job->flags & ER_FLAG_CANCEL) {
        out.kind = ERRAND_OUT_CANCELLED;
        end.state = ERRAND_CANCELLED;
    } else if (is_spent) {
        out.kind = ERRAND_OUT_FAIL;
    }
    if ((rc = er_job_tried(tx, job, &out, lease->worker)) < 0)
        return rc;
    if (out.kind == ERRAND_OUT_RETRY) {
        ret->ready_n++;
        if ((rc = er_job_stopped(tx, job)) < 0 || (rc = er_job_place(tx, job)) < 0 ||
            (rc = er_job_enter(tx, job)) < 0 ||
            (rc = er_job_count(tx, job, ERRAND_RUNNING, ERRAND_READY)) < 0)
            return rc;
        return er_tx_move(tx, job, ERRAND_RUNNING, ERRAND_READY, job->attempt);
    }
    ret->failed_n += out.kind == ERRAND_OUT_FAIL;
    ret->cancelled_n += out.kind == ERRAND_OUT_CANCELLED;
    if ((rc = er_tell_job(tx, job, ER_TOLD_STALLED, job->attempt, out.error)) < 0 ||
        (rc = er_job_end(tx, job, &end)) < 0)
        return rc;
    if (out.kind == ERRAND_OUT_FAIL && ((job->flags & ER_FLAG_HOOK) || all_hooks) &&
        (rc = er_hook_due(tx, job)) < 0)
        return rc;
    return er_tx_move(tx, job, ERRAND_RUNNING, end.state, job->attempt);
}

static int reap_entry(struct er_tx *tx, struct er_lease *lease,
                      struct er_lease_job *entry, bool all_hooks,
                      struct errand_reap_result *ret)
{
    struct er_job job;
    int rc;

    er_lease_drop(lease, entry);
    if ((rc = er_job_read(tx, entry->id, &job)) <= 0)
        return rc;
    if (entry->is_hook) {
        ret->hooks_n++;
        return er_hook_due(tx, &job);
    }
    if ((rc = reap_job(tx, lease, &job, all_hooks, ret)) < 0)
        return rc;
    return er_follow(tx);
}

static int reap(struct er_tx *tx, const struct errand_reap_params *p,
                struct errand_reap_result *ret)
{
    size_t n = 0, over_n;
    int rc;

    if ((rc = er_leases_load(tx, ER_SQL_LEASES_OVER,
                             ER_ARGS(er_int(tx->lease_ms), er_int(tx->conn->boot)))) < 0)
        return rc;
    over_n = tx->leases_n; /* follow-ups may load others behind them */
    for (size_t i = 0; i < over_n; i++)
        for (size_t j = 0; j < tx->leases[i].jobs_n; j++) {
            if (tx->leases[i].jobs[j].is_gone)
                continue;
            if (n++ == p->max) {
                ret->more = true;
                goto out;
            }
            rc =
                reap_entry(tx, &tx->leases[i], &tx->leases[i].jobs[j], p->all_hooks, ret);
            if (rc < 0)
                return rc;
        }
out:
    ret->moves = tx->moves;
    ret->moves_n = tx->moves_n;
    return 0;
}

int er_sqlite_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                   struct errand_arena *arena, struct errand_reap_result *ret,
                   struct errand_error *err)
{
    struct errand_reap_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "reap", p->now_ms, arena, err)) < 0)
        return rc;
    tx.want_moves = p->want_moves;
    if ((rc = er_tx_end(&tx, reap(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
