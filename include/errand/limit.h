/* limit.h: limits of a queue, of a job or of keys, that an operator sets on a running
 * system. What a class says of itself is middleware.h.
 *
 *     struct errand_limit slow = {.name = "narrow", .kind = ERRAND_LIMIT_CONCURRENCY,
 *                                 .scope = ERRAND_SCOPE_QUEUE, .target = "reports", .n =
 * 3}; errand_limit_set(e, &slow, &err);
 *
 * A limit is in the store: every worker keeps to it from the next job on, without a
 * restart, and what waits at it uses no attempt. */
#ifndef ERRAND_LIMIT_H
#define ERRAND_LIMIT_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets or replaces the limit of that name; what has been used of it stays. Of scope KEY
 * it gives its numbers to the jobs that bring a limit of this name
 * (ERRAND_RATE_LIMIT(.name = …), or "rate:sendmail" where the class SendMail names none),
 * each key by itself; `target` is their key template, for people. n at least 1, per_ms at
 * least 1 for a rate. The name is taken to the letter; EINVAL also for one that differs
 * from another limit's in spelling only. Of scope JOB it holds all spellings of the job's
 * name. */
ERRAND_API int errand_limit_set(errand *e, const struct errand_limit *limit,
                                struct errand_error *err);
/* ERRAND_ENOTFOUND. */
ERRAND_API int errand_limit_remove(errand *e, const char *name, struct errand_error *err);

/* All limits that are set, by name, with what is used of each and how many wait. */
struct errand_limit_list {
    struct errand_limit_info *limits;
    size_t limits_n;
};
ERRAND_API int errand_limit_list(errand *e, struct errand_limit_list **ret,
                                 struct errand_error *err);
ERRAND_API void errand_limit_list_free(struct errand_limit_list *list); /* NULL allowed */

#ifdef __cplusplus
}
#endif
#endif
