/* limit_ops.c: setting and reading limits, and taking from a rate directly. */
#include "store/sqlite/limits.h"

#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------ set */

/* Jobs that run already count in the limit as it is now. */
static int hold_running(struct er_tx *tx, const char *name)
{
    struct er_running *running;
    size_t n;
    int rc = er_running_load(tx, &running, &n);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct er_job job;
        if ((rc = er_job_read(tx, running[i].id, &job)) > 0)
            rc = er_limits_hold(tx, &job, name);
    }
    return rc;
}

/* What is counted as running under the limit of that name is forgotten. */
static int holds_clear(struct er_tx *tx, const char *name)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_BUCKETS_OF_LIMIT, ER_ARGS(er_text(name)));
    int64_t *buckets = NULL;
    size_t n = 0;
    int rc = er_tx_rows(tx, st, er_row_id, sizeof *buckets, &buckets, &n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        if ((rc = er_tx_run(tx, ER_SQL_HOLDS_OF_BUCKET, ER_ARGS(er_int(buckets[i])))) ==
            0)
            rc = er_tx_run(tx, ER_SQL_BUCKET_LET_GO, ER_ARGS(er_int(buckets[i])));
    return rc;
}

/* Everybody who waits at it is looked at again under the new numbers. */
static int limit_changed(struct er_tx *tx, const char *name)
{
    int rc;

    if ((rc = er_lines_empty(tx, name)) < 0 || (rc = holds_clear(tx, name)) < 0)
        return rc;
    tx->limits = NULL; /* read again: they have changed */
    tx->wake |= ERRAND_WAIT_READY;
    return hold_running(tx, name);
}

static int limit_put(struct er_tx *tx, const struct errand_limit *limit)
{
    int rc =
        er_tx_run(tx, ER_SQL_LIMIT_PUT,
                  ER_ARGS(er_text(limit->name), er_int(limit->kind), er_int(limit->scope),
                          er_text(limit->target ? limit->target : ""), er_int(limit->n),
                          er_int(limit->per_ms)));

    if (rc < 0)
        return rc;
    er_tx_extra(tx, ER_EXTRA_LIMITS);
    return limit_changed(tx, limit->name);
}

int er_sqlite_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                        struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "limit_put", 0, NULL, err)) < 0)
        return rc;
    return er_tx_end(&tx, limit_put(&tx, limit));
}

int er_sqlite_limit_delete(struct errand_conn *conn, const char *name,
                           struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "limit_delete", 0, NULL, err)) < 0)
        return rc;
    rc = er_tx_run(&tx, ER_SQL_LIMIT_DELETE, ER_ARGS(er_text(name)));
    if (rc == 0 && !er_tx_changes(&tx))
        rc = errand_error_set(tx.err, ERRAND_ENOTFOUND, "there is no limit '%s'", name);
    if (rc == 0)
        rc = limit_changed(&tx, name);
    return er_tx_end(&tx, rc);
}

/* ------------------------------------------------------------ read */

/* Of the fullest key. */
static int used(struct er_tx *tx, const struct errand_limit *limit, int64_t *ret)
{
    struct errand_slice *keys = NULL;
    size_t n = 0, max = 0;
    sqlite3_stmt *st =
        er_tx_bind(tx, ER_SQL_BUCKETS_OF_LIMIT, ER_ARGS(er_text(limit->name)));
    int rc;

    *ret = 0;
    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        if (limit->kind == ERRAND_LIMIT_CONCURRENCY) {
            if (sqlite3_column_int64(st, 2) > *ret)
                *ret = sqlite3_column_int64(st, 2);
            continue;
        }
        if (er_tx_grow(tx, &keys, n, &max, sizeof *keys) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        keys[n++] = er_col_slice(st, 1, tx->scratch);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct er_bucket *bucket;
        int64_t started;
        if ((rc = er_bucket_get(tx, limit->name, keys[i], &bucket)) < 0 ||
            (rc = er_bucket_know(tx, bucket, 0)) < 0)
            break;
        started = er_bucket_started(bucket, limit->per_ms, tx->now_ms);
        *ret = started > *ret ? started : *ret;
    }
    return rc;
}

/* READY jobs that the limit bears on and that cannot start now. Those that are parked are
 * known; the rest of the lines is looked at up to a number, as this is for a person to
 * read. */
enum { LOOK_MAX = 10000 };

static int waiting_one(struct er_tx *tx, int64_t id, const char *name, int64_t *ret)
{
    struct er_applied_list list;
    bool is_under = false, is_full = false;
    struct er_job job;
    int rc;

    if ((rc = er_job_read(tx, id, &job)) <= 0 || (rc = er_applied(tx, &job, &list)) < 0)
        return rc;
    for (size_t i = 0; i < list.n; i++) {
        is_under |= strcmp(list.applied[i].bucket->name, name) == 0;
        is_full |= er_applied_room(&list.applied[i], tx->now_ms) <= 0;
    }
    *ret += is_under && is_full;
    return 0;
}

static int waiting_of(struct er_tx *tx, enum er_sql sql, const char *name, int64_t *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, sql, ER_ARGS(er_int(LOOK_MAX)));
    int64_t *ids = NULL;
    size_t n = 0;
    int rc = er_tx_rows(tx, st, er_row_id, sizeof *ids, &ids, &n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = waiting_one(tx, ids[i], name, ret);
    return rc;
}

/* Behind a queue that is at its limit all its READY jobs wait. 1, or 0: it is no such. */
static int waiting_queue(struct er_tx *tx, const struct errand_limit *limit, int64_t *ret)
{
    struct er_bucket *bucket;
    int64_t queue;
    sqlite3_stmt *st;
    int rc;

    if (limit->scope != ERRAND_SCOPE_QUEUE)
        return 0;
    if ((rc = er_bucket_get(tx, limit->name, (struct errand_slice){.ptr = ""}, &bucket)) <
            0 ||
        (rc = er_bucket_know(tx, bucket, limit->n)) < 0 ||
        (rc = er_queue_id(tx, limit->target, false, &queue)) < 0)
        return rc;
    if (!queue || er_applied_room(&(struct er_applied){.bucket = bucket,
                                                       .kind = limit->kind,
                                                       .n = limit->n,
                                                       .per_ms = limit->per_ms},
                                  tx->now_ms) > 0)
        return 0;
    if (!(st = er_tx_bind(tx, ER_SQL_QUEUE_LOOK, ER_ARGS(er_int(queue)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) > 0) {
        *ret = sqlite3_column_int64(st, 2);
        sqlite3_reset(st);
    }
    return rc;
}

static int waiting(struct er_tx *tx, const struct errand_limit *limit, int64_t *ret)
{
    int rc = waiting_queue(tx, limit, ret);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if ((rc = waiting_of(tx, ER_SQL_LIMITS_PARKED, limit->name, ret)) < 0)
        return rc;
    return waiting_of(tx, ER_SQL_LIMITS_READY, limit->name, ret);
}

static int limits(struct er_tx *tx, struct errand_limits_result *ret)
{
    int rc;

    if ((rc = er_tx_read_root(tx)) < 0 || (rc = er_limits_load(tx)) < 0)
        return rc;
    ret->limits_n = tx->limits->set_n;
    if (!(ret->limits =
              errand_arena_alloc(tx->arena, ret->limits_n * sizeof *ret->limits)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < ret->limits_n; i++) {
        struct errand_limit_info *row = &ret->limits[i];
        row->limit = tx->limits->set[i];
        row->limit.name =
            errand_arena_copy(tx->arena, row->limit.name, strlen(row->limit.name));
        row->limit.target =
            errand_arena_copy(tx->arena, row->limit.target, strlen(row->limit.target));
        if (!row->limit.name || !row->limit.target)
            return er_tx_nomem(tx);
        if ((rc = used(tx, &tx->limits->set[i], &row->used)) < 0 ||
            (rc = waiting(tx, &tx->limits->set[i], &row->waiting)) < 0)
            return rc;
    }
    return 0;
}

int er_sqlite_limits(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_limits_result *ret, struct errand_error *err)
{
    struct errand_limits_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, limits(&tx, &result))) == 0)
        *ret = result;
    return rc;
}

/* ------------------------------------------------------------ rate_take */

static int rate_take(struct er_tx *tx, const struct errand_rate_params *p,
                     struct errand_rate_result *ret)
{
    struct er_bucket *bucket;
    int64_t used_n;
    int rc;

    if ((rc = er_limits_load(tx)) < 0 ||
        (rc = er_bucket_get(tx, p->name, p->key, &bucket)) < 0 ||
        (rc = er_bucket_know(tx, bucket, p->n - p->take + 1)) < 0)
        return rc;
    used_n = er_bucket_started(bucket, p->per_ms, tx->now_ms);
    if (used_n + p->take <= p->n) {
        ret->allowed = true;
        if ((rc = er_bucket_start(tx, bucket, p->per_ms, p->take)) < 0)
            return rc;
        return er_lines_started(tx, bucket);
    }
    /* So many of those in the window have to leave it. */
    ret->retry_at_ms =
        er_bucket_free_at(bucket, used_n - (used_n + p->take - p->n) + 1, p->per_ms);
    return 0;
}

int er_sqlite_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                        struct errand_rate_result *ret, struct errand_error *err)
{
    struct errand_rate_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "rate_take", p->now_ms, NULL, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, rate_take(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
