/* queues.c: queues with their counts, and pausing them. */
#include "store/redis/redis.h"

#include "base/error.h"

static void queue_read(struct er_unpack *u, struct errand_arena *arena,
                       struct errand_queue_info *ret)
{
    er_unpack_array(u);
    ret->name = er_unpack_text(u, arena);
    for (int i = 0; i < ERRAND_STATES_N; i++)
        ret->counts[i] = er_unpack_int(u);
    ret->paused_until_ms = er_unpack_int(u);
    ret->oldest_ready_ms = er_unpack_int(u);
}

static int queues_read(const struct er_call *call, struct errand_queues_result *ret,
                       struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    size_t n = er_unpack_array(&u);

    if (!(ret->queues = errand_arena_alloc(call->arena, n * sizeof *ret->queues)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        queue_read(&u, call->arena, &ret->queues[i]);
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->queues_n = n;
    return 0;
}

int er_redis_op_queues(struct errand_conn *conn, int64_t now_ms,
                       struct errand_arena *arena, struct errand_queues_result *ret,
                       struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "queues", ER_LUA_QUEUES, ER_REPEAT_HARMLESS, now_ms,
                  arena);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = queues_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}

int er_redis_op_queue_pause(struct errand_conn *conn, const char *name, int64_t until_ms,
                            int64_t now_ms, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "queue_pause", ER_LUA_QUEUE_PAUSE, ER_REPEAT_HARMLESS,
                  now_ms, NULL);
    er_call_text(&call, name);
    er_call_int(&call, until_ms);
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}
