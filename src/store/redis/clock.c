/* clock.c: the server's wall clock. */
#include "store/redis/redis.h"

int er_redis_op_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                      struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "clock", ER_LUA_CLOCK, ER_REPEAT_HARMLESS, 0, NULL);
    if ((rc = er_call_run(&call, err)) == 0)
        *ret_wall_ms = er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}
