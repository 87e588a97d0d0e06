/* limits.c: limits that are set, how they are used, and taking from a rate. How jobs keep
 * to them is in lua/parts/limits.lua. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int er_redis_op_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                          struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "limit_put", ER_LUA_LIMIT_PUT, ER_REPEAT_HARMLESS, 0,
                  NULL);
    er_call_text(&call, limit->name);
    er_call_int(&call, (int64_t)limit->kind);
    er_call_int(&call, (int64_t)limit->scope);
    er_call_text(&call, limit->target ? limit->target : "");
    er_call_int(&call, limit->n);
    er_call_int(&call, limit->per_ms);
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

int er_redis_op_limit_delete(struct errand_conn *conn, const char *name,
                             struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "limit_delete", ER_LUA_LIMIT_DELETE, ER_REPEAT_HARMLESS, 0,
                  NULL);
    er_call_text(&call, name);
    rc = er_call_run(&call, err);
    /* The first try, whose answer was lost, may have deleted it. */
    if (rc == ERRAND_ENOTFOUND && call.was_repeated)
        rc = 0;
    er_call_end(&call);
    return rc;
}

int er_redis_op_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                          struct errand_rate_result *ret, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "rate_take", ER_LUA_RATE_TAKE, ER_REPEAT_NO, p->now_ms,
                  NULL);
    er_call_text(&call, p->name);
    er_call_slice(&call, p->key);
    er_call_int(&call, p->n);
    er_call_int(&call, p->per_ms);
    er_call_int(&call, p->take);
    if ((rc = er_call_run(&call, err)) == 0) {
        ret->allowed = er_reply_int(&call, 0) != 0;
        ret->retry_at_ms = er_reply_int(&call, 1);
    }
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ list */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct errand_limit_info *)a)->limit.name,
                  ((const struct errand_limit_info *)b)->limit.name);
}

static void limit_read(struct er_unpack *u, struct errand_arena *arena,
                       struct errand_limit_info *ret)
{
    er_unpack_array(u);
    ret->limit.name = er_unpack_text(u, arena);
    ret->limit.kind = (enum errand_limit_kind)er_unpack_int(u);
    ret->limit.scope = (enum errand_limit_scope)er_unpack_int(u);
    ret->limit.target = er_unpack_text(u, arena);
    ret->limit.n = er_unpack_int(u);
    ret->limit.per_ms = er_unpack_int(u);
    ret->used = er_unpack_int(u);
    ret->waiting = er_unpack_int(u);
}

static int limits_read(const struct er_call *call, struct errand_limits_result *ret,
                       struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    size_t n = er_unpack_array(&u);

    if (!(ret->limits = errand_arena_alloc(call->arena, n * sizeof *ret->limits)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        limit_read(&u, call->arena, &ret->limits[i]);
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->limits_n = n;
    qsort(ret->limits, n, sizeof *ret->limits, by_name);
    return 0;
}

int er_redis_op_limits(struct errand_conn *conn, int64_t now_ms,
                       struct errand_arena *arena, struct errand_limits_result *ret,
                       struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "limits", ER_LUA_LIMITS, ER_REPEAT_HARMLESS, now_ms,
                  arena);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = limits_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}
