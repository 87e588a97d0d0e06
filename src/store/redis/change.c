/* change.c: what an operator does to jobs. The rules are in lua/change.lua. */
#include "base/error.h"
#include "store/redis/jobs.h"

static void slice_or_false(struct er_buf *buf, const struct errand_slice *slice)
{
    if (slice)
        er_pack_slice(buf, *slice);
    else
        er_pack_bool(buf, false);
}

static void int_or_false(struct er_buf *buf, bool is_set, int64_t number)
{
    if (is_set)
        er_pack_int(buf, number);
    else
        er_pack_bool(buf, false);
}

static void edit_pack(struct er_buf *buf, const struct errand_edit *edit)
{
    static const struct errand_edit none;

    if (!edit)
        edit = &none;
    slice_or_false(buf, edit->data);
    slice_or_false(buf, edit->options);
    int_or_false(buf, edit->priority, edit->priority ? *edit->priority : 0);
    int_or_false(buf, edit->tries, edit->tries ? *edit->tries : 0);
    int_or_false(buf, edit->run_at_ms, edit->run_at_ms ? *edit->run_at_ms : 0);
}

static void change_pack(struct er_call *call, const struct errand_change_params *p)
{
    struct er_buf *buf = er_call_pack(call);

    er_pack_int(buf, p->kind);
    er_pack_int(buf, p->want_moves);
    er_pack_int(buf, (int64_t)p->max);
    er_pack_array(buf, p->ids_n);
    for (size_t i = 0; i < p->ids_n; i++)
        er_pack_id(buf, &p->ids[i]);
    edit_pack(buf, p->edit);
    er_call_packed(call);
    if (!p->ids_n && p->filter)
        er_redis_filter_add(call, p->filter);
}

static int changed_read(struct er_unpack *u, const struct errand_change_params *p,
                        struct errand_arena *arena, struct errand_change_result *ret,
                        struct errand_error *err)
{
    if (er_unpack_array(u) != p->ids_n)
        u->is_bad = true;
    if (!p->ids_n)
        return 0;
    if (!(ret->changed = errand_arena_alloc(arena, p->ids_n * sizeof *ret->changed)))
        return er_error_nomem(err);
    for (size_t i = 0; i < p->ids_n; i++)
        ret->changed[i] = (enum errand_changed)er_unpack_int(u);
    return 0;
}

static int change_read(const struct er_call *call, const struct errand_change_params *p,
                       struct errand_change_result *ret, struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    int rc;

    if ((rc = changed_read(&u, p, call->arena, ret, err)) < 0)
        return rc;
    ret->matched_n = (size_t)er_unpack_int(&u);
    ret->changed_n = (size_t)er_unpack_int(&u);
    ret->more = er_unpack_int(&u) != 0;
    if ((rc = er_moves_read(&u, call->arena, &ret->moves, &ret->moves_n, err)) < 0)
        return rc;
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

int er_redis_op_change(struct errand_conn *conn, const struct errand_change_params *p,
                       struct errand_arena *arena, struct errand_change_result *ret,
                       struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "change", ER_LUA_CHANGE, ER_REPEAT_NO, p->now_ms, arena);
    change_pack(&call, p);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = change_read(&call, p, ret, err);
    er_call_end(&call);
    return rc;
}
