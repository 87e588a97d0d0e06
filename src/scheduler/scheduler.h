/* scheduler.h: the clockwork. What fires when is decided by core/schedule.h, that it
 * fires once by the store.
 *
 * agenda.c      the schedules as they were last read, and when each is next due
 * ticker.c    one turn: what is due at a given time is fired. Knows no clock
 * fire.c      one slot, and the slots that are late
 * scheduler.c the thread or the program around it: clocks, descriptors, signals */
#ifndef ER_SCHEDULER_SCHEDULER_H
#define ER_SCHEDULER_SCHEDULER_H

#include <pthread.h>

#include "client/client.h"
#include "client/schedules.h"
#include "core/zone.h"

enum {
    ER_AGENDA_MS = 60000,      /* read again after so long: the net below the wake-ups */
    ER_AGENDA_BLIND_MS = 2000, /* the same where the store cannot wake anybody */
};
#define ER_TICKER_NEVER INT64_MAX

struct er_entry {
    struct er_schedule_row row;
    struct er_schedule_when when;
    const char *error; /* NULL, or why it cannot be reckoned with */
    char *trouble;     /* NULL, or why its job could not be made; owned */
    int64_t base_ms;   /* slots up to this are done with */
    int64_t next_ms;   /* the first slot after it; ER_CRON_NEVER */
    int64_t last_ms;   /* when this scheduler dispatched it; 0: not yet */
    int64_t missed_n;
    uint64_t generation; /* of its zone's rules */
    bool is_ahead;       /* has fired slots that are still to come: told once */
};

/* All of one reading. The arena owns what the entries point to. */
struct er_agenda {
    struct errand_arena *arena;
    struct er_entry *entries; /* by name */
    int64_t *wake_ms;         /* of each: when it is to be looked at */
    size_t n;
    int64_t identity; /* of the store it was read from; 0: not known */
    /* each zone that is used, once, and the number its rules had */
    struct er_zone_used {
        const char *name;
        const struct er_zone *zone;
        uint64_t generation;
    } * zones;
    size_t zones_n;
};

struct er_ticker {
    errand *e;
    struct er_store *store;
    struct er_zones *zones;
    struct errand_scheduler_options options;
    pthread_mutex_t
        lock; /* of `agenda` and its entries, for who asks from another thread */
    struct er_agenda *agenda;
    struct errand_arena *arena; /* of one slot */
    bool has_wait;              /* the store wakes us */
    bool owns_time;             /* tests: the store is told the time, too */
    bool is_stale;              /* the schedules are to be read again */
    int64_t read_ms;            /* when that was done last */
    int64_t read_again_ms;      /* not before this: reading may not take all our time */
    int64_t zones_ms;           /* when the zone files were looked at */
    int64_t retry_ms;           /* the store did not answer: not before this */
    int failures;
    uint64_t random;              /* for the jitter of that */
    bool (*must_stop)(void *ctx); /* asked between two slots; NULL: never */
    /* Puts the schedules that come from here; called when the store is another one than
     * that which has them. NULL: none do */
    int (*bring)(void *ctx, struct errand_error *err);
    void *ctx; /* of these two */
};

/* `e` stays the caller's. */
int er_ticker_init(struct er_ticker *t, errand *e,
                   const struct errand_scheduler_options *options,
                   struct errand_error *err);
void er_ticker_done(struct er_ticker *t);
/* Does what is due at now_ms, wall clock. Returns when it is to be called again at the
 * latest; ER_TICKER_NEVER is no answer. Trouble is told and tried again. */
int64_t er_ticker_turn(struct er_ticker *t, int64_t now_ms);
/* 0, or why the schedules cannot be read. */
int er_ticker_read(struct er_ticker *t, int64_t now_ms, struct errand_error *err);

void er_ticker_note(const struct er_ticker *t, bool is_warning, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* agenda.c. `old` (NULL: none) is what was known before: what only we know goes over. */
int er_agenda_read(struct er_ticker *t, int64_t now_ms, const struct er_agenda *old,
                   struct er_agenda **ret, struct errand_error *err);
void er_agenda_free(struct er_agenda *agenda); /* NULL allowed */
/* The store it was read from has taken the place of that of `old`: a schedule that is put
 * again counts from now, and would leave out the slot that is due. It goes on where it
 * was. */
void er_agenda_go_on(struct er_agenda *agenda, const struct er_agenda *old);
/* Sets next_ms and wake_ms from base_ms. */
void er_agenda_reckon(struct er_agenda *agenda, size_t i);
/* Reckons again with all entries whose zone has other rules now. */
void er_agenda_zones(struct er_ticker *t, struct er_agenda *agenda);

/* fire.c: fires what is due of entry i. 0 when that is done or can wait for another
 * reading, or what the store answered. */
int er_fire_due(struct er_ticker *t, size_t i, int64_t now_ms, struct errand_error *err);
/* Has it slots that are missed, by now? */
bool er_fire_is_late(const struct er_entry *entry, int64_t now_ms);

/* scheduler.c: errand_scheduler_start and errand_schedule_run for a project, so that jobs
 * get what errand.yml says of their queues. `config` must outlive it. */
struct er_config;
int er_scheduler_start(const struct er_config *config,
                       const struct errand_scheduler_options *options,
                       errand_scheduler **ret, struct errand_error *err);
int er_scheduler_run(const struct er_config *config,
                     const struct errand_scheduler_options *options,
                     struct errand_error *err);

#endif
