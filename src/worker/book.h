/* book.h: what this worker can run, and how a given job is to be run.
 *
 * A book never changes: when app/Jobs changes, a new one is made from the next runner's
 * HELLO, and the old one goes when its last job has ended. */
#ifndef ER_WORKER_BOOK_H
#define ER_WORKER_BOOK_H

#include "core/options.h"
#include "errand/worker.h"
#include "worker/runner.h"

enum { ER_PLANS_KEPT = 256 };

/* How one job runs: its own options, then its class, its queue, the worker, the default.
 */
struct er_plan {
    struct errand_slice name, stored;        /* what it was made from, */
    const struct errand_worker_queue *queue; /* and what its queue says, or NULL */
    const struct er_job_about *about;        /* NULL: nobody here knows the name */
    const char *path;  /* executables and commands; NULL: a runner */
    char *const *argv; /* argv[0] … NULL; a hook appends its word */
    size_t argc;
    bool is_notify;    /* errand's own: it delivers notifications */
    const char *error; /* why it cannot run, or NULL */
    int64_t timeout_ms, retry_until_ms, retry_for_ms, memory_mib;
    int32_t tries; /* 0: what the store says */
    struct errand_backoff backoff;
    uint32_t hooks;
    const struct er_options *of_class; /* NULL: a command, or nobody knows the name */
    const struct er_options *asked;    /* that, when it has a key or limits */
    const struct er_options *throttle; /* who says one; NULL: nobody */
    bool is_throttle_literal;          /* its key is no template */
    const struct er_options *data;     /* what it says about its data; NULL: nothing */
    double run_ms; /* how long such a job takes, moving average; < 0: not known */
};

struct er_book {
    struct errand_arena *arena;
    struct er_jobs_about jobs;
    size_t runner_jobs_n; /* of them, those that need a runner */
    size_t errors_n;      /* files that cannot run */
    size_t refs;          /* the owner and every open attempt */
    const struct errand_worker_options *options;
    const char *project;   /* or NULL */
    struct er_options top; /* what the worker says, then the defaults */
    struct er_plan *plans[2 * ER_PLANS_KEPT];
    size_t plans_n;
};

/* `about` is the JSON of HELLO; empty: executables only. `options` outlive the book. */
int er_book_new(const struct errand_worker_options *options, struct errand_slice about,
                struct er_book **ret, struct errand_error *err);
void er_book_release(struct er_book *book); /* NULL allowed */
/* Never NULL on success: a job that cannot run has a plan with `error`. `arena` holds
 * what is too special to keep (a deadline of its own, …). */
struct er_plan *er_book_plan(struct er_book *book, const char *name, const char *queue,
                             struct errand_slice stored, struct errand_arena *arena);

#endif
