/* limits.h: what limits.c (use), lines.c (who waits) and limit_ops.c (operations) share.
 */
#ifndef ER_STORE_SQLITE_LIMITS_H
#define ER_STORE_SQLITE_LIMITS_H

#include "store/sqlite/sqlite.h"

struct er_start {
    int64_t at_ms, n;
};

/* One name and key of a limit, as long as the transaction. */
struct er_bucket {
    struct er_bucket *next;
    uint64_t hash;
    int64_t id; /* 0: has no row yet */
    const char *name;
    struct errand_slice key;
    int64_t running, longest_ms;
    int64_t counted_n;       /* starts in the table, old ones left out */
    struct er_start *starts; /* one by one, oldest first, if they are known */
    size_t starts_n, starts_max;
    int64_t started_n; /* in this transaction, not in the table yet */
    bool is_known;
    bool is_dirty; /* the row */
    bool has_old;  /* starts that matter to nobody */
};

struct er_limits {
    struct errand_limit *set;
    size_t set_n;
    struct er_bucket *buckets;
};

/* A limit as it applies to one job. */
struct er_applied {
    struct er_bucket *bucket;
    enum errand_limit_kind kind;
    int64_t n, per_ms;
    bool is_own; /* the job brings it along */
};
struct er_applied_list {
    struct er_applied *applied;
    size_t n, max;
};

/* Those who wait at one bucket for the same numbers. */
struct er_line {
    int64_t id, bucket, n, per_ms, parked;
    int64_t wake_at; /* 0: time alone lets nobody go on */
    enum errand_limit_kind kind;
};

/* limits.c */
int er_limits_load(struct er_tx *tx);
int er_applied(struct er_tx *tx, const struct er_job *job, struct er_applied_list *list);
int64_t er_applied_room(const struct er_applied *a, int64_t now_ms);
int er_bucket_get(struct er_tx *tx, const char *name, struct errand_slice key,
                  struct er_bucket **ret);
int er_bucket_make(struct er_tx *tx, struct er_bucket *bucket); /* it has a row then */
/* Its starts one by one, unless all of them together are fewer than `below`: then
 * er_bucket_started() answers that bound, and there is room. 0: in any case. */
int er_bucket_know(struct er_tx *tx, struct er_bucket *bucket, int64_t below);
int64_t er_bucket_started(const struct er_bucket *bucket, int64_t per_ms, int64_t now_ms);
int64_t er_bucket_free_at(const struct er_bucket *bucket, int64_t n, int64_t per_ms);
int er_bucket_start(struct er_tx *tx, struct er_bucket *bucket, int64_t per_ms,
                    int64_t n);
int er_line_bucket(struct er_tx *tx, const struct er_line *line, struct er_bucket **ret);
/* A job that runs already counts in the limit of that name. */
int er_limits_hold(struct er_tx *tx, struct er_job *job, const char *name);

/* lines.c */
int er_park(struct er_tx *tx, const struct er_job *job, const struct er_applied *a);
/* The bucket may have room: the first of its lines are READY for reserve again. */
int er_lines_offer(struct er_tx *tx, struct er_bucket *bucket);
/* A job under it has started: lines that are full now know when they may go on. */
int er_lines_started(struct er_tx *tx, struct er_bucket *bucket);
/* Everybody in the lines of a limit: its numbers have changed. */
int er_lines_empty(struct er_tx *tx, const char *limit);

#endif
