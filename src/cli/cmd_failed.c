/* cmd_failed.c: errand queue:failed: jobs that wait for the operator, newest first. */
#include "base/error.h"
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

struct view {
    struct er_cli *cli;
    struct er_line line;
    struct er_table *table;
    int64_t now_ms, shown;
};

static const struct er_column columns[] = {
    {.title = "ID"},
    {.title = "NAME", .max = 40},
    {.title = "QUEUE", .max = 24},
    {.title = "FAILED"},
    {.title = "ATTEMPTS", .is_right = true},
    {.title = "ERROR", .max = 120},
};

static void row(struct view *v, const struct errand_job_info *job)
{
    char when[ER_WHEN_SIZE];

    er_table_str(v->table, ER_PLAIN, job->id.text);
    er_table_str(v->table, ER_BOLD, job->name);
    er_table_str(v->table, ER_PLAIN, job->queue);
    er_table_str(v->table, ER_PLAIN, er_ago_text(job->finished_ms, v->now_ms, when));
    er_table_int(v->table, ER_PLAIN, job->attempts);
    er_table_cell(v->table, ER_RED, job->error);
}

static void each(void *ctx, const struct errand_job_info *job)
{
    struct view *v = ctx;

    v->shown++;
    if (!v->cli->out.is_json) {
        row(v, job);
        return;
    }
    er_line_begin(&v->line);
    er_job_fields(&v->line, job);
    er_line_end(&v->line, &v->cli->out);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct view v = {.cli = cli, .now_ms = er_clock_wall_ms(NULL)};
    struct er_walk walk = {.with_data = cli->out.is_json, .each = each, .ctx = &v};
    bool more = false;
    int rc;

    walk.filter.states = 1u << ERRAND_FAILED;
    walk.filter.queue = er_cli_text(cli, "queue");
    walk.filter.since_ms = er_cli_ago(cli, "since", v.now_ms);
    walk.limit = er_cli_number(cli, "limit", LIMIT);
    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0)
        return rc;
    er_line_init(&v.line);
    v.table = er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);
    if (!v.table)
        rc = er_error_nomem(err);
    else if ((rc = er_jobs_walk(cli, &walk, NULL, &more, err)) == 0)
        er_table_flush(v.table);
    if (rc == 0 && !cli->out.is_json && v.shown == 0)
        er_cli_note(cli, "no failed jobs");
    if (rc == 0 && !cli->out.is_json && more && !cli->out.is_closed)
        er_cli_note(cli, "there are more: --limit=0 shows all");
    er_table_free(v.table);
    er_line_done(&v.line);
    return rc;
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
