/* cmd_stats.c: errand queue:stats: how many attempts ended how, and how long they took.
 */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/job_view.h"
#include "cli/rows.h"
#include "cli/when.h"
#include "core/clock.h"
#include "errand/health.h"

#include <string.h>

static const char *const parts[] = {"minute", "queue", "name", NULL};

static const struct er_flag flags[] = {
    {"queue", "Q", "of this queue", ER_FLAG_TEXT},
    {"name", "N", "of jobs of this name", ER_FLAG_TEXT},
    {"since", "T", "since then; default 1h", ER_FLAG_WHEN},
    {"by", "P,…", "a row for each minute, queue, name; default queue,name", ER_FLAG_LIST},
    {0},
};

enum { HOUR_MS = 3600000 };

static const struct er_column columns[] = {
    {.title = "MINUTE"},
    {.title = "QUEUE", .max = 24},
    {.title = "NAME", .max = 40},
    {.title = "DONE", .is_right = true},
    {.title = "FAILED", .is_right = true},
    {.title = "RETRIED", .is_right = true},
    {.title = "RUN P50", .is_right = true},
    {.title = "P99", .is_right = true},
    {.title = "WAIT P50", .is_right = true},
    {.title = "P99", .is_right = true},
};

/* The histograms know powers of two: "< 16 ms". */
static void span_cell(struct er_table *table, const int64_t *histogram, double share)
{
    char span[ER_WHEN_SIZE], text[ER_WHEN_SIZE + 4];
    int64_t ms = errand_stat_quantile(histogram, share);

    snprintf(text, sizeof text, "< %s", er_span_text(ms, span));
    er_table_str(table, ER_PLAIN, ms < 0 ? "" : text);
}

static void row_print(struct er_table *table, const void *item)
{
    const struct errand_stat *s = item;
    char text[ER_WHEN_SIZE];

    er_table_str(table, ER_PLAIN,
                 s->minute_ms ? er_time_format(s->minute_ms, text, sizeof text) : "all");
    er_table_str(table, ER_PLAIN, *s->queue ? s->queue : "all");
    er_table_str(table, ER_BOLD, *s->name ? s->name : "all");
    er_table_str(table, s->done ? ER_GREEN : ER_DIM, er_count_text(s->done, text));
    er_table_str(table, s->failed ? ER_RED : ER_DIM, er_count_text(s->failed, text));
    er_table_str(table, s->retried ? ER_YELLOW : ER_DIM, er_count_text(s->retried, text));
    span_cell(table, s->run_hist, 0.5);
    span_cell(table, s->run_hist, 0.99);
    span_cell(table, s->wait_hist, 0.5);
    span_cell(table, s->wait_hist, 0.99);
}

static void quantile_add(struct er_line *line, const char *key, const int64_t *histogram,
                         double share)
{
    int64_t ms = errand_stat_quantile(histogram, share);

    if (ms < 0)
        er_line_null(line, key);
    else
        er_line_int(line, key, ms);
}

static void line_fill(struct er_line *line, const void *item)
{
    const struct errand_stat *s = item;

    er_line_time(line, "minute", s->minute_ms);
    er_line_str(line, "queue", *s->queue ? s->queue : NULL);
    er_line_str(line, "name", *s->name ? s->name : NULL);
    er_line_int(line, "done", s->done);
    er_line_int(line, "failed", s->failed);
    er_line_int(line, "retried", s->retried);
    er_line_int(line, "run_ms", s->run_ms);
    er_line_int(line, "wait_ms", s->wait_ms);
    quantile_add(line, "run_p50_ms", s->run_hist, 0.5);
    quantile_add(line, "run_p99_ms", s->run_hist, 0.99);
    quantile_add(line, "wait_p50_ms", s->wait_hist, 0.5);
    quantile_add(line, "wait_p99_ms", s->wait_hist, 0.99);
}

static const struct er_rows rows = {
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .item_size = sizeof(struct errand_stat),
    .row = row_print,
    .line = line_fill,
    .none = "nothing has ended in that time",
};

static int parts_take(struct er_cli *cli, struct errand_stats_query *q,
                      struct errand_error *err)
{
    const struct er_flag_value *by = er_cli_flag(cli, "by");

    q->by_queue = q->by_name = !by->is_set;
    for (size_t i = 0; i < by->items_n; i++) {
        if (strcmp(by->items[i], "minute") == 0)
            q->by_minute = true;
        else if (strcmp(by->items[i], "queue") == 0)
            q->by_queue = true;
        else if (strcmp(by->items[i], "name") == 0)
            q->by_name = true;
        else
            return errand_error_set(
                err, ERRAND_EINVAL, "--by=%s: it is one of minute, queue, name%s%s",
                by->items[i], er_suggest(by->items[i], parts, 3) ? "; did you mean " : "",
                er_suggest(by->items[i], parts, 3) ? er_suggest(by->items[i], parts, 3)
                                                   : "");
    }
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    int64_t now_ms = er_store_wall_ms(cli->store);
    struct errand_stats_query q = {.queue = er_cli_text(cli, "queue"),
                                   .name = er_cli_text(cli, "name"),
                                   .since_ms = er_cli_ago(cli, "since", now_ms)};
    struct errand_stats *stats = NULL;
    int rc;

    if (!q.since_ms)
        q.since_ms = now_ms - HOUR_MS;
    if ((rc = parts_take(cli, &q, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = errand_stats(cli->errand, &q, &stats, err)) < 0)
        return rc;
    rc = er_rows_print(cli, &rows, stats->rows, stats->rows_n, err);
    errand_stats_free(stats);
    return rc;
}

const struct er_command er_cmd_stats = {
    .name = "queue:stats",
    .group = "Look",
    .args = "",
    .flags = flags,
    .help = "counts attempts by how they ended, with how long they ran and waited",
    .about =
        "Workers add up the numbers of each minute, which are kept for 30 days, and hand "
        "them over every few seconds. Times are known as powers of two: p99 < 16 ms says "
        "that 99 of 100 took less than 16 ms. With --json each line is a row: minute "
        "queue name done failed retried run_ms wait_ms (sums) run_p50_ms run_p99_ms "
        "wait_p50_ms wait_p99_ms; null is what is summed up.",
    .example = "errand queue:stats --since=10m --by=minute",
    .exec = exec,
};
