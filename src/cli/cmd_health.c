/* cmd_health.c: errand queue:health: is it well, as a word, a table and an exit code. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/health.h"
#include "errand/health.h"

static const struct er_flag flags[] = {
    {"quiet", NULL, "prints nothing: the exit code says it", ER_FLAG_SWITCH},
    {0},
};

static const struct er_column columns[] = {
    {.title = "QUEUE", .max = 40},
    {.title = "STATUS"},
    {.title = "READY", .is_right = true},
    {.title = "RUNNING", .is_right = true},
    {.title = "FAILED", .is_right = true},
    {.title = "WORKERS", .is_right = true},
    {.title = "OLDEST READY"},
};

static enum er_colour colour_of(enum errand_health_status status)
{
    switch (status) {
    case ERRAND_HEALTHY:
        return ER_GREEN;
    case ERRAND_DEGRADED:
        return ER_YELLOW;
    case ERRAND_UNHEALTHY:
        return ER_RED;
    }
    return ER_PLAIN;
}

/* ------------------------------------------------------------------ for people */

static void row(struct er_table *table, const struct errand_health_queue *q)
{
    char text[ER_WHEN_SIZE];

    er_table_str(table, ER_BOLD, q->name);
    er_table_str(table, colour_of(q->status), errand_health_name(q->status));
    er_table_str(table, ER_PLAIN, er_count_text(q->counts[ERRAND_READY], text));
    er_table_str(table, ER_PLAIN, er_count_text(q->counts[ERRAND_RUNNING], text));
    er_table_str(table, ER_PLAIN, er_count_text(q->counts[ERRAND_FAILED], text));
    er_table_int(table, ER_PLAIN, (int64_t)q->workers_n);
    er_table_str(table, q->is_paused ? ER_YELLOW : ER_PLAIN,
                 q->is_paused         ? "paused"
                 : q->oldest_ready_ms ? er_span_text(q->oldest_ready_ms, text)
                                      : "");
}

static void numbers_print(struct er_cli *cli, const struct errand_health_metrics *m)
{
    char window[ER_WHEN_SIZE], text[ER_WHEN_SIZE];
    int64_t ended = m->done + m->failed + m->retried;

    er_printf(&cli->out, "%zu %s alive", m->workers_n,
              m->workers_n == 1 ? "worker" : "workers");
    if (ended > 0) {
        er_printf(&cli->out, "; %s attempts ended", er_count_text(ended, text));
        er_printf(&cli->out, " in the last %s", er_span_text(m->window_ms, window));
        er_printf(&cli->out, ", %.1f %% of them failed", m->error_rate * 100);
        er_printf(&cli->out, "; 99 %% waited under %s",
                  er_span_text(m->wait_p99_ms, text));
        er_printf(&cli->out, " and ran under %s", er_span_text(m->run_p99_ms, text));
    }
    er_printf(&cli->out, "\n");
}

static int page_print(struct er_cli *cli, const struct errand_health *h,
                      struct errand_error *err)
{
    struct er_table *table =
        er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);

    if (!table)
        return er_error_nomem(err);
    er_print_text(&cli->out, colour_of(h->status), errand_health_name(h->status));
    er_printf(&cli->out, "\n");
    for (size_t i = 0; i < h->alerts_n; i++) {
        er_printf(&cli->out, "  ");
        er_print_text(&cli->out, colour_of(h->alerts[i].status),
                      errand_health_name(h->alerts[i].status));
        er_printf(&cli->out, ": ");
        er_print_safe(&cli->out, h->alerts[i].text);
        er_printf(&cli->out, "\n");
    }
    if (h->queues_n)
        er_printf(&cli->out, "\n");
    for (size_t i = 0; i < h->queues_n; i++)
        row(table, &h->queues[i]);
    er_table_flush(table);
    er_printf(&cli->out, "\n");
    numbers_print(cli, &h->metrics);
    er_table_free(table);
    return 0;
}

/* ------------------------------------------------------------------ for programs */

static void queues_add(struct er_line *line, const struct errand_health *h)
{
    er_line_open(line, "queues", '[');
    for (size_t i = 0; i < h->queues_n; i++) {
        const struct errand_health_queue *q = &h->queues[i];
        er_line_open(line, NULL, '{');
        er_line_str(line, "queue", q->name);
        er_line_str(line, "status", errand_health_name(q->status));
        for (int s = 0; s < ERRAND_STATES_N; s++)
            er_line_int(line, errand_state_name((enum errand_state)s), q->counts[s]);
        er_line_int(line, "oldest_ready_ms", q->oldest_ready_ms);
        er_line_bool(line, "paused", q->is_paused);
        er_line_int(line, "workers", (int64_t)q->workers_n);
        er_line_close(line, '}');
    }
    er_line_close(line, ']');
}

static void workers_add(struct er_line *line, const struct errand_health *h)
{
    er_line_open(line, "workers", '[');
    for (size_t i = 0; i < h->workers_n; i++) {
        const struct errand_health_worker *w = &h->workers[i];
        er_line_open(line, NULL, '{');
        er_line_str(line, "worker", w->name);
        er_line_str(line, "state", w->state);
        er_line_int(line, "running", (int64_t)w->running_n);
        er_line_time(line, "started_at", w->since_ms);
        er_line_time(line, "seen_at", w->seen_ms);
        er_line_str(line, "trouble", w->trouble);
        er_line_close(line, '}');
    }
    er_line_close(line, ']');
}

static void alerts_add(struct er_line *line, const struct errand_health *h)
{
    er_line_open(line, "alerts", '[');
    for (size_t i = 0; i < h->alerts_n; i++) {
        er_line_open(line, NULL, '{');
        er_line_str(line, "status", errand_health_name(h->alerts[i].status));
        er_line_str(line, "what", h->alerts[i].what);
        er_line_str(line, "queue", h->alerts[i].queue);
        er_line_str(line, "text", h->alerts[i].text);
        er_line_close(line, '}');
    }
    er_line_close(line, ']');
}

static void span_add(struct er_line *line, const char *key, int64_t ms)
{
    if (ms < 0)
        er_line_null(line, key);
    else
        er_line_int(line, key, ms);
}

static void metrics_add(struct er_line *line, const struct errand_health_metrics *m)
{
    char rate[32];
    int len = snprintf(rate, sizeof rate, "%d.%04d", m->error_rate >= 1,
                       (int)(m->error_rate * 10000 + 0.5) % 10000);

    er_line_open(line, "metrics", '{');
    for (int s = 0; s < ERRAND_STATES_N; s++)
        er_line_int(line, errand_state_name((enum errand_state)s), m->counts[s]);
    er_line_int(line, "workers", (int64_t)m->workers_n);
    er_line_int(line, "window_ms", m->window_ms);
    er_line_int(line, "done_n", m->done);
    er_line_int(line, "failed_n", m->failed);
    er_line_int(line, "retried_n", m->retried);
    er_line_raw(line, "error_rate", (struct errand_slice){rate, (size_t)len});
    span_add(line, "run_p50_ms", m->run_p50_ms);
    span_add(line, "run_p99_ms", m->run_p99_ms);
    span_add(line, "wait_p50_ms", m->wait_p50_ms);
    span_add(line, "wait_p99_ms", m->wait_p99_ms);
    er_line_close(line, '}');
}

static void line_print(struct er_cli *cli, const struct errand_health *h)
{
    struct er_line line;

    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "status", errand_health_name(h->status));
    er_line_time(&line, "at", h->now_ms);
    queues_add(&line, h);
    workers_add(&line, h);
    alerts_add(&line, h);
    metrics_add(&line, &h->metrics);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

/* A store that cannot be opened is what this command is there to say. */
static int look(struct er_cli *cli, struct errand_health **ret, struct errand_error *err)
{
    struct errand_error why = {0};
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    er_cli_hurry(cli);
    if (er_cli_open(cli, ER_OPEN_KEEP, &why) < 0)
        return er_health_closed(why.message, ret, err);
    return errand_health(cli->errand, NULL, ret, err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_health *health = NULL;
    int rc;

    if ((rc = look(cli, &health, err)) < 0)
        return rc;
    if (er_cli_has(cli, "quiet"))
        rc = 0;
    else if (cli->out.is_json)
        line_print(cli, health);
    else
        rc = page_print(cli, health, err);
    rc = rc < 0 ? rc : (int)health->status;
    errand_health_free(health);
    return rc;
}

const struct er_command er_cmd_health = {
    .name = "queue:health",
    .group = "Look",
    .args = "",
    .flags = flags,
    .help = "says whether all is well; exit 0 healthy, 1 degraded, 2 unhealthy",
    .about =
        "The thresholds are in errand.yml under health. A store that does not answer "
        "within 3 s is unhealthy, and so is one that is not there or takes nothing: it "
        "takes a lock and gives it back, so run it as a user who may write. It costs the "
        "same with ten jobs and "
        "with a million: fit for the health check of a container. With --json one line: "
        "status at queues workers alerts metrics.",
    .example = "errand queue:health --quiet || systemctl restart my-worker",
    .exec = exec,
};
