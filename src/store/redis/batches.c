/* batches.c: jobs that are watched together: one, a page of them, and cancelling one. How
 * they are counted and end is in lua/parts/batches.lua. */
#include "store/redis/redis.h"

#include <string.h>

#include "base/error.h"

static void batch_read(struct errand_slice packed, struct errand_arena *arena,
                       struct errand_batch_info *ret, bool *is_bad)
{
    struct er_unpack u = er_unpack_init(packed.ptr, packed.len);

    er_unpack_skip(&u); /* its number */
    ret->name = er_unpack_text(&u, arena);
    ret->allow_failures = er_unpack_int(&u) != 0;
    ret->cancelled = er_unpack_int(&u) != 0;
    ret->total = er_unpack_int(&u);
    ret->pending = er_unpack_int(&u);
    ret->failed = er_unpack_int(&u);
    ret->cancelled_n = er_unpack_int(&u);
    ret->created_ms = er_unpack_int(&u);
    ret->ended_ms = er_unpack_int(&u);
    ret->options = er_unpack_copy(&u, arena);
    *is_bad |= u.is_bad;
}

int er_redis_op_batch_get(struct errand_conn *conn, const struct errand_id *id,
                          struct errand_arena *arena, struct errand_batch_info *ret,
                          struct errand_error *err)
{
    struct er_call call;
    bool is_bad = false;
    int rc;

    er_call_begin(&call, conn, "batch_get", ER_LUA_BATCH_GET, ER_REPEAT_HARMLESS, 0,
                  arena);
    er_call_id(&call, id);
    er_call_text(&call, id->text);
    if ((rc = er_call_run(&call, err)) == 0) {
        ret->id = *id;
        batch_read(er_reply_slice(&call, 0), arena, ret, &is_bad);
        if (is_bad)
            rc = er_reply_bad(&call, err);
    }
    er_call_end(&call);
    return rc;
}

int er_redis_op_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                             int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "batch_cancel", ER_LUA_BATCH_CANCEL, ER_REPEAT_HARMLESS,
                  now_ms, NULL);
    er_call_id(&call, id);
    er_call_text(&call, id->text);
    if ((rc = er_call_run(&call, err)) == 0)
        *ret_n = (size_t)er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}

static int batches_read(const struct er_call *call, struct errand_batch_info **ret,
                        size_t *ret_n, struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    size_t n = er_unpack_array(&u) / 2;
    struct errand_batch_info *rows = errand_arena_alloc(call->arena, n * sizeof *rows);
    bool is_bad = false;

    if (!rows)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        er_unpack_id(&u, &rows[i].id);
        batch_read(er_unpack_slice(&u), call->arena, &rows[i], &is_bad);
    }
    if (u.is_bad || is_bad)
        return er_reply_bad(call, err);
    *ret = rows;
    *ret_n = n;
    return 0;
}

int er_redis_op_batches(struct errand_conn *conn, const struct errand_id *after,
                        size_t max, struct errand_arena *arena,
                        struct errand_batch_info **ret, size_t *ret_n,
                        struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "batches", ER_LUA_BATCHES, ER_REPEAT_HARMLESS, 0, arena);
    er_call_int(&call, (int64_t)max);
    if (after->text[0]) {
        er_call_id(&call, after);
        er_call_text(&call, after->text);
    }
    if ((rc = er_call_run(&call, err)) == 0)
        rc = batches_read(&call, ret, ret_n, err);
    er_call_end(&call);
    return rc;
}
