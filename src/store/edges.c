/* edges.c: whether the edges of one push can ever be satisfied.
 *
 * A job that waits for itself, by however many others, would wait for ever. Jobs that
 * were there before never wait for new ones, so the edges of one push are all there is to
 * look at; a batch counts as one more node that waits for its members. */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const size_t NONE = SIZE_MAX;

/* Node i < jobs_n is a job of the push; behind them come the batches that edges name. */
struct graph {
    const struct errand_push_params *p;
    const struct errand_id **batches;
    size_t batches_n;
    size_t *by_id; /* indexes of jobs with an id of their own, by id */
    size_t by_id_n;
    size_t *heads, *next, *to; /* adjacency: node -> what it waits for */
    size_t links_n;
    size_t *path; /* the walk: nodes on the way down */
    size_t path_n;
    unsigned char *colours; /* 0 new, 1 on the path, 2 done */
    size_t *cursors;
};

static int compare_ids(const void *a, const void *b, void *jobs_)
{
    const struct errand_push_job *jobs = jobs_;

    return strcmp(jobs[*(const size_t *)a].id.text, jobs[*(const size_t *)b].id.text);
}

static size_t job_of_id(const struct graph *g, const struct errand_id *id)
{
    size_t low = 0, high = g->by_id_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = strcmp(g->p->jobs[g->by_id[middle]].id.text, id->text);
        if (c == 0)
            return g->by_id[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NONE;
}

static size_t batch_of_id(const struct graph *g, const struct errand_id *id)
{
    for (size_t i = 0; i < g->batches_n; i++)
        if (strcmp(g->batches[i]->text, id->text) == 0)
            return g->p->jobs_n + i;
    return NONE;
}

static void link_add(struct graph *g, size_t from, size_t to)
{
    g->to[g->links_n] = to;
    g->next[g->links_n] = g->heads[from];
    g->heads[from] = g->links_n++;
}

static size_t parent_node(const struct graph *g, const struct errand_edge *e)
{
    if (e->parent_is_batch)
        return batch_of_id(g, &e->parent_id);
    return e->parent_id.text[0] ? job_of_id(g, &e->parent_id) : e->parent;
}

static int graph_alloc(struct graph *g)
{
    size_t jobs_n = g->p->jobs_n, edges_n = g->p->edges_n, nodes_max = jobs_n + edges_n;

    g->batches = calloc(edges_n, sizeof *g->batches);
    g->by_id = calloc(jobs_n, sizeof *g->by_id);
    g->heads = malloc(nodes_max * sizeof *g->heads);
    g->next = calloc(edges_n + jobs_n, sizeof *g->next);
    g->to = calloc(edges_n + jobs_n, sizeof *g->to);
    g->path = calloc(nodes_max, sizeof *g->path);
    g->colours = calloc(nodes_max, 1);
    g->cursors = calloc(nodes_max, sizeof *g->cursors);
    if (!g->batches || !g->by_id || !g->heads || !g->next || !g->to || !g->path ||
        !g->colours || !g->cursors)
        return -1;
    for (size_t i = 0; i < nodes_max; i++)
        g->heads[i] = NONE;
    return 0;
}

static void graph_done(struct graph *g)
{
    free(g->batches);
    free(g->by_id);
    free(g->heads);
    free(g->next);
    free(g->to);
    free(g->path);
    free(g->colours);
    free(g->cursors);
}

static void graph_build(struct graph *g)
{
    const struct errand_push_params *p = g->p;

    for (size_t i = 0; i < p->jobs_n; i++)
        if (p->jobs[i].id.text[0])
            g->by_id[g->by_id_n++] = i;
    qsort_r(g->by_id, g->by_id_n, sizeof *g->by_id, compare_ids, (void *)p->jobs);
    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *e = &p->edges[i];
        if (e->parent_is_batch && batch_of_id(g, &e->parent_id) == NONE)
            g->batches[g->batches_n++] = &e->parent_id;
    }
    for (size_t i = 0; i < p->edges_n; i++) {
        size_t parent = parent_node(g, &p->edges[i]);
        if (parent != NONE)
            link_add(g, p->edges[i].child, parent);
    }
    for (size_t i = 0; g->batches_n && i < p->jobs_n; i++) {
        size_t batch =
            p->jobs[i].batch.text[0] ? batch_of_id(g, &p->jobs[i].batch) : NONE;
        if (batch != NONE)
            link_add(g, batch, i);
    }
}

/* Walks down from `start` without recursion: a chain may have a million links. Answers a
 * node that waits for itself, with the way round in path, or NONE. */
static size_t walk(struct graph *g, size_t start)
{
    g->path_n = 0;
    g->path[g->path_n++] = start;
    g->colours[start] = 1;
    g->cursors[start] = g->heads[start];
    while (g->path_n) {
        size_t node = g->path[g->path_n - 1], link = g->cursors[node], to;
        if (link == NONE) {
            g->colours[node] = 2;
            g->path_n--;
            continue;
        }
        g->cursors[node] = g->next[link];
        to = g->to[link];
        if (g->colours[to] == 1)
            return to;
        if (g->colours[to] == 2)
            continue;
        g->colours[to] = 1;
        g->cursors[to] = g->heads[to];
        g->path[g->path_n++] = to;
    }
    return NONE;
}

static void node_write(const struct graph *g, size_t node, char *buf, size_t size,
                       size_t *used)
{
    const struct errand_push_params *p = g->p;
    int n;

    if (*used >= size)
        return;
    if (node >= p->jobs_n)
        n = snprintf(buf + *used, size - *used, "batch %s",
                     g->batches[node - p->jobs_n]->text);
    else
        n = snprintf(buf + *used, size - *used, "job %zu ('%s'%s%s)", node + 1,
                     p->jobs[node].name, p->jobs[node].id.text[0] ? ", " : "",
                     p->jobs[node].id.text);
    *used += n > 0 ? (size_t)n : 0;
}

/* "job 1 ('a') waits for job 2 ('b', own-id) waits for job 1 ('a')" */
static int cycle_error(const struct graph *g, size_t node, struct errand_error *err)
{
    char text[512];
    size_t used = 0, first = 0;
    static const char waits[] = " waits for ";

    while (g->path[first] != node)
        first++;
    for (size_t i = first; i < g->path_n; i++) {
        node_write(g, g->path[i], text, sizeof text, &used);
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", waits);
    }
    node_write(g, node, text, sizeof text, &used);
    return errand_error_set(err, ERRAND_EINVAL, "jobs that wait for each other: %s%s",
                            text, used >= sizeof text ? "…" : "");
}

static int check_ends(const struct errand_push_params *p, struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < p->edges_n; i++) {
        const struct errand_edge *e = &p->edges[i];
        bool by_index = !e->parent_id.text[0];
        if (e->child >= p->jobs_n || (by_index && e->parent >= p->jobs_n))
            return errand_error_set(
                err, ERRAND_EINVAL, "edge %zu names job %zu of a push of %zu", i + 1,
                (e->child >= p->jobs_n ? e->child : e->parent) + 1, p->jobs_n);
        if (by_index && e->parent_is_batch)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "edge %zu waits for a batch without an id", i + 1);
        if (!by_index && (rc = er_check_id("parent id", &e->parent_id, err)) < 0)
            return rc;
        if ((unsigned)e->on > ERRAND_ON_END)
            return errand_error_set(err, ERRAND_EINVAL, "edge %zu waits for what? (%d)",
                                    i + 1, (int)e->on);
    }
    return 0;
}

int er_check_edges(const struct errand_push_params *p, struct errand_error *err)
{
    struct graph g = {.p = p};
    int rc;

    if ((rc = check_ends(p, err)) < 0)
        return rc;
    if (graph_alloc(&g) < 0) {
        rc = er_error_nomem(err);
        goto out;
    }
    graph_build(&g);
    for (size_t i = 0; i < p->jobs_n; i++) {
        size_t node = g.colours[i] == 0 ? walk(&g, i) : NONE;
        if (node != NONE) {
            rc = cycle_error(&g, node, err);
            break;
        }
    }
out:
    graph_done(&g);
    return rc;
}
