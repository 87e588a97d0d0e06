/* leases.c: leases that go on, and leases that are over. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

static int token_key(const void *key, const struct er_node *node)
{
    int64_t x = *(const int64_t *)key,
            y = ER_OWNER(node, struct mem_lease, by_token)->token;

    return (x > y) - (x < y);
}

static struct mem_lease *lease_find(const struct mem_store *store, int64_t token)
{
    struct er_node *node = er_tree_find(&store->leases, &token, token_key);

    return node ? ER_OWNER(node, struct mem_lease, by_token) : NULL;
}

/* ------------------------------------------------------------------ extend */

static size_t leased_n(const struct mem_call *call, const struct errand_extend_params *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->tokens_n; i++) {
        const struct mem_lease *lease = lease_find(call->store, p->tokens[i]);
        n += lease ? lease->jobs.n : 0;
    }
    return n;
}

static int extend_alloc(struct mem_call *call, const struct errand_extend_params *p,
                        struct errand_extend_result *ret)
{
    struct errand_arena *arena = call->arena;

    ret->leases = errand_arena_alloc(arena, p->tokens_n * sizeof *ret->leases);
    ret->progress = errand_arena_alloc(arena, p->progress_n * sizeof *ret->progress);
    ret->cancelled =
        errand_arena_alloc(arena, leased_n(call, p) * sizeof *ret->cancelled);
    return ret->leases && ret->progress && ret->cancelled ? 0 : -1;
}

static void extend_one(struct mem_call *call, struct mem_lease *lease, int64_t lease_ms,
                       struct errand_extend_result *ret)
{
    int64_t until_ms = call->lease_now_ms + lease_ms;

    if (until_ms > lease->until_ms)
        lease->until_ms = until_ms;
    for (struct er_link *l = lease->jobs.first; l; l = l->next) {
        const struct mem_job *job = ER_OWNER(l, struct mem_job, in_lease);
        if (job->cancel_requested)
            ret->cancelled[ret->cancelled_n++] = (struct errand_lease_job){
                .token = lease->token, .key = job->seq, .id = job->id};
    }
}

static enum errand_settled progress_one(struct mem_call *call,
                                        const struct errand_progress *p,
                                        struct errand_slice *note)
{
    struct mem_lease *lease = lease_find(call->store, p->token);

    for (struct er_link *l = lease ? lease->jobs.first : NULL; l; l = l->next) {
        struct mem_job *job = ER_OWNER(l, struct mem_job, in_lease);
        bool is_it =
            p->id.text[0] ? strcmp(job->id.text, p->id.text) == 0 : job->seq == p->key;
        if (!is_it || job->state != ERRAND_RUNNING)
            continue;
        job->progress = p->percent;
        er_mem_slice_free(&job->progress_note);
        job->progress_note = *note;
        *note = (struct errand_slice){0};
        return ERRAND_SETTLED;
    }
    return ERRAND_LOST;
}

static int extend(struct mem_call *call, const struct errand_extend_params *p,
                  struct errand_extend_result *ret, struct errand_error *err)
{
    struct errand_slice *notes =
        errand_arena_alloc(call->arena, p->progress_n * sizeof *notes);
    int rc = 0;

    if (!notes || extend_alloc(call, p, ret) < 0)
        return er_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < p->progress_n; i++)
        if (er_mem_slice_dup(p->progress[i].note, &notes[i]) < 0)
            rc = er_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < p->tokens_n; i++) {
        struct mem_lease *lease = lease_find(call->store, p->tokens[i]);
        ret->leases[i] = lease ? ERRAND_SETTLED : ERRAND_LOST;
        if (lease)
            extend_one(call, lease, p->lease_ms, ret);
    }
    for (size_t i = 0; rc == 0 && i < p->progress_n; i++)
        ret->progress[i] = progress_one(call, &p->progress[i], &notes[i]);
    for (size_t i = 0; i < p->progress_n; i++)
        er_mem_slice_free(&notes[i]);
    ret->until_ms = call->now_ms + p->lease_ms;
    return rc;
}

int er_mem_op_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                     struct errand_arena *arena, struct errand_extend_result *ret,
                     struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "extend", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    rc = extend(&call, p, ret, err);
    return er_mem_end(&call, "extend", rc, err);
}

/* ------------------------------------------------------------------ reap */

static const struct errand_slice lease_error = {ERRAND_LEASE_ERROR,
                                                sizeof ERRAND_LEASE_ERROR - 1};

static struct mem_attempt *attempt_new(const struct mem_call *call,
                                       const struct mem_job *job)
{
    struct errand_outcome o = {.kind = ERRAND_OUT_RETRY,
                               .started_ms = job->lease->since_ms,
                               .ended_ms = call->now_ms,
                               .error = lease_error,
                               .cause = ERRAND_CAUSE_LEASE};
    struct mem_attempt *attempt = er_mem_attempt_new(&o);

    if (attempt && !(attempt->a.worker = er_mem_dup(job->lease->worker))) {
        er_mem_attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

static void reap_move(struct mem_call *call, struct mem_job *job,
                      struct mem_attempt *attempt, bool all_hooks,
                      struct errand_reap_result *ret)
{
    if (job->cancel_requested) {
        attempt->a.outcome = ERRAND_OUT_CANCELLED;
        er_mem_job_move(call, job, ERRAND_CANCELLED, ER_EVENT_CANCELLED);
        ret->cancelled_n++;
    } else if (job->attempts >= job->tries) {
        attempt->a.outcome = ERRAND_OUT_FAIL;
        er_mem_job_move(call, job, ERRAND_FAILED, ER_EVENT_LEASE_SPENT);
        if (job->has_failed_hook || all_hooks)
            er_mem_hook_due(call, job);
        ret->failed_n++;
    } else {
        er_mem_job_move(call, job, ERRAND_READY, ER_EVENT_LEASE_OVER);
        ret->ready_n++;
    }
}

static int reap_job(struct mem_call *call, struct mem_job *job, bool all_hooks,
                    struct errand_reap_result *ret)
{
    struct mem_attempt *attempt = attempt_new(call, job);
    struct errand_slice error;

    if (!attempt || er_mem_slice_dup(lease_error, &error) < 0) {
        er_mem_attempt_free(attempt);
        return -1;
    }
    er_mem_slice_free(&job->error);
    job->error = error;
    attempt->a.n = job->attempts;
    er_mem_attempt_add(job, attempt);
    if (job->cancel_requested || job->attempts >= job->tries)
        er_mem_tell_job(call, job, ER_TOLD_STALLED, lease_error);
    reap_move(call, job, attempt, all_hooks, ret);
    er_mem_move_add(call, job, ERRAND_RUNNING);
    er_mem_follow(call);
    return 0;
}

static struct mem_job *next_over(const struct mem_call *call)
{
    for (struct er_node *n = er_tree_first(&call->store->leases); n;
         n = er_tree_next(n)) {
        struct mem_lease *lease = ER_OWNER(n, struct mem_lease, by_token);
        if (lease->until_ms <= call->lease_now_ms)
            return ER_OWNER(lease->jobs.first, struct mem_job, in_lease);
    }
    return NULL;
}

/* Running out of memory on the way is not an error: what was reaped is reaped, the rest
 * is for the next call. */
static int reap(struct mem_call *call, const struct errand_reap_params *p,
                struct errand_reap_result *ret, struct errand_error *err)
{
    struct mem_job *job;
    size_t n = 0;

    for (; n < p->max && (job = next_over(call)); n++) {
        if (job->hook == MEM_HOOK_LEASED) {
            er_mem_hook_clear(call, job);
            er_mem_hook_due(call, job);
            ret->hooks_n++;
        } else if (reap_job(call, job, p->all_hooks, ret) < 0) {
            if (n == 0)
                return er_error_nomem(err);
            break;
        }
    }
    ret->more = next_over(call) != NULL;
    ret->moves = call->moves.rows;
    ret->moves_n = call->moves.n;
    return 0;
}

int er_mem_op_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                   struct errand_arena *arena, struct errand_reap_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "reap", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    call.moves.wanted = p->want_moves;
    rc = reap(&call, p, ret, err);
    return er_mem_end(&call, "reap", rc, err);
}
