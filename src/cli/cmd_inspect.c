/* cmd_inspect.c: errand queue:inspect ID: one job with all its history. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/project.h"
#include "core/clock.h"
#include "core/id.h"

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_job_detail *detail = NULL;
    struct errand_id id;
    int64_t now_ms;
    int rc;

    if ((rc = er_id_parse(cli->args[0], &id, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = errand_get(cli->errand, &id, &detail, err)) < 0)
        return rc;
    now_ms = er_store_wall_ms(cli->store);
    if (cli->out.is_json) {
        er_inspect_json(cli, detail);
    } else {
        er_inspect_page(cli, detail, now_ms);
        rc = er_inspect_waits(cli, &detail->job, now_ms, err);
    }
    if (detail->job.state == ERRAND_SCHEDULED || detail->job.state == ERRAND_READY)
        er_project_remark(cli, detail->job.name);
    errand_detail_free(detail);
    return rc < 0 ? rc : ER_EXIT_DONE;
}

const struct er_command er_cmd_inspect = {
    .name = "queue:inspect",
    .group = "Look",
    .args = "ID",
    .args_min = 1,
    .args_max = 1,
    .help = "shows one job: data, options, every attempt with cause, error and log",
    .about =
        "What holds up a job that waits is told below it: a queue that is paused, a "
        "limit "
        "of the store, workers that are not there. With --json: the job as in "
        "queue:list, with options, result, progress "
        "{percent note}, waits_for and waited_by [{id kind on state satisfied}], and "
        "attempt_list [{n started_at ended_at worker outcome cause error exit signal "
        "log max_rss cpu_ms}]; max_rss is in bytes.",
    .example = "errand queue:inspect 0193b2f0-7d1c-7e55-9a5f-3c2d7f1b2a10",
    .exec = exec,
};
