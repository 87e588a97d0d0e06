/* missing.c: operations that are not written yet; gone when all are. */
#include "base/error.h"
#include "store/redis/redis.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define MISSING(name, ...)                                                         \
    int er_redis_op_##name(struct errand_conn *conn, __VA_ARGS__,                  \
                           struct errand_error *err)                               \
    {                                                                              \
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "%s is not written yet", \
                                #name);                                            \
    }
MISSING(change, const struct errand_change_params *p, struct errand_arena *arena,
        struct errand_change_result *ret)
MISSING(prune, const struct errand_prune_params *p, size_t *ret_n)
MISSING(get, const struct errand_id *id, int64_t now_ms, struct errand_arena *arena,
        struct errand_job_detail *ret)
MISSING(list, const struct errand_list_params *p, struct errand_arena *arena,
        struct errand_list_result *ret)
MISSING(count, const struct errand_filter *filter, int64_t now_ms, int64_t *ret_n)
MISSING(queues, int64_t now_ms, struct errand_arena *arena,
        struct errand_queues_result *ret)
MISSING(queue_pause, const char *name, int64_t until_ms, int64_t now_ms)
MISSING(limit_put, const struct errand_limit *limit)
MISSING(limit_delete, const char *name)
MISSING(limits, int64_t now_ms, struct errand_arena *arena,
        struct errand_limits_result *ret)
MISSING(rate_take, const struct errand_rate_params *p, struct errand_rate_result *ret)
MISSING(lock, const struct errand_lock_params *p, struct errand_arena *arena,
        struct errand_lock_result *ret)
MISSING(unlock, const struct errand_lock_params *p)
MISSING(batch_get, const struct errand_id *id, struct errand_arena *arena,
        struct errand_batch_info *ret)
MISSING(batch_cancel, const struct errand_id *id, int64_t now_ms, size_t *ret_n)
MISSING(batches, const struct errand_id *after, size_t max, struct errand_arena *arena,
        struct errand_batch_info **ret, size_t *ret_n)
MISSING(schedule_put, const struct errand_schedule *schedule)
MISSING(schedule_delete, const char *name)
MISSING(schedule_pause, const char *name, bool paused)
MISSING(schedules, struct errand_arena *arena, struct errand_schedules_result *ret)
MISSING(fire, const struct errand_fire_params *p, struct errand_arena *arena,
        struct errand_fire_result *ret)
MISSING(beat, const struct errand_beat_params *p, struct errand_arena *arena,
        struct errand_beat_result *ret)
MISSING(workers, int64_t now_ms, struct errand_arena *arena,
        struct errand_workers_result *ret)
MISSING(command, const char *worker, enum errand_command command, int64_t now_ms,
        size_t *ret_n)
MISSING(define, const struct errand_definition *definitions, size_t n, int64_t now_ms)
MISSING(definitions, const char *key, struct errand_arena *arena,
        struct errand_definitions_result *ret)
MISSING(events_add, const struct errand_event *events, size_t n, int64_t now_ms)
MISSING(events_read, const struct errand_events_params *p, struct errand_arena *arena,
        struct errand_events_result *ret)
MISSING(stats_add, const struct errand_stats_params *p)
MISSING(stats_read, const struct errand_stats_params *p, struct errand_arena *arena,
        struct errand_stats_result *ret)
MISSING(check, int64_t now_ms, struct errand_arena *arena,
        struct errand_check_result *ret)
int er_redis_op_wait_fd(struct errand_conn *conn, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "wait is not written yet");
}
int er_redis_op_wait_arm(struct errand_conn *conn, uint32_t wait_for,
                         struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "wait is not written yet");
}
