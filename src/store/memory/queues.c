/* queues.c: queues, their lines in the order of the contract, and pausing them. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ order */

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static const struct mem_job *in_line(const struct er_node *node)
{
    return ER_OWNER(node, struct mem_job, in_line);
}

/* Priority (smaller first), then run-at, then order of insertion. */
static int ready_order(const struct er_node *x, const struct er_node *y)
{
    const struct mem_job *a = in_line(x), *b = in_line(y);
    int c;

    if ((c = compare(a->priority, b->priority)) ||
        (c = compare(a->run_at_ms, b->run_at_ms)))
        return c;
    return compare(a->seq, b->seq);
}

static int scheduled_order(const struct er_node *x, const struct er_node *y)
{
    const struct mem_job *a = in_line(x), *b = in_line(y);
    int c = compare(a->run_at_ms, b->run_at_ms);

    return c ? c : compare(a->seq, b->seq);
}

static int hook_order(const struct er_node *x, const struct er_node *y)
{
    const struct mem_job *a = in_line(x), *b = in_line(y);
    int c = compare(a->finished_ms, b->finished_ms);

    return c ? c : compare(a->seq, b->seq);
}

static int by_name(const struct er_node *a, const struct er_node *b)
{
    return strcmp(ER_OWNER(a, struct mem_queue, by_name)->name,
                  ER_OWNER(b, struct mem_queue, by_name)->name);
}

static int name_key(const void *key, const struct er_node *node)
{
    return strcmp(key, ER_OWNER(node, struct mem_queue, by_name)->name);
}

void er_mem_queues_init(struct mem_store *store)
{
    er_tree_init(&store->queues, by_name);
}

/* ------------------------------------------------------------------ queues */

struct mem_queue *er_mem_queue_find(const struct mem_store *store, const char *name)
{
    struct er_node *node = er_tree_find(&store->queues, name, name_key);

    return node ? ER_OWNER(node, struct mem_queue, by_name) : NULL;
}

struct mem_queue *er_mem_queue_make(struct mem_store *store, const char *name)
{
    struct mem_queue *queue = er_mem_queue_find(store, name);

    if (queue)
        return queue;
    if (!(queue = calloc(1, sizeof *queue)) || !(queue->name = er_mem_dup(name))) {
        free(queue);
        return NULL;
    }
    er_tree_init(&queue->ready, ready_order);
    er_tree_init(&queue->scheduled, scheduled_order);
    er_tree_init(&queue->hooks, hook_order);
    er_tree_insert(&store->queues, &queue->by_name);
    return queue;
}

void er_mem_queue_free(struct mem_queue *queue)
{
    free(queue->name);
    free(queue);
}

bool er_mem_queue_is_paused(const struct mem_queue *queue, int64_t now_ms)
{
    return queue->paused_until_ms > now_ms;
}

/* ------------------------------------------------------------------ operations */

/* Over all priorities: the first of the line need not have waited longest. */
static int64_t oldest_ready(const struct mem_queue *queue)
{
    int64_t oldest = 0;

    for (struct er_node *n = er_tree_first(&queue->ready); n; n = er_tree_next(n))
        if (!oldest || in_line(n)->run_at_ms < oldest)
            oldest = in_line(n)->run_at_ms;
    return oldest;
}

static int queue_out(struct mem_call *call, const struct mem_queue *queue,
                     struct errand_queue_info *ret)
{
    if (!(ret->name = er_mem_out(call, queue->name)))
        return -1;
    memcpy(ret->counts, queue->counts, sizeof ret->counts);
    if (er_mem_queue_is_paused(queue, call->now_ms))
        ret->paused_until_ms = queue->paused_until_ms;
    ret->oldest_ready_ms = oldest_ready(queue);
    return 0;
}

static int queues(struct mem_call *call, struct errand_queues_result *ret)
{
    size_t n = 0;

    ret->queues =
        errand_arena_alloc(call->arena, call->store->queues.n * sizeof *ret->queues);
    if (!ret->queues)
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->queues); x;
         x = er_tree_next(x)) {
        const struct mem_queue *queue = ER_OWNER(x, struct mem_queue, by_name);
        if (queue->is_known && queue_out(call, queue, &ret->queues[n++]) < 0)
            return -1;
    }
    ret->queues_n = n;
    return 0;
}

int er_mem_op_queues(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_queues_result *ret, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "queues", now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (queues(&call, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "queues", rc, err);
}

int er_mem_op_queue_pause(struct errand_conn *conn, const char *name, int64_t until_ms,
                          int64_t now_ms, struct errand_error *err)
{
    struct mem_queue *queue;
    struct errand_event event;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "queue_pause", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (!(queue = er_mem_queue_make(call.store, name))) {
        rc = er_error_nomem(err);
    } else {
        queue->is_known = true;
        queue->paused_until_ms = until_ms;
        call.wakes |= ERRAND_WAIT_READY; /* resumed, or paused until earlier */
        event = er_told_pause(name, until_ms, call.now_ms);
        er_mem_tell(&call, &event);
    }
    return er_mem_end(&call, "queue_pause", rc, err);
}
