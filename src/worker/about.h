/* about.h: a list of jobs that are known, while it is put together. */
#ifndef ER_WORKER_ABOUT_H
#define ER_WORKER_ABOUT_H

#include "worker/runner.h"

struct er_about_list {
    struct errand_arena *arena;
    struct er_job_about *jobs;
    size_t n, size;
};

/* Adds one; strings are copied, what options point to is not. `error` NULL: none. A name
 * that is no legal name becomes an error of its own. 0 or ENOMEM. */
int er_about_add(struct er_about_list *list, const char *name, const char *path,
                 enum er_job_source source, const struct er_options *options,
                 const char *error, struct errand_error *err);
/* Adds what HELLO's JSON says of the file `file` ("app/Jobs/mail.c"), jobs and errors;
 * how many in ret_n. 0, EJSON, ENOMEM. */
int er_about_add_json(struct er_about_list *list, struct errand_slice json,
                      const char *file, const char *path, size_t *ret_n,
                      struct errand_error *err);
/* Sorts by key and gives the second of one key an error that names both. */
int er_about_finish(struct er_about_list *list, struct er_jobs_about *ret,
                    struct errand_error *err);

#endif
