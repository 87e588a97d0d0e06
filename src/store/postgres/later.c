/* later.c: operations that are not written yet. */
#include "store/postgres/ops.h"

#include "base/error.h"

int er_pg_op_push(struct errand_conn *conn, const struct errand_push_params *p,
                  struct errand_arena *arena, struct errand_push_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "push: not yet");
}

int er_pg_op_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                      struct errand_arena *arena, struct errand_exchange_result *ret,
                      struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "exchange: not yet");
}

int er_pg_op_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                    struct errand_arena *arena, struct errand_extend_result *ret,
                    struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "extend: not yet");
}

int er_pg_op_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                  struct errand_arena *arena, struct errand_reap_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "reap: not yet");
}

int er_pg_op_change(struct errand_conn *conn, const struct errand_change_params *p,
                    struct errand_arena *arena, struct errand_change_result *ret,
                    struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "change: not yet");
}

int er_pg_op_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                   size_t *ret_n, struct errand_error *err)
{
    (void)conn, (void)p, (void)ret_n;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "prune: not yet");
}

int er_pg_op_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                 struct errand_arena *arena, struct errand_job_detail *ret,
                 struct errand_error *err)
{
    (void)conn, (void)id, (void)now_ms, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "get: not yet");
}

int er_pg_op_list(struct errand_conn *conn, const struct errand_list_params *p,
                  struct errand_arena *arena, struct errand_list_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "list: not yet");
}

int er_pg_op_count(struct errand_conn *conn, const struct errand_filter *filter,
                   int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    (void)conn, (void)filter, (void)now_ms, (void)ret_n;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "count: not yet");
}

int er_pg_op_queues(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_queues_result *ret, struct errand_error *err)
{
    (void)conn, (void)now_ms, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "queues: not yet");
}

int er_pg_op_queue_pause(struct errand_conn *conn, const char *queue, int64_t until_ms,
                         int64_t now_ms, struct errand_error *err)
{
    (void)conn, (void)queue, (void)until_ms, (void)now_ms;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "queue_pause: not yet");
}

int er_pg_op_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                       struct errand_error *err)
{
    (void)conn, (void)limit;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "limit_put: not yet");
}

int er_pg_op_limit_delete(struct errand_conn *conn, const char *name,
                          struct errand_error *err)
{
    (void)conn, (void)name;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "limit_delete: not yet");
}

int er_pg_op_limits(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_limits_result *ret, struct errand_error *err)
{
    (void)conn, (void)now_ms, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "limits: not yet");
}

int er_pg_op_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                       struct errand_rate_result *ret, struct errand_error *err)
{
    (void)conn, (void)p, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "rate_take: not yet");
}

int er_pg_op_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                  struct errand_arena *arena, struct errand_lock_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "lock: not yet");
}

int er_pg_op_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                    struct errand_error *err)
{
    (void)conn, (void)p;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "unlock: not yet");
}

int er_pg_op_batch_get(struct errand_conn *conn, const struct errand_id *id,
                       struct errand_arena *arena, struct errand_batch_info *ret,
                       struct errand_error *err)
{
    (void)conn, (void)id, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "batch_get: not yet");
}

int er_pg_op_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                          int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    (void)conn, (void)id, (void)now_ms, (void)ret_n;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "batch_cancel: not yet");
}

int er_pg_op_batches(struct errand_conn *conn, const struct errand_id *after, size_t max,
                     struct errand_arena *arena, struct errand_batch_info **ret,
                     size_t *ret_n, struct errand_error *err)
{
    (void)conn, (void)after, (void)max, (void)arena, (void)ret, (void)ret_n;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "batches: not yet");
}

int er_pg_op_schedule_put(struct errand_conn *conn,
                          const struct errand_schedule *schedule,
                          struct errand_error *err)
{
    (void)conn, (void)schedule;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "schedule_put: not yet");
}

int er_pg_op_schedule_delete(struct errand_conn *conn, const char *name,
                             struct errand_error *err)
{
    (void)conn, (void)name;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "schedule_delete: not yet");
}

int er_pg_op_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                            struct errand_error *err)
{
    (void)conn, (void)name, (void)paused;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "schedule_pause: not yet");
}

int er_pg_op_schedules(struct errand_conn *conn, struct errand_arena *arena,
                       struct errand_schedules_result *ret, struct errand_error *err)
{
    (void)conn, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "schedules: not yet");
}

int er_pg_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "fire: not yet");
}

int er_pg_op_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                  struct errand_arena *arena, struct errand_beat_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "beat: not yet");
}

int er_pg_op_workers(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_workers_result *ret, struct errand_error *err)
{
    (void)conn, (void)now_ms, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "workers: not yet");
}

int er_pg_op_command(struct errand_conn *conn, const char *worker,
                     enum errand_command command, int64_t now_ms, size_t *ret_n,
                     struct errand_error *err)
{
    (void)conn, (void)worker, (void)command, (void)now_ms, (void)ret_n;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "command: not yet");
}

int er_pg_op_define(struct errand_conn *conn, const struct errand_definition *definitions,
                    size_t n, int64_t now_ms, struct errand_error *err)
{
    (void)conn, (void)definitions, (void)n, (void)now_ms;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "define: not yet");
}

int er_pg_op_definitions(struct errand_conn *conn, const char *key,
                         struct errand_arena *arena,
                         struct errand_definitions_result *ret, struct errand_error *err)
{
    (void)conn, (void)key, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "definitions: not yet");
}

int er_pg_op_events_add(struct errand_conn *conn, const struct errand_event *events,
                        size_t n, int64_t now_ms, struct errand_error *err)
{
    (void)conn, (void)events, (void)n, (void)now_ms;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "events_add: not yet");
}

int er_pg_op_events_read(struct errand_conn *conn, const struct errand_events_params *p,
                         struct errand_arena *arena, struct errand_events_result *ret,
                         struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "events_read: not yet");
}

int er_pg_op_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                       struct errand_error *err)
{
    (void)conn, (void)p;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "stats_add: not yet");
}

int er_pg_op_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                        struct errand_arena *arena, struct errand_stats_result *ret,
                        struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "stats_read: not yet");
}

int er_pg_op_wait_fd(struct errand_conn *conn, struct errand_error *err)
{
    (void)conn;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "wait_fd: not yet");
}

int er_pg_op_wait_arm(struct errand_conn *conn, uint32_t wait_for,
                      struct errand_error *err)
{
    (void)conn, (void)wait_for;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "wait_arm: not yet");
}

int er_pg_op_check(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                   struct errand_check_result *ret, struct errand_error *err)
{
    (void)conn, (void)now_ms, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "check: not yet");
}

int er_pg_op_remarks(struct errand_conn *conn, struct errand_arena *arena,
                     struct errand_remarks_result *ret, struct errand_error *err)
{
    (void)conn, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "remarks: not yet");
}
