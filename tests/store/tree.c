/* tree.c: the ordered set of the memory driver against a sorted array. */
#include "store/memory/tree.h"

#include "support/test.h"

struct item {
    struct er_node node;
    int key;
};

enum { ITEMS = 400, STEPS = 20000 };

static int by_key(const struct er_node *a, const struct er_node *b)
{
    return ER_OWNER(a, struct item, node)->key - ER_OWNER(b, struct item, node)->key;
}

static int int_key(const void *key, const struct er_node *node)
{
    return *(const int *)key - ER_OWNER(node, struct item, node)->key;
}

static int key_of(const struct er_node *node)
{
    return node ? ER_OWNER(node, struct item, node)->key : -1;
}

/* Both ways round, in order, and as many as it says. */
static void assert_is(const struct er_tree *tree, const struct item *items)
{
    const struct er_node *up = er_tree_first(tree), *down = er_tree_last(tree);
    size_t n = 0;

    for (int i = 0; i < ITEMS; i++) {
        if (!er_node_is_in(&items[i].node))
            continue;
        assert_ptr_equal(up, &items[i].node);
        up = er_tree_next(up);
        n++;
    }
    assert_null(up);
    assert_int_equal(tree->n, n);
    for (int i = ITEMS; i-- > 0;)
        if (er_node_is_in(&items[i].node)) {
            assert_ptr_equal(down, &items[i].node);
            down = er_tree_prev(down);
        }
    assert_null(down);
}

TEST(it_is_an_ordered_set_whatever_the_order_of_insertion)
{
    static struct item items[ITEMS];
    struct er_tree tree;
    unsigned random = 1;

    er_tree_init(&tree, by_key);
    for (int i = 0; i < ITEMS; i++)
        items[i].key = i;
    for (int step = 0; step < STEPS; step++) {
        struct item *item =
            &items[(random = random * 1103515245u + 12345u) / 65536 % ITEMS];
        if (er_node_is_in(&item->node))
            er_tree_remove(&tree, &item->node);
        else
            er_tree_insert(&tree, &item->node);
        if (step % 500 == 0)
            assert_is(&tree, items);
    }
    assert_is(&tree, items);
}

TEST(it_finds_a_key_or_the_next_one)
{
    static struct item items[ITEMS];
    struct er_tree tree;

    er_tree_init(&tree, by_key);
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = i * 2;
        er_tree_insert(&tree, &items[i].node);
    }
    for (int key = -1; key < ITEMS * 2; key++) {
        int next = key < 0 ? 0 : (key + 1) / 2 * 2;
        assert_int_equal(key_of(er_tree_find(&tree, &key, int_key)),
                         key >= 0 && key % 2 == 0 ? key : -1);
        assert_int_equal(key_of(er_tree_from(&tree, &key, int_key)),
                         next < ITEMS * 2 ? next : -1);
    }
}

TEST(it_stays_flat_when_filled_in_order)
{
    static struct item items[ITEMS];
    struct er_tree tree;
    int depth = 0;

    er_tree_init(&tree, by_key);
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = i;
        er_tree_insert(&tree, &items[i].node);
    }
    for (int i = 0; i < ITEMS; i++) {
        int d = 0;
        for (const struct er_node *n = &items[i].node; n; n = n->parent)
            d++;
        depth = d > depth ? d : depth;
    }
    assert_true(depth < 40);
}

TEST_MAIN()
