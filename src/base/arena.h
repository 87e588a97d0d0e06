/* arena.h: memory that is freed all at once. A result set owns one arena; freeing the set
 * frees every row. */
#ifndef ER_BASE_ARENA_H
#define ER_BASE_ARENA_H

#include "errand/driver.h"

struct errand_arena *er_arena_new(void); /* NULL: out of memory */
void er_arena_free(struct errand_arena *arena);
/* Forgets everything but keeps the largest block: for loops that reuse one arena. */
void er_arena_reset(struct errand_arena *arena);
size_t er_arena_used(const struct errand_arena *arena); /* bytes handed out */

/* ptr NULL and len > 0: no memory */
struct errand_slice er_arena_slice(struct errand_arena *arena, const void *ptr,
                                   size_t len);
/* In place: *text, or *list and all in it up to its NULL, become copies; NULL stays NULL.
 * 0, or -1: no memory. */
int er_arena_keep(struct errand_arena *arena, const char **text);
int er_arena_keep_list(struct errand_arena *arena, const char *const **list);
char *er_arena_printf(struct errand_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
