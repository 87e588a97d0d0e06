/* settle.c: outcomes of attempts. Only a job that is RUNNING under the outcome's token
 * changes; to all others it says LOST, however often they are settled. */
#include "store/memory/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What an outcome needs to own, allocated before anything changes. */
struct ready_outcome {
    struct mem_attempt *attempt;
    struct errand_slice error, result;
    struct mem_job asks; /* LIMIT: carries the key and the limits, and nothing else */
};

struct mem_attempt *er_mem_attempt_new(const struct errand_outcome *o)
{
    struct mem_attempt *attempt = calloc(1, sizeof *attempt);

    if (!attempt)
        return NULL;
    attempt->a = (struct errand_attempt){.started_ms = o->started_ms,
                                         .ended_ms = o->ended_ms,
                                         .outcome = o->kind,
                                         .cause = o->cause,
                                         .exit_code = o->exit_code,
                                         .signal = o->signal,
                                         .max_rss_kib = o->max_rss_kib,
                                         .cpu_ms = o->cpu_ms};
    if (er_mem_slice_dup(o->error, &attempt->a.error) < 0 ||
        er_mem_slice_dup(o->log, &attempt->a.log) < 0) {
        er_mem_attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

static void ready_free(struct ready_outcome *ready, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        er_mem_attempt_free(ready[i].attempt);
        er_mem_slice_free(&ready[i].error);
        er_mem_slice_free(&ready[i].result);
        er_mem_asks_free(&ready[i].asks);
    }
}

static int ready_fill(struct ready_outcome *ready, const struct errand_outcome *o)
{
    struct mem_attempt *attempt = ready->attempt = er_mem_attempt_new(o);

    if (!attempt || !(attempt->a.worker = er_mem_dup("")) ||
        er_mem_slice_dup(o->error, &ready->error) < 0 ||
        er_mem_slice_dup(o->result, &ready->result) < 0)
        return -1;
    if (o->kind != ERRAND_OUT_LIMIT)
        return 0;
    return er_mem_uses_dup(&ready->asks, o->limits, o->limits_n) < 0
               ? -1
               : er_mem_unique_dup(&ready->asks, o->unique);
}

/* ------------------------------------------------------------------ fencing */

static struct mem_job *by_key(struct mem_call *call, const struct errand_outcome *o)
{
    for (struct er_link *l = call->store->running.first; l; l = l->next) {
        struct mem_job *job = ER_OWNER(l, struct mem_job, in_running);
        if (job->seq == o->key)
            return job;
    }
    return NULL;
}

static bool is_leased_under(const struct mem_job *job, int64_t token, bool for_hook)
{
    return job && job->lease && job->lease->token == token &&
           (for_hook ? job->hook == MEM_HOOK_LEASED : job->state == ERRAND_RUNNING);
}

/* ------------------------------------------------------------------ one outcome */

static void slice_move(struct errand_slice *to, struct errand_slice *from)
{
    er_mem_slice_free(to);
    *to = *from;
    *from = (struct errand_slice){0};
}

/* Notes the attempt while the job still has its lease. */
static void attempt_note(struct mem_call *call, struct mem_job *job,
                         struct ready_outcome *ready, enum errand_outcome_kind kind)
{
    struct errand_attempt *a = &ready->attempt->a;
    char *worker = er_mem_dup(job->lease->worker);

    a->n = job->attempts;
    a->outcome = kind;
    if (!a->started_ms)
        a->started_ms = job->lease->since_ms;
    if (!a->ended_ms)
        a->ended_ms = call->now_ms;
    if (worker) {
        free((char *)a->worker);
        a->worker = worker;
    }
    er_mem_attempt_add(job, ready->attempt);
    ready->attempt = NULL;
}

static void run_again(struct mem_call *call, struct mem_job *job,
                      const struct errand_outcome *o, enum er_event event)
{
    if (event != ER_EVENT_HAND_BACK)
        job->run_at_ms = o->run_at_ms > call->now_ms ? o->run_at_ms : call->now_ms;
    er_mem_job_move(call, job,
                    event == ER_EVENT_HAND_BACK ? ERRAND_READY : ERRAND_SCHEDULED, event);
}

static void fail(struct mem_call *call, struct mem_job *job, bool hook_due)
{
    er_mem_job_move(call, job, ERRAND_FAILED, ER_EVENT_FAIL);
    if (hook_due)
        er_mem_hook_due(call, job);
}

/* Somebody wants it stopped, and it would run again: it does not. */
static void cancel_instead(struct mem_call *call, struct mem_job *job,
                           struct ready_outcome *ready)
{
    if (ready->error.len)
        slice_move(&job->error, &ready->error);
    attempt_note(call, job, ready, ERRAND_OUT_CANCELLED);
    er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_CANCELLED);
    er_mem_move_add(call, job, ERRAND_RUNNING);
}

static void finish_done(struct mem_call *call, struct mem_job *job,
                        struct ready_outcome *ready)
{
    er_mem_slice_free(&job->error);
    slice_move(&job->result, &ready->result);
    attempt_note(call, job, ready, ERRAND_OUT_DONE);
    er_mem_job_move(call, job, ERRAND_COMPLETED, ER_EVENT_DONE);
}

static void settle(struct mem_call *call, struct mem_job *job,
                   const struct errand_outcome *o, struct ready_outcome *ready)
{
    switch (o->kind) {
    case ERRAND_OUT_DONE:
        finish_done(call, job, ready);
        break;
    case ERRAND_OUT_LIMIT:
        break; /* not here */
    case ERRAND_OUT_RETRY:
        slice_move(&job->error, &ready->error);
        attempt_note(call, job, ready, o->kind);
        run_again(call, job, o, ER_EVENT_RETRY);
        break;
    case ERRAND_OUT_FAIL:
        slice_move(&job->error, &ready->error);
        attempt_note(call, job, ready, o->kind);
        fail(call, job, o->hook_due);
        break;
    case ERRAND_OUT_SNOOZE:
        run_again(call, job, o, ER_EVENT_SNOOZE);
        break;
    case ERRAND_OUT_HAND_BACK:
        run_again(call, job, o, ER_EVENT_HAND_BACK);
        break;
    case ERRAND_OUT_CANCELLED:
        if (ready->error.len)
            slice_move(&job->error, &ready->error);
        attempt_note(call, job, ready, o->kind);
        er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_CANCELLED);
        break;
    case ERRAND_OUT_HOOK_DONE:
        er_mem_hook_clear(call, job);
        break;
    }
}

static bool would_run_again(enum errand_outcome_kind kind)
{
    return kind == ERRAND_OUT_RETRY || kind == ERRAND_OUT_SNOOZE ||
           kind == ERRAND_OUT_HAND_BACK || kind == ERRAND_OUT_LIMIT;
}

/* Before anything that follows from it. */
static void tell(struct mem_call *call, const struct mem_job *job,
                 const struct errand_outcome *o)
{
    struct errand_outcome out = *o;
    struct errand_event event;

    if (!out.started_ms)
        out.started_ms = job->lease->since_ms;
    if (!out.ended_ms)
        out.ended_ms = call->now_ms;
    if (er_told_outcome(&out, &event))
        er_mem_tell(call, &event);
}

/* Another job has the key: done, without having run. */
static enum errand_settled duplicate(struct mem_call *call, struct mem_job *job,
                                     const struct errand_outcome *o,
                                     struct ready_outcome *ready)
{
    struct errand_outcome done = *o;

    done.kind = ERRAND_OUT_DONE;
    tell(call, job, &done);
    finish_done(call, job, ready);
    return ERRAND_SETTLED_DUPLICATE;
}

/* The job learns what it asks, and goes back. */
static enum errand_settled limit(struct mem_call *call, struct mem_job *job,
                                 const struct errand_outcome *o,
                                 struct ready_outcome *ready)
{
    struct mem_job *asks = &ready->asks;

    if (asks->is_unique && !job->is_unique) {
        if (er_mem_claim_find(call, asks->unique_key))
            return duplicate(call, job, o, ready);
        job->is_unique = true;
        job->unique_ttl_ms = asks->unique_ttl_ms;
        job->unique_until = asks->unique_until;
        slice_move(&job->unique_key, &asks->unique_key);
        job->spare = asks->spare;
        asks->spare = NULL;
        er_mem_claim_take(call, job);
    }
    if (!job->uses_n) {
        job->uses = asks->uses;
        job->uses_n = asks->uses_n;
        asks->uses = NULL;
        asks->uses_n = 0;
    }
    run_again(call, job, o, ER_EVENT_HAND_BACK);
    return ERRAND_SETTLED;
}

static enum errand_settled settle_one(struct mem_call *call,
                                      const struct errand_outcome *o,
                                      struct ready_outcome *ready)
{
    enum errand_settled answer = ERRAND_SETTLED;
    struct mem_job *job =
        o->id.text[0] ? er_mem_job_find(call->store, &o->id) : by_key(call, o);

    if (!is_leased_under(job, o->token, o->kind == ERRAND_OUT_HOOK_DONE))
        return ERRAND_LOST;
    if (job->cancel_requested && would_run_again(o->kind)) {
        cancel_instead(call, job, ready);
    } else if (o->kind == ERRAND_OUT_LIMIT) {
        answer = limit(call, job, o, ready);
    } else {
        tell(call, job, o);
        settle(call, job, o, ready);
    }
    er_mem_follow(call);
    return answer;
}

/* ------------------------------------------------------------------ all outcomes */

static int settle_all(struct mem_call *call, const struct errand_exchange_params *p,
                      struct errand_exchange_result *ret, struct errand_error *err)
{
    size_t n = p->outcomes_n;
    struct ready_outcome *ready = errand_arena_alloc(call->arena, n * sizeof *ready);
    enum errand_settled *settled = errand_arena_alloc(call->arena, n * sizeof *settled);
    int rc = 0;

    if (!ready || !settled)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (ready_fill(&ready[i], &p->outcomes[i]) < 0) {
            rc = er_error_nomem(err);
            goto out;
        }
    }
    for (size_t i = 0; i < n; i++)
        settled[i] = settle_one(call, &p->outcomes[i], &ready[i]);
    ret->settled = settled;
out:
    ready_free(ready, n);
    return rc;
}

/* COMPLETED jobs over the number to be kept. */
static void keep_within(struct mem_call *call, struct mem_queue *queue)
{
    struct er_list *completed = &queue->ended[ERRAND_COMPLETED];
    int64_t keep = call->conn->keep_n;

    if (call->conn->keep_ms == 0)
        keep = 0;
    while (keep >= 0 && (int64_t)completed->n > keep)
        er_mem_job_drop(call, ER_OWNER(completed->first, struct mem_job, in_ended),
                        false);
}

static void keep_all(struct mem_call *call)
{
    struct er_node *node;

    for (node = er_tree_first(&call->store->queues); node; node = er_tree_next(node))
        keep_within(call, ER_OWNER(node, struct mem_queue, by_name));
}

int er_mem_op_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                       struct errand_arena *arena, struct errand_exchange_result *ret,
                       struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "exchange", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    call.moves.wanted = p->want_moves;
    if ((rc = settle_all(&call, p, ret, err)) == 0) {
        keep_all(&call);
        if (p->max)
            er_mem_reserve(&call, p, ret);
        ret->control = call.store->control;
        ret->hints = er_mem_hints(&call);
        ret->moves = call.moves.rows;
        ret->moves_n = call.moves.n;
    }
    return er_mem_end(&call, "exchange", rc, err);
}
