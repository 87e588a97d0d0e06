/* exchange.c: settling and reserving. The rules are in lua/parts/settle.lua and
 * reserve.lua. */
#include <string.h>

#include "base/error.h"
#include "store/redis/jobs.h"

/* ------------------------------------------------------------------ packing */

/* false: the outcome is not told. */
static void name_pack(struct er_buf *buf, const char *name)
{
    if (name)
        er_pack_text(buf, name);
    else
        er_pack_bool(buf, false);
}

static void outcome_pack(struct er_buf *buf, const struct errand_outcome *o)
{
    const int64_t numbers[] = {o->cause,       o->exit_code, o->signal,
                               o->max_rss_kib, o->cpu_ms,    o->hook_due};

    er_pack_array(buf, 21);
    er_pack_int(buf, o->token);
    er_pack_int(buf, o->key);
    er_pack_id(buf, &o->id);
    er_pack_int(buf, o->kind);
    er_pack_int(buf, o->run_at_ms);
    er_pack_int(buf, o->started_ms);
    er_pack_int(buf, o->ended_ms);
    er_pack_slice(buf, o->error);
    er_pack_slice(buf, o->log);
    er_pack_slice(buf, o->result);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        er_pack_int(buf, numbers[i]);
    name_pack(buf, o->name);
    er_pack_text(buf, o->queue);
    er_pack_int(buf, o->attempt);
    er_asks_pack(buf, o->unique, o->limits, o->limits_n);
}

/* DONE with nothing to say but its result: what nearly all are. */
static bool is_plain(const struct errand_outcome *o)
{
    return o->kind == ERRAND_OUT_DONE && o->id.text[0] && o->key > 0 && !o->error.len &&
           !o->log.len && o->cause == ERRAND_CAUSE_NONE && !o->exit_code && !o->signal;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool goes_on(const struct errand_outcome *run, const struct errand_outcome *o)
{
    return is_plain(o) && o->token == run->token && is_same(o->name, run->name) &&
           is_same(o->queue, run->queue);
}

static size_t run_len(const struct errand_outcome *outcomes, size_t n)
{
    size_t len = 0;

    while (len < n && goes_on(outcomes, &outcomes[len]))
        len++;
    return len;
}

/* Values beside each other: a script reads them at a fraction of what rows cost it. */
static void run_pack(struct er_buf *buf, const struct errand_outcome *run, size_t n)
{
    er_pack_array(buf, 9);
    er_pack_int(buf, run->token);
    name_pack(buf, run->name);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_id(buf, &run[i].id);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_int(buf, run[i].key);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_int(buf, run[i].started_ms);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_int(buf, run[i].ended_ms);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_slice(buf, run[i].result);
    er_pack_text(buf, run->queue);
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++)
        er_pack_int(buf, run[i].attempt);
}

static void outcomes_pack(struct er_call *call, const struct errand_exchange_params *p)
{
    size_t n;

    for (size_t i = 0; i < p->outcomes_n; i += n) {
        const struct errand_outcome *o = &p->outcomes[i];
        n = run_len(o, p->outcomes_n - i);
        if (n) {
            run_pack(er_call_pack(call), o, n);
        } else {
            n = 1;
            outcome_pack(er_call_pack(call), o);
        }
        er_call_packed(call);
    }
}

static void params_pack(struct er_buf *buf, const struct er_redis *conn,
                        const struct errand_exchange_params *p)
{
    er_pack_int(buf, conn->keep_ms == 0 ? 0 : conn->keep_n);
    er_pack_int(buf, p->want_moves);
    er_pack_int(buf, (int64_t)p->max);
    er_pack_int(buf, p->lease_ms);
    er_pack_text(buf, p->worker);
    er_pack_array(buf, p->queues_n);
    for (size_t i = 0; i < p->queues_n; i++)
        er_pack_text(buf, p->queues[i]);
}

/* ------------------------------------------------------------------ reading */

int er_moves_read(struct er_unpack *u, struct errand_arena *arena,
                  struct errand_move **ret, size_t *ret_n, struct errand_error *err)
{
    size_t n = er_unpack_array(u);
    struct errand_move *rows = errand_arena_alloc(arena, n * sizeof *rows);

    if (!rows)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (er_unpack_array(u) != 6)
            u->is_bad = true;
        er_unpack_id(u, &rows[i].id);
        rows[i].name = er_unpack_text(u, arena);
        rows[i].queue = er_unpack_text(u, arena);
        rows[i].from = (enum errand_state)er_unpack_int(u);
        rows[i].to = (enum errand_state)er_unpack_int(u);
        rows[i].attempt = (int32_t)er_unpack_int(u);
    }
    *ret = rows;
    *ret_n = n;
    return 0;
}

enum { FLAG_UNIQUE = 1, FLAG_LIMITS = 2, FLAG_PARENTS = 64 };

/* What not every job has: "b" its batch, "e" and "f" error and time of a failure. */
static void extras_read(struct er_unpack *u, struct errand_arena *arena,
                        struct errand_reserved *ret)
{
    size_t n = er_unpack_map(u);

    for (size_t i = 0; i < n && !u->is_bad; i++) {
        struct errand_slice key = er_unpack_slice(u);
        char name = key.len == 1 ? *key.ptr : '\0';
        if (name == 'b')
            er_unpack_id(u, &ret->batch);
        else if (name == 'e' && ret->kind == ERRAND_WORK_FAILED_HOOK)
            ret->error = er_unpack_copy(u, arena);
        else if (name == 'f' && ret->kind == ERRAND_WORK_FAILED_HOOK)
            ret->failed_ms = er_unpack_int(u);
        else
            er_unpack_skip(u);
    }
}

/* The row as it was stored before: an attempt that begins is one more. */
static void row_read(struct er_unpack *u, struct errand_arena *arena,
                     struct errand_reserved *ret)
{
    int64_t flags;

    er_unpack_int(u);
    flags = er_unpack_int(u);
    ret->is_unique = flags & FLAG_UNIQUE;
    ret->has_limits = flags & FLAG_LIMITS;
    ret->has_parents = flags & FLAG_PARENTS;
    er_unpack_int(u);
    ret->priority = (int32_t)er_unpack_int(u);
    ret->tries = (int32_t)er_unpack_int(u);
    ret->attempt = (int32_t)er_unpack_int(u) + (ret->kind == ERRAND_WORK_JOB);
    ret->run_at_ms = er_unpack_int(u);
    ret->created_ms = er_unpack_int(u);
    ret->name = er_unpack_text(u, arena);
    ret->queue = er_unpack_text(u, arena);
    ret->options = er_unpack_copy(u, arena);
    ret->data = er_unpack_copy(u, arena);
    extras_read(u, arena, ret);
    ret->key = er_unpack_int(u);
}

static int jobs_read(const struct er_call *call, size_t hooks_n,
                     struct errand_exchange_result *ret, struct errand_error *err)
{
    size_t n = er_reply_n(call) / 2;

    if (!(ret->jobs = errand_arena_alloc(call->arena, n * sizeof *ret->jobs)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct errand_reserved *job = &ret->jobs[i];
        struct er_unpack u = er_reply_unpack(call, 2 * i + 2);
        job->kind = i < hooks_n ? ERRAND_WORK_FAILED_HOOK : ERRAND_WORK_JOB;
        job->token = ret->token;
        er_id_of_key(er_reply_slice(call, 2 * i + 1), &job->id);
        row_read(&u, call->arena, job);
        if (u.is_bad)
            return er_reply_bad(call, err);
    }
    ret->jobs_n = n;
    return 0;
}

static int exchange_read(const struct er_call *call, size_t outcomes_n,
                         struct errand_exchange_result *ret, struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    struct errand_exchange_result got = {0};
    size_t hooks_n;
    int rc;

    if (!(got.settled = er_settled_read(&u, call->arena, outcomes_n)))
        return er_error_nomem(err);
    got.token = er_unpack_int(&u);
    got.lease_until_ms = er_unpack_int(&u);
    got.next_at_ms = er_unpack_int(&u);
    got.control = er_unpack_int(&u);
    got.hints = (uint32_t)er_unpack_int(&u);
    hooks_n = (size_t)er_unpack_int(&u);
    if ((rc = er_moves_read(&u, call->arena, &got.moves, &got.moves_n, err)) < 0)
        return rc;
    if (u.is_bad)
        return er_reply_bad(call, err);
    if ((rc = jobs_read(call, hooks_n, &got, err)) < 0)
        return rc;
    *ret = got;
    return 0;
}

/* Not repeated when the answer was lost: what was reserved then would be reserved by
 * nobody until its lease is over, and what was settled would be LOST. */
int er_redis_op_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                         struct errand_arena *arena, struct errand_exchange_result *ret,
                         struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "exchange", ER_LUA_EXCHANGE, ER_REPEAT_NO, p->now_ms,
                  arena);
    params_pack(er_call_pack(&call), call.conn, p);
    er_call_packed(&call);
    outcomes_pack(&call, p);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = exchange_read(&call, p->outcomes_n, ret, err);
    er_call_end(&call);
    return rc;
}
