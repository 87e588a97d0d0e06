/* schedule.h: what is dispatched by the clock.
 *
 * A schedule is a cron line with a name and a job; each instant at which it fires is a
 * slot. A slot gives one job, however many schedulers run and whichever of them dies: the
 * slot is recorded in the transaction that stores its job. A schedule comes from one of
 * three places, and the first of these holds when a name is said twice:
 *
 *   put by hand (errand_schedule_put, schedule:put)  until it is deleted by hand
 *   `schedules:` of errand.yml                       as long as it stands there
 *   `.schedule` of a job class, its header line      as long as the class says so
 *
 * Nothing fires without a scheduler: errand queue:schedule, errand queue:work --schedule,
 * errand_scheduler_start or errand_schedule_run.
 *
 * Schedules are found by exact name, then without case and separators, so that
 * "daily-report" finds DailyReport. */
#ifndef ERRAND_SCHEDULE_H
#define ERRAND_SCHEDULE_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A slot is missed when it is more than a minute late: no scheduler ran, or none could
 * reach the store. */
enum errand_missed {
    ERRAND_MISSED_ONCE = 0, /* one job for all that were missed */
    ERRAND_MISSED_SKIP = 1, /* none */
    /* one each, at once and whatever `overlap` says; the last `missed_max` of them */
    ERRAND_MISSED_ALL = 2,
};

/* What to dispatch, and when. Zero means default. */
struct errand_schedule_spec {
    /* "0 8 * * MON-FRI", with seconds in front when it has six fields, or "@daily" */
    const char *cron;
    const char *zone; /* "Europe/Berlin"; NULL: UTC */
    const char *job;  /* NULL: the schedule's name */
    const char *data; /* JSON; NULL: null */
    /* What becomes of a slot while the job of an earlier one has not ended. Default: it
     * is left out. */
    enum errand_overlap overlap;
    enum errand_missed missed;
    int missed_max; /* with ERRAND_MISSED_ALL; default 100, at most 10,000 */
    /* seconds: each slot fires up to so much later, always by the same time for the same
     * name and slot; at most a day */
    double jitter;
    /* as for errand_dispatch, but for id, times (delay_ms, run_at_ms, retry_until_ms),
     * isolate and transaction. NULL: none */
    const struct errand_options *options;
};

/* Puts a schedule, or changes the one of that very name: what it has fired and whether it
 * is paused stays, and when cron line or zone are new, its slots count from now. Strings
 * are copied. ECONFLICT: the name is there in another spelling; EINVAL names what is
 * wrong: the field of the cron line, a zone that is not known, a cron line that never
 * fires. */
ERRAND_API int errand_schedule_put(errand *e, const char *name,
                                   const struct errand_schedule_spec *spec,
                                   struct errand_error *err);
/* ENOTFOUND, here and below. One that errand.yml or a class says comes back when that is
 * read again; pause it instead. Jobs that it has dispatched stay. */
ERRAND_API int errand_schedule_delete(errand *e, const char *name,
                                      struct errand_error *err);
/* While it is paused its slots pass without a job, also for `missed`. */
ERRAND_API int errand_schedule_pause(errand *e, const char *name,
                                     struct errand_error *err);
ERRAND_API int errand_schedule_resume(errand *e, const char *name,
                                      struct errand_error *err);
/* Dispatches its job now, and moves nothing: not the next slot, nor what counts as
 * overlap. Works without a scheduler and while it is paused. Answers as errand_dispatch.
 */
ERRAND_API int errand_schedule_trigger(errand *e, const char *name,
                                       struct errand_id *ret_id,
                                       struct errand_error *err);
/* The first `max` slots after `after_ms` (0: now), in `ret_ms`. Answers how many there
 * are: fewer when it never fires again. */
ERRAND_API int errand_schedule_next(errand *e, const char *name, int64_t after_ms,
                                    int64_t *ret_ms, size_t max,
                                    struct errand_error *err);

struct errand_schedule_info {
    const char *name, *job, *cron;
    const char *zone;         /* "UTC" for the default */
    struct errand_slice data; /* empty: null */
    enum errand_overlap overlap;
    enum errand_missed missed;
    int missed_max;
    int64_t jitter_ms;
    const char *from;  /* "hand", "config" or "job" */
    const char *owner; /* the project or program it comes from; "" when put by hand */
    bool is_paused;
    int64_t next_ms;           /* next slot; 0: none */
    int64_t last_ms;           /* when it last dispatched; 0: never */
    int64_t last_slot_ms;      /* last slot that was recorded, with a job or without */
    int64_t missed_n;          /* slots without a job, ever */
    struct errand_id last_job; /* of its last slot */
    const char *error;         /* NULL, or why it cannot fire */
    /* the slot it should have fired at and has not, because nobody runs the scheduler; 0
     */
    int64_t overdue_ms;
};

struct errand_schedule_list {
    struct errand_schedule_info *schedules; /* by name */
    size_t schedules_n;
};

/* All of them; free with errand_schedule_list_free. What is stored and cannot be read
 * (written by a newer errand) is listed with its error. */
ERRAND_API int errand_schedule_list(errand *e, struct errand_schedule_list **ret,
                                    struct errand_error *err);
/* NULL allowed */
ERRAND_API void errand_schedule_list_free(struct errand_schedule_list *list);

/* ------------------------------------------------------------------ the scheduler */

struct errand_scheduler_options {
    /* Told of what happens, a line each without its end: what was dispatched, left out or
     * missed, and with `is_warning` what went wrong. From the scheduler's own thread;
     * NULL: nobody. */
    void (*note)(void *ctx, bool is_warning, const char *line);
    void *ctx;
    /* Called as the scheduler begins and whenever HUP tells errand_schedule_run to read
     * again, from the scheduler's thread and with its handle: a place to put schedules.
     * NULL: nothing. */
    void (*load)(void *ctx, errand *e);
};

typedef struct errand_scheduler errand_scheduler;

/* Starts a scheduler on a thread and a connection of its own, and returns when it runs.
 * The schedules of this program's job classes are put. Signals are left to the program.
 * "memory:" without a name is EINVAL: nobody else could see what is in it. */
ERRAND_API int errand_scheduler_start(const char *url, const struct errand_config *config,
                                      const struct errand_scheduler_options *options,
                                      errand_scheduler **ret, struct errand_error *err);
/* Stops it and waits for that: at most for the call to the store that is being made. What
 * is not dispatched by then, another scheduler or the next start does. May be called
 * twice. */
ERRAND_API void errand_scheduler_stop(errand_scheduler *scheduler);
/* Stops it when it runs, and frees it; NULL allowed. */
ERRAND_API void errand_scheduler_free(errand_scheduler *scheduler);

struct errand_scheduler_entry {
    const char *name, *job;
    bool is_paused;
    int64_t next_ms;   /* when the next slot is; 0: never again */
    int64_t last_ms;   /* when this scheduler last dispatched it; 0: not yet */
    int64_t missed_n;  /* slots without a job, ever, as last read from the store */
    const char *error; /* NULL, or why it cannot fire */
};

struct errand_scheduler_status {
    bool is_running;
    struct errand_scheduler_entry *entries; /* by name */
    size_t entries_n;
};

/* As it is now, also when it is stopped; free with errand_scheduler_status_free. Any
 * thread may ask. */
ERRAND_API int errand_scheduler_status(errand_scheduler *scheduler,
                                       struct errand_scheduler_status **ret,
                                       struct errand_error *err);
/* NULL allowed */
ERRAND_API void errand_scheduler_status_free(struct errand_scheduler_status *status);
/* The entry of that name, or NULL. */
ERRAND_API const struct errand_scheduler_entry *errand_scheduler_entry(
    const struct errand_scheduler_status *status, const char *name);

/* A scheduler on this thread, until TERM or INT: the whole of errand queue:schedule.
 * Returns 0, or why it could not begin. HUP reads everything again. */
ERRAND_API int errand_schedule_run(const char *url, const struct errand_config *config,
                                   const struct errand_scheduler_options *options,
                                   struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
