/* push.h: what push needs of uniques, edges and batches, and what others need of push. */
#ifndef ER_STORE_SQLITE_PUSH_H
#define ER_STORE_SQLITE_PUSH_H

#include "store/sqlite/sqlite.h"

/* Inside a transaction (also fire). */
int er_push_all(struct er_tx *tx, const struct errand_push_params *p,
                struct errand_push_result *ret);
int er_last_ms_set(struct er_tx *tx); /* before an insert: see there */
int er_pushed_state(struct er_tx *tx, int64_t id, enum errand_state *ret);

/* asks.c: the key and the limits of a job. */
struct er_asks {
    const struct errand_unique *unique; /* NULL: none */
    const struct errand_limit_use *limits;
    size_t limits_n;
};
enum { ER_ASKS_LIMITS_MAX = 8 };
struct er_asks_read {
    bool is_unique;
    size_t limits_n;
    struct errand_unique unique; /* policy is not kept */
    struct errand_limit_use limits[ER_ASKS_LIMITS_MAX];
};
int er_asks_encode(struct er_tx *tx, const struct er_asks *asks,
                   struct errand_slice *ret); /* empty: nothing is asked */
int er_asks_read(struct er_tx *tx, int64_t job, struct er_asks_read *ret);
int er_asks_decode(struct er_tx *tx, struct errand_slice text, struct er_asks_read *ret);
/* With these flags beside those that the job has. */
int er_asks_write(struct er_tx *tx, int64_t job, const struct er_asks *asks,
                  uint32_t flags);

uint32_t er_limits_flags(const struct errand_limit_use *limits, size_t n);

/* unique.c: 1 when the key is taken: `ret` is the answer. */
int er_unique_check(struct er_tx *tx, const struct errand_push_job *p,
                    struct errand_pushed_job *ret, int64_t *ret_key);
int er_unique_take(struct er_tx *tx, const struct er_job *job,
                   const struct errand_unique *unique);
/* Of a job that comes from another store: it holds its key until then, unless another
 * has it. */
int er_unique_load(struct er_tx *tx, int64_t job, struct errand_slice key,
                   int64_t until_ms);
/* Until when this job holds the key; 0: not. */
int er_unique_held_until(struct er_tx *tx, int64_t job, struct errand_slice key,
                         int64_t *ret);
/* Somebody holds the key: 1, or 0. */
int er_unique_is_held(struct er_tx *tx, struct errand_slice key);

/* What the edges of a push mean for the row of one of its jobs. */
struct er_ties {
    int32_t waits;     /* edges to parents; such a job is inserted as HELD */
    bool has_children; /* named by its place in the push */
    bool is_decided;   /* one of its parents has ended already */
};

/* edges.c: the edges of a push, whose waiting jobs are inserted as HELD; and jobs that
 * have no chance from the start. `ties` is NULL when there are no edges. */
int er_edges_push(struct er_tx *tx, const struct errand_push_params *p,
                  const int64_t *keys, const struct errand_pushed_job *pushed,
                  struct er_ties *ties);

/* follow.c: CANCELLED_BY is AGAINST, and what cancelled the child. */
enum er_edge_status {
    ER_EDGE_OPEN = 0,
    ER_EDGE_SATISFIED = 1,
    ER_EDGE_AGAINST = 2,
    ER_EDGE_CANCELLED_BY = 3,
};
struct er_edge {
    int kind; /* 0: the parent is a job, 1: a batch */
    int64_t parent, child, n;
    enum errand_edge_on on;
    enum er_edge_status status;
};
enum er_edge_status er_edge_by_job(enum errand_edge_on on, enum errand_state state);
enum er_edge_status er_edge_by_batch(enum errand_edge_on on,
                                     const struct er_batch *batch);
/* Whether its parent has ended and what that means for it; the parent's row knows from
 * now on that others wait for it. */
int er_edge_status_now(struct er_tx *tx, const struct er_edge *edge,
                       enum er_edge_status *ret);
int er_edge_write(struct er_tx *tx, struct er_edge *edge, enum er_edge_status status);
/* One that is against the child: 1, or 0. */
int er_edge_against(struct er_tx *tx, int64_t child, struct er_edge *ret);

/* batch.c */
int er_batch_find(struct er_tx *tx, const struct errand_id *id, int64_t *ret);
int er_batch_make(struct er_tx *tx, const struct errand_push_batch *batch);
int er_batch_add(struct er_tx *tx, const struct er_job *job);
/* Of those that this call has looked at. */
bool er_batch_any_cancelled(const struct er_tx *tx);

#endif
