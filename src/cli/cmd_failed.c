/* cmd_failed.c: errand queue:failed: jobs that wait for the operator, newest first. */
#include "cli/commands.h"
#include "cli/job_view.h"
#include "cli/when.h"
#include "core/clock.h"

static const struct er_flag flags[] = {
    {"queue", "Q", "jobs of this queue", ER_FLAG_TEXT},
    {"since", "T", "failed since then: 1h, or an instant", ER_FLAG_WHEN},
    {"limit", "N", "at most so many; default 50, 0 for all", ER_FLAG_COUNT},
    {0},
};

enum { LIMIT = 50 };

static const struct er_column columns[] = {
    {.title = "ID"},
    {.title = "NAME", .max = 40},
    {.title = "QUEUE", .max = 24},
    {.title = "FAILED"},
    {.title = "ATTEMPTS", .is_right = true},
    {.title = "ERROR", .max = 120},
};

static void row(struct er_table *table, const struct errand_job_info *job, int64_t now_ms)
{
    char when[ER_WHEN_SIZE];

    er_table_str(table, ER_PLAIN, job->id.text);
    er_table_str(table, ER_BOLD, job->name);
    er_table_str(table, ER_PLAIN, job->queue);
    er_table_str(table, ER_PLAIN, er_ago_text(job->finished_ms, now_ms, when));
    er_table_int(table, ER_PLAIN, job->attempts);
    er_table_cell(table, ER_RED, job->error);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_listing listing = {
        .filter = {.states = 1u << ERRAND_FAILED,
                   .queue = er_cli_text(cli, "queue"),
                   .since_ms = er_cli_ago(cli, "since", er_store_wall_ms(cli->store))},
        .limit = er_cli_number(cli, "limit", LIMIT),
        .with_data = cli->out.is_json,
        .columns = columns,
        .columns_n = sizeof columns / sizeof *columns,
        .row = row,
        .none = "no failed jobs",
    };
    struct errand_id last;
    bool more;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = er_listing_print(cli, &listing, &last, &more, err)) < 0)
        return rc;
    if (!cli->out.is_json && more && !cli->out.is_closed)
        er_cli_note(cli, "there are more: --limit=0 shows all");
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_failed = {
    .name = "queue:failed",
    .group = "Failed jobs",
    .args = "",
    .flags = flags,
    .help = "lists failed jobs, the last one first",
    .about = "With --json each line is a job, as in queue:list.",
    .example = "errand queue:failed --since=1h",
    .exec = exec,
};
