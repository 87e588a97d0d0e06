/* stats.c: how many attempts ended how and how long they took, per minute, queue and job
 * name. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/stat.h"
#include "store/memory/memory.h"

enum { MINUTE_MS = 60000 };

struct mem_stat {
    struct er_node by_minute;
    bool is_used;         /* something was added: until then nobody sees it */
    struct errand_stat s; /* strings owned */
};

static struct mem_stat *stat_of(const struct er_node *node)
{
    return ER_OWNER((struct er_node *)node, struct mem_stat, by_minute);
}

static int compare(const struct errand_stat *a, const struct errand_stat *b)
{
    int c;

    if (a->minute_ms != b->minute_ms)
        return a->minute_ms < b->minute_ms ? -1 : 1;
    return (c = strcmp(a->queue, b->queue)) ? c : strcmp(a->name, b->name);
}

static int by_minute(const struct er_node *a, const struct er_node *b)
{
    return compare(&stat_of(a)->s, &stat_of(b)->s);
}

static int stat_key(const void *key, const struct er_node *node)
{
    return compare(key, &stat_of(node)->s);
}

void er_mem_stats_init(struct mem_store *store)
{
    er_tree_init(&store->stats, by_minute);
}

static void stat_free(struct mem_stat *stat)
{
    free((char *)stat->s.queue);
    free((char *)stat->s.name);
    free(stat);
}

static void stat_drop(struct mem_store *store, struct mem_stat *stat)
{
    er_tree_remove(&store->stats, &stat->by_minute);
    stat_free(stat);
}

void er_mem_stats_free(struct mem_store *store)
{
    while (store->stats.root)
        stat_drop(store, stat_of(store->stats.root));
}

void er_mem_stats_forget(struct mem_store *store, int64_t before_ms)
{
    struct er_node *node;

    while ((node = er_tree_first(&store->stats)) &&
           stat_of(node)->s.minute_ms < before_ms)
        stat_drop(store, stat_of(node));
}

/* ------------------------------------------------------------------ add */

static struct mem_stat *stat_make(struct mem_store *store, const struct errand_stat *from)
{
    struct errand_stat key = *from;
    struct er_node *node;
    struct mem_stat *stat;

    key.minute_ms -= key.minute_ms % MINUTE_MS;
    if ((node = er_tree_find(&store->stats, &key, stat_key)))
        return stat_of(node);
    if (!(stat = calloc(1, sizeof *stat)))
        return NULL;
    stat->s.minute_ms = key.minute_ms;
    stat->s.queue = er_mem_dup(from->queue);
    stat->s.name = er_mem_dup(from->name);
    if (!stat->s.queue || !stat->s.name) {
        stat_free(stat);
        return NULL;
    }
    er_tree_insert(&store->stats, &stat->by_minute);
    return stat;
}

/* The rows first: one that is left behind by a lack of memory is not seen. */
static int add(struct mem_call *call, const struct errand_stats_params *p)
{
    for (size_t i = 0; i < p->add_n; i++)
        if (!stat_make(call->store, &p->add[i]))
            return -1;
    for (size_t i = 0; i < p->add_n; i++) {
        struct mem_stat *stat = stat_make(call->store, &p->add[i]);
        stat->is_used = true;
        er_stat_add(&stat->s, &p->add[i]);
    }
    return 0;
}

int er_mem_op_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                        struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "stats_add", p->now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (add(&call, p) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "stats_add", rc, err);
}

/* ------------------------------------------------------------------ read */

static bool is_wanted(const struct errand_stat *s, const struct errand_stats_params *p)
{
    return (!p->since_ms || s->minute_ms >= p->since_ms) &&
           (!p->until_ms || s->minute_ms < p->until_ms) &&
           (!p->queue || strcmp(s->queue, p->queue) == 0) &&
           (!p->name || strcmp(s->name, p->name) == 0);
}

static int read_rows(struct mem_call *call, const struct errand_stats_params *p,
                     struct errand_stats_result *ret)
{
    size_t n = call->store->stats.n;

    if (!(ret->stats = errand_arena_alloc(call->arena, n * sizeof *ret->stats)))
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->stats); x; x = er_tree_next(x)) {
        const struct errand_stat *from = &stat_of(x)->s;
        struct errand_stat *row;
        if (!stat_of(x)->is_used || !is_wanted(from, p))
            continue;
        row = &ret->stats[ret->stats_n++];
        *row = *from;
        if (!(row->queue = er_mem_out(call, from->queue)) ||
            !(row->name = er_mem_out(call, from->name)))
            return -1;
    }
    return 0;
}

int er_mem_op_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                         struct errand_arena *arena, struct errand_stats_result *ret,
                         struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "stats_read", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (read_rows(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "stats_read", rc, err);
}
