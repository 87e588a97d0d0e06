/* cmd_status.c: errand queue:status: counts per queue. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/move.h"
#include "core/clock.h"

static const struct er_flag flags[] = {
    {"queue", "Q,…", "only these queues", ER_FLAG_LIST},
    {0},
};

static const struct er_column columns[] = {
    {.title = "QUEUE", .max = 40},
    {.title = "READY", .is_right = true},
    {.title = "RUNNING", .is_right = true},
    {.title = "SCHEDULED", .is_right = true},
    {.title = "HELD", .is_right = true},
    {.title = "FAILED", .is_right = true},
    {.title = "COMPLETED", .is_right = true},
    {.title = "CANCELLED", .is_right = true},
    {.title = "WAITS SINCE"},
    {.title = "PAUSED"},
};

static const enum errand_state order[] = {
    ERRAND_READY,  ERRAND_RUNNING,   ERRAND_SCHEDULED, ERRAND_HELD,
    ERRAND_FAILED, ERRAND_COMPLETED, ERRAND_CANCELLED};
enum { ORDER_N = sizeof order / sizeof *order };

static bool is_paused(const struct errand_queue_info *q, int64_t now_ms)
{
    return q->paused_until_ms > now_ms;
}

/* How long the pause still lasts. "in 5 s" would be a pause that is to come. */
static char *paused_text(int64_t until_ms, int64_t now_ms, char *buf)
{
    char in[ER_WHEN_SIZE];

    er_ago_text(until_ms, now_ms, in);
    snprintf(buf, ER_WHEN_SIZE, "%.24s more",
             strncmp(in, "in ", 3) == 0 ? in + 3 : "a moment");
    return buf;
}

static void row(struct er_table *table, const struct errand_queue_info *q, int64_t now_ms)
{
    char text[ER_WHEN_SIZE], since[ER_WHEN_SIZE];

    er_table_str(table, ER_BOLD, q->name);
    for (int i = 0; i < ORDER_N; i++) {
        int64_t n = q->counts[order[i]];

        er_table_str(table, n ? er_state_colour(order[i]) : ER_DIM,
                     er_count_text(n, text));
    }
    er_table_str(table, ER_PLAIN,
                 q->oldest_ready_ms ? er_ago_text(q->oldest_ready_ms, now_ms, since)
                                    : "");
    if (!is_paused(q, now_ms))
        er_table_str(table, ER_PLAIN, "");
    else if (q->paused_until_ms == ERRAND_FOREVER)
        er_table_str(table, ER_YELLOW, "until resumed");
    else if (q->paused_until_ms == ER_MOVE_PAUSE_MS)
        er_table_str(table, ER_YELLOW, "by a move");
    else
        er_table_str(table, ER_YELLOW, paused_text(q->paused_until_ms, now_ms, text));
}

static void line_print(struct er_line *line, struct er_print *out,
                       const struct errand_queue_info *q, int64_t now_ms)
{
    int64_t waits = now_ms - q->oldest_ready_ms;

    er_line_begin(line);
    er_line_str(line, "queue", q->name);
    for (int s = 0; s < ERRAND_STATES_N; s++)
        er_line_int(line, errand_state_name((enum errand_state)s), q->counts[s]);
    if (q->paused_until_ms == ERRAND_FOREVER)
        er_line_str(line, "paused_until", "9999-12-31T23:59:59.999Z");
    else
        er_line_time(line, "paused_until", is_paused(q, now_ms) ? q->paused_until_ms : 0);
    if (q->oldest_ready_ms)
        er_line_int(line, "oldest_ready_ms", waits > 0 ? waits : 0);
    else
        er_line_null(line, "oldest_ready_ms");
    er_line_end(line, out);
}

static bool is_wanted(const struct er_cli *cli, const char *queue)
{
    const struct er_flag_value *only = er_cli_flag(cli, "queue");

    for (size_t i = 0; i < only->items_n; i++)
        if (strcmp(only->items[i], queue) == 0)
            return true;
    return !only->is_set;
}

static int print_all(struct er_cli *cli, const struct errand_queues_result *queues,
                     struct errand_error *err)
{
    struct er_table *table =
        er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);
    int64_t now_ms = er_store_wall_ms(cli->store);
    struct er_line line;

    if (!table)
        return er_error_nomem(err);
    er_line_init(&line);
    for (size_t i = 0; i < queues->queues_n; i++) {
        if (!is_wanted(cli, queues->queues[i].name))
            continue;
        if (cli->out.is_json)
            line_print(&line, &cli->out, &queues->queues[i], now_ms);
        else
            row(table, &queues->queues[i], now_ms);
    }
    er_table_flush(table);
    er_table_free(table);
    er_line_done(&line);
    return 0;
}

/* A queue that was asked for by name and is not there is not found. */
static int missing_check(struct er_cli *cli, const struct errand_queues_result *queues,
                         struct errand_error *err)
{
    const struct er_flag_value *only = er_cli_flag(cli, "queue");

    for (size_t i = 0; i < only->items_n; i++) {
        size_t j = 0;

        while (j < queues->queues_n &&
               strcmp(queues->queues[j].name, only->items[i]) != 0)
            j++;
        if (j == queues->queues_n)
            return errand_error_set(err, ERRAND_ENOTFOUND, "no queue '%s' in %s",
                                    only->items[i], er_store_url(cli->store));
    }
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_queues_result queues = {0};
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = er_store_queues(cli->store, 0, cli->arena, &queues, err)) < 0 ||
        (rc = print_all(cli, &queues, err)) < 0)
        return rc;
    if (queues.queues_n == 0 && !cli->out.is_json)
        er_cli_note(cli, "no queues yet: the first job makes one");
    return missing_check(cli, &queues, err);
}

const struct er_command er_cmd_status = {
    .name = "queue:status",
    .group = "Look",
    .args = "",
    .flags = flags,
    .help = "counts the jobs of each queue by state",
    .about =
        "Completed jobs are counted while they are kept: 24 hours, and 10,000 a queue, "
        "unless errand.yml says otherwise. With --json each line is a queue: queue, a "
        "number for each state, paused_until "
        "(the year 9999: until resumed; null: not paused) and oldest_ready_ms, how long "
        "its oldest ready job has been waiting.",
    .example = "errand queue:status",
    .exec = exec,
};
