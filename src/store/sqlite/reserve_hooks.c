/* reserve_hooks.c: handing out hooks that are due. */
#include "store/sqlite/reserve.h"

struct hook_end {
    int64_t ended_at, id;
};

static int take_hooks(struct picking *k, const struct line *line, size_t max)
{
    struct hook_end last = {0};
    sqlite3_stmt *st;
    int rc;

    if (!(st = er_tx_bind(k->tx, ER_SQL_HOOKS_READ,
                          ER_ARGS(er_int(line->id), er_int((int64_t)max)))))
        return k->tx->err->code;
    while ((rc = er_tx_next(k->tx, st)) > 0) {
        if ((rc = er_row_fill(k, st, line->id, true)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
        last = (struct hook_end){.ended_at = sqlite3_column_int64(st, COL_ENDED),
                                 .id = sqlite3_column_int64(st, COL_ID)};
        er_row_keep(k, line->id, true);
    }
    if (rc < 0 || !last.id)
        return rc;
    return er_tx_run(k->tx, ER_SQL_HOOKS_DELETE_TO,
                     ER_ARGS(er_int(line->id), er_int(last.ended_at), er_int(last.id)));
}

/* All queues are one line for hooks, too. */
static int take_hooks_merged(struct picking *k)
{
    size_t first = k->ret->jobs_n;
    sqlite3_stmt *st;
    int rc;

    if (!(st = er_tx_bind(k->tx, ER_SQL_HOOKS_READ_ALL,
                          ER_ARGS(er_int(k->tx->now_ms), er_int((int64_t)er_wanted(k))))))
        return k->tx->err->code;
    while ((rc = er_tx_next(k->tx, st)) > 0) {
        int64_t queue = sqlite3_column_int64(st, COL_QUEUE);
        if ((rc = er_row_fill(k, st, queue, true)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
        er_row_keep(k, queue, true);
    }
    for (size_t i = first; rc == 0 && i < k->ret->jobs_n; i++)
        rc = er_tx_run(k->tx, ER_SQL_HOOK_DELETE,
                       ER_ARGS(er_int(k->entries[i].queue), er_int(k->entries[i].id)));
    return rc;
}

int er_pick_hooks(struct picking *k)
{
    int rc = 0;

    if (!(k->tx->root.extras & ER_EXTRA_HOOKS))
        return 0;
    if (!k->p->queues_n)
        return take_hooks_merged(k);
    for (size_t i = 0; rc == 0 && i < k->lines_n && er_wanted(k); i++)
        if (!is_paused(k, &k->lines[i]))
            rc = take_hooks(k, &k->lines[i], er_wanted(k));
    return rc;
}
