/* limits.c: jobs at a limit wait in a line of their own, so that reserve never reads past
 * them twice and nobody polls.
 *
 * A bucket is one name and key of a limit: how many RUNNING jobs count in it, and when
 * jobs under it were started. A READY job that finds one of its buckets full is parked in
 * the line of that bucket; when the bucket has room again, by an end or by time, the
 * first of the line, as many as there is room and from every queue, go back to
 * errand_ready, at their old place, and are looked at again. State, order and counters of
 * READY are those of a job that never left. */
#include "store/sqlite/limits.h"

#include <string.h>

#include "base/error.h"
#include "core/name.h"
#include "store/sqlite/push.h"

/* ------------------------------------------------------------ limits that are set */

static int set_load(struct er_tx *tx, struct er_limits *limits)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_LIMITS_READ, ER_NO_ARGS);
    size_t max = 0;
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        struct errand_limit *limit;
        if (er_tx_grow(tx, &limits->set, limits->set_n, &max, sizeof *limits->set) < 0) {
            sqlite3_reset(st);
            return ERRAND_ENOMEM;
        }
        limit = &limits->set[limits->set_n++];
        *limit = (struct errand_limit){
            .name = er_col_text(st, 0, tx->scratch),
            .kind = (enum errand_limit_kind)sqlite3_column_int(st, 1),
            .scope = (enum errand_limit_scope)sqlite3_column_int(st, 2),
            .target = er_col_text(st, 3, tx->scratch),
            .n = sqlite3_column_int64(st, 4),
            .per_ms = sqlite3_column_int64(st, 5),
        };
        if (!limit->name || !limit->target) {
            sqlite3_reset(st);
            return er_tx_nomem(tx);
        }
    }
    return rc;
}

int er_limits_load(struct er_tx *tx)
{
    if (tx->limits)
        return 0;
    if (!(tx->limits = errand_arena_alloc(tx->scratch, sizeof *tx->limits)))
        return er_tx_nomem(tx);
    return tx->root.extras & ER_EXTRA_LIMITS ? set_load(tx, tx->limits) : 0;
}

static const struct errand_limit *set_find(const struct er_limits *limits,
                                           const char *name)
{
    for (size_t i = 0; i < limits->set_n; i++)
        if (strcmp(limits->set[i].name, name) == 0)
            return &limits->set[i];
    return NULL;
}

/* ------------------------------------------------------------ buckets */

static uint64_t hash_of(const char *name, struct errand_slice key)
{
    uint64_t h = 14695981039346656037u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 1099511628211u;
    return h;
}

static int bucket_read(struct er_tx *tx, struct er_bucket *bucket)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_BUCKET_FIND,
                                  ER_ARGS(er_text(bucket->name), er_blob(bucket->key)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    bucket->id = sqlite3_column_int64(st, 0);
    bucket->running = sqlite3_column_int64(st, 1);
    bucket->longest_ms = sqlite3_column_int64(st, 2);
    rc = er_starts_read(tx, bucket, st, 3);
    sqlite3_reset(st);
    return rc;
}

int er_bucket_get(struct er_tx *tx, const char *name, struct errand_slice key,
                  struct er_bucket **ret)
{
    uint64_t hash = hash_of(name, key);
    struct er_bucket *bucket;
    int rc;

    for (bucket = tx->limits->buckets; bucket; bucket = bucket->next)
        if (bucket->hash == hash && strcmp(bucket->name, name) == 0 &&
            bucket->key.len == key.len &&
            (!key.len || memcmp(bucket->key.ptr, key.ptr, key.len) == 0)) {
            *ret = bucket;
            return 0;
        }
    if (!(bucket = errand_arena_alloc(tx->scratch, sizeof *bucket)))
        return er_tx_nomem(tx);
    bucket->hash = hash;
    bucket->name = errand_arena_copy(tx->scratch, name, strlen(name));
    bucket->key = er_arena_slice(tx->scratch, key.ptr, key.len);
    if (!bucket->name || !bucket->key.ptr)
        return er_tx_nomem(tx);
    if ((rc = bucket_read(tx, bucket)) < 0)
        return rc;
    bucket->next = tx->limits->buckets;
    tx->limits->buckets = *ret = bucket;
    return 0;
}

static int bucket_by_id(struct er_tx *tx, int64_t id, struct er_bucket **ret)
{
    struct errand_slice key;
    const char *name;
    sqlite3_stmt *st;
    int rc;

    for (struct er_bucket *b = tx->limits->buckets; b; b = b->next)
        if (b->id == id) {
            *ret = b;
            return 0;
        }
    if (!(st = er_tx_bind(tx, ER_SQL_BUCKET_READ, ER_ARGS(er_int(id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT,
                                         "bucket %lld is missing", (long long)id);
    name = er_col_text(st, 0, tx->scratch);
    key = er_col_slice(st, 1, tx->scratch);
    sqlite3_reset(st);
    return name && key.ptr ? er_bucket_get(tx, name, key, ret) : er_tx_nomem(tx);
}

int er_bucket_make(struct er_tx *tx, struct er_bucket *bucket)
{
    int rc;

    if (bucket->id)
        return 0;
    if ((rc = er_tx_run(tx, ER_SQL_BUCKET_INSERT,
                        ER_ARGS(er_text(bucket->name), er_blob(bucket->key)))) < 0)
        return rc;
    bucket->id = sqlite3_last_insert_rowid(tx->db->handle);
    return 0;
}

int er_limits_write(struct er_tx *tx)
{
    for (struct er_bucket *b = tx->limits ? tx->limits->buckets : NULL; b; b = b->next) {
        int rc;
        if (b->is_dirty && (rc = er_starts_write(tx, b)) < 0)
            return rc;
        b->is_dirty = false;
    }
    return 0;
}

/* ------------------------------------------------------------ what applies to a job */

static int applied_add(struct er_tx *tx, struct er_applied_list *list, const char *name,
                       struct errand_slice key, struct er_applied applied)
{
    int rc;

    if (er_tx_grow(tx, &list->applied, list->n, &list->max, sizeof *list->applied) < 0)
        return ERRAND_ENOMEM;
    if ((rc = er_bucket_get(tx, name, key, &applied.bucket)) < 0 ||
        (applied.kind == ERRAND_LIMIT_RATE &&
         (rc = er_bucket_know(tx, applied.bucket, applied.n)) < 0))
        return rc;
    list->applied[list->n++] = applied;
    return 0;
}

/* What the job brings along, with the numbers of a limit of that name if one is set. */
static int applied_own(struct er_tx *tx, const struct er_job *job,
                       struct er_applied_list *list)
{
    struct er_asks_read asks;
    int rc;

    if (!(job->flags & ER_FLAG_LIMITS))
        return 0;
    rc = job->asks.len ? er_asks_decode(tx, job->asks, &asks)
                       : er_asks_read(tx, job->id, &asks);
    for (size_t i = 0; rc == 0 && i < asks.limits_n; i++) {
        const struct errand_limit_use *use = &asks.limits[i];
        const struct errand_limit *set = set_find(tx->limits, use->name);
        rc = applied_add(tx, list, use->name, use->key,
                         (struct er_applied){.kind = set ? set->kind : use->kind,
                                             .n = set ? set->n : use->n,
                                             .per_ms = set ? set->per_ms : use->per_ms,
                                             .is_own = true});
    }
    return rc;
}

static int aims_at(struct er_tx *tx, const struct errand_limit *limit,
                   const struct er_job *job)
{
    const char *text;

    switch (limit->scope) {
    case ERRAND_SCOPE_QUEUE:
        text = er_queue_text(tx, job->queue);
        return text ? strcmp(limit->target, text) == 0 : tx->err->code;
    case ERRAND_SCOPE_JOB:
        text = er_name_text(tx, job->name);
        return text ? er_name_is_same(limit->target, text) : tx->err->code;
    case ERRAND_SCOPE_KEY:
        break;
    }
    return 0;
}

/* A limit that the job brings along under the key "" counts once. */
static bool brings(const struct er_applied_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->applied[i].is_own && list->applied[i].bucket->key.len == 0 &&
            strcmp(list->applied[i].bucket->name, name) == 0)
            return true;
    return false;
}

int er_applied(struct er_tx *tx, const struct er_job *job, struct er_applied_list *list)
{
    int rc;

    *list = (struct er_applied_list){0};
    if ((rc = er_limits_load(tx)) < 0 || (rc = applied_own(tx, job, list)) < 0)
        return rc;
    for (size_t i = 0; i < tx->limits->set_n; i++) {
        const struct errand_limit *set = &tx->limits->set[i];
        if ((rc = aims_at(tx, set, job)) < 0)
            return rc;
        if (rc == 0 || brings(list, set->name))
            continue;
        rc = applied_add(
            tx, list, set->name, (struct errand_slice){.ptr = ""},
            (struct er_applied){.kind = set->kind, .n = set->n, .per_ms = set->per_ms});
        if (rc < 0)
            return rc;
    }
    return 0;
}

int64_t er_applied_room(const struct er_applied *a, int64_t now_ms)
{
    return a->kind == ERRAND_LIMIT_CONCURRENCY
               ? a->n - a->bucket->running
               : a->n - er_bucket_started(a->bucket, a->per_ms, now_ms);
}

/* A queue at its own limit is passed over as a line: to park its jobs one by one would
 * cost each of thousands two moves, and each reserve a look. */
int er_limits_room(struct er_tx *tx, int64_t queue, int64_t *ret_room, int64_t *ret_at)
{
    const char *name;
    int rc;

    *ret_room = INT64_MAX;
    *ret_at = 0;
    if (!(tx->root.extras & ER_EXTRA_LIMITS))
        return 0;
    if ((rc = er_limits_load(tx)) < 0)
        return rc;
    if (!(name = er_queue_text(tx, queue)))
        return tx->err->code;
    for (size_t i = 0; i < tx->limits->set_n; i++) {
        const struct errand_limit *set = &tx->limits->set[i];
        struct er_applied a = {.kind = set->kind, .n = set->n, .per_ms = set->per_ms};
        int64_t room, at;

        if (set->scope != ERRAND_SCOPE_QUEUE || strcmp(set->target, name) != 0)
            continue;
        if ((rc = er_bucket_get(tx, set->name, (struct errand_slice){.ptr = ""},
                                &a.bucket)) < 0 ||
            (a.kind == ERRAND_LIMIT_RATE && (rc = er_bucket_know(tx, a.bucket, a.n)) < 0))
            return rc;
        room = er_applied_room(&a, tx->now_ms);
        *ret_room = room < *ret_room ? room : *ret_room;
        at = room <= 0 && a.kind == ERRAND_LIMIT_RATE
                 ? er_bucket_free_at(a.bucket, a.n, a.per_ms)
                 : 0;
        *ret_at = at > *ret_at ? at : *ret_at;
    }
    return 0;
}

/* ------------------------------------------------------------ starting, ending */

static int hold(struct er_tx *tx, struct er_job *job, const struct er_applied *a)
{
    int rc;

    if ((rc = er_bucket_make(tx, a->bucket)) < 0 ||
        (rc = er_tx_run(tx, ER_SQL_HOLD_INSERT,
                        ER_ARGS(er_int(job->id), er_int(a->bucket->id)))) < 0)
        return rc;
    if (er_tx_changes(tx)) {
        a->bucket->running++;
        a->bucket->is_dirty = true;
    }
    if (job->flags & ER_FLAG_HOLDS)
        return 0;
    job->flags |= ER_FLAG_HOLDS;
    return er_job_flag(tx, job->id, ER_FLAG_HOLDS, 0);
}

int er_limits_hold(struct er_tx *tx, struct er_job *job, const char *name)
{
    struct er_applied_list list;
    int rc = er_applied(tx, job, &list);

    for (size_t i = 0; rc == 0 && i < list.n; i++)
        if (list.applied[i].kind == ERRAND_LIMIT_CONCURRENCY &&
            strcmp(list.applied[i].bucket->name, name) == 0)
            rc = hold(tx, job, &list.applied[i]);
    return rc;
}

/* The limit to wait at: one that only an end can open, else the one that opens last. */
static const struct er_applied *full_one(const struct er_tx *tx,
                                         const struct er_applied_list *list)
{
    const struct er_applied *full = NULL;
    int64_t latest = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct er_applied *a = &list->applied[i];
        int64_t at;
        if (er_applied_room(a, tx->now_ms) > 0)
            continue;
        if (a->kind == ERRAND_LIMIT_CONCURRENCY)
            return a;
        if ((at = er_bucket_free_at(a->bucket, a->n, a->per_ms)) > latest || !full) {
            latest = at;
            full = a;
        }
    }
    return full;
}

int er_limits_start(struct er_tx *tx, struct er_job *job)
{
    const struct er_applied *full;
    struct er_applied_list list;
    int rc;

    if ((rc = er_applied(tx, job, &list)) < 0)
        return rc;
    if ((full = full_one(tx, &list))) {
        if ((rc = er_park(tx, job, full)) < 0)
            return rc;
        /* It may have been let out of another line to come here: the next of that one. */
        for (size_t i = 0; i < list.n; i++)
            if (&list.applied[i] != full &&
                (rc = er_lines_offer(tx, list.applied[i].bucket)) < 0)
                return rc;
        return 0;
    }
    for (size_t i = 0; i < list.n; i++) {
        const struct er_applied *a = &list.applied[i];
        rc = a->kind == ERRAND_LIMIT_CONCURRENCY
                 ? hold(tx, job, a)
                 : er_bucket_start(tx, a->bucket, a->per_ms, 1);
        if (rc < 0 || (rc = er_lines_started(tx, a->bucket)) < 0)
            return rc;
    }
    return 1;
}

int er_limits_leave(struct er_tx *tx, const struct er_job *job)
{
    const struct errand_limit *set;
    int64_t *buckets = NULL;
    size_t n = 0;
    sqlite3_stmt *st;
    int rc;

    if (!(job->flags & ER_FLAG_HOLDS))
        return 0;
    if ((rc = er_limits_load(tx)) < 0)
        return rc;
    st = er_tx_bind(tx, ER_SQL_HOLDS_READ, ER_ARGS(er_int(job->id)));
    rc = er_tx_rows(tx, st, er_row_id, sizeof *buckets, &buckets, &n);
    if (rc < 0 || n == 0 ||
        (rc = er_tx_run(tx, ER_SQL_HOLDS_DELETE, ER_ARGS(er_int(job->id)))) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct er_bucket *bucket;
        if ((rc = bucket_by_id(tx, buckets[i], &bucket)) < 0)
            break;
        bucket->running--;
        bucket->is_dirty = true;
        if ((set = set_find(tx->limits, bucket->name)) &&
            set->scope == ERRAND_SCOPE_QUEUE)
            tx->wake |= ERRAND_WAIT_READY; /* its queue may go on */
        rc = er_lines_offer(tx, bucket);
    }
    return rc;
}

int er_limits_offer(struct er_tx *tx, const struct er_job *job)
{
    struct er_applied_list list;
    int rc;

    if (!(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    if ((rc = er_applied(tx, job, &list)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < list.n; i++)
        rc = er_lines_offer(tx, list.applied[i].bucket);
    return rc;
}

int er_line_bucket(struct er_tx *tx, const struct er_line *line, struct er_bucket **ret)
{
    return bucket_by_id(tx, line->bucket, ret);
}
