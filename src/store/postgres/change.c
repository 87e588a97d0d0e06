/* change.c: what an operator does to jobs; the rules are in sql/change.sql. */
#include "store/postgres/job.h"
#include "store/postgres/rest.h"

#include "base/error.h"

enum { HAS_DATA = 1, HAS_OPTIONS = 2, HAS_TRIES = 4, HAS_PRIORITY = 8, HAS_RUN_AT = 16 };

static void edit_args(struct er_pg_args *args, const struct errand_edit *edit)
{
    const struct errand_slice none = {0};
    const struct errand_edit e = edit ? *edit : (struct errand_edit){0};

    er_pg_int(args, (e.data ? HAS_DATA : 0) | (e.options ? HAS_OPTIONS : 0) |
                        (e.tries ? HAS_TRIES : 0) | (e.priority ? HAS_PRIORITY : 0) |
                        (e.run_at_ms ? HAS_RUN_AT : 0));
    er_pg_bytes(args, e.data ? *e.data : none);
    er_pg_bytes(args, e.options ? *e.options : none);
    er_pg_int(args, e.priority ? *e.priority : 0);
    er_pg_int(args, e.tries ? *e.tries : 0);
    er_pg_int(args, e.run_at_ms ? *e.run_at_ms : 0);
}

static void change_args(struct er_pg_args *args, const struct errand_change_params *p)
{
    const struct errand_filter any = {0};

    er_pg_int(args, p->now_ms);
    er_pg_int(args, p->kind);
    ER_PG_COLUMN(args, ER_PG_TEXTS, p->ids_n > 0, struct errand_id, id, p->ids, p->ids_n,
                 er_pg_add_text(args, id->text));
    er_pg_int(args, (int64_t)p->max);
    edit_args(args, p->kind == ERRAND_CHANGE_EDIT ? p->edit : NULL);
    er_pg_filter(args, p->filter ? p->filter : &any);
}

/* what, key, created_at, uid, name, queue, from_state, to_state, attempt, more */
enum { HEAD = 0, ANSWER = 1, MOVE = 2 };
static const struct er_pg_move_columns move_at = {1, 2, 3, 4, 5, 6, 7, 8};

static int answer(const struct er_pg *conn, const struct errand_change_params *p,
                  const struct er_pg_rows *rows, struct errand_arena *arena,
                  struct errand_change_result *ret, struct errand_error *err)
{
    size_t answers_n = 0;
    int row = 1, rc;

    ret->matched_n = (size_t)er_pg_get_int(rows, 0, 1);
    ret->changed_n = (size_t)er_pg_get_int(rows, 0, 2);
    ret->more = er_pg_get_bool(rows, 0, 9);
    for (; row < rows->n && er_pg_get_int(rows, row, 0) == ANSWER; row++)
        answers_n++;
    if ((rc = er_pg_expect("change", answers_n, p->ids_n, err)) < 0)
        return rc;
    if (p->ids_n &&
        !(ret->changed = errand_arena_alloc(arena, p->ids_n * sizeof *ret->changed)))
        return er_error_nomem(err);
    for (size_t i = 0; i < p->ids_n; i++)
        ret->changed[i] = (enum errand_changed)er_pg_get_int(rows, (int)i + 1, 7);
    if (p->want_moves &&
        er_pg_moves(conn, rows, row, &move_at, arena, &ret->moves, &ret->moves_n) < 0)
        return er_error_nomem(err);
    return 0;
}

int er_pg_op_change(struct errand_conn *base, const struct errand_change_params *p,
                    struct errand_arena *arena, struct errand_change_result *ret,
                    struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    struct er_pg_rows rows = {0};
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    change_args(&args, p);
    rc = er_pg_ask(base, "change", ER_PG_ONCE, &args, &rows, err);
    if (rc == 0)
        rc = answer(conn, p, &rows, arena, ret, err);
    er_pg_rows_done(&rows);
    return rc;
}
