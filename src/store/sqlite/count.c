/* count.c: how many jobs there are. */
#include "store/sqlite/push.h"
#include "store/sqlite/scan.h"

enum { COUNTS_FIRST = 2 };

/* Queue and states alone: the counters know. */
static bool is_counted(const struct errand_filter *f)
{
    return !f->name && !f->tag && !f->batch.text[0] && !f->search && !f->since_ms &&
           !f->until_ms;
}

static int count_counters(struct er_tx *tx, const struct errand_filter *f, int64_t *ret_n)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_QUEUES_READ, ER_NO_ARGS);
    int64_t n = 0;
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        const char *queue = (const char *)sqlite3_column_text(st, 1);
        if (f->queue && (!queue || strcmp(f->queue, queue) != 0))
            continue;
        for (int s = 0; s < ERRAND_STATES_N; s++)
            if (!f->states || f->states & 1u << s)
                n += sqlite3_column_int64(st, COUNTS_FIRST + s);
    }
    *ret_n = n;
    return rc;
}

static int count_scan(struct er_tx *tx, const struct errand_filter *f, int64_t *ret_n)
{
    struct er_scan scan;
    struct er_found job;
    int64_t n = 0;
    int rc;

    if ((rc = er_scan_begin(&scan, tx, f, 0, false)) == 0)
        while ((rc = er_scan_next(&scan, &job)) > 0)
            n++;
    er_scan_done(&scan);
    *ret_n = n;
    return rc;
}

int er_sqlite_count(struct errand_conn *conn, const struct errand_filter *filter,
                    int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    struct er_tx tx;
    int64_t n = 0;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, now_ms, NULL, err)) < 0)
        return rc;
    rc = is_counted(filter) ? count_counters(&tx, filter, &n)
                            : count_scan(&tx, filter, &n);
    if ((rc = er_tx_end(&tx, rc)) == 0)
        *ret_n = n;
    return rc;
}
