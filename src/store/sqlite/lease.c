/* lease.c: one row for all jobs of one reserve.
 *
 * The jobs of a lease are numbers one after the other: a byte or two each, because they
 * are mostly consecutive. Each is a varint v: bit 0 says that the hook of the job is
 * leased and not the job, bit 1 that a queue number follows, the rest is the step from
 * the one before, zigzag. */
#include "store/sqlite/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/sqlite/varint.h"

static struct errand_slice jobs_write(struct er_tx *tx, const struct er_lease_job *jobs,
                                      size_t n)
{
    unsigned char *bytes = errand_arena_alloc(tx->scratch, n * 2 * ER_VARINT_MAX + 1), *p;
    int64_t id = 0, queue = 0;

    if (!(p = bytes))
        return (struct errand_slice){0};
    for (size_t i = 0; i < n; i++) {
        int64_t step = jobs[i].id - id;
        bool is_other = jobs[i].queue != queue;
        if (jobs[i].is_gone)
            continue;
        p = er_varint_write(p, ((uint64_t)step << 1 ^ (uint64_t)(step >> 63)) << 2 |
                                   (uint64_t)is_other << 1 | jobs[i].is_hook);
        if (is_other)
            p = er_varint_write(p, (uint64_t)jobs[i].queue);
        id = jobs[i].id;
        queue = jobs[i].queue;
    }
    return (struct errand_slice){.ptr = (char *)bytes, .len = (size_t)(p - bytes)};
}

static int jobs_read(struct er_tx *tx, const unsigned char *p, size_t len,
                     struct er_lease *lease)
{
    const unsigned char *end = p + len;
    int64_t id = 0;
    uint64_t queue = 0;

    if (!(lease->jobs = errand_arena_alloc(tx->scratch, (len + 1) * sizeof *lease->jobs)))
        return er_tx_nomem(tx);
    while (p < end) {
        uint64_t v, step;
        if (!(p = er_varint_read(p, end, &v)) ||
            ((v & 2) && !(p = er_varint_read(p, end, &queue))))
            return errand_error_set(tx->err, ERRAND_ECORRUPT, "lease %lld cannot be read",
                                    (long long)lease->token);
        step = v >> 2;
        id += (int64_t)(step >> 1 ^ (0 - (step & 1)));
        lease->jobs[lease->jobs_n++] =
            (struct er_lease_job){.id = id, .queue = (int64_t)queue, .is_hook = v & 1};
    }
    lease->left_n = lease->jobs_n;
    return 0;
}

/* The row under the statement, added to tx->leases. */
static int lease_take(struct er_tx *tx, sqlite3_stmt *st)
{
    struct er_lease *lease;

    for (size_t i = 0; i < tx->leases_n; i++)
        if (tx->leases[i].token == sqlite3_column_int64(st, 0))
            return 0; /* as this call has changed it */
    if (er_tx_grow(tx, &tx->leases, tx->leases_n, &tx->leases_max, sizeof *tx->leases) <
        0)
        return ERRAND_ENOMEM;
    lease = &tx->leases[tx->leases_n];
    *lease = (struct er_lease){
        .token = sqlite3_column_int64(st, 0),
        .until_ms = sqlite3_column_int64(st, 1),
        .boot = sqlite3_column_int64(st, 2),
        .started_at = sqlite3_column_int64(st, 3),
    };
    if (!(lease->worker = er_col_text(st, 4, tx->scratch)))
        return er_tx_nomem(tx);
    tx->leases_n++;
    return jobs_read(tx, sqlite3_column_blob(st, 5), (size_t)sqlite3_column_bytes(st, 5),
                     lease);
}

int er_lease_find(struct er_tx *tx, int64_t token, struct er_lease **ret)
{
    sqlite3_stmt *st;
    int rc;

    *ret = NULL;
    for (size_t i = tx->leases_n; i-- > 0;)
        if (tx->leases[i].token == token) {
            *ret = &tx->leases[i];
            return 0;
        }
    if (!(st = er_tx_bind(tx, ER_SQL_LEASE_READ, ER_ARGS(er_int(token)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    rc = lease_take(tx, st);
    sqlite3_reset(st);
    if (rc == 0)
        *ret = &tx->leases[tx->leases_n - 1];
    return rc;
}

int er_leases_load(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                   size_t args_n)
{
    sqlite3_stmt *st = er_tx_bind(tx, sql, args, args_n);
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0)
        if ((rc = lease_take(tx, st)) < 0) {
            sqlite3_reset(st);
            break;
        }
    return rc;
}

/* Outcomes come mostly in the order of the lease: the search begins behind the last. */
struct er_lease_job *er_lease_job(struct er_lease *lease, int64_t id, bool is_hook)
{
    for (size_t i = 0; i < lease->jobs_n; i++) {
        size_t at = lease->hint + i;
        struct er_lease_job *job =
            &lease->jobs[at < lease->jobs_n ? at : at - lease->jobs_n];
        if (job->id != id || job->is_gone || job->is_hook != is_hook)
            continue;
        lease->hint = (size_t)(job - lease->jobs) + 1;
        return job;
    }
    return NULL;
}

void er_lease_drop(struct er_lease *lease, struct er_lease_job *job)
{
    job->is_gone = true;
    lease->left_n--;
    lease->is_dirty = true;
}

int er_leases_write(struct er_tx *tx)
{
    for (size_t i = 0; i < tx->leases_n; i++) {
        struct er_lease *lease = &tx->leases[i];
        struct errand_slice jobs;
        int rc;

        if (!lease->is_dirty)
            continue;
        if (lease->left_n == 0) {
            rc = er_tx_run(tx, ER_SQL_LEASE_DELETE, ER_ARGS(er_int(lease->token)));
        } else {
            jobs = jobs_write(tx, lease->jobs, lease->jobs_n);
            if (!jobs.ptr)
                return er_tx_nomem(tx);
            rc = er_tx_run(tx, ER_SQL_LEASE_WRITE,
                           ER_ARGS(er_int(lease->token), er_blob(jobs)));
        }
        if (rc < 0)
            return rc;
        lease->is_dirty = false;
    }
    return 0;
}

int er_lease_insert(struct er_tx *tx, int64_t token, int64_t lease_ms, const char *worker,
                    const struct er_lease_job *jobs, size_t jobs_n)
{
    struct errand_slice bytes = jobs_write(tx, jobs, jobs_n);

    if (!bytes.ptr)
        return er_tx_nomem(tx);
    return er_tx_run(tx, ER_SQL_LEASE_INSERT,
                     ER_ARGS(er_int(token), er_int(tx->lease_ms + lease_ms),
                             er_int(tx->conn->boot), er_int(tx->now_ms), er_text(worker),
                             er_blob(bytes)));
}

/* ------------------------------------------------------------ who runs what */

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct er_running *)a)->id,
            y = ((const struct er_running *)b)->id;

    return (x > y) - (x < y);
}

int er_running_load(struct er_tx *tx, struct er_running **ret, size_t *ret_n)
{
    size_t n = 0, max = 0;
    int rc;

    if ((rc = er_leases_load(tx, ER_SQL_LEASES_READ, ER_NO_ARGS)) < 0)
        return rc;
    for (size_t i = 0; i < tx->leases_n; i++)
        max += tx->leases[i].jobs_n;
    if (!(*ret = errand_arena_alloc(tx->scratch, (max + 1) * sizeof **ret)))
        return er_tx_nomem(tx);
    for (size_t i = 0; i < tx->leases_n; i++)
        for (size_t j = 0; j < tx->leases[i].jobs_n; j++)
            if (!tx->leases[i].jobs[j].is_hook)
                (*ret)[n++] = (struct er_running){.id = tx->leases[i].jobs[j].id,
                                                  .lease = &tx->leases[i]};
    qsort(*ret, n, sizeof **ret, by_id);
    *ret_n = n;
    return 0;
}

const struct er_running *er_running_find(const struct er_running *running, size_t n,
                                         int64_t id)
{
    struct er_running key = {.id = id};

    return n ? bsearch(&key, running, n, sizeof *running, by_id) : NULL;
}
