/* call.h: calling a handler through its middleware, for whatever runs handlers. */
#ifndef ER_WORKER_CALL_H
#define ER_WORKER_CALL_H

#include "worker/job.h"

#include "errand/middleware.h"

/* Runs the handler of `job_class` on a job that er_job_begin has readied: through the
 * middleware of the program, then that of the class. What they answer, which need not be
 * a verdict. A class without middleware costs two comparisons. */
int er_call_handle(const struct errand_job_class *job_class, errand_job *job,
                   struct errand_error *err);

/* What was answered, as a verdict: DONE empties `err`; a failure without a word gets one,
 * so that nobody looks at an empty line; SNOOZE without a time and what is no verdict
 * become RETRY. */
int er_call_verdict(const errand_job *job, int answered, struct errand_error *err);

/* Makes the keys that functions of the class make, and leaves them as the job's result:
 * {"unique":"…"}. DONE, or FAIL with the reason. */
int er_call_keys(const struct errand_job_class *job_class, errand_job *job,
                 struct errand_error *err);

#endif
