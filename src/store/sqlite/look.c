/* look.c: one job with its history, and pages of jobs. */
#include "store/sqlite/push.h"
#include "store/sqlite/scan.h"

#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------ one row */

/* The columns that job_info and history_info have in common. */
enum {
    COL_PRIORITY,
    COL_RUN_AT,
    COL_ATTEMPT,
    COL_TRIES,
    COL_WAITS,
    COL_STARTED,
    COL_ENDED,
    COL_WORKER,
    COL_ERROR,
    COL_PAYLOAD,
    COL_OPTIONS,
    COL_RESULT,
    COL_RAN,
    COL_RSS,
    COL_CPU,
};

static int tags_fill(struct er_tx *tx, int64_t id, struct errand_job_info *ret)
{
    const char **tags = NULL;
    size_t n = 0, max = 0;
    sqlite3_stmt *st;
    int rc;

    if (!(st = er_tx_bind(tx, ER_SQL_TAGS_READ, ER_ARGS(er_int(id)))))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        if (er_tx_grow(tx, &tags, n, &max, sizeof *tags) < 0 ||
            !(tags[n++] = er_col_text(st, 0, tx->arena))) {
            sqlite3_reset(st);
            return er_tx_nomem(tx);
        }
    }
    if (rc < 0 || n == 0)
        return rc;
    ret->tags = (const char *const *)errand_arena_copy(tx->arena, tags, n * sizeof *tags);
    ret->tags_n = n;
    return ret->tags ? 0 : er_tx_nomem(tx);
}

static int progress_fill(struct er_tx *tx, int64_t id, struct errand_job_info *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_PROGRESS_READ, ER_ARGS(er_int(id)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    ret->progress = sqlite3_column_int(st, 0);
    ret->progress_note = er_col_slice(st, 1, tx->arena);
    sqlite3_reset(st);
    return ret->progress_note.ptr ? 0 : er_tx_nomem(tx);
}

static int batch_fill(struct er_tx *tx, int64_t batch, struct errand_id *ret)
{
    struct er_batch *b;
    int rc = batch ? er_batch_load(tx, batch, &b) : 0;

    if (batch && rc == 0)
        *ret = b->uid;
    return rc;
}

/* The row under the statement. */
static int row_fill(struct er_tx *tx, sqlite3_stmt *st, const struct er_found *job,
                    const struct er_lease *lease, bool with_data,
                    struct errand_job_info *ret)
{
    int32_t attempts = sqlite3_column_int(st, COL_ATTEMPT);

    ret->key = job->id;
    ret->state = job->state;
    ret->priority = sqlite3_column_int(st, COL_PRIORITY);
    ret->run_at_ms = sqlite3_column_int64(st, COL_RUN_AT);
    ret->attempts = attempts + (lease != NULL);
    ret->tries = sqlite3_column_int(st, COL_TRIES);
    ret->waits_n = (size_t)sqlite3_column_int64(st, COL_WAITS);
    ret->created_ms = job->created_at;
    ret->finished_ms = sqlite3_column_int64(st, COL_ENDED);
    ret->cancel_requested = (job->flags & ER_FLAG_CANCEL) != 0;
    ret->progress = -1;
    ret->started_ms = lease      ? lease->started_at
                      : attempts ? sqlite3_column_int64(st, COL_STARTED)
                                 : 0;
    ret->worker = lease
                      ? errand_arena_copy(tx->arena, lease->worker, strlen(lease->worker))
                      : er_col_text(st, COL_WORKER, tx->arena);
    ret->error = er_col_slice(st, COL_ERROR, tx->arena);
    ret->data = ret->options = ret->result = ret->progress_note =
        (struct errand_slice){.ptr = ""};
    if (with_data) {
        ret->data = er_col_slice(st, COL_PAYLOAD, tx->arena);
        ret->options = er_col_slice(st, COL_OPTIONS, tx->arena);
        ret->result = er_col_slice(st, COL_RESULT, tx->arena);
    }
    if (!ret->worker || !ret->error.ptr || !ret->data.ptr || !ret->options.ptr ||
        !ret->result.ptr)
        return er_tx_nomem(tx);
    if (!(ret->name = er_name_text(tx, job->name)) ||
        !(ret->queue = er_queue_text(tx, job->queue)))
        return tx->err->code;
    return 0;
}

/* The last attempt of a completed job, which has no row of its own when nothing was
 * unusual about it. */
static struct errand_attempt last_attempt(sqlite3_stmt *st)
{
    return (struct errand_attempt){
        .n = sqlite3_column_int(st, COL_ATTEMPT),
        .started_ms = sqlite3_column_int64(st, COL_STARTED),
        .ended_ms =
            sqlite3_column_int64(st, COL_STARTED) + sqlite3_column_int64(st, COL_RAN),
        .outcome = ERRAND_OUT_DONE,
        .max_rss_kib = sqlite3_column_int64(st, COL_RSS),
        .cpu_ms = sqlite3_column_int64(st, COL_CPU),
        .error = {.ptr = ""},
        .log = {.ptr = ""},
    };
}

static int info_fill(struct er_tx *tx, const struct er_found *job,
                     const struct er_lease *lease, bool with_data,
                     struct errand_job_info *ret, struct errand_attempt *ret_last)
{
    sqlite3_stmt *st =
        er_tx_bind(tx, job->is_history ? ER_SQL_HISTORY_INFO : ER_SQL_JOB_INFO,
                   ER_ARGS(er_int(job->id)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT, "job %lld is missing",
                                         (long long)job->id);
    if (ret_last && job->is_history) {
        *ret_last = last_attempt(st);
        ret_last->worker = er_col_text(st, COL_WORKER, tx->arena);
    }
    rc = row_fill(tx, st, job, lease, with_data, ret);
    sqlite3_reset(st);
    if (rc < 0 ||
        (rc = er_id_of(tx, job->id, job->created_at, job->flags, &ret->id)) < 0 ||
        (rc = batch_fill(tx, job->batch, &ret->batch)) < 0)
        return rc;
    if ((job->flags & ER_FLAG_TAGS) && (rc = tags_fill(tx, job->id, ret)) < 0)
        return rc;
    return job->flags & ER_FLAG_PROGRESS ? progress_fill(tx, job->id, ret) : 0;
}

/* ------------------------------------------------------------ one job */

/* Living or completed: 1, or 0. */
static int found_fill(struct er_tx *tx, int64_t id, struct er_found *ret)
{
    for (int is_history = 0; is_history < 2; is_history++) {
        sqlite3_stmt *st = er_tx_bind(
            tx, is_history ? ER_SQL_FIND_HISTORY : ER_SQL_FIND_JOB, ER_ARGS(er_int(id)));
        int rc;
        if (!st)
            return tx->err->code;
        if ((rc = er_tx_next(tx, st)) < 0)
            return rc;
        if (rc == 0)
            continue;
        er_found_read(st, is_history, ret);
        sqlite3_reset(st);
        return 1;
    }
    return 0;
}

static int attempts_fill(struct er_tx *tx, const struct er_found *job,
                         const struct errand_attempt *last, struct errand_job_detail *ret)
{
    struct errand_attempt *rows = NULL;
    size_t n = 0, max = 0;
    sqlite3_stmt *st;
    int rc = 0;

    if (!(st = er_tx_bind(tx, ER_SQL_ATTEMPTS_READ, ER_ARGS(er_int(job->id)))))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        struct errand_attempt *a;
        if (er_tx_grow(tx, &rows, n, &max, sizeof *rows) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        a = &rows[n++];
        *a = (struct errand_attempt){
            .n = sqlite3_column_int(st, 0),
            .started_ms = sqlite3_column_int64(st, 1),
            .ended_ms = sqlite3_column_int64(st, 2),
            .worker = er_col_text(st, 3, tx->arena),
            .outcome = (enum errand_outcome_kind)sqlite3_column_int(st, 4),
            .cause = (enum errand_cause)sqlite3_column_int(st, 5),
            .exit_code = sqlite3_column_int(st, 6),
            .signal = sqlite3_column_int(st, 7),
            .max_rss_kib = sqlite3_column_int64(st, 8),
            .cpu_ms = sqlite3_column_int64(st, 9),
            .error = er_col_slice(st, 10, tx->arena),
            .log = er_col_slice(st, 11, tx->arena),
        };
        if (!a->worker || !a->error.ptr || !a->log.ptr) {
            sqlite3_reset(st);
            return er_tx_nomem(tx);
        }
    }
    if (rc < 0)
        return rc;
    if (job->is_history && (!n || rows[n - 1].outcome != ERRAND_OUT_DONE)) {
        if (er_tx_grow(tx, &rows, n, &max, sizeof *rows) < 0)
            return ERRAND_ENOMEM;
        rows[n++] = *last;
        if (n > ERRAND_ATTEMPTS_KEPT) {
            rows++;
            n--;
        }
    }
    ret->attempts =
        (struct errand_attempt *)errand_arena_copy(tx->arena, rows, n * sizeof *rows);
    ret->attempts_n = n;
    return ret->attempts ? 0 : er_tx_nomem(tx);
}

/* ------------------------------------------------------------ edges */

struct edge {
    int64_t other;
    bool is_batch;
    enum er_edge_status status;
    enum errand_edge_on on;
};

static int edges_read(struct er_tx *tx, int64_t id, bool as_parents, struct edge **ret,
                      size_t *ret_n)
{
    sqlite3_stmt *st =
        as_parents
            ? er_tx_bind(tx, ER_SQL_EDGES_OF_CHILD, ER_ARGS(er_int(id)))
            : er_tx_bind(tx, ER_SQL_EDGES_OF_PARENT, ER_ARGS(er_int(0), er_int(id)));
    size_t n = 0, max = 0;
    int rc;

    *ret = NULL;
    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        if (er_tx_grow(tx, ret, n, &max, sizeof **ret) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        (*ret)[n++] =
            as_parents
                ? (struct edge){.is_batch = sqlite3_column_int(st, 0),
                                .other = sqlite3_column_int64(st, 1),
                                .on = (enum errand_edge_on)sqlite3_column_int(st, 3),
                                .status = (enum er_edge_status)sqlite3_column_int(st, 4)}
                : (struct edge){.other = sqlite3_column_int64(st, 0),
                                .on = (enum errand_edge_on)sqlite3_column_int(st, 2),
                                .status = (enum er_edge_status)sqlite3_column_int(st, 3)};
    }
    *ret_n = n;
    return rc;
}

static int batch_end_fill(struct er_tx *tx, int64_t id, struct errand_edge_info *ret)
{
    struct er_batch *batch;
    int rc = er_batch_load(tx, id, &batch);

    if (rc < 0)
        return rc;
    ret->id = batch->uid;
    ret->name = "";
    ret->state = !batch->ended_at                    ? ERRAND_RUNNING
                 : batch->failed || batch->cancelled ? ERRAND_FAILED
                                                     : ERRAND_COMPLETED;
    return 0;
}

static int job_end_fill(struct er_tx *tx, int64_t id, bool as_parent,
                        const struct er_running *running, size_t running_n,
                        struct errand_edge_info *ret)
{
    struct er_found job;
    sqlite3_stmt *st;
    int rc = found_fill(tx, id, &job);

    if (rc <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT, "job %lld is missing",
                                         (long long)id);
    ret->state = job.state == ERRAND_READY && er_running_find(running, running_n, id)
                     ? ERRAND_RUNNING
                     : job.state;
    if ((rc = er_id_of(tx, id, job.created_at, job.flags, &ret->id)) < 0)
        return rc;
    if (!(ret->name = er_name_text(tx, job.name)))
        return tx->err->code;
    ret->result = (struct errand_slice){.ptr = ""};
    if (!as_parent || !job.is_history)
        return 0;
    if (!(st = er_tx_bind(tx, ER_SQL_HISTORY_RESULT, ER_ARGS(er_int(id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    ret->result = er_col_slice(st, 0, tx->arena);
    sqlite3_reset(st);
    return ret->result.ptr ? 0 : er_tx_nomem(tx);
}

struct looking {
    struct er_tx *tx;
    const struct er_running *running;
    size_t running_n;
};

static int edges_fill(const struct looking *l, int64_t id, bool as_parents,
                      struct errand_edge_info **ret, size_t *ret_n)
{
    struct edge *edges;
    int rc = edges_read(l->tx, id, as_parents, &edges, ret_n);

    if (rc < 0)
        return rc;
    if (!(*ret = errand_arena_alloc(l->tx->arena, *ret_n * sizeof **ret)))
        return er_tx_nomem(l->tx);
    for (size_t i = 0; rc == 0 && i < *ret_n; i++) {
        struct errand_edge_info *row = &(*ret)[i];
        row->is_batch = edges[i].is_batch;
        row->is_satisfied = edges[i].status == ER_EDGE_SATISFIED;
        row->has_cancelled = as_parents && edges[i].status == ER_EDGE_CANCELLED_BY;
        row->on = edges[i].on;
        rc = edges[i].is_batch ? batch_end_fill(l->tx, edges[i].other, row)
                               : job_end_fill(l->tx, edges[i].other, as_parents,
                                              l->running, l->running_n, row);
    }
    return rc;
}

/* ------------------------------------------------------------ key, limits, hook */

static int asks_fill(struct er_tx *tx, int64_t id, struct errand_job_detail *ret)
{
    struct errand_unique *unique;
    struct errand_limit_use *uses;
    struct er_asks_read asks;
    int rc = er_asks_read(tx, id, &asks);

    if (rc < 0)
        return rc;
    unique = errand_arena_alloc(tx->arena, sizeof *unique);
    uses = errand_arena_alloc(tx->arena, asks.limits_n * sizeof *uses);
    if (!unique || !uses)
        return er_tx_nomem(tx);
    for (size_t i = 0; i < asks.limits_n; i++) {
        uses[i] = asks.limits[i];
        uses[i].name = errand_arena_copy(tx->arena, uses[i].name, strlen(uses[i].name));
        uses[i].key = er_arena_slice(tx->arena, uses[i].key.ptr, uses[i].key.len);
        if (!uses[i].name || !uses[i].key.ptr)
            return er_tx_nomem(tx);
    }
    ret->limits = uses;
    ret->limits_n = asks.limits_n;
    if (!asks.is_unique)
        return 0;
    *unique = asks.unique;
    unique->key = er_arena_slice(tx->arena, asks.unique.key.ptr, asks.unique.key.len);
    ret->unique = unique;
    return unique->key.ptr
               ? er_unique_held_until(tx, id, unique->key, &ret->unique_until_ms)
               : er_tx_nomem(tx);
}

static int hook_fill(struct er_tx *tx, const struct er_found *job,
                     struct errand_job_detail *ret)
{
    int64_t found;
    int rc = 0;

    ret->has_failed_hook = (job->flags & ER_FLAG_HOOK) != 0;
    if (job->state == ERRAND_FAILED)
        rc = er_tx_number(tx, ER_SQL_HOOK_FIND,
                          ER_ARGS(er_int(job->queue), er_int(job->id)), &found);
    ret->is_hook_due = rc > 0;
    return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------ get */

/* 1, or 0: there is no such job. */
static int one(const struct looking *l, const struct errand_id *id,
               struct errand_job_detail *ret)
{
    struct errand_attempt last = {0};
    const struct er_running *run;
    struct er_tx *tx = l->tx;
    struct er_found job;
    int64_t number;
    int rc;

    if ((rc = er_id_find(tx, id, &number)) <= 0 ||
        (rc = found_fill(tx, number, &job)) <= 0)
        return rc;
    run = job.state == ERRAND_READY ? er_running_find(l->running, l->running_n, job.id)
                                    : NULL;
    if (run)
        job.state = ERRAND_RUNNING;
    if ((rc = info_fill(tx, &job, run ? run->lease : NULL, true, &ret->job, &last)) < 0 ||
        (rc = attempts_fill(tx, &job, &last, ret)) < 0 ||
        (rc = hook_fill(tx, &job, ret)) < 0)
        return rc;
    if ((job.flags & (ER_FLAG_UNIQUE | ER_FLAG_LIMITS)) &&
        (rc = asks_fill(tx, job.id, ret)) < 0)
        return rc;
    if ((job.flags & ER_FLAG_PARENTS) &&
        (rc = edges_fill(l, job.id, true, &ret->parents, &ret->parents_n)) < 0)
        return rc;
    if ((job.flags & ER_FLAG_CHILDREN) &&
        (rc = edges_fill(l, job.id, false, &ret->children, &ret->children_n)) < 0)
        return rc;
    return 1;
}

static int details(struct er_tx *tx, const struct errand_details_params *p,
                   struct errand_details_result *ret)
{
    struct looking looking = {.tx = tx};
    size_t used = er_arena_used(tx->arena);
    struct er_running *running;
    int rc = er_running_load(tx, &running, &looking.running_n);

    looking.running = running;
    if (rc == 0 &&
        !(ret->details = errand_arena_alloc(tx->arena, p->ids_n * sizeof *ret->details)))
        rc = er_tx_nomem(tx);
    for (size_t i = 0; rc >= 0 && i < p->ids_n; i++) {
        if (i && p->max_bytes && er_arena_used(tx->arena) - used > p->max_bytes)
            break;
        rc = one(&looking, &p->ids[i], &ret->details[ret->details_n++]);
    }
    return rc < 0 ? rc : 0;
}

int er_sqlite_details(struct errand_conn *conn, const struct errand_details_params *p,
                      struct errand_arena *arena, struct errand_details_result *ret,
                      struct errand_error *err)
{
    struct errand_details_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, details(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}

int er_sqlite_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                  struct errand_arena *arena, struct errand_job_detail *ret,
                  struct errand_error *err)
{
    struct errand_details_params p = {.now_ms = now_ms, .ids = id, .ids_n = 1};
    struct errand_details_result got;
    int rc = er_sqlite_details(conn, &p, arena, &got, err);

    if (rc < 0)
        return rc;
    if (!got.details->job.id.text[0])
        return errand_error_set(err, ERRAND_ENOTFOUND, "there is no such job");
    *ret = *got.details;
    return 0;
}

/* ------------------------------------------------------------ list */

static int page(struct er_scan *scan, const struct errand_list_params *p,
                struct errand_list_result *ret)
{
    struct errand_job_info *rows = NULL;
    size_t max = 0;
    struct er_found job;
    int rc;

    while ((rc = er_scan_next(scan, &job)) > 0) {
        const struct er_running *run;
        if (ret->jobs_n == p->max) {
            ret->more = true;
            rc = 0;
            break;
        }
        if (er_tx_grow(scan->tx, &rows, ret->jobs_n, &max, sizeof *rows) < 0)
            return ERRAND_ENOMEM;
        run = job.state == ERRAND_RUNNING
                  ? er_running_find(scan->running, scan->running_n, job.id)
                  : NULL;
        rc = info_fill(scan->tx, &job, run ? run->lease : NULL, p->with_data,
                       &rows[ret->jobs_n], NULL);
        if (rc < 0)
            return rc;
        ret->jobs_n++;
    }
    if (rc < 0)
        return rc;
    ret->jobs = (struct errand_job_info *)errand_arena_copy(scan->tx->arena, rows,
                                                            ret->jobs_n * sizeof *rows);
    return ret->jobs ? 0 : er_tx_nomem(scan->tx);
}

static int list(struct er_tx *tx, const struct errand_list_params *p,
                struct errand_list_result *ret)
{
    struct er_scan scan;
    int64_t after = 0;
    int rc;

    if (p->after.text[0]) {
        if ((rc = er_id_find(tx, &p->after, &after)) < 0)
            return rc;
        if (rc == 0)
            return errand_error_set(tx->err, ERRAND_ENOTFOUND,
                                    "there is no job '%s' to go on behind",
                                    p->after.text);
    }
    if ((rc = er_scan_begin(&scan, tx, &p->filter, after, p->newest_first)) == 0)
        rc = page(&scan, p, ret);
    er_scan_done(&scan);
    return rc;
}

int er_sqlite_list(struct errand_conn *conn, const struct errand_list_params *p,
                   struct errand_arena *arena, struct errand_list_result *ret,
                   struct errand_error *err)
{
    struct errand_list_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, list(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
