/* check.c: does everything fit together? What one place says is counted again from the
 * others, in the server (sql/check.sql). */
#include "store/postgres/rest.h"

enum { FINDINGS_MAX = 100 };

static int finding_fill(const struct er_pg_rows *rows, int row,
                        struct errand_arena *arena, void *ret_finding)
{
    const char **ret = ret_finding;

    return (*ret = er_pg_get_text(rows, row, 0, arena)) ? 0 : -1;
}

int er_pg_op_check(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                   struct errand_check_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    (void)now_ms;
    er_pg_args_init(&args);
    er_pg_int(&args, FINDINGS_MAX);
    return er_pg_ask_rows(conn, "check_all", &args, finding_fill, sizeof *ret->findings,
                          arena, &ret->findings, &ret->findings_n, err);
}
