/* workers.c: heartbeats up, commands down. */
#include "base/error.h"
#include "store/postgres/rest.h"

/* "{1,3}" comes as a word for each, joined by commas (sql/workers.sql). */
static int commands_read(const struct er_pg_rows *rows, struct errand_arena *arena,
                         struct errand_beat_result *ret)
{
    struct errand_slice text = er_pg_peek(rows, 0, 0);

    ret->commands = errand_arena_alloc(arena, text.len * sizeof *ret->commands);
    if (!ret->commands)
        return -1;
    for (size_t i = 0; i < text.len; i++)
        ret->commands[ret->commands_n++] = (enum errand_command)(text.ptr[i] - '0');
    return 0;
}

int er_pg_op_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                  struct errand_arena *arena, struct errand_beat_result *ret,
                  struct errand_error *err)
{
    struct errand_beat_result got = {0};
    struct er_pg *pg = (struct er_pg *)conn;
    struct er_pg_rows rows;
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_text(&args, p->worker);
    er_pg_bytes(&args, p->info);
    er_pg_int(&args, p->ttl_ms);
    er_pg_bool(&args, p->bye);
    if ((rc = er_pg_ask(conn, "beat", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    got.control = er_pg_get_int(&rows, 0, 1);
    pg->salt = er_pg_get_int(&rows, 0, 2);
    got.identity = er_pg_identity(pg);
    if (commands_read(&rows, arena, &got) < 0)
        rc = er_error_nomem(err);
    else
        *ret = got;
    er_pg_rows_done(&rows);
    return rc;
}

static int worker_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                       void *ret_worker)
{
    struct errand_worker_info *ret = ret_worker;

    *ret = (struct errand_worker_info){
        .worker = er_pg_get_text(rows, row, 0, arena),
        .info = er_pg_get_bytes(rows, row, 1, arena),
        .since_ms = er_pg_get_int(rows, row, 2),
        .seen_ms = er_pg_get_int(rows, row, 3),
        .until_ms = er_pg_get_int(rows, row, 4),
        .is_alive = er_pg_get_bool(rows, row, 5),
        .running_n = (size_t)er_pg_get_int(rows, row, 6),
    };
    return ret->worker && ret->info.ptr ? 0 : -1;
}

int er_pg_op_workers(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_workers_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    return er_pg_ask_rows(conn, "workers_look", &args, worker_fill, sizeof *ret->workers,
                          arena, &ret->workers, &ret->workers_n, err);
}

int er_pg_op_command(struct errand_conn *conn, const char *worker,
                     enum errand_command command, int64_t now_ms, size_t *ret_n,
                     struct errand_error *err)
{
    struct er_pg_args args;
    int64_t n;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    er_pg_text(&args, worker);
    er_pg_int(&args, command);
    if ((rc = er_pg_ask_int(conn, "command", ER_PG_ONCE, &args, &n, err)) == 0)
        *ret_n = (size_t)n;
    return rc;
}
