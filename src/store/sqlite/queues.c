/* queues.c: queues with their counters, and pausing them. */
#include "store/sqlite/sqlite.h"

#include "base/error.h"

enum { COL_ID, COL_NAME, COL_COUNTS, COL_PAUSED = COL_COUNTS + ERRAND_STATES_N };

/* The oldest over all priorities: one seek a priority, there are few. */
static int oldest_ready(struct er_tx *tx, int64_t queue, int64_t *ret)
{
    int64_t priority = INT64_MIN, at;
    sqlite3_stmt *st;
    int rc;

    *ret = 0;
    do {
        if (!(st = er_tx_bind(tx, ER_SQL_READY_OLDEST,
                              ER_ARGS(er_int(queue), er_int(priority)))))
            return tx->err->code;
        if ((rc = er_tx_next(tx, st)) > 0) {
            priority = sqlite3_column_int64(st, 0);
            at = sqlite3_column_int64(st, 1);
            *ret = !*ret || at < *ret ? at : *ret;
            sqlite3_reset(st);
        }
    } while (rc > 0);
    if (rc < 0)
        return rc;
    if ((rc = er_tx_number(tx, ER_SQL_PARKED_OLDEST, ER_ARGS(er_int(queue)), &at)) > 0 &&
        at)
        *ret = !*ret || at < *ret ? at : *ret;
    return rc < 0 ? rc : 0;
}

static int queues(struct er_tx *tx, struct errand_queues_result *ret)
{
    struct errand_queue_info *rows = NULL;
    int64_t *ids = NULL;
    size_t n = 0, rows_max = 0, ids_max = 0;
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_QUEUES_READ, ER_NO_ARGS);
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        int64_t paused_until = sqlite3_column_int64(st, COL_PAUSED);
        if (er_tx_grow(tx, &rows, n, &rows_max, sizeof *rows) < 0 ||
            er_tx_grow(tx, &ids, n, &ids_max, sizeof *ids) < 0 ||
            !(rows[n].name = er_col_text(st, COL_NAME, tx->arena))) {
            sqlite3_reset(st);
            return er_tx_nomem(tx);
        }
        ids[n] = sqlite3_column_int64(st, COL_ID);
        for (int s = 0; s < ERRAND_STATES_N; s++)
            rows[n].counts[s] = sqlite3_column_int64(st, COL_COUNTS + s);
        rows[n].paused_until_ms = paused_until > tx->now_ms ? paused_until : 0;
        n++;
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (rows[i].counts[ERRAND_READY])
            rc = oldest_ready(tx, ids[i], &rows[i].oldest_ready_ms);
    if (rc < 0)
        return rc;
    ret->queues =
        (struct errand_queue_info *)errand_arena_copy(tx->arena, rows, n * sizeof *rows);
    ret->queues_n = n;
    return ret->queues ? 0 : er_tx_nomem(tx);
}

int er_sqlite_queues(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_queues_result *ret, struct errand_error *err)
{
    struct errand_queues_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, queues(&tx, &result))) == 0)
        *ret = result;
    return rc;
}

int er_sqlite_queue_pause(struct errand_conn *conn, const char *queue, int64_t until_ms,
                          int64_t now_ms, struct errand_error *err)
{
    struct er_tx tx;
    int64_t id;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "queue_pause", now_ms, NULL, err)) < 0)
        return rc;
    if ((rc = er_queue_id(&tx, queue, true, &id)) == 0 &&
        (rc = er_tx_run(&tx, ER_SQL_QUEUE_PAUSE,
                        ER_ARGS(er_int(id), er_int(until_ms)))) == 0) {
        struct errand_event event = er_told_pause(queue, until_ms, tx.now_ms);
        rc = er_tell(&tx, &event);
    }
    tx.wake |= ERRAND_WAIT_READY; /* resumed, or paused until earlier */
    return er_tx_end(&tx, rc);
}
