/* ask.h: answers to what a job asks of the store, for whoever holds one: the supervisor,
 * and what runs handlers in its own process with a store at hand. */
#ifndef ER_WORKER_ASK_H
#define ER_WORKER_ASK_H

#include "base/buf.h"
#include "client/client.h"
#include "worker/protocol.h"

/* Who asks. */
struct er_asker {
    const struct errand_reserved *job;
    enum er_run_kind kind;
    uint64_t dispatched_n; /* jobs that this attempt has dispatched; starts at 0 */
};

/* Appends the answer. Codes of errand_dispatch and errand_get; on failure nothing has
 * changed. */
int er_ask_answer(errand *e, struct er_asker *asker, enum er_ask_kind kind,
                  struct errand_slice text, struct er_buf *answer,
                  struct errand_error *err);
/* The array of docs/job-files.md: what the job waited for. */
int er_ask_parents(errand *e, const struct errand_reserved *job, struct er_buf *answer,
                   struct errand_error *err);

#endif
