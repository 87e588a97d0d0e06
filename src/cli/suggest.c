/* suggest.c: what was meant? */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"

enum { WORD_MAX = 64 };

static int least(int a, int b, int c)
{
    int m = a < b ? a : b;

    return m < c ? m : c;
}

/* Edits (insert, delete, change, swap of neighbours) from one word to the other. */
static int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int rows[3][WORD_MAX + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int *spare = before;

        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int differs =
                tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);

            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b_len];
}

const char *er_suggest(const char *typed, const char *const *names, size_t n)
{
    size_t len = strlen(typed);
    int best = len < 4 ? 2 : 1 + (int)len / 3; /* further off is a guess, not a help */
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *tail = strrchr(names[i], ':');
        int d = distance(typed, len, names[i], strlen(names[i]));

        /* "dispatch" for "queue:dispatch": the group may be left out by habit. */
        if (tail) {
            int of_tail = distance(typed, len, tail + 1, strlen(tail + 1));

            d = of_tail < d ? of_tail : d;
        }
        if (d < best) {
            best = d;
            found = names[i];
        }
    }
    return found;
}
