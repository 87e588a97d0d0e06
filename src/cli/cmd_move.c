/* cmd_move.c: errand move: everything of one store into another. */
#include <inttypes.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/move.h"

static const struct er_flag flags[] = {
    {"from", "URL", "the store that has the jobs", ER_FLAG_TEXT},
    {"to", "URL", "the store that is to have them; made when it is not there",
     ER_FLAG_TEXT},
    {"dry-run", NULL, "say what would move, and change nothing", ER_FLAG_SWITCH},
    {"keep", NULL, "leave the jobs in the source as well, its queues paused",
     ER_FLAG_SWITCH},
    {"force", NULL, "workers of the source that are alive and idle are no obstacle",
     ER_FLAG_SWITCH},
    {0},
};

static const enum errand_state order[] = {ERRAND_READY,     ERRAND_SCHEDULED,
                                          ERRAND_HELD,      ERRAND_FAILED,
                                          ERRAND_COMPLETED, ERRAND_CANCELLED};
enum { ORDER_N = sizeof order / sizeof *order };

/* ------------------------------------------------------------------ what moved */

static int table_print(struct er_cli *cli, const struct er_move_result *r,
                       struct errand_error *err)
{
    static const struct er_column columns[] = {
        {.title = "QUEUE", .max = 40},
        {.title = "READY", .is_right = true},
        {.title = "SCHEDULED", .is_right = true},
        {.title = "HELD", .is_right = true},
        {.title = "FAILED", .is_right = true},
        {.title = "COMPLETED", .is_right = true},
        {.title = "CANCELLED", .is_right = true},
    };
    struct er_table *table =
        er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);
    char text[ER_WHEN_SIZE];

    if (!table)
        return er_error_nomem(err);
    for (size_t i = 0; i < r->queues_n; i++) {
        er_table_str(table, ER_BOLD, r->queues[i].name);
        for (int s = 0; s < ORDER_N; s++)
            er_table_str(table, ER_PLAIN,
                         er_count_text(r->queues[i].counts[order[s]], text));
    }
    er_table_flush(table);
    er_table_free(table);
    return 0;
}

static void queues_print(struct er_cli *cli, const struct er_move_result *r)
{
    struct er_line line;

    er_line_init(&line);
    for (size_t i = 0; i < r->queues_n; i++) {
        er_line_begin(&line);
        er_line_str(&line, "queue", r->queues[i].name);
        for (int s = 0; s < ORDER_N; s++)
            er_line_int(&line, errand_state_name(order[s]),
                        r->queues[i].counts[order[s]]);
        er_line_end(&line, &cli->out);
    }
    er_line_begin(&line);
    er_line_int(&line, "jobs", r->jobs_n);
    er_line_int(&line, "batches", r->batches_n);
    er_line_int(&line, "schedules", r->schedules_n);
    er_line_int(&line, "limits", r->limits_n);
    er_line_int(&line, "definitions", r->definitions_n);
    er_line_bool(&line, "moved", !er_cli_has(cli, "dry-run"));
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

static int say(struct er_cli *cli, const struct er_move_result *r,
               struct errand_error *err)
{
    char jobs[ER_WHEN_SIZE];
    int rc;

    if (cli->out.is_json) {
        queues_print(cli, r);
        return 0;
    }
    if ((rc = table_print(cli, r, err)) < 0)
        return rc;
    er_printf(&cli->out,
              "%s jobs %s, with %" PRId64 " schedules, %" PRId64 " limits and %" PRId64
              " definitions\n",
              er_count_text(r->jobs_n, jobs),
              er_cli_has(cli, "dry-run") ? "would move"
              : er_cli_has(cli, "keep")  ? "copied"
                                         : "moved",
              r->schedules_n, r->limits_n, r->definitions_n);
    if (!er_cli_has(cli, "dry-run") && r->queues_n)
        er_printf(
            &cli->out,
            "the queues of the source stay paused; 'errand queue:resume' there makes "
            "them work again\n");
    return 0;
}

/* ------------------------------------------------------------------ progress */

struct watching {
    struct er_progress bar;
    enum er_move_pass pass;
    int64_t total;
};

static void watch(void *ctx, enum er_move_pass pass, int64_t done, int64_t total)
{
    static const char *const nouns[] = {
        [ER_MOVE_LOADING] = "jobs loaded",
        [ER_MOVE_CHECKING] = "jobs compared",
        [ER_MOVE_TAKING_OUT] = "jobs taken out",
    };
    struct watching *w = ctx;

    if (pass != w->pass || total != w->total) {
        w->pass = pass;
        w->total = total;
        er_progress_begin(&w->bar, total, nouns[pass]);
    }
    er_progress_show(&w->bar, done, done);
}

/* ------------------------------------------------------------------ the command */

/* Nothing is dropped on the way, whatever the configuration keeps: the next worker
 * prunes. What leaves the source has reached the disk of the target, where a store can
 * promise that; of the others their server decides, as for every job. */
static int open_store(struct er_cli *cli, const char *flag, bool is_target,
                      struct er_store **ret, struct errand_error *err)
{
    struct errand_config *config = &cli->config->client;
    struct er_store_options options = {
        .open = {.create = is_target,
                 .durable = ERRAND_DURABLE_FULL,
                 .busy_ms = config->busy_ms,
                 .force = config->force,
                 .keep_completed_ms = -1,
                 .keep_completed_n = -1},
        .max_data = ER_DATA_HARD_MAX,
    };

    if (er_store_open(er_cli_text(cli, flag), &options, ret, NULL) == 0)
        return 0;
    options.open.durable = config->durable;
    return er_store_open(er_cli_text(cli, flag), &options, ret, err);
}

static int dry_run(struct er_cli *cli, struct er_store *from, struct errand_error *err)
{
    struct er_move_result result;
    int rc = er_move_plan(from, cli->arena, &result, err);

    return rc < 0 ? rc : say(cli, &result, err);
}

static int move(struct er_cli *cli, struct er_store *from, struct er_store *to,
                struct errand_error *err)
{
    struct watching watching = {.total = -1};
    struct er_move_result result;
    const struct er_move params = {.from = from,
                                   .to = to,
                                   .keeps_source = er_cli_has(cli, "keep"),
                                   .is_forced = er_cli_has(cli, "force"),
                                   .progress = watch,
                                   .ctx = &watching};
    int rc = er_move_run(&params, cli->arena, &result, err);

    er_progress_end(&watching.bar);
    return rc < 0 ? rc : say(cli, &result, err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_store *from = NULL, *to = NULL;
    int rc;

    if (!er_cli_has(cli, "from") || !er_cli_has(cli, "to"))
        return errand_error_set(err, ERRAND_EINVAL, "move wants --from URL and --to URL");
    if ((rc = er_cli_config(cli, err)) < 0 ||
        (rc = open_store(cli, "from", false, &from, err)) < 0)
        goto out;
    if (er_cli_has(cli, "dry-run"))
        rc = dry_run(cli, from, err);
    else if ((rc = open_store(cli, "to", true, &to, err)) == 0)
        rc = move(cli, from, to, err);
out:
    er_store_close(from);
    er_store_close(to);
    return rc < 0 ? rc : ER_EXIT_DONE;
}

const struct er_command er_cmd_move = {
    .name = "move",
    .group = "Look after it",
    .args = "",
    .flags = flags,
    .help = "moves everything from one store to another",
    .about =
        "Stop the workers and schedulers of the source first. The queues of both stores "
        "stand still until the end, those of the source after it, too. Every job is "
        "loaded into the target, compared there, and only then taken out of the source. "
        "A move that was cut off, or that met jobs that came meanwhile, is repeated and "
        "goes on. Not carried: workers, leases, "
        "locks, events, statistics, what rate limits have counted, and the unique keys "
        "of jobs that are no longer kept.",
    .example = "errand move --from sqlite:errand.db --to postgres://db/app --dry-run\n"
               "errand move --from sqlite:errand.db --to postgres://db/app",
    .exec = exec,
};
