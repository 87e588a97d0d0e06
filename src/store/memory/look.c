/* look.c: one job with its history, pages of jobs, and how many there are. */
#include "store/memory/memory.h"

#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ one job */

static int64_t started_ms(const struct mem_job *job)
{
    const struct er_link *last = job->attempts_kept.last;

    if (job->state == ERRAND_RUNNING)
        return job->lease->since_ms;
    if (!job->attempts || !last)
        return 0;
    return ER_OWNER((struct er_link *)last, struct mem_attempt, link)->a.started_ms;
}

static int tags_out(struct mem_call *call, const struct mem_job *job,
                    struct errand_job_info *ret)
{
    const char **tags = errand_arena_alloc(call->arena, job->tags_n * sizeof *tags);

    if (!tags)
        return -1;
    for (size_t i = 0; i < job->tags_n; i++)
        if (!(tags[i] = er_mem_out(call, job->tags[i])))
            return -1;
    ret->tags = tags;
    ret->tags_n = job->tags_n;
    return 0;
}

static int data_out(struct mem_call *call, const struct mem_job *job,
                    struct errand_job_info *ret)
{
    return er_mem_slice_out(call, job->data, &ret->data) < 0 ||
                   er_mem_slice_out(call, job->options, &ret->options) < 0
               ? -1
               : er_mem_slice_out(call, job->result, &ret->result);
}

static int info_out(struct mem_call *call, const struct mem_job *job, bool with_data,
                    struct errand_job_info *ret)
{
    *ret = (struct errand_job_info){.key = job->seq,
                                    .id = job->id,
                                    .state = job->state,
                                    .priority = job->priority,
                                    .attempts = job->attempts,
                                    .tries = job->tries,
                                    .run_at_ms = job->run_at_ms,
                                    .created_ms = job->created_ms,
                                    .started_ms = started_ms(job),
                                    .finished_ms = job->finished_ms,
                                    .progress = job->progress,
                                    .cancel_requested = job->cancel_requested,
                                    .waits_n = job->waits_n};
    if (job->batch)
        ret->batch = job->batch->info.id;
    if (!(ret->name = er_mem_out(call, job->name)) ||
        !(ret->queue = er_mem_out(call, job->queue->name)) ||
        !(ret->worker = er_mem_out(call, job->worker ? job->worker : "")) ||
        er_mem_slice_out(call, job->error, &ret->error) < 0 ||
        er_mem_slice_out(call, job->progress_note, &ret->progress_note) < 0)
        return -1;
    return tags_out(call, job, ret) < 0 || (with_data && data_out(call, job, ret) < 0)
               ? -1
               : 0;
}

static int attempts_out(struct mem_call *call, const struct mem_job *job,
                        struct errand_job_detail *ret)
{
    size_t n = 0;

    ret->attempts =
        errand_arena_alloc(call->arena, job->attempts_kept.n * sizeof *ret->attempts);
    if (!ret->attempts)
        return -1;
    for (struct er_link *l = job->attempts_kept.first; l; l = l->next) {
        const struct errand_attempt *a = &ER_OWNER(l, struct mem_attempt, link)->a;
        struct errand_attempt *row = &ret->attempts[n++];
        *row = *a;
        if (!(row->worker = er_mem_out(call, a->worker)) ||
            er_mem_slice_out(call, a->error, &row->error) < 0 ||
            er_mem_slice_out(call, a->log, &row->log) < 0)
            return -1;
    }
    ret->attempts_n = n;
    return 0;
}

static enum errand_state batch_state(const struct errand_batch_info *batch)
{
    if (!batch->ended_ms)
        return ERRAND_RUNNING;
    return batch->failed || batch->cancelled_n ? ERRAND_FAILED : ERRAND_COMPLETED;
}

static int edge_out(struct mem_call *call, const struct mem_edge *edge, bool as_parent,
                    struct errand_edge_info *ret)
{
    const struct mem_job *other = as_parent ? edge->parent : edge->child;

    *ret = (struct errand_edge_info){.on = edge->on,
                                     .is_satisfied = edge->state == MEM_SATISFIED,
                                     .is_batch = as_parent && !edge->parent,
                                     .has_cancelled =
                                         as_parent && edge->child->against == edge,
                                     .name = ""};
    if (!other) {
        ret->id = edge->batch->info.id;
        ret->state = batch_state(&edge->batch->info);
        return 0;
    }
    ret->id = other->id;
    ret->state = other->state;
    if (!(ret->name = er_mem_out(call, other->name)))
        return -1;
    return as_parent ? er_mem_slice_out(call, other->result, &ret->result) : 0;
}

static int edges_out(struct mem_call *call, const struct er_list *edges, bool as_parents,
                     struct errand_edge_info **ret, size_t *ret_n)
{
    struct errand_edge_info *rows =
        errand_arena_alloc(call->arena, edges->n * sizeof *rows);
    size_t n = 0;

    if (!rows)
        return -1;
    for (struct er_link *l = edges->first; l; l = l->next) {
        const struct mem_edge *edge = as_parents
                                          ? ER_OWNER(l, struct mem_edge, of_child)
                                          : ER_OWNER(l, struct mem_edge, of_parent);
        if (edge_out(call, edge, as_parents, &rows[n++]) < 0)
            return -1;
    }
    *ret = rows;
    *ret_n = n;
    return 0;
}

/* The key and the limits it was pushed with, and whether it holds the key. */
static int asks_out(struct mem_call *call, const struct mem_job *job,
                    struct errand_job_detail *ret)
{
    struct errand_unique *unique = errand_arena_alloc(call->arena, sizeof *unique);
    struct errand_limit_use *uses =
        errand_arena_alloc(call->arena, job->uses_n * sizeof *uses);

    if (!unique || !uses)
        return -1;
    for (size_t i = 0; i < job->uses_n; i++) {
        const struct mem_use *use = &job->uses[i];
        uses[i] = (struct errand_limit_use){
            .kind = use->kind, .n = use->n, .per_ms = use->per_ms};
        if (!(uses[i].name = er_mem_out(call, use->name)) ||
            er_mem_slice_out(call, use->key, &uses[i].key) < 0)
            return -1;
    }
    ret->limits = uses;
    ret->limits_n = job->uses_n;
    if (!job->is_unique)
        return 0;
    *unique =
        (struct errand_unique){.ttl_ms = job->unique_ttl_ms, .until = job->unique_until};
    ret->unique = unique;
    if (job->claim && job->claim->until_ms > call->now_ms)
        ret->unique_until_ms = job->claim->until_ms;
    return er_mem_slice_out(call, job->unique_key, &unique->key);
}

static int detail_out(struct mem_call *call, const struct mem_job *job,
                      struct errand_job_detail *ret)
{
    ret->has_failed_hook = job->has_failed_hook;
    ret->is_hook_due = job->hook == MEM_HOOK_DUE;
    if (info_out(call, job, true, &ret->job) < 0 || attempts_out(call, job, ret) < 0 ||
        asks_out(call, job, ret) < 0 ||
        edges_out(call, &job->parents, true, &ret->parents, &ret->parents_n) < 0)
        return -1;
    return edges_out(call, &job->children, false, &ret->children, &ret->children_n);
}

int er_mem_op_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                  struct errand_arena *arena, struct errand_job_detail *ret,
                  struct errand_error *err)
{
    struct mem_call call;
    struct mem_job *job;
    int rc = er_mem_begin(&call, conn, "get", now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (!(job = er_mem_job_find(call.store, id)))
        rc = errand_error_set(err, ERRAND_ENOTFOUND, "there is no such job");
    else if (detail_out(&call, job, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "get", rc, err);
}

static int details(struct mem_call *call, const struct errand_details_params *p,
                   struct errand_details_result *ret)
{
    size_t used = er_arena_used(call->arena);

    ret->details = errand_arena_alloc(call->arena, p->ids_n * sizeof *ret->details);
    if (!ret->details)
        return -1;
    for (size_t i = 0; i < p->ids_n; i++) {
        const struct mem_job *job = er_mem_job_find(call->store, &p->ids[i]);
        if (i && p->max_bytes && er_arena_used(call->arena) - used > p->max_bytes)
            break;
        ret->details_n++;
        if (job && detail_out(call, job, &ret->details[i]) < 0)
            return -1;
    }
    return 0;
}

int er_mem_op_details(struct errand_conn *conn, const struct errand_details_params *p,
                      struct errand_arena *arena, struct errand_details_result *ret,
                      struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "details", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (details(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "details", rc, err);
}

/* ------------------------------------------------------------------ pages */

static struct er_node *step(struct er_node *node, bool newest_first)
{
    return newest_first ? er_tree_prev(node) : er_tree_next(node);
}

static struct er_node *first(const struct mem_call *call, bool newest_first)
{
    return newest_first ? er_tree_last(&call->store->jobs_by_seq)
                        : er_tree_first(&call->store->jobs_by_seq);
}

static int list(struct mem_call *call, const struct errand_list_params *p,
                struct er_node *node, struct errand_list_result *ret)
{
    size_t size = call->store->jobs_by_seq.n;

    if (size > p->max)
        size = p->max;
    if (!(ret->jobs = errand_arena_alloc(call->arena, size * sizeof *ret->jobs)))
        return -1;
    for (; node; node = step(node, p->newest_first)) {
        const struct mem_job *job = ER_OWNER(node, struct mem_job, by_seq);
        if (!er_mem_filter_matches(&p->filter, job))
            continue;
        if (ret->jobs_n == size) {
            ret->more = true;
            return 0;
        }
        if (info_out(call, job, p->with_data, &ret->jobs[ret->jobs_n++]) < 0)
            return -1;
    }
    return 0;
}

int er_mem_op_list(struct errand_conn *conn, const struct errand_list_params *p,
                   struct errand_arena *arena, struct errand_list_result *ret,
                   struct errand_error *err)
{
    struct mem_job *after = NULL;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "list", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (p->after.text[0] && !(after = er_mem_job_find(call.store, &p->after)))
        rc = errand_error_set(err, ERRAND_ENOTFOUND,
                              "there is no job '%s' to go on behind", p->after.text);
    else if (list(&call, p,
                  after ? step(&after->by_seq, p->newest_first)
                        : first(&call, p->newest_first),
                  ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "list", rc, err);
}

int er_mem_op_count(struct errand_conn *conn, const struct errand_filter *filter,
                    int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    struct mem_call call;
    int64_t n = 0;
    int rc = er_mem_begin(&call, conn, "count", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    for (struct er_node *x = first(&call, false); x; x = er_tree_next(x))
        n += er_mem_filter_matches(filter, ER_OWNER(x, struct mem_job, by_seq));
    *ret_n = n;
    return er_mem_end(&call, "count", rc, err);
}
