/* slots.h: the places where attempts run: at most `concurrency` at a time, in runners
 * that are kept or in processes of their own. */
#ifndef ER_WORKER_SLOTS_H
#define ER_WORKER_SLOTS_H

#include "worker/attempt.h"
#include "worker/runner_link.h"

struct er_supervisor;
struct er_pool;
struct er_ending;

enum {
    /* jobs ahead of no-ops: half the commits of 100, 15 % less CPU a job */
    ER_AHEAD_N = 200,
    /* how often a job asks for what this worker cannot run it without */
    ER_MEND_MS = 10000,
    ER_SLOW_MS = 20,    /* a job that runs so long does not keep others waiting */
    ER_UNSEEN_MS = 100, /* how often to look whether a job given has begun */
};

struct er_slots {
    struct er_runner *runners;
    struct er_exec *execs;
    size_t execs_n;
    struct er_attempt *pending_first, *pending_last; /* in the order of the store */
    size_t pending_n;
    double typical_ms; /* what a job takes, moving average; < 0: not known */
    int start_failures;
    int64_t start_at_ms; /* no runner is started before */
    char start_error[1024];
    char key_error[512];         /* why encrypted data cannot be opened here */
    struct er_runner *graveyard; /* ended, their handles still closing */
};

/* A job of this plan took so long. */
void er_slots_measure(struct er_supervisor *s, struct er_plan *plan, double ms);
/* How many jobs can be started soon. */
size_t er_slots_room(struct er_supervisor *s, const struct er_pool *pool);
/* Places that are taken. */
size_t er_slots_busy(const struct er_slots *slots);
/* Some place has nothing to do. */
bool er_slots_has_idle(struct er_supervisor *s, const struct er_pool *pool);
void er_slots_add(struct er_supervisor *s, struct er_lot *lot);
void er_slots_pend_first(struct er_supervisor *s, struct er_attempt *attempt);
void er_slots_pend_remove(struct er_supervisor *s, struct er_attempt *attempt);
/* Pending attempts to places, in order. */
void er_slots_assign(struct er_supervisor *s);
/* Looks at the clock for all of them: time-outs, kills, slow jobs, recycling. */
void er_slots_tick(struct er_supervisor *s);
/* Stops an attempt wherever it is; it is settled when it has stopped. */
void er_slots_stop(struct er_supervisor *s, struct er_attempt *attempt, enum er_stop why);
/* Everything that has not begun is handed back, what runs is told that time is short. */
void er_slots_hand_back(struct er_supervisor *s);
/* All that runs, at once. */
void er_slots_stop_all(struct er_supervisor *s, enum er_stop why);
void er_slots_retire_all(struct er_supervisor *s);
bool er_slots_are_gone(const struct er_supervisor *s); /* no child is left */
void er_slots_kill_all(struct er_supervisor *s);
void er_slots_done(struct er_supervisor *s);

void er_slots_start_runner(struct er_supervisor *s);
/* A runner ended. */
void er_slots_runner_gone(struct er_supervisor *s, struct er_runner *runner,
                          const struct er_ending *ending);
void er_slots_hello(struct er_supervisor *s, struct er_runner *runner);
void er_slots_start_failed(struct er_supervisor *s, const char *why);

#endif
