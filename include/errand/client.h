/* client.h: what an application calls to hand out work and to look after it.
 *
 * One `errand` handle is used by one thread at a time; open one per thread. It must not
 * be used in the child of a fork (ERRAND_EFORKED); close it there, which releases memory
 * and leaves the store alone. */
#ifndef ERRAND_CLIENT_H
#define ERRAND_CLIENT_H

#include "errand/driver.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct errand errand;
struct errand_job_class; /* job.h */

/* Zero means default. */
struct errand_config {
    enum errand_durable durable;
    bool must_exist; /* do not make a store that is not there */
    bool read_only;
    bool force;
    int64_t busy_ms;           /* 30,000 */
    int64_t keep_completed_ms; /* 24 h; ERRAND_KEEP_NONE, ERRAND_KEEP_ALL */
    int64_t keep_completed_n;  /* 10,000 a queue; the same names */
    size_t max_data;           /* 1 MiB; at most 16 MiB */
    int max_depth;             /* 64 */
    /* For jobs whose call, class and queue say nothing. `queue` and `tries` count where a
     * job is dispatched, `timeout` and `backoff` where it runs (errand_worker_run). */
    const char *queue; /* "default" */
    int tries;         /* 3 */
    double timeout;    /* 300 s */
    struct errand_backoff backoff;
    /* The key ring (docs/guide/data.md): a file with the keys for data that is encrypted.
     * Read when it is first needed; NULL: none. */
    const char *keys;
};
enum { ERRAND_KEEP_NONE = -1, ERRAND_KEEP_ALL = -2 };

/* Opens a store: "sqlite:PATH", "memory:", "memory:NAME" (shared inside the process).
 * `config` NULL: defaults. */
ERRAND_API errand *errand_open(const char *url, const struct errand_config *config,
                               struct errand_error *err);
ERRAND_API void errand_close(errand *e); /* NULL allowed */

/* How a job is to run; zero means "not said", and the job's class, queue and
 * configuration decide: queue, tries, priority, tags and key when it is dispatched, by
 * what its owner has published in the store; the rest when an attempt starts. */
struct errand_options {
    /* your own id: dispatching it again inserts nothing and answers ERRAND_DUPLICATE */
    struct errand_id id;
    const char *queue;
    int64_t delay_ms;  /* < 0 is an error */
    int64_t run_at_ms; /* an instant, UTC; past: now. Not with delay_ms */
    int tries;         /* ERRAND_NO_RETRY: one attempt */
    double timeout;    /* seconds */
    struct errand_backoff backoff;
    int priority;
    /* A key that one waiting or running job may hold, at most 512 bytes, shared by all
     * jobs of the store whatever their name. Held for unique_for, or without that until
     * the job is done, unless unique_until says more. */
    const char *unique;
    double unique_for; /* seconds */
    enum errand_unique_until unique_until;
    enum errand_unique_policy unique_policy;
    /* Limits in place of those of the class, see middleware.h; a key is the key itself,
     * not a template. What waits at a rate or a concurrency uses no attempt; what a
     * throttle does not let through is skipped. */
    struct errand_rate rate;
    struct errand_concurrency concurrency;
    struct errand_rate throttle;
    const char *const *tags; /* NULL-terminated */
    /* the store sees the data in no other form; needs keys in the configuration, and
     * cannot be taken back where the class says it */
    bool encrypted;
    /* errand's own: an executable with arguments as JSON array, see queue:run */
    const char *command;
    /* instants, UTC ms: no attempt begins after it; the job fails instead of being tried
     * again. 0: not said */
    int64_t retry_until_ms;
    /* errand_dispatch_sync: in a child process that is killed when its time is over */
    bool isolate;
    /* your own sqlite3 * on the same file, with a transaction open: the job exists when
     * and if that commits. ERRAND_EUNSUPPORTED where a store cannot */
    void *transaction;
};

/* Stores a job; `data` is JSON, NULL: null. Answers 0 (ERRAND_INSERTED) or what enum
 * errand_pushed says, and the id of the job that now stands for it (`ret_id` may be
 * NULL). When it returns, the job survives the kill of any process. EJSON and ETOOBIG
 * name the place in the data, EINVAL the option and its value; EBUSY after busy_ms of
 * waiting. */
ERRAND_API int errand_dispatch(errand *e, const char *name, const char *data,
                               const struct errand_options *options,
                               struct errand_id *ret_id, struct errand_error *err);

/* The same for a class at hand: ERRAND_JOB(SendMail, …) defines errand_class_SendMail in
 * its file; any other struct will do as well, registered or not. Its options hold, also
 * where nobody has published them yet. By name, too, a class that is linked into this
 * program stands before what another process has published under that name. */
ERRAND_API int errand_dispatch_class(errand *e, const struct errand_job_class *job_class,
                                     const char *data,
                                     const struct errand_options *options,
                                     struct errand_id *ret_id, struct errand_error *err);

/* Dispatches when the condition holds, or when it does not. Else nothing is looked at,
 * neither name nor data, `*ret_id` is emptied and the answer is ERRAND_NOT_DISPATCHED. */
enum { ERRAND_NOT_DISPATCHED = 100 };
ERRAND_API int errand_dispatch_if(errand *e, bool condition, const char *name,
                                  const char *data, const struct errand_options *options,
                                  struct errand_id *ret_id, struct errand_error *err);
ERRAND_API int errand_dispatch_unless(errand *e, bool condition, const char *name,
                                      const char *data,
                                      const struct errand_options *options,
                                      struct errand_id *ret_id, struct errand_error *err);

/* Dispatches a job that may run in so many seconds, 0: now; EINVAL for NaN, less than 0
 * and more than a hundred years. Or from an instant on, in milliseconds UTC; one that has
 * passed means now. */
ERRAND_API int errand_dispatch_after(errand *e, double seconds, const char *name,
                                     const char *data,
                                     const struct errand_options *options,
                                     struct errand_id *ret_id, struct errand_error *err);
ERRAND_API int errand_dispatch_at(errand *e, int64_t at_ms, const char *name,
                                  const char *data, const struct errand_options *options,
                                  struct errand_id *ret_id, struct errand_error *err);

/* The instant that a text such as "2026-12-24T18:00:00Z" names, in milliseconds UTC, for
 * every call and field that takes one. EINVAL: it names none. */
ERRAND_API int errand_instant(const char *text, int64_t *ret_ms,
                              struct errand_error *err);

/* Runs the handler here and now, through its middleware: no store, no retry, no failed
 * hook. The class is one of this program. 0, and the result as JSON in `*ret_result`
 * (yours: free(); NULL: it left none; `ret_result` may be NULL). Else, in `err`:
 *
 *   what the handler said, with its code  it returned RETRY or FAIL; the answer is EJOB
 *   ETIMEOUT  it took longer than its time-out, whatever it said; timed_out was called
 *   EJOB      it wants to run later (SNOOZE), or its process died
 *   ENOTFOUND no class of that name; EINVAL, EJSON, ETOOBIG as in errand_dispatch
 *
 * It runs in the calling thread, where nothing can stop it: its time-out is a deadline
 * that errand_job_stopping sees and that is looked at when it returns. With
 * `options->isolate` it runs in a child of its own, which is killed when its time is over
 * and whose crash is not yours; the program's main must begin with errand_runner_main.
 * What it prints goes to standard output, from a child to standard error. */
ERRAND_API int errand_dispatch_sync(errand *e, const char *name, const char *data,
                                    const struct errand_options *options,
                                    char **ret_result, struct errand_error *err);

struct errand_dispatch_item {
    const char *name;
    struct errand_slice data;
    const struct errand_options *options; /* NULL: defaults */
};
/* Many in one transaction, all or none. `ret_ids` has room for n, or is NULL. Answers how
 * many were inserted. About 300 bytes of memory a job beside its data: for very many,
 * some thousands a call are as fast as all at once. */
ERRAND_API int errand_dispatch_bulk(errand *e, const struct errand_dispatch_item *items,
                                    size_t n, struct errand_id *ret_ids,
                                    struct errand_error *err);

/* One job with all its history, in `*ret_detail`, freed by errand_detail_free.
 * ERRAND_ENOTFOUND. */
ERRAND_API int errand_get(errand *e, const struct errand_id *id,
                          struct errand_job_detail **ret_detail,
                          struct errand_error *err);
ERRAND_API void errand_detail_free(struct errand_job_detail *detail);

/* Waits until the job is final, without polling; timeout_ms < 0: for ever. Answers the
 * state (enum errand_state), ERRAND_ETIMEOUT, or ERRAND_ENOTFOUND, also for a job that
 * ended and was not kept. */
ERRAND_API int errand_wait(errand *e, const struct errand_id *id, int64_t timeout_ms,
                           struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
