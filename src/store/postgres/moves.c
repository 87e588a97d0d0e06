/* moves.c: what followed from a call, as the server listed it. */
#include "store/postgres/job.h"

int er_pg_moves(const struct er_pg *conn, const struct er_pg_rows *rows, int first,
                const struct er_pg_move_columns *at, struct errand_arena *arena,
                struct errand_move **ret, size_t *ret_n)
{
    size_t n = rows->n > first ? (size_t)(rows->n - first) : 0;
    struct errand_move *moves = errand_arena_alloc(arena, n * sizeof *moves);

    if (!moves)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int row = first + (int)i;
        moves[i] = (struct errand_move){
            .name = er_pg_get_text(rows, row, at->name, arena),
            .queue = er_pg_get_text(rows, row, at->queue, arena),
            .from = (enum errand_state)er_pg_get_int(rows, row, at->from),
            .to = (enum errand_state)er_pg_get_int(rows, row, at->to),
            .attempt = (int32_t)er_pg_get_int(rows, row, at->attempt),
        };
        er_pg_id(conn, er_pg_get_int(rows, row, at->created_at),
                 er_pg_get_int(rows, row, at->key), er_pg_peek(rows, row, at->uid),
                 &moves[i].id);
        if (!moves[i].name || !moves[i].queue)
            return -1;
    }
    *ret = moves;
    *ret_n = n;
    return 0;
}
