/* tree.h: an ordered set whose nodes live in what is ordered (a treap). Linking allocates
 * nothing, so that an operation can allocate all it needs, and only then change the
 * store. */
#ifndef ER_STORE_MEMORY_TREE_H
#define ER_STORE_MEMORY_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "store/memory/list.h"

struct er_node {
    struct er_node *parent, *left, *right;
    uint32_t weight; /* smaller than those of its children; 0: in no tree */
};

/* < 0, 0, > 0 as a comes before, is equal to, comes after b. */
typedef int er_node_compare(const struct er_node *a, const struct er_node *b);
/* The same for a key and a node. */
typedef int er_key_compare(const void *key, const struct er_node *node);

struct er_tree {
    struct er_node *root;
    er_node_compare *compare;
    uint32_t seed;
    size_t n;
};

void er_tree_init(struct er_tree *tree, er_node_compare *compare);
void er_tree_insert(struct er_tree *tree, struct er_node *node); /* equals nobody there */
void er_tree_remove(struct er_tree *tree, struct er_node *node);

struct er_node *er_tree_find(const struct er_tree *tree, const void *key,
                             er_key_compare *compare);
/* The first node that does not come before the key. */
struct er_node *er_tree_from(const struct er_tree *tree, const void *key,
                             er_key_compare *compare);
struct er_node *er_tree_first(const struct er_tree *tree);
struct er_node *er_tree_last(const struct er_tree *tree);
struct er_node *er_tree_next(const struct er_node *node);
struct er_node *er_tree_prev(const struct er_node *node);

static inline bool er_node_is_in(const struct er_node *node)
{
    return node->weight != 0;
}

#endif
