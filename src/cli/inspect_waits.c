/* inspect_waits.c: why a job has not begun, or does not end, where that lies not with
 * itself: its queue, a limit, the workers. */
#include <inttypes.h>
#include <string.h>

#include "cli/inspect.h"
#include "client/worker_view.h"
#include "core/name.h"

static int paused_say(struct er_cli *cli, const struct errand_job_info *job,
                      int64_t now_ms, struct errand_error *err)
{
    struct errand_queues_result r = {0};
    int rc = er_store_queues(cli->store, now_ms, cli->arena, &r, err);

    for (size_t i = 0; rc == 0 && i < r.queues_n; i++)
        if (strcmp(r.queues[i].name, job->queue) == 0 &&
            r.queues[i].paused_until_ms > now_ms)
            er_cli_note(cli, "queue '%s' is paused → errand queue:resume --queue=%s",
                        job->queue, job->queue);
    return rc;
}

static bool is_of(const struct errand_limit *limit, const struct errand_job_info *job)
{
    return (limit->scope == ERRAND_SCOPE_QUEUE &&
            strcmp(limit->target, job->queue) == 0) ||
           (limit->scope == ERRAND_SCOPE_JOB &&
            er_name_is_same(limit->target, job->name));
}

static int limits_say(struct er_cli *cli, const struct errand_job_info *job,
                      int64_t now_ms, struct errand_error *err)
{
    struct errand_limits_result r = {0};
    int rc = er_store_limits(cli->store, now_ms, cli->arena, &r, err);

    for (size_t i = 0; rc == 0 && i < r.limits_n; i++) {
        const struct errand_limit_info *info = &r.limits[i];
        if (info->used >= info->limit.n && is_of(&info->limit, job))
            er_cli_note(cli,
                        "limit '%s' of %s '%s' lets no more begin, %" PRId64
                        " of %" PRId64 " are used → errand queue:limit",
                        info->limit.name,
                        info->limit.scope == ERRAND_SCOPE_QUEUE ? "queue" : "job",
                        info->limit.target, info->used, info->limit.n);
    }
    return rc;
}

static void taker_say(struct er_cli *cli, const struct errand_job_info *job,
                      const struct errand_workers_result *workers)
{
    struct er_worker_view view;
    size_t takers_n = 0;

    for (size_t i = 0; i < workers->workers_n; i++) {
        const struct errand_worker_info *w = &workers->workers[i];
        er_worker_view(w, cli->arena, &view);
        if (!w->is_alive || !er_worker_serves(w, job->queue))
            continue;
        takers_n += view.takes_jobs;
        if (!view.takes_jobs && view.trouble)
            er_cli_note(cli, "%s %s → %s", w->worker, view.trouble, view.remedy);
    }
    if (!takers_n)
        er_cli_note(cli, "no worker takes '%s' → errand queue:work --queue=%s",
                    job->queue, job->queue);
}

static void runner_say(struct er_cli *cli, const struct errand_job_info *job,
                       const struct errand_workers_result *workers)
{
    struct er_worker_view view;

    for (size_t i = 0; i < workers->workers_n; i++) {
        const struct errand_worker_info *w = &workers->workers[i];
        er_worker_view(w, cli->arena, &view);
        if (job->worker && strcmp(w->worker, job->worker) == 0 && !view.takes_jobs &&
            view.trouble)
            er_cli_note(cli, "%s %s → %s", w->worker, view.trouble, view.remedy);
    }
}

int er_inspect_waits(struct er_cli *cli, const struct errand_job_info *job,
                     int64_t now_ms, struct errand_error *err)
{
    struct errand_workers_result workers = {0};
    int rc;

    if (job->state != ERRAND_READY && job->state != ERRAND_SCHEDULED &&
        job->state != ERRAND_RUNNING)
        return 0;
    if ((rc = er_store_workers(cli->store, now_ms, cli->arena, &workers, err)) < 0)
        return rc;
    if (job->state == ERRAND_RUNNING) {
        runner_say(cli, job, &workers);
        return 0;
    }
    if ((rc = paused_say(cli, job, now_ms, err)) < 0)
        return rc;
    if (job->state == ERRAND_READY && (rc = limits_say(cli, job, now_ms, err)) < 0)
        return rc;
    taker_say(cli, job, &workers);
    return 0;
}
