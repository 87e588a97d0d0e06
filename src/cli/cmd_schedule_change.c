/* cmd_schedule_change.c: errand schedule:trigger, schedule:pause and schedule:resume. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dispatch.h"
#include "cli/line.h"
#include "errand/schedule.h"

/* ---------------------------------------------------------------- trigger */

static int exec_trigger(struct er_cli *cli, struct errand_error *err)
{
    struct errand_id id;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0 ||
        (rc = errand_schedule_trigger(cli->errand, cli->args[0], &id, err)) < 0)
        return rc;
    er_dispatch_say(cli, &id, rc);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_schedule_trigger = {
    .name = "schedule:trigger",
    .group = "Schedules",
    .args = "NAME",
    .args_min = 1,
    .args_max = 1,
    .help = "dispatches a schedule's job now and prints its id",
    .about = "Moves nothing: its slots come as they would have come.",
    .example = "errand schedule:trigger daily-report",
    .exec = exec_trigger,
};

/* ---------------------------------------------------------------- pause, resume */

static void say(struct er_cli *cli, const char *name, bool is_paused)
{
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "schedule '%s' is %s\n", name,
                  is_paused ? "paused" : "resumed");
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "name", name);
    er_line_bool(&line, "paused", is_paused);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

static int set_all(struct er_cli *cli, bool is_paused, struct errand_error *err)
{
    int rc = er_cli_open(cli, ER_OPEN_KEEP, err);

    for (int i = 0; rc == 0 && i < cli->args_n; i++) {
        rc = is_paused ? errand_schedule_pause(cli->errand, cli->args[i], err)
                       : errand_schedule_resume(cli->errand, cli->args[i], err);
        if (rc == 0)
            say(cli, cli->args[i], is_paused);
    }
    return rc;
}

static int exec_pause(struct er_cli *cli, struct errand_error *err)
{
    return set_all(cli, true, err);
}

static int exec_resume(struct er_cli *cli, struct errand_error *err)
{
    return set_all(cli, false, err);
}

const struct er_command er_cmd_schedule_pause = {
    .name = "schedule:pause",
    .group = "Schedules",
    .args = "NAME…",
    .args_min = 1,
    .args_max = -1,
    .help = "pauses schedules: their slots pass without a job",
    .about = "They stay paused when errand.yml or their class is read again. Slots that "
             "passed meanwhile are not made up for.",
    .example = "errand schedule:pause daily-report",
    .exec = exec_pause,
};

const struct er_command er_cmd_schedule_resume = {
    .name = "schedule:resume",
    .group = "Schedules",
    .args = "NAME…",
    .args_min = 1,
    .args_max = -1,
    .help = "lets paused schedules go on",
    .example = "errand schedule:resume daily-report",
    .exec = exec_resume,
};
