/* history.c: how many completed jobs are kept. */
#include "store/sqlite/sqlite.h"

enum { EXACT_MAX = 100, SLACK_MAX = 1000, CHUNK = 1000 };

/* Up to a hundred the number is exact; above, up to a tenth more (and never more than a
 * thousand) are let stand, so that many go in one statement: pruning each time costs four
 * times as much. */
static int64_t slack(int64_t keep_n)
{
    if (keep_n <= EXACT_MAX)
        return 0;
    return keep_n / 10 < SLACK_MAX ? keep_n / 10 : SLACK_MAX;
}

struct old {
    int64_t id, ended_at, created_at;
    uint32_t flags;
};

int er_history_forget(struct er_tx *tx, int64_t id, int64_t queue, int64_t created_at,
                      uint32_t flags, bool is_deleted)
{
    struct er_job job = {
        .id = id, .queue = queue, .flags = flags, .created_at = created_at};
    struct er_count *count = er_tx_count(tx, queue);
    int rc;

    if (!count)
        return ERRAND_ENOMEM;
    if (((flags & ER_FLAG_UNIQUE) && (rc = er_unique_drop(tx, &job, is_deleted)) < 0) ||
        ((flags & ER_FLAG_CHILDREN) && (rc = er_parent_forget(tx, false, id)) < 0) ||
        (rc = er_job_forget(tx, id, flags)) < 0)
        return rc;
    count->delta[ERRAND_COMPLETED]--;
    return er_tx_run(tx, ER_SQL_HISTORY_DELETE, ER_ARGS(er_int(id)));
}

/* The oldest of a queue, up to CHUNK of them, in one range when nothing is beside them.
 */
static int forget_oldest(struct er_tx *tx, int64_t queue, int64_t n)
{
    struct old *old = errand_arena_alloc(tx->scratch, CHUNK * sizeof *old);
    struct er_count *count;
    uint32_t any = 0;
    sqlite3_stmt *st;
    size_t got = 0;
    int rc;

    if (!old)
        return er_tx_nomem(tx);
    if (!(st = er_tx_bind(tx, ER_SQL_HISTORY_OLDEST,
                          ER_ARGS(er_int(queue), er_int(n < CHUNK ? n : CHUNK)))))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        old[got] = (struct old){.id = sqlite3_column_int64(st, 0),
                                .flags = (uint32_t)sqlite3_column_int64(st, 1),
                                .created_at = sqlite3_column_int64(st, 2)};
        any |= old[got++].flags;
    }
    if (rc < 0 || !got)
        return rc;
    for (size_t i = 0; any && rc == 0 && i < got; i++)
        rc = er_history_forget(tx, old[i].id, queue, old[i].created_at, old[i].flags,
                               false);
    if (any || rc < 0)
        return rc;
    if ((rc = er_tx_run(tx, ER_SQL_HISTORY_DELETE_TO,
                        ER_ARGS(er_int(queue), er_int(old[got - 1].id)))) < 0)
        return rc;
    if (!(count = er_tx_count(tx, queue)))
        return ERRAND_ENOMEM;
    count->delta[ERRAND_COMPLETED] -= er_tx_changes(tx);
    return 0;
}

int er_history_trim(struct er_tx *tx)
{
    int64_t keep = tx->conn->keep_n;

    if (keep <= 0)
        return 0;
    for (size_t i = 0, n = tx->counts_n; i < n; i++) {
        int64_t queue = tx->counts[i].queue, kept;
        int rc;
        if (tx->counts[i].delta[ERRAND_COMPLETED] <= 0)
            continue;
        if ((rc = er_tx_number(tx, ER_SQL_QUEUE_COMPLETED, ER_ARGS(er_int(queue)),
                               &kept)) <= 0)
            return rc;
        kept += tx->counts[i].delta[ERRAND_COMPLETED];
        if (kept <= keep + slack(keep))
            continue;
        /* More than came in goes out, so that a limit that was lowered is reached. */
        while (kept > keep) {
            if ((rc = forget_oldest(tx, queue, kept - keep)) < 0)
                return rc;
            kept -= CHUNK;
            if (kept - keep > 10 * CHUNK)
                break;
        }
    }
    return 0;
}
