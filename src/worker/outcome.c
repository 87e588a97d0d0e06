/* outcome.c: the retry of a failed attempt, as the store is told of it. */
#include "worker/outcome.h"

struct er_retry er_retry_of(const struct errand_reserved *job,
                            const struct er_options *options)
{
    return (struct er_retry){
        .attempt = job->attempt,
        .tries = job->tries,
        .backoff = &options->backoff,
        .created_ms = job->created_ms,
        .until_ms = options->has & ER_OPT_RETRY_UNTIL ? options->retry_until_ms : 0,
        .for_ms = options->has & ER_OPT_RETRY_FOR ? options->retry_for_ms : 0};
}

void er_outcome_retry(struct errand_outcome *o, const struct er_retry *retry,
                      double random)
{
    int64_t at_ms = er_retry_at(retry, o->ended_ms, random);

    o->kind = at_ms < 0 ? ERRAND_OUT_FAIL : ERRAND_OUT_RETRY;
    if (at_ms >= 0)
        o->run_at_ms = at_ms;
}
