/* stats.c: how many attempts ended how and how long they took, per minute, queue and job
 * name. A histogram is ERRAND_HISTOGRAM_N numbers of 8 bytes, little endian. */
#include "store/sqlite/sqlite.h"

#include <endian.h>
#include <string.h>

#include "base/error.h"

enum { MINUTE_MS = 60000 };

struct histograms {
    int64_t run[ERRAND_HISTOGRAM_N], wait[ERRAND_HISTOGRAM_N];
};

static void hist_read(sqlite3_stmt *st, int i, int64_t *ret)
{
    const void *ptr = sqlite3_column_blob(st, i);
    size_t len = (size_t)sqlite3_column_bytes(st, i);
    uint64_t raw[ERRAND_HISTOGRAM_N] = {0};

    if (ptr)
        memcpy(raw, ptr, len < sizeof raw ? len : sizeof raw);
    for (size_t k = 0; k < ERRAND_HISTOGRAM_N; k++)
        ret[k] = (int64_t)le64toh(raw[k]);
}

static void hist_add(uint64_t *raw, const int64_t *a, const int64_t *b)
{
    for (size_t k = 0; k < ERRAND_HISTOGRAM_N; k++)
        raw[k] = htole64((uint64_t)(a[k] + b[k]));
}

static int add_one(struct er_tx *tx, const struct errand_stat *s)
{
    int64_t minute_ms = s->minute_ms - s->minute_ms % MINUTE_MS;
    uint64_t run[ERRAND_HISTOGRAM_N], wait[ERRAND_HISTOGRAM_N];
    struct histograms old = {0};
    sqlite3_stmt *st;
    int rc;

    if (!(st = er_tx_bind(
              tx, ER_SQL_STAT_READ,
              ER_ARGS(er_int(minute_ms), er_text(s->queue), er_text(s->name)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) < 0)
        return rc;
    if (rc > 0) {
        hist_read(st, 0, old.run);
        hist_read(st, 1, old.wait);
        sqlite3_reset(st);
    }
    hist_add(run, old.run, s->run_hist);
    hist_add(wait, old.wait, s->wait_hist);
    return er_tx_run(
        tx, ER_SQL_STAT_ADD,
        ER_ARGS(er_int(minute_ms), er_text(s->queue), er_text(s->name), er_int(s->done),
                er_int(s->failed), er_int(s->retried), er_int(s->run_ms),
                er_int(s->wait_ms),
                er_blob((struct errand_slice){(const char *)run, sizeof run}),
                er_blob((struct errand_slice){(const char *)wait, sizeof wait})));
}

int er_sqlite_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                        struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_light(&tx, conn, "stats_add", p->now_ms, NULL, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < p->add_n; i++)
        rc = add_one(&tx, &p->add[i]);
    return er_tx_end(&tx, rc);
}

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_stat *ret = ret_row;

    *ret = (struct errand_stat){
        .minute_ms = sqlite3_column_int64(st, 0),
        .queue = er_col_text(st, 1, tx->arena),
        .name = er_col_text(st, 2, tx->arena),
        .done = sqlite3_column_int64(st, 3),
        .failed = sqlite3_column_int64(st, 4),
        .retried = sqlite3_column_int64(st, 5),
        .run_ms = sqlite3_column_int64(st, 6),
        .wait_ms = sqlite3_column_int64(st, 7),
    };
    hist_read(st, 8, ret->run_hist);
    hist_read(st, 9, ret->wait_hist);
    return ret->queue && ret->name ? 0 : er_tx_nomem(tx);
}

static int stats_read(struct er_tx *tx, const struct errand_stats_params *p,
                      struct errand_stats_result *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_STATS_READ,
                                  ER_ARGS(er_int(p->since_ms),
                                          er_int(p->until_ms ? p->until_ms : INT64_MAX),
                                          er_text(p->queue), er_text(p->name)));

    return er_tx_answer(tx, st, row_fill, sizeof *ret->stats, &ret->stats, &ret->stats_n);
}

int er_sqlite_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                         struct errand_arena *arena, struct errand_stats_result *ret,
                         struct errand_error *err)
{
    struct errand_stats_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, stats_read(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
