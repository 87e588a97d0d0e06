/* project.h: a folder with errand.yml and job files, for programs that work in it as the
 * command does, hosts of other languages above all.
 *
 *     errand_project *p = errand_project_read(NULL, &err);
 *     errand *e = errand_open_project(p, &err);
 *     …
 *     errand_close(e);
 *     errand_project_free(p); */
#ifndef ERRAND_PROJECT_H
#define ERRAND_PROJECT_H

#include "errand/client.h"
#include "errand/job.h"
#include "errand/worker.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct errand_project errand_project;

/* Reads the errand.yml of `folder` (NULL: the current one) or of the nearest folder above
 * it, then the environment (ERRAND_URL, …), as the command does. Without a file all is
 * default, and the folder itself is the project. EINVAL names file, line and column. */
ERRAND_API errand_project *errand_project_read(const char *folder,
                                               struct errand_error *err);
ERRAND_API void errand_project_free(errand_project *project); /* NULL allowed */

/* All borrowed from it: the folder and the URL of its store, both absolute, what it is
 * called as the owner of schedules, and what it says of workers. */
ERRAND_API const char *errand_project_folder(const errand_project *project);
ERRAND_API const char *errand_project_url(const errand_project *project);
ERRAND_API const char *errand_project_name(const errand_project *project);
ERRAND_API const struct errand_worker_options *errand_project_worker(
    const errand_project *project);

/* Its store, with its queues and defaults as levels of options below the calls. The
 * project must live longer than the handle. */
ERRAND_API errand *errand_open_project(const errand_project *project,
                                       struct errand_error *err);

/* Tells the store what these classes are, as a worker tells of its own when it starts: so
 * their options hold for whoever dispatches by name in any process, and for an engine on
 * this store; their schedules are brought with them. `failed` and `timed_out` only say
 * that there is such a hook, and a key function that keys come from code: nobody calls
 * them for this. The classes are those of `project`, or with NULL of this program; what
 * it has published beside these stays. EINVAL names class and option. */
ERRAND_API int errand_define(errand *e, const errand_project *project,
                             const struct errand_job_class *const *classes, size_t n,
                             struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
