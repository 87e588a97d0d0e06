/* engine.h: working jobs in a process that has an event loop of its own, and runs its
 * handlers itself: a server, or the host of another language.
 *
 *     while (is_running) {
 *         errand_engine_reserve(g, free_places, &jobs, &n, &err);
 *         …begin them…
 *         poll(errand_engine_fd(g), errand_engine_timeout_ms(g));
 *         errand_engine_turn(g, &err);
 *         …errand_engine_finish(g, job, &outcome, &err) for what has ended…
 *     }
 *
 * The store and its rules are those of every other worker; what a process of its own
 * gives is not here: nobody kills a handler that hangs or survives one that crashes. All
 * calls on one engine come from one thread, and none of them waits for work. */
#ifndef ERRAND_ENGINE_H
#define ERRAND_ENGINE_H

#include "errand/client.h"
#include "errand/job.h"
#include "errand/project.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct errand_engine errand_engine;

/* Zero means default. */
struct errand_engine_options {
    const char *const *queues; /* NULL-terminated, strict order, left first; NULL: all */
    const char *name;          /* of this worker; default host-pid and a random part */
    double lease;              /* seconds; default 30. A turn is due every third of it */
    double sleep;              /* longest time without a look, seconds; default 1 */
    /* in place of a URL and a configuration, which are then NULL: its store, with its
     * queues and defaults. It must live longer than the engine */
    const struct errand_project *project;
};

/* Why an attempt should end; grows, and never goes back. */
enum errand_engine_stop {
    ERRAND_ENGINE_RUNS = 0,
    ERRAND_ENGINE_LATE = 1, /* its time-out is over: finish says so, whatever it says */
    ERRAND_ENGINE_CANCELLED = 2, /* somebody wants it stopped */
    ERRAND_ENGINE_LOST = 3, /* its lease is somebody else's: what it says is dropped */
};

/* One attempt, or the failed hook of a job (`is_failed_hook`, with the error it failed
 * with). The engine's, and valid until it is finished or the engine is closed. */
struct errand_engine_job {
    struct errand_id id;
    const char *name, *queue;
    struct errand_slice data; /* as dispatched; NUL after it */
    struct errand_slice error;
    int32_t attempt, tries;
    int64_t timeout_ms; /* 0: none */
    bool is_failed_hook;
    enum errand_engine_stop stop; /* as of the last turn */
    void *context;                /* yours */
};

/* Opens the store. What `options` points to may go. NULL with `err` set. */
ERRAND_API errand_engine *errand_engine_open(const char *url,
                                             const struct errand_config *config,
                                             const struct errand_engine_options *options,
                                             struct errand_error *err);
/* Hands back what has not been finished; the attempt does not count. NULL allowed. */
ERRAND_API void errand_engine_close(errand_engine *engine);

/* Readable when there may be work or a wish: call turn, then reserve. It belongs to the
 * engine. < 0: this store has none; then look every `sleep` seconds. */
ERRAND_API int errand_engine_fd(errand_engine *engine);
/* How long the host may sleep until the next turn; 0: it is due. */
ERRAND_API int64_t errand_engine_timeout_ms(errand_engine *engine);
/* Extends leases, sees what was cancelled, lost or is over its time (job->stop), takes
 * back what dead workers held. Cheap when nothing is due. An error is retryable or final
 * for this call alone; the engine can be used on. */
ERRAND_API int errand_engine_turn(errand_engine *engine, struct errand_error *err);

/* At most `max` jobs (0: none) that are now this host's to run; `*ret_jobs` points to
 * `*ret_n` of them and is valid until the next call. None is no error. */
ERRAND_API int errand_engine_reserve(errand_engine *engine, size_t max,
                                     struct errand_engine_job ***ret_jobs, size_t *ret_n,
                                     struct errand_error *err);

struct errand_engine_outcome {
    enum errand_verdict verdict;
    const char *error;    /* RETRY, FAIL: why */
    const char *result;   /* DONE: JSON, at most 64 KiB */
    const char *log;      /* of this attempt */
    double wait;          /* SNOOZE: seconds; RETRY: > 0 in place of the backoff */
    bool has_failed_hook; /* FAILED in the end: the host's class has a failed hook */
};
/* Whether it can be settled: a wait of 0 seconds to a year, a result that is JSON and not
 * too long. EINVAL, EJSON, ETOOBIG. */
ERRAND_API int errand_engine_outcome_check(const struct errand_engine_job *job,
                                           const struct errand_engine_outcome *outcome,
                                           struct errand_error *err);
/* Settles it: done, tried again after the backoff that the job, its published class, its
 * queue and the configuration say, or failed. For a failed hook the outcome means nothing
 * (NULL will do). An outcome that outcome_check refuses is refused, and the job stays.
 * Else the job is gone after 0 or an error that is not retryable; after one that is,
 * finish it again later. 1: it was settled by somebody else, because the lease was lost.
 */
ERRAND_API int errand_engine_finish(errand_engine *engine, struct errand_engine_job *job,
                                    const struct errand_engine_outcome *outcome,
                                    struct errand_error *err);
/* This host does not run it after all: it is READY again, in its old place, and the
 * attempt does not count. A failed hook is due again when its lease is over. The answers
 * are those of finish. */
ERRAND_API int errand_engine_hand_back(errand_engine *engine,
                                       struct errand_engine_job *job,
                                       struct errand_error *err);
/* 0 to 100 and a note (NULL: none), told with the next turn. */
ERRAND_API int errand_engine_progress(errand_engine *engine,
                                      struct errand_engine_job *job, int percent,
                                      const char *note, struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
