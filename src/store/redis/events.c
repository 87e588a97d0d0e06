/* events.c: the last things that happened, in a ring with a growing number. A row is
 * packed as lua/parts/tell.lua says. */
#include "store/redis/redis.h"

#include "base/error.h"

int er_redis_op_events_add(struct errand_conn *conn, const struct errand_event *events,
                           size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "events_add", ER_LUA_EVENTS_ADD, ER_REPEAT_NO, now_ms,
                  NULL);
    for (size_t i = 0; i < n; i++) {
        const struct errand_event *e = &events[i];
        struct er_buf *buf = er_call_pack(&call);
        er_pack_int(buf, e->at_ms);
        er_pack_text(buf, e->type);
        er_pack_id(buf, &e->id);
        er_pack_text(buf, e->name);
        er_pack_text(buf, e->queue);
        er_pack_int(buf, e->attempt);
        er_pack_int(buf, e->duration_ms);
        er_pack_int(buf, e->delay_ms);
        er_pack_slice(buf, e->error);
        er_call_packed(&call);
    }
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

static void event_read(struct errand_slice packed, struct errand_arena *arena,
                       struct errand_event *ret, bool *is_bad)
{
    struct er_unpack row = er_unpack_init(packed.ptr, packed.len);

    ret->at_ms = er_unpack_int(&row);
    ret->type = er_unpack_text(&row, arena);
    er_unpack_id(&row, &ret->id);
    ret->name = er_unpack_text(&row, arena);
    ret->queue = er_unpack_text(&row, arena);
    ret->attempt = (int32_t)er_unpack_int(&row);
    ret->duration_ms = er_unpack_int(&row);
    ret->delay_ms = er_unpack_int(&row);
    ret->error = er_unpack_copy(&row, arena);
    *is_bad |= row.is_bad;
}

static int events_read(const struct er_call *call, struct errand_events_result *ret,
                       struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 3);
    int64_t seq = er_reply_int(call, 2);
    size_t n = er_unpack_array(&u);
    bool is_bad = false;

    ret->last = er_reply_int(call, 0);
    ret->fell_behind = er_reply_int(call, 1) != 0;
    if (!(ret->events = errand_arena_alloc(call->arena, n * sizeof *ret->events)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        ret->events[i].seq = seq++;
        event_read(er_unpack_slice(&u), call->arena, &ret->events[i], &is_bad);
    }
    if (u.is_bad || is_bad)
        return er_reply_bad(call, err);
    ret->events_n = n;
    return 0;
}

int er_redis_op_events_read(struct errand_conn *conn,
                            const struct errand_events_params *p,
                            struct errand_arena *arena, struct errand_events_result *ret,
                            struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "events_read", ER_LUA_EVENTS_READ, ER_REPEAT_HARMLESS,
                  p->now_ms, arena);
    er_call_int(&call, p->after);
    er_call_int(&call, (int64_t)p->max);
    er_call_int(&call, p->follow_ms);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = events_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}
