/* ops.h: the operations that every driver has, once: declared and put into its table
 * under names that begin alike. What a driver may leave out (clock, remarks) is its own.
 */
#ifndef ER_STORE_OPS_H
#define ER_STORE_OPS_H

#include "errand/driver.h"

#define ER_STORE_OP(name, ...) \
    int name(struct errand_conn *conn, __VA_ARGS__, struct errand_error *err)

/* Declares PREFIXpush() and all the others. */
#define ER_STORE_OPS(prefix)                                                           \
    ER_STORE_OP(prefix##push, const struct errand_push_params *p,                      \
                struct errand_arena *arena, struct errand_push_result *ret);           \
    ER_STORE_OP(prefix##exchange, const struct errand_exchange_params *p,              \
                struct errand_arena *arena, struct errand_exchange_result *ret);       \
    ER_STORE_OP(prefix##extend, const struct errand_extend_params *p,                  \
                struct errand_arena *arena, struct errand_extend_result *ret);         \
    ER_STORE_OP(prefix##reap, const struct errand_reap_params *p,                      \
                struct errand_arena *arena, struct errand_reap_result *ret);           \
    ER_STORE_OP(prefix##change, const struct errand_change_params *p,                  \
                struct errand_arena *arena, struct errand_change_result *ret);         \
    ER_STORE_OP(prefix##prune, const struct errand_prune_params *p, size_t *ret_n);    \
    ER_STORE_OP(prefix##get, const struct errand_id *id, int64_t now_ms,               \
                struct errand_arena *arena, struct errand_job_detail *ret);            \
    ER_STORE_OP(prefix##details, const struct errand_details_params *p,                \
                struct errand_arena *arena, struct errand_details_result *ret);        \
    ER_STORE_OP(prefix##list, const struct errand_list_params *p,                      \
                struct errand_arena *arena, struct errand_list_result *ret);           \
    ER_STORE_OP(prefix##count, const struct errand_filter *filter, int64_t now_ms,     \
                int64_t *ret_n);                                                       \
    ER_STORE_OP(prefix##queues, int64_t now_ms, struct errand_arena *arena,            \
                struct errand_queues_result *ret);                                     \
    ER_STORE_OP(prefix##queue_pause, const char *queue, int64_t until_ms,              \
                int64_t now_ms);                                                       \
    ER_STORE_OP(prefix##limit_put, const struct errand_limit *limit);                  \
    ER_STORE_OP(prefix##limit_delete, const char *name);                               \
    ER_STORE_OP(prefix##limits, int64_t now_ms, struct errand_arena *arena,            \
                struct errand_limits_result *ret);                                     \
    ER_STORE_OP(prefix##rate_take, const struct errand_rate_params *p,                 \
                struct errand_rate_result *ret);                                       \
    ER_STORE_OP(prefix##lock, const struct errand_lock_params *p,                      \
                struct errand_arena *arena, struct errand_lock_result *ret);           \
    ER_STORE_OP(prefix##unlock, const struct errand_lock_params *p);                   \
    ER_STORE_OP(prefix##batch_get, const struct errand_id *id,                         \
                struct errand_arena *arena, struct errand_batch_info *ret);            \
    ER_STORE_OP(prefix##batch_cancel, const struct errand_id *id, int64_t now_ms,      \
                size_t *ret_n);                                                        \
    ER_STORE_OP(prefix##batches, const struct errand_id *after, size_t max,            \
                struct errand_arena *arena, struct errand_batch_info **ret,            \
                size_t *ret_n);                                                        \
    ER_STORE_OP(prefix##schedule_put, const struct errand_schedule *schedule);         \
    ER_STORE_OP(prefix##schedule_delete, const char *name);                            \
    ER_STORE_OP(prefix##schedule_pause, const char *name, bool paused);                \
    ER_STORE_OP(prefix##schedules, struct errand_arena *arena,                         \
                struct errand_schedules_result *ret);                                  \
    ER_STORE_OP(prefix##fire, const struct errand_fire_params *p,                      \
                struct errand_arena *arena, struct errand_fire_result *ret);           \
    ER_STORE_OP(prefix##beat, const struct errand_beat_params *p,                      \
                struct errand_arena *arena, struct errand_beat_result *ret);           \
    ER_STORE_OP(prefix##workers, int64_t now_ms, struct errand_arena *arena,           \
                struct errand_workers_result *ret);                                    \
    ER_STORE_OP(prefix##command, const char *worker, enum errand_command command,      \
                int64_t now_ms, size_t *ret_n);                                        \
    ER_STORE_OP(prefix##define, const struct errand_definition *definitions, size_t n, \
                int64_t now_ms);                                                       \
    ER_STORE_OP(prefix##definitions, const char *key, struct errand_arena *arena,      \
                struct errand_definitions_result *ret);                                \
    ER_STORE_OP(prefix##events_add, const struct errand_event *events, size_t n,       \
                int64_t now_ms);                                                       \
    ER_STORE_OP(prefix##events_read, const struct errand_events_params *p,             \
                struct errand_arena *arena, struct errand_events_result *ret);         \
    ER_STORE_OP(prefix##stats_add, const struct errand_stats_params *p);               \
    ER_STORE_OP(prefix##stats_read, const struct errand_stats_params *p,               \
                struct errand_arena *arena, struct errand_stats_result *ret);          \
    int prefix##wait_fd(struct errand_conn *conn, struct errand_error *err);           \
    ER_STORE_OP(prefix##wait_arm, uint32_t wait_for);                                  \
    ER_STORE_OP(prefix##check, int64_t now_ms, struct errand_arena *arena,             \
                struct errand_check_result *ret);                                      \
    ER_STORE_OP(prefix##load, const struct errand_load_params *p,                      \
                struct errand_arena *arena, struct errand_load_result *ret)

/* Their places in a struct errand_driver. */
#define ER_STORE_OPS_TABLE(prefix)                                                  \
    .push = prefix##push, .exchange = prefix##exchange, .extend = prefix##extend,   \
    .reap = prefix##reap, .change = prefix##change, .prune = prefix##prune,         \
    .get = prefix##get, .details = prefix##details, .list = prefix##list,           \
    .count = prefix##count, .queues = prefix##queues,                               \
    .queue_pause = prefix##queue_pause, .limit_put = prefix##limit_put,             \
    .limit_delete = prefix##limit_delete, .limits = prefix##limits,                 \
    .rate_take = prefix##rate_take, .lock = prefix##lock, .unlock = prefix##unlock, \
    .batch_get = prefix##batch_get, .batch_cancel = prefix##batch_cancel,           \
    .batches = prefix##batches, .schedule_put = prefix##schedule_put,               \
    .schedule_delete = prefix##schedule_delete,                                     \
    .schedule_pause = prefix##schedule_pause, .schedules = prefix##schedules,       \
    .fire = prefix##fire, .beat = prefix##beat, .workers = prefix##workers,         \
    .command = prefix##command, .define = prefix##define,                           \
    .definitions = prefix##definitions, .events_add = prefix##events_add,           \
    .events_read = prefix##events_read, .stats_add = prefix##stats_add,             \
    .stats_read = prefix##stats_read, .wait_fd = prefix##wait_fd,                   \
    .wait_arm = prefix##wait_arm, .check = prefix##check, .load = prefix##load

#endif
