/* batches.c: jobs that are watched together. The counts are changed by the same calls
 * that move the members; how a batch ends is in edges.c. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ trees */

static int by_id(const struct er_node *a, const struct er_node *b)
{
    return strcmp(ER_OWNER(a, struct mem_batch, by_id)->info.id.text,
                  ER_OWNER(b, struct mem_batch, by_id)->info.id.text);
}

static int id_key(const void *key, const struct er_node *node)
{
    return strcmp(key, ER_OWNER(node, struct mem_batch, by_id)->info.id.text);
}

static int by_seq(const struct er_node *a, const struct er_node *b)
{
    int64_t x = ER_OWNER(a, struct mem_batch, by_seq)->seq;
    int64_t y = ER_OWNER(b, struct mem_batch, by_seq)->seq;

    return (x > y) - (x < y);
}

void er_mem_batches_init(struct mem_store *store)
{
    er_tree_init(&store->batches_by_id, by_id);
    er_tree_init(&store->batches_by_seq, by_seq);
}

struct mem_batch *er_mem_batch_find(const struct mem_store *store,
                                    const struct errand_id *id)
{
    struct er_node *node = er_tree_find(&store->batches_by_id, id->text, id_key);

    return node ? ER_OWNER(node, struct mem_batch, by_id) : NULL;
}

/* ------------------------------------------------------------------ life */

struct mem_batch *er_mem_batch_new(const struct errand_push_batch *from)
{
    struct mem_batch *batch = calloc(1, sizeof *batch);

    if (!batch)
        return NULL;
    batch->info.id = from->id;
    batch->info.allow_failures = from->allow_failures;
    batch->info.name = er_mem_dup(from->name);
    if (!batch->info.name || er_mem_slice_dup(from->options, &batch->info.options) < 0) {
        er_mem_batch_free(batch);
        return NULL;
    }
    return batch;
}

void er_mem_batch_add(struct mem_call *call, struct mem_batch *batch)
{
    batch->seq = ++call->store->last_seq;
    er_tree_insert(&call->store->batches_by_id, &batch->by_id);
    er_tree_insert(&call->store->batches_by_seq, &batch->by_seq);
}

/* It may have no members, and then it ends with this call: it is to be looked at. */
void er_mem_batch_insert(struct mem_call *call, struct mem_batch *batch)
{
    batch->info.created_ms = call->now_ms;
    er_mem_batch_add(call, batch);
    er_list_append(&call->batches_to_follow, &batch->to_follow);
}

void er_mem_batch_free(struct mem_batch *batch)
{
    if (!batch)
        return;
    free((char *)batch->info.name);
    er_mem_slice_free(&batch->info.options);
    free(batch);
}

void er_mem_batch_drop(struct mem_store *store, struct mem_batch *batch)
{
    while (batch->children.first)
        er_mem_edge_free(ER_OWNER(batch->children.first, struct mem_edge, of_parent));
    er_tree_remove(&store->batches_by_id, &batch->by_id);
    er_tree_remove(&store->batches_by_seq, &batch->by_seq);
    er_mem_batch_free(batch);
}

/* ------------------------------------------------------------------ counts */

static void count_one(struct errand_batch_info *info, int state, int64_t one)
{
    if (state == ER_NO_STATE)
        return;
    if (!er_state_is_final((enum errand_state)state))
        info->pending += one;
    else if (state == ERRAND_FAILED)
        info->failed += one;
    else if (state == ERRAND_CANCELLED)
        info->cancelled_n += one;
}

void er_mem_batch_count(struct mem_call *call, struct mem_job *job, int from, int to)
{
    struct mem_batch *batch = job->batch;
    bool was_final = from != ER_NO_STATE && er_state_is_final((enum errand_state)from);

    count_one(&batch->info, from, -1);
    count_one(&batch->info, to, 1);
    if (was_final && !er_state_is_final((enum errand_state)to)) {
        batch->info.cancelled = false;
        batch->is_reopened |= batch->info.ended_ms != 0;
        batch->info.ended_ms = 0;
    }
    if ((batch->info.pending == 0 || batch->is_reopened) &&
        !er_list_has(&call->batches_to_follow, &batch->to_follow))
        er_list_append(&call->batches_to_follow, &batch->to_follow);
}

/* ------------------------------------------------------------------ operations */

static int batch_out(struct mem_call *call, const struct mem_batch *batch,
                     struct errand_batch_info *ret)
{
    *ret = batch->info;
    if (!(ret->name = er_mem_out(call, batch->info.name)))
        return -1;
    return er_mem_slice_out(call, batch->info.options, &ret->options);
}

static int no_such_batch(const struct errand_id *id, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOTFOUND, "there is no batch '%s'", id->text);
}

int er_mem_op_batch_get(struct errand_conn *conn, const struct errand_id *id,
                        struct errand_arena *arena, struct errand_batch_info *ret,
                        struct errand_error *err)
{
    struct mem_batch *batch;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "batch_get", 0, arena, err);

    if (rc < 0)
        return rc;
    if (!(batch = er_mem_batch_find(call.store, id)))
        rc = no_such_batch(id, err);
    else if (batch_out(&call, batch, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "batch_get", rc, err);
}

/* What waits is cancelled at once; what runs is flagged, and its worker told. */
static size_t batch_cancel(struct mem_call *call, struct mem_batch *batch)
{
    size_t n = 0;

    batch->info.cancelled = true;
    for (struct er_link *l = batch->members.first; l; l = l->next) {
        struct mem_job *member = ER_OWNER(l, struct mem_job, in_batch);
        enum errand_state from = member->state;
        if (er_mem_is_waiting(member)) {
            er_mem_job_move(call, member, ERRAND_CANCELLED, ER_EVENT_CANCEL);
            er_mem_move_add(call, member, from);
            n++;
        } else if (member->state == ERRAND_RUNNING && !member->cancel_requested) {
            member->cancel_requested = true;
            call->store->control++;
            call->wakes |= ERRAND_WAIT_CONTROL;
        }
    }
    er_mem_follow(call);
    return n;
}

int er_mem_op_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                           int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    struct mem_batch *batch;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "batch_cancel", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (!(batch = er_mem_batch_find(call.store, id)))
        rc = no_such_batch(id, err);
    else if (batch->info.ended_ms)
        *ret_n = 0;
    else
        *ret_n = batch_cancel(&call, batch);
    return er_mem_end(&call, "batch_cancel", rc, err);
}

static int batches(struct mem_call *call, struct er_node *node, size_t max,
                   struct errand_batch_info **ret, size_t *ret_n)
{
    struct errand_batch_info *rows;
    size_t n = 0, size = call->store->batches_by_seq.n;

    if (size > max)
        size = max;
    if (!(rows = errand_arena_alloc(call->arena, size * sizeof *rows)))
        return -1;
    for (; node && n < size; node = er_tree_prev(node))
        if (batch_out(call, ER_OWNER(node, struct mem_batch, by_seq), &rows[n++]) < 0)
            return -1;
    *ret = rows;
    *ret_n = n;
    return 0;
}

int er_mem_op_batches(struct errand_conn *conn, const struct errand_id *after, size_t max,
                      struct errand_arena *arena, struct errand_batch_info **ret,
                      size_t *ret_n, struct errand_error *err)
{
    struct mem_batch *from = NULL;
    struct er_node *node;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "batches", 0, arena, err);

    if (rc < 0)
        return rc;
    if (after->text[0] && !(from = er_mem_batch_find(call.store, after))) {
        rc = no_such_batch(after, err);
    } else {
        node = from ? er_tree_prev(&from->by_seq)
                    : er_tree_last(&call.store->batches_by_seq);
        if (batches(&call, node, max, ret, ret_n) < 0)
            rc = er_error_nomem(err);
    }
    return er_mem_end(&call, "batches", rc, err);
}
