/* ticker.c: one turn of the scheduler: read what is to be read, fire what is due, and say
 * when to come back. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "scheduler/scheduler.h"

enum {
    ZONES_MS = 1000,  /* between two looks at the zone files, when something is due */
    READ_SHARE = 20,  /* reading takes at most this share of our time, */
    READ_MIN_MS = 20, /* and what comes together is read together */
};

/* ------------------------------------------------------------------ telling */

void er_ticker_note(const struct er_ticker *t, bool is_warning, const char *fmt, ...)
{
    char line[ERRAND_ERROR_MAX + 256];
    va_list ap;

    if (!t->options.note)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    t->options.note(t->options.ctx, is_warning, line);
}

/* Says it once, and waits as a worker does. */
static void store_failed(struct er_ticker *t, int64_t now_ms,
                         const struct errand_error *err)
{
    if (t->failures == 0)
        er_ticker_note(t, true, "%s; trying again until it works", err->message);
    t->retry_ms = now_ms + er_backoff_store_ms(t->failures++, err->code,
                                               er_backoff_random(&t->random));
}

static void store_works(struct er_ticker *t)
{
    if (t->failures)
        er_ticker_note(t, false, "the store answers again");
    t->failures = 0;
    t->retry_ms = 0;
}

/* ------------------------------------------------------------------ reading */

static bool is_other_store(const struct er_agenda *old, const struct er_agenda *agenda)
{
    return old && old->identity && agenda->identity && old->identity != agenda->identity;
}

/* The agenda of the store that has taken the place of that of `old`, with all that comes
 * from here in it. */
static int read_other(struct er_ticker *t, int64_t now_ms, struct er_agenda **agenda,
                      struct errand_error *err)
{
    int rc;

    if (t->bring && (rc = t->bring(t->ctx, err)) < 0)
        return rc;
    er_agenda_free(*agenda);
    *agenda = NULL;
    if ((rc = er_agenda_read(t, now_ms, t->agenda, agenda, err)) < 0)
        return rc;
    er_agenda_go_on(*agenda, t->agenda);
    er_ticker_note(t, true,
                   "the store is another one now: it was emptied or replaced; the "
                   "schedules of this scheduler are put again, %zu are there",
                   (*agenda)->n);
    return 0;
}

int er_ticker_read(struct er_ticker *t, int64_t now_ms, struct errand_error *err)
{
    struct er_agenda *agenda, *old = t->agenda;
    int64_t start_ms = er_clock_mono_ms(NULL), cost_ms;
    int rc;

    /* First armed, then read: what changes between the two wakes us. */
    if (t->has_wait && (rc = er_store_wait_arm(t->store, ERRAND_WAIT_SCHEDULES, err)) < 0)
        return rc;
    if (old)
        er_agenda_zones(t,
                        old); /* for the telling: reading would take them as they are */
    if ((rc = er_agenda_read(t, now_ms, old, &agenda, err)) < 0)
        return rc;
    if (is_other_store(old, agenda) && (rc = read_other(t, now_ms, &agenda, err)) < 0) {
        er_agenda_free(agenda);
        return rc;
    }
    pthread_mutex_lock(&t->lock);
    t->agenda = agenda;
    pthread_mutex_unlock(&t->lock);
    er_agenda_free(old);
    t->is_stale = false;
    t->read_ms = t->zones_ms = now_ms;
    cost_ms = (er_clock_mono_ms(NULL) - start_ms) * READ_SHARE;
    t->read_again_ms = now_ms + (cost_ms > READ_MIN_MS ? cost_ms : READ_MIN_MS);
    return 0;
}

/* The net below the wake-ups, and what a clock that was put back asks for. */
static bool is_read_due(const struct er_ticker *t, int64_t now_ms)
{
    int64_t age_ms = now_ms - t->read_ms;

    if (!t->agenda || age_ms < 0)
        return true;
    if (t->is_stale && now_ms >= t->read_again_ms)
        return true;
    return age_ms >= (t->has_wait ? ER_AGENDA_MS : ER_AGENDA_BLIND_MS);
}

static int64_t next_read_ms(const struct er_ticker *t)
{
    if (t->is_stale)
        return t->read_again_ms;
    return t->read_ms + (t->has_wait ? ER_AGENDA_MS : ER_AGENDA_BLIND_MS);
}

/* ------------------------------------------------------------------ the turn */

static void zones_look(struct er_ticker *t, int64_t now_ms)
{
    if (now_ms - t->zones_ms < ZONES_MS && now_ms >= t->zones_ms)
        return;
    t->zones_ms = now_ms;
    er_agenda_zones(t, t->agenda);
}

/* Fires what is due. Before anything counts as missed it is read again: others may have
 * fired it, or it may have been paused, while we slept. 1: that has been done, begin
 * again. */
static int fire_all(struct er_ticker *t, int64_t now_ms, struct errand_error *err)
{
    bool is_looked = false;
    int rc;

    for (size_t i = 0; i < t->agenda->n; i++) {
        if (t->agenda->wake_ms[i] > now_ms)
            continue;
        if (t->must_stop && t->must_stop(t->ctx))
            return 0;
        if (er_fire_is_late(&t->agenda->entries[i], now_ms) && t->read_ms != now_ms)
            return (rc = er_ticker_read(t, now_ms, err)) < 0 ? rc : 1;
        if (!is_looked)
            zones_look(t, now_ms);
        is_looked = true;
        if (t->agenda->wake_ms[i] <= now_ms && (rc = er_fire_due(t, i, now_ms, err)) < 0)
            return rc;
    }
    return 0;
}

static int turn(struct er_ticker *t, int64_t now_ms, struct errand_error *err)
{
    int rc;

    if (is_read_due(t, now_ms) && (rc = er_ticker_read(t, now_ms, err)) < 0)
        return rc;
    while ((rc = fire_all(t, now_ms, err)) > 0)
        ;
    return rc;
}

int64_t er_ticker_turn(struct er_ticker *t, int64_t now_ms)
{
    struct errand_error err = {0};
    int64_t wake_ms;

    if (t->retry_ms > now_ms && t->retry_ms - now_ms <= ER_BACKOFF_STORE_MOST_MS)
        return t->retry_ms;
    if (turn(t, now_ms, &err) < 0) {
        store_failed(t, now_ms, &err);
        return t->retry_ms;
    }
    store_works(t);
    wake_ms = next_read_ms(t);
    for (size_t i = 0; i < t->agenda->n; i++)
        if (t->agenda->wake_ms[i] < wake_ms)
            wake_ms = t->agenda->wake_ms[i];
    return wake_ms;
}

/* ------------------------------------------------------------------ begin and end */

int er_ticker_init(struct er_ticker *t, errand *e,
                   const struct errand_scheduler_options *options,
                   struct errand_error *err)
{
    struct errand_error own = {0};
    int rc;

    *t = (struct er_ticker){.e = e, .store = er_client_store(e)};
    if (options)
        t->options = *options;
    t->random = (uint64_t)er_clock_wall_ms(NULL) * 2654435761u ^ (uint64_t)getpid();
    pthread_mutex_init(&t->lock, NULL);
    t->arena = er_arena_new();
    t->zones = er_zones_new(NULL);
    if (!t->arena || !t->zones)
        return er_error_nomem(err);
    rc = er_store_wait_fd(t->store, &own);
    if (rc < 0 && rc != ERRAND_EUNSUPPORTED) {
        if (err)
            *err = own;
        return rc;
    }
    t->has_wait = rc >= 0;
    return 0;
}

void er_ticker_done(struct er_ticker *t)
{
    er_agenda_free(t->agenda);
    er_zones_free(t->zones);
    er_arena_free(t->arena);
    pthread_mutex_destroy(&t->lock);
}
