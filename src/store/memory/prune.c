/* prune.c: bounded deletion of what has ended, by age and by number. */
#include "store/memory/memory.h"

static const enum errand_state final_states[] = {ERRAND_COMPLETED, ERRAND_FAILED,
                                                 ERRAND_CANCELLED};

/* The policy of the call and that of the store; the stricter counts. Negative: keep. */
static int64_t stricter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a > b ? a : b;
    return a < b ? a : b;
}

static void prune_list(struct mem_call *call, struct er_list *ended, int64_t age_ms,
                       int64_t keep_n, size_t max, size_t *n)
{
    while (*n < max && ended->first) {
        struct mem_job *job = ER_OWNER(ended->first, struct mem_job, in_ended);
        bool is_old = age_ms >= 0 && call->now_ms - job->finished_ms >= age_ms;
        bool is_excess = keep_n >= 0 && (int64_t)ended->n > keep_n;
        if (!is_old && !is_excess)
            return;
        er_mem_job_drop(call, job, false);
        ++*n;
    }
}

static void prune_batches(struct mem_call *call, int64_t age_ms)
{
    struct er_node *node = er_tree_first(&call->store->batches_by_seq);

    while (node && age_ms >= 0) {
        struct mem_batch *batch = ER_OWNER(node, struct mem_batch, by_seq);
        node = er_tree_next(node);
        if (batch->info.ended_ms && batch->members.n == 0 &&
            call->now_ms - batch->info.ended_ms >= age_ms)
            er_mem_batch_drop(call->store, batch);
    }
}

static size_t prune(struct mem_call *call, const struct errand_prune_params *p)
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof final_states / sizeof *final_states; i++) {
        enum errand_state state = final_states[i];
        bool is_done = state == ERRAND_COMPLETED;
        int64_t age_ms = stricter(p->age_ms[state], is_done ? call->conn->keep_ms : -1);
        int64_t keep_n = stricter(p->keep_n[state], is_done ? call->conn->keep_n : -1);
        struct er_node *x = er_tree_first(&call->store->queues);
        for (; x; x = er_tree_next(x))
            prune_list(call, &ER_OWNER(x, struct mem_queue, by_name)->ended[state],
                       age_ms, keep_n, p->max, &n);
    }
    prune_batches(call, p->age_ms[ERRAND_COMPLETED]);
    er_mem_starts_forget(call);
    er_mem_stats_forget(call->store, call->now_ms - ERRAND_STATS_KEPT_MS);
    return n;
}

int er_mem_op_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                    size_t *ret_n, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "prune", p->now_ms, NULL, err);

    if (rc < 0)
        return rc;
    *ret_n = prune(&call, p);
    return er_mem_end(&call, "prune", rc, err);
}
