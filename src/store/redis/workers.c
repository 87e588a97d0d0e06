/* workers.c: who works on this store, by their heartbeats, and what they are told. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ beat, command */

static int beat_read(const struct er_call *call, struct errand_beat_result *ret,
                     struct errand_error *err)
{
    size_t n = er_reply_n(call);

    if (n < 2)
        return er_reply_bad(call, err);
    n -= 2;
    ret->control = er_reply_int(call, 0);
    ret->identity = er_reply_int(call, 1);
    if (!(ret->commands = errand_arena_alloc(call->arena, n * sizeof *ret->commands)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        ret->commands[i] = (enum errand_command)er_reply_int(call, 2 + i);
    ret->commands_n = n;
    return 0;
}

int er_redis_op_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                     struct errand_arena *arena, struct errand_beat_result *ret,
                     struct errand_error *err)
{
    struct er_redis *r = (struct er_redis *)conn;
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "beat", ER_LUA_BEAT, ER_REPEAT_HARMLESS, p->now_ms, arena);
    er_call_text(&call, p->worker);
    er_call_slice(&call, p->info);
    er_call_int(&call, p->ttl_ms);
    er_call_int(&call, p->bye);
    er_call_int(&call, r->beat_number);
    if ((rc = er_call_run(&call, err)) == 0 && (rc = beat_read(&call, ret, err)) == 0)
        r->beat_number++;
    er_call_end(&call);
    return rc;
}

int er_redis_op_command(struct errand_conn *conn, const char *worker,
                        enum errand_command command, int64_t now_ms, size_t *ret_n,
                        struct errand_error *err)
{
    struct er_call call;
    int rc;

    /* Not repeated: a worker that is told twice to stop lets go of its jobs. */
    er_call_begin(&call, conn, "command", ER_LUA_COMMAND, ER_REPEAT_NO, now_ms, NULL);
    er_call_int(&call, (int64_t)command);
    if (worker)
        er_call_text(&call, worker);
    if ((rc = er_call_run(&call, err)) == 0)
        *ret_n = (size_t)er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ list */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct errand_worker_info *)a)->worker,
                  ((const struct errand_worker_info *)b)->worker);
}

static void worker_read(struct er_unpack *u, int64_t now_ms, struct errand_arena *arena,
                        struct errand_worker_info *ret)
{
    struct errand_slice packed;
    struct er_unpack row;

    ret->worker = er_unpack_text(u, arena);
    packed = er_unpack_slice(u);
    row = er_unpack_init(packed.ptr, packed.len);
    er_unpack_array(&row);
    ret->since_ms = er_unpack_int(&row);
    ret->seen_ms = er_unpack_int(&row);
    ret->until_ms = er_unpack_int(&row);
    ret->info = er_unpack_copy(&row, arena);
    ret->is_alive = ret->until_ms > now_ms;
    u->is_bad |= row.is_bad;
}

/* What runs, lease by lease. */
static void running_read(struct er_unpack *u, struct errand_workers_result *ret)
{
    size_t n = er_unpack_array(u) / 2;

    for (size_t i = 0; i < n; i++) {
        struct errand_slice worker = er_unpack_slice(u);
        size_t running_n = (size_t)er_unpack_int(u);
        for (size_t w = 0; w < ret->workers_n && !u->is_bad; w++)
            if (strlen(ret->workers[w].worker) == worker.len &&
                memcmp(ret->workers[w].worker, worker.ptr, worker.len) == 0)
                ret->workers[w].running_n += running_n;
    }
}

static int workers_read(const struct er_call *call, struct errand_workers_result *ret,
                        struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 1);
    int64_t now_ms = er_reply_int(call, 0);
    size_t n;

    er_unpack_array(&u);
    n = er_unpack_array(&u) / 2;
    if (!(ret->workers = errand_arena_alloc(call->arena, n * sizeof *ret->workers)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n && !u.is_bad; i++)
        worker_read(&u, now_ms, call->arena, &ret->workers[ret->workers_n++]);
    running_read(&u, ret);
    if (u.is_bad)
        return er_reply_bad(call, err);
    qsort(ret->workers, n, sizeof *ret->workers, by_name);
    return 0;
}

int er_redis_op_workers(struct errand_conn *conn, int64_t now_ms,
                        struct errand_arena *arena, struct errand_workers_result *ret,
                        struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "workers", ER_LUA_WORKERS, ER_REPEAT_HARMLESS, now_ms,
                  arena);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = workers_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}
