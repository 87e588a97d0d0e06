/* reserve.h: one reserve on its way, for reserve.c and reserve_hooks.c. */
#ifndef ER_STORE_SQLITE_RESERVE_H
#define ER_STORE_SQLITE_RESERVE_H

#include "store/sqlite/sqlite.h"

/* A queue asked for, as it is now. */
struct line {
    int64_t id, paused_until, ready, scheduled;
    struct {
        int64_t priority, run_at, id;
    } head; /* when several queues are one line */
};

struct picking {
    struct er_tx *tx;
    const struct errand_exchange_params *p;
    struct errand_exchange_result *ret;
    struct line *lines;
    size_t lines_n, lines_max;
    int64_t token; /* of the lease to be; 0 before the first row */
    struct er_lease_job *entries;
    size_t jobs_max, entries_max;
    size_t parked_n;
    int64_t next_at_ms;
};

/* Both statements that hand out work begin with these columns. */
enum {
    COL_ID,
    COL_PRIORITY,
    COL_RUN_AT,
    COL_ATTEMPT,
    COL_TRIES,
    COL_FLAGS,
    COL_NAME,
    COL_CREATED,
    COL_BATCH,
    COL_PAYLOAD,
    COL_OPTIONS,
    COL_ERROR,            /* hooks only, with ended_at */
    COL_ASKS = COL_ERROR, /* jobs only */
    COL_ENDED,
    COL_QUEUE, /* hooks of all queues only */
};

static inline bool is_paused(const struct picking *k, const struct line *line)
{
    return line->paused_until > k->tx->now_ms;
}

/* How many more are wanted. */
size_t er_wanted(const struct picking *k);
/* The row under the statement as work, not counted yet; then it is. */
int er_row_fill(struct picking *k, sqlite3_stmt *st, int64_t queue, bool is_hook);
void er_row_keep(struct picking *k, int64_t queue, bool is_hook);
int er_pick_hooks(struct picking *k);

#endif
