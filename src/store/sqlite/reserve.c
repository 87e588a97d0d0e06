/* reserve.c: handing out work: hooks that are due, then READY jobs in the order of the
 * contract.
 *
 * A queue gives its first rows in one range: read them with their jobs, delete up to the
 * last. The job row is not written: RUNNING is being named by a lease. A job at a limit
 * leaves the range for the line of that limit (limits.c), and the queue is asked again.
 */
#include "store/sqlite/reserve.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { PARK_MAX = 5000 };

static void sooner(struct picking *k, int64_t at_ms)
{
    if (at_ms && at_ms != ERRAND_FOREVER && (!k->next_at_ms || at_ms < k->next_at_ms))
        k->next_at_ms = at_ms;
}

/* ------------------------------------------------------------ the queues asked for */

/* SCHEDULED jobs whose time has come. One chunk a call: a million jobs scheduled for one
 * moment must not stall everybody; who gets a full chunk is told to come again at once.
 */
static int promote(struct picking *k, struct line *line)
{
    struct er_count *count;
    size_t n = 0;
    int rc;

    if (line->scheduled <= 0)
        return 0;
    if ((rc = er_due(k->tx, line->id, &n)) < 0)
        return rc;
    if (!(count = er_tx_count(k->tx, line->id)))
        return ERRAND_ENOMEM;
    count->delta[ERRAND_SCHEDULED] -= (int64_t)n;
    count->delta[ERRAND_READY] += (int64_t)n;
    line->scheduled -= (int64_t)n;
    line->ready += (int64_t)n;
    return 0;
}

static int line_read(struct picking *k, sqlite3_stmt *st)
{
    struct er_count *count = er_tx_count(k->tx, sqlite3_column_int64(st, 0));

    if (!count ||
        er_tx_grow(k->tx, &k->lines, k->lines_n, &k->lines_max, sizeof *k->lines) < 0)
        return ERRAND_ENOMEM;
    /* What this call has changed before is not in the row yet. */
    k->lines[k->lines_n++] = (struct line){
        .id = sqlite3_column_int64(st, 0),
        .paused_until = sqlite3_column_int64(st, 1),
        .ready = sqlite3_column_int64(st, 2) + count->delta[ERRAND_READY] -
                 sqlite3_column_int64(st, 3) - count->parked,
        .scheduled = sqlite3_column_int64(st, 4) + count->delta[ERRAND_SCHEDULED],
    };
    return 0;
}

static int lines_read(struct picking *k, enum er_sql sql, const struct er_arg *args,
                      size_t args_n)
{
    sqlite3_stmt *st = er_tx_bind(k->tx, sql, args, args_n);
    int rc;

    if (!st)
        return k->tx->err->code;
    while ((rc = er_tx_next(k->tx, st)) > 0)
        if ((rc = line_read(k, st)) < 0) {
            sqlite3_reset(st);
            break;
        }
    return rc;
}

/* Parked jobs go back into the line before the lines are looked at. */
static int lines_make(struct picking *k)
{
    int64_t id;
    int rc;

    if ((rc = er_limits_due(k->tx)) < 0)
        return rc;
    if (!k->p->queues_n)
        rc = lines_read(k, ER_SQL_QUEUES_LOOK, ER_NO_ARGS);
    for (size_t i = 0; rc == 0 && i < k->p->queues_n; i++)
        if ((rc = er_queue_id(k->tx, k->p->queues[i], false, &id)) == 0 && id)
            rc = lines_read(k, ER_SQL_QUEUE_LOOK, ER_ARGS(er_int(id)));
    for (size_t i = 0; rc == 0 && i < k->lines_n; i++)
        rc = promote(k, &k->lines[i]);
    return rc;
}

/* ------------------------------------------------------------ rows */

static int room_make(struct picking *k)
{
    struct errand_reserved *bigger;
    size_t n = k->ret->jobs_n, max = k->jobs_max ? k->jobs_max * 2 : 16;

    if (er_tx_grow(k->tx, &k->entries, n, &k->entries_max, sizeof *k->entries) < 0)
        return ERRAND_ENOMEM;
    if (n < k->jobs_max)
        return 0;
    if (k->jobs_max == 0 && k->p->max < 256)
        max = k->p->max;
    if (!(bigger = errand_arena_alloc(k->tx->arena, max * sizeof *bigger)))
        return er_tx_nomem(k->tx);
    if (n)
        memcpy(bigger, k->ret->jobs, n * sizeof *bigger);
    k->ret->jobs = bigger;
    k->jobs_max = max;
    return 0;
}

/* The row under the statement as work, not counted yet. */
int er_row_fill(struct picking *k, sqlite3_stmt *st, int64_t queue, bool is_hook)
{
    struct er_tx *tx = k->tx;
    struct errand_reserved *row;
    struct er_batch *batch;
    uint32_t flags = (uint32_t)sqlite3_column_int64(st, COL_FLAGS);
    int rc;

    if ((rc = room_make(k)) < 0)
        return rc;
    if (!k->token)
        k->token = er_tx_take_token(tx);
    row = &k->ret->jobs[k->ret->jobs_n];
    row->kind = is_hook ? ERRAND_WORK_FAILED_HOOK : ERRAND_WORK_JOB;
    row->token = k->token;
    row->key = sqlite3_column_int64(st, COL_ID);
    row->attempt = sqlite3_column_int(st, COL_ATTEMPT) + !is_hook;
    row->tries = sqlite3_column_int(st, COL_TRIES);
    row->priority = sqlite3_column_int(st, COL_PRIORITY);
    row->run_at_ms = sqlite3_column_int64(st, COL_RUN_AT);
    row->created_ms = sqlite3_column_int64(st, COL_CREATED);
    row->has_parents = (flags & ER_FLAG_PARENTS) != 0;
    row->is_unique = (flags & ER_FLAG_UNIQUE) != 0;
    row->has_limits = (flags & ER_FLAG_LIMITS) != 0;
    row->data = er_col_slice(st, COL_PAYLOAD, tx->arena);
    row->options = er_col_slice(st, COL_OPTIONS, tx->arena);
    row->error =
        is_hook ? er_col_slice(st, COL_ERROR, tx->arena) : (struct errand_slice){0};
    row->failed_ms = is_hook ? sqlite3_column_int64(st, COL_ENDED) : 0;
    row->batch.text[0] = '\0'; /* the place may have been another's, who was parked */
    if (!row->data.ptr || !row->options.ptr || (is_hook && !row->error.ptr))
        return er_tx_nomem(tx);
    if (!(row->name = er_name_text(tx, sqlite3_column_int64(st, COL_NAME))) ||
        !(row->queue = er_queue_text(tx, queue)))
        return tx->err->code;
    if ((rc = er_id_of(tx, row->key, row->created_ms, flags, &row->id)) < 0)
        return rc;
    if (!(flags & ER_FLAG_BATCH))
        return 0;
    if ((rc = er_batch_load(tx, sqlite3_column_int64(st, COL_BATCH), &batch)) == 0)
        row->batch = batch->uid;
    return rc;
}

void er_row_keep(struct picking *k, int64_t queue, bool is_hook)
{
    size_t n = k->ret->jobs_n++;

    k->entries[n] = (struct er_lease_job){
        .id = k->ret->jobs[n].key, .queue = queue, .is_hook = is_hook};
}

/* ------------------------------------------------------------ jobs */

/* What start() needs of a row, so that it runs when the reading is over. */
struct extra {
    int64_t name;
    uint32_t flags;
    bool is_kept;
    struct errand_slice asks;
};

/* What a start brings about: 1 it starts, 0 it is at a limit and was parked. */
static int start(struct picking *k, int64_t queue, const struct extra *extra,
                 const struct errand_reserved *row)
{
    uint32_t flags = extra->flags;
    struct er_job job = {.id = row->key,
                         .queue = queue,
                         .name = extra->name,
                         .run_at = row->run_at_ms,
                         .priority = row->priority,
                         .state = ERRAND_READY,
                         .flags = flags,
                         .asks = extra->asks};
    int rc;

    if ((flags & ER_FLAG_LIMITS) || (k->tx->root.extras & ER_EXTRA_LIMITS)) {
        if ((rc = er_limits_start(k->tx, &job)) <= 0) {
            k->parked_n += rc == 0;
            return rc;
        }
    }
    if (flags & ER_FLAG_UNIQUE &&
        (rc = er_unique_release(k->tx, &job, ER_EVENT_RESERVE)) < 0)
        return rc;
    return 1;
}

/* Takes the rows out of the line, all in one range. */
static int rows_take(struct picking *k, const struct line *line,
                     const struct errand_reserved *last, size_t n)
{
    int rc = er_tx_run(k->tx, ER_SQL_READY_DELETE_TO,
                       ER_ARGS(er_int(line->id), er_int(last->priority),
                               er_int(last->run_at_ms), er_int(last->key)));

    if (rc == 0 && er_tx_changes(k->tx) != (int64_t)n)
        rc = errand_error_set(k->tx->err, ERRAND_ECORRUPT,
                              "the line of queue %lld and its jobs do not fit together; "
                              "run 'errand doctor'",
                              (long long)line->id);
    return rc;
}

/* In one range, unless others have come in between. */
static int rows_leave(struct picking *k, const struct line *line,
                      const struct errand_reserved *rows, size_t n, bool is_range)
{
    int rc = 0;

    if (n && is_range)
        return rows_take(k, line, &rows[n - 1], n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = er_tx_run(k->tx, ER_SQL_READY_DELETE,
                       ER_ARGS(er_int(line->id), er_int(rows[i].priority),
                               er_int(rows[i].run_at_ms), er_int(rows[i].key)));
    return rc;
}

/* One by one, because each start has effects on the next. Stops where parking one has let
 * another back into the line, which may come before those that were read: they stay
 * there. *ret_kept of the rows start, *ret_n have left the line. */
static int rows_start(struct picking *k, const struct line *line,
                      struct errand_reserved *rows, struct extra *extras, size_t n,
                      size_t *ret_kept, size_t *ret_n)
{
    struct er_lease_job *entries = k->entries + (rows - k->ret->jobs);
    size_t offered_n = k->tx->offered_n;
    int rc;

    *ret_kept = 0;
    for (*ret_n = 0; *ret_n < n && k->tx->offered_n == offered_n; ++*ret_n)
        if ((rc = start(k, line->id, &extras[*ret_n], &rows[*ret_n])) < 0)
            return rc;
        else
            extras[*ret_n].is_kept = rc > 0;
    if ((rc = rows_leave(k, line, rows, *ret_n, k->tx->offered_n == offered_n)) < 0)
        return rc;
    for (size_t i = 0; i < *ret_n; i++)
        if (extras[i].is_kept) {
            rows[*ret_kept] = rows[i];
            entries[(*ret_kept)++] = entries[i];
        }
    return 0;
}

static int room_of(struct picking *k, const struct line *line, size_t *ret)
{
    int64_t room, at;
    int rc = er_limits_room(k->tx, line->id, &room, &at);

    *ret = room <= 0 ? 0 : room > INT32_MAX ? (size_t)INT32_MAX : (size_t)room;
    return rc;
}

/* Up to `max` rows of a queue: *ret_read are out of its line, taken or parked. */
static int take(struct picking *k, struct line *line, size_t max, size_t *ret_read)
{
    struct er_tx *tx = k->tx;
    size_t first = k->ret->jobs_n, read = 0, kept, extras_max = 0, room;
    bool is_special = (tx->root.extras & ER_EXTRA_LIMITS) != 0;
    struct extra *extras = NULL;
    struct er_count *count;
    sqlite3_stmt *st;
    int rc;

    *ret_read = 0;
    if ((rc = room_of(k, line, &room)) < 0)
        return rc;
    if (!(max = max < room ? max : room))
        return 0;
    if (!(st = er_tx_bind(tx, ER_SQL_RESERVE,
                          ER_ARGS(er_int(line->id), er_int((int64_t)max)))))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        if ((rc = er_row_fill(k, st, line->id, false)) < 0 ||
            (rc = er_tx_grow(tx, &extras, read, &extras_max, sizeof *extras)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
        extras[read] =
            (struct extra){.name = sqlite3_column_int64(st, COL_NAME),
                           .flags = (uint32_t)sqlite3_column_int64(st, COL_FLAGS)};
        if ((extras[read].flags & ER_FLAG_LIMITS) &&
            !(extras[read].asks = er_col_slice(st, COL_ASKS, tx->scratch)).ptr) {
            sqlite3_reset(st);
            return er_tx_nomem(tx);
        }
        is_special |= (extras[read++].flags & (ER_FLAG_LIMITS | ER_FLAG_UNIQUE)) != 0;
        er_row_keep(k, line->id, false);
    }
    if (rc < 0 || read == 0)
        return rc;
    *ret_read = kept = read;
    rc = is_special
             ? rows_start(k, line, k->ret->jobs + first, extras, read, &kept, ret_read)
             : rows_take(k, line, &k->ret->jobs[first + read - 1], read);
    if (rc < 0)
        return rc;
    line->ready -= (int64_t)*ret_read;
    k->ret->jobs_n = first + kept;
    if (!(count = er_tx_count(tx, line->id)))
        return ERRAND_ENOMEM;
    count->delta[ERRAND_READY] -= (int64_t)kept;
    count->delta[ERRAND_RUNNING] += (int64_t)kept;
    return 0;
}

size_t er_wanted(const struct picking *k)
{
    return k->parked_n < PARK_MAX ? k->p->max - k->ret->jobs_n : 0;
}

/* Strictly one queue after the other. */
static int pick_in_order(struct picking *k)
{
    for (size_t i = 0; i < k->lines_n; i++) {
        struct line *line = &k->lines[i];
        size_t read = 1;
        int rc;
        while (!is_paused(k, line) && read && er_wanted(k) &&
               (line->ready > 0 || k->parked_n))
            if ((rc = take(k, line, er_wanted(k), &read)) < 0)
                return rc;
    }
    return 0;
}

/* ------------------------------------------------------------ several queues, one line
 */

static int head_read(struct picking *k, struct line *line)
{
    sqlite3_stmt *st;
    size_t room;
    int rc;

    line->head.id = 0;
    if ((rc = room_of(k, line, &room)) < 0 || !room)
        return rc;
    st = er_tx_bind(k->tx, ER_SQL_READY_FIRST, ER_ARGS(er_int(line->id), er_int(1)));
    if (!st)
        return k->tx->err->code;
    if ((rc = er_tx_next(k->tx, st)) <= 0)
        return rc;
    line->head.priority = sqlite3_column_int64(st, 0);
    line->head.run_at = sqlite3_column_int64(st, 1);
    line->head.id = sqlite3_column_int64(st, 2);
    sqlite3_reset(st);
    return 0;
}

static int compare_heads(const struct line *a, const struct line *b)
{
    if (a->head.priority != b->head.priority)
        return a->head.priority < b->head.priority ? -1 : 1;
    if (a->head.run_at != b->head.run_at)
        return a->head.run_at < b->head.run_at ? -1 : 1;
    return a->head.id < b->head.id ? -1 : a->head.id > b->head.id;
}

/* The queue whose next job comes first, and how many it may give before another's. */
static int line_next(struct picking *k, struct line **ret, size_t *ret_n)
{
    struct line *best = NULL, *second = NULL;
    sqlite3_stmt *st;
    int rc;

    for (size_t i = 0; i < k->lines_n; i++) {
        struct line *line = &k->lines[i];
        if (!line->head.id)
            continue;
        if (!best || compare_heads(line, best) < 0) {
            second = best;
            best = line;
        } else if (!second || compare_heads(line, second) < 0) {
            second = line;
        }
    }
    *ret = best;
    *ret_n = er_wanted(k);
    if (!best || !second)
        return 0;
    *ret_n = 0;
    if (!(st = er_tx_bind(k->tx, ER_SQL_READY_FIRST,
                          ER_ARGS(er_int(best->id), er_int((int64_t)er_wanted(k))))))
        return k->tx->err->code;
    while ((rc = er_tx_next(k->tx, st)) > 0) {
        struct line at = {.head = {sqlite3_column_int64(st, 0),
                                   sqlite3_column_int64(st, 1),
                                   sqlite3_column_int64(st, 2)}};
        if (compare_heads(&at, second) > 0) {
            sqlite3_reset(st);
            return 0;
        }
        ++*ret_n;
    }
    return rc;
}

static int heads_read(struct picking *k)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < k->lines_n; i++)
        if (!is_paused(k, &k->lines[i]))
            rc = head_read(k, &k->lines[i]);
    return rc;
}

static int pick_merged(struct picking *k)
{
    struct line *line;
    size_t n, read;
    int rc = heads_read(k);

    while (rc == 0 && er_wanted(k)) {
        size_t parked_n = k->parked_n;
        if ((rc = line_next(k, &line, &n)) < 0 || !line)
            return rc;
        if ((rc = take(k, line, n, &read)) < 0)
            return rc;
        /* Parking one may have let out others, of any queue. */
        rc = k->parked_n == parked_n ? head_read(k, line) : heads_read(k);
    }
    return rc;
}

/* ------------------------------------------------------------ all of it */

/* When to look again: known only where nothing more could be taken now. */
static int next_find(struct picking *k)
{
    int64_t at, room;
    int rc;

    for (size_t i = 0; i < k->lines_n; i++) {
        const struct line *line = &k->lines[i];
        if (is_paused(k, line)) {
            sooner(k, line->paused_until);
            continue;
        }
        if ((rc = er_limits_room(k->tx, line->id, &room, &at)) < 0)
            return rc;
        if (line->ready > 0)
            sooner(k, at);
        if (line->scheduled > 0) {
            rc = er_tx_number(k->tx, ER_SQL_DUE_NEXT, ER_ARGS(er_int(line->id)), &at);
            if (rc < 0)
                return rc;
            if (rc > 0)
                sooner(k, at > k->tx->now_ms ? at : k->tx->now_ms);
        }
        if ((rc = er_limits_next(k->tx, line->id, &at)) < 0)
            return rc;
        sooner(k, at);
    }
    if (k->parked_n >= PARK_MAX)
        sooner(k, k->tx->now_ms);
    return 0;
}

int er_reserve(struct er_tx *tx, const struct errand_exchange_params *p,
               struct errand_exchange_result *ret)
{
    struct picking k = {.tx = tx, .p = p, .ret = ret};
    int rc;

    if ((rc = lines_make(&k)) < 0 || (rc = er_pick_hooks(&k)) < 0 ||
        (rc = p->queues_n ? pick_in_order(&k) : pick_merged(&k)) < 0)
        return rc;
    if (ret->jobs_n) {
        ret->token = k.token;
        ret->lease_until_ms = tx->now_ms + p->lease_ms;
        rc = er_lease_insert(tx, ret->token, p->lease_ms, p->worker, k.entries,
                             ret->jobs_n);
        if (rc < 0)
            return rc;
    }
    if (ret->jobs_n == p->max) {
        ret->next_at_ms = tx->now_ms;
        return 0;
    }
    rc = next_find(&k);
    ret->next_at_ms = k.next_at_ms;
    return rc;
}
