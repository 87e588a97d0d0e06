/* engine_inside.h: the state of an engine, for the files engine*.c. */
#ifndef ER_WORKER_ENGINE_INSIDE_H
#define ER_WORKER_ENGINE_INSIDE_H

#include "client/client.h"
#include "errand/engine.h"
#include "worker/job.h"

/* One reserve: a token, an arena and its jobs. */
struct er_lot_held {
    struct er_lot_held *next;
    struct errand_arena *arena;
    int64_t token;
    size_t open_n;
};

struct er_held {
    struct errand_engine_job job; /* the first member: the host has its address */
    struct er_held *next;
    struct er_lot_held *lot;
    const struct errand_reserved *reserved;
    struct er_options options;
    int64_t started_ms, started_mono_ms;
    bool is_cancel_wanted, has_progress, is_late_told;
    int percent;
    char note[ER_NOTE_MAX];
};

/* Numbers a minute, kept for some seconds (engine_stats.c). */
enum { ER_ENGINE_ROWS = 64 };
struct er_engine_stats {
    struct errand_stat rows[ER_ENGINE_ROWS];
    size_t n;
    int64_t flush_at_ms;        /* monotonic */
    struct errand_arena *names; /* of queues and jobs */
};

struct errand_engine {
    errand *e;
    struct er_store *store;
    struct errand_arena *own, *call;
    const char *name;
    const char **queues;
    size_t queues_n;
    int64_t lease_ms, sleep_ms;
    struct er_lot_held *lots;
    struct er_held *held;
    size_t held_n;
    struct errand_engine_job **given; /* of the last reserve */
    size_t given_size;
    int fd;
    int64_t extend_at_ms, reap_at_ms, beat_at_ms; /* monotonic */
    int64_t look_at_ms; /* when there may be work though nobody wakes us */
    int64_t extended_ms, control;
    bool is_control_due;
    bool is_followed; /* somebody follows the events, as of the last reserve */
    uint64_t random;
    struct er_engine_stats stats;
};

int64_t er_engine_now(void);               /* monotonic */
double er_engine_random(errand_engine *g); /* [0, 1) */
/* An outcome of this job with all that is known before it is decided. */
struct errand_outcome er_engine_outcome(const errand_engine *g,
                                        const struct er_held *held);
/* 0, 1: lost. The job stays when it fails and may be told again. */
int er_engine_settle(errand_engine *g, struct er_held *held,
                     const struct errand_outcome *outcome, struct errand_error *err);

/* engine_stats.c: what has been settled, and the rows to the store. */
void er_engine_count(errand_engine *g, const struct er_held *held,
                     const struct errand_outcome *outcome);
void er_engine_count_flush(errand_engine *g);
/* engine_tell.c: to those who follow. */
void er_engine_tell_started(errand_engine *g, struct errand_engine_job *const *jobs,
                            size_t n);
void er_engine_tell_late(errand_engine *g, const struct er_held *held);

#endif
