/* jobs.c: a job and the places it can be in: the lines of its queue, a lease, the list of
 * ended ones. Each move is one row of the table in core/state.h. */
#include "store/memory/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ trees */

static int by_id(const struct er_node *a, const struct er_node *b)
{
    return strcmp(ER_OWNER(a, struct mem_job, by_id)->id.text,
                  ER_OWNER(b, struct mem_job, by_id)->id.text);
}

static int id_key(const void *key, const struct er_node *node)
{
    return strcmp(key, ER_OWNER(node, struct mem_job, by_id)->id.text);
}

static int by_seq(const struct er_node *a, const struct er_node *b)
{
    int64_t x = ER_OWNER(a, struct mem_job, by_seq)->seq;
    int64_t y = ER_OWNER(b, struct mem_job, by_seq)->seq;

    return (x > y) - (x < y);
}

static int by_token(const struct er_node *a, const struct er_node *b)
{
    int64_t x = ER_OWNER(a, struct mem_lease, by_token)->token;
    int64_t y = ER_OWNER(b, struct mem_lease, by_token)->token;

    return (x > y) - (x < y);
}

void er_mem_jobs_init(struct mem_store *store)
{
    er_tree_init(&store->jobs_by_id, by_id);
    er_tree_init(&store->jobs_by_seq, by_seq);
    er_tree_init(&store->leases, by_token);
}

struct mem_job *er_mem_job_find(const struct mem_store *store, const struct errand_id *id)
{
    struct er_node *node = er_tree_find(&store->jobs_by_id, id->text, id_key);

    return node ? ER_OWNER(node, struct mem_job, by_id) : NULL;
}

/* ------------------------------------------------------------------ places */

static struct er_tree *line_of(struct mem_job *job)
{
    if (job->state == ERRAND_READY)
        return &job->queue->ready;
    if (job->state == ERRAND_SCHEDULED)
        return &job->queue->scheduled;
    return NULL;
}

/* By time of end, then insertion: nearly always at the end of the list. */
static void ended_insert(struct er_list *ended, struct mem_job *job)
{
    struct er_link *next = NULL, *prev = ended->last;

    while (prev) {
        const struct mem_job *other = ER_OWNER(prev, struct mem_job, in_ended);
        if (other->finished_ms < job->finished_ms ||
            (other->finished_ms == job->finished_ms && other->seq < job->seq))
            break;
        next = prev;
        prev = prev->prev;
    }
    er_list_insert(ended, &job->in_ended, next);
}

static void place_enter(struct mem_call *call, struct mem_job *job)
{
    struct er_tree *line = line_of(job);

    job->queue->counts[job->state]++;
    if (line) {
        er_tree_insert(line, &job->in_line);
        call->wakes |= ERRAND_WAIT_READY;
    } else if (job->state == ERRAND_RUNNING) {
        er_list_append(&call->store->running, &job->in_running);
    } else if (er_state_is_final(job->state)) {
        ended_insert(&job->queue->ended[job->state], job);
        call->wakes |= ERRAND_WAIT_ENDED;
    }
}

static void place_leave(struct mem_call *call, struct mem_job *job)
{
    struct er_tree *line = line_of(job);

    job->queue->counts[job->state]--;
    if (line) {
        er_tree_remove(line, &job->in_line);
    } else if (job->state == ERRAND_RUNNING) {
        er_list_remove(&call->store->running, &job->in_running);
        /* It may have stood in the way of another under a limit. */
        if (job->uses_n || call->store->limits.n)
            call->wakes |= ERRAND_WAIT_READY;
    } else if (er_state_is_final(job->state)) {
        job->finished_ms = 0;
        er_list_remove(&job->queue->ended[job->state], &job->in_ended);
    }
}

/* Takes it off its lease, which ends with its last job. */
static void lease_leave(struct mem_call *call, struct mem_job *job)
{
    struct mem_lease *lease = job->lease;

    if (!lease)
        return;
    er_list_remove(&lease->jobs, &job->in_lease);
    job->lease = NULL;
    if (lease->jobs.n)
        return;
    er_tree_remove(&call->store->leases, &lease->by_token);
    free(lease->worker);
    free(lease);
}

/* ------------------------------------------------------------------ moves */

void er_mem_job_add(struct mem_call *call, struct mem_job *job)
{
    job->seq = ++call->store->last_seq;
    er_tree_insert(&call->store->jobs_by_id, &job->by_id);
    er_tree_insert(&call->store->jobs_by_seq, &job->by_seq);
    job->queue->is_known = true;
    place_enter(call, job);
    if (job->batch)
        er_list_append(&job->batch->members, &job->in_batch);
}

void er_mem_job_enter(struct mem_call *call, struct mem_job *job)
{
    assert(er_transition_find(ER_NO_STATE, job->state, ER_EVENT_PUSH));
    er_mem_job_add(call, job);
    if (job->batch) {
        job->batch->info.total++;
        er_mem_batch_count(call, job, ER_NO_STATE, (int)job->state);
    }
}

/* What a move does to the attempt and to the unique key. */
static void move_effects(struct mem_call *call, struct mem_job *job,
                         const struct er_transition *t)
{
    if (t->attempts == ER_ATTEMPTS_RESET)
        job->attempts = 0;
    else
        job->attempts += t->attempts;
    if (t->from == ERRAND_RUNNING) {
        lease_leave(call, job);
        job->cancel_requested = false;
        job->progress = -1;
        er_mem_slice_free(&job->progress_note);
    }
    if (t->from != ER_NO_STATE && er_state_is_final((enum errand_state)t->from)) {
        er_mem_hook_clear(call, job);
        er_mem_slice_free(&job->error);
    }
    if (t->event == ER_EVENT_RESERVE && job->unique_until == ERRAND_UNIQUE_STARTED)
        er_mem_claim_release(call->store, job);
    if (er_state_is_final(t->to) && job->unique_until != ERRAND_UNIQUE_TTL)
        er_mem_claim_release(call->store, job);
}

void er_mem_job_move(struct mem_call *call, struct mem_job *job, enum errand_state to,
                     enum er_event event)
{
    enum errand_state from = job->state;
    const struct er_transition *t = er_transition_find((int)from, to, event);

    assert(t);
    place_leave(call, job);
    move_effects(call, job, t);
    job->state = to;
    if (er_state_is_final(to))
        job->finished_ms = call->now_ms;
    place_enter(call, job);
    if (job->batch)
        er_mem_batch_count(call, job, (int)from, (int)to);
    /* Its end, or its return to life, is news to those who wait for it. */
    if (er_state_is_final(from) != er_state_is_final(to) &&
        !er_list_has(&call->jobs_to_follow, &job->to_follow))
        er_list_append(&call->jobs_to_follow, &job->to_follow);
}

void er_mem_job_put_off(struct mem_call *call, struct mem_job *job, int64_t run_at_ms)
{
    bool is_due = run_at_ms <= call->now_ms;

    if (job->state == ERRAND_HELD) {
        job->run_at_ms = run_at_ms;
        return;
    }
    place_leave(call, job);
    job->run_at_ms = is_due ? call->now_ms : run_at_ms;
    job->state = is_due ? ERRAND_READY : ERRAND_SCHEDULED;
    place_enter(call, job);
}

void er_mem_job_reorder(struct mem_job *job, int32_t priority)
{
    struct er_tree *line = line_of(job);

    if (line)
        er_tree_remove(line, &job->in_line);
    job->priority = priority;
    if (line)
        er_tree_insert(line, &job->in_line);
}

void er_mem_hook_due(struct mem_call *call, struct mem_job *job)
{
    job->hook = MEM_HOOK_DUE;
    er_tree_insert(&job->queue->hooks, &job->in_line);
    call->wakes |= ERRAND_WAIT_READY;
}

void er_mem_hook_clear(struct mem_call *call, struct mem_job *job)
{
    if (job->hook == MEM_HOOK_DUE)
        er_tree_remove(&job->queue->hooks, &job->in_line);
    else if (job->hook == MEM_HOOK_LEASED)
        lease_leave(call, job);
    job->hook = MEM_HOOK_NONE;
}

/* ------------------------------------------------------------------ attempts */

void er_mem_attempt_free(struct mem_attempt *attempt)
{
    if (!attempt)
        return;
    free((char *)attempt->a.worker);
    er_mem_slice_free(&attempt->a.error);
    er_mem_slice_free(&attempt->a.log);
    free(attempt);
}

void er_mem_attempt_add(struct mem_job *job, struct mem_attempt *attempt)
{
    er_list_append(&job->attempts_kept, &attempt->link);
    if (job->attempts_kept.n > ERRAND_ATTEMPTS_KEPT)
        er_mem_attempt_free(
            ER_OWNER(er_list_pop(&job->attempts_kept), struct mem_attempt, link));
}

/* ------------------------------------------------------------------ end */

static void edges_free(struct er_list *edges, bool of_parent)
{
    while (edges->first) {
        struct mem_edge *edge = of_parent
                                    ? ER_OWNER(edges->first, struct mem_edge, of_parent)
                                    : ER_OWNER(edges->first, struct mem_edge, of_child);
        er_mem_edge_free(edge);
    }
}

void er_mem_asks_free(struct mem_job *job)
{
    for (size_t i = 0; i < job->uses_n; i++) {
        free(job->uses[i].name);
        er_mem_slice_free(&job->uses[i].key);
    }
    free(job->uses);
    er_mem_slice_free(&job->unique_key);
    er_mem_claim_free(job->spare);
}

void er_mem_job_free(struct mem_job *job)
{
    struct er_link *link;

    if (!job)
        return;
    free(job->name);
    er_mem_slice_free(&job->data);
    er_mem_slice_free(&job->options);
    er_mem_slice_free(&job->error);
    er_mem_slice_free(&job->result);
    er_mem_slice_free(&job->progress_note);
    for (size_t i = 0; i < job->tags_n; i++)
        free(job->tags[i]);
    free(job->tags);
    er_mem_asks_free(job);
    free(job->worker);
    while ((link = er_list_pop(&job->attempts_kept)))
        er_mem_attempt_free(ER_OWNER(link, struct mem_attempt, link));
    free(job);
}

void er_mem_job_drop(struct mem_call *call, struct mem_job *job, bool is_deleted)
{
    struct mem_store *store = call->store;

    er_mem_hook_clear(call, job);
    place_leave(call, job);
    lease_leave(call, job);
    edges_free(&job->parents, false);
    edges_free(&job->children, true);
    if (job->batch)
        er_list_remove(&job->batch->members, &job->in_batch);
    if (is_deleted)
        er_mem_claim_release(store, job);
    else if (job->claim)
        job->claim->job = NULL;
    er_tree_remove(&store->jobs_by_id, &job->by_id);
    er_tree_remove(&store->jobs_by_seq, &job->by_seq);
    er_mem_job_free(job);
}
