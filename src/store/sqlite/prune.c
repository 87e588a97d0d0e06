/* prune.c: bounded deletion of what has ended, by age and by number. */
#include "store/sqlite/sqlite.h"

#include "base/error.h"

enum { BUCKETS_CHUNK = 1000 };

/* The policy of the call and that of the store; the stricter counts. Negative: keep. */
static int64_t stricter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a > b ? a : b;
    return a < b ? a : b;
}

struct policy {
    enum errand_state state;
    int64_t age_ms, keep_n;
};

struct pruned {
    int64_t id, ended_at;
};

/* The oldest ends of a queue: old ones, and as many as are over the number. */
static int pick(struct er_tx *tx, int64_t queue, const struct policy *policy,
                int64_t excess, size_t max, struct pruned **ret, size_t *ret_n)
{
    int64_t old = policy->age_ms >= 0 ? tx->now_ms - policy->age_ms : INT64_MIN;
    size_t rows_max = 0;
    sqlite3_stmt *st;
    int rc;

    *ret = NULL;
    *ret_n = 0;
    st = policy->state == ERRAND_COMPLETED
             ? er_tx_bind(tx, ER_SQL_PRUNE_HISTORY, ER_ARGS(er_int(queue)))
             : er_tx_bind(tx, ER_SQL_PRUNE_FINISHED,
                          ER_ARGS(er_int(policy->state), er_int(queue)));
    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        int64_t ended_at = sqlite3_column_int64(st, 1);
        bool is_excess = (int64_t)*ret_n < excess;
        if (*ret_n == max || (!is_excess && ended_at > old)) {
            sqlite3_reset(st);
            return 0;
        }
        if (er_tx_grow(tx, ret, *ret_n, &rows_max, sizeof **ret) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        (*ret)[(*ret_n)++] =
            (struct pruned){.id = sqlite3_column_int64(st, 0), .ended_at = ended_at};
    }
    return rc;
}

static int drop(struct er_tx *tx, int64_t queue, enum errand_state state, int64_t id)
{
    struct er_job job;
    sqlite3_stmt *st;
    int64_t created_at;
    uint32_t flags;
    int rc;

    if (state != ERRAND_COMPLETED) {
        rc = er_job_read(tx, id, &job);
        return rc <= 0 ? rc : er_job_drop(tx, &job, false);
    }
    if (!(st = er_tx_bind(tx, ER_SQL_HISTORY_ID, ER_ARGS(er_int(id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    created_at = sqlite3_column_int64(st, 0);
    flags = (uint32_t)sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return er_history_forget(tx, id, queue, created_at, flags, false);
}

static int prune_queue(struct er_tx *tx, int64_t queue, int64_t count,
                       const struct policy *policy, size_t max, size_t *ret_n)
{
    int64_t excess = policy->keep_n >= 0 ? count - policy->keep_n : 0;
    struct pruned *rows;
    size_t n;
    int rc;

    if (!count || *ret_n >= max || (policy->age_ms < 0 && excess <= 0))
        return 0;
    if ((rc = pick(tx, queue, policy, excess, max - *ret_n, &rows, &n)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = drop(tx, queue, policy->state, rows[i].id);
    *ret_n += n;
    return rc;
}

struct queue_count {
    int64_t id, counts[ERRAND_STATES_N];
};

static int queue_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct queue_count *ret = ret_row;

    (void)tx;
    ret->id = sqlite3_column_int64(st, 0);
    for (int s = 0; s < ERRAND_STATES_N; s++)
        ret->counts[s] = sqlite3_column_int64(st, 2 + s);
    return 0;
}

static int queues_read(struct er_tx *tx, struct queue_count **ret, size_t *ret_n)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_QUEUES_READ, ER_NO_ARGS);

    return er_tx_rows(tx, st, queue_fill, sizeof **ret, ret, ret_n);
}

static int prune_batches(struct er_tx *tx, int64_t until_ms)
{
    sqlite3_stmt *st =
        er_tx_bind(tx, ER_SQL_BATCHES_FORGOTTEN, ER_ARGS(er_int(until_ms)));
    int64_t *ids = NULL;
    size_t n = 0;
    int rc = er_tx_rows(tx, st, er_row_id, sizeof *ids, &ids, &n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = er_batch_drop(tx, ids[i]);
    return rc;
}

/* Not counted: what belongs to no job any more. */
static int prune_rest(struct er_tx *tx, int64_t age_ms)
{
    int rc = 0;

    if (age_ms >= 0 && (rc = prune_batches(tx, tx->now_ms - age_ms)) < 0)
        return rc;
    if ((rc = er_tx_run(tx, ER_SQL_BUCKETS_FORGET,
                        ER_ARGS(er_int(tx->now_ms), er_int(BUCKETS_CHUNK)))) < 0)
        return rc;
    if (er_tx_changes(tx) && (rc = er_tx_run(tx, ER_SQL_STARTS_ORPHANS, ER_NO_ARGS)) < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_STATS_FORGET,
                     ER_ARGS(er_int(tx->now_ms - ERRAND_STATS_KEPT_MS)));
}

static int prune(struct er_tx *tx, const struct errand_prune_params *p, size_t *ret_n)
{
    static const enum errand_state finals[] = {ERRAND_COMPLETED, ERRAND_FAILED,
                                               ERRAND_CANCELLED};
    struct queue_count *queues;
    size_t n;
    int rc = queues_read(tx, &queues, &n);

    for (size_t s = 0; s < sizeof finals / sizeof *finals; s++) {
        bool is_done = finals[s] == ERRAND_COMPLETED;
        struct policy policy = {
            .state = finals[s],
            .age_ms = stricter(p->age_ms[finals[s]], is_done ? tx->conn->keep_ms : -1),
            .keep_n = stricter(p->keep_n[finals[s]], is_done ? tx->conn->keep_n : -1),
        };
        for (size_t i = 0; rc == 0 && i < n; i++)
            rc = prune_queue(tx, queues[i].id, queues[i].counts[finals[s]], &policy,
                             p->max, ret_n);
    }
    return rc < 0 ? rc : prune_rest(tx, p->age_ms[ERRAND_COMPLETED]);
}

int er_sqlite_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                    size_t *ret_n, struct errand_error *err)
{
    struct er_tx tx;
    size_t n = 0;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "prune", p->now_ms, NULL, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, prune(&tx, p, &n))) == 0)
        *ret_n = n;
    return rc;
}
