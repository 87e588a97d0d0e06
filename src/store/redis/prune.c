/* prune.c: bounded deletion of what has ended, by age and by number. */
#include "store/redis/redis.h"

/* The policy of the call and that of the store; the stricter counts. Negative: keep. */
static int64_t stricter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a > b ? a : b;
    return a < b ? a : b;
}

int er_redis_op_prune(struct errand_conn *base, const struct errand_prune_params *p,
                      size_t *ret_n, struct errand_error *err)
{
    const struct er_redis *conn = (const struct er_redis *)base;
    struct er_call call;
    int rc;

    er_call_begin(&call, base, "prune", ER_LUA_PRUNE, ER_REPEAT_HARMLESS, p->now_ms,
                  NULL);
    er_call_int(&call, (int64_t)p->max);
    for (int state = ERRAND_COMPLETED; state <= ERRAND_CANCELLED; state++) {
        bool is_done = state == ERRAND_COMPLETED;
        er_call_int(&call, stricter(p->age_ms[state], is_done ? conn->keep_ms : -1));
        er_call_int(&call, stricter(p->keep_n[state], is_done ? conn->keep_n : -1));
    }
    er_call_int(&call, p->age_ms[ERRAND_COMPLETED]);
    if ((rc = er_call_run(&call, err)) == 0)
        *ret_n = (size_t)er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}
