/* reserve.c: handing out work: hooks that are due, then READY jobs in the order of the
 * contract, past the paused queues and past the jobs that a limit holds back. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>

/* Where the picking stands: one cursor per queue asked for. */
struct cursor {
    struct mem_queue *queue;
    struct er_node *next;
};

struct picking {
    const struct errand_exchange_params *p;
    struct errand_exchange_result *ret;
    struct cursor *cursors;
    size_t cursors_n;
    struct mem_lease *lease;
    int64_t next_at_ms; /* earliest that is known; 0: none */
    bool is_out_of_memory;
};

static void sooner(struct picking *k, int64_t at_ms)
{
    if (at_ms && at_ms != ERRAND_FOREVER && (!k->next_at_ms || at_ms < k->next_at_ms))
        k->next_at_ms = at_ms;
}

static struct mem_job *in_line(struct er_node *node)
{
    return node ? ER_OWNER(node, struct mem_job, in_line) : NULL;
}

/* ------------------------------------------------------------------ due jobs */

static void promote(struct mem_call *call, struct mem_queue *queue)
{
    struct mem_job *job;

    while ((job = in_line(er_tree_first(&queue->scheduled))) &&
           job->run_at_ms <= call->now_ms)
        er_mem_job_move(call, job, ERRAND_READY, ER_EVENT_DUE);
}

static void cursor_add(struct mem_call *call, struct picking *k, struct mem_queue *queue)
{
    promote(call, queue);
    if (er_mem_queue_is_paused(queue, call->now_ms)) {
        sooner(k, queue->paused_until_ms);
        return;
    }
    if (queue->scheduled.n)
        sooner(k, in_line(er_tree_first(&queue->scheduled))->run_at_ms);
    k->cursors[k->cursors_n++] = (struct cursor){.queue = queue};
}

static int cursors_make(struct mem_call *call, struct picking *k)
{
    size_t n = k->p->queues_n ? k->p->queues_n : call->store->queues.n;

    if (!(k->cursors = errand_arena_alloc(call->arena, n * sizeof *k->cursors)))
        return -1;
    for (size_t i = 0; i < k->p->queues_n; i++) {
        struct mem_queue *queue = er_mem_queue_find(call->store, k->p->queues[i]);
        if (queue)
            cursor_add(call, k, queue);
    }
    if (!k->p->queues_n)
        for (struct er_node *x = er_tree_first(&call->store->queues); x;
             x = er_tree_next(x))
            cursor_add(call, k, ER_OWNER(x, struct mem_queue, by_name));
    return 0;
}

/* ------------------------------------------------------------------ handing out */

static int fill(struct mem_call *call, const struct mem_job *job,
                struct errand_reserved *ret)
{
    *ret = (struct errand_reserved){.key = job->seq,
                                    .id = job->id,
                                    .attempt = job->attempts + 1,
                                    .tries = job->tries,
                                    .priority = job->priority,
                                    .run_at_ms = job->run_at_ms,
                                    .created_ms = job->created_ms,
                                    .has_parents = job->has_parents,
                                    .is_unique = job->is_unique,
                                    .has_limits = job->uses_n > 0};
    if (job->batch)
        ret->batch = job->batch->info.id;
    if (!(ret->name = er_mem_out(call, job->name)) ||
        !(ret->queue = er_mem_out(call, job->queue->name)) ||
        er_mem_slice_out(call, job->data, &ret->data) < 0 ||
        er_mem_slice_out(call, job->options, &ret->options) < 0)
        return -1;
    return 0;
}

static void lease_add(struct mem_job *job, struct picking *k, char *worker)
{
    struct mem_lease *lease = k->lease;

    free(job->worker);
    job->worker = worker;
    job->lease = lease;
    er_list_append(&lease->jobs, &job->in_lease);
}

static bool take(struct mem_call *call, struct picking *k, struct mem_job *job)
{
    struct errand_reserved *row = &k->ret->jobs[k->ret->jobs_n];
    char *worker = er_mem_dup(k->p->worker);

    if (!worker || fill(call, job, row) < 0 || er_mem_limits_start(call, job) < 0) {
        free(worker);
        k->is_out_of_memory = true;
        return false;
    }
    row->token = k->lease->token;
    er_mem_job_move(call, job, ERRAND_RUNNING, ER_EVENT_RESERVE);
    lease_add(job, k, worker);
    k->ret->jobs_n++;
    return true;
}

static bool take_hook(struct mem_call *call, struct picking *k, struct mem_job *job)
{
    struct errand_reserved *row = &k->ret->jobs[k->ret->jobs_n];
    char *worker = er_mem_dup(k->p->worker);

    if (!worker || fill(call, job, row) < 0 ||
        er_mem_slice_out(call, job->error, &row->error) < 0) {
        free(worker);
        k->is_out_of_memory = true;
        return false;
    }
    row->kind = ERRAND_WORK_FAILED_HOOK;
    row->token = k->lease->token;
    row->attempt = job->attempts;
    row->failed_ms = job->finished_ms;
    er_mem_hook_clear(call, job);
    job->hook = MEM_HOOK_LEASED;
    lease_add(job, k, worker);
    k->ret->jobs_n++;
    return true;
}

/* ------------------------------------------------------------------ picking */

static bool is_full(const struct picking *k)
{
    return k->is_out_of_memory || k->ret->jobs_n == k->p->max;
}

/* The cursor whose next job comes first; with queues given, the first that has one. */
static struct cursor *cursor_next(struct picking *k, er_node_compare *compare)
{
    struct cursor *best = NULL;

    for (size_t i = 0; i < k->cursors_n; i++) {
        struct cursor *c = &k->cursors[i];
        if (!c->next)
            continue;
        if (k->p->queues_n)
            return c;
        if (!best || compare(c->next, best->next) < 0)
            best = c;
    }
    return best;
}

static void pick_hooks(struct mem_call *call, struct picking *k)
{
    struct cursor *c;

    for (size_t i = 0; i < k->cursors_n; i++)
        k->cursors[i].next = er_tree_first(&k->cursors[i].queue->hooks);
    while (!is_full(k) && k->cursors_n &&
           (c = cursor_next(k, k->cursors[0].queue->hooks.compare))) {
        struct mem_job *job = in_line(c->next);
        c->next = er_tree_next(c->next);
        take_hook(call, k, job);
    }
}

static void pick_jobs(struct mem_call *call, struct picking *k)
{
    struct cursor *c;
    int64_t at_ms;

    for (size_t i = 0; i < k->cursors_n; i++)
        k->cursors[i].next = er_tree_first(&k->cursors[i].queue->ready);
    while (!is_full(k) && k->cursors_n &&
           (c = cursor_next(k, k->cursors[0].queue->ready.compare))) {
        struct mem_job *job = in_line(c->next);
        c->next = er_tree_next(c->next);
        if (er_mem_limits_allow(call, job, &at_ms))
            take(call, k, job);
        else
            sooner(k, at_ms);
    }
}

static size_t available(const struct picking *k)
{
    size_t n = 0;

    for (size_t i = 0; i < k->cursors_n; i++)
        n += k->cursors[i].queue->ready.n + k->cursors[i].queue->hooks.n;
    return n < k->p->max ? n : k->p->max;
}

static int lease_make(struct mem_call *call, struct picking *k)
{
    struct mem_lease *lease = calloc(1, sizeof *lease);

    if (!lease || !(lease->worker = er_mem_dup(k->p->worker))) {
        free(lease);
        return -1;
    }
    lease->token = call->store->last_token + 1;
    lease->since_ms = call->now_ms;
    lease->until_ms = call->lease_now_ms + k->p->lease_ms;
    k->lease = lease;
    return 0;
}

static void lease_keep_or_drop(struct mem_call *call, struct picking *k)
{
    struct mem_lease *lease = k->lease;

    if (!k->ret->jobs_n) {
        free(lease->worker);
        free(lease);
        return;
    }
    call->store->last_token = lease->token;
    er_tree_insert(&call->store->leases, &lease->by_token);
    k->ret->token = lease->token;
    k->ret->lease_until_ms = call->now_ms + k->p->lease_ms;
}

/* What was settled before is true already: when memory runs out here, fewer jobs are
 * handed out, and no error takes the settling back. */
void er_mem_reserve(struct mem_call *call, const struct errand_exchange_params *p,
                    struct errand_exchange_result *ret)
{
    struct picking k = {.p = p, .ret = ret};
    size_t n;

    if (cursors_make(call, &k) < 0)
        return;
    if ((n = available(&k)) > 0) {
        ret->jobs = errand_arena_alloc(call->arena, n * sizeof *ret->jobs);
        if (!ret->jobs || lease_make(call, &k) < 0)
            return;
        pick_hooks(call, &k);
        pick_jobs(call, &k);
        lease_keep_or_drop(call, &k);
    }
    ret->next_at_ms =
        ret->jobs_n == p->max || k.is_out_of_memory ? call->now_ms : k.next_at_ms;
}
