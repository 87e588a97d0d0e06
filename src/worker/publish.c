/* publish.c: tells the store what this program and its project can run, so that whoever
 * dispatches elsewhere knows queue, tries and key templates without the code, and
 * schedulers know when to dispatch. */
#include "base/buf.h"
#include "base/error.h"
#include "client/schedules.h"
#include "core/clock.h"
#include "store/store.h"
#include "worker/runner.h"

static int definition_fill(const struct er_job_about *job, struct errand_arena *arena,
                           struct errand_definition *ret, struct errand_error *err)
{
    struct er_buf spec;

    er_buf_init(&spec, 1 << 20);
    if (er_options_encode(&job->options, &spec) < 0) {
        er_buf_done(&spec);
        return er_error_nomem(err);
    }
    *ret = (struct errand_definition){.name = job->name, .key = job->key};
    ret->spec = er_arena_slice(arena, spec.ptr, spec.len);
    er_buf_done(&spec);
    return ret->spec.ptr ? 0 : er_error_nomem(err);
}

static int define_all(struct er_store *store, const struct er_jobs_about *jobs,
                      struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_definition *list = NULL;
    size_t n = 0;
    int rc = 0;

    if (arena)
        list = errand_arena_alloc(arena, (jobs->jobs_n + 1) * sizeof *list);
    if (!list) {
        rc = er_error_nomem(err);
        goto out;
    }
    for (size_t i = 0; rc == 0 && i < jobs->jobs_n; i++)
        if (!jobs->jobs[i].error)
            rc = definition_fill(&jobs->jobs[i], arena, &list[n++], err);
    if (rc == 0 && n > 0)
        rc = er_store_define(store, list, n, 0, err);
out:
    er_arena_free(arena);
    return rc;
}

/* The classes of one owner: those of job files, or those that are linked. */
static int schedules_bring(struct er_store *store, const struct er_jobs_about *jobs,
                           bool is_linked, const char *owner, struct errand_error *err)
{
    struct er_schedule_classes said = {.owner = owner};
    struct errand_arena *arena = er_arena_new();
    int rc;

    if (arena)
        said.list = errand_arena_alloc(arena, (jobs->jobs_n + 1) * sizeof *said.list);
    if (said.list && !owner)
        said.owner = er_program_owner(arena);
    if (!said.list || !said.owner) {
        rc = er_error_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < jobs->jobs_n; i++) {
        const struct er_job_about *job = &jobs->jobs[i];
        /* A file that does not compile may have any class in it. */
        said.keeps_all |= job->error != NULL;
        if (!job->error && (job->path[0] == '\0') == is_linked)
            said.list[said.n++] = (struct er_schedule_class){
                .name = job->name,
                .cron = er_options_check_schedule(&job->options, NULL) == 0 &&
                                (job->options.has & ER_OPT_SCHEDULE)
                            ? job->options.schedule
                            : NULL,
                .zone = job->options.zone};
    }
    rc = er_schedules_bring_classes(store, &said, er_store_wall_ms(store), err);
out:
    er_arena_free(arena);
    return rc;
}

int er_jobs_publish(struct er_store *store, const struct er_jobs_about *jobs,
                    const char *project, struct errand_error *err)
{
    int rc;

    if ((rc = define_all(store, jobs, err)) < 0 ||
        (rc = schedules_bring(store, jobs, true, NULL, err)) < 0)
        return rc;
    return project ? schedules_bring(store, jobs, false, project, err) : 0;
}
