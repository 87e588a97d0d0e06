/* cmd_work.c: errand queue:work: a worker in the foreground. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/scheduling.h"
#include "core/options.h"
#include "errand/worker.h"
#include "scheduler/scheduler.h"

static const struct er_flag flags[] = {
    {"queue", "Q,…", "work these queues, the first one first; default: all as one line",
     ER_FLAG_LIST},
    {"concurrency", "N", "jobs at the same time; default: number of cores", ER_FLAG_COUNT,
     1, 1000},
    {"max-jobs", "N", "end after so many attempts", ER_FLAG_COUNT, 1},
    {"max-time", "T", "end after so long: 1h", ER_FLAG_DURATION},
    {"memory", "MB", "memory a job may use, MiB", ER_FLAG_COUNT, ER_WORKER_MEMORY_LEAST,
     ER_WORKER_MEMORY_MOST},
    {"stop-when-empty", NULL, "end when nothing is ready and nothing runs",
     ER_FLAG_SWITCH},
    {"once", NULL, "work one job, or none when nothing is ready, and end",
     ER_FLAG_SWITCH},
    {"grace", "T", "time that running jobs get when the worker stops; default 30",
     ER_FLAG_DURATION},
    {"lease", "T", "how long a job stays with a worker that is not heard of; default 30",
     ER_FLAG_DURATION},
    {"sleep", "T", "longest sleep when there is nothing to do; default 1",
     ER_FLAG_DURATION},
    {"tries", "N", "for jobs that say nothing themselves", ER_FLAG_COUNT, 1, 1000},
    {"timeout", "T", "for jobs that say nothing themselves", ER_FLAG_DURATION},
    {"backoff", "S,…", "for jobs that say nothing themselves: 60, or 60,300,900",
     ER_FLAG_TEXT},
    {"name", "NAME", "of this worker; default host-pid", ER_FLAG_TEXT},
    {"schedule", NULL, "run the scheduler, too", ER_FLAG_SWITCH},
    {"quiet", NULL, "print nothing but errors", ER_FLAG_SWITCH},
    {0},
};

/* A time of zero would mean "the default" below. */
static int seconds_set(const struct er_cli *cli, const char *name, double *ret,
                       struct errand_error *err)
{
    if (!er_cli_has(cli, name))
        return 0;
    *ret = (double)er_cli_number(cli, name, 0) / 1000;
    if (*ret > 0)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL, "--%s must be more than 0", name);
}

static int times_set(const struct er_cli *cli, struct errand_worker_options *o,
                     struct errand_error *err)
{
    int rc;

    if ((rc = seconds_set(cli, "max-time", &o->max_time, err)) < 0 ||
        (rc = seconds_set(cli, "grace", &o->grace, err)) < 0 ||
        (rc = seconds_set(cli, "lease", &o->lease, err)) < 0 ||
        (rc = seconds_set(cli, "sleep", &o->sleep, err)) < 0)
        return rc;
    return seconds_set(cli, "timeout", &o->timeout, err);
}

static int backoff_set(struct er_cli *cli, struct errand_worker_options *o,
                       struct errand_error *err)
{
    const char *text = er_cli_text(cli, "backoff");
    struct er_options options = {0};
    int rc;

    if (!text)
        return 0;
    if ((rc = er_options_set(&options, "backoff", text, cli->arena, err)) < 0)
        return er_error_wrap(err, rc, "--backoff");
    o->backoff = options.backoff;
    return 0;
}

static void counts_set(const struct er_cli *cli, struct errand_worker_options *o)
{
    o->concurrency = (int)er_cli_number(cli, "concurrency", o->concurrency);
    o->max_jobs = er_cli_number(cli, "max-jobs", o->max_jobs);
    o->memory = er_cli_number(cli, "memory", o->memory);
    o->tries = (int)er_cli_number(cli, "tries", o->tries);
    o->stop_when_empty = o->stop_when_empty || er_cli_has(cli, "stop-when-empty");
    o->is_quiet = o->is_quiet || er_cli_has(cli, "quiet");
    if (er_cli_has(cli, "once")) {
        o->max_jobs = 1;
        o->stop_when_empty = true;
    }
}

/* The scheduler has a thread and a connection of its own: a catch-up of a thousand slots
 * must not keep the worker from its jobs. */
static int work_and_schedule(struct er_cli *cli,
                             const struct errand_worker_options *options,
                             struct errand_error *err)
{
    struct er_scheduling scheduling = {.cli = cli, .is_quiet = options->is_quiet};
    const struct errand_scheduler_options how = er_scheduling_options(&scheduling);
    errand_scheduler *scheduler = NULL;
    int rc;

    if ((rc = er_scheduler_start(cli->config, &how, &scheduler, err)) < 0)
        return rc;
    rc = errand_worker_run(cli->config->url, &cli->config->client, options, err);
    errand_scheduler_free(scheduler);
    return rc;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_worker_options options;
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    options = cli->config->worker;
    options.project = cli->config->project;
    options.env_allow = cli->config->env_allow;
    options.notify = &cli->config->notify;
    if (er_cli_has(cli, "queue"))
        options.queues = er_cli_flag(cli, "queue")->items;
    if (er_cli_has(cli, "name"))
        options.name = er_cli_text(cli, "name");
    counts_set(cli, &options);
    if ((rc = times_set(cli, &options, err)) < 0 ||
        (rc = backoff_set(cli, &options, err)) < 0)
        return rc;
    if (er_cli_has(cli, "schedule"))
        return work_and_schedule(cli, &options, err);
    return errand_worker_run(cli->config->url, &cli->config->client, &options, err);
}

const struct er_command er_cmd_work = {
    .name = "queue:work",
    .group = "Dispatch and work",
    .args = "",
    .flags = flags,
    .help = "works jobs until told to stop",
    .about = "TERM and INT let running jobs end within the grace, then hand them back; a "
             "second "
             "one stops at once. HUP reads the job files again, TSTP stops taking jobs.",
    .example = "errand queue:work --queue=high,default,low --concurrency=8\n"
               "errand queue:work --stop-when-empty",
    .exec = exec,
};
