/* load.c: the call of store.h that takes what another store held, and the check of it:
 * whatever a push could not have stored is refused here as well. */
#include "base/error.h"
#include "core/state.h"
#include "store/internal.h"

static int check_state(const struct errand_job_info *job, struct errand_error *err)
{
    if ((unsigned)job->state >= ERRAND_STATES_N || job->state == ERRAND_RUNNING)
        return errand_error_set(err, ERRAND_EINVAL,
                                "job '%s' is %s: only what nobody runs can be loaded",
                                job->id.text, errand_state_name(job->state));
    if (job->attempts < 0 || job->created_ms < 0 || job->finished_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "job '%s' has a time before 1970 or %d attempts",
                                job->id.text, job->attempts);
    return 0;
}

static int check_parents(const struct errand_job_detail *d, struct errand_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->parents_n; i++)
        rc = er_check_id("id of a parent", &d->parents[i].id, err);
    return rc;
}

static int check_detail(const struct er_store *store, const struct errand_job_detail *d,
                        struct errand_error *err)
{
    const struct errand_job_info *job = &d->job;
    /* Renewed by a push with another ttl, or with none: its rules are past being odd. */
    struct errand_unique unique = d->unique ? *d->unique : (struct errand_unique){0};
    struct errand_push_job as_pushed = {
        .id = job->id,
        .name = job->name,
        .queue = job->queue,
        .data = job->data,
        .options = job->options,
        .tags = job->tags,
        .tags_n = job->tags_n,
        .tries = job->tries,
        .run_at_ms = job->run_at_ms,
        .unique = d->unique ? &unique : NULL,
        .limits = d->limits,
        .limits_n = d->limits_n,
        .batch = job->batch,
    };
    int rc;

    unique.until = ERRAND_UNIQUE_DONE;
    if ((rc = er_check_id("id", &job->id, err)) < 0 ||
        (rc = er_check_job(store, &as_pushed, err)) < 0 ||
        (rc = check_state(job, err)) < 0)
        return rc;
    return check_parents(d, err);
}

int er_check_load(const struct er_store *store, const struct errand_load_params *p,
                  struct errand_error *err)
{
    int rc = er_check_now(p->now_ms, err);

    for (size_t i = 0; rc == 0 && i < p->jobs_n; i++)
        rc = check_detail(store, &p->jobs[i], err);
    for (size_t i = 0; rc == 0 && i < p->batches_n; i++)
        rc = er_check_id("batch id", &p->batches[i].id, err);
    for (size_t i = 0; rc == 0 && i < p->schedules_n; i++)
        rc = er_check_schedule(&p->schedules[i], err);
    return rc;
}

int er_store_load(struct er_store *store, const struct errand_load_params *p,
                  struct errand_arena *arena, struct errand_load_result *ret,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_load(store, p, err)) < 0)
        return rc;
    if (!store->driver->load)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "%s: a store of this kind takes no jobs of another",
                                store->shown);
    *ret = (struct errand_load_result){0};
    return er_store_leave(store, store->driver->load(store->conn, p, arena, ret, err),
                          err, "loading %zu jobs", p->jobs_n);
}
