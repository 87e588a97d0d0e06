/* flow_graph.c: any graph of jobs, by the names of its nodes.
 *
 * Names become ids (FLOW/NODE), so the store, its messages and whoever looks at a job
 * speak of nodes as their author does. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "client/group.h"
#include "core/name.h"

struct graph {
    const struct errand_flow_node *nodes;
    size_t n, edges_n;
    size_t *by_name; /* indexes, by name */
    /* waits for a failure, or for one that does: such a node never runs when all goes
     * well, so it is not counted */
    bool *is_uncounted;
};

/* ------------------------------------------------------------------ names */

static int compare(const void *a, const void *b, void *nodes_)
{
    const struct errand_flow_node *nodes = nodes_;

    return strcmp(nodes[*(const size_t *)a].name, nodes[*(const size_t *)b].name);
}

static size_t find(const struct graph *g, const char *name)
{
    size_t low = 0, high = g->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = strcmp(g->nodes[g->by_name[middle]].name, name);
        if (c == 0)
            return g->by_name[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* What stands between id and name in an id, and between id and callback, is no letter of
 * a node's name: no two jobs of any flow get one id. */
static int name_check(const struct errand_flow_node *node, size_t i,
                      struct errand_error *err)
{
    int rc;

    if (!node->name || !node->name[0])
        return errand_error_set(err, ERRAND_EINVAL, "node %zu has no name", i + 1);
    if ((rc = er_name_check("node name", node->name, err)) < 0)
        return rc;
    if (strpbrk(node->name, "/:"))
        return errand_error_set(err, ERRAND_EINVAL,
                                "node name '%s' has a / or : in it; ids are made with "
                                "those",
                                node->name);
    return 0;
}

static int names_sort(struct graph *g, struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < g->n; i++) {
        if ((rc = name_check(&g->nodes[i], i, err)) < 0)
            return rc;
        g->by_name[i] = i;
    }
    qsort_r(g->by_name, g->n, sizeof *g->by_name, compare, (void *)g->nodes);
    for (size_t i = 1; i < g->n; i++)
        if (compare(&g->by_name[i - 1], &g->by_name[i], (void *)g->nodes) == 0)
            return errand_error_set(err, ERRAND_EINVAL, "two nodes are called '%s'",
                                    g->nodes[g->by_name[i]].name);
    return 0;
}

static int unknown(const struct graph *g, const struct errand_flow_node *node,
                   const char *name, struct errand_error *err)
{
    const char *near = NULL;
    size_t least = er_word_reach(name) + 1;

    for (size_t i = 0; i < g->n; i++) {
        size_t distance = er_word_distance(name, g->nodes[i].name);
        if (distance < least) {
            least = distance;
            near = g->nodes[i].name;
        }
    }
    return errand_error_set(
        err, ERRAND_EINVAL,
        "node '%s' waits for '%s', which is no node of this flow%s%s%s", node->name, name,
        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ------------------------------------------------------------------ edges */

static const char *const *list_of(const struct errand_flow_node *node,
                                  enum errand_edge_on on)
{
    switch (on) {
    case ERRAND_ON_SUCCESS:
        return node->after;
    case ERRAND_ON_FAILURE:
        return node->after_failure;
    case ERRAND_ON_END:
        return node->after_end;
    }
    return NULL;
}

static size_t edges_count(const struct graph *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        for (int on = ERRAND_ON_SUCCESS; on <= ERRAND_ON_END; on++) {
            const char *const *list = list_of(&g->nodes[i], (enum errand_edge_on)on);
            while (list && *list++)
                n++;
        }
    return n;
}

static int edges_add(struct er_group *group, const struct graph *g, size_t i,
                     struct errand_error *err)
{
    for (int on = ERRAND_ON_SUCCESS; on <= ERRAND_ON_END; on++) {
        const char *const *list = list_of(&g->nodes[i], (enum errand_edge_on)on);
        for (; list && *list; list++) {
            size_t parent = find(g, *list);
            if (parent == SIZE_MAX)
                return unknown(g, &g->nodes[i], *list, err);
            er_group_edge(group, i, parent, (enum errand_edge_on)on);
        }
    }
    return 0;
}

/* To and fro until nothing changes: nodes may stand in any order, and one that is not
 * counted makes at least one more. */
static void uncounted_mark(const struct er_group *group, struct graph *g)
{
    bool is_changed = true;

    while (is_changed) {
        is_changed = false;
        for (size_t i = 0; i < group->edges_n; i++) {
            const struct errand_edge *e = &group->edges[i];
            bool is_marked = e->on == ERRAND_ON_FAILURE ||
                             (e->on == ERRAND_ON_SUCCESS && g->is_uncounted[e->parent]);
            if (!is_marked || g->is_uncounted[e->child])
                continue;
            g->is_uncounted[e->child] = is_changed = true;
        }
    }
}

/* ------------------------------------------------------------------ the flow */

static int nodes_add(struct er_group *group, const struct graph *g,
                     struct errand_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < g->n; i++) {
        const struct errand_flow_node *node = &g->nodes[i];
        const struct errand_dispatch_item item = {.name =
                                                      node->job ? node->job : node->name,
                                                  .data = node->data,
                                                  .options = node->options};
        if (node->options && node->options->id.text[0])
            rc = errand_error_set(err, ERRAND_EINVAL,
                                  "it has an id of its own: the flow makes one");
        else if ((rc = er_group_name(group, '/', node->name, err)) == 0)
            rc = er_group_add(group, &item, !g->is_uncounted[i], err);
        if (rc < 0)
            er_error_wrap(err, rc, "node '%s'", node->name);
    }
    return rc;
}

static int graph_read(struct er_group *group, struct graph *g, struct errand_error *err)
{
    struct errand_arena *arena = group->e->call;
    int rc;

    g->by_name = errand_arena_alloc(arena, g->n * sizeof *g->by_name);
    g->is_uncounted = errand_arena_alloc(arena, g->n * sizeof *g->is_uncounted);
    if (!g->by_name || !g->is_uncounted)
        return er_error_nomem(err);
    if ((rc = names_sort(g, err)) < 0 ||
        (rc = er_group_room(group, g->n, edges_count(g), err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < g->n; i++)
        rc = edges_add(group, g, i, err);
    if (rc == 0)
        uncounted_mark(group, g);
    return rc;
}

int errand_flow(errand *e, const struct errand_flow_node *nodes, size_t n,
                const struct errand_batch_options *options, struct errand_id *ret_id,
                struct errand_error *err)
{
    struct graph graph = {.nodes = nodes, .n = n};
    struct er_group group;
    int rc;

    if (n == 0)
        return errand_error_set(err, ERRAND_EINVAL, "a flow without nodes");
    if (options && options->allow_failures)
        return errand_error_set(err, ERRAND_EINVAL,
                                "allow_failures: a flow follows its edges; let what is "
                                "to run all the same wait with after_end");
    if ((rc = er_group_begin(&group, e, "flow", options, err)) < 0 ||
        (rc = graph_read(&group, &graph, err)) < 0)
        return rc;
    group.batch.allow_failures = true;
    if ((rc = nodes_add(&group, &graph, err)) < 0)
        return rc;
    return er_group_push(&group, ret_id, err);
}
