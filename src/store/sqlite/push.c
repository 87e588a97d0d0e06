/* push.c: new jobs, all or nothing. */
#include "store/sqlite/push.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/sqlite/wake.h"

/* An id that is known inserts nothing; so does one earlier in the same push. */
static int find_duplicate(struct er_tx *tx, const struct errand_push_job *job,
                          struct errand_pushed_job *ret, int64_t *ret_id)
{
    int rc = er_id_find(tx, &job->id, ret_id);

    if (rc <= 0)
        return rc;
    ret->pushed = ERRAND_DUPLICATE;
    ret->id = job->id;
    rc = er_pushed_state(tx, *ret_id, &ret->state);
    return rc < 0 ? rc : 1;
}

int er_pushed_state(struct er_tx *tx, int64_t id, enum errand_state *ret)
{
    struct er_job job;
    int rc = er_job_read(tx, id, &job);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        *ret = ERRAND_COMPLETED;
        return 0;
    }
    return er_job_state(tx, &job, ret);
}

static int side_rows(struct er_tx *tx, const struct errand_push_job *p,
                     const struct er_job *job)
{
    int rc;

    if (p->id.text[0] &&
        (rc = er_tx_run(tx, ER_SQL_ID_INSERT,
                        ER_ARGS(er_text(p->id.text), er_int(job->id)))) < 0)
        return rc;
    for (size_t i = 0; i < p->tags_n; i++)
        if ((rc = er_tx_run(
                 tx, ER_SQL_TAG_INSERT,
                 ER_ARGS(er_int(job->id), er_int((int64_t)i), er_text(p->tags[i])))) < 0)
            return rc;
    if (p->unique && (rc = er_unique_take(tx, job, p->unique)) < 0)
        return rc;
    return job->batch ? er_batch_add(tx, job) : 0;
}

/* One that counts the job while it runs gives its end something to follow up. */
uint32_t er_limits_flags(const struct errand_limit_use *limits, size_t n)
{
    uint32_t flags = n ? ER_FLAG_LIMITS : 0u;

    for (size_t i = 0; i < n; i++)
        if (limits[i].kind == ERRAND_LIMIT_CONCURRENCY)
            flags |= ER_FLAG_HOLDS;
    return flags;
}

static uint32_t flags_of(const struct errand_push_job *p)
{
    return er_limits_flags(p->limits, p->limits_n) |
           (p->id.text[0] ? ER_FLAG_OWN_ID : 0u) | (p->tags_n ? ER_FLAG_TAGS : 0u) |
           (p->unique ? ER_FLAG_UNIQUE : 0u) | (p->batch.text[0] ? ER_FLAG_BATCH : 0u) |
           (p->has_failed_hook ? ER_FLAG_HOOK : 0u);
}

static int insert(struct er_tx *tx, const struct errand_push_job *p,
                  const struct er_ties *ties, struct er_job *job)
{
    static const struct er_ties none;
    const struct er_asks asks = {p->unique, p->limits, p->limits_n};
    struct errand_slice asks_text;
    int rc;

    ties = ties ? ties : &none;
    *job = (struct er_job){
        .id = er_tx_take_id(tx),
        .priority = p->priority,
        .run_at = p->run_at_ms > tx->now_ms ? p->run_at_ms : tx->now_ms,
        .created_at = tx->root.last_ms,
        .tries = p->tries,
        .waits = ties->waits,
        .flags = flags_of(p) | (ties->waits ? ER_FLAG_PARENTS : 0u) |
                 (ties->has_children ? ER_FLAG_CHILDREN : 0u),
    };
    job->state = ties->waits                ? ERRAND_HELD
                 : job->run_at > tx->now_ms ? ERRAND_SCHEDULED
                                            : ERRAND_READY;
    if ((rc = er_id_room(tx, job->id)) < 0 ||
        (rc = er_queue_id(tx, p->queue, true, &job->queue)) < 0 ||
        (rc = er_name_id(tx, p->name, true, &job->name)) < 0)
        return rc;
    if (p->batch.text[0] && (rc = er_batch_find(tx, &p->batch, &job->batch)) < 0)
        return rc;
    if ((rc = er_asks_encode(tx, &asks, &asks_text)) < 0)
        return rc;
    rc = er_tx_run(tx, ER_SQL_JOB_INSERT,
                   ER_ARGS(er_int(job->id), er_int(job->queue), er_int(job->name),
                           er_int(job->state), er_int(job->priority), er_int(job->run_at),
                           er_int(job->tries), er_int(job->flags), er_int(job->waits),
                           er_int(job->created_at), er_int_or_null(job->batch),
                           er_blob_or_null(p->options), er_blob(p->data),
                           er_blob_or_null(asks_text)));
    if (rc < 0 || (rc = er_job_enter(tx, job)) < 0)
        return rc;
    if (job->flags && (rc = side_rows(tx, p, job)) < 0)
        return rc;
    return er_job_count(tx, job, ER_NO_STATE, job->state);
}

static int tell(struct er_tx *tx, const struct errand_push_job *p,
                const struct er_job *job, const struct errand_id *id)
{
    return er_tell(tx, &(struct errand_event){.type = er_told_name(ER_TOLD_DISPATCHED),
                                              .id = *id,
                                              .name = p->name,
                                              .queue = p->queue,
                                              .duration_ms = -1,
                                              .delay_ms = job->run_at > tx->now_ms
                                                              ? job->run_at - tx->now_ms
                                                              : -1});
}

/* One job of a push: *ret_key is the job that the edges of this index concern. */
static int push_one(struct er_tx *tx, const struct errand_push_job *p,
                    const struct er_ties *ties, struct errand_pushed_job *ret,
                    int64_t *ret_key)
{
    struct er_job job;
    int64_t batch;
    int rc;

    if (p->batch.text[0] && (rc = er_batch_find(tx, &p->batch, &batch)) < 0)
        return rc;
    if (p->id.text[0] && (rc = find_duplicate(tx, p, ret, ret_key)) != 0)
        return rc < 0 ? rc : 0;
    if (p->unique && (rc = er_unique_check(tx, p, ret, ret_key)) != 0)
        return rc < 0 ? rc : 0;
    if ((rc = insert(tx, p, ties, &job)) < 0)
        return rc;
    *ret_key = job.id;
    ret->pushed = ERRAND_INSERTED;
    ret->state = (enum errand_state)job.state;
    if (p->id.text[0])
        ret->id = p->id;
    else
        er_id_format(tx->conn, job.id, job.created_at, &ret->id);
    return tell(tx, p, &job, &ret->id);
}

/* Known before the jobs are inserted, so that their rows are written once. */
static int ties_make(struct er_tx *tx, const struct errand_push_params *p,
                     struct er_ties **ret)
{
    *ret = NULL;
    if (!p->edges_n)
        return 0;
    if (!(*ret = errand_arena_alloc(tx->scratch, p->jobs_n * sizeof **ret)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *e = &p->edges[i];
        (*ret)[e->child].waits++;
        if (!e->parent_id.text[0])
            (*ret)[e->parent].has_children = true;
    }
    return 0;
}

/* Their states as told are those at the end of the call. */
static int states_tell(struct er_tx *tx, const int64_t *keys,
                       struct errand_pushed_job *jobs, size_t n)
{
    bool has_changed = tx->moved_n > 0;
    int rc;

    for (size_t i = 0; i < n; i++)
        has_changed |=
            jobs[i].pushed == ERRAND_REPLACED || jobs[i].pushed == ERRAND_EXTENDED;
    for (size_t i = 0; has_changed && i < n; i++)
        if (keys[i] && (rc = er_pushed_state(tx, keys[i], &jobs[i].state)) < 0)
            return rc;
    return 0;
}

/* Creation times never step back, so that ids grow. The root is not written with every
 * push: the newest job may be newer than it says. */
int er_last_ms_set(struct er_tx *tx)
{
    int64_t newest;
    int rc = 0;

    if (tx->is_root_fresh &&
        (rc = er_tx_number(tx, ER_SQL_JOB_NEWEST, ER_NO_ARGS, &newest)) > 0 &&
        newest > tx->root.last_ms)
        tx->root.last_ms = newest;
    if (tx->now_ms > tx->root.last_ms)
        tx->root.last_ms = tx->now_ms;
    return rc < 0 ? rc : 0;
}

int er_push_all(struct er_tx *tx, const struct errand_push_params *p,
                struct errand_push_result *ret)
{
    struct errand_pushed_job *jobs;
    struct er_ties *ties;
    int64_t *keys;
    int rc;

    if ((rc = er_last_ms_set(tx)) < 0)
        return rc;
    jobs = errand_arena_alloc(tx->arena, p->jobs_n * sizeof *jobs);
    keys = errand_arena_alloc(tx->scratch, p->jobs_n * sizeof *keys);
    if (!jobs || !keys)
        return er_tx_nomem(tx);
    if ((rc = ties_make(tx, p, &ties)) < 0 ||
        (p->batch && (rc = er_batch_make(tx, p->batch)) < 0))
        return rc;
    for (size_t i = 0; i < p->jobs_n; i++)
        if ((rc = push_one(tx, &p->jobs[i], ties ? &ties[i] : NULL, &jobs[i], &keys[i])) <
            0)
            return rc;
    if ((rc = er_edges_push(tx, p, keys, jobs, ties)) < 0 || (rc = er_follow(tx)) < 0 ||
        (rc = states_tell(tx, keys, jobs, p->jobs_n)) < 0)
        return rc;
    ret->jobs = jobs;
    ret->hints = er_tx_hints(tx);
    return 0;
}

/* ------------------------------------------------------------ the caller's transaction
 */

static int callers_check(struct er_sqlite *conn, sqlite3 *handle,
                         struct errand_error *err)
{
    const char *path = sqlite3_db_filename(handle, "main");
    struct stat ours, theirs;

    if (sqlite3_get_autocommit(handle))
        return errand_error_set(err, ERRAND_EINVAL,
                                "the connection has no transaction open: BEGIN IMMEDIATE "
                                "first");
    if (!path || stat(path, &theirs) < 0 || stat(conn->path, &ours) < 0 ||
        ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the connection is to '%s', the store is '%s': jobs can "
                                "only be committed together in one file",
                                path ? path : "", conn->path);
    return 0;
}

/* Never commits; a savepoint makes this call all or nothing. The statements are prepared
 * for the call alone, because nobody tells us when the caller closes its connection. */
static int push_in_callers(struct er_sqlite *conn, const struct errand_push_params *p,
                           struct errand_arena *arena, struct errand_push_result *ret,
                           struct errand_error *err)
{
    struct er_db db = {.handle = p->transaction, .is_callers = true};
    struct er_names queues = {0}, jobs = {0};
    struct er_tx tx;
    int rc;

    /* The caller may have opened what took the place of the file that we have. */
    if ((rc = er_sqlite_replace(conn, p->now_ms, err)) < 0 ||
        (rc = callers_check(conn, p->transaction, err)) < 0)
        return rc;
    er_tx_init(&tx, conn, p->now_ms, arena, err);
    tx.db = &db;
    tx.queues = &queues;
    tx.jobs = &jobs;
    if ((rc = er_tx_run(&tx, ER_SQL_SAVEPOINT, ER_NO_ARGS)) < 0)
        goto out;
    if ((rc = er_tx_read_root(&tx)) == 0 && (rc = er_push_all(&tx, p, ret)) == 0)
        rc = er_tx_flush(&tx);
    if (rc < 0 && !sqlite3_get_autocommit(db.handle))
        er_sql_run(&db, ER_SQL_SAVEPOINT_ROLLBACK, ER_NO_ARGS, NULL);
    if (!sqlite3_get_autocommit(db.handle) &&
        er_sql_run(&db, ER_SQL_SAVEPOINT_RELEASE, ER_NO_ARGS, rc < 0 ? NULL : tx.err) < 0)
        rc = rc < 0 ? rc : tx.err->code;
    /* Told with the next call on this handle; the watch on the log hears the commit. */
    if (rc == 0)
        conn->wake_owed |= tx.wake;
out:
    er_db_done(&db);
    er_names_forget(&queues);
    er_names_forget(&jobs);
    return rc;
}

int er_sqlite_push(struct errand_conn *base, const struct errand_push_params *p,
                   struct errand_arena *arena, struct errand_push_result *ret,
                   struct errand_error *err)
{
    struct errand_push_result result = {0};
    struct er_tx tx;
    int rc;

    if (p->transaction) {
        rc = push_in_callers((struct er_sqlite *)base, p, arena, &result, err);
    } else {
        if ((rc = er_tx_begin(&tx, base, "push", p->now_ms, arena, err)) < 0)
            return rc;
        rc = er_tx_end(&tx, er_push_all(&tx, p, &result));
    }
    if (rc == 0)
        *ret = result;
    return rc;
}
