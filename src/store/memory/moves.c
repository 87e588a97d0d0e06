/* moves.c: the list of moves that a call answers with, for those who tell listeners. */
#include "store/memory/memory.h"

#include <string.h>

/* With no memory left for the list the call still does what it was asked: a listener that
 * misses a move costs less than a store that is half changed. */
void er_mem_move_add(struct mem_call *call, const struct mem_job *job,
                     enum errand_state from)
{
    struct mem_moves *moves = &call->moves;
    struct errand_move move = {
        .id = job->id, .from = from, .to = job->state, .attempt = job->attempts};

    if (!moves->wanted)
        return;
    if (moves->n == moves->size) {
        size_t size = moves->size ? moves->size * 2 : 16;
        struct errand_move *rows = errand_arena_alloc(call->arena, size * sizeof *rows);
        if (!rows)
            return;
        if (moves->n)
            memcpy(rows, moves->rows, moves->n * sizeof *rows);
        moves->rows = rows;
        moves->size = size;
    }
    move.name = er_mem_out(call, job->name);
    move.queue = er_mem_out(call, job->queue->name);
    if (move.name && move.queue)
        moves->rows[moves->n++] = move;
}
