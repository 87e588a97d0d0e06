/* lease.c: leases that go on, and leases that are over. */
#include "base/error.h"
#include "store/redis/jobs.h"

/* ------------------------------------------------------------------ extend */

enum errand_settled *er_settled_read(struct er_unpack *u, struct errand_arena *arena,
                                     size_t n)
{
    enum errand_settled *rows = errand_arena_alloc(arena, n * sizeof *rows);

    if (er_unpack_array(u) != n)
        u->is_bad = true;
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = (enum errand_settled)er_unpack_int(u);
    return rows;
}

static int cancelled_read(struct er_unpack *u, struct errand_arena *arena,
                          struct errand_extend_result *ret, struct errand_error *err)
{
    size_t n = er_unpack_array(u);
    struct errand_lease_job *rows = errand_arena_alloc(arena, n * sizeof *rows);

    if (!rows)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (er_unpack_array(u) != 3)
            u->is_bad = true;
        rows[i].token = er_unpack_int(u);
        rows[i].key = er_unpack_int(u);
        er_unpack_id(u, &rows[i].id);
    }
    ret->cancelled = rows;
    ret->cancelled_n = n;
    return 0;
}

static int extend_read(const struct er_call *call, const struct errand_extend_params *p,
                       struct errand_extend_result *ret, struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    int rc;

    ret->until_ms = er_unpack_int(&u);
    if (!(ret->leases = er_settled_read(&u, call->arena, p->tokens_n)) ||
        !(ret->progress = er_settled_read(&u, call->arena, p->progress_n)))
        return er_error_nomem(err);
    if ((rc = cancelled_read(&u, call->arena, ret, err)) < 0)
        return rc;
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

static void extend_pack(struct er_call *call, const struct errand_extend_params *p)
{
    struct er_buf *buf = er_call_pack(call);

    er_pack_int(buf, p->lease_ms);
    er_pack_array(buf, p->tokens_n);
    for (size_t i = 0; i < p->tokens_n; i++)
        er_pack_int(buf, p->tokens[i]);
    er_call_packed(call);
    for (size_t i = 0; i < p->progress_n; i++) {
        const struct errand_progress *row = &p->progress[i];
        buf = er_call_pack(call);
        er_pack_array(buf, 5);
        er_pack_int(buf, row->token);
        er_pack_int(buf, row->key);
        er_pack_id(buf, &row->id);
        er_pack_int(buf, row->percent);
        er_pack_slice(buf, row->note);
        er_call_packed(call);
    }
}

int er_redis_op_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                       struct errand_arena *arena, struct errand_extend_result *ret,
                       struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "extend", ER_LUA_EXTEND, ER_REPEAT_HARMLESS, p->now_ms,
                  arena);
    extend_pack(&call, p);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = extend_read(&call, p, ret, err);
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ reap */

static int reap_read(const struct er_call *call, struct errand_reap_result *ret,
                     struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    int rc;

    ret->ready_n = (size_t)er_unpack_int(&u);
    ret->failed_n = (size_t)er_unpack_int(&u);
    ret->cancelled_n = (size_t)er_unpack_int(&u);
    ret->hooks_n = (size_t)er_unpack_int(&u);
    ret->more = er_unpack_int(&u) != 0;
    if ((rc = er_moves_read(&u, call->arena, &ret->moves, &ret->moves_n, err)) < 0)
        return rc;
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

/* Repeated, it reaps what is left; the moves of the answer that was lost are not told
 * again, which is what happens when the worker that reaps dies. */
int er_redis_op_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                     struct errand_arena *arena, struct errand_reap_result *ret,
                     struct errand_error *err)
{
    struct er_call call;
    struct er_buf *buf;
    int rc;

    er_call_begin(&call, conn, "reap", ER_LUA_REAP, ER_REPEAT_HARMLESS, p->now_ms, arena);
    buf = er_call_pack(&call);
    er_pack_int(buf, (int64_t)p->max);
    er_pack_int(buf, p->want_moves);
    er_pack_int(buf, p->all_hooks);
    er_pack_text(buf, ERRAND_LEASE_ERROR);
    er_call_packed(&call);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = reap_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}
