/* engine_stats.c: what health and queue:stats read: rows a minute, queue and name. A
 * store that does not answer loses numbers, never jobs. */
#include "worker/engine_inside.h"

#include <string.h>

#include "base/arena.h"
#include "core/stat.h"

enum { FLUSH_MS = 5000 };

static struct errand_stat *row_of(errand_engine *g, int64_t minute_ms, const char *queue,
                                  const char *name)
{
    struct er_engine_stats *st = &g->stats;
    struct errand_stat *row;

    for (size_t i = 0; i < st->n; i++) {
        row = &st->rows[i];
        if (er_stat_is(row, minute_ms, queue, name))
            return row;
    }
    if (st->n == ER_ENGINE_ROWS)
        er_engine_count_flush(g);
    if (st->n == 0)
        st->flush_at_ms = er_engine_now() + FLUSH_MS;
    row = &st->rows[st->n];
    *row =
        (struct errand_stat){.minute_ms = minute_ms,
                             .queue = errand_arena_copy(st->names, queue, strlen(queue)),
                             .name = errand_arena_copy(st->names, name, strlen(name))};
    if (!row->queue || !row->name)
        return NULL;
    st->n++;
    return row;
}

void er_engine_count(errand_engine *g, const struct er_held *h,
                     const struct errand_outcome *o)
{
    const struct errand_reserved *job = h->reserved; /* also of one that was refused */
    struct errand_stat *row;

    if (o->kind > ERRAND_OUT_FAIL) /* nor what only a hook did */
        return;
    row = row_of(g, o->ended_ms - o->ended_ms % 60000, job->queue, job->name);
    if (row)
        er_stat_count(row, o, job->run_at_ms);
}

void er_engine_count_flush(errand_engine *g)
{
    struct er_engine_stats *st = &g->stats;
    const struct errand_stats_params params = {.add = st->rows, .add_n = st->n};

    if (st->n == 0)
        return;
    (void)er_store_stats_add(g->store, &params, NULL);
    st->n = 0;
    er_arena_reset(st->names);
}
