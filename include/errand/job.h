/* job.h: writing a job in C.
 *
 *     static int handle(errand_job *job, struct errand_error *err)
 *     {
 *         long long user;
 *         if (errand_job_int(job, "userId", &user, err) < 0)
 *             return ERRAND_FAIL;
 *         …
 *         return ERRAND_DONE;
 *     }
 *     ERRAND_JOB(SendWelcomeEmail,
 *         .handle = handle, .queue = "emails", .tries = 3, .timeout = 120)
 *
 * A handler runs in a process of its own kind (a runner), one job at a time. It holds no
 * store handle; what it wants to say about its job it says through errand_job_…. It runs
 * at least once: use id and attempt as an idempotency key. */
#ifndef ERRAND_JOB_H
#define ERRAND_JOB_H

#include <stdbool.h>

#include "errand/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct errand_job errand_job;
struct errand_options;       /* client.h */
struct errand_dispatch_item; /* client.h */

/* What a handler returns. Any other value is a failed attempt. */
enum errand_verdict {
    ERRAND_DONE = 0,
    /* try again after the backoff, if attempts are left; say why in err */
    ERRAND_RETRY = 1,
    ERRAND_FAIL = 2, /* no retry helps: FAILED now; say why in err */
    /* not now: errand_job_snooze() said until when; the attempt is given back */
    ERRAND_SNOOZE = 3,
};

typedef int errand_handle_fn(errand_job *job, struct errand_error *err);
typedef void errand_failed_fn(errand_job *job, const struct errand_error *error);
typedef void errand_timed_out_fn(errand_job *job);

struct errand_middleware; /* middleware.h */

/* A class of jobs. Zero means "not said" everywhere: queue, configuration and defaults
 * decide in turn. */
struct errand_job_class {
    const char *name; /* set by ERRAND_JOB */
    errand_handle_fn *handle;
    errand_failed_fn *failed;       /* once, after the job is durably FAILED */
    errand_timed_out_fn *timed_out; /* after each attempt that ran out of time */
    const char *queue;
    int tries;      /* attempts, default 3; ERRAND_NO_RETRY: one */
    double timeout; /* seconds an attempt may take, default 300 */
    struct errand_backoff backoff;
    int priority;            /* smaller first */
    const char *unique;      /* key template over the data: "order:{orderId}" */
    double unique_for;       /* seconds */
    const char *schedule;    /* cron */
    const char *zone;        /* default UTC */
    const char *const *tags; /* NULL-terminated */
    size_t max_data;         /* bytes of data at most; 0: the configuration's */
    int max_depth;           /* nesting of the data at most; 0: the configuration's */
    /* What the data must look like: JSON Schema, of which docs/guide/data.md names the
     * part that is supported; ERRAND_SCHEMA writes it without quotes. Checked where the
     * job is dispatched, and again before an attempt: what does not fit is FAILED for
     * good. */
    const char *schema;
    /* The store sees the data in no other form; who dispatches and who works need the key
     * ring, see docs/guide/data.md. */
    bool encrypted;
    /* seconds since it was dispatched in which an attempt may begin: when the next one
     * would come later, the job fails. 0: as long as tries are left */
    double retry_for;
    /* what happens around the handler, see middleware.h: ERRAND_MIDDLEWARE(…) */
    const struct errand_middleware *middleware;
    const struct errand_job_class *next; /* errand's own */
};

/* .schema = ERRAND_SCHEMA({"type": "object", "required": ["to"]}) */
#define ERRAND_SCHEMA(...) #__VA_ARGS__

/* Defines a job class and registers it when the program or the job file is loaded. */
#define ERRAND_JOB(job_name, ...)                                                \
    static struct errand_job_class errand_class_##job_name = {.name = #job_name, \
                                                              __VA_ARGS__};      \
    __attribute__((constructor)) static void errand_register_##job_name(void)    \
    {                                                                            \
        errand_job_register(&errand_class_##job_name);                           \
    }

/* What ERRAND_JOB does; for C++ and for names made at run time. The class must live as
 * long as the program. A second class of the same name (see er_name_key: without case and
 * separators) is reported when a runner starts. */
ERRAND_API void errand_job_register(struct errand_job_class *job_class);

/* All borrowed until the handler returns. */
ERRAND_API const char *errand_job_id(const errand_job *job);
ERRAND_API const char *errand_job_name(const errand_job *job); /* as dispatched */
ERRAND_API const char *errand_job_queue(const errand_job *job);
ERRAND_API int errand_job_attempt(const errand_job *job); /* 1 for the first */
ERRAND_API int errand_job_tries(const errand_job *job);
/* UTC; when it will be stopped; INT64_MAX: never */
ERRAND_API int64_t errand_job_deadline_ms(const errand_job *job);
/* bytes as dispatched, NUL after them */
ERRAND_API struct errand_slice errand_job_data(const errand_job *job);

/* Values of the data by path: "userId", "order.items[0].sku". EJSON when the data is not
 * JSON, ENOTFOUND when nothing is there, EINVAL when it is of another type; the message
 * names path and type. Strings are unescaped UTF-8. */
ERRAND_API int errand_job_int(errand_job *job, const char *path, long long *ret,
                              struct errand_error *err);
ERRAND_API int errand_job_double(errand_job *job, const char *path, double *ret,
                                 struct errand_error *err);
ERRAND_API int errand_job_bool(errand_job *job, const char *path, bool *ret,
                               struct errand_error *err);
ERRAND_API int errand_job_string(errand_job *job, const char *path, const char **ret,
                                 struct errand_error *err);
ERRAND_API bool errand_job_has(errand_job *job, const char *path);

/* 0 to 100 and a short note (NULL: none), seen by whoever looks at the job. Cheap: sent
 * at most a few times a second. */
ERRAND_API int errand_job_progress(errand_job *job, int percent, const char *note,
                                   struct errand_error *err);
/* The result, kept with the job: JSON, at most 64 KiB. The last call wins. */
ERRAND_API int errand_job_result(errand_job *job, const char *json,
                                 struct errand_error *err);
/* A line for the attempt's log. What the handler prints goes there too. */
ERRAND_API void errand_job_log(errand_job *job, const char *fmt, ...) ERRAND_PRINTF(2, 3);
/* With `return ERRAND_SNOOZE`: come back in so many seconds. */
ERRAND_API int errand_job_snooze(errand_job *job, double seconds,
                                 struct errand_error *err);
/* With `return ERRAND_RETRY`: the next attempt, if one is left, comes in so many seconds
 * whatever the backoff says; this once. For a server that says "try again in 90 s". */
ERRAND_API int errand_job_retry_in(errand_job *job, double seconds,
                                   struct errand_error *err);
/* True when the job was cancelled or the worker is stopping and its grace is running (or,
 * with errand_dispatch_sync, when its time is over): a long handler may look now and then
 * and return early. */
ERRAND_API bool errand_job_stopping(const errand_job *job);

/* ------------------------------------------------------------------ other jobs
 *
 * These ask the supervisor, which holds the store, and wait for its answer; the time-out
 * of the attempt goes on. They are for the thread that runs the handler. EUNSUPPORTED
 * where a handler runs without a store. */

/* Stores a job, as errand_dispatch does; when it returns, the job is stored. The n-th job
 * that a job dispatches is one job, however often the handler runs: it gets an id that
 * follows from this job's id and n, so a repeated attempt stores nothing twice
 * (ERRAND_DUPLICATE). Say options.id where another rule is wanted. What this job's failed
 * hook dispatches counts anew for each failure. A failed call counts as none. */
ERRAND_API int errand_job_dispatch(errand_job *job, const char *name, const char *data,
                                   const struct errand_options *options,
                                   struct errand_id *ret_id, struct errand_error *err);
/* The same, as a member of the batch that this job is in; EINVAL: it is in none. The
 * batch does not end before such a member has. In one that is cancelled the member is
 * CANCELLED at once. */
ERRAND_API int errand_job_batch_add(errand_job *job, const char *name, const char *data,
                                    const struct errand_options *options,
                                    struct errand_id *ret_id, struct errand_error *err);
/* Many at once, all or none, as members when `in_batch`. `ret_ids` has room for n, or is
 * NULL. Answers how many were inserted. ETOOBIG: more than 16 MiB of them. */
ERRAND_API int errand_job_dispatch_bulk(errand_job *job,
                                        const struct errand_dispatch_item *items,
                                        size_t n, bool in_batch,
                                        struct errand_id *ret_ids,
                                        struct errand_error *err);

/* What this job waited for: a link, nodes of a flow, a batch. Slices have a NUL behind
 * them. Results of more than 8 MiB in all are left out from there on. */
struct errand_parent {
    struct errand_id id;
    bool is_batch;
    const char *name; /* of the job; of the batch, "" for none */
    const char *node; /* of a flow's node, "" elsewhere */
    enum errand_state state;
    struct errand_slice result;                   /* JSON; len 0: none */
    struct errand_slice error;                    /* of a job that failed */
    int64_t total, successful, failed, cancelled; /* of a batch */
    const struct errand_failure *failures;        /* of a batch, the first 100 */
    size_t failures_n;
};

/* In the order in which they were named; borrowed until the handler returns. None: 0. */
ERRAND_API int errand_job_parents(errand_job *job, const struct errand_parent **ret,
                                  size_t *ret_n, struct errand_error *err);
/* The result of one, as JSON text: by node, name or id; NULL: of the first. ENOTFOUND: no
 * such parent, or it left none. */
ERRAND_API int errand_job_parent_result(errand_job *job, const char *which,
                                        const char **ret_json, struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
