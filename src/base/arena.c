/* arena.c: a chain of blocks, each twice the last up to a limit. Nothing is freed alone.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct block {
    struct block *next; /* older */
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct errand_arena {
    struct block *top; /* the block in use; its `next` are full */
    size_t used;
};

struct errand_arena *er_arena_new(void)
{
    return calloc(1, sizeof(struct errand_arena));
}

static void blocks_free(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void er_arena_free(struct errand_arena *arena)
{
    if (!arena)
        return;
    blocks_free(arena->top);
    free(arena);
}

void er_arena_reset(struct errand_arena *arena)
{
    struct block *first = arena->top;

    arena->used = 0;
    if (!first)
        return;
    /* The newest block is the largest: keeping it makes the next round need no malloc. */
    blocks_free(first->next);
    first->next = NULL;
    first->used = 0;
}

size_t er_arena_used(const struct errand_arena *arena)
{
    return arena->used;
}

static struct block *block_add(struct errand_arena *arena, size_t need)
{
    size_t size = arena->top ? arena->top->size * 2 : FIRST_BLOCK;
    struct block *b;

    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < need)
        size = need;
    if (!(b = malloc(sizeof *b + size)))
        return NULL;
    *b = (struct block){.next = arena->top, .size = size};
    arena->top = b;
    return b;
}

void *errand_arena_alloc(struct errand_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct block *b = arena->top;
    size_t need;
    void *p;

    if (size > SIZE_MAX / 2)
        return NULL;
    need = (size + align - 1) & ~(align - 1);
    if ((!b || b->size - b->used < need) && !(b = block_add(arena, need)))
        return NULL;
    p = b->bytes + b->used;
    b->used += need;
    arena->used += need;
    return memset(p, 0, size);
}

char *errand_arena_copy(struct errand_arena *arena, const void *ptr, size_t len)
{
    char *p = len < SIZE_MAX ? errand_arena_alloc(arena, len + 1) : NULL;

    if (p && len)
        memcpy(p, ptr, len);
    return p;
}

struct errand_slice er_arena_slice(struct errand_arena *arena, const void *ptr,
                                   size_t len)
{
    return (struct errand_slice){.ptr = errand_arena_copy(arena, ptr, len), .len = len};
}

char *er_arena_printf(struct errand_arena *arena, const char *fmt, ...)
{
    va_list ap, again;
    char *p = NULL;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && (p = errand_arena_alloc(arena, (size_t)n + 1)))
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return p;
}

int er_arena_keep(struct errand_arena *arena, const char **text)
{
    if (*text && !(*text = errand_arena_copy(arena, *text, strlen(*text))))
        return -1;
    return 0;
}

int er_arena_keep_list(struct errand_arena *arena, const char *const **list)
{
    const char **copy;
    size_t n = 0;

    if (!*list)
        return 0;
    while ((*list)[n])
        n++;
    if (!(copy = errand_arena_alloc(arena, (n + 1) * sizeof *copy)))
        return -1;
    for (size_t i = 0; i < n; i++) {
        copy[i] = (*list)[i];
        if (er_arena_keep(arena, &copy[i]) < 0)
            return -1;
    }
    *list = copy;
    return 0;
}
