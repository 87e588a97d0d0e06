/* cmd_list.c: errand queue:list: jobs, newest first. */
#include <string.h>

#include "cli/commands.h"
#include "cli/job_view.h"
#include "cli/when.h"
#include "client/seal.h"
#include "core/id.h"
#include "core/json.h"

enum { LIMIT = 50 };

static const char *const states[] = {"held",      "scheduled", "ready",     "running",
                                     "completed", "failed",    "cancelled", NULL};

static const struct er_flag flags[] = {
    {"queue", "Q", "jobs of this queue", ER_FLAG_TEXT},
    {"state", "S,…",
     "jobs in these states: held, scheduled, ready, running, completed, "
     "failed, cancelled",
     ER_FLAG_LIST, 0, 0, states},
    {"name", "NAME", "jobs of this name", ER_FLAG_TEXT},
    {"tag", "T", "jobs with this tag", ER_FLAG_TEXT},
    {"batch", "ID", "jobs of this batch, chain or flow", ER_FLAG_TEXT},
    {"search", "TEXT", "jobs with this text in id, data or error", ER_FLAG_TEXT},
    {"limit", "N", "at most so many; default 50, 0 for all", ER_FLAG_COUNT},
    {"after", "ID", "go on behind this job", ER_FLAG_TEXT},
    {0},
};

static const struct er_column columns[] = {
    {.title = "ID"},
    {.title = "NAME", .max = 40},
    {.title = "QUEUE", .max = 24},
    {.title = "STATE"},
    {.title = "TRIES", .is_right = true},
    {.title = "WHEN"},
    {.title = "DATA", .max = 60},
};

/* What matters about its time: when it will run, since when it waits, when it ended. */
static int64_t time_of(const struct errand_job_info *job)
{
    switch (job->state) {
    case ERRAND_SCHEDULED:
    case ERRAND_READY:
        return job->run_at_ms;
    case ERRAND_RUNNING:
        return job->started_ms;
    case ERRAND_COMPLETED:
    case ERRAND_FAILED:
    case ERRAND_CANCELLED:
        return job->finished_ms;
    case ERRAND_HELD:
        break;
    }
    return job->created_ms;
}

/* What tells a job from others of its name: its data, or the words of its command. */
static struct errand_slice told_of(const struct errand_job_info *job)
{
    enum er_json_type type;
    struct errand_slice command;

    if (job->options.len &&
        er_json_find(job->options, "command", &type, &command, NULL) == 0)
        return command;
    return er_sealed_shown(job->data);
}

static void row(struct er_table *table, const struct errand_job_info *job, int64_t now_ms)
{
    char when[ER_WHEN_SIZE], tries[32];

    snprintf(tries, sizeof tries, "%d/%d", (int)job->attempts, (int)job->tries);
    er_table_str(table, ER_PLAIN, job->id.text);
    er_table_str(table, ER_BOLD, job->name);
    er_table_str(table, ER_PLAIN, job->queue);
    er_job_state_cell(table, job);
    er_table_str(table, ER_PLAIN, tries);
    er_table_str(table, ER_PLAIN, er_ago_text(time_of(job), now_ms, when));
    er_table_cell(table, ER_DIM, told_of(job));
}

static int filter_read(struct er_cli *cli, struct er_listing *listing,
                       struct errand_error *err)
{
    const struct er_flag_value *state = er_cli_flag(cli, "state");
    const char *after = er_cli_text(cli, "after"), *batch = er_cli_text(cli, "batch");
    int rc;

    for (size_t i = 0; i < state->items_n; i++)
        listing->filter.states |= 1u << errand_state_parse(state->items[i]);
    listing->filter.queue = er_cli_text(cli, "queue");
    listing->filter.name = er_cli_text(cli, "name");
    listing->filter.tag = er_cli_text(cli, "tag");
    listing->filter.search = er_cli_text(cli, "search");
    listing->limit = er_cli_number(cli, "limit", LIMIT);
    if (batch && (rc = er_id_parse(batch, &listing->filter.batch, err)) < 0)
        return rc;
    return after ? er_id_parse(after, &listing->after, err) : 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_listing listing = {
        .with_data = true,
        .columns = columns,
        .columns_n = sizeof columns / sizeof *columns,
        .row = row,
        .none = "no such jobs",
    };
    struct errand_id last;
    bool more;
    int rc;

    if ((rc = filter_read(cli, &listing, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = er_listing_print(cli, &listing, &last, &more, err)) < 0)
        return rc;
    if (!cli->out.is_json && more && !cli->out.is_closed)
        er_cli_note(cli, "there are more: --after=%s, or --limit=0 for all", last.text);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_list = {
    .name = "queue:list",
    .group = "Look",
    .args = "",
    .flags = flags,
    .help = "lists jobs, newest first",
    .about =
        "With --json each line is a job: id name queue state priority attempts tries "
        "data run_at created_at started_at finished_at worker error tags batch_id. "
        "Times are RFC 3339 in UTC. --search reads every job that the other options "
        "leave: name a queue, a state or a limit where there are many.",
    .example = "errand queue:list --state=ready,running --queue=emails\n"
               "errand queue:list --json --limit=0 | jq -r .id",
    .exec = exec,
};
