/* memory.c: opening and closing, the frame of every call, and the table of operations.
 *
 * This driver says what a store means: where another differs from it, one of
 * the two is wrong. It favours reading over speed, and nothing in it survives the
 * process. "memory:" is private to its connection; "memory:NAME" is one store for all
 * connections of the process that name it, gone with the last. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/name.h"
#include "store/drivers.h"

/* The stores of this process that have a name. */
static pthread_mutex_t named_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mem_store *named;

/* ------------------------------------------------------------------ strings */

char *er_mem_dup(const char *text)
{
    return strdup(text);
}

int er_mem_slice_dup(struct errand_slice from, struct errand_slice *ret)
{
    char *copy = malloc(from.len + 1);

    if (!copy)
        return -1;
    if (from.len)
        memcpy(copy, from.ptr, from.len);
    copy[from.len] = '\0';
    *ret = (struct errand_slice){copy, from.len};
    return 0;
}

void er_mem_slice_free(struct errand_slice *slice)
{
    free((char *)slice->ptr);
    *slice = (struct errand_slice){0};
}

int er_mem_slice_compare(struct errand_slice a, struct errand_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

const char *er_mem_out(struct mem_call *call, const char *text)
{
    return errand_arena_copy(call->arena, text, strlen(text));
}

int er_mem_slice_out(struct mem_call *call, struct errand_slice from,
                     struct errand_slice *ret)
{
    const char *copy = errand_arena_copy(call->arena, from.ptr, from.len);

    if (!copy)
        return -1;
    *ret = (struct errand_slice){copy, from.len};
    return 0;
}

/* ------------------------------------------------------------------ the store */

static struct mem_store *store_new(void)
{
    struct mem_store *store = calloc(1, sizeof *store);

    if (!store)
        return NULL;
    pthread_mutex_init(&store->lock, NULL);
    store->lease_offset_ms = er_clock_wall_ms(NULL) - er_clock_boot_ms(NULL);
    store->identity = (int64_t)(er_backoff_seed() >> 1 | 1);
    store->last_token = er_clock_wall_us();
    er_mem_jobs_init(store);
    er_mem_queues_init(store);
    er_mem_claims_init(store);
    er_mem_batches_init(store);
    er_mem_limits_init(store);
    er_mem_locks_init(store);
    er_mem_schedules_init(store);
    er_mem_workers_init(store);
    er_mem_definitions_init(store);
    er_mem_stats_init(store);
    return store;
}

static void jobs_free(struct mem_store *store)
{
    struct mem_call call = {.store = store};
    struct er_node *node;

    while ((node = er_tree_first(&store->jobs_by_seq)))
        er_mem_job_drop(&call, ER_OWNER(node, struct mem_job, by_seq), true);
    while ((node = er_tree_first(&store->claims))) {
        er_tree_remove(&store->claims, node);
        er_mem_claim_free(ER_OWNER(node, struct mem_claim, by_key));
    }
    while ((node = er_tree_first(&store->batches_by_seq)))
        er_mem_batch_drop(store, ER_OWNER(node, struct mem_batch, by_seq));
    while ((node = er_tree_first(&store->queues))) {
        er_tree_remove(&store->queues, node);
        er_mem_queue_free(ER_OWNER(node, struct mem_queue, by_name));
    }
}

static void store_free(struct mem_store *store)
{
    if (!store)
        return;
    jobs_free(store);
    er_mem_limits_free(store);
    er_mem_locks_free(store);
    er_mem_schedules_free(store);
    er_mem_workers_free(store);
    er_mem_definitions_free(store);
    er_mem_events_free(store);
    er_mem_stats_free(store);
    pthread_mutex_destroy(&store->lock);
    free(store->name);
    free(store);
}

/* ------------------------------------------------------------------ open, close */

static struct mem_store *named_find(const char *name)
{
    struct mem_store *store = named;

    while (store && strcmp(store->name, name) != 0)
        store = store->next;
    return store;
}

static int named_make(const char *name, struct mem_store **ret, struct errand_error *err)
{
    struct mem_store *store = store_new();

    if (!store || !(store->name = er_mem_dup(name))) {
        store_free(store);
        return er_error_nomem(err);
    }
    store->next = named;
    named = store;
    *ret = store;
    return 0;
}

static int named_join(const struct errand_open_params *p, const char *name,
                      struct mem_store **ret, struct errand_error *err)
{
    int rc = 0;

    pthread_mutex_lock(&named_lock);
    *ret = named_find(name);
    if (!*ret && !p->create)
        rc = errand_error_set(err, ERRAND_ENOTFOUND, "no such store in this process");
    else if (!*ret)
        rc = named_make(name, ret, err);
    if (rc == 0)
        (*ret)->refs++;
    pthread_mutex_unlock(&named_lock);
    return rc;
}

static int private_make(const struct errand_open_params *p, struct mem_store **ret,
                        struct errand_error *err)
{
    if (!p->create)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "a private store in memory does not exist before it is "
                                "made");
    if (!(*ret = store_new()))
        return er_error_nomem(err);
    (*ret)->refs = 1;
    return 0;
}

static void store_leave(struct mem_store *store)
{
    struct mem_store **place = &named;
    bool is_last;

    pthread_mutex_lock(&named_lock);
    is_last = --store->refs == 0;
    while (is_last && store->name && *place != store)
        place = &(*place)->next;
    if (is_last && store->name)
        *place = store->next;
    pthread_mutex_unlock(&named_lock);
    if (is_last)
        store_free(store);
}

static struct errand_conn *conn_enter(struct mem_conn *conn,
                                      const struct errand_open_params *p)
{
    conn->base.driver = &er_memory_driver;
    conn->fd = -1;
    conn->keep_ms = p->keep_completed_ms;
    conn->keep_n = p->keep_completed_n;
    pthread_mutex_lock(&conn->store->lock);
    er_list_append(&conn->store->conns, &conn->in_store);
    pthread_mutex_unlock(&conn->store->lock);
    return &conn->base;
}

static int mem_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                    struct errand_error *err)
{
    const char *name = p->url + strlen("memory:");
    struct mem_conn *conn;
    int rc = 0;

    if (*name && (rc = er_name_check("store name", name, err)) < 0)
        return rc;
    if (!(conn = calloc(1, sizeof *conn)))
        return er_error_nomem(err);
    rc = *name ? named_join(p, name, &conn->store, err)
               : private_make(p, &conn->store, err);
    if (rc < 0) {
        free(conn);
        return rc;
    }
    *ret_conn = conn_enter(conn, p);
    return 0;
}

static int mem_again(struct errand_conn *base, const struct errand_open_params *p,
                     struct errand_conn **ret_conn, struct errand_error *err)
{
    struct mem_conn *conn = calloc(1, sizeof *conn);

    if (!conn)
        return er_error_nomem(err);
    conn->store = ((struct mem_conn *)base)->store;
    pthread_mutex_lock(&named_lock);
    conn->store->refs++;
    pthread_mutex_unlock(&named_lock);
    *ret_conn = conn_enter(conn, p);
    return 0;
}

static void mem_close(struct errand_conn *base)
{
    struct mem_conn *conn = (struct mem_conn *)base;

    if (!conn)
        return;
    pthread_mutex_lock(&conn->store->lock);
    er_list_remove(&conn->store->conns, &conn->in_store);
    pthread_mutex_unlock(&conn->store->lock);
    store_leave(conn->store);
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn);
}

/* The child's copy of the store may be locked for ever by a thread that is not there: it
 * is left alone. */
static void mem_abandon(struct errand_conn *base)
{
    struct mem_conn *conn = (struct mem_conn *)base;

    if (conn->fd >= 0)
        close(conn->fd);
    free(conn);
}

static int mem_migrate(const struct errand_open_params *p, bool apply,
                       struct errand_migrate_result *ret, struct errand_error *err)
{
    (void)p, (void)apply, (void)err;
    *ret = (struct errand_migrate_result){.schema_found = 1, .schema_wanted = 1};
    return 0;
}

/* ------------------------------------------------------------------ a call */

int er_mem_begin(struct mem_call *call, struct errand_conn *conn, const char *name,
                 int64_t now_ms, struct errand_arena *arena, struct errand_error *err)
{
    struct mem_conn *c = (struct mem_conn *)conn;
    int rc = er_failpoint_commit(name, "before", err);

    if (rc < 0)
        return rc;
    *call = (struct mem_call){.conn = c, .store = c->store, .arena = arena};
    pthread_mutex_lock(&c->store->lock);
    call->now_ms = now_ms ? now_ms : er_clock_wall_ms(NULL);
    call->lease_now_ms =
        now_ms ? now_ms : er_clock_boot_ms(NULL) + c->store->lease_offset_ms;
    return 0;
}

static void wake(struct mem_store *store, uint32_t wakes)
{
    const uint64_t one = 1;

    for (struct er_link *l = store->conns.first; l; l = l->next) {
        struct mem_conn *conn = ER_OWNER(l, struct mem_conn, in_store);
        /* A full counter is readable as well: the result does not matter. */
        if ((conn->armed & wakes) && write(conn->fd, &one, sizeof one) < 0)
            continue;
    }
}

int er_mem_end(struct mem_call *call, const char *name, int rc, struct errand_error *err)
{
    if (rc >= 0 && call->wakes)
        wake(call->store, call->wakes);
    pthread_mutex_unlock(&call->store->lock);
    return rc < 0 ? rc : er_failpoint_commit(name, "after", err);
}

/* ------------------------------------------------------------------ the table */

const struct errand_driver er_memory_driver = {
    .version = ERRAND_DRIVER_VERSION,
    .size = sizeof(struct errand_driver),
    .name = "memory",
    .schemes = (const char *const[]){"memory", NULL},
    .capabilities = 0,
    .open = mem_open,
    .close = mem_close,
    .abandon = mem_abandon,
    .migrate = mem_migrate,
    ER_STORE_OPS_TABLE(er_mem_op_),
    .again = mem_again,
};
