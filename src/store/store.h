/* store.h: the one door to a store. Picks the driver by URL scheme, checks what every
 * driver would have to check (fork, sizes, names, cycles), fills defaults, and gives the
 * driver's errors their context. Callers above never see a driver. */
#ifndef ER_STORE_STORE_H
#define ER_STORE_STORE_H

#include "base/arena.h"
#include "errand/driver.h"

struct er_store;

enum { ER_DATA_HARD_MAX = 16 << 20 }; /* whatever the configuration says */

struct er_store_options {
    struct errand_open_params open; /* url, shown are filled here */
    size_t max_data;                /* 0: 1 MiB */
};

int er_store_open(const char *url, const struct er_store_options *options,
                  struct er_store **ret, struct errand_error *err);
/* Another one on the same store, opened with the same options, for another thread. */
int er_store_again(struct er_store *store, struct er_store **ret,
                   struct errand_error *err);
/* NULL allowed; in the child of a fork it only lets go */
void er_store_close(struct er_store *store);
int er_store_migrate(const char *url, const struct er_store_options *options, bool apply,
                     struct errand_migrate_result *ret, struct errand_error *err);

const char *er_store_url(const struct er_store *store); /* without secrets */
const struct errand_driver *er_store_driver(const struct er_store *store);
bool er_store_can(const struct er_store *store, enum errand_capability capability);

/* Opened so: whatever would write is refused. */
bool er_store_is_read_only(const struct er_store *store);
/* The wall clock by which the store finds jobs due; `store` NULL: this host's. */
int64_t er_store_wall_ms(struct er_store *store);

/* The URL with password and secret query values replaced by "***"; the one printer of
 * URLs. */
/* Does it name a kind of store that there is? Loads and opens nothing. EINVAL. */
int er_store_url_check(const char *url, struct errand_error *err);
char *er_url_shown(const char *url, struct errand_arena *arena);

/* Each has the meaning of the driver's function of the same name (errand/driver.h). */
int er_store_push(struct er_store *, const struct errand_push_params *,
                  struct errand_arena *, struct errand_push_result *ret,
                  struct errand_error *err);
int er_store_exchange(struct er_store *, const struct errand_exchange_params *,
                      struct errand_arena *, struct errand_exchange_result *ret,
                      struct errand_error *err);
int er_store_extend(struct er_store *, const struct errand_extend_params *,
                    struct errand_arena *, struct errand_extend_result *ret,
                    struct errand_error *err);
int er_store_reap(struct er_store *, const struct errand_reap_params *,
                  struct errand_arena *, struct errand_reap_result *ret,
                  struct errand_error *err);
int er_store_change(struct er_store *, const struct errand_change_params *,
                    struct errand_arena *, struct errand_change_result *ret,
                    struct errand_error *err);
int er_store_prune(struct er_store *, const struct errand_prune_params *, size_t *ret_n,
                   struct errand_error *err);
int er_store_get(struct er_store *, const struct errand_id *id, int64_t now_ms,
                 struct errand_arena *, struct errand_job_detail *ret,
                 struct errand_error *err);
int er_store_details(struct er_store *, const struct errand_details_params *,
                     struct errand_arena *, struct errand_details_result *ret,
                     struct errand_error *err);
int er_store_list(struct er_store *, const struct errand_list_params *,
                  struct errand_arena *, struct errand_list_result *ret,
                  struct errand_error *err);
int er_store_count(struct er_store *, const struct errand_filter *, int64_t now_ms,
                   int64_t *ret_n, struct errand_error *err);
int er_store_queues(struct er_store *, int64_t now_ms, struct errand_arena *,
                    struct errand_queues_result *ret, struct errand_error *err);
int er_store_queue_pause(struct er_store *, const char *queue, int64_t until_ms,
                         int64_t now_ms, struct errand_error *err);
int er_store_limit_put(struct er_store *, const struct errand_limit *,
                       struct errand_error *err);
int er_store_limit_delete(struct er_store *, const char *name, struct errand_error *err);
int er_store_limits(struct er_store *, int64_t now_ms, struct errand_arena *,
                    struct errand_limits_result *ret, struct errand_error *err);
int er_store_rate_take(struct er_store *, const struct errand_rate_params *,
                       struct errand_rate_result *ret, struct errand_error *err);
int er_store_lock(struct er_store *, const struct errand_lock_params *,
                  struct errand_arena *, struct errand_lock_result *ret,
                  struct errand_error *err);
int er_store_unlock(struct er_store *, const struct errand_lock_params *,
                    struct errand_error *err);
int er_store_batch_get(struct er_store *, const struct errand_id *id,
                       struct errand_arena *, struct errand_batch_info *ret,
                       struct errand_error *err);
int er_store_batch_cancel(struct er_store *, const struct errand_id *id, int64_t now_ms,
                          size_t *ret_n, struct errand_error *err);
int er_store_batches(struct er_store *, const struct errand_id *after, size_t max,
                     struct errand_arena *, struct errand_batch_info **ret, size_t *ret_n,
                     struct errand_error *err);
int er_store_schedule_put(struct er_store *, const struct errand_schedule *,
                          struct errand_error *err);
int er_store_schedule_delete(struct er_store *, const char *name,
                             struct errand_error *err);
int er_store_schedule_pause(struct er_store *, const char *name, bool paused,
                            struct errand_error *err);
int er_store_schedules(struct er_store *, struct errand_arena *,
                       struct errand_schedules_result *ret, struct errand_error *err);
int er_store_fire(struct er_store *, const struct errand_fire_params *,
                  struct errand_arena *, struct errand_fire_result *ret,
                  struct errand_error *err);
int er_store_beat(struct er_store *, const struct errand_beat_params *,
                  struct errand_arena *, struct errand_beat_result *ret,
                  struct errand_error *err);
int er_store_workers(struct er_store *, int64_t now_ms, struct errand_arena *,
                     struct errand_workers_result *ret, struct errand_error *err);
int er_store_command(struct er_store *, const char *worker, enum errand_command,
                     int64_t now_ms, size_t *ret_n, struct errand_error *err);
int er_store_define(struct er_store *, const struct errand_definition *, size_t n,
                    int64_t now_ms, struct errand_error *err);
int er_store_definitions(struct er_store *, const char *key, struct errand_arena *,
                         struct errand_definitions_result *ret, struct errand_error *err);
int er_store_events_add(struct er_store *, const struct errand_event *, size_t n,
                        int64_t now_ms, struct errand_error *err);
int er_store_events_read(struct er_store *, const struct errand_events_params *,
                         struct errand_arena *, struct errand_events_result *ret,
                         struct errand_error *err);
int er_store_stats_add(struct er_store *, const struct errand_stats_params *,
                       struct errand_error *err);
int er_store_stats_read(struct er_store *, const struct errand_stats_params *,
                        struct errand_arena *, struct errand_stats_result *ret,
                        struct errand_error *err);
int er_store_wait_fd(struct er_store *, struct errand_error *err);
int er_store_wait_arm(struct er_store *, uint32_t wait_for, struct errand_error *err);
int er_store_check(struct er_store *, int64_t now_ms, struct errand_arena *,
                   struct errand_check_result *ret, struct errand_error *err);
int er_store_remarks(struct er_store *, struct errand_arena *,
                     struct errand_remarks_result *ret, struct errand_error *err);
int er_store_load(struct er_store *, const struct errand_load_params *,
                  struct errand_arena *, struct errand_load_result *ret,
                  struct errand_error *err);

#endif
