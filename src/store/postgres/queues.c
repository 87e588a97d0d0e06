/* queues.c: what queues hold, and pausing them. */
#include "store/postgres/rest.h"

static int queue_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                      void *ret_queue)
{
    struct errand_queue_info *ret = ret_queue;

    ret->name = er_pg_get_text(rows, row, 0, arena);
    for (int state = 0; state < ERRAND_STATES_N; state++)
        ret->counts[state] = er_pg_get_int(rows, row, 1 + state);
    ret->paused_until_ms = er_pg_get_int(rows, row, 1 + ERRAND_STATES_N);
    ret->oldest_ready_ms = er_pg_get_int(rows, row, 2 + ERRAND_STATES_N);
    return ret->name ? 0 : -1;
}

int er_pg_op_queues(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_queues_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    return er_pg_ask_rows(conn, "queues_look", &args, queue_fill, sizeof *ret->queues,
                          arena, &ret->queues, &ret->queues_n, err);
}

int er_pg_op_queue_pause(struct errand_conn *conn, const char *queue, int64_t until_ms,
                         int64_t now_ms, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    er_pg_text(&args, queue);
    er_pg_int(&args, until_ms);
    return er_pg_tell(conn, "queue_pause", ER_PG_HARMLESS, &args, err);
}
