/* clock.c: the server's wall clock. */
#include "store/postgres/rest.h"

int er_pg_op_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                   struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    return er_pg_ask_int(conn, "clock_ms", ER_PG_HARMLESS, &args, ret_wall_ms, err);
}
