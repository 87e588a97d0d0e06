/* schedule.c: schedules by hand: put, delete, list, pause, trigger, next. */
#include "errand/schedule.h"

#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "client/schedules.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/json.h"
#include "core/name.h"
#include "core/zone.h"

/* ------------------------------------------------------------------ put */

static int options_read(const struct errand_options *o, struct er_options *ret,
                        struct errand_error *err)
{
    if (!o)
        return 0;
    if (o->id.text[0] || o->delay_ms || o->run_at_ms || o->retry_until_ms || o->isolate ||
        o->transaction)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "options of a schedule have neither an id, nor a time, nor a transaction");
    return er_call_options(o, ret, err);
}

static int spec_read(const struct errand_schedule_spec *spec, struct er_schedule *ret,
                     struct errand_error *err)
{
    struct er_schedule s = {.cron = spec->cron,
                            .zone = spec->zone,
                            .job = spec->job,
                            .overlap = spec->overlap,
                            .missed = spec->missed,
                            .missed_max = spec->missed_max,
                            .from = ER_FROM_HAND};
    int rc;

    if (spec->data)
        s.data = (struct errand_slice){spec->data, strlen(spec->data)};
    if ((rc = er_seconds_to_ms("jitter", spec->jitter, &s.jitter_ms, err)) < 0 ||
        (rc = options_read(spec->options, &s.options, err)) < 0 ||
        (rc = er_schedule_check(&s, err)) < 0)
        return rc;
    *ret = s;
    return 0;
}

/* Who says that data shall not be read in the store must not find it in a schedule there.
 */
static int check_secret(errand *e, const char *name, const struct er_schedule *schedule,
                        struct errand_error *err)
{
    const char *job = schedule->job ? schedule->job : name;
    struct er_options all = schedule->options;
    const struct er_options *definition;
    struct errand_slice data;
    int rc;

    if (er_json_whole(schedule->data, &data) == ER_JSON_NULL)
        return 0;
    if ((rc = er_client_definition(e, job, &definition, err)) < 0)
        return rc;
    if (definition)
        er_options_fill(&all, definition);
    er_levels_below(e, &all);
    if (!er_options_encrypt(&all))
        return 0;
    return errand_error_set(
        err, ERRAND_EINVAL,
        "schedule '%s': job '%s' is encrypted, and a schedule keeps its "
        "data in the clear: give it none",
        name, job);
}

int errand_schedule_put(errand *e, const char *name,
                        const struct errand_schedule_spec *spec, struct errand_error *err)
{
    const struct er_schedule_row *there;
    struct er_schedule_rows rows = {0};
    struct er_schedule schedule;
    int rc;

    er_arena_reset(e->call);
    if ((rc = er_name_check("schedule name", name, err)) < 0)
        return rc;
    if ((rc = spec_read(spec, &schedule, err)) < 0)
        return er_error_wrap(err, rc, "schedule '%s'", name);
    if ((rc = check_secret(e, name, &schedule, err)) < 0 ||
        (rc = er_schedules_read(e->store, e->call, &rows, err)) < 0)
        return rc;
    there = er_schedules_find(&rows, name);
    if (there && strcmp(there->stored.name, name) != 0)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "schedule '%s' is there already, spelled '%s'", name,
                                there->stored.name);
    rc = er_schedule_write(e->store, name, &schedule, there, er_client_wall_ms(e), err);
    return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ by name */

static int no_such(const errand *e, const char *name, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no schedule '%s' in %s",
                            name, er_store_url(e->store));
}

static int find(errand *e, const char *name, const struct er_schedule_row **ret,
                struct errand_error *err)
{
    struct er_schedule_rows rows = {0};
    int rc;

    er_arena_reset(e->call);
    if ((rc = er_name_check("schedule name", name, err)) < 0 ||
        (rc = er_schedules_read(e->store, e->call, &rows, err)) < 0)
        return rc;
    *ret = er_schedules_find(&rows, name);
    return *ret ? 0 : no_such(e, name, err);
}

int errand_schedule_delete(errand *e, const char *name, struct errand_error *err)
{
    const struct er_schedule_row *row;
    int rc = find(e, name, &row, err);

    return rc < 0 ? rc : er_store_schedule_delete(e->store, row->stored.name, err);
}

static int pause_set(errand *e, const char *name, bool paused, struct errand_error *err)
{
    const struct er_schedule_row *row;
    int rc = find(e, name, &row, err);

    return rc < 0 ? rc : er_store_schedule_pause(e->store, row->stored.name, paused, err);
}

int errand_schedule_pause(errand *e, const char *name, struct errand_error *err)
{
    return pause_set(e, name, true, err);
}

int errand_schedule_resume(errand *e, const char *name, struct errand_error *err)
{
    return pause_set(e, name, false, err);
}

static int unreadable(const struct er_schedule_row *row, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL, "schedule '%s': %s", row->stored.name,
                            row->error);
}

/* The row lives in the arena of calls, which a dispatch empties. */
int errand_schedule_trigger(errand *e, const char *name, struct errand_id *ret_id,
                            struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    const struct er_schedule_row *row;
    struct er_schedule_rows rows = {0};
    struct errand_options options = {0};
    int rc;

    if (!arena)
        return er_error_nomem(err);
    if ((rc = er_name_check("schedule name", name, err)) < 0 ||
        (rc = er_schedules_read(e->store, arena, &rows, err)) < 0)
        goto out;
    if (!(row = er_schedules_find(&rows, name)))
        rc = no_such(e, name, err);
    else if (row->error)
        rc = unreadable(row, err);
    else {
        er_call_from(&row->spec.options, &options);
        rc = errand_dispatch(e, er_schedule_job(row),
                             row->spec.data.len ? row->spec.data.ptr : NULL, &options,
                             ret_id, err);
    }
out:
    er_arena_free(arena);
    return rc;
}

/* ------------------------------------------------------------------ next */

/* The first `max` slots after `after_ms`. */
static int slots_of(const struct er_schedule *schedule, struct er_zones *zones,
                    int64_t after_ms, int64_t *ret, size_t max, struct errand_error *err)
{
    const struct er_zone *zone;
    struct er_cron cron;
    size_t n = 0;
    int rc;

    if ((rc = er_cron_parse(schedule->cron, &cron, err)) < 0 ||
        (rc = er_zones_get(zones, schedule->zone, &zone, err)) < 0)
        return rc;
    for (; n < max; n++) {
        after_ms = er_cron_next(&cron, zone, after_ms);
        if (after_ms == ER_CRON_NEVER)
            break;
        ret[n] = after_ms;
    }
    return (int)n;
}

int errand_schedule_next(errand *e, const char *name, int64_t after_ms, int64_t *ret_ms,
                         size_t max, struct errand_error *err)
{
    const struct er_schedule_row *row;
    struct er_zones *zones;
    int rc;

    if ((rc = find(e, name, &row, err)) < 0)
        return rc;
    if (row->error)
        return unreadable(row, err);
    if (!(zones = er_zones_new(NULL)))
        return er_error_nomem(err);
    if (after_ms == 0)
        after_ms = er_client_wall_ms(e);
    rc = slots_of(&row->spec, zones, after_ms, ret_ms, max, err);
    er_zones_free(zones);
    return rc < 0 ? er_error_wrap(err, rc, "schedule '%s'", name) : rc;
}

/* ------------------------------------------------------------------ list */

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_list {
    struct errand_schedule_list list;
    struct errand_arena *arena;
};

/* When the last job was made: ids of errand's own begin with that time. A schedule whose
 * jobs are unique may have found a job with an id of its caller's; then the slot will
 * do. */
static int64_t last_ms(const struct errand_schedule *stored)
{
    uint8_t bytes[16];
    int64_t ms = 0;

    if (!stored->last_job.text[0])
        return 0;
    if (er_uuid_parse(stored->last_job.text, bytes) < 0 || bytes[6] >> 4 != 7)
        return stored->last_slot_ms;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | bytes[i];
    return ms;
}

static int next_fill(const struct er_schedule_row *row, struct er_zones *zones,
                     int64_t now_ms, struct errand_arena *arena,
                     struct errand_schedule_info *info, struct errand_error *err)
{
    struct errand_error inner = {0};
    int64_t after_ms = now_ms;

    if (row->stored.last_slot_ms > after_ms)
        after_ms = row->stored.last_slot_ms;
    if (row->spec.since_ms > after_ms)
        after_ms = row->spec.since_ms;
    if (slots_of(&row->spec, zones, after_ms, &info->next_ms, 1, &inner) >= 0)
        return 0;
    info->error = errand_arena_copy(arena, inner.message, strlen(inner.message));
    return info->error ? 0 : er_error_nomem(err);
}

static struct errand_schedule_info info_of(const struct er_schedule_row *row,
                                           int64_t now_ms)
{
    const struct er_schedule *s = &row->spec;

    return (struct errand_schedule_info){
        .name = row->stored.name,
        .job = er_schedule_job(row),
        .cron = s->cron ? s->cron : "",
        .zone = s->zone && s->zone[0] ? s->zone : "UTC",
        .data = s->data,
        .overlap = s->overlap,
        .missed = s->missed,
        .missed_max = s->missed_max ? s->missed_max : ER_MISSED_MAX_DEFAULT,
        .jitter_ms = s->jitter_ms,
        .from = er_schedule_from_name(s->from),
        .owner = s->owner ? s->owner : "",
        .is_paused = row->stored.paused,
        .last_ms = last_ms(&row->stored),
        .last_slot_ms = row->stored.last_slot_ms,
        .missed_n = row->stored.missed_n,
        .last_job = row->stored.last_job,
        .error = row->error,
        .overdue_ms = er_schedule_overdue(row, now_ms),
    };
}

static int list_fill(errand *e, struct errand_arena *arena, struct er_zones *zones,
                     struct errand_schedule_list *ret, struct errand_error *err)
{
    int64_t now_ms = er_client_wall_ms(e);
    struct er_schedule_rows rows = {0};
    int rc;

    if ((rc = er_schedules_read(e->store, arena, &rows, err)) < 0)
        return rc;
    ret->schedules = errand_arena_alloc(arena, (rows.n + 1) * sizeof *ret->schedules);
    if (!ret->schedules)
        return er_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        ret->schedules[i] = info_of(&rows.rows[i], now_ms);
        if (!rows.rows[i].error)
            rc = next_fill(&rows.rows[i], zones, now_ms, arena, &ret->schedules[i], err);
    }
    ret->schedules_n = rows.n;
    return rc;
}

int errand_schedule_list(errand *e, struct errand_schedule_list **ret,
                         struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct owned_list *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    struct er_zones *zones = er_zones_new(NULL);
    int rc;

    if (!owned || !zones) {
        rc = er_error_nomem(err);
        goto out;
    }
    owned->arena = arena;
    if ((rc = list_fill(e, arena, zones, &owned->list, err)) < 0)
        goto out;
    er_zones_free(zones);
    *ret = &owned->list;
    return 0;
out:
    er_zones_free(zones);
    er_arena_free(arena);
    return rc;
}

void errand_schedule_list_free(struct errand_schedule_list *list)
{
    if (list)
        er_arena_free(((struct owned_list *)list)->arena);
}
