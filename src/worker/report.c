/* report.c: lines on standard error. */
#include "worker/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "client/worker_view.h"
#include "core/clock.h"
#include "worker/embed.h"
#include "worker/supervisor.h"

enum {
    LINES_A_SECOND = 10,
    LINE_MAX_BYTES = 16 << 10,
    REMARKS_MS = 60000,
};

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW ER_REPORT_YELLOW
#define PLAIN "\x1b[0m"

void er_report_init(struct er_supervisor *s)
{
    const char *no_colour = getenv("NO_COLOR");

    s->report = (struct er_report){.is_quiet = s->options.is_quiet};
    s->report.has_colour = isatty(STDERR_FILENO) && !(no_colour && *no_colour);
}

/* One write a line: several workers may share a terminal. What a job said may hold
 * anything, and no terminal may take it for orders. */
void er_report_line(struct er_supervisor *s, const char *colour, const char *text)
{
    struct er_buf line;
    char when[32];

    er_buf_init(&line, LINE_MAX_BYTES);
    er_buf_printf(&line, "%s %s", er_time_format(s->wall_ms, when, sizeof when), colour);
    er_text_escape(&line, (struct errand_slice){text, strlen(text)}, false);
    er_buf_str(&line, *colour ? PLAIN "\n" : "\n");
    if (line.len && write(STDERR_FILENO, line.ptr, line.len) < 0) {
        /* Nobody reads: the work goes on. */
    }
    er_buf_done(&line);
}

void er_report_note(struct er_supervisor *s, const char *fmt, ...)
{
    char text[1280];
    va_list ap;

    if (s->report.is_quiet)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    er_report_line(s, "", text);
}

void er_report_start(struct er_supervisor *s)
{
    char queues[256] = "all queues";
    size_t len = 0, known = s->book ? s->book->jobs.jobs_n - s->book->errors_n : 0;

    for (const char *const *q = s->options.queues; q && *q && len < sizeof queues; q++)
        len += (size_t)snprintf(queues + len, sizeof queues - len, "%s%s", len ? "," : "",
                                *q);
    er_report_note(s, "errand %s works %s from %s: %d at a time, %zu %s known",
                   ERRAND_VERSION, queues, er_store_url(s->store), s->options.concurrency,
                   known, known == 1 ? "job" : "jobs");
    er_report_jobs(s);
    er_telling_warn(s);
}

/* Jobs and leases keep to tokens, not to names, so nothing is lost. But those who look
 * see one worker, and not that one of two has died. */
void er_report_namesake(struct er_supervisor *s, struct errand_arena *arena)
{
    struct errand_workers_result r = {0};
    struct er_worker_view view;

    if (er_store_workers(s->store, 0, arena, &r, NULL) < 0)
        return;
    for (size_t i = 0; i < r.workers_n; i++) {
        if (strcmp(r.workers[i].worker, s->name) != 0)
            continue;
        er_worker_view(&r.workers[i], arena, &view);
        if (strcmp(view.state, "gone") != 0 && strcmp(view.state, "killed") != 0)
            er_report_warn(s,
                           "another worker is called '%s' as well: lists and health show "
                           "the two as one; give each its own --name",
                           s->name);
    }
}

/* FNV-1a */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static bool was_said(const struct er_report *r, uint64_t hash)
{
    for (size_t i = 0; i < r->remarked_n; i++)
        if (r->remarked[i] == hash)
            return true;
    return false;
}

void er_report_surroundings(struct er_supervisor *s, struct errand_arena *arena)
{
    struct er_report *r = &s->report;
    struct errand_remarks_result now = {0};
    uint64_t found[ER_REPORT_REMARKS];
    size_t n = 0;

    if (s->now_ms < r->remarks_at_ms)
        return;
    r->remarks_at_ms = s->now_ms + REMARKS_MS;
    if (er_store_remarks(s->store, arena, &now, NULL) < 0)
        return; /* what keeps the store from working is told by the heartbeat */
    for (; n < now.remarks_n && n < ER_REPORT_REMARKS; n++) {
        const struct errand_remark *remark = &now.remarks[n];
        found[n] = hash_of(remark->text);
        if (!was_said(r, found[n]))
            er_report_warn(s, "%s%s%s", remark->text, remark->remedy ? ": " : "",
                           remark->remedy ? remark->remedy : "");
    }
    memcpy(r->remarked, found, n * sizeof *found);
    r->remarked_n = n;
}

void er_report_jobs(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->book->jobs.jobs_n; i++) {
        const struct er_job_about *job = &s->book->jobs.jobs[i];
        struct errand_error err = {0};

        if (job->error)
            er_report_warn(s, "cannot run %s: %s", job->name, job->error);
        else if (er_options_check_schedule(&job->options, &err) < 0)
            er_report_warn(s, "cannot schedule %s%s%s: %s", job->name,
                           job->path[0] ? " of " : "", job->path, err.message);
    }
}

/* ------------------------------------------------------------------ attempts */

static const char *outcome_word(const struct errand_outcome *o)
{
    switch (o->kind) {
    case ERRAND_OUT_DONE:
        return "done";
    case ERRAND_OUT_RETRY:
        return "retry";
    case ERRAND_OUT_FAIL:
        return "failed";
    case ERRAND_OUT_SNOOZE:
        return "snoozed";
    case ERRAND_OUT_HAND_BACK:
        return "handed back";
    case ERRAND_OUT_CANCELLED:
        return "cancelled";
    case ERRAND_OUT_HOOK_DONE:
        return "ran the failed hook of";
    case ERRAND_OUT_LIMIT:
        return "limited";
    }
    return "?";
}

static void count(struct er_report *r, const struct errand_outcome *o)
{
    if (o->kind == ERRAND_OUT_FAIL)
        r->failed_n++;
    else if (o->kind == ERRAND_OUT_RETRY)
        r->retried_n++;
    else if (o->kind == ERRAND_OUT_DONE)
        r->done_n++;
}

static void counted_tell(struct er_supervisor *s)
{
    struct er_report *r = &s->report;

    if (r->done_n || r->retried_n || r->failed_n)
        er_report_note(s, "and %lld more done, %lld retried, %lld failed",
                       (long long)r->done_n, (long long)r->retried_n,
                       (long long)r->failed_n);
    r->done_n = r->retried_n = r->failed_n = 0;
}

void er_report_flush(struct er_supervisor *s)
{
    counted_tell(s);
    er_report_warn_flush(s);
}

void er_report_turn(struct er_supervisor *s)
{
    struct er_report *r = &s->report;

    er_report_warn_turn(s);
    if (s->wall_ms - r->second_ms >= 1000 || s->wall_ms < r->second_ms) {
        r->second_ms = s->wall_ms;
        r->lines_n = 0;
        counted_tell(s);
    } else if (r->done_n || r->retried_n || r->failed_n) {
        er_supervisor_wake_at(s, s->now_ms + 1000 - (s->wall_ms - r->second_ms));
    }
}

static bool comes_again(const struct er_attempt *a, const struct errand_outcome *o)
{
    return o->kind == ERRAND_OUT_RETRY || (o->kind == ERRAND_OUT_SNOOZE && !a->notice);
}

/* A job that waits for its file to be mended has no error of its own. */
static struct errand_slice reason(const struct er_attempt *a,
                                  const struct errand_outcome *o)
{
    const char *broken = a->plan->about ? a->plan->about->error : NULL;

    if (o->kind == ERRAND_OUT_SNOOZE && broken)
        return (struct errand_slice){broken, strlen(broken)};
    return o->error;
}

void er_report_ended(struct er_supervisor *s, const struct er_attempt *a,
                     const struct errand_outcome *o)
{
    struct er_report *r = &s->report;
    const char *colour = "";
    struct errand_slice why;
    char text[1024];
    int n;

    /* A hook that nobody wrote, and a look that found nothing to tell, are no news. */
    if (r->is_quiet || o->kind == ERRAND_OUT_LIMIT ||
        (o->kind == ERRAND_OUT_HOOK_DONE && !(a->plan->hooks & ER_HOOK_FAILED)) ||
        (a->plan->is_notify && !a->notice))
        return;
    er_report_turn(s);
    if (++r->lines_n > LINES_A_SECOND) {
        count(r, o);
        return;
    }
    if (r->has_colour)
        colour = o->kind == ERRAND_OUT_DONE    ? GREEN
                 : o->kind == ERRAND_OUT_FAIL  ? RED
                 : o->kind == ERRAND_OUT_RETRY ? YELLOW
                                               : "";
    n = snprintf(text, sizeof text, "%-7s %s %s attempt %d/%d %lld ms",
                 a->notice && o->kind == ERRAND_OUT_SNOOZE ? "told" : outcome_word(o),
                 a->job->name, a->job->id.text, (int)a->job->attempt,
                 (int)(a->plan->tries ? a->plan->tries : a->job->tries),
                 (long long)(o->ended_ms - o->started_ms));
    if (comes_again(a, o) && n > 0 && (size_t)n < sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, ", again in %.*f s",
                      o->run_at_ms - o->ended_ms < 10000 ? 1 : 0,
                      (double)(o->run_at_ms - o->ended_ms) / 1000);
    why = reason(a, o);
    if (why.len && n > 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, ": %.*s", (int)why.len, why.ptr);
    er_report_line(s, colour, text);
}
