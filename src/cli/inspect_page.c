/* inspect_page.c: everything about one job on one page, for a person at 3 a.m. */
#include <string.h>

#include "cli/inspect.h"
#include "cli/when.h"
#include "cli/words.h"
#include "client/seal.h"
#include "core/clock.h"

enum { LABEL = 12, INDENT = LABEL, PAGE_MAX = 4 << 20, SHOWN_MAX = 64 << 10 };

static void label(struct er_print *out, const char *text)
{
    er_print_colour(out, ER_DIM);
    er_printf(out, "%-*s", LABEL, text);
    er_print_colour(out, ER_PLAIN);
}

/* Text over one or more lines, each set in, safe for a terminal. What no eye would read
 * to the end is cut, and said to be. */
static void block(struct er_print *out, enum er_colour colour, struct errand_slice text,
                  int indent)
{
    bool is_cut = text.len > SHOWN_MAX;
    struct er_buf buf;
    const char *p;

    er_buf_init(&buf, PAGE_MAX);
    if (is_cut)
        text.len = SHOWN_MAX;
    while (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    er_text_escape(&buf, text, true);
    if (buf.has_failed)
        out->has_failed = true;
    if (colour != ER_PLAIN)
        er_print_colour(out, colour);
    for (p = buf.ptr ? buf.ptr : ""; *p;) {
        size_t len = strcspn(p, "\n");

        er_printf(out, "%*s%.*s\n", p == buf.ptr ? 0 : indent, "", (int)len, p);
        p += len + (p[len] == '\n');
    }
    if (colour != ER_PLAIN)
        er_print_colour(out, ER_PLAIN);
    if (is_cut)
        er_printf(out, "%*s… cut here; --json shows all\n", indent, "");
    er_buf_done(&buf);
}

static void value(struct er_print *out, const char *name, struct errand_slice json)
{
    struct er_buf buf;

    if (json.len == 0)
        return;
    er_buf_init(&buf, PAGE_MAX);
    label(out, name);
    if (json.len > SHOWN_MAX || er_json_pretty(&buf, json, INDENT) < 0)
        block(out, ER_PLAIN, json, INDENT);
    else
        block(out, ER_PLAIN,
              (struct errand_slice){.ptr = buf.ptr + INDENT, .len = buf.len - INDENT}, 0);
    er_buf_done(&buf);
}

static void time_line(struct er_print *out, const char *name, int64_t ms, int64_t now_ms)
{
    char when[32], ago[ER_WHEN_SIZE];

    if (ms == 0)
        return;
    label(out, name);
    er_printf(out, "%s  ", er_time_format(ms, when, sizeof when));
    er_print_text(out, ER_DIM, er_ago_text(ms, now_ms, ago));
    er_printf(out, "\n");
}

static void state_line(struct er_print *out, const struct errand_job_info *job,
                       int64_t now_ms)
{
    char ago[ER_WHEN_SIZE];

    label(out, "state");
    er_print_text(out, er_state_colour(job->state), errand_state_name(job->state));
    if (job->attempts)
        er_printf(out, ", attempt %d of %d", (int)job->attempts, (int)job->tries);
    else if (job->state != ERRAND_CANCELLED)
        er_printf(out, ", %d %s to come", (int)job->tries,
                  job->tries == 1 ? "attempt" : "attempts");
    if (job->state == ERRAND_SCHEDULED)
        er_printf(out, ", %s %s", job->run_at_ms > now_ms ? "runs" : "due",
                  er_ago_text(job->run_at_ms, now_ms, ago));
    if (job->state == ERRAND_RUNNING && job->progress >= 0)
        er_printf(out, ", %d %% done", (int)job->progress);
    if (job->state == ERRAND_RUNNING && job->cancel_requested)
        er_printf(out, ", asked to stop");
    er_printf(out, "\n");
    if (job->state == ERRAND_RUNNING && job->progress_note.len) {
        label(out, "");
        block(out, ER_PLAIN, job->progress_note, INDENT);
    }
}

static void head(struct er_print *out, const struct errand_job_info *job, int64_t now_ms)
{
    label(out, "job");
    er_print_colour(out, ER_BOLD);
    er_print_safe(out, job->name);
    er_print_colour(out, ER_PLAIN);
    er_printf(out, "  %s\n", job->id.text);
    state_line(out, job, now_ms);
    label(out, "queue");
    er_print_safe(out, job->queue);
    if (job->priority)
        er_printf(out, ", priority %d", (int)job->priority);
    er_printf(out, "\n");
    time_line(out, "dispatched", job->created_ms, now_ms);
    if (job->run_at_ms > job->created_ms && job->state != ERRAND_CANCELLED)
        time_line(out, "run at", job->run_at_ms, now_ms);
    time_line(out, "started", job->started_ms, now_ms);
    time_line(out, "ended", job->finished_ms, now_ms);
    if (job->worker && *job->worker && job->state == ERRAND_RUNNING) {
        label(out, "worker");
        er_print_safe(out, job->worker);
        er_printf(out, "\n");
    }
    for (size_t i = 0; i < job->tags_n; i++) {
        if (i == 0)
            label(out, "tags");
        er_print_safe(out, job->tags[i]);
        er_printf(out, "%s", i + 1 < job->tags_n ? ", " : "\n");
    }
    if (job->batch.text[0]) {
        label(out, "batch");
        er_printf(out, "%s\n", job->batch.text);
    }
}

static void edges(struct er_print *out, const char *name,
                  const struct errand_edge_info *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        label(out, i == 0 ? name : "");
        er_printf(out, "%s%s", list[i].is_batch ? "batch " : "", list[i].id.text);
        if (!list[i].is_batch) {
            er_printf(out, "  ");
            er_print_text(out, er_state_colour(list[i].state),
                          errand_state_name(list[i].state));
        }
        er_printf(out, "\n");
    }
}

static enum er_colour outcome_colour(enum errand_outcome_kind kind)
{
    if (kind == ERRAND_OUT_DONE)
        return ER_GREEN;
    return kind == ERRAND_OUT_RETRY || kind == ERRAND_OUT_FAIL ? ER_RED : ER_DIM;
}

/* "killed by signal 11" says no more than the cause; "exited with code 3: no such host"
 * does. */
static bool says_more(const struct errand_attempt *a, const char *cause)
{
    return a->error.len && (!*cause || a->cause == ERRAND_CAUSE_START ||
                            memmem(a->error.ptr, a->error.len, ": ", 2));
}

static void attempt(struct er_print *out, const struct errand_attempt *a)
{
    char when[32], span[ER_WHEN_SIZE], cause[ER_CAUSE_SIZE], title[32];

    snprintf(title, sizeof title, "attempt %d", (int)a->n);
    er_printf(out, "\n");
    label(out, title);
    er_print_text(out, outcome_colour(a->outcome), er_outcome_name(a->outcome));
    er_cause_text(a, cause);
    if (a->cause != ERRAND_CAUSE_TIMEOUT && a->cause != ERRAND_CAUSE_START)
        er_printf(out, " after %s", er_span_text(a->ended_ms - a->started_ms, span));
    if (*cause)
        er_printf(out, ": %s", cause);
    er_printf(out, "\n%*s", INDENT, "");
    er_print_colour(out, ER_DIM);
    er_printf(out, "%s", er_time_format(a->started_ms, when, sizeof when));
    if (a->worker && *a->worker) {
        er_printf(out, " on ");
        er_print_safe(out, a->worker);
    }
    if (a->max_rss_kib)
        er_printf(out, ", %d MiB", (int)((a->max_rss_kib + 1023) / 1024));
    if (a->cpu_ms)
        er_printf(out, ", %s of CPU", er_span_text(a->cpu_ms, span));
    er_print_colour(out, ER_PLAIN);
    er_printf(out, "\n");
    if (says_more(a, cause)) {
        er_printf(out, "%*s", INDENT, "");
        block(out, ER_RED, a->error, INDENT);
    }
    if (a->log.len) {
        label(out, "  log");
        block(out, ER_PLAIN, a->log, INDENT);
    }
}

static void next_step(struct er_print *out, const struct errand_job_info *job)
{
    const char *what = NULL;

    switch (job->state) {
    case ERRAND_FAILED:
    case ERRAND_CANCELLED:
        what = "run it again:  errand queue:retry";
        break;
    case ERRAND_READY:
    case ERRAND_SCHEDULED:
    case ERRAND_HELD:
    case ERRAND_RUNNING:
        what = "stop it:  errand queue:cancel";
        break;
    case ERRAND_COMPLETED:
        return;
    }
    er_printf(out, "\n");
    er_print_colour(out, ER_DIM);
    er_printf(out, "%s %s", what, job->id.text);
    er_print_colour(out, ER_PLAIN);
    er_printf(out, "\n");
}

void er_inspect_page(struct er_cli *cli, const struct errand_job_detail *d,
                     int64_t now_ms)
{
    struct er_print *out = &cli->out;

    head(out, &d->job, now_ms);
    edges(out, "waits for", d->parents, d->parents_n);
    edges(out, "before", d->children, d->children_n);
    value(out, "options", d->job.options);
    value(out, "data", er_sealed_shown(d->job.data));
    value(out, "result", d->job.result);
    if (d->job.error.len && d->attempts_n == 0) {
        label(out, "error");
        block(out, ER_RED, d->job.error, INDENT);
    }
    for (size_t i = 0; i < d->attempts_n && !out->is_closed; i++)
        attempt(out, &d->attempts[i]);
    next_step(out, &d->job);
}
