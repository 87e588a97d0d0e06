/* health.h: whether the queues are well, and the numbers behind it.
 *
 * The cost does not grow with the number of jobs: counts are kept by the store, the
 * numbers of each minute are added up by the workers. */
#ifndef ERRAND_HEALTH_H
#define ERRAND_HEALTH_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ health */

enum errand_health_status {
    ERRAND_HEALTHY = 0,
    ERRAND_DEGRADED = 1,  /* somebody should look at it */
    ERRAND_UNHEALTHY = 2, /* somebody should look at it now */
};
/* "healthy" … Borrowed for ever. */
ERRAND_API const char *errand_health_name(enum errand_health_status status);

/* From where on; zero means default: what errand.yml says under `health` where there is
 * one, else the number here. */
struct errand_health_limits {
    int64_t ready_degraded, ready_unhealthy;   /* ready jobs of a queue: 1000, 5000 */
    int64_t failed_degraded, failed_unhealthy; /* failed jobs in all: 10, 100 */
    int64_t oldest_degraded_ms, oldest_unhealthy_ms; /* of a ready job: 1 h, 24 h */
    /* share of attempts that failed, 0 to 1: 0.1, 0.5; of those that ended in the last
     * errors_window_ms (5 min), when there were as many as errors_sample (20) */
    double errors_degraded, errors_unhealthy;
    int64_t errors_window_ms, errors_sample;
    /* unhealthy: ready jobs, and for so long no worker that takes them; running jobs
     * whose worker is gone, and for so long none at all: 60 s */
    int64_t no_worker_ms;
};

struct errand_health_queue {
    const char *name;
    enum errand_health_status status;
    int64_t counts[ERRAND_STATES_N];
    int64_t oldest_ready_ms; /* how long its oldest ready job has been waiting; 0: none */
    bool is_paused;
    size_t workers_n; /* that take its jobs */
};

struct errand_health_worker {
    const char *name;
    /* alive quiet stopping blocked (no runner starts) killed gone */
    const char *state;
    size_t running_n;
    int64_t since_ms, seen_ms;
    const char *trouble; /* what is wrong with it, or NULL */
};

struct errand_health_alert {
    enum errand_health_status status;
    const char *what;  /* "ready" "failed" "oldest" "errors" "no-worker" "no-scheduler"
                          "blocked" "job-file" "keys" "other-store"
                          "notifications" "store" */
    const char *queue; /* NULL: not of one */
    const char *text;  /* a sentence */
};

struct errand_health_metrics {
    int64_t counts[ERRAND_STATES_N];
    int64_t window_ms; /* of what follows: minutes that began in it */
    int64_t done, failed, retried;
    double error_rate; /* 0 when nothing ended */
    /* half of the attempts, and 99 in a hundred, took no longer than this; -1: none */
    int64_t run_p50_ms, run_p99_ms;
    int64_t wait_p50_ms, wait_p99_ms; /* from when they might run */
    size_t workers_n;                 /* alive */
};

struct errand_health {
    enum errand_health_status status; /* the worst of the alerts */
    struct errand_health_queue *queues;
    struct errand_health_worker *workers; /* of the last hour */
    struct errand_health_alert *alerts;   /* the worst first */
    size_t queues_n, workers_n, alerts_n;
    struct errand_health_metrics metrics;
    int64_t now_ms; /* when this was so */
};

/* In `*ret`, freed by errand_health_free. A store that does not answer is no error but
 * unhealthy, and so is `e` NULL: one that could not be opened. Whether it takes anything
 * is found out by a lock that is taken and given back, unless it is open read-only.
 * `limits` NULL: defaults. EINVAL for limits that make no sense, with the field. */
ERRAND_API int errand_health(errand *e, const struct errand_health_limits *limits,
                             struct errand_health **ret, struct errand_error *err);
ERRAND_API void errand_health_free(struct errand_health *health);
/* The same for a store by its URL: opened without making one, looked at, closed. */
ERRAND_API int errand_health_at(const char *url, const struct errand_config *config,
                                const struct errand_health_limits *limits,
                                struct errand_health **ret, struct errand_error *err);
/* Only true when all is well. */
ERRAND_API bool errand_is_healthy(errand *e, const struct errand_health_limits *limits);

/* ------------------------------------------------------------------ numbers */

/* Zero means all. */
struct errand_stats_query {
    int64_t since_ms, until_ms; /* minutes at or after, before */
    const char *queue, *name;
    /* summed up over what is not kept apart; none of them: one row in all */
    bool by_minute, by_queue, by_name;
};

/* Rows by minute, queue and name; "" and 0 where they are summed up. 30 days are kept. */
struct errand_stats {
    struct errand_stat *rows;
    size_t rows_n;
};

ERRAND_API int errand_stats(errand *e, const struct errand_stats_query *query,
                            struct errand_stats **ret, struct errand_error *err);
ERRAND_API void errand_stats_free(struct errand_stats *stats);
/* The time that `share` (0.5, 0.99) of what a histogram of ERRAND_HISTOGRAM_N counted did
 * not exceed, as the upper end of its bucket; -1: it is empty. */
ERRAND_API int64_t errand_stat_quantile(const int64_t *histogram, double share);

#ifdef __cplusplus
}
#endif
#endif
