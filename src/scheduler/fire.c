/* fire.c: one slot, and the slots that are late.
 *
 * Other schedulers do the same at the same time. Whoever comes second is answered
 * ALREADY and goes on as if it had been first: nothing here depends on who it was, but
 * for telling it, which the first does alone. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"
#include "core/events.h"
#include "scheduler/scheduler.h"

/* ------------------------------------------------------------------ telling */

static void event_add(struct er_ticker *t, const struct er_entry *e, enum er_told told,
                      const struct errand_id *id, const char *text)
{
    struct errand_event event = {.type = er_told_name(told),
                                 .name = e->row.stored.name,
                                 .queue = "",
                                 .duration_ms = -1,
                                 .delay_ms = -1};

    if (id)
        event.id = *id;
    if (text)
        event.error = (struct errand_slice){text, strlen(text)};
    /* What has happened has happened, whether or not it can be told. */
    er_store_events_add(t->store, &event, 1, 0, NULL);
}

static const char *name_of(const struct er_entry *e)
{
    return e->row.stored.name;
}

/* Rare, and what an operator looks for: told whether or not anybody follows now. */
static void missed_tell(struct er_ticker *t, const struct er_entry *e,
                        const struct er_schedule_late *late)
{
    char first[32], last[32];
    char *text = er_arena_printf(
        t->arena, "schedule '%s' missed=%lld%s: %s to %s; %zu dispatched now", name_of(e),
        (long long)late->missed_n,
        late->missed_n >= ER_SCHEDULE_COUNT_MOST ? " or more" : "",
        er_time_format(late->first_ms, first, sizeof first),
        er_time_format(late->last_ms, last, sizeof last), late->slots_n);

    if (!text)
        return;
    er_ticker_note(t, true, "%s", text);
    event_add(t, e, ER_TOLD_SCHEDULE_MISSED, NULL, text);
}

static void skipped_tell(struct er_ticker *t, const struct er_entry *e, int64_t slot_ms,
                         uint32_t hints)
{
    char at[32];
    char *text = er_arena_printf(
        t->arena, "schedule '%s' left out %s: %s", name_of(e),
        er_time_format(slot_ms, at, sizeof at),
        e->row.stored.paused ? "it is paused" : "an earlier job of it has not ended");

    if (!text)
        return;
    er_ticker_note(t, false, "%s", text);
    if (hints & ERRAND_HINT_EVENTS)
        event_add(t, e, ER_TOLD_SCHEDULE_SKIPPED, NULL, text);
}

/* Of slots that are late one line has told how many there are. */
static void fired_tell(struct er_ticker *t, const struct er_entry *e, int64_t slot_ms,
                       bool is_late, const struct errand_fire_result *fired)
{
    char at[32];

    if (!is_late)
        er_ticker_note(t, false, "%s: %s %s of %s", name_of(e),
                       fired->pushed.pushed == ERRAND_INSERTED ? "dispatched" : "found",
                       fired->pushed.id.text, er_time_format(slot_ms, at, sizeof at));
    if (fired->hints & ERRAND_HINT_EVENTS)
        event_add(t, e, ER_TOLD_SCHEDULE_FIRED, &fired->pushed.id, NULL);
}

/* ------------------------------------------------------------------ one slot */

/* A job that cannot be made holds back its own schedule, and its slots are not lost: the
 * next reading tries again. */
static void trouble_set(struct er_ticker *t, size_t i, const struct errand_error *err)
{
    struct er_entry *e = &t->agenda->entries[i];
    bool is_new = !e->trouble || strcmp(e->trouble, err->message) != 0;

    t->agenda->wake_ms[i] = ER_TICKER_NEVER;
    if (!is_new)
        return;
    er_ticker_note(t, true, "schedule '%s' cannot dispatch its job: %s", name_of(e),
                   err->message);
    pthread_mutex_lock(&t->lock);
    free(e->trouble);
    e->trouble = strdup(err->message);
    pthread_mutex_unlock(&t->lock);
}

/* Is it the job that is wrong, and not the store? */
static bool is_of_job(const struct errand_error *err)
{
    return !err->retryable &&
           (err->code == ERRAND_EINVAL || err->code == ERRAND_EJSON ||
            err->code == ERRAND_ETOOBIG || err->code == ERRAND_ENOTFOUND ||
            err->code == ERRAND_ECONFLICT || err->code == ERRAND_EUNSUPPORTED);
}

static void done_set(struct er_ticker *t, size_t i, int64_t slot_ms, int64_t missed_n)
{
    struct er_entry *e = &t->agenda->entries[i];

    pthread_mutex_lock(&t->lock);
    e->base_ms = slot_ms;
    e->missed_n += missed_n;
    free(e->trouble);
    e->trouble = NULL;
    er_agenda_reckon(t->agenda, i);
    pthread_mutex_unlock(&t->lock);
}

/* One call of the store: a slot of entry i. */
struct shot {
    size_t i;
    int64_t slot_ms, now_ms;
    enum errand_overlap overlap;
    int64_t slots_n; /* recorded without a job; 0: fired */
    /* what is done with now, beyond this slot: late ones that follow. The store keeps the
     * slot after it as the next one, and so does who comes later know of it. */
    int64_t until_ms;
    bool is_late; /* one of several that are caught up */
};

static int shoot(struct er_ticker *t, const struct shot *shot,
                 const struct errand_push_job *job, struct errand_fire_result *ret,
                 struct errand_error *err)
{
    const struct er_entry *e = &t->agenda->entries[shot->i];
    struct errand_fire_params p = {
        .now_ms = t->owns_time ? shot->now_ms : 0,
        .name = name_of(e),
        .slot_ms = shot->slot_ms,
        .next_ms = er_cron_next(&e->when.cron, e->when.zone, shot->until_ms),
        .overlap = shot->overlap,
        .job = job,
        .slots_n = shot->slots_n};
    int64_t missed_n = 0;
    int rc;

    if (p.next_ms == ER_CRON_NEVER)
        p.next_ms = 0;
    if ((rc = er_store_fire(t->store, &p, t->arena, ret, err)) < 0)
        return rc;
    if (ret->fired == ERRAND_FIRED_SKIPPED)
        missed_n = 1;
    else if (ret->fired == ERRAND_FIRED_RECORDED)
        missed_n = shot->slots_n;
    done_set(t, shot->i, shot->slot_ms, missed_n);
    return (int)ret->fired;
}

/* Answers enum errand_fired. ENOTFOUND: the schedule is gone. */
static int slot_fire(struct er_ticker *t, const struct shot *shot,
                     struct errand_error *err)
{
    struct er_entry *e = &t->agenda->entries[shot->i];
    struct errand_fire_result fired;
    struct errand_options options = {0};
    struct errand_push_job job;
    int rc;

    er_arena_reset(t->arena);
    er_call_from(&e->row.spec.options, &options);
    rc = er_client_resolve(t->e, er_schedule_job(&e->row), e->row.spec.data, &options,
                           t->arena, &job, err);
    if (rc == ERRAND_ENOTFOUND) /* of the data, not of the schedule */
        rc = err->code = ERRAND_EINVAL;
    if (rc < 0 || (rc = shoot(t, shot, &job, &fired, err)) < 0)
        return rc;
    if (rc == ERRAND_FIRED) {
        pthread_mutex_lock(&t->lock);
        e->last_ms = shot->now_ms;
        pthread_mutex_unlock(&t->lock);
        fired_tell(t, e, shot->slot_ms, shot->is_late, &fired);
    } else if (rc == ERRAND_FIRED_SKIPPED) {
        skipped_tell(t, e, shot->slot_ms, fired.hints);
    }
    return rc;
}

/* Answers enum errand_fired. */
static int slots_record(struct er_ticker *t, const struct shot *shot,
                        struct errand_error *err)
{
    struct errand_fire_result fired;

    er_arena_reset(t->arena);
    return shoot(t, shot, NULL, &fired, err);
}

/* ------------------------------------------------------------------ late ones */

static bool is_stopping(const struct er_ticker *t)
{
    return t->must_stop && t->must_stop(t->ctx);
}

/* Who catches up first tells it; who joins in the middle sees by the next slot that the
 * store keeps that somebody has begun. */
static int late_fire(struct er_ticker *t, struct shot shot,
                     const struct er_schedule_late *late, struct errand_error *err)
{
    struct er_entry *e = &t->agenda->entries[shot.i];
    bool is_told = e->row.stored.next_ms > late->last_ms;
    int rc = 0;

    if (e->when.missed == ERRAND_MISSED_ALL)
        shot.overlap = ERRAND_OVERLAP_ALLOW;
    if (late->record_n) {
        shot.slot_ms = late->record_ms;
        shot.slots_n = late->record_n;
        rc = slots_record(t, &shot, err);
        if (rc >= 0 && rc != ERRAND_FIRED_ALREADY && !is_told)
            missed_tell(t, e, late);
        is_told = true;
    }
    shot.slots_n = 0;
    shot.is_late = late->slots_n > 1;
    for (size_t k = 0; rc >= 0 && k < late->slots_n && !is_stopping(t); k++) {
        shot.slot_ms = late->slots[k];
        rc = slot_fire(t, &shot, err);
        if (rc >= 0 && rc != ERRAND_FIRED_ALREADY && !is_told)
            missed_tell(t, e, late);
        is_told = true;
    }
    return rc < 0 ? rc : 0;
}

bool er_fire_is_late(const struct er_entry *e, int64_t now_ms)
{
    return !e->error && e->next_ms <= now_ms - e->when.jitter_ms - ER_SCHEDULE_LATE_MS;
}

static int late_do(struct er_ticker *t, size_t i, int64_t now_ms,
                   struct errand_error *err)
{
    struct er_entry *e = &t->agenda->entries[i];
    struct errand_arena *arena = er_arena_new();
    struct shot shot = {.i = i, .now_ms = now_ms, .overlap = e->row.spec.overlap};
    struct er_schedule_late late;
    int rc;

    if (!arena)
        return er_error_nomem(err);
    rc = er_schedule_late(&e->when, e->base_ms, now_ms, arena, &late, err);
    shot.slot_ms = shot.until_ms = late.last_ms;
    shot.slots_n = late.missed_n;
    if (rc == 0 && late.missed_n && e->row.stored.paused) /* nobody missed them */
        rc = slots_record(t, &shot, err);
    else if (rc == 0 && late.missed_n)
        rc = late_fire(t, shot, &late, err);
    er_arena_free(arena);
    return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ what is due */

static int due_do(struct er_ticker *t, size_t i, int64_t now_ms, struct errand_error *err)
{
    struct er_entry *e = &t->agenda->entries[i];
    int rc = 0;

    if (er_fire_is_late(e, now_ms))
        rc = late_do(t, i, now_ms, err);
    while (rc >= 0 && t->agenda->wake_ms[i] <= now_ms && !er_fire_is_late(e, now_ms) &&
           !is_stopping(t))
        rc = slot_fire(t,
                       &(struct shot){.i = i,
                                      .slot_ms = e->next_ms,
                                      .until_ms = e->next_ms,
                                      .now_ms = now_ms,
                                      .overlap = e->row.spec.overlap},
                       err);
    return rc < 0 ? rc : 0;
}

int er_fire_due(struct er_ticker *t, size_t i, int64_t now_ms, struct errand_error *err)
{
    struct errand_error own = {0};
    int rc = due_do(t, i, now_ms, &own);

    if (rc == ERRAND_ENOTFOUND) {
        t->agenda->wake_ms[i] = ER_TICKER_NEVER;
        t->is_stale = true;
        return 0;
    }
    if (rc < 0 && is_of_job(&own)) {
        trouble_set(t, i, &own);
        return 0;
    }
    if (rc < 0)
        *err = own;
    return rc;
}
