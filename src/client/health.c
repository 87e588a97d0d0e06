/* health.c: what is needed to judge, in three calls whose cost does not grow with the
 * number of jobs: queues with their counts, workers, the last minutes. */
#include "client/health.h"

#include <string.h>

#include "base/error.h"
#include "client/config.h"
#include "client/handle.h"
#include "client/notify.h"
#include "core/clock.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const struct errand_health_limits standard = {
    .ready_degraded = 1000,
    .ready_unhealthy = 5000,
    .failed_degraded = 10,
    .failed_unhealthy = 100,
    .oldest_degraded_ms = HOUR_MS,
    .oldest_unhealthy_ms = DAY_MS,
    .errors_degraded = 0.1,
    .errors_unhealthy = 0.5,
    .errors_window_ms = 5 * MINUTE_MS,
    .errors_sample = 20,
    .no_worker_ms = MINUTE_MS,
};

const char *errand_health_name(enum errand_health_status status)
{
    switch (status) {
    case ERRAND_HEALTHY:
        return "healthy";
    case ERRAND_DEGRADED:
        return "degraded";
    case ERRAND_UNHEALTHY:
        return "unhealthy";
    }
    return "?";
}

/* ------------------------------------------------------------------ limits */

static void fill(int64_t *value, int64_t from)
{
    if (*value == 0)
        *value = from;
}

/* Zeros become what `below` says (NULL: nothing), then the default. */
static void limits_fill(struct errand_health_limits *l,
                        const struct errand_health_limits *below)
{
    const struct errand_health_limits *from = below ? below : &standard;

    fill(&l->ready_degraded, from->ready_degraded);
    fill(&l->ready_unhealthy, from->ready_unhealthy);
    fill(&l->failed_degraded, from->failed_degraded);
    fill(&l->failed_unhealthy, from->failed_unhealthy);
    fill(&l->oldest_degraded_ms, from->oldest_degraded_ms);
    fill(&l->oldest_unhealthy_ms, from->oldest_unhealthy_ms);
    fill(&l->errors_window_ms, from->errors_window_ms);
    fill(&l->errors_sample, from->errors_sample);
    fill(&l->no_worker_ms, from->no_worker_ms);
    if (l->errors_degraded == 0)
        l->errors_degraded = from->errors_degraded;
    if (l->errors_unhealthy == 0)
        l->errors_unhealthy = from->errors_unhealthy;
    if (below)
        limits_fill(l, NULL);
}

static int pair_check(const char *what, double degraded, double unhealthy, double most,
                      struct errand_error *err)
{
    /* Written so that what is no number is refused as well. */
    if (!(degraded > 0 && degraded <= most) || !(unhealthy > 0 && unhealthy <= most))
        return errand_error_set(err, ERRAND_EINVAL,
                                "health: %s: %.15g and %.15g are not from 0 to %.15g",
                                what, degraded, unhealthy, most);
    if (degraded > unhealthy)
        return errand_error_set(err, ERRAND_EINVAL,
                                "health: %s: degraded from %.15g on comes after "
                                "unhealthy from %.15g on",
                                what, degraded, unhealthy);
    return 0;
}

int er_health_limits_check(const struct errand_health_limits *limits,
                           struct errand_error *err)
{
    struct errand_health_limits l = *limits;
    const double most = 1e15;
    int rc;

    limits_fill(&l, NULL);
    if ((rc = pair_check("ready", (double)l.ready_degraded, (double)l.ready_unhealthy,
                         most, err)) < 0 ||
        (rc = pair_check("failed", (double)l.failed_degraded, (double)l.failed_unhealthy,
                         most, err)) < 0 ||
        (rc = pair_check("oldest", (double)l.oldest_degraded_ms,
                         (double)l.oldest_unhealthy_ms, most, err)) < 0 ||
        (rc = pair_check("errors", l.errors_degraded, l.errors_unhealthy, 1, err)) < 0)
        return rc;
    if (l.errors_window_ms < MINUTE_MS || l.errors_window_ms > DAY_MS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "health: errors_window: %lld ms is not from a minute to "
                                "a day",
                                (long long)l.errors_window_ms);
    if (l.errors_sample < 0 || l.no_worker_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "health: %s is negative",
                                l.no_worker_ms < 0 ? "no_worker" : "errors_sample");
    return 0;
}

/* ------------------------------------------------------------------ collecting */

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_health {
    struct errand_health health;
    struct errand_arena *arena;
};

/* The dead are known for an hour. What they ran may still be there. */
static int running_look(errand *e, struct errand_arena *arena,
                        struct er_health_seen *seen, struct errand_error *err)
{
    struct errand_list_params p = {
        .now_ms = seen->now_ms, .filter.states = 1u << ERRAND_RUNNING, .max = 1};
    struct errand_list_result r = {0};
    int rc;

    if (seen->workers.workers_n)
        return 0;
    if ((rc = er_store_list(e->store, &p, arena, &r, err)) == 0 && r.jobs_n)
        seen->running_since_ms = r.jobs[0].started_ms;
    return rc;
}

/* A dead mail server is tried again at most an hour apart, and a fifth of that. */
static int telling_look(errand *e, struct errand_arena *arena,
                        struct er_health_seen *seen, struct errand_error *err)
{
    struct errand_stats_params p = {.now_ms = seen->now_ms,
                                    .since_ms = seen->now_ms - HOUR_MS - HOUR_MS / 4,
                                    .queue = ER_NOTIFY_QUEUE};

    for (size_t i = 0; i < seen->queues.queues_n; i++)
        if (strcmp(seen->queues.queues[i].name, ER_NOTIFY_QUEUE) == 0 &&
            seen->queues.queues[i].counts[ERRAND_HELD])
            return er_store_stats_read(e->store, &p, arena, &seen->telling, err);
    return 0;
}

static int look(errand *e, const struct errand_health_limits *limits,
                struct errand_arena *arena, struct er_health_seen *seen,
                struct errand_error *err)
{
    struct errand_stats_params p = {.now_ms = seen->now_ms,
                                    .since_ms = seen->now_ms - limits->errors_window_ms};
    int rc;

    if ((rc = er_store_queues(e->store, seen->now_ms, arena, &seen->queues, err)) < 0 ||
        (rc = er_store_workers(e->store, seen->now_ms, arena, &seen->workers, err)) < 0)
        return rc;
    if ((rc = er_schedules_read(e->store, arena, &seen->schedules, err)) < 0 ||
        (rc = running_look(e, arena, seen, err)) < 0 ||
        (rc = telling_look(e, arena, seen, err)) < 0)
        return rc;
    return er_store_stats_read(e->store, &p, arena, &seen->stats, err);
}

int er_health_write(struct er_store *store, struct errand_arena *arena,
                    struct errand_error *err)
{
    struct errand_lock_params lock = {
        .key = {.ptr = "errand:health", .len = 13}, .owner = "health", .ttl_ms = 1000};
    struct errand_lock_result got = {0};
    int rc = er_store_lock(store, &lock, arena, &got, err);

    lock.token = got.token;
    if (rc == 0)
        rc = er_store_unlock(store, &lock, err);
    /* Somebody else who tries it has the same lock, and may be done with it first. */
    return rc == ERRAND_ECONFLICT ? 0 : rc;
}

/* What reads well may still take no job. Another session that keeps everybody waiting may
 * be done in a moment: degraded. */
static int write_judge(errand *e, struct errand_arena *arena, struct errand_health *ret,
                       struct errand_error *err)
{
    struct errand_health_alert alert = {.status = ERRAND_UNHEALTHY, .what = "store"};
    struct errand_error why = {0};
    int rc = er_health_write(e->store, arena, &why);

    if (rc == 0)
        return 0;
    if (rc == ERRAND_EBUSY)
        alert.status = ERRAND_DEGRADED;
    alert.text = er_arena_printf(arena, "nothing can be stored: %s", why.message);
    if (!alert.text || er_health_alert(ret, arena, &alert) < 0)
        return er_error_nomem(err);
    return 0;
}

static int workers_fill(struct er_health_seen *seen, struct errand_arena *arena,
                        struct errand_health *ret, struct errand_error *err)
{
    size_t n = seen->workers.workers_n;

    seen->views = errand_arena_alloc(arena, (n + 1) * sizeof *seen->views);
    ret->workers = errand_arena_alloc(arena, (n + 1) * sizeof *ret->workers);
    if (!seen->views || !ret->workers)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct errand_worker_info *w = &seen->workers.workers[i];
        er_worker_view(w, arena, &seen->views[i]);
        ret->workers[i] =
            (struct errand_health_worker){.name = w->worker,
                                          .state = seen->views[i].state,
                                          .running_n = w->running_n,
                                          .since_ms = w->since_ms,
                                          .seen_ms = w->seen_ms,
                                          .trouble = seen->views[i].trouble};
    }
    ret->workers_n = n;
    return 0;
}

static int unreachable(struct errand_health *ret, struct errand_arena *arena,
                       const char *why, struct errand_error *err)
{
    const char *text = er_arena_printf(arena, "the store does not answer: %s", why);

    ret->queues_n = ret->workers_n = ret->alerts_n = 0;
    if (!text || er_health_alert(ret, arena,
                                 &(struct errand_health_alert){.status = ERRAND_UNHEALTHY,
                                                               .what = "store",
                                                               .text = text}) < 0)
        return er_error_nomem(err);
    return 0;
}

static int collect(errand *e, const struct errand_health_limits *limits,
                   struct errand_arena *arena, struct errand_health *ret,
                   struct errand_error *err)
{
    struct er_health_seen seen = {.now_ms = er_client_wall_ms(e)};
    struct errand_error why = {0};
    int rc;

    ret->now_ms = seen.now_ms;
    ret->metrics = (struct errand_health_metrics){.window_ms = limits->errors_window_ms,
                                                  .run_p50_ms = -1,
                                                  .run_p99_ms = -1,
                                                  .wait_p50_ms = -1,
                                                  .wait_p99_ms = -1};
    if (!e)
        return unreachable(ret, arena, "it is not open", err);
    rc = look(e, limits, arena, &seen, &why);
    if (rc == ERRAND_ENOMEM || rc == ERRAND_EFORKED) {
        if (err)
            *err = why;
        return rc;
    }
    if (rc < 0)
        return unreachable(ret, arena, why.message, err);
    if ((rc = workers_fill(&seen, arena, ret, err)) < 0 ||
        (!er_store_is_read_only(e->store) && (rc = write_judge(e, arena, ret, err)) < 0))
        return rc;
    return er_health_judge(&seen, limits, arena, ret, err);
}

static int health_make(errand *e, const struct errand_health_limits *limits,
                       const char *why, struct errand_health **ret,
                       struct errand_error *err)
{
    static const struct errand_health_limits none;
    struct errand_health_limits l = limits ? *limits : none;
    struct errand_arena *arena = er_arena_new();
    struct owned_health *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    int rc;

    if (!owned) {
        rc = er_error_nomem(err);
        goto out;
    }
    owned->arena = arena;
    limits_fill(&l, e && e->config ? &e->config->health : NULL);
    if ((rc = er_health_limits_check(&l, err)) < 0)
        goto out;
    rc = why ? unreachable(&owned->health, arena, why, err)
             : collect(e, &l, arena, &owned->health, err);
    if (rc < 0)
        goto out;
    *ret = &owned->health;
    return 0;
out:
    er_arena_free(arena);
    return rc;
}

int errand_health(errand *e, const struct errand_health_limits *limits,
                  struct errand_health **ret, struct errand_error *err)
{
    return health_make(e, limits, NULL, ret, err);
}

int errand_health_at(const char *url, const struct errand_config *config,
                     const struct errand_health_limits *limits,
                     struct errand_health **ret, struct errand_error *err)
{
    struct errand_config look_only = config ? *config : (struct errand_config){0};
    struct errand_error why = {0};
    errand *e;
    int rc;

    look_only.must_exist = true;
    e = errand_open(url, &look_only, &why);
    rc = health_make(e, limits, e ? NULL : why.message, ret, err);
    errand_close(e);
    return rc;
}

int er_health_closed(const char *why, struct errand_health **ret,
                     struct errand_error *err)
{
    return health_make(NULL, NULL, why, ret, err);
}

void errand_health_free(struct errand_health *health)
{
    if (health)
        er_arena_free(((struct owned_health *)health)->arena);
}

bool errand_is_healthy(errand *e, const struct errand_health_limits *limits)
{
    struct errand_health *health = NULL;
    bool is_healthy =
        errand_health(e, limits, &health, NULL) == 0 && health->status == ERRAND_HEALTHY;

    errand_health_free(health);
    return is_healthy;
}
