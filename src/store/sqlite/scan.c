/* scan.c: the jobs that a filter means. Living and completed jobs are in two tables of
 * one numbering: two statements, merged. What a statement can do cheaply (where to begin,
 * one state) it does; the rest of the filter is looked at here, the same for every
 * caller. */
#include "store/sqlite/scan.h"

#include <string.h>

static const uint32_t ended_states = 1u << ERRAND_FAILED | 1u << ERRAND_CANCELLED;

/* ------------------------------------------------------------ begin */

static int names_find(struct er_scan *scan)
{
    const struct errand_filter *f = scan->filter;
    struct er_tx *tx = scan->tx;
    int rc;

    if (f->queue && ((rc = er_queue_id(tx, f->queue, false, &scan->queue)) < 0))
        return rc;
    if (f->name && ((rc = er_name_id(tx, f->name, false, &scan->name)) < 0))
        return rc;
    if (f->batch.text[0] &&
        (rc = er_tx_number(tx, ER_SQL_BATCH_FIND, ER_ARGS(er_text(f->batch.text)),
                           &scan->batch)) < 0)
        return rc;
    /* What nobody has ever named, no job has. */
    scan->is_empty = (f->queue && !scan->queue) || (f->name && !scan->name) ||
                     (f->batch.text[0] && !scan->batch);
    return 0;
}

/* Is only this state asked for? */
static bool is_only(const struct errand_filter *f, uint32_t states)
{
    return f->states && (f->states & ~states) == 0;
}

static sqlite3_stmt *living(struct er_scan *scan, int64_t after)
{
    const struct errand_filter *f = scan->filter;
    bool back = scan->newest_first;

    if (scan->batch)
        return er_tx_bind(scan->tx, back ? ER_SQL_SCAN_BATCH_BACK : ER_SQL_SCAN_BATCH,
                          ER_ARGS(er_int(after), er_int(scan->batch)));
    if (is_only(f, 1u << ERRAND_FAILED) || is_only(f, 1u << ERRAND_CANCELLED))
        return er_tx_bind(scan->tx,
                          back ? ER_SQL_SCAN_FINISHED_BACK : ER_SQL_SCAN_FINISHED,
                          ER_ARGS(er_int(after), er_int(is_only(f, 1u << ERRAND_FAILED)
                                                            ? ERRAND_FAILED
                                                            : ERRAND_CANCELLED)));
    return er_tx_bind(scan->tx, back ? ER_SQL_SCAN_JOBS_BACK : ER_SQL_SCAN_JOBS,
                      ER_ARGS(er_int(after)));
}

static sqlite3_stmt *completed(struct er_scan *scan, int64_t after)
{
    bool back = scan->newest_first;

    if (scan->batch)
        return er_tx_bind(
            scan->tx, back ? ER_SQL_SCAN_BATCH_HISTORY_BACK : ER_SQL_SCAN_BATCH_HISTORY,
            ER_ARGS(er_int(after), er_int(scan->batch)));
    return er_tx_bind(scan->tx, back ? ER_SQL_SCAN_HISTORY_BACK : ER_SQL_SCAN_HISTORY,
                      ER_ARGS(er_int(after)));
}

void er_found_read(sqlite3_stmt *st, bool is_history, struct er_found *ret)
{
    *ret = (struct er_found){
        .id = sqlite3_column_int64(st, 0),
        .queue = sqlite3_column_int64(st, 1),
        .name = sqlite3_column_int64(st, 2),
        .state = (enum errand_state)sqlite3_column_int(st, 3),
        .created_at = sqlite3_column_int64(st, 4),
        .ended_at = sqlite3_column_int64(st, 5),
        .batch = sqlite3_column_int64(st, 6),
        .flags = (uint32_t)sqlite3_column_int64(st, 7),
        .is_history = is_history,
    };
}

/* RUNNING is what a lease names: a few jobs, each read by its number. Walking the living
 * would read a million that wait to find two that run. */
static int running_next(struct er_scan *scan, struct er_scan_source *s)
{
    int64_t step = scan->newest_first ? 1 : -1;

    while (scan->running_left) {
        size_t left = scan->running_left--;
        int64_t id =
            scan->running[scan->newest_first ? left - 1 : scan->running_n - left].id;
        sqlite3_stmt *st = living(scan, id + step);
        int rc;

        if (!st)
            return scan->tx->err->code;
        if ((rc = er_tx_next(scan->tx, st)) < 0)
            return rc;
        if (rc > 0) {
            s->has_row = sqlite3_column_int64(st, 0) == id;
            er_found_read(st, false, &s->row);
            sqlite3_reset(st);
        }
        if (s->has_row)
            return 0;
    }
    return 0;
}

static int source_next(struct er_scan *scan, struct er_scan_source *s, bool is_history)
{
    int rc;

    s->has_row = false;
    if (!is_history && scan->is_running_only)
        return running_next(scan, s);
    if (!s->st)
        return 0;
    if ((rc = er_tx_next(scan->tx, s->st)) <= 0) {
        s->st = NULL; /* is reset */
        return rc;
    }
    s->has_row = true;
    er_found_read(s->st, is_history, &s->row);
    return 0;
}

/* How many of them lie past the page before. */
static void running_begin(struct er_scan *scan, int64_t from)
{
    scan->is_running_only = true;
    for (size_t i = 0; i < scan->running_n; i++)
        scan->running_left +=
            scan->newest_first ? scan->running[i].id < from : scan->running[i].id > from;
}

int er_scan_begin(struct er_scan *scan, struct er_tx *tx,
                  const struct errand_filter *filter, int64_t after, bool newest_first)
{
    int64_t from = after ? after : newest_first ? INT64_MAX : 0;
    int rc;

    *scan = (struct er_scan){.tx = tx, .filter = filter, .newest_first = newest_first};
    if ((rc = names_find(scan)) < 0 || scan->is_empty)
        return rc;
    if ((rc = er_running_load(tx, &scan->running, &scan->running_n)) < 0)
        return rc;
    if (is_only(filter, 1u << ERRAND_RUNNING) && !scan->batch) {
        running_begin(scan, from);
        return source_next(scan, &scan->sources[0], false);
    }
    if (!is_only(filter, 1u << ERRAND_COMPLETED)) {
        if (!(scan->sources[0].st = living(scan, from)))
            return tx->err->code;
        if ((rc = source_next(scan, &scan->sources[0], false)) < 0)
            return rc;
    }
    if (!filter->states || (filter->states & 1u << ERRAND_COMPLETED)) {
        if (!(scan->sources[1].st = completed(scan, from)))
            return tx->err->code;
        if ((rc = source_next(scan, &scan->sources[1], true)) < 0)
            return rc;
    }
    return 0;
}

void er_scan_done(struct er_scan *scan)
{
    for (size_t i = 0; i < ER_SCAN_SOURCES; i++) {
        sqlite3_reset(scan->sources[i].st); /* NULL allowed */
        scan->sources[i].st = NULL;
    }
}

/* ------------------------------------------------------------ the filter */

static bool holds(sqlite3_stmt *st, int i, const char *search)
{
    const void *ptr = sqlite3_column_blob(st, i);
    int len = sqlite3_column_bytes(st, i);

    return len && memmem(ptr, (size_t)len, search, strlen(search)) != NULL;
}

static int is_found(struct er_tx *tx, const struct er_found *job, const char *search)
{
    struct errand_id id;
    sqlite3_stmt *st;
    int rc;

    if ((rc = er_id_of(tx, job->id, job->created_at, job->flags, &id)) < 0)
        return rc;
    if (strstr(id.text, search))
        return 1;
    if (!(st = er_tx_bind(tx, job->is_history ? ER_SQL_TEXTS_HISTORY : ER_SQL_TEXTS_JOB,
                          ER_ARGS(er_int(job->id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    rc = holds(st, 0, search) || holds(st, 1, search);
    sqlite3_reset(st);
    return rc;
}

static int has_tag(struct er_tx *tx, const struct er_found *job, const char *tag)
{
    int64_t found;

    if (!(job->flags & ER_FLAG_TAGS))
        return 0;
    return er_tx_number(tx, ER_SQL_TAG_FIND, ER_ARGS(er_int(job->id), er_text(tag)),
                        &found);
}

static bool is_in_time(const struct errand_filter *f, const struct er_found *job)
{
    bool by_end = (ended_states & 1u << job->state) != 0;
    int64_t at_ms = by_end ? job->ended_at : job->created_at;

    return (!f->since_ms || at_ms >= f->since_ms) &&
           (!f->until_ms || at_ms < f->until_ms);
}

static int matches(struct er_scan *scan, struct er_found *job)
{
    const struct errand_filter *f = scan->filter;
    int rc;

    if (job->state == ERRAND_READY &&
        er_running_find(scan->running, scan->running_n, job->id))
        job->state = ERRAND_RUNNING;
    if ((f->states && !(f->states & 1u << job->state)) ||
        (scan->queue && job->queue != scan->queue) ||
        (scan->name && job->name != scan->name) ||
        (scan->batch && job->batch != scan->batch) || !is_in_time(f, job))
        return 0;
    if (f->tag && (rc = has_tag(scan->tx, job, f->tag)) <= 0)
        return rc;
    return f->search ? is_found(scan->tx, job, f->search) : 1;
}

int er_scan_next(struct er_scan *scan, struct er_found *ret)
{
    struct er_scan_source *a = &scan->sources[0], *b = &scan->sources[1];

    while (a->has_row || b->has_row) {
        bool is_a =
            a->has_row && (!b->has_row || (a->row.id < b->row.id) != scan->newest_first);
        struct er_found job = is_a ? a->row : b->row;
        int rc = source_next(scan, is_a ? a : b, !is_a);
        if (rc == 0)
            rc = matches(scan, &job);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            *ret = job;
            return 1;
        }
    }
    return 0;
}
