/* lease.c: leases that go on, and leases that are over; the rules are in sql/lease.sql.
 */
#include "store/postgres/job.h"
#include "store/postgres/rest.h"
#include "store/postgres/upkeep.h"

#include "base/error.h"

/* ------------------------------------------------------------------ extend */

#define COLUMN(of, add)                                                                 \
    ER_PG_COLUMN(args, of, true, struct errand_progress, g, p->progress, p->progress_n, \
                 add)

static void extend_args(struct er_pg_args *args, const struct errand_extend_params *p)
{
    er_pg_int(args, p->now_ms);
    ER_PG_COLUMN(args, ER_PG_INTS, true, int64_t, token, p->tokens, p->tokens_n,
                 er_pg_add_int(args, *token));
    er_pg_int(args, p->lease_ms);
    COLUMN(ER_PG_INTS, er_pg_add_int(args, g->token));
    COLUMN(ER_PG_INTS, er_pg_add_int(args, g->key));
    COLUMN(ER_PG_TEXTS, er_pg_add_text(args, g->id.text[0] ? g->id.text : NULL));
    COLUMN(ER_PG_INTS, er_pg_add_int(args, g->percent));
    COLUMN(ER_PG_BLOBS, er_pg_add_bytes(args, g->note));
}

/* what, token, key, created_at, uid, settled, until */
enum { LEASE = 0, PROGRESS = 1, CANCELLED = 2 };

static int extend_answer(const struct er_pg *conn, const struct errand_extend_params *p,
                         const struct er_pg_rows *rows, struct errand_arena *arena,
                         struct errand_extend_result *ret, struct errand_error *err)
{
    size_t leases_n = 0, progress_n = 0, cancelled_n = (size_t)rows->n;
    int rc;

    ret->leases = errand_arena_alloc(arena, p->tokens_n * sizeof *ret->leases);
    ret->progress = errand_arena_alloc(arena, p->progress_n * sizeof *ret->progress);
    ret->cancelled = errand_arena_alloc(arena, cancelled_n * sizeof *ret->cancelled);
    if (!ret->leases || !ret->progress || !ret->cancelled)
        return er_error_nomem(err);
    for (int i = 0; i < rows->n; i++) {
        int64_t what = er_pg_get_int(rows, i, 0);
        if (what == LEASE && leases_n < p->tokens_n) {
            ret->leases[leases_n++] = (enum errand_settled)er_pg_get_int(rows, i, 5);
        } else if (what == PROGRESS && progress_n < p->progress_n) {
            ret->progress[progress_n++] = (enum errand_settled)er_pg_get_int(rows, i, 5);
        } else if (what == CANCELLED) {
            struct errand_lease_job *job = &ret->cancelled[ret->cancelled_n++];
            job->token = er_pg_get_int(rows, i, 1);
            job->key = er_pg_get_int(rows, i, 2);
            er_pg_id(conn, er_pg_get_int(rows, i, 3), job->key, er_pg_peek(rows, i, 4),
                     &job->id);
        } else {
            ret->until_ms = er_pg_get_int(rows, i, 1);
        }
    }
    if ((rc = er_pg_expect("extend", leases_n, p->tokens_n, err)) < 0)
        return rc;
    return er_pg_expect("extend", progress_n, p->progress_n, err);
}

int er_pg_op_extend(struct errand_conn *base, const struct errand_extend_params *p,
                    struct errand_arena *arena, struct errand_extend_result *ret,
                    struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    struct er_pg_rows rows = {0};
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    extend_args(&args, p);
    rc = er_pg_ask(base, "extend", ER_PG_HARMLESS, &args, &rows, err);
    if (rc == 0)
        rc = extend_answer(conn, p, &rows, arena, ret, err);
    er_pg_rows_done(&rows);
    return rc;
}

/* ------------------------------------------------------------------ reap */

/* what, key, created_at, uid, name, queue, from_state, to_state, attempt, more */
static const struct er_pg_move_columns move_at = {1, 2, 3, 4, 5, 6, 7, 8};

static int reap_answer(const struct er_pg *conn, const struct errand_reap_params *p,
                       const struct er_pg_rows *rows, struct errand_arena *arena,
                       struct errand_reap_result *ret)
{
    ret->hooks_n = (size_t)er_pg_get_int(rows, 0, 1);
    ret->ready_n = (size_t)er_pg_get_int(rows, 0, 6);
    ret->failed_n = (size_t)er_pg_get_int(rows, 0, 7);
    ret->cancelled_n = (size_t)er_pg_get_int(rows, 0, 8);
    ret->more = er_pg_get_bool(rows, 0, 9);
    return p->want_moves
               ? er_pg_moves(conn, rows, 1, &move_at, arena, &ret->moves, &ret->moves_n)
               : 0;
}

/* Of two in a row the second finds less to do: harmless. */
int er_pg_op_reap(struct errand_conn *base, const struct errand_reap_params *p,
                  struct errand_arena *arena, struct errand_reap_result *ret,
                  struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    struct er_pg_rows rows = {0};
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_int(&args, (int64_t)p->max);
    er_pg_bool(&args, p->all_hooks);
    rc = er_pg_ask(base, "reap", ER_PG_HARMLESS, &args, &rows, err);
    if (rc == 0 && reap_answer(conn, p, &rows, arena, ret) < 0)
        rc = er_error_nomem(err);
    er_pg_rows_done(&rows);
    if (rc == 0)
        er_pg_upkeep(conn);
    return rc;
}
