/* limits.h: what limits.c (use), starts.c (rates), lines.c (who waits) and
 * limit_ops.c (operations) share. */
#ifndef ER_STORE_SQLITE_LIMITS_H
#define ER_STORE_SQLITE_LIMITS_H

#include "store/sqlite/sqlite.h"

struct er_start {
    int64_t at_ms, n;
};

struct er_starts {
    struct er_start *at; /* oldest first */
    size_t n, max;
};

/* One name and key of a limit, as long as the transaction. */
struct er_bucket {
    struct er_bucket *next;
    uint64_t hash;
    int64_t id; /* 0: has no row yet */
    const char *name;
    struct errand_slice key;
    int64_t running, longest_ms;
    /* When jobs under it were started, see starts.c. */
    struct er_starts recent, older;
    int64_t newest_ms, older_n, older_ms;
    bool is_known; /* `older` as well */
    bool is_dirty;
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
int er_line_bucket(struct er_tx *tx, const struct er_line *line, struct er_bucket **ret);
/* A job that runs already counts in the limit of that name. */
int er_limits_hold(struct er_tx *tx, struct er_job *job, const char *name);

/* starts.c */
/* What the row of a bucket says of its starts, from column `i` on. */
int er_starts_read(struct er_tx *tx, struct er_bucket *bucket, sqlite3_stmt *st, int i);
int er_starts_write(struct er_tx *tx, struct er_bucket *bucket); /* its row, too */
/* Its starts one by one, unless all of them together are fewer than `below`: then
 * er_bucket_started() answers a bound, and there is room. 0: in any case. */
int er_bucket_know(struct er_tx *tx, struct er_bucket *bucket, int64_t below);
int64_t er_bucket_started(const struct er_bucket *bucket, int64_t per_ms, int64_t now_ms);
int64_t er_bucket_free_at(const struct er_bucket *bucket, int64_t n, int64_t per_ms);
int er_bucket_start(struct er_tx *tx, struct er_bucket *bucket, int64_t per_ms,
                    int64_t n);

/* lines.c */
int er_park(struct er_tx *tx, const struct er_job *job, const struct er_applied *a);
/* The bucket may have room: the first of its lines are READY for reserve again. */
int er_lines_offer(struct er_tx *tx, struct er_bucket *bucket);
/* A job under it has started: lines that are full now know when they may go on. */
int er_lines_started(struct er_tx *tx, struct er_bucket *bucket);
/* Everybody in the lines of a limit: its numbers have changed. */
int er_lines_empty(struct er_tx *tx, const char *limit);

#endif
