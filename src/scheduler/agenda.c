/* agenda.c: the schedules as they were last read, and when each is next due. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "scheduler/scheduler.h"

/* ------------------------------------------------------------------ when */

void er_agenda_reckon(struct er_agenda *agenda, size_t i)
{
    struct er_entry *e = &agenda->entries[i];

    e->next_ms = ER_CRON_NEVER;
    agenda->wake_ms[i] = ER_TICKER_NEVER;
    if (e->error)
        return;
    e->generation = er_zone_generation(e->when.zone);
    e->next_ms = er_cron_next(&e->when.cron, e->when.zone, e->base_ms);
    if (e->next_ms != ER_CRON_NEVER)
        agenda->wake_ms[i] = er_schedule_due(&e->when, e->next_ms);
}

void er_agenda_zones(struct er_ticker *t, struct er_agenda *agenda)
{
    bool is_any = false;

    for (size_t z = 0; z < agenda->zones_n; z++) {
        struct er_zone_used *used = &agenda->zones[z];
        struct errand_error err = {0};
        uint64_t before = used->generation;
        /* A file that is being replaced is no reason to forget what it said. */
        if (er_zones_get(t->zones, used->name, &used->zone, &err) < 0)
            continue;
        used->generation = er_zone_generation(used->zone);
        if (used->generation == before)
            continue;
        is_any = true;
        er_ticker_note(t, false, "zone %s has new rules: its slots are reckoned again",
                       used->name);
    }
    if (!is_any)
        return;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < agenda->n; i++)
        if (!agenda->entries[i].error &&
            agenda->entries[i].generation !=
                er_zone_generation(agenda->entries[i].when.zone))
            er_agenda_reckon(agenda, i);
    pthread_mutex_unlock(&t->lock);
}

/* ------------------------------------------------------------------ reading */

static int zone_use(struct er_ticker *t, struct er_agenda *agenda, const char *name,
                    const struct er_zone **ret, struct errand_error *err)
{
    int rc;

    name = name ? name : "UTC";
    for (size_t z = 0; z < agenda->zones_n; z++)
        if (strcmp(agenda->zones[z].name, name) == 0) {
            *ret = agenda->zones[z].zone;
            return 0;
        }
    if ((rc = er_zones_get(t->zones, name, ret, err)) < 0)
        return rc;
    agenda->zones[agenda->zones_n++] = (struct er_zone_used){
        .name = name, .zone = *ret, .generation = er_zone_generation(*ret)};
    return 0;
}

static int when_fill(struct er_ticker *t, struct er_agenda *agenda, struct er_entry *e,
                     struct errand_error *err)
{
    const struct er_schedule *s = &e->row.spec;
    int rc;

    e->when = (struct er_schedule_when){.name = e->row.stored.name,
                                        .missed = s->missed,
                                        .missed_max = s->missed_max,
                                        .jitter_ms = s->jitter_ms};
    if (e->row.error)
        return errand_error_set(err, ERRAND_EINVAL, "%s", e->row.error);
    if ((rc = er_cron_parse(s->cron ? s->cron : "", &e->when.cron, err)) < 0)
        return rc;
    return zone_use(t, agenda, s->zone, &e->when.zone, err);
}

/* What only this process knows. */
static void keep(struct er_entry *e, const struct er_entry *before)
{
    e->last_ms = before->last_ms;
    e->is_ahead = before->is_ahead;
    if (before->trouble)
        e->trouble = strdup(before->trouble);
}

static bool fires_as(const struct er_schedule *a, const struct er_schedule *b)
{
    return strcmp(a->cron ? a->cron : "", b->cron ? b->cron : "") == 0 &&
           strcmp(a->zone ? a->zone : "", b->zone ? b->zone : "") == 0;
}

static void error_tell(struct er_ticker *t, const struct er_entry *e,
                       const struct er_entry *before)
{
    if (!e->error || (before && before->error && strcmp(before->error, e->error) == 0))
        return;
    er_ticker_note(t, true, "schedule '%s' does not fire: %s", e->row.stored.name,
                   e->error);
}

/* The clock was put back behind what has fired. No slot may fire twice, so it rests; who
 * reads this may know better. */
static void ahead_tell(struct er_ticker *t, struct er_entry *e, int64_t now_ms)
{
    bool is_ahead = !e->error && e->base_ms > now_ms + ER_SCHEDULE_LATE_MS;

    if (is_ahead && !e->is_ahead)
        er_ticker_note(
            t, true,
            "schedule '%s' has fired slots that are still to come, as the clock "
            "was put back: it rests for %lld s; to begin anew, delete it and "
            "put it again",
            e->row.stored.name, (long long)(e->base_ms - now_ms) / 1000);
    e->is_ahead = is_ahead;
}

static const struct er_entry *entry_find(const struct er_agenda *agenda, size_t *from,
                                         const char *name)
{
    while (agenda && *from < agenda->n) {
        int order = strcmp(agenda->entries[*from].row.stored.name, name);
        if (order >= 0)
            return order == 0 ? &agenda->entries[*from] : NULL;
        ++*from;
    }
    return NULL;
}

static int entry_fill(struct er_ticker *t, struct er_agenda *agenda, size_t i,
                      const struct er_entry *before, int64_t now_ms)
{
    struct er_entry *e = &agenda->entries[i];
    struct errand_error inner = {0};

    e->missed_n = e->row.stored.missed_n;
    e->base_ms = e->row.stored.last_slot_ms;
    if (e->row.spec.since_ms > e->base_ms)
        e->base_ms = e->row.spec.since_ms;
    if (before)
        keep(e, before);
    if (when_fill(t, agenda, e, &inner) < 0) {
        e->error = errand_arena_copy(agenda->arena, inner.message, strlen(inner.message));
        if (!e->error)
            return -1;
    }
    error_tell(t, e, before);
    ahead_tell(t, e, now_ms);
    er_agenda_reckon(agenda, i);
    return 0;
}

static int agenda_fill(struct er_ticker *t, struct er_agenda *agenda, int64_t now_ms,
                       const struct er_agenda *old, struct errand_error *err)
{
    struct er_schedule_rows rows;
    size_t from = 0;
    int rc;

    if ((rc = er_schedules_read(t->store, agenda->arena, &rows, err)) < 0)
        return rc;
    agenda->identity = rows.identity;
    agenda->entries =
        errand_arena_alloc(agenda->arena, (rows.n + 1) * sizeof *agenda->entries);
    agenda->wake_ms =
        errand_arena_alloc(agenda->arena, (rows.n + 1) * sizeof *agenda->wake_ms);
    agenda->zones =
        errand_arena_alloc(agenda->arena, (rows.n + 1) * sizeof *agenda->zones);
    if (!agenda->entries || !agenda->wake_ms || !agenda->zones)
        return er_error_nomem(err);
    for (size_t i = 0; i < rows.n; i++) {
        const struct er_entry *before = entry_find(old, &from, rows.rows[i].stored.name);
        agenda->entries[i].row = rows.rows[i];
        agenda->n++;
        if (entry_fill(t, agenda, i, before, now_ms) < 0)
            return er_error_nomem(err);
    }
    return 0;
}

void er_agenda_go_on(struct er_agenda *agenda, const struct er_agenda *old)
{
    size_t from = 0;

    for (size_t i = 0; i < agenda->n; i++) {
        struct er_entry *e = &agenda->entries[i];
        const struct er_entry *before = entry_find(old, &from, e->row.stored.name);
        if (!before || before->base_ms >= e->base_ms ||
            !fires_as(&before->row.spec, &e->row.spec))
            continue;
        e->base_ms = before->base_ms;
        er_agenda_reckon(agenda, i);
    }
}

int er_agenda_read(struct er_ticker *t, int64_t now_ms, const struct er_agenda *old,
                   struct er_agenda **ret, struct errand_error *err)
{
    struct er_agenda *agenda = calloc(1, sizeof *agenda);
    int rc;

    if (!agenda || !(agenda->arena = er_arena_new())) {
        free(agenda);
        return er_error_nomem(err);
    }
    if ((rc = agenda_fill(t, agenda, now_ms, old, err)) < 0) {
        er_agenda_free(agenda);
        return rc;
    }
    *ret = agenda;
    return 0;
}

void er_agenda_free(struct er_agenda *agenda)
{
    if (!agenda)
        return;
    for (size_t i = 0; i < agenda->n; i++)
        free(agenda->entries[i].trouble);
    er_arena_free(agenda->arena);
    free(agenda);
}
