/* move.h: everything of one store into another, by the store interface alone.
 *
 * What is in the target already is compared before anything is changed, unless a move was
 * cut off. Then three passes over the source: its jobs are loaded into the target; loaded
 * once more, with which every one of them is compared; taken out of the source. The
 * queues of both stand still meanwhile: they are paused until ER_MOVE_PAUSE_MS, which
 * nobody else does, so that a repeated move knows which pauses are its own. Cut off
 * anywhere and repeated, it goes on: a job that is in the target is not loaded again, and
 * none leaves the source before it has been found in the target. Nothing runs in either
 * store before the end.
 *
 * Not carried: what belongs to a run and not to a job: workers, leases, locks, events,
 * statistics, starts counted by rate limits; and the keys of jobs that are gone. */
#ifndef ER_CLIENT_MOVE_H
#define ER_CLIENT_MOVE_H

#include "store/store.h"

/* Until when a move pauses: the last millisecond of 9999. */
#define ER_MOVE_PAUSE_MS INT64_C(253402300799999)

enum er_move_pass {
    ER_MOVE_LOADING = 0,
    ER_MOVE_CHECKING = 1,
    ER_MOVE_TAKING_OUT = 2,
};

struct er_move {
    struct er_store *from, *to;
    bool keeps_source; /* its jobs stay, and its queues paused */
    int64_t now_ms;    /* 0: the stores' own clocks; tests pass a time */
    bool is_forced;    /* workers that are alive and idle are no obstacle */
    /* NULL: nobody looks */
    void (*progress)(void *ctx, enum er_move_pass pass, int64_t done, int64_t total);
    void *ctx;
};

struct er_move_result {
    struct errand_queue_info *queues; /* counts: jobs that the target was found to have */
    size_t queues_n;
    int64_t jobs_n, batches_n, schedules_n, limits_n, definitions_n;
};

/* EBUSY (retryable): jobs run, workers are alive, or another move is under way. EINVAL:
 * both are one store. ECONFLICT: a job is not the same in both, and which. */
int er_move_run(const struct er_move *move, struct errand_arena *arena,
                struct er_move_result *ret, struct errand_error *err);
/* What there is to move; changes nothing. */
int er_move_plan(struct er_store *from, struct errand_arena *arena,
                 struct er_move_result *ret, struct errand_error *err);

#endif
