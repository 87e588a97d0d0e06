/* jobs.h: packing jobs and what they ask, and reading what scripts answer about them. */
#ifndef ER_STORE_REDIS_JOBS_H
#define ER_STORE_REDIS_JOBS_H

#include "store/redis/redis.h"

/* push.c */
void er_push_pack(struct er_buf *buf, const struct errand_push_job *job,
                  const struct errand_id *id);
/* Two values: the key and its rules, the limits. */
void er_asks_pack(struct er_buf *buf, const struct errand_unique *unique,
                  const struct errand_limit_use *limits, size_t limits_n);
/* The id of the job, or a fresh one. */
int er_push_id(struct er_redis *conn, const struct errand_push_job *job, int64_t now_ms,
               struct errand_id *ret, struct errand_error *err);
/* {pushed, id, state}; `id` is what er_push_id answered. */
void er_push_answer(struct er_unpack *u, const struct er_call *call,
                    const struct errand_push_job *job, const struct errand_id *id,
                    struct errand_pushed_job *ret);

/* lease.c: what became of each of n things that were told. NULL: no memory. */
enum errand_settled *er_settled_read(struct er_unpack *u, struct errand_arena *arena,
                                     size_t n);

/* A list of {id, name, queue, from, to, attempt}; nothing when they were not wanted. */
int er_moves_read(struct er_unpack *u, struct errand_arena *arena,
                  struct errand_move **ret, size_t *ret_n, struct errand_error *err);

#endif
