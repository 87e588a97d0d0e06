/* locks.c: named locks with an owner, an end and a token that grows. */
#include "store/redis/redis.h"

#include "base/error.h"

int er_redis_op_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                     struct errand_arena *arena, struct errand_lock_result *ret,
                     struct errand_error *err)
{
    struct errand_slice owner;
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "lock", ER_LUA_LOCK, ER_REPEAT_HARMLESS, p->now_ms, arena);
    er_call_slice(&call, p->key);
    er_call_text(&call, p->owner);
    er_call_int(&call, p->ttl_ms);
    if ((rc = er_call_run(&call, err)) == 0) {
        owner = er_reply_slice(&call, 2);
        ret->token = er_reply_int(&call, 0);
        ret->until_ms = er_reply_int(&call, 1);
        if (!(ret->owner = errand_arena_copy(arena, owner.ptr, owner.len)))
            rc = er_error_nomem(err);
    }
    er_call_end(&call);
    return rc;
}

/* Not repeated: that it was ours until the first try cannot be seen by the second. */
int er_redis_op_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                       struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "unlock", ER_LUA_UNLOCK, ER_REPEAT_NO, p->now_ms, NULL);
    er_call_slice(&call, p->key);
    er_call_text(&call, p->owner);
    er_call_int(&call, p->token);
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}
