/* health.c: whether the queues are well. */
#include "addon.h"

struct health {
    struct errand_health_limits limits;
    struct errand_health *found;
};

#define LIMIT(name, kind, member) \
    EN_FIELD(name, kind, struct errand_health_limits, member)
static const struct en_field limits_fields[] = {
    LIMIT("readyDegraded", EN_INT64, ready_degraded),
    LIMIT("readyUnhealthy", EN_INT64, ready_unhealthy),
    LIMIT("failedDegraded", EN_INT64, failed_degraded),
    LIMIT("failedUnhealthy", EN_INT64, failed_unhealthy),
    LIMIT("oldestDegradedMs", EN_INT64, oldest_degraded_ms),
    LIMIT("oldestUnhealthyMs", EN_INT64, oldest_unhealthy_ms),
    LIMIT("errorsDegraded", EN_DOUBLE, errors_degraded),
    LIMIT("errorsUnhealthy", EN_DOUBLE, errors_unhealthy),
    LIMIT("errorsWindowMs", EN_INT64, errors_window_ms),
    LIMIT("errorsSample", EN_INT64, errors_sample),
    LIMIT("noWorkerMs", EN_INT64, no_worker_ms),
    {0},
};

static const char *const status_words[] = {"healthy", "degraded", "unhealthy", NULL};

#define STATUS(type)                                                     \
    {                                                                    \
        "status", EN_WORD, offsetof(type, status), .words = status_words \
    }
#define COUNT(type, name, state) EN_FIELD(name, EN_INT64, type, counts[state])
#define COUNTS(type)                                                                     \
    COUNT(type, "waiting", ERRAND_HELD), COUNT(type, "delayed", ERRAND_SCHEDULED),       \
        COUNT(type, "pending", ERRAND_READY), COUNT(type, "processing", ERRAND_RUNNING), \
        COUNT(type, "completed", ERRAND_COMPLETED),                                      \
        COUNT(type, "failed", ERRAND_FAILED), COUNT(type, "cancelled", ERRAND_CANCELLED)

#define QUEUE(name, kind, member) EN_FIELD(name, kind, struct errand_health_queue, member)
static const struct en_field queue_fields[] = {
    QUEUE("name", EN_TEXT, name),
    STATUS(struct errand_health_queue),
    COUNTS(struct errand_health_queue),
    QUEUE("oldestMs", EN_INT64, oldest_ready_ms),
    QUEUE("isPaused", EN_BOOL, is_paused),
    QUEUE("workers", EN_SIZE, workers_n),
    {0},
};

#define WORKER(name, kind, member) \
    EN_FIELD(name, kind, struct errand_health_worker, member)
static const struct en_field worker_fields[] = {
    WORKER("name", EN_TEXT, name),
    WORKER("state", EN_TEXT, state),
    WORKER("running", EN_SIZE, running_n),
    WORKER("sinceMs", EN_INT64, since_ms),
    WORKER("seenMs", EN_INT64, seen_ms),
    WORKER("trouble", EN_TEXT, trouble),
    {0},
};

#define ALERT(name, kind, member) EN_FIELD(name, kind, struct errand_health_alert, member)
static const struct en_field alert_fields[] = {
    STATUS(struct errand_health_alert),
    ALERT("what", EN_TEXT, what),
    ALERT("queue", EN_TEXT, queue),
    ALERT("message", EN_TEXT, text),
    {0},
};

#define METRIC(name, kind, member) \
    EN_FIELD(name, kind, struct errand_health_metrics, member)
static const struct en_field metrics_fields[] = {
    COUNTS(struct errand_health_metrics),
    METRIC("windowMs", EN_INT64, window_ms),
    METRIC("done", EN_INT64, done),
    METRIC("failedInWindow", EN_INT64, failed),
    METRIC("retried", EN_INT64, retried),
    METRIC("errorRate", EN_DOUBLE, error_rate),
    METRIC("runP50Ms", EN_INT64, run_p50_ms),
    METRIC("runP99Ms", EN_INT64, run_p99_ms),
    METRIC("waitP50Ms", EN_INT64, wait_p50_ms),
    METRIC("waitP99Ms", EN_INT64, wait_p99_ms),
    METRIC("workers", EN_SIZE, workers_n),
    {0},
};

#define HEALTH_LIST(name, member, type, table)                                \
    {                                                                         \
        (name), EN_LIST, offsetof(struct errand_health, member),              \
            offsetof(struct errand_health, member##_n), sizeof(type), (table) \
    }
static const struct en_field health_fields[] = {
    STATUS(struct errand_health),
    HEALTH_LIST("queues", queues, struct errand_health_queue, queue_fields),
    HEALTH_LIST("workers", workers, struct errand_health_worker, worker_fields),
    HEALTH_LIST("alerts", alerts, struct errand_health_alert, alert_fields),
    {"metrics", EN_STRUCT, offsetof(struct errand_health, metrics),
     .fields = metrics_fields},
    EN_FIELD("nowMs", EN_INT64, struct errand_health, now_ms),
    {0},
};

/* health(store, limits) */
static int health_take(napi_env env, napi_value *args, struct en_op *op,
                       struct errand_error *err)
{
    return en_read(env, args[0], "limits", limits_fields,
                   &((struct health *)op->own)->limits, op->bag, err);
}

static int health_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct health *h = op->own;

    return errand_health(e, &h->limits, &h->found, err);
}

static napi_value health_answer(napi_env env, struct en_op *op)
{
    return en_object(env, health_fields, ((const struct health *)op->own)->found);
}

static void health_done(struct en_op *op)
{
    errand_health_free(((struct health *)op->own)->found);
}

const struct en_call en_health_calls[] = {
    {.name = "health",
     .size = sizeof(struct health),
     .take = health_take,
     .run = health_run,
     .answer = health_answer,
     .done = health_done,
     .may_be_closed = true},
    {0},
};
