/* follow.c: what the end of a job or batch means for those who wait for it.
 *
 * Told one after the other from a list and not by recursion: a chain may have a million
 * links. Jobs come before batches, causes before their effects. An edge is open until its
 * parent has ended, then satisfied or against; of those against a child, one is marked as
 * what cancelled it, so that a retry of that parent, and of no other, brings it back. */
#include "store/sqlite/push.h"

#include <string.h>

enum { OF_JOB = 0, OF_BATCH = 1 };

/* ------------------------------------------------------------ news */

int er_news_job(struct er_tx *tx, const struct er_job *job, enum errand_state state,
                bool is_gone)
{
    if (er_tx_grow(tx, &tx->job_news, tx->job_news_n, &tx->job_news_max,
                   sizeof *tx->job_news) < 0)
        return ERRAND_ENOMEM;
    tx->job_news[tx->job_news_n++] = (struct er_news){
        .id = job->id, .batch = job->batch, .state = state, .is_gone = is_gone};
    return 0;
}

int er_news_batch(struct er_tx *tx, struct er_batch *batch)
{
    if (batch->is_queued)
        return 0;
    if (er_tx_grow(tx, &tx->batch_news, tx->batch_news_n, &tx->batch_news_max,
                   sizeof *tx->batch_news) < 0)
        return ERRAND_ENOMEM;
    batch->is_queued = true;
    tx->batch_news[tx->batch_news_n++] =
        (struct er_news){.id = batch->id, .is_batch = true};
    return 0;
}

/* ------------------------------------------------------------ edges */

enum er_edge_status er_edge_by_job(enum errand_edge_on on, enum errand_state state)
{
    bool holds = on == ERRAND_ON_END ||
                 (on == ERRAND_ON_SUCCESS && state == ERRAND_COMPLETED) ||
                 (on == ERRAND_ON_FAILURE && state == ERRAND_FAILED);

    if (!er_state_is_final(state))
        return ER_EDGE_OPEN;
    return holds ? ER_EDGE_SATISFIED : ER_EDGE_AGAINST;
}

enum er_edge_status er_edge_by_batch(enum errand_edge_on on, const struct er_batch *batch)
{
    bool succeeded = batch->failed == 0 && batch->cancelled == 0;

    if (!batch->ended_at)
        return ER_EDGE_OPEN;
    return on == ERRAND_ON_END || (on == ERRAND_ON_SUCCESS) == succeeded
               ? ER_EDGE_SATISFIED
               : ER_EDGE_AGAINST;
}

int er_edge_write(struct er_tx *tx, struct er_edge *edge, enum er_edge_status status)
{
    edge->status = status;
    return er_tx_run(tx, ER_SQL_EDGE_STATUS,
                     ER_ARGS(er_int(edge->kind), er_int(edge->parent),
                             er_int(edge->child), er_int(edge->n), er_int(status)));
}

static int edges_of_parent(struct er_tx *tx, int kind, int64_t parent,
                           struct er_edge **ret, size_t *ret_n)
{
    sqlite3_stmt *st =
        er_tx_bind(tx, ER_SQL_EDGES_OF_PARENT, ER_ARGS(er_int(kind), er_int(parent)));
    size_t n = 0, max = 0;
    int rc;

    *ret = NULL;
    *ret_n = 0;
    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        if (er_tx_grow(tx, ret, n, &max, sizeof **ret) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        (*ret)[n++] = (struct er_edge){
            .kind = kind,
            .parent = parent,
            .child = sqlite3_column_int64(st, 0),
            .n = sqlite3_column_int64(st, 1),
            .on = (enum errand_edge_on)sqlite3_column_int(st, 2),
            .status = (enum er_edge_status)sqlite3_column_int(st, 3),
        };
    }
    *ret_n = n;
    return rc;
}

/* Another edge that is against the child: 1, or 0. */
int er_edge_against(struct er_tx *tx, int64_t child, struct er_edge *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_EDGES_OF_CHILD, ER_ARGS(er_int(child)));
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        *ret = (struct er_edge){
            .kind = sqlite3_column_int(st, 0),
            .parent = sqlite3_column_int64(st, 1),
            .child = child,
            .n = sqlite3_column_int64(st, 2),
            .on = (enum errand_edge_on)sqlite3_column_int(st, 3),
            .status = (enum er_edge_status)sqlite3_column_int(st, 4),
        };
        if (ret->status >= ER_EDGE_AGAINST) {
            sqlite3_reset(st);
            return 1;
        }
    }
    return rc;
}

/* ------------------------------------------------------------ telling children */

static int cancel_child(struct er_tx *tx, struct er_edge *edge, struct er_job *child)
{
    int from, rc;

    if ((rc = er_edge_write(tx, edge, ER_EDGE_CANCELLED_BY)) < 0 ||
        (rc = er_job_cancel(tx, child, &from)) < 0)
        return rc;
    return er_tx_move(tx, child, from, ERRAND_CANCELLED, child->attempt);
}

static int decide(struct er_tx *tx, struct er_edge *edge, enum er_edge_status status)
{
    struct er_job child;
    int rc;

    if (edge->status != ER_EDGE_OPEN || status == ER_EDGE_OPEN)
        return 0;
    if ((rc = er_job_read(tx, edge->child, &child)) <= 0)
        return rc < 0 ? rc : er_edge_write(tx, edge, status);
    if (status == ER_EDGE_AGAINST)
        return child.state == ERRAND_HELD ? cancel_child(tx, edge, &child)
                                          : er_edge_write(tx, edge, ER_EDGE_AGAINST);
    if ((rc = er_edge_write(tx, edge, ER_EDGE_SATISFIED)) < 0)
        return rc;
    child.waits--;
    if (child.state != ERRAND_HELD || child.waits > 0)
        return er_job_place(tx, &child);
    if ((rc = er_job_release(tx, &child, ERRAND_HELD)) < 0)
        return rc;
    return er_tx_move(tx, &child, ERRAND_HELD, child.state, child.attempt);
}

/* The parent lives again: a child that it had made CANCELLED is HELD again. */
static int reopen(struct er_tx *tx, struct er_edge *edge)
{
    struct er_edge other;
    struct er_job child;
    int64_t status;
    bool was_cause;
    int rc;

    /* An edge of the same parent, looked at before this one, may have made it the cause.
     */
    if ((rc = er_tx_number(tx, ER_SQL_EDGE_READ,
                           ER_ARGS(er_int(edge->kind), er_int(edge->parent),
                                   er_int(edge->child), er_int(edge->n)),
                           &status)) <= 0)
        return rc;
    edge->status = (enum er_edge_status)status;
    was_cause = edge->status == ER_EDGE_CANCELLED_BY;
    if (edge->status < ER_EDGE_AGAINST)
        return 0;
    if ((rc = er_edge_write(tx, edge, ER_EDGE_OPEN)) < 0 || !was_cause)
        return rc;
    if ((rc = er_job_read(tx, edge->child, &child)) <= 0 ||
        child.state != ERRAND_CANCELLED)
        return rc < 0 ? rc : 0;
    if ((rc = er_edge_against(tx, child.id, &other)) != 0)
        return rc < 0 ? rc : er_edge_write(tx, &other, ER_EDGE_CANCELLED_BY);
    if ((rc = er_unique_again(tx, &child)) <= 0)
        return rc < 0 ? rc : er_edge_write(tx, edge, ER_EDGE_OPEN);
    child.attempt = 0;
    if ((rc = er_job_revive(tx, &child, ERRAND_HELD)) < 0)
        return rc;
    return er_tx_move(tx, &child, ERRAND_CANCELLED, ERRAND_HELD, 0);
}

static int tell_children(struct er_tx *tx, const struct er_news *news, bool is_alive,
                         const struct er_batch *batch)
{
    struct er_edge *edges = NULL;
    size_t n = 0;
    int rc =
        edges_of_parent(tx, news->is_batch ? OF_BATCH : OF_JOB, news->id, &edges, &n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (is_alive)
            rc = reopen(tx, &edges[i]);
        else
            rc = decide(tx, &edges[i],
                        batch ? er_edge_by_batch(edges[i].on, batch)
                              : er_edge_by_job(edges[i].on, news->state));
    return rc;
}

/* ------------------------------------------------------------ jobs, batches */

int er_batch_stop(struct er_tx *tx, struct er_batch *batch, bool and_running,
                  size_t *ret_n)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_BATCH_JOBS_READ, ER_ARGS(er_int(batch->id)));
    int64_t *members = NULL;
    size_t n = 0;
    int rc = er_tx_rows(tx, st, er_row_id, sizeof *members, &members, &n);

    *ret_n = 0;
    batch->is_cancelled = batch->is_dirty = true;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        enum errand_state state;
        struct er_job job;
        int from;
        if ((rc = er_job_read(tx, members[i], &job)) <= 0)
            continue;
        if ((rc = er_job_state(tx, &job, &state)) < 0)
            break;
        if (state == ERRAND_RUNNING && and_running) {
            rc = er_job_stop(tx, &job);
        } else if (state < ERRAND_RUNNING) {
            if ((rc = er_job_cancel(tx, &job, &from)) == 0)
                rc = er_tx_move(tx, &job, from, ERRAND_CANCELLED, job.attempt);
            (*ret_n)++;
        }
    }
    return rc;
}

static int follow_job(struct er_tx *tx, const struct er_news *news)
{
    bool is_alive = !er_state_is_final(news->state);
    struct er_batch *batch;
    size_t n;
    int rc = tell_children(tx, news, is_alive, NULL);

    if (rc == 0 && news->is_gone)
        rc = er_parent_forget(tx, false, news->id);
    if (rc < 0 || news->state != ERRAND_FAILED || !news->batch)
        return rc;
    if ((rc = er_batch_load(tx, news->batch, &batch)) < 0 || batch->allow_failures)
        return rc;
    return er_batch_stop(tx, batch, false, &n);
}

static int follow_batch(struct er_tx *tx, const struct er_news *news)
{
    struct errand_event event;
    struct er_batch *batch;
    int rc;

    if ((rc = er_batch_load(tx, news->id, &batch)) < 0)
        return rc;
    batch->is_queued = false;
    if (batch->is_reopened) {
        batch->is_reopened = false;
        if ((rc = tell_children(tx, news, true, batch)) < 0)
            return rc;
    }
    if (batch->pending || batch->ended_at)
        return 0;
    batch->ended_at = tx->now_ms;
    batch->is_dirty = true;
    tx->wake |= ERRAND_WAIT_ENDED;
    event = er_told_batch(&batch->uid, batch->name);
    if ((rc = er_tell(tx, &event)) < 0)
        return rc;
    return tell_children(tx, news, false, batch);
}

int er_follow(struct er_tx *tx)
{
    int rc = 0;

    while (rc == 0) {
        if (tx->job_news_done < tx->job_news_n) {
            struct er_news news = tx->job_news[tx->job_news_done++];
            rc = follow_job(tx, &news);
        } else if (tx->batch_news_done < tx->batch_news_n) {
            struct er_news news = tx->batch_news[tx->batch_news_done++];
            rc = follow_batch(tx, &news);
        } else {
            break;
        }
    }
    return rc;
}
