/* change.c: what an operator does to jobs: cancel, retry, delete, run now, edit. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

/* One job that the change is for. By filter it is remembered by its number: a change
 * before it may have deleted it. */
struct candidate {
    struct mem_job *job;               /* NULL: no such job */
    struct errand_slice data, options; /* EDIT: its own copies, until they are taken */
};

struct change {
    const struct errand_change_params *p;
    struct candidate *rows;
    size_t rows_n;
};

/* ------------------------------------------------------------------ one job */

static bool can(const struct mem_job *job, const struct errand_change_params *p)
{
    switch (p->kind) {
    case ERRAND_CHANGE_CANCEL:
        return er_mem_is_waiting(job) ||
               (job->state == ERRAND_RUNNING && !(p->filter && job->cancel_requested));
    case ERRAND_CHANGE_RETRY:
        return job->state == ERRAND_FAILED || job->state == ERRAND_CANCELLED;
    case ERRAND_CHANGE_DELETE:
    case ERRAND_CHANGE_MOVED:
        return job->state != ERRAND_RUNNING;
    case ERRAND_CHANGE_RUN_NOW:
        return job->state == ERRAND_SCHEDULED;
    case ERRAND_CHANGE_EDIT:
        return job->state != ERRAND_RUNNING && job->state != ERRAND_COMPLETED;
    }
    return false;
}

static void cancel(struct mem_call *call, struct mem_job *job)
{
    enum errand_state from = job->state;

    if (job->state == ERRAND_RUNNING) {
        if (job->cancel_requested)
            return;
        job->cancel_requested = true;
        call->store->control++;
        call->wakes |= ERRAND_WAIT_CONTROL;
        return;
    }
    er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_CANCEL);
    er_mem_move_add(call, job, from);
}

/* The operator's word counts more than that of a parent that has ended. */
static void waive(struct mem_job *job)
{
    for (struct er_link *l = job->parents.first; l; l = l->next) {
        struct mem_edge *edge = ER_OWNER(l, struct mem_edge, of_child);
        if (edge->state != MEM_AGAINST)
            continue;
        edge->state = MEM_SATISFIED;
        job->waits_n--;
    }
    job->against = NULL;
}

static enum errand_changed retry(struct mem_call *call, struct mem_job *job)
{
    enum errand_state from = job->state;

    if (!er_mem_claim_again(call, job))
        return ERRAND_KEY_TAKEN;
    waive(job);
    job->run_at_ms = call->now_ms;
    if (job->waits_n)
        er_mem_job_move(call, job, ERRAND_HELD, ER_EVENT_REHOLD);
    else
        er_mem_job_move(call, job, ERRAND_READY, ER_EVENT_OPERATOR_RETRY);
    er_mem_move_add(call, job, from);
    return ERRAND_CHANGED;
}

static void run_now(struct mem_call *call, struct mem_job *job)
{
    bool is_due = job->run_at_ms <= call->now_ms;

    /* One that is due keeps the place it would have had. */
    if (is_due)
        er_mem_job_move(call, job, ERRAND_READY, ER_EVENT_DUE);
    else
        er_mem_job_put_off(call, job, call->now_ms);
    er_mem_move_add(call, job, ERRAND_SCHEDULED);
}

static void slice_move(struct errand_slice *to, struct errand_slice *from)
{
    er_mem_slice_free(to);
    *to = *from;
    *from = (struct errand_slice){0};
}

static void edit(struct mem_call *call, struct candidate *row,
                 const struct errand_edit *e)
{
    struct mem_job *job = row->job;
    enum errand_state from = job->state;

    if (e->data)
        slice_move(&job->data, &row->data);
    if (e->options)
        slice_move(&job->options, &row->options);
    if (e->tries)
        job->tries = *e->tries;
    if (e->priority)
        er_mem_job_reorder(job, *e->priority);
    if (e->run_at_ms && er_mem_is_waiting(job))
        er_mem_job_put_off(call, job,
                           *e->run_at_ms > call->now_ms ? *e->run_at_ms : call->now_ms);
    if (job->state != from)
        er_mem_move_add(call, job, from);
    else if (!er_state_is_final(from))
        er_mem_tell_job(call, job, ER_TOLD_RESCHEDULED, (struct errand_slice){0});
}

static void take_out(struct mem_call *call, struct candidate *row)
{
    struct mem_batch *batch = row->job->batch;

    er_mem_job_drop(call, row->job, true);
    row->job = NULL;
    if (batch && !batch->members.n)
        er_mem_batch_drop(call->store, batch);
}

static enum errand_changed change_one(struct mem_call *call, struct candidate *row,
                                      const struct errand_change_params *p)
{
    struct mem_job *job = row->job;
    enum errand_changed changed = ERRAND_CHANGED;

    if (!can(job, p))
        return ERRAND_WRONG_STATE;
    switch (p->kind) {
    case ERRAND_CHANGE_CANCEL:
        cancel(call, job);
        break;
    case ERRAND_CHANGE_RETRY:
        changed = retry(call, job);
        break;
    case ERRAND_CHANGE_DELETE:
        if (!er_state_is_final(job->state))
            cancel(call, job);
        break;
    case ERRAND_CHANGE_RUN_NOW:
        run_now(call, job);
        break;
    case ERRAND_CHANGE_EDIT:
        edit(call, row, p->edit);
        break;
    case ERRAND_CHANGE_MOVED:
        take_out(call, row);
        break;
    }
    er_mem_follow(call);
    if (p->kind == ERRAND_CHANGE_DELETE) {
        er_mem_job_drop(call, job, true);
        row->job = NULL;
    }
    return changed;
}

/* ------------------------------------------------------------------ candidates */

static int edit_copies(struct candidate *row, const struct errand_change_params *p)
{
    if (p->kind != ERRAND_CHANGE_EDIT)
        return 0;
    if (p->edit->data && er_mem_slice_dup(*p->edit->data, &row->data) < 0)
        return -1;
    return p->edit->options ? er_mem_slice_dup(*p->edit->options, &row->options) : 0;
}

static int candidate_add(struct change *c, struct mem_job *job)
{
    struct candidate *row = &c->rows[c->rows_n++];

    row->job = job;
    return job ? edit_copies(row, c->p) : 0;
}

static int by_ids(struct mem_call *call, struct change *c)
{
    for (size_t i = 0; i < c->p->ids_n; i++)
        if (candidate_add(c, er_mem_job_find(call->store, &c->p->ids[i])) < 0)
            return -1;
    return 0;
}

static int by_filter(struct mem_call *call, struct change *c)
{
    struct er_node *node = er_tree_first(&call->store->jobs_by_seq);

    for (; node; node = er_tree_next(node)) {
        struct mem_job *job = ER_OWNER(node, struct mem_job, by_seq);
        if (can(job, c->p) && er_mem_filter_matches(c->p->filter, job) &&
            candidate_add(c, job) < 0)
            return -1;
    }
    return 0;
}

static int candidates(struct mem_call *call, struct change *c)
{
    size_t n = c->p->ids_n ? c->p->ids_n : call->store->jobs_by_id.n;

    if (!(c->rows = errand_arena_alloc(call->arena, n * sizeof *c->rows)))
        return -1;
    return c->p->ids_n ? by_ids(call, c) : by_filter(call, c);
}

/* ------------------------------------------------------------------ all jobs */

/* An id that was deleted earlier in the same call is gone for the later ones. */
static void forget(struct change *c, const struct mem_job *job, size_t from)
{
    for (size_t i = from; i < c->rows_n; i++)
        if (c->rows[i].job == job)
            c->rows[i].job = NULL;
}

static void change_ids(struct mem_call *call, struct change *c,
                       struct errand_change_result *ret)
{
    for (size_t i = 0; i < c->rows_n; i++) {
        struct mem_job *job = c->rows[i].job;
        ret->changed[i] = job ? change_one(call, &c->rows[i], c->p) : ERRAND_NO_SUCH_JOB;
        ret->changed_n += ret->changed[i] == ERRAND_CHANGED;
        if (job && !c->rows[i].job)
            forget(c, job, i + 1);
    }
    ret->matched_n = c->rows_n;
}

/* A follow-up of this call may have brought a job to where it was to go. */
static bool is_there_already(const struct mem_job *job, enum errand_change_kind kind)
{
    return (kind == ERRAND_CHANGE_CANCEL && job->state == ERRAND_CANCELLED) ||
           (kind == ERRAND_CHANGE_RETRY && job->state == ERRAND_HELD);
}

static void change_filtered(struct mem_call *call, struct change *c,
                            struct errand_change_result *ret)
{
    for (size_t i = 0; i < c->rows_n; i++) {
        if (c->p->max && ret->changed_n == c->p->max) {
            ret->more = true;
            return;
        }
        ret->matched_n++;
        if (is_there_already(c->rows[i].job, c->p->kind) ||
            change_one(call, &c->rows[i], c->p) == ERRAND_CHANGED)
            ret->changed_n++;
    }
}

static int change(struct mem_call *call, const struct errand_change_params *p,
                  struct errand_change_result *ret)
{
    struct change c = {.p = p};
    int rc = candidates(call, &c);

    if (rc == 0 && p->ids_n &&
        !(ret->changed =
              errand_arena_alloc(call->arena, p->ids_n * sizeof *ret->changed)))
        rc = -1;
    if (rc == 0 && p->ids_n)
        change_ids(call, &c, ret);
    else if (rc == 0)
        change_filtered(call, &c, ret);
    for (size_t i = 0; i < c.rows_n; i++) {
        er_mem_slice_free(&c.rows[i].data);
        er_mem_slice_free(&c.rows[i].options);
    }
    ret->moves = call->moves.rows;
    ret->moves_n = call->moves.n;
    return rc;
}

int er_mem_op_change(struct errand_conn *conn, const struct errand_change_params *p,
                     struct errand_arena *arena, struct errand_change_result *ret,
                     struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "change", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    call.moves.wanted = p->want_moves;
    if (change(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "change", rc, err);
}
