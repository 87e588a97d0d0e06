/* cmd_schedule.c: errand queue:schedule: a scheduler in the foreground. */
#include "cli/commands.h"
#include "cli/scheduling.h"
#include "scheduler/scheduler.h"

static const struct er_flag flags[] = {
    {"quiet", NULL, "print nothing but warnings", ER_FLAG_SWITCH},
    {0},
};

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_scheduling scheduling = {
        .cli = cli, .is_quiet = er_cli_has(cli, "quiet"), .has_job_files = true};
    const struct errand_scheduler_options options = er_scheduling_options(&scheduling);
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    return er_scheduler_run(cli->config, &options, err);
}

const struct er_command er_cmd_schedule = {
    .name = "queue:schedule",
    .group = "Schedules",
    .args = "",
    .flags = flags,
    .help = "runs the scheduler until told to stop",
    .about =
        "Dispatches what is due by the clock; a worker does the work. First it puts the "
        "schedules of errand.yml and of the job classes. Any number of schedulers may "
        "run: "
        "a slot gives one job. TERM and INT stop it, HUP reads errand.yml and the job "
        "files again; changes by the other commands and by workers are taken up at once. "
        "What it does is printed on standard error.",
    .example = "errand queue:schedule",
    .exec = exec,
};
