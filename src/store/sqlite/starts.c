/* starts.c: when jobs under a rate were started.
 *
 * The latest starts of a bucket stand in its own row, packed, so that one more is the
 * write of that row and nothing else. When they are many, the oldest of them go into a
 * row of errand_starts, all together: such a row is kept until the last of it matters to
 * nobody. How many those are is known without a look at them (older_n), which is all that
 * is to be known of a rate that is far from full. */
#include "store/sqlite/limits.h"

#include <string.h>

#include "base/error.h"
#include "store/sqlite/varint.h"

/* A commit writes the pages of the buckets it changes: rows have to be small. */
enum { RECENT_MAX = 32 };

/* ------------------------------------------------------------ in order */

/* One more, in order also when the clock went back. */
static int start_add(struct er_tx *tx, struct er_starts *starts, struct er_start start)
{
    size_t i;

    for (i = starts->n; i > 0 && starts->at[i - 1].at_ms > start.at_ms; i--)
        ;
    if (i > 0 && starts->at[i - 1].at_ms == start.at_ms) {
        starts->at[i - 1].n += start.n;
        return 0;
    }
    if (er_tx_grow(tx, &starts->at, starts->n, &starts->max, sizeof *starts->at) < 0)
        return ERRAND_ENOMEM;
    memmove(starts->at + i + 1, starts->at + i, (starts->n - i) * sizeof *starts->at);
    starts->at[i] = start;
    starts->n++;
    return 0;
}

/* The last of both, as far as they are not passed yet. NULL: no more. */
static const struct er_start *latest(const struct er_bucket *b, size_t *recent,
                                     size_t *older)
{
    if (!*recent && !*older)
        return NULL;
    if (!*older ||
        (*recent && b->recent.at[*recent - 1].at_ms >= b->older.at[*older - 1].at_ms))
        return &b->recent.at[--*recent];
    return &b->older.at[--*older];
}

/* Starts in the window that ends now; those that the clock puts later count as well. */
int64_t er_bucket_started(const struct er_bucket *bucket, int64_t per_ms, int64_t now_ms)
{
    size_t recent = bucket->recent.n, older = bucket->older.n;
    int64_t n = bucket->is_known ? 0 : bucket->older_n;
    const struct er_start *start;

    while ((start = latest(bucket, &recent, &older)) && start->at_ms > now_ms - per_ms)
        n += start->n;
    return n;
}

/* When the n-th last start leaves the window. */
int64_t er_bucket_free_at(const struct er_bucket *bucket, int64_t n, int64_t per_ms)
{
    size_t recent = bucket->recent.n, older = bucket->older.n;
    const struct er_start *start;

    while ((start = latest(bucket, &recent, &older)))
        if ((n -= start->n) <= 0)
            return start->at_ms + per_ms;
    return 0;
}

/* ------------------------------------------------------------ as bytes */

/* Of each the step from the one before, and how many. */
static unsigned char *pack(const struct er_start *starts, size_t n, unsigned char *p)
{
    int64_t before = 0;

    for (size_t i = 0; i < n; i++) {
        p = er_varint_write(p, (uint64_t)(starts[i].at_ms - before));
        p = er_varint_write(p, (uint64_t)starts[i].n);
        before = starts[i].at_ms;
    }
    return p;
}

static int unreadable(struct er_tx *tx)
{
    return errand_error_set(tx->err, ERRAND_ECORRUPT,
                            "the starts of a limit cannot be read; run 'errand doctor'");
}

/* Those after `since`. */
static int unpack(struct er_tx *tx, sqlite3_stmt *st, int i, int64_t since,
                  struct er_starts *starts)
{
    const unsigned char *p = sqlite3_column_blob(st, i), *end = p;
    uint64_t at = 0;
    int rc;

    if (p)
        end += sqlite3_column_bytes(st, i);
    while (p < end) {
        uint64_t step, n;
        if (!(p = er_varint_read(p, end, &step)) || !(p = er_varint_read(p, end, &n)))
            return unreadable(tx);
        at += step;
        if ((int64_t)at > since &&
            (rc = start_add(tx, starts, (struct er_start){(int64_t)at, (int64_t)n})) < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------ reading */

/* Nobody leaves more than RECENT_MAX there, and there is no room for more. */
int er_starts_read(struct er_tx *tx, struct er_bucket *bucket, sqlite3_stmt *st, int i)
{
    int rc;

    bucket->newest_ms = sqlite3_column_int64(st, i + 1);
    bucket->older_n = sqlite3_column_int64(st, i + 2);
    bucket->older_ms = sqlite3_column_int64(st, i + 3);
    rc = unpack(tx, st, i, tx->now_ms - bucket->longest_ms, &bucket->recent);
    return rc == 0 && bucket->recent.n > RECENT_MAX ? unreadable(tx) : rc;
}

/* A row of errand_starts without bytes is of one moment: so they were before schema 5. */
static int older_read(struct er_tx *tx, struct er_bucket *bucket)
{
    int64_t since = tx->now_ms - bucket->longest_ms;
    sqlite3_stmt *st =
        er_tx_bind(tx, ER_SQL_STARTS_READ, ER_ARGS(er_int(bucket->id), er_int(since)));
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        struct er_start one = {.at_ms = sqlite3_column_int64(st, 0),
                               .n = sqlite3_column_int64(st, 1)};
        if ((rc = sqlite3_column_bytes(st, 2) ? unpack(tx, st, 2, since, &bucket->older)
                                              : start_add(tx, &bucket->older, one)) < 0) {
            sqlite3_reset(st);
            break;
        }
    }
    return rc;
}

int er_bucket_know(struct er_tx *tx, struct er_bucket *bucket, int64_t below)
{
    int rc;

    if (bucket->is_known || !bucket->older_n ||
        er_bucket_started(bucket, bucket->longest_ms, tx->now_ms) < below)
        return 0;
    if ((rc = older_read(tx, bucket)) == 0)
        bucket->is_known = true;
    return rc;
}

/* ------------------------------------------------------------ writing */

int er_bucket_start(struct er_tx *tx, struct er_bucket *bucket, int64_t per_ms, int64_t n)
{
    int rc;

    if ((rc = er_bucket_make(tx, bucket)) < 0)
        return rc;
    if (per_ms > bucket->longest_ms)
        bucket->longest_ms = per_ms;
    if (tx->now_ms > bucket->newest_ms)
        bucket->newest_ms = tx->now_ms;
    bucket->is_dirty = true;
    return start_add(tx, &bucket->recent, (struct er_start){tx->now_ms, n});
}

/* What is in errand_starts, counted anew without what matters to nobody. */
static int older_forget(struct er_tx *tx, struct er_bucket *b)
{
    sqlite3_stmt *st;
    int rc = er_tx_run(tx, ER_SQL_STARTS_FORGET,
                       ER_ARGS(er_int(b->id), er_int(tx->now_ms - b->longest_ms)));

    if (rc < 0)
        return rc;
    if (!(st = er_tx_bind(tx, ER_SQL_STARTS_COUNT, ER_ARGS(er_int(b->id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    b->older_n = sqlite3_column_int64(st, 0);
    b->older_ms = sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return 0;
}

/* The recent ones but the last become one row of errand_starts. */
static int recent_put_away(struct er_tx *tx, struct er_bucket *b)
{
    unsigned char bytes[RECENT_MAX * 2 * ER_VARINT_MAX];
    size_t n = b->recent.n - 1;
    int64_t sum = 0;
    int rc;

    for (size_t i = 0; i < n; i++)
        sum += b->recent.at[i].n;
    rc = er_tx_run(
        tx, ER_SQL_STARTS_ADD,
        ER_ARGS(er_int(b->id), er_int(b->recent.at[n - 1].at_ms), er_int(sum),
                er_blob((struct errand_slice){
                    (char *)bytes, (size_t)(pack(b->recent.at, n, bytes) - bytes)})));
    for (size_t i = 0; rc == 0 && b->is_known && i < n; i++)
        rc = start_add(tx, &b->older, b->recent.at[i]);
    if (rc < 0)
        return rc;
    if (!b->older_n)
        b->older_ms = b->recent.at[n - 1].at_ms;
    b->older_n += sum;
    b->recent.at[0] = b->recent.at[n];
    b->recent.n = 1;
    return 0;
}

int er_starts_write(struct er_tx *tx, struct er_bucket *b)
{
    unsigned char bytes[RECENT_MAX * 2 * ER_VARINT_MAX];
    struct errand_slice recent = {.ptr = (char *)bytes};
    int rc;

    if (b->older_n && b->older_ms <= tx->now_ms - b->longest_ms &&
        (rc = older_forget(tx, b)) < 0)
        return rc;
    if (b->recent.n > RECENT_MAX && (rc = recent_put_away(tx, b)) < 0)
        return rc;
    recent.len = (size_t)(pack(b->recent.at, b->recent.n, bytes) - bytes);
    return er_tx_run(tx, ER_SQL_BUCKET_WRITE,
                     ER_ARGS(er_int(b->id), er_int(b->running), er_int(b->longest_ms),
                             er_blob_or_null(recent), er_int(b->newest_ms),
                             er_int(b->older_n), er_int(b->older_ms)));
}
