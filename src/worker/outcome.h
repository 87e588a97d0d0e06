/* outcome.h: what the store is told of an attempt that failed and may be tried again: one
 * rule for supervisors (settle.c), hosts with a loop of their own (engine_finish.c) and
 * tests that drain (drain.c). */
#ifndef ER_WORKER_OUTCOME_H
#define ER_WORKER_OUTCOME_H

#include "core/backoff.h"
#include "core/options.h"
#include "errand/driver.h"

/* The retry of a reserved job by its options, all levels of them filled in; `tries` and
 * wait_ms are the caller's. `options` outlives it. */
struct er_retry er_retry_of(const struct errand_reserved *job,
                            const struct er_options *options);
/* RETRY and when, or FAIL; o->ended_ms is set. `random` as in backoff.h. */
void er_outcome_retry(struct errand_outcome *o, const struct er_retry *retry,
                      double random);

#endif
