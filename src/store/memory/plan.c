/* plan.c: what a push would do: new jobs built, duplicates found, parents looked up. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/push.h"

/* ------------------------------------------------------------------ a new job */

static int tags_dup(struct mem_job *job, const struct errand_push_job *from)
{
    if (!from->tags_n)
        return 0;
    if (!(job->tags = calloc(from->tags_n, sizeof *job->tags)))
        return -1;
    for (; job->tags_n < from->tags_n; job->tags_n++)
        if (!(job->tags[job->tags_n] = er_mem_dup(from->tags[job->tags_n])))
            return -1;
    return 0;
}

int er_mem_uses_dup(struct mem_job *job, const struct errand_limit_use *limits, size_t n)
{
    if (!n)
        return 0;
    if (!(job->uses = calloc(n, sizeof *job->uses)))
        return -1;
    while (job->uses_n < n) {
        const struct errand_limit_use *use = &limits[job->uses_n];
        struct mem_use *copy = &job->uses[job->uses_n++];
        *copy = (struct mem_use){.kind = use->kind, .n = use->n, .per_ms = use->per_ms};
        if (!(copy->name = er_mem_dup(use->name)) ||
            er_mem_slice_dup(use->key, &copy->key) < 0)
            return -1;
    }
    return 0;
}

int er_mem_unique_dup(struct mem_job *job, const struct errand_unique *unique)
{
    if (!unique)
        return 0;
    job->is_unique = true;
    job->unique_ttl_ms = unique->ttl_ms;
    job->unique_until = unique->until;
    if (er_mem_slice_dup(unique->key, &job->unique_key) < 0)
        return -1;
    return (job->spare = er_mem_claim_new(unique->key)) ? 0 : -1;
}

static int job_fill(struct mem_call *call, struct mem_job *job,
                    const struct errand_push_job *from)
{
    job->id = from->id;
    job->priority = from->priority;
    job->tries = from->tries;
    job->run_at_ms = from->run_at_ms > call->now_ms ? from->run_at_ms : call->now_ms;
    job->created_ms = call->now_ms;
    job->has_failed_hook = from->has_failed_hook;
    job->progress = -1;
    if (!job->id.text[0] && er_id_new(&call->store->ids, call->now_ms, &job->id) < 0)
        return -1;
    if (!(job->queue = er_mem_queue_make(call->store, from->queue)) ||
        !(job->name = er_mem_dup(from->name)) ||
        er_mem_slice_dup(from->data, &job->data) < 0 ||
        er_mem_slice_dup(from->options, &job->options) < 0)
        return -1;
    return tags_dup(job, from) < 0 ||
                   er_mem_uses_dup(job, from->limits, from->limits_n) < 0 ||
                   er_mem_unique_dup(job, from->unique) < 0
               ? -1
               : 0;
}

struct mem_job *er_mem_job_new(struct mem_call *call, const struct errand_push_job *from)
{
    struct mem_job *job = calloc(1, sizeof *job);

    if (job && job_fill(call, job, from) < 0) {
        er_mem_job_free(job);
        return NULL;
    }
    return job;
}

/* ------------------------------------------------------------------ duplicates */

static int by_id(const struct er_node *a, const struct er_node *b)
{
    return strcmp(ER_OWNER(a, struct mem_job, by_id)->id.text,
                  ER_OWNER(b, struct mem_job, by_id)->id.text);
}

static int id_key(const void *key, const struct er_node *node)
{
    return strcmp(key, ER_OWNER(node, struct mem_job, by_id)->id.text);
}

/* New jobs by unique key: the node that the lines of the queue will use is still free. */
static int by_unique(const struct er_node *a, const struct er_node *b)
{
    return er_mem_slice_compare(ER_OWNER(a, struct mem_job, in_line)->unique_key,
                                ER_OWNER(b, struct mem_job, in_line)->unique_key);
}

static int unique_key(const void *key, const struct er_node *node)
{
    return er_mem_slice_compare(*(const struct errand_slice *)key,
                                ER_OWNER(node, struct mem_job, in_line)->unique_key);
}

static struct mem_job *find_by_id(struct mem_call *call, const struct mem_plan *plan,
                                  const struct errand_id *id)
{
    struct mem_job *job = er_mem_job_find(call->store, id);
    struct er_node *node = job ? NULL : er_tree_find(&plan->ids, id->text, id_key);

    return node ? ER_OWNER(node, struct mem_job, by_id) : job;
}

static void plan_duplicate(struct mem_plan_job *plan, struct mem_job *target)
{
    plan->pushed = ERRAND_DUPLICATE;
    plan->target = target;
}

/* What the policy says when `holder` has the key. Not yet inserted counts as waiting:
 * state 0 is HELD. */
static int plan_holder(struct mem_plan_job *plan, struct mem_job *holder,
                       const struct errand_push_job *from)
{
    plan_duplicate(plan, holder);
    if (from->unique->policy == ERRAND_UNIQUE_IGNORE || !er_mem_is_waiting(holder))
        return 0;
    if (from->unique->policy == ERRAND_UNIQUE_EXTEND) {
        plan->pushed = ERRAND_EXTENDED;
        return 0;
    }
    plan->pushed = ERRAND_REPLACED;
    return er_mem_slice_dup(from->data, &plan->data) < 0 ||
                   er_mem_slice_dup(from->options, &plan->options) < 0
               ? -1
               : 0;
}

static bool is_planned_by_unique(struct mem_call *call, const struct mem_plan *plan,
                                 struct mem_plan_job *row,
                                 const struct errand_push_job *from, int *ret_rc)
{
    struct mem_claim *claim = er_mem_claim_find(call, from->unique->key);
    struct er_node *node = er_tree_find(&plan->keys, &from->unique->key, unique_key);

    *ret_rc = 0;
    if (claim && !claim->job) {
        plan_duplicate(row, NULL);
        row->pruned = claim->id;
    } else if (claim) {
        *ret_rc = plan_holder(row, claim->job, from);
    } else if (node) {
        *ret_rc = plan_holder(row, ER_OWNER(node, struct mem_job, in_line), from);
    }
    return claim || node;
}

static int plan_job(struct mem_call *call, struct mem_plan *plan, size_t i,
                    const struct errand_push_job *from)
{
    struct mem_plan_job *row = &plan->jobs[i];
    struct mem_job *known = from->id.text[0] ? find_by_id(call, plan, &from->id) : NULL;
    int rc;

    if (known) {
        plan_duplicate(row, known);
        return 0;
    }
    if (from->unique && is_planned_by_unique(call, plan, row, from, &rc))
        return rc;
    if (!(row->target = er_mem_job_new(call, from)))
        return -1;
    row->pushed = ERRAND_INSERTED;
    er_tree_insert(&plan->ids, &row->target->by_id);
    if (from->unique)
        er_tree_insert(&plan->keys, &row->target->in_line);
    return 0;
}

/* The nodes are wanted for the store's own trees now. */
static void plan_unlink(struct mem_plan *plan)
{
    struct er_node *node;

    while ((node = er_tree_first(&plan->ids)))
        er_tree_remove(&plan->ids, node);
    while ((node = er_tree_first(&plan->keys)))
        er_tree_remove(&plan->keys, node);
}

/* ------------------------------------------------------------------ batches, edges */

static struct mem_batch *find_batch(struct mem_call *call, const struct mem_plan *plan,
                                    const struct errand_id *id)
{
    if (plan->batch && strcmp(plan->batch->info.id.text, id->text) == 0)
        return plan->batch;
    return er_mem_batch_find(call->store, id);
}

static int plan_member(struct mem_call *call, struct mem_plan *plan, size_t i,
                       const struct errand_push_job *from, struct errand_error *err)
{
    struct mem_batch *batch;

    if (!from->batch.text[0])
        return 0;
    if (!(batch = find_batch(call, plan, &from->batch)))
        return errand_error_set(err, ERRAND_ENOTFOUND, "there is no batch '%s'",
                                from->batch.text);
    if (plan->jobs[i].pushed != ERRAND_INSERTED)
        return 0;
    if (batch->info.ended_ms)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "batch '%s' has ended: no members can be added",
                                from->batch.text);
    plan->jobs[i].target->batch = batch;
    return 0;
}

static int parent_find(struct mem_call *call, const struct mem_plan *plan,
                       const struct errand_edge *from, struct mem_job **ret_job,
                       struct mem_batch **ret_batch, struct errand_error *err)
{
    *ret_job = NULL;
    *ret_batch = NULL;
    if (from->parent_is_batch)
        *ret_batch = find_batch(call, plan, &from->parent_id);
    else if (from->parent_id.text[0])
        *ret_job = find_by_id(call, plan, &from->parent_id);
    else
        *ret_job = plan->jobs[from->parent].target;
    if (*ret_job || *ret_batch)
        return 0;
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no %s '%s' to wait for",
                            from->parent_is_batch ? "batch" : "job",
                            from->parent_id.text[0]
                                ? from->parent_id.text
                                : plan->jobs[from->parent].pruned.text);
}

static int plan_edge(struct mem_call *call, struct mem_plan *plan, size_t i,
                     const struct errand_edge *from, struct errand_error *err)
{
    const struct mem_plan_job *child = &plan->jobs[from->child];
    struct mem_batch *batch;
    struct mem_job *parent;
    int rc;

    if ((rc = parent_find(call, plan, from, &parent, &batch, err)) < 0)
        return rc;
    if (child->pushed != ERRAND_INSERTED)
        return 0;
    if (!(plan->edges[i] = calloc(1, sizeof **plan->edges)))
        return er_error_nomem(err);
    *plan->edges[i] = (struct mem_edge){
        .child = child->target, .parent = parent, .batch = batch, .on = from->on};
    return 0;
}

/* ------------------------------------------------------------------ the plan */

static int plan_alloc(struct mem_call *call, const struct errand_push_params *p,
                      struct mem_plan *plan)
{
    er_tree_init(&plan->ids, by_id);
    er_tree_init(&plan->keys, by_unique);
    plan->jobs = errand_arena_alloc(call->arena, p->jobs_n * sizeof *plan->jobs);
    plan->edges = errand_arena_alloc(call->arena, p->edges_n * sizeof *plan->edges);
    if (!plan->jobs || !plan->edges)
        return -1;
    plan->edges_n = p->edges_n;
    plan->jobs_n = p->jobs_n;
    if (p->batch && !er_mem_batch_find(call->store, &p->batch->id) &&
        !(plan->batch = er_mem_batch_new(p->batch)))
        return -1;
    return 0;
}

static int plan_fill(struct mem_call *call, const struct errand_push_params *p,
                     struct mem_plan *plan, struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < p->jobs_n; i++)
        if (plan_job(call, plan, i, &p->jobs[i]) < 0)
            return er_error_nomem(err);
    for (size_t i = 0; i < p->jobs_n; i++)
        if ((rc = plan_member(call, plan, i, &p->jobs[i], err)) < 0)
            return rc;
    for (size_t i = 0; i < p->edges_n; i++)
        if ((rc = plan_edge(call, plan, i, &p->edges[i], err)) < 0)
            return rc;
    return 0;
}

int er_mem_plan_make(struct mem_call *call, const struct errand_push_params *p,
                     struct mem_plan *plan, struct errand_error *err)
{
    int rc = plan_alloc(call, p, plan) < 0 ? er_error_nomem(err)
                                           : plan_fill(call, p, plan, err);

    plan_unlink(plan);
    return rc;
}

void er_mem_plan_done(struct mem_plan *plan, bool was_carried_out)
{
    for (size_t i = 0; plan->edges && i < plan->edges_n; i++)
        free(plan->edges[i]);
    for (size_t i = 0; plan->jobs && i < plan->jobs_n; i++) {
        er_mem_slice_free(&plan->jobs[i].data);
        er_mem_slice_free(&plan->jobs[i].options);
        if (plan->jobs[i].pushed == ERRAND_INSERTED && !was_carried_out)
            er_mem_job_free(plan->jobs[i].target);
    }
    er_mem_batch_free(plan->batch);
}
