/* schedules.c: what is to be dispatched when, and which slots have fired. The slot is
 * noted in the transaction that stores the job: one job a slot, however many schedulers.
 */
#include "base/error.h"
#include "store/postgres/job.h"
#include "store/postgres/rest.h"

static int no_such(const char *name, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no schedule '%s'", name);
}

int er_pg_op_schedule_put(struct errand_conn *conn,
                          const struct errand_schedule *schedule,
                          struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, schedule->name);
    er_pg_bytes(&args, schedule->spec);
    er_pg_bool(&args, schedule->paused);
    er_pg_int(&args, schedule->next_ms);
    return er_pg_tell(conn, "schedule_put", ER_PG_HARMLESS, &args, err);
}

/* A function that answers whether there was such a schedule. */
static int change(struct errand_conn *conn, const char *function,
                  enum er_pg_repeat repeat, struct er_pg_args *args, const char *name,
                  struct errand_error *err)
{
    struct er_pg_rows rows;
    bool was_there;
    int rc = er_pg_ask(conn, function, repeat, args, &rows, err);

    if (rc < 0)
        return rc;
    was_there = er_pg_get_bool(&rows, 0, 0);
    er_pg_rows_done(&rows);
    return was_there ? 0 : no_such(name, err);
}

int er_pg_op_schedule_delete(struct errand_conn *conn, const char *name,
                             struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, name);
    return change(conn, "schedule_delete", ER_PG_ONCE, &args, name, err);
}

int er_pg_op_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                            struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, name);
    er_pg_bool(&args, paused);
    return change(conn, "schedule_pause", ER_PG_HARMLESS, &args, name, err);
}

static int schedule_fill(const struct er_pg_rows *rows, int row,
                         struct errand_arena *arena, struct errand_schedule *ret)
{
    *ret = (struct errand_schedule){
        .name = er_pg_get_text(rows, row, 1, arena),
        .spec = er_pg_get_bytes(rows, row, 2, arena),
        .paused = er_pg_get_bool(rows, row, 3),
        .next_ms = er_pg_get_int(rows, row, 4),
        .last_slot_ms = er_pg_get_int(rows, row, 5),
        .missed_n = er_pg_get_int(rows, row, 7),
    };
    er_pg_get_id(rows, row, 6, &ret->last_job);
    return ret->name && ret->spec.ptr ? 0 : -1;
}

int er_pg_op_schedules(struct errand_conn *conn, struct errand_arena *arena,
                       struct errand_schedules_result *ret, struct errand_error *err)
{
    struct er_pg *pg = (struct er_pg *)conn;
    struct er_pg_args args;
    struct er_pg_rows rows;
    int rc;

    er_pg_args_init(&args);
    if ((rc = er_pg_ask(conn, "schedules_look", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    pg->salt = er_pg_get_int(&rows, 0, 0);
    ret->identity = er_pg_identity(pg);
    ret->schedules = errand_arena_alloc(arena, (size_t)rows.n * sizeof *ret->schedules);
    if (!ret->schedules)
        rc = er_error_nomem(err);
    for (int i = 0; rc == 0 && i < rows.n && !er_pg_is_null(&rows, i, 1); i++)
        if (schedule_fill(&rows, i, arena, &ret->schedules[ret->schedules_n++]) < 0)
            rc = er_error_nomem(err);
    er_pg_rows_done(&rows);
    return rc;
}

/* ------------------------------------------------------------------ fire */

enum { COL_FIRED = 6 };

static int fire_read(const struct er_pg *conn, const struct er_pg_rows *rows,
                     struct errand_arena *arena, struct errand_fire_result *ret,
                     struct errand_error *err)
{
    struct errand_push_result pushed = {0};
    int rc;

    ret->fired = (enum errand_fired)er_pg_get_int(rows, 0, COL_FIRED);
    if ((rc = er_pg_push_answer(conn, rows, 1, arena, &pushed, err)) < 0)
        return rc;
    ret->hints = pushed.hints;
    if (ret->fired == ERRAND_FIRED)
        ret->pushed = pushed.jobs[0];
    return 0;
}

static int fire(struct errand_conn *conn, const struct errand_fire_params *p,
                struct er_pg_rows *ret, struct errand_error *err)
{
    struct errand_push_params push = {
        .now_ms = p->now_ms, .jobs = p->job, .jobs_n = p->job != NULL};
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, p->name);
    er_pg_int(&args, p->slot_ms);
    er_pg_int(&args, p->next_ms);
    er_pg_int(&args, p->overlap);
    er_pg_int(&args, p->slots_n);
    er_pg_bool(&args, p->job != NULL);
    er_pg_push_args(&args, (const struct er_pg *)conn, &push);
    return er_pg_ask(conn, "fire", ER_PG_ONCE, &args, ret, err);
}

int er_pg_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err)
{
    struct er_pg *pg = (struct er_pg *)conn;
    struct errand_fire_result got = {0};
    struct er_pg_rows rows;
    int rc = fire(conn, p, &rows, err);

    if (rc < 0 && er_pg_salt_renew(pg))
        rc = fire(conn, p, &rows, err);
    if (rc < 0)
        return rc;
    if (!rows.n)
        rc = no_such(p->name, err);
    else if ((rc = fire_read(pg, &rows, arena, &got, err)) == 0)
        *ret = got;
    er_pg_rows_done(&rows);
    return rc;
}
