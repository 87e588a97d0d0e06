/* schedules.c: what is to be dispatched when, and which slots have fired. */
#include "store/redis/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ put, delete, pause
 */

int er_redis_op_schedule_put(struct errand_conn *conn,
                             const struct errand_schedule *schedule,
                             struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "schedule_put", ER_LUA_SCHEDULE_PUT, ER_REPEAT_HARMLESS, 0,
                  NULL);
    er_call_text(&call, schedule->name);
    er_call_slice(&call, schedule->spec);
    er_call_int(&call, schedule->paused);
    er_call_int(&call, schedule->next_ms);
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

int er_redis_op_schedule_delete(struct errand_conn *conn, const char *name,
                                struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "schedule_delete", ER_LUA_SCHEDULE_DELETE,
                  ER_REPEAT_HARMLESS, 0, NULL);
    er_call_text(&call, name);
    rc = er_call_run(&call, err);
    /* The first try, whose answer was lost, may have deleted it. */
    if (rc == ERRAND_ENOTFOUND && call.was_repeated)
        rc = 0;
    er_call_end(&call);
    return rc;
}

int er_redis_op_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                               struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "schedule_pause", ER_LUA_SCHEDULE_PAUSE,
                  ER_REPEAT_HARMLESS, 0, NULL);
    er_call_text(&call, name);
    er_call_int(&call, paused);
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ list */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct errand_schedule *)a)->name,
                  ((const struct errand_schedule *)b)->name);
}

static void schedule_read(struct er_unpack *u, struct errand_arena *arena,
                          struct errand_schedule *ret)
{
    struct errand_slice packed;
    struct er_unpack row;

    ret->name = er_unpack_text(u, arena);
    packed = er_unpack_slice(u);
    row = er_unpack_init(packed.ptr, packed.len);
    er_unpack_array(&row);
    ret->paused = er_unpack_int(&row) != 0;
    ret->next_ms = er_unpack_int(&row);
    ret->last_slot_ms = er_unpack_int(&row);
    er_unpack_id(&row, &ret->last_job);
    ret->missed_n = er_unpack_int(&row);
    ret->spec = er_unpack_copy(&row, arena);
    u->is_bad |= row.is_bad;
}

static int schedules_read(const struct er_call *call, struct errand_schedules_result *ret,
                          struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 1);
    size_t n = er_unpack_array(&u) / 2;

    ret->identity = er_reply_int(call, 0);
    if (!(ret->schedules = errand_arena_alloc(call->arena, n * sizeof *ret->schedules)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        schedule_read(&u, call->arena, &ret->schedules[i]);
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->schedules_n = n;
    qsort(ret->schedules, n, sizeof *ret->schedules, by_name);
    return 0;
}

int er_redis_op_schedules(struct errand_conn *conn, struct errand_arena *arena,
                          struct errand_schedules_result *ret, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "schedules", ER_LUA_SCHEDULES, ER_REPEAT_HARMLESS, 0,
                  arena);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = schedules_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ fire */

static int fire_read(const struct er_call *call, const struct errand_fire_params *p,
                     const struct errand_id *id, struct errand_fire_result *ret,
                     struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 2);

    ret->fired = (enum errand_fired)er_reply_int(call, 0);
    ret->hints = (uint32_t)er_reply_int(call, 1);
    if (er_unpack_array(&u))
        er_push_answer(&u, call, p->job, id, &ret->pushed);
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

/* Repeated, it answers that the slot has fired already, which is true. */
int er_redis_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                     struct errand_arena *arena, struct errand_fire_result *ret,
                     struct errand_error *err)
{
    struct errand_id id = {{0}};
    struct er_call call;
    int rc = 0;

    er_call_begin(&call, conn, "fire", ER_LUA_FIRE, ER_REPEAT_HARMLESS, p->now_ms, arena);
    er_call_text(&call, p->name);
    er_call_int(&call, p->slot_ms);
    er_call_int(&call, p->next_ms);
    er_call_int(&call, (int64_t)p->overlap);
    er_call_int(&call, p->slots_n);
    if (p->job && (rc = er_push_id(call.conn, p->job, p->now_ms, &id, err)) == 0) {
        er_push_pack(er_call_pack(&call), p->job, &id);
        er_call_packed(&call);
    }
    if (rc == 0 && (rc = er_call_run(&call, err)) == 0)
        rc = fire_read(&call, p, &id, ret, err);
    er_call_end(&call);
    return rc;
}
