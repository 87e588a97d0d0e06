/* prune.c: bounded deletion of what has ended, by age and by number. */
#include "store/postgres/rest.h"

/* The policy of the call and that of the store; the stricter counts. Negative: keep. */
static int64_t stricter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a > b ? a : b;
    return a < b ? a : b;
}

/* An array by state; of COMPLETED jobs the store has a policy of its own. */
static void policy(struct er_pg_args *args, const int64_t *of_call, int64_t of_store)
{
    er_pg_array_begin(args, ER_PG_INTS);
    for (int state = 0; state < ERRAND_STATES_N; state++)
        er_pg_add_int(args, state == ERRAND_COMPLETED ? stricter(of_call[state], of_store)
                                                      : of_call[state]);
    er_pg_array_end(args);
}

int er_pg_op_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                   size_t *ret_n, struct errand_error *err)
{
    const struct er_pg *pg = (const struct er_pg *)conn;
    struct er_pg_args args;
    int64_t n;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    policy(&args, p->age_ms, pg->keep_ms);
    policy(&args, p->keep_n, pg->keep_n);
    er_pg_int(&args, p->age_ms[ERRAND_COMPLETED]);
    er_pg_int(&args, p->max > INT32_MAX ? INT32_MAX : (int64_t)p->max);
    if ((rc = er_pg_ask_int(conn, "prune", ER_PG_HARMLESS, &args, &n, err)) == 0)
        *ret_n = (size_t)n;
    return rc;
}
