/* batch_ops.c: looking at batches and cancelling them. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>

#include "base/error.h"

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_batch_info *ret = ret_row;

    *ret = (struct errand_batch_info){
        .name = er_col_text(st, 1, tx->arena),
        .allow_failures = sqlite3_column_int(st, 2),
        .cancelled = sqlite3_column_int(st, 3),
        .total = sqlite3_column_int64(st, 4),
        .pending = sqlite3_column_int64(st, 5),
        .failed = sqlite3_column_int64(st, 6),
        .cancelled_n = sqlite3_column_int64(st, 7),
        .created_ms = sqlite3_column_int64(st, 8),
        .ended_ms = sqlite3_column_int64(st, 9),
        .options = er_col_slice(st, 10, tx->arena),
    };
    snprintf(ret->id.text, sizeof ret->id.text, "%s", sqlite3_column_text(st, 0));
    return ret->name && ret->options.ptr ? 0 : er_tx_nomem(tx);
}

static int find(struct er_tx *tx, const struct errand_id *id, int64_t *ret)
{
    int rc = er_tx_number(tx, ER_SQL_BATCH_FIND, ER_ARGS(er_text(id->text)), ret);

    if (rc == 0)
        return errand_error_set(tx->err, ERRAND_ENOTFOUND, "there is no batch '%s'",
                                id->text);
    return rc < 0 ? rc : 0;
}

static int batch_get(struct er_tx *tx, const struct errand_id *id,
                     struct errand_batch_info *ret)
{
    sqlite3_stmt *st;
    int64_t number;
    int rc;

    if ((rc = find(tx, id, &number)) < 0)
        return rc;
    if (!(st = er_tx_bind(tx, ER_SQL_BATCH_READ, ER_ARGS(er_int(number)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    rc = row_fill(tx, st, ret);
    sqlite3_reset(st);
    return rc;
}

int er_sqlite_batch_get(struct errand_conn *conn, const struct errand_id *id,
                        struct errand_arena *arena, struct errand_batch_info *ret,
                        struct errand_error *err)
{
    struct errand_batch_info result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, 0, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, batch_get(&tx, id, &result))) == 0)
        *ret = result;
    return rc;
}

static int batch_cancel(struct er_tx *tx, const struct errand_id *id, size_t *ret_n)
{
    struct er_batch *batch;
    int64_t number;
    int rc;

    if ((rc = find(tx, id, &number)) < 0 || (rc = er_batch_load(tx, number, &batch)) < 0)
        return rc;
    if (batch->ended_at)
        return 0;
    if ((rc = er_batch_stop(tx, batch, true, ret_n)) < 0)
        return rc;
    return er_follow(tx);
}

int er_sqlite_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                           int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    struct er_tx tx;
    size_t n = 0;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "batch_cancel", now_ms, NULL, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, batch_cancel(&tx, id, &n))) == 0)
        *ret_n = n;
    return rc;
}

static int batches(struct er_tx *tx, const struct errand_id *after, size_t max,
                   struct errand_batch_info **ret, size_t *ret_n)
{
    int64_t from = INT64_MAX;
    sqlite3_stmt *st;
    int rc;

    if (after->text[0] && (rc = find(tx, after, &from)) < 0)
        return rc;
    if (max > INT64_MAX)
        max = INT64_MAX;
    st = er_tx_bind(tx, ER_SQL_BATCHES_READ, ER_ARGS(er_int(from), er_int((int64_t)max)));
    return er_tx_answer(tx, st, row_fill, sizeof **ret, ret, ret_n);
}

int er_sqlite_batches(struct errand_conn *conn, const struct errand_id *after, size_t max,
                      struct errand_arena *arena, struct errand_batch_info **ret,
                      size_t *ret_n, struct errand_error *err)
{
    struct errand_batch_info *rows = NULL;
    struct er_tx tx;
    size_t n = 0;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, 0, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, batches(&tx, after, max, &rows, &n))) == 0) {
        *ret = rows;
        *ret_n = n;
    }
    return rc;
}
