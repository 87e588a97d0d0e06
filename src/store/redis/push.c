/* push.c: storing jobs. The rules are in lua/parts/push.lua. */
#include "store/redis/inbox.h"
#include "store/redis/jobs.h"

#include <string.h>

#include "base/error.h"
#include "core/clock.h"

/* ------------------------------------------------------------------ packing */

static void limits_pack(struct er_buf *buf, const struct errand_limit_use *limits,
                        size_t n)
{
    er_pack_array(buf, n);
    for (size_t i = 0; i < n; i++) {
        er_pack_array(buf, 5);
        er_pack_text(buf, limits[i].name);
        er_pack_slice(buf, limits[i].key);
        er_pack_int(buf, limits[i].kind);
        er_pack_int(buf, limits[i].n);
        er_pack_int(buf, limits[i].per_ms);
    }
}

void er_asks_pack(struct er_buf *buf, const struct errand_unique *unique,
                  const struct errand_limit_use *limits, size_t limits_n)
{
    er_pack_array(buf, unique ? 4 : 0);
    if (unique) {
        er_pack_slice(buf, unique->key);
        er_pack_int(buf, unique->ttl_ms);
        er_pack_int(buf, unique->until);
        er_pack_int(buf, unique->policy);
    }
    limits_pack(buf, limits, limits_n);
}

void er_push_pack(struct er_buf *buf, const struct errand_push_job *job,
                  const struct errand_id *id)
{
    er_pack_array(buf, 13);
    er_pack_id(buf, id);
    er_pack_text(buf, job->name);
    er_pack_text(buf, job->queue);
    er_pack_slice(buf, job->data);
    er_pack_slice(buf, job->options);
    er_pack_int(buf, job->priority);
    er_pack_int(buf, job->tries);
    er_pack_int(buf, job->run_at_ms);
    er_pack_array(buf, job->tags_n);
    for (size_t i = 0; i < job->tags_n; i++)
        er_pack_text(buf, job->tags[i]);
    er_pack_id(buf, &job->batch);
    er_pack_int(buf, job->has_failed_hook);
    er_asks_pack(buf, job->unique, job->limits, job->limits_n);
}

static void edges_pack(struct er_buf *buf, const struct errand_push_params *p)
{
    er_pack_array(buf, p->edges_n);
    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *edge = &p->edges[i];
        er_pack_array(buf, 5);
        er_pack_int(buf, (int64_t)edge->child + 1);
        er_pack_int(buf, (int64_t)edge->parent + 1);
        er_pack_id(buf, &edge->parent_id);
        er_pack_int(buf, edge->parent_is_batch);
        er_pack_int(buf, edge->on);
    }
}

static void batch_pack(struct er_buf *buf, const struct errand_push_batch *batch)
{
    er_pack_array(buf, batch ? 4 : 0);
    if (!batch)
        return;
    er_pack_id(buf, &batch->id);
    er_pack_text(buf, batch->name);
    er_pack_int(buf, batch->allow_failures);
    er_pack_slice(buf, batch->options);
}

/* ------------------------------------------------------------------ ids */

int er_push_id(struct er_redis *conn, const struct errand_push_job *job, int64_t now_ms,
               struct errand_id *ret, struct errand_error *err)
{
    *ret = job->id;
    if (ret->text[0])
        return 0;
    if (er_id_new(&conn->ids, now_ms ? now_ms : er_clock_wall_ms(NULL), ret) == 0)
        return 0;
    return errand_error_set(err, ERRAND_EUNAVAILABLE, "the system gives no random bytes");
}

/* The ids are made before the call, so that it can be repeated: a job that an earlier try
 * has stored is no duplicate. */
void er_push_answer(struct er_unpack *u, const struct er_call *call,
                    const struct errand_push_job *job, const struct errand_id *id,
                    struct errand_pushed_job *ret)
{
    if (er_unpack_array(u) != 3)
        u->is_bad = true;
    ret->pushed = (enum errand_pushed)er_unpack_int(u);
    er_unpack_id(u, &ret->id);
    ret->state = (enum errand_state)er_unpack_int(u);
    if (call->was_repeated && !job->id.text[0] && ret->pushed == ERRAND_DUPLICATE &&
        strcmp(ret->id.text, id->text) == 0)
        ret->pushed = ERRAND_INSERTED;
}

/* ------------------------------------------------------------------ push */

/* Nothing but itself to be stored: what nearly all are. */
static bool is_plain(const struct errand_push_job *job)
{
    return !job->unique && !job->limits_n && !job->tags_n && !job->batch.text[0] &&
           !job->has_failed_hook;
}

static bool is_all_plain(const struct errand_push_params *p)
{
    if (p->edges_n || p->batch)
        return false;
    for (size_t i = 0; i < p->jobs_n; i++)
        if (!is_plain(&p->jobs[i]))
            return false;
    return true;
}

static bool is_same(struct errand_slice a, struct errand_slice b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* How many jobs from here on differ in id and data only. */
static size_t run_len(const struct errand_push_job *jobs, size_t n)
{
    size_t len = 1;

    while (len < n && jobs[len].priority == jobs->priority &&
           jobs[len].tries == jobs->tries && jobs[len].run_at_ms == jobs->run_at_ms &&
           strcmp(jobs[len].name, jobs->name) == 0 &&
           strcmp(jobs[len].queue, jobs->queue) == 0 &&
           is_same(jobs[len].options, jobs->options))
        len++;
    return len;
}

static void run_pack(struct er_buf *buf, const struct errand_push_job *job, size_t n)
{
    er_pack_array(buf, 7);
    er_pack_text(buf, job->name);
    er_pack_text(buf, job->queue);
    er_pack_slice(buf, job->options);
    er_pack_int(buf, job->priority);
    er_pack_int(buf, job->tries);
    er_pack_int(buf, job->run_at_ms);
    er_pack_int(buf, (int64_t)n);
}

static void runs_pack(struct er_buf *buf, const struct errand_push_params *p)
{
    size_t runs_n = 0;

    for (size_t i = 0; i < p->jobs_n; i += run_len(&p->jobs[i], p->jobs_n - i))
        runs_n++;
    er_pack_array(buf, runs_n);
    for (size_t i = 0, n; i < p->jobs_n; i += n) {
        n = run_len(&p->jobs[i], p->jobs_n - i);
        run_pack(buf, &p->jobs[i], n);
    }
}

static void job_pack(struct er_call *call, const struct errand_push_job *job,
                     const struct errand_id *id, bool in_run)
{
    if (in_run) {
        er_call_id(call, id);
        er_pack_slice(er_call_pack(call), job->data);
    } else {
        er_push_pack(er_call_pack(call), job, id);
    }
    er_call_packed(call);
}

static int push_call(struct er_call *call, const struct errand_push_params *p,
                     const struct errand_id *ids, struct errand_error *err)
{
    struct er_buf *buf = er_call_pack(call);
    bool in_runs = is_all_plain(p);

    edges_pack(buf, p);
    batch_pack(buf, p->batch);
    if (in_runs)
        runs_pack(buf, p);
    else
        er_pack_array(buf, 0);
    er_pack_int(buf, in_runs ? 0 : (int64_t)p->jobs_n);
    er_call_packed(call);
    for (size_t i = 0; i < p->jobs_n; i++)
        job_pack(call, &p->jobs[i], &ids[i], in_runs);
    return er_call_run(call, err);
}

/* All were stored as they came; told is the state of each run. */
static void inserted_read(struct er_unpack *u, const struct errand_push_params *p,
                          const struct errand_id *ids, struct errand_pushed_job *rows)
{
    size_t left = 0;
    enum errand_state state = ERRAND_READY;

    er_unpack_array(u);
    for (size_t i = 0; i < p->jobs_n; i++) {
        if (!left) {
            state = (enum errand_state)er_unpack_int(u);
            left = run_len(&p->jobs[i], p->jobs_n - i);
        }
        left--;
        rows[i] = (struct errand_pushed_job){.id = ids[i], .state = state};
    }
}

static int push_read(const struct er_call *call, const struct errand_push_params *p,
                     const struct errand_id *ids, struct errand_push_result *ret,
                     struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    struct errand_pushed_job *rows =
        errand_arena_alloc(call->arena, p->jobs_n * sizeof *rows);
    size_t n = er_unpack_array(&u);

    if (!rows)
        return er_error_nomem(err);
    if (n && n != p->jobs_n)
        return er_reply_bad(call, err);
    for (size_t i = 0; i < n; i++)
        er_push_answer(&u, call, &p->jobs[i], &ids[i], &rows[i]);
    ret->hints = (uint32_t)er_unpack_int(&u);
    if (!n && p->jobs_n)
        inserted_read(&u, p, ids, rows);
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->jobs = rows;
    return 0;
}

static int ids_make(struct er_redis *conn, const struct errand_push_params *p,
                    struct errand_id *ids, struct errand_error *err)
{
    int64_t now_ms = p->now_ms ? p->now_ms : er_clock_wall_ms(NULL);
    int rc = 0;

    for (size_t i = 0; i < p->jobs_n && rc == 0; i++)
        rc = er_push_id(conn, &p->jobs[i], now_ms, &ids[i], err);
    return rc;
}

static int put_answer(const struct errand_id *id, struct errand_arena *arena,
                      struct errand_push_result *ret, struct errand_error *err)
{
    if (!(ret->jobs = errand_arena_alloc(arena, sizeof *ret->jobs)))
        return er_error_nomem(err);
    *ret->jobs = (struct errand_pushed_job){.id = *id, .state = ERRAND_READY};
    return 0;
}

int er_redis_op_push(struct errand_conn *conn, const struct errand_push_params *p,
                     struct errand_arena *arena, struct errand_push_result *ret,
                     struct errand_error *err)
{
    struct errand_id *ids = errand_arena_alloc(arena, p->jobs_n * sizeof *ids);
    enum er_inbox inbox = ER_INBOX_NOT;
    struct er_call call;
    int rc;

    if (!ids)
        return er_error_nomem(err);
    if ((rc = ids_make((struct er_redis *)conn, p, ids, err)) < 0)
        return rc;
    if ((rc = er_inbox_push((struct er_redis *)conn, p, ids, &inbox, err)) < 0)
        return rc;
    if (inbox == ER_INBOX_PUT)
        return put_answer(ids, arena, ret, err);
    er_call_begin(&call, conn, "push", ER_LUA_PUSH, ER_REPEAT_HARMLESS, p->now_ms, arena);
    call.was_repeated = inbox == ER_INBOX_PERHAPS;
    if ((rc = push_call(&call, p, ids, err)) == 0)
        rc = push_read(&call, p, ids, ret, err);
    er_call_end(&call);
    return rc;
}
