/* backoff.h: how long to wait before the next attempt: of a job, and of a call to a store
 * that did not answer. */
#ifndef ER_CORE_BACKOFF_H
#define ER_CORE_BACKOFF_H

#include <stdbool.h>

#include "errand/types.h"

/* The wait in ms before retry number `retry` (1 after the first failed attempt). `random`
 * is a number in [0, 1) for the jitter, so that the rule itself has no state. Never
 * negative, never over the cap plus its jitter. */
int64_t er_backoff_ms(const struct errand_backoff *backoff, int retry, double random);
/* The next number in [0, 1) after `state`, which only the caller uses. */
double er_backoff_random(uint64_t *state);
/* A state to begin with, another one in every process and at every call. */
uint64_t er_backoff_seed(void);
enum { ER_BACKOFF_STORE_MOST_MS = 5000 };
/* How long to leave a store alone that did not answer, after `failures` calls in a row (0
 * before the first) and one more that ended with `code`. It grows, it is spread, and it
 * is short enough that nobody has to wait once the store answers. */
int64_t er_backoff_store_ms(int failures, int code, double random);
/* The same inside of one call to a server, after `tries` of it. Half is random: many
 * clients that a restart has thrown off must not come back together. */
int64_t er_backoff_call_ms(int tries, double random);
/* An attempt that may be followed by another one. */
struct er_retry {
    int32_t attempt, tries; /* 1 for the first */
    const struct errand_backoff *backoff;
    int64_t wait_ms;          /* the attempt's own wish; 0: by the backoff */
    int64_t created_ms;       /* of the job */
    int64_t until_ms, for_ms; /* an instant, and since it was created; 0: not said */
};
/* When the next attempt is due, after one that ended at that time; -1: there is none, for
 * the tries are spent or it would come too late. `random` as above. */
int64_t er_retry_at(const struct er_retry *retry, int64_t ended_ms, double random);
/* Does it say anything, or is it zero-initialised? */
bool er_backoff_is_said(const struct errand_backoff *backoff);
/* The same of what somebody has written by hand; then a copy, with the length of its list
 * if that was left out. */
bool er_backoff_said(const struct errand_backoff *backoff, struct errand_backoff *ret);
/* NaN, negative, list too long, jitter over 1: EINVAL. */
int er_backoff_check(const struct errand_backoff *backoff, struct errand_error *err);

#endif
