/* ops.h: the operations that nothing else in this driver needs. */
#ifndef ER_STORE_SQLITE_OPS_H
#define ER_STORE_SQLITE_OPS_H

#include "store/sqlite/sqlite.h"

#define ER_SQLITE_OP(name, ...) \
    int er_sqlite_##name(struct errand_conn *conn, __VA_ARGS__, struct errand_error *err)

/* open.c */
int er_sqlite_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                   struct errand_error *err);
void er_sqlite_close(struct errand_conn *conn);
void er_sqlite_abandon(struct errand_conn *conn);
int er_sqlite_again(struct errand_conn *conn, const struct errand_open_params *p,
                    struct errand_conn **ret_conn, struct errand_error *err);
int er_sqlite_migrate(const struct errand_open_params *p, bool apply,
                      struct errand_migrate_result *ret, struct errand_error *err);

/* load.c */
ER_SQLITE_OP(load, const struct errand_load_params *p, struct errand_arena *arena,
             struct errand_load_result *ret);

/* queues.c */
ER_SQLITE_OP(queues, int64_t now_ms, struct errand_arena *arena,
             struct errand_queues_result *ret);
ER_SQLITE_OP(queue_pause, const char *queue, int64_t until_ms, int64_t now_ms);

/* history.c */
ER_SQLITE_OP(prune, const struct errand_prune_params *p, size_t *ret_n);

/* batch_ops.c */
ER_SQLITE_OP(batch_get, const struct errand_id *id, struct errand_arena *arena,
             struct errand_batch_info *ret);
ER_SQLITE_OP(batch_cancel, const struct errand_id *id, int64_t now_ms, size_t *ret_n);
ER_SQLITE_OP(batches, const struct errand_id *after, size_t max,
             struct errand_arena *arena, struct errand_batch_info **ret, size_t *ret_n);

/* schedules.c */
ER_SQLITE_OP(schedule_put, const struct errand_schedule *schedule);
ER_SQLITE_OP(schedule_delete, const char *name);
ER_SQLITE_OP(schedule_pause, const char *name, bool paused);
ER_SQLITE_OP(schedules, struct errand_arena *arena, struct errand_schedules_result *ret);
ER_SQLITE_OP(fire, const struct errand_fire_params *p, struct errand_arena *arena,
             struct errand_fire_result *ret);

/* workers.c */
ER_SQLITE_OP(beat, const struct errand_beat_params *p, struct errand_arena *arena,
             struct errand_beat_result *ret);
ER_SQLITE_OP(workers, int64_t now_ms, struct errand_arena *arena,
             struct errand_workers_result *ret);
ER_SQLITE_OP(command, const char *worker, enum errand_command command, int64_t now_ms,
             size_t *ret_n);

/* definitions.c */
ER_SQLITE_OP(define, const struct errand_definition *definitions, size_t n,
             int64_t now_ms);
ER_SQLITE_OP(definitions, const char *key, struct errand_arena *arena,
             struct errand_definitions_result *ret);

/* events.c */
ER_SQLITE_OP(events_add, const struct errand_event *events, size_t n, int64_t now_ms);
ER_SQLITE_OP(events_read, const struct errand_events_params *p,
             struct errand_arena *arena, struct errand_events_result *ret);

/* stats.c */
ER_SQLITE_OP(stats_add, const struct errand_stats_params *p);
ER_SQLITE_OP(stats_read, const struct errand_stats_params *p, struct errand_arena *arena,
             struct errand_stats_result *ret);

/* check.c */
ER_SQLITE_OP(check, int64_t now_ms, struct errand_arena *arena,
             struct errand_check_result *ret);

#endif
