/* check.c: does everything fit together? What one place says is counted again from the
 * others. */
#include "store/memory/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { FINDINGS_MAX = 100 };

struct findings {
    struct mem_call *call;
    const char **rows;
    size_t n;
    bool has_failed;
};

static void __attribute__((format(printf, 2, 3)))
find(struct findings *f, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    if (f->n == FINDINGS_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!(f->rows[f->n] = er_mem_out(f->call, text)))
        f->has_failed = true;
    else
        f->n++;
}

/* ------------------------------------------------------------------ jobs */

static void check_place(struct findings *f, const struct mem_job *job)
{
    bool in_line = er_node_is_in(&job->in_line);
    bool wants_line = job->state == ERRAND_READY || job->state == ERRAND_SCHEDULED ||
                      job->hook == MEM_HOOK_DUE;
    bool wants_lease = job->state == ERRAND_RUNNING || job->hook == MEM_HOOK_LEASED;

    if (in_line != wants_line)
        find(f, "job '%s' is %s and %s a line", job->id.text,
             errand_state_name(job->state), in_line ? "in" : "not in");
    if ((job->lease != NULL) != wants_lease)
        find(f, "job '%s' is %s and has %s lease", job->id.text,
             errand_state_name(job->state), job->lease ? "a" : "no");
    if (job->hook != MEM_HOOK_NONE && job->state != ERRAND_FAILED)
        find(f, "job '%s' is %s and its hook is due", job->id.text,
             errand_state_name(job->state));
    if (er_state_is_final(job->state) != (job->finished_ms != 0))
        find(f, "job '%s' is %s and ended at %lld", job->id.text,
             errand_state_name(job->state), (long long)job->finished_ms);
}

static void check_edges(struct findings *f, const struct mem_job *job)
{
    size_t waits = 0;

    for (struct er_link *l = job->parents.first; l; l = l->next) {
        const struct mem_edge *e = ER_OWNER(l, struct mem_edge, of_child);
        bool is_open = e->state == MEM_OPEN;
        bool has_ended = e->parent ? er_state_is_final(e->parent->state)
                                   : e->batch->info.ended_ms != 0;
        waits += e->state != MEM_SATISFIED;
        if (is_open && has_ended)
            find(f, "job '%s' waits for '%s', which has ended", job->id.text,
                 e->parent ? e->parent->id.text : e->batch->info.id.text);
    }
    if (waits != job->waits_n)
        find(f, "job '%s' waits for %zu others and counts %zu", job->id.text, waits,
             job->waits_n);
    if ((job->state == ERRAND_HELD && waits == 0) ||
        (job->state != ERRAND_HELD && job->state != ERRAND_CANCELLED && waits > 0))
        find(f, "job '%s' is %s and waits for %zu others", job->id.text,
             errand_state_name(job->state), waits);
}

static void check_jobs(struct findings *f)
{
    struct er_node *x = er_tree_first(&f->call->store->jobs_by_seq);

    for (; x; x = er_tree_next(x)) {
        const struct mem_job *job = ER_OWNER(x, struct mem_job, by_seq);
        check_place(f, job);
        check_edges(f, job);
        if (job->claim && job->claim->job != job)
            find(f, "job '%s' does not hold its unique key", job->id.text);
    }
}

/* ------------------------------------------------------------------ counts */

static void check_queue(struct findings *f, const struct mem_queue *queue)
{
    int64_t counts[ERRAND_STATES_N] = {0};
    struct er_node *x = er_tree_first(&f->call->store->jobs_by_seq);

    for (; x; x = er_tree_next(x)) {
        const struct mem_job *job = ER_OWNER(x, struct mem_job, by_seq);
        counts[job->state] += job->queue == queue;
    }
    for (int i = 0; i < ERRAND_STATES_N; i++)
        if (counts[i] != queue->counts[i])
            find(f, "queue '%s' counts %lld %s jobs and has %lld", queue->name,
                 (long long)queue->counts[i], errand_state_name((enum errand_state)i),
                 (long long)counts[i]);
}

static void check_batch(struct findings *f, const struct mem_batch *batch)
{
    const struct errand_batch_info *info = &batch->info;
    int64_t pending = 0;

    for (struct er_link *l = batch->members.first; l; l = l->next)
        pending += !er_state_is_final(ER_OWNER(l, struct mem_job, in_batch)->state);
    if (pending != info->pending)
        find(f, "batch '%s' counts %lld unfinished members and has %lld", info->id.text,
             (long long)info->pending, (long long)pending);
    if ((info->pending == 0) != (info->ended_ms != 0))
        find(f, "batch '%s' has %lld unfinished members and ended at %lld", info->id.text,
             (long long)info->pending, (long long)info->ended_ms);
    if (info->failed + info->cancelled_n + info->pending > info->total)
        find(f, "batch '%s' has more members in its counts than in all", info->id.text);
}

static void check_counts(struct findings *f)
{
    const struct mem_store *store = f->call->store;

    for (struct er_node *x = er_tree_first(&store->queues); x; x = er_tree_next(x))
        check_queue(f, ER_OWNER(x, struct mem_queue, by_name));
    for (struct er_node *x = er_tree_first(&store->batches_by_seq); x;
         x = er_tree_next(x))
        check_batch(f, ER_OWNER(x, struct mem_batch, by_seq));
}

int er_mem_op_check(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_check_result *ret, struct errand_error *err)
{
    struct mem_call call;
    struct findings f = {.call = &call};
    int rc = er_mem_begin(&call, conn, "check", now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (!(f.rows = errand_arena_alloc(arena, FINDINGS_MAX * sizeof *f.rows))) {
        rc = er_error_nomem(err);
    } else {
        check_jobs(&f);
        check_counts(&f);
        ret->findings = f.rows;
        ret->findings_n = f.n;
        if (f.has_failed)
            rc = er_error_nomem(err);
    }
    return er_mem_end(&call, "check", rc, err);
}
