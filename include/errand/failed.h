/* failed.h: jobs that have failed for good. They stay, with their data, error and every
 * attempt, until somebody retries or removes them.
 *
 *     struct errand_failed_list *list;
 *     if (errand_failed_list(e, NULL, NULL, 50, &list, &err) < 0)
 *         return err.code;
 *     for (size_t i = 0; i < list->jobs_n; i++)
 *         printf("%s %s: %.*s\n", list->jobs[i].id.text, list->jobs[i].name,
 *                (int)list->jobs[i].error.len, list->jobs[i].error.ptr);
 *     errand_failed_list_free(list); */
#ifndef ERRAND_FAILED_H
#define ERRAND_FAILED_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which of them; all that is set must match, NULL and 0 match any. */
struct errand_failed_filter {
    const char *queue, *name, *tag;
    const char *search;         /* bytes that occur in the id, the data or the error */
    int64_t since_ms, until_ms; /* failed at or after, before; UTC */
};

struct errand_failed_list {
    struct errand_job_info *jobs; /* the last to be dispatched first */
    size_t jobs_n;
    bool more; /* pass the last id as `after` to go on */
};

/* At most `max` of them (0: 100), behind `after` (NULL: from the beginning; ENOTFOUND
 * when that job is gone). `filter` NULL: all. `*ret` is yours: errand_failed_list_free.
 */
ERRAND_API int errand_failed_list(errand *e, const struct errand_failed_filter *filter,
                                  const struct errand_id *after, size_t max,
                                  struct errand_failed_list **ret,
                                  struct errand_error *err);
ERRAND_API void errand_failed_list_free(struct errand_failed_list *list);
ERRAND_API int errand_failed_count(errand *e, const struct errand_failed_filter *filter,
                                   int64_t *ret_n, struct errand_error *err);

/* One with every attempt: error, cause, log and times. Freed by errand_detail_free.
 * ENOTFOUND when there is no such job or it has not failed. */
ERRAND_API int errand_failed_find(errand *e, const struct errand_id *id,
                                  struct errand_job_detail **ret,
                                  struct errand_error *err);

/* Back to its queue under the same id, with attempts 0; its history stays, and what
 * waited for it (chain, batch) waits again. ENOTFOUND: no such job; ECONFLICT: it has not
 * failed (and was not cancelled), or another job holds its unique key now. */
ERRAND_API int errand_failed_retry(errand *e, const struct errand_id *id,
                                   struct errand_error *err);
/* All that match and are failed when it begins, each once, also when they fail again
 * meanwhile. A thousand a transaction, so that workers are not held up: after an error
 * `*ret_n` (may be NULL) says how many were done. Those whose unique key is held by
 * another job stay. */
ERRAND_API int errand_failed_retry_all(errand *e,
                                       const struct errand_failed_filter *filter,
                                       int64_t *ret_n, struct errand_error *err);

/* Removes one and all that is known of it; ENOTFOUND when there is no such job (any
 * more), ECONFLICT when it has not failed. */
ERRAND_API int errand_failed_delete(errand *e, const struct errand_id *id,
                                    struct errand_error *err);
/* Removes all that match and failed at least `older_than` seconds ago, 0: whenever. As
 * errand_failed_retry_all. EINVAL for NaN and less than 0. */
ERRAND_API int errand_failed_flush(errand *e, const struct errand_failed_filter *filter,
                                   double older_than, int64_t *ret_n,
                                   struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
