/* internal.h: what the files of store.h share: the handle, the way into a driver and out
 * again, and the checks of arguments. */
#ifndef ER_STORE_INTERNAL_H
#define ER_STORE_INTERNAL_H

#include <sys/types.h>

#include "store/store.h"

struct er_store {
    const struct errand_driver *driver;
    struct errand_conn *conn;
    struct errand_arena *arena; /* of the handle: the URL as shown */
    const char *shown;
    pid_t pid; /* of the process that opened it; a child is turned away */
    bool is_read_only;
    size_t max_data;
    struct errand_open_params params; /* as it was opened; url is not kept */
    /* clock.c: when the store was asked for its time, on the monotonic clock (0: never),
     * and how far it was ahead of that one. */
    int64_t clock_asked_ms, wall_ahead_ms;
    bool has_clock;
};

/* Longest key, bytes that are kept of an error, a log and a result. */
enum {
    ER_KEY_MAX = 512,
    ER_TEXT_MAX = 64 << 10,
    ER_EVENT_TEXT_MAX = 4 << 10, /* 10,000 events are kept */
    ER_TAGS_MAX = 32,
    ER_LIMITS_MAX = 8,
    ER_PAGE_MAX = 10000,
};

/* EFORKED in a child of the process that opened the store. The second one also refuses
 * what would write to a store that was opened for reading. */
int er_store_enter(struct er_store *store, struct errand_error *err);
int er_store_enter_write(struct er_store *store, struct errand_error *err);
/* The way out: rc as it is, or the error with the store and what was attempted. */
int er_store_leave(const struct er_store *store, int rc, struct errand_error *err,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Checks that every driver would have to make: 0 or EINVAL, ETOOBIG. */
int er_check_push(const struct er_store *store, const struct errand_push_params *p,
                  struct errand_error *err);
int er_check_job(const struct er_store *store, const struct errand_push_job *job,
                 struct errand_error *err);
int er_check_edges(const struct errand_push_params *p, struct errand_error *err);
int er_check_exchange(const struct errand_exchange_params *p, struct errand_error *err);
int er_check_extend(const struct errand_extend_params *p, struct errand_error *err);
int er_check_change(const struct er_store *store, const struct errand_change_params *p,
                    struct errand_error *err);
int er_check_load(const struct er_store *store, const struct errand_load_params *p,
                  struct errand_error *err);
int er_check_schedule(const struct errand_schedule *schedule, struct errand_error *err);
int er_check_filter(const struct errand_filter *filter, struct errand_error *err);
int er_check_limit(const struct errand_limit *limit, struct errand_error *err);
int er_check_key(const char *what, struct errand_slice key, struct errand_error *err);
int er_check_id(const char *what, const struct errand_id *id, struct errand_error *err);
int er_check_now(int64_t now_ms, struct errand_error *err);

/* `text`, or when it has more than ER_TEXT_MAX bytes its beginning with a mark that says
 * how many it had, in the arena. What cannot be copied is cut without the mark: storing
 * an outcome never fails for its size. */
struct errand_slice er_cut(struct errand_slice text, struct errand_arena *arena);
/* The same for another maximum, without the mark and without a copy. */
struct errand_slice er_cut_to(struct errand_slice text, size_t max);
/* The outcomes with their texts cut: `outcomes` itself when nothing was too long. */
const struct errand_outcome *er_outcomes_cut(const struct errand_outcome *outcomes,
                                             size_t n, struct errand_arena *arena);

#endif
