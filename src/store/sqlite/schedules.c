/* schedules.c: what is to be dispatched when, and which slots have fired. The slot is
 * noted in the transaction that stores the job: one job a slot, however many schedulers.
 */
#include "store/sqlite/push.h"
#include "store/sqlite/sqlite.h"

#include <stdio.h>

#include "base/error.h"

static int no_such(struct er_tx *tx, const char *name)
{
    return errand_error_set(tx->err, ERRAND_ENOTFOUND, "there is no schedule '%s'", name);
}

int er_sqlite_schedule_put(struct errand_conn *conn,
                           const struct errand_schedule *schedule,
                           struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "schedule_put", 0, NULL, err)) < 0)
        return rc;
    tx.wake |= ERRAND_WAIT_SCHEDULES;
    return er_tx_end(
        &tx, er_tx_run(&tx, ER_SQL_SCHEDULE_PUT,
                       ER_ARGS(er_text(schedule->name), er_blob(schedule->spec),
                               er_int(schedule->paused), er_int(schedule->next_ms))));
}

static int change(struct errand_conn *conn, const char *operation, enum er_sql sql,
                  const char *name, int64_t value, struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, operation, 0, NULL, err)) < 0)
        return rc;
    rc = sql == ER_SQL_SCHEDULE_DELETE
             ? er_tx_run(&tx, sql, ER_ARGS(er_text(name)))
             : er_tx_run(&tx, sql, ER_ARGS(er_text(name), er_int(value)));
    if (rc == 0 && !er_tx_changes(&tx))
        rc = no_such(&tx, name);
    tx.wake |= ERRAND_WAIT_SCHEDULES;
    return er_tx_end(&tx, rc);
}

int er_sqlite_schedule_delete(struct errand_conn *conn, const char *name,
                              struct errand_error *err)
{
    return change(conn, "schedule_delete", ER_SQL_SCHEDULE_DELETE, name, 0, err);
}

int er_sqlite_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                             struct errand_error *err)
{
    return change(conn, "schedule_pause", ER_SQL_SCHEDULE_PAUSE, name, paused, err);
}

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_schedule *ret = ret_row;

    *ret = (struct errand_schedule){
        .name = er_col_text(st, 0, tx->arena),
        .spec = er_col_slice(st, 1, tx->arena),
        .paused = sqlite3_column_int(st, 2),
        .next_ms = sqlite3_column_int64(st, 3),
        .last_slot_ms = sqlite3_column_int64(st, 4),
        .missed_n = sqlite3_column_int64(st, 6),
    };
    snprintf(ret->last_job.text, sizeof ret->last_job.text, "%s",
             sqlite3_column_text(st, 5));
    return ret->name && ret->spec.ptr ? 0 : er_tx_nomem(tx);
}

static int schedules(struct er_tx *tx, struct errand_schedules_result *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_SCHEDULES_READ, ER_NO_ARGS);

    return er_tx_answer(tx, st, row_fill, sizeof *ret->schedules, &ret->schedules,
                        &ret->schedules_n);
}

int er_sqlite_schedules(struct errand_conn *conn, struct errand_arena *arena,
                        struct errand_schedules_result *ret, struct errand_error *err)
{
    struct errand_schedules_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, 0, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, schedules(&tx, &result))) == 0) {
        *ret = result;
        ret->identity = er_sqlite_identity(tx.conn);
    }
    return rc;
}

/* ------------------------------------------------------------ fire */

struct state {
    int64_t last_slot_ms;
    bool is_paused;
    struct errand_id last_job;
};

static int state_read(struct er_tx *tx, const char *name, struct state *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_SCHEDULE_READ, ER_ARGS(er_text(name)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc : no_such(tx, name);
    *ret = (struct state){.is_paused = sqlite3_column_int(st, 0),
                          .last_slot_ms = sqlite3_column_int64(st, 1)};
    snprintf(ret->last_job.text, sizeof ret->last_job.text, "%s",
             sqlite3_column_text(st, 2));
    sqlite3_reset(st);
    return 0;
}

/* 1 when the job of an earlier slot is in the way. */
static int is_overlapping(struct er_tx *tx, const struct state *schedule,
                          enum errand_overlap overlap)
{
    enum errand_state state;
    int64_t id;
    int rc;

    if (!schedule->last_job.text[0] || overlap == ERRAND_OVERLAP_ALLOW)
        return 0;
    if ((rc = er_id_find(tx, &schedule->last_job, &id)) <= 0)
        return rc;
    if ((rc = er_pushed_state(tx, id, &state)) < 0)
        return rc;
    if (er_state_is_final(state))
        return 0;
    return overlap == ERRAND_OVERLAP_SKIP || state != ERRAND_RUNNING;
}

static int verdict(struct er_tx *tx, const struct state *schedule,
                   const struct errand_fire_params *p, enum errand_fired *ret)
{
    int rc = 0;

    *ret = ERRAND_FIRED;
    if (p->slot_ms <= schedule->last_slot_ms)
        *ret = ERRAND_FIRED_ALREADY;
    else if (!p->job)
        *ret = ERRAND_FIRED_RECORDED;
    else if (schedule->is_paused || (rc = is_overlapping(tx, schedule, p->overlap)) > 0)
        *ret = ERRAND_FIRED_SKIPPED;
    return rc < 0 ? rc : 0;
}

/* How many slots go without a job. */
static int64_t missed_n(const struct errand_fire_params *p, enum errand_fired fired)
{
    if (fired == ERRAND_FIRED)
        return 0;
    return p->job || !p->slots_n ? 1 : p->slots_n;
}

static int fire(struct er_tx *tx, const struct errand_fire_params *p,
                struct errand_fire_result *ret)
{
    struct errand_push_params push = {.now_ms = p->now_ms, .jobs = p->job, .jobs_n = 1};
    struct errand_push_result pushed = {0};
    struct state schedule;
    int rc;

    if ((rc = state_read(tx, p->name, &schedule)) < 0 ||
        (rc = verdict(tx, &schedule, p, &ret->fired)) < 0)
        return rc;
    ret->hints = er_tx_hints(tx);
    if (ret->fired == ERRAND_FIRED_ALREADY)
        return 0;
    if (ret->fired == ERRAND_FIRED) {
        if ((rc = er_push_all(tx, &push, &pushed)) < 0)
            return rc;
        ret->pushed = pushed.jobs[0];
    }
    return er_tx_run(tx, ER_SQL_SCHEDULE_FIRED,
                     ER_ARGS(er_text(p->name), er_int(p->slot_ms), er_int(p->next_ms),
                             er_text(ret->fired == ERRAND_FIRED ? ret->pushed.id.text
                                                                : schedule.last_job.text),
                             er_int(missed_n(p, ret->fired))));
}

int er_sqlite_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                   struct errand_arena *arena, struct errand_fire_result *ret,
                   struct errand_error *err)
{
    struct errand_fire_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "fire", p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, fire(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}
