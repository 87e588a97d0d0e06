/* ask.c: jobs that a job dispatches, and what its parents left. */
#include "worker/ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/group.h"
#include "client/item.h"
#include "core/id.h"

enum { RESULTS_MAX = 8 << 20, FAILURES_MAX = 100, ITEMS_MAX = 100000 };

/* ------------------------------------------------------------------ dispatching */

/* A repeated attempt dispatches the same again: the n-th job gets the same id. Hooks
 * count by themselves, the failed hook anew for each failure, the timed-out hook for each
 * attempt (after a retry by the operator they begin at 1 again, at another run-at). */
static void id_give(const struct er_asker *asker, uint64_t n, struct errand_id *ret)
{
    const struct errand_reserved *job = asker->job;
    char salt[48] = "dispatch";

    if (asker->kind == ER_RUN_FAILED_HOOK)
        snprintf(salt, sizeof salt, "failed %" PRId64, job->failed_ms);
    if (asker->kind == ER_RUN_TIMED_OUT_HOOK)
        snprintf(salt, sizeof salt, "timed-out %" PRId32 " %" PRId64, job->attempt,
                 job->run_at_ms);
    er_id_derive(salt, &job->id, n, ret);
}

static int batch_of(const struct er_asker *asker, const struct er_item *item,
                    struct errand_id *ret, struct errand_error *err)
{
    *ret = (struct errand_id){{0}};
    if (!item->is_batch)
        return 0;
    if (!asker->job->batch.text[0])
        return errand_error_set(err, ERRAND_EINVAL,
                                "'%s' is no member of a batch: it cannot add to it",
                                asker->job->name);
    *ret = asker->job->batch;
    return 0;
}

static int pushed_write(struct er_buf *answer, const struct errand_push_result *pushed,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        er_buf_printf(answer, "%s{\"id\":\"%s\",\"pushed\":%d,\"state\":\"%s\"}",
                      i ? "," : "[", pushed->jobs[i].id.text, (int)pushed->jobs[i].pushed,
                      errand_state_name(pushed->jobs[i].state));
    return er_buf_str(answer, n ? "]" : "[]");
}

static int dispatch(errand *e, struct er_asker *asker, struct errand_slice text,
                    struct errand_arena *arena, struct er_buf *answer,
                    struct errand_error *err)
{
    struct errand_push_result pushed = {0};
    struct errand_id *batches;
    struct er_item *items;
    size_t n, answered = answer->len;
    int rc;

    if ((rc = er_items_read("what it dispatches", text, ER_ITEM_DISPATCH, arena, &items,
                            &n, err)) < 0)
        return rc;
    if (n > ITEMS_MAX)
        return errand_error_set(err, ERRAND_ETOOBIG, "%zu jobs at once, at most %d", n,
                                ITEMS_MAX);
    if (!(batches = errand_arena_alloc(arena, (n + 1) * sizeof *batches)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (!items[i].options.id.text[0])
            id_give(asker, asker->dispatched_n + i, &items[i].options.id);
        if ((rc = batch_of(asker, &items[i], &batches[i], err)) < 0)
            return rc;
    }
    if ((rc = er_items_push(e, items, n, batches, &pushed, err)) < 0)
        return rc;
    asker->dispatched_n += n;
    if (pushed_write(answer, &pushed, n) == 0)
        return 0;
    answer->len = answered;
    return er_error_nomem(err);
}

/* ------------------------------------------------------------------ parents */

static void write_field(struct er_buf *buf, const char *key, const char *text, size_t len)
{
    er_buf_printf(buf, "\"%s\":", key);
    er_json_write_string(buf, text, len);
}

static void write_text(struct er_buf *buf, const char *key, const char *text)
{
    write_field(buf, key, text, strlen(text));
}

static const char *on_name(enum errand_edge_on on)
{
    switch (on) {
    case ERRAND_ON_SUCCESS:
        return "success";
    case ERRAND_ON_FAILURE:
        return "failure";
    case ERRAND_ON_END:
        return "end";
    }
    return "";
}

static int failures_write(errand *e, const struct errand_id *batch,
                          struct errand_arena *arena, struct er_buf *buf,
                          struct errand_error *err)
{
    struct errand_list_result found = {0};
    int rc =
        er_batch_failures(er_client_store(e), batch, FAILURES_MAX, arena, &found, err);

    if (rc < 0)
        return rc;
    er_buf_str(buf, ",\"failures\":[");
    for (size_t i = 0; i < found.jobs_n; i++) {
        const struct errand_job_info *job = &found.jobs[i];
        er_buf_str(buf, i ? ",{" : "{");
        write_text(buf, "id", job->id.text);
        er_buf_str(buf, ",");
        write_text(buf, "name", job->name);
        er_buf_str(buf, ",\"data\":");
        er_buf_add(buf, job->data.len ? job->data.ptr : "null",
                   job->data.len ? job->data.len : 4);
        er_buf_str(buf, ",");
        write_field(buf, "error", job->error.ptr, job->error.len);
        er_buf_str(buf, "}");
    }
    er_buf_str(buf, "]");
    return 0;
}

static int batch_write(errand *e, const struct errand_edge_info *edge,
                       struct errand_arena *arena, struct er_buf *buf,
                       struct errand_error *err)
{
    struct errand_batch_info info = {0};
    struct errand_batch_result r;
    int rc = er_store_batch_get(er_client_store(e), &edge->id, arena, &info, err);

    if (rc < 0)
        return rc;
    r = er_batch_result_of(&info);
    write_text(buf, "batch", r.id.text);
    er_buf_str(buf, ",");
    write_text(buf, "name", r.name);
    er_buf_printf(buf,
                  ",\"kind\":\"%s\",\"total\":%" PRId64 ",\"successful\":%" PRId64
                  ",\"failed\":%" PRId64 ",\"cancelled\":%" PRId64,
                  r.kind, r.total, r.successful, r.failed, r.cancelled);
    return r.failed ? failures_write(e, &edge->id, arena, buf, err) : 0;
}

static int error_write(errand *e, const struct errand_id *id, struct errand_arena *arena,
                       struct er_buf *buf, struct errand_error *err)
{
    struct errand_job_detail detail = {0};
    int rc = er_store_get(er_client_store(e), id, 0, arena, &detail, err);

    if (rc == ERRAND_ENOTFOUND)
        return 0; /* deleted meanwhile */
    if (rc < 0)
        return rc;
    er_buf_str(buf, ",");
    write_field(buf, "error", detail.job.error.ptr, detail.job.error.len);
    return 0;
}

static int job_write(errand *e, const struct errand_edge_info *edge,
                     struct errand_arena *arena, struct er_buf *buf,
                     struct errand_error *err)
{
    const char *node = strrchr(edge->id.text, '/');

    write_text(buf, "id", edge->id.text);
    er_buf_str(buf, ",");
    write_text(buf, "name", edge->name);
    if (node) {
        er_buf_str(buf, ",");
        write_text(buf, "node", node + 1);
    }
    if (edge->result.len && buf->len + edge->result.len <= RESULTS_MAX) {
        er_buf_str(buf, ",\"result\":");
        er_buf_add(buf, edge->result.ptr, edge->result.len);
    }
    return edge->state == ERRAND_FAILED ? error_write(e, &edge->id, arena, buf, err) : 0;
}

static int parents_write(errand *e, const struct errand_id *id,
                         struct errand_arena *arena, struct er_buf *buf,
                         struct errand_error *err)
{
    struct errand_job_detail detail = {0};
    int rc = er_store_get(er_client_store(e), id, 0, arena, &detail, err);

    er_buf_str(buf, "[");
    for (size_t i = 0; rc == 0 && i < detail.parents_n; i++) {
        const struct errand_edge_info *edge = &detail.parents[i];
        er_buf_str(buf, i ? ",{" : "{");
        rc = edge->is_batch ? batch_write(e, edge, arena, buf, err)
                            : job_write(e, edge, arena, buf, err);
        er_buf_printf(buf, ",\"on\":\"%s\",\"state\":\"%s\"}", on_name(edge->on),
                      errand_state_name(edge->state));
    }
    er_buf_str(buf, "]");
    if (rc == 0 && buf->has_failed)
        return errand_error_set(err, ERRAND_ETOOBIG, "its parents left too much");
    return rc;
}

int er_ask_parents(errand *e, const struct errand_reserved *job, struct er_buf *answer,
                   struct errand_error *err)
{
    struct errand_arena *arena;
    int rc;

    if (!job->has_parents)
        return er_buf_str(answer, "[]") < 0 ? er_error_nomem(err) : 0;
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    rc = parents_write(e, &job->id, arena, answer, err);
    er_arena_free(arena);
    return rc;
}

/* ------------------------------------------------------------------ any question */

int er_ask_answer(errand *e, struct er_asker *asker, enum er_ask_kind kind,
                  struct errand_slice text, struct er_buf *answer,
                  struct errand_error *err)
{
    struct errand_arena *arena;
    int rc;

    if (kind == ER_ASK_PARENTS)
        return er_ask_parents(e, asker->job, answer, err);
    if (kind != ER_ASK_DISPATCH)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "this worker knows no question of kind %d", (int)kind);
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    rc = dispatch(e, asker, text, arena, answer, err);
    er_arena_free(arena);
    return rc;
}
