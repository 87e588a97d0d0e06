/* job.h: how jobs go to the server and come back: what they ask, and what moved. */
#ifndef ER_STORE_POSTGRES_JOB_H
#define ER_STORE_POSTGRES_JOB_H

#include "store/postgres/postgres.h"

/* Flags of a job as the server keeps them (migrations/0001-tables.sql). */
enum {
    ER_PG_UNIQUE = 1,
    ER_PG_LIMITS = 2,
    ER_PG_BATCH = 4,
    ER_PG_PARENTS = 16,
    ER_PG_FAILED_HOOK = 32,
};

/* What a job asks of the store, as jsonb: {"u": [until, ttl, "hex of the key"],
 * "p": policy, "l": [[kind, n, per, "name", "hex of the key"], …]}. Nothing: NULL. */
void er_pg_add_asks(struct er_pg_args *args, const struct errand_unique *unique,
                    const struct errand_limit_use *limits, size_t limits_n);

/* The same without the policy, as the field "asks" of an object that has others. */
void er_pg_asks_write(struct er_buf *buf, const struct errand_unique *unique,
                      const struct errand_limit_use *limits, size_t limits_n);

/* The parameters of push(), and what it answers. */
void er_pg_push_args(struct er_pg_args *args, const struct er_pg *conn,
                     const struct errand_push_params *p);
int er_pg_push_answer(const struct er_pg *conn, const struct er_pg_rows *rows,
                      size_t jobs_n, struct errand_arena *arena,
                      struct errand_push_result *ret, struct errand_error *err);

/* Moves are the last `n` rows; the columns are told by `at`. */
struct er_pg_move_columns {
    int key, created_at, uid, name, queue, from, to, attempt;
};
int er_pg_moves(const struct er_pg *conn, const struct er_pg_rows *rows, int first,
                const struct er_pg_move_columns *at, struct errand_arena *arena,
                struct errand_move **ret, size_t *ret_n);

#endif
