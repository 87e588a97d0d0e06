/* moves.c: what followed from a call: told to those who follow, and listed in the answer
 * when the caller wants it. */
#include "store/memory/memory.h"

#include <string.h>

/* What was running and was not settled has been reaped. */
static void tell(struct mem_call *call, const struct mem_job *job, enum errand_state from)
{
    bool is_reaped = from == ERRAND_RUNNING && job->state != ERRAND_CANCELLED;

    er_mem_tell_job(call, job, er_told_move(from, job->state),
                    is_reaped ? job->error : (struct errand_slice){0});
}

/* With no memory left for the list the call still does what it was asked. */
void er_mem_move_add(struct mem_call *call, const struct mem_job *job,
                     enum errand_state from)
{
    struct mem_moves *moves = &call->moves;
    struct errand_move move = {
        .id = job->id, .from = from, .to = job->state, .attempt = job->attempts};

    tell(call, job, from);
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
