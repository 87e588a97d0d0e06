/* worker.h: running jobs. One supervisor process or thread, N runners beside it; see
 * docs/worker.md. */
#ifndef ERRAND_WORKER_H
#define ERRAND_WORKER_H

#include "errand/client.h"
#include "errand/job.h"

#ifdef __cplusplus
extern "C" {
#endif

struct errand_notify;

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

/* Queues that share so many places of a worker, apart from those of other pools. */
struct errand_worker_pool {
    const char *const *queues; /* NULL-terminated, strict order; NULL: all */
    int concurrency;           /* default: 1 */
};

/* Zero means default. */
struct errand_worker_options {
    /* NULL-terminated, strict order, left first; NULL: all queues as one line */
    const char *const *queues;
    int concurrency;  /* runners; default: number of cores */
    int64_t max_jobs; /* exit after so many attempts have ended */
    double max_time;  /* seconds; exit then */
    /* MiB of address space a runner may use (RLIMIT_AS). One that holds three quarters
     * of it after a job is recycled, so that the next job does not meet the limit. At
     * least 16: with less no runner gets as far as its main. */
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
    /* NULL: nobody is told of failures; see notify.h, errand_notify_configure */
    const struct errand_notify *notify;
    /* what the project is called as the owner of the schedules of its job files; NULL: by
     * its folder */
    const char *project_name;
    /* several pools in one worker; `queues` and `concurrency` then stay empty */
    const struct errand_worker_pool *pools;
    size_t pools_n; /* at most 64 */
};

/* Works jobs from the store at `url` until told to stop (TERM, INT, max_jobs, …). Blocks.
 * Returns 0, or an error that made working impossible. Signals: TERM and INT stop, a
 * second one at once; HUP reloads; TSTP quiets. */
ERRAND_API int errand_worker_run(const char *url, const struct errand_config *config,
                                 const struct errand_worker_options *options,
                                 struct errand_error *err);

/* ------------------------------------------------------------------ inside a program
 *
 * The same worker on a thread of its own, in a program that goes on with its own work. It
 * takes no signal of the program and prints nothing; its handlers run in children, as
 * always. The program's main begins with errand_runner_main. Several may run in one
 * process. An embedded worker does not look for what its jobs leave behind outside of
 * their process group (errand_worker_run does). */
typedef struct errand_worker errand_worker;

/* Returns when it works: the store is open and a first runner has said what it can run.
 * What `url`, `config` and `options` point to may go then. `*ret` is yours:
 * errand_worker_free. An error means that no worker was left running. */
ERRAND_API int errand_worker_start(const char *url, const struct errand_config *config,
                                   const struct errand_worker_options *options,
                                   errand_worker **ret, struct errand_error *err);
/* Drains: reserves nothing more, lets what runs end within the grace, hands the rest
 * back, and returns when all children are gone. 0, also for one that has stopped already,
 * or the error it ended with. Not from a signal handler (errand_worker_ask). */
ERRAND_API int errand_worker_stop(errand_worker *worker, struct errand_error *err);
/* Waits until it has ended by itself (max_jobs, stop_when_empty, …) or was asked to;
 * timeout_ms < 0: for ever. ERRAND_ETIMEOUT. */
ERRAND_API int errand_worker_wait(errand_worker *worker, int64_t timeout_ms,
                                  struct errand_error *err);
/* Stops it if it runs. NULL allowed. In the child of a fork it releases memory alone. */
ERRAND_API void errand_worker_free(errand_worker *worker);

/* Asks and returns at once; safe in a signal handler and from any thread. */
enum errand_worker_request {
    ERRAND_WORKER_STOP = 1,     /* as TERM */
    ERRAND_WORKER_STOP_NOW = 2, /* as a second one */
    ERRAND_WORKER_QUIET = 3,    /* reserve nothing */
    ERRAND_WORKER_RESUME = 4,
    ERRAND_WORKER_RELOAD = 5, /* as HUP */
};
ERRAND_API void errand_worker_ask(errand_worker *worker,
                                  enum errand_worker_request request);

enum errand_worker_state {
    ERRAND_WORKER_STARTING = 0,
    ERRAND_WORKER_WORKING = 1,
    ERRAND_WORKER_STOPPING = 2,
    ERRAND_WORKER_ENDED = 3,
};
struct errand_worker_status {
    enum errand_worker_state state;
    bool is_running; /* WORKING */
    int64_t started_ms;
    int64_t ended_n;   /* attempts that have ended */
    int64_t running_n; /* places that are taken */
    int64_t runners_n;
    char warning[512]; /* the last thing that went wrong; "" for nothing */
};
/* As of its last turn; from any thread. */
ERRAND_API void errand_worker_status(errand_worker *worker,
                                     struct errand_worker_status *ret);

/* ------------------------------------------------------------------ several pools
 *
 *     errand_manager *m = errand_manager_new("sqlite:jobs.db", NULL, &err);
 *     errand_manager_add(m, "default", 3, &err);
 *     errand_manager_add(m, "emails", 2, &err);
 *     errand_manager_start(m, &err);
 *     …
 *     errand_manager_stop(m, &err);
 *     errand_manager_free(m);
 *
 * One worker on a thread of its own, in which each pool has its own places: at most that
 * many of its jobs run at a time, whatever the others do. */
typedef struct errand_manager errand_manager;

/* `options`: what holds for all pools; its queues, concurrency and pools stay empty. All
 * is copied, but `config`, which must live as long as the manager. */
ERRAND_API errand_manager *errand_manager_new(const char *url,
                                              const struct errand_config *config,
                                              const struct errand_worker_options *options,
                                              struct errand_error *err);
/* A pool: one queue, or several by comma, left first; concurrency 0: 1. ECONFLICT while
 * it works. */
ERRAND_API int errand_manager_add(errand_manager *manager, const char *queues,
                                  int concurrency, struct errand_error *err);
/* As errand_worker_start; after a stop it may be started again. EINVAL without a pool,
 * ECONFLICT when it works already. */
ERRAND_API int errand_manager_start(errand_manager *manager, struct errand_error *err);
/* As errand_worker_stop; nothing to do when it does not work. */
ERRAND_API int errand_manager_stop(errand_manager *manager, struct errand_error *err);
/* The worker behind it, for status, ask and wait; NULL before the first start. Borrowed
 * until the next start. */
ERRAND_API errand_worker *errand_manager_worker(errand_manager *manager);
ERRAND_API void errand_manager_free(errand_manager *manager); /* stops; NULL allowed */

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
