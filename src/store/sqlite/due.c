/* due.c: SCHEDULED jobs whose time has come, in order of run-at and insertion. */
#include "store/sqlite/sqlite.h"

enum { DUE_CHUNK = 1000 };

int er_due(struct er_tx *tx, int64_t queue, size_t *ret_n)
{
    struct er_job *jobs = errand_arena_alloc(tx->scratch, DUE_CHUNK * sizeof *jobs);
    sqlite3_stmt *st;
    size_t n = 0;
    int rc;

    if (!jobs)
        return er_tx_nomem(tx);
    if (!(st = er_tx_bind(tx, ER_SQL_DUE,
                          ER_ARGS(er_int(queue), er_int(tx->now_ms), er_int(DUE_CHUNK)))))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0)
        jobs[n++] = (struct er_job){.run_at = sqlite3_column_int64(st, 0),
                                    .id = sqlite3_column_int64(st, 1),
                                    .priority = sqlite3_column_int(st, 2),
                                    .queue = queue,
                                    .state = ERRAND_READY};
    for (size_t i = 0; rc == 0 && i < n; i++)
        if ((rc = er_tx_run(tx, ER_SQL_DUE_STATE, ER_ARGS(er_int(jobs[i].id)))) == 0)
            rc = er_job_enter(tx, &jobs[i]);
    *ret_n = n;
    if (rc < 0 || n == 0)
        return rc;
    return er_tx_run(
        tx, ER_SQL_DUE_DELETE_TO,
        ER_ARGS(er_int(queue), er_int(jobs[n - 1].run_at), er_int(jobs[n - 1].id)));
}
