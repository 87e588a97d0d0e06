/* look.c: one job with its history, pages of jobs, and how many there are.
 *
 * The jobs are gone through in order of insertion, some thousand a call, so that a look
 * at a large store holds up nobody. A row is packed as lua/parts/look.lua says. */
#include "store/redis/redis.h"

#include <string.h>

#include "base/error.h"

enum { ER_PACK_FALSE = 0xc2, LOOKS_A_CALL = 4096, PAGE_ROWS = 1000 };

/* ------------------------------------------------------------------ rows */

static void tags_read(struct er_unpack *u, struct errand_arena *arena,
                      struct errand_job_info *ret)
{
    size_t n = er_unpack_array(u);
    const char **tags = errand_arena_alloc(arena, n * sizeof *tags);

    if (!tags)
        u->is_bad = true;
    for (size_t i = 0; i < n && !u->is_bad; i++)
        tags[i] = er_unpack_text(u, arena);
    ret->tags = tags;
    ret->tags_n = n;
}

static bool info_read(struct errand_slice packed, struct errand_arena *arena,
                      struct errand_job_info *ret)
{
    struct er_unpack u = er_unpack_init(packed.ptr, packed.len);

    ret->key = er_unpack_int(&u);
    er_unpack_id(&u, &ret->id);
    ret->state = (enum errand_state)er_unpack_int(&u);
    ret->priority = (int32_t)er_unpack_int(&u);
    ret->attempts = (int32_t)er_unpack_int(&u);
    ret->tries = (int32_t)er_unpack_int(&u);
    ret->run_at_ms = er_unpack_int(&u);
    ret->created_ms = er_unpack_int(&u);
    ret->name = er_unpack_text(&u, arena);
    ret->queue = er_unpack_text(&u, arena);
    ret->worker = er_unpack_text(&u, arena);
    ret->started_ms = er_unpack_int(&u);
    ret->finished_ms = er_unpack_int(&u);
    ret->error = er_unpack_copy(&u, arena);
    ret->cancel_requested = er_unpack_int(&u) != 0;
    ret->waits_n = (size_t)er_unpack_int(&u);
    er_unpack_id(&u, &ret->batch);
    ret->progress = (int32_t)er_unpack_int(&u);
    ret->progress_note = er_unpack_copy(&u, arena);
    tags_read(&u, arena, ret);
    ret->data = er_unpack_copy(&u, arena);
    ret->options = er_unpack_copy(&u, arena);
    ret->result = er_unpack_copy(&u, arena);
    return !u.is_bad;
}

/* ------------------------------------------------------------------ one job */

static bool attempt_read(struct errand_slice packed, struct errand_arena *arena,
                         struct errand_attempt *ret)
{
    struct er_unpack u = er_unpack_init(packed.ptr, packed.len);

    er_unpack_array(&u);
    ret->n = (int32_t)er_unpack_int(&u);
    ret->started_ms = er_unpack_int(&u);
    ret->ended_ms = er_unpack_int(&u);
    ret->worker = er_unpack_text(&u, arena);
    ret->outcome = (enum errand_outcome_kind)er_unpack_int(&u);
    ret->cause = (enum errand_cause)er_unpack_int(&u);
    ret->exit_code = (int32_t)er_unpack_int(&u);
    ret->signal = (int32_t)er_unpack_int(&u);
    ret->max_rss_kib = er_unpack_int(&u);
    ret->cpu_ms = er_unpack_int(&u);
    ret->error = er_unpack_copy(&u, arena);
    ret->log = er_unpack_copy(&u, arena);
    return !u.is_bad;
}

static bool edge_read(struct errand_slice packed, struct errand_arena *arena,
                      struct errand_edge_info *ret)
{
    struct er_unpack u = er_unpack_init(packed.ptr, packed.len);

    er_unpack_id(&u, &ret->id);
    ret->is_batch = er_unpack_int(&u) != 0;
    ret->is_satisfied = er_unpack_int(&u) != 0;
    ret->on = (enum errand_edge_on)er_unpack_int(&u);
    ret->state = (enum errand_state)er_unpack_int(&u);
    ret->name = er_unpack_text(&u, arena);
    ret->result = er_unpack_copy(&u, arena);
    ret->has_cancelled = er_unpack_int(&u) != 0;
    return !u.is_bad;
}

static bool attempts_read(const struct er_call *call, size_t element,
                          struct errand_job_detail *ret)
{
    struct er_unpack u = er_reply_unpack(call, element);
    size_t n = er_unpack_array(&u);

    ret->attempts = errand_arena_alloc(call->arena, n * sizeof *ret->attempts);
    for (size_t i = 0; ret->attempts && i < n; i++)
        if (!attempt_read(er_unpack_slice(&u), call->arena, &ret->attempts[i]))
            return false;
    ret->attempts_n = n;
    return ret->attempts && !u.is_bad;
}

static bool edges_read(const struct er_call *call, size_t element,
                       struct errand_edge_info **ret, size_t *ret_n)
{
    struct er_unpack u = er_reply_unpack(call, element);
    size_t n = er_unpack_array(&u);

    *ret = errand_arena_alloc(call->arena, n * sizeof **ret);
    for (size_t i = 0; *ret && i < n; i++)
        if (!edge_read(er_unpack_slice(&u), call->arena, &(*ret)[i]))
            return false;
    *ret_n = n;
    return *ret && !u.is_bad;
}

static bool limits_read(struct er_unpack *u, struct errand_arena *arena,
                        struct errand_job_detail *ret)
{
    size_t n = er_unpack_array(u);
    struct errand_limit_use *uses = errand_arena_alloc(arena, n * sizeof *uses);

    for (size_t i = 0; uses && i < n && !u->is_bad; i++) {
        er_unpack_array(u);
        uses[i].name = er_unpack_text(u, arena);
        uses[i].key = er_unpack_copy(u, arena);
        uses[i].kind = (enum errand_limit_kind)er_unpack_int(u);
        uses[i].n = er_unpack_int(u);
        uses[i].per_ms = er_unpack_int(u);
    }
    ret->limits = uses;
    ret->limits_n = n;
    return uses != NULL;
}

/* No key is packed as false: a key may be empty. */
static bool asks_read(const struct er_call *call, size_t element,
                      struct errand_job_detail *ret)
{
    struct er_unpack u = er_reply_unpack(call, element);
    struct errand_unique *unique = errand_arena_alloc(call->arena, sizeof *unique);
    bool is_unique = u.at < u.end && *u.at != ER_PACK_FALSE;

    if (!unique)
        return false;
    if (is_unique)
        unique->key = er_unpack_copy(&u, call->arena);
    else
        er_unpack_int(&u);
    unique->ttl_ms = er_unpack_int(&u);
    unique->until = (enum errand_unique_until)er_unpack_int(&u);
    ret->unique = is_unique ? unique : NULL;
    ret->unique_until_ms = er_unpack_int(&u);
    if (!limits_read(&u, call->arena, ret))
        return false;
    ret->has_failed_hook = er_unpack_int(&u) != 0;
    ret->is_hook_due = er_unpack_int(&u) != 0;
    return !u.is_bad;
}

enum { JOB, ATTEMPTS, PARENTS, CHILDREN, ASKS, PARTS_N }; /* of lua/details.lua */

static bool detail_read(const struct er_call *call, size_t from,
                        struct errand_job_detail *ret)
{
    struct errand_slice job = er_reply_slice(call, from + JOB);

    if (!job.len)
        return true;
    return info_read(job, call->arena, &ret->job) &&
           attempts_read(call, from + ATTEMPTS, ret) &&
           edges_read(call, from + PARENTS, &ret->parents, &ret->parents_n) &&
           edges_read(call, from + CHILDREN, &ret->children, &ret->children_n) &&
           asks_read(call, from + ASKS, ret);
}

static int details_read(const struct er_call *call, size_t asked_n,
                        struct errand_details_result *ret, struct errand_error *err)
{
    size_t n = er_reply_n(call) / PARTS_N;

    if (n > asked_n || (asked_n && !n))
        return er_reply_bad(call, err);
    if (!(ret->details = errand_arena_alloc(call->arena, n * sizeof *ret->details)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!detail_read(call, i * PARTS_N, &ret->details[i]))
            return er_reply_bad(call, err);
    ret->details_n = n;
    return 0;
}

int er_redis_op_details(struct errand_conn *conn, const struct errand_details_params *p,
                        struct errand_arena *arena, struct errand_details_result *ret,
                        struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "details", ER_LUA_DETAILS, ER_REPEAT_HARMLESS, p->now_ms,
                  arena);
    er_call_int(&call, (int64_t)p->max_bytes);
    for (size_t i = 0; i < p->ids_n; i++)
        er_call_id(&call, &p->ids[i]);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = details_read(&call, p->ids_n, ret, err);
    er_call_end(&call);
    return rc;
}

int er_redis_op_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                    struct errand_arena *arena, struct errand_job_detail *ret,
                    struct errand_error *err)
{
    struct errand_details_params p = {.now_ms = now_ms, .ids = id, .ids_n = 1};
    struct errand_details_result got = {0};
    int rc = er_redis_op_details(conn, &p, arena, &got, err);

    if (rc < 0)
        return rc;
    if (!got.details->job.id.text[0])
        return errand_error_set(err, ERRAND_ENOTFOUND, "there is no such job");
    *ret = *got.details;
    return 0;
}

/* ------------------------------------------------------------------ pages */

void er_redis_filter_add(struct er_call *call, const struct errand_filter *f)
{
    struct er_buf *buf = er_call_pack(call);

    er_pack_int(buf, f->states);
    er_pack_text(buf, f->queue);
    er_pack_text(buf, f->name);
    er_pack_text(buf, f->tag);
    er_pack_id(buf, &f->batch);
    er_pack_text(buf, f->search);
    er_pack_int(buf, f->since_ms);
    er_pack_int(buf, f->until_ms);
    er_call_packed(call);
}

static bool rows_read(const struct er_call *call, size_t room,
                      struct errand_list_result *ret)
{
    struct er_unpack u = er_reply_unpack(call, 1);
    size_t n = er_unpack_array(&u);

    if (n > room)
        return false;
    for (size_t i = 0; i < n && !u.is_bad; i++)
        if (!info_read(er_unpack_slice(&u), call->arena, &ret->jobs[ret->jobs_n++]))
            return false;
    return !u.is_bad;
}

/* One stretch: at most `room` rows. *seq is where to go on; 0: that was all. */
static int stretch(struct errand_conn *conn, const struct errand_list_params *p,
                   struct errand_arena *arena, size_t room, bool is_first, int64_t *seq,
                   struct errand_list_result *ret, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "list", ER_LUA_LIST, ER_REPEAT_HARMLESS, p->now_ms, arena);
    er_redis_filter_add(&call, &p->filter);
    er_call_int(&call, p->newest_first);
    er_call_int(&call, p->with_data);
    er_call_int(&call, (int64_t)room);
    er_call_int(&call, LOOKS_A_CALL);
    if (is_first)
        er_call_text(&call, "");
    else
        er_call_int(&call, *seq);
    if (is_first && p->after.text[0]) {
        er_call_id(&call, &p->after);
        er_call_text(&call, p->after.text);
    }
    if ((rc = er_call_run(&call, err)) == 0) {
        *seq = er_reply_int(&call, 0);
        if (!rows_read(&call, room, ret))
            rc = er_reply_bad(&call, err);
    }
    er_call_end(&call);
    return rc;
}

static int room_for(struct errand_list_result *ret, size_t more, size_t *size,
                    struct errand_arena *arena, struct errand_error *err)
{
    struct errand_job_info *jobs;

    if (ret->jobs_n + more <= *size)
        return 0;
    *size = 2 * *size + more;
    if (!(jobs = errand_arena_alloc(arena, *size * sizeof *jobs)))
        return er_error_nomem(err);
    if (ret->jobs_n)
        memcpy(jobs, ret->jobs, ret->jobs_n * sizeof *jobs);
    ret->jobs = jobs;
    return 0;
}

/* One row more than asked for says whether there is more. */
int er_redis_op_list(struct errand_conn *conn, const struct errand_list_params *p,
                     struct errand_arena *arena, struct errand_list_result *ret,
                     struct errand_error *err)
{
    struct errand_list_result found = {0};
    bool is_first = true;
    int64_t seq = 0;
    size_t size = 0;
    int rc;

    while ((is_first || seq) && found.jobs_n <= p->max) {
        size_t room = p->max + 1 - found.jobs_n;
        if (room > PAGE_ROWS)
            room = PAGE_ROWS;
        if ((rc = room_for(&found, room, &size, arena, err)) < 0 ||
            (rc = stretch(conn, p, arena, room, is_first, &seq, &found, err)) < 0)
            return rc;
        is_first = false;
    }
    found.more = found.jobs_n > p->max;
    found.jobs_n -= found.more;
    *ret = found;
    return 0;
}

/* ------------------------------------------------------------------ count */

static int count_kept(struct errand_conn *conn, const struct errand_filter *f,
                      int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    const uint32_t all = (1u << ERRAND_STATES_N) - 1;
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "count", ER_LUA_COUNT_KEPT, ER_REPEAT_HARMLESS, now_ms,
                  NULL);
    er_call_int(&call, f->states ? f->states & all : all);
    er_call_text(&call, f->queue ? f->queue : "");
    if ((rc = er_call_run(&call, err)) == 0)
        *ret_n = er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}

static int count_stretch(struct errand_conn *conn, const struct errand_filter *f,
                         int64_t now_ms, int64_t *chunk, int64_t *n,
                         struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "count", ER_LUA_COUNT, ER_REPEAT_HARMLESS, now_ms, NULL);
    er_redis_filter_add(&call, f);
    er_call_int(&call, *chunk);
    if ((rc = er_call_run(&call, err)) == 0) {
        *n += er_reply_int(&call, 0);
        *chunk = er_reply_int(&call, 1);
    }
    er_call_end(&call);
    return rc;
}

int er_redis_op_count(struct errand_conn *conn, const struct errand_filter *f,
                      int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    bool is_kept = !f->name && !f->tag && !f->batch.text[0] && !f->search &&
                   !f->since_ms && !f->until_ms;
    int64_t chunk = -1, n = 0;
    int rc;

    if (is_kept)
        return count_kept(conn, f, now_ms, ret_n, err);
    do {
        if ((rc = count_stretch(conn, f, now_ms, &chunk, &n, err)) < 0)
            return rc;
    } while (chunk >= 0);
    *ret_n = n;
    return 0;
}
