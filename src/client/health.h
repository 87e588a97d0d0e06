/* health.h: the inside of health: limits, and the judgement over what was collected. */
#ifndef ER_CLIENT_HEALTH_H
#define ER_CLIENT_HEALTH_H

#include "base/arena.h"
#include "client/schedules.h"
#include "client/worker_view.h"
#include "errand/health.h"

/* What was seen, all at one time. */
struct er_health_seen {
    int64_t now_ms;
    struct errand_queues_result queues;
    struct errand_workers_result workers;
    struct er_worker_view *views; /* of the workers */
    struct errand_stats_result stats;
    struct errand_stats_result telling; /* of notifications; read when some are held up */
    struct er_schedule_rows schedules;
    int64_t running_since_ms; /* a job that runs, when no worker is known; 0: none */
};

/* EINVAL: degraded after unhealthy, a share over 1, … */
int er_health_limits_check(const struct errand_health_limits *limits,
                           struct errand_error *err);

/* Takes a lock and gives it back: a write that leaves nothing behind, and what the store
 * said to it. */
int er_health_write(struct er_store *store, struct errand_arena *arena,
                    struct errand_error *err);
/* As errand_health, of a store that could not be opened: that, and why. */
int er_health_closed(const char *why, struct errand_health **ret,
                     struct errand_error *err);

/* Queues with their status, alerts, and the status of it all. ENOMEM. */
int er_health_judge(const struct er_health_seen *seen,
                    const struct errand_health_limits *limits, struct errand_arena *arena,
                    struct errand_health *ret, struct errand_error *err);
/* One alert more; the worst of them is the status. -1: no memory. */
int er_health_alert(struct errand_health *health, struct errand_arena *arena,
                    const struct errand_health_alert *alert);

#endif
