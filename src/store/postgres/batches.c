/* batches.c: looking at batches and cancelling them. */
#include "base/error.h"
#include "store/postgres/rest.h"

/* The columns of errand.batches (migrations/0001-tables.sql). */
static int batch_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                      void *ret_batch)
{
    struct errand_batch_info *ret = ret_batch;

    *ret = (struct errand_batch_info){
        .name = er_pg_get_text(rows, row, 2, arena),
        .allow_failures = er_pg_get_bool(rows, row, 3),
        .cancelled = er_pg_get_bool(rows, row, 4),
        .total = er_pg_get_int(rows, row, 5),
        .pending = er_pg_get_int(rows, row, 6),
        .failed = er_pg_get_int(rows, row, 7),
        .cancelled_n = er_pg_get_int(rows, row, 8),
        .created_ms = er_pg_get_int(rows, row, 9),
        .ended_ms = er_pg_get_int(rows, row, 10),
        .options = er_pg_get_bytes(rows, row, 11, arena),
    };
    er_pg_get_id(rows, row, 1, &ret->id);
    return ret->name && ret->options.ptr ? 0 : -1;
}

static int no_such_batch(const struct errand_id *id, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no batch '%s'", id->text);
}

int er_pg_op_batch_get(struct errand_conn *conn, const struct errand_id *id,
                       struct errand_arena *arena, struct errand_batch_info *ret,
                       struct errand_error *err)
{
    struct errand_batch_info *rows;
    struct er_pg_args args;
    size_t n;
    int rc;

    er_pg_args_init(&args);
    er_pg_text(&args, id->text);
    if ((rc = er_pg_ask_rows(conn, "batch_get", &args, batch_fill, sizeof *rows, arena,
                             &rows, &n, err)) < 0)
        return rc;
    if (n == 0)
        return no_such_batch(id, err);
    *ret = rows[0];
    return 0;
}

int er_pg_op_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                          int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    struct er_pg_args args;
    int64_t n;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    er_pg_text(&args, id->text);
    if ((rc = er_pg_ask_int(conn, "batch_cancel", ER_PG_ONCE, &args, &n, err)) < 0)
        return rc;
    if (n < 0)
        return no_such_batch(id, err);
    *ret_n = (size_t)n;
    return 0;
}

int er_pg_op_batches(struct errand_conn *conn, const struct errand_id *after, size_t max,
                     struct errand_arena *arena, struct errand_batch_info **ret,
                     size_t *ret_n, struct errand_error *err)
{
    struct errand_batch_info *rows;
    struct er_pg_args args;
    size_t n;
    int rc;

    er_pg_args_init(&args);
    er_pg_text(&args, after->text);
    er_pg_int(&args, max > INT32_MAX ? INT32_MAX : (int64_t)max);
    if ((rc = er_pg_ask_rows(conn, "batches_look", &args, batch_fill, sizeof *rows, arena,
                             &rows, &n, err)) < 0)
        return rc;
    /* A row without an id: see sql/batches.sql. */
    if (n && !rows[0].id.text[0])
        return no_such_batch(after, err);
    *ret = rows;
    *ret_n = n;
    return 0;
}
