/* cut.c: errors, logs and results that are too long for the store.
 *
 * The worker decides what a result that is too big means. This is the last line: whatever
 * it hands down, settling must not fail for its size. */
#include "store/internal.h"

#include <string.h>

#include "base/utf8.h"

enum { MARK_MAX = 64 };

struct errand_slice er_cut_to(struct errand_slice text, size_t max)
{
    text.len = er_utf8_cut(text.ptr, text.len, max);
    return text;
}

struct errand_slice er_cut(struct errand_slice text, struct errand_arena *arena)
{
    size_t keep;
    char *mark;

    if (text.len <= ER_TEXT_MAX)
        return text;
    keep = er_utf8_cut(text.ptr, text.len, ER_TEXT_MAX - MARK_MAX);
    mark = er_arena_printf(arena, "… [cut: %zu bytes]", text.len);
    if (mark) {
        char *copy = errand_arena_alloc(arena, ER_TEXT_MAX + 1);
        if (copy) {
            memcpy(copy, text.ptr, keep);
            memcpy(copy + keep, mark, strlen(mark));
            return (struct errand_slice){copy, keep + strlen(mark)};
        }
    }
    return (struct errand_slice){text.ptr, keep};
}

static bool is_too_long(const struct errand_outcome *o)
{
    return o->error.len > ER_TEXT_MAX || o->log.len > ER_TEXT_MAX ||
           o->result.len > ER_TEXT_MAX;
}

const struct errand_outcome *er_outcomes_cut(const struct errand_outcome *outcomes,
                                             size_t n, struct errand_arena *arena)
{
    struct errand_outcome *copy;
    size_t i = 0;

    while (i < n && !is_too_long(&outcomes[i]))
        i++;
    if (i == n)
        return outcomes;
    if (!(copy = errand_arena_alloc(arena, n * sizeof *copy)))
        return NULL;
    memcpy(copy, outcomes, n * sizeof *copy);
    for (; i < n; i++) {
        copy[i].error = er_cut(copy[i].error, arena);
        copy[i].log = er_cut(copy[i].log, arena);
        copy[i].result = er_cut(copy[i].result, arena);
    }
    return copy;
}
