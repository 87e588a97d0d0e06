/* bag.c: memory that lives as long as one call. */
#include <stdlib.h>

#include "addon.h"

enum { BLOCK = 4000, ALIGN = 16 };

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(ALIGN) char bytes[];
};

struct en_bag {
    struct block *first;
};

struct en_bag *en_bag_new(void)
{
    return calloc(1, sizeof(struct en_bag));
}

void *en_bag_alloc(struct en_bag *bag, size_t size)
{
    struct block *b = bag->first;
    void *at;

    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!b || b->size - b->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;

        if (!(b = calloc(1, sizeof *b + room)))
            return NULL;
        b->size = room;
        b->next = bag->first;
        bag->first = b;
    }
    at = b->bytes + b->used;
    b->used += size;
    return at;
}

void en_bag_free(struct en_bag *bag)
{
    while (bag && bag->first) {
        struct block *next = bag->first->next;

        free(bag->first);
        bag->first = next;
    }
    free(bag);
}
