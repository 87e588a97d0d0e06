/* workers.c: who works on this store, by their heartbeats, and what they are told. */
#include "store/sqlite/sqlite.h"

#include <string.h>

#include "base/error.h"

enum { COMMANDS_MAX = 16, DEAD_KEPT_MS = 3600000 };

static int commands_take(struct er_tx *tx, const char *worker,
                         struct errand_beat_result *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_COMMANDS_READ, ER_ARGS(er_text(worker)));
    int rc;

    if (!st)
        return tx->err->code;
    if (!(ret->commands =
              errand_arena_alloc(tx->arena, COMMANDS_MAX * sizeof *ret->commands)))
        return er_tx_nomem(tx);
    while ((rc = er_tx_next(tx, st)) > 0)
        if (ret->commands_n < COMMANDS_MAX)
            ret->commands[ret->commands_n++] =
                (enum errand_command)sqlite3_column_int(st, 0);
    if (rc < 0 || !ret->commands_n)
        return rc;
    return er_tx_run(tx, ER_SQL_COMMANDS_DELETE, ER_ARGS(er_text(worker)));
}

/* Those that have been silent for an hour go with their commands. */
static int forget(struct er_tx *tx)
{
    int rc =
        er_tx_run(tx, ER_SQL_WORKERS_FORGET, ER_ARGS(er_int(tx->now_ms - DEAD_KEPT_MS)));

    if (rc < 0 || !er_tx_changes(tx))
        return rc;
    return er_tx_run(tx, ER_SQL_COMMANDS_ORPHANS, ER_NO_ARGS);
}

/* That it is new, or goes. */
static int tell(struct er_tx *tx, const struct errand_beat_params *p)
{
    struct errand_event event = er_told_worker(p->worker, p->bye);
    int64_t since_ms;
    int rc = er_tx_number(tx, ER_SQL_WORKER_FIND, ER_ARGS(er_text(p->worker)), &since_ms);

    if (rc < 0 || (rc > 0) != p->bye)
        return rc < 0 ? rc : 0;
    return er_tell(tx, &event);
}

static int beat(struct er_tx *tx, const struct errand_beat_params *p,
                struct errand_beat_result *ret)
{
    int rc;

    ret->control = tx->root.control;
    if ((rc = forget(tx)) < 0)
        return rc;
    if ((er_tx_hints(tx) & ERRAND_HINT_EVENTS) && (rc = tell(tx, p)) < 0)
        return rc;
    if (p->bye) {
        if ((rc = er_tx_run(tx, ER_SQL_COMMANDS_DELETE, ER_ARGS(er_text(p->worker)))) < 0)
            return rc;
        return er_tx_run(tx, ER_SQL_WORKER_DELETE, ER_ARGS(er_text(p->worker)));
    }
    if ((rc = er_tx_run(tx, ER_SQL_WORKER_BEAT,
                        ER_ARGS(er_text(p->worker), er_blob(p->info), er_int(tx->now_ms),
                                er_int(tx->now_ms + p->ttl_ms)))) < 0)
        return rc;
    return commands_take(tx, p->worker, ret);
}

int er_sqlite_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                   struct errand_arena *arena, struct errand_beat_result *ret,
                   struct errand_error *err)
{
    struct errand_beat_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_light(&tx, conn, "beat", p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, beat(&tx, p, &result))) == 0) {
        *ret = result;
        ret->identity = er_sqlite_identity(tx.conn);
    }
    return rc;
}

/* ------------------------------------------------------------ list */

static size_t running_n(const struct er_tx *tx, const char *worker)
{
    size_t n = 0;

    for (size_t i = 0; i < tx->leases_n; i++)
        if (strcmp(tx->leases[i].worker, worker) == 0)
            n += tx->leases[i].left_n;
    return n;
}

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_worker_info *ret = ret_row;

    *ret = (struct errand_worker_info){
        .worker = er_col_text(st, 0, tx->arena),
        .info = er_col_slice(st, 1, tx->arena),
        .since_ms = sqlite3_column_int64(st, 2),
        .seen_ms = sqlite3_column_int64(st, 3),
        .until_ms = sqlite3_column_int64(st, 4),
    };
    if (!ret->worker || !ret->info.ptr)
        return er_tx_nomem(tx);
    ret->is_alive = ret->until_ms > tx->now_ms;
    ret->running_n = running_n(tx, ret->worker);
    return 0;
}

static int workers(struct er_tx *tx, struct errand_workers_result *ret)
{
    int64_t since_ms = tx->now_ms - DEAD_KEPT_MS;
    sqlite3_stmt *st;
    int rc;

    if ((rc = er_leases_load(tx, ER_SQL_LEASES_READ, ER_NO_ARGS)) < 0)
        return rc;
    st = er_tx_bind(tx, ER_SQL_WORKERS_READ, ER_ARGS(er_int(since_ms)));
    return er_tx_answer(tx, st, row_fill, sizeof *ret->workers, &ret->workers,
                        &ret->workers_n);
}

int er_sqlite_workers(struct errand_conn *conn, int64_t now_ms,
                      struct errand_arena *arena, struct errand_workers_result *ret,
                      struct errand_error *err)
{
    struct errand_workers_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, workers(&tx, &result))) == 0)
        *ret = result;
    return rc;
}

/* ------------------------------------------------------------ command */

static int command(struct er_tx *tx, const char *worker, enum errand_command what,
                   size_t *ret_n)
{
    int rc = er_tx_run(tx, ER_SQL_COMMAND_INSERT,
                       ER_ARGS(er_int(what), er_int(tx->now_ms), er_text(worker)));

    if (rc < 0)
        return rc;
    *ret_n = (size_t)er_tx_changes(tx);
    if (!*ret_n)
        return 0;
    tx->root.control++;
    tx->is_root_dirty = true;
    tx->wake |= ERRAND_WAIT_CONTROL;
    return er_tx_run(tx, ER_SQL_COMMANDS_TRIM, ER_ARGS(er_int(COMMANDS_MAX)));
}

int er_sqlite_command(struct errand_conn *conn, const char *worker,
                      enum errand_command what, int64_t now_ms, size_t *ret_n,
                      struct errand_error *err)
{
    struct er_tx tx;
    size_t n = 0;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "command", now_ms, NULL, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, command(&tx, worker, what, &n))) == 0)
        *ret_n = n;
    return rc;
}
