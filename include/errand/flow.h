/* flow.h: jobs that belong together: chains, batches, and any graph of jobs.
 *
 *     struct errand_dispatch_item links[] = {
 *         {"validate-order", errand_text("{\"orderId\":1}")},
 *         {"process-payment", errand_text("{\"orderId\":1}")},
 *         {"notify-warehouse", errand_text("{\"orderId\":1}")},
 *     };
 *     errand_chain(e, links, 3, NULL, &id, &err);
 *
 * All three are one thing: jobs that are watched together as a batch, and edges that say
 * which job waits for which. So the id that each call answers is the id of a batch, and
 * errand_batch_get, _wait and _cancel are for all of them. Everything is stored in one
 * transaction, all or nothing, and whatever follows from the end of a job is part of the
 * transaction that ends it: nothing is skipped and nothing runs twice because a process
 * died in between. */
#ifndef ERRAND_FLOW_H
#define ERRAND_FLOW_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What holds for all of it; zero means default. */
struct errand_batch_options {
    /* Your own id, at most 50 bytes: storing it again inserts nothing. The jobs that have
     * none of their own are then called ID/1, ID/2, … */
    struct errand_id id;
    const char *name; /* for people; at most 128 bytes */
    /* Batches: go on when a member fails for good. Else the first such failure cancels
     * the members that have not started. Chains and flows follow their edges: EINVAL. */
    bool allow_failures;
    /* Jobs that run when it has ended, each at most once, whoever works then: when all
     * its jobs are completed; when one has failed or was cancelled; always. They are no
     * members. errand_job_parents tells them what failed. A retry of a failed member
     * opens the batch again, but lets go none of these a second time. */
    const struct errand_dispatch_item *on_success, *on_failure, *finally;
    void *transaction; /* as in errand_options */
};

/* A chain: each link waits for the one before to be completed. When a link fails for good
 * or is cancelled, those behind it are cancelled; on_failure is what others call `catch`.
 * When the operator retries the failed link, the chain goes on from there. Answers how
 * many jobs were inserted, and the id of the whole (`ret_id` may be NULL). EINVAL: no
 * links; else the errors of errand_dispatch, with the number of the link. A job of a name
 * that nobody knows is stored: another program may own it. */
ERRAND_API int errand_chain(errand *e, const struct errand_dispatch_item *links, size_t n,
                            const struct errand_batch_options *options,
                            struct errand_id *ret_id, struct errand_error *err);

/* A batch: members run side by side. The same answers and errors. */
ERRAND_API int errand_batch(errand *e, const struct errand_dispatch_item *members,
                            size_t n, const struct errand_batch_options *options,
                            struct errand_id *ret_id, struct errand_error *err);

/* Adds members to a batch that has not ended. To one that is cancelled they are added as
 * cancelled jobs. `ret_ids` has room for n, or is NULL. Answers how many were inserted.
 * ECONFLICT: it has ended; ENOTFOUND. A running member adds with errand_job_batch_add. */
ERRAND_API int errand_batch_add(errand *e, const struct errand_id *batch,
                                const struct errand_dispatch_item *members, size_t n,
                                struct errand_id *ret_ids, struct errand_error *err);

/* A job of a flow, and which others it waits for. */
struct errand_flow_node {
    const char *name; /* in this flow; the id of its job becomes FLOW/NAME */
    const char *job;  /* NULL: the same as name */
    struct errand_slice data;
    const struct errand_options *options; /* without id */
    /* Names of nodes, NULL-terminated, or NULL: it runs when all of these are completed,
     * have failed for good, have come to any end. One that can never run is cancelled. */
    const char *const *after, *const *after_failure, *const *after_end;
};

/* A flow: any graph of jobs. What a job left as its result, those that wait for it can
 * read (errand_job_parents). A node that waits for a failure, and what comes after it, is
 * not counted as a job of the flow: that it never runs is no failure. EINVAL: no nodes, a
 * name twice, a name that is no node, nodes that wait for each other (the message says
 * which). */
ERRAND_API int errand_flow(errand *e, const struct errand_flow_node *nodes, size_t n,
                           const struct errand_batch_options *options,
                           struct errand_id *ret_id, struct errand_error *err);

/* ------------------------------------------------------------------ looking at one */

enum { ERRAND_FAILURES_MAX = 1000 };

struct errand_batch_result {
    struct errand_id id;
    const char *name; /* "" for none */
    const char *kind; /* "batch", "chain", "flow" */
    bool allow_failures, is_cancelled;
    /* total = pending + successful + failed + cancelled */
    int64_t total, pending, successful, failed, cancelled;
    int percent;                  /* of its jobs that have ended */
    int64_t created_ms, ended_ms; /* ended_ms 0: not yet */
    /* in the order they were stored, ERRAND_FAILURES_MAX at most; those that somebody has
     * deleted since are not among them */
    const struct errand_failure *failures;
    size_t failures_n;
};

/* What there is to know now; freed by errand_batch_result_free. ENOTFOUND. */
ERRAND_API int errand_batch_get(errand *e, const struct errand_id *batch,
                                struct errand_batch_result **ret_result,
                                struct errand_error *err);
ERRAND_API void errand_batch_result_free(struct errand_batch_result *result);

/* Functions of the process that waits, each called at most once, but `progress`: a few
 * times a second when something has ended. The result is borrowed for the call. NULL:
 * none. */
struct errand_batch_waiter {
    int64_t timeout_ms; /* 0: wait for ever; < 0: only look */
    void (*on_success)(const struct errand_batch_result *result, void *ctx);
    void (*on_failure)(const struct errand_batch_result *result, void *ctx);
    void (*finally)(const struct errand_batch_result *result, void *ctx);
    void (*progress)(const struct errand_batch_result *result, void *ctx);
    void *ctx;
};

/* Waits until all its jobs have ended, without polling, and calls on_success or
 * on_failure, then finally. `waiter` may be NULL, and so may `ret_result`. 0, or
 * ETIMEOUT, or ENOTFOUND. Functions do not survive this process: for what must happen
 * use the jobs in errand_batch_options. */
ERRAND_API int errand_batch_wait(errand *e, const struct errand_id *batch,
                                 const struct errand_batch_waiter *waiter,
                                 struct errand_batch_result **ret_result,
                                 struct errand_error *err);

/* Cancels its jobs: what waits at once, what runs as soon as its worker hears of it.
 * Answers how many were cancelled at once; 0 for one that has ended. ENOTFOUND. */
ERRAND_API int errand_batch_cancel(errand *e, const struct errand_id *batch,
                                   struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
