/* ops.h: the operations of the driver. */
#ifndef ER_STORE_POSTGRES_OPS_H
#define ER_STORE_POSTGRES_OPS_H

#include "store/postgres/postgres.h"

int er_pg_op_push(struct errand_conn *conn, const struct errand_push_params *p,
                  struct errand_arena *arena, struct errand_push_result *ret,
                  struct errand_error *err);
int er_pg_op_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                      struct errand_arena *arena, struct errand_exchange_result *ret,
                      struct errand_error *err);
int er_pg_op_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                    struct errand_arena *arena, struct errand_extend_result *ret,
                    struct errand_error *err);
int er_pg_op_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                  struct errand_arena *arena, struct errand_reap_result *ret,
                  struct errand_error *err);
int er_pg_op_change(struct errand_conn *conn, const struct errand_change_params *p,
                    struct errand_arena *arena, struct errand_change_result *ret,
                    struct errand_error *err);
int er_pg_op_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                   size_t *ret_n, struct errand_error *err);
int er_pg_op_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                 struct errand_arena *arena, struct errand_job_detail *ret,
                 struct errand_error *err);
int er_pg_op_list(struct errand_conn *conn, const struct errand_list_params *p,
                  struct errand_arena *arena, struct errand_list_result *ret,
                  struct errand_error *err);
int er_pg_op_count(struct errand_conn *conn, const struct errand_filter *filter,
                   int64_t now_ms, int64_t *ret_n, struct errand_error *err);
int er_pg_op_queues(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_queues_result *ret, struct errand_error *err);
int er_pg_op_queue_pause(struct errand_conn *conn, const char *queue, int64_t until_ms,
                         int64_t now_ms, struct errand_error *err);
int er_pg_op_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                       struct errand_error *err);
int er_pg_op_limit_delete(struct errand_conn *conn, const char *name,
                          struct errand_error *err);
int er_pg_op_limits(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                    struct errand_limits_result *ret, struct errand_error *err);
int er_pg_op_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                       struct errand_rate_result *ret, struct errand_error *err);
int er_pg_op_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                  struct errand_arena *arena, struct errand_lock_result *ret,
                  struct errand_error *err);
int er_pg_op_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                    struct errand_error *err);
int er_pg_op_batch_get(struct errand_conn *conn, const struct errand_id *id,
                       struct errand_arena *arena, struct errand_batch_info *ret,
                       struct errand_error *err);
int er_pg_op_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                          int64_t now_ms, size_t *ret_n, struct errand_error *err);
int er_pg_op_batches(struct errand_conn *conn, const struct errand_id *after, size_t max,
                     struct errand_arena *arena, struct errand_batch_info **ret,
                     size_t *ret_n, struct errand_error *err);
int er_pg_op_schedule_put(struct errand_conn *conn,
                          const struct errand_schedule *schedule,
                          struct errand_error *err);
int er_pg_op_schedule_delete(struct errand_conn *conn, const char *name,
                             struct errand_error *err);
int er_pg_op_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                            struct errand_error *err);
int er_pg_op_schedules(struct errand_conn *conn, struct errand_arena *arena,
                       struct errand_schedules_result *ret, struct errand_error *err);
int er_pg_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err);
int er_pg_op_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                  struct errand_arena *arena, struct errand_beat_result *ret,
                  struct errand_error *err);
int er_pg_op_workers(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_workers_result *ret, struct errand_error *err);
int er_pg_op_command(struct errand_conn *conn, const char *worker,
                     enum errand_command command, int64_t now_ms, size_t *ret_n,
                     struct errand_error *err);
int er_pg_op_define(struct errand_conn *conn, const struct errand_definition *definitions,
                    size_t n, int64_t now_ms, struct errand_error *err);
int er_pg_op_definitions(struct errand_conn *conn, const char *key,
                         struct errand_arena *arena,
                         struct errand_definitions_result *ret, struct errand_error *err);
int er_pg_op_events_add(struct errand_conn *conn, const struct errand_event *events,
                        size_t n, int64_t now_ms, struct errand_error *err);
int er_pg_op_events_read(struct errand_conn *conn, const struct errand_events_params *p,
                         struct errand_arena *arena, struct errand_events_result *ret,
                         struct errand_error *err);
int er_pg_op_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                       struct errand_error *err);
int er_pg_op_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                        struct errand_arena *arena, struct errand_stats_result *ret,
                        struct errand_error *err);
int er_pg_op_wait_fd(struct errand_conn *conn, struct errand_error *err);
int er_pg_op_wait_arm(struct errand_conn *conn, uint32_t wait_for,
                      struct errand_error *err);
int er_pg_op_check(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                   struct errand_check_result *ret, struct errand_error *err);
int er_pg_op_remarks(struct errand_conn *conn, struct errand_arena *arena,
                     struct errand_remarks_result *ret, struct errand_error *err);
int er_pg_op_load(struct errand_conn *conn, const struct errand_load_params *p,
                  struct errand_arena *arena, struct errand_load_result *ret,
                  struct errand_error *err);
int er_pg_op_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                   struct errand_error *err);

#endif
