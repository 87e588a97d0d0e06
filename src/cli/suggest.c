/* suggest.c: what was meant? */
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

const char *er_suggest(const char *typed, const char *const *names, size_t n)
{
    size_t best = er_word_reach(typed) + 1;
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *tail = strrchr(names[i], ':');
        size_t far = er_word_distance(typed, names[i]);

        /* "dispatch" for "queue:dispatch": the group may be left out by habit. */
        if (tail && er_word_distance(typed, tail + 1) < far)
            far = er_word_distance(typed, tail + 1);
        if (far < best) {
            best = far;
            found = names[i];
        }
    }
    return found;
}
