/* push.c: storing jobs, all or nothing.
 *
 * First a plan: what becomes of each job, with everything allocated that it needs and
 * nothing changed. Then the plan is carried out, which cannot fail. */
#include "store/memory/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

uint32_t er_mem_hints(const struct mem_call *call)
{
    return call->store->events.followed_until_ms > call->now_ms ? ERRAND_HINT_EVENTS : 0;
}

/* ------------------------------------------------------------------ carrying out */

/* The waiting holder of the key takes what the newcomer brings. */
static void holder_update(struct mem_call *call, struct mem_plan_job *plan,
                          const struct errand_push_job *from)
{
    struct mem_job *holder = plan->target;

    if (plan->pushed == ERRAND_REPLACED) {
        er_mem_slice_free(&holder->data);
        er_mem_slice_free(&holder->options);
        holder->data = plan->data;
        holder->options = plan->options;
        plan->data = plan->options = (struct errand_slice){0};
    }
    er_mem_job_put_off(call, holder,
                       from->run_at_ms > call->now_ms ? from->run_at_ms : call->now_ms);
    er_mem_claim_renew(call, holder, from->unique->ttl_ms);
    er_mem_tell_job(call, holder, ER_TOLD_RESCHEDULED, (struct errand_slice){0});
}

static void job_insert(struct mem_call *call, struct mem_job *job)
{
    if (job->waits_n)
        job->state = ERRAND_HELD;
    else
        job->state = job->run_at_ms > call->now_ms ? ERRAND_SCHEDULED : ERRAND_READY;
    er_mem_job_enter(call, job);
    if (job->is_unique)
        er_mem_claim_take(call, job);
    er_mem_tell(call,
                &(struct errand_event){.type = er_told_name(ER_TOLD_DISPATCHED),
                                       .id = job->id,
                                       .name = job->name,
                                       .queue = job->queue->name,
                                       .duration_ms = -1,
                                       .delay_ms = job->run_at_ms > call->now_ms
                                                       ? job->run_at_ms - call->now_ms
                                                       : -1});
}

/* A parent may have ended before: that counts at once. */
static void edges_attach(struct mem_plan *plan)
{
    for (size_t i = 0; i < plan->edges_n; i++) {
        struct mem_edge *edge = plan->edges[i];
        if (!edge)
            continue;
        edge->state = edge->parent ? er_mem_edge_by_job(edge->on, edge->parent->state)
                                   : er_mem_edge_by_batch(edge->on, &edge->batch->info);
        er_mem_edge_attach(edge);
        plan->edges[i] = NULL;
    }
}

static struct mem_edge *edge_against(const struct mem_job *job)
{
    for (struct er_link *l = job->parents.first; l; l = l->next)
        if (ER_OWNER(l, struct mem_edge, of_child)->state == MEM_AGAINST)
            return ER_OWNER(l, struct mem_edge, of_child);
    return NULL;
}

/* New jobs that have no chance: a parent ended otherwise, or the batch is cancelled. */
static void cancel_hopeless(struct mem_call *call, struct mem_job *job)
{
    enum errand_state from = job->state;

    if (!er_mem_is_waiting(job))
        return;
    if ((job->against = edge_against(job)))
        er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_ABANDON);
    else if (job->batch && job->batch->info.cancelled)
        er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_CANCEL);
    if (job->state != from)
        er_mem_move_add(call, job, from);
}

static void carry_out(struct mem_call *call, const struct errand_push_params *p,
                      struct mem_plan *plan)
{
    if (plan->batch) {
        er_mem_batch_insert(call, plan->batch);
        plan->batch = NULL;
    }
    edges_attach(plan);
    for (size_t i = 0; i < p->jobs_n; i++) {
        if (plan->jobs[i].pushed == ERRAND_INSERTED)
            job_insert(call, plan->jobs[i].target);
        else if (plan->jobs[i].pushed != ERRAND_DUPLICATE)
            holder_update(call, &plan->jobs[i], &p->jobs[i]);
    }
    for (size_t i = 0; i < p->jobs_n; i++)
        if (plan->jobs[i].pushed == ERRAND_INSERTED)
            cancel_hopeless(call, plan->jobs[i].target);
    er_mem_follow(call);
}

/* ------------------------------------------------------------------ push */

static void answer(const struct mem_plan *plan, size_t n, struct errand_pushed_job *ret)
{
    for (size_t i = 0; i < n; i++) {
        const struct mem_plan_job *job = &plan->jobs[i];
        ret[i] = (struct errand_pushed_job){
            .pushed = job->pushed,
            .id = job->target ? job->target->id : job->pruned,
            .state = job->target ? job->target->state : ERRAND_COMPLETED,
        };
    }
}

int er_mem_push(struct mem_call *call, const struct errand_push_params *p,
                struct errand_push_result *ret, struct errand_error *err)
{
    struct errand_pushed_job *rows =
        errand_arena_alloc(call->arena, p->jobs_n * sizeof *rows);
    struct mem_plan plan = {0};
    int rc;

    if (!rows)
        return er_error_nomem(err);
    if ((rc = er_mem_plan_make(call, p, &plan, err)) == 0) {
        carry_out(call, p, &plan);
        answer(&plan, p->jobs_n, rows);
        ret->jobs = rows;
        ret->hints = er_mem_hints(call);
    }
    er_mem_plan_done(&plan, rc == 0);
    return rc;
}

int er_mem_op_push(struct errand_conn *conn, const struct errand_push_params *p,
                   struct errand_arena *arena, struct errand_push_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "push", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    rc = er_mem_push(&call, p, ret, err);
    return er_mem_end(&call, "push", rc, err);
}
