/* middleware.h: what happens around a handler.
 *
 *     static int timed(errand_job *job, errand_next *next, void *config,
 *                      struct errand_error *err)
 *     {
 *         double before = seconds_now();
 *         int verdict = errand_next_run(next, err);
 *
 *         errand_job_log(job, "took %.3f s", seconds_now() - before);
 *         return verdict;
 *     }
 *     ERRAND_JOB(ProcessOrder, .handle = handle,
 *         .middleware = ERRAND_MIDDLEWARE(
 *             ERRAND_UNIQUE(.key = "order:{orderId}", .ttl = 3600),
 *             ERRAND_RATE_LIMIT(.max = 100, .per = 60),
 *             ERRAND_USE(timed, NULL)))
 *
 * A class lists its middleware, outermost first. What a program says for all its classes
 * (ERRAND_MIDDLEWARE_FOR_ALL) stands outside of every list, in the order in which it was
 * registered. Functions run where the handler runs, for each attempt, and inside its
 * time-out; hooks (failed, timed_out) run without them.
 *
 * ERRAND_UNIQUE, ERRAND_RATE_LIMIT, ERRAND_WITHOUT_OVERLAPPING and ERRAND_THROTTLE act in
 * the store, before an attempt begins, wherever they stand in the list: so they hold for
 * all workers, what waits uses no attempt, and nobody polls. At most one of each a class.
 * A job whose dispatcher did not know of them (plain SQL, a class that nobody had
 * published) gets them when it is first handed out: it goes back to its place with its
 * keys and limits, without an attempt. errand_dispatch_sync has no store: there they are
 * not asked. */
#ifndef ERRAND_MIDDLEWARE_H
#define ERRAND_MIDDLEWARE_H

#include "errand/job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What comes behind a middleware: the next one, in the end the handler. */
typedef struct errand_next errand_next;

/* Runs it; its verdict (enum errand_verdict), with the reason in `err`. Lives until the
 * middleware returns. To run it once more runs all behind it once more. */
ERRAND_API int errand_next_run(errand_next *next, struct errand_error *err);

/* A middleware returns the verdict of the attempt: what errand_next_run answered, another
 * one, or one of its own without running what is behind it. `config` is the pointer that
 * it was listed with. A RETRY or FAIL says why in `err`. */
typedef int errand_middleware_fn(errand_job *job, errand_next *next, void *config,
                                 struct errand_error *err);
/* True: this job is not to run. It ends COMPLETED with {"skipped":"skip-if"}. */
typedef bool errand_skip_fn(errand_job *job, void *config);
/* Writes the key that the data (JSON, not NUL-terminated) means, at most `size` bytes
 * with its NUL (513). It must follow from the data alone: it runs where a job is
 * dispatched by a program that has the class, else in a runner before the first attempt.
 * 0, or any negative code with the reason in `err`. */
typedef int errand_key_fn(struct errand_slice data, char *ret_key, size_t size,
                          struct errand_error *err);

enum errand_middleware_kind {
    ERRAND_MIDDLEWARE_END = 0, /* ends a list */
    ERRAND_MIDDLEWARE_USE = 1,
    ERRAND_MIDDLEWARE_SKIP_IF = 2,
    ERRAND_MIDDLEWARE_UNIQUE = 3,
    ERRAND_MIDDLEWARE_RATE_LIMIT = 4,
    ERRAND_MIDDLEWARE_WITHOUT_OVERLAPPING = 5,
    ERRAND_MIDDLEWARE_THROTTLE = 6,
};

/* One entry of a list; write it with the macros below. */
struct errand_middleware {
    enum errand_middleware_kind kind;
    errand_middleware_fn *use;
    errand_skip_fn *skip_if;
    void *config; /* of either */

    const char *key;             /* a template over the data: "order:{orderId}" */
    errand_key_fn *key_function; /* in place of a template; not for a throttle */
    const char *name;            /* of a limit that several classes share */
    int64_t max;
    double per; /* seconds */
    double ttl; /* seconds */
    enum errand_unique_until until;
    enum errand_unique_policy policy;
};

/* The value of `.middleware` in ERRAND_JOB. At most 16. */
#define ERRAND_MIDDLEWARE(...) \
    ((const struct errand_middleware[]){__VA_ARGS__, {.kind = ERRAND_MIDDLEWARE_END}})
enum { ERRAND_MIDDLEWARE_MAX = 16 };

/* Your own function. */
#define ERRAND_USE(function, pointer)                                         \
    {                                                                         \
        .kind = ERRAND_MIDDLEWARE_USE, .use = (function), .config = (pointer) \
    }
/* Skips the job when the function says so. */
#define ERRAND_SKIP_IF(function, pointer)                                             \
    {                                                                                 \
        .kind = ERRAND_MIDDLEWARE_SKIP_IF, .skip_if = (function), .config = (pointer) \
    }

/* .key or .key_function, .ttl, .until, .policy: a second job of the same key is not
 * stored, and its dispatch answers the id of the first. The key is this class's own. It
 * is held for .ttl seconds, or without that until the job has ended, unless .until says
 * more; .policy REPLACE and EXTEND change the job that waits in place of ignoring the new
 * one. */
#define ERRAND_UNIQUE(...)                            \
    {                                                 \
        .kind = ERRAND_MIDDLEWARE_UNIQUE, __VA_ARGS__ \
    }
/* .max, .per, .key or .key_function, .name: at most .max attempts begin in any window of
 * .per seconds, each key by itself. What is over it waits in order, as a READY job. */
#define ERRAND_RATE_LIMIT(...)                            \
    {                                                     \
        .kind = ERRAND_MIDDLEWARE_RATE_LIMIT, __VA_ARGS__ \
    }
/* .key or .key_function, .max (1), .name: at most .max jobs of a key run at a time. */
#define ERRAND_WITHOUT_OVERLAPPING(...)                            \
    {                                                              \
        .kind = ERRAND_MIDDLEWARE_WITHOUT_OVERLAPPING, __VA_ARGS__ \
    }
/* .max, .per, .key, .name: at most .max jobs of a key run in any window of .per seconds,
 * and what comes beyond that is not wanted any more: its job ends COMPLETED with
 * {"skipped":"throttle"} when its turn comes. A rate limit drops nothing and lets wait; a
 * throttle lets nothing wait and drops. Asked at a job's first attempt: a retry of one
 * that was let through always runs. */
#define ERRAND_THROTTLE(...)                            \
    {                                                   \
        .kind = ERRAND_MIDDLEWARE_THROTTLE, __VA_ARGS__ \
    }

/* For all classes of this program, those of its job files included. */
struct errand_middleware_for_all {
    errand_middleware_fn *use;
    void *config;
    struct errand_middleware_for_all *next; /* errand's own */
};

/* Registers one when the program or the job file is loaded; `name` is any C name. */
#define ERRAND_MIDDLEWARE_FOR_ALL(name, function, pointer)                          \
    static struct errand_middleware_for_all errand_for_all_##name = {(function),    \
                                                                     (pointer), 0}; \
    __attribute__((constructor)) static void errand_register_for_all_##name(void)   \
    {                                                                               \
        errand_middleware_register(&errand_for_all_##name);                         \
    }

/* What ERRAND_MIDDLEWARE_FOR_ALL does. It must live as long as the program; call it
 * before jobs run. */
ERRAND_API void errand_middleware_register(struct errand_middleware_for_all *middleware);

#ifdef __cplusplus
}
#endif
#endif
