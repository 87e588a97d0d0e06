/* edges.c: who waits for whom, as a push says it. What the end of a parent means is in
 * follow.c. */
#include "store/sqlite/push.h"

#include <string.h>

#include "base/error.h"

/* 1 and the job or batch, or ENOTFOUND. */
static int parent_find(struct er_tx *tx, const struct errand_edge *e, const int64_t *keys,
                       int64_t *ret)
{
    int rc = 1;

    if (e->parent_is_batch)
        rc =
            er_tx_number(tx, ER_SQL_BATCH_FIND, ER_ARGS(er_text(e->parent_id.text)), ret);
    else if (e->parent_id.text[0])
        rc = er_id_find(tx, &e->parent_id, ret);
    else if (!(*ret = keys[e->parent])) /* a duplicate whose holder was pruned */
        rc = 0;
    if (rc == 0)
        return errand_error_set(tx->err, ERRAND_ENOTFOUND,
                                "there is no %s '%s' to wait for",
                                e->parent_is_batch ? "batch" : "job", e->parent_id.text);
    return rc;
}

/* Whether the parent has ended, and what that means for this edge. */
static int status_now(struct er_tx *tx, const struct errand_edge *e, int64_t parent,
                      enum er_edge_status *ret)
{
    enum errand_state state = ERRAND_COMPLETED;
    struct er_batch *batch;
    struct er_job job;
    int rc;

    if (e->parent_is_batch) {
        if ((rc = er_batch_load(tx, parent, &batch)) == 0)
            *ret = er_edge_by_batch(e->on, batch);
        return rc;
    }
    if ((rc = er_job_read(tx, parent, &job)) < 0)
        return rc;
    if (rc > 0)
        state = (enum errand_state)job.state;
    *ret = er_edge_by_job(e->on, state);
    if (job.flags & ER_FLAG_CHILDREN && rc > 0)
        return 0;
    return er_tx_run(tx, rc > 0 ? ER_SQL_JOB_FLAGS : ER_SQL_HISTORY_FLAGS,
                     ER_ARGS(er_int(parent), er_int(ER_FLAG_CHILDREN), er_int(0)));
}

/* n: its place among the edges of the push, so that the same edge may be given twice. */
static int edge_add(struct er_tx *tx, const struct errand_edge *e, size_t n,
                    int64_t parent, int64_t child)
{
    enum er_edge_status status = ER_EDGE_OPEN;
    int rc;

    if ((rc = status_now(tx, e, parent, &status)) < 0)
        return rc;
    rc = er_tx_run(tx, ER_SQL_EDGE_INSERT,
                   ER_ARGS(er_int(e->parent_is_batch), er_int(parent), er_int(child),
                           er_int((int64_t)n), er_int(e->on), er_int(status)));
    if (rc < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_JOB_WAITS,
                     ER_ARGS(er_int(child), er_int(status != ER_EDGE_SATISFIED),
                             er_int(ER_FLAG_PARENTS)));
}

static int cancel(struct er_tx *tx, struct er_job *job)
{
    int from, rc = er_job_cancel(tx, job, &from);

    return rc < 0 ? rc : er_tx_move(tx, job, from, ERRAND_CANCELLED, job->attempt);
}

/* One that waits for nothing that is still to come. */
static int settle_child(struct er_tx *tx, int64_t id, bool has_edges)
{
    struct er_batch *batch;
    struct er_edge against;
    struct er_job job;
    int rc;

    if ((rc = er_job_read(tx, id, &job)) <= 0 || job.state > ERRAND_READY)
        return rc < 0 ? rc : 0;
    if (has_edges) {
        if ((rc = er_edge_against(tx, id, &against)) < 0)
            return rc;
        if (rc > 0) {
            rc = er_edge_write(tx, &against, ER_EDGE_CANCELLED_BY);
            return rc < 0 ? rc : cancel(tx, &job);
        }
    }
    if (job.batch) {
        if ((rc = er_batch_load(tx, job.batch, &batch)) < 0)
            return rc;
        if (batch->is_cancelled)
            return cancel(tx, &job);
    }
    return job.state == ERRAND_HELD && job.waits == 0
               ? er_job_release(tx, &job, ERRAND_HELD)
               : 0;
}

int er_edges_push(struct er_tx *tx, const struct errand_push_params *p,
                  const int64_t *keys, const struct errand_pushed_job *pushed)
{
    bool *has_edges = NULL;
    int rc;

    if (p->edges_n &&
        !(has_edges = errand_arena_alloc(tx->scratch, p->jobs_n * sizeof *has_edges)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *e = &p->edges[i];
        int64_t parent;
        if ((rc = parent_find(tx, e, keys, &parent)) < 0)
            return rc;
        if (pushed[e->child].pushed != ERRAND_INSERTED)
            continue;
        has_edges[e->child] = true;
        if ((rc = edge_add(tx, e, i, parent, keys[e->child])) < 0)
            return rc;
    }
    for (size_t i = 0; i < p->jobs_n; i++)
        if (pushed[i].pushed == ERRAND_INSERTED &&
            ((has_edges && has_edges[i]) || p->jobs[i].batch.text[0]) &&
            (rc = settle_child(tx, keys[i], has_edges && has_edges[i])) < 0)
            return rc;
    return 0;
}
