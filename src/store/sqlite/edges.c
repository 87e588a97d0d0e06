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

int er_edge_status_now(struct er_tx *tx, const struct er_edge *edge,
                       enum er_edge_status *ret)
{
    enum errand_state state = ERRAND_COMPLETED;
    struct er_batch *batch;
    struct er_job job;
    int rc;

    if (edge->kind) {
        if ((rc = er_batch_load(tx, edge->parent, &batch)) == 0)
            *ret = er_edge_by_batch(edge->on, batch);
        return rc;
    }
    if ((rc = er_job_read(tx, edge->parent, &job)) < 0)
        return rc;
    if (rc > 0)
        state = (enum errand_state)job.state;
    *ret = er_edge_by_job(edge->on, state);
    if (job.flags & ER_FLAG_CHILDREN && rc > 0)
        return 0;
    return er_tx_run(tx, rc > 0 ? ER_SQL_JOB_FLAGS : ER_SQL_HISTORY_FLAGS,
                     ER_ARGS(er_int(edge->parent), er_int(ER_FLAG_CHILDREN), er_int(0)));
}

/* `n` is its place among the edges of the push, so that the same edge may be given twice.
 * A parent of this push has not ended, and its row says already that it has children. */
static int edge_add(struct er_tx *tx, const struct errand_edge *e, bool is_new,
                    struct er_edge *ret)
{
    int rc;

    ret->status = ER_EDGE_OPEN;
    if (!is_new && (rc = er_edge_status_now(tx, ret, &ret->status)) < 0)
        return rc;
    rc = er_tx_run(tx, ER_SQL_EDGE_INSERT,
                   ER_ARGS(er_int(e->parent_is_batch), er_int(ret->parent),
                           er_int(ret->child), er_int(ret->n), er_int(e->on),
                           er_int(ret->status)));
    if (rc < 0 || ret->status != ER_EDGE_SATISFIED)
        return rc;
    return er_tx_run(tx, ER_SQL_JOB_WAITS, ER_ARGS(er_int(ret->child)));
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
                  const int64_t *keys, const struct errand_pushed_job *pushed,
                  struct er_ties *ties)
{
    bool any_cancelled = er_batch_any_cancelled(tx);
    int rc;

    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *e = &p->edges[i];
        struct er_edge edge = {.kind = e->parent_is_batch,
                               .child = keys[e->child],
                               .n = (int64_t)i,
                               .on = e->on};
        bool is_new;
        if ((rc = parent_find(tx, e, keys, &edge.parent)) < 0)
            return rc;
        if (pushed[e->child].pushed != ERRAND_INSERTED)
            continue;
        is_new = !e->parent_id.text[0] && pushed[e->parent].pushed == ERRAND_INSERTED;
        if ((rc = edge_add(tx, e, is_new, &edge)) < 0)
            return rc;
        ties[e->child].is_decided |= edge.status != ER_EDGE_OPEN;
    }
    for (size_t i = 0; i < p->jobs_n; i++) {
        bool is_decided = ties && ties[i].is_decided;
        if (pushed[i].pushed == ERRAND_INSERTED &&
            (is_decided || (any_cancelled && p->jobs[i].batch.text[0])) &&
            (rc = settle_child(tx, keys[i], is_decided)) < 0)
            return rc;
    }
    return 0;
}
