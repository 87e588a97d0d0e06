/* workers.c: who works on this store, by their heartbeats, and what they are told. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

enum { COMMANDS_MAX = 16, DEAD_KEPT_MS = 3600000 };

struct mem_worker {
    struct er_node by_name;
    char *name;
    struct errand_slice info;
    int64_t since_ms, seen_ms, until_ms;
    enum errand_command commands[COMMANDS_MAX]; /* oldest first */
    size_t commands_n;
};

static struct mem_worker *worker_of(const struct er_node *node)
{
    return ER_OWNER((struct er_node *)node, struct mem_worker, by_name);
}

static int by_name(const struct er_node *a, const struct er_node *b)
{
    return strcmp(worker_of(a)->name, worker_of(b)->name);
}

static int name_key(const void *key, const struct er_node *node)
{
    return strcmp(key, worker_of(node)->name);
}

void er_mem_workers_init(struct mem_store *store)
{
    er_tree_init(&store->workers, by_name);
}

static void worker_free(struct mem_worker *worker)
{
    free(worker->name);
    er_mem_slice_free(&worker->info);
    free(worker);
}

static void worker_drop(struct mem_store *store, struct mem_worker *worker)
{
    er_tree_remove(&store->workers, &worker->by_name);
    worker_free(worker);
}

void er_mem_workers_free(struct mem_store *store)
{
    while (store->workers.root)
        worker_drop(store, worker_of(store->workers.root));
}

static bool is_forgotten(const struct mem_worker *worker, int64_t now_ms)
{
    return now_ms - worker->until_ms >= DEAD_KEPT_MS;
}

static void forget(struct mem_call *call)
{
    struct er_node *node = er_tree_first(&call->store->workers);

    while (node) {
        struct mem_worker *worker = worker_of(node);
        node = er_tree_next(node);
        if (is_forgotten(worker, call->now_ms))
            worker_drop(call->store, worker);
    }
}

static struct mem_worker *worker_find(const struct mem_call *call, const char *name)
{
    struct er_node *node = er_tree_find(&call->store->workers, name, name_key);

    return node ? worker_of(node) : NULL;
}

/* ------------------------------------------------------------------ beat */

static struct mem_worker *worker_make(struct mem_call *call, const char *name)
{
    struct mem_worker *worker = worker_find(call, name);
    struct errand_event event;

    if (worker)
        return worker;
    if (!(worker = calloc(1, sizeof *worker)) || !(worker->name = er_mem_dup(name))) {
        free(worker);
        return NULL;
    }
    worker->since_ms = call->now_ms;
    er_tree_insert(&call->store->workers, &worker->by_name);
    event = er_told_worker(name, false);
    er_mem_tell(call, &event);
    return worker;
}

static int beat(struct mem_call *call, const struct errand_beat_params *p,
                struct errand_beat_result *ret)
{
    enum errand_command *commands =
        errand_arena_alloc(call->arena, COMMANDS_MAX * sizeof *commands);
    struct mem_worker *worker;
    struct errand_slice info;

    if (!commands || er_mem_slice_dup(p->info, &info) < 0)
        return -1;
    if (!(worker = worker_make(call, p->worker))) {
        er_mem_slice_free(&info);
        return -1;
    }
    er_mem_slice_free(&worker->info);
    worker->info = info;
    worker->seen_ms = call->now_ms;
    worker->until_ms = call->now_ms + p->ttl_ms;
    memcpy(commands, worker->commands, worker->commands_n * sizeof *commands);
    ret->commands = commands;
    ret->commands_n = worker->commands_n;
    worker->commands_n = 0;
    return 0;
}

static void bye(struct mem_call *call, const char *name)
{
    struct mem_worker *worker = worker_find(call, name);
    struct errand_event event = er_told_worker(name, true);

    if (!worker)
        return;
    worker_drop(call->store, worker);
    er_mem_tell(call, &event);
}

int er_mem_op_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                   struct errand_arena *arena, struct errand_beat_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "beat", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    forget(&call);
    if (p->bye)
        bye(&call, p->worker);
    else if (beat(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    ret->control = call.store->control;
    ret->identity = call.store->identity;
    return er_mem_end(&call, "beat", rc, err);
}

/* ------------------------------------------------------------------ list */

static size_t running_n(const struct mem_call *call, const char *name)
{
    size_t n = 0;

    for (struct er_node *x = er_tree_first(&call->store->leases); x;
         x = er_tree_next(x)) {
        const struct mem_lease *lease = ER_OWNER(x, struct mem_lease, by_token);
        n += strcmp(lease->worker, name) == 0 ? lease->jobs.n : 0;
    }
    return n;
}

static int workers(struct mem_call *call, struct errand_workers_result *ret)
{
    size_t n = call->store->workers.n;

    if (!(ret->workers = errand_arena_alloc(call->arena, n * sizeof *ret->workers)))
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->workers); x;
         x = er_tree_next(x)) {
        const struct mem_worker *worker = worker_of(x);
        struct errand_worker_info *row = &ret->workers[ret->workers_n];
        if (is_forgotten(worker, call->now_ms))
            continue;
        ret->workers_n++;
        row->since_ms = worker->since_ms;
        row->seen_ms = worker->seen_ms;
        row->until_ms = worker->until_ms;
        row->is_alive = worker->until_ms > call->now_ms;
        row->running_n = running_n(call, worker->name);
        if (!(row->worker = er_mem_out(call, worker->name)) ||
            er_mem_slice_out(call, worker->info, &row->info) < 0)
            return -1;
    }
    return 0;
}

int er_mem_op_workers(struct errand_conn *conn, int64_t now_ms,
                      struct errand_arena *arena, struct errand_workers_result *ret,
                      struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "workers", now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (workers(&call, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "workers", rc, err);
}

/* ------------------------------------------------------------------ command */

/* A worker that does not fetch its commands gets the last ones. */
static void tell(struct mem_worker *worker, enum errand_command command)
{
    if (worker->commands_n == COMMANDS_MAX) {
        memmove(worker->commands, worker->commands + 1,
                (COMMANDS_MAX - 1) * sizeof *worker->commands);
        worker->commands_n--;
    }
    worker->commands[worker->commands_n++] = command;
}

int er_mem_op_command(struct errand_conn *conn, const char *name,
                      enum errand_command command, int64_t now_ms, size_t *ret_n,
                      struct errand_error *err)
{
    struct mem_call call;
    size_t n = 0;
    int rc = er_mem_begin(&call, conn, "command", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    for (struct er_node *x = er_tree_first(&call.store->workers); x;
         x = er_tree_next(x)) {
        struct mem_worker *worker = worker_of(x);
        if (worker->until_ms <= call.now_ms || (name && strcmp(worker->name, name) != 0))
            continue;
        tell(worker, command);
        n++;
    }
    if (n) {
        call.store->control++;
        call.wakes |= ERRAND_WAIT_CONTROL;
    }
    *ret_n = n;
    return er_mem_end(&call, "command", rc, err);
}
