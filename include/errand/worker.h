/* worker.h: running jobs. One supervisor process or thread, N runners beside it; see
 * docs/worker.md. */
#ifndef ERRAND_WORKER_H
#define ERRAND_WORKER_H

#include "errand/client.h"
#include "errand/job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a queue says about its jobs: after their class, before the worker's own tries,
 * timeout and backoff. Zero means "not said". */
struct errand_worker_queue {
    const char *name;
    int tries;
    double timeout;
    struct errand_backoff backoff;
    /* share of the worker's time among the queues it works; 0 for all of them: strict
     * order */
    int weight;
};

/* Zero means default. */
struct errand_worker_options {
    /* NULL-terminated, strict order, left first; NULL: all queues as one line */
    const char *const *queues;
    int concurrency;  /* runners; default: number of cores */
    int64_t max_jobs; /* exit after so many attempts have ended */
    double max_time;  /* seconds; exit then */
    /* MiB of address space a runner may use (RLIMIT_AS). One that holds three quarters
     * of it after a job is recycled, so that the next job does not meet the limit. */
    int64_t memory;
    bool stop_when_empty; /* exit when nothing is READY and nothing runs */
    double grace;         /* seconds for running jobs after TERM; default 30 */
    double lease;         /* seconds; default 30 */
    /* longest sleep when idle, seconds; default 1: the safety net behind wake-ups */
    double sleep;
    int tries; /* for jobs that say nothing themselves */
    double timeout;
    struct errand_backoff backoff;
    const char *name;      /* of this worker; default host-pid */
    const char *project;   /* folder with app/Jobs; NULL: only classes of this program */
    int runner_max_jobs;   /* recycle a runner after so many jobs; default 100,000 */
    double runner_max_age; /* seconds; default 3,600 */
    bool is_quiet;         /* print nothing but errors */
    /* all that handlers inherit of the environment (NULL-terminated); NULL: all but
     * errand's secrets */
    const char *const *env_allow;
    const struct errand_worker_queue *queue_options; /* queue_options_n of them */
    size_t queue_options_n;
};

/* Works jobs from the store at `url` until told to stop (TERM, INT, max_jobs, …). Blocks.
 * Returns 0, or an error that made working impossible. Signals: TERM and INT stop, a
 * second one at once; HUP reloads; TSTP quiets. */
ERRAND_API int errand_worker_run(const char *url, const struct errand_config *config,
                                 const struct errand_worker_options *options,
                                 struct errand_error *err);

/* A program that works, or runs jobs in children, starts itself anew for each runner.
 * Call this before anything else in main: it returns when this process is the program
 * itself, and does not when it is such a child.
 *
 *     int main(int argc, char **argv)
 *     {
 *         errand_runner_main(argc, argv);
 *         …
 *     }
 */
ERRAND_API void errand_runner_main(int argc, char **argv);

/* The whole command in your own binary, with the job classes linked into it: `int
 * main(int c, char **v) { return errand_main(c, v); }`. Your program is also its own
 * runner: call this before anything else happens in main. */
ERRAND_API int errand_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
