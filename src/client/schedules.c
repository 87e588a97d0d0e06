/* schedules.c: reading the schedules of a store, and bringing them in line with what
 * their owners say. */
#include "client/schedules.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/name.h"
#include "core/zone.h"

enum { SPEC_MAX = 1 << 20 };

/* ------------------------------------------------------------------ reading */

static int row_read(struct errand_arena *arena, struct er_schedule_row *row,
                    struct errand_error *err)
{
    struct errand_error inner = {0};

    if (er_schedule_decode(row->stored.spec, arena, &row->spec, &inner) == 0)
        return 0;
    row->spec = (struct er_schedule){.from = ER_FROM_HAND};
    row->error = errand_arena_copy(arena, inner.message, strlen(inner.message));
    return row->error ? 0 : er_error_nomem(err);
}

int er_schedules_read(struct er_store *store, struct errand_arena *arena,
                      struct er_schedule_rows *ret, struct errand_error *err)
{
    struct errand_schedules_result found;
    struct er_schedule_rows rows;
    int rc;

    if ((rc = er_store_schedules(store, arena, &found, err)) < 0)
        return rc;
    rows.n = found.schedules_n;
    rows.identity = found.identity;
    rows.rows = errand_arena_alloc(arena, (rows.n + 1) * sizeof *rows.rows);
    if (!rows.rows)
        return er_error_nomem(err);
    for (size_t i = 0; i < rows.n; i++) {
        rows.rows[i].stored = found.schedules[i];
        if ((rc = row_read(arena, &rows.rows[i], err)) < 0)
            return rc;
    }
    *ret = rows;
    return 0;
}

static const struct er_schedule_row *find_exact(const struct er_schedule_rows *rows,
                                                const char *name)
{
    size_t from = 0, to = rows->n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = strcmp(rows->rows[mid].stored.name, name);
        if (order == 0)
            return &rows->rows[mid];
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

int64_t er_schedule_overdue(const struct er_schedule_row *row, int64_t now_ms)
{
    int64_t next_ms = row->stored.next_ms;

    if (row->error || row->stored.paused || next_ms <= 0 ||
        next_ms > now_ms - row->spec.jitter_ms - ER_SCHEDULE_LATE_MS)
        return 0;
    return next_ms;
}

const struct er_schedule_row *er_schedules_find(const struct er_schedule_rows *rows,
                                                const char *name)
{
    const struct er_schedule_row *row = find_exact(rows, name);
    char wanted[ER_NAME_MAX + 1], key[ER_NAME_MAX + 1];

    if (row || er_name_check("schedule", name, NULL) < 0)
        return row;
    er_name_key(name, wanted);
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(er_name_key(rows->rows[i].stored.name, key), wanted) == 0)
            return &rows->rows[i];
    return NULL;
}

const char *er_schedule_job(const struct er_schedule_row *row)
{
    return row->spec.job ? row->spec.job : row->stored.name;
}

/* ------------------------------------------------------------------ writing */

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_time(const struct er_schedule *a, const struct er_schedule *b)
{
    return is_same_text(a->cron, b->cron) && is_same_text(a->zone, b->zone);
}

/* The next slot, for whoever lists: a cache. It was checked that there is one. */
static int64_t next_of(const struct er_schedule *schedule, int64_t after_ms)
{
    struct er_zones *zones = er_zones_new(NULL);
    const struct er_zone *zone;
    struct er_cron cron;
    int64_t next = 0;

    if (zones && er_zones_get(zones, schedule->zone, &zone, NULL) == 0 &&
        er_cron_parse(schedule->cron, &cron, NULL) == 0)
        next = er_cron_next(&cron, zone, after_ms);
    er_zones_free(zones);
    return next == ER_CRON_NEVER ? 0 : next;
}

int er_schedule_write(struct er_store *store, const char *name,
                      const struct er_schedule *schedule,
                      const struct er_schedule_row *there, int64_t now_ms,
                      struct errand_error *err)
{
    struct er_schedule next = *schedule;
    struct errand_schedule row = {.name = name};
    struct er_buf spec;
    int rc;

    next.since_ms = now_ms;
    if (there && !there->error && is_same_time(&there->spec, schedule))
        next.since_ms = there->spec.since_ms;
    if (there && !there->error && er_schedule_same(&there->spec, &next))
        return 0;
    er_buf_init(&spec, SPEC_MAX);
    if (er_schedule_encode(&next, &spec) < 0) {
        er_buf_done(&spec);
        return er_error_nomem(err);
    }
    row.spec = (struct errand_slice){spec.ptr, spec.len};
    /* Schedulers tell each other by it how far they have come. */
    row.next_ms =
        next.since_ms == now_ms ? next_of(&next, now_ms) : there->stored.next_ms;
    rc = er_store_schedule_put(store, &row, err);
    er_buf_done(&spec);
    return rc < 0 ? rc : 1;
}

/* ------------------------------------------------------------------ who says what */

/* Put by somebody with more right, under this name or another spelling of it. */
static bool is_taken(const struct er_schedule_row *there, enum er_schedule_from from)
{
    return there && there->spec.from > from;
}

static bool is_said(const struct er_schedules_said *said, const char *name)
{
    for (size_t i = 0; i < said->n; i++)
        if (strcmp(said->list[i].name, name) == 0)
            return true;
    return false;
}

static bool is_bare(const struct er_schedules_said *said, const char *name)
{
    char key[ER_NAME_MAX + 1], other[ER_NAME_MAX + 1];

    er_name_key(name, key);
    for (size_t i = 0; i < said->bare_n; i++)
        if (strcmp(er_name_key(said->bare[i], other), key) == 0)
            return true;
    return false;
}

static bool is_gone(const struct er_schedules_said *said,
                    const struct er_schedule_row *row)
{
    if (said->keeps_all || row->error || row->spec.from != said->from ||
        is_said(said, row->stored.name))
        return false;
    return (!said->is_part && is_same_text(row->spec.owner, said->owner)) ||
           is_bare(said, row->stored.name);
}

static int write_all(struct er_store *store, const struct er_schedules_said *said,
                     const struct er_schedule_rows *rows, int64_t now_ms,
                     struct errand_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < said->n; i++) {
        const struct er_schedule_row *there = er_schedules_find(rows, said->list[i].name);
        struct er_schedule schedule = said->list[i].schedule;
        schedule.from = said->from;
        schedule.owner = said->owner;
        if (is_taken(there, said->from))
            continue;
        rc = er_schedule_write(store, said->list[i].name, &schedule,
                               find_exact(rows, said->list[i].name), now_ms, err);
    }
    return rc < 0 ? rc : 0;
}

int er_schedules_bring(struct er_store *store, const struct er_schedules_said *said,
                       int64_t now_ms, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct er_schedule_rows rows = {0};
    int rc;

    if (!arena)
        return er_error_nomem(err);
    if ((rc = er_schedules_read(store, arena, &rows, err)) < 0)
        goto out;
    rc = write_all(store, said, &rows, now_ms, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        if (!is_gone(said, &rows.rows[i]))
            continue;
        rc = er_store_schedule_delete(store, rows.rows[i].stored.name, err);
        rc = rc == ERRAND_ENOTFOUND ? 0 : rc; /* somebody was faster */
    }
out:
    er_arena_free(arena);
    return rc;
}
