/* definitions.c: what the owners of jobs say about them. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

struct mem_definition {
    struct er_node by_key;
    struct errand_definition d; /* strings owned */
};

static struct mem_definition *definition_of(const struct er_node *node)
{
    return ER_OWNER((struct er_node *)node, struct mem_definition, by_key);
}

static int by_key(const struct er_node *a, const struct er_node *b)
{
    return strcmp(definition_of(a)->d.key, definition_of(b)->d.key);
}

static int text_key(const void *key, const struct er_node *node)
{
    return strcmp(key, definition_of(node)->d.key);
}

void er_mem_definitions_init(struct mem_store *store)
{
    er_tree_init(&store->definitions, by_key);
}

static void definition_free(struct mem_definition *definition)
{
    if (!definition)
        return;
    free((char *)definition->d.name);
    free((char *)definition->d.key);
    er_mem_slice_free(&definition->d.spec);
    free(definition);
}

static void definition_drop(struct mem_store *store, struct mem_definition *definition)
{
    er_tree_remove(&store->definitions, &definition->by_key);
    definition_free(definition);
}

void er_mem_definitions_free(struct mem_store *store)
{
    while (store->definitions.root)
        definition_drop(store, definition_of(store->definitions.root));
}

static struct mem_definition *definition_new(const struct errand_definition *from,
                                             int64_t now_ms)
{
    struct mem_definition *made = calloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->d.updated_ms = now_ms;
    made->d.name = er_mem_dup(from->name);
    made->d.key = er_mem_dup(from->key);
    if (made->d.name && made->d.key && er_mem_slice_dup(from->spec, &made->d.spec) == 0)
        return made;
    definition_free(made);
    return NULL;
}

static void insert(struct mem_store *store, struct mem_definition *made)
{
    struct er_node *old = er_tree_find(&store->definitions, made->d.key, text_key);

    if (old)
        definition_drop(store, definition_of(old));
    er_tree_insert(&store->definitions, &made->by_key);
}

static int define(struct mem_call *call, const struct errand_definition *from, size_t n)
{
    struct mem_definition **made = calloc(n ? n : 1, sizeof *made);
    int rc = made ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (!(made[i] = definition_new(&from[i], call->now_ms)))
            rc = -1;
    for (size_t i = 0; made && i < n; i++) {
        if (rc == 0)
            insert(call->store, made[i]);
        else
            definition_free(made[i]);
    }
    free(made);
    return rc;
}

int er_mem_op_define(struct errand_conn *conn,
                     const struct errand_definition *definitions, size_t n,
                     int64_t now_ms, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "define", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (define(&call, definitions, n) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "define", rc, err);
}

static int definition_out(struct mem_call *call, const struct mem_definition *from,
                          struct errand_definition *ret)
{
    *ret = from->d;
    if (!(ret->name = er_mem_out(call, from->d.name)) ||
        !(ret->key = er_mem_out(call, from->d.key)))
        return -1;
    return er_mem_slice_out(call, from->d.spec, &ret->spec);
}

static int definitions_out(struct mem_call *call, const char *key,
                           struct errand_definitions_result *ret)
{
    size_t n = call->store->definitions.n;

    ret->definitions = errand_arena_alloc(call->arena, n * sizeof *ret->definitions);
    if (!ret->definitions)
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->definitions); x;
         x = er_tree_next(x)) {
        const struct mem_definition *d = definition_of(x);
        if ((!key || strcmp(d->d.key, key) == 0) &&
            definition_out(call, d, &ret->definitions[ret->definitions_n++]) < 0)
            return -1;
    }
    return 0;
}

int er_mem_op_definitions(struct errand_conn *conn, const char *key,
                          struct errand_arena *arena,
                          struct errand_definitions_result *ret, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "definitions", 0, arena, err);

    if (rc < 0)
        return rc;
    if (definitions_out(&call, key, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "definitions", rc, err);
}
