/* load.c: what another store held, as it was. Everything that may be needed is allocated
 * first; what turns out to be there already gives its copy back. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/push.h"

struct loading {
    struct mem_call *call;
    const struct errand_load_params *p;
    struct mem_job **jobs; /* NULL once they are the store's */
    struct mem_batch **batches;
    struct mem_edge ***edges; /* of each job to its parents, likewise */
    struct mem_schedule **schedules;
};

/* ------------------------------------------------------------------ copies */

static struct mem_attempt *attempt_new(const struct errand_attempt *from)
{
    struct errand_outcome as_settled = {.kind = from->outcome,
                                        .started_ms = from->started_ms,
                                        .ended_ms = from->ended_ms,
                                        .error = from->error,
                                        .log = from->log,
                                        .cause = from->cause,
                                        .exit_code = from->exit_code,
                                        .signal = from->signal,
                                        .max_rss_kib = from->max_rss_kib,
                                        .cpu_ms = from->cpu_ms};
    struct mem_attempt *attempt = er_mem_attempt_new(&as_settled);

    if (!attempt)
        return NULL;
    attempt->a.n = from->n;
    if (!(attempt->a.worker = er_mem_dup(from->worker))) {
        er_mem_attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

static int attempts_dup(struct mem_job *job, const struct errand_job_detail *from)
{
    for (size_t i = 0; i < from->attempts_n; i++) {
        struct mem_attempt *attempt = attempt_new(&from->attempts[i]);
        if (!attempt)
            return -1;
        er_mem_attempt_add(job, attempt);
    }
    return 0;
}

static int job_fill(struct mem_job *job, const struct errand_job_detail *from)
{
    const struct errand_job_info *info = &from->job;

    job->state = info->state;
    job->attempts = info->attempts;
    job->run_at_ms = info->run_at_ms;
    job->created_ms = info->created_ms;
    job->finished_ms = info->finished_ms;
    job->has_parents = from->parents_n > 0;
    if (er_mem_slice_dup(info->error, &job->error) < 0 ||
        er_mem_slice_dup(info->result, &job->result) < 0 ||
        (info->worker[0] && !(job->worker = er_mem_dup(info->worker))))
        return -1;
    return attempts_dup(job, from);
}

static struct mem_job *job_new(struct mem_call *call,
                               const struct errand_job_detail *from)
{
    struct errand_push_job as_pushed = {.id = from->job.id,
                                        .name = from->job.name,
                                        .queue = from->job.queue,
                                        .data = from->job.data,
                                        .options = from->job.options,
                                        .tags = from->job.tags,
                                        .tags_n = from->job.tags_n,
                                        .priority = from->job.priority,
                                        .tries = from->job.tries,
                                        .unique = from->unique,
                                        .limits = from->limits,
                                        .limits_n = from->limits_n,
                                        .has_failed_hook = from->has_failed_hook};
    struct mem_job *job = er_mem_job_new(call, &as_pushed);

    if (job && job_fill(job, from) < 0) {
        er_mem_job_free(job);
        return NULL;
    }
    return job;
}

static struct mem_batch *batch_new(const struct errand_batch_info *from)
{
    struct errand_push_batch as_pushed = {.id = from->id,
                                          .name = from->name,
                                          .allow_failures = from->allow_failures,
                                          .options = from->options};
    struct mem_batch *batch = er_mem_batch_new(&as_pushed);

    if (!batch)
        return NULL;
    batch->info.cancelled = from->cancelled;
    batch->info.total = from->total;
    batch->info.pending = from->pending;
    batch->info.failed = from->failed;
    batch->info.cancelled_n = from->cancelled_n;
    batch->info.created_ms = from->created_ms;
    batch->info.ended_ms = from->ended_ms;
    return batch;
}

static int edges_new(struct loading *l, size_t i)
{
    size_t n = l->p->jobs[i].parents_n;

    if (!(l->edges[i] = errand_arena_alloc(l->call->arena, n * sizeof **l->edges)))
        return -1;
    for (size_t k = 0; k < n; k++)
        if (!(l->edges[i][k] = calloc(1, sizeof(struct mem_edge))))
            return -1;
    return 0;
}

static int prepare(struct loading *l)
{
    struct errand_arena *arena = l->call->arena;
    const struct errand_load_params *p = l->p;

    l->jobs = errand_arena_alloc(arena, p->jobs_n * sizeof *l->jobs);
    l->edges = errand_arena_alloc(arena, p->jobs_n * sizeof *l->edges);
    l->batches = errand_arena_alloc(arena, p->batches_n * sizeof *l->batches);
    l->schedules = errand_arena_alloc(arena, p->schedules_n * sizeof *l->schedules);
    if (!l->jobs || !l->edges || !l->batches || !l->schedules)
        return -1;
    for (size_t i = 0; i < p->schedules_n; i++)
        if (!(l->schedules[i] = er_mem_schedule_new(&p->schedules[i])))
            return -1;
    for (size_t i = 0; i < p->batches_n; i++)
        if (!(l->batches[i] = batch_new(&p->batches[i])))
            return -1;
    for (size_t i = 0; i < p->jobs_n; i++)
        if (!(l->jobs[i] = job_new(l->call, &p->jobs[i])) || edges_new(l, i) < 0)
            return -1;
    return 0;
}

/* Frees what the store has not taken. */
static void loading_done(struct loading *l)
{
    for (size_t i = 0; l->jobs && i < l->p->jobs_n; i++)
        er_mem_job_free(l->jobs[i]);
    for (size_t i = 0; l->edges && i < l->p->jobs_n; i++)
        for (size_t k = 0; l->edges[i] && k < l->p->jobs[i].parents_n; k++)
            free(l->edges[i][k]);
    for (size_t i = 0; l->batches && i < l->p->batches_n; i++)
        er_mem_batch_free(l->batches[i]);
    for (size_t i = 0; l->schedules && i < l->p->schedules_n; i++)
        er_mem_schedule_free(l->schedules[i]);
}

/* ------------------------------------------------------------------ checks */

static bool is_batch_given(const struct errand_load_params *p, const struct errand_id *id)
{
    for (size_t i = 0; i < p->batches_n; i++)
        if (strcmp(p->batches[i].id.text, id->text) == 0)
            return true;
    return false;
}

static int members_check(const struct loading *l, struct errand_error *err)
{
    for (size_t i = 0; i < l->p->jobs_n; i++) {
        const struct errand_id *batch = &l->p->jobs[i].job.batch;
        if (batch->text[0] && !er_mem_batch_find(l->call->store, batch) &&
            !is_batch_given(l->p, batch))
            return errand_error_set(err, ERRAND_ENOTFOUND, "there is no batch '%s'",
                                    batch->text);
    }
    return 0;
}

/* ------------------------------------------------------------------ carrying out */

/* A key that another holds stays with it. */
static void claim(struct mem_call *call, struct mem_job *job, int64_t until_ms)
{
    if (!job->is_unique || until_ms <= call->now_ms ||
        er_mem_claim_find(call, job->unique_key))
        return;
    er_mem_claim_take(call, job);
    job->claim->until_ms = until_ms;
}

static void batch_insert(struct loading *l, size_t i)
{
    struct mem_batch *batch = l->batches[i];

    if (er_mem_batch_find(l->call->store, &batch->info.id))
        return;
    er_mem_batch_add(l->call, batch);
    l->batches[i] = NULL;
}

static void job_insert(struct loading *l, size_t i, struct errand_pushed_job *ret)
{
    const struct errand_job_detail *from = &l->p->jobs[i];
    struct mem_job *job = er_mem_job_find(l->call->store, &from->job.id);

    *ret = (struct errand_pushed_job){.id = from->job.id, .state = from->job.state};
    if (job) {
        ret->pushed = ERRAND_DUPLICATE;
        ret->state = job->state;
        return;
    }
    job = l->jobs[i];
    l->jobs[i] = NULL;
    if (from->job.batch.text[0])
        job->batch = er_mem_batch_find(l->call->store, &from->job.batch);
    er_mem_job_add(l->call, job);
    claim(l->call, job, from->unique_until_ms);
    if (from->is_hook_due)
        er_mem_hook_due(l->call, job);
}

/* The other end of each edge, or false when one of them is not there yet. */
static bool parents_find(struct loading *l, size_t i)
{
    for (size_t k = 0; k < l->p->jobs[i].parents_n; k++) {
        const struct errand_edge_info *from = &l->p->jobs[i].parents[k];
        struct mem_edge *edge = l->edges[i][k];
        edge->on = from->on;
        if (from->is_batch)
            edge->batch = er_mem_batch_find(l->call->store, &from->id);
        else
            edge->parent = er_mem_job_find(l->call->store, &from->id);
        if (!edge->batch && !edge->parent)
            return false;
    }
    return true;
}

static void edges_attach(struct loading *l, size_t i)
{
    const struct errand_job_detail *from = &l->p->jobs[i];
    struct mem_job *child = er_mem_job_find(l->call->store, &from->job.id);

    if (child->parents.n || !parents_find(l, i))
        return;
    for (size_t k = 0; k < from->parents_n; k++) {
        struct mem_edge *edge = l->edges[i][k];
        l->edges[i][k] = NULL;
        edge->child = child;
        edge->state = from->parents[k].is_satisfied ? MEM_SATISFIED
                      : edge->parent ? er_mem_edge_by_job(edge->on, edge->parent->state)
                                     : er_mem_edge_by_batch(edge->on, &edge->batch->info);
        er_mem_edge_attach(edge);
        if (from->parents[k].has_cancelled)
            child->against = edge;
    }
}

static int load(struct loading *l, struct errand_load_result *ret,
                struct errand_error *err)
{
    const struct errand_load_params *p = l->p;
    struct errand_pushed_job *rows =
        errand_arena_alloc(l->call->arena, p->jobs_n * sizeof *rows);
    int rc;

    if (!rows || prepare(l) < 0)
        return er_error_nomem(err);
    if ((rc = members_check(l, err)) < 0)
        return rc;
    for (size_t i = 0; i < p->schedules_n; i++)
        if (er_mem_schedule_load(l->call, l->schedules[i]))
            l->schedules[i] = NULL;
    for (size_t i = 0; i < p->batches_n; i++)
        batch_insert(l, i);
    for (size_t i = 0; i < p->jobs_n; i++)
        job_insert(l, i, &rows[i]);
    for (size_t i = 0; i < p->jobs_n; i++)
        edges_attach(l, i);
    ret->jobs = rows;
    return 0;
}

int er_mem_op_load(struct errand_conn *conn, const struct errand_load_params *p,
                   struct errand_arena *arena, struct errand_load_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    struct loading l = {.call = &call, .p = p};
    int rc = er_mem_begin(&call, conn, "load", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    rc = load(&l, ret, err);
    loading_done(&l);
    return er_mem_end(&call, "load", rc, err);
}
