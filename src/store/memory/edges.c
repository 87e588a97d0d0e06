/* edges.c: what the end of a job or batch means for those who wait for it.
 *
 * Told one after the other from a list and not by recursion: a chain may have a million
 * links. The list is in the order in which things became true, so a cause comes before
 * its effects. */
#include "store/memory/memory.h"

#include <stdlib.h>

enum mem_edge_state er_mem_edge_by_job(enum errand_edge_on on, enum errand_state state)
{
    bool holds = on == ERRAND_ON_END ||
                 (on == ERRAND_ON_SUCCESS && state == ERRAND_COMPLETED) ||
                 (on == ERRAND_ON_FAILURE && state == ERRAND_FAILED);

    if (!er_state_is_final(state))
        return MEM_OPEN;
    return holds ? MEM_SATISFIED : MEM_AGAINST;
}

enum mem_edge_state er_mem_edge_by_batch(enum errand_edge_on on,
                                         const struct errand_batch_info *batch)
{
    bool succeeded = batch->failed == 0 && batch->cancelled_n == 0;
    bool holds = on == ERRAND_ON_END || (on == ERRAND_ON_SUCCESS) == succeeded;

    if (!batch->ended_ms)
        return MEM_OPEN;
    return holds ? MEM_SATISFIED : MEM_AGAINST;
}

void er_mem_edge_attach(struct mem_edge *edge)
{
    struct er_list *children =
        edge->parent ? &edge->parent->children : &edge->batch->children;

    er_list_append(children, &edge->of_parent);
    er_list_append(&edge->child->parents, &edge->of_child);
    edge->child->has_parents = true;
    if (edge->state != MEM_SATISFIED)
        edge->child->waits_n++;
}

void er_mem_edge_free(struct mem_edge *edge)
{
    struct er_list *children =
        edge->parent ? &edge->parent->children : &edge->batch->children;

    er_list_remove(children, &edge->of_parent);
    er_list_remove(&edge->child->parents, &edge->of_child);
    if (edge->state != MEM_SATISFIED)
        edge->child->waits_n--;
    if (edge->child->against == edge)
        edge->child->against = NULL;
    free(edge);
}

static void release(struct mem_call *call, struct mem_job *child)
{
    bool is_due = child->run_at_ms <= call->now_ms;

    if (is_due)
        child->run_at_ms = call->now_ms;
    er_mem_job_move(call, child, is_due ? ERRAND_READY : ERRAND_SCHEDULED,
                    ER_EVENT_RELEASE);
    er_mem_move_add(call, child, ERRAND_HELD);
}

static void decide(struct mem_call *call, struct mem_edge *edge,
                   enum mem_edge_state state)
{
    struct mem_job *child = edge->child;

    if (edge->state != MEM_OPEN || state == MEM_OPEN)
        return;
    edge->state = state;
    if (state == MEM_SATISFIED) {
        child->waits_n--;
        if (child->state == ERRAND_HELD && child->waits_n == 0)
            release(call, child);
    } else if (child->state == ERRAND_HELD) {
        child->against = edge;
        er_mem_job_move(call, child, ERRAND_CANCELLED, ER_EVENT_ABANDON);
        er_mem_move_add(call, child, ERRAND_HELD);
    }
}

static struct mem_edge *edge_against(const struct mem_job *job)
{
    for (struct er_link *l = job->parents.first; l; l = l->next) {
        struct mem_edge *edge = ER_OWNER(l, struct mem_edge, of_child);
        if (edge->state == MEM_AGAINST)
            return edge;
    }
    return NULL;
}

/* The parent is back to life: a child that it had made CANCELLED is HELD again. */
static void reopen(struct mem_call *call, struct mem_edge *edge)
{
    struct mem_job *child = edge->child;
    struct mem_edge *other;

    if (edge->state != MEM_AGAINST)
        return;
    edge->state = MEM_OPEN;
    if (child->state != ERRAND_CANCELLED || child->against != edge)
        return;
    if ((other = edge_against(child))) {
        child->against = other;
        return;
    }
    child->against = NULL;
    if (!er_mem_claim_again(call, child))
        return;
    er_mem_job_move(call, child, ERRAND_HELD, ER_EVENT_REHOLD);
    er_mem_move_add(call, child, ERRAND_CANCELLED);
}

static void tell_children(struct mem_call *call, struct er_list *children, bool is_alive,
                          const struct mem_job *job, const struct mem_batch *batch)
{
    for (struct er_link *l = children->first; l; l = l->next) {
        struct mem_edge *edge = ER_OWNER(l, struct mem_edge, of_parent);
        if (is_alive)
            reopen(call, edge);
        else if (job)
            decide(call, edge, er_mem_edge_by_job(edge->on, job->state));
        else
            decide(call, edge, er_mem_edge_by_batch(edge->on, &batch->info));
    }
}

/* Without allowFailures the first that failed stops those that have not started. */
static void cancel_siblings(struct mem_call *call, struct mem_batch *batch)
{
    batch->info.cancelled = true;
    for (struct er_link *l = batch->members.first; l; l = l->next) {
        struct mem_job *member = ER_OWNER(l, struct mem_job, in_batch);
        enum errand_state from = member->state;
        if (!er_mem_is_waiting(member))
            continue;
        er_mem_job_move(call, member, ERRAND_CANCELLED, ER_EVENT_CANCEL);
        er_mem_move_add(call, member, from);
    }
}

static void follow_job(struct mem_call *call, struct mem_job *job)
{
    tell_children(call, &job->children, !er_state_is_final(job->state), job, NULL);
    if (job->state == ERRAND_FAILED && job->batch && !job->batch->info.allow_failures)
        cancel_siblings(call, job->batch);
}

static void follow_batch(struct mem_call *call, struct mem_batch *batch)
{
    struct errand_event event;

    if (batch->is_reopened) {
        batch->is_reopened = false;
        tell_children(call, &batch->children, true, NULL, batch);
    }
    if (batch->info.pending == 0 && !batch->info.ended_ms) {
        batch->info.ended_ms = call->now_ms;
        call->wakes |= ERRAND_WAIT_ENDED;
        event = er_told_batch(&batch->info.id, batch->info.name);
        er_mem_tell(call, &event);
        tell_children(call, &batch->children, false, NULL, batch);
    }
}

void er_mem_follow(struct mem_call *call)
{
    struct er_link *link;

    while (true) {
        if ((link = er_list_pop(&call->jobs_to_follow)))
            follow_job(call, ER_OWNER(link, struct mem_job, to_follow));
        else if ((link = er_list_pop(&call->batches_to_follow)))
            follow_batch(call, ER_OWNER(link, struct mem_batch, to_follow));
        else
            return;
    }
}
