/* claims.c: unique keys. A claim is a fact in the store and not a lock beside it: it is
 * taken, renewed and given up in the same call as the move that causes it. */
#include "store/memory/memory.h"

#include <stdlib.h>

static int by_key(const struct er_node *a, const struct er_node *b)
{
    return er_mem_slice_compare(ER_OWNER(a, struct mem_claim, by_key)->key,
                                ER_OWNER(b, struct mem_claim, by_key)->key);
}

static int slice_key(const void *key, const struct er_node *node)
{
    return er_mem_slice_compare(*(const struct errand_slice *)key,
                                ER_OWNER(node, struct mem_claim, by_key)->key);
}

void er_mem_claims_init(struct mem_store *store)
{
    er_tree_init(&store->claims, by_key);
}

struct mem_claim *er_mem_claim_new(struct errand_slice key)
{
    struct mem_claim *claim = calloc(1, sizeof *claim);

    if (claim && er_mem_slice_dup(key, &claim->key) < 0) {
        free(claim);
        return NULL;
    }
    return claim;
}

void er_mem_claim_free(struct mem_claim *claim)
{
    if (!claim)
        return;
    er_mem_slice_free(&claim->key);
    free(claim);
}

/* The claim goes back to its job, to be taken again without allocating. */
static void give_up(struct mem_store *store, struct mem_claim *claim)
{
    struct mem_job *job = claim->job;

    er_tree_remove(&store->claims, &claim->by_key);
    if (!job) {
        er_mem_claim_free(claim);
        return;
    }
    job->claim = NULL;
    job->spare = claim;
    claim->job = NULL;
}

struct mem_claim *er_mem_claim_find(struct mem_call *call, struct errand_slice key)
{
    struct er_node *node = er_tree_find(&call->store->claims, &key, slice_key);
    struct mem_claim *claim = node ? ER_OWNER(node, struct mem_claim, by_key) : NULL;

    if (!claim || claim->until_ms > call->now_ms)
        return claim;
    give_up(call->store, claim);
    return NULL;
}

static int64_t until(const struct mem_call *call, int64_t ttl_ms)
{
    return ttl_ms && ttl_ms < ERRAND_FOREVER - call->now_ms ? call->now_ms + ttl_ms
                                                            : ERRAND_FOREVER;
}

void er_mem_claim_take(struct mem_call *call, struct mem_job *job)
{
    struct mem_claim *claim = job->spare;

    job->spare = NULL;
    job->claim = claim;
    claim->job = job;
    claim->id = job->id;
    claim->until_ms = until(call, job->unique_ttl_ms);
    er_tree_insert(&call->store->claims, &claim->by_key);
}

void er_mem_claim_renew(struct mem_call *call, struct mem_job *job, int64_t ttl_ms)
{
    job->unique_ttl_ms = ttl_ms;
    if (job->claim)
        job->claim->until_ms = until(call, ttl_ms);
}

void er_mem_claim_release(struct mem_store *store, struct mem_job *job)
{
    if (job->claim)
        give_up(store, job->claim);
}

bool er_mem_claim_again(struct mem_call *call, struct mem_job *job)
{
    struct mem_claim *holder;

    if (!job->is_unique || job->unique_until == ERRAND_UNIQUE_TTL)
        return true;
    holder = er_mem_claim_find(call, job->unique_key);
    if (holder)
        return false;
    er_mem_claim_take(call, job);
    return true;
}
