/* inspect_json.c: everything about one job as one JSON object. */
#include "cli/inspect.h"
#include "cli/job_view.h"
#include "cli/words.h"

static void text_or_null(struct er_line *line, const char *key, struct errand_slice text)
{
    if (text.len)
        er_line_text(line, key, text);
    else
        er_line_null(line, key);
}

static void int_or_null(struct er_line *line, const char *key, int64_t number)
{
    if (number > 0)
        er_line_int(line, key, number);
    else
        er_line_null(line, key);
}

static void attempt_add(struct er_line *line, const struct errand_attempt *a)
{
    char name[24];

    er_line_open(line, NULL, '{');
    er_line_int(line, "n", a->n);
    er_line_time(line, "started_at", a->started_ms);
    er_line_time(line, "ended_at", a->ended_ms);
    er_line_str(line, "worker", a->worker && *a->worker ? a->worker : NULL);
    er_line_str(line, "outcome", er_outcome_name(a->outcome));
    er_line_str(line, "cause", er_cause_name(a->cause));
    text_or_null(line, "error", a->error);
    if (a->cause == ERRAND_CAUSE_EXIT || a->exit_code)
        er_line_int(line, "exit", a->exit_code);
    else
        er_line_null(line, "exit");
    er_line_str(line, "signal", a->signal ? er_signal_name(a->signal, name) : NULL);
    text_or_null(line, "log", a->log);
    int_or_null(line, "max_rss", a->max_rss_kib * 1024);
    int_or_null(line, "cpu_ms", a->cpu_ms);
    er_line_close(line, '}');
}

static void edges_add(struct er_line *line, const char *key,
                      const struct errand_edge_info *edges, size_t n)
{
    static const char *const on[] = {[ERRAND_ON_SUCCESS] = "success",
                                     [ERRAND_ON_FAILURE] = "failure",
                                     [ERRAND_ON_END] = "end"};

    er_line_open(line, key, '[');
    for (size_t i = 0; i < n; i++) {
        er_line_open(line, NULL, '{');
        er_line_str(line, "id", edges[i].id.text);
        er_line_str(line, "kind", edges[i].is_batch ? "batch" : "job");
        er_line_str(line, "on", on[edges[i].on]);
        er_line_str(line, "state",
                    edges[i].is_batch ? NULL : errand_state_name(edges[i].state));
        er_line_bool(line, "satisfied", edges[i].is_satisfied);
        er_line_close(line, '}');
    }
    er_line_close(line, ']');
}

void er_inspect_json(struct er_cli *cli, const struct errand_job_detail *d)
{
    struct er_line line;

    er_line_init(&line);
    er_line_begin(&line);
    er_job_fields(&line, &d->job);
    er_line_raw(&line, "options", d->job.options);
    er_line_raw(&line, "result", d->job.result);
    if (d->job.progress < 0) {
        er_line_null(&line, "progress");
    } else {
        er_line_open(&line, "progress", '{');
        er_line_int(&line, "percent", d->job.progress);
        text_or_null(&line, "note", d->job.progress_note);
        er_line_close(&line, '}');
    }
    er_line_bool(&line, "cancel_requested", d->job.cancel_requested);
    edges_add(&line, "waits_for", d->parents, d->parents_n);
    edges_add(&line, "waited_by", d->children, d->children_n);
    er_line_open(&line, "attempt_list", '[');
    for (size_t i = 0; i < d->attempts_n; i++)
        attempt_add(&line, &d->attempts[i]);
    er_line_close(&line, ']');
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}
