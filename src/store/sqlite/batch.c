/* batch.c: jobs that are watched together: counts, changed by the calls that move the
 * members. How a batch ends is in follow.c. */
#include "store/sqlite/push.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

int er_batch_load(struct er_tx *tx, int64_t id, struct er_batch **ret)
{
    struct er_batch *batch;
    sqlite3_stmt *st;
    int rc;

    for (batch = tx->batches; batch; batch = batch->next)
        if (batch->id == id) {
            *ret = batch;
            return 0;
        }
    if (!(batch = errand_arena_alloc(tx->scratch, sizeof *batch)))
        return er_tx_nomem(tx);
    if (!(st = er_tx_bind(tx, ER_SQL_BATCH_READ, ER_ARGS(er_int(id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT,
                                         "batch %lld is missing", (long long)id);
    *batch = (struct er_batch){
        .next = tx->batches,
        .id = id,
        .allow_failures = sqlite3_column_int(st, 2),
        .is_cancelled = sqlite3_column_int(st, 3),
        .total = sqlite3_column_int64(st, 4),
        .pending = sqlite3_column_int64(st, 5),
        .failed = sqlite3_column_int64(st, 6),
        .cancelled = sqlite3_column_int64(st, 7),
        .ended_at = sqlite3_column_int64(st, 9),
    };
    batch->name = er_col_text(st, 1, tx->scratch);
    snprintf(batch->uid.text, sizeof batch->uid.text, "%s", sqlite3_column_text(st, 0));
    sqlite3_reset(st);
    if (!batch->name)
        return er_tx_nomem(tx);
    tx->batches = *ret = batch;
    return 0;
}

int er_batches_write(struct er_tx *tx)
{
    for (struct er_batch *b = tx->batches; b; b = b->next) {
        int rc;
        if (!b->is_dirty)
            continue;
        rc = er_tx_run(tx, ER_SQL_BATCH_WRITE,
                       ER_ARGS(er_int(b->id), er_int(b->total), er_int(b->pending),
                               er_int(b->failed), er_int(b->cancelled),
                               er_int(b->ended_at), er_int(b->is_cancelled)));
        if (rc < 0)
            return rc;
        b->is_dirty = false;
    }
    return 0;
}

static void count_one(struct er_batch *batch, int state, int64_t one)
{
    if (state == ER_NO_STATE)
        return;
    if (!er_state_is_final((enum errand_state)state))
        batch->pending += one;
    else if (state == ERRAND_FAILED)
        batch->failed += one;
    else if (state == ERRAND_CANCELLED)
        batch->cancelled += one;
}

int er_batch_count(struct er_tx *tx, const struct er_job *job, int from, int to)
{
    bool was_final = from != ER_NO_STATE && er_state_is_final((enum errand_state)from);
    struct er_batch *batch;
    int rc;

    /* A job that goes for good stays in the counts of its batch. */
    if (to == ER_NO_STATE)
        return 0;
    if ((rc = er_batch_load(tx, job->batch, &batch)) < 0)
        return rc;
    count_one(batch, from, -1);
    count_one(batch, to, 1);
    batch->is_dirty = true;
    if (was_final && !er_state_is_final((enum errand_state)to)) {
        batch->is_cancelled = false;
        batch->is_reopened |= batch->ended_at != 0;
        batch->ended_at = 0;
    }
    return batch->pending == 0 || batch->is_reopened ? er_news_batch(tx, batch) : 0;
}

int er_batch_find(struct er_tx *tx, const struct errand_id *id, int64_t *ret)
{
    int rc;

    /* Members come by the thousand, and most of them are of one batch. */
    for (const struct er_batch *batch = tx->batches; batch; batch = batch->next)
        if (strcmp(batch->uid.text, id->text) == 0) {
            *ret = batch->id;
            return 0;
        }
    rc = er_tx_number(tx, ER_SQL_BATCH_FIND, ER_ARGS(er_text(id->text)), ret);
    if (rc == 0)
        return errand_error_set(tx->err, ERRAND_ENOTFOUND, "there is no batch '%s'",
                                id->text);
    return rc < 0 ? rc : 0;
}

int er_batch_make(struct er_tx *tx, const struct errand_push_batch *p)
{
    struct er_batch *batch;
    int64_t id;
    int rc = er_tx_number(tx, ER_SQL_BATCH_FIND, ER_ARGS(er_text(p->id.text)), &id);

    if (rc != 0)
        return rc < 0 ? rc : 0; /* pushed before: members are added to it */
    if ((rc = er_tx_run(tx, ER_SQL_BATCH_INSERT,
                        ER_ARGS(er_text(p->id.text), er_text(p->name),
                                er_int(p->allow_failures), er_int(tx->now_ms),
                                er_blob_or_null(p->options)))) < 0)
        return rc;
    er_tx_extra(tx, ER_EXTRA_BATCHES);
    /* It may get no members, and then it ends with this call. */
    rc = er_batch_load(tx, sqlite3_last_insert_rowid(tx->db->handle), &batch);
    return rc < 0 ? rc : er_news_batch(tx, batch);
}

int er_batch_drop(struct er_tx *tx, int64_t id)
{
    int rc = er_parent_forget(tx, true, id);

    return rc < 0 ? rc : er_tx_run(tx, ER_SQL_BATCH_DELETE, ER_ARGS(er_int(id)));
}

bool er_batch_any_cancelled(const struct er_tx *tx)
{
    for (const struct er_batch *batch = tx->batches; batch; batch = batch->next)
        if (batch->is_cancelled)
            return true;
    return false;
}

int er_batch_add(struct er_tx *tx, const struct er_job *job)
{
    struct er_batch *batch;
    int rc;

    if ((rc = er_batch_load(tx, job->batch, &batch)) < 0)
        return rc;
    if (batch->ended_at)
        return errand_error_set(tx->err, ERRAND_ECONFLICT,
                                "batch '%s' has ended: no members can be added",
                                batch->uid.text);
    batch->total++;
    batch->is_dirty = true;
    return er_tx_run(tx, ER_SQL_BATCH_JOB_INSERT,
                     ER_ARGS(er_int(job->batch), er_int(job->id)));
}
