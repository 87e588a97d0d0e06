/* check.c: does everything fit together? What one place says is counted again from the
 * others, and SQLite looks at its own pages. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { FINDINGS_MAX = 100 };

struct findings {
    struct er_tx *tx;
    const char **rows;
    size_t n;
};

static int find(struct findings *f, const char *text)
{
    if (f->n == FINDINGS_MAX)
        return 0;
    if (!(f->rows[f->n] = errand_arena_copy(f->tx->arena, text, strlen(text))))
        return er_tx_nomem(f->tx);
    f->n++;
    return 0;
}

/* Each check_*.sql answers one sentence a row. */
static int check_sql(struct findings *f, enum er_sql sql)
{
    sqlite3_stmt *st = er_tx_bind(f->tx, sql, ER_NO_ARGS);
    int rc;

    if (!st)
        return f->tx->err->code;
    while ((rc = er_tx_next(f->tx, st)) > 0)
        /* NULL: a column that cannot be, in a file that is broken. */
        if ((rc = find(f, sqlite3_column_text(st, 0)
                              ? (const char *)sqlite3_column_text(st, 0)
                              : "a row without its text")) < 0) {
            sqlite3_reset(st);
            return rc;
        }
    return rc;
}

/* Every job in state 2 is in exactly one of errand_ready, errand_parked and a lease, and
 * a lease names nothing else. */
static int check_places(struct findings *f)
{
    struct er_running *running;
    size_t running_n;
    sqlite3_stmt *st;
    char text[128];
    int rc = er_running_load(f->tx, &running, &running_n);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < running_n; i++) {
        enum errand_state state = ERRAND_COMPLETED;
        struct er_job job;
        bool is_twice = i && running[i].id == running[i - 1].id;
        if ((rc = er_job_read(f->tx, running[i].id, &job)) < 0 ||
            (rc > 0 && (rc = er_job_state(f->tx, &job, &state)) < 0))
            return rc;
        if (state == ERRAND_RUNNING && !is_twice)
            continue;
        snprintf(text, sizeof text, "job %lld is named by lease %lld and is %s%s",
                 (long long)running[i].id, (long long)running[i].lease->token,
                 errand_state_name(state), is_twice ? ", and by another lease" : "");
        if ((rc = find(f, text)) < 0)
            return rc;
    }
    if (!(st = er_tx_bind(f->tx, ER_SQL_CHECK_NOT_IN_LINE, ER_NO_ARGS)))
        return f->tx->err->code;
    while ((rc = er_tx_next(f->tx, st)) > 0) {
        int64_t id = sqlite3_column_int64(st, 0);
        if (er_running_find(running, running_n, id))
            continue;
        snprintf(text, sizeof text, "job %lld is neither ready nor named by a lease",
                 (long long)id);
        if ((rc = find(f, text)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
    }
    return rc;
}

/* Running jobs a queue, from the leases, against the counter. */
static int check_running(struct findings *f)
{
    sqlite3_stmt *st = er_tx_bind(f->tx, ER_SQL_CHECK_RUNNING, ER_NO_ARGS);
    char text[160];
    int rc;

    if (!st)
        return f->tx->err->code;
    while ((rc = er_tx_next(f->tx, st)) > 0) {
        int64_t queue = sqlite3_column_int64(st, 0), n = 0;
        for (size_t i = 0; i < f->tx->leases_n; i++)
            for (size_t j = 0; j < f->tx->leases[i].jobs_n; j++)
                n += f->tx->leases[i].jobs[j].queue == queue &&
                     !f->tx->leases[i].jobs[j].is_hook;
        if (n == sqlite3_column_int64(st, 2))
            continue;
        snprintf(text, sizeof text, "queue '%s' counts %lld running jobs and has %lld",
                 sqlite3_column_text(st, 1), (long long)sqlite3_column_int64(st, 2),
                 (long long)n);
        if ((rc = find(f, text)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
    }
    return rc;
}

static int check(struct findings *f)
{
    static const enum er_sql sentences[] = {
        ER_SQL_CHECK_QUICK,  ER_SQL_CHECK_COUNTS,  ER_SQL_CHECK_LINES,
        ER_SQL_CHECK_EDGES,  ER_SQL_CHECK_BATCHES, ER_SQL_CHECK_BATCH_COUNTS,
        ER_SQL_CHECK_LIMITS, ER_SQL_CHECK_HELD,
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof sentences / sizeof *sentences; i++)
        rc = check_sql(f, sentences[i]);
    if (rc < 0 || (rc = check_places(f)) < 0)
        return rc;
    return check_running(f);
}

int er_sqlite_check(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_check_result *ret, struct errand_error *err)
{
    struct findings f = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, now_ms, arena, err)) < 0)
        return rc;
    f.tx = &tx;
    if (!(f.rows = errand_arena_alloc(arena, FINDINGS_MAX * sizeof *f.rows)))
        rc = er_tx_nomem(&tx);
    else
        rc = check(&f);
    if ((rc = er_tx_end(&tx, rc)) == 0)
        *ret = (struct errand_check_result){.findings = f.rows, .findings_n = f.n};
    return rc;
}
