/* health_judge.c: what numbers mean: one rule a function, each of them an alert with the
 * number that broke it. */
#include "client/health.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/notify.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

struct judge {
    const struct er_health_seen *seen;
    const struct errand_health_limits *limits;
    struct errand_arena *arena;
    struct errand_health *health;
};

int er_health_alert(struct errand_health *h, struct errand_arena *arena,
                    const struct errand_health_alert *alert)
{
    size_t n = h->alerts_n;

    if ((n & (n - 1)) == 0) { /* full at every power of two */
        struct errand_health_alert *more =
            errand_arena_alloc(arena, (n ? 2 * n : 1) * sizeof *more);
        if (!more)
            return -1;
        if (n)
            memcpy(more, h->alerts, n * sizeof *more);
        h->alerts = more;
    }
    h->alerts[h->alerts_n++] = *alert;
    if (alert->status > h->status)
        h->status = alert->status;
    return 0;
}

static int alert(struct judge *j, enum errand_health_status status, const char *what,
                 struct errand_health_queue *queue, const char *text)
{
    if (!text)
        return -1;
    if (queue && status > queue->status)
        queue->status = status;
    return er_health_alert(
        j->health, j->arena,
        &(struct errand_health_alert){.status = status,
                                      .what = what,
                                      .queue = queue ? queue->name : NULL,
                                      .text = text});
}

static enum errand_health_status level(double value, double degraded, double unhealthy)
{
    return value >= unhealthy  ? ERRAND_UNHEALTHY
           : value >= degraded ? ERRAND_DEGRADED
                               : ERRAND_HEALTHY;
}

static const char *span(struct judge *j, int64_t ms)
{
    if (ms < 2 * MINUTE_MS)
        return er_arena_printf(j->arena, "%d s", (int)(ms / 1000));
    if (ms < 120 * MINUTE_MS)
        return er_arena_printf(j->arena, "%d min", (int)(ms / MINUTE_MS));
    return er_arena_printf(j->arena, "%" PRId64 " h", ms / (60 * MINUTE_MS));
}

/* ------------------------------------------------------------------ rules of a queue */

static const char *paused_text(const struct errand_health_queue *q)
{
    return q->is_paused ? "; it is paused" : "";
}

static int ready_rule(struct judge *j, struct errand_health_queue *q)
{
    int64_t n = q->counts[ERRAND_READY];
    enum errand_health_status status = level((double)n, (double)j->limits->ready_degraded,
                                             (double)j->limits->ready_unhealthy);

    if (status == ERRAND_HEALTHY)
        return 0;
    return alert(j, status, "ready", q,
                 er_arena_printf(j->arena,
                                 "queue '%s' has %" PRId64 " ready jobs (%s from %" PRId64
                                 " on)%s",
                                 q->name, n, errand_health_name(status),
                                 status == ERRAND_UNHEALTHY ? j->limits->ready_unhealthy
                                                            : j->limits->ready_degraded,
                                 paused_text(q)));
}

static int oldest_rule(struct judge *j, struct errand_health_queue *q)
{
    enum errand_health_status status =
        level((double)q->oldest_ready_ms, (double)j->limits->oldest_degraded_ms,
              (double)j->limits->oldest_unhealthy_ms);
    const char *age = span(j, q->oldest_ready_ms);

    if (status == ERRAND_HEALTHY)
        return 0;
    return !age ? -1
                : alert(j, status, "oldest", q,
                        er_arena_printf(j->arena,
                                        "queue '%s': a ready job has been waiting for "
                                        "%s%s",
                                        q->name, age, paused_text(q)));
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Since when nobody takes its jobs: since they are there; since the last worker that took
 * them was heard of; since the minute in which the last of them ended. */
static int64_t alone_since(const struct judge *j, const struct errand_health_queue *q)
{
    const struct er_health_seen *seen = j->seen;
    int64_t at_ms = seen->now_ms - q->oldest_ready_ms;

    for (size_t i = 0; i < seen->workers.workers_n; i++)
        if (er_worker_serves(&seen->workers.workers[i], q->name))
            at_ms = later(at_ms, seen->workers.workers[i].seen_ms);
    for (size_t i = 0; i < seen->stats.stats_n; i++)
        if (strcmp(seen->stats.stats[i].queue, q->name) == 0)
            at_ms = later(at_ms, seen->stats.stats[i].minute_ms + MINUTE_MS - 1);
    return at_ms;
}

static int no_worker_rule(struct judge *j, struct errand_health_queue *q)
{
    int64_t alone_ms = j->seen->now_ms - alone_since(j, q);
    const char *time = span(j, alone_ms);

    if (!q->counts[ERRAND_READY] || q->is_paused || q->workers_n ||
        alone_ms < j->limits->no_worker_ms)
        return 0;
    return !time ? -1
                 : alert(j, ERRAND_UNHEALTHY, "no-worker", q,
                         er_arena_printf(j->arena,
                                         "queue '%s' has ready jobs and for %s no worker "
                                         "that takes them",
                                         q->name, time));
}

/* Who is told of nothing takes that for all being well. */
static int notify_rule(struct judge *j, struct errand_health_queue *q)
{
    const struct errand_stats_result *telling = &j->seen->telling;
    int64_t held_n = q->counts[ERRAND_HELD], given_up_n = q->counts[ERRAND_FAILED];
    int64_t tries_n = 0;

    if (strcmp(q->name, ER_NOTIFY_QUEUE) != 0)
        return 0;
    for (size_t i = 0; i < telling->stats_n; i++)
        tries_n += telling->stats[i].retried;
    if (given_up_n &&
        alert(j, ERRAND_DEGRADED, "notifications", q,
              er_arena_printf(j->arena,
                              "%" PRId64 " %s could not be delivered and %s given up; "
                              "errand doctor says why",
                              given_up_n,
                              given_up_n == 1 ? "notification" : "notifications",
                              given_up_n == 1 ? "was" : "were")) < 0)
        return -1;
    if (!held_n || !tries_n)
        return 0;
    return alert(j, ERRAND_DEGRADED, "notifications", q,
                 er_arena_printf(j->arena,
                                 "%" PRId64 " %s not told of yet, and %" PRId64
                                 " %s to tell failed in the last hour; errand doctor "
                                 "says why",
                                 held_n, held_n == 1 ? "failure is" : "failures are",
                                 tries_n, tries_n == 1 ? "attempt" : "attempts"));
}

static void queue_fill(const struct judge *j, const struct errand_queue_info *info,
                       struct errand_health_queue *ret)
{
    const struct er_health_seen *seen = j->seen;

    *ret = (struct errand_health_queue){
        .name = info->name, .is_paused = info->paused_until_ms > seen->now_ms};
    memcpy(ret->counts, info->counts, sizeof ret->counts);
    if (info->oldest_ready_ms && info->oldest_ready_ms < seen->now_ms)
        ret->oldest_ready_ms = seen->now_ms - info->oldest_ready_ms;
    for (size_t i = 0; i < seen->workers.workers_n; i++)
        ret->workers_n += seen->views[i].takes_jobs &&
                          er_worker_serves(&seen->workers.workers[i], info->name);
}

static int queues_judge(struct judge *j)
{
    const struct errand_queues_result *queues = &j->seen->queues;
    struct errand_health *h = j->health;

    h->queues = errand_arena_alloc(j->arena, (queues->queues_n + 1) * sizeof *h->queues);
    if (!h->queues)
        return -1;
    for (size_t i = 0; i < queues->queues_n; i++) {
        struct errand_health_queue *q = &h->queues[h->queues_n++];
        queue_fill(j, &queues->queues[i], q);
        for (int s = 0; s < ERRAND_STATES_N; s++)
            h->metrics.counts[s] += q->counts[s];
        if (ready_rule(j, q) < 0 || oldest_rule(j, q) < 0 || no_worker_rule(j, q) < 0 ||
            notify_rule(j, q) < 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ rules of all */

static int failed_rule(struct judge *j)
{
    struct errand_health *h = j->health;
    int64_t n = h->metrics.counts[ERRAND_FAILED];
    enum errand_health_status status =
        level((double)n, (double)j->limits->failed_degraded,
              (double)j->limits->failed_unhealthy);
    struct errand_health_queue *most = NULL;

    if (status == ERRAND_HEALTHY)
        return 0;
    for (size_t i = 0; i < h->queues_n; i++)
        if (!most || h->queues[i].counts[ERRAND_FAILED] > most->counts[ERRAND_FAILED])
            most = &h->queues[i];
    return alert(j, status, "failed", most,
                 er_arena_printf(j->arena,
                                 "%" PRId64 " failed jobs (%s from %" PRId64
                                 " on), most of them in queue '%s'",
                                 n, errand_health_name(status),
                                 status == ERRAND_UNHEALTHY ? j->limits->failed_unhealthy
                                                            : j->limits->failed_degraded,
                                 most ? most->name : ""));
}

static int errors_rule(struct judge *j)
{
    const struct errand_health_metrics *m = &j->health->metrics;
    int64_t ended = m->done + m->failed + m->retried;
    enum errand_health_status status =
        level(m->error_rate, j->limits->errors_degraded, j->limits->errors_unhealthy);
    const char *window = span(j, m->window_ms);

    if (status == ERRAND_HEALTHY || ended < j->limits->errors_sample)
        return 0;
    return !window ? -1
                   : alert(j, status, "errors", NULL,
                           er_arena_printf(j->arena,
                                           "%" PRId64 " of %" PRId64
                                           " attempts failed in the last %s (%.0f %%)",
                                           m->failed + m->retried, ended, window,
                                           m->error_rate * 100));
}

/* A worker that holds its place and can run nothing is worse than none. One with a broken
 * file or without a key lets the jobs that need it wait. */
static int blocked_rule(struct judge *j)
{
    const struct er_health_seen *seen = j->seen;

    for (size_t i = 0; i < seen->workers.workers_n; i++) {
        bool is_blocked = strcmp(seen->views[i].state, "blocked") == 0;
        if (!seen->views[i].alert)
            continue;
        if (alert(j, is_blocked ? ERRAND_UNHEALTHY : ERRAND_DEGRADED,
                  seen->views[i].alert, NULL,
                  er_arena_printf(j->arena, is_blocked ? "worker %s: %s" : "worker %s %s",
                                  seen->workers.workers[i].worker,
                                  seen->views[i].trouble)) < 0)
            return -1;
    }
    return 0;
}

/* What ran under a worker that is gone is taken up by any other; with none it would count
 * as running for ever. */
static int stranded_rule(struct judge *j)
{
    const struct er_health_seen *seen = j->seen;
    int64_t heard_ms = 0, alone_ms, n = 0;
    const char *time;

    if (j->health->metrics.workers_n)
        return 0;
    for (size_t i = 0; i < seen->workers.workers_n; i++) {
        n += (int64_t)seen->workers.workers[i].running_n;
        heard_ms = later(heard_ms, seen->workers.workers[i].seen_ms);
    }
    if (seen->running_since_ms && seen->running_since_ms < seen->now_ms - HOUR_MS) {
        n = j->health->metrics.counts[ERRAND_RUNNING];
        heard_ms = seen->running_since_ms;
    }
    alone_ms = seen->now_ms - heard_ms;
    if (!n || alone_ms < j->limits->no_worker_ms)
        return 0;
    time = span(j, alone_ms);
    return !time ? -1
                 : alert(j, ERRAND_UNHEALTHY, "no-worker", NULL,
                         er_arena_printf(j->arena,
                                         "%" PRId64
                                         " %s running, but %s worker is gone, and "
                                         "for %s no other has been there to take up the "
                                         "work",
                                         n, n == 1 ? "job counts as" : "jobs count as",
                                         n == 1 ? "its" : "their", time));
}

/* A schedule that should have fired says that nobody runs the scheduler. */
static int scheduler_rule(struct judge *j)
{
    const struct er_schedule_row *first = NULL;
    int64_t first_ms = 0;
    const char *time;

    for (size_t i = 0; i < j->seen->schedules.n; i++) {
        const struct er_schedule_row *row = &j->seen->schedules.rows[i];
        int64_t due_ms = er_schedule_overdue(row, j->seen->now_ms);
        if (due_ms && (!first || due_ms < first_ms)) {
            first = row;
            first_ms = due_ms;
        }
    }
    if (!first)
        return 0;
    time = span(j, j->seen->now_ms - first_ms);
    return !time ? -1
                 : alert(j, ERRAND_DEGRADED, "no-scheduler", NULL,
                         er_arena_printf(j->arena,
                                         "schedule '%s' should have fired %s ago: no "
                                         "scheduler runs",
                                         first->stored.name, time));
}

static void metrics_fill(struct judge *j)
{
    struct errand_health_metrics *m = &j->health->metrics;
    const struct errand_stats_result *stats = &j->seen->stats;
    int64_t run[ERRAND_HISTOGRAM_N] = {0}, wait[ERRAND_HISTOGRAM_N] = {0}, ended;

    for (size_t i = 0; i < stats->stats_n; i++) {
        m->done += stats->stats[i].done;
        m->failed += stats->stats[i].failed;
        m->retried += stats->stats[i].retried;
        for (size_t k = 0; k < ERRAND_HISTOGRAM_N; k++) {
            run[k] += stats->stats[i].run_hist[k];
            wait[k] += stats->stats[i].wait_hist[k];
        }
    }
    if ((ended = m->done + m->failed + m->retried) > 0)
        m->error_rate = (double)(m->failed + m->retried) / (double)ended;
    m->run_p50_ms = errand_stat_quantile(run, 0.5);
    m->run_p99_ms = errand_stat_quantile(run, 0.99);
    m->wait_p50_ms = errand_stat_quantile(wait, 0.5);
    m->wait_p99_ms = errand_stat_quantile(wait, 0.99);
    for (size_t i = 0; i < j->seen->workers.workers_n; i++)
        m->workers_n += strcmp(j->seen->views[i].state, "gone") != 0 &&
                        strcmp(j->seen->views[i].state, "killed") != 0;
}

static int worst_first(const void *a, const void *b)
{
    const struct errand_health_alert *x = a, *y = b;

    return (int)y->status - (int)x->status;
}

int er_health_judge(const struct er_health_seen *seen,
                    const struct errand_health_limits *limits, struct errand_arena *arena,
                    struct errand_health *ret, struct errand_error *err)
{
    struct judge j = {.seen = seen, .limits = limits, .arena = arena, .health = ret};

    metrics_fill(&j);
    if (blocked_rule(&j) < 0 || queues_judge(&j) < 0 || failed_rule(&j) < 0 ||
        errors_rule(&j) < 0 || stranded_rule(&j) < 0 || scheduler_rule(&j) < 0)
        return er_error_nomem(err);
    if (ret->alerts_n > 1)
        qsort(ret->alerts, ret->alerts_n, sizeof *ret->alerts, worst_first);
    return 0;
}
