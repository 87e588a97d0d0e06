/* locks.c: named locks with an owner, an end and a token that grows. */
#include "base/error.h"
#include "store/postgres/rest.h"

int er_pg_op_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                  struct errand_arena *arena, struct errand_lock_result *ret,
                  struct errand_error *err)
{
    struct er_pg_rows rows;
    struct er_pg_args args;
    const char *owner;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_bytes(&args, p->key);
    er_pg_text(&args, p->owner);
    er_pg_int(&args, p->ttl_ms);
    if ((rc = er_pg_ask(conn, "lock", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    if (!(owner = er_pg_get_text(&rows, 0, 2, arena)))
        rc = er_error_nomem(err);
    else
        *ret = (struct errand_lock_result){er_pg_get_int(&rows, 0, 0),
                                           er_pg_get_int(&rows, 0, 1), owner};
    er_pg_rows_done(&rows);
    return rc;
}

int er_pg_op_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                    struct errand_error *err)
{
    struct er_pg_rows rows;
    struct er_pg_args args;
    struct errand_slice holder;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_bytes(&args, p->key);
    er_pg_text(&args, p->owner);
    er_pg_int(&args, p->token);
    if ((rc = er_pg_ask(conn, "unlock", ER_PG_ONCE, &args, &rows, err)) < 0)
        return rc;
    holder = er_pg_peek(&rows, 0, 0);
    if (!er_pg_is_null(&rows, 0, 0))
        rc = holder.len
                 ? errand_error_set(err, ERRAND_ECONFLICT,
                                    "the lock is held by '%.*s', not '%s'",
                                    (int)holder.len, holder.ptr, p->owner)
                 : errand_error_set(err, ERRAND_ECONFLICT,
                                    "the lock is over: '%s' holds it no more", p->owner);
    er_pg_rows_done(&rows);
    return rc;
}
