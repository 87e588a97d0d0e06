/* dispatch.c: handing out work, one job or many in one transaction.
 *
 * The single dispatch is the hot path: it allocates nothing once the arena of the handle
 * has its first block. */
#include "client/client.h"

#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "core/clock.h"

/* ------------------------------------------------------------------ repeating */

static bool have_ids(const struct errand_push_params *p)
{
    for (size_t i = 0; i < p->jobs_n; i++)
        if (!p->jobs[i].id.text[0])
            return false;
    return true;
}

/* BUSY is told before anything was written. UNAVAILABLE may be the loss of an answer to a
 * commit that worked, and then only jobs with ids of the caller's can be pushed again
 * without becoming two. Inside the caller's own transaction nothing is ours to repeat. */
static bool may_repeat(const struct errand_push_params *p, int code)
{
    if (p->transaction)
        return false;
    return code == ERRAND_EBUSY || (code == ERRAND_EUNAVAILABLE && have_ids(p));
}

/* A driver waits for other writers by itself; what comes back before the time is over
 * (a lock that cannot be waited for, a connection that is being made) is tried again. */
int er_push(errand *e, const struct errand_push_params *p, struct errand_push_result *ret,
            struct errand_error *err)
{
    int64_t start_ms = 0, wait_ms = 1, left_ms;
    int rc;

    while ((rc = er_store_push(e->store, p, e->call, ret, err)) < 0) {
        if (!may_repeat(p, rc))
            return rc;
        if (start_ms == 0)
            start_ms = er_clock_mono_ms(NULL);
        left_ms = e->busy_ms - (er_clock_mono_ms(NULL) - start_ms);
        if (left_ms <= 0)
            return rc;
        er_clock_sleep_ms(wait_ms < left_ms ? wait_ms : left_ms);
        wait_ms = wait_ms < 64 ? wait_ms * 2 : 100;
    }
    return 0;
}

/* ------------------------------------------------------------------ one */

static int push_one(errand *e, const struct errand_push_job *job,
                    const struct errand_options *options, struct errand_id *ret_id,
                    struct errand_error *err)
{
    struct errand_push_params params = {
        .jobs = job, .jobs_n = 1, .transaction = options ? options->transaction : NULL};
    struct errand_push_result result = {0};
    int rc;

    if ((rc = er_push(e, &params, &result, err)) < 0)
        return er_error_wrap(err, rc, "dispatching '%s'", job->name);
    if (ret_id)
        *ret_id = result.jobs[0].id;
    return (int)result.jobs[0].pushed;
}

int errand_dispatch(errand *e, const char *name, const char *data,
                    const struct errand_options *options, struct errand_id *ret_id,
                    struct errand_error *err)
{
    struct errand_slice json = {data, data ? strlen(data) : 0};
    struct errand_push_job job;
    int rc;

    er_arena_reset(e->call);
    if ((rc = er_definitions_refresh(e, err)) < 0 ||
        (rc = er_resolve(e, name, json, options, e->call, &job, err)) < 0)
        return rc;
    return push_one(e, &job, options, ret_id, err);
}

int errand_dispatch_class(errand *e, const struct errand_job_class *job_class,
                          const char *data, const struct errand_options *options,
                          struct errand_id *ret_id, struct errand_error *err)
{
    struct errand_slice json = {data, data ? strlen(data) : 0};
    struct errand_push_job job;
    int rc;

    er_arena_reset(e->call);
    if ((rc = er_resolve_class(e, job_class, json, options, &job, err)) < 0)
        return rc;
    return push_one(e, &job, options, ret_id, err);
}

/* ------------------------------------------------------------------ if, after */

int errand_dispatch_if(errand *e, bool condition, const char *name, const char *data,
                       const struct errand_options *options, struct errand_id *ret_id,
                       struct errand_error *err)
{
    if (condition)
        return errand_dispatch(e, name, data, options, ret_id, err);
    if (ret_id)
        *ret_id = (struct errand_id){{0}};
    return ERRAND_NOT_DISPATCHED;
}

int errand_dispatch_unless(errand *e, bool condition, const char *name, const char *data,
                           const struct errand_options *options, struct errand_id *ret_id,
                           struct errand_error *err)
{
    return errand_dispatch_if(e, !condition, name, data, options, ret_id, err);
}

static int time_is_free(const struct errand_options *options, struct errand_options *ret,
                        struct errand_error *err)
{
    *ret = options ? *options : (struct errand_options){0};
    if (!ret->delay_ms && !ret->run_at_ms)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "options have delay_ms or run_at_ms beside the time of the "
                            "call; say one");
}

int errand_dispatch_after(errand *e, double seconds, const char *name, const char *data,
                          const struct errand_options *options, struct errand_id *ret_id,
                          struct errand_error *err)
{
    struct errand_options own;
    int rc;

    if ((rc = time_is_free(options, &own, err)) < 0 ||
        (rc = er_seconds_to_ms("delay", seconds, &own.delay_ms, err)) < 0)
        return rc;
    return errand_dispatch(e, name, data, &own, ret_id, err);
}

int errand_dispatch_at(errand *e, int64_t at_ms, const char *name, const char *data,
                       const struct errand_options *options, struct errand_id *ret_id,
                       struct errand_error *err)
{
    struct errand_options own;
    int rc;

    if ((rc = time_is_free(options, &own, err)) < 0)
        return rc;
    own.run_at_ms = at_ms;
    return errand_dispatch(e, name, data, &own, ret_id, err);
}

int errand_instant(const char *text, int64_t *ret_ms, struct errand_error *err)
{
    int64_t ms;

    if (!text || er_time_parse(text, &ms) < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "'%s' is no instant such as 2026-12-24T18:00:00Z",
                                text ? text : "");
    *ret_ms = ms;
    return 0;
}

/* ------------------------------------------------------------------ many */

static void *transaction_of(const struct errand_dispatch_item *item)
{
    return item->options ? item->options->transaction : NULL;
}

static int resolve_all(errand *e, const struct errand_dispatch_item *items, size_t n,
                       struct errand_push_job *jobs, struct errand_error *err)
{
    int rc;

    if ((rc = er_definitions_refresh(e, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (transaction_of(&items[i]) != transaction_of(&items[0]))
            return errand_error_set(
                err, ERRAND_EINVAL,
                "job %zu of %zu: transaction is not that of the first", i + 1, n);
        rc = er_resolve(e, items[i].name, items[i].data, items[i].options, e->call,
                        &jobs[i], err);
        if (rc < 0)
            return er_error_wrap(err, rc, "job %zu of %zu", i + 1, n);
    }
    return 0;
}

int errand_dispatch_bulk(errand *e, const struct errand_dispatch_item *items, size_t n,
                         struct errand_id *ret_ids, struct errand_error *err)
{
    struct errand_push_params params = {.jobs_n = n};
    struct errand_push_result result = {0};
    struct errand_push_job *jobs;
    int rc, inserted_n = 0;

    if (n == 0)
        return 0;
    if (n > INT32_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%zu jobs in one call", n);
    er_arena_reset(e->call);
    if (!(jobs = errand_arena_alloc(e->call, n * sizeof *jobs)))
        return er_error_nomem(err);
    if ((rc = resolve_all(e, items, n, jobs, err)) < 0)
        return rc;
    params.jobs = jobs;
    params.transaction = transaction_of(&items[0]);
    if ((rc = er_push(e, &params, &result, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        inserted_n += result.jobs[i].pushed == ERRAND_INSERTED;
        if (ret_ids)
            ret_ids[i] = result.jobs[i].id;
    }
    return inserted_n;
}
