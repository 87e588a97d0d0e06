/* exchange.c: settling and reserving in one call; the rules are in sql/exchange.sql. */
#include "store/postgres/job.h"
#include "store/postgres/rest.h"

#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ parameters */

/* What any of the outcomes has. Where all are DONE and nothing beside, no kinds are sent,
 * and the server may settle them as a set. */
struct has {
    bool ids, kinds, starts, ends, rss, cpu, flags, logs, results;
};

static bool is_more_than_done(const struct errand_outcome *o)
{
    return o->kind != ERRAND_OUT_DONE || o->cause || o->exit_code || o->signal ||
           o->error.len;
}

static struct has has_of(const struct errand_exchange_params *p)
{
    struct has has = {0};

    for (size_t i = 0; i < p->outcomes_n; i++) {
        const struct errand_outcome *o = &p->outcomes[i];
        has.ids |= !o->key;
        has.kinds |= is_more_than_done(o);
        has.starts |= o->started_ms != 0;
        has.ends |= o->ended_ms != 0;
        has.rss |= o->max_rss_kib != 0;
        has.cpu |= o->cpu_ms != 0;
        has.flags |= o->hook_due || o->name;
        has.logs |= o->log.len > 0;
        has.results |= o->result.len > 0;
    }
    return has;
}

#define COLUMN(of, is_wanted, add)                                           \
    ER_PG_COLUMN(args, of, is_wanted, struct errand_outcome, o, p->outcomes, \
                 p->outcomes_n, add)

static void outcomes_args(struct er_pg_args *args, const struct errand_exchange_params *p)
{
    struct has has = has_of(p);
    bool any = p->outcomes_n > 0;

    COLUMN(ER_PG_INTS, any, er_pg_add_int(args, o->token));
    COLUMN(ER_PG_INTS, any, er_pg_add_int(args, o->key));
    COLUMN(ER_PG_TEXTS, has.ids, er_pg_add_text(args, o->id.text));
    COLUMN(ER_PG_INTS, has.kinds, er_pg_add_int(args, o->kind));
    COLUMN(ER_PG_INTS, has.kinds, er_pg_add_int(args, o->run_at_ms));
    COLUMN(ER_PG_INTS, has.starts, er_pg_add_int(args, o->started_ms));
    COLUMN(ER_PG_INTS, has.ends, er_pg_add_int(args, o->ended_ms));
    COLUMN(ER_PG_INTS, has.kinds, er_pg_add_int(args, o->cause));
    COLUMN(ER_PG_INTS, has.kinds, er_pg_add_int(args, o->exit_code));
    COLUMN(ER_PG_INTS, has.kinds, er_pg_add_int(args, o->signal));
    COLUMN(ER_PG_INTS, has.rss, er_pg_add_int(args, o->max_rss_kib));
    COLUMN(ER_PG_INTS, has.cpu, er_pg_add_int(args, o->cpu_ms));
    COLUMN(ER_PG_INTS, has.flags,
           er_pg_add_int(args, (o->hook_due ? 1 : 0) | (o->name ? 2 : 0)));
    COLUMN(ER_PG_BLOBS, has.kinds, er_pg_add_bytes(args, o->error));
    COLUMN(ER_PG_BLOBS, has.logs, er_pg_add_bytes(args, o->log));
    COLUMN(ER_PG_BLOBS, has.results, er_pg_add_bytes(args, o->result));
    COLUMN(ER_PG_JSONS, has.kinds,
           er_pg_add_asks(args, o->kind == ERRAND_OUT_LIMIT ? o->unique : NULL, o->limits,
                          o->kind == ERRAND_OUT_LIMIT ? o->limits_n : 0));
}

static void exchange_args(struct er_pg_args *args, const struct er_pg *conn,
                          const struct errand_exchange_params *p)
{
    er_pg_int(args, p->now_ms);
    outcomes_args(args, p);
    er_pg_bool(args, conn->keep_ms != 0 && conn->keep_n != 0);
    ER_PG_COLUMN(args, ER_PG_TEXTS, p->queues_n > 0, char *const, queue, p->queues,
                 p->queues_n, er_pg_add_text(args, *queue));
    er_pg_int(args, (int64_t)p->max);
    er_pg_int(args, p->lease_ms);
    er_pg_text(args, p->worker ? p->worker : "");
}

/* ------------------------------------------------------------------ the answer */

/* The columns of @.answer (migrations/0001-tables.sql). */
enum {
    WHAT,
    TOKEN,
    KEY,
    CREATED_AT,
    UID,
    NAME,
    QUEUE,
    DATA,
    OPTIONS,
    ERROR,
    FAILED_AT,
    ATTEMPT,
    TRIES,
    PRIORITY,
    RUN_AT,
    BATCH,
    FLAGS,
};
enum { HEAD = 0, JOB = 1, HOOK = 2, MOVE = 3 };

static int settled_out(const struct er_pg_rows *rows, size_t n,
                       struct errand_arena *arena, struct errand_exchange_result *ret,
                       struct errand_error *err)
{
    struct errand_slice bytes = er_pg_peek(rows, 0, DATA);
    int rc = er_pg_expect("exchange", bytes.len, n, err);

    if (rc < 0)
        return rc;
    if (!(ret->settled = errand_arena_alloc(arena, n * sizeof *ret->settled)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        ret->settled[i] = (enum errand_settled)bytes.ptr[i];
    return 0;
}

static int job_out(const struct er_pg *conn, const struct er_pg_rows *rows, int row,
                   struct errand_arena *arena, struct errand_reserved *ret)
{
    int64_t flags = er_pg_get_int(rows, row, FLAGS);
    struct errand_slice batch = er_pg_peek(rows, row, BATCH);

    *ret = (struct errand_reserved){
        .kind = er_pg_get_int(rows, row, WHAT) == HOOK ? ERRAND_WORK_FAILED_HOOK
                                                       : ERRAND_WORK_JOB,
        .token = er_pg_get_int(rows, row, TOKEN),
        .key = er_pg_get_int(rows, row, KEY),
        .name = er_pg_get_text(rows, row, NAME, arena),
        .queue = er_pg_get_text(rows, row, QUEUE, arena),
        .data = er_pg_get_bytes(rows, row, DATA, arena),
        .options = er_pg_get_bytes(rows, row, OPTIONS, arena),
        .error = er_pg_get_bytes(rows, row, ERROR, arena),
        .failed_ms = er_pg_get_int(rows, row, FAILED_AT),
        .attempt = (int32_t)er_pg_get_int(rows, row, ATTEMPT),
        .tries = (int32_t)er_pg_get_int(rows, row, TRIES),
        .priority = (int32_t)er_pg_get_int(rows, row, PRIORITY),
        .run_at_ms = er_pg_get_int(rows, row, RUN_AT),
        .created_ms = er_pg_get_int(rows, row, CREATED_AT),
        .has_parents = flags & ER_PG_PARENTS,
        .is_unique = flags & ER_PG_UNIQUE,
        .has_limits = flags & ER_PG_LIMITS,
    };
    er_pg_id(conn, ret->created_ms, ret->key, er_pg_peek(rows, row, UID), &ret->id);
    if (batch.len)
        er_pg_id(conn, 0, 0, batch, &ret->batch);
    return ret->name && ret->queue && ret->data.ptr && ret->options.ptr && ret->error.ptr
               ? 0
               : -1;
}

static int moves_out(const struct er_pg *conn, const struct er_pg_rows *rows, int first,
                     struct errand_arena *arena, struct errand_exchange_result *ret)
{
    static const struct er_pg_move_columns at = {KEY,   CREATED_AT, UID,   NAME,
                                                 QUEUE, PRIORITY,   TRIES, ATTEMPT};

    return er_pg_moves(conn, rows, first, &at, arena, &ret->moves, &ret->moves_n);
}

static int answer(struct er_pg *conn, const struct errand_exchange_params *p,
                  const struct er_pg_rows *rows, struct errand_arena *arena,
                  struct errand_exchange_result *ret, struct errand_error *err)
{
    size_t size = (size_t)rows->n;
    int row = 1, rc;

    if ((rc = settled_out(rows, p->outcomes_n, arena, ret, err)) < 0)
        return rc;
    if (!(ret->jobs = errand_arena_alloc(arena, size * sizeof *ret->jobs)))
        return er_error_nomem(err);
    ret->token = er_pg_get_int(rows, 0, TOKEN);
    ret->control = er_pg_get_int(rows, 0, KEY);
    conn->salt = er_pg_get_int(rows, 0, CREATED_AT);
    ret->next_at_ms = er_pg_get_int(rows, 0, FAILED_AT);
    ret->hints =
        (uint32_t)er_pg_get_int(rows, 0, FLAGS) ? (uint32_t)ERRAND_HINT_EVENTS : 0;
    if (ret->token)
        ret->lease_until_ms = er_pg_get_int(rows, 0, RUN_AT);
    for (; row < rows->n && er_pg_get_int(rows, row, WHAT) != MOVE; row++)
        if (job_out(conn, rows, row, arena, &ret->jobs[ret->jobs_n++]) < 0)
            return er_error_nomem(err);
    if (p->want_moves && moves_out(conn, rows, row, arena, ret) < 0)
        return er_error_nomem(err);
    return 0;
}

int er_pg_op_exchange(struct errand_conn *base, const struct errand_exchange_params *p,
                      struct errand_arena *arena, struct errand_exchange_result *ret,
                      struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    struct er_pg_rows rows = {0};
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    exchange_args(&args, conn, p);
    rc = er_pg_ask(base, "exchange", ER_PG_ONCE, &args, &rows, err);
    if (rc == 0)
        rc = answer(conn, p, &rows, arena, ret, err);
    er_pg_rows_done(&rows);
    return rc;
}
