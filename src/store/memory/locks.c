/* locks.c: named locks with an owner, an end and a token that grows. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

struct mem_lock {
    struct er_node by_key;
    struct errand_slice key;
    char *owner;
    int64_t token, until_ms; /* on the lease clock */
};

static struct mem_lock *lock_of(const struct er_node *node)
{
    return ER_OWNER((struct er_node *)node, struct mem_lock, by_key);
}

static int by_key(const struct er_node *a, const struct er_node *b)
{
    return er_mem_slice_compare(lock_of(a)->key, lock_of(b)->key);
}

static int slice_key(const void *key, const struct er_node *node)
{
    return er_mem_slice_compare(*(const struct errand_slice *)key, lock_of(node)->key);
}

void er_mem_locks_init(struct mem_store *store)
{
    er_tree_init(&store->locks, by_key);
}

static void lock_free(struct mem_lock *lock)
{
    er_mem_slice_free(&lock->key);
    free(lock->owner);
    free(lock);
}

static void lock_drop(struct mem_store *store, struct mem_lock *lock)
{
    er_tree_remove(&store->locks, &lock->by_key);
    lock_free(lock);
}

void er_mem_locks_free(struct mem_store *store)
{
    while (store->locks.root)
        lock_drop(store, lock_of(store->locks.root));
}

/* One that is over is as good as none. */
static struct mem_lock *lock_find(struct mem_call *call, struct errand_slice key)
{
    struct er_node *node = er_tree_find(&call->store->locks, &key, slice_key);

    if (!node || lock_of(node)->until_ms > call->lease_now_ms)
        return node ? lock_of(node) : NULL;
    lock_drop(call->store, lock_of(node));
    return NULL;
}

static struct mem_lock *lock_make(struct mem_call *call,
                                  const struct errand_lock_params *p)
{
    struct mem_lock *lock = calloc(1, sizeof *lock);

    if (!lock)
        return NULL;
    if (er_mem_slice_dup(p->key, &lock->key) < 0 ||
        !(lock->owner = er_mem_dup(p->owner))) {
        lock_free(lock);
        return NULL;
    }
    lock->token = ++call->store->last_token;
    er_tree_insert(&call->store->locks, &lock->by_key);
    return lock;
}

static int lock(struct mem_call *call, const struct errand_lock_params *p,
                struct errand_lock_result *ret)
{
    struct mem_lock *holder = lock_find(call, p->key);
    bool is_ours = !holder || strcmp(holder->owner, p->owner) == 0;

    if (!(ret->owner = er_mem_out(call, is_ours ? p->owner : holder->owner)))
        return -1;
    if (!holder && !(holder = lock_make(call, p)))
        return -1;
    if (is_ours) {
        holder->until_ms = call->lease_now_ms + p->ttl_ms;
        ret->token = holder->token;
    }
    ret->until_ms = call->now_ms + (holder->until_ms - call->lease_now_ms);
    return 0;
}

int er_mem_op_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                   struct errand_arena *arena, struct errand_lock_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "lock", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (lock(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "lock", rc, err);
}

int er_mem_op_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                     struct errand_error *err)
{
    struct mem_lock *holder;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "unlock", p->now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (!(holder = lock_find(&call, p->key)))
        rc = errand_error_set(err, ERRAND_ECONFLICT,
                              "the lock is over: '%s' holds it no more", p->owner);
    else if (holder->token != p->token || strcmp(holder->owner, p->owner) != 0)
        rc = errand_error_set(err, ERRAND_ECONFLICT, "the lock is held by '%s', not '%s'",
                              holder->owner, p->owner);
    else
        lock_drop(call.store, holder);
    return er_mem_end(&call, "unlock", rc, err);
}
