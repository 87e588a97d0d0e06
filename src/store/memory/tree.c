/* tree.c: a binary search tree that is a heap by random weights, and so balanced whatever
 * the order of insertion. The random numbers are the tree's own: two runs of one test
 * build the same tree. */
#include "store/memory/tree.h"

void er_tree_init(struct er_tree *tree, er_node_compare *compare)
{
    *tree = (struct er_tree){.compare = compare, .seed = 2463534242u};
}

/* Marsaglia's xorshift; never 0. */
static uint32_t weight_next(struct er_tree *tree)
{
    uint32_t x = tree->seed;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return tree->seed = x;
}

/* Puts `with` (or nothing) where `node` hangs. */
static void replace(struct er_tree *tree, struct er_node *node, struct er_node *with)
{
    struct er_node *parent = node->parent;

    if (!parent)
        tree->root = with;
    else if (parent->left == node)
        parent->left = with;
    else
        parent->right = with;
    if (with)
        with->parent = parent;
}

/* Lifts a node over its parent, which becomes its child. */
static void lift(struct er_tree *tree, struct er_node *node)
{
    struct er_node *parent = node->parent;

    replace(tree, parent, node);
    if (parent->left == node) {
        parent->left = node->right;
        if (node->right)
            node->right->parent = parent;
        node->right = parent;
    } else {
        parent->right = node->left;
        if (node->left)
            node->left->parent = parent;
        node->left = parent;
    }
    parent->parent = node;
}

void er_tree_insert(struct er_tree *tree, struct er_node *node)
{
    struct er_node **place = &tree->root, *parent = NULL;

    while (*place) {
        parent = *place;
        place = tree->compare(node, parent) < 0 ? &parent->left : &parent->right;
    }
    *node = (struct er_node){.parent = parent, .weight = weight_next(tree)};
    *place = node;
    while (node->parent && node->weight < node->parent->weight)
        lift(tree, node);
    tree->n++;
}

void er_tree_remove(struct er_tree *tree, struct er_node *node)
{
    while (node->left && node->right)
        lift(tree, node->left->weight < node->right->weight ? node->left : node->right);
    replace(tree, node, node->left ? node->left : node->right);
    *node = (struct er_node){0};
    tree->n--;
}

struct er_node *er_tree_find(const struct er_tree *tree, const void *key,
                             er_key_compare *compare)
{
    struct er_node *node = er_tree_from(tree, key, compare);

    return node && compare(key, node) == 0 ? node : NULL;
}

struct er_node *er_tree_from(const struct er_tree *tree, const void *key,
                             er_key_compare *compare)
{
    struct er_node *node = tree->root, *found = NULL;

    while (node) {
        if (compare(key, node) <= 0) {
            found = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return found;
}

static struct er_node *leftmost(struct er_node *node)
{
    while (node && node->left)
        node = node->left;
    return node;
}

static struct er_node *rightmost(struct er_node *node)
{
    while (node && node->right)
        node = node->right;
    return node;
}

struct er_node *er_tree_first(const struct er_tree *tree)
{
    return leftmost(tree->root);
}

struct er_node *er_tree_last(const struct er_tree *tree)
{
    return rightmost(tree->root);
}

struct er_node *er_tree_next(const struct er_node *node)
{
    if (node->right)
        return leftmost(node->right);
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

struct er_node *er_tree_prev(const struct er_node *node)
{
    if (node->left)
        return rightmost(node->left);
    while (node->parent && node->parent->left == node)
        node = node->parent;
    return node->parent;
}
