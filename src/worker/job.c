/* job.c: what a handler may ask and say. Values of the data are in job_data.c. */
#include "worker/job.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"
#include "core/json.h"

int er_job_init(struct errand_job *job, const struct er_job_host *host)
{
    *job = (struct errand_job){.host = host, .snooze_ms = -1, .retry_ms = -1};
    er_buf_init(&job->result, ER_RESULT_MAX);
    return (job->arena = er_arena_new()) ? 0 : -1;
}

void er_job_done(struct errand_job *job)
{
    er_arena_free(job->arena);
    er_buf_done(&job->result);
}

void er_job_begin(struct errand_job *job)
{
    if (er_arena_used(job->arena) > 0)
        er_arena_reset(job->arena);
    er_buf_reset(&job->result);
    job->snooze_ms = job->retry_ms = -1;
    job->is_json = false;
    job->has_parents = false;
}

const char *errand_job_id(const errand_job *job)
{
    return job->id;
}

const char *errand_job_name(const errand_job *job)
{
    return job->name;
}

const char *errand_job_queue(const errand_job *job)
{
    return job->queue;
}

int errand_job_attempt(const errand_job *job)
{
    return job->attempt;
}

int errand_job_tries(const errand_job *job)
{
    return job->tries;
}

/* Worked out when asked: most handlers never do, and the wall clock may have been set
 * since the attempt began, which the time-out (monotonic) does not follow. */
int64_t errand_job_deadline_ms(const errand_job *job)
{
    int64_t left;

    if (job->timeout_ms <= 0)
        return INT64_MAX;
    left = job->started_mono_ms + job->timeout_ms - er_clock_mono_ms(NULL);
    return er_clock_wall_ms(NULL) + left;
}

struct errand_slice errand_job_data(const errand_job *job)
{
    return job->data;
}

int errand_job_progress(errand_job *job, int percent, const char *note,
                        struct errand_error *err)
{
    if (percent < 0 || percent > 100)
        return errand_error_set(err, ERRAND_EINVAL,
                                "progress of '%s' is %d, not from 0 to 100", job->name,
                                percent);
    return job->host->progress(job->host->ctx, percent, note ? note : "", err);
}

int errand_job_result(errand_job *job, const char *json, struct errand_error *err)
{
    const struct er_json_limits limits = {.max_bytes = ER_RESULT_MAX};
    struct errand_slice bytes = {.ptr = json, .len = json ? strlen(json) : 0};
    char what[32 + 128];
    int rc;

    snprintf(what, sizeof what, "result of '%.128s'", job->name);
    if (!json)
        return errand_error_set(err, ERRAND_EINVAL, "%s is NULL; say null for none",
                                what);
    if ((rc = er_json_check(what, bytes, &limits, err)) < 0)
        return rc;
    er_buf_reset(&job->result);
    if (er_buf_add(&job->result, bytes.ptr, bytes.len) < 0)
        return er_error_nomem(err);
    return 0;
}

static void log_to_host(errand_job *job, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void log_to_host(errand_job *job, const char *fmt, va_list ap)
{
    char *line = NULL;
    int len = vasprintf(&line, fmt, ap);

    if (len < 0)
        return; /* no memory: a log is less than a job */
    job->host->log(job->host->ctx, line, (size_t)len);
    free(line);
}

/* Through stdout, so that it keeps its place among what the handler prints itself. */
void errand_job_log(errand_job *job, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (job->host->log)
        log_to_host(job, fmt, ap);
    else
        vprintf(fmt, ap);
    va_end(ap);
    if (!job->host->log)
        putchar('\n');
}

int er_job_wait_ms(const char *what, double seconds, int64_t *ret,
                   struct errand_error *err)
{
    const double longest = 366.0 * 86400;

    if (isnan(seconds) || seconds < 0 || seconds > longest)
        return errand_error_set(err, ERRAND_EINVAL, "%s: %g s is not from 0 to one year",
                                what, seconds);
    *ret = (int64_t)(seconds * 1000 + 0.5);
    return 0;
}

static int wait_ms(errand_job *job, const char *what, double seconds, int64_t *ret,
                   struct errand_error *err)
{
    int rc = er_job_wait_ms(what, seconds, ret, err);

    return rc < 0 ? er_error_wrap(err, rc, "job '%s'", job->name) : 0;
}

int errand_job_snooze(errand_job *job, double seconds, struct errand_error *err)
{
    return wait_ms(job, "snooze", seconds, &job->snooze_ms, err);
}

int errand_job_retry_in(errand_job *job, double seconds, struct errand_error *err)
{
    return wait_ms(job, "retry", seconds, &job->retry_ms, err);
}

bool errand_job_stopping(const errand_job *job)
{
    return job->host->is_stopping(job->host->ctx);
}
