/* lines.c: READY jobs that wait at a limit. See limits.c. */
#include "store/sqlite/limits.h"

static int line_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    (void)tx;
    *(struct er_line *)ret_row = (struct er_line){
        .id = sqlite3_column_int64(st, 0),
        .bucket = sqlite3_column_int64(st, 1),
        .kind = (enum errand_limit_kind)sqlite3_column_int(st, 2),
        .n = sqlite3_column_int64(st, 3),
        .per_ms = sqlite3_column_int64(st, 4),
        .parked = sqlite3_column_int64(st, 5),
        .wake_at = sqlite3_column_int64(st, 6),
    };
    return 0;
}

static int lines_read(struct er_tx *tx, enum er_sql sql, struct er_arg arg,
                      struct er_line **ret, size_t *ret_n)
{
    sqlite3_stmt *st = er_tx_bind(tx, sql, ER_ARGS(arg));

    return er_tx_rows(tx, st, line_fill, sizeof **ret, ret, ret_n);
}

static int line_write(struct er_tx *tx, const struct er_line *line, int64_t wake_at)
{
    if (line->parked <= 0)
        return er_tx_run(tx, ER_SQL_LINE_DELETE, ER_ARGS(er_int(line->id)));
    return er_tx_run(
        tx, ER_SQL_LINE_WRITE,
        ER_ARGS(er_int(line->id), er_int(line->parked), er_int_or_null(wake_at)));
}

/* ------------------------------------------------------------ into a line */

int er_park(struct er_tx *tx, const struct er_job *job, const struct er_applied *a)
{
    struct er_line line = {.kind = a->kind, .n = a->n, .per_ms = a->per_ms};
    struct er_count *count;
    sqlite3_stmt *st;
    int64_t wake_at;
    int rc;

    if ((rc = er_bucket_make(tx, a->bucket)) < 0)
        return rc;
    line.bucket = a->bucket->id;
    if (!(st = er_tx_bind(tx, ER_SQL_LINE_FIND,
                          ER_ARGS(er_int(line.bucket), er_int(line.kind), er_int(line.n),
                                  er_int(line.per_ms)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) < 0)
        return rc;
    if (rc > 0) {
        line.id = sqlite3_column_int64(st, 0);
        line.parked = sqlite3_column_int64(st, 1);
        sqlite3_reset(st);
    } else {
        if ((rc = er_tx_run(tx, ER_SQL_LINE_INSERT,
                            ER_ARGS(er_int(line.bucket), er_int(line.kind),
                                    er_int(line.n), er_int(line.per_ms)))) < 0)
            return rc;
        line.id = sqlite3_last_insert_rowid(tx->db->handle);
    }
    line.parked++;
    wake_at =
        a->kind == ERRAND_LIMIT_RATE ? er_bucket_free_at(a->bucket, a->n, a->per_ms) : 0;
    if ((rc = line_write(tx, &line, wake_at)) < 0 ||
        (rc =
             er_tx_run(tx, ER_SQL_PARKED_INSERT,
                       ER_ARGS(er_int(line.id), er_int(job->queue), er_int(job->priority),
                               er_int(job->run_at), er_int(job->id)))) < 0)
        return rc;
    if (!(count = er_tx_count(tx, job->queue)))
        return ERRAND_ENOMEM;
    count->parked++;
    er_tx_extra(tx, ER_EXTRA_PARKED);
    return 0;
}

/* ------------------------------------------------------------ out of a line */

int er_parked_remove(struct er_tx *tx, const struct er_job *job)
{
    struct er_count *count;
    struct er_line *line;
    int64_t id;
    size_t n;
    int rc;

    if (!(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    if ((rc = er_tx_number(tx, ER_SQL_PARKED_FIND, ER_ARGS(er_int(job->id)), &id)) <= 0)
        return rc;
    if ((rc = er_tx_run(tx, ER_SQL_PARKED_DELETE,
                        ER_ARGS(er_int(id), er_int(job->queue), er_int(job->priority),
                                er_int(job->run_at), er_int(job->id)))) < 0)
        return rc;
    if (!(count = er_tx_count(tx, job->queue)))
        return ERRAND_ENOMEM;
    count->parked--;
    if ((rc = lines_read(tx, ER_SQL_LINE_READ, er_int(id), &line, &n)) < 0)
        return rc;
    if (n) {
        line->parked--;
        rc = line->parked > 0 ? er_tx_run(tx, ER_SQL_LINE_LESS, ER_ARGS(er_int(line->id)))
                              : line_write(tx, line, 0);
    }
    return rc < 0 ? rc : 1;
}

struct place {
    int64_t priority, run_at, id;
};

static int place_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    (void)tx;
    *(struct place *)ret_row = (struct place){.priority = sqlite3_column_int64(st, 0),
                                              .run_at = sqlite3_column_int64(st, 1),
                                              .id = sqlite3_column_int64(st, 2)};
    return 0;
}

/* The first `n` of one queue go back to errand_ready. */
static int offer_queue(struct er_tx *tx, struct er_line *line, int64_t queue, int64_t n)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_PARKED_FIRST,
                                  ER_ARGS(er_int(line->id), er_int(queue), er_int(n)));
    struct place *places = NULL;
    size_t got = 0;
    struct er_count *count;
    int rc = er_tx_rows(tx, st, place_fill, sizeof *places, &places, &got);

    for (size_t i = 0; rc == 0 && i < got; i++)
        rc = er_tx_run(tx, ER_SQL_READY_INSERT,
                       ER_ARGS(er_int(queue), er_int(places[i].priority),
                               er_int(places[i].run_at), er_int(places[i].id)));
    if (rc < 0 || got == 0)
        return rc;
    if ((rc = er_tx_run(
             tx, ER_SQL_PARKED_DELETE_TO,
             ER_ARGS(er_int(line->id), er_int(queue), er_int(places[got - 1].priority),
                     er_int(places[got - 1].run_at), er_int(places[got - 1].id)))) < 0)
        return rc;
    if (!(count = er_tx_count(tx, queue)))
        return ERRAND_ENOMEM;
    count->parked -= (int64_t)got;
    line->parked -= (int64_t)got;
    tx->offered_n += got;
    tx->wake |= ERRAND_WAIT_READY;
    return 0;
}

/* From every queue as many as there is room: nobody knows whose worker comes first, and
 * who finds the limit full again is parked again. */
static int offer(struct er_tx *tx, struct er_line *line, int64_t room)
{
    int64_t queue = 0;
    int rc;

    while ((rc = er_tx_number(tx, ER_SQL_PARKED_QUEUE,
                              ER_ARGS(er_int(line->id), er_int(queue)), &queue)) > 0)
        if ((rc = offer_queue(tx, line, queue, room)) < 0)
            return rc;
    return rc;
}

static int64_t room_of(const struct er_tx *tx, const struct er_line *line,
                       struct er_bucket *bucket)
{
    return er_applied_room(
        &(struct er_applied){
            .bucket = bucket, .kind = line->kind, .n = line->n, .per_ms = line->per_ms},
        tx->now_ms);
}

/* A full rate line wakes when there is room for one. One with room has offered as many as
 * there is room for, and wakes when the oldest start in the window leaves it: there is
 * room for one more then. With no start at all it looks again after a window in any
 * case. */
static int64_t wake_of(const struct er_tx *tx, const struct er_line *line,
                       struct er_bucket *bucket)
{
    int64_t started;

    if (line->kind != ERRAND_LIMIT_RATE)
        return 0;
    started = er_bucket_started(bucket, line->per_ms, tx->now_ms);
    if (started == 0)
        return tx->now_ms + line->per_ms;
    return er_bucket_free_at(bucket, started < line->n ? started : line->n, line->per_ms);
}

static int line_offer(struct er_tx *tx, struct er_line *line, struct er_bucket *bucket)
{
    int64_t room;
    int rc;

    if ((rc = er_bucket_know(tx, bucket, 0)) < 0)
        return rc;
    room = room_of(tx, line, bucket);
    if (room > 0 && (rc = offer(tx, line, room)) < 0)
        return rc;
    return line_write(tx, line, wake_of(tx, line, bucket));
}

int er_lines_offer(struct er_tx *tx, struct er_bucket *bucket)
{
    struct er_line *lines;
    size_t n;
    int rc;

    if (!bucket->id || !(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    rc = lines_read(tx, ER_SQL_LINES_OF_BUCKET, er_int(bucket->id), &lines, &n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = line_offer(tx, &lines[i], bucket);
    return rc;
}

/* A line whose time has come offers before it is told a later one: a rate taken by hand
 * may come between its time and the next reserve. */
static int line_started(struct er_tx *tx, struct er_line *line, struct er_bucket *bucket)
{
    int rc;

    if (line->kind != ERRAND_LIMIT_RATE)
        return 0;
    if ((rc = er_bucket_know(tx, bucket, 0)) < 0)
        return rc;
    if (line->wake_at && line->wake_at <= tx->now_ms)
        return line_offer(tx, line, bucket);
    return line_write(tx, line, wake_of(tx, line, bucket));
}

int er_lines_started(struct er_tx *tx, struct er_bucket *bucket)
{
    struct er_line *lines;
    size_t n;
    int rc;

    if (!(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    rc = lines_read(tx, ER_SQL_LINES_OF_BUCKET, er_int(bucket->id), &lines, &n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = line_started(tx, &lines[i], bucket);
    return rc;
}

int er_lines_empty(struct er_tx *tx, const char *limit)
{
    struct er_line *lines;
    size_t n;
    int rc = lines_read(tx, ER_SQL_LINES_OF_LIMIT, er_text(limit), &lines, &n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        if ((rc = offer(tx, &lines[i], INT64_MAX)) == 0)
            rc = line_write(tx, &lines[i], 0);
    return rc;
}

/* ------------------------------------------------------------ time */

int er_limits_due(struct er_tx *tx)
{
    struct er_line *lines;
    size_t n;
    int rc;

    if (!(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    if ((rc = er_limits_load(tx)) < 0)
        return rc;
    rc = lines_read(tx, ER_SQL_LINES_DUE, er_int(tx->now_ms), &lines, &n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct er_bucket *bucket;
        if ((rc = er_line_bucket(tx, &lines[i], &bucket)) == 0)
            rc = line_offer(tx, &lines[i], bucket);
    }
    return rc;
}

int er_limits_next(struct er_tx *tx, int64_t queue, int64_t *ret_at)
{
    sqlite3_stmt *st;
    int64_t found;
    int rc;

    *ret_at = 0;
    if (!(tx->root.extras & ER_EXTRA_PARKED))
        return 0;
    if (!(st = er_tx_bind(tx, ER_SQL_LINES_WAKING, ER_NO_ARGS)))
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0) {
        int64_t line = sqlite3_column_int64(st, 0), at = sqlite3_column_int64(st, 1);
        rc = er_tx_number(tx, ER_SQL_PARKED_IN_QUEUE,
                          ER_ARGS(er_int(line), er_int(queue)), &found);
        if (rc != 0) {
            *ret_at = at;
            sqlite3_reset(st);
            return rc < 0 ? rc : 0;
        }
    }
    return rc;
}
