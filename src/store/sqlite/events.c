/* events.c: the last things that happened, a ring with a growing number. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>

#include "base/error.h"

static int insert(struct er_tx *tx, const struct errand_event *e)
{
    tx->has_told = tx->is_root_dirty = true;
    tx->wake |= ERRAND_WAIT_EVENTS;
    return er_tx_run(tx, ER_SQL_EVENT_INSERT,
                     ER_ARGS(er_int(tx->root.next_seq++),
                             er_int(e->at_ms ? e->at_ms : tx->now_ms), er_text(e->type),
                             er_text(e->id.text), er_text(e->name), er_text(e->queue),
                             er_int(e->attempt), er_int(e->duration_ms),
                             er_int(e->delay_ms), er_blob_or_null(e->error)));
}

int er_told_trim(struct er_tx *tx)
{
    if (!tx->has_told)
        return 0;
    return er_tx_run(tx, ER_SQL_EVENTS_TRIM,
                     ER_ARGS(er_int(tx->root.next_seq - 1 - ERRAND_EVENTS_KEPT)));
}

/* On a full disk what is told gives way to what is done. */
static bool is_told(const struct er_tx *tx)
{
    return !tx->conn->has_no_room && er_tx_hints(tx) & ERRAND_HINT_EVENTS;
}

int er_tell(struct er_tx *tx, const struct errand_event *event)
{
    return is_told(tx) ? insert(tx, event) : 0;
}

int er_tell_job(struct er_tx *tx, const struct er_job *job, enum er_told told,
                int32_t attempt, struct errand_slice error)
{
    struct errand_event event = {.type = er_told_name(told),
                                 .attempt = attempt,
                                 .duration_ms = -1,
                                 .delay_ms = -1,
                                 .error = error};
    int rc;

    if (!is_told(tx))
        return 0;
    if ((rc = er_id_of(tx, job->id, job->created_at, job->flags, &event.id)) < 0)
        return rc;
    if (!(event.name = er_name_text(tx, job->name)) ||
        !(event.queue = er_queue_text(tx, job->queue)))
        return tx->err->code;
    return insert(tx, &event);
}

static int add(struct er_tx *tx, const struct errand_event *events, size_t n)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = insert(tx, &events[i]);
    return rc;
}

int er_sqlite_events_add(struct errand_conn *conn, const struct errand_event *events,
                         size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_light(&tx, conn, "events_add", now_ms, NULL, err)) < 0)
        return rc;
    return er_tx_end(&tx, add(&tx, events, n));
}

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_event *ret = ret_row;

    *ret = (struct errand_event){
        .seq = sqlite3_column_int64(st, 0),
        .at_ms = sqlite3_column_int64(st, 1),
        .type = er_col_text(st, 2, tx->arena),
        .name = er_col_text(st, 4, tx->arena),
        .queue = er_col_text(st, 5, tx->arena),
        .attempt = sqlite3_column_int(st, 6),
        .duration_ms = sqlite3_column_int64(st, 7),
        .delay_ms = sqlite3_column_int64(st, 8),
        .error = er_col_slice(st, 9, tx->arena),
    };
    snprintf(ret->id.text, sizeof ret->id.text, "%s", sqlite3_column_text(st, 3));
    return ret->type && ret->name && ret->queue && ret->error.ptr ? 0 : er_tx_nomem(tx);
}

static int rows_read(struct er_tx *tx, int64_t from, size_t max,
                     struct errand_events_result *ret)
{
    sqlite3_stmt *st;
    int rc;

    if (max > ERRAND_EVENTS_KEPT)
        max = ERRAND_EVENTS_KEPT;
    st = er_tx_bind(tx, ER_SQL_EVENTS_READ, ER_ARGS(er_int(from), er_int((int64_t)max)));
    if ((rc = er_tx_answer(tx, st, row_fill, sizeof *ret->events, &ret->events,
                           &ret->events_n)) < 0)
        return rc;
    if (ret->events_n)
        ret->last = ret->events[ret->events_n - 1].seq;
    return 0;
}

static int events_read(struct er_tx *tx, const struct errand_events_params *p,
                       struct errand_events_result *ret)
{
    int64_t last = tx->root.next_seq - 1, first = last - ERRAND_EVENTS_KEPT + 1;

    ret->last = last;
    if (p->after < 0)
        return 0;
    if (first < 1)
        first = 1;
    ret->fell_behind = p->after + 1 < first || p->after > last;
    return rows_read(tx, p->after + 1 < first ? first : p->after + 1, p->max, ret);
}

/* That somebody follows is written once a while, well before it ends: a reader that looks
 * each second must not cost a commit each second. */
static int follow(struct errand_conn *conn, const struct errand_events_params *p,
                  struct errand_error *err)
{
    struct er_tx tx;
    int rc = er_tx_begin_light(&tx, conn, NULL, p->now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (tx.now_ms + p->follow_ms > tx.root.follow_until) {
        tx.root.follow_until = tx.now_ms + p->follow_ms;
        tx.is_root_dirty = true;
    }
    return er_tx_end(&tx, 0);
}

int er_sqlite_events_read(struct errand_conn *conn, const struct errand_events_params *p,
                          struct errand_arena *arena, struct errand_events_result *ret,
                          struct errand_error *err)
{
    struct errand_events_result result = {0};
    struct er_tx tx;
    bool is_short;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_read_root(&tx)) == 0)
        rc = events_read(&tx, p, &result);
    is_short =
        p->follow_ms > 0 && tx.root.follow_until < tx.now_ms + p->follow_ms / 2 + 1;
    if ((rc = er_tx_end(&tx, rc)) < 0)
        return rc;
    if (is_short && !tx.conn->is_read_only && (rc = follow(conn, p, err)) < 0)
        return rc;
    *ret = result;
    return 0;
}
