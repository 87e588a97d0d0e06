/* limits.c: setting and reading limits, and taking from a rate directly. */
#include "base/error.h"
#include "store/postgres/rest.h"

int er_pg_op_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                       struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, limit->name);
    er_pg_int(&args, limit->kind);
    er_pg_int(&args, limit->scope);
    er_pg_text(&args, limit->target ? limit->target : "");
    er_pg_int(&args, limit->n);
    er_pg_int(&args, limit->per_ms);
    return er_pg_tell(conn, "limit_put", ER_PG_HARMLESS, &args, err);
}

int er_pg_op_limit_delete(struct errand_conn *conn, const char *name,
                          struct errand_error *err)
{
    struct er_pg_rows rows;
    struct er_pg_args args;
    bool was_there;
    int rc;

    er_pg_args_init(&args);
    er_pg_text(&args, name);
    if ((rc = er_pg_ask(conn, "limit_delete", ER_PG_ONCE, &args, &rows, err)) < 0)
        return rc;
    was_there = er_pg_get_bool(&rows, 0, 0);
    er_pg_rows_done(&rows);
    if (was_there)
        return 0;
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no limit '%s'", name);
}

static int limit_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                      void *ret_limit)
{
    struct errand_limit_info *ret = ret_limit;

    *ret = (struct errand_limit_info){
        .limit = {.name = er_pg_get_text(rows, row, 0, arena),
                  .kind = (enum errand_limit_kind)er_pg_get_int(rows, row, 1),
                  .scope = (enum errand_limit_scope)er_pg_get_int(rows, row, 2),
                  .target = er_pg_get_text(rows, row, 3, arena),
                  .n = er_pg_get_int(rows, row, 4),
                  .per_ms = er_pg_get_int(rows, row, 5)},
        .used = er_pg_get_int(rows, row, 6),
        .waiting = er_pg_get_int(rows, row, 7),
    };
    return ret->limit.name && ret->limit.target ? 0 : -1;
}

int er_pg_op_limits(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_limits_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    return er_pg_ask_rows(conn, "limits_look", &args, limit_fill, sizeof *ret->limits,
                          arena, &ret->limits, &ret->limits_n, err);
}

int er_pg_op_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                       struct errand_rate_result *ret, struct errand_error *err)
{
    struct er_pg_rows rows;
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_text(&args, p->name);
    er_pg_bytes(&args, p->key);
    er_pg_int(&args, p->n);
    er_pg_int(&args, p->per_ms);
    er_pg_int(&args, p->take);
    if ((rc = er_pg_ask(conn, "rate_take", ER_PG_ONCE, &args, &rows, err)) < 0)
        return rc;
    ret->retry_at_ms = er_pg_get_int(&rows, 0, 0);
    ret->allowed = er_pg_is_null(&rows, 0, 0);
    er_pg_rows_done(&rows);
    return 0;
}
