/* here.h: running a handler in this process and thread, without a store and without a
 * retry: what dispatching in sync and tests of jobs stand on.
 *
 * Nobody can stop a handler that runs in one's own process. So its time-out is a deadline
 * on the monotonic clock that errand_job_stopping sees, and whoever comes back after it
 * has timed out, whatever it says. A handler that must be stoppable runs in a child
 * (sync.h). */
#ifndef ER_WORKER_HERE_H
#define ER_WORKER_HERE_H

#include "base/buf.h"
#include "worker/job.h"

#include "errand/client.h"

/* Zero means default. */
struct er_here {
    const struct errand_job_class *job_class;
    const char *id, *name, *queue; /* NULL: a new id, the name of the class, "default" */
    struct errand_slice data;      /* JSON, already checked; ptr NULL: null */
    int32_t attempt, tries;        /* 1 */
    int64_t timeout_ms;            /* 0: none */
    /* a line of errand_job_log, without its end; NULL: to standard output */
    void (*log)(void *ctx, const char *line, size_t len);
    void *ctx;
    /* both or none: the job is of this store and may ask it (errand_job_dispatch …) */
    errand *store;
    const struct errand_reserved *reserved;
};

struct er_here_answer {
    int verdict; /* enum errand_verdict; after its time: ERRAND_RETRY */
    bool is_late;
    int64_t took_ms;
    int64_t snooze_ms; /* ERRAND_SNOOZE; ERRAND_RETRY: its own wait, 0: the backoff */
    /* not DONE and not SNOOZE: as the handler set it, or why there is none; late:
     * ERRAND_ETIMEOUT */
    struct errand_error error;
    struct er_buf result; /* JSON; empty: none */
    int percent;          /* the last progress; -1: none */
    char note[ER_NOTE_MAX];
};

/* Runs it through its middleware, and after a time-out its timed_out hook; the failed
 * hook belongs to a job that was stored. 0 whatever the handler answers, or ENOMEM.
 * Release the answer with er_here_done, also after an error. */
int er_here_run(const struct er_here *run, struct er_here_answer *ret,
                struct errand_error *err);
/* Runs the failed hook, where the class has one; it sees this error. 0 or ENOMEM. */
int er_here_failed(const struct er_here *run, struct errand_slice error,
                   struct errand_error *err);
void er_here_done(struct er_here_answer *answer);

#endif
