/* suggest.c: what was meant? */
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

const char *er_suggest(const char *typed, const char *const *names, size_t n)
{
    size_t len = strlen(typed);
    size_t best = len < 4 ? 2 : 1 + len / 3; /* further off is a guess, not a help */
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
