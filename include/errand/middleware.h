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
 *         .middleware = ERRAND_MIDDLEWARE(ERRAND_USE(timed, NULL)))
 *
 * A class lists its middleware, outermost first. What a program says for all its classes
 * (ERRAND_MIDDLEWARE_FOR_ALL) stands outside of every list, in the order in which it was
 * registered. Middleware runs where the handler runs, for each attempt, and inside its
 * time-out; hooks (failed, timed_out) run without it. */
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

enum errand_middleware_kind {
    ERRAND_MIDDLEWARE_END = 0, /* ends a list */
    ERRAND_MIDDLEWARE_USE = 1,
    ERRAND_MIDDLEWARE_SKIP_IF = 2,
};

/* One entry of a list; write it with the macros below. */
struct errand_middleware {
    enum errand_middleware_kind kind;
    errand_middleware_fn *use;
    errand_skip_fn *skip_if;
    void *config; /* of either */
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
